"""A simulated detection study: a plate of dilution levels, and the tables the workflow makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bcrabl.formats import write_rdml
from bcrabl.run import Run
from bcrabl.sheets import RunRow
from bcrabl.simulation import Reaction, replicate_plate, simulate_run, well_names
from bcrabl.stages.batch import ScoringFiles, analyse_batch, score_batch
from bcrabl.standards import assay_path, standards_folder

FUSION = "BCR::ABL1"
LEVELS = (0, 1, 2, 5, 10, 20, 50)
STANDARDS = (1e6, 1e5, 1e4, 1e3, 1e2, 1e1)
SAMPLES_SHEET = "sample_id\tpatient_id\nS1\tP1\n"


def study_plate(
    levels: Sequence[float] = LEVELS, replicates: int = 24, standards: Sequence[float] = STANDARDS
) -> list[Reaction]:
    """Levels in samples named DIL-<copies>, and standards in duplicate."""
    studied = replicate_plate(FUSION, levels, replicates)
    named = [replace(reaction, sample_id=f"DIL-{reaction.copies:g}") for reaction in studied]
    plate = [*named, *replicate_plate(FUSION, standards, 2, role="std")]
    return [replace(reaction, well=well) for reaction, well in zip(plate, well_names(16, 24), strict=False)]


def write_study(run: Run, folder: Path, run_id: str = "DIL") -> tuple[str, str]:
    """Analyse and score a run; paths of its cq and copies tables."""
    raw = folder / f"{run_id}.rdml"
    write_rdml(run, raw)
    (folder / "samples.tsv").write_text(SAMPLES_SHEET, encoding="utf-8")
    names = ("curves", "cq", "standard_curves", "copies", "results", "qc")
    paths = {name: str(folder / f"{run_id}.{name}.parquet") for name in names}
    paths |= {name: str(folder / f"{run_id}.{name}.json") for name in ("refused", "status")}
    runs, assays = [RunRow(run_id, "LAB1", str(raw), "eac", run_id)], [str(assay_path("eac"))]
    analyse_batch(runs, assays, paths)
    rules = str(standards_folder() / "molecular_response.yaml")
    files = ScoringFiles(paths["curves"], paths["cq"], paths["refused"], assays, rules, str(folder / "samples.tsv"), ())
    score_batch(runs, files, paths)
    return paths["cq"], paths["copies"]


def simulated_study(folder: Path, seed: int, **plate: object) -> tuple[Run, str, str]:
    """A simulated study plate and its two tables."""
    run = simulate_run(study_plate(**plate), seed=seed, run_date="2026-03-02")
    return run, *write_study(run, folder)
