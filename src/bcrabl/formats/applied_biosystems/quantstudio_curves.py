"""The curves of an Applied Biosystems export: the least processed signal in the file.

`Multicomponent (Data)` has one column per dye, so that the passive reference can be checked; `Amplification Data` has
Rn, the reporter divided by the passive reference, or R where there is none (OpenArray), and ΔRn, less a baseline.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import Readings, arrange

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.formats.applied_biosystems.quantstudio_tables import Book, Table

__all__ = ["AMPLIFICATION_SHEETS", "MULTICOMPONENT_SHEETS", "Signal", "passive_dye", "signal_of"]

MULTICOMPONENT_SHEETS = ("Multicomponent", "Multicomponent Data")
AMPLIFICATION_SHEETS = ("Amplification Data",)
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

    def place(self, row: Mapping[str, object]) -> int | None:
        """The place of the curve of a reaction, or None where it has none."""
        place = self.curves.get((row["well"], row["dye" if self.by_dye else "target"]))
        return place if place is not None and np.isfinite(self.fluorescence[place]).any() else None


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
    """Dye signal and passive reference of the reactions; Rn where the signal of a dye is not in the file.

    Raises
    ------
    DamagedFile : no sheet holds curves, targets of a well share a dye, or a reporter is the passive reference.
    """
    passive = passive_dye(stated)
    _refuse_shared_dyes(path, rows, passive)
    table = book.table(MULTICOMPONENT_SHEETS, "well", "cycle")
    needed = {str(row["dye"] or _NO_DYE) for row in rows} | ({passive} if passive else set())
    if table is None:
        missing = "there is no sheet Multicomponent"
    elif lacking := sorted(dye for dye in needed if not table.cells.has(dye)):
        missing = f"the sheet Multicomponent has no signal of {', '.join(lacking)}"
    else:
        if "Passive Reference" not in stated:
            warnings.append("The file does not say which dye is the passive reference; none is used.")
        return _dye_signal(book, table, rows, passive)
    amplification = book.table(AMPLIFICATION_SHEETS, "well", "cycle", "target")
    choice = None if amplification is None else next((c for c in _IN_ORDER if amplification.has(c[0])), None)
    if amplification is None or choice is None:
        found = f"no curves: {missing}, and no sheet Amplification Data"
        raise DamagedFile(Problem(path, found, "one of them", export))
    return _target_signal(book, amplification, missing, warnings)


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


def _dye_signal(book: Book, table: Table, rows: Sequence[Mapping[str, object]], passive: str | None) -> Signal:
    """Signal of each well in each reporter dye, from one column per dye."""
    problems: list[Problem] = []
    used = {row["well"] for row in rows}
    named = book.wells(table, table.texts("cycle"), problems)
    wells = _of_amplification(table, {row: well for row, well in named.items() if well in used})
    readings = _arranged(table, dict(wells), problems)
    dyes = sorted({str(row["dye"]) for row in rows})
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


def _target_signal(book: Book, table: Table, missing: str, warnings: list[str]) -> Signal:
    """Rn, R, ΔRn or ΔR of each well and target, the first of them that holds a value."""
    problems: list[Problem] = []
    targets = table.texts("target")
    keys = {row: (well, targets[row]) for row, well in book.wells(table, targets, problems).items()}
    readings = _arranged(table, dict(keys), problems)
    values, stage, sentence = _least_processed(table, list(keys), problems)
    if problems:
        raise DamagedFile(problems)
    warnings.append(sentence.format(missing=missing))
    return Signal(readings.curves, False, readings.cycles, readings.filled(values), None, stage)


def _least_processed(
    table: Table, rows: Sequence[int], problems: list[Problem]
) -> tuple[NDArray[np.float64], str, str]:
    """(k,) readings of the first column that holds any, their stage, and what they are in words."""
    present = [choice for choice in _IN_ORDER if table.has(choice[0])]
    values = [table.numbers(column, rows, problems) for column, _, _ in present]
    best = next((place for place, readings in enumerate(values) if np.isfinite(readings).any()), 0)
    return values[best], *present[best][1:]


def _of_amplification(table: Table, wells: dict[int, str]) -> dict[int, str]:
    """The rows read in the amplification step: other steps count their own cycles."""
    if not table.has("stage") and not table.has("step"):
        return wells
    steps = list(zip(table.texts("stage"), table.texts("step"), strict=True))
    stated = re.fullmatch(r"Stage\s*(\d+)\s*,?\s*Step\s*(\d+)", table.stated.get("PCR Stage/Step Number", ""))
    chosen = stated.groups() if stated else None
    present = Counter(steps[row] for row in wells)
    if chosen not in present:
        # The step with the most readings is the one that cycles
        chosen = max(present, key=lambda step: present[step], default=None)
    return {row: well for row, well in wells.items() if steps[row] == chosen}


def _arranged(table: Table, keys: Mapping[int, Hashable], problems: list[Problem]) -> Readings:
    """Where the readings of the rows belong."""
    rows = list(keys)
    cycle_of = table.numbers("cycle", rows, problems)
    if problems:
        raise DamagedFile(problems)
    return arrange(list(keys.values()), cycle_of, lambda reading: table.place(rows[reading], "cycle"))
