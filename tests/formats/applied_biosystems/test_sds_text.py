"""Texts of SDS 2 (7900HT): curves, the table of results beside them, and what is refused."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from format_builders import rows, zipped
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated
from sds_builders import CYCLES, DETECTORS, RESULT_HEADER, RESULTS, aq_results, clipped, rn, samples

from bcrabl.errors import BcrablError, DamagedFile, FileError, FormatRefused
from bcrabl.formats import RawFile, read_run, recognise
from bcrabl.formats.assembly import ROLES_NOT_STATED
from bcrabl.run import Run

PLATE_GUESSED = "The file numbers its wells and does not name the plate; they are read as those of a plate of 96."


def read(*contents: bytes, part: str | None = None) -> Run:
    """The run in one file, or in several of a folder."""
    files = tuple(RawFile(f"{number}.txt", content) for number, content in enumerate(contents))
    source = files[0] if len(files) == 1 else RawFile("folder", b"", files)
    return recognise(source).read(source, part)


def with_result(row: int = 0, **changes: object) -> bytes:
    """The table of results with cells of a row changed; names with underscores for blanks."""
    changed = [list(cells) for cells in RESULTS]
    for name, value in changes.items():
        changed[row][RESULT_HEADER.index(name.replace("_", " "))] = value
    return aq_results(changed)


# --- curves ---


def test_rn_is_read_beside_delta_rn():
    run = read(clipped())
    assert (run.stage, run.passive_reference) == ("normalised", None)
    assert run.cycles.tolist() == list(range(1, CYCLES + 1))
    assert [(row["well"], row["target"]) for row in rows(run)] == [
        ("A1", "ABL1"),
        ("A1", "BCR::ABL1"),
        ("A2", "ABL1"),
        ("B1", "ABL1"),
    ]
    assert run.fluorescence[3].tolist() == [rn(3, cycle) for cycle in run.cycles]


def test_without_rn_delta_rn_is_read_and_said():
    run = read(clipped(kinds=["Delta Rn"]))
    assert run.stage == "baseline_subtracted"
    assert run.fluorescence[0, 0] == rn(0, 1) - 1
    assert "ΔRn" in run.warnings[0]


def test_labels_need_no_cells_in_the_rows():
    assert np.array_equal(read(clipped(labelled=False)).fluorescence, read(clipped()).fluorescence)


def test_a_comma_is_the_decimal_mark_of_german_exports():
    assert np.array_equal(read(clipped(comma=True)).fluorescence, read(clipped()).fluorescence)


def test_each_file_may_have_its_own_decimal_mark():
    german = aq_results([[str(cell).replace(".", ",") for cell in row] for row in RESULTS])
    run = read(clipped(), german)
    assert [row["vendor_cq"] for row in rows(run)] == [7.25, 8.5, None, None]
    assert (rows(run)[2]["vendor_cq_text"], rows(run)[2]["vendor_quantity"]) == ("12,0", 55.5)
    assert rows(run)[0]["vendor_threshold"] == 0.2


def test_without_the_table_of_results_roles_are_unknown():
    run = read(clipped())
    assert run.warnings == (PLATE_GUESSED, ROLES_NOT_STATED)
    assert {row["role"] for row in rows(run)} == {"unkn"}
    assert (run.metadata["instrument"], run.metadata["software"]) == ("7900HT", "SDS 2.4")


@given(
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    blank=st.booleans(),
    trailing=st.booleans(),
)
def test_line_ends_encodings_and_blank_lines_do_not_matter(end, encoding, blank, trailing):
    lines = clipped().decode().splitlines()
    lines = [*lines[:3], *([""] if blank else []), *lines[3:], ""]
    text = end.join(line + "\t" * trailing if line.startswith("1") else line for line in lines)
    assert np.array_equal(read(text.encode(encoding)).fluorescence, read(clipped()).fluorescence)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (b"Well Nb\tReporter", b"Well\tReporter", "line 2: found columns Well, Reporter, Rn, 1, …; expected Well Nb"),
        (b"Reporter\tRn\t1\t2", b"Reporter\tRn\t2\t1", "line 2: found columns"),
        (b"Reporter\tRn\t1\t2", b"Reporter\tRn\t1\t1", "line 2: found columns"),
        (b"1\tABL1\t\t1.0078125", b"1\tABL1\t\tbright", "line 3: found 'bright'; expected a number"),
        (b"1\tABL1\t\t1.0078125", b"1\tABL1\t\t1.0\t1.0", "line 3: found 29 cells; expected 28, as the header has"),
        (b"1\tABL1\t\t1.0078125\t", b"1\tABL1\t\t", "line 3: found 27 cells; expected 28, as the header has"),
        (b"\n1\tABL1", b"\nA0\tABL1", "column Well Nb: found 'A0'; expected a well such as 13 or B1"),
        (b"\n13\tABL1", b"\n385\tABL1", "found well 385; expected at most 384 wells"),
        (b"\n13\tABL1", b"\n2\tABL1", "well A2: found duplicate well: 2 curves of target 'ABL1'"),
    ],
)
def test_what_contradicts_the_layout_is_refused(old, new, match):
    content = clipped()
    assert old in content
    with pytest.raises(DamagedFile, match=match):
        read(content.replace(old, new, 1))


def test_a_part_is_refused():
    with pytest.raises(FileError, match="found part 'a' asked for"):
        read(clipped(), part="a")


# --- results ---


def test_the_table_of_results_gives_roles_copies_and_ct():
    run = read(clipped(), aq_results())
    standard = rows(run)[0]
    assert standard == {
        "part": None,
        "well": "A1",
        "target": "ABL1",
        "dye": "FAM",
        "role": "std",
        "sample_id": "S1",
        "known_copies": 1000.0,
        "vendor_cq": 7.25,
        "vendor_cq_text": None,
        "vendor_call": None,
        "vendor_threshold": 0.2,
        "vendor_baseline_start": 3.0,
        "vendor_baseline_end": 6.0,
        "vendor_task": "Standard",
        "vendor_quantity": 1000.0,
        "vendor_quantity_unit": None,
        "vendor_omitted": False,
    }
    assert [row["vendor_cq_text"] for row in rows(run)] == [None, None, "12.0", "Undetermined"]
    assert [row["known_copies"] for row in rows(run)] == [1000, 100, None, None]
    assert rows(run)[2]["vendor_quantity"] == 55.5
    assert rows(run)[3]["vendor_omitted"] is True
    assert ROLES_NOT_STATED not in run.warnings


@given(order=st.permutations(range(len(RESULT_HEADER))), end=st.sampled_from(["\n", "\r\n"]))
def test_the_order_of_columns_does_not_matter(order, end):
    lines = [line.split("\t") for line in aq_results().decode().splitlines()]
    lines = [[line[place] for place in order] if len(line) == len(RESULT_HEADER) else line for line in lines]
    shuffled = end.join("\t".join(line) for line in lines)
    assert rows(read(clipped(), shuffled.encode())) == rows(read(clipped(), aq_results()))


def test_columns_may_carry_their_longer_names():
    longer = aq_results().replace(b"\tSample\tDetector\t", b"\tSample Name\tDetector Name\t")
    longer = longer.replace(b"\tQuantity\t", b"\tQty\t")
    assert rows(read(clipped(), longer)) == rows(read(clipped(), aq_results()))


def test_files_of_a_zip_belong_to_one_run():
    packed = zipped({"a.txt": clipped(), "b.txt": aq_results()})
    assert rows(read(packed)) == rows(read(clipped(), aq_results()))


def test_files_of_a_folder_belong_to_one_run(tmp_path: Path):
    (tmp_path / "curves.txt").write_bytes(clipped())
    (tmp_path / "results.txt").write_bytes(aq_results())
    run = read_run(tmp_path)
    assert run.warnings[0].startswith("This reader was written from the description of the format")
    assert rows(run)[0]["role"] == "std"


def test_wells_that_the_results_name_show_the_plate():
    for columns, names in ((12, ("A1", "A1", "A2", "B1")), (24, ("A1", "A1", "A2", "A13"))):
        named = [(name, *row[1:]) for name, row in zip(names, RESULTS, strict=True)]
        run = read(clipped(), aq_results(named))
        assert [row["well"] for row in rows(run)] == list(names), columns
        assert PLATE_GUESSED not in run.warnings


def test_a_number_above_96_is_a_plate_of_384():
    run = read(clipped([*DETECTORS[:3], ("384", "ABL1")]))
    assert rows(run)[-1]["well"] == "P24"
    assert PLATE_GUESSED not in run.warnings


def test_wells_that_every_plate_names_alike_need_no_plate():
    assert read(clipped([("1", "ABL1"), ("12", "ABL1")])).warnings == (ROLES_NOT_STATED,)


def test_wells_of_the_curves_may_be_named():
    run = read(clipped([("A01", "ABL1"), ("P24", "ABL1")]))
    assert [row["well"] for row in rows(run)] == ["A1", "P24"]


def test_reactions_that_only_one_file_names_are_said():
    run = read(clipped(), aq_results(RESULTS[1:]))
    assert rows(run)[0]["role"] == "unkn"
    assert any(
        "1 reactions are not in the table of results; their roles are unknown: A1 (ABL1)." in w for w in run.warnings
    )
    run = read(clipped(DETECTORS[:3]), aq_results())
    assert run.warnings[-1] == "1 reactions have no amplification curve and were left out: well 13, target ABL1."


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (with_result(Task="Sample"), "column Task: found task 'Sample'; expected one of UNKNOWN"),
        (with_result(Quantity=0), "column Quantity: found a standard of quantity 0"),
        (with_result(Quantity="many"), "column Quantity: found 'many'; expected a number"),
        (with_result(Omit="maybe"), "column Omit: found 'maybe'; expected TRUE or FALSE"),
        (aq_results([*RESULTS, RESULTS[0]]), "found a second result of detector 'ABL1' in well 1"),
    ],
)
def test_results_that_contradict_the_layout_are_refused(content, match):
    with pytest.raises(DamagedFile, match=match):
        read(clipped(), content)


def test_two_runs_in_a_folder_are_refused():
    with pytest.raises(DamagedFile, match=r"found 2 files with curves \(Clipped\)"):
        read(clipped(), clipped())
    with pytest.raises(DamagedFile, match="found 2 files with a table of results"):
        read(clipped(), aq_results(), aq_results())


def test_results_alone_are_refused_with_advice():
    with pytest.raises(
        FormatRefused, match=r"found a table of results of SDS 2 .* Export the data kind Clipped as well"
    ):
        read(aq_results())


@pytest.mark.parametrize("name", ["clipped", "clipped and results"])
def test_damaged_files_end_in_an_error_of_ours_or_a_run(name):
    chance = random.Random(name)
    for _ in range(300):
        try:
            _ = read(*mutated(samples()[name], chance).values()).signal
        except BcrablError as error:
            assert str(error)  # noqa: PT017 - the error is one of two good outcomes
