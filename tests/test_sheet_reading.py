"""Tab-separated sheets of any origin: what is read, and what is said of files, headers and cells that do not fit."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sheet_builders import FACTOR_COLUMNS, RUN_COLUMNS, SHEETS, configuration, problems_of, the_problem_of, write_text

from bcrabl.errors import SheetError
from bcrabl.schemas import load_schema
from bcrabl.sheets import (
    RunRow,
    SampleRow,
    load_configuration,
    load_conversion_factors,
    load_layout,
    load_runs,
    load_samples,
)

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
