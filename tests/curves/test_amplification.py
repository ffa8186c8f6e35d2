"""What is an amplification and what only looks like one: drift, creep, steps, spikes, noise and late curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bcrabl.curves import analyse_curves
from bcrabl.simulation import Reaction, replicate_plate, simulate_run

CYCLES = np.arange(1, 46, dtype=float)
REPEATS = 100

SHAPES = {
    "flat": 0 * CYCLES,
    "drift": 0.008 * CYCLES,
    "falling drift": -0.008 * CYCLES,
    "creep": 0.6 * (CYCLES / 45) ** 2,
    "step": np.where(CYCLES >= 18, 0.5, 0.0),
    "step at the end": np.where(CYCLES >= 44, 0.5, 0.0),
    "spike": np.where(CYCLES == 20, 1.0, 0.0),
    "spike at the end": np.where(CYCLES == 45, 1.0, 0.0),
    "bubble": np.where((CYCLES >= 18) & (CYCLES < 25), 0.5, 0.0),
    "bleaching": 0.5 * np.exp(-CYCLES / 8),
    "falling sigmoid": -1 / (1 + np.exp(-0.6 * (CYCLES - 25))),
    "slow wave": 0.1 * np.sin(CYCLES / 4),
}


def sigmoid(e, *, rise=2.0, slope=0.65, level=0.5, cycles=CYCLES):
    return level + rise / (1 + np.exp(-slope * (cycles - e)))


def with_noise(curve, noise=0.01, n=REPEATS, seed=8):
    return curve + np.random.default_rng(seed).normal(0, noise, (n, len(curve)))


# -- what never amplifies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.002, 0.01])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_no_amplification_is_never_called_one_and_has_no_cq(shape, noise):
    found = analyse_curves(CYCLES, with_noise(0.5 + SHAPES[shape], noise), threshold=0.1)
    assert set(found.call) == {"not_amplified"}
    for cq in (found.cq, found.cq_sd, found.cq_second_derivative, found.cq_first_derivative, found.cq_cy0):
        assert np.isnan(cq).all()
    assert np.isnan(found.efficiency).all()


@pytest.mark.parametrize("half_way", [4, 40])
def test_a_signal_that_settles_from_the_first_cycle_on_is_never_called_amplified(half_way):
    found = analyse_curves(CYCLES, with_noise(0.5 + 0.5 * CYCLES / (CYCLES + half_way), 0.002), threshold=0.1)
    assert "amplified" not in set(found.call)


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        ("flat", "flat"),
        ("drift", "drift: a parabola explains the rise"),
        ("creep", "drift: a parabola explains the rise"),
        ("falling drift", "signal falls"),
        ("falling sigmoid", "signal falls"),
        ("bleaching", "signal falls"),
        ("step", "step: rises faster than any reaction doubles"),
        ("step at the end", "step: rises faster than any reaction doubles"),
        ("spike at the end", "step: rises faster than any reaction doubles"),
    ],
)
def test_the_reason_names_what_the_curve_does_instead(shape, why):
    found = analyse_curves(CYCLES, (0.5 + SHAPES[shape])[None, :], threshold=0.1)
    assert (found.call[0], found.why[0]) == ("not_amplified", why)


def test_a_drift_that_crosses_the_threshold_gets_no_cq():
    """TV-K7: 0.004 per cycle, threshold 0.1, 45 cycles; the software of an instrument would read a Cq of 26."""
    drift = 0.004 * CYCLES
    assert drift[-1] > 0.1
    for method in ("threshold", "second_derivative", "first_derivative", "cy0"):
        found = analyse_curves(CYCLES, with_noise(0.3 + drift, 0.003), threshold=0.1, method=method)
        assert set(found.call) == {"not_amplified"}
        assert np.isnan(found.cq).all()


def test_noise_alone_never_amplifies():
    found = analyse_curves(CYCLES, with_noise(0.5 + 0 * CYCLES, 0.05, n=3000), threshold=0.01)
    assert set(found.call) == {"not_amplified"}
    assert set(found.why) <= {"no rise above noise", "signal falls", "step: rises faster than any reaction doubles"}


@given(level=st.floats(-1, 10), slope=st.floats(-0.02, 0.02), bend=st.floats(-5e-4, 5e-4), noise=st.floats(1e-3, 0.05))
@settings(max_examples=60, deadline=None)
def test_no_parabola_is_called_amplified(level, slope, bend, noise):
    curve = level + slope * CYCLES + bend * CYCLES**2
    found = analyse_curves(CYCLES, with_noise(curve, noise, n=10), threshold=0.1)
    assert "amplified" not in set(found.call)


@pytest.mark.parametrize("defect", ["drift", "creep", "jump", "flat"])
def test_simulated_defects_without_template_never_amplify(defect):
    wells = [f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13)]
    run = simulate_run([Reaction(well, "BCR::ABL1", "ntc", "NTC", 0.0, defect=defect) for well in wells], seed=9)
    for window in (None, (3, 15)):
        found = analyse_curves(run.cycles, run.signal, threshold=0.1, baseline=window)
        assert "amplified" not in set(found.call)


def test_a_reaction_without_enzyme_never_amplifies_whatever_its_template():
    plate = [Reaction(f"A{n}", "ABL1", "unkn", "S", 1e6, defect="flat") for n in range(1, 13)]
    run = simulate_run(plate, seed=10)
    assert set(analyse_curves(run.cycles, run.signal, threshold=0.1).call) == {"not_amplified"}


# -- what amplifies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("e", [12, 20, 28, 36])
def test_a_sigmoid_above_noise_amplifies(e):
    found = analyse_curves(CYCLES, with_noise(sigmoid(e)), threshold=0.2)
    assert set(found.call) == {"amplified"}
    assert set(found.why) == {"exponential phase above noise"}


def test_a_cq_of_42_in_45_cycles_is_found():
    e = 42 + np.log(2 / 0.1 - 1) / 0.65
    found = analyse_curves(CYCLES, with_noise(sigmoid(e), 0.005), threshold=0.1)
    assert set(found.call) == {"amplified"}
    assert found.cq.mean() == pytest.approx(42, abs=0.1)
    assert all("no_plateau" in flags for flags in found.flags)


def test_every_well_with_template_is_found_and_no_well_without():
    run = simulate_run(replicate_plate("BCR::ABL1", [1e6, 1e4, 100, 5, 0], 60), seed=12)
    drawn = np.array(run.truth["drawn_copies"].to_pylist())
    for window in (None, (3, 15)):
        found = analyse_curves(run.cycles, run.signal, threshold=0.1, baseline=window)
        np.testing.assert_array_equal(found.call == "amplified", drawn > 0)


def test_a_drift_does_not_hide_an_amplification():
    found = analyse_curves(CYCLES, with_noise(sigmoid(34) + 0.008 * CYCLES), threshold=0.2)
    assert set(found.call) == {"amplified"}


def test_a_rise_of_a_few_noise_sds_is_for_a_person_to_see():
    found = analyse_curves(CYCLES, with_noise(sigmoid(30, rise=0.16), 0.02, n=200), threshold=0.05)
    ambiguous = found.call == "ambiguous"
    assert ambiguous.any()
    assert set(found.why[ambiguous]) <= {"weak rise above noise", "hardly better than drift", "slow exponential phase"}
    assert np.isfinite(found.cq_second_derivative[ambiguous]).all()


def test_growth_of_a_sixth_per_cycle_is_for_a_person_to_see():
    found = analyse_curves(CYCLES, with_noise(sigmoid(28, slope=0.2), 0.002), threshold=0.4)
    assert set(found.call) == {"ambiguous"}
    assert set(found.why) == {"slow exponential phase"}


# -- gaps -------------------------------------------------------------------------------------------------------------


def test_fewer_than_ten_cycles_are_too_few():
    curves = with_noise(sigmoid(28), n=3)
    curves[:, 9:] = np.nan
    found = analyse_curves(CYCLES, curves, threshold=0.2)
    assert set(found.call) == {"not_amplified"}
    assert set(found.why) <= {"too few cycles", "flat"}
    short = analyse_curves(np.arange(1.0, 10), with_noise(sigmoid(5, cycles=np.arange(1.0, 10)), n=3), threshold=0.2)
    assert set(zip(short.call, short.why, strict=True)) == {("not_amplified", "too few cycles")}


def test_a_well_without_any_reading_is_no_amplification():
    found = analyse_curves(CYCLES, np.vstack([np.full(45, np.nan), sigmoid(28)]), threshold=0.2)
    assert found.call.tolist() == ["not_amplified", "amplified"]
    assert found.why[0] == "too few cycles"
    assert np.isnan(found.plateau[0])


@given(gaps=st.sets(st.integers(0, 44), max_size=6), e=st.floats(20, 34))
@settings(max_examples=40, deadline=None)
def test_a_few_lost_readings_do_not_lose_an_amplification(gaps, e):
    crossing = e - np.log(2 / 0.2 - 1) / 0.65
    assume(not any(abs(CYCLES[gap] - crossing) < 2 for gap in gaps))  # a gap there is bridged, at a price
    curve = with_noise(sigmoid(e), 0.005, n=1)
    curve[0, list(gaps)] = np.nan
    found = analyse_curves(CYCLES, curve, threshold=0.2)
    assert found.call[0] == "amplified"
    assert found.cq[0] == pytest.approx(crossing, abs=0.3)
