"""From copies to the International Scale: ratio, conversion factor, molecular response.

    ratio_percent = 100 · Σ BCR::ABL1 copies / Σ control gene copies      (same volume of cDNA for both)
    is_percent    = ratio_percent · conversion factor

An undetected replicate adds 0 copies and its control gene still counts. A class needs both the level and enough
control gene copies (Cross 2015, Leukemia 29:999); the cut-offs come in as data from resources/standards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bcrabl.errors import Problem, RunError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["BELOW_REPLICATE_MINIMUM", "THREE_COPY_RULES", "SampleScore", "poisson_limits", "score_sample"]

THREE_COPY_RULES = ("per_replicate", "per_total", "none")
BELOW_REPLICATE_MINIMUM = ("not_evaluable", "drop")

_TWO_SIDED_95 = 1.959963984540054
_TAIL = 0.025


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
    ratio_percent, ratio_low, ratio_high : local scale with 95 % interval, %; of an undetected sample 0, 0 and the
        upper bound. NaN without control gene copies.
    is_percent, is_low, is_high : the same on the International Scale; NaN without a conversion factor.
    response_class : deepest class reached, or None; None when not evaluable.
    evaluable : the control gene suffices in sum and in every replicate.
    sensitivity_percent : one copy per control copies tested, local scale, %: what the guideline's classes of
        undetected samples rest on (no conversion factor, no three-copy rule).
    sensitivity_class : deepest class the control gene copies permit, or None.
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
    ratio_low: float
    ratio_high: float
    is_percent: float
    is_low: float
    is_high: float
    response_class: str | None
    evaluable: bool
    sensitivity_percent: float
    sensitivity_class: str | None
    notes: tuple[str, ...]


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
    calibration_log10_sd: tuple[float, float] = (0.0, 0.0),
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
    calibration_log10_sd : standard errors, in log10, of the summed BCR::ABL1 and control copies due to calibration
        and repeatability.

    Raises
    ------
    RunError : no replicates, negative copies, unknown rule or control gene, conversion factor not positive.
    """
    target, control = _checked(bcr_abl_copies, control_copies, conversion_factor)
    _check_rules(control_gene, rules, three_copy_rule, below_replicate_minimum)
    floor = rules.replicate_minimum[control_gene]
    notes: list[str] = []
    if below_replicate_minimum == "drop" and np.any(control < floor) and np.any(control >= floor):
        target, control = _without_weak(target, control, floor)
        notes.append("weak_control_replicate_dropped")
    tested = _control_in_tested_volume(target, control)
    scored = _three_copies(target, three_copy_rule, minimum_copies)
    if scored > target.sum():
        notes.append("three_copy_rule_applied")
    ratio = _ratio_with_interval(scored, tested, int((target > 0).sum()), calibration_log10_sd)
    on_scale = _on_scale(ratio, conversion_factor, factor_interval)
    evaluable = bool(control.size) and bool(np.all(control >= floor))
    detected = bool(np.any(target > 0))
    sensitivity = _deepest_permitted(tested, control_gene, rules) if evaluable else None
    return SampleScore(
        detected=detected,
        replicates=len(target),
        detected_replicates=int((target > 0).sum()),
        bcr_abl_copies=float(target.sum()),
        bcr_abl_copies_scored=scored,
        control_copies=tested,
        control_copies_lowest=float(control.min()) if control.size else float("nan"),
        ratio_percent=ratio[0],
        ratio_low=ratio[1],
        ratio_high=ratio[2],
        is_percent=on_scale[0],
        is_low=on_scale[1],
        is_high=on_scale[2],
        response_class=_response_class(detected, on_scale[0], tested, control_gene, rules) if evaluable else None,
        evaluable=evaluable,
        sensitivity_percent=100 / tested if tested > 0 else float("nan"),
        sensitivity_class=sensitivity,
        notes=tuple(notes),
    )


def poisson_limits(count: ArrayLike) -> tuple[Array, Array]:
    """Exact 95 % limits of a Poisson mean from a count, which need not be whole (Garwood 1936, Biometrika 28:437).

    For a count of 0 the upper limit is the one-sided 95 % bound 2.996: "three copies exclude themselves".
    """
    from scipy.special import gammaincinv

    n = np.asarray(count, dtype=np.float64)
    low = np.where(n > 0, gammaincinv(np.where(n > 0, n, 1.0), _TAIL), 0.0)
    high = gammaincinv(n + 1, np.where(n > 0, 1 - _TAIL, 0.95))
    return low, high


def _checked(bcr_abl: ArrayLike, control: ArrayLike, factor: float | None) -> tuple[Array, Array]:
    target, gene = (np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in (bcr_abl, control))
    if not target.size:
        raise RunError(Problem("BCR::ABL1", "no replicate", "copies of at least one reaction, 0 where undetected"))
    for name, copies in (("BCR::ABL1", target), ("control gene", gene)):
        if not np.all(copies >= 0) or not np.all(np.isfinite(copies)):
            raise RunError(Problem(name, f"copies {copies.tolist()}", "numbers that are not negative"))
    if factor is not None and not (factor > 0 and np.isfinite(factor)):
        raise RunError(Problem("conversion factor", str(factor), "a positive number, or none"))
    return target, gene


def _check_rules(control_gene: str, rules: ResponseRules, three_copy_rule: str, below_minimum: str) -> None:
    if control_gene not in rules.replicate_minimum:
        known = ", ".join(sorted(rules.replicate_minimum))
        raise RunError(Problem("control gene", control_gene, f"one with published minima: {known}"))
    if three_copy_rule not in THREE_COPY_RULES:
        raise RunError(Problem("three_copy_rule", three_copy_rule, f"one of {', '.join(THREE_COPY_RULES)}"))
    if below_minimum not in BELOW_REPLICATE_MINIMUM:
        allowed = ", ".join(BELOW_REPLICATE_MINIMUM)
        raise RunError(Problem("below_replicate_minimum", below_minimum, f"one of {allowed}"))


def _without_weak(target: Array, control: Array, floor: float) -> tuple[Array, Array]:
    strong = control >= floor
    return (target[strong] if len(target) == len(control) else target), control[strong]


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


def _ratio_with_interval(
    copies: float, control: float, positives: int, log10_sd: tuple[float, float]
) -> tuple[float, float, float]:
    """Ratio in % and its 95 % limits.

    Counting (exact Poisson) and calibration limits of numerator and denominator are combined as distances on the log
    scale (MOVER: Donner & Zou 2012, Stat Methods Med Res 21:347).
    """
    if control <= 0:
        return (float("nan"),) * 3
    ratio = 100 * copies / control
    if not positives:
        return 0.0, 0.0, 100 * float(poisson_limits(0)[1]) / control
    low, high = poisson_limits([copies, control])
    down = np.log(np.array([copies, control]) / low)
    up = np.log(high / np.array([copies, control]))
    calibration = _TWO_SIDED_95 * np.log(10) * np.array(log10_sd)
    shared = float((calibration**2).sum())
    below = float(np.sqrt(down[0] ** 2 + up[1] ** 2 + shared))
    above = float(np.sqrt(up[0] ** 2 + down[1] ** 2 + shared))
    return ratio, ratio * float(np.exp(-below)), ratio * float(np.exp(above))


def _on_scale(
    ratio: tuple[float, float, float], factor: float | None, interval: tuple[float, float] | None
) -> tuple[float, float, float]:
    if factor is None or not np.isfinite(ratio[0]):
        return (float("nan"),) * 3
    value, low, high = (limit * factor for limit in ratio)
    if interval is None or value == 0:
        return value, low, high
    below = np.hypot(np.log(value / low), np.log(factor / interval[0]))
    above = np.hypot(np.log(high / value), np.log(interval[1] / factor))
    return value, value * float(np.exp(-below)), value * float(np.exp(above))


def _response_class(detected: bool, is_percent: float, control: float, gene: str, rules: ResponseRules) -> str | None:
    """Deepest class whose level is reached and whose control gene minimum is met; level 0 when undetected."""
    if detected and not np.isfinite(is_percent):
        return None
    level = is_percent if detected else 0.0
    reached = [
        response.name
        for response in rules.classes
        if level <= response.is_percent and control >= response.minimum_copies.get(gene, 0.0)
    ]
    return reached[-1] if reached else None


def _deepest_permitted(control: float, gene: str, rules: ResponseRules) -> str | None:
    permitted = [response.name for response in rules.classes if control >= response.minimum_copies.get(gene, 0.0)]
    return permitted[-1] if permitted else None
