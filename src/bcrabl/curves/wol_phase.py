"""Where in a raw curve the exponential phase lies: gaps filled, its first cycle, and TD0, where it ends.

Symbols: n curves, m cycles. TD0 is the cycle at which the third derivative of the raw signal last falls through zero
before the steepest rise: a second derivative maximum that needs neither a baseline nor a model (Untergasser, Gunst,
Benes, van den Hoff 2026, Int J Mol Sci, doi:10.3390/ijms27062717). Derivatives are differences of neighbouring
readings, the second one a mean of three, which puts TD0 of a logistic curve that grows 1.9-fold 0.3 to 0.45 cycles
before the closed-form maximum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Whole = NDArray[np.int64]
    Mask = NDArray[np.bool_]

__all__ = ["LEAST_READINGS", "Phase", "exponential_phase", "fill_gaps"]

LEAST_READINGS = 8  # fewer give no two third differences inside the curve
_FIRST_POSITION = 3  # the first two readings settle optics and temperature
_LONGEST_CUBIC_GAP = 4  # cycles; simulated rises lose 0.05–0.5 cycles of Cq across them, a straight line 0.1–2


class Phase(NamedTuple):
    """Exponential phase of n curves; positions count readings from 1.

    Parameters
    ----------
    begin : (n,) position from which the signal rises with every reading up to the end.
    td0 : (n,) position of TD0, fractional; NaN where the third derivative does not fall through zero.
    """

    begin: Whole
    td0: Array


def fill_gaps(fluorescence: Array) -> Array:
    """Signal with a value at every cycle.

    A gap of up to four cycles takes the cubic through the two readings on either side, a longer one or one with
    fewer readings beside it a straight line (which the published method uses throughout: in the middle of a doubling
    it lies a quarter too high), a missing end its nearest reading.

    Parameters
    ----------
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing; rows without any reading stay as they are.

    Returns
    -------
    (n, m) array, a.u.
    """
    present = np.isfinite(fluorescence)
    count = present.sum(axis=1)
    rows, columns = np.nonzero(~present & (count > 0)[:, None])
    if not rows.size:
        return fluorescence
    packed = np.argsort(~present, axis=1, kind="stable")  # the columns of a row's readings, in order, come first
    before, total = np.cumsum(present, axis=1)[rows, columns], count[rows]
    neighbours = np.clip(before[:, None] + np.arange(-2, 2), 0, total[:, None] - 1)
    nodes = packed[rows[:, None], neighbours]
    values = fluorescence[rows[:, None], nodes]
    short = nodes[:, 2] - nodes[:, 1] <= _LONGEST_CUBIC_GAP + 1
    cubic = (before >= 2) & (before <= total - 2) & short
    inside = (before >= 1) & (before < total)
    filled = np.where(inside, _through(columns, nodes[:, 1:3], values[:, 1:3], inside), values[:, 1])
    filled = np.where(before == 0, values[:, 2], filled)
    complete: Array = fluorescence.copy()
    complete[rows, columns] = np.where(cubic, _through(columns, nodes, values, cubic), filled)
    return complete


def _through(column: Whole, nodes: Whole, values: Array, defined: Mask) -> Array:
    """(g,) value at one column per gap of the polynomial through its nodes (Lagrange); 0 where not defined."""
    total = np.zeros(len(column))
    for i in range(nodes.shape[1]):
        weight = np.ones(len(column))
        for j in range(nodes.shape[1]):
            if j != i:
                apart = np.where(defined, nodes[:, i] - nodes[:, j], 1)
                weight *= (column - nodes[:, j]) / apart
        total += weight * values[:, i]
    return np.where(defined, total, 0.0)


def exponential_phase(signal: Array) -> Phase:
    """Find the exponential phase of every curve.

    Parameters
    ----------
    signal : (n, m) array, a.u., without gaps, m at least `LEAST_READINGS`.
    """
    n, m = signal.shape
    row, position = np.arange(n), np.arange(1, m + 1)
    acceleration = np.full((n, m), np.nan)
    second = np.diff(signal, 2, axis=1)
    acceleration[:, 2:-2] = (second[:, :-2] + second[:, 1:-1] + second[:, 2:]) / 3
    peak = _acceleration_peak(signal, acceleration, position)
    rises = np.zeros((n, m + 1), dtype=bool)  # column k: the reading at position k + 1 is above the one before
    rises[:, 1:m] = signal[:, :-1] < signal[:, 1:]
    begin = np.where(~rises[:, :m] & (position <= peak[:, None]), position, _FIRST_POSITION).max(axis=1)
    begin = np.maximum(begin, _FIRST_POSITION)
    end = peak + rises[row, peak]  # one reading more where the signal still rises
    return Phase(begin, _third_derivative_zero(acceleration, begin, end))


def _acceleration_peak(signal: Array, acceleration: Array, position: Whole) -> Whole:
    """(n,) position of the largest positive acceleration before the steepest rise; m where there is none."""
    n, m = signal.shape
    row = np.arange(n)
    steepest = np.diff(signal, axis=1).argmax(axis=1) + 1
    ahead = np.minimum(steepest, m - 2)
    climbing = (signal[row, ahead + 1] > signal[row, ahead]) & (signal[row, ahead] > signal[row, ahead - 1])
    bound = np.where(steepest > m - 2, m, steepest + 2 * climbing)
    with np.errstate(invalid="ignore"):
        candidate = (acceleration > 0) & (position < bound[:, None])
    peak = np.where(candidate, acceleration, -np.inf).argmax(axis=1) + 1
    found: Whole = np.where(candidate.any(axis=1) & (peak + 2 < m), peak, m)
    return found


def _third_derivative_zero(acceleration: Array, begin: Whole, end: Whole) -> Array:
    """(n,) position at which the third derivative falls through zero for the last time between begin and end."""
    n, m = acceleration.shape
    row, column = np.arange(n), np.arange(m - 2)
    third = np.diff(acceleration, axis=1)  # column k lies half-way between the positions k + 1 and k + 2
    latest = np.minimum(m - 1, end - 1)
    with np.errstate(invalid="ignore"):
        falls = (third[:, :-1] >= 0) & (third[:, 1:] < 0)
    falls &= (column >= begin[:, None]) & (column < latest[:, None])
    k = np.where(falls, column, 0).max(axis=1)
    above, below = third[row, k], third[row, k + 1]
    found = falls.any(axis=1)
    share = np.where(found, above, 0.0) / np.where(found, above - below, 1.0)
    zero: Array = np.where(found, k + 1.5 + share, np.nan)
    return zero
