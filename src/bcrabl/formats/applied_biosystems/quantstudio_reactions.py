"""Who is in each well of an Applied Biosystems export, and what the software reported for it.

`Results` says it all; where it was not exported, `Sample Setup` says at least who is who. Quantities stand in
`Results`, `Standard Curve Result` or `Sample Setup`, depending on the software: entered for standards, calculated for
others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import MOST_CYCLES
from bcrabl.formats.numerals import finite_or_none

if TYPE_CHECKING:
    from bcrabl.formats.applied_biosystems.quantstudio_tables import Book, Table

__all__ = ["RESULT_SHEETS", "ROLE_OF_TASK", "SETUP_SHEETS", "reactions", "role_of"]

RESULT_SHEETS = ("Results", "Primary_result")
SETUP_SHEETS = ("Sample Setup",)
_CALL_SHEETS = ("Target Call",)
_QUANTITY_SHEETS = ("Standard Curve Result",)
ROLE_OF_TASK = {
    "UNKNOWN": "unkn",
    "STANDARD": "std",
    "NTC": "ntc",
    "IPC": "pos",
    "BLOCKED IPC": "neg",
    "NEGATIVE CONTROL": "neg",
    "POSITIVE CONTROL": "pos",
}
"""Roles by task, in upper case with blanks between words."""

_TEXTS = ("target", "task", "dye", "sample", "cq", "omit", "status")
_NUMBERS = {
    "threshold": "vendor_threshold",
    "baseline start": "vendor_baseline_start",
    "baseline end": "vendor_baseline_end",
}
_OMITTED = {"TRUE": True, "YES": True, "FALSE": False, "NO": False, "": False}
_MOST_REACTIONS = 20_000  # an OpenArray has 3,072
_QUANTITIES_AGREE = 1e-3  # relative; texts state three decimals

_Key = tuple[str, str]
"""Well and target."""


def reactions(book: Book, table: Table, export: str, warnings: list[str]) -> list[dict[str, object]]:
    """The reactions of the table that names them, as columns of `bcrabl.tables.REACTIONS`.

    Parameters
    ----------
    book : where quantities, dyes and calls are looked up that the table lacks.
    table : `Results` or `Sample Setup`.
    export : what to export instead, for error texts.
    warnings : gains sentences about what the file does not say.

    Raises
    ------
    DamagedFile : a cell holds what it may not, or there is no reaction.
    """
    problems: list[Problem] = []
    stated = table.texts("target")
    wells = book.wells(table, stated, problems)
    rows = list(wells)
    if len(rows) > _MOST_REACTIONS:
        raise DamagedFile(Problem(table.where, f"{len(rows)} reactions", f"at most {_MOST_REACTIONS}", export))
    texts = {name: table.texts(name) for name in _TEXTS}
    numbers = {name: dict(zip(rows, table.numbers(name, rows, problems).tolist(), strict=True)) for name in _NUMBERS}
    dyes = _looked_up(book, SETUP_SHEETS, "dye")
    calls = {} if table.has("status") else _looked_up(book, _CALL_SHEETS, "call")
    quantities = _quantities(book, table)
    found = []
    for row, well in wells.items():
        cells = {name: column[row] for name, column in texts.items()}
        key = (well, cells["target"])
        role = _role(cells["task"], table.place(row, "task"), problems)
        cq, cq_text = _cq(cells["cq"], table, row, problems)
        found.append(
            {
                "part": None,
                "well": well,
                "target": cells["target"],
                "dye": cells["dye"] or dyes.get(key) or None,
                "role": role,
                "sample_id": cells["sample"] or None,
                "known_copies": quantities.get(key) if role == "std" else None,
                "vendor_cq": cq,
                "vendor_cq_text": cq_text,
                "vendor_call": cells["status"] or calls.get(key) or None,
                "vendor_task": cells["task"] or None,
                "vendor_quantity": quantities.get(key),
                "vendor_omitted": _omitted(cells["omit"], table.place(row, "omit"), problems),
            }
            | {column: numbers[name][row] for name, column in _NUMBERS.items()}
        )
    if not found and not problems:
        problems.append(Problem(table.where, "no reaction", "a well with a target", export))
    if problems:
        raise DamagedFile(problems)
    _warn(found, warnings)
    _warn_of_wells_without_target(book, table, stated, warnings)
    _warn_of_reactions_in_setup_only(book, table, found, warnings)
    return found


def role_of(task: str) -> str | None:
    """The role that a task means, or None for an unknown word."""
    return ROLE_OF_TASK.get(re.sub(r"[\s_-]+", " ", task).upper())


def _role(task: str, place: str, problems: list[Problem]) -> str:
    role = role_of(task) if task else "unkn"
    if role is None:
        problems.append(Problem(place, f"task {task!r}", f"one of {', '.join(ROLE_OF_TASK)}"))
    return role or ""


def _cq(cell: str, table: Table, row: int, problems: list[Problem]) -> tuple[float | None, str | None]:
    """Cq as a number, or None and what stands for "none" (`UNDETERMINED`)."""
    value = finite_or_none(cell, table.decimal)
    if value is not None and value > MOST_CYCLES:
        problems.append(Problem(table.place(row, "cq"), f"a Cq of {value:g}", f"at most {MOST_CYCLES} cycles"))
    return (value, None) if value is not None and value > 0 else (None, cell or None)


def _omitted(cell: str, place: str, problems: list[Problem]) -> bool:
    omitted = _OMITTED.get(cell.upper())
    if omitted is None:
        problems.append(Problem(place, repr(cell), "TRUE or FALSE"))
    return bool(omitted)


def _looked_up(book: Book, sheets: Sequence[str], meaning: str) -> dict[_Key, str]:
    """A column of another sheet, by well and target."""
    table = book.table(sheets, "well", "target", meaning)
    if table is None:
        return {}
    problems: list[Problem] = []
    targets, cells = table.texts("target"), table.texts(meaning)
    wells = book.wells(table, targets, problems)
    if problems:
        raise DamagedFile(problems)
    return {(well, targets[row]): cells[row] for row, well in wells.items()}


def _quantities(book: Book, results: Table) -> dict[_Key, float]:
    """Quantity by well and target, from the first table that states it.

    Raises
    ------
    DamagedFile : a standard's quantity is no number above 0, or two tables contradict each other.
    """
    others = (book.table(sheets, "well", "target", "quantity") for sheets in (_QUANTITY_SHEETS, SETUP_SHEETS))
    tables = [table for table in others if table is not None and table is not results]
    quantities: dict[_Key, float] = {}
    problems: list[Problem] = []
    for table in (results, *tables):
        if table.has("quantity"):
            _add_quantities(book, table, quantities, problems)
    if problems:
        raise DamagedFile(problems)
    return quantities


def _add_quantities(book: Book, table: Table, quantities: dict[_Key, float], problems: list[Problem]) -> None:
    targets, tasks = table.texts("target"), table.texts("task")
    wells = book.wells(table, targets, problems)
    values = table.numbers("quantity", list(wells), problems).tolist()
    for (row, well), value in zip(wells.items(), values, strict=True):
        if np.isnan(value):
            continue
        known = quantities.setdefault((well, targets[row]), value)
        if tasks[row].upper() != "STANDARD":
            continue
        place = table.place(row, "quantity")
        if value <= 0:
            problems.append(Problem(place, f"a standard of quantity {value:g}", "a quantity above 0"))
        elif abs(value - known) > max(_QUANTITIES_AGREE * known, 1e-3):
            problems.append(Problem(place, f"{value:g}", f"the {known:g} that another table states for this standard"))


def _warn(found: Sequence[Mapping[str, object]], warnings: list[str]) -> None:
    """Say which roles and copies the file does not state."""
    without_task = sum(row["vendor_task"] is None for row in found)
    if without_task:
        warnings.append(f"The roles of {without_task} reactions are not in the file; they are read as unknown samples.")
    standards = [row for row in found if row["role"] == "std"]
    unknown = sum(row["known_copies"] is None for row in standards)
    if unknown:
        warnings.append(f"{unknown} standard reactions carry no quantity; their copies are unknown.")
    if len(standards) > unknown:
        warnings.append(
            f"The quantities of {len(standards) - unknown} standard reactions carry no unit; "
            "they are read as copies per reaction."
        )


def _warn_of_wells_without_target(book: Book, table: Table, targets: Iterable[str], warnings: list[str]) -> None:
    """Wells with a Cq but no target are no empty wells."""
    cqs = table.texts("cq")
    measured = [
        cq if not target and finite_or_none(cq, table.decimal) else "" for target, cq in zip(targets, cqs, strict=True)
    ]
    wells = book.wells(table, measured, [])
    if wells:
        named = ", ".join(list(wells.values())[:5]) + (", …" if len(wells) > 5 else "")
        warnings.append(f"{len(wells)} wells have a Cq but name no target and were passed over: {named}.")


def _warn_of_reactions_in_setup_only(
    book: Book, table: Table, found: Sequence[Mapping[str, object]], warnings: list[str]
) -> None:
    """Reactions that the setup names and the results do not are lost: the export was cut off, or is of some wells."""
    setup = book.table(SETUP_SHEETS, "well", "target")
    if setup is None or setup is table:
        return
    targets = setup.texts("target")
    named = {(row["well"], row["target"]) for row in found}
    planned = dict.fromkeys((well, targets[row]) for row, well in book.wells(setup, targets, []).items())
    lost = [f"well {well}, target {target}" for well, target in planned if (well, target) not in named]
    if lost:
        shown = "; ".join(lost[:5]) + ("; …" if len(lost) > 5 else ".")
        warnings.append(
            f"The results do not name {len(lost)} reactions of Sample Setup, which were passed over: {shown}"
        )
