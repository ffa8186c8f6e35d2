"""What the curves of one target on one plate have in common: the distribution of their shapes.

Symbols: n curves; σ = (ln s, q) shape of a curve, t its position (cycle of the steepest rise), S the 2 × 2 covariance
of its reading error.

    σ_i = μ0 + μ1·(t_i - median t) + b_i + e_i,   e_i ~ N(0, S_i),   b_i ~ t₄(0, Ω)

A random-effects regression (Laird & Ware 1982, Biometrics 38:963) with t-distributed deviations in place of normal ones
(Lange, Little, Taylor 1989, J Am Stat Assoc 84:881; ν = 4 is theirs where nothing is known), fitted by EM: a curve far
from the others in units of S + Ω counts with weight 6/(4 + d²) only, so that one inhibited well does not bend the rest.
Symmetric 2 × 2 matrices are kept as (n, 3): (ss, sq, qq).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.curves.inhibition import as_if_known
from bcrabl.curves.joint_fit import ASYMMETRY_RANGE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["GroupShape", "describe_shapes", "evenly_chosen", "inverse_2x2", "theil_sen_slopes"]

_DEGREES_OF_FREEDOM = 4.0
_ROUNDS = 40
_FLOOR = np.array((0.005**2, 0.0, 0.02**2))  # the least a plate's shapes differ: 0.5 % of the slope, .02 of q
_TREND_SD = (0.01, 0.02)  # prior of μ1, per cycle: late curves are a little flatter, not another assay
_LEAST_MAD = np.array((0.005, 0.01))
_MATERIAL = np.array((0.01**2, 0.0, 0.02**2))  # between plasmid and cDNA; an assumption, no published figure
_NORMAL_OVER_T = 1.376  # covariance of normal deviations in two dimensions over the Ω that a t₄ fit finds for them
_CLIP = 3.0  # MADs, for the start only
_CURVES_FOR_A_TREND = 8
_CYCLES_FOR_A_TREND = 3.0
_CYCLES_APART = 2.0  # pairs nearer than this say more about noise than about a trend
_CURVES_IN_PAIRS = 200
_MOST_CURVES = 4096
# the 4 × 4 information of (μ0, μ1): which power of t and which entry (ss, sq, qq) of the precision stands where
_POWERS = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 2, 2], [1, 1, 2, 2]])
_ENTRIES = np.array([[0, 1, 0, 1], [1, 2, 1, 2], [0, 1, 0, 1], [1, 2, 1, 2]])
_NORMAL_MAD = 1.4826  # SD of a normal distribution over its median absolute deviation


class GroupShape(NamedTuple):
    """The shapes of a group.

    `mean` (n, 2), expected shape of each curve; `omega` (3,), covariance of the deviations; `distance` (n,), squared
    Mahalanobis distance d² of each curve's own shape from its mean, in units of S + Ω (and, for a curve that is no
    reference, of the uncertainty of the mean); `weight` (n,), 6/(4 + d²); `mean_covariance` (n, 3), of `mean`;
    `number` of curves it was estimated from.
    """

    mean: Array
    omega: Array
    distance: Array
    weight: Array
    mean_covariance: Array
    number: int

    def rows(self, index: slice) -> GroupShape:
        """The curves of `index` alone."""
        parts = (self.mean[index], self.omega, self.distance[index], self.weight[index], self.mean_covariance[index])
        return GroupShape(*parts, self.number)


def describe_shapes(position: Array, shape: Array, error: Array, reference: NDArray[np.bool_]) -> GroupShape:
    """Mean, trend and spread of the shapes of a group.

    Parameters
    ----------
    position : (n,) t, cycles.
    shape : (n, 2) ln s and q of each curve alone.
    error : (n, 3) their covariance S.
    reference : (n,) the curves that make up the group; the others are only held against it.

    Notes
    -----
    Outside the references' cycles the mean stays what it is at their end, and its variance grows with the square of
    the distance times the trend, found and conceivable.
    """
    chosen = evenly_chosen(reference)
    design = _design(position, position[chosen])
    line, omega, information = _group_line(position[chosen], design[chosen], shape[chosen], error[chosen])
    mean, uncertain = _on_line(line, design), _mean_covariance(design, information)
    beyond = position - np.clip(position, position[chosen].min(), position[chosen].max())
    uncertain = uncertain + beyond[:, None] ** 2 * _unknown_trend(line)
    _, distance, weight = _distance(shape - mean, error, omega)
    number = len(chosen)
    if not reference.all():
        wide = omega * (_NORMAL_OVER_T * (number + 2) / number)
        _, foreign, _ = _distance(shape - mean, error + uncertain + _MATERIAL, wide)
        distance = np.where(reference, distance, as_if_known(foreign, 2, float(number)))
        weight = _weight(distance)
    return GroupShape(mean, omega, distance, weight, uncertain, number)


def evenly_chosen(reference: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Which curves a group is described by: its references, of more than 4,096 so many evenly spaced ones."""
    known = np.flatnonzero(reference)
    if len(known) <= _MOST_CURVES:
        return known
    return known[np.linspace(0, len(known) - 1, _MOST_CURVES).round().astype(np.intp)]


def _group_line(position: Array, design: Array, shape: Array, error: Array) -> tuple[Array, Array, Array]:
    """Level and trend (4,) of the curves that make up the group, Ω, and the information (4, 4)."""
    mean, omega = _start(position, shape)
    line, information = np.zeros(4), np.zeros((4, 4))
    for _ in range(_ROUNDS):
        precision, _, weight = _distance(shape - mean, error, omega)
        line, information = _regress(design, shape, precision, weight)
        mean = _on_line(line, design)
        omega = _spread(shape - mean, precision, weight, omega)
    return line, omega, information


def _unknown_trend(line: Array) -> Array:
    """(3,) covariance of a trend that may be as large as the one found, or as one may be beforehand."""
    return np.array((line[2] ** 2 + _TREND_SD[0] ** 2, line[2] * line[3], line[3] ** 2 + _TREND_SD[1] ** 2))


def theil_sen_slopes(position: Array, values: Array) -> Array:
    """Median slopes of all pairs of curves two cycles or more apart (Sen 1968, J Am Stat Assoc 63:1379).

    Parameters
    ----------
    position : (n,) cycles. Of more than 200 curves 200, evenly spaced in rising order, stand for all, so that pairs
        do not grow with the square of the group.
    values : (k, n) what may depend on it.

    Returns
    -------
    (k,) slopes per cycle; zero for fewer than eight curves or positions within three cycles.
    """
    n = len(position)
    if n < _CURVES_FOR_A_TREND or np.ptp(position) <= _CYCLES_FOR_A_TREND:
        return np.zeros(len(values))
    if n > _CURVES_IN_PAIRS:
        evenly = np.linspace(0, n - 1, _CURVES_IN_PAIRS).round().astype(np.intp)
        chosen = np.lexsort((*values[::-1], position))[evenly]
        position, values = position[chosen], values[:, chosen]
    i, j = np.triu_indices(len(position), 1)
    apart = position[j] - position[i]
    far = np.abs(apart) > _CYCLES_APART
    i, j, apart = i[far], j[far], apart[far]
    slopes: Array = np.array([np.median((value[j] - value[i]) / apart) for value in values])
    return slopes


def inverse_2x2(matrix: Array) -> Array:
    """(…, 3) inverse of symmetric 2 × 2 matrices (ss, sq, qq)."""
    ss, sq, qq = matrix[..., 0], matrix[..., 1], matrix[..., 2]
    inverse: Array = np.stack([qq, -sq, ss], axis=-1) / (ss * qq - sq * sq)[..., None]
    return inverse


def _design(position: Array, known: Array) -> Array:
    """(n,) position from the middle of the group; the outermost are drawn in, so that they do not steer the trend."""
    low, high = np.quantile(known, [0.02, 0.98]) if len(known) >= _CURVES_FOR_A_TREND else (known.min(), known.max())
    middle: Array = np.clip(position, low, high) - np.median(known)
    return middle


def _on_line(line: Array, design: Array) -> Array:
    mean: Array = line[:2] + design[:, None] * line[2:]
    mean[:, 1] = np.clip(mean[:, 1], *ASYMMETRY_RANGE)
    return mean


def _start(position: Array, shape: Array) -> tuple[Array, Array]:
    """Robust line through the shapes and covariance of their deviations, clipped at three MADs."""
    trend = position[:, None] * theil_sen_slopes(position, shape.T)
    mean = np.median(shape - trend, axis=0) + trend
    off = shape - mean
    mad = np.maximum(_NORMAL_MAD * np.median(np.abs(off), axis=0), _LEAST_MAD)
    off = np.clip(off, -_CLIP * mad, _CLIP * mad)
    off = off - off.mean(axis=0)
    omega = _outer(off).sum(axis=0) / (len(off) - 1) + np.array((1e-5, 0.0, 1e-4))
    return mean, omega


def _outer(vector: Array) -> Array:
    """(n, 3) products v·vᵀ of (n, 2) vectors."""
    return np.column_stack([vector[:, 0] ** 2, vector[:, 0] * vector[:, 1], vector[:, 1] ** 2])


def _distance(off: Array, error: Array, omega: Array) -> tuple[Array, Array, Array]:
    """Precision (S + Ω)⁻¹, squared distance and weight of every curve."""
    precision = inverse_2x2(error + omega)
    products = _outer(off)
    distance = (
        precision[:, 0] * products[:, 0] + 2 * precision[:, 1] * products[:, 1] + precision[:, 2] * products[:, 2]
    )
    return precision, distance, _weight(distance)


def _weight(distance: Array) -> Array:
    return (_DEGREES_OF_FREEDOM + 2) / (_DEGREES_OF_FREEDOM + distance)


def _regress(design: Array, shape: Array, precision: Array, weight: Array) -> tuple[Array, Array]:
    """Generalised least squares of the shapes on the position: level and trend (4,), and their information (4, 4)."""
    ss, sq, qq = weighted = weight * precision.T
    right = np.stack([ss * shape[:, 0] + sq * shape[:, 1], sq * shape[:, 0] + qq * shape[:, 1]])
    sloped = weighted * design
    blocks = np.stack([weighted.sum(axis=1), sloped.sum(axis=1), (sloped * design).sum(axis=1)])
    information = blocks[_POWERS, _ENTRIES]
    information[2, 2] += 1 / _TREND_SD[0] ** 2
    information[3, 3] += 1 / _TREND_SD[1] ** 2
    line = np.linalg.solve(information, np.concatenate([right.sum(axis=1), (right * design).sum(axis=1)]))
    return line, information


def _spread(off: Array, precision: Array, weight: Array, omega: Array) -> Array:
    """Ω of the next round from the posterior means and covariances of the deviations."""
    ss, sq, qq = precision.T
    pulled = np.column_stack([ss * off[:, 0] + sq * off[:, 1], sq * off[:, 0] + qq * off[:, 1]])
    inner = (weight[:, None] * _outer(pulled) - precision).sum(axis=0)[[[0, 1], [1, 2]]]
    old = omega[[[0, 1], [1, 2]]]
    change = old @ inner @ old
    n = len(off)
    spread: Array = (n * omega + change[[0, 0, 1], [0, 1, 1]] + 2 * _FLOOR) / (n + 2)
    return spread


def _mean_covariance(design: Array, information: Array) -> Array:
    inverse = np.linalg.inv(information)
    level, both, trend = inverse[:2, :2], inverse[:2, 2:] + inverse[2:, :2], inverse[2:, 2:]
    parts = [level[i, j] + design * both[i, j] + design**2 * trend[i, j] for i, j in ((0, 0), (0, 1), (1, 1))]
    return np.column_stack(parts)
