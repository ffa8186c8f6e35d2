"""The plate as a table of its wells, each with what is in it: role, call and Cq of every target."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bcrabl.report.words import CALLS, ROLES

__all__ = ["Plate", "Reaction", "Well", "plate_of"]

Row = Mapping[str, Any]

_WELL = re.compile(r"([A-Z]{1,2})([0-9]{1,2})")
_FORMATS = ((8, 12), (16, 24), (32, 48))
_CQ_BINS = (20.0, 25.0, 30.0, 35.0)
_SIGNS = {"amplified": "●", "ambiguous": "◐", "not_amplified": "○"}
_SHORT = {"unkn": "S", "std": "St", "ntc": "N", "nac": "N", "nrt": "N", "neg": "N", "pos": "C", "calibrator": "Ca"}


@dataclass(frozen=True)
class Reaction:
    """One target in a well: its classes in the style sheet, and its sign by call, Cq and role."""

    look: str
    sign: str
    cq: str
    role: str


@dataclass(frozen=True)
class Well:
    """A well: name, description for those who cannot see colours, reactions; without reactions it is empty."""

    name: str
    description: str
    reactions: Sequence[Reaction]


@dataclass(frozen=True)
class Plate:
    """Columns, and rows of wells with their letter; without columns the wells have no place on a plate.

    Parameters
    ----------
    columns : numbers over the columns.
    rows : letter and wells.
    targets : in the order in which they stand in a well.
    """

    columns: Sequence[int]
    rows: Sequence[tuple[str, Sequence[Well]]]
    targets: Sequence[str]


def plate_of(reactions: Sequence[Row]) -> Plate:
    """The plate of a run.

    Parameters
    ----------
    reactions : rows of cq with `well`, `target`, `role`, `sample_id`, `call`, `cq`.
    """
    targets = sorted({str(row["target"]) for row in reactions})
    wells: dict[str, list[Row]] = {}
    for row in sorted(reactions, key=lambda row: str(row["target"])):
        wells.setdefault(str(row["well"]), []).append(row)
    found = {name: _well(name, rows) for name, rows in wells.items()}
    places = {name: _place(name) for name in wells}
    size = _format([place for place in places.values() if place is not None])
    if size is None or None in places.values():
        return Plate((), [("", list(found.values()))], targets)
    rows, columns = size
    plate = [
        (_letters(k), [found.get(f"{_letters(k)}{n}", Well("", "", ())) for n in range(1, columns + 1)])
        for k in range(rows)
    ]
    return Plate(range(1, columns + 1), plate, targets)


def _place(well: str) -> tuple[int, int] | None:
    match = _WELL.fullmatch(well)
    if match is None:
        return None
    row = 0
    for letter in match[1]:
        row = 26 * row + ord(letter) - ord("A") + 1
    return row, int(match[2])


def _letters(row: int) -> str:
    return chr(ord("A") + row) if row < 26 else f"A{chr(ord('A') + row - 26)}"


def _format(places: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The smallest plate that holds all wells."""
    rows, columns = (max((place[k] for place in places), default=0) for k in (0, 1))
    return next((size for size in _FORMATS if 0 < rows <= size[0] and columns <= size[1]), None)


def _well(name: str, rows: Sequence[Row]) -> Well:
    first = rows[0]
    what = [str(first["sample_id"] or "no sample"), ROLES.get(first["role"], str(first["role"]))]
    what += [_in_words(row) for row in rows]
    return Well(name, f"{name}: {', '.join(what)}", [_reaction(row) for row in rows])


def _in_words(row: Row) -> str:
    cq = f", Cq {row['cq']:.2f}" if row["cq"] is not None else ""
    return f"{row['target']} {CALLS.get(row['call'], row['call'])}{cq}"


def _reaction(row: Row) -> Reaction:
    cq, role, call = row["cq"], str(row["role"]), str(row["call"])
    shade = "none" if cq is None else str(sum(cq >= border for border in _CQ_BINS))
    call_look = call if call in _SIGNS else "ambiguous"
    group = _SHORT.get(role, "S")
    look = f"call-{call_look} role-{group} cq-{shade}"
    return Reaction(look, _SIGNS.get(call, "?"), NO_CQ if cq is None else f"{cq:.1f}", group)


NO_CQ = "–"
