"""The limit of detection of a dilution study: a binomial model of positive reactions on log10 copies.

For qPCR this is the limit that EP17-A2 calls the probit approach: negatives have no Cq, so there is no SD of low
results to add to a limit of blank. Which link is chosen moves the limit more than the reactions do (10.1 to 15.9
copies from the wells of Merkes 2019); it is stored with the limit, and `compare_links` shows them side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection.checks import checked_choice, checked_share, refuse
from bcrabl.detection.levels import StudyLevels, group_levels
from bcrabl.detection.likelihood import Maximum, saturated_log_likelihood
from bcrabl.detection.links import LINKS, Link, link_named
from bcrabl.detection.poisson import probability_per_reaction
from bcrabl.detection.profile import fit_link, profile_interval
from bcrabl.errors import CalibrationError, Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["DetectionLimit", "LinkComparison", "compare_links", "limit_of_detection"]

_FARTHEST = 300.0  # decades; beyond it a float of copies ends
_DESIGN = "levels between which detection falls from all to none, at least two of them found in part of the reactions"


@dataclass(frozen=True)
class DetectionLimit:
    """A limit of detection with its model.

    Parameters
    ----------
    copies : copies/reaction at which a sample is positive with `probability`.
    low, high : profile likelihood interval, copies/reaction; 0 or infinity where the study sets no such end.
    probability : chance of at least one positive among `replicates` reactions of these copies each.
    probability_per_reaction : the chance one reaction needs for that.
    replicates : reactions of a sample.
    confidence : of the interval, two-sided.
    link : one of LINKS; p = F(intercept + slope · log10 copies).
    intercept, slope : of η; slope per decade.
    covariance : (2, 2) of (intercept, slope), from the observed information; zero for a slope that is given.
    background : chance of a positive without target; `probability` does not count it (Abbott 1925).
    log_likelihood, aic : of the single reactions, without binomial coefficients; AIC = 2·parameters - 2·log_likelihood.
    deviance, degrees_of_freedom, p_value : goodness of fit against a share for each level (χ²); levels at which
        everything is found add degrees of freedom but hardly deviance, so p errs towards 1. NaN without freedom.
    levels : the reactions it was made of.
    """

    copies: float
    low: float
    high: float
    probability: float
    probability_per_reaction: float
    replicates: int
    confidence: float
    link: str
    intercept: float
    slope: float
    covariance: Array
    background: float
    log_likelihood: float
    aic: float
    deviance: float
    degrees_of_freedom: int
    p_value: float
    levels: StudyLevels

    @property
    def bounded(self) -> bool:
        """Both ends of the interval exist."""
        return self.low > 0 and bool(np.isfinite(self.high))

    @property
    def extrapolated(self) -> bool:
        """The limit lies outside the levels tested."""
        return not self.levels.copies[0] <= self.copies <= self.levels.copies[-1]

    def detection_probability(self, copies: ArrayLike) -> Array:
        """Chance that one reaction of these copies is positive, with the background."""
        amount = np.asarray(copies, dtype=np.float64)
        with np.errstate(divide="ignore"):
            predictor = self.intercept + self.slope * np.log10(amount)
        found = link_named(self.link).probability(np.maximum(predictor, -1e150))
        chance: Array = self.background + (1 - self.background) * np.where(amount > 0, found, 0)
        return chance

    @property
    def wald_interval(self) -> tuple[float, float]:
        """Delta-method interval on log10 copies, for comparison with other programs (dose.p of R's MASS, drc).

        Notes
        -----
        θ = (q - a)/b, var θ = (V_aa + 2θ·V_ab + θ²·V_bb)/b². Done on copies instead, it can reach below zero.
        """
        from scipy.special import ndtri

        theta = np.log10(self.copies)
        variance = self.covariance[0, 0] + 2 * theta * self.covariance[0, 1] + theta**2 * self.covariance[1, 1]
        half_width = float(ndtri((1 + self.confidence) / 2) * np.sqrt(variance) / self.slope)
        return float(10 ** (theta - half_width)), float(10 ** (theta + half_width))


@dataclass(frozen=True)
class LinkComparison:
    """All links on one study.

    Parameters
    ----------
    limits : best AIC first.
    weights : Akaike weights of `limits`, summing to 1 (Burnham & Anderson 2002, Model Selection, eq. 2.9).
    one_hit_p_value : likelihood ratio test of one-hit within cloglog (χ²₁): small where molecules are not found each by
        itself with the same chance. NaN where one of the two was refused.
    refused : links that could not be fitted, with the reason.
    """

    limits: tuple[DetectionLimit, ...]
    weights: tuple[float, ...]
    one_hit_p_value: float
    refused: dict[str, str]


def limit_of_detection(
    copies: ArrayLike,
    detected: ArrayLike,
    *,
    total: ArrayLike | None = None,
    link: str = "cloglog",
    probability: float = 0.95,
    confidence: float = 0.95,
    replicates: int = 1,
    background: bool = False,
) -> DetectionLimit:
    """Copies/reaction that are detected with a given probability, with a profile likelihood interval.

    Parameters
    ----------
    copies : (k,) copies/reaction put in; 0 is a blank. Levels may repeat.
    detected : (k,) positive reactions of `total`; without `total`, whether each reaction was positive (0 or 1).
    total : (k,) reactions.
    link : one of LINKS.
    probability : wanted chance of detection.
    confidence : of the interval, two-sided.
    replicates : reactions of which one positive makes a sample positive; the limit is still per reaction.
    background : estimate the chance of a false positive from the blanks. Without it blanks must be negative.

    Raises
    ------
    CalibrationError : no reactions as described, no level between all and nothing (complete or quasi-complete
        separation: no slope has the highest likelihood; Albert & Anderson 1984, Biometrika 71:1), detection that does
        not rise with the copies, positive blanks without `background`, `background` without blanks.

    Examples
    --------
    Merkes 2019 (doi 10.5066/P9GT00GB, Data.csv), 96 reactions a level:

    >>> limit = limit_of_detection([1, 5, 10, 100], [25, 59, 96, 96], total=[96] * 4)
    >>> round(limit.copies, 3), round(limit.low, 2), round(limit.high, 2)
    (10.115, 8.27, 13.22)
    """
    study = group_levels(copies, detected, total)
    form = link_named(checked_choice("link", link, LINKS))
    needed = probability_per_reaction(probability, replicates)
    checked_share("confidence", confidence)
    problems = _blank_problems(study, background=background) + _design_problems(study, form)
    if problems:
        refuse(problems)
    best, covariance = fit_link(study, form, background=background)
    theta = (
        (form.quantile(needed) - best.coefficients[0]) / best.coefficients[1] if best.coefficients[1] > 0 else np.inf
    )
    if not abs(theta) < _FARTHEST:
        expected = "detection that rises with the copies" + (" above the background" if background else "")
        refuse(Problem("detection study", str(study), expected, "Check which level is which."))
    return _limit(study, form, best, covariance, probability, confidence, int(replicates), background=background)


def _limit(
    study: StudyLevels,
    link: Link,
    best: Maximum,
    covariance: Array,
    probability: float,
    confidence: float,
    replicates: int,
    *,
    background: bool,
) -> DetectionLimit:
    from scipy.special import chdtrc, ndtri

    needed = probability_per_reaction(probability, replicates)
    quantile = link.quantile(needed)
    intercept, slope = float(best.coefficients[0]), float(best.coefficients[1])
    drop = float(ndtri((1 + confidence) / 2)) ** 2 / 2
    low, high = profile_interval(study, link, best, quantile, drop, background=background)
    parameters = (2 if link.fixed_slope is None else 1) + int(background)
    deviance = 2 * (saturated_log_likelihood(study) - best.log_likelihood)
    freedom = len(study.copies) + int(background) - parameters
    return DetectionLimit(
        copies=float(10 ** ((quantile - intercept) / slope)),
        low=float(10**low),
        high=float(10**high) if high < np.inf else np.inf,
        probability=probability,
        probability_per_reaction=needed,
        replicates=replicates,
        confidence=confidence,
        link=link.name,
        intercept=intercept,
        slope=slope,
        covariance=covariance,
        background=best.background,
        log_likelihood=best.log_likelihood,
        aic=2 * parameters - 2 * best.log_likelihood,
        deviance=max(deviance, 0.0),
        degrees_of_freedom=freedom,
        p_value=float(chdtrc(freedom, max(deviance, 0.0))) if freedom > 0 else np.nan,
        levels=study,
    )


def compare_links(
    copies: ArrayLike,
    detected: ArrayLike,
    *,
    total: ArrayLike | None = None,
    probability: float = 0.95,
    confidence: float = 0.95,
    replicates: int = 1,
    background: bool = False,
) -> LinkComparison:
    """The limit of detection by every link, best AIC first; parameters as for `limit_of_detection`.

    Raises
    ------
    CalibrationError : no link can be fitted.

    Examples
    --------
    >>> shown = compare_links([1, 5, 10, 100], [25, 59, 96, 96], total=[96] * 4)
    >>> [(limit.link, round(limit.copies, 1)) for limit in shown.limits]
    [('one_hit', 11.2), ('cloglog', 10.1), ('probit', 13.6), ('logit', 15.9)]
    """
    limits, refused = [], {}
    reasons: list[Problem] = []
    for link in LINKS:
        try:
            limit = limit_of_detection(
                copies,
                detected,
                total=total,
                link=link,
                probability=probability,
                confidence=confidence,
                replicates=replicates,
                background=background,
            )
        except CalibrationError as error:
            refused[link] = str(error)
            reasons += [problem for problem in error.problems if problem not in reasons]
            continue
        limits.append(limit)
    if not limits:
        refuse(reasons)
    limits.sort(key=lambda limit: limit.aic)
    relative = np.exp([(limits[0].aic - limit.aic) / 2 for limit in limits])
    return LinkComparison(
        limits=tuple(limits),
        weights=tuple(float(weight) for weight in relative / relative.sum()),
        one_hit_p_value=_one_hit_p_value({limit.link: limit.log_likelihood for limit in limits}),
        refused=refused,
    )


def _one_hit_p_value(log_likelihood: dict[str, float]) -> float:
    from scipy.special import chdtrc

    if not {"cloglog", "one_hit"} <= log_likelihood.keys():
        return float("nan")
    return float(chdtrc(1, max(2 * (log_likelihood["cloglog"] - log_likelihood["one_hit"]), 0.0)))


def _blank_problems(study: StudyLevels, *, background: bool) -> list[Problem]:
    if background and study.blank_total == 0:
        return [Problem("detection study", "no blank", "reactions without target (0 copies), to see false positives")]
    if not background and study.blank_detected > 0:
        remedy = "Estimate a background from the blanks, or call late Cq above the limit of blank negative first."
        found = f"{study.blank_detected:g} of {study.blank_total:g} blanks positive"
        return [Problem("detection study", found, "negative blanks where no background is estimated", remedy)]
    return []


def _design_problems(study: StudyLevels, link: Link) -> list[Problem]:
    """Why these levels determine no limit."""
    where, shown = "detection study", str(study)
    if len(study.copies) == 0:
        return [Problem(where, shown or "no reaction", "levels with target")]
    positive, missed = study.detected > 0, study.detected < study.total
    if not np.any(missed):
        found = f"every reaction positive ({shown})"
        return [Problem(where, found, _DESIGN, f"The limit lies below {study.copies[0]:g} copies; add lower levels.")]
    if not np.any(positive):
        found = f"no reaction positive ({shown})"
        return [Problem(where, found, _DESIGN, f"The limit lies above {study.copies[-1]:g} copies; add higher levels.")]
    if link.fixed_slope is not None:
        return []
    lowest_found, highest_missed = float(study.copies[positive][0]), float(study.copies[missed][-1])
    if lowest_found < highest_missed:
        return []
    if lowest_found == highest_missed:
        found, between = f"one level found in part of its reactions ({shown})", f"about {lowest_found:g} copies"
    else:
        found = f"no level between all and nothing ({shown})"
        between = f"between {highest_missed:g} and {lowest_found:g} copies"
    remedy = f"No slope follows from it: add levels {between}, or use the link one_hit, whose slope is given."
    return [Problem(where, found, _DESIGN, remedy)]
