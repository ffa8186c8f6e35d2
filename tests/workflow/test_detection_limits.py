"""`snakemake detection_limits` on a simulated study, against its truth; and what it says where there is no study."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from bcrabl.formats.rdml.writing import write_rdml
from bcrabl.simulation import replicate_plate, simulate_run, well_names
from bcrabl.tables import DETECTION_LIMITS, read_table

pytestmark = pytest.mark.workflow

FUSION = "BCR::ABL1"
LEVELS = (0, 1, 2, 5, 10, 20, 50)
HEADER = ("study", "run_id", "target", "sample_id", "level")
FILES = [f"results/detection_limits/lod-1.{ending}" for ending in ("json", "parquet", "svg")]


def name_studies(laboratory, *rows):
    laboratory.sheet("detection_study.tsv", HEADER, [dict(zip(HEADER, row, strict=True)) for row in rows])


@pytest.fixture
def study(laboratory):
    """A laboratory with a study of 24 wells a level, levels named in the sheet, and one run of patients' samples."""
    studied = [replace(one, sample_id=f"DIL-{one.copies:g}") for one in replicate_plate(FUSION, LEVELS, 24)]
    plate = [*studied, *replicate_plate(FUSION, (1e6, 1e5, 1e4, 1e3, 1e2, 1e1), 2, role="std")]
    placed = [replace(one, well=well) for one, well in zip(plate, well_names(16, 24), strict=False)]
    laboratory.add_run("patients")
    write_rdml(simulate_run(placed, seed=23, run_date="2026-03-03"), laboratory.folder / "raw/dilution.rdml")
    laboratory.name_run("dilution", "raw/dilution.rdml")
    name_studies(laboratory, *(("lod-1", "dilution", "BCR-ABL1", f"DIL-{level}", str(level)) for level in LEVELS))
    return laboratory


def settle(laboratory, **settings):
    """Change settings of the detection limits in config.yaml."""
    path = laboratory.folder / "config/config.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["detection_limits"] |= settings
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def test_a_study_ends_as_document_table_and_figure_with_the_poisson_limit_in_its_interval(study):
    settle(study, loq_cv=0.35)
    done = study.run("detection_limits")
    assert done.returncode == 0, done.stderr
    assert "lod-1, BCR::ABL1: LoD " in done.stderr
    assert [path for path in study.contents() if "detection_limits" in path] == FILES
    assert not (study.folder / "results/status/site=LAB1/patients.json").exists()  # no run but the study's
    rows = read_table(study.folder / FILES[1], DETECTION_LIMITS).to_pylist()
    limits = {row["link"]: row for row in rows}
    for link in ("cloglog", "one_hit"):
        assert limits[link]["lod_low"] < 2.996 < limits[link]["lod_high"]
        assert limits[link]["replicates_lod_low"] < 1.498 < limits[link]["replicates_lod_high"]
    assert limits["cloglog"]["loq_low"] < 1 / 0.35**2 < limits["cloglog"]["loq_high"]
    assert limits["cloglog"]["level_copies"] == [float(level) for level in LEVELS]
    first = study.contents()
    for path in FILES:
        (study.folder / path).unlink()
    assert study.run("detection_limits").returncode == 0
    assert {path: study.contents()[path] for path in FILES} == {path: first[path] for path in FILES}


def test_a_setting_computes_the_limits_anew_and_nothing_else(study):
    assert study.run("detection_limits").returncode == 0
    first = study.contents()
    again = study.run("detection_limits")
    assert "Nothing to be done" in again.stderr
    settle(study, link="one_hit")
    done = study.run("detection_limits")
    assert "rule detection_study" in done.stderr or "computing the limits" in done.stderr
    changed = {path for path, digest in study.contents().items() if first.get(path) != digest}
    assert changed == set(FILES)
    assert json.loads((study.folder / FILES[0]).read_text(encoding="utf-8"))["settings"]["link"] == "one_hit"


def test_the_usual_target_computes_no_study(study):
    done = study.run("--dry-run", "--quiet", "host")
    assert done.returncode == 0
    assert "detection" not in done.stderr


def test_without_a_study_the_target_says_what_to_do(finished_laboratory):
    laboratory, _ = finished_laboratory
    done = laboratory.run("detection_limits")
    assert done.returncode != 0
    assert "config/detection_study.tsv: found no study; expected at least one row" in done.stderr
    assert "docs/detection_limits.md says how" in done.stderr


def test_a_bad_cell_of_the_study_sheet_is_named_before_anything_runs(laboratory):
    laboratory.add_run("r1")
    name_studies(laboratory, ("lod-1", "r2", FUSION, "", ""), ("lod-1", "r1", FUSION, "DIL-5", ""))
    done = laboratory.run("detection_limits")
    assert done.returncode != 0
    assert "config/detection_study.tsv, row 2, column run_id: found 'r2'" in done.stderr
    assert "config/detection_study.tsv, row 3, column level: found no level" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (laboratory.folder / "results").exists()


def test_a_sample_that_is_not_on_the_plate_is_named_with_those_that_are(laboratory):
    laboratory.add_run("r1")
    name_studies(laboratory, ("lod-1", "r1", FUSION, "DIL-5", "5"))
    done = laboratory.run("detection_limits")
    assert done.returncode != 0
    assert "study lod-1, run_id r1, target BCR::ABL1, sample_id DIL-5: found no reaction of this sample" in done.stderr
    assert "S1, S2, S3" in done.stderr
    assert not (laboratory.folder / FILES[0]).exists()
