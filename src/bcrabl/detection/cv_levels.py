"""CV of back-calculated copies, level by level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection.checks import refuse
from bcrabl.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["CvLevels", "cv_levels"]


@dataclass(frozen=True)
class CvLevels:
    """CV of one reaction at every level measured at least twice.

    Parameters
    ----------
    copies : (L,) copies/reaction put in, ascending.
    reactions, undetected : (L,) reactions of the level, and those without copies.
    used : (L,) reactions the CV is of.
    mean : (L,) mean copies/reaction of these.
    variance : (L,) squared CV, or variance of ln copies where the spread is logarithmic.
    cv : (L,) fraction.
    cv_low, cv_high : (L,) interval of the CV by χ² (results taken as normal, or log-normal).
    """

    copies: Array
    reactions: Array
    undetected: Array
    used: Array
    mean: Array
    variance: Array
    cv: Array
    cv_low: Array
    cv_high: Array


def cv_levels(nominal: Array, measured: Array, *, logarithmic: bool, confidence: float) -> CvLevels:
    """CV of each level.

    Parameters
    ----------
    nominal : (n,) copies/reaction put in, positive.
    measured : (n,) copies/reaction found; 0 where nothing was detected, which a logarithmic spread leaves out.

    Raises
    ------
    CalibrationError : no level has two results.
    """
    from scipy.special import chdtri

    level, member = np.unique(nominal, return_inverse=True)
    reactions = np.bincount(member, minlength=len(level)).astype(np.float64)
    undetected = np.bincount(member, weights=measured == 0, minlength=len(level)).astype(np.float64)
    # A level at which everything was missed has a mean of 0 and no CV.
    taken = measured > 0 if logarithmic else (reactions > undetected)[member]
    used = np.bincount(member, weights=taken, minlength=len(level)).astype(np.float64)
    if not np.any(used >= 2):
        found = f"{len(nominal)} results at {len(level)} levels"
        refuse(Problem("quantification study", found, "at least two results of a level, not all of them undetected"))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(taken, np.log(measured) if logarithmic else measured, 0)
        centre = np.bincount(member, weights=values, minlength=len(level)) / used
        squares = np.where(taken, (values - centre[member]) ** 2, 0)
        variance = np.bincount(member, weights=squares, minlength=len(level)) / (used - 1)
        mean = np.bincount(member, weights=np.where(taken, measured, 0), minlength=len(level)) / used
        if not logarithmic:
            variance = variance / mean**2
    kept = used >= 2
    freedom, variance = used[kept] - 1, variance[kept]
    tail = (1 - confidence) / 2
    bounds = [variance * freedom / chdtri(freedom, share) for share in (tail, 1 - tail)]
    cv, cv_low, cv_high = (np.sqrt(np.expm1(each) if logarithmic else each) for each in (variance, *bounds))
    return CvLevels(
        copies=level[kept],
        reactions=reactions[kept],
        undetected=undetected[kept],
        used=used[kept],
        mean=mean[kept],
        variance=variance,
        cv=cv,
        cv_low=cv_low,
        cv_high=cv_high,
    )
