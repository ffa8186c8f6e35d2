"""From Cq to intervals that hold: molecules are counted, calibrations and factors uncertain."""

from __future__ import annotations

from bcrabl.counting.intervals import (
    PRIORS,
    Interval,
    class_probabilities,
    copies_interval,
    log_factor_sd,
    ratio_interval,
)
from bcrabl.counting.lines import Line, branching_variance, line_of
from bcrabl.counting.point import mean_copies_read, most_likely_copies
from bcrabl.counting.posterior import Likelihood, copies_likelihood
from bcrabl.counting.ratio import Divisor, divisor
from bcrabl.counting.samples import SampleIntervals, sample_intervals

__all__ = [
    "PRIORS",
    "Divisor",
    "Interval",
    "Likelihood",
    "Line",
    "SampleIntervals",
    "branching_variance",
    "class_probabilities",
    "copies_interval",
    "copies_likelihood",
    "divisor",
    "line_of",
    "log_factor_sd",
    "mean_copies_read",
    "most_likely_copies",
    "ratio_interval",
    "sample_intervals",
]
