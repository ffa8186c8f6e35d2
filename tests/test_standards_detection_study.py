"""A protocol takes its limits from a detection study that the laboratory has signed, and from no other."""

from __future__ import annotations

import hashlib
import json

import pytest

from bcrabl.errors import StandardsError
from bcrabl.standards.detection_study import signed_limits

FUSION = "BCR::ABL1"
LINK = {"lod_copies": 3.4, "lod_low": 2.1, "lod_high": 7.9, "status": "ok", "loq_reported": 11.5}


def study(**changes):
    document = {
        "study": "lod-2026",
        "assay": "eac",
        "settings": {"link": "cloglog"},
        "targets": {FUSION: {"confidence": 0.95, "links": {"cloglog": LINK, "probit": LINK | {"lod_copies": 5.0}}}},
    }
    return document | changes


@pytest.fixture
def signed(tmp_path):
    """Writes a study into a standards folder and takes its limits as an assay would."""

    def _signed(document, assay="eac", fusion=FUSION, **entry):
        text = json.dumps(document) if isinstance(document, dict) else document
        (tmp_path / "lod.json").write_text(text, encoding="utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()
        entry = {"id": "lod-2026", "file": "lod.json", "sha256": digest} | entry
        return signed_limits("eac.yaml, scoring.detection_study", entry, tmp_path, assay, fusion)

    return _signed


def test_a_signed_study_gives_the_limits_of_the_link_that_was_chosen(signed):
    limits = signed(study())
    assert (limits.study, limits.lod_copies, limits.loq_copies) == ("lod-2026", 3.4, 11.5)
    assert limits.source == "detection study lod-2026, link cloglog: 3.4 copies/reaction (95% interval 2.1 to 7.9)"


def test_a_study_without_a_limit_of_quantification_gives_none(signed):
    of_link = {FUSION: {"links": {"cloglog": LINK | {"loq_reported": None}}}}
    assert signed(study(targets=of_link)).loq_copies is None


@pytest.mark.parametrize(
    ("document", "given", "message"),
    [
        (study(), {"file": "none.json"}, r"scoring\.detection_study\.file: found .*none\.json"),
        (study(), {"sha256": "0" * 64}, r"detection_study\.sha256, .*lod\.json: found [0-9a-f]{64}; expected 0{64}"),
        (study(), {"id": "lod-2025"}, r"scoring\.detection_study\.id: found a study of id 'lod-2026'"),
        (study(assay="other"), {}, r"scoring\.detection_study\.assay: found a study of assay 'other'; expected 'eac'"),
        (study(targets={"ABL1": {"links": {"cloglog": LINK}}}), {}, "targets: found ABL1; expected BCR::ABL1"),
        (
            study(targets={FUSION: {"links": {"cloglog": LINK | {"status": "refused", "why": "all detected"}}}}),
            {},
            "found all detected; expected a study that sets a limit",
        ),
        (study(targets={FUSION: {"links": {"cloglog": LINK | {"lod_high": None}}}}), {}, "finite interval"),
        ("{}", {}, "KeyError: 'settings'; expected the JSON file"),
        ("[", {}, "JSONDecodeError"),
        ("[1]", {}, "TypeError"),
    ],
)
def test_a_study_that_is_not_the_one_signed_is_refused(document, given, message, signed):
    with pytest.raises(StandardsError, match=message):
        signed(document, **given)
