"""The pages: every value of a lab sheet is text, nothing is loaded from elsewhere, every result is there."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

import pytest

from bcrabl.report import index_page, run_page
from bcrabl.report.page import FLAGS, number
from bcrabl.tables import QC, RESULTS, STANDARD_CURVES

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


class Page(HTMLParser):
    """Tags with their attributes, and the text of every table cell."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.cells, self.text = [], [], ""
        self._in_cell = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in_cell = tag == "td" or (self._in_cell and tag not in ("tr", "th"))
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        if tag == "td":
            self._in_cell = False

    def handle_data(self, data):
        self.text += data
        if self._in_cell:
            self.cells[-1] += data


def result(sample_id="S1", **values):
    row = {
        "run_id": "R1",
        "sample_id": sample_id,
        "patient_id": "P1",
        "collection_date": date(2026, 2, 23),
        "transcript": "e14a2",
        "bcr_abl_copies": 23.2,
        "control_copies": 100_000.0,
        "ratio_percent": 0.0232,
        "ratio_percent_uncensored": 0.0232,
        "ratio_low": 0.013,
        "ratio_high": 0.037,
        "conversion_factor": 0.85,
        "is_percent": 0.01972,
        "is_percent_uncensored": 0.01972,
        "is_low": 0.011,
        "is_high": 0.031,
        "detected": True,
        "response_class": "MR3",
        "class_probabilities": {"none": 0.01, "MR2": 0.001, "MR3": 0.899, "MR4": 0.09, "MR4.5": 0.0},
        "sensitivity_class": "MR5",
        "excluded_percent": 0.00255,
        "outcome": "report",
        "flags": [],
    }
    return RESULTS.from_rows([row | values]).to_pylist()[0]


def curve(**values):
    row = {
        "run_id": "R1",
        "target": "ABL1",
        "slope": -3.41686,
        "intercept": 40.43235,
        "r_squared": 0.99996,
        "efficiency": 0.96185,
        "points": 6,
        "copies_low": 15.0,
        "copies_high": 1.5e6,
        "points_left_out": [],
        "accepted": True,
    }
    return STANDARD_CURVES.from_rows([row | values]).to_pylist()[0]


def check(outcome="warn", message="replicates apart", **values):
    return QC.from_rows(
        [{"run_id": "R1", "check": "spread", "outcome": outcome, "message": message} | values]
    ).to_pylist()[0]


def run(**values):
    about = {
        "run_id": "R1",
        "site": "LAB1",
        "assay": "eac",
        "outcome": "accepted",
        "why": [],
        "run_date": "2026-03-02",
        "raw_file": "raw/r1.rdml",
        "raw_sha256": "ab" * 32,
    }
    return about | values


def page(results=(), curves=(), checks=(), **about):
    return run_page(run(**about), list(results), list(curves), list(checks), "0.1.0")


def everything_hostile():
    return page(
        [
            result(
                HOSTILE,
                patient_id=HOSTILE,
                transcript=HOSTILE,
                response_class=HOSTILE,
                sensitivity_class=HOSTILE,
                outcome=HOSTILE,
                flags=[HOSTILE],
            )
        ],
        [curve(target=HOSTILE, points_left_out=[HOSTILE]), curve(slope=None, why=HOSTILE)],
        [check(message=HOSTILE, target=HOSTILE, sample_id=HOSTILE, well=HOSTILE), check("pass", HOSTILE)],
        run_id=HOSTILE,
        site=HOSTILE,
        assay=HOSTILE,
        outcome=HOSTILE,
        why=[HOSTILE],
        run_date=HOSTILE,
        raw_file=HOSTILE,
        raw_sha256=HOSTILE,
    )


def all_runs(run_id="R1", outcome="accepted", why=""):
    counts = {"report": "3", "review": "1", "repeat": "0"}
    return {"run_id": run_id, "site": "LAB1", "batch": "b", "assay": "eac", "outcome": outcome, "why": why} | counts


# -- safe -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("html", [everything_hostile(), index_page([all_runs(HOSTILE, HOSTILE, HOSTILE)], HOSTILE)])
def test_whatever_a_sheet_holds_is_shown_as_text(html):
    parsed = Page(html)
    assert "img" not in {tag for tag, _ in parsed.tags}
    assert "script" not in {tag for tag, _ in parsed.tags}
    assert not [name for _, attributes in parsed.tags for name in attributes if name.startswith("on")]
    assert HOSTILE in parsed.text


def test_a_hostile_sample_name_stands_in_its_cell():
    assert HOSTILE in Page(everything_hostile()).cells


@pytest.mark.parametrize(
    "html", [everything_hostile(), page([result()], [curve()], [check()]), index_page([all_runs()], "1")]
)
def test_a_page_loads_nothing_from_elsewhere(html):
    parsed = Page(html)
    assert not [attributes for _, attributes in parsed.tags if "src" in attributes]
    assert not {tag for tag, _ in parsed.tags} & {"link", "script", "iframe", "object", "embed", "base", "form"}
    assert not re.search(r"https?://|//[a-z]|url\(|@import", html)
    assert "default-src 'none'" in html


def test_a_link_of_the_index_stays_inside_the_reports_folder():
    html = index_page([all_runs("../../etc/passwd"), all_runs("javascript:alert(1)"), all_runs('a"b c')], "1")
    links = [attributes["href"] for tag, attributes in Page(html).tags if tag == "a"]
    assert all(link.startswith("reports/") and link.endswith(".html") for link in links)
    assert links[2] == "reports/a%22b%20c.html"


# -- whole ------------------------------------------------------------------------------------------------------------


def test_every_results_row_and_every_check_is_on_the_page():
    names = [f"SIM-{n:03d}" for n in range(60)]
    checks = [check(outcome, f"finding {n}") for n in range(30) for outcome in ("pass", "warn", "fail")]
    parsed = Page(page([result(name) for name in names], [curve()], checks))
    assert [cell for cell in parsed.cells if cell in set(names)] == names
    assert all(parsed.cells.count(f"finding {n}") == 3 for n in range(30))
    assert "30 checks passed" in parsed.text


def test_a_result_is_shown_with_its_numbers():
    cells = Page(page([result()], [curve()])).cells
    shown = ["S1", "P1", "2026-02-23", "e14a2", "23.2", "100\u202f000", "0.0232", "0.85", "0.0197"]
    assert cells[:14] == [*shown, "0.011 – 0.031", "MR3 (90 %)", "MR5", "report", ""]
    assert cells[14:22] == ["ABL1", "-3.417", "40.43", "1.0000", "96.2 %", "6", "15 – 1\u202f500\u202f000", "–"]


def test_an_undetected_sample_shows_its_upper_bound():
    row = result(detected=False, is_percent=0.0, is_low=0.0, is_high=0.006, ratio_percent=0.0, bcr_abl_copies=0.0)
    cells = Page(page([row], [])).cells
    assert "not detected" in cells
    assert "< 0.006" in cells


@pytest.mark.parametrize("detected", [True, False])
def test_a_sample_without_is_shows_a_dash_and_never_zero(detected):
    row = result(
        detected=detected,
        is_percent=None,
        is_low=None,
        is_high=None,
        conversion_factor=None,
        response_class=None,
        class_probabilities=None,
    )
    bound = "0.013 – 0.037 local" if detected else "< 0.037 local"
    assert Page(page([row], [])).cells[7:11] == ["–", "–", bound, "–"]


def test_a_value_under_the_three_copy_rule_shows_what_was_read():
    row = result(is_percent=0.005, is_percent_uncensored=0.0017)
    assert Page(page([row], [])).cells[8] == "0.005 (read 0.0017)"


def test_an_interval_without_bound_says_so():
    row = result(is_low=0.0, is_high=float("inf"), ratio_low=0.0, ratio_high=float("inf"))
    assert Page(page([row], [])).cells[9] == "no bound"


@pytest.mark.parametrize(
    ("response", "chances", "shown"),
    [
        ("MR4", {"none": 0.0, "MR3": 0.38, "MR4": 0.62}, "MR4 (62 %)"),
        (None, {"none": 0.97, "MR2": 0.03}, "– (97 %)"),
        ("MR4", None, "MR4"),
        (None, None, "–"),
    ],
)
def test_a_response_class_says_how_probable_it_is(response, chances, shown):
    row = result(response_class=response, class_probabilities=chances)
    assert Page(page([row], [])).cells[10] == shown


def test_a_sample_that_could_not_be_scored_at_all_is_shown():
    empty = RESULTS.from_rows(
        [{"run_id": "R1", "sample_id": "S1", "flags": ["no_bcr_abl_reaction"], "outcome": "repeat"}]
    )
    cells = Page(page(empty.to_pylist())).cells
    assert cells[0] == "S1"
    assert cells[-2:] == ["repeat", "no usable BCR::ABL1 reaction"]


def test_flags_are_shown_in_words():
    cells = Page(page([result(flags=["run_failed", "replicate_spread"])], [])).cells
    assert cells[13] == "the run failed acceptance; replicates differ too much"


def test_every_flag_that_scoring_can_give_has_words():
    from pathlib import Path

    import bcrabl

    source = Path(bcrabl.__file__).parent
    text = "".join(
        (source / name).read_text(encoding="utf-8")
        for name in ("stages/score.py", "stages/intervals.py", "stages/accept.py", "scale.py")
    )
    given = set(re.findall(r"(?:flags|notes)(?:\.append\(| \+= \[)([^\n]*)", text))
    named = {flag for line in given for flag in re.findall(r'"([a-z_]+)"', line)}
    assert {"control_gene_low", "run_failed", "three_copy_rule_applied", "mixed_roles"} <= named
    named |= set(re.findall(r'\(\(?"([a-z_]+)",\)', text)) | set(re.findall(r'notes[^\n"]*"([a-z_]+)"', text))
    assert {"interval_unbounded", "interval_undetermined", "weak_control_replicate_dropped"} <= named
    assert named <= set(FLAGS)


def test_a_run_that_was_refused_says_why():
    parsed = Page(page(outcome="refused", why=["raw/x.rdml: found nothing"], run_date=None, raw_sha256=None))
    assert "raw/x.rdml: found nothing" in parsed.text
    assert "No sample could be scored." in parsed.text
    assert "run on" not in parsed.text
    assert "SHA-256" not in parsed.text


def test_a_target_without_a_curve_says_why():
    assert (
        "standards of ABL1: found none"
        in Page(page([], [curve(slope=None, why="standards of ABL1: found none")])).cells
    )


def test_the_index_lists_every_run_with_its_counts():
    parsed = Page(index_page([all_runs("R1"), all_runs("R2", "failed", "slope: -4.1")], "0.1.0"))
    assert parsed.cells[:8] == ["R1", "LAB1", "eac", "accepted", "3", "1", "0", ""]
    assert parsed.cells[8:] == ["R2", "LAB1", "eac", "failed", "3", "1", "0", "slope: -4.1"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.0, "0"),
        (0.00319999, "0.0032"),
        (12.345, "12.3"),
        (999.4, "999"),
        (100_000.0, "100\u202f000"),
        ("e14a2", "e14a2"),
    ],
)
def test_numbers_have_three_digits_and_thin_spaces(value, text):
    assert number(value) == text


def test_a_class_limit_is_not_rounded_across():
    """0.1004 % is no MMR; three digits print 0.1, so the class beside it must carry the distinction."""
    row = result(is_percent=0.1004, is_percent_uncensored=0.1004, response_class="MR2")
    cells = Page(page([row], [])).cells
    assert (cells[8], cells[10]) == ("0.1", "MR2 (0 %)")
