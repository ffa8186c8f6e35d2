"""One thermocycler run: the curves of a plate and what the export says about them.

Symbols: n reactions (one target in one well = one curve), m cycles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import Problem, RunError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["ROLES", "STAGES", "Run", "normalised"]

ROLES = ("unkn", "std", "ntc", "nac", "nrt", "pos", "neg", "calibrator", "opt")
"""Roles of a reaction, in RDML's words; `opt` (optical calibrator) is read and kept but takes part in nothing."""

STAGES = ("raw", "normalised", "baseline_subtracted")
"""How far the instrument software had processed the exported signal: dye signal, Rn, ΔRn/RFU."""

_LEAST_SHARE_OF_CYCLES = 0.8  # a curve that stops much earlier than others comes from another program
_LEAST_READINGS = 10  # fewer are the remains of a lost curve, which its amplification call names


@dataclass(frozen=True)
class Run:
    """The curves of one plate.

    Parameters
    ----------
    reactions : table of n rows, `bcrabl.tables.REACTIONS`: who is who, and what the vendor's software said.
    cycles : (m,) array of whole, rising cycle numbers.
    fluorescence : (n, m) array, a.u. as exported, NaN where a cycle is missing.
    passive_reference : (n, m) array, a.u., of the passive reference dye in the same wells, or None.
    stage : one of `STAGES`.
    metadata : what the file says of itself: `format`, `instrument`, `software`, `run_date`, … in words; and
        `warnings`, a tuple of sentences about what was read with reservations.
    truth : table of the true copies behind each reaction; simulated runs only.

    Raises
    ------
    RunError : shapes, stage or cycles do not fit together.
    """

    reactions: pa.Table
    cycles: NDArray[np.float64]
    fluorescence: NDArray[np.float64]
    passive_reference: NDArray[np.float64] | None
    stage: str
    metadata: Mapping[str, object] = field(default_factory=dict)
    truth: pa.Table | None = None

    def __post_init__(self) -> None:
        shape = (self.reactions.num_rows, len(self.cycles))
        arrays = [self.fluorescence] if self.passive_reference is None else [self.fluorescence, self.passive_reference]
        if any(array.shape != shape for array in arrays):
            found = " and ".join(str(array.shape) for array in arrays)
            raise RunError(Problem("run", f"signal of shape {found}", f"{shape} (reactions, cycles)"))
        if self.stage not in STAGES:
            raise RunError(Problem("run", f"stage {self.stage!r}", f"one of {', '.join(STAGES)}"))
        self._check_cycles()

    def _check_cycles(self) -> None:
        rising = np.all(np.diff(self.cycles) > 0) and np.all(self.cycles == np.round(self.cycles))
        if not rising:
            raise RunError(Problem("run", "cycle numbers that are not whole and rising", "1, 2, 3, …"))
        present = np.isfinite(self.fluorescence)
        last = np.where(present, self.cycles, 0.0).max(axis=1, initial=0.0)
        longest = _longest_in_part(last, self.reactions["part"].to_pylist())
        stops_early = (last < _LEAST_SHARE_OF_CYCLES * longest) & (present.sum(axis=1) >= _LEAST_READINGS)
        short = np.flatnonzero(stops_early)
        if short.size:
            first = self.reactions.slice(int(short[0]), 1).to_pylist()[0]
            raise RunError(
                Problem(
                    f"well {first['well']}, target {first['target']}",
                    f"cycles that differ within the run: {last[short[0]]:.0f} here and in {short.size - 1} more "
                    f"reactions, {longest[short[0]]:.0f} elsewhere",
                    "the same last cycle in every reaction (single missing readings are fine)",
                    "Export the amplification program only, or split the file into one run per program.",
                )
            )

    @property
    def signal(self) -> NDArray[np.float64]:
        """(n, m) array: the signal to analyse: Rn = dye / passive reference where there is one, else as exported."""
        if self.passive_reference is None:
            return self.fluorescence
        return normalised(self.fluorescence, self.passive_reference)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the reader of the file had reservations about, in sentences."""
        found = self.metadata.get("warnings", ())
        return tuple(str(warning) for warning in found) if isinstance(found, list | tuple) else ()

    def select(self, rows: NDArray[np.int64]) -> Run:
        """The run with the given rows of `reactions` only, in that order."""
        passive = None if self.passive_reference is None else self.passive_reference[rows]
        truth = None if self.truth is None else self.truth.take(rows)
        return replace(
            self,
            reactions=self.reactions.take(rows),
            fluorescence=self.fluorescence[rows],
            passive_reference=passive,
            truth=truth,
        )


def normalised(fluorescence: NDArray[np.float64], passive_reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rn = dye / passive reference, (n, m); NaN where the passive reference is missing or not positive."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(passive_reference > 0, fluorescence / passive_reference, np.nan)


def _longest_in_part(last: NDArray[np.float64], parts: list[str | None]) -> NDArray[np.float64]:
    """(n,) last cycle of any reaction in the same part; parts of one file may follow programs of their own."""
    longest: dict[str | None, float] = {}
    for part, cycle in zip(parts, last.tolist(), strict=True):
        longest[part] = max(cycle, longest.get(part, 0.0))
    return np.array([longest[part] for part in parts])
