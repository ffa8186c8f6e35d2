"""How likely the Cq of a sample are for each expected number of copies.

A reaction with λ expected copies holds n ~ Poisson(λ) molecules. Each is found with probability p; a reaction without
a molecule found is undetected, any other gives Cq = a + b · log10 n + ε, ε ~ N(0, σ² + (b/ln 10)² · q/n) with q the
branching variance. The line (a, b) is off by an amount all reactions of the sample share; σ is known as well as its
degrees of freedom say. Both are integrated over.

Symbols: s samples, k reactions each, g points of λ.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.counting.lines import Line, scale_nodes, shift_nodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["POINTS", "ROOT_STEP", "counted_likelihood", "log_count_moments", "normal_likelihood"]

POINTS = 101
ROOT_STEP = float(np.sqrt(10.0)) / (POINTS - 1)  # of the fourth root of λ, 0 to 100: fine next to 0, and never coarser
# than half the SD of a Poisson mean
_MOST_MOLECULES = 130  # P(n > 130 | λ = 100) = 0.002, and λ = 100 is itself far out where this grid is used
_SAMPLES_AT_A_TIME = 64  # what fits the processor's cache
_LN10 = float(np.log(10))
_NORMAL_SCALE_NODES = 9


def counted_likelihood(cq: Array, tested: Array, line: Line, branching: Array, found: float = 1.0) -> Array:
    """(s, g) likelihood on the even grid of the fourth root of λ, 0 to 100, by summing over the number of molecules.

    Parameters
    ----------
    cq : (s, k) cycles, NaN where undetected or not tested.
    tested : (s,) reactions tested.
    line : entries (s,).
    branching : (s,) relative variance of the product of one molecule.
    found : probability p that a molecule is found.
    """
    blocks = [slice(start, start + _SAMPLES_AT_A_TIME) for start in range(0, len(cq), _SAMPLES_AT_A_TIME)]
    parts = [_counted(cq[rows], tested[rows], line.rows(rows), branching[rows], found) for rows in blocks]
    return np.concatenate(parts) if parts else np.empty((0, POINTS))


def _counted(cq: Array, tested: Array, line: Line, branching: Array, found: float) -> Array:
    molecules = np.arange(1.0, _MOST_MOLECULES + 1)
    log10 = np.log10(molecules)
    a, b, sigma = (np.asarray(each)[:, None] for each in (line.intercept, line.slope, line.repeatability))
    factor, weight = scale_nodes(line.degrees_of_freedom)
    point, share = shift_nodes()
    off = np.stack([line.shift_variance(log10, each[:, None]) for each in factor.T], axis=1)
    shift = np.sqrt(off + line.stock_variance()[:, None])  # (s, scale, n)
    expected = (a + b * log10)[:, None, None, :] + point[:, None] * shift[:, :, None, :]  # (s, scale, shift, n)
    variance = (
        factor[:, :, None] * sigma[:, :, None] ** 2 + ((b / _LN10) ** 2 * branching[:, None] / molecules)[:, None, :]
    )
    precision = (1 / variance)[:, :, None, :]
    height = np.sqrt(precision)
    product: Array = (weight[:, :, None] * share).reshape(len(cq), weight.shape[1] * len(share), 1)
    count = _poisson(found)
    for column in cq.T:
        density: Array = height * np.exp(-0.5 * precision * (column[:, None, None, None] - expected) ** 2)
        density = density.reshape(len(cq), product.shape[1], _MOST_MOLECULES)
        each = np.matmul(np.where(np.isfinite(column)[:, None, None], density, 0.0), count)
        product = np.asarray(product * np.where(np.isfinite(column)[:, None, None], each, 1.0))
    missed = (tested - np.isfinite(cq).sum(axis=1))[:, None]
    return np.asarray(product.sum(axis=1) * np.exp(-found * missed * _copies_of_grid()))


def _copies_of_grid() -> Array:
    copies: Array = np.asarray((ROOT_STEP * np.arange(POINTS, dtype=np.float64)) ** 4)
    return copies


@lru_cache(maxsize=8)
def _poisson(found: float) -> Array:
    """(n, g) probability that a reaction holds n = 1, 2, … molecules and is detected."""
    from scipy.special import gammaln, xlogy

    n, copies = np.arange(1.0, _MOST_MOLECULES + 1)[:, None], _copies_of_grid()
    probability: Array = np.exp(xlogy(n, copies) - copies - gammaln(n + 1)) * (1 - (1 - found) ** n)
    return probability


def log_count_moments(copies: Array) -> tuple[Array, Array]:
    """Mean and variance of ln n for n ~ Poisson(copies), copies of 20 and more (series in 1/copies)."""
    inverse = 1 / copies
    mean = np.log(copies) - inverse * (1 / 2 + inverse * (5 / 12 + inverse * 3 / 4))
    variance = inverse * (1 + inverse * (3 / 2 + inverse * 43 / 12))
    return mean, variance


def normal_likelihood(cq: Array, log_copies: Array, line: Line, branching: Array) -> Array:
    """(s, g) likelihood, largest 1, on grids (s, g) of ln λ, with ln n normal: its mean and variance are matched.

    The line's shift is common to a sample's reactions: their mean tells about λ, their spread about σ. Undetected
    reactions say nothing here (see `bcrabl.counting.posterior`).
    """
    detected = np.isfinite(cq)
    number = detected.sum(axis=1)[:, None].astype(np.float64)
    mean = np.where(detected, cq, 0.0).sum(axis=1)[:, None] / number
    squares = (np.where(detected, cq - mean, 0.0) ** 2).sum(axis=1)[:, None]
    a, b, sigma = (np.asarray(each)[:, None] for each in (line.intercept, line.slope, line.repeatability))
    copies = np.exp(log_copies)
    log_mean, log_variance = log_count_moments(np.maximum(copies, 5.0))
    counting = (b / _LN10) ** 2 * (log_variance + branching[:, None] / np.maximum(copies, 5.0))
    distance = mean - (a + b / _LN10 * log_mean)
    log10_copies, stock = log_copies / _LN10, line.stock_variance()
    factor, weight = scale_nodes(line.degrees_of_freedom, _NORMAL_SCALE_NODES)
    log_likelihood = []
    for node in range(factor.shape[1]):
        scale = factor[:, node, None]
        own = scale * sigma**2 + counting
        whole = own / number + line.shift_variance(log10_copies, scale) + stock
        log_likelihood.append(
            np.log(weight[:, node, None])
            - 0.5 * ((number - 1) * np.log(own) + squares / own + np.log(whole) + distance**2 / whole)
        )
    every = np.stack(log_likelihood)
    likelihood: Array = np.exp(every - every.max(axis=(0, 2))[:, None]).sum(axis=0)
    return likelihood
