"""QuantStudio Design & Analysis 2 workbooks: what is read from them and what is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from format_builders import RESULT_HEADER, STATED, Cells, da2, result_row, rows, worksheet, xlsx, zipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcrabl.errors import BcrablError, DamagedFile, FileError
from bcrabl.formats import RawFile, read_run
from bcrabl.run import Run


def read(tmp_path: Path, sheets: dict[str, Cells] | bytes) -> Run:
    path = tmp_path / "export"
    path.write_bytes(sheets if isinstance(sheets, bytes) else xlsx(sheets))
    return read_run(path)


def stated(**changes: str) -> Cells:
    """The key and value rows with some values changed; names with spaces as underscores."""
    return [[key, changes.get(str(key).replace(" ", "_"), value)] for key, value in STATED]


# --- what is read ---


def test_a_standard_carries_what_the_sheets_say_of_it(tmp_path):
    run = read(tmp_path, da2())
    (row,) = rows(run)
    assert row == {
        "part": None,
        "well": "A1",
        "target": "ABL1",
        "dye": "FAM",
        "role": "std",
        "sample_id": "S1",
        "known_copies": 1000.0,
        "vendor_cq": 24.5,
        "vendor_cq_text": None,
        "vendor_call": None,
        "vendor_threshold": 0.2,
        "vendor_baseline_start": 3.0,
        "vendor_baseline_end": 15.0,
        "vendor_task": "STANDARD",
        "vendor_quantity": 1000.0,
        "vendor_quantity_unit": None,
        "vendor_omitted": False,
    }
    assert run.metadata["warnings"] == (
        "The quantities of 1 standard reactions carry no unit; they are read as copies per reaction.",
    )


def test_the_signal_is_that_of_the_reporter_beside_the_passive_reference(tmp_path):
    run = read(tmp_path, da2(dyes=("VIC", "ROX", "FAM")))
    assert run.stage == "raw"
    assert run.fluorescence.tolist() == [[301, 302, 303, 304, 305]]
    assert run.passive_reference.tolist() == [[201, 202, 203, 204, 205]]
    assert run.cycles.tolist() == [1, 2, 3, 4, 5]


def test_two_targets_of_one_well_are_told_apart_by_dye(tmp_path):
    results = [result_row(), result_row(target="BCR::ABL1", reporter="VIC")]
    run = read(tmp_path, da2(results, dyes=("VIC", "FAM", "ROX")))
    assert [row["target"] for row in rows(run)] == ["ABL1", "BCR::ABL1"]
    assert run.fluorescence[:, 0].tolist() == [201, 101]
    assert run.passive_reference[:, 0].tolist() == [301, 301]


@pytest.mark.parametrize("name", ["", "None", "-"])
def test_no_passive_reference_is_none(tmp_path, name):
    run = read(tmp_path, da2(stated=stated(Passive_Reference=name)))
    assert run.passive_reference is None
    assert run.stage == "raw"
    assert "passive_reference" not in run.metadata


def test_rn_stands_in_for_a_dye_that_is_not_in_the_file(tmp_path):
    run = read(tmp_path, da2([result_row(), result_row("A2", reporter="ABY")]))
    assert run.stage == "normalised"
    assert run.passive_reference is None
    assert run.fluorescence[0].tolist() == [(100 + cycle) / (200 + cycle) for cycle in range(1, 6)]
    assert "the sheet Multicomponent has no signal of ABY" in run.metadata["warnings"][-1]


def test_rn_stands_in_where_a_reporter_is_not_named(tmp_path):
    run = read(tmp_path, da2([result_row(reporter="")]))
    assert (run.stage, rows(run)[0]["dye"]) == ("normalised", None)
    assert "no signal of a reporter that is not named" in run.metadata["warnings"][-1]


def test_rn_stands_in_for_a_missing_sheet_and_a_missing_passive_reference(tmp_path):
    assert "there is no sheet Multicomponent" in read(tmp_path, da2(Multicomponent=None)).metadata["warnings"][-1]
    assert "has no signal of ROX" in read(tmp_path, da2(dyes=("FAM",))).metadata["warnings"][-1]


@pytest.mark.parametrize(
    ("task", "role"),
    [
        ("UNKNOWN", "unkn"),
        ("STANDARD", "std"),
        ("NTC", "ntc"),
        ("IPC", "pos"),
        ("BLOCKED_IPC", "neg"),
        ("Negative Control", "neg"),
        ("Positive Control", "pos"),
        ("POSITIVE_CONTROL", "pos"),
    ],
)
def test_tasks_are_the_roles(tmp_path, task, role):
    (row,) = rows(read(tmp_path, da2([result_row(task=task)])))
    assert (row["role"], row["vendor_task"]) == (role, task)
    assert row["known_copies"] == (1000 if role == "std" else None)
    assert row["vendor_quantity"] == 1000


@pytest.mark.parametrize("quantity", ["", "-"])
def test_a_standard_without_quantity_is_read_and_said(tmp_path, quantity):
    run = read(tmp_path, da2(quantity=quantity))
    assert rows(run)[0]["known_copies"] is None
    assert run.metadata["warnings"] == ("1 standard reactions carry no quantity; their copies are unknown.",)


def test_without_the_sheet_of_the_standard_curve_the_copies_are_unknown(tmp_path):
    assert rows(read(tmp_path, da2(Standard_Curve_Result=None)))[0]["known_copies"] is None


@pytest.mark.parametrize(
    ("cell", "cq", "text"),
    [(24.5, 24.5, None), ("24.5", 24.5, None), ("UNDETERMINED", None, "UNDETERMINED"), ("", None, None)],
)
def test_an_undetermined_cq_is_no_number(tmp_path, cell, cq, text):
    (row,) = rows(read(tmp_path, da2([result_row(cq=cell)])))
    assert (row["vendor_cq"], row["vendor_cq_text"]) == (cq, text)


@pytest.mark.parametrize(("cell", "omitted"), [("TRUE", True), (True, True), ("false", False), ("", False)])
def test_omitted_reactions_are_marked(tmp_path, cell, omitted):
    assert rows(read(tmp_path, da2([result_row(omit=cell)])))[0]["vendor_omitted"] is omitted


def test_header_rows_are_found_wherever_they_stand(tmp_path):
    sheets = da2()
    sheets["Results"] = [["Comment", "a"], ["", ""], ["Note", "b"], *sheets["Results"]]
    sheets["Multicomponent"] = sheets["Multicomponent"][len(STATED) :]
    assert rows(read(tmp_path, sheets))[0]["well"] == "A1"


def test_the_sheet_of_results_may_be_diomnis(tmp_path):
    sheets = da2([result_row("A01")])
    primary = [[*row[:1], *row[2:]] if len(row) > 2 else row for row in sheets.pop("Results")]
    primary = [["A01", *row[1:]] if row and row[0] == 1 else row for row in primary]
    assert rows(read(tmp_path, {"Primary_result": primary, **sheets}))[0]["well"] == "A1"


def test_a_numbered_well_is_placed_by_the_block(tmp_path):
    sheets = da2([result_row()])
    header = [name for name in RESULT_HEADER if name != "Well Position"]
    sheets["Results"] = [*STATED, header, [13, *result_row()[2:]]]
    sheets["Multicomponent"] = [*STATED, ["Well", "Cycle Number", "FAM", "ROX"], [13, 1, 5.0, 2.0], [13, 2, 6.0, 2.0]]
    assert rows(read(tmp_path, sheets))[0]["well"] == "B1"


def test_empty_wells_and_footers_are_passed_over(tmp_path):
    sheets = da2([result_row(), result_row("A2", target="")])
    footer = [["", ""], ["Analysis Type", "Standard Curve"], ["Endogenous Control", "ABL1"]]
    assert read(tmp_path, {name: [*cells, *footer] for name, cells in sheets.items()}).reactions.num_rows == 1


def test_readings_of_other_steps_are_passed_over(tmp_path):
    sheets = da2()
    sheets["Multicomponent"] = [*sheets["Multicomponent"], [1, "A1", 1, 1, 1, 7.0, 7.0]]
    assert read(tmp_path, sheets).fluorescence[0, 0] == 101


def test_of_several_steps_none_is_guessed_to_be_the_amplification(tmp_path):
    sheets = da2(stated=[row for row in STATED if row[0] != "PCR Stage/Step Number"])
    assert read(tmp_path, sheets).stage == "raw"
    sheets["Multicomponent"] = [*sheets["Multicomponent"], [1, "A1", 1, 1, 1, 7.0, 7.0]]
    run = read(tmp_path, sheets)
    assert run.stage == "normalised"
    assert "does not say which step of the sheet Multicomponent is the amplification" in run.warnings[-1]
    del sheets["Amplification Data"]
    with pytest.raises(DamagedFile, match="does not say which step"):
        read(tmp_path, sheets)


def test_the_step_that_older_software_states_is_the_amplification(tmp_path):
    stated = [["Stage/ Cycle where Analysis is performed", "Stage 2, Step 2"]]
    sheets = da2(stated=[*stated, *(row for row in STATED if row[0] != "PCR Stage/Step Number")])
    melt = [[1, "A1", 3, 1, cycle, 7.0, 7.0] for cycle in range(1, 30)]
    sheets["Multicomponent"] = [*sheets["Multicomponent"], *melt]
    assert read(tmp_path, sheets).fluorescence.tolist() == [[101, 102, 103, 104, 105]]


def test_cycles_that_a_well_lacks_become_nan(tmp_path):
    sheets = da2([result_row(), result_row("A2")])
    sheets["Multicomponent"] = list(sheets["Multicomponent"])[:-1]
    del sheets["Amplification Data"]
    assert np.isnan(read(tmp_path, sheets).fluorescence).tolist() == [[False] * 5, [False] * 4 + [True]]


def test_reactions_without_curve_are_left_out_and_named(tmp_path):
    sheets = da2([result_row(), result_row("A2")])
    sheets["Multicomponent"] = list(sheets["Multicomponent"])[:-5]
    del sheets["Amplification Data"]
    run = read(tmp_path, sheets)
    assert run.reactions.num_rows == 1
    assert run.metadata["warnings"][-1] == (
        "1 reactions have no amplification curve and were left out: well A2, target ABL1."
    )


def test_metadata_say_instrument_software_and_date(tmp_path):
    metadata = read(tmp_path, da2()).metadata
    assert metadata["format"] == "QuantStudio Design & Analysis 2 xlsx"
    assert metadata["instrument"] == "QuantStudio™ 5 System"
    assert metadata["software"] == "Design & Analysis Software v2.7.0"
    assert metadata["run_date"] == "2021-03-04"
    assert metadata["passive_reference"] == "ROX"


def test_a_date_in_another_spelling_is_left_out(tmp_path):
    sheets = da2(stated=[["Run Start Date/Time", "04.03.2021"], *STATED[3:]])
    assert "run_date" not in read(tmp_path, sheets).metadata


# --- what is refused ---


def with_cell(sheet: str, column: int, value: object) -> dict[str, Cells]:
    """The plain export with one cell of the first data row of a sheet changed."""
    sheets = da2()
    changed = [list(row) for row in sheets[sheet]]
    changed[len(STATED) + 1][column] = value
    return sheets | {sheet: changed}


def twice_the_first_reading(sheet: str, **options: object) -> dict[str, Cells]:
    sheets = da2(**options)
    cells = list(sheets[sheet])
    return sheets | {sheet: [*cells, cells[len(STATED) + 1]]}


@pytest.mark.parametrize(
    ("sheets", "match"),
    [
        (
            da2([result_row(task="SAMPLE")]),
            r"export, sheet 'Results', row 9, column Task: found task 'SAMPLE'; expected one of UNKN",
        ),
        (da2([result_row(omit="maybe")]), r"row 9, column Omit: found 'maybe'; expected TRUE or FALSE"),
        (da2([result_row(threshold="auto")]), r"row 9, column Threshold: found 'auto'; expected a number"),
        (da2([result_row(start=True)]), r"row 9, column Baseline Start: found 'True'; expected a number"),
        (da2([result_row("X")]), r"row 9, column Well Position: found 'X'; expected a well such as A1"),
        (da2([result_row(), result_row()]), r"well A1: found duplicate well: 2 curves of target 'ABL1'"),
        (
            da2(quantity="many"),
            r"sheet 'Standard Curve Result', row 9, column Quantity: found 'many'; expected a number",
        ),
        (da2(quantity=0), r"column Quantity: found a standard of quantity 0; expected a quantity above 0"),
        (da2(quantity=-3), r"column Quantity: found a standard of quantity -3; expected a quantity above 0"),
        (
            with_cell("Multicomponent", 5, "high"),
            r"sheet 'Multicomponent', row 9, column FAM: found 'high'; expected a number",
        ),
        (with_cell("Multicomponent", 6, "1,5 x"), r"row 9, column ROX: found '1,5 x'; expected a number"),
        (with_cell("Multicomponent", 4, "one"), r"row 9, column Cycle Number: found 'one'; expected a number"),
        (
            with_cell("Multicomponent", 4, 1.5),
            r"sheet 'Multicomponent', row 9, column Cycle Number: found cycle 1.5; expected",
        ),
        (
            twice_the_first_reading("Multicomponent"),
            r"sheet 'Multicomponent', row 14, column Cycle Number: found a second reading of A1 in cycle 1",
        ),
        (
            twice_the_first_reading("Amplification Data", dyes=("ROX",)),
            r"sheet 'Amplification Data', row 14, column Cycle Number: found a second reading of A1, ABL1 in cycle 1",
        ),
        (
            with_cell("Amplification Data", 4, "?") | {"Multicomponent": [[""]]},
            r"row 9, column Rn: found '\?'; expected a number",
        ),
        (
            da2(Multicomponent=None, Amplification_Data=None),
            r"found no curves: there is no sheet Multicomponent, and no",
        ),
        (da2(Results=None), r"found no sheet Results \(or Primary_result\) with the columns Well, Target"),
        (da2([]), r"sheet 'Results': found no reaction; expected a well with a target"),
        (
            da2(Amplification_Data=None, Multicomponent=[*STATED, ["Well", "Cycle Number", "FAM", "ROX"]]),
            r"found no amplification curve; expected one",
        ),
    ],
)
def test_what_contradicts_the_layout_is_refused_with_its_cell(tmp_path, sheets, match):
    with pytest.raises(DamagedFile, match=match):
        read(tmp_path, sheets)


def test_all_bad_cells_of_a_sheet_are_named_at_once(tmp_path):
    with pytest.raises(DamagedFile) as caught:
        read(tmp_path, da2([result_row(task="X"), result_row("A2", omit="Y", end="Z")]))
    assert [problem.where.rpartition(", column ")[2] for problem in caught.value.problems] == [
        "Baseline End",
        "Task",
        "Omit",
    ]


def test_a_part_of_a_file_of_one_run_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(xlsx(da2()))
    with pytest.raises(FileError, match=r"found part 'a' asked for; expected no part: the file holds one run"):
        read_run(tmp_path / "x", "a")


# --- hostile workbooks ---


FAR = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


@pytest.mark.parametrize(
    "row",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c><c\nr = \'XFD1048576\'><v>1</v></c></row>',
        '<row r="999999"><c r="ZZ999999"><v>1</v></c></row>',
        '<row r="9999999"><c><v>1</v></c></row>',
    ],
)
def test_a_cell_at_the_far_end_does_not_fill_the_memory(row):
    source = RawFile("vast.xlsx", replaced_sheet(FAR.format(row)))
    with pytest.raises(DamagedFile, match=r"vast.xlsx, sheet 'Results': found cells as far as column"):
        source.workbook.sheet("Results")


def replaced_sheet(body: str | bytes) -> bytes:
    """The plain export with the XML of sheet Results replaced."""
    return replaced(**{"xl/worksheets/sheet1.xml": body})


def replaced(**members: str | bytes) -> bytes:
    """The plain export with members of its zip archive replaced or added."""
    with zipfile.ZipFile(io.BytesIO(xlsx(da2()))) as archive:
        plain = {name: archive.read(name) for name in archive.namelist()}
    return zipped(plain | members)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ("<!DOCTYPE a>" + worksheet([["x"]]), r"sheet 'Results': found <!DOCTYPE"),
        ("<worksheet><sheetData><row", r"sheet 'Results': found a sheet that cannot be read"),
        (FAR.format('<row r="1"><c r="?"><v>1</v></c></row>'), r"sheet 'Results': found a sheet that cannot be read"),
    ],
)
def test_a_hostile_sheet_is_refused(body, match):
    with pytest.raises(DamagedFile, match=match):
        RawFile("x", replaced_sheet(body)).workbook.sheet("Results")


@pytest.mark.parametrize("count", ["17179869184", "18446744073709551615", "9" * 5000])
def test_a_count_that_cannot_be_true_does_not_fill_the_memory(count):
    content = replaced(**{"xl/sharedStrings.xml": f'<sst uniqueCount="{count}"><si><t>a</t></si></sst>'})
    with pytest.raises(DamagedFile, match=r"sheet 'Results': found a count of \d+ items; expected at most"):
        RawFile("x", content).workbook.sheet("Results")


def test_shared_strings_are_read(tmp_path):
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    shared = f'<sst xmlns="{main}" uniqueCount="1"><si><t>P7</t></si></sst>'
    body = worksheet(da2()["Results"]).replace('t="inlineStr"><is><t>S1</t></is>', 't="s"><v>0</v>')
    content = replaced(**{"xl/worksheets/sheet1.xml": body, "xl/sharedStrings.xml": shared})
    assert rows(read(tmp_path, content))[0]["sample_id"] == "P7"


def test_a_panic_of_the_sheet_reader_is_a_damaged_file(monkeypatch):
    class PanicException(BaseException):
        pass

    class Panicking:
        @staticmethod
        def from_filelike(_):
            raise PanicException("index out of bounds")

    monkeypatch.setattr("python_calamine.CalamineWorkbook", Panicking)
    with pytest.raises(DamagedFile, match=r"found a sheet that cannot be read \(index out of bounds\)"):
        RawFile("x", xlsx(da2())).workbook.sheet("Results")


def test_an_interrupt_is_not_swallowed(monkeypatch):
    class Interrupted:
        @staticmethod
        def from_filelike(_):
            raise KeyboardInterrupt

    monkeypatch.setattr("python_calamine.CalamineWorkbook", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        RawFile("x", xlsx(da2())).workbook.sheet("Results")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draws=st.data())
def test_every_flipped_byte_is_an_error_of_ours_or_a_run(tmp_path, draws):
    content = xlsx(da2())
    place = draws.draw(st.integers(0, len(content) - 1))
    value = draws.draw(st.integers(0, 255))
    path = tmp_path / "broken"
    path.write_bytes(content[:place] + bytes([value]) + content[place + 1 :])
    try:
        read_run(path)
    except BcrablError as error:
        assert str(error)  # noqa: PT017 - the error is one of two good outcomes


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draws=st.data())
def test_every_flipped_byte_inside_a_sheet_is_an_error_of_ours_or_a_run(tmp_path, draws):
    body = worksheet(da2()["Results"]).encode()
    place = draws.draw(st.integers(0, len(body) - 1))
    value = draws.draw(st.integers(0, 255))
    path = tmp_path / "broken"
    path.write_bytes(replaced_sheet(body[:place] + bytes([value]) + body[place + 1 :]))
    try:
        read_run(path)
    except BcrablError as error:
        assert str(error)  # noqa: PT017


def test_every_truncation_is_an_error_of_ours(tmp_path):
    content = xlsx(da2())
    for length in range(0, len(content), 7):
        (tmp_path / "broken").write_bytes(content[:length])
        with pytest.raises(BcrablError):
            read_run(tmp_path / "broken")


# --- real files ---

QS1 = "appbio_quantstudio_designandanalysis_QS1_Standard_Curve_example01.xlsx"
QS5 = "appbio_quantstudio_designandanalysis_QS5_Standard_Curve_4Plex_example03.xlsx"
QS7 = "appbio_quantstudio_designandanalysis_QS7Pro_Standard_Curve_example14.xlsx"
DIOMNI = "appbio_quantstudio_designandanalysis_Diomni_v4.3_Presence_Absence.xlsx"


@pytest.mark.real_data
def test_dye_over_rox_is_the_rn_that_the_file_states(real_data):
    path = real_data("quantstudio_da2_xlsx", QS1)
    run = read_run(path)
    table = RawFile.from_path(path).workbook.sheet("Amplification Data").table("Well", "Cycle Number", "Target", "Rn")
    rn = {(row[1], row[2]): row[4] for row in table.rows}
    expected = [[rn[row["well"], cycle] for cycle in run.cycles] for row in rows(run)]
    assert run.fluorescence.shape == (96, 40)
    assert np.abs(run.signal / np.array(expected) - 1).max() < 1e-6


@pytest.mark.real_data
def test_qs1_standards_are_four_of_each_level(real_data):
    listed = rows(read_run(real_data("quantstudio_da2_xlsx", QS1)))
    copies = [row["known_copies"] for row in listed if row["role"] == "std"]
    assert {level: copies.count(level) for level in copies} == dict.fromkeys((1250, 2500, 5000, 10000, 20000), 4)
    assert listed[0]["vendor_cq"] == 28.037617264150633
    assert {row["sample_id"] for row in listed if row["role"] == "unkn"} == {"Unk_5K", "Unk_10K"}
    assert [row["vendor_cq_text"] for row in listed if row["role"] == "ntc"] == ["UNDETERMINED"] * 4


@pytest.mark.real_data
def test_qs7pro_is_a_plate_of_standards(real_data):
    run = read_run(real_data("quantstudio_da2_xlsx", QS7))
    assert run.fluorescence.shape == (96, 40)
    levels = {row["known_copies"] for row in rows(run)} - {None}
    assert (min(levels), max(levels)) == (1000, 10000)


@pytest.mark.real_data
def test_qs5_has_four_targets_in_every_well_over_mustang_purple(real_data):
    run = read_run(real_data("quantstudio_da2_xlsx", QS5))
    assert run.fluorescence.shape == (384, 40)
    assert run.metadata["passive_reference"] == "MUSTANG PURPLE"
    assert {(row["target"], row["dye"]) for row in rows(run)} == {
        ("FZD1", "FAM"),
        ("APOE", "VIC"),
        ("CD44", "ABY"),
        ("GAPDH", "JUN"),
    }
    assert all(row["vendor_cq"] for row in rows(run))


@pytest.mark.real_data
def test_diomni_lacks_a_dye_and_is_read_as_rn(real_data):
    run = read_run(real_data("quantstudio_da2_xlsx", DIOMNI))
    assert (run.fluorescence.shape, run.stage) == ((8, 40), "normalised")
    assert [row["vendor_cq_text"] for row in rows(run)].count("UNDETERMINED") == 7
    assert {row["well"]: row["role"] for row in rows(run)} == {"A1": "unkn", "A2": "unkn", "C3": "ntc", "O23": "pos"}
    assert run.metadata["software"] == "Diomni 4.3.0"
