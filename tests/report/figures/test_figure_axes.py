"""Axes: round values that lie on them, labels that say these values, places that follow from the data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bcrabl.report.figures import Axis, axis_around

ends = st.floats(-1e6, 1e6, allow_subnormal=False)


@given(ends, ends, st.integers(2, 10))
def test_ticks_of_a_linear_axis_lie_on_it_and_are_evenly_apart(low, high, most):
    assume(high - low > 1e-6 * max(abs(low), abs(high), 1e-3))
    ticks = Axis("cycle", low, high, most_ticks=most).ticks()
    assert 1 <= len(ticks) <= most + 1
    assert low <= ticks[0] <= ticks[-1] <= high
    steps = np.diff(ticks)
    assert np.all(steps > 0)
    # the outermost may be moved onto an end that it misses by rounding
    assert np.ptp(steps) <= 1e-6 * (high - low) if len(steps) else True


@given(st.floats(-1e3, 1e3), st.floats(0.01, 1e4))
def test_a_linear_label_read_as_a_number_is_its_tick(low, width):
    axis = Axis("signal (Rn)", low, low + width)
    for tick in axis.ticks():
        assert float(axis.tick_label(tick).replace(",", "")) == pytest.approx(tick, abs=1e-3 * width)


@given(st.floats(-8, 8), st.floats(0.35, 9))
def test_ticks_of_a_logarithmic_axis_lie_on_it(exponent, decades):
    low, high = 10**exponent, 10 ** (exponent + decades)
    ticks = Axis("copies", low, high, logarithmic=True).ticks()
    assert len(ticks) >= 1
    assert low * (1 - 1e-9) <= ticks[0] <= ticks[-1] <= high * (1 + 1e-9)
    assert np.all(np.diff(ticks) > 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.001, "0.001"), (0.05, "0.05"), (1.0, "1"), (2000.0, "2,000"), (1e5, "10⁵"), (2e6, "2×10⁶"), (1e-5, "10⁻⁵")],
)
def test_logarithmic_labels_are_written_out_near_one_and_as_powers_elsewhere(value, text):
    assert Axis("copies", value / 2, value * 2, logarithmic=True).tick_label(value) == text


def test_a_label_is_never_minus_zero():
    axis = Axis("deviation (cycles)", -1, 1)
    assert "0.0" in {axis.tick_label(tick) for tick in axis.ticks()}
    assert "-0.0" not in {axis.tick_label(tick) for tick in axis.ticks()}


def test_a_tenth_and_a_thousandth_are_equally_far_from_a_hundredth_on_a_logarithmic_axis():
    axis = Axis("signal (Rn)", 0.001, 10, logarithmic=True)
    assert axis.fraction([0.001, 0.01, 0.1, 10]) == pytest.approx([0, 0.25, 0.5, 1])


def test_values_without_a_place_are_nan():
    assert np.isnan(Axis("signal (Rn)", 0.1, 1, logarithmic=True).fraction([0.0, -1.0, np.nan, np.inf])).all()
    assert np.isnan(Axis("cycle", 0, 1).fraction([np.nan, -np.inf])).all()


def test_names_stand_at_one_two_three():
    axis = Axis("", 0.5, 3.5, names=("Cy0", "FDM", "SDM"))
    assert [(tick, axis.tick_label(tick)) for tick in axis.ticks()] == [(1, "Cy0"), (2, "FDM"), (3, "SDM")]


@pytest.mark.parametrize("logarithmic", [False, True])
@given(values=st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20))
def test_an_axis_around_values_holds_all_of_them(values, logarithmic):
    place = axis_around("signal (Rn)", [*values, np.nan], logarithmic=logarithmic).fraction(values)
    assert np.all((place > 0) & (place < 1))


def test_an_axis_around_nothing_can_still_be_drawn():
    assert axis_around("signal (Rn)", [np.nan]).ticks()
    assert axis_around("signal (Rn)", [-1.0, 0.0], logarithmic=True).ticks()


@pytest.mark.parametrize("bounds", [(1, 1), (2, 1), (np.nan, 1), (0, np.inf)])
def test_ends_that_are_no_ends_are_refused(bounds):
    with pytest.raises(ValueError, match="expected two ends, low below high"):
        Axis("cycle", *bounds)


def test_a_logarithmic_axis_from_zero_is_refused():
    with pytest.raises(ValueError, match="expected a positive end"):
        Axis("signal (Rn)", 0, 1, logarithmic=True)
