"""Sheets and configuration: what a laboratory may fill in, and what it is told when something does not fit."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcrabl.errors import SheetError
from bcrabl.run import ROLES
from bcrabl.schemas import check_document, compile_schema, load_schema, schema_folder
from bcrabl.sheets import (
    ConversionFactorRow,
    LayoutRow,
    RunRow,
    SampleRow,
    conversion_factor_for,
    load_configuration,
    load_conversion_factors,
    load_layout,
    load_runs,
    load_samples,
)

RUN_COLUMNS = "run_id site raw_file assay"
FACTOR_COLUMNS = "site assay control_gene factor valid_from valid_to source"
SHEETS = {
    "runs": (load_runs, RunRow),
    "samples": (load_samples, SampleRow),
    "conversion_factors": (load_conversion_factors, ConversionFactorRow),
    "layout": (load_layout, LayoutRow),
}


@pytest.fixture
def write(tmp_path):
    """Writes a sheet from a header and rows of blank-separated words ('-' = empty cell) and gives its path."""

    def _write(header: str, *rows: str) -> Path:
        lines = ["\t".join("" if word == "-" else word for word in row.split()) for row in (header, *rows)]
        return write_text(tmp_path, "\n".join(lines) + "\n")

    return _write


def write_text(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "sheet.tsv"
    path.write_bytes(text.encode(encoding))
    return path


def problems_of(load, path) -> list[str]:
    with pytest.raises(SheetError) as caught:
        load(path)
    return [str(problem) for problem in caught.value.problems]


def the_problem_of(load, path) -> str:
    (problem,) = problems_of(load, path)
    return problem


# -- reading ----------------------------------------------------------------------------------------------------------


def test_a_run_without_batch_is_its_own_batch(write):
    assert load_runs(write(RUN_COLUMNS, "R1 LAB1 raw/a.rdml eac")) == [
        RunRow("R1", "LAB1", "raw/a.rdml", "eac", batch="R1")
    ]


def test_every_column_of_the_runs_sheet_arrives(write):
    path = write(
        f"{RUN_COLUMNS} layout batch instrument operator run_date part", "R1 L f eac lay.tsv B qs5 op17 2026-03-31 2"
    )
    expected = RunRow("R1", "L", "f", "eac", "B", "lay.tsv", "qs5", "op17", "2026-03-31", "2")
    assert load_runs(path) == [expected]


@pytest.mark.parametrize("name", ["007", "1E05", "NA", "null", "true", "1.0", "nan"])
def test_ids_that_look_like_something_else_stay_text(write, name):
    assert load_runs(write(RUN_COLUMNS, f"{name} LAB1 {name} {name}"))[0].run_id == name
    assert list(load_samples(write("sample_id patient_id", f"{name} {name}"))) == [name]


@pytest.mark.parametrize("site", ["007", "1.0", "12"])
def test_a_site_of_digits_is_refused_because_readers_of_partitions_take_it_for_a_number(write, site):
    with pytest.raises(SheetError, match=r"row 2, column site: found '.*'; expected .* with at least one letter"):
        load_runs(write(RUN_COLUMNS, f"R1 {site} f eac"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_byte_order_mark_and_line_ends_of_any_system_are_read(tmp_path, encoding, line_end):
    text = line_end.join(["sample_id\tpatient_id", "Müller 5 µL\tP1", ""])
    assert list(load_samples(write_text(tmp_path, text, encoding))) == ["Müller 5 µL"]


def test_comments_and_blank_lines_are_skipped_and_still_counted_as_rows(tmp_path):
    path = write_text(tmp_path, "# first\n\nsample_id\tpatient_id\n\t\n#x\ty\nS1\tP 1\n")
    assert "row 6, column patient_id: found 'P 1'" in the_problem_of(load_samples, path)


def test_blanks_around_values_are_dropped_and_those_inside_kept(tmp_path):
    path = write_text(tmp_path, " sample_id \tpatient_id\n  26-01234 A \t P1 \n")
    assert load_samples(path) == {"26-01234 A": SampleRow("26-01234 A", "P1")}


def test_a_short_row_has_empty_cells_at_its_end_and_trailing_tabs_do_no_harm(tmp_path):
    path = write_text(tmp_path, "sample_id\tpatient_id\tmaterial\t\t\nS1\tP1\nS2\tP2\tPB\t\t\t\t\n")
    assert [row.material for row in load_samples(path).values()] == [None, "PB"]


def test_a_cell_quoted_by_a_spreadsheet_is_read_without_its_quotes(tmp_path):
    path = write_text(tmp_path, 'sample_id\tpatient_id\n"#12 ""left"""\tP1\n5" tube\tP2\n')
    assert list(load_samples(path)) == ['#12 "left"', '5" tube']


def test_rows_can_be_written_as_json(write):
    row = load_layout(write("well target role known_copies", "A01 ABL1 std 1E05"))[0]
    assert json.loads(json.dumps(asdict(row)))["known_copies"] == 100000.0


def test_ten_thousand_runs_are_read(write):
    rows = [f"R{number} LAB{number % 7} raw/{number}.rdml eac" for number in range(10_000)]
    assert len(load_runs(write(RUN_COLUMNS, *rows))) == 10_000


def test_reading_sheets_loads_no_numerical_library():
    heavy = (
        "import sys, bcrabl.sheets, bcrabl.standards; print(sorted({'numpy', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- files that are no sheet ------------------------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path):
    assert "nowhere.tsv: found no readable file (No such file" in the_problem_of(load_runs, tmp_path / "nowhere.tsv")


def test_a_folder_is_no_sheet(tmp_path):
    assert "found no readable file" in the_problem_of(load_runs, tmp_path)


def test_a_byte_that_is_not_utf8_is_named_with_its_row(tmp_path):
    path = write_text(tmp_path, "sample_id\tpatient_id\nMüller\tP1\n", "latin-1")
    assert "row 2: found byte 0xfc, which is not UTF-8" in the_problem_of(load_samples, path)


def test_unicode_text_of_a_spreadsheet_is_recognised(tmp_path):
    path = write_text(tmp_path, "sample_id\tpatient_id\nS\tP1\n", "utf-16")
    assert "found UTF-16 text; expected UTF-8 text" in the_problem_of(load_samples, path)


@pytest.mark.parametrize(("separator", "name"), [(",", "comma"), (";", "semicolon"), (" ", "blank")])
def test_another_separator_is_named(tmp_path, separator, name):
    text = "run_id,site,raw_file,assay\nR1,L,f,eac\n".replace(",", separator)
    problem = the_problem_of(load_runs, write_text(tmp_path, text))
    assert f"row 1: found {name}-separated columns; expected tab-separated ones" in problem


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n"])
def test_an_empty_file_is_refused_with_the_header_it_needs(tmp_path, text):
    problem = the_problem_of(load_runs, write_text(tmp_path, text))
    assert "found no rows at all; expected a header with run_id, site, raw_file, assay" in problem


@pytest.mark.parametrize("name", ["runs", "samples", "layout"])
def test_a_header_without_rows_is_refused(tmp_path, name):
    path = write_text(tmp_path, "\t".join(load_schema(name)["required"]) + "\n")
    assert "found a header and no rows below it" in the_problem_of(SHEETS[name][0], path)


def test_a_laboratory_may_have_no_conversion_factor_yet(write):
    assert load_conversion_factors(write(FACTOR_COLUMNS)) == []


def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_below(tmp_path):
    path = write_text(tmp_path, 'sample_id\tpatient_id\n"S1\tP1\nS2\tP 2\n')
    quote, cell = problems_of(load_samples, path)
    assert "row 2: found double quotes that do not match" in quote
    assert "row 3, column patient_id" in cell


# -- header -----------------------------------------------------------------------------------------------------------


def test_an_unknown_column_is_named_with_the_closest_known_one(write):
    problem = the_problem_of(load_runs, write(f"{RUN_COLUMNS} Run_Date", "R1 L f eac 2026-03-31"))
    assert "row 1, column 5: found unknown column 'Run_Date'" in problem
    assert problem.endswith("Did you mean 'run_date'?")


def test_a_missing_required_column_is_reported_once(write):
    problem = the_problem_of(load_runs, write("run_id site raw_file", "R1 L f", "R2 L g"))
    assert "row 1: found no column assay; expected the column assay" in problem


def test_a_column_given_twice_is_refused(write):
    problem = the_problem_of(load_runs, write(f"{RUN_COLUMNS} site", "R1 L f eac L"))
    assert "column 5: found column 'site' a second time; expected each column once" in problem


def test_a_column_without_a_name_is_refused(tmp_path):
    path = write_text(tmp_path, "sample_id\t\tpatient_id\nS\tx\tP\n")
    assert "row 1, column 2: found no name; expected one of sample_id" in the_problem_of(load_samples, path)


# -- cells ------------------------------------------------------------------------------------------------------------


def test_all_bad_cells_of_a_sheet_are_reported_at_once_in_the_order_of_rows(write):
    path = write(f"{RUN_COLUMNS} run_date", "R1 L f eac 31.03.2026", "a/b L f eac -", "R1 L f - -", "R4 L f eac - x")
    wanted = [
        r"row 2, column run_date: found '31\.03\.2026'; expected a calendar date written YYYY-MM-DD\. Spreadsheets",
        r"row 3, column run_id: found 'a/b'; expected 1 to 64 of the characters",
        r"row 4, column assay: found an empty cell; expected a value",
        r"row 4, column run_id: found 'R1', which row 2 holds already; expected each run_id in one row only",
        r"row 5: found 6 cells \('x' is the last\); expected at most 5 cells, one per column",
    ]
    found = problems_of(load_runs, path)
    assert len(found) == len(wanted)
    for problem, pattern in zip(found, wanted, strict=True):
        assert re.search(pattern, problem)
        assert str(path) in problem


@pytest.mark.parametrize("name", ["../x", "a/b", "..", ".hidden", "a..b", "-a", "a b", "ä", "a" * 65, "a\\b"])
def test_a_name_that_could_leave_its_folder_is_refused(tmp_path, name):
    path = write_text(tmp_path, RUN_COLUMNS.replace(" ", "\t") + f"\n{name}\tL\tf\teac\n")
    assert "column run_id" in the_problem_of(load_runs, path)


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "20260331", "2026-3-1", "31/03/2026", "2026-03-31T10:00"])
def test_a_date_is_a_day_of_the_calendar(write, day):
    problem = the_problem_of(load_runs, write(f"{RUN_COLUMNS} run_date", f"R1 L f eac {day}"))
    assert f"column run_date: found '{day}'; expected a calendar date" in problem


def test_an_older_transcript_name_is_translated_in_the_error(write):
    problem = the_problem_of(load_samples, write("sample_id patient_id transcript", "S1 P1 b3a2"))
    assert "expected one of e13a2, e14a2, e13a2+e14a2" in problem
    assert "b3a2 is e14a2" in problem


def test_a_misspelt_word_of_a_list_gets_a_suggestion(write):
    problem = the_problem_of(load_samples, write("sample_id patient_id material", "S1 P1 pb"))
    assert problem.endswith("Did you mean 'PB'?")


def test_a_sample_without_transcript_has_an_unknown_one(write):
    rows = load_samples(write("sample_id patient_id transcript", "S1 P1 -", "S2 P1 e13a2+e14a2"))
    assert [row.transcript for row in rows.values()] == ["unknown", "e13a2+e14a2"]


def test_a_sample_twice_is_refused_naming_both_rows(write):
    problem = the_problem_of(load_samples, write("sample_id patient_id", "S1 P1", "S1 P2"))
    assert "row 3, column sample_id: found 'S1', which row 2 holds already" in problem


def test_control_characters_in_free_text_are_refused(tmp_path):
    path = write_text(tmp_path, "sample_id\tpatient_id\nS\x001\tP1\n")
    assert "expected text without control characters" in the_problem_of(load_samples, path)


# -- runs and batches -------------------------------------------------------------------------------------------------


def test_runs_of_one_batch_share_a_site(write):
    path = write(f"{RUN_COLUMNS} batch", "R1 LAB1 f eac B1", "R2 LAB2 g eac B1")
    problem = the_problem_of(load_runs, path)
    assert "row 3, column site: found site 'LAB2' for batch 'B1', which belongs to site 'LAB1' in row 2" in problem


def test_a_default_batch_counts_as_a_batch_of_its_site(write):
    path = write(f"{RUN_COLUMNS} batch", "R1 LAB1 f eac -", "R2 LAB2 g eac R1")
    assert "for batch 'R1', which belongs to site 'LAB1'" in the_problem_of(load_runs, path)


@pytest.mark.parametrize(
    ("first", "second", "column"),
    [
        ("R1 L f eac -", "r1 L g eac -", "run_id"),
        ("R1 L f eac B", "R2 L g eac b", "batch"),
        ("R1 L f eac -", "R2 l g eac -", "site"),
    ],
)
def test_names_that_differ_only_in_letter_case_are_refused(write, first, second, column):
    problem = the_problem_of(load_runs, write(f"{RUN_COLUMNS} batch", first, second))
    assert f"row 3, column {column}: found" in problem
    assert "differs only in letter case from" in problem


# -- conversion factors -----------------------------------------------------------------------------------------------


def test_a_factor_knows_its_limits_and_name(write):
    path = write(f"{FACTOR_COLUMNS} factor_low factor_high", "LAB1 eac ABL1 0.83 2026-01-01 - exchange 0.71 0.97")
    (row,) = load_conversion_factors(path)
    assert (row.factor_low, row.factor, row.factor_high) == (0.71, 0.83, 0.97)
    assert row.identifier == "LAB1/eac/ABL1/2026-01-01"


def test_the_factor_of_the_run_date_is_chosen_both_days_included(write):
    path = write(FACTOR_COLUMNS, "L eac ABL1 0.8 2026-01-01 2026-06-30 x", "L eac ABL1 0.9 2026-07-01 - x")
    rows = load_conversion_factors(path)
    days = ["2025-12-31", "2026-01-01", "2026-06-30", "2026-07-01", "2031-01-01", None]
    chosen = [conversion_factor_for(rows, "L", "eac", "ABL1", day) for day in days]
    assert [row and row.factor for row in chosen] == [None, 0.8, 0.8, 0.9, 0.9, None]
    assert conversion_factor_for(rows, "L", "eac", "GUSB", "2026-01-01") is None


def test_two_factors_valid_on_one_day_are_refused_naming_both_rows(write):
    path = write(FACTOR_COLUMNS, "L eac ABL1 0.9 2026-06-30 - x", "L eac ABL1 0.8 2026-01-01 2026-06-30 x")
    problem = the_problem_of(load_conversion_factors, path)
    assert (
        "row 2, column valid_from: found 2026-06-30, while the factor of L/eac/ABL1 in row 3 is valid until" in problem
    )


def test_a_long_validity_is_compared_with_every_later_one(write):
    validity = ["2020-01-01 -", "2021-01-01 2021-02-01", "2022-01-01 -"]
    path = write(FACTOR_COLUMNS, *[f"L e ABL1 1 {days} x" for days in validity])
    found = problems_of(load_conversion_factors, path)
    assert ["row 2 has no end" in problem for problem in found] == [True, True]


def test_factors_of_other_sites_assays_or_genes_may_overlap(write):
    rows = ["L eac ABL1", "L eac GUSB", "L other ABL1", "M eac ABL1"]
    assert len(load_conversion_factors(write(FACTOR_COLUMNS, *[f"{row} 1 2026-01-01 - x" for row in rows]))) == 4


@pytest.mark.parametrize("number", ["0", "-1", "1,5", "1_000", "nan", "inf", "1e999", "abc", "٣", "0x1"])
def test_a_factor_is_a_positive_number_with_a_point(write, number):
    path = write(FACTOR_COLUMNS, f"L eac ABL1 {number} 2026-01-01 - x")
    problem = the_problem_of(load_conversion_factors, path)
    assert re.search(rf"column factor: found '{number}'; expected a number( above 0|, such as)", problem)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ("0.9 1.1", "column factor_low: found 0.9; expected at most the factor, 0.8"),
        ("0.5 0.7", "column factor_high: found 0.7; expected at least the factor, 0.8"),
        ("0.5 -", "column factor_high: found no limit; expected both limits or neither (factor_low is given)"),
        ("x 0.9", "column factor_low: found 'x'; expected a number"),
    ],
)
def test_limits_enclose_the_factor_and_come_in_pairs(write, limits, message):
    path = write(f"{FACTOR_COLUMNS} factor_low factor_high", f"L eac ABL1 0.8 2026-01-01 - x {limits}")
    assert message in the_problem_of(load_conversion_factors, path)


def test_a_validity_does_not_end_before_it_begins(write):
    path = write(FACTOR_COLUMNS, "L eac ABL1 0.8 2026-01-02 2026-01-01 x")
    problem = the_problem_of(load_conversion_factors, path)
    assert "column valid_to: found 2026-01-01; expected 2026-01-02 (valid_from) or later" in problem


def test_a_bad_end_of_validity_is_not_taken_for_an_open_one(write):
    path = write(FACTOR_COLUMNS, "L eac ABL1 0.8 2026-01-01 summer x", "L eac ABL1 0.9 2026-07-01 - x")
    assert "column valid_to: found 'summer'" in the_problem_of(load_conversion_factors, path)


def test_a_factor_without_a_source_is_refused(write):
    path = write(FACTOR_COLUMNS, "L eac ABL1 0.8 2026-01-01 - -")
    assert "column source: found an empty cell; expected a value" in the_problem_of(load_conversion_factors, path)


# -- layout -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "plain"), [("A1", "A1"), ("a01", "A1"), ("P24", "P24"), ("AF48", "AF48"), ("aa09", "AA9")]
)
def test_wells_are_written_in_one_way(write, written, plain):
    assert load_layout(write("well target", f"{written} ABL1"))[0].well == plain


@pytest.mark.parametrize("well", ["1A", "A0", "A00", "A49", "AG1", "A001", "A", "7", "Ä1"])
def test_a_well_lies_on_a_plate(write, well):
    problem = the_problem_of(load_layout, write("well target", f"{well} ABL1"))
    assert f"column well: found '{well}'; expected a well from A1 to AF48" in problem


def test_the_same_well_and_target_twice_is_refused_however_it_is_spelt(write):
    problem = the_problem_of(load_layout, write("well target", "A1 ABL1", "A01 abl1"))
    assert "row 3, column target: found 'A1', 'abl1', which row 2 holds already" in problem


def test_a_dye_can_stand_for_the_target_but_only_once_in_a_well(write):
    rows = load_layout(write("well dye target", "A1 FAM -", "A1 VIC ABL1", "A2 FAM BCR::ABL1"))
    assert [(row.dye, row.target) for row in rows] == [("FAM", None), ("VIC", "ABL1"), ("FAM", "BCR::ABL1")]
    problem = the_problem_of(load_layout, write("well dye target", "A1 FAM X", "A1 FAM Y"))
    assert "column dye: found 'A1', 'FAM', which row 2 holds already; expected each well and dye" in problem


def test_a_reaction_needs_target_or_dye(write):
    problem = the_problem_of(load_layout, write("well role target", "A1 ntc -"))
    assert "column target: found neither target nor dye; expected at least one of them" in problem


@pytest.mark.parametrize("copies", ["0", "-10", "many", "1,000"])
def test_known_copies_are_a_positive_number(write, copies):
    problem = the_problem_of(load_layout, write("well target role known_copies", f"A1 ABL1 std {copies}"))
    assert f"column known_copies: found '{copies}'; expected a number" in problem


@pytest.mark.parametrize("role", ["unkn", "-"])
def test_only_standards_have_known_copies(write, role):
    problem = the_problem_of(load_layout, write("well target role known_copies", f"A1 ABL1 {role} 1000"))
    assert "column known_copies: found 1000 copies for role" in problem
    assert "expected copies only where role is std" in problem


def test_a_misspelt_role_is_one_problem_not_two(write):
    problem = the_problem_of(load_layout, write("well target role known_copies", "A1 ABL1 standard 1000"))
    assert "column role: found 'standard'; expected one of unkn, std" in problem


def test_the_roles_of_the_layout_are_those_of_a_run():
    assert tuple(load_schema("layout")["properties"]["role"]["enum"]) == ROLES


# -- configuration ----------------------------------------------------------------------------------------------------

DEFAULTS = {
    "runs": "config/runs.tsv",
    "samples": "config/samples.tsv",
    "conversion_factors": "config/conversion_factors.tsv",
    "results": "results",
}


def configuration(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_every_key_of_the_configuration_may_be_left_out(tmp_path, text):
    assert load_configuration(configuration(tmp_path, text)) == DEFAULTS
    assert load_configuration({}) == DEFAULTS


def test_what_is_configured_wins_over_the_default(tmp_path):
    found = load_configuration(configuration(tmp_path, "results: /data/out\n"))
    assert found == {**DEFAULTS, "results": "/data/out"}


def test_an_unknown_key_is_named_with_the_closest_known_one():
    with pytest.raises(SheetError, match=r"configuration: found unknown key 'result'.*Did you mean 'results'\?"):
        load_configuration({"result": "x"})


@pytest.mark.parametrize("path", ["", "  ", "out\n", "a\x00b", 7, ["a"]])
def test_a_configured_path_is_a_path(path):
    with pytest.raises(SheetError, match=r"configuration, results: found .*; expected a path"):
        load_configuration({"results": path})


def test_all_bad_values_of_the_configuration_are_reported_at_once():
    found = problems_of(load_configuration, {"runs": 7, "results": "", "samples": None})
    assert [problem.split(":")[0] for problem in found] == [
        f"configuration, {key}" for key in ("results", "runs", "samples")
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("results: a\nresults: b\n", r"row 2: found key 'results' given twice"),
        ("results: [a\n", r"expected YAML that can be read in one way only"),
        ("results: 2026-13-45\n", r"a value that YAML cannot read"),
        ("results: .inf\n", r"row 1: found the number \.inf"),
        ("- results\n", r"found \['results'\]; expected a mapping"),
        ("results: !!python/object:os.system {}\n", r"could not determine a constructor"),
    ],
)
def test_yaml_is_never_guessed_at(tmp_path, text, message):
    with pytest.raises(SheetError, match=message):
        load_configuration(configuration(tmp_path, text))


def test_an_overridden_merge_key_is_no_repetition(tmp_path):
    text = "results: &r out\n<<: {runs: a.tsv}\nruns: *r\n"
    assert load_configuration(configuration(tmp_path, text))["runs"] == "out"


# -- schemas ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(schema_folder().glob("*.schema.yaml")), ids=lambda path: path.stem)
def test_every_schema_is_one_and_describes_itself(path):
    schema = load_schema(path.name.removesuffix(".schema.yaml"))
    compile_schema(schema).check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["title"]
    assert all(own.get("description") for own in schema["properties"].values())


@pytest.mark.parametrize("name", SHEETS)
def test_columns_of_schema_and_row_are_the_same_and_examples_fit(name):
    schema, row = load_schema(name), SHEETS[name][1]
    assert {each.name for each in fields(row)} == set(schema["properties"])
    for column, own in schema["properties"].items():
        for example in own["examples"]:
            numeric = {**schema["$defs"].get(own.get("$ref", "").removeprefix("#/$defs/"), {}), **own}
            value = float(example) if numeric.get("type") == "number" else example
            found = check_document({column: value}, {**schema, "required": []}, name)
            assert not found


@pytest.mark.parametrize("name", ["config", *SHEETS])
def test_the_manual_explains_every_column(name):
    manual = (Path(__file__).parents[1] / "config" / "README.md").read_text(encoding="utf-8")
    missing = [column for column in load_schema(name)["properties"] if f"| `{column}` |" not in manual]
    assert not missing


def test_a_folder_without_the_schema_is_named(tmp_path, write):
    with pytest.raises(SheetError, match=r"runs\.schema\.yaml: found no readable file"):
        load_runs(write(RUN_COLUMNS, "R1 L f eac"), tmp_path)


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ({"type": ["string", "null"]}, 1, "text or nothing"),
        ({"const": "auto"}, "x", "auto"),
        ({"pattern": "^a$"}, "b", "text of the form ^a$"),
        ({"format": "date"}, "2026-02-30", "a valid date"),
        ({"minimum": 1}, 0, "a number of at least 1"),
        ({"maximum": 1}, 2, "a number of at most 1"),
        ({"exclusiveMaximum": 1}, 1, "a number below 1"),
        ({"minLength": 3}, "ab", "at least 3 characters"),
        ({"maxLength": 1}, "ab", "at most 1 characters"),
        ({"minProperties": 1}, {}, "at least 1 entries"),
        ({"uniqueItems": True}, [1, 1], "no entry twice"),
        ({"multipleOf": 2}, 3, "3 is not a multiple of 2"),
    ],
)
def test_what_a_schema_allows_is_said_in_words(rule, value, expected):
    (problem,) = check_document({"x": value}, {"properties": {"x": rule}}, "file")
    assert (problem.where, problem.expected) == ("file, x", expected)


def test_a_schema_without_columns_is_refused(tmp_path, write):
    (tmp_path / "runs.schema.yaml").write_text("type: object\n")
    with pytest.raises(SheetError, match=r"found no properties; expected a JSON Schema of an object"):
        load_runs(write(RUN_COLUMNS, "R1 L f eac"), tmp_path)


# -- hostile content --------------------------------------------------------------------------------------------------

anything = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@anything
@given(name=st.sampled_from(sorted(SHEETS)), cells=st.lists(st.lists(st.text(), max_size=12), max_size=4))
def test_arbitrary_cells_are_read_or_refused(tmp_path, name, cells):
    header = list(load_schema(name)["properties"])
    text = "\n".join("\t".join(row) for row in [header, *cells])
    read_or_refused(SHEETS[name][0], write_text(tmp_path, text))


@anything
@given(name=st.sampled_from(sorted(SHEETS)), content=st.binary() | st.text().map(lambda text: text.encode()))
def test_arbitrary_content_is_read_or_refused(tmp_path, name, content):
    path = tmp_path / "sheet.tsv"
    path.write_bytes(content)
    read_or_refused(SHEETS[name][0], path)


@anything
@given(content=st.text(alphabet=st.sampled_from("runs:results \n-[]{}&*!#|>?%@'\"=~.0123e_x<"), max_size=40))
def test_an_arbitrary_configuration_is_read_or_refused(tmp_path, content):
    read_or_refused(load_configuration, configuration(tmp_path, content))


@anything
@given(content=st.dictionaries(st.text() | st.integers(), st.none() | st.text() | st.integers() | st.lists(st.text())))
def test_an_arbitrary_mapping_is_read_or_refused(content):
    read_or_refused(load_configuration, content)


def read_or_refused(load, source):
    try:
        load(source)
    except SheetError as error:
        assert error.problems  # noqa: PT017  (either outcome is right; anything else escapes)
