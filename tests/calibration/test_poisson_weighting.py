"""Curves weighted by Poisson's law: against the restricted likelihood, closed forms, and plates of known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from standards_builder import INTERCEPT, LEVELS, SLOPE, draw_standards

from bcrabl.calibration import fit_standard_curve
from bcrabl.calibration.template import detected_log10_moments
from bcrabl.errors import CalibrationError


def restricted_deviance(variance, cq, copies, slope):
    """-2 log restricted likelihood of σ², in matrices."""
    x, chance = detected_log10_moments(copies)
    design = np.column_stack([np.ones_like(x), x])
    inverse = np.diag(1 / (variance + slope**2 * chance))
    information = design.T @ inverse @ design
    projection = inverse - inverse @ design @ np.linalg.solve(information, design.T @ inverse)
    logs = -np.log(np.diag(inverse)).sum() * -1
    return -logs + np.linalg.slogdet(information)[1] + cq @ projection @ cq


@pytest.mark.parametrize("seed", range(5))
def test_repeatability_is_where_the_restricted_likelihood_is_highest(seed):
    cq, copies = draw_standards(np.random.default_rng(seed))
    curve = fit_standard_curve(cq, copies, weighting="poisson")
    best = minimize_scalar(
        lambda log_variance: restricted_deviance(np.exp(log_variance), cq, copies, curve.slope),
        bounds=(np.log(1e-4), np.log(1.0)),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert curve.residual_sd**2 == pytest.approx(np.exp(best.x), rel=1e-4)


def test_line_and_covariance_are_those_of_generalised_least_squares_with_estimated_weights():
    cq, copies = draw_standards(np.random.default_rng(8))
    curve = fit_standard_curve(cq, copies, weighting="poisson")
    x, chance = detected_log10_moments(copies)
    design = np.column_stack([np.ones_like(x), x])
    weights = 1 / (curve.residual_sd**2 + curve.slope**2 * chance)
    first, second, third = (design.T @ (weights[:, None] ** power * design) for power in (1, 2, 3))
    known = np.linalg.inv(first)
    line = known @ design.T @ (weights * cq)
    np.testing.assert_allclose([curve.intercept, curve.slope], line, rtol=1e-8)
    variance_of_variance = 2 * curve.residual_sd**4 / curve.degrees_of_freedom
    # Kenward & Roger 1997, Biometrics 53:983, for a variance linear in its one unknown
    adjusted = known + 2 * variance_of_variance * known @ (third - second @ known @ second) @ known
    np.testing.assert_allclose(curve.covariance, adjusted, rtol=1e-7)
    assert curve.residual_sd**2 / curve.spread == pytest.approx(known[1, 1], rel=1e-9)


def test_the_growth_of_the_covariance_is_its_derivative_by_the_repeatability():
    cq, copies = draw_standards(np.random.default_rng(8))
    curve = fit_standard_curve(cq, copies, weighting="poisson")
    x, chance = detected_log10_moments(copies)
    design = np.column_stack([np.ones_like(x), x])

    def covariance(variance):
        return np.linalg.inv(design.T @ ((1 / (variance + curve.slope**2 * chance))[:, None] * design))

    own, step = curve.residual_sd**2, 1e-6
    derivative = (covariance(own + step) - covariance(own - step)) / (2 * step)
    np.testing.assert_allclose(curve.covariance_growth, derivative, rtol=1e-5)


def test_weights_change_nothing_where_molecules_are_many():
    rng = np.random.default_rng(5)
    copies = np.repeat([1e8, 1e9, 1e10, 1e11], 3)
    cq = INTERCEPT + SLOPE * np.log10(copies) + rng.normal(0, 0.2, 12)
    plain, weighted = (fit_standard_curve(cq, copies, weighting=weighting) for weighting in ("none", "poisson"))
    assert weighted.slope == pytest.approx(plain.slope, rel=1e-6)
    assert weighted.residual_sd == pytest.approx(plain.residual_sd, rel=1e-5)
    assert weighted.degrees_of_freedom == pytest.approx(10, rel=1e-5)
    assert plain.degrees_of_freedom == 10
    np.testing.assert_allclose(weighted.covariance, plain.covariance, rtol=1e-4)


def test_cq_at_the_mean_log_of_the_molecules_give_the_line():
    copies = np.repeat([3.0, 10.0, 1e3, 1e5], 2)
    curve = fit_standard_curve(INTERCEPT + SLOPE * detected_log10_moments(copies)[0], copies, weighting="poisson")
    assert (curve.slope, curve.intercept) == (pytest.approx(SLOPE, rel=1e-9), pytest.approx(INTERCEPT, rel=1e-9))


@pytest.mark.parametrize("seed", range(40))
def test_standards_of_few_copies_always_give_a_curve_with_errors(seed):
    plate = draw_standards(np.random.default_rng(seed), levels=np.array([3.0, 10.0, 30.0, 100.0]), sd=0.02)
    curve = fit_standard_curve(*plate, weighting="poisson")  # repeatability drowns in chance, often estimated as none
    assert np.linalg.eigvalsh(curve.covariance).min() > 0
    reading = curve.read([30.0, 36.0], 2)
    assert (reading.low < reading.copies).all()
    assert (reading.copies < reading.high).all()
    assert (reading.degrees_of_freedom >= 1).all()


def test_standards_of_two_decimals_scatter_at_least_by_their_rounding():
    copies = np.array([1e4, 1e5, 1e6])
    curve = fit_standard_curve(INTERCEPT + SLOPE * np.log10(copies), copies, weighting="poisson")
    assert curve.residual_sd == pytest.approx(0.01 / np.sqrt(12))


@pytest.fixture(scope="module")
def many_curves():
    rng = np.random.default_rng(11)
    plates = [draw_standards(rng) for _ in range(500)]
    return {
        weighting: [fit_standard_curve(*plate, weighting=weighting) for plate in plates]
        for weighting in ("none", "poisson")
    }


def slopes(curves):
    return np.array([curve.slope for curve in curves])


def test_weighted_slope_and_intercept_are_unbiased_and_unweighted_ones_are_not(many_curves):
    plain, weighted = slopes(many_curves["none"]), slopes(many_curves["poisson"])
    error = weighted.std() / np.sqrt(500)
    assert abs(weighted.mean() - SLOPE) < 3.5 * error
    assert plain.mean() - SLOPE < -3.5 * plain.std() / np.sqrt(500)
    intercepts = np.array([curve.intercept for curve in many_curves["poisson"]])
    assert abs(intercepts.mean() - INTERCEPT) < 3.5 * intercepts.std() / np.sqrt(500)


def test_weights_take_more_than_a_third_off_the_scatter_of_the_slope(many_curves):
    assert slopes(many_curves["poisson"]).std() < 0.66 * slopes(many_curves["none"]).std()


def test_repeatability_is_free_of_chance_in_the_molecules(many_curves):
    variance = np.array([curve.residual_sd**2 for curve in many_curves["poisson"]])
    assert abs(variance.mean() - 0.01) < 3.5 * variance.std() / np.sqrt(500)
    assert np.mean([curve.residual_sd**2 for curve in many_curves["none"]]) > 0.03


def test_degrees_of_freedom_describe_the_scatter_of_the_repeatability(many_curves):
    variance = np.array([curve.residual_sd**2 for curve in many_curves["poisson"]])
    stated = np.mean([curve.degrees_of_freedom for curve in many_curves["poisson"]])
    assert stated < 10
    assert 2 * variance.mean() ** 2 / variance.var() == pytest.approx(stated, rel=0.25)


def test_undetected_standards_left_out_do_not_bias_the_line():
    rng = np.random.default_rng(12)
    levels = np.array([1.0, 10.0, 1e3, 1e5])  # a third of the one-copy reactions hold no molecule
    found = [draw_standards(rng, levels=levels, replicates=3) for _ in range(500)]
    assert 0.5 < np.mean([len(cq) < 12 for cq, _ in found]) < 0.9
    fitted = slopes([fit_standard_curve(*plate, weighting="poisson") for plate in found])
    plain = slopes([fit_standard_curve(*plate) for plate in found])
    assert abs(fitted.mean() - SLOPE) < 3.5 * fitted.std() / np.sqrt(500)
    assert plain.mean() - SLOPE > 0.05  # undetected reactions gone, what is left of one copy is more than one


def test_order_of_the_standards_changes_no_weighted_curve():
    cq, copies = draw_standards(np.random.default_rng(2))
    plain = fit_standard_curve(cq, copies, weighting="poisson")
    turned = fit_standard_curve(cq[::-1], copies[::-1], weighting="poisson")
    assert turned.slope == pytest.approx(plain.slope, rel=1e-9)
    assert turned.residual_sd == pytest.approx(plain.residual_sd, rel=1e-7)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"weighting": "levels"}, "weighting: found levels; expected one of none, poisson"),
        ({"calibrator_relative_sd": -0.1}, "calibrator_relative_sd: found -0.1; expected a fraction"),
        ({"calibrator_relative_sd": float("nan")}, "calibrator_relative_sd: found nan"),
    ],
)
def test_unknown_options_are_refused(options, text):
    with pytest.raises(CalibrationError, match=text):
        fit_standard_curve(INTERCEPT + SLOPE * np.log10(LEVELS), LEVELS, **options)


def test_levels_far_below_one_copy_make_no_weighted_curve():
    with pytest.raises(CalibrationError, match="every reaction that has a Cq started from one molecule"):
        fit_standard_curve([39.0, 38.0, 37.0], [1e-9, 1e-8, 1e-7], weighting="poisson")
