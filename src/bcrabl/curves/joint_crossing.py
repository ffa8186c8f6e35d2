"""Where a fitted curve reaches a tenth of its rise, and how that depends on its shape.

θ = (ln s, x0, q) as in `bcrabl.curves.joint_fit`; with h the level the crossing is x0 - ln((h^-q - 1)/q)/s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["RELATIVE_LEVEL", "quadratic", "relative_crossing", "sensitivity"]

RELATIVE_LEVEL = 0.10  # share of the curve's own rise at which its Cq is read


def relative_crossing(theta: Array) -> Array:
    """(n,) cycle at which the curve reaches `RELATIVE_LEVEL` of its rise."""
    q = theta[:, 2]
    crossing: Array = theta[:, 1] - np.log(np.expm1(-q * np.log(RELATIVE_LEVEL)) / q) / np.exp(theta[:, 0])
    return crossing


def sensitivity(theta: Array) -> Array:
    """(n, 3) derivatives of the relative crossing in (ln s, x0, q)."""
    s, q = np.exp(theta[:, 0]), theta[:, 2]
    grown = -np.log(RELATIVE_LEVEL)
    less_one = np.expm1(grown * q)
    to_q = -(grown * (less_one + 1) / less_one - 1 / q) / s
    return np.column_stack([np.log(less_one / q) / s, np.ones_like(s), to_q])


def quadratic(vector: Array, matrix: Array) -> Array:
    """(n,) vᵀ·M·v of (n, 3) vectors and symmetric (n, 6) matrices."""
    a, b, c = vector.T
    m00, m01, m02, m11, m12, m22 = matrix.T
    value: Array = m00 * a * a + m11 * b * b + m22 * c * c + 2 * (m01 * a * b + m02 * a * c + m12 * b * c)
    return value
