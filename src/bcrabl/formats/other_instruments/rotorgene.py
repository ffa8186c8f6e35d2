"""Rotor-Gene (Corbett, QIAGEN) "Excel Raw Data Export": one row per cycle, one column for each tube of the rotor."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import ROLES_NOT_STATED, assemble
from bcrabl.formats.cycle_rows import curves_below, filled, with_readings
from bcrabl.formats.source import Format, RawFile, refuse_part
from bcrabl.formats.wells import well_of_tube

if TYPE_CHECKING:
    from bcrabl.formats.grid import Sheet
    from bcrabl.run import Run

__all__ = ["FORMAT", "is_rotorgene"]

_TITLE = "excel raw data export"
_TUBES = 100  # of the disc; the rotors hold 36 and 72
_EXPORT = (
    "From the Rotor-Gene software export the raw data of one channel (Excel Raw Data Export, csv), or RDML from Q-Rex."
)


def is_rotorgene(source: RawFile, title: str) -> bool:
    """Whether the text begins with this title of an export of the Rotor-Gene software."""
    return title in source.head[:200].replace("\0", "").casefold()


def _claims(source: RawFile) -> bool:
    return source.beginning is not None and is_rotorgene(source, _TITLE)


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    sheet = source.rows()
    header = _header(sheet)
    wells = _wells(sheet, header)
    warnings = [ROLES_NOT_STATED]
    first, names = _names(sheet, header + 1, len(wells), warnings)
    sheet = sheet.marked_by(chain.from_iterable(sheet.rows[first:]))
    cycles, fluorescence = curves_below(sheet, first, len(wells))
    kept = with_readings(fluorescence, [f"well {well}" for well in wells], warnings)
    channel = _channel(sheet, header)
    if channel is None:
        warnings.append("The file does not name the channel; the layout sheet must name the targets.")
    rows = [
        {
            "part": None,
            "well": wells[index],
            "target": channel or "not named",
            "dye": channel,
            "role": "unkn",
            "sample_id": names[index] or None,
        }
        for index in kept
    ]
    about = {"format": FORMAT.name, "vendor": "QIAGEN (Corbett)", "instrument": "Rotor-Gene"}
    metadata = {**about, "warnings": tuple(warnings)}
    return assemble(source.path, rows, cycles, fluorescence[kept], None, "raw", metadata)


FORMAT = Format(
    name="Rotor-Gene raw csv",
    export=_EXPORT,
    claims=_claims,
    read=_read,
    reservation=(
        "The Rotor-Gene reader is experimental: it was written from the description of the format and has not met a "
        "real file."
    ),
)


def _header(sheet: Sheet) -> int:
    """The number of the row that begins with ID."""
    found = [number for number, row in enumerate(sheet.rows) if row and str(row[0]).strip().casefold() == "id"]
    if len(found) != 1:
        raise DamagedFile(
            Problem(sheet.where, f"{len(found)} tables (rows that begin with ID)", "one: that of one channel", _EXPORT)
        )
    return found[0]


def _wells(sheet: Sheet, header: int) -> list[str]:
    cells = filled(sheet.rows[header])[1:]
    wells = [well_of_tube(cell, _TUBES) for cell in cells]
    problems = [
        Problem(f"{sheet.where}, line {header + 1}, column {column}", repr(cell), f"a tube from 1 to {_TUBES}")
        for column, (cell, well) in enumerate(zip(cells, wells, strict=True), 2)
        if well is None
    ]
    if not cells:
        problems.append(Problem(f"{sheet.where}, line {header + 1}", "no tube", "the numbers of the tubes"))
    if problems:
        raise DamagedFile(problems)
    return [str(well) for well in wells]


def _names(sheet: Sheet, first: int, width: int, warnings: list[str]) -> tuple[int, list[str]]:
    """The row where the readings begin, and the names of the samples on the first page."""
    pages: list[list[str]] = []
    number = first
    while number < len(sheet.rows):
        cells = filled(sheet.rows[number])
        if cells and not cells[0].casefold().startswith("page"):
            break
        if cells:
            pages.append((cells[1:] + [""] * width)[:width])
        number += 1
    if not pages:
        place = f"{sheet.where}, line {first + 1}"
        raise DamagedFile(Problem(place, "no row of names (Page 1)", "it below the row ID", _EXPORT))
    if any(page != pages[0] for page in pages):
        warnings.append("The tubes carry other names on other pages; those of the first page were read.")
    return number, pages[0]


def _channel(sheet: Sheet, header: int) -> str | None:
    stated = {key.rstrip(":").casefold(): value for key, value in sheet.stated(header).items()}
    return stated.get("channel") or None
