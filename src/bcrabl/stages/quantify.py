"""Cq and standard curve → copies of every reaction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.calibration import StandardCurve
from bcrabl.counting import copies_interval, copies_likelihood, line_of
from bcrabl.tables import Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from bcrabl.stages.calibrate import Calibration

    Array = NDArray[np.float64]

__all__ = ["no_later_than_one_molecule", "quantify"]

_LATEST = 4.0  # standard deviations; beyond, no number of molecules explains a Cq
_FEW_MOLECULES = 30.0  # as in bcrabl.counting: below, the sum over molecules

_COPIED = ("run_id", "well", "target", "role", "sample_id", "call", "cq", "excluded_why")
_OF_REVIEW = ("review", "review_action", "reviewed")


def quantify(
    reactions: Sequence[Row], calibrations: Mapping[str, Calibration], cq_limit: float | None = None
) -> list[Row]:
    """Rows of the copies table for the reactions of one run, with what scoring asks of a reaction.

    Parameters
    ----------
    reactions : rows of the cq table, with `excluded_why`.
    calibrations : by target; a target without one gets no copies.
    cq_limit : a Cq more than this many cycles beyond the intercept (the Cq of one copy) is no detection; None for no
        limit.

    Returns
    -------
    rows, with `call`, `curve_flags`, `above_range` and `bounded` (the curve's slope bounds the copies) beside the
    columns of the table.
    """
    rows = []
    for target in sorted({str(row["target"]) for row in reactions}):
        own = [row for row in reactions if row["target"] == target]
        rows += _quantify_target(own, calibrations.get(target), cq_limit)
    return rows


def _quantify_target(reactions: Sequence[Row], calibration: Calibration | None, cq_limit: float | None) -> list[Row]:
    rows = [{name: row[name] for name in _COPIED} | {"curve_flags": row["flags"]} for row in reactions]
    for row, reaction in zip(rows, reactions, strict=True):
        row |= {name: reaction[name] for name in _OF_REVIEW if name in reaction}
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
    reading = curve.read(cq)
    copies = np.where(detected, reading.copies, 0.0)
    low, high = _interval(curve, np.where(detected, cq, np.nan), reading.bounded)
    for k, row in enumerate(rows):
        found = bool(detected[k])
        unclear = row["call"] == "ambiguous"
        row |= {
            "detected": found,
            "copies": float(copies[k]),
            "copies_low": None if unclear else float(low[k]),
            "copies_high": None if unclear else float(high[k]),
            "within_range": bool(reading.within_range[k]) if found else None,
            "above_range": found and bool(copies[k] > curve.copies_high),
            "bounded": not found or bool(reading.bounded[k]),
            "excluded": bool(row["excluded_why"]),
        }
    return rows


def no_later_than_one_molecule(cq: Array, curve: StandardCurve) -> Array:
    """Cq as far as molecules explain them: one that comes later than one molecule's says no more than one molecule.

    Parameters
    ----------
    cq : cycles, any shape, NaN where undetected.
    curve : the target's.
    """
    spread = float(np.sqrt(curve.residual_sd**2 + curve.line_variance(0.0)))
    earlier: Array = np.minimum(cq, curve.intercept + _LATEST * spread)
    return earlier


def _interval(curve: StandardCurve, cq: Array, bounded: NDArray[np.bool_]) -> tuple[Array, Array]:
    """95 % limits of the expected copies of every reaction; an unbounded reading (Fieller) is 0 to infinity.

    Molecules are counted one by one where there are few; many read off the curve are normal on the log scale.
    """
    reading = curve.read(cq, counting=True)
    low, high = np.where(bounded, reading.low, 0.0), np.where(bounded, reading.high, np.inf)
    few = np.flatnonzero(~np.isfinite(cq) | (bounded & (reading.copies < _FEW_MOLECULES)))
    if few.size:
        counted = no_later_than_one_molecule(cq[few], curve)
        found = copies_interval(copies_likelihood(counted[:, None], line_of(curve)))
        low[few], high[few] = found.low, found.high
    return low, high
