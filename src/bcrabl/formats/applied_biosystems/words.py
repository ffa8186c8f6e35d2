"""What documents and older exports of Applied Biosystems share: words for tasks, dyes and no Cq, numbers' precision."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.applied_biosystems.quantstudio_reactions import ROLE_OF_TASK
from bcrabl.formats.numerals import finite_or_none, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cq_or_text", "passive_dye_or_none", "role_of_task", "single_precision"]

_ROLE_OF_TASK = {
    **ROLE_OF_TASK,
    "UNKN": "unkn",
    # In comparative Ct experiments the task says what the detector is for; the sample is an unknown either way
    "TARGET": "unkn",
    "TARG": "unkn",
    "ENDOGENOUS CONTROL": "unkn",
    "ENDC": "unkn",
    "ENDO": "unkn",
    "STND": "std",
    "NO TEMPLATE CONTROL": "ntc",
}
_LARGEST_SINGLE = float(np.finfo(np.float32).max)
_NO_DYE = {"", "none", "null", "-"}


def role_of_task(task: str, place: str, problems: list[Problem]) -> str:
    """The role that a task means; an unknown word adds to `problems`."""
    role = _ROLE_OF_TASK.get(re.sub(r"[\s_-]+", " ", task).strip().upper(), "")
    if not role:
        problems.append(Problem(place, f"task {task!r}", f"one of {', '.join(_ROLE_OF_TASK)}"))
    return role


def passive_dye_or_none(stated: str | None) -> str | None:
    """The passive reference dye, or None where the software writes that there is none."""
    return None if (stated or "").strip().lower() in _NO_DYE else (stated or "").strip()


def cq_or_text(stated: str, cycles: float) -> tuple[float | None, str | None]:
    """Cq as a number, or None and what stands for "none": a word, or the number of cycles.

    Parameters
    ----------
    stated : the cell.
    cycles : the last cycle of the run.
    """
    value = finite_or_none(stated)
    return (value, None) if value is not None and 0 < value < cycles else (None, stated or None)


def single_precision(texts: Sequence[str], where: str) -> NDArray[np.float64]:
    """The numbers that texts spell: the software writes the shortest spelling of a number of single precision.

    Raises
    ------
    DamagedFile : one of them spells none, or one too large.
    """
    values = numbers(texts)
    if values is not None:
        with np.errstate(over="ignore"):
            single = np.array(values, dtype=np.float64).astype(np.float32).astype(np.float64)
        if not np.any(np.isinf(single)):
            return single
    strange = next(text for text in texts if not _is_single(numbers([text])))
    raise DamagedFile(Problem(where, repr(strange), "a number", "Export or copy the file again."))


def _is_single(values: Sequence[float] | None) -> bool:
    return values is not None and not abs(values[0]) > _LARGEST_SINGLE
