"""What a person decided about reactions: what it changes, what it leaves, and that nothing of it is silent.

One simulated plate, analysed once, is scored with and without entries of the review.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bcrabl.formats import write_rdml
from bcrabl.review_sheet import ReviewEntry
from bcrabl.sheets import ConversionFactorRow, RunRow
from bcrabl.simulation import Sample, sample_plate, simulate_run
from bcrabl.stages.accept import check_target
from bcrabl.stages.batch import ScoringFiles, analyse_batch, score_batch
from bcrabl.stages.calibrate import calibrate
from bcrabl.stages.review import check_calls, check_entries, review_reactions
from bcrabl.standards import assay_path, load_assay, standards_folder
from bcrabl.tables import COPIES, CQ, QC, RESULTS, STANDARD_CURVES, read_table

FUSION, CONTROL = "BCR::ABL1", "ABL1"
TABLES = {table.name: table for table in (STANDARD_CURVES, COPIES, RESULTS, QC)}
BEFORE = ("is_percent", "ratio_percent", "outcome")
PATIENTS = (Sample("HIGH", 5000, 50_000), Sample("LOW", 60, 60_000), Sample("NEG", 0, 60_000))
SAMPLES = "sample_id\tpatient_id\ttranscript\nHIGH\tP1\te14a2\nLOW\tP2\te13a2\nNEG\tP3\te14a2\n"
ASSAYS = [str(assay_path("eac"))]


def entry(well, action="exclude", *, target=None, hour=10, run_id="R1", zone="+00:00"):
    at = f"2026-03-05T{hour:02d}:00:00{zone}"
    return ReviewEntry(run_id, well, action, "bubble in the well", "op17", at, target, "exclusions.tsv, row 2")


class Plate:
    """Two runs that were read and fitted; `score` scores them with entries of the review."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = [RunRow(name, "LAB1", str(folder / f"{name}.rdml"), "eac", "B1") for name in ("R1", "R2")]
        for seed, run in enumerate(self.runs):
            write_rdml(simulate_run(sample_plate(PATIENTS), seed=seed, run_date="2026-03-02"), Path(run.raw_file))
        (folder / "samples.tsv").write_text(SAMPLES, encoding="utf-8")
        self.read = {name: str(folder / name) for name in ("curves", "cq", "refused")}
        analyse_batch(self.runs, ASSAYS, self.read)
        self.reactions = [row for row in read_table(self.read["cq"], CQ).to_pylist() if row["run_id"] == "R1"]

    def score(self, *entries):
        files = ScoringFiles(
            **self.read,
            assays=ASSAYS,
            response_rules=str(standards_folder() / "molecular_response.yaml"),
            samples=str(self.folder / "samples.tsv"),
            factors=[ConversionFactorRow("LAB1", "eac", CONTROL, 0.85, "2026-01-01", "exchange")],
            exclusions=entries,
        )
        output = {name: str(self.folder / f"scored-{name}") for name in (*TABLES, "status")}
        score_batch(self.runs, files, output)
        return {name: read_table(output[name], kind).to_pylist() for name, kind in TABLES.items()} | {
            "bytes": [Path(output[name]).read_bytes() for name in (*TABLES, "status")]
        }

    def wells(self, target, role, sample_id=None, copies=None, call=None):
        """Wells of R1 that fit."""
        return [
            row["well"]
            for row in self.reactions
            if (row["target"], row["role"]) == (target, role)
            and sample_id in (None, row["sample_id"])
            and copies in (None, row["known_copies"])
            and call in (None, row["call"])
        ]


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    return Plate(tmp_path_factory.mktemp("plate"))


@pytest.fixture(scope="module")
def unreviewed(plate):
    return plate.score()


def of_run(rows, run_id="R1"):
    return [row for row in rows if row["run_id"] == run_id]


def curve_of(scored, target=FUSION):
    (row,) = [row for row in of_run(scored["standard_curves"]) if row["target"] == target]
    return row


def sample_of(scored, sample_id):
    (row,) = [row for row in of_run(scored["results"]) if row["sample_id"] == sample_id]
    return row


def reaction_of(scored, well, target):
    (row,) = [row for row in of_run(scored["copies"]) if (row["well"], row["target"]) == (well, target)]
    return row


def checks_of(scored, check="review"):
    return [row for row in of_run(scored["qc"]) if row["check"] == check]


def failure_of(scored):
    (row,) = [row for row in checks_of(scored) if row["outcome"] == "fail"]
    return row


def without_trace(rows):
    """Rows less what only the review writes."""
    return [
        {name: value for name, value in row.items() if not name.endswith("_before_review") and name != "review"}
        for row in rows
    ]


# -- excluding --------------------------------------------------------------------------------------------------------


def test_without_entries_nothing_speaks_of_a_review(unreviewed):
    assert {row[f"{name}_before_review"] for row in unreviewed["results"] for name in BEFORE} == {None}
    assert {row["slope_before_review"] for row in unreviewed["standard_curves"]} == {None}
    assert {row["review"] for row in unreviewed["copies"]} == {None}
    assert checks_of(unreviewed) == []
    assert not [row for row in unreviewed["results"] if "reviewed" in row["flags"]]


def test_excluding_a_standard_changes_its_curve_and_every_result_and_keeps_the_values_before(plate, unreviewed):
    well = plate.wells(FUSION, "std", copies=10.0)[0]
    scored = plate.score(entry(well, target=FUSION))
    before, after = curve_of(unreviewed), curve_of(scored)
    assert after["slope"] != before["slope"]
    assert after["points"] == before["points"] - 1
    assert f"{well}: excluded in review: bubble in the well" in after["points_left_out"]
    for name in ("slope", "intercept"):
        assert after[f"{name}_before_review"] == before[name]
        assert curve_of(scored, CONTROL)[f"{name}_before_review"] == curve_of(unreviewed, CONTROL)[name]
    assert curve_of(scored, CONTROL)["slope"] == curve_of(unreviewed, CONTROL)["slope"]
    for sample_id in ("HIGH", "LOW"):
        old, new = sample_of(unreviewed, sample_id), sample_of(scored, sample_id)
        assert new["is_percent"] != old["is_percent"]
        assert new["ratio_percent"] != old["ratio_percent"]
        assert {name: new[f"{name}_before_review"] for name in BEFORE} == {name: old[name] for name in BEFORE}
        assert "reviewed" in new["flags"]


def test_an_entry_leaves_every_other_run_as_it_was(plate, unreviewed):
    scored = plate.score(entry(plate.wells(FUSION, "std")[0]))
    for name in TABLES:
        assert of_run(scored[name], "R2") == of_run(unreviewed[name], "R2")


def test_an_excluded_replicate_is_not_counted_and_its_sample_needs_no_second_look(plate, unreviewed):
    well = plate.wells(FUSION, "unkn", "HIGH")[0]
    scored = plate.score(entry(well, target=FUSION))
    old, new = sample_of(unreviewed, "HIGH"), sample_of(scored, "HIGH")
    assert (old["replicates"], new["replicates"]) == (2, 1)
    assert new["flags"] == [*old["flags"], "reviewed"]
    assert (new["outcome_before_review"], new["outcome"]) == ("report", "report")
    reaction = reaction_of(scored, well, FUSION)
    assert reaction["review"] == "exclude: bubble in the well (op17, 2026-03-05T10:00:00+00:00)"
    assert (reaction["excluded"], reaction["excluded_why"]) == (True, "excluded in review: bubble in the well")
    assert sample_of(scored, "LOW")["flags"] == sample_of(unreviewed, "LOW")["flags"]


@pytest.mark.parametrize("target", [None, FUSION])
def test_an_entry_without_target_is_about_every_target_of_the_well(plate, target):
    well = plate.wells(FUSION, "unkn", "HIGH")[0]
    scored = plate.score(entry(well, target=target))
    excluded = {row["target"] for row in of_run(scored["copies"]) if row["excluded"]}
    in_well = {row["target"] for row in plate.reactions if row["well"] == well}
    assert excluded == (in_well if target is None else {target})


# -- the latest entry holds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "sample_id"), [("std", None), ("unkn", "HIGH"), ("ntc", None)])
def test_including_what_was_excluded_restores_every_value_bit_for_bit(plate, unreviewed, role, sample_id):
    well = plate.wells(FUSION, role, sample_id)[-1]
    scored = plate.score(entry(well, hour=9), entry(well, "include", hour=10))
    for name in ("standard_curves", "copies", "results"):
        assert without_trace(scored[name]) == without_trace(unreviewed[name])
    row = sample_of(scored, "HIGH")
    assert row["is_percent_before_review"] == row["is_percent"]
    assert row["outcome_before_review"] == row["outcome"]


def test_the_order_of_the_entries_does_not_matter(plate):
    one, other = plate.wells(FUSION, "std")[:2]
    entries = [entry(one, hour=9), entry(one, "include", hour=8), entry(other), entry(other, target=FUSION, hour=11)]
    assert plate.score(*entries)["bytes"] == plate.score(*entries[::-1])["bytes"]


def test_later_is_told_across_time_zones(plate):
    well = plate.wells(FUSION, "unkn", "HIGH")[0]
    earlier, later = entry(well, "include", hour=10, zone="+02:00"), entry(well, hour=9, zone="+00:00")
    assert reaction_of(plate.score(earlier, later), well, FUSION)["excluded"]


def test_a_later_entry_about_the_whole_well_takes_the_place_of_one_about_a_target(plate):
    well = plate.wells(FUSION, "unkn", "HIGH")[0]
    first, second = entry(well, target=FUSION, hour=9), entry(well, "include", hour=10)
    assert not reaction_of(plate.score(first, second), well, FUSION)["excluded"]


def test_every_entry_is_on_record_and_they_are_counted(plate):
    well = plate.wells(FUSION, "std", copies=10.0)[0]
    scored = plate.score(entry(well, hour=9), entry(well, "include", hour=10))
    (count,) = checks_of(scored)
    assert (count["value"], count["unit"], count["outcome"]) == (2.0, "entries", "pass")
    assert count["message"] == "entries of the review on record: 2, in force: 1"
    assert [(row["well"], row["message"]) for row in checks_of(scored, "review_entry")] == [
        (well, "exclude: bubble in the well (op17, 2026-03-05T09:00:00+00:00); superseded by a later entry"),
        (well, "include: bubble in the well (op17, 2026-03-05T10:00:00+00:00)"),
    ]


# -- omitted in the export --------------------------------------------------------------------------------------------

OMITTED = "marked as omitted in the export"


def a_reaction(**changes):
    about = {"well": "A1", "target": FUSION, "call": "amplified", "cq": 25.0, "why": "", "excluded_why": None}
    return about | changes


def test_including_lifts_an_omission_in_the_export_and_says_so():
    (row,) = review_reactions([a_reaction(excluded_why=OMITTED)], [entry("A1", "include")])
    assert (row["excluded_why"], row["reviewed"]) == (None, True)


def test_excluding_what_the_export_omits_keeps_both_reasons():
    (row,) = review_reactions([a_reaction(excluded_why=OMITTED)], [entry("A1")])
    assert row["excluded_why"] == f"{OMITTED}; excluded in review: bubble in the well"


def test_a_call_does_not_undo_an_omission():
    (row,) = review_reactions([a_reaction(excluded_why=OMITTED)], [entry("A1", "call:amplified")])
    assert row["excluded_why"] == OMITTED


def test_a_reaction_no_entry_is_about_stays_the_same_row():
    row = a_reaction()
    assert review_reactions([row], [entry("A2"), entry("A1", target=CONTROL)]) == [row]


# -- calls ------------------------------------------------------------------------------------------------------------


def test_what_is_called_not_amplified_is_undetected_without_a_cq(plate, unreviewed):
    wells = plate.wells(FUSION, "unkn", "LOW")
    scored = plate.score(*(entry(well, "call:not_amplified", target=FUSION) for well in wells))
    assert [reaction_of(unreviewed, well, FUSION)["detected"] for well in wells] == [True, True]
    for well in wells:
        row = reaction_of(scored, well, FUSION)
        assert (row["detected"], row["cq"], row["copies"], row["excluded"]) == (False, None, 0.0, False)
    old, new = sample_of(unreviewed, "LOW"), sample_of(scored, "LOW")
    assert (new["detected"], new["is_percent"]) == (False, 0.0)
    assert new["is_percent_before_review"] == old["is_percent"] > 0
    assert new["is_high"] > 0


def test_an_ambiguous_curve_with_a_cq_that_is_called_amplified_counts_as_detected():
    row = a_reaction(call="ambiguous", why="late")
    (reviewed,) = review_reactions([row], [entry("A1", "call:amplified")])
    assert (reviewed["call"], reviewed["cq"], reviewed["reviewed"]) == ("amplified", 25.0, True)
    assert reviewed["why"] == "called in review: bubble in the well"


def test_a_curve_without_cq_cannot_be_called_amplified_and_its_sample_is_up_for_review(plate, unreviewed):
    well = plate.wells(FUSION, "unkn", "NEG", call="not_amplified")[0]
    scored = plate.score(entry(well, "call:amplified", target=FUSION))
    refused = failure_of(scored)
    assert (refused["sample_id"], refused["well"], refused["target"]) == ("NEG", well, FUSION)
    assert refused["message"].endswith("the curve has no Cq, so that there is nothing to quantify")
    row = reaction_of(scored, well, FUSION)
    assert (row["detected"], row["copies"]) == (False, 0.0)
    assert row["review"].endswith("nothing to quantify")
    assert sample_of(unreviewed, "NEG")["outcome"] == "report"
    assert sample_of(scored, "NEG")["outcome"] == "review"
    assert "review_not_applied" in sample_of(scored, "NEG")["flags"]
    assert sample_of(scored, "HIGH")["outcome"] == "report"


def test_a_blank_that_cannot_be_called_amplified_fails_the_run(plate):
    well = plate.wells(FUSION, "ntc", call="not_amplified")[0]
    scored = plate.score(entry(well, "call:amplified", target=FUSION))
    assert failure_of(scored)["sample_id"] is None
    assert {row["outcome"] for row in of_run(scored["results"])} == {"repeat"}


@pytest.mark.parametrize(("action", "outcome"), [("call:amplified", "fail"), ("call:not_amplified", "pass")])
def test_a_blank_counts_as_what_it_was_called(action, outcome):
    assay = load_assay(ASSAYS[0])
    rows = review_reactions([a_reaction(role="ntc", call="ambiguous")], [entry("A1", action)])
    checks = check_target(calibrate(rows, assay)[FUSION], rows, assay)
    assert {check.outcome for check in checks if check.check == "blanks"} == {outcome}


def test_a_call_beyond_the_protocols_limit_is_not_followed_in_silence():
    late = a_reaction(sample_id="S1", cq=49.0, detected=False, review_action="call:amplified")
    (refused,) = check_calls([late], [{"sample_id": "S1"}])
    assert refused.message.endswith("its Cq is beyond the protocol's limit of a detection")
    assert (refused.sample_id, refused.outcome) == ("S1", "fail")


# -- places that are not in the run -----------------------------------------------------------------------------------


def test_a_well_that_is_not_in_the_run_fails_this_run_and_no_other(plate, unreviewed):
    scored = plate.score(entry("P24"))
    message = failure_of(scored)["message"]
    assert "exclusions.tsv, row 2, column well: found 'P24'; expected a well of run R1." in message
    assert {row["outcome"] for row in of_run(scored["results"])} == {"repeat"}
    assert of_run(scored["results"], "R2") == of_run(unreviewed["results"], "R2")


def test_a_target_that_is_not_in_the_well_is_named_with_those_that_are():
    findings = check_entries([entry("A1", target=FUSION)], [{"well": "A1", "target": CONTROL}])
    (problem,) = [check for check in findings if check.outcome == "fail"]
    assert f"column target: found '{FUSION}'; expected a target in well A1: {CONTROL}." in problem.message


def test_a_place_that_is_not_there_is_not_taken_back_by_an_entry_about_another(plate):
    scored = plate.score(entry("P24", target=FUSION, hour=9), entry("P24", "include", target=CONTROL, hour=10))
    assert failure_of(scored)["target"] == FUSION


def test_an_entry_about_a_well_that_is_not_there_is_taken_back_by_a_later_one(plate, unreviewed):
    scored = plate.score(entry("P24", hour=9), entry("P24", "include", hour=10))
    assert [row["outcome"] for row in checks_of(scored)] == ["pass"]
    assert without_trace(scored["results"]) == without_trace(unreviewed["results"])
