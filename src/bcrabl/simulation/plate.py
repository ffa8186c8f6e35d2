"""What stands in which well: the reactions of a plate and builders of the usual plates.

A reaction is one target in one well. Copies are expected molecules per reaction; what a well really gets is drawn
when the run is simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import Problem, RunError
from bcrabl.run import ROLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DEFECTS", "Reaction", "Sample", "check_plate", "replicate_plate", "sample_plate", "well_names"]

BCR_ABL1 = "BCR::ABL1"
BCR_ABL1_STANDARDS = (1e6, 1e5, 1e4, 1e3, 1e2, 1e1)
CONTROL_STANDARDS = (1e6, 1e5, 1e4, 1e3)

DEFECTS: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "creep": lambda cycles: 0.6 * (cycles / 50.0) ** 2,  # probe that decays: rises, crosses 0.1, is never exponential
    "drift": lambda cycles: 0.008 * cycles,  # evaporation: eight times the drift of a good well
    "jump": lambda cycles: np.where(cycles >= 18, 0.25, 0.0),  # a bubble that bursts
    "flat": np.zeros_like,  # no amplification whatever the template (no enzyme)
}
"""Defects on demand: Rn added at each cycle; `flat` stops the amplification as well."""


@dataclass(frozen=True)
class Reaction:
    """One target in one well.

    Parameters
    ----------
    well : row letter and column number without leading zero.
    target : `BCR::ABL1` or a control gene.
    role : RDML's word, one of `bcrabl.run.ROLES`.
    sample_id : sample, standard or control in the well.
    copies : expected molecules of template per reaction.
    known_copies : what the plate set-up says of a standard, copies per reaction; None for all else.
    efficiency : of this reaction alone (inhibition); None for the target's.
    defect : a key of `DEFECTS`, or empty.
    """

    well: str
    target: str
    role: str
    sample_id: str
    copies: float
    known_copies: float | None = None
    efficiency: float | None = None
    defect: str = ""


@dataclass(frozen=True)
class Sample:
    """One cDNA: its expected copies of BCR::ABL1 and control gene per reaction."""

    sample_id: str
    bcr_abl_copies: float
    control_copies: float
    role: str = "unkn"


def well_names(rows: int = 8, columns: int = 12) -> Iterator[str]:
    """The wells of a plate row by row: A1, A2, …, H12.

    Examples
    --------
    >>> list(well_names(rows=2, columns=2))
    ['A1', 'A2', 'B1', 'B2']
    """
    return (f"{_letters(row)}{column}" for row in range(rows) for column in range(1, columns + 1))


def _letters(row: int) -> str:
    return ("" if row < 26 else _letters(row // 26 - 1)) + chr(ord("A") + row % 26)


def replicate_plate(
    target: str, copies: Iterable[float], replicates: int, *, role: str = "unkn", columns: int = 24
) -> tuple[Reaction, ...]:
    """Levels of one target, each in so many wells; of standards the level is known. Any number of wells.

    Examples
    --------
    >>> [reaction.well for reaction in replicate_plate("ABL1", [1000.0, 10.0], 2)]
    ['A1', 'A2', 'A3', 'A4']
    """
    levels = [level for level in copies for _ in range(replicates)]
    wells = well_names(rows=-(-len(levels) // columns), columns=columns)
    return tuple(
        Reaction(well, target, role, f"{target} {level:g}", level, level if role == "std" else None)
        for well, level in zip(wells, levels, strict=False)
    )


def sample_plate(
    samples: Sequence[Sample],
    *,
    control_gene: str = "ABL1",
    replicates: int = 2,
    bcr_abl_standards: Sequence[float] = BCR_ABL1_STANDARDS,
    control_standards: Sequence[float] = CONTROL_STANDARDS,
    ntc_copies: float = 0.0,
    duplex: bool = False,
    rows: int = 8,
    columns: int = 12,
) -> tuple[Reaction, ...]:
    """The usual plate: standards, no-template controls, samples, everything in replicates.

    Parameters
    ----------
    samples : patients' samples and positive controls, in the order of the plate.
    bcr_abl_standards, control_standards : copies per reaction of the dilution series.
    ntc_copies : BCR::ABL1 that contaminates the no-template control.
    duplex : both targets in one well (and one plasmid, hence one series: `bcr_abl_standards`), else in wells apart.

    Raises
    ------
    RunError : the plate has fewer wells than this needs.
    """
    groups = [*_standards(bcr_abl_standards, control_standards, control_gene, duplex=duplex)]
    groups.append(("ntc", "NTC", {BCR_ABL1: ntc_copies, control_gene: 0.0}))
    groups += [
        (one.role, one.sample_id, {BCR_ABL1: one.bcr_abl_copies, control_gene: one.control_copies}) for one in samples
    ]
    mixes = [mix for group in groups for mix in _mixes(group, duplex=duplex) for _ in range(replicates)]
    wells = list(well_names(rows, columns))
    if len(mixes) > len(wells):
        found = f"{len(mixes)} wells for {len(samples)} samples in {replicates} replicates"
        raise RunError(Problem("plate", found, f"at most {len(wells)}", "Take samples off or choose a larger plate."))
    return tuple(reaction for well, mix in zip(wells, mixes, strict=False) for reaction in _in_well(well, *mix))


_Group = tuple[str, str, dict[str, float]]  # role, sample_id, copies of each target


def _standards(
    bcr_abl: Sequence[float], control: Sequence[float], control_gene: str, *, duplex: bool
) -> Iterator[_Group]:
    if duplex:
        yield from (("std", f"STD-{level:.0f}", {BCR_ABL1: level, control_gene: level}) for level in bcr_abl)
        return
    yield from (("std", f"STD-BCRABL1-{level:.0f}", {BCR_ABL1: level}) for level in bcr_abl)
    yield from (("std", f"STD-{control_gene}-{level:.0f}", {control_gene: level}) for level in control)


def _mixes(group: _Group, *, duplex: bool) -> list[_Group]:
    """What shares a well: all targets of the group in a duplex, else each by itself."""
    role, sample_id, copies = group
    return [group] if duplex else [(role, sample_id, {target: level}) for target, level in copies.items()]


def _in_well(well: str, role: str, sample_id: str, copies: Mapping[str, float]) -> Iterator[Reaction]:
    for target, level in copies.items():
        yield Reaction(well, target, role, sample_id, level, level if role == "std" else None)


def check_plate(plate: Sequence[Reaction], targets: Iterable[str]) -> None:
    """Refuse a plate that cannot be simulated, naming all that is wrong with it.

    Raises
    ------
    RunError : a reaction twice, an unknown role, target or defect, or copies or an efficiency out of bounds.
    """
    known = sorted(targets)
    seen: set[tuple[str, str]] = set()
    problems: list[Problem] = []
    for reaction in plate:
        place = f"simulated plate, well {reaction.well}, target {reaction.target}"
        problems += [Problem(place, found, expected) for found, expected in _faults(reaction, known)]
        if (reaction.well, reaction.target) in seen:
            problems.append(Problem(place, "the reaction twice", "each target once per well"))
        seen.add((reaction.well, reaction.target))
    if problems:
        raise RunError(problems)


def _faults(reaction: Reaction, targets: Sequence[str]) -> Iterator[tuple[str, str]]:
    if reaction.target not in targets:
        yield f"target {reaction.target!r} without kinetics", f"one of {', '.join(targets)}"
    if reaction.role not in ROLES:
        yield f"role {reaction.role!r}", f"one of {', '.join(ROLES)}"
    if not 0 <= reaction.copies <= 1e12:
        yield f"{reaction.copies} copies", "0 to 1e12 copies per reaction"
    if reaction.efficiency is not None and not 0 <= reaction.efficiency <= 1:
        yield f"efficiency {reaction.efficiency}", "a probability, 0 to 1"
    if reaction.defect and reaction.defect not in DEFECTS:
        yield f"defect {reaction.defect!r}", f"one of {', '.join(DEFECTS)}"
    if reaction.known_copies is not None and reaction.role != "std":
        yield f"known copies of a reaction with role {reaction.role!r}", "known copies of standards only"
