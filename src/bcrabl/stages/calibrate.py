"""Cq of the standards → standard curve of each target of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bcrabl.calibration import StandardCurve, fit_standard_curve
from bcrabl.errors import CalibrationError, Problem
from bcrabl.tables import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bcrabl.standards import AssayProtocol

__all__ = ["Calibration", "calibrate"]


@dataclass(frozen=True)
class Calibration:
    """The standard curve of one target, or why there is none.

    Parameters
    ----------
    target : its name.
    curve : None where the standards make no curve.
    why : the reason then; empty otherwise.
    used : standard reactions that took part.
    left_out : wells of standards that did not, each with the reason.
    """

    target: str
    curve: StandardCurve | None
    why: str
    used: tuple[Row, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def levels(self) -> list[float]:
        """Distinct levels used, rising, copies/reaction."""
        return sorted({float(row["known_copies"]) for row in self.used})

    def as_row(self, run_id: str, accepted: bool, why: str) -> Row:
        """The row of the standard_curves table."""
        row: Row = {
            "run_id": run_id,
            "target": self.target,
            "levels": len(self.levels),
            "points": len(self.used),
            "points_used": [str(row["well"]) for row in self.used],
            "points_left_out": [f"{well}: {reason}" for well, reason in self.left_out],
            "accepted": accepted,
            "why": self.why or why,
        }
        return row | (_curve_columns(self.curve) if self.curve else {})


def calibrate(reactions: Sequence[Row], assay: AssayProtocol) -> dict[str, Calibration]:
    """The calibrations of a run, by target.

    Parameters
    ----------
    reactions : rows of the cq table of one run; those with `excluded_why` set take no part.
    assay : its protocol, for the targets.
    """
    targets = (assay.fusion.name, assay.control.name)
    return {
        target: _calibrate_target(target, [row for row in reactions if row["target"] == target]) for target in targets
    }


def _calibrate_target(target: str, reactions: Sequence[Row]) -> Calibration:
    standards = [row for row in reactions if row["role"] == "std"]
    reasons = [(row, _reason_to_leave_out(row)) for row in standards]
    used = tuple(row for row, reason in reasons if not reason)
    left_out = tuple((str(row["well"]), reason) for row, reason in reasons if reason)
    try:
        if not standards:
            raise CalibrationError(_no_standards(target, reactions))
        curve = fit_standard_curve([row["cq"] for row in used], [row["known_copies"] for row in used])
    except CalibrationError as error:
        return Calibration(target, None, str(error), used, left_out)
    return Calibration(target, curve, "", used, left_out)


def _no_standards(target: str, reactions: Sequence[Row]) -> Problem:
    where = f"standards of {target}"
    remedy = "Mark them with role std and known_copies in the export or the layout sheet."
    if not reactions:
        return Problem(where, "no reaction of this target", "standards and samples", "Check names against the assay's.")
    return Problem(where, "none", "standards of at least two levels", remedy)


def _reason_to_leave_out(row: Row) -> str:
    if row["excluded_why"]:
        return str(row["excluded_why"])
    if row["known_copies"] is None:
        return "no known copies"
    if row["call"] != "amplified":
        return f"{row['call']}: {row['why']}"
    return "" if row["cq"] is not None else "no Cq"


def _curve_columns(curve: StandardCurve) -> Row:
    return {
        "slope": curve.slope,
        "intercept": curve.intercept,
        "slope_variance": float(curve.covariance[1, 1]),
        "intercept_variance": float(curve.covariance[0, 0]),
        "slope_intercept_covariance": float(curve.covariance[0, 1]),
        "residual_sd": curve.residual_sd,
        "r_squared": curve.r_squared,
        "efficiency": curve.efficiency,
        "copies_low": curve.copies_low,
        "copies_high": curve.copies_high,
    }
