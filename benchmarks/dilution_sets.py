"""Dilution and inhibition series, measured: how far replicates scatter, and how far an inhibitor moves the Cq.

    python benchmarks/dilution_sets.py

Needs the real data (BCRABL_TEST_DATA). Per set and estimator: the pooled within-level SD of the calibrated amount in
cycles at doubling; below it the lack of fit (RMS distance of the level means from the calibration line, same unit: an
estimator that compresses late Cq gains SD falsely); and the curves lost (one well of LC480 Nrd1 never rises).
`relative` is the crossing of each curve's own fit with a tenth of its rise. Sets of many targets give the median over
targets. The Poisson distribution of the templates alone makes an SD of 0.2068 in ruijter_94x4.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import csv
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bcrabl.curves import analyse_curves
from bcrabl.curves.joint import RELATIVE_LEVEL, estimate_jointly
from bcrabl.curves.sigmoid import SigmoidFit, fit_sigmoid
from bcrabl.formats import read_run

DATA = Path(os.environ.get("BCRABL_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
VERMEULEN = DATA / "rdml14_untergasser_vermeulen/data_vermeulen_std_150000_15.rdml"
ESTIMATORS = ("joint", "relative", "cy0", "first_derivative", "second_derivative", "threshold")
BITS = np.log2(10)


class Curves(NamedTuple):
    cycles: np.ndarray
    signal: np.ndarray
    amount: np.ndarray
    group: np.ndarray


class Result(NamedTuple):
    cq: dict[str, np.ndarray]
    outlier: np.ndarray
    inhibited: np.ndarray


def tidy(name: str, amount: Callable[[dict], float], group: Callable[[dict], str]) -> Curves:
    """Curves of a tidy file that have an amount."""
    described = {curve["name"]: curve for curve in json.loads((DATA / f"tidy/{name}.json").read_text())["curves"]}
    with (DATA / f"tidy/{name}.csv").open() as stream:
        header, *rows = csv.reader(stream)
    table = np.array([[float(cell) if cell not in ("", "NA", "NaN") else np.nan for cell in row] for row in rows])
    of = {k: described.get(name, {}) for k, name in enumerate(header) if k}
    chosen = [k for k in of if amount(of[k]) > 0]
    amounts, groups = [amount(of[k]) for k in chosen], [str(group(of[k])) for k in chosen]
    return Curves(table[:, 0], table[:, chosen].T.copy(), np.array(amounts), np.array(groups))


def where(**wanted: str) -> Callable[[dict], float]:
    """The amount of a curve that answers the description, else 0."""
    return lambda curve: (curve.get("quantity") or 0) if all(curve.get(k) == v for k, v in wanted.items()) else 0


def one_group(_: dict) -> str:
    return ""


def rnase_p_amount(curve: dict) -> float:
    return curve.get("quantity") or {"Unk_5K": 5000, "Unk_10K": 10000}.get(curve.get("sample", ""), 0)


def vermeulen() -> Curves:
    run = read_run(VERMEULEN)
    amount, target = (np.array(run.reactions[name].to_pylist()) for name in ("known_copies", "target"))
    return Curves(run.cycles, run.fluorescence, amount.astype(float), target)


def sets() -> dict[str, Curves]:
    def mix(number: str) -> Curves:
        return tidy("ramiromagno__guescini_ampmix", where(series=f"mix {number}"), one_group)

    def rutledge(target: str) -> Curves:
        return tidy("ramiromagno__rutledge", where(target=target), lambda curve: curve["plate"])

    return {
        "ruijter_94x4": tidy("ramiromagno__ruijter_94x4", where(), one_group),
        "rutledge K1/K2": rutledge("K1/K2"),
        "boggy_s1": tidy("ramiromagno__boggy_s1", where(), one_group),
        "lievens soy": tidy("ramiromagno__lievens", where(series="soy"), one_group),
        "guescini mix 1.0": mix("1.0"),
        "vermeulen": vermeulen(),
        "rutledge K3/K2": rutledge("K3/K2"),
        "batsch GAPDHh": tidy("ramiromagno__batsch_GAPDHh", where(), one_group),
        "batsch SLC6A14r": tidy("ramiromagno__batsch_SLC6A14r", where(), one_group),
        "stepone": tidy("RDML__stepone_std", where(), one_group),
        "7500 RNase P": tidy("vendor__EDS_7500_RNaseP", where(), one_group),
        "QS1 RNase P": tidy("vendor__QS1_RNaseP", rnase_p_amount, one_group),
        "LC480 Nrd1": tidy("vendor__LC480_Nrd1_calibration", where(), lambda curve: curve["target"]),
        **{f"guescini mix {number}": mix(number) for number in ("0.9", "0.8", "0.7", "0.6")},
    }


def rows_of(fit: SigmoidFit, index: np.ndarray) -> SigmoidFit:
    """The fits of some curves."""
    parts = {name: value[index] if isinstance(value, np.ndarray) else value for name, value in vars(fit).items()}
    return SigmoidFit(**parts)


def estimate(curves: Curves, reference: np.ndarray | None = None) -> Result:
    """Every estimator, group by group; `reference`, curves the others are held against for inhibition."""
    n = len(curves.amount)
    cq = {name: np.full(n, np.nan) for name in ESTIMATORS}
    outlier, inhibited = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for name in np.unique(curves.group):
        index = np.flatnonzero(curves.group == name)
        signal = curves.signal[index]
        analysis, fit = analyse_curves(curves.cycles, signal), fit_sigmoid(curves.cycles, signal)
        amplified = analysis.call != "not_amplified"
        known = None if reference is None else reference[index]
        joint = estimate_jointly(curves.cycles, signal, fit, amplified, reference=known)
        cq["joint"][index], outlier[index] = joint.cq, joint.shape_outlier
        inhibited[index] = joint.inhibition_suspected
        q = 1 / fit.asymmetry
        relative = fit.steepest - np.log((RELATIVE_LEVEL**-q - 1) / q) / fit.slope
        cq["relative"][index] = np.where(amplified, relative, np.nan)
        for other in ESTIMATORS[2:]:
            cq[other][index] = getattr(analysis, f"cq_{other}")
    return Result(cq, outlier, inhibited)


def scatter(cq: np.ndarray, curves: Curves) -> tuple[float, float]:
    """SD of the calibrated amount and lack of fit, cycles at doubling: pooled, or the median of over ten targets."""
    squares, misfits = [], []
    for name in np.unique(curves.group):
        index = (curves.group == name) & np.isfinite(cq)
        amount, found = np.log10(curves.amount[index]), cq[index]
        if len(np.unique(amount)) < 2:
            continue
        slope, offset = np.polyfit(amount, found, 1)
        calibrated = (found - offset) / slope * BITS
        levels = [calibrated[amount == level] for level in np.unique(amount)]
        squares.append(
            (sum(((part - part.mean()) ** 2).sum() for part in levels), sum(len(part) - 1 for part in levels))
        )
        if len(levels) > 2:
            x, means = np.unique(amount), np.array([part.mean() for part in levels])
            b, a = np.polyfit(x, means, 1)
            misfits.append((((means - a - b * x) / b) ** 2).sum() / (len(x) - 2))
    each = np.array([(total, count) for total, count in squares if count])
    middle = len(each) > 10
    sd = np.median(np.sqrt(each[:, 0] / each[:, 1])) if middle else np.sqrt(each[:, 0].sum() / each[:, 1].sum())
    misfit = np.nan if not misfits else np.sqrt(np.median(misfits) if middle else np.mean(misfits))
    return float(sd), float(misfit)


def dilutions() -> None:
    print(f"{'SD of the calibrated amount, cycles':36}{'curves':>8}" + "".join(f"{name:>19}" for name in ESTIMATORS))
    for name, curves in sets().items():
        result = estimate(curves)
        figures = {estimator: scatter(cq, curves) for estimator, cq in result.cq.items()}
        print(f"{name:36}{len(curves.amount):8}" + "".join(f"{figures[e][0]:19.4f}" for e in ESTIMATORS))
        print(f"{'    lack of fit':44}" + "".join(f"{figures[e][1]:19.4f}" for e in ESTIMATORS))
        lost = {e: int(np.isnan(cq).sum()) for e, cq in result.cq.items()}
        print(f"{'    curves lost':44}" + "".join(f"{lost[e]:19}" for e in ESTIMATORS))
        print(f"{'    shape outliers (d² > 13.8)':44}{result.outlier.sum():19}")
        print(f"{'    inhibition suspected, no reference':44}{result.inhibited.sum():19}", flush=True)


def inhibition() -> None:
    """Shift against the uninhibited curves of the same amount: a mix, or a series of inhibitor, is one group.

    The file of guescini names no plates; rises go together in runs 1-3, 4-6, 7-9 and 10-12, so that these are tried as
    groups, too. The three series of lievens were run on three plates: a difference of the rise is the plate's as well.
    """
    mixes = ("mix 0.9", "mix 0.8", "mix 0.7", "mix 0.6")
    curves = tidy("ramiromagno__guescini_ampmix", where(), one_group)
    series = tidy("ramiromagno__guescini_ampmix", where(), lambda curve: curve["series"]).group
    print("\nguescini: median Cq less that of mix 1.0; mean over amounts (largest). All mixes: one group")
    shifts(curves, curves, series, "mix 1.0", mixes)
    runs = tidy(
        "ramiromagno__guescini_ampmix", where(), lambda curve: (int(curve["name"].split("run")[1][:-3]) - 1) // 3
    )
    print("\nguescini: the same, three runs to a group")
    shifts(runs, runs, series, "mix 1.0", mixes)
    for inhibitor in ("soy+isopropanol", "soy+tannic acid"):
        print(
            f"\nlievens {inhibitor}, %: median Cq less that of soy DNA alone at the same amount. One series: one group"
        )
        # the extract was diluted with its inhibitor: each concentration has an amount of its own
        both = [tidy("ramiromagno__lievens", where(series=name), lambda c: c["series"]) for name in ("soy", inhibitor)]
        curves = Curves(both[0].cycles, *(np.concatenate(parts) for parts in list(zip(*both, strict=True))[1:]))
        added = tidy("ramiromagno__lievens", where(series=inhibitor), lambda curve: curve["inhibitor_conc"]).group
        pooled = curves._replace(group=np.full(len(curves.group), ""))
        names = np.concatenate([np.full(len(both[0].amount), "none"), added])
        shifts(curves, pooled, names, "none", sorted(set(added), key=float))


def shifts(curves: Curves, pooled: Curves, series: np.ndarray, clean: str, others: Iterable[str]) -> None:
    """Shift of every estimator, flagged wells without and with the clean series as reference, and false alarms.

    The joint estimate is made in the groups of `pooled`, which the reference belongs to, the others in those of
    `curves`.

    Every second clean well is left out of the reference in turn: how many of those left out are suspected?
    """
    reference = series == clean
    alone, result = estimate(curves), estimate(pooled, reference)
    second = np.cumsum(reference) % 2 == 0
    alarms = sum(estimate(pooled, reference & half).inhibited[reference & ~half].sum() for half in (second, ~second))
    print(f"clean wells suspected when left out of the reference: {alarms} of {reference.sum()}")
    print(f"{'':26}{'no reference':>22}{'clean as reference':>22}")
    head = f"{'series':20}{'wells':>6}" + f"{'outlier':>11}{'suspected':>11}" * 2
    print(head + "".join(f"{name:>19}" for name in ESTIMATORS))
    for name in (clean, *others):
        chosen = series == name
        line = f"{name:20}{chosen.sum():6}"
        line += "".join(f"{one.outlier[chosen].sum():11}{one.inhibited[chosen].sum():11}" for one in (alone, result))
        for estimator in ESTIMATORS if name != clean else ():
            cq, moved = (result if estimator == "joint" else alone).cq[estimator], []
            for level in np.unique(curves.amount[chosen]):
                here = curves.amount == level
                moved.append(middle(cq[chosen & here]) - middle(cq[reference & here]))
            largest = max(moved, key=abs) if np.isfinite(moved).all() else np.nan
            line += f"{f'{np.mean(moved):+.2f} ({largest:+.2f})':>19}"
        print(line)


def middle(cq: np.ndarray) -> float:
    found = cq[np.isfinite(cq)]
    return float(np.median(found)) if found.size else np.nan


def speed() -> None:
    """estimate_jointly on 384 curves of 45 cycles (simulated) and on the largest real group; the fit not counted."""
    random, n, cycles = np.random.default_rng(20261121), 384, np.arange(1.0, 46.0)
    s, q, steepest = 0.55 * np.exp(random.normal(0, 0.02, n)), random.normal(0.6, 0.05, n), random.uniform(20, 33, n)
    rise = np.exp(random.normal(0, 0.1, n))
    sigmoid = (1 + q[:, None] * np.exp(-s[:, None] * (cycles - steepest[:, None]))) ** (-1 / q[:, None])
    simulated = 1 + rise[:, None] * sigmoid + random.normal(0, 0.005, (n, 45))
    real = sets()["ruijter_94x4"]
    print()
    for name, x, signal in (("384 simulated", cycles, simulated), ("ruijter_94x4", real.cycles, real.signal)):
        fit, amplified, taken = fit_sigmoid(x, signal), np.ones(len(signal), dtype=bool), []
        for _ in range(20):
            begin = time.process_time()
            estimate_jointly(x, signal, fit, amplified)
            taken.append(time.process_time() - begin)
        middle_rate, best = len(signal) / np.median(taken), len(signal) / min(taken)
        print(f"{'joint estimates per CPU second, ' + name:52}{middle_rate:12,.0f}   (best of 20: {best:,.0f})")


if __name__ == "__main__":
    dilutions()
    inhibition()
    speed()
