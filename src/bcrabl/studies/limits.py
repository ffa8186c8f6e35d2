"""The reactions of one target of a detection study → its limits, each on its own: what cannot be had says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection import (
    LINKS,
    BlankLimit,
    DetectionLimit,
    QuantificationLimit,
    compare_links,
    limit_of_blank,
    limit_of_detection,
    limit_of_quantification,
    lowest_level_detected,
)
from bcrabl.detection.cv_levels import CvLevels, cv_levels
from bcrabl.detection.cv_profile import CvProfile, fit_cv_profile
from bcrabl.errors import CalibrationError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Reactions", "StudyLevels", "StudyLimits", "StudySettings", "study_limits"]

_POOR_FIT = 0.05  # p value of the goodness of fit below which a person should look
_NOT_ASKED = "no CV stated (detection_limits.loq_cv in the configuration)"


@dataclass(frozen=True)
class StudySettings:
    """How the limits are computed: detection_limits of the configuration, whose schema says what each means."""

    link: str
    probability: float
    confidence: float
    replicates: int
    background: bool
    lob_method: str
    loq_cv: float | None = None


@dataclass(frozen=True)
class Reactions:
    """The reactions (n,) of one target.

    Parameters
    ----------
    level : copies/reaction put in; 0 for a blank.
    detected : as in results.
    copies : copies/reaction read off the standard curve, 0 where not detected.
    ambiguous : called so; counts as not detected.
    """

    level: Array
    detected: NDArray[np.bool_]
    copies: Array
    ambiguous: NDArray[np.bool_]

    @property
    def blank(self) -> NDArray[np.bool_]:
        """(n,) which of them are blanks."""
        blank: NDArray[np.bool_] = self.level == 0
        return blank


@dataclass(frozen=True)
class StudyLevels:
    """The reactions counted by level (L,), rising, blanks first; the CV is NaN where it cannot be had."""

    copies: Array
    reactions: NDArray[np.int64]
    detected: NDArray[np.int64]
    ambiguous: NDArray[np.int64]
    mean: Array
    cv: Array


@dataclass(frozen=True)
class StudyLimits:
    """What a study says of one target.

    Parameters
    ----------
    settings, reactions, levels : what it was made of.
    limits, replicate_limits : of one reaction and of a sample of `settings.replicates` reactions, by link; both always
        in copies per reaction.
    weights : Akaike weight, by link.
    refused : links that give no limit, with the reason.
    one_hit_p_value : of one-hit within cloglog; NaN where one of the two was refused.
    lowest_level : lowest level detected with the wanted probability; None where no level is.
    blank, blank_why : limit of blank, or why there is none.
    quantification, quantification_why : limit of quantification, or why there is none.
    cv, profile : CV by level and the profile through it; None where they cannot be had.
    """

    settings: StudySettings
    reactions: Reactions
    levels: StudyLevels
    limits: dict[str, DetectionLimit]
    replicate_limits: dict[str, DetectionLimit]
    weights: dict[str, float]
    refused: dict[str, str]
    one_hit_p_value: float
    lowest_level: float | None
    blank: BlankLimit | None
    blank_why: str | None
    quantification: QuantificationLimit | None
    quantification_why: str | None
    cv: CvLevels | None
    profile: CvProfile | None

    @property
    def chosen(self) -> DetectionLimit | None:
        """The limit of detection by the link of the settings."""
        return self.limits.get(self.settings.link)

    def reported_quantification(self, limit: DetectionLimit) -> float | None:
        """The limit of quantification, never below a limit of detection nor below the lowest level tested."""
        if self.quantification is None:
            return None
        return max(self.quantification.reported, limit.copies)

    def flags(self, link: str) -> list[str]:
        """What to keep in mind with the limits by a link."""
        limit, several, loq = self.limits.get(link), self.replicate_limits.get(link), self.quantification
        flags = {
            "blank_detected": bool(self.reactions.detected[self.reactions.blank].any()),
            "no_blank": not self.reactions.blank.any(),
            "lob_unbounded": self.blank is not None and not np.isfinite(self.blank.high),
            "lod_unbounded": limit is not None and not limit.bounded,
            "lod_extrapolated": limit is not None and limit.extrapolated,
            "lod_poor_fit": limit is not None and limit.p_value < _POOR_FIT,
            "replicates_lod_unbounded": several is not None and not several.bounded,
            "replicates_lod_extrapolated": several is not None and several.extrapolated,
            "loq_unbounded": loq is not None and not (loq.low > 0 and np.isfinite(loq.high)),
            "loq_extrapolated": loq is not None and loq.extrapolated,
        }
        return sorted(name for name, holds in flags.items() if holds)


def study_limits(reactions: Reactions, settings: StudySettings, why_none: str = "") -> StudyLimits:
    """All limits of one target.

    Parameters
    ----------
    reactions : of the target, all runs of the study together.
    why_none : why no reaction can be used, where that is so.
    """
    limits, several, refused, weights, one_hit_p_value = _by_link(reactions, settings, why_none)
    blank, blank_why = _blank(reactions, settings)
    cv, profile = _cv(reactions, settings)
    loq, loq_why = _quantification(reactions, settings)
    return StudyLimits(
        settings=settings,
        reactions=reactions,
        levels=_levels(reactions),
        limits=limits,
        replicate_limits=several,
        weights=weights,
        refused=refused,
        one_hit_p_value=one_hit_p_value,
        lowest_level=_lowest_level(reactions, settings),
        blank=blank,
        blank_why=blank_why,
        quantification=loq,
        quantification_why=loq_why,
        cv=cv,
        profile=profile,
    )


def _by_link(
    reactions: Reactions, settings: StudySettings, why_none: str
) -> tuple[dict[str, DetectionLimit], dict[str, DetectionLimit], dict[str, str], dict[str, float], float]:
    """Limits of one reaction and of several, reasons of refusal and weights, by link; p value of one-hit."""
    limits, several, refused = {}, {}, {}
    for link in LINKS:
        try:
            one, more = (_limit(reactions, settings, link, replicates) for replicates in (1, settings.replicates))
        except CalibrationError as error:
            refused[link] = why_none or str(error)
            continue
        limits[link], several[link] = one, more
    if not limits:
        return limits, several, refused, {}, float("nan")
    compared = compare_links(
        reactions.level,
        reactions.detected,
        probability=settings.probability,
        confidence=settings.confidence,
        background=settings.background,
    )
    weights = {limit.link: weight for limit, weight in zip(compared.limits, compared.weights, strict=True)}
    return limits, several, refused, weights, compared.one_hit_p_value


def _limit(reactions: Reactions, settings: StudySettings, link: str, replicates: int) -> DetectionLimit:
    return limit_of_detection(
        reactions.level,
        reactions.detected,
        link=link,
        probability=settings.probability,
        confidence=settings.confidence,
        replicates=replicates,
        background=settings.background,
    )


def _lowest_level(reactions: Reactions, settings: StudySettings) -> float | None:
    try:
        lowest = lowest_level_detected(reactions.level, reactions.detected, probability=settings.probability)
    except CalibrationError:
        return None
    return lowest.copies if np.isfinite(lowest.copies) else None


def _blank(reactions: Reactions, settings: StudySettings) -> tuple[BlankLimit | None, str | None]:
    copies = reactions.copies[reactions.blank]
    if not len(copies):
        return None, "no blank in the study"
    try:
        return limit_of_blank(copies, method=settings.lob_method, confidence=settings.confidence), None
    except CalibrationError as error:
        return None, str(error)


def _cv(reactions: Reactions, settings: StudySettings) -> tuple[CvLevels | None, CvProfile | None]:
    level, copies = reactions.level[~reactions.blank], reactions.copies[~reactions.blank]
    try:
        found = cv_levels(level, copies, logarithmic=False, confidence=settings.confidence)
    except CalibrationError:
        return None, None
    try:
        return found, fit_cv_profile(found, logarithmic=False)
    except CalibrationError:
        return found, None


def _quantification(reactions: Reactions, settings: StudySettings) -> tuple[QuantificationLimit | None, str | None]:
    if settings.loq_cv is None:
        return None, _NOT_ASKED
    try:
        limit = limit_of_quantification(
            reactions.level, reactions.copies, cv=settings.loq_cv, confidence=settings.confidence
        )
    except CalibrationError as error:
        return None, str(error)
    return limit, None


def _levels(reactions: Reactions) -> StudyLevels:
    level, member = np.unique(reactions.level, return_inverse=True)
    count = np.bincount(member, minlength=len(level))
    mean, cv = np.full(len(level), np.nan), np.full(len(level), np.nan)
    for k in range(len(level)):
        found = reactions.copies[member == k]
        mean[k] = found.mean()
        if len(found) > 1 and mean[k] > 0:
            cv[k] = found.std(ddof=1) / mean[k]
    return StudyLevels(
        copies=level,
        reactions=count.astype(np.int64),
        detected=np.bincount(member[reactions.detected], minlength=len(level)).astype(np.int64),
        ambiguous=np.bincount(member[reactions.ambiguous], minlength=len(level)).astype(np.int64),
        mean=mean,
        cv=cv,
    )
