"""The standard curve of a target: Cq against log10 copies, and back.

Symbols: Cq = a + b · x, x = log10(copies); C covariance of (a, b); σ repeatability; m replicates of an unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.calibration.template import detected_log10_moments
from bcrabl.errors import CalibrationError, Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["CopiesReading", "StandardCurve"]

_COVERAGE = 0.95
_TWO_SIDED_95 = 1.959963984540054
_LN10 = float(np.log(10))


@dataclass(frozen=True)
class CopiesReading:
    """Copies read off a curve, with all that a report may want to say of them; arrays of the shape of the Cq.

    Parameters
    ----------
    copies, low, high : copies/reaction with the 95 % interval; 0 and inf where it has no bound.
    bounded : False where the interval is infinite: the slope does not differ from zero at this confidence.
    within_range : False outside the calibrated range: extrapolated.
    log10_sd : standard error of log10 copies (delta method).
    degrees_of_freedom : of Student's t in the interval.
    """

    copies: Array
    low: Array
    high: Array
    bounded: NDArray[np.bool_]
    within_range: NDArray[np.bool_]
    log10_sd: Array
    degrees_of_freedom: Array


@dataclass(frozen=True)
class StandardCurve:
    """A standard curve.

    Parameters
    ----------
    slope : cycles/decade.
    intercept : cycles, the Cq of one copy.
    covariance : (2, 2) of (intercept, slope), cycles² and cycles²/decade.
    residual_sd : cycles, scatter of one reaction about the line. With weighting `poisson` the repeatability alone;
        with `none` chance in the few molecules of low standards is in it too.
    r_squared : coefficient of determination, of Cq, unweighted whatever the weighting, as acceptance windows mean it.
    points : number of standard reactions.
    copies_low, copies_high : calibrated range, copies/reaction.
    mean_log10_copies, spread : mean and sum of squared distances of the standards' log10 copies, weighted as the fit
        and in units of residual_sd (without weights, slope variance = residual_sd² / spread).
    degrees_of_freedom : of residual_sd²; n - 2 with weighting `none`, fewer where low standards tell little of it.
    weighting : `none` or `poisson`.
    covariance_growth : (2, 2) derivative of `covariance` by residual_sd²; None where the two are proportional.
    calibrator_relative_sd : standard uncertainty of the stock all standards were diluted from, as a fraction of its
        copies (ERM-AD623: U/2 per value); common to all readings, and to all targets on one plasmid.
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
    degrees_of_freedom: float
    weighting: str = "none"
    covariance_growth: Array | None = None
    calibrator_relative_sd: float = 0.0

    @property
    def efficiency(self) -> float:
        """Amplification efficiency, 1 for perfect doubling (Rasmussen 2001)."""
        return float(10 ** (-1 / self.slope) - 1)

    @property
    def calibrator_log10_sd(self) -> float:
        """Standard uncertainty of the stock's log10 copies, log-normal."""
        return float(np.sqrt(np.log1p(self.calibrator_relative_sd**2))) / _LN10

    @property
    def slope_degrees_of_freedom(self) -> float:
        """Of the slope's variance (Satterthwaite)."""
        growth = None if self.covariance_growth is None else self.covariance_growth[1, 1]
        return float(self._effective_degrees(self.covariance[1, 1], growth))

    def log10_copies_sd(self, cq: ArrayLike, replicates: int = 1) -> Array:
        """Standard error of log10 copies read at the mean Cq of `replicates` reactions (calibration + repeatability).

        Notes
        -----
        sqrt(σ²/m + Var(a + b x)) / |b|: inverse prediction by the delta method, which for an unweighted curve is
        s/|b| · sqrt(1/m + 1/n + (x - x̄)²/Sxx) (Miller & Miller 2018, Statistics and Chemometrics for Analytical
        Chemistry, eq. 5.9); the calibrator's own uncertainty in quadrature.
        """
        variance = self.residual_sd**2 / replicates + self.line_variance(self._log10_copies(cq))
        return self._with_calibrator(np.sqrt(variance) / abs(self.slope))

    def shared_log10_copies_sd(self, cq: ArrayLike, *, with_calibrator: bool = True) -> Array:
        """The part of `log10_copies_sd` that all reactions read off this curve share: the line and the calibrator.

        Parameters
        ----------
        cq : cycles.
        with_calibrator : False leaves the stock's uncertainty out, which a ratio of two targets that stand on one
            plasmid does not have.
        """
        line: Array = np.sqrt(self.line_variance(self._log10_copies(cq))) / abs(self.slope)
        return self._with_calibrator(line) if with_calibrator else line

    def copies(self, cq: ArrayLike, replicates: int = 1) -> tuple[Array, Array, Array]:
        """Copies at a Cq, with the 95 % interval of calibration, repeatability and counting: `read` in three arrays.

        Parameters
        ----------
        cq : cycles, any shape; the mean of `replicates` reactions; NaN gives NaN.
        replicates : reactions averaged into each Cq.

        Returns
        -------
        copies, low, high : copies/reaction, of the shape of `cq`: expected copies of what was pipetted, so that chance
            in the molecules is in the interval. Below 10 copies `bcrabl.counting` counts one by one, and holds better.
        """
        reading = self.read(cq, replicates, counting=True)
        return reading.copies, reading.low, reading.high

    def read(self, cq: ArrayLike, replicates: int = 1, *, counting: bool = False) -> CopiesReading:
        """Copies at a Cq and what is known of their error.

        Parameters
        ----------
        cq : cycles, any shape; the mean of `replicates` reactions; NaN gives NaN.
        replicates : reactions averaged into each Cq.
        counting : False: the interval is for the molecules that were in these reactions (their geometric mean). True:
            for the expected copies of the sample, by a normal approximation of log10 n that wants 30 copies or more
            (fewer: one by one in `bcrabl.counting`). Meant for curves with weighting `poisson`; without,
            residual_sd holds part of this already.

        Notes
        -----
        Fieller 1954, J R Stat Soc B 16:175: all x whose line a + b x is compatible with the Cq,
        (Cq - a - b x)² ≤ t² (σ²/m + Var(a + b x)), t on Satterthwaite's degrees of freedom at the reading. Where the
        slope does not differ from zero at this confidence the set has no bound: 0 to inf, `bounded` False. The
        calibrator's uncertainty widens both sides in quadrature on the log scale.
        """
        from scipy.special import stdtrit

        if not (replicates >= 1 and np.isfinite(replicates)):
            raise CalibrationError(Problem("replicates", f"{replicates:g}", "1 or more"))
        x = self._log10_copies(cq)
        own = self.residual_sd**2 / replicates
        counts = self.slope**2 * _counting_variance(x) / replicates if counting else np.zeros_like(x)
        variance = own + counts + self.line_variance(x)
        degrees = np.where(np.isnan(x), np.nan, self._effective_degrees(variance, self._growth(x, replicates)))
        squared_t = stdtrit(degrees, (1 + _COVERAGE) / 2) ** 2
        leading = self.slope**2 - squared_t * self.covariance[1, 1]
        bounded = leading > 0
        lean = squared_t * self._level_slope_covariance(x)
        safe = np.where(bounded, leading, 1.0)
        root = np.sqrt(np.maximum(lean**2 + safe * squared_t * variance, 0.0))
        shared = _TWO_SIDED_95 * self.calibrator_log10_sd
        below = np.where(bounded, np.hypot((root - lean) / safe, shared), np.inf)
        above = np.where(bounded, np.hypot((root + lean) / safe, shared), np.inf)
        with np.errstate(over="ignore"):  # a limit beyond 1e308 copies is infinite
            copies, low, high = (np.where(np.isnan(x), np.nan, 10**limit) for limit in (x, x - below, x + above))
        return CopiesReading(
            copies=copies,
            low=low,
            high=high,
            bounded=bounded | np.isnan(x),
            within_range=(copies >= self.copies_low) & (copies <= self.copies_high),
            log10_sd=self._with_calibrator(np.sqrt(variance) / abs(self.slope)),
            degrees_of_freedom=degrees,
        )

    def _log10_copies(self, cq: ArrayLike) -> Array:
        return (np.asarray(cq, dtype=np.float64) - self.intercept) / self.slope

    def line_variance(self, log10_copies: ArrayLike) -> Array:
        """Variance of a + b x, written about the standards' mean, where the terms do not cancel."""
        return _quadratic(self.covariance, np.asarray(log10_copies, dtype=np.float64), self.mean_log10_copies)

    def _growth(self, log10_copies: Array, replicates: int) -> Array | None:
        """Derivative of the prediction variance by σ²."""
        if self.covariance_growth is None:
            return None
        return 1 / replicates + _quadratic(self.covariance_growth, log10_copies, self.mean_log10_copies)

    def _level_slope_covariance(self, log10_copies: Array) -> Array:
        """Covariance of a + b x with b."""
        (_, mixed), (_, of_slope) = self.covariance
        centre = self.mean_log10_copies
        covariance: Array = mixed + centre * of_slope + (log10_copies - centre) * of_slope
        return covariance

    def _effective_degrees(self, variance: ArrayLike, growth: ArrayLike | None) -> Array:
        """Degrees of freedom of an estimated variance V of which only σ² was estimated.

        2 V² / (V'² Var(σ̂²)) with Var(σ̂²) = 2 σ⁴ / degrees_of_freedom (Satterthwaite 1946, Biometrics Bull 2:110).
        """
        whole = np.asarray(variance, dtype=np.float64)
        if growth is None:
            return np.full_like(whole, self.degrees_of_freedom)
        degrees = self.degrees_of_freedom * (whole / (self.residual_sd**2 * np.asarray(growth))) ** 2
        limited: Array = np.maximum(degrees, 1.0)
        return limited

    def _with_calibrator(self, log10_sd: Array) -> Array:
        error: Array = np.hypot(log10_sd, self.calibrator_log10_sd) if self.calibrator_relative_sd else log10_sd
        return error


def _quadratic(matrix: Array, x: Array, centre: float) -> Array:
    """(1, x) M (1, x)ᵀ, never negative."""
    (level, mixed), (_, of_slope) = matrix
    at_centre = level + 2 * centre * mixed + centre**2 * of_slope
    distance = x - centre
    value: Array = at_centre + 2 * distance * (mixed + centre * of_slope) + distance**2 * of_slope
    return np.where(value < 0, 0.0, value)


def _counting_variance(log10_copies: Array) -> Array:
    expected = 10 ** np.clip(np.where(np.isnan(log10_copies), 0.0, log10_copies), -3, 12)
    return detected_log10_moments(expected.ravel())[1].reshape(expected.shape)
