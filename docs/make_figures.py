"""Draw the figures of docs/curve_analysis.md from simulated curves.

    python docs/make_figures.py [FOLDER, docs/figures without]

Seeds are fixed: the same code draws the same bytes, and a test notices when a figure is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from simulated_curves import CYCLES, SHAPE, artefacts, flagged_curves, noisy, shifted

from bcrabl.curves import CurveAnalysis, analyse_curves
from bcrabl.curves.quality import QUALITY_FLAGS
from bcrabl.report.figures import Axis, Band, Figure, Label, Line, Mark, Panel, Points, Rule, curves
from bcrabl.simulation import Optics, replicate_plate, simulate_run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FOLDER = Path(__file__).parent / "figures"
EAC_WINDOW, EAC_THRESHOLD = (3.0, 15.0), 0.1


def baseline_of(found: CurveAnalysis, row: int = 0) -> tuple[float, float]:
    """Intercept and slope under one curve."""
    return float(found.baseline.intercept[row]), float(found.baseline.slope[row])


def rn(high: float, low: float = 0.0) -> Axis:
    """The axis of the raw signal."""
    return Axis("signal (Rn)", low, high)


def log_rn(low: float = 0.005, high: float = 6.0) -> Axis:
    """The logarithmic axis of the signal above the baseline."""
    return Axis("signal above baseline (Rn)", low, high, logarithmic=True)


def anatomy() -> Figure:
    """One curve as read, and above its baseline."""
    signal = noisy(shifted(0) + 0.0005 * CYCLES, 1, 0.012)
    found = analyse_curves(CYCLES, signal[None], threshold=EAC_THRESHOLD, baseline=EAC_WINDOW)
    line, cq = baseline_of(found), float(found.cq[0])
    raw = [
        *curves.window_of_cycles(found.baseline.start[0], found.baseline.end[0]),
        *curves.baseline_line(CYCLES, line),
        *curves.fitted_curve(CYCLES, found.parameters[0]),
        *curves.readings(CYCLES, signal),
    ]
    log = [
        *curves.threshold_line(EAC_THRESHOLD, text=f"threshold {EAC_THRESHOLD} Rn"),
        *curves.cq_mark(cq, f"Cq {cq:.2f}", side="left"),
        *curves.fitted_curve(CYCLES[15:], found.parameters[0], baseline=line),
        *curves.readings(CYCLES, signal, baseline=line),
    ]
    return Figure(
        [
            Panel(curves.cycle_axis(CYCLES), rn(4), raw, "As read"),
            Panel(curves.cycle_axis(CYCLES), log_rn(), log, "Above the baseline, logarithmic"),
        ],
        "An amplification curve",
        "Left, readings, baseline through cycles 3 to 15 and fitted sigmoid. Right, the same curve above its baseline "
        "on a logarithmic scale; where it crosses the threshold is its quantification cycle.",
        columns=2,
    )


def baselines() -> Figure:
    """A late curve with drift, and an early one."""
    late = noisy(shifted(9) + 0.004 * CYCLES, 12, 0.02)
    early = noisy(shifted(-10), 3, 0.006)
    fixed = analyse_curves(CYCLES, np.stack([late, early]), threshold=EAC_THRESHOLD, baseline=EAC_WINDOW)
    window = slice(int(EAC_WINDOW[0]) - 1, int(EAC_WINDOW[1]))
    alone = np.polyfit(CYCLES[window], late[window], 1)
    panels = []
    for row, (signal, title, note, high) in enumerate(
        (
            (late, "A late curve with drift", "Level from the window, slope from all flat cycles.", 0.8),
            (early, "An early curve", "The window would reach into the rise: it is cut.", 0.6),
        )
    ):
        marks = [
            *curves.window_of_cycles(fixed.baseline.start[row], fixed.baseline.end[row], name="window used"),
            *curves.baseline_line(CYCLES, baseline_of(fixed, row)),
            *curves.readings(CYCLES, signal),
        ]
        if row == 0:
            ends = np.array([1.0, 45.0])
            straight = alone[1] + alone[0] * ends
            marks.insert(2, Line(ends, straight, colour="vermillion", dash="dotted", name="line through 3–15 alone"))
        else:
            marks.append(
                Rule(EAC_WINDOW[1] + 0.5, "end of the assay's window", side="right", colour="muted", dash="dotted")
            )
        panels.append(Panel(curves.cycle_axis(CYCLES), rn(high, 0.2), marks, title, note))
    return Figure(
        panels,
        "Baselines",
        "Left, a line through cycles 3 to 15 alone leaves the flat readings of a drifting late curve; the baseline "
        "drawn through all flat cycles follows them. Right, an early curve whose window is cut where its rise begins.",
        columns=2,
    )


def thresholds() -> Figure:
    """The assay's threshold, and the automatic one."""
    plate = replicate_plate("BCR::ABL1", [1e6, 1e5, 1e4, 1e3, 100.0, 10.0], 2)
    run = simulate_run(plate, seed=4)
    found = analyse_curves(run.cycles, run.signal, baseline=EAC_WINDOW)
    fixed = analyse_curves(run.cycles, run.signal, baseline=EAC_WINDOW, threshold=EAC_THRESHOLD)
    above = run.signal - found.baseline.at(run.cycles)
    line, height = float(found.threshold[0]), float(np.median(found.plateau))
    group = curves.group_of_curves(run.cycles, above, colour="muted")
    crossings = Points(fixed.cq, fixed.threshold, marker="diamond", size=3.6, colour="vermillion", name="Cq")
    noise = 10 * float(np.median(found.baseline.noise_sd))
    return Figure(
        [
            Panel(
                curves.cycle_axis(run.cycles),
                log_rn(0.01),
                [*group, *curves.threshold_line(EAC_THRESHOLD, text=f"{EAC_THRESHOLD} Rn"), crossings],
                "Fixed threshold",
                "As the assay states it; 10⁶ to 10 copies.",
            ),
            Panel(
                curves.cycle_axis(run.cycles),
                log_rn(0.01),
                [
                    Band(0.05 * height, 0.2 * height, along="y", colour="green", name="5–20 % of the plateau"),
                    *group,
                    Rule(noise, f"10 SD: {noise:.3f} Rn", along="y", side="left", colour="muted", lane=1),
                    *curves.threshold_line(line, text=f"{line:.3f} Rn"),
                ],
                "Automatic threshold",
                "Ten noise SDs, but never below 5 % nor above 20 % of the median plateau.",
            ),
        ],
        "Thresholds",
        "Left, a simulated dilution series crosses the fixed threshold of the assay. Right, the automatic threshold of "
        "the same curves: ten noise standard deviations, kept between 5 and 20 percent of the plateau.",
        columns=2,
    )


def derivatives() -> Figure:
    """First and second derivative maximum."""
    signal = noisy(shifted(-2), 5, 0.015)
    found = analyse_curves(CYCLES, signal[None])
    _, d, s, e, f = found.parameters[0].tolist()
    x = np.linspace(10, 42, 257)
    u = np.exp(-s * (x - e))
    first = d * f * s * u * (1 + u) ** (-f - 1)
    second = d * f * s**2 * u * (1 + u) ** (-f - 2) * (f * u - 1)
    fdm, sdm = float(found.cq_first_derivative[0]), float(found.cq_second_derivative[0])
    axis = Axis("cycle", 10, 42)
    rules = [
        *curves.cq_mark(sdm, f"SDM {sdm:.2f}", side="left", colour="vermillion"),
        *curves.cq_mark(fdm, f"FDM {fdm:.2f}", colour="green"),
    ]
    return Figure(
        [
            Panel(
                axis,
                rn(4),
                [*rules, *curves.fitted_curve(x, found.parameters[0]), *curves.readings(CYCLES, signal)],
                "Fitted curve",
            ),
            Panel(
                axis,
                Axis("share of the largest value", -1.3, 1.3),
                [
                    *rules,
                    Line(x, first / first.max(), name="speed F′", colour="green"),
                    Line(x, second / second.max(), name="acceleration F″", colour="vermillion"),
                ],
                "Its derivatives",
            ),
        ],
        "Derivative maxima",
        "The first derivative maximum is the cycle of the steepest rise, the second derivative maximum, about two "
        "cycles before it, the cycle at which the fitted curve accelerates most.",
        columns=2,
    )


def tangents() -> Figure:
    """Cy0."""
    signal = noisy(shifted(-2), 6, 0.015)
    found = analyse_curves(CYCLES, signal[None])
    at, parameters = float(found.cq_cy0[0]), found.parameters[0]
    rises = (2.0, 3.0, 4.0)
    heights = np.stack([shifted(-2, rise) for rise in rises]) - SHAPE[0]
    plateaus = analyse_curves(CYCLES, noisy(heights + SHAPE[0], 7, 0.004), threshold=0.5, baseline=EAC_WINDOW)
    construction: list[Mark] = [
        *curves.baseline_line(CYCLES, (float(parameters[0]), 0.0), name="fitted baseline"),
        *curves.tangent(parameters),
        *curves.fitted_curve(CYCLES, parameters),
        *curves.readings(CYCLES, signal),
        Points([at], [parameters[0]], marker="diamond", size=4.5, colour="vermillion"),
        Label(at, float(parameters[0]), f"Cy0 {at:.2f}", shift=(13, -6)),
    ]
    three: list[Mark] = []
    for k, (rise, colour) in enumerate(zip(rises, ("blue", "green", "purple"), strict=True)):
        own = plateaus.parameters[k]
        three += curves.fitted_curve(
            CYCLES, own, baseline=(float(own[0]), 0.0), name=f"rise {rise:g} Rn", colour=colour
        )
    three += [
        Rule(0.5, "threshold 0.5 Rn", along="y", side="right", lane=1, colour="muted", dash="dotted"),
        Points(plateaus.cq, plateaus.threshold, colour="ink", name="threshold Cq", open=True),
        Points(plateaus.cq_cy0, np.zeros(3), marker="diamond", size=4, colour="vermillion", name="Cy0"),
    ]
    spread = [float(np.ptp(values)) for values in (plateaus.cq, plateaus.cq_cy0)]
    return Figure(
        [
            Panel(Axis("cycle", 10, 42), rn(4), construction, "Construction"),
            Panel(
                Axis("cycle", 18, 36),
                Axis("signal above baseline (Rn)", -0.3, 4.3),
                three,
                "Same shape, other plateaus",
                f"Cq differ by {spread[0]:.2f} cycles at the threshold, by {spread[1]:.2f} by Cy0.",
            ),
        ],
        "Cy0",
        "Left, the tangent of the steepest rise meets the fitted baseline at Cy0. Right, three curves that differ only "
        "in their plateau: their threshold crossings differ, their Cy0 do not.",
        columns=2,
    )


def linearity() -> Figure:
    """The window of linearity."""
    signal = noisy(shifted(0), 8, 0.004)
    window = analyse_curves(CYCLES, signal[None]).window
    if window is None:
        raise AssertionError("the cycles are whole numbers")
    base, efficiency = float(window.baseline[0]), float(window.efficiency[0])
    last = float(window.last_cycle[0])
    first = last - float(window.points[0]) + 1
    shown = slice(int(first) - 2, int(last) + 2)
    offsets = ((0.03, "0.03 Rn too high", "vermillion"), (0.0, "found", "blue"), (-0.03, "0.03 Rn too low", "green"))
    bends = [
        Line(CYCLES[shown], signal[shown] - base - off, name=text, colour=colour) for off, text, colour in offsets
    ] + [Points(CYCLES[shown], signal[shown] - base - off, colour=colour) for off, _, colour in offsets]
    return Figure(
        [
            Panel(
                Axis("cycle", first - 2, last + 3),
                log_rn(0.005, 2),
                [*curves.window_of_cycles(first, last, name="window"), *bends],
                "The baseline that makes it straight",
                "Too high a baseline bends the foot down, too low a baseline bends it up.",
            ),
            Panel(
                Axis("cycle", 10, 42),
                log_rn(0.002),
                curves.window_of_linearity_line(CYCLES, signal, base, first, last, efficiency),
                "Efficiency",
                "The slope of the straight line is ln E.",
            ),
        ],
        "Window of linearity",
        "Left, the readings of the exponential phase on a logarithmic scale above three baselines; only one makes them "
        "a straight line. Right, the window and the line whose slope is the efficiency.",
        columns=2,
    )


def joint() -> Figure:
    """Curves of one target, and how far five estimators lie off."""
    random = np.random.default_rng(9)
    number, slow = 32, 5
    place = random.uniform(-4, 6, number)
    rise = SHAPE[1] * np.exp(random.normal(0, 0.08, number))
    slope = SHAPE[2] * np.exp(random.normal(0, 0.01, number))
    slope[slow] *= 0.8
    shape = [shifted(late, *rest) for late, *rest in zip(place, rise, slope, strict=True)]
    signal = noisy(np.stack(shape), 10, 0.02)
    found = analyse_curves(CYCLES, signal, threshold=EAC_THRESHOLD, method="joint")
    truth = np.delete(place, slow)
    ways = {
        "threshold": found.cq_threshold,
        "SDM": found.cq_second_derivative,
        "FDM": found.cq_first_derivative,
        "Cy0": found.cq_cy0,
        "joint": found.cq_joint,
    }
    marks: list[Mark] = []
    scatter = []
    for k, values in enumerate(ways.values(), 1):
        off = np.delete(values, slow) - truth
        scatter.append(float(np.std(off, ddof=1)))
        off = off - np.median(off)
        marks.append(Points(k + np.linspace(-0.25, 0.25, len(off)), off, name="well", colour="blue"))
        # the middle half: a bar says more than thirty points
        low, high = np.quantile(off, (0.25, 0.75))
        marks.append(Line([k + 0.38, k + 0.38], [low, high], width=4, colour="vermillion", name="middle half"))
    above = signal - found.parameters[:, :1]
    lines = curves.group_of_curves(CYCLES, np.delete(above, slow, axis=0), colour="muted", name="wells")
    outlying = f"slower well, d² = {found.joint.shape_distance[slow]:.0f}"
    lines.append(Line(CYCLES, above[slow], colour="vermillion", name=outlying))
    lines.append(Points(np.delete(found.cq_joint, slow), np.delete(found.joint.level, slow), name="Cq, joint"))
    lines.append(
        Points([found.cq_joint[slow]], [found.joint.level[slow]], colour="vermillion", marker="diamond", size=4)
    )
    noted = ", ".join(f"{name} {sd:.3f}" for name, sd in zip(ways, scatter, strict=True))
    return Figure(
        [
            Panel(
                Axis("cycle", 10, 42),
                log_rn(0.02, 6),
                lines,
                "One target, one plate",
                "Each curve is read at a tenth of its own rise.",
            ),
            Panel(
                Axis("", 0.5, len(ways) + 0.5, names=tuple(ways)),
                Axis("deviation from the truth (cycles)", -0.8, 0.8),
                marks,
                "How far the estimates lie off",
                f"SD in cycles: {noted}.",
            ),
        ],
        "The joint estimator",
        "Left, simulated curves of one shape with noise, and one well that amplifies slower and is named as a shape "
        "outlier. Right, deviations of five estimators from the known truth; the joint estimate scatters least.",
        columns=2,
    )


def errors() -> Figure:
    """What makes replicates differ."""
    levels, replicates = np.array([1e5, 1e4, 1e3, 300.0, 100.0, 30.0, 10.0]), 24
    run = simulate_run(replicate_plate("BCR::ABL1", levels.tolist(), replicates), seed=11, optics=Optics(drift=0.0))
    found = analyse_curves(run.cycles, run.signal, baseline=EAC_WINDOW, threshold=EAC_THRESHOLD)
    cq, error = (values.reshape(len(levels), replicates) for values in (found.cq, found.cq_sd))
    copies = np.geomspace(5, 2e5, 60)
    poisson, pipetting = 1 / np.log(2) / np.sqrt(copies), np.full(len(copies), 0.03 / np.log(2))
    reading = np.exp(np.interp(np.log(copies), np.log(levels[::-1]), np.log(np.median(error, axis=1)[::-1])))
    total = np.sqrt(poisson**2 + pipetting**2 + reading**2)
    marks = [
        Line(copies, poisson, colour="green", dash="dashed", name="Poisson: 1.44/√copies"),
        Line(copies, pipetting, colour="purple", dash="dotted", name="pipetting, 3 %"),
        Points(levels, np.median(error, axis=1), colour="blue", marker="square", size=3.4, name="cq_sd (median)"),
        Line(copies, total, colour="ink", name="all three"),
        Points(
            levels, np.nanstd(cq, axis=1, ddof=1), colour="vermillion", marker="diamond", size=4, name="SD of Cq found"
        ),
    ]
    return Figure(
        [
            Panel(
                Axis("copies per reaction", 5, 2e5, logarithmic=True),
                Axis("standard deviation (cycles)", 0.005, 1, logarithmic=True),
                marks,
                "What makes replicates differ",
                f"Simulated plate, {replicates} wells at each level, Cq at the threshold {EAC_THRESHOLD} Rn.",
            )
        ],
        "Reading error, pipetting and Poisson",
        "The standard error of a Cq is a reading error. Below about a thousand copies the Poisson distribution of the "
        "templates dominates the scatter of replicates.",
        plot_height=280,
    )


def calls() -> Figure:
    """Calls and reasons."""
    panels = []
    for seed, (title, signal) in enumerate(artefacts().items(), 70):
        reading = noisy(signal, seed, 0.012)
        if title == "Begins high":
            reading = np.minimum(reading, 3.1)
        found = analyse_curves(CYCLES, reading[None], threshold=EAC_THRESHOLD)
        colour = curves.CALL_COLOURS[str(found.call[0])]
        marks: list[Mark] = [Points(CYCLES, reading, colour=colour, size=2)]
        marks += curves.cq_mark(float(found.cq[0]), f"Cq {found.cq[0]:.1f}", side="left")
        note = f"{str(found.call[0]).replace('_', ' ')}: {found.why[0]}"
        high = max(1.0, float(np.ceil(reading.max() * 1.08 * 2) / 2))
        axis = Axis("signal (Rn)", 0, high, most_ticks=4)
        panels.append(Panel(Axis("cycle", 0, 46, most_ticks=5), axis, marks, title, note))
    return Figure(
        panels,
        "Amplification calls",
        "Small plots of simulated curves with the call and the reason that the rules give: amplifications in blue, "
        "ambiguous curves in purple, what is no amplification in grey.",
        columns=3,
        plot_height=105,
    )


def quality() -> Figure:
    """Flags."""
    panels = []
    for seed, (name, signal) in enumerate(flagged_curves().items(), 50):
        noise = 0.002 if name == "efficiency_outlier" else 0.008  # efficiencies of noisy wells scatter by tenths
        others = noisy(np.stack([shifted(late) for late in np.linspace(-4, 4, 8)]), seed, noise)
        odd = signal + (0 if name == "saturated" else noisy(np.zeros(len(CYCLES)), seed + 100, noise))
        found = analyse_curves(CYCLES, np.vstack([odd, others]))
        if name not in found.flags[0]:
            raise AssertionError(f"the curve drawn for {name} carries the flags {found.flags[0]}")
        marks = [
            *curves.group_of_curves(CYCLES, others, colour="muted"),
            Line(CYCLES, odd, colour="vermillion"),
            Points(CYCLES, odd, colour="vermillion", size=1.8),
        ]
        high = max(4.0, float(np.ceil(odd.max())) + 0.3)
        axis = Axis("signal (Rn)", 0, high, most_ticks=4)
        panels.append(Panel(Axis("cycle", 0, 46, most_ticks=5), axis, marks, name, QUALITY_FLAGS[name]))
    return Figure(
        panels,
        "Quality flags",
        "Nine small plots, each with one flagged curve in vermillion among good ones in grey.",
        columns=3,
        plot_height=105,
    )


FIGURES: dict[str, Callable[[], Figure]] = {
    "anatomy": anatomy,
    "baselines": baselines,
    "thresholds": thresholds,
    "derivatives": derivatives,
    "cy0": tangents,
    "window_of_linearity": linearity,
    "joint": joint,
    "standard_errors": errors,
    "calls": calls,
    "quality_flags": quality,
}


def main() -> None:
    """Write every figure."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        (folder / f"{name}.svg").write_text(draw().svg(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
