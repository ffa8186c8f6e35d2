"""Experiment documents (.eds) of Applied Biosystems: zip archives in three layouts, and what is left of them.

All layouts say the same: who is in each well, the signal of each dye in all readings, and what the software found.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, FormatRefused, Problem
from bcrabl.formats.applied_biosystems import eds_analysis, eds_json, eds_text, eds_xml
from bcrabl.formats.applied_biosystems.eds_annotation import plate_of
from bcrabl.formats.applied_biosystems.eds_curves import Content, Curves, curves_of
from bcrabl.formats.applied_biosystems.eds_document import (
    REMEDY,
    SDS,
    Assignment,
    Document,
    Plate,
    Result,
    Settings,
    document_of,
    key_of,
)
from bcrabl.formats.applied_biosystems.eds_program import Analysed
from bcrabl.formats.applied_biosystems.words import cq_or_text, role_of_task
from bcrabl.formats.assembly import assemble, left_out, warnings_of_quantities
from bcrabl.formats.source import Format, RawFile, refuse_part
from bcrabl.formats.wells import well_at
from bcrabl.run import normalised

if TYPE_CHECKING:
    from bcrabl.run import Run

__all__ = ["FORMATS", "is_document_without_data"]

_EXPORT = "Save the analysed run in the software of the instrument; the .eds file holds it whole."
_SETUPS = (f"{SDS}plate_setup.xml", f"{SDS}experiment.xml", eds_json.PLATE)
_PLATES = ((96, 12), (384, 24))


def _layout(source: RawFile) -> str:
    """The member that tells the layout; empty for files that are no documents or hold no data."""
    document = document_of(source)
    if document is None:
        return ""
    members = (eds_json.SIGNALS, eds_json.RESULTS, eds_text.MEMBER, eds_xml.MEMBER, eds_analysis.MEMBER)
    return next((member for member in members if document.has(member)), "")


def is_document_without_data(source: RawFile) -> bool:
    """Whether a file is a document of a run that was set up, but holds neither signals nor results."""
    document = document_of(source)
    return document is not None and not _layout(source) and any(document.has(name) for name in _SETUPS)


def _claims_of(*members: str) -> Callable[[RawFile], bool]:
    return lambda source: _layout(source) in members


def _reader(name: str, content_of: Callable[[Document], Content]) -> Callable[[RawFile, str | None], Run]:
    def read(source: RawFile, part: str | None) -> Run:
        refuse_part(source, part)
        document = document_of(source)
        if document is None:
            raise DamagedFile(Problem(source.path, source.impression, "an .eds document", REMEDY))
        return _run(document, content_of(document), name)

    return read


def _json_content(document: Document) -> Content:
    results = _by_reaction(eds_json.results_in_json(document))
    plate = eds_json.plate_in_json(document) or _plate_of_results(document, results)
    signals = eds_json.signals_in_json(document) if document.has(eds_json.SIGNALS) else None

    def settings(well: int, target: str) -> Settings:
        result = results.get(key_of(well, target))
        return (result.settings if result else None) or Settings()

    return Content(plate, signals, results, settings, Analysed())


def _sds_content(document: Document) -> Content:
    results = _by_reaction(eds_analysis.results_of(document))
    protocol = eds_analysis.protocol_of(document)
    plate = plate_of(document) or _plate_of_results(document, results)
    signals = None
    if document.has(eds_text.MEMBER):
        signals = eds_text.signals_in_text(document)
    elif document.has(eds_xml.MEMBER):
        signals = eds_xml.signals_in_xml(document)
    return Content(plate, signals, results, protocol.settings, protocol.analysed)


_NAME = "Applied Biosystems .eds"
_UNMET = "This reader was written from the description of the format and has not met a real file."
_TEXT, _XML, _JSON, _RESULTS = (
    f"{_NAME} (7500, StepOne)",
    f"{_NAME} (QuantStudio, ViiA 7)",
    f"{_NAME} (Design & Analysis 2)",
    f"{_NAME} (results only)",
)
FORMATS = (
    Format(_TEXT, _EXPORT, _claims_of(eds_text.MEMBER), _reader(_TEXT, _sds_content)),
    Format(_XML, _EXPORT, _claims_of(eds_xml.MEMBER), _reader(_XML, _sds_content), _UNMET),
    Format(_JSON, _EXPORT, _claims_of(eds_json.SIGNALS, eds_json.RESULTS), _reader(_JSON, _json_content), _UNMET),
    Format(_RESULTS, _EXPORT, _claims_of(eds_analysis.MEMBER), _reader(_RESULTS, _sds_content)),
)


def _by_reaction(results: Sequence[Result]) -> dict[Hashable, Result]:
    by_reaction = {key_of(result.well, result.target): result for result in results}
    if len(by_reaction) < len(results):
        twice = next(result for result in results if by_reaction[key_of(result.well, result.target)] is not result)
        found = f"a second result of target {twice.target!r} in the well of index {twice.well}"
        raise DamagedFile(Problem(twice.where, found, "one", REMEDY))
    return by_reaction


def _plate_of_results(document: Document, results: Mapping[Hashable, Result]) -> Plate:
    """The plate of a document that has lost its setup: whoever has a result; how large it is, only a guess can tell."""
    last = max((result.well for result in results.values()), default=0)
    size = next(((wells, columns) for wells, columns in _PLATES if last < wells), None)
    if size is None:
        raise DamagedFile(Problem(document.path, f"well {last} without a plate setup", "at most 384 wells", REMEDY))
    assignments = tuple(
        Assignment(
            well=result.well,
            target=result.target,
            dye=None,
            task=result.task,
            quantity=None,
            sample=result.sample or None,
            where=result.where,
        )
        for result in results.values()
    )
    warning = (
        f"The document has no plate setup: wells are named as those of a plate of {size[0]}; dyes and passive "
        "reference are unknown."
    )
    return Plate(size[1], size[0], None, assignments, warnings=(warning,))


def _run(document: Document, content: Content, name: str) -> Run:
    plate = content.plate
    if not plate.assignments:
        found = "no detector in any well"
        raise FormatRefused(Problem(document.path, found, "targets in the wells of a quantification", REMEDY))
    warnings = list(plate.warnings)
    curves = curves_of(document, content, warnings)
    rows = _rows(content, last_cycle=float(curves.cycles.max()))
    warnings += [*_warning_of_results(content), *warnings_of_quantities(rows)]
    kept = _with_curve(rows, curves, warnings)
    passive = curves.passive_reference
    about = {"format": name, "vendor": "Applied Biosystems", **plate.about, "passive_reference": plate.passive_dye}
    return assemble(
        document.path,
        [rows[index] for index in kept],
        curves.cycles,
        curves.fluorescence[kept],
        None if passive is None else passive[kept],
        curves.stage,
        {**{key: value for key, value in about.items() if value}, "warnings": tuple(warnings)},
    )


def _warning_of_results(content: Content) -> list[str]:
    """What is to be said of reactions without a result, where others have one."""
    without = [item for item in content.plate.assignments if key_of(item.well, item.target) not in content.results]
    if not (without and content.results):
        return []
    named = ", ".join(f"{well_at(item.well + 1, content.plate.columns)} ({item.target})" for item in without[:5])
    return [f"The results do not name {len(without)} reactions, whose Cq is unknown: {named}."]


def _rows(content: Content, last_cycle: float) -> list[dict[str, object]]:
    """The reactions of the plate, as columns of `bcrabl.tables.REACTIONS`."""
    problems: list[Problem] = []
    rows = [_row(item, content, last_cycle, problems) for item in content.plate.assignments]
    if problems:
        raise DamagedFile(problems)
    return rows


def _row(item: Assignment, content: Content, last_cycle: float, problems: list[Problem]) -> dict[str, object]:
    result = content.results.get(key_of(item.well, item.target))
    cq, cq_text = cq_or_text(result.cq, last_cycle) if result else (None, None)
    settings = content.settings(item.well, item.target)
    role = role_of_task(item.task, item.where, problems)
    # Beside other tasks stands 1.0, which the software puts where nothing was entered
    entered = item.quantity if role == "std" else None
    if entered is not None and entered <= 0:
        problems.append(Problem(item.where, f"a standard of quantity {entered:g}", "a quantity above 0"))
    return {
        "part": None,
        "well": well_at(item.well + 1, content.plate.columns),
        "target": item.target,
        "dye": item.dye,
        "role": role,
        "sample_id": item.sample,
        "known_copies": entered,
        "vendor_cq": cq,
        "vendor_cq_text": cq_text,
        "vendor_call": result.call if result else None,
        "vendor_threshold": settings.threshold,
        "vendor_baseline_start": settings.baseline_start,
        "vendor_baseline_end": settings.baseline_end,
        "vendor_task": item.task,
        "vendor_quantity": entered if entered is not None or result is None else result.quantity,
        "vendor_omitted": item.well in content.plate.omitted or (result is not None and result.omitted),
    }


def _with_curve(rows: Sequence[Mapping[str, object]], curves: Curves, warnings: list[str]) -> list[int]:
    """Places of the reactions that have a curve; the others are left out and named."""
    passive = curves.passive_reference
    signal = curves.fluorescence if passive is None else normalised(curves.fluorescence, passive)
    measured = [bool(curve.any()) for curve in np.isfinite(signal)]
    lost = [f"well {row['well']}, target {row['target']}" for row, has in zip(rows, measured, strict=True) if not has]
    if lost:
        warnings.append(left_out(lost))
    return [index for index, has in enumerate(measured) if has]
