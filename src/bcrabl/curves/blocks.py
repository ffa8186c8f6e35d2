"""Many curves in blocks: temporary arrays stay small, whatever the number of curves."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

T = TypeVar("T")

__all__ = ["JudgedReadings", "as_readings", "blocks_of", "joined", "rows_of", "tuples_of"]

_CURVES_AT_ONCE = 1536  # a block's arrays of 45 cycles take half a megabyte each: about what a cache holds


class JudgedReadings:
    """Fluorescence with NaN where a reading is not judged, made for the rows that are asked for.

    Parameters
    ----------
    fluorescence : (n, m) array, a.u.
    judged : (n, m) which readings count.
    """

    def __init__(self, fluorescence: Array, judged: NDArray[np.bool_]) -> None:
        self._fluorescence, self._judged = fluorescence, judged

    def __len__(self) -> int:
        return len(self._fluorescence)

    def __getitem__(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Array:
        return np.where(self._judged[rows], self._fluorescence[rows], np.nan)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        n, m = self._fluorescence.shape
        return n, m


def as_readings(fluorescence: ArrayLike | JudgedReadings) -> Array | JudgedReadings:
    """An array of floats, or the judged readings as they are."""
    return fluorescence if isinstance(fluorescence, JudgedReadings) else np.asarray(fluorescence, dtype=np.float64)


def blocks_of(curves: int) -> Iterator[slice]:
    """Slices that together cover that many rows; one empty slice where there are none."""
    for begin in range(0, max(curves, 1), _CURVES_AT_ONCE):
        yield slice(begin, min(begin + _CURVES_AT_ONCE, curves))


def joined(parts: Iterable[T], rows: int) -> T:
    """The parts as one: arrays end to end, dataclasses, tuples and dicts by field, all else from the first part.

    Parts are taken one at a time and need not be kept.

    Parameters
    ----------
    rows : number of rows of all parts together.
    """
    whole: list[NDArray[Any]] = []
    begin, first = 0, None
    for part in parts:
        leaves = list(_arrays(part))
        if first is None:
            first = part
            if len(leaves[0]) == rows:
                return part
            whole = [np.empty((rows, *leaf.shape[1:]), dtype=leaf.dtype) for leaf in leaves]
        for target, leaf in zip(whole, leaves, strict=True):
            target[begin : begin + len(leaf)] = leaf
        begin += len(leaves[0])
    made: T = _made_like(first, iter(whole))
    return made


def _named(part: object) -> dict[str, object] | None:
    """The fields of a container, or None for what is none."""
    if isinstance(part, dict):
        return part
    if is_dataclass(part):
        return {field.name: getattr(part, field.name) for field in fields(part)}
    if isinstance(part, tuple):
        return dict(zip(getattr(part, "_fields", map(str, range(len(part)))), part, strict=True))
    return None


def _arrays(part: object) -> Iterator[NDArray[Any]]:
    if isinstance(part, np.ndarray):
        yield part
    for each in (_named(part) or {}).values():
        yield from _arrays(each)


def _made_like(part: Any, arrays: Iterator[NDArray[Any]]) -> Any:
    if isinstance(part, np.ndarray):
        return next(arrays)
    named = _named(part)
    if named is None:
        return part
    made = {name: _made_like(each, arrays) for name, each in named.items()}
    if type(part) in (dict, tuple):
        return type(part)(made if isinstance(part, dict) else made.values())
    return type(part)(**made)


def rows_of(whole: T, rows: slice | NDArray[np.intp]) -> T:
    """Some rows of a dataclass of arrays; what is no array stays."""
    parts = vars(whole).items()
    taken: Any = type(whole)
    return taken(**{name: part[rows] if isinstance(part, np.ndarray) else part for name, part in parts})  # type: ignore[no-any-return]


def tuples_of(named: Mapping[str, NDArray[np.bool_]]) -> tuple[tuple[str, ...], ...]:
    """Per row the names that hold there, in the order given; equal rows share one tuple."""
    names = list(named)
    code = np.zeros(len(named[names[0]]), dtype=np.int64)
    for bit, name in enumerate(names):
        code |= named[name].astype(np.int64) << bit
    distinct, place = np.unique(code, return_inverse=True)
    words = np.empty(len(distinct), dtype=object)
    for k, each in enumerate(distinct.tolist()):
        words[k] = tuple(name for bit, name in enumerate(names) if each >> bit & 1)
    return tuple(words[place].tolist())
