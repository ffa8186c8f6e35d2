"""LightCycler 480 charts as XML: one series for each well (`A1: <sample>`), one point for each cycle.

A chart shows what is left after the software has subtracted the background, and names neither filter nor target. The
same export gives melting curves; their points lie at temperatures instead of cycles.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import ROLES_NOT_STATED, Curve, assemble, on_common_cycles, problem_of_cycles
from bcrabl.formats.grid import decimal_mark
from bcrabl.formats.numerals import finite_or_none
from bcrabl.formats.source import Format, RawFile, refuse_part
from bcrabl.formats.wells import normal_well
from bcrabl.formats.xmltree import collector_paused, parse, root_name

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from bcrabl.run import Run

__all__ = ["FORMAT"]

_SERIES = re.compile(r"<series\b[^<>]*\btitle\s*=\s*[\"'][A-P][0-9]{1,2}:")
_TITLE = re.compile(r"\s*([A-Pa-p][0-9]{1,2})\s*:\s*(.*?)\s*")
_TARGET = "amplification"
_LEAST_CYCLES = 10
_EXPORT = (
    "From the LightCycler 480 software rather export the raw data in text format; a chart of amplification curves "
    "exported as XML holds what is left after the background was subtracted."
)
_SUBTRACTED = (
    "The curves of a chart are what is left after the LightCycler 480 software subtracted the background; raw data in "
    "text format are better."
)
_UNNAMED = f"The chart names neither target nor filter; its curves are called {_TARGET!r}."


def _claims(source: RawFile) -> bool:
    return root_name(source.head) == "chart" and _SERIES.search(source.head) is not None


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    with collector_paused():
        series = list(parse(source.plain, source.path).iterfind("series"))
    problems: list[Problem] = []
    mark = decimal_mark(point.get("Y", "") for one in series for point in one.iterfind("points/point"))
    rows: list[dict[str, object]] = []
    curves: list[Curve] = []
    for number, one in enumerate(series, 1):
        row = _who(one, f"{source.path}, series {number}", problems)
        where = f"{source.path}, series {number} ({one.get('title', '')[:40]!r})"
        curve = _curve(one, mark, where, problems)
        if row is not None and curve is not None:
            rows.append(row)
            curves.append(curve)
    if problems:
        raise DamagedFile(problems)
    cycles, fluorescence = on_common_cycles(curves)
    metadata = {
        "format": FORMAT.name,
        "vendor": "Roche",
        "instrument": "LightCycler 480",
        "warnings": (_SUBTRACTED, _UNNAMED, ROLES_NOT_STATED),
    }
    return assemble(source.path, rows, cycles, fluorescence, None, "baseline_subtracted", metadata)


FORMAT = Format(
    name="LightCycler 480 chart XML",
    export=_EXPORT,
    claims=_claims,
    read=_read,
    reservation="This reader was written from the description of the format and has not met a real file.",
)


def _who(series: Element, where: str, problems: list[Problem]) -> dict[str, object] | None:
    title = series.get("title", "")
    match = _TITLE.fullmatch(title)
    well = normal_well(match[1]) if match else None
    if match is None or well is None:
        problems.append(Problem(where, f"title {title!r}", "a well and a sample, such as 'A1: Sample 1'"))
        return None
    return {"part": None, "well": well, "target": _TARGET, "role": "unkn", "sample_id": match[2] or None}


def _curve(series: Element, mark: str, where: str, problems: list[Problem]) -> Curve | None:
    """The points of a series; None where something is wrong with them."""
    points = series.findall("points/point")
    counted = [element.get("count") for element in series.iterfind("points") if element.get("count") is not None]
    cycles = [_whole_or_none(point.get("X"), mark) for point in points]
    values = [finite_or_none(point.get("Y"), mark) for point in points]
    axis = tuple(cycle for cycle in cycles if cycle is not None)
    signal = [value for value in values if value is not None]
    found = None
    if counted not in ([], [str(len(points))]):
        found = f"{len(points)} points where {', '.join(map(str, counted))} are announced"
    elif len(axis) < len(points):
        found = "a point at no whole cycle (a melting curve?)"
    elif len(signal) < len(points):
        found = "a value that is missing or no number"
    elif len(points) < _LEAST_CYCLES:
        found = f"{len(points)} points"
    found = found or problem_of_cycles(axis)
    if found is not None:
        expected = f"{_LEAST_CYCLES} or more points with X = 1, 2, 3, … and a number Y"
        problems.append(Problem(where, found, expected, "Export the chart of the amplification curves again."))
        return None
    return axis, signal


def _whole_or_none(text: str | None, mark: str) -> float | None:
    value = finite_or_none(text, mark)
    return value if value is not None and value == int(value) else None
