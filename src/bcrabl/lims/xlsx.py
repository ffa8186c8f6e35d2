"""The report as a workbook: a sheet of results, texts as texts and numbers as numbers, and a sheet that explains it.

The library's own shortcuts (formulas, links, numbers in texts) are not used: each cell is written as what it is. The
same rows give the same bytes. The file is built in memory: it is small, and nothing about a patient passes through a
folder for temporary files, as it would in the library's constant-memory mode.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bcrabl.lims.rows import COLUMNS, Cell
from bcrabl.whole_files import replacing

__all__ = ["write_xlsx"]

_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # a fixed date; the library wants none with a zone
_FIRST_YEAR = 1900  # of the dates that a workbook can hold
_WIDTH = 18
_NOT_IN_XML = re.compile("[\ufffe\uffff]")


def write_xlsx(rows: Iterable[Mapping[str, Cell]], path: str | Path) -> None:
    """Write the workbook, whole or not at all.

    Parameters
    ----------
    rows : of `bcrabl.lims.rows.reported_rows`.
    """
    content = _workbook(rows)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _workbook(rows: Iterable[Mapping[str, Cell]]) -> bytes:
    from xlsxwriter import Workbook

    from bcrabl.formats.applied_biosystems.exact_worksheet import ExactWorksheet

    content = io.BytesIO()
    book = Workbook(content, {"in_memory": True})
    book.set_properties({"created": _CREATED, "title": "BCR::ABL1 results"})
    styles = {name: book.add_format(what) for name, what in _STYLES.items()}
    results = book.add_worksheet("Results", ExactWorksheet)
    _fill(results, [[column.heading for column in COLUMNS]], styles, 0, heading=True)
    _fill(results, ([row[column.name] for column in COLUMNS] for row in rows), styles, 1)
    results.set_column(0, len(COLUMNS) - 1, _WIDTH)
    results.freeze_panes(1, 0)
    meanings = book.add_worksheet("Columns", ExactWorksheet)
    _fill(meanings, [["Column", "Meaning"]], styles, 0, heading=True)
    _fill(meanings, ([column.heading, column.meaning] for column in COLUMNS), styles, 1)
    meanings.set_column(0, 0, 2 * _WIDTH)
    meanings.set_column(1, 1, 5 * _WIDTH)
    book.close()
    return content.getvalue()


_STYLES = {
    "heading": {"bold": True, "text_wrap": True, "valign": "top"},
    "date": {"num_format": "yyyy-mm-dd"},
    "plain": {},
}


def _fill(
    page: Any, rows: Iterable[Iterable[Cell]], styles: Mapping[str, object], first: int, *, heading: bool = False
) -> None:
    for number, row in enumerate(rows, first):
        for column, value in enumerate(row):
            if isinstance(value, date) and value.year >= _FIRST_YEAR:
                page.write_datetime(number, column, value, styles["date"])
            elif isinstance(value, int | float):
                page.write_number(number, column, value)
            elif value is not None:
                _write_text(page, number, column, str(value), styles, styles["heading"] if heading else None)


def _write_text(page: Any, row: int, column: int, text: str, styles: Mapping[str, object], style: object) -> None:
    """A text as a text, whatever it begins with."""
    text = _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
    if text.startswith("<r>") and text.endswith("</r>"):
        # the library would take it for markup of its own and write it into the sheet unescaped
        page.write_rich_string(row, column, text[:1], styles["plain"], text[1:])
    else:
        page.write_string(row, column, text, style)
