"""Every real file of the manifest: read with the wells, cycles and roles it states, or refused with the way out."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from bcrabl.errors import FormatRefused
from bcrabl.formats import read_run

DATA = Path(os.environ.get("BCRABL_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
MANIFEST = DATA / "MANIFEST.csv"

# What is no export of an instrument: ratings, Cq lists and annotations that belong to other files
BESIDE = (".json", ".tsv", "decision_res_RAS002.csv")
COUNTED_IN_REACTIONS = (
    *(
        "volume_machine.rdml",
        "data_vermeulen_std_150000_15.rdml",
        "Presence_Absence.xlsx",
        "appbio_quantstudio_example08.xlsx",
    ),
    "DEMO_COVID2020_THERMO.eds",
)
WITHOUT_CURVE = {
    "rdml14_untergasser_vermeulen/matrix_gaps.rdml": 1,  # a well whose curve is empty, named in a warning
    # a block of 384 wells, of which 232 are used; 228 have a Ct, 4 none
    "quantstudio_da1_xlsx/appbio_quantstudio_design_and_analysis_example15_v1.5.2.xlsx": 384 - 232,
}
REFUSED = {
    "biomark_results/BioMark_sample.csv": "BioMark",
    "cfx_csv_cqonly/example01.csv": "Amplification",
    "lc480_txt/Edward_qPCR_Nrd1_calibration_2019-02-02_Cq.txt.gz": "raw",
    "cfx_csv_SYNTHETIC/demo - Quantification Cq Results.csv": "Amplification",
    "mxpro_txt/3000 - Text Report Data.txt": "instrument data",
    "lod_cq/Data.csv": "curves",
}


def manifest() -> list[dict[str, str]]:
    if not MANIFEST.is_file():
        return []
    with MANIFEST.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def exports(refused: bool) -> list[object]:
    rows = [
        row
        for row in manifest()
        if (row["path"] in REFUSED) == refused
        and not row["path"].startswith("tidy/")  # tables of no vendor: test_generic.py
        and (not row["path"].endswith(BESIDE) or row["path"].startswith("chai_json"))
    ]
    if not rows:
        return [pytest.param({}, marks=pytest.mark.skip(reason=f"no real export files: {DATA} (set BCRABL_TEST_DATA)"))]
    return [pytest.param(row, id=row["path"]) for row in rows]


@pytest.mark.real_data
@pytest.mark.parametrize("row", exports(refused=False))
def test_an_export_with_curves_is_read_with_its_wells_and_cycles(row):
    run = read_run(DATA / row["path"])
    wells = set(run.reactions["well"].to_pylist())
    assert len(run.cycles) == int(row["cycles"])
    stated = int(row["wells"])
    if row["path"].endswith(COUNTED_IN_REACTIONS):
        assert run.reactions.num_rows == stated
    else:
        assert len(wells) + WITHOUT_CURVE.get(row["path"], 0) == stated


@pytest.mark.real_data
@pytest.mark.parametrize("row", exports(refused=True))
def test_an_export_without_curves_is_refused_with_what_to_export(row, tmp_path):
    alone = tmp_path / Path(row["path"]).name  # beside its curves a table of results belongs to them
    alone.symlink_to(DATA / row["path"])
    with pytest.raises(FormatRefused, match=REFUSED[row["path"]]) as refusal:
        read_run(alone)
    assert all(problem.remedy for problem in refusal.value.problems)
