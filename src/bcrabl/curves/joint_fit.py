"""Weighted Richards fits with a prior on the shape: the curve model behind `bcrabl.curves.joint`.

Symbols: n curves, m cycles; x cycle, F signal; W weight of a reading (1/variance, 0 where it does not count).

    F(x) = c + d · g(x),   g(x) = (1 + q·exp(-s (x - x0)))^(-1/q)

θ = (ln s, x0, q) minimises Σ W (F - c - d·g)² + (σ - μ)ᵀ P (σ - μ) with σ = (ln s, q): a Gaussian prior with mean μ and
precision P on the shape. c and d are profiled out (Golub & Pereyra 1973, SIAM J Numer Anal 10:413; Jacobian after
Kaufman 1975, BIT 15:49), so that the 3 × 3 matrix JᵀWJ + P is also the exact inverse covariance of θ with c and d free.
Every operation works row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.curves.sigmoid_shape import row_dot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = [
    "ASYMMETRY_RANGE",
    "Prior",
    "Readings",
    "State",
    "covariance",
    "fit_with_prior",
    "linearise",
    "project",
    "read_with",
    "rise_covariance",
]

ASYMMETRY_RANGE = (0.02, 5.0)  # of q; below, the curve is a Gompertz curve to plotting accuracy
_LOG_SLOPE_RANGE = (float(np.log(0.02)), float(np.log(12.0)))
_CYCLES_BEYOND = 8.0  # how far outside the observed cycles the steepest rise may be placed
_LARGEST_STEP = np.array((0.5, 2.0, 0.5))  # of (ln s, x0, q)
_LARGEST_EXPONENT = 60.0
_MOST_ITERATIONS = 60
_DECREMENT = 1e-12  # what the next step could still gain, as a share of the objective: 1e-7 standard errors are left
_ROUNDING = 1e-13
_LARGEST_DAMPING = 1e10
_NO_INFORMATION = 1e-12  # inverse variance: an SD of a million cycles
_RIDGE = 1e-10  # of the unit diagonal: lets a parameter without influence stand still
_ROWS, _COLUMNS = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)  # of a symmetric 3 × 3 matrix kept as six numbers


class _Sigmoid(NamedTuple):
    """g and its derivatives, each (n, m)."""

    value: Array
    d_log_slope: Array
    d_steepest: Array
    d_asymmetry: Array


class Readings(NamedTuple):
    """Curves with weights; `centred` is the signal less its weighted mean, zero where nothing was read."""

    cycles: Array
    weights: Array
    total: Array
    mean: Array
    centred: Array

    def rows(self, index: NDArray[np.intp] | slice) -> Readings:
        """The curves of `index` alone."""
        return Readings(self.cycles, *(part[index] for part in self[1:]))


class Prior(NamedTuple):
    """Mean (n, 2) of (ln s, q) and its precision as (n, 3): (ss, sq, qq)."""

    mean: Array
    precision: Array

    def rows(self, index: NDArray[np.intp] | slice) -> Prior:
        """The priors of `index` alone."""
        return Prior(self.mean[index], self.precision[index])


class State(NamedTuple):
    """The profiled fit at one θ.

    `objective` (n,); `gradient` (n, 3) of half of it, downhill; `normal` (n, 6), JᵀWJ + P as (00, 01, 02, 11, 12, 22);
    `rise` (n,), d; `rise_precision` (n,), its inverse variance at this θ; `rise_slope` (n, 3), its derivative in θ.
    """

    objective: Array
    gradient: Array
    normal: Array
    rise: Array
    rise_precision: Array
    rise_slope: Array


def _unit_sigmoid(cycles: Array, theta: Array) -> _Sigmoid:
    """The sigmoid g and its derivatives at (m,) cycles for (n, 3) θ = (ln s, x0, q)."""
    s, q = np.exp(theta[:, :1]), theta[:, 2:]
    distance = cycles - theta[:, 1:2]
    u = np.exp(np.clip(-s * distance, -_LARGEST_EXPONENT, _LARGEST_EXPONENT))
    t = q * u
    log_term = np.log1p(t)
    share = t / (1 + t)
    value = np.exp(-log_term / q)
    steep = value * (s / q) * share
    small = t < 1e-3  # the difference of two near-equal numbers gives way to its series
    curvature = np.where(small, t * t * (0.5 - t * (2 / 3 - 0.75 * t)), log_term - share)
    return _Sigmoid(value, steep * distance, -steep, value * curvature / q**2)


def read_with(cycles: Array, fluorescence: Array, weights: Array) -> Readings:
    """Bring curves and weights into the form of the fit; both (n, m), weights zero where the signal is NaN."""
    signal = np.where(weights > 0, fluorescence, 0.0)
    total = np.ascontiguousarray(weights).sum(axis=1)
    mean = row_dot(weights, signal) / total
    return Readings(cycles, weights, total, mean, np.where(weights > 0, signal - mean[:, None], 0.0))


def project(readings: Readings, theta: Array, prior: Prior) -> State:
    """The best c and d for a shape, and where it leads."""
    return linearise(readings, theta, prior)[0]


def linearise(readings: Readings, theta: Array, prior: Prior) -> tuple[State, Array, list[Array]]:
    """State, and the (n, m) arrays behind it: residuals; the centred shape and the three columns of J."""
    weights, total = readings.weights, readings.total
    sigmoid = _unit_sigmoid(readings.cycles, theta)
    mean_shape = row_dot(weights, sigmoid.value) / total
    shape = sigmoid.value - mean_shape[:, None]
    weighted = weights * shape
    power = np.maximum(row_dot(weighted, shape), 1e-300)
    rise = row_dot(weighted, readings.centred) / power
    residuals = readings.centred - rise[:, None] * shape
    pulled = weights * residuals
    columns, slopes = [], []
    for derivative in sigmoid[1:]:
        along = rise * row_dot(weighted, derivative) / power
        across = rise * row_dot(weights, derivative) / total
        columns.append(rise[:, None] * derivative - across[:, None] - along[:, None] * shape)
        slopes.append(-along)
    scaled = [weights * column for column in columns]
    normal = np.column_stack([row_dot(scaled[i], columns[j]) for i in range(3) for j in range(i, 3)])
    gradient = np.column_stack([row_dot(pulled, column) for column in columns])
    off, (ss, sq, qq) = theta[:, ::2] - prior.mean, prior.precision.T
    pull_s, pull_q = ss * off[:, 0] + sq * off[:, 1], sq * off[:, 0] + qq * off[:, 1]
    gradient[:, 0] -= pull_s
    gradient[:, 2] -= pull_q
    normal[:, 0] += ss
    normal[:, 2] += sq
    normal[:, 5] += qq
    objective = row_dot(pulled, residuals) + off[:, 0] * pull_s + off[:, 1] * pull_q
    state = State(objective, gradient, normal, rise, power, np.column_stack(slopes))
    return state, residuals, [shape, *columns]


def rise_covariance(state: State, inverse: Array) -> Array:
    """(n, 4) covariances of d with θ and its variance, c free; `inverse` is the `covariance` of the state."""
    (i00, i01, i02, i11, i12, i22), (a, b, c) = inverse.T, state.rise_slope.T
    with_s, with_x, with_q = i00 * a + i01 * b + i02 * c, i01 * a + i11 * b + i12 * c, i02 * a + i12 * b + i22 * c
    variance = with_s * a + with_x * b + with_q * c + 1 / state.rise_precision
    return np.column_stack([with_s, with_x, with_q, variance])


def fit_with_prior(readings: Readings, theta: Array, prior: Prior) -> tuple[Array, State]:
    """Minimise the penalised sum of squares of every curve by Levenberg–Marquardt (Marquardt 1963), from `theta`.

    Parameters
    ----------
    readings : n curves with their weights.
    theta : (n, 3) start (ln s, x0, q).
    prior : on the shape; without a prior of some weight a curve may drift to its bounds.

    Returns
    -------
    (n, 3) θ and the state there. A curve whose search ends early keeps the best θ met.
    """
    lowest = np.array((_LOG_SLOPE_RANGE[0], readings.cycles[0] - _CYCLES_BEYOND, ASYMMETRY_RANGE[0]))
    highest = np.array((_LOG_SLOPE_RANGE[1], readings.cycles[-1] + _CYCLES_BEYOND, ASYMMETRY_RANGE[1]))
    theta = np.clip(theta, lowest, highest)
    state = State(*(part.copy() for part in project(readings, theta, prior)))
    damping, moving = np.full(len(theta), 1e-4), np.arange(len(theta))
    part, belief, here = readings, prior, state
    for _ in range(_MOST_ITERATIONS):
        step, decrement = _step(theta[moving], here, damping[moving], lowest, highest)
        proposal = np.clip(theta[moving] + step, lowest, highest)
        there = project(part, proposal, belief)
        # what the objective loses in rounding must not turn away a step that the gradient still asks for
        better = there.objective <= here.objective * (1 + _ROUNDING)
        _overwrite(theta, state, moving, better, proposal, there)
        damping[moving] = np.where(better, damping[moving] * 0.1, damping[moving] * 8)
        going = (decrement > _DECREMENT * here.objective) & (damping[moving] < _LARGEST_DAMPING)
        if not going.any():
            break
        if not going.all():
            moving = moving[going]
            part, belief = readings.rows(moving), prior.rows(moving)
        here = State(*(values[moving] for values in state))
    return theta, state


def _overwrite(
    theta: Array, state: State, moving: NDArray[np.intp], better: NDArray[np.bool_], proposal: Array, there: State
) -> None:
    rows = moving[better]
    theta[rows] = proposal[better]
    for old, new in zip(state, there, strict=True):
        old[rows] = new[better]


def _step(theta: Array, state: State, damping: Array, lowest: Array, highest: Array) -> tuple[Array, Array]:
    """(n, 3) step and what it promises to gain; a parameter held by its bound leaves the step to the others."""
    free = np.ones(theta.shape)
    step = _damped(state, damping, free)
    held = ((theta <= lowest) & (step < 0)) | ((theta >= highest) & (step > 0))
    if held.any():
        free = np.where(held, 0.0, 1.0)
        step = _damped(state, damping, free)
    gain: Array = np.abs(step * state.gradient * free).sum(axis=1)
    return np.clip(step, -_LARGEST_STEP, _LARGEST_STEP), gain


def _damped(state: State, damping: Array, free: Array) -> Array:
    normal = state.normal * free[:, _ROWS] * free[:, _COLUMNS]
    scale = _unit(normal)
    inverse = _inverse_3x3(normal / scale[:, _ROWS] / scale[:, _COLUMNS], damping + 1e-14)
    g0, g1, g2 = (state.gradient * free / scale).T
    i00, i01, i02, i11, i12, i22 = inverse.T
    steps = (i00 * g0 + i01 * g1 + i02 * g2, i01 * g0 + i11 * g1 + i12 * g2, i02 * g0 + i12 * g1 + i22 * g2)
    return np.column_stack(steps) / scale * free


def covariance(normal: Array) -> Array:
    """(n, 6) inverse of symmetric 3 × 3 matrices given, like the inverse, as (00, 01, 02, 11, 12, 22)."""
    scale = _unit(normal)
    both = scale[:, _ROWS] * scale[:, _COLUMNS]
    inverse: Array = _inverse_3x3(normal / both, np.full(len(normal), _RIDGE)) / both
    return inverse


def _unit(normal: Array) -> Array:
    """(n, 3) what brings the diagonal to one; a parameter of which the curve knows nothing is left to the ridge."""
    diagonal = normal[:, [0, 3, 5]]
    unit: Array = np.sqrt(np.where(diagonal > _NO_INFORMATION, diagonal, 1.0))
    return unit


def _inverse_3x3(matrix: Array, ridge: Array) -> Array:
    """(n, 6) closed inverse of symmetric matrices with unit (or zero) diagonal, `ridge` (n,) added to the diagonal."""
    a, b, c, d, e, f = matrix.T
    a, d, f = a + ridge, d + ridge, f + ridge
    i00, i01, i02 = d * f - e * e, c * e - b * f, b * e - c * d
    determinant = a * i00 + b * i01 + c * i02
    determinant = np.where(determinant > 0, determinant, np.inf)
    adjugate = np.column_stack([i00, i01, i02, a * f - c * c, b * c - a * e, a * d - b * b])
    inverse: Array = adjugate / determinant[:, None]
    return inverse
