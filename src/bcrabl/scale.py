"""From copies to the International Scale: ratio, conversion factor, molecular response.

    ratio_percent = 100 · Σ BCR::ABL1 copies / Σ control gene copies      (same volume of cDNA for both)
    is_percent    = ratio_percent · conversion factor

An undetected replicate adds 0 copies and its control gene still counts. A class needs both the level and enough
control gene copies (Cross 2015, Leukemia 29:999); the cut-offs come in as data from resources/standards. The three-copy
rule censors the value that is classified; the value as read stands beside it, and intervals are of the truth, which
knows no such rule.

What an undetected sample excludes has two readings. The guideline's classes take one copy per control gene copies
tested, on the local scale (`sensitivity_`). With 95 % it excludes what the limit of detection is, three copies where
counting alone limits it, on the International Scale (`excluded_`). Depth is MR = 2 - log10(%).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bcrabl.arrays import numbers
from bcrabl.errors import Problem, RunError
from bcrabl.scale_limits import ScaleLimits, limits_of_copies, poisson_limits

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = [
    "BELOW_REPLICATE_MINIMUM",
    "NO_CLASS",
    "THREE_COPY_RULES",
    "SampleScore",
    "ScaleLimits",
    "counted_replicates",
    "depth",
    "poisson_limits",
    "score_sample",
]

_LEAST_LOD = float(-np.log(0.05))
THREE_COPY_RULES = ("per_replicate", "per_total", "none")
BELOW_REPLICATE_MINIMUM = ("not_evaluable", "drop")

NO_CLASS = "none"
"""The name under which the probability of no class stands."""


class ResponseClass(Protocol):
    """A molecular response class: the level it needs (% IS) and the control gene copies, by gene."""

    @property
    def name(self) -> str: ...
    @property
    def is_percent(self) -> float: ...
    @property
    def minimum_copies(self) -> Mapping[str, float]: ...


class ResponseRules(Protocol):
    """The classes, shallowest first, and the control gene copies any single replicate needs."""

    @property
    def classes(self) -> Sequence[ResponseClass]: ...
    @property
    def replicate_minimum(self) -> Mapping[str, float]: ...


@dataclass(frozen=True)
class SampleScore:
    """What one sample scores.

    Parameters
    ----------
    detected : any replicate counted was positive.
    replicates, detected_replicates : BCR::ABL1 reactions counted, and the positive ones among them.
    bcr_abl_copies : sum over replicates as read off the curve.
    bcr_abl_copies_scored : the same after the three-copy rule; what the ratio is made of.
    control_copies : control gene copies in the volume tested for BCR::ABL1.
    control_copies_lowest : copies of the weakest control replicate counted.
    ratio_percent, is_percent : of the copies scored, local and International Scale, %; 0 of an undetected sample. NaN
        without control gene copies, or without a conversion factor.
    ratio_percent_uncensored, is_percent_uncensored : the same of the copies as read.
    ratio_low, ratio_high, is_low, is_high : 95 % interval of the true value; of an undetected sample 0 and the upper
        bound.
    response_class : deepest class reached, or None; None when not evaluable.
    evaluable : the control gene suffices in sum and in every replicate.
    sensitivity_percent : one copy per control copies tested, local scale, %: what the guideline's classes of
        undetected samples rest on (no conversion factor, no three-copy rule).
    sensitivity_mr : its depth.
    sensitivity_class : deepest class the control gene copies permit, or None.
    excluded_percent : limit of detection per control copies tested, International Scale, %: what not being detected
        excludes with 95 %; NaN without a conversion factor.
    excluded_mr : its depth.
    class_probabilities : of each class, and of none, given the Cq; empty where they were not given or do not apply.
    notes : names of what a reader should know.
    """

    detected: bool
    replicates: int
    detected_replicates: int
    bcr_abl_copies: float
    bcr_abl_copies_scored: float
    control_copies: float
    control_copies_lowest: float
    ratio_percent: float
    ratio_percent_uncensored: float
    ratio_low: float
    ratio_high: float
    is_percent: float
    is_percent_uncensored: float
    is_low: float
    is_high: float
    response_class: str | None
    evaluable: bool
    sensitivity_percent: float
    sensitivity_mr: float
    sensitivity_class: str | None
    excluded_percent: float
    excluded_mr: float
    notes: tuple[str, ...]
    class_probabilities: Mapping[str, float] = field(default_factory=dict)


def score_sample(
    bcr_abl_copies: ArrayLike,
    control_copies: ArrayLike,
    *,
    conversion_factor: float | None,
    control_gene: str,
    rules: ResponseRules,
    three_copy_rule: str = "per_replicate",
    below_replicate_minimum: str = "not_evaluable",
    minimum_copies: float = 3.0,
    factor_interval: tuple[float, float] | None = None,
    lod_copies: float = 3.0,
    calibration_log10_sd: tuple[float, float] = (0.0, 0.0),
    limits: ScaleLimits | None = None,
) -> SampleScore:
    """Score one sample from the copies of its replicates.

    Parameters
    ----------
    bcr_abl_copies : (k,) copies/reaction of the BCR::ABL1 replicates, 0 where undetected.
    control_copies : (j,) copies/reaction of the control gene replicates. With j = k the sums are compared; with
        j ≠ k the mean control copies stand for each of the k reactions (equal volumes).
    conversion_factor : local scale to International Scale; None where there is no valid one.
    control_gene : its name in the rules.
    rules : response classes and control gene minima.
    three_copy_rule : a positive below `minimum_copies` counts as `minimum_copies`, `per_replicate`, `per_total` or not
        at all (`none`) (Cross 2015).
    below_replicate_minimum : what a control replicate below the single-replicate minimum does: the sample is
        `not_evaluable`, or the replicate is left out (`drop`, with its BCR::ABL1 partner where j = k).
    factor_interval : 95 % interval of the conversion factor.
    lod_copies : limit of detection, copies in the volume tested; below the 2.996 that chance allows, these are taken.
    calibration_log10_sd : standard errors, in log10, of the summed BCR::ABL1 and control copies due to calibration
        and repeatability.
    limits : intervals found from the Cq of the replicates that `counted_replicates` counts
        (`bcrabl.counting.sample_intervals`). None: from the copies alone, as counts read without error but for
        `calibration_log10_sd` and `factor_interval`; without these, limits hold chance in the molecules only and are
        far too narrow where copies are many.

    Raises
    ------
    RunError : no replicates, negative copies, unknown rule or control gene, conversion factor not positive or outside
        its interval, limit of detection not positive.
    """
    target, control = _checked(bcr_abl_copies, control_copies, conversion_factor)
    _check_factor(conversion_factor, factor_interval, lod_copies)
    _check_positive("minimum_copies", minimum_copies, "a positive number of copies")
    _check_sd(calibration_log10_sd)
    _check_rules(control_gene, rules, three_copy_rule, below_replicate_minimum)
    floor = rules.replicate_minimum[control_gene]
    counted, strong = counted_replicates(len(target), control, floor, below_replicate_minimum)
    notes = [] if strong.all() else ["weak_control_replicate_dropped"]
    target, control = target[counted], control[strong]
    tested = _control_in_tested_volume(target, control)
    total, scored = float(target.sum()), _three_copies(target, three_copy_rule, minimum_copies)
    notes += ["three_copy_rule_applied"] * (scored > total)
    if limits is None:
        limits = limits_of_copies(target, tested, calibration_log10_sd, conversion_factor, factor_interval)
    ratio, uncensored = _percent(scored, tested), _percent(total, tested)
    factor = float("nan") if conversion_factor is None else conversion_factor
    evaluable = bool(control.size) and bool(np.all(control >= floor))
    detected = bool(np.any(target > 0))
    permitted = _permitted(tested, control_gene, rules) if evaluable else []
    # no assay detects fewer than chance allows: with three copies expected, 5 % of the tubes hold none
    one_copy, excluded = _percent(1.0, tested), _percent(max(lod_copies, _LEAST_LOD), tested) * factor
    return SampleScore(
        detected=detected,
        replicates=len(target),
        detected_replicates=int((target > 0).sum()),
        bcr_abl_copies=total,
        bcr_abl_copies_scored=scored,
        control_copies=tested,
        control_copies_lowest=float(control.min()) if control.size else float("nan"),
        ratio_percent=ratio,
        ratio_percent_uncensored=uncensored,
        ratio_low=limits.ratio[0],
        ratio_high=limits.ratio[1],
        is_percent=ratio * factor,
        is_percent_uncensored=uncensored * factor,
        is_low=limits.on_scale[0],
        is_high=limits.on_scale[1],
        response_class=_response_class(detected, ratio * factor, permitted),
        evaluable=evaluable,
        sensitivity_percent=one_copy,
        sensitivity_mr=depth(one_copy),
        sensitivity_class=permitted[-1].name if permitted else None,
        excluded_percent=excluded,
        excluded_mr=depth(excluded),
        notes=tuple(notes),
        class_probabilities=_class_probabilities(limits.at_most, rules, permitted) if evaluable else {},
    )


def counted_replicates(
    reactions: int, control: ArrayLike, floor: float, below_replicate_minimum: str
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of the BCR::ABL1 and of the control gene replicates count.

    Parameters
    ----------
    reactions : BCR::ABL1 replicates.
    control : (j,) copies/reaction of the control gene replicates.
    floor : copies a single control gene replicate needs.
    below_replicate_minimum : `drop` leaves weak ones out, each with its BCR::ABL1 partner where there are as many of
        both; unless all are weak.
    """
    strong = np.asarray(control, dtype=np.float64) >= floor
    if below_replicate_minimum != "drop" or not strong.any():
        strong = np.ones(strong.shape, dtype=bool)
    counted = strong if len(strong) == reactions else np.ones(reactions, dtype=bool)
    return counted, strong


def depth(percent: float) -> float:
    """Molecular response as a number, MR = 2 - log10(%); NaN where there is no level.

    Examples
    --------
    >>> round(depth(0.011), 2), depth(0.001)
    (3.96, 5.0)
    """
    return float(2 - np.log10(percent)) if percent > 0 else float("nan")


def _checked(bcr_abl: ArrayLike, control: ArrayLike, factor: float | None) -> tuple[Array, Array]:
    target, gene = (np.atleast_1d(numbers(*each)) for each in (("BCR::ABL1", bcr_abl), ("control gene", control)))
    if not target.size:
        raise RunError(Problem("BCR::ABL1", "no replicate", "copies of at least one reaction, 0 where undetected"))
    for name, copies in (("BCR::ABL1", target), ("control gene", gene)):
        if copies.ndim != 1:
            raise RunError(Problem(name, f"copies of shape {copies.shape}", "one number for each reaction"))
        if not np.all(copies >= 0) or not np.all(np.isfinite(copies)):
            raise RunError(Problem(name, f"copies {copies.tolist()}", "numbers that are not negative"))
    if factor is not None:
        _check_positive("conversion factor", factor, "a positive number, or none")
    return target, gene


def _check_factor(factor: float | None, interval: tuple[float, float] | None, lod_copies: float) -> None:
    if interval is not None:
        given = numbers("conversion factor's interval", interval)
        held = given.shape == (2,) and (given[0] if factor is None else factor)
        if given.shape != (2,) or not 0 < given[0] <= held <= given[1] < np.inf:
            found = " to ".join(f"{limit:g}" for limit in given.ravel()) + (f" of {factor:g}" if factor else "")
            raise RunError(Problem("conversion factor's interval", found, "a lower limit, the factor, an upper limit"))
    _check_positive("lod_copies", lod_copies, "a positive number of copies")


def _check_positive(name: str, value: float, expected: str) -> None:
    given = numbers(name, value)
    if given.shape or not (given > 0 and np.isfinite(given)):
        raise RunError(Problem(name, str(value) if given.shape else f"{float(given):g}", expected))


def _check_sd(log10_sd: tuple[float, float]) -> None:
    given = numbers("calibration_log10_sd", log10_sd)
    if given.shape != (2,) or not np.all((given >= 0) & np.isfinite(given)):
        raise RunError(Problem("calibration_log10_sd", str(log10_sd), "two numbers that are not negative"))


def _check_rules(control_gene: str, rules: ResponseRules, three_copy_rule: str, below_minimum: str) -> None:
    if control_gene not in rules.replicate_minimum:
        known = ", ".join(sorted(rules.replicate_minimum))
        raise RunError(Problem("control gene", control_gene, f"one with published minima: {known}"))
    if three_copy_rule not in THREE_COPY_RULES:
        raise RunError(Problem("three_copy_rule", three_copy_rule, f"one of {', '.join(THREE_COPY_RULES)}"))
    if below_minimum not in BELOW_REPLICATE_MINIMUM:
        allowed = ", ".join(BELOW_REPLICATE_MINIMUM)
        raise RunError(Problem("below_replicate_minimum", below_minimum, f"one of {allowed}"))


def _control_in_tested_volume(target: Array, control: Array) -> float:
    if not control.size:
        return 0.0
    if len(control) == len(target):
        return float(control.sum())
    return float(control.mean() * len(target))


def _three_copies(target: Array, rule: str, minimum: float) -> float:
    if rule == "per_replicate":
        return float(np.where(target > 0, np.maximum(target, minimum), 0.0).sum())
    total = float(target.sum())
    return max(total, minimum) if rule == "per_total" and total > 0 else total


def _percent(copies: float, control: float) -> float:
    return 100 * copies / control if control > 0 else float("nan")


def _permitted(control: float, gene: str, rules: ResponseRules) -> list[ResponseClass]:
    """Classes whose control gene minimum is met, shallowest first."""
    return [response for response in rules.classes if control >= response.minimum_copies.get(gene, 0.0)]


def _response_class(detected: bool, is_percent: float, permitted: Sequence[ResponseClass]) -> str | None:
    """Deepest permitted class whose level is reached; level 0 when undetected."""
    if detected and not np.isfinite(is_percent):
        return None
    level = is_percent if detected else 0.0
    reached = [response.name for response in permitted if level <= response.is_percent]
    return reached[-1] if reached else None


def _class_probabilities(
    at_most: Sequence[float], rules: ResponseRules, permitted: Sequence[ResponseClass]
) -> dict[str, float]:
    """Probability of each class, and of none, adding up to 1; a class the control gene does not permit has none."""
    if len(at_most) != len(rules.classes) or not np.all(np.isfinite(at_most)):
        return {}
    reached = {response.name: chance for response, chance in zip(rules.classes, at_most, strict=True)}
    names = [NO_CLASS, *(response.name for response in permitted)]
    chances = [1.0, *(float(reached[name]) for name in names[1:])]
    exact = {
        name: max(chance - deeper, 0.0)
        for name, chance, deeper in zip(names, chances, [*chances[1:], 0.0], strict=True)
    }
    return {name: exact.get(name, 0.0) for name in (NO_CLASS, *(response.name for response in rules.classes))}
