"""MxPro chart data in an xls workbook: the curves of an amplification plot, one block below the other.

A block begins with a row "A7, <name>, Cycles, Fluorescence"; below it stand cycle and fluorescence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import ROLES_NOT_STATED, assemble, on_common_cycles, problem_of_cycles
from bcrabl.formats.cycle_rows import filled
from bcrabl.formats.numerals import finite_or_none
from bcrabl.formats.source import Format, RawFile, refuse_part
from bcrabl.formats.wells import normal_well
from bcrabl.formats.xls import is_xls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bcrabl.formats.assembly import Curve
    from bcrabl.formats.grid import Sheet
    from bcrabl.run import Run

__all__ = ["FORMAT"]

_LOOK = 50  # rows in which the first block begins
_FLUORESCENCE = re.compile(r"fluorescence(?:\s*\((d?Rn?)\))?", re.IGNORECASE)
_STAGE = {"r": "raw", "rn": "normalised", "dr": "baseline_subtracted", "drn": "baseline_subtracted"}
_EXPORT = "From MxPro export the instrument data as text (Text Format 1) rather than the chart data."
_CORRECTED = "The curves are those of a chart and count as baseline-corrected, which the file does not deny."


def _claims(source: RawFile) -> bool:
    if not is_xls(source.plain) or source.workbook is None:
        return False
    sheets = (source.workbook.sheet(name) for name in source.workbook.sheet_names[:1])
    return any(_begins(filled(row)) for sheet in sheets if sheet for row in sheet.rows[:_LOOK])


def _begins(cells: Sequence[str]) -> bool:
    """Whether a row begins a block: well, name, Cycles, Fluorescence."""
    return (
        len(cells) == 4
        and normal_well(cells[0]) is not None
        and cells[2].casefold() == "cycles"
        and _FLUORESCENCE.fullmatch(cells[3]) is not None
    )


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    workbook = source.workbook
    sheet = None if workbook is None else workbook.sheet(workbook.sheet_names[0])
    if sheet is None:
        raise DamagedFile(Problem(source.path, "no sheet", "one of chart data", _EXPORT))
    rows, curves, stages = _blocks(sheet)
    cycles, fluorescence = on_common_cycles(curves)
    if len(stages) != 1:
        raise DamagedFile(Problem(sheet.where, f"curves of {len(stages)} kinds", "one kind of fluorescence", _EXPORT))
    stage = stages.pop()
    warnings = [ROLES_NOT_STATED, *([_CORRECTED] if stage == "baseline_subtracted" else [])]
    about = {"format": FORMAT.name, "vendor": "Agilent (Stratagene)", "software": "MxPro", "warnings": tuple(warnings)}
    return assemble(source.path, rows, cycles, fluorescence, None, stage, about)


FORMAT = Format(
    name="MxPro chart xls",
    export=_EXPORT,
    claims=_claims,
    read=_read,
    reservation="The reader of MxPro charts was written from the description of the format and met no real file.",
)


def _blocks(sheet: Sheet) -> tuple[list[dict[str, object]], list[Curve], set[str]]:
    """Reaction and curve of each block, and the stages of their signal."""
    rows: list[dict[str, object]] = []
    curves: list[tuple[list[float], list[float]]] = []
    stages = set()
    problems = []
    for number, row in enumerate(sheet.rows):
        cells = filled(row)
        if not cells:
            continue
        if _begins(cells):
            rows.append(_reaction(cells))
            curves.append(([], []))
            stages.add(_stage(cells[3]))
        elif curves and (reading := _reading(cells, sheet.decimal)):
            curves[-1][0].append(reading[0])
            curves[-1][1].append(reading[1])
        elif curves:
            problems.append(Problem(f"{sheet.where}, row {number + 1}", ", ".join(cells), "a cycle and a reading"))
    found = (problem_of_cycles(axis) if len(axis) > 1 else f"{len(axis)} readings" for axis, _ in curves)
    for row_of_block, wrong in zip(rows, found, strict=True):
        if wrong:
            problems.append(Problem(f"{sheet.where}, well {row_of_block['well']}", wrong, "cycles 1, 2, 3, …"))
    if problems:
        raise DamagedFile(problems)
    return rows, [(tuple(axis), values) for axis, values in curves], stages


def _reading(cells: Sequence[str], decimal: str) -> tuple[float, float] | None:
    """Cycle and signal, which stand below their headers or at the beginning of the row."""
    numbers = [finite_or_none(cell, decimal) for cell in cells if cell]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        return None
    return numbers[0], numbers[1]


def _stage(title: str) -> str:
    match = _FLUORESCENCE.fullmatch(title)
    return _STAGE[(match.group(1) if match and match.group(1) else "dR").casefold()]


def _reaction(cells: Sequence[str]) -> dict[str, object]:
    return {
        "part": None,
        "well": normal_well(cells[0]),
        "target": "not named",
        "role": "unkn",
        "sample_id": cells[1] or None,
    }
