"""Sheets that cannot be used stop the workflow before anything runs, and say where."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.workflow


def _refused(laboratory):
    done = laboratory.run()
    assert done.returncode != 0
    assert not (laboratory.folder / "results").exists()
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_misspelt_column_is_named_with_what_was_meant(laboratory):
    laboratory.sheet("runs.tsv", ("run_id", "site", "raw_fil", "assay"), [{"run_id": "r1", "site": "LAB1"}])
    text = _refused(laboratory)
    assert "config/runs.tsv" in text
    assert "raw_fil" in text
    assert "raw_file" in text


def test_an_assay_without_a_protocol_is_named_with_those_there_are(laboratory):
    laboratory.name_run("r1", "raw/r1.rdml", assay="eca")
    text = _refused(laboratory)
    assert "no assay 'eca'" in text
    assert "eac, plasmid_generic" in text


def test_an_unknown_role_in_a_layout_is_named_with_file_row_and_column(laboratory):
    laboratory.add_run("r1")
    laboratory.rows[0]["layout"] = "config/layout.tsv"
    laboratory.name_run("r2", "raw/r1.rdml")
    laboratory.sheet("layout.tsv", ("well", "target", "role"), [{"well": "A1", "target": "ABL1", "role": "patient"}])
    text = _refused(laboratory)
    assert "config/layout.tsv, row 2, column role: found 'patient'" in text
    assert "unkn" in text


def test_every_bad_cell_of_a_sheet_is_reported_at_once(laboratory):
    laboratory.set_factors(("LAB1", -1.0), ("", 2.0))
    laboratory.add_run("r1")
    text = _refused(laboratory)
    assert "row 2, column factor" in text
    assert "row 3, column site" in text
