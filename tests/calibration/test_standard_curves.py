"""Unweighted standard curves: published vectors TV-Q (domain.md), errors of readings, and what makes no curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcrabl.calibration import fit_standard_curve
from bcrabl.errors import CalibrationError, RunError

LEVELS = np.repeat([15.0, 150.0, 1500.0, 15_000.0, 150_000.0], 3)

# Branford & Hughes 2006, Methods Mol Med 125:69, Table 1
BRANFORD = ([36.45, 33.01, 29.53, 26.12, 22.75, 19.37], [15, 150, 1.5e3, 1.5e4, 1.5e5, 1.5e6])

# Ruijter 2013, Methods 59:32, supplement: Cq, slope, intercept, R², fold per cycle
RUIJTER = {
    "AHCY": (
        [34.13, 32.88, 33.26, 30.52, 30.24, 30.07, 26.74, 26.69, 26.84, 23.45, 23.22, 23.29, 20.08, 19.85, 19.83],
        (-3.39633, 37.52640, 0.996825, 1.96986),
    ),
    "MYCN(4)": (
        [32.67, 32.31, 32.62, 29.80, 29.93, 29.91, 26.22, 26.47, 26.27, 23.13, 22.93, 22.84, 19.46, 19.43, 19.47],
        (-3.30733, 36.73506, 0.997211, 2.00613),
    ),
    "HPRT1": (
        [34.14, 32.92, 33.44, 30.46, 30.11, 30.59, 26.84, 26.98, 26.90, 23.64, 23.66, 23.47, 20.13, 19.98, 20.09],
        (-3.36633, 37.58178, 0.996917, 1.98180),
    ),
}


def printed(curve):
    return round(curve.slope, 5), round(curve.intercept, 5), round(curve.r_squared, 6), round(1 + curve.efficiency, 5)


# -- published curves -------------------------------------------------------------------------------------------------


def test_branfords_table_gives_its_curve():
    assert printed(fit_standard_curve(*BRANFORD)) == (-3.41686, 40.43235, 0.999963, 1.96185)


@pytest.mark.parametrize("gene", RUIJTER)
def test_ruijters_dilution_series_give_their_curves(gene):
    cq, expected = RUIJTER[gene]
    assert printed(fit_standard_curve(cq, LEVELS)) == expected


def test_ruijters_standard_error_of_slope_and_efficiency():
    curve = fit_standard_curve(RUIJTER["AHCY"][0], LEVELS)
    slope_sd = np.sqrt(curve.covariance[1, 1])
    assert round(slope_sd, 5) == 0.05316
    assert round((1 + curve.efficiency) * np.log(10) / curve.slope**2 * slope_sd, 5) == 0.02090


@pytest.mark.parametrize(
    ("cq", "copies", "digits"),
    [(20, 9.547e5, 4), (25, 3.285e4, 4), (30, 1130, 4), (35, 38.9, 3), (36.45, 14.64, 4), (38, 5.15, 3), (40, 1.34, 3)],
)
def test_copies_read_off_branfords_curve(cq, copies, digits):
    found = fit_standard_curve(*BRANFORD).copies(cq)[0]
    assert float(f"{float(found):.{digits}g}") == pytest.approx(copies, rel=1e-9)


def test_covariance_is_that_of_numpys_least_squares():
    cq = RUIJTER["HPRT1"][0]
    curve = fit_standard_curve(cq, LEVELS)
    _, covariance = np.polyfit(np.log10(LEVELS), cq, 1, cov=True)
    np.testing.assert_allclose(curve.covariance, covariance[::-1, ::-1], rtol=1e-9)


def test_range_and_number_of_points_are_those_of_the_standards():
    curve = fit_standard_curve(RUIJTER["AHCY"][0], LEVELS)
    assert (curve.points, curve.copies_low, curve.copies_high) == (15, pytest.approx(15), pytest.approx(150_000))


# -- properties -------------------------------------------------------------------------------------------------------


@given(
    slope=st.floats(-5, -2),
    intercept=st.floats(30, 45),
    copies=st.lists(st.sampled_from([10.0, 100.0, 1e3, 1e4, 1e5, 1e6]), min_size=3, max_size=20).filter(
        lambda values: len(set(values)) > 1
    ),
)
@settings(max_examples=100, deadline=None)
def test_points_on_a_line_give_the_line_and_their_copies_back(slope, intercept, copies):
    cq = intercept + slope * np.log10(copies)
    curve = fit_standard_curve(cq, copies)
    assert curve.slope == pytest.approx(slope, rel=1e-9)
    assert curve.intercept == pytest.approx(intercept, rel=1e-9)
    assert curve.r_squared == pytest.approx(1)
    assert curve.efficiency == pytest.approx(10 ** (-1 / slope) - 1)
    np.testing.assert_allclose(curve.copies(cq)[0], copies, rtol=1e-6)


def test_perfect_doubling_has_a_slope_of_minus_3_32():
    curve = fit_standard_curve([40 - np.log2(10) * k for k in range(5)], 10.0 ** np.arange(5))
    assert curve.slope == pytest.approx(-3.321928, abs=1e-6)
    assert curve.efficiency == pytest.approx(1)


@given(order=st.permutations(range(15)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_standards_changes_nothing(order):
    cq = np.array(RUIJTER["AHCY"][0])
    plain, shuffled = fit_standard_curve(cq, LEVELS), fit_standard_curve(cq[list(order)], LEVELS[list(order)])
    assert shuffled.slope == pytest.approx(plain.slope, rel=1e-12)
    assert shuffled.intercept == pytest.approx(plain.intercept, rel=1e-12)


@given(shift=st.floats(-5, 5))
@settings(max_examples=30, deadline=None)
def test_a_shift_of_every_cq_moves_the_intercept_alone(shift):
    cq = np.array(RUIJTER["AHCY"][0])
    plain, moved = fit_standard_curve(cq, LEVELS), fit_standard_curve(cq + shift, LEVELS)
    assert moved.slope == pytest.approx(plain.slope, rel=1e-9)
    assert moved.intercept - plain.intercept == pytest.approx(shift, abs=1e-9)
    np.testing.assert_allclose(moved.copies(30 + shift)[0], plain.copies(30)[0], rtol=1e-6)


# -- uncertainty ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("true_log10", "replicates"), [(1.0, 1), (3.0, 2), (5.5, 3)])
def test_95_percent_intervals_of_what_was_in_the_tubes_cover_the_truth(true_log10, replicates):
    rng = np.random.default_rng(17)
    levels = np.repeat(10.0 ** np.arange(1, 6), 2)
    covered = 0
    for _ in range(2000):
        curve = fit_standard_curve(40 - 3.4 * np.log10(levels) + rng.normal(0, 0.2, len(levels)), levels)
        cq = 40 - 3.4 * true_log10 + rng.normal(0, 0.2, replicates).mean()
        reading = curve.read(cq, replicates)
        covered += bool(reading.low <= 10**true_log10 <= reading.high)
    assert 0.935 < covered / 2000 < 0.965


@pytest.mark.parametrize("expected", [1e4, 100.0, 30.0, 10.0])
def test_intervals_of_copies_hold_chance_in_the_molecules(expected):
    rng = np.random.default_rng(23)
    levels = np.repeat(10.0 ** np.arange(1, 7), 2)
    covered, plates = 0, 1500
    for _ in range(plates):
        molecules = np.maximum(rng.poisson(levels), 1)
        cq = 40 - 3.4 * np.log10(molecules) + rng.normal(0, 0.15, len(levels))
        curve = fit_standard_curve(cq, levels, weighting="poisson")
        found = 40 - 3.4 * np.log10(max(rng.poisson(expected), 1)) + rng.normal(0, 0.15)
        _, low, high = curve.copies(found)
        covered += bool(low <= expected <= high)
    assert 0.93 < covered / plates < 0.97


@pytest.mark.parametrize("replicates", [0, -1, np.nan, np.inf])
def test_a_reading_is_of_one_reaction_or_more(replicates):
    curve = fit_standard_curve(RUIJTER["AHCY"][0], LEVELS)
    with pytest.raises(CalibrationError, match="replicates: found"):
        curve.copies(30.0, replicates)


def test_the_error_of_a_reading_is_smallest_in_the_middle_of_the_curve_and_falls_with_replicates():
    curve = fit_standard_curve(RUIJTER["AHCY"][0], LEVELS)
    middle = curve.intercept + curve.slope * curve.mean_log10_copies
    assert curve.log10_copies_sd(middle) < curve.log10_copies_sd(middle + 5)
    assert curve.log10_copies_sd(middle + 5) == pytest.approx(curve.log10_copies_sd(middle - 5))
    assert curve.log10_copies_sd(30, 3) < curve.log10_copies_sd(30, 1)
    expected = curve.residual_sd / abs(curve.slope) * np.sqrt(1 + 1 / 15)  # Miller & Miller 2018, eq. 5.9, at x̄
    assert curve.log10_copies_sd(middle) == pytest.approx(expected)


def test_the_error_shared_by_all_readings_is_what_many_replicates_leave():
    curve = fit_standard_curve(RUIJTER["AHCY"][0], LEVELS)
    assert curve.shared_log10_copies_sd(32) == pytest.approx(float(curve.log10_copies_sd(32, 10**9)), rel=1e-4)


def test_copies_keep_the_shape_of_the_cq_and_nan_stays_nan():
    copies, low, high = fit_standard_curve(*BRANFORD).copies([[20, 30], [np.nan, 40]])
    assert copies.shape == low.shape == high.shape == (2, 2)
    assert np.isnan([copies[1, 0], low[1, 0], high[1, 0]]).all()
    assert np.all((low < copies) & (copies < high) | np.isnan(copies))


# -- what makes no curve ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cq", "copies", "text"),
    [
        ([25.0, 25.1, 24.9], [1e3, 1e3, 1e3], r"one level only \(1000 copies\); expected at least two levels"),
        ([25.0, 25.0, 25.0, 25.0], [1e2, 1e3, 1e4, 1e5], "a slope of 0 cycles/decade: the standards do not tell"),
        ([20.0, 23.3, 26.6], [1e2, 1e3, 1e4], "a slope of 3.3 cycles/decade"),
        ([25.0, 28.3], [1e3, 1e2], "2 reactions with a Cq; expected at least 3"),
        ([], [], "0 reactions with a Cq"),
        ([25.0, 28.3, 31.6], [1e3, 1e2, 0.0], "0 copies; expected positive numbers of copies"),
        ([25.0, 28.3, 31.6], [1e3, -100.0, 10.0], "-100 copies; expected positive numbers"),
        ([25.0, 28.3, 31.6], [1e3, np.inf, 10.0], "inf copies; expected positive numbers"),
        ([25.0, np.nan, 31.6], [1e3, 1e2, 10.0], "Cq nan; expected numbers; leave undetected standards out"),
        ([25.0, 28.3, 31.6], [1e3, 1e2], "3 Cq and 2 amounts; expected one Cq for each amount"),
    ],
)
def test_standards_that_make_no_curve_are_refused_with_the_reason(cq, copies, text):
    with pytest.raises(CalibrationError, match=text) as caught:
        fit_standard_curve(cq, copies)
    assert isinstance(caught.value, RunError)
    assert caught.value.problems[0].where == "standards"
