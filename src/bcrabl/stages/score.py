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
from bcrabl.review_sheet import EXCLUDE
from bcrabl.scale import SampleScore, counted_replicates, score_sample
from bcrabl.stages.intervals import FoundLimits, Replicates, limits_of_samples
from bcrabl.tables import Row

if TYPE_CHECKING:
    from bcrabl.stages.calibrate import Calibration
    from bcrabl.standards import AssayProtocol, ResponseRules

__all__ = ["Scoring", "score_samples"]

_UNLIKELY = 0.001
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
    by_name: dict[str, list[Row]] = {name: [] for name in sorted({str(row["sample_id"]) for row in scored})}
    for row in scored:
        by_name[str(row["sample_id"])].append(row)
    samples = [_Sample(name, reactions, scoring) for name, reactions in by_name.items()]
    measured = [sample for sample in samples if sample.fusion]
    replicates = [sample.replicates for sample in measured]
    limits = limits_of_samples(replicates, calibrations, scoring.assay, scoring.rules)
    found = {sample.name: each for sample, each in zip(measured, limits, strict=True)}
    return [_score(sample, found.get(sample.name)) for sample in samples]


class _Sample:
    """The reactions of one sample and what is known of it."""

    def __init__(self, name: str, reactions: Sequence[Row], scoring: Scoring) -> None:
        assay = scoring.assay
        self.name, self.reactions, self.scoring = name, reactions, scoring
        self.role = str(reactions[0]["role"])
        self.sheet = scoring.samples.get(name, _NO_SAMPLE)
        self.on_scale = self.role != "unkn" or self.sheet.transcript in (*scoring.rules.transcripts_on_scale, "unknown")
        self.factor = scoring.factor if self.on_scale else None
        self.fusion, self.control = (_counted(reactions, target) for target in (assay.fusion.name, assay.control.name))

    @property
    def replicates(self) -> Replicates:
        """Those that the rule for weak control gene replicates lets count."""
        assay = self.scoring.assay
        floor = self.scoring.rules.replicate_minimum.get(assay.control.name, 0.0)
        copies = [float(row["copies"]) for row in self.control]
        counted, strong = counted_replicates(len(self.fusion), copies, floor, assay.below_replicate_minimum)
        return Replicates(
            [row for row, counts in zip(self.fusion, counted.tolist(), strict=True) if counts],
            [row for row, counts in zip(self.control, strong.tolist(), strict=True) if counts],
            self.factor,
        )


def _score(sample: _Sample, found: FoundLimits | None) -> Row:
    scoring, assay, factor = sample.scoring, sample.scoring.assay, sample.factor
    flags = [*_identity_flags(sample), *_reaction_flags(sample.reactions, scoring)]
    row = _identity(sample) | {
        "flags": flags,
        "evaluable": False,
        "lod_copies": assay.lod_copies,
        "loq_copies": assay.loq_copies,
    }
    if found is None:
        flags.append("no_bcr_abl_reaction")
        return row
    score = score_sample(
        [float(reaction["copies"]) for reaction in sample.fusion],
        [float(reaction["copies"]) for reaction in sample.control],
        conversion_factor=factor.factor if factor else None,
        control_gene=assay.control.name,
        rules=scoring.rules,
        three_copy_rule=assay.three_copy_rule,
        below_replicate_minimum=assay.below_replicate_minimum,
        minimum_copies=assay.minimum_copies,
        lod_copies=assay.lod_copies,
        limits=found.limits,
    )
    flags += [*score.notes, *found.notes]
    if assay.loq_copies is not None and 0 < score.bcr_abl_copies < assay.loq_copies * score.replicates:
        flags.append("below_limit_of_quantification")
    if not score.evaluable:
        flags.append("control_gene_low" if sample.control else "no_control_gene")
    if _saturated(score, assay):
        flags.append("ratio_saturated")
    return row | _score_columns(score, sample.on_scale, len(sample.control)) | _factor_columns(factor)


def _saturated(score: SampleScore, assay: AssayProtocol) -> bool:
    """Whether the control gene's primers find so much BCR::ABL1 that the ratio is too low."""
    value = score.ratio_percent if score.is_percent != score.is_percent else score.is_percent
    return assay.saturation_percent is not None and value > assay.saturation_percent


def _counted(reactions: Sequence[Row], target: str) -> list[Row]:
    return [row for row in reactions if row["target"] == target and not row["excluded"]]


def _identity(of: _Sample) -> Row:
    scoring, sample = of.scoring, of.sheet
    return {
        "run_id": scoring.run.run_id,
        "sample_id": of.name,
        "role": of.role,
        "patient_id": sample.patient_id or None,
        "collection_date": date.fromisoformat(sample.collection_date) if sample.collection_date else None,
        "run_date": scoring.run_date,
        "transcript": sample.transcript,
        "material": sample.material,
        "assay": scoring.run.assay,
        "control_gene": scoring.assay.control.name,
    }


def _identity_flags(sample: _Sample) -> list[str]:
    flags = []
    if sample.role == "unkn":
        if sample.name not in sample.scoring.samples:
            flags.append("not_in_sample_sheet")
        elif sample.sheet.transcript == "unknown":
            flags.append("transcript_unknown")
    if not sample.on_scale:
        flags.append("not_on_international_scale")
    elif sample.factor is None:
        flags.append("no_valid_conversion_factor" if sample.scoring.run_date else "no_run_date")
    return flags


def _reaction_flags(reactions: Sequence[Row], scoring: Scoring) -> list[str]:
    own = [row for row in reactions if row["target"] in (scoring.assay.fusion.name, scoring.assay.control.name)]
    flags = _review_flags(own)
    if any(row["call"] == "ambiguous" for row in own):
        flags.append("ambiguous_call")
    if any("inhibition_suspected" in row["curve_flags"] for row in own if not row["excluded"]):
        flags.append("inhibition_suspected")
    if any(row["call"] == "amplified" and not row["detected"] and not row["excluded"] for row in own):
        flags.append("late_cq")
    if any(
        _unlikely_dropout([row for row in own if row["target"] == target]) for target in {row["target"] for row in own}
    ):
        flags.append("unlikely_dropout")
    outside = [row for row in own if row["within_range"] is False]
    if any(row["above_range"] for row in outside):
        flags.append("beyond_calibrated_range")
    elif outside:
        flags.append("below_lowest_standard")
    genes = set(scoring.rules.replicate_minimum) - {scoring.assay.control.name}
    if any(row["target"] in genes for row in reactions):
        flags.append("mixed_control_genes")
    if len({row["role"] for row in reactions}) > 1:
        flags.append("mixed_roles")
    return flags


def _unlikely_dropout(reactions: Sequence[Row]) -> bool:
    """Whether chance explains badly that a reaction holds no molecule beside others that hold so many."""
    counted = [row for row in reactions if not row["excluded"] and row["call"] != "ambiguous"]
    found = [float(row["copies"]) for row in counted if row["detected"]]
    empty = len(counted) - len(found)
    return bool(found and empty) and math.exp(-empty * sum(found) / len(found)) < _UNLIKELY


def _review_flags(reactions: Sequence[Row]) -> list[str]:
    """Whether reactions were left out or reviewed; one that a person excluded has been looked at."""
    left_out = any(row["excluded"] and row.get("review_action") != EXCLUDE for row in reactions)
    return ["reaction_excluded"] * left_out + ["reviewed"] * any(row.get("reviewed") for row in reactions)


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
        "ratio_percent_uncensored": score.ratio_percent_uncensored,
        "ratio_low": score.ratio_low,
        "ratio_high": score.ratio_high,
        "is_percent": score.is_percent,
        "is_percent_uncensored": score.is_percent_uncensored,
        "is_low": score.is_low,
        "is_high": score.is_high,
        "detected": score.detected,
        "response_class": score.response_class if on_scale else None,
        "class_probabilities": score.class_probabilities or None,
        "sensitivity_percent": score.sensitivity_percent,
        "sensitivity_mr": score.sensitivity_mr,
        "excluded_percent": score.excluded_percent,
        "excluded_mr": score.excluded_mr,
        "sensitivity_class": score.sensitivity_class if on_scale else None,
        "evaluable": score.evaluable,
    }


def _factor_columns(factor: sheets.ConversionFactorRow | None) -> Row:
    if factor is None:
        return {}
    return {"conversion_factor": factor.factor, "conversion_factor_id": factor.identifier}
