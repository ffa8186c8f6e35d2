"""Limits of detection that stand on a limit of blank (CLSI EP17-A2, 2012), for assays that give a number on blanks.

Symbols: L results of J samples with little target, pooled standard deviation SD_L.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection.blank import ep17_multiplier
from bcrabl.detection.checks import amounts, checked_share, lengths_differ, refuse, sample_labels
from bcrabl.detection.levels import LowestLevel, lowest_level
from bcrabl.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["MeasuredDetectionLimit", "limit_of_detection_from_blank", "lowest_level_above_blank"]

_UNDETECTED = "Write reactions without Cq as 0 copies."


@dataclass(frozen=True)
class MeasuredDetectionLimit:
    """A limit of detection from the spread of low results.

    Parameters
    ----------
    copies : copies/reaction.
    low, high : interval from the spread of the low results alone, the limit of blank taken as given, copies/reaction.
    limit_of_blank : copies/reaction.
    sd : SD_L, copies/reaction.
    multiplier : c_p.
    results, samples : L and J.
    probability : share of results above the limit of blank at the limit of detection.
    confidence : of the interval, two-sided.
    """

    copies: float
    low: float
    high: float
    limit_of_blank: float
    sd: float
    multiplier: float
    results: int
    samples: int
    probability: float
    confidence: float


def limit_of_detection_from_blank(
    limit_of_blank: float,
    values: ArrayLike,
    samples: ArrayLike,
    *,
    probability: float = 0.95,
    confidence: float = 0.95,
) -> MeasuredDetectionLimit:
    """LoD = LoB + c_p·SD_L, the parametric limit of EP17-A2.

    Parameters
    ----------
    limit_of_blank : copies/reaction.
    values : (L,) copies/reaction of every low result; 0 where nothing was detected.
    samples : (L,) which sample each result is of.

    Raises
    ------
    CalibrationError : values that are negative or no numbers, no sample measured twice.

    Notes
    -----
    SD_L = √(Σ(n_i - 1)SD_i² / Σ(n_i - 1)), c_p = 1.645/(1 - 1/(4(L - J))). It takes low results for normal with one SD,
    which counts of few molecules are not (Forootan 2017, Biomol Detect Quantif 12:1): for qPCR with clean blanks use
    `limit_of_detection`. The interval is that of SD_L by χ².

    Examples
    --------
    >>> values = [3.1, 2.2, 4.0, 1.9, 2.8, 3.5, 5.2, 4.1, 6.0, 3.9, 5.5, 4.4, 2.0, 3.3, 2.7, 1.5, 3.9, 2.4]
    >>> limit = limit_of_detection_from_blank(0.55724, values, ["a"] * 6 + ["b"] * 6 + ["c"] * 6)
    >>> round(limit.sd, 5), round(limit.multiplier, 5), round(limit.copies, 4)
    (0.83413, 1.67288, 1.9526)
    """
    from scipy.special import chdtri

    checked_share("probability", probability)
    checked_share("confidence", confidence)
    _, problems = amounts("limit_of_blank", limit_of_blank, "copies/reaction")
    results, wrong = amounts("values", values, "copies/reaction of the low samples", _UNDETECTED)
    if problems + wrong:
        refuse(problems + wrong)
    label = sample_labels(samples, results)
    count = np.bincount(label)
    multiplier = ep17_multiplier(len(results), len(count), probability)
    distance = results - (np.bincount(label, weights=results) / count)[label]
    freedom = len(results) - len(count)
    sum_of_squares = float((distance**2).sum())
    sd = float(np.sqrt(sum_of_squares / freedom))
    low, high = (
        float(np.sqrt(sum_of_squares / chdtri(freedom, tail))) for tail in ((1 - confidence) / 2, (1 + confidence) / 2)
    )
    return MeasuredDetectionLimit(
        copies=limit_of_blank + multiplier * sd,
        low=limit_of_blank + multiplier * low,
        high=limit_of_blank + multiplier * high,
        limit_of_blank=float(limit_of_blank),
        sd=sd,
        multiplier=multiplier,
        results=len(results),
        samples=len(count),
        probability=probability,
        confidence=confidence,
    )


def lowest_level_above_blank(
    copies: ArrayLike, values: ArrayLike, *, limit_of_blank: float, probability: float = 0.95
) -> LowestLevel:
    """The lowest level of which at most 1 - `probability` of the results reach no more than the limit of blank.

    Parameters
    ----------
    copies : (n,) copies/reaction put in.
    values : (n,) copies/reaction found; 0 where nothing was detected.

    Notes
    -----
    The non-parametric limit of detection of EP17-A2.

    Examples
    --------
    >>> lowest_level_above_blank([1, 1, 5, 5], [0, 2, 4, 6], limit_of_blank=0.5).copies
    5.0
    """
    checked_share("probability", probability)
    x, problems = amounts("copies", copies, "copies/reaction put in")
    found, wrong = amounts("values", values, "copies/reaction found", _UNDETECTED)
    problems = problems + wrong or lengths_differ("detection study", x, "amounts", found, "results")
    problems += amounts("limit_of_blank", limit_of_blank, "copies/reaction")[1]
    if not problems and not np.any(x > 0):
        problems = [Problem("copies", "blanks only", "at least one level with target")]
    if problems:
        refuse(problems)
    level, member = np.unique(x[x > 0], return_inverse=True)
    above = np.bincount(member, weights=found[x > 0] > limit_of_blank)
    return lowest_level(level, above >= probability * np.bincount(member))
