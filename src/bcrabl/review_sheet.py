"""The sheet of the review: what a person decided about single reactions after looking at their curves, who, when, why.

Nothing in it is edited or deleted: a later entry of the same reaction takes the place of an earlier one, and both stay
on record. Read and checked like the other sheets (`bcrabl.sheets`), and held against run sheet and assay protocols.
Whether a well is in its run shows only when the run is scored (`bcrabl.stages.review`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bcrabl.errors import Problem
from bcrabl.named_runs import unknown_places
from bcrabl.sheet_reading import Line, Sheet, read_sheet
from bcrabl.sheets import with_plain_wells

if TYPE_CHECKING:
    from bcrabl.standards import AssayProtocol

__all__ = ["EXCLUDE", "INCLUDE", "NOT_AMPLIFIED", "ReviewEntry", "ReviewRow", "load_exclusions"]

EXCLUDE, INCLUDE, NOT_AMPLIFIED = "exclude", "include", "call:not_amplified"
"""Actions of an entry; the fourth is call:amplified."""


@dataclass(frozen=True)
class ReviewRow:
    """One decision about a reaction, or without target about all reactions of a well."""

    run_id: str
    well: str
    action: str
    reason: str
    by: str
    at: str
    target: str | None = None

    @property
    def instant(self) -> datetime:
        """When the entry was made, comparable across time zones."""
        return datetime.fromisoformat(self.at)

    def concerns(self, well: str, target: str) -> bool:
        """Whether it is about this reaction of its run."""
        return self.well == well and self.target in (None, target)

    def __str__(self) -> str:
        return f"{self.action}: {self.reason} ({self.by}, {self.at})"


@dataclass(frozen=True)
class ReviewEntry(ReviewRow):
    """A row together with where it stands, for findings that only scoring can make."""

    place: str = ""


def load_exclusions(
    path: str | Path,
    schema_folder: str | Path | None = None,
    assays: Mapping[str, AssayProtocol] | None = None,
) -> list[ReviewEntry]:
    """The entries of the review, in the order of the sheet, which may hold none. Wells are written A1.

    Parameters
    ----------
    assays : protocol of every run of the run sheet, to hold runs and targets against and to give targets the
        protocol's names; None = not looked at.

    Raises
    ------
    SheetError : bad or missing cells; a time that is none; two entries about a reaction at the same instant; a run or
        target that is not there.
    """
    sheet = _with_protocol_names(with_plain_wells(read_sheet(path, "exclusions", schema_folder)), assays or {})
    unknown = [] if assays is None else unknown_places(sheet, assays, "Leave it empty for all targets of the well.")
    sheet.finish([*_no_times(sheet), *_contradictions(sheet), *unknown])
    label = Path(path).name  # results name it, and they hold no path of a machine
    return [ReviewEntry(**line.cells, place=f"{label}, row {line.row}") for line in sheet.lines]


def _with_protocol_names(sheet: Sheet, assays: Mapping[str, AssayProtocol]) -> Sheet:
    lines = (replace(line, cells={**line.cells, **_protocol_name(line, assays)}) for line in sheet.lines)
    return replace(sheet, lines=tuple(lines))


def _protocol_name(line: Line, assays: Mapping[str, AssayProtocol]) -> dict[str, str]:
    run, target = line.cells.get("run_id"), line.cells.get("target")
    known = assays[run].canonical_target(target) if run and run in assays and target else None
    return {"target": known} if known else {}


def _instant(line: Line) -> datetime | None:
    try:
        return datetime.fromisoformat(line.cells["at"])
    except (KeyError, ValueError):
        return None


def _no_times(sheet: Sheet) -> Iterator[Problem]:
    for line in sheet.lines:
        if "at" in line.cells and _instant(line) is None:
            expected = "a day and time that exist, such as 2026-03-05T10:15:00+01:00"
            yield Problem(sheet.place(line, "at"), repr(line.cells["at"]), expected)


def _contradictions(sheet: Sheet) -> Iterator[Problem]:
    """Entries about one reaction at one instant: which of them would hold is anybody's guess."""
    seen: dict[tuple[object, ...], list[Line]] = {}
    for line in sheet.lines:
        key = (line.cells.get("run_id"), line.cells.get("well"), _instant(line))
        if None in key or "target" in line.unusable:
            continue
        earlier = seen.setdefault(key, [])
        other = next((each for each in earlier if _overlap(each.cells.get("target"), line.cells.get("target"))), None)
        if other is not None:
            found = f"{line.cells['at']}, the instant of row {other.row}, which is about the same reaction"
            remedy = "The latest entry holds: give each the time it was made."
            yield Problem(sheet.place(line, "at"), found, "one entry about a reaction at a time", remedy)
        earlier.append(line)


def _overlap(target: str | None, other: str | None) -> bool:
    return target is None or other is None or target.casefold() == other.casefold()
