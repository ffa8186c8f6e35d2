"""Numbers as exports spell them."""

from __future__ import annotations

import math

import pytest

from bcrabl.formats.numerals import finite_or_none, number_or_none, numbers


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("24.5", ".", 24.5),
        (" 7269 ", ".", 7269.0),
        ("24,5", ",", 24.5),
        (",04", ",", 0.04),
        ("1,234.5", ".", 1234.5),
        ("1.234,5", ",", 1234.5),
        ("1.234", ",.", 1234.0),
        ("1,234", ".,", 1234.0),
        ("1.234", ",", None),
        ("1,234", ".", None),
        ("1,234,567", ".", 1234567.0),
        ("1,234", "", None),
        ("12,34", ".", None),
        ("1,2,3", ",", None),
        ("1_000", ".", None),
        ("Undetermined", ".", None),
        ("", ".", None),
        (None, ".", None),
    ],
)
def test_a_number_is_read_by_its_decimal_mark_or_not_at_all(text, decimal, value):
    assert number_or_none(text, decimal) == value


def test_infinite_and_undefined_are_no_finite_number():
    assert finite_or_none("NaN") is None
    assert finite_or_none("inf") is None
    assert math.isnan(number_or_none("NaN"))


def test_many_numbers_are_read_at_once_or_not_at_all():
    assert numbers(["1.5", " 2 "]) == [1.5, 2.0]
    assert numbers(["1,5", "2"], ",") == [1.5, 2.0]
    assert numbers(["1,5", "2.5"], ",") is None
    assert numbers(["1.5", None]) is None
    assert numbers(["1.5", "inf"]) is None
    assert numbers(["1_0"]) is None
