"""Conversion factors: the published forms, a worked sample exchange, and intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest

import bcrabl
from bcrabl.errors import RunError
from bcrabl.harmonisation import derive_conversion_factor, factor_from_calibrator, factor_from_major_response

# TV-C3 of the field's test vectors (constructed)
REFERENCE = (12, 5.6, 2.4, 1.1, 0.62, 0.35, 0.21, 0.12, 0.095, 0.071, 0.048, 0.030, 0.021, 0.014)
REFERENCE += (0.0095, 0.0060, 0.0045, 0.0030, 0.52, 0.16)
LOCAL = (7.1, 3.9, 1.3, 0.70, 0.41, 0.20, 0.13, 0.080, 0.055, 0.046, 0.027, 0.021, 0.0115, 0.0098)
LOCAL += (0.0052, 0.0044, 0.0024, 0.0021, 0.30, 0.11)


@pytest.mark.parametrize(("equivalent", "factor"), [(0.08, 1.25), (0.12, 0.8333), (0.045, 2.2222)])
def test_published_factors_follow_from_the_ratio_that_is_a_major_response(equivalent, factor):
    assert factor_from_major_response(equivalent) == pytest.approx(factor, abs=5e-5)  # TV-C1, Hughes 2006


def test_a_patients_value_of_a_thousandth_percent_in_london():
    assert 0.001 * factor_from_major_response(0.045) == pytest.approx(0.002222, abs=5e-7)  # TV-C2


def test_a_worked_sample_exchange():
    found = derive_conversion_factor(LOCAL, REFERENCE)
    assert found.mean_difference == pytest.approx(0.206381, abs=5e-7)
    assert found.sd_difference == pytest.approx(0.045493, abs=5e-7)
    assert found.value == pytest.approx(1.60835, abs=5e-6)
    assert (found.low, found.high) == pytest.approx((1.5314, 1.6892), abs=5e-5)
    assert (found.agreement_low, found.agreement_high) == pytest.approx((1.3098, 1.9749), abs=5e-5)
    assert found.agreement_fold == pytest.approx(1.2279, abs=5e-5)
    assert found.bias_slope == pytest.approx(0.00318, abs=5e-6)
    assert found.bias_slope_p == pytest.approx(0.764, abs=5e-4)
    assert found.median_value == pytest.approx(1.59326, abs=5e-6)
    assert (found.samples, found.left_out) == (20, ())
    converted = np.array(LOCAL) * found.value
    assert np.abs(np.log10(converted / REFERENCE)).max() < np.log10(1.5)
    assert ((converted <= 0.1) == (np.array(REFERENCE) <= 0.1)).all()  # the same samples are in major response


def test_residuals_after_conversion_give_bias_and_agreement():  # TV-C4
    left = [0.03, -0.05, 0.10, -0.12, 0.02, 0.08, -0.03, 0.06, -0.09, 0.15]
    left += [-0.20, 0.11, 0.01, -0.02, 0.05, 0.07, -0.06, 0.04, 0.09, -0.01]
    found = derive_conversion_factor(np.ones(20), 10 ** np.array(left))
    assert found.value == pytest.approx(1.0268, abs=5e-5)
    assert (found.agreement_low, found.agreement_high) == pytest.approx((0.697, 1.514), abs=5e-4)


def test_a_calibrator_on_the_plate_gives_the_factor_of_the_run():  # TV-C5
    factor = factor_from_calibrator(0.101, 0.13)
    assert factor == pytest.approx(0.77692, abs=5e-6)
    assert 100 * 250 / 60_000 * factor == pytest.approx(0.32372, abs=5e-6)


def test_undetected_and_saturated_pairs_are_left_out_and_named():
    local, reference = [*LOCAL, 0.0, np.nan, 0.02], [*REFERENCE, 0.01, 0.02, 0.0]
    found = derive_conversion_factor(local, reference, most_percent=10)
    assert found.left_out == (0, 20, 21, 22)
    assert found.samples == 19
    assert (found.lowest, found.highest) == (0.0021, 3.9)


def test_a_bias_that_depends_on_the_level_shows():
    rng = np.random.default_rng(4)
    local = 10 ** rng.uniform(-3, 0.5, 30)
    found = derive_conversion_factor(local, local**1.15 * 10 ** rng.normal(0, 0.05, 30))
    assert found.bias_slope_p < 0.001


def test_the_interval_holds_the_true_factor():
    rng = np.random.default_rng(9)
    held = 0
    for _ in range(1000):
        local = 10 ** rng.uniform(-3, 0.5, 25)
        found = derive_conversion_factor(local, 0.8 * local * 10 ** rng.normal(0, 0.2, 25))
        held += found.low <= 0.8 <= found.high
    assert 933 <= held <= 967  # 950 ± 2.5 standard errors


@pytest.mark.parametrize(
    ("local", "reference", "message"),
    [
        ([0.1, 0.2], [0.1], "2 local and 1 reference"),
        ([0.1, -0.2, 0.3], [0.1, 0.2, 0.3], "-0.2 %"),
        ([0.1, np.inf, 0.3], [0.1, 0.2, 0.3], "inf %"),
        ([0.1, 0.0, 0.3], [0.1, 0.2, 0.3], "2 pairs detected on both sides"),
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], "without any scatter"),
        ([[0.1]], [[0.1]], r"shape \(1, 1\)"),
    ],
)
def test_an_exchange_that_gives_no_factor_is_refused(local, reference, message):
    with pytest.raises(RunError, match=message):
        bcrabl.derive_conversion_factor(local, reference)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_level_that_is_none_gives_no_factor(value):
    with pytest.raises(RunError, match="positive number"):
        factor_from_major_response(value)
    with pytest.raises(RunError, match="positive number"):
        factor_from_calibrator(0.1, value)
