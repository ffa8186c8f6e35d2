"""A table with a column map and a folder of files go through the workflow, and a change in any file is noticed."""

from __future__ import annotations

import os

import numpy as np
import pytest

from bcrabl.formats import read_run
from bcrabl.tables import CURVES, list_values, read_table

pytestmark = pytest.mark.workflow

COLUMN_MAP = """\
layout: long
stage: raw
fields:
  {well: Well, cycle: Cycle, fluorescence: Signal, passive_reference: ROX, target: Target, dye: Dye, sample: Sample,
   role: Role, quantity: Copies}
quantity_unit: copies
run_date: 2026-03-02
"""
HEADER = "Well,Cycle,Target,Dye,Sample,Role,Copies,Signal,ROX"


def as_table(run):
    """The run as a csv of one row per reading."""
    lines = [HEADER]
    for place, row in enumerate(run.reactions.to_pylist()):
        copies = "" if row["known_copies"] is None else f"{row['known_copies']:.12g}"
        who = ",".join((row["target"], row["dye"], row["sample_id"] or "", row["role"], copies))
        lines += [
            f"{row['well']},{cycle:g},{who},{float(run.fluorescence[place, at])!r},{float(rox)!r}"
            for at, (cycle, rox) in enumerate(zip(run.cycles, run.passive_reference[place], strict=True))
        ]
    return "\n".join(lines) + "\n"


def test_a_table_with_a_map_beside_a_folder_gives_the_results_of_the_export(laboratory):
    raw = laboratory.add_run("r1", seed=1)
    table, folder = raw.with_name("r2.csv"), raw.with_name("r3")
    folder.mkdir()
    for path in (table, folder / "plate.csv"):
        path.write_text(as_table(read_run(raw)), encoding="utf-8")
        path.with_name(f"{path.name}.columns.yaml").write_text(COLUMN_MAP, encoding="utf-8")
    laboratory.name_run("r2", "raw/r2.csv")
    laboratory.name_run("r3", "raw/r3")
    done = laboratory.run()
    assert done.returncode == 0, done.stderr
    curves = [
        read_table(laboratory.folder / f"results/curves/site=LAB1/{name}.parquet", CURVES)
        for name in ("r1", "r2", "r3")
    ]
    for other in curves[1:]:
        for column in ("well", "target", "role", "sample_id", "known_copies", "stage"):
            assert other[column] == curves[0][column]
        assert np.array_equal(list_values(other["fluorescence"]), list_values(curves[0]["fluorescence"]))
    assert laboratory.planned() == []
    column_map = folder / "plate.csv.columns.yaml"
    column_map.write_text(COLUMN_MAP.replace("2026-03-02", "2026-03-03"), encoding="utf-8")
    os.utime(column_map, (1_000_000_000, 1_000_000_000))
    assert "analyse" in laboratory.planned()
