"""The examples of docs/column_map.md: each is run, and gives what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bcrabl.formats import read_run

PAGE = (Path(__file__).parents[1] / "docs" / "column_map.md").read_text(encoding="utf-8")
BLOCKS = {(kind, name): body for kind, name, body in re.findall(r"```(\w+) (\S+)\n(.*?)```", PAGE, re.DOTALL)}
TABLES = [name for kind, name in BLOCKS if kind == "csv"]


def in_words(run):
    """The reactions of a run as the page lists them."""
    lines = []
    for row, curve in zip(run.reactions.to_pylist(), run.fluorescence, strict=True):
        measured = np.flatnonzero(np.isfinite(curve))
        first, last = run.cycles[measured[[0, -1]]]
        texts = [row[name] or "-" for name in ("part", "well", "target", "dye", "role", "sample_id")]
        numbers = ["-" if row[name] is None else f"{row[name]:.12g}" for name in ("known_copies", "vendor_cq")]
        signal = f"{curve[measured[0]]:g}…{curve[measured[-1]]:g}"
        lines.append([*texts, *numbers, f"{first:g}-{last:g}", signal])
    return lines


def test_the_page_has_an_example_of_each_layout():
    assert len(TABLES) == 5
    maps = "".join(body for (kind, _), body in BLOCKS.items() if kind == "yaml")
    for word in ("layout: long", "layout: column_per_well", "layout: row_per_well", "pattern:", "columns:", "wells:"):
        assert word in maps


@pytest.mark.parametrize("name", TABLES)
def test_an_example_gives_what_the_page_says(name, tmp_path):
    (tmp_path / name).write_text(BLOCKS["csv", name], encoding="utf-8")
    (tmp_path / f"{name}.columns.yaml").write_text(BLOCKS["yaml", f"{name}.columns.yaml"], encoding="utf-8")
    expected = [line.split() for line in BLOCKS["text", name].splitlines()[1:]]
    assert in_words(read_run(tmp_path / name)) == expected
