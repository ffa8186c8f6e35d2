"""Runs in the layouts of Applied Biosystems software: what comes back when they are read, and what is refused."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from format_builders import rows, same, xlsx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quantstudio_builders import classic, da2_plate, openarray, samples

from bcrabl.errors import RunError
from bcrabl.formats import read_run, write_quantstudio_txt, write_quantstudio_xlsx
from bcrabl.run import Run
from bcrabl.tables import REACTIONS

WRITERS = (write_quantstudio_txt, write_quantstudio_xlsx)
METADATA = ("block", "instrument", "instrument_serial_number", "run_date", "passive_reference", "cq_detection_method")
both = pytest.mark.parametrize("write_layout", WRITERS)


def written(write_layout, run: Run, folder: Path) -> Run:
    write_layout(run, folder / "written")
    return read_run(folder / "written")


def plain(**changes: object) -> dict[str, object]:
    """One reaction, a standard of ABL1 in FAM, unless changed."""
    return {
        "part": None,
        "well": "A1",
        "target": "ABL1",
        "dye": "FAM",
        "role": "std",
        "sample_id": "S1",
        "known_copies": 1000.0,
        "vendor_cq": 24.5,
        "vendor_cq_text": None,
        "vendor_call": "AMP",
        "vendor_threshold": 0.2,
        "vendor_baseline_start": 3.0,
        "vendor_baseline_end": 15.0,
        "vendor_task": "STANDARD",
        "vendor_quantity": 1000.0,
        "vendor_quantity_unit": None,
        "vendor_omitted": False,
    } | changes


def run_of(*listed: dict[str, object], stage: str = "raw", passive: bool = True, **metadata: object) -> Run:
    """A run of these reactions over ten cycles."""
    table = REACTIONS.from_rows(listed or [plain()])
    cycles = np.arange(1.0, 11.0)
    curves = np.array([1000.0 / 3 * (place + 1) + cycles**3 / 7 for place in range(table.num_rows)])
    reference = np.full(curves.shape, 20_000 / 7) if passive and stage == "raw" else None
    return Run(table, cycles, curves, reference, stage, metadata)


def changed(run: Run, column: str, value: object) -> Run:
    """The run with one value of its first reaction changed."""
    listed = rows(run)
    listed[0][column] = value
    return replace(run, reactions=REACTIONS.from_rows(listed))


# --- what comes back ---


@both
@pytest.mark.parametrize("name", samples())
def test_every_layout_comes_back_as_it_was(tmp_path, write_layout, name):
    ((file, content),) = samples()[name].items()
    (tmp_path / file).write_bytes(content)
    run = read_run(tmp_path / file)
    if name == "OpenArray xlsx":
        run = replace(run, metadata={**run.metadata, "passive_reference": None})
    again = written(write_layout, run, tmp_path)
    same(run, again)
    if run.stage == "raw":
        kept = {key: run.metadata.get(key) for key in METADATA}
        assert {key: again.metadata.get(key) for key in METADATA} == kept


@both
@pytest.mark.parametrize("stage", ["raw", "normalised", "baseline_subtracted"])
def test_every_stage_comes_back(tmp_path, write_layout, stage):
    run = run_of(plain(), plain(well="A2", role="unkn", known_copies=None, vendor_task="UNKNOWN"), stage=stage)
    same(run, written(write_layout, run, tmp_path))


@both
def test_without_passive_reference_the_signal_comes_back(tmp_path, write_layout):
    run = run_of(passive=False)
    same(run, written(write_layout, run, tmp_path))


@both
def test_missing_readings_stay_missing(tmp_path, write_layout):
    run = run_of()
    run.fluorescence[0, 4] = np.nan
    run.passive_reference[0, 7] = np.nan
    same(run, written(write_layout, run, tmp_path))


@both
def test_software_and_a_384_well_block_come_back(tmp_path, write_layout):
    run = run_of(plain(well="P24"), software="Simulator 1", instrument="none")
    again = written(write_layout, run, tmp_path)
    assert again.metadata["software"] == "Simulator 1"
    assert again.metadata["block"] == "384-Well Block"
    assert rows(again)[0]["well"] == "P24"


@both
def test_a_passive_reference_of_another_name_comes_back(tmp_path, write_layout):
    run = run_of(passive_reference="MUSTANG PURPLE")
    again = written(write_layout, run, tmp_path)
    same(run, again)
    assert again.metadata["passive_reference"] == "MUSTANG PURPLE"


@both
def test_a_role_without_task_is_written_by_the_word_for_it(tmp_path, write_layout):
    roles = {"unkn": "UNKNOWN", "ntc": "NTC", "pos": "POSITIVE_CONTROL", "neg": "NEGATIVE_CONTROL"}
    listed = [
        plain(well=f"A{n}", role=role, known_copies=None, vendor_quantity=None, vendor_task=None)
        for n, role in enumerate(roles, 1)
    ]
    again = rows(written(write_layout, run_of(*listed), tmp_path))
    assert {row["role"]: row["vendor_task"] for row in again} == roles


@both
def test_what_looks_like_a_formula_is_a_text(tmp_path, write_layout):
    names = ("=1+1", "+1", "-1", "@x", "=HYPERLINK(1)", "http://a.b", 'a, "b"', "'x", '"', "1.5", "_x0041_", "{=1}")
    listed = [plain(well=f"A{n}", sample_id=name) for n, name in enumerate(names, 1)]
    again = written(write_layout, run_of(*listed), tmp_path)
    assert [row["sample_id"] for row in rows(again)] == list(names)
    if write_layout is write_quantstudio_xlsx:
        with zipfile.ZipFile(tmp_path / "written") as archive:
            assert not any(b"<f>" in archive.read(name) for name in archive.namelist())
            assert not any("rels/sheet" in name for name in archive.namelist())


@both
def test_the_same_run_gives_the_same_bytes(tmp_path, write_layout, monkeypatch):
    write_layout(run_of(), tmp_path / "one")
    monkeypatch.setattr("time.time", lambda: 2e9)
    write_layout(run_of(), tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_both_layouts_give_the_same_run(tmp_path):
    run = read_of(classic(), tmp_path)
    same(written(write_quantstudio_txt, run, tmp_path), written(write_quantstudio_xlsx, run, tmp_path))
    same(read_of(da2_plate(), tmp_path), run)


def read_of(sheets, folder: Path) -> Run:
    (folder / "plate").write_bytes(xlsx(sheets))
    return read_run(folder / "plate")


def test_the_text_begins_as_that_of_the_software_does(tmp_path):
    write_quantstudio_txt(read_of(classic(), tmp_path), tmp_path / "x")
    text = (tmp_path / "x").read_text()
    assert text.startswith("* Block Type = 96-Well Block (0.2mL)\n")
    assert [line for line in text.split("\n") if line.startswith("[")] == [
        *("[Sample Setup]", "[Amplification Data]", "[Multicomponent Data]", "[Results]")
    ]


def test_the_workbook_has_the_sheets_of_the_software(tmp_path):
    write_quantstudio_xlsx(run_of(), tmp_path / "x")
    with zipfile.ZipFile(io.BytesIO((tmp_path / "x").read_bytes())) as archive:
        book = archive.read("xl/workbook.xml").decode()
    names = ("Results", "Amplification Data", "Multicomponent", "Standard Curve Result")
    assert all(f'name="{name}"' in book for name in names)


_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)
_NUMBER = st.floats(allow_nan=False, allow_infinity=False)


@both
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draws=st.data())
def test_any_run_comes_back_or_is_refused(tmp_path, write_layout, draws):
    curves = draws.draw(st.lists(st.one_of(_NUMBER, st.just(float("nan"))), min_size=20, max_size=20))
    listed = [
        plain(
            well=well,
            target=draws.draw(_TEXT),
            sample_id=draws.draw(st.one_of(st.none(), _TEXT)),
            vendor_cq=draws.draw(st.floats(1e-3, 1000)),
            known_copies=copies,
            vendor_quantity=copies,
            vendor_threshold=draws.draw(st.one_of(st.none(), _NUMBER)),
            vendor_call=draws.draw(st.one_of(st.none(), _TEXT)),
        )
        for well in ("A1", "H12")
        for copies in (draws.draw(st.floats(1e-6, 1e15)),)
    ]
    run = replace(run_of(*listed, passive=False), fluorescence=np.array(curves).reshape(2, 10))
    try:
        write_layout(run, tmp_path / "x")
    except RunError as error:
        assert "expected" in str(error)  # noqa: PT017 - the error is one of two good outcomes
        return
    same(run, read_run(tmp_path / "x"))


# --- what is refused ---


TWO = (plain(), plain(target="BCR::ABL1", dye="VIC"))


@both
@pytest.mark.parametrize(
    ("run", "match"),
    [
        (run_of(plain(well="AAA1")), r"found well 'AAA1'; expected a row letter"),
        (run_of(plain(well="A01")), r"found well 'A01'; expected a row letter"),
        (run_of(plain(well=None)), r"found well None; expected a row letter"),
        (run_of(plain(target=None)), r"found no target; expected one"),
        (run_of(plain(target=" a")), r"found target ' a'; expected a text without"),
        (run_of(plain(sample_id="a\tb")), r"found sample_id 'a\\tb'; expected a text without"),
        (run_of(plain(sample_id="<r>a</r>")), r"found sample_id '<r>a</r>'; expected a text without"),
        (run_of(plain(sample_id="x" * 33_000)), r"found sample_id 'xx"),
        (
            run_of(plain(role="nrt", known_copies=None)),
            r"found role nrt, for which the layout has no task; expected on",
        ),
        (run_of(plain(role="unkn")), r"found 1000 known copies, role unkn; expected copies above 0, of standards"),
        (run_of(plain(known_copies=500.0)), r"found a standard of 500.0 copies and the quantity 1000.0; expected one"),
        (run_of(plain(vendor_threshold=np.inf)), r"found vendor_threshold inf; expected a finite number"),
        (run_of(plain(vendor_cq_text="x")), r"found a Cq of 24.5 and the text 'x' in its place; expected one of them"),
        (run_of(plain(vendor_cq=0.0)), r"found a Cq of 0; expected one above 0"),
        (run_of(plain(vendor_cq=None, vendor_cq_text="40.0")), r"found the text '40.0' where there is no Cq; expected"),
        (run_of(plain(vendor_cq=None, vendor_cq_text="1,5")), r"found the text '1,5' where there is no Cq; expected"),
        (run_of(plain(part="a"), plain(part="b")), r"found several parts; expected one"),
        (run_of(plain(), plain()), r"found a target twice in one well; expected one curve"),
        (run_of(plain(dye=None)), r"found a raw curve of no dye; expected a dye for each"),
        (run_of(plain(), plain(target="B")), r"found two targets of one dye in a well; expected one target"),
        (run_of(plain(dye="ROX")), r"found a target with the dye ROX, which is the passive reference; expected anoth"),
        (run_of(plain(dye="Cycle")), r"found dyes Cycle, ROX; expected names that differ"),
        (run_of(plain(), plain(well="A2", dye="fam")), r"found dyes FAM, ROX, fam; expected names that differ"),
        (run_of(passive_reference="None"), r"metadata passive_reference: found 'None'; expected the name of a dye"),
        (run_of(instrument="a\nb"), r"metadata instrument: found 'a\\nb'; expected a text without control"),
        (run_of(run_date="yesterday"), r"metadata run_date: found 'yesterday'; expected a date"),
        (replace(run_of(), fluorescence=np.full((1, 10), np.nan)), r"found a curve of infinite or of no values"),
        (replace(run_of(), passive_reference=np.full((1, 10), np.inf)), r"found a passive reference of infinite"),
        (replace(run_of(), cycles=np.arange(995.0, 1005.0)), r"found cycles below 0 or beyond reason; expected cyc"),
        (
            replace(run_of(*TWO), passive_reference=np.arange(20.0).reshape(2, 10)),
            r"well A1: found passive references that differ between targets; expected one",
        ),
        (
            replace(run_of(), stage="normalised"),
            r"found a passive reference beside curves that are normalised; expected one beside raw",
        ),
    ],
)
def test_what_the_layout_cannot_hold_is_not_written(tmp_path, write_layout, run, match):
    with pytest.raises(RunError, match=match):
        write_layout(run, tmp_path / "x")
    assert not list(tmp_path.iterdir())


@both
def test_a_run_without_reactions_is_not_written(tmp_path, write_layout):
    nothing = Run(REACTIONS.empty(), np.arange(3.0), np.empty((0, 3)), None, "raw")
    with pytest.raises(RunError, match=r"found no reaction; expected one or more"):
        write_layout(nothing, tmp_path / "x")


def test_holes_of_an_openarray_come_back(tmp_path):
    run = read_of(openarray(), tmp_path)
    assert [row["well"] for row in rows(written(write_quantstudio_txt, run, tmp_path))][2:4] == ["A10b3", "D1c1"]
    assert rows(changed(run, "sample_id", "other"))[0]["sample_id"] == "other"


@both
@pytest.mark.real_data
@pytest.mark.parametrize(
    "file",
    [
        ("quantstudio_da2_xlsx", "appbio_quantstudio_designandanalysis_QS1_Standard_Curve_example01.xlsx"),
        ("quantstudio_da2_xlsx", "appbio_quantstudio_designandanalysis_QS5_Standard_Curve_4Plex_example03.xlsx"),
        ("quantstudio_da2_xlsx", "appbio_quantstudio_designandanalysis_QS7Pro_Standard_Curve_example14.xlsx"),
        ("quantstudio_da2_xlsx", "appbio_quantstudio_designandanalysis_Diomni_v4.3_Presence_Absence.xlsx"),
        ("quantstudio_da1_xlsx", "appbio_quantstudio_design_and_analysis_example15_v1.5.2.xlsx"),
        ("quantstudio_flex_xlsx", "untidy-standard-curve.xlsx"),
        ("quantstudio_flex_xlsx", "appbio_quantstudio_example08.xlsx"),
        ("eds_7500", "7500_std.xls"),
    ],
)
def test_real_runs_come_back_as_they_were(real_data, tmp_path, write_layout, file):
    run = read_run(real_data(*file))
    same(run, written(write_layout, run, tmp_path))
