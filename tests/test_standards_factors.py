"""Acceptance rules of conversion factors are those in print, and none rests on a number nobody read (domain.md 4.2)."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from standards_files import changed_copy, put

from bcrabl.errors import StandardsError
from bcrabl.standards import load_factor_rules, standards_folder


@pytest.fixture
def rules():
    return load_factor_rules()


@pytest.fixture
def changed(tmp_path):
    return partial(changed_copy, tmp_path, standards_folder() / "conversion_factor_acceptance.yaml")


def test_the_rules_are_those_published(rules):
    limits = {name: {key: limit.value for key, limit in rule.limits.items()} for name, rule in rules.rules.items()}
    assert limits == {
        "Branford2008": {"bias_fold": 1.2, "agreement_fold": 5},
        "Qin": {"bias_fold": 1.4, "agreement_fold": 6, "refit_r_squared": 0.98},
        "Asuragen": {"agreement_fold": 5, "decision_fold": 3},
        "EUTOS": {"optimal_bias_fold": None, "satisfactory_bias_fold": None},
        "QuantideX": {},
        "IS-MMR": {"assigned_percent": None, "lowest_calibrator_percent": 0.05, "highest_calibrator_percent": 0.3},
    }


def test_limits_as_log10(rules):
    # domain.md 4.2, derived
    folds = [
        rules.rule(name).limit(limit) for name in ("Branford2008", "Qin") for limit in ("bias_fold", "agreement_fold")
    ]
    folds.append(rules.rule("Asuragen").limit("decision_fold"))
    assert [round(math.log10(fold), 4) for fold in folds] == [0.0792, 0.6990, 0.1461, 0.7782, 0.4771]


def test_each_rule_cites_its_paper(rules):
    assert "Blood 2008;112:3330" in rules.rule("Branford2008").limits["bias_fold"].source
    assert "Qin Y et al" in rules.rule("Qin").source
    assert all(len(number.source) > 20 for rule in rules.rules.values() for number in rule.numbers)


def test_the_default_was_read_in_its_source(rules):
    assert rules.rule() is rules.default
    assert (rules.default.name, rules.default.verified) == ("Branford2008", True)


def test_rules_with_numbers_nobody_could_read_are_marked(rules):
    assert [name for name, rule in rules.rules.items() if not rule.verified] == ["EUTOS", "IS-MMR"]
    assert [(line.place, line.value) for line in rules.unverified] == [
        ("rules[3].limits.optimal_bias_fold", "not stated"),
        ("rules[3].limits.satisfactory_bias_fold", "not stated"),
        ("rules[5].limits.assigned_percent", "not stated"),
    ]


# -- judging a comparison ---------------------------------------------------------------------------------------------


def test_a_validation_set_passes_branford_2008(rules):
    # TV-C4: bias 1.0268-fold, limits of agreement 0.697- to 1.514-fold
    d = [0.03, -0.05, 0.10, -0.12, 0.02, 0.08, -0.03, 0.06, -0.09, 0.15]
    d += [-0.20, 0.11, 0.01, -0.02, 0.05, 0.07, -0.06, 0.04, 0.09, -0.01]
    mean, sd = np.mean(d), np.std(d, ddof=1)
    bias, lower, upper = (float(10**each) for each in (mean, mean - 1.96 * sd, mean + 1.96 * sd))
    assert (bias, lower, upper) == pytest.approx((1.0268, 0.697, 1.514), abs=5e-4)
    verdicts = rules.rule().judge(bias, (lower, upper))
    assert [(each.limit, each.largest_fold, each.met) for each in verdicts] == [
        ("bias_fold", 1.2, True),
        ("agreement_fold", 5, True),
    ]


@pytest.mark.parametrize(
    ("name", "bias", "agreement", "met"),
    [
        ("Branford2008", 1.2, (0.2, 5), [True, True]),  # the limits themselves are inside
        ("Branford2008", 1.21, (0.3, 3), [False, True]),
        ("Branford2008", 1 / 1.21, (0.3, 3), [False, True]),  # as far below as above
        ("Branford2008", 1.0, (0.19, 3), [True, False]),
        ("Branford2008", 1.0, (0.3, 5.1), [True, False]),
        ("Qin", 1.21, (0.19, 5.1), [True, True]),
        ("Qin", 1.41, (0.16, 3), [False, False]),
        ("Asuragen", 3.0, (0.3, 4), [True]),  # no limit of bias
    ],
)
def test_bias_and_agreement_are_judged_either_way(rules, name, bias, agreement, met):
    assert [verdict.met for verdict in rules.rule(name).judge(bias, agreement)] == met


@pytest.mark.parametrize(("bias", "agreement"), [(0, (0.5, 2)), (-1, (0.5, 2)), (1, (math.nan, 2)), (math.inf, (1, 2))])
def test_a_fold_that_is_none_is_refused(rules, bias, agreement):
    with pytest.raises(StandardsError, match=r"_fold: found .*; expected a fold above 0"):
        rules.rule().judge(bias, agreement)


@pytest.mark.parametrize("name", ["EUTOS", "QuantideX", "IS-MMR"])
def test_a_rule_about_something_else_judges_no_comparison(rules, name):
    with pytest.raises(StandardsError, match="expected bias_fold or agreement_fold, which this rule does not limit"):
        rules.rule(name).judge(1.0, (0.5, 2))


def test_a_limit_that_could_not_be_read_is_refused_even_on_request(rules):
    with pytest.raises(StandardsError, match=r"optimal_bias_fold: found no value \(White HE .*Look it up"):
        rules.rule("EUTOS").limit("optimal_bias_fold", accept_unverified=True)


def test_a_laboratory_that_has_read_the_paper_enters_the_limit(changed):
    # an invented value: White 2022 was not readable
    entry = {"value": 2.5, "unit": "fold", "source": "White2022", "status": "verified"}
    own = load_factor_rules(changed(put("rules", 3, "limits", value={"bias_fold": entry})))
    assert [verdict.met for verdict in own.rule("EUTOS").judge(2.4, (0.1, 9))] == [True]


def test_an_unverified_limit_judges_on_request_only(changed):
    own = load_factor_rules(changed(put("rules", 1, "limits", "bias_fold", "status", value="unverified")))
    with pytest.raises(StandardsError, match=r"bias_fold: found the unverified value 1\.4 fold"):
        own.rule("Qin").judge(1.0, (0.5, 2))
    assert all(verdict.met for verdict in own.rule("Qin").judge(1.0, (0.5, 2), accept_unverified=True))


def test_a_limit_or_rule_that_is_not_there_is_refused_listing_those_that_are(rules):
    with pytest.raises(StandardsError, match=r"found no bias_fold; expected agreement_fold, decision_fold"):
        rules.rule("Asuragen").limit("bias_fold")
    with pytest.raises(StandardsError, match=r"found 'Branford'; expected one of Branford2008, Qin.* Did you mean"):
        rules.rule("Branford")


# -- precision and run calibrator -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mr", "sd"), [(1, 0.21), (3.49, 0.21), (3.5, 0.29), (4.25, 0.29), (4.26, 0.36), (6, 0.36)])
def test_precision_of_a_cleared_device_by_depth(rules, mr, sd):
    assert rules.rule("QuantideX").largest_sd(mr) == sd


def test_rules_without_precision_have_none(rules):
    with pytest.raises(StandardsError, match="no spread_limits at MR 3; expected bias_fold, agreement_fold"):
        rules.rule("Branford2008").largest_sd(3)


def test_the_run_calibrator_of_tv_c5_lies_in_its_window(rules):
    kit = rules.rule("IS-MMR")
    lowest, highest = kit.limit("lowest_calibrator_percent"), kit.limit("highest_calibrator_percent")
    assert lowest <= 0.13 <= highest  # calibrator NCN of TV-C5
    assert not lowest <= 0.31 <= highest


def test_the_value_assigned_to_a_lot_is_no_constant(rules):
    with pytest.raises(StandardsError, match=r"assigned_percent: found no value"):
        rules.rule("IS-MMR").limit("assigned_percent")


# -- files that are refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("rules", 0, "limits", "bias_fold", "source", value=None), r"limits\.bias_fold: found no source; expected"),
        (
            put("rules", 0, "limits", "bias_fold", "source", value="Branford"),
            r"bias_fold\.source: found 'Branford'; expected a key of sources: .*Did you mean 'Branford2008'",
        ),
        (put("rules", 1, "source", value="Chin"), r"rules\[1\]\.source: found 'Chin'; expected a key of sources"),
        (put("rules", 1, "source", value=["Qin", "Chin"]), r"rules\[1\]\.source: found 'Chin'"),
        (put("rules", 0, "limits", "bias_fold", "status", value=None), r"limits\.bias_fold: found no status"),
        (
            put("rules", 0, "limits", "bias_fold", "value", value=0.8),
            r"bias_fold: found 0\.8-fold; expected more than 1",
        ),
        (put("rules", 0, "limits", "bias_fold", "value", value="1.2"), r"found '1\.2'; expected a number or nothing"),
        (
            put("rules", 3, "limits", "optimal_bias_fold", "status", value="verified"),
            r"optimal_bias_fold: found status verified without a value",
        ),
        (put("rules", 0, "limits", "bias", value={}), r"found unknown key 'bias'.*Did you mean"),
        (put("rules", 0, "limits", value=None), r"rules\[0\]: found .*; expected a rule with limits or spread_limits"),
        (
            put("rules", 1, "name", value="Branford2008"),
            r"rules\[1\]\.name: found 'Branford2008'; expected a name of its",
        ),
        (
            put("rules", 4, "spread_limits", 1, "up_to_mr", value=3),
            r"spread_limits\[1\]: found an end at MR 3; expected one",
        ),
        (put("default", value="Branford"), r"default: found 'Branford'; expected the name of a rule: .*Did you mean"),
        (put("default", value="EUTOS"), r"default: found 'EUTOS', which rests on unverified numbers"),
        (
            put("rules", 0, "limits", "agreement_fold", "status", value="unverified"),
            r"default: found 'Branford2008', which rests on unverified numbers",
        ),
        (
            put("default", value="Asuragen"),
            r"default: found 'Asuragen'; expected a rule with bias_fold and agreement_fold",
        ),
        (put("id", value="mine"), r"id: found 'mine'; expected conversion_factor_acceptance"),
    ],
)
def test_rules_that_do_not_fit_are_refused_with_their_place(changed, change, message):
    with pytest.raises(StandardsError, match=message):
        load_factor_rules(changed(change))
