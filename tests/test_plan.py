"""The plan of a workflow: which runs belong together, what each batch is made of, and when it has changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bcrabl.errors import SheetError, StandardsError
from bcrabl.plan import load_plan
from bcrabl.standards import standards_folder

SAMPLES = "sample_id\tpatient_id\nS1\tP1\n"
FACTORS = "site\tassay\tcontrol_gene\tfactor\tvalid_from\tsource\n"


@pytest.fixture
def plan_of(tmp_path, monkeypatch):
    """A function that plans runs given as lines of `run_id site raw_file assay batch layout column_map`."""
    monkeypatch.chdir(tmp_path)

    def plan(*runs, factors="", **further):
        header = "run_id\tsite\traw_file\tassay\tbatch\tlayout\tcolumn_map"
        lines = [header, *("\t".join(run.split(" ")) for run in runs)]
        (tmp_path / "runs.tsv").write_text("\n".join(lines) + "\n")
        (tmp_path / "samples.tsv").write_text(SAMPLES)
        (tmp_path / "factors.tsv").write_text(FACTORS + factors)
        return load_plan({"runs": "runs.tsv", "samples": "samples.tsv", "conversion_factors": "factors.tsv"} | further)

    return plan


def test_each_run_is_its_own_batch_unless_the_sheet_says_otherwise(plan_of):
    plan = plan_of("r1 L a.rdml eac", "r2 L b.rdml eac week", "r3 L c.rdml eac week")
    assert {name: [run.run_id for run in batch.runs] for name, batch in plan.batches.items()} == {
        "r1": ["r1"],
        "week": ["r2", "r3"],
    }
    assert plan.runs["r3"].batch == "week"


def test_a_raw_file_that_is_missing_is_no_input_so_that_the_others_of_its_batch_are_processed(plan_of, tmp_path):
    (tmp_path / "a.rdml").write_bytes(b"x")
    plan = plan_of("r1 L a.rdml eac week", "r2 L gone.rdml eac week")
    assert plan.raw_files("week") == ["a.rdml"]


def test_a_raw_file_that_appears_changes_or_goes_changes_the_digest_of_its_batch(plan_of, tmp_path):
    plan = plan_of("r1 L a.rdml eac")
    digests = [plan.raw_digest("r1")]
    for content in (b"one", b"two"):
        (tmp_path / "a.rdml").write_bytes(content)
        digests.append(plan.raw_digest("r1"))
    assert len(set(digests)) == 3
    (tmp_path / "a.rdml").unlink()
    assert plan.raw_digest("r1") == digests[0]


def test_a_folder_is_the_files_in_it_and_a_change_in_any_of_them_changes_the_digest(plan_of, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "cq.csv").write_bytes(b"cq")
    (tmp_path / "run" / "fam.csv").write_bytes(b"fam")
    plan = plan_of("r1 L run eac")
    assert plan.raw_files("r1") == [str(Path("run", name)) for name in ("cq.csv", "fam.csv")]
    before = plan.raw_digest("r1")
    (tmp_path / "run" / "fam.csv").write_bytes(b"other")
    changed = plan.raw_digest("r1")
    (tmp_path / "run" / "hex.csv").write_bytes(b"hex")
    assert len({before, changed, plan.raw_digest("r1")}) == 3


def test_an_empty_folder_is_no_input_and_its_run_says_why(plan_of, tmp_path):
    (tmp_path / "run").mkdir()
    assert plan_of("r1 L run eac").raw_files("r1") == []


def test_companion_files_are_inputs_and_in_the_digest(plan_of, tmp_path):
    for name in ("plate.txt", "plate_Cq.txt", "another.txt"):
        (tmp_path / name).write_bytes(b"x")
    plan = plan_of("r1 L plate.txt eac")
    assert plan.raw_files("r1") == ["plate.txt", "plate_Cq.txt"]
    before = plan.raw_digest("r1")
    (tmp_path / "plate_Cq.txt").write_bytes(b"y")
    assert plan.raw_digest("r1") != before


COLUMN_MAP = "layout: row_per_well\nstage: raw\nfields: {well: Well, target: Gene}\ncycles: {first: 1}\n"


@pytest.mark.parametrize("named", [True, False])
def test_a_column_map_is_an_input_and_in_the_digest(named, plan_of, tmp_path):
    (tmp_path / "plate.csv").write_bytes(b"x")
    column_map = "own.yaml" if named else "plate.csv.columns.yaml"
    (tmp_path / column_map).write_text(COLUMN_MAP)
    plan = plan_of(f"r1 L plate.csv eac   {'own.yaml' if named else ''}")
    assert plan.raw_files("r1") == ["plate.csv", column_map]
    before = plan.raw_digest("r1")
    (tmp_path / column_map).write_text(COLUMN_MAP.replace("raw", "normalised"))
    assert plan.raw_digest("r1") != before


def test_one_file_of_several_runs_is_one_input(plan_of, tmp_path):
    (tmp_path / "a.rdml").write_bytes(b"x")
    assert plan_of("r1 L a.rdml eac week", "r2 L a.rdml eac week").raw_files("week") == ["a.rdml"]


def test_a_column_map_that_is_missing_or_wrong_stops_the_plan(plan_of, tmp_path):
    with pytest.raises(
        SheetError, match=r"runs.tsv, column column_map: found own.yaml; expected a column map that exists"
    ):
        plan_of("r1 L plate.csv eac   own.yaml")
    (tmp_path / "own.yaml").write_text(COLUMN_MAP.replace("stage", "sage"))
    with pytest.raises(SheetError, match=r"own.yaml: found unknown key 'sage'.*Did you mean 'stage'"):
        plan_of("r1 L plate.csv eac   own.yaml")


def test_conversion_factors_of_other_sites_and_assays_are_nothing_to_a_batch(plan_of):
    factors = "".join(
        f"{site}\t{assay}\tABL1\t{factor}\t2026-01-01\tstudy\n"
        for site, assay, factor in (("L", "eac", 0.8), ("M", "eac", 1.1), ("L", "plasmid_generic", 1.2))
    )
    plan = plan_of("r1 L a.rdml eac", factors=factors)
    assert [row["factor"] for row in json.loads(plan.factors_as_json("r1"))] == [0.8]


REVIEW = "run_id\twell\ttarget\taction\treason\tby\tat\n"


def review(*entries):
    """Text of a review sheet from `run well target day`."""
    rows = (entry.split(" ") for entry in entries)
    return REVIEW + "".join(
        f"{run}\t{well}\t{target}\texclude\tbubble\top17\t{day}T10:00:00Z\n" for run, well, target, day in rows
    )


def test_the_review_of_other_runs_is_nothing_to_a_batch(plan_of, tmp_path):
    (tmp_path / "review.tsv").write_text(review("r2 A1  2026-03-05", "r1 B2 abl 2026-03-05"))
    plan = plan_of("r1 L a.rdml eac", "r2 L b.rdml eac", "r3 L c.rdml eac", exclusions="review.tsv")
    (entry,) = json.loads(plan.exclusions_as_json("r1"))
    assert (entry["run_id"], entry["well"], entry["target"]) == ("r1", "B2", "ABL1")
    assert entry["place"] == "review.tsv, row 3"
    assert plan.exclusions_as_json("r3") == "[]"


def test_a_pooled_run_is_scored_again_when_one_of_those_before_it_is_reviewed(plan_of, tmp_path):
    folder = tmp_path / "standards"
    shutil.copytree(standards_folder(), folder)
    protocol = folder / "assays" / "eac.yaml"
    protocol.write_text(protocol.read_text(encoding="utf-8") + "\ncalibration: {pooled_runs: 5}\n", encoding="utf-8")
    (tmp_path / "review.tsv").write_text(review("r1 A1  2026-03-05"))
    plan = plan_of("r1 L a.rdml eac", "r2 L b.rdml eac", exclusions="review.tsv", standards=str(folder))
    assert json.loads(plan.exclusions_as_json("r2"))[0]["run_id"] == "r1"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("r9 A1  2026-03-05", r"review.tsv, row 2, column run_id: found 'r9'; expected a run of the runs sheet"),
        ("r1 A1 GUSB 2026-03-05", r"row 2, column target: found 'GUSB'; expected a target of assay eac"),
    ],
)
def test_a_review_of_what_is_not_there_stops_the_plan(plan_of, tmp_path, row, message):
    (tmp_path / "review.tsv").write_text(review(row))
    with pytest.raises(SheetError, match=message):
        plan_of("r1 L a.rdml eac", exclusions="review.tsv")


def test_a_review_sheet_that_is_named_must_be_there_but_nobody_needs_one(plan_of):
    assert plan_of("r1 L a.rdml eac").exclusions == ()
    with pytest.raises(SheetError, match=r"config/exclusions.tsv: found no readable file"):
        plan_of("r1 L a.rdml eac", exclusions="config/exclusions.tsv")


def test_a_review_sheet_in_the_usual_place_is_read_without_being_named(plan_of, tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/exclusions.tsv").write_text(review("r1 A1  2026-03-05"))
    assert len(plan_of("r1 L a.rdml eac").exclusions) == 1


def test_the_sample_sheet_enters_the_digest_of_scoring_but_not_that_of_reading(plan_of, tmp_path):
    plan = plan_of("r1 L a.rdml eac")
    reading, scoring = plan.raw_digest("r1"), plan.scoring_digest("r1")
    (tmp_path / "samples.tsv").write_text(SAMPLES + "S2\tP2\n")
    assert plan.raw_digest("r1") == reading
    assert plan.scoring_digest("r1") != scoring


def test_an_assay_without_a_protocol_stops_the_plan(plan_of):
    with pytest.raises(StandardsError, match=r"no assay 'eca'; expected one of eac, plasmid_generic"):
        plan_of("r1 L a.rdml eca")


def test_a_layout_sheet_that_is_missing_stops_the_plan(plan_of):
    with pytest.raises(
        SheetError, match=r"runs.tsv, column layout: found lay.tsv; expected a layout sheet that exists"
    ):
        plan_of("r1 L a.rdml eac  lay.tsv")


def test_a_layout_sheet_with_a_bad_cell_stops_the_plan(plan_of, tmp_path):
    (tmp_path / "lay.tsv").write_text("well\ttarget\trole\nA1\tABL1\tpatient\n")
    with pytest.raises(SheetError, match=r"lay.tsv, row 2, column role: found 'patient'"):
        plan_of("r1 L a.rdml eac  lay.tsv")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: ABL1", "name: BCR", r"found BCR; expected a control gene with minima in .*: ABL1, GUSB"),
        ("value: 0.1, unit: dRn, source: Gabert2003", "value: 0.1, unit: dRn", r"cq.threshold"),
    ],
)
def test_a_protocol_that_cannot_be_used_stops_the_plan_before_anything_runs(plan_of, tmp_path, old, new, message):
    own = tmp_path / "standards"
    shutil.copytree(standards_folder(), own)
    protocol = own / "assays" / "eac.yaml"
    assert old in protocol.read_text(encoding="utf-8")
    protocol.write_text(protocol.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(StandardsError, match=message):
        plan_of("r1 L a.rdml eac", standards=str(own))


def test_only_a_protocol_that_pools_looks_back_and_only_at_runs_like_its_own(plan_of, tmp_path):
    folder = tmp_path / "standards"
    shutil.copytree(standards_folder(), folder)
    runs = ["r1 L a.rdml eac", "r2 M a.rdml eac", "r3 L a.rdml plasmid_generic", "r4 L a.rdml eac", "r5 L a.rdml eac"]
    assert plan_of(*runs).earlier_runs("r5") == []
    protocol = folder / "assays" / "eac.yaml"
    protocol.write_text(protocol.read_text(encoding="utf-8") + "\ncalibration: {pooled_runs: 5}\n", encoding="utf-8")
    plan = plan_of(*runs, standards=str(folder))
    assert [run.run_id for run in plan.earlier_runs("r5")] == ["r1", "r4"]
    assert plan.earlier_runs("r1") == []
    assert json.loads(plan.earlier_runs_as_json("r5"))[0]["run_id"] == "r1"
