"""The pages: every value of a lab sheet is text, nothing is loaded from elsewhere, every finding is in words."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from datetime import date
from pathlib import Path

import pytest

import bcrabl
from bcrabl.report import Origin, RunContent, index_page, run_page
from bcrabl.report.words import CURVE_FLAGS, FLAGS, figure, number, words
from bcrabl.tables import COPIES, CQ, QC, RESULTS, STANDARD_CURVES

HOSTILE = "<img src=x onerror=alert(1)>\"'&"


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


def reaction(**values):
    row = {
        "run_id": "R1",
        "well": "A1",
        "target": "ABL1",
        "role": "unkn",
        "sample_id": "S1",
        "call": "amplified",
        "why": "exponential phase above noise",
        "cq": 24.25,
        "cq_sd": 0.03,
        "threshold": 0.1,
        "flags": [],
    }
    copies = {"copies": 51_234.5, "copies_low": 48_000.0, "copies_high": 54_000.0, "detected": True, "excluded": False}
    own = {name: value for name, value in values.items() if name in CQ.schema.names}
    of_copies = {name: value for name, value in (copies | values).items() if name in COPIES.schema.names}
    read = CQ.from_rows([row | own]).to_pylist()[0]
    return COPIES.from_rows([of_copies]).to_pylist()[0] | read | {"vendor_cq": None, "vendor_call": None}


def page(results=(), curves=(), checks=(), reactions=(), origin=None, **about):
    return run_page(
        RunContent(run(**about), list(results), list(curves), list(checks), list(reactions), (), origin or Origin())
    )


def everything_hostile():
    return page(
        [
            result(
                HOSTILE,
                patient_id=HOSTILE,
                transcript=HOSTILE,
                control_gene=HOSTILE,
                response_class=HOSTILE,
                sensitivity_class=HOSTILE,
                outcome=HOSTILE,
                flags=[HOSTILE],
            )
        ],
        [curve(target=HOSTILE, points_left_out=[HOSTILE]), curve(target="none", slope=None, why=HOSTILE)],
        [check(message=HOSTILE, target=HOSTILE, sample_id=HOSTILE, well=HOSTILE, unit=HOSTILE), check("pass", HOSTILE)],
        [
            reaction(well=HOSTILE, target=HOSTILE, sample_id=HOSTILE, call=HOSTILE, why=HOSTILE, flags=[HOSTILE]),
            reaction(role=HOSTILE, excluded=True, excluded_why=HOSTILE, review=HOSTILE),
            reaction(well="A2", role="std", target=HOSTILE, known_copies=1e3),
        ],
        Origin([(HOSTILE, HOSTILE)], [(HOSTILE, HOSTILE, HOSTILE)], [(HOSTILE, HOSTILE)], HOSTILE),
        run_id=HOSTILE,
        site=HOSTILE,
        assay=HOSTILE,
        outcome=HOSTILE,
        why=[HOSTILE],
        run_date=HOSTILE,
        raw_file=HOSTILE,
        raw_sha256=HOSTILE,
    )


def row_of(html, text, table="table-results"):
    """The text of the cells of the first row of a table, by column."""
    return {name: cell["text"] for name, cell in html(text).rows(table)[0][1].items()}


def all_runs(run_id="R1", outcome="accepted", why=""):
    counts = {"report": "3", "review": "1", "repeat": "0"}
    return {"run_id": run_id, "site": "LAB1", "batch": "b", "assay": "eac", "outcome": outcome, "why": why} | counts


# -- safe -------------------------------------------------------------------------------------------------------------


PAGES = [
    everything_hostile(),
    page([result()], [curve()], [check()], [reaction()]),
    page(),
    index_page([all_runs()], "1"),
    index_page([all_runs(HOSTILE, HOSTILE, HOSTILE)], HOSTILE),
]


@pytest.mark.parametrize("text", [PAGES[0], PAGES[4]])
def test_whatever_a_sheet_holds_is_shown_as_text(html, text):
    parsed = html(text)
    assert "img" not in {tag for tag, _ in parsed.elements}
    assert [tag for tag, _ in parsed.elements].count("script") == 1
    assert not [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")]
    assert HOSTILE in parsed.text


@pytest.mark.parametrize("text", PAGES)
def test_elements_nest_and_close(html, text):
    parsed = html(text)
    assert not parsed.unclosed
    assert not parsed.open


@pytest.mark.parametrize("text", PAGES)
def test_no_two_elements_share_an_id(html, text):
    ids = [attributes["id"] for _, attributes in html(text).elements if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("text", PAGES)
def test_links_within_a_page_lead_somewhere(html, text):
    parsed = html(text)
    ids = {attributes.get("id") for _, attributes in parsed.elements}
    links = {attributes["href"] for tag, attributes in parsed.elements if tag == "a" and attributes["href"][0] == "#"}
    always = {"#reactions", "#plate", "#curves"}  # of a run without reactions there is nothing to see
    assert {link for link in links - always if link[1:] not in ids} == set()


@pytest.mark.parametrize("text", PAGES)
def test_a_page_loads_nothing_from_elsewhere(html, text):
    parsed = html(text)
    assert not [attributes for _, attributes in parsed.elements if {"src", "srcset", "style"} & set(attributes)]
    assert not {tag for tag, _ in parsed.elements} & {"link", "iframe", "object", "embed", "base", "form", "image"}
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttp|innerHTML|eval\(", text)


@pytest.mark.parametrize("text", PAGES)
def test_a_browser_is_told_to_run_and_style_nothing_but_what_stands_in_the_page(html, text):
    policy = next(
        attributes["content"]
        for _, attributes in html(text).elements
        if "Content-Security-Policy" in attributes.values()
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for tag in ("style", "script"):
        content = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(content) == 1
        digest = b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"


def test_the_script_is_small():
    script = Path(bcrabl.__file__).parent / "report" / "templates" / "report.js"
    assert script.stat().st_size < 15_000


def test_a_link_of_the_index_stays_inside_the_reports_folder(html):
    text = index_page([all_runs("../../etc/passwd"), all_runs("javascript:alert(1)"), all_runs('a"b c')], "1")
    links = [attributes["href"] for tag, attributes in html(text).elements if tag == "a"]
    assert all(link.startswith("reports/") and link.endswith(".html") for link in links)
    assert links[2] == "reports/a%22b%20c.html"


# -- whole ------------------------------------------------------------------------------------------------------------


def test_every_results_row_and_every_check_is_on_the_page(html):
    names = [f"SIM-{n:03d}" for n in range(60)]
    checks = [check(outcome, f"finding {n}") for n in range(30) for outcome in ("pass", "warn", "fail")]
    parsed = html(page([result(name) for name in names], [curve()], checks))
    assert [data["data-sample"] for data, _ in parsed.rows("table-results")] == names
    found = [(data["data-outcome"], cells["message"]["text"]) for data, cells in parsed.rows("table-checks")]
    assert sorted(found) == sorted((row["outcome"], row["message"]) for row in checks)
    assert [outcome for outcome, _ in found] == ["fail"] * 30 + ["warn"] * 30 + ["pass"] * 30


def test_a_result_is_shown_with_its_numbers(html):
    shown = row_of(html, page([result()], [curve()]))
    assert shown == {
        "sample_id": "S1P1",
        "collection_date": "2026-02-23",
        "transcript": "e14a2",
        "bcr_abl_copies": "23.2",
        "control_copies": "100\u202f000",
        "ratio_percent": "0.0232",
        "conversion_factor": "0.85",
        "is_percent": "0.01970.011 – 0.031",
        "response_class": "MR390 %",
        "sensitivity_class": "MR5",
        "outcome": "report",
        "flags": "",
    }


def test_a_control_is_told_from_a_sample(html):
    assert row_of(html, page([result("HIGH", patient_id=None, role="pos")]))["sample_id"] == "HIGHpositive control"


def test_an_undetected_sample_shows_its_upper_bound_and_what_it_excludes(html):
    row = result(detected=False, is_percent=0.0, is_low=0.0, is_high=0.006, ratio_percent=0.0, bcr_abl_copies=0.0)
    shown = row_of(html, page([row]))
    assert shown["is_percent"] == "not detected< 0.006"
    assert shown["sensitivity_class"] == "MR5excl. 0.00255"


@pytest.mark.parametrize(("detected", "bound"), [(True, "0.013 – 0.037 local"), (False, "< 0.037 local")])
def test_a_sample_without_is_shows_a_dash_and_never_zero(html, detected, bound):
    row = result(
        detected=detected,
        is_percent=None,
        is_low=None,
        is_high=None,
        conversion_factor=None,
        response_class=None,
        class_probabilities=None,
    )
    shown = row_of(html, page([row]))
    assert (shown["conversion_factor"], shown["is_percent"], shown["response_class"]) == ("–", f"–{bound}", "–")


def test_a_value_under_the_three_copy_rule_shows_what_was_read(html):
    row = result(is_percent=0.005, is_percent_uncensored=0.0017)
    assert row_of(html, page([row]))["is_percent"] == "0.005read 0.00170.011 – 0.031"


def test_an_interval_without_bound_says_so(html):
    row = result(is_low=0.0, is_high=float("inf"), ratio_low=0.0, ratio_high=float("inf"))
    assert row_of(html, page([row]))["is_percent"] == "0.0197no bound"


@pytest.mark.parametrize(
    ("response", "chances", "shown"),
    [
        ("MR4", {"none": 0.0, "MR3": 0.38, "MR4": 0.62}, "MR462 %"),
        (None, {"none": 0.97, "MR2": 0.03}, "no class97 %"),
        ("MR4", None, "MR4"),
        (None, None, "–"),
    ],
)
def test_a_response_class_says_how_probable_it_is(html, response, chances, shown):
    row = result(response_class=response, class_probabilities=chances)
    assert row_of(html, page([row]))["response_class"] == shown


def test_a_class_limit_is_not_rounded_across(html):
    """0.1004 % is no MMR; three digits print 0.1, so the class beside it must carry the distinction."""
    row = result(is_percent=0.1004, is_percent_uncensored=0.1004, response_class="MR2")
    shown = row_of(html, page([row]))
    assert shown["is_percent"].startswith("0.1")
    assert shown["response_class"] == "MR20 %"


def test_a_sample_that_could_not_be_scored_at_all_is_shown(html):
    empty = {"run_id": "R1", "sample_id": "S1", "flags": ["no_bcr_abl_reaction"], "outcome": "repeat"}
    shown = row_of(html, page(RESULTS.from_rows([empty]).to_pylist()))
    assert shown["sample_id"] == "S1"
    assert (shown["outcome"], shown["flags"]) == ("repeat", "no usable BCR::ABL1 reaction")


def test_what_a_review_changed_is_shown_beside_what_it_was(html):
    row = result(is_percent_before_review=0.5, outcome_before_review="review", flags=["reviewed"])
    shown = row_of(html, page([row]))
    assert shown["is_percent"].endswith("before review 0.5")
    assert shown["outcome"] == "reportbefore review review"


@pytest.mark.parametrize(
    ("outcomes", "checks", "verdict"),
    [
        (["report", "report", "repeat"], ["pass"], "2 to report, 1 to repeat; all 1 checks passed."),
        (["review"], ["pass", "warn", "fail"], "1 to review; of 3 checks 1 failed and 1 ask for a look."),
        ([], [], "no sample could be scored."),
    ],
)
def test_the_verdict_counts_samples_and_checks(html, outcomes, checks, verdict):
    rows = [result(f"S{n}", outcome=outcome, role="unkn") for n, outcome in enumerate(outcomes)]
    rows += [result("HIGH", role="pos", outcome="report")] if rows else []
    assert verdict in html(page(rows, [], [check(outcome) for outcome in checks])).text


def test_flags_are_shown_in_words(html):
    shown = row_of(html, page([result(flags=["run_failed", "replicate_spread"])]))
    assert shown["flags"] == "the run failed acceptance; replicates differ too much"


def test_every_flag_that_scoring_can_give_has_words():
    source = Path(bcrabl.__file__).parent
    text = "".join(
        (source / name).read_text(encoding="utf-8")
        for name in ("stages/score.py", "stages/intervals.py", "stages/accept.py", "stages/review.py", "scale.py")
    )
    given = set(re.findall(r"(?:flags|notes)(?:\.append\(| \+= \[)([^\n]*)", text))
    named = {flag for line in given for flag in re.findall(r'"([a-z_]+)"', line)}
    assert {"control_gene_low", "run_failed", "three_copy_rule_applied", "mixed_roles"} <= named
    named |= set(re.findall(r'\(\(?"([a-z_]+)",\)', text)) | set(re.findall(r'notes[^\n"]*"([a-z_]+)"', text))
    assert {"interval_unbounded", "interval_undetermined", "weak_control_replicate_dropped"} <= named
    assert named <= set(FLAGS)


def test_every_flag_that_the_analysis_of_curves_can_give_has_words():
    import numpy as np

    from bcrabl.curves import analysis
    from bcrabl.curves.quality import QUALITY_FLAGS

    source = Path(analysis.__file__).read_text(encoding="utf-8")
    own = set(re.findall(r'"([a-z_]+)": ', source[source.index("def _flags") :]))
    assert {"missing_cycles", "inhibition_suspected"} <= own
    assert own | set(QUALITY_FLAGS) | {"baseline_subtracted_export"} == set(CURVE_FLAGS)
    assert np.all([words([flag], CURVE_FLAGS) != flag for flag in CURVE_FLAGS])


def test_a_run_that_was_refused_says_why(html):
    parsed = html(page(outcome="refused", why=["raw/x.rdml: found nothing"], run_date=None, raw_sha256=None))
    assert "raw/x.rdml: found nothing" in parsed.text
    assert "No sample could be scored." in parsed.text
    assert "run on" not in parsed.text
    assert "SHA-256" not in parsed.text


def test_a_target_without_a_curve_says_why(html):
    assert (
        "no: standards of ABL1: found none"
        in html(page([], [curve(slope=None, accepted=False, why="standards of ABL1: found none")])).text
    )


@pytest.mark.parametrize(
    ("values", "what", "why"),
    [
        ({"excluded": True, "excluded_why": "marked as omitted in the export"}, "result", "marked as omitted"),
        ({"review": "excluded by op1: bubble"}, "as reviewed", "excluded by op1: bubble"),
        ({"excluded": None}, "everything", "not one of the protocol's"),
    ],
)
def test_a_reaction_that_was_left_out_is_listed_with_the_reason(html, values, what, why):
    rows = html(page(reactions=[reaction(well="B3", **values), reaction(well="C1")])).rows("table-left-out")
    assert len(rows) == 1
    data, cells = rows[0]
    assert (data["data-well"], cells["from"]["text"]) == ("B3", what)
    assert why in cells["why"]["text"]


def test_a_standard_that_was_left_out_is_listed_with_the_reason_and_keeps_its_residual(html):
    standards = [reaction(well=well, role="std", known_copies=1e4, cq=26.5) for well in ("A1", "A2")]
    parsed = html(page([], [curve(points_left_out=["A2: no agreement: 3 cycles off"])], [], standards))
    assert [cells["why"]["text"] for _, cells in parsed.rows("table-left-out")] == ["no agreement: 3 cycles off"]
    by_well = {data["data-well"]: cells for data, cells in parsed.rows("table-standards")}
    assert by_well["A1"]["part"]["text"] == "yes"
    assert by_well["A2"]["part"]["text"] == "left out: no agreement: 3 cycles off"
    residual = 26.5 - (40.43235 - 3.41686 * 4)
    assert float(by_well["A2"]["residual"]["values"][0]) == pytest.approx(residual, abs=1e-12)


def test_the_index_lists_every_run_with_its_counts(html):
    text = index_page([all_runs("R1"), all_runs("R2", "failed", "slope: -4.1")], "0.1.0")
    cells = re.findall(r"<td[^>]*>(.*?)</td>", text)
    assert cells[1:8] == ["LAB1", "eac", "accepted", "3", "1", "0", ""]
    assert cells[9:] == ["LAB1", "eac", "failed", "3", "1", "0", "slope: -4.1"]


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


def test_a_number_on_a_page_carries_its_exact_value():
    assert figure(1 / 3) == f'<data value="{1 / 3!r}">0.333</data>'
    assert figure(24.256, ".2f") == '<data value="24.256">24.26</data>'
    assert figure(None) == "–"
