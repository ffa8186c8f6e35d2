"""The example that ships with the workflow: three simulated runs of one laboratory, their sheets and their truth.

    python -m bcrabl.simulation.example [folder]

demo-1 is a good run; demo-2 a good run whose export names two wells wrongly, which its layout sheet puts right; demo-3
amplifies badly and has a contaminated water, so that all of it must be repeated. Nobody's data: every number is drawn
from one seed. True IS % = conversion factor × 100 × BCR::ABL1 / ABL1.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from bcrabl.simulation.amplification import low_efficiency
from bcrabl.simulation.plate import BCR_ABL1, Reaction, Sample, sample_plate
from bcrabl.simulation.run import SampleTruth, simulate_run, truth_of_samples
from bcrabl.tables import REACTIONS
from bcrabl.whole_files import write_text

if TYPE_CHECKING:
    from bcrabl.run import Run

__all__ = ["CONVERSION_FACTOR", "RUN_DATES", "SPECIMENS", "Specimen", "simulate_example", "write_example"]

SEED = 20260302
SITE, ASSAY, CONTROL_GENE = "DEMO-LAB", "eac", "ABL1"
CONVERSION_FACTOR, FACTOR_LOW, FACTOR_HIGH = 0.85, 0.76, 0.95
RUN_DATES = {"demo-1": "2026-03-02", "demo-2": "2026-04-13", "demo-3": "2026-05-25"}
FAILING_RUN, MISNAMED_RUN = "demo-3", "demo-2"
MISNAMED_SAMPLES = ("SIM-017", "SIM-028")  # 3.2 % and undetected: the swap, if not put right, is plain to see
CONTROLS = {"SIM-HIGH": (10.0, 50_000.0), "SIM-LOW": (0.05, 60_000.0)}  # IS %, control gene copies per well

_LEAST_CONTROL_COPIES = 10_000.0  # of ABL1 in a replicate for a sample to be scored (Cross 2015, Leukemia 29:999)
_FEW_COPIES = 25.0  # below, chance alone may part the replicates so far that a person should look


@dataclass(frozen=True)
class Specimen:
    """One blood sample: what is true of it. `is_percent` of an e1a2 patient is the same product, but not a report."""

    sample_id: str
    run_id: str
    patient_id: str
    transcript: str
    collection_date: str
    is_percent: float
    control_copies: float

    @property
    def sample(self) -> Sample:
        """What of it stands in the wells, copies per reaction."""
        copies = self.control_copies * self.is_percent / 100.0 / CONVERSION_FACTOR
        return Sample(self.sample_id, copies, self.control_copies)


_OTHER_TRANSCRIPTS = {"SIM-P14": "e1a2"}  # the rest carry e14a2 and e13a2 by turns

_COURSES: Sequence[tuple[str, str, str, float, float]] = (
    # run, patient, collected, true IS %, ABL1 copies per well
    ("demo-1", "SIM-P01", "2026-02-23", 10.0, 50_000),
    ("demo-1", "SIM-P02", "2026-02-23", 5.0, 42_000),
    ("demo-1", "SIM-P03", "2026-01-19", 0.0, 60_000),  # treatment-free; relapses over the next three samples
    ("demo-1", "SIM-P03", "2026-02-23", 0.03, 75_000),
    ("demo-1", "SIM-P04", "2026-02-24", 0.7, 35_000),
    ("demo-1", "SIM-P05", "2026-02-24", 0.35, 64_000),
    ("demo-1", "SIM-P06", "2026-02-24", 0.2, 48_000),
    ("demo-1", "SIM-P07", "2026-02-25", 0.05, 52_000),
    ("demo-1", "SIM-P08", "2026-02-25", 0.02, 90_000),
    ("demo-1", "SIM-P09", "2026-02-25", 0.008, 80_000),
    ("demo-1", "SIM-P10", "2026-02-25", 0.005, 120_000),
    ("demo-1", "SIM-P11", "2026-02-26", 0.002, 110_000),
    ("demo-1", "SIM-P12", "2026-02-26", 0.0, 65_000),  # sum 130,000: MR5
    ("demo-1", "SIM-P13", "2026-02-26", 0.0, 22_000),  # sum 44,000: MR4.5
    ("demo-1", "SIM-P14", "2026-02-26", 0.8, 45_000),  # e1a2: not on the International Scale
    ("demo-1", "SIM-P15", "2026-02-27", 0.0, 3_000),  # poor cDNA: nothing can be said, to be repeated
    ("demo-2", "SIM-P01", "2026-04-07", 3.2, 55_000),
    ("demo-2", "SIM-P02", "2026-04-07", 1.4, 38_000),
    ("demo-2", "SIM-P03", "2026-04-07", 0.6, 70_000),  # loss of MMR
    ("demo-2", "SIM-P04", "2026-04-07", 0.4, 44_000),
    ("demo-2", "SIM-P07", "2026-04-08", 0.03, 60_000),
    ("demo-2", "SIM-P09", "2026-04-08", 0.001, 100_000),  # about one copy per well
    ("demo-2", "SIM-P12", "2026-04-08", 0.0, 58_000),
    ("demo-2", "SIM-P13", "2026-04-08", 0.0, 34_000),
    ("demo-2", "SIM-P14", "2026-04-08", 0.3, 50_000),
    ("demo-2", "SIM-P15", "2026-03-16", 0.015, 46_000),  # the specimen drawn again
    ("demo-2", "SIM-P16", "2026-04-09", 8.0, 30_000),
    ("demo-2", "SIM-P17", "2026-04-09", 0.0, 85_000),
    ("demo-2", "SIM-P18", "2026-04-09", 0.15, 62_000),
    ("demo-2", "SIM-P19", "2026-04-09", 0.006, 110_000),
    ("demo-2", "SIM-P20", "2026-04-10", 2.0, 20_000),
    ("demo-3", "SIM-P01", "2026-05-18", 1.1, 52_000),
    ("demo-3", "SIM-P02", "2026-05-18", 0.5, 47_000),
    ("demo-3", "SIM-P03", "2026-05-18", 4.0, 66_000),
    ("demo-3", "SIM-P04", "2026-05-18", 0.2, 40_000),
    ("demo-3", "SIM-P05", "2026-05-19", 0.12, 58_000),
    ("demo-3", "SIM-P06", "2026-05-19", 0.07, 51_000),
    ("demo-3", "SIM-P08", "2026-05-19", 0.012, 95_000),
    ("demo-3", "SIM-P10", "2026-05-19", 0.0, 105_000),
    ("demo-3", "SIM-P11", "2026-05-20", 0.0, 98_000),
    ("demo-3", "SIM-P12", "2026-05-20", 0.0, 62_000),
    ("demo-3", "SIM-P13", "2026-05-20", 0.004, 36_000),
    ("demo-3", "SIM-P21", "2026-05-20", 6.0, 28_000),
    ("demo-3", "SIM-P22", "2026-05-21", 0.9, 43_000),
    ("demo-3", "SIM-P23", "2026-05-21", 0.04, 71_000),
)


def _transcript(patient_id: str) -> str:
    by_turns = ("e14a2", "e13a2")[int(patient_id[-2:]) % 2]
    return _OTHER_TRANSCRIPTS.get(patient_id, by_turns)


SPECIMENS = tuple(
    Specimen(f"SIM-{number:03d}", run_id, patient, _transcript(patient), collected, is_percent, float(control))
    for number, (run_id, patient, collected, is_percent, control) in enumerate(_COURSES, start=1)
)


def plate_of(run_id: str) -> tuple[Reaction, ...]:
    """The reactions that really stand on the plate of a run."""
    patients = [one.sample for one in SPECIMENS if one.run_id == run_id]
    controls = [
        Sample(name, control * is_percent / 100.0 / CONVERSION_FACTOR, control, role="pos")
        for name, (is_percent, control) in CONTROLS.items()
    ]
    ntc_copies = 20.0 if run_id == FAILING_RUN else 0.0
    return sample_plate([*controls, *patients], control_gene=CONTROL_GENE, ntc_copies=ntc_copies)


def simulate_example(run_id: str) -> Run:
    """One run of the example, as it really was: the samples of demo-2 stand where they stand."""
    seed = SEED + list(RUN_DATES).index(run_id)
    kinetics = low_efficiency() if run_id == FAILING_RUN else None
    return simulate_run(plate_of(run_id), seed=seed, kinetics=kinetics, run_date=RUN_DATES[run_id])


def misnamed_wells(run: Run) -> tuple[str, str]:
    """The first BCR::ABL1 well of each of the two samples that the export of demo-2 mistakes for each other."""
    rows = run.reactions.to_pylist()
    first, second = (
        next(row["well"] for row in rows if row["sample_id"] == name and row["target"] == BCR_ABL1)
        for name in MISNAMED_SAMPLES
    )
    return first, second


def exported(run: Run, run_id: str) -> Run:
    """The run as its file tells it."""
    if run_id != MISNAMED_RUN:
        return run
    wrong = dict(zip(misnamed_wells(run), reversed(MISNAMED_SAMPLES), strict=True))
    names = [wrong.get(row["well"], row["sample_id"]) for row in run.reactions.to_pylist()]
    column = REACTIONS.schema.names.index("sample_id")
    field = REACTIONS.schema.field(column)
    return replace(run, reactions=run.reactions.set_column(column, field, pa.array(names, type=field.type)))


def write_example(folder: str | Path = ".") -> None:
    """Write the example below the repository's root, or below another folder in the same shape."""
    from bcrabl.formats import write_rdml

    root = Path(folder)
    runs = {run_id: simulate_example(run_id) for run_id in RUN_DATES}
    _write_sheets(runs, root)
    for run_id, run in runs.items():
        write_rdml(exported(run, run_id), root / f"resources/example/{run_id}.rdml")


def _write_sheets(runs: Mapping[str, Run], root: Path) -> None:
    _write_sheet(root / "resources/example/truth.tsv", _truth_rows(runs), _TRUTH_NOTE)
    _write_sheet(root / "config/runs.tsv", _run_rows())
    _write_sheet(root / "config/samples.tsv", _sample_rows())
    _write_sheet(root / "config/conversion_factors.tsv", [_CONVERSION_FACTOR_ROW])
    _write_sheet(root / f"config/layouts/{MISNAMED_RUN}.tsv", _layout_rows(runs[MISNAMED_RUN]), _LAYOUT_NOTE)


_SIMULATED = "simulated by bcrabl.simulation.example: no patient, no laboratory, no instrument is real"
_TRUTH_NOTE = "copies are expected molecules summed over replicates; must_be lists the outcomes that are right, by |"
_LAYOUT_NOTE = "the export exchanged the samples of these two wells; this sheet puts them right"

_CONVERSION_FACTOR_ROW = {
    "site": SITE,
    "assay": ASSAY,
    "control_gene": CONTROL_GENE,
    "factor": CONVERSION_FACTOR,
    "factor_low": FACTOR_LOW,
    "factor_high": FACTOR_HIGH,
    "valid_from": "2026-01-01",
    "valid_to": "2026-12-31",
    "source": "simulated",
}


def _write_sheet(path: Path, rows: Iterable[Mapping[str, object]], note: str = "") -> None:
    listed = list(rows)
    lines = [f"# {_SIMULATED}", *([f"# {note}"] if note else []), "\t".join(listed[0])]
    lines += ["\t".join(_cell(value) for value in row.values()) for row in listed]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text("\n".join(lines) + "\n", path)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _run_rows() -> list[dict[str, object]]:
    return [
        {
            "run_id": run_id,
            "site": SITE,
            "raw_file": f"resources/example/{run_id}.rdml",
            "assay": ASSAY,
            "layout": f"config/layouts/{run_id}.tsv" if run_id == MISNAMED_RUN else None,
            "batch": None,
            "instrument": "simulated",
            "operator": "simulated",
            "run_date": run_date,
        }
        for run_id, run_date in RUN_DATES.items()
    ]


def _sample_rows() -> list[dict[str, object]]:
    return [
        {
            "sample_id": one.sample_id,
            "patient_id": one.patient_id,
            "collection_date": one.collection_date,
            "transcript": one.transcript,
            "material": "PB",
        }
        for one in SPECIMENS
    ]


def _layout_rows(run: Run) -> list[dict[str, object]]:
    columns = ("well", "target", "role", "sample_id", "known_copies")
    wells = misnamed_wells(run)
    return [{name: row[name] for name in columns} for row in run.reactions.to_pylist() if row["well"] in wells]


def _truth_rows(runs: Mapping[str, Run]) -> list[dict[str, object]]:
    return [_truth_row(run_id, truth) for run_id, run in runs.items() for truth in truth_of_samples(run)]


def _truth_row(run_id: str, truth: SampleTruth) -> dict[str, object]:
    specimen = next((one for one in SPECIMENS if one.sample_id == truth["sample_id"]), None)
    transcript = specimen.transcript if specimen else None
    ratio = truth["ratio_percent"]
    return {
        "run_id": run_id,
        "sample_id": truth["sample_id"],
        "is_percent": None if ratio is None or transcript == "e1a2" else CONVERSION_FACTOR * ratio,
        "bcr_abl_copies": truth["bcr_abl_copies"],
        "control_copies": truth["control_copies"],
        "transcript": transcript,
        "must_be": _must_be(run_id, specimen),
        "ratio_percent": ratio,
    }


def _must_be(run_id: str, specimen: Specimen | None) -> str:
    """The outcomes that are right for a sample, separated by |; `control` for a positive control."""
    if specimen is None:
        return "control"
    if run_id == FAILING_RUN or specimen.control_copies < _LEAST_CONTROL_COPIES:
        return "repeat"
    few = 0 < 2 * specimen.sample.bcr_abl_copies < _FEW_COPIES
    return "report|review" if few or specimen.transcript == "e1a2" else "report"


if __name__ == "__main__":
    write_example(*sys.argv[1:2])
