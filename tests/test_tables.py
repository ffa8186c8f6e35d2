"""Tables: what is written comes back, the same rows give the same bytes, and a failed write costs nothing."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bcrabl.errors import ResultsError, RunError
from bcrabl.tables import (
    COPIES,
    CQ,
    CURVES,
    QC,
    REACTIONS,
    RESULTS,
    SCHEMA_VERSION,
    STANDARD_CURVES,
    TABLES,
    TRUTH,
    list_column,
    list_values,
    read_table,
    write_table,
)

EVERY_TABLE = [*TABLES, REACTIONS, TRUTH]
PURE_NUMBERS = {"r_squared", "efficiency", "signal_to_noise", "conversion_factor", "shape_distance", "jump"}
PURE_NUMBERS |= {
    "efficiency_z",
    "growth_ratio",
    "rise_ratio",
    "growth_z",
    "rise_z",
    *(name for name in CQ.schema.names if name.startswith("score_")),
}


def result(sample_id, **values):
    return {"run_id": "R1", "sample_id": sample_id, "flags": [], **values}


@pytest.fixture
def results():
    return RESULTS.from_rows(
        [
            result("S2", is_percent=0.02, detected=True, replicates=2, run_date=date(2026, 3, 2), flags=["a", "b"]),
            result("S1", is_percent=math.nan, detected=False),
            result("S3", ratio_percent=float("inf")),
        ]
    )


# -- schema -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", EVERY_TABLE, ids=lambda table: table.name)
def test_every_column_says_what_it_means_and_in_which_unit(table):
    for field in table.schema:
        assert field.metadata[b"meaning"], field.name
        assert b"unit" in field.metadata, field.name
        if pa.types.is_floating(field.type) and field.name not in PURE_NUMBERS:
            assert field.metadata[b"unit"], field.name


@pytest.mark.parametrize("table", EVERY_TABLE, ids=lambda table: table.name)
def test_a_key_is_made_of_columns_of_its_table(table):
    assert set(table.key) <= set(table.schema.names)
    assert table.empty().num_rows == 0


def test_tables_of_the_way_have_names_of_their_own():
    assert [table.name for table in TABLES] == ["curves", "cq", "standard_curves", "copies", "results", "qc"]


# -- round trip -------------------------------------------------------------------------------------------------------


def test_what_is_written_comes_back_sorted_by_its_key(results, tmp_path):
    path = tmp_path / "results.parquet"
    write_table(results, RESULTS, path)
    back = read_table(path, RESULTS)
    assert back.schema.equals(RESULTS.schema, check_metadata=False)
    assert back.to_pylist() == sorted(results.to_pylist(), key=lambda row: row["sample_id"])


def test_the_file_carries_units_meanings_table_and_version(results, tmp_path):
    write_table(results, RESULTS, tmp_path / "r.parquet", {"made_by": "test"})
    schema = pq.read_schema(tmp_path / "r.parquet")
    assert schema.field("is_percent").metadata[b"unit"] == b"%"
    assert schema.field("is_percent").metadata[b"meaning"].startswith(b"International Scale")
    assert schema.metadata[b"table"] == b"results"
    assert schema.metadata[b"schema_version"] == SCHEMA_VERSION.encode()
    assert schema.metadata[b"made_by"] == b"test"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_an_empty_table_can_be_written_and_read(table, tmp_path):
    write_table(table.empty(), table, tmp_path / "empty.parquet")
    assert read_table(tmp_path / "empty.parquet", table).num_rows == 0


def test_some_columns_can_be_read_alone(results, tmp_path):
    write_table(results, RESULTS, tmp_path / "r.parquet")
    assert read_table(tmp_path / "r.parquet", RESULTS, ["sample_id"]).column_names == ["sample_id"]


def test_curves_with_missing_cycles_come_back_as_they_were():
    signal = np.array([[1.0, np.nan, 3.0], [4.0, 5.0, np.nan]])
    column = list_column(signal)
    assert column.to_pylist() == [[1.0, None, 3.0], [4.0, 5.0, None]]
    np.testing.assert_array_equal(list_values(column), signal)
    np.testing.assert_array_equal(list_values(pa.chunked_array([column.slice(1), column.slice(0, 1)])), signal[::-1])


def test_a_list_column_of_no_curves_is_empty():
    assert len(list_column(np.empty((0, 45)))) == 0
    assert list_values(list_column(np.empty((0, 45)))).shape == (0, 0)


# -- the same bytes ---------------------------------------------------------------------------------------------------


def test_the_same_rows_in_any_order_give_the_same_bytes(tmp_path):
    rows = [result(f"S{n:03d}", is_percent=n / 7, flags=["x"] * (n % 3)) for n in range(200)]
    plain, shuffled = tmp_path / "a.parquet", tmp_path / "b.parquet"
    write_table(RESULTS.from_rows(rows), RESULTS, plain)
    order = np.random.default_rng(1).permutation(200)
    parts = [RESULTS.from_rows([rows[n] for n in part]) for part in np.split(order, [3, 90])]
    write_table(pa.concat_tables(parts), RESULTS, shuffled)
    assert plain.read_bytes() == shuffled.read_bytes()


def test_qc_rows_of_the_same_check_are_in_one_order_whatever_order_they_came_in(tmp_path):
    rows = [
        {"run_id": "R", "check": "slope", "target": target, "outcome": "warn", "message": message}
        for target in (None, "ABL1")
        for message in ("b", "a")
    ]
    for name, order in (("a", rows), ("b", rows[::-1])):
        write_table(QC.from_rows(order), QC, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# -- null, never NaN --------------------------------------------------------------------------------------------------


def test_nan_becomes_null_in_rows(results, tmp_path):
    write_table(results, RESULTS, tmp_path / "r.parquet")
    values = read_table(tmp_path / "r.parquet", RESULTS)["is_percent"]
    assert values.to_pylist() == [None, 0.02, None]
    assert values.null_count == 2


def test_nan_becomes_null_in_rows_also_as_a_numpy_number():
    table = RESULTS.from_rows([result("S1", is_percent=np.float64("nan"))])
    assert table["is_percent"].null_count == 1


def test_nan_becomes_null_in_columns():
    columns = {name: [None] for name in TRUTH.schema.names} | {"drawn_copies": np.array([np.nan])}
    assert TRUTH.from_columns(columns)["drawn_copies"].null_count == 1


def test_an_arrow_column_keeps_its_nulls_and_takes_the_type_of_the_schema():
    columns = {name: [None] * 2 for name in TRUTH.schema.names}
    columns["expected_copies"] = pa.chunked_array([pa.array([3]), pa.array([None], pa.int64())])
    assert TRUTH.from_columns(columns)["expected_copies"].to_pylist() == [3.0, None]


# -- what does not fit ------------------------------------------------------------------------------------------------


def test_a_row_with_a_strange_column_is_refused():
    with pytest.raises(KeyError, match="results has no column is_percentage"):
        RESULTS.from_rows([result("S1", is_percentage=1.0)])


def test_columns_that_differ_from_the_schema_are_refused():
    with pytest.raises(KeyError, match="truth: columns that differ from the schema: drawn_copies, sort"):
        TRUTH.from_columns({"well": [], "target": [], "expected_copies": [], "sort": []})


def test_a_table_of_another_schema_version_is_refused(results, tmp_path):
    path = tmp_path / "old.parquet"
    write_table(results, RESULTS, path, {"schema_version": "0.9.0"})
    with pytest.raises(ResultsError, match=r"found schema version 0\.9\.0; expected 1\.4\.0 of results.*Run again"):
        read_table(path, RESULTS)


def test_a_table_of_another_kind_is_refused(tmp_path):
    write_table(QC.empty(), QC, tmp_path / "qc.parquet")
    with pytest.raises(ResultsError, match="of results"):
        read_table(tmp_path / "qc.parquet", RESULTS)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"well\ttarget\n", b"PAR1" + bytes(200) + b"PAR1"])
def test_a_file_that_is_no_table_is_refused(content, tmp_path):
    path = tmp_path / "broken.parquet"
    path.write_bytes(content)
    with pytest.raises(ResultsError, match=r"expected a cq table\. Remove the file and run again"):
        read_table(path, CQ)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ResultsError, match="expected a copies table"):
        read_table(tmp_path / "nowhere.parquet", COPIES)


def test_a_table_with_a_flipped_bit_is_refused(tmp_path):
    path = tmp_path / "curves.parquet"
    signal = np.random.default_rng(2).normal(size=(50, 45))
    columns = {name: [None] * 50 for name in CURVES.schema.names} | {"fluorescence": list_column(signal)}
    write_table(CURVES.from_columns(columns), CURVES, path)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0x10
    path.write_bytes(bytes(content))
    with pytest.raises(ResultsError, match="expected a curves table"):
        read_table(path, CURVES)


# -- whole or not at all ----------------------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_the_old_table_and_no_temporary_file(results, tmp_path, monkeypatch):
    path = tmp_path / "results.parquet"
    write_table(results, RESULTS, path)
    before = path.read_bytes()

    def disk_full(_table, where, **_options):
        where.write(b"half a table")
        raise OSError("No space left on device")

    monkeypatch.setattr(pq, "write_table", disk_full)
    with pytest.raises(OSError, match="No space left"):
        write_table(RESULTS.empty(), RESULTS, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["results.parquet"]


def test_standard_curves_may_leave_columns_out():
    row = STANDARD_CURVES.from_rows([{"run_id": "R", "target": "ABL1", "accepted": False}]).to_pylist()[0]
    assert row["slope"] is None
    assert row["accepted"] is False


def test_half_a_character_is_an_error_of_ours_and_names_the_text():
    with pytest.raises(RunError, match=r"table reactions: found text with half a character .*ud800"):
        REACTIONS.from_rows([{"well": "A1", "target": "x\ud800"}])
