"""The standard curve of a target: Cq against log10 copies, and back.

Symbols: Cq = intercept + slope · log10(copies); n standard reactions; efficiency = 10^(-1/slope) - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import CalibrationError, Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["StandardCurve", "fit_standard_curve"]

_LEAST_POINTS = 3
_FLAT_SLOPE = -0.1  # cycles/decade; no reaction that amplifies has so little to say about the amount
_COVERAGE = 0.95


@dataclass(frozen=True)
class StandardCurve:
    """A standard curve.

    Parameters
    ----------
    slope : cycles/decade.
    intercept : cycles, the Cq of one copy.
    covariance : (2, 2) of (intercept, slope), cycles² and cycles²/decade.
    residual_sd : cycles.
    r_squared : coefficient of determination.
    points : number of standard reactions.
    copies_low, copies_high : calibrated range, copies/reaction.
    mean_log10_copies, spread : mean and sum of squared distances of the standards' log10 copies.
    """

    slope: float
    intercept: float
    covariance: Array
    residual_sd: float
    r_squared: float
    points: int
    copies_low: float
    copies_high: float
    mean_log10_copies: float
    spread: float

    @property
    def efficiency(self) -> float:
        """Amplification efficiency, 1 for perfect doubling (Rasmussen 2001)."""
        return float(10 ** (-1 / self.slope) - 1)

    def log10_copies_sd(self, cq: ArrayLike, replicates: int = 1) -> Array:
        """Standard error of log10 copies read at the mean Cq of `replicates` reactions (calibration + repeatability).

        Notes
        -----
        s/|b| · sqrt(1/m + 1/n + (x - x̄)²/Sxx): inverse prediction by the delta method (Miller & Miller 2018,
        Statistics and Chemometrics for Analytical Chemistry, eq. 5.9).
        """
        x = (np.asarray(cq, dtype=np.float64) - self.intercept) / self.slope
        variance = 1 / replicates + 1 / self.points + (x - self.mean_log10_copies) ** 2 / self.spread
        error: Array = self.residual_sd / abs(self.slope) * np.sqrt(variance)
        return error

    def shared_log10_copies_sd(self, cq: ArrayLike) -> Array:
        """The part of `log10_copies_sd` that all reactions read off this curve share: the line itself."""
        x = (np.asarray(cq, dtype=np.float64) - self.intercept) / self.slope
        variance = 1 / self.points + (x - self.mean_log10_copies) ** 2 / self.spread
        error: Array = self.residual_sd / abs(self.slope) * np.sqrt(variance)
        return error

    def copies(self, cq: ArrayLike, replicates: int = 1) -> tuple[Array, Array, Array]:
        """Copies at a Cq, with the 95 % interval of calibration and repeatability.

        Parameters
        ----------
        cq : cycles, any shape; the mean of `replicates` reactions; NaN gives NaN.
        replicates : reactions averaged into each Cq.

        Returns
        -------
        copies, low, high : copies/reaction, of the shape of `cq`.
        """
        from scipy.special import stdtrit

        cycles = np.asarray(cq, dtype=np.float64)
        log10_copies = (cycles - self.intercept) / self.slope
        half_width = stdtrit(self.points - 2, (1 + _COVERAGE) / 2) * self.log10_copies_sd(cycles, replicates)
        return 10**log10_copies, 10 ** (log10_copies - half_width), 10 ** (log10_copies + half_width)


def fit_standard_curve(cq: ArrayLike, copies: ArrayLike) -> StandardCurve:
    """Fit Cq on log10 copies by ordinary least squares.

    Parameters
    ----------
    cq : (n,) cycles of the standard reactions; every one takes part.
    copies : (n,) copies/reaction put in.

    Raises
    ------
    CalibrationError : fewer than three reactions, one level only, values that are no positive numbers, a slope that
        does not fall.

    Examples
    --------
    Branford & Hughes 2006, Methods Mol Med 125:69, Table 1: mean Ct of 134 runs.

    >>> curve = fit_standard_curve([36.45, 33.01, 29.53, 26.12, 22.75, 19.37], [15, 150, 1.5e3, 1.5e4, 1.5e5, 1.5e6])
    >>> round(curve.slope, 5), round(curve.intercept, 5), round(curve.r_squared, 6), round(1 + curve.efficiency, 5)
    (-3.41686, 40.43235, 0.999963, 1.96185)
    """
    y, x = _checked(cq, copies)
    distance = x - x.mean()
    spread = float((distance**2).sum())
    slope = float((distance * (y - y.mean())).sum() / spread)
    if not slope < _FLAT_SLOPE:
        found = f"a slope of {slope:.3g} cycles/decade: the standards do not tell amounts apart"
        raise CalibrationError(Problem("standards", found, "Cq that falls by about 3.3 cycles per decade"))
    intercept = float(y.mean() - slope * x.mean())
    residual_sum = float(((y - intercept - slope * x) ** 2).sum())
    total = float(((y - y.mean()) ** 2).sum())
    variance = residual_sum / max(len(y) - 2, 1)
    slope_variance = variance / spread
    covariance = -x.mean() * slope_variance
    intercept_variance = variance / len(y) + x.mean() ** 2 * slope_variance
    return StandardCurve(
        slope=slope,
        intercept=intercept,
        covariance=np.array([[intercept_variance, covariance], [covariance, slope_variance]]),
        residual_sd=float(np.sqrt(variance)),
        r_squared=1 - residual_sum / total,
        points=len(y),
        copies_low=float(10 ** x.min()),
        copies_high=float(10 ** x.max()),
        mean_log10_copies=float(x.mean()),
        spread=spread,
    )


def _checked(cq: ArrayLike, copies: ArrayLike) -> tuple[Array, Array]:
    """Cq and log10 copies, or every reason why they make no curve."""
    y, amount = np.asarray(cq, dtype=np.float64).ravel(), np.asarray(copies, dtype=np.float64).ravel()
    where = "standards"
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
    return y, np.log10(amount)
