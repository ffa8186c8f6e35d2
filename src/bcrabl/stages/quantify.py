"""Cq and standard curve → copies of every reaction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.tables import Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bcrabl.stages.calibrate import Calibration

__all__ = ["quantify"]

_COPIED = ("run_id", "well", "target", "role", "sample_id", "call", "cq", "excluded_why")


def quantify(
    reactions: Sequence[Row], calibrations: Mapping[str, Calibration], cq_limit: float | None = None
) -> list[Row]:
    """Rows of the copies table for the reactions of one run, with `call`, `curve_flags` and `above_range` for scoring.

    Parameters
    ----------
    reactions : rows of the cq table, with `excluded_why`.
    calibrations : by target; a target without one gets no copies.
    cq_limit : a Cq more than this many cycles beyond the intercept (the Cq of one copy) is no detection; None for no
        limit.
    """
    rows = []
    for target in sorted({str(row["target"]) for row in reactions}):
        own = [row for row in reactions if row["target"] == target]
        rows += _quantify_target(own, calibrations.get(target), cq_limit)
    return rows


def _quantify_target(reactions: Sequence[Row], calibration: Calibration | None, cq_limit: float | None) -> list[Row]:
    rows = [{name: row[name] for name in _COPIED} | {"curve_flags": row["flags"]} for row in reactions]
    amplified = [row["call"] == "amplified" and row["cq"] is not None for row in reactions]
    if calibration is None or calibration.curve is None:
        reason = "target is not in the assay protocol" if calibration is None else "no standard curve"
        for row, found in zip(rows, amplified, strict=True):
            row |= {
                "detected": found,
                "within_range": None,
                "excluded": True,
                "excluded_why": row["excluded_why"] or reason,
            }
        return rows
    curve = calibration.curve
    cq = np.array([math.nan if row["cq"] is None else float(row["cq"]) for row in reactions])
    limit = math.inf if cq_limit is None else curve.intercept + cq_limit
    detected = np.array(amplified) & (cq <= limit)
    copies, low, high = (np.where(detected, values, 0.0) for values in curve.copies(cq))
    within = (copies >= curve.copies_low) & (copies <= curve.copies_high)
    for k, row in enumerate(rows):
        found = bool(detected[k])
        row |= {
            "detected": found,
            "copies": float(copies[k]),
            "copies_low": float(low[k]) if found else None,
            "copies_high": float(high[k]) if found else None,
            "within_range": bool(within[k]) if found else None,
            "above_range": found and bool(copies[k] > curve.copies_high),
            "excluded": bool(row["excluded_why"]),
        }
    return rows
