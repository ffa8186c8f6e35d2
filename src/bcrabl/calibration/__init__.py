"""Calibration: from the Cq of standards to a curve, and from a curve to copies with their interval.

    fitting      the line, unweighted or weighted by Poisson's law
    curve        what it is, and copies read off it (Fieller)
    outliers     standards that do not fit, and standards missed
    linearity    lack of fit and polynomial terms
    parallelism  do two targets have one slope
    pooling      this run's curve drawn towards those of earlier runs

Arrays in, dataclasses out; nothing is ever dropped here.
"""

from bcrabl.calibration.curve import CopiesReading, StandardCurve
from bcrabl.calibration.fitting import WEIGHTINGS, fit_standard_curve
from bcrabl.calibration.linearity import LackOfFit, PolynomialCheck, TermTest, check_linearity, lack_of_fit
from bcrabl.calibration.outliers import MissedStandards, OutlierTest, missed_standards, outlying_standards
from bcrabl.calibration.parallelism import Parallelism, compare_slopes
from bcrabl.calibration.pooling import PooledCurve, pool_standard_curves

__all__ = [
    "WEIGHTINGS",
    "CopiesReading",
    "LackOfFit",
    "MissedStandards",
    "OutlierTest",
    "Parallelism",
    "PolynomialCheck",
    "PooledCurve",
    "StandardCurve",
    "TermTest",
    "check_linearity",
    "compare_slopes",
    "fit_standard_curve",
    "lack_of_fit",
    "missed_standards",
    "outlying_standards",
    "pool_standard_curves",
]
