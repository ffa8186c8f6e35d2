"""The workflow's last word: one row per run, the text in the terminal, the confirmation that nothing was refused."""

from __future__ import annotations

import json

import pytest

from bcrabl.errors import ResultsError
from bcrabl.summary import COLUMNS, confirm, leftovers, read_status, summary_rows, summary_text, summary_tsv


def run(run_id, outcome="accepted", why=(), report=0, review=0, repeat=0):
    samples = {"report": report, "review": review, "repeat": repeat}
    return {"run_id": run_id, "assay": "eac", "outcome": outcome, "why": list(why), "samples": samples}


def batch(name, *runs, site="LAB1"):
    return {"batch": name, "site": site, "runs": list(runs)}


@pytest.fixture
def status_files(tmp_path):
    """Writes batches as status files and gives their paths."""

    def _status_files(*batches):
        paths = []
        for each in batches:
            paths.append(tmp_path / f"{each['batch']}.json")
            paths[-1].write_text(json.dumps(each), encoding="utf-8")
        return paths

    return _status_files


FAILED = run("R2", "failed", ["ABL1: slope: -4.1", "blanks: 1"], repeat=3)
REFUSED = run("R3", "refused", ["raw/x.rdml: found nothing"])


def test_one_row_per_run_sorted_by_run_whatever_its_batch():
    rows = summary_rows([batch("b9", run("R3"), run("R1", report=4, review=1)), batch("a", FAILED, site="LAB2")])
    assert [row["run_id"] for row in rows] == ["R1", "R2", "R3"]
    assert tuple(rows[0]) == COLUMNS
    assert rows[0] | {"why": ""} == dict(
        zip(COLUMNS, ["R1", "LAB1", "b9", "eac", "accepted", "4", "1", "0", ""], strict=True)
    )
    assert (rows[1]["site"], rows[1]["why"]) == ("LAB2", "ABL1: slope: -4.1; blanks: 1")


def test_the_table_has_a_header_and_one_line_per_run_even_where_a_reason_has_several_lines():
    odd = run("R1", "refused", ["- first\tproblem\n- second problem"])
    lines = summary_tsv(summary_rows([batch("b", odd, FAILED)])).splitlines()
    assert lines[0].split("\t") == list(COLUMNS)
    assert len(lines) == 3
    assert all(len(line.split("\t")) == len(COLUMNS) for line in lines)
    assert lines[1].endswith("\t- first problem - second problem")


def test_a_status_that_is_not_there_yet_is_passed_over(status_files, tmp_path):
    paths = status_files(batch("b1", run("R1")))
    assert [each["batch"] for each in read_status([*paths, tmp_path / "b2.json"])] == ["b1"]


def test_the_text_shouts_what_is_not_accepted_and_why(status_files):
    text = summary_text(status_files(batch("b1", run("R1", report=12)), batch("b2", FAILED), batch("b3", REFUSED)))
    lines = text.splitlines()
    assert lines[1].split() == ["run", "site", "outcome", "report", "review", "repeat", "seconds"]
    assert lines[2].split() == ["R1", "LAB1", "accepted", "12", "0", "0", "–"]
    assert lines[3].split()[2] == "FAILED"
    assert "R2 FAILED: ABL1: slope: -4.1; blanks: 1" in lines
    assert "R3 REFUSED: raw/x.rdml: found nothing" in lines
    assert not any(line.startswith("R1 ACCEPTED") for line in lines)


def test_the_text_names_batches_that_did_not_finish(status_files, tmp_path):
    paths = status_files(batch("b1", run("R1")))
    text = summary_text([*paths, tmp_path / "b2.json", tmp_path / "b3.json"])
    assert "Not finished: b2, b3. See the messages above and logs/." in text
    assert "Not finished" not in summary_text(paths)


def test_the_text_adds_up_the_seconds_of_a_batch(status_files, tmp_path):
    folder = tmp_path / "benchmarks" / "LAB1"
    folder.mkdir(parents=True)
    for job, seconds in (("analyse", 2.25), ("score", 1.0)):
        (folder / f"b1.{job}.tsv").write_text(f"s\th:m:s\n{seconds}\t0:00:02\n")
        for other in ("b10", "b1.2"):  # neither is batch b1, though their names begin like it
            (folder / f"{other}.{job}.tsv").write_text("s\th:m:s\n500\t0:08:20\n")
    text = summary_text(status_files(batch("b1", run("R1"))), tmp_path / "benchmarks")
    assert text.splitlines()[2].split()[-1] in ("3.2", "3.3")


def test_confirmation_lists_the_runs_that_could_be_processed(status_files, tmp_path):
    confirm(status_files(batch("b1", run("R1"), FAILED)), tmp_path / "confirmed.tsv")
    assert (tmp_path / "confirmed.tsv").read_text() == "R1\taccepted\nR2\tfailed\n"


def test_refused_runs_are_not_confirmed_and_each_is_named(status_files, tmp_path):
    paths = status_files(batch("b1", run("R1"), REFUSED), batch("b2", run("R4", "refused", ["no such part"])))
    with pytest.raises(ResultsError, match="run R3: found refused; expected a run that can be processed") as caught:
        confirm(paths, tmp_path / "confirmed.tsv")
    assert [problem.where for problem in caught.value.problems] == ["run R3", "run R4"]
    assert "Mend the raw file or its row in the run sheet" in str(caught.value)
    assert not (tmp_path / "confirmed.tsv").exists()


def test_tables_of_batches_that_left_the_run_sheet_are_named(tmp_path):
    for name in (
        "results/site=L/b1.parquet",
        "results/site=L/b2.parquet",
        "qc/site=M/b2.parquet",
        "status/site=L/b2.json",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    expected = [f"{tmp_path.as_posix()}/{name}" for name in ("qc/site=M/b2.parquet", "results/site=L/b2.parquet")]
    assert leftovers(tmp_path, ["b1"]) == expected
    assert leftovers(tmp_path, ["b1", "b2"]) == []
