"""Recognising files by their content, and what is said of files that cannot be read at all."""

from __future__ import annotations

import io
import os
import zipfile
from dataclasses import replace

import cfx_builders
import numpy as np
import pytest
from format_builders import da2, small_rdml, xlsx, zipped
from hypothesis import given
from hypothesis import strategies as st

import bcrabl.formats
from bcrabl.errors import DamagedFile, FileError, FormatNotRecognised
from bcrabl.formats import FORMATS, RawFile, archive, read_run, recognise, registry, source, xmltree
from bcrabl.formats.wells import normal_well, plate_for, plate_order, position_on_plate, well_at

RDML, DA2 = FORMATS[:2]

OWN = [
    (small_rdml().encode(), "RDML"),
    (zipped({"rdml_data.xml": small_rdml(), "calculated_data.xml": "<a/>"}), "RDML"),
    (b"PK\x07\x08" + zipped({"run.xml": small_rdml()}), "RDML"),
    (xlsx(da2()), "QuantStudio Design & Analysis 2 xlsx"),
    (xlsx(da2(Results=None)), "QuantStudio Design & Analysis 2 xlsx"),
]


@pytest.mark.parametrize(("content", "name"), OWN)
def test_content_decides_the_format(content, name):
    assert recognise(RawFile("anything.xyz", content)).name == name


@pytest.mark.parametrize(("content", "name"), OWN)
def test_one_format_only_claims_a_file(content, name):
    assert [one.name for one in FORMATS if one.claims(RawFile("x", content))] == [name]


@pytest.mark.parametrize(
    ("content", "impression"),
    [
        (b"Well\tCycle\tRn\n1\t1\t0.5\n", r"x: found a file that begins 'Well\\tCycle"),
        (b"<html><body>", r"found a file that begins '<html><body>'"),
        (b"\x00\x01\x02\x03", "found a file that begins"),
        (
            zipped({"some/experiment.xml": "<Experiment/>"}),
            r"found a zip archive that holds 'some/experiment.xml'",
        ),
        (zipped({}), r"found a zip archive that holds nothing"),
        (zipped({f"{n}.pcrd": "" for n in range(7)}), r"'4.pcrd' and 2 more"),
        (
            xlsx({"Sample Setup": [["Well"]], "Results": [["Well", "Target Name", "CT"]]}),
            r"found a workbook with the sheets 'Sample Setup', 'Results'",
        ),
    ],
)
def test_an_unknown_file_is_refused_with_what_it_looks_like_and_what_to_export(content, impression):
    with pytest.raises(FormatNotRecognised, match=impression) as caught:
        recognise(RawFile("x", content))
    assert f"of the {len(FORMATS)} formats that are read" in str(caught.value)
    assert "bcrabl inspect --formats" in str(caught.value)


def test_two_claims_are_refused_with_both_names(monkeypatch):
    monkeypatch.setattr(registry, "FORMATS", (RDML, replace(DA2, claims=lambda _: True)))
    with pytest.raises(
        FormatNotRecognised, match=r"x: found content that fits RDML and QuantStudio .* fits one format"
    ):
        recognise(RawFile("x", small_rdml().encode()))


def test_every_format_has_the_same_shape_and_a_name_of_its_own():
    assert len({one.name for one in FORMATS}) == len(FORMATS)
    assert all(one.export.endswith(".") for one in FORMATS)


def test_exported_names_exist():
    assert all(hasattr(bcrabl.formats, name) for name in bcrabl.formats.__all__)


# --- files that cannot be read ---


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(FileError, match=r"gone.rdml: found no such file; expected an export file. Check the path."):
        read_run(tmp_path / "gone.rdml")


def test_the_path_is_named_as_the_caller_gave_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match=r"^runs/gone.rdml: found"):
        read_run("runs/gone.rdml")


def test_an_empty_folder_is_said(tmp_path):
    with pytest.raises(FileError, match=r"found a folder without any file; expected the exported files of one run"):
        read_run(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match=r"found something that is not a regular file"):
        read_run(tmp_path / "pipe")


def test_an_empty_file_is_said(tmp_path):
    (tmp_path / "empty").touch()
    with pytest.raises(FileError, match=r"found an empty file; expected an export file. Export or copy"):
        read_run(tmp_path / "empty")


def test_a_file_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "LARGEST_FILE", 10)
    (tmp_path / "large").write_bytes(b"x" * 11)
    with pytest.raises(FileError, match=r"found a file of 11 bytes; expected an export file of at most 10 bytes"):
        read_run(tmp_path / "large")


def test_an_unreadable_file_is_said(tmp_path, monkeypatch):
    (tmp_path / "locked").write_bytes(b"x")

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(FileError, match=r"found a file that cannot be read \(Permission denied\)"):
        read_run(tmp_path / "locked")


def test_a_path_that_no_system_allows_is_said():
    with pytest.raises(FileError, match=r"found (a file that cannot be read|no such file)"):
        read_run("a\x00b")


# --- hostile archives ---


def test_a_cut_zip_is_damaged():
    with pytest.raises(DamagedFile, match=r"x: found a zip archive that cannot be opened .* expected a whole one"):
        recognise(RawFile("x", zipped({"rdml_data.xml": small_rdml()})[:-30]))


def test_a_member_that_unpacks_too_far_is_refused_before_it_is_unpacked():
    with pytest.raises(
        DamagedFile, match=r"x, member rdml_data.xml: found a member that unpacks \d+-fold; expected at most 200"
    ):
        recognise(RawFile("x", zipped({"rdml_data.xml": b" " * 5_000_000})))


def test_too_much_in_all_is_refused(monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_TOTAL", 100)
    with pytest.raises(DamagedFile, match=r"found members of 120 bytes; expected at most 100 bytes"):
        recognise(RawFile("x", zipped({"a": b"x" * 60, "b": b"y" * 60})))


def test_too_many_members_are_refused(monkeypatch):
    monkeypatch.setattr(archive, "MOST_MEMBERS", 2)
    with pytest.raises(DamagedFile, match=r"found a zip archive of 3 members; expected at most 2"):
        recognise(RawFile("x", zipped({"a": "", "b": "", "c": ""})))


def test_what_was_unpacked_counts_towards_the_limit():
    opened = archive.Archive("x", zipped({"a": b"x" * 60}))
    with pytest.raises(DamagedFile, match=r"x, member a: found more bytes than any export holds; expected at most 59"):
        opened.read("a", 59)
    assert opened.read("a", 60) == b"x" * 60


def test_a_size_that_lies_is_found_out():
    content = bytearray(zipped({"rdml_data.xml": small_rdml()}))
    place = content.rfind(b"PK\x01\x02") + 24  # the unpacked size in the directory
    content[place : place + 4] = (10).to_bytes(4, "little")
    with pytest.raises(DamagedFile, match=r"member rdml_data.xml: found a member that cannot be unpacked"):
        read_all(RawFile("x", bytes(content)))


def test_an_encrypted_member_is_damaged():
    content = bytearray(zipped({"rdml_data.xml": small_rdml()}))
    for marker, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(marker) + offset] |= 1
    with pytest.raises(
        DamagedFile, match=r"found an encrypted member; expected one that can be read without a password"
    ):
        recognise(RawFile("x", bytes(content)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        target.writestr("rdml_data.xml", small_rdml())
        target.writestr("rdml_data.xml", "<rdml/>")
    with pytest.raises(DamagedFile, match=r"member rdml_data.xml: found 2 members of this name; expected one"):
        recognise(RawFile("x", packed.getvalue()))


def test_a_member_without_a_name_is_refused():
    content = bytearray(zipped({"rdml_data.xml": small_rdml()}))
    content[content.rfind(b"rdml_data.xml")] = 0
    with pytest.raises(DamagedFile, match=r"found a member without a name; expected a name"):
        recognise(RawFile("x", bytes(content)))


def test_names_that_climb_out_of_the_archive_touch_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x").write_bytes(zipped({"../../evil.txt": "x", "rdml_data.xml": small_rdml()}))
    assert read_run(tmp_path / "in" / "x").reactions.num_rows == 2
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "x"]


def read_all(raw: RawFile) -> object:
    return recognise(raw).read(raw, None)


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"PK\x07\x08", b"<rdml", b"<?xml", b"\xff\xfe<\x00"])
)
def test_random_bytes_are_refused_with_an_error_of_ours(content, start):
    with pytest.raises(FileError):
        read_all(RawFile("x", start + content))


# --- XML ---


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('<?xml version="1.0"?>\n<!-- <a> --><b:rdml xmlns:b="c">', "rdml"),
        ("<!DOCTYPE rdml [<!ENTITY a 'b'>]><rdml>", "rdml"),
        ("<rdml/>", "rdml"),
        ("rdml", None),
        ("<!-- never closed", None),
        ("", None),
    ],
)
def test_the_root_is_seen_behind_the_prologue(head, name):
    assert xmltree.root_name(head) == name


def test_a_document_too_large_is_not_parsed(monkeypatch):
    monkeypatch.setattr(xmltree, "LARGEST_XML", 10)
    with pytest.raises(DamagedFile, match=r"x: found XML of 11 bytes; expected at most 10 bytes"):
        xmltree.parse(b"<a>1234</a>", "x")


def test_entities_are_not_expanded():
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
    with pytest.raises(DamagedFile, match=r"found <!DOCTYPE; expected XML without declarations"):
        xmltree.parse(bomb, "x")


# --- wells ---


@pytest.mark.parametrize(
    ("spelling", "well"),
    [("A1", "A1"), ("a01", "A1"), (" H12 ", "H12"), ("AF48", "AF48"), ("A0", None), ("1", None), ("D1c1", None)],
)
def test_spellings_of_wells(spelling, well):
    assert normal_well(spelling) == well


@given(st.integers(1, 100_000), st.integers(1, 72))
def test_a_position_and_its_well_are_one(position, columns):
    assert position_on_plate(well_at(position, columns), columns) == position


def test_wells_sort_along_the_rows():
    wells = ["A1", "A2", "A10", "B1", "P24", "AA1"]
    shuffled = [wells[index] for index in np.random.default_rng(1).permutation(len(wells))]
    assert sorted(shuffled, key=plate_order) == wells


@pytest.mark.parametrize(
    ("wells", "plate"), [(["A1"], (8, 12)), (["A13"], (16, 24)), (["AF1"], (32, 48)), (["A72"], (1, 72))]
)
def test_the_plate_is_the_smallest_common_one(wells, plate):
    assert plate_for(wells) == plate


# --- folders and zips of several exports ---


def folder(**files: bytes) -> RawFile:
    return RawFile("runs", b"", tuple(RawFile(f"runs/{name}", content) for name, content in files.items()))


def test_a_folder_of_exports_of_two_formats_is_refused_with_both_names():
    curves = cfx_builders.csv_run("en")
    other = {"plate.xlsx": xlsx(da2())}
    assert recognise(folder(**curves)).name == "Bio-Rad CFX csv or xlsx"
    for export_file in (folder(**curves, **other), RawFile("run.zip", zipped(curves | other))):
        with pytest.raises(FormatNotRecognised, match="Name the file itself") as refusal:
            recognise(export_file)
        assert "format Bio-Rad CFX csv or xlsx" in str(refusal.value)
        assert "'plate.xlsx': found an export of the format QuantStudio Design & Analysis 2 xlsx" in str(refusal.value)


def test_an_rdml_document_beside_the_files_of_another_format_is_not_passed_over():
    with pytest.raises(FormatNotRecognised, match=r"'run.rdml': found an export of the format RDML"):
        recognise(folder(**cfx_builders.csv_run("en"), **{"run.rdml": small_rdml().encode()}))


def test_an_export_of_one_file_in_a_folder_or_zip_is_to_be_named_itself():
    export = {"plate.xlsx": xlsx(da2())}
    for export_file in (folder(**export), RawFile("run.zip", zipped(export))):
        with pytest.raises(FormatNotRecognised, match=r"'plate.xlsx': found an export of .* Name the file itself"):
            recognise(export_file)
