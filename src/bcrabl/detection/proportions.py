"""A share of positive reactions and its exact interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bcrabl.detection.checks import checked_share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["exact_share_interval"]


def exact_share_interval(detected: ArrayLike, total: ArrayLike, confidence: float = 0.95) -> tuple[Array, Array]:
    """Lower and upper end of the chance behind `detected` of `total` (Clopper & Pearson 1934, Biometrika 26:404).

    Parameters
    ----------
    detected, total : (k,) positive reactions and all reactions, total above 0.

    Examples
    --------
    >>> low, high = exact_share_interval([0, 20], [20, 20])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.0, 0.8316], [0.1684, 1.0])
    """
    from scipy.special import betaincinv

    tail = (1 - checked_share("confidence", confidence)) / 2
    y, n = np.asarray(detected, dtype=np.float64), np.asarray(total, dtype=np.float64)
    low: Array = np.where(y > 0, betaincinv(np.maximum(y, 1), n - y + 1, tail), 0.0)
    high: Array = np.where(y < n, betaincinv(y + 1, np.maximum(n - y, 1), 1 - tail), 1.0)
    return low, high
