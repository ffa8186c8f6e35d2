"""Instruments that number their tubes or sites: Mic, Rotor-Gene, Biomeme, SmartCycler and Chai."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import tube_builders as build
from format_builders import rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcrabl.errors import DamagedFile
from bcrabl.formats import RawFile, read_run, recognise
from bcrabl.run import Run


def read(tmp_path: Path, text: str, encoding: str = "utf-8") -> Run:
    path = tmp_path / "export"
    path.write_bytes(text.encode(encoding))
    return read_run(path)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (build.mic(), "Mic csv"),
        (build.rotorgene(), "Rotor-Gene raw csv"),
        (build.biomeme(), "Biomeme two3 csv"),
        (build.smartcycler(), "SmartCycler csv"),
        (build.chai_csv(), "Chai amplification csv"),
        (build.chai_json(), "Chai analysis request JSON"),
    ],
)
def test_each_layout_is_recognised_by_its_content(text, name):
    assert recognise(RawFile("export", text.encode())).name == name


@pytest.mark.parametrize("text", [build.mic(), build.rotorgene(), build.biomeme(), build.smartcycler()])
def test_a_reader_that_met_no_real_file_says_so(tmp_path, text):
    assert "eader" in read(tmp_path, text).warnings[0]


# --- Mic ---


def test_tube_n_of_a_mic_is_well_a_n(tmp_path):
    run = read(tmp_path, build.mic())
    assert run.reactions["well"].to_pylist() == ["A1", "A2", "A7", "A48"]
    assert run.stage == "raw"
    assert run.fluorescence[1].tolist() == build.curve(5)
    assert {row["role"] for row in rows(run)} == {"unkn"}
    assert {row["target"] for row in rows(run)} == {"not named"}


def test_negative_readings_of_a_mic_show_that_the_baseline_was_taken_off(tmp_path):
    run = read(tmp_path, build.mic({1: build.curve(5, floor=-10), 2: build.curve(6)}))
    assert run.stage == "baseline_subtracted"
    assert "Some readings are negative" in run.warnings[-1]


def test_a_mic_tube_without_readings_is_left_out_and_named(tmp_path):
    text = build.mic().splitlines()
    text = [line if place == 0 else line.rpartition(",")[0] + "," for place, line in enumerate(text)]
    run = read(tmp_path, "\n".join(text))
    assert run.reactions["well"].to_pylist() == ["A1", "A2", "A7"]
    assert "left out: well A48" in run.warnings[-1]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("\r\n3,", "\r\nx,", "found 'x'; expected the number of a cycle"),
        ("\r\n3,", "\r\n2,", "cycle 2 more than once"),
        ("\r\n3,", "\r\n2.5,", "cycle 2.5"),
        ("\r\n12,", "\r\n14,", "cycles that do not follow each other"),
        ("\r\n3,", "\r\n,", "found readings of no cycle"),
        ("\r\n3,", "\r\n3,x", "expected a number"),
        ("\r\n3,", "\r\n3,7,", "found 5 values; expected 4, one for each curve"),
        ("\r\n3,", "\r\n3,nan,", "found"),
    ],
)
def test_a_damaged_row_is_named(tmp_path, old, new, found):
    with pytest.raises(DamagedFile, match=found):
        read(tmp_path, build.mic().replace(old, new))


@pytest.mark.parametrize("header", ["Cycle,1,1", "Cycle,1,49", "Cycle,0,1", "Cycle", "Cycles,1,2", "Cycle,A1,A2"])
def test_a_header_of_other_tubes_is_not_that_of_a_mic(header):
    text = f"{header}\r\n1,2.5,3.5\r\n2,2.5,3.5\r\n"
    from bcrabl.formats.other_instruments.mic import FORMAT

    assert not FORMAT.claims(RawFile("export", text.encode()))


# --- Rotor-Gene ---


def test_tube_n_of_a_rotor_is_well_a_n_under_the_name_of_the_first_page(tmp_path):
    run = read(tmp_path, build.rotorgene())
    assert [(row["well"], row["sample_id"]) for row in rows(run)] == [
        ("A1", "S1"),
        ("A2", "S2"),
        ("A10", "P1"),
        ("A72", "water"),
    ]
    assert run.stage == "raw"
    assert run.fluorescence[2].tolist() == build.curve(7)
    assert "experimental" in run.warnings[0]


def test_a_tube_named_like_a_number_does_not_decide_the_decimal_mark(tmp_path):
    text = build.rotorgene(names=("24.1234", "24.1235", "0.1", "x"))
    assert np.array_equal(read(tmp_path, text).fluorescence, read(tmp_path, build.rotorgene()).fluorescence)


def test_a_comma_without_a_leading_zero_is_a_decimal_mark(tmp_path):
    text = build.rotorgene().replace("\r\n1;10,3346", "\r\n1;,3346", 1)
    assert read(tmp_path, text).fluorescence[0, 0] == 0.3346


def test_the_channel_of_a_rotor_gene_is_the_target_where_it_is_stated(tmp_path):
    assert {row["dye"] for row in rows(read(tmp_path, build.rotorgene(channel="Green")))} == {"Green"}


def test_other_names_on_other_pages_are_told(tmp_path):
    run = read(tmp_path, build.rotorgene(pages=[("a", "b", "c", "d")]))
    assert rows(run)[0]["sample_id"] == "S1"
    assert any("other names on other pages" in warning for warning in run.warnings)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (build.rotorgene(tubes=(1, 2, 10, "x")), "found 'x'; expected a tube from 1 to 100"),
        (build.rotorgene(tubes=(1, 2, 10, 101)), "found '101'"),
        (build.rotorgene(tubes=(1, 2, 2, 3)), "duplicate well"),
        (build.rotorgene(names=(), tubes=()), "no tube"),
        (build.rotorgene().replace('"Page 1"', '"Seite 1"'), r"no row of names \(Page 1\)"),
        (build.rotorgene() + build.rotorgene(), "2 tables"),
        (build.rotorgene().replace('"ID"', '"Id."'), "0 tables"),
    ],
)
def test_a_rotor_gene_export_of_another_shape_is_refused(tmp_path, text, found):
    with pytest.raises(DamagedFile, match=found):
        read(tmp_path, text)


# --- Biomeme ---


def test_well_n_of_a_two3_is_well_a_n_in_two_channels(tmp_path):
    run = read(tmp_path, build.biomeme())
    assert [(row["well"], row["target"], row["dye"], row["sample_id"]) for row in rows(run)] == [
        ("A1", "ABL1", "green", "P1"),
        ("A1", "IPC", "red", "P1"),
        ("A2", "ABL1", "green", "P2"),
        ("A2", "IPC", "red", "P2"),
    ]
    assert run.stage == "baseline_subtracted"
    assert run.fluorescence[0].tolist() == build.curve(5, floor=0)
    assert "baseline-corrected" in run.warnings[-1]


def test_a_sample_named_like_a_number_does_not_decide_the_decimal_mark_of_a_two3(tmp_path):
    def german(name):
        head = build.biomeme().replace(",", ";").replace(".", ",")
        return head.replace("P1", name)

    named, plain = read(tmp_path, german("24.1234")), read(tmp_path, german("P1"))
    assert rows(named)[0]["sample_id"] == "24.1234"
    assert rows(named)[0]["vendor_cq"] == 6.51
    assert np.array_equal(named.fluorescence, plain.fluorescence)


def test_a_cq_of_zero_is_none(tmp_path):
    run = read(tmp_path, build.biomeme())
    assert [(row["vendor_cq"], row["vendor_cq_text"]) for row in rows(run)][:2] == [(6.51, None), (None, "0.00")]
    assert rows(run)[0]["vendor_threshold"] == 5.0


def test_raw_fluorescence_is_taken_where_the_file_has_it(tmp_path):
    titles = ("Baseline Subtracted Relative Fluorescence", "Raw Fluorescence")
    run = read(tmp_path, build.biomeme(titles))
    assert run.stage == "raw"
    assert run.fluorescence[0].tolist() == build.curve(5, floor=10)


def test_a_channel_stands_in_for_a_target_that_is_not_named(tmp_path):
    run = read(tmp_path, build.biomeme(Target=["", "", "", ""]))
    assert [row["target"] for row in rows(run)][:2] == ["green", "red"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (build.biomeme(Well=["1", "1", "2", "x"]), "row Well: found 'x'"),
        (build.biomeme(Well=["1", "1", "1", "2"]), "duplicate well"),
        (build.biomeme(Well=["1", "1", "2"]), "found 4 values; expected 3"),
        (build.biomeme(Well=[]), "no well in row Well"),
        (build.biomeme(Cq=["6.5.1", "0.00", "1", "1"]), "row Cq: found '6.5.1'"),
        (build.biomeme(titles=()), "no section of fluorescence"),
        (build.biomeme(titles=("Raw Fluorescence",) * 2), "2 sections of raw fluorescence"),
        (build.biomeme().replace("\r\n5,", "\r\nx5,"), "found 'x5' between readings"),
    ],
)
def test_a_biomeme_file_of_another_shape_is_refused(tmp_path, text, found):
    with pytest.raises(DamagedFile, match=found):
        read(tmp_path, text)


# --- SmartCycler ---


def test_second_derivatives_are_left_out(tmp_path):
    run = read(tmp_path, build.smartcycler())
    assert [(row["well"], row["dye"]) for row in rows(run)] == [
        (site, dye) for site in ("A1", "A2", "A3") for dye in ("Cy3", "FAM")
    ]
    assert run.fluorescence[1].tolist() == build.curve(5)
    assert run.fluorescence[0].tolist() == build.curve(5 + 2 / 3)


def test_the_results_table_says_role_and_ct_of_a_site_that_stands_there_once(tmp_path):
    found = {(row["well"], row["dye"]): row for row in rows(read(tmp_path, build.smartcycler()))}
    assert (found["A1", "FAM"]["vendor_cq"], found["A1", "FAM"]["sample_id"]) == (6.5, "P1")
    assert (found["A1", "Cy3"]["vendor_cq"], found["A1", "Cy3"]["vendor_cq_text"]) == (None, "0.00")
    assert (found["A2", "FAM"]["role"], found["A2", "FAM"]["vendor_task"]) == ("ntc", "NTC")


def test_a_site_that_a_standard_and_an_unknown_share_is_neither(tmp_path):
    run = read(tmp_path, build.smartcycler())
    shared = [row for row in rows(run) if row["well"] == "A3"]
    assert {(row["role"], row["sample_id"], row["vendor_cq"]) for row in shared} == {("unkn", None, None)}
    assert any("names A3 more than once" in warning for warning in run.warnings)


def test_a_sample_named_like_a_number_does_not_decide_the_decimal_mark_of_a_smartcycler(tmp_path):
    german = build.smartcycler().replace(",", ";").replace(".", ",").replace("P1", "24.1234")
    run = read(tmp_path, german)
    assert [row["vendor_cq"] for row in rows(run)][:2] == [None, 6.5]
    assert np.array_equal(run.fluorescence, read(tmp_path, build.smartcycler()).fluorescence)


def test_a_second_instrument_block_has_sites_of_its_own(tmp_path):
    run = read(tmp_path, build.smartcycler(blocks=2))
    assert run.reactions["well"].to_pylist()[::2] == ["A1", "A2", "A3", "B1", "B2", "B3"]


def test_a_file_without_results_table_has_unknown_samples_only(tmp_path):
    run = read(tmp_path, build.smartcycler(results=()))
    assert {row["role"] for row in rows(run)} == {"unkn"}
    assert any("no results table" in warning for warning in run.warnings)


def test_standards_of_a_smartcycler_have_unknown_copies(tmp_path):
    run = read(tmp_path, build.smartcycler(results=[("A1", "S1", "STD", "5", "0")]))
    assert "The copies of 2 standard reactions are not read" in run.warnings[-1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (build.smartcycler(sites=("A1", "A1")), "duplicate well"),
        (build.smartcycler(sites=("A1", "Ax")), "found 'Ax', 'FAM'"),
        (build.smartcycler(results=[("A1", "S", "WHAT", "1", "1")]), "column Sample Type: found 'WHAT'"),
        (build.smartcycler().replace("Cycle #", "Cycles"), "no table of cycles"),
        (build.smartcycler().replace("\r\n5,", "\r\nx5,"), "found 'x5' between readings"),
    ],
)
def test_a_smartcycler_file_of_another_shape_is_refused(tmp_path, text, found):
    with pytest.raises(DamagedFile, match=found):
        read(tmp_path, text)


# --- Chai ---


def test_well_n_of_a_chai_is_well_a_n_in_two_channels(tmp_path):
    run = read(tmp_path, build.chai_csv())
    assert run.reactions["well"].to_pylist() == [well for well in ("A1", "A2", "A9", "A16") for _ in range(2)]
    assert run.reactions["dye"].to_pylist() == ["channel 1", "channel 2"] * 4
    assert run.stage == "raw"


def test_the_least_processed_of_three_levels_is_read(tmp_path):
    run = read(tmp_path, build.chai_csv())
    assert run.fluorescence[0].tolist() == [round(value * 10) for value in build.curve(5.25)]


@pytest.mark.parametrize("listed", [False, True])
def test_the_json_holds_the_same_curves_as_the_csv_whichever_way_it_lists_readings(tmp_path, listed):
    csv_run, json_run = read(tmp_path, build.chai_csv()), read(tmp_path, build.chai_json(listed=listed))
    assert np.array_equal(csv_run.fluorescence, json_run.fluorescence)
    assert csv_run.reactions == json_run.reactions
    assert "optics before calibration" in json_run.warnings[0]


def _json(**changed: object) -> str:
    document = json.loads(build.chai_json())
    document["raw_data"] |= changed
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (_json(channel=[1]), "lists of different length"),
        (_json(channel=None), "no list of channel"),
        (_json(fluorescence_value=["1"] * 96), "fluorescence_value, entry 1: found 1; expected a number"),
        (_json(fluorescence_value=[True] * 96), "expected a number"),
        (_json(fluorescence_value=[10**400] * 96), "expected a number"),
        (_json(fluorescence_value=[float("nan")] * 96), "expected a number"),
        (_json(well_num=[17] * 96), "a second reading"),
        (_json(cycle_num=[0.5] * 96), "cycle 0.5"),
        (build.chai_json()[:-3], "JSON that is not well-formed"),
        ('{"raw_data": "well_num", "well_num":' + "[" * 100_000, "JSON that is not well-formed"),
        ('{"raw_data": [1], "well_num": 1}', "no list of fluorescence_value"),
        (build.chai_json([(1, 1, 17, 1), (1, 1, 17, 2)]), "found well 17, channel 1"),
        (build.chai_json([(1, 1.5, 1, 1), (1, 1.5, 1, 2)]), "channel 1.5"),
        (build.chai_json([]), "no amplification curve"),
        (build.chai_csv([(1, 1, 0, 1), (1, 1, 0, 2)]), "found well 0"),
        (build.chai_csv().replace(",1,1,3\n", ",1,1,x\n"), "column cycle_num: found 'x'"),
    ],
)
def test_a_chai_file_of_another_shape_is_refused(tmp_path, text, found):
    with pytest.raises(DamagedFile, match=found):
        read(tmp_path, text)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(build.CHAI_HEADER), readings=st.permutations(build.chai_readings(wells=(1, 2), cycles=4)))
def test_the_order_of_columns_and_readings_changes_nothing(tmp_path, order, readings):
    plain = read(tmp_path, build.chai_csv(build.chai_readings(wells=(1, 2), cycles=4)))
    mangled = read(tmp_path, build.chai_csv(readings, order))
    assert mangled.reactions == plain.reactions
    assert np.array_equal(mangled.fluorescence, plain.fluorescence)


# --- all of them ---

TEXTS = {
    "mic": build.mic(),
    "rotorgene": build.rotorgene(),
    "biomeme": build.biomeme().removeprefix("\ufeff"),
    "smartcycler": build.smartcycler(),
    "chai": build.chai_csv(),
}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(TEXTS)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    end=st.sampled_from(["\r\n", "\n", "\r"]),
    blanks=st.lists(st.integers(0, 40), max_size=4),
    padded=st.booleans(),
)
def test_encoding_line_ends_blank_lines_and_trailing_separators_change_nothing(
    tmp_path, name, encoding, end, blanks, padded
):
    plain = read(tmp_path, TEXTS[name])
    lines = TEXTS[name].splitlines()
    for blank in blanks:
        if name != "biomeme" or blank > 12:
            lines.insert(blank, "")
    mark = ";" if name == "rotorgene" else ","
    if padded:
        lines = [line + mark if line else line for line in lines]
    mangled = read(tmp_path, end.join(lines), encoding)
    assert mangled.reactions == plain.reactions
    assert np.array_equal(mangled.fluorescence, plain.fluorescence)
    assert mangled.warnings == plain.warnings


@pytest.mark.parametrize("make", [build.mic, build.rotorgene])
def test_a_comma_is_the_decimal_mark_of_exports_with_semicolons(tmp_path, make):
    german = read(tmp_path, make(delimiter=";", decimal=","))
    english = read(tmp_path, make(delimiter=",", decimal="."))
    assert np.array_equal(german.fluorescence, english.fluorescence)
    assert german.reactions == english.reactions


# --- real files ---


@pytest.mark.real_data
def test_a_real_chai_csv_holds_16_wells_in_two_channels_over_45_cycles(real_data):
    path = real_data("chai_json", "amplification.csv")
    run = read_run(path)
    assert run.fluorescence.shape == (32, 45)
    place = {(row["well"], row["dye"]): index for index, row in enumerate(rows(run))}
    with path.open(newline="") as file:
        stated = list(csv.DictReader(file))
    assert len(stated) == 32 * 45
    for reading in stated:
        curve = run.fluorescence[place[f"A{reading['well_num']}", f"channel {reading['channel']}"]]
        assert curve[int(reading["cycle_num"]) - 1] == float(reading["fluorescence_value"])


@pytest.mark.real_data
def test_a_real_chai_request_holds_16_wells_in_two_channels_over_40_cycles(real_data):
    path = real_data("chai_json", "xh-amp1.json")
    run = read_run(path)
    assert run.fluorescence.shape == (32, 40)
    raw = json.loads(path.read_text())["raw_data"]
    place = {(row["well"], row["dye"]): index for index, row in enumerate(rows(run))}
    found = [
        run.fluorescence[place[f"A{well}", f"channel {channel}"], cycle - 1]
        for well, channel, cycle in zip(raw["well_num"], raw["channel"], raw["cycle_num"], strict=True)
    ]
    assert found == raw["fluorescence_value"]
