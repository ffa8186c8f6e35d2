"""Signals of the dyes in .eds documents of the 7500 and StepOne: `multicomponent_data.txt`.

A record is `well, cycle, dye, MSE, signal, first pure-dye coefficient`, cells separated by tabs; further coefficients
follow on lines of their own. The records of a cycle end with `well, cycle, MSE` and no line end, so that the next
record is glued to them. Wells and cycles are counted from 0.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.applied_biosystems.eds_document import REMEDY, SDS, Document, DyeSignals
from bcrabl.formats.applied_biosystems.words import single_precision

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MEMBER", "signals_in_text"]

MEMBER = f"{SDS}multicomponent_data.txt"
_HEADER = re.compile(r"WELL\tCYCLE\tDYE LIST\tMSE\tSIGNAL DATA\tPURE_DYE_DATA\s*")
_RECORD = re.compile(r"(?<![^\t\n])([0-9]{1,4})\t([0-9]{1,5})\t([A-Za-z][^\t\n]*)\t[^\t\n]*\t([^\t\n]*)\t")


def signals_in_text(document: Document) -> DyeSignals:
    """The signals of all dyes in all readings.

    Raises
    ------
    DamagedFile : the text contradicts the layout.
    """
    where = document.where(MEMBER)
    text = document.text(MEMBER) or ""
    header = next((line for line in text.split("\n", 20)[:20] if _HEADER.fullmatch(line)), None)
    if header is None:
        found = "no line WELL, CYCLE, DYE LIST, MSE, SIGNAL DATA, PURE_DYE_DATA"
        raise DamagedFile(Problem(where, found, "that line on top", REMEDY))
    records = _RECORD.findall(text)
    if not records:
        raise DamagedFile(Problem(where, "no signal of a dye", "a record for each well, cycle and dye", REMEDY))
    spelled = [(well, dye) for well, _, dye, _ in records]
    places = {key: place for place, key in enumerate(dict.fromkeys(spelled))}
    curves = {(int(well), dye.strip()): place for (well, dye), place in places.items()}
    if len(curves) < len(places):
        raise DamagedFile(Problem(where, "a dye of a well that is spelled in two ways", "one spelling", REMEDY))
    return DyeSignals(curves, _filled(records, [places[key] for key in spelled], len(curves), where), None)


def _filled(records: list[tuple[str, str, str, str]], rows: list[int], curves: int, where: str) -> NDArray[np.float64]:
    """(k, p) array of the signals; every curve has all readings, each once."""
    reading = np.array([int(cycle) for _, cycle, _, _ in records])
    readings = int(reading.max()) + 1
    if curves * readings != len(records):
        found = f"{len(records)} readings of {curves} curves with {readings} cycles each"
        raise DamagedFile(Problem(where, found, f"{curves * readings}: one for each curve and cycle", REMEDY))
    cells = np.array(rows) * readings + reading
    if np.bincount(cells).max() > 1:
        raise DamagedFile(Problem(where, "a reading that stands twice", "one for each curve and cycle", REMEDY))
    values = np.full((curves, readings), np.nan)
    values.flat[cells] = single_precision([signal for _, _, _, signal in records], where)
    return values
