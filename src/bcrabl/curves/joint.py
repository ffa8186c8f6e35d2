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

Given references (the standards), every curve is held against them (`bcrabl.curves.inhibition`): one that is slower or
lower is suspected of inhibition and takes no part in step 2. On a plate of inhibited samples nothing else can tell.

The estimate of a curve depends on its group and on nothing else; curves are sorted before anything is summed, so
the order of the wells does not change a bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.curves.blocks import JudgedReadings, as_readings, blocks_of
from bcrabl.curves.inhibition import (
    LEAST_REFERENCES,
    Figures,
    compare,
    describe_figures,
    describe_references,
    inhibited,
)
from bcrabl.curves.joint_crossing import RELATIVE_LEVEL, quadratic, relative_crossing, sensitivity
from bcrabl.curves.joint_fit import (
    Prior,
    Readings,
    State,
    covariance,
    fit_with_prior,
    project,
    read_with,
    rise_covariance,
)
from bcrabl.curves.joint_noise import (
    FreeFits,
    Serial,
    baseline_slopes,
    drift_variance,
    noise_profile,
    noise_sums,
    serial_factor,
    serial_sums,
    weigh,
)
from bcrabl.curves.joint_shapes import GroupShape, describe_shapes, evenly_chosen, inverse_2x2, theil_sen_slopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from bcrabl.curves.sigmoid import SigmoidFit

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Rows = NDArray[np.intp]

__all__ = ["LEAST_CURVES", "RELATIVE_LEVEL", "SHAPE_OUTLIER", "JointEstimate", "estimate_jointly"]

LEAST_CURVES = 4  # below, a spread of shapes cannot be told from noise
SHAPE_OUTLIER = 13.8  # d²: one in a thousand of a χ² with two degrees of freedom
_CURVES_AT_ONCE = 4096  # bounds the memory; no result depends on it
_MOST_TOGETHER = 32768  # of a larger group every second, third, … curve in their order is a group: as telling
_RISE_SHARE = -0.10  # κ, cycles of Cq per doubling of the rise above what the group expects
_RISE_SHARE_SD = 0.36  # how much κ differs between assays: enters the standard error
_RISE_CLIP = 2.5  # MADs
_LEAST_NOISE = 1e-7  # SD as a share of the rise: noise-free curves keep finite weights
_OWN_SHAPE_PRECISION = (1 / 0.5**2, 0.0, 1 / 1.0**2)  # holds a curve near its own free fit where it says nothing
_NORMAL_OVER_T = 1.376  # covariance of normal deviations in two dimensions over the Ω that a t₄ fit finds for them
_NORMAL_MAD = 1.4826
_COLUMNS = (
    "cq",
    "cq_sd",
    "level",
    "rise_deviation",
    "shape_distance",
    "growth_z",
    "rise_z",
    "growth_ratio",
    "rise_ratio",
    "reference_distance",
)
_JUDGED = [0, 1, 4]  # of the five columns of a `Comparison`: the two z and d²


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
    growth_z, rise_z : normal SDs by which growth at the Cq and rise differ from the references'; negative where slower
        or lower; NaN where there are fewer than six references (see `bcrabl.curves.inhibition`).
    growth_ratio, rise_ratio : growth and rise over what the references lead one to expect; NaN likewise.
    reference_distance : d² of growth, duration of the rise and rise from the references', NaN likewise.
    inhibition_suspected : growth_z or rise_z below -2.81, or both together below zero and d² > 16.27: slower or lower
        than chance allows.
    """

    cq: Array
    cq_sd: Array
    shape_distance: Array
    shape_outlier: Mask
    rise_deviation: Array
    level: Array
    alone: Mask
    growth_z: Array
    rise_z: Array
    growth_ratio: Array
    rise_ratio: Array
    reference_distance: Array
    inhibition_suspected: Mask


class _Group(NamedTuple):
    """The curves of a group in a fixed order; `reference`, those that say what its curves look like."""

    cycles: Array
    fluorescence: Array | JudgedReadings
    members: Rows
    free: FreeFits
    reference: Mask
    median: float
    profile: tuple[float, float]
    drift: float

    def blocks(self) -> Iterator[slice]:
        """Some curves after the other."""
        return (slice(k, k + _CURVES_AT_ONCE) for k in range(0, len(self.members), _CURVES_AT_ONCE))

    def readings(self, rows: slice) -> Readings:
        """Some curves with their weights."""
        y = self.fluorescence[self.members[rows]]
        return read_with(self.cycles, y, weigh(self.cycles, y, self.free.rows(rows), self.median, self.profile))


class _Own(NamedTuple):
    """Each curve fitted alone: θ (n, 3), covariance of (ln s, q) (n, 3), and the figures that tell inhibition."""

    theta: Array
    error: Array
    figure: Array
    figure_error: Array


class _Reading(NamedTuple):
    """Each curve fitted with the group's shape: crossing, rise, variance by white noise, and the parts of `Serial`."""

    relative: Array
    rise: Array
    variance: Array
    products: Array
    influence: Array
    drift: Array


def estimate_jointly(
    cycles: ArrayLike,
    fluorescence: ArrayLike | JudgedReadings,
    fit: SigmoidFit,
    amplified: NDArray[np.bool_],
    *,
    reference: NDArray[np.bool_] | None = None,
) -> JointEstimate:
    """Estimate the Cq of all amplified curves of one target on one plate together.

    Parameters
    ----------
    cycles : (m,) rising cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    fit : the free fits of the same n curves (`bcrabl.curves.sigmoid.fit_sigmoid`).
    amplified : (n,) which curves have a Cq; only they make up the group.
    reference : (n,) curves known to be uninhibited, such as the standards. Every curve is held against them, and shape
        and rise of the group are those of the references and of the curves that do not fall behind them. Fewer than
        six of them amplified, or None: all amplified curves.

    Returns
    -------
    JointEstimate with arrays of length n. No amplified curve is lost: one that cannot take part in the group, or
        has no group of at least four, is read on its own free fit and marked `alone`.
    """
    x, y = np.asarray(cycles, dtype=np.float64), as_readings(fluorescence)
    wanted = np.asarray(amplified, dtype=bool)
    figures = np.column_stack([fit.steepest, fit.rise, fit.slope, fit.asymmetry, fit.baseline, fit.rss])
    fitted = wanted & np.isfinite(figures).all(axis=1)
    group = fitted & (fit.rise > 0)
    if group.sum() < LEAST_CURVES:
        group = np.zeros(len(y), dtype=bool)
    single = fitted & ~group
    found = np.full((len(y), len(_COLUMNS)), np.nan)
    if single.any():
        found[single, :3] = np.column_stack(_read_alone(x, y[single], fit, single))
        found[single, 3] = 0.0
    if group.any():
        # a fixed order makes sums, and with them every bit, independent of where the wells stand
        members = np.flatnonzero(group)
        members = members[np.lexsort(figures[members].T[::-1])]
        known = np.zeros(len(y), dtype=bool) if reference is None else np.asarray(reference, dtype=bool)
        parts = -(-len(members) // _MOST_TOGETHER)
        for part in (members[k::parts] for k in range(parts)):
            found[part] = np.column_stack(_read_group(_group(x, y, part, fit, known[part])))
    columns = dict(zip(_COLUMNS, np.ascontiguousarray(found.T), strict=True))
    outlier = np.nan_to_num(columns["shape_distance"], nan=0.0) > SHAPE_OUTLIER
    suspected = inhibited(columns["growth_z"], columns["rise_z"], columns["reference_distance"])
    return JointEstimate(**columns, shape_outlier=outlier, inhibition_suspected=suspected, alone=single)


def _group(x: Array, y: Array | JudgedReadings, members: Rows, fit: SigmoidFit, reference: Mask) -> _Group:
    if reference.sum() < LEAST_REFERENCES:
        reference = np.ones(len(members), dtype=bool)
    free = _free_fits(_number_of_readings(y)[members], fit, members)
    group = _Group(x, y, members, free, reference, float(np.median(free.variance / free.rise**2)), (1.0, 0.0), 0.0)
    slopes = np.concatenate([baseline_slopes(x, y[members[rows]], free.rows(rows)) for rows in group.blocks()])
    sums = np.concatenate([noise_sums(x, y[members[rows]], free.rows(rows)) for rows in group.blocks()])
    return group._replace(profile=noise_profile(sums), drift=drift_variance(slopes))


def _number_of_readings(y: Array | JudgedReadings) -> NDArray[np.intp]:
    return np.concatenate([np.isfinite(y[rows]).sum(axis=1) for rows in blocks_of(len(y))])


def _free_fits(readings: NDArray[np.intp], fit: SigmoidFit, rows: Rows | Mask) -> FreeFits:
    rise = fit.rise[rows]
    theta = np.column_stack([np.log(fit.slope[rows]), fit.steepest[rows], 1 / fit.asymmetry[rows]])
    variance = np.maximum(fit.rss[rows] / np.maximum(readings - 5, 1), (_LEAST_NOISE * rise) ** 2)
    return FreeFits(theta, fit.baseline[rows], rise, variance)


def _read_alone(x: Array, y: Array, fit: SigmoidFit, rows: Mask) -> tuple[Array, Array, Array]:
    """Cq, its standard error and level of curves without a group, from their free fits."""
    free = _free_fits(np.isfinite(y).sum(axis=1), fit, rows)
    readings = read_with(x, y, np.isfinite(y) / free.variance[:, None])
    state = project(readings, free.theta, _nothing(free.theta))
    variance = quadratic(sensitivity(free.theta), covariance(state.normal))
    return relative_crossing(free.theta), np.sqrt(variance), RELATIVE_LEVEL * free.rise


def _nothing(theta: Array) -> Prior:
    """The prior that says nothing."""
    return Prior(theta[:, ::2], np.zeros((len(theta), 3)))


def _read_group(group: _Group) -> tuple[Array, ...]:
    """The columns of `_COLUMNS` for the curves of a group."""
    n = len(group.members)
    own = _Own(*_collect(n, (_fit_alone(group, rows) for rows in group.blocks())))
    compared = _compare(group, own)
    # the group is made of the references and of all that look like them
    alike = group.reference | ~inhibited(*compared[:, _JUDGED].T)
    shapes = describe_shapes(own.theta[:, 1], own.theta[:, ::2], own.error, alike)
    # an outlying curve is released; none is held more tightly than the group's spread says
    prior = Prior(shapes.mean, np.minimum(shapes.weight, 1.0)[:, None] * inverse_2x2(shapes.omega))
    reading = _Reading(*_collect(n, (_fit_together(group, own, prior, shapes, rows) for rows in group.blocks())))
    deviation = _rise_deviation(reading.relative, np.log(reading.rise), alike) / np.log(2)
    correlated = reading.influence[:, 0] * (serial_factor(Serial(*reading[3:])) - 1)
    drift = group.drift * reading.drift**2
    variance = reading.variance + correlated + drift + (_RISE_SHARE_SD * deviation) ** 2
    cq = reading.relative + _RISE_SHARE * deviation
    level = RELATIVE_LEVEL * reading.rise
    return cq, np.sqrt(variance), level, deviation, shapes.distance, *compared.T


def _collect(n: int, blocks: Iterable[tuple[Array, ...]]) -> list[Array]:
    """The columns of all blocks of curves, each as one array."""
    whole: list[Array] = []
    begin = 0
    for block in blocks:
        whole = whole or [np.empty((n, *column.shape[1:])) for column in block]
        for filled, values in zip(whole, block, strict=True):
            filled[begin : begin + len(values)] = values
        begin += len(block[0])
    return whole


def _fit_alone(group: _Group, rows: slice) -> _Own:
    readings, start = group.readings(rows), group.free.theta[rows]
    weak = Prior(start[:, ::2], np.broadcast_to(np.array(_OWN_SHAPE_PRECISION), (len(start), 3)))
    theta, _ = fit_with_prior(readings, start, weak)
    state = project(readings, theta, _nothing(theta))
    rise = np.where(state.rise > 0, state.rise, group.free.rise[rows])
    error = covariance(state.normal)
    figures = describe_figures(theta, rise, error, rise_covariance(state, error), RELATIVE_LEVEL)
    return _Own(theta, error[:, [0, 2, 5]], *figures)


def _compare(group: _Group, own: _Own) -> Array:
    """(n, 5) growth and rise against the references, as in `Comparison`: two z, two ratios, d²."""
    if group.reference.sum() < LEAST_REFERENCES:
        return np.full((len(own.theta), 5), np.nan)
    position, known = own.theta[:, 1], evenly_chosen(group.reference)
    line = describe_references(position[known], Figures(own.figure[known], own.figure_error[known]))
    parts = (
        compare(line, position[rows], Figures(own.figure[rows], own.figure_error[rows])) for rows in group.blocks()
    )
    return np.concatenate([np.column_stack(part) for part in parts])


def _fit_together(group: _Group, own: _Own, prior: Prior, shapes: GroupShape, rows: slice) -> _Reading:
    readings, prior = group.readings(rows), prior.rows(rows)
    theta, state = fit_with_prior(readings, own.theta[rows], prior)
    rise = np.where(state.rise > 0, state.rise, group.free.rise[rows])
    serial = serial_sums(readings, theta, prior, sensitivity(theta))
    variance = _variance(theta, state, prior, shapes.rows(rows))
    return _Reading(relative_crossing(theta), rise, variance, *serial)


def _variance(theta: Array, state: State, prior: Prior, group: GroupShape) -> Array:
    """(n,) variance of the crossing: the curve's own, and what the uncertain mean and spread of the shapes add."""
    inverse, g = covariance(state.normal), sensitivity(theta)
    own = quadratic(g, inverse)
    to_s = inverse[:, 0] * g[:, 0] + inverse[:, 1] * g[:, 1] + inverse[:, 2] * g[:, 2]
    to_q = inverse[:, 2] * g[:, 0] + inverse[:, 4] * g[:, 1] + inverse[:, 5] * g[:, 2]
    ss, sq, qq = prior.precision.T
    by_s, by_q = ss * to_s + sq * to_q, sq * to_s + qq * to_q
    # by how much the true spread of shapes may exceed what the prior takes it for: t₄ scale, and few curves to judge by
    n = group.number
    understated = np.maximum(_NORMAL_OVER_T * n / max(n - 4, n / 2) - 1 / np.minimum(group.weight, 1.0), 0.0)
    c_ss, c_sq, c_qq = (group.mean_covariance + understated[:, None] * group.omega).T
    shared: Array = c_ss * by_s**2 + 2 * c_sq * by_s * by_q + c_qq * by_q**2
    return own + shared


def _rise_deviation(cq: Array, log_rise: Array, reference: Mask) -> Array:
    """(n,) deviation of ln rise from the references' median line over the Cq, clipped at 2.5 of their MADs."""
    off = log_rise - theil_sen_slopes(cq[reference], log_rise[None, reference]) * cq
    off = off - np.median(off[reference])
    most = _RISE_CLIP * _NORMAL_MAD * np.median(np.abs(off[reference]))
    clipped: Array = np.clip(off, -most, most)
    return clipped
