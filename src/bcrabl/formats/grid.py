"""Rows of cells from a workbook or a delimited text, and the tables in them, found by the names in their header row.

The same layouts come as xlsx, xls and text; below this line nobody needs to know which.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.numerals import finite_or_none, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Cell", "Sheet", "SheetTable", "decimal_mark", "delimited", "delimiter_of", "text"]

Cell = Any
"""What a cell holds: str (empty for no cell), float, bool, or a date or time."""

_BLANK = ("", "-")
_ROWS_FOR_DECIMAL_MARK = 5000
_HEAD = 20_000  # characters that show what separates the cells
_HEADER_WITHIN = 500  # rows; the longest preamble met has 46
# 1,234 and 12.345 may be thousands or decimals and prove nothing; 0,123, 1,5 and 1,234.5 do
_DECIMAL = (
    r"[+-]?(?:0|\d{4,})?%s\d+(?:[eE][+-]?\d+)?"
    r"|[+-]?\d{1,3}%s(?:\d{1,2}|\d{4,})(?:[eE][+-]?\d+)?"
    r"|\d{1,3}(?:%s\d{3})+%s\d+"
)
_COMMA = re.compile(_DECIMAL % (",", ",", r"\.", ","))
_POINT = re.compile(_DECIMAL % (r"\.", r"\.", ",", r"\."))
_GROUP_OR_DECIMAL = re.compile(r"[+-]?\d{1,3},\d{3}")
_GROUPED = {
    ".": re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+\.\d*|[+-]?[1-9]\d{0,2}(?:,\d{3}){2,}"),
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+,\d*|[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}"),
}
_OTHER_MARK = {".": ",", ",": "."}
_MOST_BEYOND = 20  # rows that an error names


def delimiter_of(lines: Sequence[str]) -> str:
    """What separates the cells of delimited text: what most lines hold, tab before semicolon before comma.

    A first line `sep=;`, as spreadsheets write it, decides.
    """
    filled = [line for line in lines if line.strip()]
    if filled and (stated := re.fullmatch(r'"?sep=([\t;,|])"?\s*', filled[0], re.IGNORECASE)):
        return stated.group(1)
    share = {mark: sum(mark in line for line in filled) / max(len(filled), 1) for mark in "\t;,"}
    most = max(share.values())
    return next(mark for mark, lines_with in share.items() if lines_with >= 0.5 or lines_with == most)


def delimited(
    where: str, content: str, delimiter: str | None = None, decimal: str | None = None, *, whole: bool = True
) -> Sheet:
    """A delimited text as a sheet.

    Parameters
    ----------
    where : what error texts call it.
    content : the text; any line ends.
    delimiter : what separates cells; None finds out.
    decimal : the decimal mark; None finds out when a number is first asked for.
    whole : the text is not cut off, so that a quoted cell that never ends is an error.

    Raises
    ------
    DamagedFile : a quoted cell never ends.
    """
    mark = delimiter or delimiter_of(_lines(content[:_HEAD]))
    if '"' not in content:
        rows: list[list[Cell]] = [line.split(mark) for line in _lines(content)]
    else:
        try:
            rows = list(csv.reader(io.StringIO(content, newline=""), delimiter=mark, strict=whole))
        except csv.Error as error:
            found = f"text that cannot be cut into cells ({error})"
            raise DamagedFile(
                Problem(where, found, f"cells separated by {mark!r}", "Export the file again.")
            ) from error
    while rows and not any(rows[-1]):
        rows.pop()
    return Sheet(where, rows, "line", decimal)


def _lines(content: str) -> list[str]:
    return content.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def decimal_mark(cells: Iterable[Cell]) -> str:
    """The decimal mark of numbers spelled in cells: comma where some can only be read with one and none with a point.

    The other mark follows it where some cell shows that it parts thousands (1,234.5). Empty where the only commas are
    such that may part thousands as well.
    """
    texts = [cell.strip() for cell in cells if type(cell) is str and ("," in cell or "." in cell)]
    if any(_POINT.fullmatch(cell) for cell in texts):
        return _with_thousands(".", texts)
    if any(_COMMA.fullmatch(cell) for cell in texts):
        return _with_thousands(",", texts)
    return "" if any(_GROUP_OR_DECIMAL.fullmatch(cell) for cell in texts) else "."


def _with_thousands(mark: str, texts: Iterable[str]) -> str:
    other = _OTHER_MARK[mark]
    return mark + other if any(other in cell and _GROUPED[mark].fullmatch(cell) for cell in texts) else mark


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook, a section of a text or a whole delimited text.

    Parameters
    ----------
    where : what error texts call it.
    rows : its rows; those of a text may differ in length.
    row_word : what error texts call a row.
    stated_mark : the decimal mark of numbers in text cells, as `decimal_mark` tells it; None finds out from the cells.
    """

    where: str
    rows: list[list[Cell]]
    row_word: str = "row"
    stated_mark: str | None = None

    @cached_property
    def decimal(self) -> str:
        """The decimal mark of numbers in text cells as `decimal_mark` tells it; empty where they do not show it."""
        if self.stated_mark is not None:
            return self.stated_mark
        return decimal_mark(chain.from_iterable(_some(self.rows)))

    def marked_by(self, cells: Iterable[Cell]) -> Sheet:
        """The sheet with the decimal mark that these cells show, where names elsewhere may look like numbers."""
        return replace(self, stated_mark=decimal_mark(cells))

    def table(self, *columns: str, after: int = 0) -> SheetTable | None:
        """The table under the first row, from row `after` (counted from 0) on, that names all these columns, or None.

        Blanks around names do not count, nor does their case.
        """
        wanted = {column.casefold() for column in columns}
        for number, row in enumerate(self.rows[after : after + _HEADER_WITHIN], after):
            if len(row) >= len(wanted) and wanted <= {text(cell).casefold() for cell in row}:
                return self.table_at(number)
        return None

    def table_at(self, number: int) -> SheetTable:
        """The table whose header is the row of this number, counted from 0; it reaches down to the end."""
        names = [text(cell).casefold() for cell in self.rows[number]]
        # The first column of a name counts where a name stands twice
        places = {name: column for column, name in reversed([*enumerate(names)]) if name}
        return SheetTable(self, places, self.rows[number + 1 :], number + 2)

    def stated(self, rows: int) -> dict[str, str]:
        """Key and value of each of the first rows; the first value counts where a key stands twice."""
        pairs = [(text(row[0]), text(row[1])) for row in self.rows[:rows] if len(row) > 1]
        return {key: value for key, value in reversed(pairs) if key}


@dataclass(frozen=True)
class SheetTable:
    """A table on a sheet; the names of its columns are asked for in any case.

    Parameters
    ----------
    sheet : where it stands.
    columns : place of each column by name, in lower case (`str.casefold`).
    rows : the rows under the header, down to the end of the sheet, footers included.
    first_row : number of the first of them, as a spreadsheet shows it.
    """

    sheet: Sheet
    columns: dict[str, int]
    rows: list[list[Cell]]
    first_row: int

    @property
    def where(self) -> str:
        """What error texts call the sheet."""
        return self.sheet.where

    @cached_property
    def stated(self) -> dict[str, str]:
        """Key and value of the rows above the header."""
        return self.sheet.stated(self.first_row - 2)

    def has(self, column: str) -> bool:
        """Whether there is such a column."""
        return column.casefold() in self.columns

    def named(self, *names: str) -> str | None:
        """The first of these names, in the order given, that a column has."""
        return next((name for name in names if self.has(name)), None)

    def first(self, rows: int) -> SheetTable:
        """The table with its first rows only."""
        return SheetTable(self.sheet, self.columns, self.rows[:rows], self.first_row)

    def marked_by(self, *columns: str | None) -> SheetTable:
        """The table with the decimal mark that these columns show; None and columns that are not there do not count."""
        places = [self.columns[name.casefold()] for name in columns if name is not None and self.has(name)]
        cells = (row[place] for row in _some(self.rows) for place in places if place < len(row))
        return replace(self, sheet=self.sheet.marked_by(cells))

    def refuse_beyond_header(self) -> None:
        """Raise where a row has cells right of the last name of the header.

        They come from decimal commas, or from names, that were cut at the separator of the cells: all that stands
        right of the cut is then under a wrong name.

        Raises
        ------
        DamagedFile : some row has.
        """
        header = self.sheet.rows[self.first_row - 2]
        width = max((place for place, cell in enumerate(header, 1) if text(cell)), default=0)
        beyond = (row for row, cells in enumerate(self.rows) if any(cells[width:]) and any(map(text, cells[width:])))
        problems = [
            Problem(
                f"{self.where}, {self.sheet.row_word} {self.first_row + row}",
                f"{len(self.rows[row])} cells, of which those behind cell {width} stand under no name",
                f"at most {width} cells, as the header has names",
                "Put numbers with a comma and names with a separator in quotes, or export with another separator.",
            )
            for row in islice(beyond, _MOST_BEYOND)
        ]
        if problems:
            raise DamagedFile(problems)

    def place(self, row: int, column: str) -> str:
        """Where a cell stands, in words; `row` counts from 0 below the header."""
        return f"{self.where}, {self.sheet.row_word} {self.first_row + row}, column {column}"

    def cells(self, column: str) -> list[Cell]:
        """The cells of a column; empty texts where there is no such column, or a row ends before it."""
        place = self.columns.get(column.casefold())
        if place is None:
            return [""] * len(self.rows)
        try:
            return [row[place] for row in self.rows]
        except IndexError:
            return [row[place] if place < len(row) else "" for row in self.rows]

    def texts(self, column: str) -> list[str]:
        """The cells of a column as text."""
        return [text(cell) for cell in self.cells(column)]

    def numbers(self, column: str, rows: Sequence[int], problems: list[Problem]) -> NDArray[np.float64]:
        """The numbers in some rows of a column; NaN for empty cells and `-`.

        Parameters
        ----------
        rows : k row indices from 0 below the header.
        problems : gains one entry for each cell that holds something else.

        Returns
        -------
        (k,) array.
        """
        cells = self.cells(column)
        chosen = [cells[row] for row in rows] if len(rows) < len(cells) else cells
        if all(type(cell) is float for cell in chosen):
            return np.array(chosen, dtype=np.float64)
        plain = numbers(chosen, self.sheet.decimal or ".") if all(type(cell) is str for cell in chosen) else None
        if plain is None or any(value != value for value in plain):
            plain = [self.number(row, column, problems) for row in rows]
        return np.array(plain, dtype=np.float64)

    def number(self, row: int, column: str, problems: list[Problem]) -> float:
        """The number in one cell; NaN where it is empty or `-`; anything else adds to `problems`."""
        place = self.columns.get(column.casefold())
        cell = "" if place is None or place >= len(self.rows[row]) else self.rows[row][place]
        stated = text(cell)
        if stated in _BLANK:
            return np.nan
        value = None if isinstance(cell, bool) else finite_or_none(stated, self.sheet.decimal)
        if value is None:
            problems.append(Problem(self.place(row, column), repr(stated), "a number", "Correct the cell."))
            return np.nan
        return value


def _some(rows: list[list[Cell]]) -> Iterable[list[Cell]]:
    """Enough rows to show the decimal mark."""
    return chain(rows[:_ROWS_FOR_DECIMAL_MARK], rows[-10:])


def text(cell: Cell) -> str:
    """A cell as text without surrounding blanks; whole numbers without a decimal point."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()
