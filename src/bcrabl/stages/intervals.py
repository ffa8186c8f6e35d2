"""Cq of the replicates of all samples of a run → their intervals and class probabilities, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.counting import Interval, line_of, log_factor_sd, sample_intervals
from bcrabl.scale import ScaleLimits
from bcrabl.stages.quantify import no_later_than_one_molecule
from bcrabl.tables import Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.calibration import StandardCurve
    from bcrabl.sheets import ConversionFactorRow
    from bcrabl.stages.calibrate import Calibration
    from bcrabl.standards import AssayProtocol, ResponseRules

    Array = NDArray[np.float64]

__all__ = ["FoundLimits", "Replicates", "limits_of_samples"]

_LEAST_LOD = 3.0  # copies; as few as counting allows


@dataclass(frozen=True)
class Replicates:
    """The reactions of one sample that count, and the conversion factor that holds for it.

    Parameters
    ----------
    fusion, control : rows of the copies table with `bounded`.
    factor : None where there is none, or the transcript is not on the scale.
    """

    fusion: Sequence[Row]
    control: Sequence[Row]
    factor: ConversionFactorRow | None

    @property
    def bounded(self) -> bool:
        """Whether the curves bound the copies of every reaction."""
        return all(row["bounded"] for row in (*self.fusion, *self.control))

    @property
    def measured(self) -> bool:
        """Whether there is a control gene to compare with."""
        return any(row["detected"] for row in self.control)


@dataclass(frozen=True)
class FoundLimits:
    """The limits of one sample, and what was noticed about them.

    Parameters
    ----------
    limits : None without control gene copies.
    notes : flags.
    """

    limits: ScaleLimits | None
    notes: tuple[str, ...] = ()


def limits_of_samples(
    samples: Sequence[Replicates],
    calibrations: Mapping[str, Calibration],
    assay: AssayProtocol,
    rules: ResponseRules,
) -> list[FoundLimits]:
    """The limits of every sample; 0 and infinite where a curve bounds nothing.

    Notes
    -----
    A limit of detection above the three copies that counting allows says that molecules are missed: the bound of an
    undetected sample is then that limit over its control gene copies.
    """
    computed = [place for place, sample in enumerate(samples) if sample.bounded and sample.measured]
    found = [FoundLimits(None) if sample.bounded else _unbounded(sample) for sample in samples]
    curves = [calibrations[target.name].curve for target in assay.targets]
    if not computed or curves[0] is None or curves[1] is None:
        return found
    for place, each in zip(
        computed, _limits([samples[place] for place in computed], (curves[0], curves[1]), assay, rules), strict=True
    ):
        found[place] = each
    return found


def _limits(
    samples: Sequence[Replicates],
    curves: tuple[StandardCurve, StandardCurve],
    assay: AssayProtocol,
    rules: ResponseRules,
) -> list[FoundLimits]:
    factors = [sample.factor for sample in samples]
    intervals = sample_intervals(
        no_later_than_one_molecule(_cycles([sample.fusion for sample in samples]), curves[0]),
        no_later_than_one_molecule(_cycles([sample.control for sample in samples]), curves[1]),
        line_of(curves[0]),
        line_of(curves[1]),
        tested=[len(sample.fusion) for sample in samples],
        control_tested=[len(sample.control) for sample in samples],
        factor=100.0,
        conversion_factor=[np.nan if factor is None else factor.factor for factor in factors],
        conversion_log_sd=[_log_sd(factor) for factor in factors],
        one_stock=assay.one_stock,
        cut_offs=[response.is_percent for response in rules.classes],
        found=min(1.0, -float(np.log(0.05)) / assay.lod_copies) if assay.lod_copies > _LEAST_LOD else 1.0,
    )
    found = []
    for row, at_most in enumerate(intervals.at_most.tolist()):
        limits = ScaleLimits(_pair(intervals.ratio, row), _pair(intervals.on_scale, row), tuple(at_most))
        if intervals.unlikely_dropout[row]:  # the value counts the empty well, an interval without it would not hold it
            limits = ScaleLimits((np.nan, np.nan), (np.nan, np.nan), (np.nan,) * len(at_most))
        notes: list[str] = []
        if np.isnan(limits.ratio).any():  # no number of molecules makes these Cq likely: one replicate few, one many
            notes.append("interval_undetermined")
        found.append(FoundLimits(limits, tuple(notes)))
    return found


def _unbounded(sample: Replicates) -> FoundLimits:
    limits = 0.0, float("inf")
    return FoundLimits(
        ScaleLimits(limits, limits if sample.factor else (float("nan"),) * 2) if sample.measured else None,
        ("interval_unbounded",),
    )


def _cycles(samples: Sequence[Sequence[Row]]) -> Array:
    """(s, k) Cq of the detected reactions, NaN elsewhere."""
    cycles = np.full((len(samples), max(map(len, samples))), np.nan)
    for row, reactions in zip(cycles, samples, strict=True):
        row[: len(reactions)] = [each["cq"] if each["detected"] else np.nan for each in reactions]
    return cycles


def _log_sd(factor: ConversionFactorRow | None) -> float:
    if factor is None or factor.factor_low is None or factor.factor_high is None:
        return 0.0
    return log_factor_sd(factor.factor_low, factor.factor_high)


def _pair(interval: Interval, row: int) -> tuple[float, float]:
    return float(interval.low[row]), float(interval.high[row])
