"""Efficiency, Cq and starting amount from the window of linearity (LinRegPCR).

Symbols: n curves, m cycles; E efficiency (fold per cycle, 2 for perfect doubling); N0 signal at cycle 0, a.u.

The baseline is not read off the early cycles. It is the level that makes the exponential phase a straight line on the
log scale, so that the upper and the lower half of the window have the same slope; that slope is ln E of the well
(Ramakers, Ruijter, Deprez, Moorman 2003, Neurosci Lett 339:62; Ruijter et al. 2009, Nucleic Acids Res 37:e45). The
wells of a target share one efficiency, the mean without outliers, and N0 = threshold / E^Cq. The window is that of
LinRegPCR 2 in RDML-Tools: at most nine readings up to half a cycle before TD0 (web LinRegPCR: Untergasser et al. 2021,
BMC Bioinformatics 22:398; TD0: Untergasser, Gunst, Benes, van den Hoff 2026, Int J Mol Sci, doi:10.3390/ijms27062717).

Two deliberate differences. The baseline is searched to machine precision (published: until the two log10 slopes differ
by less than 1e-5, which leaves the last printed digit open) and in units of the window's own rise (published: between
zero signal and the window's first reading), so that neither an added constant nor the unit of the signal matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.curves.blocks import JudgedReadings, as_readings, blocks_of, joined
from bcrabl.curves.wol_phase import LEAST_READINGS, exponential_phase, fill_gaps
from bcrabl.errors import Problem, RunError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Whole = NDArray[np.int64]
    Mask = NDArray[np.bool_]

__all__ = ["WindowOfLinearity", "window_of_linearity"]

_MOST_POINTS = 9  # this and the following three: LinRegPCR 2
_LEAST_POINTS = 4  # readings in the window, and rising readings up to TD0
_BEFORE_TD0 = 0.5  # cycles between the window's end and TD0
_LEAST_EFFICIENCY = 1.4  # below, the rise is no amplification
_NO_PLATEAU_RATIO = 5.0  # LinRegPCR 1 and 2: the last reading is within this factor of unlimited growth
_BELOW_UPPER_END = 0.5  # LinRegPCR 1: the threshold lies one doubling below the window's upper end
_DEEPEST_BASELINE = 100.0  # below the window's first reading, in units of the window's rise
_MOST_HALVINGS = 60
_SKEWNESS_Z = 2.241403  # two-sided p 0.025 of the normal distribution
_GRUBBS_ALPHA = 0.05
_SAME_EFFICIENCY = 1e-9  # SD as a share of the mean: copies of one curve differ by rounding


@dataclass(frozen=True)
class WindowOfLinearity:
    """What the window of linearity says about n curves of one target on one plate.

    Parameters
    ----------
    baseline : (n,) a.u.; NaN where none straightens the curve (`baseline_error`).
    efficiency : (n,) each well's own, fold per cycle; NaN without a baseline.
    r_squared : (n,) of the log signal against the cycle inside the window.
    points : (n,) readings in the window, 0 where no exponential phase was found.
    phase_points : (n,) readings from the beginning of the rise to the end of the window.
    last_cycle : (n,) of the window.
    td0 : (n,) cycle at which the third derivative of the raw signal falls through zero; NaN where it does not.
    cq : (n,) cycle at which the well, growing with the mean efficiency, is at the threshold; NaN unless it amplifies.
    n0 : (n,) threshold / mean_efficiency ** cq, a.u.
    amplification : (n,) at least four rising readings up to TD0 and an efficiency above 1.4.
    baseline_error : (n,) no exponential phase, too short a window, or one that no baseline makes straight.
    plateau : (n,) the curve ends at least fivefold below unlimited growth; False without a baseline.
    efficiency_outlier : (n,) left out of the mean efficiency as an outlier.
    mean_efficiency, efficiency_sd : fold per cycle, over the wells that contribute (SD with divisor n, as published);
        NaN without any.
    threshold : common to all wells, a.u. above the baseline.
    """

    baseline: Array
    efficiency: Array
    r_squared: Array
    points: Whole
    phase_points: Whole
    last_cycle: Array
    td0: Array
    cq: Array
    n0: Array
    amplification: Mask
    baseline_error: Mask
    plateau: Mask
    efficiency_outlier: Mask
    mean_efficiency: float
    efficiency_sd: float
    threshold: float


class _Windows(NamedTuple):
    """Readings of n windows, left-aligned in (n, 9); `used` tells readings from what lies after the window."""

    signal: Array
    used: Mask
    points: Whole


class _Lines(NamedTuple):
    """What n curves tell by themselves, (n,) each; positions count readings from 1."""

    line: _Line
    centre: Array
    td0: Array
    rises: Mask
    baseline: Array
    points: Whole
    phase_points: Whole
    last_cycle: Array
    plateau: Mask


class _Line(NamedTuple):
    """Straight line through the log signal of every window: centre, slope (ln E), R²."""

    centre: Array
    level: Array
    slope: Array
    r_squared: Array


def window_of_linearity(
    cycles: ArrayLike, fluorescence: ArrayLike | JudgedReadings, *, contributes: ArrayLike | None = None
) -> WindowOfLinearity:
    """Analyse the curves of one target on one plate by their windows of linearity.

    Baseline, efficiency, R² and TD0 of a curve depend on that curve only; the mean efficiency, threshold, Cq and N0 on
    the wells of the call, not on their order.

    Parameters
    ----------
    cycles : (m,) whole, rising cycle numbers.
    fluorescence : (n, m) array, a.u., raw (no baseline removed), NaN where a cycle is missing.
    contributes : (n,) wells that may enter the mean efficiency and the threshold; None for all. The published method
        leaves out negative controls and optical calibrators.

    Raises
    ------
    RunError : cycles that are not whole and rising, shapes that do not fit together.

    Notes
    -----
    Wells whose efficiency is an outlier leave the mean: while the efficiencies are skewed (p < 0.025), the most extreme
    one on the skewed side goes if Grubbs' test (alpha 0.05) agrees. The threshold is half the median signal of
    the lines half a cycle before TD0, where the windows end; N0 does not depend on it.
    """
    x, y = _checked(cycles, fluorescence)
    allowed = _checked_mask(contributes, len(y))
    lines = joined((_read_lines(x, y[rows]) for rows in blocks_of(len(y))), len(y))
    efficiency = np.exp(lines.line.slope)
    with np.errstate(invalid="ignore"):
        amplifies = lines.rises & (efficiency > _LEAST_EFFICIENCY)
    pooled, outlier = _mean_wells(efficiency, amplifies & allowed)
    mean, sd = _mean_and_sd(efficiency[pooled])
    threshold = _threshold(lines.line, lines.td0 - _BEFORE_TD0 - lines.centre, amplifies & allowed)
    before_first = x[0] - 1
    crossing = lines.centre + before_first + (np.log(threshold) - lines.line.level) / np.log(mean)
    cq = np.where(amplifies, crossing, np.nan)
    with np.errstate(over="ignore", under="ignore"):
        n0 = threshold / mean**cq
    return WindowOfLinearity(
        baseline=lines.baseline,
        efficiency=efficiency,
        r_squared=lines.line.r_squared,
        points=lines.points,
        phase_points=lines.phase_points,
        last_cycle=lines.last_cycle + before_first,
        td0=lines.td0 + before_first,
        cq=cq,
        n0=n0,
        amplification=amplifies,
        baseline_error=~np.isfinite(lines.baseline),
        plateau=lines.plateau,
        efficiency_outlier=outlier,
        mean_efficiency=mean,
        efficiency_sd=sd,
        threshold=threshold,
    )


def _read_lines(cycles: Array, fluorescence: Array) -> _Lines:
    """The windows of some curves and the lines in them: what each curve tells by itself."""
    signal = _on_whole_cycles(cycles, fluorescence)
    usable = np.isfinite(signal).sum(axis=1) >= LEAST_READINGS
    signal = fill_gaps(np.where(usable[:, None], signal, 0.0))
    phase = exponential_phase(signal)
    stop = np.floor(np.where(np.isfinite(phase.td0), phase.td0, 0.0) - _BEFORE_TD0).astype(np.int64)
    start = np.maximum(phase.begin + 1, stop - (_MOST_POINTS - 1))
    found = stop >= _LEAST_POINTS
    windows = _windows(signal, start, np.where(found, stop - start + 1, 0))
    depth = _baseline_depth(windows)
    line = _line(windows, depth)
    baseline, centre = windows.signal[:, 0] - depth, line.centre + start
    with np.errstate(invalid="ignore"):
        rises = np.floor(phase.td0) - phase.begin + 1 >= _LEAST_POINTS
    return _Lines(
        line=line,
        centre=centre,
        td0=phase.td0,
        rises=rises,
        baseline=baseline,
        points=windows.points,
        phase_points=np.where(found, stop - phase.begin + 1, 0),
        last_cycle=np.where(found, stop, np.nan),
        plateau=_reaches_plateau(signal[:, -1] - baseline, line, signal.shape[1] - centre),
    )


def _checked(cycles: ArrayLike, fluorescence: ArrayLike | JudgedReadings) -> tuple[Array, Array | JudgedReadings]:
    x, y = np.asarray(cycles, dtype=np.float64), as_readings(fluorescence)
    if x.ndim != 1 or len(y.shape) != 2 or y.shape[1] != len(x) or not len(x):
        raise RunError(Problem("curves", f"cycles {x.shape}, fluorescence {y.shape}", "shapes (m,) and (n, m)"))
    if np.any(x != np.rint(x)) or np.any(np.diff(x) <= 0):
        raise RunError(Problem("cycles", "not whole, or not rising", "1, 2, 3, …"))
    return x, y


def _on_whole_cycles(x: Array, y: Array) -> Array:
    """(n, m') signal with one column per cycle, NaN for cycles that the file leaves out."""
    column = (x - x[0]).astype(np.int64)
    signal = np.full((len(y), max(column[-1] + 1, LEAST_READINGS)), np.nan)
    signal[:, column] = np.where(np.isfinite(y), y, np.nan)
    return signal


def _checked_mask(contributes: ArrayLike | None, n: int) -> Mask:
    mask = np.ones(n, dtype=bool) if contributes is None else np.asarray(contributes, dtype=bool)
    if mask.shape != (n,):
        raise RunError(Problem("contributes", f"shape {mask.shape}", f"({n},), one per curve"))
    return mask


def _windows(signal: Array, start: Whole, points: Whole) -> _Windows:
    points = np.maximum(points, 0)
    offset = np.arange(_MOST_POINTS)
    column = np.clip(start[:, None] - 1 + offset, 0, signal.shape[1] - 1)
    used = (offset < points[:, None]) & (points >= _LEAST_POINTS)[:, None]
    readings = signal[np.arange(len(signal))[:, None], column]
    return _Windows(np.ascontiguousarray(readings), used, points)


def _slope_weights(used: Mask) -> Array:
    """(n, 9) weights whose product sum with a row of values is their least-squares slope over the readings used."""
    offset = np.arange(_MOST_POINTS)
    counted = np.maximum(used.sum(axis=1), 1)
    distance = np.where(used, offset - ((used * offset).sum(axis=1) / counted)[:, None], 0.0)
    spread = (distance**2).sum(axis=1)
    weights: Array = distance / np.where(spread > 0, spread, 1.0)[:, None]
    return weights


def _bend_weights(windows: _Windows) -> Array:
    """(n, 9) weights of upper-half slope minus lower-half slope; an odd window's middle belongs to both halves."""
    offset, points = np.arange(_MOST_POINTS), windows.points[:, None]
    upper, lower = offset >= points // 2, offset < (points + 1) // 2
    return _slope_weights(windows.used & upper) - _slope_weights(windows.used & lower)


def _baseline_depth(windows: _Windows, deepest: Array | None = None, tolerance: float = 0.0) -> Array:
    """How far below a window's first reading the baseline lies that makes its halves equally steep.

    Just below the first reading the lower half is the steeper one on the log scale, far below the upper half is where
    the signal bends upwards: halving the stretch between the two finds the level.

    Parameters
    ----------
    windows : of n curves.
    deepest : (n,) a.u., where the search ends; None for a hundred times the window's rise.
    tolerance : difference of the natural-log slopes at which the search may stop.

    Returns
    -------
    (n,) a.u.; NaN where the window is too short or does not bend upwards.
    """
    bend = _bend_weights(windows)
    rise = np.where(windows.used, np.maximum(windows.signal - windows.signal[:, :1], 0.0), 0.0)
    height = rise.max(axis=1)
    limit = _DEEPEST_BASELINE * height if deepest is None else deepest
    solvable = windows.used[:, 0] & (height > 0)
    limit = np.where(solvable, limit, 1.0)
    solvable &= (bend * np.log(rise + limit[:, None])).sum(axis=1) > 0
    depth, step, moving = limit / 2, limit / 4, solvable.copy()
    for _ in range(_MOST_HALVINGS):
        difference = (bend * np.log(rise + depth[:, None])).sum(axis=1)
        moving &= np.abs(difference) > tolerance
        depth = np.where(moving, np.where(difference > 0, depth - step, depth + step), depth)
        step = step / 2
    return np.where(solvable, depth, np.nan)


def _line(windows: _Windows, depth: Array) -> _Line:
    """The line through the log signal above the baseline; its slope is that of the upper half (equal to the lower)."""
    solved = np.isfinite(depth)
    used = windows.used & solved[:, None]
    above = windows.signal - windows.signal[:, :1] + np.where(solved, depth, 0.0)[:, None]
    logarithm = np.log(np.where(used, above, 1.0))
    offset, counted = np.arange(_MOST_POINTS), np.maximum(used.sum(axis=1), 1)
    blank = np.where(solved, 1.0, np.nan)
    level = logarithm.sum(axis=1) / counted
    deviation = np.where(used, logarithm - level[:, None], 0.0)
    regression = (_slope_weights(used) * logarithm).sum(axis=1)
    distance = np.where(used, offset - ((counted - 1) / 2)[:, None], 0.0)
    total = (deviation**2).sum(axis=1)
    explained = regression**2 * (distance**2).sum(axis=1) / np.where(total > 0, total, 1.0)
    upper = _slope_weights(used & (offset >= windows.points[:, None] // 2))
    slope = (upper * logarithm).sum(axis=1)
    return _Line((counted - 1) / 2 * blank, level * blank, slope * blank, explained * blank)


def _reaches_plateau(last_above: Array, line: _Line, cycles_left: Array) -> Mask:
    """(n,) whether growth from the window's centre on at the well's own efficiency overshoots the last reading."""
    with np.errstate(divide="ignore", invalid="ignore"):
        overshoot = line.level + line.slope * cycles_left - np.log(np.maximum(last_above, 0.0))
        reached: Mask = overshoot >= np.log(_NO_PLATEAU_RATIO)
    return reached


def _threshold(line: _Line, from_centre: Array, counted: Mask) -> float:
    """Half the median signal at the upper ends of the phases, a.u.; NaN where no well counts.

    The lines are read at the fractional end: at the last reading the threshold would jump by a cycle's growth when a
    few wells' TD0 pass a half.
    """
    if not counted.any():
        return float("nan")
    upper_end = line.level + line.slope * from_centre
    return float(_BELOW_UPPER_END * np.exp(np.median(upper_end[counted])))


def _mean_and_sd(efficiency: Array) -> tuple[float, float]:
    """Mean and SD (divisor n); in rising order, so that they do not depend on where the wells stand."""
    if not len(efficiency):
        return float("nan"), float("nan")
    ordered = np.sort(efficiency)
    return float(ordered.mean()), float(ordered.std())


def _mean_wells(efficiency: Array, counted: Mask) -> tuple[Mask, Mask]:
    """Which wells make the mean efficiency, and which were left out as outliers; in rising order, sums do not depend
    on where the wells stand.
    """
    order = np.argsort(efficiency, kind="stable")
    kept = np.empty_like(counted)
    kept[order] = _without_outliers(efficiency[order], counted[order])
    return kept, counted & ~kept


def _without_outliers(efficiency: Array, counted: Mask) -> Mask:
    kept = counted.copy()
    while (k := int(kept.sum())) >= 3:
        deviation = np.where(kept, efficiency - efficiency[kept].mean(), 0.0)
        variance = float((deviation[kept] ** 2).sum() / (k - 1))
        if variance <= (_SAME_EFFICIENCY * efficiency[kept][0]) ** 2:
            break
        skewness = k * float((deviation[kept] ** 3).sum()) / ((k - 1) * (k - 2) * variance**1.5)
        skewness_sd = np.sqrt(6.0 * k * (k - 1) / ((k - 2) * (k + 1) * (k + 3)))
        extreme = int(np.argmax(deviation * np.sign(skewness)))
        if abs(skewness) <= _SKEWNESS_Z * skewness_sd:
            break
        if abs(deviation[extreme]) <= _grubbs_limit(k) * np.sqrt(variance):
            break
        kept[extreme] = False
    return kept


def _grubbs_limit(k: int) -> float:
    """Largest distance from the mean, in SDs, of k normal values (Grubbs 1969, Technometrics 11:1, two-sided)."""
    from scipy.special import stdtrit

    t = float(stdtrit(k - 2, 1 - _GRUBBS_ALPHA / (2 * k)))
    limit: float = (k - 1) / k**0.5 * (t * t / (k - 2 + t * t)) ** 0.5
    return limit
