"""What is said of readings that are missing: cycles that every curve lacks, and curves that lack some of the others."""

from __future__ import annotations

import mxpro_builders
import numpy as np
import pytest
import tube_builders

from bcrabl.errors import DamagedFile
from bcrabl.formats import RawFile, read_run, recognise
from bcrabl.formats.assembly import assemble
from bcrabl.formats.gaps import warnings_of_gaps
from bcrabl.run import Run

CYCLES = np.arange(1.0, 11.0)


def rows(*places: tuple[str | None, str]) -> list[dict[str, object]]:
    return [{"part": part, "well": well, "target": "T", "role": "unkn"} for part, well in places]


def curves(*missing: tuple[int, ...]) -> np.ndarray:
    """Curves of ten cycles that lack these."""
    return np.array([[np.nan if cycle in lacking else 1.0 for cycle in range(1, 11)] for lacking in missing])


def read(content: str) -> Run:
    source = RawFile("export", content.encode())
    return recognise(source).read(source, None)


def test_whole_curves_need_no_word():
    assert warnings_of_gaps(rows((None, "A1"), (None, "A2")), CYCLES, curves((), ())) == []


def test_a_cycle_that_every_curve_lacks_is_named():
    whole = np.ones((2, 7))
    said = warnings_of_gaps(rows((None, "A1"), (None, "A2")), np.array([1, 2, 3, 5, 6, 9, 10.0]), whole)
    assert said == ["Cycles without a reading in any curve: 4, 7, 8."]


def test_a_cycle_whose_cells_are_empty_in_every_curve_is_named():
    said = warnings_of_gaps(rows((None, "A1"), (None, "A2")), CYCLES, curves((4,), (4,)))
    assert said == ["Cycles without a reading in any curve: 4."]


def test_curves_that_lack_readings_in_the_middle_or_at_the_end_are_named():
    said = warnings_of_gaps(rows(*((None, f"A{n}") for n in range(1, 5))), CYCLES, curves((), (5,), (9, 10), (1, 2)))
    assert said == [
        "2 curves lack readings in the middle or at the end, 3 in all: well A2, target T; well A3, target T."
    ]


def test_five_curves_are_named_at_most():
    said = warnings_of_gaps(rows(*((None, f"A{n}") for n in range(1, 9))), CYCLES, curves((), *[(5,)] * 7))
    assert said[0].startswith("7 curves lack readings")
    assert said[0].endswith("well A6, target T; ….")


def test_each_part_has_cycles_of_its_own():
    places = rows(("a", "A1"), ("a", "A2"), ("b", "A1"))
    assert warnings_of_gaps(places, CYCLES, curves((9, 10), (9, 10), ())) == []
    assert warnings_of_gaps(places, CYCLES, curves((5,), (5,), ())) == [
        "Cycles without a reading in any curve: 5 (part a)."
    ]


def test_the_run_carries_each_sentence_once():
    listed, signal = rows((None, "A1"), (None, "A2")), curves((), (5,))
    run = assemble("x", listed, CYCLES, signal, None, "raw", {"warnings": ("before",)})
    assert len(run.warnings) == 2
    again = assemble("x", listed, CYCLES, signal, None, "raw", run.metadata)
    assert again.warnings == run.warnings


def test_a_text_of_mxpro_that_is_cut_inside_a_well_is_refused():
    lines = mxpro_builders.raw_text().split("\r\n")
    with pytest.raises(DamagedFile, match=r"found 4 readings of the last curve \(A2, ABL1\); expected 12.* cut off"):
        read("\r\n".join(lines[: 2 + mxpro_builders.CYCLES + 4]))


def test_a_text_of_chai_that_is_cut_inside_a_well_is_refused():
    lines = tube_builders.chai_csv().splitlines()
    with pytest.raises(DamagedFile, match=r"3 readings of the last curve .* cut off"):
        read("\n".join(lines[: 1 + tube_builders.CYCLES + 3]))


def test_a_single_reading_that_an_mxpro_well_lacks_is_said():
    lines = mxpro_builders.raw_text().split("\r\n")
    del lines[2 + 5]
    assert (
        "1 curves lack readings in the middle or at the end, 1 in all: well A1, target ABL1."
        in read("\r\n".join(lines)).warnings
    )


@pytest.mark.real_data
def test_real_runs_with_programs_of_their_own_are_not_called_incomplete(real_data):
    run = read_run(real_data("rdml14_untergasser_vermeulen", "data_vermeulen_std_150000_15.rdml"))
    assert not any("reading" in warning for warning in run.warnings)


@pytest.mark.real_data
def test_the_gaps_of_a_real_matrix_are_named(real_data):
    run = read_run(real_data("rdml14_untergasser_vermeulen", "matrix_gaps.rdml"))
    assert any(warning.startswith("15 curves lack readings") and "well L5" in warning for warning in run.warnings)
