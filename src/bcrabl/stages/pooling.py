"""The calibrations of a run, drawn towards those of the last accepted runs like it, where the protocol asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bcrabl.acceptance import Check, finding, judge_p_value
from bcrabl.calibration import pool_standard_curves
from bcrabl.calibration.pooling import LEAST_EARLIER_RUNS
from bcrabl.errors import CalibrationError
from bcrabl.stages.calibrate import SIGNIFICANCE

if TYPE_CHECKING:
    from bcrabl.stages.calibrate import Calibration
    from bcrabl.standards import AssayProtocol

__all__ = ["check_pooling", "pool_calibrations"]


def pool_calibrations(
    calibrations: Mapping[str, Calibration], earlier: Sequence[Mapping[str, Calibration]], assay: AssayProtocol
) -> dict[str, Calibration]:
    """The calibrations with pooled curves, where there are enough earlier runs.

    Parameters
    ----------
    calibrations : of this run, by target.
    earlier : of accepted runs of the same site, assay and instrument, oldest first; unpooled.
    assay : for the number of runs to look back at; 0 = none.

    Notes
    -----
    A run that does not belong to the earlier ones keeps its own curve; so does one with too few before it.
    """
    return {target: _pooled(target, own, earlier, assay.pooled_runs) for target, own in calibrations.items()}


def _pooled(
    target: str, calibration: Calibration, earlier: Sequence[Mapping[str, Calibration]], runs: int
) -> Calibration:
    curves = [run[target].curve for run in earlier][-runs:] if runs else []
    if calibration.curve is None or not curves:
        return calibration
    try:
        pooling = pool_standard_curves(calibration.curve, [curve for curve in curves if curve is not None])
    except CalibrationError:  # too few runs, or standards without scatter: the run's own curve is the one to use
        return calibration
    belongs = pooling.belongs(SIGNIFICANCE)
    return replace(calibration, curve=pooling.curve if belongs else calibration.curve, pooling=pooling)


def check_pooling(calibrations: Mapping[str, Calibration], assay: AssayProtocol) -> list[Check]:
    """Whether this run belongs to those its curves were to be pooled with."""
    checks: list[Check | None] = []
    for target, calibration in calibrations.items():
        if calibration.pooling is None and assay.pooled_runs and calibration.curve is not None:
            message = f"fewer than {LEAST_EARLIER_RUNS} accepted runs like it before it: it has its own curve"
            checks.append(finding("pooling", "pass", message, target=target))
        if calibration.pooling is not None:
            used = "pooled" if calibration.pooled else "does not belong to them and keeps its own curve"
            message = f"this run against {calibration.pooling.runs} earlier ones: {used}"
            checks.append(judge_p_value("pooling", calibration.pooling.p_value, message, SIGNIFICANCE, target=target))
    return [check for check in checks if check is not None]
