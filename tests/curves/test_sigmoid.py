"""The sigmoid fit against the truth it was made from and against scipy's least squares started at that truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from bcrabl.curves import analyse_curves
from bcrabl.curves.sigmoid import fit_sigmoid
from bcrabl.errors import RunError

CYCLES = np.arange(1, 46, dtype=float)


def richards(parameters, cycles=CYCLES):
    """The formula of the module: c + d (1 + exp(-s (x - e)))^-f."""
    c, d, s, e, f = np.asarray(parameters, dtype=float).T[..., None]
    return c + d * (1 + np.exp(-s * (cycles - e))) ** -f


def random_truth(n, seed):
    rng = np.random.default_rng(seed)
    ranges = ((0.1, 2.0), (0.5, 4.0), (0.4, 0.9), (18.0, 34.0), (0.6, 1.6))
    return np.column_stack([rng.uniform(low, high, n) for low, high in ranges])


@pytest.mark.parametrize("seed", range(5))
def test_noise_free_curves_give_their_parameters_back(seed):
    truth = random_truth(20, seed)
    fit = fit_sigmoid(CYCLES, richards(truth))
    np.testing.assert_allclose(fit.parameters, truth, rtol=1e-4)
    assert fit.converged.all()
    assert np.all(fit.rss < 1e-12)


@pytest.mark.parametrize("noise", [0.002, 0.01, 0.05])
def test_no_fit_is_worse_than_scipys_started_at_the_truth(noise):
    truth = random_truth(40, seed=21)
    curves = richards(truth) + np.random.default_rng(22).normal(0, noise, (40, 45))
    fit = fit_sigmoid(CYCLES, curves)
    assert fit.converged.all()
    for row, start in enumerate(truth):
        # f within the bounds of the package's own fit
        bounds = ([-np.inf, -np.inf, 0.02, -80, 0.2], [np.inf, np.inf, 12, 60, 50])
        reference = least_squares(lambda p, row=row: richards(p) - curves[row], start, bounds=bounds, x_scale="jac")
        assert fit.rss[row] <= 2 * reference.cost * 1.0001


def test_parameters_reproduce_the_curve_and_its_residual_sum_of_squares():
    curves = richards(random_truth(30, seed=3)) + np.random.default_rng(4).normal(0, 0.01, (30, 45))
    fit = fit_sigmoid(CYCLES, curves)
    assert fit.parameters.shape == (30, 5)
    fitted = richards(fit.parameters)
    np.testing.assert_allclose(((curves - fitted) ** 2).sum(axis=1), fit.rss, rtol=1e-6)
    np.testing.assert_allclose(fit.baseline[:, None] + fit.above_baseline(CYCLES), fitted, atol=1e-6)


def test_residual_sum_of_squares_is_that_of_the_noise_left_by_five_parameters():
    noise, n = 0.01, 500
    curves = richards(np.tile([[0.5, 2, 0.6, 26, 1.0]], (n, 1))) + np.random.default_rng(5).normal(0, noise, (n, 45))
    rss = fit_sigmoid(CYCLES, curves).rss
    assert rss.mean() / noise**2 == pytest.approx(40, rel=0.03)  # 45 readings - 5 parameters


def test_recovered_parameters_scatter_around_the_truth_without_bias():
    truth = np.tile([[0.5, 2, 0.6, 26, 1.0]], (400, 1))
    fit = fit_sigmoid(CYCLES, richards(truth) + np.random.default_rng(6).normal(0, 0.005, (400, 45)))
    for found, true in ((fit.baseline, 0.5), (fit.rise, 2.0), (fit.steepest, 26.0), (fit.slope, 0.6)):
        assert abs(found.mean() - true) < 0.2 * found.std() + 1e-4


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_closed_forms_are_the_extremes_of_the_fitted_curve(seed):
    fit = fit_sigmoid(CYCLES, richards(random_truth(1, seed)))
    grid = np.arange(1, 45, 0.001)
    curve = fit.above_baseline(grid)[0]
    slope = np.gradient(curve, grid)
    acceleration = np.gradient(slope, grid)
    assert fit.steepest[0] == pytest.approx(grid[slope.argmax()], abs=0.01)
    assert fit.second_derivative_maximum()[0] == pytest.approx(grid[acceleration.argmax()], abs=0.02)
    tangent_foot = grid[slope.argmax()] - curve[slope.argmax()] / slope.max()
    assert fit.cy0()[0] == pytest.approx(tangent_foot, abs=0.01)


def test_missing_cycles_do_not_move_a_noise_free_fit():
    truth = random_truth(10, seed=7)
    curves = richards(truth)
    curves[:, [1, 12, 23, 29, 44]] = np.nan
    np.testing.assert_allclose(fit_sigmoid(CYCLES, curves).parameters, truth, rtol=1e-4)


def test_a_curve_without_range_or_with_too_few_cycles_has_no_fit():
    few = np.full(45, np.nan)
    few[:5] = [1, 2, 3, 4, 5]
    fit = fit_sigmoid(CYCLES, np.vstack([np.ones(45), np.full(45, np.nan), few]))
    assert np.isnan(fit.parameters).all()
    assert np.isnan(fit.rss).all()
    assert not fit.converged.any()


def test_a_strange_neighbour_changes_no_bit_of_a_fit():
    curves = richards(random_truth(5, seed=8)) + np.random.default_rng(9).normal(0, 0.01, (5, 45))
    strange = np.vstack([np.full(45, np.nan), curves[:3], 1e12 * CYCLES, curves[3:], np.zeros(45)])
    alone = fit_sigmoid(CYCLES, curves).parameters
    np.testing.assert_array_equal(fit_sigmoid(CYCLES, strange).parameters[[1, 2, 3, 5, 6]], alone)


def test_analysis_hands_on_the_fit():
    curves = richards(random_truth(4, seed=10)) + np.random.default_rng(11).normal(0, 0.01, (4, 45))
    found, fit = analyse_curves(CYCLES, curves), fit_sigmoid(CYCLES, curves)
    np.testing.assert_array_equal(found.parameters, fit.parameters)
    np.testing.assert_array_equal(found.plateau, fit.rise)
    np.testing.assert_array_equal(found.rss, fit.rss)


def test_a_weight_of_zero_leaves_a_reading_out_like_a_missing_cycle():
    curves = richards(random_truth(10, seed=12)) + np.random.default_rng(13).normal(0, 0.01, (10, 45))
    spoiled, weights, missing = curves.copy(), np.ones((10, 45)), curves.copy()
    spoiled[:, 20], weights[:, 20], missing[:, 20] = 1e6, 0.0, np.nan
    left_out = fit_sigmoid(CYCLES, spoiled, weights=weights)
    np.testing.assert_array_equal(left_out.parameters, fit_sigmoid(CYCLES, missing).parameters)


def test_a_weighted_fit_is_the_weighted_least_squares_of_scipy():
    rng, truth = np.random.default_rng(14), random_truth(30, seed=15)
    weights = rng.uniform(0.1, 40, (30, 45))
    curves = richards(truth) + rng.normal(0, 0.02, (30, 45))
    fit = fit_sigmoid(CYCLES, curves, weights=weights)
    for row, start in enumerate(truth):
        root = np.sqrt(weights[row])
        found = least_squares(lambda p, row=row, root=root: root * (richards(p) - curves[row]), start, x_scale="jac")
        assert fit.rss[row] == pytest.approx(2 * found.cost, rel=1e-4)


def test_a_common_factor_of_the_weights_changes_no_estimate_and_no_error():
    curves = richards(random_truth(6, seed=16)) + np.random.default_rng(17).normal(0, 0.01, (6, 45))
    weights = np.random.default_rng(18).uniform(0.5, 2, (6, 45))
    one, many = fit_sigmoid(CYCLES, curves, weights=weights), fit_sigmoid(CYCLES, curves, weights=1024 * weights)
    np.testing.assert_array_equal(one.parameters, many.parameters)
    np.testing.assert_allclose(one.covariance, many.covariance, rtol=1e-12)
    np.testing.assert_allclose(many.rss, 1024 * one.rss, rtol=1e-12)


@pytest.mark.parametrize(("weights", "said"), [(np.ones((2, 45)), "shape"), (np.full((1, 45), -1.0), "negative")])
def test_impossible_weights_are_refused(weights, said):
    with pytest.raises(RunError, match=said):
        fit_sigmoid(CYCLES, richards(random_truth(1, 1)), weights=weights)


def test_an_unknown_abscissa_and_the_logarithm_of_cycle_zero_are_refused():
    curve = richards(random_truth(1, 1))
    with pytest.raises(RunError, match="one of cycle, log_cycle"):
        fit_sigmoid(CYCLES, curve, abscissa="log")
    with pytest.raises(RunError, match="not positive"):
        fit_sigmoid(CYCLES - 1, curve, abscissa="log_cycle")


def test_four_parameter_fit_is_logistic_and_gives_the_logistic_curve_back():
    truth = random_truth(20, seed=19)
    truth[:, 4] = 1.0
    fit = fit_sigmoid(CYCLES, richards(truth), symmetric=True)
    np.testing.assert_allclose(fit.parameters, truth, rtol=1e-6)
    assert np.all(fit.asymmetry == 1)
    assert not fit.covariance[:, 4].any()


def test_log_cycle_fit_gives_the_log_logistic_curve_back():
    truth = random_truth(20, seed=20)
    truth[:, 2], truth[:, 3] = truth[:, 2] * truth[:, 3], np.log(truth[:, 3])
    fit = fit_sigmoid(CYCLES, richards(truth, np.log(CYCLES)), abscissa="log_cycle")
    np.testing.assert_allclose(fit.parameters, truth, rtol=1e-4)


def test_a_gompertz_curve_is_fitted_at_the_end_of_the_range():
    curve = 0.2 + 2 * np.exp(-np.exp(-0.3 * (CYCLES - 20)))
    fit = fit_sigmoid(CYCLES, curve[None] + np.random.default_rng(23).normal(0, 1e-4, 45))
    assert fit.converged.all()
    assert fit.first_derivative_maximum()[0] == pytest.approx(20, abs=0.01)
    assert fit.second_derivative_maximum()[0] == pytest.approx(20 - np.log((3 + np.sqrt(5)) / 2) / 0.3, abs=0.01)
    assert np.isfinite(fit.standard_error_of("cy0")).all()


def test_covariance_is_that_of_the_estimates_over_many_curves():
    truth = np.tile([[0.5, 2, 0.6, 26, 1.3]], (4000, 1))
    fit = fit_sigmoid(CYCLES, richards(truth) + np.random.default_rng(24).normal(0, 0.01, (4000, 45)))
    estimates = [fit.baseline, fit.rise, np.log(fit.slope), fit.steepest, 1 / fit.asymmetry]
    observed, stated = np.cov(estimates), fit.covariance.mean(axis=0)
    scale = np.sqrt(np.diag(observed))
    np.testing.assert_allclose(stated / np.outer(scale, scale), observed / np.outer(scale, scale), atol=0.07)


def test_a_fit_has_the_same_bits_alone_and_among_a_thousand_others():
    rng = np.random.default_rng(25)
    curves = richards(random_truth(1000, seed=26)) + rng.normal(0, 0.01, (1000, 45))
    curves[::7, 5:9] = np.nan
    curves[::11] = rng.normal(0, 1, (91, 45))  # these are searched from many starts
    weights = rng.uniform(0.5, 1.0, (1000, 45))
    for keywords in ({}, {"weights": weights}, {"abscissa": "log_cycle"}):
        whole = fit_sigmoid(CYCLES, curves, **keywords)
        for row in (0, 7, 11, 500, 999):
            own = {"weights": weights[[row]]} if "weights" in keywords else keywords
            alone = fit_sigmoid(CYCLES, curves[[row]], **own)
            np.testing.assert_array_equal(alone.parameters[0], whole.parameters[row])
            np.testing.assert_array_equal(alone.covariance[0], whole.covariance[row])


def test_noise_and_drift_end_at_an_optimum_that_other_starts_do_not_better():
    rng = np.random.default_rng(27)
    curves = np.concatenate([rng.normal(0, 1, (30, 45)), 0.05 * CYCLES + rng.normal(0, 0.1, (30, 45))])
    fit = fit_sigmoid(CYCLES, curves)
    assert fit.converged[30:].all()  # pure noise may end in a step without an edge, and then says so
    better = 0
    for row, curve in enumerate(curves):
        for _ in range(4):
            start = rng.uniform((-2.5, 1, 0.05), (2, 45, 4))
            bounds = ((np.log(0.02), -7, 1e-4), (np.log(12), 53, 5))
            found = least_squares(lambda p, y=curve: profiled(p, y), start, bounds=bounds, x_scale="jac", max_nfev=30)
            better += 2 * found.cost < fit.rss[row] / 1.0001
    assert better == 0


def profiled(shape, curve):
    """Residuals of the best baseline and rise for (ln s, x0, q)."""
    s, x0, q = np.exp(shape[0]), shape[1], shape[2]
    g = np.exp(-np.log1p(q * np.exp(np.clip(-s * (CYCLES - x0), -300, 300))) / q)
    design = np.column_stack([np.ones(45), g])
    return curve - design @ np.linalg.lstsq(design, curve)[0]
