"""Assay protocols and response rules: shipped files are sound and cited, and a wrong one is refused with its place."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from functools import partial

import pytest
import yaml
from standards_files import changed_copy, put

from bcrabl.curves import CallLimits
from bcrabl.errors import StandardsError
from bcrabl.standards import (
    ResponseClass,
    ResponseRules,
    Window,
    assay_path,
    load_assay,
    load_response_rules,
    schema_folder,
    score_sample,
    standards_folder,
    unverified_numbers,
)

ASSAYS = ["eac", "plasmid_generic", "plasmid_is_mmr"]
SHIPPED = sorted(standards_folder().rglob("*.yaml"))


@pytest.fixture
def eac():
    return load_assay(assay_path("eac"))


@pytest.fixture
def changed(tmp_path):
    """Writes a shipped file with one change and gives its path."""
    return partial(changed_copy, tmp_path)


# -- what is shipped --------------------------------------------------------------------------------------------------


def numbers_without_citation(node, cited=False, place=""):
    if isinstance(node, dict):
        cited = cited or ({"source", "status"} <= node.keys() and node["source"])
        children = node.items()
    elif isinstance(node, list):
        children = enumerate(node)
    else:
        return [place] if isinstance(node, int | float) and not isinstance(node, bool) and not cited else []
    return [bare for key, child in children for bare in numbers_without_citation(child, cited, f"{place}/{key}")]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_number_carries_source_and_status(path):
    assert numbers_without_citation(yaml.safe_load(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_source_is_used(path):
    text = path.read_text(encoding="utf-8")
    keys = yaml.safe_load(text)["sources"]
    assert [key for key in keys if text.count(key) < 2] == []


@pytest.mark.parametrize("assay", ASSAYS)
def test_shipped_assays_load_under_their_own_name_with_citations(assay):
    protocol = load_assay(assay_path(assay))
    assert protocol.id == assay
    assert all(len(line.source) > 20 and line.status in ("verified", "unverified") for line in protocol.citations)


def test_every_assay_that_is_shipped_is_tested_here():
    assert sorted(path.stem for path in SHIPPED if path.parent.name == "assays") == ASSAYS


def test_schemas_and_standards_are_found():
    assert (schema_folder() / "assay.schema.yaml").is_file()
    assert (standards_folder() / "assays").is_dir()


def test_a_protocol_can_be_written_as_json(eac):
    assert json.loads(json.dumps(asdict(eac)))["threshold"] == 0.1


# -- response classes: levels White 2022 and PHIS, control gene minima Cross 2015 (domain.md 1.1) ---------------------


def test_the_response_classes_are_those_published():
    rules = load_response_rules()
    assert [(each.name, each.is_percent) for each in rules.classes] == [
        ("MR2", 1.0),
        ("MR3", 0.1),
        ("MR4", 0.01),
        ("MR4.5", 0.0032),
        ("MR5", 0.001),
    ]
    assert [dict(each.minimum_copies) for each in rules.classes] == [
        {},
        {"ABL1": 10_000, "GUSB": 24_000},
        {"ABL1": 10_000, "GUSB": 24_000},
        {"ABL1": 32_000, "GUSB": 77_000},
        {"ABL1": 100_000, "GUSB": 240_000},
    ]
    assert rules.classes[1].aliases == ("MMR",)


def test_replicate_minima_and_transcripts_on_the_scale():
    rules = load_response_rules()
    assert rules.replicate_minimum == {"ABL1": 10_000, "GUSB": 24_000}
    assert rules.transcripts_on_scale == ("e13a2", "e14a2", "e13a2+e14a2")


def test_the_rules_name_the_paper_behind_each_number():
    by_place = {line.place: line for line in load_response_rules().citations}
    level = by_place["classes[3].is_percent"]
    assert (level.value, level.unit, level.status) == ("0.0032", "% IS", "verified")
    assert "Cross NCP et al. Leukemia 2015" in by_place["classes[4].minimum_copies.GUSB"].source


# -- the EAC protocol (domain.md 2, 7.1) ------------------------------------------------------------------------------


def test_eac_reads_cq_at_a_fixed_threshold_above_cycles_3_to_15(eac):
    assert (eac.cq_method, eac.threshold, eac.baseline) == ("threshold", 0.1, (3, 15))
    assert eac.passive_reference == "required"


def test_every_cut_of_the_amplification_call_can_be_moved_by_name(changed):
    shape = yaml.safe_load((schema_folder() / "assay.schema.yaml").read_text(encoding="utf-8"))
    names = set(shape["properties"]["cq"]["properties"]["call_limits"]["properties"])
    assert names == {field.name for field in fields(CallLimits)} - {"spikes"}
    moved = {
        "fold": {"value": [1.1, 1.3], "unit": "fold/cycle", "source": "Gabert2003", "status": "unverified"},
        "plateau_ratio": {"value": 0.1, "unit": "1", "source": "Gabert2003", "status": "unverified"},
    }
    assay = load_assay(changed(assay_path("eac"), put("cq", "call_limits", value=moved)))
    assert assay.call_limits == {"fold": (1.1, 1.3), "plateau_ratio": 0.1}
    assert replace(CallLimits(), **assay.call_limits).fold == (1.1, 1.3)


def test_a_pair_of_cuts_is_not_taken_for_one(changed):
    one = {"value": 1.1, "unit": "fold/cycle", "source": "Gabert2003", "status": "unverified"}
    with pytest.raises(StandardsError, match=r"cq\.call_limits\.fold\.value"):
        load_assay(changed(assay_path("eac"), put("cq", "call_limits", value={"fold": one})))


def test_eac_standards(eac):
    assert eac.fusion.levels == (10, 100, 1000, 10_000, 100_000, 1_000_000)
    assert eac.control.levels == (1000, 10_000, 100_000)
    assert eac.lowest_standard.copies == 10


def test_eac_acceptance_windows(eac):
    windows = {check: [(w.lower, w.upper, w.severity) for w in own] for check, own in eac.acceptance.items()}
    assert windows == {
        "slope": [(-3.9, -3.0, "fail"), (-3.6, -3.2, "warn")],
        "r_squared": [(0.95, None, "fail"), (0.98, None, "warn")],
        "efficiency": [(0.9, 1.1, "warn")],
        "control_copies": [(10_000, None, "fail")],
        "blanks": [(None, 0, "fail")],
    }


def test_replicates_may_lie_further_apart_above_36_cycles(eac):
    limits = [eac.replicate_spread.window(mean).upper for mean in (20, 36, 36.01, 40)]
    assert limits == [1.5, 1.5, 2.0, 2.0]


def test_eac_scoring(eac):
    assert (eac.three_copy_rule, eac.minimum_copies, eac.lod_copies) == ("per_replicate", 3, 3)
    assert (eac.below_replicate_minimum, eac.cq_limit, eac.controls) == ("not_evaluable", 1.0, {})


def test_the_generic_assay_finds_threshold_and_baseline_itself():
    generic = load_assay(assay_path("plasmid_generic"))
    assert (generic.threshold, generic.baseline, generic.passive_reference) == (None, None, "if_present")
    assert generic.lowest_standard.copies is None


# -- a kit of the IS-MMR type (domain.md 7.1) -------------------------------------------------------------------------


@pytest.fixture
def kit():
    return load_assay(assay_path("plasmid_is_mmr"))


def test_the_windows_of_the_kit(kit):
    windows = {check: [(w.lower, w.upper, w.severity) for w in own] for check, own in kit.acceptance.items()}
    assert windows == {
        "slope": [(-3.9, -3.0, "fail")],
        "r_squared": [(0.95, None, "fail"), (0.98, None, "warn")],
        "efficiency": [(0.9, 1.1, "warn")],
        "control_copies": [(10_000, None, "fail")],
        "blanks": [(None, 0, "fail")],
    }
    assert kit.lowest_standard.copies == 10
    assert [kit.replicate_spread.window(mean).upper for mean in (36, 36.01)] == [1.5, 2.0]


def test_the_high_control_of_the_kit_shows_no_major_response(kit):
    assert [kit.controls["HC"].admits(percent) for percent in (0.15, 12, 0.1499, None)] == [True, True, False, False]


def test_the_kit_classifies_by_the_number_it_prints_as_below_three(kit):
    assert (kit.three_copy_rule, kit.lod_copies, kit.cq_limit) == ("none", 3, None)


def test_every_window_of_the_kit_was_read_in_its_source(kit):
    windows = [window for own in kit.acceptance.values() for window in own]
    windows += [*kit.controls.values(), kit.replicate_spread.up_to_border, kit.replicate_spread.above_border]
    assert {window.status for window in windows} == {"verified"}


# -- what nobody has compared with its source yet ---------------------------------------------------------------------


def test_an_assay_says_which_of_its_numbers_are_unverified(eac):
    assert [line.place for line in eac.unverified] == [
        "targets.fusion.levels",
        "targets.control.levels",
        "cq.threshold",
        "cq.baseline",
        "acceptance.slope[1]",
        "positive.cq_limit",
        "scoring.three_copy_rule",
        "scoring.below_replicate_minimum",
    ]
    assert eac.status == "unverified"


def test_the_rules_an_assay_is_scored_by_count_with_it(eac):
    rules = load_response_rules()
    together = unverified_numbers(eac, rules)
    assert together == (*eac.unverified, *rules.unverified)
    assert [line.place for line in rules.unverified] == [
        "classes[1].minimum_copies.ABL1",
        "classes[1].minimum_copies.GUSB",
        "classes[2].minimum_copies.GUSB",
        "classes[3].minimum_copies.GUSB",
        "classes[4].minimum_copies.GUSB",
    ]


def test_an_assay_whose_every_number_was_read_is_verified(changed):
    def read_everything(node):
        if isinstance(node, dict):
            if node.get("status") == "unverified":
                node["status"] = "verified"
            node = list(node.values())
        for child in node if isinstance(node, list) else []:
            read_everything(child)

    protocol = load_assay(changed(assay_path("eac"), read_everything))
    assert (protocol.status, protocol.unverified) == ("verified", ())


# -- names and windows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("BCR-ABL", "BCR::ABL1"),
        ("bcr::abl1", "BCR::ABL1"),
        (" Abl ", "ABL1"),
        ("c-abl", "ABL1"),
        ("GUSB", None),
        ("", None),
    ],
)
def test_targets_are_known_by_their_aliases_in_any_case(eac, name, canonical):
    assert eac.canonical_target(name) == canonical


@pytest.mark.parametrize(
    ("value", "inside"), [(-3.9, True), (-3.0, True), (-3.91, False), (None, False), (float("nan"), False)]
)
def test_a_window_holds_its_limits_and_no_missing_value(value, inside):
    assert Window(-3.9, -3.0, "fail", "kit").admits(value) is inside


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window(0.95, None, "fail", ""), "at least 0.95"),
        (Window(None, 0, "fail", ""), "at most 0"),
        (Window(1, 2, "warn", ""), "1 to 2"),
    ],
)
def test_a_window_says_what_it_accepts(window, words):
    assert str(window) == words


def test_a_laboratory_can_add_its_own_controls(changed):
    window = {"lower": 5, "upper": 20, "unit": "% IS", "severity": "warn", "source": "KitRules", "status": "verified"}
    protocol = load_assay(changed(assay_path("eac"), put("controls", value={"HC lot 7": window})))
    assert protocol.controls["HC lot 7"].admits(10)


# -- files that are refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["EAC", "../assays/eac", "aec", ""])
def test_an_unknown_assay_is_refused_listing_those_there_are(name):
    with pytest.raises(StandardsError, match=r"found no assay .*expected one of eac, plasmid_generic, plasmid_is_mmr"):
        assay_path(name)


def test_a_folder_without_assays_says_so(tmp_path):
    with pytest.raises(StandardsError, match="which holds none"):
        assay_path("eac", tmp_path)


SLOPE = {
    "lower": -3.9,
    "upper": -3.0,
    "unit": "cycles/decade",
    "severity": "fail",
    "source": "KitRules",
    "status": "verified",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            put("cq", "threshold", "source", value=None),
            r"eac\.yaml, cq\.threshold: found no source; expected the key source",
        ),
        (
            put("cq", "threshold", "status", value="sure"),
            r"cq\.threshold\.status: found 'sure'; expected one of verified, unverified",
        ),
        (
            put("cq", "threshold", "source", value="Gabert"),
            r"cq\.threshold\.source: found 'Gabert'; expected a key of sources: .*Did you mean 'Gabert2003'",
        ),
        (put("source", value="Nobody"), r"eac\.yaml, source: found 'Nobody'"),
        (put("sources", "Gabert2003", value=""), r"sources\.Gabert2003: found ''; expected a citation: author"),
        (put("cq", "threshold", value=0.1), r"cq\.threshold: found 0\.1; expected {value, unit, source, status}"),
        (put("cq", "threshold", value="manual"), r"cq\.threshold: found 'manual'; expected auto or {value"),
        (
            put("cq", "threshold", "value", value="1e-1"),
            r"cq\.threshold\.value: found '1e-1'; expected a number\. Without quotes",
        ),
        (put("cq", "baseline", value="none"), r"cq\.baseline: found 'none'; expected auto or {start"),
        (put("cq", "baseline", "end", value=2), r"cq\.baseline: found 3 to 2; expected a start before the end"),
        (put("cq", "method", value="thresold"), r"cq\.method: found 'thresold'; .* Did you mean 'threshold'\?"),
        (put("acceptance", "slope", value=[]), r"acceptance\.slope: found a list of 0; expected at least 1 entries"),
        (
            put("acceptance", "slope", 0, value={**SLOPE, "upper": -4.0}),
            r"acceptance\.slope\[0\]: found lower -3\.9 above upper -4\.0",
        ),
        (
            put("acceptance", "blanks", 0, "upper", value=None),
            r"acceptance\.blanks\[0\]: found a mapping with the keys .*expected {lower and/or upper",
        ),
        (
            put("acceptance", "replicate_spread", "up_to_border", value=SLOPE | {"lower": 0, "upper": None}),
            r"up_to_border\.upper: found nothing; expected a number",
        ),
        (put("acceptance", "slop", value=[]), r"acceptance: found unknown key 'slop'.*Did you mean 'slope'\?"),
        (put("id", value="eac2"), r"eac\.yaml, id: found 'eac2'; expected the name of the file, 'eac'"),
        (put("targets", "control", "aliases", value=["bcr-abl"]), r"targets: found 'bcr-abl' for fusion and control"),
        (put("scoring", value=None), r"eac\.yaml: found no scoring; expected the key scoring"),
        (
            put("scoring", "three_copy_rule", "applies_to", value="always"),
            r"applies_to: found 'always'; expected one of per_replicate",
        ),
    ],
)
def test_a_protocol_that_does_not_fit_is_refused_with_its_place(changed, change, message):
    with pytest.raises(StandardsError, match=message):
        load_assay(changed(assay_path("eac"), change))


def test_all_problems_of_a_protocol_are_reported_at_once(changed):
    def change(document):
        document["cq"]["method"] = "guess"
        document["acceptance"]["slope"][0]["severity"] = "panic"

    with pytest.raises(StandardsError) as caught:
        load_assay(changed(assay_path("eac"), change))
    assert [problem.where.split(", ")[1] for problem in caught.value.problems] == [
        "acceptance.slope[0].severity",
        "cq.method",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            put("classes", 2, "is_percent", "value", value=0.2),
            r"classes\[2\]: found 0\.2 % IS; expected less than 0\.1 of MR3",
        ),
        (
            put("classes", 4, "minimum_copies", "ABL1", "value", value=100),
            r"classes\[4\]\.minimum_copies\.ABL1: found 100; expected at least 32000, which MR4\.5 takes",
        ),
        (
            put("replicate_minimum", "GUSB", value=None),
            r"minimum_copies: found 'GUSB'; expected a gene of replicate_minimum: ABL1",
        ),
        (put("classes", 0, "is_percent", "source", value=None), r"classes\[0\]\.is_percent: found no source"),
        (put("classes", 0, "is_percent", "source", value=[]), r"source: found a list of 0; expected a key of sources"),
        (put("classes", 0, "is_percent", "source", value="Memory"), r"found 'Memory'; expected a key of sources"),
        (
            put("transcripts_on_scale", "value", value=["b3a2"]),
            r"transcripts_on_scale\.value\[0\]: found 'b3a2'; expected one of e13a2",
        ),
        (put("id", value="other"), r"id: found 'other'; expected molecular_response"),
    ],
)
def test_response_rules_that_do_not_fit_are_refused_with_their_place(changed, change, message):
    with pytest.raises(StandardsError, match=message):
        load_response_rules(changed(standards_folder() / "molecular_response.yaml", change))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id: a\nid: b\n", r"row 2: found key 'id' given twice"),
        ("[]", r"found a list of 0; expected a mapping"),
        ("", r"found nothing; expected a mapping"),
        ("id: !!python/name:os.system\n", "could not determine a constructor"),
        ("cq: {threshold: .nan}", r"found the number \.nan"),
    ],
)
def test_a_file_that_is_no_protocol_is_refused(tmp_path, text, message):
    path = tmp_path / "eac.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StandardsError, match=message):
        load_assay(path)


def test_a_missing_protocol_is_named(tmp_path):
    with pytest.raises(StandardsError, match=r"gone\.yaml: found no readable file"):
        load_assay(tmp_path / "gone.yaml")


# -- scoring with the shipped rules (domain.md, test vectors S) -------------------------------------------------------


@pytest.mark.parametrize(
    ("fusion", "control", "settings", "is_percent", "response"),
    [
        pytest.param([12.4, 10.8], [52_000, 48_000], {"conversion_factor": 0.85}, 0.01972, "MR3", id="S1"),
        pytest.param([4.1, 0], [31_000, 29_500], {}, 0.006777, "MR4", id="S2"),
        pytest.param([1.2, 0.8], [60_000, 60_000], {}, 0.0050, "MR4", id="S3-per-replicate"),
        pytest.param(
            [1.2, 0.8], [60_000, 60_000], {"three_copy_rule": "per_total"}, 0.0025, "MR4.5", id="S3-per-total"
        ),
        pytest.param([0, 0], [20_000, 20_000], {}, 0.0, "MR4.5", id="S7"),
        pytest.param([0, 0, 0], [36_000, 35_000, 34_000], {}, 0.0, "MR5", id="S8"),
        pytest.param([0, 0], [6_000, 30_000], {}, 0.0, None, id="S12-strict"),
        pytest.param([0, 0], [6_000, 30_000], {"below_replicate_minimum": "drop"}, 0.0, "MR4", id="S12-drop"),
        pytest.param([0, 0], [38_450, 38_450], {"control_gene": "GUSB"}, 0.0, "MR4", id="S13"),
        pytest.param([0, 0], [38_500, 38_500], {"control_gene": "GUSB"}, 0.0, "MR4.5", id="S13-enough"),
    ],
)
def test_samples_are_scored_by_the_shipped_rules(fusion, control, settings, is_percent, response):
    score = score_sample(fusion, control, **{"conversion_factor": 1.0, **settings})
    assert score.is_percent == pytest.approx(is_percent, rel=1e-3)
    assert score.response_class == response


def test_own_rules_and_further_settings_are_handed_on():
    rules = ResponseRules((ResponseClass("deep", 50.0, {"ABL1": 1}),), {"ABL1": 1}, ("e14a2",))
    score = score_sample([1], [100], conversion_factor=1.0, rules=rules, minimum_copies=30.0)
    assert (score.is_percent, score.response_class) == (30.0, "deep")
