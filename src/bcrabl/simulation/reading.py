"""From product to numbers: what the camera of the instrument makes of the wells.

Symbols: Rn dye signal per passive reference signal, ΔRn its rise; n reactions, w wells, m cycles. Dye and passive
reference pass the same light path, so that well gain, lamp and bubbles strike both and cancel in Rn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Optics", "mean_one", "read_plate", "round_significant"]

_SIGNIFICANT_DIGITS = 6
_POWERS_OF_TEN = np.array([float(10**power) for power in range(23)])  # exact as doubles, which pow need not be


@dataclass(frozen=True)
class Optics:
    """How the instrument sees a plate; the defaults resemble a QuantStudio export with ROX.

    Parameters
    ----------
    reference_level : a.u., passive reference signal of an average well.
    reference_cv : spread of the passive reference between wells that the dye does not share.
    gain_cv : spread of the light path between wells, shared by dye and reference.
    lamp_cv : common-mode change from cycle to cycle of the whole plate.
    bubble_cv : common-mode change from cycle to cycle of one well.
    background : Rn of the intact probe.
    background_cv : its spread between reactions.
    drift : Rn per cycle, largest linear drift of the background either way.
    read_noise : a.u., SD of what is added to every reading.
    relative_noise : SD of what multiplies every reading.
    plateau_cv : spread of the plateau between reactions.
    passive_reference : whether the plate holds a passive reference at all.
    """

    reference_level: float = 4e5
    reference_cv: float = 0.02
    gain_cv: float = 0.10
    lamp_cv: float = 0.01
    bubble_cv: float = 0.005
    background: float = 0.30
    background_cv: float = 0.08
    drift: float = 0.001
    read_noise: float = 1100.0
    relative_noise: float = 0.002
    plateau_cv: float = 0.05
    passive_reference: bool = True


def mean_one(cv: float, size: int | tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Log-normal factors of mean 1 and coefficient of variation `cv`."""
    variance = np.log1p(cv**2)
    return rng.lognormal(-variance / 2, np.sqrt(variance), size)


def read_plate(
    rise: NDArray[np.float64], well: NDArray[np.int64], optics: Optics, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """The readings of dye and passive reference.

    Parameters
    ----------
    rise : (n, m) array, ΔRn without background and noise.
    well : (n,) array, the well of each reaction as a number from 0 to w - 1; reactions of one well share its light
        path and its passive reference.

    Returns
    -------
    dye : (n, m) array, a.u., rounded to 6 significant digits.
    passive_reference : (n, m) array, a.u., the same for all reactions of a well; None where the plate holds none.
    """
    wells, cycles = int(well.max(initial=-1)) + 1, rise.shape[1]
    path = _light_path(wells, cycles, optics, rng)
    level = mean_one(optics.reference_cv, wells, rng)[:, None]
    reference = _noisy(optics.reference_level * level * path, optics, rng)
    signal = _background(rise.shape, optics, rng) + rise
    dye = _noisy(optics.reference_level * signal * path[well], optics, rng)
    passive = round_significant(reference)[well] if optics.passive_reference else None
    return round_significant(dye), passive


def _light_path(wells: int, cycles: int, optics: Optics, rng: np.random.Generator) -> NDArray[np.float64]:
    gain = mean_one(optics.gain_cv, (wells, 1), rng)
    lamp = mean_one(optics.lamp_cv, (1, cycles), rng)
    bubbles = mean_one(optics.bubble_cv, (wells, cycles), rng)
    return gain * lamp * bubbles


def _background(shape: tuple[int, ...], optics: Optics, rng: np.random.Generator) -> NDArray[np.float64]:
    reactions, cycles = shape
    start = optics.background * mean_one(optics.background_cv, (reactions, 1), rng)
    drift = rng.uniform(-optics.drift, optics.drift, (reactions, 1))
    return start + drift * np.arange(1, cycles + 1)


def _noisy(signal: NDArray[np.float64], optics: Optics, rng: np.random.Generator) -> NDArray[np.float64]:
    relative = 1.0 + optics.relative_noise * rng.standard_normal(signal.shape)
    return signal * relative + optics.read_noise * rng.standard_normal(signal.shape)


def round_significant(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values to 6 significant digits, as the nearest doubles: short in a text file and the same when read back."""
    size = np.floor(np.log10(np.clip(np.abs(values), 1e-12, 1e20))).astype(np.int64)
    decimals = _SIGNIFICANT_DIGITS - 1 - size
    scale = _POWERS_OF_TEN[np.abs(decimals)]
    fine, coarse = np.round(values * scale) / scale, np.round(values / scale) * scale
    rounded: NDArray[np.float64] = np.where(decimals >= 0, fine, coarse)
    return rounded
