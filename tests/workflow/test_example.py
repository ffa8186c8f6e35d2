"""The shipped example, processed by Snakemake, against its truth."""

from __future__ import annotations

import csv
import math
import statistics

import pytest

pytestmark = pytest.mark.workflow

TABLES = ("curves", "cq", "standard_curves", "copies", "results", "qc")
ASSAY_CV = 0.15  # pipetting, calibration and conversion of one duplicate, as simulated: about 0.06 log10


@pytest.fixture(scope="module")
def truth(finished_laboratory):
    path = finished_laboratory[0].folder / "resources/example/truth.tsv"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {(row["run_id"], row["sample_id"]): row for row in csv.DictReader(lines, delimiter="\t")}


@pytest.fixture(scope="module")
def results(finished_laboratory):
    dataset = pytest.importorskip("pyarrow.dataset")
    folder = finished_laboratory[0].folder / "results/results"
    rows = dataset.dataset(folder, partitioning="hive").to_table().to_pylist()
    return {(row["run_id"], row["sample_id"]): row for row in rows}


def test_every_sample_of_the_truth_has_a_result_and_no_other(results, truth):
    assert set(results) == set(truth)


def test_is_above_a_hundred_copies_is_within_a_twentieth_of_a_log_in_the_median(results, truth):
    off = [
        abs(math.log10(results[key]["is_percent"] / float(row["is_percent"])))
        for key, row in truth.items()
        if row["is_percent"] and float(row["bcr_abl_copies"]) > 100
    ]
    assert len(off) >= 15
    assert statistics.median(off) <= 0.05


def test_no_detected_sample_is_further_off_than_four_times_its_poisson_and_assay_sd(results, truth):
    checked = 0
    for key, row in truth.items():
        expected = float(row["bcr_abl_copies"])
        if not results[key]["detected"]:
            continue
        sd = math.sqrt(expected + (ASSAY_CV * expected) ** 2)
        assert abs(results[key]["bcr_abl_copies"] - expected) <= 4 * sd, key
        checked += 1
    assert checked >= 30


def test_no_sample_without_bcr_abl1_is_called_detected(results, truth):
    negative = [key for key, row in truth.items() if float(row["bcr_abl_copies"]) == 0]
    assert len(negative) >= 8
    assert not [key for key in negative if results[key]["detected"]]


def test_undetected_samples_reach_mr45_depth_and_carry_an_upper_bound(results, truth):
    for key, row in truth.items():
        result = results[key]
        if float(row["bcr_abl_copies"]) == 0 and row["must_be"] == "report":
            assert result["response_class"] in ("MR4.5", "MR5"), key
            assert result["is_percent"] == 0
            three_copies = 299.573 / result["control_copies"] * 0.85
            assert three_copies < result["is_high"] < 1.1 * three_copies, key  # control gene and factor are uncertain


def test_every_sample_ends_as_the_truth_says_it_must(results, truth):
    for key, row in truth.items():
        if row["must_be"] != "control":
            assert results[key]["outcome"] in row["must_be"].split("|"), key


def test_a_transcript_off_the_scale_has_a_ratio_but_no_is(results):
    minor = [row for row in results.values() if row["transcript"] == "e1a2"]
    assert len(minor) == 2
    for row in minor:
        assert row["ratio_percent"] > 0
        assert row["is_percent"] is None
        assert row["response_class"] is None
        assert "not_on_international_scale" in row["flags"]


def test_the_bad_run_is_marked_failed_and_the_others_are_accepted(finished_laboratory):
    laboratory, done = finished_laboratory
    table = (laboratory.folder / "results/summary.tsv").read_text(encoding="utf-8").splitlines()
    outcomes = {row["run_id"]: row["outcome"] for row in csv.DictReader(table, delimiter="\t")}
    assert outcomes == {"demo-1": "accepted", "demo-2": "accepted", "demo-3": "failed"}
    assert "demo-3 FAILED: BCR::ABL1: blanks: 2 amplified; allowed: at most 0" in done.stderr


def test_the_layout_sheet_wins_over_the_export_and_that_is_recorded(finished_laboratory):
    import pyarrow.dataset as ds

    folder = finished_laboratory[0].folder / "results"
    qc = ds.dataset(folder / "qc", partitioning="hive").to_table().to_pylist()
    found = {(row["well"], row["message"]) for row in qc if row["check"] == "layout_contradiction"}
    assert {well for well, _ in found} == {"C9", "G5"}
    assert any("export SIM-028, layout SIM-017; the layout sheet was followed" in message for _, message in found)


@pytest.mark.parametrize("table", TABLES)
def test_each_table_reads_as_a_hive_dataset_with_pyarrow_and_duckdb_alike(finished_laboratory, table):
    import pyarrow.dataset as ds

    duckdb = pytest.importorskip("duckdb")
    folder = finished_laboratory[0].folder / "results" / table
    by_arrow = ds.dataset(folder, partitioning="hive").to_table()
    query = f"select count(*), count(distinct run_id), any_value(site) from read_parquet('{folder}/**/*.parquet')"
    rows, runs, site = duckdb.sql(query.replace("')", "', hive_partitioning = true)")).fetchall()[0]
    assert (rows, runs, site) == (by_arrow.num_rows, 3, "DEMO-LAB")


@pytest.mark.parametrize("table", TABLES)
def test_each_column_of_each_file_says_its_unit_and_meaning(finished_laboratory, table):
    import pyarrow.parquet as pq

    for path in (finished_laboratory[0].folder / "results" / table).rglob("*.parquet"):
        schema = pq.read_schema(path)
        assert schema.metadata[b"schema_version"]
        for field in schema:
            assert field.metadata[b"meaning"], field.name
            assert b"unit" in field.metadata, field.name


def test_no_table_holds_a_nan(finished_laboratory):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for path in (finished_laboratory[0].folder / "results").rglob("*.parquet"):
        table = pq.read_table(path)
        for name in table.schema.names:
            column = table[name]
            if pa.types.is_list(column.type):
                column = pc.list_flatten(column)
            if pa.types.is_floating(column.type):
                assert not pc.any(pc.is_nan(column)).as_py(), f"{path.name} {name}"


def test_each_run_has_its_page_and_the_index_links_them(finished_laboratory):
    folder = finished_laboratory[0].folder / "results"
    index = (folder / "index.html").read_text(encoding="utf-8")
    for run in ("demo-1", "demo-2", "demo-3"):
        assert f'href="reports/{run}.html"' in index
        assert run in (folder / "reports" / f"{run}.html").read_text(encoding="utf-8")


def test_a_second_call_has_nothing_to_do(finished_laboratory):
    laboratory, _ = finished_laboratory
    before = laboratory.contents()
    done = laboratory.run()
    assert done.returncode == 0
    assert "Nothing to be done" in done.stderr
    assert laboratory.contents() == before


def test_the_entry_the_catalog_looks_for_plans_the_same_work(finished_laboratory):
    laboratory, _ = finished_laboratory
    done = laboratory.run(
        "--snakefile", "workflow/Snakefile", "--workflow-profile", "profiles/default", "--forceall", "-n"
    )
    assert done.returncode == 0, done.stderr
    for rule, count in {"analyse": 3, "score": 3, "report": 3, "summary": 1, "confirm": 1}.items():
        assert f"{rule:<8} {count:>8}" in done.stderr or f"{rule} " in done.stderr
    assert "total" in done.stderr
