"""The row a laboratory reports: what it holds, and what it must not hold, by the outcome of the sample."""

from __future__ import annotations

import math

import pytest
from lims_rows import not_on_scale, result, rows_of, to_repeat, undetected

from bcrabl.lims import COLUMNS
from bcrabl.tables import RESULTS

COPIED = [column.name for column in COLUMNS if column.name in RESULTS.schema.names and column.name != "material"]


def test_every_number_is_that_of_the_results_table():
    row = result()
    reported = rows_of(row)[0]
    assert len(COPIED) >= 30
    assert {name: reported[name] for name in COPIED} == {name: row[name] for name in COPIED}


def test_the_value_is_shown_with_two_digits_and_its_interval_outwards():
    reported = rows_of(result())[0]
    assert (reported["result"], reported["scale"]) == ("0.020", "% IS")
    assert reported["interval"] == "0.011 to 0.032"
    assert reported["is_percent"] == 0.01971998028001972


def test_a_class_stands_with_its_probability():
    reported = rows_of(result())[0]
    assert (reported["response"], reported["response_probability"]) == ("MR3", 0.899)


def test_no_class_has_the_probability_of_none():
    reported = rows_of(result(response_class=None, is_percent=12.3))[0]
    assert (reported["response"], reported["response_probability"]) == ("no class reached", 0.01)


def test_an_undetected_sample_carries_the_guideline_and_the_95_percent_statement():
    reported = rows_of(undetected())[0]
    assert reported["result"] == "not detected"
    assert reported["is_percent"] == 0.0
    assert reported["interval"] == "at most 0.0035"
    assert reported["undetected_class"] == "undetected at MR5: 100000 ABL1 copies tested"
    assert reported["undetected_bound"] == "at most 0.0026 % IS (MR 4.59)"


def test_a_detected_sample_has_no_statement_about_undetected_ones():
    reported = rows_of(result())[0]
    assert reported["undetected_class"] is None
    assert reported["undetected_bound"] is None


def test_an_undetected_sample_off_the_scale_is_bounded_on_the_local_scale():
    found = {"detected": False, "ratio_percent": 0.0, "ratio_low": 0.0, "ratio_high": 0.0041, "detected_replicates": 0}
    reported = rows_of(not_on_scale(**found))[0]
    assert reported["result"] == "not detected"
    assert reported["undetected_bound"] == "at most 0.0041 % (local ratio, not on the International Scale)"
    assert reported["undetected_class"] is None


def test_a_transcript_off_the_scale_is_reported_as_local_ratio_and_says_so():
    reported = rows_of(not_on_scale())[0]
    assert (reported["result"], reported["interval"]) == ("0.023", "0.013 to 0.037")
    assert "not on the International Scale" in reported["scale"]
    assert reported["is_percent"] is None
    assert reported["response"] == "none: not on the International Scale"
    assert "transcript is not on the International Scale" in reported["comment"]


def test_without_a_conversion_factor_there_is_no_value_on_the_scale_and_no_class():
    flags = ["no_valid_conversion_factor"]
    reported = rows_of(not_on_scale(transcript="e14a2", flags=flags))[0]
    assert reported["response"] == "none: no value on the International Scale"
    assert "not on the International Scale" in reported["scale"]
    assert reported["conversion_factor"] is None


def test_an_interval_without_upper_bound_says_so_and_leaves_its_number_empty():
    reported = rows_of(result(is_high=math.inf))[0]
    assert reported["interval"] == "no upper bound"
    assert reported["is_high"] is None
    assert rows_of(result(is_low=None, is_high=None))[0]["interval"] is None


@pytest.mark.parametrize(
    ("outcome", "status"), [("report", "final"), ("review", "preliminary"), ("repeat", "no result")]
)
def test_the_status_follows_from_the_outcome(outcome, status):
    assert rows_of(result(outcome=outcome))[0]["status"] == status


def test_a_sample_to_repeat_has_the_reason_and_nothing_measured():
    reported = rows_of(to_repeat())[0]
    assert reported["result"] == "no result"
    assert reported["comment"] == "Please repeat: too few control gene copies"
    measured = {column.name for column in COLUMNS if column.measured}
    assert {name for name in measured if reported[name] is not None} == set()
    kept = {"run_id", "sample_id", "patient_id", "outcome", "assay", "software", "site", "lod_copies", "transcript"}
    assert all(reported[name] is not None for name in kept)


def test_every_float_of_the_results_table_is_measured_but_for_limits_of_the_assay():
    floats = {field.name for field in RESULTS.schema if str(field.type) == "double"}
    unmeasured = {column.name for column in COLUMNS if not column.measured}
    assert floats & unmeasured == {"lod_copies", "loq_copies"}


def test_a_review_is_preliminary_and_its_flags_stand_in_words():
    reported = rows_of(result(outcome="review", flags=["ambiguous_call", "replicate_spread"]))[0]
    assert reported["comment"] == (
        "Preliminary, to be reviewed: a curve may or may not be an amplification; replicates differ too much"
    )


def test_standards_and_controls_are_not_reported():
    assert rows_of(result(role="pos"), result(role="calibrator")) == []


def test_the_specimen_stands_in_words_and_an_unknown_one_stays_empty():
    assert rows_of(result(material="BM"))[0]["material"] == "bone marrow"
    assert rows_of(result(material=None))[0]["material"] is None


def test_each_row_says_which_software_made_it():
    assert rows_of(result())[0]["software"] == "bcrabl 1.2.3"
