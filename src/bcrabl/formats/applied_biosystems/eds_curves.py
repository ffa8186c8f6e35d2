"""From what an .eds document says to the curves of its reactions: dye signals, else Rn, else ΔRn.

The signal of the reporter over that of the passive reference is Rn, which the results repeat: where the two disagree,
the readings cannot be those that were analysed, and Rn is taken.

Symbols: n reactions, m cycles.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, FormatRefused, Problem
from bcrabl.formats.applied_biosystems.eds_document import REMEDY, Document, DyeSignals, Plate, Result, Settings, key_of
from bcrabl.formats.applied_biosystems.eds_program import Analysed, amplification, planned_points, program_of
from bcrabl.formats.assembly import MOST_CYCLES
from bcrabl.run import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Content", "Curves", "curves_of"]

_SAME = 1e-3  # relative; Rn repeats the quotient to some 1e-7, and one cycle beside it differs by more where it rises


@dataclass(frozen=True)
class Content:
    """What the members of a document say, whatever its layout."""

    plate: Plate
    signals: DyeSignals | None
    results: Mapping[Hashable, Result]
    settings: Callable[[int, str], Settings]
    analysed: Analysed


@dataclass(frozen=True)
class Curves:
    """(n, m) fluorescence of the reactions in their order, NaN where there is no reading."""

    cycles: NDArray[np.float64]
    fluorescence: NDArray[np.float64]
    passive_reference: NDArray[np.float64] | None
    stage: str


def curves_of(document: Document, content: Content, warnings: list[str]) -> Curves:
    """The dye signals of the amplification; Rn where they are missing or are not what was analysed; else ΔRn.

    Parameters
    ----------
    warnings : gain sentences about what stands in for the signals of the dyes, and why.

    Raises
    ------
    DamagedFile : nobody can tell which readings are the amplification.
    FormatRefused : there are no curves at all.
    """
    dyes = _dye_curves(document, content, warnings)
    rn = _result_curves(content, "rn")
    if dyes is not None and (rn is None or _agree(dyes, rn)):
        return dyes
    if dyes is not None:
        warnings.append("The signals of the dyes are not those that the software analysed; the curves are its Rn.")
    if rn is not None:
        return Curves(*rn, None, "normalised")
    delta_rn = _result_curves(content, "delta_rn")
    if delta_rn is None:
        found = "a document without curves: neither signals of the dyes nor Rn"
        raise FormatRefused(Problem(document.path, found, "a document of a run that was analysed", REMEDY))
    warnings.append("The curves are ΔRn, from which the software has subtracted its baseline already.")
    return Curves(*delta_rn, None, "baseline_subtracted")


def _dye_curves(document: Document, content: Content, warnings: list[str]) -> Curves | None:
    """Reporter and passive reference of each reaction, or None (and why) where one of them is not in the file."""
    signals, plate = content.signals, content.plate
    if signals is None:
        warnings.append("The curves are those of the results: the document holds no signals of the dyes.")
        return None
    present = {dye.upper() for _, dye in signals.curves}
    needed = {item.dye or "a reporter that is not named" for item in plate.assignments}
    needed |= {plate.passive_dye} if plate.passive_dye else set()
    if lacking := sorted(dye for dye in needed if dye.upper() not in present):
        warnings.append(f"The curves are those of the results: there is no signal of {', '.join(lacking)}.")
        return None
    chosen, cycles = _amplification_of(document, content, signals, warnings)
    values = np.vstack([signals.values[:, chosen], np.full((1, len(chosen)), np.nan)])
    places = {(well, dye.upper()): row for (well, dye), row in signals.curves.items()}

    def of_each(dyes: Sequence[str | None]) -> NDArray[np.float64]:
        keys = zip(plate.assignments, dyes, strict=True)
        return values[[places.get((item.well, str(dye).upper()), -1) for item, dye in keys]]

    fluorescence = of_each([item.dye for item in plate.assignments])
    passive = of_each([plate.passive_dye] * len(plate.assignments)) if plate.passive_dye else None
    return Curves(cycles, fluorescence, passive, "raw")


def _amplification_of(
    document: Document, content: Content, signals: DyeSignals, warnings: list[str]
) -> tuple[list[int], NDArray[np.float64]]:
    """Places and cycles of the readings of the amplification."""
    program = program_of(document)
    points = signals.points
    if points is None and program is None:
        found = "readings without the program that tells which of them are the amplification"
        raise DamagedFile(Problem(document.path, found, "the member tcprotocol.xml", REMEDY))
    if points is None:
        points = planned_points(program or (), signals.values.shape[1], document.path)
    chosen = amplification(points, program, content.analysed, document.path, warnings)
    cycles = np.array([points[place].cycle for place in chosen], dtype=np.float64)
    if cycles[-1] > MOST_CYCLES:
        raise DamagedFile(Problem(document.path, f"cycle {cycles[-1]:g}", f"at most {MOST_CYCLES} cycles", REMEDY))
    return chosen, cycles


def _result_curves(content: Content, kind: str) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Cycles and (n, m) curves in the results, or None where there are none."""
    found = [
        getattr(content.results.get(key_of(item.well, item.target)), kind, None) for item in content.plate.assignments
    ]
    longest = max((len(curve) for curve in found if curve is not None), default=0)
    if not longest:
        return None
    if longest > MOST_CYCLES:
        raise DamagedFile(Problem("results", f"a curve of {longest} cycles", f"at most {MOST_CYCLES}", REMEDY))
    curves = np.full((len(found), longest), np.nan)
    for row, curve in enumerate(found):
        if curve is not None:
            curves[row, : len(curve)] = curve
    return np.arange(1.0, longest + 1), curves


def _agree(dyes: Curves, rn: tuple[NDArray[np.float64], NDArray[np.float64]]) -> bool:
    """Whether there is reporter over passive reference wherever Rn is reported, and is the same."""
    cycles, reported = rn
    if len(cycles) != len(dyes.cycles):
        return False
    passive = dyes.passive_reference
    computed = dyes.fluorescence if passive is None else normalised(dyes.fluorescence, passive)
    known = np.isfinite(reported)
    if not np.all(np.isfinite(computed[known])):
        return False
    return bool(np.all(np.abs(computed[known] - reported[known]) <= _SAME * np.abs(reported[known])))
