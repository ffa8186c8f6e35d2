"""Biomeme two3 csv: rows that say what is in each column, then a section of curves, one row per cycle.

The wells of the device are numbered; well 2 is A2. A well is read in several channels (green, red), each a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import ROLES_NOT_STATED, assemble
from bcrabl.formats.cycle_rows import curves_below, filled, with_readings
from bcrabl.formats.numerals import finite_or_none
from bcrabl.formats.source import Format, RawFile, refuse_part
from bcrabl.formats.wells import well_of_tube

if TYPE_CHECKING:
    from bcrabl.formats.grid import Sheet
    from bcrabl.run import Run

__all__ = ["FORMAT"]

_WELLS = 9
_KEYS = ("well", "channel", "target", "sample name", "threshold", "cq")
_NUMBERS = ("threshold", "cq")
_NEEDED = {"run name", "well", "channel", "cq"}
_HEAD = 30  # rows in which the keys stand
_EXPORT = "From the Biomeme app or portal export the run as csv, with the fluorescence."
_CORRECTED = "The curves are baseline-corrected by the instrument's software; the file holds no raw fluorescence."


def _claims(source: RawFile) -> bool:
    if source.top is None or "run name" not in source.head[:200].replace("\0", "").casefold():
        return False
    return {_first(row) for row in source.top.rows[:_HEAD]} >= _NEEDED


def _first(row: Sequence[object]) -> str:
    return str(row[0]).strip().casefold() if row else ""


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    sheet = source.rows()
    warnings = [ROLES_NOT_STATED]
    start, stage = _section(sheet, warnings)
    numbers = [row for row in sheet.rows[:_HEAD] if _first(row) in _NUMBERS] + sheet.rows[start:]
    sheet = sheet.marked_by(chain.from_iterable(numbers))
    rows = _reactions(sheet)
    cycles, fluorescence = curves_below(sheet, start, len(rows), ends=lambda cell: cell[:1].isalpha())
    kept = with_readings(fluorescence, [f"well {row['well']}, {row['dye']}" for row in rows], warnings)
    about = {"format": FORMAT.name, "vendor": "Biomeme", "warnings": tuple(warnings)}
    return assemble(source.path, [rows[index] for index in kept], cycles, fluorescence[kept], None, stage, about)


FORMAT = Format(
    name="Biomeme two3 csv",
    export=_EXPORT,
    claims=_claims,
    read=_read,
    reservation="This Biomeme reader was written from the description of the format and has not met a real file.",
)


def _section(sheet: Sheet, warnings: list[str]) -> tuple[int, str]:
    """The row where the readings begin, and their stage: of the raw curves where there are some.

    Raises
    ------
    DamagedFile : there is no section of raw or baseline-corrected fluorescence, or it stands twice.
    """
    titles = [(number, _first(row)) for number, row in enumerate(sheet.rows) if "fluorescence" in _first(row)]
    for word, stage in (("raw", "raw"), ("baseline subtracted", "baseline_subtracted")):
        found = [number for number, title in titles if word in title]
        if len(found) > 1:
            raise DamagedFile(Problem(sheet.where, f"{len(found)} sections of {word} fluorescence", "one", _EXPORT))
        if found:
            if stage != "raw":
                warnings.append(_CORRECTED)
            below = found[0] + 1
            named = below < len(sheet.rows) and _first(sheet.rows[below]).startswith("cycle")
            return below + named, stage
    raise DamagedFile(Problem(sheet.where, "no section of fluorescence", "Baseline Subtracted Relative Fluorescence"))


def _reactions(sheet: Sheet) -> list[dict[str, object]]:
    """One reaction for each column, as columns of `bcrabl.tables.REACTIONS`."""
    stated = _stated(sheet)
    wells = stated["well"]
    problems: list[Problem] = []
    rows: list[dict[str, object]] = []
    for column, tube in enumerate(wells):
        cells = {key: values[column] if column < len(values) else "" for key, values in stated.items()}
        place = f"{sheet.where}, column {column + 2}"
        well = well_of_tube(tube, _WELLS)
        if well is None:
            problems.append(Problem(f"{place}, row Well", repr(tube), f"a well from 1 to {_WELLS}"))
        cq, cq_text = _cq(cells["cq"], sheet.decimal, f"{place}, row Cq", problems)
        rows.append(
            {
                "part": None,
                "well": well,
                "target": cells["target"] or cells["channel"] or "not named",
                "dye": cells["channel"] or None,
                "role": "unkn",
                "sample_id": cells["sample name"] or None,
                "vendor_cq": cq,
                "vendor_cq_text": cq_text,
                "vendor_threshold": finite_or_none(cells["threshold"], sheet.decimal),
            }
        )
    if not rows:
        problems.append(Problem(sheet.where, "no well in row Well", "wells 1, 1, 2, 2, …"))
    if problems:
        raise DamagedFile(problems)
    return rows


def _stated(sheet: Sheet) -> dict[str, list[str]]:
    """The cells behind each key.

    Raises
    ------
    DamagedFile : a key stands twice.
    """
    stated: dict[str, list[str]] = {}
    for row in sheet.rows[:_HEAD]:
        key = _first(row)
        if key in stated:
            raise DamagedFile(Problem(sheet.where, f"row {key!r} twice", "each row once"))
        if key in _KEYS:
            stated[key] = filled(row)[1:]
    return {key: stated.get(key, []) for key in _KEYS}


def _cq(cell: str, decimal: str, place: str, problems: list[Problem]) -> tuple[float | None, str | None]:
    """Cq as a number, or None and what stands for "none" (0.00)."""
    if not cell:
        return None, None
    value = finite_or_none(cell, decimal)
    if value is None:
        if any(character.isdigit() for character in cell):
            problems.append(Problem(place, repr(cell), "a Cq"))
        return None, cell
    return (value, None) if value > 0 else (None, cell)
