"""How many template molecules a standard reaction really got, and what that does to its Cq.

A standard with λ nominal copies receives n ~ Poisson(λ) molecules, and a Cq only if n > 0. So the Cq of low standards
scatter more, and their mean log10 n lies below log10 λ: by 0.024 at 10 copies, which is 0.08 cycles.

Symbols: λ nominal copies/reaction; n molecules; m = E[log10 n | n > 0]; τ² = Var[log10 n | n > 0].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["detected_log10_moments", "normal_scores"]

_SUMMED_BELOW = 100.0  # copies; above, the series is right to 1e-9 of the variance and better of the mean
_MOLECULES = np.arange(1.0, 301.0)  # 300 molecules of 100 expected are 20 standard deviations
_LOG10_MOLECULES = np.log10(_MOLECULES)
_LOG_FACTORIAL = np.cumsum(np.log(_MOLECULES))

# ln n about λ: Taylor series of ln(1 + δ) and its square under the central moments of the Poisson distribution, which
# follow from μ(r+1) = λ Σ C(r, j) μ(j), j < r (Kendall & Stuart, The Advanced Theory of Statistics 1, ch. 5).
_MEAN_SERIES = (-1 / 2, -5 / 12, -3 / 4, -251 / 120, -95 / 12, -19087 / 504)  # of 1/λ, 1/λ², …
_VARIANCE_SERIES = (1.0, 3 / 2, 43 / 12, 71 / 6, 4513 / 90, 31229 / 120)
_LN10 = float(np.log(10))


def detected_log10_moments(copies: ArrayLike) -> tuple[Array, Array]:
    """Mean and variance of log10 of the molecules in a reaction that got at least one.

    Parameters
    ----------
    copies : (n,) expected copies/reaction λ, positive.

    Returns
    -------
    mean, variance : (n,) of log10 n given n > 0, n ~ Poisson(λ); decades and decades².

    Notes
    -----
    Summed exactly below 100 copies; above, by the series ln λ - 1/(2λ) - 5/(12λ²) - … and 1/λ + 3/(2λ²) + …. That
    chance in n governs the dispersion of Cq at few copies: Tellinghuisen & Spiess 2015, Anal Chem 87:8925.

    Examples
    --------
    >>> mean, variance = detected_log10_moments([10.0, 1e6])
    >>> [round(float(value), 4) for value in (*mean, *variance**0.5)]
    [0.9761, 6.0, 0.1506, 0.0004]
    """
    expected = np.asarray(copies, dtype=np.float64)
    few = expected < _SUMMED_BELOW
    mean, variance = _series(np.maximum(expected, _SUMMED_BELOW))
    if few.any():
        mean[few], variance[few] = _summed(expected[few])
    return mean, variance


def normal_scores(residual: Array, slope: float, residual_sd: float, copies: ArrayLike) -> Array:
    """Cq residuals of standards as standard normal deviates, chance in the molecules included.

    Parameters
    ----------
    residual : (n,) cycles, distance of the Cq from the line at m(λ).
    slope, residual_sd : cycles/decade and cycles, of the curve; the latter without chance in the molecules, positive.
    copies : (n,) nominal copies/reaction.

    Notes
    -----
    Φ⁻¹ of P(Cq ≤ observed) under the mixture Σ P(n) N(intercept + slope · log10 n, residual_sd²): quantile residuals
    (Dunn & Smyth 1996, J Comput Graph Stat 5:236). At 10 copies log10 n leans to few molecules; counted in plain
    standard deviations, every hundredth honest reaction would look like an outlier of 3 SD.
    """
    expected = np.asarray(copies, dtype=np.float64)
    mean, variance = detected_log10_moments(expected)
    scores: Array = residual / np.sqrt(residual_sd**2 + slope**2 * variance)
    few = expected < _SUMMED_BELOW
    if few.any():
        scores[few] = _mixture_scores(residual[few] + slope * mean[few], slope, residual_sd, expected[few])
    return scores


def _series(expected: Array) -> tuple[Array, Array]:
    inverse = 1 / expected
    mean, variance = np.zeros_like(expected), np.zeros_like(expected)
    for mean_term, variance_term in zip(reversed(_MEAN_SERIES), reversed(_VARIANCE_SERIES), strict=True):
        mean = (mean + mean_term) * inverse
        variance = (variance + variance_term) * inverse
    return np.log10(expected) + mean / _LN10, variance / _LN10**2


def _summed(expected: Array) -> tuple[Array, Array]:
    chance = _chances(expected)
    mean = (chance * _LOG10_MOLECULES).sum(axis=1)
    variance = (chance * (_LOG10_MOLECULES - mean[:, None]) ** 2).sum(axis=1)
    return mean, variance


def _chances(expected: Array) -> Array:
    """P(n | n > 0), a row for each λ."""
    log_chance = _MOLECULES * np.log(expected)[:, None] - _LOG_FACTORIAL
    chance: Array = np.exp(log_chance - log_chance.max(axis=1, keepdims=True))
    normalised: Array = chance / chance.sum(axis=1, keepdims=True)
    return normalised


def _mixture_scores(distance: Array, slope: float, residual_sd: float, expected: Array) -> Array:
    """Scores of Cq at a distance from the intercept."""
    from scipy.special import ndtr, ndtri

    standardised = (distance[:, None] - slope * _LOG10_MOLECULES) / residual_sd
    chance = _chances(expected)
    earlier = (chance * ndtr(standardised)).sum(axis=1)
    later = (chance * ndtr(-standardised)).sum(axis=1)
    tail = np.maximum(np.minimum(earlier, later), 1e-300)  # the smaller one keeps its digits; no infinite score
    scores: Array = np.where(earlier < later, ndtri(tail), -ndtri(tail))
    return scores
