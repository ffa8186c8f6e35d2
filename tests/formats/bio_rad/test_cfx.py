"""Bio-Rad CFX exports: what is read from them and what is refused."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from cfx_builders import (
    ABOUT,
    AMPLIFICATION,
    CQ,
    CQ_HEADER,
    INFORMATION,
    WELLS,
    amplification,
    cq_row,
    cq_rows,
    cq_table,
    csv_run,
    rfu,
    samples,
    text,
    workbook,
    xlsx_run,
    xml,
    xml_run,
)
from format_builders import rows, zipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcrabl.errors import DamagedFile, FileError, FormatRefused
from bcrabl.formats import RawFile, read_run, recognise
from bcrabl.formats.bio_rad.cfx_words import CONTENT_OF_ROLE, ROLE_OF_CONTENT, fluor_named, fluor_told
from bcrabl.run import Run


def saved(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def read(tmp_path: Path, files: Mapping[str, bytes]) -> Run:
    return read_run(saved(tmp_path / "export", files))


def one_fluor(cq: Sequence[Sequence[object]] | None = None, locale: str = "en", **more: bytes) -> dict[str, bytes]:
    """A run of one fluor; wells as in `WELLS`."""
    return {
        f"{AMPLIFICATION}_FAM.csv": text(amplification(), locale),
        f"{CQ}.csv": text(cq_table(*(cq or cq_rows())), locale),
    } | more


def identical(one: Run, other: Run) -> bool:
    return (
        one.reactions.equals(other.reactions)
        and np.array_equal(one.fluorescence, other.fluorescence, equal_nan=True)
        and np.array_equal(one.cycles, other.cycles)
        and one.stage == other.stage
    )


# --- what is read ---


def test_a_reaction_carries_what_the_tables_say_of_it(tmp_path):
    run = read(tmp_path, csv_run())
    assert rows(run)[0] == {
        "part": None,
        "well": "A1",
        "target": "ABL1",
        "dye": "FAM",
        "role": "std",
        "sample_id": None,
        "known_copies": 1000.5,
        "vendor_cq": 8.125,
        "vendor_cq_text": None,
        "vendor_call": None,
        "vendor_threshold": None,
        "vendor_baseline_start": None,
        "vendor_baseline_end": None,
        "vendor_task": "Std-1",
        "vendor_quantity": 1000.5,
        "vendor_quantity_unit": None,
        "vendor_omitted": False,
    }
    assert [row["role"] for row in rows(run)[::2]] == ["std", "std", "unkn", "unkn", "pos", "ntc"]
    assert run.metadata["instrument_serial_number"] == "CT000001"
    assert run.metadata["software"] == "CFX Maestro 5.3.022.1030"
    assert run.metadata["run_date"] == "2021-03-04"
    assert "somebody" not in str(run.metadata)


def test_each_fluor_is_a_target_of_its_wells(tmp_path):
    run = read(tmp_path, csv_run())
    assert [(row["well"], row["target"], row["dye"]) for row in rows(run)[:4]] == [
        ("A1", "ABL1", "FAM"),
        ("A1", "BCR::ABL1", "HEX"),
        ("A2", "ABL1", "FAM"),
        ("A2", "BCR::ABL1", "HEX"),
    ]
    for index, row in enumerate(rows(run)):
        place = WELLS.index(str(row["well"])) + (row["dye"] == "HEX")
        assert run.fluorescence[index].tolist() == rfu(place)
    assert run.cycles.tolist() == list(range(1, 15))


def test_melt_curves_and_summaries_are_left_out(tmp_path):
    files = csv_run()
    needed = {name: content for name, content in files.items() if "Melt" not in name and "Summary" not in name}
    assert len(needed) == len(files) - 2
    assert identical(read_run(saved(tmp_path / "all", files)), read_run(saved(tmp_path / "needed", needed)))


@pytest.mark.parametrize("locale", ["de", "fr"])
def test_other_countries_write_the_same_run_with_semicolons_and_decimal_commas(tmp_path, locale):
    english, other = read_run(saved(tmp_path / "en", csv_run())), read_run(saved(tmp_path / locale, csv_run(locale)))
    assert np.array_equal(english.fluorescence, other.fluorescence)
    words = {"de": "n. def.", "fr": "Non Numérique"}
    assert [row["vendor_cq_text"] for row in rows(english)[-2:]] == ["NaN", "NaN"]
    assert [row["vendor_cq_text"] for row in rows(other)[-2:]] == [words[locale]] * 2
    assert [row | {"vendor_cq_text": ""} for row in rows(english)] == [
        row | {"vendor_cq_text": ""} for row in rows(other)
    ]


def test_a_sample_named_like_a_number_does_not_decide_the_decimal_mark(tmp_path):
    files = one_fluor([cq_row(well, sample="0.1", cq=9.123) for well in WELLS], "de")
    assert {(row["sample_id"], row["vendor_cq"]) for row in rows(read(tmp_path, files))} == {("0.1", 9.123)}


def test_three_digits_behind_a_comma_are_decimals(tmp_path):
    files = one_fluor([cq_row(well, cq=9.123) for well in WELLS], "de")
    files[f"{AMPLIFICATION}_FAM.csv"] = text(amplification({well: [-1.125] * 3 + [4.875] * 9 for well in WELLS}), "de")
    run = read(tmp_path, files)
    assert set(run.fluorescence.ravel().tolist()) == {-1.125, 4.875}
    assert {row["vendor_cq"] for row in rows(run)} == {9.123}


def test_a_mark_in_every_sample_name_is_not_taken_for_the_separator(tmp_path):
    files = one_fluor([cq_row(well, sample="K562; 1;2;3") for well in WELLS])
    assert {row["sample_id"] for row in rows(read(tmp_path, files))} == {"K562; 1;2;3"}


@pytest.mark.parametrize("nothing", ["NaN", "N/A", "None", "", "n. def.", "NeuN", "-"])
def test_no_cq_is_none_and_what_stands_there_is_kept(tmp_path, nothing):
    run = read(tmp_path, one_fluor([cq_row(well, cq=nothing) for well in WELLS]))
    assert {(row["vendor_cq"], row["vendor_cq_text"]) for row in rows(run)} == {(None, nothing or None)}


def test_a_cq_of_zero_is_no_cq(tmp_path):
    assert rows(read(tmp_path, one_fluor([cq_row(well, cq=0) for well in WELLS])))[0]["vendor_cq_text"] == "0"


@pytest.mark.parametrize(
    ("content", "role"),
    [
        ("Unkn", "unkn"),
        ("Unkn-01", "unkn"),
        ("NTC", "ntc"),
        ("NTC-2", "ntc"),
        ("NRT", "nrt"),
        ("Pos Ctrl", "pos"),
        ("Pos Ctrl-3", "pos"),
        ("Neg Ctrl-6", "neg"),
        ("neg ctrl", "neg"),
    ],
)
def test_the_content_says_the_role(tmp_path, content, role):
    run = read(tmp_path, one_fluor([cq_row(well, content=content) for well in WELLS]))
    assert {(row["role"], row["vendor_task"]) for row in rows(run)} == {(role, content)}


def test_every_role_that_can_be_written_can_be_read():
    assert all(ROLE_OF_CONTENT[content.casefold()] == role for role, content in CONTENT_OF_ROLE.items())


def test_no_content_is_an_unknown_sample_with_a_warning(tmp_path):
    run = read(tmp_path, one_fluor([cq_row(well, content="") for well in WELLS]))
    assert {row["role"] for row in rows(run)} == {"unkn"}
    assert any("6 reactions have no content" in warning for warning in run.warnings)


def test_no_target_is_named_by_the_fluor_with_a_warning(tmp_path):
    run = read(tmp_path, one_fluor([cq_row(well, target="") for well in WELLS]))
    assert {row["target"] for row in rows(run)} == {"FAM"}
    assert any("6 reactions have no target" in warning for warning in run.warnings)


def test_copies_of_standards_only_are_known_and_carry_a_warning(tmp_path):
    run = read(tmp_path, one_fluor())
    assert [row["known_copies"] for row in rows(run)] == [1000.5, 100.25, None, None, None, None]
    assert [row["vendor_quantity"] for row in rows(run)] == [1000.5, 100.25, 12.75, None, None, None]
    assert any("quantities of 2 standard reactions carry no unit" in warning for warning in run.warnings)


def test_without_cq_results_nothing_is_known_but_well_and_fluor(tmp_path):
    run = read(tmp_path, samples()["CFX csv, curves alone"])
    assert {(row["role"], row["target"], row["dye"], row["sample_id"]) for row in rows(run)} == {
        ("unkn", "FAM", "FAM", None)
    }
    assert "There is no table of Cq results" in run.warnings[0]


def test_values_below_zero_show_that_the_baseline_was_subtracted(tmp_path):
    run = read(tmp_path, one_fluor())
    assert run.stage == "baseline_subtracted"
    assert any("0 and less in 6 of 6 curves" in warning for warning in run.warnings)


def test_curves_that_never_reach_zero_are_raw(tmp_path):
    raised = {well: [2000 + value for value in rfu(place)] for place, well in enumerate(WELLS)}
    run = read(tmp_path, one_fluor() | {f"{AMPLIFICATION}_FAM.csv": text(amplification(raised))})
    assert run.stage == "raw"
    assert any("No Baseline Subtraction" in warning for warning in run.warnings)


def test_reactions_without_curve_and_curves_without_reaction_are_named(tmp_path):
    curves = {well: rfu(place) for place, well in enumerate(("A1", "C1"))} | {"C2": [""] * 14}
    run = read(tmp_path, one_fluor() | {f"{AMPLIFICATION}_FAM.csv": text(amplification(curves))})
    assert [row["well"] for row in rows(run)] == ["A1"]
    assert any(warning.startswith("5 reactions have no amplification curve") for warning in run.warnings)
    assert any(
        warning.startswith("1 curves are not in the Cq results and were left out: well C1") for warning in run.warnings
    )


def test_a_missing_reading_is_missing(tmp_path):
    curves = {well: rfu(0) for well in WELLS} | {"A2": [*rfu(0)[:5], None, "", *rfu(0)[7:]]}
    run = read(tmp_path, one_fluor() | {f"{AMPLIFICATION}_FAM.csv": text(amplification(curves))})
    assert np.flatnonzero(np.isnan(run.fluorescence[1])).tolist() == [5, 6]


# --- which fluor a table is of ---


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (f"{AMPLIFICATION}_FAM", "FAM"),
        (f"{AMPLIFICATION}_fam", "FAM"),
        ("run - Quantification Amplification Results_FAM (1)", "FAM"),
        ("run_-__Quantification_Amplification_Results_FAM", "FAM"),
        ("Bericht HEX", "HEX"),
        ("curves-HEX", "HEX"),
        (f"{AMPLIFICATION}_BCR-ABL1", "HEX"),
        ("run_-__Quantification_Amplification_Results_Texas_Red", "Texas Red"),
    ],
)
def test_the_name_of_a_file_tells_which_of_the_fluors_listed_it_is_of(tmp_path, name, found):
    cq = [*cq_rows(), *cq_rows("HEX", "BCR-ABL1"), *cq_rows("Texas Red", "GUSB")]
    run = read(tmp_path, {f"{name}.csv": text(amplification()), f"{CQ}.csv": text(cq_table(*cq))})
    assert {row["dye"] for row in rows(run)} == {found}


def test_the_only_fluor_listed_is_taken_where_the_name_tells_none(tmp_path):
    files = {"curves.csv": text(amplification()), "cq.csv": text(cq_table())}
    assert {row["dye"] for row in rows(read(tmp_path, files))} == {"FAM"}


def test_a_name_that_tells_another_fluor_than_the_only_one_listed_is_an_error(tmp_path):
    files = {f"{AMPLIFICATION}_Cy5.csv": text(amplification()), "cq.csv": text(cq_table())}
    with pytest.raises(DamagedFile, match=r"RFU of 'Cy5'; expected one of the fluors of the Cq results: FAM"):
        read(tmp_path, files)


def test_a_name_that_tells_none_of_two_fluors_is_an_error(tmp_path):
    files = {"curves.csv": text(amplification()), "cq.csv": text(cq_table(*cq_rows(), *cq_rows("HEX")))}
    with pytest.raises(DamagedFile, match=r"RFU of a fluor that is not named; .*FAM, HEX"):
        read(tmp_path, files)


def test_without_cq_results_a_name_that_tells_no_fluor_is_an_error(tmp_path):
    with pytest.raises(DamagedFile, match=r"names no fluor; expected its fluor. Keep the file name that CFX gave"):
        read(tmp_path, {"curves.csv": text(amplification())})


@pytest.mark.parametrize(("name", "found"), [("my run Texas Red", "Texas Red"), (f"{AMPLIFICATION}_Cy5.5", "Cy5.5")])
def test_without_cq_results_the_name_alone_tells_the_fluor(tmp_path, name, found):
    assert {row["dye"] for row in rows(read(tmp_path, {f"{name}.csv": text(amplification())}))} == {found}


# --- the ways an export lies on disk ---


@pytest.mark.parametrize("chosen", [f"{AMPLIFICATION}_FAM.csv", f"{CQ}_0.csv", "run_Run Information.csv"])
def test_any_file_of_a_run_stands_for_all_of_them(tmp_path, chosen):
    folder = saved(tmp_path, csv_run())
    run = read_run(folder / chosen)
    assert identical(run, read_run(folder))
    assert run.metadata["sha256"] == read_run(folder).metadata["sha256"]


def test_a_zip_of_the_files_reads_as_the_folder(tmp_path):
    (tmp_path / "run.zip").write_bytes(zipped({f"export/{name}": content for name, content in csv_run().items()}))
    assert identical(read_run(tmp_path / "run.zip"), read(tmp_path, csv_run()))


def test_workbooks_packed_with_backslashes_read_as_csv(tmp_path):
    by_name = {name: content for name, content in csv_run().items() if "Melt" not in name}
    assert identical(read_run(saved(tmp_path / "xlsx", xlsx_run())), read_run(saved(tmp_path / "csv", by_name)))
    beside = read_run(tmp_path / "xlsx" / f"{AMPLIFICATION}.xlsx")
    assert identical(beside, read_run(tmp_path / "xlsx"))


def test_one_workbook_may_hold_all_tables(tmp_path):
    sheets = {"FAM": amplification(), "Quantification Cq Results": cq_table()}
    for as_cfx in (True, False):
        (tmp_path / "run.xlsx").write_bytes(workbook(sheets, as_cfx=as_cfx))
        assert identical(read_run(tmp_path / "run.xlsx"), read(tmp_path, one_fluor()))


def test_an_xls_workbook_reads_as_csv(tmp_path):
    from xls_builder import xls

    tables = {"FAM": amplification(), "0": cq_table(), "Run Information": ABOUT}
    cells = {
        name: [["NaN" if cell is None else cell for cell in row] for row in table] for name, table in tables.items()
    }
    (tmp_path / "run.xls").write_bytes(xls(cells))
    assert identical(read_run(tmp_path / "run.xls"), read(tmp_path, one_fluor()))


def test_a_workbook_of_curves_alone_names_its_fluor_inside(tmp_path):
    (tmp_path / "anything.xlsx").write_bytes(workbook({"Texas Red": amplification()}))
    assert {row["dye"] for row in rows(read_run(tmp_path / "anything.xlsx"))} == {"Texas Red"}


def test_xml_reads_as_csv_with_a_reservation(tmp_path):
    run = read_run(saved(tmp_path / "xml", xml_run()))
    assert identical(run, read_run(saved(tmp_path / "csv", csv_run())))
    assert (
        run.warnings[0]
        == "The reader of CFX XML was written from descriptions of the format and has not met a real file."
    )
    assert run.metadata["run_date"] == "2021-03-04"
    assert identical(run, read_run(tmp_path / "xml" / f"{AMPLIFICATION}_HEX.xml"))


def test_the_root_of_an_xml_file_names_the_fluor(tmp_path):
    run = read(tmp_path, {"a.xml": xml("Texas_x0020_Red", amplification())})
    assert {row["dye"] for row in rows(run)} == {"Texas Red"}


def test_an_xml_row_that_lost_an_element_is_an_error(tmp_path):
    content = xml("FAM", amplification()).replace(b"<A2>", b"<A9>", 3).replace(b"</A2>", b"</A9>", 2)
    with pytest.raises(DamagedFile):
        read(tmp_path, {"a.xml": content})


def test_settings_above_the_table_of_cq_do_not_matter(tmp_path):
    custom = text([*ABOUT, ["", ""], *cq_table()])
    run = read(tmp_path, one_fluor() | {f"{CQ}.csv": custom})
    assert rows(run) == rows(read_run(saved(tmp_path / "plain", one_fluor())))
    assert run.metadata["run_date"] == "2021-03-04"


@pytest.mark.parametrize("stated", ["04.03.2021 22:13", "13/13/2021 00:00:00 UTC", "2021"])
def test_a_start_that_is_not_written_as_cfx_does_is_not_read(tmp_path, stated):
    about = [[key, stated if key == "Run Started" else value] for key, value in ABOUT]
    run = read(tmp_path, one_fluor() | {f"{INFORMATION}.csv": text(about)})
    assert "run_date" not in run.metadata
    assert any(stated in warning for warning in run.warnings)


# --- what is refused ---


def test_an_unknown_content_is_an_error_that_names_the_cell(tmp_path):
    with pytest.raises(DamagedFile, match=r"line 2, column Content: found content 'Blank'; expected one of unkn"):
        read(tmp_path, one_fluor([cq_row("A1", content="Blank")]))


@pytest.mark.parametrize("cq", ["21,5", "abc", "2021-01-01", "inf"])
def test_a_cq_that_is_neither_number_nor_a_word_for_none_is_an_error(tmp_path, cq):
    with pytest.raises(DamagedFile, match=r"column Cq: found .*; expected a number"):
        read(tmp_path, one_fluor([cq_row("A1", cq=9.5), cq_row("A2", cq=cq)]))


@pytest.mark.parametrize("quantity", [0.0, -5.0])
def test_a_standard_of_no_copies_is_an_error(tmp_path, quantity):
    with pytest.raises(DamagedFile, match=r"Starting Quantity \(SQ\): found a standard of quantity"):
        read(tmp_path, one_fluor([cq_row("A1", content="Std-1", sq=quantity)]))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (cq_row("XYZ1"), "column Well: found 'XYZ1'; expected a well"),
        (cq_row(""), "column Well: found ''"),
        (cq_row(fluor=""), "column Fluor: found no fluor"),
        (cq_row("A1"), "found a second row of well A1, fluor FAM"),
    ],
)
def test_a_row_that_cannot_be_placed_is_an_error(tmp_path, row, message):
    with pytest.raises(DamagedFile, match=message):
        read(tmp_path, one_fluor([cq_row("A1"), row]))


def test_a_row_of_cq_with_a_separator_in_a_name_is_an_error(tmp_path):
    content = text(cq_table(cq_row("A1", sample="K562"))).replace(b"K562", b"K562,old")
    with pytest.raises(DamagedFile, match="found a row of 17 cells; expected 16 cells"):
        read(tmp_path, one_fluor() | {f"{CQ}.csv": content})


@pytest.mark.parametrize("name", [f"{AMPLIFICATION}_FAM.csv", f"{CQ}.csv"])
def test_a_row_that_breaks_off_is_an_error(tmp_path, name):
    files = one_fluor()
    content = files[name]
    cut = content[: content.rindex(b",", 0, len(content) - 30)]
    with pytest.raises(DamagedFile, match=r"found a row of \d+ cells; expected"):
        read(tmp_path, files | {name: cut})


def test_a_decimal_comma_that_was_cut_apart_is_an_error(tmp_path):
    cut = text(amplification(), "de").replace(b",", b".").replace(b";", b",").replace(b".", b",")
    with pytest.raises(DamagedFile, match="found a row of 14 cells; expected 8"):
        read(tmp_path, one_fluor() | {f"{AMPLIFICATION}_FAM.csv": cut})


def test_a_comma_among_points_is_an_error(tmp_path):
    files = one_fluor()
    with pytest.raises(DamagedFile, match="column Cq: found '9,062'; expected a number"):
        read(tmp_path, files | {f"{CQ}.csv": files[f"{CQ}.csv"].replace(b"9.0625", b'"9,062"')})


def test_a_cq_beyond_the_last_cycle_is_an_error(tmp_path):
    with pytest.raises(DamagedFile, match="column Cq: found Cq 9062; expected at most 14, the last cycle"):
        read(tmp_path, one_fluor([cq_row("A1", cq=9062.0)]))


def test_readings_under_no_name_are_an_error_since_a_well_would_be_lost(tmp_path):
    files = one_fluor()
    name = f"{AMPLIFICATION}_FAM.csv"
    with pytest.raises(DamagedFile, match="column 4: found readings under no name; expected the well in the header"):
        read(tmp_path, files | {name: files[name].replace(b",A2,", b",,", 1)})


def test_files_of_two_runs_in_a_folder_are_an_error(tmp_path):
    other = [["File Name", "other.pcrd"], *ABOUT[1:]]
    files = csv_run() | {"other_Run Information.csv": text(other)}
    with pytest.raises(DamagedFile, match=r"tables of the runs 'other.pcrd' and 'run.pcrd'"):
        read(tmp_path, files)


def test_two_tables_of_one_fluor_are_an_error(tmp_path):
    with pytest.raises(DamagedFile, match="found a second table of RFU of FAM"):
        read(tmp_path, one_fluor() | {"other_FAM.csv": text(amplification())})


def test_two_tables_of_cq_are_an_error(tmp_path):
    with pytest.raises(DamagedFile, match="2 tables of Cq results"):
        read(tmp_path, one_fluor() | {"other Cq.csv": text(cq_table())})


def test_two_columns_of_a_well_are_an_error(tmp_path):
    table = [[*row, row[2]] for row in amplification()]
    with pytest.raises(DamagedFile, match="more than one column of well A1"):
        read(tmp_path, one_fluor() | {f"{AMPLIFICATION}_FAM.csv": text(table)})


@pytest.mark.parametrize(
    ("cycle", "message"), [("1.5", "cycle 1.5"), ("3", "cycle 3 more than once"), ("", "cycle ''")]
)
def test_cycles_are_counted_in_whole_numbers(tmp_path, cycle, message):
    table = [[*row] for row in amplification()]
    table[4][1] = cycle
    with pytest.raises(DamagedFile, match=message):
        read(tmp_path, one_fluor() | {f"{AMPLIFICATION}_FAM.csv": text(table)})


def test_a_table_of_curves_without_rows_is_an_error(tmp_path):
    with pytest.raises(DamagedFile, match="no cycle at all"):
        read(tmp_path, one_fluor() | {f"{AMPLIFICATION}_FAM.csv": text(amplification()[:1])})


def test_curves_of_which_none_is_in_the_cq_results_are_an_error(tmp_path):
    with pytest.raises(DamagedFile, match="no amplification curve"):
        read(tmp_path, one_fluor([cq_row("H12")]))


def test_a_part_is_refused(tmp_path):
    with pytest.raises(FileError, match="the file holds one run"):
        read_run(saved(tmp_path, csv_run()), "FAM")


def test_a_table_of_melt_curves_is_not_claimed(tmp_path):
    table = [["", "Temperature", *WELLS], *([*row] for row in amplification()[1:])]
    (tmp_path / "run_FAM.csv").write_bytes(text(table))
    with pytest.raises(FileError, match="formats that are read"):
        recognise(RawFile.from_path(tmp_path / "run_FAM.csv"))


def test_cq_results_alone_are_refused_and_the_remedy_named(tmp_path):
    for name, content in ((f"{CQ}.csv", text(cq_table())), (f"{CQ}.xlsx", workbook({"0": cq_table()}))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FormatRefused, match=r"without the curves.*Export All Data Sheets > CSV"):
            read_run(tmp_path / name)


def test_the_data_file_is_refused_and_the_remedy_named(tmp_path):
    packed = bytearray(zipped({"3106341c-b0f0-4dbe-ae82-ac668ff98fdb.pcrd": b"locked" * 20}))
    for start in (packed.find(b"PK\x03\x04") + 6, packed.find(b"PK\x01\x02") + 8):
        packed[start] |= 1  # the flag of encryption
    (tmp_path / "run.pcrd").write_bytes(b"PK\x07\x08" + packed)
    for path in (tmp_path, tmp_path / "run.pcrd"):
        with pytest.raises(FormatRefused, match=r"a data file of Bio-Rad CFX, which is encrypted.*RDML"):
            read_run(path)


def test_tables_larger_than_any_plate_are_refused_unread(tmp_path):
    many = b"".join(b",%d,1.5\n" % cycle for cycle in range(1, 2100))
    with pytest.raises(DamagedFile, match="a table of 2100 rows; expected at most 2000"):
        read_run(saved(tmp_path / "rows", {"x_FAM.csv": b",Cycle,A1\n" + many}))
    with pytest.raises(DamagedFile, match=r"a table of \d+ bytes; expected at most \d+"):
        read_run(saved(tmp_path / "bytes", {"x_FAM.csv": b",Cycle,A1\n,1,1.5\n" + b" " * 8_000_000}))
    wells = ",".join(f"A{column}" for column in range(1, 3000)).encode()
    with pytest.raises(FileError, match="formats that are read"):
        read_run(saved(tmp_path / "columns", {"x_FAM.csv": b",Cycle," + wells + b"\n"}))
    fluors = [cq_row(fluor=f"F{number}") for number in range(60)]
    with pytest.raises(DamagedFile, match="60 different fluors; expected at most 50"):
        read_run(saved(tmp_path / "fluors", one_fluor(fluors)))


def test_names_longer_than_any_file_has_tell_no_fluor():
    assert fluor_named("a " * 200 + "FAM") is None
    assert fluor_told("a " * 200 + "FAM", {"FAM": ()}) is None


# --- what must not matter ---


def _csv_cells(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("latin-1"), newline="")))


@st.composite
def mangled(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of a run with all that may change on the way without changing what they say."""
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    separator = draw(st.sampled_from([",", ";", "\t"]))
    comma = draw(st.booleans()) and separator != ","
    trailing = draw(st.integers(0, 2))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    order = draw(st.permutations(range(len(CQ_HEADER) - 1)))
    files = {}
    for name, content in csv_run().items():
        cells = _csv_cells(content)
        if "Cq" in name:
            cells = [[row[0], *(row[1:][place] for place in order)] for row in cells]
        if comma and "Information" not in name:
            cells = [[_with_comma(cell) for cell in row] for row in cells]
        if draw(st.booleans()) and "Information" not in name:
            cells = [cells[0], [""] * len(cells[0]), *cells[1:], ["  "]]
        written = io.StringIO()
        padded = [[*row, *[""] * trailing] for row in cells]
        csv.writer(written, delimiter=separator, lineterminator=end, quoting=quoting).writerows(padded)
        files[name] = written.getvalue().encode(encoding)
    return files


def _with_comma(cell: str) -> str:
    whole, point, decimals = cell.partition(".")
    return f"{whole},{decimals}" if point and decimals.isdigit() else cell


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mangled())
def test_encoding_line_ends_separators_and_column_order_do_not_matter(tmp_path_factory, files):
    plain = read_run(saved(tmp_path_factory.mktemp("plain"), csv_run()))
    assert identical(plain, read_run(saved(tmp_path_factory.mktemp("mangled"), files)))


@pytest.mark.parametrize("name", samples())
def test_every_sample_reads_as_a_small_run(tmp_path, name):
    files = samples()[name]
    folder = saved(tmp_path, files)
    run = read_run(folder / next(iter(files)) if len(files) == 1 else folder)
    assert run.stage == "baseline_subtracted"
    assert len(run.cycles) == 14
    assert all(len(content) < 20_000 for content in files.values())


# --- real files ---


@pytest.mark.real_data
def test_the_synthetic_plate_of_openqpcr_reads_whole(real_data):
    path = real_data("cfx_csv_SYNTHETIC", "demo - Quantification Amplification Results_FAM.csv")
    run = read_run(path)
    assert (len(rows(run)), len(run.cycles)) == (96, 40)
    assert Counter(row["role"] for row in rows(run)) == {"unkn": 72, "std": 12, "ntc": 8, "pos": 4}
    assert rows(run)[0]["vendor_cq"] == 20.11
    assert rows(run)[0]["known_copies"] == 1_000_000
    assert run.fluorescence[0, :3].tolist() == [12.01, 12.02, 12.05]


@pytest.mark.real_data
def test_real_cq_results_without_curves_are_refused(real_data):
    with pytest.raises(FormatRefused, match="a table of Cq results of Bio-Rad CFX without the curves"):
        read_run(real_data("cfx_csv_cqonly", "example01.csv"))


@pytest.mark.real_data
def test_real_cq_results_are_read_beside_curves(real_data, tmp_path):
    cq = real_data("cfx_csv_cqonly", "example01.csv").read_bytes()
    wells = dict.fromkeys(line.split(",")[1].replace("0", "", 1) for line in cq.decode().splitlines()[1:] if line)
    curves = {well: rfu(place, cycles=45) for place, well in enumerate(wells)}
    tables = {
        f"x -  Quantification Amplification Results_{fluor}.csv": text(amplification(curves))
        for fluor in ("FAM", "VIC")
    }
    run = read(tmp_path, tables | {"x -  Quantification Cq Results.csv": cq})
    stated = {(row[1], row[2]): row for row in _csv_cells(cq)[1:]}
    assert len(rows(run)) == len(stated)
    for row in rows(run):
        line = stated[f"{str(row['well'])[0]}{int(str(row['well'])[1:]):02d}", str(row["dye"])]
        assert (row["vendor_cq"], row["sample_id"], row["vendor_task"]) == (float(line[7]), line[5], line[4])
