"""LightCycler 96 experiments: RDML joined with calls, standards and exclusions from the documents beside it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from format_builders import rows, zipped
from lc96_builders import PLATE, analysed, changed, lc96p, members, rdml_document, samples
from mutations import mutated

from bcrabl import analyse_curves
from bcrabl.errors import BcrablError, DamagedFile
from bcrabl.formats import FORMATS, RawFile, read_run, recognise
from bcrabl.run import Run

CALLED = ("vendor_cq", "vendor_cq_text", "vendor_call")


def read(tmp_path: Path, content: bytes) -> Run:
    (tmp_path / "run").write_bytes(content)
    return read_run(tmp_path / "run")


def called(run: Run) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in CALLED) for row in rows(run)]


def test_content_tells_it_from_rdml_whatever_its_name():
    whole, bare = lc96p(), zipped({"rdml_data.xml": rdml_document(PLATE)})
    assert [one.name for one in FORMATS if one.claims(RawFile("x.rdml", whole))] == ["LightCycler 96 experiment"]
    assert [one.name for one in FORMATS if one.claims(RawFile("x.lc96p", bare))] == ["RDML"]


def test_curves_are_the_raw_ones_of_the_rdml_document(tmp_path):
    run = read(tmp_path, lc96p())
    alone = read(tmp_path, zipped({"rdml_data.xml": rdml_document(PLATE)}))
    assert np.array_equal(run.fluorescence, alone.fluorescence)
    assert run.stage == "raw"
    assert [(row["well"], row["sample_id"], row["role"]) for row in rows(run)][:4] == [
        ("A1", "Standard1", "std"),
        ("A2", "Standard2", "std"),
        ("B1", "P1", "unkn"),
        ("B2", "Water", "ntc"),
    ]
    assert run.metadata["format"] == "LightCycler 96 experiment"
    assert run.metadata["vendor"] == "Roche Diagnostics"


def test_a_cq_is_one_only_where_the_call_is_positive(tmp_path):
    assert called(read(tmp_path, lc96p())) == [
        (6.1, None, "Positive"),
        (9.4, None, "Positive"),
        (8.25, None, "Positive"),
        (None, "11.9", "Negative"),
        (None, "100", "Invalid"),
    ]


def test_without_the_documents_beside_it_no_cq_is_vouched_for(tmp_path):
    run = read(tmp_path, zipped({"rdml_data.xml": rdml_document(PLATE)}))
    assert run.metadata["format"] == "RDML 1.1"
    assert any("which of them it calls positive is not part of its RDML" in sentence for sentence in run.warnings)
    assert not any("positive" in sentence for sentence in read(tmp_path, lc96p()).warnings)


def test_standards_carry_the_concentrations_entered(tmp_path):
    run = read(tmp_path, lc96p())
    assert [(row["known_copies"], row["vendor_quantity"]) for row in rows(run)] == [
        (1000, 1000),
        (100, 100),
        (None, 215.25),
        (None, None),
        (None, None),
    ]
    assert run.warnings == (
        "The quantities of 2 standard reactions have the unit ''; they are read as copies per reaction.",
    )


def test_concentrations_below_one_are_said_to_be_hardly_copies(tmp_path):
    run = read(tmp_path, lc96p(changed(PLATE[0], entered="1E-05", analysis=None)))
    assert rows(run)[0]["known_copies"] == 1e-5
    assert "The weakest standard is of 1e-05, which is hardly copies in a reaction" in run.warnings[1]


def test_what_was_excluded_is_omitted(tmp_path):
    assert [row["vendor_omitted"] for row in rows(read(tmp_path, lc96p()))] == [False, True, False, False, False]
    run = read(tmp_path, lc96p(changed(PLATE[2], excluded_altogether="true")))
    assert rows(run)[0]["vendor_omitted"] is True


def test_failures_are_said_with_their_wells(tmp_path):
    water = replace(PLATE[3], call="Positive", analysis=analysed("11.9", failureType="NegIsPositive"))
    run = read(tmp_path, lc96p([*PLATE[:3], water]))
    assert run.warnings[-1] == "The software marks 1 reactions with NegIsPositive: B2."


def test_an_analysis_that_calls_otherwise_leaves_no_call(tmp_path):
    run = read(tmp_path, lc96p(changed(PLATE[2], analysis=analysed(call="Negative"))))
    assert called(run) == [(None, "8.25", None)]
    assert run.warnings == ("1 reactions have no call, or several that differ; their Cq is not taken as one.",)


def test_two_analyses_of_different_cq_leave_none(tmp_path):
    more = f"<absQuantDataSource><graphId>{PLATE[2].graph}</graphId><cq>8.31</cq></absQuantDataSource>"
    run = read(tmp_path, zipped(members([PLATE[2]], more)))
    assert called(run) == [(None, "8.25 and 8.31", "Positive")]


def test_targets_of_one_well_have_calls_of_their_own(tmp_path):
    second = replace(PLATE[2], target="Cy5@ABL1", call="Negative", rdml_cq="10.5", analysis=None)
    run = read(tmp_path, lc96p([PLATE[2], second]))
    assert [(row["target"], row["dye"], row["vendor_call"]) for row in rows(run)] == [
        ("Cy5@ABL1", "Cy5", "Negative"),
        ("FAM@BCR-ABL1", "FAM", "Positive"),
    ]


def test_an_unnamed_rox_target_is_never_a_passive_reference(tmp_path):
    rox = replace(PLATE[2], target="ROX", analysis=None, call="Negative", curve=(1.0,) * 12)
    run = read(tmp_path, lc96p([PLATE[2], rox]))
    assert run.passive_reference is None
    assert [row["target"] for row in rows(run)] == ["FAM@BCR-ABL1", "ROX"]
    assert "The target 'ROX' is named like a passive reference dye, but it has a C" in " ".join(run.warnings)


STRANGER = "<absQuantDataSource><graphId>x</graphId></absQuantDataSource>"


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (
            lc96p(changed(PLATE[2], call="Maybe")),
            r"react '13', target 'FAM@BCR-ABL1': found call 'Maybe'; expected one",
        ),
        (lc96p(changed(PLATE[2], analysis=analysed("x"))), r", cq: found 'x'; expected a number"),
        (
            lc96p(changed(PLATE[0], entered="10")),
            r"react '1', target .*: found concentrations 10 and 1000; expected one",
        ),
        (
            lc96p(changed(PLATE[0], entered="0", analysis=None)),
            r"well A1, target 'FAM@BCR-ABL1': found a standard of quantity 0; expected a quantity above 0",
        ),
        (lc96p(changed(PLATE[2], excluded_altogether="maybe")), r"found excluded 'maybe'; expected true or false"),
        (zipped(members([PLATE[2]], STRANGER)), r"found a result of curve 'x'; expected a curve that the file defines"),
        (lc96p([PLATE[2], PLATE[2]]), r"found a second or unnamed curve '0000000d"),
        (lc96p(app_data=None), r"app_data.xml: found no such member of the archive; expected a document rocheLC96App"),
        (lc96p(module_data="<a/>"), r"module_data.xml: found a document 'a'; expected rocheLC96ModuleData"),
        (lc96p(module_data="<!DOCTYPE a><a/>"), r"module_data.xml: found <!DOCTYPE; expected XML without declarations"),
        (lc96p(rdml_data=None), r"found .*; expected "),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, content, match):
    with pytest.raises(DamagedFile, match=match):
        read(tmp_path, content)


@pytest.mark.parametrize("name", samples())
def test_damaged_archives_are_a_run_or_an_error_of_ours(name):
    chance = random.Random(name)
    for _ in range(200):
        source = RawFile("run", mutated(samples()[name], chance)["run.lc96p"])
        try:
            recognise(source).read(source, None)
        except BcrablError as error:
            assert str(error)  # noqa: PT017 - the error is one of two good outcomes


# --- real files ---


@pytest.mark.real_data
def test_a_real_run_has_its_calls_and_its_tenfold_standards(real_data):
    run = read_run(real_data("lc96p", "run1-plate1.lc96p"))
    listed = rows(run)
    assert run.fluorescence.shape == (96, 45)
    copies = Counter(row["known_copies"] for row in listed if row["role"] == "std")
    # 1e-4 to 10 in the standard curve (MANIFEST.csv), and the level that the analysis excluded
    assert copies == dict.fromkeys((10, 1, 0.1, 0.01, 0.001, 0.0001, 0.00001), 2)
    assert [row["well"] for row in listed if row["vendor_omitted"]] == ["G8", "G9"]
    assert Counter(row["vendor_call"] for row in listed) == {"Positive": 72, "Negative": 24}
    assert {row["vendor_cq_text"] for row in listed if row["vendor_cq"] is None} == {"100"}
    by_well = {row["well"]: row for row in listed}
    assert (by_well["A1"]["vendor_cq"], by_well["A8"]["vendor_cq"]) == (27.48, 15.73)
    assert by_well["A1"]["vendor_quantity"] == 0.011057438717548147
    assert "NegIsPositive: F7, G7, H7, H8, H9." in " ".join(run.warnings)


@pytest.mark.real_data
def test_the_rdml_export_of_the_machine_holds_its_calls_too(real_data):
    run = read_run(real_data("rdml", "lc96_bACTXY.rdml"))
    listed = rows(run)
    assert run.metadata["format"] == "LightCycler 96 experiment"
    assert run.fluorescence.shape == (384, 50)
    assert {row["dye"] for row in listed} == {"FAM", "Hex", "Texas Red", "Cy5"}
    copies = Counter(row["known_copies"] for row in listed if row["role"] == "std")
    assert copies == dict.fromkeys((25, 5, 1, 0.2, 0.04), 8)
    assert all((row["vendor_cq"] is None) == (row["vendor_call"] != "Positive") for row in listed)


@pytest.mark.real_data
def test_second_derivative_cq_follow_the_vendors_cq(real_data):
    run = read_run(real_data("lc96p", "run1-plate1.lc96p"))
    vendor = np.array([np.nan if row["vendor_cq"] is None else row["vendor_cq"] for row in rows(run)], dtype=float)
    ours = analyse_curves(run.cycles, run.fluorescence).cq_second_derivative
    both = np.isfinite(vendor) & np.isfinite(ours)
    difference = vendor[both] - ours[both]
    spread = 1.4826 * np.median(np.abs(difference - np.median(difference)))
    assert both.sum() >= 70
    assert -2.5 < np.median(difference) < 0
    assert spread < 0.3
    assert np.polyfit(ours[both], vendor[both], 1)[0] == pytest.approx(1, abs=0.05)
