"""Are these arrays curves at all? Said once, in words a caller understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bcrabl.arrays import numbers
from bcrabl.errors import Problem, RunError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["checked_curves"]


def checked_curves(cycles: ArrayLike, fluorescence: ArrayLike) -> tuple[Array, Array]:
    """Cycles (m,) and fluorescence (n, m) as contiguous arrays of floats.

    Raises
    ------
    RunError : shapes that do not fit together, cycles that are no rising numbers.
    """
    x, y = numbers("cycles", cycles), np.ascontiguousarray(numbers("fluorescence", fluorescence))
    if x.ndim != 1 or y.ndim != 2 or y.shape[1] != len(x):
        raise RunError(Problem("curves", f"cycles {x.shape}, fluorescence {y.shape}", "shapes (m,) and (n, m)"))
    if len(x) < 3 or not np.all(np.isfinite(x)) or np.any(np.diff(x) <= 0):
        raise RunError(Problem("cycles", "fewer than three, or not rising", "1, 2, 3, …"))
    return x, y
