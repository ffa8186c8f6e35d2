"""From what is stated of a curve to a reaction: wells, roles, copies and Cq, none of them guessed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import LATEST_CQ_BEYOND, ROLES_NOT_STATED
from bcrabl.formats.grid import text
from bcrabl.formats.numerals import finite_or_none
from bcrabl.formats.wells import normal_well, well_at
from bcrabl.run import ROLES

if TYPE_CHECKING:
    from bcrabl.column_map import ColumnMap
    from bcrabl.formats.tables.mapped_curves import Stated

__all__ = ["reactions_of"]

Row = dict[str, object]

_COPIES = ("copies", "copies/reaction", "copies per reaction")
_COLUMNS_OF_PLATE = {96: 12, 384: 24, 1536: 48}


def reactions_of(stated: Sequence[Stated], column_map: ColumnMap, last_cycle: float, warnings: list[str]) -> list[Row]:
    """The reactions, as columns of `bcrabl.tables.REACTIONS`; `warnings` gains what was read with reservations.

    Parameters
    ----------
    last_cycle : of the curves; no Cq lies beyond it.

    Raises
    ------
    DamagedFile : with every well, role, quantity and Cq that cannot be used.
    """
    problems: list[Problem] = []
    wells = _wells_in_order(stated, column_map, problems) if column_map.wells_in_order else [None] * len(stated)
    latest = last_cycle + LATEST_CQ_BEYOND
    rows = [_reaction(one, well, column_map, latest, problems) for one, well in zip(stated, wells, strict=True)]
    if problems:
        raise DamagedFile(problems)
    _warn(rows, column_map, warnings)
    return rows


def _reaction(
    stated: Stated, well: str | None, column_map: ColumnMap, latest_cq: float, problems: list[Problem]
) -> Row:
    words = {name: text(stated.values.get(name, "")) for name in ("part", "target", "dye", "sample", "role", "call")}
    role = _role(words["role"], stated, column_map, problems)
    quantity = _number("quantity", stated, problems)
    cq, cq_text = _cq(stated, column_map, latest_cq, problems)
    if role == "std" and quantity is not None and quantity <= 0:
        found = f"a standard of quantity {quantity:g}"
        problems.append(Problem(stated.place("quantity"), found, "a quantity above 0"))
    return {
        "part": words["part"] or None,
        "well": well or _well(stated, problems),
        "target": words["target"],
        "dye": words["dye"] or None,
        "role": role,
        "sample_id": words["sample"] or None,
        "known_copies": quantity if role == "std" and _are_copies(column_map) else None,
        "vendor_cq": cq,
        "vendor_cq_text": cq_text,
        "vendor_call": words["call"] or None,
        "vendor_threshold": _number("threshold", stated, problems),
        "vendor_baseline_start": _number("baseline_start", stated, problems),
        "vendor_baseline_end": _number("baseline_end", stated, problems),
        "vendor_task": words["role"] or None,
        "vendor_quantity": quantity,
        "vendor_quantity_unit": None if quantity is None else column_map.quantity_unit,
    }


def _wells_in_order(stated: Sequence[Stated], column_map: ColumnMap, problems: list[Problem]) -> list[str | None]:
    """A1, A2, … for the curves of each part in their order."""
    used: Counter[str] = Counter()
    wells: list[str | None] = []
    for one in stated:
        part = text(one.values.get("part", ""))
        used[part] += 1
        wells.append(well_at(used[part], _COLUMNS_OF_PLATE[column_map.plate]))
    problems += [
        Problem(f"{column_map.label}, wells", f"{count} curves{f' of part {part}' if part else ''}", expected)
        for part, count in used.items()
        if count > column_map.plate and (expected := f"at most {column_map.plate} on a plate (key plate, field part)")
    ]
    return wells


def _well(stated: Stated, problems: list[Problem]) -> str | None:
    spelled = text(stated.values.get("well", ""))
    well = normal_well(spelled)
    if well is None:
        problems.append(Problem(stated.place("well"), repr(spelled), "a well such as A1"))
    return well


def _role(word: str, stated: Stated, column_map: ColumnMap, problems: list[Problem]) -> str:
    if "role" not in stated.values:
        return "unkn"
    role = column_map.role(word)
    if role is None:
        known = ", ".join(sorted({*column_map.role_words, *ROLES} - {""}))
        remedy = f"Add it to role_words in {column_map.label}: {{{word or chr(34) * 2}: unkn}}."
        problems.append(Problem(stated.place("role"), repr(word), f"one of {known}", remedy))
    return role or "unkn"


def _number(name: str, stated: Stated, problems: list[Problem]) -> float | None:
    """The number in a field; None where nothing is stated."""
    value = stated.values.get(name, "")
    if isinstance(value, float) and not math.isnan(value):
        return value
    spelled = text(value)
    if spelled in ("", "-"):
        return None
    number = finite_or_none(spelled, stated.decimal)
    if number is None:
        problems.append(Problem(stated.place(name), repr(spelled), "a number"))
    return number


def _are_copies(column_map: ColumnMap) -> bool:
    return (column_map.quantity_unit or "").strip().casefold() in _COPIES


def _cq(
    stated: Stated, column_map: ColumnMap, latest: float, problems: list[Problem]
) -> tuple[float | None, str | None]:
    """Cq as a number, or None and what stands for "none"."""
    spelled = text(stated.values.get("cq", ""))
    number = finite_or_none(spelled, stated.decimal)
    if not spelled:
        return None, None
    if spelled in column_map.no_cq or _is_one_of(number, column_map.no_cq):
        return None, spelled
    if number is None or not 0 < number <= latest:
        remedy = f"Where it stands for no Cq, add it to no_cq in {column_map.label}."
        expected = "a Cq above 0" + (f" and at most {latest:g}, one behind the last cycle" if number else "")
        problems.append(Problem(stated.place("cq"), repr(spelled), expected, remedy))
    return number, None


def _is_one_of(number: float | None, words: frozenset[str]) -> bool:
    return number is not None and any(finite_or_none(word) == number for word in words)


def _warn(rows: Sequence[Row], column_map: ColumnMap, warnings: list[str]) -> None:
    if not column_map.names("role"):
        warnings.append(ROLES_NOT_STATED)
    if column_map.wells_in_order:
        warnings.append("The table does not say the wells; they were given in order, as its column map says.")
    standards = [row for row in rows if row["role"] == "std"]
    unstated = sum(row["vendor_quantity"] is None for row in standards)
    if unstated:
        warnings.append(f"{unstated} standard reactions carry no quantity; their copies are unknown.")
    if len(standards) > unstated and not _are_copies(column_map):
        warnings.append(
            f"The quantities of {len(standards) - unstated} standard reactions are in {column_map.quantity_unit}, "
            "not in copies; their copies are unknown."
        )
