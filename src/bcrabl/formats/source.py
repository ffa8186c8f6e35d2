"""What every format sees of an export, and what every format is.

A `RawFile` holds the bytes, read once, and opens what is inside them (text, zip members, sheets) when a format first
asks, so that thirty formats can look at a file for the price of one. `Format` is the shape all format modules share.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bcrabl.errors import DamagedFile, FileError, Problem
from bcrabl.formats.archive import Archive
from bcrabl.formats.encoding import decoded
from bcrabl.formats.grid import Sheet, delimited
from bcrabl.formats.workbook import Workbook
from bcrabl.formats.xls import XlsWorkbook, is_ole, is_xls
from bcrabl.formats.xmltree import root_name
from bcrabl.raw_files import COLUMN_MAP_SUFFIX, MOST_FILES, digest_of, files_of_run

if TYPE_CHECKING:
    from bcrabl.run import Run

__all__ = [
    "LARGEST_FILE",
    "LARGEST_TABLE",
    "LARGEST_TEXT",
    "Format",
    "RawFile",
    "Refusal",
    "Sheets",
    "listed",
    "only",
    "refuse_part",
]

LARGEST_FILE = 256 * 1024 * 1024  # bytes; the largest real export met is 4 MB
LARGEST_TEXT = 16 * 1024 * 1024  # bytes; cut into cells a text takes twenty times that; the largest met has 3.3 MB
LARGEST_TABLE = 4 * 1024 * 1024  # bytes; 384 curves of 50 cycles take 200,000 to 500,000
LARGEST_FOLDER = 32 * 1024 * 1024  # bytes of all files of a run; a folder of CFX exports takes 2 million
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # the last begins the zips of Bio-Rad CFX
_GZIP_START = b"\x1f\x8b\x08"
_HEAD = 4096  # bytes that suffice to see a root element
_TOP = 65536  # bytes that suffice to see a header row
_MOST_TABLES = 200  # members of a zip that may be tables of one run
_TABLE_NAMES = (".csv", ".txt", ".tsv", ".xml", ".xlsx", ".xls", ".gz")


class Sheets(Protocol):
    """Several sheets: a workbook, or a text of several sections."""

    @property
    def sheet_names(self) -> tuple[str, ...]:
        """Names of the sheets in their order."""

    def sheet(self, name: str) -> Sheet | None:
        """A sheet by its name, or None."""


@dataclass(frozen=True)
class RawFile:
    """An export, not yet understood: one file, and those that belong to the same run.

    Parameters
    ----------
    path : the file or folder as the caller named it; every error text starts with it.
    content : its bytes; empty for a folder.
    companions : the other files of the run; all files of a folder.
    named_map : the column map, where the caller named one.
    empty : the files of the run that are empty; they are passed over, but belong to the digest.
    """

    path: str
    content: bytes
    companions: tuple[RawFile, ...] = ()
    named_map: RawFile | None = None
    empty: tuple[str, ...] = ()

    @classmethod
    def from_path(cls, path: str | Path, column_map: str | Path | None = None) -> RawFile:
        """Read the bytes of a file and of those that belong to the same run, or of all files of a folder.

        Parameters
        ----------
        path : the file or folder.
        column_map : the column map that describes it; None takes the one beside the file, if there is one.

        Raises
        ------
        FileError : there is no such file, it is not a regular file, empty, too large or unreadable.
        """
        try:
            files = files_of_run(path, column_map)
        except (OSError, ValueError) as error:
            raise FileError(_unreadable(str(path), error)) from error
        named_map = None
        if column_map is not None:
            files = [file for file in files if file != Path(column_map)]
            named_map = cls(str(column_map), _content(Path(column_map)))
        if not files:
            raise FileError(Problem(str(path), "a folder without any file", "the exported files of one run"))
        is_folder = Path(path).is_dir()
        _check_together(str(path), files)
        empty = [file for file in files if (is_folder or file != files[0]) and _is_empty(file)]
        files = [file for file in files if file not in empty]
        if not files:
            raise FileError(Problem(str(path), "a folder of empty files", "the exported files of one run"))
        contents = [cls(str(file), _content(file)) for file in files]
        own = cls(str(path), b"") if is_folder else replace(contents.pop(0), path=str(path))
        passed_over = tuple(map(str, empty))
        return replace(own, companions=tuple(contents), named_map=named_map, empty=passed_over)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of files."""
        return not self.content

    @property
    def digest(self) -> str:
        """SHA-256 that stands for the bytes of all files of the run; see `raw_files.digest_of`."""
        own = [] if self.is_folder else [self]
        named = [] if self.named_map is None else [self.named_map]
        files = [(Path(file.path).name, file.content) for file in (*own, *named, *self.companions)]
        return digest_of([*files, *((Path(name).name, b"") for name in self.empty)])

    @cached_property
    def plain(self) -> bytes:
        """The content, unpacked where it is compressed by gzip.

        Raises
        ------
        DamagedFile : the compressed content is broken, or unpacks to more than any export holds.
        """
        return _unpacked(self.path, self.content) if self.content.startswith(_GZIP_START) else self.content

    @cached_property
    def archive(self) -> Archive | None:
        """The zip archive that the file is, or None.

        Raises
        ------
        DamagedFile : it begins as a zip archive but cannot be opened.
        """
        return Archive(self.path, self.plain) if self.plain.startswith(_ZIP_STARTS) else None

    @cached_property
    def workbook(self) -> Sheets | None:
        """The xlsx or xls workbook that the file is, or None.

        Raises
        ------
        DamagedFile : it is one, but hostile or broken.
        """
        if is_xls(self.plain):
            return XlsWorkbook(self.path, self.plain)
        if self.archive is None or "xl/workbook.xml" not in self.archive.names:
            return None
        return Workbook(self.path, self.archive)

    @property
    def _is_container(self) -> bool:
        """Holds other files or streams, and so is no text itself."""
        return self.is_folder or self.archive is not None or is_ole(self.plain)

    @cached_property
    def text(self) -> str | None:
        """The text that the file is, or None where it is none.

        Raises
        ------
        DamagedFile : it is text of more than `LARGEST_TEXT` bytes.
        """
        if self._is_container:
            return None
        text = decoded(self.plain)
        if text is not None and len(self.plain) > LARGEST_TEXT:
            found = f"a text of {len(self.plain)} bytes"
            raise DamagedFile(Problem(self.path, found, f"at most {LARGEST_TEXT} bytes", "Export one run to a file."))
        return text

    @cached_property
    def beginning(self) -> str | None:
        """The first lines of the text that the file seems to be, or None where it is none; for formats to look at."""
        if self._is_container:
            return None
        text = decoded(self.plain[:_TOP], whole=len(self.plain) <= _TOP)
        return None if text is None else _whole_lines(text, cut=len(self.plain) > _TOP)

    @cached_property
    def top(self) -> Sheet | None:
        """The first rows of the text, cut at the delimiter that it shows; for formats to look at. None for XML."""
        if self.beginning is None or root_name(self.head) is not None:
            return None
        return delimited(self.path, self.beginning, whole=False)

    def rows(self, delimiter: str | None = None, most: int = LARGEST_TABLE) -> Sheet:
        """The whole text, cut at a delimiter, by default the one that it shows.

        Parameters
        ----------
        most : bytes that the text may have; formats that list single readings need more than others.

        Raises
        ------
        DamagedFile : it is no text, is too long, or a quoted cell never ends.
        """
        if self.text is None:
            raise DamagedFile(Problem(self.path, self.impression, "a text", "Export the file again."))
        if len(self.plain) > most:
            found = f"a table of {len(self.plain)} bytes"
            raise DamagedFile(Problem(self.path, found, f"at most {most} bytes", "Export one run to a file."))
        return delimited(self.path, self.text, delimiter)

    @cached_property
    def tables(self) -> tuple[RawFile, ...]:
        """The files that may hold the tables of one run: itself and its companions, the files of a folder or a zip.

        Raises
        ------
        DamagedFile : a member of the zip cannot be unpacked.
        """
        if self.is_folder:
            return self.companions
        if self.archive is None or self.workbook is not None:
            return (self, *self.companions)
        names = [name for name in self.archive.names if name.lower().endswith(_TABLE_NAMES)]
        if len(names) > _MOST_TABLES:
            return ()
        return tuple(RawFile(f"{self.path}, member {name}", self.archive.read(name)) for name in names)

    @property
    def column_map(self) -> RawFile | None:
        """The column map that describes the file, named or beside it, or None."""
        beside = (file for file in self.companions if file.path.endswith(COLUMN_MAP_SUFFIX))
        return self.named_map or next(beside, None)

    @cached_property
    def head(self) -> str:
        """The beginning of the content as text; what is not text shows as replacement characters."""
        return text_of(self.plain[:_HEAD])

    @property
    def impression(self) -> str:
        """What the file looks like, for somebody who expected it to be read."""
        if self.is_folder:
            return f"a folder that holds {listed([Path(file.path).name for file in self.companions])}"
        if self.workbook is not None:
            return f"a workbook with the sheets {listed(self.workbook.sheet_names)}"
        if self.archive is not None:
            return f"a zip archive that holds {listed(self.archive.names)}"
        return f"a file that begins {self.head[:60]!r}"


def _content(path: Path) -> bytes:
    """The bytes of a regular file."""
    try:
        size = _checked_size(path, str(path))
        content = path.read_bytes() if size else b""
    except (OSError, ValueError) as error:
        raise FileError(_unreadable(str(path), error)) from error
    if not content:
        raise FileError(Problem(str(path), "an empty file", "an export file", "Export or copy the file again."))
    return content


def _is_empty(path: Path) -> bool:
    """Whether a file may be passed over; an empty column map may not."""
    return path.is_file() and not path.stat().st_size and not path.name.endswith(COLUMN_MAP_SUFFIX)


def _check_together(where: str, files: Sequence[Path]) -> None:
    """Refuse more files, or more in them, than a run has, before they are read.

    Raises
    ------
    FileError : they are too many, too large, or cannot be looked at.
    """
    remedy = "Keep each run in a folder of its own."
    if len(files) > MOST_FILES:
        raise FileError(Problem(where, f"more than {MOST_FILES} files", "the exported files of one run", remedy))
    if len(files) == 1:
        return
    try:
        size = sum(_checked_size(file, str(file)) for file in files)
    except (OSError, ValueError) as error:
        raise FileError(_unreadable(where, error)) from error
    if size > LARGEST_FOLDER:
        raise FileError(Problem(where, f"files of {size} bytes in all", f"at most {LARGEST_FOLDER} bytes", remedy))


def _unreadable(where: str, error: Exception) -> Problem:
    found = f"a file that cannot be read ({getattr(error, 'strerror', None) or error})"
    return Problem(where, found, "a readable export file")


def _checked_size(path: Path, where: str) -> int:
    """The size of a regular file in bytes."""
    if not path.exists():
        raise FileError(Problem(where, "no such file", "an export file", "Check the path."))
    if not path.is_file():
        raise FileError(Problem(where, "something that is not a regular file", "an export file"))
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise FileError(Problem(where, f"a file of {size} bytes", f"an export file of at most {LARGEST_FILE} bytes"))
    return size


def _unpacked(path: str, content: bytes) -> bytes:
    """What gzip compressed, within limits."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(content, LARGEST_TEXT + 1)
    except zlib.error as error:
        found = f"gzip data that cannot be unpacked ({error})"
        raise DamagedFile(Problem(path, found, "a whole file", "Export or copy the file again.")) from error
    if len(plain) > LARGEST_TEXT:
        raise DamagedFile(Problem(path, "gzip data that unpack to more", f"at most {LARGEST_TEXT} bytes"))
    if not unpacker.eof or unpacker.unused_data:
        raise DamagedFile(Problem(path, "gzip data that break off or go on behind their end", "one whole file"))
    return plain


def _whole_lines(text: str, cut: bool) -> str:
    """The beginning of a text without its last line, which may be cut; all of it where it is one line."""
    lines = text.splitlines(keepends=True)
    return "".join(lines[:-1]) if cut and len(lines) > 1 else text


_UTF16_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\x00": "utf-16-le", b"\x00<": "utf-16-be"}


def text_of(content: bytes) -> str:
    """Bytes of unknown encoding as text to look at: UTF-16 where it shows, else UTF-8."""
    encoding = _UTF16_MARKS.get(content[:2], "utf-8-sig")
    return content.decode(encoding, errors="replace")


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names in quotes, the first few of many."""
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
    reservation : a sentence that every run of this format carries as a warning, such as what it was never tested on.
    """

    name: str
    export: str
    claims: Callable[[RawFile], bool]
    read: Callable[[RawFile, str | None], Run]
    reservation: str = ""


@dataclass(frozen=True)
class Refusal:
    """One kind of file that cannot be read.

    Parameters
    ----------
    found : what it is, in words.
    remedy : what to export instead, and from which menu.
    claims : whether a file is of this kind, judged by its content.
    """

    found: str
    remedy: str
    claims: Callable[[RawFile], bool]


def only(found: Iterable[RawFile], source: RawFile, what: str) -> RawFile:
    """The only one of the files of a run that is of some kind.

    Raises
    ------
    DamagedFile : there are several, or none.
    """
    candidates = list(found)
    if len(candidates) != 1:
        names = listed([Path(file.path).name for file in candidates])
        raise DamagedFile(
            Problem(source.path, f"{len(candidates)} files with {what}: {names}", "one", "Keep each run in a folder.")
        )
    return candidates[0]


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
