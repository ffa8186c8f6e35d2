"""Landmarks of a fitted sigmoid as closed forms, their standard errors, and the published 5PSM.

Symbols: n curves, m cycles; x cycle, z abscissa of the fit (x, or ln x), F signal; s slope (1/z), z0 steepest rise
against z, q = 1/f, and

    u = exp(-s (z - z0)),    F = c + d·(1 + q·u)^(-1/q).

On z = x the derivative maxima are the roots u of polynomials with coefficients in q alone; on z = ln x the chain rule
adds terms in s. Every form takes complex numbers, so that its derivatives are those of a complex step (Squire & Trapp
1998, SIAM Rev 40:110), exact to the last digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bcrabl.curves.sigmoid_shape import unit_sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Numbers = NDArray[Any]  # float64, or complex128 where a derivative is taken

__all__ = [
    "Shape",
    "cy0",
    "first_derivative_maximum",
    "relative_crossing",
    "second_derivative_argmax",
    "second_derivative_maximum",
    "standard_error",
    "third_derivative_maximum",
]

_COMPLEX_STEP = 1e-30
_ROOT_STEPS = 12  # Newton from above the largest root of a cubic: digits double from the fourth step on
_GRID_STEP = 0.01  # cycles, the resolution of qpcR's efficiency()
_CURVES_AT_ONCE = 64


class Shape(NamedTuple):
    """Shapes of n sigmoids: ln s, z0 and q, each (n,), and whether z is ln(cycle)."""

    log_slope: Numbers
    steepest: Numbers
    asymmetry_inverse: Numbers
    logarithmic: bool


def first_derivative_maximum(shape: Shape) -> Numbers:
    """(n,) cycle of the steepest rise against the cycle; NaN where a log-cycle curve only ever slows down."""
    return _cycle(shape, _steepest_u(shape))


def second_derivative_maximum(shape: Shape) -> Numbers:
    """(n,) cycle at which the curve's acceleration is largest (cpD2 of Ritz & Spiess 2008, Bioinformatics 24:1549)."""
    s, q = np.exp(shape.log_slope), shape.asymmetry_inverse
    if not shape.logarithmic:
        return _cycle(shape, ((3 + q) + np.sqrt((1 + q) * (5 + q))) / 2)
    # F''' = 0 over ln x: s²(u² - (3 + q)u + 1) - 3s(u - 1)(1 + qu) + 2(1 + qu)² = 0
    square, linear = (s - q) * (s - 2 * q), -(3 + q) * s**2 - 3 * s * (1 - q) + 4 * q
    constant = (s + 1) * (s + 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        u = (-linear + np.sqrt(linear**2 - 4 * square * constant)) / (2 * square)
    return _cycle(shape, np.where(np.real(s - 2 * q) > 0, u, np.nan))


def third_derivative_maximum(shape: Shape) -> Numbers:
    """(n,) cycle at which the third derivative is largest: where the curve takes off; NaN on ln(cycle)."""
    q = shape.asymmetry_inverse
    if shape.logarithmic:
        return np.full(np.shape(q), np.nan)
    square, linear = 6 + 4 * q + q**2, 7 + 4 * q
    u = square
    for _ in range(_ROOT_STEPS):
        u = u - (((u - square) * u + linear) * u - 1) / ((3 * u - 2 * square) * u + linear)
    return _cycle(shape, u)


def cy0(shape: Shape) -> Numbers:
    """(n,) cycle at which the tangent of the steepest rise meets the baseline (Guescini 2008, BMC Bioinf 9:326)."""
    u = _steepest_u(shape)
    at = _cycle(shape, u)
    foot = (1 + shape.asymmetry_inverse * u) / (np.exp(shape.log_slope) * u)
    tangent: Numbers = at - foot * at if shape.logarithmic else at - foot
    return tangent


def relative_crossing(shape: Shape, share: float | Array) -> Numbers:
    """(n,) cycle at which the rise reaches a share of itself, 0 < share < 1, one or one per curve."""
    q = shape.asymmetry_inverse
    return _cycle(shape, np.expm1(-q * np.log(share)) / q)


def standard_error(landmark: Callable[[Shape], Numbers], shape: Shape, covariance: Array) -> Array:
    """(n,) standard error of a landmark by the delta method, cycles.

    Parameters
    ----------
    landmark : one of the functions above.
    shape : n shapes.
    covariance : (n, 3, 3) covariance of (ln s, z0, q).
    """
    moved = []
    for k in range(3):
        part = [np.asarray(value, dtype=np.complex128) for value in shape[:3]]
        part[k] = part[k] + 1j * _COMPLEX_STEP
        with np.errstate(invalid="ignore"):  # a curve without a fit stays NaN
            moved.append(np.imag(landmark(Shape(part[0], part[1], part[2], shape.logarithmic))) / _COMPLEX_STEP)
    gradient = np.column_stack(moved)
    variance = ((covariance * gradient[:, None, :]).sum(axis=2) * gradient).sum(axis=1)
    error: Array = np.sqrt(np.where(variance >= 0, variance, np.nan))
    return error


def _steepest_u(shape: Shape) -> Numbers:
    if not shape.logarithmic:
        return np.ones_like(shape.asymmetry_inverse)
    s, q = np.exp(shape.log_slope), shape.asymmetry_inverse
    rises = np.real(s - q) > 0
    return np.where(rises, (1 + s) / np.where(rises, s - q, 1.0), np.nan)


def _cycle(shape: Shape, u: Numbers) -> Numbers:
    z = shape.steepest - np.log(u) / np.exp(shape.log_slope)
    cycle: Numbers = np.exp(z) if shape.logarithmic else z
    return cycle


def second_derivative_argmax(shape: Shape, first: float, last: Array) -> Array:
    """(n,) cycle of the largest second derivative on the grid first, first + 0.01, … up to each curve's last cycle.

    The way of qpcR's `efficiency` (Ritz & Spiess 2008, Bioinformatics 24:1549): a grid, not a root, so that a curve
    that never slows down gives its last cycle. NaN where the shape is.

    Parameters
    ----------
    shape : n shapes.
    first : first cycle of the grid.
    last : (n,) last cycle.
    """
    steps = int(np.rint((np.nanmax(last, initial=first) - first) / _GRID_STEP))
    grid: Array = first + _GRID_STEP * np.arange(steps + 1, dtype=np.float64)
    table = np.column_stack(shape[:3]).astype(np.float64)
    found = np.full(len(table), np.nan)
    usable = np.flatnonzero(np.isfinite(table).all(axis=1))
    for begin in range(0, len(usable), _CURVES_AT_ONCE):
        rows = usable[begin : begin + _CURVES_AT_ONCE]
        acceleration = _acceleration(grid, table[rows], shape.logarithmic)
        acceleration[grid[None, :] > last[rows, None] + _GRID_STEP / 2] = -np.inf
        found[rows] = grid[acceleration.argmax(axis=1)]
    return found


def _acceleration(grid: Array, table: Array, logarithmic: bool) -> Array:
    """(n, k) second derivative of the unit sigmoid against the cycle."""
    z = np.log(grid) if logarithmic else grid
    value, _, fall, _ = unit_sigmoid(z, table)
    s, q = np.exp(table[:, :1]), table[:, 2:3]
    speed = -fall
    # u/(1 + qu) and 1/(1 + qu) from the speed: F' = g·s·u/(1 + qu)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(value > 0, speed / (value * s), 0.0)
    bend = speed * s * (share - (1 - q * share))
    result: Array = (bend - speed) / grid**2 if logarithmic else bend
    return result
