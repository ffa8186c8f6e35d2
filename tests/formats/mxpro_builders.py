"""Small MxPro exports and documents, built in memory: no real curve is in them."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence

from xls_builder import _END, _FAT, _FREE, _LEAST_STREAM, _SECTOR, _entry, xls

CYCLES = 12
ASSAY = "ABL1"


def curve(cq: float, cycles: int = CYCLES, floor: int = 7000, rise: int = 9000) -> list[int]:
    """A sigmoid in whole units."""
    return [round(floor + rise / (1 + math.exp(-(cycle - cq) / 0.8))) for cycle in range(1, cycles + 1)]


CURVES = {number: curve(5 + number / 2) for number in (1, 2, 3, 13, 14)}
"""Curves by number of the well: A1, A2, A3, B1, B2."""


def raw_text(
    curves: Mapping[int, Sequence[int]] | None = None, assay: str = ASSAY, decimal: str = ",", more: Sequence[str] = ()
) -> str:
    """An export of the instrument data: the amplification, and a ramp of three readings per well behind it."""
    held = CURVES if curves is None else curves
    lines = ["C:\\run.mxp", "Segment\tRamp/Plateau\tRamp/Plateau #\tWell\tDye\tCycle #\tFluorescence\tTemperature"]
    for well, values in held.items():
        lines += [
            f" 2\tP\t 2\t{well:2d}\t{assay}\t{cycle:3d}\t{value:9d}\t59{decimal}7"
            for cycle, value in enumerate(values, 1)
        ]
    for well in held:
        lines += [f" 3\tR\t 3\t{well:2d}\t{assay}\t  1\t{5000 - step:9d}\t{60 + step}{decimal}4" for step in range(3)]
    return "\r\n".join([*lines, *more]) + "\r\n"


REPORT_HEADER = ("Well", "Well Name", "Well Type", "Dye", "Assay", "Replicate", "Threshold (dR)", "Quantity (copies)")
REPORT_ROWS = (
    ("A1", "S4", "Standard", "FAM", ASSAY, "1", "100,5", "1,00e+04", "5,52"),
    ("A2", "S3", "Standard", "FAM", ASSAY, "2", "100,5", "1,00e+03", "6,02"),
    ("A3", "water", "NTC", "FAM", ASSAY, "---", "100,5", "---", "No Ct"),
    ("B1", "P1", "Unknown", "FAM", ASSAY, "3", "100,5", "12,5", "11,5"),
    ("B2", "---", "Unknown", "FAM", ASSAY, "---", "100,5", "---", "---"),
)


def report(rows: Sequence[Sequence[str]] = REPORT_ROWS, header: Sequence[str] = (*REPORT_HEADER, "Ct (dR)")) -> str:
    """A text report."""
    return "".join("\t".join(row) + "\t\r\n" for row in (header, *rows))


def chart(kind: str = "Fluorescence (dR)") -> bytes:
    """Chart data in an xls workbook: two blocks."""
    rows: list[list[object]] = [["Amplification Plots"]]
    for well, number in (("A1", 1), ("B2", 14)):
        rows.append([well, "P1", "Cycles", kind])
        rows += [["", "", float(cycle), value / 10] for cycle, value in enumerate(CURVES[number], 1)]
        rows.append([])
    return xls({"Sheet1": rows})


# --- documents --------------------------------------------------------------------------------------------------------

_PART = b"\xf0\xe7i\xa5"  # begins each part of the description of a well
_BLOCK = b"\x00\x00\x00\x60"  # begins each section of the readings
_TEMPERATURE = 597


def document(
    curves: Mapping[int, Sequence[int]] | None = None,
    types: Mapping[int, str] | None = None,
    names: Mapping[int, str] | None = None,
    stride: int = 10,
) -> bytes:
    """An MxPro document as far as the library mxp looks into it.

    Parameters
    ----------
    stride : bytes from one reading to the next; 10 where a cycle has one reading.
    """
    held = CURVES if curves is None else curves
    kinds = dict.fromkeys(held, "Unknown") if types is None else types
    called = dict.fromkeys(held, "P1") if names is None else names
    return ole_of_storages(
        {
            0: _described(called, dict.fromkeys(held, ASSAY), kinds),
            2: _readings(held, stride),
            4: b"\0" * 20 + b"\x2aMxPro - Mx3000P v4.10 Build 389, Schema 85\0\0\x0eApril 17, 2015\0",
        }
    )


def _text_at(text: str, place: int) -> bytes:
    return b"\0" * place + bytes([len(text)]) + text.encode("cp1252")


def _described(names: Mapping[int, str], assays: Mapping[int, str], types: Mapping[int, str]) -> bytes:
    """1,058 parts: two, and eleven for each of 96 wells."""
    parts = [b"\0" * 10, b"\0" * 10]
    for well in range(1, 97):
        of_well = [b"\0" * 10] * 11
        of_well[0] = _text_at(names.get(well, ""), 4)
        of_well[1] = _text_at(types.get(well, ""), 4)
        of_well[6] = _text_at(assays.get(well, ""), 8)
        parts += of_well
    return _PART.join(parts)


def _readings(curves: Mapping[int, Sequence[int]], stride: int) -> bytes:
    cycles = len(next(iter(curves.values())))
    separator = b"\0\0\0" + bytes([cycles])
    blocks = []
    for values in curves.values():
        readings = [struct.pack("<HHH", value, 0, _TEMPERATURE).ljust(stride, b"\x01") for value in values]
        blocks.append(b"\0\x01\0" + b"".join(readings) + b"\x02")
    section = b"".join(separator + block for block in blocks)
    header = [b"CInstrumentDataMod".ljust(800, b"\0"), bytes(200), bytes(200)]
    return _BLOCK.join([*header, section, bytes(10_900)])


def ole_of_storages(streams: Mapping[int, bytes]) -> bytes:
    """An OLE container with a stream `Stream<n>` in a storage `Storage<n>` for each number."""
    contents = [
        content.ljust(max(_LEAST_STREAM, -(-len(content) // _SECTOR) * _SECTOR), b"\0") for content in streams.values()
    ]
    table: list[int] = []
    entries = [_entry("Root Entry", 5, _END, 0, child=1)]
    for index, (number, content) in enumerate(zip(streams, contents, strict=True)):
        following = 2 * index + 3 if index + 1 < len(contents) else _FREE
        entries.append(_entry(f"Storage{number}", 1, 0, 0, child=2 * index + 2, right=following))
        entries.append(_entry(f"Stream{number}", 2, len(table), len(content)))
        table += [*range(len(table) + 1, len(table) + len(content) // _SECTOR), _END]
    while len(entries) % 4:
        entries.append(_entry("", 0, 0, 0))
    directory = b"".join(entries)
    directory_start = len(table)
    table += [*range(len(table) + 1, len(table) + len(directory) // _SECTOR), _END]
    table_start = len(table)
    table.append(_FAT)
    table += [_FREE] * (_SECTOR // 4 - len(table))
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\0" * 16,
        *(0x3E, 3, 0xFFFE, 9, 6),
        b"\0" * 6,
        *(0, 1, directory_start, 0, _LEAST_STREAM, _END, 0, _END, 0),
    )
    placed = struct.pack("<109I", table_start, *[_FREE] * 108)
    return header + placed + b"".join(contents) + directory + struct.pack(f"<{len(table)}I", *table)


def samples() -> dict[str, dict[str, bytes]]:
    """Every layout of MxPro that is read, small."""
    raw, told = raw_text().encode("cp1252"), report().encode("cp1252")
    return {
        "mxpro text": {"run - Instrument Data - Text Format 1.txt": raw, "run - Text Report Data.txt": told},
        "mxpro text alone": {"run - Instrument Data - Text Format 1.txt": raw},
        "mxpro chart": {"run.xls": chart()},
        "mxpro document": {"run.mxp": document()},
    }
