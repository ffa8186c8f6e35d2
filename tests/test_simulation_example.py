"""The example that ships with the workflow is what its seed gives, says what it is, and holds what it promises."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bcrabl.sheets import load_conversion_factors, load_layout, load_runs, load_samples
from bcrabl.simulation import example as shipped

if TYPE_CHECKING:
    from bcrabl.run import Run

ROOT = Path(__file__).parents[1]
SHEETS = (
    "resources/example/truth.tsv",
    "config/runs.tsv",
    "config/samples.tsv",
    "config/conversion_factors.tsv",
    "config/layouts/demo-2.tsv",
)


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("example")
    shipped.write_example(folder)
    return folder


def table(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines[1:]]


def by_reaction(run: Run) -> Run:
    rows = run.reactions.to_pylist()
    return run.select(np.array(sorted(range(len(rows)), key=lambda row: (rows[row]["well"], rows[row]["target"]))))


@pytest.mark.parametrize("sheet", SHEETS)
def test_the_committed_sheet_is_what_the_seed_gives(rewritten, sheet):
    assert (rewritten / sheet).read_text(encoding="utf-8") == (ROOT / sheet).read_text(encoding="utf-8")


@pytest.mark.parametrize("sheet", SHEETS)
def test_every_sheet_says_that_it_is_simulated(sheet):
    assert (ROOT / sheet).read_text(encoding="utf-8").startswith("# simulated")


def test_the_workflow_reads_every_sheet():
    runs = load_runs(ROOT / "config/runs.tsv")
    assert [run.run_id for run in runs] == list(shipped.RUN_DATES)
    assert {run.site for run in runs} == {shipped.SITE}
    assert set(load_samples(ROOT / "config/samples.tsv")) == {one.sample_id for one in shipped.SPECIMENS}
    (factor,) = load_conversion_factors(ROOT / "config/conversion_factors.tsv")
    assert (factor.factor, factor.factor_low, factor.factor_high) == (0.85, 0.76, 0.95)
    assert all(factor.valid_from <= run.run_date <= factor.valid_to for run in runs)
    assert len(load_layout(ROOT / runs[1].layout)) == 2


@pytest.mark.parametrize("run_id", list(shipped.RUN_DATES))
def test_the_committed_run_is_what_the_seed_gives(rewritten, run_id):
    from bcrabl.formats import read_run

    name = f"resources/example/{run_id}.rdml"
    here, there = by_reaction(read_run(ROOT / name)), by_reaction(read_run(rewritten / name))
    assert here.reactions.equals(there.reactions)
    # another processor may round the last of six digits the other way
    np.testing.assert_allclose(here.fluorescence, there.fluorescence, rtol=1.1e-5)
    np.testing.assert_allclose(here.signal, there.signal, rtol=2.2e-5)


def test_writing_the_example_twice_gives_the_same_bytes(rewritten, tmp_path):
    shipped.write_example(tmp_path)
    for path in sorted(path for path in rewritten.rglob("*") if path.is_file()):
        assert path.read_bytes() == (tmp_path / path.relative_to(rewritten)).read_bytes(), path.name


@pytest.mark.parametrize("run_id", list(shipped.RUN_DATES))
def test_the_export_holds_what_was_simulated(rewritten, run_id):
    from bcrabl.formats import read_run

    read = by_reaction(read_run(rewritten / f"resources/example/{run_id}.rdml"))
    simulated = by_reaction(shipped.exported(shipped.simulate_example(run_id), run_id))
    for column in ("well", "target", "dye", "role", "sample_id", "known_copies"):
        assert read.reactions[column].to_pylist() == simulated.reactions[column].to_pylist(), column
    np.testing.assert_allclose(read.signal, simulated.signal, rtol=1e-9)


@pytest.mark.parametrize("run_id", list(shipped.RUN_DATES))
def test_a_shipped_run_is_small(run_id):
    assert (ROOT / f"resources/example/{run_id}.rdml").stat().st_size < 600_000


def test_the_layout_sheet_puts_the_misnamed_wells_right():
    true = shipped.simulate_example("demo-2")
    told = shipped.exported(true, "demo-2").reactions.to_pylist()
    rows = true.reactions.to_pylist()
    differ = {row["well"] for row, other in zip(rows, told, strict=True) if row != other}
    layout = {row["well"]: row["sample_id"] for row in table(ROOT / "config/layouts/demo-2.tsv")}
    assert differ == set(layout) == set(shipped.misnamed_wells(true))
    assert layout == {row["well"]: row["sample_id"] for row in rows if row["well"] in differ}


def test_truth_is_the_international_scale_the_specimens_were_made_of():
    truth = {row["sample_id"]: row for row in table(ROOT / "resources/example/truth.tsv")}
    for specimen in shipped.SPECIMENS:
        row = truth[specimen.sample_id]
        if specimen.transcript == "e1a2":
            assert row["is_percent"] == ""
        else:
            assert float(row["is_percent"]) == pytest.approx(specimen.is_percent, rel=1e-5)
            ratio = 100 * float(row["bcr_abl_copies"]) / float(row["control_copies"])
            assert ratio * shipped.CONVERSION_FACTOR == pytest.approx(specimen.is_percent, rel=1e-4)


def test_the_failing_run_and_the_poor_sample_must_be_repeated():
    rows = table(ROOT / "resources/example/truth.tsv")
    patients = [row for row in rows if row["must_be"] != "control"]
    repeat = {row["sample_id"] for row in patients if row["must_be"] == "repeat"}
    failing = {row["sample_id"] for row in patients if row["run_id"] == "demo-3"}
    assert repeat == failing | {"SIM-016"}
    assert {row["must_be"] for row in patients} == {"report", "report|review", "repeat"}


def test_undetected_samples_reach_at_least_mr4_5_and_some_mr5():
    sums = [2 * one.control_copies for one in shipped.SPECIMENS if one.is_percent == 0 and one.sample_id != "SIM-016"]
    assert min(sums) >= 32_000
    assert sum(total >= 100_000 for total in sums) >= 3


def test_patients_are_followed_over_the_runs_and_controls_stand_on_each():
    runs_of: dict[str, set[str]] = {}
    for one in shipped.SPECIMENS:
        runs_of.setdefault(one.patient_id, set()).add(one.run_id)
    assert sum(len(runs) == 3 for runs in runs_of.values()) >= 3
    for run_id in shipped.RUN_DATES:
        roles = {reaction.sample_id for reaction in shipped.plate_of(run_id) if reaction.role == "pos"}
        assert roles == {"SIM-HIGH", "SIM-LOW"}
