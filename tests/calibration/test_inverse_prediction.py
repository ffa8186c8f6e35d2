"""Copies read off a curve: Fieller's interval by its definition, its coverage, and what else widens it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtrit
from standards_builder import INTERCEPT, LEVELS, SLOPE, draw_cq, draw_standards

from bcrabl.calibration import fit_standard_curve

WEIGHTINGS = ("none", "poisson")


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("cq", [20.0, 29.0, 37.0])
@pytest.mark.parametrize("replicates", [1, 3])
def test_at_either_limit_the_line_is_just_compatible_with_the_cq(weighting, cq, replicates):
    curve = fit_standard_curve(*draw_standards(np.random.default_rng(4)), weighting=weighting)
    reading = curve.read(cq, replicates)
    t = stdtrit(reading.degrees_of_freedom, 0.975)
    for limit in (reading.low, reading.high):
        row = np.array([1.0, np.log10(limit)])
        variance = curve.residual_sd**2 / replicates + row @ curve.covariance @ row
        assert abs(cq - row @ [curve.intercept, curve.slope]) == pytest.approx(t * np.sqrt(variance), rel=1e-8)
    assert reading.low < reading.copies < reading.high


def test_unweighted_readings_have_the_degrees_of_freedom_of_the_line():
    curve = fit_standard_curve(*draw_standards(np.random.default_rng(4)))
    assert curve.read([20.0, 38.0]).degrees_of_freedom == pytest.approx(curve.points - 2)


def test_a_slope_that_may_be_zero_leaves_the_copies_without_bounds():
    cq = [30.0, 24.0, 27.0, 22.0]  # falls, but by chance as likely as not
    curve = fit_standard_curve(cq, [1e2, 1e3, 1e4, 1e5])
    t = stdtrit(2, 0.975)
    assert curve.slope**2 < t**2 * curve.covariance[1, 1]
    reading = curve.read([25.0, np.nan])
    assert reading.bounded.tolist() == [False, True]
    assert (reading.low[0], reading.high[0]) == (0, np.inf)
    assert np.isfinite(reading.copies[0])
    assert np.isnan([reading.copies[1], reading.low[1], reading.high[1]]).all()


def test_intervals_cover_the_truth_even_off_a_wretched_curve():
    rng = np.random.default_rng(21)
    held = unbounded = 0
    for _ in range(2000):
        cq = 40 - 3.4 * np.arange(5) + rng.normal(0, 1.5, 5)
        reading = fit_standard_curve(cq, 10.0 ** np.arange(5)).read(40 - 3.4 * 5 + rng.normal(0, 1.5))
        held += bool(reading.low <= 1e5 <= reading.high)
        unbounded += not reading.bounded
    assert 0.935 < held / 2000 < 0.965
    assert unbounded < 40


@pytest.mark.parametrize("unknown", [30.0, 1e4])
def test_weighted_intervals_cover_the_expected_copies_of_a_sample(unknown):
    rng = np.random.default_rng(23)
    held = 0
    for _ in range(1000):
        curve = fit_standard_curve(*draw_standards(rng), weighting="poisson")
        reading = curve.read(draw_cq(np.full(2, unknown), rng).mean(), 2, counting=True)
        held += bool(reading.low <= unknown <= reading.high)
    assert 0.928 < held / 1000 < 0.972


def test_the_slope_lies_in_its_weighted_interval_in_95_percent_of_runs():
    rng = np.random.default_rng(24)
    held = 0
    for _ in range(1000):
        curve = fit_standard_curve(*draw_standards(rng), weighting="poisson")
        half = stdtrit(curve.slope_degrees_of_freedom, 0.975) * np.sqrt(curve.covariance[1, 1])
        held += bool(abs(curve.slope - SLOPE) <= half)
    assert 0.925 < held / 1000 < 0.972


def test_counting_adds_the_chance_of_a_few_molecules_and_leaves_many_alone():
    curve = fit_standard_curve(*draw_standards(np.random.default_rng(4)), weighting="poisson")
    cq = INTERCEPT + SLOPE * np.array([1.5, 6.0])
    plain, counted = curve.read(cq), curve.read(cq, counting=True)
    added = np.sqrt(counted.log10_sd**2 - plain.log10_sd**2)
    assert added[0] == pytest.approx(1 / np.sqrt(plain.copies[0]) / np.log(10), rel=0.05)
    assert added[1] < 0.001


def test_readings_outside_the_standards_are_computed_and_flagged():
    curve = fit_standard_curve(INTERCEPT + SLOPE * np.log10(LEVELS) + [0.1, -0.1] * 3, LEVELS)
    reading = curve.read(INTERCEPT + SLOPE * np.array([0.3, 3.0, 7.0]))
    assert reading.within_range.tolist() == [False, True, False]
    assert np.isfinite(reading.copies).all()


def test_the_uncertainty_of_the_certified_stock_is_shared_by_all_readings():
    relative = 0.13e6 / 2 / 1.08e6  # ERM-AD623a, expanded uncertainty with k = 2 (domain.md 3.1)
    copies = np.repeat(LEVELS, 2)
    cq = INTERCEPT + SLOPE * np.log10(copies) + np.tile([1e-9, -1e-9], 6)
    curve = fit_standard_curve(cq, copies, calibrator_relative_sd=relative)
    assert curve.shared_log10_copies_sd([20.0, 35.0]) == pytest.approx(relative / np.log(10), rel=2e-3)
    assert curve.shared_log10_copies_sd(20.0, with_calibrator=False) < 1e-8
    _, low, high = curve.copies(20.0)
    assert np.log(high / low) / 2 == pytest.approx(1.96 * relative, rel=2e-3)


def test_the_stock_adds_to_other_errors_in_quadrature():
    cq, copies = draw_standards(np.random.default_rng(4))
    plain, certified = (fit_standard_curve(cq, copies, calibrator_relative_sd=part) for part in (0.0, 0.075))
    squares = certified.log10_copies_sd(30.0) ** 2 - plain.log10_copies_sd(30.0) ** 2
    assert np.sqrt(squares) == pytest.approx(certified.calibrator_log10_sd)
    assert certified.copies(30.0)[1] < plain.copies(30.0)[1]
