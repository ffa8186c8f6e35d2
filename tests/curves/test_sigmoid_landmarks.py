"""Landmarks of fitted sigmoids: closed forms of known curves, honest standard errors, the published 5PSM."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest

from bcrabl.curves.landmarks import Shape, second_derivative_argmax
from bcrabl.curves.sigmoid import fit_sigmoid, five_parameter_second_derivative
from bcrabl.errors import RunError
from bcrabl.formats import read_run

CYCLES = np.arange(1, 46, dtype=float)
LN2, LN19 = 1 / np.log(2), 1 / np.log(1.9)


def richards(c, d, s, e, f, z=CYCLES):
    return c + d * (1 + np.exp(-s * (z - e))) ** -f


# TV-K1 … TV-K6 of the project's reference: (c, d, s, e, f), FDM, Cy0, SDM, TDM, {level above the baseline: cycle}
KNOWN = {
    "K1": ((0.05, 2, 1 / LN2, 30, 1), 30, 27.114610, 28.100031, 26.692720, {0.04: 24.385290, 0.1: 25.752072}),
    "K2": ((0.05, 2, 1 / LN19, 24, 1), 24, 20.884026, 21.948197, 20.428421, {0.04: 17.936595, 0.2: 20.576753}),
    "K3": ((0, 1, 1 / 1.5, 25, 1), 25, 22, 23.024563, None, {0.02: 19.162270, 0.1: 21.704163, 0.5: 25.0}),
    "K4": ((0, 2, 0.9, 28, 0.7), 27.603695, 24.905282, 26.011831, None, {0.1: 23.260364}),
    "K5": ((0, 1.5, 0.5, 26, 1.6), 26.940007, 23.690007, 24.537565, None, {0.1: 23.021749}),
    "K6": ((0, 2, 0.6, 28, 1), 28, 24.666667, 25.805070, None, {0.1: 23.092602}),
}


@pytest.mark.parametrize("name", KNOWN)
def test_landmarks_of_a_noise_free_curve_are_its_closed_forms(name):
    parameters, steepest, tangent, second, third, crossings = KNOWN[name]
    fit = fit_sigmoid(CYCLES, richards(*parameters)[None])
    found = [fit.first_derivative_maximum(), fit.cy0(), fit.second_derivative_maximum()]
    np.testing.assert_allclose(np.ravel(found), [steepest, tangent, second], atol=1e-6, rtol=0)
    if third is not None:
        assert fit.third_derivative_maximum()[0] == pytest.approx(third, abs=1e-6)
    for level, cycle in crossings.items():
        assert fit.relative_crossing(level / parameters[1])[0] == pytest.approx(cycle, abs=1.1e-6)


@pytest.mark.parametrize(("s", "e", "f"), [(15.0, 25.0, 1.0), (9.0, 30.0, 0.7), (25.0, 20.0, 2.0), (12.0, 33.0, 40.0)])
def test_landmarks_of_a_log_logistic_curve_are_the_extremes_against_the_cycle(s, e, f):
    fit = fit_sigmoid(CYCLES, richards(0.3, 2, s, np.log(e), f, np.log(CYCLES))[None], abscissa="log_cycle")
    grid = np.arange(2, 45, 0.001)
    rise = richards(0, 1, s, np.log(e), f, np.log(grid))
    speed = np.gradient(rise, grid)
    steepest = speed.argmax()
    assert fit.first_derivative_maximum()[0] == pytest.approx(grid[steepest], abs=0.003)
    assert fit.second_derivative_maximum()[0] == pytest.approx(grid[np.gradient(speed, grid).argmax()], abs=0.01)
    assert fit.cy0()[0] == pytest.approx(grid[steepest] - rise[steepest] / speed[steepest], abs=1e-3)
    assert fit.relative_crossing(0.1)[0] == pytest.approx(np.interp(0.1, rise, grid), abs=1e-4)


TRUTHS = ((0.5, 2.0, 0.6, 26.0, 1.0), (0.1, 1.0, 0.45, 22.0, 0.7), (1.0, 3.0, 0.8, 30.0, 1.6))
LANDMARKS = (
    ("first_derivative_maximum", None),
    ("second_derivative_maximum", None),
    ("cy0", None),
    ("relative_crossing", 0.1),
    ("relative_crossing", 0.5),
)


def place(fit, landmark, share):
    return getattr(fit, landmark)(*(() if share is None else (share,)))


@pytest.mark.parametrize(("landmark", "share"), LANDMARKS)
@pytest.mark.parametrize("abscissa", ["cycle", "log_cycle"])
@pytest.mark.parametrize("truth", TRUTHS)
def test_errors_of_landmarks_are_as_large_as_their_standard_errors(truth, abscissa, landmark, share):
    c, d, s, e, f = truth
    z, s, e = (CYCLES, s, e) if abscissa == "cycle" else (np.log(CYCLES), s * e, np.log(e))
    curve = richards(c, d, s, e, f, z)
    noisy = curve + np.random.default_rng(31).normal(0, 0.01 * d, (1500, 45))
    fit, exact = fit_sigmoid(CYCLES, noisy, abscissa=abscissa), fit_sigmoid(CYCLES, curve[None], abscissa=abscissa)
    scores = (place(fit, landmark, share) - place(exact, landmark, share)) / fit.standard_error_of(landmark, share)
    assert 0.9 < scores.std() < 1.1
    assert abs(scores.mean()) < 0.12


def test_standard_errors_hold_where_readings_have_unequal_weights():
    rng, sd = np.random.default_rng(32), np.where(CYCLES > 25, 0.05, 0.005)
    curve = richards(0.5, 2, 0.6, 26, 1)
    weights = np.tile(3.0 / sd**2, (1500, 1))
    fit = fit_sigmoid(CYCLES, curve + rng.normal(0, 1, (1500, 45)) * sd, weights=weights)
    error = fit.relative_crossing(0.02) - (26 - np.log(1 / 0.02 - 1) / 0.6)
    assert 0.9 < (error / fit.standard_error_of("relative_crossing", 0.02)).std() < 1.1
    unweighted = fit_sigmoid(CYCLES, curve + rng.normal(0, 1, (1500, 45)) * sd).relative_crossing(0.02)
    assert error.std() < 0.5 * unweighted.std()


def test_landmarks_without_a_share_or_of_another_name_are_refused():
    fit = fit_sigmoid(CYCLES, richards(0.5, 2, 0.6, 26, 1)[None])
    for landmark, share in (("relative_crossing", None), ("cy0", 0.1), ("shape", None)):
        with pytest.raises(RunError, match=r"a share for relative_crossing only"):
            fit.standard_error_of(landmark, share)


def test_a_curve_without_a_fit_has_no_landmark():
    flat = np.ones((1, 45))
    assert np.isnan(five_parameter_second_derivative(CYCLES, flat)).all()
    fit = fit_sigmoid(CYCLES, flat)
    assert np.isnan([place(fit, *landmark)[0] for landmark in LANDMARKS]).all()
    assert np.isnan(fit.standard_error_of("cy0")).all()


def test_grid_search_finds_the_closed_form_or_the_last_cycle():
    shape = Shape(np.log([0.6, 0.6]), np.array([26.0, 60.0]), np.array([1.0, 1.0]), logarithmic=False)
    found = second_derivative_argmax(shape, 1.0, np.array([45.0, 43.0]))
    np.testing.assert_allclose(found, [26 - np.log(2 + np.sqrt(3)) / 0.6, 43.0], atol=0.0051)


def published_5psm(path):
    """The block 5PSM of the file: {(gene, standard): Cq in the order of the replicates}."""
    rows = list(csv.reader(path.read_text().splitlines(), delimiter=";"))
    block, found = "", {}
    for row in rows[1:]:
        block = row[1] if row[0] == "method" else block
        if block == "5PSM" and row[2].startswith("STD"):
            for gene, cq in zip(rows[0][3:], row[3:], strict=True):
                found.setdefault((gene.split("(")[0].upper(), float(row[2][4:])), []).append(float(cq))
    return found


@pytest.mark.real_data
def test_published_5psm_of_the_vermeulen_set_comes_back_to_a_hundredth_of_a_cycle(real_data):
    folder = real_data("rdml14_untergasser_vermeulen")
    published = published_5psm(folder / "data_vermeulen_methods_cq.tsv")
    run = read_run(folder / "data_vermeulen_std_150000_15.rdml")
    cq = five_parameter_second_derivative(run.cycles, run.fluorescence)
    wells = run.reactions.to_pylist()
    standards = dict(zip(sorted({w["known_copies"] for w in wells}), sorted({k[1] for k in published}), strict=True))
    expected = []
    for well in wells:
        gene = re.sub(r"_2008\d+.*", "", well["target"]).split("(")[0].upper()
        expected.append(published[gene, standards[well["known_copies"]]].pop(0))
    assert len(expected) == 960
    assert np.abs(cq - expected).max() < 0.0101
