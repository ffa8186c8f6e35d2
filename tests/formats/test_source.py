"""What a raw file is before anybody understands it: compressed, a folder, a zip of tables, several files of one run."""

from __future__ import annotations

import gzip
import hashlib

import cfx_builders
import pytest
from format_builders import small_rdml, zipped

from bcrabl import raw_files
from bcrabl.errors import DamagedFile, FileError
from bcrabl.formats import RawFile, read_run, source


def test_a_file_compressed_by_gzip_is_read_as_what_it_holds(tmp_path):
    (tmp_path / "run.rdml.gz").write_bytes(gzip.compress(small_rdml().encode()))
    run = read_run(tmp_path / "run.rdml.gz")
    assert run.reactions["well"].to_pylist() == ["A1", "B2"]
    assert run.metadata["sha256"] == hashlib.sha256((tmp_path / "run.rdml.gz").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda packed: packed[:-9], "gzip data that break off"),
        (lambda packed: packed + b"more", "go on behind their end"),
        (lambda packed: packed[:20] + b"\xff\xff\xff" + packed[23:], "gzip data that"),
    ],
)
def test_broken_gzip_data_are_refused(damage, found):
    with pytest.raises(DamagedFile, match=found):
        RawFile("x", damage(gzip.compress(small_rdml().encode()))).plain  # noqa: B018


def test_gzip_data_that_unpack_to_gigabytes_are_refused():
    with pytest.raises(DamagedFile, match=f"unpack to more; expected at most {source.LARGEST_TEXT} bytes"):
        RawFile("x", gzip.compress(b"\0" * (source.LARGEST_TEXT + 1))).plain  # noqa: B018


def test_a_text_too_large_to_cut_is_refused(monkeypatch):
    monkeypatch.setattr(source, "LARGEST_TEXT", 100)
    with pytest.raises(DamagedFile, match=r"a text of 102 bytes"):
        RawFile("x", b"a\t" * 51).text  # noqa: B018


def test_a_table_longer_than_any_plate_is_refused_before_it_is_cut():
    with pytest.raises(DamagedFile, match=r"x: found a table of 12 bytes; expected at most 11 bytes"):
        RawFile("x", b"a\tb\n1\t2\n3\t4\n").rows(most=11)


def test_the_beginning_of_a_text_ends_with_a_whole_line_and_a_whole_character():
    lines = ["Größe µL", "Cт;ΔRn"] * 8000
    for encoding in ("utf-8", "utf-16", "cp1251"):
        text = "\n".join(lines) if encoding != "cp1251" else "plain\n" * 20000
        beginning = RawFile("x", text.encode(encoding)).beginning
        assert text.startswith(beginning)
        assert beginning.endswith("\n")
        assert len(beginning) > 10_000


def test_the_tables_of_a_run_are_files_of_a_folder_or_members_of_a_zip(tmp_path):
    for name in ("b.csv", "a.csv", ".hidden"):
        (tmp_path / name).write_text(name)
    folder = RawFile.from_path(tmp_path)
    assert [table.text for table in folder.tables] == ["a.csv", "b.csv"]
    packed = RawFile("x.zip", zipped({"a.csv": "1", "picture.png": "2", "sub/b.csv": "3"}))
    assert [(table.path, table.text) for table in packed.tables] == [
        ("x.zip, member a.csv", "1"),
        ("x.zip, member sub/b.csv", "3"),
    ]


def test_a_folder_of_no_known_run_is_said_with_what_it_holds(tmp_path):
    (tmp_path / "notes.md").write_text("hello")
    with pytest.raises(FileError, match=r"found a folder that holds 'notes.md'; expected an export in one of"):
        read_run(tmp_path)


def test_the_digest_of_several_files_is_that_of_sha256sum(tmp_path):
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text(name)
    lines = "".join(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in ("a.csv", "b.csv"))
    assert RawFile.from_path(tmp_path).digest == hashlib.sha256(lines.encode()).hexdigest()


def test_empty_files_of_a_folder_are_passed_over_and_named(tmp_path):
    names = cfx_builders.csv_run("en")
    for name, content in names.items():
        (tmp_path / name).write_bytes(content)
    without = read_run(tmp_path)
    (tmp_path / "notes.txt").touch()
    run = read_run(tmp_path)
    assert run.warnings == (*without.warnings, "1 empty files were passed over: 'notes.txt'.")
    assert run.metadata["sha256"] != without.metadata["sha256"]
    assert run.fluorescence.tolist() == without.fluorescence.tolist()


def test_a_folder_of_empty_files_is_said(tmp_path):
    (tmp_path / "a.csv").touch()
    with pytest.raises(FileError, match="found a folder of empty files; expected the exported files"):
        read_run(tmp_path)


def test_an_empty_column_map_is_not_passed_over(tmp_path):
    (tmp_path / "a.csv").write_text("well,1,2")
    (tmp_path / "a.csv.columns.yaml").touch()
    with pytest.raises(FileError, match=r"a.csv.columns.yaml: found an empty file"):
        read_run(tmp_path)


def test_a_folder_of_more_files_than_a_run_has_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(raw_files, "MOST_FILES", 3)
    monkeypatch.setattr(source, "MOST_FILES", 3)
    for number in range(4):
        (tmp_path / f"{number}.csv").write_text("a,b")
    with pytest.raises(FileError, match="found more than 3 files; expected the exported files of one run"):
        read_run(tmp_path)


def test_a_folder_of_more_bytes_than_a_run_has_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "LARGEST_FOLDER", 10)
    for number in range(4):
        (tmp_path / f"{number}.csv").write_text("a,b")
    with pytest.raises(FileError, match="found files of 12 bytes in all; expected at most 10 bytes"):
        read_run(tmp_path)
