"""Baseline of every curve: a straight line through the cycles before it rises out of its noise.

Symbols: n curves, m cycles. The window is the assay's (EAC: cycles 3–15) or found from the fitted sigmoid, and never
reaches into the rise of its own curve. The window gives the level; the drift is read off every flat cycle, inside the
window and after it: the slope of 13 readings, carried on to cycle 38, would move a late Cq by tenths of a cycle.

A line that stops where the rise begins to show has few cycles to go by when the curve is early, and takes the first of
the rise for drift. So the line is drawn again, twice: the curve less its drift is fitted anew, and the fitted rise is
taken off the readings before the line is drawn through them, which may then reach a little further.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.curves.blocks import rows_of
from bcrabl.curves.sigmoid import fit_sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.curves.sigmoid import SigmoidFit

    Array = NDArray[np.float64]

__all__ = ["Baseline", "baseline_under", "fit_baseline", "residual_sd", "take_off"]

_FIRST_CYCLE = 3.0  # the first two readings settle optics and temperature; instrument software leaves them out too
_LEAST_POINTS_FOR_LINE = 5
_LEAST_POINTS = 3
_PARAMETERS_BEFORE = 4  # line, and position and steepness of the rise
# A rise below these is still baseline: as it stands, and once the fitted rise has been taken off the readings.
_HIDDEN = (0.0002, 0.2)  # of the plateau, of the noise SD
_HIDDEN_BY_THE_FIT = (0.001, 0.5)  # further, real curves leave the sigmoid: Cq of QuantStudio runs moves by 0.1 cycles
_CONVERGES = 0.3
_ROUNDING = 1e-9  # residual SD as a share of the rise
_PASSES = 2  # a third moves the Cq of simulated curves by less than 0.003 cycles


@dataclass(frozen=True)
class Baseline:
    """Line `intercept + slope · cycle` under each of n curves.

    Parameters
    ----------
    start, end : (n,) first and last cycle of the window used; NaN where no window was left.
    intercept : (n,) a.u. at cycle 0.
    slope : (n,) a.u./cycle; 0 where the window is too short for a line.
    noise_sd : (n,) residual standard deviation, a.u., of a rising curve up to its steepest rise, else of all cycles.
    points, mean_cycle : (n,) number of readings in the window and their mean cycle; where the fit's level stands in,
        so many readings as would know the level as well as the fit does.
    spread : (n,) sum of squared distances of the flat cycles from their mean; inf where the baseline is level.
    shortened : (n,) the wanted window reached into the rise and was cut.
    """

    start: Array
    end: Array
    intercept: Array
    slope: Array
    noise_sd: Array
    points: Array
    mean_cycle: Array
    spread: Array
    shortened: NDArray[np.bool_]

    def at(self, cycles: Array) -> Array:
        """(n, m) baseline at cycles of shape (m,)."""
        return self.intercept[:, None] + self.slope[:, None] * cycles[None, :]

    def relative_variance(self, cycle: Array) -> Array:
        """(n,) variance of the baseline at one cycle per curve, in units of the noise variance."""
        return 1 / self.points + (cycle - self.mean_cycle) ** 2 / self.spread


def baseline_under(
    cycles: Array,
    fluorescence: Array,
    fit: SigmoidFit,
    rising: NDArray[np.bool_],
    window: tuple[float, float] | None = None,
) -> Baseline:
    """The baseline of every curve, the rise taken off before the line is drawn.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    fit : sigmoid fits of the n curves.
    rising : (n,) which curves rise; the others are flat to their end.
    window : first and last cycle of a fixed window for the level; None for all cycles from the third to the take-off.

    Returns
    -------
    Baseline; where a rising curve leaves no window, the level of its fit stands in, and `start` and `end` are NaN.
    """
    last_flat = np.where(rising, take_off(cycles, fit, residual_sd(fluorescence, fit), _HIDDEN), cycles[-1])
    found = fit_baseline(cycles, fluorescence, last_flat, window)
    rows = np.flatnonzero(rising & np.isfinite(found.slope))
    lines, level = [found], rows_of(fit, rows)
    for _ in range(_PASSES):
        line, level = _drawn_again(cycles, fluorescence[rows], found.slope[rows], window, level)
        found = _with_rows(found, rows, line)
        lines.append(found)
    slope, intercept = (_limit([getattr(line, name) for line in lines[-3:]]) for name in ("slope", "intercept"))
    found = replace(found, slope=slope)
    noise_sd = residual_sd(fluorescence, fit)
    with np.errstate(invalid="ignore"):  # a curve that is its own sigmoid stands on the sigmoid's level
        itself = rising & (noise_sd < _ROUNDING * fit.rise) & np.isfinite(found.intercept)
    found = replace(
        found, slope=np.where(itself, 0.0, found.slope), intercept=np.where(itself, fit.baseline, intercept)
    )
    missing = ~np.isfinite(found.intercept)
    with np.errstate(invalid="ignore", divide="ignore"):
        known_like = noise_sd**2 / fit.covariance[:, 0, 0]
    return replace(
        found,
        intercept=np.where(missing, fit.baseline, found.intercept),
        slope=np.where(missing, 0.0, found.slope),
        noise_sd=np.where(np.isfinite(found.noise_sd), found.noise_sd, noise_sd),
        points=np.where(missing & np.isfinite(known_like), known_like, found.points),
        spread=np.where(missing, np.inf, found.spread),
    )


def _limit(passes: list[Array]) -> Array:
    """(n,) where three successive values are going, if each step is a small share of the one before (Aitken 1926)."""
    first, second, third = passes
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (third - second) / (second - first)
        limit: Array = third + (third - second) * share / (1 - share)
    return np.where(np.abs(share) < _CONVERGES, limit, third)


def _drawn_again(
    cycles: Array, fluorescence: Array, slope: Array, window: tuple[float, float] | None, near: SigmoidFit
) -> tuple[Baseline, SigmoidFit]:
    """The line through the readings less the rise that is fitted to the curve without its drift; and that fit."""
    level = fit_sigmoid(cycles, fluorescence - slope[:, None] * (cycles - cycles.mean()), near=near)
    rise = np.where(np.isfinite(level.rise)[:, None], level.above_baseline(cycles), 0.0)
    last_flat = take_off(cycles, level, residual_sd(fluorescence, level), _HIDDEN_BY_THE_FIT)
    drawn = fit_baseline(cycles, fluorescence - rise, last_flat, window)
    noise = _noise_before(cycles, fluorescence - rise - drawn.at(cycles), level.steepest)
    return replace(drawn, noise_sd=noise), level


def _noise_before(cycles: Array, residuals: Array, steepest: Array) -> Array:
    """(n,) noise SD from the residuals up to the steepest rise; those of the few flat cycles alone scatter too much."""
    counted = np.isfinite(residuals) & (cycles >= _FIRST_CYCLE) & (cycles[None, :] <= steepest[:, None])
    freedom = np.maximum(counted.sum(axis=1) - _PARAMETERS_BEFORE, 1)
    noise: Array = np.sqrt((np.where(counted, residuals, 0.0) ** 2).sum(axis=1) / freedom)
    return noise


def residual_sd(fluorescence: Array, fit: SigmoidFit) -> Array:
    """(n,) residual standard deviation of sigmoid fits, a.u."""
    noise: Array = np.sqrt(fit.rss / np.maximum(np.isfinite(fluorescence).sum(axis=1) - 5, 1))
    return noise


def _with_rows(baseline: Baseline, rows: NDArray[np.intp], others: Baseline) -> Baseline:
    """The baseline with some rows replaced by others, where these were found."""
    found = np.isfinite(others.intercept)
    merged = {}
    for field in fields(baseline):
        values = getattr(baseline, field.name).copy()
        values[rows[found]] = getattr(others, field.name)[found]
        merged[field.name] = values
    return Baseline(**merged)


def take_off(cycles: Array, fit: SigmoidFit, noise_sd: Array, hidden: tuple[float, float] = _HIDDEN) -> Array:
    """(n,) last cycle at which the fitted rise is still hidden.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fit : sigmoid fits of the n curves.
    noise_sd : (n,) noise, a.u.
    hidden : a rise below either of these shares, of the plateau and of the noise SD, is still baseline.
    """
    rise = fit.above_baseline(cycles)
    rise = rise - rise[:, :1]
    below = rise <= np.maximum(hidden[1] * noise_sd, hidden[0] * fit.rise)[:, None]
    still_hidden = np.logical_and.accumulate(below, axis=1)
    last: Array = cycles[np.maximum(still_hidden.sum(axis=1) - 1, 0)]
    return last


def fit_baseline(
    cycles: Array, fluorescence: Array, last_flat: Array, window: tuple[float, float] | None = None
) -> Baseline:
    """Fit the baseline of every curve by least squares.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    last_flat : (n,) cycle at which the curve takes off (`take_off`), the last cycle for a curve that does not.
    window : first and last cycle of a fixed window for the level; None for all cycles from the third to the take-off.
    """
    first, last = window or (_FIRST_CYCLE, cycles[-1])
    first = max(first, cycles[0])
    end = np.minimum(last, last_flat)
    flat = np.isfinite(fluorescence) & (cycles >= first) & (cycles[None, :] <= last_flat[:, None])
    points, mean_cycle, mean_signal = _mean(cycles, fluorescence, flat & (cycles[None, :] <= end[:, None]))
    all_points, middle, level = _mean(cycles, fluorescence, flat)
    distance = np.where(flat, cycles - middle[:, None], 0.0)
    deviation = np.where(flat, fluorescence - level[:, None], 0.0)
    sloped = all_points >= _LEAST_POINTS_FOR_LINE
    spread = np.where(sloped, (distance**2).sum(axis=1), np.inf)
    slope = np.where(sloped, (distance * deviation).sum(axis=1) / spread, 0.0)
    residuals = deviation - slope[:, None] * distance
    freedom = np.maximum(all_points - np.where(sloped, 2, 1), 1)
    noise_sd = np.sqrt((residuals**2).sum(axis=1) / freedom)
    usable, counted = points >= _LEAST_POINTS, np.maximum(points, 1)
    blank = np.where(usable, 1.0, np.nan)
    return Baseline(
        start=first * blank,
        end=end * blank,
        intercept=(mean_signal - slope * mean_cycle) * blank,
        slope=slope * blank,
        noise_sd=noise_sd * blank,
        points=counted,
        mean_cycle=mean_cycle,
        spread=spread,
        shortened=(window is not None) & (end < last),
    )


def _mean(cycles: Array, fluorescence: Array, inside: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Number of readings inside each curve's window, and their mean cycle and signal."""
    points = inside.sum(axis=1).astype(np.float64)
    counted = np.maximum(points, 1)
    mean_cycle = np.where(inside, cycles, 0.0).sum(axis=1) / counted
    return points, mean_cycle, np.where(inside, fluorescence, 0.0).sum(axis=1) / counted
