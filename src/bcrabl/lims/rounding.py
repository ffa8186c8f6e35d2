"""How a reported number is shown: two significant digits of its decimal digits, never as a power of ten.

A value is rounded half up, as by hand; the ends of an interval outwards, so that the interval shown holds the one
computed; a depth that is excluded towards 0, so that no more is promised than was found. Classes are never judged on
what is shown.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal

__all__ = ["shown", "shown_depth", "shown_lower", "shown_upper"]

_DIGITS = 2


def shown(value: float) -> str:
    """A value with two significant digits, rounded half up.

    Examples
    --------
    >>> [shown(value) for value in (0.01972, 0.0996, 0.1004, 12.5, 123.4, 0.0)]
    ['0.020', '0.10', '0.10', '13', '120', '0']
    """
    return _two_digits(value, ROUND_HALF_UP)


def shown_lower(value: float) -> str:
    """The lower end of an interval with two significant digits, rounded down."""
    return _two_digits(value, ROUND_FLOOR)


def shown_upper(value: float) -> str:
    """The upper end of an interval with two significant digits, rounded up.

    Examples
    --------
    >>> shown_lower(0.01299), shown_upper(0.01201)
    ('0.012', '0.013')
    """
    return _two_digits(value, ROUND_CEILING)


def shown_depth(depth: float) -> str:
    """A molecular response as a number with two decimals, cut.

    Examples
    --------
    >>> shown_depth(4.4976)
    '4.49'
    """
    return f"{Decimal(repr(float(depth))).quantize(Decimal('0.01'), rounding=ROUND_DOWN):f}"


def _two_digits(value: float, rounding: str) -> str:
    exact = Decimal(repr(float(value)))
    if not exact:
        return "0"
    rounded = exact.quantize(_last_digit(exact), rounding=rounding)
    # 0.0996 becomes 0.100, which has a digit more than 0.10
    return f"{rounded.quantize(_last_digit(rounded), rounding=rounding):f}"


def _last_digit(number: Decimal) -> Decimal:
    return Decimal(1).scaleb(number.adjusted() - _DIGITS + 1)
