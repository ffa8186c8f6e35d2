"""Axes: where a value lies between two ends, and which values are written beside it.

A fraction of an axis runs from 0 at its low end to 1 at its high end. On a logarithmic axis values that are not
positive have no place: NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["Axis", "axis_around"]

_STEPS = (1.0, 2.0, 5.0, 10.0)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_WRITTEN_OUT = (-3, 4)  # powers of ten that are written as numbers
_PADDING = 0.04  # of the axis, on either side of the data
_MOST_TICKS = 6


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic axis.

    Parameters
    ----------
    label : quantity and unit, `fluorescence (a.u.)`.
    low, high : ends of the axis, low < high; positive on a logarithmic axis.
    logarithmic : equal distances for equal ratios.
    most_ticks : how many values are written at most.
    names : of what stands at 1, 2, 3, …, instead of numbers.

    Raises
    ------
    ValueError : ends that are not finite, not in order, or not positive on a logarithmic axis.

    Examples
    --------
    >>> Axis("cycle", 1, 45).ticks()
    (10.0, 20.0, 30.0, 40.0)
    >>> Axis("copies", 5, 2e6, logarithmic=True, most_ticks=3).ticks()
    (100.0, 10000.0, 1000000.0)
    """

    label: str
    low: float
    high: float
    logarithmic: bool = False
    most_ticks: int = _MOST_TICKS
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (isfinite(self.low) and isfinite(self.high) and self.low < self.high):
            raise ValueError(f"axis {self.label!r} from {self.low} to {self.high}: expected two ends, low below high")
        if self.logarithmic and self.low <= 0:
            raise ValueError(f"logarithmic axis {self.label!r} from {self.low}: expected a positive end")

    def fraction(self, values: ArrayLike) -> Array:
        """Place of values between the ends, of their shape; NaN where they have none."""
        value = np.asarray(values, dtype=np.float64)
        value = np.where(np.isfinite(value), value, np.nan)
        if not self.logarithmic:
            linear: Array = (value - self.low) / (self.high - self.low)
            return linear
        positive = np.where(value > 0, value, np.nan)
        place: Array = np.log(positive / self.low) / np.log(self.high / self.low)
        return place

    def ticks(self) -> tuple[float, ...]:
        """Round values within the ends, rising."""
        if self.names:
            return tuple(float(k) for k in range(1, len(self.names) + 1) if self.low <= k <= self.high)
        return self._decades() if self.logarithmic else self._round_values()

    def tick_label(self, value: float) -> str:
        """How a tick is written; every tick of a linear axis has the same digits."""
        if self.names:
            return self.names[round(value) - 1]
        if not self.logarithmic:
            digits = max(0, -floor(log10(self._step()) + 1e-9))
            return f"{value + 0.0:,.{digits}f}"
        power = floor(log10(value) + 1e-9)
        if _WRITTEN_OUT[0] <= power <= _WRITTEN_OUT[1]:
            return f"{value:,.{max(0, -power)}f}"
        leading = round(value / 10.0**power)
        return ("" if leading == 1 else f"{leading}×") + "10" + str(power).translate(_SUPERSCRIPTS)

    def _step(self) -> float:
        raw = (self.high - self.low) / self.most_ticks
        decade = 10.0 ** floor(log10(raw))
        step: float = next(step * decade for step in _STEPS if step * decade >= raw * (1 - 1e-9))
        return step

    def _round_values(self) -> tuple[float, ...]:
        step = self._step()
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        # a whole multiple, rounded: 3 × 0.1 is 0.30000000000000004
        return tuple(min(max(float(f"{k * step:.12g}"), self.low), self.high) for k in range(first, last + 1))

    def _decades(self) -> tuple[float, ...]:
        first, last = ceil(log10(self.low) - 1e-9), floor(log10(self.high) + 1e-9)
        powers = range(first, last + 1)
        if len(powers) >= 3:
            every = ceil(len(powers) / self.most_ticks)
            return tuple(10.0**power for power in powers if power % every == 0)
        values = (float(f"{k}e{power}") for power in range(first - 1, last + 1) for k in (1, 2, 5))
        return tuple(value for value in values if self.low <= value <= self.high)


def axis_around(label: str, values: ArrayLike, *, logarithmic: bool = False, low: float | None = None) -> Axis:
    """An axis that holds all finite values (on a logarithmic axis all positive ones) with a little room on either side.

    Parameters
    ----------
    label : quantity and unit.
    values : of any shape.
    logarithmic : equal distances for equal ratios.
    low : where the axis begins instead.
    """
    value = np.asarray(values, dtype=np.float64).ravel()
    value = value[np.isfinite(value) & ((value > 0) | (not logarithmic))]
    if not value.size:
        value = np.array([1.0, 10.0])
    bottom, top = float(value.min()) if low is None else low, float(value.max())
    if logarithmic:
        ratio = max(top / bottom, 1.1) ** _PADDING
        return Axis(label, bottom / (ratio if low is None else 1.0), max(top, bottom) * ratio, logarithmic=True)
    room = _PADDING * (top - bottom or max(abs(top), 1.0))
    return Axis(label, bottom - (room if low is None else 0.0), top + room)
