"""Runs in the layout of Bio-Rad CFX: what is written comes back, and what the layout cannot hold is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cfx_builders import rfu
from format_builders import rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcrabl.errors import RunError
from bcrabl.formats import read_run, write_cfx_csv
from bcrabl.run import Run
from bcrabl.tables import REACTIONS

KEPT = ("well", "target", "dye", "role", "sample_id", "known_copies", "vendor_cq", "vendor_quantity")
SIGNAL = np.array([rfu(place) for place in range(4)])


def reaction(well: str = "A1", **changes: object) -> dict[str, object]:
    row = {"well": well, "target": "ABL1", "dye": "FAM", "role": "unkn", "sample_id": "S1", "vendor_omitted": False}
    return row | changes


def run_of(*reactions: dict[str, object], **changes: object) -> Run:
    signal = SIGNAL[: len(reactions)]
    cycles = np.arange(1.0, signal.shape[1] + 1)
    whole = Run(REACTIONS.from_rows(reactions), cycles, signal, None, "baseline_subtracted", {})
    return replace(whole, **changes)


SMALL = (
    reaction("A1", role="std", sample_id=None, known_copies=1000.5, vendor_quantity=1000.5, vendor_cq=9.1),
    reaction("A1", target="BCR::ABL1", dye="HEX"),
    reaction("A12", role="ntc", sample_id="Wasser, steril", vendor_task="NTC-2"),
    reaction("H2", role="pos", sample_id="K562; 0,1", vendor_quantity=12.25, vendor_cq=10.123),
)


def written(run: Run, folder: Path, locale: str = "en") -> Run:
    write_cfx_csv(run, folder, "plate 7", locale)
    return read_run(folder)


def kept(run: Run) -> list[tuple[dict[str, object], list[float]]]:
    order = sorted(
        range(run.reactions.num_rows), key=lambda index: (rows(run)[index]["well"], rows(run)[index]["target"])
    )
    return [({name: rows(run)[index][name] for name in KEPT}, run.fluorescence[index].tolist()) for index in order]


@pytest.mark.parametrize("locale", ["en", "de"])
def test_what_is_written_comes_back(tmp_path, locale):
    run = run_of(*SMALL)
    back = written(run, tmp_path, locale)
    assert kept(back) == kept(run)
    assert back.cycles.tolist() == run.cycles.tolist()
    assert back.stage == "baseline_subtracted"


def test_any_of_the_files_leads_to_the_others(tmp_path):
    run = run_of(*SMALL)
    write_cfx_csv(run, tmp_path, "plate 7")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "plate 7 -  Quantification Amplification Results_FAM.csv",
        "plate 7 -  Quantification Amplification Results_HEX.csv",
        "plate 7 -  Quantification Cq Results.csv",
        "plate 7 -  Run Information.csv",
    ]
    assert all(kept(read_run(path)) == kept(run) for path in tmp_path.iterdir())


def test_the_same_run_gives_the_same_bytes(tmp_path):
    for name in ("one", "other"):
        write_cfx_csv(run_of(*SMALL), tmp_path / name, "run")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


def test_a_run_that_was_read_comes_back_with_its_tasks_and_metadata(tmp_path):
    about = {"run_date": "2021-03-04", "instrument_serial_number": "CT1", "software": "CFX Maestro 5.3.022.1030"}
    first = written(run_of(*SMALL, metadata=about), tmp_path / "first")
    assert about.items() <= first.metadata.items()
    second = written(first, tmp_path / "second")
    assert second.reactions.equals(first.reactions)
    assert np.array_equal(second.fluorescence, first.fluorescence)
    assert [row["vendor_task"] for row in rows(first)] == ["Std", "Unkn", "NTC-2", "Pos Ctrl"]


def test_a_missing_reading_stays_missing(tmp_path):
    signal = SIGNAL.copy()
    signal[2, 5] = np.nan
    back = written(run_of(*SMALL, fluorescence=signal), tmp_path)
    assert np.argwhere(np.isnan(back.fluorescence)).tolist() == [[2, 5]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dye": None}, "no dye"),
        ({"dye": "a/b"}, "which file names cannot hold"),
        ({"dye": "FAM (1)"}, "which file names cannot hold"),
        ({"dye": "fam", "well": "A2"}, "in two spellings"),
        ({"dye": "FAM"}, "2 reactions in this well and dye"),
        ({"target": ""}, "no target"),
        ({"well": "A01"}, "well 'A01'"),
        ({"role": "calibrator"}, "role 'calibrator'"),
        ({"vendor_omitted": True}, "a reaction that was omitted"),
        ({"sample_id": " S1"}, "blanks around it"),
        ({"sample_id": "S\n1"}, "characters that no cell holds"),
        ({"vendor_cq": -1.0}, "a Cq that is no number above 0"),
        ({"known_copies": 5.0}, "5.0 known copies of a reaction of role unkn"),
        ({"role": "std", "known_copies": 5.0, "vendor_quantity": 6.0}, "6.0 as quantity of a standard of 5.0 copies"),
        ({"role": "std", "known_copies": -5.0}, "-5.0 copies of a standard"),
        ({"vendor_quantity": np.inf}, "quantity inf"),
    ],
)
def test_a_reaction_that_the_layout_cannot_hold_is_an_error(tmp_path, changes, message):
    run = run_of(reaction(), reaction(**({"dye": "HEX"} | changes)))
    with pytest.raises(RunError, match=message.replace("(", r"\(")):
        write_cfx_csv(run, tmp_path, "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stage": "raw"}, "a signal of stage raw; expected baseline-subtracted RFU alone"),
        ({"stage": "normalised"}, "a signal of stage normalised"),
        ({"passive_reference": SIGNAL + 500}, "beside a passive reference"),
        ({"fluorescence": SIGNAL + 500}, "no value is 0 or less"),
        ({"fluorescence": SIGNAL * np.nan}, "without any reading"),
        ({"reactions": REACTIONS.empty(), "fluorescence": SIGNAL[:0]}, "no reaction"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_run_that_the_layout_cannot_hold_is_an_error(tmp_path, changes, message):
    with pytest.raises(RunError, match=message):
        write_cfx_csv(run_of(*SMALL, **changes), tmp_path, "run")


@pytest.mark.parametrize("name", ["", "a/b", " a", "a:b", "a.", "a\0b"])
def test_a_name_that_no_file_can_begin_with_is_an_error(tmp_path, name):
    with pytest.raises(RunError, match="a text that file names can begin with"):
        write_cfx_csv(run_of(*SMALL), tmp_path, name)


def test_a_country_of_which_nothing_is_known_is_an_error(tmp_path):
    with pytest.raises(RunError, match="found 'fr'; expected one of en, de"):
        write_cfx_csv(run_of(*SMALL), tmp_path, "run", "fr")


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
NUMBERS = st.floats(1e-12, 1e15)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    def one(well: str) -> dict[str, object]:
        role = draw(st.sampled_from(["unkn", "std", "ntc", "nrt", "pos", "neg"]))
        quantity = draw(st.none() | NUMBERS)
        return reaction(
            well,
            target=draw(NAMES),
            dye=draw(st.sampled_from(["FAM", "Texas Red", "Cy5", "Cy5.5"])),
            role=role,
            sample_id=draw(st.none() | NAMES),
            vendor_cq=draw(st.none() | st.floats(0.1, 12)),
            vendor_quantity=quantity,
            known_copies=quantity if role == "std" else None,
        )

    values = st.floats(-1e6, 1e6)
    signal = np.array([[draw(values) for _ in range(12)] for _ in range(3)])
    return run_of(one("A1"), one("B12"), one("P24"), fluorescence=signal, cycles=np.arange(1.0, 13.0))


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs(), st.sampled_from(["en", "de"]))
def test_a_run_comes_back_whole_or_is_refused(tmp_path_factory, run, locale):
    folder = tmp_path_factory.mktemp("written")
    try:
        back = written(run, folder, locale)
    except RunError as error:
        assert not list(folder.iterdir()), error  # noqa: PT017 - refused before anything is written
        return
    assert kept(back) == kept(run)


# --- real curves ---


def crossing(cycles: np.ndarray, signal: np.ndarray, threshold: float, near: float) -> float:
    """The linear crossing of a curve that lies nearest to a cycle, counted in cycles."""
    rising = np.flatnonzero((signal[:-1] < threshold) & (signal[1:] >= threshold))
    places = cycles[rising] + (threshold - signal[rising]) / (signal[rising + 1] - signal[rising])
    return float(places[np.argmin(np.abs(places - near))])


def level_at(cycles: np.ndarray, signal: np.ndarray, cq: float) -> float:
    """The signal of a curve at a cycle, on the straight line between its readings."""
    return float(np.interp(cq, cycles, signal))


@pytest.mark.real_data
def test_a_cq_of_cfx_is_the_linear_crossing_at_one_threshold_of_plate_and_fluor(real_data):
    run = read_run(real_data("rdml", "BioRad_qPCR_melt.rdml"))
    stated = [(index, row["dye"], row["vendor_cq"]) for index, row in enumerate(rows(run)) if row["vendor_cq"]]
    assert len(stated) == 26
    for dye in {dye for _, dye, _ in stated}:
        of_dye = [(run.fluorescence[index], cq) for index, other, cq in stated if other == dye]
        levels = [level_at(run.cycles, signal, cq) for signal, cq in of_dye]
        assert max(levels) - min(levels) <= 1e-7 * max(levels)
        for signal, cq in of_dye:
            assert abs(crossing(run.cycles, signal, levels[0], cq) - cq) <= 1e-6


@pytest.mark.real_data
@pytest.mark.parametrize("locale", ["en", "de"])
def test_real_curves_of_cfx_come_back_from_its_csv_layout(real_data, tmp_path, locale):
    run = read_run(real_data("rdml", "BioRad_qPCR_melt.rdml"))
    back = written(run, tmp_path, locale)
    assert (len(rows(back)), len(back.cycles), back.stage) == (60, 41, "baseline_subtracted")
    assert sum(row["vendor_cq"] is not None for row in rows(back)) == 26
    assert kept(back) == kept(run)


@pytest.mark.real_data
def test_raw_curves_are_not_written_as_what_cfx_exports(real_data, tmp_path):
    run = read_run(real_data("rdml", "RAS002.rdml"))
    with pytest.raises(RunError, match="a signal of stage raw"):
        write_cfx_csv(run, tmp_path, "run")
