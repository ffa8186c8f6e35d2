"""Applied Biosystems .eds documents in their three layouts: what is read from them and what is refused."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from eds_builders import (
    CYCLES,
    EXPERIMENT,
    PLATE,
    SDS,
    STANDARD,
    USUAL_PROTOCOL,
    Document,
    Well,
    analysis_result,
    json_eds,
    json_members,
    multicomponent_text,
    multicomponent_xml,
    plate_setup,
    points,
    program,
    protocol,
    results_eds,
    rn,
    samples,
    setting,
    signal,
    stage,
    text_eds,
    xml_eds,
)
from format_builders import rows
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated

from bcrabl.errors import BcrablError, DamagedFile, FileError, FormatRefused
from bcrabl.formats import RawFile, read_run, recognise
from bcrabl.run import Run

PROBLEM_OF_UNITS = "The quantities of 1 standard reactions carry no unit; they are read as copies per reaction."
UNMET = "This reader was written from the description of the format and has not met a real file."
LAYOUTS = pytest.mark.parametrize("build", [text_eds, xml_eds, json_eds])
OLDER = pytest.mark.parametrize("build", [text_eds, xml_eds])


def read(content: bytes) -> Run:
    source = RawFile("run.eds", content)
    return recognise(source).read(source, None)


def with_members(**members: str | bytes | None) -> Document:
    """The plain document with members of the older layouts changed; names with underscores before their ending."""
    ending = {"txt": ".txt", "xml": ".xml"}
    return Document(members={f"{SDS}{name[:-4]}{ending[name[-3:]]}": content for name, content in members.items()})


# --- what all layouts say alike ---


@LAYOUTS
def test_the_signal_is_that_of_the_reporter_beside_the_passive_reference(build):
    run = read(build())
    assert (run.stage, run.cycles.tolist()) == ("raw", list(range(1, CYCLES + 1)))
    by_reaction = {(row["well"], row["target"]): curve for row, curve in zip(rows(run), run.fluorescence, strict=True)}
    assert by_reaction.keys() == {("A1", "ABL1"), ("A2", "ABL1"), ("A2", "BCR::ABL1"), ("B2", "ABL1")}
    assert by_reaction["A2", "BCR::ABL1"].tolist() == [signal(1, "VIC", cycle) for cycle in run.cycles]
    assert by_reaction["B2", "ABL1"].tolist() == [signal(13, "FAM", cycle) for cycle in run.cycles]
    assert np.all(run.passive_reference == 4096)


@LAYOUTS
def test_a_standard_carries_copies_and_what_the_software_said(build):
    run = read(build())
    standard = rows(run)[0]
    assert standard == {
        "part": None,
        "well": "A1",
        "target": "ABL1",
        "dye": "FAM",
        "role": "std",
        "sample_id": "S1",
        "known_copies": 1000.0,
        "vendor_cq": 7.5,
        "vendor_cq_text": None,
        "vendor_call": "AMP" if build is json_eds else "Amp",
        "vendor_threshold": 0.05,
        "vendor_baseline_start": 3.0,
        "vendor_baseline_end": 6.0,
        "vendor_task": "STANDARD",
        "vendor_quantity": 1000.0,
        "vendor_quantity_unit": None,
        "vendor_omitted": False,
    }
    assert run.warnings == (PROBLEM_OF_UNITS,)


@LAYOUTS
def test_the_default_quantity_of_other_tasks_is_no_quantity(build):
    run = read(build())
    assert [row["known_copies"] for row in rows(run)] == [1000, None, None, None]
    assert 1.0 not in [row["vendor_quantity"] for row in rows(run)]


@LAYOUTS
def test_a_ct_of_the_cycle_count_is_none(build):
    run = read(build())
    assert [row["vendor_cq"] for row in rows(run)] == [7.5, 7.5, None, None]
    assert rows(run)[2]["vendor_cq_text"] == "12.0"
    assert rows(run)[3]["vendor_cq_text"] == ("NaN" if build is json_eds else "Undetermined")


@LAYOUTS
def test_omitted_wells_are_marked_and_kept(build):
    assert [row["vendor_omitted"] for row in rows(read(build()))] == [False, False, False, True]


@LAYOUTS
def test_metadata_say_instrument_and_date_and_no_operator(build):
    metadata = read(build()).metadata
    assert (metadata["run_date"], metadata["passive_reference"]) == ("2021-03-04", "ROX")
    assert metadata["instrument"] == ("QS7PRO" if build is json_eds else "sds7500fast")
    assert metadata["instrument_serial_number"] == ("2777" if build is json_eds else "27250001")
    assert metadata.get("software") == (None if build is json_eds else "7500 Software v2.3")
    assert "Somebody" not in str(metadata)


@LAYOUTS
@pytest.mark.parametrize(
    ("rows_and_columns", "last"), [((8, 12), "H12"), ((16, 24), "P24"), ((6, 8), "F8"), ((4, 6), "D6")]
)
def test_the_last_well_of_every_plate_is_named(build, rows_and_columns, last):
    size = rows_and_columns[0] * rows_and_columns[1]
    document = Document([STANDARD, Well(size - 1)], *rows_and_columns, omitted=())
    assert [row["well"] for row in rows(read(build(document)))] == ["A1", last]


@LAYOUTS
def test_a_well_outside_the_plate_is_refused(build):
    with pytest.raises(DamagedFile, match="well 96; expected a well from 0 to 95"):
        read(build(Document([Well(96)], omitted=())))


@LAYOUTS
@pytest.mark.parametrize("name", ["", "None", "NULL"])
def test_without_passive_reference_the_signal_stands_alone(build, name):
    plain = Document(passive=name)
    document = replace(plain, members={f"{SDS}analysis_result.txt": None, "primary/analysis_result.json": None})
    run = read(build(document))
    assert (run.stage, run.passive_reference, "passive_reference" in run.metadata) == ("raw", None, False)
    assert run.fluorescence[0, 0] == signal(0, "FAM", 1)


@LAYOUTS
def test_readings_of_holds_and_melting_are_passed_over(build):
    run = read(build(Document(before=2 if build is xml_eds else 1, melting=40)))
    assert run.fluorescence.min() > 2
    assert run.fluorescence.shape == (4, CYCLES)


@LAYOUTS
def test_a_standard_without_copies_above_zero_is_refused(build):
    with pytest.raises(DamagedFile, match="found a standard of quantity 0; expected a quantity above 0"):
        read(build(Document([replace(STANDARD, quantity=0)])))


@LAYOUTS
def test_an_unknown_task_is_refused_with_its_well(build):
    with pytest.raises(DamagedFile, match=r"well of index 1, .* 'ABL1': found task 'SAMPLE'; expected one of UNK"):
        read(build(Document([STANDARD, Well(1, task="SAMPLE")])))


@LAYOUTS
@pytest.mark.parametrize(
    ("task", "role"),
    [("Unknown", "unkn"), ("TARGET", "unkn"), ("Endogenous_Control", "unkn"), ("BLOCKED_IPC", "neg"), ("IPC", "pos")],
)
def test_tasks_are_the_roles(build, task, role):
    assert rows(read(build(Document([Well(3, task=task)]))))[0]["role"] == role


@LAYOUTS
def test_rn_stands_in_for_a_dye_that_is_not_measured(build):
    run = read(build(Document(passive="CY5")))
    assert (run.stage, run.passive_reference) == ("normalised", None)
    assert run.fluorescence[0].tolist() == [rn(STANDARD, cycle) for cycle in run.cycles]
    assert any("there is no signal of CY5" in warning for warning in run.warnings)


@LAYOUTS
def test_signals_that_do_not_give_rn_are_not_taken(build):
    shifted = json_members(Document(cycles=CYCLES))["primary/analysis_result.json"]
    for result in shifted["wellResults"]:
        result["reactionResults"][0]["amplificationResult"]["rn"].reverse()
    lines = analysis_result(Document()).split("\n")
    lines = [
        "\t".join([c[0], *reversed(c[1:])]) if (c := line.split("\t"))[0] == "Rn values" else line for line in lines
    ]
    changed = {f"{SDS}analysis_result.txt": "\n".join(lines), "primary/analysis_result.json": json.dumps(shifted)}
    run = read(build(Document(members={k: v for k, v in changed.items() if (k[0] == "p") == (build is json_eds)})))
    assert run.stage == "normalised"
    assert run.fluorescence[0].tolist() == [rn(STANDARD, cycle) for cycle in reversed(run.cycles.tolist())]
    assert "are not those that the software analysed" in run.warnings[0]


@LAYOUTS
def test_reactions_without_signal_are_left_out_and_named(build):
    lost = Well(5, "ABL1")
    plain = Document()
    more = {f"{SDS}plate_setup.xml": plate_setup(replace(plain, plate=[*PLATE, lost]))}
    if build is json_eds:
        more = {
            "setup/plate_setup.json": json.dumps(
                json_members(replace(plain, plate=[*PLATE, lost]))["setup/plate_setup.json"]
            )
        }
    run = read(build(replace(plain, members=more)))
    assert len(rows(run)) == 4
    assert run.warnings[-1] == "1 reactions have no amplification curve and were left out: well A6, target ABL1."


@LAYOUTS
def test_a_part_is_refused(build):
    source = RawFile("run.eds", build())
    with pytest.raises(FileError, match="found part 'a' asked for"):
        recognise(source).read(source, "a")


@LAYOUTS
def test_a_plate_without_detectors_is_refused_with_advice(build):
    empty = {"setup/plate_setup.json": json.dumps({"blockType": "BLOCK_96W"})}
    with pytest.raises(FormatRefused, match=r"found no detector in any well; .* export it as text, xls or xlsx"):
        read(
            build(
                Document(members=empty if build is json_eds else {f"{SDS}plate_setup.xml": plate_setup(Document([]))})
            )
        )


def test_layouts_that_met_no_real_file_say_so(tmp_path):
    for build, unmet in ((text_eds, False), (xml_eds, True), (json_eds, True), (results_eds, False)):
        path = tmp_path / "run.eds"
        path.write_bytes(build())
        assert (UNMET in read_run(path).warnings) is unmet


def test_the_three_layouts_of_a_run_agree():
    runs = [read(build()) for build in (text_eds, xml_eds, json_eds)]
    for run in runs[1:]:
        assert np.array_equal(run.fluorescence, runs[0].fluorescence)
        assert np.array_equal(run.passive_reference, runs[0].passive_reference)
        for name in ("well", "target", "dye", "role", "known_copies", "sample_id", "vendor_cq", "vendor_omitted"):
            assert run.reactions[name] == runs[0].reactions[name]


# --- members ---


def test_member_names_may_carry_backslashes_and_capitals():
    plain = text_eds()
    named = {}
    source = RawFile("x", plain)
    for name in source.archive.names:
        named[name.replace("/", "\\").upper()] = source.archive.read(name)
    assert rows(read(Document().packed(named))) == rows(read(plain))


def test_a_member_that_stands_twice_under_one_name_is_refused():
    document = Document(members={f"{SDS}PLATE_SETUP.xml": plate_setup(Document([STANDARD]))})
    with pytest.raises(DamagedFile, match=r"member apldbio/sds/PLATE_SETUP.xml: found two members of this name"):
        read(text_eds(document))


def test_a_document_may_hold_an_empty_workbook_too():
    members = {"xl/workbook.xml": "<workbook><sheets/></workbook>", "[Content_Types].xml": "<Types/>"}
    assert len(rows(read(text_eds(Document(members=members))))) == 4


@pytest.mark.parametrize("name", ["plate_setup.xml", "tcprotocol.xml", "analysis_protocol.xml", "experiment.xml"])
def test_a_document_type_is_refused(name):
    with pytest.raises(DamagedFile, match=f"member apldbio/sds/{name}: found <!DOCTYPE"):
        read(text_eds(Document(members={f"{SDS}{name}": "<!DOCTYPE a><a/>"})))


def test_members_that_only_describe_may_be_missing():
    gone = ("experiment.xml", "Manifest.mf", "analysis_protocol.xml", "analysis_result.txt")
    run = read(text_eds(Document(members={f"{SDS}{name}": None for name in gone})))
    assert run.metadata.keys() == {"format", "vendor", "block", "passive_reference", "warnings"}
    assert {row["vendor_cq_text"] for row in rows(run)} == {None}
    assert {row["vendor_threshold"] for row in rows(run)} == {None}


# --- the plate setup ---


def changed_setup(old: str, new: str) -> Document:
    setup = plate_setup(Document())
    assert old in setup
    return Document(members={f"{SDS}plate_setup.xml": setup.replace(old, new)})


@pytest.mark.parametrize(
    "kind",
    [
        "<PlateKind><RowCount>8</RowCount><ColumnCount>12</ColumnCount></PlateKind>",
        "<PlateKind><Type>TYPE_8X12</Type></PlateKind>",
    ],
)
def test_the_size_of_the_plate_stands_in_one_of_three_places(kind):
    document = changed_setup("<Rows>8</Rows><Columns>12</Columns><PlateKind><Name>Plate</Name></PlateKind>", kind)
    assert rows(read(text_eds(document)))[3]["well"] == "B2"


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("<Rows>8</Rows>", "<Rows>x</Rows>", "found a plate of 0 rows and 12 columns"),
        ("<Rows>8</Rows>", "<Rows>99</Rows>", "found a plate of 99 rows"),
        ("<Index>13</Index>", "<Index>-1</Index>", "found a well of index '-1'"),
        ("<Name>ABL1</Name>", "<Name/>", "found a detector without a name"),
        ("<Concentration>1000.0<", "<Concentration>many<", "Concentration: found 'many'; expected a number"),
        ("<IsOmit>true<", "<IsOmit>maybe<", "found IsOmit 'maybe' of the well of index '13'"),
    ],
)
def test_what_contradicts_the_plate_setup_is_refused(old, new, match):
    with pytest.raises(DamagedFile, match=match):
        read(text_eds(changed_setup(old, new)))


def test_a_target_that_stands_twice_in_a_well_is_refused():
    with pytest.raises(DamagedFile, match="well A2: found duplicate well: 2 curves of target 'ABL1'"):
        read(text_eds(Document([Well(1), Well(1)], members={f"{SDS}analysis_result.txt": None})))


# --- which readings are the amplification ---


def with_program(*stages: str, **document: object) -> Document:
    return Document(members={f"{SDS}tcprotocol.xml": program(*stages)}, **document)


def test_without_the_program_readings_in_text_cannot_be_told_apart():
    with pytest.raises(DamagedFile, match=r"found readings without the program .* expected the member tcprotocol.xml"):
        read(text_eds(with_members(tcprotocol_xml=None)))


def test_without_the_program_the_points_of_collection_tell():
    assert read(xml_eds(with_members(tcprotocol_xml=None))).fluorescence.shape == (4, CYCLES)


def test_without_points_of_collection_the_program_tells():
    text = multicomponent_xml(Document(before=1))
    begin, end = text.index("<CollectionPoints>"), text.index("<DyeData")
    members = {f"{SDS}multicomponentdata.xml": text[:begin] + text[end:]}
    assert np.array_equal(read(xml_eds(Document(before=1, members=members))).fluorescence, read(xml_eds()).fluorescence)


def test_cycles_that_are_not_read_come_before_those_that_are():
    document = with_program(stage("CYCLING", 5, 0, 0), stage("CYCLING", CYCLES, 0, 1), stage("POST_READ", 1, 1))
    assert read(text_eds(document)).fluorescence.shape == (4, CYCLES)


def test_of_two_stages_that_are_read_the_longer_one_is_the_amplification():
    document = with_program(stage("CYCLING", 3, 1), stage("CYCLING", CYCLES - 3, 1))
    run = read(text_eds(replace(document, members={**document.members, f"{SDS}analysis_result.txt": None})))
    assert run.fluorescence[0].tolist() == [signal(0, "FAM", cycle) for cycle in range(4, CYCLES + 1)]


def test_of_two_equal_stages_the_one_that_was_analysed_is_the_amplification():
    half = CYCLES // 2
    plain = with_program(stage("CYCLING", half, 1), stage("CYCLING", half, 1))
    with pytest.raises(DamagedFile, match="found 2 stages of 6 cycles each; expected one amplification"):
        read(text_eds(plain))
    chosen = {f"{SDS}analysis_protocol.xml": protocol(setting("IDataSelectSettings", StageNum=2, StepNum=1))}
    run = read(text_eds(replace(plain, members={**plain.members, **chosen, f"{SDS}analysis_result.txt": None})))
    assert run.fluorescence[0].tolist() == [signal(0, "FAM", cycle) for cycle in range(half + 1, CYCLES + 1)]


def test_of_two_steps_the_one_that_was_analysed_is_the_amplification():
    plain = with_program(stage("CYCLING", CYCLES // 2, 1, 1), melting=0)
    with pytest.raises(DamagedFile, match="found stage 1 read at several steps of each cycle"):
        read(text_eds(plain))
    chosen = {f"{SDS}analysis_protocol.xml": protocol(setting("IDataSelectSettings", StageNum=1, StepNum=2))}
    run = read(text_eds(replace(plain, members={**plain.members, **chosen, f"{SDS}analysis_result.txt": None})))
    assert run.fluorescence[0].tolist() == [signal(0, "FAM", cycle) for cycle in range(2, CYCLES + 1, 2)]


def test_a_run_that_stopped_early_says_so():
    document = with_program(stage("CYCLING", CYCLES + 8, 0, 1), melting=0)
    run = read(text_eds(document))
    assert run.fluorescence.shape == (4, CYCLES)
    assert run.warnings[0] == "The run stopped after 12 of 20 cycles."


@pytest.mark.parametrize(
    ("stages", "match"),
    [
        ((stage("MELT", 1, 2), stage("CYCLING", 12, 1)), r"found stage 1 \(MELT\) with readings while the temperature"),
        ((stage("PRE_CYCLING", 1, 1),), "found no readings of a stage that cycles"),
        ((stage("CYCLING", 12, 1).replace(">12<", ">twelve<"),), "stage 1: found NumOfRepetitions 'twelve'"),
        ((stage("CYCLING", 9999, *[1] * 20),), "found a program of 199980 readings; expected at most 100000"),
    ],
)
def test_a_program_that_does_not_tell_the_amplification_is_refused(stages, match):
    with pytest.raises(DamagedFile, match=match):
        read(text_eds(with_program(*stages)))


def test_a_cycle_that_was_read_twice_is_refused():
    listed = multicomponent_xml(Document()).replace("Cyc:2 Stp:2", "Cyc:1 Stp:2")
    with pytest.raises(DamagedFile, match="found cycles of stage 2 that were read twice"):
        read(xml_eds(with_members(multicomponentdata_xml=listed)))


# --- signals in text ---


def test_records_may_stand_in_lines_of_their_own():
    loose = (
        multicomponent_text(Document(), end="\n")
        .replace("6657.1\t", "6657.1\n")
        .replace("FAM\t6657.1\n", "FAM\t6657.1\t")
    )
    loose = loose.replace("VIC\t6657.1\n", "VIC\t6657.1\t").replace("ROX\t6657.1\n", "ROX\t6657.1\t")
    assert rows(read(text_eds(with_members(multicomponent_data_txt=loose)))) == rows(read(text_eds()))


@given(end=st.sampled_from(["\n", "\r\n", "\r"]), mark=st.sampled_from([b"", b"\xef\xbb\xbf"]), utf16=st.booleans())
def test_line_ends_and_encodings_do_not_matter(end, mark, utf16):
    text = multicomponent_text(Document(), end)
    content = text.encode("utf-16") if utf16 else mark + text.encode()
    run = read(text_eds(with_members(multicomponent_data_txt=content)))
    assert np.array_equal(run.fluorescence, read(text_eds()).fluorescence)


def test_numbers_are_those_of_single_precision_that_the_instrument_measured():
    text = multicomponent_text(Document()).replace(repr(signal(0, "FAM", 1)), "842270.7")
    assert read(text_eds(with_members(multicomponent_data_txt=text, analysis_result_txt=None))).fluorescence[0, 0] == (
        842270.6875
    )


FIRST = f"0\t0\tFAM\t6657.1\t{signal(0, 'FAM', 1)!r}\t1.0"


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("SIGNAL DATA", "SIGNAL", "found no line WELL, CYCLE, DYE LIST, MSE, SIGNAL DATA, PURE_DYE_DATA"),
        (FIRST, FIRST.replace("\t8196.0\t", "\tbright\t"), "found 'bright'; expected a number"),
        (FIRST, FIRST.replace("\t8196.0\t", "\t1e39\t"), "found '1e39'; expected a number"),
        (FIRST, FIRST.replace("\t8196.0\t", "\t\t"), "found ''; expected a number"),
        (FIRST, "0\t0\t7\t6657.1\t8196.0\t1.0", "readings of 9 curves with 15 cycles each; expected 135: one for"),
        (FIRST, FIRST.replace("0\t0\t", "0\t1\t"), "found a reading that stands twice"),
        (FIRST, FIRST.replace("0\t0\t", "0\t99999\t"), "with 100000 cycles each"),
        (FIRST, FIRST.replace("0\t0\t", "00\t0\t"), "found a dye of a well that is spelled in two ways"),
    ],
)
def test_text_that_contradicts_the_layout_is_refused(old, new, match):
    text = multicomponent_text(Document())
    assert old in text
    with pytest.raises(DamagedFile, match=match):
        read(text_eds(with_members(multicomponent_data_txt=text.replace(old, new, 1))))


# --- signals in XML ---


@pytest.mark.parametrize("comma", [", ", ",", " , "])
def test_lists_are_parted_by_commas_with_or_without_blanks(comma):
    run = read(xml_eds(with_members(multicomponentdata_xml=multicomponent_xml(Document(), comma))))
    assert np.array_equal(run.fluorescence, read(xml_eds()).fluorescence)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("[FAM, VIC, ROX]", "[FAM, ROX]", "well of index 0: found 3 signals of the dyes FAM, ROX"),
        ("[FAM, VIC, ROX]", "[FAM, FAM, ROX]", "found 3 signals of the dyes FAM, FAM, ROX"),
        ("[8196.0, ", "[", "found signals of 14 or 15 readings"),
        ("[8196.0, ", "[bright, ", "dye FAM: found a list with something else than numbers"),
        ('SignalData WellIndex="1"', 'SignalData WellIndex="0"', "found SignalData of WellIndex '0'"),
        ('SignalData WellIndex="1"', 'SignalData WellIndex="x"', "found SignalData of WellIndex 'x'"),
        ("[Stg:2 Cyc:1 Stp:2 Pt:1]", "[Stg:2 Cyc:1]", "CollectionPoints: found .*; expected .*Stg:2 Cyc:1 Stp:2 Pt:1"),
    ],
)
def test_xml_that_contradicts_the_layout_is_refused(old, new, match):
    text = multicomponent_xml(Document())
    assert old in text
    with pytest.raises(DamagedFile, match=match):
        read(xml_eds(with_members(multicomponentdata_xml=text.replace(old, new, 1))))


# --- results and settings of the older layouts ---


@pytest.mark.parametrize("name", ["Ct", "Cт", "Cq", "CRT"])
def test_ct_has_had_many_names(name):
    text = analysis_result(Document()).replace("\tCt\t", f"\t{name}\t", 1)
    assert rows(read(text_eds(with_members(analysis_result_txt=text))))[0]["vendor_cq"] == 7.5


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"Threshold": 0.1, "AutoCt": "false"}, (0.1, None, None)),
        ({"Threshold": 0.6, "AutoCt": "true"}, (0.6, None, None)),
        ({"Threshold": 0.2, "AutoCt": "true"}, (None, None, None)),
        ({"AutoBaseline": "false", "BaselineStart": 4, "BaselineStop": 9}, (None, 4, 9)),
        ({"AutoBaseline": "true", "BaselineStart": 4, "BaselineStop": 9}, (None, None, None)),
    ],
)
def test_automatic_settings_are_those_in_use_only_where_they_were_found(settings, expected):
    text = protocol(
        setting("IDetectorSettings", ObjectName="AnalysisProtocol.DEFAULT_SETTINGS", Threshold=0.2),
        setting("IDetectorSettings", ObjectName="ABL1", **settings),
    )
    row = rows(read(text_eds(with_members(analysis_protocol_xml=text))))[0]
    assert (row["vendor_threshold"], row["vendor_baseline_start"], row["vendor_baseline_end"]) == expected


def test_a_well_of_its_own_settings_has_these():
    own = {"ObjectName": "ABL1", "WellIndex": 0, "AutoBaseline": "false", "BaselineStart": 2, "BaselineStop": 5}
    for defaults, start in (("false", 2), ("true", 3)):
        text = USUAL_PROTOCOL.replace("</JaxbAnalysisProtocol>", "") + (
            setting("IWellSettings", UseDetectorDefaults=defaults, **own) + "</JaxbAnalysisProtocol>"
        )
        row = rows(read(text_eds(with_members(analysis_protocol_xml=text))))[0]
        assert (row["vendor_baseline_start"], row["vendor_threshold"]) == (start, 0.05)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("0\tS1\tABL1", "1\tP1\tABL1", "found a second result of target 'ABL1' in the well of index 1"),
        ("0\tS1\tABL1", "x\tS1\tABL1", "line 4: found a curve of no target"),
        ("Delta Rn values", "Rn values", "line 5: found a curve of no target"),
        ("Rn values\t2.0", "Rn values\tbright", "line 4: found 'bright.*'; expected a number"),
        ("Rn values\t2.0", "Rn values\t1,002.0", "line 4: found '1,002.*'; expected a number"),
    ],
)
def test_results_that_contradict_the_layout_are_refused(old, new, match):
    text = analysis_result(Document())
    assert old in text
    with pytest.raises(DamagedFile, match=match):
        read(text_eds(with_members(analysis_result_txt=text.replace(old, new, 1))))


def test_reactions_that_the_results_do_not_name_are_said():
    text = analysis_result(Document()).replace("13\t\tABL1", "1E\t\tABL1").split("1E\t")[0]
    run = read(text_eds(with_members(analysis_result_txt=text)))
    assert run.stage == "raw"
    assert run.warnings[0] == "The results do not name 1 reactions, whose Cq is unknown: B2 (ABL1)."


def test_results_of_genotyping_are_passed_over():
    text = "Session Name\t\nWell\tSample Name\tMarker Name\tCall\n0\tS1\tm\t1\n"
    assert rows(read(text_eds(with_members(analysis_result_txt=text))))[0]["vendor_cq_text"] is None


# --- documents of which the results are left ---


def test_rn_in_the_results_is_enough():
    run = read(results_eds())
    assert (run.stage, run.passive_reference, run.fluorescence.shape) == ("normalised", None, (4, CYCLES))
    assert run.fluorescence[0].tolist() == [rn(STANDARD, cycle) for cycle in run.cycles]
    assert rows(run)[0]["known_copies"] is None
    assert rows(run)[0]["vendor_task"] == "Target"
    assert "wells are named as those of a plate of 96" in run.warnings[0]


def test_an_index_above_95_is_a_plate_of_384():
    assert rows(read(results_eds(Document([Well(96)]))))[0]["well"] == "E1"
    with pytest.raises(DamagedFile, match="found well 384 without a plate setup; expected at most 384 wells"):
        read(results_eds(Document([Well(384)])))


def test_delta_rn_is_the_last_resort():
    text = analysis_result(Document(), ["Delta Rn values"])
    run = read(results_eds(with_members(analysis_result_txt=text)))
    assert run.stage == "baseline_subtracted"
    assert run.warnings[-1] == "The curves are ΔRn, from which the software has subtracted its baseline already."


def test_results_without_curves_are_refused_with_advice():
    text = analysis_result(Document(), [])
    with pytest.raises(FormatRefused, match=r"found a document without curves: .* export it as text, xls or xlsx"):
        read(results_eds(with_members(analysis_result_txt=text)))


def test_a_run_that_was_never_analysed_is_refused_with_advice():
    document = Document().packed({f"{SDS}plate_setup.xml": plate_setup(Document()), f"{SDS}experiment.xml": EXPERIMENT})
    with pytest.raises(FormatRefused, match=r"a run that was never analysed; .* analyse the run and save"):
        read(document)


# --- the JSON layout ---


def test_results_in_json_without_signals_are_read_as_rn():
    run = read(json_eds(Document(members={"primary/multicomponent_data.json": None})))
    assert (run.stage, run.fluorescence[0, 0]) == ("normalised", rn(STANDARD, 1))


@pytest.mark.parametrize(
    ("member", "content", "match"),
    [
        ("plate_setup", {"blockType": "BLOCK_OA"}, "blockType: found 'BLOCK_OA'; expected a block such as BLOCK_96W"),
        ("plate_setup", {"blockType": 96}, "blockType: found 96; expected a text"),
        ("plate_setup", [], r"found \[\]; expected an object with blockType"),
        ("multicomponent_data", {"collectionPoints": {}}, "collectionPoints: found {}; expected a list"),
        ("multicomponent_data", {"collectionPoints": [{"stage": -1}]}, "stage: found -1; expected a whole number"),
        ("multicomponent_data", {}, "found no signal of a dye"),
        ("analysis_result", {"wellResults": [{"wellIndex": True}]}, None),
        (
            "analysis_result",
            {"wellResults": [{"wellIndex": 0.5, "reactionResults": [{}]}]},
            "wellIndex: found 0.5; expected a whole number from 0",
        ),
        (
            "analysis_result",
            {"wellResults": [{"wellIndex": 0, "reactionResults": [{"amplificationResult": {"cq": "late"}}]}]},
            "cq: found 'late'; expected a number",
        ),
        (
            "analysis_result",
            {"wellResults": [{"wellIndex": 0, "reactionResults": [{"amplificationResult": {"rn": ["late"]}}]}]},
            "rn: found a list with something else than numbers",
        ),
        (
            "analysis_result",
            {"wellResults": [{"wellIndex": 0, "reactionResults": [{"amplificationResult": {"cq": 10**400}}]}]},
            "cq: found 1000.*; expected a number",
        ),
    ],
)
def test_json_that_contradicts_the_layout_is_refused(member, content, match):
    if match is None:
        assert len(rows(read(json_eds(**{member: content})))) == 4
        return
    with pytest.raises(DamagedFile, match=match):
        read(json_eds(**{member: content}))


def test_half_a_character_in_json_is_refused():
    setup = json_members(Document())["setup/plate_setup.json"]
    setup["wells"][0]["sampleName"] = "x\ud800"
    with pytest.raises(DamagedFile, match=r"sampleName: found .*expected a text"):
        read(json_eds(plate_setup=setup))


def test_rn_stands_in_where_a_well_has_no_passive_reference():
    content = json_members(Document())["primary/multicomponent_data.json"]
    for dye in content["wellData"][0]["dyeData"]:
        if dye["dyeName"] == "ROX":
            dye["fluorescences"] = [0.0] * len(dye["fluorescences"])
    run = read(json_eds(multicomponent_data=content))
    assert run.stage == "normalised"
    assert np.isfinite(run.signal).all()
    assert "are not those that the software analysed" in run.warnings[0]


def test_a_well_without_passive_reference_and_rn_is_left_out_and_named():
    content = json_members(Document())["primary/multicomponent_data.json"]
    for dye in content["wellData"][0]["dyeData"]:
        if dye["dyeName"] == "ROX":
            dye["fluorescences"] = [0.0] * len(dye["fluorescences"])
    run = read(json_eds(multicomponent_data=content, analysis_result={"wellResults": []}))
    assert (run.stage, bool(np.isfinite(run.signal).all())) == ("raw", True)
    assert "reactions have no amplification curve and were left out: well A1" in run.warnings[-1]


def test_json_of_two_signals_of_a_dye_or_too_few_readings_is_refused():
    content = json_members(Document())["primary/multicomponent_data.json"]
    dyes = content["wellData"][0]["dyeData"]
    with pytest.raises(DamagedFile, match="dye FAM: found a second signal of this dye"):
        read(json_eds(multicomponent_data={**content, "wellData": [{"wellIndex": 0, "dyeData": [dyes[0], dyes[0]]}]}))
    dyes[0]["fluorescences"].pop()
    with pytest.raises(DamagedFile, match=f"fluorescences: found 14 readings; expected {len(points(Document()))}, as"):
        read(json_eds(multicomponent_data=content))


@pytest.mark.parametrize("content", ["{", "[" * 100_000, "nul", '{"a": ' + "9" * 5000 + "}"])
def test_what_is_no_json_is_refused(content):
    with pytest.raises(DamagedFile, match=r"plate_setup.json: found JSON that cannot be read"):
        read(json_eds(Document(members={"setup/plate_setup.json": content})))


# --- hostile documents ---


@pytest.mark.parametrize("name", sorted(samples()))
def test_damaged_documents_end_in_an_error_of_ours_or_a_run(name):
    chance = random.Random(name)
    (files,) = [samples()[name]]
    for _ in range(150):
        (content,) = mutated(files, chance).values()
        try:
            _ = read(content).signal
        except BcrablError as error:
            assert str(error)  # noqa: PT017 - the error is one of two good outcomes


# --- real files ---


@pytest.mark.real_data
def test_the_standards_of_the_7500_example_are_three_of_each_level(real_data):
    run = read_run(real_data("eds_7500", "sce.eds"))
    assert (run.fluorescence.shape, run.stage) == ((24, 40), "raw")
    copies = Counter(row["known_copies"] for row in rows(run) if row["role"] == "std")
    assert copies == dict.fromkeys((625, 1250, 2500, 5000, 10000), 3)
    assert Counter(row["role"] for row in rows(run)) == {"std": 15, "unkn": 6, "ntc": 3}
    assert {row["sample_id"] for row in rows(run) if row["role"] == "unkn"} == {"pop1", "pop2"}
    assert {(row["target"], row["dye"]) for row in rows(run)} == {("RNase P TAMRA", "FAM")}
    assert (run.metadata["passive_reference"], run.metadata["software"]) == ("ROX", "7500 Software v2.3")


@pytest.mark.real_data
def test_reporter_over_passive_reference_is_the_rn_of_another_reader(real_data):
    run = read_run(real_data("eds_7500", "sce.eds"))
    with Path(real_data("tidy", "vendor__EDS_7500_RNaseP.csv")).open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    expected = np.array([[float(line[f"{row['well']}_{row['target']}"]) for line in lines] for row in rows(run)])
    assert np.abs(run.signal / expected - 1).max() < 3e-7  # the other reader keeps the decimals of the text


@pytest.mark.real_data
def test_results_that_are_left_of_a_document_hold_the_curves(real_data):
    run = read_run(real_data("eds_sds_resultonly", "DEMO_COVID2020_THERMO.eds"))
    assert (run.fluorescence.shape, run.stage) == ((24, 40), "normalised")
    assert {row["well"] for row in rows(run)} == {f"{letter}{column}" for letter in "ABCD" for column in (1, 2, 3)}
    assert [row["vendor_cq_text"] for row in rows(run)].count("40.0") == 17
    found = {(row["well"], row["target"]): row["vendor_cq"] for row in rows(run) if row["vendor_cq"]}
    assert found == {
        ("C1", "ORF1ab"): 27.42105,
        ("C2", "S"): 27.56705,
        ("C3", "N"): 26.17266,
        ("D1", "ORF1ab"): 27.977978,
        ("D2", "S"): 27.573374,
        ("D3", "N"): 26.255709,
        ("D3", "RNAsaP"): 36.90654,
    }
