"""The CV profile CV² = a + b/x fitted to the CVs of levels, and the interval of the x at which it meets a goal.

A squared level CV v with expectation m is taken as gamma distributed with the relative variance ρ it has by the model:

    log-likelihood = -Σ (ln m + v/m)/ρ

For normal results ρ = 2/(n - 1), and the likelihood is that of sample variances. Results at few copies are not normal,
so ρ comes from the first four moments of Poisson counts times a log-normal error:

    ρ = 2/(n - 1) + κ/n + 4·CV²/n - 4·γ·CV/n      skewness γ, excess kurtosis κ

by the delta method; the last two terms come from the mean in v = (SD/mean)². A logarithmic spread is the variance of ln
copies, taken as normal: m = ln(1 + CV²), ρ = 2/(n - 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection.checks import refuse
from bcrabl.detection.cv_levels import CvLevels
from bcrabl.detection.profile import crossing
from bcrabl.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["CvProfile", "fit_cv_profile", "limit_interval"]

_ROUNDS = 8  # of fit and weights in turn; the fourth moves nothing any more
_LEAST_CV = 1e-9
_MOST_STEPS = 100
_LEAST_STEP = 1e-9
_LEAST_GAIN = 1e-13
_FAR_BELOW = 6.0  # decades below the lowest level


@dataclass(frozen=True)
class CvProfile:
    """A fitted CV profile.

    Parameters
    ----------
    plateau, counting : a and b of CV² = a + b/x.
    relative_variance : (L,) ρ of each level.
    deviance_terms : minus the log-likelihood at the maximum.
    logarithmic : fitted to variances of ln copies.
    """

    plateau: float
    counting: float
    relative_variance: Array
    deviance_terms: float
    logarithmic: bool


def fit_cv_profile(levels: CvLevels, *, logarithmic: bool) -> CvProfile:
    """The profile with the highest likelihood, a and b not negative.

    Raises
    ------
    CalibrationError : fewer than two levels, no spread at all.
    """
    if len(levels.copies) < 2:
        expected = "at least two levels with two results each for a CV profile"
        refuse(Problem("quantification study", f"{len(levels.copies)} level", expected, 'Or use the method "levels".'))
    if not np.any(levels.variance > 0):
        refuse(Problem("quantification study", "the same copies in every reaction of a level", "results that differ"))
    relative_variance = 2 / (levels.used - 1)
    plateau, counting = _fit(levels, relative_variance, logarithmic=logarithmic)
    for _ in range(0 if logarithmic else _ROUNDS):
        relative_variance = _relative_variance(levels, plateau, counting)
        plateau, counting = _fit(levels, relative_variance, logarithmic=logarithmic)
    terms = _terms(levels, plateau + counting / levels.copies, relative_variance, logarithmic=logarithmic)
    return CvProfile(plateau, counting, relative_variance, terms, logarithmic)


def limit_interval(levels: CvLevels, profile: CvProfile, goal: float, confidence: float) -> tuple[float, float]:
    """Profile likelihood interval of the copies/reaction at which CV² is `goal`.

    Parameters
    ----------
    goal : CV², above the plateau of the profile.

    Returns
    -------
    low, high : copies/reaction; 0 where no counting at all, infinite where a plateau above the goal is not excluded.
    """
    from scipy.special import ndtri

    ceiling = profile.deviance_terms + float(ndtri((1 + confidence) / 2)) ** 2 / 2

    def excess(log10_copies: float) -> float:
        shape = 10**log10_copies / levels.copies
        return ceiling - _lowest(lambda a: a + (goal - a) * shape, levels, profile, goal)

    never_counting = _lowest(lambda a: np.full_like(levels.copies, a), levels, profile, goal)
    # A plateau at the goal, with any amount of counting: b up to what the lowest level alone would ask for.
    most = float((levels.cv**2 * levels.copies).max()) + goal
    never_good = _lowest(lambda b: goal + b / levels.copies, levels, profile, most)
    if profile.counting <= 0:
        return 0.0, _only_high(excess, levels, never_good < ceiling)
    centre = float(np.log10(profile.counting / (goal - profile.plateau)))
    low = 0.0 if never_counting < ceiling else 10 ** crossing(excess, centre, -1)
    high = np.inf if never_good < ceiling else 10 ** crossing(excess, centre, +1)
    return float(low), float(high)


def _only_high(excess: Callable[[float], float], levels: CvLevels, endless: bool) -> float:
    """Upper end where the best profile has no counting, so that the limit is best at 0 copies."""
    if endless:
        return np.inf
    return float(10 ** crossing(excess, float(np.log10(levels.copies[0])) - _FAR_BELOW, +1))


def _lowest(squared_cv: Callable[[float], Array], levels: CvLevels, profile: CvProfile, most: float) -> float:
    """Lowest deviance terms over one free value from 0 to `most`."""
    from scipy.optimize import minimize_scalar

    def terms(free: float) -> float:
        return _terms(levels, squared_cv(free), profile.relative_variance, logarithmic=profile.logarithmic)

    inside = minimize_scalar(terms, bounds=(0, most), method="bounded", options={"xatol": 1e-9 * most})
    return min(float(inside.fun), terms(0.0), terms(most))


def _terms(levels: CvLevels, squared_cv: Array, relative_variance: Array, *, logarithmic: bool) -> float:
    """Minus the log-likelihood, but for constants."""
    expected = _expected(squared_cv, logarithmic=logarithmic)
    return float(((np.log(expected) + levels.variance / expected) / relative_variance).sum())


def _expected(squared_cv: Array, *, logarithmic: bool) -> Array:
    kept: Array = np.maximum(squared_cv, _LEAST_CV**2)
    return np.log1p(kept) if logarithmic else kept


def _fit(levels: CvLevels, relative_variance: Array, *, logarithmic: bool) -> tuple[float, float]:
    """a and b by Fisher scoring with halved steps."""
    design = np.column_stack([np.ones_like(levels.copies), 1 / levels.copies])
    estimate = np.array([float(levels.cv.min()) ** 2, float((levels.cv**2 * levels.copies).min())])

    def terms(values: Array) -> float:
        return _terms(levels, design @ values, relative_variance, logarithmic=logarithmic)

    if not estimate.any():
        estimate[0] = float((levels.cv**2).mean())
    reached = terms(estimate)
    for _ in range(_MOST_STEPS):
        squared_cv = np.maximum(design @ estimate, _LEAST_CV**2)
        expected = _expected(squared_cv, logarithmic=logarithmic)
        slope = 1 / (1 + squared_cv) if logarithmic else np.ones_like(squared_cv)
        weight = slope**2 / (relative_variance * expected**2)
        target = _non_negative(design, weight, squared_cv + (levels.variance - expected) / slope)
        size = 1.0
        while size > _LEAST_STEP and terms(estimate + size * (target - estimate)) > reached:
            size /= 2
        estimate = estimate + size * (target - estimate) if size > _LEAST_STEP else estimate
        before, reached = reached, terms(estimate)
        if before - reached < _LEAST_GAIN:
            break
    return float(estimate[0]), float(estimate[1])


def _non_negative(design: Array, weight: Array, response: Array) -> Array:
    """Weighted least squares of two columns with coefficients that are not negative."""
    normal, right = (design.T * weight) @ design, (design.T * weight) @ response
    scale = np.sqrt(np.diag(normal))
    both: Array = np.linalg.solve(normal / np.outer(scale, scale), right / scale) / scale
    if np.all(both >= 0):
        return both
    alone = np.maximum(right / np.diag(normal), 0)
    gain = alone * right
    better: Array = np.where(np.arange(2) == int(np.argmax(gain)), alone, 0)
    return better


def _relative_variance(levels: CvLevels, plateau: float, counting: float) -> Array:
    """ρ of each level: y = e·u with e log-normal of mean 1 and variance a, u = N/λ with N Poisson."""
    n, one = levels.used, 1 + plateau
    # b = (1 + a)/yield: of x molecules put in, N ~ Poisson(λ = x·yield) count.
    inverse = counting / (one * levels.copies)
    second, third, fourth = inverse, inverse**2, 3 * inverse**2 + inverse**3  # central moments of u
    variance = plateau + one * second
    skew = plateau**2 * (3 + plateau) + 3 * (one**3 - one) * second + one**3 * third
    error_alone = plateau**2 * (one**4 + 2 * one**3 + 3 * one**2 - 3)
    tail = error_alone + 6 * (one**6 - 2 * one**3 + one) * second + 4 * (one**6 - one**3) * third + one**6 * fourth
    excess = tail / variance**2 - 3
    relative: Array = 2 / (n - 1) + excess / n + 4 * variance / n - 4 * skew / (variance * n)
    kept: Array = np.maximum(relative, 1 / (n - 1))
    return kept
