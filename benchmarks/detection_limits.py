"""Do intervals of limits hold? Studies drawn from a known truth, and how often the interval covers it.

    python benchmarks/detection_limits.py [studies of each row, 2000 without]

Limits of detection: every link under its own truth, and the others where every molecule counts by itself (one-hit),
for which they are the wrong model. A study whose levels show no transition is refused, and counted apart. Limits of
quantification: Poisson counts times a log-normal error. A coverage has a standard error of 0.5 points.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bcrabl.detection import limit_of_detection, limit_of_quantification
from bcrabl.detection.links import link_named
from bcrabl.errors import CalibrationError

TWO_FOLD_7 = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
NARROW_6 = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
WIDE_8 = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 100.0)
DESIGNS = {"7 x 20": (TWO_FOLD_7, 20), "6 x 20": (NARROW_6, 20), "8 x 24": (WIDE_8, 24)}

# (intercept, slope per decade): half detected near 1.4 copies, the slopes of the fits to domain.md TV-L1.
TRUTHS = {
    "probit": (-0.30, 2.14),
    "logit": (-0.50, 3.54),
    "cloglog": (-0.70, 2.00),
    "one_hit": (-0.70, float(np.log(10))),
}
QUANTIFICATION_LEVELS = (3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1e3, 1e5)


@dataclass
class Tally:
    """What the intervals of one row of the table did."""

    truth: float
    above: int = 0  # the truth lies above the interval
    below: int = 0
    unbounded: int = 0
    refused: int = 0
    estimates: list[float] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)

    def add(self, study: Callable[[], tuple[float, float, float]]) -> None:
        try:
            copies, low, high = study()
        except CalibrationError:
            self.refused += 1
            return
        self.estimates.append(copies)
        self.above += bool(self.truth > high)
        self.below += bool(self.truth < low)
        if low > 0 and np.isfinite(high):
            self.widths.append(high / low)
        else:
            self.unbounded += 1

    @property
    def coverage(self) -> float:
        return 1 - (self.above + self.below) / len(self.estimates)

    def __str__(self) -> str:
        n = len(self.estimates)
        typical, width = float(np.median(self.estimates)), float(np.median(self.widths))
        shares = (100 * part / n for part in (self.above, self.below, self.unbounded))
        return (
            f"{self.truth:8.2f} {typical:8.2f} {width:7.2f} {100 * self.coverage:9.1f} "
            + " ".join(f"{share:9.1f}" for share in shares)
            + f" {100 * self.refused / (n + self.refused):8.1f}"
        )


def detection_coverage(
    design: str,
    truth: str,
    link: str,
    studies: int,
    seed: int,
    *,
    probability: float = 0.95,
    replicates: int = 1,
    false_positives: float = 0.0,
) -> Tally:
    """Coverage of the limit of detection in one design, of one truth, fitted with one link."""
    random = np.random.default_rng(seed)
    levels, n = DESIGNS[design]
    intercept, slope = TRUTHS[truth]
    form = link_named(truth)
    copies = np.array((0.0, *levels)) if false_positives else np.array(levels)
    with np.errstate(divide="ignore"):
        found = form.probability(np.maximum(intercept + slope * np.log10(copies), -500))
    chance = false_positives + (1 - false_positives) * found
    needed = -np.expm1(np.log1p(-probability) / replicates)
    tally = Tally(float(10 ** ((form.quantile(needed) - intercept) / slope)))
    total = np.full(len(copies), n)
    total[copies == 0] = 60

    def study() -> tuple[float, float, float]:
        limit = limit_of_detection(
            copies,
            random.binomial(total, chance),
            total=total,
            link=link,
            probability=probability,
            replicates=replicates,
            background=false_positives > 0,
        )
        return limit.copies, limit.low, limit.high

    for _ in range(studies):
        tally.add(study)
    return tally


def quantification_coverage(error: float, n: int, studies: int, seed: int, *, cv: float = 0.35) -> Tally:
    """Coverage of the limit of quantification for n reactions a level with a relative error of `error`."""
    random = np.random.default_rng(seed)
    nominal = np.repeat(QUANTIFICATION_LEVELS, n)
    sigma = np.sqrt(np.log1p(error**2))
    tally = Tally((1 + error**2) / (cv**2 - error**2))

    def study() -> tuple[float, float, float]:
        measured = random.poisson(nominal) * np.exp(random.normal(-(sigma**2) / 2, sigma, len(nominal)))
        limit = limit_of_quantification(nominal, measured, cv=cv)
        return limit.copies, limit.low, limit.high

    for _ in range(studies):
        tally.add(study)
    return tally


def main() -> None:
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    columns = "   truth   median   width  coverage   too low  too high unbounded  refused"
    print(f"{studies} studies a row; width = high/low; shares in %; too low = the limit is said lower than it is\n")
    print(f"limit of detection, levels x reactions\n{'design':8}{'truth':9}{'fitted':9}{columns}")
    for design in DESIGNS:
        for seed, (truth, link) in enumerate(
            [*zip(TRUTHS, TRUTHS, strict=True), *(("one_hit", link) for link in TRUTHS)]
        ):
            if seed == len(TRUTHS) * 2 - 1:
                continue  # one-hit under one-hit stands above
            print(f"{design:8}{truth:9}{link:9}{detection_coverage(design, truth, link, studies, seed)}", flush=True)
    print("\none positive of three replicates")
    for seed, link in enumerate(TRUTHS):
        row = detection_coverage("7 x 20", link, link, studies, 20 + seed, replicates=3)
        print(f"{'7 x 20':8}{link:9}{link:9}{row}", flush=True)
    print("\n5 % false positives, estimated from 60 blanks")
    for seed, link in enumerate(TRUTHS):
        row = detection_coverage("7 x 20", link, link, studies, 30 + seed, false_positives=0.05)
        print(f"{'7 x 20':8}{link:9}{link:9}{row}", flush=True)
    print(f"\nlimit of quantification, CV 35 %, levels {QUANTIFICATION_LEVELS}\n{'reactions':13}{'error':13}{columns}")
    for seed, (error, n) in enumerate([(0.1, 20), (0.15, 20), (0.2, 20), (0.2, 10), (0.25, 20)]):
        print(f"{n:<13}{error:<13}{quantification_coverage(error, n, studies, 40 + seed)}", flush=True)


if __name__ == "__main__":
    main()
