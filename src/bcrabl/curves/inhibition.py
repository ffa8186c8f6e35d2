"""Inhibited wells: those that amplify slower, or to a lower plateau, than the standards of the same target and plate.

On a plate where most samples are inhibited the samples are no measure of each other: inhibition is their norm. The
standards are clean plasmid; what their curves look like is what an uninhibited curve of the target looks like.

Symbols: n curves, r of them references; t position of a curve (cycle of the steepest rise); per curve three figures
v = (ln γ, ln D, ln d): γ growth per cycle, d ln(signal)/dx, at a tenth of the rise; D cycles from there to the steepest
rise; d the rise, a.u. S is the covariance of their reading error.

    v_i = μ0 + μ1·(t_i - median t) + b_i + e_i,   e_i ~ N(0, S_i),   b_i ~ t₄(0, Ω)    over the references

as in `bcrabl.curves.joint_shapes`, by the same EM (Lange, Little, Taylor 1989, J Am Stat Assoc 84:881), so that a bad
standard counts little. Every curve is then held against N(μ(t), c·Ω + cov μ(t) + S + M): c makes a t₄ scale a normal
covariance, M allows for the difference between plasmid and cDNA. Outside the references' cycles the mean stays what it
is at their end, and its variance grows with the square of the distance times the trend, found and conceivable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = [
    "INHIBITION_Z",
    "LEAST_REFERENCES",
    "Comparison",
    "Figures",
    "References",
    "compare",
    "describe_figures",
    "describe_references",
    "inhibited",
]

LEAST_REFERENCES = 6  # three means, three trends' priors and a spread: below, nothing is left to judge by
INHIBITION_Z = 2.807  # one-sided p .0025 of the normal distribution for each of growth and rise: together .005
INHIBITION_DISTANCE = 16.27  # d²: one in a thousand of a χ² with three degrees of freedom
_DEGREES_OF_FREEDOM = 4.0
_NORMAL_OVER_T = 1.323  # covariance of normal deviations in three dimensions over the Ω that a t₄ fit finds for them
_ROUNDS = 40
# what the figures of a plate's standards usually differ by: .01, .01 (correlation -.8) and .1, median of the public
# dilution series; it counts as four curves, so that six standards are not taken at their word
_USUAL = np.array((1.0, -0.8, 0.0, 1.0, 0.0, 100.0)) * 0.01**2
_USUAL_CURVES = 4
# prior of μ1, per cycle; root mean squares over public dilution series of ten cycles and more: .003, .003, .008
_TREND_SD = np.array((0.005, 0.005, 0.01))
_MATERIAL_SD = np.array((0.01, 0.01, 0.05))  # M: between plasmid and cDNA; an assumption, no published figure
_CLIP = 3.0  # MADs, for the start only
_NORMAL_MAD = 1.4826
# symmetric 3 × 3 matrices are kept as their six numbers 00, 01, 02, 11, 12, 22
_FULL = np.array(((0, 1, 2), (1, 3, 4), (2, 4, 5)))
_UPPER = np.triu_indices(3)
_DIAGONAL = np.array((0, 3, 5))


class Figures(NamedTuple):
    """`value` (n, 3), v; `error` (n, 6), S as (00, 01, 02, 11, 12, 22)."""

    value: Array
    error: Array


class Comparison(NamedTuple):
    """How the curves compare with the references.

    `growth_z`, `rise_z` (n,), deviations of ln γ and ln d in normal SDs, negative where slower or lower;
    `growth_ratio`, `rise_ratio` (n,), γ and d over what the references lead one to expect;
    `distance` (n,), d² of all three figures, brought to a χ² of three degrees of freedom.
    """

    growth_z: Array
    rise_z: Array
    growth_ratio: Array
    rise_ratio: Array
    distance: Array


class References(NamedTuple):
    """The references: level and trend (2, 3), their covariance (3, 6) by power of t, Ω (6,), and range of cycles."""

    coefficients: Array
    covariance: Array
    omega: Array
    middle: float
    first: float
    last: float
    freedom: float


def describe_figures(theta: Array, rise: Array, error: Array, rise_error: Array, level: float) -> Figures:
    """Growth, duration and rise of fitted Richards curves.

    Parameters
    ----------
    theta : (n, 3) ln s, x0, q of `bcrabl.curves.joint_fit`.
    rise : (n,) d, a.u.
    error : (n, 6) covariance of θ.
    rise_error : (n, 4) covariances of d with θ, and its variance.
    level : share of the rise at which the growth is taken.

    Notes
    -----
    With h the level and g the share: d ln g/dx = s (1 - g^q)/q, and D = ln((h^-q - 1)/q)/s.
    """
    grown, q = -np.log(level), theta[:, 2]
    less_one = np.expm1(grown * q)
    steps = np.log(less_one / q)
    value = np.column_stack([theta[:, 0] + steps - grown * q, np.log(steps) - theta[:, 0], np.log(rise)])
    to_growth = grown / less_one - 1 / q
    to_duration = (grown * (less_one + 1) / less_one - 1 / q) / steps
    ss, sq, qq = error[:, 0], error[:, 2], error[:, 5]
    ds, dq, dd = rise_error[:, 0] / rise, rise_error[:, 2] / rise, rise_error[:, 3] / rise**2
    parts = (
        ss + 2 * to_growth * sq + to_growth**2 * qq,
        (to_duration - to_growth) * sq + to_growth * to_duration * qq - ss,
        ds + to_growth * dq,
        ss - 2 * to_duration * sq + to_duration**2 * qq,
        to_duration * dq - ds,
        dd,
    )
    return Figures(value, np.column_stack(parts))


def inhibited(growth_z: Array, rise_z: Array, distance: Array) -> Mask:
    """(n,) slower or lower than the references by more than chance; False where there is nothing to compare with.

    Either slower, or lower, by `INHIBITION_Z`; or beyond `INHIBITION_DISTANCE` and on the whole slower and lower.
    """
    with np.errstate(invalid="ignore"):
        far = (distance > INHIBITION_DISTANCE) & (growth_z + rise_z < 0)
        suspected: Mask = (np.minimum(growth_z, rise_z) < -INHIBITION_Z) | far
    return suspected


def compare(line: References, position: Array, figures: Figures) -> Comparison:
    """Hold curves, the references among them, against the references.

    Parameters
    ----------
    line : of `describe_references`.
    position : (n,) t, cycles.
    figures : of the same curves.

    Notes
    -----
    The spread of r references is known with ν = r + 2 degrees of freedom (see `_USUAL`); distances are brought to what
    they would be were it known exactly: (ν - k/2)·ln(1 + d²/ν) of k figures (Bartlett 1938, Math Proc Camb Philos Soc
    34:33; for one figure Wallace 1959, Ann Math Stat 30:1124).
    """
    (growth, duration, rise), spread = _expected(line, position, figures)
    off, nu = (growth, duration, rise), line.freedom
    inverse = _inverse(spread)
    pulled = _times(inverse, off)
    distance = pulled[0] * growth + pulled[1] * duration + pulled[2] * rise
    along = pulled[0] - pulled[1]
    information = inverse[0] - 2 * inverse[1] + inverse[3]
    square = along**2 / information
    adjusted = square * (nu - 2) / nu / (1 + (distance - square) / nu)
    growth_z = np.sign(along) * np.sqrt(as_if_known(adjusted, 1, nu - 2))
    rise_z = np.sign(rise) * np.sqrt(as_if_known(rise**2 / spread[5], 1, nu))
    return Comparison(growth_z, rise_z, np.exp(along / information), np.exp(rise), as_if_known(distance, 3, nu))


def as_if_known(distance: Array, figures: int, freedom: float) -> Array:
    """(n,) squared distance in so many figures, as it were if their covariance were known exactly."""
    known: Array = max(freedom - figures / 2, 0.5) * np.log1p(distance / freedom)
    return known


def _expected(line: References, position: Array, figures: Figures) -> tuple[Array, Array]:
    """(3, n) deviation of every curve from what the references lead one to expect, and its covariance (6, n)."""
    within = np.clip(position, line.first, line.last)
    t, beyond = within - line.middle, position - within
    level, trend = line.coefficients[:, :, None]
    off = np.ascontiguousarray(figures.value.T) - level - t * trend
    c00, c01, c11 = line.covariance[:, :, None]
    spread = line.omega[:, None] + c00 + t * c01 + t**2 * c11 + np.ascontiguousarray(figures.error.T)
    spread[_DIAGONAL] += beyond**2 * (trend**2 + _TREND_SD[:, None] ** 2) + _MATERIAL_SD[:, None] ** 2
    return off, spread


def describe_references(position: Array, figures: Figures) -> References:
    """Robust random-effects regression of the references' figures on their position.

    Parameters
    ----------
    position : (r,) t, cycles, of at least `LEAST_REFERENCES` curves in an order that does not depend on where the
        wells stand.
    figures : of the same curves.
    """
    n = len(position)
    value, error = (np.ascontiguousarray(part.T) for part in figures)
    usual, freedom = _USUAL / _NORMAL_OVER_T, n - 2.0 + _USUAL_CURVES
    middle = float(np.median(position))
    t = position - middle
    coefficients = np.stack([np.median(value, axis=1), np.zeros(3)])
    off = value - coefficients[0][:, None]
    mad = np.maximum(_NORMAL_MAD * np.median(np.abs(off), axis=1), np.sqrt(usual[_DIAGONAL]) / 2)[:, None]
    omega = _products(np.clip(off, -_CLIP * mad, _CLIP * mad)).sum(axis=1) / n + usual / 4
    information = np.eye(6)
    for _ in range(_ROUNDS):
        precision = _inverse(error + omega[:, None])
        off = value - coefficients[0][:, None] - t * coefficients[1][:, None]
        pulled = _times(precision, off)
        weight = (_DEGREES_OF_FREEDOM + 3) / (_DEGREES_OF_FREEDOM + (pulled * off).sum(axis=0))
        coefficients, information = _regress(t, value, weight * precision)
        inner = (weight * _products(pulled) - precision).sum(axis=1)
        change = omega[_FULL] @ inner[_FULL] @ omega[_FULL]
        omega = (n * omega + change[_UPPER] + _USUAL_CURVES * usual) / freedom
    inverse = np.linalg.inv(information)
    level, both, trend = inverse[:3, :3], inverse[:3, 3:] + inverse[3:, :3], inverse[3:, 3:]
    covariance = np.stack([level[_UPPER], both[_UPPER], trend[_UPPER]])
    first, last = float(position.min()), float(position.max())
    return References(coefficients, covariance, _NORMAL_OVER_T * omega, middle, first, last, freedom)


def _regress(t: Array, value: Array, precision: Array) -> tuple[Array, Array]:
    """Generalised least squares: level and trend (2, 3), and their information (6, 6)."""
    sloped, wanted = precision * t, _times(precision, value)
    level, both, trend = (part.sum(axis=1)[_FULL] for part in (precision, sloped, sloped * t))
    information = np.block([[level, both], [both, trend]])
    information[(3, 4, 5), (3, 4, 5)] += 1 / _TREND_SD**2
    right = np.concatenate([wanted.sum(axis=1), (wanted * t).sum(axis=1)])
    return np.linalg.solve(information, right).reshape(2, 3), information


def _times(matrix: Array, vector: Array | tuple[Array, Array, Array]) -> Array:
    """(3, n) products of symmetric matrices (6, n) and vectors (3, n)."""
    (a, b, c, d, e, f), (x, y, z) = matrix, vector
    return np.stack([a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z])


def _products(vector: Array) -> Array:
    """(6, n) products v·vᵀ of vectors (3, n)."""
    x, y, z = vector
    return np.stack([x * x, x * y, x * z, y * y, y * z, z * z])


def _inverse(matrix: Array) -> Array:
    """(6, n) inverse of symmetric positive matrices, in closed form."""
    a, b, c, d, e, f = matrix
    i00, i01, i02 = d * f - e * e, c * e - b * f, b * e - c * d
    inverse: Array = np.stack([i00, i01, i02, a * f - c * c, b * c - a * e, a * d - b * b])
    inverse /= a * i00 + b * i01 + c * i02
    return inverse
