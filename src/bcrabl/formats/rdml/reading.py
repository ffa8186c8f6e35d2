"""RDML 1.0 to 1.4, the exchange format of qPCR: a zip with one XML document inside, or that document bare.

Also Bio-Rad's RDML (inner member named after the run). A document holds experiments, these hold runs (parts), these
reactions (wells), these one curve per target. LightCycler 96 files hold an RDML document among others; see `lc96`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, FileError, Problem
from bcrabl.formats.assembly import LATEST_CQ_BEYOND, Curve, assemble, left_out, on_common_cycles, problem_of_cycles
from bcrabl.formats.numerals import finite_or_none, number_or_none, numbers
from bcrabl.formats.rdml.about import about_runs, stage_of_run
from bcrabl.formats.rdml.annotation import (
    Plate,
    Quantity,
    Sample,
    Target,
    read_plate,
    read_samples,
    read_targets,
)
from bcrabl.formats.rdml.passive import passive_target, well_of
from bcrabl.formats.roche.lc96_calculated import is_lightcycler_96
from bcrabl.formats.source import Format, RawFile, listed, text_of
from bcrabl.formats.xmltree import LARGEST_XML, collector_paused, parse, root_name

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from bcrabl.run import Run

__all__ = ["FORMAT", "Beside", "read_rdml"]

_DOCUMENT = "rdml_data.xml"
_MOST_MEMBERS_SEARCHED = 50
_LARGEST = 16 * 1024 * 1024  # bytes; 960 curves of 50 cycles take 7 million
_UNITS_OF_COPIES = ("cop",)
_UNITS_UNSAID = ("other", "")


@dataclass(frozen=True)
class Beside:
    """What other documents say of the reactions of an RDML document, by run id, react id and target id.

    Parameters
    ----------
    quantities : quantity entered.
    columns : columns of `bcrabl.tables.REACTIONS`, which take the place of what the RDML document says.
    """

    quantities: Mapping[tuple[str, str, str], Quantity] = field(default_factory=dict)
    columns: Mapping[tuple[str, str, str], Mapping[str, object]] = field(default_factory=dict)


@dataclass
class _Reading:
    """What is being gathered from a document: reactions with their curves, doubts, and everything wrong with it."""

    path: str
    samples: dict[str, Sample]
    targets: dict[str, Target]
    beside: Beside
    rows: list[dict[str, object]] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    axes: dict[tuple[str | None, ...], tuple[float, ...]] = field(default_factory=dict)
    spans: list[tuple[Element, int, int]] = field(default_factory=list)
    standard_units: Counter[str | None] = field(default_factory=Counter)
    without_curve: list[str] = field(default_factory=list)
    doubtful_cq: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def _claims(source: RawFile) -> bool:
    if source.archive is not None:
        return bool(_documents(source)) and not is_lightcycler_96(source)
    return root_name(source.head) == "rdml"


def _documents(source: RawFile) -> list[str]:
    """The members of a zip that are RDML documents, by the root of their XML."""
    if source.archive is None:
        return []
    names = [name for name in source.archive.names if name.lower().endswith(".xml")]
    # What is usual comes first, so that it is found among however many
    names = sorted(names, key=lambda name: name != _DOCUMENT)[:_MOST_MEMBERS_SEARCHED]
    return [name for name in names if root_name(text_of(source.archive.head(name))) == "rdml"]


def _document(source: RawFile) -> Element:
    names = _documents(source)
    if len(names) > 1:
        found = f"{len(names)} RDML documents: {listed(names)}"
        raise DamagedFile(Problem(source.path, found, "one", "Unpack them and read each by itself."))
    content = source.archive.read(names[0], LARGEST_XML) if source.archive is not None and names else source.plain
    if len(content) > _LARGEST:
        raise DamagedFile(Problem(source.path, f"RDML of {len(content)} bytes", f"at most {_LARGEST} bytes"))
    return parse(content, source.path)


def _read(source: RawFile, part: str | None) -> Run:
    with collector_paused():
        return read_rdml(source, part)


def read_rdml(source: RawFile, part: str | None, beside: Beside | None = None) -> Run:
    """The run in an RDML document.

    Parameters
    ----------
    part : the run to read; None means all.
    beside : what other documents of the same archive say of the reactions; None where there are no others.
    """
    root = _document(source)
    runs = _runs_by_part(root)
    chosen = _chosen_runs(source.path, runs, part)
    samples, targets = read_samples(root, source.path), read_targets(root, source.path)
    reading = _Reading(source.path, samples, targets, beside or Beside())
    for name, run in chosen:
        # A part says which of several runs; the one run of a file needs no name
        _read_part(reading, run, name if len(runs) > 1 else None)
    if reading.problems:
        raise DamagedFile(reading.problems)
    stage = _stage(reading)
    about = about_runs(root, [run for _, run in chosen], source.path, reading.warnings)
    made_by_roche = (root.findtext("id/publisher") or "").startswith("Roche")
    _warn(reading, cq_without_call=made_by_roche and beside is None)
    parts = tuple(dict.fromkeys(name for name, _ in runs))
    return _assembled(reading, stage, {**about, "parts": parts})


FORMAT = Format(
    name="RDML",
    export="Most instrument software exports RDML (File > Export > RDML).",
    claims=_claims,
    read=_read,
)


def _runs_by_part(root: Element) -> list[tuple[str, Element]]:
    """Every run of the document with its name, which tells the experiment too where run ids repeat."""
    found = [
        (experiment.get("id", ""), run.get("id", ""), run)
        for experiment in root.iterfind("experiment")
        for run in experiment.iterfind("run")
    ]
    times = Counter(run_id for _, run_id, _ in found)
    return [
        (run_id if times[run_id] == 1 else f"{experiment_id}/{run_id}", run) for experiment_id, run_id, run in found
    ]


def _chosen_runs(path: str, runs: list[tuple[str, Element]], part: str | None) -> list[tuple[str, Element]]:
    if not runs:
        raise DamagedFile(Problem(path, "an RDML document without any run", "one or more", "Export the run data."))
    chosen = [(name, run) for name, run in runs if part in (None, name)]
    if not chosen:
        there = ", ".join(repr(name) for name in dict.fromkeys(name for name, _ in runs))
        raise FileError(Problem(path, f"no part {part!r}", f"one of the parts of this file: {there}"))
    return chosen


def _read_part(reading: _Reading, run: Element, part: str | None) -> None:
    where = reading.path if part is None else f"{reading.path}, part {part}"
    plate = read_plate(run, where, reading.warnings)
    first = len(reading.curves)
    for react in run.iterfind("react"):
        _read_react(reading, react, run.get("id", ""), part, plate, where)
    reading.spans.append((run, first, len(reading.curves)))


def _read_react(reading: _Reading, react: Element, run_id: str, part: str | None, plate: Plate, where: str) -> None:
    react_id = react.get("id", "").strip()
    well = plate.well(react_id)
    if well is None:
        expected = f"1 to {plate.rows * plate.columns}, or the name of a well"
        reading.problems.append(Problem(f"{where}, react {react_id!r}", f"id {react_id!r}", expected))
        return
    reference = react.find("sample")
    sample_id = "" if reference is None else reference.get("id", "")
    sample = reading.samples.get(sample_id)
    if sample is None:
        found = f"sample {sample_id!r}"
        reading.problems.append(Problem(f"{where}, well {well}", found, "a sample that the file defines"))
        return
    for data in react.iterfind("data"):
        _read_data(reading, data, (run_id, react_id), sample, part, well)


def _read_data(
    reading: _Reading, data: Element, place_id: tuple[str, str], sample: Sample, part: str | None, well: str
) -> None:
    reference = data.find("tar")
    target_id = "" if reference is None else reference.get("id", "")
    key = (*place_id, target_id)
    entered = reading.beside.quantities.get(key) or sample.quantity_for(target_id)
    target = reading.targets.get(target_id) or Target(target_id, None)
    place = f"{'' if part is None else f'part {part}, '}well {well}, target {target.name!r}"
    if not target.name:
        reading.problems.append(Problem(f"{reading.path}, {place}", "a curve of no target", "a target"))
        return
    curve = _curve(reading, data, place)
    if curve is None:
        return
    last_cycle = max(curve[0])
    reading.curves.append(curve)
    reading.rows.append(
        {
            "part": part,
            "well": well,
            "target": target.name,
            "dye": target.dye,
            **_sample_columns(reading, sample, target_id, entered),
            **_vendor_columns(data, last_cycle, entered),
            **reading.beside.columns.get(key, {}),
        }
    )
    cq_text = reading.rows[-1]["vendor_cq_text"]
    if _is_doubtful(cq_text, last_cycle):
        reading.doubtful_cq.append(f"{place}: {cq_text}")


def _curve(reading: _Reading, data: Element, place: str) -> Curve | None:
    """The amplification curve of one `data` element; None where there is none or something is wrong with it."""
    points = data.findall("adp")
    if not points:
        reading.without_curve.append(place)
        return None
    # Curves of a plate share their cycles: each spelling is read and checked once, and shares one tuple of numbers
    spelled = tuple([point.findtext("cyc") for point in points])
    axis = reading.axes.get(spelled)
    if axis is None:
        parsed = numbers(spelled)
        problem = "a cycle that is not a number" if parsed is None else problem_of_cycles(parsed)
        if parsed is None or problem is not None:
            found = problem or ""
            reading.problems.append(Problem(f"{reading.path}, {place}", found, "cycles 1, 2, 3, …, each once"))
            return None
        axis = reading.axes.setdefault(spelled, tuple(parsed))
    values = numbers([point.findtext("fluor") for point in points])
    if values is None:
        found = "a fluorescence that is missing or not a finite number"
        reading.problems.append(Problem(f"{reading.path}, {place}", found, "a number for each cycle"))
        return None
    return axis, values


def _sample_columns(reading: _Reading, sample: Sample, target_id: str, quantity: Quantity | None) -> dict[str, object]:
    role = sample.role_for(target_id)
    known_copies = None
    if role == "std":
        reading.standard_units[None if quantity is None else quantity.unit] += 1
        if quantity is not None and quantity.unit in _UNITS_OF_COPIES + _UNITS_UNSAID:
            known_copies = quantity.value
    return {
        "role": role,
        "sample_id": sample.name,
        "known_copies": known_copies,
        "vendor_task": sample.type_for(target_id),
    }


def _vendor_columns(data: Element, last_cycle: float, entered: Quantity | None) -> dict[str, object]:
    """What the vendor's software found: its Cq, threshold, exclusion, and quantity (calculated, else entered)."""
    calculated = finite_or_none(data.findtext("quantity/value"))
    quantity = entered
    if calculated is not None:
        quantity = Quantity(calculated, (data.findtext("quantity/unit") or "").strip())
    cq, cq_text = _cq(data.findtext("cq"), last_cycle, calculated)
    excluded = data.find("excl")
    return {
        "vendor_cq": cq,
        "vendor_cq_text": cq_text,
        "vendor_threshold": finite_or_none(data.findtext("quantFluor")),
        "vendor_quantity": None if quantity is None else quantity.value,
        "vendor_quantity_unit": (quantity.unit or None) if quantity else None,
        "vendor_omitted": excluded is not None and (excluded.text or "").strip().lower() != "false",
    }


def _cq(text: str | None, last_cycle: float, calculated: float | None) -> tuple[float | None, str | None]:
    """Cq as a number, or None and the text that stands for "none": NaN, -1, 0, or the last cycle without a quantity.

    A Cq behind the last cycle is none either.
    """
    stated = (text or "").strip()
    if not stated:
        return None, None
    value = number_or_none(stated)
    none_found = (
        value is None or not 0 < value <= last_cycle + LATEST_CQ_BEYOND or (value == last_cycle and calculated is None)
    )
    return (None, stated) if none_found else (value, None)


def _is_doubtful(cq_text: object, last_cycle: float) -> bool:
    """Whether what is kept as the text of a Cq may be one that is spelled wrongly."""
    stated = str(cq_text or "")
    value = number_or_none(stated)
    return any(map(str.isdigit, stated)) if value is None else last_cycle + LATEST_CQ_BEYOND < value < np.inf


def _stage(reading: _Reading) -> str:
    """The stage that all runs share."""
    stages = {
        stage_of_run(run, [values for _, values in reading.curves[first:last]], reading.path, reading.warnings)
        for run, first, last in reading.spans
        if last > first
    }
    if len(stages) > 1:
        found = f"runs whose signal was processed differently ({', '.join(sorted(stages))})"
        raise DamagedFile(Problem(reading.path, found, "one stage", "Read one part of the file at a time."))
    return stages.pop() if stages else "raw"


def _assembled(reading: _Reading, stage: str, metadata: dict[str, object]) -> Run:
    """The run, with the curves of a passive reference dye beside those of the reporters."""
    cycles, fluorescence = on_common_cycles(reading.curves)
    declared = {target.name for target in reading.targets.values() if target.is_passive}
    passive = passive_target(reading.rows, declared, fluorescence, reading.warnings)
    metadata = {**metadata, "warnings": tuple(reading.warnings)}
    if passive is None:
        return assemble(reading.path, reading.rows, cycles, fluorescence, None, stage, metadata)
    signal_of = {well_of(row): index for index, row in enumerate(reading.rows) if row["target"] == passive}
    kept = [index for index, row in enumerate(reading.rows) if row["target"] != passive]
    rows = [reading.rows[index] for index in kept]
    reference = fluorescence[[signal_of[well_of(row)] for row in rows]]
    metadata = {**metadata, "passive_reference": passive}
    return assemble(reading.path, rows, cycles, fluorescence[kept], reference, stage, metadata)


def _warn(reading: _Reading, *, cq_without_call: bool) -> None:
    """Say what was read with reservations, one sentence for each kind."""
    for unit, count in reading.standard_units.items():
        if unit is None:
            sentence = f"{count} standard reactions carry no quantity; their copies are unknown."
        elif unit in _UNITS_UNSAID:
            sentence = (
                f"The quantities of {count} standard reactions have the unit {unit!r}; "
                "they are read as copies per reaction."
            )
        elif unit not in _UNITS_OF_COPIES:
            sentence = (
                f"The quantities of {count} standard reactions are in {unit!r}, not copies; they are left unknown."
            )
        else:
            continue
        reading.warnings.append(sentence)
    is_lightcycler_96 = cq_without_call or reading.beside.columns  # which writes 100 for none
    if reading.doubtful_cq and not is_lightcycler_96:
        shown = "; ".join(reading.doubtful_cq[:5]) + ("; …" if len(reading.doubtful_cq) > 5 else ".")
        reading.warnings.append(
            f"{len(reading.doubtful_cq)} Cq are no number or lie beyond the last cycle and were kept as text: {shown}"
        )
    if reading.without_curve:
        reading.warnings.append(left_out(reading.without_curve))
    if cq_without_call and any(row["vendor_cq"] for row in reading.rows):
        reading.warnings.append(
            "LightCycler 96 states a Cq for every curve; which of them it calls positive is not part of its RDML."
        )
