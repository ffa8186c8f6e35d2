"""An entry of the review scores its own batch again, reads nothing, and leaves no trace when it is taken out."""

from __future__ import annotations

import pytest

from bcrabl.tables import QC, RESULTS, STANDARD_CURVES, read_table

pytestmark = pytest.mark.workflow

AT = "2026-03-05T10:15:00+01:00"
FUSION, STANDARD = "BCR::ABL1", "A1"  # a well of its standards on the laboratory's plates


@pytest.fixture
def processed(laboratory):
    """A laboratory with two runs, processed."""
    laboratory.add_run("r1", seed=1)
    laboratory.add_run("r2", seed=2)
    done = laboratory.run()
    assert done.returncode == 0, done.stderr
    return laboratory


def rows_of(laboratory, table, run_id="r1"):
    return read_table(laboratory.folder / f"results/{table.name}/site=LAB1/{run_id}.parquet", table).to_pylist()


def fusion_curve(laboratory):
    return next(row for row in rows_of(laboratory, STANDARD_CURVES) if row["target"] == FUSION)


def changed_files(laboratory, before):
    after = laboratory.contents()
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def test_an_excluded_standard_changes_slope_and_results_of_its_run_and_nothing_is_read_again(processed):
    before, slope = processed.contents(), fusion_curve(processed)["slope"]
    processed.set_review(("r1", STANDARD, FUSION, "exclude", AT))
    assert processed.planned() == ["confirm", "report", "score", "summary"]
    done = processed.run()
    assert done.returncode == 0, done.stderr
    changed = changed_files(processed, before)
    assert not [path for path in changed if "/curves/" in path or "/cq/" in path or "r2" in path]
    assert {"results/reports/r1.html", "results/results/site=LAB1/r1.parquet"} <= changed
    after = fusion_curve(processed)
    assert after["slope"] != after["slope_before_review"] == slope
    assert any(text.startswith(f"{STANDARD}: excluded in review") for text in after["points_left_out"])
    assert any(row["ratio_percent"] != row["ratio_percent_before_review"] for row in rows_of(processed, RESULTS))
    assert [row["value"] for row in rows_of(processed, QC) if row["check"] == "review"] == [1.0]
    page = (processed.folder / "results/reports/r1.html").read_text(encoding="utf-8")
    assert "bubble in the well" in page
    assert processed.planned() == []


def test_an_entry_taken_out_again_leaves_the_bytes_of_before(processed):
    before = processed.contents()
    processed.set_review(("r1", STANDARD, "", "exclude", AT))
    assert processed.run().returncode == 0
    assert changed_files(processed, before)
    processed.set_review()
    assert processed.run().returncode == 0
    assert processed.contents() == before


def test_the_order_of_the_rows_leaves_the_same_bytes(processed):
    entries = [("r1", STANDARD, "", "exclude", AT), ("r1", "A2", "", "exclude", "2026-03-05T10:16:00+01:00")]
    processed.set_review(*entries)
    assert processed.run().returncode == 0
    before = processed.contents()
    processed.set_review(*entries[::-1])
    assert processed.run().returncode == 0
    assert processed.contents() == before


def test_a_well_that_is_not_in_its_run_fails_this_run_alone(processed):
    before = processed.contents()
    processed.set_review(("r1", "P24", "", "exclude", AT))
    done = processed.run()
    assert "exclusions.tsv, row 2, column well: found 'P24'; expected a well of run r1" in done.stderr
    assert {row["outcome"] for row in rows_of(processed, RESULTS)} == {"repeat"}
    assert not [path for path in changed_files(processed, before) if "r2" in path]


def test_a_review_of_a_run_that_is_not_there_stops_the_workflow_before_anything_runs(laboratory):
    laboratory.add_run("r1")
    laboratory.set_review(("r9", "A1", "", "exclude", AT))
    done = laboratory.run()
    assert done.returncode != 0
    assert "config/exclusions.tsv, row 2, column run_id: found 'r9'" in done.stderr
    assert not (laboratory.folder / "results").exists()


def test_a_review_sheet_that_is_gone_stops_the_workflow(processed):
    before = processed.contents()
    (processed.folder / "config/exclusions.tsv").unlink()
    done = processed.run()
    assert done.returncode != 0
    assert "config/exclusions.tsv: found no readable file" in done.stderr
    assert processed.contents() == before
