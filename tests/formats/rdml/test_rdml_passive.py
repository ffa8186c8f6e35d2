"""When a target of an RDML document is the passive reference, and when it is an assay in the same channel."""

from __future__ import annotations

from pathlib import Path

import pytest
from format_builders import data, points, rdml, rdml_run, react, sample, target

from bcrabl.formats import read_run
from bcrabl.run import Run

REPORTER = tuple(0.1 * cycle for cycle in range(1, 13))
FLAT = (5.0,) * 12
DRIFTING = tuple(5.0 - 0.04 * cycle for cycle in range(12))  # falls by 9 %, as ROX does
RISING = tuple(5.0 + 0.2 * cycle for cycle in range(12))


def read(tmp_path: Path, rox: tuple[float, ...], more: str = "", rdml_type: str = "toi", name: str = "ROX") -> Run:
    """Two wells of a reporter and a target of this name in the ROX channel."""
    reacts = [
        react(1, "s", data("T", points(REPORTER)), data(name, points(FLAT))),
        react(2, "s", data("T", points(REPORTER)), data(name, points(rox), more)),
    ]
    declared = target(name, "ROX").replace("<type>toi", f"<type>{rdml_type}")
    document = rdml(sample("s", "std", "10"), target("T"), declared, rdml_run(*reacts))
    (tmp_path / "run.rdml").write_text(document)
    return read_run(tmp_path / "run.rdml")


@pytest.mark.parametrize("signal", [FLAT, DRIFTING])
def test_a_flat_target_named_rox_is_the_passive_reference(tmp_path, signal):
    run = read(tmp_path, signal)
    assert run.passive_reference[1].tolist() == list(signal)
    assert run.reactions["target"].to_pylist() == ["T", "T"]
    assert run.warnings == ()


@pytest.mark.parametrize(
    ("signal", "more", "found"),
    [
        (RISING, "", "its signal rises or falls"),
        (FLAT, "<cq>2.5</cq>", "it has a Cq"),
        (FLAT, "<cq>-1</cq>", "it has a Cq"),
        (FLAT, "<quantFluor>0.1</quantFluor>", "it has a threshold"),
    ],
)
def test_an_assay_that_nobody_named_is_not_what_others_are_divided_by(tmp_path, signal, more, found):
    run = read(tmp_path, signal, more)
    assert run.passive_reference is None
    assert run.reactions["target"].to_pylist() == ["ROX", "T"] * 2
    (warning,) = run.warnings
    assert warning.startswith(f"The target 'ROX' is named like a passive reference dye, but {found}; it is read as a t")


def test_a_control_gene_is_no_passive_reference_for_being_called_a_reference(tmp_path):
    assert read(tmp_path, RISING, rdml_type="ref").passive_reference is None


def test_a_target_described_as_the_passive_reference_is_one(tmp_path):
    described = "ref</type><description>passive reference dye</description><type>ref"
    assert read(tmp_path, RISING, rdml_type=described).passive_reference[1].tolist() == list(RISING)


def test_a_named_assay_in_the_rox_channel_is_a_target(tmp_path):
    run = read(tmp_path, FLAT, name="GUSB")
    assert run.passive_reference is None
    assert run.warnings == ()
