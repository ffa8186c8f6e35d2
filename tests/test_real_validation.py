"""Intervals on real plates of known amounts: benchmarks/validation.py has the tables, docs/validation.md the words."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

pytestmark = pytest.mark.real_data

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def validation(real_data, monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")
    module = importlib.import_module("validation")
    monkeypatch.setattr(module, "DATA", real_data("MANIFEST.csv").parent)
    return module


@pytest.mark.parametrize("wells", [1, 2, 3, 36])
def test_unknowns_of_5000_and_10000_copies_lie_in_the_interval_of_their_group_in_nine_of_ten_groups(validation, wells):
    groups = validation.populations(validation.plate(validation.QS1), wells)
    assert len(groups) == 72 // wells
    assert {group.truth for group in groups} == {5_000.0, 10_000.0}
    assert np.mean([group.holds for group in groups]) >= 0.9


def test_an_interval_of_a_group_is_narrow_enough_to_tell_5000_from_10000_copies(validation):
    low, high = validation.populations(validation.plate(validation.QS1), 36)
    assert low.high < 10_000
    assert high.low > 5_000


def test_the_stepone_example_lies_within_the_interval_of_the_vendors_quantities(validation):
    wells = validation.plate(validation.STEPONE)
    curve = validation.curve_of(wells, wells.standard)
    for name in ("pop1_RNase P", "pop2_RNase P"):
        own = wells.sample == name
        vendor = wells.vendor_copies[own]
        half = validation.T_OF_TRIPLICATE * vendor.std(ddof=1) / np.sqrt(3)
        group = validation.measured(name, vendor.mean(), wells.cq[own], curve)
        assert abs(group.found - vendor.mean()) < half
        assert group.holds


def test_no_well_of_a_composed_plate_is_both_standard_and_sample(validation, monkeypatch):
    rng = np.random.default_rng(1)
    line = 37 - 3.4 * np.log10(validation.LEVELS)[:, None]
    series = [validation.Series(name, line + rng.normal(0, 0.1, (5, 3))) for name in "ab"]
    seen = []
    fitted = validation.fitted
    monkeypatch.setattr(validation, "fitted", lambda cq: seen.append(set(cq.ravel().tolist())) or fitted(cq))
    validation.composed(series)
    expected = [(number, fold) for number in range(2) for fold in range(3)]
    for place, (number, fold) in enumerate(expected):
        samples = set(series[number].cq[:, fold].tolist())
        assert not samples & seen[2 * place]
        assert len(seen[2 * place]) == 10


def test_ratios_of_composed_plates_lie_in_their_intervals_at_every_ratio(validation):
    series, refused = validation.usable(validation.vermeulen_series())
    samples = validation.composed(series)
    assert (len(series), refused) == (64, [])
    assert sorted(set(samples.truth)) == pytest.approx([1e-4, 1e-3, 1e-2, 0.1, 1])
    for ratio in set(samples.truth):
        assert samples.rows(samples.truth == ratio).holds.mean() >= 0.93
    off = np.log(samples.found / samples.truth)
    assert abs(np.median(off)) < 0.1


def test_the_figure_of_the_page_is_current_and_says_what_is_on_it(validation, tmp_path):
    subprocess.run([sys.executable, REPOSITORY / "docs/make_validation_figure.py", tmp_path], check=True)
    drawn = (tmp_path / "validation_ratio.svg").read_bytes()
    assert (REPOSITORY / "docs/validation_ratio.svg").read_bytes() == drawn, "run python docs/make_validation_figure.py"
    texts = "\n".join(ET.fromstring(drawn).itertext())
    assert "true ratio" in texts
    assert "interval holds the truth" in texts
