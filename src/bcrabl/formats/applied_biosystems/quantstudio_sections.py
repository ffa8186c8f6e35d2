"""Sectioned texts of Applied Biosystems software, with the face of a workbook.

Lines `* Key = value`, then `[Sample Setup]`, `[Amplification Data]`, `[Results]`, … with a table each. Every section
becomes a sheet: keys and values on top, its table below, each row at the number of its line in the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.grid import Cell, Sheet, text
from bcrabl.formats.source import LARGEST_TEXT

if TYPE_CHECKING:
    from bcrabl.formats.source import RawFile

__all__ = ["Sections", "is_sectioned"]

_NAMES = "Sample Setup|Raw Data|Amplification Data|Multicomponent Data|Technical Analysis Result|Results"
_FIRST_SECTION = re.compile(
    rf"""^"?\[(?:{_NAMES})\]"?[\t;, ]*$\s+^(?P<header>"?Well"?(?P<delimiter>[\t;,]).*)$""", re.MULTILINE
)
_MOST_ROWS = 400_000  # an OpenArray of 3,072 holes gives 250,000
_MOST_CELLS = 4_000_000
_SECTION = re.compile(r"\[([A-Z][^\[\]]*)\]")


def is_sectioned(source: RawFile) -> bool:
    """Whether a file is a text that holds a section known here, with a table that begins with the column Well."""
    return source.beginning is not None and _FIRST_SECTION.search(_plain_ends(source.beginning)) is not None


def _plain_ends(content: str) -> str:
    return content.replace("\r\n", "\n").replace("\r", "\n")


class Sections:
    """The sections of a text; the same face as `workbook.Workbook`.

    A section of a header and nothing below, which exports write for what was not measured, is left out.

    Parameters
    ----------
    source : a file that `is_sectioned`.

    Raises
    ------
    DamagedFile : it has more lines or cells than any run, a section stands twice, or a quoted cell never ends.
    """

    def __init__(self, source: RawFile) -> None:
        first = _FIRST_SECTION.search(_plain_ends(source.beginning or ""))
        delimiter = "\t" if first is None else first["delimiter"]
        _refuse_too_many(source, delimiter)
        rows = source.rows(delimiter, LARGEST_TEXT).rows
        starts = {number: name for number, row in enumerate(rows) if (name := _section_name(row))}
        preamble = [_stated(row, delimiter) for row in rows[: min(starts, default=0)]]
        self._sheets: dict[str, Sheet] = {}
        for (start, name), end in zip(starts.items(), [*list(starts)[1:], len(rows)], strict=True):
            where = f"{source.path}, section [{name}]"
            if name in self._sheets:
                found = f"a second section of this name, in line {start + 1}"
                raise DamagedFile(Problem(where, found, "one", "Export each run to a file of its own."))
            if sum(map(any, rows[start + 1 : end])) > 1:
                padding: list[list[Cell]] = [[]] * (start + 1 - len(preamble))
                self._sheets[name] = Sheet(where, [*preamble, *padding, *rows[start + 1 : end]], "line")
        self.sheet_names = tuple(self._sheets)

    def sheet(self, name: str) -> Sheet | None:
        """A section by its name, or None."""
        return self._sheets.get(name)


def _refuse_too_many(source: RawFile, delimiter: str) -> None:
    """Rows and cells cost more than the bytes that spell them: they are counted before the text is cut."""
    content = source.text or ""
    rows = max(content.count("\n"), content.count("\r"))
    cells = content.count(delimiter) + rows
    if rows > _MOST_ROWS or cells > _MOST_CELLS:
        expected = f"at most {_MOST_ROWS} lines and {_MOST_CELLS} cells"
        raise DamagedFile(Problem(source.path, f"{rows} lines, {cells} cells", expected, "Export one run to a file."))


def _section_name(row: list[Cell]) -> str | None:
    if not row or "[" not in row[0][:2] or any(row[1:]):
        return None
    match = _SECTION.fullmatch(text(row[0]))
    return match[1].strip() if match else None


def _stated(row: list[Cell], delimiter: str) -> list[Cell]:
    """Key and value of a line `* Key = value`."""
    key, equals, value = delimiter.join(map(str, row)).strip(delimiter + " *").partition("=")
    return [key.strip(), value.strip()] if equals else []
