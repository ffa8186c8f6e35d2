"""RDES tables: what is read, and what is refused instead of misread."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdes_builders import CYCLES, HEADER, REACTIONS, rows, signal, text

from bcrabl.errors import DamagedFile, FileError, FormatNotRecognised, FormatRefused
from bcrabl.formats import read_run


@pytest.fixture
def reader(tmp_path):
    def read(content, **options):
        path = tmp_path / "run.tsv"
        path.write_bytes(content if isinstance(content, bytes) else text(content))
        return read_run(path, **options)

    return read


def test_wells_samples_roles_targets_and_dyes_are_read(reader):
    run = reader(rows())
    found = [
        tuple(row[name] for name in ("well", "sample_id", "role", "target", "dye")) for row in run.reactions.to_pylist()
    ]
    assert found == [
        ("A1", "STD-1000", "std", "ABL1", "FAM"),
        ("A1", "STD-1000", "std", "BCR::ABL1", "HEX"),
        ("A2", "S7", "unkn", "ABL1", "FAM"),
        ("B1", "water", "ntc", "ABL1", "FAM"),
    ]
    assert run.metadata["format"] == "RDES"
    assert run.cycles.tolist() == list(CYCLES)
    assert run.fluorescence.tolist() == [[signal(place, cycle) for cycle in CYCLES] for place in range(len(REACTIONS))]


def test_a_cq_of_minus_one_is_none_and_kept_as_it_stands(reader):
    found = [(row["vendor_cq"], row["vendor_cq_text"]) for row in reader(rows()).reactions.to_pylist()]
    assert found == [(5.25, None), (None, "-1.0"), (7.5, None), (None, None)]


def test_older_tables_have_no_cq(reader):
    run = reader(rows(cqs=None))
    assert run.reactions["vendor_cq"].null_count == len(REACTIONS)
    assert np.array_equal(run.fluorescence, reader(rows()).fluorescence)


def test_standards_have_no_copies_and_the_run_says_so(reader):
    run = reader(rows())
    assert run.reactions["known_copies"].null_count == len(REACTIONS)
    assert any("no quantities; the copies of 2 standard reactions are unknown" in warning for warning in run.warnings)
    assert any("has not met a real file" in warning for warning in run.warnings)


def test_cycles_need_not_begin_with_one(reader):
    assert reader(rows(cycles=range(3, 20))).cycles.tolist() == list(range(3, 20))


def test_ntp_is_a_negative_control_and_an_empty_type_an_unknown_sample(reader):
    table = rows()
    table[3][2], table[4][2] = "", "ntp"
    run = reader(table)
    assert [row["role"] for row in run.reactions.to_pylist()][2:] == ["unkn", "neg"]
    assert any("sample type of 1 reactions is empty" in warning for warning in run.warnings)


def test_a_row_without_any_reading_is_left_out_and_named(reader):
    table = rows()
    table[4] = [*table[4][:7], *[""] * len(CYCLES)]
    run = reader(table)
    assert run.reactions.num_rows == 3
    assert any("well B1, target ABL1" in warning for warning in run.warnings)


@pytest.mark.parametrize("header", [["Tm", "70", "70.5", "71"], ["64.91", "64.85", "64.73", "65"], ["Tm", "70", "71"]])
def test_a_melting_table_is_refused_by_name(header, reader):
    table = [[*HEADER, *header], [*REACTIONS[0], *["30.5"] * len(header)]]
    with pytest.raises(FormatRefused, match="a melting table: its columns are temperatures; expected an amplification"):
        reader(table)


def test_a_decimal_comma_is_read_as_such(reader):
    comma, point = reader(rows(decimal=",")), reader(rows())
    assert np.array_equal(comma.fluorescence, point.fluorescence)
    assert comma.reactions["vendor_cq"] == point.reactions["vendor_cq"]


def test_a_comma_that_may_part_thousands_is_refused(reader):
    table = rows(cqs=None)
    for row in table[1:]:
        row[6:] = [f"1,{200 + place}" for place in range(len(CYCLES))]
    with pytest.raises(DamagedFile, match="whose comma may part decimals or thousands"):
        reader(table)


def test_a_cell_right_of_the_header_is_refused_since_the_row_is_shifted(reader):
    table = rows()
    table[2].insert(1, "x")
    with pytest.raises(
        DamagedFile, match=r"line 3: found \d+ cells, of which those behind cell \d+ stand under no name"
    ):
        reader(table)


def test_a_comma_among_points_is_refused(reader):
    table = rows()
    table[2][9] = "0,5123"
    with pytest.raises(DamagedFile, match=r"line 3, column 3: found '0,5123'; expected a number"):
        reader(table)


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (1, 0, "17", r"line 2, column Well: found '17'; expected a well"),
        (1, 2, "standard", r"line 2, column Sample Type: found 'standard'; expected one of unkn, std"),
        (1, 3, "", r"line 2, column Target: found an empty cell"),
        (3, 9, "inf", r"line 4, column 3: found 'inf'"),
        (3, 6, "none", r"line 4, column Cq: found 'none'"),
        (0, 8, "1", r"found column 1 more than once"),
        (0, 8, "1001", r"found cycle 1001"),
        (0, 8, "Comment", r"found column 'comment'; expected the columns of RDES"),
        (2, 3, "ABL1", r"duplicate well: 2 curves of target 'ABL1'"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(row, column, value, message, reader):
    table = rows()
    table[row][column] = value
    with pytest.raises(DamagedFile, match=message):
        reader(table)


def test_a_header_alone_and_a_single_cycle_are_refused(reader):
    with pytest.raises(DamagedFile, match="no amplification curve"):
        reader(rows()[:1])
    with pytest.raises(DamagedFile, match="1 columns of cycles"):
        reader([row[:8] for row in rows()])


def test_there_are_no_parts(reader):
    with pytest.raises(FileError, match="part 'x' asked for"):
        reader(rows(), part="x")


def test_a_table_that_lacks_a_column_of_rdes_is_none(reader):
    with pytest.raises(FormatNotRecognised, match="read with a column map"):
        reader([row[:4] + row[5:] for row in rows(cqs=None)])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
)
def test_encodings_line_ends_order_and_blanks_make_no_difference(
    reader, encoding, end, trailing, quoted, blank, chance
):
    table = rows()
    places = list(range(len(table[0])))
    chance.shuffle(places)
    table = [[row[place] for place in places] for row in table]
    table = [[f'"{cell}"' if quoted else f" {cell}" for cell in row] + [""] * trailing for row in table]
    lines = ["\t".join(row) for row in table]
    for _ in range(blank):
        lines.insert(chance.randint(0, len(lines)), "")
    run, plain = reader((end.join(lines) + end).encode(encoding)), reader(rows())
    assert run.reactions == plain.reactions
    assert np.array_equal(run.fluorescence, plain.fluorescence)
