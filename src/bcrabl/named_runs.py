"""Rows of a sheet that name runs and targets: are these there?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bcrabl.errors import Problem
from bcrabl.schemas import suggest

if TYPE_CHECKING:
    from bcrabl.sheet_reading import Sheet
    from bcrabl.standards import AssayProtocol

__all__ = ["unknown_places"]


def unknown_places(sheet: Sheet, assays: Mapping[str, AssayProtocol], remedy: str = "") -> Iterator[Problem]:
    """The problems of runs that the run sheet does not name, and of targets that their assay does not know.

    Parameters
    ----------
    sheet : with columns run_id and target.
    assays : protocol of every run of the run sheet.
    remedy : what to do about an unknown target.
    """
    for line in sheet.lines:
        run, target = line.cells.get("run_id"), line.cells.get("target")
        if run is not None and run not in assays:
            yield Problem(sheet.place(line, "run_id"), repr(run), "a run of the runs sheet", suggest(run, assays))
        elif run and target and assays[run].canonical_target(target) is None:
            names = ", ".join(one.name for one in assays[run].targets)
            expected = f"a target of assay {assays[run].id} or one of its aliases: {names}"
            yield Problem(sheet.place(line, "target"), repr(target), expected, remedy)
