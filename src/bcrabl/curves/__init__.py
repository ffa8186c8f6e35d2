"""What a curve tells: baseline, sigmoid fit, Cq, efficiency, amplification call. Arrays in, arrays out."""

from bcrabl.curves.amplification import CallLimits
from bcrabl.curves.analysis import METHODS, CurveAnalysis, analyse_curves

__all__ = ["METHODS", "CallLimits", "CurveAnalysis", "analyse_curves"]
