"""The report of a run and the index of all runs as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment, Template

__all__ = ["index_page", "run_page"]

Row = Mapping[str, Any]

FLAGS = {
    "ambiguous_call": "a curve may or may not be an amplification",
    "below_lowest_standard": "copies below the lowest standard",
    "beyond_calibrated_range": "copies above the calibrated range",
    "control_gene_low": "too few control gene copies",
    "inhibition_suspected": "a curve is slower or lower than those of the standards: inhibited?",
    "mixed_roles": "reactions of different roles under one sample name",
    "no_bcr_abl_reaction": "no usable BCR::ABL1 reaction",
    "no_control_gene": "no usable control gene reaction",
    "no_run_date": "no run date, so no conversion factor",
    "no_valid_conversion_factor": "no conversion factor valid on the run date",
    "not_in_sample_sheet": "not in the sample sheet",
    "not_on_international_scale": "transcript is not on the International Scale",
    "reaction_excluded": "a reaction was left out",
    "replicate_spread": "replicates differ too much",
    "run_failed": "the run failed acceptance",
    "three_copy_rule_applied": "a positive below three copies, scored as three",
    "transcript_unknown": "transcript unknown",
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
    ("is_interval", "95 % interval", "% IS"),
    ("response_class", "Response", ""),
    ("sensitivity_class", "Sensitivity", ""),
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
    if row["detected"] is False:
        shown["is_percent"] = "not detected" if row["is_percent"] is not None else "–"
    shown["flags"] = "; ".join(FLAGS.get(flag, flag) for flag in row["flags"])
    return shown


def _interval(row: Row) -> str:
    if row["is_high"] is None:
        return "–"
    return (
        f"< {number(row['is_high'])}"
        if row["detected"] is False
        else f"{number(row['is_low'])} – {number(row['is_high'])}"
    )


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
