"""Limits of detection: vectors TV-L1 (domain.md), an independent program, closed forms, and what is no study.

Reference figures called "statsmodels" were made with statsmodels 0.15.0 (GLM, Binomial, links Probit, Logit, CLogLog,
fitted to 1e-14; profile likelihood by offset and scipy 1.17 brentq, two-sided 95 %).
"""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcrabl.detection import LINKS, compare_links, limit_of_detection, lowest_level_detected, poisson_limit_of_detection
from bcrabl.errors import BcrablError, CalibrationError

TWO_PARAMETERS = ("probit", "logit", "cloglog")

# Merkes 2019, doi 10.5066/P9GT00GB, Data.csv: 96 reactions a level, the same counts for both markers
MERKES = ([1, 5, 10, 100, 1000, 10_000], [25, 59, 96, 96, 96, 96], [96] * 6)

# Bliss 1935, Ann Appl Biol 22:134: beetles killed by log10 dose, the textbook case of binomial regression
BLISS = (
    10 ** np.array([1.6907, 1.7242, 1.7552, 1.7842, 1.8113, 1.8369, 1.8610, 1.8839]),
    [6, 13, 18, 28, 52, 53, 61, 60],
    [59, 60, 62, 56, 63, 59, 62, 60],
)

TWO_FOLD = ([0.5, 1, 2, 4, 8, 16, 32], [4, 7, 12, 15, 20, 19, 20], [20] * 7)


def limit_of(study, link, **how):
    copies, detected, total = study
    return limit_of_detection(copies, detected, total=total, link=link, **how)


# -- TV-L1 -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "copies", "minus_two_log_likelihood"),
    [("probit", 13.618, 267.04), ("logit", 15.888, 269.91), ("cloglog", 10.115, 257.99), ("one_hit", 11.163, 259.07)],
)
def test_the_links_give_the_limits_of_tv_l1(link, copies, minus_two_log_likelihood):
    limit = limit_of(MERKES, link)
    assert limit.copies == pytest.approx(copies, abs=1e-3)
    assert -2 * limit.log_likelihood == pytest.approx(minus_two_log_likelihood, abs=5e-3)
    assert limit.link == link


@pytest.mark.parametrize(
    ("link", "low", "high"), [("probit", 9.67, 19.19), ("logit", 10.87, 23.22), ("cloglog", 8.05, 12.70)]
)
def test_the_delta_intervals_are_those_of_tv_l1(link, low, high):
    assert limit_of(MERKES, link).wald_interval == pytest.approx((low, high), abs=6e-3)


def test_the_probit_line_and_the_one_hit_rate_are_those_of_tv_l1():
    probit, one_hit = limit_of(MERKES, "probit"), limit_of(MERKES, "one_hit")
    assert (probit.intercept, probit.slope) == pytest.approx((-0.7852, 2.1427), abs=5e-5)
    assert np.exp(one_hit.intercept) == pytest.approx(0.2684, abs=5e-5)
    assert one_hit.detection_probability([1, 5]) == pytest.approx(1 - np.exp(-0.26836 * np.array([1, 5])), abs=1e-5)


@pytest.mark.parametrize("link", LINKS)
def test_every_interval_of_tv_l1_is_finite_and_positive(link):
    limit = limit_of(MERKES, link)
    assert 0 < limit.low < limit.copies < limit.high < np.inf
    assert limit.bounded
    assert not limit.extrapolated


def test_ten_copies_are_the_lowest_level_of_tv_l1_found_in_95_percent():
    copies, detected, total = MERKES
    assert lowest_level_detected(copies, detected, total=total).copies == 10


@pytest.mark.real_data
@pytest.mark.parametrize("target", ["BHC", "SVC"])
def test_single_reactions_give_the_limit_of_their_counts(real_data, target):
    with real_data("lod_cq", "Data.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["Target"] == target and row["Sample"].startswith("STD")]
    copies = [float(row["SQ"]) for row in rows]
    detected = [row["Cq"] not in ("", "NA", "NaN") for row in rows]
    for link in LINKS:
        assert limit_of_detection(copies, detected, link=link).copies == limit_of(MERKES, link).copies


# -- an independent program --------------------------------------------------------------------------------------------

# study, link: intercept, slope, LoD, profile low, high, delta low, high (observed information), deviance
STATSMODELS = {
    ("merkes", "probit"): (-0.78519959, 2.14266838, 13.618358, 10.043398, 20.200847, 9.665231, 19.188332, 28.934715),
    ("merkes", "logit"): (-1.30923110, 3.54155975, 15.888120, 11.296779, 24.439832, 10.873132, 23.216159, 31.799452),
    ("merkes", "cloglog"): (-1.51246205, 2.59678958, 10.114693, 8.270899, 13.224717, 8.054070, 12.702525, 19.878915),
    ("two_fold", "probit"): (-0.33069750, 1.96671605, 10.103976, 6.102166, 20.706885, 5.608185, 18.203807, 4.296041),
    ("two_fold", "logit"): (-0.56780672, 3.43180300, 10.554566, 5.984112, 23.963812, 5.419730, 20.554319, 4.496577),
    ("two_fold", "cloglog"): (-0.75545152, 1.87241396, 9.759767, 6.496600, 17.555298, 6.039733, 15.771068, 5.058145),
    ("bliss", "probit"): (-34.9352589, 19.7279342, 71.487357, 69.474851, 73.953421, 69.309829, 73.733298, 10.119758),
    ("bliss", "logit"): (-60.7174546, 34.2703257, 72.050832, 69.776319, 74.877095, 69.578606, 74.610899, 11.232231),
    ("bliss", "cloglog"): (-39.5723106, 22.0411698, 70.010093, 68.532102, 71.803485, 68.407956, 71.649752, 3.446439),
}
STUDIES = {"merkes": MERKES, "two_fold": TWO_FOLD, "bliss": BLISS}


@pytest.mark.parametrize(("study", "link"), STATSMODELS)
def test_the_fit_agrees_with_statsmodels(study, link):
    intercept, slope, copies, low, high, delta_low, delta_high, deviance = STATSMODELS[study, link]
    limit = limit_of(STUDIES[study], link)
    assert (limit.intercept, limit.slope) == pytest.approx((intercept, slope), rel=1e-7)
    assert (limit.copies, limit.low, limit.high) == pytest.approx((copies, low, high), rel=1e-6)
    assert limit.wald_interval == pytest.approx((delta_low, delta_high), rel=1e-6)
    assert limit.deviance == pytest.approx(deviance, abs=1e-6)
    assert limit.degrees_of_freedom == len(STUDIES[study][0]) - 2


@pytest.mark.parametrize(
    ("study", "copies", "low", "high", "deviance"),
    [
        ("merkes", 11.163096, 9.420330, 13.284997, 20.958849),
        ("two_fold", 7.992189, 6.033533, 10.716795, 6.942596),
        ("bliss", 191.867068, 170.432087, 216.850628, 217.470757),
    ],
)
def test_one_hit_agrees_with_statsmodels_cloglog_on_an_offset_of_ln_copies(study, copies, low, high, deviance):
    limit = limit_of(STUDIES[study], "one_hit")
    assert (limit.copies, limit.low, limit.high) == pytest.approx((copies, low, high), rel=1e-6)
    assert limit.deviance == pytest.approx(deviance, abs=1e-5)
    assert limit.degrees_of_freedom == len(STUDIES[study][0]) - 1


def test_the_published_deviances_of_the_beetles_are_found():
    """Dobson & Barnett 2008, Introduction to Generalized Linear Models, table 7.4."""
    found = [round(limit_of(BLISS, link).deviance, 2) for link in ("logit", "probit", "cloglog")]
    assert found == [11.23, 10.12, 3.45]


# -- closed forms ------------------------------------------------------------------------------------------------------


def test_a_perfect_assay_has_the_poisson_limit():
    """Shares of exactly 1 - exp(-x) in huge levels."""
    copies = np.array([0.5, 1, 2, 3, 4])
    total = np.full(5, 10**8)
    detected = np.round(-np.expm1(-copies) * total)
    for link in ("one_hit", "cloglog"):
        limit = limit_of_detection(copies, detected, total=total, link=link)
        assert limit.copies == pytest.approx(poisson_limit_of_detection(), rel=1e-3)
        assert limit.low < poisson_limit_of_detection() < limit.high


def test_one_level_of_one_hit_is_the_rate_of_digital_pcr():
    """A quarter positive: 0.287682 molecules found of 2 copies."""
    limit = limit_of_detection([2], [5_000], total=[20_000], link="one_hit")
    assert np.exp(limit.intercept) == pytest.approx(0.287682 / 2, abs=1e-6)
    assert limit.copies == pytest.approx(-np.log(0.05) / (0.287682 / 2), rel=1e-5)
    assert np.isnan(limit.p_value)


@pytest.mark.parametrize("replicates", [1, 2, 3, 5, 8])
def test_the_limit_of_n_reactions_is_that_of_the_chance_one_of_them_needs(replicates):
    """Merkes 2019: 1 - 0.05^(1/n)"""
    several = limit_of(MERKES, "cloglog", replicates=replicates)
    single = limit_of(MERKES, "cloglog", probability=1 - 0.05 ** (1 / replicates))
    assert several.copies == pytest.approx(single.copies, rel=1e-12)
    assert (several.low, several.high) == pytest.approx((single.low, single.high), rel=1e-9)
    assert 1 - (1 - several.detection_probability(several.copies)) ** replicates == pytest.approx(0.95, abs=1e-12)


def test_one_hit_spreads_the_copies_needed_over_the_reactions():
    assert limit_of(MERKES, "one_hit", replicates=3).copies == pytest.approx(limit_of(MERKES, "one_hit").copies / 3)


@settings(max_examples=40)
@given(factor=st.floats(0.01, 1000), link=st.sampled_from(LINKS))
def test_another_unit_of_amount_changes_the_limit_by_its_factor(factor, link):
    copies, detected, total = TWO_FOLD
    here = limit_of(TWO_FOLD, link)
    there = limit_of_detection(np.array(copies) * factor, detected, total=total, link=link)
    assert (there.copies, there.low, there.high) == pytest.approx(
        (here.copies * factor, here.low * factor, here.high * factor), rel=1e-5
    )


@settings(max_examples=40)
@given(order=st.permutations(range(7)))
def test_the_order_of_the_levels_changes_no_bit(order):
    copies, detected, total = (np.array(each)[list(order)] for each in TWO_FOLD)
    assert limit_of_detection(copies, detected, total=total).copies == limit_of(TWO_FOLD, "cloglog").copies


def test_single_reactions_and_their_counts_give_the_same_limit():
    copies = np.repeat(TWO_FOLD[0], 20)
    detected = np.concatenate([np.arange(20) < count for count in TWO_FOLD[1]])
    single, counted = limit_of_detection(copies, detected), limit_of(TWO_FOLD, "cloglog")
    assert (single.copies, single.low, single.high) == (counted.copies, counted.low, counted.high)


@pytest.mark.parametrize("link", LINKS)
def test_the_profile_at_the_ends_is_what_the_confidence_allows(link):
    """The best fit with the limit held at an end, on a fine grid of slopes, lies χ²/2 = 1.9207 below the maximum."""
    limit = limit_of(TWO_FOLD, link)
    y, n, x = limit.levels.detected, limit.levels.total, limit.levels.log10_copies
    quantile = limit.intercept + limit.slope * np.log10(limit.copies)
    slopes = limit.slope * np.linspace(0.2, 3, 28_001) if link != "one_hit" else np.array([limit.slope])
    for end in (limit.low, limit.high):
        predictor = quantile + slopes[:, None] * (x - np.log10(end))
        chance = chance_of(link, predictor)
        best = (y * np.log(chance) + (n - y) * np.log1p(-chance)).sum(axis=1).max()
        assert limit.log_likelihood - best == pytest.approx(1.920729, abs=1e-5)


def chance_of(link, predictor):
    from scipy.stats import norm

    forms = {"probit": norm.cdf, "logit": lambda eta: 1 / (1 + np.exp(-eta))}
    chance = forms.get(link, lambda eta: -np.expm1(-np.exp(eta)))(predictor)
    return np.clip(chance, 1e-300, 1 - 1e-16)


# -- false positives ---------------------------------------------------------------------------------------------------


def test_negative_blanks_change_nothing_without_a_background():
    copies, detected, total = TWO_FOLD
    limit = limit_of_detection([0, *copies], [0, *detected], total=[60, *total])
    assert (limit.copies, limit.low, limit.high) == (
        limit_of(TWO_FOLD, "cloglog").copies,
        limit_of(TWO_FOLD, "cloglog").low,
        limit_of(TWO_FOLD, "cloglog").high,
    )
    assert limit.detection_probability(0) == 0


@pytest.mark.parametrize("link", LINKS)
def test_a_background_in_exact_shares_is_found_and_taken_off(link):
    """Shares of exactly 0.1 + 0.9·F in huge levels give back 0.1 and the limit of F alone."""
    copies, total = np.array([0, 0.5, 1, 2, 4, 8]), np.full(6, 10**7)
    clean = limit_of(TWO_FOLD, link)
    shares = 0.1 + 0.9 * clean.detection_probability(copies)
    limit = limit_of_detection(copies, np.round(shares * total), total=total, link=link, background=True)
    assert limit.background == pytest.approx(0.1, abs=1e-5)
    assert limit.copies == pytest.approx(clean.copies, rel=1e-4)
    assert limit.low < clean.copies < limit.high
    assert limit.detection_probability(0) == pytest.approx(0.1, abs=1e-5)


def test_a_background_of_negative_blanks_is_almost_none():
    """With one-hit, shares that are exactly one-hit and negative blanks leave a background of 0."""
    copies, total = np.array([0, 0.5, 1, 2, 4, 8]), np.full(6, 10**7)
    limit = limit_of_detection(
        copies, np.round(-np.expm1(-copies) * total), total=total, link="one_hit", background=True
    )
    assert limit.background == 0
    assert limit.copies == pytest.approx(poisson_limit_of_detection(), rel=1e-4)


def test_positive_blanks_need_a_background():
    with pytest.raises(CalibrationError, match=r"3 of 60 blanks positive.*Estimate a background"):
        limit_of_detection([0, 1, 2, 4], [3, 5, 8, 15], total=[60, 20, 20, 20])


def test_a_background_needs_blanks():
    with pytest.raises(CalibrationError, match="no blank"):
        limit_of_detection([1, 2, 4], [5, 8, 15], total=[20, 20, 20], background=True)


# -- what cannot be known ----------------------------------------------------------------------------------------------


def test_an_interval_without_an_upper_end_says_so():
    """Detection that hardly rises: a chance that never changes is not excluded."""
    limit = limit_of_detection([1, 2, 4], [9, 10, 12], total=[20, 20, 20], link="logit")
    assert limit.high == np.inf
    assert not limit.bounded
    assert limit.extrapolated


def test_an_interval_without_a_lower_end_says_so():
    """Nearly everything found at every level: a chance of 96 % at any amount is not excluded."""
    limit = limit_of_detection([1, 2, 4], [19, 19, 20], total=[20, 20, 20], link="logit")
    assert limit.low == 0
    assert not limit.bounded


@pytest.mark.parametrize("link", TWO_PARAMETERS)
def test_no_level_between_all_and_nothing_is_refused_with_the_design_it_needs(link):
    with pytest.raises(CalibrationError, match=r"no level between.*at least two.*between 2 and 4 copies.*one_hit"):
        limit_of_detection([1, 2, 4, 8], [0, 0, 20, 20], total=[20] * 4, link=link)


@pytest.mark.parametrize("link", TWO_PARAMETERS)
def test_one_level_found_in_part_is_refused_with_the_design_it_needs(link):
    with pytest.raises(CalibrationError, match=r"one level found in part.*about 2 copies"):
        limit_of_detection([1, 2, 4, 8], [0, 7, 20, 20], total=[20] * 4, link=link)


def test_one_hit_needs_no_slope_and_fits_where_others_cannot():
    """Σ over levels of x/(exp(r·x) - 1)·y = Σ x·(n - y): the likelihood equation of the rate."""
    x, y, n = np.array([1, 2, 4, 8]), np.array([0, 7, 20, 20]), 20
    limit = limit_of_detection(x, y, total=[n] * 4, link="one_hit")
    rate = np.exp(limit.intercept)
    assert (x * y / np.expm1(rate * x)).sum() == pytest.approx((x * (n - y)).sum(), rel=1e-6)


def test_everything_found_is_refused_and_says_where_the_limit_lies():
    with pytest.raises(CalibrationError, match=r"every reaction positive.*below 3 copies"):
        limit_of_detection([3, 10], [20, 20], total=[20, 20], link="one_hit")


def test_nothing_found_is_refused_and_says_where_the_limit_lies():
    with pytest.raises(CalibrationError, match=r"no reaction positive.*above 10 copies"):
        limit_of_detection([3, 10], [0, 0], total=[20, 20])


def test_detection_that_falls_with_the_copies_is_refused():
    with pytest.raises(CalibrationError, match="detection that rises"):
        limit_of_detection([1, 2, 4, 8], [15, 12, 9, 4], total=[20] * 4)


def test_blanks_alone_are_refused():
    with pytest.raises(CalibrationError, match="levels with target"):
        limit_of_detection([0, 0], [0, 0])


@pytest.mark.parametrize(
    ("copies", "detected", "total", "said"),
    [
        ([-1, 2], [1, 2], [3, 3], "copies: found -1"),
        ([np.nan, 2], [1, 2], [3, 3], "copies: found nan"),
        ([np.inf, 2], [1, 2], [3, 3], "copies: found inf"),
        ([1, 2], [-1, 2], [3, 3], "detected: found -1"),
        ([1, 2], [np.nan, 2], [3, 3], "detected: found nan"),
        ([1, 2], [4, 2], [3, 3], "detected: found 4 of 3"),
        ([1, 2], [4, 2], None, "Give `total`"),
        ([1, 2], [0.5, 1], None, "whole reactions"),
        ([1, 2], [1, 2], [3.5, 3], "whole reactions"),
        ([1, 2, 3], [1, 2], [3, 3], "3 amounts and 2 results"),
        ([1, 2], [1, 2], [3], "2 results and 1 totals"),
        ([], [], None, "no value"),
        (["a few", 2], [1, 2], [3, 3], "numbers"),
    ],
)
def test_what_is_no_study_is_refused(copies, detected, total, said):
    with pytest.raises(BcrablError, match=said):
        limit_of_detection(copies, detected, total=total)


@settings(max_examples=60)
@given(
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=7),
    total=st.sampled_from([1, 4, 20, 10**6]),
    link=st.sampled_from(LINKS),
    background=st.booleans(),
)
def test_any_study_gives_a_limit_within_its_interval_or_a_reason(shares, total, link, background):
    """Also where blanks contradict low levels, and detection falls and rises."""
    copies = np.array([0, 0.5, 1, 3, 10, 100, 1e6])[: len(shares)]
    detected = np.round(np.array(shares) * total)
    try:
        limit = limit_of_detection(copies, detected, total=[total] * len(shares), link=link, background=background)
    except CalibrationError:
        return
    assert 0 <= limit.low <= limit.copies * (1 + 1e-9)
    assert limit.copies <= limit.high * (1 + 1e-9)
    assert 0 <= limit.background < 1


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(CalibrationError) as refused:
        limit_of_detection([-1, 2], [np.nan, 2], total=[3, -3])
    assert [problem.where for problem in refused.value.problems] == ["copies", "detected", "total"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"link": "cauchit"}, "one of probit, logit, cloglog, one_hit"),
        ({"probability": 1}, "probability: found 1"),
        ({"probability": 95}, "probability: found 95"),
        ({"confidence": 0}, "confidence: found 0"),
        ({"replicates": 0}, "replicates: found 0"),
        ({"replicates": 1.5}, "replicates: found 1.5"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(how, said):
    copies, detected, total = MERKES
    with pytest.raises(CalibrationError, match=said):
        limit_of_detection(copies, detected, total=total, **how)


# -- the links side by side --------------------------------------------------------------------------------------------


def test_links_are_ordered_by_aic_and_weighted():
    """TV-L1: -2 log L 259.07 with one parameter, 257.99, 267.04 and 269.91 with two."""
    shown = compare_links(*MERKES[:2], total=MERKES[2])
    assert [limit.link for limit in shown.limits] == ["one_hit", "cloglog", "probit", "logit"]
    assert [limit.aic for limit in shown.limits] == pytest.approx([261.07, 261.99, 271.04, 273.91], abs=6e-3)
    relative = np.exp(-np.array([0, 0.9201, 9.9760, 12.8406]) / 2)
    assert shown.weights == pytest.approx(relative / relative.sum(), abs=1e-4)
    assert shown.refused == {}


def test_the_slope_of_tv_l1_does_not_contradict_single_molecules():
    """-2 log L falls by 259.0669 - 257.9869 = 1.0799 with a free slope; χ² of 1 degree: p = erfc(√(1.0799/2))."""
    assert compare_links(*MERKES[:2], total=MERKES[2]).one_hit_p_value == pytest.approx(0.29872, abs=1e-4)


def test_links_that_cannot_be_fitted_stand_beside_the_one_that_can():
    shown = compare_links([1, 2, 4, 8], [0, 7, 20, 20], total=[20] * 4)
    assert [limit.link for limit in shown.limits] == ["one_hit"]
    assert set(shown.refused) == set(TWO_PARAMETERS)
    assert np.isnan(shown.one_hit_p_value)


def test_a_study_no_link_fits_is_refused_once():
    with pytest.raises(CalibrationError, match="every reaction positive") as refused:
        compare_links([3, 10], [20, 20], total=[20, 20])
    assert len(refused.value.problems) == 1


def test_a_wrong_link_shows_in_the_goodness_of_fit():
    """The beetles: cloglog fits (3.45 on 6), one-hit does not (217.5 on 7)."""
    assert limit_of(BLISS, "cloglog").p_value == pytest.approx(0.7511, abs=1e-3)
    assert limit_of(BLISS, "one_hit").p_value < 1e-40


# -- level by level ----------------------------------------------------------------------------------------------------


def test_a_higher_level_that_fails_casts_doubt_on_the_lowest():
    """Two-fold study: 20/20 at 8, 19/20 at 16 and 20/20 at 32."""
    copies, detected, total = TWO_FOLD
    lowest = lowest_level_detected(copies, detected, total=total, probability=0.96)
    assert (lowest.copies, lowest.higher_failing) == (8, (16,))


def test_no_level_good_enough_is_an_infinite_limit():
    assert lowest_level_detected([1, 2], [3, 5], total=[20, 20]).copies == np.inf


def test_a_level_wise_limit_needs_a_level():
    with pytest.raises(CalibrationError, match="at least one level with target"):
        lowest_level_detected([0], [0])
