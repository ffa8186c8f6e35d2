"""How good is a curve? Figures of its baseline, noise and plateau, and named flags where one is beyond its limit.

A flag is no verdict: it names what a person should look at (MIQE asks that curves be inspected: Bustin et al. 2009,
Clin Chem 55:611). Figures are in units of the plateau, so that limits hold on every instrument. A curve that amplifies
is measured by its own plateau, one that does not by the median plateau of its target: a flat well has none.

Symbols: n curves of one target on one plate, m cycles. Medians are over the curves called amplified; they depend on
which curves those are, not on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.curves.amplification import AmplificationScores
from bcrabl.curves.blocks import JudgedReadings, blocks_of, joined, rows_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.curves.baseline import Baseline
    from bcrabl.curves.sigmoid import SigmoidFit

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["QUALITY_FLAGS", "CurveQuality", "QualityLimits", "assess"]

QUALITY_FLAGS = {
    "steep_baseline": "the baseline drifts",
    "noisy": "the noise is large against the plateau",
    "low_plateau": "the plateau is low for its target",
    "high_plateau": "the plateau is high for its target",
    "jump": "a reading jumps away from the one before it",
    "falling_plateau": "the signal falls after its top",
    "rising_plateau": "the signal goes on rising in a line after its plateau",
    "saturated": "readings lie on one flat top",
    "efficiency_outlier": "the efficiency is not that of its target",
}

_PLATEAU_REACHED = 0.98  # share of the fitted rise after which a curve counts as level
_LEAST_READINGS_FOR_LINE = 5
_LEAST_CURVES_FOR_MEDIAN = 3
_NORMAL_SD_PER_MAD = 1.4826


@dataclass(frozen=True)
class QualityLimits:
    """Beyond which figure a curve is flagged.

    Parameters
    ----------
    baseline_slope : share of the plateau per cycle, either way.
    signal_to_noise : plateau in noise SDs.
    plateau_ratio : lowest and highest, against the target's median.
    jump_per_noise, jump_share : in noise SDs and as a share of the plateau; a jump exceeds both.
    plateau_slope : share of the plateau per cycle after it is reached: downwards, upwards.
    hook_depth : share of the rise lost after the top.
    saturation_share : share of the readings.
    efficiency_z : robust SDs from the target's median, either way (3.5: Iglewicz & Hoaglin 1993, How to Detect and
        Handle Outliers).
    efficiency_sd : fold/cycle, least robust SD of the efficiencies, so that equal curves are no outliers of each other.
    """

    baseline_slope: float = 0.005
    signal_to_noise: float = 25.0
    plateau_ratio: tuple[float, float] = (0.4, 2.5)
    jump_per_noise: float = 10.0
    jump_share: float = 0.06
    plateau_slope: tuple[float, float] = (-0.01, 0.02)
    hook_depth: float = 0.1
    saturation_share: float = 0.1
    efficiency_z: float = 3.5
    efficiency_sd: float = 0.03


@dataclass(frozen=True)
class CurveQuality:
    """Figures of n curves, each (n,), and the flags they give.

    Parameters
    ----------
    baseline_slope : drift of the baseline, share of the plateau per cycle.
    noise_sd : noise of the baseline, a.u.; of the whole curve where no baseline was found.
    signal_to_noise : plateau over noise SD.
    plateau_ratio : fitted rise against the target's median; NaN where the plateau is not in view.
    jump : largest change from one reading to the next beyond what the fit does, in noise SDs of such a change.
    jump_cycle : the cycle it leads to.
    jump_share : its size as a share of the plateau.
    plateau_slope : drift after the plateau is reached, share of the plateau per cycle; NaN with fewer than 5 readings.
    hook_depth : fall after the top, share of the rise.
    saturation_share : share of the readings on the curve's flat top.
    efficiency : fold per cycle in the exponential phase; NaN where the curve does not amplify.
    efficiency_z : its distance from the target's median in robust SDs; NaN with fewer than 3 curves.
    flags : name → (n,) True where the curve is flagged, in the order of `QUALITY_FLAGS`.
    """

    baseline_slope: Array
    noise_sd: Array
    signal_to_noise: Array
    plateau_ratio: Array
    jump: Array
    jump_cycle: Array
    jump_share: Array
    plateau_slope: Array
    hook_depth: Array
    saturation_share: Array
    efficiency: Array
    efficiency_z: Array
    flags: dict[str, Mask]


class _Jump(NamedTuple):
    size: Array
    per_noise: Array
    cycle: Array


def assess(
    cycles: Array,
    fluorescence: Array,
    fit: SigmoidFit,
    baseline: Baseline,
    call: NDArray[np.object_],
    scores: AmplificationScores,
    efficiency: Array,
    limits: QualityLimits | None = None,
) -> CurveQuality:
    """Measure the quality of the curves of one target on one plate.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    fit : sigmoid fits of the n curves.
    baseline : the line under each curve.
    call : (n,) of `call_amplification`.
    scores : of `score_amplification`.
    efficiency : (n,) fold per cycle; NaN where unknown.
    limits : of the flags; the defaults without.
    """
    limits = limits or QualityLimits()
    rising = (call != "not_amplified") & (fit.rise > 0)
    noise = np.where(np.isfinite(baseline.noise_sd), baseline.noise_sd, scores.noise_sd)
    plateau = np.where(rising, fit.rise, np.nan)
    median = _median(plateau[(call == "amplified") & np.isfinite(scores.plateau)])
    plateau = np.where(rising, plateau, median)
    efficiency = np.where(rising, efficiency, np.nan)
    readings = JudgedReadings(fluorescence, np.isfinite(fluorescence))
    jump, late_slope = joined(
        (
            (
                _largest_jump(cycles, readings[rows], rows_of(fit, rows), scores.noise_sd[rows]),
                _slope_after_plateau(cycles, readings[rows], rows_of(fit, rows)),
            )
            for rows in blocks_of(len(fluorescence))
        ),
        len(fluorescence),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        quality = CurveQuality(
            baseline_slope=baseline.slope / plateau,
            noise_sd=noise,
            signal_to_noise=plateau / noise,
            plateau_ratio=np.where(rising, scores.plateau / median, np.nan),
            jump=jump.per_noise,
            jump_cycle=jump.cycle,
            jump_share=jump.size / plateau,
            plateau_slope=np.where(rising, late_slope / plateau, np.nan),
            hook_depth=scores.hook_depth,
            saturation_share=scores.ceiling_share,
            efficiency=efficiency,
            efficiency_z=_robust_z(efficiency, call == "amplified", limits.efficiency_sd),
            flags={},
        )
        quality.flags.update(_flags(quality, rising, limits))
    return quality


def _flags(quality: CurveQuality, rising: Mask, limits: QualityLimits) -> dict[str, Mask]:
    low, high = limits.plateau_ratio
    falls, climbs = limits.plateau_slope
    hooked = rising & (quality.hook_depth > limits.hook_depth)
    return {
        "steep_baseline": np.abs(quality.baseline_slope) > limits.baseline_slope,
        "noisy": quality.signal_to_noise < limits.signal_to_noise,
        "low_plateau": quality.plateau_ratio < low,
        "high_plateau": quality.plateau_ratio > high,
        "jump": (quality.jump > limits.jump_per_noise) & (quality.jump_share > limits.jump_share),
        "falling_plateau": (quality.plateau_slope < falls) | hooked,
        "rising_plateau": quality.plateau_slope > climbs,
        "saturated": rising & (quality.saturation_share > limits.saturation_share),
        "efficiency_outlier": np.abs(quality.efficiency_z) > limits.efficiency_z,
    }


def _median(values: Array) -> float:
    return float(np.median(values)) if values.size else float("nan")


def _robust_z(values: Array, chosen: Mask, least_sd: float) -> Array:
    """(n,) distance from the median of the chosen values, in SDs from their median absolute deviation."""
    known = values[chosen & np.isfinite(values)]
    if known.size < _LEAST_CURVES_FOR_MEDIAN:
        return np.full(values.shape, np.nan)
    middle = np.median(known)
    sd = max(_NORMAL_SD_PER_MAD * float(np.median(np.abs(known - middle))), least_sd)
    distance: Array = (values - middle) / sd
    return distance


def _largest_jump(cycles: Array, fluorescence: Array, fit: SigmoidFit, noise_sd: Array) -> _Jump:
    """The largest change between neighbouring readings that neither the fit makes nor the changes beside it.

    Either alone would name good curves: the fit misses a sharp bend, and the changes of a steep rise differ.
    """
    fitted = np.where(np.isfinite(fit.rise)[:, None], fit.above_baseline(cycles), 0.0)
    change = np.diff(fluorescence, axis=1)
    before = np.concatenate([change[:, 1:2], change[:, :-1]], axis=1)
    after = np.concatenate([change[:, 1:], change[:, -2:-1]], axis=1)
    beyond_neighbours = np.abs(change - (before + after) / 2)
    beyond_fit = np.abs(change - np.diff(fitted, axis=1))
    excess = np.fmin(beyond_fit, beyond_neighbours)
    excess = np.where(np.isfinite(excess), excess, 0.0)
    row, place = np.arange(len(excess)), excess.argmax(axis=1)
    size = excess[row, place]
    jumps = size > 0
    noise = np.where(noise_sd > 0, np.sqrt(2) * noise_sd, np.nan)
    return _Jump(size, np.where(jumps, size / noise, 0.0), np.where(jumps, cycles[1:][place], np.nan))


def _slope_after_plateau(cycles: Array, fluorescence: Array, fit: SigmoidFit) -> Array:
    """(n,) slope, a.u./cycle, of the readings after the fit has made 98 % of its rise; NaN with fewer than five."""
    late = np.isfinite(fluorescence) & (fit.above_baseline(cycles) > (_PLATEAU_REACHED * fit.rise)[:, None])
    number = late.sum(axis=1)
    enough = number >= _LEAST_READINGS_FOR_LINE
    counted = np.maximum(number, 1)
    distance = np.where(late, cycles - (np.where(late, cycles, 0.0).sum(axis=1) / counted)[:, None], 0.0)
    spread = (distance**2).sum(axis=1)
    product = (distance * np.where(late, fluorescence, 0.0)).sum(axis=1)
    return np.where(enough, product / np.where(enough, spread, 1.0), np.nan)
