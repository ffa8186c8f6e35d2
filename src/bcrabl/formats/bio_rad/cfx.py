"""Bio-Rad CFX: "Export All Data Sheets" as csv, as workbooks, or as XML.

A table of amplification has the RFU of one fluor, one column for each well. Who is in a well stands in the table of Cq
results, one row for each well and fluor; without that table the wells have no roles.

Symbols: n reactions, m cycles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import Problem
from bcrabl.formats.assembly import LATEST_CQ_BEYOND, assemble, left_out, on_common_cycles, warnings_of_quantities
from bcrabl.formats.bio_rad.cfx_curves import MOST_PROBLEMS, Key, Reading, fluor_of, number_or_nan, read_curves
from bcrabl.formats.bio_rad.cfx_tables import (
    EXPORT,
    Tables,
    has_amplification,
    has_xml_amplification,
    tables_of,
)
from bcrabl.formats.bio_rad.cfx_words import ROLE_OF_CONTENT, role_of
from bcrabl.formats.grid import Cell, SheetTable, text
from bcrabl.formats.source import Format, RawFile, refuse_part
from bcrabl.formats.wells import normal_well

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["FORMAT", "FORMAT_XML"]

_CQ_COLUMNS = ("Well", "Fluor", "Target", "Content", "Sample")


def _claims(source: RawFile) -> bool:
    return has_amplification(source)


def _claims_xml(source: RawFile) -> bool:
    return has_xml_amplification(source)


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    tables = tables_of(source)
    reading = Reading(source.path)
    for table in tables.amplification:
        read_curves(table, fluor_of(table, tables), reading)
    reading.raise_problems()
    rows = _unnamed_reactions(reading) if tables.cq is None else _reactions(tables, tables.cq, reading)
    reading.raise_problems()
    kept = _with_curve(rows, reading)
    if tables.cq is not None:
        reading.warnings.extend(_gaps(kept, reading.nameless))
    cycles, fluorescence = on_common_cycles([reading.curves[_key(row)] for row in kept])
    stage = _stage(fluorescence, reading.warnings)
    reading.warnings.extend(warnings_of_quantities(kept))
    about = _about(tables.stated, reading.warnings)
    return assemble(
        source.path, kept, cycles, fluorescence, None, stage, {**about, "warnings": tuple(reading.warnings)}
    )


FORMAT = Format(
    name="Bio-Rad CFX csv or xlsx",
    export=EXPORT,
    claims=_claims,
    read=_read,
)

FORMAT_XML = Format(
    name="Bio-Rad CFX XML",
    export="In CFX Maestro choose Export > Export All Data Sheets > XML, and keep all files of the run together.",
    claims=_claims_xml,
    read=_read,
    reservation="The reader of CFX XML was written from descriptions of the format and has not met a real file.",
)


def _key(row: Mapping[str, object]) -> Key:
    return str(row["well"]), str(row["dye"]).casefold()


def _unnamed_reactions(reading: Reading) -> list[dict[str, object]]:
    """Reactions of which nothing is known but well and fluor."""
    reading.warnings.append(
        "There is no table of Cq results beside the curves: roles and samples are not in the files, all reactions are "
        "read as unknown samples, and targets are named by their fluor."
    )
    return [_reaction(well, reading.fluors[fluor], reading.fluors[fluor]) for well, fluor in reading.curves]


def _reaction(well: str, fluor: str, target: str) -> dict[str, object]:
    return {"part": None, "well": well, "target": target, "dye": fluor, "role": "unkn", "vendor_omitted": False}


def _reactions(tables: Tables, cq: SheetTable, reading: Reading) -> list[dict[str, object]]:
    """The reactions of the table of Cq, as columns of `bcrabl.tables.REACTIONS`."""
    cells = {name: cq.cells(name) for name in _CQ_COLUMNS}
    cells |= {"Cq": cq.cells(tables.cq_column), "SQ": cq.cells(tables.quantity_column)}
    rows: dict[Key, dict[str, object]] = {}
    for number in range(len(cq.rows)):
        stated = {name: column[number] for name, column in cells.items()}
        if not (text(stated["Well"]) or text(stated["Fluor"])):
            continue
        _check_length(number, cq, tables, reading.problems)
        row = _stated_reaction(number, stated, cq, tables, reading)
        if _key(row) in rows:
            found = f"a second row of well {row['well']}, fluor {row['dye']}"
            reading.problems.append(Problem(cq.place(number, "Well"), found, "one row for each well and fluor"))
        rows[_key(row)] = row
        if not text(stated["Target"]):
            reading.nameless.add(_key(row))
        if len(reading.problems) > MOST_PROBLEMS:
            break
    return list(rows.values())


def _check_length(number: int, cq: SheetTable, tables: Tables, problems: list[Problem]) -> None:
    """A row that ends early comes from a file that was cut; one that goes on has a separator in a name."""
    row = cq.rows[number]
    last = max(cq.columns[name.casefold()] for name in ("Content", tables.cq_column, tables.quantity_column) if name)
    width = len(cq.sheet.rows[cq.first_row - 2])
    shifted = len(row) > width and (
        any(map(text, row[width:])) or not text(row[cq.columns[tables.cq_column.casefold()]])
    )
    if len(row) <= last or shifted:
        found = f"a row of {len(row)} cells"
        problems.append(Problem(cq.place(number, "Well"), found, f"{width} cells", "Export or copy the file again."))


def _stated_reaction(
    number: int, stated: Mapping[str, Cell], cq: SheetTable, tables: Tables, reading: Reading
) -> dict[str, object]:
    """One row of the table of Cq."""
    problems = reading.problems
    named = {name: text(stated[name]) for name in _CQ_COLUMNS}
    well = normal_well(named["Well"])
    if well is None:
        problems.append(Problem(cq.place(number, "Well"), repr(named["Well"]), "a well such as A01"))
    if not named["Fluor"]:
        problems.append(Problem(cq.place(number, "Fluor"), "no fluor", "the fluor of the row"))
    role = role_of(named["Content"]) if named["Content"] else "unkn"
    if role is None:
        expected = f"one of {', '.join(ROLE_OF_CONTENT)}"
        problems.append(Problem(cq.place(number, "Content"), f"content {named['Content']!r}", expected))
    threshold_cycle = number_or_nan(stated["Cq"], cq.sheet.decimal, cq.place(number, tables.cq_column), problems)
    if threshold_cycle > reading.last_cycle + LATEST_CQ_BEYOND:
        found, expected = f"Cq {threshold_cycle:g}", f"at most {reading.last_cycle:g}, the last cycle"
        problems.append(Problem(cq.place(number, tables.cq_column), found, expected, "Correct the cell."))
    has_cq = threshold_cycle > 0
    quantity = None
    if tables.quantity_column:
        place = cq.place(number, tables.quantity_column)
        quantity = _quantity(stated["SQ"], role == "std", cq.sheet.decimal, place, problems)
    fluor = reading.fluors.get(named["Fluor"].casefold(), named["Fluor"])
    return _reaction(well or "", fluor, named["Target"] or fluor) | {
        "role": role,
        "sample_id": named["Sample"] or None,
        "known_copies": quantity if role == "std" else None,
        "vendor_cq": threshold_cycle if has_cq else None,
        "vendor_cq_text": None if has_cq else text(stated["Cq"]) or None,
        "vendor_task": named["Content"] or None,
        "vendor_quantity": quantity,
    }


def _quantity(cell: Cell, is_standard: bool, decimal: str, place: str, problems: list[Problem]) -> float | None:
    """The starting quantity: entered for standards, calculated for others."""
    value = number_or_nan(cell, decimal, place, problems)
    if is_standard and value <= 0:
        problems.append(Problem(place, f"a standard of quantity {value:g}", "a quantity above 0"))
    return None if np.isnan(value) else value


def _with_curve(rows: Sequence[dict[str, object]], reading: Reading) -> list[dict[str, object]]:
    """The reactions that have a curve; others, and curves of which the table of Cq does not speak, are named."""
    keys = {_key(row) for row in rows}
    lost = [f"well {row['well']}, fluor {row['dye']}" for row in rows if _key(row) not in reading.curves]
    if lost:
        reading.warnings.append(left_out(lost))
    strange = [
        f"well {well}, fluor {reading.fluors[fluor]}" for well, fluor in reading.curves if (well, fluor) not in keys
    ]
    if strange:
        shown = "; ".join(strange[:5]) + ("; …" if len(strange) > 5 else ".")
        reading.warnings.append(f"{len(strange)} curves are not in the Cq results and were left out: {shown}")
    return [row for row in rows if _key(row) in reading.curves]


def _gaps(kept: Sequence[Mapping[str, object]], nameless: set[Key]) -> list[str]:
    """What is to be said of reactions of which the table of Cq leaves the target or the content empty."""
    unnamed = sum(_key(row) in nameless for row in kept)
    speechless = sum(row["vendor_task"] is None for row in kept)
    sentences = [
        (unnamed, f"{unnamed} reactions have no target in the Cq results; they are named by their fluor."),
        (speechless, f"{speechless} reactions have no content in the Cq results; they are read as unknown samples."),
    ]
    return [sentence for number, sentence in sentences if number]


def _stage(fluorescence: NDArray[np.float64], warnings: list[str]) -> str:
    """How far CFX had processed the curves; see `bcrabl.run.STAGES`. No file says it.

    Notes
    -----
    By default CFX subtracts from each curve the straight line fitted to its baseline cycles. The residuals of such a
    fit sum to zero, so each curve has values of 0 or less; raw RFU of a dye are hundreds to thousands and have none.
    If no curve has any, the setting was "No Baseline Subtraction". Otherwise some curves may lack them, since smoothing
    ("Baseline Subtracted Curve Fit") moves values a little.
    """
    reach_zero = int((np.nanmin(fluorescence, axis=1) <= 0).sum()) if fluorescence.size else 0
    if not reach_zero:
        warnings.append(
            "No value of the curves is 0 or less, so that no baseline can have been subtracted (CFX: Settings > "
            "Baseline Setting > No Baseline Subtraction); they are read as raw."
        )
        return "raw"
    warnings.append(
        f"CFX had subtracted the baseline before export, as values of 0 and less in {reach_zero} of "
        f"{len(fluorescence)} curves show; it cannot be checked."
    )
    return "baseline_subtracted"


def _about(stated: Mapping[str, str], warnings: list[str]) -> dict[str, object]:
    """What the table of run information says, as far as it does."""
    version = next(((key, value) for key, value in stated.items() if re.fullmatch(r"CFX .*Version", key)), ("", ""))
    about = {
        "format": FORMAT.name,
        "vendor": "Bio-Rad",
        "instrument_serial_number": stated.get("Base Serial Number"),
        "software": " ".join(filter(None, (version[0].removesuffix(" Version"), version[1].strip(" .")))),
        "run_date": _run_date(stated.get("Run Started", ""), warnings),
    }
    return {name: value for name, value in about.items() if value}


def _run_date(stated: str, warnings: list[str]) -> str | None:
    """The day a run started, as YYYY-MM-DD; CFX writes month before day in every language and says UTC behind it."""
    if not stated:
        return None
    try:
        return datetime.strptime(stated, "%m/%d/%Y %H:%M:%S UTC").date().isoformat()
    except ValueError:
        warnings.append(f"The start of the run, {stated[:40]!r}, is not written as CFX does and was not read.")
        return None
