"""The curves of a Bio-Rad CFX export: which fluor a table of amplification is of, and its RFU.

Symbols: n reactions, m cycles.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import Curve, problem_of_cycles
from bcrabl.formats.bio_rad.cfx_tables import Amplification, Tables
from bcrabl.formats.bio_rad.cfx_words import NO_NUMBER, fluor_named, fluor_told
from bcrabl.formats.grid import Cell, SheetTable, text
from bcrabl.formats.numerals import finite_or_none, numbers
from bcrabl.formats.wells import normal_well

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOST_PROBLEMS", "Key", "Reading", "fluor_of", "number_or_nan", "read_curves"]

Key = tuple[str, str]  # well and fluor, the latter in lower case
MOST_PROBLEMS = 100
_MOST_FLUORS = 50  # CFX has six channels
_MOST_NAMED = 5
_MOST_ROWS = 2000  # cycles
_REMEDY_FLUOR = (
    "Keep the file name that CFX gave (… Quantification Amplification Results_FAM.csv): the fluor stands there."
)


@dataclass
class Reading:
    """What has been read so far, and what was wrong with it.

    Parameters
    ----------
    curves : RFU by well and fluor.
    fluors : each fluor as the export spells it, by its spelling in lower case.
    nameless : reactions whose row in the table of Cq has no target.
    """

    path: str
    curves: dict[Key, Curve] = field(default_factory=dict)
    fluors: dict[str, str] = field(default_factory=dict)
    nameless: set[Key] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def last_cycle(self) -> float:
        """The last cycle of all curves; asked for when these have been read."""
        return max((axis[-1] for axis, _ in self.curves.values()), default=np.inf)

    def raise_problems(self) -> None:
        """Raise for all that is wrong so far."""
        if self.problems:
            raise DamagedFile(self.problems)


def read_curves(table: Amplification, fluor: str, reading: Reading) -> None:
    """Add the curves of one fluor; columns without any number are wells that were not measured."""
    if fluor.casefold() in reading.fluors:
        found = f"a second table of RFU of {fluor}"
        raise DamagedFile(
            Problem(table.sheet.where, found, "one for each fluor", "Keep each run in a folder of its own.")
        )
    reading.fluors[fluor.casefold()] = fluor
    rows = len(table.sheet.rows)
    if rows > _MOST_ROWS:
        found = f"a table of {rows} rows"
        raise DamagedFile(Problem(table.sheet.where, found, f"at most {_MOST_ROWS}", "Export the file again."))
    header = [text(cell) for cell in table.sheet.rows[table.header]]
    columns = [place for place, cell in enumerate(header) if place > 1 and cell]
    _refuse_nameless(table, header)
    wells = [normal_well(header[place]) or "" for place in columns]
    repeated = [well for well, times in Counter(wells).items() if times > 1]
    if repeated:
        found = f"more than one column of well {', '.join(repeated[:_MOST_NAMED])}"
        raise DamagedFile(Problem(table.sheet.where, found, "one column for each well"))
    cycles, signal = _matrix(table, columns, reading)
    for well, values in zip(wells, signal.T, strict=True):
        if np.isfinite(values).any():
            reading.curves[well, fluor.casefold()] = (cycles, values.tolist())


def _refuse_nameless(table: Amplification, header: Sequence[str]) -> None:
    """Raise where a column without the name of a well has readings."""
    nameless = [place for place, cell in enumerate(header) if place > 1 and not cell]
    below = table.sheet.rows[table.header + 1 :]
    problems = [
        Problem(f"{table.sheet.where}, column {place + 1}", "readings under no name", "the well in the header")
        for place in nameless
        if any(text(row[place]) for row in below if place < len(row))
    ]
    if problems:
        raise DamagedFile(problems[:MOST_PROBLEMS])


def _matrix(
    table: Amplification, columns: Sequence[int], reading: Reading
) -> tuple[tuple[float, ...], NDArray[np.float64]]:
    """Cycle numbers and (m, wells) RFU."""
    # CFX never parts thousands, so that a comma that may be either is a decimal comma
    decimal = table.sheet.decimal or ","
    width = len(table.sheet.rows[table.header])
    cycles, signal = [], []
    for number, row in enumerate(table.sheet.rows[table.header + 1 :], table.header + 2):
        if any(text(cell) for cell in row[1:]):
            place = f"{table.sheet.where}, {table.sheet.row_word} {number}"
            values = _numbers_of_row(row, [1, *columns], width, decimal, place, reading.problems)
            cycles.append(values[0])
            signal.append(values[1:])
            if len(reading.problems) > MOST_PROBLEMS:
                break
    reading.raise_problems()
    problem = problem_of_cycles(cycles) or ("no cycle at all" if not cycles else None)
    if problem is not None:
        raise DamagedFile(Problem(table.sheet.where, problem, "cycles 1, 2, 3, …", "Export the file again."))
    return tuple(cycles), np.array(signal, dtype=np.float64)


def _numbers_of_row(
    row: Sequence[Cell], columns: Sequence[int], width: int, decimal: str, place: str, problems: list[Problem]
) -> list[float]:
    """The numbers in some cells of a row, the first of them a cycle; NaN where a well has none."""
    # A row that ends early is that of a file that was cut; one that goes on has its commas in the numbers
    if len(row) <= columns[-1] or any(text(cell) for cell in row[width:]):
        found = f"a row of {len(row)} cells"
        problems.append(Problem(place, found, f"{columns[-1] + 1} cells", "Export or copy the file again."))
        return [np.nan] * len(columns)
    cells = [row[column] for column in columns]
    values: list[float] | None
    if all(type(cell) is float for cell in cells):
        values = cells
    else:
        values = numbers(cells, decimal) if all(type(cell) is str for cell in cells) else None
    if values is None:
        values = [number_or_nan(cell, decimal, place, problems) for cell in cells]
    if not np.isfinite(values[0]):
        problems.append(Problem(place, f"cycle {text(cells[0])!r}", "cycles 1, 2, 3, …", "Export the file again."))
    return values


def number_or_nan(cell: Cell, decimal: str, place: str, problems: list[Problem]) -> float:
    """The number in a cell; NaN where one of the software's words for "none" stands."""
    if type(cell) is float and np.isfinite(cell):
        return cell
    stated = text(cell)
    value = None if isinstance(cell, bool) else finite_or_none(stated, decimal)
    if value is not None:
        return value
    if stated.casefold() not in NO_NUMBER:
        problems.append(Problem(place, repr(stated), "a number", "Correct the cell."))
    return np.nan


def fluor_of(table: Amplification, tables: Tables) -> str:
    """The fluor of a table of amplification: from inside the file, else from its name, the only place it stands."""
    where = table.sheet.where
    if tables.cq is None:
        named = table.labels[0] if table.is_named and not _is_no_name(table.labels[0]) else None
        fluor = named or next(filter(None, map(fluor_named, table.labels)), None)
        if fluor is None:
            raise DamagedFile(Problem(where, "a table of RFU that names no fluor", "its fluor", _REMEDY_FLUOR))
        return fluor
    listed = _listed(tables.cq)
    told = next(filter(None, (fluor_told(label, listed) for label in table.labels)), None)
    if told is not None:
        return told
    other = next(filter(None, map(fluor_named, table.labels)), None)
    if len(listed) == 1 and (other is None or not _is_dye(other)):
        return next(iter(listed))
    found = f"RFU of {'a fluor that is not named' if other is None else repr(other)}"
    there = f"one of the fluors of the Cq results: {', '.join(listed) or 'there is none'}"
    raise DamagedFile(Problem(where, found, there, _REMEDY_FLUOR))


def _is_no_name(label: str) -> bool:
    """Whether it is what spreadsheets call a sheet of which they know nothing."""
    return re.fullmatch(r"(?:sheet|tabelle|feuil|hoja|foglio)? ?\d*", label, re.IGNORECASE) is not None


def _is_dye(name: str) -> bool:
    return fluor_named(name) == name


def _listed(cq: SheetTable) -> dict[str, set[str]]:
    """The targets of each fluor in the table of Cq."""
    listed: dict[str, set[str]] = {}
    for fluor, target in zip(cq.texts("Fluor"), cq.texts("Target"), strict=True):
        if fluor:
            listed.setdefault(fluor, set()).add(target)
    if len(listed) > _MOST_FLUORS:
        found = f"{len(listed)} different fluors"
        raise DamagedFile(
            Problem(f"{cq.where}, column Fluor", found, f"at most {_MOST_FLUORS}", "Export the file again.")
        )
    return listed
