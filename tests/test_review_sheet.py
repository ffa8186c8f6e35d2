"""The sheet of the review: what an entry must say, how entries that contradict each other or name nothing are met."""

from __future__ import annotations

import pytest
from sheet_builders import problems_of, the_problem_of

from bcrabl.review_sheet import ReviewEntry, load_exclusions
from bcrabl.schemas import load_schema
from bcrabl.standards import assay_path, load_assay

COLUMNS = "run_id well target action reason by at"
AT = "2026-03-05T10:15:00+01:00"


@pytest.fixture(scope="module")
def assays():
    """The protocols of the runs R1 and R2."""
    return dict.fromkeys(("R1", "R2"), load_assay(assay_path("eac")))


def row(run="R1", well="A1", target="ABL1", action="exclude", reason="bubble", by="op17", at=AT):
    return " ".join((run, well, target, action, reason, by, at))


# -- reading ----------------------------------------------------------------------------------------------------------


def test_an_entry_arrives_with_its_place(write):
    (found,) = load_exclusions(write(COLUMNS, row()))
    assert found == ReviewEntry("R1", "A1", "exclude", "bubble", "op17", AT, "ABL1", "sheet.tsv, row 2")
    assert str(found) == f"exclude: bubble (op17, {AT})"


def test_a_sheet_of_the_header_alone_holds_no_entry(write):
    assert load_exclusions(write(COLUMNS)) == []


@pytest.mark.parametrize(("written", "well"), [("A01", "A1"), ("h12", "H12"), ("d1C1", "D1c1")])
def test_both_spellings_of_a_well_are_the_same_well(write, written, well):
    assert load_exclusions(write(COLUMNS, row(well=written)))[0].well == well


@pytest.mark.parametrize("target", ["ABL1", "abl1", "ABL"])
def test_a_target_is_known_by_name_and_alias(write, assays, target):
    assert load_exclusions(write(COLUMNS, row(target=target)), None, assays)[0].target == "ABL1"


def test_an_entry_without_target_is_about_every_target_of_its_well(write, assays):
    (found,) = load_exclusions(write(COLUMNS, row(target="-")), None, assays)
    assert found.target is None
    assert [found.concerns(*place) for place in (("A1", "ABL1"), ("A1", "X"), ("A2", "ABL1"))] == [True, True, False]


@pytest.mark.parametrize("at", ["2026-03-05T10:15Z", "2026-03-05T10:15:00.123456+05:30", "2024-02-29T23:59:59-12:00"])
def test_a_time_with_zone_is_a_time(write, at):
    (found,) = load_exclusions(write(COLUMNS, row(at=at)))
    assert (found.at, found.instant.tzinfo is None) == (at, False)


def test_the_same_moment_in_two_zones_is_one_instant():
    here, there = (ReviewEntry("R1", "A1", "exclude", "x", "y", at) for at in ("2026-03-05T10:15:00+01:00", AT))
    utc = ReviewEntry("R1", "A1", "exclude", "x", "y", "2026-03-05T09:15Z")
    assert here.instant == there.instant == utc.instant


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["run_id", "well", "action", "reason", "by", "at"])
def test_who_when_why_what_and_where_must_be_said(write, column):
    position = COLUMNS.split().index(column)
    cells = row().split()
    cells[position] = "-"
    assert f"row 2, column {column}: found an empty cell" in the_problem_of(
        load_exclusions, write(COLUMNS, " ".join(cells))
    )


@pytest.mark.parametrize("column", load_schema("exclusions")["required"])
def test_a_sheet_without_one_of_these_columns_is_refused(write, column):
    names = [name for name in COLUMNS.split() if name != column]
    assert f"found no column {column}" in the_problem_of(load_exclusions, write(" ".join(names)))


@pytest.mark.parametrize(
    "at",
    [
        "2026-03-05",
        "2026-03-05T10:15:00",
        "05.03.2026T10:15:00Z",
        "2026-03-05T10:15:00+0100",
        "2026-03-05t10:15:00z",
        "2026-03-05T10:15:00.1234567Z",
    ],
)
def test_a_time_without_zone_or_in_another_form_is_refused(write, at):
    problem = the_problem_of(load_exclusions, write(COLUMNS, row(at=at)))
    assert f"row 2, column at: found '{at}'; expected a day and time with zone" in problem


@pytest.mark.parametrize("at", ["2026-02-30T10:15:00Z", "2026-03-05T24:01:00Z", "2026-03-05T10:15:00+25:00"])
def test_a_time_that_does_not_exist_is_refused(write, at):
    problem = the_problem_of(load_exclusions, write(COLUMNS, row(at=at)))
    assert f"column at: found '{at}'; expected a day and time that exist" in problem


@pytest.mark.parametrize(
    ("changes", "column", "expected"),
    [
        ({"action": "exlude"}, "action", "one of exclude, include, call:amplified, call:not_amplified. Did you mean"),
        ({"action": "EXCLUDE"}, "action", "one of exclude"),
        ({"well": "A0"}, "well", "a well from A1 to AF48"),
        ({"run": "../R1"}, "run_id", "1 to 64 of the characters"),
    ],
)
def test_a_cell_that_does_not_fit_is_named(write, changes, column, expected):
    problem = the_problem_of(load_exclusions, write(COLUMNS, row(**changes)))
    assert f"row 2, column {column}: found" in problem
    assert f"expected {expected}" in problem


@pytest.mark.parametrize(
    "second", [{}, {"target": "-"}, {"target": "ABL"}, {"well": "A01"}, {"at": "2026-03-05T09:15Z"}]
)
def test_two_entries_about_a_reaction_at_one_instant_are_refused(write, assays, second):
    path = write(COLUMNS, row(), row(**{"action": "include"} | second))
    problem = the_problem_of(lambda path: load_exclusions(path, None, assays), path)
    assert "row 3, column at: found" in problem
    assert "the instant of row 2, which is about the same reaction" in problem


@pytest.mark.parametrize(
    "second", [{"target": "BCR::ABL1"}, {"well": "A2"}, {"run": "R2"}, {"at": "2026-03-05T09:16Z"}]
)
def test_entries_about_different_reactions_or_at_different_times_are_no_contradiction(write, assays, second):
    assert len(load_exclusions(write(COLUMNS, row(), row(**second)), None, assays)) == 2


def test_entries_without_a_usable_time_do_not_contradict_each_other_as_well(write):
    path = write(COLUMNS, *(row(at=at) for at in ("2026-02-30T10:15:00Z", "2026-02-31T10:15:00Z", "today")))
    assert ["expected a day and time" in problem for problem in problems_of(load_exclusions, path)] == [True] * 3


def test_a_run_that_is_not_in_the_run_sheet_is_named_with_the_closest_there_is(write, assays):
    problem = the_problem_of(lambda path: load_exclusions(path, None, assays), write(COLUMNS, row(run="r2")))
    assert "row 2, column run_id: found 'r2'; expected a run of the runs sheet. Did you mean 'R2'?" in problem


def test_a_target_that_is_not_in_the_protocol_is_named_with_those_that_are(write, assays):
    problem = the_problem_of(lambda path: load_exclusions(path, None, assays), write(COLUMNS, row(target="GUSB")))
    assert "row 2, column target: found 'GUSB'; expected a target of assay eac" in problem
    assert "BCR::ABL1, ABL1" in problem


def test_everything_wrong_is_reported_at_once(write, assays):
    path = write(COLUMNS, row(run="R9", action="drop"), row(), row(action="include"), row(at="2026-02-30T10:15:00Z"))
    found = problems_of(lambda path: load_exclusions(path, None, assays), path)
    assert ["row 2" in found[0], "row 2" in found[1], "row 4" in found[2], "row 5" in found[3]] == [True] * 4
    assert len(found) == 4
