"""Inhibited wells against the standards of their plate: simulated plates of known truth, and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from bcrabl.curves.inhibition import (
    INHIBITION_Z,
    Figures,
    as_if_known,
    compare,
    describe_figures,
    describe_references,
    inhibited,
)
from bcrabl.curves.joint import RELATIVE_LEVEL, estimate_jointly
from bcrabl.curves.joint_shapes import evenly_chosen
from bcrabl.curves.sigmoid import fit_sigmoid

CYCLES = np.arange(1.0, 46.0)
NO_ERROR = np.array((1e-8, 0.0, 0.0, 1e-8, 0.0, 1e-8))


def curves(random, cq, *, slower=1.0, lower=0.0, spread=0.01, rise_cv=0.05, noise=0.003):
    """Curves with a given Cq; `slower` stretches the time of all of them, `lower` is the loss of their rise."""
    n = len(cq)
    s = 0.55 * slower * np.exp(random.normal(0, spread, n))[:, None]
    q = np.clip(random.normal(0.6, 2 * spread, n), 0.03, 5)[:, None]
    rise = (1 - lower) * np.exp(random.normal(0, rise_cv, n))[:, None]
    steepest = cq[:, None] + np.log((RELATIVE_LEVEL**-q - 1) / q) / s
    signal = 1 + rise * (1 + q * np.exp(-s * (CYCLES - steepest))) ** (-1 / q)
    return signal + random.normal(0, noise, signal.shape)


def standards(random, number, **world):
    return curves(random, np.resize(np.linspace(17.0, 31.0, 5), number), **world)


def estimate(signal, reference=None):
    fit = fit_sigmoid(CYCLES, signal)
    return estimate_jointly(CYCLES, signal, fit, np.ones(len(signal), bool), reference=reference)


def against_standards(random, number, samples, **world):
    known = standards(random, number, **world)
    return estimate(np.vstack([known, samples]), np.arange(len(known) + len(samples)) < len(known))


# --- plates of known truth ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [6, 10, 24])
@pytest.mark.parametrize(
    "world", [{}, {"spread": 0.02, "rise_cv": 0.1}, {"noise": 0.02}, {"spread": 0.005, "rise_cv": 0.02}], ids=str
)
def test_at_most_one_uninhibited_sample_in_a_hundred_is_suspected(number, world):
    alarms = []
    for seed in range(16):
        random = np.random.default_rng(seed)
        samples = curves(random, random.uniform(16, 34, 48), **world)
        alarms.append(against_standards(random, number, samples, **world).inhibition_suspected[number:])
    assert np.mean(alarms) <= 0.01


@pytest.mark.parametrize(
    ("defect", "power"),
    [({"slower": 0.8}, 0.8), ({"lower": 0.4}, 0.95), ({"slower": 0.85, "lower": 0.4}, 0.95)],
    ids=str,
)
def test_a_plate_where_all_samples_are_inhibited_is_recognised_by_its_standards(defect, power):
    found = []
    for seed in range(8):
        random = np.random.default_rng(seed)
        samples = curves(random, random.uniform(18, 31, 40), **defect)
        found.append(against_standards(random, 15, samples))
    assert np.mean([one.inhibition_suspected[15:] for one in found]) > power
    assert np.mean([one.inhibition_suspected[:15] for one in found]) <= 0.01


def test_among_each_other_wells_that_are_all_inhibited_look_normal():
    random = np.random.default_rng(1)
    samples = curves(random, random.uniform(18, 31, 80), slower=0.8, lower=0.3)
    signal = np.vstack([standards(random, 12), samples])
    without, reference = estimate(signal), estimate(signal, np.arange(92) < 12)
    assert without.inhibition_suspected[12:].mean() < 0.05
    assert reference.inhibition_suspected[12:].mean() > 0.8


def test_growth_and_rise_are_measured_against_those_of_the_standards():
    random = np.random.default_rng(2)
    found = against_standards(random, 24, curves(random, np.full(60, 25.0), slower=0.8, lower=0.4, rise_cv=0.01))
    assert np.median(found.growth_ratio[24:]) == pytest.approx(0.8, abs=0.02)
    assert np.median(found.rise_ratio[24:]) == pytest.approx(0.6, abs=0.02)
    assert np.median(found.growth_ratio[:24]) == pytest.approx(1.0, abs=0.01)


def test_faster_and_higher_curves_are_not_suspected():
    random = np.random.default_rng(3)
    found = against_standards(random, 15, curves(random, random.uniform(18, 31, 40), slower=1.3, lower=-1.0))
    assert not found.inhibition_suspected.any()
    assert (found.reference_distance[15:] > 16.27).mean() > 0.9


def test_late_samples_beyond_the_standards_are_judged_with_more_doubt():
    random = np.random.default_rng(4)
    within, beyond = (curves(random, np.full(30, cq), slower=0.85, noise=0.001) for cq in (28.0, 37.0))
    found = against_standards(random, 15, np.vstack([within, beyond]), noise=0.001)
    assert np.median(found.growth_z[15:45]) < np.median(found.growth_z[45:]) < 0


def test_a_bad_standard_does_not_hide_the_inhibition_of_the_samples():
    random = np.random.default_rng(5)
    known = standards(random, 15)
    known[3] = curves(random, np.array([24.0]), slower=0.6, lower=0.6)
    samples = curves(random, random.uniform(18, 31, 40), lower=0.4)
    found = estimate(np.vstack([known, samples]), np.arange(55) < 15)
    assert found.inhibition_suspected[15:].mean() > 0.9
    assert found.inhibition_suspected[:15].tolist() == [k == 3 for k in range(15)]


def test_standards_leave_the_cq_of_clean_samples_as_precise_as_it_was():
    error = {"none": [], "reference": []}
    for seed in range(8):
        random = np.random.default_rng(seed)
        cq = random.uniform(18, 31, 48)
        signal = np.vstack([standards(random, 12), curves(random, cq)])
        for name, reference in (("none", None), ("reference", np.arange(60) < 12)):
            error[name].append(estimate(signal, reference).cq[12:] - cq)
    assert np.std(error["reference"]) < 1.05 * np.std(error["none"])


# --- fewer standards, other groups --------------------------------------------------------------------------


def test_fewer_than_six_standards_are_no_reference():
    random = np.random.default_rng(6)
    signal = np.vstack([standards(random, 5), curves(random, random.uniform(18, 31, 40))])
    few, none = estimate(signal, np.arange(45) < 5), estimate(signal)
    for name in vars(none):
        np.testing.assert_array_equal(getattr(few, name), getattr(none, name), err_msg=name)


def test_where_all_are_references_nothing_changes():
    signal = standards(np.random.default_rng(7), 20)
    every, none = estimate(signal, np.ones(20, bool)), estimate(signal)
    for name in vars(none):
        np.testing.assert_array_equal(getattr(every, name), getattr(none, name), err_msg=name)


def test_a_sample_changes_nothing_for_the_standards_and_the_others_it_is_judged_with():
    random = np.random.default_rng(8)
    known, samples = standards(random, 15, noise=0.0), curves(random, random.uniform(18, 31, 20), noise=0.0)
    signal, reference = np.vstack([known, samples]), np.arange(35) < 15
    all_of_them, few = estimate(signal, reference), estimate(signal[:20], reference[:20])
    for name in ("growth_ratio", "rise_ratio"):
        np.testing.assert_allclose(getattr(few, name), getattr(all_of_them, name)[:20], rtol=1e-3)


def test_a_group_too_small_to_compare_with_suspects_nobody():
    found = estimate(standards(np.random.default_rng(9), 5))
    assert np.isnan(found.growth_z).all()
    assert not found.inhibition_suspected.any()


def test_of_very_many_references_evenly_spaced_ones_stand_for_all():
    chosen = evenly_chosen(np.ones(10_000, bool))
    assert len(chosen) == 4096
    assert chosen[[0, -1]].tolist() == [0, 9999]
    assert set(np.diff(chosen)) == {2, 3}
    assert evenly_chosen(np.array([False, True, True])).tolist() == [1, 2]


# --- closed forms -------------------------------------------------------------------------------------------


def test_of_a_logistic_curve_growth_and_duration_have_closed_forms():
    # q = 1: growth at a share h is s (1 - h), the way to the middle ln(1/h - 1)/s
    theta = np.array([[np.log(0.5), 20.0, 1.0]])
    found = describe_figures(theta, np.array([3.0]), np.zeros((1, 6)), np.zeros((1, 4)), 0.1)
    np.testing.assert_allclose(np.exp(found.value), [[0.5 * 0.9, np.log(9) / 0.5, 3.0]], rtol=1e-12)


def test_the_covariance_of_the_figures_is_that_of_draws_of_the_parameters():
    random = np.random.default_rng(10)
    mean, root = np.array([np.log(0.5), 20.0, 0.6, 2.0]), np.tril(random.normal(0, 0.004, (4, 4)))
    covariance = root @ root.T
    rows, columns = np.triu_indices(3)
    exact = describe_figures(mean[None, :3], mean[3:], covariance[rows, columns][None], covariance[3][None], 0.1)
    draws = mean + random.normal(0, 1, (200_000, 4)) @ root.T
    nothing = np.zeros((len(draws), 6))
    values = describe_figures(draws[:, :3], draws[:, 3], nothing, nothing[:, :4], 0.1).value
    found = np.cov(values.T)
    scale = np.sqrt(np.outer(np.diag(found), np.diag(found)))
    np.testing.assert_allclose(
        exact.error[0] / scale[rows, columns], found[rows, columns] / scale[rows, columns], atol=0.02
    )


def test_the_line_of_the_references_is_found():
    random = np.random.default_rng(11)
    t = random.uniform(15, 35, 400)
    value = np.array([-0.6, 1.2, 0.4]) + (t[:, None] - np.median(t)) * np.array([0.002, -0.001, 0.01])
    value += random.normal(0, [0.02, 0.03, 0.1], (400, 3))
    line = describe_references(t, Figures(value, np.tile(NO_ERROR, (400, 1))))
    np.testing.assert_allclose(line.coefficients[0], [-0.6, 1.2, 0.4], atol=0.015)
    np.testing.assert_allclose(line.coefficients[1], [0.002, -0.001, 0.01], atol=0.002)
    np.testing.assert_allclose(np.sqrt(line.omega[[0, 3, 5]]), [0.02, 0.03, 0.1], rtol=0.1)


def test_deviations_of_new_curves_have_the_spread_of_normal_ones_though_the_references_are_few():
    # the references spread as they usually do, and nothing is added for the material: six thousand plates of eight
    z = []
    for seed in range(300):
        random = np.random.default_rng(seed)
        value = random.multivariate_normal([0, 0, 0], [[4e-4, -2e-4, 0], [-2e-4, 4e-4, 0], [0, 0, 0.04]], 28)
        figures = Figures(value, np.tile(NO_ERROR, (28, 1)))
        line = describe_references(np.linspace(20, 30, 8), Figures(value[:8], figures.error[:8]))
        found = compare(line, np.full(20, 25.0), Figures(value[8:], figures.error[8:]))
        z.append((found.growth_z, found.rise_z))
    for part in np.swapaxes(z, 0, 1):
        assert np.std(part) < 1.25
        assert np.mean(part < -INHIBITION_Z) < 0.01


@pytest.mark.parametrize(("t", "freedom", "z"), [(2.2281, 10, 1.95996), (4.6041, 4, 2.57583), (3.1693, 10, 2.57583)])
def test_students_t_is_brought_to_the_normal_deviate_of_the_same_p(t, freedom, z):
    # quantiles .975 and .995 of Student's t and of the normal distribution, any statistical table
    assert np.sqrt(as_if_known(np.array([t**2]), 1, freedom))[0] == pytest.approx(z, rel=0.02)


def test_nothing_to_compare_with_is_no_suspicion():
    nothing = np.array([np.nan])
    assert inhibited(nothing, nothing, nothing).tolist() == [False]
    assert inhibited(np.array([-3.0, 1.0, -2.0, 2.0]), np.zeros(4), np.array([9.0, 9.0, 20.0, 20.0])).tolist() == [
        True,
        False,
        True,
        False,
    ]
