"""Limits of quantification: vectors TV-L2 and TV-L3 (domain.md), an independent program, exact CVs, and no limits.

Reference figures called "statsmodels" were made with statsmodels 0.15.0 (GLM, Gamma, identity link, weights (n - 1)/2)
and scipy 1.17 (brentq and bounded minimisation of the same likelihood for the interval, Nelder-Mead for logarithms).
"""

from __future__ import annotations

import csv
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcrabl.calibration import fit_standard_curve
from bcrabl.detection import cv_from_cq_sd, limit_of_quantification, poisson_limit_of_quantification
from bcrabl.detection.cv_levels import CvLevels
from bcrabl.detection.cv_profile import CvProfile, fit_cv_profile, limit_interval
from bcrabl.errors import BcrablError, CalibrationError

LEVELS = np.array([3.0, 5, 10, 20, 50, 100, 1000])


def reactions_with_cv(copies, cv, pairs=10):
    """An even number of results at each level whose SD over mean is exactly the CV."""
    spread = np.asarray(cv) * np.sqrt((2 * pairs - 1) / (2 * pairs))
    nominal = np.repeat(copies, 2 * pairs)
    return nominal, nominal * (1 + np.repeat(spread, 2 * pairs) * np.tile([-1, 1], len(nominal) // 2))


def levels_with_cv(cv, used):
    zero, cv = np.zeros(len(cv)), np.asarray(cv, dtype=float)
    used = np.asarray(used, dtype=float)
    return CvLevels(LEVELS, used, zero, used, LEVELS, cv**2, cv, zero, zero)


def merkes_cq(real_data, target):
    """Cq by copies of Merkes 2019, doi 10.5066/P9GT00GB, Data.csv."""
    cq = defaultdict(list)
    with real_data("lod_cq", "Data.csv").open() as stream:
        for row in csv.DictReader(stream):
            if row["Target"] == target and row["Sample"].startswith("STD") and row["Cq"] not in ("", "NA", "NaN"):
                cq[float(row["SQ"])].append(float(row["Cq"]))
    return {copies: np.array(values) for copies, values in sorted(cq.items())}


# -- TV-L2, TV-L3 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cq_sd", "cv"), [(0.4900, 0.3497), (0.4943, 0.3529)])
def test_the_cv_of_a_cq_spread_is_that_of_tv_l3(cq_sd, cv):
    assert float(cv_from_cq_sd(cq_sd)) == pytest.approx(cv, abs=7e-5)


def test_a_perfect_doubling_is_the_tool_s_own_formula():
    """Merkes 2019: √(2^(SD²·ln 2) - 1)"""
    sd = np.array([0.12, 0.49, 0.645])
    assert cv_from_cq_sd(sd) == pytest.approx(np.sqrt(2 ** (sd**2 * np.log(2)) - 1))


def test_a_weaker_amplification_turns_the_same_cq_spread_into_less_spread_of_copies():
    assert float(cv_from_cq_sd(0.49, efficiency=0.9)) == pytest.approx(np.sqrt(1.9 ** (0.49**2 * np.log(1.9)) - 1))


@pytest.mark.parametrize(("sd_at_10", "expected"), [(0.4900, 10), (0.4943, 100)])
def test_the_discrete_limit_is_that_of_tv_l3(sd_at_10, expected):
    """SD of Cq 0.825 at 5 copies (CV 0.622), 0.1725 at 100 (CV 0.120), perfect doubling; goal 35 %."""
    nominal, copies = [], []
    for level, sd in ((5, 0.825), (10, sd_at_10), (100, 0.1725)):
        cq = 38 - np.log2(level) + sd * np.sqrt(9 / 10) * np.tile([-1, 1], 5)
        nominal += [level] * 10
        copies += list(2 ** (38 - cq))
    limit = limit_of_quantification(nominal, copies, cv=0.35, method="levels", spread="logarithmic")
    assert limit.copies == expected


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("target", "sd_at_10", "cvs", "expected"),
    [("BHC", 0.4900, (0.622, 0.3497, 0.120), 10), ("SVC", 0.4943, (0.645, 0.3529, 0.121), 100)],
)
def test_the_real_study_gives_tv_l3(real_data, target, sd_at_10, cvs, expected):
    cq = merkes_cq(real_data, target)
    assert cq[10].std(ddof=1) == pytest.approx(sd_at_10, abs=5e-5)
    kept = {level: values for level, values in cq.items() if level >= 5}  # at 1 copy only 25 of 96 have a Cq
    nominal = np.repeat(list(kept), [len(values) for values in kept.values()])
    copies = 2 ** -np.concatenate(list(kept.values()))
    limit = limit_of_quantification(nominal, copies, cv=0.35, method="levels", spread="logarithmic")
    assert limit.copies == expected
    assert limit.levels.cv[:3] == pytest.approx(cvs, abs=5e-4)
    assert limit.levels.cv[1] == pytest.approx(cvs[1], abs=5e-5)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("target", "slope", "intercept", "r_squared"),
    [("BHC", -3.5558, 40.6273, 0.98794), ("SVC", -3.3921, 39.9042, 0.99403)],
)
def test_the_curve_of_the_middle_quartiles_is_that_of_tv_l2(real_data, target, slope, intercept, r_squared):
    cq, copies = [], []
    for level, values in merkes_cq(real_data, target).items():
        if len(values) >= 48:
            low, high = np.quantile(values, [0.25, 0.75])
            middle = values[(values >= low) & (values <= high)]
            cq += list(middle)
            copies += [level] * len(middle)
    curve = fit_standard_curve(cq, copies)
    assert len(cq) == 221
    assert (round(curve.slope, 4), round(curve.intercept, 4)) == (slope, intercept)
    assert round(curve.r_squared, 5) == r_squared


# -- an independent program --------------------------------------------------------------------------------------------

CVS = [0.66, 0.47, 0.39, 0.28, 0.27, 0.20, 0.22]
USED = [20, 20, 18, 20, 16, 20, 20]


def test_the_interval_of_a_profile_agrees_with_the_same_likelihood_elsewhere():
    """statsmodels: a 0.04133165, b 1.02253552, limit at 35 % 12.597712, interval 8.386550 to 19.301942."""
    levels = levels_with_cv(CVS, USED)
    spread = 2 / (levels.used - 1)
    expected = 0.04133165 + 1.02253552 / LEVELS
    terms = ((np.log(expected) + levels.variance / expected) / spread).sum()
    profile = CvProfile(0.04133165, 1.02253552, spread, float(terms), logarithmic=False)
    assert limit_interval(levels, profile, 0.35**2, 0.95) == pytest.approx((8.386550, 19.301942), rel=1e-5)


def test_the_fit_agrees_with_statsmodels_where_the_weights_are_those_of_normal_results(monkeypatch):
    monkeypatch.setattr("bcrabl.detection.cv_profile._relative_variance", lambda levels, a, b: 2 / (levels.used - 1))
    profile = fit_cv_profile(levels_with_cv(CVS, USED), logarithmic=False)
    assert (profile.plateau, profile.counting) == pytest.approx((0.04133165, 1.02253552), abs=1e-7)


def test_the_fit_of_variances_of_logarithms_agrees_with_nelder_mead():
    """scipy: a 0.04147645, b 1.01113036 from ln(1 + CV²)."""
    levels = levels_with_cv(CVS, USED)
    logarithms = CvLevels(**{**vars(levels), "variance": np.log1p(levels.variance)})
    profile = fit_cv_profile(logarithms, logarithmic=True)
    assert (profile.plateau, profile.counting) == pytest.approx((0.04147645, 1.01113036), rel=1e-5)


def test_the_weight_of_a_level_is_how_much_its_cv_varies():
    """Relative variance of (SD/mean)² over 40,000 drawn levels of 40 results: Poisson counts, log-normal error."""
    from bcrabl.detection.cv_profile import _relative_variance

    random = np.random.default_rng(11)
    n, error, sigma = 40, 0.2**2, np.sqrt(np.log1p(0.2**2))
    for copies in (5, 20, 1000):
        found = random.poisson(copies, (40_000, n)) * np.exp(random.normal(-(sigma**2) / 2, sigma, (40_000, n)))
        squared_cv = found.var(axis=1, ddof=1) / found.mean(axis=1) ** 2
        levels = CvLevels(*(np.array([float(value)]) for value in (copies, n, 0, n, copies, 0, 0, 0, 0)))
        expected = _relative_variance(levels, error, 1 + error)[0]
        assert (squared_cv.std() / squared_cv.mean()) ** 2 == pytest.approx(expected, rel=0.08)


# -- exact CVs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("plateau", "counting"), [(0.03, 1.03), (0.0, 1.0), (0.01, 2.5)])
def test_a_profile_without_scatter_is_found_with_its_limit(plateau, counting):
    nominal, measured = reactions_with_cv(LEVELS, np.sqrt(plateau + counting / LEVELS))
    limit = limit_of_quantification(nominal, measured, cv=0.35)
    assert limit.plateau_cv == pytest.approx(np.sqrt(plateau), abs=1e-4)
    assert limit.counting == pytest.approx(counting, rel=1e-4)
    assert limit.copies == pytest.approx(counting / (0.35**2 - plateau), rel=1e-4)
    assert 0 < limit.low < limit.copies < limit.high < np.inf
    assert not limit.extrapolated


def test_counting_alone_gives_the_poisson_limit():
    nominal, measured = reactions_with_cv(LEVELS, np.sqrt(1 / LEVELS))
    for replicates in (1, 2, 4):
        limit = limit_of_quantification(nominal, measured, cv=0.35, replicates=replicates)
        assert limit.copies == pytest.approx(poisson_limit_of_quantification(0.35, replicates), rel=1e-4)


def test_the_goal_decides():
    nominal, measured = reactions_with_cv(LEVELS, np.sqrt(0.01 + 1 / LEVELS))
    limits = [limit_of_quantification(nominal, measured, cv=cv).copies for cv in (0.2, 0.25, 0.35, 0.5)]
    assert limits == pytest.approx([1 / (cv**2 - 0.01) for cv in (0.2, 0.25, 0.35, 0.5)], rel=1e-4)


@settings(max_examples=30)
@given(scale=st.floats(0.01, 100))
def test_a_curve_that_reads_all_copies_too_high_changes_no_limit(scale):
    nominal, measured = reactions_with_cv(LEVELS, np.sqrt(0.02 + 1.1 / LEVELS))
    there = limit_of_quantification(nominal, measured * scale, cv=0.35)
    here = limit_of_quantification(nominal, measured, cv=0.35)
    assert (there.copies, there.low, there.high) == pytest.approx((here.copies, here.low, here.high), rel=1e-6)


def test_undetected_reactions_count_as_no_copies():
    """Half of the reactions at 10, half undetected: SD/mean = √(n/(n - 1)) of one that is 1 in the population."""
    limit = limit_of_quantification([5] * 10 + [100] * 10, [0, 10] * 5 + [90, 110] * 5, cv=0.35, method="levels")
    assert limit.levels.cv == pytest.approx(np.sqrt(10 / 9) * np.array([1, 0.1]))
    assert list(limit.levels.undetected) == [5, 0]
    assert limit.copies == 100


def test_a_logarithmic_spread_leaves_undetected_reactions_out():
    limit = limit_of_quantification(
        [5] * 10 + [100] * 10, [0, 10] * 5 + [90, 110] * 5, cv=0.35, method="levels", spread="logarithmic"
    )
    assert list(limit.levels.used) == [5, 10]
    assert limit.levels.cv[0] == 0
    assert limit.copies == 5


def test_the_limit_is_reported_at_or_above_the_limit_of_detection_and_the_lowest_level():
    nominal, measured = reactions_with_cv(LEVELS, np.sqrt(1 / LEVELS))
    assert limit_of_quantification(nominal, measured, cv=0.35, limit_of_detection=12).reported == 12
    limit = limit_of_quantification(nominal, measured, cv=0.8)
    assert limit.copies == pytest.approx(1 / 0.64, rel=1e-4)
    assert limit.extrapolated
    assert limit.reported == 3


def test_a_higher_level_that_fails_casts_doubt_on_the_lowest():
    nominal, measured = reactions_with_cv(LEVELS, [0.6, 0.3, 0.4, 0.2, 0.2, 0.2, 0.2])
    lowest = limit_of_quantification(nominal, measured, cv=0.35).lowest_level
    assert (lowest.copies, lowest.higher_failing) == (5, (10,))


def test_by_level_the_interval_holds_the_levels_that_may_or_surely_do_meet_the_goal():
    """20 results: CV between 0.7605 and 1.4606 of the one found (χ²₁₉ 32.852 and 8.907)."""
    nominal, measured = reactions_with_cv(LEVELS, [0.50, 0.45, 0.34, 0.30, 0.20, 0.20, 0.20])
    limit = limit_of_quantification(nominal, measured, cv=0.35, method="levels")
    assert limit.levels.cv_low / limit.levels.cv == pytest.approx(0.7605, abs=1e-4)
    assert limit.levels.cv_high / limit.levels.cv == pytest.approx(1.4606, abs=1e-4)
    assert (limit.low, limit.copies, limit.high) == (5, 10, 50)


def test_a_cv_that_is_the_same_everywhere_sets_no_lower_end():
    nominal, measured = reactions_with_cv(LEVELS, np.full(7, 0.2))
    limit = limit_of_quantification(nominal, measured, cv=0.35)
    assert (limit.copies, limit.low) == (0, 0)
    assert limit.high < 3
    assert limit.reported == 3


def test_a_plateau_next_to_the_goal_sets_no_upper_end():
    nominal, measured = reactions_with_cv(LEVELS, np.sqrt(0.34**2 + 1 / LEVELS), pairs=3)
    limit = limit_of_quantification(nominal, measured, cv=0.35)
    assert limit.high == np.inf
    assert limit.low > 0


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["profile", "levels"])
def test_a_cv_that_never_gets_good_enough_is_refused_with_the_cvs(method):
    nominal, measured = reactions_with_cv(LEVELS, np.full(7, 0.5))
    with pytest.raises(CalibrationError, match=r"CV 3 copies: 0\.5.*falls to 0\.35.*Average more replicates"):
        limit_of_quantification(nominal, measured, cv=0.35, method=method)


def test_a_threshold_must_be_named():
    with pytest.raises(TypeError, match="cv"):
        limit_of_quantification([1, 1, 2, 2], [1, 2, 2, 3])


@pytest.mark.parametrize(
    ("nominal", "measured", "how", "said"),
    [
        ([1, -1], [1, 1], {}, "nominal: found -1"),
        ([1, 1], [1, np.nan], {}, "measured: found nan.*Write reactions without Cq as 0"),
        ([1, 1], [1, -2], {}, "measured: found -2"),
        ([1, 1, 2], [1, 2], {}, "3 amounts and 2 results"),
        ([1, 2, 3], [1, 2, 3], {}, "at least two results of a level"),
        ([1, 1], [0, 0], {}, "not all of them undetected"),
        ([0, 0], [1, 2], {}, "at least two results of a level"),
        ([5, 5], [4, 6], {}, "1 level;.*at least two levels"),
        ([1, 1, 2, 2], [1, 1, 2, 2], {}, "the same copies in every reaction"),
        ([1, 1], [1, 2], {"method": "kernel"}, "one of profile, levels"),
        ([1, 1], [1, 2], {"spread": "robust"}, "one of arithmetic, logarithmic"),
        ([1, 1], [1, 2], {"confidence": 95}, "confidence: found 95"),
        ([1, 1], [1, 2], {"cv": 0}, "cv: found 0"),
        ([1, 1], [1, 2], {"replicates": 0}, "replicates: found 0"),
    ],
)
def test_what_is_no_study_is_refused(nominal, measured, how, said):
    with pytest.raises(BcrablError, match=said):
        limit_of_quantification(nominal, measured, **{"cv": 0.35, **how})
