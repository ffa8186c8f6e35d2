"""LightCycler 480 raw data as text: one line for each well and acquisition, one column for each filter pair.

A filter pair (excitation and emission in nm, `465-510`) is what tells the targets of a well apart: the file names
neither targets nor dyes. Each line says which program and segment it was acquired in; melting runs in a program of its
own. Cp tables beside the raw data say which wells are standards; see `lc480_cp`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, FileError, Problem
from bcrabl.formats.assembly import (
    ROLES_NOT_STATED,
    Curve,
    arrange,
    assemble,
    left_out,
    on_common_cycles,
    warnings_of_quantities,
)
from bcrabl.formats.grid import SheetTable, text
from bcrabl.formats.roche.lc480_cp import CpTable, Measured, cp_tables_of, filter_pair_or_none
from bcrabl.formats.source import LARGEST_TEXT, Format, RawFile, only, refuse_part
from bcrabl.formats.wells import normal_well
from bcrabl.formats.xmltree import collector_paused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["FORMAT", "LEAST_CYCLES"]

_KEYS = ("SamplePos", "Prog#", "Seg#", "Cycle#", "Temp")
_NO_SIGNAL = {*(key.casefold() for key in _KEYS), "samplename", "time"}
_MARKS = tuple("samplepos".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))
_HEAD = 8192  # bytes within which the header stands
LEAST_CYCLES = 10  # fewer acquisitions are no amplification
_CONSTANT = 5.0  # °C that acquisitions at one temperature may differ by; melting spans 30 and more
_STATED = re.compile(r"Experiment - (.*?)\s*\((?:Run on )?([^()]*)\)\s*$")
_SOFTWARE = re.compile(r"LCS\d+ [\d.]+")
_EXPORT = (
    "From the LightCycler 480 software export the raw data of the experiment in text format, and beside it the Cp "
    "table of the analysis (Abs Quant) in text format, named like the raw data followed by _Cp."
)
_MOST_PROBLEMS = 100  # hostile files would have millions
_Step = tuple[str, str]  # program and segment, as spelled


@dataclass(frozen=True)
class _Acquisitions:
    """The lines of the raw data.

    Parameters
    ----------
    table : all lines.
    samples : sample by well; empty where it has no name.
    steps : rows of the table by well, of each program and segment.
    filters : filter pair by name of its column.
    """

    table: SheetTable
    samples: Mapping[str, str]
    steps: Mapping[_Step, Mapping[str, list[int]]]
    filters: Mapping[str, str]


def _claims(source: RawFile) -> bool:
    return any(_is_raw_data(file) for file in source.tables)


def _is_raw_data(file: RawFile) -> bool:
    beginning = file.plain[:_HEAD].lower()
    if not any(mark in beginning for mark in _MARKS):
        return False
    return file.top is not None and file.top.table(*_KEYS) is not None


def _read(source: RawFile, part: str | None) -> Run:
    with collector_paused():
        return _read_raw(source, part)


def _read_raw(source: RawFile, part: str | None) -> Run:
    raw = only((file for file in source.tables if _is_raw_data(file)), source, "raw data of a LightCycler 480")
    acquisitions = _acquisitions(raw)
    cycled = _cycled(acquisitions)
    chosen = _chosen(source, cycled, part)
    rows, curves = _reactions(acquisitions, chosen, several=len(cycled) > 1)
    stated = _STATED.search(_above(acquisitions.table))
    measured = Measured(
        stated[1] if stated else None,
        acquisitions.samples,
        list(acquisitions.filters.values()),
        max((axis[-1] for axis, _ in curves), default=0.0),
        acquisitions.table.sheet.decimal,
    )
    warnings: list[str] = []
    others = (file for file in source.tables if file is not raw)
    cp_tables = cp_tables_of(others, measured, warnings)
    rows, curves = _with_curve(rows, curves, cp_tables, warnings)
    _join(rows, cp_tables, warnings, cp_is_clear=len(cycled) == 1)
    cycles, fluorescence = on_common_cycles(curves)
    about: dict[str, object] = {"format": FORMAT.name, "vendor": "Roche", "instrument": "LightCycler 480"}
    if stated and _SOFTWARE.fullmatch(stated[2]):
        about["software"] = stated[2]
    if len(cycled) > 1:
        about["parts"] = tuple(cycled)
    metadata = {**about, "warnings": tuple(warnings)}
    return assemble(source.path, rows, cycles, fluorescence, None, "raw", metadata)


FORMAT = Format(name="LightCycler 480 raw data text", export=_EXPORT, claims=_claims, read=_read)


def _above(table: SheetTable) -> str:
    return " ".join(text(cell) for row in table.sheet.rows[: table.first_row - 2] for cell in row).strip()


def _acquisitions(raw: RawFile) -> _Acquisitions:
    table = raw.rows(most=LARGEST_TEXT).table(*_KEYS)
    if table is None:
        raise DamagedFile(Problem(raw.path, f"no line with {', '.join(_KEYS)}", "the names of the columns", _EXPORT))
    problems: list[Problem] = []
    filters = _filters(table, problems)
    if filters:
        table.refuse_beyond_header()
    table = table.marked_by("Time", "Temp", *filters)
    samples: dict[str, str] = {}
    steps: dict[_Step, dict[str, list[int]]] = {}
    for (position, name, program, segment), rows in _alike(table):
        well = normal_well(position)
        if well is None:
            problems += [Problem(table.place(row, "SamplePos"), repr(position), "a well such as A1") for row in rows]
            continue
        steps.setdefault((program, segment), {}).setdefault(well, []).extend(rows)
        if samples.setdefault(well, name) != name:
            found = f"two samples, {samples[well]!r} and {name!r}"
            problems.append(Problem(table.place(rows[0], "SampleName"), found, "one sample in a well"))
    problems += islice(_incomplete(table.where, samples, steps), _MOST_PROBLEMS)
    if problems:
        raise DamagedFile(problems)
    return _Acquisitions(table, samples, steps, filters)


def _alike(table: SheetTable) -> Iterable[tuple[tuple[str, ...], list[int]]]:
    """Rows of the same well, sample, program and segment, as spelled; blank lines are passed over.

    There are tens of thousands of rows and hundreds of spellings: each is looked at once.
    """
    columns = [table.cells(name) for name in ("SamplePos", "SampleName", "Prog#", "Seg#")]
    alike: dict[tuple[str, ...], list[int]] = {}
    for row, spelled in enumerate(zip(*columns, strict=True)):
        if spelled in alike:
            alike[spelled].append(row)
        else:
            alike[spelled] = [row]
    for spelled, rows in alike.items():
        stated = tuple(map(text, spelled))
        if stated[0]:
            yield stated, rows


def _filters(table: SheetTable, problems: list[Problem]) -> dict[str, str]:
    """The filter pair of each column of signal."""
    header = [text(cell) for cell in table.sheet.rows[table.first_row - 2]]
    where = f"{table.where}, {table.sheet.row_word} {table.first_row - 1}"
    filters: dict[str, str] = {}
    for name in header:
        pair = filter_pair_or_none(name)
        if not name or name.casefold() in _NO_SIGNAL:
            continue
        if pair is None or pair in filters.values():
            found = f"column {name!r}" if pair is None else f"the filter pair {pair} a second time"
            problems.append(Problem(where, found, "filter pairs such as 465-510, each once"))
        else:
            filters[name] = pair
    if not filters and not problems:
        problems.append(Problem(where, "no column of signal", "filter pairs such as 465-510", _EXPORT))
    return filters


def _incomplete(
    where: str, wells: Iterable[str], steps: Mapping[_Step, Mapping[str, Sequence[int]]]
) -> Iterable[Problem]:
    """Wells with fewer acquisitions than others: the camera takes all wells at once, so lines are missing."""
    for step, rows in steps.items():
        most = max(map(len, rows.values()))
        for well in wells:
            taken = len(rows.get(well, ()))
            if taken != most:
                yield Problem(
                    f"{where}, well {well}",
                    f"{taken} acquisitions in {_in_words(step)}",
                    f"{most}, as in other wells",
                    "The file may be cut off or merged; export it again.",
                )


def _in_words(step: _Step) -> str:
    return f"program {step[0]}, segment {step[1]}"


def _cycled(acquisitions: _Acquisitions) -> dict[str, _Step]:
    """The programs that amplify, by name of the part: ten cycles or more, read at constant temperature."""
    table = acquisitions.table
    cycle_cells = table.cells("Cycle#")
    found: list[_Step] = []
    problems: list[Problem] = []
    for step, by_well in acquisitions.steps.items():
        rows = list(chain.from_iterable(by_well.values()))
        if len({cycle_cells[row] for row in rows}) < LEAST_CYCLES:
            continue
        temperatures = table.numbers("Temp", rows, problems)
        if _spread(temperatures) <= _CONSTANT:
            found.append(step)
    if problems:
        raise DamagedFile(problems)
    if not found:
        there = "; ".join(_in_words(step) for step in acquisitions.steps) or "none at all"
        expected = f"a program with {LEAST_CYCLES} or more cycles, each read at the same temperature"
        raise DamagedFile(Problem(table.where, f"no amplification ({there})", expected, _EXPORT))
    return {_in_words(step): step for step in found}


def _spread(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.ptp(finite)) if finite.size else np.inf


def _chosen(source: RawFile, cycled: Mapping[str, _Step], part: str | None) -> dict[str, _Step]:
    if len(cycled) == 1:
        refuse_part(source, part)
    chosen = {name: step for name, step in cycled.items() if part in (None, name)}
    if not chosen:
        there = ", ".join(repr(name) for name in cycled)
        raise FileError(Problem(source.path, f"no part {part!r}", f"one of the parts of this file: {there}"))
    return chosen


def _reactions(
    acquisitions: _Acquisitions, chosen: Mapping[str, _Step], *, several: bool
) -> tuple[list[dict[str, object]], list[Curve]]:
    """Every well in every filter pair, with its curve."""
    table = acquisitions.table
    rows: list[dict[str, object]] = []
    curves: list[Curve] = []
    problems: list[Problem] = []
    for name, step in chosen.items():
        by_well = acquisitions.steps[step]
        wells = [well for well, lines in by_well.items() for _ in lines]
        lines = list(chain.from_iterable(by_well.values()))
        cycle_of = table.numbers("Cycle#", lines, problems)
        if problems:
            break
        readings = arrange(wells, cycle_of, partial(_place, table, lines))
        axis = tuple(readings.cycles.tolist())
        for column, pair in acquisitions.filters.items():
            signal = readings.filled(table.numbers(column, lines, problems))
            for well, place in readings.curves.items():
                sample = acquisitions.samples[str(well)] or None
                part = name if several else None
                rows.append({"part": part, "well": well, "target": pair, "role": "unkn", "sample_id": sample})
                curves.append((axis, signal[place]))
    if problems:
        raise DamagedFile(problems)
    return rows, curves


def _place(table: SheetTable, lines: Sequence[int], reading: int) -> str:
    return table.place(lines[reading], "Cycle#")


def _with_curve(
    rows: Sequence[dict[str, object]], curves: Sequence[Curve], cp_tables: Mapping[str, CpTable], warnings: list[str]
) -> tuple[list[dict[str, object]], list[Curve]]:
    """The reactions that have a curve; the others are left out and named."""
    kept = [index for index, (_, values) in enumerate(curves) if np.isfinite(values).any()]
    there = {(str(rows[index]["well"]), str(rows[index]["target"])) for index in kept}
    asked = {(str(row["well"]), str(row["target"])): None for row in rows}
    asked |= {(well, pair): None for pair, table in cp_tables.items() for well in table.columns}
    lost = [f"well {well}, target {pair}" for well, pair in asked if (well, pair) not in there]
    if lost:
        warnings.append(left_out(lost))
    return [rows[index] for index in kept], [curves[index] for index in kept]


def _join(
    rows: Sequence[dict[str, object]], cp_tables: Mapping[str, CpTable], warnings: list[str], *, cp_is_clear: bool
) -> None:
    """Give the reactions what the Cp tables say of them."""
    without = 0
    for row in rows:
        table = cp_tables.get(str(row["target"]))
        columns = table.columns.get(str(row["well"])) if table else None
        row |= {"dye": table.dye if table else None, **(columns or {})}
        without += columns is None
        if not cp_is_clear:
            row |= {"vendor_cq": None, "vendor_cq_text": None}
    if not cp_tables:
        warnings.append(ROLES_NOT_STATED)
        return
    warnings.append("Cp tables tell standards from other samples only; controls are read as unknown samples.")
    if not cp_is_clear:
        warnings.append("The Cp do not say of which program they are, and were not read.")
    if without:
        warnings.append(f"{without} reactions are in no Cp table; they are read as unknown samples without a Cq.")
    warnings += warnings_of_quantities(rows)
