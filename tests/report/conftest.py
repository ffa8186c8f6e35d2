"""Runs that went the whole way from raw file to tables, for pages made from them, and an HTML reader."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from bcrabl import sheets, standards
from bcrabl.formats.rdml.writing import write_rdml
from bcrabl.report.files import read_run_content
from bcrabl.report.page import run_page
from bcrabl.simulation import Sample, sample_plate, simulate_run
from bcrabl.stages.batch import ScoringFiles, analyse_batch, score_batch
from bcrabl.tables import TABLES

HOSTILE = ("<img src=x onerror=alert(1)>", '=HYPERLINK("http://evil","x")', "</script><b>", 'A\'B & "C" {{ 7*7 }}')
VOID = frozenset({"meta", "input", "br", "img", "link", "hr"})


@dataclass(frozen=True)
class Processed:
    """A processed run: paths of its tables, and its row of the run sheet as JSON."""

    run_id: str
    tables: SimpleNamespace
    runs: str

    def content(self):
        return read_run_content(self.run_id, self.tables, self.runs)

    def page(self) -> str:
        return run_page(self.content())


class Html(HTMLParser):
    """Elements, which must nest and close, the text, the cells of every table, and the wells of the map."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.text, self.tables, self.buttons = [], "", {}, {}
        self.open, self.unclosed, self._table, self._row, self._cell = [], [], None, None, None
        self._well = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "button" and attributes.get("class") == "well":
            self._well = self.buttons.setdefault(attributes["data-well"], [])
        if tag == "table":
            self._table = self.tables.setdefault(
                attributes.get("id", attributes.get("class")), {"columns": [], "rows": []}
            )
        elif self._table is not None:
            self._in_table(tag, attributes)

    def _in_table(self, tag, attributes):
        if tag == "th" and "data-column" in attributes:
            self._table["columns"].append(attributes["data-column"])
        elif tag == "tr":
            self._row = {"data": attributes, "cells": []}
            self._table["rows"].append(self._row)
        elif tag in ("td", "th"):
            self._cell = {"text": "", "values": []}
            self._row["cells"].append(self._cell)
        elif tag == "data" and self._cell is not None:
            self._cell["values"].append(attributes["value"])

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unclosed.append(tag)
        if tag == "button":
            self._well = None
        if tag in ("td", "th"):
            self._cell = None
        elif tag == "table":
            self._table = None

    def handle_data(self, data):
        self.text += data
        if self._well is not None:
            self._well.append(data)
        if self._cell is not None:
            self._cell["text"] += data

    def rows(self, table):
        """The body rows of a table: attributes, and the cells by column."""
        found = self.tables[table]
        body = [row for row in found["rows"] if len(row["cells"]) == len(found["columns"])]
        return [(row["data"], dict(zip(found["columns"], row["cells"], strict=True))) for row in body]


@pytest.fixture(scope="session")
def html():
    """Reads a page."""
    return Html


@pytest.fixture(scope="session")
def hostile_names():
    """Names of samples that a careless page would run or load."""
    return HOSTILE


@pytest.fixture(scope="session")
def processed(tmp_path_factory):
    """A function that processes a duplex plate (both targets in each well) of so many rows and columns."""
    made = {}

    def _processed(rows: int = 8, columns: int = 12) -> Processed:
        if (rows, columns) not in made:
            made[rows, columns] = _process(tmp_path_factory.mktemp("run"), rows, columns)
        return made[rows, columns]

    return _processed


def _process(folder: Path, rows: int, columns: int) -> Processed:
    number = (rows * columns - 14) // 2
    names = [*HOSTILE, *(f"S{k:03d}" for k in range(number - len(HOSTILE)))]
    copies = (0.0, 2.0, 30.0, 400.0, 5e3)
    samples = [Sample(name, copies[k % len(copies)], 4e4 if k % 7 else 2e3) for k, name in enumerate(names)]
    plate = sample_plate(
        samples, bcr_abl_standards=(1e6, 1e5, 1e4, 1e3, 1e2, 10.0), duplex=True, rows=rows, columns=columns
    )
    run_id = f"R{rows * columns}"
    raw = folder / f"{run_id}.rdml"
    write_rdml(simulate_run(plate, seed=5, run_date="2026-03-02"), raw)
    run = sheets.RunRow(run_id, "LAB", str(raw), "eac", run_id, operator="op1")
    sheet = folder / "samples.tsv"
    header = "sample_id\tpatient_id\tcollection_date\ttranscript\tmaterial"
    lines = [f"S{k:03d}\tP{k}\t2026-02-01\te14a2\tPB" for k in range(number)]
    sheet.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    assays = [str(standards.assay_path("eac", standards.standards_folder()))]
    output = {table.name: str(folder / f"{table.name}.parquet") for table in TABLES}
    output |= {"refused": str(folder / "refused.json"), "status": str(folder / "status.json")}
    analyse_batch([run], assays, output)
    factor = sheets.ConversionFactorRow("LAB", "eac", "ABL1", 0.85, "2026-01-01", source="test")
    rules = str(standards.standards_folder() / "molecular_response.yaml")
    files = ScoringFiles(output["curves"], output["cq"], output["refused"], assays, rules, str(sheet), [factor])
    score_batch([run], files, output)
    return Processed(run_id, SimpleNamespace(**output, assays=assays), json.dumps([asdict(run)]))
