"""Optional settings of an assay protocol: how the standards make a curve, and where the ratio saturates."""

from __future__ import annotations

import hashlib
import json

import pytest
import yaml

from bcrabl.errors import StandardsError
from bcrabl.standards import assay_path, load_assay

STOCK = {"value": 0.03, "one_for_both_targets": True, "unit": "1", "source": "Line", "status": "unverified"}


@pytest.fixture
def changed(tmp_path):
    """A function that loads the EAC protocol with other settings."""

    def load(calibration=None, **scoring):
        document = yaml.safe_load(assay_path("eac").read_text(encoding="utf-8"))
        document["scoring"] |= scoring
        if calibration is not None:
            document["calibration"] = calibration
        (tmp_path / "assays").mkdir(exist_ok=True)
        path = tmp_path / "assays" / "eac.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return load_assay(path)

    return load


def test_left_out_standards_are_weighted_and_their_stock_is_exact(changed):
    assay = changed()
    assert (assay.weighting, assay.stock_relative_sd, assay.one_stock) == ("poisson", 0.0, False)
    assert assay.pooled_runs == 0


def test_a_protocol_may_ask_for_ordinary_least_squares_and_name_its_stock(changed):
    assay = changed({"weighting": "none", "stock": STOCK, "pooled_runs": 20})
    assert (assay.weighting, assay.stock_relative_sd, assay.one_stock) == ("none", 0.03, True)
    assert assay.pooled_runs == 20
    assert ("calibration.stock", "0.03") in {(line.place, line.value) for line in assay.citations}


@pytest.mark.parametrize("name", ["eac", "plasmid_generic", "plasmid_is_mmr"])
def test_shipped_abl1_protocols_note_saturation_from_ten_percent(name):
    assay = load_assay(assay_path(name))
    assert assay.control.name == "ABL1"
    assert assay.saturation_percent == 10
    true_ratio = 0.10 / (1 - 0.10)  # X = B/(A + B) read as 10 %
    assert 0.10 / true_ratio == pytest.approx(0.9)  # "a tenth too low"


@pytest.mark.parametrize(
    ("calibration", "text"),
    [
        ({"weighting": "observed"}, "calibration.weighting: found 'observed'"),
        ({}, "calibration: found"),
        ({"stock": STOCK | {"value": 0}}, "calibration.stock.value: found 0"),
        ({"stock": STOCK | {"value": 1.0}}, r"calibration.stock.value: found 1"),
        ({"stock": STOCK | {"source": "Memory"}}, "calibration.stock.source: found 'Memory'"),
        ({"pooled": 5}, "calibration: found unknown key 'pooled'"),
        ({"pooled_runs": 4}, "calibration.pooled_runs: found 4"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_its_place(calibration, text, changed):
    with pytest.raises(StandardsError, match=text):
        changed(calibration)


def test_a_signed_detection_study_takes_the_place_of_the_limit_of_the_protocol(changed, tmp_path):
    limits = {"status": "ok", "lod_copies": 4.2, "lod_low": 3.0, "lod_high": 9.0, "loq_reported": 20.0}
    target = {"BCR::ABL1": {"links": {"cloglog": limits}}}
    document = {"study": "lod-7", "assay": "eac", "settings": {"link": "cloglog"}, "targets": target}
    (tmp_path / "lod-7.json").write_text(json.dumps(document), encoding="utf-8")
    digest = hashlib.sha256((tmp_path / "lod-7.json").read_bytes()).hexdigest()
    assay = changed(detection_study={"id": "lod-7", "file": "lod-7.json", "sha256": digest})
    assert (assay.lod_copies, assay.loq_copies) == (4.2, 20.0)
    assert assay.detection_study_file == str(tmp_path / "lod-7.json")
    assert "detection study lod-7" in assay.detection_study
    assert (changed().lod_copies, changed().loq_copies, changed().detection_study) == (3, None, None)


@pytest.mark.parametrize("file", ["../lod.json", "/lod.json", "a/../../lod.json", "lod.yaml", "a\\b.json"])
def test_a_detection_study_lies_within_the_standards_folder(file, changed):
    with pytest.raises(StandardsError, match=r"detection_study\.file: found .*; expected a path within the standards"):
        changed(detection_study={"id": "x", "file": file, "sha256": "0" * 64})
