"""Least squares of the sigmoid on many curves at once: start from a grid, Levenberg–Marquardt, covariance.

Symbols: n curves, m cycles, z abscissa. Baseline c and rise d enter linearly and are profiled out (variable projection:
Golub & Pereyra 1973, SIAM J Numer Anal 10:413; Hessian after Kaufman 1975, BIT 15:49), so that Levenberg–Marquardt
(Marquardt 1963, J SIAM 11:431) moves only (ln s, z0, q). Every operation works row by row: a curve gives the same bits
alone and among ten thousand others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.curves.sigmoid_shape import Axis, row_dot, unit_sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["Curves", "Point", "best_of_grid", "covariance", "project", "solve"]

_TOLERANCE = 1e-10  # relative change of the residual sum of squares
_NOTHING_LEFT = 1e-24  # residual sum of squares of a curve of range one that is its own sigmoid
_FIRST_DAMPING = 1e-3
_DAMPING_OF_A_STEP = 1.0  # a tiny gain says that the fit has settled only if the step was not a crawl
_QUIET_STEPS, _QUIET_TOLERANCE = 8, 1e-7  # so many small gains running: a crawl on flat ground, as in noise
_LARGEST_DAMPING = 1e12
_RIDGE = 1e-14  # lets a parameter without influence stand still instead of dividing by zero
_GRAIN = 2.0**20
_SCORED_AT_ONCE = 48  # curves; their scores stay in the cache
_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


class Curves(NamedTuple):
    """Curves scaled to unit range; weights at most one, zero where a cycle is missing.

    Parameters
    ----------
    signal : (n, m) scaled signal less its weighted mean, zero where the weight is.
    weights : (n, m).
    total : (n,) sums of the weights.
    """

    signal: Array
    weights: Array
    total: Array

    def rows(self, index: NDArray[np.intp] | Mask) -> Curves:
        """The curves of some rows."""
        return Curves(self.signal[index], self.weights[index], self.total[index])


class Point(NamedTuple):
    """The profiled fit of n curves at one shape each, as columns of one table so that rows move in one stroke."""

    table: Array

    @property
    def amplitude(self) -> Array:
        """(n,) rise d."""
        return self.table[:, 0]

    @property
    def mean_shape(self) -> Array:
        """(n,) weighted mean of the unit sigmoid."""
        return self.table[:, 1]

    @property
    def power(self) -> Array:
        """(n,) weighted sum of squares of the unit sigmoid about its mean."""
        return self.table[:, 2]

    @property
    def rss(self) -> Array:
        """(n,) weighted residual sum of squares."""
        return self.table[:, 3]

    @property
    def gradient(self) -> Array:
        """(n, 3) half the derivative of the residual sum of squares in the shape."""
        return self.table[:, 4:7]

    @property
    def hessian(self) -> Array:
        """(n, 6) J'WJ of the profiled residuals, upper triangle by rows."""
        return self.table[:, 7:13]

    @property
    def mean_slopes(self) -> Array:
        """(n, 3) how the fitted mean moves with the shape."""
        return self.table[:, 13:16]

    @property
    def rise_slopes(self) -> Array:
        """(n, 3) how much rise the shape's move amounts to."""
        return self.table[:, 16:19]


def best_of_grid(curves: Curves, axis: Axis, groups: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The grid's best shapes for each curve: (n, groups) rows of the grid for a rise, and the same for a fall.

    The grid is split into groups of equal size. Signals and shapes are rounded to 2^-20, so that the matrix products
    are exact sums of whole numbers: the winner of a near tie cannot hang on how a product is split up.
    """
    shapes = unit_sigmoid(axis.values, axis.grid)[0]
    centred = shapes - shapes.mean(axis=1, keepdims=True)
    centred /= np.sqrt(np.maximum(row_dot(centred, centred), 1e-300))[:, None]
    even_grid, uneven_grid = _grains(centred).T, (_grains(shapes).T, _grains(shapes**2).T)
    uneven = (curves.weights != 1).any(axis=1)
    rising, falling = np.empty((2, len(uneven), groups), dtype=np.intp)
    offset = len(shapes) // groups * np.arange(groups)
    for of_kind, rows in ((False, np.flatnonzero(~uneven)), (True, np.flatnonzero(uneven))):
        for begin in range(0, len(rows), _SCORED_AT_ONCE):
            some = rows[begin : begin + _SCORED_AT_ONCE]
            part = curves.rows(some)
            scores = _uneven_scores(part, *uneven_grid) if of_kind else _grains(part.signal) @ even_grid
            scores = scores.reshape(len(some), groups, -1)
            rising[some], falling[some] = scores.argmax(axis=2) + offset, scores.argmin(axis=2) + offset
    return rising, falling


def _uneven_scores(curves: Curves, shapes: Array, squares: Array) -> Array:
    """(n, k) square root of what each shape explains, with its sign, where a curve has its own weights."""
    weights = _grains(curves.weights)
    whole = weights.sum(axis=1, keepdims=True)
    power = weights @ squares * _GRAIN - (weights @ shapes) ** 2 / whole
    scores: Array = _grains(curves.signal * curves.weights) @ shapes / np.sqrt(np.maximum(power, _GRAIN))
    return scores


def _grains(values: Array) -> Array:
    rounded: Array = np.rint(values * _GRAIN)
    return rounded


def project(curves: Curves, abscissa: Array, shape: Array) -> Point:
    """Best amplitude for a shape, and what a step from there needs."""
    value, *derivatives = unit_sigmoid(abscissa, shape)
    mean_shape = row_dot(value, curves.weights) / curves.total
    value -= mean_shape[:, None]
    weighted = value * curves.weights
    power = np.maximum(row_dot(value, weighted), 1e-300)
    amplitude = row_dot(curves.signal, weighted) / power
    residuals = np.subtract(curves.signal, np.multiply(value, amplitude[:, None], out=value), out=value)
    pull = residuals * curves.weights
    table = np.empty((len(shape), 19))
    table[:, 0], table[:, 1], table[:, 2], table[:, 3] = amplitude, mean_shape, power, row_dot(residuals, pull)
    means = [row_dot(column, curves.weights) for column in derivatives]
    rises = [row_dot(column, weighted) for column in derivatives]
    for k, column in enumerate(derivatives):
        table[:, 4 + k] = -amplitude * row_dot(column, pull)
        table[:, 13 + k] = amplitude * means[k] / curves.total
        table[:, 16 + k] = amplitude * rises[k] / power
    heavy = [column * curves.weights for column in derivatives]
    for place, (k, other) in enumerate(_PAIRS):
        linear = means[k] * means[other] / curves.total + rises[k] * rises[other] / power
        table[:, 7 + place] = amplitude**2 * (row_dot(heavy[k], derivatives[other]) - linear)
    return Point(table)


def solve(curves: Curves, axis: Axis, start: Array, free: Array, iterations: int) -> tuple[Array, Point, Mask]:
    """Move every curve's shape to its least squares; rows that have settled rest.

    Parameters
    ----------
    curves : n curves.
    axis : abscissa and bounds.
    start : (n, 3) shapes (ln s, z0, q).
    free : (3,) 1 for a parameter that moves, 0 for one that is held.
    iterations : at most so many steps are tried.

    Returns
    -------
    shapes (n, 3), the fit there, and whether each row has settled.
    """
    shape = start.copy()
    table = project(curves, axis.values, shape).table
    damping, quiet = np.full(len(shape), _FIRST_DAMPING), np.zeros(len(shape), dtype=np.intp)
    settled = table[:, 3] <= _NOTHING_LEFT
    moving = np.flatnonzero(~settled)
    part = curves.rows(moving)
    for _ in range(iterations):
        if not moving.size:
            break
        here, strength = table[moving], damping[moving]
        proposal = _proposal(shape[moving], Point(here), strength, axis, free)
        there = project(part, axis.values, proposal).table
        gain = here[:, 3] - there[:, 3]
        better = gain >= 0
        shape[moving[better]] = proposal[better]
        table[moving[better]] = there[better]
        damping[moving] = np.where(better, strength * 0.1, strength * 8)
        # a tiny loss is rounding: the step was as good as none
        still = np.abs(gain) <= _TOLERANCE * here[:, 3]
        quiet[moving] = np.where(np.abs(gain) <= _QUIET_TOLERANCE * here[:, 3], quiet[moving] + 1, 0)
        arrived = (still & (strength <= _DAMPING_OF_A_STEP)) | (quiet[moving] >= _QUIET_STEPS)
        done = arrived | (strength > _LARGEST_DAMPING) | (there[:, 3] <= _NOTHING_LEFT)
        if done.any():
            settled[moving[done]] = True
            moving, part = moving[~done], part.rows(~done)
    return shape, Point(table), settled


def _proposal(shape: Array, point: Point, damping: Array, axis: Axis, free: Array) -> Array:
    """(n, 3) next shape inside its bounds; a parameter held by its bound leaves the step to the others."""
    low, high = shape <= axis.lowest, shape >= axis.highest
    if not (low.any() or high.any()):
        return np.clip(
            shape + _step(point, damping, np.broadcast_to(free, shape.shape), axis), axis.lowest, axis.highest
        )
    # first those that the gradient presses against their bound, then those that the others' moves would carry out
    movable = np.where((low & (point.gradient > 0)) | (high & (point.gradient < 0)), 0.0, free)
    step = _step(point, damping, movable, axis)
    movable = np.where((low & (step < 0)) | (high & (step > 0)), 0.0, movable)
    step = _step(point, damping, movable, axis)
    return np.clip(shape + step, axis.lowest, axis.highest)


def _step(point: Point, damping: Array, free: Array, axis: Axis) -> Array:
    """(n, 3) Levenberg–Marquardt step in parameters scaled to a Hessian of unit diagonal."""
    inverse, unit = _inverse(point.hessian, damping, free)
    gradient = point.gradient * unit
    step = np.column_stack(
        [
            inverse[0] * gradient[:, 0] + inverse[1] * gradient[:, 1] + inverse[2] * gradient[:, 2],
            inverse[1] * gradient[:, 0] + inverse[3] * gradient[:, 1] + inverse[4] * gradient[:, 2],
            inverse[2] * gradient[:, 0] + inverse[4] * gradient[:, 1] + inverse[5] * gradient[:, 2],
        ]
    )
    return np.clip(-step * unit, -axis.largest_step, axis.largest_step)


def _inverse(hessian: Array, damping: Array | float, free: Array) -> tuple[tuple[Array, ...], Array]:
    """Closed inverse (upper triangle) of the damped, scaled 3 × 3 Hessian, and the (n, 3) scales; held ones are 0."""
    diagonal = hessian[:, (0, 3, 5)]
    unit = np.where(diagonal > 0, free, 0.0) / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    b = hessian[:, 1] * unit[:, 0] * unit[:, 1]
    c = hessian[:, 2] * unit[:, 0] * unit[:, 2]
    e = hessian[:, 4] * unit[:, 1] * unit[:, 2]
    a = 1 + damping + _RIDGE
    cofactors = (a * a - e * e, c * e - b * a, b * e - c * a, a * a - c * c, b * c - a * e, a * a - b * b)
    determinant = a * cofactors[0] + b * cofactors[1] + c * cofactors[2]
    determinant = np.where(determinant > 0, determinant, np.inf)
    return tuple(cofactor / determinant for cofactor in cofactors), unit


def covariance(point: Point, total: Array, free: Array) -> Array:
    """(n, 5, 5) covariance of (c, d, ln s, z0, q) per unit residual variance; NaN where the curve cannot tell.

    Parameters
    ----------
    point : the fit at its least squares.
    total : (n,) sums of the weights.
    free : (n, 3) 1 for a parameter that was estimated, 0 for one that was held; the held ones count as known.
    """
    packed, unit = _inverse(point.hessian, 0.0, free)
    first, second = zip(*_PAIRS, strict=True)
    result = np.zeros((len(total), 5, 5))
    for value, row, column in zip(packed, first, second, strict=True):
        entry = value * unit[:, row] * unit[:, column]
        result[:, 2 + row, 2 + column] = result[:, 2 + column, 2 + row] = entry
    told = np.logical_and.reduce((point.hessian[:, (0, 3, 5)] > 0) | (free == 0), axis=1)
    told &= (packed[0] > 0) & (packed[3] > 0) & (packed[5] > 0)
    # the mean of the fit and its rise answer to the shape; c is the mean less the rise times the mean shape
    rise = point.rise_slopes
    baseline = point.mean_slopes - point.mean_shape[:, None] * rise
    for place, slopes in ((0, baseline), (1, rise)):
        cross = -(result[:, 2:, 2:] * slopes[:, None, :]).sum(axis=2)
        result[:, place, 2:] = result[:, 2:, place] = cross
    mean, power = point.mean_shape, point.power
    result[:, 0, 0] = 1 / total + mean**2 / power - (result[:, 0, 2:] * baseline).sum(axis=1)
    result[:, 1, 1] = 1 / power - (result[:, 1, 2:] * rise).sum(axis=1)
    result[:, 0, 1] = result[:, 1, 0] = -mean / power - (result[:, 0, 2:] * rise).sum(axis=1)
    result[np.flatnonzero(~told)] = np.nan
    return result
