"""Window of linearity against growth of known efficiency and template, and against what LinRegPCR shipped."""

from __future__ import annotations

import csv
import re
import zipfile
from dataclasses import fields
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcrabl.curves import analyse_curves, wol_phase
from bcrabl.curves import window_of_linearity as module
from bcrabl.curves.window_of_linearity import window_of_linearity
from bcrabl.errors import RunError
from bcrabl.formats import read_run

CYCLES = np.arange(1, 46, dtype=float)
FOLDER = "rdml14_untergasser_vermeulen"
PER_CURVE = ("baseline", "efficiency", "r_squared", "points", "phase_points", "last_cycle", "td0", "amplification")


def grown(e, *, fold=2.0, f=0.2, baseline=0.5, rise=2.0, cycles=CYCLES):
    """Curves (n, m) that grow `fold` per cycle and level off; the smaller f, the longer they stay exponential."""
    slope = np.log(fold) / f
    return baseline + rise * (1 + np.exp(-slope * (cycles - np.atleast_1d(e)[:, None]))) ** -f


def noisy_plate(n=60, noise=0.004, seed=3):
    rng = np.random.default_rng(seed)
    e = rng.uniform(19, 30, n)
    return grown(e, fold=1.9, f=1.0) + rng.normal(0, noise, (n, len(CYCLES)))


# -- growth that is known ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fold", [1.5, 1.8, 1.9, 2.0])
def test_efficiency_and_baseline_of_exponential_growth_are_recovered(fold):
    found = window_of_linearity(CYCLES, grown(np.linspace(20, 30, 21), fold=fold, f=0.1))
    np.testing.assert_allclose(found.efficiency, fold, atol=1e-3)
    np.testing.assert_allclose(found.baseline, 0.5, atol=1e-3)
    assert found.mean_efficiency == pytest.approx(fold, abs=1e-3)
    assert found.amplification.all()
    assert np.all(found.r_squared > 0.99999)


def test_n0_is_proportional_to_the_template():
    template = np.array([1.0, 10, 100, 1000, 1e4])
    found = window_of_linearity(CYCLES, grown(32 - np.log2(template), f=0.1))
    np.testing.assert_allclose(found.n0 / found.n0[0], template, rtol=5e-3)


def test_n0_is_the_signal_at_cycle_zero():
    e, f = 25.0, 0.1
    found = window_of_linearity(CYCLES, grown([e], f=f))
    assert found.n0[0] == pytest.approx(2.0 * 2.0**-e, rel=0.02)  # the rise's early limit d · fold^(x - e) at x = 0


def test_the_well_is_at_the_threshold_at_its_cq():
    found = window_of_linearity(CYCLES, grown(np.linspace(20, 30, 21), f=0.1))
    e = np.linspace(20, 30, 21)
    np.testing.assert_allclose(2.0 * 2.0 ** (found.cq - e), found.threshold, rtol=0.01)
    np.testing.assert_allclose(found.n0 * found.mean_efficiency**found.cq, found.threshold, rtol=1e-12)


def test_td0_of_a_logistic_curve_is_where_its_differences_of_third_order_fall_through_zero():
    e = np.linspace(20, 30, 101)
    distance = np.arange(-6, -0.5, 1e-4)  # cycles before the steepest rise
    second = {-2: 1, -1: -1, 1: -1, 2: 1}  # mean of three second differences, times three

    def acceleration(x):
        return sum(weight / (1 + np.exp(-np.log(1.9) * (x + step))) for step, weight in second.items())

    third = acceleration(distance + 0.5) - acceleration(distance - 0.5)
    zero = e + distance[np.flatnonzero(third >= 0)[-1]]
    found = window_of_linearity(CYCLES, grown(e, fold=1.9, f=1.0))
    np.testing.assert_allclose(found.td0, zero, atol=0.08)  # what is left: straight lines between cycles


def test_plateau_tells_a_levelled_curve_from_one_cut_off_in_its_rise():
    levelled, rising = grown([25.0], f=1.0), grown([43.3], f=1.0)
    assert window_of_linearity(CYCLES, levelled).plateau[0]
    cut = window_of_linearity(CYCLES, rising)
    assert cut.amplification[0]
    assert not cut.plateau[0]


@given(shift=st.floats(-100, 1000), factor=st.floats(1e-3, 1e5))
@settings(max_examples=40, deadline=None)
def test_neither_an_added_constant_nor_the_unit_of_the_signal_matters(shift, factor):
    curves = noisy_plate(20)
    plain, moved = window_of_linearity(CYCLES, curves), window_of_linearity(CYCLES, factor * (curves + shift))
    for name in ("efficiency", "cq", "td0", "amplification"):
        np.testing.assert_allclose(getattr(moved, name), getattr(plain, name), rtol=1e-6)
    np.testing.assert_allclose(moved.n0, factor * plain.n0, rtol=1e-4)
    np.testing.assert_allclose(moved.baseline, factor * (plain.baseline + shift), rtol=1e-6, atol=1e-6 * factor)


# -- the shared efficiency --------------------------------------------------------------------------------------------


def test_one_outlying_efficiency_is_left_out_of_the_mean():
    folds = np.append(1.9 + 0.004 * np.linspace(-1, 1, 20), 1.6)
    curves = np.vstack([grown([25.0], fold=fold, f=0.1) for fold in folds])
    found = window_of_linearity(CYCLES, curves)
    np.testing.assert_array_equal(np.flatnonzero(found.efficiency_outlier), [20])
    assert found.mean_efficiency == pytest.approx(1.9, abs=1e-3)
    assert found.efficiency_sd == pytest.approx(np.std(folds[:20]), abs=2e-4)
    assert np.isfinite(found.cq[20])


@pytest.mark.parametrize("k", [5, 10, 30])
def test_grubbs_limit_is_passed_by_five_percent_of_normal_samples(k):
    samples = np.random.default_rng(k).normal(size=(40_000, k))
    largest = np.abs(samples - samples.mean(axis=1, keepdims=True)).max(axis=1) / samples.std(axis=1, ddof=1)
    assert np.mean(largest > module._grubbs_limit(k)) == pytest.approx(0.05, abs=0.004)


def test_wells_that_do_not_contribute_leave_mean_and_threshold_alone():
    curves = np.vstack([grown(np.linspace(22, 28, 8), f=0.1), grown([34.0], fold=1.5, f=0.1, rise=9.0)])
    mask = np.arange(9) < 8
    found, alone = window_of_linearity(CYCLES, curves, contributes=mask), window_of_linearity(CYCLES, curves[:8])
    assert found.mean_efficiency == alone.mean_efficiency
    assert found.threshold == alone.threshold
    assert found.amplification[8]
    assert np.isfinite(found.cq[8])


def test_a_curve_has_the_same_bits_alone_and_among_ten_thousand():
    plate = noisy_plate(50)
    many = window_of_linearity(CYCLES, np.resize(plate, (10_000, len(CYCLES))))
    for row in range(0, 50, 7):
        alone = window_of_linearity(CYCLES, plate[row : row + 1])
        for name in PER_CURVE:
            np.testing.assert_array_equal(getattr(alone, name), getattr(many, name)[row : row + 1])


def test_the_order_of_the_wells_changes_shared_figures_by_rounding_only():
    plate = noisy_plate(50)
    forward, backward = window_of_linearity(CYCLES, plate), window_of_linearity(CYCLES, plate[::-1])
    assert forward.mean_efficiency == pytest.approx(backward.mean_efficiency, rel=1e-13)
    np.testing.assert_allclose(forward.cq, backward.cq[::-1], rtol=1e-12)


# -- gaps -------------------------------------------------------------------------------------------------------------


def test_a_cubic_signal_is_filled_exactly_and_ends_take_the_nearest_reading():
    x = np.arange(12.0)
    cubic = (x - 3) ** 3 / 10
    holes = np.vstack([cubic, cubic, cubic])
    holes[0, [4, 5]], holes[1, [0, 11]], holes[2, :] = np.nan, np.nan, np.nan
    filled = wol_phase.fill_gaps(holes)
    np.testing.assert_allclose(filled[0], cubic, atol=1e-12)
    assert (filled[1, 0], filled[1, 11]) == (cubic[1], cubic[10])
    assert np.isnan(filled[2]).all()


def test_a_gap_of_more_than_four_cycles_is_a_straight_line():
    x = np.arange(12.0)
    holes = x[None, :] ** 2
    holes[0, 4:9] = np.nan
    np.testing.assert_allclose(wol_phase.fill_gaps(holes)[0, 3:10], np.linspace(9, 81, 7))


@pytest.mark.parametrize("offset", range(-12, 6))
def test_one_missing_cycle_anywhere_in_the_rise_loses_no_curve(offset):
    curves = grown(np.linspace(20, 30, 21), fold=1.9, f=1.0)
    whole = window_of_linearity(CYCLES, curves)
    column = np.floor(whole.td0).astype(int) - 1 + offset
    curves[::5, column[::5]] = np.where(np.eye(5), np.nan, curves[::5, column[::5]])
    holed = window_of_linearity(CYCLES, curves)
    assert holed.amplification.all()
    np.testing.assert_allclose(holed.cq, whole.cq, atol=0.25)


def test_a_cycle_that_the_file_leaves_out_is_a_missing_cycle():
    curves = noisy_plate(5)
    kept = CYCLES != 12
    holed = np.where(kept, curves, np.nan)
    left_out, missing = window_of_linearity(CYCLES[kept], curves[:, kept]), window_of_linearity(CYCLES, holed)
    np.testing.assert_array_equal(left_out.cq, missing.cq)


def test_cycles_are_numbers_and_not_positions():
    curves = noisy_plate(5)
    first, later = window_of_linearity(CYCLES, curves), window_of_linearity(CYCLES + 7, curves)
    for name in ("cq", "td0", "last_cycle"):
        np.testing.assert_allclose(getattr(later, name), getattr(first, name) + 7)


# -- curves that are none ---------------------------------------------------------------------------------------------

SPIKE = np.where(CYCLES == 20, 3.0, 0.5)
NO_CURVES = {
    "flat": np.full(45, 0.5),
    "zero": np.zeros(45),
    "falling": 3 - 0.05 * CYCLES,
    "straight": 0.004 * CYCLES,
    "bending down": np.sqrt(CYCLES),
    "spike": SPIKE,
    "step": np.where(CYCLES > 20, 3.0, 0.5),
    "one reading": np.where(CYCLES == 20, 3.0, np.nan),
    "nothing": np.full(45, np.nan),
    "infinite": np.where(CYCLES > 30, np.inf, 0.5),
    "huge": np.where(CYCLES > 30, 1e300, 1e-300),
}


@pytest.mark.parametrize("name", NO_CURVES)
def test_what_is_no_amplification_has_no_cq_and_no_n0(name):
    found = window_of_linearity(CYCLES, NO_CURVES[name][None, :])
    assert not found.amplification[0]
    assert np.isnan([found.cq[0], found.n0[0], found.mean_efficiency, found.threshold]).all()
    assert not found.plateau[0] or not found.baseline_error[0]


def test_bad_curves_leave_good_ones_beside_them_alone():
    good = noisy_plate(10)
    mixed = window_of_linearity(CYCLES, np.vstack([good, *NO_CURVES.values()]))
    alone = window_of_linearity(CYCLES, good)
    np.testing.assert_array_equal(mixed.cq[:10], alone.cq)
    assert mixed.baseline_error[10]
    assert np.isnan(mixed.efficiency[10])


@given(seed=st.integers(0, 10_000), m=st.integers(1, 50), missing=st.floats(0, 1))
@settings(max_examples=80, deadline=None)
def test_any_readings_give_figures_of_the_right_shape(seed, m, missing):
    rng = np.random.default_rng(seed)
    curves = rng.normal(0, 1, (7, m)).cumsum(axis=1) * 10.0 ** rng.integers(-6, 9, (7, 1))
    curves[rng.random((7, m)) < missing] = np.nan
    found = window_of_linearity(np.arange(1, m + 1), curves)
    for field in fields(found):
        value = getattr(found, field.name)
        assert np.shape(value) in ((7,), ())
    assert np.all(np.isfinite(found.cq) <= found.amplification)
    assert np.all(~found.amplification | ~found.baseline_error)


def test_no_curves_give_no_figures():
    assert window_of_linearity(CYCLES, np.empty((0, 45))).cq.shape == (0,)


@pytest.mark.parametrize(
    ("cycles", "shape", "mask"),
    [([1, 2, 4, 3], (2, 4), None), ([1, 2, 2.5], (2, 3), None), ([1, 2], (2, 3), None), ([1, 2, 3], (2, 3), [True])],
)
def test_shapes_and_cycles_that_do_not_fit_are_refused(cycles, shape, mask):
    with pytest.raises(RunError):
        window_of_linearity(cycles, np.ones(shape), contributes=mask)


# -- what LinRegPCR shipped -------------------------------------------------------------------------------------------


def printed(rows, column):
    return np.array([float(row[column]) if row[column] else np.nan for row in rows])


def stated(rows, column):
    return np.array([row[column] == "True" for row in rows])


@pytest.fixture
def shipped(real_data):
    """volume_machine's curves in the order of the rows of the shipped results, and those rows."""
    with real_data(FOLDER, "volume_results.tsv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["well"] != "well"]
    run = read_run(real_data(FOLDER, "volume_machine.rdml"))
    place = {(each["part"], each["well"], each["target"]): i for i, each in enumerate(run.reactions.to_pylist())}
    order = [place[f"{row['Experiment']}/{row['Run']}", row["well"], row["target"]] for row in rows]
    return run.cycles, run.fluorescence[order], rows


@pytest.mark.real_data
def test_phase_and_calls_of_172_wells_equal_the_shipped_ones(shipped):
    cycles, curves, rows = shipped
    found = window_of_linearity(cycles, curves)
    assert len(rows) == 172
    np.testing.assert_array_equal(found.points, np.maximum(printed(rows, "n included"), 0))
    np.testing.assert_array_equal(found.phase_points, np.maximum(printed(rows, "n in log phase"), 0))
    np.testing.assert_array_equal(np.nan_to_num(found.last_cycle, nan=-1), printed(rows, "last log cycle"))
    np.testing.assert_array_equal(found.amplification, stated(rows, "amplification"))
    np.testing.assert_array_equal(found.baseline_error, printed(rows, "baseline error") != 0)
    np.testing.assert_array_equal(np.isnan(found.td0), printed(rows, "TD0") < 0)
    np.testing.assert_allclose(found.td0, np.where(np.isnan(found.td0), np.nan, printed(rows, "TD0")), atol=0.0051)
    # shipped: a plateau for every well, empty ones too; with a target in the well we agree
    filled = np.array([row["target"] != "no primer" for row in rows])
    np.testing.assert_array_equal(found.plateau[filled], stated(rows, "plateau")[filled])


@pytest.mark.real_data
def test_efficiency_and_fit_of_143_wells_equal_the_shipped_ones(shipped):
    cycles, curves, rows = shipped
    found = window_of_linearity(cycles, curves)
    solved = ~found.baseline_error
    assert solved.sum() == 143
    difference = np.abs(found.efficiency - printed(rows, "indiv PCR eff"))[solved]
    assert (difference <= 0.51e-4).sum() >= 141  # the others by one unit of the last digit
    assert difference.max() < 1e-4
    np.testing.assert_allclose(found.r_squared[solved], printed(rows, "R2")[solved], atol=0.51e-4)
    baseline = printed(rows, "baseline")
    assert (np.abs(found.baseline / baseline - 1)[solved] <= 1e-4).sum() >= 135
    assert np.abs(found.baseline / baseline - 1)[solved].max() < 1e-3


@pytest.mark.real_data
def test_with_the_published_stop_of_the_search_every_baseline_is_the_shipped_one(shipped):
    cycles, curves, rows = shipped
    exact = window_of_linearity(cycles, curves)
    stop = np.nan_to_num(exact.last_cycle).astype(np.int64)
    windows = module._windows(curves, np.maximum(stop - exact.points + 1, 1), exact.points)
    # published: curves that reach zero are lifted by a hundredth of the run's range before the search from zero up
    run = np.array([row["Experiment"] for row in rows])
    highest = np.array([curves[run == each].max() for each in run])
    lowest = curves.min(axis=1)
    lifted = np.where(lowest < 1e-8, (highest - lowest) / 100 - lowest, 0.0)
    depth = module._baseline_depth(windows, windows.signal[:, 0] + lifted, tolerance=1e-5 * np.log(10))
    solved = ~exact.baseline_error
    baseline = (windows.signal[:, 0] - depth)[solved]
    np.testing.assert_allclose(baseline, printed(rows, "baseline")[solved], rtol=1e-6, atol=0.51e-4)
    efficiency = np.exp(module._line(windows, depth).slope)[solved]
    np.testing.assert_allclose(efficiency, printed(rows, "indiv PCR eff")[solved], atol=0.51e-4)


@pytest.mark.real_data
def test_mean_efficiency_outliers_and_copies_equal_the_shipped_ones(shipped, real_data):
    cycles, curves, rows = shipped
    volumes = reaction_volumes(real_data(FOLDER, "volume_machine.rdml"))
    groups = {(row["Experiment"], row["target"]) for row in rows if row["target"] != "no primer"}
    assert len(groups) == 5
    for group in sorted(groups):
        chosen = [i for i, row in enumerate(rows) if (row["Experiment"], row["target"]) == group]
        theirs = [rows[i] for i in chosen]
        found = window_of_linearity(cycles, curves[chosen])
        assert found.mean_efficiency == pytest.approx(float(theirs[0]["PCR eff"]), abs=0.51e-4)
        assert found.efficiency_sd == pytest.approx(float(theirs[0]["STD PCR eff"]), abs=0.51e-4)
        np.testing.assert_array_equal(found.efficiency_outlier, stated(theirs, "excl PCR efficiency"))
        strands = np.where([row["sample nucleotide"] == "ss" for row in theirs], 2, 1)
        volume = np.array([volumes[row["Experiment"], row["well"]] for row in theirs])
        # their copies at TD0, per µl, are a constant of the primer and the dye; its value follows from any one well
        expected = 1.39508e9 * volume * strands / found.mean_efficiency**found.td0
        copies = printed(theirs, "Ncopy")
        counted = copies > 0
        np.testing.assert_allclose(copies[counted], expected[counted], rtol=2e-4, atol=0.051)


def reaction_volumes(path):
    """Experiment and well to the reaction volume, µl, which the reader leaves out."""
    with zipfile.ZipFile(path) as archive:
        root = ET.fromstring(archive.read(archive.namelist()[0]))
    found = {}
    for experiment in root.findall("{*}experiment"):
        for run in experiment.findall("{*}run"):
            columns = int(run.findtext("{*}pcrFormat/{*}columns"))
            for react in run.findall("{*}react"):
                row, column = divmod(int(react.get("id")) - 1, columns)
                found[experiment.get("id"), f"{chr(65 + row)}{column + 1}"] = float(react.findtext("{*}vol"))
    return found


@pytest.mark.real_data
def test_shifted_baselines_change_nothing(real_data):
    run = read_run(real_data(FOLDER, "shifted_baseline.rdml"))
    target = np.array([each["target"] for each in run.reactions.to_pylist()])
    shifted = [name for name in np.unique(target) if name.endswith(" X")]
    assert len(shifted) == 6
    for name in shifted:
        theirs = window_of_linearity(run.cycles, run.fluorescence[target == name])
        ours = window_of_linearity(run.cycles, run.fluorescence[target == name.removesuffix(" X")])
        assert ours.amplification.all()
        assert theirs.mean_efficiency == pytest.approx(ours.mean_efficiency, rel=1e-9)
        for figure in ("cq", "td0", "n0", "efficiency"):
            np.testing.assert_allclose(getattr(theirs, figure), getattr(ours, figure), rtol=1e-7)


@pytest.mark.real_data
def test_gaps_lose_no_curve_that_rises(real_data):
    run = read_run(real_data(FOLDER, "matrix_gaps.rdml"))
    well = np.array([each["well"] for each in run.reactions.to_pylist()])
    gaps = np.isnan(run.fluorescence).any(axis=1)
    found, other = window_of_linearity(run.cycles, run.fluorescence), analyse_curves(run.cycles, run.fluorescence)
    assert gaps.sum() == 21
    lost = gaps & ~found.amplification
    assert set(well[lost]) == {"N9", "O3"}  # N9 is flat, O3 has a single reading
    assert np.all(other.call[lost] == "not_amplified")
    kept = gaps & found.amplification
    np.testing.assert_allclose(found.td0[kept], other.cq_second_derivative[kept], atol=0.7)


@pytest.mark.real_data
def test_vermeulen_cq_follow_the_published_linregpcr_cq(real_data):
    """Published by the first version (window set per target, own threshold): a constant offset is expected."""
    published = published_linregpcr_cq(real_data(FOLDER, "data_vermeulen_methods_cq.tsv"))
    run = read_run(real_data(FOLDER, "data_vermeulen_std_150000_15.rdml"))
    reactions = run.reactions.to_pylist()
    target = np.array([each["target"] for each in reactions])
    amount = np.log10([each["known_copies"] for each in reactions])
    theirs = np.empty(len(reactions))
    for i, each in enumerate(reactions):
        theirs[i] = published[re.sub(r"_2008\d+.*", "", each["target"]), each["sample_id"]].pop(0)
    slopes, spread = [], []
    for name in np.unique(target):
        at = target == name
        found = window_of_linearity(run.cycles, run.fluorescence[at])
        assert found.amplification.all()
        figures = (found.td0, found.cq, theirs[at])
        slopes.append([np.polyfit(amount[at], figure, 1)[0] for figure in figures])
        spread.append([np.std(figure - theirs[at]) for figure in figures[:2]])
    assert len(slopes) == 64
    difference = np.abs(np.array(slopes) - np.array(slopes)[:, 2:])
    assert np.median(difference[:, 0]) < 0.02  # measured 0.012 (TD0) and 0.014 (Cq) at a slope of -3.46
    assert np.median(difference[:, 1]) < 0.02
    assert np.all(np.median(spread, axis=0) < 0.1)  # measured 0.088 (TD0) and 0.083 (Cq) cycles within a target


def published_linregpcr_cq(path):
    """Target and standard to the three published Cq, in the order of the replicates."""
    cq: dict[tuple[str, str], list[float]] = {}
    method, names = "", []
    for line in path.read_text(encoding="latin-1").splitlines():
        cells = line.split(";")
        if cells[0] == "method":
            method, names = cells[1], cells[3:]
        elif method == "LinRegPCR" and cells[2].startswith("STD_"):
            for name, value in zip(names, cells[3:], strict=True):
                cq.setdefault((name, cells[2]), []).append(float(value))
    return cq
