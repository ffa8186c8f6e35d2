"""The FHIR bundle: valid as R4B and R5, every number that of the results table, no value where none may be reported."""

from __future__ import annotations

import json
import math

import pytest
from lims_rows import HOSTILE_NAMES, not_on_scale, result, rows_of, to_repeat, undetected

from bcrabl.lims.fhir import LOINC_INTERNATIONAL_SCALE, fhir_bundle, fhir_text
from bcrabl.tables import RESULTS

EVERY_KIND = (
    result("S1"),
    undetected("S2"),
    not_on_scale("S3"),
    to_repeat("S4"),
    result("S5", outcome="review", flags=["not_in_sample_sheet"], patient_id=None, collection_date=None, material=None),
    result("S6", is_high=math.inf, ratio_high=math.inf, class_probabilities=None, loq_copies=12.5),
    result("S7", **dict.fromkeys(("is_low", "is_high", "ratio_low", "ratio_high", "run_date"))),
)


def observations(*results):
    bundle = json.loads(fhir_text(rows_of(*results), "R1", "LAB1"))
    samples = [entry["resource"] for entry in bundle["entry"]]
    return [entry["resource"] for sample in samples for entry in sample["entry"] if is_observation(entry)]


def is_observation(entry):
    return entry["resource"]["resourceType"] == "Observation"


def components(observation):
    return {component["id"]: component for component in observation["component"]}


@pytest.fixture(params=["R4B", "R5"])
def bundle_model(request):
    """The Bundle of a FHIR release as the `fhir.resources` models have it."""
    missing = "fhir.resources is not installed (extra `test`)"
    if request.param == "R4B":
        return pytest.importorskip("fhir.resources.R4B.bundle", reason=missing).Bundle
    return pytest.importorskip("fhir.resources.bundle", reason=missing).Bundle


@pytest.mark.parametrize("results", [EVERY_KIND, tuple(map(result, HOSTILE_NAMES)), ()], ids=["kinds", "hostile", "no"])
def test_the_bundle_is_valid_by_the_models_and_they_lose_nothing(bundle_model, results):
    text = fhir_text(rows_of(*results), "R1", "LAB1")
    read = bundle_model.model_validate_json(text)
    assert json.loads(read.model_dump_json()) == json.loads(text)


def test_the_models_refuse_an_observation_that_does_not_say_of_what(bundle_model):
    bundle = fhir_bundle(rows_of(result()), "R1", "LAB1")
    del bundle["entry"][0]["resource"]["entry"][1]["resource"]["code"]
    with pytest.raises(ValueError, match="code"):
        bundle_model.model_validate(bundle)


def test_every_number_is_that_of_the_results_table():
    columns = set(RESULTS.schema.names)
    checked = 0
    for row, observation in zip(EVERY_KIND, observations(*EVERY_KIND), strict=True):
        for name, component in components(observation).items():
            if "valueQuantity" in component and name in columns:
                assert component["valueQuantity"]["value"] == row[name], name
                checked += 1
            if "valueRange" in component:
                scale = name.removesuffix("_interval")
                ends = {end: limit["value"] for end, limit in component["valueRange"].items()}
                known = {end: row[f"{scale}_{end}"] for end in ("low", "high")}
                assert ends == {end: value for end, value in known.items() if math.isfinite(value)}
                checked += 1
        if "valueQuantity" in observation:
            value = row["ratio_percent"] if row["is_percent"] is None else row["is_percent"]
            assert observation["valueQuantity"]["value"] == value
            checked += 1
    assert checked > 60


def test_a_value_on_the_scale_is_coded_with_loinc_and_ucum():
    observation = observations(result())[0]
    assert observation["code"]["coding"][0]["code"] == "69380-4"
    value = {"value": 0.01971998028001972, "unit": "% IS", "system": "http://unitsofmeasure.org", "code": "%"}
    assert observation["valueQuantity"] == value
    assert "referenceRange" not in observation


def test_the_loinc_code_has_the_check_digit_of_its_number():
    number, _, check = LOINC_INTERNATIONAL_SCALE["code"].partition("-")
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in number[::-2]]  # Luhn, as LOINC computes it
    plain = [int(digit) for digit in number[-2::-2]]
    assert int(check) == -(sum(doubled) + sum(plain)) % 10


def test_the_interval_the_class_the_ratio_and_the_sensitivity_are_components():
    found = components(observations(result())[0])
    assert found["is_interval"]["valueRange"]["low"]["value"] == 0.01189
    assert found["response"]["valueString"] == "MR3"
    assert found["response_probability"]["valueQuantity"]["value"] == 0.899
    assert {"ratio_percent", "ratio_interval", "sensitivity_percent", "sensitivity_class", "lod_copies"} <= set(found)


def test_an_undetected_sample_is_not_detected_and_never_zero_percent():
    observation = observations(undetected())[0]
    assert "valueQuantity" not in observation
    assert observation["valueCodeableConcept"] == {"text": "not detected"}
    assert observation["interpretation"][0]["coding"][0]["code"] == "ND"
    found = components(observation)
    assert found["undetected_class"]["valueString"].startswith("undetected at MR5")
    assert found["excluded_percent"]["valueQuantity"]["value"] == 0.00254999745


def test_a_local_ratio_has_no_loinc_code_of_the_international_scale():
    observation = observations(not_on_scale())[0]
    assert "coding" not in observation["code"]
    assert observation["valueQuantity"]["value"] == 0.0231999768000232
    assert observation["valueQuantity"]["unit"] == "%"


@pytest.mark.parametrize(
    ("outcome", "status"), [("report", "final"), ("review", "preliminary"), ("repeat", "cancelled")]
)
def test_the_status_follows_from_the_outcome(outcome, status):
    assert observations(result(outcome=outcome))[0]["status"] == status


@pytest.mark.parametrize("row", [to_repeat(), not_on_scale(outcome="repeat")])
def test_a_sample_to_repeat_has_no_value_and_says_why(row):
    observation = observations(row)[0]
    assert not [name for name in observation if name.startswith("value")]
    assert observation["dataAbsentReason"]["text"].startswith("Please repeat: ")
    assert observation["note"][0]["text"].startswith("Please repeat: ")
    assert set(components(observation)) == {"lod_copies", "run_id", "software", "run_date"}


def test_a_patient_is_a_pseudonym_of_the_laboratory_and_may_be_unknown():
    known, unknown = observations(result(), result(patient_id=None))
    identifier = {"value": "P1", "assigner": {"display": "LAB1"}}
    assert known["subject"] == {"type": "Patient", "identifier": identifier}
    assert "subject" not in unknown


def test_the_observation_refers_to_the_specimen_of_its_own_bundle():
    bundle = fhir_bundle(rows_of(result("A"), result("B")), "R1", "LAB1")
    names = set()
    for entry in bundle["entry"]:
        specimen, observation = entry["resource"]["entry"]
        assert observation["resource"]["specimen"]["reference"] == specimen["fullUrl"]
        assert specimen["resource"]["identifier"][0]["value"] in "AB"
        names |= {specimen["fullUrl"], observation["fullUrl"], entry["fullUrl"]}
    assert len(names) == 6


def test_names_that_only_differ_in_where_they_are_cut_have_identities_of_their_own():
    one, other = (observations(result(name, run_id=run))[0]["id"] for run, name in (("R", "1/S"), ("R/1", "S")))
    assert one != other
