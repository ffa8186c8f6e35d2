"""Standard error of a Cq by the window of linearity. Symbols: n curves, k readings of the longest window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bcrabl.curves.blocks import blocks_of, rows_of
from bcrabl.curves.sigmoid_shape import row_dot
from bcrabl.curves.uncertainty import trailing_sum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.curves.blocks import JudgedReadings
    from bcrabl.curves.sigmoid import SigmoidFit
    from bcrabl.curves.uncertainty import ReadingNoise
    from bcrabl.curves.window_of_linearity import WindowOfLinearity

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["window_crossing_standard_error", "window_standard_error"]

_MOST_POINTS = 9


def window_standard_error(
    cycles: Array, readings: JudgedReadings, window: WindowOfLinearity, fit: SigmoidFit, noise: ReadingNoise
) -> Array:
    """(n,) standard error of `window.cq`, cycles; NaN where that is.

    Parameters
    ----------
    cycles : (m,) whole cycle numbers.
    readings : (n, m), a.u.
    window : of `bcrabl.curves.window_of_linearity` of these curves.
    fit : sigmoid fits of the same curves; noise that grows with the signal is given in shares of their rise.
    noise : of the readings.

    Notes
    -----
    That a window may move by a reading when the noise is another is not in it.
    """
    wells = max(int((window.amplification & ~window.efficiency_outlier).sum()) - 1, 1)
    efficiency_se = window.efficiency_sd / np.sqrt(wells)
    offset, parts = np.arange(_MOST_POINTS), []
    for rows in blocks_of(len(readings)):
        some = rows_of(window, rows)
        used = (offset < some.points[:, None]) & np.isfinite(some.cq)[:, None]
        place = np.nan_to_num(some.last_cycle)[:, None] - some.points[:, None] + 1 + offset
        column = np.clip(np.searchsorted(cycles, place), 0, len(cycles) - 1)
        read = used & (cycles[column] == place)  # a cycle that the file leaves out is not read
        above = np.take_along_axis(readings[rows], column, axis=1) - some.baseline[:, None]
        above = np.where(read & (above > 0), above, np.nan)
        share = above / fit.rise[rows, None]
        noise_sd = np.sqrt(noise.quiet[rows, None] + noise.growing[rows, None] * share**2)
        distance = some.cq - (some.last_cycle - (some.points - 1) / 2)
        error = window_crossing_standard_error(
            above, noise_sd, noise.autocorrelation[rows], distance, window.mean_efficiency, efficiency_se
        )
        parts.append(np.where(np.isfinite(some.cq), error, np.nan))
    return np.concatenate(parts)


def window_crossing_standard_error(
    above: Array, noise_sd: Array, autocorrelation: Array, distance: Array, efficiency: float, efficiency_se: float
) -> Array:
    """(n,) standard error of a Cq by the window of linearity, cycles.

    Parameters
    ----------
    above : (n, k) readings of each curve's window above the baseline that straightens it, a.u., left-aligned, NaN
        behind the window.
    noise_sd : (n, k) of the readings, a.u.
    autocorrelation : (n,) ρ of `ReadingNoise`; what is NaN counts as 0.
    distance : (n,) cycles from the window's middle to the Cq.
    efficiency, efficiency_se : mean of the target, fold per cycle, and its standard error.

    Notes
    -----
    Cq = middle + (ln T - L) / ln E with L the mean of the p values ln(y_t - B). The baseline B makes the halves equally
    steep, Σ w_t ln(y_t - B) = 0 with w the slope of the upper less that of the lower half, so ∂B/∂y_t = w_t/(y_t - B) /
    Σ w/(y - B), and it moves every term of L. The error of E is multiplied by distance / ln E. The
    derivatives are those of the line with the mean efficiency: single readings near the baseline would make them wild.
    """
    used = np.isfinite(above)
    points = used.sum(axis=1)
    growth, offset = np.log(efficiency), np.arange(above.shape[1]) - (points[:, None] - 1) / 2
    level = np.log(np.where(used, above, 1.0)).sum(axis=1) / np.maximum(points, 1)
    inverse = np.where(used, np.exp(-level[:, None] - growth * offset), 0.0)
    bend = _half_slope_weights(used, points, upper=True) - _half_slope_weights(used, points, upper=False)
    pull = bend * inverse
    with np.errstate(invalid="ignore", divide="ignore"):
        of_baseline = pull / pull.sum(axis=1, keepdims=True)
        mean_inverse = inverse.sum(axis=1, keepdims=True) / points[:, None]
        influence = inverse / points[:, None] - mean_inverse * of_baseline
    weighted = np.where(used, influence * np.where(used, noise_sd, 0.0), 0.0) / growth
    trailing = trailing_sum(weighted, np.nan_to_num(autocorrelation))
    readings = 2 * row_dot(weighted, trailing) - row_dot(weighted, weighted)
    error: Array = np.sqrt(readings + (distance * efficiency_se / (efficiency * growth)) ** 2)
    return np.where(points > 0, error, np.nan)


def _half_slope_weights(used: Mask, points: NDArray[np.intp], *, upper: bool) -> Array:
    """(n, k) weights of the slope over half a window; the middle of an odd one belongs to both halves."""
    offset = np.arange(used.shape[1])
    half = used & (offset >= points[:, None] // 2 if upper else offset < (points[:, None] + 1) // 2)
    counted = np.maximum(half.sum(axis=1), 1)
    distance = np.where(half, offset - ((half * offset).sum(axis=1) / counted)[:, None], 0.0)
    weights: Array = distance / np.maximum((distance**2).sum(axis=1), 0.5)[:, None]
    return weights
