"""Findings against windows, the gravest of them, and what follows for a sample."""

from __future__ import annotations

import math

import pytest

from bcrabl.acceptance import finding, judge, judge_p_value, sample_outcome, worst
from bcrabl.standards import Window


def window(lower=None, upper=None, severity="fail"):
    return Window(lower, upper, severity, "test")


@pytest.mark.parametrize("value", [-3.9, -3.4, -3.0])
def test_a_window_takes_in_both_its_limits(value):
    check = judge("slope", value, window(-3.9, -3.0), "cycles/decade", target="ABL1")
    assert check.outcome == "pass"
    assert check.message == f"slope: {value:.4g} cycles/decade; allowed: -3.9 to -3"


@pytest.mark.parametrize("severity", ["warn", "fail"])
@pytest.mark.parametrize("value", [-3.901, -2.999])
def test_a_value_outside_has_the_severity_of_the_window(value, severity):
    check = judge("slope", value, window(-3.9, -3.0, severity), "cycles/decade", target="ABL1")
    assert check.outcome == severity
    assert check.message == f"slope: {value:.4g} cycles/decade; allowed: -3.9 to -3"
    assert (check.value, check.lower, check.upper, check.unit) == (value, -3.9, -3.0, "cycles/decade")
    assert (check.target, check.sample_id, check.well) == ("ABL1", None, None)


@pytest.mark.parametrize(
    ("limits", "value", "text"),
    [
        (window(lower=0.98), 0.9, "r squared: 0.9; allowed: at least 0.98"),
        (window(upper=0), 2.0, "r squared: 2; allowed: at most 0"),
    ],
)
def test_a_window_open_on_one_side_says_so(limits, value, text):
    assert judge("r_squared", value, limits, "").message == text


def test_a_value_that_could_not_be_determined_does_not_pass():
    check = judge("control_copies", None, window(lower=10_000), "copies/reaction", sample_id="S1")
    assert check.outcome == "fail"
    assert check.message == "control copies could not be determined; allowed: at least 10000"
    assert check.value is None


def test_a_value_that_is_no_number_does_not_pass():
    assert judge("slope", math.nan, window(-3.9, -3.0), "").outcome == "fail"


@pytest.mark.parametrize(("p_value", "outcome"), [(0.009, "warn"), (0.01, "pass"), (0.7, "pass"), (0.0, "warn")])
def test_a_test_warns_below_our_limit_and_says_that_it_is_ours(p_value, outcome):
    check = judge_p_value("lack_of_fit", p_value, "levels against the line", 0.01, target="ABL1")
    assert (check.outcome, check.value, check.lower, check.upper) == (outcome, p_value, 0.01, None)
    assert check.message == f"levels against the line, p {p_value:.2g}; our limit 0.01"


def test_a_test_that_could_not_be_made_is_no_check():
    assert judge_p_value("lack_of_fit", math.nan, "levels against the line", 0.01) is None


def test_the_gravest_outcome_counts():
    checks = [finding("a", outcome, "") for outcome in ("pass", "warn", "pass")]
    assert worst(checks) == "warn"
    assert worst([*checks, finding("b", "fail", "")]) == "fail"
    assert worst([]) == "pass"


@pytest.mark.parametrize(
    ("run_fit", "evaluable", "flags", "outcome"),
    [
        (True, True, [], "report"),
        (True, True, ["replicate_spread"], "review"),
        (True, False, [], "repeat"),
        (False, True, [], "repeat"),
        (False, False, ["run_failed"], "repeat"),
    ],
)
def test_what_is_done_with_a_sample(run_fit, evaluable, flags, outcome):
    assert sample_outcome(run_fit, evaluable, flags) == outcome


def test_flags_may_come_from_any_iterable():
    assert sample_outcome(True, True, (flag for flag in ["ambiguous_call"])) == "review"
    assert sample_outcome(True, True, iter(())) == "report"


def test_a_finding_names_its_place():
    check = finding("blanks", "warn", "ntc may have amplified", target="ABL1", well="H12")
    assert (check.check, check.target, check.well, check.value) == ("blanks", "ABL1", "H12", None)
