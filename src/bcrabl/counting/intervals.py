"""Copies, ratio and class probabilities of samples: the numbers a result row carries.

Symbols: s samples, c cut-offs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.counting.posterior import Cumulative, Likelihood
from bcrabl.counting.ratio import Divisor, largest_ratio_if_undetected, ratio_cumulative, ratio_quantile
from bcrabl.errors import Problem, RunError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["PRIORS", "Interval", "class_probabilities", "copies_interval", "log_factor_sd", "ratio_interval"]

_JEFFREYS = 0.5
_OF_A_POPULATION = 0.25

PRIORS = {"jeffreys": (_JEFFREYS, _JEFFREYS), "garwood": (0.0, 1.0), "between": (0.25, 0.75)}
"""Exponents of the prior for the lower and the upper limit."""

_TAIL = 0.025
_ONE_SIDED_TAIL = 0.05
_TWO_SIDED_95 = 1.959963984540054


class Interval(NamedTuple):
    """(s,) posterior median and equal-tailed 95 % limits; of an undetected sample 0 and the one-sided 95 % bound."""

    median: Array
    low: Array
    high: Array


def copies_interval(likelihood: Likelihood, prior: str = "jeffreys") -> Interval:
    """Expected copies per reaction of every sample."""
    lower, middle, upper = _posteriors(likelihood, prior)
    unseen = likelihood.detected == 0
    molecules = np.where(likelihood.tested > 0, likelihood.tested * likelihood.found, np.nan)
    bound = -np.log(_ONE_SIDED_TAIL) / molecules
    return Interval(
        middle.quantile(0.5),
        np.where(unseen, 0.0, lower.quantile(_TAIL)),
        np.where(unseen, bound, upper.quantile(1 - _TAIL)),
    )


def ratio_interval(likelihood: Likelihood, by: Divisor, prior: str = "jeffreys", narrower: ArrayLike = 1.0) -> Interval:
    """Ratio of every sample to the divisor, which holds factor and units.

    Parameters
    ----------
    narrower : scalar or (s,), on the distance of the limits from the median, see `bcrabl.counting.two_scales`.
    """
    lower, middle, upper = _posteriors(likelihood, prior)
    unseen = likelihood.detected == 0
    bound = largest_ratio_if_undetected(np.maximum(likelihood.tested * likelihood.found, 1e-300), by, _ONE_SIDED_TAIL)
    median = ratio_quantile(middle, by, 0.5)
    low, high = (
        median * (ratio_quantile(each, by, tail) / median) ** np.asarray(narrower)
        for each, tail in ((lower, _TAIL), (upper, 1 - _TAIL))
    )
    return Interval(median, np.where(unseen, 0.0, low), np.where(unseen, bound, high))


def class_probabilities(likelihood: Likelihood, by: Divisor, cut_offs: ArrayLike) -> Array:
    """(s, c) probability that the ratio is at most each cut-off (c,).

    Notes
    -----
    No prior is right for every population. Of patients spread evenly over log ratio, Jeffreys' expects too many at the
    upper end of what a few molecules allow, so the exponent of detected samples is halved, to 1/4; an undetected
    sample, of which that would expect too little, keeps 1/2. See the reliability table of benchmarks/coverage.py.
    """
    levels = np.atleast_1d(np.asarray(cut_offs, dtype=np.float64))
    if not levels.size:
        return np.empty((len(by.middle), 0))
    seen, unseen = (likelihood.cumulative(each) for each in (_OF_A_POPULATION, _JEFFREYS))
    return np.stack(
        [
            np.where(
                likelihood.detected > 0,
                ratio_cumulative(seen, by, float(level)),
                ratio_cumulative(unseen, by, float(level)),
            )
            for level in levels
        ],
        axis=1,
    )


def log_factor_sd(low: float, high: float) -> float:
    """SD of the logarithm of a conversion factor whose 95 % interval is low to high.

    Raises
    ------
    RunError : limits that are not positive, or the wrong way round.
    """
    if not 0 < low <= high < np.inf:
        found = f"{low:g} to {high:g}"
        raise RunError(Problem("conversion factor's interval", found, "positive limits, the lower first"))
    return float(np.log(high / low)) / (2 * _TWO_SIDED_95)


def _posteriors(likelihood: Likelihood, prior: str) -> tuple[Cumulative, Cumulative, Cumulative]:
    """For the lower limit, the median and the upper limit."""
    low, high = PRIORS[prior]
    middle = likelihood.cumulative(_JEFFREYS)
    lower, upper = (middle if each == _JEFFREYS else likelihood.cumulative(each) for each in (low, high))
    return lower, middle, upper
