"""The two jobs of a batch on simulated plates: what a laboratory gets, and that a bad run costs the others nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pytest

from bcrabl.formats import write_rdml
from bcrabl.sheets import ConversionFactorRow, RunRow
from bcrabl.simulation import Optics, Reaction, Sample, sample_plate, simulate_run
from bcrabl.stages.batch import ScoringFiles, analyse_batch, score_batch
from bcrabl.standards import assay_path, standards_folder
from bcrabl.tables import COPIES, CQ, CURVES, QC, RESULTS, STANDARD_CURVES, read_table

FUSION, CONTROL = "BCR::ABL1", "ABL1"
TABLES = {"standard_curves": STANDARD_CURVES, "copies": COPIES, "results": RESULTS, "qc": QC}
FACTOR = ConversionFactorRow("LAB1", "eac", CONTROL, 0.85, "2026-01-01", "exchange", None, 0.76, 0.95)
SAMPLES = "sample_id\tpatient_id\ttranscript\nHIGH\tP1\te14a2\nLOW\tP2\te13a2\nNEG\tP3\te14a2\nE1A2\tP4\te1a2\n"
PATIENTS = (
    Sample("HIGH", 5000, 50_000),  # 10 % local
    Sample("LOW", 60, 60_000),  # 0.1 %
    Sample("NEG", 0, 60_000),
    Sample("E1A2", 500, 50_000),
)


@dataclass
class Laboratory:
    """A folder with raw files; `run` adds one, `work` does both jobs of the batch."""

    folder: Path
    factors: tuple[ConversionFactorRow, ...] = (FACTOR,)
    runs: list[RunRow] = field(default_factory=list)

    def run(self, run_id, plate=None, *, columns=None, seed=51, run_date="2026-03-02", optics=None, **row):
        simulated = simulate_run(plate or sample_plate(PATIENTS), seed=seed, run_date=run_date, optics=optics)
        for name, change in (columns or {}).items():
            index = simulated.reactions.schema.get_field_index(name)
            values = [change(each) for each in simulated.reactions.to_pylist()]
            column = pa.array(values, type=simulated.reactions.schema.field(index).type)
            reactions = simulated.reactions.set_column(index, simulated.reactions.schema.field(index), column)
            simulated = replace(simulated, reactions=reactions)
        raw = self.folder / f"{run_id}.rdml"
        write_rdml(simulated, raw)
        self.runs.append(RunRow(run_id, "LAB1", str(raw), "eac", "B1", **row))
        return raw

    @property
    def paths(self):
        names = {"curves": "parquet", "cq": "parquet", "refused": "json", "status": "json"} | dict.fromkeys(
            TABLES, "parquet"
        )
        return {name: str(self.folder / "results" / f"{name}.{suffix}") for name, suffix in names.items()}

    def analyse(self):
        analyse_batch(self.runs, [str(assay_path("eac"))], self.paths)

    def score(self):
        samples = self.folder / "samples.tsv"
        samples.write_text(SAMPLES, encoding="utf-8")
        files = ScoringFiles(
            self.paths["curves"],
            self.paths["cq"],
            self.paths["refused"],
            [str(assay_path("eac"))],
            str(standards_folder() / "molecular_response.yaml"),
            str(samples),
            self.factors,
        )
        score_batch(self.runs, files, self.paths)

    def work(self):
        self.analyse()
        self.score()
        return self

    def rows(self, name, run_id=None):
        kind = TABLES | {"curves": CURVES, "cq": CQ}
        rows = read_table(self.paths[name], kind[name]).to_pylist()
        return [row for row in rows if run_id in (None, row["run_id"])]

    def sample(self, sample_id, run_id=None):
        (row,) = [row for row in self.rows("results", run_id) if row["sample_id"] == sample_id]
        return row

    def failures(self, run_id=None):
        return {row["check"]: row["message"] for row in self.rows("qc", run_id) if row["outcome"] == "fail"}

    def status(self, run_id):
        runs = json.loads(Path(self.paths["status"]).read_text(encoding="utf-8"))["runs"]
        (row,) = [run for run in runs if run["run_id"] == run_id]
        return row

    def tables(self):
        return {name: Path(self.paths[name]).read_bytes() for name in ("curves", "cq", *TABLES)}


@pytest.fixture
def laboratory(tmp_path):
    return Laboratory(tmp_path)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A batch of one good run, worked through."""
    lab = Laboratory(tmp_path_factory.mktemp("good"))
    lab.run("R1")
    return lab.work()


def plate_without(*, role=None, target=None, sample_id=None):
    """The usual plate less some of its reactions."""
    return [
        reaction
        for reaction in sample_plate(PATIENTS)
        if not (
            role in (None, reaction.role)
            and target in (None, reaction.target)
            and sample_id in (None, reaction.sample_id)
        )
    ]


# -- a good run -------------------------------------------------------------------------------------------------------


def test_a_good_run_is_accepted_and_nothing_fails(good):
    assert good.failures() == {}
    assert good.status("R1")["outcome"] == "accepted"
    assert good.status("R1")["samples"] == {"report": 3, "review": 1, "repeat": 0}
    assert {row["accepted"] for row in good.rows("standard_curves")} == {True}
    assert len(good.status("R1")["raw_sha256"]) == 64
    assert good.status("R1")["run_date"] == "2026-03-02"


@pytest.mark.parametrize(("sample_id", "ratio"), [("HIGH", 10.0), ("LOW", 0.1), ("E1A2", 1.0)])
def test_the_true_ratio_lies_in_the_interval_of_its_sample(good, sample_id, ratio):
    row = good.sample(sample_id)
    assert row["ratio_low"] < ratio < row["ratio_high"]
    assert row["ratio_percent"] == pytest.approx(ratio, rel=0.35)


def test_a_sample_without_template_is_undetected_with_its_sensitivity(good):
    row = good.sample("NEG")
    assert (row["detected"], row["is_percent"], row["outcome"]) == (False, 0.0, "report")
    assert row["control_copies"] == pytest.approx(120_000, rel=0.25)
    expected = "MR5" if row["control_copies"] >= 100_000 else "MR4.5"
    assert (row["response_class"], row["sensitivity_class"]) == (expected, expected)
    three_copies = 0.85 * 100 * 2.9957 / row["control_copies"]
    assert three_copies < row["is_high"] < 1.1 * three_copies  # control gene and factor are uncertain
    assert row["excluded_percent"] == pytest.approx(three_copies, rel=0.002)
    assert row["excluded_mr"] < row["sensitivity_mr"]


def test_every_result_on_the_scale_carries_the_probability_of_each_class(good):
    for name in ("HIGH", "LOW", "NEG"):
        row = good.sample(name)
        chances = dict(row["class_probabilities"])
        assert list(chances) == ["none", "MR2", "MR3", "MR4", "MR4.5", "MR5"]
        assert sum(chances.values()) == pytest.approx(1)
        assert max(chances, key=chances.get) == (row["response_class"] or "none")
    assert good.sample("E1A2")["class_probabilities"] is None


def test_a_curve_carries_its_weighting_and_the_tests_of_its_line(good):
    for row in good.rows("standard_curves"):
        assert row["weighting"] == "poisson"
        assert 0 < row["degrees_of_freedom"] <= row["points"] - 2
        assert 0 <= row["lack_of_fit_p"] <= 1
        assert 0 <= row["linearity_p"] <= 1
        assert (row["outlying_standards"], row["missed_standards"]) == ([], [])
    checks = {(row["check"], row["target"]): row["outcome"] for row in good.rows("qc")}
    for check in ("lack_of_fit", "linearity"):
        assert {checks[check, target] for target in (FUSION, CONTROL)} == {"pass"}
    assert checks["parallelism", None] == "pass"


def test_an_e1a2_sample_has_a_ratio_but_no_is_and_no_class(good):
    row = good.sample("E1A2")
    assert row["ratio_percent"] > 0
    assert (row["is_percent"], row["is_low"], row["is_high"]) == (None, None, None)
    assert (row["response_class"], row["sensitivity_class"], row["conversion_factor"]) == (None, None, None)
    assert row["flags"] == ["not_on_international_scale"]
    assert row["outcome"] == "review"


def test_the_factor_of_the_run_date_is_used_and_named(good):
    row = good.sample("HIGH")
    assert row["conversion_factor_id"] == "LAB1/eac/ABL1/2026-01-01"
    assert row["is_percent"] == pytest.approx(0.85 * row["ratio_percent"])


def test_working_twice_gives_the_same_bytes(good, laboratory):
    laboratory.run("R1")
    first = laboratory.work().tables()
    assert laboratory.work().tables() == first
    same_but_path = {name: good.tables()[name] for name in ("cq", *TABLES)}
    assert {name: first[name] for name in same_but_path} == same_but_path


# -- conversion factor ------------------------------------------------------------------------------------------------


def test_without_a_factor_for_the_day_the_is_is_null_and_flagged(laboratory):
    laboratory.run("R1", run_date="2025-12-31")
    row = laboratory.work().sample("HIGH")
    assert row["ratio_percent"] == pytest.approx(10, rel=0.35)
    assert (row["is_percent"], row["response_class"], row["conversion_factor"]) == (None, None, None)
    assert "no_valid_conversion_factor" in row["flags"]
    assert row["outcome"] == "review"


# -- layout -----------------------------------------------------------------------------------------------------------


def test_a_layout_sheet_puts_exchanged_samples_right_and_the_contradiction_is_kept(laboratory):
    wells = {row.well: row.sample_id for row in sample_plate(PATIENTS) if row.sample_id in ("HIGH", "LOW")}
    swapped = {"HIGH": "LOW", "LOW": "HIGH"}
    layout = laboratory.folder / "layout.tsv"
    body = "".join(
        f"{row.well}\t{row.target}\t{row.sample_id}\n" for row in sample_plate(PATIENTS) if row.well in wells
    )
    layout.write_text(f"well\ttarget\tsample_id\n{body}", encoding="utf-8")
    columns = {"sample_id": lambda row: swapped.get(row["sample_id"], row["sample_id"])}
    laboratory.run("R1", columns=columns, layout=str(layout))
    laboratory.work()
    assert laboratory.sample("HIGH")["ratio_percent"] == pytest.approx(10, rel=0.35)
    notes = [row for row in laboratory.rows("qc") if row["check"] == "layout_contradiction"]
    assert {row["well"] for row in notes} == set(wells)
    assert {row["message"] for row in notes} == {
        "sample_id: export HIGH, layout LOW; the layout sheet was followed",
        "sample_id: export LOW, layout HIGH; the layout sheet was followed",
    }


def test_a_layout_that_names_a_missing_well_refuses_the_run_with_the_reason(laboratory):
    layout = laboratory.folder / "layout.tsv"
    layout.write_text(f"well\ttarget\tsample_id\nH12\t{FUSION}\tS1\n", encoding="utf-8")
    laboratory.run("R1", layout=str(layout))
    laboratory.work()
    assert "well H12: found target BCR::ABL1" in laboratory.failures()["run_refused"]
    assert laboratory.status("R1")["outcome"] == "refused"


# -- runs that fail ---------------------------------------------------------------------------------------------------


def test_a_contaminated_water_fails_the_run_and_every_sample_is_repeated(laboratory):
    laboratory.run("R1", sample_plate(PATIENTS, ntc_copies=50))
    laboratory.work()
    assert laboratory.failures()["blanks"] == "blanks: 2 amplified; allowed: at most 0"
    assert laboratory.status("R1")["outcome"] == "failed"
    assert laboratory.status("R1")["samples"] == {"report": 0, "review": 0, "repeat": 4}
    assert all("run_failed" in row["flags"] for row in laboratory.rows("results"))
    accepted = {row["target"]: row["accepted"] for row in laboratory.rows("standard_curves")}
    assert accepted == {FUSION: False, CONTROL: True}


@pytest.mark.parametrize(
    ("plate", "message"),
    [
        (
            plate_without(role="std", target=FUSION),
            "standards of BCR::ABL1: found none; expected standards of at least",
        ),
        (plate_without(target=FUSION), "standards of BCR::ABL1: found no reaction of this target"),
        (sample_plate(PATIENTS, bcr_abl_standards=(1e4,), replicates=3), "one level only (10000 copies)"),
    ],
    ids=["no standards", "no reaction of the target", "one level"],
)
def test_standards_that_make_no_curve_fail_the_run_with_the_reason(plate, message, laboratory):
    laboratory.run("R1", plate)
    laboratory.work()
    assert message in laboratory.failures()["standard_curve"]
    assert laboratory.status("R1")["outcome"] == "failed"
    assert all(row["ratio_percent"] is None for row in laboratory.rows("results"))
    assert {row["outcome"] for row in laboratory.rows("results")} <= {"repeat"}


def test_flat_standards_fail_the_run_with_their_slope(laboratory):
    same = [replace(each, copies=1e4) if each.role == "std" else each for each in sample_plate(PATIENTS)]
    laboratory.run("R1", same)
    laboratory.work()
    assert "the standards do not tell amounts apart" in laboratory.failures()["standard_curve"]
    assert laboratory.status("R1")["outcome"] == "failed"


def test_standards_without_enzyme_fail_the_run_and_are_named(laboratory):
    dead = [replace(each, defect="flat") if each.role == "std" else each for each in sample_plate(PATIENTS)]
    laboratory.run("R1", dead)
    laboratory.work()
    assert "0 reactions with a Cq; expected at least 3" in laboratory.failures()["standard_curve"]
    curves = laboratory.rows("standard_curves")
    assert [len(row["points_left_out"]) for row in curves] == [8, 12]
    assert all("not_amplified: " in reason for row in curves for reason in row["points_left_out"])


def test_a_sample_without_control_gene_is_repeated_alone(laboratory):
    laboratory.run("R1", plate_without(target=CONTROL, sample_id="HIGH"))
    laboratory.work()
    row = laboratory.sample("HIGH")
    assert (row["outcome"], row["evaluable"], row["ratio_percent"]) == ("repeat", False, None)
    assert "no_control_gene" in row["flags"]
    assert laboratory.failures() == {
        "control_copies": "control copies could not be determined; allowed: at least 10000"
    }
    assert laboratory.status("R1")["outcome"] == "accepted"
    assert laboratory.sample("LOW")["outcome"] != "repeat"


def test_a_threshold_in_rn_without_passive_reference_fails_the_run(laboratory):
    laboratory.run("R1", optics=Optics(passive_reference=False))
    laboratory.work()
    expected = "the threshold of eac is a level of Rn, but the export holds no passive reference"
    assert laboratory.failures()["passive_reference"] == expected
    assert expected in laboratory.status("R1")["why"]
    assert {row["outcome"] for row in laboratory.rows("results")} == {"repeat"}


# -- reactions that take no part --------------------------------------------------------------------------------------


def test_omitted_reactions_are_kept_and_take_no_part(laboratory):
    first = next(each.well for each in sample_plate(PATIENTS) if (each.sample_id, each.target) == ("HIGH", FUSION))
    laboratory.run("R1", columns={"vendor_omitted": lambda row: row["well"] == first})
    laboratory.work()
    (omitted,) = [row for row in laboratory.rows("copies") if row["excluded"]]
    assert (omitted["well"], omitted["excluded_why"]) == (first, "marked as omitted in the export")
    row = laboratory.sample("HIGH")
    assert (row["replicates"], row["control_replicates"]) == (1, 2)
    assert row["ratio_percent"] == pytest.approx(10, rel=0.35)  # the mean control copies stand for the one reaction
    assert "reaction_excluded" in row["flags"]
    assert row["outcome"] == "review"


def test_a_target_the_protocol_does_not_know_is_kept_and_excluded(laboratory):
    plate = [*sample_plate(PATIENTS), Reaction("H11", "GUSB", "unkn", "HIGH", 1e5)]
    laboratory.run("R1", plate)
    laboratory.work()
    (stray,) = [row for row in laboratory.rows("copies") if row["target"] == "GUSB"]
    assert (stray["excluded"], stray["excluded_why"]) == (True, "target is not in the assay protocol")
    messages = [row["message"] for row in laboratory.rows("qc") if row["check"] == "unknown_target"]
    assert messages == ["not in protocol eac; takes no part"]
    assert laboratory.sample("HIGH")["ratio_percent"] == pytest.approx(10, rel=0.35)
    assert {row["target"] for row in laboratory.rows("standard_curves")} == {FUSION, CONTROL}
    assert "reaction_excluded" not in laboratory.sample("HIGH")["flags"]


def test_a_plate_of_standards_alone_is_worth_a_remark(laboratory):
    laboratory.run("R1", sample_plate([]))
    laboratory.work()
    assert laboratory.rows("results") == []
    warnings = [row["message"] for row in laboratory.rows("qc") if row["check"] == "samples"]
    assert warnings == ["no sample of this run could be scored: no named unknowns"]


# -- runs that cannot be used -----------------------------------------------------------------------------------------


@pytest.fixture
def two_runs(laboratory):
    laboratory.run("R1")
    laboratory.run("R2", seed=52)
    return laboratory


def test_a_refused_run_does_not_stop_the_others(two_runs, good):
    Path(two_runs.runs[1].raw_file).write_bytes(b"PK\x03\x04 cut off")
    two_runs.work()
    assert two_runs.status("R1")["outcome"] == "accepted"
    assert two_runs.status("R2")["outcome"] == "refused"
    assert two_runs.status("R2")["samples"] == {"report": 0, "review": 0, "repeat": 0}
    assert {row["run_id"] for name in ("cq", "results", "copies") for row in two_runs.rows(name)} == {"R1"}
    assert two_runs.rows("results") == good.rows("results")
    (refusal,) = two_runs.rows("qc", "R2")
    assert (refusal["check"], refusal["outcome"]) == ("run_refused", "fail")
    assert "R2.rdml" in refusal["message"]


def test_a_missing_raw_file_refuses_its_run_only(two_runs):
    Path(two_runs.runs[0].raw_file).unlink()
    two_runs.work()
    assert "column raw_file" in two_runs.failures("R1")["run_refused"]
    assert two_runs.status("R2")["outcome"] == "accepted"


def test_a_batch_of_refused_runs_gives_empty_tables_and_the_reasons(two_runs):
    for run in two_runs.runs:
        Path(run.raw_file).write_text("well\tcq\n")
    two_runs.work()
    assert [two_runs.rows(name) for name in ("curves", "cq", "results")] == [[], [], []]
    assert set(json.loads(Path(two_runs.paths["refused"]).read_text())) == {"R1", "R2"}
    assert len(two_runs.rows("qc")) == 2


def test_a_raw_file_destroyed_later_leaves_the_earlier_tables_byte_for_byte(two_runs):
    before = two_runs.work().tables()
    Path(two_runs.runs[1].raw_file).write_bytes(b"")
    two_runs.work()
    assert two_runs.tables() == before
    assert two_runs.status("R2")["outcome"] == "refused"
    assert two_runs.status("R1")["outcome"] == "accepted"


def test_a_run_added_to_a_batch_is_processed_although_another_of_it_has_broken(two_runs, laboratory):
    two_runs.work()
    earlier = {name: two_runs.rows(name, "R2") for name in ("curves", "cq", *TABLES)}
    Path(two_runs.runs[1].raw_file).write_bytes(b"")
    laboratory.run("R3", seed=53)
    two_runs.work()
    assert two_runs.status("R3")["outcome"] == "accepted"
    assert two_runs.status("R2")["outcome"] == "refused"
    assert {row["run_id"] for row in two_runs.rows("results")} == {"R1", "R2", "R3"}
    assert {name: two_runs.rows(name, "R2") for name in earlier} == earlier


def test_a_broken_run_that_left_the_run_sheet_leaves_the_tables(two_runs):
    two_runs.work()
    Path(two_runs.runs[1].raw_file).write_bytes(b"")
    del two_runs.runs[1]
    two_runs.work()
    assert {row["run_id"] for name in ("curves", "results") for row in two_runs.rows(name)} == {"R1"}


def test_a_mended_raw_file_gives_the_same_bytes_again(two_runs):
    before = two_runs.work().tables()
    raw = Path(two_runs.runs[1].raw_file)
    content = raw.read_bytes()
    raw.write_bytes(b"")
    two_runs.work()
    raw.write_bytes(content)
    assert two_runs.work().tables() == before
    assert json.loads(Path(two_runs.paths["refused"]).read_text()) == {}


def test_a_run_that_was_refused_from_the_start_does_not_freeze_the_tables_of_the_others(two_runs):
    raw = Path(two_runs.runs[1].raw_file)
    content = raw.read_bytes()
    raw.write_bytes(b"")
    two_runs.work()
    raw.write_bytes(content)
    two_runs.work()
    assert two_runs.status("R2")["outcome"] == "accepted"
    assert {row["run_id"] for row in two_runs.rows("results")} == {"R1", "R2"}


def test_an_earlier_table_that_cannot_be_read_is_replaced(two_runs):
    two_runs.work()
    before = two_runs.tables()
    Path(two_runs.paths["cq"]).write_bytes(b"PAR1 broken")
    two_runs.work()
    assert two_runs.tables() == before


def test_what_the_reader_has_to_say_about_an_export_stands_in_the_qc_table(laboratory, monkeypatch):
    laboratory.run("R1")
    import bcrabl.stages.read as reading

    def read_with_a_note(path, part=None, column_map=None):
        run = read_run(path, part)
        return replace(run, metadata={**run.metadata, "warnings": ("Two reactions have no curve.",)})

    read_run = reading.read_run
    monkeypatch.setattr(reading, "read_run", read_with_a_note)
    laboratory.work()
    (note,) = [row for row in laboratory.rows("qc") if row["check"] == "export"]
    assert (note["outcome"], note["message"]) == ("warn", "Two reactions have no curve.")
    assert laboratory.status("R1")["outcome"] == "accepted"
