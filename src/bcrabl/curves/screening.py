"""Which readings of a curve can be judged, and which are jumps, the fall of a hook or the fall before a rise.

A bubble, a lid that opens or a plate that moves throws one or two readings out of line; such a spike must neither make
an amplification nor kill one. Every figure is a curve's own.

Symbols: n curves, m cycles.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bcrabl.curves.sigmoid import SigmoidFit, fit_sigmoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["PackedReadings", "ScreenedReadings", "SpikeLimits", "ceiling", "pack", "refit_judged", "screen_readings"]

_MOST_SPIKES = 6  # more readings out of line are noise, not spikes
_STEEPER_THAN_GROWTH = 3.0  # the last increment of a doubling reaction is twice the one before
_LEAST_READINGS = 10  # that may be left before the top of a hook
_LONGEST_SETTLING = 0.4  # of the readings: of what is left behind it, a parabola explains too much
_LEAST_READINGS_OF_A_CEILING = 3
_LEAST_REBOUND = 0.15  # of the fall before it
_LEAST_BENDS = 10
_SAME_READING = 1e-9  # of the largest reading: what decimal fractions differ by in binary
_FALL_LEFT = 0.1  # of the fall; the rest is over


@dataclass(frozen=True)
class SpikeLimits:
    """Size at which a reading is out of line.

    Parameters
    ----------
    per_noise : in noise SDs.
    share : of the curve's range. A spike exceeds both.
    """

    per_noise: float = 8.0
    share: float = 0.05


class PackedReadings(NamedTuple):
    """The readings of every curve without gaps: (n, m) arrays with NaN after the last, and their number (n,)."""

    cycles: Array
    signal: Array
    order: NDArray[np.intp]
    number: NDArray[np.intp]


class ScreenedReadings(NamedTuple):
    """Which readings are judged, and why not the others.

    judged : (n, m) True for a reading that is present, no spike, not behind the top of a hook and not in a
        fall before the rise.
    spikes : (n,) readings out of line.
    spike_size : (n,) the largest of these jumps in noise SDs; 0 without.
    hook_depth : (n,) fall after the top, as a share of the rise before it; 0 without.
    dip_depth : (n,) fall before the lowest point, as a share of the rise after it; 0 without a rise.
    noise_sd : (n,) SD of the readings from the change of their slope, a.u.; robust against spikes
        and steps, up to twice too large where a long rise bends many readings.
    """

    judged: Mask
    spikes: Array
    spike_size: Array
    hook_depth: Array
    dip_depth: Array
    noise_sd: Array


def refit_judged(cycles: Array, fluorescence: Array, fit: SigmoidFit, judged: NDArray[np.bool_]) -> SigmoidFit:
    """The fits, new where readings were set aside.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    fit : sigmoid fits of the n curves.
    judged : what `judged_readings` gave.
    """
    changed = np.flatnonzero((np.isfinite(fluorescence) & ~judged).any(axis=1))
    if not changed.size:
        return fit
    again = fit_sigmoid(cycles, np.where(judged[changed], fluorescence[changed], np.nan))
    merged: dict[str, Any] = {}
    for field in fields(fit):
        values = getattr(fit, field.name)
        if isinstance(values, np.ndarray):
            values = values.copy()
            values[changed] = getattr(again, field.name)
            merged[field.name] = values
    return replace(fit, **merged)


def pack(cycles: Array, fluorescence: Array) -> PackedReadings:
    """The readings of every curve moved together; see `PackedReadings`."""
    present = np.isfinite(fluorescence)
    order = np.argsort(~present, axis=1, kind="stable")
    signal = np.take_along_axis(np.where(present, fluorescence, np.nan), order, axis=1)
    places = np.where(np.isfinite(signal), cycles[order], np.nan)
    return PackedReadings(places, signal, order, present.sum(axis=1))


def _row_median(values: Array) -> Array:
    """(n,) median of the finite values of every row; NaN where there is none."""
    ordered = np.sort(values, axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    if not ordered.shape[1]:
        return np.full(len(ordered), np.nan)
    row = np.arange(len(ordered))
    middle: Array = (ordered[row, np.maximum(count - 1, 0) // 2] + ordered[row, count // 2]) / 2
    return middle


def screen_readings(cycles: Array, fluorescence: Array, limits: SpikeLimits | None = None) -> ScreenedReadings:
    """Tell readings that can be judged from those that cannot.

    Of a curve that falls before it rises, the readings of the fall are left out; so are those behind the top of a hook.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    limits : what counts as a spike; the defaults without.
    """
    limits = limits or SpikeLimits()
    packed = pack(cycles, fluorescence)
    present = np.isfinite(fluorescence)
    span = _span(fluorescence, present)
    bend = np.abs(np.diff(packed.signal, n=2, axis=1))
    noise = 1.4826 / np.sqrt(6) * _row_median(bend)  # the variance of y0 - 2 y1 + y2 is six times that of one reading
    noise = np.maximum(np.where(np.isfinite(noise), noise, 0.0), np.maximum(1e-9 * span, _rounding_sd(bend, packed)))
    jump = _jumps(packed)
    out_of_line = jump > np.maximum(limits.per_noise * noise, limits.share * span)[:, None]
    out_of_line &= (out_of_line.sum(axis=1) <= _MOST_SPIKES)[:, None]
    spikes = np.zeros(present.shape, dtype=bool)
    np.put_along_axis(spikes, packed.order, out_of_line, axis=1)
    judged = present & ~spikes
    behind, depth, dip = _hook(cycles, np.where(judged, fluorescence, np.nan), noise, limits)
    judged &= ~behind
    judged &= ~_settling(cycles, np.where(judged, fluorescence, np.nan), noise, limits)
    size = np.where(out_of_line, jump, 0.0).max(axis=1, initial=0.0) / np.where(noise > 0, noise, 1.0)
    return ScreenedReadings(judged, spikes.sum(axis=1).astype(np.float64), size, depth, dip, noise)


def _rounding_sd(bend: Array, packed: PackedReadings) -> Array:
    """(n,) SD that rounding alone gives the readings, from the smallest change of slope that is not zero, a.u."""
    size = np.where(np.isfinite(packed.signal), np.abs(packed.signal), 0.0).max(axis=1, initial=0.0)
    bends = bend > _SAME_READING * size[:, None]
    step = np.where(bends, bend, np.inf).min(axis=1, initial=np.inf)
    rounded = np.isfinite(step) & (bends.sum(axis=1) >= _LEAST_BENDS)  # a silent curve with a spike bends there only
    sd: Array = np.where(rounded, step, 0.0) / np.sqrt(12)
    return sd


def _span(fluorescence: Array, present: Mask) -> Array:
    low = np.where(present, fluorescence, np.inf).min(axis=1, initial=np.inf)
    high = np.where(present, fluorescence, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(high > low, high - low, 0.0)


def _jumps(packed: PackedReadings) -> Array:
    """(n, m) height by which a reading, alone or with its neighbour, stands out from the readings on both its sides.

    A monotonous rise, however steep, has none. At the ends, where only one side exists, a jump is what exceeds three
    times the increment before it: growth does not.
    """
    y = packed.signal
    n, m = y.shape
    height = np.zeros((n, m))
    for width in (1, 2):
        if m < width + 2:
            continue
        left, right, own = y[:, : m - width - 1], y[:, width + 1 :], (y[:, 1 : m - width], y[:, width : m - 1])
        above = np.minimum(*own) - np.maximum(left, right)
        below = np.minimum(left, right) - np.maximum(*own)
        out = np.nan_to_num(np.maximum(above, below), nan=0.0)
        for shift in range(width):
            part = height[:, 1 + shift : m - width + shift]
            np.maximum(part, out, out=part)
    row, count = np.arange(n), packed.number
    for outermost, inwards in ((np.zeros_like(count), 1), (count - 1, -1)):
        place = np.clip(outermost[:, None] + inwards * np.arange(4), 0, m - 1)
        outer, inner, before = np.abs(np.diff(y[row[:, None], place], axis=1)).T
        one = outer - _STEEPER_THAN_GROWTH * inner
        two = np.where(outer <= inner / 2, inner - _STEEPER_THAN_GROWTH * before, 0.0)
        for column, out in ((place[:, 0], np.fmax(one, two)), (place[:, 1], two)):
            height[row, column] = np.fmax(height[row, column], np.where(count >= 6, out, 0.0))
    return height


def _hook(cycles: Array, fluorescence: Array, noise: Array, limits: SpikeLimits) -> tuple[Mask, Array, Array]:
    """(n, m) readings behind the top of a curve that rises and falls; (n,) depths of that fall and of one before."""
    packed = pack(cycles, fluorescence)
    smooth = _smooth(packed.signal)
    row = np.arange(len(smooth))
    filled = np.where(np.isfinite(smooth), smooth, -np.inf)
    top = filled.argmax(axis=1)
    height = filled[row, top]
    before = np.where(np.arange(smooth.shape[1]) <= top[:, None], smooth, np.inf)
    trough = np.where(np.isfinite(before), before, np.inf).argmin(axis=1)
    low = smooth[row, trough]
    start = np.where(np.arange(smooth.shape[1]) <= trough[:, None], smooth, -np.inf).max(axis=1)
    with np.errstate(invalid="ignore"):
        rise, fall = height - low, height - smooth[row, np.maximum(packed.number - 3, 0)]
        rises = rise > limits.per_noise * noise
        falls = rises & (fall > np.maximum(limits.per_noise * noise, limits.share * rise))
        depth = np.where(falls, fall / np.where(rises, rise, 1.0), 0.0)
        dip = np.where(rises, (start - low) / np.where(rises, rise, 1.0), 0.0)
    falls &= top + 3 >= _LEAST_READINGS
    end = packed.cycles[row, np.minimum(top + 2, cycles.size - 1)]
    return falls[:, None] & (cycles > end[:, None]), depth, dip


def _settling(cycles: Array, fluorescence: Array, noise: Array, limits: SpikeLimits) -> Mask:
    """(n, m) first readings of a curve that falls (bleaching, warming up) before it rises, until the fall is over."""
    packed = pack(cycles, fluorescence)
    smooth = _smooth(packed.signal)
    row = np.arange(len(smooth))
    trough = np.where(np.isfinite(smooth), smooth, np.inf).argmin(axis=1)
    low, end = smooth[row, trough], smooth[row, np.maximum(packed.number - 3, 0)]
    with np.errstate(invalid="ignore"):
        fall, rise = smooth[:, 0] - low, end - low
        settles = (fall > np.maximum(limits.per_noise * noise, limits.share * rise)) & (rise > limits.per_noise * noise)
        settled = (smooth <= (low + _FALL_LEFT * fall)[:, None]).argmax(axis=1)
    settles &= (rise > _LEAST_REBOUND * fall) & (settled < _LONGEST_SETTLING * packed.number)
    before: Mask = settles[:, None] & (cycles < packed.cycles[row, settled][:, None])
    return before


def _smooth(signal: Array) -> Array:
    """Means of three neighbouring readings."""
    smooth: Array = (signal[:, :-2] + signal[:, 1:-1] + signal[:, 2:]) / 3
    return smooth if smooth.shape[1] else signal[:, :1]


def ceiling(fluorescence: Array) -> tuple[Array, Array]:
    """Whether a curve begins on its flat top, 1 or 0, and the share of the readings on it."""
    present = np.isfinite(fluorescence)
    high = np.where(present, fluorescence, -np.inf).max(axis=1, initial=-np.inf)
    on_top = present & (fluorescence == high[:, None])
    number = on_top.sum(axis=1)
    flat = number >= _LEAST_READINGS_OF_A_CEILING
    begins = flat & on_top[np.arange(len(on_top)), present.argmax(axis=1)]
    return begins.astype(np.float64), np.where(flat, number, 0) / np.maximum(present.sum(axis=1), 1)
