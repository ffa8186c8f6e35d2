"""The sheet of the detection studies: what a laboratory may write, and what is refused with its place."""

from __future__ import annotations

import pytest
from sheet_builders import problems_of, the_problem_of

from bcrabl.standards import assay_path, load_assay
from bcrabl.study_sheet import DetectionStudyRow, load_detection_study

COLUMNS = "study run_id target sample_id level"


@pytest.fixture(scope="module")
def assays():
    eac, generic = (load_assay(assay_path(name)) for name in ("eac", "plasmid_generic"))
    return {"R1": eac, "R2": eac, "R3": generic}


def against(assays):
    return lambda path: load_detection_study(path, assays=assays)


def test_a_sheet_with_the_header_only_holds_no_study(write):
    assert load_detection_study(write(COLUMNS)) == []


def test_a_row_names_a_sample_and_its_level_or_a_whole_run(write):
    path = write(COLUMNS, "lod R1 BCR::ABL1 DIL-5 5", "lod R1 BCR::ABL1 WATER 0", "lod R2 BCR::ABL1 - -")
    assert load_detection_study(path) == [
        DetectionStudyRow("lod", "R1", "BCR::ABL1", "DIL-5", 5.0),
        DetectionStudyRow("lod", "R1", "BCR::ABL1", "WATER", 0.0),
        DetectionStudyRow("lod", "R2", "BCR::ABL1"),
    ]


def test_an_alias_of_the_target_becomes_the_protocol_s_name(write, assays):
    (row,) = against(assays)(write(COLUMNS, "lod R1 bcr-abl - -"))
    assert row.target == "BCR::ABL1"


def test_a_sample_without_a_level_is_refused(write):
    problem = the_problem_of(load_detection_study, write(COLUMNS, "lod R1 ABL1 S1 -"))
    assert "row 2, column level: found no level; expected copies per reaction put into the sample" in problem


def test_a_level_without_a_sample_is_refused(write):
    problem = the_problem_of(load_detection_study, write(COLUMNS, "lod R1 ABL1 - 5"))
    assert "row 2, column sample_id: found a level without a sample" in problem
    assert "leave the level empty to take the standards and blanks of the whole run" in problem


@pytest.mark.parametrize("level", ["-1", "1,5", "1e999", "few"])
def test_a_level_is_a_number_of_copies_that_is_not_negative(write, level):
    problem = the_problem_of(load_detection_study, write(COLUMNS, f"lod R1 ABL1 S1 {level}"))
    assert f"row 2, column level: found '{level}'; expected a number" in problem


@pytest.mark.parametrize("row", ["lod R1 ABL1 S1 5", "lod R1 ABL1 - -"])
def test_the_same_reactions_twice_in_a_study_are_refused(write, row):
    problem = the_problem_of(load_detection_study, write(COLUMNS, row, row))
    assert "row 3, column sample_id: found" in problem
    assert "which row 2 holds already" in problem


def test_the_same_sample_of_two_runs_is_one_level_of_the_study(write):
    assert len(load_detection_study(write(COLUMNS, "lod R1 ABL1 S1 5", "lod R2 ABL1 S1 5"))) == 2


def test_studies_that_differ_only_in_letter_case_would_be_one_file_and_are_refused(write):
    problem = the_problem_of(load_detection_study, write(COLUMNS, "lod R1 ABL1 - -", "LoD R2 ABL1 - -"))
    assert "row 3, column study: found 'LoD', which differs only in letter case from 'lod' in row 2" in problem


def test_runs_and_targets_that_are_not_there_are_all_named_at_once(write, assays):
    path = write(COLUMNS, "lod R9 BCR::ABL1 - -", "lod R1 GUSB - -")
    run, target = problems_of(against(assays), path)
    assert "row 2, column run_id: found 'R9'; expected a run of the runs sheet" in run
    assert "row 3, column target: found 'GUSB'; expected a target of assay eac" in target
    assert "BCR::ABL1, ABL1" in target


def test_runs_of_two_assays_are_no_study(write, assays):
    problem = the_problem_of(against(assays), write(COLUMNS, "lod R1 ABL1 - -", "lod R3 ABL1 - -"))
    assert (
        "row 3, column run_id: found run 'R3' of assay plasmid_generic, while row 2 has a run of assay eac" in problem
    )
