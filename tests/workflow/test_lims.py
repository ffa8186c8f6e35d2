"""The files for the LIMS of the shipped example: there for every run, with the numbers of the dataset."""

from __future__ import annotations

import csv
import json

import pyarrow.dataset as dataset
import pytest

from bcrabl.lims import COLUMNS

pytestmark = pytest.mark.workflow

HEADING = {column.name: column.heading for column in COLUMNS}


@pytest.fixture(scope="module")
def results(finished_laboratory):
    folder = finished_laboratory[0].folder / "results/results"
    rows = dataset.dataset(folder, partitioning="hive").to_table().to_pylist()
    return {(row["run_id"], row["sample_id"]): row for row in rows if row["role"] == "unkn"}


@pytest.fixture(scope="module")
def lims(finished_laboratory):
    return finished_laboratory[0].folder / "results/lims"


def test_every_sample_stands_once_with_the_value_of_the_dataset(lims, results):
    found = {}
    for path in lims.glob("*.csv"):
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
            found[row[HEADING["run_id"]], row[HEADING["sample_id"]]] = row[HEADING["is_percent"]]
    values = {key: None if row["outcome"] == "repeat" else row["is_percent"] for key, row in results.items()}
    assert found == {key: "" if value is None else repr(value) for key, value in values.items()}
    assert sum(value != "" for value in found.values()) >= 20


def test_a_run_that_failed_reports_no_value_in_fhir_either(lims, results):
    failed = [row for row in results.values() if "run_failed" in row["flags"]]
    bundle = json.loads((lims / f"{failed[0]['run_id']}.fhir.json").read_text(encoding="utf-8"))
    observations = [entry["resource"]["entry"][1]["resource"] for entry in bundle["entry"]]
    assert len(observations) == len(failed)
    assert {observation["status"] for observation in observations} == {"cancelled"}
    assert not [name for observation in observations for name in observation if name.startswith("value")]


def test_each_run_has_the_three_files(lims, results):
    runs = {run for run, _ in results}
    endings = ("csv", "fhir.json", "xlsx")
    assert {path.name for path in lims.iterdir()} == {f"{run}.{ending}" for run in runs for ending in endings}
