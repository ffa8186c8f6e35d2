"""The tables of a run's page: which columns, and each cell in words and numbers.

    results_table  reactions_table  checks_table  standards_table  left_out_table

A cell is text, which the template escapes, or markup that was escaped when it was made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from bcrabl.report.lines import Line
from bcrabl.report.words import CALLS, CURVE_FLAGS, FLAGS, NOTHING, ROLES, figure, joined, words
from bcrabl.scale import NO_CLASS

__all__ = [
    "Cell",
    "Column",
    "Entry",
    "Section",
    "checks_table",
    "left_out_table",
    "reactions_table",
    "results_table",
    "standards_table",
    "well_order",
]

Row = Mapping[str, Any]

_SEVERITY = {"fail": 0, "warn": 1, "pass": 2}
_OUTCOMES = {"fail": "failed", "warn": "look", "pass": "passed"}


@dataclass(frozen=True)
class Column:
    """Head of a column: key, title, and what the numbers are in."""

    key: str
    title: str
    unit: str = ""


@dataclass(frozen=True)
class Cell:
    """What stands in a cell, and its class in the style sheet."""

    content: str
    look: str = ""


@dataclass(frozen=True)
class Entry:
    """A row: its cells, and the attributes by which it is found again."""

    cells: Sequence[Cell]
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    """A table: name for links, caption, columns, rows."""

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Entry]


def well_order(well: str) -> tuple[int, str, int, str]:
    """Sorting key of a well: A2 before A10, Z1 before AA1."""
    letters = well.rstrip("0123456789")
    digits = well[len(letters) :]
    return len(letters), letters, int(digits) if digits else 0, well


# -- results ----------------------------------------------------------------------------------------------------------


def results_table(results: Sequence[Row]) -> Section:
    """One row per sample: copies, ratio, International Scale, response, outcome."""
    genes = {str(row["control_gene"]) for row in results if row["control_gene"]}
    columns = (
        Column("sample_id", "Sample", "patient"),
        Column("collection_date", "Drawn"),
        Column("transcript", "Transcript"),
        Column("bcr_abl_copies", "BCR::ABL1", "copies"),
        Column("control_copies", genes.pop() if len(genes) == 1 else "Control gene", "copies"),
        Column("ratio_percent", "Ratio", "% local"),
        Column("conversion_factor", "CF"),
        Column("is_percent", "IS", "%, 95 % interval"),
        Column("response_class", "Response", "probability"),
        Column("sensitivity_class", "Sensitivity", "one copy; LOD in %"),
        Column("outcome", "Outcome"),
        Column("flags", "Why"),
    )
    return Section("results", "Results, one row per sample", columns, [_result(row) for row in results])


def _result(row: Row) -> Entry:
    sample = str(row["sample_id"])
    role = "" if row["role"] in ("unkn", None) else ROLES.get(row["role"], str(row["role"]))
    pick = Markup('<button type="button" class="pick" data-pick-sample="{0}">{0}</button>').format(sample)
    cells = (
        Cell(joined([pick, row["patient_id"], role])),
        Cell(str(row["collection_date"] or NOTHING), "nowrap"),
        Cell(str(row["transcript"] or NOTHING)),
        Cell(joined([figure(row["bcr_abl_copies"]), _replicates(row["detected_replicates"], row["replicates"])]), "n"),
        Cell(figure(row["control_copies"]), "n"),
        Cell(figure(row["ratio_percent"]), "n"),
        Cell(figure(row["conversion_factor"], "g"), "n"),
        Cell(joined([_is_percent(row), _interval(row), _before_review(row)]), "n"),
        Cell(_response(row)),
        Cell(joined([row["sensitivity_class"] or NOTHING, _excluded(row)])),
        Cell(_outcome(row), str(row["outcome"]) if row["outcome"] in ("report", "review", "repeat") else ""),
        Cell(words(row["flags"], FLAGS), "why"),
    )
    return Entry(cells, {"sample": sample, "outcome": str(row["outcome"])})


def _outcome(row: Row) -> Markup:
    before = row["outcome_before_review"]
    return joined([row["outcome"], f"before review {before}" if before not in (None, row["outcome"]) else ""])


def _replicates(detected: int | None, replicates: int | None) -> Markup | str:
    if replicates is None:
        return ""
    return Markup("{} of {} wells").format(figure(detected), figure(replicates))


def _is_percent(row: Row) -> Markup:
    """The value; not detected; or what was read as well, where the three-copy rule changed it."""
    value, read = row["is_percent"], row["is_percent_uncensored"]
    if row["detected"] is False:
        return Markup('<data value="{}">not detected</data>').format(value) if value is not None else figure(None)
    censored = value is not None and read is not None and value > read
    return joined([figure(value), Markup("read {}").format(figure(read))]) if censored else figure(value)


def _before_review(row: Row) -> Markup | str:
    """The value without the entries of the review, where they changed it."""
    before, now = row["is_percent_before_review"], row["is_percent"]
    if row["outcome_before_review"] is None or before == now:
        return ""
    return Markup("before review {}").format(figure(before))


def _interval(row: Row) -> Markup | str:
    """On the International Scale, or of the local ratio of a sample that is not on it."""
    local = row["is_high"] is None
    low, high = (row[f"ratio_{end}" if local else f"is_{end}"] for end in ("low", "high"))
    if high is None:
        return ""
    if math.isinf(high):
        return Markup('<data value="inf">no bound</data>')
    limits = (
        Markup("< {}").format(figure(high))
        if row["detected"] is False
        else Markup("{} – {}").format(figure(low), figure(high))
    )
    return limits + Markup(" local") if local else limits


def _response(row: Row) -> Markup:
    """The class reached and how probable it is, given the Cq."""
    name = row["response_class"]
    chance = dict(row["class_probabilities"] or ()).get(name or NO_CLASS)
    if chance is None:
        return joined([name or NOTHING])
    shown = name or "no class"
    return joined([shown, Markup('<data value="{}">{}</data> %').format(repr(chance), f"{100 * chance:.0f}")])


def _excluded(row: Row) -> Markup | str:
    """What an undetected result excludes."""
    if row["excluded_percent"] is None or row["detected"]:
        return ""
    return Markup("excl. {}").format(figure(row["excluded_percent"]))


# -- reactions --------------------------------------------------------------------------------------------------------


def reactions_table(reactions: Sequence[Row]) -> Section:
    """One row per curve: what was read off it."""
    columns = (
        Column("well", "Well"),
        Column("target", "Target"),
        Column("sample_id", "Sample", "role"),
        Column("known_copies", "Known", "copies"),
        Column("call", "Call", "reason"),
        Column("cq", "Cq", "cycles, ± SD"),
        Column("vendor_cq", "Instrument", "Cq"),
        Column("copies", "Copies", "95 % interval"),
        Column("threshold", "Threshold", "above baseline"),
        Column("baseline_start", "Baseline", "cycles"),
        Column("plateau", "Plateau"),
        Column("efficiency", "Efficiency", "fold/cycle"),
        Column("flags", "Noteworthy"),
    )
    ordered = sorted(reactions, key=lambda row: (well_order(str(row["well"])), str(row["target"])))
    return Section("reactions", "Reactions, one row per curve", columns, [_reaction(row) for row in ordered])


def _reaction(row: Row) -> Entry:
    well, sample = str(row["well"]), str(row["sample_id"] or "")
    noteworthy = [str(row["excluded_why"])] if row["excluded_why"] else []
    noteworthy += [words(row["flags"], CURVE_FLAGS)] if row["flags"] else []
    sd = Markup("± {}").format(figure(row["cq_sd"], ".3f")) if row["cq_sd"] is not None else ""
    start, end = row["baseline_start"], row["baseline_end"]
    cells = (
        Cell(_pick_well(well)),
        Cell(str(row["target"])),
        Cell(joined([sample or NOTHING, ROLES.get(row["role"], row["role"])])),
        Cell(figure(row["known_copies"]), "n"),
        Cell(joined([CALLS.get(row["call"], str(row["call"])), row["why"]]), f"call-{row['call']}"),
        Cell(joined([figure(row["cq"], ".2f"), sd]), "n"),
        Cell(figure(row["vendor_cq"], ".2f") if row["vendor_cq"] is not None else str(row["vendor_call"] or NOTHING)),
        Cell(joined([figure(row["copies"]), _copies_interval(row)]), "n"),
        Cell(figure(row["threshold"], ".4g"), "n"),
        Cell(Markup("{} – {}").format(figure(start, "g"), figure(end, "g")) if start is not None else NOTHING, "n"),
        Cell(figure(row["plateau"], ".4g"), "n"),
        Cell(figure(row["efficiency"], ".3f"), "n"),
        Cell("; ".join(noteworthy), "why"),
    )
    return Entry(cells, {"well": well, "sample": sample, "target": str(row["target"]), "role": str(row["role"])})


def _pick_well(well: str | None) -> Markup | str:
    if not well:
        return ""
    return Markup('<button type="button" class="pick" data-pick-well="{0}">{0}</button>').format(well)


def _copies_interval(row: Row) -> Markup | str:
    low, high = row["copies_low"], row["copies_high"]
    if high is None:
        return ""
    if math.isinf(high):
        return Markup('<data value="inf">no bound</data>')
    if not row["detected"]:
        return Markup("< {}").format(figure(high))
    return Markup("{} – {}").format(figure(low), figure(high))


# -- standards --------------------------------------------------------------------------------------------------------


def standards_table(
    reactions: Sequence[Row], lines: Mapping[str, Line], left_out: Mapping[str, Mapping[str, str]]
) -> Section:
    """One row per standard reaction: known copies, Cq, its distance from the line, whether it takes part."""
    columns = (
        Column("target", "Target"),
        Column("well", "Well"),
        Column("known_copies", "Known", "copies/reaction"),
        Column("cq", "Cq", "cycles"),
        Column("expected", "On the line", "cycles"),
        Column("residual", "Residual", "cycles"),
        Column("copies", "Read off the line", "copies/reaction"),
        Column("part", "Takes part"),
    )
    standards = [row for row in reactions if row["role"] == "std"]
    standards.sort(key=lambda row: (str(row["target"]), -(row["known_copies"] or 0.0), well_order(str(row["well"]))))
    rows = []
    for row in standards:
        target, well = str(row["target"]), str(row["well"])
        line = lines.get(target)
        expected = None if line is None else line.cq_of(row["known_copies"])
        residual = None if expected is None or row["cq"] is None else row["cq"] - expected
        why = left_out.get(target, {}).get(well)
        cells = (
            Cell(target),
            Cell(_pick_well(well)),
            Cell(figure(row["known_copies"]), "n"),
            Cell(figure(row["cq"], ".2f"), "n"),
            Cell(figure(expected, ".2f"), "n"),
            Cell(figure(residual, "+.3f"), "n"),
            Cell(figure(row["copies"]), "n"),
            Cell(f"left out: {why}" if why else "yes", "warn" if why else ""),
        )
        rows.append(Entry(cells, {"well": well, "target": target}))
    return Section("standards", "Standards, one row per reaction", columns, rows)


# -- checks -----------------------------------------------------------------------------------------------------------


def checks_table(checks: Sequence[Row]) -> Section:
    """Every check with value, window and outcome; what needs attention first."""
    columns = (
        Column("outcome", "Outcome"),
        Column("check", "Check"),
        Column("target", "Target"),
        Column("sample_id", "Sample"),
        Column("well", "Well"),
        Column("value", "Value"),
        Column("window", "Window"),
        Column("message", "Finding"),
    )
    ordered = sorted(checks, key=lambda row: (_SEVERITY.get(row["outcome"], 0), row["sample_id"] is not None))
    return Section("checks", "Acceptance checks, one row each", columns, [_check(row) for row in ordered])


def _check(row: Row) -> Entry:
    outcome = str(row["outcome"])
    sample = row["sample_id"] or ""
    pick = Markup('<button type="button" class="pick" data-pick-sample="{0}">{0}</button>').format(sample)
    cells = (
        Cell(_OUTCOMES.get(outcome, outcome), outcome if outcome in _OUTCOMES else ""),
        Cell(str(row["check"]).replace("_", " ")),
        Cell(str(row["target"] or "")),
        Cell(pick if sample else ""),
        Cell(_pick_well(row["well"])),
        Cell(_with_unit(row), "n"),
        Cell(_window(row), "n"),
        Cell(str(row["message"]), "why"),
    )
    return Entry(cells, {"sample": str(sample), "outcome": outcome})


def _with_unit(row: Row) -> Markup:
    value = row["value"]
    return joined([_four_digits(value), row["unit"]]) if value is not None else figure(None)


def _window(row: Row) -> Markup:
    lower, upper = row["lower"], row["upper"]
    if lower is None and upper is None:
        return figure(None)
    if upper is None:
        return Markup("≥ {}").format(_four_digits(lower))
    if lower is None:
        return Markup("≤ {}").format(_four_digits(upper))
    return Markup("{} to {}").format(_four_digits(lower), _four_digits(upper))


def _four_digits(value: float) -> Markup:
    """R² of 0.9998 is not 1."""
    return figure(value, ".4g" if abs(value) < 1000 else "")


# -- left out ---------------------------------------------------------------------------------------------------------


def left_out_table(reactions: Sequence[Row], left_out: Mapping[str, Mapping[str, str]]) -> Section:
    """Every reaction that takes no part in a curve or a result, and why; and every reaction a review speaks of."""
    columns = (
        Column("well", "Well"),
        Column("target", "Target"),
        Column("sample_id", "Sample", "role"),
        Column("from", "Left out of"),
        Column("why", "Why"),
    )
    rows = []
    for row in sorted(reactions, key=lambda row: (well_order(str(row["well"])), str(row["target"]))):
        well, target = str(row["well"]), str(row["target"])
        standard = left_out.get(target, {}).get(well)
        reasons = [("standard curve", standard)] if standard else []
        if row["excluded"] and row["excluded_why"] != standard:
            reasons.append(("result", str(row["excluded_why"])))
        elif row["excluded"] is None:
            reasons.append(("everything", "not in the copies table: its target is not one of the protocol's"))
        reasons += [("as reviewed", str(row["review"]))] if row["review"] else []
        who = joined([row["sample_id"] or NOTHING, ROLES.get(row["role"], row["role"])])
        rows += [
            Entry((Cell(_pick_well(well)), Cell(target), Cell(who), Cell(what), Cell(why, "why")), {"well": well})
            for what, why in reasons
        ]
    return Section("left-out", "Reactions that were left out", columns, rows)
