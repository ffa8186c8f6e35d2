"""The limits of one target as the plain numbers its figure is drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection.proportions import exact_share_interval
from bcrabl.report.figures.detection import StudyChart

if TYPE_CHECKING:
    from bcrabl.studies.limits import StudyLimits

__all__ = ["chart_of"]


def chart_of(limits: StudyLimits) -> StudyChart:
    """What there is to draw of one target."""
    levels, chosen, loq, cv, profile = limits.levels, limits.chosen, limits.quantification, limits.cv, limits.profile
    with_target = levels.copies > 0
    copies, detected, total = (
        each[with_target].astype(np.float64) for each in (levels.copies, levels.detected, levels.reactions)
    )
    low, high = exact_share_interval(detected, total, limits.settings.confidence)
    none = np.empty(0)
    return StudyChart(
        copies=copies,
        share=detected / total,
        share_low=low,
        share_high=high,
        curves={link: limit.detection_probability for link, limit in limits.limits.items()},
        lod=None if chosen is None else (chosen.copies, chosen.low, chosen.high),
        probability=limits.settings.probability,
        confidence=limits.settings.confidence,
        note=_note(limits),
        cv_copies=none if cv is None else cv.copies,
        cv=none if cv is None else cv.cv,
        cv_low=none if cv is None else cv.cv_low,
        cv_high=none if cv is None else cv.cv_high,
        profile=None if profile is None else (profile.plateau, profile.counting),
        loq=None if loq is None else (loq.copies, loq.low, loq.high),
        loq_cv=limits.settings.loq_cv,
        cv_note="" if loq is not None else f"No limit of quantification: {limits.quantification_why}",
    )


def _note(limits: StudyLimits) -> str:
    blank, chosen = limits.reactions.blank, limits.chosen
    note = f"Blanks: {int(limits.reactions.detected[blank].sum())} of {int(blank.sum())} detected."
    link = limits.settings.link.replace("_", "-")
    if chosen is None:
        return f"{note} No limit by {link}: {limits.refused[limits.settings.link]}"
    high = f"{chosen.high:.3g}" if np.isfinite(chosen.high) else "no upper end"
    found = f"{chosen.copies:.3g} ({chosen.low:.3g} to {high}) copies"
    return f"{note} LoD {100 * chosen.probability:g} % by {link}: {found}."
