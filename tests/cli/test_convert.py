"""`bcrabl convert`: what comes out, what it costs, and what is never overwritten."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from cli_builders import CYCLES, ROWS, assert_harmless, hostile_rdml, plate, run_of, simulated
from rdml_schema import violations

from bcrabl.cli.losses import losses, refuse_changed
from bcrabl.cli.main import main
from bcrabl.errors import ResultsError
from bcrabl.formats import read_run
from bcrabl.run import Run

KEPT = ("well", "target", "dye", "role", "sample_id", "known_copies", "vendor_cq", "vendor_omitted")


def test_a_plate_written_again_as_rdml_is_the_same_plate(tmp_path, capsys):
    source = plate(tmp_path)
    assert main(["convert", str(source), "-o", str(tmp_path / "again.rdml")]) == 0
    assert f"again.rdml: RDML 1.3, {ROWS} curves × {CYCLES} cycles" in capsys.readouterr().out
    before, after = read_run(source), read_run(tmp_path / "again.rdml")
    for column in KEPT:
        assert before.reactions[column].to_pylist() == after.reactions[column].to_pylist(), column
    assert np.array_equal(before.fluorescence, after.fluorescence)
    assert np.array_equal(before.signal, after.signal)
    assert after.metadata["run_date"] == "2026-02-03"


def test_a_plate_written_as_a_table_is_the_same_plate(tmp_path, capsys):
    source = plate(tmp_path)
    assert main(["convert", str(source), "--output", str(tmp_path / "curves.PARQUET")]) == 0
    assert f"{ROWS} curves × {CYCLES} cycles" in capsys.readouterr().out
    before, after = read_run(source), read_run(tmp_path / "curves.PARQUET")
    for column in KEPT:
        assert before.reactions[column].to_pylist() == after.reactions[column].to_pylist(), column
    assert np.array_equal(before.signal, after.signal)


def test_the_same_input_gives_the_same_bytes(tmp_path):
    source = plate(tmp_path)
    for name in ("a.rdml", "b.rdml"):
        assert main(["convert", str(source), "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / "a.rdml").read_bytes() == (tmp_path / "b.rdml").read_bytes()


def reads_as(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next file is read as this run; what is written is read as it is."""
    import bcrabl.formats

    real = bcrabl.formats.read_run
    monkeypatch.setattr("bcrabl.formats.read_run", lambda path: run if str(path) == "given" else real(path))


def test_what_rdml_does_not_give_back_is_counted(tmp_path, capsys, monkeypatch):
    run = run_of(
        {"vendor_call": "Amp", "vendor_cq": 10.0},
        {"vendor_call": "No Amp", "vendor_cq_text": "Undetermined"},
        {"sample_id": None, "dye": None, "target": "other"},
        metadata={"vendor": "V", "instrument": "I"},
        stage="baseline_subtracted",
    )
    reads_as(run, monkeypatch)
    assert main(["convert", "given", "-o", str(tmp_path / "x.rdml")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "vendor_cq_text of 1 reaction, vendor_call of 2 reactions" in told
    assert "As words in the description of the run only: vendor." in told
    assert '"not stated", since RDML needs a name: 1 well without a sample, 1 reaction without a dye.' in told
    assert "RDML asks for signal with its baseline: the curves are baseline subtracted already." in told


def test_what_is_kept_is_not_called_lost(tmp_path):
    source = plate(tmp_path)
    run = read_run(source)
    assert losses(run, run) == []


@pytest.mark.parametrize("change", ["role", "curve", "stage", "fewer"])
def test_a_file_that_gives_back_another_run_is_refused(change):
    run = run_of({"role": "std", "known_copies": 10.0}, {})
    other = run_of({"role": "std" if change != "role" else "unkn", "known_copies": 10.0}, {})
    if change == "curve":
        other.fluorescence[0, 0] += 1e-9
    if change == "stage":
        other = run_of({"role": "std", "known_copies": 10.0}, {}, stage="normalised")
    if change == "fewer":
        other = other.select(np.array([0]))
    with pytest.raises(ResultsError, match=r"does not give back what was written: .*Nothing was written"):
        refuse_changed(run, other, "x.rdml")
    refuse_changed(run, run, "x.rdml")


def test_a_file_that_does_not_come_back_is_not_left(tmp_path, capsys, monkeypatch):
    run = run_of({})
    monkeypatch.setattr("bcrabl.formats.read_run", lambda path: run if path == "given" else run_of({"role": "ntc"}))
    assert main(["convert", "given", "-o", str(tmp_path / "x.rdml")]) == 1
    assert "role of 1 reaction" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_kept(tmp_path, capsys):
    source, out = plate(tmp_path), tmp_path / "out.rdml"
    out.write_text("mine")
    assert main(["convert", str(source), "-o", str(out)]) == 1
    assert "a file that exists; expected a new file. Choose another name, or --force" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main(["convert", str(source), "-o", str(out), "--force"]) == 0
    assert len(read_run(out).reactions) == ROWS


@pytest.mark.parametrize("spelling", ["itself", "symlink", "hardlink", "dots"])
def test_the_input_is_never_overwritten(tmp_path, capsys, spelling):
    source = plate(tmp_path)
    before = source.read_bytes()
    out = {"itself": source, "dots": tmp_path / "folder" / ".." / source.name}.get(spelling, tmp_path / "link.rdml")
    (tmp_path / "folder").mkdir()
    if spelling == "symlink":
        out.symlink_to(source)
    if spelling == "hardlink":
        out.hardlink_to(source)
    assert main(["convert", str(source), "-o", str(out), "--force"]) == 1
    assert "a file of the input; expected another file. Inputs are never changed." in capsys.readouterr().err
    assert source.read_bytes() == before


def test_nothing_is_written_among_the_files_of_a_run(tmp_path, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    plate(folder)
    assert main(["convert", str(folder), "-o", str(folder / "x.rdml")]) == 1
    assert "a file of the input" in capsys.readouterr().err
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("name", ["out.csv", "out", "rdml", ".rdml", "out.rdml.gz"])
def test_an_unknown_ending_names_the_two_there_are(tmp_path, capsys, name):
    with pytest.raises(SystemExit) as left:
        main(["convert", str(plate(tmp_path)), "-o", str(tmp_path / name)])
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert ".rdml (RDML 1.3)" in told
    assert ".parquet (table of curves)" in told


def test_a_refused_input_leaves_nothing(tmp_path, capsys):
    bad = tmp_path / "letter.txt"
    bad.write_text("Dear colleague,\n")
    assert main(["convert", str(bad), "-o", str(tmp_path / "x.rdml")]) == 1
    assert "letter.txt" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [bad]


def test_a_run_that_rdml_cannot_hold_is_refused_with_its_place(tmp_path, capsys, monkeypatch):
    reads_as(run_of({"dye": "FAM"}, {"dye": "VIC"}), monkeypatch)
    assert main(["convert", "given", "-o", str(tmp_path / "x.rdml")]) == 1
    assert "more than one dye of one target: FAM and VIC" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "below a file"])
def test_a_place_that_cannot_be_written_is_said(tmp_path, capsys, kind):
    source = plate(tmp_path)
    (tmp_path / "x.rdml").mkdir()
    out = tmp_path / "x.rdml" if kind == "folder" else source / "x.rdml"
    assert main(["convert", str(source), "-o", str(out)]) == 1
    assert "found a folder" in (told := capsys.readouterr().err) or "a place that cannot be written" in told


def test_a_part_can_be_converted_alone(tmp_path):
    from bcrabl.formats import write_rdml

    write_rdml(run_of({"part": "first"}, {"part": "second", "sample_id": "t"}), tmp_path / "two.rdml")
    arguments = ["convert", str(tmp_path / "two.rdml"), "--part", "second", "-o", str(tmp_path / "one.rdml")]
    assert main(arguments) == 0
    assert read_run(tmp_path / "one.rdml").reactions["sample_id"].to_pylist() == ["t"]


def test_a_table_of_ones_own_becomes_rdml_by_its_column_map(tmp_path, capsys):
    lines = ["cycle,A1_ABL1,B1_ABL1", *(f"{cycle},{cycle / 8},{cycle / 4}" for cycle in range(1, 13))]
    (tmp_path / "wide.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "map.yaml").write_text(
        "layout: column_per_well\nstage: raw\nfields:\n  cycle: cycle\n  role: {constant: unkn}\n"
        'pattern: "{well}_{target}"\n'
    )
    reading = ["convert", str(tmp_path / "wide.csv"), "--column-map", str(tmp_path / "map.yaml"), "-o"]
    assert main([*reading, str(tmp_path / "out.rdml")]) == 0
    assert "2 wells without a sample, 2 reactions without a dye" in " ".join(capsys.readouterr().out.split())
    again = read_run(tmp_path / "out.rdml")
    assert again.fluorescence.tolist() == [[c / 8 for c in range(1, 13)], [c / 4 for c in range(1, 13)]]
    assert again.reactions["sample_id"].to_pylist() == [None, None]


def test_hostile_names_do_not_reach_the_terminal_raw(tmp_path, capsys):
    path = tmp_path / "hostile.rdml"
    path.write_text(hostile_rdml(), encoding="utf-8")
    main(["convert", str(path), "-o", str(tmp_path / "\x1b[31mred.rdml")])
    told = capsys.readouterr()
    assert_harmless(told.out + told.err)


def test_the_command_runs_as_a_program(tmp_path):
    source = plate(tmp_path)
    result = subprocess.run(
        [sys.executable, "-m", "bcrabl", "convert", str(source), "-o", str(tmp_path / "out.rdml")],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert np.array_equal(read_run(tmp_path / "out.rdml").signal, simulated().signal)


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name",
    [
        "rdml/stepone_std.rdml",
        "rdml/lc96_bACTXY.rdml",
        "rdml/BioRad_qPCR_melt.rdml",
        "rdml14_untergasser_vermeulen/volume_machine.rdml",
        "eds_7500/sce.eds",
        "lc480_txt/Edward_qPCR_Nrd1_calibration_2019-02-02.txt.gz",
        "lc96p/run1-plate1.lc96p",
        "mxpro_txt/3000 - Instrument Data - Text Format 1.txt",
        "quantstudio_da1_xlsx/appbio_quantstudio_design_and_analysis_example15_v1.5.2.xlsx",
        "quantstudio_da2_xlsx/appbio_quantstudio_designandanalysis_QS5_Standard_Curve_4Plex_example03.xlsx",
        "quantstudio_flex_txt/appbio_quantstudio_example04.txt",
        "chai_json/xh-amp1.json",
    ],
)
def test_real_exports_come_back_from_valid_rdml(real_data, tmp_path, name):
    assert main(["convert", str(real_data(*name.split("/"))), "-o", str(tmp_path / "x.rdml")]) == 0
    assert violations(zipfile.ZipFile(tmp_path / "x.rdml").read("rdml_data.xml")) == []


def test_the_name_of_the_output_need_not_be_unicode(tmp_path):
    output = tmp_path / os.fsdecode(b"\xe4.parquet")
    assert main(["convert", str(plate(tmp_path)), "-o", str(output)]) == 0
    assert read_run(output).reactions.num_rows == ROWS
