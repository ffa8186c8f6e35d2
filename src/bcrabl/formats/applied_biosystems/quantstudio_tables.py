"""Tables of Applied Biosystems exports, their columns asked for by meaning: what two generations of software call
`Target Name` and `Target`, `CT`, `Cт`, `CRT` and `Cq`, is one column here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from bcrabl.errors import Problem
from bcrabl.formats.grid import Sheet, SheetTable, decimal_mark, text
from bcrabl.formats.wells import normal_hole, normal_well, well_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bcrabl.formats.source import Sheets

__all__ = ["Book", "Table"]

# The sign of the old software's Cт is the Cyrillic т (U+0442), its Δ the Greek letter or the increment sign
_NAMES: Mapping[str, tuple[str, ...]] = {
    "well": ("Well",),
    "position": ("Well Position",),
    "target": ("Target", "Target Name"),
    "sample": ("Sample", "Sample Name"),
    "task": ("Task",),
    "dye": ("Reporter",),
    "omit": ("Omit",),
    "cq": ("Cq", "CT", "CRT", "C\u0442", "Cr\u0442"),
    "threshold": ("Threshold", "Ct Threshold", "Crt Threshold", "C\u0442 Threshold", "Cq Threshold"),
    "baseline start": ("Baseline Start",),
    "baseline end": ("Baseline End",),
    "status": ("Amp Status",),
    "call": ("Call",),
    "quantity": ("Quantity",),
    "cycle": ("Cycle Number", "Cycle"),
    "stage": ("Stage Number",),
    "step": ("Step Number",),
    "rn": ("Rn",),
    "delta rn": ("dRn", "Delta Rn", "\u0394Rn", "\u2206Rn"),
    "r": ("R",),
    "delta r": ("dR", "Delta R", "\u0394R", "\u2206R"),
}
# Columns whose points and commas say nothing of the decimal mark
_WORDS = re.compile(
    r"well.*|target.*|sample.*|biogroup.*|task|reporter|quencher|omit|comments?|custom.*|.*colou?r|amp status|call|"
    r".*group.*|.*issue.*|quality.*|automatic.*|auto .*|crt?\u0442 flag|dye"
)
_HEADER_WITHIN = 500  # rows of three cells or more; the longest preamble met has 46
_ROWS_FOR_DECIMAL_MARK = 5000
_BLOCK = re.compile(r"(?<!\d)(48|96|384)(?!\d)")
_COLUMNS_OF_BLOCK = {"48": 8, "96": 12, "384": 24}
_NUMBER = re.compile(r"([1-9]\d{0,3})(?:[.,]0+)?", re.ASCII)


@dataclass(frozen=True)
class Table:
    """A table whose columns are asked for by their meaning (a key of `_NAMES`)."""

    cells: SheetTable

    @property
    def where(self) -> str:
        """What error texts call the sheet."""
        return self.cells.where

    @property
    def stated(self) -> dict[str, str]:
        """Key and value of the rows above the header."""
        return self.cells.stated

    @property
    def decimal(self) -> str:
        """The decimal mark of numbers in text cells; empty where they do not show it."""
        return self.cells.sheet.decimal

    def name(self, meaning: str) -> str:
        """What the table calls the column; the newest name where it has none."""
        return self.cells.named(*_NAMES[meaning]) or _NAMES[meaning][0]

    def has(self, *meanings: str) -> bool:
        """Whether there are such columns."""
        return all(self.cells.named(*_NAMES[meaning]) for meaning in meanings)

    def texts(self, meaning: str) -> list[str]:
        """The cells of a column as text; empty texts where there is no such column."""
        return self.cells.texts(self.name(meaning))

    def numbers(self, meaning: str, rows: Sequence[int], problems: list[Problem]) -> NDArray[np.float64]:
        """(k,) array of the numbers in some rows of a column; NaN for empty cells."""
        return self.cells.numbers(self.name(meaning), rows, problems)

    def place(self, row: int, meaning: str) -> str:
        """Where a cell stands, in words; `row` counts from 0 below the header."""
        return self.cells.place(row, self.name(meaning))


class Book:
    """The sheets of an export, with their tables and the names of their wells.

    Parameters
    ----------
    sheets : the workbook or the sections of a text.
    """

    def __init__(self, sheets: Sheets) -> None:
        self._sheets = sheets
        self._tables: dict[str, Table | None] = {}
        self._position_of_number: dict[str, str | None] = {}

    def table(self, names: Sequence[str], *meanings: str) -> Table | None:
        """The table on the first of these sheets that there is, or None where it lacks one of these columns."""
        name = next((name for name in names if name in self._sheets.sheet_names), None)
        if name is None:
            return None
        if name not in self._tables:
            self._tables[name] = self._found(name)
        table = self._tables[name]
        return table if table is not None and table.has(*meanings) else None

    def _found(self, name: str) -> Table | None:
        table = self._cells(name)
        if table is None:
            return None
        mark = _mark(table)
        if mark == "":  # these numbers may be read either way; the other tables say how
            others = (self._cells(other) for other in self._sheets.sheet_names if other != name)
            mark = next(filter(None, (_mark(other) for other in others if other is not None)), "")
        return Table(replace(table, sheet=replace(table.sheet, stated_mark="." if mark is None else mark)))

    def _cells(self, name: str) -> SheetTable | None:
        sheet = self._sheets.sheet(name)
        header = None if sheet is None else _header_row(sheet)
        return None if sheet is None or header is None else sheet.table_at(header)

    def learn_positions(self, *tables: Table | None) -> None:
        """Remember which number stands for which position, for tables that name wells by number only."""
        for table in tables:
            if table is None or not table.has("well", "position"):
                continue
            for number, position in zip(table.texts("well"), table.texts("position"), strict=True):
                well, digits = _name(position), _NUMBER.fullmatch(number)
                if well and digits and self._position_of_number.setdefault(digits[1], well) != well:
                    self._position_of_number[digits[1]] = None  # stands for two: of no use, and an error where needed

    def wells(self, table: Table, needed: Sequence[str], problems: list[Problem]) -> dict[int, str]:
        """The well of each row that holds data; `needed` are cells that data rows fill and footers do not."""
        meaning = "position" if table.has("position") else "well"
        known: dict[str, str | None] = {}
        wells = {}
        for row, (cell, filled) in enumerate(zip(table.texts(meaning), needed, strict=True)):
            if not filled:
                continue
            if cell not in known:
                known[cell] = self._well(cell, table)
            well = known[cell]
            if well is None:
                problems.append(Problem(table.place(row, meaning), repr(cell), "a well such as A1"))
            else:
                wells[row] = well
        return wells

    def _well(self, cell: str, table: Table) -> str | None:
        """The well that a cell names by position, or by number."""
        digits = _NUMBER.fullmatch(cell)
        if digits is None:
            return _name(cell)
        if digits[1] in self._position_of_number:
            return self._position_of_number[digits[1]]
        block = _BLOCK.search(table.stated.get("Block Type", ""))
        if block is None or int(digits[1]) > int(block[1]):
            return None
        return well_at(int(digits[1]), _COLUMNS_OF_BLOCK[block[1]])


def _name(cell: str) -> str | None:
    return normal_well(cell) or normal_hole(cell)


def _header_row(sheet: Sheet) -> int | None:
    """The first row that begins a table of wells, counted from 0."""
    seen = 0
    for number, row in enumerate(sheet.rows):
        if len(row) < 3:
            continue
        names = {text(cell).casefold() for cell in row} - {""}
        if "well" in names and len(names) > 2:
            return number
        seen += 1
        if seen > _HEADER_WITHIN:
            break
    return None


def _mark(table: SheetTable) -> str | None:
    """The decimal mark in the columns of numbers; empty where commas may be either, None where there is none."""
    columns = [place for name, place in table.columns.items() if not _WORDS.fullmatch(name)]
    rows: Iterable[list[object]] = chain(table.rows[:_ROWS_FOR_DECIMAL_MARK], table.rows[-10:])
    cells = (row[place] for row in rows for place in columns if place < len(row))
    telling = [cell for cell in cells if type(cell) is str and ("," in cell or "." in cell)]
    return decimal_mark(telling) if telling else None
