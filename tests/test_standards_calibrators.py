"""Calibrators: certified values, volume, uncertainty as in print; nothing unverified enters unasked (domain.md 3.1)."""

from __future__ import annotations

import math
from functools import partial

import pytest
from standards_files import changed_copy, put

from bcrabl.errors import StandardsError
from bcrabl.standards import (
    CitedNumber,
    calibrator_path,
    load_calibrator,
    standards_folder,
)

SHIPPED = ["erm_ad623", "ipsogen_c", "ipsogen_sp"]

# White 2015, abstract: copies/µL and expanded uncertainty
CERTIFIED = {
    "a": (1.08e6, 0.13e6),
    "b": (1.08e5, 0.11e5),
    "c": (1.03e4, 0.10e4),
    "d": (1.02e3, 0.09e3),
    "e": (1.04e2, 0.10e2),
    "f": (10.0, 1.5),
}


@pytest.fixture
def plasmid():
    return load_calibrator(calibrator_path("erm_ad623"))


@pytest.fixture
def changed(tmp_path):
    return partial(changed_copy, tmp_path, calibrator_path("erm_ad623"))


# -- what is shipped --------------------------------------------------------------------------------------------------


def test_every_calibrator_that_is_shipped_loads_with_citations():
    assert sorted(path.stem for path in (standards_folder() / "calibrators").iterdir()) == SHIPPED
    for name in SHIPPED:
        calibrator = load_calibrator(calibrator_path(name))
        assert calibrator.id == name
        assert all(len(line.source) > 20 for line in calibrator.citations)


def test_erm_ad623_holds_what_white_2015_certifies(plasmid):
    assert {
        level.name.value: (level.copies.value, level.expanded_uncertainty.value) for level in plasmid.levels
    } == CERTIFIED
    assert {level.copies.unit for level in plasmid.levels} == {"copies/µL"}
    assert all(level.copies.verified and level.expanded_uncertainty.verified for level in plasmid.levels)


def test_the_levels_of_the_europe_against_cancer_standards():
    fusion, control = (load_calibrator(calibrator_path(name)) for name in ("ipsogen_sp", "ipsogen_c"))
    assert {each.name.value: each.copies.value for each in fusion.levels} == {
        "SP1": 10,
        "SP2": 100,
        "SP3": 1000,
        "SP4": 10_000,
        "SP5": 100_000,
        "SP6": 1_000_000,
    }
    assert {each.name.value: each.copies.value for each in control.levels} == {"C1": 1000, "C2": 10_000, "C3": 100_000}
    assert [each.name.value for each in fusion.levels if each.copies.verified] == ["SP1"]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_calibrator_of_copies_gives_no_international_scale(name):
    calibrator = load_calibrator(calibrator_path(name))
    assert calibrator.gives == ("copies",)
    assert "International Scale" in calibrator.does_not_give


def test_what_is_unverified_of_erm_ad623_is_listed(plasmid):
    places = [line.place for line in plasmid.unverified]
    assert places == ["copies_per_molecule.ABL1", "coverage_factor", *(f"levels[{n}].name" for n in range(6))]
    assert plasmid.status == "unverified"


# -- copies in a reaction ---------------------------------------------------------------------------------------------


def test_five_microlitres_of_the_weakest_vial_are_fifty_copies(plasmid):
    assert plasmid.copies_per_reaction(plasmid.level(10.0), 5, target="BCR::ABL1") == 50.0


@pytest.mark.parametrize("gene", ["BCR::ABL1", "BCR", "GUSB"])
def test_the_fragments_stand_one_to_one_on_the_plasmid(plasmid, gene):
    assert plasmid.copies_per_reaction(plasmid.level(1040 / 10), 2.5, target=gene) == 260.0


def test_standards_stated_for_five_microlitres_hold_less_in_two():
    fusion = load_calibrator(calibrator_path("ipsogen_sp"))
    copies = [
        fusion.copies_per_reaction(fusion.level("SP1"), volume, target="BCR::ABL1", accept_unverified=True)
        for volume in (5, 2)
    ]
    assert copies == pytest.approx([10, 4], rel=1e-14)


def test_a_volume_from_memory_is_not_reckoned_with_unasked():
    fusion = load_calibrator(calibrator_path("ipsogen_sp"))
    with pytest.raises(StandardsError, match=r"stated_volume: found the unverified value 5 µL"):
        fusion.copies_per_reaction(fusion.level("SP1"), 5, target="BCR::ABL1")


def test_abl1_off_the_fusion_fragment_is_not_reckoned_with_unasked(plasmid):
    level = plasmid.level(10.0)
    with pytest.raises(StandardsError, match=r"copies_per_molecule\.ABL1: found the unverified value 1 copies/plasmid"):
        plasmid.copies_per_reaction(level, 5, target="ABL1")
    assert plasmid.copies_per_reaction(level, 5, target="ABL1", accept_unverified=True) == 50.0


@pytest.mark.parametrize("volume", [0, -5, math.nan, math.inf])
def test_a_volume_that_is_none_is_refused(plasmid, volume):
    with pytest.raises(StandardsError, match=r"volume_ul: found .* expected a volume above 0 µL"):
        plasmid.copies_per_reaction(plasmid.level(10.0), volume, target="GUSB")


def test_a_target_the_plasmid_does_not_carry_is_refused(plasmid):
    with pytest.raises(
        StandardsError, match=r"found no 'GUS'; expected BCR::ABL1, BCR, GUSB, ABL1\. Did you mean 'GUSB'"
    ):
        plasmid.copies_per_reaction(plasmid.level(10.0), 5, target="GUS")


# -- vials ------------------------------------------------------------------------------------------------------------


def test_a_vial_is_found_by_its_certified_copies(plasmid):
    assert plasmid.level(1.08e6).expanded_uncertainty.value == 0.13e6


def test_the_order_of_the_letters_is_not_relied_on_unasked(plasmid):
    with pytest.raises(StandardsError, match=r"levels\[5\]\.name: found the unverified value f vial; .*White H et al"):
        plasmid.level("f")
    assert plasmid.level("f", accept_unverified=True).copies.value == 10.0


@pytest.mark.parametrize("wanted", ["g", 11, 10.000001])
def test_a_vial_that_is_not_there_is_refused_listing_those_that_are(plasmid, wanted):
    with pytest.raises(StandardsError, match=rf"found no {wanted!r}; expected one of f \(10 copies/µL\), e \(104"):
        plasmid.level(wanted)


# -- uncertainty ------------------------------------------------------------------------------------------------------


def test_relative_expanded_uncertainties_are_nine_to_fifteen_percent(plasmid):
    relative = {level.copies.value: plasmid.relative_expanded_uncertainty(level) for level in plasmid.levels}
    assert relative[10.0] == 0.15
    assert {copies: round(100 * each) for copies, each in relative.items()} == {
        1.08e6: 12,
        1.08e5: 10,
        1.03e4: 10,
        1.02e3: 9,
        1.04e2: 10,
        10.0: 15,
    }


def test_the_coverage_factor_is_not_reckoned_with_unasked(plasmid):
    for uncertainty in (plasmid.relative_standard_uncertainty, plasmid.standard_uncertainty_log10):
        with pytest.raises(StandardsError, match=r"coverage_factor: found the unverified value 2; .*accept_unverified"):
            uncertainty(plasmid.level(10.0))


def test_a_coverage_factor_read_on_the_certificate_is_reckoned_with(changed):
    own = load_calibrator(changed(put("coverage_factor", "status", value="verified")))
    assert own.relative_standard_uncertainty(own.level(10.0)) == 0.075


def test_standard_uncertainty_is_the_expanded_one_over_k_on_the_log_scale(plasmid):
    # half of 15 % and 12 %: 0.0750 and 0.0602 of the value, hence 0.0326 and 0.0261 log10 to first order
    found = [plasmid.standard_uncertainty_log10(plasmid.level(c), accept_unverified=True) for c in (10.0, 1.08e6)]
    assert found == pytest.approx([0.075 / math.log(10), 0.13 / 2.16 / math.log(10)], rel=2e-3)


def test_a_log_normal_with_this_log_uncertainty_has_the_certified_one(plasmid):
    level = plasmid.level(10.0)
    sigma = plasmid.standard_uncertainty_log10(level, accept_unverified=True) * math.log(10)
    assert math.sqrt(math.expm1(sigma**2)) == pytest.approx(0.075, rel=1e-12)


def test_standards_without_a_certified_uncertainty_have_none():
    fusion = load_calibrator(calibrator_path("ipsogen_sp"))
    with pytest.raises(StandardsError, match="SP1: found no uncertainty; expected an expanded uncertainty, which this"):
        fusion.relative_standard_uncertainty(fusion.level("SP1"), accept_unverified=True)


# -- numbers with a source --------------------------------------------------------------------------------------------


def test_a_number_that_could_not_be_read_is_refused_even_on_request():
    unread = CitedNumber(None, "fold", "White HE et al. Leukemia 2022", "unverified", "rules[3]")
    assert not unread.verified
    with pytest.raises(StandardsError, match=r"rules\[3\]: found no value \(White HE et al\. Leukemia 2022\)"):
        unread.required(accept_unverified=True)


def test_a_verified_number_is_handed_out_and_an_unverified_one_on_request():
    read = CitedNumber(1.5, "copies/µL", "White 2015", "verified", "here")
    remembered = CitedNumber(2.0, "1", "White 2015", "unverified", "here")
    assert read.required() == 1.5
    assert remembered.required(accept_unverified=True) == 2.0
    with pytest.raises(StandardsError, match="here: found the unverified value 2; expected one that was read in White"):
        remembered.required()


# -- files that are refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            put("levels", 0, "copies", "source", value=None),
            r"levels\[0\]\.copies: found no source; expected the key source",
        ),
        (put("levels", 0, "copies", "source", value=""), r"copies\.source: found ''; expected a key of sources"),
        (
            put("coverage_factor", "source", value="White15"),
            r"coverage_factor\.source: found 'White15'; expected a key of sources: .* Did you mean 'White2015'",
        ),
        (put("source", value="Nobody"), r"erm_ad623\.yaml, source: found 'Nobody'"),
        (put("levels", 1, "copies", "status", value=None), r"levels\[1\]\.copies: found no status"),
        (put("levels", 1, "copies", "unit", value=None), r"levels\[1\]\.copies: found no unit"),
        (put("levels", 1, "copies", value=108000), r"copies: found 108000; expected {value, unit, source, status}"),
        (put("levels", 1, "copies", "value", value=-1), r"value: found -1; expected a number above 0"),
        (put("levels", 1, "copies", "value", value="1e5"), r"found '1e5'; expected a number\. Without quotes"),
        (
            put("levels", 1, "copies", "unit", value="copies/mL"),
            r"levels\[1\]\.copies\.unit: found 'copies/mL'; expected one unit",
        ),
        (put("levels", 5, "expanded_uncertainty", "value", value=10), r"found 10 of 10 copies; expected less than"),
        (put("levels", 1, "name", "value", value="a"), r"levels\[1\]\.name: found a again; expected another one than"),
        (put("levels", 1, "copies", "value", value=1080000), r"levels\[1\]\.copies: found 1080000 again"),
        (put("coverage_factor", value=None), r"levels\[0\]\.expanded_uncertainty: found no coverage_factor"),
        (put("stated_volume", "unit", value="mL"), r"stated_volume\.unit: found 'mL'; expected µL"),
        (put("stated_volume", value=None), r"erm_ad623\.yaml: found no stated_volume"),
        (
            put("gives", value=["international_scale"]),
            r"gives\[0\]: found 'international_scale'; expected one of copies",
        ),
        (put("does_not_give", value=None), r"found no does_not_give"),
        (put("level", value=[]), r"found unknown key 'level'.*Did you mean 'levels'\?"),
        (put("id", value="erm"), r"id: found 'erm'; expected the name of the file, 'erm_ad623'"),
        (put("copies_per_molecule", value={}), r"copies_per_molecule: found an empty mapping; expected at least 1"),
    ],
)
def test_a_calibrator_that_does_not_fit_is_refused_with_its_place(changed, change, message):
    with pytest.raises(StandardsError, match=message):
        load_calibrator(changed(change))


def test_an_unknown_calibrator_is_refused_listing_those_there_are(tmp_path):
    with pytest.raises(StandardsError, match="found no calibrator 'erm-ad623'; expected one of erm_ad623, ipsogen_c"):
        calibrator_path("erm-ad623")
    with pytest.raises(StandardsError, match=r"expected calibrators in .* which holds none"):
        calibrator_path("erm_ad623", tmp_path)


def test_a_laboratory_keeps_calibrators_of_its_own(tmp_path):
    folder = tmp_path / "calibrators"
    folder.mkdir()
    changed_copy(folder, calibrator_path("erm_ad623"), put("levels", 5, "copies", "value", value=9.8))
    own = load_calibrator(calibrator_path("erm_ad623", tmp_path))
    assert own.copies_per_reaction(own.level(9.8), 5, target="GUSB") == pytest.approx(49)
