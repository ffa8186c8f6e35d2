"""From the results table on disk: CSV, xlsx and FHIR agree with it, number by number, for the run asked for alone."""

from __future__ import annotations

import csv
import io
import json
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from lims_rows import not_on_scale, result, to_repeat, undetected
from python_calamine import CalamineWorkbook

from bcrabl.lims import COLUMNS
from bcrabl.lims.files import write_lims_files
from bcrabl.tables import RESULTS, write_table

HEADING = {column.name: column.heading for column in COLUMNS}
ROWS = (result("S1"), undetected("S2"), not_on_scale("S3"), to_repeat("S4"), result("S1", run_id="R2", is_percent=7.5))


@pytest.fixture
def lims(tmp_path):
    """Writes the files of a run from a batch of two and gives their paths."""
    tables = SimpleNamespace(results=tmp_path / "results.parquet", status=tmp_path / "status.json")
    write_table(RESULTS.from_rows(ROWS), RESULTS, tables.results)
    tables.status.write_text(json.dumps({"site": "LAB1", "runs": []}), encoding="utf-8")

    def _lims(run_id, folder="lims"):
        files = SimpleNamespace(**{name: tmp_path / folder / f"{run_id}.{name}" for name in ("csv", "xlsx", "fhir")})
        write_lims_files(run_id, tables, files)
        return files

    _lims.parquet = tables.results
    return _lims


def test_every_number_of_csv_and_xlsx_is_in_the_parquet_file(lims):
    files = lims("R1")
    stored = {row["sample_id"]: row for row in pq.read_table(lims.parquet).to_pylist() if row["run_id"] == "R1"}
    written = list(csv.DictReader(io.StringIO(files.csv.read_bytes().decode("utf-8"), newline="")))
    heading, *body = CalamineWorkbook.from_path(files.xlsx).get_sheet_by_name("Results").to_python()
    numbers = [field.name for field in RESULTS.schema if str(field.type) == "double" and field.name in HEADING]
    assert len(numbers) >= 15
    assert [row[HEADING["sample_id"]] for row in written] == sorted(stored)
    for text, cells in zip(written, body, strict=True):
        cell = dict(zip(heading, cells, strict=True))
        row = stored[text[HEADING["sample_id"]]]
        for name in numbers:
            nothing = row[name] is None or (row["outcome"] == "repeat" and name not in ("lod_copies", "loq_copies"))
            assert text[HEADING[name]] == ("" if nothing else repr(row[name])), name
            assert cell[HEADING[name]] == ("" if nothing else row[name]), name


def test_fhir_holds_the_samples_of_the_run_and_no_other(lims):
    bundle = json.loads(lims("R2").fhir.read_text(encoding="utf-8"))
    (sample,) = bundle["entry"]
    assert sample["resource"]["entry"][1]["resource"]["valueQuantity"]["value"] == 7.5


def test_a_run_without_rows_has_files_without_rows(lims):
    files = lims("R9")
    assert files.csv.read_bytes().count(b"\r\n") == 1
    assert "entry" not in json.loads(files.fhir.read_text(encoding="utf-8"))
    assert len(CalamineWorkbook.from_path(files.xlsx).get_sheet_by_name("Results").to_python()) == 1


def test_the_same_table_gives_the_same_bytes(lims):
    first, second = vars(lims("R1")), vars(lims("R1", "again"))
    assert {name: path.read_bytes() for name, path in first.items()} == {
        name: path.read_bytes() for name, path in second.items()
    }
