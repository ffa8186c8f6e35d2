"""The page about the files for the LIMS names every column as it is."""

from __future__ import annotations

from pathlib import Path

from bcrabl.lims import COLUMNS

PAGE = Path(__file__).parents[2] / "docs" / "lims.md"


def test_the_page_lists_the_columns_in_order_with_their_meaning():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line.startswith("| `")]
    assert listed == [f"| `{column.name}` | {column.heading} | {column.meaning} |" for column in COLUMNS]
