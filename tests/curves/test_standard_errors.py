"""Standard errors of Cq against the scatter of simulated curves whose Cq is known in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bcrabl.curves.baseline import baseline_under
from bcrabl.curves.landmarks import Shape, cy0, first_derivative_maximum, relative_crossing, second_derivative_maximum
from bcrabl.curves.misfit import common_misfit
from bcrabl.curves.quantification import threshold_crossing
from bcrabl.curves.sigmoid import fit_sigmoid
from bcrabl.curves.uncertainty import (
    crossing_standard_error,
    honest_covariance,
    landmark_standard_errors,
)
from bcrabl.curves.window_of_linearity import window_of_linearity
from bcrabl.curves.window_uncertainty import window_crossing_standard_error

CYCLES = np.arange(1, 46, dtype=float)
LANDMARKS = {
    "second_derivative_maximum": second_derivative_maximum,
    "first_derivative_maximum": first_derivative_maximum,
    "cy0": cy0,
}
NAMES = dict(zip(LANDMARKS, LANDMARKS, strict=True))
RISE, THRESHOLD = 2.0, 0.2
WHOLE, NO_PLATEAU = (15.0, 36.0), (38.0, 43.0)  # where the steepest rises lie


def shapes(n=1200, seed=1, places=WHOLE):
    rng = np.random.default_rng(seed)
    log_slope, q = np.log(rng.uniform(0.45, 0.85, n)), 1 / rng.uniform(0.6, 2.0, n)
    return Shape(log_slope, rng.uniform(*places, n), q, logarithmic=False)


def share(shape):
    u = np.exp(-np.exp(shape.log_slope)[:, None] * (CYCLES - shape.steepest[:, None]))
    q = shape.asymmetry_inverse[:, None]
    return (1 + q * u) ** (-1 / q)


def with_noise(shape, *, sd=0.005, growing=0.0, correlation=0.0, seed=2):
    """Signals of rise 2, noise in shares of the rise: SD at the baseline, part that grows with the signal, AR(1)."""
    reached = share(shape)
    noise = np.random.default_rng(seed).normal(0, 1, reached.shape)
    noise[:, 1:] *= np.sqrt(1 - correlation**2)
    for k in range(1, len(CYCLES)):
        noise[:, k] += correlation * noise[:, k - 1]
    return 0.6 + RISE * (reached + noise * np.sqrt(sd**2 + (growing * reached) ** 2))


def z_of_landmarks(shape, signal):
    fit = fit_sigmoid(CYCLES, signal)
    errors, _ = landmark_standard_errors(CYCLES, signal, fit, NAMES)
    return {name: (getattr(fit, name)() - true(shape)) / errors[name] for name, true in LANDMARKS.items()}


def z_of_crossing(shape, signal):
    fit = fit_sigmoid(CYCLES, signal)
    line = baseline_under(CYCLES, signal, fit, np.ones(len(signal), dtype=bool))
    _, noise = honest_covariance(CYCLES, signal, fit)
    level = np.full(len(signal), THRESHOLD)
    crossing, sensitivity = threshold_crossing(CYCLES, signal - line.at(CYCLES), level, fit)
    error = crossing_standard_error(crossing, sensitivity, line, noise.autocorrelation)
    z = (crossing - relative_crossing(shape, THRESHOLD / RISE)) / error
    assert np.isfinite(z).mean() > 0.99
    return z[np.isfinite(z)]


# -- landmarks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sd", "places"), [(0.001, WHOLE), (0.005, WHOLE), (0.02, WHOLE), (0.001, NO_PLATEAU), (0.005, NO_PLATEAU)]
)
def test_z_of_landmarks_under_white_noise_has_sd_one(sd, places):
    shape = shapes(places=places)
    for name, z in z_of_landmarks(shape, with_noise(shape, sd=sd)).items():
        assert 0.9 < z.std() < 1.1, name
        assert abs(z.mean()) < 0.15, name


@pytest.mark.parametrize("growing", [0.01, 0.03])
def test_z_of_landmarks_has_sd_one_where_the_noise_grows_with_the_signal(growing):
    shape = shapes()
    for name, z in z_of_landmarks(shape, with_noise(shape, sd=0.002, growing=growing)).items():
        assert 0.9 < z.std() < 1.1, name


@pytest.mark.parametrize("correlation", [0.2, 0.5])
def test_z_of_landmarks_has_sd_near_one_where_the_noise_drags_on(correlation):
    shape = shapes()
    signal = with_noise(shape, correlation=correlation)
    fit = fit_sigmoid(CYCLES, signal)
    for name, z in z_of_landmarks(shape, signal).items():
        assert 0.82 < z.std() < 1.12, name
        assert 0.92 < np.mean(np.abs(z) < 1.96) < 0.98, name
        independent = (getattr(fit, name)() - LANDMARKS[name](shape)) / fit.standard_error_of(name)
        assert independent.std() > z.std() + 0.1


def test_missing_readings_leave_the_landmark_errors_honest():
    shape = shapes()
    signal = with_noise(shape)
    signal[np.random.default_rng(3).random(signal.shape) < 0.1] = np.nan
    for name, z in z_of_landmarks(shape, signal).items():
        assert 0.9 < z.std() < 1.1, name


def test_a_bound_that_noise_has_driven_the_asymmetry_to_does_not_make_it_known():
    shape = shapes(n=4000)
    signal = with_noise(shape, sd=0.02)
    fit = fit_sigmoid(CYCLES, signal)
    errors, _ = landmark_standard_errors(CYCLES, signal, fit, NAMES)
    off = fit.first_derivative_maximum() - shape.steepest
    stopped = fit.at_bound & np.isfinite(off)
    assert stopped.sum() >= 5
    held = fit.standard_error_of("first_derivative_maximum")
    assert np.median(np.abs(off / held)[stopped]) > 4
    assert np.median(np.abs(off / errors["first_derivative_maximum"])[stopped]) < 3


def test_z_of_landmarks_stays_near_one_on_a_drifting_baseline():
    shape = shapes()
    slope = np.random.default_rng(8).normal(0, 0.001, (len(shape.steepest), 1))
    for name, z in z_of_landmarks(shape, with_noise(shape) + slope * CYCLES).items():
        assert 0.9 < z.std() < 1.15, name


def test_a_drift_of_the_baseline_is_no_correlation_of_its_noise():
    shape = shapes()
    slope = np.random.default_rng(8).normal(0, 0.002, (len(shape.steepest), 1))
    signal = with_noise(shape) + slope * CYCLES
    _, noise = honest_covariance(CYCLES, signal, fit_sigmoid(CYCLES, signal))
    assert noise.autocorrelation.mean() == pytest.approx(0.0, abs=0.06)


# -- noise ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.4])
def test_correlation_of_neighbouring_readings_is_found_although_the_fit_swallows_part(correlation):
    signal = with_noise(shapes(), correlation=correlation)
    _, noise = honest_covariance(CYCLES, signal, fit_sigmoid(CYCLES, signal))
    assert noise.autocorrelation.mean() == pytest.approx(correlation, abs=0.06)


def test_noise_is_split_into_what_is_there_without_signal_and_what_grows_with_it():
    signal = with_noise(shapes(places=(20, 30)), sd=0.002, growing=0.02)
    _, noise = honest_covariance(CYCLES, signal, fit_sigmoid(CYCLES, signal))
    assert np.sqrt(np.median(noise.quiet)) == pytest.approx(0.002 * RISE, rel=0.1)
    assert np.sqrt(np.mean(noise.growing)) == pytest.approx(0.02 * RISE, rel=0.05)


def test_under_white_noise_the_errors_of_the_shape_are_those_of_least_squares():
    signal = with_noise(shapes(places=(20, 30)))
    fit = fit_sigmoid(CYCLES, signal)
    found, _ = honest_covariance(CYCLES, signal, fit)
    for k in (2, 3, 4):
        assert np.median(found[:, k, k] / fit.covariance[:, k, k]) == pytest.approx(1.0, abs=0.1)


def test_the_covariance_is_the_sandwich_of_the_noise_found_and_the_square_of_one_drift():
    signal = with_noise(shapes(n=6, places=(20, 30)), growing=0.01, correlation=0.6)
    signal[1, 20] = np.nan
    fit = fit_sigmoid(CYCLES, signal)
    found, noise = honest_covariance(CYCLES, signal, fit)
    lag = np.abs(CYCLES[:, None] - CYCLES)
    for row in range(6):
        theta = np.array([fit.baseline[row], fit.rise[row], *(part[row] for part in fit.shape[:3])])

        def curve(values):
            q, u = values[4], np.exp(-np.exp(values[2]) * (CYCLES - values[3]))
            return values[0] + values[1] * (1 + q * u) ** (-1 / q)

        steps = 1e-6 * np.eye(5)
        jacobian = np.column_stack([(curve(theta + step) - curve(theta - step)) / 2e-6 for step in steps])
        reached = (curve(theta) - theta[0]) / theta[1]
        sd = np.sqrt(noise.quiet[row] + noise.growing[row] * reached**2)
        omega = sd[:, None] * sd * np.where(lag == 0, 1.0, noise.autocorrelation[row] ** lag)
        kept = np.isfinite(signal[row])
        jacobian, omega = jacobian[kept], omega[np.ix_(kept, kept)]
        inverse = np.linalg.inv(jacobian.T @ jacobian)
        rest = found[row] - inverse @ jacobian.T @ omega @ jacobian @ inverse
        unit = 1 / np.sqrt(np.diag(found[row]))
        values = np.linalg.eigvalsh(rest * unit[:, None] * unit)
        np.testing.assert_allclose(values[:4], 0.0, atol=1e-3)
        assert values[4] > -1e-3


def test_a_curve_without_a_fit_has_no_standard_error_and_one_without_noise_next_to_none():
    signal = np.vstack([np.full(45, 0.6), 0.6 + RISE * share(shapes(n=1))])
    fit = fit_sigmoid(CYCLES, signal)
    errors, noise = landmark_standard_errors(CYCLES, signal, fit, NAMES)
    assert np.isnan(noise.quiet[0])
    for name in NAMES:
        assert np.isnan(errors[name][0])
        assert 0 <= errors[name][1] < 1e-5


def test_a_curve_has_the_same_errors_alone_and_among_others():
    signal = with_noise(shapes(n=600), correlation=0.3)
    together = honest_covariance(CYCLES, signal, fit_sigmoid(CYCLES, signal))
    for row in (0, 255, 256, 599):
        one = signal[row : row + 1]
        alone = honest_covariance(CYCLES, one, fit_sigmoid(CYCLES, one))
        np.testing.assert_array_equal(alone[0][0], together[0][row])
        np.testing.assert_array_equal([part[0] for part in alone[1]], [part[row] for part in together[1]])


# -- what the curves of a target have in common -----------------------------------------------------------------------


def misfitting(shape, **noise):
    """Curves whose plateau goes on rising and whose first cycles settle, the same in all."""
    after = np.maximum(CYCLES - shape.steepest[:, None] - 4, 0.0)
    return with_noise(shape, **noise) + RISE * (0.002 * after + 0.02 * np.exp(-CYCLES / 2))


def one_assay(n=96, seed=5):
    rng = np.random.default_rng(seed)
    return Shape(np.full(n, np.log(0.65)), rng.uniform(20, 32, n), np.full(n, 0.9), logarithmic=False)


def test_a_common_misfit_is_no_noise():
    shape = one_assay()
    everyone = np.ones(96, dtype=bool)
    signal, plain = misfitting(shape, sd=0.002), with_noise(shape, sd=0.002)
    fit = fit_sigmoid(CYCLES, signal)
    alone, _ = landmark_standard_errors(CYCLES, signal, fit, NAMES)
    together, _ = landmark_standard_errors(CYCLES, signal, fit, NAMES, everyone)
    without, _ = landmark_standard_errors(CYCLES, plain, fit_sigmoid(CYCLES, plain), NAMES, everyone)
    for name in NAMES:
        assert np.median(alone[name]) > 2 * np.median(together[name])
        assert np.median(together[name]) < 1.8 * np.median(without[name])


def test_errors_of_curves_that_fit_are_honest_with_the_common_misfit_taken_off():
    signals, truth = [], []
    for seed in range(8):
        shape = one_assay(n=24, seed=seed)
        signals.append(with_noise(shape, seed=seed + 50))
        truth.append({name: true(shape) for name, true in LANDMARKS.items()})
    z = {name: [] for name in NAMES}
    for signal, true in zip(signals, truth, strict=True):
        fit = fit_sigmoid(CYCLES, signal)
        errors, _ = landmark_standard_errors(CYCLES, signal, fit, NAMES, np.ones(24, dtype=bool))
        for name in NAMES:
            z[name].append((getattr(fit, name)() - true[name]) / errors[name])
    for name in NAMES:
        assert 0.88 < np.concatenate(z[name]).std() < 1.15


def test_fewer_than_eight_curves_have_nothing_in_common():
    signal = misfitting(one_assay(n=7))
    fit = fit_sigmoid(CYCLES, signal)
    assert common_misfit(CYCLES, signal, fit, np.ones(7, dtype=bool)) is None
    alone, _ = landmark_standard_errors(CYCLES, signal, fit, NAMES)
    together, _ = landmark_standard_errors(CYCLES, signal, fit, NAMES, np.ones(7, dtype=bool))
    np.testing.assert_array_equal(alone["cy0"], together["cy0"])


def test_the_order_of_the_wells_does_not_change_a_bit_of_their_errors():
    signal = misfitting(one_assay(n=40))
    order = np.random.default_rng(1).permutation(40)
    everyone = np.ones(40, dtype=bool)
    first, _ = landmark_standard_errors(CYCLES, signal, fit_sigmoid(CYCLES, signal), NAMES, everyone)
    shuffled = signal[order]
    second, _ = landmark_standard_errors(CYCLES, shuffled, fit_sigmoid(CYCLES, shuffled), NAMES, everyone)
    for name in NAMES:
        np.testing.assert_array_equal(second[name], first[name][order])


def test_of_very_many_curves_some_stand_for_all():
    shape = one_assay(n=2000)
    signal = misfitting(shape, sd=0.002)
    fit = fit_sigmoid(CYCLES, signal)
    many = common_misfit(CYCLES, signal, fit, np.ones(2000, dtype=bool))
    few = common_misfit(CYCLES, signal, fit, np.arange(2000) < 1000)
    np.testing.assert_allclose(many.by_cycle.mean, few.by_cycle.mean, atol=1e-3)
    assert many.by_distance.kept.max() < 1


# -- threshold --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [WHOLE, NO_PLATEAU])
@pytest.mark.parametrize("sd", [0.001, 0.005])
def test_z_of_the_crossing_under_white_noise_has_sd_one_and_no_bias(sd, places):
    shape = shapes(places=places)
    z = z_of_crossing(shape, with_noise(shape, sd=sd))
    assert 0.9 < z.std() < 1.1
    assert abs(z.mean()) < 0.1


@pytest.mark.parametrize("noise", [{"sd": 0.02}, {"sd": 0.002, "growing": 0.03}, {"correlation": 0.5}])
def test_z_of_the_crossing_stays_near_one_under_other_noises(noise):
    shape = shapes()
    assert 0.88 < z_of_crossing(shape, with_noise(shape, **noise)).std() < 1.14


def test_z_of_the_crossing_stays_near_one_on_a_drifting_baseline():
    shape = shapes()
    slope = np.random.default_rng(8).normal(0, 0.001, (len(shape.steepest), 1))
    assert 0.88 < z_of_crossing(shape, with_noise(shape) + slope * CYCLES).std() < 1.12


def test_the_crossing_of_a_noise_free_sigmoid_is_its_closed_form():
    shape = shapes(n=200)
    signal = RISE * share(shape)
    fit = fit_sigmoid(CYCLES, signal)
    for level in (0.02, 0.1, 0.5, 1.0):
        found, _ = threshold_crossing(CYCLES, signal, np.full(200, level), fit)
        np.testing.assert_allclose(found, relative_crossing(shape, level / RISE), atol=1e-6)


def test_a_gap_at_the_crossing_is_bridged_along_the_fitted_curve():
    shape = shapes(n=50)
    signal = RISE * share(shape)
    signal[np.arange(50), relative_crossing(shape, 0.1).astype(int)] = np.nan
    fit = fit_sigmoid(CYCLES, signal)
    found, _ = threshold_crossing(CYCLES, signal, np.full(50, THRESHOLD), fit)
    np.testing.assert_allclose(found, relative_crossing(shape, THRESHOLD / RISE), atol=1e-6)


def test_sensitivity_of_a_noise_free_curve_is_the_same_from_its_readings_and_from_its_fit():
    signal = RISE * share(shapes(n=50))
    level = np.full(50, THRESHOLD)
    fit = fit_sigmoid(CYCLES, signal)
    np.testing.assert_allclose(
        threshold_crossing(CYCLES, signal, level, fit)[1], threshold_crossing(CYCLES, signal, level)[1], rtol=1e-4
    )


def test_a_fit_that_stays_below_the_threshold_leaves_the_chord_as_it_is():
    signal = RISE * share(shapes(n=4))
    low = replace(fit_sigmoid(CYCLES, signal), rise=np.full(4, 0.1))
    level = np.full(4, THRESHOLD)
    for with_fit, chord in zip(
        threshold_crossing(CYCLES, signal, level, low), threshold_crossing(CYCLES, signal, level), strict=True
    ):
        np.testing.assert_array_equal(with_fit, chord)


def test_a_baseline_taken_from_the_fit_is_as_uncertain_as_the_fit_says():
    shape = shapes(n=400, places=(8, 9))
    signal = with_noise(shape)
    fit = fit_sigmoid(CYCLES, signal)
    line = baseline_under(CYCLES, signal, fit, np.ones(400, dtype=bool), (3, 15))
    stood_in = ~np.isfinite(line.start)
    assert stood_in.sum() > 200
    variance = line.noise_sd**2 * line.relative_variance(fit.steepest)
    np.testing.assert_allclose(variance[stood_in], fit.covariance[stood_in, 0, 0], rtol=1e-9)


# -- window of linearity ----------------------------------------------------------------------------------------------


def cq_of_window(readings, efficiency, threshold):
    """Cycle, from the window's middle, at which growth reaches the threshold; the baseline found by halving."""
    points = len(readings)
    offset = np.arange(points)
    halves = [offset[: (points + 1) // 2], offset[points // 2 :]]

    def bend(baseline):
        lower, upper = (np.polyfit(half, np.log(readings[half] - baseline), 1)[0] for half in halves)
        return upper - lower

    deep, high = readings[0] - 50 * np.ptp(readings), readings[0] - 1e-9 * np.ptp(readings)
    for _ in range(100):
        middle = (deep + high) / 2
        deep, high = (middle, high) if bend(middle) > 0 else (deep, middle)
    return (np.log(threshold) - np.log(readings - deep).mean()) / np.log(efficiency)


@pytest.mark.parametrize("points", [4, 5, 8, 9])
def test_error_of_a_window_cq_is_what_errors_of_its_readings_do_to_it(points):
    efficiency, threshold = 1.87, 3.0
    above = 0.01 * efficiency ** np.arange(points)
    noise = 1e-3 * (1 + np.arange(points))
    gradient = np.empty(points)
    for k in range(points):
        step = np.zeros(points)
        step[k] = 1e-6
        up, down = (cq_of_window(0.4 + above + sign * step, efficiency, threshold) for sign in (1, -1))
        gradient[k] = (up - down) / 2e-6
    window, sd = np.full((1, 9), np.nan), np.full((1, 9), np.nan)
    window[0, :points], sd[0, :points] = above, noise
    lag = np.abs(np.arange(points)[:, None] - np.arange(points))
    for correlation in (0.0, 0.4):
        found = window_crossing_standard_error(window, sd, np.array([correlation]), np.zeros(1), efficiency, 0.0)
        weighted = gradient * noise
        expected = weighted @ np.where(lag == 0, 1.0, correlation**lag) @ weighted
        assert found[0] == pytest.approx(np.sqrt(expected), rel=1e-3)


def test_an_uncertain_efficiency_makes_a_distant_cq_uncertain():
    window = 0.01 * 2.0 ** np.arange(9.0)[None, :]
    silent = np.zeros((1, 9))
    near, far = (
        window_crossing_standard_error(window, silent, np.zeros(1), np.array([distance]), 2.0, 0.02)[0]
        for distance in (0.0, 10.0)
    )
    assert near == 0
    assert far == pytest.approx(10 * 0.01 / np.log(2))  # Cq = ln(T/T0)/ln E


def test_no_window_has_no_error():
    found = window_crossing_standard_error(np.full((1, 9), np.nan), np.ones((1, 9)), np.zeros(1), np.ones(1), 1.9, 0.01)
    assert np.isnan(found[0])


def test_z_of_window_cqs_has_sd_near_one():
    z = []
    for seed in range(6):
        shape = one_assay(seed=seed)
        signal = with_noise(shape, sd=0.001, seed=seed + 20)
        fit = fit_sigmoid(CYCLES, signal)
        _, noise = honest_covariance(CYCLES, signal, fit)
        found, silent = window_of_linearity(CYCLES, signal), window_of_linearity(CYCLES, 0.6 + RISE * share(shape))
        truth = silent.cq + np.log(found.threshold / silent.threshold) / np.log(silent.mean_efficiency)
        usable = np.flatnonzero(np.isfinite(found.cq))
        offset = np.arange(9)
        points, last = found.points[usable], found.last_cycle[usable]
        column = np.clip((last - points).astype(int)[:, None] + offset, 0, 44)
        above = signal[usable[:, None], column] - found.baseline[usable, None]
        above[offset >= points[:, None]] = np.nan
        sd = np.sqrt(noise.quiet[usable])[:, None] * np.ones(9)
        distance = found.cq[usable] - (last - (points - 1) / 2)
        error = window_crossing_standard_error(
            above,
            sd,
            noise.autocorrelation[usable],
            distance,
            found.mean_efficiency,
            found.efficiency_sd / np.sqrt(len(usable)),
        )
        z.append((found.cq[usable] - truth[usable]) / error)
    assert 0.8 < np.concatenate(z).std() < 1.2
