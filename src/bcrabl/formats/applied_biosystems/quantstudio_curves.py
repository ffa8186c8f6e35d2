"""The curves of an Applied Biosystems export: the least processed signal in the file.

`Multicomponent (Data)` has one column per dye, so that the passive reference can be checked; `Amplification Data` has
Rn, the reporter divided by the passive reference, or R where there is none (OpenArray), and ΔRn, less a baseline.
The former is taken only where it gives the Rn that the latter states.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import Readings, arrange
from bcrabl.run import normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.formats.applied_biosystems.quantstudio_tables import Book, Table

__all__ = ["AMPLIFICATION_SHEETS", "MULTICOMPONENT_SHEETS", "Signal", "passive_dye", "signal_of"]

MULTICOMPONENT_SHEETS = ("Multicomponent", "Multicomponent Data")
AMPLIFICATION_SHEETS = ("Amplification Data",)
_SAME = 1e-3  # relative; Rn repeats the quotient to some 1e-7, and one cycle beside it differs by more where it rises
_ROUNDED = 5.1e-4  # texts state three decimals
# Design & Analysis 2; QuantStudio Flex, ViiA 7, StepOne and 7500
_KEY_OF_STEP = re.compile(r"PCR Stage/Step Number|Stage ?/ ?Cycle where (?:Ct )?Analysis is performed", re.IGNORECASE)
_STEP = re.compile(r"Stage\s*(?P<stage>\d+)\s*,?\s*Step\s*(?P<step>\d+)", re.ASCII | re.IGNORECASE)
_NO_DYE = "a reporter that is not named"
_NOT_MET = " This reader has not met a real OpenArray export."
_IN_ORDER = (
    # column, stage, what it is in words
    ("rn", "normalised", "The curves are Rn, since {missing}; the passive reference cannot be checked."),
    ("r", "raw", "The curves are R, as of an OpenArray, since {missing}." + _NOT_MET),
    ("delta rn", "baseline_subtracted", "The curves are ΔRn, less a baseline of the instrument, since {missing}."),
    (
        "delta r",
        "baseline_subtracted",
        "The curves are ΔR, less a baseline of the instrument, since {missing}." + _NOT_MET,
    ),
)


@dataclass(frozen=True)
class Signal:
    """Curves as read from a sheet.

    Parameters
    ----------
    curves : place of each curve by well and dye (stage "raw" of dyes), else by well and target.
    by_dye : which of the two.
    cycles : (m,) array.
    fluorescence, passive_reference : (k, m) arrays, a.u., the latter or None.
    stage : as in `Run`.
    """

    curves: Mapping[Hashable, int]
    by_dye: bool
    cycles: NDArray[np.float64]
    fluorescence: NDArray[np.float64]
    passive_reference: NDArray[np.float64] | None
    stage: str

    @cached_property
    def values(self) -> NDArray[np.float64]:
        """(k, m) array of what is analysed; NaN where the reading or its passive reference is missing."""
        if self.passive_reference is None:
            return self.fluorescence
        return normalised(self.fluorescence, self.passive_reference)

    @cached_property
    def measured(self) -> list[bool]:
        """Whether each of the k curves holds a value."""
        return [bool(curve.any()) for curve in np.isfinite(self.values)]

    def place(self, row: Mapping[str, object]) -> int | None:
        """The place of the curve of a reaction, or None where it has none."""
        place = self.curves.get((row["well"], row["dye" if self.by_dye else "target"]))
        return place if place is not None and self.measured[place] else None

    def of(self, rows: Sequence[Mapping[str, object]], cycles: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, len(cycles)) values of n reactions in cycles that include its own; NaN where there is none."""
        found = np.full((len(rows), len(cycles)), np.nan)
        places = [(index, place) for index, row in enumerate(rows) if (place := self.place(row)) is not None]
        if places:
            indices, own = map(list, zip(*places, strict=True))
            found[np.ix_(indices, np.searchsorted(cycles, self.cycles))] = self.values[own]
        return found


def passive_dye(stated: Mapping[str, str]) -> str | None:
    """The dye of the passive reference, or None where the file states that there is none, or nothing."""
    dye = stated.get("Passive Reference", "")
    return None if dye.lower() in {"", "none", "-", "na"} else dye


def signal_of(
    path: str,
    book: Book,
    stated: Mapping[str, str],
    rows: Sequence[Mapping[str, object]],
    export: str,
    warnings: list[str],
) -> Signal:
    """Dye signal and passive reference of the reactions; Rn where they are not in the file, or do not give it.

    Raises
    ------
    DamagedFile : no sheet holds curves, or none holds all of them; targets of a well share a dye; or a reporter is the
        passive reference.
    """
    passive = passive_dye(stated)
    _refuse_shared_dyes(path, rows, passive)
    reported = _target_signal(book)
    if reported is not None:
        _warn_of_other_curves(reported[0], rows, warnings)
    dyes = _dye_signal(book, rows, passive)
    if isinstance(dyes, Signal):
        missing = "" if reported is None else _contradiction(path, dyes, reported[0], rows, export)
        if not missing:
            if "Passive Reference" not in stated:
                warnings.append("The file does not say which dye is the passive reference; none is used.")
            return dyes
    else:
        missing = dyes
    if reported is None:
        found = f"no curves: {missing}, and no sheet Amplification Data"
        raise DamagedFile(Problem(path, found, "one of them", export))
    signal, sentence = reported
    warnings.append(sentence.format(missing=missing))
    return signal


def _refuse_shared_dyes(path: str, rows: Sequence[Mapping[str, object]], passive: str | None) -> None:
    """One dye has one signal in a well: it belongs to one target, or to the passive reference."""
    problems = []
    target_of: dict[tuple[object, str], object] = {}
    for row in rows:
        dye = str(row["dye"] or "").casefold()
        where = f"{path}, well {row['well']}"
        other = target_of.setdefault((row["well"], dye), row["target"])
        if dye and other != row["target"]:
            found = f"targets {other!r} and {row['target']!r} with the same dye {row['dye']}"
            problems.append(Problem(where, found, "one target for each dye in a well"))
        if dye and passive is not None and dye == passive.casefold():
            found = f"target {row['target']!r} with the dye {row['dye']}, which is the passive reference"
            expected = "a reporter that is not the passive reference"
            problems.append(Problem(where, found, expected, "Correct the plate setup in the software, export again."))
    if problems:
        raise DamagedFile(problems)


def _warn_of_other_curves(reported: Signal, rows: Sequence[Mapping[str, object]], warnings: list[str]) -> None:
    """Say which curves belong to none of the reactions: they are lost."""
    named = {(row["well"], row["target"]) for row in rows}
    other = [key for key, place in reported.curves.items() if key not in named and reported.measured[place]]
    if other:
        shown = "; ".join(map(_in_words, other[:5])) + ("; …" if len(other) > 5 else ".")
        warnings.append(
            f"{len(other)} curves of the sheet Amplification Data are of reactions that the results do not name, and "
            f"were passed over: {shown}"
        )


def _in_words(key: Hashable) -> str:
    well, target = key if isinstance(key, tuple) else (key, "")
    return f"well {well}, target {target}"


def _contradiction(path: str, dyes: Signal, reported: Signal, rows: Sequence[Mapping[str, object]], export: str) -> str:
    """Why the signal of the dyes cannot be what the software analysed, in words; empty where it can.

    Raises
    ------
    DamagedFile : it cannot, and the sheet Amplification Data, which should stand in, lacks cycles.
    """
    cycles = np.union1d(dyes.cycles, reported.cycles)
    own, stated = dyes.of(rows, cycles), reported.of(rows, cycles)
    doubt = _difference(own, stated, rows, cycles, comparable=reported.stage == "normalised")
    lost = np.isfinite(own).any(axis=0) & ~np.isfinite(stated).any(axis=0)
    if doubt and lost.any():
        found = f"no cycle {cycles[lost][0]:g} in the sheet Amplification Data, which should stand in, since {doubt}"
        raise DamagedFile(Problem(path, found, "the same cycles of one run in both sheets", export))
    return doubt


def _difference(
    own: NDArray[np.float64],
    stated: NDArray[np.float64],
    rows: Sequence[Mapping[str, object]],
    cycles: NDArray[np.float64],
    *,
    comparable: bool,
) -> str:
    """Where (n, m) signals lack what is stated beside them or, being comparable, contradict it; empty if nowhere."""

    def first(where: NDArray[np.bool_]) -> str:
        curve, cycle = np.argwhere(where)[0]
        return f"the first: {_in_words((rows[curve]['well'], rows[curve]['target']))}, cycle {cycles[cycle]:g}"

    lacking = np.isfinite(stated) & ~np.isfinite(own)
    if lacking.any():
        return (
            f"the sheet Multicomponent lacks {lacking.sum()} readings of a dye or of the passive reference that the "
            f"sheet Amplification Data has ({first(lacking)})"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        differing = np.abs(own - stated) > _SAME * np.abs(stated) + _ROUNDED
    if comparable and differing.any():
        return f"the sheet Multicomponent does not give the Rn that the file states ({first(differing)})"
    return ""


def _dye_signal(book: Book, rows: Sequence[Mapping[str, object]], passive: str | None) -> Signal | str:
    """Signal of each well in each reporter dye, from one column per dye; or why there is none, in words."""
    table = book.table(MULTICOMPONENT_SHEETS, "well", "cycle")
    if table is None:
        return "there is no sheet Multicomponent"
    needed = {str(row["dye"] or _NO_DYE) for row in rows} | ({passive} if passive else set())
    if lacking := sorted(dye for dye in needed if not table.cells.has(dye)):
        return f"the sheet Multicomponent has no signal of {', '.join(lacking)}"
    problems: list[Problem] = []
    used = {row["well"] for row in rows}
    named = book.wells(table, table.texts("cycle"), problems)
    wells = _of_amplification(table, {row: well for row, well in named.items() if well in used})
    if wells is None:
        return "the file does not say which step of the sheet Multicomponent is the amplification"
    return _signal_of_dyes(table, wells, sorted({str(row["dye"]) for row in rows}), passive, problems)


def _signal_of_dyes(
    table: Table, wells: Mapping[int, str], dyes: Sequence[str], passive: str | None, problems: list[Problem]
) -> Signal:
    """Signal of wells, named by their rows, in each of the dyes."""
    readings = _arranged(table, dict(wells), problems)
    signal = {dye: readings.filled(table.cells.numbers(dye, list(wells), problems)) for dye in dyes}
    reference = None
    if passive is not None:
        reference = readings.filled(table.cells.numbers(passive, list(wells), problems))
    if problems:
        raise DamagedFile(problems)
    curves: dict[Hashable, int] = {
        (well, dye): place * len(readings.curves) + index
        for place, dye in enumerate(dyes)
        for well, index in readings.curves.items()
    }
    fluorescence = np.concatenate([signal[dye] for dye in dyes])
    repeated = None if reference is None else np.concatenate([reference] * len(dyes))
    return Signal(curves, True, readings.cycles, fluorescence, repeated, "raw")


def _target_signal(book: Book) -> tuple[Signal, str] | None:
    """Rn, R, ΔRn or ΔR of each well and target, the first of them that holds a value, and what to say of it.

    None where there is no such sheet or column.
    """
    table = book.table(AMPLIFICATION_SHEETS, "well", "cycle", "target")
    if table is None or not any(table.has(column) for column, _, _ in _IN_ORDER):
        return None
    problems: list[Problem] = []
    targets = table.texts("target")
    keys = {row: (well, targets[row]) for row, well in book.wells(table, targets, problems).items()}
    readings = _arranged(table, dict(keys), problems)
    values, stage, sentence = _least_processed(table, list(keys), problems)
    if problems:
        raise DamagedFile(problems)
    return Signal(readings.curves, False, readings.cycles, readings.filled(values), None, stage), sentence


def _least_processed(
    table: Table, rows: Sequence[int], problems: list[Problem]
) -> tuple[NDArray[np.float64], str, str]:
    """(k,) readings of the first column that holds any, their stage, and what they are in words."""
    present = [choice for choice in _IN_ORDER if table.has(choice[0])]
    values = [table.numbers(column, rows, problems) for column, _, _ in present]
    best = next((place for place, readings in enumerate(values) if np.isfinite(readings).any()), 0)
    return values[best], *present[best][1:]


def _of_amplification(table: Table, wells: dict[int, str]) -> dict[int, str] | None:
    """The rows read in the amplification step: other steps count their own cycles. None where nobody can tell."""
    columns = [name for name in ("stage", "step") if table.has(name)]
    if not columns or not wells:
        return wells
    steps = list(zip(*(table.texts(name) for name in columns), strict=True))
    present = {steps[row] for row in wells}
    stated = _stated_step(table.stated)
    chosen = tuple(stated[name] for name in columns) if stated else min(present)
    if chosen not in present or (not stated and len(present) > 1):
        return None
    return {row: well for row, well in wells.items() if steps[row] == chosen}


def _stated_step(stated: Mapping[str, str]) -> dict[str, str] | None:
    """Numbers of the stage and step that the software analysed, or None where the file does not say."""
    said = (_STEP.fullmatch(value) for key, value in stated.items() if _KEY_OF_STEP.fullmatch(key))
    return next((match.groupdict() for match in said if match), None)


def _arranged(table: Table, keys: Mapping[int, Hashable], problems: list[Problem]) -> Readings:
    """Where the readings of the rows belong."""
    rows = list(keys)
    cycle_of = table.numbers("cycle", rows, problems)
    if problems:
        raise DamagedFile(problems)
    return arrange(list(keys.values()), cycle_of, lambda reading: table.place(rows[reading], "cycle"))
