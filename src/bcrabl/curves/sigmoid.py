"""Five-parameter sigmoid (Richards) fits of all curves of a plate at once.

Symbols: n curves, m cycles; x cycle, F signal.

    F(x) = c + d · (1 + exp(-s (x - e)))^(-f)

c baseline and d plateau rise (a.u.), s slope (1/cycle), e (cycles), f asymmetry (Spiess, Feig, Ritz 2008, BMC
Bioinformatics 9:221, the five-parameter logistic). Inside, the shape is written with the cycle x0 = e + ln(f)/s of the
steepest rise and q = 1/f, which stays regular when f grows (q → 0 is the Gompertz curve):

    g(x) = (1 + q·exp(-s (x - x0)))^(-1/q)

c and d enter linearly and are profiled out (variable projection: Golub & Pereyra 1973; Jacobian after Kaufman 1975),
so that Levenberg–Marquardt moves only (ln s, x0, q). Every operation works row by row: a curve gives the same bits
alone and among ten thousand others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["SigmoidFit", "fit_sigmoid"]

_SLOPES = (0.15, 0.25, 0.4, 0.6, 0.9, 1.4)  # 1/cycle: from creeping to near-doubling rises
_ASYMMETRIES = (0.3, 1.0, 2.5)
_LOG_SLOPE_RANGE = (np.log(0.02), np.log(12.0))
_ASYMMETRY_RANGE = (0.02, 5.0)  # below, the curve is a Gompertz curve to plotting accuracy
_CYCLES_BEYOND = 8.0  # how far outside the observed cycles the steepest rise may be placed
_LARGEST_EXPONENT = 60.0
_MOST_ITERATIONS = 100
_TOLERANCE = 1e-10  # relative change of the residual sum of squares
_LARGEST_DAMPING = 1e12
_LARGEST_STEP = np.array((1.0, 5.0, 1.0))  # (ln s, cycles, q): keeps the first steps inside the basin
_RIDGE = 1e-14  # lets a parameter without influence stand still instead of dividing by zero


@dataclass(frozen=True)
class SigmoidFit:
    """What the fit of n curves gave.

    Parameters
    ----------
    baseline, rise : (n,) c and d, a.u.
    slope : (n,) s, 1/cycle.
    steepest : (n,) x0, cycle of the steepest rise.
    asymmetry : (n,) f.
    rss : (n,) residual sum of squares, a.u.².
    converged : (n,) False where the fit stopped for want of iterations or had nothing to fit (all NaN then).
    """

    baseline: Array
    rise: Array
    slope: Array
    steepest: Array
    asymmetry: Array
    rss: Array
    converged: Mask

    @property
    def parameters(self) -> Array:
        """(n, 5) array (c, d, s, e, f) of the formula above."""
        e = self.steepest - np.log(self.asymmetry) / self.slope
        return np.column_stack([self.baseline, self.rise, self.slope, e, self.asymmetry])

    def above_baseline(self, cycles: Array) -> Array:
        """(n, k) fitted signal above the baseline c at cycles of shape (k,) or (n, k)."""
        shape = _Shape(np.log(self.slope), self.steepest, 1.0 / self.asymmetry)
        return self.rise[:, None] * _sigmoid(np.atleast_2d(cycles), shape).value

    def second_derivative_maximum(self) -> Array:
        """(n,) cycle at which the fitted curve's acceleration is largest."""
        f = self.asymmetry
        u = ((3 * f + 1) + np.sqrt((5 * f + 1) * (f + 1))) / (2 * f**2)
        return self.steepest - np.log(f * u) / self.slope

    def cy0(self) -> Array:
        """(n,) cycle at which the tangent of the steepest rise meets the baseline (Guescini 2008, BMC Bioinf 9:326)."""
        return self.steepest - (1 + 1 / self.asymmetry) / self.slope


class _Shape(NamedTuple):
    log_slope: Array
    steepest: Array
    asymmetry_inverse: Array


class _Sigmoid(NamedTuple):
    value: Array
    d_log_slope: Array
    d_steepest: Array
    d_asymmetry_inverse: Array


def _sigmoid(cycles: Array, shape: _Shape) -> _Sigmoid:
    """The sigmoid g and its derivatives, each (n, m)."""
    s = np.exp(shape.log_slope)[:, None]
    q = shape.asymmetry_inverse[:, None]
    distance = cycles - shape.steepest[:, None]
    u = np.exp(np.clip(-s * distance, -_LARGEST_EXPONENT, _LARGEST_EXPONENT))
    t = q * u
    log_term = np.log1p(t)
    value = np.exp(-log_term / q)
    steep = value * s * u / (1 + t)
    small = t < 1e-3
    safe = np.where(small, 1.0, t)
    curvature = np.where(small, 0.5 - t * (2 / 3 - 0.75 * t), (log_term - t / (1 + t)) / safe**2)
    return _Sigmoid(value, steep * distance, -steep, value * u**2 * curvature)


class _Curves(NamedTuple):
    """Curves scaled to unit range and centred, zero where a cycle is missing."""

    cycles: Array
    present: Array
    readings: Array
    centred: Array

    def rows(self, index: NDArray[np.intp]) -> _Curves:
        return _Curves(self.cycles, self.present[index], self.readings[index], self.centred[index])


class _Projection(NamedTuple):
    """The profiled fit at one shape: amplitude, residuals, and what the Jacobian needs."""

    amplitude: Array
    mean_shape: Array
    residuals: Array
    rss: Array
    jacobian: tuple[Array, Array, Array]


def fit_sigmoid(cycles: Array, fluorescence: Array) -> SigmoidFit:
    """Fit the five-parameter sigmoid to every curve by least squares.

    Parameters
    ----------
    cycles : (m,) array of cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.

    Returns
    -------
    SigmoidFit with arrays of length n; NaN for a curve without range or with fewer than six cycles.
    """
    curves, low, scale, fittable = _prepared(cycles, fluorescence)
    shape = _start(curves)
    shape, projection, converged = _levenberg_marquardt(curves, shape)
    mean = _row_sum(np.where(curves.present > 0, (fluorescence - low[:, None]) / scale[:, None], 0.0)) / curves.readings
    baseline = mean - projection.amplitude * projection.mean_shape
    blank = np.where(fittable, 1.0, np.nan)
    return SigmoidFit(
        baseline=(low + scale * baseline) * blank,
        rise=scale * projection.amplitude * blank,
        slope=np.exp(shape.log_slope) * blank,
        steepest=shape.steepest * blank,
        asymmetry=1.0 / shape.asymmetry_inverse * blank,
        rss=projection.rss * scale**2 * blank,
        converged=converged & fittable,
    )


def _prepared(cycles: Array, fluorescence: Array) -> tuple[_Curves, Array, Array, Mask]:
    present = np.isfinite(fluorescence)
    count = present.sum(axis=1)
    low = np.where(present, fluorescence, np.inf).min(axis=1, initial=np.inf)
    high = np.where(present, fluorescence, -np.inf).max(axis=1, initial=-np.inf)
    fittable = (count >= 6) & (high > low)
    low, scale = np.where(fittable, low, 0.0), np.where(fittable, high - low, 1.0)
    weights = present.astype(np.float64)
    counted = np.maximum(count, 1).astype(np.float64)
    scaled = np.where(present, (fluorescence - low[:, None]) / scale[:, None], 0.0)
    centred = (scaled - (_row_sum(scaled) / counted)[:, None]) * weights
    return _Curves(np.asarray(cycles, dtype=np.float64), weights, counted, centred), low, scale, fittable


def _row_sum(values: Array) -> Array:
    """Sum of every row; C order keeps each row's pairwise sum the same whatever the other rows."""
    total: Array = np.ascontiguousarray(values).sum(axis=1)
    return total


def _start(curves: _Curves) -> _Shape:
    """The best shape of a grid for every curve."""
    cycles = curves.cycles
    steepest = np.arange(cycles[0] + 1, cycles[-1] + _CYCLES_BEYOND / 2)
    slopes, positions, inverses = (
        axis.ravel() for axis in np.meshgrid(np.log(_SLOPES), steepest, 1 / np.array(_ASYMMETRIES), indexing="ij")
    )
    shapes = _sigmoid(cycles[None, :], _Shape(slopes, positions, inverses)).value
    shapes -= shapes.mean(axis=1, keepdims=True)
    shapes /= np.sqrt(_row_sum(shapes**2))[:, None]
    # einsum without BLAS: the winner of a near tie must not hang on how many curves share the call
    match = np.einsum("nm,km->nk", curves.centred, shapes, optimize=False)
    best = match.argmax(axis=1)
    return _Shape(slopes[best], positions[best], inverses[best])


def _project(curves: _Curves, shape: _Shape) -> _Projection:
    """Best amplitude for a shape, its residuals, and the residuals' Jacobian in the shape parameters."""
    sigmoid = _sigmoid(curves.cycles[None, :], shape)
    mean_shape = _row_sum(sigmoid.value * curves.present) / curves.readings
    centred_shape = (sigmoid.value - mean_shape[:, None]) * curves.present
    power = np.maximum(_row_sum(centred_shape**2), 1e-300)
    amplitude = _row_sum(centred_shape * curves.centred) / power
    residuals = curves.centred - amplitude[:, None] * centred_shape
    columns = []
    for derivative in sigmoid[1:]:
        column = (derivative - (_row_sum(derivative * curves.present) / curves.readings)[:, None]) * curves.present
        column = column - (_row_sum(column * centred_shape) / power)[:, None] * centred_shape
        columns.append(-amplitude[:, None] * column)
    return _Projection(amplitude, mean_shape, residuals, _row_sum(residuals**2), (columns[0], columns[1], columns[2]))


def _levenberg_marquardt(curves: _Curves, shape: _Shape) -> tuple[_Shape, _Projection, Mask]:
    """Move every curve's shape to its least squares; rows that have converged rest."""
    n = len(curves.readings)
    theta = np.column_stack(shape)
    state = _project(curves, shape)
    damping, converged = np.full(n, 1e-3), state.rss <= 1e-24
    for _ in range(_MOST_ITERATIONS):
        moving = np.flatnonzero(~converged)
        if not moving.size:
            break
        part, here = curves.rows(moving), _rows(state, moving)
        proposal = _proposal(theta[moving], here, damping[moving], curves.cycles)
        there = _project(part, _Shape(*proposal.T))
        better = there.rss <= here.rss
        gain = here.rss - there.rss
        theta[moving[better]] = proposal[better]
        _overwrite(state, moving[better], _rows(there, np.flatnonzero(better)))
        damping[moving] = np.where(better, damping[moving] * 0.2, damping[moving] * 6)
        settled = (better & (gain <= _TOLERANCE * here.rss)) | (damping[moving] > _LARGEST_DAMPING)
        converged[moving[settled]] = True
    return _Shape(*theta.T), state, converged


def _proposal(theta: Array, projection: _Projection, damping: Array, cycles: Array) -> Array:
    """(n, 3) next shape, inside its bounds; a parameter held by its bound leaves the step to the others."""
    lowest = np.array((_LOG_SLOPE_RANGE[0], cycles[0] - _CYCLES_BEYOND, _ASYMMETRY_RANGE[0]))
    highest = np.array((_LOG_SLOPE_RANGE[1], cycles[-1] + _CYCLES_BEYOND, _ASYMMETRY_RANGE[1]))
    step = _step(projection, damping, np.ones(theta.shape))
    held = ((theta <= lowest) & (step < 0)) | ((theta >= highest) & (step > 0))
    if held.any():
        step = _step(projection, damping, np.where(held, 0.0, 1.0))
    return np.clip(theta + step, lowest, highest)


def _step(projection: _Projection, damping: Array, free: Array) -> Array:
    """(n, 3) Levenberg–Marquardt step by the closed inverse of a symmetric 3 × 3 matrix (Marquardt 1963)."""
    j = [column * free[:, k : k + 1] for k, column in enumerate(projection.jacobian)]
    gradient = [_row_sum(column * projection.residuals) for column in j]
    a, b, c = (_row_sum(j[0] * column) for column in j)
    d, e, f = _row_sum(j[1] * j[1]), _row_sum(j[1] * j[2]), _row_sum(j[2] * j[2])
    a, d, f = ((1 + damping) * diagonal + _RIDGE for diagonal in (a, d, f))
    determinant = a * (d * f - e * e) - b * (b * f - c * e) + c * (b * e - c * d)
    determinant = np.where(determinant > 0, determinant, np.inf)
    i00, i01, i02 = d * f - e * e, c * e - b * f, b * e - c * d
    i11, i12, i22 = a * f - c * c, b * c - a * e, a * d - b * b
    step = np.column_stack(
        [
            i00 * gradient[0] + i01 * gradient[1] + i02 * gradient[2],
            i01 * gradient[0] + i11 * gradient[1] + i12 * gradient[2],
            i02 * gradient[0] + i12 * gradient[1] + i22 * gradient[2],
        ]
    )
    return np.clip(-step / determinant[:, None], -_LARGEST_STEP, _LARGEST_STEP)


def _rows(projection: _Projection, index: NDArray[np.intp]) -> _Projection:
    amplitude, mean_shape, residuals, rss, jacobian = projection
    return _Projection(
        amplitude[index],
        mean_shape[index],
        residuals[index],
        rss[index],
        (jacobian[0][index], jacobian[1][index], jacobian[2][index]),
    )


def _overwrite(state: _Projection, index: NDArray[np.intp], rows: _Projection) -> None:
    for target, source in zip((*state[:4], *state.jacobian), (*rows[:4], *rows.jacobian), strict=True):
        target[index] = source
