"""From the three layouts of a mapped table to curves, each with what is stated of it and where.

Symbols: n curves, m cycles.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.column_map import ANNOTATIONS, NUMBERS, ColumnMap
from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import arrange, problem_of_cycles
from bcrabl.formats.grid import text
from bcrabl.formats.tables.mapped_table import MappedTable
from bcrabl.schemas import suggest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.formats.grid import Cell, SheetTable

__all__ = ["Curves", "Stated", "curves_of_table"]


@dataclass(frozen=True)
class Stated:
    """What is stated of one curve.

    Parameters
    ----------
    values : by field; a cell of the table, or text or number of the column map.
    decimal : the decimal mark of numbers in text cells.
    place : where a field stands, in words.
    """

    values: Mapping[str, Cell]
    decimal: str
    place: Callable[[str], str]


@dataclass(frozen=True)
class Curves:
    """n curves: what is stated of each, (m,) cycles, (n, m) signals."""

    stated: list[Stated]
    cycles: NDArray[np.float64]
    fluorescence: NDArray[np.float64]
    passive_reference: NDArray[np.float64] | None = None


def curves_of_table(mapped: MappedTable, column_map: ColumnMap) -> Curves:
    """The curves of a mapped table.

    Raises
    ------
    DamagedFile : cells that are no numbers, cycles that repeat, columns that nobody described.
    """
    return {"long": _long, "column_per_well": _column_per_well, "row_per_well": _row_per_well}[column_map.layout](
        mapped, column_map
    )


def _no_numbers(problems: Sequence[Problem], column_map: ColumnMap) -> DamagedFile:
    """The error of cells of readings that hold something else."""
    remedy = f"Correct the cell; where it stands for no reading, say so in {column_map.label}: table: {{missing: […]}}."
    return DamagedFile(replace(problem, remedy=remedy) for problem in problems)


# -- one row per reading ----------------------------------------------------------------------------------------------


def _long(mapped: MappedTable, column_map: ColumnMap) -> Curves:
    table, rows = mapped.table, mapped.rows
    names = [name for name in (*ANNOTATIONS, *NUMBERS) if name in column_map.columns_of]
    cells = {name: table.texts(column_map.columns_of[name]) for name in names}
    keys = [tuple(cells[name][row] for name in ("part", "well", "target") if name in cells) for row in rows]
    problems: list[Problem] = []
    cycle_of = table.numbers(column_map.columns_of["cycle"], rows, problems)
    signals = {
        name: table.numbers(column_map.columns_of[name], rows, problems)
        for name in ("fluorescence", "passive_reference")
        if name in column_map.columns_of
    }
    if problems:
        raise _no_numbers(problems, column_map)
    readings = arrange(keys, cycle_of, lambda reading: table.place(rows[reading], column_map.columns_of["cycle"]))
    first = _first_rows(keys, rows)
    _refuse_changing(mapped, column_map, cells, keys, first)
    stated = [_of_row(table, column_map, first[key]) for key in readings.curves]
    filled = {name: readings.filled(values) for name, values in signals.items()}
    return Curves(stated, readings.cycles, filled["fluorescence"], filled.get("passive_reference"))


def _first_rows(keys: Sequence[Hashable], rows: Sequence[int]) -> dict[Hashable, int]:
    first: dict[Hashable, int] = {}
    for key, row in zip(keys, rows, strict=True):
        first.setdefault(key, row)
    return first


def _refuse_changing(
    mapped: MappedTable,
    column_map: ColumnMap,
    cells: Mapping[str, Sequence[str]],
    keys: Sequence[Hashable],
    first: Mapping[Hashable, int],
) -> None:
    """What is said of a curve must be the same in all its rows."""
    for name in set(cells) - {"part", "well", "target"}:
        column = cells[name]
        for key, row in zip(keys, mapped.rows, strict=True):
            if column[row] != column[first[key]]:
                earlier = mapped.table.first_row + first[key]
                found = f"{column[row]!r}, but {column[first[key]]!r} in {mapped.table.sheet.row_word} {earlier}"
                where = mapped.table.place(row, column_map.columns_of[name])
                raise DamagedFile(Problem(where, found, f"one {name} in all rows of a curve"))


# -- one column per curve ---------------------------------------------------------------------------------------------


def _column_per_well(mapped: MappedTable, column_map: ColumnMap) -> Curves:
    table, rows = mapped.table, mapped.rows
    described = _described_columns(mapped, column_map)
    mapped.refuse_twice(described)
    cycle_column = column_map.columns_of["cycle"]
    problems: list[Problem] = []
    cycle_of = table.numbers(cycle_column, rows, problems)
    signal = [table.numbers(name, rows, problems) for name in described]
    if problems:
        raise _no_numbers(problems, column_map)
    readings = arrange([""] * len(rows), cycle_of, lambda reading: table.place(rows[reading], cycle_column))
    filled = [readings.filled(values) for values in signal] if rows else []
    fluorescence = np.concatenate(filled) if filled else np.empty((len(described), len(readings.cycles)))
    stated = [_of_column(column_map, name, values) for name, values in described.items()]
    return Curves(stated, readings.cycles, fluorescence)


def _described_columns(mapped: MappedTable, column_map: ColumnMap) -> dict[str, dict[str, Cell]]:
    """What is stated of each column that is a curve, by its name."""
    apart = {column_map.columns_of["cycle"].casefold(), *(name.casefold() for name in column_map.ignore)}
    own = {name.casefold(): stated for name, stated in column_map.by_column.items()}
    described: dict[str, dict[str, Cell]] = {}
    problems = []
    for place, name in enumerate(mapped.header, 1):
        if name.casefold() in apart:
            continue
        where = f"{mapped.table.where}, column {name or place}"
        if not name:
            if any(text(cells[place - 1]) for cells in mapped.table.rows if place <= len(cells)):
                problems.append(Problem(where, "a column without a name", "a name, or an empty column"))
            continue
        answers = column_map.pattern.cut(name) if column_map.pattern is not None else []
        if len(answers) > 1 and name.casefold() not in own:
            ways = " and ".join(str(answer) for answer in answers)
            remedy = f"Describe it under columns in {column_map.label}."
            problems.append(Problem(where, f"a name that can be cut in two ways: {ways}", "one way", remedy))
        elif answers or name.casefold() in own:
            described[name] = {**column_map.constants, **(answers or [{}])[0], **own.get(name.casefold(), {})}
        else:
            known = [*([] if column_map.pattern is None else [column_map.pattern.text]), *column_map.by_column]
            remedy = suggest(name, column_map.by_column) or "What is no curve stands under ignore."
            expected = f"a column that {column_map.label} describes ({', '.join(known[:3])}{', …' * (len(known) > 3)})"
            problems.append(Problem(where, repr(name), expected, remedy))
    if problems:
        raise DamagedFile(problems)
    return described


def _of_column(column_map: ColumnMap, name: str, values: Mapping[str, Cell]) -> Stated:
    def place(field: str) -> str:
        inside = field in column_map.by_column.get(name, {})
        return f"{column_map.label}, columns.{name}.{field}" if inside else f"column {name}, {field}"

    return Stated(values, ".", place)


# -- one row per curve ------------------------------------------------------------------------------------------------


def _row_per_well(mapped: MappedTable, column_map: ColumnMap) -> Curves:
    table, rows = mapped.table, mapped.rows
    columns = dict(_cycle_columns(mapped, column_map))
    mapped.refuse_twice(columns.values())
    problems: list[Problem] = []
    signal = [table.numbers(name, rows, problems) for name in columns.values()]
    if problems:
        raise _no_numbers(problems, column_map)
    stated = [_of_row(table, column_map, row) for row in rows]
    return Curves(stated, np.array(list(columns), dtype=np.float64), np.stack(signal, axis=1))


def _cycle_columns(mapped: MappedTable, column_map: ColumnMap) -> Iterator[tuple[int, str]]:
    """Number and column of each cycle, rising."""
    assert column_map.cycles is not None
    fields = {name.casefold() for name in column_map.columns_of.values()}
    found = [
        (int(answers[0]["cycle"]), name)
        for name in mapped.header
        if name.casefold() not in fields and (answers := column_map.cycles.cut(name))
    ]
    lowest = column_map.first_cycle if column_map.first_cycle is not None else min(found, default=(0, ""))[0]
    highest = column_map.last_cycle if column_map.last_cycle is not None else max(found, default=(0, ""))[0]
    chosen = sorted((cycle, name) for cycle, name in found if lowest <= cycle <= highest)
    numbers = [cycle for cycle, _ in chosen]
    problem = problem_of_cycles([float(number) for number in numbers])
    lacking = sorted({*range(lowest, highest + 1)} - {*numbers}) if not problem else []
    if problem or lacking or not chosen:
        missing = f"no column of cycle {lacking[0]}" if lacking else "no column of a cycle"
        expected = f"one column named {column_map.cycles.text} for each cycle"
        raise DamagedFile(Problem(mapped.table.where, problem or missing, expected))
    return iter(chosen)


def _of_row(table: SheetTable, column_map: ColumnMap, row: int) -> Stated:
    """What a row says of its curve; what the map says for all stands behind it."""
    cells = table.rows[row]
    values: dict[str, Cell] = dict(column_map.constants)
    for name, column in column_map.columns_of.items():
        place = table.columns[column.casefold()]
        values[name] = cells[place] if place < len(cells) else ""

    def place_of(field: str) -> str:
        column = column_map.columns_of.get(field)
        return f"{column_map.label}, fields.{field}" if column is None else table.place(row, column)

    return Stated(values, table.sheet.decimal, place_of)
