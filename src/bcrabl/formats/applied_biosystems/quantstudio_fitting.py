"""What of a run the layouts of Applied Biosystems software cannot hold, and the task that stands for a role."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from bcrabl.errors import Problem
from bcrabl.formats.applied_biosystems.quantstudio_reactions import role_of
from bcrabl.formats.assembly import MOST_CYCLES
from bcrabl.formats.numerals import finite_or_none
from bcrabl.formats.wells import normal_hole, normal_well

if TYPE_CHECKING:
    from bcrabl.run import Run

__all__ = ["PASSIVE_DYE", "problems_of", "task_of"]

PASSIVE_DYE = "ROX"
"""What a passive reference is called where the run does not say."""

_TASK_OF_ROLE = {
    "unkn": "UNKNOWN",
    "std": "STANDARD",
    "ntc": "NTC",
    "pos": "POSITIVE_CONTROL",
    "neg": "NEGATIVE_CONTROL",
}
_TEXTS = ("target", "dye", "sample_id", "vendor_call", "vendor_cq_text")
_METADATA = ("block", "instrument", "instrument_serial_number", "software", "cq_detection_method", "passive_reference")
_COLUMNS = {"well", "well position", "cycle", "cycle number", "stage number", "step number"}
_LONGEST_TEXT = 32_000  # a cell of a workbook holds 32,767 characters
_NOT_IN_CELLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]")


def task_of(row: Mapping[str, Any]) -> str | None:
    """The task of a reaction: the vendor's own word where it says the same, else the word for its role."""
    stated: str | None = row["vendor_task"]
    if stated and _clean(stated) and role_of(stated) == row["role"]:
        return stated
    return _TASK_OF_ROLE.get(row["role"])


def problems_of(run: Run) -> Iterable[Problem]:
    """What the layouts cannot hold of a run."""
    rows = run.reactions.to_pylist()
    if not rows:
        yield Problem("run", "no reaction", "one or more")
    for row in rows:
        where = f"well {row['well']}, target {row['target']!r}"
        yield from (Problem(where, found, expected) for found, expected in _of_row(row))
    yield from _of_reactions_together(rows)
    yield from _of_curves(run)
    yield from _of_metadata(run.metadata)
    if run.stage == "raw":
        yield from _of_dyes(run, rows)
    elif run.passive_reference is not None:
        yield Problem("run", f"a passive reference beside curves that are {run.stage}", "one beside raw curves only")


def _clean(text: str) -> bool:
    """Whether a text comes back from a cell as it was."""
    marked_up = text.startswith("<r>") and text.endswith("</r>")
    return text == text.strip() and 0 < len(text) <= _LONGEST_TEXT and not _NOT_IN_CELLS.search(text) and not marked_up


def _of_row(row: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Found and expected, of one reaction."""
    well = row["well"] or ""
    if (normal_well(well) or normal_hole(well)) != well or not well:
        yield f"well {row['well']!r}", "a row letter and a column number such as A1"
    if row["target"] is None:
        yield "no target", "one: the layout needs it for every reaction"
    for name in _TEXTS:
        if row[name] is not None and not _clean(row[name]):
            yield f"{name} {row[name]!r}", "a text without control characters and surrounding blanks"
    if row["role"] not in _TASK_OF_ROLE:
        yield f"role {row['role']}, for which the layout has no task", f"one of {', '.join(_TASK_OF_ROLE)}"
    yield from _of_quantities(row)
    yield from _of_cq(row)


def _of_quantities(row: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    copies, quantity = row["known_copies"], row["vendor_quantity"]
    if copies is not None and not (row["role"] == "std" and 0 < copies < np.inf):
        yield f"{copies:g} known copies, role {row['role']}", "copies above 0, of standards only"
    if row["role"] == "std" and quantity is not None and quantity != copies:
        yield f"a standard of {copies} copies and the quantity {quantity}", "one number: the layout has one place"
    numbers = ("vendor_quantity", "vendor_threshold", "vendor_baseline_start", "vendor_baseline_end")
    for name in numbers:
        if row[name] is not None and not np.isfinite(row[name]):
            yield f"{name} {row[name]}", "a finite number"


def _of_cq(row: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    cq, instead = row["vendor_cq"], row["vendor_cq_text"]
    if cq is not None and instead is not None:
        yield f"a Cq of {cq:g} and the text {instead!r} in its place", "one of them"
    if cq is not None and not 0 < cq <= MOST_CYCLES:
        yield f"a Cq of {cq:g}", f"one above 0, at most {MOST_CYCLES}"
    if instead is not None and any((finite_or_none(instead, mark) or 0) > 0 for mark in ".,"):
        yield f"the text {instead!r} where there is no Cq", "a text that is no number: it would be read as a Cq"


def _of_reactions_together(rows: Sequence[Mapping[str, Any]]) -> Iterable[Problem]:
    if len({row["part"] for row in rows}) > 1:
        yield Problem("run", "several parts", "one: a file holds one run")
    if len({(row["well"], row["target"]) for row in rows}) < len(rows):
        yield Problem("run", "a target twice in one well", "one curve of each target in a well")


def _of_curves(run: Run) -> Iterable[Problem]:
    if np.isinf(run.fluorescence).any() or np.isnan(run.fluorescence).all(axis=1).any():
        yield Problem("run", "a curve of infinite or of no values", "finite values")
    if run.passive_reference is not None and np.isinf(run.passive_reference).any():
        yield Problem("run", "a passive reference of infinite values", "finite values")
    if np.any((run.cycles < 0) | (run.cycles > MOST_CYCLES)):
        yield Problem("run", "cycles below 0 or beyond reason", f"cycles up to {MOST_CYCLES}")


def _of_dyes(run: Run, rows: Sequence[Mapping[str, Any]]) -> Iterable[Problem]:
    """What dye columns cannot hold."""
    dyes = [str(row["dye"] or "") for row in rows]
    passive = str(run.metadata.get("passive_reference") or PASSIVE_DYE) if run.passive_reference is not None else ""
    if not all(dyes):
        yield Problem("run", "a raw curve of no dye", "a dye for each: the layout has a column for it")
    if len({(row["well"], dye.casefold()) for row, dye in zip(rows, dyes, strict=True)}) < len(rows):
        yield Problem("run", "two targets of one dye in a well", "one target for each dye in a well")
    names = set(dyes) | ({passive} if passive else set())
    if len({name.casefold() for name in names}) < len(names) or {name.casefold() for name in names} & _COLUMNS:
        yield Problem("run", f"dyes {', '.join(sorted(names))}", "names that differ, in more than case")
    if passive and passive.casefold() in {dye.casefold() for dye in dyes}:
        yield Problem("run", f"a target with the dye {passive}, which is the passive reference", "another dye")
    if passive.casefold() in {"none", "na", "-"}:
        yield Problem("metadata passive_reference", repr(passive), "the name of a dye")
    yield from _of_passive_reference(run, rows)


def _of_passive_reference(run: Run, rows: Sequence[Mapping[str, Any]]) -> Iterable[Problem]:
    if run.passive_reference is None:
        return
    first: dict[object, int] = {}
    for index, row in enumerate(rows):
        other = first.setdefault(row["well"], index)
        if not np.array_equal(run.passive_reference[other], run.passive_reference[index], equal_nan=True):
            yield Problem(f"well {row['well']}", "passive references that differ between targets", "one")


def _of_metadata(metadata: Mapping[str, object]) -> Iterable[Problem]:
    for name in _METADATA:
        if metadata.get(name) and not _clean(str(metadata[name])):
            yield Problem(f"metadata {name}", repr(metadata[name]), "a text without control characters")
    day = metadata.get("run_date")
    try:
        date.fromisoformat(str(day or "2000-01-01"))
    except ValueError:
        yield Problem("metadata run_date", repr(day), "a date as YYYY-MM-DD")
