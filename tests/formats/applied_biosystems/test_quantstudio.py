"""Applied Biosystems exports of all generations but Design & Analysis 2: sheets and sectioned texts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from format_builders import Cells, rows, same, xlsx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quantstudio_builders import (
    CYCLES,
    PLATE,
    ROX,
    STATED,
    classic,
    da2_plate,
    expected_dyes,
    flex_text,
    openarray,
    samples,
    sectioned,
)
from xls_builder import xls

from bcrabl.errors import BcrablError, DamagedFile, FileError
from bcrabl.formats import RawFile, read_run, recognise
from bcrabl.formats.wells import normal_hole, normal_well, plate_order, position_on_plate
from bcrabl.run import Run


def read(tmp_path: Path, content: dict[str, Cells] | str | bytes) -> Run:
    path = tmp_path / "export"
    if isinstance(content, dict):
        content = xlsx(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_run(path)


def changed(sheets: dict[str, Cells], sheet: str, row: int, column: str, value: object) -> dict[str, Cells]:
    """The sheets with one cell changed; rows count from 0 below the header."""
    cells = [list(r) for r in sheets[sheet]]
    header = next(number for number, r in enumerate(cells) if r and r[0] == "Well")
    cells[header + 1 + row][cells[header].index(column)] = value
    return sheets | {sheet: cells}


def without(sheets: dict[str, Cells], sheet: str, *columns: str) -> dict[str, Cells]:
    """The sheets with columns of one taken away."""
    cells = [list(row) for row in sheets[sheet]]
    header = next(number for number, row in enumerate(cells) if row and row[0] == "Well")
    places = [cells[header].index(column) for column in columns]
    below = [[cell for place, cell in enumerate(row) if place not in places] for row in cells[header:]]
    return sheets | {sheet: [*cells[:header], *below]}


# --- what is read ---


@pytest.mark.parametrize("name", samples())
def test_every_layout_gives_the_plate(tmp_path, name):
    ((file, content),) = samples()[name].items()
    (tmp_path / file).write_bytes(content)
    run = read_run(tmp_path / file)
    expected = [row for row in PLATE if name != "OpenArray xlsx" or row[2] == "ABL1"]
    got = rows(run)
    assert [(row["sample_id"], row["target"], row["dye"]) for row in got] == [(r[1], r[2], r[3]) for r in expected]
    assert [row["role"] for row in got] == [
        {"STANDARD": "std", "UNKNOWN": "unkn", "NTC": "ntc"}[r[4]] for r in expected
    ]
    assert [row["vendor_cq"] for row in got] == [None if isinstance(r[6], str) else r[6] for r in expected]
    assert [row["vendor_cq_text"] for row in got] == [r[6] if isinstance(r[6], str) else None for r in expected]
    if name != "OpenArray xlsx":
        assert [row["well"] for row in got] == [r[0] for r in expected]
        assert [row["known_copies"] for row in got] == [10000.0, 1000.0, *[None] * 6]
        assert [row["vendor_quantity"] for row in got] == [10000.0, 1000.0, 2345.678, *[None] * 5]
        assert [row["vendor_threshold"] for row in got] == [0.125] * 8
        assert [row["vendor_baseline_end"] for row in got] == [5.0 + i for i in range(8)]
    scale = {"normalised": ROX}.get(run.stage, 1.0)
    dyes = [curve for curve, row in zip(expected_dyes(), PLATE, strict=True) if row in expected]
    assert np.allclose(run.fluorescence * scale, dyes, rtol=1e-12)
    assert run.cycles.tolist() == list(range(1, CYCLES + 1))


def test_the_dye_signal_stands_beside_its_passive_reference(tmp_path):
    run = read(tmp_path, classic())
    assert run.stage == "raw"
    assert run.fluorescence.tolist() == expected_dyes()
    assert np.all(run.passive_reference == ROX)


def test_text_xls_and_xlsx_of_one_run_are_read_alike(tmp_path):
    book = read(tmp_path, classic())
    same(book, read(tmp_path, xls(classic())))
    same(book, read(tmp_path, flex_text()))


def test_a_comma_is_the_decimal_mark_of_german_exports(tmp_path):
    same(read(tmp_path, flex_text()), read(tmp_path, flex_text(decimal=",")))


def test_a_sample_named_like_a_number_does_not_change_the_decimal_mark(tmp_path):
    sheets = changed(classic(), "Results", 0, "Sample Name", "0.5")
    run = read(tmp_path, sectioned(sheets, decimal=","))
    assert rows(run)[0]["vendor_cq"] == 5.25
    assert run.fluorescence.tolist() == expected_dyes()


def test_a_quantity_that_may_be_thousands_is_read_as_the_other_sections_are(tmp_path):
    sheets = classic()
    sheets = changed(changed(sheets, "Sample Setup", 0, "Quantity", "10,000"), "Results", 0, "Quantity", "10,000")
    assert rows(read(tmp_path, sectioned(sheets)))[0]["known_copies"] == 10000
    german = changed(changed(sheets, "Sample Setup", 0, "Quantity", "10,500"), "Results", 0, "Quantity", "10,500")
    assert rows(read(tmp_path, sectioned(german, decimal=",")))[0]["known_copies"] == 10.5


def test_without_multicomponent_data_the_curves_are_rn(tmp_path):
    run = read(tmp_path, classic(multicomponent=False))
    assert (run.stage, run.passive_reference) == ("normalised", None)
    assert run.fluorescence[0, 0] == expected_dyes()[0][0] / ROX
    assert "The curves are Rn, since there is no sheet Multicomponent" in run.warnings[-1]


def test_an_empty_section_is_no_section(tmp_path):
    sheets = classic()
    sheets["Multicomponent Data"] = sheets["Multicomponent Data"][: len(STATED) + 2]
    assert read(tmp_path, sectioned(sheets)).stage == "normalised"


def test_without_rn_the_curves_are_less_a_baseline(tmp_path):
    run = read(tmp_path, without(classic(multicomponent=False), "Amplification Data", "Rn"))
    assert run.stage == "baseline_subtracted"
    assert run.fluorescence[0, 0] == expected_dyes()[0][0] / ROX - 0.6
    assert "The curves are ΔRn, less a baseline" in run.warnings[-1]


def test_an_empty_column_of_rn_is_none(tmp_path):
    sheets = classic(multicomponent=False)
    amplification = [
        [*row[:3], "", *row[4:]] if len(row) == 5 and row[0] != "Well" else row for row in sheets["Amplification Data"]
    ]
    assert read(tmp_path, sheets | {"Amplification Data": amplification}).stage == "baseline_subtracted"


def test_without_results_sample_setup_says_who_is_who(tmp_path):
    sheets = classic()
    del sheets["Results"]
    run = read(tmp_path, sheets)
    assert [row["role"] for row in rows(run)] == ["std", "std", "unkn", "unkn", "unkn", "unkn", "ntc", "ntc"]
    assert [row["known_copies"] for row in rows(run)][:3] == [10000, 1000, None]
    assert [row["vendor_cq"] for row in rows(run)] == [None] * 8
    assert "There is no sheet Results" in run.warnings[0]


def test_quantities_may_stand_in_sample_setup_only(tmp_path):
    run = read(tmp_path, without(classic(), "Results", "Quantity"))
    assert [row["known_copies"] for row in rows(run)][:3] == [10000, 1000, None]


def test_reporters_may_stand_in_sample_setup_only(tmp_path):
    run = read(tmp_path, without(classic(), "Results", "Reporter"))
    assert [row["dye"] for row in rows(run)] == [row[3] for row in PLATE]


def test_roles_that_are_not_in_the_file_are_unknown_and_said(tmp_path):
    sheets = without(without(classic(), "Results", "Task"), "Sample Setup", "Task")
    sheets["Sample Setup"] = sheets.pop("Sample Setup")
    run = read(tmp_path, sectioned(sheets))
    assert {row["role"] for row in rows(run)} == {"unkn"}
    assert "The roles of 8 reactions are not in the file" in run.warnings[0]


@pytest.mark.parametrize(
    ("block", "well"),
    [("384-Well Block", "A15"), ("96fast", "B3"), ("48well", "B7"), ("Fast 96-Well Block (0.1mL)", "B3")],
)
def test_wells_are_numbered_along_the_rows_of_the_block_that_is_named(tmp_path, block, well):
    stated = [["Block Type", block], *STATED[1:]]
    sheets = classic(stated=stated, position=False, place=lambda well: [15.0 if well == "A1" else well])
    assert next(row["well"] for row in rows(read(tmp_path, sheets)) if row["sample_id"] == "S1") == well


def test_a_well_beyond_the_block_is_refused(tmp_path):
    sheets = classic(position=False, place=lambda well: [97 if well == "A1" else well])
    with pytest.raises(DamagedFile, match=r"column Well: found '97'; expected a well such as A1"):
        read(tmp_path, sheets)


def test_a_number_stands_for_the_position_that_another_sheet_gives_it(tmp_path):
    numbers = {"A1": 1, "A2": 2, "B1": 11, "B2": 12, "H12": 40, "C3": 41}
    stated = [["Block Type", "Some Block"], *STATED[1:]]
    run = read(tmp_path, classic(stated=stated, place=lambda well: [numbers[well], well], multicomponent=False))
    assert [row["well"] for row in rows(run)] == [row[0] for row in PLATE]


def test_holes_of_an_openarray_keep_their_names_in_order_of_subarray_and_hole(tmp_path):
    run = read(tmp_path, openarray())
    assert [row["well"] for row in rows(run)] == ["A1a1", "A1a2", "A10b3", "D1c1", "D1c2"]
    assert (run.stage, run.passive_reference) == ("raw", None)
    assert "as of an OpenArray" in run.warnings[-1]


def test_a_hole_is_no_well_and_sorts_with_wells():
    assert normal_hole("d01C1") == "D1c1"
    assert normal_hole("D1") is None
    assert normal_well("D1c1") is None
    assert sorted(["B1a1", "A2b1", "A10a1", "A2a12", "A2a2"], key=plate_order) == [
        *("A2a2", "A2a12", "A2b1", "A10a1", "B1a1")
    ]
    assert position_on_plate("B1", 12) == 13


def test_omitted_wells_are_marked_whatever_the_word(tmp_path):
    for word, omitted in (("true", True), ("Yes", True), ("False", False), ("no", False), ("", False)):
        run = read(tmp_path, changed(classic(), "Results", 0, "Omit", word))
        assert rows(run)[0]["vendor_omitted"] is omitted


def test_a_well_with_a_cq_but_no_target_is_said(tmp_path):
    run = read(tmp_path, changed(classic(), "Results", 4, "Target Name", ""))
    assert run.reactions.num_rows == 7
    assert "1 wells have a Cq but name no target and were passed over: B2." in run.warnings


def test_metadata_say_instrument_block_and_date(tmp_path):
    metadata = read(tmp_path, flex_text()).metadata
    assert metadata["format"] == "Applied Biosystems text (QuantStudio, ViiA 7, StepOne, 7500)"
    assert metadata["instrument"] == "QuantStudio(TM) 7 Flex System"
    assert metadata["instrument_serial_number"] == "278880031"
    assert metadata["block"] == "96-Well Block (0.2mL)"
    assert metadata["run_date"] == "2021-03-04"
    assert metadata["passive_reference"] == "ROX"
    assert metadata["cq_detection_method"] == "Ct"


def test_a_file_that_is_silent_on_the_passive_reference_is_read_without(tmp_path):
    sheets = classic(stated=[row for row in STATED if row[0] != "Passive Reference"])
    del sheets["Amplification Data"]
    run = read(tmp_path, sheets)
    assert (run.stage, run.passive_reference) == ("raw", None)
    assert run.warnings[-1] == "The file does not say which dye is the passive reference; none is used."


def test_rox_may_be_a_reporter_where_there_is_no_passive_reference(tmp_path):
    stated = [row if row[0] != "Passive Reference" else [row[0], "None"] for row in STATED]
    sheets = {
        name: [[("ROX" if cell == "VIC" else "VIC" if cell == "ROX" else cell) for cell in row] for row in cells]
        for name, cells in classic(stated=stated).items()
        if name != "Amplification Data"  # whose Rn would be that of another passive reference
    }
    run = read(tmp_path, sheets)
    assert run.passive_reference is None
    assert [row["dye"] for row in rows(run)] == ["FAM", "FAM", "FAM", "ROX", "FAM", "ROX", "FAM", "ROX"]
    assert run.fluorescence.tolist() == expected_dyes()


def test_the_call_of_diomni_stands_on_a_sheet_of_its_own(tmp_path):
    sheets = without(da2_plate(), "Results", "Amp Status")
    calls = [[row[0], row[2], "POSITIVE" if row[6] != "Undetermined" else "NEGATIVE"] for row in PLATE]
    run = read(tmp_path, sheets | {"Target Call": [["Well", "Target", "Call"], *calls]})
    assert [row["vendor_call"] for row in rows(run)] == [row[2] for row in calls]


# --- what is refused ---


SHARED = changed(classic(), "Results", 3, "Reporter", "FAM")
PASSIVE = changed(classic(), "Results", 3, "Reporter", "ROX")


@pytest.mark.parametrize(
    ("sheets", "match"),
    [
        (SHARED, r"well B1: found targets 'ABL1' and 'BCR::ABL1' with the same dye FAM; expected one target for each"),
        (PASSIVE, r"well B1: found target 'BCR::ABL1' with the dye ROX, which is the passive reference"),
        (
            changed(classic(), "Results", 0, "Task", "SAMPLE"),
            r"sheet 'Results', row 12, column Task: found task 'SAMPLE'; expected one of UNKNOWN",
        ),
        (changed(classic(), "Results", 0, "Omit", "x"), r"column Omit: found 'x'; expected TRUE or FALSE"),
        (changed(classic(), "Results", 0, "CT", 18717.0), r"column CT: found a Cq of 18717; expected at most 1000"),
        (changed(classic(), "Results", 0, "Quantity", 0), r"column Quantity: found a standard of quantity 0"),
        (
            changed(classic(), "Sample Setup", 0, "Quantity", 500.0),
            r"sheet 'Sample Setup', row 12, column Quantity: found 500; expected the 10000 that another table states",
        ),
        (changed(classic(), "Results", 0, "Ct Threshold", "auto"), r"column Ct Threshold: found 'auto'; expected a nu"),
        (
            changed(classic(), "Multicomponent Data", 0, "FAM", "high"),
            r"sheet 'Multicomponent Data', row 12, column FAM: found 'high'; expected a number",
        ),
        (
            changed(classic(), "Multicomponent Data", 1, "Well Position", "A1"),
            r"row 13, column Cycle: found a second reading of A1 in cycle 1",
        ),
        (
            {name: cells for name, cells in classic().items() if name in ("Results", "Sample Setup")},
            r"found no curves: there is no sheet Multicomponent, and no sheet Amplification Data; .* From the Q",
        ),
        (
            {"Amplification Data": classic()["Amplification Data"]},
            r"found no sheet Results \(or Sample Setup\) with the columns Well, Target Name",
        ),
    ],
)
def test_what_contradicts_the_layout_is_refused_with_its_cell(tmp_path, sheets, match):
    with pytest.raises(DamagedFile, match=match):
        read(tmp_path, sheets)


def test_places_in_a_text_are_lines_of_the_file(tmp_path):
    text = sectioned(changed(classic(), "Results", 0, "Task", "SAMPLE"))
    line = next(number for number, line in enumerate(text.split("\n"), 1) if "SAMPLE" in line)
    with pytest.raises(DamagedFile, match=rf"section \[Results\], line {line}, column Task: found task 'SAMPLE'"):
        read(tmp_path, text)


def test_a_text_with_results_only_says_what_to_export(tmp_path):
    with pytest.raises(DamagedFile, match=r"no curves: .* export one txt with the sections Sample Setup"):
        read(tmp_path, sectioned({"Results": classic()["Results"]}))


def test_a_section_that_stands_twice_is_refused(tmp_path):
    text = flex_text()
    with pytest.raises(DamagedFile, match=r"section \[Results\]: found a second section of this name, in line"):
        read(tmp_path, text + text[text.index("\n[Results]") :])


def test_an_amount_whose_comma_may_be_either_is_refused(tmp_path):
    header = "Well\tSample Name\tTarget Name\tTask\tReporter\tCT\n"
    text = f"[Results]\n{header}A1\ts\tt\tUNKNOWN\tFAM\t\n[Amplification Data]\nWell\tCycle\tTarget Name\tRn\n"
    with pytest.raises(DamagedFile, match=r"column Rn: found '1,234'; expected a number"):
        read(tmp_path, text + "".join(f"A1\t{cycle}\tt\t1,234\n" for cycle in range(1, 13)))


def test_a_part_of_a_file_of_one_run_is_refused(tmp_path):
    (tmp_path / "x").write_text(flex_text())
    with pytest.raises(FileError, match=r"found part 'a' asked for; expected no part: the file holds one run"):
        read_run(tmp_path / "x", "a")


@pytest.mark.parametrize(
    "content",
    [b"[Results]\nnothing\n", b"[Header]\nWell\tCycle\n", b"text [Results]\nWell\tTarget\n", b"Well\tCycle\n1\t1\n"],
)
def test_other_texts_are_not_claimed(tmp_path, content):
    with pytest.raises(BcrablError, match=r"formats that are read"):
        recognise(RawFile("x", content))


# --- normal life ---


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
    decimal=st.sampled_from([".", ","]),
    tail=st.sampled_from(["", "\t", "\t\t\t"]),
    blank_lines=st.booleans(),
    seed=st.integers(0, 10**6),
)
def test_the_dress_of_a_text_does_not_change_the_run(tmp_path, encoding, ends, decimal, tail, blank_lines, seed):
    shuffler = random.Random(seed)
    sheets = {}
    for name, cells in classic(empty=shuffler.random() < 0.5, footer=[]).items():
        above, (header, *below) = cells[: len(STATED) + 1], cells[len(STATED) + 1 :]
        order = [0, *shuffler.sample(range(1, len(header)), len(header) - 1)]
        padded = [[*row, *[""] * (len(header) - len(row))] for row in (header, *below)]
        shuffler.shuffle(body := padded[1:])
        sheets[name] = [*above, *([row[place] for place in order] for row in (padded[0], *body))]
    names = list(sheets)
    shuffler.shuffle(names)
    text = sectioned({name: sheets[name] for name in names}, decimal=decimal, ends=ends, tail=tail)
    if blank_lines:
        text = text.replace(f"{ends}[", f"{ends}{ends}{ends}[") + ends * 3
    same(read(tmp_path, flex_text()), read(tmp_path, text.encode(encoding)))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draws=st.data())
def test_every_mangled_sample_is_an_error_of_ours_or_a_run(tmp_path, draws):
    name = draws.draw(st.sampled_from([name for name in samples() if "xls" not in name or "xlsx" in name]))
    ((_, content),) = samples()[name].items()
    place = draws.draw(st.integers(0, len(content) - 1))
    kind = draws.draw(st.sampled_from(["flip", "cut", "insert", "drop"]))
    junk = draws.draw(st.binary(min_size=1, max_size=4))
    mangled = {
        "flip": content[:place] + junk[:1] + content[place + 1 :],
        "cut": content[:place],
        "insert": content[:place] + junk + content[place:],
        "drop": content[:place] + content[place + 40 :],
    }[kind]
    try:
        read(tmp_path, mangled)
    except BcrablError as error:
        assert str(error)  # noqa: PT017 - the error is one of two good outcomes


# --- what contradicts itself, or was cut off ---


def rows_changed(
    sheets: dict[str, Cells], sheet: str, change: Callable[[list[object]], list[object] | None]
) -> dict[str, Cells]:
    """The sheets with each row below the header of one changed, or taken away where None."""
    cells = [list(row) for row in sheets[sheet]]
    header = next(number for number, row in enumerate(cells) if row and row[0] == "Well")
    below = [new for row in cells[header + 1 :] if (new := change(row)) is not None]
    return sheets | {sheet: [*cells[: header + 1], *below]}


def test_reactions_that_the_results_do_not_name_are_said(tmp_path):
    sheets = rows_changed(classic(), "Results", lambda row: None if row[1:2] == ["B2"] else row)
    run = read(tmp_path, sheets)
    assert run.reactions.num_rows == 6
    lost = "well B2, target ABL1; well B2, target BCR::ABL1."
    assert run.warnings[-2] == (f"The results do not name 2 reactions of Sample Setup, which were passed over: {lost}")
    assert run.warnings[-1] == (
        "2 curves of the sheet Amplification Data are of reactions that the results do not name, and were passed over: "
        f"{lost}"
    )


def test_a_text_cut_inside_its_results_is_said(tmp_path):
    lines = flex_text().split("\n")
    start = lines.index("[Results]")
    run = read(tmp_path, "\n".join(lines[: start + 5]))
    assert run.reactions.num_rows == 3
    assert any("do not name 5 reactions of Sample Setup" in warning for warning in run.warnings)


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row if row[2] <= 6 else None,
        lambda row: None if row[1] == "A1" and row[2] == 5 else row,
        lambda row: None if row[1] == "A1" else row,
        lambda row: [*row[:4], 0.0, *row[5:]],
        lambda row: [*row[:4], "", *row[5:]] if row[1] == "A1" else row,
        lambda row: [*row[:3], "", *row[4:]] if row[1] == "A1" and row[2] == 7 else row,
    ],
    ids=["half the cycles", "a cycle of a well", "a well", "passive 0", "passive blank", "a blank reading"],
)
def test_rn_stands_in_where_the_sheet_of_dyes_lacks_readings(tmp_path, change):
    run = read(tmp_path, rows_changed(classic(), "Multicomponent Data", change))
    assert run.stage == "normalised"
    assert np.allclose(run.fluorescence * ROX, expected_dyes())
    assert "readings of a dye or of the passive reference that the sheet Amplification Data has" in run.warnings[-1]


def test_rn_stands_in_where_the_dyes_do_not_give_it(tmp_path):
    sheets = rows_changed(classic(), "Multicomponent Data", lambda row: [*row[:3], row[3] * 3 + 7 * row[2], *row[4:]])
    run = read(tmp_path, sheets)
    assert run.stage == "normalised"
    assert "does not give the Rn that the file states (the first: well A1, target ABL1, cycle 1)" in run.warnings[-1]


def test_dyes_that_do_not_give_an_rn_of_fewer_cycles_are_refused(tmp_path):
    sheets = rows_changed(classic(), "Multicomponent Data", lambda row: [*row[:3], row[3] * 3, *row[4:]])
    sheets = rows_changed(sheets, "Amplification Data", lambda row: row if row[1] <= 6 else None)
    with pytest.raises(DamagedFile, match="found no cycle 7 in the sheet Amplification Data, which should stand in"):
        read(tmp_path, sheets)


def test_a_well_without_passive_reference_is_left_out_and_named(tmp_path):
    sheets = rows_changed(
        classic(),
        "Multicomponent Data",
        lambda row: [*row[:4], 0.0 if row[1] == "A1" else "", *row[5:]] if row[1] in ("A1", "A2") else row,
    )
    del sheets["Amplification Data"]
    run = read(tmp_path, sheets)
    assert run.reactions.num_rows == 6
    assert np.isfinite(run.signal).all()
    assert "2 reactions have no amplification curve and were left out: well A1" in run.warnings[-1]


@pytest.mark.parametrize(
    "text",
    ["[Results]\nWell\tA\n" + "1\t2\n" * 3_900_000, "[Results]\nWell\tA\n" + "1\t" * 7_000_000],
    ids=["rows", "cells"],
)
def test_a_text_of_more_cells_than_any_run_is_refused_before_it_is_cut(tmp_path, text):
    started = process_time()
    with pytest.raises(DamagedFile, match="expected at most 400000 lines and 4000000 cells"):
        read(tmp_path, text)
    assert process_time() - started < 2


# --- real files ---

DA1 = ("quantstudio_da1_xlsx", "appbio_quantstudio_design_and_analysis_example15_v1.5.2.xlsx")
FLEX = ("quantstudio_flex_xlsx", "untidy-standard-curve.xlsx")
FLEX_CRT = ("quantstudio_flex_xlsx", "appbio_quantstudio_example08.xlsx")
TXT_3_CYCLES = ("quantstudio_flex_txt", "appbio_quantstudio_example01.txt")
TXT = ("quantstudio_flex_txt", "appbio_quantstudio_example04.txt")
XLS = ("eds_7500", "7500_std.xls")
DA2 = "quantstudio_da2_xlsx"
QS1 = (DA2, "appbio_quantstudio_designandanalysis_QS1_Standard_Curve_example01.xlsx")
QS5 = (DA2, "appbio_quantstudio_designandanalysis_QS5_Standard_Curve_4Plex_example03.xlsx")
QS7 = (DA2, "appbio_quantstudio_designandanalysis_QS7Pro_Standard_Curve_example14.xlsx")

REAL = [
    # file, reactions, wells, cycles, stage, roles, Cq; from MANIFEST.csv and the files themselves
    (DA1, 232, 232, 40, "normalised", {"unkn": 232}, 228),
    (FLEX, 58, 58, 40, "normalised", {"std": 13, "unkn": 42, "ntc": 3}, 55),
    (FLEX_CRT, 36, 18, 50, "normalised", {"unkn": 36}, 36),
    (TXT_3_CYCLES, 8, 8, 3, "normalised", {"unkn": 8}, 8),
    (TXT, 6, 6, 40, "normalised", {"unkn": 6}, 6),
    (XLS, 24, 24, 40, "raw", {"std": 15, "unkn": 6, "ntc": 3}, 0),
    (QS1, 96, 96, 40, "raw", {"std": 20, "unkn": 72, "ntc": 4}, 92),
    (QS5, 384, 96, 40, "raw", {"unkn": 384}, 384),
    (QS7, 96, 96, 40, "raw", {"std": 92, "ntc": 4}, 92),
]


@pytest.mark.real_data
@pytest.mark.parametrize(("file", "reactions", "wells", "cycles", "stage", "roles", "cqs"), REAL)
def test_real_files_hold_what_the_manifest_says(real_data, file, reactions, wells, cycles, stage, roles, cqs):
    run = read_run(real_data(*file))
    got = rows(run)
    assert run.fluorescence.shape == (reactions, cycles)
    assert len({row["well"] for row in got}) == wells
    assert run.stage == stage
    assert Counter(row["role"] for row in got) == roles
    assert sum(row["vendor_cq"] is not None for row in got) == cqs
    assert not np.isnan(run.fluorescence).any()


@pytest.mark.real_data
@pytest.mark.parametrize("file", [QS1, QS5, QS7])
def test_dye_over_passive_reference_is_the_rn_that_the_file_states(real_data, file):
    """The multiplex of QS5 has MUSTANG PURPLE as its passive reference."""
    run = read_run(real_data(*file))
    table = RawFile.from_path(real_data(*file)).workbook.sheet("Amplification Data").table("Well", "Target", "Rn")
    keys = zip(table.texts("Well Position"), table.texts("Cycle Number"), table.texts("Target"), strict=True)
    rn = dict(zip(keys, table.numbers("Rn", range(len(table.rows)), []).tolist(), strict=True))
    expected = [[rn[row["well"], f"{c:g}", row["target"]] for c in run.cycles] for row in rows(run)]
    assert np.abs(run.signal / np.array(expected) - 1).max() < 1e-6


def crossings(run: Run, source: RawFile) -> np.ndarray:
    """Differences between the exported Cq and the crossing of ΔRn with the exported threshold."""
    table = source.workbook.sheet("Amplification Data").table("Well", "Rn")
    delta = table.named("dRn", "Delta Rn")
    position = "Well Position" if table.has("Well Position") else "Well"
    target = table.named("Target", "Target Name")
    cycle = table.named("Cycle Number", "Cycle")
    curves: dict[tuple[str, str], dict[float, float]] = {}
    values = zip(*(table.texts(name) for name in (position, target, cycle, delta)), strict=True)
    for well, of, at, value in values:
        if value:
            curves.setdefault((well, of), {})[float(at)] = float(value)
    results = source.workbook.sheet("Results").table("Well", "Well Position")
    numbers = dict(zip(results.texts("Well Position"), results.texts("Well"), strict=True))
    differences = []
    for row in rows(run):
        if row["vendor_cq"] is None:
            continue
        curve = curves.get((row["well"], row["target"])) or curves[numbers[row["well"]], row["target"]]
        at, signal = np.array(sorted(curve)), np.array([curve[c] for c in sorted(curve)])
        near = np.flatnonzero((signal[:-1] < row["vendor_threshold"]) & (signal[1:] >= row["vendor_threshold"]))
        cqs = at[near] + (row["vendor_threshold"] - signal[near]) / (signal[near + 1] - signal[near])
        if cqs.size:
            differences.append(np.abs(cqs - row["vendor_cq"]).min())
    return np.array(differences)


@pytest.mark.real_data
@pytest.mark.parametrize(("file", "compared"), [(QS1, 92), (QS5, 384), (QS7, 92), (DA1, 228), (FLEX, 55)])
def test_the_exported_threshold_gives_the_exported_cq(real_data, file, compared):
    run = read_run(real_data(*file))
    differences = crossings(run, RawFile.from_path(real_data(*file)))
    assert len(differences) == compared
    assert np.median(differences) <= 0.05
    assert differences.max() <= 0.25


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "slope", "intercept", "r2"),
    [
        # to the digits that the software prints
        (QS1, -3.3419, 40.77, 0.98802),
        (QS7, -3.3042, 37.7468, 0.99002),
        (FLEX, -3.4827, 18.2230, 0.99927),  # R² from the manifest: this software cuts it off to 0.9992
    ],
)
def test_the_line_through_the_exported_cq_is_the_exported_one(real_data, file, slope, intercept, r2):
    standards = [row for row in rows(read_run(real_data(*file))) if row["role"] == "std" and row["vendor_cq"]]
    used = [row for row in standards if not row["vendor_omitted"]]
    x = np.log10([row["known_copies"] for row in used])
    y = np.array([row["vendor_cq"] for row in used])
    got_slope, got_intercept = np.polyfit(x, y, 1)
    assert got_slope == pytest.approx(slope, abs=6e-5)
    assert got_intercept == pytest.approx(intercept, abs=6e-3 if intercept == 40.77 else 6e-5)
    assert np.corrcoef(x, y)[0, 1] ** 2 == pytest.approx(r2, abs=6e-6)


@pytest.mark.real_data
def test_thousands_are_parted_by_commas_in_a_real_text(real_data):
    first = rows(read_run(real_data(*TXT)))[0]
    assert (first["well"], first["vendor_quantity"], first["vendor_cq"]) == ("A1", 5720.562, 27.102)


@pytest.mark.real_data
def test_a_real_7500_workbook_has_standards_of_five_levels(real_data):
    listed = rows(read_run(real_data(*XLS)))
    copies = Counter(row["known_copies"] for row in listed if row["role"] == "std")
    assert copies == dict.fromkeys((625, 1250, 2500, 5000, 10000), 3)
