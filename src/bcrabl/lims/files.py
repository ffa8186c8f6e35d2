"""From the tables on disk to the files a laboratory's information system reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import pyarrow.compute as pc

import bcrabl
from bcrabl.lims.csv import csv_text
from bcrabl.lims.fhir import fhir_text
from bcrabl.lims.rows import reported_rows
from bcrabl.lims.xlsx import write_xlsx
from bcrabl.tables import RESULTS, read_table
from bcrabl.whole_files import write_text

__all__ = ["write_lims_files"]


class _Tables(Protocol):
    results: str
    status: str


class _Files(Protocol):
    csv: str
    xlsx: str
    fhir: str


def write_lims_files(run_id: str, tables: _Tables, files: _Files) -> None:
    """Write the reported rows of one run.

    Parameters
    ----------
    run_id : the run; one that was refused gives files without rows.
    tables : paths of the batch's `results` and `status`.
    files : where to write `csv`, `xlsx` and `fhir`.
    """
    site = str(json.loads(Path(tables.status).read_text(encoding="utf-8"))["site"])
    table = read_table(tables.results, RESULTS)
    results = table.filter(pc.equal(table["run_id"], run_id)).to_pylist()
    rows = reported_rows(results, site=site, version=bcrabl.__version__)
    write_text(csv_text(rows), files.csv)
    write_xlsx(rows, files.xlsx)
    write_text(fhir_text(rows, run_id, site), files.fhir)
