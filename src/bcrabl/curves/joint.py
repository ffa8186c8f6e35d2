"""Cq of the curves of one target on one plate from what they share: the joint estimator.

Symbols: n curves, m cycles; model and θ = (ln s, x0, q) as in `bcrabl.curves.joint_fit`.

Amplicon, primers and cycler are the same in every well of a target on a plate, hence so is the shape of the curves, up
to a small spread and a drift with the cycle. Each curve alone knows its shape badly and pays for it in its Cq. So:

1. each curve is fitted alone, up to eight cycles past its steepest rise (the plateau says nothing about the template),
   with weights from the plate's noise: V = s²·(a + b·g²), s² of each curve shrunk to the plate's median;
2. the shapes found give the group's mean shape, trend and spread Ω (`bcrabl.curves.joint_shapes`);
3. each curve is fitted again with this distribution as its prior (empirical Bayes). A curve whose own shape lies
   far off is let go in proportion: its Cq stays its own, and it is flagged, not bent to the others;
4. the Cq is the cycle at which the fitted curve reaches a tenth of its own rise. A relative level leaves out what
   makes plateaus differ between wells (Guescini 2008, BMC Bioinformatics 9:326);
   of the rise's deviation from the group a small part, κ = -.10 cycle per doubling, is given back.

The estimate of a curve depends on its group and on nothing else; curves are sorted before anything is summed, so
the order of the wells does not change a bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.curves.joint_fit import (
    Prior,
    State,
    covariance,
    fit_with_prior,
    project,
    read_with,
)
from bcrabl.curves.joint_shapes import GroupShape, describe_shapes, inverse_2x2, theil_sen_slopes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bcrabl.curves.sigmoid import SigmoidFit

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["LEAST_CURVES", "RELATIVE_LEVEL", "SHAPE_OUTLIER", "JointEstimate", "estimate_jointly"]

RELATIVE_LEVEL = 0.10  # share of the curve's own rise at which its Cq is read
LEAST_CURVES = 4  # below, a spread of shapes cannot be told from noise
SHAPE_OUTLIER = 13.8  # d²: one in a thousand of a χ² with two degrees of freedom
_CYCLES_PAST_THE_RISE = 8.0
_LEAST_READINGS = 6
_RISE_SHARE = -0.10  # κ, cycles of Cq per doubling of the rise above what the group expects
_RISE_SHARE_SD = 0.36  # how much κ differs between assays: enters the standard error
_RISE_CLIP = 2.5  # MADs
_NOISE_DEGREES_OF_FREEDOM = 10.0  # the plate's noise stands for so many readings of each curve
_LEAST_NOISE = 1e-7  # SD as a share of the rise: noise-free curves keep finite weights
_OWN_SHAPE_PRECISION = (1 / 0.5**2, 0.0, 1 / 1.0**2)  # holds a curve near its own free fit where it says nothing
_NORMAL_OVER_T = 1.376  # covariance of normal deviations in two dimensions over the Ω that a t₄ fit finds for them
_NORMAL_MAD = 1.4826


@dataclass(frozen=True)
class JointEstimate:
    """What was estimated for n curves, each array (n,).

    Parameters
    ----------
    cq : cycles; NaN for a curve that does not amplify (or for which there is no fit at all).
    cq_sd : standard error of the reading, cycles: noise, the group's shape, and how far its rise deviates. What
        pipetting and the Poisson distribution of templates add between tubes is not in it.
    shape_distance : d², squared distance of the curve's own shape from its group's; NaN where `alone`.
    shape_outlier : d² > 13.8: the well differs (inhibition, wrong product, bubble). Its Cq is its own.
    rise_deviation : doublings by which the rise exceeds what the group expects at this Cq; zero where `alone`.
    level : signal above the baseline at which the curve was read, a tenth of its fitted rise, a.u.
    alone : amplified, but without a group (fewer than four curves) or without a rising fit: cq is the crossing of the
        free fit with a tenth of its own rise.
    """

    cq: Array
    cq_sd: Array
    shape_distance: Array
    shape_outlier: Mask
    rise_deviation: Array
    level: Array
    alone: Mask


class _Alone(NamedTuple):
    """The free fits of n curves: θ (n, 3), baseline and rise (n,), and the noise variance of each (n,), a.u.²."""

    theta: Array
    baseline: Array
    rise: Array
    variance: Array


def estimate_jointly(
    cycles: ArrayLike, fluorescence: ArrayLike, fit: SigmoidFit, amplified: NDArray[np.bool_]
) -> JointEstimate:
    """Estimate the Cq of all amplified curves of one target on one plate together.

    Parameters
    ----------
    cycles : (m,) rising cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    fit : the free fits of the same n curves (`bcrabl.curves.sigmoid.fit_sigmoid`).
    amplified : (n,) which curves have a Cq; only they make up the group.

    Returns
    -------
    JointEstimate with arrays of length n. No amplified curve is lost: one that cannot take part in the group, or
    has no group of at least four, is read on its own free fit and marked `alone`.
    """
    x, y = np.asarray(cycles, dtype=np.float64), np.asarray(fluorescence, dtype=np.float64)
    wanted = np.asarray(amplified, dtype=bool)
    figures = np.column_stack([fit.steepest, fit.rise, fit.slope, fit.asymmetry, fit.baseline, fit.rss])
    fitted = wanted & np.isfinite(figures).all(axis=1)
    group = fitted & (fit.rise > 0)
    if group.sum() < LEAST_CURVES:
        group = np.zeros(len(y), dtype=bool)
    single = fitted & ~group
    cq, cq_sd, distance, deviation, level = (np.full(len(y), np.nan) for _ in range(5))
    if single.any():
        cq[single], cq_sd[single], level[single] = _read_alone(x, y[single], fit, single)
        deviation[single] = 0.0
    if group.any():
        # a fixed order makes sums, and with them every bit, independent of where the wells stand
        members = np.flatnonzero(group)
        members = members[np.lexsort(figures[members].T[::-1])]
        found = _read_group(x, y[members], _alone(y[members], fit, members))
        cq[members], cq_sd[members], distance[members], deviation[members], level[members] = found
    outlier = np.nan_to_num(distance, nan=0.0) > SHAPE_OUTLIER
    return JointEstimate(cq, cq_sd, distance, outlier, deviation, level, single)


def _alone(fluorescence: Array, fit: SigmoidFit, rows: NDArray[np.intp] | Mask) -> _Alone:
    rise = fit.rise[rows]
    theta = np.column_stack([np.log(fit.slope[rows]), fit.steepest[rows], 1 / fit.asymmetry[rows]])
    freedom = np.maximum(np.isfinite(fluorescence).sum(axis=1) - 5, 1)
    variance = np.maximum(fit.rss[rows] / freedom, (_LEAST_NOISE * rise) ** 2)
    return _Alone(theta, fit.baseline[rows], rise, variance)


def _read_alone(x: Array, y: Array, fit: SigmoidFit, rows: Mask) -> tuple[Array, Array, Array]:
    """Cq, its standard error and level of curves without a group, from their free fits."""
    alone = _alone(y, fit, rows)
    readings = read_with(x, y, np.isfinite(y) / alone.variance[:, None])
    state = project(readings, alone.theta, _nothing(alone.theta))
    variance = _quadratic(_sensitivity(alone.theta), covariance(state.normal))
    return _relative_crossing(alone.theta), np.sqrt(variance), RELATIVE_LEVEL * alone.rise


def _nothing(theta: Array) -> Prior:
    """The prior that says nothing."""
    return Prior(theta[:, ::2], np.zeros((len(theta), 3)))


def _read_group(x: Array, y: Array, alone: _Alone) -> tuple[Array, Array, Array, Array, Array]:
    """Cq, standard error, d², deviation of the rise and level of the curves of a group."""
    readings = read_with(x, y, _weights(x, y, alone))
    weak = Prior(alone.theta[:, ::2], np.broadcast_to(np.array(_OWN_SHAPE_PRECISION), (len(y), 3)))
    own, _ = fit_with_prior(readings, alone.theta, weak)
    error = covariance(project(readings, own, _nothing(own)).normal)[:, [0, 2, 5]]
    group = describe_shapes(own[:, 1], own[:, ::2], error)
    # an outlying curve is released; none is held more tightly than the group's spread says
    prior = Prior(group.mean, np.minimum(group.weight, 1.0)[:, None] * inverse_2x2(group.omega))
    theta, state = fit_with_prior(readings, own, prior)
    relative = _relative_crossing(theta)
    rise = np.where(state.rise > 0, state.rise, alone.rise)
    deviation = _rise_deviation(relative, np.log(rise)) / np.log(2)
    variance = _variance(theta, state, prior, group) + (_RISE_SHARE_SD * deviation) ** 2
    cq = relative + _RISE_SHARE * deviation
    return cq, np.sqrt(variance), group.distance, deviation, RELATIVE_LEVEL * rise


def _weights(x: Array, y: Array, alone: _Alone) -> Array:
    """(n, m) 1/variance of every reading that counts, from the noise of the curve and the noise profile of the plate.

    Each curve's variance is shrunk to the group's median; where noise grows with the signal, V = s²·(a + b·g²) with g
    the share of the rise reached.
    """
    present = np.isfinite(y)
    counted = present & (x <= alone.theta[:, 1:2] + _CYCLES_PAST_THE_RISE)
    counted = np.where((counted.sum(axis=1) >= _LEAST_READINGS)[:, None], counted, present)
    freedom = np.maximum(present.sum(axis=1) - 5, 1)
    relative = alone.variance / alone.rise**2
    pooled = freedom * relative + _NOISE_DEGREES_OF_FREEDOM * np.median(relative)
    variance = pooled / (freedom + _NOISE_DEGREES_OF_FREEDOM) * alone.rise**2
    s, q = np.exp(alone.theta[:, :1]), alone.theta[:, 2:]
    share = np.exp(-np.log1p(q * np.exp(np.clip(-s * (x - alone.theta[:, 1:2]), -60.0, 60.0))) / q)
    residuals = np.where(present, y - alone.baseline[:, None] - alone.rise[:, None] * share, 0.0)
    a, b = _noise_profile(np.minimum(residuals**2 / alone.variance[:, None], 9.0), share**2, present, counted)
    weights: Array = counted / (variance[:, None] * (a + b * share**2))
    return weights


def _noise_profile(power: Array, share_squared: Array, present: Mask, counted: Mask) -> tuple[float, float]:
    """a and b of V/s² = a + b·g² from squared residuals below .05 and above .3 of the rise."""
    low, high = present & (share_squared < 0.05**2), counted & (share_squared > 0.3**2)
    few = 10
    if not low.any():
        return 1.0, 0.0
    quiet = float(power[low].mean())
    if low.sum() <= few or high.sum() <= few:
        return max(quiet, 0.05), 0.0
    growth = (float(power[high].mean()) - quiet) / float(share_squared[high].mean())
    return max(quiet, 0.05), max(growth, 0.0)


def _relative_crossing(theta: Array) -> Array:
    """(n,) cycle at which the curve reaches `RELATIVE_LEVEL` of its rise."""
    q = theta[:, 2]
    crossing: Array = theta[:, 1] - np.log(np.expm1(-q * np.log(RELATIVE_LEVEL)) / q) / np.exp(theta[:, 0])
    return crossing


def _sensitivity(theta: Array) -> Array:
    """(n, 3) derivatives of the relative crossing in (ln s, x0, q)."""
    s, q = np.exp(theta[:, 0]), theta[:, 2]
    grown = -np.log(RELATIVE_LEVEL)
    less_one = np.expm1(grown * q)
    to_q = -(grown * (less_one + 1) / less_one - 1 / q) / s
    return np.column_stack([np.log(less_one / q) / s, np.ones_like(s), to_q])


def _quadratic(vector: Array, matrix: Array) -> Array:
    """(n,) vᵀ·M·v of (n, 3) vectors and symmetric (n, 6) matrices."""
    a, b, c = vector.T
    m00, m01, m02, m11, m12, m22 = matrix.T
    value: Array = m00 * a * a + m11 * b * b + m22 * c * c + 2 * (m01 * a * b + m02 * a * c + m12 * b * c)
    return value


def _variance(theta: Array, state: State, prior: Prior, group: GroupShape) -> Array:
    """(n,) variance of the crossing: the curve's own, and what the uncertain mean and spread of the shapes add."""
    inverse, g = covariance(state.normal), _sensitivity(theta)
    own = _quadratic(g, inverse)
    to_s = inverse[:, 0] * g[:, 0] + inverse[:, 1] * g[:, 1] + inverse[:, 2] * g[:, 2]
    to_q = inverse[:, 2] * g[:, 0] + inverse[:, 4] * g[:, 1] + inverse[:, 5] * g[:, 2]
    ss, sq, qq = prior.precision.T
    by_s, by_q = ss * to_s + sq * to_q, sq * to_s + qq * to_q
    # by how much the true spread of shapes may exceed what the prior takes it for: t₄ scale, and few curves to judge by
    n = len(theta)
    understated = np.maximum(_NORMAL_OVER_T * n / max(n - 4, n / 2) - 1 / np.minimum(group.weight, 1.0), 0.0)
    c_ss, c_sq, c_qq = (group.mean_covariance + understated[:, None] * group.omega).T
    shared: Array = c_ss * by_s**2 + 2 * c_sq * by_s * by_q + c_qq * by_q**2
    return own + shared


def _rise_deviation(cq: Array, log_rise: Array) -> Array:
    """(n,) deviation of ln rise from its median line over the Cq, clipped at 2.5 MADs."""
    off = log_rise - theil_sen_slopes(cq, log_rise[None]) * cq
    off = off - np.median(off)
    most = _RISE_CLIP * _NORMAL_MAD * np.median(np.abs(off))
    clipped: Array = np.clip(off, -most, most)
    return clipped
