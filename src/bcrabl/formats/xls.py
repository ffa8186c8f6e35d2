"""xls workbooks (BIFF in an OLE container) from outside."""

from __future__ import annotations

from pathlib import Path

from bcrabl.formats.grid import Sheet
from bcrabl.formats.isolated import in_own_process

__all__ = ["XlsWorkbook", "is_ole", "is_xls"]

_SCRIPT = Path(__file__).with_name("isolated_xls.py")

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAMS = ("Workbook", "Book")  # BIFF8 and BIFF5


def is_ole(content: bytes) -> bool:
    """Whether bytes begin as an OLE container does."""
    return content.startswith(_OLE)


def is_xls(content: bytes) -> bool:
    """Whether bytes are an OLE container with a workbook in it."""
    return is_ole(content) and any(name.encode("utf-16-le") + b"\0\0" in content for name in _STREAMS)


class XlsWorkbook:
    """An xls workbook in memory; the same face as `workbook.Workbook`.

    Parameters
    ----------
    path : the file as the caller named it.
    content : its bytes.

    Raises
    ------
    DamagedFile : it cannot be read.
    """

    def __init__(self, path: str, content: bytes) -> None:
        sheets = in_own_process(_SCRIPT, content, path, "an xls workbook")
        self._sheets = {name: Sheet(f"{path}, sheet {name!r}", rows) for name, rows in sheets}
        self.sheet_names = tuple(self._sheets)

    def sheet(self, name: str) -> Sheet | None:
        """A sheet by its name, or None."""
        return self._sheets.get(name)
