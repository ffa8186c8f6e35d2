"""Words for a terminal: nothing that stands in a file reaches it before control characters are taken out."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable

from bcrabl.errors import BcrablError, printable

__all__ = ["WIDTH", "clipped", "complain", "counted", "paragraph", "tell"]

WIDTH = 100
"""Columns of a line."""

_LONGEST_LINE = 5000  # characters of one problem; an error text quotes names, and hostile names have no end


def tell(lines: Iterable[str] | str) -> None:
    """Print lines, each of them clean."""
    for line in [lines] if isinstance(lines, str) else lines:
        indent = line[: len(line) - len(line.lstrip(" "))]
        print(indent + _clean(line[len(indent) :]))


def _clean(text: str) -> str:
    """Without control characters; blanks stay as they are, for columns to stand under each other."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def complain(error: BcrablError | str) -> None:
    """Print why something was refused, on the error stream."""
    for line in str(error).splitlines():
        print(_clean(clipped(line, _LONGEST_LINE)), file=sys.stderr)


def clipped(text: object, length: int) -> str:
    """A text of a file on one line, without control characters, cut to a length.

    Examples
    --------
    >>> clipped("BCR::ABL1", 6)
    'BCR::…'
    """
    line = printable(str(text))
    return line if len(line) <= length else line[: length - 1] + "…"


def counted(count: int, noun: str, rest: str = "") -> str:
    """A number of things: `1 well`, `2 wells without a sample`."""
    return f"{count} {noun}{'' if count == 1 else 's'}{rest}"


def paragraph(text: str, indent: str, first: str | None = None) -> list[str]:
    """A text broken into lines of at most `WIDTH` columns; the first line may begin otherwise than with the indent."""
    opening = indent if first is None else first
    return textwrap.wrap(text, WIDTH, initial_indent=opening, subsequent_indent=indent) or [opening.rstrip()]
