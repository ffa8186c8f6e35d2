"""The workbook: the same bytes twice, texts that stay texts, every number as it was; read by another library."""

from __future__ import annotations

import os
import time
import zipfile
from datetime import date
from xml.etree import ElementTree as ET

import pytest
from lims_rows import HOSTILE_NAMES, not_on_scale, result, rows_of, to_repeat, undetected
from python_calamine import CalamineWorkbook

from bcrabl.lims import COLUMNS, write_xlsx

NAMES = [column.name for column in COLUMNS]


@pytest.fixture
def written(tmp_path):
    """Writes rows and gives the file."""

    def _written(rows, name="report.xlsx"):
        write_xlsx(rows, tmp_path / name)
        return tmp_path / name

    return _written


def records(path):
    heading, *body = CalamineWorkbook.from_path(path).get_sheet_by_name("Results").to_python()
    assert heading == [column.heading for column in COLUMNS]
    return [dict(zip(NAMES, record, strict=True)) for record in body]


def test_numbers_come_back_exactly_and_dates_as_dates(written):
    rows = rows_of(result(), undetected(), not_on_scale(), to_repeat())
    checked = 0
    for record, row in zip(records(written(rows)), rows, strict=True):
        for name, value in row.items():
            assert record[name] == ("" if value is None else value), name
            checked += isinstance(value, float)
    assert checked > 40


def test_a_date_before_the_calendar_of_spreadsheets_is_text(written):
    found = records(written(rows_of(result(collection_date=date(1899, 12, 31)))))[0]
    assert found["collection_date"] == "1899-12-31"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_comes_back_as_the_text_it_is(written, name):
    found = records(written(rows_of(result(name))))[0]["sample_id"]
    assert isinstance(found, str)
    assert found.replace("\r", "") == name.replace("\r", "")  # XML readers fold line ends


def test_there_is_no_formula_and_no_link_in_the_file(written):
    with zipfile.ZipFile(written(rows_of(*(result(name) for name in HOSTILE_NAMES)))) as archive:
        names = archive.namelist()
        sheets = [name for name in names if name.startswith("xl/worksheets/sheet")]
        tags = {
            element.tag.rpartition("}")[2] for name in sheets for element in ET.fromstring(archive.read(name)).iter()
        }
        assert len(sheets) == 2
        assert tags & {"f", "hyperlink", "hyperlinks"} == set()
        assert not [name for name in names if "externalLink" in name or "_rels/sheet" in name]


def test_control_and_non_characters_leave_a_file_that_can_be_read(written):
    name = "".join(map(chr, range(32))) + "\ufffe\uffff end"
    found = records(written(rows_of(result(name))))[0]
    assert found["sample_id"].endswith("�� end")
    assert found["patient_id"] == "P1"


def test_the_same_rows_give_the_same_bytes_whatever_day_zone_and_umask(written, monkeypatch):
    rows = rows_of(result(), undetected())
    first = written(rows, "first.xlsx").read_bytes()
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    before = os.umask(0o077)
    try:
        assert written(rows, "second.xlsx").read_bytes() == first
    finally:
        os.umask(before)
        monkeypatch.undo()
        time.tzset()


def test_the_file_carries_a_fixed_date_of_creation(written):
    with zipfile.ZipFile(written([])) as archive:
        properties = ET.fromstring(archive.read("docProps/core.xml"))
        dates = {element.text for element in properties.iter() if element.tag.endswith(("}created", "}modified"))}
        assert dates == {"2000-01-01T00:00:00Z"}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_every_column_is_explained(written):
    meanings = CalamineWorkbook.from_path(written([])).get_sheet_by_name("Columns").to_python()
    assert [row[0] for row in meanings[1:]] == [column.heading for column in COLUMNS]
    assert all(row[1] for row in meanings)
