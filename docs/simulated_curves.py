"""Simulated curves for the figures of the documentation: good ones, artefacts, and one for each quality flag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bcrabl.report.figures import curves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

CYCLES = np.arange(1.0, 46)
SHAPE = (0.30, 3.0, 0.58, 27.0, 1.2)  # c, d (Rn), s (1/cycle), e (cycle), f of a usual curve


def noisy(signal: Array, seed: int, sd: float) -> Array:
    """The signal with normal noise."""
    return signal + np.random.default_rng(seed).normal(0, sd, np.shape(signal))


def shifted(cycles: float, rise: float = SHAPE[1], slope: float = SHAPE[2], cycle_axis: Array = CYCLES) -> Array:
    """The usual curve, so many cycles later."""
    return curves.sigmoid(cycle_axis, (SHAPE[0], rise, slope, SHAPE[3] + cycles, SHAPE[4]))


def artefacts() -> dict[str, Array]:
    """What a well may show besides a good amplification."""
    x, t, good = CYCLES, CYCLES / CYCLES[-1], shifted(0)
    flat = np.full(len(x), SHAPE[0])
    return {
        "Amplification": good,
        "Late amplification": shifted(11),
        "Late rise": shifted(21),
        "Noise": flat,
        "Drift": flat + 0.9 * t,
        "Creep": flat + 0.9 * t**2.6,
        "Settling": flat + 0.5 * (1 - np.exp(-x / 6)),
        "Bleaching": flat + 0.5 * np.exp(-x / 9),
        "Step": flat + 0.8 * (x > 27),
        "Ramp": flat + 0.8 * np.clip((x - 22) / 9, 0, 1),
        "Spike": flat + 0.9 * (x == 24),
        "Hook": flat + 1.2 * np.exp(-(((x - 28) / 4.5) ** 2)),
        "Amplification with a spike": good + 1.5 * (x == 12),
        "Amplification with a hook": good - 0.05 * np.maximum(x - 32, 0),
        "Begins high": np.minimum(shifted(-24), 3.1),
    }


def flagged_curves() -> dict[str, Array]:
    """One curve for each flag of `bcrabl.curves.quality`, beside good ones."""
    x, good = CYCLES, shifted(0)
    random = np.random.default_rng(40)
    return {
        "steep_baseline": good + 0.03 * x,
        "noisy": good + random.normal(0, 0.2, len(x)),
        "low_plateau": shifted(0, 0.9),
        "high_plateau": shifted(0, 9.0),
        "jump": good + 0.5 * (x > 12),
        "falling_plateau": good - 0.06 * np.maximum(x - 33, 0),
        "rising_plateau": shifted(-6) + 0.09 * np.maximum(x - 35, 0),
        "saturated": np.minimum(good, 2.2),
        "efficiency_outlier": shifted(0, slope=0.40),
    }
