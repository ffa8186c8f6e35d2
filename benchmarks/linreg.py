"""Window of linearity: agreement with the results LinRegPCR shipped, and how many curves a second.

    python benchmarks/linreg.py [FOLDER]

FOLDER holds volume_machine.rdml and volume_results.tsv (default: ../shared/data/rdml14_untergasser_vermeulen); one
core. Without it only the speed and the accuracy on simulated curves are printed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import csv
import sys
import time
from pathlib import Path

import numpy as np

from bcrabl.curves import analyse_curves
from bcrabl.curves.window_of_linearity import WindowOfLinearity, window_of_linearity
from bcrabl.formats import read_run

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "rdml14_untergasser_vermeulen"
CYCLES = np.arange(1.0, 46)


def line(what: str, value: str) -> None:
    print(f"{what:60}{value:>24}")


def agreement(folder: Path) -> None:
    with (folder / "volume_results.tsv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["well"] != "well"]
    run = read_run(folder / "volume_machine.rdml")
    place = {(each["part"], each["well"], each["target"]): i for i, each in enumerate(run.reactions.to_pylist())}
    order = [place[f"{row['Experiment']}/{row['Run']}", row["well"], row["target"]] for row in rows]
    curves = run.fluorescence[order]
    wells(window_of_linearity(run.cycles, curves), rows)
    equal = groups = 0
    for group in {(row["Experiment"], row["target"]) for row in rows if row["target"] != "no primer"}:
        chosen = [i for i, row in enumerate(rows) if (row["Experiment"], row["target"]) == group]
        found = window_of_linearity(run.cycles, curves[chosen])
        shared = ("PCR eff", "STD PCR eff")
        ours = (found.mean_efficiency, found.efficiency_sd)
        equal += all(abs(own - float(rows[chosen[0]][name])) <= 0.51e-4 for own, name in zip(ours, shared, strict=True))
        groups += 1
    line("targets whose mean efficiency and SD are equal", f"{equal} of {groups}")


def wells(found: WindowOfLinearity, rows: list[dict[str, str]]) -> None:
    def shipped(column: str) -> np.ndarray:
        return np.array([float(row[column] or "nan") for row in rows])

    solved = ~found.baseline_error
    calls = np.array([row["amplification"] == "True" for row in rows])
    has_td0 = shipped("TD0") > 0
    relative = np.abs(found.baseline / shipped("baseline") - 1)[solved]
    counts = {
        "readings in the window": (found.points == np.maximum(shipped("n included"), 0), len(rows)),
        "readings in the log phase": (found.phase_points == np.maximum(shipped("n in log phase"), 0), len(rows)),
        "last cycle": (np.nan_to_num(found.last_cycle, nan=-1) == shipped("last log cycle"), len(rows)),
        "amplification": (found.amplification == calls, len(rows)),
        "baseline error": (found.baseline_error == (shipped("baseline error") != 0), len(rows)),
        "TD0 to 0.0051 cycles": (np.abs(found.td0 - shipped("TD0"))[has_td0] <= 0.0051, has_td0.sum()),
        "efficiency to the printed digit": (
            np.abs(found.efficiency - shipped("indiv PCR eff"))[solved] <= 0.51e-4,
            solved.sum(),
        ),
        "R² to the printed digit": (np.abs(found.r_squared - shipped("R2"))[solved] <= 0.51e-4, solved.sum()),
        "baseline to 1e-4 of itself": (relative <= 1e-4, solved.sum()),
    }
    for name, (same, total) in counts.items():
        line(f"wells with equal {name}", f"{int(np.sum(same))} of {total}")


def accuracy() -> None:
    """Mean and SD of the individual efficiencies over 300 logistic curves that grow `fold` per cycle at first."""
    random = np.random.default_rng(20261121)
    print(f"\n{'fold':>6}{'noise':>8}{'window of linearity':>24}{'sigmoid, exp(s f)':>26}")
    for fold in (1.8, 1.9, 2.0):
        for noise in (0.0, 0.001, 0.005):
            e = random.uniform(22, 29, (300, 1))
            clean = 0.5 + 2 / (1 + np.exp(-np.log(fold) * (CYCLES - e)))
            curves = clean + random.normal(0, 2 * noise, clean.shape)
            analysis = analyse_curves(CYCLES, curves)
            found = window_of_linearity(CYCLES, curves)
            figures = (
                np.where(found.amplification, found.efficiency, np.nan),
                np.exp(analysis.parameters[:, 2] * analysis.parameters[:, 4]),
            )
            cells = (
                f"{np.nanmean(each):.3f} ± {np.nanstd(each):.3f} ({np.isnan(each).sum()} lost)" for each in figures
            )
            print(f"{fold:6}{noise:8}" + "".join(f"{cell:>26}" for cell in cells))


def speed() -> None:
    random = np.random.default_rng(20261121)
    for count in (384, 10_000):
        e = random.uniform(20, 34, (count, 1))
        curves = 0.5 + 2 / (1 + np.exp(-0.65 * (CYCLES - e))) + random.normal(0, 0.005, (count, len(CYCLES)))
        begin = time.perf_counter()
        for _ in range(5):
            window_of_linearity(CYCLES, curves)
        line(f"curves per second, {count:,} in a call", f"{5 * count / (time.perf_counter() - begin):,.0f}")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    if (folder / "volume_results.tsv").exists():
        agreement(folder)
    speed()
    accuracy()


if __name__ == "__main__":
    main()
