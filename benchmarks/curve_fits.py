"""Sigmoid fits: how many a second, and whether they reach the optimum that scipy finds from the truth.

    python benchmarks/curve_fits.py

384 simulated five-parameter curves of 45 cycles with noise; one core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time

import numpy as np
from scipy.optimize import least_squares

from bcrabl.curves import analyse_curves
from bcrabl.curves.sigmoid import fit_sigmoid

CURVES, CYCLES, NOISE = 384, 45, 0.005


def model(parameters: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    c, d, s, e, f = parameters
    return c + d * (1 + np.exp(-s * (cycles - e))) ** -f


def main() -> None:
    random = np.random.default_rng(20261121)
    cycles = np.arange(1.0, CYCLES + 1)
    low, high = (0.3, 1.0, 0.4, 20.0, 0.5), (0.6, 3.0, 0.8, 36.0, 1.5)
    truth = random.uniform(low, high, (CURVES, 5))
    signal = np.array([model(row, cycles) for row in truth]) + random.normal(0, NOISE, (CURVES, CYCLES))
    fit = fit_sigmoid(cycles, signal)
    timed = {"fit": lambda: fit_sigmoid(cycles, signal), "analysis": lambda: analyse_curves(cycles, signal)}
    rates = {}
    for name, work in timed.items():
        begin = time.perf_counter()
        for _ in range(10):
            work()
        rates[name] = 10 * CURVES / (time.perf_counter() - begin)
    begin = time.perf_counter()
    best = np.array(
        [
            2 * least_squares(lambda p, y=y: model(p, cycles) - y, start, xtol=1e-12, ftol=1e-12, gtol=1e-12).cost
            for start, y in zip(truth, signal, strict=True)
        ]
    )
    scipy_rate = CURVES / (time.perf_counter() - begin)
    print(f"{'sigmoid fits per second':52}{rates['fit']:12,.0f}")
    print(f"{'whole analysis, curves per second':52}{rates['analysis']:12,.0f}")
    print(f"{'scipy.optimize.least_squares, fits per second':52}{scipy_rate:12,.0f}")
    print(f"{'fits within 1.0001 × the RSS scipy reaches':52}{np.mean(fit.rss <= 1.0001 * best):12.4f}")
    print(f"{'fits converged':52}{np.mean(fit.converged):12.4f}")


if __name__ == "__main__":
    main()
