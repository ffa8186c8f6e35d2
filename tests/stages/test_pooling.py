"""Curves pooled with earlier runs: closer to the truth, never for a run that does not belong, whatever the batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import yaml
from test_batch import CONTROL, FACTOR, FUSION, SAMPLES, Laboratory

from bcrabl.review_sheet import ReviewEntry
from bcrabl.simulation import Sample, sample_plate
from bcrabl.stages.batch import ScoringFiles, score_batch
from bcrabl.stages.calibrate import calibrate
from bcrabl.stages.pooling import check_pooling, pool_calibrations
from bcrabl.standards import assay_path, load_assay, standards_folder

LEVELS = np.repeat([1e6, 1e5, 1e4, 1e3], 2)
INTERCEPT, SLOPE, REPEATABILITY, BETWEEN = 39.0, -3.35, 0.12, 0.03


@pytest.fixture(scope="module")
def pooling():
    return replace(load_assay(assay_path("eac")), pooled_runs=20)


def run_of_standards(rng, intercept=INTERCEPT, slope=SLOPE):
    """Standards of both targets on lines of this run."""
    rows = []
    for target in (FUSION, CONTROL):
        cq = intercept + slope * np.log10(LEVELS) + rng.normal(0, REPEATABILITY, len(LEVELS))
        rows += [
            {
                "target": target,
                "role": "std",
                "well": f"{target}{place}",
                "known_copies": float(level),
                "call": "amplified",
                "why": "",
                "cq": float(each),
                "excluded_why": None,
            }
            for place, (level, each) in enumerate(zip(LEVELS, cq, strict=True))
        ]
    return rows


def runs_alike(rng, number, assay):
    return [calibrate(run_of_standards(rng, INTERCEPT + rng.normal(0, BETWEEN)), assay) for _ in range(number)]


def test_pooled_curves_lie_nearer_to_the_truth_than_curves_of_one_run(pooling):
    rng = np.random.default_rng(3)
    alone, together = [], []
    for _ in range(60):
        level = INTERCEPT + rng.normal(0, BETWEEN)
        own = calibrate(run_of_standards(rng, level), pooling)
        pooled = pool_calibrations(own, runs_alike(rng, 20, pooling), pooling)[FUSION]
        if pooled.pooled:
            truth = np.log10(100.0)
            alone.append(own[FUSION].curve.intercept + own[FUSION].curve.slope * truth - level - SLOPE * truth)
            together.append(pooled.curve.intercept + pooled.curve.slope * truth - level - SLOPE * truth)
    assert len(together) >= 55  # 1 % are expected not to belong
    assert np.std(together) < 0.6 * np.std(alone)


def test_a_run_that_does_not_belong_keeps_its_own_curve_and_says_so(pooling):
    rng = np.random.default_rng(4)
    own = calibrate(run_of_standards(rng, INTERCEPT + 1.5), pooling)
    pooled = pool_calibrations(own, runs_alike(rng, 20, pooling), pooling)
    assert pooled[FUSION].curve is own[FUSION].curve
    assert not pooled[FUSION].pooled
    warned = {check.target: check for check in check_pooling(pooled, pooling)}
    assert warned[FUSION].outcome == "warn"
    assert "against 20 earlier ones: does not belong to them and keeps its own curve" in warned[FUSION].message
    row = pooled[FUSION].as_row("R1", True, "")
    assert (row["slope"], row["pooled_runs"]) == (row["own_slope"], 20)


def test_acceptance_looks_at_the_run_s_own_curve(pooling):
    rng = np.random.default_rng(5)
    own = calibrate(run_of_standards(rng), pooling)
    pooled = pool_calibrations(own, runs_alike(rng, 20, pooling), pooling)[FUSION]
    row = pooled.as_row("R1", True, "")
    assert pooled.pooled
    assert pooled.own_curve is own[FUSION].curve
    assert (row["own_slope"], row["own_intercept"]) == (own[FUSION].curve.slope, own[FUSION].curve.intercept)
    assert row["slope"] != row["own_slope"]
    assert row["pooling_p"] >= 0.01


@pytest.mark.parametrize("earlier", [0, 4])
def test_fewer_than_five_earlier_runs_are_not_pooled(earlier, pooling):
    rng = np.random.default_rng(6)
    own = calibrate(run_of_standards(rng), pooling)
    pooled = pool_calibrations(own, runs_alike(rng, earlier, pooling), pooling)
    assert pooled == own
    checks = check_pooling(pooled, pooling)
    assert {(check.target, check.outcome) for check in checks} == {(FUSION, "pass"), (CONTROL, "pass")}
    assert all("fewer than 5 accepted runs like it" in check.message for check in checks)


def test_without_the_setting_nothing_is_pooled_and_nothing_is_said(pooling):
    rng = np.random.default_rng(8)
    alone = replace(pooling, pooled_runs=0)
    own = calibrate(run_of_standards(rng), alone)
    found = pool_calibrations(own, runs_alike(rng, 9, alone), alone)
    assert found == own
    assert check_pooling(found, alone) == []


def test_only_the_last_runs_are_looked_at(pooling):
    rng = np.random.default_rng(7)
    own, before = calibrate(run_of_standards(rng), pooling), runs_alike(rng, 9, pooling)
    far = [calibrate(run_of_standards(rng, INTERCEPT + 5), pooling) for _ in range(5)]
    nine = pool_calibrations(own, [*far, *before], replace(pooling, pooled_runs=9))[FUSION]
    assert nine.pooling.runs == 9
    assert nine.curve.intercept == pool_calibrations(own, before, pooling)[FUSION].curve.intercept


# -- batches ----------------------------------------------------------------------------------------------------------

PLATE = sample_plate([Sample("LOW", 60, 60_000)])
RUNS = 7


class PoolingLaboratory(Laboratory):
    """A laboratory whose protocol looks back at six runs."""

    @property
    def protocol(self):
        document = yaml.safe_load(assay_path("eac").read_text(encoding="utf-8")) | {"calibration": {"pooled_runs": 6}}
        path = self.folder / "eac.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return str(path)

    def score_runs(self, runs, earlier=(), exclusions=()):
        samples = self.folder / "samples.tsv"
        samples.write_text(SAMPLES, encoding="utf-8")
        paths = self.paths
        files = ScoringFiles(
            paths["curves"],
            paths["cq"],
            paths["refused"],
            [self.protocol],
            str(standards_folder() / "molecular_response.yaml"),
            str(samples),
            (FACTOR,),
            earlier,
            exclusions,
        )
        score_batch(runs, files, paths)
        return {(row["run_id"], row["target"]): row for row in self.rows("standard_curves")}


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Seven runs on seven days, read and analysed."""
    lab = PoolingLaboratory(tmp_path_factory.mktemp("history"))
    for number in range(RUNS):
        lab.run(f"R{number}", PLATE, seed=100 + number, run_date=f"2026-03-{number + 2:02d}")
    lab.analyse()
    return lab


def test_a_run_is_pooled_with_those_before_it_and_with_no_later_one(history):
    rows = history.score_runs(history.runs)
    assert [rows[f"R{number}", FUSION]["pooled_runs"] for number in range(RUNS)] == [0, 0, 0, 0, 0, 5, 6]
    last = rows["R6", FUSION]
    assert last["slope"] != last["own_slope"] or last["pooling_p"] < 0.01
    assert rows["R4", FUSION]["slope"] == rows["R4", FUSION]["own_slope"]


def test_pooling_gives_the_same_whatever_the_order_and_the_batch(history):
    whole = history.score_runs(history.runs)
    assert history.score_runs(history.runs[::-1]) == whole
    paths = history.paths
    others = [(run, paths["curves"], paths["cq"]) for run in history.runs[:-1]]
    apart = PoolingLaboratory(history.folder / "apart")
    apart.folder.mkdir(exist_ok=True)
    apart.runs = history.runs[-1:]
    apart.analyse()
    alone = apart.score_runs(apart.runs, others)
    assert alone["R6", FUSION] == whole["R6", FUSION]
    assert alone["R6", CONTROL] == whole["R6", CONTROL]


def test_runs_of_another_instrument_and_runs_that_failed_are_not_pooled(tmp_path):
    lab = PoolingLaboratory(tmp_path)
    contaminated = sample_plate([Sample("LOW", 60, 60_000)], ntc_copies=50)
    for number in range(RUNS):
        plate = contaminated if number == 1 else PLATE
        lab.run(f"R{number}", plate, seed=100 + number, run_date=f"2026-03-{number + 2:02d}")
    lab.runs[0] = replace(lab.runs[0], instrument="another")
    lab.analyse()
    rows = lab.score_runs(lab.runs)
    assert rows["R6", FUSION]["pooled_runs"] == 0  # four are like it, and five are needed
    assert lab.status("R1")["outcome"] == "failed"


def test_a_review_of_an_earlier_run_changes_the_curve_pooled_with_it_and_what_was_before_is_its_own(history):
    without = history.score_runs(history.runs)
    well = without["R3", FUSION]["points_used"][0]
    entry = ReviewEntry("R3", well, "exclude", "bubble", "op17", "2026-03-20T10:00:00Z")
    rows = history.score_runs(history.runs, exclusions=[entry])
    assert rows["R3", FUSION]["slope"] != rows["R3", FUSION]["slope_before_review"] == without["R3", FUSION]["slope"]
    assert rows["R6", FUSION]["slope"] != without["R6", FUSION]["slope"]
    assert rows["R6", FUSION]["slope_before_review"] is None
    assert rows["R2", FUSION] == without["R2", FUSION]


def test_a_run_with_an_entry_about_a_well_it_does_not_have_is_not_pooled_until_that_is_mended(history):
    entry = ReviewEntry("R3", "P24", "exclude", "bubble", "op17", "2026-03-20T10:00:00Z")
    assert history.score_runs(history.runs, exclusions=[entry])["R6", FUSION]["pooled_runs"] == 5
