"""Where the table of a column map stands in its file: which sheet, which header, which decimal mark."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bcrabl.column_map import ColumnMap
from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.grid import Sheet, SheetTable, decimal_mark, text
from bcrabl.formats.parquet import is_parquet, read_parquet
from bcrabl.schemas import suggest

if TYPE_CHECKING:
    from bcrabl.formats.grid import Cell
    from bcrabl.formats.source import RawFile

__all__ = ["MappedTable", "mapped_table"]

_HEADER_WITHIN = 500  # rows
_MOST = 8 * 1024 * 1024  # bytes of text; 384 wells of two targets and 50 cycles in single readings take 4 million
_NUMERIC = ("cycle", "fluorescence", "passive_reference", "quantity", "threshold", "baseline_start", "baseline_end")
_THREE_DIGITS = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")  # 100.000 may be a hundred or a hundred thousand
_DECIMALS = re.compile(r"\d*[.,](?:\d{1,2}|\d{4,})|0*[.,]\d+|\d{4,}[.,]\d+|\d{1,3}(?:[.,]\d{3})+[.,]\d+")


class MappedTable:
    """The table that a column map describes.

    Parameters
    ----------
    table : its columns by name and its rows.
    header : the names as they are written, in their order.
    rows : numbers of the rows that are not blank, from 0 below the header.
    """

    def __init__(self, table: SheetTable, header: Sequence[str], rows: Sequence[int]) -> None:
        self.table = table
        self.header = tuple(header)
        self.rows = rows
        self._times = Counter(name.casefold() for name in header)

    def refuse_twice(self, names: Iterable[str]) -> None:
        """Raise where a column that is read has a namesake: the second would be lost.

        Raises
        ------
        DamagedFile : some has.
        """
        twice = [name for name in names if self._times[name.casefold()] > 1]
        if twice:
            raise DamagedFile(
                Problem(f"{self.table.where}, column {name}", "a name that two columns have", "each name once")
                for name in dict.fromkeys(twice)
            )


def mapped_table(source: RawFile, column_map: ColumnMap) -> MappedTable:
    """The table of a file, found by what its column map says.

    Raises
    ------
    DamagedFile : it is not there, lacks a column, or does not show how its numbers are spelled.
    """
    sheet = _sheet(source, column_map)
    number = _header_row(sheet, column_map)
    header = [text(cell) for cell in sheet.rows[number]]
    columns = sheet.table_at(number).columns
    last = len(sheet.rows) if column_map.last_row is None else column_map.last_row
    rows = sheet.rows[number + 1 : last]
    numeric = _numeric_columns(header, column_map)
    rows = _without_missing(rows, numeric, column_map.missing)
    table = SheetTable(
        _marked(sheet, rows, [*numeric, *_cq_columns(header, column_map)], column_map), columns, rows, number + 2
    )
    table.refuse_beyond_header()
    _refuse_ambiguous_quantities(table, column_map)
    found = MappedTable(table, header, [row for row, cells in enumerate(rows) if any(text(cell) for cell in cells)])
    found.refuse_twice(column_map.columns_of.values())
    return found


def _sheet(source: RawFile, column_map: ColumnMap) -> Sheet:
    if is_parquet(source.plain):
        return read_parquet(source.plain, source.path).sheet(source.path)
    if source.workbook is not None:
        return _sheet_of_workbook(source, column_map)
    if source.text is None:
        found = source.impression
        raise DamagedFile(Problem(source.path, found, "a table: csv, tsv, txt, xlsx, xls or Parquet"))
    return source.rows(column_map.delimiter, _MOST)


def _sheet_of_workbook(source: RawFile, column_map: ColumnMap) -> Sheet:
    assert source.workbook is not None
    names = source.workbook.sheet_names
    wanted = column_map.sheet or (names[0] if len(names) == 1 else None)
    sheet = None if wanted is None else source.workbook.sheet(wanted)
    if sheet is None:
        found = f"{len(names)} sheets" if wanted is None else f"no sheet {wanted!r}"
        where = f"{column_map.label}, table.sheet"
        remedy = suggest(wanted, names) if wanted else "Name it in the column map."
        raise DamagedFile(Problem(where, found, f"one of {', '.join(names)}", remedy))
    return sheet


def _header_row(sheet: Sheet, column_map: ColumnMap) -> int:
    """Number of the header row, from 0; every column that the map names is in it."""
    wanted = _wanted(column_map)
    candidates = range(min(len(sheet.rows), _HEADER_WITHIN))
    if column_map.header_row is not None:
        candidates = range(column_map.header_row - 1, min(column_map.header_row, len(sheet.rows)))
    names = {number: {text(cell).casefold() for cell in sheet.rows[number]} - {""} for number in candidates}
    filled = [number for number in candidates if names[number]]
    if not filled:
        raise DamagedFile(Problem(sheet.where, "no header row", f"one with {', '.join(wanted) or 'column names'}"))
    best = max(filled, key=lambda number: sum(name.casefold() in names[number] for name in wanted))
    lacking = [name for name in wanted if name.casefold() not in names[best]]
    if lacking:
        header = [name for cell in sheet.rows[best] if (name := text(cell))]
        raise DamagedFile(
            Problem(
                f"{sheet.where}, {sheet.row_word} {best + 1}",
                f"no column {name!r}",
                f"the columns that {column_map.label} names",
                suggest(name, header),
            )
            for name in lacking
        )
    return best


def _wanted(column_map: ColumnMap) -> list[str]:
    names = [*column_map.columns_of.values(), *column_map.by_column]
    if column_map.cycles is not None:
        names += [
            column_map.cycles.spelled(cycle)
            for cycle in (column_map.first_cycle, column_map.last_cycle)
            if cycle is not None
        ]
    return list(dict.fromkeys(names))


def _numeric_columns(header: Sequence[str], column_map: ColumnMap) -> list[int]:
    """Places of the columns that hold numbers."""
    named = {column.casefold() for name, column in column_map.columns_of.items() if name in _NUMERIC}
    if column_map.layout == "column_per_well":
        ignored = {name.casefold() for name in column_map.ignore}
        return [place for place, name in enumerate(header) if name and name.casefold() not in ignored]
    cycles = column_map.cycles
    return [
        place
        for place, name in enumerate(header)
        if name.casefold() in named or (cycles is not None and cycles.cut(name))
    ]


def _cq_columns(header: Sequence[str], column_map: ColumnMap) -> list[int]:
    """Place of the column of Cq, which holds numbers and words."""
    name = column_map.columns_of.get("cq")
    return [place for place, own in enumerate(header) if name is not None and own.casefold() == name.casefold()]


def _without_missing(rows: list[list[Cell]], numeric: Sequence[int], missing: frozenset[str]) -> list[list[Cell]]:
    """The rows, with what stands for a missing reading taken out of the columns of numbers."""
    cleaned = []
    for cells in rows:
        gaps = [
            place
            for place in numeric
            if place < len(cells) and type(cells[place]) is str and cells[place].strip().casefold() in missing
        ]
        cleaned.append(["" if place in gaps else cell for place, cell in enumerate(cells)] if gaps else cells)
    return cleaned


def _marked(sheet: Sheet, rows: list[list[Cell]], numeric: Sequence[int], column_map: ColumnMap) -> Sheet:
    """The sheet with the decimal mark of its numbers."""
    cells = (row[place] for row in rows for place in numeric if place < len(row))
    mark = column_map.decimal or decimal_mark(cells)
    if not mark:
        found = "numbers such as 1,234 whose comma may part decimals or thousands"
        raise DamagedFile(Problem(sheet.where, found, "a stated decimal mark", _remedy(column_map)))
    return Sheet(sheet.where, sheet.rows, sheet.row_word, mark)


def _remedy(column_map: ColumnMap) -> str:
    return f"Say in {column_map.label}: table: {{decimal: comma}} or {{decimal: point}}."


def _refuse_ambiguous_quantities(table: SheetTable, column_map: ColumnMap) -> None:
    """Quantities are often entered with thousands parted, whatever the mark of the readings beside them."""
    name = column_map.columns_of.get("quantity")
    if name is None or column_map.decimal is not None or len(table.sheet.decimal) > 1:
        return
    spelled = dict.fromkeys(cell.strip() for cell in table.cells(name) if type(cell) is str)
    unclear = next((cell for cell in spelled if _THREE_DIGITS.fullmatch(cell)), None)
    if unclear is not None and not any(_DECIMALS.fullmatch(cell) for cell in spelled):
        found = f"quantities such as {unclear}, which may have decimals or thousands"
        where = f"{table.where}, column {name}"
        raise DamagedFile(Problem(where, found, "a stated decimal mark", _remedy(column_map)))
