"""What counting molecules allows at best: vectors TV-L5 (domain.md, table 5.2)."""

from __future__ import annotations

import numpy as np
import pytest

from bcrabl.detection import (
    copies_from_positives,
    poisson_count_interval,
    poisson_detection_probability,
    poisson_limit_of_detection,
    poisson_limit_of_quantification,
    probability_per_reaction,
)
from bcrabl.errors import CalibrationError


@pytest.mark.parametrize(
    ("copies", "chance"),
    [(1, 0.6321), (2, 0.8647), (2.303, 0.9000), (2.996, 0.9500), (3, 0.9502), (4.605, 0.9900)],
)
def test_the_chance_of_a_molecule_is_that_of_tv_l5(copies, chance):
    assert round(float(poisson_detection_probability(copies)), 4) == chance


@pytest.mark.parametrize(
    ("replicates", "chance"), [(1, 0.95), (2, 0.7764), (3, 0.6316), (4, 0.5271), (5, 0.4507), (8, 0.3123)]
)
def test_the_chance_a_reaction_needs_is_that_of_tv_l5(replicates, chance):
    assert round(probability_per_reaction(0.95, replicates), 4) == chance


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0, 3.69), (1, 0.025, 5.57), (2, 0.24, 7.22), (3, 0.62, 8.77), (5, 1.62, 11.67), (10, 4.80, 18.39)],
)
def test_the_interval_of_a_count_is_that_of_tv_l5(count, low, high):
    assert poisson_count_interval(count) == pytest.approx((low, high), abs=5e-3)


def test_an_undetected_sample_excludes_three_copies_one_sided():
    """TV-L5, second reading: 2.996 is the upper end of a two-sided 90 % interval of no molecule."""
    assert poisson_count_interval(0, 0.90) == pytest.approx((0, 2.9957), abs=5e-5)


@pytest.mark.parametrize(("count", "confidence", "said"), [(-1, 0.95, "found -1"), (1, 95, "confidence")])
def test_counts_that_have_no_interval_are_refused(count, confidence, said):
    with pytest.raises(CalibrationError, match=said):
        poisson_count_interval(count, confidence)


def test_three_copies_are_the_lowest_limit_of_detection():
    assert poisson_limit_of_detection() == pytest.approx(2.9957, abs=5e-5)
    assert poisson_limit_of_detection(0.99) == pytest.approx(4.605, abs=5e-4)


@pytest.mark.parametrize("replicates", [1, 2, 3, 5])
def test_several_reactions_share_the_three_copies(replicates):
    each = poisson_limit_of_detection(replicates=replicates)
    assert each * replicates == pytest.approx(-np.log(0.05))
    assert poisson_detection_probability(each) == pytest.approx(probability_per_reaction(0.95, replicates))


def test_a_cv_of_35_percent_needs_8_counted_copies():
    """1/√x = 0.35"""
    assert poisson_limit_of_quantification(0.35) == pytest.approx(8.163, abs=5e-4)
    assert poisson_limit_of_quantification(0.35, replicates=2) == pytest.approx(4.082, abs=5e-4)


def test_a_quarter_of_positives_is_the_mean_of_tv_s18():
    """At 0.85 nL a partition 338.45 copies/µL"""
    assert copies_from_positives(5_000, 20_000) == pytest.approx(0.287682, abs=5e-7)
    assert copies_from_positives(5_000, 20_000) / 0.85e-3 == pytest.approx(338.45, abs=5e-3)


def test_no_positive_is_no_copy():
    assert copies_from_positives(0, 96) == 0


@pytest.mark.parametrize(("positives", "total"), [(-1, 5), (5, 5), (6, 5), (0, 0)])
def test_shares_that_give_no_mean_are_refused(positives, total):
    with pytest.raises(CalibrationError, match="at least one of them negative"):
        copies_from_positives(positives, total)


@pytest.mark.parametrize("cv", [0, -0.1, np.nan, np.inf])
def test_a_cv_that_is_no_positive_number_is_refused(cv):
    with pytest.raises(CalibrationError, match="cv"):
        poisson_limit_of_quantification(cv)


@pytest.mark.parametrize("probability", [0, 1, np.nan])
def test_a_certain_detection_has_no_limit(probability):
    with pytest.raises(CalibrationError, match="probability"):
        poisson_limit_of_detection(probability)
