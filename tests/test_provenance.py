"""Digests: the same content gives the same digest, and a change anywhere in the code a script uses changes it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from bcrabl import provenance
from bcrabl.provenance import code_digest, file_digest, files_digest

PACKAGE = Path(provenance.__file__).parent


def test_the_digest_of_a_file_is_its_sha_256(tmp_path):
    path = tmp_path / "raw.rdml"
    path.write_bytes(b"curves" * 500_000)  # longer than one block
    assert file_digest(path) == hashlib.sha256(b"curves" * 500_000).hexdigest()


def test_the_digest_of_several_files_sees_content_order_and_absence(tmp_path):
    a, b, nowhere = (tmp_path / name for name in ("a", "b", "nowhere"))
    a.write_text("1")
    b.write_text("2")
    digests = [files_digest(paths) for paths in ([a, b], [b, a], [a], [a, nowhere], [])]
    assert len(set(digests)) == len(digests)
    assert files_digest([a, b]) == digests[0]
    b.write_text("3")
    assert files_digest([a, b]) != digests[0]


def test_a_file_that_appears_changes_the_digest(tmp_path):
    path = tmp_path / "layout.tsv"
    before = files_digest([path])
    path.write_text("")
    assert files_digest([path]) != before


def test_the_name_of_a_file_does_not_enter_its_digest(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("same")
    assert files_digest([tmp_path / "a"]) == files_digest([str(tmp_path / "b")])


# -- code -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def copied_package(tmp_path, monkeypatch):
    """A copy of the package that `code_digest` takes for the real one, to be changed at will."""
    package = tmp_path / "checkout" / "bcrabl"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "_resources"))
    monkeypatch.setattr(provenance, "__file__", str(package / "provenance.py"))
    return package


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "fit.py"
    path.write_text("from bcrabl.stages.fit import fit_cq\n\nfit_cq\n")
    return path


def append_comment(path):
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")


@pytest.mark.parametrize(
    "module",
    [
        "stages/fit.py",  # imported by the script
        "curves/analysis.py",  # by what it imports
        "curves/sigmoid.py",  # further down
        "tables.py",
        "errors.py",
        "standards/response.py",  # for type checking only: a change costs a rerun, never a stale result
    ],
)
def test_a_change_in_a_module_that_is_used_changes_the_digest(module, copied_package, script):
    before = code_digest(script)
    append_comment(copied_package / module)
    assert code_digest(script) != before


@pytest.mark.parametrize(
    "module", ["report/page.py", "report/templates/run.html", "simulation/example.py", "folder_lock.py"]
)
def test_a_change_in_a_module_that_is_not_used_leaves_the_digest(module, copied_package, script):
    before = code_digest(script)
    append_comment(copied_package / module)
    assert code_digest(script) == before


def test_a_change_of_the_script_itself_changes_the_digest(copied_package, script):
    before = code_digest(script)
    append_comment(script)
    assert code_digest(script) != before


def test_a_new_module_in_a_package_that_is_used_changes_the_digest(copied_package, tmp_path):
    script = tmp_path / "read.py"
    script.write_text("import bcrabl.formats\n")
    before = code_digest(script)
    (copied_package / "formats" / "new_vendor.py").write_text("FORMAT = None\n")
    assert code_digest(script) != before


def test_imports_inside_functions_count(copied_package, tmp_path):
    script = tmp_path / "job.py"
    script.write_text("def run():\n    from bcrabl import calibration\n    return calibration\n")
    before = code_digest(script)
    append_comment(copied_package / "calibration" / "fitting.py")
    assert code_digest(script) != before


def test_the_same_code_in_another_checkout_has_the_same_digest(copied_package, tmp_path, monkeypatch):
    here = tmp_path / "here.py"
    here.write_text("from bcrabl.calibration import StandardCurve\n")
    copied = code_digest(here)
    monkeypatch.undo()
    assert code_digest(here) == copied


def test_modules_of_others_do_not_enter_the_digest(copied_package, tmp_path):
    script = tmp_path / "plain.py"
    script.write_text("import json\nimport numpy as np\nfrom . import sibling\n\nnp, json, sibling\n")
    assert code_digest(script) == hashlib.sha256(f"plain.py {file_digest(script)}".encode()).hexdigest()


def test_every_script_of_the_workflow_has_a_digest():
    scripts = sorted((PACKAGE.parents[1] / "workflow" / "scripts").glob("*.py"))
    if not scripts:
        pytest.skip("an installed package has no workflow beside it")
    digests = [code_digest(each) for each in scripts]
    assert len(set(digests)) == len(scripts)
