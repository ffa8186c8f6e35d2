"""What a person decided about reactions, applied after fitting and before calibration, and what it changed.

Of the entries about a reaction the latest holds. Nothing is removed: an excluded reaction stays in the tables with the
reason, a result keeps its value before the review, and every entry stands in the qc table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bcrabl.acceptance import Check, finding
from bcrabl.errors import Problem
from bcrabl.review_sheet import EXCLUDE, INCLUDE, NOT_AMPLIFIED
from bcrabl.tables import Row

if TYPE_CHECKING:
    from bcrabl.review_sheet import ReviewEntry

__all__ = ["check_calls", "check_entries", "review_reactions", "with_values_before"]

_BEFORE = {
    "results": ("sample_id", ("is_percent", "ratio_percent", "outcome")),
    "standard_curves": ("target", ("slope", "intercept")),
}
"""Tables that keep values before the review: what tells their rows apart, and which values."""

_NO_CQ = "not applied: the curve has no Cq, so that there is nothing to quantify"
_TOO_LATE = "not applied: its Cq is beyond the protocol's limit of a detection"


def review_reactions(reactions: Sequence[Row], entries: Sequence[ReviewEntry]) -> list[Row]:
    """The reactions of one run with the entries about them applied.

    Parameters
    ----------
    reactions : rows of the cq table with `excluded_why`.
    entries : of the run, in any order.

    Returns
    -------
    rows, those an entry is about with `review` (its words), `review_action` and `reviewed` (whether it holds anything
    that would not be so without it).
    """
    return [row | _decided(row, _latest(entries, str(row["well"]), str(row["target"]))) for row in reactions]


def _latest(entries: Sequence[ReviewEntry], well: str, target: str) -> ReviewEntry | None:
    about = [entry for entry in entries if entry.concerns(well, target)]
    return max(about, key=lambda entry: entry.instant, default=None)


def _decided(row: Row, entry: ReviewEntry | None) -> Row:
    if entry is None:
        return {}
    decided = {"review": str(entry), "review_action": entry.action, "reviewed": True}
    if entry.action == EXCLUDE:
        reasons = (row["excluded_why"], f"excluded in review: {entry.reason}")
        return decided | {"excluded_why": "; ".join(reason for reason in reasons if reason)}
    if entry.action == INCLUDE:
        return decided | {"excluded_why": None, "reviewed": bool(row["excluded_why"])}
    why = f"called in review: {entry.reason}"
    if entry.action == NOT_AMPLIFIED:
        return decided | {"call": "not_amplified", "cq": None, "why": why}
    if row["cq"] is None:
        return decided | {"review": f"{entry}; {_NO_CQ}", "reviewed": False}
    return decided | {"call": "amplified", "why": why}


def check_entries(entries: Sequence[ReviewEntry], reactions: Sequence[Row]) -> list[Check]:
    """How many entries of the review there are, each of them, and those about a place that the run does not have.

    Parameters
    ----------
    entries : of the run.
    reactions : rows of the cq table of the run.
    """
    if not entries:
        return []
    ordered = sorted(entries, key=lambda entry: (entry.instant, entry.well, entry.target or ""))
    holding = {id(entry): _holds(entry, entries, reactions) for entry in ordered}
    in_force = sum(holding.values())
    message = f"entries of the review on record: {len(ordered)}, in force: {in_force}"
    checks = [Check("review", "pass", message, value=float(len(ordered)), unit="entries")]
    for entry in ordered:
        words = str(entry) if holding[id(entry)] else f"{entry}; superseded by a later entry"
        checks.append(finding("review_entry", "pass", words, target=entry.target, well=entry.well))
    open_ones = (entry for entry in ordered if holding[id(entry)] and entry.action != INCLUDE)
    return [*checks, *(_not_in_run(entry, reactions) for entry in open_ones if not _targets(entry, reactions))]


def _targets(entry: ReviewEntry, reactions: Sequence[Row]) -> set[str]:
    """Targets of the reactions it is about."""
    return {str(row["target"]) for row in reactions if entry.concerns(row["well"], row["target"])}


def _holds(entry: ReviewEntry, entries: Sequence[ReviewEntry], reactions: Sequence[Row]) -> bool:
    """Whether it is the latest about any reaction; of a place that is not in the run: the latest about that place."""
    targets = _targets(entry, reactions)
    if targets:
        return any(_latest(entries, entry.well, target) is entry for target in targets)
    same = [other for other in entries if other.well == entry.well and other.target in (None, entry.target)]
    return max(same, key=lambda other: other.instant) is entry


def _not_in_run(entry: ReviewEntry, reactions: Sequence[Row]) -> Check:
    """An entry about a place the run does not have. It fails the run: what somebody objected to may be in a result."""
    in_well = sorted(str(row["target"]) for row in reactions if row["well"] == entry.well)
    column, found = ("target", entry.target or "") if in_well else ("well", entry.well)
    expected = f"a target in well {entry.well}: {', '.join(in_well)}" if in_well else f"a well of run {entry.run_id}"
    remedy = "It changes nothing. Add an entry for the right place and a later one that includes this one."
    problem = Problem(f"{entry.place}, column {column}", repr(found), expected, remedy)
    return finding("review", "fail", str(problem), target=entry.target, well=entry.well)


def check_calls(copies: Sequence[Row], results: Sequence[Row]) -> list[Check]:
    """Calls that could not be followed: of a sample they ask for a look, of standards and blanks they fail the run.

    Parameters
    ----------
    copies : rows that `quantify` made of the reviewed reactions.
    results : rows that `score_samples` gave, for the samples they name.
    """
    samples = {str(result["sample_id"]) for result in results}
    checks = []
    for row in copies:
        if row.get("review_action") != "call:amplified" or row["detected"]:
            continue
        sample_id = str(row["sample_id"]) if row["sample_id"] in samples else None
        reason = _NO_CQ if row["cq"] is None else _TOO_LATE
        words = f"call:amplified {reason}"
        place = {"target": str(row["target"]), "well": str(row["well"])}
        checks.append(finding("review", "fail", words, sample_id=sample_id, **place))
    return checks


def with_values_before(tables: Mapping[str, list[Row]], before: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """The tables of a run with the values that it had without its entries.

    A result whose values differ from those before carries the flag `reviewed`, also where the entry was about a
    standard.
    """
    kept = {name: _with_before(name, tables[name], before[name]) for name in _BEFORE}
    return {**tables, **kept}


def _with_before(name: str, rows: Sequence[Row], before: Sequence[Row]) -> list[Row]:
    key, columns = _BEFORE[name]
    earlier = {row[key]: row for row in before}
    return [
        row
        | {f"{column}_before_review": earlier[row[key]].get(column) for column in columns}
        | ({"flags": _flagged(row, earlier[row[key]])} if name == "results" else {})
        for row in rows
    ]


def _flagged(row: Row, before: Row) -> list[str]:
    values = [name for name in row if name != "flags"]
    same = all(repr(row[name]) == repr(before.get(name)) for name in values)  # as text, where NaN is NaN
    return sorted({*row["flags"], *(() if same else ("reviewed",))})
