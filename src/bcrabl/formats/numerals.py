"""Numbers as exports spell them, one at a time or a curve at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["number_or_none", "numbers"]


def number_or_none(text: str | None) -> float | None:
    """The number that a text spells (`NaN` and `inf` included), or None where it spells none."""
    if text is None or "_" in text:  # Python reads 1_000 as a number, no instrument writes it
        return None
    try:
        return float(text)
    except ValueError:
        return None


def finite_or_none(text: str | None) -> float | None:
    """The finite number that a text spells, or None."""
    number = number_or_none(text)
    return number if number is not None and math.isfinite(number) else None


def numbers(texts: Sequence[str | None]) -> list[float] | None:
    """The numbers that texts spell, NaN included, or None where one of them spells none or infinity."""
    try:
        values = [float(text) for text in texts]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    if math.inf in values or -math.inf in values or "_" in "".join(texts):  # type: ignore[arg-type]
        return None
    return values
