"""Raw qPCR curves to BCR::ABL1 on the International Scale.

The names below are the public face; each is loaded when it is first used, so that `import bcrabl` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bcrabl.calibration import StandardCurve, fit_standard_curve
    from bcrabl.curves import CurveAnalysis, analyse_curves
    from bcrabl.detection import (
        DetectionLimit,
        limit_of_blank,
        limit_of_detection,
        limit_of_quantification,
    )
    from bcrabl.errors import BcrablError
    from bcrabl.formats import read_run
    from bcrabl.harmonisation import ConversionFactor, derive_conversion_factor
    from bcrabl.run import Run
    from bcrabl.scale import SampleScore
    from bcrabl.simulation import simulate_run
    from bcrabl.standards import score_sample

__version__ = "0.1.0"

_FACE = {
    "BcrablError": "bcrabl.errors",
    "ConversionFactor": "bcrabl.harmonisation",
    "CurveAnalysis": "bcrabl.curves",
    "DetectionLimit": "bcrabl.detection",
    "Run": "bcrabl.run",
    "SampleScore": "bcrabl.scale",
    "StandardCurve": "bcrabl.calibration",
    "analyse_curves": "bcrabl.curves",
    "derive_conversion_factor": "bcrabl.harmonisation",
    "fit_standard_curve": "bcrabl.calibration",
    "limit_of_blank": "bcrabl.detection",
    "limit_of_detection": "bcrabl.detection",
    "limit_of_quantification": "bcrabl.detection",
    "read_run": "bcrabl.formats",
    "score_sample": "bcrabl.standards",
    "simulate_run": "bcrabl.simulation",
}

__all__ = [
    "BcrablError",
    "ConversionFactor",
    "CurveAnalysis",
    "DetectionLimit",
    "Run",
    "SampleScore",
    "StandardCurve",
    "__version__",
    "analyse_curves",
    "derive_conversion_factor",
    "fit_standard_curve",
    "limit_of_blank",
    "limit_of_detection",
    "limit_of_quantification",
    "read_run",
    "score_sample",
    "simulate_run",
]


def __getattr__(name: str) -> object:
    if name in _FACE:
        return getattr(importlib.import_module(_FACE[name]), name)
    raise AttributeError(f"module 'bcrabl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
