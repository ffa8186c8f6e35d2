"""Our own table of curves: what is written comes back, and what another hand changed is refused."""

from __future__ import annotations

import io
import os
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from curves_table_builders import batch, small_run, written

from bcrabl.errors import BcrablError, DamagedFile, FileError, FormatNotRecognised
from bcrabl.formats import read_run, write_curves_table
from bcrabl.simulation import Sample, sample_plate, simulate_run
from bcrabl.tables import CQ, CURVES, read_table, write_table


def agree(run, other):
    assert run.reactions.to_pylist() == other.reactions.to_pylist()
    assert np.array_equal(run.cycles, other.cycles)
    assert np.array_equal(run.fluorescence, other.fluorescence, equal_nan=True)
    assert (run.passive_reference is None) == (other.passive_reference is None)
    if run.passive_reference is not None:
        assert np.array_equal(run.passive_reference, other.passive_reference, equal_nan=True)
    assert run.stage == other.stage


@pytest.mark.parametrize("part", [None, "Plate 1"])
@pytest.mark.parametrize(("stage", "passive"), [("raw", True), ("normalised", False), ("baseline_subtracted", False)])
def test_what_is_written_is_read_back_identical(part, stage, passive, tmp_path):
    run = small_run(part, stage, passive)
    found = read_run(written(run, tmp_path))
    agree(found, run)
    told = {name: value for name, value in found.metadata.items() if name not in {"format", "sha256", "warnings"}}
    assert told == {name: value for name, value in run.metadata.items() if name not in {"format", "warnings"}}
    assert found.warnings[: len(run.warnings)] == run.warnings
    assert [
        warning for warning in found.warnings if warning not in run.warnings and "1 curves lack" not in warning
    ] == []


def test_a_simulated_plate_comes_back_identical_and_again(tmp_path):
    run = simulate_run(sample_plate([Sample("S1", 200.0, 5e4)]), seed=1, run_date="2026-03-02")
    once = read_run(written(run, tmp_path))
    agree(once, run)
    again = read_run(written(once, tmp_path, "again"))
    agree(again, once)


def test_the_same_run_gives_the_same_bytes(tmp_path):
    (tmp_path / "other").mkdir()
    first, second = written(small_run(), tmp_path), written(small_run(), tmp_path / "other")
    assert first.read_bytes() == second.read_bytes()


def test_the_runs_of_a_batch_are_its_parts(tmp_path):
    path = batch(tmp_path, r1=small_run(), r2=small_run("Plate 2"))
    assert read_run(path).reactions["part"].to_pylist() == ["r1"] * 3 + ["r2, Plate 2"] * 3
    one = read_run(path, part="r1")
    assert one.reactions["part"].to_pylist() == ["r1"] * 3
    assert np.array_equal(one.fluorescence, small_run().fluorescence, equal_nan=True)
    with pytest.raises(FileError, match="part 'r3' asked for; expected one of r1, r2"):
        read_run(path, part="r3")


def test_a_part_of_a_single_run_can_be_asked_for(tmp_path):
    path = written(small_run("Plate 2"), tmp_path)
    assert read_run(path, part="Plate 2").reactions.num_rows == 3
    assert read_run(path, part="plate7").reactions.num_rows == 3
    with pytest.raises(FileError, match="expected one of Plate 2"):
        read_run(path, part="Plate 1")


def test_runs_that_differ_in_stage_or_passive_reference_are_read_one_at_a_time(tmp_path):
    path = batch(tmp_path, r1=small_run(), r2=small_run(stage="normalised", passive=False))
    with pytest.raises(DamagedFile, match="curves of stages normalised and raw; expected one stage"):
        read_run(path)
    assert read_run(path, part="r2").stage == "normalised"
    path = batch(tmp_path, r1=small_run(), r2=small_run(passive=False))
    with pytest.raises(DamagedFile, match="a passive reference in some reactions and none in others"):
        read_run(path)


def test_what_a_layout_sheet_had_changed_is_told(tmp_path):
    table = read_table(written(small_run(), tmp_path), CURVES)
    place = table.schema.get_field_index("layout_overrides")
    changes = pa.array([["role: export unkn, layout std"], [], []], type=table.schema.field(place).type)
    write_table(table.set_column(place, table.schema.field(place), changes), CURVES, tmp_path / "t.parquet")
    assert any(
        "A layout sheet had changed 1 reactions" in warning for warning in read_run(tmp_path / "t.parquet").warnings
    )


def _changed(table, column, values):
    place = table.schema.get_field_index(column)
    return table.set_column(place, table.schema.field(place), pa.array(values, type=table.schema.field(place).type))


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("well", ["A0", "A2", "A3"], "row 1, column well: found 'A0'"),
        ("role", ["std", "patient", "ntc"], "column role: found 'patient'; expected one of unkn"),
        ("stage", ["raw", "raw", None], "column stage: found None"),
        ("known_copies", [-5.0, None, None], "column known_copies: found -5"),
        ("known_copies", [None, 5.0, 5.0], "column known_copies: found 5"),
        ("cycles", [[1.0, 2.0]] * 3, "lists of 2 and 12 values"),
        ("cycles", [[0.5, *range(2, 13)]] * 3, "found cycle 0.5"),
        ("cycles", [[1.0, *range(1, 12)]] * 3, "found cycle 1 more than once"),
        ("fluorescence", [[float("inf")] * 12] * 3, "a value that is infinite"),
        ("fluorescence", [None, [0.0] * 12, [0.0] * 12], "no curve"),
        ("target", [None, "ABL1", "ABL1"], "no run_id or no target"),
        ("well", ["A1", "A1", "A1"], "duplicate well"),
    ],
)
def test_a_table_that_another_hand_changed_is_refused_with_the_place(column, values, message, tmp_path):
    table = read_table(written(small_run(), tmp_path), CURVES)
    write_table(_changed(table, column, values), CURVES, tmp_path / "t.parquet")
    with pytest.raises(DamagedFile, match=message):
        read_run(tmp_path / "t.parquet")


def test_another_schema_version_is_refused(tmp_path):
    table = pq.read_table(written(small_run(), tmp_path))
    old = table.replace_schema_metadata({**table.schema.metadata, b"schema_version": b"1.0.0"})
    pq.write_table(old, tmp_path / "old.parquet")
    with pytest.raises(DamagedFile, match=r"schema version 1\.0\.0; expected schema version"):
        read_run(tmp_path / "old.parquet")
    pq.write_table(table.drop_columns(["dye"]), tmp_path / "less.parquet")
    with pytest.raises(DamagedFile, match=r"other columns \(dye\)"):
        read_run(tmp_path / "less.parquet")


def test_our_other_tables_hold_no_curves(tmp_path):
    write_table(CQ.empty(), CQ, tmp_path / "cq.parquet")
    with pytest.raises(FormatNotRecognised):
        read_run(tmp_path / "cq.parquet")


def test_a_table_without_rows_is_refused(tmp_path):
    write_table(CURVES.empty(), CURVES, tmp_path / "none.parquet")
    with pytest.raises(DamagedFile, match="no amplification curve"):
        read_run(tmp_path / "none.parquet")


def test_damaged_bytes_end_in_an_error_of_ours_or_the_same_run(tmp_path):
    """Arrow checks the pages by their checksums; what is left of the file may only fail."""
    whole = written(small_run(), tmp_path).read_bytes()
    chance = random.Random(7)
    path = tmp_path / "damaged.parquet"
    for _ in range(25):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 3))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(bytes(content[: chance.choice((len(content), chance.randrange(8, len(content))))]))
        try:
            run = read_run(path)
        except BcrablError:
            continue
        assert run.fluorescence.shape == (3, 12)


def test_a_table_of_more_values_than_any_plate_is_refused(tmp_path):
    pq.write_table(
        pa.table({f"c{place}": pa.nulls(2000, pa.float64()) for place in range(2000)}), tmp_path / "t.parquet"
    )
    (tmp_path / "t.parquet.columns.yaml").write_text(
        "layout: row_per_well\nstage: raw\nfields: {well: c1, target: c2}\ncycles: {pattern: 'c{cycle}'}\n"
    )
    with pytest.raises(DamagedFile, match="2000 rows of 2000 columns"):
        read_run(tmp_path / "t.parquet")


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["rdml/stepone_std.rdml", "rdml/BioRad_qPCR_melt.rdml", "rdml/RAS002.rdml"])
def test_a_real_run_comes_back_identical(name, real_data, tmp_path):
    run = read_run(real_data(*name.split("/")))
    write_curves_table(run, tmp_path / "t.parquet")
    agree(read_run(tmp_path / "t.parquet"), run)


def test_metadata_with_half_a_character_are_refused(tmp_path):
    path = written(small_run(), tmp_path)
    table = pq.read_table(path)
    stated = {**table.schema.metadata, b"run_metadata": b'{"instrument": "x\\ud800"}'}
    pq.write_table(table.replace_schema_metadata(stated), path)
    with pytest.raises(DamagedFile, match=r"metadata that are no JSON .*surrogates not allowed"):
        read_run(path)


def test_the_name_of_the_file_need_not_be_unicode(tmp_path):
    path = tmp_path / os.fsdecode(b"\xe4.parquet")
    write_curves_table(small_run(), path)
    assert pq.read_table(io.BytesIO(path.read_bytes()))["run_id"][0].as_py() == "\ufffd"
    agree(read_run(path), small_run())
