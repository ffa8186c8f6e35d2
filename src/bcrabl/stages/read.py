"""Raw file and layout sheet → curves.

The layout sheet completes what the export says and wins where they differ; every difference is recorded with the
reaction. Targets are renamed to the assay protocol's names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bcrabl.errors import FileError, Problem, RunError
from bcrabl.formats import curves_of, read_run

if TYPE_CHECKING:
    import pyarrow as pa

    from bcrabl.run import Run
    from bcrabl.sheets import LayoutRow, RunRow
    from bcrabl.standards import AssayProtocol

__all__ = ["read_curves"]

_COMPLETED = ("role", "sample_id", "known_copies")


def read_curves(run: RunRow, assay: AssayProtocol, layout: Sequence[LayoutRow] = ()) -> pa.Table:
    """The curves of one run, annotated.

    Parameters
    ----------
    run : its row of the run sheet.
    assay : the protocol that names the targets.
    layout : rows of its layout sheet.

    Raises
    ------
    FileError : the raw file is missing or cannot be read.
    RunError : a well holds the same target twice, or the layout names a reaction that the file does not hold.
    """
    if not Path(run.raw_file).exists():
        raise FileError(Problem(f"run {run.run_id}, column raw_file", run.raw_file, "a file or folder that exists"))
    measured = read_run(run.raw_file, part=run.part, column_map=run.column_map)
    reactions = measured.reactions.to_pylist()
    overrides = _apply_layout(reactions, layout, run)
    for reaction in reactions:
        reaction["target"] = assay.canonical_target(reaction["target"]) or reaction["target"]
    _check_unique(reactions, run)
    return _curves_table(measured, reactions, overrides, run)


def _apply_layout(reactions: list[dict[str, object]], layout: Sequence[LayoutRow], run: RunRow) -> list[list[str]]:
    """Overwrite annotations in place; per reaction, what was changed against the export."""
    overrides: list[list[str]] = [[] for _ in reactions]
    lost = []
    for row in layout:
        matches = _matches(reactions, row)
        if not matches:
            lost.append(_not_in_file(reactions, row, run))
        for index in matches:
            overrides[index] += _complete(reactions[index], row)
    if lost:
        raise RunError(lost)
    return overrides


def _matches(reactions: list[dict[str, object]], row: LayoutRow) -> list[int]:
    """Reactions a layout row speaks of: by dye, by target, or the only reaction of its well (renamed then)."""
    in_well = [index for index, reaction in enumerate(reactions) if reaction["well"] == row.well]
    if row.dye:
        # Where the export names no dye, the channel is all there is to call the target (LightCycler 480: "465-510")
        channel = {index: reactions[index]["dye"] or reactions[index]["target"] for index in in_well}
        return [index for index in in_well if channel[index] == row.dye]
    if not row.target:
        return in_well
    same = [index for index in in_well if reactions[index]["target"] == row.target]
    return same or (in_well if len(in_well) == 1 else [])


def _not_in_file(reactions: list[dict[str, object]], row: LayoutRow, run: RunRow) -> Problem:
    held = [f"{reaction['target']} ({reaction['dye']})" for reaction in reactions if reaction["well"] == row.well]
    return Problem(
        f"layout {run.layout}, well {row.well}",
        f"target {row.target or '–'}, dye {row.dye or '–'}",
        f"one of the reactions of that well in the raw file: {', '.join(held) or 'none'}",
        "Name the dye to rename the target of a well that holds several.",
    )


def _complete(reaction: dict[str, object], row: LayoutRow) -> list[str]:
    """Put the sheet's values into a reaction; the contradictions among them in words."""
    changed = []
    if row.target and row.target != reaction["target"]:
        changed.append(f"target: export {reaction['target']}, layout {row.target}")
        reaction["target"] = row.target
    for name in _COMPLETED:
        wanted, said = getattr(row, name), reaction[name]
        if wanted is None or wanted == said:
            continue
        if said is not None:
            changed.append(f"{name}: export {said}, layout {wanted}")
        reaction[name] = wanted
    if reaction["role"] != "std":
        reaction["known_copies"] = None
    return changed


def _check_unique(reactions: list[dict[str, object]], run: RunRow) -> None:
    counts = Counter((reaction["well"], reaction["target"]) for reaction in reactions)
    doubled = [key for key, count in counts.items() if count > 1]
    if not doubled:
        return
    parts = sorted({str(reaction["part"]) for reaction in reactions})
    remedy = f"The file holds several runs: name one of {', '.join(parts)} in column part." if len(parts) > 1 else ""
    raise RunError(
        Problem(f"{run.raw_file}, well {well}", f"target {target} more than once", "each target once in a well", remedy)
        for well, target in doubled
    )


def _curves_table(
    measured: Run, reactions: list[dict[str, object]], overrides: list[list[str]], run: RunRow
) -> pa.Table:
    about = {
        "run_id": run.run_id,
        "run_date": run.run_date or measured.metadata.get("run_date"),
        "instrument": run.instrument or measured.metadata.get("instrument"),
        "raw_file": run.raw_file,
    }
    return curves_of(measured, reactions, about, overrides)
