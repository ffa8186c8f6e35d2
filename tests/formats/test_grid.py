"""Delimited text cut into cells, tables found by their header, numbers read by the decimal mark that the cells show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcrabl.errors import DamagedFile
from bcrabl.formats.grid import Sheet, decimal_mark, delimited, delimiter_of


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        (["Well\tCq", "A1\t24,5"], "\t"),
        (["Well;Cq;SQ", "A1;24,5;1000"], ";"),
        (["Well,Cq", "A1,24.5"], ","),
        (["* Block = 96", "* Instrument = 1", "Well\tCq", "A1\t1", "A2\t2"], "\t"),
        (["sep=;", "Well,of;Cq,of", "A1,1;2,5"], ";"),
        (["a name; with a semicolon,1", "b,2", "c,3"], ","),
    ],
)
def test_the_delimiter_is_what_most_lines_hold(lines, delimiter):
    assert delimiter_of(lines) == delimiter


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_ends_a_line(end):
    assert delimited("x", end.join(["a;b", "1;2", ""])).rows == [["a", "b"], ["1", "2"]]


def test_quoted_cells_may_hold_the_delimiter():
    assert delimited("x", 'a,b\n"1,5","say ""no"""\n').rows[1] == ["1,5", 'say "no"']


def test_a_quoted_cell_that_never_ends_is_an_error():
    with pytest.raises(DamagedFile, match=r"x: found text that cannot be cut into cells"):
        delimited("x", 'a,b\n"1,2\n3,4\n')


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["24.5", "A1", "7"], "."),
        (["24,5", "A1", "7"], ","),
        ([",04", "1"], ","),
        (["0,123"], ","),
        (["1,234.5"], ".,"),
        (["1.234,5"], ",."),
        (["1,234,567", "2.5"], ".,"),
        (["5,720", "24.51"], "."),
        (["1,25E+3"], ","),
        (["1,234"], ""),
        (["1.234"], "."),
        (["Sample, one", "2.5 µL"], "."),
        ([1.5, "x"], "."),
    ],
)
def test_the_decimal_mark_is_the_one_some_cell_needs(cells, mark):
    assert decimal_mark(cells) == mark


def column(*cells: str, mark: str | None = None) -> tuple[list[float], list[str]]:
    problems = []
    table = Sheet("x", [["n"], *([cell] for cell in cells)], "line", mark).table("n")
    return table.numbers("n", range(len(cells)), problems).tolist(), [str(problem) for problem in problems]


def test_thousands_are_read_where_the_decimal_mark_is_known():
    assert column("5,720.562", "1,000", "12.5") == ([5720.562, 1000.0, 12.5], [])
    assert column("5.720,562", "1.000", "12,5") == ([5720.562, 1000.0, 12.5], [])


def test_three_digits_behind_the_other_mark_are_no_number_unless_some_cell_parts_thousands():
    values, problems = column("1,234", "2.5", "3,512")
    assert [value for value in values if value == value] == [2.5]
    assert [problem.split(";")[0] for problem in problems] == [
        "x, line 2, column n: found '1,234'",
        "x, line 4, column n: found '3,512'",
    ]
    assert column("1.234", "2,5")[1][0].startswith("x, line 2, column n: found '1.234'")


def test_a_column_of_names_does_not_show_the_decimal_mark_of_the_numbers():
    table = Sheet("x", [["name", "n"], ["24.5", "1,234"], ["0.1", "2,5"]], "line").table("n")
    assert table.marked_by("n", None, "there is none").numbers("n", [0, 1], []).tolist() == [1.234, 2.5]


def test_a_cell_right_of_the_header_is_an_error_since_the_row_was_cut_at_its_decimal_commas():
    delimited("x", "n,m,\n1,2,\n3,4,,\n").table("n").refuse_beyond_header()
    with pytest.raises(DamagedFile, match="x, line 3: found 4 cells, of which those behind cell 2 stand under no name"):
        delimited("x", "n,m\n1,2\n3,0,4,5\n").table("n").refuse_beyond_header()


def test_a_comma_that_may_part_thousands_or_decimals_is_no_number():
    values, problems = column("27,523", "28,114")
    assert np.isnan(values).all()
    assert problems[0] == "x, line 2, column n: found '27,523'; expected a number. Correct the cell."


def test_empty_cells_and_dashes_are_no_reading():
    assert np.isnan(column("", "-", " ")[0]).all()


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30), st.sampled_from([".", ","]))
def test_numbers_survive_any_decimal_mark(values, mark):
    spelled = [repr(value).replace(".", mark) for value in values]
    assert column(*spelled, mark=mark) == (values, [])


def test_a_table_begins_at_its_header_in_any_case_and_rows_may_be_short():
    sheet = delimited("x", "Run;R1\n;\nWELL; Cq ;Note\nA1;1.5;ok\nA2;2.5\n\n")
    table = sheet.table("Well", "Cq")
    assert table.texts("well") == ["A1", "A2"]
    assert table.texts("note") == ["ok", ""]
    assert table.stated == {"Run": "R1"}
    assert table.place(1, "Cq") == "x, line 5, column Cq"
    assert sheet.table("Well", "Target") is None
