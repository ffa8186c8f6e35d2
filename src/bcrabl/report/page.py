"""The report of a run and the index of all runs as HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcrabl.scale import NO_CLASS

if TYPE_CHECKING:
    from jinja2 import Environment, Template

__all__ = ["index_page", "run_page"]

Row = Mapping[str, Any]

FLAGS = {
    "ambiguous_call": "a curve may or may not be an amplification",
    "below_lowest_standard": "copies below the lowest standard",
    "beyond_calibrated_range": "copies above the calibrated range",
    "control_gene_low": "too few control gene copies",
    "interval_undetermined": "replicates contradict each other, so that there is no interval",
    "interval_unbounded": "the standard curve is too uncertain to bound the result",
    "inhibition_suspected": "a curve is slower or lower than those of the standards: inhibited?",
    "below_limit_of_quantification": "fewer copies than the limit of quantification",
    "late_cq": "a curve amplifies later than a molecule would: counted as not detected",
    "mixed_control_genes": "reactions of another control gene under this name, left out",
    "mixed_roles": "reactions of different roles under one sample name",
    "no_bcr_abl_reaction": "no usable BCR::ABL1 reaction",
    "no_control_gene": "no usable control gene reaction",
    "no_run_date": "no run date, so no conversion factor",
    "no_valid_conversion_factor": "no conversion factor valid on the run date",
    "not_in_sample_sheet": "not in the sample sheet",
    "not_on_international_scale": "transcript is not on the International Scale",
    "ratio_saturated": "value too low: the control gene's primers find BCR::ABL1 too",
    "reaction_excluded": "a reaction was left out",
    "replicate_spread": "replicates differ too much",
    "run_failed": "the run failed acceptance",
    "three_copy_rule_applied": "a positive below three copies, scored as three",
    "transcript_unknown": "transcript unknown",
    "unlikely_dropout": "one replicate undetected beside others with many copies: failed? There is no interval",
    "weak_control_replicate_dropped": "a weak control gene replicate was left out",
    "control_outside_window": "control sample outside its window",
}
"""The flags of the results table in words."""

_RESULT_COLUMNS = (
    ("sample_id", "Sample", ""),
    ("patient_id", "Patient", ""),
    ("collection_date", "Drawn", ""),
    ("transcript", "Transcript", ""),
    ("bcr_abl_copies", "BCR::ABL1", "copies"),
    ("control_copies", "Control gene", "copies"),
    ("ratio_percent", "Ratio", "% local"),
    ("conversion_factor", "CF", ""),
    ("is_percent", "IS", "%"),
    ("is_interval", "95 % interval", "% IS, or local"),
    ("response_class", "Response", "probability"),
    ("sensitivity_class", "Sensitivity", "one copy"),
    ("outcome", "Outcome", ""),
    ("flags", "Why", ""),
)


def run_page(run: Row, results: Sequence[Row], curves: Sequence[Row], checks: Sequence[Row], version: str) -> str:
    """The page of one run.

    Parameters
    ----------
    run : its entry in the status of its batch (`run_id`, `assay`, `outcome`, `why`, …).
    results, curves, checks : rows of results, standard_curves and qc of the run.
    version : of this package.
    """
    findings = [check for check in checks if check["outcome"] != "pass"]
    return _template("run.html").render(
        run=run,
        columns=_RESULT_COLUMNS,
        results=[_shown(row) for row in results],
        curves=curves,
        findings=findings,
        passed=[check for check in checks if check["outcome"] == "pass"],
        version=version,
    )


def index_page(rows: Sequence[Mapping[str, str]], version: str) -> str:
    """The page that lists all runs.

    Parameters
    ----------
    rows : of `bcrabl.summary.summary_rows`.
    version : of this package.
    """
    return _template("index.html").render(rows=rows, version=version)


def number(value: object) -> str:
    """A number with three significant digits, whole from 1000 on; a dash where there is none."""
    if not isinstance(value, int | float):
        return "–" if value is None else str(value)
    if value == 0:
        return "0"
    return f"{value:,.0f}".replace(",", "\u202f") if abs(value) >= 1000 else f"{value:.3g}"


def _shown(row: Row) -> dict[str, str]:
    """The cells of a results row in words."""
    shown = {name: number(row[name]) for name, _, _ in _RESULT_COLUMNS if name in row and name != "flags"}
    shown["is_interval"] = _interval(row)
    shown["is_percent"] = _is_percent(row)
    if row["detected"] is False:
        shown["is_percent"] = "not detected" if row["is_percent"] is not None else "–"
    shown["response_class"] = _response(row)
    shown["flags"] = "; ".join(FLAGS.get(flag, flag) for flag in row["flags"])
    return shown


def _is_percent(row: Row) -> str:
    """The value, and that of the copies as read where the three-copy rule changed it."""
    value, read = row["is_percent"], row["is_percent_uncensored"]
    censored = value is not None and read is not None and value > read
    return f"{number(value)} (read {number(read)})" if censored else number(value)


def _interval(row: Row) -> str:
    """On the International Scale, or of the local ratio of a sample that is not on it."""
    local = row["is_high"] is None
    low, high = (row[f"ratio_{end}" if local else f"is_{end}"] for end in ("low", "high"))
    if high is None:
        return "–"
    if math.isinf(high):
        return "no bound"
    limits = f"< {number(high)}" if row["detected"] is False else f"{number(low)} – {number(high)}"
    return f"{limits} local" if local else limits


def _response(row: Row) -> str:
    """The class reached and how probable it is, given the Cq."""
    name = row["response_class"]
    chance = dict(row["class_probabilities"] or ()).get(name or NO_CLASS)
    return number(name) if chance is None else f"{number(name)} ({100 * chance:.0f} %)"


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    return environment


def _template(name: str) -> Template:
    return _environment().get_template(name)
