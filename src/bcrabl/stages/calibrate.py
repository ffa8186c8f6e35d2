"""Cq of the standards → standard curve of each target of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bcrabl.calibration import (
    LackOfFit,
    MissedStandards,
    OutlierTest,
    PolynomialCheck,
    PooledCurve,
    StandardCurve,
    check_linearity,
    fit_standard_curve,
    lack_of_fit,
    missed_standards,
    outlying_standards,
)
from bcrabl.errors import CalibrationError, Problem
from bcrabl.tables import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bcrabl.standards import AssayProtocol

__all__ = ["SIGNIFICANCE", "Calibration", "LineTests", "calibrate", "missed_in_words", "outlier_in_words"]

SIGNIFICANCE = 0.01
"""Below this p a test of a curve asks for a look. No guideline sets one: of a hundred good curves one is looked at."""


@dataclass(frozen=True)
class LineTests:
    """What tests say of a curve and its standards; nothing is dropped for it.

    Parameters
    ----------
    lack_of_fit, linearity : of the line.
    outlying : wells whose Cq does not fit, with the test, most striking first.
    missed : levels with undetected standards.
    """

    lack_of_fit: LackOfFit
    linearity: PolynomialCheck
    outlying: tuple[tuple[str, OutlierTest], ...]
    missed: tuple[MissedStandards, ...]


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
    tests : of the run's own curve; None without one.
    pooling : how the run compares with earlier ones; None where it was not compared.
    """

    target: str
    curve: StandardCurve | None
    why: str
    used: tuple[Row, ...]
    left_out: tuple[tuple[str, str], ...]
    tests: LineTests | None = None
    pooling: PooledCurve | None = None

    @property
    def own_curve(self) -> StandardCurve | None:
        """The curve of this run alone, which acceptance looks at."""
        return self.curve if self.pooling is None else self.pooling.own

    @property
    def pooled(self) -> bool:
        """Whether `curve` is pooled with earlier runs."""
        return self.pooling is not None and self.curve is self.pooling.curve

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
        if self.curve is None or self.tests is None:
            return row
        return row | _curve_columns(self.curve) | _test_columns(self.tests) | self._own_columns()

    def _own_columns(self) -> Row:
        own, pooling = self.own_curve, self.pooling
        return {
            "own_slope": own.slope if own else None,
            "own_intercept": own.intercept if own else None,
            "pooled_runs": pooling.runs if pooling else 0,
            "pooling_p": pooling.p_value if pooling else None,
        }


def calibrate(reactions: Sequence[Row], assay: AssayProtocol) -> dict[str, Calibration]:
    """The calibrations of a run, by target.

    Parameters
    ----------
    reactions : rows of the cq table of one run; those with `excluded_why` set take no part.
    assay : its protocol, for targets, weighting and stock of the standards.
    """
    targets = (assay.fusion.name, assay.control.name)
    return {
        target: _calibrate_target(target, [row for row in reactions if row["target"] == target], assay)
        for target in targets
    }


def _calibrate_target(target: str, reactions: Sequence[Row], assay: AssayProtocol) -> Calibration:
    standards = [row for row in reactions if row["role"] == "std"]
    reasons = [(row, _reason_to_leave_out(row)) for row in standards]
    used = tuple(row for row, reason in reasons if not reason)
    left_out = tuple((str(row["well"]), reason) for row, reason in reasons if reason)
    try:
        if not standards:
            raise CalibrationError(_no_standards(target, reactions))
        curve = fit_standard_curve(
            [row["cq"] for row in used],
            [row["known_copies"] for row in used],
            weighting=assay.weighting,
            calibrator_relative_sd=assay.stock_relative_sd,
        )
    except CalibrationError as error:
        return Calibration(target, None, str(error), used, left_out)
    return Calibration(target, curve, "", used, left_out, _tests(curve, used, standards))


def _tests(curve: StandardCurve, used: Sequence[Row], standards: Sequence[Row]) -> LineTests:
    cq, copies = [row["cq"] for row in used], [row["known_copies"] for row in used]
    outlying = outlying_standards(curve, cq, copies, significance=SIGNIFICANCE)
    tested = [row for row in standards if not row["excluded_why"] and _is_amount(row["known_copies"])]
    return LineTests(
        lack_of_fit(curve, cq, copies),
        check_linearity(curve, cq, copies),
        tuple((str(used[test.index]["well"]), test) for test in outlying),
        missed_standards(
            [row["known_copies"] for row in tested],
            [row["call"] == "amplified" and row["cq"] is not None for row in tested],
        ),
    )


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
    if not _is_amount(row["known_copies"]):
        return f"{row['known_copies']:g} known copies; a standard holds a positive number"
    if row["call"] != "amplified":
        return f"{row['call']}: {row['why']}"
    return "" if row["cq"] is not None else "no Cq"


def _is_amount(copies: float | None) -> bool:
    return copies is not None and 0 < copies < math.inf


def _curve_columns(curve: StandardCurve) -> Row:
    return {
        "slope": curve.slope,
        "intercept": curve.intercept,
        "slope_variance": float(curve.covariance[1, 1]),
        "intercept_variance": float(curve.covariance[0, 0]),
        "slope_intercept_covariance": float(curve.covariance[0, 1]),
        "residual_sd": curve.residual_sd,
        "degrees_of_freedom": curve.degrees_of_freedom,
        "weighting": curve.weighting,
        "r_squared": curve.r_squared,
        "efficiency": curve.efficiency,
        "copies_low": curve.copies_low,
        "copies_high": curve.copies_high,
    }


def _test_columns(tests: LineTests) -> Row:
    bends = tests.linearity.degree > 1
    return {
        "lack_of_fit_p": tests.lack_of_fit.p_value,
        "linearity_deviation_percent": tests.linearity.largest_deviation_percent if bends else None,
        "linearity_p": tests.linearity.p_value,
        "outlying_standards": [f"{well}: {outlier_in_words(test)}" for well, test in tests.outlying],
        "missed_standards": [missed_in_words(level) for level in tests.missed],
    }


def outlier_in_words(test: OutlierTest) -> str:
    """The test of a standard, with statistic and p."""
    return f"{test.test} {test.statistic:.3g}, p {test.p_value:.2g}"


def missed_in_words(level: MissedStandards) -> str:
    """How many standards of a level were missed, and how likely that is by chance."""
    return f"{level.copies:g} copies: {level.missed} of {level.total} not detected, p {level.p_value:.2g}"
