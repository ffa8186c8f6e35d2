"""A tab-separated sheet, read as text and held against its JSON Schema, one line of the file at a time.

Nothing is guessed: 007, 1E05 and NA stay what they are; only a column whose schema says `type: number` becomes a
number. Lines that begin with '#' and blank lines are skipped, blanks around a value are dropped, an empty cell counts
as absent, and cells missing at the end of a row are empty (editors strip trailing tabs). A cell in double quotes is
read as spreadsheets write it. Every problem of a sheet is collected before any is raised, each with the file, the row
as an editor counts it, the column, what was found and what is allowed.
"""

from __future__ import annotations

import csv
import functools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bcrabl.errors import Problem, SheetError
from bcrabl.schemas import compile_schema, load_schema, read_text, suggest, words_for

__all__ = ["Line", "Sheet", "read_sheet"]

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LINE_END = re.compile(r"\r\n|\r|\n")  # str.splitlines would also cut at characters that may stand in a cell
_OTHER_SEPARATORS = {"comma": ",", "semicolon": ";", "blank": None}

Check = Callable[[str], "tuple[Any, tuple[str, str] | None]"]


@dataclass(frozen=True)
class Line:
    """One row of a sheet.

    Parameters
    ----------
    row : number of the line in the file, counted from 1.
    cells : value by column, of the cells that are filled and valid.
    unusable : columns whose cell is filled but not valid; rules across cells leave them alone.
    """

    row: int
    cells: dict[str, Any]
    unusable: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sheet:
    """A sheet as read: its name in messages, its rows, and what is wrong with single cells."""

    label: str
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]

    def place(self, line: Line, column: str) -> str:
        """Where a cell stands, in words."""
        return f"{self.label}, row {line.row}, column {column}"

    def repeated(self, columns: Sequence[str], *, fold: bool = False) -> Iterator[Problem]:
        """Rows whose values in `columns` already stand in an earlier row; with `fold` letter case does not count."""
        first: dict[tuple[str, ...], Line] = {}
        for line in self.lines:
            if not all(column in line.cells for column in columns):
                continue
            values = tuple(str(line.cells[column]) for column in columns)
            key = tuple(value.casefold() for value in values) if fold else values
            earlier = first.setdefault(key, line)
            if earlier is not line:
                found = f"{', '.join(map(repr, values))}, which row {earlier.row} holds already"
                expected = f"each {' and '.join(columns)} in one row only"
                yield Problem(self.place(line, columns[-1]), found, expected)

    def finish(self, further: Iterable[Problem]) -> None:
        """Raise everything found so far together with `further`, in the order of the rows; or nothing."""
        problems = [*self.problems, *further]
        if problems:
            raise SheetError(sorted(problems, key=_row_of))


def read_sheet(path: str | Path, schema_name: str, folder: str | Path | None = None) -> Sheet:
    """A sheet whose single cells have been checked.

    Parameters
    ----------
    path : TSV file, UTF-8, first line that is neither blank nor a comment = column names.
    schema_name : "runs" for runs.schema.yaml; its properties are the columns.
    folder : folder of the schemas; None = the project's own.

    Raises
    ------
    SheetError : the file is not such a sheet at all. Problems of single cells are left in `Sheet.problems`, so that
        the caller can add what only shows across rows and raise all of them at once.
    """
    schema = load_schema(schema_name, folder)
    label = str(path)
    rows, problems = _split_rows(label, read_text(path))
    if not rows:
        expected = f"a header with {', '.join(schema['required'])} and at least one row"
        raise SheetError([*problems, Problem(label, "no rows at all", expected)])
    header_row, header = rows[0]
    columns, wrong = _check_header(label, header_row, header, schema)
    problems += wrong
    checks = {name: _cell_check(schema, name) for name in columns if name in schema["properties"]}
    lines = []
    for row, cells in rows[1:]:
        line, wrong = _check_row(label, row, cells, columns, checks, schema["required"])
        lines.append(line)
        problems += wrong
    if not lines and not problems and not schema.get("x-may-be-empty"):
        problems.append(Problem(label, "a header and no rows below it", "at least one row"))
    return Sheet(label, tuple(lines), tuple(problems))


def _split_rows(label: str, text: str) -> tuple[list[tuple[int, list[str]]], list[Problem]]:
    rows, problems = [], []
    for row, line in enumerate(_LINE_END.split(text), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            rows.append((row, _split_cells(line)))
        except csv.Error as error:
            remedy = "Inside a quoted cell write a double quote twice; a cell ends on its own line."
            found = f"double quotes that do not match ({error})"
            problems.append(Problem(f"{label}, row {row}", found, "a quote closed in its cell", remedy))
    return rows, problems


def _split_cells(line: str) -> list[str]:
    if '"' not in line:
        return [cell.strip() for cell in line.split("\t")]
    # one line at a time: a quote that is never closed must not swallow the rows below it
    return [cell.strip() for cell in next(csv.reader([line], delimiter="\t", strict=True), [])]


# -- header -----------------------------------------------------------------------------------------------------------


def _check_header(
    label: str, row: int, header: list[str], schema: Mapping[str, Any]
) -> tuple[list[str], list[Problem]]:
    known = list(schema["properties"])
    _refuse_other_separators(label, row, header, known)
    columns = header[: max((i + 1 for i, name in enumerate(header) if name), default=0)]
    problems = []
    for position, name in enumerate(columns):
        where = f"{label}, row {row}, column {position + 1}"
        if not name:
            problems.append(Problem(where, "no name", f"one of {', '.join(known)}"))
        elif name not in known:
            problems.append(
                Problem(where, f"unknown column {name!r}", f"one of {', '.join(known)}", suggest(name, known))
            )
        elif name in columns[:position]:
            problems.append(Problem(where, f"column {name!r} a second time", "each column once"))
    missing = [name for name in schema["required"] if name not in columns]
    problems += [Problem(f"{label}, row {row}", f"no column {name}", f"the column {name}") for name in missing]
    return columns, problems


def _refuse_other_separators(label: str, row: int, header: list[str], known: list[str]) -> None:
    if len(header) != 1:
        return
    for name, separator in _OTHER_SEPARATORS.items():
        parts = [part.strip().strip('"') for part in header[0].split(separator)]
        if len(parts) > 1 and set(parts) & set(known):
            remedy = "Save the sheet as tab-separated text (.tsv)."
            raise SheetError(Problem(f"{label}, row {row}", f"{name}-separated columns", "tab-separated ones", remedy))


# -- cells ------------------------------------------------------------------------------------------------------------


def _check_row(
    label: str, row: int, cells: list[str], columns: list[str], checks: Mapping[str, Check], required: Sequence[str]
) -> tuple[Line, list[Problem]]:
    values: dict[str, Any] = {}
    unusable = set()
    problems = []
    if any(cells[len(columns) :]):
        found = f"{len(cells)} cells ({cells[-1]!r} is the last)"
        problems.append(Problem(f"{label}, row {row}", found, f"at most {len(columns)} cells, one per column"))
    for name, text in zip(columns, cells, strict=False):
        if not text or name not in checks:
            continue
        value, wrong = checks[name](text)
        if wrong:
            unusable.add(name)
            problems.append(Problem(f"{label}, row {row}, column {name}", repr(text), *wrong))
        else:
            values[name] = value
    for name in required:
        if name in checks and name not in values and name not in unusable:
            problems.append(Problem(f"{label}, row {row}, column {name}", "an empty cell", "a value"))
    return Line(row, values, frozenset(unusable)), problems


def _cell_check(schema: Mapping[str, Any], column: str) -> Check:
    """The check of one column: text -> (value, None) or (None, what is wrong); the same text is checked once."""
    own = _resolved(schema, column)
    numeric = own.pop("type") == "number"  # what is checked below is of its type already
    validator = compile_schema(own)

    @functools.cache
    def check(text: str) -> tuple[Any, tuple[str, str] | None]:
        value = _number(text) if numeric else text
        if value is None:
            return None, (f"a number, such as {own.get('examples', ['0.5'])[0]}", own.get("x-hint", ""))
        error = next(validator.iter_errors(value), None)
        return (value, None) if error is None else (None, words_for(error))

    return check


def _resolved(schema: Mapping[str, Any], column: str) -> dict[str, Any]:
    own = dict(schema["properties"][column])
    reference = own.pop("$ref", "").removeprefix("#/$defs/")
    return {**schema["$defs"][reference], **own} if reference else own


def _number(text: str) -> float | None:
    """The number, or None for anything that only looks like one (1,5 · 1_000 · nan · 1e999)."""
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else None


def _row_of(problem: Problem) -> int:
    places = re.findall(r", row ([0-9]+)", problem.where)
    return int(places[-1]) if places else 0
