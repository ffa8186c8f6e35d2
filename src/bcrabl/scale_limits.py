"""95 % limits of a ratio: those that the Cq give are carried here, those that copies alone give are made here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["ScaleLimits", "limits_of_copies", "poisson_limits"]

_TWO_SIDED_95 = 1.959963984540054
_TAIL = 0.025


@dataclass(frozen=True)
class ScaleLimits:
    """95 % limits from the Cq themselves (`bcrabl.counting`), which know more than the copies do.

    Parameters
    ----------
    ratio, on_scale : lower and upper limit, %; of an undetected sample 0 and the bound.
    at_most : probability that the value on the scale is at most the level of each class, in the order of the rules;
        empty where nothing can be said.
    """

    ratio: tuple[float, float]
    on_scale: tuple[float, float]
    at_most: tuple[float, ...] = ()


def poisson_limits(count: ArrayLike) -> tuple[Array, Array]:
    """Exact 95 % limits of a Poisson mean from a count, which need not be whole (Garwood 1936, Biometrika 28:437).

    For a count of 0 the upper limit is the one-sided 95 % bound 2.996: "three copies exclude themselves".
    """
    from scipy.special import gammaincinv

    n = np.asarray(count, dtype=np.float64)
    low = np.where(n > 0, gammaincinv(np.where(n > 0, n, 1.0), _TAIL), 0.0)
    high = gammaincinv(n + 1, np.where(n > 0, 1 - _TAIL, 0.95))
    return low, high


def limits_of_copies(
    target: Array,
    control: float,
    log10_sd: tuple[float, float],
    factor: float | None,
    factor_interval: tuple[float, float] | None,
) -> ScaleLimits:
    """Limits where only copies are known.

    Parameters
    ----------
    target : (k,) copies/reaction of the BCR::ABL1 replicates, 0 where undetected.
    control : control gene copies in the same volume.
    log10_sd : standard errors, in log10, of both sums.
    factor, factor_interval : conversion factor with its 95 % interval.

    Notes
    -----
    Counting (exact Poisson) and calibration limits of numerator, denominator and factor are combined as distances on
    the log scale (MOVER: Donner & Zou 2012, Stat Methods Med Res 21:347).
    """
    nan = float("nan")
    if control <= 0:
        return ScaleLimits((nan, nan), (nan, nan))
    copies = float(target.sum())
    conversion = nan if factor is None else factor
    ratio = 100 * copies / control
    if not copies:
        bound = 100 * float(poisson_limits(0)[1]) / control
        return ScaleLimits((0.0, bound), (0.0 * conversion, bound * conversion))
    counts = np.array([copies, control])
    low, high = poisson_limits(counts)
    low = np.maximum(low, np.finfo(np.float64).tiny)  # of a millionth of a molecule nothing is left
    down, up = np.log(counts / low), np.log(high / counts)
    shared = (_TWO_SIDED_95 * np.log(10)) ** 2 * (log10_sd[0] ** 2 + log10_sd[1] ** 2)
    below, above = down[0] ** 2 + up[1] ** 2 + shared, up[0] ** 2 + down[1] ** 2 + shared
    local = _around(ratio, below, above)
    if factor is None or factor_interval is None:
        return ScaleLimits(local, (local[0] * conversion, local[1] * conversion))
    below += np.log(factor / factor_interval[0]) ** 2
    above += np.log(factor_interval[1] / factor) ** 2
    return ScaleLimits(local, _around(ratio * factor, below, above))


def _around(value: float, below: float, above: float) -> tuple[float, float]:
    """Limits at squared distances on the log scale."""
    return value * float(np.exp(-np.sqrt(below))), value * float(np.exp(np.sqrt(above)))
