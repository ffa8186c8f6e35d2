"""What is said of readings that are missing from the curves of a run.

The camera takes all wells of a cycle at once, so that a gap comes from an export that was cut, filtered or edited.
Symbols: n reactions, m cycles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["warnings_of_gaps"]

_MOST_NAMED = 5


def warnings_of_gaps(
    rows: Sequence[Mapping[str, object]], cycles: NDArray[np.float64], fluorescence: NDArray[np.float64]
) -> list[str]:
    """One sentence on the cycles that every curve lacks, one on the curves that lack some of the others.

    Parts of a file may follow programs of their own: each is held against its own cycles. Readings that are missing in
    front of the first one of a curve are not told: no amplification begins there.

    Parameters
    ----------
    rows : n reactions with columns `part`, `well` and `target`.
    cycles : (m,) array, rising.
    fluorescence : (n, m) array, a.u., NaN where a reading is missing.
    """
    present = np.isfinite(fluorescence)
    skipped: list[str] = []
    gaps = np.zeros(len(rows), dtype=np.int64)
    for part, members in _by_part(rows):
        measured = present[members].any(axis=0)
        lacking = _between(cycles[measured])
        skipped += [f"{cycle}{'' if part is None else f' (part {part})'}" for cycle in lacking]
        gaps[members] = _behind_the_first(present[members][:, measured])
    warnings = []
    if skipped:
        warnings.append(f"Cycles without a reading in any curve: {_listed(skipped)}.")
    if gaps.any():
        named = _listed([_in_words(rows[index]) for index in np.flatnonzero(gaps).tolist()], "; ")
        warnings.append(
            f"{np.count_nonzero(gaps)} curves lack readings in the middle or at the end, {gaps.sum()} in all: {named}."
        )
    return warnings


def _by_part(rows: Sequence[Mapping[str, object]]) -> Iterator[tuple[object, list[int]]]:
    members: dict[object, list[int]] = {}
    for index, row in enumerate(rows):
        members.setdefault(row["part"], []).append(index)
    yield from members.items()


def _between(cycles: NDArray[np.float64]) -> list[int]:
    """The cycles that are missing between the first and the last."""
    whole = cycles.astype(np.int64)
    return np.setdiff1d(np.arange(whole.min(), whole.max()), whole).tolist() if whole.size else []


def _behind_the_first(present: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n,) readings that curves lack behind their first one; 0 for curves without any."""
    begun = np.logical_or.accumulate(present, axis=1)
    return np.asarray((begun & ~present).sum(axis=1), dtype=np.int64)


def _in_words(row: Mapping[str, object]) -> str:
    part = "" if row["part"] is None else f"part {row['part']}, "
    return f"{part}well {row['well']}, target {row['target']}"


def _listed(names: Sequence[str], mark: str = ", ") -> str:
    return mark.join(names[:_MOST_NAMED]) + (f"{mark}…" if len(names) > _MOST_NAMED else "")
