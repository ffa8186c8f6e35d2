"""A Parquet file as columns that JSON can carry, by pyarrow; run by `isolated_child`."""

from __future__ import annotations

import os

os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # the others reserve far more than they use

import base64
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_MOST_VALUES = 3_000_000  # 384 wells of 6 targets and 50 cycles, one row each, in ten columns, are one million
_MOST_COLUMNS = 3_000
_LARGEST = 64 * 1024 * 1024  # bytes, unpacked, as the row groups declare them


def work(content: bytes) -> dict[str, Any]:
    """The key and value pairs of the footer, and names and values of the columns."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    with pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True) as file:
        _refuse_vast(file.metadata)
        stated = {_text(key): _text(value) for key, value in (file.schema_arrow.metadata or {}).items()}
        table = file.read(use_threads=False)
    table.validate(full=True)
    values = sum(_values(column) for column in table.columns)
    if values > _MOST_VALUES:
        raise ValueError(f"{values} values; more than {_MOST_VALUES} are no plate")
    return {
        "stated": stated,
        "names": list(table.column_names),
        "kinds": [str(field.type) for field in table.schema],
        "columns": [[_plain(value) for value in column.to_pylist()] for column in table.columns],
    }


def _refuse_vast(footer: pq.FileMetaData) -> None:
    if footer.num_columns > _MOST_COLUMNS or footer.num_rows * footer.num_columns > _MOST_VALUES:
        raise ValueError(f"{footer.num_rows} rows of {footer.num_columns} columns; more than any plate")
    size = sum(
        max(group.column(place).total_uncompressed_size, 0)
        for group in map(footer.row_group, range(footer.num_row_groups))
        for place in range(group.num_columns)
    )
    if size > _LARGEST:
        raise ValueError(f"{size} bytes when unpacked; at most {_LARGEST}")


def _values(column: pa.ChunkedArray) -> int:
    """Values of a column, those in its lists included."""
    inside = sum(len(chunk.flatten()) for chunk in column.chunks) if pa.types.is_list(column.type) else 0
    return len(column) + inside


def _text(content: bytes) -> str:
    return content.decode("utf-8", errors="replace")


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal):
        return float(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return [_plain(item) for item in value] if isinstance(value, list) else str(value)
