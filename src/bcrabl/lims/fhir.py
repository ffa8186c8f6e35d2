"""The report as HL7 FHIR: one Bundle per sample, with its Specimen and its Observation, in one Bundle per run.

The elements used are valid in R4, R4B and R5, so one file serves all three. A value on the International Scale is
coded with LOINC 69380-4, as by NHS North West Genomics (FHIR implementation guide, BCR-ABL1 monitoring, example
Observation); a local ratio has no code for what it is and is named in words. An `Observation.component` carries in its
`id` the name of the column of the results table that it repeats, digit for digit. Patients are pseudonyms, given as
logical references; no time stamps and no random identifiers, so the same results give the same bytes.

    outcome   Observation.status   value
    report    final                valueQuantity, or valueCodeableConcept "not detected"
    review    preliminary          the same
    repeat    cancelled            none: dataAbsentReason and note say why
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from bcrabl.lims.rows import ON_SCALE, Cell

__all__ = ["LOINC_INTERNATIONAL_SCALE", "fhir_bundle", "fhir_text"]

Element = dict[str, Any]

LOINC_INTERNATIONAL_SCALE = {
    "system": "http://loinc.org",
    "code": "69380-4",
    "display": (
        "t(9;22)(q34.1;q11)(ABL1,BCR) b2a2+b3a2 fusion transcript/control transcript (International Scale) "
        "[# Ratio] in Blood or Tissue by Molecular genetics method"
    ),
}

_STATUS = {"report": "final", "review": "preliminary", "repeat": "cancelled"}
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_LABORATORY = {"system": f"{_TERMINOLOGY}/observation-category", "code": "laboratory", "display": "Laboratory"}
_DETECTED = {"system": f"{_TERMINOLOGY}/v3-ObservationInterpretation", "code": "DET", "display": "Detected"}
_NOT_DETECTED = {"system": f"{_TERMINOLOGY}/v3-ObservationInterpretation", "code": "ND", "display": "Not detected"}
_NO_VALUE = {"system": f"{_TERMINOLOGY}/data-absent-reason", "code": "error", "display": "Error"}
_UCUM = "http://unitsofmeasure.org"
_SPACE = uuid.UUID("6f6b6b0e-4b0d-5d0c-9d0f-2f8f1f9f6a55")  # names below are unique within this space

# component: words, unit as shown, UCUM code
_QUANTITIES = {
    "ratio_percent": ("BCR::ABL1 / control gene ratio, local scale", "%", "%"),
    "conversion_factor": ("Conversion factor to the International Scale", "", "1"),
    "bcr_abl_copies": ("BCR::ABL1 copies, as read off the standard curve", "copies", "{copies}"),
    "bcr_abl_copies_scored": ("BCR::ABL1 copies, as scored", "copies", "{copies}"),
    "control_copies": ("Control gene copies in the volume tested", "copies", "{copies}"),
    "control_copies_lowest": ("Control gene copies in the weakest replicate", "copies", "{copies}"),
    "response_probability": ("Probability of the molecular response class", "", "1"),
    "sensitivity_percent": ("Sensitivity: one copy per control gene copies tested, local scale", "%", "%"),
    "sensitivity_mr": ("Sensitivity as molecular response, 2 - log10(%)", "MR", "1"),
    "excluded_percent": ("Level excluded with 95 % if not detected, International Scale", "% IS", "%"),
    "excluded_mr": ("Level excluded with 95 % as molecular response", "MR", "1"),
    "lod_copies": ("Limit of detection per sample", "copies", "{copies}"),
    "loq_copies": ("Limit of quantification", "copies", "{copies}"),
}
_TEXTS = {
    "response": "Molecular response",
    "sensitivity_class": "Deepest molecular response class the control gene copies permit",
    "undetected_class": "Not detected: by the guideline",
    "undetected_bound": "Not detected: with 95 %",
    "conversion_factor_id": "Conversion factor id",
    "transcript": "BCR::ABL1 transcript",
    "control_gene": "Control gene",
    "result": "Result as reported",
    "interval": "95 % interval as reported",
    "scale": "Scale of the result as reported",
    "run_id": "Run",
    "software": "Software",
}
_INTERVALS = {
    "is": ("95 % interval, International Scale", "% IS"),
    "ratio": ("95 % interval of the ratio, local scale", "%"),
}
_ABOUT_THE_RUN = ("run_id", "software")  # also of a sample without a result
_NOT_A_CHARACTER_OF_FHIR = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def fhir_text(rows: Iterable[Mapping[str, Cell]], run_id: str, site: str) -> str:
    """The run's bundle as JSON text, with the digits that give the same numbers again."""
    return json.dumps(fhir_bundle(rows, run_id, site), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def fhir_bundle(rows: Iterable[Mapping[str, Cell]], run_id: str, site: str) -> Element:
    """The bundle of a run, whose entries are the bundles of its samples.

    Parameters
    ----------
    rows : of `bcrabl.lims.rows.reported_rows`.
    run_id, site : of the run.
    """
    return _bundle([_of_sample(row) for row in rows], site, run_id)


def _of_sample(row: Mapping[str, Cell]) -> Element:
    return _bundle([_specimen(row), _observation(row)], *_names(row))


def _bundle(resources: list[Element], *names: str) -> Element:
    identity = _identity("Bundle", *names)
    entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources]
    return {
        "resourceType": "Bundle",
        "id": identity,
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{identity}"},
        "type": "collection",
        **({"entry": entries} if entries else {}),
    }


def _specimen(row: Mapping[str, Cell]) -> Element:
    collected = row["collection_date"]
    return {
        "resourceType": "Specimen",
        "id": _identity("Specimen", *_names(row)),
        "identifier": [_identifier(row, "sample_id")],
        **({"type": {"text": _text(row["material"])}} if row["material"] else {}),
        **_subject(row),
        **({"collection": {"collectedDateTime": collected.isoformat()}} if isinstance(collected, date) else {}),
    }


def _observation(row: Mapping[str, Cell]) -> Element:
    names = _names(row)
    collected = row["collection_date"]
    return {
        "resourceType": "Observation",
        "id": _identity("Observation", *names),
        "status": _STATUS[str(row["outcome"])],
        "category": [{"coding": [_LABORATORY]}],
        "code": _code(row),
        **_subject(row),
        **({"effectiveDateTime": collected.isoformat()} if isinstance(collected, date) else {}),
        "performer": [{"display": _text(row["site"])}],
        **_value(row),
        **({"note": [{"text": _text(row["comment"])}]} if row["comment"] else {}),
        "method": {"text": _text(row["assay"])},
        "specimen": {"reference": f"urn:uuid:{_identity('Specimen', *names)}"},
        "component": _components(row),
    }


def _code(row: Mapping[str, Cell]) -> Element:
    if row["scale"] == ON_SCALE:
        return {"coding": [LOINC_INTERNATIONAL_SCALE], "text": "BCR::ABL1, International Scale"}
    return {"text": "BCR::ABL1 / control gene ratio, local scale"}


def _value(row: Mapping[str, Cell]) -> Element:
    on_scale = row["scale"] == ON_SCALE
    value = row["is_percent"] if on_scale else row["ratio_percent"]
    if value is None:
        return {"dataAbsentReason": {"coding": [_NO_VALUE], "text": _text(row["comment"] or row["result"])}}
    if row["detected_replicates"] == 0:
        found: Element = {"valueCodeableConcept": {"text": "not detected"}}
        return found | {"interpretation": [{"coding": [_NOT_DETECTED]}]}
    return {
        "valueQuantity": _quantity(value, "% IS" if on_scale else "%", "%"),
        "interpretation": [{"coding": [_DETECTED]}],
    }


def _components(row: Mapping[str, Cell]) -> list[Element]:
    found = [
        _component(name, words, {"valueQuantity": _quantity(row[name], unit, code)})
        for name, (words, unit, code) in _QUANTITIES.items()
        if row[name] is not None
    ]
    found += [_interval(row, scale) for scale in _INTERVALS if row[f"{scale}_low"] is not None]
    measured = row["ratio_percent"] is not None
    found += [
        _component(name, words, {"valueString": _text(row[name])})
        for name, words in _TEXTS.items()
        if row[name] and (measured or name in _ABOUT_THE_RUN)
    ]
    tested = row["run_date"]
    if isinstance(tested, date):
        found.append(_component("run_date", "Day of the run", {"valueDateTime": tested.isoformat()}))
    return found


def _interval(row: Mapping[str, Cell], scale: str) -> Element:
    """Both ends; a lower end alone where nothing bounds the value from above."""
    name, unit = _INTERVALS[scale]
    ends = {end: row[f"{scale}_{end}"] for end in ("low", "high")}
    limits = {end: _quantity(value, unit, "%") for end, value in ends.items() if value is not None}
    return _component(f"{scale}_interval", name, {"valueRange": limits})


def _component(name: str, words: str, value: Element) -> Element:
    return {"id": name, "code": {"text": words}, **value}


def _quantity(value: Cell, unit: str, code: str) -> Element:
    return {"value": value, **({"unit": unit} if unit else {}), "system": _UCUM, "code": code}


def _subject(row: Mapping[str, Cell]) -> Element:
    if row["patient_id"] is None:
        return {}
    return {"subject": {"type": "Patient", "identifier": _identifier(row, "patient_id")}}


def _identifier(row: Mapping[str, Cell], name: str) -> Element:
    return {"value": _text(row[name]), "assigner": {"display": _text(row["site"])}}


def _names(row: Mapping[str, Cell]) -> tuple[str, str, str]:
    return str(row["site"]), str(row["run_id"]), str(row["sample_id"])


def _identity(*names: str) -> str:
    """The same UUID for the same names; JSON keeps two names apart whatever they contain."""
    return str(uuid.uuid5(_SPACE, json.dumps(names)))


def _text(value: Cell) -> str:
    """Text as FHIR allows it: without the control characters that its strings must not hold."""
    return _NOT_A_CHARACTER_OF_FHIR.sub("\N{REPLACEMENT CHARACTER}", str(value))
