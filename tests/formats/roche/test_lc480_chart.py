"""LightCycler 480 charts as XML: what is read from them and what is refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from lc480_builders import CYCLES, WELLS, chart, samples, series, signal
from mutations import mutated

from bcrabl.errors import BcrablError, DamagedFile, FileError, FormatNotRecognised
from bcrabl.formats import FORMATS, RawFile, read_run, recognise
from bcrabl.run import Run

VALUES = [0.1 * cycle for cycle in range(1, 13)]


def read(tmp_path: Path, content: bytes, part: str | None = None) -> Run:
    (tmp_path / "chart").write_bytes(content)
    return read_run(tmp_path / "chart", part)


def test_each_series_is_a_well_with_its_sample(tmp_path):
    run = read(tmp_path, chart())
    assert {row["well"]: row["sample_id"] for row in run.reactions.to_pylist()} == WELLS
    assert run.cycles.tolist() == list(range(1, CYCLES + 1))
    assert run.fluorescence[0].tolist() == [round(signal("A1", cycle) - 0.7, 2) for cycle in range(1, CYCLES + 1)]


def test_a_chart_is_said_to_be_baseline_subtracted_and_untested(tmp_path):
    run = read(tmp_path, chart())
    assert run.stage == "baseline_subtracted"
    assert [sentence[:40] for sentence in run.warnings] == [
        "This reader was written from the descrip",
        "The curves of a chart are what is left a",
        "The chart names neither target nor filte",
        "The roles of the reactions are not in th",
    ]


def test_names_are_read_in_the_encoding_of_the_document(tmp_path):
    run = read(tmp_path, chart(series("B2: Müller µ", VALUES)))
    assert run.reactions["sample_id"].to_pylist() == ["Müller µ"]


def test_a_comma_is_the_decimal_mark_of_german_charts(tmp_path):
    run = read(tmp_path, chart(series("A1: a", [f"0,{cycle:02d}" for cycle in range(12)], 12)))
    assert run.fluorescence.tolist() == [[cycle / 100 for cycle in range(12)]]


def test_a_series_of_no_sample_has_none(tmp_path):
    assert read(tmp_path, chart(series("A1: ", VALUES))).reactions["sample_id"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (chart(series("A1: a", VALUES), series("mean", VALUES)), r"series 2: found title 'mean'; expected a well and"),
        (chart(series("A1: a", VALUES, 13)), r"series 1 \('A1: a'\): found 12 points where 13 are announced"),
        (
            chart(series("A1: a", VALUES, first=60.5)),
            r"found a point at no whole cycle \(a melting curve\?\); expected",
        ),
        (chart(series("A1: a", ["high", *VALUES])), r"found a value that is missing or no number; expected 10 or more"),
        (chart(series("A1: a", VALUES[:9])), r"found 9 points; expected 10 or more points with X = 1, 2, 3"),
        (chart(series("A1: a", VALUES, first=2000)), r"found cycle 2000; expected"),
        (chart(series("A1: a", VALUES), series("A1: b", VALUES)), r"well A1: found duplicate well: 2 curves of target"),
        (chart()[:-20], r"found XML that is not well-formed"),
        (b"<!DOCTYPE chart>" + chart().partition(b"?>")[2], r"found <!DOCTYPE; expected XML without declarations"),
    ],
)
def test_what_contradicts_the_layout_is_refused_with_its_place(tmp_path, content, match):
    with pytest.raises(DamagedFile, match=match):
        read(tmp_path, content)


def test_other_charts_are_not_claimed(tmp_path):
    with pytest.raises(FormatNotRecognised):
        read(tmp_path, chart(series("Standard curve", VALUES)))


def test_a_part_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"found part 'a' asked for"):
        read(tmp_path, chart(), "a")


def test_one_format_only_claims_a_chart():
    assert [one.name for one in FORMATS if one.claims(RawFile("x", chart()))] == ["LightCycler 480 chart XML"]


def test_damaged_charts_are_a_run_or_an_error_of_ours():
    chance = random.Random(7)
    for _ in range(300):
        source = RawFile("chart", mutated(samples()["lc480_chart"], chance)["chart.xml"])
        try:
            recognise(source).read(source, None)
        except BcrablError as error:
            assert str(error)  # noqa: PT017 - the error is one of two good outcomes
