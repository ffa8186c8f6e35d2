"""Do two targets amplify alike: the slopes of their curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bcrabl.calibration.curve import StandardCurve

__all__ = ["Parallelism", "compare_slopes"]

_COVERAGE = 0.95


@dataclass(frozen=True)
class Parallelism:
    """The difference of two slopes.

    Parameters
    ----------
    difference : first less second, cycles/decade.
    standard_error : of it.
    statistic, degrees_of_freedom, p_value : Student's t, two-sided.
    low, high : 95 % interval of the difference: parallel within what a laboratory allows, if it lies inside that.
    """

    difference: float
    standard_error: float
    statistic: float
    degrees_of_freedom: float
    p_value: float
    low: float
    high: float


def compare_slopes(first: StandardCurve, second: StandardCurve) -> Parallelism:
    """Compare the slopes of two curves made from reactions of their own.

    Notes
    -----
    Unequal variances, degrees of freedom by Welch 1947, Biometrika 34:28, each slope's own by Satterthwaite. A p above
    0.05 does not show that curves are parallel; the interval shows how far from it they may be.
    """
    from scipy.special import stdtr, stdtrit

    variances = [float(curve.covariance[1, 1]) for curve in (first, second)]
    degrees_of = [curve.slope_degrees_of_freedom for curve in (first, second)]
    difference, variance = first.slope - second.slope, sum(variances)
    if not variance > 0:
        nan = float("nan")
        return Parallelism(difference, 0.0, nan, nan, nan, difference, difference)
    degrees = variance**2 / sum(part**2 / own for part, own in zip(variances, degrees_of, strict=True))
    error = float(np.sqrt(variance))
    statistic = difference / error
    half_width = float(stdtrit(degrees, (1 + _COVERAGE) / 2)) * error
    p_value = 2 * float(stdtr(degrees, -abs(statistic)))
    return Parallelism(difference, error, statistic, degrees, p_value, difference - half_width, difference + half_width)
