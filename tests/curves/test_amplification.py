"""What is an amplification and what only looks like one: drift, creep, steps, spikes, noise and late curves."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bcrabl.curves import analyse_curves
from bcrabl.curves.amplification import CALLS, CallLimits, call_amplification, score_amplification
from bcrabl.curves.screening import refit_judged, screen_readings
from bcrabl.curves.sigmoid import fit_sigmoid
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
        ("drift", "linear drift: a straight line explains the rise"),
        ("creep", "creeping baseline: a parabola explains the rise"),
        ("falling drift", "signal falls"),
        ("falling sigmoid", "signal falls"),
        ("bleaching", "signal falls"),
        ("step", "step: rises faster than any reaction doubles"),
        ("step at the end", "spike: single readings jump"),
        ("spike", "spike: single readings jump"),
        ("spike at the end", "spike: single readings jump"),
        ("bubble", "hook: rises and falls back to its baseline"),
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
    assert set(found.why[ambiguous]) <= {
        "weak rise above noise",
        "hardly better than drift",
        "no exponential phase to be seen: a ramp explains it as well",
    }
    phase = np.array(["no_exponential_phase" not in flags for flags in found.flags])
    assert 0 < phase[ambiguous].sum() < ambiguous.sum()
    np.testing.assert_array_equal(np.isfinite(found.cq_second_derivative[ambiguous]), phase[ambiguous])


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


# -- artefacts of any size --------------------------------------------------------------------------------------------


def called(curves, limits=None, cycles=CYCLES):
    fit = fit_sigmoid(cycles, curves)
    scores = score_amplification(cycles, curves, fit, limits)
    return *call_amplification(scores, fit, limits), scores


def artefacts(n=500, seed=21):
    """Curves that are no amplification: any size from 0.005 to 3, anywhere in the run, noise SD 0.0015 to 0.03."""
    random = np.random.default_rng(seed)

    def some(low, high):
        return np.exp(random.uniform(np.log(low), np.log(high), (n, 1)))

    def size():
        return some(0.005, 3) * random.choice([-1, 1], (n, 1))

    share, at = CYCLES / 45, random.integers(1, 45, (n, 1)) + 0.5
    shapes = {
        "flat": np.zeros((n, 45)),
        "linear drift": size() * share,
        "creep, power": np.abs(size()) * share ** some(1.3, 4),
        "creep, exponential": np.abs(size()) * np.expm1(some(1, 4) * share) / np.expm1(4),
        "settling": size() * (1 - np.exp(-CYCLES / some(1, 15))),
        "settling and drift": size() * (1 - np.exp(-CYCLES / some(1, 10))) + size() * share,
        "step": size() * (at < CYCLES),
        "step over two cycles": size() * np.clip((CYCLES - at) / 2, 0, 1),
        "spike": size() * (np.abs(CYCLES - at - 0.5) < 0.6),
        "double spike": size() * ((at < CYCLES) & (at + 2.2 > CYCLES)),
        "bubble": np.abs(size()) * ((at < CYCLES) & (at + random.integers(3, 15, (n, 1)) > CYCLES)),
        "bleaching": np.abs(size()) * np.exp(-CYCLES / some(2, 30)),
        "bleaching and drift": np.abs(size()) * np.exp(-CYCLES / some(2, 15)) + np.abs(size()) * share,
        "heavy-tailed noise": random.standard_t(2.5, (n, 45)) * some(0.002, 0.05),
    }
    return {
        kind: some(0.2, 5) + shape + some(0.0015, 0.03) * random.normal(0, 1, (n, 45)) for kind, shape in shapes.items()
    }


def test_of_seven_thousand_drifts_steps_spikes_and_noises_none_is_called_amplified():
    counts = {kind: int((called(curves)[0] == "amplified").sum()) for kind, curves in artefacts().items()}
    assert counts == dict.fromkeys(counts, 0)


def test_most_drifts_that_set_in_late_and_ramps_are_told_from_amplifications_and_few_remain():
    """A straight rise between two levels is the artefact that looks most like a sigmoid: at most 3 % get through."""
    random = np.random.default_rng(22)
    at, length = random.integers(1, 40, (1000, 1)), random.uniform(3, 15, (1000, 1))
    size = np.exp(random.uniform(np.log(0.05), np.log(3), (1000, 1)))
    noise = random.normal(0, 0.005, (1000, 45))
    for shape in (np.maximum(CYCLES - at, 0) / 45, np.clip((CYCLES - at) / length, 0, 1)):
        assert np.mean(called(1 + size * shape + noise)[0] == "amplified") < 0.03


@pytest.mark.parametrize("copies", [1e6, 1e4, 100.0, 10.0])
def test_of_a_thousand_wells_with_template_none_is_lost(copies):
    run = simulate_run(replicate_plate("BCR::ABL1", [copies], 1000), seed=31)
    drawn = np.array(run.truth["drawn_copies"].to_pylist()) > 0
    assert set(called(run.signal[drawn], cycles=run.cycles)[0]) == {"amplified"}


# -- defects on top of an amplification -------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0, 5, 20, 26, 35, 44])
@pytest.mark.parametrize("height", [-3.0, -0.5, 0.5, 3.0, 30.0])
def test_a_reading_out_of_line_neither_kills_nor_moves_an_amplification(at, height):
    curves = with_noise(sigmoid(24), 0.005, n=20)
    clean = fit_sigmoid(CYCLES, curves).second_derivative_maximum()
    curves[:, at] += height
    call, _, scores = called(curves)
    assert set(call) == {"amplified"}
    fit = refit_judged(CYCLES, curves, fit_sigmoid(CYCLES, curves), screen_readings(CYCLES, curves).judged)
    assert np.abs(fit.second_derivative_maximum() - clean).max() < 0.4  # a reading on the bend may be the one lost
    if at not in (20, 26) or abs(height) > 1:
        assert (scores.spikes >= 1).all()


@pytest.mark.parametrize("at", [2, 10, 22, 33])
def test_two_readings_out_of_line_do_not_kill_an_amplification(at):
    curves = with_noise(sigmoid(26), 0.005, n=20)
    curves[:, at : at + 2] += 2.0
    call, _, scores = called(curves)
    assert set(call) == {"amplified"}
    assert (scores.spikes >= 2).all()


def test_a_clean_curve_loses_no_reading():
    for noise in (0.0, 0.002, 0.02):
        curves = sigmoid(np.arange(12, 42)[:, None])
        screen = screen_readings(CYCLES, curves + np.random.default_rng(5).normal(0, noise, curves.shape))
        assert screen.judged.all()
        assert (screen.spikes == 0).all()


def test_the_noise_of_the_readings_is_found_under_a_spike_a_step_and_an_amplification():
    shape = sigmoid(25) + 3 * (CYCLES == 12) + 0.5 * (CYCLES > 40)
    found = screen_readings(CYCLES, with_noise(shape, 0.01, n=2000)).noise_sd
    assert 0.009 < np.median(found) < 0.02
    flat = screen_readings(CYCLES, with_noise(0 * CYCLES + 3 * (CYCLES == 12), 0.01, n=2000)).noise_sd
    assert np.median(flat) == pytest.approx(0.01, rel=0.1)


def test_a_hook_of_a_third_keeps_its_amplification_and_its_depth_is_measured():
    hook = 0.04 * np.maximum(CYCLES - 32, 0)
    call, _, scores = called(with_noise(sigmoid(24) - hook, 0.005))
    assert set(call) == {"amplified"}
    assert np.median(scores.hook_depth) == pytest.approx(0.04 * 12 / 2, rel=0.1)  # mean of the last three readings


def test_a_curve_that_falls_back_by_most_of_its_rise_is_for_a_person_to_see():
    hook = 1.4 * np.clip((CYCLES - 32) / 12, 0, 1)
    call, why, _ = called(with_noise(sigmoid(24) - hook, 0.005))
    assert set(zip(call, why, strict=True)) == {("ambiguous", "hook: rises and falls")}


def test_bleaching_before_the_rise_does_not_hide_it():
    call, _, _ = called(with_noise(sigmoid(28) + 0.8 * np.exp(-CYCLES / 4), 0.005))
    assert set(call) == {"amplified"}


def test_a_curve_clipped_at_the_ceiling_amplifies_and_its_flat_top_is_counted():
    curves = np.minimum(with_noise(sigmoid(24), 0.005), 1.5)
    call, _, scores = called(curves)
    assert set(call) == {"amplified"}
    np.testing.assert_array_equal(scores.ceiling_share, (curves == 1.5).mean(axis=1))
    assert (scores.begins_at_ceiling == 0).all()


def test_a_signal_that_settles_before_the_first_cycle_is_no_amplification():
    call, why, scores = called(with_noise(0.5 + 0.5 * (1 - np.exp(-CYCLES / 6)), 0.002))
    assert set(call) == {"not_amplified"}
    assert {one.split(":")[0] for one in why} == {"settling signal"}
    assert (scores.acceleration < 3).all()


def test_a_rise_seen_in_the_last_two_readings_is_not_called_amplified():
    rise = np.where(CYCLES >= 44, 0.06 * 2 ** (CYCLES - 45), 0.004 * 2 ** np.clip(CYCLES - 43, -40, 0))
    assert "amplified" not in set(called(with_noise(1 + rise, 0.002))[0])


@pytest.mark.parametrize(
    ("score", "value", "call", "why"),
    [
        ("cycles", 9.0, "not_amplified", "too few cycles"),
        ("rise", -1.0, "not_amplified", "signal falls"),
        ("rise_per_noise", 5.0, "not_amplified", "no rise above noise"),
        ("rise_per_noise", 9.0, "ambiguous", "weak rise above noise"),
        ("f_ratio", 11.0, "not_amplified", "creeping baseline: a parabola explains the rise"),
        ("f_ratio", 40.0, "ambiguous", "hardly better than drift"),
        ("fold", 1.1, "not_amplified", "creeping baseline: no exponential phase"),
        ("fold", 1.15, "ambiguous", "slow exponential phase"),
        ("fold", 7.0, "ambiguous", "nearly a step: hardly any reading on the rise"),
        ("rise_cycles", 2.0, "not_amplified", "step: rises faster than any reaction doubles"),
        ("rise_cycles", 3.0, "ambiguous", "nearly a step: hardly any reading on the rise"),
        ("largest_step", 0.7, "not_amplified", "step: rises faster than any reaction doubles"),
        ("ramp_ratio", 0.7, "not_amplified", "no exponential phase: a straight ramp explains the rise"),
        ("ramp_ratio", 1.0, "ambiguous", "no exponential phase to be seen: a ramp explains it as well"),
        ("acceleration", -0.1, "not_amplified", "settling signal: accelerates before the first cycle only"),
        ("acceleration", 1.5, "ambiguous", "begins high: no baseline before the rise"),
        ("risen_readings", 2.0, "ambiguous", "late rise: too few readings above noise"),
        ("hook_depth", 0.9, "not_amplified", "hook: rises and falls back to its baseline"),
        ("hook_depth", 0.6, "ambiguous", "hook: rises and falls"),
        ("dip_depth", 0.6, "ambiguous", "falling signal before the rise"),
        ("begins_at_ceiling", 1.0, "ambiguous", "saturation: begins at the highest signal"),
        ("plateau_ratio", 0.1, "ambiguous", "low amplitude for its target"),
        ("plateau_ratio", np.nan, "amplified", "exponential phase above noise"),
    ],
)
def test_each_figure_beyond_its_cut_changes_the_call_of_a_good_curve(score, value, call, why):
    curves = with_noise(sigmoid(24), 0.005, n=1)
    fit = fit_sigmoid(CYCLES, curves)
    scores = replace(score_amplification(CYCLES, curves, fit), **{score: np.array([value])})
    found = call_amplification(scores, fit)
    assert (found[0][0], found[1][0]) == (call, why)


# -- against the other curves of the target ---------------------------------------------------------------------------


def test_a_tenth_of_the_plateau_of_its_target_is_for_a_person_to_see():
    curves = np.vstack([with_noise(sigmoid(24), 0.005, n=20), with_noise(sigmoid(26, rise=0.2), 0.005, n=2)])
    call, why, scores = called(curves)
    assert call.tolist() == ["amplified"] * 20 + ["ambiguous"] * 2
    assert set(why[20:]) == {"low amplitude for its target"}
    np.testing.assert_allclose(scores.plateau_ratio[20:], 0.1, rtol=0.05)
    assert set(called(curves[20:])[0]) == {"amplified"}  # alone there is nothing to be low against


def test_a_late_curve_is_not_low_for_want_of_cycles():
    call, _, scores = called(np.vstack([with_noise(sigmoid(24), 0.005, n=20), with_noise(sigmoid(47), 0.005, n=2)]))
    assert set(call) == {"amplified"}
    assert np.isnan(scores.plateau_ratio[20:]).all()


def test_a_laboratory_can_move_the_cut():
    curves = with_noise(sigmoid(28, slope=0.2), 0.002, n=5)
    assert set(called(curves)[0]) == {"ambiguous"}
    assert set(called(curves, CallLimits(fold=(1.05, 1.1)))[0]) == {"amplified"}
    assert set(called(curves, CallLimits(fold=(1.25, 1.4)))[0]) == {"not_amplified"}


def test_scores_other_than_the_plateau_ratio_are_the_same_alone_and_in_company():
    kinds = list(artefacts(5).values())
    curves = np.vstack([*kinds, with_noise(sigmoid(24), n=5)])
    curves[::7, 3::11] = np.nan
    together = called(curves)[2]
    for row in range(len(curves)):
        alone = called(curves[row : row + 1])[2]
        for name, values in vars(together).items():
            if name != "plateau_ratio":
                np.testing.assert_array_equal(values[row], getattr(alone, name)[0], err_msg=name)


# -- real plates ------------------------------------------------------------------------------------------------------


def tidy(real_data, name):
    path = real_data("tidy", f"{name}.csv")
    rows = list(csv.reader(path.read_text().splitlines()))
    signal = np.array([[float(cell) if cell not in ("", "NA", "NaN") else np.nan for cell in row] for row in rows[1:]])
    known = {curve["name"]: curve for curve in json.loads(path.with_suffix(".json").read_text())["curves"]}
    curves = [known[one] for one in rows[0][1:]]
    target = np.array([f"{curve['target']} {curve.get('plate', '')}" for curve in curves])
    call = np.full(len(curves), "", dtype="U13")
    for one in set(target):
        rows_of = np.flatnonzero(target == one)
        call[rows_of] = called(np.ascontiguousarray(signal.T[1:][rows_of]), cycles=signal[:, 0])[0]
    return curves, call


@pytest.mark.real_data
def test_of_192_human_ratings_of_ras002_one_is_contradicted(real_data):
    """D03, rated n, has a Cq of 24, 1.77-fold growth and a full plateau: an amplification by every figure."""
    ratings = real_data("rdml", "decision_res_RAS002.csv").read_text()
    people = {row[0]: row[1:4] for row in csv.reader(ratings.splitlines())}
    curves, call = tidy(real_data, "PCRedux__RAS002")
    expected = {"y": "amplified", "n": "not_amplified"}
    differ = [one["name"] for one, found in zip(curves, call, strict=True) if expected[people[one["name"]][0]] != found]
    assert differ == ["D03_gDNA.._unkn_B.Globin"]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "controls", "amplified"),
    [("ramiromagno__ruijter_94x4", 8, 1), ("RDML__stepone_std", 3, 0), ("vendor__EDS_7500_RNaseP", 3, 0),
     ("vendor__QS1_RNaseP", 4, 0), ("PCRedux__RAS002", 24, 0)],
)  # fmt: skip
def test_controls_without_template_do_not_amplify_but_one_that_holds_template(real_data, name, controls, amplified):
    """Well A1 of the 94 × 4 set reaches the full plateau with Cq 37: a molecule got in."""
    curves, call = tidy(real_data, name)
    found = call[[curve["task"] == "ntc" for curve in curves]]
    assert len(found) == controls
    assert [int((found == one).sum()) for one in CALLS] == [controls - amplified, 0, amplified]


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "unclear"),
    [("RDML__stepone_std", []), ("ramiromagno__batsch_GAPDHh", []), ("ramiromagno__batsch_SLC6A14r", []),
     ("ramiromagno__boggy_s1", []), ("ramiromagno__guescini_ampmix", []), ("ramiromagno__lievens", []),
     ("ramiromagno__ruijter_94x4", ["F9"]), ("ramiromagno__rutledge", []), ("vendor__QS1_RNaseP", [])],
)  # fmt: skip
def test_no_curve_of_a_dilution_series_is_lost(real_data, name, unclear):
    """F9 of the 94 × 4 set grows by a seventh per cycle to a quarter of the plateau: a person should look at it."""
    curves, call = tidy(real_data, name)
    standards = [(one["name"], found) for one, found in zip(curves, call, strict=True) if one["task"] == "standard"]
    assert [one for one, found in standards if found != "amplified"] == unclear
    assert "not_amplified" not in {found for _, found in standards}
