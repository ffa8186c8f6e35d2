"""From the curves of one target on one plate to Cq, call and quality, all estimators side by side.

Symbols: n curves, m cycles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.curves.amplification import AmplificationScores, call_amplification, score_amplification
from bcrabl.curves.baseline import Baseline, baseline_under
from bcrabl.curves.quantification import automatic_threshold, exponential_efficiency, threshold_crossing
from bcrabl.curves.sigmoid import SigmoidFit, fit_sigmoid
from bcrabl.errors import Problem, RunError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["METHODS", "CurveAnalysis", "analyse_curves"]

METHODS = ("threshold", "second_derivative", "first_derivative", "cy0")


@dataclass(frozen=True)
class CurveAnalysis:
    """What was found about n curves; arrays of length n, cycles unless said otherwise.

    Parameters
    ----------
    cq : by the chosen method; NaN unless the curve amplifies (or may do so: `ambiguous`).
    cq_sd : standard error of cq_threshold from the noise of its own curve and baseline; NaN for other methods.
    call, why : `amplified`, `not_amplified` or `ambiguous`, and the reason.
    cq_threshold, cq_second_derivative, cq_first_derivative, cq_cy0 : the estimators side by side.
    threshold : on the baseline-corrected signal, a.u.
    efficiency : fold per cycle in the exponential phase.
    n0 : threshold / efficiency ** cq_threshold, a.u.
    plateau : rise of the fitted sigmoid, a.u.
    rss : residual sum of squares of the fit, a.u.².
    parameters : (n, 5) array (c, d, s, e, f), see `bcrabl.curves.sigmoid`.
    baseline : the baseline under each curve.
    scores : the figures behind the call.
    flags : per curve a tuple of names of what is noteworthy.
    """

    cq: Array
    cq_sd: Array
    call: NDArray[np.str_]
    why: NDArray[np.str_]
    cq_threshold: Array
    cq_second_derivative: Array
    cq_first_derivative: Array
    cq_cy0: Array
    threshold: Array
    efficiency: Array
    n0: Array
    plateau: Array
    rss: Array
    parameters: Array
    baseline: Baseline
    scores: AmplificationScores
    flags: tuple[tuple[str, ...], ...]


def analyse_curves(
    cycles: ArrayLike,
    fluorescence: ArrayLike,
    *,
    method: str = "threshold",
    threshold: float | ArrayLike | None = None,
    baseline: tuple[float, float] | None = None,
) -> CurveAnalysis:
    """Find Cq, amplification call and quality of the curves of one target on one plate.

    Parameters
    ----------
    cycles : (m,) whole, rising cycle numbers.
    fluorescence : (n, m) array, a.u. (Rn where there is a passive reference), NaN where a cycle is missing.
    method : which estimator becomes `cq`: one of `METHODS`.
    threshold : on the baseline-corrected signal, a.u., one or one per curve; None for one automatic threshold for all
        these curves: ten noise SDs, kept between 5 % and 20 % of the plateau.
    baseline : first and last cycle of a fixed baseline window; None to let it end where each curve takes off.

    Raises
    ------
    RunError : unknown method, threshold that is not positive, shapes that do not fit together.
    """
    x, y = _checked(cycles, fluorescence, method)
    fit = fit_sigmoid(x, y)
    scores = score_amplification(x, y, fit)
    call, why = call_amplification(scores, fit)
    rising = call != "not_amplified"
    below = baseline_under(x, y, fit, rising, baseline)
    level = _threshold(threshold, below.noise_sd, fit.rise, call == "amplified", len(y))
    above = y - below.at(x)
    crossing, sensitivity = threshold_crossing(x, above, level)
    if method == "threshold":
        call, why = _veto_without_crossing(call, why, crossing)
    estimators = _estimators(fit, crossing, call != "not_amplified")
    efficiency = exponential_efficiency(x, above, below.noise_sd, fit.rise, fit.second_derivative_maximum())
    efficiency = np.where(call != "not_amplified", efficiency, np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        n0 = level / efficiency ** estimators["threshold"]
    return CurveAnalysis(
        cq=estimators[method],
        cq_sd=_crossing_sd(estimators["threshold"], sensitivity, below, method),
        call=call,
        why=why,
        cq_threshold=estimators["threshold"],
        cq_second_derivative=estimators["second_derivative"],
        cq_first_derivative=estimators["first_derivative"],
        cq_cy0=estimators["cy0"],
        threshold=level,
        efficiency=efficiency,
        n0=n0,
        plateau=fit.rise,
        rss=fit.rss,
        parameters=fit.parameters,
        baseline=below,
        scores=scores,
        flags=_flags(y, fit, below, call, estimators, float(x[-1])),
    )


def _checked(cycles: ArrayLike, fluorescence: ArrayLike, method: str) -> tuple[Array, Array]:
    x, y = np.asarray(cycles, dtype=np.float64), np.ascontiguousarray(fluorescence, dtype=np.float64)
    if method not in METHODS:
        raise RunError(Problem("method", repr(method), f"one of {', '.join(METHODS)}"))
    if x.ndim != 1 or y.ndim != 2 or y.shape[1] != len(x):
        raise RunError(Problem("curves", f"cycles {x.shape}, fluorescence {y.shape}", "shapes (m,) and (n, m)"))
    if len(x) < 2 or np.any(np.diff(x) <= 0):
        raise RunError(Problem("cycles", "fewer than two, or not rising", "1, 2, 3, …"))
    return x, np.where(np.isfinite(y), y, np.nan)


def _threshold(
    wanted: float | ArrayLike | None, noise_sd: Array, plateau: Array, amplified: NDArray[np.bool_], n: int
) -> Array:
    if wanted is None:
        return np.full(n, automatic_threshold(noise_sd, plateau, amplified))
    level = np.broadcast_to(np.asarray(wanted, dtype=np.float64), (n,)).copy()
    if not np.all((level > 0) & np.isfinite(level)):
        raise RunError(Problem("threshold", str(wanted), "a positive signal above the baseline, or none for automatic"))
    return level


def _veto_without_crossing(
    call: NDArray[np.str_], why: NDArray[np.str_], crossing: Array
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """A curve that grows but never reaches the threshold has no Cq; a person should look at it."""
    below = (call == "amplified") & ~np.isfinite(crossing)
    return np.where(below, "ambiguous", call), np.where(below, "grows but stays below the threshold", why)


def _estimators(fit: SigmoidFit, crossing: Array, rising: NDArray[np.bool_]) -> dict[str, Array]:
    found = {
        "threshold": crossing,
        "second_derivative": fit.second_derivative_maximum(),
        "first_derivative": fit.steepest,
        "cy0": fit.cy0(),
    }
    return {name: np.where(rising, value, np.nan) for name, value in found.items()}


def _crossing_sd(crossing: Array, sensitivity: Array, baseline: Baseline, method: str) -> Array:
    """Noise of the two readings around the crossing, and of the baseline under both, carried to the Cq."""
    if method != "threshold":
        return np.full_like(crossing, np.nan)
    readings = (sensitivity**2).sum(axis=1)
    line = sensitivity.sum(axis=1) ** 2 * baseline.relative_variance(crossing)
    error: Array = np.where(np.isfinite(crossing), baseline.noise_sd * np.sqrt(readings + line), np.nan)
    return error


def _flags(
    y: Array, fit: SigmoidFit, baseline: Baseline, call: NDArray[np.str_], cq: dict[str, Array], last: float
) -> tuple[tuple[str, ...], ...]:
    rising = call != "not_amplified"
    with np.errstate(invalid="ignore"):
        named = {
            "missing_cycles": ~np.isfinite(y).all(axis=1),
            "fit_not_converged": ~fit.converged & np.isfinite(fit.rise),
            "baseline_window_shortened": rising & baseline.shortened,
            "no_baseline_window": rising & ~np.isfinite(baseline.start),
            "no_plateau": rising & (fit.steepest > last - 1),
            "derivative_outside_cycles": rising & ((cq["second_derivative"] > last) | (cq["second_derivative"] < 1)),
        }
    table = np.column_stack(list(named.values()))
    names = list(named)
    return tuple(tuple(names[j] for j in np.flatnonzero(row)) for row in table)
