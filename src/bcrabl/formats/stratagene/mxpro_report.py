"""What MxPro (Stratagene/Agilent Mx3000P, Mx3005P) says of the wells: the text report, and the words of well types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.grid import text
from bcrabl.formats.wells import normal_well

if TYPE_CHECKING:
    from bcrabl.formats.grid import SheetTable
    from bcrabl.formats.source import RawFile

__all__ = ["is_report", "known_copies", "reported", "role_of_type"]

_COLUMNS = ("Well", "Well Name", "Dye", "Assay")
_NONE = {"", "---"}
_KIND = r"\s*\((?:d?Rn?)\)"  # R, dR, Rn or dRn: raw or normalised by the passive reference, d for baseline-corrected
_CT = re.compile(r"ct" + _KIND, re.IGNORECASE)
_THRESHOLD = re.compile(r"threshold" + _KIND, re.IGNORECASE)
_QUANTITY = re.compile(r"quantity(?:\s*\(([^)]*)\))?", re.IGNORECASE)
_TYPE = "Well Type"
_COPIES = ("copies", "copy")
_ROLE_OF_TYPE = {
    "UNKNOWN": "unkn",
    "STANDARD": "std",
    "NTC": "ntc",
    "NO RT": "nrt",
    "NAC": "nac",
    "POSITIVE CONTROL": "pos",
    "NEGATIVE CONTROL": "neg",
    "CALIBRATOR": "unkn",  # of a comparison (ΔΔCt), not of the International Scale
    "BUFFER": "opt",
    "NPC": "opt",
}


def is_report(file: RawFile) -> bool:
    """Whether a file is a text report."""
    return "well name" in file.head.replace("\0", "").casefold() and _table(file) is not None


def _table(file: RawFile) -> SheetTable | None:
    return None if file.top is None else file.top.table(*_COLUMNS)


def role_of_type(well_type: str, place: str) -> str:
    """The role of a well type as MxPro calls it.

    Raises
    ------
    DamagedFile : it is none of those known.
    """
    role = _ROLE_OF_TYPE.get(re.sub(r"[\s_-]+", " ", well_type.strip()).upper())
    if role is None:
        raise DamagedFile(Problem(place, f"well type {well_type!r}", f"one of {', '.join(_ROLE_OF_TYPE)}"))
    return role


def reported(file: RawFile, warnings: list[str]) -> dict[tuple[str, str], dict[str, object]]:
    """Columns of `bcrabl.tables.REACTIONS` by well and assay.

    Raises
    ------
    DamagedFile : a well or number cannot be read, or a reaction stands twice.
    """
    table = file.rows().table(*_COLUMNS)
    if table is None:
        raise DamagedFile(Problem(file.path, "no table with the columns " + ", ".join(_COLUMNS), "a text report"))
    table.refuse_beyond_header()
    columns = _Columns(table)
    problems: list[Problem] = []
    reactions: dict[tuple[str, str], dict[str, object]] = {}
    wells, assays = table.texts("Well"), table.texts("Assay")
    for row, (cell, assay) in enumerate(zip(wells, assays, strict=True)):
        if not cell:
            continue
        well = normal_well(cell)
        if well is None or (well, assay) in reactions:
            found = repr(cell) if well is None else f"well {well}, assay {assay!r} a second time"
            problems.append(Problem(table.place(row, "Well"), found, "each well and assay once, wells such as A1"))
        else:
            reactions[well, assay] = columns.reaction(row, problems)
    if problems:
        raise DamagedFile(problems)
    _warn_of_columns(columns, reactions, warnings)
    return reactions


class _Columns:
    """The columns of a report by what they hold."""

    def __init__(self, table: SheetTable) -> None:
        self._table = table
        self._texts = {name: table.texts(name) for name in ("Well Name", "Dye", _TYPE)}
        self.ct = self._named(_CT)
        self.threshold = self._named(_THRESHOLD)
        self.quantity = self._named(_QUANTITY)
        self._table = table.marked_by(self.ct, self.threshold, self.quantity)
        self.unit = self._unit()
        self.has_types = table.has(_TYPE)

    def _named(self, pattern: re.Pattern[str]) -> str | None:
        return next((name for name in self._table.columns if pattern.fullmatch(name)), None)

    def _unit(self) -> str | None:
        match = _QUANTITY.fullmatch(self.quantity or "")
        return (match.group(1) or "").strip() or None if match else None

    def reaction(self, row: int, problems: list[Problem]) -> dict[str, object]:
        """What a row says."""
        stated = {name: "" if cells[row] in _NONE else cells[row] for name, cells in self._texts.items()}
        role = role_of_type(stated[_TYPE], self._table.place(row, _TYPE)) if stated[_TYPE] else "unkn"
        quantity = self._number(row, self.quantity, problems)
        cq, cq_text = self._cq(row, problems)
        return {
            "dye": stated["Dye"] or None,
            "role": role,
            "sample_id": stated["Well Name"] or None,
            "known_copies": self._copies(row, role, quantity, problems),
            "vendor_cq": cq,
            "vendor_cq_text": cq_text,
            "vendor_threshold": self._number(row, self.threshold, problems),
            "vendor_task": stated[_TYPE] or None,
            "vendor_quantity": quantity,
            "vendor_quantity_unit": self.unit if quantity is not None else None,
        }

    def _copies(self, row: int, role: str, quantity: float | None, problems: list[Problem]) -> float | None:
        if self.quantity is None or role != "std":
            return None
        return known_copies(quantity, self.unit, self._table.place(row, self.quantity), problems)

    def _cell(self, row: int, column: str | None) -> str:
        if column is None:
            return ""
        cells, place = self._table.rows[row], self._table.columns[column]
        return text(cells[place]) if place < len(cells) else ""

    def _number(self, row: int, column: str | None, problems: list[Problem]) -> float | None:
        if column is None or self._cell(row, column) in _NONE:
            return None
        return self._table.number(row, column, problems)

    def _cq(self, row: int, problems: list[Problem]) -> tuple[float | None, str | None]:
        """Ct as a number, or None and what stands for "none"."""
        cell = self._cell(row, self.ct)
        if self.ct is None or not cell or cell == "---" or cell.casefold() == "no ct":
            return None, cell or None
        value = self._table.number(row, self.ct, problems)
        return (value, None) if value > 0 else (None, cell)


def known_copies(quantity: float | None, unit: str | None, place: str, problems: list[Problem]) -> float | None:
    """The copies of a standard, where its quantity counts copies or has no unit."""
    if quantity is None:
        return None
    if not quantity > 0:
        problems.append(Problem(place, f"a standard of quantity {quantity:g}", "a quantity above 0"))
    return quantity if unit is None or unit.casefold() in _COPIES else None


def _warn_of_columns(
    columns: _Columns, reactions: Mapping[tuple[str, str], Mapping[str, object]], warnings: list[str]
) -> None:
    if not columns.has_types:
        warnings.append("The text report has no column Well Type; all reactions are read as unknown samples.")
    standards = [row for row in reactions.values() if row["role"] == "std"]
    if standards and columns.unit is None and columns.quantity is not None:
        warnings.append("The quantities of the standards carry no unit; they are read as copies per reaction.")
    unknown = sum(row["known_copies"] is None for row in standards)
    if unknown:
        warnings.append(f"{unknown} standard reactions carry no quantity in copies; their copies are unknown.")
