"""Two significant digits: as by hand, outwards at the ends of an interval, never more depth than was found."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcrabl.lims.rounding import shown, shown_depth, shown_lower, shown_upper

percents = st.floats(1e-9, 1e6)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0032, "0.0032"),
        (0.00318, "0.0032"),
        (0.00320001, "0.0032"),
        (0.1, "0.10"),
        (0.1004, "0.10"),
        (0.0996, "0.10"),
        (0.00995, "0.010"),  # half goes up
        (0.00994, "0.0099"),
        (1.0, "1.0"),
        (9.96, "10"),
        (12.5, "13"),
        (99.6, "100"),
        (123.4, "120"),
        (1e-7, "0.00000010"),
        (0.0, "0"),
    ],
)
def test_a_value_has_two_significant_digits_and_no_power_of_ten(value, text):
    assert shown(value) == text


@given(percents)
def test_a_value_shown_is_at_most_half_a_unit_of_its_second_digit_off(value):
    exact = Decimal(repr(value))
    unit = Decimal(1).scaleb(exact.adjusted() - 1)
    assert abs(Decimal(shown(value)) - exact) <= unit / 2


@given(percents)
def test_the_interval_shown_holds_the_interval_computed(value):
    exact = Decimal(repr(value))
    unit = Decimal(1).scaleb(exact.adjusted() - 1)
    low, high = Decimal(shown_lower(value)), Decimal(shown_upper(value))
    assert low <= exact <= high
    assert high - low <= unit


@given(percents)
def test_what_is_shown_has_two_digits_that_count(value):
    for text in (shown(value), shown_lower(value), shown_upper(value)):
        assert "E" not in text
        digits = text.replace(".", "").lstrip("0")
        assert len(digits) == 2 or (len(digits) > 2 and "." not in text and set(digits[2:]) == {"0"})


def test_a_depth_is_cut_so_that_no_class_is_promised_that_was_not_reached():
    assert shown_depth(4.4976) == "4.49"
    assert shown_depth(5.0) == "5.00"
    assert shown_depth(-0.699) == "-0.69"
