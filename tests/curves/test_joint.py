"""The joint Cq of a plate: simulated plates of known truth, closed forms, and real dilution sets."""

from __future__ import annotations

import csv
import json
from typing import NamedTuple

import numpy as np
import pytest

from bcrabl.curves import joint
from bcrabl.curves.joint import RELATIVE_LEVEL, estimate_jointly
from bcrabl.curves.joint_fit import Prior, covariance, fit_with_prior, read_with, rise_covariance
from bcrabl.curves.joint_noise import LAGS, Serial, drift_variance, serial_factor
from bcrabl.curves.joint_shapes import theil_sen_slopes
from bcrabl.curves.sigmoid import fit_sigmoid
from bcrabl.formats import read_run

CYCLES = np.arange(1.0, 46.0)
LEVELS = (20.0, 23.3, 26.6, 29.9)


def time_to(share, s, q):
    """Cycles from a share of the rise to the steepest rise of a Richards curve."""
    return np.log((share**-q - 1) / q) / s


class Plate(NamedTuple):
    signal: np.ndarray
    amount: np.ndarray  # the cycle that the template alone decides

    @property
    def fit(self):
        return fit_sigmoid(CYCLES, self.signal)


def simulated_plate(
    random, *, each=24, noise=0.005, slope_cv=0.0, asymmetry_sd=0.0, rise_cv=0.0, share=RELATIVE_LEVEL, kappa=0.0
):
    """Richards curves at four amounts; `share` of the rise is reached at a cycle the template (and kappa) decides."""
    n = each * len(LEVELS)
    amount = np.repeat(LEVELS, each) + random.normal(0, 0.15, n)
    s = 0.55 * np.exp(random.normal(0, slope_cv, n))
    q = np.clip(0.6 + random.normal(0, asymmetry_sd, n), 0.03, 5)
    log_rise = random.normal(0, rise_cv, n)
    steepest = amount - kappa * log_rise / np.log(2) + time_to(share, s, q)
    return Plate(richards(1.0, np.exp(log_rise), s, steepest, q) + random.normal(0, noise, (n, len(CYCLES))), amount)


def richards(baseline, rise, s, steepest, q):
    rise, s, steepest, q = (np.atleast_1d(value)[:, None] for value in (rise, s, steepest, q))
    return baseline + rise * (1 + q * np.exp(-s * (CYCLES - steepest))) ** (-1 / q)


def estimate(signal, amplified=None, cycles=CYCLES):
    fit = fit_sigmoid(cycles, signal)
    return estimate_jointly(cycles, signal, fit, np.ones(len(signal), bool) if amplified is None else amplified)


def own_crossing(fit):
    q = 1 / fit.asymmetry
    return fit.steepest - time_to(RELATIVE_LEVEL, fit.slope, q)


# --- truth --------------------------------------------------------------------------------------------------


def test_noise_free_curves_give_the_cycle_at_a_tenth_of_the_rise_in_closed_form():
    plate = simulated_plate(np.random.default_rng(1), noise=0.0)
    found = estimate(plate.signal)
    np.testing.assert_allclose(found.cq, plate.amount, atol=1e-4)
    assert not found.shape_outlier.any()


def test_the_shift_between_two_amounts_is_recovered_within_its_standard_error():
    plate = simulated_plate(np.random.default_rng(2), slope_cv=0.02, asymmetry_sd=0.05)
    found = estimate(plate.signal)
    level = np.repeat(range(len(LEVELS)), 24)
    off = [np.mean((found.cq - plate.amount)[level == k]) for k in range(len(LEVELS))]
    assert np.ptp(off) < 4 * np.median(found.cq_sd) / np.sqrt(24)


@pytest.mark.parametrize(
    ("slope_cv", "asymmetry_sd", "noise"), [(0.0, 0.0, 0.02), (0.02, 0.05, 0.01), (0.03, 0.1, 0.02)]
)
def test_the_joint_cq_scatters_less_than_cy0_and_than_the_own_crossing(slope_cv, asymmetry_sd, noise):
    errors = {"joint": [], "cy0": [], "own": []}
    for seed in range(6):
        # the foot of the tangent of these curves lies at a tenth of the rise, too: all three read the same landmark
        plate = simulated_plate(np.random.default_rng(seed), noise=noise, slope_cv=slope_cv, asymmetry_sd=asymmetry_sd)
        fit = plate.fit
        joint = estimate_jointly(CYCLES, plate.signal, fit, np.ones(len(plate.signal), bool)).cq
        for name, cq in (("joint", joint), ("cy0", fit.cy0()), ("own", own_crossing(fit))):
            errors[name].append(cq - plate.amount - np.median(cq - plate.amount))
    spread = {name: np.std(np.concatenate(parts)) for name, parts in errors.items()}
    assert spread["joint"] < 0.97 * spread["cy0"]
    assert spread["joint"] < 0.97 * spread["own"]


@pytest.mark.parametrize(
    ("world", "least", "most"),
    [
        # of curves all alike the spread of shapes is overstated rather than taken for zero
        ({"noise": 0.002}, 0.75, 1.15),
        ({"noise": 0.02}, 0.85, 1.15),
        ({"noise": 0.005, "slope_cv": 0.02, "asymmetry_sd": 0.05}, 0.85, 1.15),
        ({"noise": 0.02, "slope_cv": 0.03, "asymmetry_sd": 0.1}, 0.85, 1.15),
        # sixteen curves know the spread of their shapes badly
        ({"noise": 0.01, "slope_cv": 0.02, "asymmetry_sd": 0.05, "each": 4}, 0.85, 1.25),
    ],
    ids=str,
)
def test_standard_errors_match_the_errors_on_plates_with_white_noise(world, least, most):
    z = []
    for seed in range(40 if "each" in world else 16):
        plate = simulated_plate(np.random.default_rng(seed), **world)
        found = estimate(plate.signal)
        z.append((found.cq - plate.amount) / found.cq_sd)
    assert least < np.std(np.concatenate(z)) < most


def test_standard_errors_hold_where_the_part_the_rise_plays_differs_between_assays():
    z = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        # the estimator assumes -0.10 ± 0.36 cycle per doubling of the rise
        plate = simulated_plate(random, each=12, rise_cv=0.15, kappa=random.normal(-0.10, 0.36))
        found = estimate(plate.signal)
        z.append((found.cq - plate.amount) / found.cq_sd)
    assert 0.85 < np.std(np.concatenate(z)) < 1.15


@pytest.mark.parametrize("drift", [0.0001, 0.0003, 0.001])
def test_standard_errors_match_the_errors_where_baselines_drift(drift):
    z = []
    for seed in range(8):
        random = np.random.default_rng(seed)
        plate = simulated_plate(random, each=16, slope_cv=0.01, asymmetry_sd=0.03)
        found = estimate(plate.signal + random.normal(0, drift, (len(plate.signal), 1)) * CYCLES)
        z.append((found.cq - plate.amount) / found.cq_sd)
    assert 0.85 < np.std(np.concatenate(z)) < 1.2


@pytest.mark.parametrize("memory", [0.5, 0.8])
def test_standard_errors_match_the_errors_where_neighbouring_cycles_err_alike(memory):
    z = []
    for seed in range(8):
        random = np.random.default_rng(seed)
        plate = simulated_plate(random, each=16, slope_cv=0.01, asymmetry_sd=0.03, noise=0.0)
        noise = random.normal(0, 0.005, plate.signal.shape)
        for k in range(1, len(CYCLES)):
            noise[:, k] = memory * noise[:, k - 1] + np.sqrt(1 - memory**2) * noise[:, k]
        found = estimate(plate.signal + noise)
        z.append((found.cq - plate.amount) / found.cq_sd)
    assert 0.85 < np.std(np.concatenate(z)) < 1.25


# --- the well that differs ----------------------------------------------------------------------------------


def inhibited_plate(noise=0.005):
    random = np.random.default_rng(7)
    plate = simulated_plate(random, slope_cv=0.01, asymmetry_sd=0.02, noise=noise)
    signal = plate.signal.copy()
    signal[10] = richards(1.0, 0.8, 0.33, 31.0, 0.6)[0] + random.normal(0, noise, len(CYCLES))
    return plate, signal, 31.0 - time_to(RELATIVE_LEVEL, 0.33, 0.6)


def test_an_inhibited_well_is_flagged_and_keeps_its_own_cq():
    _, signal, own = inhibited_plate()
    found = estimate(signal)
    assert np.flatnonzero(found.shape_outlier).tolist() == [10]
    assert found.shape_distance[10] > 100
    # a part of the deviation of its rise is given back: 0.1 cycle per doubling
    assert found.cq[10] + 0.1 * found.rise_deviation[10] == pytest.approx(own, abs=0.1)


def test_an_inhibited_well_does_not_move_the_others():
    plate, signal, _ = inhibited_plate()
    others = np.arange(len(signal)) != 10
    assert np.abs(estimate(signal).cq - estimate(plate.signal).cq)[others].max() < 0.01


def test_clean_plates_raise_few_false_flags():
    flags = [estimate(simulated_plate(np.random.default_rng(k), slope_cv=0.02).signal).shape_outlier for k in range(10)]
    assert np.mean(flags) < 0.01


# --- invariance ---------------------------------------------------------------------------------------------


def test_the_order_of_the_wells_changes_nothing():
    random = np.random.default_rng(3)
    plate = simulated_plate(random, slope_cv=0.02, asymmetry_sd=0.05, rise_cv=0.1)
    order = random.permutation(len(plate.signal))
    straight, mixed = estimate(plate.signal), estimate(plate.signal[order])
    for name in vars(straight):
        np.testing.assert_array_equal(getattr(straight, name)[order], getattr(mixed, name), err_msg=name)


@pytest.mark.parametrize("at_once", [1, 7, 50])
def test_curves_taken_in_blocks_of_any_size_give_the_same_bits(monkeypatch, at_once):
    plate = simulated_plate(np.random.default_rng(19), slope_cv=0.02, asymmetry_sd=0.05, rise_cv=0.1)
    fit, reference = plate.fit, np.arange(len(plate.signal)) % 5 == 0
    args = CYCLES, plate.signal, fit, np.ones(len(plate.signal), bool)
    whole = estimate_jointly(*args, reference=reference)
    monkeypatch.setattr(joint, "_CURVES_AT_ONCE", at_once)
    blocks = estimate_jointly(*args, reference=reference)
    for name in vars(whole):
        np.testing.assert_array_equal(getattr(blocks, name), getattr(whole, name), err_msg=name)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_of_fluorescence_does_not_matter(scale):
    plate = simulated_plate(np.random.default_rng(4), slope_cv=0.02, asymmetry_sd=0.05, rise_cv=0.1)
    one, other = estimate(plate.signal), estimate(plate.signal * scale)
    np.testing.assert_allclose(other.cq, one.cq, rtol=0, atol=1e-9)
    np.testing.assert_allclose(other.cq_sd, one.cq_sd, rtol=1e-6)
    np.testing.assert_allclose(other.level, one.level * scale, rtol=1e-8)
    np.testing.assert_array_equal(other.shape_outlier, one.shape_outlier)


def test_cycles_counted_from_another_number_shift_every_cq_by_the_difference():
    plate = simulated_plate(np.random.default_rng(5), slope_cv=0.02, asymmetry_sd=0.05)
    np.testing.assert_allclose(
        estimate(plate.signal, cycles=CYCLES + 100).cq - 100, estimate(plate.signal).cq, atol=1e-8
    )


def test_curves_that_do_not_amplify_have_no_cq_and_no_say():
    random = np.random.default_rng(6)
    plate = simulated_plate(random, slope_cv=0.02)
    flat = 1 + random.normal(0, 0.005, (5, len(CYCLES)))
    amplified = np.arange(len(plate.signal) + 5) < len(plate.signal)
    found = estimate(np.vstack([plate.signal, flat]), amplified)
    np.testing.assert_array_equal(found.cq[amplified], estimate(plate.signal).cq)
    assert np.isnan(found.cq[~amplified]).all()
    assert np.isnan(found.cq_sd[~amplified]).all()
    assert not (found.shape_outlier | found.alone)[~amplified].any()


# --- odd groups ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wells", [1, 2, 3])
def test_a_group_of_fewer_than_four_is_read_curve_by_curve(wells):
    plate = simulated_plate(np.random.default_rng(8))
    few = plate.signal[:wells]
    found = estimate(few)
    assert found.alone.all()
    np.testing.assert_allclose(found.cq, own_crossing(fit_sigmoid(CYCLES, few)), rtol=1e-12)
    assert ((found.cq_sd > 0.003) & (found.cq_sd < 0.1)).all()
    assert np.isnan(found.shape_distance).all()


def test_four_curves_make_a_group():
    found = estimate(simulated_plate(np.random.default_rng(9), each=1).signal)
    assert not found.alone.any()
    assert np.isfinite(found.cq).all()


def test_standard_errors_of_curves_read_alone_match_their_errors():
    plate = simulated_plate(np.random.default_rng(10), each=150, slope_cv=0.05, asymmetry_sd=0.15, rise_cv=0.3)
    fit, z = plate.fit, []
    for k in range(len(plate.signal)):
        found = estimate_jointly(CYCLES, plate.signal, fit, np.arange(len(plate.signal)) == k)
        z.append((found.cq[k] - plate.amount[k]) / found.cq_sd[k])
    assert 0.85 < np.std(z) < 1.15


def test_identical_curves_have_identical_estimates():
    one = simulated_plate(np.random.default_rng(11), each=1).signal[:1]
    found = estimate(np.repeat(one, 12, axis=0))
    assert np.ptp(found.cq) == 0
    assert found.cq[0] == pytest.approx(own_crossing(fit_sigmoid(CYCLES, one))[0], abs=0.05)
    assert (found.cq_sd > 0).all()


def test_missing_cycles_cost_precision_not_curves():
    random = np.random.default_rng(12)
    plate = simulated_plate(random, slope_cv=0.01)
    signal = np.where(random.random(plate.signal.shape) < 0.2, np.nan, plate.signal)
    signal[0, 20:] = np.nan
    signal[0, 15:20] = plate.signal[0, 15:20]
    found = estimate(signal)
    assert np.isfinite(found.cq).all()
    assert np.std((found.cq - plate.amount)[1:]) < 0.06


def test_a_thousand_wells_agree_with_the_truth_as_a_hundred_do():
    plate = simulated_plate(np.random.default_rng(13), each=250, slope_cv=0.02, asymmetry_sd=0.05)
    found = estimate(plate.signal)
    assert np.isfinite(found.cq).all()
    assert 0.85 < np.std((found.cq - plate.amount) / found.cq_sd) < 1.15


def test_wild_wells_neither_get_lost_nor_lead_the_others_astray():
    random = np.random.default_rng(14)
    plate = simulated_plate(random, slope_cv=0.01)
    wild = np.vstack(
        [
            richards(1, 1e4, 2.0, 12.0, 0.3),
            richards(1, 0.01, 0.2, 40.0, 1.0) + random.normal(0, 0.005, len(CYCLES)),
            1 + 0.02 * CYCLES[None],
            richards(1, 1.0, 0.55, 44.5, 0.6),
            np.where(np.arange(45) == 20, 5.0, 1.0)[None],
        ]
    )
    found = estimate(np.vstack([plate.signal, wild]))
    assert np.isfinite(found.cq).all()
    assert np.isfinite(found.cq_sd).all()
    np.testing.assert_allclose(found.cq[: len(plate.signal)], estimate(plate.signal).cq, atol=0.03)


def test_a_falling_curve_called_amplified_is_read_alone():
    plate = simulated_plate(np.random.default_rng(15))
    signal = np.vstack([plate.signal, 2 - plate.signal[:1]])
    found = estimate(signal)
    assert found.alone.tolist() == [False] * len(plate.signal) + [True]
    assert np.isfinite(found.cq).all()


def test_no_curves_and_no_amplified_curves_give_empty_answers():
    signal = simulated_plate(np.random.default_rng(16)).signal
    assert np.isnan(estimate(signal, np.zeros(len(signal), bool)).cq).all()
    assert estimate(signal[:0]).cq.shape == (0,)


# --- parts --------------------------------------------------------------------------------------------------


def test_without_a_say_of_the_prior_the_fit_is_the_free_least_squares_fit():
    plate = simulated_plate(np.random.default_rng(17), slope_cv=0.05, asymmetry_sd=0.1, noise=0.02)
    fit, n = plate.fit, len(plate.signal)
    start = np.column_stack([np.full(n, np.log(0.5)), fit.steepest + 0.3, np.full(n, 0.7)])
    free = Prior(start[:, ::2], np.zeros((n, 3)))
    theta, state = fit_with_prior(read_with(CYCLES, plate.signal, np.ones_like(plate.signal)), start, free)
    np.testing.assert_allclose(state.objective, fit.rss, rtol=1e-8)
    np.testing.assert_allclose(theta[:, 1], fit.steepest, atol=2e-3)


def test_an_overwhelming_prior_is_kept_and_a_bound_is_not_crossed():
    plate = simulated_plate(np.random.default_rng(18))
    mean = np.tile([np.log(0.5), 0.001], (len(plate.signal), 1))
    prior = Prior(mean, np.tile([1e12, 0.0, 1e12], (len(plate.signal), 1)))
    start = np.column_stack([mean[:, 0], plate.fit.steepest, np.full(len(mean), 0.5)])
    theta, _ = fit_with_prior(read_with(CYCLES, plate.signal, np.ones_like(plate.signal)), start, prior)
    np.testing.assert_allclose(theta[:, 0], np.log(0.5), atol=1e-6)
    np.testing.assert_array_equal(theta[:, 2], 0.02)


def test_the_trend_is_the_median_of_the_pairwise_slopes():
    # by hand: pairs more than two cycles apart of (t, t²) on t = 1, 2, …, 8; slope of a pair is the sum of its ends:
    # 5…9, 6…10, … 12: sums of i < j with j - i ≥ 3, fifteen of them, symmetric about 9
    t = np.arange(1.0, 9.0)
    assert theil_sen_slopes(t, (t**2)[None])[0] == 9.0


@pytest.mark.parametrize("n", [40, 700])
def test_a_quarter_of_wild_points_does_not_turn_the_trend(n):
    t = np.linspace(15, 35, n)
    value = 0.01 * t
    value[::4] += 100 * np.sin(np.arange(len(value[::4])) * 7.3)
    assert theil_sen_slopes(t, value[None])[0] == pytest.approx(0.01, abs=0.05)
    assert theil_sen_slopes(t, 0.01 * t[None])[0] == pytest.approx(0.01, rel=1e-9)
    assert theil_sen_slopes(t[:6], value[None, :6])[0] == 0


def test_the_covariance_with_the_rise_is_that_of_the_full_normal_equations():
    plate = simulated_plate(np.random.default_rng(20), each=1)
    start = np.column_stack([np.log(plate.fit.slope), plate.fit.steepest, 1 / plate.fit.asymmetry])
    free = Prior(start[:, ::2], np.zeros((len(start), 3)))
    theta, state = fit_with_prior(
        read_with(CYCLES, plate.signal, np.full(plate.signal.shape, 1 / 0.005**2)), start, free
    )
    inverse = covariance(state.normal)
    found = rise_covariance(state, inverse)
    for row, (s, x0, q) in enumerate(theta):
        rise, step = state.rise[row], 1e-6

        def curve(parameters):
            return richards(parameters[0], parameters[1], np.exp(parameters[2]), parameters[3], parameters[4])[0]

        point = np.array([0.0, rise, s, x0, q])
        jacobian = np.column_stack([(curve(point + d) - curve(point - d)) / (2 * step) for d in np.eye(5) * step])
        full = np.linalg.inv(jacobian.T @ jacobian / 0.005**2)
        np.testing.assert_allclose(found[row], full[1, [2, 3, 4, 1]], rtol=1e-4)
        np.testing.assert_allclose(inverse[row, [0, 3, 5]], np.diag(full)[2:], rtol=1e-4)


def test_white_noise_leaves_the_variance_and_positive_correlation_of_like_signs_raises_it():
    influence = np.ones((1, LAGS + 1))
    white, alike = np.zeros((1, LAGS + 1)), np.ones((1, LAGS + 1))
    white[:, 0] = 1
    assert serial_factor(Serial(white, influence, np.zeros(1)))[0] == 1
    # full correlation, full overlap: 1 + 2 Σ (1 - l/(L+1)) = 1 + L
    assert serial_factor(Serial(alike, influence, np.zeros(1)))[0] == pytest.approx(1 + LAGS)


def test_the_drift_of_the_baselines_is_told_from_their_noise():
    random = np.random.default_rng(21)
    by_noise = random.uniform(0.5, 2.0, 4000) ** 2
    slopes = random.normal(0, np.sqrt(by_noise + 1.5**2))
    assert np.sqrt(drift_variance(np.column_stack([slopes, by_noise]))) == pytest.approx(1.5, rel=0.05)
    flat = random.normal(0, np.sqrt(by_noise))
    assert np.sqrt(drift_variance(np.column_stack([flat, by_noise]))) < 0.3
    assert drift_variance(np.array([[0.0, np.inf]])) == 0


# --- real dilution sets -------------------------------------------------------------------------------------


def scatter(cq, amount):
    """Pooled within-level SD of the calibrated amount, cycles at doubling."""
    b, a = np.polyfit(np.log10(amount), cq, 1)
    found = (cq - a) / b
    levels = [found[amount == level] for level in np.unique(amount)]
    squares = sum(((part - part.mean()) ** 2).sum() for part in levels)
    return squares * np.log2(10) ** 2, sum(len(part) - 1 for part in levels)


def tidy_groups(real_data, name, wanted, key):
    curves = {c["name"]: c for c in json.loads(real_data("tidy", f"{name}.json").read_text())["curves"]}
    with real_data("tidy", f"{name}.csv").open() as stream:
        header, *rows = csv.reader(stream)
    table = np.array([[float(cell) if cell not in ("", "NA", "NaN") else np.nan for cell in row] for row in rows])
    groups = {}
    for column, curve in enumerate(header[1:], start=1):
        if (curves[curve].get("quantity") or 0) > 0 and wanted(curves[curve]):
            groups.setdefault(key(curves[curve]), []).append((table[:, column], curves[curve]["quantity"]))
    for members in groups.values():
        yield table[:, 0], np.array([y for y, _ in members]), np.array([amount for _, amount in members])


# largest SD: what the research prototype of the method reached, and 2 %. For boggy_s1 (six pairs) its 0.114 came from
# a search that stopped short of the optimum; the bound there is the free Cy0's
@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "wanted", "key", "most"),
    [
        ("ramiromagno__ruijter_94x4", lambda d: True, lambda d: "", 0.2165 * 1.02),
        ("ramiromagno__rutledge", lambda d: d["target"] == "K1/K2", lambda d: d["plate"], 0.0516 * 1.02),
        ("ramiromagno__boggy_s1", lambda d: True, lambda d: "", 0.182),
        ("ramiromagno__lievens", lambda d: d["series"] == "soy", lambda d: "", 0.0983 * 1.02),
        ("ramiromagno__guescini_ampmix", lambda d: d["series"] == "mix 1.0", lambda d: "", 0.1927 * 1.02),
    ],
    ids=["ruijter", "rutledge", "boggy", "lievens", "guescini"],
)
def test_replicates_of_real_dilution_sets_agree(real_data, name, wanted, key, most):
    squares = freedom = 0
    for cycles, signal, amount in tidy_groups(real_data, name, wanted, key):
        cq = estimate(signal, cycles=cycles).cq
        assert np.isfinite(cq).all()
        part, count = scatter(cq, amount)
        squares, freedom = squares + part, freedom + count
    assert np.sqrt(squares / freedom) < most


@pytest.mark.real_data
def test_replicates_of_the_median_vermeulen_target_agree(real_data):
    run = read_run(real_data("rdml14_untergasser_vermeulen", "data_vermeulen_std_150000_15.rdml"))
    target, amount = (np.array(run.reactions[name].to_pylist()) for name in ("target", "known_copies"))
    spread = []
    for name in np.unique(target):
        wells = target == name
        cq = estimate(run.fluorescence[wells], cycles=run.cycles).cq
        assert np.isfinite(cq).all(), name
        squares, freedom = scatter(cq, amount[wells])
        spread.append(np.sqrt(squares / freedom))
    assert np.median(spread) < 0.2003 * 1.02
