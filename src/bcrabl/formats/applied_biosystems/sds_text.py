"""Texts of SDS 2 for the 7900HT: the "clipped" export of Rn and ΔRn, and the table of results beside it.

The first line names software and kind (`SDS 2.4, Clipped, 1.0`), the second the columns: well, reporter (where the name
of the detector stands), `Rn`, the cycles, `Delta Rn`, the cycles again. Roles, quantities and Ct stand in the table of
results only, a file of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.applied_biosystems.words import cq_or_text, role_of_task
from bcrabl.formats.assembly import ROLES_NOT_STATED, assemble, left_out, problem_of_cycles, warnings_of_quantities
from bcrabl.formats.grid import Sheet, SheetTable, decimal_mark, text
from bcrabl.formats.numerals import finite_or_none, numbers
from bcrabl.formats.source import Format, RawFile, only, refuse_part
from bcrabl.formats.wells import normal_well, well_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["FORMAT", "is_results_alone"]

_EXPORT = (
    "In SDS 2 choose File > Export: the data kind Clipped for the curves and the kind Results Table for tasks, "
    "quantities and Ct, both as text, into one folder."
)
_UNMET = "This reader was written from the description of the format and has not met a real file."
_ROWS_FOR_MARK = 500
_PLATES = ((96, 12), (384, 24))
_DETECTOR = ("Detector Name", "Detector")
_SAMPLE = ("Sample Name", "Sample")
_QUANTITY = ("Quantity", "Qty")
_BASELINE_END = ("Baseline Stop", "Baseline End")
_OMITTED = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


@dataclass(frozen=True)
class _Curves:
    """Curves as they stand in the clipped export: key (well as it stands there, detector) and (n, m) signal."""

    keys: list[tuple[str, str]]
    cycles: NDArray[np.float64]
    fluorescence: NDArray[np.float64]
    stage: str
    software: str


@dataclass(frozen=True)
class _Result:
    """What the table of results says of one detector in one well."""

    row: int
    well: str
    task: str
    sample: str
    cq: str


def _first_line(source: RawFile) -> list[str]:
    top = source.top
    return [text(cell) for cell in top.rows[0]] if top is not None and top.rows else []


def _is_clipped(source: RawFile) -> bool:
    first = _first_line(source)
    return len(first) > 1 and first[0].startswith("SDS 2") and first[1].casefold() == "clipped"


def _results_table(source: RawFile) -> SheetTable | None:
    """The table of results in the beginning of a text, or None."""
    top = source.top
    found = None if top is None else top.table("Well", "Task", "Ct")
    return found if found is not None and found.named(*_DETECTOR) else None


def is_results_alone(source: RawFile) -> bool:
    """Whether a file is a table of results of SDS 2 without the curves."""
    return _first_line(source)[:1] != [] and _first_line(source)[0].startswith("SDS 2") and not _is_clipped(source)


def _claims(source: RawFile) -> bool:
    return _is_clipped(source) or any(_is_clipped(table) for table in source.tables)


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    clipped = only((table for table in source.tables if _is_clipped(table)), source, "curves (Clipped)")
    curves = _curves(clipped.rows("\t"))
    warnings = _warnings_of_stage(curves)
    tables = [table for table in source.tables if table is not clipped and _results_table(table) is not None]
    results = None if not tables else only(tables, source, "a table of results").rows("\t")
    rows = _rows(source.path, curves, None if results is None else _whole_table(results), warnings)
    return assemble(
        source.path,
        rows,
        curves.cycles,
        curves.fluorescence,
        None,
        curves.stage,
        {
            "format": FORMAT.name,
            "vendor": "Applied Biosystems",
            "instrument": "7900HT",
            "software": curves.software,
            "warnings": tuple(warnings),
        },
    )


FORMAT = Format("Applied Biosystems 7900HT SDS 2 text", _EXPORT, _claims, _read, _UNMET)


# --- curves -------------------------------------------------------------------------------------------------------


def _curves(sheet: Sheet) -> _Curves:
    header = [text(cell) for cell in sheet.rows[1]] if len(sheet.rows) > 1 else []
    while header and not header[-1]:
        header.pop()
    kind = header[2].casefold() if len(header) > 2 else ""
    cycles = _cycles(header[3:])
    if [name.casefold() for name in header[:2]] != ["well nb", "reporter"] or kind not in _STAGES or not cycles:
        found = f"columns {', '.join(header[:4])}, …"
        raise DamagedFile(Problem(f"{sheet.where}, line 2", found, "Well Nb, Reporter, Rn, 1, 2, 3, …", _EXPORT))
    filled = [(line, row) for line, row in enumerate(sheet.rows[2:], 3) if any(map(text, row))]
    read = partial(_numbers, sheet=_with_mark_of(sheet, sheet.rows[2:]), header=header, cycles=len(cycles))
    return _Curves(
        keys=[(text(row[0]), text(row[1]) if len(row) > 1 else "") for _, row in filled],
        cycles=np.array(cycles),
        fluorescence=np.array([read(row, line=line) for line, row in filled]).reshape(len(filled), len(cycles)),
        stage=_STAGES[kind],
        software=text(sheet.rows[0][0]),
    )


_STAGES = {"rn": "normalised", "delta rn": "baseline_subtracted"}


def _with_mark_of(sheet: Sheet, rows: Iterable[list[str]]) -> Sheet:
    """The sheet with the decimal mark that these rows show: the version in the first line has a point always."""
    return replace(sheet, stated_mark=decimal_mark(chain.from_iterable(islice(rows, _ROWS_FOR_MARK))))


def _cycles(names: Sequence[str]) -> list[float]:
    """The numbers that follow the first label, up to the next."""
    cycles = []
    for name in names:
        if not re.fullmatch("[0-9]{1,4}", name):
            break
        cycles.append(float(name))
    return cycles if not problem_of_cycles(cycles) and cycles == sorted(cycles) else []


def _numbers(row: list[str], line: int, sheet: Sheet, header: Sequence[str], cycles: int) -> list[float]:
    """The signal in a row: under the cycles, or right behind the reporter where the labels have no cells of theirs."""
    label = text(row[2]) if len(row) > 2 else ""
    first = 3 if label.casefold() in {"", header[2].casefold()} else 2
    labels = sum(not re.fullmatch("[0-9]+", name) for name in header[2:])
    expected = len(header) - (0 if first == 3 else labels)
    if len(row) < expected or any(map(text, row[expected:])):
        found = f"{len(row)} cells"
        raise DamagedFile(Problem(f"{sheet.where}, line {line}", found, f"{expected}, as the header has", _EXPORT))
    cells = [text(cell) or "nan" for cell in row[first : first + cycles]]
    values = numbers(cells, sheet.decimal or ".")
    if values is None:
        strange = next(cell for cell in cells if numbers([cell], sheet.decimal or ".") is None)
        raise DamagedFile(Problem(f"{sheet.where}, line {line}", repr(strange), "a number", _EXPORT))
    return values


def _warnings_of_stage(curves: _Curves) -> list[str]:
    if curves.stage == "normalised":
        return []
    return ["The curves are ΔRn, from which the software has subtracted its baseline already."]


# --- table of results ---------------------------------------------------------------------------------------------


def _whole_table(sheet: Sheet) -> SheetTable:
    table = sheet.table("Well", "Task", "Ct")
    if table is None:
        raise DamagedFile(Problem(sheet.where, "no columns Well, Task and Ct", "a table of results", _EXPORT))
    return replace(table, sheet=_with_mark_of(sheet, table.rows))


def _rows(path: str, curves: _Curves, table: SheetTable | None, warnings: list[str]) -> list[dict[str, object]]:
    """The reactions of the curves, as columns of `bcrabl.tables.REACTIONS`."""
    results = {} if table is None else _results(table)
    wells = _wells_of(path, curves, results, warnings)
    known = {(_position_or_name(well), detector): result for (well, detector), result in results.items()}
    problems: list[Problem] = []
    rows = []
    for key, well in zip(curves.keys, wells, strict=True):
        result = known.pop((_position_or_name(key[0]), key[1]), None) or known.pop((well, key[1]), None)
        row = _without_result(well, key[1])
        if table is not None and result is not None:
            row |= _of_result(table, result, float(curves.cycles[-1]), problems)
        rows.append(row)
    if problems:
        raise DamagedFile(problems)
    _warn_of_roles(rows, table, warnings)
    if known:
        warnings.append(left_out([f"well {result.well}, target {detector}" for (_, detector), result in known.items()]))
    return rows


def _position_or_name(cell: str) -> str:
    return str(int(cell)) if re.fullmatch("[0-9]{1,4}", cell) else normal_well(cell) or cell


def _results(table: SheetTable) -> dict[tuple[str, str], _Result]:
    """The rows of the table by well and detector, as they stand there."""
    detector, sample = table.named(*_DETECTOR) or "", table.named(*_SAMPLE) or ""
    columns = [table.texts(name) for name in ("Well", detector, "Task", sample, "Ct")]
    results: dict[tuple[str, str], _Result] = {}
    for row, (well, target, task, who, cq) in enumerate(zip(*columns, strict=True)):
        if not (target and well):
            continue
        if (well, target) in results:
            found = f"a second result of detector {target!r} in well {well}"
            raise DamagedFile(Problem(table.place(row, "Well"), found, "one", _EXPORT))
        results[well, target] = _Result(row, well, task, who, cq)
    return results


def _without_result(well: str, target: str) -> dict[str, object]:
    return _NOTHING_STATED | {"part": None, "well": well, "target": target}


_NOTHING_STATED: dict[str, object] = {
    **dict.fromkeys(("dye", "sample_id", "known_copies", "vendor_cq", "vendor_cq_text", "vendor_call")),
    **dict.fromkeys(("vendor_threshold", "vendor_baseline_start", "vendor_baseline_end", "vendor_task")),
    **dict.fromkeys(("vendor_quantity", "vendor_quantity_unit", "vendor_omitted")),
    "role": "unkn",
}


def _of_result(table: SheetTable, result: _Result, last_cycle: float, problems: list[Problem]) -> dict[str, object]:
    """What the table adds to a reaction."""

    def number(*names: str) -> float | None:
        name = table.named(*names)
        value = np.nan if name is None else table.number(result.row, name, problems)
        return None if np.isnan(value) else value

    def cell(name: str) -> str:
        return table.texts(name)[result.row]

    role = role_of_task(result.task, table.place(result.row, "Task"), problems)
    quantity = number(*_QUANTITY)
    if role == "std" and quantity is not None and quantity <= 0:
        place = table.place(result.row, "Quantity")
        problems.append(Problem(place, f"a standard of quantity {quantity:g}", "a quantity above 0"))
    omitted = _OMITTED.get(cell("Omit").casefold())
    if omitted is None:
        problems.append(Problem(table.place(result.row, "Omit"), repr(cell("Omit")), "TRUE or FALSE"))
    stated = finite_or_none(result.cq, table.sheet.decimal or ".")
    cq, cq_text = cq_or_text(result.cq if stated is None else repr(stated), last_cycle)
    return {
        "dye": cell("Reporter") or None,
        "role": role,
        "sample_id": result.sample or None,
        "known_copies": quantity if role == "std" else None,
        "vendor_cq": cq,
        "vendor_cq_text": cq_text and result.cq,
        "vendor_threshold": number("Threshold"),
        "vendor_baseline_start": number("Baseline Start"),
        "vendor_baseline_end": number(*_BASELINE_END),
        "vendor_task": result.task,
        "vendor_quantity": quantity,
        "vendor_omitted": omitted,
    }


def _warn_of_roles(rows: Sequence[Mapping[str, object]], table: SheetTable | None, warnings: list[str]) -> None:
    without = [row for row in rows if row["vendor_task"] is None]
    if table is None:
        warnings.append(ROLES_NOT_STATED)
    elif without:
        named = ", ".join(f"{row['well']} ({row['target']})" for row in without[:5])
        warnings.append(f"{len(without)} reactions are not in the table of results; their roles are unknown: {named}.")
    warnings += warnings_of_quantities(rows)


# --- wells --------------------------------------------------------------------------------------------------------


def _wells_of(path: str, curves: _Curves, results: Mapping[tuple[str, str], _Result], warnings: list[str]) -> list[str]:
    """The well of each curve: as it is named, or at its number on the plate that the table of results shows."""
    cells = [cell for cell, _ in curves.keys]
    if not all(re.fullmatch("[1-9][0-9]{0,3}", cell) for cell in cells):
        return _named_wells(path, cells)
    last = max(map(int, cells), default=1)
    plates = [(wells, columns) for wells, columns in _PLATES if last <= wells]
    if not plates:
        raise DamagedFile(Problem(path, f"well {last}", "at most 384 wells", _EXPORT))
    named = {(normal_well(well), detector) for well, detector in results}
    fitting = [
        plate
        for plate in plates
        if {(well_at(int(cell), plate[1]), detector) for cell, detector in curves.keys} <= named
    ]
    possible = [[well_at(int(cell), columns) for cell in cells] for _, columns in fitting or plates]
    if any(names != possible[0] for names in possible):
        size = (fitting or plates)[0][0]
        warnings.append(
            f"The file numbers its wells and does not name the plate; they are read as those of a plate of {size}."
        )
    return possible[0]


def _named_wells(path: str, cells: Sequence[str]) -> list[str]:
    wells = [normal_well(cell) for cell in cells]
    problems = [
        Problem(f"{path}, column Well Nb", repr(cell), "a well such as 13 or B1", _EXPORT)
        for cell, well in zip(cells, wells, strict=True)
        if well is None
    ]
    if problems:
        raise DamagedFile(problems)
    return [well for well in wells if well is not None]
