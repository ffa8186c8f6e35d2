"""Numbers as exports spell them, one at a time or a curve at once."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

__all__ = ["finite_or_none", "number_or_none", "numbers", "spelled"]

_OTHER_MARK = {".": ",", ",": "."}
# A group in front never begins with a zero: 0,522 is a decimal comma in the wrong place, not 522
_GROUPED = {mark: re.compile(rf"[+-]?[1-9][0-9]{{0,2}}(?:\{mark}[0-9]{{3}})+") for mark in ",."}


def number_or_none(text: str | None, decimal: str = ".") -> float | None:
    """The number that a text spells (`NaN` and `inf` included), or None where it spells none.

    Parameters
    ----------
    decimal : the decimal mark, point or comma; the other one may only part groups of three digits, and a single group
        without decimals (1,234) only where that other mark stands second: `.,` or `,.`. Empty where the file does not
        show which it is: then 1,234 spells no number, since it may be either.
    """
    if text is None or "_" in text:  # Python reads 1_000 as a number, no instrument writes it
        return None
    own = decimal[:1] or "."
    other = _OTHER_MARK[own]
    if other in text:
        whole, mark, rest = text.strip().partition(own)
        is_clear = mark or whole.count(other) > 1 or decimal[1:] == other
        if not (decimal and is_clear and _GROUPED[other].fullmatch(whole)):
            return None
        text = whole.replace(other, "") + mark + rest
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def finite_or_none(text: str | None, decimal: str = ".") -> float | None:
    """The finite number that a text spells, or None."""
    number = number_or_none(text, decimal)
    return number if number is not None and math.isfinite(number) else None


def numbers(texts: Sequence[str | None], decimal: str = ".") -> list[float] | None:
    """The numbers that texts spell, NaN included, or None where one of them spells none or infinity.

    Thousands must not be parted: where they may be, take the texts one at a time.
    """
    try:
        joined = "\t".join(texts)  # type: ignore[arg-type]
        if "_" in joined:
            return None
        if decimal[:1] == ",":
            if "." in joined:
                return None
            apart = joined.replace(",", ".").split("\t")
            if len(apart) != len(texts):  # a cell holds a tab
                return None
            texts = apart
        values = [float(text) for text in texts]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return None if math.inf in values or -math.inf in values else values


def spelled(value: float, decimal: str = ".") -> str:
    """The shortest text that reads back as the same number, with this decimal mark."""
    return repr(float(value)).replace(".", decimal)
