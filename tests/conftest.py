"""What tests of several rooms share: where the real export files lie, and how hypothesis looks for examples."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from sheet_builders import write_text

_BESIDE_THE_REPOSITORY = Path(__file__).resolve().parents[2] / "shared" / "data"


# No deadlines: machines differ. In CI the examples are the same each time, so that a red build is red again; elsewhere
# they are new each time, so that somebody finds the next defect.
settings.register_profile("anywhere", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "anywhere")


@pytest.fixture
def real_data():
    """Gives the path of a real export file or folder; skips, with the reason, where it is missing."""
    folder = Path(os.environ.get("BCRABL_TEST_DATA") or _BESIDE_THE_REPOSITORY)

    def _real_data(*parts: str) -> Path:
        path = folder.joinpath(*parts)
        if not folder.is_dir():
            pytest.skip(f"no real export files: {folder} (set BCRABL_TEST_DATA)")
        if not path.exists():
            pytest.skip(f"real export file missing: {path}")
        return path

    return _real_data


@pytest.fixture
def write(tmp_path):
    """Writes a sheet from a header and rows of blank-separated words ('-' = empty cell) and gives its path."""

    def _write(header: str, *rows: str) -> Path:
        lines = ["\t".join("" if word == "-" else word for word in row.split()) for row in (header, *rows)]
        return write_text(tmp_path, "\n".join(lines) + "\n")

    return _write
