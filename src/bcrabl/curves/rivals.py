"""What explains a curve that is no amplification: a straight line, a parabola, a ramp between two levels.

A sigmoid that does not beat these shows no exponential phase. Every figure is a curve's own.

Symbols: n curves, m cycles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["polynomial_rss", "ramp_rss"]

_KNOT_STEPS = (2.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25)  # cycles
_SHORTEST_RAMP = 1.0  # cycles; a step between two readings


def polynomial_rss(cycles: Array, fluorescence: Array, present: Mask) -> tuple[Array, Array]:
    """(n,) residual sums of squares of the best line and of the best parabola.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u.
    present : (n, m) which readings count.

    Notes
    -----
    Gram–Schmidt on the cycles each curve has.
    """
    weights = present.astype(np.float64)
    low = np.where(present, fluorescence, np.inf).min(axis=1, initial=np.inf)
    residual = np.where(present, fluorescence - np.where(np.isfinite(low), low, 0.0)[:, None], 0.0)
    middle = (cycles - cycles.mean()) / max(float(np.ptp(cycles)), 1.0)
    basis: list[Array] = []
    sums: list[Array] = []
    for power in range(3):
        column = weights * middle**power
        for earlier in basis:
            column = column - (column * earlier).sum(axis=1, keepdims=True) * earlier
        norm = np.sqrt((column**2).sum(axis=1, keepdims=True))
        column = np.where(norm > 0, column / np.where(norm > 0, norm, 1.0), 0.0)
        residual = residual - (residual * column).sum(axis=1, keepdims=True) * column
        basis.append(column)
        sums.append((residual**2).sum(axis=1))
    return sums[1], sums[2]


def ramp_rss(cycles: Array, fluorescence: Array, present: Mask, begin: Array, end: Array) -> Array:
    """(n,) residual sum of squares of the best ramp: level, straight rise, level; a step and a hinge are ramps too.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u.
    present : (n, m) which readings count.
    begin, end : (n,) cycles to start the search from: where the tangent of the steepest rise leaves the baseline and
        meets the plateau.

    Notes
    -----
    Both levels are linear in the signal and profiled out; the two knots are found by a pattern search with steps from
    2 to 1/4 cycle (Hooke & Jeeves 1961, J ACM 8:212), which needs no derivative where there is none.
    """
    weights = present.astype(np.float64)
    count = np.maximum(weights.sum(axis=1), 1.0)
    filled = np.where(present, fluorescence, 0.0)
    centred = np.where(present, fluorescence - (filled.sum(axis=1) / count)[:, None], 0.0)
    first, last = cycles[0], cycles[-1]
    start = np.clip(np.where(np.isfinite(begin), begin, first), first, last - _SHORTEST_RAMP)
    stop = np.clip(np.where(np.isfinite(end), end, last), start + _SHORTEST_RAMP, last)
    best = _explained(cycles, centred, weights, count, start, stop)
    for step in _KNOT_STEPS:
        centre, width = start, stop
        for left, right in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, 1), (1, -1), (1, 1), (-1, -1)):
            knot = np.clip(centre + left * step, first, last - _SHORTEST_RAMP)
            other = np.clip(width + right * step, knot + _SHORTEST_RAMP, last)
            explained = _explained(cycles, centred, weights, count, knot, other)
            better = explained > best
            best = np.where(better, explained, best)
            start, stop = np.where(better, knot, start), np.where(better, other, stop)
    rss: Array = np.maximum((centred**2).sum(axis=1) - best, 0.0)
    return rss


def _explained(cycles: Array, centred: Array, weights: Array, count: Array, start: Array, stop: Array) -> Array:
    """(n,) sum of squares that a ramp with these knots explains."""
    ramp = np.clip((cycles - start[:, None]) / (stop - start)[:, None], 0.0, 1.0) * weights
    power = (ramp**2).sum(axis=1) - ramp.sum(axis=1) ** 2 / count
    match = (ramp * centred).sum(axis=1)
    return np.where(power > 0, match**2 / np.where(power > 0, power, 1.0), 0.0)
