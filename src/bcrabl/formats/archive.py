"""Zip archives from outside: opened in memory, within limits, and never trusted.

Nothing is written to disk, so member names can do no harm. What can: a small file that unpacks to gigabytes, sizes that
lie, two members of one name, encryption. Each ends in a `DamagedFile`.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter

from bcrabl.errors import DamagedFile, Problem

__all__ = ["LARGEST_TOTAL", "MOST_MEMBERS", "MOST_RATIO", "Archive"]

MOST_MEMBERS = 10_000
LARGEST_TOTAL = 256 * 1024 * 1024  # bytes, unpacked; real exports unpack to at most 25 MB
MOST_RATIO = 200  # unpacked : packed; real exports reach 20
_ENCRYPTED = 0x1  # bit of a member's flags
_SMALL = 1024 * 1024  # bytes below which no ratio is harmful


class Archive:
    """A zip archive in memory.

    Parameters
    ----------
    path : the file as the caller named it.
    content : its bytes.

    Raises
    ------
    DamagedFile : it cannot be opened, or what it declares exceeds the limits.
    """

    def __init__(self, path: str, content: bytes) -> None:
        self._path = path
        self._left = LARGEST_TOTAL
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
            members = self._zip.infolist()
        except Exception as error:  # zipfile lets a dozen kinds escape on hostile bytes
            raise self._damaged("", f"a zip archive that cannot be opened ({error})", "a whole one") from error
        self._check(members)
        self._members = {_plain_name(member): member for member in members if not member.filename.endswith("/")}
        self.names = tuple(self._members)
        self._in_any_case = {name.casefold(): name for name in reversed(self.names)}

    def named(self, name: str) -> str | None:
        """The member of this name as it is spelled, or else in another case, or None."""
        return name if name in self._members else self._in_any_case.get(name.casefold())

    def read(self, name: str, limit: int = LARGEST_TOTAL) -> bytes:
        """The bytes of a member.

        Raises
        ------
        DamagedFile : it is encrypted, damaged, or longer than `limit`, or the members read so far exceed the limits.
        """
        content = self._unpacked(name, min(limit, self._left) + 1)
        if len(content) > min(limit, self._left):
            expected = f"at most {min(limit, self._left)} bytes"
            raise self._damaged(f", member {name}", "more bytes than any export holds", expected)
        self._left -= len(content)
        return content

    def head(self, name: str, size: int = 4096) -> bytes:
        """The first bytes of a member.

        Raises
        ------
        DamagedFile : it is encrypted or damaged.
        """
        return self._unpacked(name, size)

    def _unpacked(self, name: str, size: int) -> bytes:
        member = self._members[name]
        if member.flag_bits & _ENCRYPTED:
            raise self._damaged(f", member {name}", "an encrypted member", "one that can be read without a password")
        try:
            with self._zip.open(member) as unpacked:
                return unpacked.read(size)
        except Exception as error:  # as above: the bytes decide what is raised
            found = f"a member that cannot be unpacked ({error})"
            raise self._damaged(f", member {name}", found, "a whole one") from error

    def _check(self, members: list[zipfile.ZipInfo]) -> None:
        if len(members) > MOST_MEMBERS:
            raise self._damaged("", f"a zip archive of {len(members)} members", f"at most {MOST_MEMBERS}")
        total = sum(member.file_size for member in members)
        if total > LARGEST_TOTAL:
            raise self._damaged("", f"members of {total} bytes", f"at most {LARGEST_TOTAL} bytes")
        name, times = Counter(_plain_name(member) for member in members).most_common(1)[0] if members else ("", 0)
        if times > 1:
            raise self._damaged(f", member {name}", f"{times} members of this name", "one")
        for member in members:
            self._check_member(member)

    def _check_member(self, member: zipfile.ZipInfo) -> None:
        where = f", member {member.filename}"
        ratio = member.file_size / max(member.compress_size, 1)
        if member.file_size > _SMALL and ratio > MOST_RATIO:
            raise self._damaged(where, f"a member that unpacks {ratio:.0f}-fold", f"at most {MOST_RATIO}-fold")
        if not member.filename:
            raise self._damaged(where, "a member without a name", "a name")

    def _damaged(self, where: str, found: str, expected: str) -> DamagedFile:
        return DamagedFile(Problem(self._path + where, found, expected, "Export or copy the file again."))


def _plain_name(member: zipfile.ZipInfo) -> str:
    """The name of a member with slashes between folders: Bio-Rad CFX packs its workbooks with backslashes."""
    return member.filename.replace("\\", "/").lstrip("/")
