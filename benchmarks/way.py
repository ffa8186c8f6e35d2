"""The whole way of some runs by the package's own stages, for the benchmarks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from bcrabl import sheets, standards
from bcrabl.stages import batch

REPOSITORY = Path(__file__).resolve().parents[1]


def process(runs: Sequence[sheets.RunRow], folder: str | Path) -> tuple[dict[str, str], float, float]:
    """Analyse and score runs with the example's sheets: paths of the tables, seconds of either job."""
    names = ("curves", "cq", "standard_curves", "copies", "results", "qc")
    output = {name: f"{folder}/{name}.parquet" for name in names}
    output |= {name: f"{folder}/{name}.json" for name in ("refused", "status")}
    assays = [str(standards.assay_path(assay)) for assay in sorted({run.assay for run in runs})]
    begin = time.perf_counter()
    batch.analyse_batch(runs, assays, output)
    analysed = time.perf_counter()
    files = batch.ScoringFiles(
        output["curves"],
        output["cq"],
        output["refused"],
        assays,
        str(standards.standards_folder() / "molecular_response.yaml"),
        str(REPOSITORY / "config/samples.tsv"),
        sheets.load_conversion_factors(REPOSITORY / "config/conversion_factors.tsv"),
    )
    batch.score_batch(runs, files, output)
    return output, analysed - begin, time.perf_counter() - analysed
