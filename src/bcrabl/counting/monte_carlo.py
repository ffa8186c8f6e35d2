"""The same posterior by brute force, one sample at a time: draws instead of grids, molecules instead of approximations.

A cross-check of `bcrabl.counting.posterior` that shares neither its grids nor its series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.counting.lines import Line

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["WeightedDraws", "draw_copies", "ratio_of_draws"]


class WeightedDraws(NamedTuple):
    """Draws with weights that add up to one."""

    values: Array
    weights: Array

    def quantile(self, probability: float) -> float:
        """The value below which this share of the weight lies."""
        order = np.argsort(self.values)
        place = np.searchsorted(np.cumsum(self.weights[order]), probability)
        return float(self.values[order][min(int(place), len(order) - 1)])

    def at_most(self, value: float) -> float:
        """Weight at or below a value."""
        return float(self.weights[self.values <= value].sum())

    @property
    def effective(self) -> float:
        """Number of equally weighted draws that say as much (Kish 1965, Survey Sampling, ch. 8)."""
        return float(1 / (self.weights**2).sum())


def draw_copies(
    cq: ArrayLike, line: Line, *, seed: int, branching: float, draws: int = 400_000, prior: float = 0.5
) -> WeightedDraws:
    """Draws of the expected copies per reaction of one sample.

    Parameters
    ----------
    cq : (k,) cycles, NaN where undetected.
    line : calibration, scalars, variances proportional to the square of the repeatability.
    seed : of the draws; the same seed gives the same draws.
    branching : relative variance of the product of one molecule.
    prior : exponent c of the prior, see `bcrabl.counting.posterior`.

    Notes
    -----
    Importance sampling: the repeatability from its scaled inverse χ², the line given it, λ from a log-normal wide
    around what the Cq say, molecules from Poisson(λ); the weight is the density of the Cq given all these.
    """
    random = np.random.default_rng(seed)
    cycles = np.atleast_1d(np.asarray(cq, dtype=np.float64))
    a, b, sigma = float(np.asarray(line[0])), float(np.asarray(line[1])), float(np.asarray(line.repeatability))
    freedom = float(np.asarray(line.degrees_of_freedom))
    scale = np.sqrt(freedom / random.chisquare(freedom, draws)) if np.isfinite(freedom) else np.ones(draws)
    covariance = np.array([[line[2], line[4]], [line[4], line[3]]], dtype=np.float64)
    off = random.multivariate_normal(np.zeros(2), covariance, draws, method="eigh") * scale[:, None]
    middle, wide = _proposal(cycles, a, b, sigma)
    deviate = random.standard_normal(draws)
    log_copies = middle + wide * deviate
    log_weight = -prior * np.log(np.exp(-log_copies) + (sigma * np.log(10) / b) ** 2) + deviate**2 / 2
    for one in cycles:
        molecules = random.poisson(np.exp(log_copies)).astype(np.float64)
        if np.isnan(one):
            log_weight = np.where(molecules == 0, log_weight, -np.inf)
            continue
        held = np.maximum(molecules, 1.0)
        variance = (sigma * scale) ** 2 + (b / np.log(10)) ** 2 * branching / held
        distance = one - (a + off[:, 0]) - (b + off[:, 1]) * np.log10(held)
        density = -0.5 * (np.log(variance) + distance**2 / variance)
        log_weight = log_weight + np.where(molecules > 0, density, -np.inf)
    weight = np.exp(log_weight - log_weight.max())
    return WeightedDraws(np.exp(log_copies), weight / weight.sum())


def _proposal(cycles: Array, a: float, b: float, sigma: float) -> tuple[float, float]:
    """Middle and SD of ln λ to draw from, twice as wide as the answer."""
    read = 10 ** ((cycles[np.isfinite(cycles)] - a) / b)
    total = float(read.sum()) + 0.5
    spread = np.sqrt(1 / total + (sigma * np.log(10) / b) ** 2)
    return float(np.log(total / len(cycles))), 2.0 * float(spread)


def ratio_of_draws(
    copies: WeightedDraws, control: WeightedDraws, *, seed: int, factor: float = 1.0, log_factor_sd: float = 0.0
) -> WeightedDraws:
    """Draws of copies / control · factor, the factor log-normal."""
    random = np.random.default_rng(seed)
    number = len(copies.values)
    above, below = (random.choice(one.values, number, p=one.weights) for one in (copies, control))
    chance = np.exp(random.normal(0, log_factor_sd, number)) if log_factor_sd else 1.0
    return WeightedDraws(above / below * factor * chance, np.full(number, 1 / number))
