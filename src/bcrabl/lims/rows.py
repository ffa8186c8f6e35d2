"""What a laboratory reports of each sample: the row of the results table in its words.

The columns follow the minimum that reports on BCR::ABL1 should hold (Cross 2018, Br J Haematol 182:777): who, what and
when, transcript, control gene, copies, ratio, conversion factor, International Scale, class, and for undetected
samples the sensitivity. What may be reported follows from the outcome: `report` is final, `review` preliminary, and
`repeat` has the reason and no measured value at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bcrabl.lims.rounding import shown, shown_depth, shown_lower, shown_upper
from bcrabl.report.page import FLAGS
from bcrabl.scale import NO_CLASS

__all__ = ["COLUMNS", "ON_SCALE", "STATUS", "Cell", "Column", "reported_rows", "words"]

Cell = str | int | float | date | None
"""What a cell of a report can hold."""

Row = Mapping[str, Any]

STATUS = {"report": "final", "review": "preliminary", "repeat": "no result"}
"""The state of a reported result by the sample's outcome."""

_SPECIMENS = {
    "PB": "peripheral blood",
    "BM": "bone marrow",
    "RNA": "RNA",
    "cDNA": "cDNA",
    "other": "other",
}
ON_SCALE = "% IS"
"""The unit of a result on the International Scale."""

_LOCAL = "% (local ratio, not on the International Scale)"


@dataclass(frozen=True)
class Column:
    """A column of the report: its name here and in FHIR, its heading, its meaning, and whether it is measured.

    Parameters
    ----------
    name : of the results table where the value is taken from there.
    heading : of the column in CSV and xlsx.
    meaning : in a sentence.
    measured : empty in the row of a sample that must be repeated.
    """

    name: str
    heading: str
    meaning: str
    measured: bool = False


COLUMNS = (
    Column("run_id", "Run", "run as named in the run sheet"),
    Column("site", "Laboratory", "laboratory that made the run"),
    Column("patient_id", "Patient", "patient pseudonym"),
    Column("sample_id", "Sample", "sample (one cDNA)"),
    Column("material", "Specimen", "what reached the laboratory"),
    Column("collection_date", "Collected", "day the specimen was drawn"),
    Column("run_date", "Tested", "day of the run"),
    Column("status", "Status", "final; preliminary until reviewed; or no result, to be repeated"),
    Column("result", "Result", "value rounded to two significant digits, or not detected, or no result"),
    Column("scale", "Unit", "scale of result and interval"),
    Column("interval", "95 % interval", "of the true value, ends rounded outwards to two significant digits", True),
    Column("response", "Molecular response", "deepest class reached, judged on the unrounded value", True),
    Column("response_probability", "Probability of this response", "given the Cq, between 0 and 1", True),
    Column("undetected_class", "Not detected: by the guideline", "class the control gene copies permit", True),
    Column("undetected_bound", "Not detected: with 95 %", "level that the limit of detection excludes", True),
    Column("transcript", "Transcript", "BCR::ABL1 transcript type"),
    Column("control_gene", "Control gene", "control gene of the ratio"),
    Column("detected_replicates", "BCR::ABL1 replicates detected", "reactions that amplified", True),
    Column("replicates", "BCR::ABL1 replicates", "reactions counted", True),
    Column("bcr_abl_copies", "BCR::ABL1 copies", "sum over replicates, as read off the curve", True),
    Column("bcr_abl_copies_scored", "BCR::ABL1 copies scored", "after the assay's rule for very few copies", True),
    Column("control_copies", "Control gene copies", "in the same volume, summed over replicates", True),
    Column("control_copies_lowest", "Control gene copies, weakest replicate", "in one reaction", True),
    Column(
        "ratio_percent", "Ratio, %", "100 × BCR::ABL1 as scored / control gene, local scale; 0 if not detected", True
    ),
    Column("ratio_low", "Ratio, lower 95 % limit", "% of the local scale", True),
    Column("ratio_high", "Ratio, upper 95 % limit", "% of the local scale; empty: no bound, or no interval", True),
    Column("conversion_factor", "Conversion factor", "local scale to International Scale", True),
    Column("conversion_factor_id", "Conversion factor id", "site, assay, control gene and first day", True),
    Column("is_percent", "% IS", "International Scale, not rounded; 0 if not detected; empty: not on the scale", True),
    Column("is_low", "% IS, lower 95 % limit", "not rounded", True),
    Column("is_high", "% IS, upper 95 % limit", "not rounded; empty: no bound, or no interval", True),
    Column("sensitivity_percent", "Sensitivity, %", "one copy per control gene copies tested, local scale", True),
    Column("sensitivity_mr", "Sensitivity, MR", "2 - log10 of the sensitivity in %", True),
    Column("sensitivity_class", "Sensitivity, class", "deepest class the control gene copies permit", True),
    Column("excluded_percent", "Excluded with 95 %, % IS", "limit of detection per control gene copies tested", True),
    Column("excluded_mr", "Excluded with 95 %, MR", "2 - log10 of the level excluded", True),
    Column("lod_copies", "Limit of detection, copies", "per sample, from the assay protocol"),
    Column("loq_copies", "Limit of quantification, copies", "from the assay protocol; empty: not studied"),
    Column("outcome", "Outcome", "report, review or repeat"),
    Column("comment", "Comment", "what to keep in mind, or why there is no result"),
    Column("assay", "Assay", "assay protocol"),
    Column("software", "Software", "program and version that computed the result"),
)
"""The columns of a report, in order."""


def reported_rows(results: Iterable[Row], *, site: str, version: str) -> list[dict[str, Cell]]:
    """One reported row per patient sample, in the order given; standards and controls are not reported.

    Parameters
    ----------
    results : rows of the results table.
    site : laboratory that made the run.
    version : of this package.
    """
    about: dict[str, Cell] = {"site": site, "software": f"bcrabl {version}"}
    return [_reported(row, about) for row in results if row["role"] == "unkn"]


def words(flags: Iterable[str]) -> str:
    """Flags in words, separated by semicolons."""
    return "; ".join(FLAGS.get(flag, flag) for flag in flags)


def _reported(row: Row, about: dict[str, Cell]) -> dict[str, Cell]:
    everything = _copied(row) | _spoken(row) | about
    measured_counts = row["outcome"] != "repeat"
    return {
        column.name: everything[column.name] if measured_counts or not column.measured else None for column in COLUMNS
    }


def _copied(row: Row) -> dict[str, Cell]:
    """What the results table holds, as it is; a limit that is no bound is empty."""
    values = {column.name: row.get(column.name) for column in COLUMNS}
    return {name: None if isinstance(value, float) and math.isinf(value) else value for name, value in values.items()}


def _spoken(row: Row) -> dict[str, Cell]:
    """The cells in words."""
    undetected = row["detected"] is False
    on_scale = _on_scale(row)
    return {
        "material": _SPECIMENS.get(row["material"], row["material"]),
        "status": STATUS[row["outcome"]],
        "result": _result(row),
        "scale": ON_SCALE if on_scale else _LOCAL,
        "interval": _interval(row, "is" if on_scale else "ratio"),
        "response": _response(row),
        "response_probability": dict(row["class_probabilities"] or ()).get(row["response_class"] or NO_CLASS),
        "undetected_class": _by_guideline(row) if undetected else None,
        "undetected_bound": _with_95_percent(row) if undetected else None,
        "comment": _comment(row),
    }


def _on_scale(row: Row) -> bool:
    """Whether the result is, or without a measured one would be, on the International Scale."""
    if row["ratio_percent"] is None:
        return "not_on_international_scale" not in row["flags"]
    return row["is_percent"] is not None


def _result(row: Row) -> str:
    value = row["ratio_percent"] if row["is_percent"] is None else row["is_percent"]
    if row["outcome"] == "repeat" or value is None:
        return STATUS["repeat"]
    return shown(value) if row["detected"] else "not detected"


def _interval(row: Row, scale: str) -> str | None:
    low, high = row[f"{scale}_low"], row[f"{scale}_high"]
    if high is None:
        return None
    if math.isinf(high):
        return "no upper bound"
    if row["detected"] is False:
        return f"at most {shown_upper(high)}"
    return f"{shown_lower(low)} to {shown_upper(high)}"


def _response(row: Row) -> str:
    if row["response_class"]:
        return str(row["response_class"])
    if "not_on_international_scale" in row["flags"]:
        return "none: not on the International Scale"
    return "no class reached" if row["is_percent"] is not None else "none: no value on the International Scale"


def _by_guideline(row: Row) -> str | None:
    """The guideline's statement: one copy per control gene copies tested, no conversion factor (Cross 2015)."""
    if row["sensitivity_class"] is None:
        return None
    return (
        f"undetected at {row['sensitivity_class']}: "
        f"{shown_lower(row['control_copies'])} {row['control_gene']} copies tested"
    )


def _with_95_percent(row: Row) -> str | None:
    """What the limit of detection excludes; of a sample without a value on the scale, its upper limit."""
    if row["excluded_percent"] is not None:
        return f"at most {shown_upper(row['excluded_percent'])} {ON_SCALE} (MR {shown_depth(row['excluded_mr'])})"
    high = row["ratio_high"]
    return None if high is None or math.isinf(high) else f"at most {shown_upper(high)} {_LOCAL}"


def _comment(row: Row) -> str | None:
    said = words(row["flags"])
    if row["outcome"] == "repeat":
        return f"Please repeat: {said or 'not evaluable'}"
    if row["outcome"] == "review":
        return f"Preliminary, to be reviewed: {said}" if said else "Preliminary, to be reviewed"
    return said or None
