"""Tables of curves as the workflow and `write_curves_table` leave them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from bcrabl.formats import write_curves_table
from bcrabl.run import Run
from bcrabl.tables import CURVES, REACTIONS, read_table, write_table

CYCLES = np.arange(1.0, 13.0)


def small_run(part: str | None = None, stage: str = "raw", passive: bool = True) -> Run:
    """A standard, a sample with a gap in its curve, and a blank; every column of the reactions filled somewhere."""
    reactions = REACTIONS.from_rows(
        [
            {
                "part": part,
                "well": "A1",
                "target": "ABL1",
                "dye": "FAM",
                "role": "std",
                "sample_id": "STD-1000",
                "known_copies": 1000.0,
                "vendor_cq": 24.123456789,
                "vendor_threshold": 0.2,
                "vendor_baseline_start": 3.0,
                "vendor_baseline_end": 15.0,
                "vendor_task": "STANDARD",
                "vendor_quantity": 1000.0,
                "vendor_quantity_unit": "cop",
                "vendor_omitted": False,
            },
            {
                "part": part,
                "well": "A2",
                "target": "ABL1",
                "role": "unkn",
                "sample_id": "S7",
                "vendor_cq_text": "Undetermined",
                "vendor_call": "No Amp",
                "vendor_omitted": True,
            },
            {"part": part, "well": "A10", "target": "ABL1", "role": "ntc"},
        ]
    )
    rise = 1 / (1 + np.exp(6 - CYCLES))
    fluorescence = 0.1 + np.outer([1.0, 0.5, 0.001], rise) / 3
    fluorescence[1, 4] = np.nan
    metadata = {"format": "RDML", "instrument": "Mic", "run_date": "2026-03-02", "warnings": ("A sentence.",)}
    reference = np.full_like(fluorescence, 1.1) if passive else None
    return Run(reactions, CYCLES, fluorescence, reference, stage, metadata)


def written(run: Run, folder: Path, name: str = "plate7") -> Path:
    write_curves_table(run, folder / f"{name}.parquet")
    return folder / f"{name}.parquet"


def batch(folder: Path, **runs: Run) -> Path:
    """A table of several runs, as the workflow writes one for a batch."""
    import pyarrow as pa

    tables = [read_table(written(run, folder, name), CURVES) for name, run in runs.items()]
    write_table(pa.concat_tables(tables), CURVES, folder / "batch.parquet")
    return folder / "batch.parquet"


def samples() -> dict[str, dict[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        return {"one run": {"plate7.parquet": written(small_run(), Path(folder)).read_bytes()}}
