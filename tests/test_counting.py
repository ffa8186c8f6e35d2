"""Intervals of copies and ratios against closed forms, a brute-force posterior and known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaincinv, gammaln, stdtrit

from bcrabl.calibration import fit_standard_curve
from bcrabl.counting import (
    PRIORS,
    Line,
    branching_variance,
    class_probabilities,
    copies_interval,
    copies_likelihood,
    divisor,
    line_of,
    log_factor_sd,
    mean_copies_read,
    most_likely_copies,
    ratio_interval,
    sample_intervals,
)
from bcrabl.counting.likelihood import log_count_moments
from bcrabl.counting.monte_carlo import draw_copies, ratio_of_draws
from bcrabl.errors import RunError

SLOPE, INTERCEPT = -3.35, 39.0
PER_CYCLE = np.log(10) / -SLOPE
LINE = Line(INTERCEPT, SLOPE, 0.0098, 0.0006, -0.0022, 0.15, 10.0)
PERFECT = Line(INTERCEPT, SLOPE, 0.0, 0.0, 0.0, 0.001)
UNDETECTED = np.nan


def cq_of(molecules):
    """Cq on the line; NaN for 0 molecules."""
    held = np.asarray(molecules, dtype=float)
    return np.where(held > 0, INTERCEPT + SLOPE * np.log10(np.maximum(held, 1)), np.nan)


def drawn(rng, copies, shape, sd=0.15):
    molecules = rng.poisson(copies, shape)
    return cq_of(molecules) + rng.normal(0, sd, shape)


# -- counting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", [[1, 0], [1, 1], [2, 3], [1, 0, 0], [4, 7, 5], [10, 12], [25, 22, 19]])
@pytest.mark.parametrize("prior", PRIORS)
def test_cq_without_error_give_the_poisson_limits_of_the_total_count(counts, prior):
    lower, upper = PRIORS[prior]
    total, number = sum(counts), len(counts)
    found = copies_interval(copies_likelihood([cq_of(counts)], PERFECT, branching=0.0), prior)
    assert found.low[0] == pytest.approx(gammaincinv(total + lower, 0.025) / number, rel=5e-4)
    assert found.high[0] == pytest.approx(gammaincinv(total + upper, 0.975) / number, rel=5e-4)
    assert found.median[0] == pytest.approx(gammaincinv(total + 0.5, 0.5) / number, rel=5e-4)


@pytest.mark.parametrize(
    ("count", "low", "high"), [(1, 0.025, 5.57), (2, 0.24, 7.22), (3, 0.62, 8.77), (10, 4.80, 18.39)]
)
def test_tv_l5_garwood_limits_of_one_reaction(count, low, high):
    found = copies_interval(copies_likelihood([cq_of([count])], PERFECT, branching=0.0), "garwood")
    assert (found.low[0], found.high[0]) == (pytest.approx(low, abs=0.006), pytest.approx(high, abs=0.006))


@pytest.mark.parametrize("reactions", [1, 2, 3])
def test_undetected_reactions_exclude_2_996_copies_over_all_of_them(reactions):
    found = copies_interval(copies_likelihood([[UNDETECTED] * reactions], LINE))
    assert (found.low[0], found.high[0]) == (0.0, pytest.approx(-np.log(0.05) / reactions))


def test_a_molecule_that_is_found_half_of_the_time_doubles_the_bound():
    found = copies_interval(copies_likelihood([[UNDETECTED] * 2], LINE, found=0.5))
    assert found.high[0] == pytest.approx(-np.log(0.05))


def test_log_count_moments_are_those_of_the_poisson_distribution():
    n = np.arange(1, 400)
    for copies in (20.0, 30.0, 100.0):
        chance = np.exp(n * np.log(copies) - copies - gammaln(n + 1))
        chance /= chance.sum()
        mean = (chance * np.log(n)).sum()
        found_mean, found_variance = log_count_moments(np.array([copies]))
        assert found_mean[0] == pytest.approx(mean, abs=3e-5)
        assert found_variance[0] == pytest.approx((chance * (np.log(n) - mean) ** 2).sum(), rel=3e-3)


def test_branching_variance_is_none_for_perfect_doubling_and_that_of_a_galton_watson_process_below():
    rng = np.random.default_rng(5)
    molecules = np.ones(200_000)
    for _ in range(14):
        molecules = molecules + rng.binomial(molecules.astype(int), 0.8)
    assert float(branching_variance(-1 / np.log10(2))) == pytest.approx(0.0, abs=1e-12)
    expected = float(branching_variance(-1 / np.log10(1.8)))
    assert expected == pytest.approx(molecules.var() / molecules.mean() ** 2, rel=0.02)


# -- many copies ------------------------------------------------------------------------------------------------------


def test_many_copies_give_students_interval_of_inverse_prediction():
    sd, freedom = 0.15, 8.0
    line = Line(INTERCEPT, SLOPE, 0.0050, 0.0, 0.0, sd, freedom)
    found = copies_interval(copies_likelihood([cq_of([1e7])], line, branching=0.0))
    half = stdtrit(freedom, 0.975) * PER_CYCLE * np.sqrt(sd**2 + 0.0050)
    assert np.log(found.high[0] / found.median[0]) == pytest.approx(half, rel=0.01)
    assert np.log(found.median[0] / found.low[0]) == pytest.approx(half, rel=0.01)


def test_the_two_likelihoods_agree_where_one_hands_over_to_the_other():
    rng = np.random.default_rng(11)
    cq = drawn(rng, 31.0, (4000, 2))
    found = copies_interval(copies_likelihood(cq, LINE))
    read = mean_copies_read(cq, LINE)
    relative = found.median / read
    counted, normal = (relative[rows].mean() for rows in ((read > 26) & (read < 29.5), (read > 30.5) & (read < 34)))
    assert counted == pytest.approx(normal, abs=0.02)
    wide = np.log(found.high / found.low)
    counted, normal = (wide[rows].mean() for rows in ((read > 28) & (read < 29.5), (read > 30.5) & (read < 32)))
    assert normal == pytest.approx(counted, rel=0.05)


def test_the_same_sample_gives_the_same_bits_alone_and_among_thousands():
    rng = np.random.default_rng(3)
    cq = np.concatenate([drawn(rng, copies, (700, 3)) for copies in (0.3, 3.0, 25.0, 1e4)])
    control = drawn(rng, 3e4, (len(cq), 2))
    every = sample_intervals(
        cq, control, LINE, LINE, factor=100.0, conversion_factor=0.8, conversion_log_sd=0.1, cut_offs=(0.1, 0.01)
    )
    for row in (0, 1, 777, 1500, 2799):
        alone = sample_intervals(
            cq[row : row + 1],
            control[row : row + 1],
            LINE,
            LINE,
            factor=100.0,
            conversion_factor=0.8,
            conversion_log_sd=0.1,
            cut_offs=(0.1, 0.01),
        )
        for one, many in zip(alone[:4], every[:4], strict=True):
            assert [float(value[0]) for value in one] == [float(value[row]) for value in many]
        assert alone.at_most[0].tolist() == every.at_most[row].tolist()


# -- against draws ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "counts", [[1.1, 0, 0], [2.2, 0.9], [3.1, 6.0, 4.4], [13.0, 9.0], [70.0, 55.0], [2.1e3, 1.9e3], [3.1e4, 2.7e4]]
)
def test_limits_are_those_of_a_posterior_by_monte_carlo(counts):
    cq = cq_of(counts)
    branching = float(branching_variance(SLOPE))
    found = copies_interval(copies_likelihood([cq], LINE), "jeffreys")
    draws = draw_copies(cq, LINE, seed=8, branching=branching, draws=1_000_000)
    for probability, value in ((0.025, found.low), (0.5, found.median), (0.975, found.high)):
        chance = 4 * np.sqrt(probability * (1 - probability) / draws.effective)
        skewness = 0.002 if 30 < min(counts) < 300 else 0.0  # of ln n, which the normal likelihood leaves out
        assert draws.at_most(value[0]) == pytest.approx(probability, abs=chance + skewness)


@pytest.mark.parametrize("counts", [[1.1, 0], [8.0, 5.0], [500.0, 460.0]])
@pytest.mark.parametrize("log_sd", [0.0, 0.15])
def test_ratio_and_class_probabilities_are_those_of_draws(counts, log_sd):
    cq, control = cq_of(counts), cq_of([2.0e4, 2.3e4])
    copies, genes = copies_likelihood([cq], LINE), copies_likelihood([control], LINE)
    by = divisor(genes.cumulative(), 100.0, log_sd)
    found = ratio_interval(copies, by)
    branching = float(branching_variance(SLOPE))
    draws = ratio_of_draws(
        draw_copies(cq, LINE, seed=1, branching=branching),
        draw_copies(control, LINE, seed=2, branching=branching),
        seed=3,
        factor=100.0,
        log_factor_sd=log_sd,
    )
    width = np.log(draws.quantile(0.975) / draws.quantile(0.025))
    for probability, value in ((0.025, found.low), (0.5, found.median), (0.975, found.high)):
        assert np.log(value[0]) == pytest.approx(np.log(draws.quantile(probability)), abs=0.025 * width)
    population = ratio_of_draws(
        draw_copies(cq, LINE, seed=4, branching=branching, prior=0.25),
        draw_copies(control, LINE, seed=5, branching=branching),
        seed=6,
        factor=100.0,
        log_factor_sd=log_sd,
    )
    for level in (0.5, 1.0, 1.5):
        cut = level * float(found.median[0])
        assert class_probabilities(copies, by, [cut])[0, 0] == pytest.approx(population.at_most(cut), abs=0.015)


# -- ratio ------------------------------------------------------------------------------------------------------------


def test_the_bound_of_an_undetected_sample_is_three_molecules_over_the_control_when_that_is_known():
    found = sample_intervals([[UNDETECTED] * 2], [cq_of([1e9, 1e9])], PERFECT, PERFECT, factor=100 * 0.8)
    assert found.ratio.low[0] == 0.0
    assert found.ratio.high[0] == pytest.approx(80 * 2.995732 / (2 * 1e9), rel=1e-3)


def test_an_uncertain_control_raises_the_bound_of_an_undetected_sample():
    control = [cq_of([3e4, 3e4])]
    sure, unsure = (sample_intervals([[UNDETECTED] * 2], control, LINE, line) for line in (PERFECT, LINE))
    assert sure.ratio.high[0] < unsure.ratio.high[0] < 1.1 * sure.ratio.high[0]


def test_a_conversion_factor_moves_the_interval_and_its_own_interval_widens_it():
    cq, control = [cq_of([900, 1100])], [cq_of([3e4, 3e4])]
    plain, moved, wide = (
        sample_intervals(cq, control, LINE, LINE, conversion_factor=factor, conversion_log_sd=sd).on_scale
        for factor, sd in ((1.0, 0.0), (0.5, 0.0), (0.5, 0.3))
    )
    assert [float(value[0]) for value in moved] == pytest.approx([0.5 * float(value[0]) for value in plain])
    own, both = (np.log(one.high[0] / one.low[0]) for one in (moved, wide))
    assert both == pytest.approx(np.hypot(own, 2 * 1.96 * 0.3), rel=0.03)


def test_without_a_conversion_factor_there_is_a_ratio_but_no_value_on_the_scale():
    found = sample_intervals(
        [cq_of([3, 2])] * 2, [cq_of([3e4, 3e4])] * 2, LINE, LINE, conversion_factor=[0.5, np.nan], cut_offs=(1e-4,)
    )
    assert np.isfinite(found.ratio.high).all()
    assert np.isfinite([found.on_scale.high, found.at_most[:, 0]]).tolist() == [[True, False]] * 2


def test_log_factor_sd_gives_back_the_interval():
    assert np.exp(1.959964 * log_factor_sd(0.8, 1.25)) == pytest.approx(np.sqrt(1.25 / 0.8))


def test_standards_shared_by_both_targets_narrow_the_ratio():
    cq, control = [cq_of([900, 1100])], [cq_of([3e3, 3e3])]
    apart, shared = (sample_intervals(cq, control, LINE, LINE, correlation=rho).ratio for rho in (0.0, 0.9))
    assert np.log(shared.high[0] / shared.low[0]) < 0.95 * np.log(apart.high[0] / apart.low[0])


def test_an_uncertain_stock_widens_copies_but_cancels_in_the_ratio_on_one_plasmid():
    cq, control = [cq_of([900, 1100])], [cq_of([3e4, 3e4])]
    stock = LINE._replace(stock_log_sd=0.3)
    sure = sample_intervals(cq, control, LINE, LINE)
    one = sample_intervals(cq, control, stock, stock, one_stock=True)
    two = sample_intervals(cq, control, stock, stock)

    def width(interval):
        return float(np.log(interval.high[0] / interval.low[0]))

    assert width(one.copies) == pytest.approx(np.hypot(width(sure.copies), 2 * 1.96 * 0.3), rel=0.03)
    assert width(two.ratio) > 2 * width(sure.ratio)
    assert width(one.ratio) == pytest.approx(width(sure.ratio), rel=0.02)


def test_class_probabilities_rise_with_the_cut_off_to_one():
    cq, control = [cq_of([3, 2]), cq_of([3e4, 3e4]), [UNDETECTED] * 2], [cq_of([4e4, 4e4])] * 3
    found = sample_intervals(
        cq, control, LINE, LINE, factor=100.0, conversion_factor=1.0, cut_offs=(0.001, 0.0032, 0.01, 0.1, 1.0, 1e4)
    )
    assert np.all(np.diff(found.at_most, axis=1) >= 0)
    assert found.at_most[:, -1] == pytest.approx([1.0, 1.0, 1.0], abs=1e-6)
    assert found.at_most[1, 4] == pytest.approx(0.0, abs=1e-6)


def test_samples_with_fewer_reactions_are_those_tested_with_fewer():
    wide = sample_intervals([[*cq_of([2, 3]), np.nan]], [cq_of([3e4, 3e4])], LINE, LINE, tested=2)
    narrow = sample_intervals([cq_of([2, 3])], [cq_of([3e4, 3e4])], LINE, LINE)
    assert [float(value[0]) for value in wide.ratio] == pytest.approx([float(value[0]) for value in narrow.ratio])


def test_an_undetected_reaction_beside_many_copies_is_named_and_left_out():
    alone = copies_likelihood([cq_of([5000.0])], LINE)
    beside = copies_likelihood([[*cq_of([5000.0]), UNDETECTED]], LINE)
    assert (bool(alone.unlikely_dropout[0]), bool(beside.unlikely_dropout[0])) == (False, True)
    assert copies_interval(beside).median[0] == copies_interval(alone).median[0]


def test_a_plate_without_samples_gives_nothing():
    found = sample_intervals(np.empty((0, 2)), np.empty((0, 2)), LINE, LINE, cut_offs=(0.1,))
    assert (found.ratio.low.shape, found.at_most.shape) == ((0,), (0, 1))


def test_without_a_control_reaction_there_is_no_ratio():
    found = sample_intervals([cq_of([3, 2])], np.full((1, 2), np.nan), LINE, LINE, control_tested=0, cut_offs=(0.1,))
    assert np.isfinite(found.copies.low[0])
    assert np.isnan([found.control.high[0], found.ratio.low[0], found.ratio.high[0], found.at_most[0, 0]]).all()


def test_standards_without_any_scatter_are_taken_as_rounded_cq():
    silent = PERFECT._replace(repeatability=0.0)
    found = copies_interval(copies_likelihood([cq_of([1e6, 1e6])], silent, branching=0.0))
    assert 1.0 < found.high[0] / found.low[0] < 1.01


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"factor": 0.0}, "factor: found 0;"),
        ({"factor": -1.0, "correlation": 1.5}, "correlation: found 1.5;"),
        ({"conversion_factor": 0.0}, "conversion_factor: found 0;"),
        ({"conversion_log_sd": -0.1}, "conversion_log_sd: found -0.1;"),
        ({"prior": "flat"}, "jeffreys"),
    ],
)
def test_what_cannot_be_is_refused(wrong, message):
    with pytest.raises(RunError, match=message):
        sample_intervals([cq_of([3, 2])], [cq_of([3e4, 3e4])], LINE, LINE, **wrong)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (1.2, 0.8), (-1.0, 1.0)])
def test_an_interval_of_the_conversion_factor_must_be_positive_and_in_order(low, high):
    with pytest.raises(RunError, match="lower first"):
        log_factor_sd(low, high)


# -- point estimates --------------------------------------------------------------------------------------------------


def test_the_mean_read_off_the_line_counts_an_undetected_reaction_as_nothing():
    assert mean_copies_read([[*cq_of([8.0]), UNDETECTED]], LINE)[0] == pytest.approx(4.0)


@pytest.mark.parametrize("copies", [1.0, 5.0, 30.0])
def test_the_mean_read_off_a_known_line_is_off_by_the_scatter_of_cq_alone(copies):
    rng = np.random.default_rng(2)
    read = mean_copies_read(drawn(rng, copies, (200_000, 2)), PERFECT)
    assert read.mean() / copies == pytest.approx(np.exp((PER_CYCLE * 0.15) ** 2 / 2), abs=0.006)


def test_the_most_likely_copies_are_the_mean_count_when_cq_have_no_error():
    cq = [cq_of([2, 3]), cq_of([14, 8]), cq_of([0, 0])]
    assert most_likely_copies(copies_likelihood(cq, PERFECT, branching=0.0)) == pytest.approx(
        [2.5, 11.0, 0.0], rel=1e-2
    )


# -- coverage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("copies", "replicates"), [(1e4, 2), (30.0, 3), (5.0, 3)])
def test_intervals_with_a_fitted_curve_hold_the_truth_in_95_of_100(copies, replicates):
    """3,000 samples on 300 plates; the bounds are 4 standard errors (0.4 %) about 95 %, plus what discreteness does."""
    rng = np.random.default_rng([7, replicates, int(copies)])
    standards = np.repeat(10.0 ** np.arange(1, 7), 2)

    def line():
        return line_of(fit_standard_curve(drawn(rng, standards, standards.shape), standards, weighting="poisson"))

    held = {"copies": [], "ratio": []}
    for _ in range(300):
        cq, control = drawn(rng, copies, (10, replicates)), drawn(rng, 3e4, (10, replicates))
        found = sample_intervals(cq, control, line(), line())
        held["copies"] += ((found.copies.low <= copies) & (copies <= found.copies.high)).tolist()
        held["ratio"] += ((found.ratio.low <= copies / 3e4) & (copies / 3e4 <= found.ratio.high)).tolist()
    for name, inside in held.items():
        assert 0.925 < np.mean(inside) < 0.975, name


def test_the_bound_of_undetected_samples_holds_in_at_least_95_of_100():
    rng = np.random.default_rng(21)
    known = LINE._replace(intercept_variance=0.0, slope_variance=0.0, covariance=0.0)
    for copies in (0.5, 1.0, 1.5):
        cq, control = drawn(rng, copies, (4000, 2)), drawn(rng, 3e4, (4000, 2))
        found = sample_intervals(cq, control, known, known)
        unseen = np.isnan(cq).all(axis=1)
        assert np.mean(unseen & (found.ratio.high < copies / 3e4)) < 0.05
