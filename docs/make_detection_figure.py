"""Draw the figure of docs/detection_limits.md from a simulated study, and print the numbers the page names.

    python docs/make_detection_figure.py [FOLDER, docs without]

The seed is fixed: the same code draws the same bytes, and a test notices when the figure is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from bcrabl.report.figures.detection import study_figure
from bcrabl.studies.chart import chart_of
from bcrabl.studies.limits import Reactions, StudyLimits, StudySettings, study_limits

LEVELS = (0, 0.5, 1, 2, 5, 10, 20, 50)  # copies/reaction
WELLS = 24
ERROR_CV = 0.15  # of reading copies off a standard curve
SEED = 20261121
SETTINGS = StudySettings("cloglog", 0.95, 0.95, 2, False, "non_parametric", 0.35)


def simulated_study() -> StudyLimits:
    """Poisson molecules, each found by itself, read off with a log-normal error of CV 15 %."""
    rng = np.random.default_rng(SEED)
    level = np.repeat(np.array(LEVELS, dtype=np.float64), WELLS)
    molecules = rng.poisson(level)
    sd = np.sqrt(np.log1p(ERROR_CV**2))
    copies = molecules * np.exp(rng.normal(-(sd**2) / 2, sd, len(level)))
    return study_limits(Reactions(level, molecules > 0, copies, np.zeros(len(level), dtype=bool)), SETTINGS)


def main(folder: Path) -> None:
    """Write the figure and print the limits."""
    limits = simulated_study()
    (folder / "detection_limits.svg").write_bytes(
        study_figure("example", {"BCR::ABL1": chart_of(limits)}).svg().encode()
    )
    for link, limit in limits.limits.items():
        several = limits.replicate_limits[link]
        found = f"{limit.copies:.2f} ({limit.low:.2f} to {limit.high:.2f})"
        pair = f"{several.copies:.2f} ({several.low:.2f} to {several.high:.2f})"
        sys.stdout.write(f"| {link} | {found} | {pair} | {limit.aic:.1f} | {limit.p_value:.2f} |\n")
    loq = limits.quantification
    if loq is not None:
        sys.stdout.write(f"LoQ {loq.copies:.1f} ({loq.low:.1f} to {loq.high:.1f})\n")
    sys.stdout.write(f"one-hit within cloglog: p = {limits.one_hit_p_value:.2f}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
