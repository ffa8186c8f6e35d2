"""Who is in each well of an .eds document of the older layouts, and what it says of the run.

`plate_setup.xml` holds a map from wells to features: the sample, and for each target its detector with task and
quantity. `experiment.xml` and `Manifest.mf` name instrument, software and time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.applied_biosystems.eds_document import (
    REMEDY,
    SDS,
    Assignment,
    Document,
    Plate,
    date_of_milliseconds,
)
from bcrabl.formats.applied_biosystems.words import passive_dye_or_none
from bcrabl.formats.numerals import finite_or_none

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["plate_of"]

_LARGEST_PLATE = (32, 48)
_PLATE_TYPE = re.compile(r"TYPE_([0-9]{1,2})X([0-9]{1,2})\w*")


def plate_of(document: Document) -> Plate | None:
    """What `plate_setup.xml` says, or None where there is none.

    Raises
    ------
    DamagedFile : it contradicts the layout.
    """
    name = f"{SDS}plate_setup.xml"
    root = document.xml(name)
    if root is None:
        return None
    where = document.where(name)
    rows, columns, kind = _size(root, where)
    problems: list[Problem] = []
    samples = dict(_samples(root, where, problems))
    assignments = tuple(_assignments(root, samples, where, problems))
    outside = next((item for item in assignments if item.well >= rows * columns), None)
    if outside is not None:
        problems.append(Problem(outside.where, f"well {outside.well}", f"a well from 0 to {rows * columns - 1}"))
    if problems:
        raise DamagedFile(problems)
    return Plate(
        columns=columns,
        wells=rows * columns,
        passive_dye=passive_dye_or_none(root.findtext("PassiveReferenceDye")),
        assignments=assignments,
        omitted=frozenset(_omitted(root, where)),
        about={"block": kind, **_about(document)},
    )


def _size(root: Element, where: str) -> tuple[int, int, str]:
    """Rows and columns of the plate and what it is called."""
    kind = root.find("PlateKind")
    rows = _count(root, "Rows") or (0 if kind is None else _count(kind, "RowCount"))
    columns = _count(root, "Columns") or (0 if kind is None else _count(kind, "ColumnCount"))
    if not (rows and columns) and (named := _PLATE_TYPE.fullmatch(_text(root, "PlateKind/Type"))):
        rows, columns = int(named.group(1)), int(named.group(2))
    if not (0 < rows <= _LARGEST_PLATE[0] and 0 < columns <= _LARGEST_PLATE[1]):
        found = f"a plate of {rows} rows and {columns} columns"
        raise DamagedFile(Problem(where, found, "a plate such as 8 rows and 12 columns", REMEDY))
    return rows, columns, _text(root, "PlateKind/Name")


def _count(element: Element, tag: str) -> int:
    stated = _text(element, tag)
    return int(stated) if re.fullmatch("[0-9]{1,3}", stated) else 0


def _text(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _values(root: Element, feature: str, where: str, problems: list[Problem]) -> Iterator[tuple[int, Element]]:
    """Well and element of each value of a feature."""
    maps = (item for item in root.iterfind("FeatureMap") if _text(item, "Feature/Id") == feature)
    for value in chain.from_iterable(item.iterfind("FeatureValue") for item in maps):
        index = _text(value, "Index")
        if re.fullmatch("[0-9]{1,5}", index):
            yield int(index), value
        else:
            problems.append(Problem(where, f"a well of index {index!r}", "a number from 0"))


def _samples(root: Element, where: str, problems: list[Problem]) -> Iterator[tuple[int, str]]:
    for well, value in _values(root, "sample", where, problems):
        if name := _text(value, "FeatureItem/Sample/Name"):
            yield well, name


def _assignments(root: Element, samples: dict[int, str], where: str, problems: list[Problem]) -> Iterator[Assignment]:
    for well, value in _values(root, "detector-task", where, problems):
        for task in value.iterfind("FeatureItem/DetectorTaskList/DetectorTask"):
            target = _text(task, "Detector/Name")
            place = f"{where}, well of index {well}, detector {target!r}"
            if not target:
                problems.append(Problem(place, "a detector without a name", "a name"))
                continue
            yield Assignment(
                well=well,
                target=target,
                dye=_text(task, "Detector/Reporter") or None,
                task=_text(task, "Task"),
                quantity=_quantity(_text(task, "Concentration"), place, problems),
                sample=samples.get(well),
                where=place,
            )


def _quantity(stated: str, place: str, problems: list[Problem]) -> float | None:
    value = finite_or_none(stated)
    if stated and value is None:
        problems.append(Problem(f"{place}, Concentration", repr(stated), "a number"))
    return value


def _omitted(root: Element, where: str) -> Iterator[int]:
    problems: list[Problem] = []
    for well in root.iterfind("Wells/Well"):
        index, stated = _text(well, "Index"), _text(well, "IsOmit").lower()
        if stated not in {"true", "false", ""} or not re.fullmatch("[0-9]{1,5}", index):
            found = f"IsOmit {stated!r} of the well of index {index!r}"
            problems.append(Problem(where, found, "true or false of a well from 0"))
        elif stated == "true":
            yield int(index)
    if problems:
        raise DamagedFile(problems)


def _about(document: Document) -> dict[str, str]:
    """Instrument, software and day, as far as the document names them."""
    experiment = document.xml(f"{SDS}experiment.xml")
    manifest = _manifest(document)
    about = {"software": _software(manifest)}
    if experiment is not None:
        about |= {
            "instrument": _text(experiment, "InstrumentTypeId"),
            "instrument_serial_number": _run_info(experiment, "instrumentSerialNumber"),
            "software": _run_info(experiment, "softwareVersion") or about["software"],
            "run_date": date_of_milliseconds(_text(experiment, "RunStartTime")) or "",
        }
    return {name: value for name, value in about.items() if value}


def _manifest(document: Document) -> dict[str, str]:
    text = document.text(f"{SDS}Manifest.mf") or ""
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _software(manifest: dict[str, str]) -> str:
    return " ".join(filter(None, (manifest.get("Implementation-Title"), manifest.get("Implementation-Version"))))


def _run_info(experiment: Element, key: str) -> str:
    """A property of the run that newer software notes down."""
    for item in experiment.iterfind("ExperimentProperty/PropertyValue"):
        if item.get("key") == key:
            return next(((child.text or "").strip() for child in item), "")
    return ""
