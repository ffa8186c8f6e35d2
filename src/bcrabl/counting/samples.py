"""From the Cq of samples to all their intervals, a few hundred samples at a time.

Symbols: s samples, k reactions of BCR::ABL1, j of the control gene, c cut-offs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.counting.intervals import PRIORS, Interval, class_probabilities, copies_interval, ratio_interval
from bcrabl.counting.lines import Line
from bcrabl.counting.posterior import Likelihood, copies_likelihood
from bcrabl.counting.ratio import divisor
from bcrabl.counting.two_scales import log_variance, narrowing
from bcrabl.errors import Problem, RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["SampleIntervals", "sample_intervals"]

_SAMPLES_AT_A_TIME = 256


class SampleIntervals(NamedTuple):
    """What s samples hold.

    Parameters
    ----------
    copies, control : expected copies per reaction.
    ratio : copies / control · factor.
    on_scale : ratio · conversion factor, with its uncertainty; NaN without one.
    at_most : (s, c) probability that the value on the scale is at most each cut-off; NaN without conversion factor.
    unlikely_dropout : (s,) an undetected reaction beside many copies: not explained by counting, so it was left out of
        the copies.
    """

    copies: Interval
    control: Interval
    ratio: Interval
    on_scale: Interval
    at_most: Array
    unlikely_dropout: NDArray[np.bool_]


def sample_intervals(
    cq: ArrayLike,
    control_cq: ArrayLike,
    line: Line,
    control_line: Line,
    *,
    tested: ArrayLike | None = None,
    control_tested: ArrayLike | None = None,
    factor: ArrayLike = 1.0,
    conversion_factor: ArrayLike = np.nan,
    conversion_log_sd: ArrayLike = 0.0,
    correlation: ArrayLike = 0.0,
    one_stock: bool = False,
    cut_offs: Sequence[float] = (),
    prior: str = "jeffreys",
    found: float = 1.0,
) -> SampleIntervals:
    """Intervals of copies, control copies and ratio of every sample.

    Parameters
    ----------
    cq, control_cq : (s, k) and (s, j) cycles, NaN where undetected, or where a sample has fewer reactions.
    line, control_line : calibrations, one for all samples or one for each.
    tested, control_tested : (s,) reactions tested; k and j where None.
    factor : scalar or (s,), on the ratio of copies per reaction: volumes, 100 for %.
    conversion_factor : scalar or (s,), local scale to International Scale; NaN where there is none.
    conversion_log_sd : scalar or (s,) SD of its logarithm, `log_factor_sd` of its 95 % interval.
    correlation : scalar or (s,) of the errors of the two lines, from standards they share.
    one_stock : the standards of both targets are one plasmid, whose certified copies cancel in the ratio.
    cut_offs : values on the scale whose probability of not being exceeded is wanted.
    prior : one of PRIORS.
    found : probability that a molecule of BCR::ABL1 is found.

    Raises
    ------
    RunError : a factor that is not positive, a negative SD, a correlation beyond 1, an unknown prior.

    Notes
    -----
    A sample without a reaction of a target has NaN for it and for the ratio. Ratio limits are equal-tailed 95 % of the
    posterior, drawn towards the median by `bcrabl.counting.two_scales`; `at_most` see
    `bcrabl.counting.intervals`.
    """
    fusion, control = (np.atleast_2d(np.asarray(each, dtype=np.float64)) for each in (cq, control_cq))
    number = len(fusion)
    tests = fusion.shape[1] if tested is None else tested
    control_tests = control.shape[1] if control_tested is None else control_tested
    each_sample = (tests, control_tests, factor, conversion_factor, conversion_log_sd, correlation)
    every = _Samples(
        fusion,
        control,
        line.of(number),
        control_line.of(number),
        *(np.broadcast_to(np.asarray(each, dtype=np.float64), (number,)) for each in each_sample),
    )
    _check(every.factor, every.conversion, every.conversion_log_sd, every.correlation, prior)
    starts = range(0, max(number, 1), _SAMPLES_AT_A_TIME)
    parts = [
        _some(every.rows(slice(start, start + _SAMPLES_AT_A_TIME)), found, prior, cut_offs, one_stock=one_stock)
        for start in starts
    ]
    columns = list(zip(*parts, strict=True))
    intervals = [Interval(*(np.concatenate(each) for each in zip(*column, strict=True))) for column in columns[:4]]
    return SampleIntervals(
        intervals[0], intervals[1], intervals[2], intervals[3], np.concatenate(columns[4]), np.concatenate(columns[5])
    )


class _Samples(NamedTuple):
    """All that is given about samples; every entry has a row for each."""

    cq: Array
    control_cq: Array
    line: Line
    control_line: Line
    tested: Array
    control_tested: Array
    factor: Array
    conversion: Array
    conversion_log_sd: Array
    correlation: Array

    def rows(self, which: slice) -> _Samples:
        lines = self.line.rows(which), self.control_line.rows(which)
        return _Samples(self.cq[which], self.control_cq[which], *lines, *(each[which] for each in self[4:]))

    def likelihoods(self, found: float) -> tuple[Likelihood, Likelihood]:
        """Of BCR::ABL1 and of the control gene."""
        return (
            copies_likelihood(self.cq, self.line, tested=self.tested, found=found),
            copies_likelihood(self.control_cq, self.control_line, tested=self.control_tested),
        )

    def without_stock(self) -> _Samples:
        none = np.zeros(len(self.cq))
        return self._replace(
            line=self.line._replace(stock_log_sd=none), control_line=self.control_line._replace(stock_log_sd=none)
        )


def _some(
    samples: _Samples, found: float, prior: str, cut_offs: Sequence[float], *, one_stock: bool
) -> SampleIntervals:
    copies, genes = samples.likelihoods(found)
    copies_found, genes_found = copies_interval(copies, prior), copies_interval(genes, prior)
    dropout = copies.unlikely_dropout | genes.unlikely_dropout
    if one_stock and np.any(np.asarray(samples.line.stock_log_sd) > 0):
        samples = samples.without_stock()
        copies, genes = samples.likelihoods(found)
    variances = (
        log_variance(samples.line, copies_found.median, copies.detected),
        log_variance(samples.control_line, genes_found.median, genes.detected),
    )
    shared = samples.correlation * np.sqrt(variances[0].line * variances[1].line)
    known = variances[0].known + variances[1].known - 2 * shared
    posterior = genes.cumulative()
    local = divisor(posterior, samples.factor, 0.0, shared)
    scaled = divisor(posterior, samples.factor * samples.conversion, samples.conversion_log_sd, shared)
    converted = known + samples.conversion_log_sd**2
    return SampleIntervals(
        copies_found,
        genes_found,
        ratio_interval(copies, local, prior, narrowing(np.maximum(known, 0.0), variances)),
        ratio_interval(copies, scaled, prior, narrowing(np.maximum(converted, 0.0), variances)),
        class_probabilities(copies, scaled, cut_offs),
        dropout,
    )


def _check(factor: Array, conversion: Array, log_sd: Array, correlation: Array, prior: str) -> None:
    problems = [
        Problem(name, f"{values[wrong][0]:g}", expected)
        for name, values, wrong, expected in (
            ("factor", factor, ~((factor > 0) & np.isfinite(factor)), "positive numbers"),
            (
                "conversion_factor",
                conversion,
                ~np.isnan(conversion) & ~((conversion > 0) & np.isfinite(conversion)),
                "positive numbers",
            ),
            ("conversion_log_sd", log_sd, ~((log_sd >= 0) & np.isfinite(log_sd)), "numbers that are not negative"),
            ("correlation", correlation, ~(np.abs(correlation) <= 1), "numbers from -1 to 1"),
        )
        if wrong.any()
    ]
    if prior not in PRIORS:
        problems.append(Problem("prior", repr(prior), f"one of {', '.join(PRIORS)}"))
    if problems:
        raise RunError(problems)
