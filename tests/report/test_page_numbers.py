"""Every number on the page of a run is that of the Parquet files, and every curve, well and standard is found again."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from bcrabl.report.words import number


@pytest.fixture(scope="module")
def run(processed):
    return processed()


@pytest.fixture(scope="module")
def text(run):
    return run.page()


@pytest.fixture(scope="module")
def parsed(html, text):
    return html(text)


def table(run, name):
    return pq.read_table(getattr(run.tables, name)).to_pylist()


def values(cell):
    return [float(value) for value in cell["values"]]


def there(*numbers):
    return [value for value in numbers if value is not None]


# -- numbers ----------------------------------------------------------------------------------------------------------


def test_every_sample_shows_the_numbers_of_the_results_table(run, parsed):
    shown = parsed.rows("table-results")
    rows = table(run, "results")
    assert [data["data-sample"] for data, _ in shown] == [row["sample_id"] for row in rows]
    for (_, cells), row in zip(shown, rows, strict=True):
        wells = there(row["detected_replicates"], row["replicates"])
        assert values(cells["bcr_abl_copies"]) == [*there(row["bcr_abl_copies"]), *wells]
        for name in ("control_copies", "ratio_percent", "conversion_factor"):
            assert values(cells[name]) == there(row[name]), name
        assert values(cells["is_percent"]) == expected_is(row)
        chance = dict(row["class_probabilities"] or ()).get(row["response_class"] or "none")
        assert values(cells["response_class"]) == there(chance)
        assert values(cells["sensitivity_class"]) == ([] if row["detected"] else there(row["excluded_percent"]))


def expected_is(row):
    value, read = row["is_percent"], row["is_percent_uncensored"]
    kind = "ratio" if row["is_high"] is None else "is"
    low, high = row[f"{kind}_low"], row[f"{kind}_high"]
    limits = there(high) if row["detected"] is False or high == np.inf else there(low, high)
    raised = there(read) if value is not None and row["detected"] and value > read else []
    return [*there(value), *raised, *limits]


def test_the_simulated_plate_has_detected_undetected_raised_and_weak_samples(run):
    rows = table(run, "results")
    assert {row["detected"] for row in rows} == {True, False}
    assert any(row["is_percent"] and row["is_percent"] > row["is_percent_uncensored"] for row in rows)
    assert {row["outcome"] for row in rows} >= {"report", "repeat", "review"}


def test_every_reaction_shows_the_numbers_of_cq_copies_and_curves(run, parsed):
    tables = {
        name: {(row["well"], row["target"]): row for row in table(run, name)} for name in ("cq", "copies", "curves")
    }
    shown = {(data["data-well"], data["data-target"]): cells for data, cells in parsed.rows("table-reactions")}
    assert set(shown) == set(tables["cq"]) == set(tables["copies"])
    for key, cells in shown.items():
        cq, copies, curve = (tables[name][key] for name in ("cq", "copies", "curves"))
        assert values(cells["cq"]) == there(cq["cq"], cq["cq_sd"] if cq["cq_sd"] is not None else None)
        assert values(cells["known_copies"]) == there(cq["known_copies"])
        assert values(cells["vendor_cq"]) == there(curve["vendor_cq"])
        low = copies["copies_low"] if copies["detected"] else None
        assert values(cells["copies"]) == there(copies["copies"], low, copies["copies_high"])
        assert values(cells["baseline_start"]) == there(cq["baseline_start"], cq["baseline_end"])
        for name in ("threshold", "plateau", "efficiency"):
            assert values(cells[name]) == there(cq[name]), name


def test_every_check_shows_its_value_and_window(run, parsed):
    def key(numbers):
        return tuple(numbers)

    shown = sorted(
        (cells["message"]["text"], key(values(cells["value"])), key(values(cells["window"])))
        for _, cells in parsed.rows("table-checks")
    )
    rows = table(run, "qc")
    assert shown == sorted(
        (row["message"], key(there(row["value"])), key(there(row["lower"], row["upper"]))) for row in rows
    )


def test_the_standard_curves_show_the_numbers_of_their_table(run, parsed):
    rows = table(run, "standard_curves")
    facts = {row["data"].get("data-column"): row["cells"][1:] for row in parsed.tables["facts"]["rows"]}
    for name in ("slope", "intercept", "efficiency", "r_squared", "residual_sd", "degrees_of_freedom", "levels"):
        assert [values(cell) for cell in facts[name]] == [[row[name]] for row in rows], name
    for name in ("points", "copies_low", "copies_high", "lack_of_fit_p", "linearity_p", "own_slope", "own_intercept"):
        assert [values(cell) for cell in facts[name]] == [[row[name]] for row in rows], name


def test_a_standard_shows_its_distance_from_the_line(run, parsed):
    lines = {row["target"]: row for row in table(run, "standard_curves")}
    standards = {(row["well"], row["target"]): row for row in table(run, "cq") if row["role"] == "std"}
    shown = parsed.rows("table-standards")
    assert {(data["data-well"], data["data-target"]) for data, _ in shown} == set(standards)
    for data, cells in shown:
        row, line = standards[data["data-well"], data["data-target"]], lines[data["data-target"]]
        expected = line["intercept"] + line["slope"] * np.log10(row["known_copies"])
        assert values(cells["expected"]) == pytest.approx([expected], abs=1e-12)
        assert values(cells["residual"]) == pytest.approx([row["cq"] - expected], abs=1e-12)


def test_what_is_read_is_the_exact_value_rounded(text):
    found = re.findall(r'<data value="([^"]+)">([^<]*)</data>', text)
    assert len(found) > 1500
    for exact, shown in found:
        if shown in ("not detected", "no bound"):
            continue
        digits = len(shown.split(".")[1].split("e")[0]) if "." in shown else 0
        value = float(shown.replace("\u202f", "").replace(" ", ""))
        # half a unit of the last digit shown; percentages of probabilities are a hundred times their value
        near = [float(exact), 100 * float(exact)]
        scale = 10 ** int(shown.split("e")[1]) if "e" in shown else 1
        assert min(abs(value - each) for each in near) <= 0.5000001 * scale * 10.0**-digits, (exact, shown)
        assert len(number(float(exact))) > 0


# -- wells ------------------------------------------------------------------------------------------------------------


def paths(text, signal, scale, target):
    view = re.search(rf'data-signal="{signal}" data-scale="{scale}".*?</div>', text, re.DOTALL)[0]
    drawn = next(svg for svg in re.findall(r"<svg.*?</svg>\n*</figure>", view, re.DOTALL) if f"of {target}," in svg)
    return dict(re.findall(r'data-well="([^"]+)" d="([^"]+)"', drawn))


@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize("signal", ["corrected", "raw"])
@pytest.mark.parametrize("target", ["ABL1", "BCR::ABL1"])
def test_every_well_has_its_curve_in_every_view(run, text, signal, scale, target):
    wells = {row["well"] for row in table(run, "cq") if row["target"] == target}
    drawn = paths(text, signal, scale, target)
    if (signal, scale) != ("corrected", "log"):  # without a positive signal there is nothing to draw on a log scale
        assert set(drawn) == wells
    assert set(drawn) <= wells
    assert len(drawn) > len(wells) / 2


@pytest.mark.parametrize("signal", ["corrected", "raw"])
def test_a_drawn_curve_has_the_shape_of_its_readings(run, text, signal):
    reaction = next(row for row in table(run, "cq") if row["target"] == "ABL1" and row["well"] == "A3")
    curve = next(row for row in table(run, "curves") if row["target"] == "ABL1" and row["well"] == "A3")
    cycles = np.array(curve["cycles"])
    readings = np.array(curve["fluorescence"]) / np.array(curve["passive_reference"])
    if signal == "corrected":
        readings = readings - reaction["baseline_intercept"] - reaction["baseline_slope"] * cycles
    points = re.findall(r"[ML](-?[0-9.]+),(-?[0-9.]+)", paths(text, signal, "linear", "ABL1")["A3"])
    x, y = np.array(points, dtype=float).T
    assert len(x) == len(cycles)
    for drawn, read in ((x, cycles), (y, readings)):  # pixels are a straight line of the values, up to their rounding
        slope, start = np.polyfit(read, drawn, 1)
        assert np.abs(drawn - (start + slope * read)).max() < 0.11


def test_every_standard_is_a_point_of_its_well(run, text):
    for target in ("ABL1", "BCR::ABL1"):
        title = f"<title>Standard curve of {target}</title>"
        svg = re.search(rf"<svg[^>]*>\n{title}.*?</svg>\n*</figure>", text, re.DOTALL)[0]
        drawn = re.findall(r'data-well="([^"]+)"', svg)
        standards = {row["well"] for row in table(run, "cq") if row["role"] == "std" and row["target"] == target}
        assert set(drawn) == standards
        assert len(drawn) == 2 * len(standards)  # the line, and the residuals


def test_every_well_of_the_run_is_a_button_that_says_what_is_in_it(run, parsed):
    rows = table(run, "cq")
    assert set(parsed.buttons) == {row["well"] for row in rows}
    for row in rows:
        words = parsed.buttons[row["well"]][0]
        assert row["sample_id"] in words
        if row["cq"] is not None:
            assert f"{row['target']} {row['call'].replace('_', ' ')}, Cq {row['cq']:.2f}" in words


# -- origin -----------------------------------------------------------------------------------------------------------


def test_the_page_names_the_digest_of_every_file_it_was_made_from(run, text):
    for name in ("curves", "cq", "standard_curves", "copies", "results", "qc"):
        assert hashlib.sha256(Path(getattr(run.tables, name)).read_bytes()).hexdigest() in text
    assert hashlib.sha256(Path(run.tables.assays[0]).read_bytes()).hexdigest() in text
    assert table(run, "curves")[0]["raw_sha256"] in text


def test_the_page_shows_the_protocol_and_the_run_sheet(run, parsed):
    assert Path(run.tables.assays[0]).read_text(encoding="utf-8") in parsed.text
    assert "op1" in parsed.text


# -- page -------------------------------------------------------------------------------------------------------------


def test_hostile_names_stand_in_their_rows_as_text(parsed, hostile_names):
    samples = [data["data-sample"] for data, _ in parsed.rows("table-results")]
    assert set(hostile_names) <= set(samples)
    assert "img" not in {tag for tag, _ in parsed.elements}
    assert [tag for tag, _ in parsed.elements].count("script") == 1
    assert not [attributes for tag, attributes in parsed.elements if tag == "b" and not attributes]


def test_the_page_is_well_formed(parsed):
    assert not parsed.unclosed
    assert not parsed.open


def test_every_figure_describes_itself_and_every_control_has_a_name(html, text, parsed):
    assert text.count("</title><desc>") == text.count("<figure>") == text.count('role="img"') == 10
    unnamed = re.findall(r"<button[^>]*></button>", text)
    assert unnamed == []
    assert all(
        attributes.get("scope") or "data-column" not in attributes for tag, attributes in parsed.elements if tag == "th"
    )


def test_the_same_tables_give_the_same_bytes(run, text):
    assert run.page() == text


@pytest.mark.parametrize(("rows", "columns", "most"), [(8, 12, 3e6), (16, 24, 6e6)])
def test_a_page_with_two_targets_in_every_well_stays_small(processed, rows, columns, most):
    content = processed(rows, columns)
    assert len({row["well"] for row in table(content, "cq")}) > 0.97 * rows * columns
    assert len(content.page().encode()) < most
