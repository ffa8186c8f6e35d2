"""How far results are from the truth: the shipped example, and real plates of known amounts.

    python benchmarks/accuracy.py

The example is read, analysed and scored by the package's own stages. Real plates need BCRABL_TEST_DATA.
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from way import REPOSITORY, process

import bcrabl
from bcrabl import sheets
from bcrabl.curves.quantification import threshold_crossing
from bcrabl.errors import CalibrationError
from bcrabl.simulation import Optics, replicate_plate, simulate_run
from bcrabl.tables import RESULTS, read_table

DATA = Path(os.environ.get("BCRABL_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
QS1 = DATA / "quantstudio_da2_xlsx/appbio_quantstudio_designandanalysis_QS1_Standard_Curve_example01.xlsx"
VERMEULEN = DATA / "rdml14_untergasser_vermeulen/data_vermeulen_std_150000_15.rdml"
RAS002 = DATA / "rdml/RAS002.rdml"


def example() -> None:
    os.chdir(REPOSITORY)
    runs = sheets.load_runs("config/runs.tsv")
    with tempfile.TemporaryDirectory() as folder:
        output, *_ = process(runs, folder)
        results = {(row["run_id"], row["sample_id"]): row for row in read_table(output["results"], RESULTS).to_pylist()}
    lines = [line for line in Path("resources/example/truth.tsv").read_text().splitlines() if not line.startswith("#")]
    truth = list(csv.DictReader(lines, delimiter="\t"))
    pairs = [(results[row["run_id"], row["sample_id"]], row) for row in truth]
    print(f"{'example: samples with':40}{'n':>4}{'median |log10|':>16}{'largest':>10}{'interval holds':>16}")
    for name, low, high in (("> 100 copies", 100, 1e9), ("10 to 100 copies", 10, 100), ("< 10 copies", 0, 10)):
        chosen = [
            (result, float(row["is_percent"]))
            for result, row in pairs
            if row["is_percent"] and low < float(row["bcr_abl_copies"]) <= high and result["detected"]
        ]
        off = [abs(np.log10(result["is_percent"] / is_percent)) for result, is_percent in chosen]
        holds = np.mean([result["is_low"] <= is_percent <= result["is_high"] for result, is_percent in chosen])
        print(f"{name:40}{len(off):4}{np.median(off):16.3f}{max(off):10.3f}{holds:16.2f}")
    empty = [result for result, row in pairs if float(row["bcr_abl_copies"]) == 0]
    print(f"undetected truth: {len(empty)} samples, {sum(bool(row['detected']) for row in empty)} called detected")


def rnase_p() -> None:
    run = bcrabl.read_run(QS1)
    role, sample, copies = (
        np.array(run.reactions[name].to_pylist(), dtype=object) for name in ("role", "sample_id", "known_copies")
    )
    header = f"{'slope':>8}{'R²':>8}{'5,000':>8}{'10,000':>8}{'ratio':>8}{'Δ vendor Cq, median, most':>28}"
    print(f"\n{'RNase P, QuantStudio 1':40}{header}")
    vendor = np.array([np.nan if cq is None else cq for cq in run.reactions["vendor_cq"].to_pylist()])
    for name, settings in (
        ("threshold 0.1, automatic baseline", {"threshold": 0.1}),
        ("threshold 0.1, baseline 3–15 (EAC)", {"threshold": 0.1, "baseline": (3, 15)}),
        ("automatic threshold and baseline", {}),
        ("second derivative maximum", {"method": "second_derivative"}),
        ("Cy0", {"method": "cy0"}),
    ):
        cq = bcrabl.analyse_curves(run.cycles, run.signal, **settings).cq
        curve = bcrabl.fit_standard_curve(cq[role == "std"], copies[role == "std"].astype(float))
        five, ten = (curve.copies(cq[sample == unknown])[0].mean() for unknown in ("Unk_5K", "Unk_10K"))
        away = np.abs(cq - vendor)[np.isfinite(vendor)]
        print(
            f"{name:40}{curve.slope:8.3f}{curve.r_squared:8.4f}{five:8.0f}{ten:8.0f}{ten / five:8.3f}"
            f"{np.median(away):18.3f}{away.max():10.3f}"
        )


def vermeulen() -> None:
    run = bcrabl.read_run(VERMEULEN)
    target, sample = (np.array(run.reactions[name].to_pylist(), dtype=object) for name in ("target", "sample_id"))
    level = np.array([float(name.removeprefix("STD_")) for name in sample])
    off, lost, refused = {x: [] for x in sorted(set(level))}, 0, []
    for name in sorted(set(target)):
        rows = np.flatnonzero(target == name)
        analysis = bcrabl.analyse_curves(run.cycles, run.signal[rows])
        found = np.isfinite(analysis.cq)
        lost += int((~found).sum())
        try:
            curve = bcrabl.fit_standard_curve(analysis.cq[found], level[rows][found])
        except CalibrationError:
            refused.append(name)
            continue
        amount = curve.copies(analysis.cq)[0]
        for x, found_off in off.items():
            found_off.append(abs(np.log10(np.nanmean(amount[level[rows] == x]) / x)))
    medians = ", ".join(f"{x:g}: {np.median(y):.3f}" for x, y in off.items())
    print(f"\nVermeulen standards, {len(set(target))} targets: {lost} of 960 without Cq; no standard curve: {refused}")
    print(f"median |log10(found / put in)| of the mean of three, by copies: {medians}")


def standard_errors() -> None:
    """Cq at 0.1 of simulated plates against the crossing of the same molecules without optics and noise."""
    silent_optics = Optics(reference_cv=0, read_noise=0, relative_noise=0, drift=0, bubble_cv=0)
    print(f"\n{'simulated wells, threshold 0.1, 3–15':40}{'late by':>10}{'SD':>8}{'SD of z':>9}{'95 % hold':>11}")
    for copies in (1e6, 1e4, 100.0, 10.0):
        plate = replicate_plate("BCR::ABL1", [copies], 400)
        noisy = simulate_run(plate, seed=3, optics=Optics(reference_cv=0))
        silent = simulate_run(plate, seed=3, optics=silent_optics)
        truth, _ = threshold_crossing(silent.cycles, silent.signal - silent.signal[:, :1], np.full(400, 0.1))
        found = bcrabl.analyse_curves(noisy.cycles, noisy.signal, threshold=0.1, baseline=(3, 15))
        error = found.cq - truth
        z = error / found.cq_sd
        holds = np.mean(np.abs(z) < 1.96)
        print(f"{f'{copies:g} copies':40}{error.mean():10.3f}{error.std():8.3f}{z.std():9.2f}{holds:11.3f}")


def human_ratings() -> None:
    run = bcrabl.read_run(RAS002)
    target, well = (np.array(run.reactions[name].to_pylist()) for name in ("target", "well"))
    ratings = {}
    for row in list(csv.reader((RAS002.parent / "decision_res_RAS002.csv").open()))[1:]:
        place = row[0].split("_")[0]
        ratings[f"{place[0]}{int(place[1:])}", "B-Globin" if "Globin" in row[0] else "HPRT1"] = row[1]
    counts: Counter[tuple[str, str]] = Counter()
    for name in ("B-Globin", "HPRT1"):
        rows = np.flatnonzero(target == name)
        calls = bcrabl.analyse_curves(run.cycles, run.signal[rows]).call
        counts.update((ratings[place, name], str(call)) for place, call in zip(well[rows], calls, strict=True))
    print("\nRAS002, human rating and call: " + ", ".join(f"{a} {b} {n}" for (a, b), n in sorted(counts.items())))


if __name__ == "__main__":
    example()
    standard_errors()
    if QS1.is_file():
        rnase_p()
    if VERMEULEN.is_file():
        vermeulen()
    if RAS002.is_file():
        human_ratings()
