"""LightCycler 96 experiments (.lc96p, and what its software exports as .rdml): a zip of RDML and documents beside it.

The RDML document holds samples, wells and raw curves; see `rdml`. Calls, the concentrations of standards and exclusions
are joined from the other documents; see `lc96_calculated`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.rdml.annotation import Plate, Quantity
from bcrabl.formats.rdml.reading import Beside, read_rdml
from bcrabl.formats.roche.lc96_calculated import CALLED_POSITIVE, Graph, is_lightcycler_96, read_graphs
from bcrabl.formats.source import Format, RawFile
from bcrabl.formats.xmltree import collector_paused

if TYPE_CHECKING:
    from bcrabl.run import Run

__all__ = ["FORMAT"]

_PLATE = Plate(8, 12)
_LIKELY_COPIES = 1.0  # a standard of fewer copies in a reaction is one of another unit


def _read(source: RawFile, part: str | None) -> Run:
    from bcrabl.tables import REACTIONS

    with collector_paused():
        graphs = read_graphs(source)
        _refuse_contradictions(source.path, graphs)
        run = read_rdml(source, part, _beside(graphs))
    rows = [_with_cq_if_positive(row) for row in run.reactions.to_pylist()]
    _refuse_standards_of_nothing(source.path, rows)
    warnings = (*run.warnings, *_warnings(rows, graphs))
    metadata = {**run.metadata, "format": FORMAT.name, "warnings": warnings}
    return replace(run, reactions=REACTIONS.from_rows(rows), metadata=metadata)


FORMAT = Format(
    name="LightCycler 96 experiment",
    export="Save the processed LightCycler 96 experiment (.lc96p).",
    claims=is_lightcycler_96,
    read=_read,
)


def _refuse_contradictions(path: str, graphs: Iterable[Graph]) -> None:
    problems = [
        Problem(
            f"{path}, react {graph.key[1]!r}, target {graph.key[2]!r}",
            f"concentrations {_listed(graph.entered)}",
            "one for each standard",
            "Save the experiment in the LightCycler 96 software again.",
        )
        for graph in graphs
        if len(graph.entered) > 1
    ]
    if problems:
        raise DamagedFile(problems)


def _listed(values: Iterable[float]) -> str:
    return " and ".join(f"{value:g}" for value in sorted(values))


def _beside(graphs: Iterable[Graph]) -> Beside:
    """What takes the place of what the RDML document says."""
    quantities: dict[tuple[str, str, str], Quantity] = {}
    columns: dict[tuple[str, str, str], Mapping[str, object]] = {}
    for graph in graphs:
        for entered in graph.entered:
            quantities[graph.key] = Quantity(entered, "")
        own: dict[str, object] = {"vendor_call": _agreed_call(graph)}
        if graph.excluded:
            own["vendor_omitted"] = True
        if not graph.entered and len(graph.concentrations) == 1:
            own["vendor_quantity"] = next(iter(graph.concentrations))
        if graph.cqs:
            (own["vendor_cq"], own["vendor_cq_text"]) = _agreed_cq(graph)
        columns[graph.key] = own
    return Beside(quantities, columns)


def _agreed_call(graph: Graph) -> str | None:
    """The call that the software and every analysis share; None where they differ or there is none."""
    return graph.calls[0] if len(set(graph.calls)) == 1 else None


def _agreed_cq(graph: Graph) -> tuple[float | None, str | None]:
    """The Cq that all analyses share; None and all of them where they differ."""
    return (next(iter(graph.cqs)), None) if len(graph.cqs) == 1 else (None, _listed(graph.cqs))


def _with_cq_if_positive(row: dict[str, object]) -> dict[str, object]:
    """A row whose Cq is a text unless the call is Positive."""
    cq = row["vendor_cq"]
    if cq is None or row["vendor_call"] == CALLED_POSITIVE:
        return row
    return row | {"vendor_cq": None, "vendor_cq_text": f"{cq:.12g}"}


def _refuse_standards_of_nothing(path: str, rows: Iterable[Mapping[str, object]]) -> None:
    problems = [
        Problem(
            f"{path}, well {row['well']}, target {row['target']!r}",
            f"a standard of quantity {copies:g}",
            "a quantity above 0",
            "Correct the concentration of the standard and save the experiment again.",
        )
        for row in rows
        if isinstance(copies := row["known_copies"], float) and copies <= 0
    ]
    if problems:
        raise DamagedFile(problems)


def _warnings(rows: Sequence[Mapping[str, object]], graphs: Iterable[Graph]) -> Iterable[str]:
    """What is to be said of calls and standards, one sentence for each kind."""
    uncalled = sum(row["vendor_call"] is None for row in rows)
    if uncalled:
        yield f"{uncalled} reactions have no call, or several that differ; their Cq is not taken as one."
    failures: dict[str, list[str]] = {}
    for graph in graphs:
        for failure in sorted(graph.failures):
            failures.setdefault(failure, []).append(_PLATE.well(graph.key[1]) or graph.key[1])
    for failure, wells in failures.items():
        yield f"The software marks {len(wells)} reactions with {failure}: {', '.join(wells[:10])}."
    smallest = min((copies for row in rows if isinstance(copies := row["known_copies"], float)), default=1.0)
    if smallest < _LIKELY_COPIES:
        yield (
            f"The weakest standard is of {smallest:g}, which is hardly copies in a reaction; "
            "where it is another unit, state the copies in the layout sheet."
        )
