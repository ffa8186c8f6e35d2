"""Curves → Cq, amplification call and quality of every reaction, target by target of each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bcrabl.curves import METHODS, CallLimits, CurveAnalysis, analyse_curves
from bcrabl.run import normalised
from bcrabl.tables import CQ, list_column, list_values

if TYPE_CHECKING:
    from bcrabl.standards import AssayProtocol

__all__ = ["fit_cq"]

_UNINHIBITED = ("std", "calibrator")  # what a clean reaction of the target looks like on this plate
_SCORES = tuple(name for name in CQ.schema.names if name.startswith("score_"))
_JOINT = ("shape_distance", "growth_ratio", "rise_ratio", "growth_z", "rise_z")
_QUALITY = {  # column: figure of CurveQuality
    "noise_sd": "noise_sd",
    "signal_to_noise": "signal_to_noise",
    "baseline_drift": "baseline_slope",
    "plateau_drift": "plateau_slope",
    "jump": "jump",
    "jump_cycle": "jump_cycle",
    "efficiency_z": "efficiency_z",
}
_WINDOW = ("cq_window_of_linearity", "cq_window_of_linearity_sd", "window_points", "mean_efficiency")
_COPIED = ("run_id", "well", "target", "dye", "role", "sample_id", "known_copies")


def fit_cq(curves: pa.Table, assay: AssayProtocol) -> pa.Table:
    """Analyse the curves of one run by its assay's rule.

    Parameters
    ----------
    curves : curves table of one run.
    assay : its protocol: Cq method, threshold and baseline.
    """
    if not curves.num_rows:
        return CQ.empty()
    names = np.array(curves["target"].to_pylist(), dtype=object)
    tables = [
        _fit_target(curves.take(np.flatnonzero(names == target)), assay) for target in sorted(set(names.tolist()))
    ]
    return pa.concat_tables(tables)


def _fit_target(curves: pa.Table, assay: AssayProtocol) -> pa.Table:
    cycles = list_values(curves["cycles"].slice(0, 1))[0]
    signal, stage = list_values(curves["fluorescence"]), curves["stage"][0].as_py()
    if assay.passive_reference != "ignored" and curves["passive_reference"].null_count == 0:
        signal = normalised(signal, list_values(curves["passive_reference"]))
    analysis = analyse_curves(
        cycles,
        signal,
        method=assay.cq_method,
        threshold=assay.threshold,
        baseline=assay.baseline,
        limits=CallLimits(**assay.call_limits),
        reference=[role in _UNINHIBITED for role in curves["role"].to_pylist()],
    )
    extra = ("baseline_subtracted_export",) if stage == "baseline_subtracted" else ()
    return CQ.from_columns({name: curves[name] for name in _COPIED} | _columns(analysis, assay.cq_method, extra))


def _columns(analysis: CurveAnalysis, method: str, extra_flags: tuple[str, ...]) -> dict[str, object]:
    return {
        "call": analysis.call,
        "why": analysis.why,
        "cq": analysis.cq,
        "cq_sd": analysis.cq_sd,
        "cq_method": [method] * len(analysis.cq),
        **{f"cq_{name}": getattr(analysis, f"cq_{name}") for name in METHODS},
        **{f"cq_{name}_sd": analysis.standard_errors[name] for name in METHODS},
        **_window_columns(analysis),
        "threshold": analysis.threshold,
        "baseline_start": analysis.baseline.start,
        "baseline_end": analysis.baseline.end,
        "baseline_intercept": analysis.baseline.intercept,
        "baseline_slope": analysis.baseline.slope,
        "plateau": np.where(analysis.call == "not_amplified", np.nan, analysis.plateau),
        "efficiency": analysis.efficiency,
        "n0": analysis.n0,
        **{name: getattr(analysis.joint, name) for name in _JOINT},
        **{name: getattr(analysis.scores, name.removeprefix("score_")) for name in _SCORES},
        **{name: getattr(analysis.quality, figure) for name, figure in _QUALITY.items()},
        "fit_parameters": list_column(analysis.parameters),
        "rss": analysis.rss,
        "flags": [list(flags + extra_flags) for flags in analysis.flags],
    }


def _window_columns(analysis: CurveAnalysis) -> dict[str, object]:
    has_cq, window = np.isfinite(analysis.cq_joint), analysis.window
    if window is None:
        return dict.fromkeys(_WINDOW, [None] * len(has_cq))
    found = has_cq & window.amplification
    columns = (
        np.where(found, window.cq, np.nan),
        np.where(found, analysis.standard_errors["window_of_linearity"], np.nan),
        np.where(has_cq, window.points, 0),
        np.where(found, window.mean_efficiency, np.nan),
    )
    return dict(zip(_WINDOW, columns, strict=True))
