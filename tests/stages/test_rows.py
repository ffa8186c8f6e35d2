"""From Cq to an accepted result, on rows whose Cq lie exactly on a known standard curve.

Truth: Cq = 40 - 3.4 log10(molecules) for BCR::ABL1, 39 - 3.3 log10(molecules) for ABL1. A standard of 10 copies got 10
molecules only on average, so that its Cq lie about that of the mean log10.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from bcrabl.acceptance import finding
from bcrabl.calibration.template import detected_log10_moments
from bcrabl.sheets import ConversionFactorRow, RunRow, SampleRow
from bcrabl.stages import accept
from bcrabl.stages.calibrate import calibrate
from bcrabl.stages.quantify import quantify
from bcrabl.stages.score import Scoring, score_samples
from bcrabl.standards import LowestStandard, Window, assay_path, load_assay, load_response_rules
from bcrabl.tables import COPIES, QC, RESULTS, STANDARD_CURVES

FUSION, CONTROL = "BCR::ABL1", "ABL1"
LINE = {FUSION: (40.0, -3.4), CONTROL: (39.0, -3.3)}
STANDARDS = {FUSION: [1e6, 1e5, 1e4, 1e3, 100, 10], CONTROL: [1e6, 1e5, 1e4, 1e3]}
RULES = load_response_rules()
FACTOR = ConversionFactorRow("LAB1", "eac", CONTROL, 0.8, "2026-01-01", "exchange", "2026-12-31", 0.7, 0.9)
RUN = RunRow("R1", "LAB1", "raw.rdml", "eac", "R1")


@pytest.fixture(scope="session")
def eac():
    return load_assay(assay_path("eac"))


# -- builders ---------------------------------------------------------------------------------------------------------


def cq_of(target, role, copies):
    if not copies:
        return None
    intercept, slope = LINE[target]
    log10 = float(detected_log10_moments([copies])[0][0]) if role == "std" else np.log10(copies)
    return float(intercept + slope * log10)


_wells = iter(range(1, 10**9))


def reaction(target, role, sample_id, copies=None, **changes):
    """One row of the cq table on its target's line; no copies = not amplified."""
    row = {
        "run_id": "R1",
        "well": f"A{next(_wells)}",
        "target": target,
        "role": role,
        "sample_id": sample_id,
        "known_copies": copies if role == "std" else None,
        "call": "amplified" if copies else "not_amplified",
        "why": "exponential phase above noise" if copies else "no rise above noise",
        "cq": cq_of(target, role, copies),
        "stage": "raw",
        "has_passive_reference": True,
        "layout_overrides": [],
        "excluded_why": None,
        "flags": [],
    }
    return row | changes


def standards(targets=STANDARDS, **changes):
    return [
        reaction(target, "std", f"STD-{target}-{level:g}", level, **changes)
        for target, levels in targets.items()
        for level in levels
        for _ in range(2)
    ]


def blanks():
    return [reaction(target, "ntc", "NTC") for target in LINE for _ in range(2)]


def sample(sample_id, bcr_abl, abl, role="unkn"):
    return [
        *(reaction(FUSION, role, sample_id, copies) for copies in bcr_abl),
        *(reaction(CONTROL, role, sample_id, copies) for copies in abl),
    ]


def scoring(assay, *, samples=("S1",), transcript="e14a2", run_date=date(2026, 3, 2), factors=(FACTOR,), run=RUN):
    sheet = {name: SampleRow(name, "P1", "2026-02-23", transcript) for name in samples}
    return Scoring(run, run_date, assay, RULES, sheet, factors)


def scored(reactions, assay, **about):
    """Copies rows and results rows."""
    calibrations = calibrate(reactions, assay)
    copies = quantify(reactions, calibrations, assay.cq_limit)
    return copies, score_samples(copies, calibrations, scoring(assay, **about))


def only(rows):
    (row,) = rows
    return row


def messages(checks, outcome="fail"):
    return [check.message for check in checks if check.outcome == outcome]


# -- calibrate --------------------------------------------------------------------------------------------------------


def test_each_target_has_its_own_line(eac):
    found = calibrate(standards(), eac)
    for target, (intercept, slope) in LINE.items():
        assert found[target].curve.intercept == pytest.approx(intercept)
        assert found[target].curve.slope == pytest.approx(slope)
        assert found[target].levels == sorted(STANDARDS[target])
        assert found[target].why == ""


def test_without_weights_a_curve_is_ordinary_least_squares(eac):
    """TV-Q2 [RUIJ13]: AHCY, 15 to 150,000 copies in triplicate."""
    cq = {15: (34.13, 32.88, 33.26), 150: (30.52, 30.24, 30.07), 1500: (26.74, 26.69, 26.84)}
    cq |= {15_000: (23.45, 23.22, 23.29), 150_000: (20.08, 19.85, 19.83)}
    rows = [reaction(FUSION, "std", "AHCY", level, cq=value) for level, each in cq.items() for value in each]
    plain = calibrate(rows, replace(eac, weighting="none"))[FUSION]
    assert plain.curve.slope == pytest.approx(-3.39633, abs=5e-6)
    assert plain.curve.intercept == pytest.approx(37.52640, abs=5e-6)
    assert plain.curve.r_squared == pytest.approx(0.996825, abs=5e-7)
    assert plain.as_row("R1", True, "")["weighting"] == "none"
    assert plain.curve.degrees_of_freedom == 13
    weighted = calibrate(rows, eac)[FUSION].curve
    assert weighted.weighting == "poisson"
    assert weighted.residual_sd < plain.curve.residual_sd  # the spread at 15 copies is that of few molecules


def test_the_stock_s_uncertainty_is_in_the_copies_and_not_in_the_ratio_of_one_plasmid(eac):
    reactions = [*standards(), *sample("S1", [1e4, 1e4], [5e4, 5e4])]
    width = {}
    for name, changes in {
        "exact": {},
        "own": {"stock_relative_sd": 0.1},
        "shared": {"stock_relative_sd": 0.1, "one_stock": True},
    }.items():
        copies, results = scored(reactions, replace(eac, **changes))
        reading = next(row for row in copies if row["role"] == "unkn")
        row = only(results)
        width[name] = np.log([reading["copies_high"] / reading["copies_low"], row["ratio_high"] / row["ratio_low"]])
    assert width["own"][0] == pytest.approx(np.hypot(width["exact"][0], 2 * 1.96 * 0.0998), rel=0.02)
    assert width["own"][1] == pytest.approx(np.hypot(width["exact"][1], 2 * 1.96 * 0.0998 * np.sqrt(2)), rel=0.02)
    assert width["shared"][0] == pytest.approx(width["own"][0])
    assert width["shared"][1] == pytest.approx(width["exact"][1])


def test_standards_that_take_no_part_are_named_with_the_reason(eac):
    omitted = reaction(FUSION, "std", "X", 1e5, excluded_why="marked as omitted in the export", well="A1")
    nameless = reaction(FUSION, "std", "X", 1e5, known_copies=None, well="A2")
    silent = reaction(FUSION, "std", "X", known_copies=10.0, well="A3")
    unclear = reaction(FUSION, "std", "X", 10, call="ambiguous", why="weak rise above noise", well="A4")
    empty = reaction(FUSION, "std", "X", 10, known_copies=0.0, well="A5")
    negative = reaction(FUSION, "std", "X", 10, known_copies=-1e3, well="A6")
    found = calibrate([*standards(), omitted, nameless, silent, unclear, empty, negative], eac)[FUSION]
    assert dict(found.left_out) == {
        "A1": "marked as omitted in the export",
        "A2": "no known copies",
        "A3": "not_amplified: no rise above noise",
        "A4": "ambiguous: weak rise above noise",
        "A5": "0 known copies; a standard holds a positive number",
        "A6": "-1000 known copies; a standard holds a positive number",
    }
    assert found.curve.points == 12


@pytest.mark.parametrize(
    ("reactions", "why"),
    [
        ([], "standards of BCR::ABL1: found no reaction of this target; expected standards and samples. Check names"),
        (sample("S1", [100], []), "standards of BCR::ABL1: found none; expected standards of at least two levels"),
        (standards({FUSION: [1e3]}) * 2, "one level only (1000 copies)"),
        (standards({FUSION: [1e3, 1e5]}, cq=25.0), "a slope of"),
        (standards({FUSION: [1e3]}), "2 reactions with a Cq; expected at least 3"),
        (standards({FUSION: [1e3, 1e4]}, known_copies=None), "0 reactions with a Cq"),
    ],
)
def test_standards_that_make_no_curve_say_why_and_raise_nothing(reactions, why, eac):
    found = calibrate(reactions, eac)[FUSION]
    assert found.curve is None
    assert why in found.why
    row = found.as_row("R1", False, "later reason")
    assert row["why"] == found.why
    assert STANDARD_CURVES.from_rows([row])["slope"].null_count == 1


def test_a_calibration_as_a_row_of_its_table(eac):
    row = calibrate(standards(), eac)[CONTROL].as_row("R1", True, "")
    back = STANDARD_CURVES.from_rows([row]).to_pylist()[0]
    assert back["efficiency"] == pytest.approx(10 ** (1 / 3.3) - 1)
    assert (back["levels"], back["points"], back["accepted"], back["why"]) == (4, 8, True, "")
    assert len(back["points_used"]) == 8
    assert back["copies_low"] == pytest.approx(1e3)


# -- quantify ---------------------------------------------------------------------------------------------------------


def test_copies_of_a_reaction_on_the_line_are_read_back(eac):
    reactions = [*standards(), *sample("S1", [123.0, 0], [45_678.0])]
    copies, _ = scored(reactions, eac)
    own = [row for row in copies if row["sample_id"] == "S1"]
    assert sorted(row["copies"] for row in own) == pytest.approx([0, 123.0, 45_678.0])
    assert {row["detected"] for row in own if row["copies"]} == {True}
    undetected = only(row for row in own if not row["detected"])
    assert (undetected["copies_low"], undetected["within_range"]) == (0, None)
    assert undetected["copies_high"] == pytest.approx(-np.log(0.05))
    COPIES.from_rows([{name: row.get(name) for name in COPIES.schema.names} for row in copies])


@pytest.mark.parametrize(("copies", "within", "above"), [(4.0, False, False), (500.0, True, False), (5e6, False, True)])
def test_copies_outside_the_standards_are_marked(copies, within, above, eac):
    rows, _ = scored([*standards(), *sample("S1", [copies], [])], eac)
    row = only(row for row in rows if row["sample_id"] == "S1")
    assert (row["within_range"], row["above_range"]) == (within, above)


@pytest.mark.parametrize("target", [FUSION, CONTROL])
def test_a_sample_with_a_well_that_seems_inhibited_is_for_review(target, eac):
    wells = [
        *(reaction(FUSION, "unkn", "S1", 50.0) for _ in range(2)),
        *(reaction(CONTROL, "unkn", "S1", 30_000.0) for _ in range(2)),
    ]
    next(well for well in wells if well["target"] == target)["flags"] = ["inhibition_suspected"]
    _, results = scored([*standards(), *wells], eac)
    assert "inhibition_suspected" in only(results)["flags"]


@pytest.mark.parametrize(("beyond", "detected"), [(0.99, True), (1.01, False)])
def test_a_cq_more_than_a_cycle_beyond_one_copy_is_no_detection(beyond, detected, eac):
    assert eac.cq_limit == 1
    late = reaction(FUSION, "unkn", "S1", 1, cq=40 + beyond)
    row = only(row for row in scored([*standards(), late], eac)[0] if row["sample_id"] == "S1")
    assert (row["detected"], row["copies"] > 0) == (detected, detected)
    assert (row["copies_low"] > 0) == detected
    assert row["copies_high"] > 2.99


def test_an_ambiguous_curve_is_not_counted_as_detected(eac):
    doubtful = reaction(FUSION, "unkn", "S1", 100, call="ambiguous")
    _, results = scored([*standards(), doubtful, *sample("S1", [], [50_000])], eac)
    assert only(results)["detected"] is False
    assert "ambiguous_call" in only(results)["flags"]


def test_what_an_ambiguous_reaction_holds_is_not_bounded(eac):
    doubtful = reaction(FUSION, "unkn", "S1", 100, call="ambiguous")
    row = only(row for row in scored([*standards(), doubtful], eac)[0] if row["sample_id"] == "S1")
    assert (row["copies"], row["copies_low"], row["copies_high"]) == (0, None, None)


def drawn(rng, rows, sd=0.1):
    """The same reactions with molecules drawn from Poisson and Cq that scatter; some are missed."""
    noisy = []
    for row in rows:
        expected = row["expected"]
        molecules = rng.poisson(expected)
        intercept, slope = LINE[row["target"]]
        cq = float(intercept + slope * np.log10(molecules) + rng.normal(0, sd)) if molecules else None
        noisy.append(row | {"cq": cq, "call": "amplified" if molecules else "not_amplified"})
    return noisy


def expecting(rows, expected):
    return [row | {"expected": float(expected)} for row in rows]


def plate(levels, control):
    rows = [row | {"expected": row["known_copies"]} for row in standards()]
    for number, level in enumerate(levels):
        rows += expecting([reaction(FUSION, "unkn", f"S{number:03d}", 1.0) for _ in range(2)], level)
        rows += expecting([reaction(CONTROL, "unkn", f"S{number:03d}", 1.0) for _ in range(2)], control)
    return rows


@pytest.mark.parametrize("level", [1e4, 300, 30, 10, 3])
def test_intervals_of_reactions_and_samples_hold_the_truth_in_95_of_100(level, eac):
    rng = np.random.default_rng(int(level))
    rows, names = plate([level] * 40, 3e4), [f"S{number:03d}" for number in range(40)]
    read, ratios = [], []
    for _ in range(12):
        copies, results = scored(drawn(rng, rows), eac, samples=names)
        own = [row for row in copies if row["role"] == "unkn" and row["target"] == FUSION]
        read += [row["copies_low"] <= level <= row["copies_high"] for row in own]
        ratios += [row["ratio_low"] <= 100 * level / 3e4 <= row["ratio_high"] for row in results]
        assert all(row["is_low"] <= row["is_high"] for row in results)
    # 12 curves, 480 samples: at many copies what they share weighs most, and its error is that of 12 runs
    assert 0.90 <= np.mean(read) <= 0.99
    assert 0.90 <= np.mean(ratios) <= 0.99


def test_the_interval_of_one_sample_is_the_same_alone_and_on_a_full_plate(eac):
    rng = np.random.default_rng(4)
    rows = drawn(rng, plate(10 ** rng.uniform(-1, 4, 90), 5e4))
    names = sorted({row["sample_id"] for row in rows if row["role"] == "unkn"})
    whole = {row["sample_id"]: row for row in scored(rows, eac, samples=names)[1]}
    for name in names[::10]:
        alone = [row for row in rows if row["role"] == "std" or row["sample_id"] == name]
        row = only(scored(alone, eac, samples=names)[1])
        for column in ("ratio_low", "ratio_high", "is_low", "is_high", "class_probabilities"):
            assert row[column] == whole[name][column]


def test_a_sample_with_fewer_replicates_than_others_on_the_plate_is_not_taken_for_one_with_missed_ones(eac):
    many, one = sample("S1", [50, 40, 60], [5e4, 5e4, 5e4]), sample("S2", [0], [5e4])
    whole = scored([*standards(), *many, *one], eac, samples=("S1", "S2"))[1]
    alone = only(scored([*standards(), *one], eac, samples=("S2",))[1])
    assert whole[1]["flags"] == alone["flags"] == []
    assert (whole[1]["ratio_low"], whole[1]["ratio_high"]) == (0, alone["ratio_high"])
    assert whole[1]["ratio_high"] == pytest.approx(100 * 2.9957 / 5e4, rel=0.01)


def test_a_slope_that_does_not_differ_from_nothing_bounds_nothing_and_says_so(eac):
    apart = {1e3: (30.0, 26.0), 1e4: (30.5, 23.0)}
    odd = [reaction(FUSION, "std", "STD", level, cq=cq) for level, pair in apart.items() for cq in pair]
    reactions = [*odd, *standards({CONTROL: STANDARDS[CONTROL]}), *sample("S1", [1e3, 1e3], [5e4, 5e4])]
    assert calibrate(reactions, eac)[FUSION].curve.slope < 0
    copies, results = scored(reactions, eac)
    reading = next(row for row in copies if row["sample_id"] == "S1" and row["target"] == FUSION)
    assert (reading["copies_low"], reading["copies_high"]) == (0, np.inf)
    row = only(results)
    assert (row["ratio_low"], row["ratio_high"], row["is_low"], row["is_high"]) == (0, np.inf, 0, np.inf)
    assert "interval_unbounded" in row["flags"]
    assert row["class_probabilities"] is None
    warned = [check for check in target_checks(reactions, eac) if check.check == "slope_uncertain"]
    assert only(warned).outcome == "warn"
    assert "no bounds (Fieller)" in only(warned).message
    assert "slope_uncertain" not in {check.check for check in target_checks(reactions, eac, CONTROL)}
    RESULTS.from_rows([row])


def test_a_target_that_is_not_in_the_protocol_is_kept_but_excluded(eac):
    stray = reaction(FUSION, "unkn", "S1", 100) | {"target": "GAPDH"}
    row = only(row for row in scored([*standards(), stray], eac)[0] if row["target"] == "GAPDH")
    assert (row["excluded"], row["excluded_why"]) == (True, "target is not in the assay protocol")


def test_without_a_standard_curve_there_are_no_copies_but_the_detection_is_kept(eac):
    copies, results = scored(sample("S1", [100, 0], [1e5]), eac)
    assert {row["excluded_why"] for row in copies} == {"no standard curve"}
    assert sorted(row["detected"] for row in copies) == [False, True, True]
    assert "no_bcr_abl_reaction" in only(results)["flags"]
    assert only(results).get("ratio_percent") is None


def test_an_omitted_reaction_keeps_its_copies_but_takes_no_part(eac):
    reactions = [*standards(), *sample("S1", [100, 100], [5e4, 5e4])]
    reactions.append(reaction(FUSION, "unkn", "S1", 1e5, excluded_why="marked as omitted in the export"))
    copies, results = scored(reactions, eac)
    omitted = only(row for row in copies if row["excluded"])
    assert omitted["copies"] == pytest.approx(1e5)
    assert only(results)["replicates"] == 2
    assert only(results)["ratio_percent"] == pytest.approx(0.2)
    assert "reaction_excluded" in only(results)["flags"]


# -- score ------------------------------------------------------------------------------------------------------------


def test_a_sample_is_scored_with_the_factor_of_its_site_assay_and_day(eac):
    _, results = scored([*standards(), *sample("S1", [12.4, 10.8], [52_000, 48_000])], eac)
    row = only(results)
    assert row["ratio_percent"] == pytest.approx(0.0232)
    assert row["is_percent"] == pytest.approx(0.8 * 0.0232)
    assert (row["conversion_factor"], row["conversion_factor_id"]) == (0.8, "LAB1/eac/ABL1/2026-01-01")
    assert (row["response_class"], row["evaluable"], row["flags"]) == ("MR3", True, [])
    assert (row["patient_id"], row["collection_date"]) == ("P1", date(2026, 2, 23))
    assert (row["replicates"], row["detected_replicates"], row["control_replicates"]) == (2, 2, 2)
    RESULTS.from_rows([row])


def test_the_interval_of_the_factor_widens_the_interval_on_the_scale_alone(eac):
    reactions = [*standards(), *sample("S1", [1e4, 1e4], [5e4, 5e4])]
    exact = replace(FACTOR, factor_low=None, factor_high=None)
    narrow, wide = (only(scored(reactions, eac, factors=(factor,))[1]) for factor in (exact, FACTOR))
    assert (narrow["ratio_low"], narrow["ratio_high"]) == (wide["ratio_low"], wide["ratio_high"])
    assert narrow["is_high"] == pytest.approx(0.8 * narrow["ratio_high"])
    assert wide["is_low"] < narrow["is_low"] < narrow["is_high"] < wide["is_high"]
    own, factor = np.log(narrow["is_high"] / narrow["is_low"]), np.log(0.9 / 0.7)
    assert np.log(wide["is_high"] / wide["is_low"]) == pytest.approx(np.hypot(own, factor), rel=0.05)


@pytest.mark.parametrize(("lod", "molecules"), [(3, 2.9957), (2, 2.9957), (12, 12)])
def test_the_bound_of_an_undetected_sample_is_its_limit_of_detection(lod, molecules, eac):
    reactions = [*standards(), *sample("S1", [0, 0], [5e4, 5e4])]
    row = only(scored(reactions, replace(eac, lod_copies=lod), factors=())[1])
    assert row["ratio_low"] == 0
    assert row["ratio_high"] == pytest.approx(100 * molecules / 1e5, rel=0.005)
    assert row["lod_copies"] == lod


def test_limits_leave_out_the_replicate_that_the_rule_for_weak_control_genes_drops(eac):
    dropping = replace(eac, below_replicate_minimum="drop")
    both = only(scored([*standards(), *sample("S1", [50, 500], [5e4, 5e3])], dropping)[1])
    alone = only(scored([*standards(), *sample("S1", [50], [5e4])], dropping)[1])
    assert "weak_control_replicate_dropped" in both["flags"]
    for column in ("ratio_percent", "ratio_low", "ratio_high", "is_low", "is_high"):
        assert both[column] == alone[column]


def test_a_replicate_missed_beside_many_copies_is_for_review(eac):
    reactions = [*standards(), *blanks(), *sample("S1", [5e3, 0], [5e4, 5e4])]
    results, _ = concluded(reactions, eac)
    row = only(results)
    assert row["ratio_percent"] == pytest.approx(5)  # the guideline counts it as nothing
    assert np.isnan(row["ratio_low"])  # counting does not believe it: no interval holds both
    assert np.isnan(row["ratio_high"])
    assert not row["class_probabilities"]
    assert {"unlikely_dropout", "interval_undetermined"} <= set(row["flags"])
    assert row["outcome"] == "review"


@pytest.mark.parametrize(("copies", "flagged"), [(3.0, False), (6.0, False), (8.0, True), (25.0, True)])
def test_an_empty_well_beside_a_positive_one_is_named_where_chance_is_below_one_in_a_thousand(copies, flagged, eac):
    reactions = [*standards(), *blanks(), *sample("S1", [copies, 0], [5e4, 5e4])]
    row = only(concluded(reactions, eac)[0])
    assert ("unlikely_dropout" in row["flags"]) == flagged  # exp(-6) is one in 400, exp(-8) one in 3,000
    assert row["ratio_low"] < row["ratio_percent_uncensored"] < row["ratio_high"]


def test_a_cq_beyond_the_assays_limit_is_not_detected_and_said(eac):
    late = [reaction(FUSION, "unkn", "S1", 1, cq=41.5) for _ in range(2)]
    controls = [reaction(CONTROL, "unkn", "S1", 5e4) for _ in range(2)]
    row = only(concluded([*standards(), *blanks(), *late, *controls], eac)[0])
    assert row["detected"] is False
    assert "late_cq" in row["flags"]
    assert row["outcome"] == "review"


@pytest.mark.parametrize("copies", [0.3, 0.01, 1e-4])
def test_a_cq_later_than_that_of_one_molecule_is_taken_for_one(copies, eac):
    """A protocol without a latest Cq: the curve's standards lie on their line to a hundredth of a cycle."""
    rows, results = scored([*standards(), *sample("S1", [copies, 0], [5e4, 5e4])], replace(eac, cq_limit=None))
    late = next(row for row in rows if row["role"] == "unkn" and row["detected"] and row["target"] == FUSION)
    one = next(
        row
        for row in scored([*standards(), *sample("S1", [1.0, 0], [5e4, 5e4])], eac)[0]
        if row["role"] == "unkn" and row["detected"] and row["target"] == FUSION
    )
    assert (late["copies_low"], late["copies_high"]) == (
        pytest.approx(one["copies_low"], rel=0.01),
        pytest.approx(one["copies_high"], rel=0.01),
    )
    assert 0 < only(results)["ratio_low"] < only(results)["ratio_high"] < np.inf


def test_replicates_that_no_number_of_molecules_explains_have_no_interval_and_are_for_review(eac):
    reactions = [*standards(), *blanks(), *sample("S1", [1.0, 800.0], [5e4, 5e4])]
    results, _ = concluded(reactions, eac)
    row = only(results)
    assert "interval_undetermined" in row["flags"]
    assert row["outcome"] == "review"
    assert RESULTS.from_rows([row])["ratio_high"].null_count == 1
    assert row["ratio_percent"] == pytest.approx(100 * 803 / 1e5)  # scored all the same: 1 counts as 3


def test_few_copies_may_be_missed_by_chance(eac):
    row = only(scored([*standards(), *sample("S1", [3, 0], [5e4, 5e4])], eac)[1])
    assert "unlikely_dropout" not in row["flags"]


@pytest.mark.parametrize(("copies", "flagged"), [(6_000, False), (6_500, True)])  # factor 0.8: 10 % IS at 6,250
def test_above_ten_percent_a_result_is_noted_as_saturated_and_reported(copies, flagged, eac):
    results, _ = concluded([*standards(), *blanks(), *sample("S1", [copies] * 2, [5e4] * 2)], eac)
    assert ("ratio_saturated" in only(results)["flags"]) == flagged
    assert only(results)["outcome"] == "report"


@pytest.mark.parametrize(("copies", "flagged"), [(4_900, False), (5_100, True)])
def test_without_a_factor_the_local_ratio_says_whether_it_is_saturated(copies, flagged, eac):
    row = only(scored([*standards(), *sample("S1", [copies] * 2, [5e4] * 2)], eac, transcript="e1a2")[1])
    assert ("ratio_saturated" in row["flags"]) == flagged


def test_a_control_gene_without_shared_primers_does_not_saturate(eac):
    reactions = [*standards(), *sample("S1", [5e4] * 2, [5e4] * 2)]
    row = only(scored(reactions, replace(eac, saturation_percent=None))[1])
    assert "ratio_saturated" not in row["flags"]


def test_two_control_genes_under_one_sample_are_flagged_and_only_the_protocol_s_counts(eac):
    gusb = reaction(CONTROL, "unkn", "S1", 2e5) | {"target": "GUSB"}
    row = only(scored([*standards(), *sample("S1", [100], [5e4]), gusb], eac)[1])
    assert "mixed_control_genes" in row["flags"]
    assert (row["control_copies"], row["control_replicates"]) == (pytest.approx(5e4), 1)


def test_a_factor_dated_after_the_run_is_not_used_and_the_one_of_the_day_is(eac):
    future = replace(FACTOR, factor=0.5, valid_from="2026-06-01")
    today = replace(FACTOR, valid_to="2026-05-31")
    row = only(scored([*standards(), *sample("S1", [100], [5e4])], eac, factors=(future, today))[1])
    assert row["conversion_factor"] == 0.8
    row = only(scored([*standards(), *sample("S1", [100], [5e4])], eac, factors=(future,))[1])
    assert row.get("conversion_factor") is None
    assert "no_valid_conversion_factor" in row["flags"]


@pytest.mark.parametrize(
    ("about", "flag"),
    [
        ({"factors": ()}, "no_valid_conversion_factor"),
        ({"run_date": date(2027, 1, 1)}, "no_valid_conversion_factor"),
        ({"run_date": date(2025, 12, 31)}, "no_valid_conversion_factor"),
        ({"run": replace(RUN, site="LAB2")}, "no_valid_conversion_factor"),
        ({"run_date": None}, "no_run_date"),
    ],
)
def test_without_a_valid_factor_there_is_no_is_and_never_a_factor_of_one(about, flag, eac):
    row = only(scored([*standards(), *sample("S1", [100], [5e4])], eac, **about)[1])
    assert row["ratio_percent"] == pytest.approx(0.2)
    assert np.isnan(row["is_percent"])
    assert row.get("conversion_factor") is None
    assert row["response_class"] is None
    assert flag in row["flags"]
    assert RESULTS.from_rows([row])["is_percent"].null_count == 1


@pytest.mark.parametrize("transcript", ["e1a2", "e19a2", "other"])
@pytest.mark.parametrize("bcr_abl", [100, 0])
def test_a_transcript_off_the_scale_has_a_ratio_but_neither_is_nor_class(transcript, bcr_abl, eac):
    row = only(scored([*standards(), *sample("S1", [bcr_abl], [5e4])], eac, transcript=transcript)[1])
    assert row["ratio_percent"] == pytest.approx(0.2 if bcr_abl else 0.0)
    assert np.isnan(row["is_percent"])
    assert (row["response_class"], row["sensitivity_class"]) == (None, None)
    assert row["flags"].count("not_on_international_scale") == 1
    assert "no_valid_conversion_factor" not in row["flags"]


def test_an_unknown_transcript_is_scored_and_flagged(eac):
    row = only(scored([*standards(), *sample("S1", [100], [5e4])], eac, transcript="unknown")[1])
    assert row["is_percent"] == pytest.approx(0.16)
    assert row["flags"] == ["transcript_unknown"]


def test_a_sample_that_is_not_in_the_sample_sheet_is_scored_and_flagged(eac):
    row = only(scored([*standards(), *sample("S9", [100], [5e4])], eac)[1])
    assert row["is_percent"] == pytest.approx(0.16)
    assert "not_in_sample_sheet" in row["flags"]
    assert row["patient_id"] is None


@pytest.mark.parametrize(
    ("bcr_abl", "abl", "flag"),
    [
        ([100], [], "no_control_gene"),
        ([100], [4_000], "control_gene_low"),
        ([], [5e4], "no_bcr_abl_reaction"),
        ([5e6], [5e4], "beyond_calibrated_range"),
        ([5], [5e4], "below_lowest_standard"),
        ([2], [5e4], "three_copy_rule_applied"),
    ],
)
def test_what_is_noteworthy_about_a_sample_is_flagged(bcr_abl, abl, flag, eac):
    row = only(scored([*standards(), *sample("S1", bcr_abl, abl)], eac)[1])
    assert flag in row["flags"]
    RESULTS.from_rows([row])


def test_a_sample_without_usable_control_gene_is_not_evaluable(eac):
    row = only(scored([*standards(), *sample("S1", [100], [])], eac)[1])
    assert row["evaluable"] is False
    assert RESULTS.from_rows([row])["ratio_percent"].null_count == 1
    assert row["response_class"] is None


def test_standards_and_blanks_are_no_samples(eac):
    _, results = scored(
        [*standards(), *blanks(), *sample("S1", [100], [5e4]), *sample("POS", [100], [5e4], "pos")], eac
    )
    assert [(row["sample_id"], row["role"]) for row in results] == [("POS", "pos"), ("S1", "unkn")]


def test_one_name_for_a_sample_and_a_control_is_flagged(eac):
    reactions = [*standards(), *sample("S1", [100], [5e4]), *sample("S1", [100], [5e4], "pos")]
    assert "mixed_roles" in only(scored(reactions, eac)[1])["flags"]


def test_an_interval_of_a_sample_holds_its_value(eac):
    noise = np.random.default_rng(1).normal(0, 0.1, 20)
    noisy = [row | {"cq": row["cq"] + shift} for row, shift in zip(standards(), noise, strict=True)]
    row = only(scored([*noisy, *sample("S1", [100], [5e4])], eac)[1])
    counting = only(scored([*standards(), *sample("S1", [100], [5e4])], eac)[1])
    assert row["is_low"] < row["is_percent"] < row["is_high"]
    assert row["is_high"] / row["is_low"] > counting["is_high"] / counting["is_low"]  # the curve adds its own error


# -- accept: reading --------------------------------------------------------------------------------------------------


def test_a_clean_reading_leaves_nothing_to_notice(eac):
    assert accept.check_reading([*standards(), *sample("S1", [1], [1])], eac) == []


def test_a_contradiction_of_the_layout_sheet_is_noticed(eac):
    odd = reaction(FUSION, "unkn", "S1", 10, well="C3", layout_overrides=["sample_id: export S2, layout S1"])
    check = only(accept.check_reading([odd], eac))
    assert (check.check, check.outcome, check.well) == ("layout_contradiction", "warn", "C3")
    assert check.message == "sample_id: export S2, layout S1; the layout sheet was followed"


def test_a_reaction_without_sample_an_omitted_one_and_a_stray_target_are_noticed(eac):
    reactions = [
        reaction(FUSION, "unkn", None, 10),
        reaction(FUSION, "unkn", "S1", 10, excluded_why="marked as omitted in the export"),
        reaction(FUSION, "unkn", "S1", 10) | {"target": "GAPDH"},
        reaction(FUSION, "ntc", None),
    ]
    found = {(check.check, check.message) for check in accept.check_reading(reactions, eac)}
    assert found == {
        ("sample_name", "a reaction without a sample name is in no result"),
        ("reaction_excluded", "marked as omitted in the export"),
        ("unknown_target", "not in protocol eac; takes no part"),
    }


def test_a_threshold_in_rn_needs_a_passive_reference(eac):
    bare = [reaction(FUSION, "unkn", "S1", 10, has_passive_reference=False)]
    check = only(accept.check_reading(bare, eac))
    assert (check.check, check.outcome) == ("passive_reference", "fail")
    assert check.message == "the threshold of eac is a level of Rn, but the export holds no passive reference"
    normalised = [row | {"stage": "normalised"} for row in bare]
    assert accept.check_reading(normalised, eac) == []
    assert accept.check_reading(bare, replace(eac, passive_reference="if_present")) == []


def test_baseline_subtracted_signal_is_noticed(eac):
    rows = [reaction(FUSION, "unkn", "S1", 10, stage="baseline_subtracted")]
    assert messages(accept.check_reading(rows, eac), "warn") == ["the export holds baseline-subtracted signal only"]


# -- accept: target ---------------------------------------------------------------------------------------------------


def target_checks(reactions, assay, target=FUSION):
    own = [row for row in reactions if row["target"] == target]
    return accept.check_target(calibrate(reactions, assay)[target], own, assay)


def test_a_good_target_passes_every_check(eac):
    checks = target_checks([*standards(), *blanks()], eac)
    assert {check.check for check in checks} == {"blanks", "slope", "r_squared", "efficiency", "lowest_standard"}
    assert {check.outcome for check in checks} == {"pass"}


def scattered(levels, shift=None, sd=0.05, seed=2):
    """Triplicates of standards about the line, some levels moved."""
    rng = np.random.default_rng(seed)
    rows = []
    for level in levels:
        for _ in range(3):
            row = reaction(FUSION, "std", f"STD-{level:g}", level)
            rows.append(row | {"cq": row["cq"] + float(rng.normal(0, sd)) + (shift or {}).get(level, 0.0)})
    return rows


def found_by(checks, name):
    return only(check for check in checks if check.check == name)


LEVELS = [1e6, 1e5, 1e4, 1e3, 100]


def test_straight_standards_pass_the_tests_of_the_line(eac):
    checks = target_checks([*scattered([*LEVELS, 10]), *blanks()], eac)
    for name in ("lack_of_fit", "linearity"):
        check = found_by(checks, name)
        assert (check.outcome, check.lower, check.unit) == ("pass", 0.01, "p")
        assert check.value > 0.01
    assert not {check.check for check in checks} & {"outlying_standard", "missed_standards", "slope_uncertain"}


def test_a_level_off_the_line_is_a_lack_of_fit_which_warns(eac):
    checks = target_checks([*scattered(LEVELS, {1e4: 0.4}), *blanks()], eac)
    check = found_by(checks, "lack_of_fit")
    assert check.outcome == "warn"
    assert check.value < 0.01
    assert check.message.endswith("our limit 0.01")


def test_a_curve_that_bends_warns_with_how_far_it_reads_off(eac):
    bent = {level: 0.06 * (np.log10(level) - 4) ** 2 for level in LEVELS}
    plain = replace(eac, weighting="none")
    checks = target_checks([*scattered(LEVELS, bent, sd=0.02), *blanks()], plain)
    check = found_by(checks, "linearity")
    assert check.outcome == "warn"
    # 0.06 (x - 4)² about its line through five levels: 0.12 cycles off in the middle and at both ends
    assert "the line reads" in check.message
    row = calibrate(scattered(LEVELS, bent, sd=0.02), plain)[FUSION].as_row("R1", True, "")
    assert abs(row["linearity_deviation_percent"]) == pytest.approx(100 * (10 ** (0.12 / 3.4) - 1), rel=0.15)


def test_an_outlying_standard_is_named_with_its_test_and_stays_in_the_curve(eac):
    rows = scattered(LEVELS)
    rows[4] |= {"cq": rows[4]["cq"] + 1.0, "well": "X9"}
    calibration = calibrate(rows, eac)[FUSION]
    assert calibration.curve.points == 15
    assert "X9" in calibration.as_row("R1", True, "")["points_used"]
    named = calibration.as_row("R1", True, "")["outlying_standards"]
    assert named
    assert all(text.startswith("X9: ") and ", p " in text for text in named)
    warned = [check for check in target_checks([*rows, *blanks()], eac) if check.check == "outlying_standard"]
    assert {(check.well, check.outcome) for check in warned} == {("X9", "warn")}
    assert all("kept in the curve" in check.message for check in warned)


def test_standards_missed_beyond_chance_warn_and_others_do_not(eac):
    silent = reaction(FUSION, "std", "STD-10", known_copies=10.0)
    rare = reaction(FUSION, "std", "STD-1", known_copies=1.0)
    checks = target_checks([*scattered(LEVELS), silent, rare, *blanks()], eac)
    missed = {check.message.split(" copies")[0]: check.outcome for check in checks if check.check == "missed_standards"}
    assert missed == {"10": "warn", "1": "pass"}  # exp(-10) and exp(-1)
    row = calibrate([*scattered(LEVELS), silent, rare], eac)[FUSION].as_row("R1", True, "")
    assert row["missed_standards"] == [
        "1 copies: 1 of 1 not detected, p 0.37",
        "10 copies: 1 of 1 not detected, p 4.5e-05",
    ]


@pytest.mark.parametrize(("slope", "outcome"), [(-3.4, "pass"), (-3.7, "warn")])
def test_slopes_of_the_two_targets_that_differ_warn_with_the_difference(slope, outcome, eac):
    rng = np.random.default_rng(6)
    control = [row | {"target": CONTROL} for row in scattered(LEVELS, seed=7)]
    fusion = [
        row | {"cq": float(40 + slope * np.log10(row["known_copies"]) + rng.normal(0, 0.05))}
        for row in scattered(LEVELS)
    ]
    check = only(accept.check_parallelism(calibrate([*fusion, *control], eac), eac))
    assert (check.check, check.target, check.outcome) == ("parallelism", None, outcome)
    assert check.message.startswith("slopes differ by ")


def test_without_one_of_the_curves_there_is_nothing_to_compare(eac):
    assert accept.check_parallelism(calibrate(standards({FUSION: LEVELS}), eac), eac) == []


@pytest.mark.parametrize(
    ("slope", "outcome"), [(-3.4, "pass"), (-3.65, "warn"), (-4.1, "fail"), (-2.9, "fail"), (-3.1, "warn")]
)
def test_the_slope_is_held_against_both_windows(slope, outcome, eac):
    rows = [row | {"cq": 40 + slope * np.log10(row["known_copies"])} for row in standards({FUSION: STANDARDS[FUSION]})]
    found = [check.outcome for check in target_checks([*rows, *blanks()], eac) if check.check == "slope"]
    assert max(found, key=["pass", "warn", "fail"].index) == outcome


def test_no_curve_fails_the_target_with_the_reason(eac):
    checks = target_checks([*blanks(), *sample("S1", [1], [])], eac)
    failed = only(check for check in checks if check.outcome == "fail")
    assert failed.check == "standard_curve"
    assert "standards of BCR::ABL1: found none" in failed.message


def test_too_few_levels_fail(eac):
    checks = target_checks([*standards({FUSION: [1e5, 10]}), *blanks()], eac)
    assert "2 standard levels took part, 3 are needed" in messages(checks)


def test_a_lowest_standard_that_was_not_detected_fails_the_fusion_gene_only(eac):
    rows = [row for row in standards() if row["known_copies"] != 10 or row["target"] != FUSION]
    rows += [reaction(FUSION, "std", "STD-10", known_copies=10.0, well="F1")]
    checks = target_checks([*rows, *blanks()], eac)
    assert messages(checks) == ["the standard of 10 copies is not in the curve (not on the plate, or not detected)"]
    assert messages(checks, "warn") == [
        "not_amplified: no rise above noise",
        "10 copies: 1 of 1 not detected, p 4.5e-05; our limit 0.01",
    ]
    assert messages(target_checks([*rows, *blanks()], eac, CONTROL)) == []


def test_the_lowest_standard_may_be_the_lowest_on_the_plate(eac):
    generic = replace(eac, lowest_standard=LowestStandard(None, "fail", ""))
    rows = standards({FUSION: [1e5, 1e4, 1e3]})
    assert messages(target_checks([*rows, *blanks()], generic)) == []
    assert len(messages(target_checks([*rows, *blanks()], eac))) == 1


def test_without_any_known_standard_the_lowest_on_the_plate_is_no_question(eac):
    generic = replace(eac, lowest_standard=LowestStandard(None, "fail", ""))
    assert len(messages(target_checks(blanks(), generic))) == 1


def test_an_amplified_blank_fails_and_an_ambiguous_one_warns(eac):
    contaminated = [*standards(), *blanks(), reaction(FUSION, "ntc", "NTC", 50)]
    failed = only(check for check in target_checks(contaminated, eac) if check.outcome == "fail")
    assert (failed.check, failed.value) == ("blanks", 1.0)
    unclear = [*standards(), *blanks(), reaction(FUSION, "nrt", "NRT", 1, call="ambiguous", why="weak", well="H1")]
    warned = only(check for check in target_checks(unclear, eac) if check.outcome == "warn")
    assert (warned.message, warned.well) == ("nrt may have amplified: weak", "H1")


def test_an_omitted_blank_does_not_count_and_a_plate_without_blanks_is_noticed(eac):
    omitted = reaction(FUSION, "ntc", "NTC", 50, excluded_why="marked as omitted in the export")
    assert messages(target_checks([*standards(), omitted], eac), "warn") == [
        "no blank (ntc, nac, nrt, neg) on the plate"
    ]


# -- accept: samples and conclusion -----------------------------------------------------------------------------------


def concluded(reactions, assay, **about):
    copies, results = scored(reactions, assay, **about)
    checks = accept.check_reading(reactions, assay)
    for target in LINE:
        checks += target_checks(reactions, assay, target)
    checks += accept.check_samples(copies, results, assay) + accept.check_controls(results, assay)
    return accept.concluded(results, checks), checks


def test_a_good_sample_on_a_good_run_is_reported(eac):
    results, checks = concluded([*standards(), *blanks(), *sample("S1", [100, 100], [5e4, 5e4])], eac)
    assert (only(results)["outcome"], only(results)["flags"]) == ("report", [])
    assert {check.outcome for check in checks} == {"pass"}


def test_a_few_copies_alone_ask_for_no_review(eac):
    results, _ = concluded([*standards(), *blanks(), *sample("S1", [2, 2], [5e4, 5e4])], eac)
    assert only(results)["flags"] == ["below_lowest_standard", "three_copy_rule_applied"]
    assert only(results)["outcome"] == "report"


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [(1e4, 1e4, "report"), (1e4, 2.0e4, "report"), (1e4, 4.0e4, "review"), (4, 12, "report"), (4, 20, "review")],
)
def test_replicates_that_lie_too_far_apart_ask_for_a_review(first, second, outcome, eac):
    # 3.4 log10(4) = 2.0 cycles > 1.5; from Cq 36 on 2.0 cycles are allowed: 3.4 log10(12/4) = 1.6, log10(20/4): 2.4
    results, checks = concluded([*standards(), *blanks(), *sample("S1", [first, second], [5e4, 5e4])], eac)
    assert only(results)["outcome"] == outcome
    assert ("replicate_spread" in only(results)["flags"]) == (outcome == "review")
    spread = [check for check in checks if check.check == "replicate_spread" and check.target == FUSION]
    assert only(spread).value == pytest.approx(3.4 * abs(np.log10(first / second)))


def test_a_weak_control_gene_is_repeated_and_the_run_still_reports_the_others(eac):
    reactions = [*standards(), *blanks(), *sample("S1", [100], [5e4]), *sample("S2", [100], [3e3])]
    results, checks = concluded(reactions, eac, samples=("S1", "S2"))
    assert [row["outcome"] for row in results] == ["report", "repeat"]
    weak = only(check for check in checks if check.outcome == "fail")
    assert (weak.check, weak.sample_id) == ("control_copies", "S2")
    assert weak.value == pytest.approx(3e3)


def test_a_sample_without_control_gene_fails_the_check_of_its_copies(eac):
    results, checks = concluded([*standards(), *blanks(), *sample("S1", [100], [])], eac)
    assert only(results)["outcome"] == "repeat"
    assert any("could not be determined" in message for message in messages(checks))


def test_a_run_that_failed_is_repeated_with_every_sample(eac):
    reactions = [*standards(), *blanks(), reaction(FUSION, "ntc", "NTC", 50), *sample("S1", [100], [5e4])]
    results, _ = concluded(reactions, eac)
    assert only(results)["outcome"] == "repeat"
    assert only(results)["flags"] == ["run_failed"]


@pytest.mark.parametrize(("bcr_abl", "outcome"), [(100, "pass"), (1000, "warn")])
def test_a_control_sample_is_held_against_its_own_window(bcr_abl, outcome, eac):
    watched = replace(eac, controls={"HIGH": Window(0.1, 0.3, "warn", "laboratory")})
    reactions = [*standards(), *blanks(), *sample("HIGH", [bcr_abl], [5e4], "pos")]
    results, checks = concluded(reactions, watched)
    check = only(check for check in checks if check.check == "control_sample")
    assert (check.outcome, check.sample_id, check.unit) == (outcome, "HIGH", "% IS")
    assert ("control_outside_window" in only(results)["flags"]) == (outcome == "warn")


def test_a_control_sample_that_is_not_on_the_plate_does_not_pass(eac):
    watched = replace(eac, controls={"HIGH": Window(0.1, 0.3, "fail", "laboratory")})
    check = only(accept.check_controls([], watched))
    assert (check.outcome, check.value) == ("fail", None)


def test_checks_are_rows_of_the_qc_table():
    rows = accept.qc_rows("R1", [finding("blanks", "warn", "no blank", target=CONTROL)])
    assert QC.from_rows(rows).to_pylist()[0] == {
        "run_id": "R1",
        "target": "ABL1",
        "sample_id": None,
        "well": None,
        "check": "blanks",
        "value": None,
        "lower": None,
        "upper": None,
        "unit": "",
        "outcome": "warn",
        "message": "no blank",
    }
