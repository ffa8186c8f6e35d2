"""Standard errors that hold when the noise grows with the signal or drags on from cycle to cycle.

Symbols: n curves, m cycles; g share of the rise reached, r residuals of a sigmoid fit, J its Jacobian in
(c, d, ln s, z0, q), C = (JᵀJ)⁻¹, H = J·C·Jᵀ, ρ correlation of neighbouring readings.

Least squares gives its parameters the covariance C·s², which holds for readings of equal and independent noise. Here

    V(g) = a + b·g²,   Ω_tu = ρ^|t - u|·√(V_t·V_u),   covariance = C·JᵀΩJ·C

the sandwich of White (1980, Econometrica 48:817) and of Newey & West (1987, Econometrica 55:703). A curve has too few
readings for their sums of raw residuals, whose own scatter would make z far too wide; so Ω has three parameters (an
AR(1) noise: Andrews 1991, Econometrica 59:817; noise growing with the signal: Tellinghuisen & Spiess 2014, Anal
Biochem 464:94), found by moments, each expectation allowing for what the fit has swallowed (Rao 1970, J Am Stat Assoc
65:161). A drift of its baseline, which a sigmoid cannot follow, is no noise: it is taken off the residuals, and what of
its square exceeds its own variance is carried to the parameters as a bias. Every operation works row by row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.curves.blocks import blocks_of, joined, rows_of
from bcrabl.curves.misfit import common_misfit
from bcrabl.curves.sigmoid_shape import row_dot, unit_sigmoid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from bcrabl.curves.baseline import Baseline
    from bcrabl.curves.blocks import JudgedReadings
    from bcrabl.curves.misfit import CommonMisfit
    from bcrabl.curves.sigmoid import SigmoidFit

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = [
    "ReadingNoise",
    "crossing_standard_error",
    "honest_covariance",
    "landmark_standard_errors",
    "trailing_sum",
]

_CURVES_AT_ONCE = 256  # the Jacobians stay in the cache
_LEAST_FREE = 0.1  # of a reading's variance that the fit leaves in its residual
_LEAST_QUIET = 0.02  # a, as a share of the mean variance
_WEIGHTINGS = 3
# ρ: detectors do not alternate, but cutting off chance at zero would lift the mean; beyond 0.8, 45 readings cannot tell
_CORRELATIONS = (-0.1, 0.8)
_STEPS = 8
_SMOOTHEST = 0.95
_ALL_BUT_ASYMMETRY = 4  # parameters
_RIDGE = 1e-12


class ReadingNoise(NamedTuple):
    """Noise of the readings of n curves: variance `quiet` + `growing`·g², a.u.², and correlation of neighbours."""

    quiet: Array
    growing: Array
    autocorrelation: Array


class _Fitted(NamedTuple):
    """A block of fits: columns of J and of J·C (five each) with that of the drift, g² and r, all (n, m).

    Residuals are less the drift and in units of their SD, the root of `power`; `drift` is a.u. a cycle, found with
    weight `drift_weight`, and `pull` (n, 5) by how much a unit of it moves the parameters.
    """

    present: Mask
    jacobian: list[Array]
    influence: list[Array]
    share_squared: Array
    residuals: Array
    power: Array
    estimated: Array
    drift: Array
    drift_weight: Array
    pull: Array


def honest_covariance(
    cycles: Array, fluorescence: Array, fit: SigmoidFit, misfit: CommonMisfit | None = None
) -> tuple[Array, ReadingNoise]:
    """Covariance of (c, d, ln s, z0, q) of every fit under the noise that its residuals show.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a reading was not fitted.
    fit : unweighted sigmoid fits of these readings.
    misfit : what the residuals of the target's curves have in common, which is no noise; None to count it as noise.

    Returns
    -------
    covariance : (n, 5, 5), to take the place of `fit.covariance`; NaN where that is.
    noise : of the readings; NaN where there is no fit, or one without residuals.
    """
    covariance = np.full((len(fluorescence), 5, 5), np.nan)
    noise = np.full((3, len(fluorescence)), np.nan)
    for begin in range(0, len(fluorescence), _CURVES_AT_ONCE):
        rows = slice(begin, begin + _CURVES_AT_ONCE)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # a curve without a fit stays NaN
            block = _fitted(cycles, fluorescence[rows], fit, rows, misfit)
            variance, correlation, scale = _noise(block)
            spread = _sandwich(block.influence[:5], np.sqrt(variance.of(block.share_squared)), correlation)
            unit = block.power * scale
            spread *= unit[:, None, None]
            gain = (1 + correlation) / (1 - correlation)
            drift = np.maximum(block.drift**2 - unit * gain / block.drift_weight, 0.0)
            spread += drift[:, None, None] * block.pull[:, :, None] * block.pull[:, None, :]
        silent = ~(block.power > 0)  # a curve that is its own sigmoid
        covariance[rows] = np.where(silent[:, None, None], fit.covariance[rows], spread)
        noise[:, rows] = variance.quiet * unit, variance.growing * unit, correlation
    return covariance, ReadingNoise(*noise)


def landmark_standard_errors(
    cycles: Array,
    fluorescence: Array | JudgedReadings,
    fit: SigmoidFit,
    landmarks: Mapping[str, str],
    amplified: Mask | None = None,
) -> tuple[dict[str, Array], ReadingNoise]:
    """Standard errors of landmarks under the noise that the residuals show, and that noise.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a reading was not fitted.
    fit : unweighted sigmoid fits of these readings.
    landmarks : landmarks that `SigmoidFit.standard_error_of` knows, by the name under which they are wanted.
    amplified : (n,) curves of one target on one plate whose common misfit is no noise; only these have an error.
        None: all have, and each is judged alone.

    Returns
    -------
    errors : (n,) cycles, by name.
    noise : of the readings, (n,) each.
    """
    misfit = None if amplified is None else common_misfit(cycles, fluorescence, fit, amplified)
    wanted = np.ones(len(fluorescence), dtype=bool) if amplified is None else amplified

    def errors_of(rows: slice) -> tuple[dict[str, Array], ReadingNoise]:
        some = rows_of(fit, rows)
        covariance, noise = honest_covariance(cycles, fluorescence[rows], some, misfit)
        honest = replace(some, covariance=covariance)
        errors = {name: honest.standard_error_of(landmark) for name, landmark in landmarks.items()}
        return {name: np.where(wanted[rows], each, np.nan) for name, each in errors.items()}, noise

    return joined((errors_of(rows) for rows in blocks_of(len(fluorescence))), len(fluorescence))


def crossing_standard_error(crossing: Array, sensitivity: Array, baseline: Baseline, autocorrelation: Array) -> Array:
    """(n,) standard error of a threshold crossing, cycles: noise of the two readings, and of the baseline under both.

    Parameters
    ----------
    crossing, sensitivity : of `bcrabl.curves.quantification.threshold_crossing`.
    baseline : under the curves.
    autocorrelation : (n,) ρ of `ReadingNoise`; what is NaN counts as 0.

    Notes
    -----
    Means of p readings with correlation ρ^k scatter more than independent ones, by the factor
    (1 + ρ - 2ρ(1 - ρᵖ) / (p(1 - ρ))) / (1 - ρ); the slope is given the same.
    """
    rho, points = np.nan_to_num(autocorrelation), baseline.points
    inflation = (1 + rho - 2 * rho * (1 - np.maximum(rho, 0.0) ** points) / (points * (1 - rho))) / (1 - rho)
    before, after = sensitivity[:, 0], sensitivity[:, 1]
    readings = before**2 + after**2 + 2 * rho * before * after
    line = (before + after) ** 2 * baseline.relative_variance(crossing) * inflation
    error: Array = baseline.noise_sd * np.sqrt(readings + line)
    return error


def _fitted(cycles: Array, fluorescence: Array, fit: SigmoidFit, rows: slice, misfit: CommonMisfit | None) -> _Fitted:
    present = np.isfinite(fluorescence)
    shape = fit.shape
    table = np.column_stack([part[rows] for part in shape[:3]])
    share, *slopes = unit_sigmoid(np.log(cycles) if shape.logarithmic else cycles, table)
    rise = fit.rise[rows, None]
    columns = [np.ones_like(share), share, *(rise * slope for slope in slopes)]
    jacobian = [np.where(present, column, 0.0) for column in columns]
    residuals = np.where(present, fluorescence - fit.baseline[rows, None] - rise * share, 0.0)
    covariance = fit.covariance[rows]
    estimated = 2.0 + (covariance[:, (2, 3, 4), (2, 3, 4)] != 0).sum(axis=1)
    freedom = np.maximum(present.sum(axis=1) - estimated, 1)
    power = row_dot(residuals, residuals) / freedom
    unit = covariance / power[:, None, None]
    stopped = np.flatnonzero(fit.at_bound[rows] & (covariance[:, 4, 4] == 0) & (estimated == _ALL_BUT_ASYMMETRY))
    unit[stopped] = _with_asymmetry([column[stopped] for column in jacobian])
    influence = _times(unit, jacobian)
    if misfit is not None:
        left = misfit.taken_off(cycles, residuals / rise, fit.steepest[rows])
        residuals = np.where(present, left * rise, 0.0)
    # a drift that the fit cannot follow: the part of x that J leaves (Frisch & Waugh 1933, Econometrica 1:387)
    line = np.where(present, cycles - cycles.mean(), 0.0)
    pull = np.column_stack([row_dot(part, line) for part in influence])
    line = line - _sum(column * pull[:, k, None] for k, column in enumerate(jacobian))
    weight = row_dot(line, line)
    along = line / np.sqrt(weight)[:, None]
    drift = row_dot(along, residuals)
    residuals = residuals - along * drift[:, None]
    power = row_dot(residuals, residuals) / np.maximum(freedom - 1, 1)
    return _Fitted(
        present=present,
        jacobian=[*jacobian, along],
        influence=[*influence, along],
        share_squared=jacobian[1] ** 2,
        residuals=residuals / np.sqrt(power)[:, None],
        power=power,
        estimated=estimated + 1,
        drift=drift / np.sqrt(weight),
        drift_weight=weight,
        pull=pull,
    )


def _with_asymmetry(jacobian: Sequence[Array]) -> Array:
    """(n, 5, 5) C with q free: a bound that the noise has driven q to does not make it known."""
    gram = _products(jacobian, jacobian)
    scale = 1 / np.sqrt(np.diagonal(gram, axis1=1, axis2=2))
    both = scale[:, :, None] * scale[:, None, :]
    inverse: Array = np.linalg.inv(gram * both + _RIDGE * np.eye(5)) * both
    return inverse


class _Variance(NamedTuple):
    """a and b of V = a + b·g², (n,)."""

    quiet: Array
    growing: Array

    def of(self, share_squared: Array) -> Array:
        return self.quiet[:, None] + self.growing[:, None] * share_squared


def _noise(block: _Fitted) -> tuple[_Variance, Array, Array]:
    """Variance function of unit mean, ρ, and by how much ρ has made the residuals smaller than the noise."""
    leverage = _dot(block.influence, block.jacobian)
    # J·C·JᵀGJ·C with G = diag g²: what the noise of the loud readings does to the fit under each reading
    loud = _times(_products(block.influence, [part * block.share_squared for part in block.influence]), block.jacobian)
    left_quiet = np.maximum(1 - leverage, _LEAST_FREE)
    left_loud = np.maximum(block.share_squared * (1 - 2 * leverage) + _dot(loud, block.jacobian), 0.0)
    function = _variance_function(block.residuals**2, left_quiet, left_loud, block.present)
    quiet, growing = function.quiet[:, None], function.growing[:, None]
    variance = function.of(block.share_squared)
    expected = np.where(block.present, quiet * left_quiet + growing * left_loud, 1.0)
    beside = _dot(block.influence, block.jacobian, 1)
    swallowed = beside * (variance[:, 1:] + variance[:, :-1] - quiet) - growing * _dot(loud, block.jacobian, 1)
    swallowed = swallowed / np.sqrt(expected[:, 1:] * expected[:, :-1])
    pairs = block.present[:, 1:] & block.present[:, :-1]
    standard = block.residuals / np.sqrt(expected)
    observed = np.where(pairs, standard[:, 1:] * standard[:, :-1], 0.0).sum(axis=1) / row_dot(standard, standard)
    swallowed_sum = np.where(pairs, swallowed, 0.0).sum(axis=1)
    correlation, scale = _autocorrelation(
        observed, swallowed_sum, pairs.sum(axis=1), block.present.sum(axis=1), block.estimated
    )
    return function, correlation, scale


def _variance_function(squares: Array, left_quiet: Array, left_loud: Array, present: Mask) -> _Variance:
    """Weighted regression of squared residuals on what a unit of a and of b would leave of them; neither negative."""
    weights = present.astype(np.float64)
    for _ in range(_WEIGHTINGS):
        quiet, loud = weights * left_quiet, weights * left_loud
        aa, ab, bb = row_dot(quiet, left_quiet), row_dot(quiet, left_loud), row_dot(loud, left_loud)
        ya, yb = row_dot(quiet, squares), row_dot(loud, squares)
        determinant = aa * bb - ab**2
        told = determinant > 1e-9 * aa * bb
        b = np.where(told, np.maximum((aa * yb - ab * ya) / np.where(told, determinant, 1.0), 0.0), 0.0)
        least = _LEAST_QUIET * ya / aa
        a = (ya - b * ab) / aa
        b = np.where(a < least, (ya - least * aa) / np.where(ab > 0, ab, 1.0), b)
        a = np.maximum(a, least)
        weights = present / (a[:, None] * left_quiet + b[:, None] * left_loud) ** 2
    return _Variance(a, b)


def _autocorrelation(
    observed: Array, swallowed: Array, pairs: Array, count: Array, estimated: Array
) -> tuple[Array, Array]:
    """ρ from the lag-one correlation of residuals, and the noise variance over what ρ = 0 would take it for.

    The p columns of J are smooth: with lag-one correlation κ, that of H's bands, they swallow of an AR(1) noise about
    λ = p(1 + κρ)/(1 - κρ) readings' worth of variance instead of p. The equation for ρ is solved by iteration.
    """
    freedom = np.maximum(count - estimated, 1)
    stretch = count / freedom
    smoothness = np.clip(swallowed / (estimated * stretch), 0.0, _SMOOTHEST)
    rho, gain = np.zeros(len(count)), np.ones(len(count))
    for _ in range(_STEPS):
        left = np.maximum(count - estimated * gain, 1.0)
        rho = (observed * left * stretch + swallowed * gain) / (np.maximum(pairs, 1) * stretch)
        rho = np.clip(np.where(np.isfinite(rho), rho, 0.0), *_CORRELATIONS)
        gain = (1 + smoothness * rho) / (1 - smoothness * rho)
    return rho, freedom / np.maximum(count - estimated * gain, 1.0)


def _sandwich(influence: Sequence[Array], sd: Array, rho: Array) -> Array:
    """(n, 5, 5) C·JᵀΩJ·C, for readings with correlation ρ^lag and these SDs."""
    weighted = [part * sd for part in influence]
    trailing = [trailing_sum(part, rho) for part in weighted]
    result = np.empty((len(rho), 5, 5))
    for i in range(5):
        for j in range(i, 5):
            both = row_dot(weighted[i], trailing[j]) + row_dot(trailing[i], weighted[j])
            result[:, i, j] = result[:, j, i] = both - row_dot(weighted[i], weighted[j])
    return result


def trailing_sum(values: Array, rho: Array) -> Array:
    """(n, m) Σ_k ρᵏ·values[t - k] over all k ≥ 0, by doubling: (1 + ρS)(1 + ρ²S²)(1 + ρ⁴S⁴)… with S a delay of one."""
    total, factor, delay = values.copy(), rho[:, None], 1
    while delay < values.shape[1]:
        delayed = total[:, :-delay] * factor
        total[:, delay:] += delayed
        factor, delay = factor**2, 2 * delay
    return total


def _times(matrix: Array, columns: Sequence[Array]) -> list[Array]:
    """Columns (n, m) of J·M for symmetric M, (n, 5, 5) or one more; sums in a fixed order keep the bits."""
    size = range(len(columns))
    return [_sum(matrix[:, i, j, None] * columns[j] for j in size) for i in size]


def _products(left: Sequence[Array], right: Sequence[Array]) -> Array:
    """(n, 5, 5), or one more, inner products of columns whose matrix of products is symmetric."""
    size = len(left)
    result = np.empty((len(left[0]), size, size))
    for i in range(size):
        for j in range(i, size):
            result[:, i, j] = result[:, j, i] = row_dot(left[i], right[j])
    return result


def _dot(left: Sequence[Array], right: Sequence[Array], lag: int = 0) -> Array:
    """(n, m - lag) diagonal, or band beside it, of the product of two matrices given by their columns."""
    stop = left[0].shape[1] - lag
    return _sum(a[:, :stop] * b[:, lag:] for a, b in zip(left, right, strict=True))


def _sum(parts: Iterable[Array]) -> Array:
    first, *others = parts
    for part in others:
        first += part
    return first
