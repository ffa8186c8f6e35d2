"""Amplification calls: against people's ratings, and on curves of which it is known what they are.

    python benchmarks/calls.py [curves of each kind, 500 without]

Ratings and no-template controls need BCRABL_TEST_DATA. Simulated curves are called kind by kind, so that an artefact
is not compared with good curves of its plate, which would make it easier.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from bcrabl.curves import analyse_curves
from bcrabl.curves.amplification import CALLS
from bcrabl.curves.sigmoid import fit_sigmoid
from bcrabl.simulation import replicate_plate, simulate_run

REPOSITORY = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("BCRABL_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
RATINGS = DATA / "rdml/decision_res_RAS002.csv"
RIGHT = {"y": "amplified", "n": "not_amplified"}
CYCLES = np.arange(1.0, 46)


def log_uniform(random: np.random.Generator, low: float, high: float, n: int) -> np.ndarray:
    return np.exp(random.uniform(np.log(low), np.log(high), (n, 1)))


def artefacts(n: int, seed: int) -> dict[str, np.ndarray]:
    """n curves of each kind that is no amplification: size 0.005 to 3, noise SD 0.0015 to 0.03, anywhere in the run."""
    random = np.random.default_rng(seed)
    x, t = CYCLES, CYCLES / CYCLES[-1]

    def size() -> np.ndarray:
        return log_uniform(random, 0.005, 3, n)

    def sign() -> np.ndarray:
        return random.choice([-1, 1], (n, 1))

    def moment() -> np.ndarray:
        return random.integers(1, len(x), (n, 1))

    at = moment() + 0.5
    kinds = {
        "flat": np.zeros((n, len(x))),
        "linear drift": size() * sign() * t,
        "creep, power 1.3 to 4": size() * t ** log_uniform(random, 1.3, 4, n),
        "creep, exponential": size() * np.expm1(log_uniform(random, 1, 4, n) * t) / np.expm1(4),
        "settling": size() * sign() * (1 - np.exp(-x / log_uniform(random, 1, 15, n))),
        "settling and drift": size() * (1 - np.exp(-x / log_uniform(random, 1, 10, n))) + size() * sign() * t,
        "step": size() * sign() * (x > at),
        "step and drift": size() * (x > at) + size() * sign() * t / 2,
        "step over two cycles": size() * np.clip((x - at) / 2, 0, 1),
        "two steps": size() * (x > at) + size() * (x > moment()),
        "staircase of two": size() * ((x > at) / 2 + (x > at + random.integers(1, 4, (n, 1))) / 2),
        "spike": size() * sign() * (np.abs(x - at - 0.5) < 0.6),
        "double spike": size() * sign() * ((x > at) & (x < at + 2.2)),
        "three spikes": sum(size() * sign() * (x == moment()) for _ in range(3)),
        "bubble of 3 to 14": size() * ((x > at) & (x < at + random.integers(3, 15, (n, 1)))),
        "drift from one cycle on": size() * np.maximum(x - at, 0) / len(x),
        "ramp between two levels": size() * np.clip((x - at) / random.uniform(3, 15, (n, 1)), 0, 1),
        "bleaching": size() * np.exp(-x / log_uniform(random, 2, 30, n)),
        "bleaching and drift": size() * np.exp(-x / log_uniform(random, 2, 15, n)) + size() * t,
        "wave": size() * np.sin(x / log_uniform(random, 3, 20, n) + random.uniform(0, 6.3, (n, 1))),
        "random walk": np.cumsum(random.normal(0, 1, (n, len(x))), axis=1) * log_uniform(random, 0.001, 0.05, n),
        "heavy-tailed noise": random.standard_t(2.5, (n, len(x))) * log_uniform(random, 0.002, 0.05, n),
    }
    noise = log_uniform(random, 0.0015, 0.03, n)
    level = log_uniform(random, 0.2, 5, n)
    return {kind: level + shape + noise * random.normal(0, 1, shape.shape) for kind, shape in kinds.items()}


def amplifications(n: int, seed: int) -> dict[str, np.ndarray]:
    """Wells of a simulated run with molecules in them, as they are and with a defect on top."""
    random = np.random.default_rng(seed)
    run = simulate_run(replicate_plate("BCR::ABL1", [1e6, 1e4, 100.0, 10.0], -(-n // 4)), seed=seed)
    with_template = np.array(run.truth["drawn_copies"].to_pylist()) > 0
    good, x = run.signal[with_template], run.cycles
    n, m = good.shape
    bottom, top = good[:, :5].mean(axis=1)[:, None], good.max(axis=1)[:, None]
    reached = fit_sigmoid(x, good).steepest[:, None] + 3
    spike = random.choice([-1, 1], (n, 1)) * log_uniform(random, 0.02, 5, n)
    at = random.integers(1, m, (n, 1))
    return {
        "10 to 1e6 copies": good,
        "  with a spike": good + spike * (x == at),
        "  with a double spike": good + spike * ((x == at) | (x == at + 1)),
        "  with drift to ±0.02 per cycle": good + random.uniform(-0.02, 0.02, (n, 1)) * x,
        "  with a hook": good - np.maximum(x - reached, 0) * random.uniform(0.001, 0.06, (n, 1)),
        "  clipped at 0.2 to 0.9 of the rise": np.minimum(
            good, bottom + (top - bottom) * random.uniform(0.2, 0.9, (n, 1))
        ),
        "  with 15 % of readings missing": np.where(random.random(good.shape) < 0.15, np.nan, good),
        "  bleaching at first": good + random.uniform(0.1, 3, (n, 1)) * np.exp(-x / random.uniform(1, 8, (n, 1))),
    }


def called(signal: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Call, reason and whether there is a Cq (by the second derivative: no threshold takes part)."""
    found = analyse_curves(np.arange(1.0, signal.shape[1] + 1), signal, method="second_derivative")
    return found.call, found.why, np.isfinite(found.cq)


def table(kinds: dict[str, np.ndarray], wrong: tuple[str, ...]) -> None:
    total, false, reasons, with_cq = 0, 0, Counter(), 0
    for kind, signal in kinds.items():
        call, why, has_cq = called(signal)
        counts = Counter(call.tolist())
        print(f"{kind:40}" + "".join(f"{counts[one]:16}" for one in CALLS) + f"{has_cq.sum():16}")
        total, false, with_cq = total + len(call), false + sum(counts[one] for one in wrong), with_cq + has_cq.sum()
        reasons.update(zip(call.tolist(), why.tolist(), strict=True))
    print(f"{' or '.join(wrong)}: {false} of {total:,}; with a Cq: {with_cq:,}; reasons:")
    for (call, why), number in reasons.most_common():
        print(f"    {number:7}  {call}: {why}")


def tidy(name: str) -> tuple[list[dict[str, str]], np.ndarray]:
    """Description and signal of every curve of a tidy set."""
    path = DATA / "tidy" / f"{name}.csv"
    rows = list(csv.reader(path.open()))
    signal = np.array([[float(cell) if cell not in ("", "NA", "NaN") else np.nan for cell in row] for row in rows[1:]])
    known = {curve["name"]: curve for curve in json.loads(path.with_suffix(".json").read_text())["curves"]}
    return [known[curve] for curve in rows[0][1:]], np.ascontiguousarray(signal.T[1:])


def ratings() -> None:
    curves, signal = tidy("PCRedux__RAS002")
    target = np.array([curve["target"] for curve in curves])
    people = {row[0]: row[1:4] for row in csv.reader(RATINGS.open())}
    counts: Counter[tuple[str, str]] = Counter()
    print("RAS002, human ratings; calls that differ:")
    for gene in sorted(set(target)):
        rows = np.flatnonzero(target == gene)
        for row, call, why, _ in zip(rows, *called(signal[rows]), strict=True):
            name = curves[row]["name"]
            rated = people[name][0] if len(set(people[name])) == 1 else "not unanimous"
            counts[rated, str(call)] += 1
            if (rated, call) in {(a, b) for a, right in RIGHT.items() for b in CALLS if b != right}:
                print(f"    {name}: rated {rated}, called {call} ({why})")
    for rated in sorted({rated for rated, _ in counts}):
        print(f"    rated {rated:14}" + "".join(f"{counts[rated, one]:6} {one}" for one in CALLS))


def real_plates() -> None:
    print("\nreal plates: no-template controls and dilution series")
    for path in sorted((DATA / "tidy").glob("*.csv")):
        curves, signal = tidy(path.stem)
        groups = np.array([f"{curve['target']} {curve.get('plate', '')}" for curve in curves])
        call = np.full(len(curves), "", dtype="U13")
        for group in set(groups):
            call[groups == group] = called(signal[groups == group])[0]
        for task in ("ntc", "standard"):
            counts = Counter(call[[curve["task"] == task for curve in curves]].tolist())
            print(f"    {path.stem:32}{task:10}" + "".join(f"{counts[one]:6} {one}" for one in CALLS))


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    if RATINGS.is_file():
        ratings()
        real_plates()
    header = "".join(f"{one:>16}" for one in (*CALLS, "with a Cq"))
    print(f"\n{'no amplification':40}{header}")
    table(artefacts(n, seed=1), ("amplified",))
    print(f"\n{'amplification':40}{header}")
    table(amplifications(2 * n, seed=2), ("not_amplified", "ambiguous"))


if __name__ == "__main__":
    main()
