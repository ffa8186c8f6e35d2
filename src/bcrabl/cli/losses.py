"""What a written file gives back otherwise than the run it was written from: found by reading it, not by belief."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from bcrabl.cli.terminal import counted, paragraph
from bcrabl.errors import Problem, ResultsError
from bcrabl.formats.wells import plate_order

if TYPE_CHECKING:
    from bcrabl.run import Run

__all__ = ["losses", "refuse_changed"]

_MUST_COME_BACK = ("well", "target", "dye", "sample_id", "role", "known_copies", "vendor_omitted")
_STATED = ("instrument", "software", "run_date")
_OF_THE_FILE = ("format", "sha256", "warnings", "parts", "passive_reference")


def refuse_changed(run: Run, again: Run, path: str) -> None:
    """Raise where what was read back is not what was written: reactions, roles, copies, cycles, curves or stage.

    Raises
    ------
    ResultsError : it differs.
    """
    before, after = _in_order(run), _in_order(again)
    differing = [
        f"{name} of {counted(count, 'reaction')}"
        for name in _MUST_COME_BACK
        if (count := _count(_pairs(before.rows, after.rows, name))) or len(before.rows) != len(after.rows)
    ]
    if not _same_signal(before, after) or run.stage != again.stage:
        differing.append("curves")
    if differing:
        found = f"a file that does not give back what was written: {', '.join(differing)}"
        raise ResultsError(Problem(path, found, "the same run", "Nothing was written; convert to .parquet instead."))


def losses(run: Run, again: Run) -> list[str]:
    """Sentences on what the written file does not give back, or not as it was.

    Parameters
    ----------
    run : what was written.
    again : the same, read back.
    """
    before, after = _in_order(run).rows, _in_order(again).rows
    vendor = [name for name in run.reactions.schema.names if name.startswith("vendor_") and name != "vendor_omitted"]
    counts = {name: _count(_pairs(before, after, name)) for name in vendor}
    of_run = [name for name, value in sorted(run.metadata.items()) if _is_lost(name, value, again)]
    return [
        *_sentence(
            "RDML has no field for all that the vendor's software said. As words in notes only, or changed: ",
            [f"{name} of {counted(count, 'reaction')}" for name, count in counts.items() if count],
        ),
        *_sentence("As words in the description of the run only: ", of_run),
        *_remarks(run),
    ]


def _remarks(run: Run) -> list[str]:
    wells = {(row["part"], row["well"]) for row in run.reactions.to_pylist() if not row["sample_id"]}
    unnamed = (
        (len(wells), "well", " without a sample"),
        (run.reactions["dye"].null_count, "reaction", " without a dye"),
    )
    listed = [counted(*what) for what in unnamed if what[0]]
    subtracted = ["the curves are baseline subtracted already"] if run.stage == "baseline_subtracted" else []
    return [
        *_sentence('Written as "not stated", since RDML needs a name: ', listed),
        *_sentence("RDML asks for signal with its baseline: ", subtracted),
    ]


def _sentence(opening: str, listed: list[str]) -> list[str]:
    return paragraph(f"{opening}{', '.join(listed)}.", "    ", "  ") if listed else []


def _is_lost(name: str, value: object, again: Run) -> bool:
    if name in _OF_THE_FILE or value in (None, "", ()):
        return False
    return name not in _STATED or again.metadata.get(name) != value


class _in_order:  # noqa: N801 - reads as a phrase: before = _in_order(run)
    """Reactions and signal of a run in the order of the plate, over the cycles in which anything was read."""

    def __init__(self, run: Run) -> None:
        listed = run.reactions.to_pylist()
        self.rows = sorted(listed, key=_place)
        order = sorted(range(len(listed)), key=lambda index: _place(listed[index]))
        signals = [run.fluorescence, *([] if run.passive_reference is None else [run.passive_reference])]
        read = np.any([np.isfinite(signal).any(axis=0) for signal in signals], axis=0)
        self.cycles = run.cycles[read]
        self.signals = [signal[order][:, read] for signal in signals]


def _place(row: Mapping[str, Any]) -> tuple[str, tuple[object, ...], str]:
    return row["part"] or "", plate_order(row["well"]), row["target"]


def _pairs(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]], name: str) -> list[tuple[Any, Any]]:
    return [(one[name] or None, other[name] or None) for one, other in zip(before, after, strict=False)]


def _count(pairs: Iterable[tuple[object, object]]) -> int:
    return sum(one != other for one, other in pairs)


def _same_signal(before: _in_order, after: _in_order) -> bool:
    return (
        np.array_equal(before.cycles, after.cycles)
        and len(before.signals) == len(after.signals)
        and all(
            np.array_equal(one, other, equal_nan=True) for one, other in zip(before.signals, after.signals, strict=True)
        )
    )
