"""Marks of a curve: each stands where the formula of its estimator puts it."""

from __future__ import annotations

import numpy as np
import pytest

from bcrabl.curves.sigmoid import fit_sigmoid
from bcrabl.report.figures import Band, Line, Points, Rule, curves

CYCLES = np.arange(1.0, 46)
PARAMETERS = (0.3, 3.0, 0.6, 24.0, 1.5)  # c, d, s, e, f
SIGNAL = 0.3 + 3.0 * (1 + np.exp(-0.6 * (CYCLES - 24.0))) ** -1.5


def of_kind(marks, kind):
    return [mark for mark in marks if isinstance(mark, kind)]


def test_the_sigmoid_is_the_formula():
    assert curves.sigmoid(CYCLES, PARAMETERS) == pytest.approx(SIGNAL, rel=1e-12)


def test_the_sigmoid_does_not_overflow_far_before_its_rise():
    assert curves.sigmoid([-5000.0], (0.3, 3.0, 12.0, 24.0, 1e4)) == pytest.approx(0.3)


def test_the_tangent_leaves_the_baseline_at_cy0_touches_the_curve_and_ends_at_the_plateau():
    fit = fit_sigmoid(CYCLES, SIGNAL[None])
    (line,) = curves.tangent(fit.parameters[0])
    (foot, top), (low, high) = np.asarray(line.x), np.asarray(line.y)
    assert foot == pytest.approx(float(fit.cy0()[0]), abs=1e-9)
    assert (low, high) == pytest.approx((0.3, 3.3), abs=1e-6)
    steepest = float(fit.steepest[0])
    on_line = low + (steepest - foot) * (high - low) / (top - foot)
    assert on_line == pytest.approx(float(curves.sigmoid(steepest, fit.parameters[0])), abs=1e-9)


def test_readings_above_a_drifting_baseline_lose_the_drift():
    (points,) = curves.readings(CYCLES, SIGNAL + 0.1 + 0.01 * CYCLES, baseline=(0.1, 0.01))
    assert points.y == pytest.approx(SIGNAL)


def test_a_window_holds_its_first_and_last_reading_whole():
    (band,) = curves.window_of_cycles(3, 15)
    assert (band.low, band.high) == (2.5, 15.5)
    assert curves.window_of_cycles(np.nan, np.nan) == []


def test_a_curve_without_a_cq_has_no_cq_mark():
    assert curves.cq_mark(np.nan, "Cq") == []
    assert curves.level_crossing(np.nan, 0.1, "Cq") == []
    (rule,) = curves.cq_mark(23.4, "Cq 23.40")
    assert (rule.value, rule.along) == (23.4, "x")


def test_the_line_of_a_window_grows_by_its_efficiency_in_every_cycle():
    growth = 0.001 * 1.9**CYCLES
    marks = curves.window_of_linearity_line(CYCLES, 0.5 + growth, 0.5, 10, 16, 1.9)
    (line,) = of_kind(marks, Line)
    assert np.log(line.y[1] / line.y[0]) / (line.x[1] - line.x[0]) == pytest.approx(np.log(1.9))
    assert line.y[0] == pytest.approx(0.001 * 1.9 ** line.x[0])
    (band,) = of_kind(marks, Band)
    assert (band.low, band.high) == (9.5, 16.5)
    everything, inside = of_kind(marks, Points)
    assert list(inside.x) == [10, 11, 12, 13, 14, 15, 16]
    assert len(everything.x) == len(CYCLES)


def test_curves_of_a_group_carry_their_wells_and_the_colours_of_their_calls():
    calls = ["amplified", "not_amplified", "ambiguous"]
    marks = curves.group_of_curves(CYCLES, np.stack([SIGNAL] * 3), names=["A1", "A2", "B1"], calls=calls)
    assert [mark.data["well"] for mark in marks] == ["A1", "A2", "B1"]
    assert [mark.name for mark in marks] == ["amplified", "not amplified", "ambiguous"]
    assert len({mark.colour for mark in marks}) == 3


def test_threshold_and_baseline_are_level_and_sloping_lines():
    (rule,) = of_kind(curves.threshold_line(0.1), Rule)
    assert (rule.value, rule.along) == (0.1, "y")
    (line,) = curves.baseline_line(CYCLES, (0.2, 0.01))
    assert line.y == pytest.approx([0.21, 0.65])


def test_axes_hold_every_reading_and_name_their_unit():
    axis = curves.signal_axis(SIGNAL, unit="Rn")
    assert axis.label == "fluorescence (Rn)"
    assert axis.low < SIGNAL.min() < SIGNAL.max() < axis.high
    assert curves.cycle_axis(CYCLES).low < 1
