"""What two estimated repeatabilities do to the interval of a ratio.

The posterior of a ratio of two targets, each with a repeatability of its own, is that of Behrens and Fisher, whose
95 % interval holds the truth too often, in 96.5 % of cases with 6 degrees of freedom each (Robinson 1976, Ann Stat
4:963). Welch's holds it in 95 % (Welch 1947, Biometrika 34:28). Interval limits are drawn in by the ratio of the two
quantiles, that of Behrens and Fisher by Patil's scaled t (Patil 1965, Biometrika 52:21).

Symbols: V_0 the part of the variance of the log ratio that is known (counting, conversion factor), V_1 and V_2 what the
two estimated repeatabilities give it, ν their degrees of freedom; s samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.counting.lines import Line, branching_variance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["LogVariance", "log_variance", "narrowing"]

_LN10 = float(np.log(10))
_TAIL = 0.975
_LEAST_FREEDOM = 4.5  # Patil's t matches fourth moments, which Student's t has from 4 degrees of freedom on
_MOST_FREEDOM = 1e6


class LogVariance(NamedTuple):
    """The variance of ln copies, (s,) each.

    Parameters
    ----------
    known, repeated : what is known of it, and what the estimated repeatability gives.
    degrees_of_freedom : of the repeatability, the sample's own replicates included.
    line : what the line without its stock gives of both.
    """

    known: Array
    repeated: Array
    degrees_of_freedom: Array
    line: Array


def log_variance(line: Line, copies: Array, detected: Array) -> LogVariance:
    """The parts of the variance of ln copies of samples.

    Parameters
    ----------
    line : entries (s,).
    copies : (s,) expected copies per reaction.
    detected : (s,) reactions with a Cq.
    """
    held, number = np.maximum(copies, 0.1), np.maximum(detected, 1.0)
    log10_copies = np.log10(held)[:, None]
    sigma, slope = np.asarray(line.repeatability), np.asarray(line.slope)
    per_cycle = (_LN10 / slope) ** 2
    shift = line.shift_variance(log10_copies)[:, 0]
    grows = shift - line.shift_variance(log10_copies, np.zeros((len(held), 1)))[:, 0]
    known = (1 + branching_variance(slope)) / (held * number) + per_cycle * (
        shift - grows + line.stock_variance()[:, 0]
    )
    freedom = np.minimum(np.asarray(line.degrees_of_freedom) + number - 1, _MOST_FREEDOM)
    return LogVariance(known, per_cycle * (sigma**2 / number + grows), freedom, per_cycle * shift)


def narrowing(known: Array, parts: Sequence[LogVariance]) -> Array:
    """(s,) Welch's quantile over Behrens and Fisher's, 1 where degrees of freedom are too few to say."""
    from scipy.special import stdtrit

    freedom = [np.maximum(part.degrees_of_freedom, _LEAST_FREEDOM) for part in parts]
    whole = known + sum(part.repeated for part in parts)
    grown = [part.repeated * nu / (nu - 2) for part, nu in zip(parts, freedom, strict=True)]
    first = known + sum(grown)
    second = sum(each**2 / (nu - 4) for each, nu in zip(grown, freedom, strict=True))
    satterthwaite = sum(part.repeated**2 / nu for part, nu in zip(parts, freedom, strict=True))
    welch = np.minimum(whole**2 / np.maximum(satterthwaite, whole**2 / _MOST_FREEDOM), _MOST_FREEDOM)
    patil = np.minimum(4 + first**2 / np.maximum(second, first**2 / _MOST_FREEDOM), _MOST_FREEDOM)
    behrens_fisher = np.sqrt(first / whole * (patil - 2) / patil) * stdtrit(patil, _TAIL)
    enough = np.all([part.degrees_of_freedom >= _LEAST_FREEDOM for part in parts], axis=0)
    return np.where(enough, np.minimum(stdtrit(welch, _TAIL) / behrens_fisher, 1.0), 1.0)
