"""Amplification curves as marks: readings, baseline, fit, threshold, landmarks, tangent, window of linearity, groups.

Every function takes plain numbers of one curve, as the tables hold them, and gives marks for a panel. Symbols: m
cycles; x cycle; F signal, a.u.; (c, d, s, e, f) the parameters of the sigmoid

    F(x) = c + d · (1 + exp(-s (x - e)))^(-f)

A `baseline` is (intercept, slope) of the line under the curve; where one is given, the marks show what lies above it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.report.figures.axes import Axis, axis_around
from bcrabl.report.figures.marks import Band, Label, Line, Mark, Points, Rule

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Straight = tuple[float, float]

__all__ = [
    "CALL_COLOURS",
    "baseline_line",
    "cq_mark",
    "cycle_axis",
    "fitted_curve",
    "group_of_curves",
    "level_crossing",
    "readings",
    "sigmoid",
    "signal_axis",
    "tangent",
    "threshold_line",
    "window_of_cycles",
    "window_of_linearity_line",
]

CALL_COLOURS = {"amplified": "blue", "ambiguous": "purple", "not_amplified": "muted"}
"""Colour of a curve by its call."""

_PER_CYCLE = 8  # points a smooth line is drawn through
_LEVEL: Straight = (0.0, 0.0)


def cycle_axis(cycles: ArrayLike) -> Axis:
    """The axis of cycles, with half a cycle of room."""
    x = np.asarray(cycles, dtype=np.float64)
    return Axis("cycle", float(x.min()) - 0.5, float(x.max()) + 0.5)


def signal_axis(
    signal: ArrayLike,
    *,
    unit: str = "a.u.",
    quantity: str = "fluorescence",
    logarithmic: bool = False,
    low: float | None = None,
) -> Axis:
    """The axis of a signal; `unit` is `Rn` where a passive reference divided it."""
    return axis_around(f"{quantity} ({unit})", signal, logarithmic=logarithmic, low=low)


def sigmoid(cycles: ArrayLike, parameters: ArrayLike) -> Array:
    """(m,) signal of the sigmoid, a.u., without overflow far before its rise."""
    c, d, s, e, f = np.asarray(parameters, dtype=np.float64).tolist()
    signal: Array = c + d * np.exp(-f * np.logaddexp(0.0, -s * (np.asarray(cycles, dtype=np.float64) - e)))
    return signal


def _below(cycles: Array, baseline: Straight) -> Array:
    return baseline[0] + baseline[1] * cycles


def _smooth(cycles: ArrayLike) -> Array:
    x = np.asarray(cycles, dtype=np.float64)
    return np.linspace(x.min(), x.max(), round((x.max() - x.min()) * _PER_CYCLE) + 1)


def readings(
    cycles: ArrayLike, signal: ArrayLike, *, baseline: Straight = _LEVEL, name: str = "readings", colour: str = "ink"
) -> list[Mark]:
    """The readings as points."""
    x = np.asarray(cycles, dtype=np.float64)
    above = np.asarray(signal, dtype=np.float64) - _below(x, baseline)
    return [Points(x, above, name=name, colour=colour)]


def baseline_line(
    cycles: ArrayLike, baseline: Straight, *, name: str = "baseline", colour: str = "green"
) -> list[Mark]:
    """The line under a curve."""
    x = np.asarray(cycles, dtype=np.float64)
    ends = np.array([x.min(), x.max()])
    return [Line(ends, _below(ends, baseline), name=name, colour=colour, dash="dashed")]


def window_of_cycles(start: float, end: float, *, name: str = "baseline window", colour: str = "green") -> list[Mark]:
    """A stretch of cycles, half a cycle wider than its first and last reading; nothing where there is none."""
    return [Band(start - 0.5, end + 0.5, name=name, colour=colour)] if np.isfinite(start + end) else []


def fitted_curve(
    cycles: ArrayLike,
    parameters: ArrayLike,
    *,
    baseline: Straight = _LEVEL,
    name: str = "fitted sigmoid",
    colour: str = "blue",
) -> list[Mark]:
    """The fitted sigmoid."""
    x = _smooth(cycles)
    return [Line(x, sigmoid(x, parameters) - _below(x, baseline), name=name, colour=colour)]


def threshold_line(threshold: float, *, text: str = "threshold", side: str = "left") -> list[Mark]:
    """The threshold above the baseline."""
    return [Rule(threshold, text, along="y", side=side, colour="vermillion")]


def cq_mark(cq: float, text: str, *, colour: str = "vermillion", side: str = "right", lane: int = 0) -> list[Mark]:
    """An upright line at a quantification cycle; nothing for a curve without one."""
    return [Rule(cq, text, side=side, lane=lane, colour=colour)] if np.isfinite(cq) else []


def level_crossing(
    cq: float, level: float, text: str, *, colour: str = "vermillion", side: str = "right"
) -> list[Mark]:
    """The point at which a curve reaches a level; nothing for a curve without a Cq."""
    if not np.isfinite(cq):
        return []
    away = 8.0 if side == "right" else -8.0
    marker = Points([cq], [level], marker="diamond", size=4.0, colour=colour)
    return [marker, Label(cq, level, text, side=side, shift=(away, 14.0))]


def tangent(
    parameters: ArrayLike, *, name: str = "tangent of the steepest rise", colour: str = "vermillion"
) -> list[Mark]:
    """The tangent of the steepest rise, from the baseline c to the plateau c + d."""
    c, d, s, e, f = np.asarray(parameters, dtype=np.float64).tolist()
    steepest = e + np.log(f) / s
    height = d * np.exp(-f * np.log1p(1 / f))
    slope = height * s / (1 + 1 / f)
    x = np.array([steepest - height / slope, steepest + (d - height) / slope])
    return [Line(x, np.array([c, c + d]), name=name, colour=colour)]


def window_of_linearity_line(
    cycles: ArrayLike, signal: ArrayLike, baseline: float, first: float, last: float, efficiency: float
) -> list[Mark]:
    """Readings above the window's baseline, those inside the window, and the line of its efficiency through them."""
    x, above = np.asarray(cycles, dtype=np.float64), np.asarray(signal, dtype=np.float64) - baseline
    inside = (x >= first) & (x <= last) & (above > 0)
    marks = window_of_cycles(first, last, name="window of linearity")
    if inside.any() and efficiency > 0:
        middle, level = x[inside].mean(), np.log(above[inside]).mean()
        ends = np.array([first - 6, last + 4])
        line = np.exp(level + np.log(efficiency) * (ends - middle))
        marks.append(Line(ends, line, name=f"{efficiency:.3f}-fold per cycle", colour="vermillion"))
    readings_above = Points(x, above, name="readings above the baseline", colour="muted")
    return [*marks, readings_above, Points(x[inside], above[inside], name="in the window", colour="blue", size=3.4)]


def group_of_curves(
    cycles: ArrayLike,
    signals: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    calls: Sequence[str] | None = None,
    colour: str = "blue",
    name: str = "",
) -> list[Mark]:
    """The curves of a group as thin lines, each found again by data-well.

    Parameters
    ----------
    cycles : (m,).
    signals : (n, m), a.u.
    names : (n,) of the wells.
    calls : (n,) give the colours of `CALL_COLOURS`, and the legend.
    colour, name : of all, without calls.
    """
    rows = np.atleast_2d(np.asarray(signals, dtype=np.float64))
    marks: list[Mark] = []
    for k, row in enumerate(rows):
        data = {"well": names[k]} if names is not None else {}
        call = calls[k] if calls is not None else None
        entry = call.replace("_", " ") if call else name
        paint = CALL_COLOURS[call] if call else colour
        marks.append(Line(np.asarray(cycles), row, width=1.2, name=entry, colour=paint, data=data))
    return marks
