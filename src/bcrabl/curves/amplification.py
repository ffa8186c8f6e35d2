"""Is this an amplification at all? One call and one reason per curve.

A curve that drifts, creeps or steps across a threshold is no amplification: without an exponential phase there is no
Cq (Branford & Hughes 2006, Methods Mol Med 125:69: background that drifts over the threshold reads as a high quantity).

Readings that jump and come back, those behind the top of a hook and those of a fall before the rise are set aside
before a curve is judged (`bcrabl.curves.screening`): a bubble must neither make an amplification nor kill one. Each
figure of a call is kept, and each cut is a field of `CallLimits`.
All figures are a curve's own but `plateau_ratio`, which compares it with the other curves of the same call.

Symbols: n curves, m cycles.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.curves.rivals import polynomial_rss, ramp_rss
from bcrabl.curves.screening import SpikeLimits, ceiling, pack, refit_judged, screen_readings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.curves.screening import ScreenedReadings
    from bcrabl.curves.sigmoid import SigmoidFit

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = [
    "CALLS",
    "AmplificationScores",
    "CallLimits",
    "call_amplification",
    "compared_with_target",
    "has_exponential_phase",
    "score_amplification",
    "score_each",
]

CALLS = ("not_amplified", "ambiguous", "amplified")

_CYCLES_TO_PLATEAU = 2.0  # times 1/s after the steepest rise a logistic curve has reached 88 % of its plateau


@dataclass(frozen=True)
class CallLimits:
    """Where a call is cut. Of a pair, beyond the first a curve does not amplify; up to the second it is ambiguous.

    Parameters
    ----------
    cycles : fewest readings that can be judged.
    rise_per_noise : rise in noise SDs.
    f_ratio : sigmoid against the best parabola, which follows any drift or creep.
    ramp_ratio : best straight ramp against the sigmoid.
    line_f_ratio : below, a straight line explains the curve as well as a parabola does: words only.
    fold : growth per cycle at the second derivative maximum.
    slow_fold_f_ratio : between the two, a curve with a smaller `f_ratio` than this does not amplify.
    largest_fold : beyond, a curve is ambiguous, and a step if `rise_cycles` is below its second cut.
    rise_cycles : fewest cycles from a tenth to nine tenths of the rise; a signal that doubles until it stops takes 3.2.
    slow_rise_cycles, slow_f_ratio : a rise that takes longer than the first needs a larger `f_ratio` than the second.
    largest_step : largest share of the rise in one cycle.
    risen_readings : fewest readings above noise after the take-off.
    acceleration : first, cycles from the first cycle to the second derivative maximum; below the second, a curve is
        ambiguous for want of a baseline, and a settling signal if its rise is weak or hardly better than drift.
    hook_depth : share of the rise lost after its top.
    dip_depth : fall before the rise, as a share of it.
    plateau_ratio : rise against the median rise of the target's amplified curves; below, the curve is ambiguous.
    spikes : size at which a reading out of line is set aside.
    """

    cycles: float = 10.0
    rise_per_noise: tuple[float, float] = (6.0, 10.0)
    f_ratio: tuple[float, float] = (12.0, 50.0)
    ramp_ratio: tuple[float, float] = (0.8, 1.05)
    line_f_ratio: float = 12.0
    fold: tuple[float, float] = (1.12, 1.2)
    slow_fold_f_ratio: float = 25.0
    largest_fold: float = 6.0
    rise_cycles: tuple[float, float] = (2.4, 3.1)
    slow_rise_cycles: float = 13.0
    slow_f_ratio: float = 350.0
    largest_step: tuple[float, float] = (0.6, 0.45)
    risen_readings: tuple[float, float] = (2.0, 3.0)
    acceleration: tuple[float, float] = (0.0, 2.0)
    hook_depth: tuple[float, float] = (0.8, 0.5)
    dip_depth: float = 0.5
    plateau_ratio: float = 0.2
    spikes: SpikeLimits = field(default_factory=SpikeLimits)


@dataclass(frozen=True)
class AmplificationScores:
    """The figures a call rests on, each of shape (n,).

    Parameters
    ----------
    rise : fitted rise over the observed cycles, a.u.
    rise_per_noise : rise in noise SDs.
    f_ratio : how much better the sigmoid explains the curve than a parabola does, per parameter and noise variance.
    ramp_ratio : residual sum of squares of the best straight ramp between two levels over that of the sigmoid.
    fold : growth of the fitted signal in the cycle before its second derivative maximum.
    cycles : readings judged.
    line_f_ratio : how much better a parabola explains the curve than a straight line does, per noise variance.
    acceleration : cycles from the first cycle to the second derivative maximum.
    rise_cycles : cycles from a tenth to nine tenths of the fitted plateau.
    largest_step : largest increase from one reading to the next beyond noise, as a share of the rise.
    risen_readings : judged readings after the fit has risen by three noise SDs.
    hook_depth : fall after the top, as a share of the rise before it.
    dip_depth : fall before the lowest point, as a share of the rise after it.
    spikes : readings set aside for jumping and coming back.
    spike_size : largest of these jumps in noise SDs of the readings; 0 without.
    noise_sd : SD of the readings from the change of their slope, a.u.; robust against spikes and steps.
    ceiling_share : share of the readings that lie exactly on the curve's highest value, where three or more do.
    begins_at_ceiling : 1 where the first of these is the curve's first reading.
    plateau : fitted rise to the plateau, a.u.; NaN where less than about 88 % of it come into view.
    plateau_ratio : plateau against the median plateau of the curves of this call that clearly amplify; NaN without.
    """

    rise: Array
    rise_per_noise: Array
    f_ratio: Array
    ramp_ratio: Array
    fold: Array
    cycles: Array
    line_f_ratio: Array
    acceleration: Array
    rise_cycles: Array
    largest_step: Array
    risen_readings: Array
    hook_depth: Array
    dip_depth: Array
    spikes: Array
    spike_size: Array
    noise_sd: Array
    ceiling_share: Array
    begins_at_ceiling: Array
    plateau: Array
    plateau_ratio: Array


def score_amplification(
    cycles: Array, fluorescence: Array, fit: SigmoidFit, limits: CallLimits | None = None
) -> AmplificationScores:
    """Compute the figures that tell an amplification from drift, creep, step, spike and noise.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    fit : sigmoid fits of the n curves.
    limits : what counts as a spike, and which curves are the measure of `plateau_ratio`; the defaults without.
    """
    limits = limits or CallLimits()
    screen = screen_readings(cycles, fluorescence, limits.spikes)
    fit = refit_judged(cycles, fluorescence, fit, screen.judged)
    return compared_with_target(score_each(cycles, fluorescence, fit, screen), fit, limits)


def compared_with_target(
    scores: AmplificationScores, fit: SigmoidFit, limits: CallLimits | None = None
) -> AmplificationScores:
    """The scores with `plateau_ratio`, the one figure that takes the other curves of the target.

    Parameters
    ----------
    scores : of `score_each`, all curves of one target on one plate.
    fit : their fits.
    limits : which curves are the measure; the defaults without.
    """
    clear = (call_amplification(scores, fit, limits)[0] == "amplified") & np.isfinite(scores.plateau)
    if not clear.any():
        return scores
    return replace(scores, plateau_ratio=scores.plateau / np.median(scores.plateau[clear]))


def score_each(cycles: Array, fluorescence: Array, fit: SigmoidFit, screen: ScreenedReadings) -> AmplificationScores:
    """The scores of every curve by itself; `plateau_ratio` stays NaN.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u., NaN where a cycle is missing.
    fit : fits of the readings that can be judged (`bcrabl.curves.screening.refit_judged`).
    screen : which readings these are.
    """
    judged = np.where(screen.judged, fluorescence, np.nan)
    count = screen.judged.sum(axis=1)
    packed = pack(cycles, judged)
    first, last = packed.cycles[:, 0], packed.cycles[np.arange(len(count)), np.maximum(count - 1, 0)]
    ends = fit.above_baseline(np.column_stack([first, last]))
    rise = ends[:, 1] - ends[:, 0]
    line, parabola = polynomial_rss(cycles, judged, screen.judged)
    peak = fit.second_derivative_maximum()
    around = fit.above_baseline(np.column_stack([peak - 1, peak]))
    begins, share = ceiling(fluorescence)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # noise-free curves have a variance of zero
        variance = np.maximum(fit.rss / np.maximum(count - 5, 1), (1e-9 * rise) ** 2)
        # the tangent of the steepest rise, which the search for the best ramp starts from
        tangent = fit.cy0() + (1 + 1 / fit.asymmetry) ** (1 + fit.asymmetry) / fit.slope
        ramp = ramp_rss(cycles, judged, screen.judged, fit.cy0(), tangent)
        take_off = fit.relative_crossing(np.clip(3 * np.sqrt(variance) / fit.rise, 1e-9, 1 - 1e-9))
        increments = np.diff(packed.signal, axis=1) / np.diff(packed.cycles, axis=1)
        largest = np.where(np.isfinite(increments), increments, -np.inf).max(axis=1, initial=-np.inf)
        plateau = np.where(fit.steepest + _CYCLES_TO_PLATEAU / fit.slope <= last, fit.rise, np.nan)
        return AmplificationScores(
            rise=rise,
            rise_per_noise=rise / np.sqrt(variance),
            f_ratio=(parabola - fit.rss) / 2 / variance,
            ramp_ratio=ramp / np.maximum(fit.rss, count * (1e-9 * rise) ** 2),
            fold=around[:, 1] / around[:, 0],
            cycles=count.astype(np.float64),
            line_f_ratio=(line - parabola) / variance,
            acceleration=peak - cycles[0],
            rise_cycles=fit.relative_crossing(0.9) - fit.relative_crossing(0.1),
            largest_step=(largest - 3 * np.sqrt(2) * screen.noise_sd) / rise,
            risen_readings=(screen.judged & (cycles > take_off[:, None])).sum(axis=1).astype(np.float64),
            hook_depth=screen.hook_depth,
            dip_depth=screen.dip_depth,
            spikes=screen.spikes,
            spike_size=screen.spike_size,
            noise_sd=screen.noise_sd,
            ceiling_share=share,
            begins_at_ceiling=begins,
            plateau=plateau,
            plateau_ratio=np.full(len(rise), np.nan),
        )


def call_amplification(
    scores: AmplificationScores, fit: SigmoidFit, limits: CallLimits | None = None
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Call every curve, with the reason.

    Parameters
    ----------
    scores : what `score_amplification` gave.
    fit : the sigmoid fits of the same curves.
    limits : where to cut; the defaults without.

    Returns
    -------
    call : (n,) one of `CALLS`.
    why : (n,) the rule that decided, in words.
    """
    with np.errstate(invalid="ignore"):
        rules = (*_vetoes(scores, fit, limits or CallLimits()), *_doubts(scores, limits or CallLimits()))
    decided = np.select([rule[0] for rule in rules], list(range(len(rules))), default=len(rules))
    # words are shared, not copied for each curve: a million curves have twenty reasons
    call = np.array([*(rule[1] for rule in rules), "amplified"], dtype=object)
    why = np.array([*(rule[2] for rule in rules), "exponential phase above noise"], dtype=object)
    return call[decided], why[decided]


def has_exponential_phase(
    scores: AmplificationScores, call: NDArray[np.object_], limits: CallLimits | None = None
) -> Mask:
    """(n,) whether a curve has a Cq at all: it may cross any threshold, without an exponential phase it has none.

    Parameters
    ----------
    scores : what `score_amplification` gave.
    call : of `call_amplification`.
    limits : where to cut; the defaults without.
    """
    limits = limits or CallLimits()
    with np.errstate(invalid="ignore"):
        ramp, fast = _without_phase(scores, limits)
    has: Mask = (call != "not_amplified") & ~(ramp | fast)
    return has


def _without_phase(scores: AmplificationScores, limits: CallLimits) -> tuple[Mask, Mask]:
    """(n,) each: a straight ramp explains it as well; nearly a step."""
    fast = (scores.rise_cycles < limits.rise_cycles[1]) | (scores.largest_step > limits.largest_step[1])
    fast |= scores.fold > limits.largest_fold
    return scores.ramp_ratio < limits.ramp_ratio[1], fast


def _vetoes(scores: AmplificationScores, fit: SigmoidFit, limits: CallLimits) -> tuple[tuple[Mask, str, str], ...]:
    drifts = ~(scores.f_ratio >= limits.f_ratio[0])
    flat = ~(scores.rise_per_noise >= limits.rise_per_noise[0])
    step = (
        ((scores.fold > limits.largest_fold) & (scores.rise_cycles < limits.rise_cycles[1]))
        | (scores.rise_cycles < limits.rise_cycles[0])
        | (scores.largest_step > limits.largest_step[0])
    )
    no = "not_amplified"
    return (
        (scores.cycles < limits.cycles, no, "too few cycles"),
        (~np.isfinite(scores.rise) & (scores.spikes > 0), no, "spike: single readings jump"),
        (~np.isfinite(fit.rise) | ~np.isfinite(scores.rise), no, "flat"),
        (flat & (scores.spikes > 0), no, "spike: single readings jump"),
        (scores.rise <= 0, no, "signal falls"),
        (flat, no, "no rise above noise"),
        (scores.hook_depth > limits.hook_depth[0], no, "hook: rises and falls back to its baseline"),
        (drifts & (scores.line_f_ratio < limits.line_f_ratio), no, "linear drift: a straight line explains the rise"),
        (drifts, no, "creeping baseline: a parabola explains the rise"),
        (scores.acceleration < limits.acceleration[0], no, "settling signal: accelerates before the first cycle only"),
        (step, no, "step: rises faster than any reaction doubles"),
        (scores.ramp_ratio < limits.ramp_ratio[0], no, "no exponential phase: a straight ramp explains the rise"),
        (~(scores.fold >= limits.fold[0]), no, "creeping baseline: no exponential phase"),
    )


def _doubts(scores: AmplificationScores, limits: CallLimits) -> tuple[tuple[Mask, str, str], ...]:
    slow = scores.fold < limits.fold[1]
    ramp, fast = _without_phase(scores, limits)
    unlikely = scores.f_ratio < limits.f_ratio[1]
    creeps = (scores.rise_cycles > limits.slow_rise_cycles) & (scores.f_ratio < limits.slow_f_ratio)
    weak = scores.rise_per_noise < limits.rise_per_noise[1]
    settling = (scores.acceleration < limits.acceleration[1]) & (weak | unlikely)
    maybe = "ambiguous"
    return (
        (
            slow & (scores.f_ratio < limits.slow_fold_f_ratio),
            "not_amplified",
            "creeping baseline: slow, and hardly better than drift",
        ),
        (settling, "not_amplified", "settling signal: a weak rise from the first cycles on"),
        (weak, maybe, "weak rise above noise"),
        (unlikely, maybe, "hardly better than drift"),
        (slow, maybe, "slow exponential phase"),
        (ramp, maybe, "no exponential phase to be seen: a ramp explains it as well"),
        (creeps, maybe, "slow rise, not much better than drift"),
        (fast, maybe, "nearly a step: hardly any reading on the rise"),
        (scores.risen_readings < limits.risen_readings[1], maybe, "late rise: too few readings above noise"),
        (scores.hook_depth > limits.hook_depth[1], maybe, "hook: rises and falls"),
        (scores.dip_depth > limits.dip_depth, maybe, "falling signal before the rise"),
        (scores.acceleration < limits.acceleration[1], maybe, "begins high: no baseline before the rise"),
        (scores.begins_at_ceiling > 0, maybe, "saturation: begins at the highest signal"),
        (scores.plateau_ratio < limits.plateau_ratio, maybe, "low amplitude for its target"),
    )
