"""How the chance of a positive reaction rises with log10 copies: p = F(intercept + slope · log10 copies).

    probit    F = Φ                     tolerances normal on the log scale (Finney 1971, Probit Analysis)
    logit     F = 1/(1 + exp(-η))       logistic on the log scale
    cloglog   F = 1 - exp(-exp(η))      p = 1 - exp(-r·x^s) with r = exp(intercept), s = slope/ln 10
    one_hit   cloglog with slope ln 10  p = 1 - exp(-r·x): every molecule is found by itself with the same chance, so
                                        positive reactions count molecules (single-target Poisson)

One-hit is what a PCR that works should be; cloglog holds it as the case s = 1 and lets it fail, which is why it is the
default. r = 1 is the Poisson floor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["LINKS", "Link", "link_named"]

LINKS = ("probit", "logit", "cloglog", "one_hit")

_MOST_EXPONENT = 200.0  # exp() stays finite, also times the reactions of a level
_ROOT_TWO = float(np.sqrt(2))
_TWICE_DENSITY_AT_ZERO = float(np.sqrt(2 / np.pi))


@dataclass(frozen=True)
class Link:
    """One form of F.

    Parameters
    ----------
    name : one of LINKS.
    fixed_slope : slope per decade that is not estimated; None where it is.
    quantile : η of a probability.
    terms : η → ln F, ln(1 - F), F'/F, F'/(1 - F), each exact where F is next to 0 or 1.
    """

    name: str
    fixed_slope: float | None
    quantile: Callable[[float], float]
    terms: Callable[[Array], tuple[Array, Array, Array, Array]]

    def probability(self, predictor: Array) -> Array:
        """F(η)."""
        log_probability, log_complement, _, _ = self.terms(predictor)
        chance: Array = np.where(log_complement < -1, -np.expm1(log_complement), np.exp(log_probability))
        return chance


def link_named(name: str) -> Link:
    """The link of a name of LINKS."""
    return _LINKS[name]


def _logit_terms(predictor: Array) -> tuple[Array, Array, Array, Array]:
    log_probability, log_complement = -np.logaddexp(0, -predictor), -np.logaddexp(0, predictor)
    return log_probability, log_complement, np.exp(log_complement), np.exp(log_probability)


def _probit_terms(predictor: Array) -> tuple[Array, Array, Array, Array]:
    from scipy.special import erfcx, log_ndtr

    # φ/Φ by the scaled complementary error function, which neither overflows nor cancels far out.
    low, high = (_TWICE_DENSITY_AT_ZERO / erfcx(side * predictor / _ROOT_TWO) for side in (-1, 1))
    return log_ndtr(predictor), log_ndtr(-predictor), low, high


def _cloglog_terms(predictor: Array) -> tuple[Array, Array, Array, Array]:
    expected = np.exp(np.clip(predictor, -_MOST_EXPONENT, _MOST_EXPONENT))  # molecules found
    within = np.minimum(expected, _MOST_EXPONENT)
    return np.log(-np.expm1(-expected)), -expected, within / np.expm1(within), expected


def _logit_quantile(probability: float) -> float:
    return float(np.log(probability) - np.log1p(-probability))


def _probit_quantile(probability: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(probability))


def _cloglog_quantile(probability: float) -> float:
    return float(np.log(-np.log1p(-probability)))


_LINKS = {
    "probit": Link("probit", None, _probit_quantile, _probit_terms),
    "logit": Link("logit", None, _logit_quantile, _logit_terms),
    "cloglog": Link("cloglog", None, _cloglog_quantile, _cloglog_terms),
    "one_hit": Link("one_hit", float(np.log(10)), _cloglog_quantile, _cloglog_terms),
}
