"""The report of a run and the index of all runs as HTML.

    RunContent ──sections, plate, figures──▶ template ──▶ one file that opens anywhere, without a network

The curves are drawn here as SVG, in every view, and the script only shows, hides and highlights: what is seen is in the
file, with and without the script, on screen and on paper. Style sheet and script stand in the page, and its content
security policy names their digests, so that nothing else can style or run.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from bcrabl.report.content import RunContent
from bcrabl.report.lines import Line, left_out_of, line_of
from bcrabl.report.plate import plate_of
from bcrabl.report.sections import checks_table, left_out_table, reactions_table, results_table, standards_table
from bcrabl.report.words import FLAGS, figure, number

if TYPE_CHECKING:
    from jinja2 import Environment, Template

__all__ = ["FLAGS", "index_page", "number", "run_page"]

Row = Mapping[str, Any]

_TEMPLATES = Path(__file__).parent / "templates"
_SAMPLE_OUTCOMES = (("report", "to report"), ("review", "to review"), ("repeat", "to repeat"))


class _View(NamedTuple):
    """A view of the curves: key, whether it is shown first, and the figures of all targets."""

    signal: str
    scale: str
    first: bool
    figures: list[Markup]


def run_page(content: RunContent) -> str:
    """The page of one run.

    Parameters
    ----------
    content : what is known of it.
    """
    lines = {str(row["target"]): line_of(row) for row in content.standard_curves}
    fitted = {target: line for target, line in lines.items() if line is not None}
    left_out = {str(row["target"]): left_out_of(row) for row in content.standard_curves}
    checks = checks_table(content.checks)
    return _template("run.html").render(
        run=content.run,
        verdict=_verdict(content),
        results=results_table(content.results),
        plate=plate_of(content.reactions),
        views=_views(content),
        reactions=reactions_table(content.reactions),
        standard_figures=_standard_figures(content.reactions, fitted, left_out),
        curves=[_curve(row, lines[str(row["target"])]) for row in content.standard_curves],
        standards=standards_table(content.reactions, fitted, left_out),
        checks=checks,
        left_out=left_out_table(content.reactions, left_out),
        origin=content.origin,
        **_head(),
    )


def index_page(rows: Sequence[Mapping[str, str]], version: str) -> str:
    """The page that lists all runs.

    Parameters
    ----------
    rows : of `bcrabl.summary.summary_rows`.
    version : of this package.
    """
    return _template("index.html").render(rows=rows, version=version, **_head())


def _verdict(content: RunContent) -> Markup:
    """What became of the samples, and how many checks ask for attention, in one sentence."""
    samples = [row for row in content.results if row["role"] in ("unkn", None)]
    counts = [(sum(row["outcome"] == key for row in samples), text) for key, text in _SAMPLE_OUTCOMES]
    parts = [Markup("{} {}").format(figure(count), text) for count, text in counts if count]
    found = Markup(", ").join(parts) if parts else Markup("no sample could be scored")
    outcomes = [check["outcome"] for check in content.checks]
    failed, warned = outcomes.count("fail"), outcomes.count("warn")
    if not outcomes:
        return found + "."
    if not failed and not warned:
        return found + Markup("; all {} checks passed.").format(figure(len(outcomes)))
    asks = Markup("; of {} checks {} failed and {} ask for a look.")
    return found + asks.format(figure(len(outcomes)), figure(failed), figure(warned))


def _views(content: RunContent) -> list[_View]:
    """The amplification curves, the view that is shown first in front."""
    if not content.signals:
        return []
    from bcrabl.report.figures.run import amplification_views

    by_target: dict[str, dict[str, Row]] = {}
    for row in content.reactions:
        by_target.setdefault(str(row["target"]), {})[str(row["well"])] = row
    drawn = [amplification_views(signals, by_target.get(signals.target, {})) for signals in content.signals]
    return [
        _View(signal, scale, k == 0, [Markup(views[signal, scale]) for views in drawn])  # noqa: S704 - our own SVG
        for k, (signal, scale) in enumerate(drawn[0])
    ]


def _standard_figures(
    reactions: Sequence[Row], lines: Mapping[str, Line], left_out: Mapping[str, Mapping[str, str]]
) -> list[Markup]:
    figures = []
    for target, line in lines.items():
        from bcrabl.report.figures.run import standard_curve_figure

        standards = [
            row
            for row in reactions
            if row["role"] == "std" and row["target"] == target and row["cq"] is not None and _is_amount(row)
        ]
        wells = [str(row["well"]) for row in standards]
        svg = standard_curve_figure(
            target,
            line,
            wells,
            [row["known_copies"] for row in standards],
            [row["cq"] for row in standards],
            [well not in left_out.get(target, {}) for well in wells],
        )
        figures.append(Markup(svg))  # noqa: S704 - our own SVG
    return figures


def _is_amount(row: Row) -> bool:
    return row["known_copies"] is not None and 0 < row["known_copies"] < float("inf")


def _curve(row: Row, line: Line | None) -> dict[str, Any]:
    """A standard curve with the 95 % intervals of slope and intercept."""
    if line is None:
        return {"row": row, "slope": None, "intercept": None}
    slope, intercept = (line.t * variance**0.5 for variance in (line.slope_variance, line.intercept_variance))
    return {"row": row, "slope": _around(line.slope, slope), "intercept": _around(line.intercept, intercept)}


def _around(value: float, half: float) -> tuple[float, float] | None:
    return (value - half, value + half) if half == half else None


def _head() -> dict[str, Any]:
    """Style sheet and script, with the digests by which a browser knows them."""
    style, script = _style(), _script()
    return {
        "style": Markup(style),  # noqa: S704 - our own files
        "script": Markup(script),  # noqa: S704
        "style_digest": _digest(style),
        "script_digest": _digest(script),
    }


@cache
def _style() -> str:
    from bcrabl.report.figures.theme import COLOURS, stylesheet

    ours = (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    light, dark = ("".join(f"--{name}:{pair[k]};" for name, pair in COLOURS.items()) for k in (0, 1))
    root = f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    return root + stylesheet() + "\n" + ours


@cache
def _script() -> str:
    return (_TEMPLATES / "report.js").read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["figure"] = figure
    return environment


def _template(name: str) -> Template:
    return _environment().get_template(name)
