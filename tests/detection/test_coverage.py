"""Intervals hold what they promise, on studies drawn from a known truth; benchmarks/detection_limits.py has the table.

Of n studies a 95 % interval misses n/20, give or take 3·√(n·0.05·0.95); with 90 % it would miss n/10 and fail here.
"""

from __future__ import annotations

import numpy as np
import pytest

from bcrabl.detection import LINKS, limit_of_detection, limit_of_quantification
from bcrabl.detection.links import link_named

COPIES = np.array([0.5, 1, 2, 4, 8, 16, 32])
# (intercept, slope per decade): half of the reactions found near 1.4 copies
TRUTHS = {"probit": (-0.30, 2.14), "logit": (-0.50, 3.54), "cloglog": (-0.70, 2.00), "one_hit": (-0.70, np.log(10))}


def allowed(studies):
    """Misses of a 95 % interval within three standard errors."""
    spread = 3 * np.sqrt(studies * 0.05 * 0.95)
    return studies * 0.05 - spread, studies * 0.05 + spread


def missed_detection_limits(link, studies, random):
    form, (intercept, slope) = link_named(link), TRUTHS[link]
    truth = 10 ** ((form.quantile(0.95) - intercept) / slope)
    chance = form.probability(intercept + slope * np.log10(COPIES))
    missed = 0
    for detected in random.binomial(20, chance, (studies, len(COPIES))):
        limit = limit_of_detection(COPIES, detected, total=[20] * len(COPIES), link=link)
        missed += not limit.low <= truth <= limit.high
    return missed


def test_the_allowance_would_show_an_interval_of_90_percent():
    """800 studies at 90 %: 80 missed, standard deviation 8.5; more than 58 in all but 1 of 200 such series."""
    _, most = allowed(800)
    assert most < 80 - 2.5 * np.sqrt(800 * 0.1 * 0.9)


def test_intervals_of_the_limit_of_detection_cover_95_percent():
    """7 levels of 20 reactions; 200 studies of each link under its own truth."""
    random = np.random.default_rng(20_260_101)
    missed = sum(missed_detection_limits(link, 200, random) for link in LINKS)
    least, most = allowed(800)
    assert least <= missed <= most


def test_intervals_of_the_limit_of_quantification_cover_95_percent():
    """8 levels of 20 reactions, a log-normal error of 20 %: CV 35 % at 1.04/(0.1225 - 0.04) copies."""
    random = np.random.default_rng(20_260_102)
    nominal = np.repeat([3.0, 5, 10, 20, 50, 100, 1e3, 1e5], 20)
    sigma = np.sqrt(np.log(1.04))
    missed = 0
    for _ in range(400):
        measured = random.poisson(nominal) * np.exp(random.normal(-(sigma**2) / 2, sigma, len(nominal)))
        limit = limit_of_quantification(nominal, measured, cv=0.35)
        missed += not limit.low <= 1.04 / 0.0825 <= limit.high
    least, most = allowed(400)
    assert least <= missed <= most
    assert most < 40


@pytest.mark.parametrize("link", LINKS)
def test_a_study_four_times_as_large_has_an_interval_half_as_wide(link):
    """On a logarithmic scale, where the shares are those of the truth."""
    form, (intercept, slope) = link_named(link), TRUTHS[link]
    chance = form.probability(intercept + slope * np.log10(COPIES))
    widths = []
    for n in (10_000, 40_000):
        limit = limit_of_detection(COPIES, np.round(chance * n), total=[n] * len(COPIES), link=link)
        widths.append(np.log(limit.high / limit.low))
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.01)
