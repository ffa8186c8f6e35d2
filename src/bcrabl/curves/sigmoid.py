"""Four- and five-parameter sigmoid (Richards) fits of all curves of a plate at once.

Symbols: n curves, m cycles; x cycle, z abscissa (x, or ln x), F signal.

    F(z) = c + d · (1 + exp(-s (z - e)))^(-f)

c baseline and d plateau rise (a.u.), s slope (1/z), e position (z), f asymmetry (Spiess, Feig, Ritz 2008, BMC
Bioinformatics 9:221, the five-parameter logistic; on z = ln x the log-logistic). Inside, the shape is written with the
place z0 = e + ln(f)/s of the steepest rise against z and q = 1/f, which stays regular when f grows (q → 0 is the
Gompertz curve). A curve gives the same bits alone and among ten thousand others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.arrays import numbers
from bcrabl.curves import landmarks
from bcrabl.curves.blocks import rows_of
from bcrabl.curves.checks import checked_curves
from bcrabl.curves.sigmoid_shape import SEARCHED_SLOPES, Axis, make_axis, row_dot, unit_sigmoid
from bcrabl.curves.sigmoid_solver import Curves, Point, best_of_grid, covariance, solve
from bcrabl.errors import Problem, RunError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["LANDMARKS", "SigmoidFit", "fit_sigmoid", "five_parameter_second_derivative"]

LANDMARKS = ("first_derivative_maximum", "second_derivative_maximum", "cy0", "relative_crossing")

_LEAST_CYCLES = 6
_NO_RISE = 1e-200
_CURVES_AT_ONCE = 384  # a chunk's arrays stay in the cache
_FIRST_ITERATIONS = 15
_ROUNDS = ((5, 20), (10, 6), (200, 1))  # of the search: iterations, and how many starts of a curve live on
_UNEXPLAINED = 0.02  # share of its sum of squares a good fit of an amplification never leaves


@dataclass(frozen=True)
class SigmoidFit:
    """What the fit of n curves gave.

    Parameters
    ----------
    baseline, rise : (n,) c and d, a.u.
    slope : (n,) s, 1/cycle; per unit of ln(cycle) where that is the abscissa.
    steepest : (n,) z0, cycle of the steepest rise; its logarithm where ln(cycle) is the abscissa.
    asymmetry : (n,) f.
    rss : (n,) weighted residual sum of squares, a.u.² times weight.
    converged : (n,) False where the fit stopped for want of iterations or had nothing to fit (all NaN then).
    at_bound : (n,) slope, position or asymmetry was stopped by its bound, and counts as known in the covariance.
    misplaced : (n,) it was the position: the curve rises outside the cycles, nobody knows where.
    covariance : (n, 5, 5) covariance of (c, d, ln s, z0, q = 1/f) from the residual variance rss / (readings − free
        parameters); rows and columns of parameters that were held are zero; NaN where the curve cannot tell.
    abscissa : "cycle" or "log_cycle".
    """

    baseline: Array
    rise: Array
    slope: Array
    steepest: Array
    asymmetry: Array
    rss: Array
    converged: Mask
    at_bound: Mask
    misplaced: Mask
    covariance: Array
    abscissa: str = "cycle"

    @property
    def parameters(self) -> Array:
        """(n, 5) array (c, d, s, e, f) of the formula above."""
        e = self.steepest - np.log(self.asymmetry) / self.slope
        return np.column_stack([self.baseline, self.rise, self.slope, e, self.asymmetry])

    @property
    def shape(self) -> landmarks.Shape:
        """The shapes as `bcrabl.curves.landmarks` takes them."""
        return landmarks.Shape(np.log(self.slope), self.steepest, 1 / self.asymmetry, self.abscissa == "log_cycle")

    def above_baseline(self, cycles: Array) -> Array:
        """(n, k) fitted signal above the baseline c at cycles of shape (k,) or (n, k)."""
        x = np.atleast_2d(cycles)
        table = np.column_stack(self.shape[:3])
        value = unit_sigmoid(np.log(x) if self.shape.logarithmic else x, table)[0]
        value[value < _NO_RISE] = 0.0  # ratios of what lies below would overflow
        return self.rise[:, None] * value

    def first_derivative_maximum(self) -> Array:
        """(n,) cycle of the steepest rise."""
        return landmarks.first_derivative_maximum(self.shape)

    def second_derivative_maximum(self) -> Array:
        """(n,) cycle at which the fitted curve's acceleration is largest."""
        return landmarks.second_derivative_maximum(self.shape)

    def third_derivative_maximum(self) -> Array:
        """(n,) cycle at which the fitted curve takes off; NaN on ln(cycle)."""
        return landmarks.third_derivative_maximum(self.shape)

    def cy0(self) -> Array:
        """(n,) cycle at which the tangent of the steepest rise meets the baseline (Guescini 2008, BMC Bioinf 9:326)."""
        return landmarks.cy0(self.shape)

    def relative_crossing(self, share: float | Array) -> Array:
        """(n,) cycle at which the rise reaches a share (0 to 1; one, or one per curve) of itself."""
        return landmarks.relative_crossing(self.shape, share)

    def standard_error_of(self, landmark: str, share: float | Array | None = None) -> Array:
        """(n,) standard error of a landmark by the delta method, cycles: the noise of the readings, no pipetting.

        Parameters
        ----------
        landmark : one of `LANDMARKS`.
        share : for `relative_crossing`.
        """
        if landmark not in LANDMARKS or (landmark == "relative_crossing") != (share is not None):
            expected = f"one of {', '.join(LANDMARKS)}; a share for relative_crossing only"
            raise RunError(Problem("landmark", f"{landmark!r}, share {share}", expected))
        function = getattr(landmarks, landmark)
        if share is not None:
            function = partial(landmarks.relative_crossing, share=share)
        return landmarks.standard_error(function, self.shape, self.covariance[:, 2:, 2:])


def fit_sigmoid(
    cycles: ArrayLike,
    fluorescence: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    abscissa: str = "cycle",
    symmetric: bool = False,
    searched: ArrayLike | None = None,
    near: SigmoidFit | None = None,
) -> SigmoidFit:
    """Fit the five-parameter sigmoid to every curve by least squares.

    Parameters
    ----------
    cycles : (m,) array of rising cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    weights : (n, m) array, inverse variances up to a factor per curve; 0 leaves a reading out. None: all alike.
    abscissa : "cycle", or "log_cycle" for the log-logistic curve.
    symmetric : hold f = 1: the four-parameter curve.
    searched : (n,) curves whose poor fit is worth many more starts; None: all. A flat well's is not, and takes longest.
    near : fits of nearly the same n curves, to start from; None: from the best of a grid of shapes.

    Returns
    -------
    SigmoidFit with arrays of length n; NaN for a curve without range or with fewer than six cycles.

    Raises
    ------
    RunError : no curves; weights that are negative, missing or of another shape; unknown abscissa; ln of a cycle that
        is not positive.
    """
    x, y = checked_curves(cycles, fluorescence)
    w = None if weights is None else _checked(numbers("weights", weights), y.shape)
    axis = make_axis(x, abscissa, symmetric)
    free = np.array((1.0, 1.0, 0.0 if symmetric else 1.0))
    found = _Found(len(y))
    chunks = [np.arange(begin, min(begin + _CURVES_AT_ONCE, len(y))) for begin in range(0, len(y), _CURVES_AT_ONCE)]
    for rows in chunks:
        curves = found.prepare(rows, y, w)
        some = found.fittable[rows]
        curves = curves.rows(some)
        start = _start(curves, axis, None if near is None else rows_of(near, rows[some]))
        found.keep(rows[some], solve(curves, axis, start, free, _FIRST_ITERATIONS))
    worth = np.ones(len(y), dtype=bool) if searched is None else np.asarray(searched, dtype=bool)
    again = np.flatnonzero(found.suspicious(axis) & worth)
    searching = make_axis(x, abscissa, symmetric, searching=True)
    for begin in range(0, len(again), _CURVES_AT_ONCE // 8):
        rows = again[begin : begin + _CURVES_AT_ONCE // 8]
        found.keep(rows, _search(found.prepare(rows, y, w), searching, found.shape[rows], free))
    return found.fit(axis, free, abscissa)


def _start(curves: Curves, axis: Axis, near: SigmoidFit | None) -> Array:
    """(n, 3) shapes to start from."""
    if near is None:
        best: Array = axis.grid[best_of_grid(curves, axis, 1)[0][:, 0]]
        return best
    start: Array = np.clip(np.column_stack(near.shape[:3]), axis.lowest, axis.highest)
    unknown = np.flatnonzero(~np.isfinite(start).all(axis=1))
    if unknown.size:
        start[unknown] = axis.grid[best_of_grid(curves.rows(unknown), axis, 1)[0][:, 0]]
    return start


def _checked(weights: Array, wanted: tuple[int, ...]) -> Array:
    if weights.shape != wanted:
        raise RunError(Problem("weights", f"shape {weights.shape}", f"shape {wanted}, that of the fluorescence"))
    if not np.all(weights >= 0):
        raise RunError(Problem("weights", "a negative weight or none", "0 for a reading to leave out, else positive"))
    return weights


def _search(curves: Curves, axis: Axis, earlier: Array, free: Array) -> tuple[Array, Point, Mask]:
    """The best of many starts: the earlier fit, and the best shape of each slope and skew, rising and falling."""
    groups = len(SEARCHED_SLOPES) * (3 if free[2] else 1)
    picks = np.concatenate(best_of_grid(curves, axis, groups), axis=1)
    starts = np.concatenate([earlier[:, None, :], axis.grid[picks]], axis=1)
    n = len(earlier)
    for iterations, survivors in _ROUNDS:
        per_curve = starts.shape[1]
        owner = np.repeat(np.arange(n), per_curve)
        shape, point, settled = solve(curves.rows(owner), axis, starts.reshape(-1, 3), free, iterations)
        order = np.argsort(point.rss.reshape(n, per_curve), axis=1, kind="stable")[:, :survivors]
        best = (order + per_curve * np.arange(n)[:, None]).ravel()
        starts = shape[best].reshape(n, -1, 3)
    return shape[best], Point(point.table[best]), settled[best]


class _Found:
    """What is known of each of n curves while they are fitted, chunk by chunk."""

    def __init__(self, n: int) -> None:
        self.shape = np.full((n, 3), np.nan)
        self.table = np.full((n, 19), np.nan)
        self.settled = np.zeros(n, dtype=bool)
        self.fittable = np.zeros(n, dtype=bool)
        self.middle, self.scale, self.heaviest, self.total, self.power, self.readings = np.empty((6, n))

    def prepare(self, rows: NDArray[np.intp], fluorescence: Array, weights: Array | None) -> Curves:
        """Scale some rows to unit range about their mean, and note how."""
        y = fluorescence[rows]
        present = np.isfinite(y)
        if weights is not None:
            present &= weights[rows] > 0
        count = present.sum(axis=1)
        low = np.where(present, y, np.inf).min(axis=1, initial=np.inf)
        high = np.where(present, y, -np.inf).max(axis=1, initial=-np.inf)
        fittable = (count >= _LEAST_CYCLES) & (high > low)
        low, scale = np.where(fittable, low, 0.0), np.where(fittable, high - low, 1.0)
        weight = np.where(present, 1.0 if weights is None else weights[rows], 0.0)
        heaviest = np.where(count > 0, weight.max(axis=1, initial=0.0), 1.0)
        weight /= heaviest[:, None]
        total = np.where(count > 0, weight.sum(axis=1), 1.0)
        scaled = np.where(present, (y - low[:, None]) / scale[:, None], 0.0)
        mean = row_dot(scaled, weight) / total
        signal = np.where(present, scaled - mean[:, None], 0.0)
        self.fittable[rows], self.readings[rows], self.heaviest[rows] = fittable, count, heaviest
        self.middle[rows], self.scale[rows], self.total[rows] = low + scale * mean, scale, total
        self.power[rows] = row_dot(signal * weight, signal)
        return Curves(signal, weight, total)

    def keep(self, rows: NDArray[np.intp], solved: tuple[Array, Point, Mask]) -> None:
        """Note what a solution gave for some rows."""
        self.shape[rows], self.settled[rows] = solved[0], solved[2]
        self.table[rows] = solved[1].table

    def at_bound(self, axis: Axis) -> Mask:
        """(n, 3) which shape parameters were stopped by their bounds."""
        held: Mask = (self.shape <= axis.lowest) | (self.shape >= axis.highest)
        return held

    def suspicious(self, axis: Axis) -> Mask:
        """(n,) fits that another start may better."""
        poor = self.table[:, 3] > _UNEXPLAINED * self.power
        suspect: Mask = (poor | ~self.settled | self.at_bound(axis)[:, :2].any(axis=1)) & self.fittable
        return suspect

    def fit(self, axis: Axis, free: Array, abscissa: str) -> SigmoidFit:
        """The result in the units of the curves."""
        point, blank = Point(self.table), np.where(self.fittable, 1.0, np.nan)
        held = self.at_bound(axis)
        estimated = np.where(held, 0.0, free)
        freedom = np.maximum(self.readings - 2 - estimated.sum(axis=1), 1)
        spread = np.empty((len(blank), 5, 5))
        for begin in range(0, len(blank), _CURVES_AT_ONCE):
            rows = slice(begin, begin + _CURVES_AT_ONCE)
            unit = np.ones((len(blank[rows]), 5))
            unit[:, :2] = self.scale[rows, None]
            unit *= np.sqrt(point.rss[rows] / freedom[rows])[:, None]
            spread[rows] = covariance(Point(self.table[rows]), self.total[rows], estimated[rows])
            spread[rows] *= unit[:, :, None] * unit[:, None, :] * blank[rows, None, None]
        return SigmoidFit(
            baseline=(self.middle - self.scale * point.amplitude * point.mean_shape) * blank,
            rise=self.scale * point.amplitude * blank,
            slope=np.exp(self.shape[:, 0]) * blank,
            steepest=self.shape[:, 1] * blank,
            asymmetry=1.0 / self.shape[:, 2] * blank,
            rss=point.rss * self.scale**2 * self.heaviest * blank,
            converged=self.settled & self.fittable,
            at_bound=held.any(axis=1) & self.fittable,
            misplaced=held[:, 1] & self.fittable,
            covariance=spread,
            abscissa=abscissa,
        )


def five_parameter_second_derivative(cycles: ArrayLike, fluorescence: ArrayLike) -> Array:
    """(n,) quantification cycle "5PSM": second derivative maximum of the five-parameter log-logistic curve.

    The method of qpcR (Ritz & Spiess 2008, Bioinformatics 24:1549) as published for the Vermeulen data set (Ruijter et
    al. 2013, Methods 59:32): unweighted fit against ln(cycle), then the largest second derivative against the cycle on
    the grid 1, 1.01, … up to the curve's last cycle. NaN where there is no fit.

    Parameters
    ----------
    cycles : (m,) array of rising, positive cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    """
    x, y = np.asarray(cycles, dtype=np.float64), np.asarray(fluorescence, dtype=np.float64)
    fit = fit_sigmoid(x, y, abscissa="log_cycle")
    last = np.where(np.isfinite(y), x, x[0]).max(axis=1, initial=x[0])
    return landmarks.second_derivative_argmax(fit.shape, float(x[0]), last)
