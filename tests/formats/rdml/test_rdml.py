"""RDML documents: what is read from them and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from format_builders import (
    CURVE,
    PLATE_96,
    REAL,
    data,
    points,
    rdml,
    rdml_run,
    react,
    rows,
    sample,
    small_rdml,
    target,
    zipped,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcrabl.errors import BcrablError, DamagedFile, FileError, RunError
from bcrabl.formats import read_run
from bcrabl.formats.rdml import reading
from bcrabl.run import Run


def read(tmp_path: Path, content: str | bytes, part: str | None = None) -> Run:
    path = tmp_path / "export"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_run(path, part)


def one_well(
    of_sample: str = "", *elements: str, curve: str = points(CURVE), more: str = "", version: str = "1.2"
) -> str:
    """A document with one reaction of target ABL1 in well A1."""
    return rdml(
        of_sample or sample("s"),
        target("ABL1"),
        *elements,
        rdml_run(react(1, "s", data("ABL1", curve, more))),
        version=version,
    )


# --- what is read ---


def test_a_zip_and_the_bare_document_read_alike(tmp_path):
    zipped_run = read(tmp_path, zipped({"rdml_data.xml": small_rdml()}))
    bare = read(tmp_path, small_rdml(prefix='<?xml version="1.0"?><!-- by hand -->\n'))
    assert zipped_run.reactions == bare.reactions
    assert np.array_equal(zipped_run.fluorescence, bare.fluorescence)


def test_reactions_carry_well_sample_role_and_copies(tmp_path):
    run = read(tmp_path, small_rdml())
    standard, patient = rows(run)
    assert (standard["well"], standard["sample_id"], standard["role"]) == ("A1", "std", "std")
    assert (standard["known_copies"], standard["vendor_quantity"], standard["vendor_quantity_unit"]) == (
        1000,
        1000,
        "cop",
    )
    assert (patient["well"], patient["role"], patient["known_copies"]) == ("B2", "unkn", None)
    assert (patient["target"], patient["dye"], patient["part"], patient["vendor_task"]) == ("ABL1", "FAM", None, "unkn")
    assert run.cycles.tolist() == [1, 2, 3, 4, 5]
    assert run.fluorescence.tolist() == [list(CURVE), list(CURVE)]
    assert (run.stage, run.metadata["format"], run.metadata["warnings"]) == ("raw", "RDML 1.2", ())


def test_the_inner_document_may_have_any_name(tmp_path):
    content = zipped({"readme.txt": "x", "other.xml": "<other/>", "my run.xml": small_rdml()})
    assert read(tmp_path, content).reactions.num_rows == 2


def test_the_marker_that_cfx_puts_before_its_zip_is_passed_over(tmp_path):
    assert read(tmp_path, b"PK\x07\x08" + zipped({"run.xml": small_rdml()})).reactions.num_rows == 2


def test_prefixes_and_the_order_of_elements_do_not_matter(tmp_path):
    document = (
        '<r:rdml xmlns:r="http://www.rdml.org" xmlns="http://www.rdml.org" version="1.4"><experiment id="e">'
        '<r:run id="1"><react id="2"><data><r:adp><fluor>5</fluor><r:cyc>1.0</r:cyc></r:adp><tar id="T"/></data>'
        f'<sample id="S"/></react>{PLATE_96}</r:run></experiment>{target("T")}'
        '<r:sample id="S"><type>ntc</type></r:sample></r:rdml>'
    )
    (row,) = rows(read(tmp_path, document))
    assert (row["well"], row["role"], row["dye"]) == ("A2", "ntc", "FAM")


def test_utf16_is_read(tmp_path):
    document = small_rdml(prefix='<?xml version="1.0" encoding="utf-16"?>')
    assert read(tmp_path, document.encode("utf-16")).reactions.num_rows == 2


def test_cycles_that_a_curve_lacks_become_nan(tmp_path):
    short = points(CURVE[:4], first=2)
    document = rdml(
        sample("s"),
        target("T"),
        rdml_run(react(1, "s", data("T", points(CURVE))), react(2, "s", data("T", short))),
    )
    run = read(tmp_path, document)
    assert run.cycles.tolist() == [1, 2, 3, 4, 5]
    assert np.isnan(run.fluorescence[1]).tolist() == [True, False, False, False, False]
    assert run.fluorescence[1, 1:].tolist() == list(CURVE[:4])


@pytest.mark.parametrize(
    ("plate", "react_id", "well"),
    [
        (PLATE_96, "1", "A1"),
        (PLATE_96, "12", "A12"),
        (PLATE_96, "13", "B1"),
        (PLATE_96, "H12", "H12"),
        ("<pcrFormat><rows>16</rows><columns>24</columns></pcrFormat>", "384", "P24"),
        ("<pcrFormat><rows>32</rows><columns>48</columns></pcrFormat>", "1536", "AF48"),
        ("<pcrFormat>free format</pcrFormat>", "b03", "B3"),
        ("<pcrFormat><rows>-1</rows><columns>-1</columns></pcrFormat>", "13", "B1"),
        ("", "97", "E1"),
    ],
)
def test_a_react_id_counts_along_the_rows_or_names_the_well(tmp_path, plate, react_id, well):
    document = rdml(sample("s"), target("T"), rdml_run(react(react_id, "s", data("T", points(CURVE))), before=plate))
    assert rows(read(tmp_path, document))[0]["well"] == well


def test_an_assumed_plate_is_said(tmp_path):
    document = rdml(sample("s"), target("T"), rdml_run(react(3, "s", data("T", points(CURVE))), before=""))
    assert "8 × 12 wells were assumed" in read(tmp_path, document).metadata["warnings"][0]


@pytest.mark.parametrize(
    ("rdml_type", "role"),
    [("std", "std"), ("ntc", "ntc"), ("nac", "nac"), ("nrt", "nrt"), ("ntp", "neg"), ("pos", "pos"), ("opt", "opt")],
)
def test_rdml_types_are_the_roles(tmp_path, rdml_type, role):
    (row,) = rows(read(tmp_path, one_well(sample("s", rdml_type))))
    assert (row["role"], row["vendor_task"]) == (role, rdml_type)


def test_an_inter_run_calibrator_is_a_calibrator(tmp_path):
    of_sample = '<sample id="s"><type>unkn</type><interRunCalibrator>true</interRunCalibrator></sample>'
    assert rows(read(tmp_path, one_well(of_sample)))[0]["role"] == "calibrator"


def test_type_and_quantity_may_differ_between_targets(tmp_path):
    of_sample = (
        '<sample id="s"><type targetId="A">std</type><type>unkn</type>'
        '<quantity targetId="A"><value>50</value><unit>cop</unit></quantity></sample>'
    )
    document = rdml(
        of_sample, target("A"), target("B"), rdml_run(react(1, "s", data("A", points(CURVE)), data("B", points(CURVE))))
    )
    assert [(row["role"], row["known_copies"]) for row in rows(read(tmp_path, document))] == [
        ("std", 50),
        ("unkn", None),
    ]


@pytest.mark.parametrize(
    ("unit", "copies", "warning"),
    [
        ("cop", 20, None),
        ("other", 20, "unit 'other'; they are read as copies per reaction"),
        (None, 20, "unit ''; they are read as copies per reaction"),
        ("ng", None, "are in 'ng', not copies; they are left unknown"),
    ],
)
def test_only_copies_or_an_unsaid_unit_make_known_copies(tmp_path, unit, copies, warning):
    run = read(tmp_path, one_well(sample("s", "std", "20", unit)))
    assert rows(run)[0]["known_copies"] == copies
    assert [warning in sentence for sentence in run.metadata["warnings"]] == ([True] if warning else [])


def test_a_standard_without_quantity_is_read_and_said(tmp_path):
    run = read(tmp_path, one_well(sample("s", "std")))
    assert rows(run)[0]["known_copies"] is None
    assert run.metadata["warnings"] == ("1 standard reactions carry no quantity; their copies are unknown.",)


GUID = "9c93d5da-1797-44c1-b46c-05d501af4e22"


def test_a_guid_gives_way_to_the_description(tmp_path):
    elements = [sample(GUID, more="<description>Patient 7</description>"), target("T")]
    document = rdml(*elements, rdml_run(react(1, GUID, data("T", points(CURVE)))))
    assert rows(read(tmp_path, document))[0]["sample_id"] == "Patient 7"


@pytest.mark.parametrize(("other", "name"), [("HEX", "FAM"), ("FAM", f"FAM@{GUID}")])
def test_a_target_named_by_dye_and_guid_is_called_by_its_dye_where_that_is_unique(tmp_path, other, name):
    full = f"FAM@{GUID}"
    document = rdml(sample("s"), target(full), target(other), rdml_run(react(1, "s", data(full, points(CURVE)))))
    assert rows(read(tmp_path, document))[0]["target"] == name


@pytest.mark.parametrize(
    ("cq", "number", "text"),
    [
        ("<cq>4.5</cq>", 4.5, None),
        ("", None, None),
        ("<cq>NaN</cq>", None, "NaN"),
        ("<cq>-1.0</cq>", None, "-1.0"),
        ("<cq>n. def.</cq>", None, "n. def."),
        ("<cq>5.0</cq>", None, "5.0"),
        ("<cq>5.0</cq><quantity><value>NaN</value></quantity>", None, "5.0"),
        ("<cq>5.0</cq><quantity><value>7</value><unit>cop</unit></quantity>", 5.0, None),
        ("<cq>24,512</cq>", None, "24,512"),
        ("<cq>2000</cq>", None, "2000"),
    ],
)
def test_the_last_cycle_is_a_cq_only_beside_a_quantity(tmp_path, cq, number, text):
    (row,) = rows(read(tmp_path, one_well(more=cq)))
    assert (row["vendor_cq"], row["vendor_cq_text"]) == (number, text)


@pytest.mark.parametrize("cq", ["24,512", "2000"])
def test_a_cq_that_no_number_or_cycle_can_be_is_told(tmp_path, cq):
    warnings = read(tmp_path, one_well(more=f"<cq>{cq}</cq>")).warnings
    assert f"1 Cq are no number or lie beyond the last cycle and were kept as text: well A1, target 'ABL1': {cq}." in (
        warnings
    )


def test_a_calculated_quantity_is_not_known_copies(tmp_path):
    more = "<quantity><value>812.5</value><unit>cop</unit></quantity>"
    (row,) = rows(read(tmp_path, one_well(sample("s", "std", "1000"), more=more)))
    assert (row["known_copies"], row["vendor_quantity"]) == (1000, 812.5)


def test_exclusion_and_threshold_are_kept(tmp_path):
    curve = points(CURVE) + "<quantFluor>0.25</quantFluor>"
    (row,) = rows(read(tmp_path, one_well(curve=curve, more="<excl>bubble</excl>")))
    assert (row["vendor_omitted"], row["vendor_threshold"]) == (True, 0.25)


def with_passive(passive_in: int) -> str:
    reacts = [
        react(well, "s", data("T", points(CURVE)), *([data("ROX", points([well] * 5))] if well <= passive_in else []))
        for well in (1, 2)
    ]
    return rdml(sample("s"), target("T"), target("ROX", "ROX"), rdml_run(*reacts))


def test_rox_in_every_well_is_the_passive_reference(tmp_path):
    run = read(tmp_path, with_passive(2))
    assert [row["target"] for row in rows(run)] == ["T", "T"]
    assert run.passive_reference.tolist() == [[1] * 5, [2] * 5]
    assert run.metadata["passive_reference"] == "ROX"


def test_rox_in_some_wells_is_a_target(tmp_path):
    run = read(tmp_path, with_passive(1))
    assert [row["target"] for row in rows(run)] == ["ROX", "T", "T"]
    assert run.passive_reference is None


def test_a_target_without_definition_has_no_dye(tmp_path):
    document = rdml(sample("s"), rdml_run(react(1, "s", data("T", points(CURVE)))))
    assert rows(read(tmp_path, document))[0]["dye"] is None


def test_reactions_without_curve_are_left_out_and_named(tmp_path):
    reacts = react(1, "s", data("T", points(CURVE))), react(2, "s", data("T", "", "<cq>20</cq>"))
    run = read(tmp_path, rdml(sample("s"), target("T"), rdml_run(*reacts)))
    assert run.reactions.num_rows == 1
    assert run.metadata["warnings"] == (
        "1 reactions have no amplification curve and were left out: well A2, target 'T'.",
    )


def stage(tmp_path: Path, background: str, values: tuple[float, ...], instrument: str = "") -> tuple[str, int]:
    method = f"<backgroundDeterminationMethod>{background}</backgroundDeterminationMethod>"
    before = f"<instrument>{instrument}</instrument>{method}"
    document = rdml(sample("s"), target("T"), rdml_run(react("A1", "s", data("T", points(values))), before=before))
    run = read(tmp_path, document)
    return run.stage, len(run.metadata["warnings"])


def test_baseline_subtraction_is_believed_where_the_curves_cross_zero(tmp_path):
    assert stage(tmp_path, "Baseline Subtracted Curve Fit", (-0.1, 0.1, 0.0, 2.0)) == ("baseline_subtracted", 0)
    assert stage(tmp_path, "Baseline Subtracted Curve Fit", (100.0, 101.0, 140.0)) == ("raw", 1)


def test_a_background_method_of_the_cq_leaves_the_curves_raw(tmp_path):
    assert stage(tmp_path, "LinRegPCR, constant", (0.5, 0.6, 2.0)) == ("raw", 0)


def test_small_signals_of_applied_biosystems_are_rn(tmp_path):
    assert stage(tmp_path, "Background Subtraction", (0.6, 0.7), "Applied Biosystems StepOne") == ("normalised", 0)
    assert stage(tmp_path, "Background Subtraction", (6000.0, 7000.0), "Applied Biosystems StepOne") == ("raw", 0)


def test_metadata_say_instrument_software_date_and_method(tmp_path):
    before = (
        "<instrument>LC96</instrument><dataCollectionSoftware><name>LightCycler&amp;#174; 96</name>"
        "<version>1.1</version></dataCollectionSoftware><cqDetectionMethod>other</cqDetectionMethod><runDate>2019-01-29T15:28:10</runDate>"
    )
    document = rdml(
        "<id><publisher>Roche Diagnostics</publisher></id>",
        sample("s"),
        target("T"),
        rdml_run(react("A1", "s", data("T", points(CURVE), "<cq>3.1</cq>")), before=before),
    )
    metadata = read(tmp_path, document).metadata
    assert metadata["instrument"] == "LC96"
    assert metadata["software"] == "LightCycler® 96 1.1"
    assert metadata["run_date"] == "2019-01-29"
    assert metadata["cq_detection_method"] == "other"
    assert metadata["vendor"] == "Roche Diagnostics"
    assert "which of them it calls positive" in metadata["warnings"][0]


def test_a_run_date_that_is_none_is_said(tmp_path):
    document = rdml(
        sample("s"),
        target("T"),
        rdml_run(react("A1", "s", data("T", points(CURVE))), before="<runDate>1.2.19</runDate>"),
    )
    run = read(tmp_path, document)
    assert "run_date" not in run.metadata
    assert "'1.2.19' is no date" in run.metadata["warnings"][0]


# --- parts ---


def two_runs(second_id: str = "b", curve: tuple[float, ...] = CURVE) -> str:
    first = rdml_run(react(1, "s", data("T", points(CURVE))), run_id="a")
    second = rdml_run(react(1, "s", data("T", points(curve))), run_id=second_id)
    return rdml(
        sample("s"),
        target("T"),
        experiment=f'<experiment id="x">{first}</experiment><experiment id="y">{second}</experiment>',
    )


def test_several_runs_are_told_apart_by_part(tmp_path):
    run = read(tmp_path, two_runs())
    assert [row["part"] for row in rows(run)] == ["a", "b"]
    assert run.metadata["parts"] == ("a", "b")


def test_runs_of_one_id_are_named_with_their_experiment(tmp_path):
    assert [row["part"] for row in rows(read(tmp_path, two_runs("a")))] == ["x/a", "y/a"]


def test_one_part_can_be_read_alone(tmp_path):
    run = read(tmp_path, two_runs(), "b")
    assert [row["part"] for row in rows(run)] == ["b"]


def test_an_unknown_part_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(FileError, match=r"export: found no part 'c'; expected one of the parts of this file: 'a', 'b'"):
        read(tmp_path, two_runs(), "c")


def test_parts_may_follow_programs_of_their_own(tmp_path):
    run = read(tmp_path, two_runs(curve=CURVE[:3]))
    assert sorted(np.isfinite(run.fluorescence).sum(axis=1)) == [3, len(CURVE)]


def test_reactions_of_one_part_that_stop_earlier_make_no_run_and_the_well_is_named(tmp_path):
    long, short = ([(cycle, 1.0 + cycle) for cycle in range(1, last + 1)] for last in (40, 30))
    path = tmp_path / "export"
    path.write_text(
        '<rdml version="1.2" xmlns="http://www.rdml.org"><sample id="S"><type>unkn</type></sample>'
        '<target id="T"><type>toi</type><dyeId id="FAM"/></target><experiment id="e"><run id="r">'
        "<pcrFormat><rows>8</rows><columns>12</columns><rowLabel>ABC</rowLabel><columnLabel>123</columnLabel></pcrFormat>"
        + "".join(
            f'<react id="{react}"><sample id="S"/><data><tar id="T"/>'
            + "".join(f"<adp><cyc>{cycle}</cyc><fluor>{value}</fluor></adp>" for cycle, value in curve)
            + "</data></react>"
            for react, curve in ((1, long), (2, short), (3, long))
        )
        + "</run></experiment></rdml>"
    )
    expected = (
        r"well A2, target T: found cycles that differ within the run: 30 here and in 0 more reactions, 40 elsewhere"
    )
    with pytest.raises(RunError, match=expected):
        read_run(path)


def test_runs_of_different_stages_are_refused(tmp_path):
    runs = [
        rdml_run(
            react("A1", "s", data("T", points((-1, 1, 2)))),
            run_id=name,
            before=f"<backgroundDeterminationMethod>{background}</backgroundDeterminationMethod>",
        )
        for name, background in (("a", "baseline subtracted"), ("b", "none"))
    ]
    with pytest.raises(DamagedFile, match=r"processed differently \(baseline_subtracted, raw\).*one part of the file"):
        read(tmp_path, rdml(sample("s"), target("T"), *runs))


# --- what is refused ---


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (one_well(sample("s", "patient")), r"export, sample 's': found type 'patient'; expected one of unkn, std"),
        (one_well(sample("s", "std", "many")), r"sample 's': found quantity 'many'; expected a finite number"),
        (one_well(sample("s", "unkn", "inf")), r"sample 's': found quantity 'inf'; expected a finite number"),
        (one_well(sample("s", "std", "1_000")), r"found quantity '1_000'; expected a finite number"),
        (one_well(sample("s", "std", "0")), r"sample 's': found a standard of quantity 0; expected a quantity above 0"),
        (one_well(sample("s", "std", "-5")), r"found a standard of quantity -5; expected a quantity above 0"),
        (one_well(sample("s", more="<type>std</type>")), r"found types std and unkn at once"),
        (
            one_well(sample("s", "std", "5", more="<quantity><value>6</value><unit>cop</unit></quantity>")),
            r"found quantities 6 and 5 at once",
        ),
        (one_well(sample("s"), sample("s")), r"found 2 samples of id 's'; expected one of each id"),
        (one_well(sample("s"), target("ABL1")), r"found 2 targets of id 'ABL1'"),
        (one_well(sample("t")), r"well A1: found sample 's'; expected a sample that the file defines"),
        (one_well(curve=points(["0.1", "x"])), r"well A1, target 'ABL1': found a fluorescence that is missing or not"),
        (one_well(curve=points(["0.1", "inf"])), r"found a fluorescence that is missing or not a finite number"),
        (one_well(curve=points(["0.1", "1_0"])), r"found a fluorescence that is missing or not a finite number"),
        (one_well(curve="<adp><cyc>1</cyc></adp>"), r"found a fluorescence that is missing"),
        (one_well(curve="<adp><cyc>x</cyc><fluor>1</fluor></adp>"), r"found a cycle that is not a number"),
        (one_well(curve=points([1], 1) * 2), r"found cycle 1 more than once; expected cycles 1, 2, 3"),
        (one_well(curve="<adp><cyc>1.5</cyc><fluor>1</fluor></adp>"), r"found cycle 1.5; expected cycles"),
        (one_well(curve="<adp><cyc>9999</cyc><fluor>1</fluor></adp>"), r"found cycle 9999; expected cycles"),
        (one_well(curve="<adp><cyc>NaN</cyc><fluor>1</fluor></adp>"), r"found cycle nan; expected cycles"),
        (one_well(curve=""), r"found no amplification curve; expected one or more"),
        (rdml(sample("s")), r"found an RDML document without any run"),
        (
            rdml(sample("s"), target("T"), rdml_run(react(97, "s", data("T", points(CURVE))))),
            r"react '97': found id '97'; expected 1 to 96, or the name of a well",
        ),
        (
            rdml(sample("s"), target("T"), rdml_run(react(1, "s", data("T", points(CURVE)), data("T", points(CURVE))))),
            r"well A1: found duplicate well: 2 curves of target 'T'",
        ),
        (
            rdml(sample("s"), rdml_run(react(1, "s", data("", points(CURVE))))),
            r"well A1, target '': found a curve of no target",
        ),
        (
            rdml(sample("s"), rdml_run(before="<pcrFormat><rows>eight</rows><columns>12</columns></pcrFormat>")),
            r"found a plate of 'eight' rows; expected a whole number",
        ),
        (small_rdml()[:-20], r"found XML that is not well-formed"),
        (small_rdml(prefix="<!DOCTYPE rdml>"), r"found <!DOCTYPE; expected XML without declarations"),
        (
            small_rdml(prefix='<!DOCTYPE rdml [<!ENTITY a "b">]>').encode("utf-16"),
            r"found <!DOCTYPE; expected XML without declarations",
        ),
        ('<?xml version="1.0" encoding="no-such"?>' + small_rdml(), r"found XML that is not well-formed"),
    ],
)
def test_what_contradicts_rdml_is_refused(tmp_path, content, match):
    with pytest.raises(DamagedFile, match=match):
        read(tmp_path, content)


def test_all_bad_samples_are_named_at_once(tmp_path):
    document = rdml(sample("a", "std", "x"), sample("b", "no"), target("T"), rdml_run())
    with pytest.raises(DamagedFile) as caught:
        read(tmp_path, document)
    assert [problem.where.rpartition(", ")[2] for problem in caught.value.problems] == ["sample 'a'", "sample 'b'"]


# --- writing ---


def survives(content: bytes, tmp_path: Path) -> None:
    """Whatever the bytes, reading gives a run or one of our errors."""
    path = tmp_path / "broken"
    path.write_bytes(content)
    try:
        run = read_run(path)
    except BcrablError as error:
        assert str(error)  # noqa: PT017 - the error is one of two good outcomes
    else:
        assert run.reactions.num_rows == 2


@pytest.mark.parametrize(
    "content", [zipped({"rdml_data.xml": small_rdml()}), small_rdml().encode()], ids=["zip", "xml"]
)
def test_every_truncation_is_an_error_of_ours(tmp_path, content):
    for length in range(len(content)):
        survives(content[:length], tmp_path)


@pytest.mark.parametrize(
    "content", [zipped({"rdml_data.xml": small_rdml()}), small_rdml().encode()], ids=["zip", "xml"]
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draws=st.data())
def test_every_flipped_byte_is_an_error_of_ours_or_a_run(tmp_path, content, draws):
    place = draws.draw(st.integers(0, len(content) - 1))
    value = draws.draw(st.integers(0, 255))
    path = tmp_path / "broken"
    path.write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
    try:
        read_run(path)
    except BcrablError as error:
        assert str(error)  # noqa: PT017


# --- real files ---


@pytest.mark.real_data
@pytest.mark.parametrize(("file", "reactions", "wells", "cycles", "parts", "stage_name", "roles"), REAL)
def test_real_files_are_read_whole(real_data, file, reactions, wells, cycles, parts, stage_name, roles):
    run = read_run(real_data(*file.split("/")))
    listed = rows(run)
    assert run.fluorescence.shape == (reactions, cycles)
    assert len({row["well"] for row in listed}) == wells
    assert len(run.metadata["parts"]) == parts
    assert run.stage == stage_name
    found = [row["role"] for row in listed]
    assert {role: found.count(role) for role in set(found)} == roles


@pytest.mark.real_data
def test_the_stepone_ntc_have_no_cq_and_the_standards_their_copies(real_data):
    listed = rows(read_run(real_data("rdml", "stepone_std.rdml")))
    assert {row["vendor_cq_text"] for row in listed if row["role"] == "ntc"} == {"40.0"}
    assert all(row["vendor_cq"] for row in listed if row["role"] != "ntc")
    copies = [row["known_copies"] for row in listed if row["role"] == "std"]
    assert {level: copies.count(level) for level in copies} == dict.fromkeys((625, 1250, 2500, 5000, 10000), 3)


@pytest.mark.real_data
def test_the_cfx_file_has_its_26_cq(real_data):
    listed = rows(read_run(real_data("rdml", "BioRad_qPCR_melt.rdml")))
    assert sum(row["vendor_cq"] is not None for row in listed) == 26


@pytest.mark.real_data
def test_one_machine_of_three_can_be_read_alone(real_data):
    path = real_data("rdml14_untergasser_vermeulen", "volume_machine.rdml")
    parts = read_run(path).metadata["parts"]
    sizes = [read_run(path, part).reactions.num_rows for part in parts]
    assert sum(sizes) == 172


@pytest.mark.real_data
def test_the_gaps_of_a_matrix_are_nan(real_data):
    run = read_run(real_data("rdml14_untergasser_vermeulen", "matrix_gaps.rdml"))
    assert run.cycles.tolist() == list(range(2, 46))
    assert run.fluorescence.shape == (71, 44)
    assert "1 reactions have no amplification curve and were left out" in run.metadata["warnings"][0]
    assert np.isfinite(run.fluorescence).sum() == 3010


def test_a_zip_of_two_rdml_documents_is_refused_with_their_names(tmp_path):
    with pytest.raises(DamagedFile, match=r"2 RDML documents: 'a.xml', 'b.xml'; expected one"):
        read(tmp_path, zipped({"a.xml": small_rdml(), "b.xml": small_rdml()}))


def test_a_document_of_more_bytes_than_any_plate_takes_is_refused_before_it_is_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_LARGEST", 100)
    for content in (small_rdml(), zipped({"rdml_data.xml": small_rdml()})):
        with pytest.raises(DamagedFile, match=r"RDML of \d+ bytes; expected at most 100 bytes"):
            read(tmp_path, content)
