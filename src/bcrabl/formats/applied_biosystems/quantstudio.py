"""Exports of Applied Biosystems software in sheets and sections: QuantStudio, ViiA 7, StepOne and 7500.

Twenty years of one layout under changing names: Design & Analysis 2 (and Diomni) in xlsx; before it Design & Analysis
1, the QuantStudio Real-Time PCR software, ViiA 7, StepOne and 7500 software 2 in xlsx, xls and sectioned text. Tables
begin at their header row, wherever it stands; above it are key and value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.applied_biosystems.quantstudio_curves import passive_dye, signal_of
from bcrabl.formats.applied_biosystems.quantstudio_reactions import RESULT_SHEETS, SETUP_SHEETS, reactions
from bcrabl.formats.applied_biosystems.quantstudio_sections import Sections, is_sectioned
from bcrabl.formats.applied_biosystems.quantstudio_tables import Book
from bcrabl.formats.assembly import assemble, left_out
from bcrabl.formats.source import Format, RawFile, Sheets, refuse_part

if TYPE_CHECKING:
    from bcrabl.run import Run

__all__ = ["DESIGN_AND_ANALYSIS_2", "TEXT", "WORKBOOK"]

_SOFTWARE_NAMES = ("Software Name and Version", "Software Version")
_DATES = ("Run Start Date/Time", "Experiment Run End Time")


@dataclass(frozen=True)
class _Layout:
    """What tells the generations apart, once their sheets are open.

    Parameters
    ----------
    name : of the format.
    result_sheets : where reactions may stand, for error texts.
    result_columns : what such a sheet must have, for error texts.
    export : how to get a file that holds all.
    """

    name: str
    result_sheets: str
    result_columns: str
    export: str


_DA2 = _Layout(
    "QuantStudio Design & Analysis 2 xlsx",
    "Results (or Primary_result)",
    "Well, Target, Task, Reporter, Cq",
    "From QuantStudio Design & Analysis 2 export an xlsx with the sheets Results, Amplification Data, Multicomponent "
    "and Standard Curve Result.",
)
_WORKBOOK = _Layout(
    "Applied Biosystems workbook (QuantStudio, ViiA 7, StepOne, 7500)",
    "Results (or Sample Setup)",
    "Well, Target Name",
    "From the QuantStudio, ViiA 7, StepOne or 7500 software export an xlsx or xls with the sheets Sample Setup, "
    "Amplification Data, Multicomponent Data and Results.",
)
_TEXT = _Layout(
    "Applied Biosystems text (QuantStudio, ViiA 7, StepOne, 7500)",
    "Results (or Sample Setup)",
    "Well, Target Name",
    "From the QuantStudio, ViiA 7, StepOne or 7500 software export one txt with the sections Sample Setup, "
    "Amplification Data, Multicomponent Data and Results.",
)

_DA2_COLUMNS = (
    (RESULT_SHEETS, ("Well", "Target", "Task", "Reporter", "Cq")),
    (("Amplification Data",), ("Well", "Cycle Number", "Target", "Rn")),
)
_WORKBOOK_COLUMNS = (
    (("Results",), ("Well", "Sample Name", "Target Name", "Task")),
    (SETUP_SHEETS, ("Well", "Sample Name", "Target Name", "Task")),
    (("Amplification Data",), ("Well", "Cycle", "Target Name")),
)
_Expected = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


def _holds(expected: _Expected) -> Callable[[RawFile], bool]:
    """Whether the first of these sheets that a workbook has is a table with these columns."""

    def _claims(source: RawFile) -> bool:
        if source.workbook is None:
            return False
        for names, columns in expected:
            name = next((name for name in names if name in source.workbook.sheet_names), None)
            sheet = None if name is None else source.workbook.sheet(name)
            if sheet is not None:
                return sheet.table(*columns) is not None
        return False

    return _claims


def _reader(layout: _Layout) -> Callable[[RawFile, str | None], Run]:
    def _read(source: RawFile, part: str | None) -> Run:
        refuse_part(source, part)
        sheets = source.workbook or Sections(source)
        return _run(source.path, sheets, layout)

    return _read


def _run(path: str, sheets: Sheets, layout: _Layout) -> Run:
    """The run that the sheets hold."""
    book = Book(sheets)
    setup = book.table(SETUP_SHEETS, "well", "target")
    results = book.table(RESULT_SHEETS, "well", "target") or setup
    if results is None:
        found = f"no sheet {layout.result_sheets} with the columns {layout.result_columns}"
        raise DamagedFile(Problem(path, found, "that sheet", layout.export))
    warnings: list[str] = []
    if results is setup:
        warnings.append("There is no sheet Results; what the software reported (Cq, threshold, baseline) is unknown.")
    book.learn_positions(setup, results)
    rows = reactions(book, results, layout.export, warnings)
    signal = signal_of(path, book, results.stated, rows, layout.export, warnings)
    places = [(row, signal.place(row)) for row in rows]
    if lost := [f"well {row['well']}, target {row['target']}" for row, place in places if place is None]:
        warnings.append(left_out(lost))
    kept = [(row, place) for row, place in places if place is not None]
    chosen = [place for _, place in kept]
    passive = signal.passive_reference
    return assemble(
        path,
        [row for row, _ in kept],
        signal.cycles,
        signal.fluorescence[chosen],
        None if passive is None else passive[chosen],
        signal.stage,
        {**_about(results.stated, layout), "warnings": tuple(warnings)},
    )


def _about(stated: Mapping[str, str], layout: _Layout) -> dict[str, object]:
    """What the file says of the run, as far as it does."""
    software = next(filter(None, (stated.get(name) for name in _SOFTWARE_NAMES)), None) or " ".join(
        filter(None, (stated.get("Software name"), stated.get("Software version")))
    )
    about = {
        "format": layout.name,
        "vendor": "Applied Biosystems",
        "instrument": stated.get("Instrument Type"),
        "instrument_serial_number": stated.get("Instrument Serial Number"),
        "block": stated.get("Block Type"),
        "software": software,
        "run_date": next(filter(None, (_run_date(stated.get(name, "")) for name in _DATES)), None),
        "passive_reference": passive_dye(stated),
        "cq_detection_method": stated.get("Quantification Cycle Method"),
    }
    return {name: value for name, value in about.items() if value and value != "NA"}


def _run_date(text: str) -> str | None:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None


DESIGN_AND_ANALYSIS_2 = Format(
    name=_DA2.name,
    export=_DA2.export,
    claims=_holds(_DA2_COLUMNS),
    read=_reader(_DA2),
)
WORKBOOK = Format(
    name=_WORKBOOK.name,
    export=_WORKBOOK.export,
    claims=_holds(_WORKBOOK_COLUMNS),
    read=_reader(_WORKBOOK),
)
TEXT = Format(
    name=_TEXT.name,
    export=_TEXT.export,
    claims=is_sectioned,
    read=_reader(_TEXT),
)
