"""Mic (Bio Molecular Systems) csv: one row per cycle, one column for each of the 48 numbered tubes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bcrabl.formats.assembly import ROLES_NOT_STATED, assemble
from bcrabl.formats.cycle_rows import curves_below, filled, with_readings
from bcrabl.formats.source import Format, RawFile, refuse_part
from bcrabl.formats.wells import well_of_tube

if TYPE_CHECKING:
    from bcrabl.formats.grid import Sheet
    from bcrabl.run import Run

__all__ = ["FORMAT"]

_TUBES = 48
_EXPORT = "From the software of the Mic export the fluorescence of one channel as csv (Cycle, 1, 2, …)."
_NOT_RAW = "Some readings are negative: the curves are baseline-corrected. Export the raw fluorescence if you can."


def _header(sheet: Sheet | None) -> tuple[int, list[str]] | None:
    """Number of the first filled row and the wells of its tubes, where it is the header of such a file."""
    rows = [] if sheet is None else sheet.rows[:20]
    for number, row in enumerate(rows):
        cells = filled(row)
        if not cells:
            continue
        wells = [well_of_tube(cell, _TUBES) for cell in cells[1:]]
        known = [well for well in wells if well is not None]
        fits = cells[0].casefold() == "cycle" and known and len(set(known)) == len(wells)
        return (number, known) if fits else None
    return None


def _claims(source: RawFile) -> bool:
    return (
        source.beginning is not None
        and "cycle" in source.head[:200].replace("\0", "").casefold()
        and bool(_header(source.top))
    )


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    sheet = source.rows()
    found = _header(sheet)
    number, wells = found or (0, [])
    cycles, fluorescence = curves_below(sheet, number + 1, len(wells))
    warnings = ["The file names neither targets nor samples; the layout sheet must.", ROLES_NOT_STATED]
    kept = with_readings(fluorescence, [f"well {well}" for well in wells], warnings)
    corrected = bool((fluorescence[kept] < 0).any())
    if corrected:
        warnings.append(_NOT_RAW)
    return assemble(
        source.path,
        [{"part": None, "well": wells[index], "target": "not named", "role": "unkn"} for index in kept],
        cycles,
        fluorescence[kept],
        None,
        "baseline_subtracted" if corrected else "raw",
        {
            "format": FORMAT.name,
            "vendor": "Bio Molecular Systems",
            "instrument": "Mic",
            "warnings": tuple(warnings),
        },
    )


FORMAT = Format(
    name="Mic csv",
    export=_EXPORT,
    claims=_claims,
    read=_read,
    reservation="The Mic reader was written from the layout of such files; compare a run with the software once.",
)
