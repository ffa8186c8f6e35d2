"""Runs written in the layout of LightCycler 480 raw data, and read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from format_builders import rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcrabl.errors import RunError
from bcrabl.formats import read_run, write_lc480_txt
from bcrabl.run import Run
from bcrabl.tables import REACTIONS

PLAIN = {
    "part": None,
    "well": "A1",
    "target": "ABL1",
    "dye": "FAM",
    "role": "unkn",
    "sample_id": "P1",
    "vendor_omitted": False,
}
KEPT = ("role", "known_copies", "vendor_cq", "vendor_cq_text", "vendor_call", "vendor_quantity", "vendor_omitted")


def some_run(*changes: dict[str, object], signal: np.ndarray | None = None, **more: object) -> Run:
    """A run of one reaction for each set of changes, of 12 cycles."""
    listed = [PLAIN | change for change in changes or ({},)]
    if signal is None:
        signal = np.arange(12.0) / 7 + np.arange(len(listed))[:, None]
    return Run(REACTIONS.from_rows(listed), np.arange(1.0, 13), signal, None, **({"stage": "raw"} | more))


def test_curves_wells_and_samples_come_back(tmp_path):
    run = some_run({}, {"well": "A2", "sample_id": None}, {"target": "BCR", "dye": "HEX"})
    write_lc480_txt(run, tmp_path / "run.txt")
    again = read_run(tmp_path / "run.txt")
    assert [(row["well"], row["target"], row["sample_id"]) for row in rows(again)] == [
        ("A1", "465-510", "P1"),
        ("A1", "533-580", "P1"),
        ("A2", "465-510", None),
    ]
    assert np.array_equal(again.fluorescence, run.fluorescence[[0, 2, 1]])
    assert again.cycles.tolist() == run.cycles.tolist()
    assert [row["dye"] for row in rows(again)] == ["FAM", "HEX", "FAM"]


def test_standards_cq_exclusions_and_calls_come_back_by_the_cp_tables(tmp_path):
    run = some_run(
        {"role": "std", "known_copies": 1e4, "vendor_quantity": 1e4, "vendor_cq": 21.123456789},
        {"well": "A2", "vendor_quantity": 12.5, "vendor_cq": 30.0, "vendor_omitted": True, "vendor_call": "Uncertain"},
        {"well": "A3", "vendor_cq_text": "no Cp"},
    )
    # Cp behind the last cycle are refused; this run is long enough
    run = replace(run, cycles=np.arange(21.0, 33))
    files = write_lc480_txt(run, tmp_path / "run.txt")
    assert [file.name for file in files] == ["run.txt", "run_Cp.txt"]
    again = read_run(tmp_path / "run.txt")
    assert [[row[name] for name in KEPT] for row in rows(again)] == [[row[name] for name in KEPT] for row in rows(run)]


def test_each_filter_pair_has_a_cp_table(tmp_path):
    run = some_run({"vendor_cq": 5.5}, {"target": "BCR", "dye": "VIC", "vendor_cq": 6.5})
    files = write_lc480_txt(run, tmp_path / "run.txt", decimal=",")
    assert [file.name for file in files] == ["run.txt", "run_Cp_465-510.txt", "run_Cp_533-580.txt"]
    assert [row["vendor_cq"] for row in rows(read_run(tmp_path / "run.txt"))] == [5.5, 6.5]


def test_the_caller_may_name_the_filter_pairs(tmp_path):
    run = some_run({"dye": None}, {"target": "498-640", "dye": None})
    write_lc480_txt(run, tmp_path / "run.txt", filters={"ABL1": "440-488"}, cp_tables=False)
    assert [row["target"] for row in rows(read_run(tmp_path / "run.txt"))] == ["440-488", "498-640"]
    assert [path.name for path in tmp_path.iterdir()] == ["run.txt"]


def test_the_same_run_gives_the_same_bytes(tmp_path):
    for name in ("a.txt", "b.txt"):
        write_lc480_txt(some_run({"role": "std", "known_copies": 10.0}), tmp_path / name)
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes()
    assert (tmp_path / "a_Cp.txt").read_bytes() == (tmp_path / "b_Cp.txt").read_bytes()


def test_a_file_begins_like_those_of_the_software_without_claiming_to_be_one(tmp_path):
    write_lc480_txt(some_run(), tmp_path / "run.txt")
    assert (tmp_path / "run.txt").read_bytes().split(b"\r\n")[:3] == [
        b"Raw Data \t\tExperiment - written by bcrabl (bcrabl)",
        b"SamplePos\tSampleName\tProg#\tSeg#\tCycle#\tTime\tTemp\t465-510\t",
        b"A1\tP1\t2\t1\t1\t40000\t60.00\t0.0\t",
    ]
    assert "software" not in read_run(tmp_path / "run.txt").metadata


names = st.text(st.characters(codec="utf-8", exclude_characters='"'), min_size=1, max_size=12).filter(
    lambda name: name.isprintable() and name == name.strip()
)
value = st.floats(-1e6, 1e9) | st.just(np.nan)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draws=st.data(), decimal=st.sampled_from(".,"), count=st.integers(1, 4))
def test_any_raw_run_survives_the_round(tmp_path, draws, decimal, count):
    signal = np.array(draws.draw(st.lists(st.lists(value, min_size=12, max_size=12), min_size=count, max_size=count)))
    signal[:, 0] = 1.5
    run = some_run(
        *({"well": f"C{n + 1}", "sample_id": draws.draw(names | st.none()), "vendor_cq": 7.123} for n in range(count)),
        signal=signal,
    )
    write_lc480_txt(run, tmp_path / "run.txt", decimal=decimal)
    again = read_run(tmp_path / "run.txt")
    assert np.array_equal(again.fluorescence, run.fluorescence, equal_nan=True)
    assert [row["sample_id"] for row in rows(again)] == [row["sample_id"] for row in rows(run)]
    assert {row["vendor_cq"] for row in rows(again)} == {7.123}


@pytest.mark.parametrize(
    ("run", "match"),
    [
        (some_run(stage="normalised"), r"run: found stage 'normalised'; expected raw: the layout is one of raw data"),
        (replace(some_run(), passive_reference=np.ones((1, 12))), r"run: found a passive reference; expected none"),
        (some_run({"part": "a"}, {"part": "b"}), r"run: found several parts; expected one. Write each part by itself"),
        (
            some_run().select(np.array([], dtype=np.int64)),
            r"found 0 reactions of 12 cycles; expected one reaction or mo",
        ),
        (some_run(signal=np.full((1, 12), np.nan)), r"found a curve of infinite or of no values; expected finite"),
        (some_run(signal=np.full((1, 12), np.inf)), r"found a curve of infinite or of no values; expected finite"),
        (some_run({"dye": "JOE"}), r"target 'ABL1': found dye 'JOE' and no filter pair; expected a filter pair such"),
        (some_run({}, {"target": "BCR"}), r"target 'BCR': found a second curve in filter pair 465-510; expected one"),
        (some_run({}, {"dye": "HEX", "sample_id": "P2"}), r"well A1: found samples 'P1' and 'P2'; expected one sample"),
        (some_run({"well": "a01"}), r"found well 'a01'; expected a row letter and a column number such as A1"),
        (some_run({"sample_id": "a\tb"}), r"expected a name without quotes, control characters or outer blanks"),
        (some_run({"sample_id": ' a"'}), r"expected a name without quotes, control characters or outer blanks"),
        (some_run({"role": "std"}), r"found a standard of None copies; expected copies above 0"),
        (some_run({"known_copies": 5.0}), r"found 5 known copies, role unkn; expected copies of standards only"),
        (some_run({"vendor_call": "a\tb"}), r"found a call or Cq with quotes or control characters; expected plain"),
    ],
)
def test_what_the_layout_cannot_hold_is_refused(tmp_path, run, match):
    with pytest.raises(RunError, match=match):
        write_lc480_txt(run, tmp_path / "run.txt")
    assert not list(tmp_path.iterdir())


def test_standards_of_unknown_copies_can_be_written_without_cp_tables(tmp_path):
    write_lc480_txt(some_run({"role": "std"}), tmp_path / "run.txt", cp_tables=False)
    assert rows(read_run(tmp_path / "run.txt"))[0]["role"] == "unkn"


def test_the_filter_that_the_caller_names_must_be_one(tmp_path):
    with pytest.raises(RunError, match=r"found dye 'FAM' and no filter pair; expected a filter pair such as 465-510"):
        write_lc480_txt(some_run(), tmp_path / "run.txt", filters={"ABL1": "green"})


@pytest.mark.real_data
def test_a_real_run_survives_the_round(real_data, tmp_path):
    run = read_run(real_data("lc480_txt", "Edward_qPCR_Nrd1_calibration_2019-02-02.txt.gz"))
    write_lc480_txt(run, Path(tmp_path / "again.txt"))
    again = read_run(tmp_path / "again.txt")
    assert again.reactions.equals(run.reactions)
    assert np.array_equal(again.fluorescence, run.fluorescence)
