"""Scoring on the International Scale: vectors TV-S and Poisson limits of domain.md, and what holds for any sample."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bcrabl import scale
from bcrabl.errors import RunError
from bcrabl.scale import ScaleLimits, counted_replicates, depth, poisson_limits
from bcrabl.standards import load_response_rules, score_sample

RULES = load_response_rules()
NONE, PER_REPLICATE, PER_TOTAL = "none", "per_replicate", "per_total"

# name: BCR::ABL1 copies, ABL1 copies, conversion factor, three-copy rule, % IS, class
TV_S = [
    ("TV-S1", [12.4, 10.8], [52_000, 48_000], 0.85, NONE, 0.01972, "MR3"),
    ("TV-S2", [4.1, 0], [31_000, 29_500], 1, NONE, 0.0067769, "MR4"),
    ("TV-S2", [4.1, 0], [31_000, 29_500], 1, PER_REPLICATE, 0.0067769, "MR4"),
    ("TV-S3", [1.2, 0.8], [60_000, 60_000], 1, NONE, 0.0016667, "MR4.5"),
    ("TV-S3", [1.2, 0.8], [60_000, 60_000], 1, PER_REPLICATE, 0.0050, "MR4"),
    ("TV-S3", [1.2, 0.8], [60_000, 60_000], 1, PER_TOTAL, 0.0025, "MR4.5"),
    ("TV-S4", [2.0, 0], [25_000, 24_000], 0.8, NONE, 0.0032653, "MR4"),
    ("TV-S4", [2.0, 0], [25_000, 24_000], 0.8, PER_REPLICATE, 0.0048980, "MR4"),
    ("TV-S4", [2.0, 0], [25_000, 24_000], 0.8, PER_TOTAL, 0.0048980, "MR4"),
    ("TV-S5", [1.0, 0.9], [14_000, 11_500], 1, NONE, 0.0074510, "MR4"),
    ("TV-S5", [1.0, 0.9], [14_000, 11_500], 1, PER_REPLICATE, 0.0235294, "MR3"),
    ("TV-S5", [1.0, 0.9], [14_000, 11_500], 1, PER_TOTAL, 0.0117647, "MR3"),
    ("TV-S6", [150, 162], [45_000, 47_000], 1.61, NONE, 0.5460, "MR2"),  # no MMR
    ("TV-S7", [0, 0], [20_000, 20_000], 1, PER_REPLICATE, 0, "MR4.5"),
    ("TV-S8", [0, 0, 0], [36_000, 35_000, 34_000], 1, PER_REPLICATE, 0, "MR5"),
    ("TV-S9", [0, 0], [12_000, 11_000], 1, PER_REPLICATE, 0, "MR4"),
    ("TV-S10", [35, 0], [150_000, 160_000], 0.31, NONE, 0.0035, "MR4"),
    ("TV-S11", [0.375, 0.375], [12_500, 12_500], 1, NONE, 0.0030, "MR4"),
]


# -- vectors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bcr_abl", "abl", "factor", "rule", "is_percent", "response"),
    TV_S,
    ids=[f"{row[0]}-{row[4]}" for row in TV_S],
)
def test_vector(name, bcr_abl, abl, factor, rule, is_percent, response):
    score = score_sample(bcr_abl, abl, conversion_factor=factor, three_copy_rule=rule)
    assert score.is_percent == pytest.approx(is_percent, rel=5e-5)
    assert score.response_class == response
    assert score.evaluable
    assert score.detected == any(bcr_abl)


def test_tv_s12_a_weak_control_replicate_makes_the_sample_not_evaluable_or_is_dropped():
    strict = score_sample([0, 0], [6_000, 30_000], conversion_factor=1)
    assert (strict.evaluable, strict.response_class, strict.sensitivity_class) == (False, None, None)
    assert strict.control_copies_lowest == 6_000
    dropped = score_sample([0, 0], [6_000, 30_000], conversion_factor=1, below_replicate_minimum="drop")
    assert (dropped.evaluable, dropped.response_class, dropped.control_copies) == (True, "MR4", 30_000)
    assert dropped.replicates == 1
    assert dropped.notes == ("weak_control_replicate_dropped",)


@pytest.mark.parametrize(
    ("total", "response"), [(76_900, "MR4"), (77_000, "MR4.5"), (239_999, "MR4.5"), (240_000, "MR5")]
)
def test_tv_s13_gusb_needs_2_4_times_the_copies(total, response):
    score = score_sample([0, 0], [total / 2] * 2, conversion_factor=1, control_gene="GUSB")
    assert score.response_class == response


@pytest.mark.parametrize(
    ("is_percent", "response"),
    [
        (10, None),
        (1.0000001, None),
        (1, "MR2"),
        (0.1004, "MR2"),  # prints 0.10 and is no MMR
        (0.1, "MR3"),
        (0.01, "MR4"),
        (0.0100001, "MR3"),
        (0.00320001, "MR4"),
        (0.0032, "MR4.5"),
        (0.00318, "MR4.5"),  # its MR value is 4.4976
        (0.00316, "MR4.5"),
        (0.001, "MR5"),
        (0.0010001, "MR4.5"),
    ],
)
def test_tv_s14_a_level_on_the_cut_off_reaches_the_class(is_percent, response):
    # 1000 copies in 100,000 are 1 % on the local scale, so that the factor is the % IS
    score = score_sample([1000.0], [100_000.0], conversion_factor=is_percent)
    assert score.is_percent == is_percent
    assert score.response_class == response


def test_one_positive_of_two_replicates_halves_the_ratio():
    """TV-S15: one of two wells 8.0 copies, mean control 40,000: 0.010 %, not 0.020 %."""
    one_of_two = score_sample([8.0, 0], [40_000, 40_000], conversion_factor=1)
    alone = score_sample([8.0], [40_000], conversion_factor=1)
    assert one_of_two.ratio_percent == pytest.approx(0.010)
    assert alone.ratio_percent == pytest.approx(0.020)
    assert (one_of_two.replicates, one_of_two.detected_replicates) == (2, 1)


def test_mean_of_ratios_is_not_what_is_computed():
    score = score_sample([4.1, 0], [31_000, 29_500], conversion_factor=1)
    assert score.is_percent == pytest.approx(0.006777, abs=5e-7)
    assert abs(score.is_percent - 0.006613) > 1e-4


def test_the_vectors_hold_with_rules_passed_in():
    score = scale.score_sample([12.4, 10.8], [52_000, 48_000], conversion_factor=0.85, control_gene="ABL1", rules=RULES)
    assert score == score_sample([12.4, 10.8], [52_000, 48_000], conversion_factor=0.85)


@pytest.mark.parametrize(
    ("total", "response"),
    [(20_000, "MR4"), (31_998, "MR4"), (32_000, "MR4.5"), (99_998, "MR4.5"), (100_000, "MR5")],
)
def test_an_undetected_sample_has_the_class_its_control_gene_permits_whatever_the_factor(total, response):
    for factor in (0.3, 1, 5):
        score = score_sample([0, 0], [total / 2] * 2, conversion_factor=factor)
        assert (score.response_class, score.sensitivity_class) == (response, response)
        assert score.sensitivity_percent == pytest.approx(100 / total)


# -- conversion factor ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("local", "factor"), [(0.08, 1.25), (0.12, 0.833333), (0.045, 2.222222)])
def test_tv_c1_the_local_mmr_value_is_0_1_percent_on_the_scale(local, factor):
    copies = local / 100 * 1e6
    assert score_sample([copies], [1e6], conversion_factor=factor).is_percent == pytest.approx(0.1, rel=1e-6)


def test_tv_c5_calibrator_and_sample_of_one_plate():
    score = score_sample([250], [60_000], conversion_factor=0.101 / 0.13)
    assert score.ratio_percent == pytest.approx(0.41667, abs=5e-6)
    assert score.is_percent == pytest.approx(0.32372, abs=5e-6)


def test_without_a_conversion_factor_there_is_a_ratio_but_no_is():
    score = score_sample([20, 30], [40_000, 60_000], conversion_factor=None)
    assert score.ratio_percent == pytest.approx(0.05)
    assert math.isnan(score.is_percent)
    assert math.isnan(score.is_low)
    assert math.isnan(score.is_high)
    assert score.response_class is None
    assert score.evaluable
    assert score.sensitivity_class == "MR5"


def test_the_interval_of_the_factor_widens_the_interval_on_the_scale():
    plain = score_sample([20, 30], [40_000, 60_000], conversion_factor=0.8)
    wide = score_sample([20, 30], [40_000, 60_000], conversion_factor=0.8, factor_interval=(0.5, 1.28))
    assert plain.is_low == pytest.approx(0.8 * plain.ratio_low)
    assert wide.is_percent == plain.is_percent
    assert wide.is_low < plain.is_low < plain.is_high < wide.is_high
    only_factor = score_sample([1e9], [1e9], conversion_factor=0.8, factor_interval=(0.5, 1.28))
    assert (only_factor.is_low, only_factor.is_high) == (pytest.approx(50, rel=0.001), pytest.approx(128, rel=0.001))


# -- control gene volume ----------------------------------------------------------------------------------------------


def test_the_mean_control_gene_stands_for_every_bcr_abl1_reaction_where_numbers_differ():
    score = score_sample([10, 20, 30], [40_000, 60_000], conversion_factor=1)
    assert score.control_copies == pytest.approx(150_000)
    assert score.ratio_percent == pytest.approx(0.04)
    assert score.control_copies_lowest == 40_000
    single = score_sample([10, 20], [50_000], conversion_factor=1)
    assert single.control_copies == pytest.approx(100_000)


def test_a_dropped_weak_replicate_takes_its_partner_along_only_where_there_is_one():
    paired = score_sample([500, 10], [5_000, 50_000], conversion_factor=1, below_replicate_minimum="drop")
    assert (paired.bcr_abl_copies, paired.control_copies) == (10, 50_000)
    unpaired = score_sample([4, 5, 6], [5_000, 50_000], conversion_factor=1, below_replicate_minimum="drop")
    assert (unpaired.bcr_abl_copies, unpaired.control_copies) == (15, 150_000)


def test_only_weak_replicates_are_not_dropped_but_not_evaluable():
    score = score_sample([5, 5], [4_000, 3_000], conversion_factor=1, below_replicate_minimum="drop")
    assert not score.evaluable
    assert score.replicates == 2
    assert score.ratio_percent == pytest.approx(100 * 10 / 7_000)
    assert score.response_class is None


def test_without_control_gene_there_is_no_ratio():
    score = score_sample([5, 5], [], conversion_factor=1)
    assert math.isnan(score.ratio_percent)
    assert math.isnan(score.is_percent)
    assert math.isnan(score.sensitivity_percent)
    assert not score.evaluable
    assert score.control_copies == 0


# -- three copies -----------------------------------------------------------------------------------------------------


def test_the_three_copy_rule_is_noted_where_it_changes_the_copies():
    raised = score_sample([1.2, 8.0], [60_000, 60_000], conversion_factor=1)
    assert (raised.bcr_abl_copies, raised.bcr_abl_copies_scored) == (pytest.approx(9.2), pytest.approx(11.0))
    assert raised.notes == ("three_copy_rule_applied",)
    assert score_sample([3.0, 8.0], [60_000, 60_000], conversion_factor=1).notes == ()


def test_an_undetected_replicate_is_not_raised_to_three_copies():
    assert score_sample([0, 0], [60_000, 60_000], conversion_factor=1).bcr_abl_copies_scored == 0
    assert score_sample([0, 5], [60_000, 60_000], conversion_factor=1).bcr_abl_copies_scored == 5


@pytest.mark.parametrize(
    ("rule", "censored"), [(PER_REPLICATE, 0.0050), (PER_TOTAL, 0.0025), (NONE, 0.0016667)], ids=str
)
def test_tv_s3_the_value_as_read_stands_beside_the_one_the_rule_makes(rule, censored):
    score = score_sample([1.2, 0.8], [60_000, 60_000], conversion_factor=0.5, three_copy_rule=rule)
    assert score.ratio_percent == pytest.approx(censored, rel=5e-5)
    assert score.is_percent == pytest.approx(0.5 * censored, rel=5e-5)
    assert score.ratio_percent_uncensored == pytest.approx(0.0016667, rel=5e-5)
    assert score.is_percent_uncensored == pytest.approx(0.5 * 0.0016667, rel=5e-5)


def test_the_three_copy_rule_moves_the_value_and_not_the_interval_of_the_truth():
    scores = [
        score_sample([1.2, 0.8], [60_000] * 2, conversion_factor=1, three_copy_rule=rule)
        for rule in (NONE, PER_TOTAL, PER_REPLICATE)
    ]
    assert len({score.is_percent for score in scores}) == 3
    assert len({(score.is_low, score.is_high, score.ratio_low, score.ratio_high) for score in scores}) == 1


# -- depth ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "mr"),
    [
        (0.011, 3.9586),  # TV-S16
        (10, 1.0),  # from here TV-S17
        (1, 2.0),
        (0.1, 3.0),
        (0.01, 4.0),
        (0.0032, 4.4949),
        (0.00316, 4.5003),
        (0.001, 5.0),
        (0.0069, 4.1612),
        (0.002, 4.699),
        (0.00318, 4.4976),  # TV-S14
    ],
)
def test_tv_s16_and_s17_depth_of_a_level(percent, mr):
    assert depth(percent) == pytest.approx(mr, abs=5e-5)


@pytest.mark.parametrize("percent", [0.0, math.nan])
def test_no_level_has_no_depth(percent):
    assert math.isnan(depth(percent))


# domain.md 5.3: sum of ABL1, one copy %, its MR, three copies %, its MR
SENSITIVITY = [
    (10_000, 0.0100, 4.00, 0.0300, 3.52),
    (20_000, 0.0050, 4.30, 0.0150, 3.82),
    (32_000, 0.003125, 4.51, 0.009375, 4.03),
    (64_000, 0.00156, 4.81, 0.00469, 4.33),
    (100_000, 0.0010, 5.00, 0.0030, 4.52),
    (150_000, 0.00067, 5.18, 0.0020, 4.70),
    (300_000, 0.00033, 5.48, 0.0010, 5.00),
]


@pytest.mark.parametrize(("total", "one", "one_mr", "three", "three_mr"), SENSITIVITY)
def test_an_undetected_sample_says_what_one_copy_and_what_three_copies_would_have_been(
    total, one, one_mr, three, three_mr
):
    score = score_sample([0, 0], [total / 2] * 2, conversion_factor=1)
    assert (score.sensitivity_percent, score.excluded_percent) == (
        pytest.approx(one, rel=0.015),
        pytest.approx(three, rel=0.015),
    )
    assert (score.sensitivity_mr, score.excluded_mr) == (
        pytest.approx(one_mr, abs=0.005),
        pytest.approx(three_mr, abs=0.005),
    )


def test_the_factor_moves_what_is_excluded_and_not_the_guideline_s_sensitivity():
    score = score_sample([0], [50_000], conversion_factor=0.5, lod_copies=6)
    assert score.sensitivity_percent == pytest.approx(0.002)
    assert score.excluded_percent == pytest.approx(0.5 * 6 * 0.002)
    off_scale = score_sample([0], [50_000], conversion_factor=None)
    assert math.isnan(off_scale.excluded_percent)
    assert math.isnan(off_scale.excluded_mr)
    assert off_scale.sensitivity_mr == pytest.approx(depth(0.002))


# -- limits from the Cq -----------------------------------------------------------------------------------------------

FOUND = ScaleLimits((0.01, 0.03), (0.005, 0.015), (1.0, 0.99, 0.6, 0.1, 0.02))  # MR2, MR3, MR4, MR4.5, MR5


def test_limits_found_from_the_cq_are_taken_as_they_are():
    score = score_sample([10, 10], [60_000] * 2, conversion_factor=0.5, limits=FOUND)
    assert (score.ratio_low, score.ratio_high) == (0.01, 0.03)
    assert (score.is_low, score.is_high) == (0.005, 0.015)


@pytest.mark.parametrize(
    ("total", "chances"),
    [
        (100_000, [0.0, 0.01, 0.39, 0.5, 0.08, 0.02]),
        (99_000, [0.0, 0.01, 0.39, 0.5, 0.1, 0.0]),  # what would be MR5 is MR4.5 here
        (31_000, [0.0, 0.01, 0.39, 0.6, 0.0, 0.0]),
    ],
)
def test_probabilities_of_the_classes_add_up_and_obey_the_control_gene(total, chances):
    score = score_sample([10, 10], [total / 2] * 2, conversion_factor=0.5, limits=FOUND)
    assert list(score.class_probabilities) == ["none", "MR2", "MR3", "MR4", "MR4.5", "MR5"]
    assert list(score.class_probabilities.values()) == pytest.approx(chances, abs=1e-12)
    assert sum(score.class_probabilities.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("abl", "limits"),
    [
        ([4_000], FOUND),  # not evaluable
        ([60_000], ScaleLimits((0, 1), (0, 1))),
        ([60_000], ScaleLimits((0, 1), (0, 1), (math.nan,) * 5)),  # not on the scale
        ([60_000], None),
    ],
)
def test_without_class_or_without_cq_there_are_no_probabilities(abl, limits):
    assert score_sample([10], abl, conversion_factor=0.5, limits=limits).class_probabilities == {}


@pytest.mark.parametrize(
    ("reactions", "control", "rule", "counted", "strong"),
    [
        (2, [5e3, 5e4], "drop", [False, True], [False, True]),
        (3, [5e3, 5e4], "drop", [True] * 3, [False, True]),
        (2, [5e3, 6e3], "drop", [True] * 2, [True] * 2),
        (2, [5e3, 5e4], "not_evaluable", [True] * 2, [True] * 2),
        (2, [], "drop", [True] * 2, []),
    ],
)
def test_which_replicates_count(reactions, control, rule, counted, strong):
    found = counted_replicates(reactions, control, 1e4, rule)
    assert [each.tolist() for each in found] == [counted, strong]


# -- uncertainty ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(1, 0.025, 5.57), (2, 0.24, 7.22), (3, 0.62, 8.77), (5, 1.62, 11.67), (10, 4.80, 18.39)],
)
def test_poisson_limits_are_the_exact_ones(count, low, high):
    found = poisson_limits(count)
    assert float(found[0]) == pytest.approx(low, abs=0.005)
    assert float(found[1]) == pytest.approx(high, abs=0.005)


def test_three_copies_exclude_no_copy():
    low, high = poisson_limits(0)
    assert (float(low), float(high)) == (0.0, pytest.approx(-math.log(0.05)))


def test_poisson_limits_take_counts_that_are_not_whole_and_any_shape():
    low, high = poisson_limits([[0.5, 7.3]])
    assert low.shape == (1, 2)
    assert np.all((low < [0.5, 7.3]) & (high > [0.5, 7.3]))
    assert poisson_limits(7)[0] < low[0, 1] < poisson_limits(8)[0]


def test_poisson_limits_cover_the_mean_of_counts_in_95_percent():
    counts = np.random.default_rng(3).poisson(6.0, 20_000)
    low, high = poisson_limits(counts)
    assert 0.95 <= np.mean((low <= 6) & (high >= 6)) < 0.985  # exact limits are never short


@pytest.mark.parametrize("factor", [None, 0.8])
def test_an_undetected_sample_has_the_upper_bound_of_three_copies(factor):
    score = score_sample([0, 0], [20_000, 30_000], conversion_factor=factor)
    assert (score.ratio_percent, score.ratio_low) == (0, 0)
    assert score.ratio_high == pytest.approx(100 * 2.9957 / 50_000, rel=1e-4)
    if factor:
        assert (score.is_percent, score.is_low) == (0, 0)
        assert score.is_high == pytest.approx(0.8 * 100 * 2.9957 / 50_000, rel=1e-4)


def test_with_plenty_of_control_gene_the_ratio_is_as_certain_as_its_count():
    score = score_sample([10], [1e9], conversion_factor=None)
    assert score.ratio_low / score.ratio_percent == pytest.approx(0.480, abs=0.001)
    assert score.ratio_high / score.ratio_percent == pytest.approx(1.839, abs=0.001)


def test_calibration_widens_the_interval():
    plain = score_sample([1e6], [1e9], conversion_factor=None)
    wide = score_sample([1e6], [1e9], conversion_factor=None, calibration_log10_sd=(0.03, 0.04))
    assert wide.ratio_high / wide.ratio_percent == pytest.approx(10 ** (1.96 * 0.05), rel=0.001)
    assert wide.ratio_low < plain.ratio_low


def test_95_percent_intervals_of_the_ratio_cover_the_truth_of_counted_samples():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(1000):
        counts, control = rng.poisson([6.0, 6.0]), rng.poisson([20_000, 20_000])
        score = score_sample(counts, control, conversion_factor=None, three_copy_rule=NONE)
        covered += score.ratio_low <= 0.03 <= score.ratio_high
    assert 0.935 < covered / 1000 < 0.99


# -- what holds for any sample ----------------------------------------------------------------------------------------

copies = st.one_of(st.just(0.0), st.floats(0.01, 1e6))
controls = st.floats(10_000, 1e6)
any_rule = st.sampled_from([NONE, PER_REPLICATE, PER_TOTAL])


@given(bcr_abl=st.lists(copies, min_size=1, max_size=4), abl=st.lists(controls, min_size=1, max_size=4), rule=any_rule)
@settings(max_examples=150, deadline=None)
def test_a_value_lies_in_its_interval(bcr_abl, abl, rule):
    score = score_sample(
        bcr_abl,
        abl,
        conversion_factor=0.7,
        three_copy_rule=rule,
        factor_interval=(0.6, 0.8),
        calibration_log10_sd=(0.05, 0.02),
    )
    assert 0 <= score.ratio_low <= score.ratio_percent_uncensored <= score.ratio_high
    assert 0 <= score.is_low <= score.is_percent_uncensored <= score.is_high
    assert score.bcr_abl_copies_scored >= score.bcr_abl_copies * (1 - 1e-12)


@given(bcr_abl=st.lists(st.floats(0.01, 1e6), min_size=1, max_size=4), more=controls, rule=any_rule)
@settings(max_examples=100, deadline=None)
def test_one_more_undetected_replicate_lowers_the_ratio(bcr_abl, more, rule):
    abl = [50_000.0] * len(bcr_abl)
    before = score_sample(bcr_abl, abl, conversion_factor=1, three_copy_rule=rule)
    after = score_sample([*bcr_abl, 0.0], [*abl, more], conversion_factor=1, three_copy_rule=rule)
    assert after.ratio_percent < before.ratio_percent
    assert after.detected


@given(pairs=st.lists(st.tuples(copies, controls), min_size=2, max_size=4), rule=any_rule, seed=st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_of_replicates_changes_nothing(pairs, rule, seed):
    shuffled = list(pairs)
    seed.shuffle(shuffled)
    one, other = (
        score_sample(*zip(*each, strict=True), conversion_factor=1, three_copy_rule=rule) for each in (pairs, shuffled)
    )
    assert other.ratio_percent == pytest.approx(one.ratio_percent, rel=1e-12)


@given(bcr_abl=copies, abl=controls, more=st.floats(1.0001, 100))
@settings(max_examples=60, deadline=None)
def test_more_bcr_abl1_never_makes_a_deeper_class(bcr_abl, abl, more):
    assume(bcr_abl > 0)
    names = [None, *(each.name for each in RULES.classes)]
    less = score_sample([bcr_abl], [abl], conversion_factor=1)
    greater = score_sample([bcr_abl * more], [abl], conversion_factor=1)
    assert names.index(greater.response_class) <= names.index(less.response_class)


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "changes", "text"),
    [
        (([], [50_000]), {}, "BCR::ABL1: found no replicate"),
        (([-1.0], [50_000]), {}, r"BCR::ABL1: found copies \[-1.0\]; expected numbers that are not negative"),
        (([math.nan], [50_000]), {}, "numbers that are not negative"),
        (([5.0], [math.inf]), {}, "control gene: found copies"),
        (([5.0], [50_000]), {"conversion_factor": 0.0}, "conversion factor: found 0; expected a positive number"),
        (([5.0], [50_000]), {"conversion_factor": math.nan}, "conversion factor: found nan"),
        (([5.0], [50_000]), {"factor_interval": (1.2, 0.8)}, "interval: found 1.2 to 0.8 of 1; expected a lower limit"),
        (([5.0], [50_000]), {"factor_interval": (1.1, 1.2)}, "found 1.1 to 1.2 of 1; expected a lower limit"),
        (([5.0], [50_000]), {"factor_interval": (0.0, 1.2)}, "found 0 to 1.2 of 1; expected a lower limit"),
        (([5.0], [50_000]), {"lod_copies": 0.0}, "lod_copies: found 0; expected a positive number of copies"),
        (([5.0], [50_000]), {"control_gene": "BCR"}, "found BCR; expected one with published minima: ABL1, GUSB"),
        (([5.0], [50_000]), {"three_copy_rule": "sum"}, "three_copy_rule: found sum; expected one of per_replicate"),
        (([5.0], [50_000]), {"below_replicate_minimum": "keep"}, "found keep; expected one of not_evaluable, drop"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_the_reason(arguments, changes, text):
    with pytest.raises(RunError, match=text):
        score_sample(*arguments, **{"conversion_factor": 1.0} | changes)
