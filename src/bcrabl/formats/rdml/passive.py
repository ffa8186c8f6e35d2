"""Which target of an RDML document is no target, but the passive reference dye: RDML has no other place for it.

A target that somebody left unnamed is often called by its dye too, so a name proves nothing: an assay in the ROX
channel must never be what other assays are divided by.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.formats.rdml.annotation import PASSIVE_DYES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["passive_target", "well_of"]

_ENDS = 5  # cycles at either end of a curve that are compared
_FLAT = 1.25  # passive references met rise or fall by at most 1.1-fold
_OF_ASSAYS = {"vendor_cq": "a Cq", "vendor_cq_text": "a Cq", "vendor_threshold": "a threshold", "vendor_call": "a call"}


def passive_target(
    rows: Sequence[Mapping[str, object]],
    declared: Collection[str],
    fluorescence: NDArray[np.float64],
    warnings: list[str],
) -> str | None:
    """The target that is the passive reference, or None.

    It is called by a passive dye and measured once in every well beside others. Beyond that, either the document
    describes it so, as our own do, or nothing speaks for an assay: no Cq, no threshold, and no curve that rises or
    falls. That RDML calls it a reference says nothing: so it calls control genes.

    Parameters
    ----------
    rows : n reactions, columns of `bcrabl.tables.REACTIONS`.
    declared : targets that the document describes as the passive reference.
    fluorescence : (n, m) array, a.u.
    warnings : gain a sentence where the name alone would have said otherwise.
    """
    for name in dict.fromkeys(str(row["target"]) for row in rows if row["target"] == row["dye"]):
        if name.upper() not in PASSIVE_DYES or not _in_every_well(rows, name):
            continue
        assay = "" if name in declared else _speaks_for_assay(rows, fluorescence, name)
        if not assay:
            return name
        warnings.append(
            f"The target {name!r} is named like a passive reference dye, but {assay}; it is read as a target, and the "
            "other curves are not divided by it."
        )
    return None


def well_of(row: Mapping[str, object]) -> tuple[object, object]:
    """Part and well of a reaction."""
    return row["part"], row["well"]


def _in_every_well(rows: Sequence[Mapping[str, object]], name: str) -> bool:
    """Whether a target was measured once in every well, and others beside it."""
    measured = [well_of(row) for row in rows if row["target"] == name]
    beside = {well_of(row) for row in rows if row["target"] != name}
    return len(set(measured)) == len(measured) and set(measured) == beside


def _speaks_for_assay(rows: Sequence[Mapping[str, object]], fluorescence: NDArray[np.float64], name: str) -> str:
    """What makes a target more than a passive reference, in words; empty where nothing does."""
    own = [index for index, row in enumerate(rows) if row["target"] == name]
    for column, found in _OF_ASSAYS.items():
        if any(rows[index].get(column) is not None for index in own):
            return f"it has {found}"
    return "" if _flat(fluorescence[own]) else "its signal rises or falls"


def _flat(curves: NDArray[np.float64]) -> bool:
    """Whether no curve ends much higher or lower than it begins; both ends must have been measured."""
    ends = (curves[:, :_ENDS], curves[:, -_ENDS:])
    if any(not np.isfinite(end).any(axis=1).all() for end in ends):
        return False
    first, last = (np.nanmedian(end, axis=1) for end in ends)
    return bool(np.all((first > 0) & (last < _FLAT * first) & (first < _FLAT * last)))
