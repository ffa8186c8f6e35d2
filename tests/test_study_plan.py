"""The plan of the detection studies: what each reads and is computed with, and what is said where there is none."""

from __future__ import annotations

import json

import pytest

from bcrabl.errors import SheetError
from bcrabl.plan import load_plan
from bcrabl.study_plan import load_studies

HEADER = "study\trun_id\ttarget\tsample_id\tlevel\n"


@pytest.fixture
def studies_of(tmp_path, monkeypatch):
    """A function that plans a study sheet over the runs r1 (own batch), r2 and r3 (batch `week`)."""
    monkeypatch.chdir(tmp_path)
    runs = "run_id\tsite\traw_file\tassay\tbatch\nr1\tL\ta\teac\t\nr2\tL\tb\teac\tweek\nr3\tL\tc\teac\tweek\n"
    (tmp_path / "runs.tsv").write_text(runs)
    (tmp_path / "samples.tsv").write_text("sample_id\tpatient_id\nS1\tP1\n")
    (tmp_path / "factors.tsv").write_text("site\tassay\tcontrol_gene\tfactor\tvalid_from\tsource\n")

    def studies(*rows, **further):
        if rows:
            (tmp_path / "studies.tsv").write_text(HEADER + "".join(row.replace(" ", "\t") + "\n" for row in rows))
        sheets = {"runs": "runs.tsv", "samples": "samples.tsv", "conversion_factors": "factors.tsv"}
        return load_studies(load_plan(sheets | {"detection_study": "studies.tsv"} | further))

    return studies


def test_a_study_reads_each_table_of_its_runs_once(studies_of):
    studies = studies_of("lod r1 ABL1", "lod r2 ABL1", "lod r3 ABL1", "other r3 ABL1", results="out")
    assert studies.tables("lod", "cq") == ["out/cq/site=L/r1.parquet", "out/cq/site=L/week.parquet"]
    assert studies.tables("other", "copies") == ["out/copies/site=L/week.parquet"]


def test_every_study_gives_a_document_a_table_and_a_figure(studies_of):
    files = studies_of("lod r1 ABL1", "b r1 ABL1").files()
    assert sorted(files) == sorted(
        f"results/detection_limits/{study}.{ending}" for study in ("lod", "b") for ending in ("json", "parquet", "svg")
    )


def test_settings_that_are_left_out_have_their_defaults_and_no_cv_is_one_of_them(studies_of):
    settings = studies_of("lod r1 ABL1", detection_limits={"link": "probit"}).settings
    assert settings == {
        "link": "probit",
        "probability": 0.95,
        "confidence": 0.95,
        "replicates": 2,
        "background": False,
        "lob_method": "non_parametric",
    }


def test_what_is_computed_changes_with_sheet_and_settings_and_with_nothing_else(studies_of):
    first = studies_of("lod r1 ABL1 S 5").as_json("lod")
    assert studies_of("lod r1 ABL1 S 5", "other r2 ABL1").as_json("lod") == first
    assert studies_of("lod r1 ABL1 S 6").as_json("lod") != first
    assert studies_of("lod r1 ABL1 S 5", detection_limits={"loq_cv": 0.3}).as_json("lod") != first
    assert json.loads(first)["assay"] == "eac"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"link": "cloglogg"}, r"detection_limits\.link: found 'cloglogg'.*Did you mean 'cloglog'"),
        ({"probability": 95}, r"detection_limits\.probability: found 95; expected a probability between 0 and 1"),
        ({"replicates": 1.5}, r"detection_limits\.replicates: found 1\.5; expected a whole number"),
        ({"loq_cv": 0}, r"detection_limits\.loq_cv: found 0; expected a number above 0"),
        ({"cv": 0.35}, r"detection_limits: found unknown key 'cv'"),
        (["cloglog"], r"detection_limits: found a list of 1; expected a mapping"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(studies_of, settings, message):
    with pytest.raises(SheetError, match=message):
        studies_of(detection_limits=settings)


def test_a_missing_sheet_holds_no_study_and_asking_for_limits_says_what_to_do(studies_of, tmp_path):
    studies = studies_of()
    with pytest.raises(SheetError, match=r"studies\.tsv: found no such file; expected at least one row: study, run_id"):
        studies.files()
    (tmp_path / "studies.tsv").write_text(HEADER)
    with pytest.raises(SheetError, match=r"found no study;.*docs/detection_limits\.md says how"):
        studies_of().files()


def test_a_run_that_is_not_in_the_run_sheet_is_named_with_file_and_row(studies_of):
    with pytest.raises(SheetError, match=r"studies\.tsv, row 2, column run_id: found 'r7'; expected a run of the runs"):
        studies_of("lod r7 ABL1")
