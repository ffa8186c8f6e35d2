"""The line through the standards: by ordinary least squares, or weighted by what chance does to few molecules.

Symbols: y Cq of n standard reactions; λ nominal copies; x = E[log10 n | n > 0, λ] and τ² its variance
(`template.detected_log10_moments`), or x = log10 λ and τ² = 0 without weights; a, b intercept and slope; σ²
repeatability; w weights 1/(σ² + b² τ²).

There is no weighting by the observed variances of the levels: from two or three replicates they are so uncertain that
the weighted line is worse than the unweighted one and, with skewed data, biased even in the limit (Carroll & Cline
1988, Biometrika 75:35). The Poisson law gives the variance at each level from one unknown, σ².
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.arrays import numbers
from bcrabl.calibration.curve import StandardCurve
from bcrabl.calibration.template import detected_log10_moments
from bcrabl.errors import CalibrationError, Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["WEIGHTINGS", "fit_standard_curve", "standards_design"]

WEIGHTINGS = ("none", "poisson")

_LEAST_POINTS = 3
_FLAT_SLOPE = -0.1  # cycles/decade; no reaction that amplifies has so little to say about the amount
_LEAST_SD = 0.01 / np.sqrt(12)  # cycles: the rounding of a Cq printed with two decimals
_LEAST_SPAN = 1e-3  # decades of molecules between lowest and highest level, below which all reactions are alike
_STEPS = 50
_CONVERGED = 1e-9


def fit_standard_curve(
    cq: ArrayLike, copies: ArrayLike, *, weighting: str = "none", calibrator_relative_sd: float = 0.0
) -> StandardCurve:
    """Fit Cq on log10 copies.

    Parameters
    ----------
    cq : (n,) cycles of the standard reactions; every one takes part.
    copies : (n,) copies/reaction put in.
    weighting : `none`, ordinary least squares; `poisson`, weights and levels as chance in the molecules makes them.
    calibrator_relative_sd : standard uncertainty of the stock as a fraction of its copies (ERM-AD623: U/2 per value).

    Raises
    ------
    CalibrationError : fewer than three reactions, one level only, values that are no positive numbers, a slope that
        does not fall, an unknown weighting.

    Notes
    -----
    `poisson`: E[y] = a + b x and Var[y] = σ² + b² τ² by generalised least squares, σ² by restricted maximum likelihood
    (Patterson & Thompson 1971, Biometrika 58:545), which does not lose the two degrees of freedom of the line; b in
    the variance is that of the step before. The covariance counts that the weights are estimated (Kenward & Roger
    1997, Biometrics 53:983): C + 2 Var(σ̂²) C (X'W³X - X'W²X C X'W²X) C, C = (X'WX)⁻¹. That Cq of qPCR need weights,
    for they scatter more at few copies: Tellinghuisen & Spiess 2014, Anal Biochem 449:76; that this is Poisson's law:
    the same 2015, Anal Chem 87:8925.
    Leaving undetected standards out does not bias the line: whether a reaction got a molecule, probability
    1 - exp(-λ), depends on λ alone, and x and τ² are those of reactions that did. How many were missed speaks about
    λ, not about the line; see `outliers.missed_standards`.

    Examples
    --------
    Branford & Hughes 2006, Methods Mol Med 125:69, Table 1: mean Ct of 134 runs.

    >>> curve = fit_standard_curve([36.45, 33.01, 29.53, 26.12, 22.75, 19.37], [15, 150, 1.5e3, 1.5e4, 1.5e5, 1.5e6])
    >>> round(curve.slope, 5), round(curve.intercept, 5), round(curve.r_squared, 6), round(1 + curve.efficiency, 5)
    (-3.41686, 40.43235, 0.999963, 1.96185)
    """
    y, amount = _checked(cq, copies)
    _check_options(weighting, calibrator_relative_sd)
    x, chance = standards_design(amount, weighting)
    if np.ptp(x) < _LEAST_SPAN:
        found = f"{amount.min():g} to {amount.max():g} copies: every reaction that has a Cq started from one molecule"
        raise CalibrationError(Problem("standards", found, "levels above one copy"))
    line = _ordinary(y, x) if weighting == "none" else _restricted_likelihood(y, x, chance)
    if not line.slope < _FLAT_SLOPE:
        found = f"a slope of {line.slope:.3g} cycles/decade: the standards do not tell amounts apart"
        raise CalibrationError(Problem("standards", found, "Cq that falls by about 3.3 cycles per decade"))
    residual_sum = float(((y - line.level - line.slope * (x - line.centre)) ** 2).sum())
    return StandardCurve(
        slope=line.slope,
        intercept=line.level - line.slope * line.centre,
        covariance=line.from_centre(line.covariance),
        residual_sd=float(np.sqrt(line.variance)),
        r_squared=1 - residual_sum / float(((y - y.mean()) ** 2).sum()),
        points=len(y),
        copies_low=float(amount.min()),
        copies_high=float(amount.max()),
        mean_log10_copies=line.centre,
        spread=line.spread,
        degrees_of_freedom=line.degrees_of_freedom,
        weighting=weighting,
        covariance_growth=None if line.growth is None else line.from_centre(line.growth),
        calibrator_relative_sd=float(calibrator_relative_sd),
    )


def standards_design(copies: ArrayLike, weighting: str) -> tuple[Array, Array]:
    """Mean and variance of log10 molecules that a fit with this weighting ascribes to standards of these copies."""
    amount = np.asarray(copies, dtype=np.float64)
    if weighting == "none":
        return np.log10(amount), np.zeros_like(amount)
    return detected_log10_moments(amount)


@dataclass(frozen=True)
class _Line:
    """A fitted line about its centre x̄, where level and slope are uncorrelated."""

    level: float
    slope: float
    centre: float
    covariance: Array
    growth: Array | None
    variance: float
    spread: float
    degrees_of_freedom: float

    def from_centre(self, matrix: Array) -> Array:
        """A covariance of (level, slope) as one of (intercept, slope)."""
        shift = np.array([[1.0, -self.centre], [0.0, 1.0]])
        moved: Array = shift @ matrix @ shift.T
        return moved


def _ordinary(y: Array, x: Array) -> _Line:
    centre = float(x.mean())
    distance = x - centre
    spread = float((distance**2).sum())
    level = float(y.mean())
    slope = float((distance * (y - level)).sum() / spread)
    degrees = len(y) - 2
    variance = float(((y - level - slope * distance) ** 2).sum()) / degrees
    covariance = np.diag([variance / len(y), variance / spread])
    return _Line(level, slope, centre, covariance, None, variance, spread, degrees)


def _restricted_likelihood(y: Array, x: Array, chance: Array) -> _Line:
    """Fisher scoring of σ², the line fitted anew with the weights of each step."""
    start = _ordinary(y, x)
    slope, variance = start.slope, max(start.variance, _LEAST_SD**2)
    for _ in range(_STEPS):
        step = _weighted(y, x, 1 / (variance + slope**2 * chance))
        proposal = variance + step.score / step.information
        proposal = min(max(proposal, variance / 10, _LEAST_SD**2), variance * 10)
        settled = abs(proposal - variance) <= _CONVERGED * variance and abs(step.slope - slope) <= _CONVERGED
        slope, variance = step.slope, proposal
        if settled:
            break
    step = _weighted(y, x, 1 / (variance + slope**2 * chance))
    known = np.diag([1 / step.weight, 1 / step.weighted_spread])
    growth = known @ step.squared @ known
    unsure = known @ step.cubed @ known - growth @ step.squared @ known
    covariance = known + 4 / step.information * unsure
    spread, degrees = variance * step.weighted_spread, variance**2 * step.information
    return _Line(step.level, step.slope, step.centre, covariance, growth, variance, spread, degrees)


@dataclass(frozen=True)
class _Weighted:
    """A weighted line with the score of σ² and its information (REML: y'PPy - tr P and tr PP).

    `squared` and `cubed` are X'W²X and X'W³X about the centre.
    """

    level: float
    slope: float
    centre: float
    weight: float
    weighted_spread: float
    squared: Array
    cubed: Array
    score: float
    information: float


def _weighted(y: Array, x: Array, weights: Array) -> _Weighted:
    total = float(weights.sum())
    centre = float((weights * x).sum()) / total
    distance = x - centre
    level = float((weights * y).sum()) / total
    # sums of w, w², w³ times 1, distance, distance²
    powers = np.stack([weights, weights**2, weights**3])
    (_, _, spread), (second, mixed, second_spread), (third, third_mixed, third_spread) = (
        powers @ np.stack([np.ones_like(distance), distance, distance**2], axis=1)
    ).tolist()
    slope = float((weights * distance * (y - level)).sum()) / spread
    residual = y - level - slope * distance
    trace = total - second / total - second_spread / spread
    information = (
        second
        - 2 * (third / total + third_spread / spread)
        + (second / total) ** 2
        + 2 * mixed**2 / (total * spread)
        + (second_spread / spread) ** 2
    )
    score = float((powers[1] * residual**2).sum()) - trace
    squared = np.array([[second, mixed], [mixed, second_spread]])
    cubed = np.array([[third, third_mixed], [third_mixed, third_spread]])
    return _Weighted(level, slope, centre, total, spread, squared, cubed, score, information)


def _check_options(weighting: str, calibrator_relative_sd: float) -> None:
    if weighting not in WEIGHTINGS:
        raise CalibrationError(Problem("weighting", str(weighting), f"one of {', '.join(WEIGHTINGS)}"))
    if not 0 <= calibrator_relative_sd < 1:
        found = f"{calibrator_relative_sd:g}"
        raise CalibrationError(Problem("calibrator_relative_sd", found, "a fraction of the certified value, 0 to 1"))


def _checked(cq: ArrayLike, copies: ArrayLike) -> tuple[Array, Array]:
    """Cq and copies, or every reason why they make no curve."""
    where = "standards"
    y, amount = (numbers(where, each, CalibrationError).ravel() for each in (cq, copies))
    if y.shape != amount.shape:
        raise CalibrationError(Problem(where, f"{len(y)} Cq and {len(amount)} amounts", "one Cq for each amount"))
    if not np.all(np.isfinite(y)):
        raise CalibrationError(Problem(where, f"Cq {y[~np.isfinite(y)][0]}", "numbers; leave undetected standards out"))
    if not np.all(amount > 0) or not np.all(np.isfinite(amount)):
        wrong = amount[~((amount > 0) & np.isfinite(amount))][0]
        raise CalibrationError(Problem(where, f"{wrong:g} copies", "positive numbers of copies"))
    if len(y) < _LEAST_POINTS:
        raise CalibrationError(Problem(where, f"{len(y)} reactions with a Cq", f"at least {_LEAST_POINTS}"))
    if len(np.unique(amount)) < 2:
        found = f"one level only ({amount[0]:g} copies)"
        raise CalibrationError(
            Problem(where, found, "at least two levels", "Check the quantities in export or layout.")
        )
    return y, amount
