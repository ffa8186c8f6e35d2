"""Workbooks of the 7500 with software 1 (SDS 1.3.1): one row of cycles per well, and Ct in a sheet beside it.

The sheet of curves has a column `Well` and columns `Cycle 1`, `Cycle 2`, …; another one has `Well` and `Ct`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.applied_biosystems.words import cq_or_text, role_of_task
from bcrabl.formats.assembly import ROLES_NOT_STATED, assemble, problem_of_cycles, warnings_of_quantities
from bcrabl.formats.grid import SheetTable, text
from bcrabl.formats.source import Format, RawFile, Sheets, refuse_part
from bcrabl.formats.wells import normal_well, well_at
from bcrabl.formats.xls import XlsWorkbook

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["FORMAT"]

_EXPORT = "From the 7500 software 1 export the amplification data (Delta Rn or Rn) and the results into one xls."
_UNMET = "This reader was written from the description of the format and has not met a real file."
_HEADER_WITHIN = 50
_LEAST_CYCLES = 10
_CYCLE = re.compile(r"cycle\s*#?\s*([0-9]{1,3})", re.IGNORECASE)
_TARGET = ("Detector Name", "Detector", "Target Name", "Target")
_SAMPLE = ("Sample Name", "Sample")
_QUANTITY = ("Quantity", "Qty")
_NO_TARGET = "target not named"
_DELTA_RN = re.compile(r"(?:delta|Δ|d)\s*Rn", re.IGNORECASE)


@dataclass(frozen=True)
class _Curves:
    """The table of curves and which of its columns are cycles, by name."""

    table: SheetTable
    names: tuple[str, ...]
    cycles: tuple[float, ...]
    title: str


def _claims(source: RawFile) -> bool:
    workbook = source.workbook
    return isinstance(workbook, XlsWorkbook) and any(_curves_on(workbook, name) for name in workbook.sheet_names)


def _curves_on(workbook: Sheets, name: str) -> _Curves | None:
    """The table of curves on a sheet, or None."""
    sheet = workbook.sheet(name)
    for number, row in enumerate([] if sheet is None else sheet.rows[:_HEADER_WITHIN]):
        names = [text(cell) for cell in row]
        found = {cell: float(match[1]) for cell in names if (match := _CYCLE.fullmatch(cell))}
        if sheet is not None and len(found) >= _LEAST_CYCLES and "well" in {cell.casefold() for cell in names}:
            above = " ".join(text(cell) for line in sheet.rows[:number] for cell in line)
            return _Curves(sheet.table_at(number), tuple(found), tuple(found.values()), f"{name} {above}")
    return None


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    workbook = source.workbook
    found = [] if workbook is None else [_curves_on(workbook, name) for name in workbook.sheet_names]
    tables = [curves for curves in found if curves is not None]
    if workbook is None or len(tables) != 1:
        raise DamagedFile(Problem(source.path, f"{len(tables)} sheets of curves", "one", _EXPORT))
    curves = tables[0]
    problem = problem_of_cycles(curves.cycles)
    if problem or list(curves.cycles) != sorted(curves.cycles):
        raise DamagedFile(Problem(curves.table.where, problem or "cycles in disorder", "Cycle 1, Cycle 2, …", _EXPORT))
    warnings: list[str] = []
    wells, signal = _signal(curves)
    stage = _stage(curves.title, signal, warnings)
    rows = _rows(workbook, curves, wells, warnings)
    about = {"format": FORMAT.name, "vendor": "Applied Biosystems", "instrument": "7500"}
    return assemble(
        source.path, rows, np.array(curves.cycles), signal, None, stage, {**about, "warnings": tuple(warnings)}
    )


FORMAT = Format("Applied Biosystems 7500 software 1 xls", _EXPORT, _claims, _read, _UNMET)


def _wells(table: SheetTable) -> dict[int, str]:
    """The well of each row that names one; the instrument has 96."""
    wells: dict[int, str] = {}
    problems: list[Problem] = []
    for row, cell in enumerate(table.texts("Well")):
        numbered = re.fullmatch("[1-9][0-9]?", cell)
        well = well_at(int(cell), 12) if numbered and int(cell) <= 96 else normal_well(cell)
        if well is not None:
            wells[row] = well
        elif cell and len([text(other) for other in table.rows[row] if text(other)]) > 2:
            problems.append(Problem(table.place(row, "Well"), repr(cell), "a well such as A1 or 1 to 96"))
    if problems:
        raise DamagedFile(problems)
    return wells


def _signal(curves: _Curves) -> tuple[dict[int, str], NDArray[np.float64]]:
    """The wells that have a curve by their row, and (n, m) signal."""
    problems: list[Problem] = []
    wells = _wells(curves.table)
    signal = np.column_stack([curves.table.numbers(name, list(wells), problems) for name in curves.names])
    if problems:
        raise DamagedFile(problems)
    measured = [bool(curve.any()) for curve in np.isfinite(signal)]
    kept = {row: well for (row, well), has in zip(wells.items(), measured, strict=True) if has}
    return kept, signal[np.array(measured, dtype=bool)]


def _stage(title: str, signal: NDArray[np.float64], warnings: list[str]) -> str:
    """How far the signal was processed, by the title, else by whether it scatters about zero."""
    if _DELTA_RN.search(title):
        warnings.append("The curves are ΔRn, from which the software has subtracted its baseline already.")
        return "baseline_subtracted"
    if re.search(r"\bRn\b", title):
        return "normalised"
    subtracted = bool((signal <= 0).any())
    kind = "ΔRn, since some values are 0 or less" if subtracted else "Rn, since all values are above 0"
    warnings.append(f"The workbook does not say what the curves are; they are read as {kind}.")
    return "baseline_subtracted" if subtracted else "normalised"


def _rows(workbook: Sheets, curves: _Curves, wells: Mapping[int, str], warnings: list[str]) -> list[dict[str, object]]:
    """The reactions of the curves, as columns of `bcrabl.tables.REACTIONS`."""
    problems: list[Problem] = []
    others = [_results_on(workbook, name) for name in workbook.sheet_names]
    results = next((table for table in others if table is not None), None)
    places = {} if results is None else _places(results)
    own = _texts(curves.table, _TARGET)
    rows = []
    for row, well in wells.items():
        found = places.get((well, own[row])) if own[row] in {key[1] for key in places} else _only(places, well)
        described = _of_result(results, found, curves.cycles[-1], problems) if results and found is not None else {}
        target = own[row] or str(described.get("target") or _NO_TARGET)
        rows.append(_EMPTY | described | {"part": None, "well": well, "target": target})
    if problems:
        raise DamagedFile(problems)
    if all(row["vendor_task"] is None for row in rows):
        warnings.append(ROLES_NOT_STATED)
    return _with_warnings(rows, warnings)


_EMPTY: dict[str, object] = {
    **dict.fromkeys(("dye", "sample_id", "known_copies", "vendor_cq", "vendor_cq_text", "vendor_call")),
    **dict.fromkeys(("vendor_threshold", "vendor_baseline_start", "vendor_baseline_end", "vendor_task")),
    **dict.fromkeys(("vendor_quantity", "vendor_quantity_unit", "vendor_omitted")),
    "role": "unkn",
}


def _with_warnings(rows: list[dict[str, object]], warnings: list[str]) -> list[dict[str, object]]:
    if any(row["target"] == _NO_TARGET for row in rows):
        warnings.append(f"The workbook names no detector; the target is called {_NO_TARGET!r}.")
    warnings += warnings_of_quantities(rows)
    return rows


def _results_on(workbook: Sheets, name: str) -> SheetTable | None:
    sheet = workbook.sheet(name)
    return None if sheet is None else sheet.table("Well", "Ct")


def _texts(table: SheetTable, names: Sequence[str]) -> list[str]:
    return table.texts(table.named(*names) or "")


def _places(table: SheetTable) -> dict[tuple[str, str], int]:
    """Row of each result by well and detector."""
    targets = _texts(table, _TARGET)
    places: dict[tuple[str, str], int] = {}
    for row, well in _wells(table).items():
        if (well, targets[row]) in places:
            raise DamagedFile(Problem(table.place(row, "Well"), f"a second result of well {well}", "one", _EXPORT))
        places[well, targets[row]] = row
    return places


def _only(places: Mapping[tuple[str, str], int], well: str) -> int | None:
    """The result of a well that has one; None where it has several or none."""
    found = [row for (place, _), row in places.items() if place == well]
    return found[0] if len(found) == 1 else None


def _of_result(table: SheetTable, row: int, last_cycle: float, problems: list[Problem]) -> dict[str, object]:
    """What the sheet of results adds to a reaction."""
    task, reporter = table.texts("Task")[row], table.texts("Reporter")[row]
    role = role_of_task(task, table.place(row, "Task"), problems) if task else "unkn"
    column = table.named(*_QUANTITY)
    quantity = np.nan if column is None else table.number(row, column, problems)
    if role == "std" and quantity <= 0:
        place = table.place(row, column or "Quantity")
        problems.append(Problem(place, f"a standard of quantity {quantity:g}", "a quantity above 0"))
    cq, cq_text = cq_or_text(table.texts("Ct")[row], last_cycle)
    return {
        "target": _texts(table, _TARGET)[row],
        "dye": reporter or None,
        "role": role,
        "sample_id": _texts(table, _SAMPLE)[row] or None,
        "known_copies": quantity if role == "std" and quantity > 0 else None,
        "vendor_cq": cq,
        "vendor_cq_text": cq_text,
        "vendor_task": task or None,
        "vendor_quantity": quantity,
    }
