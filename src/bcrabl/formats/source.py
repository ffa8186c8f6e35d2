"""What every format sees of a file, and what every format is.

A `RawFile` holds the bytes, read once, and opens what is inside them (zip members, sheets) when a format first asks, so
that twenty formats can look at a file for the price of one. `Format` is the shape all format modules share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bcrabl.errors import FileError, Problem
from bcrabl.formats.archive import Archive
from bcrabl.formats.sheets import Workbook

if TYPE_CHECKING:
    from bcrabl.run import Run

__all__ = ["LARGEST_FILE", "Format", "RawFile"]

LARGEST_FILE = 256 * 1024 * 1024  # bytes; the largest real export met is 4 MB
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # the last begins the zips of Bio-Rad CFX
_HEAD = 4096  # bytes that suffice to see a root element or a header row
_UTF16_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}


@dataclass(frozen=True)
class RawFile:
    """An export file, not yet understood.

    Parameters
    ----------
    path : the file as the caller named it; every error text starts with it.
    content : its bytes.
    """

    path: str
    content: bytes

    @classmethod
    def from_path(cls, path: str | Path) -> RawFile:
        """Read the bytes of a file.

        Raises
        ------
        FileError : there is no such file, it is not a regular file, empty, too large or unreadable.
        """
        try:
            size = _checked_size(Path(path), str(path))
            content = Path(path).read_bytes() if size else b""
        except (OSError, ValueError) as error:
            found = f"a file that cannot be read ({getattr(error, 'strerror', None) or error})"
            raise FileError(Problem(str(path), found, "a readable export file")) from error
        if not content:
            raise FileError(Problem(str(path), "an empty file", "an export file", "Export or copy the file again."))
        return cls(str(path), content)

    @cached_property
    def archive(self) -> Archive | None:
        """The zip archive that the file is, or None.

        Raises
        ------
        DamagedFile : it begins as a zip archive but cannot be opened.
        """
        return Archive(self.path, self.content) if self.content.startswith(_ZIP_STARTS) else None

    @cached_property
    def workbook(self) -> Workbook | None:
        """The xlsx workbook that the file is, or None.

        Raises
        ------
        DamagedFile : it is one, but hostile or broken.
        """
        if self.archive is None or "xl/workbook.xml" not in self.archive.names:
            return None
        return Workbook(self.path, self.archive)

    @cached_property
    def head(self) -> str:
        """The beginning of the content as text; what is not text shows as replacement characters."""
        return text_of(self.content[:_HEAD])

    @property
    def impression(self) -> str:
        """What the file looks like, for somebody who expected it to be read."""
        if self.workbook is not None:
            return f"a workbook with the sheets {_listed(self.workbook.sheet_names)}"
        if self.archive is not None:
            return f"a zip archive that holds {_listed(self.archive.names)}"
        return f"a file that begins {self.head[:60]!r}"


def _checked_size(path: Path, where: str) -> int:
    """The size of a regular file in bytes."""
    if not path.exists():
        raise FileError(Problem(where, "no such file", "an export file", "Check the path."))
    if not path.is_file():
        kind = "a directory" if path.is_dir() else "something that is not a regular file"
        raise FileError(Problem(where, kind, "an export file"))
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise FileError(Problem(where, f"a file of {size} bytes", f"an export file of at most {LARGEST_FILE} bytes"))
    return size


def text_of(content: bytes) -> str:
    """Bytes of unknown encoding as text to look at: UTF-16 where it shows, else UTF-8."""
    encoding = _UTF16_MARKS.get(content[:2], "utf-8-sig")
    return content.decode(encoding, errors="replace")


def _listed(names: tuple[str, ...], most: int = 5) -> str:
    shown = ", ".join(repr(name) for name in names[:most]) or "nothing"
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


@dataclass(frozen=True)
class Format:
    """One export format.

    Parameters
    ----------
    name : its name in error texts and in a run's metadata.
    export : a sentence that says how to get such a file out of the instrument's software.
    claims : whether a file is of this format, judged by its content; does not read more than it must.
    read : the run in a file of this format; the second argument names the one part to read, None means all.
    """

    name: str
    export: str
    claims: Callable[[RawFile], bool]
    read: Callable[[RawFile, str | None], Run]


def refuse_part(source: RawFile, part: str | None) -> None:
    """For formats whose files hold one run: raise where a part of it is asked for.

    Raises
    ------
    FileError : a part is asked for.
    """
    if part is not None:
        raise FileError(
            Problem(source.path, f"part {part!r} asked for", "no part: the file holds one run", "Leave the part empty.")
        )
