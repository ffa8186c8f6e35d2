"""Every sheet of an xls workbook, by python-calamine; run by `isolated_child`."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from typing import Any

_MOST_CELLS = 3_000_000  # a 384-well plate of six dyes and 50 cycles has one sheet of 200,000


def work(content: bytes) -> list[tuple[str, list[list[Any]]]]:
    """Name and rows of each sheet, from the first row and column on."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    left = _MOST_CELLS
    sheets = []
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        left -= sheet.total_height * sheet.total_width
        if left < 0:
            raise ValueError(f"more than {_MOST_CELLS} cells")
        sheets.append((name, [[_plain(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]))
    return sheets


def _plain(cell: Any) -> Any:
    """A cell as JSON can carry it: dates and times as ISO texts."""
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, timedelta) else cell
