"""Standards of a known truth, for the tests of calibration."""

from __future__ import annotations

import numpy as np

INTERCEPT, SLOPE = 39.5, -3.35
LEVELS = 10.0 ** np.arange(1, 7)


def draw_cq(copies, rng, *, intercept=INTERCEPT, slope=SLOPE, sd=0.1):
    """Cq of reactions with Poisson template; NaN where no molecule got in."""
    molecules = rng.poisson(copies).astype(float)
    return (
        intercept + slope * np.log10(np.where(molecules > 0, molecules, np.nan)) + rng.normal(0, sd, np.shape(copies))
    )


def draw_standards(rng, *, levels=LEVELS, replicates=2, **truth):
    """Cq and copies of the detected standards of one plate."""
    copies = np.repeat(levels, replicates)
    cq = draw_cq(copies, rng, **truth)
    found = np.isfinite(cq)
    return cq[found], copies[found]
