"""Runs written as RDML: what comes back, and what RDML cannot hold."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import rdml_schema
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


def document(run: Run, tmp_path: Path) -> str:
    """The XML that is written."""
    write_rdml(run, tmp_path / "document.rdml")
    return zipfile.ZipFile(tmp_path / "document.rdml").read("rdml_data.xml").decode()


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
        (member,) = archive.infolist()
        assert member.date_time == (1980, 1, 1, 0, 0, 0)
        assert b"dateMade" not in archive.read("rdml_data.xml")


def test_the_bytes_do_not_depend_on_the_zlib_of_the_machine(tmp_path):
    write_rdml(some_run([reaction()], [[0.5, 0.75]]), tmp_path / "a")
    with zipfile.ZipFile(tmp_path / "a") as archive:
        (member,) = archive.infolist()
        assert member.compress_type == zipfile.ZIP_STORED
        assert member.compress_size == member.file_size


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
        ([reaction(target=None)], r"well A1, target None: found no target; expected one"),
        ([reaction(dye="not stated")], r"found dye 'not stated' of sample 's'; expected names that do not begin as"),
        ([reaction(sample_id="not stated (A1)")], r"of sample 'not stated \(A1\)'; expected names that do not"),
        ([reaction(role="odd")], r"found role 'odd'; expected one of unkn, std"),
        ([reaction("A01")], r"found well 'A01'; expected a row letter"),
        ([reaction(known_copies=5.0)], r"found 5 known copies, role unkn; expected copies above 0, of standards only"),
        ([reaction(role="std", known_copies=0.0)], r"found 0 known copies, role std"),
        ([reaction(), reaction(target="B", sample_id="t")], r"more than one sample in one well: s and t"),
        ([reaction(), reaction("A2", dye="VIC")], r"more than one dye of one target: FAM and VIC"),
        ([reaction(), reaction(target="B", role="calibrator")], r"one well as a calibrator and as a sample"),
        (
            [reaction(sample_id=" s"), reaction("A2", role="ntc", sample_id=" s")],
            r"several kinds of sample named ' s'; expected a name without blanks around it",
        ),
        ([], r"found no reaction; expected one or more"),
        ([reaction(), reaction()], r"found a target twice in one well"),
        ([reaction(), reaction(part="p")], r"found parts with and without a name"),
    ],
)
def test_what_rdml_cannot_hold_is_not_written(tmp_path, listed, match):
    with pytest.raises(RunError, match=match):
        write_rdml(some_run(listed, [[1.0, 2.0]] * len(listed) or np.empty((0, 2))), tmp_path / "x.rdml")
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
    metadata = {"passive_reference": "ROX"}
    run = some_run([reaction(target="ROX")], [[1.0]], passive_reference=np.ones((1, 1)), metadata=metadata)
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
                    vendor_cq=draw(st.none() | st.floats(0.5, cycles - 0.25)),
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
    assert not rdml_schema.violations((document(run, tmp_path)).encode())
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


def test_one_name_for_all_standards_keeps_their_copies_apart(tmp_path):
    listed = [
        reaction("A1", sample_id="STD", role="std", known_copies=100.0),
        reaction("A2", sample_id="STD", role="std", known_copies=100.0),
        reaction("A3", sample_id="STD", role="std", known_copies=10.0),
        reaction("A4", sample_id="STD"),
    ]
    run = some_run(listed, [[1.0]] * 4)
    again = rows(written(run, tmp_path))
    assert [row["sample_id"] for row in again] == ["STD"] * 4
    assert [row["known_copies"] for row in again] == [100, 100, 10, None]
    assert document(run, tmp_path).count("<sample id=") - document(run, tmp_path).count("<react ") == 3


def test_targets_of_one_sample_in_wells_apart_are_one_sample(tmp_path):
    run = some_run([reaction("A1", target="A"), reaction("A2", target="B", role="ntc")], [[1.0]] * 2)
    assert document(run, tmp_path).count('<sample id="s">') == 1


def test_wells_without_a_name_stay_without_and_are_not_replicates_of_each_other(tmp_path):
    listed = [reaction("A1", sample_id=None), reaction("A2", sample_id=None, role="ntc")]
    run = some_run(listed, [[1.0]] * 2)
    again = rows(written(run, tmp_path))
    assert [(row["sample_id"], row["role"]) for row in again] == [(None, "unkn"), (None, "ntc")]
    assert '<sample id="not stated (A1)">' in document(run, tmp_path)


def test_a_dye_that_nobody_named_comes_back_unknown(tmp_path):
    (row,) = rows(written(some_run([reaction(dye=None)], [[1.0]]), tmp_path))
    assert row["dye"] is None


def test_a_passive_reference_of_no_name_is_not_called_rox(tmp_path):
    run = some_run([reaction()], [[1.0] * 12], passive_reference=np.ones((1, 12)))
    assert "ROX" not in document(run, tmp_path)
    assert np.array_equal(written(run, tmp_path).passive_reference, run.passive_reference)


def test_standards_in_other_units_than_copies_keep_quantity_and_unit(tmp_path):
    listed = [
        reaction("A1", role="std", vendor_quantity=0.5, vendor_quantity_unit="ng"),
        reaction("A2", role="std", vendor_quantity=0.25, vendor_quantity_unit="ng"),
        reaction("A3", role="std", vendor_quantity=7.0, vendor_quantity_unit="percent"),
        reaction("A4", vendor_quantity=3.0, vendor_quantity_unit="ng", sample_id="t"),
    ]
    run = some_run(listed, [[1.0]] * 4)
    kept = [
        (row["known_copies"], row["vendor_quantity"], row["vendor_quantity_unit"])
        for row in rows(written(run, tmp_path))
    ]
    assert kept == [(None, 0.5, "ng"), (None, 0.25, "ng"), (None, None, None), (None, None, None)]
    assert "<note>quantity 3.0 ng</note>" in document(run, tmp_path)
    assert "<note>quantity 7.0 percent</note>" in document(run, tmp_path)


def test_a_calculated_quantity_of_a_standard_stands_beside_the_one_it_was_made_of(tmp_path):
    listed = [reaction(role="std", known_copies=10.0, vendor_quantity=9.5)]
    listed.append(reaction("A2", role="std", known_copies=10.0, vendor_quantity=10.0))
    assert document(some_run(listed, [[1.0]] * 2), tmp_path).count("<note>") == 1
    assert "<note>quantity 9.5</note>" in document(some_run(listed, [[1.0]] * 2), tmp_path)


def test_what_rdml_has_no_field_for_stands_in_words(tmp_path):
    listed = [
        reaction(
            vendor_call="Amp; late",
            vendor_task="UNKNOWN",
            vendor_cq_text="Undetermined",
            vendor_baseline_start=3.0,
            vendor_baseline_end=15.0,
        )
    ]
    metadata = {
        "vendor": "Roche",
        "sha256": "ab",
        "block": "96\x07",
        "warnings": ("Odd.",),
        "cq_detection_method": "CRT",
    }
    written_as = document(some_run(listed, [[1.0]], metadata=metadata), tmp_path)
    assert "<note>call Amp, late; task UNKNOWN; Cq Undetermined; baseline cycles 3 to 15</note>" in written_as
    for words in ("vendor: Roche", "sha256: ab", "block: 96�", "warning: Odd.", "cq_detection_method: CRT"):
        assert words in written_as
    assert "<cqDetectionMethod>other</cqDetectionMethod>" in written_as


def test_a_date_without_hyphens_is_written_as_the_schema_has_it(tmp_path):
    run = some_run([reaction()], [[1.0]], metadata={"run_date": "20210304"})
    assert "<runDate>2021-03-04T00:00:00</runDate>" in document(run, tmp_path)


def test_the_single_run_of_a_file_keeps_its_name(tmp_path):
    run = some_run([reaction()], [[1.0]], metadata={"parts": ("Plate 7",)})
    assert '<run id="Plate 7">' in document(run, tmp_path)
    assert [row["part"] for row in rows(written(run, tmp_path))] == [None]


def test_a_subtracted_curve_that_never_reaches_zero_is_still_read_as_subtracted(tmp_path):
    run = some_run([reaction()], [[0.5, 1.5]], stage="baseline_subtracted")
    assert written(run, tmp_path).stage == "baseline_subtracted"


NOTHING_RDML_KNOWS = st.none() | st.text(max_size=8)
NUMBERS = st.none() | st.floats()


@st.composite
def odd_runs(draw: st.DrawFn) -> Run:
    """Runs as exports give them: names missing or shared, anything said by the vendor, several parts, gaps."""
    cycles = draw(st.integers(1, 4))
    names = st.none() | st.sampled_from(["STD", "s", 'ü"<&>'])
    listed, signal = [], []
    for part in draw(st.sampled_from([[None], ["p"], ["p", "q & r"]])):
        wells = draw(st.lists(st.sampled_from(["A1", "B2", "H12", "P24", "A100"]), min_size=1, unique=True))
        for well in wells:
            sample = draw(names)
            for of_target, dye in (("A", "FAM"), ("B", None))[: draw(st.integers(1, 2))]:
                role = draw(st.sampled_from(["unkn", "std", "ntc", "pos", "neg", "opt"]))
                listed.append(
                    reaction(
                        well,
                        part=part,
                        target=of_target,
                        dye=dye,
                        sample_id=sample,
                        role=role,
                        known_copies=draw(st.none() | st.sampled_from([10.0, 1e6])) if role == "std" else None,
                        vendor_cq=draw(NUMBERS),
                        vendor_cq_text=draw(NOTHING_RDML_KNOWS),
                        vendor_call=draw(NOTHING_RDML_KNOWS),
                        vendor_task=draw(NOTHING_RDML_KNOWS),
                        vendor_threshold=draw(NUMBERS),
                        vendor_baseline_start=draw(NUMBERS),
                        vendor_baseline_end=draw(NUMBERS),
                        vendor_quantity=draw(NUMBERS),
                        vendor_quantity_unit=draw(st.none() | st.sampled_from(["ng", "cop", "dil", "µg"])),
                        vendor_omitted=draw(st.booleans() | st.none()),
                    )
                )
                signal.append(draw(st.lists(SIGNALS | st.just(np.nan), min_size=cycles, max_size=cycles)))
                signal[-1][-1] = 1.0
    metadata = {name: draw(NOTHING_RDML_KNOWS) for name in ("vendor", "block", "cq_detection_method")}
    metadata["run_date"] = draw(st.none() | st.dates().map(str))
    return some_run(listed, signal, metadata=metadata, stage=draw(st.sampled_from(["raw", "baseline_subtracted"])))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(run=odd_runs())
def test_whatever_an_export_lacks_the_document_is_valid_and_reads_back(tmp_path, run):
    assert rdml_schema.violations(document(run, tmp_path).encode()) == []
    again = written(run, tmp_path)
    key = ("part", "well", "target")
    parts = len(set(run.reactions["part"].to_pylist()))
    wanted = {tuple(row[name] if name != "part" or parts > 1 else None for name in key): row for row in rows(run)}
    for row in rows(again):
        expected = wanted[tuple(row[name] for name in key)]
        for column in ("dye", "sample_id", "role", "known_copies"):
            assert row[column] == expected[column], column
    assert len(again.reactions) == len(run.reactions)
    assert again.stage == run.stage


@pytest.mark.parametrize(
    ("broken", "match"),
    [
        (lambda text: text.replace("<dye id=", "<dyes id=", 1).replace("/>", "></dyes>", 1), "dyes not allowed here"),
        (lambda text: text.replace('<sample id="s">', '<sample id="t">'), "refers to nothing"),
        (lambda text: text.replace("<cyc>2<", "<cyc>1<"), "adpCycUnique not unique"),
        (lambda text: text.replace("<type>unkn<", "<type>other<"), "'other'"),
        (lambda text: text.replace("<fluor>2.0<", "<fluor>inf<"), "'inf'"),
        (lambda text: text.replace("<rows>8</rows>", ""), "at least 1"),
        (lambda text: text.replace('version="1.3"', 'version="1.2"'), "version"),
        (lambda text: text.replace(' id="1"', ' id="A1"'), "attribute id='A1'"),
    ],
)
def test_the_schema_finds_what_is_broken(tmp_path, broken, match):
    text = document(some_run([reaction()], [[1.0, 2.0]]), tmp_path)
    assert rdml_schema.violations(text.encode()) == []
    assert match in " ".join(rdml_schema.violations(broken(text).encode()))


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
    assert rdml_schema.violations(document(run, tmp_path).encode()) == []
    again = written(run, tmp_path)
    for column in ("part", "well", "target", "dye", "role", "sample_id", "known_copies", "vendor_cq"):
        assert again.reactions[column].to_pylist() == run.reactions[column].to_pylist(), column
    assert np.array_equal(again.fluorescence, run.fluorescence, equal_nan=True)
    assert again.stage == run.stage
