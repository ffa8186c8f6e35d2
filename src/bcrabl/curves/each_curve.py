"""What every curve tells by itself: screened readings, sigmoid fit, scores, baseline, landmarks with standard errors.

Nothing here looks at a neighbour, so the work is done block by block and the figures of a curve are the same bits
alone and among a million. Symbols: n curves, m cycles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.curves.amplification import (
    AmplificationScores,
    CallLimits,
    call_amplification,
    has_exponential_phase,
    score_each,
)
from bcrabl.curves.baseline import Baseline, baseline_under
from bcrabl.curves.blocks import JudgedReadings, blocks_of, joined, rows_of
from bcrabl.curves.quantification import threshold_crossing
from bcrabl.curves.rivals import polynomial_rss
from bcrabl.curves.screening import ScreenedReadings, refit_judged, screen_readings
from bcrabl.curves.sigmoid import SigmoidFit, fit_sigmoid
from bcrabl.curves.uncertainty import crossing_standard_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

__all__ = ["LANDMARK_METHODS", "EachCurve", "cross_threshold", "study_each_curve"]

LANDMARK_METHODS = {
    "second_derivative": "second_derivative_maximum",
    "first_derivative": "first_derivative_maximum",
    "cy0": "cy0",
}


_LEFT_BY_DRIFT = 1.5  # of the noise variance


class EachCurve(NamedTuple):
    """What n curves tell by themselves.

    judged : (n, m) readings that count: present, no spike, not behind a hook, not in a fall before the rise.
    fit : sigmoid fits of these readings.
    scores : figures behind the call, `plateau_ratio` NaN.
    rises : (n,) not called `not_amplified`.
    has_cq : (n,) rises with an exponential phase.
    baseline : under each curve.
    landmarks : (n,) cycles, by the names of `LANDMARK_METHODS`; NaN unless `has_cq`, or where the fit is misplaced.
    """

    judged: Mask
    fit: SigmoidFit
    scores: AmplificationScores
    rises: Mask
    has_cq: Mask
    baseline: Baseline
    landmarks: dict[str, Array]


def study_each_curve(
    cycles: Array, fluorescence: Array, window: tuple[float, float] | None = None, limits: CallLimits | None = None
) -> EachCurve:
    """Study all curves, block by block.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    fluorescence : (n, m) array, a.u.; what is not finite is missing.
    window : first and last cycle of a fixed baseline window; None to let it end where each curve takes off.
    limits : of the amplification call; the defaults without.
    """
    limits = limits or CallLimits()
    n = len(fluorescence)
    return joined((_study(cycles, fluorescence[rows], window, limits) for rows in blocks_of(n)), n)


def _study(cycles: Array, fluorescence: Array, window: tuple[float, float] | None, limits: CallLimits) -> EachCurve:
    y = np.where(np.isfinite(fluorescence), fluorescence, np.nan)
    screen = screen_readings(cycles, y, limits.spikes)
    structured = ~_explained_by_drift(cycles, y, screen)
    fit = refit_judged(cycles, y, fit_sigmoid(cycles, y, searched=structured), screen.judged)
    scores = score_each(cycles, y, fit, screen)
    call, _ = call_amplification(scores, fit, limits)
    rises, has_cq = call != "not_amplified", has_exponential_phase(scores, call, limits)
    y[~screen.judged] = np.nan
    baseline = baseline_under(cycles, y, fit, rises, window)
    landmark = {name: getattr(fit, function)() for name, function in LANDMARK_METHODS.items()}
    return EachCurve(
        judged=screen.judged,
        fit=fit,
        scores=scores,
        rises=rises,
        has_cq=has_cq,
        baseline=baseline,
        landmarks={name: _where(has_cq & ~fit.misplaced, value) for name, value in landmark.items()},
    )


def _explained_by_drift(cycles: Array, fluorescence: Array, screen: ScreenedReadings) -> Mask:
    """(n,) curves of which a parabola leaves nothing but noise: no sigmoid can do much better."""
    _, parabola = polynomial_rss(cycles, np.where(screen.judged, fluorescence, np.nan), screen.judged)
    noise: Mask = parabola <= _LEFT_BY_DRIFT * screen.noise_sd**2 * np.maximum(screen.judged.sum(axis=1) - 3, 1)
    return noise


def cross_threshold(
    cycles: Array, readings: JudgedReadings, each: EachCurve, threshold: Array, autocorrelation: Array
) -> tuple[Array, Array]:
    """Where the curves with a Cq cross their threshold, and the standard error of that.

    Parameters
    ----------
    cycles : (m,) cycle numbers.
    readings : (n, m), a.u.
    each : of `study_each_curve`.
    threshold : (n,) above the baseline, a.u.
    autocorrelation : (n,) of the readings' noise (`bcrabl.curves.uncertainty`).

    Returns
    -------
    crossing, standard error : (n,) cycles; NaN without a Cq.
    """
    crossings, errors = np.full((2, len(readings)), np.nan)
    for rows in blocks_of(len(readings)):
        line, fit = rows_of(each.baseline, rows), rows_of(each.fit, rows)
        above = readings[rows] - line.at(cycles)
        crossing, sensitivity = threshold_crossing(cycles, above, threshold[rows], fit)
        error = crossing_standard_error(crossing, sensitivity, line, autocorrelation[rows])
        crossings[rows], errors[rows] = _where(each.has_cq[rows], crossing), _where(each.has_cq[rows], error)
    return crossings, errors


def _where(chosen: Mask, values: Array) -> Array:
    return np.where(chosen, values, np.nan)
