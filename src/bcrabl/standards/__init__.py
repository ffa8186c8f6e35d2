"""What the world agreed on, as data: assay protocols, response classes, calibrators, rules for conversion factors.

The files under resources/standards are written for a biologist to read and to copy; this room reads them, refuses what
does not fit its schema (a number without source and status among the rest) and hands out frozen objects. Each object
also carries `citations`, one line per number, for the report, and `unverified`, those nobody has compared with their
source yet. `verified` means read in the named source, `unverified` attributed to it from memory. docs/standards.md says
what there is and how a laboratory adds its own.
"""

from __future__ import annotations

from bcrabl.citations import Citation
from bcrabl.schemas import schema_folder, standards_folder
from bcrabl.standards.assays import (
    AssayProtocol,
    LowestStandard,
    ReplicateSpread,
    TargetProtocol,
    Window,
    assay_path,
    load_assay,
)
from bcrabl.standards.calibrators import Calibrator, CalibratorLevel, calibrator_path, load_calibrator
from bcrabl.standards.cited import CitedNumber, CitedText, CitedValue, Standard, unverified_numbers
from bcrabl.standards.factors import FactorRule, FactorRules, SpreadLimit, Verdict, load_factor_rules
from bcrabl.standards.response import ResponseClass, ResponseRules, load_response_rules, score_sample

__all__ = [
    "AssayProtocol",
    "Calibrator",
    "CalibratorLevel",
    "Citation",
    "CitedNumber",
    "CitedText",
    "CitedValue",
    "FactorRule",
    "FactorRules",
    "LowestStandard",
    "ReplicateSpread",
    "ResponseClass",
    "ResponseRules",
    "SpreadLimit",
    "Standard",
    "TargetProtocol",
    "Verdict",
    "Window",
    "assay_path",
    "calibrator_path",
    "load_assay",
    "load_calibrator",
    "load_factor_rules",
    "load_response_rules",
    "schema_folder",
    "score_sample",
    "standards_folder",
    "unverified_numbers",
]
