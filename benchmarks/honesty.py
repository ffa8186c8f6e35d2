"""Statistical honesty: do the standard errors of the Cq estimators say how far the estimates are from the truth?

    python benchmarks/honesty.py

Richards curves of known Cq, groups of 96 that share slope and asymmetry up to a small spread, steepest rise at cycles
15 to 36 of 45, under different noises. Per scenario and estimator: the SD of z = (estimate - truth) / standard error
(honest: 0.9 to 1.1), the mean of z (bias in standard errors), the share of |z| < 1.96 (honest: 0.95), the median
standard error in cycles, and the curves counted. The truth of an estimator is its value on the noise-free curve, by
closed form; that of the window of linearity comes from its own analysis of the noise-free curves, at the threshold that
was found with noise.

With BCRABL_TEST_DATA: the median standard error beside the scatter of replicates at the highest amounts of two dilution
series, where the Poisson distribution of templates is negligible. Pipetting is in the scatter, not in the error.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bcrabl.curves import METHODS, analyse_curves
from bcrabl.curves.joint import RELATIVE_LEVEL
from bcrabl.curves.landmarks import (
    Shape,
    cy0,
    first_derivative_maximum,
    relative_crossing,
    second_derivative_maximum,
)
from bcrabl.curves.sigmoid import fit_sigmoid
from bcrabl.curves.window_of_linearity import window_of_linearity

CYCLES = np.arange(1, 46, dtype=float)
GROUPS, CURVES = 8, 96
RISE = 2.0
THRESHOLD = 0.1  # of a group's rise
DATA = Path(os.environ.get("BCRABL_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")

Noise = Callable[[np.random.Generator, np.ndarray], np.ndarray]


class Scenario(NamedTuple):
    """Noise of the readings, as a function of the curves of rise one, and where the steepest rises lie."""

    noise: Noise
    places: tuple[float, float] = (15.0, 36.0)


class Estimate(NamedTuple):
    cq: np.ndarray
    standard_error: np.ndarray


class Group(NamedTuple):
    signal: np.ndarray
    silent: np.ndarray
    shape: Shape
    rise: np.ndarray


def white(sd: float) -> Noise:
    return lambda rng, share: rng.normal(0, sd, share.shape)


def growing(low: float, high: float) -> Noise:
    """SD `low` without signal, `high` of the rise added at the plateau (in quadrature)."""
    return lambda rng, share: rng.normal(0, 1, share.shape) * np.sqrt(low**2 + (high * share) ** 2)


def drifting(sd: float, slope: float) -> Noise:
    """White noise on a baseline whose slope differs from curve to curve, shares of the rise per cycle."""
    return lambda rng, share: rng.normal(0, sd, share.shape) + rng.normal(0, slope, (len(share), 1)) * CYCLES


def autocorrelated(sd: float, correlation: float) -> Noise:
    def noise(rng: np.random.Generator, share: np.ndarray) -> np.ndarray:
        values = rng.normal(0, sd, share.shape)
        values[:, 1:] *= np.sqrt(1 - correlation**2)
        for k in range(1, values.shape[1]):
            values[:, k] += correlation * values[:, k - 1]
        return values

    return noise


SCENARIOS = {
    "white 0.1 %": Scenario(white(0.001)),
    "white 0.5 %": Scenario(white(0.005)),
    "white 2 %": Scenario(white(0.02)),
    "growing 0.2 to 1 %": Scenario(growing(0.002, 0.01)),
    "growing 0.2 to 3 %": Scenario(growing(0.002, 0.03)),
    "drift SD 0.05 % a cycle": Scenario(drifting(0.005, 0.0005)),
    "AR(1) 0.5, 0.5 %": Scenario(autocorrelated(0.005, 0.5)),
    "no plateau, white 0.5 %": Scenario(white(0.005), (38.0, 43.0)),
}


def simulate(rng: np.random.Generator, scenario: Scenario) -> Group:
    """One group of Richards curves with and without its noise."""
    slope, asymmetry = rng.uniform(0.45, 0.85), rng.uniform(0.6, 2.0)
    log_slope = np.log(slope) + rng.normal(0, 0.02, CURVES)
    q = np.maximum(1 / asymmetry + rng.normal(0, 0.03, CURVES), 0.2)
    shape = Shape(log_slope, rng.uniform(*scenario.places, CURVES), q, logarithmic=False)
    rise = RISE * np.exp(rng.normal(0, 0.03, CURVES))
    u = np.exp(-np.exp(log_slope)[:, None] * (CYCLES - shape.steepest[:, None]))
    share = (1 + q[:, None] * u) ** (-1 / q[:, None])
    silent = 0.6 + rise[:, None] * share
    return Group(silent + rise[:, None] * scenario.noise(rng, share), silent, shape, rise)


def truths(group: Group) -> dict[str, np.ndarray]:
    level = RISE * THRESHOLD / group.rise
    return {
        "threshold": relative_crossing(group.shape, level),
        "second_derivative": second_derivative_maximum(group.shape),
        "first_derivative": first_derivative_maximum(group.shape),
        "cy0": cy0(group.shape),
        "joint": relative_crossing(group.shape, RELATIVE_LEVEL),
    }


def estimates(cycles: np.ndarray, signal: np.ndarray, threshold: float) -> dict[str, Estimate]:
    """Cq and standard error of the curves of one group by every estimator."""
    found = analyse_curves(cycles, signal, threshold=threshold)
    return {name: Estimate(getattr(found, f"cq_{name}"), found.standard_errors[name]) for name in METHODS}


def window_estimate(group: Group) -> tuple[np.ndarray, np.ndarray]:
    """Error and standard error of the Cq by the window of linearity."""
    found, silent = analyse_curves(CYCLES, group.signal), window_of_linearity(CYCLES, group.silent)
    window = found.window
    truth = silent.cq + np.log(window.threshold / silent.threshold) / np.log(silent.mean_efficiency)
    return window.cq - truth, found.standard_errors["window_of_linearity"]


def simulated() -> None:
    print(f"{'scenario':26}{'estimator':20}{'SD of z':>9}{'mean z':>9}{'|z|<1.96':>10}{'median SE':>11}{'n':>6}")
    for number, (name, scenario) in enumerate(SCENARIOS.items()):
        rng = np.random.default_rng(100 + number)
        pairs: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
        for _ in range(GROUPS):
            group = simulate(rng, scenario)
            truth = truths(group)
            for estimator, (cq, error) in estimates(CYCLES, group.signal, RISE * THRESHOLD).items():
                pairs.setdefault(estimator, []).append((cq - truth[estimator], error))
            pairs.setdefault("window_of_linearity", []).append(window_estimate(group))
        for estimator, parts in pairs.items():
            off, error = (np.concatenate(part) for part in zip(*parts, strict=True))
            z = off / error
            z = z[np.isfinite(z)]
            held = np.mean(np.abs(z) < 1.96)
            figures = f"{z.std():9.2f}{z.mean():9.2f}{held:10.3f}{np.nanmedian(error):11.4f}{len(z):6}"
            print(f"{name:26}{estimator:20}{figures}", flush=True)


def replicates() -> None:
    """Standard errors and scatter of replicates at the highest amount of two dilution series."""
    from dilution_sets import sets

    print(f"\n{'highest amount of':26}{'estimator':20}{'median SE':>11}{'replicate SD':>14}{'n':>6}")
    every = sets()
    for name in ("ruijter_94x4", "rutledge K1/K2", "rutledge K3/K2", "vermeulen"):
        curves = every[name]
        squares: dict[str, list[np.ndarray]] = {}
        errors: dict[str, list[np.ndarray]] = {}
        freedom = 0
        for group in np.unique(curves.group):
            rows = np.flatnonzero(curves.group == group)
            signal, amount = curves.signal[rows], curves.amount[rows]
            level = THRESHOLD * float(np.median(fit_sigmoid(curves.cycles, signal).rise))
            top = amount == amount.max()
            freedom += top.sum() - 1
            for estimator, (cq, error) in estimates(curves.cycles, signal, level).items():
                squares.setdefault(estimator, []).append((cq[top] - np.nanmean(cq[top])) ** 2)
                errors.setdefault(estimator, []).append(error[top])
        for estimator, parts in squares.items():
            scatter = np.sqrt(np.nansum(np.concatenate(parts)) / freedom)
            every_error = np.concatenate(errors[estimator])
            print(f"{name:26}{estimator:20}{np.nanmedian(every_error):11.4f}{scatter:14.4f}{len(every_error):6}")


if __name__ == "__main__":
    simulated()
    if DATA.is_dir():
        replicates()
