"""The tables of a Bio-Rad CFX export, whatever holds them: csv files, sheets of workbooks or XML files.

"Export All Data Sheets" writes one table of amplification for each fluor (cycles down, wells across), one of Cq results
for the plate, and many that repeat or summarise these. Tables are known by their header rows; only the fluor of a csv
table stands nowhere but in the name of its file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.bio_rad.cfx_words import fluor_named
from bcrabl.formats.grid import Sheet, SheetTable, decimal_mark, delimited, text
from bcrabl.formats.source import RawFile, text_of
from bcrabl.formats.wells import normal_well
from bcrabl.formats.xmltree import parse

__all__ = [
    "EXPORT",
    "Amplification",
    "Tables",
    "file_label",
    "has_amplification",
    "has_cq",
    "has_xml_amplification",
    "tables_of",
]

EXPORT = (
    "In CFX Maestro or CFX Manager open the data file, choose Export > Export All Data Sheets > CSV, and keep all "
    "files of the run together under the names they were given."
)
_CYCLE_WORDS = {"cycle", "cycles", "zyklus", "cycle n°", "ciclo", "cykl", "cyklus", "цикл", "循环", "サイクル"}
_MOST_COLUMNS = 2000  # a plate has at most 1536 wells
_LONGEST_XML = 8_000_000  # bytes; 384 wells and 50 cycles take 1,000,000
_WITHIN = 30  # rows; what a user exports with settings above has 20
_CQ_NAMES = ("Cq", "C(t)", "Threshold Cycle (C(t))", "Ct")
_QUANTITY_NAMES = ("Starting Quantity (SQ)", "Starting Quantity", "SQ")
_RUN_INFORMATION = ("File Name", "Run Started", "Protocol File Name", "Plate Setup File Name", "Base Serial Number")
_SHEET_OF_RUN = "run information"
_SHEETS_OF_CQ = ("0", "quantification cq results", "cq results")
_MOST_SHEETS = 60
_IN_ZIPS = (".csv", ".txt", ".tsv", ".gz", ".xlsx", ".xls")
_ENDING = re.compile(r"(?:\.(?:csv|txt|tsv|xml|xlsx|xls|gz))+$", re.IGNORECASE)
_COPY = re.compile(r" ?\(\d+\)$")  # what a browser puts behind the name of a file it has seen before
_XML_ROWS = re.compile(r"\s*(?:<\?xml[^>]*\?>\s*)?<([\w.-]+)>\s*<Row>\s*<")
_XML_CYCLES = re.compile(
    r"\s*(?:<\?xml[^>]*\?>\s*)?<([\w.-]+)>\s*<Row>\s*<Cycle>\s*\d+\s*</Cycle>\s*<[A-Z]{1,2}\d+\s*/?>"
)
_HEADER = re.compile(r'\s*(?:"?"?([,;\t])"?(?:Well|Cycle)"?[,;\t]|"?Well"?([,;\t]))', re.IGNORECASE)
_XML_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True)
class Amplification:
    """RFU of one fluor.

    Parameters
    ----------
    sheet : where it stands.
    header : row of the header, counted from 0.
    labels : names that may tell its fluor, the closest first: that of the sheet, that of the file.
    is_named : whether the first label stands inside the file.
    """

    sheet: Sheet
    header: int
    labels: tuple[str, ...]
    is_named: bool


@dataclass(frozen=True)
class Tables:
    """What an export says.

    Parameters
    ----------
    amplification : one for each fluor.
    cq : the table of Cq results, or None.
    cq_column, quantity_column : what its columns of Cq and starting quantity are called.
    stated : what the table of run information says.
    """

    amplification: tuple[Amplification, ...]
    cq: SheetTable | None
    cq_column: str
    quantity_column: str
    stated: Mapping[str, str]


@dataclass(frozen=True)
class _Found:
    """A sheet, its name inside the file (empty for text), and the file."""

    sheet: Sheet
    name: str
    file: RawFile


def has_amplification(source: RawFile) -> bool:
    """Whether text or workbooks of the export hold a table of amplification."""
    return any(_amplification_header(found.sheet) is not None for found in _looked_at(source))


def has_cq(source: RawFile) -> bool:
    """Whether text or workbooks of the export hold a table of Cq."""
    return any(_cq_table(found.sheet) is not None for found in _looked_at(source))


def has_xml_amplification(source: RawFile) -> bool:
    """Whether an XML file of the export is a table of amplification."""
    return any(_XML_CYCLES.match(head) for head in _heads(source))


def _heads(source: RawFile) -> Iterator[str]:
    """The beginnings of the files of an export, of those in a zip without unpacking more."""
    if source.archive is None:
        yield from (file.head for file in source.tables)
    elif source.workbook is None:
        names = [name for name in source.archive.names if name.lower().endswith(".xml")]
        yield from (text_of(source.archive.head(name)) for name in names[:_MOST_SHEETS])


def tables_of(source: RawFile) -> Tables:
    """The tables of an export.

    Raises
    ------
    DamagedFile : there are several tables of Cq, or the files are of several runs.
    """
    sheets = [*map(_whole, _looked_at(source)), *_xml_sheets(source)]
    amplification = tuple(
        Amplification(found.sheet, header, _labels(found), is_named=bool(found.name))
        for found in sheets
        if (header := _amplification_header(found.sheet)) is not None
    )
    cq = _chosen_cq([table for found in sheets if (table := _cq_table(found.sheet)) is not None], source)
    stated = _run_information([found.sheet for found in sheets], source)
    if cq is None:
        return Tables(amplification, None, "", "", stated)
    cq_column = cq.named(*_CQ_NAMES) or ""
    quantity_column = cq.named(*_QUANTITY_NAMES) or ""
    return Tables(
        amplification, _with_decimal_mark(cq, (cq_column, quantity_column)), cq_column, quantity_column, stated
    )


def _looked_at(source: RawFile) -> Iterator[_Found]:
    """The sheets of text files and workbooks that may be of CFX; of a text its beginning."""
    for file in source.tables if _may_hold_tables(source) else ():
        if file.head.lstrip().startswith("<"):
            continue
        if (top := _top(file)) is not None:
            yield _Found(top, "", file)
        elif file.workbook is not None and _may_be_cfx(file.workbook.sheet_names):
            for name in file.workbook.sheet_names:
                if (sheet := file.workbook.sheet(name)) is not None:
                    yield _Found(sheet, name, file)


def _top(file: RawFile) -> Sheet | None:
    """The first rows of a text, cut as its header shows, though most lines may hold another mark in names."""
    separator = None if file.top is None else _separator(file)
    if file.top is None or separator is None or any(len(row) > 1 for row in file.top.rows[:1]):
        return file.top
    lines = (file.beginning or "").splitlines(keepends=True)
    return delimited(file.path, "".join(lines[:_WITHIN]), separator, whole=False)


def _separator(file: RawFile) -> str | None:
    """What stands between the cells of the header, where it is in the first line."""
    start = _HEADER.match((file.beginning or "")[:_WITHIN])
    return (start[1] or start[2]) if start else None


def _may_hold_tables(source: RawFile) -> bool:
    """Whether it is worth unpacking: zips of other instruments hold large XML and no such table."""
    if source.archive is None or source.workbook is not None:
        return True
    return any(name.lower().endswith(_IN_ZIPS) for name in source.archive.names)


def _whole(found: _Found) -> _Found:
    """The same with all rows, where it is the beginning of a text with curves or Cq."""
    of_interest = _amplification_header(found.sheet) is not None or _cq_table(found.sheet) is not None
    if found.name or not of_interest:
        return found
    return replace(found, sheet=found.file.rows(_separator(found.file)))


def _may_be_cfx(names: Sequence[str]) -> bool:
    """Whether sheets of these names are worth opening."""
    lowered = {name.strip().casefold() for name in names}
    wanted = {_SHEET_OF_RUN, *_SHEETS_OF_CQ}
    return len(names) <= _MOST_SHEETS and (bool(wanted & lowered) or any(fluor_named(name) for name in names))


def _amplification_header(sheet: Sheet) -> int | None:
    """The row of the header of a table of amplification (an empty cell, Cycle, wells), or None."""
    for number, row in enumerate(sheet.rows[:_WITHIN]):
        if 2 < len(row) <= _MOST_COLUMNS and text(row[1]).casefold() in _CYCLE_WORDS and not text(row[0]):
            named = [cell for cell in map(text, row[2:]) if cell]
            return number if named and all(normal_well(cell) for cell in named) else None
    return None


def _cq_table(sheet: Sheet) -> SheetTable | None:
    head = Sheet(
        sheet.where, [row if len(row) <= _MOST_COLUMNS else [] for row in sheet.rows[:_WITHIN]], sheet.row_word
    )
    for name in _CQ_NAMES:
        columns = ("Well", "Fluor", "Content", name)
        if head.table(*columns) is not None:
            return sheet.table(*columns)
    return None


def _chosen_cq(tables: list[SheetTable], source: RawFile) -> SheetTable | None:
    """The table of Cq results; the shorter summary, which calls its quantity SQ, only where there is no other."""
    full = [table for table in tables if table.has(_QUANTITY_NAMES[0])] or tables
    if len(full) > 1:
        places = ", ".join(table.where for table in full[:5])
        raise DamagedFile(
            Problem(source.path, f"{len(full)} tables of Cq results: {places}", "one", "Keep each run in a folder.")
        )
    return full[0] if full else None


def _with_decimal_mark(table: SheetTable, columns: Sequence[str]) -> SheetTable:
    """The table with the decimal mark that its numbers show; a name such as `0.5 ng` says nothing about it.

    CFX never parts thousands, so that a comma in a number is a decimal comma even where three digits follow.
    """
    cells = [cell for column in columns for cell in table.cells(column)]
    return replace(table, sheet=replace(table.sheet, stated_mark=decimal_mark(cells) or ","))


def _labels(found: _Found) -> tuple[str, ...]:
    stem = file_label(found.file.path)
    return (found.name.strip(), stem) if found.name else (stem,)


def file_label(path: str) -> str:
    """The name of a file without what says nothing of its content."""
    return _COPY.sub("", _ENDING.sub("", Path(path).name))


def _run_information(sheets: Sequence[Sheet], source: RawFile) -> dict[str, str]:
    """What tables of run information, or the rows above another table, say; all must speak of one run."""
    stated: dict[str, str] = {}
    for sheet in sheets:
        pairs = _pairs(sheet)
        if sum(key in pairs for key in _RUN_INFORMATION) < 2:
            continue
        name = stated.get("File Name", pairs.get("File Name"))
        if pairs.get("File Name", name) != name:
            found = f"tables of the runs {name!r} and {pairs['File Name']!r}"
            raise DamagedFile(Problem(source.path, found, "the tables of one run", "Keep each run in a folder."))
        stated = {**pairs, **stated}
    return stated


def _pairs(sheet: Sheet) -> dict[str, str]:
    """Key and value in the first rows, with or without an empty cell before them."""
    rows = ([text(cell) for cell in row[:4]] for row in sheet.rows[:_WITHIN])
    cut = [row[1:] if row and not row[0] else row for row in rows]
    return {row[0]: row[1] for row in reversed(cut) if len(row) > 1 and row[0]}


def _xml_sheets(source: RawFile) -> Iterator[_Found]:
    """XML files of the export as sheets: a root named after the table, rows, and cells named after their columns."""
    for file in source.tables:
        if (start := _XML_ROWS.match(file.head)) is not None:
            yield _Found(_sheet_of_xml(file), _plain_name(start.group(1)), file)


def _sheet_of_xml(file: RawFile) -> Sheet:
    """All rows must have the columns of the first, so that a lost element is noticed."""
    if len(file.plain) > _LONGEST_XML:
        size = f"a table of {len(file.plain)} bytes"
        raise DamagedFile(Problem(file.path, size, f"at most {_LONGEST_XML}", "Export the file again."))
    found = parse(file.plain, file.path).findall("Row")
    tags = [cell.tag for cell in found[0]]
    rows = []
    for number, row in enumerate(found, 1):
        if [cell.tag for cell in row] != tags:
            where = f"{file.path}, row {number}"
            raise DamagedFile(Problem(where, "other elements than in the first row", "the same elements in every row"))
        rows.append([cell.text or "" for cell in row])
    if tags[:2] == ["Column1", "Column2"]:
        return Sheet(file.path, rows)
    return Sheet(file.path, [["", *map(_plain_name, tags)], *(["", *row] for row in rows)])


def _plain_name(tag: str) -> str:
    """The name behind an XML tag: blanks are `_`, and what a tag cannot hold is spelled as `_x0028_`."""
    return _XML_ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), tag).replace("_", " ")
