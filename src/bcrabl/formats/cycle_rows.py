"""Curves in a table of one row per cycle and one column per curve, as several instruments export them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import left_out, problem_of_cycles
from bcrabl.formats.grid import Cell, Sheet, text
from bcrabl.formats.numerals import finite_or_none, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["curves_below", "filled", "with_readings"]

_LEAST_CYCLES = 2


def filled(row: Sequence[Cell]) -> list[str]:
    """The cells of a row as text, without the empty ones at its end."""
    cells = [text(cell) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def with_readings(fluorescence: NDArray[np.float64], names: Sequence[str], warnings: list[str]) -> list[int]:
    """Places of the curves that have readings; the others are left out and named in `warnings`.

    Parameters
    ----------
    fluorescence : (n, m) array, a.u.
    names : what the warning calls each of the n curves.
    """
    measured: list[bool] = [bool(curve.any()) for curve in np.isfinite(fluorescence)]
    if lost := [name for name, has in zip(names, measured, strict=True) if not has]:
        warnings.append(left_out(lost))
    return [place for place, has in enumerate(measured) if has]


def curves_below(
    sheet: Sheet, first: int, width: int, ends: Callable[[str], bool] = lambda _: False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curves in the rows from `first` on: the number of the cycle, then a value of each curve.

    Blank rows are skipped.

    Parameters
    ----------
    first : row, counted from 0.
    width : curves.
    ends : whether a row with this first cell stands below the table.

    Returns
    -------
    cycles : (m,) array, rising.
    fluorescence : (width, m) array, a.u., NaN for empty cells.

    Raises
    ------
    DamagedFile : a cell holds no number, a cycle is missing, repeated or out of order, or there are more values than
        curves.
    """
    rows = _rows(sheet, first, ends)
    problems: list[Problem] = []
    cycles = [_cycle(sheet, number, cells, problems) for number, cells in rows]
    values = [_values(sheet, number, cells[1:], width, problems) for number, cells in rows]
    if not problems:
        problems += _problems_of_axis(sheet, first, cycles)
    if problems:
        raise DamagedFile(problems)
    return np.array(cycles, dtype=np.float64), np.array(values, dtype=np.float64).T


def _rows(sheet: Sheet, first: int, ends: Callable[[str], bool]) -> list[tuple[int, list[str]]]:
    """Number and cells of each row of the table."""
    found = []
    for number in range(first, len(sheet.rows)):
        cells = filled(sheet.rows[number])
        if cells and ends(cells[0]):
            _refuse_readings_after(sheet, number)
            break
        if cells:
            found.append((number, cells))
    return found


def _refuse_readings_after(sheet: Sheet, end: int) -> None:
    """A row that looks like an end but has readings right below it is a cycle whose number is damaged."""
    below = next((cells for row in sheet.rows[end + 1 :] if (cells := filled(row))), [""])
    if finite_or_none(below[0], sheet.decimal) is not None:
        found = f"{text(sheet.rows[end][0])!r} between readings"
        raise DamagedFile(Problem(_place(sheet, end, 0), found, "the number of a cycle", "Correct the cell."))


def _cycle(sheet: Sheet, row: int, cells: Sequence[str], problems: list[Problem]) -> float:
    value = finite_or_none(cells[0], sheet.decimal)
    if value is None:
        found = repr(cells[0]) if cells[0] else "readings of no cycle"
        problems.append(Problem(_place(sheet, row, 0), found, "the number of a cycle", "Correct the cell."))
        return np.nan
    return value


def _values(sheet: Sheet, row: int, cells: list[str], width: int, problems: list[Problem]) -> list[float]:
    if len(cells) > width:
        found = f"{len(cells)} values"
        problems.append(Problem(_place(sheet, row, width + 1), found, f"{width}, one for each curve"))
        return [np.nan] * width
    padded = cells + [""] * (width - len(cells))
    plain = numbers(padded, sheet.decimal or ".")
    if plain is not None and not any(value != value for value in plain):
        return plain
    return [_value(sheet, row, column, cell, problems) for column, cell in enumerate(padded, 1)]


def _value(sheet: Sheet, row: int, column: int, cell: str, problems: list[Problem]) -> float:
    if not cell:
        return np.nan
    value = finite_or_none(cell, sheet.decimal)
    if value is None:
        problems.append(Problem(_place(sheet, row, column), repr(cell), "a number", "Correct the cell."))
        return np.nan
    return value


def _problems_of_axis(sheet: Sheet, first: int, cycles: list[float]) -> list[Problem]:
    if len(cycles) < _LEAST_CYCLES:
        return [Problem(_place(sheet, first, 0), f"{len(cycles)} cycles", "readings in consecutive cycles")]
    found = problem_of_cycles(cycles)
    if found is None and any(later - earlier != 1 for earlier, later in pairwise(cycles)):
        found = "cycles that do not follow each other"
    return [] if found is None else [Problem(_place(sheet, first, 0), found, "cycles 1, 2, 3, …")]


def _place(sheet: Sheet, row: int, column: int) -> str:
    return f"{sheet.where}, {sheet.row_word} {row + 1}, column {column + 1}"
