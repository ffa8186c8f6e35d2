"""Small xls workbooks (BIFF8 in an OLE container) for tests: enough for a reader, not for a spreadsheet program."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

Cells = Sequence[Sequence[object]]

_SECTOR = 512
_LEAST_STREAM = 4096  # shorter streams would live in the mini stream
_END, _FAT, _FREE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_BOF, _EOF, _BOUND_SHEET, _NUMBER, _LABEL, _BOOLEAN = 0x0809, 0x000A, 0x0085, 0x0203, 0x0204, 0x0205
_CODE_PAGE, _DIMENSIONS = 0x0042, 0x0200


def xls(sheets: Mapping[str, Cells]) -> bytes:
    """A workbook with these sheets of texts, numbers and truth values; empty texts and None leave a cell out."""
    return ole({"Workbook": _workbook_stream(sheets)})


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _unicode(text: str, length_format: str) -> bytes:
    """A BIFF8 string: its length, a byte that says two bytes a character, the characters."""
    return struct.pack(length_format, len(text)) + b"\x01" + text.encode("utf-16-le")


def _workbook_stream(sheets: Mapping[str, Cells]) -> bytes:
    begin = _record(_BOF, struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6))
    begin += _record(_CODE_PAGE, struct.pack("<H", 1200))
    bodies = [_sheet_stream(cells) for cells in sheets.values()]
    size = len(begin) + sum(len(_bound_sheet(name, 0)) for name in sheets) + len(_record(_EOF))
    listed, position = b"", size
    for name, body in zip(sheets, bodies, strict=True):
        listed += _bound_sheet(name, position)
        position += len(body)
    return begin + listed + _record(_EOF) + b"".join(bodies)


def _bound_sheet(name: str, position: int) -> bytes:
    return _record(_BOUND_SHEET, struct.pack("<IH", position, 0) + _unicode(name, "<B"))


def _sheet_stream(cells: Cells) -> bytes:
    width = max((len(row) for row in cells), default=0)
    stream = _record(_BOF, struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6))
    stream += _record(_DIMENSIONS, struct.pack("<IIHHH", 0, len(cells), 0, width, 0))
    for number, row in enumerate(cells):
        stream += b"".join(_cell(number, column, value) for column, value in enumerate(row) if value not in ("", None))
    return stream + _record(_EOF)


def _cell(row: int, column: int, value: object) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(value, bool):
        return _record(_BOOLEAN, place + struct.pack("<BB", value, 0))
    if isinstance(value, int | float):
        return _record(_NUMBER, place + struct.pack("<d", value))
    return _record(_LABEL, place + _unicode(str(value), "<H"))


def ole(streams: Mapping[str, bytes]) -> bytes:
    """An OLE container with these streams, each padded with zeros to what such a container can hold."""
    contents = [
        content.ljust(max(_LEAST_STREAM, -(-len(content) // _SECTOR) * _SECTOR), b"\0") for content in streams.values()
    ]
    table: list[int] = []
    starts = []
    for content in contents:
        starts.append(len(table))
        sectors = len(content) // _SECTOR
        table += [*range(len(table) + 1, len(table) + sectors), _END]
    directory_start = len(table)
    directory = _directory(list(streams), starts, contents)
    sectors = len(directory) // _SECTOR
    table += [*range(len(table) + 1, len(table) + sectors), _END]
    table_start = len(table)
    table_sectors = 1
    while (len(table) + table_sectors) * 4 > table_sectors * _SECTOR:
        table_sectors += 1
    table += [_FAT] * table_sectors
    table += [_FREE] * (table_sectors * _SECTOR // 4 - len(table))
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\0" * 16,
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        b"\0" * 6,
        0,
        table_sectors,
        directory_start,
        0,
        _LEAST_STREAM,
        _END,
        0,
        _END,
        0,
    )
    placed = [*range(table_start, table_start + table_sectors)]
    header += struct.pack("<109I", *placed, *[_FREE] * (109 - table_sectors))
    return header + b"".join(contents) + directory + struct.pack(f"<{len(table)}I", *table)


def _directory(names: Sequence[str], starts: Sequence[int], contents: Sequence[bytes]) -> bytes:
    entries = [_entry("Root Entry", 5, _END, 0, child=1)]
    for number, (name, start, content) in enumerate(zip(names, starts, contents, strict=True), 1):
        following = number + 1 if number < len(names) else _FREE
        entries.append(_entry(name, 2, start, len(content), right=following))
    while len(entries) % 4:
        entries.append(_entry("", 0, 0, 0))
    return b"".join(entries)


def _entry(name: str, kind: int, start: int, size: int, child: int = _FREE, right: int = _FREE) -> bytes:
    encoded = name.encode("utf-16-le")
    length = len(encoded) + 2 if name else 0
    return struct.pack(
        "<64sHBBIII16sIQQIQ", encoded, length, kind, 1, _FREE, right, child, b"\0" * 16, 0, 0, 0, start, size
    )
