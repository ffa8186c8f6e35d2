"""QuantStudio Design & Analysis 2.x and Diomni: an xlsx workbook with one sheet for each kind of result.

`Results` (or `Primary_result`) says who is in each well, `Multicomponent` holds the signal of every dye in every well
and cycle, `Amplification Data` the same divided by the passive reference (Rn), `Standard Curve Result` the quantities.
Tables begin at their header row, wherever it stands; above it are key and value.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import Readings, arrange, assemble, left_out
from bcrabl.formats.grid import Sheet, SheetTable
from bcrabl.formats.numerals import finite_or_none
from bcrabl.formats.source import Format, RawFile, Sheets, refuse_part
from bcrabl.formats.wells import normal_well, well_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["FORMAT"]

_RESULT_SHEETS = ("Results", "Primary_result")
_RESULT_COLUMNS = ("Well", "Target", "Task", "Reporter", "Cq")
_SIGNAL_COLUMNS = ("Well", "Cycle Number")
_RN_COLUMNS = ("Well", "Cycle Number", "Target", "Rn")
_QUANTITY_COLUMNS = ("Well", "Target", "Task", "Quantity")
_TEXT_COLUMNS = ("Target", "Task", "Reporter", "Sample", "Cq", "Omit")
_NUMBER_COLUMNS = {
    "Threshold": "vendor_threshold",
    "Baseline Start": "vendor_baseline_start",
    "Baseline End": "vendor_baseline_end",
}
_EXPORT = (
    "From QuantStudio Design & Analysis 2 export an xlsx with the sheets Results, Amplification Data, Multicomponent "
    "and Standard Curve Result."
)
_ROLE_OF_TASK = {
    "UNKNOWN": "unkn",
    "STANDARD": "std",
    "NTC": "ntc",
    "IPC": "pos",
    "BLOCKED IPC": "neg",
    "NEGATIVE CONTROL": "neg",
    "POSITIVE CONTROL": "pos",
}
_COLUMNS_OF_BLOCK = {"96": 12, "384": 24}


@dataclass(frozen=True)
class _Signal:
    """Curves as read from a sheet: (n, m) fluorescence by place in `curves`, and the passive reference or None."""

    curves: Mapping[Hashable, int]
    cycles: NDArray[np.float64]
    fluorescence: NDArray[np.float64]
    passive_reference: NDArray[np.float64] | None
    stage: str


def _claims(source: RawFile) -> bool:
    workbook = source.workbook
    if workbook is None:
        return False
    if any(name in workbook.sheet_names for name in _RESULT_SHEETS):
        return _table(workbook, _RESULT_SHEETS, _RESULT_COLUMNS) is not None
    return _table(workbook, ("Amplification Data",), _RN_COLUMNS) is not None


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    workbook = source.workbook
    results = None if workbook is None else _table(workbook, _RESULT_SHEETS, _RESULT_COLUMNS)
    if workbook is None or results is None:
        found = "no sheet Results (or Primary_result) with the columns " + ", ".join(_RESULT_COLUMNS)
        raise DamagedFile(Problem(source.path, found, "that sheet", _EXPORT))
    warnings: list[str] = []
    rows = _reactions(results, _quantities(workbook), warnings)
    signal = _signal(source.path, workbook, results.stated, rows, warnings)
    kept = _with_curve(rows, signal, warnings)
    places = [signal.curves[_key(rows[index], signal)] for index in kept]
    passive = signal.passive_reference
    return assemble(
        source.path,
        [rows[index] for index in kept],
        signal.cycles,
        signal.fluorescence[places],
        None if passive is None else passive[places],
        signal.stage,
        {**_about(results.stated), "warnings": tuple(warnings)},
    )


FORMAT = Format(
    name="QuantStudio Design & Analysis 2 xlsx",
    export=_EXPORT,
    claims=_claims,
    read=_read,
)


def _table(workbook: Sheets, names: Sequence[str], columns: Sequence[str]) -> SheetTable | None:
    """The table with these columns on the first of these sheets that there is."""
    sheets = (workbook.sheet(name) for name in names)
    sheet: Sheet | None = next((sheet for sheet in sheets if sheet is not None), None)
    return None if sheet is None else sheet.table(*columns)


def _wells(table: SheetTable, needed: str, problems: list[Problem]) -> dict[int, str]:
    """The well of each row that holds data; `needed` is the column that data rows fill and footers do not."""
    column = "Well Position" if table.has("Well Position") else "Well"
    columns = _COLUMNS_OF_BLOCK.get(table.stated.get("Block Type", "").partition("-")[0])
    wells = {}
    for row, (cell, filled) in enumerate(zip(table.texts(column), table.texts(needed), strict=True)):
        if not filled:
            continue
        well = well_at(int(cell), columns) if columns and cell.isascii() and cell.isdigit() else normal_well(cell)
        if well is None:
            problems.append(Problem(table.place(row, column), repr(cell), "a well such as A1"))
        else:
            wells[row] = well
    return wells


def _reactions(
    table: SheetTable, quantities: Mapping[tuple[str, str], float], warnings: list[str]
) -> list[dict[str, object]]:
    """The reactions of the result sheet, as columns of `bcrabl.tables.REACTIONS`."""
    problems: list[Problem] = []
    wells = _wells(table, "Target", problems)
    rows = list(wells)
    texts = {name: table.texts(name) for name in _TEXT_COLUMNS}
    numbers = {
        name: dict(zip(rows, table.numbers(name, rows, problems).tolist(), strict=True)) for name in _NUMBER_COLUMNS
    }
    reactions = []
    for row, well in wells.items():
        stated = {name: cells[row] for name, cells in texts.items()}
        role = _role(stated["Task"], table.place(row, "Task"), problems)
        quantity = quantities.get((well, stated["Target"]))
        reactions.append(
            _who(well, role, stated, quantity)
            | {column: numbers[name][row] for name, column in _NUMBER_COLUMNS.items()}
            | {"vendor_omitted": _omitted(stated["Omit"], table.place(row, "Omit"), problems)}
        )
    if not reactions and not problems:
        problems.append(Problem(table.where, "no reaction", "a well with a target", _EXPORT))
    if problems:
        raise DamagedFile(problems)
    _warn_of_quantities(reactions, warnings)
    return reactions


def _who(well: str, role: str, stated: Mapping[str, str], quantity: float | None) -> dict[str, object]:
    """The columns that say who is in a well, and the Cq and quantity reported for it."""
    cq, cq_text = _cq(stated["Cq"])
    return {
        "part": None,
        "well": well,
        "target": stated["Target"],
        "dye": stated["Reporter"] or None,
        "role": role,
        "sample_id": stated["Sample"] or None,
        "known_copies": quantity if role == "std" else None,
        "vendor_cq": cq,
        "vendor_cq_text": cq_text,
        "vendor_task": stated["Task"],
        "vendor_quantity": quantity,
    }


def _role(task: str, place: str, problems: list[Problem]) -> str:
    role = _ROLE_OF_TASK.get(re.sub(r"[\s_-]+", " ", task).upper(), "")
    if not role:
        problems.append(Problem(place, f"task {task!r}", f"one of {', '.join(_ROLE_OF_TASK)}"))
    return role


def _cq(cell: str) -> tuple[float | None, str | None]:
    """Cq as a number, or None and what stands for "none" (`UNDETERMINED`)."""
    value = finite_or_none(cell)
    return (value, None) if value is not None and value > 0 else (None, cell or None)


def _omitted(cell: str, place: str, problems: list[Problem]) -> bool:
    if cell.upper() not in {"TRUE", "FALSE", ""}:
        problems.append(Problem(place, repr(cell), "TRUE or FALSE"))
    return cell.upper() == "TRUE"


def _quantities(workbook: Sheets) -> dict[tuple[str, str], float]:
    """Quantity by well and target: entered for standards, calculated for others."""
    table = _table(workbook, ("Standard Curve Result",), _QUANTITY_COLUMNS)
    if table is None:
        return {}
    problems: list[Problem] = []
    wells = _wells(table, "Target", problems)
    values = table.numbers("Quantity", list(wells), problems).tolist()
    targets, tasks = table.texts("Target"), table.texts("Task")
    quantities = {}
    for (row, well), value in zip(wells.items(), values, strict=True):
        if tasks[row].upper() == "STANDARD" and value <= 0:
            place = table.place(row, "Quantity")
            problems.append(Problem(place, f"a standard of quantity {value:g}", "a quantity above 0"))
        if not np.isnan(value):
            quantities[well, targets[row]] = value
    if problems:
        raise DamagedFile(problems)
    return quantities


def _warn_of_quantities(rows: Sequence[Mapping[str, object]], warnings: list[str]) -> None:
    standards = [row for row in rows if row["role"] == "std"]
    unknown = sum(row["known_copies"] is None for row in standards)
    if unknown:
        warnings.append(f"{unknown} standard reactions carry no quantity; their copies are unknown.")
    if len(standards) > unknown:
        warnings.append(
            f"The quantities of {len(standards) - unknown} standard reactions carry no unit; "
            "they are read as copies per reaction."
        )


def _signal(
    path: str,
    workbook: Sheets,
    stated: Mapping[str, str],
    rows: Sequence[Mapping[str, object]],
    warnings: list[str],
) -> _Signal:
    """Dye signal and passive reference; Rn where the signal of a dye is not in the file."""
    table = _table(workbook, ("Multicomponent",), _SIGNAL_COLUMNS)
    passive_dye = _passive_dye(stated)
    needed = {str(row["dye"] or "a reporter that is not named") for row in rows} | (
        {passive_dye} if passive_dye else set()
    )
    if table is None:
        missing = "there is no sheet Multicomponent"
    elif lacking := sorted(dye for dye in needed if not table.has(dye)):
        missing = f"the sheet Multicomponent has no signal of {', '.join(lacking)}"
    else:
        return _dye_signal(table, rows, passive_dye)
    warnings.append(f"The curves are Rn, since {missing}; the passive reference cannot be checked.")
    amplification = _table(workbook, ("Amplification Data",), _RN_COLUMNS)
    if amplification is None:
        found = f"no curves: {missing}, and no sheet Amplification Data"
        raise DamagedFile(Problem(path, found, "one of them", _EXPORT))
    return _rn(amplification)


def _passive_dye(stated: Mapping[str, str]) -> str | None:
    dye = stated.get("Passive Reference", "")
    return None if dye.lower() in {"", "none", "-"} else dye


def _dye_signal(table: SheetTable, rows: Sequence[Mapping[str, object]], passive_dye: str | None) -> _Signal:
    """Signal of each well in each reporter dye, from one column per dye."""
    problems: list[Problem] = []
    wells = _of_amplification(table, _wells(table, "Cycle Number", problems))
    readings = _arranged(table, dict(wells), problems)
    dyes = sorted({str(row["dye"]) for row in rows})
    signal = {dye: readings.filled(table.numbers(dye, list(wells), problems)) for dye in dyes}
    passive = None
    if passive_dye is not None:
        passive = readings.filled(table.numbers(passive_dye, list(wells), problems))
    if problems:
        raise DamagedFile(problems)
    curves: dict[Hashable, int] = {
        (well, dye): place * len(readings.curves) + index
        for place, dye in enumerate(dyes)
        for well, index in readings.curves.items()
    }
    fluorescence = np.concatenate([signal[dye] for dye in dyes])
    repeated = None if passive is None else np.concatenate([passive] * len(dyes))
    return _Signal(curves, readings.cycles, fluorescence, repeated, "raw")


def _rn(table: SheetTable) -> _Signal:
    """Rn of each well and target."""
    problems: list[Problem] = []
    targets = table.texts("Target")
    keys = {row: (well, targets[row]) for row, well in _wells(table, "Target", problems).items()}
    readings = _arranged(table, dict(keys), problems)
    values = table.numbers("Rn", list(keys), problems)
    if problems:
        raise DamagedFile(problems)
    return _Signal(readings.curves, readings.cycles, readings.filled(values), None, "normalised")


def _of_amplification(table: SheetTable, wells: dict[int, str]) -> dict[int, str]:
    """The rows read in the amplification step: other steps count their own cycles."""
    steps = list(zip(table.texts("Stage Number"), table.texts("Step Number"), strict=True))
    stated = re.fullmatch(r"Stage\s*(\d+)\s*,?\s*Step\s*(\d+)", table.stated.get("PCR Stage/Step Number", ""))
    chosen = stated.groups() if stated else None
    present = [steps[row] for row in wells]
    if chosen not in present:
        # The step with the most readings is the one that cycles
        chosen = max(dict.fromkeys(present), key=present.count, default=None)
    return {row: well for row, well in wells.items() if steps[row] == chosen}


def _arranged(table: SheetTable, keys: Mapping[int, Hashable], problems: list[Problem]) -> Readings:
    """Where the readings of the rows belong."""
    column = "Cycle Number"
    rows = list(keys)
    cycle_of = table.numbers(column, rows, problems)
    if problems:
        raise DamagedFile(problems)
    return arrange(list(keys.values()), cycle_of, lambda reading: table.place(rows[reading], column))


def _key(row: Mapping[str, object], signal: _Signal) -> Hashable:
    return row["well"], row["dye"] if signal.stage == "raw" else row["target"]


def _with_curve(rows: Sequence[Mapping[str, object]], signal: _Signal, warnings: list[str]) -> list[int]:
    """Places of the reactions that have a curve; the others are left out and named."""
    measured = [bool(curve.any()) for curve in np.isfinite(signal.fluorescence)]
    kept, lost = [], []
    for index, row in enumerate(rows):
        curve = signal.curves.get(_key(row, signal))
        if curve is not None and measured[curve]:
            kept.append(index)
        else:
            lost.append(f"well {row['well']}, target {row['target']}")
    if lost:
        warnings.append(left_out(lost))
    return kept


def _about(stated: Mapping[str, str]) -> dict[str, object]:
    """What the file says of the run, as far as it does."""
    software = stated.get("Software Name and Version") or " ".join(
        filter(None, (stated.get("Software name"), stated.get("Software version")))
    )
    about = {
        "format": FORMAT.name,
        "vendor": "Applied Biosystems",
        "instrument": stated.get("Instrument Type"),
        "instrument_serial_number": stated.get("Instrument Serial Number"),
        "block": stated.get("Block Type"),
        "software": software,
        "run_date": _run_date(stated.get("Run Start Date/Time", "")),
        "passive_reference": _passive_dye(stated),
        "cq_detection_method": stated.get("Quantification Cycle Method"),
    }
    return {name: value for name, value in about.items() if value}


def _run_date(text: str) -> str | None:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None
