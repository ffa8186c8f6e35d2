"""Cq and copies of the runs of a detection study → limits of blank, detection and quantification of each target.

A reaction counts as detected exactly where it does in results: the copies table says so. What is left out there (marked
as omitted in the export, no standard curve) is left out here.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import bcrabl
from bcrabl.detection import LINKS
from bcrabl.detection.proportions import exact_share_interval
from bcrabl.errors import Problem, RunError
from bcrabl.report.figures.detection import study_figure
from bcrabl.schemas import suggest
from bcrabl.studies.chart import chart_of
from bcrabl.studies.limits import Reactions, StudyLimits, StudySettings, study_limits
from bcrabl.study_sheet import DetectionStudyRow
from bcrabl.tables import COPIES, CQ, DETECTION_LIMITS, Row, read_table, write_table
from bcrabl.whole_files import write_text

if TYPE_CHECKING:
    from bcrabl.detection import DetectionLimit

__all__ = ["DetectionStudy", "analyse_study", "study_reactions"]

log = logging.getLogger("bcrabl")

_BLANK_ROLES = ("ntc", "nrt", "neg")  # nac holds no enzyme: it cannot be falsely positive
_FROM_CQ = ("run_id", "target", "well", "role", "sample_id", "known_copies", "call")
_FROM_COPIES = ("run_id", "target", "well", "detected", "copies", "excluded", "excluded_why")
_SOME_NAMES = 12

_OF_LINK = (  # beginnings of the columns that differ from link to link
    *("chosen", "status", "why", "flags", "lod_", "replicates_lod", "intercept", "slope", "background", "aic"),
    *("akaike_", "deviance", "degrees_of_freedom", "goodness_of_fit_p", "loq_reported"),
)


@dataclass(frozen=True)
class DetectionStudy:
    """One study.

    Parameters
    ----------
    study : its name.
    sheet : file it is named in, for messages.
    assay : protocol of all its runs.
    rows : of the sheet, targets by the protocol's names.
    settings : how its limits are computed.
    """

    study: str
    sheet: str
    assay: str
    rows: tuple[DetectionStudyRow, ...]
    settings: StudySettings

    @classmethod
    def from_json(cls, text: str) -> DetectionStudy:
        """The study as `bcrabl.study_plan.Studies.as_json` wrote it."""
        about = json.loads(text)
        rows = tuple(DetectionStudyRow(**row) for row in about["rows"])
        return cls(about["study"], about["sheet"], about["assay"], rows, StudySettings(**about["settings"]))

    @property
    def runs(self) -> list[str]:
        """Its runs, in the order of the sheet."""
        return list(dict.fromkeys(row.run_id for row in self.rows))

    def place(self, row: DetectionStudyRow) -> str:
        """A row in words."""
        named = f", sample_id {row.sample_id}" if row.sample_id is not None else ""
        return f"{self.sheet}, study {self.study}, run_id {row.run_id}, target {row.target}{named}"


def analyse_study(study: DetectionStudy, cq: Sequence[str], copies: Sequence[str], output: Mapping[str, str]) -> None:
    """Compute the limits of a study and write them as table, JSON and figure.

    Parameters
    ----------
    cq, copies : files of the cq and copies tables that hold its runs.
    output : paths of `json`, `parquet` and `svg`.

    Raises
    ------
    RunError : the tables do not hold what the sheet names.
    """
    reactions = study_reactions(study, _joined(cq, copies))
    found = {target: study_limits(_usable(rows), study.settings, _why_none(rows)) for target, rows in reactions.items()}
    table = [row for target in found for row in _rows(study, target, found[target], reactions[target])]
    for target, limits in found.items():
        log.info("%s, %s: %s", study.study, target, _in_words(limits))
    write_table(DETECTION_LIMITS.from_rows(table), DETECTION_LIMITS, output["parquet"])
    charts = {target: chart_of(limits) for target, limits in found.items()}
    write_text(study_figure(study.study, charts).svg(), output["svg"])
    write_text(_as_json(study, found, table, reactions), output["json"])


# -- which reactions --------------------------------------------------------------------------------------------------


def study_reactions(study: DetectionStudy, reactions: Iterable[Row]) -> dict[str, list[Row]]:
    """Reactions of the study by target, each with `level`, copies/reaction put in.

    Parameters
    ----------
    reactions : rows of the cq table joined with the copies table.

    Raises
    ------
    RunError : a run without the target, a sample that is not on its run, a run without standards and blanks, a
        reaction that would have two levels.
    """
    by_place: dict[tuple[str, str], list[Row]] = {}
    for reaction in reactions:
        by_place.setdefault((reaction["run_id"], reaction["target"]), []).append(reaction)
    taken: dict[tuple[str, str, str], Row] = {}
    problems: list[Problem] = []
    for row in study.rows:
        own = by_place.get((row.run_id, row.target), [])
        levels = _levels(row, own)
        if not levels:
            problems.append(_nothing_found(study.place(row), row, own))
        for reaction, level in levels:
            earlier = taken.setdefault(_key(reaction), reaction | {"level": level})
            known = [other for other in (earlier["level"], reaction["known_copies"]) if other is not None]
            problems += [_two_levels(study.place(row), reaction, level, other) for other in known if other != level]
    if problems:
        raise RunError(dict.fromkeys(problems))
    targets = dict.fromkeys(row.target for row in study.rows)
    return {target: [taken[key] for key in sorted(taken) if key[1] == target] for target in targets}


def _key(reaction: Row) -> tuple[str, str, str]:
    return str(reaction["run_id"]), str(reaction["target"]), str(reaction["well"])


def _levels(row: DetectionStudyRow, reactions: Sequence[Row]) -> list[tuple[Row, float]]:
    """The reactions a row of the sheet speaks of, each with its level."""
    if row.sample_id is not None and row.level is not None:
        return [(reaction, row.level) for reaction in reactions if reaction["sample_id"] == row.sample_id]
    found = []
    for reaction in reactions:
        if reaction["role"] == "std" and reaction["known_copies"] is not None:
            found.append((reaction, float(reaction["known_copies"])))
        elif reaction["role"] in _BLANK_ROLES:
            found.append((reaction, 0.0))
    return found


def _nothing_found(place: str, row: DetectionStudyRow, reactions: Sequence[Row]) -> Problem:
    if not reactions:
        remedy = "Was the run refused? results/summary.tsv says why."
        return Problem(place, "no reaction of this target in the run", "a run with the target", remedy)
    if row.sample_id is None:
        remedy = (
            "Name the samples one by one with their levels, or give the standards their copies in the layout sheet."
        )
        expected = f"standards with known copies, or blanks ({', '.join(_BLANK_ROLES)})"
        return Problem(place, "neither standards nor blanks in the run", expected, remedy)
    names = sorted({str(reaction["sample_id"]) for reaction in reactions if reaction["sample_id"]})
    shown = ", ".join(names[:_SOME_NAMES]) + (", …" if len(names) > _SOME_NAMES else "")
    expected = f"a sample of that run: {shown or 'none has a name'}"
    return Problem(place, "no reaction of this sample", expected, suggest(row.sample_id, names))


def _two_levels(place: str, reaction: Row, level: float, other: float) -> Problem:
    found = f"{level:g} copies for well {reaction['well']}, which has {other:g} elsewhere"
    remedy = "Correct the level here, or known_copies in the export or the layout sheet."
    return Problem(place, found, "one level for a reaction", remedy)


def _joined(cq: Sequence[str], copies: Sequence[str]) -> list[Row]:
    """Rows of both tables put together by reaction."""
    quantified = {_key(row): row for path in copies for row in read_table(path, COPIES, _FROM_COPIES).to_pylist()}
    analysed = (row for path in cq for row in read_table(path, CQ, _FROM_CQ).to_pylist())
    return [row | quantified[_key(row)] for row in analysed if _key(row) in quantified]


def _usable(rows: Sequence[Row]) -> Reactions:
    used = [row for row in rows if not row["excluded"]]
    return Reactions(
        level=np.array([row["level"] for row in used], dtype=np.float64),
        detected=np.array([row["detected"] for row in used], dtype=bool),
        copies=np.array([row["copies"] for row in used], dtype=np.float64),
        ambiguous=np.array([row["call"] == "ambiguous" for row in used], dtype=bool),
    )


def _left_out(rows: Sequence[Row]) -> list[str]:
    """Reactions that take no part, counted by reason."""
    reasons = Counter(str(row["excluded_why"]) for row in rows if row["excluded"])
    return [f"{count} reaction{'s' * (count > 1)}: {reason}" for reason, count in sorted(reasons.items())]


def _why_none(rows: Sequence[Row]) -> str:
    if not all(row["excluded"] for row in rows):
        return ""
    return f"no reaction can be used ({'; '.join(_left_out(rows))}); every plate of a study needs its standards"


# -- what is written --------------------------------------------------------------------------------------------------


def _rows(study: DetectionStudy, target: str, limits: StudyLimits, reactions: Sequence[Row]) -> list[Row]:
    shared = _shared(study, target, limits, reactions)
    return [shared | _link_columns(limits, link) for link in LINKS]


def _shared(study: DetectionStudy, target: str, limits: StudyLimits, reactions: Sequence[Row]) -> Row:
    settings, levels, blank, loq = study.settings, limits.levels, limits.blank, limits.quantification
    row: Row = {
        "study": study.study,
        "target": target,
        "assay": study.assay,
        "runs": study.runs,
        "probability": settings.probability,
        "confidence": settings.confidence,
        "replicates": settings.replicates,
        "lowest_level_detected": limits.lowest_level,
        "one_hit_p": limits.one_hit_p_value,
        "blanks": int(limits.reactions.blank.sum()),
        "blanks_detected": int(limits.reactions.detected[limits.reactions.blank].sum()),
        "lob_method": settings.lob_method,
        "lob_why": limits.blank_why,
        "loq_cv": settings.loq_cv,
        "loq_why": limits.quantification_why,
        "level_copies": levels.copies.tolist(),
        "level_reactions": levels.reactions.tolist(),
        "level_detected": levels.detected.tolist(),
        "level_ambiguous": levels.ambiguous.tolist(),
        "level_cv": [None if math.isnan(cv) else cv for cv in levels.cv.tolist()],
        "left_out": _left_out(reactions),
    }
    if blank is not None:
        row |= {"lob_copies": blank.copies, "lob_low": blank.low, "lob_high": blank.high}
    if loq is not None:
        row |= {"loq_copies": loq.copies, "loq_low": loq.low, "loq_high": loq.high}
    if limits.profile is not None:
        row |= {"cv_plateau": math.sqrt(limits.profile.plateau), "cv_counting": limits.profile.counting}
    return row


def _link_columns(limits: StudyLimits, link: str) -> Row:
    limit, several, chosen = limits.limits.get(link), limits.replicate_limits.get(link), link == limits.settings.link
    row: Row = {"link": link, "chosen": chosen, "flags": limits.flags(link)}
    if limit is None or several is None:
        return row | {"status": "refused", "why": limits.refused[link]}
    reported = limits.reported_quantification(limit)
    return row | {
        "status": "ok",
        "lod_copies": limit.copies,
        "lod_low": limit.low,
        "lod_high": limit.high,
        "replicates_lod_copies": several.copies,
        "replicates_lod_low": several.low,
        "replicates_lod_high": several.high,
        "intercept": limit.intercept,
        "slope": limit.slope,
        "background": limit.background,
        "aic": limit.aic,
        "akaike_weight": limits.weights[link],
        "deviance": limit.deviance,
        "degrees_of_freedom": limit.degrees_of_freedom,
        "goodness_of_fit_p": limit.p_value,
        "loq_reported": reported,
    }


def _as_json(
    study: DetectionStudy, found: Mapping[str, StudyLimits], table: Sequence[Row], reactions: Mapping[str, list[Row]]
) -> str:
    """The table as one document; what has no end or was not measured is null, and flags say which."""
    targets: dict[str, Any] = {}
    for row in table:
        own = {name: row.get(name) for name in DETECTION_LIMITS.schema.names if name not in ("study", "target", "link")}
        of_link = {name: own.pop(name) for name in list(own) if name.startswith(_OF_LINK)}
        shared = {name: value for name, value in own.items() if not name.startswith("level_")}
        target = targets.setdefault(
            row["target"], shared | {"links": {}, "levels": _levels_listed(found[row["target"]])}
        )
        target["links"][row["link"]] = of_link
    document = {
        "study": study.study,
        "assay": study.assay,
        "runs": study.runs,
        "settings": vars(study.settings),
        "bcrabl_version": bcrabl.__version__,
        "reactions_sha256": _digest(reactions),
        "targets": targets,
    }
    return json.dumps(_finite(document), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _levels_listed(limits: StudyLimits) -> list[Row]:
    levels = limits.levels
    low, high = exact_share_interval(levels.detected, levels.reactions, limits.settings.confidence)
    names = ("copies", "reactions", "detected", "ambiguous", "share_low", "share_high", "mean_copies", "cv")
    columns = (levels.copies, levels.reactions, levels.detected, levels.ambiguous, low, high, levels.mean, levels.cv)
    return [dict(zip(names, values, strict=True)) for values in zip(*(c.tolist() for c in columns), strict=True)]


def _digest(reactions: Mapping[str, list[Row]]) -> str:
    """SHA-256 of every reaction and its level: the same study gives the same, whatever else its plates hold."""
    text = json.dumps(reactions, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _in_words(limits: StudyLimits) -> str:
    link = limits.settings.link
    limit: DetectionLimit | None = limits.limits.get(link)
    if limit is None:
        return f"no limit of detection by {link}: {limits.refused[link]}"
    percent = f"{100 * limit.confidence:g} %"
    text = f"LoD {limit.copies:.3g} copies/reaction ({percent} {limit.low:.3g} to {limit.high:.3g}) by {link}"
    if limits.quantification is not None:
        text += f"; LoQ {limits.quantification.copies:.3g} at a CV of {limits.quantification.cv:g}"
    return text
