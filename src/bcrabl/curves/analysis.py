"""From the curves of one target on one plate to Cq, call and quality, all estimators side by side.

Symbols: n curves, m cycles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.arrays import numbers
from bcrabl.curves.amplification import AmplificationScores, CallLimits, call_amplification, compared_with_target
from bcrabl.curves.baseline import Baseline
from bcrabl.curves.blocks import JudgedReadings, tuples_of
from bcrabl.curves.checks import checked_curves
from bcrabl.curves.each_curve import LANDMARK_METHODS, EachCurve, cross_threshold, study_each_curve
from bcrabl.curves.joint import JointEstimate, estimate_jointly
from bcrabl.curves.quality import CurveQuality, assess
from bcrabl.curves.quantification import automatic_threshold
from bcrabl.curves.uncertainty import landmark_standard_errors
from bcrabl.curves.window_of_linearity import WindowOfLinearity, window_of_linearity
from bcrabl.curves.window_uncertainty import window_standard_error
from bcrabl.errors import Problem, RunError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Words = NDArray[np.object_]

__all__ = ["METHODS", "CurveAnalysis", "analyse_curves"]

METHODS = ("threshold", *LANDMARK_METHODS, "joint")


@dataclass(frozen=True)
class CurveAnalysis:
    """What was found about n curves; arrays of length n, cycles unless said otherwise.

    Parameters
    ----------
    cq : by the chosen method; NaN unless the curve amplifies, or may do so (`ambiguous`) with an exponential phase.
    cq_sd : standard error of cq: the noise of the readings. What pipetting and the Poisson distribution of templates
        add from tube to tube comes on top.
    call, why : `amplified`, `not_amplified` or `ambiguous`, and the reason.
    cq_threshold, cq_second_derivative, cq_first_derivative, cq_cy0, cq_joint : the estimators side by side.
    standard_errors : of each estimator, by its name in `METHODS`, and of `window.cq` (`window_of_linearity`). What the
        curves of the target have in common is no noise, so they depend on the group; the Cq do not (but the joint one).
    threshold : on the baseline-corrected signal, a.u.
    efficiency : fold per cycle in the window of linearity (LinRegPCR), the curve's own; NaN where it has none, or where
        cycles are not whole numbers.
    n0 : signal at cycle 0 by the window of linearity (LinRegPCR), a.u.: growth back from `window.threshold` with the
        mean efficiency of the target.
    plateau : rise of the fitted sigmoid, a.u.
    rss : residual sum of squares of the fit, a.u.².
    parameters : (n, 5) array (c, d, s, e, f), see `bcrabl.curves.sigmoid`.
    baseline : the baseline under each curve.
    scores : the figures behind the call.
    joint : what the curves of the target say together, each curve's distance from their common shape included.
    window : LinRegPCR's efficiencies, Cq and N0; None where the cycles are not whole numbers.
    quality : figures of baseline, noise and plateau.
    flags : per curve a tuple of names of what is noteworthy.
    """

    cq: Array
    cq_sd: Array
    call: Words
    why: Words
    cq_threshold: Array
    cq_second_derivative: Array
    cq_first_derivative: Array
    cq_cy0: Array
    cq_joint: Array
    standard_errors: dict[str, Array]
    threshold: Array
    efficiency: Array
    n0: Array
    plateau: Array
    rss: Array
    parameters: Array
    baseline: Baseline
    scores: AmplificationScores
    joint: JointEstimate
    window: WindowOfLinearity | None
    quality: CurveQuality
    flags: tuple[tuple[str, ...], ...]


def analyse_curves(
    cycles: ArrayLike,
    fluorescence: ArrayLike,
    *,
    method: str = "threshold",
    threshold: float | ArrayLike | None = None,
    baseline: tuple[float, float] | None = None,
    limits: CallLimits | None = None,
    reference: ArrayLike | None = None,
) -> CurveAnalysis:
    """Find Cq, amplification call and quality of the curves of one target on one plate.

    Parameters
    ----------
    cycles : (m,) rising cycle numbers.
    fluorescence : (n, m) array, a.u. (Rn where there is a passive reference), NaN where a cycle is missing.
    method : which estimator becomes `cq`: one of `METHODS`.
    threshold : on the baseline-corrected signal, a.u., one or one per curve; None for one automatic threshold for all
        these curves: ten noise SDs, kept between 5 % and 20 % of the plateau.
    baseline : first and last cycle of a fixed baseline window; None to let it end where each curve takes off.
    limits : where the amplification call cuts its scores; the defaults without.
    reference : (n,) curves known to be uninhibited, such as the standards: a curve that falls behind them is flagged
        `inhibition_suspected`. None: all curves are compared with all.

    Raises
    ------
    RunError : unknown method, threshold that is not positive, shapes that do not fit together.
    """
    x, y = checked_curves(cycles, fluorescence)
    _check_settings(x, method, baseline)
    known = _checked_reference(reference, len(y))
    each = study_each_curve(x, y, baseline, limits)
    scores = compared_with_target(each.scores, each.fit, limits)
    call, why = call_amplification(scores, each.fit, limits)
    amplified = call == "amplified"
    level = _threshold(threshold, each, amplified)
    readings = JudgedReadings(y, each.judged)
    placed = each.has_cq & ~each.fit.misplaced
    error, noise = landmark_standard_errors(x, readings, each.fit, LANDMARK_METHODS, placed)
    cq = dict(each.landmarks)
    cq["threshold"], error["threshold"] = cross_threshold(x, readings, each, level, noise.autocorrelation)
    each = each._replace(fit=replace(each.fit, covariance=np.empty((len(y), 0, 0))))  # used up, and large
    if method == "threshold":
        call, why = _veto_without_crossing(call, why, cq["threshold"])
    joint = estimate_jointly(x, readings, each.fit, each.has_cq, reference=known)
    cq["joint"], error["joint"] = joint.cq, joint.cq_sd
    window = window_of_linearity(x, readings, contributes=amplified) if np.all(x == np.rint(x)) else None
    if window is not None:
        error["window_of_linearity"] = window_standard_error(x, readings, window, each.fit, noise)
    efficiency = np.full(len(y), np.nan) if window is None else np.where(each.has_cq, window.efficiency, np.nan)
    quality = assess(x, y, each.fit, each.baseline, call, scores, efficiency)
    return CurveAnalysis(
        cq=cq[method],
        cq_sd=error[method],
        call=call,
        why=why,
        **{f"cq_{name}": values for name, values in cq.items()},
        standard_errors=error,
        threshold=level,
        efficiency=efficiency,
        n0=np.full(len(y), np.nan) if window is None else np.where(each.has_cq, window.n0, np.nan),
        plateau=each.fit.rise,
        rss=each.fit.rss,
        parameters=each.fit.parameters,
        baseline=each.baseline,
        scores=scores,
        joint=joint,
        window=window,
        quality=quality,
        flags=tuples_of(_flags(x, y, each, joint) | quality.flags),
    )


def _check_settings(cycles: Array, method: str, baseline: tuple[float, float] | None) -> None:
    if method not in METHODS:
        raise RunError(Problem("method", repr(method), f"one of {', '.join(METHODS)}"))
    if baseline is None:
        return
    window = numbers("baseline", baseline)
    if window.shape != (2,) or not cycles[0] <= window[0] <= window[1] <= cycles[-1]:
        expected = f"first and last cycle of a window within {cycles[0]:g} to {cycles[-1]:g}"
        raise RunError(Problem("baseline", str(baseline), expected))


def _checked_reference(reference: ArrayLike | None, n: int) -> Mask | None:
    if reference is None:
        return None
    known = np.asarray(reference, dtype=bool)
    if known.shape != (n,):
        raise RunError(Problem("reference", f"shape {known.shape}", f"({n},), one per curve"))
    return known


def _threshold(wanted: float | ArrayLike | None, each: EachCurve, amplified: Mask) -> Array:
    n = len(amplified)
    if wanted is None:
        return np.full(n, automatic_threshold(each.baseline.noise_sd, each.fit.rise, amplified))
    given = numbers("threshold", wanted)
    if given.shape not in ((), (n,)):
        raise RunError(Problem("threshold", f"shape {given.shape}", f"one number, or ({n},), one per curve"))
    level = np.broadcast_to(given, (n,)).copy()
    if not np.all((level > 0) & np.isfinite(level)):
        raise RunError(Problem("threshold", str(wanted), "a positive signal above the baseline, or none for automatic"))
    return level


def _veto_without_crossing(call: Words, why: Words, crossing: Array) -> tuple[Words, Words]:
    """A curve that grows but never reaches the threshold has no Cq; a person should look at it."""
    below = (call == "amplified") & ~np.isfinite(crossing)
    return np.where(below, "ambiguous", call), np.where(below, "grows but stays below the threshold", why)


def _flags(x: Array, y: Array, each: EachCurve, joint: JointEstimate) -> dict[str, Mask]:
    fit, baseline, rises = each.fit, each.baseline, each.rises
    finite = np.isfinite(y)
    found = np.column_stack([*each.landmarks.values(), joint.cq])
    with np.errstate(invalid="ignore"):
        no_plateau = rises & (fit.steepest > x[-1] - 1)
        return {
            "missing_cycles": np.logical_not(finite.all(axis=1)),
            "readings_set_aside": rises & (finite & ~each.judged).any(axis=1),
            "no_exponential_phase": rises & ~each.has_cq,
            "fit_not_converged": ~fit.converged & np.isfinite(fit.rise),
            "baseline_window_shortened": rises & baseline.shortened,
            "no_baseline_window": rises & ~np.isfinite(baseline.start),
            "no_plateau": no_plateau,
            "rises_outside_cycles": each.has_cq & fit.misplaced,
            "cq_outside_cycles": ((found < x[0]) | (found > x[-1])).any(axis=1),
            "shape_outlier": joint.shape_outlier,
            # the height of a curve without a plateau is a guess
            "inhibition_suspected": joint.inhibition_suspected & ~no_plateau,
        }
