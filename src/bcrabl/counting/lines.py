"""The calibration as counting molecules needs it: a line, how far it may be off, and how well a reaction repeats.

Symbols: Cq = a + b · log10 n of n molecules; σ repeatability of one reaction without counting; ν degrees of freedom of
σ; s samples.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["Line", "branching_variance", "line_of", "scale_nodes", "shift_nodes"]

SCALE_NODES, SHIFT_NODES = 3, 5
_LN10 = float(np.log(10))


class Line(NamedTuple):
    """One calibration for all samples, or one for each.

    Parameters
    ----------
    intercept, slope : scalar or (s,), cycles and cycles/decade.
    intercept_variance, slope_variance, covariance : scalar or (s,), cycles², at the estimated repeatability.
    repeatability : scalar or (s,), cycles: SD of Cq between reactions that hold the same number of molecules.
    degrees_of_freedom : of the repeatability, scalar or (s,); inf where it is known.
    intercept_growth, slope_growth, covariance_growth : derivatives of the three by the square of the repeatability; NaN
        where they are proportional to it.
    stock_log_sd : SD of the logarithm of the copies in the stock the standards were diluted from.
    """

    intercept: ArrayLike
    slope: ArrayLike
    intercept_variance: ArrayLike
    slope_variance: ArrayLike
    covariance: ArrayLike
    repeatability: ArrayLike
    degrees_of_freedom: ArrayLike = np.inf
    intercept_growth: ArrayLike = np.nan
    slope_growth: ArrayLike = np.nan
    covariance_growth: ArrayLike = np.nan
    stock_log_sd: ArrayLike = 0.0

    def of(self, samples: int) -> Line:
        """The same with every entry an (s,) array."""
        return Line(*(np.broadcast_to(np.asarray(each, dtype=np.float64), (samples,)) for each in self))

    def rows(self, which: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Line:
        """The lines of some samples; entries must be arrays."""
        return Line(*(np.asarray(each)[which] for each in self))

    def shift_variance(self, log10_copies: Array, factor: Array | None = None) -> Array:
        """(s, m) variance, cycles², of the line at log10 copies (s, m) or (m,) without the stock; entries (s,) arrays.

        Parameters
        ----------
        factor : (s, 1) on the square of the repeatability, 1 where None.
        """
        entries = [np.asarray(each)[:, None] for each in self]
        variance = _quadratic(entries[2], entries[3], entries[4], log10_copies)
        if factor is not None:
            growth = entries[5] ** 2 * _quadratic(entries[7], entries[8], entries[9], log10_copies)
            growth = np.where(np.isfinite(entries[7]), growth, variance)
            variance = variance + (factor - 1) * growth
        return np.maximum(variance, 0.0)

    def stock_variance(self) -> Array:
        """(s, 1) variance, cycles², that the stock of the standards gives every reading; entries must be arrays."""
        variance: Array = (np.asarray(self.stock_log_sd) * np.asarray(self.slope) / _LN10)[:, None] ** 2
        return variance


def _quadratic(level: Array, slope: Array, both: Array, x: Array) -> Array:
    value: Array = level + x * (2 * both + x * slope)
    return value


class _Curve(Protocol):
    @property
    def intercept(self) -> float: ...
    @property
    def slope(self) -> float: ...
    @property
    def covariance(self) -> Array: ...
    @property
    def residual_sd(self) -> float: ...
    @property
    def points(self) -> int: ...


def line_of(curve: _Curve) -> Line:
    """The line of a `StandardCurve`; its `degrees_of_freedom` where it has them, else points - 2."""
    growth = getattr(curve, "covariance_growth", None)
    growth = np.full((2, 2), np.nan) if growth is None else growth
    return Line(
        intercept=curve.intercept,
        slope=curve.slope,
        intercept_variance=float(curve.covariance[0, 0]),
        slope_variance=float(curve.covariance[1, 1]),
        covariance=float(curve.covariance[0, 1]),
        repeatability=curve.residual_sd,
        degrees_of_freedom=float(getattr(curve, "degrees_of_freedom", curve.points - 2)),
        intercept_growth=float(growth[0, 0]),
        slope_growth=float(growth[1, 1]),
        covariance_growth=float(growth[0, 1]),
        stock_log_sd=float(np.sqrt(np.log1p(getattr(curve, "calibrator_relative_sd", 0.0) ** 2))),
    )


def branching_variance(slope: ArrayLike) -> Array:
    """Relative variance of the product of one molecule, (1 - E)/(1 + E), with E = 10^(-1/slope) - 1 kept in [0, 1].

    Notes
    -----
    Every molecule is copied or not by chance in the first cycles, and its luck stays with the curve: Galton-Watson
    process with offspring 1 + Bernoulli(E) (Peccoud & Jacob 1996, Biophys J 71:101). n molecules: divided by n.
    """
    efficiency = np.clip(10 ** (-1 / np.asarray(slope, dtype=np.float64)) - 1, 0.0, 1.0)
    variance: Array = (1 - efficiency) / (1 + efficiency)
    return variance


def scale_nodes(degrees_of_freedom: ArrayLike, nodes: int = SCALE_NODES) -> tuple[Array, Array]:
    """(s, nodes) factors on the variances and their weights: σ² is known to a scaled inverse χ² with ν.

    Notes
    -----
    Gauss-Laguerre in the precision, which is Gamma(ν/2): a normal mixed over the nodes has the tails of Student's t.
    """
    freedom = np.atleast_1d(np.asarray(degrees_of_freedom, dtype=np.float64))
    kinds, which = np.unique(freedom, return_inverse=True)
    every = [_scale_nodes(float(kind), nodes) for kind in kinds]
    factor, weight = np.array([pair[0] for pair in every]), np.array([pair[1] for pair in every])
    return factor[which], weight[which]


@lru_cache(maxsize=256)
def _scale_nodes(freedom: float, nodes: int) -> tuple[Array, Array]:
    from scipy.special import gammaln, roots_genlaguerre

    if freedom > 200:  # Student's t is the normal to three digits
        return np.ones(nodes), np.full(nodes, 1 / nodes)
    point, weight = roots_genlaguerre(nodes, freedom / 2 - 1)
    return freedom / (2 * point), weight / np.exp(gammaln(freedom / 2))


@lru_cache(maxsize=8)
def shift_nodes(nodes: int = SHIFT_NODES) -> tuple[Array, Array]:
    """Points and weights of the standard normal distribution (Gauss-Hermite)."""
    point, weight = np.polynomial.hermite_e.hermegauss(nodes)
    return point, weight / weight.sum()
