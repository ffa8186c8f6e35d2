"""Facts about simulated plates. Crossings are read off by a few lines here, not by the package's own analysis."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcrabl.errors import RunError
from bcrabl.run import Run
from bcrabl.simulation import (
    DEFECTS,
    Kinetics,
    Optics,
    Reaction,
    Sample,
    amplify,
    draw_template,
    low_efficiency,
    replicate_plate,
    sample_plate,
    simulate_run,
    truth_of_samples,
    well_names,
)
from bcrabl.simulation import example as shipped
from bcrabl.simulation.reading import round_significant
from bcrabl.tables import REACTIONS, TRUTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

BCR_ABL1 = "BCR::ABL1"
THRESHOLD = 0.1
QUIET = Optics(read_noise=0.0, relative_noise=0.0, drift=0.0, plateau_cv=0.0, reference_cv=0.0)


def rise(run: Run) -> NDArray[np.float64]:
    """ΔRn above the line through cycles 3 to 15."""
    window = (run.cycles >= 3) & (run.cycles <= 15)
    slope, intercept = np.polyfit(run.cycles[window], run.signal[:, window].T, 1)
    return run.signal - intercept[:, None] - slope[:, None] * run.cycles


def crossings(run: Run) -> NDArray[np.float64]:
    """Cycle at which ΔRn crosses 0.1 for good, log-linear between cycles; NaN where it does not."""
    found = np.full(len(run.fluorescence), np.nan)
    for row, curve in enumerate(rise(run)):
        below = np.flatnonzero(curve < THRESHOLD)
        last = below[-1]
        if last + 1 < len(curve):
            low, high = np.log(np.maximum(curve[last : last + 2], 1e-4))
            found[row] = run.cycles[last] + (np.log(THRESHOLD) - low) / (high - low)
    return found


def drawn(run: Run) -> NDArray[np.float64]:
    return np.asarray(run.truth["drawn_copies"].to_numpy())


def stream(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


# Template


@pytest.mark.parametrize("expected", [0.5, 3.0, 40.0])
def test_template_copies_are_poisson(expected):
    wells = 20_000
    copies = draw_template(np.full(wells, expected), np.ones(wells), stream(1))
    assert copies.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / wells))
    # variance of a sample variance: (kurtosis excess 1/mean + 2) mean² / n
    assert copies.var() == pytest.approx(expected, abs=4 * expected * np.sqrt((2 + 1 / expected) / wells))


def test_pipetting_spreads_a_million_copies_by_its_cv():
    run = simulate_run(replicate_plate(BCR_ABL1, [1e6], 4000), seed=2, volume_cv=0.03)
    assert drawn(run).mean() == pytest.approx(1e6, rel=0.002)
    assert drawn(run).std() / drawn(run).mean() == pytest.approx(0.03, rel=0.05)


def test_targets_of_one_well_share_the_pipetted_volume():
    plate = sample_plate([Sample(f"S{n}", 1e6, 1e6) for n in range(300)], duplex=True, rows=100)
    copies = drawn(simulate_run(plate, seed=3, volume_cv=0.2)).reshape(-1, 2)[-600:]
    assert np.corrcoef(copies.T)[0, 1] > 0.99


def test_truth_tells_the_expected_and_the_drawn_copies_in_the_order_of_the_reactions():
    run = simulate_run(replicate_plate("ABL1", [5000.0, 0.0], 2), seed=4)
    assert run.truth.schema.equals(TRUTH.schema)
    assert run.truth["well"].to_pylist() == run.reactions["well"].to_pylist()
    assert run.truth["expected_copies"].to_pylist() == [5000.0, 5000.0, 0.0, 0.0]
    assert drawn(run)[2:].tolist() == [0.0, 0.0]


# Amplification


def product_of(template: float, reactions: int, efficiency: float, cycles: int, ceiling: float = 1e13):
    ones = np.ones(reactions)
    return amplify(template * ones, efficiency * ones, ceiling / 3 * ones, ceiling * ones, cycles, stream(5))


def test_early_product_has_mean_and_variance_of_a_branching_process():
    efficiency, cycles, reactions = 0.8, 10, 20_000
    product = product_of(1, reactions, efficiency, cycles)[:, -1]
    mean = (1 + efficiency) ** cycles
    variance = (1 - efficiency) / (1 + efficiency) * mean * (mean - 1)  # Galton-Watson, Harris 1963
    assert product.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / reactions))
    assert product.var() == pytest.approx(variance, rel=0.05)


def test_early_product_is_whole_molecules():
    product = product_of(3, 50, 0.9, 12)
    assert np.array_equal(product, np.round(product))


def test_efficiency_is_constant_until_product_competes():
    product = product_of(1e6, 1, 0.9, 50)[0]
    growth = product[1:] / product[:-1] - 1
    early = product[:-1] < 1e9
    assert growth[early] == pytest.approx(0.9, rel=1e-3)
    assert growth[-1] < 0.02


@settings(max_examples=40, deadline=None)
@given(
    template=st.floats(0, 1e9).map(np.floor),
    efficiency=st.floats(0, 1),
    ceiling=st.floats(1e10, 1e14),
)
def test_product_never_shrinks_and_never_exceeds_the_primers(template, efficiency, ceiling):
    product = product_of(template, 1, efficiency, 60, ceiling)[0]
    assert np.all(np.diff(product, prepend=template) >= 0)
    assert product[-1] <= ceiling * (1 + 1e-9)


# The curve


@pytest.mark.parametrize("efficiency", [0.75, 0.9, 0.99])
def test_doubling_the_template_shifts_the_crossing_by_one_over_log2_of_one_plus_efficiency(efficiency):
    kinetics = {BCR_ABL1: Kinetics(efficiency=efficiency)}
    run = simulate_run(
        replicate_plate(BCR_ABL1, [2e4, 4e4], 40), seed=6, kinetics=kinetics, optics=QUIET, volume_cv=0.0
    )
    single, double = crossings(run).reshape(2, 40).mean(axis=1)
    assert single - double == pytest.approx(1 / np.log2(1 + efficiency), abs=0.01)


@pytest.mark.parametrize("efficiency", [0.75, 0.99])
def test_slope_of_the_standards_follows_from_the_efficiency(efficiency):
    levels = [1e6, 1e5, 1e4, 1e3, 1e2]
    plate = replicate_plate(BCR_ABL1, levels, 30, role="std")
    run = simulate_run(plate, seed=7, kinetics=low_efficiency(efficiency))
    slope, _ = np.polyfit(np.log10(run.reactions["known_copies"].to_numpy()), crossings(run), 1)
    assert slope == pytest.approx(-1 / np.log10(1 + efficiency), abs=0.03)


def test_one_molecule_crosses_at_cycle_39_and_a_half():
    run = simulate_run(replicate_plate(BCR_ABL1, [1.0], 2000), seed=8)
    assert crossings(run)[drawn(run) == 1].mean() == pytest.approx(39.5, abs=0.1)


def test_one_expected_copy_is_detected_in_63_percent_of_wells():
    wells = 4000
    run = simulate_run(replicate_plate(BCR_ABL1, [1.0], wells), seed=9)
    share = np.isfinite(crossings(run)).mean()
    chance = 1 - np.exp(-1)
    assert share == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / wells))


def test_a_well_amplifies_exactly_where_a_molecule_got_in():
    run = simulate_run(replicate_plate(BCR_ABL1, [1.0], 500), seed=10)
    assert np.array_equal(np.isfinite(crossings(run)), drawn(run) > 0)


def test_a_well_without_template_stays_at_its_baseline():
    run = simulate_run(replicate_plate(BCR_ABL1, [0.0], 300, role="ntc"), seed=11)
    assert np.abs(rise(run)).max() < THRESHOLD / 2


def test_noise_drift_background_and_plateau_are_those_of_an_instrument():
    run = simulate_run(replicate_plate(BCR_ABL1, [0.0, 1e5], 400), seed=12)
    empty, full = run.signal[:400], rise(run)[400:]
    slope, intercept = np.polyfit(run.cycles, empty.T, 1)
    residual = empty - intercept[:, None] - slope[:, None] * run.cycles
    assert residual.std() == pytest.approx(0.003, rel=0.1)
    assert intercept.mean() == pytest.approx(0.30, abs=0.01)
    assert np.abs(slope).max() < 0.00115  # 0.001, times the spread of the passive reference and noise
    assert 2.0 < full[:, -1].mean() < 4.0
    assert 2e5 < run.passive_reference.mean() < 1e6


def test_passive_reference_takes_the_common_mode_out():
    optics = replace(QUIET, lamp_cv=0.05, bubble_cv=0.05)
    run = simulate_run(replicate_plate(BCR_ABL1, [0.0], 50), seed=13, optics=optics)
    spread = run.fluorescence.std(axis=1) / run.fluorescence.mean(axis=1)
    assert spread.min() > 0.04
    assert (run.signal.std(axis=1) / run.signal.mean(axis=1)).max() < 1e-4  # what rounding leaves


def test_a_plate_without_passive_reference_has_none():
    run = simulate_run(replicate_plate(BCR_ABL1, [10.0], 2), seed=14, optics=Optics(passive_reference=False))
    assert run.passive_reference is None


def test_other_optics_show_the_same_molecules():
    plate = replicate_plate(BCR_ABL1, [10.0], 20)
    dim = simulate_run(plate, seed=15, optics=Optics(background=0.1, passive_reference=False))
    assert drawn(dim).tolist() == drawn(simulate_run(plate, seed=15)).tolist()


# Bytes


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_numbers():
    plate = replicate_plate(BCR_ABL1, [100.0, 1.0], 8)
    first, again, other = (simulate_run(plate, seed=seed) for seed in (16, 16, 17))
    assert first.fluorescence.tobytes() == again.fluorescence.tobytes()
    assert first.passive_reference.tobytes() == again.passive_reference.tobytes()
    assert first.truth.equals(again.truth)
    assert not np.any(first.fluorescence == other.fluorescence, axis=1).all()


def test_values_carry_six_significant_digits():
    run = simulate_run(replicate_plate(BCR_ABL1, [1e4], 8), seed=18)
    values = run.fluorescence.ravel()
    assert values.tolist() == [float(f"{value:.6g}") for value in values]


@given(st.floats(1e-6, 1e12))
def test_rounding_gives_the_double_that_text_of_six_digits_is_read_as(value):
    rounded = round_significant(np.array([value]))[0]
    assert rounded == float(f"{rounded:.6g}")
    assert rounded == pytest.approx(value, rel=5.001e-6)


# Plates


def test_wells_run_row_by_row_and_beyond_z():
    names = list(well_names(rows=28, columns=2))
    assert names[:3] == ["A1", "A2", "B1"]
    assert names[-2:] == ["AB1", "AB2"]
    assert len(set(names)) == 56


def test_the_usual_plate_has_standards_waters_and_samples_in_wells_apart():
    plate = sample_plate([Sample("S1", 10.0, 50_000.0)])
    assert len({reaction.well for reaction in plate}) == len(plate) == 12 + 8 + 4 + 4
    standards = [reaction for reaction in plate if reaction.role == "std"]
    assert {reaction.known_copies for reaction in standards if reaction.target == BCR_ABL1} == {
        10.0**n for n in range(1, 7)
    }
    assert all(reaction.known_copies is None for reaction in plate if reaction.role != "std")


def test_a_duplex_plate_shares_wells_and_their_passive_reference():
    plate = sample_plate([Sample("S1", 100.0, 50_000.0)], duplex=True)
    run = simulate_run(plate, seed=19)
    assert len({reaction.well for reaction in plate}) == len(plate) / 2
    assert np.array_equal(run.passive_reference[0::2], run.passive_reference[1::2])
    assert not np.array_equal(run.fluorescence[0::2], run.fluorescence[1::2])
    assert set(run.reactions["target"].to_pylist()) == {BCR_ABL1, "ABL1"}


def test_reactions_have_the_schema_of_a_raw_export():
    run = simulate_run(sample_plate([Sample("S1", 10.0, 50_000.0)]), seed=20, run_date="2026-03-02")
    assert run.reactions.schema.equals(REACTIONS.schema)
    assert run.stage == "raw"
    assert run.metadata["instrument"] == "bcrabl simulation (not a real instrument)"
    assert run.metadata["run_date"] == "2026-03-02"
    assert run.reactions["vendor_cq"].null_count == run.reactions.num_rows


def test_an_empty_plate_is_an_empty_run():
    assert simulate_run([], seed=21).fluorescence.shape == (0, 50)


def test_more_samples_than_wells_are_refused():
    with pytest.raises(RunError, match=r"100 wells for 19 samples .* at most 96"):
        sample_plate([Sample(f"S{n}", 1.0, 1.0) for n in range(19)])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"target": "KRAS"}, "target 'KRAS' without kinetics"),
        ({"role": "patient"}, "role 'patient'"),
        ({"copies": -1.0}, r"-1.0 copies"),
        ({"copies": float("nan")}, "nan copies"),
        ({"efficiency": 1.2}, "efficiency 1.2"),
        ({"defect": "smoke"}, "defect 'smoke'"),
        ({"known_copies": 10.0}, "known copies of a reaction with role 'unkn'"),
    ],
)
def test_a_reaction_that_cannot_be_simulated_is_refused_with_its_place(wrong, message):
    plate = [replace(Reaction("B7", BCR_ABL1, "unkn", "S1", 10.0), **wrong)]
    with pytest.raises(RunError, match=rf"well B7.*{message}"):
        simulate_run(plate, seed=22)


def test_all_faults_of_a_plate_are_told_at_once():
    twice = [Reaction("A1", BCR_ABL1, "unkn", "S1", 10.0)] * 2
    with pytest.raises(RunError, match="the reaction twice") as caught:
        simulate_run([*twice, Reaction("A2", "ABL1", "boss", "S1", -5.0)], seed=23)
    assert len(caught.value.problems) == 3


# Defects


def with_defect(defect: str, copies: float) -> Run:
    plate = [Reaction(f"A{n}", BCR_ABL1, "unkn", "S1", copies, defect=defect) for n in range(1, 13)]
    return simulate_run(plate, seed=24)


@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_every_defect_leaves_its_mark(defect):
    copies = 1e4 if defect == "flat" else 0.0
    difference = with_defect(defect, copies).signal - with_defect("", copies).signal
    assert np.abs(difference).max() > 0.2


def test_a_creeping_well_crosses_without_ever_being_exponential():
    curves = rise(with_defect("creep", 0.0))
    assert (curves.max(axis=1) > THRESHOLD).all()
    late = curves[:, 39:]
    assert (late[:, 1:] / late[:, :-1]).max() < 1.25


def test_a_drifting_well_rises_in_a_straight_line():
    run = with_defect("drift", 0.0)
    slope = np.polyfit(run.cycles, run.signal.T, 1)[0]
    assert slope.min() > 0.006
    assert np.abs(rise(run)).max() < THRESHOLD


def test_a_flat_well_holds_template_but_does_not_amplify():
    run = with_defect("flat", 1e5)
    assert drawn(run).min() > 0
    assert np.isnan(crossings(run)).all()


def test_an_inhibited_reaction_comes_late():
    plate = [Reaction("A1", "ABL1", "unkn", "S1", 1e5), Reaction("A2", "ABL1", "unkn", "S2", 1e5, efficiency=0.7)]
    good, inhibited = crossings(simulate_run(plate, seed=25))
    assert inhibited - good > 3


def test_a_contaminated_water_amplifies():
    run = simulate_run(sample_plate([], ntc_copies=30.0), seed=26)
    water = [row["role"] == "ntc" for row in run.reactions.to_pylist()]
    assert np.isfinite(crossings(run)[water]).tolist() == [True, True, False, False]


# Truth of samples


def test_truth_of_a_sample_sums_over_its_replicates():
    samples = [Sample("S1", 10.0, 50_000.0), Sample("HIGH", 500.0, 20_000.0, role="pos")]
    rows = truth_of_samples(simulate_run(sample_plate(samples, replicates=3), seed=27))
    assert rows == [
        {
            "sample_id": "S1",
            "role": "unkn",
            "bcr_abl_copies": 30.0,
            "control_copies": 150_000.0,
            "ratio_percent": pytest.approx(0.02),
        },
        {
            "sample_id": "HIGH",
            "role": "pos",
            "bcr_abl_copies": 1500.0,
            "control_copies": 60_000.0,
            "ratio_percent": pytest.approx(2.5),
        },
    ]


def test_a_sample_without_control_gene_has_no_ratio():
    run = simulate_run(sample_plate([Sample("S1", 10.0, 0.0)]), seed=28)
    assert truth_of_samples(run)[0]["ratio_percent"] is None


def test_the_truth_of_two_control_genes_must_be_asked_for_by_name():
    plate = [Reaction(f"A{n}", target, "unkn", "S1", 1e3) for n, target in enumerate([BCR_ABL1, "ABL1", "GUSB"], 1)]
    run = simulate_run(plate, seed=29)
    with pytest.raises(RunError, match=r"2 control genes \(ABL1, GUSB\)"):
        truth_of_samples(run)
    assert truth_of_samples(run, control_gene="GUSB")[0]["control_copies"] == 1e3


def test_a_run_without_a_control_gene_is_told_so():
    with pytest.raises(RunError, match="no control gene"):
        truth_of_samples(simulate_run(replicate_plate(BCR_ABL1, [1.0], 1), seed=30))


def test_a_real_run_has_no_truth():
    run = replace(simulate_run([], seed=31), truth=None)
    with pytest.raises(RunError, match="no truth"):
        truth_of_samples(run)


# The shipped runs


@pytest.mark.parametrize(
    ("run_id", "target", "lowest", "highest"),
    [
        ("demo-1", BCR_ABL1, -3.5, -3.2),
        ("demo-1", "ABL1", -3.5, -3.2),
        ("demo-2", BCR_ABL1, -3.55, -3.2),
        ("demo-2", "ABL1", -3.5, -3.2),
        ("demo-3", BCR_ABL1, -4.3, -4.0),
        ("demo-3", "ABL1", -4.3, -4.0),
    ],
)
def test_only_the_failing_run_has_a_steep_standard_curve(run_id, target, lowest, highest):
    run = shipped.simulate_example(run_id)
    rows = run.reactions.to_pylist()
    standards = np.array([row["role"] == "std" and row["target"] == target for row in rows])
    copies = np.array([row["known_copies"] or np.nan for row in rows])[standards]
    slope = np.polyfit(np.log10(copies), crossings(run)[standards], 1)[0]
    assert lowest < slope < highest


def test_only_the_failing_run_has_a_contaminated_water():
    for run_id in shipped.RUN_DATES:
        run = shipped.simulate_example(run_id)
        water = np.array([row["role"] == "ntc" for row in run.reactions.to_pylist()])
        assert np.isfinite(crossings(run)[water]).any() == (run_id == "demo-3")
