"""Slopes of two curves: closed form with equal variances, rates of honest and unequal pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import stdtr, stdtrit
from standards_builder import LEVELS, draw_standards

from bcrabl.calibration import compare_slopes, fit_standard_curve


def test_two_curves_of_equal_variance_have_the_degrees_of_freedom_of_both():
    first = fit_standard_curve(*draw_standards(np.random.default_rng(1)))
    second = replace(first, slope=first.slope + 0.2)
    both = compare_slopes(first, second)
    error = np.sqrt(2 * first.covariance[1, 1])
    assert both.difference == pytest.approx(-0.2)
    assert both.standard_error == pytest.approx(error)
    assert both.degrees_of_freedom == pytest.approx(20)
    assert both.p_value == pytest.approx(2 * stdtr(20, -0.2 / error))
    assert (both.low, both.high) == (
        pytest.approx(-0.2 - stdtrit(20, 0.975) * error),
        pytest.approx(-0.2 + stdtrit(20, 0.975) * error),
    )


def test_a_curve_much_surer_than_the_other_leaves_the_others_degrees_of_freedom():
    first = fit_standard_curve(*draw_standards(np.random.default_rng(1)))
    sure = replace(first, covariance=first.covariance * 1e-8)
    assert compare_slopes(first, sure).degrees_of_freedom == pytest.approx(10, rel=1e-6)


def test_curves_without_scatter_have_a_difference_and_no_test():
    exact = [fit_standard_curve(40 + slope * np.arange(4), 10.0 ** np.arange(4)) for slope in (-3.5, -3.25)]
    both = compare_slopes(*(replace(curve, covariance=np.zeros((2, 2))) for curve in exact))
    assert both.difference == pytest.approx(-0.25)
    assert np.isnan(both.p_value)


def test_five_percent_of_parallel_pairs_are_called_unequal_and_most_of_different_ones():
    rng = np.random.default_rng(2)
    rates = []
    for slope in (-3.35, -3.55):
        called = 0
        for _ in range(500):
            target = fit_standard_curve(*draw_standards(rng), weighting="poisson")
            control = fit_standard_curve(*draw_standards(rng, levels=LEVELS[2:], slope=slope), weighting="poisson")
            called += compare_slopes(target, control).p_value < 0.05
        rates.append(called / 500)
    assert 0.02 < rates[0] < 0.08
    assert rates[1] > 0.85
