"""`bcrabl inspect`: what it tells of simulated runs, of refused files, and of files that mean harm."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from cli_builders import CYCLES, EVIL, ROWS, assert_harmless, hostile_rdml, plate, run_of, simulated

from bcrabl.cli import inspect as command
from bcrabl.cli.facts import facts_of
from bcrabl.cli.main import COMMANDS, main
from bcrabl.formats import FORMATS, write_rdml
from bcrabl.formats.refusals import REFUSALS
from bcrabl.formats.source import Refusal


def facts(path, capsys) -> dict[str, object]:
    assert main(["inspect", "--json", str(path)]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    return one


def test_a_plate_is_told_as_it_was_simulated(tmp_path, capsys):
    path = plate(tmp_path)
    told = facts(path, capsys)
    assert (told["file"], told["read"], told["format"]) == (str(path), True, "RDML 1.3")
    assert (told["wells"], told["reactions"], told["samples"]) == (ROWS, ROWS, 14)
    assert (told["cycles"], told["first_cycle"], told["last_cycle"]) == (CYCLES, 1, CYCLES)
    assert told["roles"] == {"unkn": 8, "std": 20, "ntc": 4, "pos": 4}
    assert told["vendor_cq"] == {"reported": 0, "none": 0, "not_stated": ROWS}
    assert (told["omitted"], told["missing_readings"], told["warnings"]) == (0, 0, [])
    assert (told["stage"], told["passive_reference"]) == ("raw", True)
    assert told["run_date"] == "2026-02-03"
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_each_target_has_its_dye_and_standards(tmp_path, capsys):
    control, fusion = facts(plate(tmp_path), capsys)["targets"]
    assert (control["target"], fusion["target"]) == ("ABL1", "BCR::ABL1")
    assert control["dyes"] == ["FAM"]
    assert (control["reactions"], fusion["reactions"]) == (16, 20)
    levels = [(one["known_copies"], one["replicates"]) for one in fusion["standards"]]
    assert levels == [(1e6, 2), (1e5, 2), (1e4, 2), (1e3, 2), (100, 2), (10, 2)]
    assert fusion["roles"] == {"unkn": 4, "std": 12, "ntc": 2, "pos": 2}


def test_what_the_vendor_said_is_counted():
    run = run_of(
        {"vendor_cq": 20.0, "vendor_threshold": 0.2},
        {"vendor_cq_text": "Undetermined", "vendor_omitted": True},
        {"role": "std", "vendor_quantity": 0.5, "vendor_quantity_unit": "ng"},
    )
    run.fluorescence[0, 3] = float("nan")
    told = facts_of("x", run)
    (target,) = told["targets"]
    assert told["vendor_cq"] == target["vendor_cq"] == {"reported": 1, "none": 1, "not_stated": 1}
    assert (told["omitted"], target["omitted"]) == (1, 1)
    assert (told["missing_readings"], target["missing_readings"]) == (1, 1)
    assert target["thresholds"] == [0.2]
    assert target["standards"] == [{"known_copies": None, "quantity": 0.5, "unit": "ng", "replicates": 1}]


def test_a_reading_without_its_passive_reference_is_missing():
    run = run_of({}, {})
    passive = np.ones_like(run.fluorescence)
    passive[1, 2:4] = 0.0
    told = facts_of("x", replace(run, passive_reference=passive))
    assert told["missing_readings"] == 2


def test_a_shorter_part_has_no_missing_readings_for_the_cycles_of_another():
    run = run_of({"part": "long"}, {"part": "short"})
    run.fluorescence[1, 8:] = float("nan")
    told = facts_of("x", run)
    assert told["missing_readings"] == 0
    assert [(part["part"], part["cycles"]) for part in told["parts"]] == [("long", 12), ("short", 8)]


def test_the_page_for_people_fits_the_terminal(tmp_path, capsys):
    assert main(["inspect", str(plate(tmp_path))]) == 0
    shown = capsys.readouterr().out
    assert max(len(line) for line in shown.splitlines()) <= 100
    assert f"{ROWS} wells, 2 targets, {CYCLES} cycles (1–{CYCLES}); {ROWS} curves of 14 samples" in shown
    assert "8 unkn, 20 std, 4 ntc, 4 pos" in shown
    assert "standards of ABL1 (copies × replicates): 1000000 × 2, 100000 × 2, 10000 × 2, 1000 × 2" in shown
    assert "\x1b" not in shown


def test_a_refused_file_does_not_hide_the_others(tmp_path, capsys):
    bad = tmp_path / "letter.txt"
    bad.write_text("Dear colleague,\n")
    assert main(["inspect", str(bad), str(tmp_path / "nowhere"), str(plate(tmp_path))]) == 1
    told = capsys.readouterr()
    assert "plate.rdml" in told.out
    assert "letter.txt: found a file that begins" in told.err
    assert "nowhere: found no such file" in told.err


def test_a_refused_file_has_its_reason_in_json(tmp_path, capsys):
    bad = tmp_path / "letter.txt"
    bad.write_text("Dear colleague,\n")
    assert main(["inspect", "--json", str(bad), str(plate(tmp_path))]) == 1
    refused, read = json.loads(capsys.readouterr().out)
    assert (refused["read"], read["read"]) == (False, True)
    assert refused["error"] == "FormatNotRecognised"
    assert refused["problems"][0]["where"] == str(bad)


@pytest.mark.parametrize(
    "arguments", [["inspect"], ["inspect", "--formats", "x"], ["inspect", "--colour", "x"], [], ["x"]]
)
def test_a_wrong_call_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: bcrabl" in capsys.readouterr().err


def test_a_part_can_be_chosen(tmp_path, capsys):
    write_rdml(run_of({"part": "first"}, {"part": "second"}), tmp_path / "x.rdml")
    assert len(facts(tmp_path / "x.rdml", capsys)["parts"]) == 2
    assert main(["inspect", "--json", "--part", "second", str(tmp_path / "x.rdml")]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert [part["part"] for part in told["parts"]] == ["second"]


def test_options_of_reading_are_handed_on_only_when_given(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("bcrabl.formats.read_run", lambda path, **options: asked.append(options) or simulated())
    main(["inspect", "x"])
    main(["inspect", "x", "--part", "p", "--column-map", "map.yaml"])
    assert asked == [{}, {"part": "p", "column_map": "map.yaml"}]


@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_names_of_a_hostile_file_do_not_reach_the_terminal_raw(tmp_path, capsys, json_option):
    path = tmp_path / "hostile.rdml"
    path.write_text(hostile_rdml(), encoding="utf-8")
    assert main(["inspect", str(path), *json_option]) == 0
    shown = capsys.readouterr()
    assert_harmless(shown.out + shown.err)
    if not json_option:
        assert max(len(line) for line in shown.out.splitlines()) <= 100
        assert len(shown.out) < 5_000


def test_json_keeps_hostile_names_whole(tmp_path, capsys):
    path = tmp_path / "hostile.rdml"
    path.write_text(hostile_rdml(), encoding="utf-8")
    names = {target["target"] for target in facts(path, capsys)["targets"]}
    assert names == {"\x9b31m\u202egnp.exe\nnext line", "L" * 50_000}


def test_hostile_content_of_a_refused_file_and_its_name_are_harmless(tmp_path, capsys):
    path = tmp_path / f"evil{EVIL.replace('/', '')}.txt"
    path.write_text(EVIL + "x" * 10_000)
    assert main(["inspect", str(path)]) == 1
    told = capsys.readouterr()
    assert_harmless(told.err + told.out)
    assert len(told.err) < 20_000


def test_metadata_and_warnings_of_a_run_are_harmless(capsys, monkeypatch):
    metadata = dict.fromkeys(("format", "vendor", "instrument", "block", "software", "run_date", "sha256"), EVIL)
    run = run_of({"target": EVIL, "dye": EVIL, "part": EVIL}, metadata={**metadata, "warnings": (EVIL,)})
    monkeypatch.setattr("bcrabl.formats.read_run", lambda path: run)
    assert main(["inspect", EVIL]) == 0
    assert_harmless(capsys.readouterr().out)


def test_a_folder_is_a_run(tmp_path, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    assert main(["inspect", str(folder)]) == 1
    assert "a folder without any file" in capsys.readouterr().err


def test_every_format_and_refusal_is_listed(capsys, monkeypatch):
    refusal = Refusal("a locked document", "Export it as text.", lambda source: False)
    monkeypatch.setattr("bcrabl.formats.refusals.REFUSALS", (*REFUSALS, refusal))
    assert main(["inspect", "--formats"]) == 0
    shown = capsys.readouterr().out
    flowing = " ".join(shown.split())
    for one in FORMATS:
        assert " ".join(one.name.split()) in flowing
        assert " ".join(one.export.split()) in flowing
        assert " ".join(one.reservation.split()) in flowing
    assert "a locked document Export it as text." in flowing
    assert max(len(line) for line in shown.splitlines()) <= 100


def test_the_formats_are_there_as_json(capsys):
    assert main(["inspect", "--formats", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed["read"]] == [one.name for one in FORMATS]
    assert all(set(one) == {"found", "remedy"} for one in listed["refused"])


def test_the_documented_keys_are_the_keys(tmp_path, capsys):
    told = facts(plate(tmp_path), capsys)
    documented = sys.modules["bcrabl.cli.facts"].__doc__
    missing = [name for name in told if name not in documented and name not in _BETWEEN_FORMAT_AND_SHA256]
    assert missing == []


_BETWEEN_FORMAT_AND_SHA256 = (
    *("vendor", "instrument", "instrument_serial_number", "block", "software", "cq_detection_method"),
)


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert all(one.name in shown for one in COMMANDS)
    assert command.COMMAND in COMMANDS


def test_help_loads_nothing_heavy():
    program = (
        "import sys\nfrom bcrabl.cli import main\nheavy = {'numpy', 'pyarrow', 'scipy', 'bcrabl.formats', 'jinja2'}"
    )
    result = subprocess.run(
        [sys.executable, "-c", f"{program}\nprint(sorted(heavy & set(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "[]"


def test_the_command_does_not_pay_for_pandas(tmp_path):
    program = f"""
import sys
from bcrabl.cli.main import main
sys.argv = ["bcrabl", "inspect", {str(plate(tmp_path))!r}]
main()
assert "pyarrow" in sys.modules and "pandas" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)


def test_the_command_runs_as_a_module(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "bcrabl", "inspect", "--json", str(plate(tmp_path))],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)[0]["wells"] == ROWS


def test_a_terminal_of_few_signs_ends_nothing(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "bcrabl", "inspect", str(plate(tmp_path))],
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path)},
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"1000000 \\xd7 2" in result.stdout


def test_a_reader_that_leaves_early_ends_nothing_loudly(tmp_path):
    path = str(plate(tmp_path))
    program = f"{sys.executable} -m bcrabl inspect {' '.join([path] * 3)} | true"
    result = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.real_data
def test_a_real_export_is_told_as_it_is(real_data, capsys):
    told = facts(real_data("rdml", "stepone_std.rdml"), capsys)
    assert (told["wells"], told["cycles"], told["run_date"]) == (24, 40, "2006-11-10")
    assert told["roles"] == {"unkn": 6, "std": 15, "ntc": 3}
    (target,) = told["targets"]
    assert [one["known_copies"] for one in target["standards"]] == [10000, 5000, 2500, 1250, 625]
    assert target["vendor_cq"] == {"reported": 21, "none": 3, "not_stated": 0}
