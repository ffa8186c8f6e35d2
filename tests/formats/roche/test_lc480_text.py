"""LightCycler 480 raw data and Cp tables as text: what is read from them and what is refused."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest
from format_builders import rows, zipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lc480_builders import (
    CYCLES,
    IXO,
    RAW_HEADER,
    RAW_TITLE,
    WELLS,
    cp,
    cp_lines,
    cp_title,
    raw,
    raw_lines,
    samples,
    signal,
    text_of,
)
from mutations import mutated

from bcrabl import analyse_curves
from bcrabl.errors import BcrablError, DamagedFile, FileError, FormatRefused
from bcrabl.formats import FORMATS, RawFile, read_run, recognise
from bcrabl.run import Run

ROLES_UNSAID = "The roles of the reactions are not in the file; all are read as unknown samples."
CONTROLS_UNSAID = "Cp tables tell standards from other samples only; controls are read as unknown samples."


def read(tmp_path: Path, *contents: bytes, part: str | None = None) -> Run:
    """Read one file, or several as a folder."""
    folder = tmp_path / "run"
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for number, content in enumerate(contents):
        (folder / f"file{number}").write_bytes(content)
    return read_run(folder if len(contents) > 1 else folder / "file0", part)


def same(one: Run, other: Run) -> bool:
    return (
        one.reactions.equals(other.reactions)
        and np.array_equal(one.cycles, other.cycles)
        and np.array_equal(one.fluorescence, other.fluorescence, equal_nan=True)
        and one.stage == other.stage
        and one.warnings == other.warnings
    )


# --- curves ---


def test_each_well_has_a_curve_in_each_filter_pair(tmp_path):
    run = read(tmp_path, raw(raw_lines(("465-510", "533-580"))))
    assert [(row["well"], row["target"]) for row in rows(run)] == [
        (well, pair) for well in WELLS for pair in ("465-510", "533-580")
    ]
    assert run.cycles.tolist() == list(range(1, CYCLES + 1))
    assert run.fluorescence.tolist() == [
        [signal(well, cycle, pair) for cycle in range(1, CYCLES + 1)]
        for well in WELLS
        for pair in ("465-510", "533-580")
    ]
    assert run.stage == "raw"
    assert run.passive_reference is None


def test_without_cp_table_nothing_is_known_of_roles_and_dyes(tmp_path):
    run = read(tmp_path, raw())
    assert {(row["role"], row["dye"], row["vendor_cq"]) for row in rows(run)} == {("unkn", None, None)}
    assert run.warnings == (ROLES_UNSAID,)


def test_metadata_say_machine_and_software(tmp_path):
    metadata = read(tmp_path, raw()).metadata
    assert metadata["format"] == "LightCycler 480 raw data text"
    assert (metadata["vendor"], metadata["instrument"]) == ("Roche", "LightCycler 480")
    assert metadata["software"] == "LCS480 1.5.0.39"


def test_melting_is_left_out_wherever_it_stands(tmp_path):
    header, *lines = raw_lines()
    turned = [[*line[:2], "2" if line[2] == "3" else "3", *line[3:]] for line in lines]
    assert same(read(tmp_path, raw([header, *turned])), read(tmp_path, raw()))


def test_a_cell_that_lacks_a_value_is_a_missing_cycle(tmp_path):
    lines = raw_lines()
    lines[3][7] = ""
    assert np.isnan(read(tmp_path, raw(lines)).fluorescence[0]).tolist() == [False, False, True] + [False] * 9


def test_wells_without_any_value_are_left_out_and_named(tmp_path):
    lines = [[*line[:7], "", ""] if line[0] == "B1" else line for line in raw_lines()]
    run = read(tmp_path, raw(lines))
    assert run.reactions.num_rows == 3
    assert run.warnings[0] == ("1 reactions have no amplification curve and were left out: well B1, target 465-510.")


def test_two_programs_that_amplify_are_parts(tmp_path):
    header, *lines = raw_lines()
    again = [[*line[:2], "4", *line[3:]] for line in lines if line[2] == "2"]
    content = raw([header, *lines, *again])
    run = read(tmp_path, content)
    assert run.metadata["parts"] == ("program 2, segment 2", "program 4, segment 2")
    assert [row["part"] for row in rows(run)] == ["program 2, segment 2"] * 4 + ["program 4, segment 2"] * 4
    assert read(tmp_path, content, part="program 4, segment 2").fluorescence.shape == (4, CYCLES)
    with pytest.raises(FileError, match=r"found no part 'x'; expected one of the parts of this file: 'program 2, seg"):
        read(tmp_path, content, part="x")


def test_cp_of_two_programs_are_not_guessed(tmp_path):
    header, *lines = raw_lines()
    again = [[*line[:2], "4", *line[3:]] for line in lines if line[2] == "2"]
    run = read(tmp_path, raw([header, *lines, *again]), cp())
    assert {row["vendor_cq"] for row in rows(run)} == {None}
    assert [row["known_copies"] for row in rows(run)] == [10000, 1000, None, None] * 2
    assert "The Cp do not say of which program they are, and were not read." in run.warnings


# --- Cp tables ---


def test_the_cp_table_says_standards_cp_and_exclusions(tmp_path):
    run = read(tmp_path, raw(), cp())
    found = {
        row["well"]: tuple(
            row[name] for name in ("role", "known_copies", "vendor_cq", "vendor_quantity", "vendor_omitted")
        )
        for row in rows(run)
    }
    assert found == {
        "A1": ("std", 10000, 6.51, 10000, False),
        "A2": ("std", 1000, 8.52, 1000, False),
        "B1": ("unkn", None, 7.48, 3200, True),
        "H12": ("unkn", None, None, None, False),
    }
    assert {row["dye"] for row in rows(run)} == {"FAM"}
    assert run.warnings == (
        CONTROLS_UNSAID,
        "The quantities of 2 standard reactions carry no unit; they are read as copies per reaction.",
    )


def test_a_filter_named_after_several_dyes_names_none(tmp_path):
    run = read(tmp_path, raw(), cp(title=cp_title(name="SYBR Green I / HRM Dye")))
    assert {row["dye"] for row in rows(run)} == {None}


def test_each_filter_pair_has_a_cp_table_of_its_own(tmp_path):
    second = cp(cp_lines(A1={"Cp": "7.77"}), title=cp_title("533-580"))
    run = read(tmp_path, raw(raw_lines(("465-510", "533-580"))), cp(), second)
    assert [row["vendor_cq"] for row in rows(run) if row["well"] == "A1"] == [6.51, 7.77]


def test_reactions_in_no_cp_table_are_said(tmp_path):
    run = read(tmp_path, raw(raw_lines(("465-510", "533-580"))), cp(cp_lines()[:3]))
    assert "6 reactions are in no Cp table; they are read as unknown samples without a Cq." in run.warnings


def test_wells_that_only_the_cp_table_has_are_named(tmp_path):
    lines = [line for line in raw_lines() if line[0] != "B1"]
    assert "1 reactions have no amplification curve and were left out: well B1, target 465-510." in (
        read(tmp_path, raw(lines), cp()).warnings
    )


def test_a_word_in_place_of_cp_and_the_status_are_kept(tmp_path):
    run = read(tmp_path, raw(), cp(cp_lines(H12={"Cp": "> 45", "Status": "Uncertain"})))
    assert rows(run)[3]["vendor_cq_text"] == "> 45"
    assert rows(run)[3]["vendor_call"] == "Uncertain"


def test_a_cp_table_of_no_named_filter_is_that_of_the_only_filter(tmp_path):
    run = read(tmp_path, raw(), cp(title=("",)))
    assert rows(run)[0]["vendor_cq"] == 6.51
    assert run.warnings[0] == "file1 names no filter; it is read as of 465-510, the only one of the raw data."


def test_the_cp_table_is_found_beside_the_raw_data(tmp_path):
    (tmp_path / "run.txt.gz").write_bytes(gzip.compress(raw()))
    (tmp_path / "run_Cp.txt.gz").write_bytes(gzip.compress(cp()))
    assert rows(read_run(tmp_path / "run.txt.gz"))[0]["vendor_cq"] == 6.51


def test_a_zip_is_read_like_the_folder(tmp_path):
    folder = read(tmp_path, raw(), cp())
    assert same(read(tmp_path, zipped({"raw.txt": raw(), "cp.txt": cp()})), folder)


def test_other_files_of_the_folder_are_named(tmp_path):
    assert "Files beside the raw data that are no Cp tables were not read: file1." in (
        read(tmp_path, raw(), b"Tm\r\n80\r\n").warnings
    )


# --- spellings ---


def test_a_comma_is_the_decimal_mark_of_german_exports(tmp_path):
    filters = ("465-510", "533-580")
    assert same(
        read(tmp_path, raw(raw_lines(filters), ","), cp(decimal=",")),
        read(tmp_path, raw(raw_lines(filters)), cp()),
    )


def test_a_sample_named_like_a_number_does_not_decide_the_decimal_mark(tmp_path):
    def named(content):
        return content.replace(b"Patient", b"0.1234")

    german = read(tmp_path, named(raw(decimal=",")), named(cp(decimal=",")))
    assert {row["sample_id"] for row in rows(german)} >= {"0.1234"}
    assert same(german, read(tmp_path, named(raw()), named(cp())))


def test_decimal_commas_between_commas_are_refused_since_the_cells_shift(tmp_path):
    with pytest.raises(DamagedFile, match=r"line 3: found 11 cells, of which those behind cell 8 stand under no name"):
        read(tmp_path, text_of(RAW_TITLE, raw_lines(), ",", ","))
    with pytest.raises(
        DamagedFile, match=r"line 3: found \d+ cells, of which those behind cell \d stand under no name"
    ):
        read(tmp_path, raw(), text_of(cp_title(), cp_lines(), ",", ","))


def test_the_raw_data_say_the_decimal_mark_where_the_cp_table_does_not(tmp_path):
    lines = cp_lines(A1={"Cp": "6,512", "Concentration": ""})[:2]
    assert rows(read(tmp_path, raw(decimal=","), cp(lines)))[0]["vendor_cq"] == 6.512


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(range(9)),
    encoding=st.sampled_from(ENCODINGS),
    end=st.sampled_from(("\r\n", "\n", "\r")),
    decimal=st.sampled_from(".,"),
    blank=st.booleans(),
    quoted=st.booleans(),
    padded=st.booleans(),
    titled=st.booleans(),
    rows_order=st.booleans(),
)
def test_spelling_does_not_matter(tmp_path, order, encoding, end, decimal, blank, quoted, padded, titled, rows_order):
    header, *lines = raw_lines(("465-510", "533-580"))
    if rows_order:
        random.Random(1).shuffle(lines)
    table = [[line[place] for place in order] for line in ([*header], *lines)]
    if padded:
        table = [[f" {cell} " for cell in line] for line in table]
    text = raw(table, title=RAW_TITLE if titled else ("",)).decode()
    text = "\r\n".join(
        "\t".join(cell.replace(".", decimal) if cell.strip().replace(".", "").isdigit() else cell for cell in line)
        for line in (line.split("\t") for line in text.split("\r\n"))
    )
    if quoted:
        text = "\r\n".join("\t".join(f'"{cell}"' for cell in line.split("\t")) for line in text.split("\r\n"))
    if blank:
        text = text.replace("\r\n", "\r\n\r\n") + "\r\n"
    mangled = read(tmp_path, text.replace("\r\n", end).encode(encoding))
    assert same(mangled, read(tmp_path, raw(raw_lines(("465-510", "533-580")))))


def test_time_and_names_of_samples_may_be_missing(tmp_path):
    lines = [[*line[:1], *line[2:5], *line[6:]] for line in raw_lines()]
    run = read(tmp_path, raw(lines))
    assert {row["sample_id"] for row in rows(run)} == {None}
    assert np.array_equal(run.fluorescence, read(tmp_path, raw()).fluorescence)


# --- what is refused ---


def with_cell(row: int, column: int, value: str) -> bytes:
    lines = raw_lines()
    lines[row][column] = value
    return raw(lines)


@pytest.mark.parametrize(
    ("contents", "match"),
    [
        ([with_cell(3, 0, "A0")], r"line 5, column SamplePos: found 'A0'; expected a well such as A1"),
        (
            [with_cell(3, 1, "Other")],
            r"line 5, column SampleName: found two samples, 'Standard high' and 'Other'; expected one",
        ),
        ([with_cell(3, 4, "2")], r"line 5, column Cycle#: found a second reading of A1 in cycle 2"),
        ([with_cell(3, 4, "2.5")], r"line 5, column Cycle#: found cycle 2.5; expected cycles 1, 2, 3"),
        ([with_cell(3, 4, "x")], r"line 5, column Cycle#: found 'x'; expected a number"),
        ([with_cell(3, 6, "warm")], r"line 5, column Temp: found 'warm'; expected a number"),
        ([with_cell(3, 7, "high")], r"line 5, column 465-510: found 'high'; expected a number"),
        ([with_cell(0, 7, "Fluor")], r"line 2: found column 'Fluor'; expected filter pairs such as 465-510"),
        ([with_cell(0, 7, "")], r"line 2: found no column of signal; expected filter pairs such as 465-510"),
        ([with_cell(0, 8, "465-510")], r"line 2: found the filter pair 465-510 a second time"),
        ([raw(raw_lines()[:-1])], r"well H12: found 19 acquisitions in program 3, segment 1; expected 20, as in other"),
        (
            [raw(raw_lines(cycles=9))],
            r"found no amplification \(program 2, segment 2; program 3, segment 1\); expected a",
        ),
        ([raw(raw_lines()[:1])], r"found no amplification \(none at all\); expected a program with 10 or more cycles"),
        ([raw(), raw()], r"found 2 files with raw data of a LightCycler 480: 'file0', 'file1'; expected one"),
        ([raw(), cp(), cp()], r"found a second Cp table of filter 465-510; expected one"),
        (
            [raw(), cp(title=cp_title("533-580"))],
            r"found a Cp table of filter 533-580; expected one of those in the raw",
        ),
        ([raw(), cp(title=cp_title("none"))], r"line 1: found filter 'none'; expected a filter pair such as 465-510"),
        (
            [raw(), cp(title=cp_title(experiment="Run 8"))],
            r"found a Cp table of experiment 'Run 8'; expected 'Run 7'. Keep the files of one run together",
        ),
        (
            [raw(raw_lines(("465-510", "533-580"))), cp(title=("",))],
            r"found a Cp table of filter not named; expected one of those in the raw data: 465-510, 533-580",
        ),
        (
            [raw(), cp(cp_lines(A1={"Name": "X"}))],
            r"well A1: found sample 'X'; expected 'Standard high', as in the raw",
        ),
        ([raw(), cp(cp_lines(A1={"Cp": "651"}))], r"well A1: found Cp 651; expected at most 12, the last cycle"),
        (
            [raw(), cp(cp_lines(A1={"Cp": "6,5.1"}))],
            r"line 3, column Cp: found '6,5.1'; expected a number with the dec",
        ),
        (
            [raw(), cp(cp_lines(A1={"Pos": "A"}))],
            r"line 3, column Pos: found 'A'; expected a well such as A1, each once",
        ),
        ([raw(), cp(cp_lines(A1={"Pos": "A2"}))], r"line 4, column Pos: found well A2 a second time"),
        ([raw(), cp(cp_lines(A1={"Include": "ja"}))], r"line 3, column Include: found 'ja'; expected True or False"),
        ([raw(), cp(cp_lines(A1={"Standard": "-5"}))], r"column Standard: found a standard of quantity -5; expected a"),
        ([raw(), cp(cp_lines(A1={"Standard": "many"}))], r"column Standard: found 'many'; expected a number"),
    ],
)
def test_what_contradicts_the_layout_is_refused_with_its_place(tmp_path, contents, match):
    with pytest.raises(DamagedFile, match=match):
        read(tmp_path, *contents)


def test_a_touchdown_program_is_not_taken_for_amplification(tmp_path):
    lines = [[*line[:6], f"{70 - float(line[4])}", *line[7:]] if line[2] == "2" else line for line in raw_lines()]
    with pytest.raises(DamagedFile, match=r"expected a program with 10 or more cycles, each read at the same temp"):
        read(tmp_path, raw(lines))


def test_a_part_of_a_run_of_one_program_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"found part 'a' asked for; expected no part: the file holds one run"):
        read(tmp_path, raw(), part="a")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (IXO, r"found an experiment of the LightCycler 480 software \(.ixo\).* export the raw data of the experiment"),
        (cp(), r"found a Cp table of the LightCycler 480 without the raw data; expected an export with curves"),
    ],
)
def test_files_without_curves_are_refused_with_what_to_export(tmp_path, content, match):
    with pytest.raises(FormatRefused, match=match):
        read(tmp_path, content)


def test_one_format_only_claims_each_layout():
    for files in samples().values():
        members = tuple(RawFile(name, content) for name, content in files.items())
        source = members[0] if len(members) == 1 else RawFile("folder", b"", members)
        assert [one.name for one in FORMATS if one.claims(source)] == [recognise(source).name]


def test_hostile_steps_do_not_take_long(tmp_path):
    header = [*RAW_HEADER, "465-510"]
    lines = [header, *([f"A{n % 9000 + 1}", "s", str(n), "1", "1", "1", "60.0", "1.0"] for n in range(20_000))]
    with pytest.raises(DamagedFile, match="acquisitions in program"):
        read(tmp_path, raw(lines))


@pytest.mark.parametrize("name", samples())
def test_damaged_files_are_a_run_or_an_error_of_ours(name):
    chance = random.Random(name)
    for _ in range(150):
        files = mutated(samples()[name], chance)
        members = tuple(RawFile(member, content) for member, content in files.items())
        source = members[0] if len(members) == 1 else RawFile("folder", b"", members)
        try:
            recognise(source).read(source, None)
        except BcrablError as error:
            assert str(error)  # noqa: PT017 - the error is one of two good outcomes


# --- real files ---

NRD1 = "Edward_qPCR_Nrd1_calibration_2019-02-02.txt.gz"


@pytest.mark.real_data
def test_a_real_384_well_run_is_read_whole_with_its_279_cp(real_data):
    run = read_run(real_data("lc480_txt", NRD1))
    assert run.fluorescence.shape == (384, 40)
    assert np.isfinite(run.fluorescence).all()
    assert sum(row["vendor_cq"] is not None for row in rows(run)) == 279
    assert {(row["target"], row["role"], row["dye"]) for row in rows(run)} == {("483-533", "unkn", None)}
    assert run.fluorescence[0, :3].tolist() == [0.59, 0.57, 0.56]
    assert run.metadata["software"] == "LCS480 1.5.0.39"


@pytest.mark.real_data
def test_real_curves_and_cp_are_those_of_the_published_tidy_table(real_data):
    run = read_run(real_data("lc480_txt", NRD1))
    lines = real_data("tidy", "vendor__LC480_Nrd1_calibration.csv").read_text().splitlines()
    names = lines[0].split(",")[1:]
    tidy = np.array([[float(cell) for cell in line.split(",")[1:]] for line in lines[1:]]).T
    order = [names.index(f"{row['well']}_{row['target']}") for row in rows(run)]
    assert np.array_equal(run.fluorescence, tidy[order])


@pytest.mark.real_data
def test_second_derivative_cq_follow_the_vendors_cp(real_data):
    run = read_run(real_data("lc480_txt", NRD1))
    vendor = np.array([np.nan if row["vendor_cq"] is None else row["vendor_cq"] for row in rows(run)], dtype=float)
    ours = analyse_curves(run.cycles, run.fluorescence).cq_second_derivative
    both = np.isfinite(vendor) & np.isfinite(ours)
    difference = vendor[both] - ours[both]
    spread = 1.4826 * np.median(np.abs(difference - np.median(difference)))
    ranks = [np.argsort(np.argsort(values)) for values in (vendor[both], ours[both])]
    assert both.sum() >= 270
    assert -5 < np.median(difference) < 0
    assert spread < 0.5  # formats.md, 2.3: another estimator of ours was within 0.40
    assert np.corrcoef(*ranks)[0, 1] > 0.98
    assert np.polyfit(ours[both], vendor[both], 1)[0] == pytest.approx(1, abs=0.06)


@pytest.mark.real_data
def test_standard_curves_of_our_cq_are_as_steep_as_those_of_the_vendors_cp(real_data):
    run = read_run(real_data("lc480_txt", NRD1))
    listed = json.loads(real_data("tidy", "vendor__LC480_Nrd1_calibration.json").read_text())["curves"]
    layout = {curve["well"]: curve for curve in listed}
    ours = analyse_curves(run.cycles, run.fluorescence).cq_second_derivative
    dilutions: dict[str, list[tuple[float, float, float]]] = {}
    for row, cq in zip(rows(run), ours, strict=True):
        curve = layout[row["well"]]
        assert curve["vendor_cq"] == row["vendor_cq"]
        if curve.get("quantity") and row["vendor_cq"] and np.isfinite(cq):
            point = (np.log10(curve["quantity"]), row["vendor_cq"], cq)
            dilutions.setdefault(curve["series"], []).append(point)
    differences = []
    for points in map(np.array, dilutions.values()):
        if len(set(points[:, 0])) >= 4:
            theirs, own = (np.polyfit(points[:, 0], points[:, column], 1)[0] for column in (1, 2))
            differences.append(own - theirs)
    assert len(differences) >= 30
    assert abs(np.median(differences)) < 0.2
    assert np.quantile(np.abs(differences), 0.9) < 0.5
