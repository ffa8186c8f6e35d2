"""Standards that do not fit: against regression without them, tabulated points, and plates without outliers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtr
from standards_builder import LEVELS, draw_standards

from bcrabl.calibration import fit_standard_curve, missed_standards, outlying_standards
from bcrabl.calibration.outliers import GRUBBS, STUDENTISED, grubbs_p_value
from bcrabl.calibration.template import detected_log10_moments


def test_a_studentised_residual_is_the_t_of_the_reaction_against_the_line_without_it():
    cq, copies = draw_standards(np.random.default_rng(1), levels=LEVELS[2:])
    tests = outlying_standards(fit_standard_curve(cq, copies), cq, copies, significance=1.0)
    found = {test.index: test for test in tests if test.test == STUDENTISED}
    assert sorted(found) == list(range(8))
    for index, test in found.items():
        rest = np.arange(8) != index
        curve = fit_standard_curve(cq[rest], copies[rest])
        row = np.array([1.0, np.log10(copies[index])])
        error = np.sqrt(curve.residual_sd**2 + row @ curve.covariance @ row)
        t = (cq[index] - row @ [curve.intercept, curve.slope]) / error
        assert test.statistic == pytest.approx(t, rel=1e-9)
        assert test.p_value == pytest.approx(min(1.0, 8 * 2 * stdtr(5, -abs(t))), rel=1e-7)


# Grubbs 1969, Technometrics 11:1: 5 % points, two-sided
@pytest.mark.parametrize(
    ("reactions", "point"), [(4, 1.481), (5, 1.715), (6, 1.887), (7, 2.020), (8, 2.126), (9, 2.215), (10, 2.290)]
)
def test_grubbs_p_is_5_percent_at_the_tabulated_points(reactions, point):
    assert grubbs_p_value(point, reactions) == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize("weighting", ["none", "poisson"])
def test_a_reaction_pipetted_twice_is_found_and_named(weighting):
    cq, copies = draw_standards(np.random.default_rng(2), levels=LEVELS[2:], replicates=3, sd=0.05)
    spoiled = cq.copy()
    spoiled[4] -= 1.0
    curve = fit_standard_curve(spoiled, copies, weighting=weighting)
    first = outlying_standards(curve, spoiled, copies)[0]
    assert (first.index, first.test) == (4, STUDENTISED)
    assert first.p_value < 0.001
    assert first.statistic < 0
    everything = outlying_standards(curve, spoiled, copies, significance=1.0)
    assert {test.index for test in everything if test.test == GRUBBS and copies[test.index] == copies[4]} == {4}


def test_levels_in_duplicate_have_no_grubbs_test():
    cq, copies = draw_standards(np.random.default_rng(3))
    tests = outlying_standards(fit_standard_curve(cq, copies), cq, copies, significance=1.0)
    assert {test.test for test in tests} == {STUDENTISED}


def test_five_percent_of_honest_plates_show_an_outlier_with_weights_and_far_more_without():
    rng = np.random.default_rng(4)
    plates = [draw_standards(rng) for _ in range(600)]
    rates = {
        weighting: np.mean([bool(outlying_standards(fit_standard_curve(*p, weighting=weighting), *p)) for p in plates])
        for weighting in ("none", "poisson")
    }
    assert 0.01 < rates["poisson"] < 0.075
    assert rates["none"] > 0.2  # chance at 10 copies, taken for error


@pytest.mark.parametrize("weighting", ["none", "poisson"])
def test_points_on_a_line_have_no_outlier(weighting):
    copies = 10.0 ** np.arange(1, 7)
    x = np.log10(copies) if weighting == "none" else detected_log10_moments(copies)[0]
    line = 40.1 - 10 / 3 * x
    curve = fit_standard_curve(line, copies, weighting=weighting)
    assert outlying_standards(curve, line, copies, significance=1.0) == ()


def test_three_points_have_no_outlier():
    copies = 10.0 ** np.arange(4)
    three = np.array([40.0, 36.5, 33.1])
    assert outlying_standards(fit_standard_curve(three, copies[:3]), three, copies[:3], significance=1.0) == ()


def test_a_missed_ten_copy_standard_is_no_chance_and_a_missed_one_copy_standard_is():
    levels = missed_standards([1.0, 1.0, 10.0, 10.0, 100.0], [True, False, False, True, True])
    assert [(level.copies, level.missed, level.total) for level in levels] == [(1.0, 1, 2), (10.0, 1, 2)]
    one, ten = (level.p_value for level in levels)
    assert one == pytest.approx(1 - (1 - np.exp(-1)) ** 2)
    assert ten == pytest.approx(1 - (1 - np.exp(-10)) ** 2)
    assert missed_standards([10.0, 10.0], [True, True]) == ()
