"""The noise of the curves of one target on one plate: how large, how it grows with the signal, how far it reaches.

Symbols: n curves, m cycles; g share of the rise reached; W weight of a reading.

A reading's variance is V = s²·(a + b·g²): s² of each curve is shrunk to the plate's median, a and b are the plate's.
Errors of neighbouring cycles are alike where a baseline drifts or the curve is not quite what the model says. Their
correlation ρ_l at distance l is that of the plate's residuals (curve by curve it cannot be told from chance), and
changes the variance of what is read off a curve, Σ b_i e_i √W_i with white e, by the factor

    1 + 2 Σ_l (1 - l/(L+1))·ρ_l·(Σ_i b_i b_{i+l})/(Σ_i b_i²)

(Newey & West 1987, Econometrica 55:703). A straight drift the fit takes for its own and leaves no residual of: its
variance τ² over the plate is read off the slopes of the flat cycles, and enters the variance of the Cq by what a drift
does to it. Every function on (n, m) arrays gives sums per curve, so that curves can be
taken in blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.curves.joint_fit import Prior, Readings, covariance, linearise
from bcrabl.curves.sigmoid_shape import row_dot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = [
    "LAGS",
    "FreeFits",
    "Serial",
    "baseline_slopes",
    "drift_variance",
    "noise_profile",
    "noise_sums",
    "serial_factor",
    "serial_sums",
    "weigh",
]

LAGS = 8  # L, cycles: about half of what lies on either side of a Cq
_CYCLES_PAST_THE_RISE = 8.0
_LEAST_READINGS = 6
_NOISE_DEGREES_OF_FREEDOM = 10.0  # the plate's noise stands for so many readings of each curve
_LEAST_NOISE = 1e-7  # SD as a share of the rise: noise-free curves keep finite weights
_FEW_READINGS = 10
_LARGEST_SQUARE = 9.0  # of a residual in SDs: a spike is no noise profile
_LEAST_FACTOR = 0.5
_FLAT_SHARE = 0.01
_LEAST_FLAT = 5
_ROUNDS = 10


class FreeFits(NamedTuple):
    """The free fits of n curves: θ (n, 3), baseline and rise (n,), noise variance of each (n,), a.u.²."""

    theta: Array
    baseline: Array
    rise: Array
    variance: Array

    def rows(self, index: slice) -> FreeFits:
        """The curves of `index` alone."""
        return FreeFits(*(part[index] for part in self))


class Serial(NamedTuple):
    """How the errors of neighbouring readings of n curves go together, and what they do to the Cq.

    `products` (n, L+1), sums over the curve of products of residuals (in SDs) l = 0 … L apart, with what white noise
    loses of them to the fit given back; `influence` (n, L+1), the like of the readings' influence on the Cq; `drift`
    (n,), cycles by which a drift of one rise per cycle moves the Cq.
    """

    products: Array
    influence: Array
    drift: Array


def noise_sums(x: Array, y: Array, free: FreeFits) -> Array:
    """(n, 5) number and squared residuals (in SDs) below .05 of the rise; number, squared residuals, g² above .3."""
    present, counted, share = _counted(x, y, free)
    residuals = np.where(present, y - free.baseline[:, None] - free.rise[:, None] * share, 0.0)
    power = np.minimum(residuals**2 / free.variance[:, None], _LARGEST_SQUARE)
    squared = share**2
    low, high = present & (squared < 0.05**2), counted & (squared > 0.3**2)
    sums = [low, np.where(low, power, 0.0), high, np.where(high, power, 0.0), np.where(high, squared, 0.0)]
    return np.column_stack([part.sum(axis=1, dtype=np.float64) for part in sums])


def baseline_slopes(x: Array, y: Array, free: FreeFits) -> Array:
    """(n, 2) slope of the readings below .01 of the rise, in rises per cycle, and its variance by white noise.

    Slope 0 of infinite variance where there are fewer than five such readings.
    """
    present, _, share = _counted(x, y, free)
    flat = present & (share < _FLAT_SHARE)
    number = flat.sum(axis=1)
    middle = np.where(flat, x, 0.0).sum(axis=1) / np.maximum(number, 1)
    distance = np.where(flat, x - middle[:, None], 0.0)
    spread = np.maximum((distance**2).sum(axis=1), 1e-300)
    level = np.where(flat, y / free.rise[:, None] - share, 0.0)
    enough = number >= _LEAST_FLAT
    slope = np.where(enough, row_dot(distance, level) / spread, 0.0)
    return np.column_stack([slope, np.where(enough, free.variance / free.rise**2 / spread, np.inf)])


def drift_variance(slopes: Array) -> float:
    """τ², variance of the drift of the plate's baselines, (rises per cycle)², beyond what noise makes of flat ones.

    A drift that all wells share moves all their Cq alike, the standards' among them; it does not count.
    """
    slope, by_noise = slopes[np.isfinite(slopes[:, 1])].T
    if not len(slope):
        return 0.0
    square = (slope - np.median(slope)) ** 2
    found = max(float(np.median(square - by_noise)), 0.0)
    for _ in range(_ROUNDS):
        expected = by_noise + found
        excess = np.minimum(square, _LARGEST_SQUARE * expected) - by_noise
        found = max(float((excess / expected**2).sum() / (1 / expected**2).sum()), 0.0)
    return found


def noise_profile(sums: Array) -> tuple[float, float]:
    """a and b of V/s² = a + b·g² from the sums of all curves."""
    n_low, power_low, n_high, power_high, squared = (float(total) for total in sums.sum(axis=0))
    if not n_low:
        return 1.0, 0.0
    quiet = power_low / n_low
    if n_low <= _FEW_READINGS or n_high <= _FEW_READINGS:
        return max(quiet, 0.05), 0.0
    growth = (power_high / n_high - quiet) / (squared / n_high)
    return max(quiet, 0.05), max(growth, 0.0)


def weigh(x: Array, y: Array, free: FreeFits, median: float, profile: tuple[float, float]) -> Array:
    """(n, m) 1/variance of every reading that counts; `median` is the plate's of variance/rise²."""
    present, counted, share = _counted(x, y, free)
    freedom = np.maximum(present.sum(axis=1) - 5, 1)
    pooled = freedom * free.variance / free.rise**2 + _NOISE_DEGREES_OF_FREEDOM * median
    variance = pooled / (freedom + _NOISE_DEGREES_OF_FREEDOM) * free.rise**2
    a, b = profile
    weights: Array = counted / (variance[:, None] * (a + b * share**2))
    return weights


def _counted(x: Array, y: Array, free: FreeFits) -> tuple[Mask, Mask, Array]:
    """Which readings are present, which count (up to eight cycles past the steepest rise), and g."""
    present = np.isfinite(y)
    counted = present & (x <= free.theta[:, 1:2] + _CYCLES_PAST_THE_RISE)
    counted = np.where((counted.sum(axis=1) >= _LEAST_READINGS)[:, None], counted, present)
    s, q = np.exp(free.theta[:, :1]), free.theta[:, 2:]
    share = np.exp(-np.log1p(q * np.exp(np.clip(-s * (x - free.theta[:, 1:2]), -60.0, 60.0))) / q)
    return present, counted, share


def serial_sums(readings: Readings, theta: Array, prior: Prior, sensitivity: Array) -> Serial:
    """Products of neighbouring readings of fitted curves; `sensitivity` (n, 3), derivative of the Cq in θ."""
    state, residuals, columns = linearise(readings, theta, prior)
    root = np.sqrt(readings.weights)
    shape, *jacobian = (root * column for column in columns)
    inverse = covariance(state.normal)
    c00, c01, c02, c11, c12, c22 = inverse.T
    g0, g1, g2 = sensitivity.T
    by = (c00 * g0 + c01 * g1 + c02 * g2, c01 * g0 + c11 * g1 + c12 * g2, c02 * g0 + c12 * g1 + c22 * g2)
    influence = by[0][:, None] * jacobian[0] + by[1][:, None] * jacobian[1] + by[2][:, None] * jacobian[2]
    # columns whose products with themselves sum to the hat matrix: Cholesky of C
    l00 = np.sqrt(np.maximum(c00, 1e-300))
    l10, l20 = c01 / l00, c02 / l00
    l11 = np.sqrt(np.maximum(c11 - l10**2, 1e-300))
    l21 = (c12 - l10 * l20) / l11
    l22 = np.sqrt(np.maximum(c22 - l20**2 - l21**2, 0.0))
    hat = (
        root / np.sqrt(readings.total)[:, None],
        shape / np.sqrt(state.rise_precision)[:, None],
        l00[:, None] * jacobian[0] + l10[:, None] * jacobian[1] + l20[:, None] * jacobian[2],
        l11[:, None] * jacobian[1] + l21[:, None] * jacobian[2],
        l22[:, None] * jacobian[2],
    )
    products = _products(root * residuals)
    for column in hat:
        products += _products(column)
    drift = state.rise * row_dot(influence, root * readings.cycles)
    return Serial(products, _products(influence), drift)


def _products(values: Array) -> Array:
    """(n, L+1) sums of products of the values l = 0 … L apart."""
    m = values.shape[1]
    return np.column_stack(
        [
            row_dot(values[:, : m - lag], values[:, lag:]) if lag < m else np.zeros(len(values))
            for lag in range(LAGS + 1)
        ]
    )


def serial_factor(serial: Serial) -> Array:
    """(n,) by how much correlated noise changes the variance that white noise would give."""
    total = serial.products.sum(axis=0)
    own, change = np.maximum(serial.influence[:, 0], 1e-300), np.zeros(len(serial.influence))
    for lag in range(1, LAGS + 1):
        taper = 1 - lag / (LAGS + 1)
        change += taper * total[lag] / max(total[0], 1e-300) * serial.influence[:, lag]
    factor: Array = np.maximum(1 + 2 * change / own, _LEAST_FACTOR)
    return factor
