"""What counting molecules allows at best: no assay detects or counts better than the molecules fall into the wells.

A reaction with x copies on average holds none with probability exp(-x), and a count of x molecules has CV 1/√x.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection.checks import checked_replicates, checked_share, refuse
from bcrabl.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = [
    "copies_from_positives",
    "poisson_count_interval",
    "poisson_detection_probability",
    "poisson_limit_of_detection",
    "poisson_limit_of_quantification",
    "probability_per_reaction",
]


def poisson_detection_probability(copies: ArrayLike) -> Array:
    """P(at least one molecule) = 1 - exp(-copies).

    Examples
    --------
    >>> float(poisson_detection_probability(3).round(4))
    0.9502
    """
    chance: Array = -np.expm1(-np.asarray(copies, dtype=np.float64))
    return chance


def probability_per_reaction(probability: float, replicates: int = 1) -> float:
    """The chance one reaction needs so that at least one of `replicates` is positive with `probability`.

    Notes
    -----
    1 - (1 - P)^(1/n): n independent reactions all stay negative with (1 - p)^n (Merkes 2019, doi 10.5066/P9GT00GB).

    Examples
    --------
    >>> round(probability_per_reaction(0.95, 2), 4)
    0.7764
    """
    share = checked_share("probability", probability)
    return float(-np.expm1(np.log1p(-share) / checked_replicates(replicates)))


def poisson_limit_of_detection(probability: float = 0.95, replicates: int = 1) -> float:
    """The lowest limit of detection any assay can have, copies/reaction: -ln(1 - P)/n, 3 copies for one reaction.

    Examples
    --------
    >>> round(poisson_limit_of_detection(), 4), round(poisson_limit_of_detection(replicates=3), 4)
    (2.9957, 0.9986)
    """
    return float(-np.log1p(-checked_share("probability", probability)) / checked_replicates(replicates))


def poisson_limit_of_quantification(cv: float, replicates: int = 1) -> float:
    """The lowest limit of quantification any assay can have, copies/reaction: 1/(n · cv²) for the mean of n reactions.

    Parameters
    ----------
    cv : coefficient of variation that is still good enough, as a fraction.

    Examples
    --------
    >>> round(poisson_limit_of_quantification(0.35), 3)
    8.163
    """
    if not 0 < cv < np.inf:
        refuse(Problem("cv", f"{cv:g}", "a positive fraction, 0.35 for 35 %"))
    return float(1 / (checked_replicates(replicates) * cv**2))


def poisson_count_interval(count: float, confidence: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval of the mean a count was drawn from (Garwood 1936, Biometrika 28:437).

    Examples
    --------
    >>> [round(end, 2) for end in poisson_count_interval(10)]
    [4.8, 18.39]
    """
    from scipy.special import gammaincinv

    tail = (1 - checked_share("confidence", confidence)) / 2
    if not 0 <= count < np.inf:
        refuse(Problem("count", f"{count:g}", "molecules counted, 0 or more"))
    low = float(gammaincinv(count, tail)) if count > 0 else 0.0
    return low, float(gammaincinv(count + 1, 1 - tail))


def copies_from_positives(positives: int, total: int) -> float:
    """Mean molecules of a reaction from the share of positive ones, as in digital PCR: -ln(1 - positives/total).

    Examples
    --------
    >>> round(copies_from_positives(5_000, 20_000), 6)
    0.287682
    """
    if not 0 <= positives < total:
        refuse(Problem("positives", f"{positives} of {total}", "at least one reaction, at least one of them negative"))
    return float(-np.log1p(-positives / total))
