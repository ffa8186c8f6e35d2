"""Do the intervals hold on real plates? Known unknowns, standards left out, and composed pairs of targets.

    python benchmarks/validation.py

Needs the real data (BCRABL_TEST_DATA). Every well goes the package's own way: read_run, analyse_curves with its
defaults, fit_standard_curve(weighting="poisson"), counting.sample_intervals. No well is both standard and sample. The
interval holds the scatter of wells, counted molecules and the line; it does not hold what all wells of a level share,
which is how the level was pipetted, nor the uncertainty of the stock. `bias`: of the mean logarithm for plates, of the
median for targets; within `half ×÷` of the truth lie half of the results.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bcrabl import analyse_curves, fit_standard_curve, read_run
from bcrabl.calibration import StandardCurve, lack_of_fit
from bcrabl.counting import Line, copies_interval, copies_likelihood, line_of, mean_copies_read, sample_intervals
from bcrabl.errors import CalibrationError

DATA = Path(os.environ.get("BCRABL_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
QS1 = "quantstudio_da2_xlsx/appbio_quantstudio_designandanalysis_QS1_Standard_Curve_example01.xlsx"
QS7_PRO = QS1.replace("QS1", "QS7Pro").replace("example01", "example14")
STEPONE = "rdml/stepone_std.rdml"
VERMEULEN = "rdml14_untergasser_vermeulen/data_vermeulen_std_150000_15.rdml"
PLATES = {
    "QuantStudio 1": QS1,
    "QuantStudio 7 Pro": QS7_PRO,
    "7500 Fast": "eds_7500/sce.eds",
    "StepOne": STEPONE,
}
POPULATIONS = {"Unk_5K": 5_000.0, "Unk_10K": 10_000.0}
LEVELS = (150_000.0, 15_000.0, 1_500.0, 150.0, 15.0)
REPLICATES = 3
LEAST_R_SQUARED = 0.95
T_OF_TRIPLICATE = 4.302652729911275  # 97.5 % point of Student's t with 2 degrees of freedom


class Wells(NamedTuple):
    """The wells of one target on one plate; (n,) each."""

    cq: np.ndarray
    standard: np.ndarray
    copies: np.ndarray
    sample: np.ndarray
    vendor_copies: np.ndarray


class Group(NamedTuple):
    """Wells of one amount measured together."""

    plate: str
    truth: float
    wells: int
    found: float
    low: float
    high: float
    extrapolated: bool

    @property
    def holds(self) -> bool:
        """The truth lies in the interval."""
        return self.low <= self.truth <= self.high


def numbers(values: Sequence[float | None]) -> np.ndarray:
    """NaN where there is none."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def plate(path: str) -> Wells:
    """A plate with one target."""
    run = read_run(DATA / path)
    role, sample = (np.array(run.reactions[name].to_pylist(), dtype=object) for name in ("role", "sample_id"))
    copies, vendor = (numbers(run.reactions[name].to_pylist()) for name in ("known_copies", "vendor_quantity"))
    found = analyse_curves(run.cycles, run.signal)
    cq = np.where(found.call == "amplified", found.cq, np.nan)
    return Wells(cq, role == "std", copies, sample, vendor)


def curve_of(wells: Wells, chosen: np.ndarray) -> StandardCurve:
    """The standard curve of some standards."""
    seen = chosen & np.isfinite(wells.cq)
    return fit_standard_curve(wells.cq[seen], wells.copies[seen], weighting="poisson")


def measured(name: str, truth: float, cq: np.ndarray, curve: StandardCurve) -> Group:
    """One group of wells read off a curve."""
    line = line_of(curve)
    interval = copies_interval(copies_likelihood(cq[None], line))
    found = float(mean_copies_read(cq[None], line)[0])
    outside = not curve.copies_low <= truth <= curve.copies_high
    return Group(name, truth, len(cq), found, float(interval.low[0]), float(interval.high[0]), outside)


# -- plates of known amounts ------------------------------------------------------------------------------------------


def populations(wells: Wells, size: int) -> list[Group]:
    """The unknown wells of QuantStudio 1, in the order of the plate, so many to a group."""
    curve = curve_of(wells, wells.standard)
    groups = []
    for sample, truth in POPULATIONS.items():
        cq = wells.cq[wells.sample == sample]
        parts = cq[: len(cq) // size * size].reshape(-1, size)
        groups += [measured("QuantStudio 1", truth, part, curve) for part in parts]
    return groups


def levels_left_out(name: str, wells: Wells) -> list[Group]:
    """Each level of the standards, read off the curve of the others."""
    groups = []
    for level in np.unique(wells.copies[wells.standard]):
        own = wells.standard & (wells.copies == level)
        try:
            curve = curve_of(wells, wells.standard & ~own)
        except CalibrationError:
            continue
        cq = wells.cq[own]
        groups.append(measured(name, float(level), cq, curve))
    return groups


def row(name: str, groups: Sequence[Group]) -> str:
    """How many groups hold the truth, how far the mean found is off, how wide intervals are."""
    off = np.array([group.found / group.truth for group in groups])
    width = np.median([group.high / group.low for group in groups])
    held = sum(group.holds for group in groups)
    spread = f"{100 * (np.exp(np.mean(np.log(off))) - 1):+9.1f}{100 * np.std(np.log(off)):8.1f}"
    return f"{name:44}{held:6} of {len(groups):3}{100 * held / len(groups):8.1f}{spread}{width:12.2f}"


HEAD = f"{'':44}{'held':>13}{'%':>8}{'bias %':>9}{'SD %':>8}{'high/low':>12}"


def known_amounts() -> None:
    """Tables of plates with known unknowns and of levels left out."""
    wells = plate(QS1)
    print("RNase P, QuantStudio 1: wells of 5,000 and of 10,000 copies, measured in groups")
    print(HEAD)
    for size in (1, 2, 3, 4, 6):
        for truth in POPULATIONS.values():
            groups = [group for group in populations(wells, size) if group.truth == truth]
            print(row(f"{truth:8,.0f} copies, {size} wells a group", groups))
        print(row(f"{'both':>8}, {size} wells a group", populations(wells, size)))
    for group in populations(wells, int((wells.sample == "Unk_5K").sum())):
        verdict = "holds" if group.holds else "does not hold"
        print(
            f"{group.truth:8,.0f} copies, all {group.wells} wells: {group.found:,.0f} ({group.low:,.0f} to "
            f"{group.high:,.0f}) {verdict}"
        )
    left_out()
    stepone()


def left_out() -> None:
    """Levels of the standards of four plates against the curves of the others."""
    print("\nStandards of four plates, each level read off the curve of the others (e: beyond it)")
    print(f"{'':20}{'put in':>9}{'wells':>7}{'found':>9}{'low':>9}{'high':>9}")
    every = []
    for name, path in PLATES.items():
        groups = levels_left_out(name, plate(path))
        every += groups
        for group in groups:
            mark = ("" if group.holds else "  not held") + ("  e" if group.extrapolated else "")
            line = f"{name:20}{group.truth:9,.0f}{group.wells:7}{group.found:9,.0f}{group.low:9,.0f}{group.high:9,.0f}"
            print(line + mark)
    for label, groups in (
        ("within the other levels", [group for group in every if not group.extrapolated]),
        ("beyond them", [group for group in every if group.extrapolated]),
        ("5,000 and 10,000", [group for group in every if group.truth in POPULATIONS.values()]),
    ):
        print(f"{label}: {sum(group.holds for group in groups)} of {len(groups)} hold")


def stepone() -> None:
    """The two populations of the StepOne example against the vendor's quantities; nobody states the truth."""
    wells = plate(STEPONE)
    curve = curve_of(wells, wells.standard)
    print("\nStepOne example: mean of three, copies; the vendor's mean and the 95 % t interval of its three quantities")
    for name in sorted({str(sample) for sample in wells.sample if str(sample).startswith("pop")}):
        own = wells.sample == name
        vendor = wells.vendor_copies[own]
        half = T_OF_TRIPLICATE * vendor.std(ddof=1) / np.sqrt(len(vendor))
        group = measured(name, float(vendor.mean()), wells.cq[own], curve)
        inside = "inside" if abs(group.found - vendor.mean()) <= half else "outside"
        print(
            f"{name:16} ours {group.found:7.0f} ({group.low:.0f} to {group.high:.0f})   vendor {vendor.mean():7.0f} "
            f"({vendor.mean() - half:.0f} to {vendor.mean() + half:.0f})   {inside}; vendor's mean "
            f"{'inside' if group.holds else 'outside'} ours"
        )


# -- composed pairs of targets ----------------------------------------------------------------------------------------


class Series(NamedTuple):
    """A dilution series of one target: (levels, replicates) Cq, highest level first, NaN where undetected."""

    target: str
    cq: np.ndarray


class Composed(NamedTuple):
    """Samples of composed plates, (s,) each, ratios as fractions."""

    pair: np.ndarray
    fold: np.ndarray
    truth: np.ndarray
    found: np.ndarray
    low: np.ndarray
    high: np.ndarray
    detected: np.ndarray

    @property
    def holds(self) -> np.ndarray:
        """The true ratio lies in the interval."""
        return (self.low <= self.truth) & (self.truth <= self.high)

    def rows(self, which: np.ndarray) -> Composed:
        """Some samples."""
        return Composed(*(each[which] for each in self))


def vermeulen_series() -> list[Series]:
    """The targets of Vermeulen 2009, five levels in triplicate."""
    run = read_run(DATA / VERMEULEN)
    target, sample = (np.array(run.reactions[name].to_pylist(), dtype=object) for name in ("target", "sample_id"))
    level = np.array([float(name.removeprefix("STD_")) for name in sample])
    series = []
    for name in sorted(set(target)):
        rows = np.flatnonzero(target == name)
        found = analyse_curves(run.cycles, run.signal[rows])
        cq = np.where(found.call == "amplified", found.cq, np.nan)
        series.append(Series(name, np.stack([cq[level[rows] == one] for one in LEVELS])))
    return series


def fitted(cq: np.ndarray) -> StandardCurve:
    """The curve of a series (levels, replicates), undetected reactions left out."""
    copies = np.repeat(LEVELS, cq.shape[1])
    seen = np.isfinite(cq.ravel())
    return fit_standard_curve(cq.ravel()[seen], copies[seen], weighting="poisson")


def usable(series: Sequence[Series]) -> tuple[list[Series], list[str]]:
    """Targets whose standards make a curve in every fold, and the names of the others."""
    good, refused = [], []
    for one in series:
        try:
            for fold in range(REPLICATES):
                fitted(np.delete(one.cq, fold, axis=1))
        except CalibrationError:
            refused.append(one.target)
        else:
            good.append(one)
    return good, refused


def composed(series: Sequence[Series]) -> Composed:
    """Each target plays BCR::ABL1, the next one the control gene at the highest level.

    In each fold one replicate of every level is the sample and the other two are standards, for both targets. The five
    samples of a fold share the control gene's well and both curves.
    """
    fusion_cq, control_cq, lines, control_lines, labels = [], [], [], [], []
    for number, (fusion, control) in enumerate(zip(series, [*series[1:], series[0]], strict=True)):
        for fold in range(REPLICATES):
            line, control_line = (line_of(fitted(np.delete(one.cq, fold, axis=1))) for one in (fusion, control))
            for place, level in enumerate(LEVELS):
                fusion_cq.append(fusion.cq[place, fold])
                control_cq.append(control.cq[0, fold])
                lines.append(line)
                control_lines.append(control_line)
                labels.append((number, fold, level / LEVELS[0]))
    lines_of_samples, lines_of_controls = (
        Line(*(np.array([float(np.asarray(one[entry])) for one in each]) for entry in range(len(Line._fields))))
        for each in (lines, control_lines)
    )
    cq, genes = np.array(fusion_cq)[:, None], np.array(control_cq)[:, None]
    ratio = sample_intervals(cq, genes, lines_of_samples, lines_of_controls).ratio
    found = mean_copies_read(cq, lines_of_samples) / mean_copies_read(genes, lines_of_controls)
    pair, fold, truth = (np.array(each) for each in zip(*labels, strict=True))
    return Composed(pair, fold, truth, found, ratio.low, ratio.high, np.isfinite(cq[:, 0]))


def clustered_error(held: np.ndarray, pair: np.ndarray) -> float:
    """Standard error of the share held; samples of one pair are not independent, so pairs are what is counted."""
    shares = np.array([held[pair == one].mean() for one in np.unique(pair)])
    return float(shares.std(ddof=1) / np.sqrt(len(shares)))


def level_groups(series: Sequence[Series]) -> Iterator[tuple[float, Group]]:
    """Each level of each target in triplicate, read off the curve of the other four levels."""
    for one in series:
        for place, level in enumerate(LEVELS):
            others = np.delete(np.arange(len(LEVELS)), place)
            cq, copies = one.cq[others].ravel(), np.repeat(np.array(LEVELS)[others], REPLICATES)
            seen = np.isfinite(cq)
            curve = fit_standard_curve(cq[seen], copies[seen], weighting="poisson")
            yield level, measured(one.target, level, one.cq[place], curve)


def composed_plates() -> None:
    """Tables of composed pairs."""
    series, refused = usable(vermeulen_series())
    samples = composed(series)
    poor = np.array([fitted(one.cq).r_squared < LEAST_R_SQUARED for one in series])
    good = ~(poor | np.roll(poor, -1))[samples.pair]
    print(
        f"\nVermeulen: {len(series)} targets that play BCR::ABL1, each with the next as control gene at 150,000 copies"
    )
    print(f"not used, no falling standard curve: {', '.join(refused) or 'none'}")
    head = f"{'true ratio':>12}{'copies':>9}{'n':>6}{'undet.':>8}{'held %':>9}{'± SE':>7}"
    print(head + f"{'true < low':>12}{'true > high':>13}{'bias %':>9}{'half ×÷':>10}{'high/low':>10}")
    for level in LEVELS:
        ratio = level / LEVELS[0]
        print(f"{ratio:12g}{level:9,.0f}" + composed_row(samples.rows(samples.truth == ratio)))
    print(f"{'all':>21}" + composed_row(samples))
    print(f"{'R² of both >= 0.95':>21}" + composed_row(samples.rows(good)))
    levels_of_targets(series)
    curves_of_all_wells(series)


def composed_row(some: Composed) -> str:
    """How many of some samples hold the truth, and how far off they are."""
    seen = some.rows(some.detected)
    off = np.log(seen.found / seen.truth)
    return (
        f"{len(some.truth):6}{(~some.detected).sum():8}{100 * some.holds.mean():9.1f}"
        f"{100 * clustered_error(some.holds, some.pair):7.1f}{100 * (some.truth < some.low).mean():12.1f}"
        f"{100 * (some.truth > some.high).mean():13.1f}{100 * (np.exp(np.median(off)) - 1):+9.1f}"
        f"{np.exp(np.median(np.abs(off))):10.2f}{np.median(seen.high / seen.low):10.2f}"
    )


def levels_of_targets(series: Sequence[Series]) -> None:
    """Each level read off the curve of the other four."""
    print("\nVermeulen: a level in triplicate, read off the curve of the other four (highest and lowest: beyond it)")
    print(f"{'copies':>12}{'n':>6}{'held %':>9}{'bias %':>9}{'half ×÷':>10}{'high/low':>10}{'read high %':>13}")
    every = list(level_groups(series))
    for level in LEVELS:
        groups = [group for own, group in every if own == level]
        off = np.log([group.found / group.truth for group in groups])
        held = 100 * np.mean([group.holds for group in groups])
        width = np.median([group.high / group.low for group in groups])
        bias = f"{100 * (np.exp(np.median(off)) - 1):+9.1f}{np.exp(np.median(np.abs(off))):10.2f}"
        print(f"{level:12,.0f}{len(groups):6}{held:9.1f}{bias}{width:10.2f}{100 * np.mean(off > 0):13.0f}")


def curves_of_all_wells(series: Sequence[Series]) -> None:
    """What the standard curves look like that all this stands on."""
    copies, chances, poor = np.repeat(LEVELS, REPLICATES), [], []
    for one in series:
        cq, curve = one.cq.ravel(), fitted(one.cq)
        seen = np.isfinite(cq)
        chances.append(lack_of_fit(curve, cq[seen], copies[seen]).p_value)
        if curve.r_squared < LEAST_R_SQUARED:
            poor.append(f"{one.target} {curve.r_squared:.2f}")
    print(f"curves of all wells: lack of fit at p < 0.05 in {100 * np.mean(np.array(chances) < 0.05):.0f} % of targets")
    print(f"R² below {LEAST_R_SQUARED}, which acceptance would fail: {', '.join(poor) or 'none'}")


if __name__ == "__main__":
    known_amounts()
    composed_plates()
