"""Many curves in blocks: temporary arrays stay small, whatever the number of curves."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

T = TypeVar("T")

__all__ = ["blocks_of", "joined", "rows_of", "tuples_of"]

_CURVES_AT_ONCE = 1536  # a block's arrays of 45 cycles take half a megabyte each: about what a cache holds


def blocks_of(curves: int) -> Iterator[slice]:
    """Slices that together cover that many rows; one empty slice where there are none."""
    for begin in range(0, max(curves, 1), _CURVES_AT_ONCE):
        yield slice(begin, min(begin + _CURVES_AT_ONCE, curves))


def joined(parts: Sequence[T]) -> T:
    """The parts as one: arrays end to end, dataclasses and named tuples by field, all else from the first part."""
    first: Any = parts[0]
    if len(parts) == 1:
        return parts[0]
    together: Any = first
    if isinstance(first, np.ndarray):
        together = np.concatenate([np.asarray(part) for part in parts])
    elif isinstance(first, dict):
        every: Any = parts
        together = {name: joined([part[name] for part in every]) for name in first}
    elif names := [field.name for field in fields(first)] if is_dataclass(first) else getattr(first, "_fields", ()):
        together = type(first)(**{name: joined([getattr(part, name) for part in parts]) for name in names})
    return together  # type: ignore[no-any-return]


def rows_of(whole: T, rows: slice | NDArray[np.intp]) -> T:
    """Some rows of a dataclass of arrays; what is no array stays."""
    parts = vars(whole).items()
    taken: Any = type(whole)
    return taken(**{name: part[rows] if isinstance(part, np.ndarray) else part for name, part in parts})  # type: ignore[no-any-return]


def tuples_of(named: Mapping[str, NDArray[np.bool_]]) -> tuple[tuple[str, ...], ...]:
    """Per row the names that hold there, in the order given; equal rows share one tuple."""
    names, table = list(named), np.column_stack(list(named.values()))
    code = (table * (1 << np.arange(len(names), dtype=np.int64))).sum(axis=1)
    distinct, place = np.unique(code, return_inverse=True)
    words = np.empty(len(distinct), dtype=object)
    for k, each in enumerate(distinct.tolist()):
        words[k] = tuple(name for j, name in enumerate(names) if each >> j & 1)
    return tuple(words[place].tolist())
