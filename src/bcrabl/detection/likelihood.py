"""Maximum likelihood of positive reactions by level.

    η = offset + design · coefficients,  p = c + (1 - c)·F(η),  c = chance of a false positive (Abbott 1925,
    J Econ Entomol 18:265), 0 unless it is estimated from blanks.

Log-likelihood Σ y·ln p + (n - y)·ln(1 - p): of the single reactions, without binomial coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.detection.levels import StudyLevels
    from bcrabl.detection.links import Link

    Array = NDArray[np.float64]

__all__ = ["Maximum", "climb", "log_likelihood", "maximise", "observed_covariance", "saturated_log_likelihood"]

_MOST_STEPS = 200
_MOST_HALVINGS = 40
_LEAST_DECREMENT = 1e-12  # of the log-likelihood; the last step leaves the estimate right to 1e-6 standard errors
_ROUNDING = 1e-11  # of log-likelihoods of some hundred reactions
_MOST_BACKGROUND = 1 - 1e-9
_RIDGE = 1e-12
_LONGEST_STEP = 20.0  # of η: from hardly ever to nearly always
_STEP = 1e-4  # standard errors


@dataclass(frozen=True)
class Maximum:
    """The best fit of a design.

    Parameters
    ----------
    coefficients : (k,).
    background : chance of a false positive.
    log_likelihood : its maximum.
    """

    coefficients: Array
    background: float
    log_likelihood: float


def log_likelihood(study: StudyLevels, link: Link, predictor: Array, background: float) -> float:
    """Log-likelihood at η of each level; blanks count where there is a background."""
    log_probability, log_complement, _, _ = link.terms(predictor)
    if background > 0:
        log_probability = np.log(background + (1 - background) * np.exp(log_probability))
        log_complement = np.log1p(-background) + log_complement
    # Both logarithms are finite, also where F is next to 0 or 1: nothing counted times them is 0.
    value = float(study.detected @ log_probability + (study.total - study.detected) @ log_complement)
    return value + _blank_log_likelihood(study, background)


def _blank_log_likelihood(study: StudyLevels, background: float) -> float:
    positive, negative = study.blank_detected, study.blank_total - study.blank_detected
    if background <= 0:
        return 0.0 if positive == 0 else -np.inf
    return float(positive * np.log(background) + negative * np.log1p(-background))


def saturated_log_likelihood(study: StudyLevels) -> float:
    """Log-likelihood where each level has its own share of positives: no model can fit better."""
    y = np.append(study.detected, study.blank_detected)
    n = np.append(study.total, study.blank_total)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(y > 0, y * np.log(y / n), 0) + np.where(y < n, (n - y) * np.log1p(-y / n), 0)
    return float(terms.sum())


def maximise(
    study: StudyLevels,
    link: Link,
    design: Array,
    offset: Array,
    *,
    background: bool,
    near: tuple[Array, float] | None = None,
) -> Maximum:
    """The highest likelihood.

    Parameters
    ----------
    design : (L, k) what the coefficients multiply; k may be 0.
    offset : (L,) part of η that is given.
    background : estimate the chance of a false positive; it stays at 0 where that is its best value.
    near : coefficients and background to start from as well.

    Notes
    -----
    Without a background there is one maximum. With one there may be several (blanks that contradict the low levels), so
    the climb starts from the share of positive blanks and from almost none, and the highest is taken.
    """
    if not background:
        return climb(study, link, design, offset, _start(study, link, design, offset, 0.0), 0.0, background=False)
    shares = ((study.blank_detected + 0.5) / (study.blank_total + 1), 0.5 / (study.blank_total + 1))
    starts = [(_start(study, link, design, offset, share), share) for share in dict.fromkeys(shares)]
    starts += [near] if near else []
    reached = [climb(study, link, design, offset, *start, background=True) for start in starts]
    return max(reached, key=lambda best: best.log_likelihood)


def climb(
    study: StudyLevels, link: Link, design: Array, offset: Array, coefficients: Array, share: float, *, background: bool
) -> Maximum:
    """Fisher scoring (iteratively reweighted least squares) with halved steps, so that the likelihood never falls."""
    k = design.shape[1]
    estimate = np.append(coefficients, share)
    value = log_likelihood(study, link, offset + design @ estimate[:k], float(estimate[k]))
    for _ in range(_MOST_STEPS):
        score, information = _score_and_information(study, link, design, offset, estimate)
        free = np.ones(k + 1, dtype=np.bool_)
        free[k] = background and not (estimate[k] <= 0 and score[k] <= 0)
        step = np.zeros(k + 1)
        step[free] = _solve(information[np.ix_(free, free)], score[free])
        reach = float(np.abs(design @ step[:k]).max(initial=0))
        step *= min(1.0, _LONGEST_STEP / max(reach, _LONGEST_STEP))
        if not score @ step > _LEAST_DECREMENT:
            estimate = _moved(estimate, step, 1.0)
            break
        improved = _best_step(study, link, design, offset, estimate, step, value)
        if improved is None:
            break
        estimate, value = improved
    return Maximum(estimate[:k], float(estimate[k]), value)


def _best_step(
    study: StudyLevels, link: Link, design: Array, offset: Array, estimate: Array, step: Array, value: float
) -> tuple[Array, float] | None:
    """The estimate after the longest of the halved steps that does not lower the likelihood; None where none does."""
    k = design.shape[1]
    size = 1.0
    for _ in range(_MOST_HALVINGS):
        trial = _moved(estimate, step, size)
        reached = log_likelihood(study, link, offset + design @ trial[:k], float(trial[k]))
        if reached >= value - _ROUNDING:
            return trial, reached
        size /= 2
    return None


def _moved(estimate: Array, step: Array, size: float) -> Array:
    """The estimate after part of a step, the background within its bounds."""
    moved: Array = estimate + size * step
    moved[-1] = min(max(moved[-1], 0.0), _MOST_BACKGROUND)
    return moved


def _start(study: StudyLevels, link: Link, design: Array, offset: Array, background: float) -> Array:
    """Least squares of the transformed shares, weighted by what each level says."""
    if design.shape[1] == 0:
        return np.empty(0)
    share = (study.detected + 0.5) / (study.total + 1)
    share = np.clip((share - background) / (1 - background), 0.5 / (study.total + 1), None)
    predictor = np.array([link.quantile(float(each)) for each in share])
    _, _, low, high = link.terms(predictor)
    weight = study.total * low * high
    return _solve((design.T * weight) @ design, (design.T * weight) @ (predictor - offset))


def _score_and_information(
    study: StudyLevels, link: Link, design: Array, offset: Array, estimate: Array
) -> tuple[Array, Array]:
    """Slope of the log-likelihood and expected information in (coefficients, background)."""
    k = design.shape[1]
    background = float(estimate[k])
    log_probability, log_complement, by_probability, by_complement = link.terms(offset + design @ estimate[:k])
    share = np.exp(log_probability)
    total_share = background + (1 - background) * share
    # What a change of each parameter adds to ln p and takes from ln(1 - p), by level: (L, k + 1).
    rise = np.empty((len(share), k + 1))
    fall = np.empty_like(rise)
    target_part = np.ones_like(share) if background <= 0 else (1 - background) * share / total_share
    rise[:, :k] = design * (by_probability * target_part)[:, None]
    fall[:, :k] = design * by_complement[:, None]
    rise[:, k] = np.exp(log_complement - np.log(total_share)) if background > 0 else _most(log_complement, share)
    fall[:, k] = 1 / (1 - background)
    misses = study.total - study.detected
    score = study.detected @ rise - misses @ fall
    information = (rise.T * study.total) @ fall
    positive, negative = study.blank_detected, study.blank_total - study.blank_detected
    score[k] += (positive / background if positive > 0 else 0) - negative / (1 - background)
    information[k, k] += study.blank_total / (max(background, 1 / (study.blank_total + 1)) * (1 - background))
    return score, information


def observed_covariance(study: StudyLevels, link: Link, design: Array, offset: Array, best: Maximum) -> Array:
    """(k, k) covariance of the coefficients from the observed information, a background above 0 estimated along.

    Notes
    -----
    The observed information describes the study at hand better than the expected one (Efron & Hinkley 1978, Biometrika
    65:457). Taken by central differences of the score over steps small beside the standard errors.
    """
    estimate = np.append(best.coefficients, best.background)
    size = design.shape[1] + int(estimate[-1] > 0)
    _, expected = _score_and_information(study, link, design, offset, estimate)
    step = np.asarray(_STEP / np.sqrt(np.maximum(np.diag(expected)[:size], 1e-200)), dtype=np.float64)
    if estimate[-1] > 0:
        step[-1] = min(float(step[-1]), float(estimate[-1]) / 2)
    curvature = np.empty((size, size))
    for each in range(size):
        shift = np.zeros_like(estimate)
        shift[each] = step[each]
        ahead, _ = _score_and_information(study, link, design, offset, estimate + shift)
        behind, _ = _score_and_information(study, link, design, offset, estimate - shift)
        curvature[each] = (behind - ahead)[:size] / (2 * step[each])
    covariance = np.asarray(np.linalg.pinv((curvature + curvature.T) / 2, hermitian=True), dtype=np.float64)
    return covariance[: design.shape[1], : design.shape[1]]


def _most(log_complement: Array, share: Array) -> Array:
    """(1 - F)/F, kept finite."""
    ratio: Array = np.exp(log_complement) / np.maximum(share, 1e-100)
    return ratio


def _solve(information: Array, score: Array) -> Array:
    """Information⁻¹ · score; a direction nothing is known about stays where it is."""
    if len(score) == 0:
        return np.empty(0)
    scale = np.sqrt(np.maximum(np.diag(information), 1e-200))
    scaled = information / np.outer(scale, scale) + _RIDGE * np.eye(len(score))
    solution: Array = np.linalg.solve(scaled, score / scale) / scale
    return solution
