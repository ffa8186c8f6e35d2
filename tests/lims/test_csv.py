"""The CSV file: RFC 4180 to the letter, no text that a spreadsheet calculates, every number as it was."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lims_rows import HOSTILE_NAMES, not_on_scale, result, rows_of, to_repeat, undetected

from bcrabl.lims import COLUMNS, csv_text
from bcrabl.lims.csv import defused

NAMES = [column.name for column in COLUMNS]
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")

texts = st.text(st.characters(codec="utf-8"), max_size=40)
cells = st.one_of(st.none(), texts, st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 10**6), st.dates())


def read_rfc4180(text):
    """Records of RFC 4180, character by character, strictly: an error where its grammar is broken."""
    records, record, i = [], [], 0
    while i < len(text):
        field = ""
        if text[i] == '"':
            i += 1
            while text[i] != '"' or text[i : i + 2] == '""':
                field += text[i]
                i += 2 if text[i] == '"' else 1
            i += 1
        else:
            while text[i] not in ",\r":
                assert text[i] not in '"\n', f"bare {text[i]!r} at {i}"
                field += text[i]
                i += 1
        record.append(field)
        if text[i] == ",":
            i += 1
        else:
            assert text[i : i + 2] == "\r\n", f"record ends in {text[i : i + 2]!r}"
            records.append(record)
            record, i = [], i + 2
    assert not record
    return records


def records(rows):
    heading, *body = csv.reader(io.StringIO(csv_text(rows), newline=""), strict=True)
    assert heading == [column.heading for column in COLUMNS]
    return [dict(zip(NAMES, record, strict=True)) for record in body]


@given(st.lists(st.lists(cells, min_size=len(NAMES), max_size=len(NAMES)), max_size=3))
def test_any_cells_make_records_of_rfc_4180_that_the_csv_module_reads_alike(lists):
    text = csv_text([dict(zip(NAMES, row, strict=True)) for row in lists])
    found = read_rfc4180(text)
    assert found == list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert [len(record) for record in found] == [len(NAMES)] * (len(lists) + 1)


@given(texts)
def test_a_text_comes_back_when_one_leading_apostrophe_is_taken_away(text):
    row = rows_of(result())[0] | {"sample_id": text}
    assert records([row])[0]["sample_id"].removeprefix("'") == text


@given(st.text(st.sampled_from(" \ufeff\u00a0\0"), max_size=3), st.sampled_from(FORMULA_STARTS), texts)
def test_no_text_begins_like_a_formula_with_or_without_blanks_before(blanks, start, rest):
    assert defused(blanks + start + rest)[0] == "'"


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_shown_as_text(name):
    shown = records(rows_of(result(name)))[0]["sample_id"]
    assert not shown.startswith(FORMULA_STARTS)
    assert shown in (name, f"'{name}")


@pytest.mark.parametrize("name", ["26-01234 A", "e14a2", "S=1", "a@b", "Müller", ""])
def test_an_ordinary_name_stays_as_it_is(name):
    assert defused(name) == name


def test_numbers_come_back_exactly_and_dates_as_they_are_written_everywhere():
    rows = rows_of(result(), undetected(), not_on_scale(), to_repeat())
    checked = 0
    for record, row in zip(records(rows), rows, strict=True):
        for name, value in row.items():
            if isinstance(value, float):
                assert float(record[name]) == value
                checked += 1
            elif isinstance(value, date):
                assert record[name] == value.isoformat()
            elif value is None:
                assert record[name] == ""
    assert checked > 40


def test_a_number_below_zero_is_a_number_and_gets_no_apostrophe():
    assert records(rows_of(undetected(excluded_mr=-0.7)))[0]["excluded_mr"] == "-0.7"


def test_a_run_without_samples_has_its_headings():
    assert csv_text([]).count("\r\n") == 1
    assert len(read_rfc4180(csv_text([]))[0]) == len(NAMES)
