"""What the residuals of the curves of one target on one plate have in common, and so is no noise.

Real curves leave the sigmoid, all of a target in the same way (the reaction has its own shape, the plateau its slope),
and all of a plate by cycle (optics that settle). That moves the Cq of all wells alike, and calibration takes it out;
counted as noise, it makes standard errors two to five times the scatter of replicates. Symbols: n curves, m cycles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.curves.sigmoid_shape import unit_sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.curves.blocks import JudgedReadings
    from bcrabl.curves.sigmoid import SigmoidFit

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["CommonMisfit", "common_misfit"]

_LEAST_CURVES = 8  # fewer do not tell what they have in common from noise
_MOST_CURVES = 1536  # so many, evenly spaced in rising order, stand for all
_NO_MISFIT_CURVES = 3.0  # curves without misfit that are counted in: a pattern of few readings is drawn to zero
_CLIP = 3.0  # residual SDs of the curve


class _Pattern(NamedTuple):
    """Mean of residuals at `start`, `start` + 1, …, and the share of its SD that noise keeps without the mean."""

    start: float
    mean: Array
    kept: Array

    def taken_off(self, place: Array, values: Array) -> Array:
        """(n, m) values at these places less the pattern, scaled so that noise keeps its variance."""
        offset = np.clip(np.nan_to_num(place - self.start), 0.0, len(self.mean) - 1.0)  # no fit, no place
        lower = np.minimum(offset.astype(np.intp), len(self.mean) - 2)
        part = offset - lower
        mean, kept = ((1 - part) * each[lower] + part * each[lower + 1] for each in (self.mean, self.kept))
        left: Array = (values - mean) / kept
        return left


class CommonMisfit(NamedTuple):
    """Pattern by distance from the steepest rise, and what is then left by cycle, in shares of the rise."""

    by_distance: _Pattern
    by_cycle: _Pattern

    def taken_off(self, cycles: Array, residuals: Array, steepest: Array) -> Array:
        """(n, m) residuals, in shares of the rise, less what is common.

        Parameters
        ----------
        cycles : (m,) cycle numbers.
        residuals : (n, m) of sigmoid fits, in shares of each curve's rise.
        steepest : (n,) cycle of the steepest rise.
        """
        left = self.by_distance.taken_off(cycles - steepest[:, None], residuals)
        return self.by_cycle.taken_off(np.broadcast_to(cycles, residuals.shape), left)


def common_misfit(
    cycles: Array, fluorescence: Array | JudgedReadings, fit: SigmoidFit, amplified: Mask
) -> CommonMisfit | None:
    """Find what the residuals of a group have in common; None for fewer than eight curves.

    Parameters
    ----------
    cycles : (m,) rising cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a reading was not fitted.
    fit : sigmoid fits of these readings against the cycle.
    amplified : (n,) the curves that make up the group. They are sorted first: their order does not change a bit.
    """
    rows = np.flatnonzero(amplified & (fit.rise > 0) & (fit.rss > 0))
    if len(rows) < _LEAST_CURVES:
        return None
    rows = rows[np.lexsort((fit.rss[rows], fit.rise[rows], fit.steepest[rows]))]
    if len(rows) > _MOST_CURVES:
        rows = rows[np.linspace(0, len(rows) - 1, _MOST_CURVES).round().astype(np.intp)]
    shape = unit_sigmoid(cycles, np.column_stack([part[rows] for part in fit.shape[:3]]))[0]
    residuals = (fluorescence[rows] - fit.baseline[rows, None]) / fit.rise[rows, None] - shape
    present = np.isfinite(residuals)
    most = _CLIP * np.sqrt(fit.rss[rows] / present.sum(axis=1)) / fit.rise[rows]
    residuals = np.where(present, np.clip(residuals, -most[:, None], most[:, None]), 0.0)
    distance = cycles - fit.steepest[rows, None]
    by_distance = _pattern(distance, residuals, present)
    left = by_distance.taken_off(distance, residuals)
    return CommonMisfit(by_distance, _pattern(np.broadcast_to(cycles, left.shape), left, present))


def _pattern(place: Array, values: Array, present: Mask) -> _Pattern:
    """Mean of the values around each whole place, each value shared out between the places on both sides of it."""
    start = float(np.floor(place.min()))
    column = np.floor(place - start).astype(np.intp)
    part = place - start - column
    length = int(column.max()) + 2
    total, weight = np.zeros((2, length))
    for at, share in ((column, (1 - part) * present), (column + 1, part * present)):
        total += np.bincount(at.ravel(), (share * values).ravel(), length)
        weight += np.bincount(at.ravel(), share.ravel(), length)
    own = 1 / (weight + _NO_MISFIT_CURVES)
    return _Pattern(start, total * own, np.sqrt(1 - 2 * own + weight * own**2))
