"""The reactions of a run as RDML's writer handles them, and texts as XML wants them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["Reaction", "cleaned", "escaped", "illegal", "quoted", "reactions_of"]

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


@dataclass(frozen=True)
class Reaction:
    """One row of the run's reactions with its curve, (m,) arrays."""

    row: dict[str, Any]
    fluorescence: NDArray[np.float64]
    passive_reference: NDArray[np.float64] | None

    @property
    def place(self) -> tuple[str | None, str]:
        """Part and well."""
        return self.row["part"], self.row["well"]


def reactions_of(run: Run) -> list[Reaction]:
    """The reactions of a run with their curves."""
    passive = run.passive_reference
    return [
        Reaction(row, run.fluorescence[index], None if passive is None else passive[index])
        for index, row in enumerate(run.reactions.to_pylist())
    ]


def illegal(text: str) -> bool:
    """Whether a text holds signs that XML cannot hold, not even escaped: control characters, halves of signs."""
    return _ILLEGAL.search(text) is not None


def cleaned(text: str) -> str:
    """The text with a replacement character for each sign that XML cannot hold."""
    return _ILLEGAL.sub("�", text)


def escaped(text: str) -> str:
    """The text as it stands between tags."""
    return text.translate(_ESCAPES)


def quoted(text: str) -> str:
    """The text as the value of an attribute."""
    return f'"{escaped(text)}"'
