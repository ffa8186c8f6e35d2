"""Interval of a limit of detection by profile likelihood.

The limit θ (log10 copies) takes the place of the intercept: η = F⁻¹(p) + slope · (log10 copies - θ). The interval holds
every θ whose best likelihood over slope ≥ 0 (and background) lies within χ²₁/2 of the maximum (Venzon & Moolgavkar
1988, Appl Stat 37:87). For θ → ∞ that is the likelihood of a chance that does not change with the copies: where such a
constant is not excluded, the interval has no upper end, as with Fieller's theorem, and the answer is infinity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection.checks import refuse
from bcrabl.detection.likelihood import Maximum, climb, maximise, observed_covariance
from bcrabl.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.detection.levels import StudyLevels
    from bcrabl.detection.links import Link

    Array = NDArray[np.float64]

__all__ = ["crossing", "fit_link", "profile_interval"]

_FARTHEST = 300.0  # decades; beyond it a float of copies ends
_FIRST_STEP = 0.05  # decades
_TOLERANCE = 1e-10  # decades


def fit_link(study: StudyLevels, link: Link, *, background: bool) -> tuple[Maximum, Array]:
    """The best fit of a link and its covariance; (intercept, slope), also where the slope is given."""
    x = study.log10_copies
    if link.fixed_slope is None:
        design, offset = np.column_stack([np.ones_like(x), x]), np.zeros_like(x)
        best = maximise(study, link, design, offset, background=background)
        return best, observed_covariance(study, link, design, offset, best)
    design, offset = np.ones((len(x), 1)), link.fixed_slope * x
    best = maximise(study, link, design, offset, background=background)
    covariance = np.zeros((2, 2))
    covariance[:1, :1] = observed_covariance(study, link, design, offset, best)
    return Maximum(np.append(best.coefficients, link.fixed_slope), best.background, best.log_likelihood), covariance


def profile_interval(
    study: StudyLevels, link: Link, best: Maximum, quantile: float, drop: float, *, background: bool
) -> tuple[float, float]:
    """Lower and upper end of log10 copies at which η is `quantile`.

    Parameters
    ----------
    quantile : η of the wanted chance of detection.
    drop : how far the log-likelihood may fall, χ²₁(confidence)/2.

    Returns
    -------
    low, high : log10 copies/reaction; -inf or inf where the interval has no such end.
    """
    x = study.log10_copies
    floor = best.log_likelihood - drop

    def excess(theta: float) -> float:
        return _profile(study, link, x - theta, quantile, best, background=background) - floor

    centre = (quantile - float(best.coefficients[0])) / float(best.coefficients[1])
    if excess(centre) < 0:
        expected = "blanks in line with the low levels: these have several best fits, far apart"
        refuse(Problem("detection study", str(study), expected, "Repeat the blanks, or leave the background out."))
    bounded_low, bounded_high = True, True
    if link.fixed_slope is None:
        bounded_low = _constant(study, link, quantile, above=True, background=background) < floor
        bounded_high = _constant(study, link, quantile, above=False, background=background) < floor
    low = crossing(excess, centre, -1) if bounded_low else -np.inf
    high = crossing(excess, centre, +1) if bounded_high else np.inf
    return low, high


def crossing(excess: Callable[[float], float], centre: float, direction: int) -> float:
    """Where `excess`, positive at the centre, becomes negative in a direction; infinite where it does not."""
    from scipy.optimize import brentq

    inner, step = centre, _FIRST_STEP
    while abs(inner - centre) < _FARTHEST:
        outer = inner + direction * step
        if excess(outer) < 0:
            root = float(brentq(excess, inner, outer, xtol=_TOLERANCE))
            return root if abs(root) < _FARTHEST else direction * np.inf
        inner, step = outer, step * 1.5
    return direction * np.inf


def _profile(
    study: StudyLevels, link: Link, distance: Array, quantile: float, fitted: Maximum, *, background: bool
) -> float:
    """Best log-likelihood where the limit lies `distance` decades below each level."""
    offset = np.full_like(distance, quantile)
    none = np.empty((len(distance), 0))
    if link.fixed_slope is not None:
        near = (np.empty(0), fitted.background)
        offset = offset + link.fixed_slope * distance
        return maximise(study, link, none, offset, background=background, near=near).log_likelihood
    near = (fitted.coefficients[1:], fitted.background)
    best = maximise(study, link, distance[:, None], offset, background=background, near=near)
    if best.coefficients[0] >= 0:
        return best.log_likelihood
    flat = maximise(study, link, none, offset, background=background).log_likelihood
    # With a background there may be a lower maximum at a slope that rises beside the highest, which falls.
    beside = climb(study, link, distance[:, None], offset, *near, background=background)
    return max(flat, beside.log_likelihood) if beside.coefficients[0] >= 0 else flat


def _constant(study: StudyLevels, link: Link, quantile: float, *, above: bool, background: bool) -> float:
    """Best log-likelihood of one chance at all levels, not below (`above`) or not above that of the quantile."""
    zero = np.zeros_like(study.copies)
    best = maximise(study, link, np.ones((len(zero), 1)), zero, background=background)
    if (best.coefficients[0] >= quantile) == above:
        return best.log_likelihood
    none = np.empty((len(zero), 0))
    return maximise(study, link, none, zero + quantile, background=background).log_likelihood
