"""Curves pooled over runs: limits in closed form, runs of a known truth, runs that do not belong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import stdtrit
from standards_builder import INTERCEPT, SLOPE, draw_standards

from bcrabl.calibration import fit_standard_curve, pool_standard_curves
from bcrabl.errors import CalibrationError


def one_run(rng, level_sd=0.0, slope_sd=0.0, shift=0.0):
    """A weighted curve and its true slope; level is the Cq at 10^4 copies."""
    slope = SLOPE + slope_sd * rng.standard_normal()
    level = INTERCEPT + 4 * SLOPE + level_sd * rng.standard_normal() + shift
    plate = draw_standards(rng, intercept=level - 4 * slope, slope=slope)
    return fit_standard_curve(*plate, weighting="poisson"), slope


def scene(rng, runs, shift=0.0, **between):
    earlier = [one_run(rng, **between)[0] for _ in range(runs)]
    own, slope = one_run(rng, shift=shift, **between)
    return pool_standard_curves(own, earlier), slope


def holds(curve, slope):
    half = stdtrit(curve.slope_degrees_of_freedom, 0.975) * np.sqrt(curve.covariance[1, 1])
    return abs(curve.slope - slope) <= half


@pytest.fixture(scope="module")
def runs_alike():
    rng = np.random.default_rng(1)
    return [scene(rng, 10) for _ in range(200)]


def test_runs_alike_take_a_third_off_the_error_of_the_slope(runs_alike):
    own = np.sqrt(np.mean([(pooled.own.slope - slope) ** 2 for pooled, slope in runs_alike]))
    together = np.sqrt(np.mean([(pooled.curve.slope - slope) ** 2 for pooled, slope in runs_alike]))
    assert together < 0.67 * own


def test_pooled_intervals_of_the_slope_still_hold(runs_alike):
    assert np.mean([holds(pooled.curve, slope) for pooled, slope in runs_alike]) > 0.93
    rng = np.random.default_rng(2)
    unlike = [scene(rng, 10, level_sd=0.1, slope_sd=0.03) for _ in range(300)]
    assert 0.91 < np.mean([holds(pooled.curve, slope) for pooled, slope in unlike]) < 0.985


def test_a_run_like_the_others_belongs_and_a_shifted_one_does_not(runs_alike):
    assert np.mean([pooled.belongs() for pooled, _ in runs_alike]) > 0.93
    rng = np.random.default_rng(3)
    shifted = [scene(rng, 10, shift=1.0, level_sd=0.1, slope_sd=0.02)[0] for _ in range(50)]
    assert np.mean([pooled.belongs() for pooled in shifted]) < 0.1


def test_five_percent_of_runs_are_turned_away_where_runs_differ():
    rng = np.random.default_rng(4)
    away = [not scene(rng, 8, level_sd=0.3, slope_sd=0.15)[0].belongs() for _ in range(300)]
    assert 0.02 < np.mean(away) < 0.09


def test_runs_that_differ_far_beyond_their_errors_leave_the_run_its_own_curve():
    rng = np.random.default_rng(5)
    pooled, _ = scene(rng, 12, level_sd=5.0, slope_sd=1.0)
    own = pooled.own
    assert pooled.curve.slope == pytest.approx(own.slope, abs=0.2 * np.sqrt(own.covariance[1, 1]))
    np.testing.assert_allclose(pooled.curve.covariance, own.covariance, rtol=0.1)


def test_variance_between_runs_is_estimated_without_that_within():
    rng = np.random.default_rng(6)
    between = [scene(rng, 20, level_sd=0.3, slope_sd=0.15)[0].between for _ in range(60)]
    np.testing.assert_allclose(np.diag(np.mean(between, axis=0)), [0.09, 0.0225], rtol=0.25)


def test_a_run_at_the_mean_of_the_others_stays_there():
    rng = np.random.default_rng(7)
    earlier = [one_run(rng)[0] for _ in range(6)]
    own = earlier[0]
    centre = own.mean_log10_copies
    mean = pool_standard_curves(own, earlier).mean
    there = replace(own, slope=float(mean[1]), intercept=float(mean[0] - centre * mean[1]))
    pooled = pool_standard_curves(there, earlier)
    assert (pooled.curve.slope, pooled.curve.intercept) == (pytest.approx(there.slope), pytest.approx(there.intercept))
    assert pooled.p_value == pytest.approx(1)
    assert pooled.curve.covariance[1, 1] < own.covariance[1, 1]


def test_a_shift_of_all_cq_shifts_the_pooled_curve():
    rng = np.random.default_rng(8)
    earlier = [one_run(rng)[0] for _ in range(6)]
    own, _ = one_run(rng)
    plain = pool_standard_curves(own, earlier)
    moved = pool_standard_curves(
        *([replace(own, intercept=own.intercept + 2)]), [replace(c, intercept=c.intercept + 2) for c in earlier]
    )
    assert moved.curve.intercept - plain.curve.intercept == pytest.approx(2)
    assert moved.curve.slope == pytest.approx(plain.curve.slope)
    assert moved.p_value == pytest.approx(plain.p_value)


def test_pooled_curves_read_copies_with_a_narrower_shared_error():
    rng = np.random.default_rng(9)
    pooled, _ = scene(rng, 15)
    cq = pooled.own.intercept + pooled.own.slope
    assert pooled.curve.shared_log10_copies_sd(cq) < pooled.own.shared_log10_copies_sd(cq)
    reading = pooled.curve.read(cq, 2)
    assert reading.low < reading.copies < reading.high


def test_hundreds_of_earlier_runs_are_no_trouble():
    rng = np.random.default_rng(10)
    own, _ = one_run(rng)
    pooled = pool_standard_curves(own, [own] * 500)  # no variance between at all
    assert np.isfinite(pooled.curve.covariance).all()
    assert np.linalg.eigvalsh(pooled.curve.covariance).min() > 0


def test_few_runs_or_curves_without_scatter_are_not_pooled():
    own, _ = one_run(np.random.default_rng(1))
    with pytest.raises(CalibrationError, match="found 4 earlier runs; expected at least 5"):
        pool_standard_curves(own, [own] * 4)
    with pytest.raises(CalibrationError, match="a curve without scatter"):
        pool_standard_curves(own, [replace(own, residual_sd=0.0)] * 5)
