"""Is the curve a straight line over its range: lack of fit and polynomial terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.calibration.fitting import standards_design

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bcrabl.calibration.curve import StandardCurve

    Array = NDArray[np.float64]

__all__ = ["LackOfFit", "PolynomialCheck", "TermTest", "check_linearity", "lack_of_fit"]

_NAN = float("nan")
_ROUNDING = 1e-6  # cycles; scatter below is that of arithmetic and tests nothing


@dataclass(frozen=True)
class LackOfFit:
    """The F test of the line against free means of the levels.

    Parameters
    ----------
    statistic, p_value : F and its upper tail; NaN without replicates or with two levels.
    level_degrees, error_degrees : levels - 2 and reactions - levels.
    pure_error_sd : weighted scatter within levels; cycles, of a reaction without chance in its molecules.
    """

    statistic: float
    p_value: float
    level_degrees: int
    error_degrees: int
    pure_error_sd: float


@dataclass(frozen=True)
class TermTest:
    """The highest term of a polynomial: coefficient (cycles/decade^k), its standard error, Student's t and p."""

    coefficient: float
    standard_error: float
    statistic: float
    p_value: float


@dataclass(frozen=True)
class PolynomialCheck:
    """How far a curve bends.

    Parameters
    ----------
    quadratic, cubic : test of the highest term of either polynomial; NaN where there are too few levels or reactions.
    p_value : the smaller p, times two for the two terms looked at.
    degree : of the polynomial that fits best (smallest residual SD): 2 or 3; 1 where neither could be fitted.
    largest_deviation_percent : copies the line reads at a level against those the polynomial reads, in % of the latter,
        where that is farthest from 0, whether significant or not.
    at_copies : that level, nominal copies/reaction.
    """

    quadratic: TermTest
    cubic: TermTest
    p_value: float
    degree: int
    largest_deviation_percent: float
    at_copies: float


def lack_of_fit(curve: StandardCurve, cq: ArrayLike, copies: ArrayLike) -> LackOfFit:
    """Test the line against the means of its levels.

    Parameters
    ----------
    curve : fitted to these standards.
    cq, copies : (n,) of the standards, as fitted.

    Notes
    -----
    F = [SS(levels about the line) / (L - 2)] / [SS(within levels) / (n - L)], sums weighted as the fit (Draper & Smith
    1998, Applied Regression Analysis, 2.1). Reactions of one level share their weight.
    """
    from scipy.special import fdtrc

    y, x, weights, level = _weighted_standards(curve, cq, copies)
    total = np.bincount(level, weights)
    mean = (np.bincount(level, weights * y) / total)[level]
    within = float((weights * (y - mean) ** 2).sum())
    between = float((weights * (mean - curve.intercept - curve.slope * x) ** 2).sum())
    level_degrees, error_degrees = len(total) - 2, len(y) - len(total)
    if level_degrees < 1 or error_degrees < 1:
        return LackOfFit(_NAN, _NAN, level_degrees, error_degrees, _NAN)
    pure = within / error_degrees
    if not pure > _ROUNDING**2:
        return LackOfFit(_NAN, _NAN, level_degrees, error_degrees, float(np.sqrt(pure)))
    statistic = between / level_degrees / pure
    p_value = float(fdtrc(level_degrees, error_degrees, statistic))
    return LackOfFit(statistic, p_value, level_degrees, error_degrees, float(np.sqrt(pure)))


def check_linearity(curve: StandardCurve, cq: ArrayLike, copies: ArrayLike) -> PolynomialCheck:
    """Fit polynomials of degree 2 and 3 beside the line.

    Parameters
    ----------
    curve : fitted to these standards.
    cq, copies : (n,) of the standards, as fitted.

    Notes
    -----
    The check of NCCLS EP6-A (2003): the highest terms by their t tests, and how far the best polynomial lies from
    the line, whatever the precision (Kroll & Emancipator 1993, Clin Chem 39:405). Weighted as the fit. A polynomial
    of degree k needs k + 2 levels: with fewer it runs through the levels' means and says nothing lack of fit does not.
    """
    y, x, weights, level = _weighted_standards(curve, cq, copies)
    levels = int(level.max()) + 1
    fits = {degree: _polynomial(y, x, weights, degree) for degree in (2, 3) if levels >= degree + 2}
    tests = {degree: fit[1] for degree, fit in fits.items()}
    missing = TermTest(_NAN, _NAN, _NAN, _NAN)
    p_values = [test.p_value for test in tests.values() if np.isfinite(test.p_value)]
    best = min(fits, key=lambda degree: fits[degree][2], default=1)
    line = curve.intercept + curve.slope * x
    bend = fits[best][0] - line if fits else np.zeros_like(x)
    deviation = 100 * (10 ** (bend / curve.slope) - 1)
    worst = int(np.abs(bend).argmax())
    return PolynomialCheck(
        quadratic=tests.get(2, missing),
        cubic=tests.get(3, missing),
        p_value=min(1.0, len(p_values) * min(p_values)) if p_values else _NAN,
        degree=best,
        largest_deviation_percent=float(deviation[worst]),
        at_copies=float(np.asarray(copies, dtype=np.float64)[worst]),
    )


def _weighted_standards(
    curve: StandardCurve, cq: ArrayLike, copies: ArrayLike
) -> tuple[Array, Array, Array, NDArray[np.intp]]:
    """Cq, log10 molecules, weights (1 for a reaction without chance in its molecules) and the number of the level."""
    y, amount = np.asarray(cq, dtype=np.float64), np.asarray(copies, dtype=np.float64)
    x, chance = standards_design(amount, curve.weighting)
    own = curve.residual_sd**2
    weights = own / (own + curve.slope**2 * chance) if curve.weighting != "none" else np.ones_like(x)
    return y, x, weights, np.unique(amount, return_inverse=True)[1]


def _polynomial(y: Array, x: Array, weights: Array, degree: int) -> tuple[Array, TermTest, float]:
    """Fitted Cq, the test of the highest term, residual SD."""
    from scipy.special import stdtr

    root = np.sqrt(weights)
    centre = float((weights * x).sum() / weights.sum())
    design = np.vander(x - centre, degree + 1, increasing=True)
    orthogonal, triangle = np.linalg.qr(design * root[:, None])
    coefficients = np.linalg.solve(triangle, orthogonal.T @ (y * root))
    fitted = design @ coefficients
    degrees = len(y) - degree - 1
    residual_sd = float(np.sqrt((weights * (y - fitted) ** 2).sum() / degrees)) if degrees > 0 else np.inf
    error = residual_sd / abs(float(triangle[-1, -1]))
    coefficient = float(coefficients[-1])
    if not _ROUNDING < residual_sd < np.inf:
        return fitted, TermTest(coefficient, _NAN, _NAN, _NAN), residual_sd
    t = coefficient / error
    return fitted, TermTest(coefficient, error, t, 2 * float(stdtr(degrees, -abs(t)))), residual_sd
