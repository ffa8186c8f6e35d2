"""From reactions and curves, as a format found them, to a `Run`: one cycle axis, no duplicates, plate order.

Symbols: n reactions, m cycles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.gaps import warnings_of_gaps
from bcrabl.formats.wells import plate_order
from bcrabl.run import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "LATEST_CQ_BEYOND",
    "ROLES_NOT_STATED",
    "Curve",
    "Readings",
    "arrange",
    "assemble",
    "left_out",
    "on_common_cycles",
    "problem_of_cycles",
    "warnings_of_quantities",
]

Curve = tuple[tuple[float, ...], Sequence[float]]
"""Cycle numbers of a curve and its signal (a.u.)."""

ROLES_NOT_STATED = "The roles of the reactions are not in the file; all are read as unknown samples."
"""The warning of formats that say nothing of standards and controls; the layout sheet does."""

LATEST_CQ_BEYOND = 1.0  # cycles behind the last one at which some software still states a Cq
MOST_CYCLES = 1000  # no program cycles longer; keeps hostile cycle numbers from spanning a huge array


def assemble(
    path: str,
    rows: Sequence[Mapping[str, object]],
    cycles: NDArray[np.float64],
    fluorescence: NDArray[np.float64],
    passive_reference: NDArray[np.float64] | None,
    stage: str,
    metadata: Mapping[str, object],
) -> Run:
    """The run of these reactions, sorted by part, place on the plate and target; a warning names missing readings.

    Parameters
    ----------
    path : the file, for error texts.
    rows : n reactions with columns of `bcrabl.tables.REACTIONS`.
    cycles : (m,) array.
    fluorescence, passive_reference : (n, m) arrays, a.u., in the order of `rows`.

    Raises
    ------
    DamagedFile : there is no reaction, or a target stands twice in a well.
    RunError : the curves differ too much in their cycles.
    """
    from bcrabl.tables import REACTIONS

    if not rows:
        raise DamagedFile(
            Problem(path, "no amplification curve", "one or more", "Export the amplification data with the results.")
        )
    _refuse_duplicates(path, rows)
    order = sorted(range(len(rows)), key=lambda index: _place(rows[index]))
    sorted_rows = [rows[index] for index in order]
    run = Run(
        REACTIONS.from_rows(sorted_rows),
        cycles,
        fluorescence[order],
        None if passive_reference is None else passive_reference[order],
        stage,
        metadata,
    )
    # What was read from our own table of curves may carry the sentence already
    warnings = dict.fromkeys([*run.warnings, *warnings_of_gaps(sorted_rows, run.cycles, run.fluorescence)])
    return replace(run, metadata={**metadata, "warnings": tuple(warnings)})


def _place(row: Mapping[str, object]) -> tuple[str, tuple[int, str, int, str, int], str]:
    return str(row["part"] or ""), plate_order(str(row["well"])), str(row["target"])


def _refuse_duplicates(path: str, rows: Iterable[Mapping[str, object]]) -> None:
    times = Counter((row["part"], row["well"], row["target"]) for row in rows)
    problems = [
        Problem(
            f"{path}, {'' if part is None else f'part {part}, '}well {well}",
            f"duplicate well: {count} curves of target {target!r}",
            "one curve of each target in a well",
            "Export the run again, or read one part at a time.",
        )
        for (part, well, target), count in times.items()
        if count > 1
    ]
    if problems:
        raise DamagedFile(problems)


@dataclass(frozen=True)
class Readings:
    """Where single readings (one key in one cycle) belong in the curves of a run.

    Parameters
    ----------
    curves : row of each of n curves, by key.
    cycles : (m,) array, rising.
    cells : (k,) place of each reading in the flattened (n, m) array.
    """

    curves: Mapping[Hashable, int]
    cycles: NDArray[np.float64]
    cells: NDArray[np.intp]

    def refuse_cut_off(self, where: str) -> None:
        """For instruments that read all wells in every cycle: raise where lines are missing at the end.

        Raises
        ------
        DamagedFile : the last curve has fewer readings than another.
        """
        counts = np.bincount(self.cells // len(self.cycles), minlength=len(self.curves))
        if counts.size and counts[-1] < counts.max():
            found = f"{counts[-1]} readings of the last curve ({_in_words(list(self.curves)[-1])})"
            expected = f"{counts.max()}, as in other curves"
            raise DamagedFile(Problem(where, found, expected, "The file may be cut off; export it again."))

    def filled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, m) array of the (k,) values; NaN where there is no reading."""
        signal = np.full((len(self.curves), len(self.cycles)), np.nan)
        signal.flat[self.cells] = values
        return signal


def arrange(keys: Sequence[Hashable], cycle_of: NDArray[np.float64], place: Callable[[int], str]) -> Readings:
    """Sort single readings into curves.

    Parameters
    ----------
    keys : what tells the curve of each of k readings: its well, or well and dye, …
    cycle_of : (k,) array of the cycle of each.
    place : where the i-th reading stands, in words.

    Raises
    ------
    DamagedFile : a cycle is missing, no whole number, or stands twice for a curve.
    """
    if not np.all(np.isfinite(cycle_of)):
        first = int(np.flatnonzero(~np.isfinite(cycle_of))[0])
        raise DamagedFile(Problem(place(first), "a reading of no cycle", "cycles 1, 2, 3, …"))
    cycles, cycle_index = np.unique(cycle_of, return_inverse=True)
    problem = problem_of_cycles(cycles.tolist())
    if problem is not None:
        strange = np.flatnonzero(~((cycle_of >= 0) & (cycle_of <= MOST_CYCLES) & (cycle_of == np.round(cycle_of))))
        raise DamagedFile(Problem(place(int(strange[0])), problem, "cycles 1, 2, 3, …"))
    curves: dict[Hashable, int] = {key: index for index, key in enumerate(dict.fromkeys(keys))}
    cells = np.array([curves[key] for key in keys], dtype=np.intp) * len(cycles) + cycle_index
    order = np.argsort(cells, kind="stable")
    repeated = np.flatnonzero(np.diff(cells[order]) == 0)
    if repeated.size:
        reading = int(order[repeated[0] + 1])
        found = f"a second reading of {_in_words(keys[reading])} in cycle {cycle_of[reading]:g}"
        raise DamagedFile(Problem(place(reading), found, "one reading for each curve and cycle"))
    return Readings(curves, cycles, cells)


def _in_words(key: Hashable) -> str:
    return ", ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


def left_out(reactions: Sequence[str]) -> str:
    """The sentence that names reactions without a curve."""
    shown = "; ".join(reactions[:5]) + ("; …" if len(reactions) > 5 else ".")
    return f"{len(reactions)} reactions have no amplification curve and were left out: {shown}"


def warnings_of_quantities(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """What is to be said of the quantities of standards where no unit is stated: that some are missing, or all bare."""
    standards = [row for row in rows if row["role"] == "std"]
    unknown = sum(row["known_copies"] is None for row in standards)
    warnings = []
    if unknown:
        warnings.append(f"{unknown} standard reactions carry no quantity; their copies are unknown.")
    if len(standards) > unknown:
        warnings.append(
            f"The quantities of {len(standards) - unknown} standard reactions carry no unit; "
            "they are read as copies per reaction."
        )
    return warnings


def on_common_cycles(curves: Sequence[Curve]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Curves side by side over all cycles that any of them has.

    Parameters
    ----------
    curves : n curves; those measured in the same cycles had better share the tuple of cycle numbers.

    Returns
    -------
    cycles : (m,) array, rising.
    fluorescence : (n, m) array, a.u., NaN where a curve lacks the cycle.
    """
    axes = set(dict.fromkeys(axis for axis, _ in curves))
    cycles = np.array(sorted({cycle for axis in axes for cycle in axis}), dtype=np.float64)
    columns = {axis: np.searchsorted(cycles, axis) for axis in axes}
    fluorescence = np.full((len(curves), len(cycles)), np.nan)
    for row, (axis, values) in enumerate(curves):
        fluorescence[row, columns[axis]] = values
    return cycles, fluorescence


def problem_of_cycles(axis: Sequence[float]) -> str | None:
    """What is wrong with the cycle numbers of a curve, or None."""
    strange = [cycle for cycle in axis if not (0 <= cycle <= MOST_CYCLES and cycle == int(cycle))]
    if strange:
        return f"cycle {strange[0]:g}"
    if len(set(axis)) < len(axis):
        repeated = next(cycle for cycle, times in Counter(axis).items() if times > 1)
        return f"cycle {repeated:g} more than once"
    return None
