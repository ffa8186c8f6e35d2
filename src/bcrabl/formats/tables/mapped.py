"""Tables that no instrument software wrote, read by the column map that their author gave: `bcrabl.column_map`.

csv, tsv, txt, xlsx, xls or Parquet; one row per reading, one column per curve or one row per curve.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.column_map import parse_column_map
from bcrabl.errors import DamagedFile, FileError, Problem
from bcrabl.formats.assembly import assemble, left_out
from bcrabl.formats.source import Format, RawFile, only
from bcrabl.formats.tables.mapped_curves import Curves, curves_of_table
from bcrabl.formats.tables.mapped_reactions import reactions_of
from bcrabl.formats.tables.mapped_table import mapped_table
from bcrabl.raw_files import COLUMN_MAP_SUFFIX

if TYPE_CHECKING:
    from bcrabl.run import Run

__all__ = ["FORMAT"]


def _claims(source: RawFile) -> bool:
    return source.column_map is not None


def _read(source: RawFile, part: str | None) -> Run:
    described = source.column_map
    if described is None:
        raise DamagedFile(Problem(source.path, "no column map", f"a file <table>{COLUMN_MAP_SUFFIX} beside it"))
    column_map = parse_column_map(described.content, described.path, FileError)
    warnings: list[str] = []
    curves = curves_of_table(mapped_table(_file(source, described, warnings), column_map), column_map)
    rows = reactions_of(
        curves.stated, column_map, float(curves.cycles.max()) if curves.cycles.size else np.inf, warnings
    )
    kept = _kept(source.path, rows, curves, part, warnings)
    if column_map.stage == "baseline_subtracted":
        warnings.append("The curves are baseline-subtracted already; their baseline cannot be checked.")
    metadata = {
        "format": FORMAT.name,
        "column_map": Path(described.path).name,
        "instrument": column_map.instrument,
        "run_date": column_map.run_date,
        "warnings": tuple(warnings),
    }
    return assemble(
        source.path,
        [rows[index] for index in kept],
        curves.cycles,
        curves.fluorescence[kept],
        None if curves.passive_reference is None else curves.passive_reference[kept],
        column_map.stage,
        {name: value for name, value in metadata.items() if value is not None},
    )


FORMAT = Format(
    name="table with a column map",
    export="Any other table of curves is read by a column map beside it (docs/column_map.md).",
    claims=_claims,
    read=_read,
)


def _file(source: RawFile, described: RawFile, warnings: list[str]) -> RawFile:
    """The table that the map describes: the file itself, or the one in its folder; other files there are named.

    Raises
    ------
    DamagedFile : no table or several may be meant.
    FileError : several maps lie in the folder, and none was named.
    """
    if not source.is_folder:
        return source
    maps = [Path(file.path).name for file in source.companions if file.path.endswith(COLUMN_MAP_SUFFIX)]
    if source.named_map is None and len(maps) > 1:
        found = f"{len(maps)} column maps: {', '.join(maps[:5])}{', …' if len(maps) > 5 else ''}"
        raise FileError(Problem(source.path, found, "one table with its map", "Name the table itself instead."))
    tables = [file for file in source.companions if not file.path.endswith((".yaml", ".yml"))]
    own_name = Path(described.path).name.removesuffix(COLUMN_MAP_SUFFIX)
    named = [file for file in tables if Path(file.path).name == own_name]
    table = only(named or tables, source, "curves")
    unread = [Path(file.path).name for file in tables if file is not table]
    if unread:
        shown = ", ".join(unread[:5]) + (", …" if len(unread) > 5 else ".")
        warnings.append(f"Files of the folder that the column map does not describe were not read: {shown}")
    return table


def _kept(path: str, rows: list[dict[str, object]], curves: Curves, part: str | None, warnings: list[str]) -> list[int]:
    """Places of the reactions of the part asked for that have a target and a curve; the others are named."""
    parts = list(dict.fromkeys(str(row["part"]) for row in rows if row["part"] is not None))
    if part is not None and part not in parts:
        expected = f"one of {', '.join(parts)}" if parts else "no part: the column map says nothing of parts"
        raise FileError(Problem(path, f"part {part!r} asked for", expected))
    asked = [index for index, row in enumerate(rows) if part is None or row["part"] == part]
    measured = [bool(curve.any()) for curve in np.isfinite(curves.fluorescence)]
    empty = [index for index in asked if not measured[index] and rows[index]["target"]]
    nameless = [str(rows[index]["well"]) for index in asked if measured[index] and not rows[index]["target"]]
    if empty:
        warnings.append(left_out([f"well {rows[index]['well']}, target {rows[index]['target']}" for index in empty]))
    if nameless:
        shown = ", ".join(nameless[:5]) + ("; …" if len(nameless) > 5 else "")
        warnings.append(f"{len(nameless)} curves have no target and were left out: well {shown}.")
    return [index for index in asked if measured[index] and rows[index]["target"]]
