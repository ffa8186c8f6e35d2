"""What is computed anew when something changes, and that nothing is lost when something breaks."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

pytestmark = pytest.mark.workflow


@pytest.fixture
def processed(laboratory):
    """A laboratory with two runs of its own site and one of another, processed."""
    laboratory.add_run("r1", seed=1)
    laboratory.add_run("r2", seed=2)
    laboratory.add_run("r3", seed=3, site="LAB2")
    laboratory.set_factors(("LAB1", 0.8), ("LAB2", 1.2))
    done = laboratory.run()
    assert done.returncode == 0, done.stderr
    return laboratory


def test_a_new_conversion_factor_scores_its_site_again_and_reads_nothing(processed):
    before = processed.contents()
    processed.set_factors(("LAB1", 1.6), ("LAB2", 1.2))
    assert processed.planned() == ["confirm", "report", "score", "summary"]
    assert processed.run().returncode == 0
    changed = {path for path, digest in processed.contents().items() if before[path] != digest}
    assert {path for path in changed if path.startswith("results/results/")} == {
        "results/results/site=LAB1/r1.parquet",
        "results/results/site=LAB1/r2.parquet",
    }
    assert not [path for path in changed if "/curves/" in path or "/cq/" in path or "LAB2" in path]


def test_changed_code_runs_only_the_rules_that_import_it(processed):
    template = processed.folder / "src/bcrabl/report/templates/base.html"
    template.write_text(template.read_text(encoding="utf-8") + "<!-- changed -->", encoding="utf-8")
    assert processed.planned() == ["report", "summary"]
    curves = processed.folder / "src/bcrabl/curves/baseline.py"
    curves.write_text(curves.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert "analyse" in processed.planned()


def test_a_raw_file_replaced_by_an_older_one_is_noticed(processed):
    raw, other = (processed.folder / "raw" / f"{name}.rdml" for name in ("r1", "r2"))
    raw.write_bytes(other.read_bytes())
    os.utime(raw, (1_000_000_000, 1_000_000_000))
    assert "analyse" in processed.planned()


def test_a_run_that_cannot_be_read_stops_no_other_and_is_named_every_time_until_it_is_mended(laboratory):
    good = laboratory.add_run("r1", seed=1, batch="week1")
    (laboratory.folder / "raw" / "r2.rdml").write_bytes(b"PK\x03\x04 cut short")
    laboratory.name_run("r2", "raw/r2.rdml", batch="week1")
    laboratory.name_run("r3", "raw/nowhere.rdml", batch="week1")
    for _ in range(2):
        done = laboratory.run()
        assert done.returncode != 0
        assert "r2 REFUSED: raw/r2.rdml" in done.stderr
        assert "raw/nowhere.rdml" in done.stderr
        assert "accepted" in done.stderr
    summary = (laboratory.folder / "results/summary.tsv").read_text(encoding="utf-8")
    assert "r1\tLAB1\tweek1\teac\taccepted" in summary
    assert "r2\tLAB1\tweek1\teac\trefused" in summary
    for name in ("r2", "nowhere"):
        (laboratory.folder / "raw" / f"{name}.rdml").write_bytes(good.read_bytes())
    mended = laboratory.run()
    assert mended.returncode == 0, mended.stderr


def test_a_raw_file_that_breaks_later_never_costs_the_results_it_gave(processed):
    before = processed.contents()
    (processed.folder / "raw" / "r1.rdml").write_bytes(b"")
    for first in (True, False):
        done = processed.run()
        assert done.returncode != 0
        assert "r1 REFUSED: raw/r1.rdml" in done.stderr
        assert ("earlier results of the refused runs stay as they are" in done.stderr) == first
        after = processed.contents()
        kept = [path for path in before if path.endswith(".parquet")]
        assert {path: after.get(path) for path in kept} == {path: before[path] for path in kept}


def test_a_job_that_crashes_leaves_the_earlier_results_and_is_tried_again(processed):
    before = processed.contents()
    module = processed.folder / "src/bcrabl/stages/fit.py"
    working = module.read_text(encoding="utf-8")
    module.write_text(working + "\n\ndef fit_cq(*_):\n    raise ZeroDivisionError('defect')\n", encoding="utf-8")
    for _ in range(2):
        done = processed.run()
        assert done.returncode != 0
        assert "This is a defect of bcrabl" in done.stderr
        tables = {path: digest for path, digest in processed.contents().items() if path.endswith(".parquet")}
        assert tables == {path: digest for path, digest in before.items() if path.endswith(".parquet")}
    module.write_text(working, encoding="utf-8")
    assert processed.run().returncode == 0
    assert processed.contents() == before


@pytest.mark.parametrize("variation", [{"cores": 1}, {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"}])
def test_cores_time_zone_locale_and_hash_seed_leave_the_same_bytes(processed, make_laboratory, variation):
    other = make_laboratory("elsewhere")
    other.add_run("r1", seed=1)
    other.add_run("r2", seed=2)
    other.add_run("r3", seed=3, site="LAB2")
    other.set_factors(("LAB1", 0.8), ("LAB2", 1.2))
    assert other.run(**variation).returncode == 0
    assert other.contents() == processed.contents()


def _killed_after(laboratory, seconds):
    """Start the workflow, kill it and its children without warning after some seconds; whether it was still at work."""
    process = laboratory.start()
    try:
        process.wait(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def test_killed_at_any_stage_and_run_again_gives_the_bytes_of_an_undisturbed_run(processed, make_laboratory):
    other = make_laboratory("killed")
    other.add_run("r1", seed=1)
    other.add_run("r2", seed=2)
    other.add_run("r3", seed=3, site="LAB2")
    other.set_factors(("LAB1", 0.8), ("LAB2", 1.2))
    undisturbed, interrupted = processed.contents(), 0
    for seconds in (1.4, 1.9, 2.4, 2.9, 3.4, 3.9):
        interrupted += _killed_after(other, seconds)
        for path, digest in other.contents().items():
            if not path.endswith(".part"):
                assert digest == undisturbed[path], f"{path} is half-written after {seconds} s"
    assert interrupted >= 2
    done = other.run()
    assert done.returncode == 0, done.stderr
    assert other.contents() == undisturbed


def test_a_second_workflow_in_the_same_folder_is_refused_while_the_first_runs(laboratory):
    laboratory.add_run("r1")
    first = laboratory.start()
    lock = laboratory.folder / ".snakemake/bcrabl.lock"
    deadline = time.monotonic() + 30
    while not (lock.exists() and lock.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGSTOP)
    try:
        second = laboratory.run()
    finally:
        os.kill(first.pid, signal.SIGCONT)
    assert second.returncode != 0
    assert f"held by process {first.pid}" in second.stderr
    assert first.wait(timeout=60) == 0
