"""Curves → Cq, amplification call and quality of every reaction, target by target of each run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from bcrabl.curves import CurveAnalysis, analyse_curves
from bcrabl.run import normalised
from bcrabl.tables import CQ, list_column, list_values

if TYPE_CHECKING:
    from bcrabl.standards import AssayProtocol

__all__ = ["fit_cq"]

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
        cycles, signal, method=assay.cq_method, threshold=assay.threshold, baseline=assay.baseline
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
        "cq_threshold": analysis.cq_threshold,
        "cq_second_derivative": analysis.cq_second_derivative,
        "cq_first_derivative": analysis.cq_first_derivative,
        "cq_cy0": analysis.cq_cy0,
        "threshold": analysis.threshold,
        "baseline_start": analysis.baseline.start,
        "baseline_end": analysis.baseline.end,
        "baseline_intercept": analysis.baseline.intercept,
        "baseline_slope": analysis.baseline.slope,
        "plateau": analysis.plateau,
        "efficiency": analysis.efficiency,
        "n0": analysis.n0,
        "signal_to_noise": analysis.scores.rise_per_noise,
        "fit_parameters": list_column(analysis.parameters),
        "rss": analysis.rss,
        "flags": [list(flags + extra_flags) for flags in analysis.flags],
    }
