"""A laboratory's folder with a copy of the workflow, and what it takes to run Snakemake in it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bcrabl.formats.rdml.writing import write_rdml
from bcrabl.simulation import Sample, low_efficiency, sample_plate, simulate_run

REPOSITORY = Path(__file__).parents[2]
_CODE = ("Snakefile", "workflow", "profiles", "src", "resources", "config")
_ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_", "SNAKEMAKE"))
}

RUNS_HEADER = ("run_id", "site", "raw_file", "assay", "layout", "batch", "run_date")
SAMPLES = (Sample("S1", 200.0, 50_000.0), Sample("S2", 0.0, 40_000.0), Sample("S3", 3_000.0, 60_000.0))


class Laboratory:
    """A folder with workflow, sheets and raw files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, str]] = []

    def sheet(self, name: str, header: tuple[str, ...], rows: list[dict[str, str]]) -> Path:
        lines = ["\t".join(header), *("\t".join(row.get(column, "") for column in header) for row in rows)]
        path = self.folder / "config" / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def add_run(
        self,
        run_id: str,
        *,
        seed: int = 1,
        batch: str = "",
        site: str = "LAB1",
        good: bool = True,
        run_date: str = "2026-03-02",
    ) -> Path:
        """A run with a simulated raw file."""
        kinetics = None if good else {"BCR::ABL1": low_efficiency(0.7), "ABL1": low_efficiency(0.7)}
        plate = sample_plate(SAMPLES, bcr_abl_standards=(1e5, 1e3, 1e2, 10), control_standards=(1e5, 1e4, 1e3))
        raw = self.folder / "raw" / f"{run_id}.rdml"
        raw.parent.mkdir(exist_ok=True)
        write_rdml(simulate_run(plate, seed=seed, kinetics=kinetics, run_date=run_date), raw)
        self.name_run(run_id, f"raw/{run_id}.rdml", batch=batch, site=site)
        return raw

    def name_run(self, run_id: str, raw_file: str, *, batch: str = "", site: str = "LAB1", assay: str = "eac") -> None:
        self.rows.append({"run_id": run_id, "site": site, "raw_file": raw_file, "assay": assay, "batch": batch})
        self.sheet("runs.tsv", RUNS_HEADER, self.rows)

    def set_factors(self, *rows: tuple[str, float]) -> None:
        """Conversion factors, one a site."""
        header = ("site", "assay", "control_gene", "factor", "valid_from", "source")
        fixed = {"assay": "eac", "control_gene": "ABL1", "valid_from": "2026-01-01", "source": "test"}
        self.sheet("conversion_factors.tsv", header, [{"site": site, "factor": str(cf)} | fixed for site, cf in rows])

    def set_review(self, *entries: tuple[str, str, str, str, str]) -> None:
        """Entries of the review: run, well, target, action, time."""
        header = ("run_id", "well", "target", "action", "reason", "by", "at")
        names = ("run_id", "well", "target", "action", "at")
        fixed = {"reason": "bubble in the well", "by": "op17"}
        self.sheet("exclusions.tsv", header, [dict(zip(names, entry, strict=True)) | fixed for entry in entries])

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments]

    def environment(self, **changes: str) -> dict[str, str]:
        return _ENVIRONMENT | {"PYTHONPATH": "", "HOME": str(self.folder)} | changes

    def run(self, *arguments: str, cores: int = 2, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake; its messages are in `.stderr`, whichever stream they came by."""
        done = subprocess.run(
            self.command(*arguments, cores=cores),
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, "", done.stdout)

    def start(self) -> subprocess.Popen[bytes]:
        """Start Snakemake in a session of its own, so that it can be killed with all its children."""
        return subprocess.Popen(
            self.command(),
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def planned(self) -> list[str]:
        """Rules that a dry run would execute."""
        text = self.run("--dry-run", "--quiet", "host").stderr
        known = ("analyse", "score", "report", "summary", "confirm")
        return sorted({rule for rule in known if f"rule {rule}:" in text or f"\n{rule} " in text})

    def contents(self, below: str = "results") -> dict[str, str]:
        """SHA-256 of every file below a folder."""
        files = sorted(path for path in (self.folder / below).rglob("*") if path.is_file())
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
        }


@pytest.fixture
def make_laboratory(tmp_path):
    """A function that makes a laboratory with its own copy of the workflow and no run yet."""

    def make(name: str = "lab") -> Laboratory:
        folder = tmp_path / name
        folder.mkdir()
        ignored = shutil.ignore_patterns("__pycache__", "example", "layouts", "*.tsv")
        for entry in _CODE:
            source = REPOSITORY / entry
            if source.is_dir():
                shutil.copytree(source, folder / entry, ignore=ignored)
            else:
                shutil.copy(source, folder / entry)
        laboratory = Laboratory(folder)
        patients = [{"sample_id": one.sample_id, "patient_id": f"P-{one.sample_id}"} for one in SAMPLES]
        header = ("sample_id", "patient_id", "collection_date", "transcript", "material")
        laboratory.sheet("samples.tsv", header, [row | {"transcript": "e14a2"} for row in patients])
        laboratory.set_factors(("LAB1", 0.8))
        laboratory.set_review()
        return laboratory

    return make


@pytest.fixture
def laboratory(make_laboratory):
    return make_laboratory()


@pytest.fixture(scope="session")
def finished_laboratory(tmp_path_factory):
    """A copy of the repository with the shipped example processed, and what Snakemake said."""
    folder = tmp_path_factory.mktemp("example") / "lab"
    folder.mkdir()
    for entry in _CODE:
        source = REPOSITORY / entry
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / entry, **({"ignore": shutil.ignore_patterns("__pycache__")} if source.is_dir() else {}))
    laboratory = Laboratory(folder)
    done = laboratory.run()
    assert done.returncode == 0, done.stderr
    return laboratory, done
