"""Is this run, this target, this sample fit to report? Findings against windows; no file, no table.

A check has an outcome: `pass`, `warn` (a person should look) or `fail` (not fit). What the windows are stands in the
assay protocol, with its source.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Check", "Outcome", "Window", "finding", "judge", "judge_p_value", "sample_outcome", "worst"]

Outcome = str
_ORDER = ("pass", "warn", "fail")


class Window(Protocol):
    """Limits that a value should lie between, both included, and what it means if it does not."""

    @property
    def lower(self) -> float | None:
        """Lowest value that passes."""

    @property
    def upper(self) -> float | None:
        """Highest value that passes."""

    @property
    def severity(self) -> str:
        """Outcome of a value outside: warn or fail."""

    def admits(self, value: float | None) -> bool:
        """Whether the value lies between the limits."""

    def __str__(self) -> str:
        """The limits in words."""


@dataclass(frozen=True)
class Check:
    """One finding; target, sample and well are None where it concerns more than one."""

    check: str
    outcome: Outcome
    message: str
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    unit: str = ""
    target: str | None = None
    sample_id: str | None = None
    well: str | None = None


def judge(
    check: str,
    value: float | None,
    window: Window,
    unit: str,
    *,
    target: str | None = None,
    sample_id: str | None = None,
) -> Check:
    """Hold a value against a window.

    Parameters
    ----------
    check : name of the check.
    value : what was found; None where it could not be determined, which fails the window.
    window : limits and severity.
    unit : of value and limits.

    Examples
    --------
    >>> from bcrabl.standards import Window
    >>> slope = Window(lower=-3.9, upper=-3.0, severity="fail", source="kit rules")
    >>> judge("slope", -4.11, slope, "cycles/decade", target="ABL1").message
    'slope: -4.11 cycles/decade; allowed: -3.9 to -3'
    """
    limits, name = str(window), check.replace("_", " ")
    if value is None:
        outcome, message = window.severity, f"{name} could not be determined; allowed: {limits}"
    elif window.admits(value):
        outcome, message = "pass", f"{name}: {value:.4g} {unit}; allowed: {limits}"
    else:
        outcome, message = window.severity, f"{name}: {value:.4g} {unit}; allowed: {limits}"
    return Check(
        check=check,
        outcome=outcome,
        message=" ".join(message.split()).replace(" ;", ";"),
        value=value,
        lower=window.lower,
        upper=window.upper,
        unit=unit,
        target=target,
        sample_id=sample_id,
    )


def judge_p_value(check: str, p_value: float, message: str, limit: float, *, target: str | None = None) -> Check | None:
    """Hold the p of a test against a limit of our own, which no guideline sets: below, a person should look.

    Parameters
    ----------
    check : name of the check.
    p_value : NaN where the test could not be made, which gives no check.
    message : what the test found.
    limit : lowest p that passes.

    Examples
    --------
    >>> judge_p_value("linearity", 0.002, "the line reads +8 % at 1000 copies", 0.01).message
    'the line reads +8 % at 1000 copies, p 0.002; our limit 0.01'
    """
    if p_value != p_value:
        return None
    outcome = "warn" if p_value < limit else "pass"
    words = f"{message}, p {p_value:.2g}; our limit {limit:g}"
    return Check(check, outcome, words, value=p_value, lower=limit, unit="p", target=target)


def finding(
    check: str,
    outcome: Outcome,
    message: str,
    *,
    target: str | None = None,
    sample_id: str | None = None,
    well: str | None = None,
) -> Check:
    """A finding that is no number."""
    return Check(check, outcome, message, target=target, sample_id=sample_id, well=well)


def worst(checks: Iterable[Check]) -> Outcome:
    """The gravest outcome among some checks; `pass` where there is none."""
    return _ORDER[max((_ORDER.index(check.outcome) for check in checks), default=0)]


def sample_outcome(run_fit: bool, evaluable: bool, flags: Iterable[str]) -> str:
    """What to do with a sample: `repeat` it, `review` it, or `report` it.

    Parameters
    ----------
    run_fit : no check of the run or its targets failed.
    evaluable : the control gene suffices.
    flags : what is noteworthy about the sample.
    """
    if not run_fit or not evaluable:
        return "repeat"
    return "review" if tuple(flags) else "report"
