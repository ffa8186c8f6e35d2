"""What RDML cannot hold of a run, said before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import Problem
from bcrabl.formats.rdml.annotation import NOT_STATED, UNNAMED_SAMPLE
from bcrabl.formats.rdml.reactions import Reaction, illegal
from bcrabl.formats.rdml.samples import TYPE_OF_ROLE, WrittenSamples
from bcrabl.formats.wells import normal_well

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["problems_of"]

_NAMES = ("part", "target", "dye", "sample_id")


def problems_of(run: Run, reactions: Sequence[Reaction], passive_dye: str | None) -> Iterable[Problem]:
    """Everything that keeps a run from being written.

    Parameters
    ----------
    passive_dye : what the target of the passive reference would be called.
    """
    of_reactions = [problem for reaction in reactions for problem in _of_reaction(reaction)]
    yield from of_reactions or _of_reactions_together(reactions)
    yield from _of_signal(run)
    yield from _of_passive(run, reactions, passive_dye)
    yield from _of_metadata(run)


def _of_reaction(reaction: Reaction) -> Iterable[Problem]:
    row = reaction.row
    where = f"well {row['well']}, target {row['target']!r}"
    if row["well"] is None or normal_well(row["well"]) != row["well"]:
        yield Problem(where, f"well {row['well']!r}", "a row letter and a column number such as A1")
    if not row["target"]:
        yield Problem(where, "no target", "one: RDML needs it for every reaction")
    for name in _NAMES:
        if row[name] and illegal(row[name]):
            yield Problem(where, f"{name} {row[name]!r}", "a name without control characters")
    if row["dye"] == NOT_STATED or (row["sample_id"] or "").startswith(UNNAMED_SAMPLE):
        found = f"dye {row['dye']!r} of sample {row['sample_id']!r}"
        yield Problem(where, found, f"names that do not begin as what is unknown is written: {NOT_STATED!r}")
    if row["role"] not in TYPE_OF_ROLE:
        yield Problem(where, f"role {row['role']!r}", f"one of {', '.join(TYPE_OF_ROLE)}")
    copies = row["known_copies"]
    if copies is not None and not (row["role"] == "std" and 0 < copies < np.inf):
        yield Problem(where, f"{copies:g} known copies, role {row['role']}", "copies above 0, of standards only")


def _of_reactions_together(reactions: Sequence[Reaction]) -> Iterable[Problem]:
    yield from _differing("sample in one well", ((r.place, r.row["sample_id"]) for r in reactions))
    yield from _differing("dye of one target", ((r.row["target"], r.row["dye"]) for r in reactions))
    yield from _differing(
        "use of one well as a calibrator and as a sample",
        ((r.place, r.row["role"]) for r in reactions if r.row["role"] in ("calibrator", "unkn")),
    )
    for name in WrittenSamples(reactions).described:
        if name != name.strip():
            yield Problem("run", f"several kinds of sample named {name!r}", "a name without blanks around it")
    parts = {r.row["part"] for r in reactions}
    if len(parts) > 1 and not all(parts):
        yield Problem("run", "parts with and without a name", "a name for each part")
    if len({(*r.place, r.row["target"]) for r in reactions}) < len(reactions):
        yield Problem("run", "a target twice in one well", "one curve of each target in a well")


def _differing(what: str, pairs: Iterable[tuple[object, object]]) -> Iterable[Problem]:
    """A problem for each key that comes with more than one value."""
    values: dict[object, object] = {}
    for key, value in pairs:
        if values.setdefault(key, value) != value:
            yield Problem(f"run, {key}", f"more than one {what}: {values[key]} and {value}", "one")


def _of_signal(run: Run) -> Iterable[Problem]:
    if not run.reactions.num_rows:
        yield Problem("run", "no reaction", "one or more")
    if np.isinf(run.fluorescence).any() or np.isnan(run.fluorescence).all(axis=1).any():
        yield Problem("run", "a curve of infinite or of no values", "finite values")


def _of_passive(run: Run, reactions: Sequence[Reaction], passive_dye: str | None) -> Iterable[Problem]:
    if run.passive_reference is None:
        return
    if any(r.row["target"] == passive_dye for r in reactions):
        yield Problem("run", f"a target named {passive_dye} beside the passive reference", "another name")
    if np.isinf(run.passive_reference).any() or np.isnan(run.passive_reference).all(axis=1).any():
        yield Problem("run", "a passive reference of infinite or of no values", "finite values in every well")
    first: dict[object, NDArray[np.float64]] = {}
    for reaction in reactions:
        own = reaction.passive_reference
        if own is not None and not np.array_equal(first.setdefault(reaction.place, own), own, equal_nan=True):
            yield Problem(f"well {reaction.row['well']}", "passive references that differ between targets", "one")


def _of_metadata(run: Run) -> Iterable[Problem]:
    for name in ("instrument", "software"):
        if illegal(str(run.metadata.get(name) or "")):
            yield Problem(f"metadata {name}", repr(run.metadata[name]), "a text without control characters")
    day = run.metadata.get("run_date")
    try:
        date.fromisoformat(str(day or "2000-01-01"))
    except ValueError:
        yield Problem("metadata run_date", repr(day), "a date as YYYY-MM-DD")
