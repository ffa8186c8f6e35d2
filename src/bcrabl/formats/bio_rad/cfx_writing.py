"""A run in the layout of Bio-Rad CFX's "Export All Data Sheets > CSV". The same run gives the same bytes.

The layout has no place for passive references, thresholds, baseline windows, calls, units and parts. What would change
the meaning of the run if it were lost is refused; the rest is not written.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcrabl.errors import Problem, RunError
from bcrabl.formats.bio_rad.cfx_tables import file_label
from bcrabl.formats.bio_rad.cfx_words import CONTENT_OF_ROLE, fluor_told, role_of
from bcrabl.formats.numerals import spelled
from bcrabl.formats.wells import normal_well, plate_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["write_cfx_csv"]

_Row = Mapping[str, Any]

_LOCALES = {"en": (",", ".", "NaN"), "de": (";", ",", "n. def.")}  # separator, decimal mark, "not a number"
_CQ_HEADER = (
    *("", "Well", "Fluor", "Target", "Content", "Sample", "Biological Set Name", "Cq", "Cq Mean", "Cq Std. Dev"),
    *("Starting Quantity (SQ)", "Log Starting Quantity", "SQ Mean", "SQ Std. Dev", "Set Point", "Well Note"),
)
_NAMES = ("target", "dye", "sample_id")
_NO_FILE_NAME = re.compile(r'[\x00-\x1f<>:"/\\|?*]|^[ .]|[ .]$|^$')
_NO_CELL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_SOFTWARE = re.compile(r"(CFX \S.*?) ([0-9][0-9.]*)")


def write_cfx_csv(run: Run, folder: str | Path, run_name: str, locale: str = "en") -> None:
    """Write a run as CFX does: the RFU of each fluor, the Cq results and the run information, one csv file each.

    Parameters
    ----------
    run : of stage `baseline_subtracted`; every reaction has a dye, and no well two targets in one dye.
    folder : where the files go; it is made if it is not there.
    run_name : what the names of the files begin with.
    locale : `en` (commas, decimal point, NaN) or `de` (semicolons, decimal comma, n. def.).

    Raises
    ------
    RunError : the layout cannot hold the run, or there is no such locale.

    Notes
    -----
    Reading the folder gives the same curves, roles, targets, dyes, samples, quantities and Cq, and the metadata
    `instrument_serial_number`, `run_date` and, where it is of CFX, `software`. Parts come back as one run.
    """
    from bcrabl.whole_files import write_text

    rows = run.reactions.to_pylist()
    problems = [*_problems_of_run(run, run_name, locale), *_problems_of_rows(rows)]
    if problems:
        raise RunError(problems)
    begin = Path(folder) / run_name
    separator, mark, nothing = _LOCALES[locale]
    for fluor in sorted({str(row["dye"]) for row in rows}):
        table = _amplification(run, rows, fluor, mark)
        path = begin.with_name(f"{run_name} -  Quantification Amplification Results_{fluor}.csv")
        write_text(_csv(table, separator), path)
    path = begin.with_name(f"{run_name} -  Quantification Cq Results.csv")
    write_text(_csv([_CQ_HEADER, *_cq_rows(rows, mark, nothing)], separator), path)
    path = begin.with_name(f"{run_name} -  Run Information.csv")
    write_text(_csv(_run_information(run, run_name), separator), path)


def _amplification(run: Run, rows: Sequence[_Row], fluor: str, mark: str) -> list[list[str]]:
    """The table of one fluor: cycles down, its wells across."""
    chosen = sorted(
        (index for index, row in enumerate(rows) if row["dye"] == fluor),
        key=lambda index: plate_order(str(rows[index]["well"])),
    )
    signal: NDArray[np.float64] = run.fluorescence[chosen].T
    header = ["", "Cycle", *(str(rows[index]["well"]) for index in chosen)]
    return [header] + [
        ["", f"{cycle:.0f}", *(_number(value, mark, "") for value in values)]
        for cycle, values in zip(run.cycles.tolist(), signal.tolist(), strict=True)
    ]


def _cq_rows(rows: Sequence[_Row], mark: str, nothing: str) -> list[list[str]]:
    """The rows of the table of Cq, fluor by fluor along the plate."""
    ordered = sorted(rows, key=lambda row: (str(row["dye"]), plate_order(str(row["well"]))))
    return [_cq_row(row, mark, nothing) for row in ordered]


def _cq_row(row: _Row, mark: str, nothing: str) -> list[str]:
    quantity = row["vendor_quantity"] if row["known_copies"] is None else row["known_copies"]
    well = re.sub(r"(?<=[A-Z])(?=\d$)", "0", str(row["well"]))
    names = [well, row["dye"], row["target"], _content(row), row["sample_id"] or "", ""]
    cq = _number(row["vendor_cq"], mark, nothing)
    amount = _number(quantity, mark, nothing)
    logarithm = _number(np.log10(quantity) if quantity is not None and quantity > 0 else None, mark, nothing)
    return ["", *map(str, names), cq, cq if row["vendor_cq"] else "0", "0", amount, logarithm, amount, "0", "60", ""]


def _content(row: _Row) -> str:
    """What the vendor called the content, where CFX would; else what CFX calls the role."""
    task = str(row["vendor_task"] or "")
    is_of_cfx = role_of(task) == row["role"] and not _is_unsafe(task)
    return task if is_of_cfx else CONTENT_OF_ROLE[str(row["role"])]


def _run_information(run: Run, run_name: str) -> list[list[str]]:
    stated = run.metadata
    day = stated.get("run_date")
    software = _SOFTWARE.fullmatch(str(stated.get("software", "")))
    table = [["File Name", f"{run_name}.pcrd"]]
    if isinstance(day, str):
        table.append(["Run Started", f"{date.fromisoformat(day):%m/%d/%Y} 00:00:00 UTC"])
    table.append(["Base Serial Number", str(stated.get("instrument_serial_number") or "")])
    if software:
        table.append([f"{software[1]} Version", software[2]])
    return table


def _number(value: float | None, mark: str, nothing: str) -> str:
    """A number so that reading it gives the same number."""
    return nothing if value is None or not np.isfinite(value) else spelled(value, mark)


def _csv(table: Iterable[Iterable[str]], separator: str) -> str:
    written = io.StringIO()
    csv.writer(written, delimiter=separator, lineterminator="\r\n").writerows(table)
    return written.getvalue()


def _problems_of_run(run: Run, run_name: str, locale: str) -> list[Problem]:
    """Why the layout cannot hold the run as a whole."""
    problems = []
    if locale not in _LOCALES:
        problems.append(Problem("locale", repr(locale), f"one of {', '.join(_LOCALES)}"))
    if _NO_FILE_NAME.search(run_name):
        problems.append(Problem("run_name", repr(run_name), "a text that file names can begin with"))
    if run.stage != "baseline_subtracted" or run.passive_reference is not None:
        beside = "" if run.passive_reference is None else " beside a passive reference"
        found = f"a signal of stage {run.stage}{beside}"
        problems.append(Problem("run", found, "baseline-subtracted RFU alone, as CFX exports them"))
    elif not (run.fluorescence <= 0).any():
        # Its reader would take it for raw, and rightly so
        found = "a signal called baseline-subtracted of which no value is 0 or less"
        problems.append(Problem("run", found, "curves that scatter about 0 in their baseline"))
    if not np.isfinite(run.fluorescence).any(axis=1).all() or not np.isfinite(run.fluorescence).any(axis=0).all():
        problems.append(Problem("run", "a reaction or cycle without any reading", "readings in each"))
    return problems


def _problems_of_rows(rows: Sequence[_Row]) -> list[Problem]:
    """Why the layout cannot hold some reactions."""
    times = Counter((row["well"], str(row["dye"]).casefold()) for row in rows)
    spelled: dict[str, set[str]] = {}
    for row in rows:
        spelled.setdefault(str(row["dye"]).casefold(), set()).add(str(row["dye"]))
    return [
        Problem(f"well {row['well']}, target {row['target']}", found, "what the layout of CFX can hold")
        for row in rows
        for found in _problems_of(row, times[row["well"], str(row["dye"]).casefold()], spelled)
    ] or ([] if rows else [Problem("run", "no reaction", "one or more")])


def _problems_of(row: _Row, times: int, spelled: Mapping[str, set[str]]) -> list[str]:
    """What is wrong with one reaction."""
    dye = str(row["dye"] or "")
    fluors = {fluor: () for spellings in spelled.values() for fluor in spellings}
    name = file_label(f"run -  Quantification Amplification Results_{dye}.csv")
    wrong = {
        f"well {row['well']!r}": normal_well(str(row["well"])) != row["well"],
        "no dye": not dye,
        f"dye {dye!r}, which file names cannot hold": bool(
            dye and (_NO_FILE_NAME.search(dye) or fluor_told(name, fluors) != dye)
        ),
        f"dye {dye!r} in two spellings": len(spelled[dye.casefold()]) > 1 if dye else False,
        "no target": not row["target"],
        f"{times} reactions in this well and dye": times > 1,
        f"role {row['role']!r}": row["role"] not in CONTENT_OF_ROLE,
        "a reaction that was omitted": bool(row["vendor_omitted"]),
        "a name with blanks around it or characters that no cell holds": any(_is_unsafe(row[key]) for key in _NAMES),
        "a Cq that is no number above 0": row["vendor_cq"] is not None and not 0 < row["vendor_cq"] < np.inf,
    }
    return [found for found, is_wrong in wrong.items() if is_wrong] + _problems_of_quantity(row)


def _problems_of_quantity(row: _Row) -> list[str]:
    known, reported = row["known_copies"], row["vendor_quantity"]
    wrong = {
        f"{known} known copies of a reaction of role {row['role']}": known is not None and row["role"] != "std",
        f"{reported} as quantity of a standard of {known} copies": row["role"] == "std"
        and reported not in (None, known),
        f"{known} copies of a standard": known is not None and not 0 < known < np.inf,
        f"quantity {reported}": reported is not None and not np.isfinite(reported),
    }
    return [found for found, is_wrong in wrong.items() if is_wrong]


def _is_unsafe(name: object) -> bool:
    """Whether a cell would come back otherwise than it was written."""
    return isinstance(name, str) and (name != name.strip() or _NO_CELL.search(name) is not None)
