"""Real plates, composed into BCR::ABL1 runs of known ratio, the whole way from raw file to results."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from bcrabl.formats import read_run, write_rdml
from bcrabl.run import Run
from bcrabl.tables import REACTIONS

pytestmark = [pytest.mark.workflow, pytest.mark.real_data]

QS1 = ("quantstudio_da2_xlsx", "appbio_quantstudio_designandanalysis_QS1_Standard_Curve_example01.xlsx")
VERMEULEN = ("rdml14_untergasser_vermeulen", "data_vermeulen_std_150000_15.rdml")


def _results(laboratory, table="results"):
    return ds.dataset(laboratory.folder / "results" / table, partitioning="hive").to_table().to_pylist()


def _prepare(laboratory, run_id, raw_file, assay, samples, layout=""):
    header = ("sample_id", "patient_id", "collection_date", "transcript", "material")
    rows = [{"sample_id": name, "patient_id": f"P{k}", "transcript": "e14a2"} for k, name in enumerate(samples)]
    laboratory.sheet("samples.tsv", header, rows)
    laboratory.name_run(run_id, str(raw_file), assay=assay)
    laboratory.rows[-1] |= {"layout": layout, "run_date": "2026-03-02"}
    columns = ("run_id", "site", "raw_file", "assay", "layout", "batch", "run_date")
    laboratory.sheet("runs.tsv", columns, laboratory.rows)


def test_the_rnase_p_populations_of_a_quantstudio_plate_give_their_ratio_by_a_layout_sheet(laboratory, real_data):
    raw = real_data(*QS1)
    rows, given = [], {"Std_20K": 0, "Std_10K": 0, "Std_5K": 0, "Std_2500": 0, "Std_1250": 0, "NTC": 0}
    for reaction in read_run(raw).reactions.to_pylist():
        name, row = reaction["sample_id"], {"well": reaction["well"]}
        if name in given:  # half of the standards and blanks for each target
            given[name] += 1
            row["target"] = "BCR::ABL1" if given[name] % 2 else "ABL1"
        else:
            row |= {"target": "BCR::ABL1" if name == "Unk_5K" else "ABL1", "sample_id": "COMPOSED"}
        rows.append(row)
    laboratory.sheet("layout.tsv", ("well", "target", "sample_id"), rows)
    _prepare(laboratory, "qs1", raw, "eac", ["COMPOSED"], layout="config/layout.tsv")
    done = laboratory.run()
    assert done.returncode == 0, done.stderr
    (result,) = _results(laboratory)
    assert (result["replicates"], result["control_replicates"]) == (36, 36)
    assert result["ratio_percent"] == pytest.approx(50.0, rel=0.10)
    assert result["is_percent"] == pytest.approx(0.8 * result["ratio_percent"])


def _relabelled(run, picks):
    """A run of the picked reactions, each put into a well of its own: (row, target, role, sample, copies)."""
    reactions = []
    for number, (row, target, role, sample, copies) in enumerate(picks):
        source = run.reactions.slice(row, 1).to_pylist()[0]
        well = f"{chr(65 + number // 12)}{number % 12 + 1}"
        changed = {"part": None, "well": well, "target": target, "role": role, "sample_id": sample}
        reactions.append(source | changed | {"known_copies": copies, "vendor_task": role, "vendor_quantity": copies})
    rows = np.array([pick[0] for pick in picks])
    table = pa.Table.from_pylist(reactions, schema=REACTIONS.schema)
    return Run(table, run.cycles, run.fluorescence[rows], None, run.stage, {"run_date": "2026-03-02"})


def test_two_targets_of_the_vermeulen_set_relabelled_give_their_known_ratios(laboratory, real_data):
    run = read_run(real_data(*VERMEULEN))
    reactions = run.reactions.to_pylist()
    picks = []
    for part, target in (("AHCY_20080229", "BCR::ABL1"), ("HPRT1_20080303", "ABL1")):
        for row, reaction in enumerate(reactions):
            if reaction["target"] == part:
                level = float(reaction["sample_id"].removeprefix("STD_"))
                picks.append((row, target, "std", f"{target} {level:g}", level))
                sample = {150000: "HUNDRED", 1500: "ONE"}.get(level) if target == "BCR::ABL1" else None
                if sample:
                    picks.append((row, target, "unkn", sample, None))
                if target == "ABL1" and level == 150000:
                    picks += [(row, target, "unkn", sample, None) for sample in ("HUNDRED", "ONE")]
    raw = laboratory.folder / "composed.rdml"
    write_rdml(_relabelled(run, picks), raw)
    _prepare(laboratory, "composed", raw, "plasmid_generic", ["HUNDRED", "ONE"])
    done = laboratory.run()
    assert done.returncode == 0, done.stderr
    ratios = {row["sample_id"]: row["ratio_percent"] for row in _results(laboratory)}
    assert ratios["HUNDRED"] == pytest.approx(100.0, rel=0.10)
    assert ratios["ONE"] == pytest.approx(1.0, rel=0.10)
    assert all(curve["accepted"] or "blanks" in curve["why"] for curve in _results(laboratory, "standard_curves"))
