"""The Cp table of the LightCycler 480: what one analysis says of the wells, in one filter pair.

Line 1 names the experiment and the filter (`Experiment: <name>  Selected Filter: <filter> (465-510)`), line 2 the
columns. `Standard` is the concentration entered for a standard, 0 or empty for every other well; `Concentration` is
calculated. The table says nothing of controls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.grid import SheetTable, text
from bcrabl.formats.numerals import finite_or_none
from bcrabl.formats.source import RawFile
from bcrabl.formats.wells import normal_well

__all__ = ["CpTable", "Measured", "cp_tables_of", "filter_pair_or_none", "is_cp_table", "read_cp_table"]

_FILTER_PAIR = re.compile(r"(\d{3})\s*[-–]\s*(\d{3})")
_COLUMNS = ("Include", "Pos", "Cp")
_NAMED_FILTER = re.compile(r"Selected Filter:\s*(.*?)\s*\(([^()]*)\)\s*$")
_EXPERIMENT = re.compile(r"Experiment:\s*(.*?)\s*Selected Filter:")
_FIGURES = re.compile(r"[+-]?[\d.,\s]*\d[\d.,\s]*")
_INCLUDED = {"TRUE": True, "FALSE": False}


@dataclass(frozen=True)
class CpTable:
    """What one analysis says.

    Parameters
    ----------
    where : what error texts call it.
    experiment : name of the experiment; None where the table does not say.
    filter_pair : excitation and emission in nm, as `465-510`; None where the table does not say.
    dye : the dye that the filter is named after; None where it is named after several.
    columns : columns of `bcrabl.tables.REACTIONS` by well.
    """

    where: str
    experiment: str | None
    filter_pair: str | None
    dye: str | None
    columns: dict[str, dict[str, object]]


@dataclass(frozen=True)
class Measured:
    """What the raw data say, for Cp tables to be compared with.

    Parameters
    ----------
    experiment : its name; None where it is not stated.
    samples : sample by well; empty where it has no name.
    filters : filter pairs.
    last_cycle : of the longest amplification.
    decimal : the decimal mark.
    """

    experiment: str | None
    samples: Mapping[str, str]
    filters: Sequence[str]
    last_cycle: float
    decimal: str


def filter_pair_or_none(stated: str) -> str | None:
    """Excitation and emission of a filter pair as `465-510`, or None where the text names none."""
    match = _FILTER_PAIR.fullmatch(stated.strip())
    return f"{match[1]}-{match[2]}" if match else None


def is_cp_table(file: RawFile) -> bool:
    """Whether a file is such a table."""
    return file.top is not None and file.top.table(*_COLUMNS) is not None


def read_cp_table(file: RawFile, decimal: str) -> CpTable:
    """Read such a table.

    Parameters
    ----------
    decimal : the decimal mark of the raw data, for tables whose own numbers do not show one.

    Raises
    ------
    DamagedFile : a cell holds what it may not; every such cell is named.
    """
    sheet = file.rows()
    table = sheet.table(*_COLUMNS)
    if table is None:
        raise DamagedFile(Problem(file.path, f"no columns {', '.join(_COLUMNS)}", "a Cp table", "Export it again."))
    table.refuse_beyond_header()
    table = table.marked_by("Cp", "Concentration", "Standard")
    if not table.sheet.decimal:
        table = replace(table, sheet=replace(sheet, stated_mark=decimal))
    problems: list[Problem] = []
    columns = _by_well(table, problems)
    if problems:
        raise DamagedFile(problems)
    above = " ".join(text(cell) for row in sheet.rows[: table.first_row - 2] for cell in row).strip()
    experiment = _EXPERIMENT.search(above)
    named = _NAMED_FILTER.search(above)
    return CpTable(
        file.path,
        _one_spaced(experiment[1]) if experiment else None,
        _filter_pair(named, file.path),
        _dye(named[1]) if named else None,
        columns,
    )


def _filter_pair(named: re.Match[str] | None, where: str) -> str | None:
    if named is None:
        return None
    pair = filter_pair_or_none(named[2])
    if pair is None:
        raise DamagedFile(Problem(f"{where}, line 1", f"filter {named[2]!r}", "a filter pair such as 465-510"))
    return pair


def _dye(name: str) -> str | None:
    """The name of the filter where it is that of one dye ("SYBR Green I / HRM Dye" is not)."""
    return name if name and "/" not in name and "," not in name else None


def _by_well(table: SheetTable, problems: list[Problem]) -> dict[str, dict[str, object]]:
    positions = table.texts("Pos")
    rows = [row for row, position in enumerate(positions) if position]
    standards = dict(zip(rows, table.numbers("Standard", rows, problems).tolist(), strict=True))
    calculated = dict(zip(rows, table.numbers("Concentration", rows, problems).tolist(), strict=True))
    cells = {name: table.texts(name) for name in ("Name", "Cp", "Include", "Status")}
    columns: dict[str, dict[str, object]] = {}
    for row in rows:
        well = normal_well(positions[row])
        if well is None or well in columns:
            found = repr(positions[row]) if well is None else f"well {well} a second time"
            problems.append(Problem(table.place(row, "Pos"), found, "a well such as A1, each once"))
            continue
        stated = {name: texts[row] for name, texts in cells.items()}
        standard = _standard(standards[row], table.place(row, "Standard"), problems)
        cq, cq_text = _cp(stated["Cp"], table.sheet.decimal, table.place(row, "Cp"), problems)
        columns[well] = {
            "sample_id": stated["Name"] or None,
            "role": "unkn" if standard is None else "std",
            "known_copies": standard,
            "vendor_cq": cq,
            "vendor_cq_text": cq_text,
            "vendor_call": stated["Status"] or None,
            "vendor_quantity": standard or _number_or_none(calculated[row]),
            "vendor_omitted": not _included(stated["Include"], table.place(row, "Include"), problems),
        }
    return columns


def _standard(value: float, place: str, problems: list[Problem]) -> float | None:
    if value < 0:
        problems.append(Problem(place, f"a standard of quantity {value:g}", "a quantity above 0, or 0 for no standard"))
    return value if value > 0 else None


def _number_or_none(value: float) -> float | None:
    return None if np.isnan(value) else value


def _cp(cell: str, decimal: str, place: str, problems: list[Problem]) -> tuple[float | None, str | None]:
    """Cp as a number, or None and the word that stands in its place."""
    value = finite_or_none(cell, decimal)
    if value is None and _FIGURES.fullmatch(cell):
        problems.append(
            Problem(place, repr(cell), f"a number with the decimal mark {decimal[:1]!r}, a word or nothing")
        )
    return (value, None) if value is not None and value > 0 else (None, cell or None)


def _included(cell: str, place: str, problems: list[Problem]) -> bool:
    included = _INCLUDED.get(cell.upper())
    if included is None:
        problems.append(Problem(place, repr(cell), "True or False"))
    return bool(included)


def cp_tables_of(files: Iterable[RawFile], measured: Measured, warnings: list[str]) -> dict[str, CpTable]:
    """The Cp tables among the files of a run, by filter pair; `warnings` gains a sentence for what is not one.

    Raises
    ------
    DamagedFile : a table does not belong to the raw data, or two are of one filter.
    """
    others = list(files)
    tables = [read_cp_table(file, measured.decimal) for file in others if is_cp_table(file)]
    unread = [Path(file.path).name for file in others if not is_cp_table(file)]
    if unread:
        warnings.append(f"Files beside the raw data that are no Cp tables were not read: {', '.join(unread[:5])}.")
    by_filter: dict[str, CpTable] = {}
    problems: list[Problem] = []
    for table in tables:
        pair = _filter_of(table, measured.filters, warnings)
        found = list(_misfits(table, pair, measured))
        if pair in by_filter:
            found.append(Problem(table.where, f"a second Cp table of filter {pair}", "one, of one analysis"))
        problems += found
        by_filter[str(pair)] = table
    if problems:
        raise DamagedFile(problems)
    return by_filter


def _filter_of(table: CpTable, filters: Sequence[str], warnings: list[str]) -> str | None:
    """The filter pair that a table is of; where it does not say, that of the raw data if these have but one."""
    if table.filter_pair is not None or len(filters) != 1:
        return table.filter_pair
    name = Path(table.where).name
    warnings.append(f"{name} names no filter; it is read as of {filters[0]}, the only one of the raw data.")
    return filters[0]


def _misfits(table: CpTable, pair: str | None, measured: Measured) -> Iterable[Problem]:
    """Why a Cp table cannot belong to the raw data."""
    remedy = "Keep the files of one run together, exported at the same time."
    experiment = _one_spaced(measured.experiment or "")
    if table.experiment and experiment and table.experiment != experiment:
        yield Problem(table.where, f"a Cp table of experiment {table.experiment!r}", f"{experiment!r}", remedy)
    if pair not in measured.filters:
        expected = f"one of those in the raw data: {', '.join(measured.filters)}"
        yield Problem(table.where, f"a Cp table of filter {pair or 'not named'}", expected, remedy)
    for well, columns in table.columns.items():
        where = f"{table.where}, well {well}"
        sample, cq = measured.samples.get(well), columns["vendor_cq"]
        if sample is not None and (columns["sample_id"] or "") != sample:
            yield Problem(where, f"sample {columns['sample_id']!r}", f"{sample!r}, as in the raw data", remedy)
        if isinstance(cq, float) and cq > measured.last_cycle:
            yield Problem(where, f"Cp {cq:g}", f"at most {measured.last_cycle:g}, the last cycle", remedy)


def _one_spaced(name: str) -> str:
    return " ".join(name.split())
