"""A detection study as a figure: the chance of detection by level and link, and the CV of copies by level.

Symbols: x copies/reaction put in; L levels with target; CV of copies read off the standard curve, a fraction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.report.figures.axes import Axis
from bcrabl.report.figures.marks import Band, Line, Mark, Points, Rule
from bcrabl.report.figures.svg import Figure, Panel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Limit = tuple[float, float, float]  # copies, lower and upper end of the interval; 0 or infinite where it has none

__all__ = ["StudyChart", "study_figure"]

_LOOKS = {  # link: colour and dash
    "cloglog": ("blue", "solid"),
    "one_hit": ("green", "dashed"),
    "probit": ("purple", "solid"),
    "logit": ("vermillion", "dashed"),
}
_LINE_POINTS = 160
_REACH = 20.0  # how far beyond the limit levels are still drawn
_HIGHEST_CV = 2.5  # fraction; a level with nearly nothing found would flatten all others


@dataclass(frozen=True)
class StudyChart:
    """What is drawn of one target.

    Parameters
    ----------
    copies, share, share_low, share_high : (L,) levels, shares detected and their intervals.
    curves : chance of detection as a function of copies, by link.
    lod : limit of detection of the chosen link.
    probability, confidence : of the limit, and of all intervals.
    note : over the left panel.
    cv_copies, cv, cv_low, cv_high : levels with a CV, and its interval.
    profile : a and b of CV² = a + b/x.
    loq : limit of quantification.
    loq_cv : the CV that is good enough.
    cv_note : over the right panel.
    """

    copies: Array
    share: Array
    share_low: Array
    share_high: Array
    curves: Mapping[str, Callable[[Array], Array]]
    lod: Limit | None
    probability: float
    confidence: float
    note: str
    cv_copies: Array
    cv: Array
    cv_low: Array
    cv_high: Array
    profile: tuple[float, float] | None
    loq: Limit | None
    loq_cv: float | None
    cv_note: str


def study_figure(study: str, charts: Mapping[str, StudyChart]) -> Figure:
    """Both panels of every target of a study.

    Parameters
    ----------
    study : its name.
    charts : by target.
    """
    panels = [
        panel for target, chart in charts.items() for panel in (_detection_panel(target, chart), _cv_panel(chart))
    ]
    description = (
        "Left, the share of detected reactions at each level with its exact interval, the chance of detection by each "
        "model, and the limit of detection with its interval. Right, the coefficient of variation of copies read off "
        "the standard curve at each level with its interval, the profile through it, and the limit of quantification."
    )
    return Figure(panels, f"Detection study {study}", description, columns=2, width=960.0, plot_height=280.0)


def _detection_panel(target: str, chart: StudyChart) -> Panel:
    axis, percent = _decisive_levels(chart), f"{100 * chart.confidence:g} %"
    marks: list[Mark] = [] if chart.lod is None else [_interval(axis, chart.lod, f"{percent} interval of the LoD")]
    x = np.geomspace(axis.low, axis.high, _LINE_POINTS)
    for link, (colour, dash) in _LOOKS.items():
        if link in chart.curves:
            marks.append(Line(x, chart.curves[link](x), name=link.replace("_", "-"), colour=colour, dash=dash))
    marks.append(_error_bars(chart.copies, chart.share_low, chart.share_high))
    name = f"observed, exact {percent} interval"
    marks.append(Points(chart.copies, chart.share, name=name, colour="ink", size=3.4))
    marks.append(Rule(chart.probability, along="y", colour="muted", dash="dotted"))
    if chart.lod is not None:
        marks.append(Rule(chart.lod[0], f"LoD {chart.lod[0]:.3g}", side="left", colour="ink"))
    return Panel(axis, Axis("detected (share)", -0.03, 1.05), marks, f"{target}: detection", chart.note)


def _cv_panel(chart: StudyChart) -> Panel:
    axis, percent = _copies_axis(chart.copies), f"{100 * chart.confidence:g} %"
    marks: list[Mark] = [] if chart.loq is None else [_interval(axis, chart.loq, f"{percent} interval of the LoQ")]
    x = np.geomspace(axis.low, axis.high, _LINE_POINTS)
    marks.append(Line(x, 1 / np.sqrt(x), name="counting alone", colour="muted", dash="dotted"))
    if chart.profile is not None:
        marks.append(Line(x, np.sqrt(chart.profile[0] + chart.profile[1] / x), name="profile", colour="blue"))
    marks.append(_error_bars(chart.cv_copies, chart.cv_low, chart.cv_high))
    marks.append(Points(chart.cv_copies, chart.cv, name=f"levels, {percent} interval", colour="ink", size=3.4))
    if chart.loq_cv is not None:
        text = f"CV {chart.loq_cv:g}"
        marks.append(Rule(chart.loq_cv, text, along="y", side="right", colour="vermillion", dash="dotted"))
    if chart.loq is not None:
        marks.append(Rule(chart.loq[0], f"LoQ {chart.loq[0]:.3g}", colour="vermillion"))
    top = float(np.clip(1.1 * chart.cv_high.max(initial=0.0), 0.5, _HIGHEST_CV))
    return Panel(axis, Axis("CV of copies (fraction)", 0.0, top), marks, "Spread of one reaction", chart.cv_note)


def _decisive_levels(chart: StudyChart) -> Axis:
    """The axis of the levels around which detection is decided."""
    decided = chart.copies[(chart.share < 1) | (chart.copies == chart.copies.min(initial=np.inf))]
    reach = _REACH * max([*decided.tolist(), 0.0 if chart.lod is None else chart.lod[0]])
    return _copies_axis(chart.copies[chart.copies <= reach])


def _copies_axis(copies: Array) -> Axis:
    low = float(copies.min()) / 2 if len(copies) else 0.1
    high = float(copies.max()) if len(copies) else 10.0
    return Axis("copies per reaction put in", low, 1.5 * max(high, 4 * low), logarithmic=True)


def _interval(axis: Axis, limit: Limit, name: str) -> Mark:
    """The part of an interval that lies on the axis; an end that does not exist is cut to it."""
    first, last = np.clip(limit[1:], axis.low, axis.high).tolist()
    return Band(first, last, name=name, colour="muted")


def _error_bars(x: Array, low: Array, high: Array) -> Mark:
    """One upright line for each level, as a single mark: NaN lifts the pen."""
    gap = np.full_like(low, np.nan)
    across = np.column_stack([x, x, gap]).ravel()
    return Line(across, np.column_stack([low, high, gap]).ravel(), width=1.4, colour="ink")
