"""Cq of curves whose Cq is known: closed forms of domain.md 8.1 and vectors TV-K, simulated plates, plain sigmoids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcrabl.curves import METHODS, analyse_curves, blocks
from bcrabl.curves.baseline import fit_baseline
from bcrabl.curves.quantification import automatic_threshold, threshold_crossing
from bcrabl.errors import RunError
from bcrabl.simulation import Optics, replicate_plate, simulate_run

CYCLES = np.arange(1, 46, dtype=float)
LN2, LN19 = np.log(2), np.log(1.9)

# name: (baseline, rise, e, s, f); steepest rise, Cy0, second derivative maximum; {threshold: Cq}
TV_K = {
    "TV-K1": (
        (0.05, 2, 30, LN2, 1),
        (30.0, 27.114610, 28.100031),
        {0.04: 24.385290, 0.1: 25.752072, 0.2: 26.830075},
    ),
    "TV-K2": (
        (0.05, 2, 24, LN19, 1),
        (24.0, 20.884026, 21.948197),
        {0.04: 17.936595, 0.1: 19.412603, 0.2: 20.576753},
    ),
    "TV-K3": ((0.0, 1, 25, 1 / 1.5, 1), (25.0, 22.0, 23.024563), {0.02: 19.162270, 0.1: 21.704163, 0.5: 25.0}),
    "TV-K4": ((0.0, 2, 28, 0.9, 0.7), (27.603695, 24.905282, 26.011831), {0.1: 23.260364}),
    "TV-K5": ((0.0, 1.5, 26, 0.5, 1.6), (26.940007, 23.690007, 24.537565), {0.1: 23.021749}),
    "TV-K6": ((0.0, 2, 28, 0.6, 1), (28.0, 24.666667, 25.805070), {0.1: 23.092602}),
}
PRINTED = 0.6e-6  # half of the last printed digit
SILENT = Optics(reference_cv=0, read_noise=0, relative_noise=0, drift=0, bubble_cv=0)


def sigmoid(c, d, e, s, f, cycles=CYCLES):
    """F = c + d (1 + exp(-s (x - e)))^-f, one row."""
    return (c + d * (1 + np.exp(-s * (np.asarray(cycles) - e))) ** -f)[None, :]


def true_crossing(d, e, s, f, threshold):
    """Cycle at which the sigmoid is `threshold` above its baseline."""
    return e - np.log((d / threshold) ** (1 / f) - 1) / s


def noisy_sigmoids(e, *, noise=0.005, n=600, seed=11, s=0.65):
    rng = np.random.default_rng(seed)
    return sigmoid(0.5, 2.0, e, s, 1.0) + rng.normal(0, noise, (n, len(CYCLES)))


# -- closed forms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TV_K)
def test_estimators_of_a_noise_free_curve_equal_their_closed_forms(name):
    parameters, (steepest, cy0, second), _ = TV_K[name]
    found = analyse_curves(CYCLES, sigmoid(*parameters))
    assert found.cq_first_derivative[0] == pytest.approx(steepest, abs=1e-6 + PRINTED)
    assert found.cq_second_derivative[0] == pytest.approx(second, abs=1e-6 + PRINTED)
    assert found.cq_cy0[0] == pytest.approx(cy0, abs=1e-6 + PRINTED)


@pytest.mark.parametrize("baseline", [None, (3, 15)])
@pytest.mark.parametrize("last", [35, 40, 45])
@pytest.mark.parametrize(("name", "threshold"), [(name, t) for name in TV_K for t in TV_K[name][-1]])
def test_threshold_cq_of_a_noise_free_curve_lies_on_the_closed_form(name, threshold, last, baseline):
    parameters, _, cq = TV_K[name]
    found = analyse_curves(CYCLES[:last], sigmoid(*parameters, CYCLES[:last]), threshold=threshold, baseline=baseline)
    assert found.cq[0] == pytest.approx(cq[threshold], abs=1e-6 + PRINTED)


@pytest.mark.parametrize("name", TV_K)
def test_log_interpolation_between_cycles_costs_less_than_a_hundredth_of_a_cycle(name):
    (c, *shape), *_, cq = TV_K[name]
    for threshold, expected in cq.items():
        crossing, _ = threshold_crossing(CYCLES, sigmoid(c, *shape) - c, np.array([threshold]))
        assert crossing[0] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_the_chosen_method_is_the_cq(method):
    found = analyse_curves(CYCLES, sigmoid(*TV_K["TV-K1"][0]), method=method)
    assert found.cq[0] == getattr(found, f"cq_{method}")[0]
    assert found.cq_sd[0] == found.standard_errors[method][0]
    assert np.isfinite(found.cq_sd[0])


@given(
    e=st.floats(18, 35),
    s=st.floats(0.4, 0.9),
    f=st.floats(0.5, 2.0),
    rise=st.floats(0.01, 1e5),
    level=st.floats(0, 1e4),
)
@settings(max_examples=60, deadline=None)
def test_threshold_free_estimators_find_any_noise_free_sigmoid(e, s, f, rise, level):
    found = analyse_curves(CYCLES, sigmoid(level * rise / 100, rise, e, s, f))
    steepest = e + np.log(f) / s
    u = ((3 * f + 1) + np.sqrt((5 * f + 1) * (f + 1))) / (2 * f**2)
    assert found.call[0] == "amplified"
    assert found.cq_first_derivative[0] == pytest.approx(steepest, abs=1e-4)
    assert found.cq_cy0[0] == pytest.approx(steepest - (1 + 1 / f) / s, abs=1e-4)
    assert found.cq_second_derivative[0] == pytest.approx(e - np.log(u) / s, abs=1e-4)


@given(shift=st.floats(-4, 6))
@settings(max_examples=40, deadline=None)
def test_a_curve_that_comes_k_cycles_later_has_every_cq_k_cycles_later(shift):
    early = analyse_curves(CYCLES, sigmoid(0.3, 2, 28, 0.65, 1), threshold=0.2)
    late = analyse_curves(CYCLES, sigmoid(0.3, 2, 28 + shift, 0.65, 1), threshold=0.2)
    for method in ("second_derivative", "first_derivative", "cy0"):
        moved = getattr(late, f"cq_{method}")[0] - getattr(early, f"cq_{method}")[0]
        assert moved == pytest.approx(shift, abs=1e-6)
    assert late.cq_threshold[0] - early.cq_threshold[0] == pytest.approx(shift, abs=0.03)


@given(factor=st.floats(1e-3, 1e6), seed=st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_the_unit_of_the_signal_changes_no_threshold_free_estimator(factor, seed):
    curves = noisy_sigmoids(27, n=3, seed=seed)
    plain, scaled = (analyse_curves(CYCLES, curves * each) for each in (1.0, factor))
    for method in ("second_derivative", "first_derivative", "cy0"):
        np.testing.assert_allclose(getattr(scaled, f"cq_{method}"), getattr(plain, f"cq_{method}"), atol=1e-4)
    np.testing.assert_array_equal(scaled.call, plain.call)
    np.testing.assert_allclose(scaled.threshold, factor * plain.threshold, rtol=1e-4)
    np.testing.assert_allclose(scaled.cq, plain.cq, atol=1e-3)  # the automatic threshold scales with the signal


# -- the same bits in any company -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plate():
    return simulate_run(replicate_plate("BCR::ABL1", [1e6, 1e4, 100, 3, 0], 8), seed=5)


@pytest.mark.parametrize("window", [None, (3, 15)])
def test_a_curve_has_the_same_bits_alone_and_among_others_and_in_any_order(plate, window):
    together = analyse_curves(plate.cycles, plate.signal, threshold=0.1, baseline=window)
    order = np.random.default_rng(1).permutation(len(plate.signal))
    shuffled = analyse_curves(plate.cycles, plate.signal[order], threshold=0.1, baseline=window)
    for name in ("cq", "cq_second_derivative", "cq_cy0", "efficiency", "rss", "parameters", "call", "why"):
        np.testing.assert_array_equal(getattr(shuffled, name), getattr(together, name)[order], err_msg=name)
        for row in (0, 17, 39):
            alone = analyse_curves(plate.cycles, plate.signal[row : row + 1], threshold=0.1, baseline=window)
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[row], err_msg=name)


def test_a_group_beside_an_empty_well_keeps_its_standard_errors(plate):
    signal = np.vstack([plate.signal, np.full(plate.signal.shape[1], np.nan)])
    together, beside = (analyse_curves(plate.cycles, each, threshold=0.1) for each in (plate.signal, signal))
    np.testing.assert_array_equal(beside.cq_sd[:-1], together.cq_sd)
    assert np.isnan(beside.cq_sd[-1])


def test_curves_in_many_blocks_are_the_curves_in_one(plate, monkeypatch):
    whole = analyse_curves(plate.cycles, plate.signal, threshold=0.1)
    for size in (7, 1):
        monkeypatch.setattr(blocks, "_CURVES_AT_ONCE", size)
        parts = analyse_curves(plate.cycles, plate.signal, threshold=0.1)
        for name in ("cq_sd", *(f"cq_{method}" for method in METHODS), "parameters", "efficiency", "n0"):
            np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name), err_msg=name)
        assert parts.flags == whole.flags


def test_what_the_curves_of_a_target_tell_together_does_not_depend_on_the_order_of_the_wells(plate):
    together = analyse_curves(plate.cycles, plate.signal, threshold=0.1)
    order = np.random.default_rng(1).permutation(len(plate.signal))
    shuffled = analyse_curves(plate.cycles, plate.signal[order], threshold=0.1)
    for name in ("cq_sd", "cq_joint", "n0"):
        np.testing.assert_array_equal(getattr(shuffled, name), getattr(together, name)[order], err_msg=name)
    assert shuffled.flags == tuple(together.flags[k] for k in order)
    for name in (*METHODS, "window_of_linearity"):
        assert np.isfinite(together.standard_errors[name]).sum() >= 24, name
        np.testing.assert_array_equal(shuffled.standard_errors[name], together.standard_errors[name][order])


# -- statistical honesty ----------------------------------------------------------------------------------------------


def simulated(level, seed, n=400):
    """Noisy curves, and the cycle at which the same molecules cross 0.1 without optics and noise."""
    reactions = replicate_plate("BCR::ABL1", [level], n)
    noisy = simulate_run(reactions, seed=seed, optics=Optics(reference_cv=0))
    silent = simulate_run(reactions, seed=seed, optics=SILENT)
    rise = silent.signal - silent.signal[:, :1]
    lower = (rise < 0.1).sum(axis=1) - 1
    row = np.arange(n)
    low, high = rise[row, lower], rise[row, lower + 1]
    return noisy, silent.cycles[lower] + np.log(0.1 / low) / np.log(high / low)


@pytest.mark.parametrize("window", [None, (3, 15)])
@pytest.mark.parametrize("level", [1e6, 1e4, 100.0, 10.0])
def test_cq_sd_is_the_scatter_of_cq_on_simulated_plates(level, window):
    noisy, truth = simulated(level, seed=3)
    found = analyse_curves(noisy.cycles, noisy.signal, threshold=0.1, baseline=window)
    assert np.all(found.call == "amplified")
    assert 0.8 < np.std((found.cq - truth) / found.cq_sd) < 1.25


@pytest.mark.parametrize("level", [1e6, 1e4, 100.0, 10.0])
def test_95_percent_intervals_of_cq_cover_the_true_crossing(level):
    noisy, truth = simulated(level, seed=4)
    found = analyse_curves(noisy.cycles, noisy.signal, threshold=0.1, baseline=(3, 15))
    covered = np.abs(found.cq - truth) < 1.96 * found.cq_sd
    assert 0.90 < covered.mean() < 0.99


@pytest.mark.parametrize("e", [25, 30, 35])
def test_cq_sd_is_the_scatter_of_cq_of_sigmoids_with_noise(e):
    found = analyse_curves(CYCLES, noisy_sigmoids(e), threshold=0.1)
    error = found.cq - true_crossing(2.0, e, 0.65, 1.0, 0.1)
    assert 0.8 < np.std(error / found.cq_sd) < 1.25
    assert abs(error.mean()) < 0.05


def test_more_noise_makes_a_less_certain_cq():
    quiet, loud = (analyse_curves(CYCLES, noisy_sigmoids(30, noise=noise), threshold=0.2) for noise in (0.002, 0.01))
    assert np.median(loud.cq_sd) == pytest.approx(5 * np.median(quiet.cq_sd), rel=0.2)


# -- efficiency and n0 ------------------------------------------------------------------------------------------------


def test_efficiency_is_that_of_each_wells_own_window(plate):
    found = analyse_curves(plate.cycles, plate.signal, threshold=0.1)
    has_cq = np.isfinite(found.cq_second_derivative)
    np.testing.assert_array_equal(found.efficiency[has_cq], found.window.efficiency[has_cq])
    assert np.isnan(found.efficiency[~has_cq]).all()
    assert np.median(found.efficiency[has_cq]) == pytest.approx(1.97, abs=0.1)  # of 1.99 in the first cycles


def test_n0_grows_to_the_threshold_of_the_window_of_linearity_by_its_cq():
    found = analyse_curves(CYCLES, noisy_sigmoids(28, n=5), threshold=0.1)
    window = found.window
    np.testing.assert_allclose(found.n0 * window.mean_efficiency**window.cq, window.threshold)


# -- threshold --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noise_sd", "expected"), [(0.001, 0.10), (0.01, 0.10), (0.02, 0.20), (0.03, 0.30), (0.1, 0.40)]
)
def test_automatic_threshold_is_ten_noise_sds_between_5_and_20_percent_of_the_plateau(noise_sd, expected):
    level = automatic_threshold(np.array([noise_sd]), np.array([2.0]), np.array([True]))
    assert level == pytest.approx(expected)


def test_automatic_threshold_takes_medians_over_the_amplified_curves_only():
    noise = np.array([0.02, 0.02, 5.0, 0.9])
    plateau = np.array([2.0, 2.0, 90.0, 0.0])
    assert automatic_threshold(noise, plateau, np.array([True, True, True, False])) == pytest.approx(0.2)


def test_without_an_amplified_curve_there_is_no_automatic_threshold():
    rng = np.random.default_rng(2)
    found = analyse_curves(CYCLES, 0.5 + rng.normal(0, 0.01, (4, 45)))
    assert np.isnan(found.threshold).all()
    assert np.isnan(found.cq).all()


def test_one_automatic_threshold_holds_for_all_curves_of_the_plate():
    found = analyse_curves(CYCLES, np.vstack([noisy_sigmoids(22, n=3), noisy_sigmoids(34, n=3)]))
    assert len(set(found.threshold)) == 1
    assert 0.05 * 2 * 0.95 < found.threshold[0] < 0.20 * 2 * 1.05


def test_each_curve_may_have_its_own_threshold():
    curves = np.vstack([sigmoid(0.05, 2, 30, LN2, 1)] * 2)
    found = analyse_curves(CYCLES, curves, threshold=[0.1, 0.4])
    assert found.cq[1] - found.cq[0] == pytest.approx(
        true_crossing(2, 30, LN2, 1, 0.4) - true_crossing(2, 30, LN2, 1, 0.1), abs=0.05
    )


def test_a_spike_above_the_threshold_before_the_rise_is_not_the_crossing():
    above = sigmoid(0.0, 2, 30, LN2, 1)
    above[0, 9] = 0.5
    crossing, _ = threshold_crossing(CYCLES, above, np.array([0.1]))
    assert crossing[0] == pytest.approx(25.752, abs=0.01)


def test_a_curve_that_falls_back_below_the_threshold_has_no_crossing():
    above = sigmoid(0.0, 2, 30, LN2, 1)
    above[0, -1] = 0.0
    assert np.isnan(threshold_crossing(CYCLES, above, np.array([0.1]))[0][0])


def test_a_curve_that_never_was_below_the_threshold_has_no_crossing():
    crossing, sensitivity = threshold_crossing(CYCLES, np.full((1, 45), 0.4), np.array([0.1]))
    assert np.isnan(crossing[0])
    assert np.isnan(sensitivity[0]).all()


def test_a_crossing_from_below_zero_is_interpolated_on_a_straight_line():
    above = np.full((1, 45), -0.3)
    above[0, 30:] = 0.5
    crossing, sensitivity = threshold_crossing(CYCLES, above, np.array([0.1]))
    assert crossing[0] == pytest.approx(30.5)
    assert sensitivity[0].sum() == pytest.approx(1 / 0.8)


@given(e=st.floats(20, 35), step=st.sampled_from([1e-6, -1e-6]), which=st.integers(0, 1))
def test_sensitivity_is_how_far_the_crossing_moves_when_a_reading_does(e, step, which):
    above = sigmoid(0.0, 2, e, 0.65, 1)
    threshold = np.array([0.1])
    crossing, sensitivity = threshold_crossing(CYCLES, above, threshold)
    reading = int(np.floor(crossing[0])) - 1 + which
    above[0, reading] += step
    moved, _ = threshold_crossing(CYCLES, above, threshold)
    assert (crossing[0] - moved[0]) / step == pytest.approx(sensitivity[0, which], rel=1e-2, abs=1e-3)


def test_a_curve_that_grows_but_stays_below_the_threshold_is_for_a_person_to_see():
    found = analyse_curves(CYCLES, sigmoid(0.3, 0.5, 28, 0.65, 1), threshold=0.6)
    assert (found.call[0], found.why[0]) == ("ambiguous", "grows but stays below the threshold")
    assert np.isnan(found.cq[0])


# -- baseline ---------------------------------------------------------------------------------------------------------


def test_a_fixed_window_that_reaches_into_the_rise_is_cut_and_flagged():
    found = analyse_curves(CYCLES, noisy_sigmoids(19, n=4), threshold=0.2, baseline=(3, 15))
    assert np.all(found.baseline.end < 15)
    assert all("baseline_window_shortened" in flags for flags in found.flags)
    assert found.cq.mean() == pytest.approx(true_crossing(2, 19, 0.65, 1, 0.2), abs=0.15)


def test_a_rise_that_leaves_no_window_stands_on_the_baseline_of_its_sigmoid():
    found = analyse_curves(CYCLES, noisy_sigmoids(16, n=4), threshold=0.2, baseline=(3, 15))
    assert all("no_baseline_window" in flags for flags in found.flags)
    assert found.cq.mean() == pytest.approx(true_crossing(2, 16, 0.65, 1, 0.2), abs=0.15)


def test_a_fixed_window_before_the_rise_is_left_alone():
    found = analyse_curves(CYCLES, noisy_sigmoids(30, n=4), threshold=0.2, baseline=(3, 15))
    np.testing.assert_array_equal(found.baseline.start, 3)
    np.testing.assert_array_equal(found.baseline.end, 15)
    assert all("baseline_window_shortened" not in flags for flags in found.flags)


def test_a_rise_from_the_first_cycles_leaves_no_window_and_is_flagged():
    found = analyse_curves(CYCLES, noisy_sigmoids(6, n=4), threshold=0.2, baseline=(3, 15))
    assert np.isnan(found.baseline.start).all()
    assert all("no_baseline_window" in flags for flags in found.flags)
    assert np.all(found.call == "amplified")


def test_the_baseline_line_is_recovered_exactly_from_a_drifting_flat_curve():
    line = (0.7 + 0.003 * CYCLES)[None, :]
    found = fit_baseline(CYCLES, line, np.array([45.0]), (3, 15))
    assert found.intercept[0] == pytest.approx(0.7)
    assert found.slope[0] == pytest.approx(0.003)
    assert found.noise_sd[0] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found.at(CYCLES), line)


def test_baseline_noise_is_the_noise_of_the_flat_cycles():
    rng = np.random.default_rng(4)
    found = fit_baseline(CYCLES, rng.normal(1, 0.02, (2000, 45)), np.full(2000, 30.0))
    assert np.sqrt((found.noise_sd**2).mean()) == pytest.approx(0.02, rel=0.02)


def test_variance_of_the_baseline_is_what_repeated_baselines_scatter():
    rng = np.random.default_rng(6)
    found = fit_baseline(CYCLES, rng.normal(1, 0.02, (4000, 45)), np.full(4000, 24.0))
    at_35 = found.intercept + 35 * found.slope
    predicted = 0.02**2 * found.relative_variance(np.full(4000, 35.0))[0]
    assert at_35.var() == pytest.approx(predicted, rel=0.08)


def test_a_drift_under_an_amplification_moves_its_cq_little():
    drift = 0.004 * CYCLES
    plain = analyse_curves(CYCLES, noisy_sigmoids(32, n=50), threshold=0.1)
    drifting = analyse_curves(CYCLES, noisy_sigmoids(32, n=50) + drift, threshold=0.1)
    assert np.abs(drifting.cq - plain.cq).mean() < 0.05


# -- gaps and what is noteworthy --------------------------------------------------------------------------------------


def test_missing_cycles_are_flagged_and_cost_little():
    whole, gappy = noisy_sigmoids(28, n=20), noisy_sigmoids(28, n=20)
    gappy[:, [0, 9, 20, 26, 40]] = np.nan
    found, reference = (analyse_curves(CYCLES, curves, threshold=0.2) for curves in (gappy, whole))
    assert np.all(found.call == "amplified")
    assert all("missing_cycles" in flags for flags in found.flags)
    assert not any("missing_cycles" in flags for flags in reference.flags)
    np.testing.assert_allclose(found.cq, reference.cq, atol=0.15)
    np.testing.assert_allclose(found.cq_second_derivative, reference.cq_second_derivative, atol=0.15)


def test_a_missing_cycle_at_the_crossing_is_bridged():
    curve = sigmoid(0.0, 2, 30, LN2, 1)
    curve[0, 25] = np.nan  # cycle 26; the crossing is at 25.75
    crossing, _ = threshold_crossing(CYCLES, curve, np.array([0.1]))
    assert crossing[0] == pytest.approx(25.752, abs=0.03)


def test_a_curve_cut_off_in_its_rise_says_that_it_has_no_plateau():
    found = analyse_curves(CYCLES, noisy_sigmoids(46, n=5), threshold=0.1)
    assert np.all(found.call == "amplified")
    assert all("no_plateau" in flags for flags in found.flags)


def test_infinite_readings_count_as_missing():
    curves = noisy_sigmoids(28, n=1)
    curves[0, 5] = np.inf
    found = analyse_curves(CYCLES, curves, threshold=0.2)
    assert found.flags[0] == ("missing_cycles",)
    assert np.isfinite(found.cq[0])


def test_no_curve_at_all_gives_empty_arrays():
    found = analyse_curves(CYCLES, np.empty((0, 45)), threshold=0.1)
    assert found.cq.shape == (0,)
    assert found.flags == ()


# -- what is refused --------------------------------------------------------------------------------------------------


def test_an_unknown_method_is_refused_by_name():
    with pytest.raises(RunError, match="'crossing'; expected one of threshold, second_derivative"):
        analyse_curves(CYCLES, np.ones((1, 45)), method="crossing")


@pytest.mark.parametrize("threshold", [0.0, -0.1, float("nan"), [0.1, -1.0]])
def test_a_threshold_that_is_not_positive_is_refused(threshold):
    with pytest.raises(RunError, match="expected a positive signal above the baseline"):
        analyse_curves(CYCLES, np.ones((2, 45)), threshold=threshold)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(RunError, match=r"cycles \(45,\), fluorescence \(1, 40\); expected shapes"):
        analyse_curves(CYCLES, np.ones((1, 40)))


@pytest.mark.parametrize("cycles", [[1.0], [1.0, 2.0, 2.0], [3.0, 2.0, 1.0]])
def test_cycles_that_do_not_rise_are_refused(cycles):
    with pytest.raises(RunError, match="fewer than three, or not rising"):
        analyse_curves(cycles, np.ones((1, len(cycles))))


# -- standards as the measure of a clean reaction ---------------------------------------------------------------------


def test_a_plate_of_inhibited_samples_is_held_against_its_standards():
    rng = np.random.default_rng(8)
    places = np.concatenate([np.repeat([20.0, 24.0, 28.0, 32.0], 3), rng.uniform(22, 31, 24)])
    clean = np.arange(36) < 12
    slope, rise = np.where(clean, 0.65, 0.5), np.where(clean, 2.0, 1.1)
    curves = 0.5 + rise[:, None] / (1 + np.exp(-slope[:, None] * (CYCLES - places[:, None])))
    curves += rng.normal(0, 0.004, curves.shape)
    alone = analyse_curves(CYCLES, curves, threshold=0.2)
    held = analyse_curves(CYCLES, curves, threshold=0.2, reference=clean)
    suspected = np.array(["inhibition_suspected" in flags for flags in held.flags])
    np.testing.assert_array_equal(suspected, ~clean)
    assert sum("inhibition_suspected" in flags for flags in alone.flags) < 12
    np.testing.assert_array_equal(held.cq, alone.cq)  # flagged, not bent


def test_references_are_one_per_curve():
    with pytest.raises(RunError, match=r"reference: found shape \(3,\); expected \(5,\), one per curve"):
        analyse_curves(CYCLES, noisy_sigmoids(28, n=5), reference=[True] * 3)


# -- curves that nobody should meet -----------------------------------------------------------------------------------


@pytest.mark.parametrize("copies", [2, 3, 4, 5, 8, 16])
def test_wells_that_are_copies_of_each_other_have_one_cq(copies):
    found = analyse_curves(CYCLES, np.repeat(sigmoid(0.3, 3, 25, 0.6, 1), copies, axis=0), threshold=0.2)
    assert len(set(found.cq)) == len(set(found.cq_joint)) == len(set(found.window.cq)) == 1


def test_a_rise_beyond_the_run_has_no_landmark_and_says_so():
    rng = np.random.default_rng(1)
    curves = sigmoid(0.3, 3, 50, 0.65, 1) + rng.normal(0, 0.004, (40, 45))
    found = analyse_curves(CYCLES, curves)
    beyond = np.array(["rises_outside_cycles" in flags for flags in found.flags])
    assert beyond.sum() > 5
    assert np.isnan(found.cq_first_derivative[beyond]).all()
    assert not (found.standard_errors["first_derivative"] < 0.001).any()


def test_a_cq_outside_the_cycles_is_flagged():
    early = sigmoid(0.3, 3, 8 + np.log(3) / 0.6, 0.6, 1 / 3)  # steepest at cycle 8, its rise begins before the first
    curves = np.vstack([early, noisy_sigmoids(28, n=8)])
    found = analyse_curves(CYCLES, curves)
    every = np.column_stack([getattr(found, f"cq_{name}") for name in METHODS if name != "threshold"])
    with np.errstate(invalid="ignore"):
        outside = ((every < 1) | (every > 45)).any(axis=1)
    assert outside[0]
    assert not outside[1:].any()
    assert ["cq_outside_cycles" in flags for flags in found.flags] == outside.tolist()


def test_readings_that_are_no_numbers_are_missing_ones():
    curves = noisy_sigmoids(28, n=9)
    hostile = curves.copy()
    hostile[0, 5:7], hostile[1, 30], hostile[2] = np.inf, -np.inf, np.inf
    missing = np.where(np.isfinite(hostile), hostile, np.nan)
    ours, theirs = (analyse_curves(CYCLES, each, threshold=0.2) for each in (hostile, missing))
    np.testing.assert_array_equal(ours.cq, theirs.cq)
    assert ours.flags == theirs.flags
    assert ours.call[2] == "not_amplified"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": [0.1, 0.2]}, r"threshold: found shape \(2,\); expected one number, or \(3,\)"),
        ({"threshold": "low"}, "threshold: found no numbers"),
        ({"baseline": (15, 3)}, r"baseline: found \(15, 3\); expected first and last cycle of a window within 1 to 45"),
        ({"baseline": (3,)}, "baseline: found"),
        ({"baseline": (3, np.nan)}, "baseline: found"),
        ({"baseline": (50, 60)}, "baseline: found"),
        ({"cycles": CYCLES[::-1]}, "cycles: found fewer than three, or not rising"),
        ({"cycles": np.where(CYCLES == 4, np.nan, CYCLES)}, "cycles: found"),
        ({"cycles": CYCLES[:-1]}, r"curves: found cycles \(44,\), fluorescence \(3, 45\)"),
        ({"fluorescence": [["a", "b"]]}, "fluorescence: found no numbers"),
    ],
)
def test_what_is_no_curve_is_refused_with_what_was_found(changes, message):
    given = {"cycles": CYCLES, "fluorescence": noisy_sigmoids(28, n=3)} | changes
    with pytest.raises(RunError, match=message):
        analyse_curves(given.pop("cycles"), given.pop("fluorescence"), **given)


@pytest.mark.parametrize("last", range(3, 10))
def test_a_run_of_few_cycles_is_not_judged(last):
    found = analyse_curves(CYCLES[:last], sigmoid(0.3, 3, 5, 1.0, 1, CYCLES[:last]))
    assert found.call[0] in ("not_amplified", "ambiguous")
