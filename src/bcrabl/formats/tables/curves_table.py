"""Our own table of curves: Parquet as the workflow writes it to results/curves, or `write_curves_table` to one file.

One row per reaction with its whole curve; everything a `Run` holds comes back as it was. A file of the workflow holds
the runs of a batch, with the targets and roles as protocol and layout sheet made them.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcrabl.errors import DamagedFile, FileError, Problem
from bcrabl.formats.assembly import Curve, assemble, on_common_cycles, problem_of_cycles
from bcrabl.formats.parquet import is_parquet, read_parquet
from bcrabl.formats.source import Format, RawFile
from bcrabl.formats.wells import normal_hole, normal_well
from bcrabl.run import ROLES, STAGES, Run

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FORMAT", "curves_of", "write_curves_table"]

Row = dict[str, Any]

_FOOTER = b"\x05table\x18\x06curves"  # as Parquet's footer holds this key and value
_FOOTER_WITHIN = 65536  # bytes from the end
_METADATA = "run_metadata"
_RENEW = "Write the table again with this version."


def _claims(source: RawFile) -> bool:
    return is_parquet(source.plain) and _FOOTER in source.plain[-_FOOTER_WITHIN:]


def _read(source: RawFile, part: str | None) -> Run:
    stated, rows = _checked_rows(source)
    rows = _chosen(source.path, rows, part)
    stage = _one_stage(source.path, rows)
    cycles, fluorescence = on_common_cycles([_curve(row, "fluorescence") for row in rows])
    passive = _passive(source.path, rows)
    about = _about(rows)
    told = {"warnings": about["warnings"], "format": FORMAT.name}
    metadata = {**about, **_stated_metadata(source.path, stated), **told}
    return assemble(source.path, [_reaction(row) for row in rows], cycles, fluorescence, passive, stage, metadata)


FORMAT = Format(
    name="bcrabl curves table",
    export="A Parquet file of results/curves, or what `bcrabl convert -o <name>.parquet` writes.",
    claims=_claims,
    read=_read,
)


# -- writing ----------------------------------------------------------------------------------------------------------


def curves_of(
    run: Run, reactions: Sequence[Mapping[str, object]], about: Mapping[str, object], overrides: Sequence[Sequence[str]]
) -> pa.Table:
    """The rows of `bcrabl.tables.CURVES` for a run.

    Parameters
    ----------
    run : n reactions with their curves.
    reactions : n rows with the columns of `bcrabl.tables.REACTIONS`, as they are to stand in the table.
    about : `run_id`, `run_date` (ISO text), `instrument` and `raw_file`.
    overrides : what the layout sheet changed, for each reaction.
    """
    import pyarrow as pa

    from bcrabl.tables import CURVES, list_column

    count = len(reactions)
    named = {name: [reaction[name] for reaction in reactions] for name in run.reactions.schema.names}
    passive = run.passive_reference
    columns: dict[str, object] = {name: named[name] for name in CURVES.schema.names if name in named}
    columns |= {name: [value] * count for name, value in about.items()}
    columns |= {
        "cycles": list_column(np.broadcast_to(run.cycles, run.fluorescence.shape)),
        "fluorescence": list_column(run.fluorescence),
        "passive_reference": pa.nulls(count) if passive is None else list_column(passive),
        "stage": [run.stage] * count,
        "layout_overrides": list(overrides),
        "run_date": [_day(about.get("run_date"))] * count,
        "raw_part": named["part"],
        "raw_notes": [list(run.warnings)] * count,
        "raw_sha256": [run.metadata.get("sha256")] * count,
    }
    return CURVES.from_columns(columns)


def write_curves_table(run: Run, path: str | Path) -> None:
    """Write a run as a table of curves (Parquet, `bcrabl.tables.CURVES`), whole or not at all.

    Parameters
    ----------
    run : any run; its true copies, if it is simulated, are not kept.
    path : the file to write; its name without ending becomes the `run_id`.

    Notes
    -----
    Reading the file gives the same reactions, curves and stage, and the same metadata but for `format`, `sha256`.
    """
    from bcrabl.tables import CURVES, write_table

    about = {
        "run_id": os.fsencode(Path(path).stem).decode("utf-8", "replace"),  # a name need not be UTF-8
        "run_date": run.metadata.get("run_date"),
        "instrument": run.metadata.get("instrument"),
        "raw_file": None,
    }
    reactions = run.reactions.to_pylist()
    kept = {name: value for name, value in run.metadata.items() if name != "sha256"}
    table = curves_of(run, reactions, about, [()] * len(reactions))
    write_table(table, CURVES, path, {_METADATA: json.dumps(kept, sort_keys=True, default=str)})


def _day(text: object) -> date | None:
    """The day of an ISO date or time stamp; None for anything else, since a guessed date picks a wrong factor."""
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


# -- reading ----------------------------------------------------------------------------------------------------------


def _checked_rows(source: RawFile) -> tuple[dict[str, str], list[Row]]:
    """Key and value of the footer, and the rows, once the schema is seen to be the current one."""
    from bcrabl.tables import CURVES, SCHEMA_VERSION

    content = read_parquet(source.plain, source.path)
    version = content.stated.get("schema_version", "none")
    expected = {field.name: _kind(field.type) for field in CURVES.schema}
    found = {name: kind.partition("<")[0] for name, kind in zip(content.names, content.kinds, strict=True)}
    if version != SCHEMA_VERSION or found != expected:
        differing = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
        other = f", other columns ({', '.join(differing)})" if differing else ""
        text = f"a table of curves of schema version {version}{other}"
        raise DamagedFile(Problem(source.path, text, f"schema version {SCHEMA_VERSION}", _RENEW))
    rows = [dict(zip(content.names, values, strict=True)) for values in zip(*content.columns, strict=True)]
    problems = [
        problem for number, row in enumerate(rows, 1) for problem in _problems(row, f"{source.path}, row {number}")
    ]
    if problems:
        raise DamagedFile(problems)
    return content.stated, rows


def _kind(arrow_type: pa.DataType) -> str:
    return str(arrow_type).partition("<")[0]


def _problems(row: Row, where: str) -> list[Problem]:
    """What is wrong with a row that another hand may have touched."""
    well, role, copies = str(row["well"] or ""), row["role"], row["known_copies"]
    problems = []
    if well not in {normal_well(well), normal_hole(well)}:
        problems.append(Problem(f"{where}, column well", repr(well), "a well such as A1"))
    if not row["run_id"] or not row["target"]:
        problems.append(Problem(where, "no run_id or no target", "both"))
    if role not in ROLES:
        problems.append(Problem(f"{where}, column role", repr(role), f"one of {', '.join(ROLES)}"))
    if row["stage"] not in STAGES:
        problems.append(Problem(f"{where}, column stage", repr(row["stage"]), f"one of {', '.join(STAGES)}"))
    if copies is not None and not (role == "std" and math.isfinite(copies) and copies > 0):
        problems.append(Problem(f"{where}, column known_copies", f"{copies:g} ({role})", "copies above 0 of a std"))
    return problems + _problems_of_curve(row, where)


def _problems_of_curve(row: Row, where: str) -> list[Problem]:
    axis, signal, passive = row["cycles"], row["fluorescence"], row["passive_reference"]
    if axis is None or signal is None or None in axis:
        return [Problem(where, "no curve, or one without cycles", "cycles and fluorescence")]
    lengths = {len(axis), len(signal), len(axis if passive is None else passive)}
    if len(lengths) > 1:
        return [Problem(where, f"lists of {' and '.join(map(str, sorted(lengths)))} values", "one value a cycle")]
    if any(value is not None and not math.isfinite(value) for value in (*axis, *signal, *(passive or ()))):
        return [Problem(where, "a value that is infinite or no number", "finite values, null where there is none")]
    problem = problem_of_cycles(axis)
    return [] if problem is None else [Problem(f"{where}, column cycles", problem, "cycles 1, 2, 3, …")]


def _chosen(path: str, rows: list[Row], part: str | None) -> list[Row]:
    """The rows of one part, or all; where a file holds several runs, each is a part."""
    runs = list(dict.fromkeys(row["run_id"] for row in rows))
    if len(runs) > 1:
        rows = [row | {"raw_part": _joined(row["run_id"], row["raw_part"])} for row in rows]
    if part is None:
        return rows
    known = runs if len(runs) > 1 else list(dict.fromkeys(row["raw_part"] for row in rows if row["raw_part"]))
    column = "run_id" if len(runs) > 1 or part in runs else "raw_part"
    chosen = [row for row in rows if row[column] == part]
    if not chosen:
        expected = f"one of {', '.join(known)}" if known else "no part: the file holds one run"
        raise FileError(Problem(path, f"part {part!r} asked for", expected))
    return chosen


def _joined(run_id: str, part: str | None) -> str:
    return run_id if part is None else f"{run_id}, {part}"


def _one_stage(path: str, rows: list[Row]) -> str:
    stages = sorted({row["stage"] for row in rows})
    if len(stages) > 1:
        found = f"curves of stages {' and '.join(stages)}"
        raise DamagedFile(Problem(path, found, "one stage in a run", "Name one run_id as the part to read."))
    return str(stages[0]) if stages else "raw"


def _curve(row: Row, column: str) -> Curve:
    return tuple(row["cycles"]), [math.nan if value is None else value for value in row[column]]


def _passive(path: str, rows: list[Row]) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    present = [row["passive_reference"] is not None for row in rows]
    if not any(present):
        return None
    if not all(present):
        found = "a passive reference in some reactions and none in others"
        raise DamagedFile(Problem(path, found, "one or the other", "Name one run_id as the part to read."))
    return on_common_cycles([_curve(row, "passive_reference") for row in rows])[1]


def _reaction(row: Row) -> Row:
    from bcrabl.tables import REACTIONS

    return {name: row["raw_part"] if name == "part" else row[name] for name in REACTIONS.schema.names}


def _stated_metadata(path: str, stated: Mapping[str, str]) -> dict[str, object]:
    try:
        metadata = json.loads(stated.get(_METADATA, "{}"))
        json.dumps(metadata, ensure_ascii=False).encode()  # JSON may spell half a character, which is no text
    except (ValueError, RecursionError) as error:
        raise DamagedFile(Problem(path, f"metadata that are no JSON ({error})", "JSON", _RENEW)) from error
    if not isinstance(metadata, dict):
        raise DamagedFile(Problem(path, "metadata that are no mapping", "a mapping", _RENEW))
    return metadata


def _about(rows: list[Row]) -> dict[str, object]:
    """What all rows agree on; warnings of all of them, and what a layout sheet had changed."""
    notes = dict.fromkeys(str(note) for row in rows for note in row["raw_notes"] or ())
    changed = [row for row in rows if row["layout_overrides"]]
    if changed:
        first = f"well {changed[0]['well']}: {'; '.join(map(str, changed[0]['layout_overrides']))}"
        notes[f"A layout sheet had changed {len(changed)} reactions against the export ({first})."] = None
    about: dict[str, object] = {"warnings": tuple(notes)}
    for name in ("run_date", "instrument"):
        values = {row[name] for row in rows}
        if len(values) == 1 and (value := values.pop()):
            about[name] = value
    return about
