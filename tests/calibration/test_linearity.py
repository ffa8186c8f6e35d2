"""Straightness of a curve: Ruijter's published indicators, numpy's polynomials, bent truths, honest plates."""

from __future__ import annotations

import numpy as np
import pytest
from standards_builder import LEVELS, draw_standards

from bcrabl.calibration import check_linearity, fit_standard_curve, lack_of_fit

# Ruijter 2013, Methods 59:32, supplement, AHCY (domain.md TV-Q2): mean squares of linearity and precision, log10 F0
AHCY = [34.13, 32.88, 33.26, 30.52, 30.24, 30.07, 26.74, 26.69, 26.84, 23.45, 23.22, 23.29, 20.08, 19.85, 19.83]
AHCY_COPIES = np.repeat([15.0, 150.0, 1500.0, 15_000.0, 150_000.0], 3)


def test_mean_squares_of_levels_and_of_replicates_are_ruijters():
    curve = fit_standard_curve(AHCY, AHCY_COPIES)
    test = lack_of_fit(curve, AHCY, AHCY_COPIES)
    precision = (test.pure_error_sd / curve.slope) ** 2
    assert precision == pytest.approx(0.008692, abs=2e-6)
    assert test.statistic * precision == pytest.approx(0.002881, abs=2e-6)
    assert (test.level_degrees, test.error_degrees) == (3, 10)
    assert test.p_value > 0.5  # F below 1


def test_single_reactions_and_two_levels_leave_lack_of_fit_untested():
    single = fit_standard_curve([40.0, 36.8, 33.1, 30.0], 10.0 ** np.arange(4))
    assert np.isnan(lack_of_fit(single, [40.0, 36.8, 33.1, 30.0], 10.0 ** np.arange(4)).p_value)
    cq, copies = [36.5, 36.7, 30.0, 30.1], [10.0, 10.0, 1000.0, 1000.0]
    assert np.isnan(lack_of_fit(fit_standard_curve(cq, copies), cq, copies).p_value)


def test_polynomial_terms_are_those_of_numpys_least_squares():
    cq, copies = draw_standards(np.random.default_rng(3), levels=LEVELS)
    check = check_linearity(fit_standard_curve(cq, copies), cq, copies)
    for degree, term in ((2, check.quadratic), (3, check.cubic)):
        coefficients, covariance = np.polyfit(np.log10(copies), cq, degree, cov=True)
        assert term.coefficient == pytest.approx(coefficients[0], rel=1e-7)
        assert term.standard_error == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-7)


def test_a_bend_is_found_and_told_in_percent_of_copies():
    x = np.repeat(np.arange(1.0, 7.0), 2)
    bend = 0.1 * ((x - 3.5) ** 2 - 35 / 12)  # orthogonal to the line: its fit is unmoved
    cq = 39.5 - 3.35 * x + bend + np.tile([0.02, -0.02], 6)
    check = check_linearity(fit_standard_curve(cq, 10.0**x), cq, 10.0**x)
    assert check.quadratic.coefficient == pytest.approx(0.1)
    assert check.quadratic.p_value < 1e-6
    assert check.cubic.p_value > 0.5
    assert check.degree == 2
    assert check.largest_deviation_percent == pytest.approx(
        100 * (10 ** (0.1 * (2.5**2 - 35 / 12) / -3.35) - 1), rel=1e-6
    )
    assert check.at_copies in {10.0, 1e6}


def test_three_levels_allow_no_polynomial_and_four_no_cubic():
    rng = np.random.default_rng(1)
    for levels, has_quadratic in ((3, False), (4, True)):
        cq, copies = draw_standards(rng, levels=LEVELS[:levels])
        check = check_linearity(fit_standard_curve(cq, copies), cq, copies)
        assert np.isfinite(check.quadratic.p_value) == has_quadratic
        assert np.isnan(check.cubic.p_value)
        assert check.degree == (2 if has_quadratic else 1)


@pytest.mark.parametrize(("test", "most"), [(lack_of_fit, 0.075), (check_linearity, 0.075)])
def test_five_percent_of_straight_weighted_curves_are_called_bent(test, most):
    rng = np.random.default_rng(5)
    called = 0
    for _ in range(600):
        plate = draw_standards(rng)
        called += test(fit_standard_curve(*plate, weighting="poisson"), *plate).p_value < 0.05
    assert 0.015 < called / 600 < most


def test_points_on_a_line_test_nothing_and_deviate_by_nothing():
    copies = np.repeat(LEVELS, 2)
    line = 40.1 - 10 / 3 * np.log10(copies)
    curve = fit_standard_curve(line, copies)
    assert np.isnan(lack_of_fit(curve, line, copies).p_value)
    check = check_linearity(curve, line, copies)
    assert np.isnan(check.p_value)
    assert check.largest_deviation_percent == pytest.approx(0, abs=1e-6)
