"""The report as CSV: RFC 4180, UTF-8 without a byte order mark, lines that end in CR LF, one line of headings.

A spreadsheet takes a text that begins with = + - @ (or their full-width forms), a tab or a line break for a formula or
the start of one. Such texts, with or without blanks before, get an apostrophe in front, and so do texts that begin with
an apostrophe: who reads the file takes one leading apostrophe away. Numbers are written as they are, with the shortest
digits that give the same number again; dates as YYYY-MM-DD; what is not known is empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date

from bcrabl.lims.rows import COLUMNS, Cell

__all__ = ["APOSTROPHE", "csv_text", "defused"]

APOSTROPHE = "'"
_STARTS_A_FORMULA = frozenset("=+-@＝＋－＠")
_NEVER_FIRST = frozenset("\t\r\n'")


def csv_text(rows: Iterable[Mapping[str, Cell]]) -> str:
    """The text of the file.

    Parameters
    ----------
    rows : of `bcrabl.lims.rows.reported_rows`.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([column.heading for column in COLUMNS])
    writer.writerows([_spelled(row[column.name]) for column in COLUMNS] for row in rows)
    return text.getvalue()


def defused(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet might calculate it.

    Examples
    --------
    >>> defused("=HYPERLINK(1)"), defused("'quoted'"), defused("e14a2")
    ("'=HYPERLINK(1)", "''quoted'", 'e14a2')
    """
    begins = text.lstrip("\ufeff \u00a0\u3000\0")[:1]
    dangerous = text[:1] in _NEVER_FIRST or begins in _STARTS_A_FORMULA | _NEVER_FIRST
    return APOSTROPHE + text if text and dangerous else text


def _spelled(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return defused(value)
    return value.isoformat() if isinstance(value, date) else repr(value)
