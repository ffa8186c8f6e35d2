"""Parquet files from outside, read in a process of their own: broken ones make Arrow's C++ abort."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.grid import Sheet
from bcrabl.formats.isolated import in_own_process

if TYPE_CHECKING:
    from bcrabl.formats.grid import Cell

__all__ = ["ParquetColumns", "is_parquet", "read_parquet"]

_SCRIPT = Path(__file__).with_name("isolated_parquet.py")

_MAGIC = b"PAR1"


def is_parquet(content: bytes) -> bool:
    """Whether bytes begin as a Parquet file."""
    return content.startswith(_MAGIC)


@dataclass(frozen=True)
class ParquetColumns:
    """What a Parquet file holds.

    Parameters
    ----------
    stated : key and value of its footer.
    names : of the columns.
    kinds : Arrow type of each column, in words.
    columns : values of each column; dates are ISO texts, null is None.
    """

    stated: dict[str, str]
    names: list[str]
    kinds: list[str]
    columns: list[list[Any]]

    def sheet(self, where: str) -> Sheet:
        """The columns as a sheet with a header, cells as in a spreadsheet.

        Raises
        ------
        DamagedFile : a column holds lists or other nested values.
        """
        nested = [name for name, kind in zip(self.names, self.kinds, strict=True) if "<" in kind]
        if nested:
            found = f"column {nested[0]!r} with several values in a row"
            raise DamagedFile(Problem(where, found, "one value in each row", "Write one row for each reading."))
        rows: list[list[Cell]] = [list(self.names)]
        rows += [[_cell(value) for value in row] for row in zip(*self.columns, strict=True)]
        return Sheet(where, rows)


def read_parquet(content: bytes, where: str) -> ParquetColumns:
    """The columns of a Parquet file; `where` is what error texts call it.

    Raises
    ------
    DamagedFile : it is broken, hostile or larger than any plate.
    """
    return ParquetColumns(**in_own_process(_SCRIPT, content, where, "a Parquet file"))


def _cell(value: Any) -> Cell:
    if value is None or value != value:
        return ""
    if isinstance(value, float) and math.isinf(value):
        return str(value)  # no number that a sheet can hold; whoever asks for one says so
    return float(value) if type(value) is int else value
