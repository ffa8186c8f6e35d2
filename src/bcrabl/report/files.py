"""From the tables on disk to the pages on disk."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import pyarrow.compute as pc

import bcrabl
from bcrabl.report.page import index_page, run_page
from bcrabl.summary import read_status, summary_rows, summary_tsv
from bcrabl.tables import QC, RESULTS, STANDARD_CURVES, Table, read_table
from bcrabl.whole_files import write_text

__all__ = ["write_run_page", "write_summary"]


class _Tables(Protocol):
    results: str
    standard_curves: str
    qc: str
    status: str


def write_run_page(run_id: str, tables: _Tables, page: str | Path) -> None:
    """Write the page of one run.

    Parameters
    ----------
    run_id : the run.
    tables : paths of the batch's `results`, `standard_curves`, `qc` and `status`.
    page : where to write it.
    """
    status = json.loads(Path(tables.status).read_text(encoding="utf-8"))
    run = next(entry for entry in status["runs"] if entry["run_id"] == run_id) | {"site": status["site"]}
    text = run_page(
        run,
        _rows(tables.results, RESULTS, run_id),
        _rows(tables.standard_curves, STANDARD_CURVES, run_id),
        _rows(tables.qc, QC, run_id),
        bcrabl.__version__,
    )
    write_text(text, page)


def write_summary(status_files: Iterable[str | Path], table: str | Path, page: str | Path) -> None:
    """Write the summary of all runs as a table and as the index page."""
    rows = summary_rows(read_status(status_files))
    write_text(summary_tsv(rows), table)
    write_text(index_page(rows, bcrabl.__version__), page)


def _rows(path: str, kind: Table, run_id: str) -> list[dict[str, object]]:
    table = read_table(path, kind)
    rows: list[dict[str, object]] = table.filter(pc.equal(table["run_id"], run_id)).to_pylist()
    return rows
