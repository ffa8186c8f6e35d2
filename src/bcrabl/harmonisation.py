"""From local ratios to the International Scale: the conversion factor of a laboratory, from samples two have measured.

Symbols: n samples; d = log10 reference IS % − log10 local %; factor = 10^mean(d).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import Problem, RunError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["ConversionFactor", "derive_conversion_factor", "factor_from_calibrator", "factor_from_major_response"]

_COVERAGE = 0.95
_NORMAL_95 = 1.96  # as Bland and Altman draw their limits
_LEAST_SAMPLES = 3
_MAJOR_RESPONSE = 0.1  # % IS, by definition of the scale (Hughes 2006)


@dataclass(frozen=True)
class ConversionFactor:
    """A conversion factor and the agreement it was derived from.

    Parameters
    ----------
    value : what local ratios are multiplied by.
    low, high : its 95 % interval, by Student's t on the mean difference.
    samples : pairs used.
    left_out : places of pairs that took no part: undetected on one side, or above `most_percent`.
    mean_difference, sd_difference : of d, log10.
    agreement_low, agreement_high : 95 % limits of agreement before conversion, fold: 10^(mean ± 1.96 SD).
    agreement_fold : the same after conversion: both limits lie within ± this fold.
    bias_slope, bias_slope_p : of d on the mean log10 level, and the p value of none: where it differs from zero the
        bias depends on the level, and no single factor is right.
    median_value : factor by the median difference, which single samples do not move.
    lowest, highest : range of the local ratios used, %.
    """

    value: float
    low: float
    high: float
    samples: int
    left_out: tuple[int, ...]
    mean_difference: float
    sd_difference: float
    agreement_low: float
    agreement_high: float
    agreement_fold: float
    bias_slope: float
    bias_slope_p: float
    median_value: float
    lowest: float
    highest: float


def derive_conversion_factor(
    local_percent: ArrayLike, reference_percent: ArrayLike, *, most_percent: float | None = None
) -> ConversionFactor:
    """Derive a laboratory's conversion factor from a sample exchange with a reference laboratory.

    Parameters
    ----------
    local_percent : (n,) ratios of the laboratory, %, without any factor; 0 or NaN where undetected.
    reference_percent : (n,) the same samples in the reference laboratory, % IS.
    most_percent : pairs with either value above take no part (ABL1 as control gene saturates above 10 %); None: all.

    Raises
    ------
    RunError : lists of unequal length, negative or infinite values, fewer than three pairs detected on both sides,
        differences without any scatter.

    Notes
    -----
    Mean difference and limits of agreement on the log scale: Bland & Altman 1986, Lancet 1:307, as Branford et al. 2008
    (Blood 112:3330) use them for BCR::ABL1. Undetected pairs have no logarithm and are left out, as is customary; how
    many is said. Validate the factor on a second, independent set.
    """
    from scipy.special import stdtrit

    local, reference = (
        _percent(name, each) for name, each in (("local", local_percent), ("reference", reference_percent))
    )
    if local.shape != reference.shape:
        found = f"{len(local)} local and {len(reference)} reference values"
        raise RunError(Problem("sample exchange", found, "one reference value for each local one"))
    used = (local > 0) & (reference > 0)
    if most_percent is not None:
        used &= (local <= most_percent) & (reference <= most_percent)
    n = int(used.sum())
    if n < _LEAST_SAMPLES:
        found = f"{n} pairs detected on both sides"
        raise RunError(Problem("sample exchange", found, f"at least {_LEAST_SAMPLES}; the guidelines ask for 20 to 30"))
    x, y = np.log10(local[used]), np.log10(reference[used])
    difference, level = y - x, (x + y) / 2
    mean, sd = float(difference.mean()), float(difference.std(ddof=1))
    if not sd > 0:
        found = "differences without any scatter"
        raise RunError(
            Problem("sample exchange", found, "measurements of two laboratories, not one computed from the other")
        )
    half_width = float(stdtrit(n - 1, (1 + _COVERAGE) / 2)) * sd / np.sqrt(n)
    slope, p = _slope(level, difference)
    return ConversionFactor(
        value=10**mean,
        low=float(10 ** (mean - half_width)),
        high=float(10 ** (mean + half_width)),
        samples=n,
        left_out=tuple(np.flatnonzero(~used).tolist()),
        mean_difference=mean,
        sd_difference=sd,
        agreement_low=10 ** (mean - _NORMAL_95 * sd),
        agreement_high=10 ** (mean + _NORMAL_95 * sd),
        agreement_fold=10 ** (_NORMAL_95 * sd),
        bias_slope=slope,
        bias_slope_p=p,
        median_value=float(10 ** np.median(difference)),
        lowest=float(local[used].min()),
        highest=float(local[used].max()),
    )


def factor_from_major_response(local_percent: float) -> float:
    """The factor of a laboratory whose ratio equivalent to a major molecular response is known.

    Parameters
    ----------
    local_percent : local ratio, %, that corresponds to 0.1 % IS (Hughes et al. 2006, Blood 108:28).
    """
    return _MAJOR_RESPONSE / _positive("ratio equivalent to a major response", local_percent)


def factor_from_calibrator(assigned_percent: float, measured_percent: float) -> float:
    """The factor of one run from a calibrator with an assigned value, measured on the same plate.

    Parameters
    ----------
    assigned_percent, measured_percent : % IS on its label, and the local ratio found, %.
    """
    assigned = _positive("assigned value", assigned_percent)
    return assigned / _positive("measured ratio of the calibrator", measured_percent)


def _percent(name: str, values: ArrayLike) -> Array:
    percent = np.asarray(values, dtype=np.float64)
    wrong = (percent < 0) | np.isinf(percent)
    if percent.ndim != 1 or wrong.any():
        found = f"shape {percent.shape}" if percent.ndim != 1 else f"{percent[wrong][0]:g} %"
        raise RunError(Problem(f"sample exchange, {name}", found, "a list of ratios in %, 0 where undetected"))
    return percent


def _positive(name: str, value: float) -> float:
    if not (value > 0 and np.isfinite(value)):
        raise RunError(Problem(name, f"{value:g}", "a positive number, %"))
    return float(value)


def _slope(level: Array, difference: Array) -> tuple[float, float]:
    """Slope of the difference on the level, and the p value of its being zero; NaN where all levels are one."""
    from scipy.special import stdtr

    distance = level - level.mean()
    spread, freedom = float((distance**2).sum()), len(level) - 2
    if not (spread > 0 and freedom > 0):
        return float("nan"), float("nan")
    slope = float((distance * difference).sum()) / spread
    left = difference - difference.mean() - slope * distance
    error = np.sqrt(float((left**2).sum()) / freedom / spread)
    if not error > 0:
        return slope, 0.0
    return slope, float(2 * stdtr(freedom, -abs(slope) / error))
