"""What a curve tells: baseline, sigmoid fit, Cq, efficiency, amplification call. Arrays in, arrays out."""

from bcrabl.curves.analysis import METHODS, CurveAnalysis, analyse_curves

__all__ = ["METHODS", "CurveAnalysis", "analyse_curves"]
