"""The figures of a run's page: amplification curves of a target in four views, and its standard curve.

Every curve and every standard carries the name of its well, by which the page finds it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.report.figures.axes import Axis, axis_around
from bcrabl.report.figures.curves import CALL_COLOURS, cycle_axis, group_of_curves, signal_axis, threshold_line
from bcrabl.report.figures.marks import Area, Line, Mark, Points, Rule
from bcrabl.report.figures.svg import Figure, Panel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.report.content import Signals
    from bcrabl.report.lines import Line as StandardLine

    Array = NDArray[np.float64]

__all__ = ["amplification_views", "standard_curve_figure"]

_WIDTH, _HEIGHT = 620.0, 300.0
_FLOOR = 30.0  # a logarithmic axis begins so many times below the threshold
_FLOOR_OF_TOP = 2000.0  # or below the top, without a threshold
_MOST_THRESHOLDS = 3
_LEGEND = {  # belongs to no well
    True: Points([], [], size=4.0, colour="ink", name="standard"),
    False: Points([], [], marker="cross", size=4.0, colour="vermillion", name="left out"),
}


def amplification_views(signals: Signals, reactions: Mapping[str, Mapping[str, object]]) -> dict[tuple[str, str], str]:
    """SVG of the curves of one target, by signal (`corrected`, `raw`) and scale (`log`, `linear`).

    Parameters
    ----------
    signals : its curves.
    reactions : by well, with `call`, `baseline_intercept`, `baseline_slope`, `threshold`.
    """
    rows = [reactions.get(well, {}) for well in signals.wells]
    lines = np.array([[_or_zero(row.get(f"baseline_{part}")) for part in ("intercept", "slope")] for row in rows])
    corrected = signals.signal - (lines[:, :1] + lines[:, 1:] * signals.cycles)
    calls = [str(row.get("call", "not_amplified")) for row in rows]
    thresholds = sorted({float(str(row["threshold"])) for row in rows if row.get("threshold") is not None})
    return {
        (kind, scale): _view(signals, signal, calls, kind, scale, thresholds if kind == "corrected" else [])
        for kind, signal in (("corrected", corrected), ("raw", signals.signal))
        for scale in ("log", "linear")
    }


def _or_zero(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _view(
    signals: Signals, signal: Array, calls: Sequence[str], kind: str, scale: str, thresholds: Sequence[float]
) -> str:
    quantity = "signal above baseline" if kind == "corrected" else "signal"
    logarithmic = scale == "log"
    low = _lowest(signal, thresholds) if logarithmic and kind == "corrected" else None
    axis = signal_axis(signal, unit=signals.unit, quantity=quantity, logarithmic=logarithmic, low=low)
    marks: list[Mark] = group_of_curves(signals.cycles, signal, names=signals.wells, calls=calls)
    # the legend's picture belongs to no well
    marks += [Line([], [], name=call.replace("_", " "), colour=CALL_COLOURS[call]) for call in sorted(set(calls))]
    for threshold in thresholds[:_MOST_THRESHOLDS]:
        marks += threshold_line(threshold, text=f"threshold {threshold:.4g} {signals.unit}")
    shown = "baseline-corrected" if kind == "corrected" else "not baseline-corrected"
    counts = ", ".join(f"{calls.count(call)} {call.replace('_', ' ')}" for call in dict.fromkeys(sorted(calls)))
    panel = Panel(cycle_axis(signals.cycles), axis, marks, signals.target)
    title = f"Amplification curves of {signals.target}, {shown}, {'logarithmic' if logarithmic else 'linear'} scale"
    return Figure([panel], title, f"{len(calls)} curves: {counts}.", width=_WIDTH, plot_height=_HEIGHT).svg(alone=False)


def _lowest(signal: Array, thresholds: Sequence[float]) -> float | None:
    """Where a logarithmic axis begins, so that noise about the baseline does not fill the plot."""
    finite = signal[np.isfinite(signal)]
    if not finite.size or finite.max() <= 0:
        return None
    top = float(finite.max())
    low = min((each for each in thresholds if each > 0), default=0.0) / _FLOOR or top / _FLOOR_OF_TOP
    return low if low < top else None


def standard_curve_figure(
    target: str,
    line: StandardLine,
    wells: Sequence[str],
    copies: Sequence[float],
    cq: Sequence[float],
    used: Sequence[bool],
) -> str:
    """SVG: Cq of the standards against their copies with the line and its 95 % interval, and their residuals.

    Parameters
    ----------
    target : its name.
    line : the standard curve.
    wells, copies, cq, used : (n,) standards with known copies (per reaction) and a Cq (cycles); whether in the curve.
    """
    known, read = np.asarray(copies, dtype=np.float64), np.asarray(cq, dtype=np.float64)
    across = axis_around("copies/reaction", known, logarithmic=True)
    x = np.linspace(np.log10(across.low), np.log10(across.high), 60)
    fitted = line.intercept + line.slope * x
    half, reaction = line.half_width(x), line.reaction_half_width(x)
    residuals = read - (line.intercept + line.slope * np.log10(known))
    above: list[Mark] = [
        Area(10**x, fitted - half, fitted + half, name="95 % interval of the line"),
        Line(10**x, fitted, name="standard curve"),
        *_points(wells, known, read, used),
    ]
    below: list[Mark] = [
        Area(10**x, -reaction, reaction, name="95 % interval of one reaction", colour="muted"),
        Rule(0.0, along="y", dash="solid"),
        *_points(wells, known, residuals, used),
    ]
    reach = float(np.nanmax(np.abs(np.concatenate([residuals, reaction[np.isfinite(reaction)], [0.1]]))))
    panels = [
        Panel(across, axis_around("Cq (cycles)", np.concatenate([read, fitted])), above, target),
        Panel(across, Axis("residual (cycles)", -1.1 * reach, 1.1 * reach), below, "Residuals"),
    ]
    description = f"{len(wells)} standards on a line of slope {line.slope:.3f} cycles per decade."
    title = f"Standard curve of {target}"
    return Figure(panels, title, description, width=_WIDTH, plot_height=200.0).svg(alone=False)


def _points(wells: Sequence[str], x: Array, y: Array, used: Sequence[bool]) -> list[Mark]:
    """A mark for each well, so that each is found again."""
    legend: list[Mark] = [_LEGEND[kind] for kind in (True, False) if kind in used]
    return legend + [
        Points(
            [x[k]],
            [y[k]],
            marker="circle" if used[k] else "cross",
            size=4.0,
            colour="ink" if used[k] else "vermillion",
            data={"well": well},
        )
        for k, well in enumerate(wells)
    ]
