"""The rows of each sheet and the configuration: what a laboratory may fill in, and the rules between cells."""

from __future__ import annotations

import re

import pytest
from sheet_builders import FACTOR_COLUMNS, RUN_COLUMNS, configuration, problems_of, the_problem_of

from bcrabl.errors import SheetError
from bcrabl.run import ROLES
from bcrabl.schemas import load_schema
from bcrabl.sheets import (
    conversion_factor_for,
    load_configuration,
    load_conversion_factors,
    load_layout,
    load_runs,
)

# -- runs and batches -------------------------------------------------------------------------------------------------


def test_runs_of_one_batch_share_a_site(write):
    path = write(f"{RUN_COLUMNS} batch", "R1 LAB1 f eac B1", "R2 LAB2 g eac B1")
    problem = the_problem_of(load_runs, path)
    assert "row 3, column site: found site 'LAB2' for batch 'B1', which belongs to site 'LAB1' in row 2" in problem


def test_a_default_batch_counts_as_a_batch_of_its_site(write):
    path = write(f"{RUN_COLUMNS} batch", "R1 LAB1 f eac -", "R2 LAB2 g eac R1")
    assert "for batch 'R1', which belongs to site 'LAB1'" in the_problem_of(load_runs, path)


@pytest.mark.parametrize(
    ("first", "second", "column"),
    [
        ("R1 L f eac -", "r1 L g eac -", "run_id"),
        ("R1 L f eac B", "R2 L g eac b", "batch"),
        ("R1 L f eac -", "R2 l g eac -", "site"),
    ],
)
def test_names_that_differ_only_in_letter_case_are_refused(write, first, second, column):
    problem = the_problem_of(load_runs, write(f"{RUN_COLUMNS} batch", first, second))
    assert f"row 3, column {column}: found" in problem
    assert "differs only in letter case from" in problem


# -- conversion factors -----------------------------------------------------------------------------------------------


def test_a_factor_knows_its_limits_and_name(write):
    path = write(f"{FACTOR_COLUMNS} factor_low factor_high", "LAB1 eac ABL1 0.83 2026-01-01 - exchange 0.71 0.97")
    (row,) = load_conversion_factors(path)
    assert (row.factor_low, row.factor, row.factor_high) == (0.71, 0.83, 0.97)
    assert row.identifier == "LAB1/eac/ABL1/2026-01-01"


def test_the_factor_of_the_run_date_is_chosen_both_days_included(write):
    path = write(FACTOR_COLUMNS, "L eac ABL1 0.8 2026-01-01 2026-06-30 x", "L eac ABL1 0.9 2026-07-01 - x")
    rows = load_conversion_factors(path)
    days = ["2025-12-31", "2026-01-01", "2026-06-30", "2026-07-01", "2031-01-01", None]
    chosen = [conversion_factor_for(rows, "L", "eac", "ABL1", day) for day in days]
    assert [row and row.factor for row in chosen] == [None, 0.8, 0.8, 0.9, 0.9, None]
    assert conversion_factor_for(rows, "L", "eac", "GUSB", "2026-01-01") is None


def test_two_factors_valid_on_one_day_are_refused_naming_both_rows(write):
    path = write(FACTOR_COLUMNS, "L eac ABL1 0.9 2026-06-30 - x", "L eac ABL1 0.8 2026-01-01 2026-06-30 x")
    problem = the_problem_of(load_conversion_factors, path)
    assert (
        "row 2, column valid_from: found 2026-06-30, while the factor of L/eac/ABL1 in row 3 is valid until" in problem
    )


def test_a_long_validity_is_compared_with_every_later_one(write):
    validity = ["2020-01-01 -", "2021-01-01 2021-02-01", "2022-01-01 -"]
    path = write(FACTOR_COLUMNS, *[f"L e ABL1 1 {days} x" for days in validity])
    found = problems_of(load_conversion_factors, path)
    assert ["row 2 has no end" in problem for problem in found] == [True, True]


def test_factors_of_other_sites_assays_or_genes_may_overlap(write):
    rows = ["L eac ABL1", "L eac GUSB", "L other ABL1", "M eac ABL1"]
    assert len(load_conversion_factors(write(FACTOR_COLUMNS, *[f"{row} 1 2026-01-01 - x" for row in rows]))) == 4


@pytest.mark.parametrize("number", ["0", "-1", "1,5", "1_000", "nan", "inf", "1e999", "abc", "٣", "0x1"])
def test_a_factor_is_a_positive_number_with_a_point(write, number):
    path = write(FACTOR_COLUMNS, f"L eac ABL1 {number} 2026-01-01 - x")
    problem = the_problem_of(load_conversion_factors, path)
    assert re.search(rf"column factor: found '{number}'; expected a number( above 0|, such as)", problem)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ("0.9 1.1", "column factor_low: found 0.9; expected at most the factor, 0.8"),
        ("0.5 0.7", "column factor_high: found 0.7; expected at least the factor, 0.8"),
        ("0.5 -", "column factor_high: found no limit; expected both limits or neither (factor_low is given)"),
        ("x 0.9", "column factor_low: found 'x'; expected a number"),
    ],
)
def test_limits_enclose_the_factor_and_come_in_pairs(write, limits, message):
    path = write(f"{FACTOR_COLUMNS} factor_low factor_high", f"L eac ABL1 0.8 2026-01-01 - x {limits}")
    assert message in the_problem_of(load_conversion_factors, path)


def test_a_validity_does_not_end_before_it_begins(write):
    path = write(FACTOR_COLUMNS, "L eac ABL1 0.8 2026-01-02 2026-01-01 x")
    problem = the_problem_of(load_conversion_factors, path)
    assert "column valid_to: found 2026-01-01; expected 2026-01-02 (valid_from) or later" in problem


def test_a_bad_end_of_validity_is_not_taken_for_an_open_one(write):
    path = write(FACTOR_COLUMNS, "L eac ABL1 0.8 2026-01-01 summer x", "L eac ABL1 0.9 2026-07-01 - x")
    assert "column valid_to: found 'summer'" in the_problem_of(load_conversion_factors, path)


def test_a_factor_without_a_source_is_refused(write):
    path = write(FACTOR_COLUMNS, "L eac ABL1 0.8 2026-01-01 - -")
    assert "column source: found an empty cell; expected a value" in the_problem_of(load_conversion_factors, path)


# -- layout -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("A1", "A1"),
        ("a01", "A1"),
        ("P24", "P24"),
        ("AF48", "AF48"),
        ("aa09", "AA9"),
        ("a100", "A100"),
        ("d01C1", "D1c1"),
    ],
)
def test_wells_are_written_in_one_way(write, written, plain):
    assert load_layout(write("well target", f"{written} ABL1"))[0].well == plain


@pytest.mark.parametrize("well", ["1A", "A0", "A00", "B49", "A101", "AG1", "E1a1", "D1c9", "A001", "A", "7", "Ä1"])
def test_a_well_lies_on_a_plate(write, well):
    problem = the_problem_of(load_layout, write("well target", f"{well} ABL1"))
    assert f"column well: found '{well}'; expected a well from A1 to AF48" in problem


def test_the_same_well_and_target_twice_is_refused_however_it_is_spelt(write):
    problem = the_problem_of(load_layout, write("well target", "A1 ABL1", "A01 abl1"))
    assert "row 3, column target: found 'A1', 'abl1', which row 2 holds already" in problem


def test_a_dye_can_stand_for_the_target_but_only_once_in_a_well(write):
    rows = load_layout(write("well dye target", "A1 FAM -", "A1 VIC ABL1", "A2 FAM BCR::ABL1"))
    assert [(row.dye, row.target) for row in rows] == [("FAM", None), ("VIC", "ABL1"), ("FAM", "BCR::ABL1")]
    problem = the_problem_of(load_layout, write("well dye target", "A1 FAM X", "A1 FAM Y"))
    assert "column dye: found 'A1', 'FAM', which row 2 holds already; expected each well and dye" in problem


def test_a_reaction_needs_target_or_dye(write):
    problem = the_problem_of(load_layout, write("well role target", "A1 ntc -"))
    assert "column target: found neither target nor dye; expected at least one of them" in problem


@pytest.mark.parametrize("copies", ["0", "-10", "many", "1,000"])
def test_known_copies_are_a_positive_number(write, copies):
    problem = the_problem_of(load_layout, write("well target role known_copies", f"A1 ABL1 std {copies}"))
    assert f"column known_copies: found '{copies}'; expected a number" in problem


@pytest.mark.parametrize("role", ["unkn", "-"])
def test_only_standards_have_known_copies(write, role):
    problem = the_problem_of(load_layout, write("well target role known_copies", f"A1 ABL1 {role} 1000"))
    assert "column known_copies: found 1000 copies for role" in problem
    assert "expected copies only where role is std" in problem


def test_a_misspelt_role_is_one_problem_not_two(write):
    problem = the_problem_of(load_layout, write("well target role known_copies", "A1 ABL1 standard 1000"))
    assert "column role: found 'standard'; expected one of unkn, std" in problem


def test_the_roles_of_the_layout_are_those_of_a_run():
    assert tuple(load_schema("layout")["properties"]["role"]["enum"]) == ROLES


# -- configuration ----------------------------------------------------------------------------------------------------

DEFAULTS = {
    "runs": "config/runs.tsv",
    "samples": "config/samples.tsv",
    "conversion_factors": "config/conversion_factors.tsv",
    "exclusions": "config/exclusions.tsv",
    "results": "results",
    "detection_study": "config/detection_study.tsv",
}


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_every_key_of_the_configuration_may_be_left_out(tmp_path, text):
    assert load_configuration(configuration(tmp_path, text)) == DEFAULTS
    assert load_configuration({}) == DEFAULTS


def test_what_is_configured_wins_over_the_default(tmp_path):
    found = load_configuration(configuration(tmp_path, "results: /data/out\n"))
    assert found == {**DEFAULTS, "results": "/data/out"}


def test_an_unknown_key_is_named_with_the_closest_known_one():
    with pytest.raises(SheetError, match=r"configuration: found unknown key 'result'.*Did you mean 'results'\?"):
        load_configuration({"result": "x"})


@pytest.mark.parametrize("path", ["", "  ", "out\n", "a\x00b", 7, ["a"]])
def test_a_configured_path_is_a_path(path):
    with pytest.raises(SheetError, match=r"configuration, results: found .*; expected a path"):
        load_configuration({"results": path})


def test_all_bad_values_of_the_configuration_are_reported_at_once():
    found = problems_of(load_configuration, {"runs": 7, "results": "", "samples": None})
    assert [problem.split(":")[0] for problem in found] == [
        f"configuration, {key}" for key in ("results", "runs", "samples")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("results: a\nresults: b\n", r"row 2: found key 'results' given twice"),
        ("results: [a\n", r"expected YAML that can be read in one way only"),
        ("results: 2026-13-45\n", r"a value that YAML cannot read"),
        ("results: .inf\n", r"row 1: found the number \.inf"),
        ("- results\n", r"found \['results'\]; expected a mapping"),
        ("results: !!python/object:os.system {}\n", r"could not determine a constructor"),
    ],
)
def test_yaml_is_never_guessed_at(tmp_path, text, message):
    with pytest.raises(SheetError, match=message):
        load_configuration(configuration(tmp_path, text))


def test_an_overridden_merge_key_is_no_repetition(tmp_path):
    text = "results: &r out\n<<: {runs: a.tsv}\nruns: *r\n"
    assert load_configuration(configuration(tmp_path, text))["runs"] == "out"
