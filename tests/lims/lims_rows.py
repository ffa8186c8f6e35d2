"""Rows of the results table as tests of reports need them, and the reported rows that follow."""

from __future__ import annotations

from datetime import date

from bcrabl.lims import reported_rows
from bcrabl.tables import RESULTS

HOSTILE_NAMES = (
    '=HYPERLINK("http://evil.example";"x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "＝1+1",
    "'=1+1",
    "<img src=x onerror=alert(1)>\"'&",
    "<r><t>bold</t></r>",
    "</t></is></c><c><f>1+1</f></c>",
    'a,b;"c"\r\nd',
    "_x0041_",
    "http://evil.example",
    "00123",
    "1E5",
)


def result(sample_id="S1", **values):
    """A row of a detected sample on the International Scale, ready to report."""
    row = {
        "run_id": "R1",
        "sample_id": sample_id,
        "role": "unkn",
        "patient_id": "P1",
        "collection_date": date(2026, 2, 23),
        "run_date": date(2026, 3, 2),
        "transcript": "e14a2",
        "material": "PB",
        "assay": "eac",
        "control_gene": "ABL1",
        "replicates": 2,
        "detected_replicates": 2,
        "control_replicates": 2,
        "bcr_abl_copies": 23.2,
        "bcr_abl_copies_scored": 23.2,
        "control_copies": 100_000.1,
        "control_copies_lowest": 48_000.7,
        "ratio_percent": 0.0231999768000232,
        "ratio_percent_uncensored": 0.0231999768000232,
        "ratio_low": 0.0139,
        "ratio_high": 0.0361,
        "conversion_factor": 0.85,
        "conversion_factor_id": "LAB1/eac/ABL1/2026-01-01",
        "is_percent": 0.01971998028001972,
        "is_percent_uncensored": 0.01971998028001972,
        "is_low": 0.01189,
        "is_high": 0.03101,
        "detected": True,
        "response_class": "MR3",
        "class_probabilities": {"none": 0.01, "MR2": 0.001, "MR3": 0.899, "MR4": 0.09, "MR4.5": 0.0, "MR5": 0.0},
        "sensitivity_percent": 0.000999999,
        "sensitivity_mr": 5.0000004,
        "sensitivity_class": "MR5",
        "excluded_percent": 0.00254999745,
        "excluded_mr": 4.593460,
        "lod_copies": 3.0,
        "evaluable": True,
        "outcome": "report",
        "flags": [],
    }
    return RESULTS.from_rows([row | values]).to_pylist()[0]


def undetected(sample_id="S2", **values):
    """A row of a sample in which BCR::ABL1 was not found."""
    nothing = dict.fromkeys(("bcr_abl_copies", "bcr_abl_copies_scored", "ratio_percent", "is_percent"), 0.0)
    found = {"ratio_low": 0.0, "ratio_high": 0.0041, "is_low": 0.0, "is_high": 0.00341, "detected": False}
    classes = {"response_class": "MR5", "class_probabilities": {"none": 0.0, "MR5": 1.0}, "detected_replicates": 0}
    return result(sample_id, **nothing | found | classes | values)


def not_on_scale(sample_id="S3", **values):
    """A row of a sample whose transcript the International Scale is not defined for."""
    names = ("conversion_factor", "conversion_factor_id", "is_percent", "is_percent_uncensored", "is_low", "is_high")
    missing = dict.fromkeys((*names, "response_class", "sensitivity_class", "excluded_percent", "excluded_mr"))
    flags = ["not_on_international_scale"]
    return result(sample_id, **missing | {"transcript": "e1a2", "outcome": "review", "flags": flags} | values)


def to_repeat(sample_id="S4", **values):
    """A row of a sample with too few control gene copies."""
    return result(sample_id, **{"outcome": "repeat", "evaluable": False, "flags": ["control_gene_low"]} | values)


def rows_of(*results):
    """The reported rows of these results."""
    return reported_rows(results, site="LAB1", version="1.2.3")
