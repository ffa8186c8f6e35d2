"""A standard curve from its row of the table: Cq of some copies, and the intervals around it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from bcrabl.calibration import fit_standard_curve
from bcrabl.report.lines import left_out_of, line_of

LEVELS = np.repeat([1e1, 1e2, 1e3, 1e4, 1e5], 2)
CQ = 40 - 3.4 * np.log10(LEVELS) + np.tile([0.05, -0.07, 0.02, 0.1, -0.04], 2)


def row(weighting="none"):
    curve = fit_standard_curve(CQ, LEVELS, weighting=weighting)
    return {
        "slope": curve.slope,
        "intercept": curve.intercept,
        "slope_variance": curve.covariance[1, 1],
        "intercept_variance": curve.covariance[0, 0],
        "slope_intercept_covariance": curve.covariance[0, 1],
        "residual_sd": curve.residual_sd,
        "degrees_of_freedom": curve.degrees_of_freedom,
        "weighting": weighting,
    }


def test_the_interval_of_an_unweighted_line_is_that_of_least_squares():
    x = np.log10(LEVELS)
    fit = stats.linregress(x, CQ)
    s = np.sqrt(np.sum((CQ - fit.intercept - fit.slope * x) ** 2) / (len(x) - 2))
    t = stats.t.ppf(0.975, len(x) - 2)
    at = np.array([0.5, 3.0, 6.0])
    leverage = 1 / len(x) + (at - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)
    line = line_of(row())
    np.testing.assert_allclose(line.half_width(at), t * s * np.sqrt(leverage), rtol=1e-9)
    np.testing.assert_allclose(line.reaction_half_width(at), t * s * np.sqrt(1 + leverage), rtol=1e-9)


def test_few_molecules_widen_the_interval_of_a_reaction_where_the_curve_counts_them():
    line = line_of(row("poisson"))
    cycles = line.t * -line.slope / np.log(10) / np.sqrt(10.0)  # of ten molecules, by their Poisson SD of log10 copies
    assert line.reaction_half_width(1.0) > cycles
    assert line.reaction_half_width(6.0) < cycles


@pytest.mark.parametrize("copies", [None, 0.0, -3.0, float("inf")])
def test_no_cq_belongs_to_copies_without_a_logarithm(copies):
    assert line_of(row()).cq_of(copies) is None


def test_a_line_without_degrees_of_freedom_has_no_interval():
    assert np.isnan(line_of(row() | {"degrees_of_freedom": None}).half_width([1.0, 2.0])).all()


def test_there_is_no_line_where_there_is_no_slope():
    assert line_of({"slope": None}) is None


def test_a_reason_may_hold_a_colon():
    assert left_out_of({"points_left_out": ["A1: ambiguous: noise", "B2: no Cq"]}) == {
        "A1": "ambiguous: noise",
        "B2": "no Cq",
    }
