"""Signals of the dyes in .eds documents of QuantStudio and ViiA 7: `multicomponentdata.xml`.

`CollectionPoints` says when the readings were taken, `DyeData` lists the dyes of each well, `SignalData` holds one list
of numbers for each of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.applied_biosystems.eds_document import REMEDY, SDS, Document, DyeSignals, Point
from bcrabl.formats.numerals import numbers

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

__all__ = ["MEMBER", "signals_in_xml"]

MEMBER = f"{SDS}multicomponentdata.xml"
_POINT = re.compile(r"\[\s*Stg:([0-9]{1,4})\s+Cyc:([0-9]{1,4})\s+Stp:([0-9]{1,4})\s+Pt:([0-9]{1,5})\s*\]")
_INDEX = re.compile("[0-9]{1,5}")


def signals_in_xml(document: Document) -> DyeSignals:
    """The signals of all dyes in all readings.

    Raises
    ------
    DamagedFile : the document contradicts the layout.
    """
    where = document.where(MEMBER)
    root = document.xml(MEMBER)
    if root is None:
        raise DamagedFile(Problem(where, "no such member", "the signals of the dyes", REMEDY))
    points = _points(root, where)
    dyes = {well: _dyes(element) for well, element in _by_well(root, "DyeData", where).items()}
    curves: dict[tuple[int, str], int] = {}
    values: list[NDArray[np.float64]] = []
    for well, element in _by_well(root, "SignalData", where).items():
        lists = element.findall("CycleData")
        names = dyes.get(well, [])
        if len(lists) != len(names) or len(set(names)) < len(names):
            found = f"{len(lists)} signals of the dyes {', '.join(names) or 'that are not named'}"
            raise DamagedFile(Problem(f"{where}, well of index {well}", found, "one signal of each dye", REMEDY))
        for name, numbers_of_dye in zip(names, lists, strict=True):
            curves[well, name] = len(values)
            values.append(_numbers(numbers_of_dye.text, f"{where}, well of index {well}, dye {name}"))
    return DyeSignals(curves, _stacked(values, points, where), points)


def _stacked(values: list[NDArray[np.float64]], points: tuple[Point, ...] | None, where: str) -> NDArray[np.float64]:
    lengths = {len(signal) for signal in values} | ({len(points)} if points else set())
    if len(lengths) != 1 or not values:
        found = f"signals of {' or '.join(map(str, sorted(lengths))) or 'no'} readings"
        raise DamagedFile(Problem(where, found, "as many of each dye as points of collection", REMEDY))
    return np.array(values)


def _by_well(root: Element, tag: str, where: str) -> dict[int, Element]:
    found: dict[int, Element] = {}
    for element in root.iterfind(tag):
        index = element.get("WellIndex", "").strip()
        if not _INDEX.fullmatch(index) or int(index) in found:
            raise DamagedFile(Problem(where, f"{tag} of WellIndex {index!r}", "each well once, from 0", REMEDY))
        found[int(index)] = element
    return found


def _dyes(element: Element) -> list[str]:
    listed = (element.findtext("DyeList") or "").strip().strip("[]")
    return [name.strip() for name in listed.split(",") if name.strip()]


def _points(root: Element, where: str) -> tuple[Point, ...] | None:
    """When the readings were taken, or None where the document does not say."""
    stated = (root.findtext("CollectionPoints") or "").strip()
    if not stated:
        return None
    points = tuple(Point(*map(int, found)) for found in _POINT.findall(stated))
    if not points or re.sub(r"[\[\],\s]", "", _POINT.sub("", stated)):
        raise DamagedFile(Problem(f"{where}, CollectionPoints", stated, "[[Stg:2 Cyc:1 Stp:2 Pt:1], …]", REMEDY))
    return points


def _numbers(text: str | None, where: str) -> NDArray[np.float64]:
    cells = (text or "").strip().strip("[]").replace(",", " ").split()
    values = numbers(cells)
    if values is None:
        raise DamagedFile(Problem(where, "a list with something else than numbers", "numbers", REMEDY))
    return np.array(values, dtype=np.float64)
