"""Runs written as RDML: what comes back, and what RDML cannot hold."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from format_builders import (
    REAL,
    rows,
    written,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcrabl.errors import RunError
from bcrabl.formats import read_run, write_rdml
from bcrabl.run import Run
from bcrabl.tables import REACTIONS


def some_run(reactions: list[dict[str, object]], fluorescence: list[list[float]], **changes: object) -> Run:
    values = np.array(fluorescence, dtype=float)
    options: dict[str, object] = {
        "cycles": np.arange(1.0, values.shape[1] + 1),
        "passive_reference": None,
        "stage": "raw",
        "metadata": {},
    } | changes
    return Run(reactions=REACTIONS.from_rows(reactions), fluorescence=values, **options)


def reaction(well: str = "A1", **changes: object) -> dict[str, object]:
    plain: dict[str, object] = {"well": well, "target": "ABL1", "dye": "FAM", "role": "unkn", "sample_id": "s"}
    return plain | {"vendor_omitted": False} | changes


def test_a_written_run_says_where_it_comes_from(tmp_path):
    metadata = {"instrument": "QuantStudio <5> & co", "software": "bcrabl", "run_date": "2021-03-04"}
    again = written(some_run([reaction()], [[0.5, 0.75]], metadata=metadata), tmp_path)
    assert {name: again.metadata[name] for name in metadata} == metadata
    assert again.metadata["format"] == "RDML 1.3"
    assert again.stage == "raw"


def test_a_written_run_has_no_clock_and_the_same_bytes_twice(tmp_path):
    run = some_run([reaction()], [[0.5, 0.75]])
    write_rdml(run, tmp_path / "a")
    write_rdml(run, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with zipfile.ZipFile(tmp_path / "a") as archive:
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
        assert b"dateMade" not in archive.read("rdml_data.xml")


def test_names_with_signs_of_xml_come_back(tmp_path):
    strange = "a<b>&\"c'\t\nü €"
    (row,) = rows(written(some_run([reaction(sample_id=strange, target=strange, dye=strange)], [[1.0]]), tmp_path))
    assert (row["sample_id"], row["target"], row["dye"]) == (strange, strange, strange)


def test_roles_and_copies_per_target_come_back(tmp_path):
    listed = [
        reaction(target="A", role="std", known_copies=10.0),
        reaction(target="B", role="std", known_copies=30.0),
        reaction(target="C", role="unkn"),
        reaction("A2", target="A", role="neg", sample_id="n"),
        reaction("A3", target="A", role="calibrator", sample_id="k"),
    ]
    again = rows(written(some_run(listed, [[1.0]] * 5), tmp_path))
    assert [(row["role"], row["known_copies"]) for row in again] == [
        ("std", 10),
        ("std", 30),
        ("unkn", None),
        ("neg", None),
        ("calibrator", None),
    ]


def test_no_cq_and_omission_come_back(tmp_path):
    listed = [reaction(vendor_cq_text="UNDETERMINED", vendor_omitted=True), reaction("A2", vendor_cq=1.25)]
    first, second = rows(written(some_run(listed, [[1.0, 2.0]] * 2), tmp_path))
    assert (first["vendor_cq"], first["vendor_cq_text"], first["vendor_omitted"]) == (None, "-1.0", True)
    assert (second["vendor_cq"], second["vendor_omitted"]) == (1.25, False)


@pytest.mark.parametrize(
    ("listed", "match"),
    [
        ([reaction(sample_id="a\x00b")], r"found sample_id 'a\\x00b'; expected a name without control characters"),
        ([reaction(sample_id=None)], r"well A1, target 'ABL1': found no sample_id; expected one"),
        ([reaction(dye=None)], r"found no dye; expected one"),
        ([reaction(role="odd")], r"found role 'odd'; expected one of unkn, std"),
        ([reaction("A01")], r"found well 'A01'; expected a row letter"),
        ([reaction(known_copies=5.0)], r"found 5 known copies, role unkn; expected copies above 0, of standards only"),
        ([reaction(role="std", known_copies=0.0)], r"found 0 known copies, role std"),
        ([reaction(), reaction(target="B", sample_id="t")], r"more than one sample in one well: s and t"),
        ([reaction(), reaction("A2", dye="VIC")], r"more than one dye of one target: FAM and VIC"),
        ([reaction(), reaction("A2", role="ntc")], r"more than one role and known copies of one sample and target"),
        ([reaction(), reaction("A2", target="B", role="calibrator")], r"one sample as a calibrator and not"),
        ([reaction(), reaction()], r"found a target twice in one well"),
        ([reaction(), reaction(part="p")], r"found parts with and without a name"),
    ],
)
def test_what_rdml_cannot_hold_is_not_written(tmp_path, listed, match):
    with pytest.raises(RunError, match=match):
        write_rdml(some_run(listed, [[1.0, 2.0]] * len(listed)), tmp_path / "x.rdml")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"metadata": {"run_date": "1.2.2021"}}, r"metadata run_date: found '1.2.2021'; expected a date as YYYY-MM-DD"),
        ({"metadata": {"instrument": "\x07"}}, r"metadata instrument: found '\\x07'"),
        ({"passive_reference": np.array([[np.inf], [1.0]])}, r"a passive reference of infinite or of no values"),
        ({"passive_reference": np.array([[2.0], [1.0]])}, r"passive references that differ between targets"),
    ],
)
def test_what_rdml_cannot_hold_of_a_run_is_not_written(tmp_path, changes, match):
    run = some_run([reaction(), reaction(target="B")], [[1.0], [2.0]], **changes)
    with pytest.raises(RunError, match=match):
        write_rdml(run, tmp_path / "x.rdml")


def test_infinite_signals_are_not_written(tmp_path):
    with pytest.raises(RunError, match=r"found a curve of infinite or of no values"):
        write_rdml(some_run([reaction()], [[np.inf]]), tmp_path / "x.rdml")


def test_a_target_named_like_the_passive_dye_is_not_written_beside_it(tmp_path):
    run = some_run([reaction(target="ROX")], [[1.0]], passive_reference=np.ones((1, 1)))
    with pytest.raises(RunError, match=r"found a target named ROX beside the passive reference"):
        write_rdml(run, tmp_path / "x.rdml")


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=6,
).filter(lambda name: "@" not in name and name.upper() not in {"ROX", "MUSTANG PURPLE"})
SIGNALS = st.floats(allow_nan=False, allow_infinity=False, width=64)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """A run of a few wells, with what RDML can hold."""
    cycles = draw(st.integers(1, 6))
    samples = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    targets = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    dyes = {name: draw(NAMES) for name in targets}
    roles = st.sampled_from(["unkn", "std", "ntc", "nac", "nrt", "pos", "neg", "opt"])
    role = {(s, t): draw(roles) for s in samples for t in targets}
    amounts = st.none() | st.floats(1e-3, 1e12)
    copies = {key: draw(amounts) if role[key] == "std" else None for key in role}
    wells = draw(st.lists(st.tuples(st.sampled_from("ABHPQ"), st.integers(1, 30)), min_size=1, max_size=5, unique=True))
    listed, signal, passive = [], [], []
    for row, column in wells:
        of_sample = draw(st.sampled_from(samples))
        reference = draw(st.lists(SIGNALS, min_size=cycles, max_size=cycles))
        for of_target in draw(st.lists(st.sampled_from(targets), min_size=1, unique=True)):
            listed.append(
                reaction(
                    f"{row}{column}",
                    target=of_target,
                    dye=dyes[of_target],
                    sample_id=of_sample,
                    role=role[of_sample, of_target],
                    known_copies=copies[of_sample, of_target],
                    vendor_cq=draw(st.none() | st.floats(10, 50)),
                    vendor_threshold=draw(st.none() | SIGNALS),
                    vendor_omitted=draw(st.booleans()),
                )
            )
            signal.append(draw(st.lists(SIGNALS, min_size=cycles, max_size=cycles)))
            passive.append(reference)
    has_passive = draw(st.booleans())
    return some_run(listed, signal, passive_reference=np.array(passive) if has_passive else None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(run=runs())
def test_a_written_run_reads_back_the_same(tmp_path, run):
    again = written(run, tmp_path)
    place = {(row["well"], row["target"]): index for index, row in enumerate(rows(run))}
    order = np.array([place[row["well"], row["target"]] for row in rows(again)])
    expected = run.select(order)
    for column in (
        "well",
        "target",
        "dye",
        "role",
        "sample_id",
        "known_copies",
        "vendor_cq",
        "vendor_threshold",
        "vendor_omitted",
    ):
        assert again.reactions[column].to_pylist() == expected.reactions[column].to_pylist(), column
    assert np.array_equal(again.cycles, expected.cycles)
    assert np.array_equal(again.fluorescence, expected.fluorescence)
    assert (again.passive_reference is None) == (expected.passive_reference is None)
    if expected.passive_reference is not None:
        assert np.array_equal(again.passive_reference, expected.passive_reference)


@pytest.mark.parametrize("stage_name", ["raw", "normalised", "baseline_subtracted"])
def test_the_stage_comes_back(tmp_path, stage_name):
    run = some_run([reaction()], [[-0.5, 0.5]], stage=stage_name, metadata={"instrument": "QuantStudio 5"})
    assert written(run, tmp_path).stage == stage_name


def test_several_parts_and_missing_cycles_come_back(tmp_path):
    run = some_run(
        [reaction(part="a"), reaction(part="b & c")], [[1.0, np.nan, 3.0, 4.0, 5.0], [1.0, 2.0, 3.0, 4.0, 5.0]]
    )
    again = written(run, tmp_path)
    assert [row["part"] for row in rows(again)] == ["a", "b & c"]
    assert np.array_equal(again.fluorescence, run.fluorescence, equal_nan=True)


# --- broken bytes ---


@pytest.mark.real_data
@pytest.mark.parametrize("file", [row[0] for row in REAL])
def test_real_files_written_again_read_the_same(real_data, tmp_path, file):
    run = read_run(real_data(*file.split("/")))
    again = written(run, tmp_path)
    for column in ("part", "well", "target", "dye", "role", "sample_id", "known_copies", "vendor_cq"):
        assert again.reactions[column].to_pylist() == run.reactions[column].to_pylist(), column
    assert np.array_equal(again.fluorescence, run.fluorescence, equal_nan=True)
    assert again.stage == run.stage
