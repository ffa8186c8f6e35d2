"""Small exports of Bio-Rad CFX: csv files, workbooks and XML files as functions that say what they build."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from format_builders import Cells, xlsx, zipped

AMPLIFICATION = "run -  Quantification Amplification Results"
CQ = "run -  Quantification Cq Results"
INFORMATION = "run -  Run Information"
CQ_HEADER = [
    *("", "Well", "Fluor", "Target", "Content", "Sample", "Biological Set Name", "Cq", "Cq Mean", "Cq Std. Dev"),
    *("Starting Quantity (SQ)", "Log Starting Quantity", "SQ Mean", "SQ Std. Dev", "Set Point", "Well Note"),
]
WELLS = ("A1", "A2", "A3", "B1", "B2", "B12")
ABOUT: Cells = [
    ["File Name", "run.pcrd"],
    ["Created By User", "somebody"],
    ["Run Started", "03/04/2021 22:13:01 UTC"],
    ["Base Serial Number", "CT000001"],
    ["CFX Maestro Version", "5.3.022.1030. "],
]
NOT_A_NUMBER = {"en": "NaN", "de": "n. def.", "fr": "Non Numérique"}


def rfu(place: int, cycles: int = 14) -> list[float]:
    """A baseline-subtracted curve: noise about zero, then a rise at a cycle that depends on `place`."""
    noise = [((7 * cycle + 5 * place) % 11 - 5) / 3.0 for cycle in range(cycles)]
    return [noise[cycle] + 4000.0 / (1.0 + 4.0 ** (9 + place / 4 - cycle)) for cycle in range(cycles)]


def amplification(curves: Mapping[str, Sequence[object]] | None = None, first_well: int = 0) -> Cells:
    """A table of RFU: an empty cell, Cycle, one column for each well."""
    of_well = curves or {well: rfu(place) for place, well in enumerate(WELLS, first_well)}
    length = max(map(len, of_well.values()))
    rows = [["", cycle + 1, *(values[cycle] for values in of_well.values())] for cycle in range(length)]
    return [["", "Cycle", *of_well], *rows]


def cq_row(well: str = "A01", **changes: object) -> list[object]:
    """A row of the Cq results: an unknown sample of ABL1 in FAM, unless changed (names in lower case)."""
    row: dict[str, object] = {
        "empty": "",
        "well": well,
        "fluor": "FAM",
        "target": "ABL1",
        "content": "Unkn",
        "sample": "S1",
        "set": "",
        "cq": 9.25,
        "mean": 9.25,
        "deviation": 0.0,
        "sq": None,
        "log": None,
        "sq_mean": None,
        "sq_deviation": 0.0,
        "point": 60,
        "note": "",
    } | changes
    return list(row.values())


def cq_rows(fluor: str = "FAM", target: str = "ABL1") -> list[list[object]]:
    """One row for each of `WELLS`: two standards, two unknown samples, two controls."""
    of: dict[str, Any] = {"fluor": fluor, "target": target}
    return [
        cq_row("A01", content="Std-1", sample="", sq=1000.5, cq=8.125, **of),
        cq_row("A02", content="Std-2", sample="", sq=100.25, cq=8.5, **of),
        cq_row("A03", content="Unkn-01", sample="1,5", sq=12.75, cq=9.0625, **of),
        cq_row("B01", content="Unkn-02", sample="S2", cq=9.5, **of),
        cq_row("B02", content="Pos Ctrl", sample="K562", cq=10.75, **of),
        cq_row("B12", content="NTC", sample="", cq=None, **of),
    ]


def cq_table(*rows: Sequence[object]) -> Cells:
    """The table of Cq results."""
    return [CQ_HEADER, *(rows or cq_rows())]


def text(table: Cells, locale: str = "en") -> bytes:
    """A table as CFX writes it in a country: None is what stands for no number."""
    decimal = "." if locale == "en" else ","
    nothing = NOT_A_NUMBER[locale]
    lines = [[_spelled(cell, decimal, nothing) for cell in row] for row in table]
    written = io.StringIO()
    csv.writer(written, delimiter="," if locale == "en" else ";", lineterminator="\r\n").writerows(lines)
    return written.getvalue().encode("latin-1")


def _spelled(cell: object, decimal: str, nothing: str) -> str:
    if cell is None:
        return nothing
    return repr(cell).replace(".", decimal) if isinstance(cell, float) else str(cell)


def csv_run(
    locale: str = "en", fluors: Sequence[tuple[str, str]] = (("FAM", "ABL1"), ("HEX", "BCR::ABL1"))
) -> dict[str, bytes]:
    """All files of a run: RFU of each fluor, Cq results, run information, and tables that repeat them."""
    curves = {
        f"{AMPLIFICATION}_{fluor}.csv": text(amplification(first_well=place), locale)
        for place, (fluor, _) in enumerate(fluors)
    }
    rows = [row for fluor, target in fluors for row in cq_rows(fluor, target)]
    summary = [[*row[:6], row[7], row[10]] for row in rows]
    melt: Cells = [["", "Temperature", *WELLS], *(["", 65.0 + step / 2, *rfu(step)[: len(WELLS)]] for step in range(4))]
    return curves | {
        f"{CQ}_0.csv": text(cq_table(*rows), locale),
        "run -  Quantification Summary_0.csv": text(
            [["", "Well", "Fluor", "Target", "Content", "Sample", "Cq", "SQ"], *summary], locale
        ),
        f"run -  Melt Curve Derivative Results_{fluors[0][0]}.csv": text(melt, locale),
        "run_Run Information.csv": text(ABOUT, locale),
    }


def workbook(sheets: Mapping[str, Cells], *, as_cfx: bool = True) -> bytes:
    """A workbook of these sheets and the run information; `as_cfx` packs it with backslashes, as CFX does."""
    packed = xlsx(
        {
            **{name: [[_cell(cell) for cell in row] for row in rows] for name, rows in sheets.items()},
            "Run Information": ABOUT,
        }
    )
    if not as_cfx:
        return packed
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        members = {_spelled_by_cfx(name): archive.read(name) for name in archive.namelist()}
    return zipped(members)


def _cell(cell: object) -> object:
    return "NaN" if cell is None else cell


def _spelled_by_cfx(name: str) -> str:
    return name.replace("[Content_Types]", "[content_types]").replace("/", "\\")


def xlsx_run() -> dict[str, bytes]:
    """A run as CFX exports it to Excel: one workbook for each kind of table, a sheet for each fluor."""
    curves = {"FAM": amplification(), "HEX": amplification(first_well=1)}
    rows = [*cq_rows(), *cq_rows("HEX", "BCR::ABL1")]
    return {f"{AMPLIFICATION}.xlsx": workbook(curves), f"{CQ}.xlsx": workbook({"0": cq_table(*rows)})}


def xml(root: str, table: Cells) -> bytes:
    """A table as CFX Maestro writes it to XML: no declaration, a root named after the table, tags after the columns."""
    names = [_tag(str(name)) for name in table[0][1:]]
    rows = "".join(
        "<Row>"
        + "".join(f"<{name}>{escape(str(_cell(cell)))}</{name}>" for name, cell in zip(names, row[1:], strict=True))
        + "</Row>"
        for row in table[1:]
    )
    return f"<{root}>{rows}</{root}>".encode()


def _tag(name: str) -> str:
    return name.replace(" ", "_").replace("(", "_x0028_").replace(")", "_x0029_")


def xml_run() -> dict[str, bytes]:
    """A run as CFX Maestro exports it to XML."""
    rows = [*cq_rows(), *cq_rows("HEX", "BCR::ABL1")]
    about: Cells = [["", "Column1", "Column2"], *(["", *pair] for pair in ABOUT)]
    return {
        f"{AMPLIFICATION}_FAM.xml": xml("FAM", amplification()),
        f"{AMPLIFICATION}_HEX.xml": xml("HEX", amplification(first_well=1)),
        f"{CQ}.xml": xml("_x0030_", cq_table(*rows)),
        f"{INFORMATION}.xml": xml("Run_x0020_Information", about),
    }


def samples() -> dict[str, dict[str, bytes]]:
    """Every layout that is read, with its files."""
    alone = f"{AMPLIFICATION}_FAM.csv"
    return {
        "CFX csv, English": csv_run(),
        "CFX csv, German": csv_run("de"),
        "CFX csv, French": csv_run("fr"),
        "CFX csv, curves alone": {alone: csv_run()[alone]},
        "CFX csv, zipped": {"run.zip": zipped(csv_run())},
        "CFX xlsx, curves alone": {f"{AMPLIFICATION}.xlsx": xlsx_run()[f"{AMPLIFICATION}.xlsx"]},
        "CFX xlsx": xlsx_run(),
        "CFX XML": xml_run(),
    }
