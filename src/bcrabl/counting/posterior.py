"""What the reactions of a sample say about its copies, as a distribution that answers: how likely at or below this?

The prior of ln λ is (1/λ + τ²)^-c, with τ the scatter of ln copies read from a Cq: λ^c where counting rules, level
where the scatter does. c = 1/2 is Jeffreys' (the root of the Fisher information). Without scatter, Garwood's exact
Poisson limits are those of c = 0 (lower) and c = 1 (upper) (Garwood 1936, Biometrika 28:437), and Jeffreys' those that
Brown, Cai & DasGupta (2003, Statistica Sinica 13:19) advise for a Poisson mean.

Symbols: s samples, g points of λ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.counting.likelihood import POINTS, ROOT_STEP, counted_likelihood, normal_likelihood
from bcrabl.counting.lines import Line, branching_variance

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["COUNTED_BELOW", "Cumulative", "Likelihood", "copies_likelihood"]

COUNTED_BELOW = 30.0  # copies/reaction up to which molecules are counted one by one
_LN10 = float(np.log(10))
_LEAST_REPEATABILITY = 0.003  # cycles: a Cq printed with two decimals has this SD from rounding
_FARTHEST = 12.0  # standard errors the grid reaches to either side at most


class Likelihood(NamedTuple):
    """The likelihood of λ on a grid, evenly spaced in its fourth root (few copies) or ln λ (many).

    Parameters
    ----------
    origin, step : (s,) of the grid.
    root : (s,) the grid is in the fourth root of λ.
    values : (s, g).
    scatter : (s,) variance τ² of ln copies read from one Cq, without counting.
    detected, tested : (s,) reactions.
    found : probability that a molecule is found.
    unlikely_dropout : (s,) an undetected reaction beside others with COUNTED_BELOW copies and more, which counting does
        not explain (probability below 1e-12); it then says nothing about the copies.
    """

    origin: Array
    step: Array
    root: Mask
    values: Array
    scatter: Array
    detected: Array
    tested: Array
    found: float
    unlikely_dropout: Mask

    def cumulative(self, prior: float = 0.5) -> Cumulative:
        """The posterior distribution under the prior of this exponent c."""
        place = self.origin[:, None] + self.step[:, None] * np.arange(POINTS)
        root = self.root[:, None]
        log_root = np.log(np.where(root, np.maximum(place, ROOT_STEP / 100), 1.0))
        log_copies = np.where(root, 4 * log_root, place)
        log_prior = -prior * np.log(np.exp(-log_copies) + self.scatter[:, None]) - np.where(root, log_root, 0.0)
        density = self.values * np.exp(log_prior)
        if prior > 0.25:  # the prior's own zero at λ = 0
            density[self.root, 0] = 0.0
        return _cumulative(self, density)


class Cumulative(NamedTuple):
    """A distribution of λ: `below` and `density` at the points of the grid, per step of it."""

    origin: Array
    step: Array
    root: Mask
    below: Array
    density: Array

    def at(self, log_copies: Array) -> Array:
        """(s, m) probability that λ is at most exp(log_copies), (s, m)."""
        with np.errstate(over="ignore"):
            place = np.where(self.root[:, None], np.exp(0.25 * np.minimum(log_copies, 50.0)), log_copies)
        place = np.clip((place - self.origin[:, None]) / self.step[:, None], 0.0, POINTS - 1.0)
        cell = np.minimum(np.nan_to_num(place).astype(np.int64), POINTS - 2)
        flat = cell + POINTS * np.arange(len(cell))[:, None]
        along = place - cell
        low, high = self.below.ravel()[flat], self.below.ravel()[flat + 1]
        bend = _bend(self.density.ravel()[flat], self.density.ravel()[flat + 1])
        share: Array = low + (high - low) * along * (1 + bend * (along - 1))
        return share

    def quantile(self, probability: ArrayLike) -> Array:
        """(s,) copies below which λ lies with `probability`, scalar or (s,)."""
        wanted = np.broadcast_to(np.asarray(probability, dtype=np.float64), self.step.shape)
        cell = np.clip((self.below < wanted[:, None]).sum(axis=1) - 1, 0, POINTS - 2)
        row = np.arange(len(cell))
        low, high = self.below[row, cell], self.below[row, cell + 1]
        bend = _bend(self.density[row, cell], self.density[row, cell + 1])
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.clip((wanted - low) / (high - low), 0.0, 1.0)
            along = 2 * share / (1 - bend + np.sqrt((1 - bend) ** 2 + 4 * bend * share))
        place = self.origin + self.step * (cell + np.where(share > 0, along, 0.0))
        copies: Array = np.where(self.root, place**4, np.exp(np.where(self.root, 0.0, place)))
        return np.where(np.isfinite(self.below[:, -1]), copies, np.nan)


def _bend(left: Array, right: Array) -> Array:
    """How much a cell's share grows along it, -1 to 1, when its density runs straight from left to right."""
    total = left + right
    bend: Array = np.where(total > 0, (right - left) / np.where(total > 0, total, 1.0), 0.0)
    return bend


def _cumulative(likelihood: Likelihood, density: Array) -> Cumulative:
    """Trapezoids with the Euler-Maclaurin correction by the slopes."""
    slope = np.gradient(density, axis=1)
    cells = (density[:, 1:] + density[:, :-1]) / 2 - (slope[:, 1:] - slope[:, :-1]) / 12
    below = np.concatenate([np.zeros((len(density), 1)), np.cumsum(np.maximum(cells, 0.0), axis=1)], axis=1)
    total = below[:, -1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        return Cumulative(likelihood.origin, likelihood.step, likelihood.root, below / total, density / total)


def copies_likelihood(
    cq: ArrayLike,
    line: Line,
    *,
    tested: ArrayLike | None = None,
    branching: ArrayLike | None = None,
    found: float = 1.0,
) -> Likelihood:
    """The likelihood of the expected copies per reaction of every sample.

    Parameters
    ----------
    cq : (s, k) cycles, NaN where undetected; where samples have fewer reactions than k, NaN as well.
    line : calibration of the target.
    tested : (s,) reactions tested; k where None.
    branching : relative variance of the product of one molecule; from the slope where None.
    found : probability that a molecule is found.
    """
    cycles = np.ascontiguousarray(np.atleast_2d(np.asarray(cq, dtype=np.float64)))
    number = len(cycles)
    lines = line.of(number)
    lines = lines._replace(repeatability=np.maximum(np.asarray(lines.repeatability), _LEAST_REPEATABILITY))
    tests = np.broadcast_to(np.asarray(cycles.shape[1] if tested is None else tested, dtype=np.float64), (number,))
    spread = branching_variance(lines.slope) if branching is None else branching
    spread = np.broadcast_to(np.asarray(spread, dtype=np.float64), (number,))
    detected = np.isfinite(cycles).sum(axis=1).astype(np.float64)
    guess = _guess(cycles, lines, detected)
    few = (detected == 0) | (guess < np.log(COUNTED_BELOW))
    many = ~few
    origin, step = np.zeros(number), np.full(number, ROOT_STEP)
    values = np.empty((number, POINTS))
    values[few] = counted_likelihood(cycles[few], tests[few], lines.rows(few), spread[few], found)
    if many.any():
        own = lines.rows(many)
        origin[many], step[many] = _log_grid(guess[many], detected[many], own, spread[many])
        grid = origin[many][:, None] + step[many][:, None] * np.arange(POINTS)
        values[many] = normal_likelihood(cycles[many], grid, own, spread[many])
    values[tests == 0] = np.nan
    scatter = (_LN10 * np.asarray(lines.repeatability) / np.asarray(lines.slope)) ** 2
    return Likelihood(origin, step, few, values, scatter, detected, tests, found, many & (detected < tests))


def _guess(cycles: Array, line: Line, detected: Array) -> Array:
    """(s,) ln copies read off the line at the mean Cq of the detected reactions."""
    a, b = np.asarray(line.intercept), np.asarray(line.slope)
    mean = np.where(np.isfinite(cycles), cycles, 0.0).sum(axis=1) / np.maximum(detected, 1.0)
    guess: Array = np.where(detected > 0, (mean - a) / b * _LN10, -np.inf)
    return guess


def _log_grid(guess: Array, detected: Array, line: Line, branching: Array) -> tuple[Array, Array]:
    from scipy.special import stdtrit

    per_cycle = _LN10 / np.abs(np.asarray(line.slope))
    shift = (line.shift_variance(guess[:, None] / _LN10) + line.stock_variance())[:, 0]
    counting = (1 + branching) * np.exp(-guess)
    sd = np.sqrt((per_cycle**2 * np.asarray(line.repeatability) ** 2 + counting) / detected + per_cycle**2 * shift)
    reach = np.minimum(-stdtrit(np.minimum(np.asarray(line.degrees_of_freedom), 1e6), 1e-5), _FARTHEST) * sd
    return guess - reach, 2 * reach / (POINTS - 1)
