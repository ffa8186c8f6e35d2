"""A protocol that pools curves looks back at the accepted runs before; a new plate changes no old one."""

from __future__ import annotations

import pytest
import yaml

from bcrabl.tables import STANDARD_CURVES, read_table

pytestmark = pytest.mark.workflow

FUSION = "BCR::ABL1"


def pools(laboratory, runs):
    """Let the EAC protocol pool with so many earlier runs."""
    path = laboratory.folder / "resources/standards/assays/eac.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["calibration"] = document.get("calibration", {}) | {"pooled_runs": runs}
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def curve_of(laboratory, run_id):
    table = read_table(laboratory.folder / f"results/standard_curves/site=LAB1/{run_id}.parquet", STANDARD_CURVES)
    return next(row for row in table.to_pylist() if row["target"] == FUSION)


def test_the_sixth_run_is_pooled_with_five_before_it_and_a_seventh_changes_none_of_them(make_laboratory):
    laboratory = make_laboratory()
    pools(laboratory, 5)
    for day in range(1, 7):
        laboratory.add_run(f"r{day}", seed=day, run_date=f"2026-03-0{day}")
    done = laboratory.run()
    assert done.returncode == 0, done.stderr
    assert [curve_of(laboratory, f"r{day}")["pooled_runs"] or 0 for day in range(1, 7)] == [0, 0, 0, 0, 0, 5]
    sixth = curve_of(laboratory, "r6")
    assert sixth["slope"] != sixth["own_slope"]
    before = laboratory.contents("results/standard_curves")
    laboratory.add_run("r7", seed=7, run_date="2026-03-07")
    done = laboratory.run()
    assert done.returncode == 0, done.stderr
    after = laboratory.contents("results/standard_curves")
    assert {name: after[name] for name in before} == before
    assert curve_of(laboratory, "r7")["pooled_runs"] == 5
    assert laboratory.planned() == []
