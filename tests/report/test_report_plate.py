"""The plate map: every well at its place, with its role, call and Cq."""

from __future__ import annotations

import pytest

from bcrabl.report.plate import plate_of
from bcrabl.report.sections import well_order


def reaction(well, target="ABL1", role="unkn", call="amplified", cq=24.26):
    return {"well": well, "target": target, "role": role, "sample_id": "S1", "call": call, "cq": cq}


@pytest.mark.parametrize(
    ("well", "rows", "columns"),
    [("A1", 8, 12), ("H12", 8, 12), ("I1", 16, 24), ("A13", 16, 24), ("P24", 16, 24), ("AF48", 32, 48)],
)
def test_a_plate_is_the_smallest_format_that_holds_its_wells(well, rows, columns):
    plate = plate_of([reaction(well)])
    assert (len(plate.rows), len(plate.columns)) == (rows, columns)
    found = [(letter + str(n), place.name) for letter, wells in plate.rows for n, place in enumerate(wells, 1)]
    assert [(place, name) for place, name in found if name] == [(well, well)]


@pytest.mark.parametrize("well", ["17", "B1a1", "AG1", "A49", ""])
def test_wells_without_a_place_on_a_plate_are_listed(well):
    plate = plate_of([reaction("A1"), reaction(well)])
    assert not plate.columns
    assert {place.name for _, wells in plate.rows for place in wells} == {"A1", well}


def test_a_well_with_two_targets_shows_both_in_the_order_of_the_plate():
    plate = plate_of([reaction("A1", "BCR::ABL1", cq=None, call="not_amplified"), reaction("A1")])
    well = plate.rows[0][1][0]
    assert plate.targets == ["ABL1", "BCR::ABL1"]
    assert [(each.cq, each.sign) for each in well.reactions] == [("24.3", "●"), ("–", "○")]
    assert well.description == "A1: S1, sample, ABL1 amplified, Cq 24.26, BCR::ABL1 not amplified"


@pytest.mark.parametrize(
    ("cq", "shade"), [(19.99, "0"), (20.0, "1"), (29.9, "2"), (30.0, "3"), (35.0, "4"), (None, "none")]
)
def test_a_later_cq_has_another_shade(cq, shade):
    assert f"cq-{shade}" in plate_of([reaction("A1", cq=cq)]).rows[0][1][0].reactions[0].look.split()


def test_a_role_nobody_foresaw_takes_no_class_of_its_own():
    look = plate_of([reaction("A1", role='x" onclick="y', call="<b>")]).rows[0][1][0].reactions[0].look
    assert look == "call-ambiguous role-S cq-1"


def test_wells_sort_as_on_the_plate():
    assert sorted(["AA1", "B1", "A10", "A2", "A1", "?"], key=well_order) == ["?", "A1", "A2", "A10", "B1", "AA1"]
