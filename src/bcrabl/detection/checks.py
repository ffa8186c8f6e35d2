"""What a detection study must be before anything is computed of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from bcrabl.errors import CalibrationError, Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = [
    "amounts",
    "checked_choice",
    "checked_replicates",
    "checked_share",
    "lengths_differ",
    "refuse",
    "sample_labels",
]


def refuse(problems: Problem | Sequence[Problem]) -> NoReturn:
    """Raise the error of a study that cannot be used, with every reason."""
    raise CalibrationError(problems)


def amounts(where: str, values: ArrayLike, unit: str, remedy: str = "") -> tuple[Array, list[Problem]]:
    """The values as a flat array, and what is wrong with them: not a number, infinite, negative, none at all."""
    try:
        numbers = np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        return np.empty(0), [Problem(where, f"{values!r}", f"{unit}, numbers")]
    wrong = numbers[~(np.isfinite(numbers) & (numbers >= 0))]
    if len(numbers) == 0:
        return numbers, [Problem(where, "no value", f"{unit}, one for each result", remedy)]
    if len(wrong):
        found = f"{wrong[0]:g}" + (f" and {len(wrong) - 1} more" if len(wrong) > 1 else "")
        return numbers, [Problem(where, found, f"{unit}, 0 or positive", remedy)]
    return numbers, []


def lengths_differ(where: str, first: Array, first_name: str, second: Array, second_name: str) -> list[Problem]:
    """A problem where two arrays should stand side by side and cannot."""
    if first.shape == second.shape:
        return []
    return [
        Problem(where, f"{len(first)} {first_name} and {len(second)} {second_name}", "one of each for every result")
    ]


def sample_labels(samples: ArrayLike | None, values: Array) -> NDArray[np.intp]:
    """Number of the sample each value is of; all of one sample without labels."""
    if samples is None:
        return np.zeros(len(values), dtype=np.intp)
    labels = np.asarray(samples).ravel()
    if labels.shape != values.shape:
        refuse(lengths_differ("samples", labels, "labels", values, "results"))
    number: NDArray[np.intp] = np.unique(labels, return_inverse=True)[1].ravel()
    return number


def checked_share(where: str, share: float) -> float:
    """A probability strictly between 0 and 1."""
    if not 0 < share < 1:
        refuse(Problem(where, f"{share:g}", "a probability between 0 and 1, 0.95 for 95 %"))
    return float(share)


def checked_replicates(replicates: int) -> int:
    """A number of reactions."""
    if not (replicates >= 1 and replicates == int(replicates)):
        refuse(Problem("replicates", f"{replicates:g}", "a number of reactions, 1 or more"))
    return int(replicates)


def checked_choice(where: str, choice: str, known: Sequence[str]) -> str:
    """One of the known words."""
    if choice not in known:
        refuse(Problem(where, f"{choice!r}", "one of " + ", ".join(known)))
    return choice
