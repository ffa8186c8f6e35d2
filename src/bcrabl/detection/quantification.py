"""The limit of quantification: from how many copies/reaction on the CV of back-calculated copies is good enough.

    CV² = a + b/x      a: what repeats at many copies, b: counting, 1 + a where every molecule counts

is the CV of Poisson counts times a relative error of variance a, which a reaction read off a standard curve is.
Undetected reactions are counts too: they belong in, as 0 copies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection.checks import (
    amounts,
    checked_choice,
    checked_replicates,
    checked_share,
    lengths_differ,
    refuse,
)
from bcrabl.detection.cv_levels import CvLevels, cv_levels
from bcrabl.detection.cv_profile import CvProfile, fit_cv_profile, limit_interval
from bcrabl.detection.levels import LowestLevel, lowest_level
from bcrabl.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["METHODS", "SPREADS", "QuantificationLimit", "cv_from_cq_sd", "limit_of_quantification"]

METHODS = ("profile", "levels")
SPREADS = ("arithmetic", "logarithmic")


@dataclass(frozen=True)
class QuantificationLimit:
    """A limit of quantification.

    Parameters
    ----------
    copies : copies/reaction; below the lowest level tested where even that is better than `cv`.
    low, high : profile likelihood interval, copies/reaction; 0 or infinity where the study sets no such end. By level:
        the lowest levels whose CV may be, and whose CV surely is, good enough.
    cv : coefficient of variation that is good enough, of the mean of `replicates` reactions.
    replicates : reactions averaged.
    method, spread : one of METHODS, one of SPREADS.
    confidence : of the interval, two-sided.
    plateau_cv : √a, the CV of a reaction at many copies; NaN by level.
    counting : b; NaN by level.
    levels : CV of one reaction at every level.
    lowest_level : discrete limit, the lowest level with a good CV.
    limit_of_detection : copies/reaction, 0 if not given.
    """

    copies: float
    low: float
    high: float
    cv: float
    replicates: int
    method: str
    spread: str
    confidence: float
    plateau_cv: float
    counting: float
    levels: CvLevels
    lowest_level: LowestLevel
    limit_of_detection: float

    @property
    def reported(self) -> float:
        """Never below the limit of detection nor the lowest level tested (EP17-A2; Merkes 2019)."""
        return max(self.copies, self.limit_of_detection, float(self.levels.copies[0]))

    @property
    def extrapolated(self) -> bool:
        """The limit lies outside the levels tested."""
        return not self.levels.copies[0] <= self.copies <= self.levels.copies[-1]


def cv_from_cq_sd(cq_sd: ArrayLike, efficiency: float = 1.0) -> Array:
    """CV of copies from the SD of Cq: √((1 + E)^(SD²·ln(1 + E)) - 1), copies taken as log-normal.

    Notes
    -----
    Forootan 2017, Biomol Detect Quantif 12:1; E = 1 is perfect doubling.

    Examples
    --------
    >>> float(cv_from_cq_sd(0.49).round(4))
    0.3497
    """
    cv: Array = np.sqrt(np.expm1((np.asarray(cq_sd, dtype=np.float64) * np.log1p(efficiency)) ** 2))
    return cv


def limit_of_quantification(
    nominal: ArrayLike,
    measured: ArrayLike,
    *,
    cv: float,
    method: str = "profile",
    spread: str = "arithmetic",
    replicates: int = 1,
    confidence: float = 0.95,
    limit_of_detection: float = 0.0,
) -> QuantificationLimit:
    """Copies/reaction from which on the CV of copies read off the standard curve is at most `cv`.

    Parameters
    ----------
    nominal : (n,) copies/reaction put in; blanks (0) take no part.
    measured : (n,) copies/reaction read off the standard curve; 0 where nothing was detected.
    cv : the CV that is good enough, as a fraction. There is no default: 0.35 is in use (Klymus 2020, Environ DNA
        2:271), no guideline on BCR::ABL1 names one.
    method : "profile": where the fitted CV² = a + b/x falls to it; "levels": the lowest level tested.
    spread : "arithmetic": SD/mean of copies, undetected as 0; "logarithmic": from the SD of ln copies, undetected left
        out (Forootan 2017), which at few copies is the smaller for it.
    replicates : reactions averaged into a result; the limit is still per reaction.
    confidence : of the interval, two-sided.
    limit_of_detection : copies/reaction, for `reported`.

    Raises
    ------
    CalibrationError : values that are negative or no numbers, no level measured twice, one level only where a profile
        is asked for, a CV that never gets that good.

    Notes
    -----
    The profile is fitted by a gamma likelihood of the squared level CVs, weighted by their variance under the model;
    see `bcrabl.detection.cv_profile`.
    """
    checked_choice("method", method, METHODS)
    checked_choice("spread", spread, SPREADS)
    checked_share("confidence", confidence)
    goal = _goal(cv, replicates)
    x, found = _checked(nominal, measured)
    levels = cv_levels(x, found, logarithmic=spread == "logarithmic", confidence=confidence)
    if method == "profile":
        profile = fit_cv_profile(levels, logarithmic=spread == "logarithmic")
        copies, low, high = _of_profile(levels, profile, goal, confidence)
        plateau_cv, counting = float(np.sqrt(profile.plateau)), profile.counting
    else:
        copies, low, high = (
            lowest_level(levels.copies, values <= np.sqrt(goal)).copies
            for values in (levels.cv, levels.cv_low, levels.cv_high)
        )
        plateau_cv = counting = float("nan")
        if copies == np.inf:
            _never(levels, goal)
    return QuantificationLimit(
        copies=copies,
        low=low,
        high=high,
        cv=cv,
        replicates=int(replicates),
        method=method,
        spread=spread,
        confidence=confidence,
        plateau_cv=plateau_cv,
        counting=counting,
        levels=levels,
        lowest_level=lowest_level(levels.copies, levels.cv <= np.sqrt(goal)),
        limit_of_detection=limit_of_detection,
    )


def _goal(cv: float, replicates: int) -> float:
    """CV² one reaction may have so that the mean of the replicates has `cv`."""
    if not 0 < cv < np.inf:
        refuse(Problem("cv", f"{cv:g}", "a positive fraction, 0.35 for 35 %"))
    return cv**2 * checked_replicates(replicates)


def _checked(nominal: ArrayLike, measured: ArrayLike) -> tuple[Array, Array]:
    remedy = "Write reactions without Cq as 0 copies."
    x, problems = amounts("nominal", nominal, "copies/reaction put in")
    found, wrong = amounts("measured", measured, "copies/reaction read off the curve", remedy)
    problems = problems + wrong or lengths_differ("quantification study", x, "amounts", found, "results")
    if problems:
        refuse(problems)
    return x[x > 0], found[x > 0]


def _of_profile(levels: CvLevels, profile: CvProfile, goal: float, confidence: float) -> tuple[float, float, float]:
    if profile.plateau >= goal:
        _never(levels, goal)
    copies = profile.counting / (goal - profile.plateau)
    low, high = limit_interval(levels, profile, goal, confidence)
    return copies, low, high


def _never(levels: CvLevels, goal: float) -> None:
    found = ", ".join(f"{x:g} copies: {cv:.3g}" for x, cv in zip(levels.copies, levels.cv, strict=True))
    expected = f"a CV of one reaction that falls to {np.sqrt(goal):.3g}"
    refuse(Problem("quantification study", f"CV {found}", expected, "Average more replicates, or ask for less."))
