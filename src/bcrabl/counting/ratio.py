"""The ratio of two targets, with everything that makes it uncertain.

ratio = λ of BCR::ABL1 / λ of the control gene · factor. The control gene's distribution stands at nodes; what is
common to all samples (the conversion factor) widens it, a correlation of the two calibrations narrows it. At each
node the distribution of BCR::ABL1 is asked, which needs no assumption about its shape.

Symbols: s samples, q nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.counting.posterior import Cumulative

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["Divisor", "divisor", "largest_ratio_if_undetected", "ratio_cumulative", "ratio_quantile"]

_NODES = np.linspace(-4.8, 4.8, 25)
_WEIGHTS = np.exp(-(_NODES**2) / 2) / np.exp(-(_NODES**2) / 2).sum()
_STEPS = 12
_LEAST, _MOST = 1e-15, 1 - 1e-15


class Divisor(NamedTuple):
    """What BCR::ABL1 copies are divided by: (s, q) logarithms, in the middle of the distribution and around it."""

    log_nodes: Array
    middle: Array
    spread: Array


def divisor(
    control: Cumulative, factor: ArrayLike = 1.0, log_factor_sd: ArrayLike = 0.0, shared: ArrayLike = 0.0
) -> Divisor:
    """The distribution of control copies / factor.

    Parameters
    ----------
    control : posterior of the control gene's copies.
    factor : scalar or (s,): volume, conversion factor, 100 for %.
    log_factor_sd : scalar or (s,) SD of ln factor.
    shared : scalar or (s,) covariance of the errors of ln copies of the two targets, from standards they share.

    Notes
    -----
    The control's quantiles keep their shape and are moved away from its median by the ratio of the SDs with and
    without the two additions. Of the variance at least a hundredth is left.
    """
    from scipy.special import ndtr

    nodes = np.stack([np.log(control.quantile(float(share))) for share in ndtr(_NODES)], axis=1)
    middle = nodes[:, len(_NODES) // 2]
    distance = nodes - middle[:, None]
    own = (_WEIGHTS * distance**2).sum(axis=1)
    spread = np.maximum(
        own + np.asarray(log_factor_sd, dtype=np.float64) ** 2 - 2 * np.asarray(shared, dtype=np.float64), own / 100
    )
    middle = middle - np.log(np.asarray(factor, dtype=np.float64))
    with np.errstate(invalid="ignore"):
        wider = np.sqrt(spread / own)
    return Divisor(middle[:, None] + wider[:, None] * distance, middle, np.sqrt(spread))


def ratio_cumulative(copies: Cumulative, by: Divisor, ratio: ArrayLike) -> Array:
    """(s,) probability that the ratio is at most `ratio`, scalar or (s,)."""
    with np.errstate(divide="ignore"):
        log_ratio = np.log(np.broadcast_to(np.asarray(ratio, dtype=np.float64), by.middle.shape))
    return _below(copies, by, log_ratio)


def _below(copies: Cumulative, by: Divisor, log_ratio: Array) -> Array:
    probability: Array = (copies.at(log_ratio[:, None] + by.log_nodes) * _WEIGHTS).sum(axis=1)
    return probability


def ratio_quantile(copies: Cumulative, by: Divisor, probability: float) -> Array:
    """(s,) ratio below which the truth lies with `probability`.

    Notes
    -----
    The normal deviate of the probability is nearly straight in ln ratio: regula falsi with Illinois' halving
    (Dowell & Jarratt 1971, BIT 11:168) between the quantiles at the outermost nodes.
    """
    from scipy.special import ndtri

    target = float(ndtri(probability))
    with np.errstate(divide="ignore"):
        own = np.log(copies.quantile(probability))
        middle = np.log(copies.quantile(0.5)) - by.middle
        if probability < 0.5:
            low, high = own - by.log_nodes[:, -1], middle + by.spread
        else:
            low, high = middle - by.spread, own - by.log_nodes[:, 0]

    def excess(log_ratio: Array) -> Array:
        return np.asarray(ndtri(np.clip(_below(copies, by, log_ratio), _LEAST, _MOST))) - target

    at_low, at_high = excess(low), excess(high)
    for _ in range(_STEPS):
        with np.errstate(invalid="ignore", divide="ignore"):
            between = (low * at_high - high * at_low) / (at_high - at_low)
        between = np.where(np.isfinite(between), between, (low + high) / 2)
        at = excess(between)
        right = at > 0
        at_low, at_high = (
            np.where(right, at_low / 2, at),
            np.where(right, at, at_high / 2),
        )
        low, high = np.where(right, low, between), np.where(right, between, high)
    ratio: Array = np.exp(np.where(np.abs(at_low) < np.abs(at_high), low, high))
    return ratio


def largest_ratio_if_undetected(molecules: Array, by: Divisor, tail: float = 0.05) -> Array:
    """(s,) one-sided upper bound of the ratio of an undetected sample.

    Parameters
    ----------
    molecules : (s,) reactions tested × probability that a molecule is found.
    tail : probability to see nothing if the ratio were as high as the bound.

    Notes
    -----
    Solves E[exp(-molecules · ratio · divisor)] = tail over the divisor's distribution: ln(1/0.05) = 2.996 expected
    molecules when the divisor is exact.
    """
    nodes = by.log_nodes
    log_ratio = np.log(-np.log(tail)) - np.log(molecules) - by.middle
    for _ in range(_STEPS):
        expected = molecules[:, None] * np.exp(log_ratio[:, None] + nodes)
        unseen = np.exp(-expected)
        chance = (unseen * _WEIGHTS).sum(axis=1)
        falls = (unseen * expected * _WEIGHTS).sum(axis=1)
        log_ratio = log_ratio + chance * np.log(chance / tail) / falls
    ratio: Array = np.exp(log_ratio)
    return ratio
