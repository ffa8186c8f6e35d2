"""From the tables on disk to the pages on disk."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

import bcrabl
from bcrabl import standards
from bcrabl.provenance import file_digest
from bcrabl.report.content import Origin, RunContent, Signals
from bcrabl.report.page import index_page, run_page
from bcrabl.run import normalised
from bcrabl.summary import read_status, summary_rows, summary_tsv
from bcrabl.tables import (
    COPIES,
    CQ,
    CURVES,
    QC,
    RESULTS,
    SCHEMA_VERSION,
    STANDARD_CURVES,
    Row,
    Table,
    list_values,
    read_table,
)
from bcrabl.whole_files import write_text

__all__ = ["read_run_content", "write_run_page", "write_summary"]

_TABLES = (CURVES, CQ, STANDARD_CURVES, COPIES, RESULTS, QC)
_OF_CURVES = (
    "run_id",
    "well",
    "target",
    "cycles",
    "fluorescence",
    "passive_reference",
    "vendor_cq",
    "vendor_call",
    "raw_file",
    "raw_sha256",
)
_OF_CQ = (
    "run_id",
    "well",
    "target",
    "role",
    "sample_id",
    "known_copies",
    "call",
    "why",
    "cq",
    "cq_sd",
    "cq_method",
    "threshold",
    "baseline_start",
    "baseline_end",
    "baseline_intercept",
    "baseline_slope",
    "plateau",
    "efficiency",
    "flags",
)
_FROM_COPIES = ("detected", "copies", "copies_low", "copies_high", "within_range", "excluded", "excluded_why", "review")
_LIBRARIES = ("numpy", "scipy", "pyarrow")


class _Tables(Protocol):
    curves: str
    cq: str
    standard_curves: str
    copies: str
    results: str
    qc: str
    status: str
    assays: Sequence[str]


def write_run_page(run_id: str, tables: _Tables, page: str | Path, runs: str = "[]") -> None:
    """Write the page of one run.

    Parameters
    ----------
    run_id : the run.
    tables : paths of the batch's tables, of its `status` and of its assay protocols.
    page : where to write it.
    runs : rows of the run sheet, JSON.
    """
    write_text(run_page(read_run_content(run_id, tables, runs)), page)


def read_run_content(run_id: str, tables: _Tables, runs: str = "[]") -> RunContent:
    """All that the page of one run shows; parameters as those of `write_run_page`."""
    status = json.loads(Path(tables.status).read_text(encoding="utf-8"))
    run = next(entry for entry in status["runs"] if entry["run_id"] == run_id) | {"site": status["site"]}
    curves = _of_run(tables.curves, CURVES, run_id, _OF_CURVES)
    assays = [tables.assays] if isinstance(tables.assays, str) else list(tables.assays)
    assay = next((path for path in assays if Path(path).stem == run["assay"]), None)
    settings: Row = next((row for row in json.loads(runs) if row["run_id"] == run_id), {})
    return RunContent(
        run=run,
        results=_rows(tables.results, RESULTS, run_id),
        standard_curves=_rows(tables.standard_curves, STANDARD_CURVES, run_id),
        checks=_rows(tables.qc, QC, run_id),
        reactions=_reactions(curves, tables, run_id),
        signals=_signals(curves, assay),
        origin=_origin(run, tables, assay, settings),
    )


def write_summary(status_files: Iterable[str | Path], table: str | Path, page: str | Path) -> None:
    """Write the summary of all runs as a table and as the index page."""
    rows = summary_rows(read_status(status_files))
    write_text(summary_tsv(rows), table)
    write_text(index_page(rows, bcrabl.__version__), page)


def _of_run(path: str, kind: Table, run_id: str, columns: Sequence[str] | None = None) -> pa.Table:
    table = read_table(path, kind, columns)
    return table.filter(pc.equal(table["run_id"], run_id))


def _rows(path: str, kind: Table, run_id: str, columns: Sequence[str] | None = None) -> list[Row]:
    rows: list[Row] = _of_run(path, kind, run_id, columns).to_pylist()
    return rows


def _reactions(curves: pa.Table, tables: _Tables, run_id: str) -> list[Row]:
    """The rows of cq with what copies and the export say of each reaction."""
    copies = {(row["target"], row["well"]): row for row in _rows(tables.copies, COPIES, run_id)}
    exported = curves.select(["target", "well", "vendor_cq", "vendor_call"]).to_pylist()
    vendor = {(row["target"], row["well"]): row for row in exported}
    nothing: Row = dict.fromkeys(_FROM_COPIES)
    rows = []
    for row in _rows(tables.cq, CQ, run_id, _OF_CQ):
        key = row["target"], row["well"]
        known = copies.get(key, nothing)
        rows.append(row | {name: known[name] for name in _FROM_COPIES} | vendor[key])
    return rows


def _signals(curves: pa.Table, assay: str | None) -> list[Signals]:
    """The curves by target, divided by the passive reference where the analysis divided them."""
    divides = assay is not None and standards.load_assay(assay).passive_reference != "ignored"
    signals = []
    for target in sorted(set(curves["target"].to_pylist())):
        chosen = curves.filter(pc.equal(curves["target"], target))
        signal, unit = list_values(chosen["fluorescence"]), "a.u."
        if divides and chosen["passive_reference"].null_count == 0:
            signal, unit = normalised(signal, list_values(chosen["passive_reference"])), "Rn"
        cycles = list_values(chosen["cycles"].slice(0, 1))[0]
        signals.append(Signals(target, unit, tuple(chosen["well"].to_pylist()), cycles, signal))
    return signals


def _origin(run: Row, tables: _Tables, assay: str | None, settings: Mapping[str, object]) -> Origin:
    versions = [("bcrabl", bcrabl.__version__), ("schema of the tables", SCHEMA_VERSION)]
    versions += [("Python", platform.python_version()), *((name, metadata.version(name)) for name in _LIBRARIES)]
    files = [("raw file", str(run["raw_file"]), str(run["raw_sha256"] or "not read"))]
    if assay is not None:
        files.append(("assay protocol", Path(assay).name, file_digest(assay)))
    for table in _TABLES:
        path = Path(getattr(tables, table.name))
        files.append((table.name, "/".join(path.parts[-3:]), file_digest(path)))
    return Origin(
        versions,
        files,
        [(name, str(value)) for name, value in settings.items() if value is not None],
        Path(assay).read_text(encoding="utf-8") if assay is not None else "",
    )
