"""An error text is one readable line a problem, whatever a hostile file put into it."""

from __future__ import annotations

import pickle

import pytest

from bcrabl.errors import DamagedFile, Problem, RunError

ESCAPE = "\x1b[2J\x1b]0;owned\x07"


@pytest.mark.parametrize("part", ["where", "found", "expected", "remedy"])
def test_control_sequences_of_a_file_never_reach_the_terminal(part):
    texts = {"where": "well A1", "found": "x", "expected": "y", "remedy": "Do z."} | {part: f"a{ESCAPE}\nb"}
    text = str(DamagedFile(Problem(**texts)))
    assert text.isprintable()
    assert "a" in text


def test_a_long_value_is_cut_but_what_was_expected_is_not():
    text = str(RunError(Problem("here", "x" * 5000, "y" * 500)))
    assert "x" * 121 not in text
    assert "y" * 500 in text


def test_all_problems_of_an_input_are_listed_up_to_twenty():
    text = str(RunError(Problem(f"row {row}", "a", "b") for row in range(30)))
    assert text.count("\n") == 20
    assert text.endswith("… and 10 more problems of this kind.")


def test_an_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(RunError(Problem("here", "a", "b", "Do c."))))
    assert isinstance(error, RunError)
    assert error.problems == (Problem("here", "a", "b", "Do c."),)
