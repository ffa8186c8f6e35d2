"""Sigmoid fits: how many a second, and whether they reach the best optimum that many starts of scipy find.

    python benchmarks/curve_fits.py [curves per set, 40] [folder of real export files, ../shared/data]

Speed: 384 simulated five-parameter curves of 45 cycles with noise; one core. Optimum: simulated curves of every kind
(sigmoid, flat, drift, hook, missing cycles) and curves of the real sets, each against scipy's least squares from twelve
random starts within the bounds of the package's own fit.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import csv
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from bcrabl.curves import analyse_curves
from bcrabl.curves.sigmoid import fit_sigmoid
from bcrabl.errors import BcrablError
from bcrabl.formats import read_run

CURVES, CYCLES, NOISE, STARTS = 384, 45, 0.005, 12
SETS = Path(__file__).resolve().parents[2] / "shared" / "data"


def richards(parameters: np.ndarray, cycles: np.ndarray) -> np.ndarray:
    c, d, s, e, f = np.asarray(parameters).T[..., None]
    return c + d * (1 + np.exp(-s * (cycles - e))) ** -f


def rate(work, curves: int) -> float:
    """Curves a second: the best of thirty runs, since other programs only ever slow one down."""
    seconds = []
    for _ in range(30):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return curves / min(seconds)


def simulated(n: int, random: np.random.Generator) -> np.ndarray:
    """Curves of eight kinds; every fifth lacks five cycles."""
    cycles = np.arange(1.0, CYCLES + 1)
    truth = random.uniform((0, 0.2, 0.2, 5, -1.5), (2, 4, 1.2, 46, 2), (n, 5))
    truth[:, 4] = np.exp(truth[:, 4])
    kind = np.arange(n)[:, None] % 8
    signal = np.where((kind == 4) | (kind == 5), truth[:, :1], richards(truth, cycles))
    drift = random.normal(0, 0.02, (n, 1)) * cycles
    bend = 0.0005 * random.normal(size=(n, 1)) * cycles**2
    signal = signal + np.where((kind == 5) | (kind == 6), drift, 0) + np.where(kind == 6, bend, 0)
    hook = 0.02 * truth[:, 1:2] * np.maximum(cycles - truth[:, 3:4] - 8, 0)
    signal = signal - np.where(kind == 7, hook, 0)
    signal += random.normal(size=(n, CYCLES)) * 10 ** random.uniform(-3.5, -1, (n, 1))
    for row in range(0, n, 5):
        signal[row, random.choice(CYCLES, 5, replace=False)] = np.nan
    return signal


def real_sets(folder: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for path in sorted((folder / "tidy").glob("*.csv")):
        rows = list(csv.reader(path.read_text().splitlines()))[1:]
        table = np.array([[float(cell) if cell not in ("", "NA", "NaN") else np.nan for cell in row] for row in rows])
        yield path.stem, table[:, 0], table[:, 1:].T.copy()
    for path in sorted(folder.glob("rdml*/*.rdml")):
        try:
            run = read_run(path)
        except BcrablError:
            continue
        yield path.stem, np.asarray(run.cycles, dtype=float), np.asarray(run.fluorescence, dtype=float)


def best_of_starts(cycles: np.ndarray, curve: np.ndarray, random: np.random.Generator) -> float:
    """Smallest residual sum of squares scipy reaches; NaN for a curve that cannot be fitted."""
    present = np.isfinite(curve)
    x, y = cycles[present], curve[present]
    if len(x) < 6 or np.ptp(y) == 0:
        return np.nan
    scale = np.ptp(y)
    y = (y - y.mean()) / scale

    def residuals(shape: np.ndarray, want_jacobian: bool = False) -> np.ndarray:
        s, at, q = np.exp(shape[0]), shape[1], shape[2]
        u = np.exp(np.clip(-s * (x - at), -300, 300))
        logarithm, pull = np.log1p(q * u), u / (1 + q * u)
        g = np.exp(-logarithm / q)
        centred = g - g.mean()
        power = max(centred @ centred, 1e-300)
        rise = centred @ y / power
        if not want_jacobian:
            return y - rise * centred
        slopes = np.column_stack([g * s * pull * (x - at), -g * s * pull, g * (logarithm - q * pull) / q**2])
        slopes = slopes - slopes.mean(axis=0)
        return -rise * (slopes - np.outer(centred, centred @ slopes / power))

    low, high = np.array((np.log(0.02), cycles[0] - 8, 1e-4)), np.array((np.log(12), cycles[-1] + 8, 5.0))
    best = np.inf
    for _ in range(STARTS):
        start = random.uniform((np.log(0.08), cycles[0], -4.0), (np.log(8), cycles[-1] + 3, 1.5))
        start[2] = np.exp(start[2])
        found = least_squares(
            residuals, start, lambda shape: residuals(shape, True), bounds=(low, high), x_scale="jac", max_nfev=300,
            ftol=1e-11, xtol=1e-11, gtol=1e-13,
        )  # fmt: skip
        best = min(best, 2 * found.cost * scale**2)
    return best


def main() -> None:
    per_set = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else SETS
    random = np.random.default_rng(20261121)
    cycles = np.arange(1.0, CYCLES + 1)
    truth = random.uniform((0.3, 1.0, 0.4, 20.0, 0.5), (0.6, 3.0, 0.8, 36.0, 1.5), (CURVES, 5))
    signal = richards(truth, cycles) + random.normal(0, NOISE, (CURVES, CYCLES))
    begin = time.perf_counter()
    for start, y in zip(truth[:100], signal, strict=False):
        least_squares(lambda p, y=y: richards(p, cycles)[0] - y, start, xtol=1e-12, ftol=1e-12, gtol=1e-12)
    scipy_rate = 100 / (time.perf_counter() - begin)
    print(f"{'sigmoid fits per second':52}{rate(lambda: fit_sigmoid(cycles, signal), CURVES):12,.0f}")
    print(f"{'whole analysis, curves per second':52}{rate(lambda: analyse_curves(cycles, signal), CURVES):12,.0f}")
    print(f"{'scipy.optimize.least_squares, fits per second':52}{scipy_rate:12,.0f}")
    print(f"\n{'set':40}{'curves':>8}{'above best':>12}{'below best':>12}{'not conv.':>12}")
    total = np.zeros(4, dtype=int)
    for name, x, every in [("simulated", cycles, simulated(8 * per_set, random)), *real_sets(folder)]:
        some = len(every) if name == "simulated" else min(per_set, len(every))
        curves = every[np.sort(random.choice(len(every), some, replace=False))]
        fit = fit_sigmoid(x, curves)
        best = np.array([best_of_starts(x, curve, random) for curve in curves])
        known = np.isfinite(best)
        above, below = fit.rss > 1.0001 * best, fit.rss * 1.0001 < best
        row = np.array([known.sum(), above.sum(), below.sum(), (known & ~fit.converged).sum()])
        total += row
        print(f"{name:40}{row[0]:8d}{row[1]:12d}{row[2]:12d}{row[3]:12d}", flush=True)
    print(f"{'all':40}{total[0]:8d}{total[1]:12d}{total[2]:12d}{total[3]:12d}")
    print(f"{'fits at or below the best known RSS × 1.0001':52}{1 - total[1] / total[0]:12.4%}")


if __name__ == "__main__":
    main()
