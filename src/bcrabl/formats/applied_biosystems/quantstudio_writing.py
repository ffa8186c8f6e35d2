"""A run in the layouts of Applied Biosystems software: Flex txt and Design & Analysis 2 xlsx.

For other programs and for exchange. The same run gives the same bytes, and reading them gives the same reactions and
curves. What the layouts have no place for is an error, not a loss: several parts, roles other than samples, standards
and controls, copies of other reactions than standards.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcrabl.errors import RunError
from bcrabl.formats.applied_biosystems.quantstudio_fitting import PASSIVE_DYE, problems_of, task_of
from bcrabl.formats.wells import normal_well, plate_for, position_on_plate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["write_quantstudio_txt", "write_quantstudio_xlsx"]

_Value = str | float | None
_BLOCKS = {(8, 12): "96-Well Block", (16, 24): "384-Well Block"}
_CREATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # a fixed date; the library wants none with a zone


@dataclass(frozen=True)
class _Sheet:
    """A sheet of a workbook or a section of a text: its name and rows of cells, the header first."""

    name: str
    rows: list[list[_Value]]


@dataclass(frozen=True)
class _Plate:
    """A run as the layouts see it: reactions, wells, dyes.

    Parameters
    ----------
    run : the run.
    rows : its n reactions.
    number : the number of each well, counted along the rows of the plate.
    first : the first reaction of each well, by well in plate order.
    passive : name of the passive reference dye, or None.
    """

    run: Run
    rows: list[dict[str, Any]]
    number: dict[str, int]
    first: dict[str, int]
    passive: str | None

    @classmethod
    def of(cls, run: Run) -> _Plate:
        rows = run.reactions.to_pylist()
        first: dict[str, int] = {}
        for index, row in enumerate(rows):
            first.setdefault(row["well"], index)
        passive = None
        if run.passive_reference is not None:
            passive = str(run.metadata.get("passive_reference") or PASSIVE_DYE)
        return cls(run, rows, _numbers(list(first)), first, passive)

    def place(self, row: Mapping[str, Any]) -> list[_Value]:
        """Well number and position."""
        return [self.number[row["well"]], row["well"]]

    def stated(self, named: Mapping[str, str]) -> list[tuple[str, str]]:
        """Key and value of what the run's metadata say, under the names that a layout has for them."""
        known = {
            "block": _BLOCKS.get(plate_for(filter(normal_well, self.first)), "Block"),
            **{name: str(self.run.metadata[name]) for name in named if self.run.metadata.get(name)},
            "passive_reference": self.passive or "None",
        }
        return [(key, known[name]) for name, key in named.items() if name in known]


def _numbers(wells: Sequence[str]) -> dict[str, int]:
    """Well numbers along the rows of the plate; holes of an OpenArray in their order."""
    if not all(map(normal_well, wells)):
        return {well: number for number, well in enumerate(wells, 1)}
    columns = plate_for(wells)[1]
    return {well: position_on_plate(well, columns) for well in wells}


def write_quantstudio_txt(run: Run, path: str | Path) -> None:
    """Write a run as the sectioned text of the QuantStudio 6 and 7 Flex software, whole or not at all.

    Parameters
    ----------
    run : every reaction needs a target, those of a raw run a dye; see the module.
    path : the file to write.

    Raises
    ------
    RunError : the layout cannot hold the run.

    Notes
    -----
    Reading the file gives the same curves, passive reference, wells, targets, dyes, roles, samples, copies and
    quantities of standards, vendor Cq, call, threshold, baseline and omissions. A task is written as the vendor's own
    word where there is one, and a part comes back without its name; units of quantities are not written.
    """
    from bcrabl.whole_files import write_text

    plate = _plate(run)
    text = io.StringIO(newline="")
    for key, value in plate.stated(_FLEX_KEYS):
        text.write(f"* {key} = {value}\n")
    cells = csv.writer(text, delimiter="\t", lineterminator="\n")
    for sheet in _flex_sheets(plate):
        text.write(f"\n[{sheet.name}]\n")
        cells.writerows([_spelled(value) for value in row] for row in sheet.rows)
    write_text(text.getvalue(), path)


def write_quantstudio_xlsx(run: Run, path: str | Path) -> None:
    """Write a run as an xlsx workbook of QuantStudio Design & Analysis 2, whole or not at all.

    Parameters, errors and what comes back when it is read are those of `write_quantstudio_txt`.
    """
    from bcrabl.whole_files import replacing

    plate = _plate(run)
    stated: list[list[_Value]] = [list(pair) for pair in (*plate.stated(_DA2_KEYS), ("PCR Stage/Step Number", _STEP))]
    with replacing(path) as temporary:
        temporary.write_bytes(_workbook([_Sheet(s.name, [*stated, [], *s.rows]) for s in _da2_sheets(plate)]))


def _plate(run: Run) -> _Plate:
    problems = list(problems_of(run))
    if problems:
        raise RunError(problems)
    return _Plate.of(run)


_FLEX_KEYS = {
    "block": "Block Type",
    "run_date": "Experiment Run End Time",
    "instrument_serial_number": "Instrument Serial Number",
    "instrument": "Instrument Type",
    "passive_reference": "Passive Reference",
    "cq_detection_method": "Quantification Cycle Method",
    "software": "Software Version",
}
_DA2_KEYS = {
    "instrument": "Instrument Type",
    "block": "Block Type",
    "instrument_serial_number": "Instrument Serial Number",
    "run_date": "Run Start Date/Time",
    "passive_reference": "Passive Reference",
    "cq_detection_method": "Quantification Cycle Method",
    "software": "Software Name and Version",
}
_STEP = "Stage 2 Step 2"


def _flex_sheets(plate: _Plate) -> Iterable[_Sheet]:
    who = ("Sample Name", "Target Name", "Task", "Reporter", "Quencher")
    yield _Sheet(
        "Sample Setup",
        [
            ["Well", "Well Position", *who, "Quantity"],
            *([*plate.place(row), *_who(row), _quantity(row)] for row in plate.rows),
        ],
    )
    header: list[_Value] = ["Well", "Well Position", "Cycle", "Target Name", "Rn", "Delta Rn"]
    yield _Sheet("Amplification Data", [header, *_amplification(plate)])
    if plate.run.stage == "raw":
        yield _Sheet("Multicomponent Data", _multicomponent(plate, ["Well", "Well Position", "Cycle"], []))
    analysis = ("CT", "Quantity", "Ct Threshold", "Baseline Start", "Baseline End", "Amp Status")
    yield _Sheet(
        "Results",
        [
            ["Well", "Well Position", "Omit", *who, *analysis],
            *(
                [*plate.place(row), _omit(row).lower(), *_who(row), _cq(row), _quantity(row), *_settings(row)]
                for row in plate.rows
            ),
        ],
    )


def _da2_sheets(plate: _Plate) -> Iterable[_Sheet]:
    who = ("Sample", "Target", "Task", "Reporter", "Quencher")
    yield _Sheet(
        "Results",
        [
            ["Well", "Well Position", "Omit", *who, "Cq", "Threshold", "Baseline Start", "Baseline End", "Amp Status"],
            *([*plate.place(row), _omit(row), *_who(row), _cq(row), *_settings(row)] for row in plate.rows),
        ],
    )
    header: list[_Value] = ["Well", "Well Position", "Cycle Number", "Target", "Rn", "dRn"]
    yield _Sheet("Amplification Data", [header, *_amplification(plate)])
    if plate.run.stage == "raw":
        columns = ["Well", "Well Position", "Stage Number", "Step Number", "Cycle Number"]
        yield _Sheet("Multicomponent", _multicomponent(plate, columns, [2, 2]))
    yield _Sheet(
        "Standard Curve Result",
        [
            ["Well", "Well Position", *who, "Quantity"],
            *([*plate.place(row), *_who(row), _quantity(row)] for row in plate.rows),
        ],
    )


def _who(row: Mapping[str, Any]) -> list[_Value]:
    """Sample, target, task, reporter and quencher."""
    return [row["sample_id"], row["target"], task_of(row), row["dye"], None]


def _settings(row: Mapping[str, Any]) -> list[_Value]:
    names = ("vendor_threshold", "vendor_baseline_start", "vendor_baseline_end", "vendor_call")
    return [row[name] for name in names]


def _quantity(row: Mapping[str, Any]) -> _Value:
    quantity: float | None = row["known_copies"] if row["role"] == "std" else row["vendor_quantity"]
    return quantity


def _cq(row: Mapping[str, Any]) -> _Value:
    cq: _Value = row["vendor_cq_text"] if row["vendor_cq"] is None else row["vendor_cq"]
    return cq


def _omit(row: Mapping[str, Any]) -> str:
    return "TRUE" if row["vendor_omitted"] else "FALSE"


def _amplification(plate: _Plate) -> Iterable[list[_Value]]:
    """Rn and ΔRn of each reaction in each cycle; only one of them is known."""
    signal = _cells(plate.run.signal)
    subtracted = plate.run.stage == "baseline_subtracted"
    for row, curve in zip(plate.rows, signal, strict=True):
        for cycle, value in zip(plate.run.cycles.tolist(), curve, strict=True):
            rn, delta_rn = (None, value) if subtracted else (value, None)
            yield [*plate.place(row), int(cycle), row["target"], rn, delta_rn]


def _multicomponent(plate: _Plate, columns: list[str], step: list[_Value]) -> list[list[_Value]]:
    """The signal of each dye in each well and cycle."""
    dyes = sorted({row["dye"] for row in plate.rows} | ({plate.passive} if plate.passive else set()))
    curve_of = {(row["well"], row["dye"]): index for index, row in enumerate(plate.rows)}
    fluorescence = _cells(plate.run.fluorescence)
    reference = None if plate.run.passive_reference is None else _cells(plate.run.passive_reference)
    missing: list[float | None] = [None] * len(plate.run.cycles)
    rows: list[list[_Value]] = [[*columns, *dyes]]
    for well, first in plate.first.items():
        curves = [fluorescence[curve_of[well, dye]] if (well, dye) in curve_of else missing for dye in dyes]
        if reference is not None and plate.passive is not None:
            curves[dyes.index(plate.passive)] = reference[first]
        for cycle, readings in zip(plate.run.cycles.tolist(), zip(*curves, strict=True), strict=True):
            rows.append([plate.number[well], well, *step, int(cycle), *readings])
    return rows


def _cells(values: NDArray[np.float64]) -> list[list[float | None]]:
    """An (n, m) array as cells; None for NaN."""
    return [[value if value == value else None for value in row] for row in values.tolist()]


def _spelled(value: _Value) -> str:
    return "" if value is None else value if isinstance(value, str) else repr(value)


def _workbook(sheets: Iterable[_Sheet]) -> bytes:
    """An xlsx workbook of these sheets; texts are texts, whatever they begin with."""
    from xlsxwriter import Workbook

    from bcrabl.formats.applied_biosystems.exact_worksheet import ExactWorksheet

    content = io.BytesIO()
    book = Workbook(content, {"in_memory": True})
    book.set_properties({"created": _CREATED})
    for sheet in sheets:
        page = book.add_worksheet(sheet.name, ExactWorksheet)
        for number, row in enumerate(sheet.rows):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    page.write_string(number, column, value)
                elif value is not None:
                    page.write_number(number, column, value)
    book.close()
    return content.getvalue()
