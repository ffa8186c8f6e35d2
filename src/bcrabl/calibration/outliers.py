"""Standards that do not fit: tested and reported, never dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.calibration.fitting import standards_design
from bcrabl.calibration.template import normal_scores

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from bcrabl.calibration.curve import StandardCurve

    Array = NDArray[np.float64]

__all__ = [
    "GRUBBS",
    "STUDENTISED",
    "MissedStandards",
    "OutlierTest",
    "grubbs_p_value",
    "missed_standards",
    "outlying_standards",
]

STUDENTISED = "externally studentised residual"
GRUBBS = "Grubbs within level"
_LEAST_REPLICATES = 3
_ROUNDING = 1e-6  # cycles; standards that stay within on their line differ by arithmetic only


@dataclass(frozen=True)
class OutlierTest:
    """One test of one standard reaction.

    Parameters
    ----------
    index : of the reaction among those given.
    statistic : Student's t (negative: earlier than the line), or Grubbs' G.
    p_value : two-sided, corrected for the number of reactions tested (and of levels).
    test : `STUDENTISED` or `GRUBBS`.
    """

    index: int
    statistic: float
    p_value: float
    test: str


@dataclass(frozen=True)
class MissedStandards:
    """Standards without a Cq at one level.

    Parameters
    ----------
    copies : nominal copies/reaction.
    missed, total : reactions.
    p_value : probability of so many misses or more, each with probability exp(-copies).
    """

    copies: float
    missed: int
    total: int
    p_value: float


def outlying_standards(
    curve: StandardCurve, cq: ArrayLike, copies: ArrayLike, *, significance: float = 0.05
) -> tuple[OutlierTest, ...]:
    """The standard reactions that two tests find outlying, most striking first.

    Parameters
    ----------
    curve : fitted to these standards.
    cq, copies : (n,) of the standards, as fitted.
    significance : largest corrected p reported; 1 gives every test made.

    Notes
    -----
    Each reaction against the line drawn without it: externally studentised residual on n - 3 degrees of freedom, p
    times n (Bonferroni; Cook & Weisberg 1982, Residuals and Influence in Regression, 2.2.2). Within levels of three
    or more replicates the farthest reaction by Grubbs 1969, Technometrics 11:1, p times the levels tested. With
    weighting `poisson` residuals enter as normal scores, because honest reactions of 10 copies are late by chance
    more often than a normal law allows.
    """
    y, amount = np.asarray(cq, dtype=np.float64), np.asarray(copies, dtype=np.float64)
    x, chance = standards_design(amount, curve.weighting)
    residual = y - curve.intercept - curve.slope * x
    if len(y) <= _LEAST_REPLICATES or not np.abs(residual).max() > _ROUNDING:
        return ()
    if curve.weighting == "none":
        scores = residual / curve.residual_sd
    else:
        scores = normal_scores(residual, curve.slope, curve.residual_sd, amount)
    leverage = curve.line_variance(x) / (curve.residual_sd**2 + curve.slope**2 * chance)
    tests = [*_studentised(scores, leverage), *_grubbs(scores, amount)]
    return tuple(sorted((test for test in tests if test.p_value <= significance), key=lambda test: test.p_value))


def missed_standards(copies: ArrayLike, detected: ArrayLike) -> tuple[MissedStandards, ...]:
    """Levels with undetected standards, and how likely chance is to leave so many reactions without a molecule.

    Parameters
    ----------
    copies : (n,) nominal copies/reaction of all standard reactions.
    detected : (n,) whether each has a Cq.

    Notes
    -----
    A miss has probability exp(-λ): 5e-5 at 10 copies, so that one missed 10-copy standard says that less than 10
    copies were in it, or that single molecules are not amplified.

    Examples
    --------
    >>> [round(level.p_value, 5) for level in missed_standards([10, 10, 3, 3], [True, False, True, False])]
    [0.0971, 9e-05]
    """
    from scipy.special import bdtrc

    amount, found = np.asarray(copies, dtype=np.float64), np.asarray(detected, dtype=bool)
    levels = []
    for level in np.unique(amount[~found]):
        here = amount == level
        missed, total = int((here & ~found).sum()), int(here.sum())
        p_value = float(bdtrc(missed - 1, total, np.exp(-level)))
        levels.append(MissedStandards(float(level), missed, total, p_value))
    return tuple(levels)


def _studentised(scores: Array, leverage: Array) -> list[OutlierTest]:
    from scipy.special import stdtr

    degrees = len(scores) - 3
    variance = float((scores**2).sum()) / (degrees + 1)
    squared = scores**2 / (np.maximum(1 - leverage, 1e-12) * variance)
    with np.errstate(divide="ignore"):  # all the scatter in one reaction: t is infinite
        statistic = np.sign(scores) * np.sqrt(squared * degrees / np.maximum(degrees + 1 - squared, 0.0))
    p_value = np.minimum(2 * stdtr(degrees, -np.abs(statistic)) * len(scores), 1.0)
    return [
        OutlierTest(index, float(t), float(p), STUDENTISED)
        for index, (t, p) in enumerate(zip(statistic, p_value, strict=True))
    ]


def _grubbs(scores: Array, amount: Array) -> list[OutlierTest]:
    members = [np.flatnonzero(amount == level) for level in np.unique(amount)]
    tested = [here for here in members if len(here) >= _LEAST_REPLICATES and np.ptp(scores[here]) > 0]
    return [_farthest(scores, here, len(tested)) for here in tested]


def _farthest(scores: Array, here: NDArray[np.intp], levels: int) -> OutlierTest:
    distance = np.abs(scores[here] - scores[here].mean())
    farthest = int(distance.argmax())
    statistic = float(distance[farthest] / scores[here].std(ddof=1))
    p_value = min(grubbs_p_value(statistic, len(here)) * levels, 1.0)
    return OutlierTest(int(here[farthest]), statistic, p_value, GRUBBS)


def grubbs_p_value(statistic: float, reactions: int) -> float:
    """Two-sided p of Grubbs' G, the largest distance from the mean of n values in their SD.

    Examples
    --------
    The 5 % points of 5 and 10 values are 1.715 and 2.290.

    >>> round(grubbs_p_value(1.715, 5), 3), round(grubbs_p_value(2.290, 10), 3)
    (0.05, 0.05)
    """
    from scipy.special import stdtr

    n = reactions
    rest = (n - 1) ** 2 - n * statistic**2
    t = np.sqrt(n * (n - 2) * statistic**2 / rest) if rest > 0 else np.inf
    return min(2 * n * float(stdtr(n - 2, -t)), 1.0)
