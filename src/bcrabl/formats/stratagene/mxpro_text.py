"""MxPro raw text ("Instrument Data - Text Format 1") of Mx3000P and Mx3005P, and the text report beside it.

One row per reading. `Well` counts along the rows of the plate; the column `Dye` holds the name of the assay. The
readings of the amplification are those of the plateau (P) that is read in most cycles: melting curves are ramps (R).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import ROLES_NOT_STATED, arrange, assemble, left_out
from bcrabl.formats.source import Format, RawFile, only, refuse_part
from bcrabl.formats.stratagene.mxpro_report import is_report, reported
from bcrabl.formats.wells import well_at

if TYPE_CHECKING:
    from bcrabl.formats.grid import SheetTable
    from bcrabl.run import Run

__all__ = ["FORMAT"]

_PLATEAU = "P"
_STEP_COLUMNS = ("Segment", "Ramp/Plateau", "Ramp/Plateau #")
_COLUMNS = (*_STEP_COLUMNS, "Well", "Dye", "Cycle #", "Fluorescence")
_WELLS = 96
_MOST = 8 * 1024 * 1024  # bytes of text; a run with melting curve, one dye, takes 0.8 million
_COLUMNS_OF_PLATE = 12
_EXPORT = (
    "From MxPro export the instrument data as text (Text Format 1) and, into the same folder under the same name, the "
    "text report."
)


def _is_raw(file: RawFile) -> bool:
    if "ramp/plateau" not in file.head.replace("\0", "").casefold() or file.top is None:
        return False
    return file.top.table(*_COLUMNS) is not None


def _claims(source: RawFile) -> bool:
    if source.is_folder or source.archive is not None:
        return source.workbook is None and any(_is_raw(file) for file in source.tables)
    return _is_raw(source) or (is_report(source) and any(_is_raw(file) for file in source.companions))


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    table = only(filter(_is_raw, source.tables), source, "raw data").rows(most=_MOST).table(*_COLUMNS)
    if table is None:
        raise DamagedFile(Problem(source.path, "no table of readings", ", ".join(_COLUMNS), _EXPORT))
    table.refuse_beyond_header()
    table = table.marked_by("Fluorescence")
    rows = _amplification(table)
    keys = _keys(table, rows)
    problems: list[Problem] = []
    cycle_of = table.numbers("Cycle #", rows, problems)
    values = table.numbers("Fluorescence", rows, problems)
    if problems:
        raise DamagedFile(problems)
    readings = arrange(keys, cycle_of, lambda reading: table.place(rows[reading], "Cycle #"))
    readings.refuse_cut_off(table.where)
    warnings: list[str] = []
    return assemble(
        source.path,
        _reactions(source, list(readings.curves), warnings),
        readings.cycles,
        readings.filled(values),
        None,
        "raw",
        {"format": FORMAT.name, "vendor": "Agilent (Stratagene)", "software": "MxPro", "warnings": tuple(warnings)},
    )


FORMAT = Format(name="MxPro raw text", export=_EXPORT, claims=_claims, read=_read)


def _amplification(table: SheetTable) -> list[int]:
    """The rows of the plateau that is read in most cycles.

    Raises
    ------
    DamagedFile : no plateau is read in more than one cycle, or several in as many.
    """
    steps = list(zip(*(table.texts(name) for name in _STEP_COLUMNS), strict=True))
    rows_of: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, step in enumerate(steps):
        if step[1].upper() == _PLATEAU:
            rows_of[step].append(row)
    cycles = table.texts("Cycle #")
    lengths = {step: len({cycles[row] for row in rows}) for step, rows in rows_of.items()}
    longest = max(lengths.values(), default=0)
    chosen = [step for step, length in lengths.items() if length == longest]
    if longest < 2 or len(chosen) > 1:
        shown = "; ".join(f"segment {s}, plateau {n}: {lengths[s, p, n]} cycles" for s, p, n in list(lengths)[:5])
        found = f"readings at these plateaus: {shown or 'none'}"
        raise DamagedFile(Problem(table.where, found, "one plateau that is read in every cycle", _EXPORT))
    return rows_of[chosen[0]]


def _keys(table: SheetTable, rows: Sequence[int]) -> list[tuple[str, str]]:
    """Well and assay of each row."""
    cells, assays = table.texts("Well"), table.texts("Dye")
    wells = {cell: _well(cell) for cell in {cells[row] for row in rows}}
    problems = [
        Problem(table.place(row, "Well"), repr(cells[row]), f"a well from 1 to {_WELLS}")
        for row in rows
        if wells[cells[row]] is None
    ]
    if problems:
        raise DamagedFile(problems)
    return [(str(wells[cells[row]]), assays[row]) for row in rows]


def _well(cell: str) -> str | None:
    number = int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 4 else 0
    return well_at(number, _COLUMNS_OF_PLATE) if 1 <= number <= _WELLS else None


def _reactions(source: RawFile, keys: Sequence[Hashable], warnings: list[str]) -> list[dict[str, object]]:
    """The reactions of the curves, in their order, with what the report says of them."""
    reports = [file for file in source.tables if is_report(file)]
    if not reports:
        warnings.append(f"There is no text report beside the curves. {ROLES_NOT_STATED}")
        said = {}
    else:
        said = reported(only(reports, source, "a text report"), warnings)
    lost = [f"well {well}, target {assay}" for well, assay in said.keys() - set(keys)]
    if lost:
        warnings.append(left_out(sorted(lost)))
    silent = [key for key in keys if key not in said]
    if said and silent:
        warnings.append(f"{len(silent)} curves are not in the text report, {_named(silent[0])} among them.")
    return [_reaction(key) | said.get(key, {}) for key in keys]  # type: ignore[call-overload]


def _named(key: Hashable) -> str:
    return f"well {key[0]}" if isinstance(key, tuple) else str(key)


def _reaction(key: Hashable) -> dict[str, object]:
    well, assay = key if isinstance(key, tuple) else (key, "")
    return {"part": None, "well": well, "target": assay or "not named", "role": "unkn"}
