"""The sheet of the detection studies: which reactions of which runs, and how many copies were put into them.

Read and checked like the other sheets (`bcrabl.sheets`), and held against the run sheet and its assay protocols.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bcrabl.errors import Problem
from bcrabl.named_runs import unknown_places
from bcrabl.sheet_reading import Line, Sheet, read_sheet

if TYPE_CHECKING:
    from bcrabl.standards import AssayProtocol

__all__ = ["DetectionStudyRow", "load_detection_study"]


@dataclass(frozen=True)
class DetectionStudyRow:
    """Reactions of a detection study: one sample of a run at a level (copies/reaction), or without sample all of it."""

    study: str
    run_id: str
    target: str
    sample_id: str | None = None
    level: float | None = None


def load_detection_study(
    path: str | Path,
    schema_folder: str | Path | None = None,
    assays: Mapping[str, AssayProtocol] | None = None,
) -> list[DetectionStudyRow]:
    """The reactions of the detection studies, in the order of the sheet, which may hold none.

    Parameters
    ----------
    assays : protocol of every run of the run sheet, to hold runs and targets against and to give targets the
        protocol's names; None = not looked at.

    Raises
    ------
    SheetError : bad cells; a sample without level or a level without sample; the same reactions twice; a run or target
        that is not there; two assays in one study.
    """
    sheet = read_sheet(path, "detection_study", schema_folder)
    alone = [problem for line in sheet.lines for problem in _half_a_level(sheet, line)]
    known = [] if assays is None else [*unknown_places(sheet, assays), *_mixed_assays(sheet, assays)]
    sheet.finish([*alone, *_studied_twice(sheet), *_case_twins(sheet), *known])
    rows = (DetectionStudyRow(**line.cells) for line in sheet.lines)
    return [row if assays is None else replace(row, target=_named(row, assays)) for row in rows]


def _named(row: DetectionStudyRow, assays: Mapping[str, AssayProtocol]) -> str:
    return assays[row.run_id].canonical_target(row.target) or row.target


def _half_a_level(sheet: Sheet, line: Line) -> Iterator[Problem]:
    filled = line.cells.keys() | line.unusable
    if "sample_id" in filled and "level" not in filled:
        expected = "copies per reaction put into the sample, 0 for a blank"
        yield Problem(sheet.place(line, "level"), "no level", expected)
    if "level" in filled and "sample_id" not in filled:
        remedy = "Name the sample, or leave the level empty to take the standards and blanks of the whole run."
        yield Problem(sheet.place(line, "sample_id"), "a level without a sample", "the sample it is of", remedy)


def _studied_twice(sheet: Sheet) -> Iterator[Problem]:
    first: dict[tuple[str | None, ...], Line] = {}
    for line in sheet.lines:
        key = tuple(line.cells.get(column) for column in ("study", "run_id", "target", "sample_id"))
        earlier = first.setdefault(key, line)
        if earlier is not line and all(key[:3]) and "sample_id" not in line.unusable | earlier.unusable:
            found = f"{key[3] or f'the whole run {key[1]}'}, which row {earlier.row} holds already"
            yield Problem(sheet.place(line, "sample_id"), found, "each sample of a run once in a study")


def _mixed_assays(sheet: Sheet, assays: Mapping[str, AssayProtocol]) -> Iterator[Problem]:
    first: dict[str, Line] = {}
    for line in sheet.lines:
        study, run = line.cells.get("study"), line.cells.get("run_id")
        if study is None or run is None or run not in assays:
            continue
        earlier = first.setdefault(study, line)
        assay, other = assays[run].id, assays[earlier.cells["run_id"]].id
        if assay != other:
            found = f"run {run!r} of assay {assay}, while row {earlier.row} has a run of assay {other}"
            yield Problem(sheet.place(line, "run_id"), found, "runs of one assay in a study")


def _case_twins(sheet: Sheet) -> Iterator[Problem]:
    first: dict[str, tuple[str, Line]] = {}
    for line in sheet.lines:
        name = line.cells.get("study")
        if name is None:
            continue
        known, earlier = first.setdefault(name.casefold(), (name, line))
        if known != name:
            found = f"{name!r}, which differs only in letter case from {known!r} in row {earlier.row}"
            yield Problem(sheet.place(line, "study"), found, "names that stay apart on every file system")
