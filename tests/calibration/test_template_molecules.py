"""Molecules in a standard reaction: moments of log10 n against sums term by term, scores against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bcrabl.calibration.template import detected_log10_moments, normal_scores


def summed(copies):
    """Mean and variance of log10 n given n > 0, term by term."""
    terms = range(1, int(copies + 40 * math.sqrt(copies) + 60))
    chance = [math.exp(n * math.log(copies) - copies - math.lgamma(n + 1)) for n in terms]
    total = math.fsum(chance)
    mean = math.fsum(p * math.log10(n) for p, n in zip(chance, terms, strict=True)) / total
    variance = math.fsum(p * (math.log10(n) - mean) ** 2 for p, n in zip(chance, terms, strict=True)) / total
    return mean, variance


@pytest.mark.parametrize("copies", [0.001, 0.5, 3.0, 10.0, 30.0, 99.999, 100.0, 101.0, 300.0, 2000.0])
def test_moments_are_those_of_the_sum_over_molecules(copies):
    mean, variance = detected_log10_moments([copies])
    expected = summed(copies)
    assert mean[0] == pytest.approx(expected[0], abs=1e-11)
    assert variance[0] == pytest.approx(expected[1], rel=1e-8)


def test_a_reaction_that_hardly_expects_a_molecule_holds_one_if_it_is_detected():
    mean, variance = detected_log10_moments([1e-9])
    assert mean[0] == pytest.approx(0, abs=1e-9)
    assert variance[0] == pytest.approx(0, abs=1e-9)


def test_many_copies_leave_the_nominal_level_and_the_variance_of_a_count():
    mean, variance = detected_log10_moments([1e8])
    assert mean[0] == pytest.approx(8, abs=1e-8)
    assert variance[0] == pytest.approx(1e-8 / math.log(10) ** 2, rel=1e-6)


@pytest.mark.parametrize(("copies", "sd"), [(3.0, 0.05), (10.0, 0.15), (50.0, 0.1), (1e4, 0.1)])
def test_scores_of_honest_reactions_are_standard_normal(copies, sd):
    rng = np.random.default_rng(3)
    molecules = rng.poisson(copies, 6000).astype(float)
    molecules = molecules[molecules > 0]
    cq = -3.35 * np.log10(molecules) + rng.normal(0, sd, len(molecules))
    level = np.full(len(molecules), copies)
    scores = normal_scores(cq + 3.35 * detected_log10_moments(level)[0], -3.35, sd, level)
    below = [(scores < point).mean() for point in (-3.0, -1.96, 0.0, 1.96, 3.0)]
    np.testing.assert_allclose(below, [0.00135, 0.025, 0.5, 0.975, 0.99865], atol=0.02)
    assert below[0] < 0.004
    assert below[-1] > 0.996


def test_few_molecules_make_cq_late_more_often_than_a_normal_law_allows():
    mean, variance = (value[0] for value in detected_log10_moments([10.0]))
    beyond_three_sd = math.fsum(
        math.exp(-10 + n * math.log(10) - math.lgamma(n + 1))
        for n in range(1, 10)
        if math.log10(n) < mean - 3 * math.sqrt(variance)
    )
    assert beyond_three_sd == pytest.approx(0.0103, abs=1e-4)  # 0.00135 in a normal law
