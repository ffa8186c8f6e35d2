"""Copies, sample sheet and conversion factors → one scored row per sample of a run.

The outcome (report, review, repeat) is not decided here but by acceptance, which sees the whole run.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from bcrabl import sheets
from bcrabl.scale import SampleScore, score_sample
from bcrabl.tables import Row

if TYPE_CHECKING:
    from bcrabl.stages.calibrate import Calibration
    from bcrabl.standards import AssayProtocol, ResponseRules

__all__ = ["Scoring", "score_samples"]

_SCORED_ROLES = ("unkn", "pos", "calibrator")
_NO_SAMPLE = sheets.SampleRow(sample_id="", patient_id="")


@dataclass(frozen=True)
class Scoring:
    """What scoring a run needs besides its copies.

    Parameters
    ----------
    run : its row of the run sheet.
    run_date : day of the run; None where neither sheet nor raw file says.
    assay, rules : protocol and response classes.
    samples : sample sheet by sample id.
    factors : conversion factors.
    """

    run: sheets.RunRow
    run_date: date | None
    assay: AssayProtocol
    rules: ResponseRules
    samples: Mapping[str, sheets.SampleRow]
    factors: Sequence[sheets.ConversionFactorRow]

    @property
    def factor(self) -> sheets.ConversionFactorRow | None:
        """The conversion factor that holds for this run, or None: never a silent 1."""
        day = self.run_date.isoformat() if self.run_date else None
        gene = self.assay.control.name
        return sheets.conversion_factor_for(self.factors, self.run.site, self.run.assay, gene, day)


def score_samples(copies: Sequence[Row], calibrations: Mapping[str, Calibration], scoring: Scoring) -> list[Row]:
    """Rows of the results table for every sample of a run, without outcome.

    Parameters
    ----------
    copies : rows of the copies table of the run.
    calibrations : of its targets.
    scoring : sheets and protocol.
    """
    scored = [row for row in copies if row["role"] in _SCORED_ROLES and row["sample_id"]]
    names = sorted({str(row["sample_id"]) for row in scored})
    return [_score(name, [row for row in scored if row["sample_id"] == name], calibrations, scoring) for name in names]


def _score(name: str, reactions: Sequence[Row], calibrations: Mapping[str, Calibration], scoring: Scoring) -> Row:
    assay = scoring.assay
    fusion, control = (_counted(reactions, target) for target in (assay.fusion.name, assay.control.name))
    role = str(reactions[0]["role"])
    sample = scoring.samples.get(name, _NO_SAMPLE)
    on_scale = role != "unkn" or sample.transcript in (*scoring.rules.transcripts_on_scale, "unknown")
    factor = scoring.factor if on_scale else None
    flags = [*_identity_flags(name, role, on_scale, scoring), *_reaction_flags(reactions, scoring)]
    row = _identity(name, role, sample, scoring) | {"flags": flags, "evaluable": False, "lod_copies": assay.lod_copies}
    if not fusion:
        flags.append("no_bcr_abl_reaction")
        return row
    score = score_sample(
        [float(reaction["copies"]) for reaction in fusion],
        [float(reaction["copies"]) for reaction in control],
        conversion_factor=factor.factor if factor else None,
        control_gene=assay.control.name,
        rules=scoring.rules,
        three_copy_rule=assay.three_copy_rule,
        below_replicate_minimum=assay.below_replicate_minimum,
        minimum_copies=assay.minimum_copies,
        factor_interval=_interval(factor),
        calibration_log10_sd=(
            _log10_sd(fusion, calibrations[assay.fusion.name]),
            _log10_sd(control, calibrations[assay.control.name]),
        ),
    )
    flags += score.notes
    if not score.evaluable:
        flags.append("control_gene_low" if control else "no_control_gene")
    return row | _score_columns(score, on_scale, len(control)) | _factor_columns(factor)


def _counted(reactions: Sequence[Row], target: str) -> list[Row]:
    return [row for row in reactions if row["target"] == target and not row["excluded"]]


def _identity(name: str, role: str, sample: sheets.SampleRow, scoring: Scoring) -> Row:
    return {
        "run_id": scoring.run.run_id,
        "sample_id": name,
        "role": role,
        "patient_id": sample.patient_id or None,
        "collection_date": date.fromisoformat(sample.collection_date) if sample.collection_date else None,
        "run_date": scoring.run_date,
        "transcript": sample.transcript,
        "material": sample.material,
        "assay": scoring.run.assay,
        "control_gene": scoring.assay.control.name,
    }


def _identity_flags(name: str, role: str, on_scale: bool, scoring: Scoring) -> list[str]:
    flags = []
    if role == "unkn":
        if name not in scoring.samples:
            flags.append("not_in_sample_sheet")
        elif scoring.samples[name].transcript == "unknown":
            flags.append("transcript_unknown")
    if not on_scale:
        flags.append("not_on_international_scale")
    elif scoring.factor is None:
        flags.append("no_valid_conversion_factor" if scoring.run_date else "no_run_date")
    return flags


def _reaction_flags(reactions: Sequence[Row], scoring: Scoring) -> list[str]:
    flags = []
    own = [row for row in reactions if row["target"] in (scoring.assay.fusion.name, scoring.assay.control.name)]
    if any(row["call"] == "ambiguous" for row in own):
        flags.append("ambiguous_call")
    if any(row["excluded"] for row in own):
        flags.append("reaction_excluded")
    if any("inhibition_suspected" in row["curve_flags"] for row in own if not row["excluded"]):
        flags.append("inhibition_suspected")
    outside = [row for row in own if row["within_range"] is False]
    if any(row["above_range"] for row in outside):
        flags.append("beyond_calibrated_range")
    elif outside:
        flags.append("below_lowest_standard")
    if len({row["role"] for row in reactions}) > 1:
        flags.append("mixed_roles")
    return flags


def _interval(factor: sheets.ConversionFactorRow | None) -> tuple[float, float] | None:
    if factor is None or factor.factor_low is None or factor.factor_high is None:
        return None
    return factor.factor_low, factor.factor_high


def _log10_sd(reactions: Sequence[Row], calibration: Calibration) -> float:
    """Standard error, log10, of the sum of the detected copies: the shared line and each reaction's repeatability."""
    found = [float(row["cq"]) for row in reactions if row["detected"]]
    if not found or calibration.curve is None:
        return 0.0
    curve = calibration.curve
    shared = float(curve.shared_log10_copies_sd(sum(found) / len(found)))
    repeatability = curve.residual_sd / abs(curve.slope) / math.sqrt(len(found))
    return math.hypot(shared, repeatability)


def _score_columns(score: SampleScore, on_scale: bool, control_replicates: int) -> Row:
    return {
        "replicates": score.replicates,
        "detected_replicates": score.detected_replicates,
        "control_replicates": control_replicates,
        "bcr_abl_copies": score.bcr_abl_copies,
        "bcr_abl_copies_scored": score.bcr_abl_copies_scored,
        "control_copies": score.control_copies,
        "control_copies_lowest": score.control_copies_lowest,
        "ratio_percent": score.ratio_percent,
        "ratio_low": score.ratio_low,
        "ratio_high": score.ratio_high,
        "is_percent": score.is_percent,
        "is_low": score.is_low,
        "is_high": score.is_high,
        "detected": score.detected,
        "response_class": score.response_class if on_scale else None,
        "sensitivity_percent": score.sensitivity_percent,
        "sensitivity_class": score.sensitivity_class if on_scale else None,
        "evaluable": score.evaluable,
    }


def _factor_columns(factor: sheets.ConversionFactorRow | None) -> Row:
    if factor is None:
        return {}
    return {"conversion_factor": factor.factor, "conversion_factor_id": factor.identifier}
