"""A standard curve as its row of the table describes it: Cq of some copies, and the intervals around it.

Intervals are those of Student's t with the degrees of freedom of the residual SD, 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["Line", "left_out_of", "line_of"]

_COVERAGE = 0.95
_LN10 = math.log(10)


@dataclass(frozen=True)
class Line:
    """Cq = intercept + slope · log10 copies.

    Parameters
    ----------
    slope, intercept : cycles/decade, cycles.
    slope_variance, intercept_variance, covariance : of the two.
    residual_sd : cycles.
    t : quantile of Student's t; NaN without degrees of freedom.
    counting : whether chance in few molecules stands beside the residual SD.
    """

    slope: float
    intercept: float
    slope_variance: float
    intercept_variance: float
    covariance: float
    residual_sd: float
    t: float
    counting: bool

    def cq_of(self, copies: float | None) -> float | None:
        """Cq of some copies; None where there is no logarithm."""
        return self.intercept + self.slope * math.log10(copies) if copies and 0 < copies < math.inf else None

    def half_width(self, log10_copies: ArrayLike) -> Array:
        """Half the 95 % interval of the line, cycles."""
        half: Array = self.t * np.sqrt(np.maximum(self._line_variance(log10_copies), 0.0))
        return half

    def reaction_half_width(self, log10_copies: ArrayLike) -> Array:
        """Half the 95 % interval of the Cq of one more reaction, cycles."""
        x = np.asarray(log10_copies, dtype=np.float64)
        counting = (self.slope / _LN10) ** 2 / 10.0**x if self.counting else 0.0
        half: Array = self.t * np.sqrt(np.maximum(self._line_variance(x), 0.0) + self.residual_sd**2 + counting)
        return half

    def _line_variance(self, log10_copies: ArrayLike) -> Array:
        x = np.asarray(log10_copies, dtype=np.float64)
        variance: Array = self.intercept_variance + 2 * x * self.covariance + x**2 * self.slope_variance
        return variance


def line_of(row: Mapping[str, Any]) -> Line | None:
    """The line of a row of standard_curves; None where there is no curve."""
    if row["slope"] is None:
        return None
    return Line(
        slope=row["slope"],
        intercept=row["intercept"],
        slope_variance=_or_nan(row["slope_variance"]),
        intercept_variance=_or_nan(row["intercept_variance"]),
        covariance=_or_nan(row["slope_intercept_covariance"]),
        residual_sd=_or_nan(row["residual_sd"]),
        t=_t(row["degrees_of_freedom"]),
        counting=row["weighting"] == "poisson",
    )


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _t(degrees_of_freedom: float | None) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, (1 + _COVERAGE) / 2)) if degrees_of_freedom else math.nan


def left_out_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Well → reason, of the standards that a row of standard_curves names as left out."""
    return dict(entry.split(": ", 1) for entry in row["points_left_out"] or () if ": " in entry)
