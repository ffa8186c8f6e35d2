"""Tables of every layout with their column maps, and a plate that all of them spell alike."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from format_builders import xlsx

CYCLES = range(1, 13)
WELLS = ("A1", "A2", "B1", "B2")
SAMPLES = {"A1": "STD-1000", "A2": "STD-10", "B1": "S7", "B2": "water"}
WORDS = {"A1": "Standard", "A2": "Standard", "B1": "Unknown", "B2": "NTC"}
COPIES = {"A1": 1000.0, "A2": 10.0}
CQ = {"A1": "5.25", "A2": "8.5", "B1": "7", "B2": "Undetermined"}
ROLE_WORDS = {"Standard": "std", "Unknown": "unkn", "NTC": "ntc"}


def signal(well: str, cycle: int) -> float:
    """A sigmoid that rises the later the fewer copies; four decimals."""
    middle = {"A1": 5.0, "A2": 8.0, "B1": 6.5, "B2": 40.0}[well]
    return round(0.5 + 2.0 / (1.0 + math.exp(middle - cycle)), 4)


def passive(cycle: int) -> float:
    return round(1.0 + 0.01 * cycle, 4)


def number(value: float, decimal: str = ".") -> str:
    return f"{value:.4f}".replace(".", decimal)


def text(rows: Sequence[Sequence[object]], delimiter: str = ",") -> bytes:
    return "".join(delimiter.join(map(str, row)) + "\n" for row in rows).encode()


def as_yaml(document: Mapping[str, object]) -> bytes:
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True).encode()


def long_rows(decimal: str = ".") -> list[list[str]]:
    header = ["Well", "Cycle", "Sample", "Task", "Copies", "CT", "FAM", "ROX"]
    return [header] + [
        [
            *(well, str(cycle), SAMPLES[well], WORDS[well]),
            "" if well not in COPIES else str(int(COPIES[well])),
            CQ[well].replace(".", decimal),
            *(number(signal(well, cycle), decimal), number(passive(cycle), decimal)),
        ]
        for well in WELLS
        for cycle in CYCLES
    ]


def long_map(**changes: object) -> dict[str, object]:
    return {
        "layout": "long",
        "stage": "raw",
        "fields": {
            "well": "Well",
            "cycle": "Cycle",
            "fluorescence": "FAM",
            "passive_reference": "ROX",
            "target": {"constant": "ABL1"},
            "dye": {"constant": "FAM"},
            "sample": "Sample",
            "role": "Task",
            "quantity": "Copies",
            "cq": "CT",
        },
        "role_words": ROLE_WORDS,
        "quantity_unit": "copies",
        "run_date": "2026-03-31",
    } | changes


def column_rows(decimal: str = ".") -> list[list[str]]:
    """Cycles down, one column per well."""
    return [["cycle", *(f"{well}_ABL1" for well in WELLS)]] + [
        [str(cycle), *(number(signal(well, cycle), decimal) for well in WELLS)] for cycle in CYCLES
    ]


def annotation(well: str) -> dict[str, object]:
    stated: dict[str, object] = {"sample": SAMPLES[well], "role": WORDS[well], "cq": CQ[well]}
    return stated | ({"quantity": COPIES[well]} if well in COPIES else {})


def column_map(**changes: object) -> dict[str, object]:
    return {
        "layout": "column_per_well",
        "stage": "raw",
        "fields": {"cycle": "cycle", "dye": {"constant": "FAM"}},
        "pattern": "{well}_{target}",
        "columns": {f"{well}_ABL1": annotation(well) for well in WELLS},
        "role_words": ROLE_WORDS,
        "quantity_unit": "copies",
    } | changes


def row_rows(decimal: str = ".") -> list[list[str]]:
    """Wells down, one column per cycle."""
    header = ["Well", "Sample", "Task", "Copies", "CT", *(f"C{cycle}" for cycle in CYCLES)]
    return [header] + [
        [
            *(well, SAMPLES[well], WORDS[well], str(int(COPIES[well])) if well in COPIES else ""),
            CQ[well].replace(".", decimal),
            *(number(signal(well, cycle), decimal) for cycle in CYCLES),
        ]
        for well in WELLS
    ]


def row_map(**changes: object) -> dict[str, object]:
    return {
        "layout": "row_per_well",
        "stage": "raw",
        "fields": {
            "well": "Well",
            "target": {"constant": "ABL1"},
            "dye": {"constant": "FAM"},
            "sample": "Sample",
            "role": "Task",
            "quantity": "Copies",
            "cq": "CT",
        },
        "cycles": {"pattern": "C{cycle}"},
        "role_words": ROLE_WORDS,
        "quantity_unit": "copies",
    } | changes


def parquet(rows: Sequence[Sequence[str]]) -> bytes:
    """The rows as Parquet, what spells a number as a number."""

    def typed(cell: str) -> object:
        try:
            return float(cell)
        except ValueError:
            return cell or None

    def column(cells: list[object]) -> pa.Array:
        numeric = all(cell is None or isinstance(cell, float) for cell in cells)
        return pa.array(cells if numeric else [None if cell is None else str(cell) for cell in cells])

    header, *body = rows
    columns = [column([typed(row[place]) for row in body]) for place in range(len(header))]
    written = io.BytesIO()
    pq.write_table(pa.table(dict(zip(header, columns, strict=True))), written)
    return written.getvalue()


def spreadsheet(rows: Sequence[Sequence[str]]) -> bytes:
    header, *body = rows
    typed = [[float(cell) if cell.replace(".", "").isdigit() else cell for cell in row] for row in body]
    return xlsx({"Data": [header, *typed]})


def _with_map(name: str, content: bytes, document: Mapping[str, object]) -> dict[str, bytes]:
    return {name: content, f"{name}.columns.yaml": as_yaml(document)}


def samples() -> dict[str, dict[str, bytes]]:
    """A table with its map for each layout and container."""
    return {
        "long csv": _with_map("plate.csv", text(long_rows()), long_map()),
        "long csv with decimal comma": _with_map("plate.csv", text(long_rows(","), ";"), long_map()),
        "one column per curve": _with_map("plate.csv", text(column_rows()), column_map()),
        "one row per curve": _with_map("plate.tsv", text(row_rows(), "\t"), row_map()),
        "long xlsx": _with_map("plate.xlsx", spreadsheet(long_rows()), long_map()),
        "one column per curve, Parquet": _with_map("plate.parquet", parquet(column_rows()), column_map()),
    }
