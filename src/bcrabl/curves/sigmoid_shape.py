"""The sigmoid of rise one, its derivatives, and the axis it is written on.

Symbols: n curves, m cycles; z abscissa: the cycle x, or ln x; s slope (1/z), z0 steepest rise against z, q = 1/f.

    g(z) = (1 + q·exp(-s (z - z0)))^(-1/q)

q → 0 is the Gompertz curve, q = 1 the logistic one. On z = ln x this is the log-logistic "l5" of qpcR (Ritz, Spiess
2008, Bioinformatics 24:1549).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.errors import Problem, RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["ABSCISSAE", "SEARCHED_SLOPES", "Axis", "make_axis", "row_dot", "unit_sigmoid"]

ABSCISSAE = ("cycle", "log_cycle")

_SLOPES = (0.15, 0.25, 0.4, 0.6, 0.9, 1.4)  # 1/cycle: from creeping to near-doubling rises
SEARCHED_SLOPES = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.5, 10.0)
_ASYMMETRIES = (0.4, 1.0, 3.3)  # q
_SLOPE_RANGE = {"cycle": (0.02, 12.0), "log_cycle": (0.2, 600.0)}
_ASYMMETRY_RANGE = {"cycle": (1e-4, 5.0), "log_cycle": (1e-4, 20.0)}  # at 1e-4 a Gompertz curve within 1e-4 of its rise
_CYCLES_BEYOND = 8.0  # how far outside the observed cycles the steepest rise may be placed
_LOG_CYCLES_BEFORE = 2.0
_LARGEST_EXPONENT = 300.0


class Axis(NamedTuple):
    """Where shapes live on one abscissa.

    Parameters
    ----------
    values : (m,) abscissa z of the cycles.
    lowest, highest : (3,) bounds of (ln s, z0, q).
    largest_step : (3,) keeps the first steps of a fit inside their basin.
    grid : (k, 3) shapes to start from.
    """

    values: Array
    lowest: Array
    highest: Array
    largest_step: Array
    grid: Array


def make_axis(cycles: Array, abscissa: str, symmetric: bool, *, searching: bool = False) -> Axis:
    """Lay out bounds and grid for cycles of shape (m,); `searching` for the wider and finer grid of a second look.

    Raises
    ------
    RunError : unknown abscissa, or a logarithm asked of cycles that are not positive.
    """
    if abscissa not in ABSCISSAE:
        raise RunError(Problem("abscissa", repr(abscissa), f"one of {', '.join(ABSCISSAE)}"))
    logarithmic = abscissa == "log_cycle"
    if logarithmic and not np.all(cycles > 0):
        raise RunError(Problem("cycles", "a cycle that is not positive", "1, 2, 3, … where ln(cycle) is the abscissa"))
    asymmetries = (1.0,) if symmetric else _ASYMMETRIES
    positions = np.arange(cycles[0] + 1, cycles[-1] + _CYCLES_BEYOND / 2)
    if searching:
        positions = np.arange(cycles[0] - 2, cycles[-1] + _CYCLES_BEYOND / 2, 0.5)
    slopes = SEARCHED_SLOPES if searching else _SLOPES
    s, q, at = (axis.ravel() for axis in np.meshgrid(slopes, asymmetries, positions, indexing="ij"))
    slope_range, asymmetry_range = np.log(_SLOPE_RANGE[abscissa]), _ASYMMETRY_RANGE[abscissa]
    first, last = cycles[0] - _CYCLES_BEYOND, cycles[-1] + _CYCLES_BEYOND
    if logarithmic:
        at = np.maximum(at, 0.5 * cycles[0])
        s, at = s * at, np.log(at)  # the same slope against x, where it is steepest
        first, last = np.log(cycles[0]) - _LOG_CYCLES_BEFORE, np.log(last)
    return Axis(
        values=np.log(cycles) if logarithmic else cycles,
        lowest=np.array((slope_range[0], first, asymmetry_range[0])),
        highest=np.array((slope_range[1], last, asymmetry_range[1])),
        largest_step=np.array((1.0, 0.2 if logarithmic else 5.0, 1.0)),
        grid=np.column_stack([np.log(s), at, q]),
    )


def unit_sigmoid(abscissa: Array, shape: Array) -> tuple[Array, Array, Array, Array]:
    """The sigmoid of rise one and its derivatives in (ln s, z0, q), each (n, m).

    Parameters
    ----------
    abscissa : (m,) or (n, m) z.
    shape : (n, 3) array of (ln s, z0, q).
    """
    s, q = np.exp(shape[:, 0:1]), shape[:, 2:3]
    distance = abscissa - shape[:, 1:2]
    exponent = -s * distance
    np.clip(exponent, -_LARGEST_EXPONENT, _LARGEST_EXPONENT, out=exponent)
    u = np.exp(exponent, out=exponent)
    t = q * u
    log_term = np.log1p(t)
    left = 1.0 / (1.0 + t)
    value = np.exp(log_term * (-1.0 / q))
    fall = u
    fall *= left
    fall *= value
    fall *= -s
    # the difference below loses digits where t is small, but never more than 1e-8 of the rise: enough for a Jacobian
    t *= left
    log_term -= t
    log_term *= value
    log_term *= 1.0 / q**2
    distance *= fall
    return value, np.negative(distance, out=distance), fall, log_term


def row_dot(left: Array, right: Array) -> Array:
    """(n,) sums of the products of the rows; einsum without BLAS sums each row alike, whatever the others."""
    product: Array = np.einsum("nm,nm->n", left, right, optimize=False)
    return product
