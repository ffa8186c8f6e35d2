"""Numbers from callers, as arrays of floats or refused in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import BcrablError, Problem, RunError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["numbers"]


def numbers(name: str, values: ArrayLike, fault: type[BcrablError] = RunError) -> Array:
    """The values as an array of floats.

    Parameters
    ----------
    name : what they are, for the message.
    fault : class of the error.

    Raises
    ------
    BcrablError : of class `fault`: they are not numbers, or lists of unequal length.
    """
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise fault(Problem(name, f"no numbers: {error}", "an array of numbers")) from error
