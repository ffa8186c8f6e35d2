"""Limits of blank and what stands on them: vectors TV-L4 (domain.md), order statistics, normal theory."""

from __future__ import annotations

import numpy as np
import pytest

from bcrabl.detection import limit_of_blank, limit_of_detection_from_blank, lowest_level_above_blank
from bcrabl.detection.blank import ep17_multiplier
from bcrabl.errors import BcrablError, CalibrationError

# TV-L4
BLANKS = [0, 0, 0, 0.4, 0, 0, 0.7, 0, 0, 0, 0.2, 0, 0, 0, 0, 0.9, 0, 0, 0.3, 0]
LOW = [3.1, 2.2, 4.0, 1.9, 2.8, 3.5, 5.2, 4.1, 6.0, 3.9, 5.5, 4.4, 2.0, 3.3, 2.7, 1.5, 3.9, 2.4]
LOW_SAMPLES = np.repeat(["a", "b", "c"], 6)


# -- TV-L4 -------------------------------------------------------------------------------------------------------------


def test_the_parametric_limit_of_blank_is_that_of_tv_l4():
    limit = limit_of_blank(BLANKS, method="parametric")
    assert (round(limit.mean, 4), round(limit.sd, 4)) == (0.1250, 0.2593)
    assert (round(limit.multiplier, 5), round(limit.copies, 5)) == (1.66693, 0.55724)


def test_the_rank_of_the_non_parametric_limit_of_blank_is_that_of_tv_l4():
    limit = limit_of_blank(BLANKS)
    assert limit.method == "non_parametric"
    assert limit.rank == 19.5
    assert limit.copies == pytest.approx(0.80)
    assert (limit.results, limit.samples, limit.positive) == (20, 1, 5)


def test_the_limit_of_detection_from_low_samples_is_that_of_tv_l4():
    limit = limit_of_detection_from_blank(0.55724, LOW, LOW_SAMPLES)
    assert (round(limit.sd, 5), round(limit.multiplier, 5)) == (0.83413, 1.67288)
    assert limit.copies == pytest.approx(1.95264, abs=1e-5)
    assert (limit.results, limit.samples) == (18, 3)


def test_the_multiplier_of_60_blanks_of_4_samples_is_that_of_tv_l4():
    assert round(ep17_multiplier(60, 4), 5) == 1.65238


# -- intervals ---------------------------------------------------------------------------------------------------------


def test_the_interval_of_the_non_parametric_limit_is_that_of_order_statistics():
    """B = 100, 95 % quantile: P(X <= 89) = 0.0115, P(X <= 90) = 0.0282, P(X <= 98) = 0.9629, P(X <= 99) = 0.9941 for
    X ~ Bin(100, 0.95), so ranks 90 and 100 are the innermost with at most 2.5 % outside on each side."""
    limit = limit_of_blank(np.arange(1, 101))
    assert (limit.low, limit.copies, limit.high) == (90, 95.5, 100)


def test_too_few_blanks_set_no_upper_end():
    """0.95^59 = 0.049: with 59 results even the largest may lie below the quantile more often than 2.5 %."""
    assert limit_of_blank(np.arange(59)).high == np.inf
    assert limit_of_blank(np.arange(73)).high == 72  # 0.95^73 = 0.0236


@pytest.mark.parametrize("method", ["non_parametric", "parametric"])
def test_the_interval_of_a_normal_quantile_covers_it(method):
    """2,000 normal samples of 120: the true quantile lies outside a 95 % interval in 100 ± 3·9.7, in fewer by ranks."""
    random = np.random.default_rng(5)
    truth = 100 + 1.6448536 * 5
    missed = 0
    for values in random.normal(100, 5, (2000, 120)):
        limit = limit_of_blank(values, method=method)
        missed += not limit.low <= truth <= limit.high
    assert missed <= 130
    assert method == "non_parametric" or missed >= 71


def test_the_interval_of_the_spread_covers_the_limit_of_detection():
    """2,000 studies of 4 samples of 15: LoB + c_p·SD with the true SD lies outside in 100 ± 3·9.7."""
    random = np.random.default_rng(6)
    samples = np.repeat(np.arange(4), 15)
    truth = 1 + ep17_multiplier(60, 4) * 0.5
    missed = 0
    for values in 5 + samples + random.normal(0, 0.5, (2000, 60)):
        limit = limit_of_detection_from_blank(1, values, samples)
        missed += not limit.low <= truth <= limit.high
    assert 71 <= missed <= 130


# -- facts -------------------------------------------------------------------------------------------------------------


def test_negative_blanks_have_a_limit_of_zero():
    for method in ("parametric", "non_parametric"):
        assert limit_of_blank([0] * 60, method=method).copies == 0


def test_more_blank_samples_leave_fewer_degrees_of_freedom():
    """1.645/(1 - 1/(4·15))"""
    limit = limit_of_blank(BLANKS, method="parametric", samples=np.repeat(np.arange(5), 4))
    assert limit.samples == 5
    assert limit.multiplier == pytest.approx(1.645 / (1 - 1 / 60))


def test_another_percentile_takes_its_own_rank_and_normal_quantile():
    """rank 0.5 + 0.9·20 = 18.5 between 0.4 and 0.7; z = 1.282 with three decimals."""
    assert limit_of_blank(BLANKS, percentile=0.9).copies == pytest.approx(0.55)
    assert limit_of_blank(BLANKS, method="parametric", percentile=0.9).multiplier == pytest.approx(1.282 / (1 - 1 / 76))


def test_the_means_of_low_samples_do_not_count_as_spread():
    apart = np.array(LOW) + np.repeat([0, 100, 1000], 6)
    assert limit_of_detection_from_blank(0.5, apart, LOW_SAMPLES).sd == pytest.approx(0.83413, abs=1e-5)


def test_the_lowest_level_above_blank_has_95_percent_of_its_results_above():
    """20 results a level: 18, 19 and 20 above 0.5; 19 of 20 are 95 %."""
    copies = np.repeat([1, 3, 10], 20)
    values = np.concatenate([np.where(np.arange(20) < above, 2.0, 0.5) for above in (18, 19, 20)])
    assert lowest_level_above_blank(copies, values, limit_of_blank=0.5).copies == 3


def test_blanks_in_the_study_are_no_level():
    found = lowest_level_above_blank([0, 0, 5, 5], [9, 9, 9, 9], limit_of_blank=0.5)
    assert (found.copies, found.higher_failing) == (5, ())


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "how", "said"),
    [
        ([0, -1], {}, "values: found -1"),
        ([0, np.nan], {}, "values: found nan.*Write blanks without Cq as 0"),
        ([], {}, "no value"),
        ([0] * 9, {}, "9 results; expected at least 10 results"),
        ([1], {"method": "parametric"}, "1 results of 1 samples"),
        ([1, 2], {"method": "parametric", "samples": ["a", "b"]}, "2 results of 2 samples"),
        ([1, 2], {"samples": ["a"]}, "1 labels and 2 results"),
        (BLANKS, {"method": "bootstrap"}, "one of non_parametric, parametric"),
        (BLANKS, {"percentile": 95}, "percentile: found 95"),
        (BLANKS, {"confidence": 1}, "confidence: found 1"),
    ],
)
def test_blanks_that_give_no_limit_are_refused(values, how, said):
    with pytest.raises(BcrablError, match=said):
        limit_of_blank(values, **how)


@pytest.mark.parametrize(
    ("limit", "values", "samples", "said"),
    [
        (-1, LOW, LOW_SAMPLES, "limit_of_blank: found -1"),
        (0.5, [-1, 2], ["a", "a"], "values: found -1"),
        (0.5, [1, 2], ["a", "b"], "more results than samples"),
        (0.5, [1, 2], ["a"], "1 labels and 2 results"),
    ],
)
def test_low_samples_that_give_no_limit_are_refused(limit, values, samples, said):
    with pytest.raises(CalibrationError, match=said):
        limit_of_detection_from_blank(limit, values, samples)


@pytest.mark.parametrize(
    ("copies", "values", "said"),
    [([1, 2], [1], "2 amounts and 1 results"), ([0, 0], [1, 1], "blanks only"), ([1, -1], [1, 1], "copies: found -1")],
)
def test_levels_that_give_no_limit_are_refused(copies, values, said):
    with pytest.raises(CalibrationError, match=said):
        lowest_level_above_blank(copies, values, limit_of_blank=0.5)
