"""Detection studies on simulated plates, where every molecule counts by itself: the limits are known."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from study_builder import FUSION, LEVELS, simulated_study

from bcrabl.detection import LINKS, poisson_limit_of_detection
from bcrabl.errors import RunError
from bcrabl.standards.detection_study import chosen_limits, signed_limits
from bcrabl.studies.limits import Reactions, StudySettings, study_limits
from bcrabl.studies.study import (
    DetectionStudy,
    _left_out,
    _usable,
    analyse_study,
    study_reactions,
)
from bcrabl.study_sheet import DetectionStudyRow
from bcrabl.tables import DETECTION_LIMITS, read_table

SETTINGS = StudySettings("cloglog", 0.95, 0.95, 2, False, "non_parametric", 0.35)
SAMPLES = tuple(DetectionStudyRow("lod", "DIL", FUSION, f"DIL-{level}", float(level)) for level in LEVELS)
WHOLE_RUN = DetectionStudyRow("lod", "DIL", FUSION)


def study(*rows, **settings):
    return DetectionStudy("lod", "studies.tsv", "eac", rows or SAMPLES, replace(SETTINGS, **settings))


def written(one, tables, folder):
    paths = {ending: str(folder / f"{one.study}.{ending}") for ending in ("json", "parquet", "svg")}
    analyse_study(one, [tables[1]], [tables[2]], paths)
    rows = read_table(paths["parquet"], DETECTION_LIMITS).to_pylist()
    return {row["link"]: row for row in rows}, json.loads((folder / f"{one.study}.json").read_text()), paths


def reaction(well, level=None, *, role="unkn", sample_id="S", detected=True, copies=5.0, **further):
    known = level if role == "std" else None
    row = {"run_id": "DIL", "target": FUSION, "well": well, "role": role, "sample_id": sample_id, "known_copies": known}
    row |= {"call": "amplified" if detected else "not_amplified", "detected": detected}
    return row | {"copies": copies if detected else 0.0, "excluded": False, "excluded_why": None} | further


def reactions(counts, settings=SETTINGS, seed=1):
    """The limits of a study given as level: (detected, total); copies found are Poisson."""
    rng = np.random.default_rng(seed)
    level = np.repeat(list(counts), [total for _, total in counts.values()]).astype(float)
    found = np.concatenate([np.arange(total) < detected for detected, total in counts.values()])
    copies = np.where(found, np.maximum(rng.poisson(level), 1), 0).astype(float)
    return study_limits(Reactions(level, found, copies, np.zeros(len(level), bool)), settings)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return simulated_study(tmp_path_factory.mktemp("study"), seed=11)


@pytest.fixture(scope="module")
def found(simulated, tmp_path_factory):
    return written(study(), simulated, tmp_path_factory.mktemp("limits"))


# -- against the truth ------------------------------------------------------------------------------------------------


def test_wells_with_a_molecule_are_those_detected_but_for_few_that_come_later_than_the_cq_limit(simulated, found):
    run = simulated[0]
    truth = dict.fromkeys(LEVELS, 0)
    for who, what in zip(run.reactions.to_pylist(), run.truth.to_pylist(), strict=True):
        if who["role"] == "unkn":
            truth[int(what["expected_copies"])] += what["drawn_copies"] > 0
    rows, _, _ = found
    assert rows["cloglog"]["level_copies"] == [float(level) for level in LEVELS]
    assert rows["cloglog"]["level_reactions"] == [24.0] * len(LEVELS)
    for level, detected in zip(LEVELS, rows["cloglog"]["level_detected"], strict=True):
        assert truth[level] - 2 <= detected <= truth[level]


def test_the_limit_of_one_molecule_at_a_time_lies_in_the_interval_of_both_links_that_can_say_so(found):
    rows, _, _ = found
    for link in ("cloglog", "one_hit"):
        row = rows[link]
        assert row["status"] == "ok"
        assert row["lod_low"] < poisson_limit_of_detection(0.95) < row["lod_high"] < 10
        assert row["replicates_lod_low"] < poisson_limit_of_detection(0.95, 2) < row["replicates_lod_high"]
        assert row["goodness_of_fit_p"] > 0.01
    assert rows["cloglog"]["one_hit_p"] > 0.01


def test_the_cv_profile_is_that_of_counted_molecules_and_its_limit_covers_the_poisson_one(found):
    rows, _, _ = found
    row = rows["cloglog"]
    assert row["cv_counting"] == pytest.approx(1.0, abs=0.35)
    assert row["loq_low"] < 1 / 0.35**2 < row["loq_high"]
    assert row["loq_reported"] >= max(row["loq_copies"], row["lod_copies"])


def test_clean_blanks_have_a_limit_of_blank_of_zero_whose_upper_end_so_few_cannot_set(found):
    rows, document, _ = found
    assert (rows["cloglog"]["blanks"], rows["cloglog"]["blanks_detected"]) == (24, 0)
    assert rows["cloglog"]["lob_copies"] == 0.0
    assert math.isinf(rows["cloglog"]["lob_high"])
    assert "lob_unbounded" in rows["cloglog"]["flags"]
    assert document["targets"][FUSION]["lob_high"] is None


# -- what is written --------------------------------------------------------------------------------------------------


def test_every_link_has_a_row_and_one_of_them_is_chosen(found):
    rows, _, _ = found
    assert sorted(rows) == sorted(LINKS)
    assert [link for link, row in rows.items() if row["chosen"]] == ["cloglog"]
    assert sum(row["akaike_weight"] for row in rows.values()) == pytest.approx(1)


def test_the_document_says_the_same_as_the_table(found):
    rows, document, _ = found
    target = document["targets"][FUSION]
    for link, row in rows.items():
        shown = target["links"][link]
        assert shown["lod_copies"] == row["lod_copies"]
        assert shown["aic"] == row["aic"]
        assert shown["flags"] == row["flags"]
    assert [level["detected"] for level in target["levels"]] == rows["cloglog"]["level_detected"]
    chosen = chosen_limits(document)[FUSION]
    assert chosen["lod_high"] == rows["cloglog"]["lod_high"]
    assert chosen["loq_copies"] == rows["cloglog"]["loq_copies"]


def test_a_protocol_can_sign_what_was_written(found):
    rows, _, paths = found
    path = Path(paths["json"])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = {"id": "lod", "file": path.name, "sha256": digest}
    limits = signed_limits(
        "eac.yaml", entry | {"id": json.loads(path.read_text())["study"]}, path.parent, "eac", FUSION
    )
    assert limits.lod_copies == rows["cloglog"]["lod_copies"]
    assert limits.loq_copies == rows["cloglog"]["loq_reported"]


def test_the_same_study_gives_the_same_bytes(simulated, found, tmp_path):
    _, _, paths = written(study(), simulated, tmp_path)
    for ending, path in found[2].items():
        assert Path(path).read_bytes() == Path(paths[ending]).read_bytes(), ending


def test_the_order_of_the_sheet_changes_no_number(simulated, found, tmp_path):
    rows, document, _ = written(study(*reversed(SAMPLES)), simulated, tmp_path)
    assert rows == found[0]
    assert document == found[1]


def test_the_figure_is_well_formed_and_names_what_it_shows(found):
    text = "".join(ET.parse(found[2]["svg"]).getroot().itertext())
    for word in ("one-hit", "probit", "logit", "cloglog", "observed, exact 95 % interval", "LoD", "LoQ", "CV 0.35"):
        assert word in text
    assert "Blanks: 0 of 24 detected." in text


def test_without_a_cv_there_is_no_limit_of_quantification_but_a_profile(simulated, tmp_path):
    rows, _, _ = written(study(loq_cv=None), simulated, tmp_path)
    row = rows["cloglog"]
    assert (row["loq_copies"], row["loq_reported"], row["loq_cv"]) == (None, None, None)
    assert "no CV stated (detection_limits.loq_cv" in row["loq_why"]
    assert row["cv_plateau"] > 0


def test_a_whole_run_is_its_standards_and_blanks(simulated, tmp_path):
    rows, _, _ = written(study(WHOLE_RUN), simulated, tmp_path)
    assert rows["cloglog"]["level_copies"] == [10.0, 100.0, 1e3, 1e4, 1e5, 1e6]
    assert rows["cloglog"]["level_reactions"] == [2.0] * 6


def test_a_plate_without_standards_determines_nothing_and_says_why(tmp_path):
    tables = simulated_study(tmp_path, seed=3, levels=(0, 1, 5), replicates=4, standards=())
    rows = [DetectionStudyRow("lod", "DIL", FUSION, f"DIL-{level}", float(level)) for level in (0, 1, 5)]
    found, document, _ = written(study(*rows), tables, tmp_path)
    assert {row["status"] for row in found.values()} == {"refused"}
    assert "12 reactions: no standard curve); every plate of a study needs its standards" in found["cloglog"]["why"]
    assert found["cloglog"]["left_out"] == ["12 reactions: no standard curve"]
    assert document["targets"][FUSION]["levels"] == []


# -- studies that determine less --------------------------------------------------------------------------------------


def test_levels_between_which_nothing_lies_refuse_the_links_with_a_slope_but_not_one_hit():
    limits = reactions({0: (0, 20), 1: (0, 20), 10: (20, 20)})
    assert sorted(limits.limits) == ["one_hit"]
    assert "found no level between all and nothing" in limits.refused["cloglog"]
    assert math.isnan(limits.one_hit_p_value)
    limits = reactions({0: (0, 20), 1: (0, 20), 3: (8, 20), 10: (20, 20)})
    assert sorted(limits.limits) == ["one_hit"]
    assert "found one level found in part of its reactions" in limits.refused["cloglog"]


def test_a_study_in_which_everything_is_found_says_on_which_side_the_limit_lies():
    limits = reactions({0: (0, 20), 5: (20, 20), 10: (20, 20)})
    assert set(limits.refused) == set(LINKS)
    assert "The limit lies below 5 copies; add lower levels." in limits.refused["cloglog"]
    assert limits.lowest_level == 5.0
    assert limits.chosen is None


def test_a_positive_blank_stops_the_models_unless_a_background_is_estimated():
    counts = {0: (2, 40), 1: (14, 24), 2: (20, 24), 5: (24, 24)}
    refused = reactions(counts)
    assert "2 of 40 blanks positive" in refused.refused["cloglog"]
    limits = reactions(counts, replace(SETTINGS, background=True))
    assert limits.limits["cloglog"].background == pytest.approx(0.05, abs=0.03)
    assert "blank_detected" in limits.flags("cloglog")


def test_an_interval_without_an_upper_end_is_flagged_and_stays_infinite():
    limits = reactions({0: (0, 8), 1: (2, 4), 2: (3, 4), 5: (3, 4)})
    limit = limits.limits["probit"]
    assert math.isinf(limit.high)
    assert {"lod_unbounded", "lod_extrapolated"} <= set(limits.flags("probit"))


def test_ten_blanks_are_needed_for_a_limit_of_blank_by_ranks():
    limits = reactions({0: (0, 9), 1: (14, 24), 2: (20, 24), 5: (24, 24)})
    assert limits.blank is None
    assert "9 results" in str(limits.blank_why)
    without = reactions({1: (14, 24), 2: (20, 24), 5: (24, 24)})
    assert without.blank_why == "no blank in the study"
    assert "no_blank" in without.flags("cloglog")


def test_the_limit_of_quantification_is_never_reported_below_the_limit_of_detection():
    limits = reactions({0: (0, 24), 1: (14, 24), 2: (20, 24), 5: (24, 24), 20: (24, 24)}, replace(SETTINGS, loq_cv=0.9))
    limit = limits.limits["logit"]
    assert limits.quantification.copies < limit.copies
    assert limits.reported_quantification(limit) == limit.copies


# -- which reactions --------------------------------------------------------------------------------------------------


def test_standards_and_blanks_make_a_whole_run_and_controls_without_enzyme_do_not():
    rows = [
        reaction("A1", 10.0, role="std"),
        reaction("A2", role="ntc", sample_id=None, detected=False),
        reaction("A3", role="nac", sample_id=None, detected=False),
        reaction("A4", role="neg", detected=False),
        reaction("A5"),
    ]
    taken = study_reactions(study(WHOLE_RUN), rows)[FUSION]
    assert [(row["well"], row["level"]) for row in taken] == [("A1", 10.0), ("A2", 0.0), ("A4", 0.0)]


def test_what_results_leave_out_is_left_out_and_an_ambiguous_curve_is_not_detected():
    rows = [
        reaction("A1", sample_id="DIL-5"),
        reaction("A2", sample_id="DIL-5", excluded=True, excluded_why="marked as omitted in the export"),
        reaction("A3", sample_id="DIL-5", detected=False, call="ambiguous"),
    ]
    taken = study_reactions(study(DetectionStudyRow("lod", "DIL", FUSION, "DIL-5", 5.0)), rows)[FUSION]
    used = _usable(taken)
    assert (used.detected.tolist(), used.ambiguous.tolist()) == ([True, False], [False, True])
    assert _left_out(taken) == ["1 reaction: marked as omitted in the export"]


def test_every_sample_and_run_that_is_not_there_is_named_at_once():
    rows = [reaction("A1", sample_id="DIL-5")]
    wanted = (
        DetectionStudyRow("lod", "DIL", FUSION, "DIL-50", 50.0),
        DetectionStudyRow("lod", "R2", FUSION),
        DetectionStudyRow("lod", "DIL", FUSION),
    )
    with pytest.raises(RunError) as caught:
        study_reactions(study(*wanted), rows)
    sample, run, whole = (str(problem) for problem in caught.value.problems)
    assert sample.startswith(
        f"studies.tsv, study lod, run_id DIL, target {FUSION}, sample_id DIL-50: found no reaction"
    )
    assert "Did you mean 'DIL-5'?" in sample
    assert "run_id R2" in run
    assert "no reaction of this target in the run" in run
    assert "found neither standards nor blanks in the run" in whole


def test_a_level_that_contradicts_the_known_copies_of_a_standard_is_refused():
    rows = [reaction("A1", 100.0, role="std", sample_id="STD-100")]
    named = DetectionStudyRow("lod", "DIL", FUSION, "STD-100", 50.0)
    with pytest.raises(RunError, match="found 50 copies for well A1, which has 100 elsewhere; expected one level"):
        study_reactions(study(named), rows)
    assert study_reactions(study(replace(named, level=100.0), WHOLE_RUN), rows)[FUSION][0]["level"] == 100.0
