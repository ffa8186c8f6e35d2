"""Files that are known and cannot be read: locked vendor documents and tables of results without curves.

Saying "unknown format" of these would send people searching. Each refusal says what the file is and what to export.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bcrabl.errors import FormatRefused, Problem
from bcrabl.formats.source import RawFile

__all__ = ["REFUSALS", "Refusal", "refuse_known"]


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


REFUSALS: tuple[Refusal, ...] = ()


def refuse_known(source: RawFile) -> None:
    """Raise for a file that is known and cannot be read.

    Raises
    ------
    FormatRefused : it is one.
    """
    for refusal in REFUSALS:
        if refusal.claims(source):
            raise FormatRefused(Problem(source.path, refusal.found, "an export with curves", refusal.remedy))
