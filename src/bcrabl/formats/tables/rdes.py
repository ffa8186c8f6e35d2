"""RDES, the "Real-time PCR Data Essential Spreadsheet": the tab-separated tables of RDML-Tools and rdmlpython.

One row per curve: well, sample and its type, target and its type, dye, in newer files Cq, then one column per cycle
(amplification) or per temperature (melting), with its number as name. There are no quantities in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, FormatRefused, Problem
from bcrabl.formats.assembly import assemble, left_out, problem_of_cycles
from bcrabl.formats.grid import Sheet, SheetTable, decimal_mark, text
from bcrabl.formats.numerals import finite_or_none
from bcrabl.formats.rdml.annotation import ROLE_OF_TYPE
from bcrabl.formats.source import Format, RawFile, refuse_part
from bcrabl.formats.wells import normal_well

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["FORMAT"]

_COLUMNS = ("Well", "Sample", "Sample Type", "Target", "Target Type", "Dye")
_EXPORT = "From RDML-Tools export the amplification data of a run as RDES (tab separated)."
_CYCLE = re.compile(r"[0-9]{1,4}")
_UNTYPED = "unkn"  # RDML's default
_FEWEST_CYCLES = 2  # one number as a name may be anything


def _claims(source: RawFile) -> bool:
    return source.top is not None and _header(source.top) is not None


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    table = _table(source)
    cycles = _cycle_columns(table)
    problems: list[Problem] = []
    rows = [row for row, cells in enumerate(table.rows) if any(text(cell) for cell in cells)]
    reactions = [_reaction(table, row, problems) for row in rows]
    signal = [table.numbers(name, rows, problems) for name in cycles.values()]
    if problems:
        raise DamagedFile(problems)
    fluorescence = np.stack(signal, axis=1) if rows else np.empty((0, len(cycles)))
    return _run(source.path, reactions, np.array(list(cycles), dtype=np.float64), fluorescence)


FORMAT = Format(
    name="RDES",
    export=_EXPORT,
    claims=_claims,
    read=_read,
    reservation="This reader was written from the description of RDES and has not met a real file with curves.",
)


def _header(sheet: Sheet) -> SheetTable | None:
    """The table of a sheet whose first row is RDES's header."""
    first = next((row for row, cells in enumerate(sheet.rows) if any(map(text, cells))), None)
    if first is None:
        return None
    table = sheet.table_at(first)
    return table if all(table.has(name) for name in _COLUMNS) and not table.has("Quantity") else None


def _table(source: RawFile) -> SheetTable:
    """The table, with the decimal mark of its numbers.

    Raises
    ------
    FormatRefused : it is a melting table.
    DamagedFile : its numbers do not show whether their comma parts decimals or thousands.
    """
    sheet = source.rows()
    table = _header(sheet)
    if table is None:
        raise DamagedFile(Problem(source.path, "no header of RDES", ", ".join(_COLUMNS), _EXPORT))
    table.refuse_beyond_header()
    numbers = [place for name, place in table.columns.items() if name == "cq" or _number(name) is not None]
    mark = decimal_mark(row[place] for row in table.rows for place in numbers if place < len(row))
    if not mark:
        found = "numbers such as 1,234 whose comma may part decimals or thousands"
        raise DamagedFile(Problem(source.path, found, "numbers with a decimal point", _EXPORT))
    return SheetTable(Sheet(sheet.where, sheet.rows, sheet.row_word, mark), table.columns, table.rows, table.first_row)


def _cycle_columns(table: SheetTable) -> dict[int, str]:
    """Name of the column of each cycle, in rising order."""
    header = [text(cell).casefold() for cell in table.sheet.rows[table.first_row - 2]]
    numbered = [name for name in header if _number(name) is not None]
    if table.has("Tm") or any(not _CYCLE.fullmatch(name) for name in numbered):
        found = "a melting table: its columns are temperatures"
        raise FormatRefused(Problem(table.where, found, "an amplification table, whose columns are cycles", _EXPORT))
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    problem = problem_of_cycles([float(name) for name in numbered])
    if repeated or problem or len(numbered) < _FEWEST_CYCLES:
        found = f"column {repeated[0]} more than once" if repeated else problem or f"{len(numbered)} columns of cycles"
        raise DamagedFile(Problem(table.where, found, "a column for each cycle, named by its number", _EXPORT))
    strangers = [name for name in header if name and name not in {"cq", *map(str.casefold, _COLUMNS), *numbered}]
    if strangers:
        raise DamagedFile(Problem(table.where, f"column {strangers[0]!r}", "the columns of RDES and cycles", _EXPORT))
    return {int(name): name for name in sorted(numbered, key=int)}


def _number(name: str) -> float | None:
    """The cycle or temperature that a column is named after, or None."""
    return finite_or_none(name.replace(",", ".")) if name[:1].isdigit() else None


def _reaction(table: SheetTable, row: int, problems: list[Problem]) -> dict[str, object]:
    stated = {name: _cell(table, row, name) for name in (*_COLUMNS, "Cq")}
    well = normal_well(stated["Well"])
    role = ROLE_OF_TYPE.get(stated["Sample Type"] or _UNTYPED)
    if well is None:
        problems.append(Problem(table.place(row, "Well"), repr(stated["Well"]), "a well such as A1"))
    if role is None:
        expected = f"one of {', '.join(ROLE_OF_TYPE)}"
        problems.append(Problem(table.place(row, "Sample Type"), repr(stated["Sample Type"]), expected))
    if not stated["Target"]:
        problems.append(Problem(table.place(row, "Target"), "an empty cell", "a target"))
    cq = table.number(row, "Cq", problems)
    reported = bool(cq > 0)  # RDML-Tools writes -1.0 for none
    return {
        "part": None,
        "well": well,
        "target": stated["Target"],
        "dye": stated["Dye"] or None,
        "role": role,
        "sample_id": stated["Sample"] or None,
        "vendor_cq": cq if reported else None,
        "vendor_cq_text": None if reported else stated["Cq"] or None,
        "vendor_task": stated["Sample Type"],
    }


def _cell(table: SheetTable, row: int, column: str) -> str:
    place = table.columns.get(column.casefold())
    cells = table.rows[row]
    return "" if place is None or place >= len(cells) else text(cells[place])


def _run(
    path: str, reactions: list[dict[str, object]], cycles: NDArray[np.float64], fluorescence: NDArray[np.float64]
) -> Run:
    measured = [bool(curve.any()) for curve in np.isfinite(fluorescence)]
    lost = [
        f"well {row['well']}, target {row['target']}" for row, has in zip(reactions, measured, strict=True) if not has
    ]
    warnings = ["RDES does not say how far the signal was processed; it is read as raw."]
    if lost:
        warnings.append(left_out(lost))
    standards = sum(row["role"] == "std" for row in reactions)
    if standards:
        warnings.append(f"RDES holds no quantities; the copies of {standards} standard reactions are unknown.")
    untyped = sum(not row["vendor_task"] for row in reactions)
    if untyped:
        warnings.append(f"The sample type of {untyped} reactions is empty; they are read as unknown samples.")
    kept = np.flatnonzero(measured)
    rows = [reactions[index] for index in kept]
    metadata = {"format": FORMAT.name, "warnings": tuple(warnings)}
    return assemble(path, rows, cycles, fluorescence[kept], None, "raw", metadata)
