"""A million curves in one call: speed and memory of the whole curve analysis.

    python benchmarks/many_curves.py [curves …]        default 100,000 and 1,000,000 (three minutes)

Five-parameter curves of 40 cycles with 0.2 % noise. Memory is the peak of the process; the data themselves take 320
bytes a curve. Each number of curves runs in a process of its own.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import resource
import subprocess
import sys
import time

import numpy as np

from bcrabl.curves import analyse_curves

CYCLES = np.arange(1.0, 41)


def simulated(curves: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    signal = np.empty((curves, len(CYCLES)))
    for rows in (slice(begin, begin + 10_000) for begin in range(0, curves, 10_000)):
        n = len(signal[rows])
        place, slope, rise = rng.uniform(18, 34, n), rng.normal(0.6, 0.02, n), rng.normal(2, 0.2, n)
        share = (1 + np.exp(-slope[:, None] * (CYCLES - place[:, None]))) ** -1.2
        signal[rows] = 0.5 + rise[:, None] * share + rng.normal(0, 0.004, share.shape)
    return signal


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(curves: int) -> None:
    signal = simulated(curves)
    before, begun = peak(), time.process_time()
    analyse_curves(CYCLES, signal)
    spent = time.process_time() - begun
    print(f"{curves:12,}{curves / spent:16,.0f}{before:16,.0f}{peak():12,.0f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        measure(int(sys.argv[2]))
    else:
        print(f"{'curves':>12}{'per CPU second':>16}{'MB with data':>16}{'MB at most':>12}", flush=True)
        for number in sys.argv[1:] or ("100000", "1000000"):
            subprocess.run([sys.executable, __file__, "one", number], check=True)
