"""Workbooks of the 7500 software 1 (SDS 1.3.1): what is read from them and what is refused."""

from __future__ import annotations

import pytest
from format_builders import rows
from sds_builders import CYCLES, V1_RESULTS, rn, v1_xls

from bcrabl.errors import DamagedFile, FileError, FormatNotRecognised
from bcrabl.formats import RawFile, read_run, recognise
from bcrabl.formats.assembly import ROLES_NOT_STATED
from bcrabl.run import Run


def read(content: bytes, part: str | None = None) -> Run:
    source = RawFile("run.xls", content)
    return recognise(source).read(source, part)


def with_result(row: int, column: int, value: object) -> bytes:
    changed = [list(cells) for cells in V1_RESULTS]
    changed[row][column] = value
    return v1_xls(results=changed)


def test_a_row_of_cycles_is_a_curve_and_its_result_stands_in_another_sheet(tmp_path):
    (tmp_path / "run").write_bytes(v1_xls())
    run = read_run(tmp_path / "run")
    assert (run.stage, run.cycles.tolist()) == ("baseline_subtracted", list(range(1, CYCLES + 1)))
    assert run.fluorescence[1].tolist() == [rn(1, cycle) - 1 for cycle in run.cycles]
    assert rows(run)[0] | {"vendor_omitted": None} == {
        "part": None,
        "well": "A1",
        "target": "ABL1",
        "dye": None,
        "role": "std",
        "sample_id": "S1",
        "known_copies": 1000.0,
        "vendor_cq": 7.25,
        "vendor_cq_text": None,
        "vendor_call": None,
        "vendor_threshold": None,
        "vendor_baseline_start": None,
        "vendor_baseline_end": None,
        "vendor_task": "Standard",
        "vendor_quantity": 1000.0,
        "vendor_quantity_unit": None,
        "vendor_omitted": None,
    }
    assert [row["role"] for row in rows(run)] == ["std", "unkn", "ntc"]
    assert rows(run)[2]["vendor_cq_text"] == "Undet."
    assert run.warnings[0] == "This reader was written from the description of the format and has not met a real file."


def test_wells_may_be_numbered_along_the_rows_of_the_plate():
    assert [row["well"] for row in rows(read(v1_xls(wells=[1, 12, 13])))] == ["A1", "A12", "B1"]


@pytest.mark.parametrize(
    ("title", "below", "stage"),
    [
        ("Rn vs Cycle", 0.0, "normalised"),
        ("delta Rn vs Cycle", 0.0, "baseline_subtracted"),
        ("A plants", 0.0, "normalised"),
        ("A plants", 2.0, "baseline_subtracted"),
    ],
)
def test_the_title_says_what_the_curves_are_else_their_level(title, below, stage):
    run = read(v1_xls(title=title.replace("Rn vs", "Rn vs"), below=below))
    assert run.stage == stage
    assert any("does not say what the curves are" in warning for warning in run.warnings) is (title == "A plants")


def test_without_results_target_and_roles_are_unknown():
    run = read(v1_xls(results=None))
    assert {row["target"] for row in rows(run)} == {"target not named"}
    assert ROLES_NOT_STATED in run.warnings
    assert run.warnings[-1] == "The workbook names no detector; the target is called 'target not named'."


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (v1_xls(wells=["A1", "X", "B1"]), "column Well: found 'X'; expected a well such as A1 or 1 to 96"),
        (v1_xls(wells=["A1", "A1", "B1"]), "well A1: found duplicate well"),
        (with_result(1, 3, "Sample"), "column Task: found task 'Sample'"),
        (with_result(1, 5, 0.0), "column Quantity: found a standard of quantity 0"),
        (with_result(2, 0, "A1"), "found a second result of well A1"),
    ],
)
def test_what_contradicts_the_layout_is_refused(content, match):
    with pytest.raises(DamagedFile, match=match):
        read(content)


def test_a_part_is_refused():
    with pytest.raises(FileError, match="found part 'a' asked for"):
        read(v1_xls(), "a")


def test_another_workbook_is_not_claimed():
    from xls_builder import xls

    with pytest.raises(FormatNotRecognised):
        read(xls({"Sheet1": [["Well", "Cycle 1"], ["A1", 1.0]]}))
