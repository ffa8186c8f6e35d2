"""The RNase P plate of a QuantStudio: amounts known, and the vendor's own numbers to compare with."""

from __future__ import annotations

import numpy as np
import pytest

import bcrabl

pytestmark = pytest.mark.real_data

QS1 = ("quantstudio_da2_xlsx", "appbio_quantstudio_designandanalysis_QS1_Standard_Curve_example01.xlsx")


@pytest.fixture
def plate(real_data):
    run = bcrabl.read_run(real_data(*QS1))
    columns = {name: np.array(run.reactions[name].to_pylist(), dtype=object) for name in run.reactions.schema.names}
    return run, columns


def test_least_squares_on_the_vendors_cq_is_the_vendors_standard_curve(plate):
    _, columns = plate
    standards = columns["role"] == "std"
    curve = bcrabl.fit_standard_curve(
        columns["vendor_cq"][standards].astype(float), columns["known_copies"][standards].astype(float)
    )
    assert curve.slope == pytest.approx(-3.3419, abs=1e-3)
    assert curve.intercept == pytest.approx(40.77, abs=1e-3)
    assert curve.r_squared == pytest.approx(0.98802, abs=1e-3)


@pytest.mark.parametrize("threshold", [0.1, None])
def test_unknown_populations_are_within_eight_percent_of_truth_and_their_ratio_is_two(plate, threshold):
    run, columns = plate
    analysis = bcrabl.analyse_curves(run.cycles, run.signal, threshold=threshold)
    standards = columns["role"] == "std"
    curve = bcrabl.fit_standard_curve(analysis.cq[standards], columns["known_copies"][standards].astype(float))
    means = {name: curve.copies(analysis.cq[columns["sample_id"] == name])[0].mean() for name in ("Unk_5K", "Unk_10K")}
    assert means["Unk_5K"] == pytest.approx(5_000, rel=0.08)
    assert means["Unk_10K"] == pytest.approx(10_000, rel=0.08)
    assert 1.85 <= means["Unk_10K"] / means["Unk_5K"] <= 2.10


def test_no_template_controls_of_the_plate_do_not_amplify(plate):
    run, columns = plate
    analysis = bcrabl.analyse_curves(run.cycles, run.signal, threshold=0.1)
    assert set(analysis.call[columns["role"] == "ntc"]) == {"not_amplified"}
    assert set(analysis.call[columns["role"] != "ntc"]) == {"amplified"}


@pytest.mark.parametrize(("baseline", "most"), [(None, 0.25), ((3, 15), 0.25)])
def test_threshold_cq_agrees_with_the_vendors(plate, baseline, most):
    run, columns = plate
    analysis = bcrabl.analyse_curves(run.cycles, run.signal, threshold=0.1, baseline=baseline)
    vendor = np.array([np.nan if cq is None else cq for cq in columns["vendor_cq"]], dtype=float)
    both = np.isfinite(vendor)
    difference = np.abs(analysis.cq_threshold - vendor)[both]
    assert both.sum() == 92
    assert np.median(difference) <= 0.06
    assert difference.max() <= most
