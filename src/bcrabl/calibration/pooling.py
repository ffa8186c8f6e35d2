"""The curve of this run, drawn towards those of earlier runs as far as runs resemble each other.

Symbols: θ = (level, slope) of a run, the level being the Cq at this run's mean log10 copies; S its covariance within
the run; T covariance between runs; μ their mean; N earlier runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import CalibrationError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bcrabl.calibration.curve import StandardCurve

    Array = NDArray[np.float64]

__all__ = ["LEAST_EARLIER_RUNS", "PooledCurve", "pool_standard_curves"]

LEAST_EARLIER_RUNS = 5
"""Fewer say next to nothing about the two variances between runs: at five, each has four degrees of freedom."""


@dataclass(frozen=True)
class PooledCurve:
    """A run's curve after the earlier runs had their say, and whether it belongs to them.

    Parameters
    ----------
    curve : this run's with slope, intercept and their covariance pooled; repeatability and range stay its own.
    own : this run's as it was.
    runs : earlier runs taken into account.
    mean : (2,) level (cycles) and slope (cycles/decade) of the earlier runs' mean.
    between : (2, 2) covariance of (level, slope) between runs, within-run error taken off.
    shrinkage : (2, 2) matrix B of pooled = own - B (own - mean); 0 keeps the run's own curve.
    statistic, p_value : F of this run's distance from the others, and its upper tail; a small p says the run does
        not belong, and its own curve is the one to use.
    """

    curve: StandardCurve
    own: StandardCurve
    runs: int
    mean: Array
    between: Array
    shrinkage: Array
    statistic: float
    p_value: float

    def belongs(self, significance: float = 0.05) -> bool:
        """Whether nothing speaks against pooling this run with the others."""
        return self.p_value >= significance


def pool_standard_curves(this_run: StandardCurve, earlier_runs: Sequence[StandardCurve]) -> PooledCurve:
    """Pool this run's slope and intercept with those of earlier accepted runs of one site, instrument and lot.

    Parameters
    ----------
    this_run : the curve to improve.
    earlier_runs : the last accepted runs, at least five; this run not among them.

    Raises
    ------
    CalibrationError : fewer than five earlier runs, or curves without scatter.

    Notes
    -----
    Random effects, θ ~ N(μ, T + S). T by the method of moments, covariance of the θ less the mean of their S, cut to
    what is positive in the metric of S (multivariate DerSimonian & Laird: Jackson, White & Thompson 2010, Stat Med
    29:1282; invariant to linear transformation as in Chen, Manning & Dupuis 2012, Biometrics 68:1278); with the same
    standards in every run the S are alike and equal weights lose nothing. μ by generalised least squares.
    The pooled estimate is the empirical Bayes θ - B (θ - μ), B = S (S + T')⁻¹, where T' is not cut but, along each
    direction, what the mean of B under a flat prior for the variance between runs gives; covariance S - B S plus the
    errors of μ and of B (Morris 1983, J Am Stat Assoc 78:47, section 5).
    The test is Hotelling's T² of θ - μ with the predictive covariance T + S + Var(μ), on 2 and N - 2 degrees of
    freedom: exact when runs differ much, cautious (rejects less) when they do not.
    """
    from scipy.special import fdtrc

    _check(this_run, earlier_runs)
    centre = this_run.mean_log10_copies
    own, within = _at(this_run, centre)
    pairs = [_at(curve, centre) for curve in earlier_runs]
    thetas, errors = np.array([theta for theta, _ in pairs]), np.array([error for _, error in pairs])
    runs = len(pairs)
    axes, ratios = _directions(thetas, errors)
    share, share_variance = _within_share(ratios, runs)
    between = axes * np.maximum(ratios - 1, 0.0) @ axes.T
    expected_between = axes * (1 / share - 1) @ axes.T
    mean, mean_error = _mean(thetas, errors + expected_between)
    away = own - mean
    statistic = float(away @ np.linalg.solve(within + between + mean_error, away)) * (runs - 2) / (2 * (runs - 1))
    shrinkage = np.asarray(np.linalg.solve(within + expected_between, within).T, dtype=np.float64)
    pooled = own - shrinkage @ away
    kept = np.eye(2) - shrinkage
    unsure = axes * (share_variance * np.linalg.solve(axes, away) ** 2) @ axes.T
    covariance = kept @ within + shrinkage @ mean_error @ shrinkage.T + unsure
    covariance = (covariance + covariance.T) / 2
    curve = _moved(this_run, centre, pooled, covariance, kept)
    p_value = float(fdtrc(2, runs - 2, statistic))
    return PooledCurve(curve, this_run, runs, mean, between, shrinkage, statistic, p_value)


def _at(curve: StandardCurve, centre: float) -> tuple[Array, Array]:
    """(level, slope) of a curve at some log10 copies, and their covariance."""
    shift = np.array([[1.0, centre], [0.0, 1.0]])
    return shift @ np.array([curve.intercept, curve.slope]), shift @ curve.covariance @ shift.T


def _directions(thetas: Array, errors: Array) -> tuple[Array, Array]:
    """Directions along which the mean S is 1 and the covariance of the θ diagonal, and that diagonal."""
    root = np.linalg.cholesky(errors.mean(axis=0))
    inverse = np.linalg.inv(root)
    ratios, vectors = np.linalg.eigh(inverse @ np.cov(thetas, rowvar=False) @ inverse.T)
    return root @ vectors, ratios


def _within_share(ratios: Array, runs: int) -> tuple[Array, Array]:
    """Mean and variance of B = 1 / (1 + variance between runs), from a variance of N runs that is `ratios` times S.

    Flat prior for the variance between: B is gamma with shape (N - 3) / 2 and rate (N - 1) / 2 · ratio, below 1.
    """
    from scipy.special import gammainc

    shape = (runs - 3) / 2
    rate = np.maximum((runs - 1) / 2 * ratios, shape / 4)  # below, B is 1 for all that matters and the integrals vanish
    below = gammainc(shape, rate)
    first = shape / rate * gammainc(shape + 1, rate) / below
    second = shape * (shape + 1) / rate**2 * gammainc(shape + 2, rate) / below
    return first, second - first**2


def _mean(thetas: Array, covariances: Array) -> tuple[Array, Array]:
    precision = np.linalg.inv(covariances)
    error = np.linalg.inv(precision.sum(axis=0))
    return error @ (precision @ thetas[:, :, None]).sum(axis=0)[:, 0], error


def _moved(curve: StandardCurve, centre: float, theta: Array, covariance: Array, kept: Array) -> StandardCurve:
    """The curve with another level, slope and covariance."""
    back = np.array([[1.0, -centre], [0.0, 1.0]])
    intercept, slope = (back @ theta).tolist()
    forth = np.linalg.inv(back)
    growth = curve.covariance_growth
    if growth is None:
        growth = curve.covariance / curve.residual_sd**2
    through = back @ kept @ forth
    return replace(
        curve,
        intercept=intercept,
        slope=slope,
        covariance=back @ covariance @ back.T,
        covariance_growth=through @ growth @ through.T,
    )


def _check(this_run: StandardCurve, earlier_runs: Sequence[StandardCurve]) -> None:
    if len(earlier_runs) < LEAST_EARLIER_RUNS:
        found = f"{len(earlier_runs)} earlier runs"
        raise CalibrationError(Problem("pooled curve", found, f"at least {LEAST_EARLIER_RUNS}"))
    if not all(curve.residual_sd > 0 for curve in (this_run, *earlier_runs)):
        expected = "standards that scatter about their line"
        raise CalibrationError(
            Problem("pooled curve", "a curve without scatter", expected, "Use the runs' own curves.")
        )
