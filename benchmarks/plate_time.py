"""How long one 96-well plate takes: the package's own work, and the whole workflow with Snakemake's start.

    python benchmarks/plate_time.py [repeats]

Raw files: the shipped example (RDML) and, where it is at hand, a real QuantStudio export. Wall seconds, least and
median.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from way import REPOSITORY, process

from bcrabl.sheets import RunRow

DATA = Path(os.environ.get("BCRABL_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
QS1 = DATA / "quantstudio_da2_xlsx/appbio_quantstudio_designandanalysis_QS1_Standard_Curve_example01.xlsx"
EXAMPLE = REPOSITORY / "resources/example/demo-1.rdml"


def own_work(raw: Path) -> dict[str, float]:
    """Seconds of each job's own work for one plate, imports not counted."""
    run = RunRow("plate", "SITE", str(raw), "eac", "plate", run_date="2026-03-02")
    with tempfile.TemporaryDirectory() as folder:
        _, analysing, scoring = process([run], folder)
    return {"read + fit + write": analysing, "score + write": scoring, "both": analysing + scoring}


def whole_workflow(raw: Path) -> float:
    """Seconds of `snakemake` in a fresh folder with this one plate, two cores."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for entry in ("Snakefile", "workflow", "profiles", "src", "resources/standards"):
            source, target = REPOSITORY / entry, folder / entry
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
        shutil.copytree(REPOSITORY / "config", folder / "config")
        rows = ["run_id\tsite\traw_file\tassay\trun_date", f"plate\tSITE\t{raw}\teac\t2026-03-02"]
        (folder / "config/runs.tsv").write_text("\n".join(rows) + "\n")
        begin = time.perf_counter()
        command = [sys.executable, "-m", "snakemake", "--cores", "2"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return time.perf_counter() - begin


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    plates = {"example RDML, 96 reactions × 50 cycles": EXAMPLE, "QuantStudio 1 xlsx, 96 × 40": QS1}
    print(f"{'plate':42}{'what':24}{'least':>8}{'median':>8}")
    for name, raw in plates.items():
        if not raw.is_file():
            print(f"{name:42}not at hand")
            continue
        own_work(raw)  # imports and caches
        seconds = [own_work(raw) for _ in range(repeats)]
        for what in seconds[0]:
            values = [one[what] for one in seconds]
            print(f"{name:42}{what:24}{min(values):8.3f}{statistics.median(values):8.3f}")
        values = [whole_workflow(raw) for _ in range(repeats)]
        print(f"{name:42}{'snakemake, all outputs':24}{min(values):8.2f}{statistics.median(values):8.2f}")


if __name__ == "__main__":
    main()
