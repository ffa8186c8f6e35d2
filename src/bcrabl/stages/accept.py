"""Everything found about a run, held against the assay protocol: the qc table, and the outcome of every sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from bcrabl.acceptance import Check, finding, judge, judge_p_value, sample_outcome, worst
from bcrabl.calibration import compare_slopes
from bcrabl.stages.calibrate import SIGNIFICANCE, missed_in_words, outlier_in_words
from bcrabl.tables import Row

if TYPE_CHECKING:
    from bcrabl.stages.calibrate import Calibration, LineTests
    from bcrabl.standards import AssayProtocol

__all__ = [
    "check_controls",
    "check_parallelism",
    "check_reading",
    "check_samples",
    "check_target",
    "concluded",
    "qc_rows",
]

_BLANK_ROLES = ("ntc", "nac", "nrt", "neg")
_NOT_WORTH_A_REVIEW = (
    "below_limit_of_quantification",
    "below_lowest_standard",
    "ratio_saturated",
    "reviewed",
    "three_copy_rule_applied",
)


def check_reading(reactions: Sequence[Row], assay: AssayProtocol) -> list[Check]:
    """What reading and annotating a run left to be noticed: contradictions, stray targets, stage of the signal.

    Parameters
    ----------
    reactions : rows of the run with `target`, `well`, `role`, `sample_id`, `stage`, `has_passive_reference`,
        `layout_overrides`, `excluded_why`.
    assay : its protocol.
    """
    checks = []
    for row in reactions:
        place = {"target": str(row["target"]), "well": str(row["well"])}
        for override in _texts(row["layout_overrides"]):
            checks.append(
                finding("layout_contradiction", "warn", f"{override}; the layout sheet was followed", **place)
            )
        if row["role"] in ("unkn", "pos") and not row["sample_id"]:
            checks.append(finding("sample_name", "warn", "a reaction without a sample name is in no result", **place))
        if row["excluded_why"]:
            checks.append(finding("reaction_excluded", "warn", str(row["excluded_why"]), **place))
    known = {target.name for target in assay.targets}
    for target in sorted({str(row["target"]) for row in reactions} - known):
        checks.append(finding("unknown_target", "warn", f"not in protocol {assay.id}; takes no part", target=target))
    return checks + _check_signal(reactions, assay)


def _check_signal(reactions: Sequence[Row], assay: AssayProtocol) -> list[Check]:
    stages = {str(row["stage"]) for row in reactions}
    checks = []
    if "baseline_subtracted" in stages:
        checks.append(finding("signal_stage", "warn", "the export holds baseline-subtracted signal only"))
    normalised = all(row["has_passive_reference"] or row["stage"] == "normalised" for row in reactions)
    if assay.passive_reference == "required" and not normalised:
        message = f"the threshold of {assay.id} is a level of Rn, but the export holds no passive reference"
        checks.append(finding("passive_reference", "fail", message))
    return checks


def check_target(calibration: Calibration, reactions: Sequence[Row], assay: AssayProtocol) -> list[Check]:
    """Standard curve and blanks of one target.

    Parameters
    ----------
    calibration : of the target.
    reactions : rows of the cq table of this target.
    assay : the protocol.
    """
    target = calibration.target
    checks = _check_blanks(target, reactions, assay)
    for well, reason in calibration.left_out:
        checks.append(finding("standard_left_out", "warn", reason, target=target, well=well))
    curve = calibration.own_curve
    if curve is None:
        return [*checks, finding("standard_curve", "fail", calibration.why, target=target)]
    values = {
        "slope": (curve.slope, "cycles/decade"),
        "r_squared": (curve.r_squared, ""),
        "efficiency": (curve.efficiency, ""),
    }
    for check, (value, unit) in values.items():
        checks += [judge(check, value, window, unit, target=target) for window in assay.acceptance[check]]
    if calibration.tests is not None:
        checks += _check_line(calibration.tests, target)
    return checks + _check_slope_is_known(calibration, target) + _check_levels(calibration, reactions, assay)


def _check_line(tests: LineTests, target: str) -> list[Check]:
    """What the tests of the curve say. No guideline sets a window for them, so that none fails a run."""
    linearity = tests.linearity
    bend = f"the line reads {linearity.largest_deviation_percent:+.3g} % at {linearity.at_copies:g} copies"
    checks = [
        judge_p_value("lack_of_fit", tests.lack_of_fit.p_value, "levels against the line", SIGNIFICANCE, target=target),
        judge_p_value("linearity", linearity.p_value, bend, SIGNIFICANCE, target=target),
    ]
    for well, test in tests.outlying:
        message = f"{outlier_in_words(test)}; our limit {SIGNIFICANCE:g}; kept in the curve"
        checks.append(finding("outlying_standard", "warn", message, target=target, well=well))
    for level in tests.missed:
        unlikely = level.p_value < SIGNIFICANCE
        message = f"{missed_in_words(level)}; our limit {SIGNIFICANCE:g}"
        checks.append(finding("missed_standards", "warn" if unlikely else "pass", message, target=target))
    return [check for check in checks if check is not None]


def _check_slope_is_known(calibration: Calibration, target: str) -> list[Check]:
    curve = calibration.curve
    if curve is None or bool(curve.read(curve.intercept + curve.slope * curve.mean_log10_copies).bounded):
        return []
    message = "the slope does not differ from 0 with 95 %: copies read off this curve have no bounds (Fieller)"
    return [finding("slope_uncertain", "warn", message, target=target)]


def check_parallelism(calibrations: Mapping[str, Calibration], assay: AssayProtocol) -> list[Check]:
    """Whether fusion gene and control gene amplify alike: the difference of their slopes."""
    curves = [calibrations[target.name].own_curve for target in assay.targets]
    if curves[0] is None or curves[1] is None:
        return []
    found = compare_slopes(curves[0], curves[1])
    message = (
        f"slopes differ by {found.difference:.3g} cycles/decade (95 %: {found.low:.3g} to {found.high:.3g}), "
        f"{assay.fusion.name} less {assay.control.name}"
    )
    check = judge_p_value("parallelism", found.p_value, message, SIGNIFICANCE)
    return [] if check is None else [check]


def _check_blanks(target: str, reactions: Sequence[Row], assay: AssayProtocol) -> list[Check]:
    blanks = [row for row in reactions if row["role"] in _BLANK_ROLES and not row["excluded_why"]]
    if not blanks:
        return [finding("blanks", "warn", "no blank (ntc, nac, nrt, neg) on the plate", target=target)]
    amplified = [row for row in blanks if row["call"] == "amplified"]
    unclear = [row for row in blanks if row["call"] == "ambiguous"]
    checks = [
        judge("blanks", float(len(amplified)), window, "amplified", target=target)
        for window in assay.acceptance["blanks"]
    ]
    for row in unclear:
        message = f"{row['role']} may have amplified: {row['why']}"
        checks.append(finding("blanks", "warn", message, target=target, well=str(row["well"])))
    return checks


def _check_levels(calibration: Calibration, reactions: Sequence[Row], assay: AssayProtocol) -> list[Check]:
    target, levels = calibration.target, calibration.levels
    protocol = next(known for known in assay.targets if known.name == target)
    checks = []
    if len(levels) < protocol.minimum_levels:
        message = f"{len(levels)} standard levels took part, {protocol.minimum_levels} are needed"
        checks.append(finding("standard_levels", "fail", message, target=target))
    if target != assay.fusion.name:
        return checks
    on_plate = [float(row["known_copies"]) for row in reactions if row["role"] == "std" and row["known_copies"]]
    lowest = assay.lowest_standard
    wanted = min(on_plate) if lowest.copies is None else lowest.copies
    if wanted in levels:
        message = f"the standard of {wanted:g} copies was detected and is in the curve"
        return [*checks, finding("lowest_standard", "pass", message, target=target)]
    message = f"the standard of {wanted:g} copies is not in the curve (not on the plate, or not detected)"
    return [*checks, finding("lowest_standard", lowest.severity, message, target=target)]


def check_samples(copies: Sequence[Row], results: Sequence[Row], assay: AssayProtocol) -> list[Check]:
    """Control gene copies and spread of replicates, sample by sample.

    Parameters
    ----------
    copies : rows of the copies table of the run.
    results : rows that `score_samples` gave.
    assay : the protocol.
    """
    checks = []
    for result in results:
        name = str(result["sample_id"])
        own = [row for row in copies if row["sample_id"] == name and not row["excluded"]]
        checks += [
            judge(
                "control_copies",
                _number(result.get("control_copies_lowest")),
                window,
                "copies/reaction",
                target=assay.control.name,
                sample_id=name,
            )
            for window in assay.acceptance["control_copies"]
        ]
        for target in assay.targets:
            checks += _check_spread(name, target.name, [row for row in own if row["target"] == target.name], assay)
    return checks


def _check_spread(sample_id: str, target: str, reactions: Sequence[Row], assay: AssayProtocol) -> list[Check]:
    cq = [float(row["cq"]) for row in reactions if row["detected"]]
    if len(cq) < 2:
        return []
    window = assay.replicate_spread.window(sum(cq) / len(cq))
    return [judge("replicate_spread", max(cq) - min(cq), window, "cycles", target=target, sample_id=sample_id)]


def check_controls(results: Sequence[Row], assay: AssayProtocol) -> list[Check]:
    """The laboratory's own control samples against the windows the protocol gives them, in % IS."""
    found = {str(row["sample_id"]): _number(row.get("is_percent")) for row in results}
    return [
        judge("control_sample", found.get(name), window, "% IS", sample_id=name)
        for name, window in assay.controls.items()
    ]


def concluded(results: Sequence[Row], checks: Sequence[Check]) -> list[Row]:
    """The results rows with flags and outcome that follow from the checks.

    Parameters
    ----------
    results : rows that `score_samples` gave.
    checks : all checks of the run.
    """
    run_fit = worst(check for check in checks if check.sample_id is None) != "fail"
    spread = {check.sample_id for check in checks if check.check == "replicate_spread" and check.outcome != "pass"}
    off = {check.sample_id for check in checks if check.check == "control_sample" and check.outcome != "pass"}
    unheeded = {check.sample_id for check in checks if check.check == "review" and check.outcome != "pass"}
    rows = []
    for result in results:
        name = result["sample_id"]
        flags = [*_texts(result["flags"])]
        flags += ["replicate_spread"] * (name in spread)
        flags += ["control_outside_window"] * (name in off)
        flags += ["review_not_applied"] * (name in unheeded)
        flags += ["run_failed"] * (not run_fit)
        weighty = [flag for flag in flags if flag not in _NOT_WORTH_A_REVIEW]
        outcome = sample_outcome(run_fit, bool(result["evaluable"]), weighty)
        rows.append(result | {"flags": sorted(set(flags)), "outcome": outcome})
    return rows


def qc_rows(run_id: str, checks: Sequence[Check]) -> list[Row]:
    """Checks as rows of the qc table."""
    return [{"run_id": run_id, **asdict(check)} for check in checks]


def _texts(value: object) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list | tuple) else []


def _number(value: object) -> float | None:
    """A number that was determined, else None."""
    return float(value) if isinstance(value, int | float) and value == value else None
