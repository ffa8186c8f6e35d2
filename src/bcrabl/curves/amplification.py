"""Is this an amplification at all? One call and one reason per curve.

A curve that drifts, creeps or steps across a threshold is no amplification: without an exponential phase there is no
Cq (Branford & Hughes 2006, Methods Mol Med 125:69: background that drifts over the threshold reads as a high quantity).

Symbols: n curves, m cycles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.curves.sigmoid import SigmoidFit

    Array = NDArray[np.float64]

__all__ = ["CALLS", "AmplificationScores", "call_amplification", "score_amplification"]

CALLS = ("not_amplified", "ambiguous", "amplified")

_LEAST_CYCLES = 10
_RISE_PER_NOISE = (6.0, 10.0)  # below the first: no rise; between: ambiguous
_F_RATIO = (12.0, 25.0)  # sigmoid against the best parabola, which follows any drift or creep
_FOLD = (1.12, 1.2)  # growth per cycle at the second derivative maximum
_LARGEST_FOLD = 6.0  # a doubling reaction cannot; an air bubble or a moved plate can


@dataclass(frozen=True)
class AmplificationScores:
    """The figures a call rests on, each of shape (n,).

    Parameters
    ----------
    rise : fitted rise over the observed cycles, a.u.
    rise_per_noise : rise in noise SDs.
    f_ratio : how much better the sigmoid explains the curve than a parabola does, per parameter and noise variance.
    fold : growth of the fitted signal in the cycle before its second derivative maximum.
    cycles : readings present.
    """

    rise: Array
    rise_per_noise: Array
    f_ratio: Array
    fold: Array
    cycles: Array


def score_amplification(cycles: Array, fluorescence: Array, fit: SigmoidFit) -> AmplificationScores:
    """Compute the figures that tell an amplification from drift, creep, step and noise.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    fit : sigmoid fits of the n curves.
    """
    present = np.isfinite(fluorescence)
    count = present.sum(axis=1)
    freedom = np.maximum(count - 5, 1)
    ends = fit.above_baseline(cycles[[0, -1]])
    rise = ends[:, 1] - ends[:, 0]
    parabola = _parabola_rss(cycles, fluorescence, present)
    peak = fit.second_derivative_maximum()
    around = fit.above_baseline(np.column_stack([peak - 1, peak]))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(fit.rss / freedom, (1e-9 * rise) ** 2)  # noise-free curves have a variance of zero
        return AmplificationScores(
            rise=rise,
            rise_per_noise=rise / np.sqrt(variance),
            f_ratio=(parabola - fit.rss) / 2 / variance,
            fold=around[:, 1] / around[:, 0],
            cycles=count.astype(np.float64),
        )


def call_amplification(scores: AmplificationScores, fit: SigmoidFit) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Call every curve, with the reason.

    Parameters
    ----------
    scores : what `score_amplification` gave.
    fit : the sigmoid fits of the same curves.

    Returns
    -------
    call : (n,) one of `CALLS`.
    why : (n,) the rule that decided, in words.
    """
    with np.errstate(invalid="ignore"):
        rules = (
            (scores.cycles < _LEAST_CYCLES, "not_amplified", "too few cycles"),
            (~np.isfinite(scores.rise), "not_amplified", "flat"),
            (fit.rise <= 0, "not_amplified", "signal falls"),
            (~(scores.rise_per_noise >= _RISE_PER_NOISE[0]), "not_amplified", "no rise above noise"),
            (~(scores.f_ratio >= _F_RATIO[0]), "not_amplified", "drift: a parabola explains the rise"),
            (~(scores.fold >= _FOLD[0]), "not_amplified", "creep: no exponential phase"),
            (scores.fold > _LARGEST_FOLD, "not_amplified", "step: rises faster than any reaction doubles"),
            (scores.rise_per_noise < _RISE_PER_NOISE[1], "ambiguous", "weak rise above noise"),
            (scores.f_ratio < _F_RATIO[1], "ambiguous", "hardly better than drift"),
            (scores.fold < _FOLD[1], "ambiguous", "slow exponential phase"),
        )
        conditions = [condition for condition, _, _ in rules]
    call = np.select(conditions, [verdict for _, verdict, _ in rules], default="amplified")
    why = np.select(conditions, [reason for _, _, reason in rules], default="exponential phase above noise")
    return call, why


def _parabola_rss(cycles: Array, fluorescence: Array, present: NDArray[np.bool_]) -> Array:
    """(n,) residual sum of squares of the best parabola, by Gram–Schmidt on the cycles each curve has."""
    weights = present.astype(np.float64)
    count = np.maximum(weights.sum(axis=1), 1)
    low = np.where(present, fluorescence, np.inf).min(axis=1, initial=np.inf)
    residual = np.where(present, fluorescence - np.where(np.isfinite(low), low, 0.0)[:, None], 0.0)
    middle = (cycles - cycles.mean()) / max(float(np.ptp(cycles)), 1.0)
    basis: list[Array] = []
    for power in range(3):
        column = weights * middle**power
        for earlier in basis:
            column = column - (column * earlier).sum(axis=1, keepdims=True) * earlier
        norm = np.sqrt((column**2).sum(axis=1, keepdims=True))
        column = np.where(norm > 0, column / np.where(norm > 0, norm, 1.0), 0.0)
        residual = residual - (residual * column).sum(axis=1, keepdims=True) * column
        basis.append(column)
    return np.where(count > 0, (residual**2).sum(axis=1), np.nan)
