"""Cq at a threshold, and the automatic threshold.

Symbols: n curves, m cycles; signal above the baseline (n, m), a.u.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.curves.sigmoid import SigmoidFit

    Array = NDArray[np.float64]

__all__ = ["automatic_threshold", "threshold_crossing"]

_NOISE_MULTIPLE = 10.0
_PLATEAU_SHARES = (0.05, 0.20)
_MOST_LATE = 0.5  # cycles


def threshold_crossing(
    cycles: Array, above: Array, threshold: Array, fit: SigmoidFit | None = None
) -> tuple[Array, Array]:
    """Cycle at which each curve crosses its threshold for good, and what an error of the readings does to it.

    The crossing is the last one upwards: what lies before it fell back below the threshold (spikes, drift) and is no
    amplification. Between the two readings around it the signal is taken to grow exponentially; linearly where the
    lower reading is not positive. Growth slows down, so that the chord of two readings lies a hundredth of a cycle
    late; with a fit the crossing is drawn back by as much as the chord of the fitted curve is late on that curve.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    above : (n, m) signal above the baseline, a.u., NaN where a cycle is missing.
    threshold : (n,) a.u.
    fit : sigmoid fits of the n curves; None to take the chord as it is.

    Returns
    -------
    crossing : (n,) cycles; NaN where the curve does not end above its threshold or never was below it.
    sensitivity : (n, 2) cycles/a.u. by which the crossing comes earlier as the reading before and the one after it
        rise. With a fit, from the growth of the fitted curve: that of two noisy readings understates the error where
        it happens to be steep.
    """
    columns = np.arange(len(cycles))
    present = np.isfinite(above)
    over = present & (np.where(present, above, -np.inf) >= threshold[:, None])
    under = present & ~over
    lower = np.where(under, columns, -1).max(axis=1)
    upper = np.where(over & (columns > lower[:, None]), columns, len(cycles)).min(axis=1)
    crosses = (lower >= 0) & (upper < len(cycles))
    low, high = np.where(crosses, lower, 0), np.where(crosses, upper, 0)
    row = np.arange(len(above))
    y0, y1 = above[row, low], above[row, high]
    x0, x1 = cycles[low], cycles[high]
    exponential = crosses & (y0 > 0)
    start, stop, level = (np.where(exponential, np.log(np.where(y > 0, y, 1.0)), y) for y in (y0, y1, threshold))
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(crosses, (stop - start) / (x1 - x0), np.nan)
        crossing = x0 + (level - start) / step
        share = (crossing - x0) / (x1 - x0)
        scale = np.where(exponential, np.column_stack([y0, y1]).T, 1.0) * step
        sensitivity = np.column_stack([(1 - share) / scale[0], share / scale[1]])
    if fit is None:
        return crossing, sensitivity
    late, growth = _chord_of_the_fit(fit, x0, x1, threshold)
    known = np.isfinite(late) & crosses
    with np.errstate(over="ignore", invalid="ignore"):
        expected = threshold * np.exp(growth * np.array([x0 - crossing, x1 - crossing])) * growth
        smooth = np.column_stack([(1 - share) / expected[0], share / expected[1]])
    return np.where(known, crossing - late, crossing), np.where(known[:, None], smooth, sensitivity)


def _chord_of_the_fit(fit: SigmoidFit, x0: Array, x1: Array, threshold: Array) -> tuple[Array, Array]:
    """How late the exponential chord over (x0, x1) crosses on the fitted curve, cycles, and its growth, 1/cycle."""
    signal = fit.above_baseline(np.column_stack([x0, x1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        logarithm = np.log(signal)
        growth = (logarithm[:, 1] - logarithm[:, 0]) / (x1 - x0)
        late = x0 + (np.log(threshold) - logarithm[:, 0]) / growth - fit.relative_crossing(threshold / fit.rise)
    # a curve that hardly grows there tells nothing about the readings
    told = (np.abs(late) < _MOST_LATE) & (growth > 0)
    return np.where(told, late, np.nan), np.where(told, growth, np.nan)


def automatic_threshold(noise_sd: Array, plateau: Array, amplified: NDArray[np.bool_]) -> float:
    """One threshold for the curves of a target: ten noise SDs, kept between 5 % and 20 % of the plateau.

    Medians over the curves that amplify; the ten-SD rule is the one instrument software uses (ABI 7900HT user guide),
    the bounds keep the threshold inside the exponential phase when the noise is very small or large.

    Parameters
    ----------
    noise_sd, plateau : (n,) a.u.
    amplified : (n,) which curves count.

    Returns
    -------
    The threshold on the baseline-corrected signal, a.u.; NaN where no curve amplifies.
    """
    if not amplified.any():
        return float("nan")
    height = float(np.median(plateau[amplified]))
    low, high = (share * height for share in _PLATEAU_SHARES)
    return float(np.clip(_NOISE_MULTIPLE * np.median(noise_sd[amplified]), low, high))
