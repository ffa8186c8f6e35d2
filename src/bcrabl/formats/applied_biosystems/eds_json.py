"""What .eds documents of QuantStudio Design & Analysis 2 say, in JSON: plate setup, signals of the dyes, results.

Bare `NaN` stands in them where there is no Cq.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.applied_biosystems.eds_document import (
    REMEDY,
    Assignment,
    Document,
    DyeSignals,
    Plate,
    Point,
    Result,
    Settings,
    date_of_milliseconds,
)
from bcrabl.formats.applied_biosystems.words import passive_dye_or_none

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PLATE", "RESULTS", "SIGNALS", "plate_in_json", "results_in_json", "signals_in_json"]

PLATE = "setup/plate_setup.json"
SIGNALS = "primary/multicomponent_data.json"
RESULTS = "primary/analysis_result.json"
_COLUMNS_OF_BLOCK = {24: 6, 48: 8, 96: 12, 384: 24}
_LARGEST_INDEX = 100_000
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # JSON may spell such, which no file can hold


def plate_in_json(document: Document) -> Plate | None:
    """What `setup/plate_setup.json` says, or None where there is none.

    Raises
    ------
    DamagedFile : it contradicts the layout.
    """
    where = document.where(PLATE)
    setup = document.json(PLATE)
    if setup is None:
        return None
    block = _text(setup, "blockType", where)
    named = re.search(r"(?<![0-9])(24|48|96|384)\s*-?\s*W", block.upper())
    if named is None:
        raise DamagedFile(Problem(f"{where}, blockType", repr(block), "a block such as BLOCK_96W", REMEDY))
    wells = int(named.group(1))
    return Plate(
        columns=_COLUMNS_OF_BLOCK[wells],
        wells=wells,
        passive_dye=passive_dye_or_none(_text(setup, "passiveReference", where)),
        assignments=tuple(_assignments(setup, wells, where)),
        omitted=frozenset(_index(well, "index", where) for well in _items(setup, "wells", where) if _omitted(well)),
        about={"block": block, **_about(document)},
    )


def _assignments(setup: Any, wells: int, where: str) -> Iterator[Assignment]:
    dyes = {_text(item, "name", where): _text(item, "reporter", where) for item in _items(setup, "targets", where)}
    for item in _items(setup, "wells", where):
        well = _index(item, "index", where)
        if well >= wells:
            raise DamagedFile(Problem(where, f"well {well}", f"a well from 0 to {wells - 1}", REMEDY))
        place = f"{where}, well of index {well}"
        for assigned in _items(item, "targetAssignments", place):
            target = _text(assigned, "targetName", place)
            yield Assignment(
                well=well,
                target=target,
                dye=dyes.get(target) or None,
                task=_text(assigned, "task", place),
                quantity=_number(assigned, "quantity", place),
                sample=_text(item, "sampleName", place) or None,
                where=f"{place}, target {target!r}",
            )


def _about(document: Document) -> dict[str, str]:
    """Instrument and day, as far as the document names them."""
    run, summary = document.json("run/run_summary.json") or {}, document.json("summary.json") or {}
    where = document.path
    about = {
        "instrument": _text(summary, "instrumentType", where),
        "instrument_serial_number": _text(run, "instrumentSerialNumber", where),
        "run_date": date_of_milliseconds(_number(run, "startTime", where)) or "",
    }
    return {name: value for name, value in about.items() if value}


def signals_in_json(document: Document) -> DyeSignals:
    """The signals of all dyes in all readings.

    Raises
    ------
    DamagedFile : the document contradicts the layout.
    """
    where = document.where(SIGNALS)
    content = document.json(SIGNALS)
    points = tuple(
        Point(*(_index(item, name, where) for name in Point._fields))
        for item in _items(content, "collectionPoints", where)
    )
    curves: dict[tuple[int, str], int] = {}
    values: list[NDArray[np.float64]] = []
    for item in _items(content, "wellData", where):
        well = _index(item, "wellIndex", where)
        for signal in _items(item, "dyeData", where):
            key = (well, _text(signal, "dyeName", where))
            place = f"{where}, well of index {well}, dye {key[1]}"
            if key in curves:
                raise DamagedFile(Problem(place, "a second signal of this dye", "one", REMEDY))
            curves[key] = len(values)
            values.append(_numbers(signal, "fluorescences", len(points), place))
    if not values:
        raise DamagedFile(Problem(where, "no signal of a dye", "signals of all wells", REMEDY))
    return DyeSignals(curves, np.array(values), points)


def results_in_json(document: Document) -> list[Result]:
    """The results in `primary/analysis_result.json`; none where there is no such member.

    Raises
    ------
    DamagedFile : it contradicts the layout.
    """
    where = document.where(RESULTS)
    content = document.json(RESULTS)
    return [
        _result(item, reaction, where)
        for item in _items({} if content is None else content, "wellResults", where)
        for reaction in _items(item, "reactionResults", where)
    ]


def _result(item: Any, reaction: Any, where: str) -> Result:
    well, target = _index(item, "wellIndex", where), _text(reaction, "targetName", where)
    place = f"{where}, well of index {well}, target {target!r}"
    found = reaction.get("amplificationResult") or {}
    cq = _number(found, "cq", place)
    return Result(
        well=well,
        target=target,
        sample=_text(item, "sampleName", place),
        task=_text(reaction, "task", place),
        cq=str(cq) if cq is not None and cq > 0 else ("NaN" if "cq" in found else ""),
        quantity=None,
        call=_text(found, "ampStatus", place) or None,
        where=place,
        omitted=_omitted(reaction),
        settings=Settings(
            *(_number(found, name, place) for name in ("ctThreshold", "ctBaselineStart", "ctBaselineEnd"))
        ),
        rn=_numbers(found, "rn", None, place) if _items(found, "rn", place) else None,
        delta_rn=_numbers(found, "deltaRn", None, place) if _items(found, "deltaRn", place) else None,
    )


def _field(item: Any, name: str, where: str) -> Any:
    if not isinstance(item, dict):
        raise DamagedFile(Problem(where, f"{item!r:.40}", f"an object with {name}", REMEDY))
    return item.get(name)


def _items(item: Any, name: str, where: str) -> list[Any]:
    """A list; empty where there is none."""
    value = _field(item, name, where)
    if value is None:
        return []
    if not isinstance(value, list):
        raise DamagedFile(Problem(f"{where}, {name}", f"{value!r:.40}", "a list", REMEDY))
    return value


def _text(item: Any, name: str, where: str) -> str:
    """A text; empty where there is none."""
    value = _field(item, name, where)
    if value is None:
        return ""
    if not isinstance(value, str) or _HALF_CHARACTER.search(value):
        raise DamagedFile(Problem(f"{where}, {name}", f"{value!r:.40}", "a text", REMEDY))
    return value.strip()


def _number(item: Any, name: str, where: str) -> float | None:
    """A finite number, or None where there is none."""
    value = _field(item, name, where)
    if value is None:
        return None
    number = _as_float(value)
    if number is None:
        raise DamagedFile(Problem(f"{where}, {name}", f"{value!r:.40}", "a number", REMEDY))
    return number if np.isfinite(number) else None


def _as_float(value: Any) -> float | None:
    try:
        return float(value) if type(value) in (int, float) else None
    except OverflowError:
        return None


def _index(item: Any, name: str, where: str) -> int:
    value = _field(item, name, where)
    if type(value) is not int or not 0 <= value < _LARGEST_INDEX:
        raise DamagedFile(Problem(f"{where}, {name}", f"{value!r:.40}", "a whole number from 0", REMEDY))
    return value


def _omitted(item: Any) -> bool:
    return isinstance(item, dict) and item.get("omitted") is True


def _numbers(item: Any, name: str, length: int | None, where: str) -> NDArray[np.float64]:
    """The numbers of a list; NaN where null stands."""
    values = [np.nan if value is None else _as_float(value) for value in _items(item, name, where)]
    if None in values or np.inf in values or -np.inf in values:
        raise DamagedFile(Problem(f"{where}, {name}", "a list with something else than numbers", "numbers", REMEDY))
    if length is not None and len(values) != length:
        found = f"{len(values)} readings"
        raise DamagedFile(Problem(f"{where}, {name}", found, f"{length}, as there are points of collection", REMEDY))
    return np.array(values, dtype=np.float64)
