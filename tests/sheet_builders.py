"""Sheets for tests, and what loading them complains about."""

from __future__ import annotations

from pathlib import Path

import pytest

from bcrabl.errors import SheetError
from bcrabl.review_sheet import ReviewRow, load_exclusions
from bcrabl.sheets import (
    ConversionFactorRow,
    LayoutRow,
    RunRow,
    SampleRow,
    load_conversion_factors,
    load_layout,
    load_runs,
    load_samples,
)
from bcrabl.study_sheet import DetectionStudyRow, load_detection_study

RUN_COLUMNS = "run_id site raw_file assay"
FACTOR_COLUMNS = "site assay control_gene factor valid_from valid_to source"
SHEETS = {
    "runs": (load_runs, RunRow),
    "samples": (load_samples, SampleRow),
    "conversion_factors": (load_conversion_factors, ConversionFactorRow),
    "layout": (load_layout, LayoutRow),
    "detection_study": (load_detection_study, DetectionStudyRow),
    "exclusions": (load_exclusions, ReviewRow),
}


def write_text(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "sheet.tsv"
    path.write_bytes(text.encode(encoding))
    return path


def problems_of(load, path) -> list[str]:
    with pytest.raises(SheetError) as caught:
        load(path)
    return [str(problem) for problem in caught.value.problems]


def the_problem_of(load, path) -> str:
    (problem,) = problems_of(load, path)
    return problem


def configuration(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path
