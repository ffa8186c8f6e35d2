"""Standard curves of a known truth: bias, scatter, coverage, and how often tests cry wolf or miss it.

    python benchmarks/calibration.py [curves of each row, 4000 without]

Standards of 10 … 10^6 copies, each pipetted with a volume CV of 5 %, template drawn by Poisson's law, Cq of what got a
molecule on a line with a repeatability of 0.1 cycles (0.124 with the pipetting). Rates have a standard error of
0.35 points at 4,000 curves and 5 %.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bcrabl.calibration import (
    StandardCurve,
    check_linearity,
    compare_slopes,
    fit_standard_curve,
    lack_of_fit,
    outlying_standards,
    pool_standard_curves,
)
from bcrabl.simulation.amplification import draw_template

INTERCEPT, SLOPE = 39.5, -3.35
REPEATABILITY, VOLUME_CV = 0.1, 0.05
LEVELS = 10.0 ** np.arange(1, 7)
WEIGHTINGS = ("none", "poisson")


@dataclass(frozen=True)
class Truth:
    """What the plates of one scenario are made by."""

    intercept: float = INTERCEPT
    slope: float = SLOPE
    repeatability: float = REPEATABILITY
    volume_cv: float = VOLUME_CV
    bend: float = 0.0  # cycles/decade² about 10^3.5 copies

    def cq(self, copies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Cq of reactions with so many expected copies; NaN where none got in."""
        volume = np.maximum(1 + self.volume_cv * rng.standard_normal(copies.shape), 0.1)
        molecules = draw_template(copies, volume, rng)
        x = np.log10(np.where(molecules > 0, molecules, np.nan))
        line = self.intercept + self.slope * x + self.bend * ((x - 3.5) ** 2 - 35 / 12)
        return line + rng.normal(0, self.repeatability, copies.shape)


def plates(
    truth: Truth, replicates: int, count: int, seed: int, levels: np.ndarray = LEVELS
) -> Iterator[tuple[np.ndarray, np.ndarray, np.random.Generator]]:
    """Cq and copies of the detected standards of plate after plate."""
    rng = np.random.default_rng(seed)
    copies = np.repeat(levels, replicates)
    for _ in range(count):
        cq = truth.cq(copies, rng)
        found = np.isfinite(cq)
        yield cq[found], copies[found], rng


@dataclass(frozen=True)
class Scatter:
    """Bias and SD over plates; log10 copies read at the Cq the truth gives 10^6 … 10 molecules."""

    slope: tuple[float, float]
    intercept: tuple[float, float]
    variance_ratio: float
    log10_copies: dict[int, tuple[float, float]]


def scatter(weighting: str, replicates: int, count: int, seed: int, truth: Truth = Truth()) -> Scatter:
    decades = np.arange(6, 0, -1)
    exact = truth.intercept + truth.slope * decades
    rows = []
    for cq, copies, _ in plates(truth, replicates, count, seed):
        curve = fit_with(weighting, cq, copies)
        read = (exact - curve.intercept) / curve.slope
        rows.append([curve.slope, curve.intercept, curve.residual_sd**2, *read])
    table = np.array(rows)
    bias = table.mean(axis=0) - [truth.slope, truth.intercept, own_variance(truth), *decades]
    sd = table.std(axis=0, ddof=1)
    reads = {int(decade): (bias[3 + i], sd[3 + i]) for i, decade in enumerate(decades)}
    return Scatter((bias[0], sd[0]), (bias[1], sd[1]), 1 + bias[2] / own_variance(truth), reads)


def own_variance(truth: Truth) -> float:
    """Variance of Cq without chance in the molecules."""
    return truth.repeatability**2 + (truth.slope * truth.volume_cv / np.log(10)) ** 2


def fit_with(weighting: str, cq: np.ndarray, copies: np.ndarray) -> StandardCurve:
    """A fit of the package, or one with the weights of the levels' own variances, which it does not offer."""
    if weighting != "levels":
        return fit_standard_curve(cq, copies, weighting=weighting)
    x, level = np.log10(copies), np.unique(copies, return_inverse=True)[1]
    variance = np.array([cq[level == k].var(ddof=1) for k in range(level.max() + 1)])[level]
    root = 1 / np.sqrt(np.maximum(variance, 1e-6))
    slope, intercept = np.linalg.lstsq(np.column_stack([x, np.ones_like(x)]) * root[:, None], cq * root)[0]
    covariance = np.full((2, 2), np.nan)
    return StandardCurve(slope, intercept, covariance, np.nan, np.nan, len(x), 10, 1e6, x.mean(), np.nan, len(x) - 2)


def coverage(
    weighting: str,
    replicates: int,
    unknown: float,
    count: int,
    seed: int,
    truth: Truth = Truth(),
    levels: np.ndarray = LEVELS,
) -> tuple[float, float, float]:
    """Share of intervals that hold the copies of an unknown in duplicate, of those of the slope, median width."""
    from scipy.special import stdtrit

    held = slopes = 0
    widths = []
    for cq, copies, rng in plates(truth, replicates, count, seed, levels):
        curve = fit_standard_curve(cq, copies, weighting=weighting)
        own = np.nan
        while not np.isfinite(own):
            own = truth.cq(np.full(2, unknown), rng).mean()
        reading = curve.read(own, 2, counting=weighting == "poisson")
        held += bool(reading.low <= unknown <= reading.high)
        widths.append(float(reading.high / reading.low))
        half = stdtrit(curve.slope_degrees_of_freedom, 0.975) * np.sqrt(curve.covariance[1, 1])
        slopes += bool(abs(curve.slope - truth.slope) <= half)
    return held / count, slopes / count, float(np.median(widths))


def rejections(test: Callable[..., float], count: int, seed: int, *, replicates: int, truth: Truth, weighting: str):
    """Share of plates of which a test says p < 5 %."""
    found = total = 0
    for cq, copies, rng in plates(truth, replicates, count, seed):
        p_value = test(cq, copies, weighting, rng)
        if np.isfinite(p_value):
            found, total = found + (p_value < 0.05), total + 1
    return found / total


def lack_of_fit_p(cq: np.ndarray, copies: np.ndarray, weighting: str, _: np.random.Generator) -> float:
    return lack_of_fit(fit_standard_curve(cq, copies, weighting=weighting), cq, copies).p_value


def linearity_p(cq: np.ndarray, copies: np.ndarray, weighting: str, _: np.random.Generator) -> float:
    return check_linearity(fit_standard_curve(cq, copies, weighting=weighting), cq, copies).p_value


def outlier_p(cq: np.ndarray, copies: np.ndarray, weighting: str, _: np.random.Generator, test: str = "ext") -> float:
    curve = fit_standard_curve(cq, copies, weighting=weighting)
    tests = [one for one in outlying_standards(curve, cq, copies, significance=1.0) if one.test.startswith(test)]
    return min((one.p_value for one in tests), default=np.nan)


def grubbs_p(cq: np.ndarray, copies: np.ndarray, weighting: str, rng: np.random.Generator) -> float:
    return outlier_p(cq, copies, weighting, rng, "Grubbs")


def spoiled(shift: float, level: float) -> Callable[..., float]:
    """The p of the outlier test after one reaction of a level is made late."""

    def p_value(cq: np.ndarray, copies: np.ndarray, weighting: str, rng: np.random.Generator) -> float:
        late = cq.copy()
        late[np.flatnonzero(copies == level)[0]] += shift
        return outlier_p(late, copies, weighting, rng)

    return p_value


def parallelism_p(other: Truth) -> Callable[..., float]:
    """The p of a comparison with a control gene's curve of 10^3 … 10^6 copies."""

    def p_value(cq: np.ndarray, copies: np.ndarray, weighting: str, rng: np.random.Generator) -> float:
        control = np.repeat(LEVELS[2:], 2)
        first = fit_standard_curve(cq, copies, weighting=weighting)
        return compare_slopes(first, fit_standard_curve(other.cq(control, rng), control, weighting=weighting)).p_value

    return p_value


@dataclass(frozen=True)
class PoolingResult:
    """This run pooled with earlier ones: SD of its error and coverage, own and pooled; rejection rate of the test."""

    slope_sd: tuple[float, float]
    log10_sd_at_10: tuple[float, float]
    slope_coverage: tuple[float, float]
    copies_coverage: tuple[float, float]
    rejected: float


def pooling(
    weighting: str, runs: int, between: tuple[float, float], count: int, seed: int, *, shift: float = 0.0
) -> PoolingResult:
    """Runs whose level at 10^4 copies and slope differ with these SD; this run's level shifted by some cycles."""
    from scipy.special import stdtrit

    rng = np.random.default_rng(seed)
    copies = np.repeat(LEVELS, 2)

    def run(offset: float = 0.0) -> tuple[StandardCurve, Truth]:
        slope = SLOPE + between[1] * rng.standard_normal()
        level = INTERCEPT + 4 * SLOPE + between[0] * rng.standard_normal() + offset
        truth = Truth(level - 4 * slope, slope)
        cq = truth.cq(copies, rng)
        found = np.isfinite(cq)
        return fit_standard_curve(cq[found], copies[found], weighting=weighting), truth

    errors, slope_held, copies_held, rejected = [], [], [], 0
    for _ in range(count):
        earlier = [run()[0] for _ in range(runs)]
        own, truth = run(shift)
        pooled = pool_standard_curves(own, earlier)
        rejected += not pooled.belongs()
        unknown = truth.cq(np.full(2, 1e4), rng).mean()
        curves = (own, pooled.curve)
        ten = truth.intercept + truth.slope
        errors.append(
            [each.slope - truth.slope for each in curves] + [(ten - each.intercept) / each.slope - 1 for each in curves]
        )
        half = [stdtrit(one.slope_degrees_of_freedom, 0.975) * np.sqrt(one.covariance[1, 1]) for one in curves]
        slope_held.append([abs(one.slope - truth.slope) <= h for one, h in zip(curves, half, strict=True)])
        limits = [each.copies(unknown, 2) for each in curves]
        copies_held.append([low <= 1e4 <= high for _, low, high in limits])
    sd = np.sqrt((np.array(errors) ** 2).mean(axis=0)).tolist()
    slope_coverage, copies_coverage = np.mean(slope_held, axis=0).tolist(), np.mean(copies_held, axis=0).tolist()
    return PoolingResult(
        (sd[0], sd[1]), (sd[2], sd[3]), tuple(slope_coverage), tuple(copies_coverage), rejected / count
    )


def print_scatter(count: int) -> None:
    print("\nBias ± SD of slope, intercept, variance estimated / true, log10 copies at 10^6 … 10 molecules")
    for replicates in (2, 3):
        for weighting in (*WEIGHTINGS, "levels"):
            one = scatter(weighting, replicates, count, 1)
            reads = "  ".join(f"{bias:+.4f}±{sd:.4f}" for bias, sd in one.log10_copies.values())
            head = f"{replicates}x {weighting:8s} {one.slope[0]:+.4f}±{one.slope[1]:.4f} "
            print(f"{head} {one.intercept[0]:+.3f}±{one.intercept[1]:.3f} {one.variance_ratio:6.2f}  {reads}")


def print_coverage(count: int) -> None:
    print("\nCoverage of 95 % intervals in %: copies of an unknown in duplicate, slope; median high/low")
    ranges = {"10..1e6": LEVELS, "1e3..1e6": LEVELS[2:], "10..1e3": LEVELS[:3]}
    for name, levels in ranges.items():
        for replicates in (2, 3):
            for weighting in WEIGHTINGS:
                parts = []
                for unknown in (1e5, 1e4, 1e2, 30.0):
                    held, slope, width = coverage(weighting, replicates, unknown, count, 2, levels=levels)
                    parts.append(f"{unknown:6.0f}: {100 * held:5.1f} ({width:5.2f})")
                print(f"{name:9s} {replicates}x {weighting:8s} {'  '.join(parts)}  slope {100 * slope:5.1f}")


def print_tests(count: int) -> None:
    print("\nTests that say p < 5 %, in % of plates")
    straight, bent, low = Truth(), Truth(bend=0.05), Truth(slope=-3.55)
    rows: list[tuple[str, Callable[..., float], Truth]] = [
        ("lack of fit, straight line", lack_of_fit_p, straight),
        ("lack of fit, bend 0.05 cycles/decade²", lack_of_fit_p, bent),
        ("polynomial, straight line", linearity_p, straight),
        ("polynomial, bend 0.05", linearity_p, bent),
        ("outlier, none", outlier_p, straight),
        ("outlier, Grubbs, none", grubbs_p, straight),
        ("outlier, +0.8 cycles at 10^5", spoiled(0.8, 1e5), straight),
        ("outlier, +2 cycles at 10", spoiled(2.0, 10.0), straight),
        ("parallelism, equal slopes", parallelism_p(straight), straight),
        ("parallelism, -3.35 against -3.55", parallelism_p(low), straight),
    ]
    print(f"{'':40s}" + "".join(f"{n}x {w:9s}" for n in (2, 3) for w in WEIGHTINGS))
    for name, test, truth in rows:
        cells = []
        for replicates in (2, 3):
            for weighting in WEIGHTINGS:
                try:
                    rate = rejections(test, count, 3, replicates=replicates, truth=truth, weighting=weighting)
                    cells.append(f"{100 * rate:8.1f}    ")
                except ZeroDivisionError:
                    cells.append("       -    ")
        print(f"{name:40s}" + "".join(cells))


def print_pooling(count: int) -> None:
    print(
        "\nPooling: RMS error of slope and of log10 copies at 10, coverage of slope and of 10^4 copies: own -> pooled"
    )
    scenes = {
        "runs alike": (0.0, 0.0),
        "level SD 0.1, slope SD 0.02": (0.1, 0.02),
        "level SD 0.3, slope SD 0.10": (0.3, 0.1),
    }
    for name, between in scenes.items():
        for runs in (5, 10, 20):
            for weighting in WEIGHTINGS:
                one = pooling(weighting, runs, between, count, 4)
                far = pooling(weighting, runs, between, count // 4, 5, shift=1.0)
                print(
                    f"{name:28s} N={runs:2d} {weighting:8s} slope {one.slope_sd[0]:.4f} -> {one.slope_sd[1]:.4f}"
                    f"  log10 {one.log10_sd_at_10[0]:.4f} -> {one.log10_sd_at_10[1]:.4f}"
                    f"  slope {100 * one.slope_coverage[0]:.1f} -> {100 * one.slope_coverage[1]:.1f}"
                    f"  copies {100 * one.copies_coverage[0]:.1f} -> {100 * one.copies_coverage[1]:.1f}"
                    f"  not of them {100 * one.rejected:.1f}, shifted by 1 cycle {100 * far.rejected:.1f}"
                )


def print_speed() -> None:
    cq, copies, _ = next(plates(Truth(), 2, 1, 6))
    print("\nMedian time of one fit, ms, and of an ordinary fit by numpy.polyfit with covariance")
    calls = {weighting: (lambda w=weighting: fit_standard_curve(cq, copies, weighting=w)) for weighting in WEIGHTINGS}
    for name, call in {**calls, "polyfit": lambda: np.polyfit(np.log10(copies), cq, 1, cov=True)}.items():
        times = []
        for _ in range(300):
            begin = time.perf_counter()
            call()
            times.append(time.perf_counter() - begin)
        print(f"{name:8s} {1e3 * float(np.median(times)):.3f}")


def main(count: int) -> None:
    print_speed()
    print_scatter(count)
    print_coverage(count)
    print_tests(count)
    print_pooling(count // 2)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
