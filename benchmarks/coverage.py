"""Do 95 % intervals of copies, ratio and IS % hold the truth in 95 % of cases? Known truth, simulated.

    python benchmarks/coverage.py [samples per row, 20000 without]
    python benchmarks/coverage.py curves [seconds, 180 without]      through the real code, from curves on

Without curves: every sample has standards of its own for both targets (10 … 10^6 in duplicate), so that the samples of
a row are independent; molecules are drawn from Poisson, each amplifies as a branching process does (relative variance
of the product of n molecules (1 - E)/(1 + E)/n), Cq repeat with SD 0.12 cycles and 3 % of pipetting. The standard error
of a share of 95 % is 0.15 % with 20,000 samples.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bcrabl.calibration import fit_standard_curve
from bcrabl.counting import Line, branching_variance, line_of, mean_copies_read, most_likely_copies, sample_intervals
from bcrabl.counting.posterior import copies_likelihood
from bcrabl.curves import analyse_curves
from bcrabl.simulation import Sample, sample_plate, simulate_run

SLOPE, INTERCEPT = -3.35, 39.0
REPEATABILITY, VOLUME_CV = 0.12, 0.03
STANDARDS = np.repeat(10.0 ** np.arange(1, 7), 2)
LEVELS = (1e6, 1e4, 1e2, 30.0, 10.0, 5.0, 3.0, 1.0)
RESPONSES = (1, 2, 3, 4, 4.5, 5)
CONTROL, CONTROL_OF_RESPONSES = 3e4, 1e5
FACTOR_LOG_SD = np.log(1.3) / 1.96
CUT_OFFS = (0.1, 0.01, 0.0032, 0.001)


class Truth(NamedTuple):
    """What is simulated: expected copies per reaction and the conversion factor's uncertainty (SD of its logarithm)."""

    copies: np.ndarray
    control: np.ndarray
    replicates: int
    factor_log_sd: float = 0.0


class Measured(NamedTuple):
    cq: np.ndarray
    control_cq: np.ndarray
    line: Line
    control_line: Line
    factor: np.ndarray


def draw_cq(rng: np.random.Generator, copies: np.ndarray, sd: float = REPEATABILITY) -> np.ndarray:
    """Cq of reactions with these expected copies; NaN where no molecule got in."""
    volume = rng.lognormal(-np.log1p(VOLUME_CV**2) / 2, np.sqrt(np.log1p(VOLUME_CV**2)), copies.shape)
    molecules = rng.poisson(copies * volume).astype(float)
    held = np.maximum(molecules, 1.0)
    shape = held / float(branching_variance(SLOPE))
    product = rng.gamma(shape, 1 / shape) * held
    cq = INTERCEPT + SLOPE * np.log10(product) + rng.normal(0, sd, copies.shape)
    return np.where(molecules > 0, cq, np.nan)


def fitted_lines(rng: np.random.Generator, samples: int, weighting: str) -> Line:
    """A standard curve for every sample, by `fit_standard_curve`; the true line for `known`."""
    if weighting == "known":
        sd = np.hypot(REPEATABILITY, VOLUME_CV * abs(SLOPE) / np.log(10))
        return Line(INTERCEPT, SLOPE, 0.0, 0.0, 0.0, sd).of(samples)
    lines = []
    for row in draw_cq(rng, np.broadcast_to(STANDARDS, (samples, len(STANDARDS)))):
        seen = np.isfinite(row)
        lines.append(line_of(fit_standard_curve(row[seen], STANDARDS[seen], weighting=weighting)))
    return Line(*(np.array([float(np.asarray(line[entry])) for line in lines]) for entry in range(len(Line._fields))))


def measure(rng: np.random.Generator, truth: Truth, lines: tuple[Line, Line]) -> Measured:
    samples = len(truth.copies)
    cq, control_cq = (
        draw_cq(rng, np.repeat(each[:, None], truth.replicates, axis=1)) for each in (truth.copies, truth.control)
    )
    factor = np.exp(rng.normal(0, truth.factor_log_sd, samples)) if truth.factor_log_sd else np.ones(samples)
    return Measured(cq, control_cq, *lines, factor)


class Held(NamedTuple):
    """Shares of samples: interval of copies and of IS hold the truth; truth below and above the IS interval; nothing
    detected; not excluded by the bound of an undetected sample."""

    copies: float
    on_scale: float
    below: float
    above: float
    undetected: float
    bound: float


def held(truth: Truth, found: Measured, prior: str = "jeffreys") -> Held:
    samples = sample_intervals(
        found.cq,
        found.control_cq,
        found.line,
        found.control_line,
        conversion_factor=found.factor,
        conversion_log_sd=truth.factor_log_sd,
        prior=prior,
    )
    ratio = truth.copies / truth.control
    below, above = ratio < samples.on_scale.low, ratio > samples.on_scale.high
    inside = (samples.copies.low <= truth.copies) & (truth.copies <= samples.copies.high)
    unseen = ~np.isfinite(found.cq).any(axis=1)
    bound = 1 - (unseen & above).mean()
    return Held(inside.mean(), 1 - (below | above).mean(), below.mean(), above.mean(), unseen.mean(), bound)


def figures(row: Sequence[float]) -> str:
    return "".join(f"{100 * value:9.2f}" for value in row)


HEAD = f"{'':>20}{'copies':>9}{'ratio, IS':>10}{'t < low':>8}{'t > high':>9}{'undet.':>9}{'bound':>9}"


def levels() -> list[tuple[str, float, float]]:
    every = [(f"{level:g} copies", level, CONTROL) for level in LEVELS]
    return every + [(f"MR{depth:g}", CONTROL_OF_RESPONSES * 10.0**-depth, CONTROL_OF_RESPONSES) for depth in RESPONSES]


def coverage_table(samples: int, lines: tuple[Line, Line]) -> None:
    for log_sd in (0.0, FACTOR_LOG_SD):
        for wells in (2, 3):
            print(f"\n{wells} wells, conversion factor {'within 1.3-fold' if log_sd else 'exact'}; %\n{HEAD}")
            for seed, (name, copies, control) in enumerate(levels()):
                truth = Truth(np.full(samples, copies), np.full(samples, control), wells, log_sd)
                found = measure(np.random.default_rng([seed, wells, int(log_sd > 0)]), truth, lines)
                print(f"{name:>20}{figures(held(truth, found))}", flush=True)


def prior_table(samples: int, lines: tuple[Line, Line]) -> None:
    """Few copies under each prior, at the level and averaged over all levels from 0.7 to 1.4 times it."""
    print(f"\npriors at few copies, at the level and (≈) all around it; %\n{HEAD}")
    for wells in (2, 3):
        for level in (10.0, 5.0, 3.0, 1.0):
            for around in (0.0, np.log(2.0) / 2):
                rng = np.random.default_rng([int(level), wells, 7])
                copies = level * np.exp(rng.uniform(-around, around, samples))
                truth = Truth(copies, np.full(samples, CONTROL), wells)
                found = measure(rng, truth, lines)
                for prior in ("jeffreys", "between", "garwood"):
                    name = f"{wells} × {'≈' if around else ''}{level:g} {prior}"
                    print(f"{name:>20}{figures(held(truth, found, prior))}", flush=True)


def bias_table(samples: int, lines: tuple[Line, Line]) -> None:
    print("\nmean over truth, %, 2 wells: read off the line (what is reported), most likely, posterior median")
    for copies in LEVELS:
        truth = Truth(np.full(samples, copies), np.full(samples, CONTROL), 2)
        found = measure(np.random.default_rng([int(copies), 9]), truth, lines)
        read = mean_copies_read(found.cq, found.line)
        likelihood = copies_likelihood(found.cq, found.line)
        median = np.nan_to_num(likelihood.cumulative().quantile(0.5))
        ratio = read / mean_copies_read(found.control_cq, found.control_line) * CONTROL
        each = (read, most_likely_copies(likelihood), median, ratio)
        print(f"{copies:>12g}{figures([one.mean() / copies for one in each])}   (last: ratio)", flush=True)


def reliability_table(samples: int, lines: tuple[Line, Line]) -> None:
    """Log-uniform truth from 0.0003 to 3 % IS: among samples given a probability, how many are at or below the cut?"""
    rng = np.random.default_rng(17)
    control = np.exp(rng.uniform(np.log(2e4), np.log(2e5), samples))
    percent = np.exp(rng.uniform(np.log(3e-4), np.log(3.0), samples))
    truth = Truth(percent / 100 * control, control, 2, FACTOR_LOG_SD)
    found = measure(rng, truth, lines)
    at_most = sample_intervals(
        found.cq,
        found.control_cq,
        found.line,
        found.control_line,
        factor=100.0,
        conversion_factor=found.factor,
        conversion_log_sd=FACTOR_LOG_SD,
        cut_offs=CUT_OFFS,
    ).at_most
    edges = np.array([0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0000001])
    below = percent[:, None] <= np.array(CUT_OFFS)
    print(
        "\nprobability of being at or below a cut-off: said and true, %; samples; all cut-offs, then 0.0032 and 0.001"
    )
    for low, high in itertools.pairwise(edges):
        text = ""
        for columns in (slice(0, 4), slice(2, 3), slice(3, 4)):
            said, true = at_most[:, columns].ravel(), below[:, columns].ravel()
            here = (said >= low) & (said < high)
            text += f"{100 * said[here].mean():8.1f}{100 * true[here].mean():7.1f}{here.sum():7}" if here.any() else ""
        print(f"{100 * low:8.0f} to {100 * min(high, 1):3.0f}{text}")


def from_molecules(samples: int) -> None:
    lines: dict[str, tuple[Line, Line]] = {}
    for weighting in ("poisson", "none", "known"):
        rng = np.random.default_rng([1, len(weighting)])
        lines[weighting] = fitted_lines(rng, samples, weighting), fitted_lines(rng, samples, weighting)
    print("standard curves weighted by Poisson's law")
    coverage_table(samples, lines["poisson"])
    prior_table(samples, lines["poisson"])
    bias_table(samples, lines["poisson"])
    reliability_table(samples, lines["poisson"])
    for weighting in ("none", "known"):
        print(f"\nstandard curves: {weighting}; 2 wells, conversion factor exact; %\n{HEAD}")
        for seed, (name, copies, control) in enumerate(levels()):
            truth = Truth(np.full(samples, copies), np.full(samples, control), 2)
            found = measure(np.random.default_rng([seed, 2, 0]), truth, lines[weighting])
            print(f"{name:>20}{figures(held(truth, found))}", flush=True)


# -- from curves on ---------------------------------------------------------------------------------------------------


def measured_plate(seed: int, wells: int) -> tuple[Measured, Truth, np.ndarray]:
    """One simulated 384-well plate, its curves analysed, its standards fitted."""
    every = levels()
    number = (384 - 12 * wells) // (2 * wells)
    chosen = [every[(seed * 31 + k) % len(every)] for k in range(number)]
    samples = [Sample(f"S{k}", copies, control) for k, (_, copies, control) in enumerate(chosen)]
    run = simulate_run(sample_plate(samples, replicates=wells, rows=16, columns=24), seed=seed)
    table = {name: np.array(run.reactions[name].to_pylist(), dtype=object) for name in ("target", "role", "sample_id")}
    standard = np.array(run.reactions["known_copies"].to_pylist(), dtype=float)
    signal = np.asarray(run.fluorescence) / np.asarray(run.passive_reference)
    cq, lines = {}, {}
    for target in ("BCR::ABL1", "ABL1"):
        rows = table["target"] == target
        found = analyse_curves(run.cycles, signal[rows])
        own = np.where(found.call == "amplified", found.cq, np.nan)
        known = (table["role"][rows] == "std") & np.isfinite(own)
        curve = fit_standard_curve(own[known], standard[rows][known], weighting="poisson")
        lines[target] = line_of(curve)
        cq[target] = own[table["role"][rows] == "unkn"].reshape(number, wells)
    truth = Truth(np.array([one[1] for one in chosen]), np.array([one[2] for one in chosen]), wells)
    names = np.array([one[0] for one in chosen])
    return Measured(cq["BCR::ABL1"], cq["ABL1"], lines["BCR::ABL1"], lines["ABL1"], np.ones(number)), truth, names


def from_curves(seconds: float) -> None:
    for wells in (2, 3):
        rows: dict[str, list[tuple[Held, float]]] = {}
        until, seed, spread = time.monotonic() + seconds / 2, 1, []
        while time.monotonic() < until:
            found, truth, names = measured_plate(seed, wells)
            spread.append((found.line.repeatability, found.line.degrees_of_freedom))
            for name in np.unique(names):
                some = names == name
                part = Measured(
                    found.cq[some], found.control_cq[some], found.line, found.control_line, np.ones(some.sum())
                )
                own = Truth(truth.copies[some], truth.control[some], wells)
                rows.setdefault(name, []).append((held(own, part), float(some.sum())))
            seed += 1
        sd, freedom = np.mean(spread, axis=0)
        print(f"\nfrom curves on: {wells} wells, {seed - 1} plates; repeatability {sd:.3f} cycles, {freedom:.1f} df")
        print(HEAD)
        for name, _, _ in levels():
            weights = [weight for _, weight in rows[name]]
            mean = np.average([row for row, _ in rows[name]], axis=0, weights=weights)
            print(f"{name:>20}{figures(mean)}   {sum(weights):.0f} samples", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["curves"]:
        from_curves(float(sys.argv[2]) if len(sys.argv) > 2 else 180.0)
    else:
        from_molecules(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
