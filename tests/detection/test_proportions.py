"""Exact intervals of a share of positive reactions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bcrabl.detection.proportions import exact_share_interval
from bcrabl.errors import CalibrationError


@pytest.mark.parametrize("total", [1, 7, 24, 96])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_interval_is_that_of_clopper_and_pearson(total, confidence):
    detected = np.arange(total + 1)
    low, high = exact_share_interval(detected, np.full_like(detected, total), confidence)
    for k in detected:
        wanted = stats.binomtest(int(k), total).proportion_ci(confidence, method="exact")
        assert (low[k], high[k]) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_a_confidence_that_is_no_probability_is_refused():
    with pytest.raises(CalibrationError, match="a probability between 0 and 1"):
        exact_share_interval([1], [2], 95)
