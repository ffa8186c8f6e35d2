"""The limit of blank: the value that a share of the results without target stays below (CLSI EP17-A2, 2012).

Symbols: B blank results of K blank samples, mean M, standard deviation SD.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection.checks import amounts, checked_choice, checked_share, refuse, sample_labels
from bcrabl.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["METHODS", "BlankLimit", "ep17_multiplier", "limit_of_blank"]

METHODS = ("non_parametric", "parametric")
_UNDETECTED = "Write blanks without Cq as 0 copies."


@dataclass(frozen=True)
class BlankLimit:
    """A limit of blank.

    Parameters
    ----------
    copies : copies/reaction.
    low, high : interval of the quantile, copies/reaction; an infinite end is one the number of blanks cannot set.
    method : one of METHODS.
    percentile : share of blank results below the limit.
    confidence : of the interval, two-sided.
    results, samples : B and K.
    mean, sd : of all blank results, copies/reaction.
    multiplier : c_p of the parametric method, NaN otherwise.
    rank : of the non-parametric method, NaN otherwise.
    positive : blank results above 0.
    """

    copies: float
    low: float
    high: float
    method: str
    percentile: float
    confidence: float
    results: int
    samples: int
    mean: float
    sd: float
    multiplier: float
    rank: float
    positive: int


def ep17_multiplier(results: int, samples: int, percentile: float = 0.95) -> float:
    """c_p = z/(1 - 1/(4(B - K))), z with three decimals as EP17-A2 prints it (1.645).

    Notes
    -----
    An SD of f degrees of freedom is too small by about 1 - 1/(4f); EP17-A2 takes f = results - samples.

    Examples
    --------
    >>> round(ep17_multiplier(60, 4), 5)
    1.65238
    """
    from scipy.special import ndtri

    freedom = results - samples
    if freedom < 1:
        found = f"{results} results of {samples} samples"
        refuse(Problem("results", found, "more results than samples, to see their spread"))
    return round(float(ndtri(percentile)), 3) / (1 - 1 / (4 * freedom))


def limit_of_blank(
    values: ArrayLike,
    *,
    method: str = "non_parametric",
    samples: ArrayLike | None = None,
    percentile: float = 0.95,
    confidence: float = 0.95,
) -> BlankLimit:
    """The limit of blank of one reagent lot.

    Parameters
    ----------
    values : (B,) copies/reaction of every blank result; 0 where nothing was detected.
    method : "non_parametric" (default: blanks of a qPCR are mostly 0 and never normal) or "parametric".
    samples : (B,) which blank sample each result is of; all of one sample without.
    percentile : share of blank results that should lie below.
    confidence : of the interval, two-sided.

    Raises
    ------
    CalibrationError : values that are negative or no numbers, too few of them for the method.

    Notes
    -----
    Non-parametric: rank 0.5 + percentile·B of the ascending results, between two ranks in proportion; interval from
    order statistics (David & Nagaraja 2003, Order Statistics, sec. 7.1). Parametric: M + c_p·SD with the SD of all
    results about their common mean, so that blank samples which differ widen it; interval of a normal quantile by the
    non-central t (Hahn & Meeker 1991, Statistical Intervals, sec. 4.4). EP17-A2 wants at least 60 results of at
    least 4 samples a lot, which is not enforced here.

    Examples
    --------
    >>> blanks = [0] * 15 + [0.4, 0.7, 0.2, 0.9, 0.3]
    >>> round(limit_of_blank(blanks).copies, 2), round(limit_of_blank(blanks, method="parametric").copies, 5)
    (0.8, 0.55724)
    """
    checked_choice("method", method, METHODS)
    checked_share("percentile", percentile)
    checked_share("confidence", confidence)
    results, problems = amounts("values", values, "copies/reaction of the blanks", _UNDETECTED)
    if problems:
        refuse(problems)
    ordered = np.sort(results)
    b, k = len(ordered), int(sample_labels(samples, results).max()) + 1
    mean, sd = float(ordered.mean()), float(ordered.std(ddof=1)) if b > 1 else float("nan")
    multiplier = rank = float("nan")
    if method == "parametric":
        multiplier = ep17_multiplier(b, k, percentile)
        copies = mean + multiplier * sd
        low, high = (mean + sd * factor for factor in _normal_quantile_factors(b, percentile, confidence))
    else:
        rank = 0.5 + percentile * b
        copies = _value_at_rank(ordered, rank, percentile)
        low, high = _order_statistics_interval(ordered, percentile, confidence)
    return BlankLimit(
        copies=copies,
        low=max(low, 0.0),
        high=high,
        method=method,
        percentile=percentile,
        confidence=confidence,
        results=b,
        samples=k,
        mean=mean,
        sd=sd,
        multiplier=multiplier,
        rank=rank,
        positive=int((ordered > 0).sum()),
    )


def _value_at_rank(ordered: Array, rank: float, percentile: float) -> float:
    """The value at a rank counted from 1, between two ranks in proportion."""
    if rank > len(ordered) or rank < 1:
        least = int(np.ceil(0.5 / min(1 - percentile, percentile)))
        found = f"{len(ordered)} results"
        remedy = "Measure more blanks, or use the parametric method if they are near normal."
        refuse(Problem("values", found, f"at least {least} results for the {percentile:.3g} quantile", remedy))
    return float(np.interp(rank, np.arange(1, len(ordered) + 1), ordered))


def _order_statistics_interval(ordered: Array, percentile: float, confidence: float) -> tuple[float, float]:
    """Distribution-free interval of a quantile; each end at least as far out as the confidence needs."""
    from scipy.special import bdtr

    b, tail = len(ordered), (1 - confidence) / 2
    # below[r] = P(at most r results lie below the quantile), r = 0 … B - 1.
    below = bdtr(np.arange(b, dtype=np.float64), b, percentile)
    low_rank = int(np.searchsorted(below, tail, side="right"))  # largest l with P(fewer than l below) <= tail
    high_rank = int(np.searchsorted(below, 1 - tail, side="left")) + 1  # smallest u with P(u or more below) <= tail
    low = float(ordered[low_rank - 1]) if low_rank >= 1 else 0.0
    high = float(ordered[high_rank - 1]) if high_rank <= b else float("inf")
    return low, high


def _normal_quantile_factors(results: int, percentile: float, confidence: float) -> tuple[float, float]:
    """How many SD the ends of the interval of a normal quantile lie above the mean."""
    from scipy.special import nctdtrit, ndtri

    root, tail = float(np.sqrt(results)), (1 - confidence) / 2
    shift = float(ndtri(percentile)) * root
    low, high = (float(nctdtrit(results - 1, shift, share)) / root for share in (tail, 1 - tail))
    return low, high
