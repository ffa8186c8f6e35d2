"""Which readings of an .eds document are the amplification: before and after it come readings of holds and of melting.

Symbols: p readings of a run, m of them of the amplification.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.applied_biosystems.eds_document import REMEDY, SDS, Document, Point

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["Analysed", "Program", "Stage", "amplification", "planned_points", "program_of"]

_CYCLING = "CYCLING"
_MOST_READINGS = 100_000  # of one well; a run of 50 cycles with a melting curve takes some 300
_COUNT = re.compile("[0-9]{1,4}")


@dataclass(frozen=True)
class Stage:
    """A stage of the program: its kind, how often it is repeated, and whether each step is read (None: many times)."""

    kind: str
    repeats: int
    read: tuple[bool | None, ...]


Program = tuple[Stage, ...]
"""The stages of a run in their order."""


@dataclass(frozen=True)
class Analysed:
    """Stage and step that the software was told to analyse, counted from 1; None where it was told nothing."""

    stage: int | None = None
    step: int | None = None


def program_of(document: Document) -> Program | None:
    """The stages in `tcprotocol.xml`, or None where there is none.

    Raises
    ------
    DamagedFile : it contradicts the layout.
    """
    name = f"{SDS}tcprotocol.xml"
    root = document.xml(name)
    return None if root is None else tuple(_stages(root, document.where(name)))


def _stages(root: Element, where: str) -> Iterator[Stage]:
    for number, stage in enumerate(root.iterfind("TCStage"), 1):
        repeats = (stage.findtext("NumOfRepetitions") or "1").strip()
        if not _COUNT.fullmatch(repeats):
            place = f"{where}, stage {number}"
            raise DamagedFile(Problem(place, f"NumOfRepetitions {repeats!r}", "a number of cycles", REMEDY))
        read = tuple(_is_read(step) for step in stage.iterfind("TCStep"))
        yield Stage((stage.findtext("StageFlag") or "").strip().upper(), int(repeats), read)


def _is_read(step: Element) -> bool | None:
    """Whether a step is read once; None where it is read while the temperature rises."""
    flag = (step.findtext("CollectionFlag") or "0").strip()
    return {"0": False, "1": True}.get(flag)


def planned_points(program: Program, readings: int, where: str) -> tuple[Point, ...]:
    """When each of the first readings was taken, for layouts that number them in their order.

    Parameters
    ----------
    readings : how many there are; those that follow the last planned one belong to stage 0.

    Raises
    ------
    DamagedFile : a melting curve comes before the amplification, so that nobody can count on.
    """
    points: list[Point] = []
    last = max((number for number, stage in enumerate(program, 1) if stage.kind == _CYCLING), default=0)
    for number, stage in enumerate(program[:last], 1):
        if None in stage.read:
            found = f"stage {number} ({stage.kind}) with readings while the temperature changes, before the cycles"
            raise DamagedFile(Problem(where, found, "readings of the cycles first", REMEDY))
        steps = [step for step, read in enumerate(stage.read, 1) if read]
        points += [Point(number, cycle, step, 1) for cycle in range(1, stage.repeats + 1) for step in steps]
        if len(points) > _MOST_READINGS:
            raise DamagedFile(Problem(where, f"a program of {len(points)} readings", f"at most {_MOST_READINGS}"))
    rest = max(readings - len(points), 0)
    return tuple(points[:readings]) + tuple(Point(0, 1, 0, place) for place in range(1, rest + 1))


def amplification(
    points: Sequence[Point], program: Program | None, analysed: Analysed, where: str, warnings: list[str]
) -> list[int]:
    """Places of the m readings of the amplification among all of them, in the order of their cycles.

    Parameters
    ----------
    points : when the p readings were taken.
    program : the stages of the run, where they are known.
    analysed : what the software was told to analyse; decides where several stages or steps could be meant.
    where : what error texts call the readings.
    warnings : gain a sentence where the run has stopped early.

    Raises
    ------
    DamagedFile : there is no such stage, several could be meant, or a cycle was read twice.
    """
    cycles_of = _cycles_of_stages(points, program)
    stage = _only_longest(cycles_of, analysed.stage, where)
    places = {place: point for place, point in enumerate(points) if point.stage == stage}
    steps = {(point.step, point.point) for point in places.values()}
    if len(steps) > 1:
        places = {place: point for place, point in places.items() if point.step == analysed.step}
        steps = {(point.step, point.point) for point in places.values()}
    if len(steps) != 1:
        found = f"stage {stage} read at several steps of each cycle"
        raise DamagedFile(Problem(where, found, "one reading in each cycle, or a step chosen for analysis", REMEDY))
    order = sorted(places, key=lambda place: places[place].cycle)
    if len({places[place].cycle for place in order}) < len(order):
        raise DamagedFile(
            Problem(where, f"cycles of stage {stage} that were read twice", "one reading in each", REMEDY)
        )
    planned = program[stage - 1].repeats if program and stage <= len(program) else len(order)
    if len(order) < planned:
        warnings.append(f"The run stopped after {len(order)} of {planned} cycles.")
    return order


def _cycles_of_stages(points: Sequence[Point], program: Program | None) -> Mapping[int, int]:
    """How many cycles were read in each stage that cycles."""
    cycles: dict[int, set[int]] = defaultdict(set)
    for point in points:
        cycles[point.stage].add(point.cycle)
    cycling = {number for number, stage in enumerate(program or (), 1) if stage.kind == _CYCLING}
    return {
        stage: len(read) for stage, read in cycles.items() if len(read) > 1 and (program is None or stage in cycling)
    }


def _only_longest(cycles_of: Mapping[int, int], analysed: int | None, where: str) -> int:
    if not cycles_of:
        raise DamagedFile(Problem(where, "no readings of a stage that cycles", "an amplification", REMEDY))
    if analysed is not None and analysed in cycles_of:
        return analysed
    longest = [stage for stage, cycles in cycles_of.items() if cycles == max(cycles_of.values())]
    if len(longest) > 1:
        found = f"{len(longest)} stages of {cycles_of[longest[0]]} cycles each"
        raise DamagedFile(Problem(where, found, "one amplification", REMEDY))
    return longest[0]
