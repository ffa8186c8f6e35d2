"""Point estimates of a sample's copies, and how far each is off at few copies.

Symbols: s samples, k reactions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bcrabl.counting.lines import Line
from bcrabl.counting.posterior import Likelihood

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["mean_copies_read", "most_likely_copies"]


def mean_copies_read(cq: ArrayLike, line: Line, tested: ArrayLike | None = None) -> Array:
    """(s,) mean over the reactions tested of the copies read off the line, undetected ones as 0.

    Notes
    -----
    What the guideline's ratio is made of (Cross 2012, Leukemia 26:2172: sums over replicates). 10^(error of log10
    copies) is above 1 on average: with an error of τ in ln copies by exp(τ²/2), 1 % at a repeatability of 0.2 cycles.
    There is no other bias at few copies: the mean of a Poisson count is its expectation.
    """
    cycles = np.atleast_2d(np.asarray(cq, dtype=np.float64))
    lines = line.of(len(cycles))
    read = 10 ** ((cycles - np.asarray(lines.intercept)[:, None]) / np.asarray(lines.slope)[:, None])
    tests = np.asarray(cycles.shape[1] if tested is None else tested, dtype=np.float64)
    mean: Array = np.where(np.isfinite(read), read, 0.0).sum(axis=1) / tests
    return mean


def most_likely_copies(likelihood: Likelihood) -> Array:
    """(s,) copies at which the likelihood is largest; 0 where nothing was detected.

    Notes
    -----
    The highest point of the grid, moved to the top of the parabola of the logarithm through it and its neighbours.
    """
    values = likelihood.values
    top = np.clip(values.argmax(axis=1), 1, values.shape[1] - 2)
    row = np.arange(len(values))
    with np.errstate(divide="ignore", invalid="ignore"):
        before, at, after = (np.log(values[row, top + step]) for step in (-1, 0, 1))
        move = 0.5 * (before - after) / (before - 2 * at + after)
    place = likelihood.origin + likelihood.step * (top + np.where(np.isfinite(move), np.clip(move, -1, 1), 0.0))
    copies = np.where(likelihood.root, place**4, np.exp(np.where(likelihood.root, 0.0, place)))
    return np.where(likelihood.detected > 0, copies, 0.0)
