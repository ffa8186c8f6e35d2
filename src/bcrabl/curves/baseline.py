"""Baseline of every curve: a straight line through the cycles before anything is seen to amplify.

Symbols: n curves, m cycles. The window is the assay's (EAC: cycles 3–15) or found from the fitted sigmoid, and never
reaches into the rise of its own curve. The window gives the level; the drift is read off every flat cycle, inside the
window and after it: the slope of 13 readings, carried on to cycle 38, would move a late Cq by tenths of a cycle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.curves.sigmoid import SigmoidFit

    Array = NDArray[np.float64]

__all__ = ["Baseline", "fit_baseline", "take_off"]

_FIRST_CYCLE = 3.0  # the first two readings settle optics and temperature; instrument software leaves them out too
_LEAST_POINTS_FOR_LINE = 5
_LEAST_POINTS = 3
# A rise below these is still baseline. Larger ones tilt the line: at half a noise SD the Cq of simulated curves of
# known crossing was 0.02–0.05 cycles late, at a fifth it is 0.004–0.02 late with the same scatter.
_TAKE_OFF_SHARE = 0.0002  # of the plateau
_TAKE_OFF_NOISE = 0.2  # of the noise SD


@dataclass(frozen=True)
class Baseline:
    """Line `intercept + slope · cycle` under each of n curves.

    Parameters
    ----------
    start, end : (n,) first and last cycle of the window used; NaN where no window was left.
    intercept : (n,) a.u. at cycle 0.
    slope : (n,) a.u./cycle; 0 where the window is too short for a line.
    noise_sd : (n,) residual standard deviation of the flat cycles, a.u.; NaN where the window is too short.
    points, mean_cycle : (n,) number of readings in the window and their mean cycle.
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


def take_off(cycles: Array, fit: SigmoidFit, noise_sd: Array) -> Array:
    """(n,) last cycle at which the fitted rise is still below a fifth of the noise SD or 0.02 % of the plateau.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fit : sigmoid fits of the n curves.
    noise_sd : (n,) noise, a.u.
    """
    rise = fit.above_baseline(cycles)
    rise = rise - rise[:, :1]
    hidden = rise <= np.maximum(_TAKE_OFF_NOISE * noise_sd, _TAKE_OFF_SHARE * fit.rise)[:, None]
    still_hidden = np.logical_and.accumulate(hidden, axis=1)
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
