"""Figures and flags of curve quality, against curves whose defects are put in by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bcrabl.curves import analyse_curves
from bcrabl.curves.blocks import tuples_of
from bcrabl.curves.quality import QUALITY_FLAGS, QualityLimits, assess
from bcrabl.curves.sigmoid import fit_sigmoid

CYCLES = np.arange(1, 46, dtype=float)
RISE, NOISE = 2.0, 0.01


def sigmoid(e=24.0, *, rise=RISE, slope=0.65, level=0.5):
    return level + rise / (1 + np.exp(-slope * (CYCLES - e)))


def with_noise(*shapes, noise=NOISE, seed=8):
    curves = np.vstack(shapes)
    return curves + np.random.default_rng(seed).normal(0, noise, curves.shape)


def plate(*shapes, n=20, noise=NOISE):
    """n good curves and then the given ones."""
    return with_noise(*[sigmoid(20 + row / 2) for row in range(n)], *shapes, noise=noise)


def assessed(curves, limits=None):
    analysis = analyse_curves(CYCLES, curves, threshold=0.2)
    fit = fit_sigmoid(CYCLES, curves)
    return assess(CYCLES, curves, fit, analysis.baseline, analysis.call, analysis.scores, analysis.efficiency, limits)


def names(quality):
    return tuples_of(quality.flags)


def test_good_curves_have_no_flag():
    quality = assessed(plate(noise=0.005))
    assert set(names(quality)) == {()}
    assert list(quality.flags) == list(QUALITY_FLAGS)


def test_noise_and_signal_to_noise_are_those_put_in():
    quality = assessed(plate(n=60))
    assert np.median(quality.noise_sd) == pytest.approx(NOISE, rel=0.1)
    assert np.median(quality.signal_to_noise) == pytest.approx(RISE / NOISE, rel=0.1)


def test_the_drift_of_the_baseline_is_a_share_of_the_plateau_per_cycle():
    quality = assessed(plate(sigmoid(30) + 0.016 * CYCLES, sigmoid(30) - 0.016 * CYCLES, noise=0.002))
    # the plateau it is measured by contains the drift of the cycles between: 2 ± 0.016 × 20 or so
    np.testing.assert_allclose(quality.baseline_slope[-2:], [0.016 / 2.4, -0.016 / 1.6], rtol=0.1)
    assert all("steep_baseline" in names for names in names(quality)[-2:])


def test_a_flat_well_is_measured_by_the_plateau_of_its_target():
    quality = assessed(plate(np.full(45, 0.5) + 0.02 * CYCLES))
    assert quality.baseline_slope[-1] == pytest.approx(0.02 / RISE, rel=0.05)
    assert names(quality)[-1] == ("steep_baseline",)


def test_a_noisy_curve_is_named():
    curves = plate(sigmoid())
    curves[-1] += np.random.default_rng(1).normal(0, 0.12, 45)
    assert assessed(curves).flags["noisy"].tolist() == [False] * 20 + [True]


def test_low_and_high_plateaus_are_those_far_from_the_median_of_the_target():
    quality = assessed(plate(sigmoid(rise=0.6), sigmoid(rise=6.0)))
    np.testing.assert_allclose(quality.plateau_ratio[-2:], [0.3, 3.0], rtol=0.03)
    assert names(quality)[-2:] == (("low_plateau",), ("high_plateau",))


@pytest.mark.parametrize(("shape", "cycle"), [(1.0 * (CYCLES == 12), (12, 13)), (0.4 * (CYCLES >= 35), (35,))])
def test_a_jump_is_named_with_its_cycle_and_size(shape, cycle):
    quality = assessed(plate(sigmoid(22) + shape))
    assert "jump" in names(quality)[-1]
    assert quality.jump_cycle[-1] in cycle
    assert quality.jump_share[-1] == pytest.approx(shape.max() / RISE, rel=0.3)
    assert quality.jump[-1] > 10


def test_evaporation_and_fall_after_the_plateau_are_measured():
    late = np.maximum(CYCLES - 32, 0)
    quality = assessed(plate(sigmoid(20) - 0.03 * late, sigmoid(20)))
    assert quality.hook_depth[-2] == pytest.approx(0.03 * 12 / RISE, rel=0.15)
    assert "falling_plateau" in names(quality)[-2]
    assert quality.hook_depth[-1] == 0
    assert abs(quality.plateau_slope[-1]) < 0.001


def test_a_clipped_curve_is_saturated():
    curves = plate(sigmoid(22))
    curves[-1] = np.minimum(curves[-1], 1.8)
    quality = assessed(curves)
    assert quality.saturation_share[-1] == np.mean(curves[-1] == 1.8)
    assert "saturated" in names(quality)[-1]
    assert (quality.saturation_share[:-1] == 0).all()


def test_an_inhibited_well_is_an_outlier_of_efficiency():
    quality = assessed(plate(sigmoid(26, slope=0.35), noise=0.004))
    assert quality.efficiency[-1] == pytest.approx(np.exp(0.35), abs=0.1)
    assert quality.efficiency_z[-1] < -3.5
    assert quality.flags["efficiency_outlier"].tolist() == [False] * 20 + [True]


def test_without_three_amplified_curves_there_is_no_efficiency_to_compare_with():
    quality = assessed(with_noise(sigmoid(), np.full(45, 0.5)))
    assert np.isnan(quality.efficiency_z).all()


def test_limits_can_be_moved():
    curves = plate(sigmoid(rise=0.6))
    assert names(assessed(curves, QualityLimits(plateau_ratio=(0.1, 10.0))))[-1] == ()


def test_wells_without_readings_or_without_an_amplified_neighbour_get_no_flag_they_cannot_have():
    quality = assessed(np.vstack([np.full(45, np.nan), np.full(45, 0.5)]))
    assert names(quality) == ((), ())
    assert np.isnan(quality.jump_cycle[0])


def test_the_figures_do_not_hang_on_the_order_of_the_wells():
    curves = plate(sigmoid(rise=0.6), sigmoid(26, slope=0.35))
    order = np.random.default_rng(3).permutation(len(curves))
    here, there = assessed(curves), assessed(curves[order])
    assert [names(here)[row] for row in order] == list(names(there))
    for name in ("plateau_ratio", "efficiency_z", "baseline_slope", "jump"):
        np.testing.assert_allclose(getattr(here, name)[order], getattr(there, name), rtol=1e-12)
