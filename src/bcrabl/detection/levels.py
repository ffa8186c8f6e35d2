"""The reactions of a detection study by level: how many of how many were positive at each amount.

Level-wise limits, without a model, stand here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection.checks import amounts, checked_share, lengths_differ, refuse
from bcrabl.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["LowestLevel", "StudyLevels", "group_levels", "lowest_level", "lowest_level_detected"]


@dataclass(frozen=True)
class StudyLevels:
    """Positive reactions by level, blanks apart.

    Parameters
    ----------
    copies : (L,) copies/reaction, ascending, all positive.
    detected, total : (L,) positive reactions and all reactions.
    blank_detected, blank_total : reactions without target.
    """

    copies: Array
    detected: Array
    total: Array
    blank_detected: float
    blank_total: float

    @property
    def log10_copies(self) -> Array:
        """(L,) log10 of copies/reaction."""
        logarithms: Array = np.log10(self.copies)
        return logarithms

    def __str__(self) -> str:
        """The levels as a person would write them: "1: 25/96, 5: 59/96"."""
        rows = [f"{x:g}: {y:g}/{n:g}" for x, y, n in zip(self.copies, self.detected, self.total, strict=True)]
        return ", ".join([f"blank: {self.blank_detected:g}/{self.blank_total:g}"] * (self.blank_total > 0) + rows)


@dataclass(frozen=True)
class LowestLevel:
    """The lowest level tested that meets a goal.

    Parameters
    ----------
    copies : copies/reaction; infinite where no level meets it.
    higher_failing : levels above it that do not, which casts doubt on it.
    """

    copies: float
    higher_failing: tuple[float, ...]


def group_levels(copies: ArrayLike, detected: ArrayLike, total: ArrayLike | None) -> StudyLevels:
    """Pool the reactions of each level.

    Parameters
    ----------
    copies : (k,) copies/reaction, 0 for a blank; levels may repeat.
    detected : (k,) positive reactions of `total`; without `total`, whether each reaction was positive (0 or 1).
    total : (k,) reactions.

    Raises
    ------
    CalibrationError : negative copies or counts, more detected than there are, no whole counts, lengths that differ.
    """
    x, problems = amounts("copies", copies, "copies/reaction", "Leave reactions out whose amount is not known.")
    y, wrong = amounts("detected", detected, "positive reactions")
    problems += wrong
    n, wrong = (np.ones(len(y)), []) if total is None else amounts("total", total, "reactions of the level")
    problems += wrong
    if not problems:
        problems = lengths_differ("detection study", x, "amounts", y, "results")
        problems += lengths_differ("detection study", y, "results", n, "totals")
    if not problems:
        problems = _wrong_counts(y, n, single=total is None)
    if problems:
        refuse(problems)
    level, member = np.unique(x[n > 0], return_inverse=True)
    positive = np.bincount(member, weights=y[n > 0], minlength=len(level))
    reactions = np.bincount(member, weights=n[n > 0], minlength=len(level))
    blank = level == 0
    return StudyLevels(
        copies=level[~blank],
        detected=positive[~blank],
        total=reactions[~blank],
        blank_detected=float(positive[blank].sum()),
        blank_total=float(reactions[blank].sum()),
    )


def _wrong_counts(y: Array, n: Array, *, single: bool) -> list[Problem]:
    broken = (y != np.round(y)) | (n != np.round(n))
    if np.any(broken):
        return [Problem("detected", f"{y[broken][0]:g} of {n[broken][0]:g}", "whole reactions")]
    if np.any(y > n):
        first = int(np.argmax(y > n))
        remedy = "Give `total`, the reactions of each level, where `detected` counts them." if single else ""
        return [
            Problem("detected", f"{y[first]:g} of {n[first]:g}", "no more positive reactions than there are", remedy)
        ]
    return []


def lowest_level(copies: Array, meets: NDArray[np.bool_]) -> LowestLevel:
    """The lowest of ascending levels that meets a goal, and the higher ones that do not."""
    if not np.any(meets):
        return LowestLevel(float("inf"), ())
    first = int(np.argmax(meets))
    higher = copies[first:][~meets[first:]]
    return LowestLevel(float(copies[first]), tuple(float(x) for x in higher))


def lowest_level_detected(
    copies: ArrayLike, detected: ArrayLike, *, total: ArrayLike | None = None, probability: float = 0.95
) -> LowestLevel:
    """The lowest level of which at least `probability` of the reactions were positive: no model, no interval.

    Notes
    -----
    The discrete limit of detection of Klymus 2020, Environ DNA 2:271. It depends on the levels chosen.

    Examples
    --------
    The study of Merkes 2019 (doi 10.5066/P9GT00GB, Data.csv):

    >>> lowest_level_detected([1, 5, 10, 100], [25, 59, 96, 96], total=[96] * 4).copies
    10.0
    """
    study = group_levels(copies, detected, total)
    if len(study.copies) == 0:
        refuse(Problem("detection study", str(study), "at least one level with target"))
    share = checked_share("probability", probability)
    return lowest_level(study.copies, study.detected >= share * study.total)
