"""What a job of the workflow does around its work: it logs, it fails in words, it does not pay for pandas."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

import bcrabl
from bcrabl.errors import Problem, RunError
from bcrabl.job import job, let_jobs_import_this_package

log = logging.getLogger("bcrabl")


def test_what_a_job_logs_is_in_its_log_file_and_on_the_terminal(tmp_path, capsys):
    with job(tmp_path / "rule.log"):
        log.info("plate 7: 96 reactions")
    assert (tmp_path / "rule.log").read_text(encoding="utf-8") == "plate 7: 96 reactions\n"
    assert capsys.readouterr().err == "plate 7: 96 reactions\n"


def test_an_unusable_input_ends_the_job_with_its_text_and_no_traceback(tmp_path):
    with pytest.raises(SystemExit) as ended, job(tmp_path / "rule.log"):
        raise RunError(Problem("well A1", "two targets", "one"))
    assert ended.value.code == 1
    assert (tmp_path / "rule.log").read_text(encoding="utf-8") == "well A1: found two targets; expected one.\n"


def test_a_defect_of_ours_is_named_as_one_with_its_traceback(tmp_path):
    with pytest.raises(ZeroDivisionError), job(tmp_path / "rule.log"):
        raise ZeroDivisionError
    text = (tmp_path / "rule.log").read_text(encoding="utf-8")
    assert text.startswith("This is a defect of bcrabl")
    assert "Traceback" in text


def test_a_second_job_of_the_same_process_logs_only_to_its_own_file(tmp_path):
    for name in ("one", "two"):
        with job(tmp_path / name):
            log.info(name)
    assert (tmp_path / "one").read_text() == "one\n"


@pytest.mark.parametrize(("inside", "loaded"), [("with job(sys.argv[1]):\n    ", False), ("", True)])
def test_pyarrow_does_not_load_pandas_inside_a_job(tmp_path, inside, loaded):
    pytest.importorskip("pandas")
    code = (
        f"import sys, pyarrow\nfrom bcrabl.job import job\n{inside}pyarrow.array([1.0])\nprint('pandas' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "rule.log")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == str(loaded)


def test_jobs_find_this_very_package_first(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/elsewhere", ""]))
    let_jobs_import_this_package()
    let_jobs_import_this_package()
    first, second = os.environ["PYTHONPATH"].split(os.pathsep)
    assert Path(first).samefile(Path(bcrabl.__file__).parents[1])
    assert second == "/elsewhere"
