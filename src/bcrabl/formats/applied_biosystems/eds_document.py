"""The zip archive behind an .eds document, and what its layouts have in common once they are read.

Wells are counted from 0 along the rows of the plate, in every member of every layout.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.encoding import decoded
from bcrabl.formats.xmltree import LARGEST_XML, collector_paused, parse

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    import numpy as np
    from numpy.typing import NDArray

    from bcrabl.formats.archive import Archive
    from bcrabl.formats.source import RawFile

__all__ = [
    "REMEDY",
    "SDS",
    "Assignment",
    "Document",
    "DyeSignals",
    "Plate",
    "Point",
    "Result",
    "Settings",
    "date_of_milliseconds",
    "document_of",
    "key_of",
]

SDS = "apldbio/sds/"
"""Folder of the members of the two older layouts."""

REMEDY = "Open the run in the instrument's software, analyse and save it, or export it as text, xls or xlsx."

_LAST_MILLISECOND = 4_102_444_800_000  # the year 2100; later times are no times of runs


class Point(NamedTuple):
    """When a reading was taken: stage of the program, cycle, step and point, all counted from 1."""

    stage: int
    cycle: int
    step: int
    point: int


@dataclass(frozen=True)
class DyeSignals:
    """Signal of each dye in each well, of all readings of a run, melting and others included.

    Parameters
    ----------
    curves : row of `values` by well (from 0) and dye.
    values : (k, p) array, a.u.
    points : when the p readings were taken; None where the layout does not say.
    """

    curves: Mapping[tuple[int, str], int]
    values: NDArray[np.float64]
    points: tuple[Point, ...] | None


@dataclass(frozen=True)
class Assignment:
    """What the plate setup says of one target in one well."""

    well: int
    target: str
    dye: str | None
    task: str
    quantity: float | None
    sample: str | None
    where: str


@dataclass(frozen=True)
class Plate:
    """What the plate setup says.

    Parameters
    ----------
    columns : wells in a row of the plate.
    wells : how many there are.
    assignments : who is where.
    omitted : wells that the user has excluded.
    """

    columns: int
    wells: int
    passive_dye: str | None
    assignments: tuple[Assignment, ...]
    omitted: frozenset[int] = frozenset()
    about: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """Threshold and baseline that the software was told to use; None where it was to find them by itself."""

    threshold: float | None = None
    baseline_start: float | None = None
    baseline_end: float | None = None


@dataclass
class Result:
    """What the software reported for one target in one well."""

    well: int
    target: str
    sample: str
    task: str
    cq: str
    quantity: float | None
    call: str | None
    where: str
    omitted: bool = False
    settings: Settings | None = None
    rn: NDArray[np.float64] | None = None
    delta_rn: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Document:
    """The members of an archive by their names in lower case with slashes: real ones carry backslashes and capitals."""

    path: str
    archive: Archive
    members: Mapping[str, str]
    ambiguous: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return name.lower() in self.members

    def where(self, name: str) -> str:
        """What error texts call a member."""
        return f"{self.path}, member {self.members.get(name.lower(), name)}"

    def content(self, name: str) -> bytes | None:
        """The bytes of a member, or None where there is none.

        Raises
        ------
        DamagedFile : it cannot be unpacked, or there are two whose names differ in case or slashes only.
        """
        if name.lower() in self.ambiguous:
            raise DamagedFile(Problem(self.where(name), "two members of this name", "one", REMEDY))
        member = self.members.get(name.lower())
        return None if member is None else self.archive.read(member, LARGEST_XML)

    def xml(self, name: str) -> Element | None:
        """The root element of a member, or None where there is none.

        Raises
        ------
        DamagedFile : it is no well-formed document, or hostile.
        """
        content = self.content(name)
        if content is None:
            return None
        with collector_paused():
            return parse(content, self.where(name))

    def text(self, name: str) -> str | None:
        """A member as text with line feeds only, or None where there is none.

        Raises
        ------
        DamagedFile : it is no text.
        """
        content = self.content(name)
        if content is None:
            return None
        text = decoded(content)
        if text is None:
            raise DamagedFile(Problem(self.where(name), "bytes that are no text", "a text", REMEDY))
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def json(self, name: str) -> Any:
        """What a member says in JSON (bare NaN and Infinity included), or None where there is none.

        Raises
        ------
        DamagedFile : it is no JSON.
        """
        text = self.text(name)
        if text is None:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            found = f"JSON that cannot be read ({error})"
            raise DamagedFile(Problem(self.where(name), found, "a whole document", REMEDY)) from error


def document_of(source: RawFile) -> Document | None:
    """The document that a zip archive may be, or None for other files.

    Raises
    ------
    DamagedFile : the zip cannot be opened.
    """
    archive = source.archive
    if archive is None:
        return None
    plain = [name.replace("\\", "/").lower() for name in archive.names]
    ambiguous = frozenset(name for name, times in Counter(plain).items() if times > 1)
    return Document(source.path, archive, dict(zip(plain, archive.names, strict=True)), ambiguous)


def key_of(well: int, target: str) -> Hashable:
    """What tells reactions apart; blanks around targets do not count."""
    return well, target.strip()


def date_of_milliseconds(stated: object) -> str | None:
    """The day (UTC) of milliseconds since 1970, or None where they are no time of a run."""
    try:
        milliseconds = float(str(stated))
    except ValueError:
        return None
    if not 0 < milliseconds < _LAST_MILLISECOND:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()
