"""xls workbooks: the same cells as xlsx, and a process of their own for what would take ours down."""

from __future__ import annotations

import struct

import pytest
from xls_builder import ole, xls

from bcrabl.errors import DamagedFile
from bcrabl.formats.isolated import in_own_process
from bcrabl.formats.source import RawFile
from bcrabl.formats.xls import is_xls

CELLS = [["Well", "Cт", "ΔRn"], ["A1", 24.5, True], ["", None, -0.25]]


def test_cells_of_an_xls_workbook_are_those_of_the_sheets():
    workbook = RawFile("x", xls({"Results": CELLS, "Zweites Blatt": [[1]]})).workbook
    assert workbook.sheet_names == ("Results", "Zweites Blatt")
    assert workbook.sheet("Results").rows == [["Well", "Cт", "ΔRn"], ["A1", 24.5, True], ["", "", -0.25]]
    assert workbook.sheet("Results").where == "x, sheet 'Results'"
    assert workbook.sheet("None") is None


def test_another_ole_container_is_no_workbook():
    assert not is_xls(ole({"PlateSetup": b"x"}))
    assert RawFile("x", ole({"PlateSetup": b"x"})).workbook is None


def test_a_cell_in_the_last_corner_of_a_sheet_is_refused():
    content = xls({"Results": CELLS})
    far = content.replace(
        struct.pack("<HHHHHd", 0x0203, 14, 1, 1, 0, 24.5), struct.pack("<HHHHHd", 0x0203, 14, 65535, 255, 0, 24.5)
    )
    assert far != content
    with pytest.raises(DamagedFile, match=r"^x: found an xls workbook that cannot be read"):
        RawFile("x", far).workbook  # noqa: B018


def test_a_broken_workbook_is_refused():
    content = xls({"Results": CELLS})
    with pytest.raises(DamagedFile, match=r"an xls workbook that cannot be read"):
        RawFile("x", content[:512] + b"\xff" * 100 + content[612:]).workbook  # noqa: B018


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        ("bytearray(2 ** 33)", "MemoryError"),
        ("[0 for _ in iter(int, 1)]", r"MemoryError|ended with -"),
        ("any(iter(int, 1))", r"ended with -(9|24)"),
        ("__import__('os').abort()", "ended with -6"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_what_takes_a_process_down_is_an_error_of_the_file(tmp_path, work, reason):
    script = tmp_path / "work.py"
    script.write_text(f"def work(content):\n    return {work}\n")
    with pytest.raises(DamagedFile, match=rf"^x: found a test file that cannot be read .*({reason})"):
        in_own_process(script, b"", "x", "a test file")
