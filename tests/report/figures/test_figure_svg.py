"""Figures are well-formed, put data where the axes say, and show every text as text."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from bcrabl.report.figures import Area, Axis, Band, Figure, Label, Line, Panel, Points, Rule

HOSTILE = "</text><script>alert(1)</script><img src=x onerror=\"a\"> & 'B'"
SVG = "{http://www.w3.org/2000/svg}"
X, Y = Axis("cycle", 0, 10), Axis("signal (Rn)", 0, 100)


def tree(*marks, x=X, y=Y, **panel):
    """The parsed figure with one panel."""
    return ET.fromstring(Figure([Panel(x, y, marks, **panel)], "a figure").svg())


def plot(*marks, x=X, y=Y):
    """Width and height of the plot, and the path data drawn in it."""
    inner = tree(*marks, x=x, y=y).find(f".//{SVG}svg")
    paths = [path.get("d") for path in inner.iter(f"{SVG}path")]
    return float(inner.get("width")), float(inner.get("height")), paths


def corners(path):
    """Coordinates of the absolute moves and lines of a path."""
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+),(-?[\d.]+)", path)]


@pytest.mark.parametrize("kind", [Line, Points])
def test_data_stand_at_the_pixels_the_axes_say(kind):
    width, height, (path,) = plot(kind([0, 10, 2.5], [0, 100, 50]))
    wanted = np.array([(0, height), (width, 0), (width / 4, height / 2)])
    assert np.abs(np.array(corners(path)) - wanted).max() <= 0.05


def test_on_a_logarithmic_axis_a_tenth_of_the_way_is_a_decade_of_ten():
    y = Axis("copies", 1, 1e10, logarithmic=True)
    _, height, (path,) = plot(Points([0], [10]), y=y)
    assert corners(path)[0][1] == pytest.approx(0.9 * height, abs=0.05)


def test_ticks_stand_at_the_pixels_of_their_values():
    root = tree()
    inner = root.find(f".//{SVG}svg")
    width, height = float(inner.get("width")), float(inner.get("height"))
    texts = {text.text: text for text in root.iter(f"{SVG}text")}
    assert float(texts["4"].get("x")) == pytest.approx(0.4 * width, abs=0.05)
    assert float(texts["40"].get("y")) == pytest.approx(0.6 * height + 4, abs=0.05)  # text sits 4 px below its line


def test_a_line_has_a_gap_where_a_reading_is_missing():
    *_, (path,) = plot(Line([0, 1, 2, 3, 4], [1, 2, np.nan, 4, 5]))
    assert [letter for letter in path if letter in "ML"] == ["M", "L", "M", "L"]


def test_points_without_a_place_are_left_out():
    *_, (path,) = plot(Points([1, 2, 3], [1, np.nan, 3]))
    assert path.count("M") == 2
    *_, paths = plot(Points([1, 2], [0, -1]), y=Axis("signal (Rn)", 1, 10, logarithmic=True))
    assert paths == []


@pytest.mark.parametrize("value", [-1.0, 11.0, np.nan])
def test_a_reference_line_outside_the_axes_is_not_drawn_and_not_named(value):
    root = tree(Rule(value, "Cq of nothing"))
    assert root.find(f".//{SVG}svg").find(f"{SVG}path") is None
    assert "Cq of nothing" not in "".join(root.itertext())


def test_a_band_covers_its_stretch_of_either_axis():
    root = tree(Band(2, 4), Band(25, 75, along="y"))
    inner = root.find(f".//{SVG}svg")
    width, height = float(inner.get("width")), float(inner.get("height"))
    upright, level = inner.findall(f"{SVG}rect")
    assert float(upright.get("x")) == pytest.approx(0.2 * width, abs=0.05)
    assert float(upright.get("width")) == pytest.approx(0.2 * width, abs=0.05)
    assert float(level.get("y")) == pytest.approx(height / 4, abs=0.05)
    assert float(level.get("height")) == pytest.approx(height / 2, abs=0.05)


def test_what_leaves_the_plot_is_cut_off():
    """An inner svg element clips unless its overflow is made visible."""
    root = tree(Line([0, 10], [0, 1e6]))
    inner = root.find(f".//{SVG}svg")
    assert inner.get("overflow") is None
    assert "overflow" not in root.find(f"{SVG}style").text


def test_a_hostile_name_is_shown_as_text_wherever_it_stands():
    hostile = {"name": HOSTILE, "data": {"well": HOSTILE}}
    marks = [
        Line([1, 2], [3, 4], **hostile),
        Points([1], [2], name="points", data={"sample": HOSTILE}),
        Area([1, 2], [0, 0], [5, 5], name="area", data={"sample": HOSTILE}),
        Band(1, 2, name="band", data={"sample": HOSTILE}),
        Rule(3, HOSTILE),
        Rule(30, HOSTILE, along="y"),
        Label(1, 2, HOSTILE),
    ]
    names = {"title": HOSTILE, "note": HOSTILE}
    panel = Panel(Axis(HOSTILE, 0, 10), Axis(HOSTILE, 0, 100), marks, **names)
    root = ET.fromstring(Figure([panel], HOSTILE, HOSTILE).svg())
    known = {"svg", "title", "desc", "style", "rect", "g", "path", "text"}
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == known
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
    assert root.find(f"{SVG}title").text == HOSTILE
    assert (
        sum(text.text == HOSTILE for text in root.iter(f"{SVG}text")) == 8
    )  # title, note, 2 axes, legend, 2 rules, label
    assert HOSTILE in {path.get("data-well") for path in root.iter(f"{SVG}path")}


@pytest.mark.parametrize("text", ["nul \x00", "bell \x07", "half a pair \ud800", "no character \uffff"])
def test_what_xml_cannot_hold_does_not_break_the_figure(text):
    root = tree(Label(1, 2, text), title=text)
    shown = [element.text for element in root.iter(f"{SVG}text") if element.text.startswith(text[:3])]
    assert shown == [text[:-1] + "\ufffd"] * 2


def test_names_of_marks_stand_in_the_legend_once():
    root = tree(Line([0, 1], [0, 1], name="wells"), Line([0, 1], [1, 2], name="wells"), Points([1], [1], name="Cq"))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts.count("wells") == texts.count("Cq") == 1
    assert "wells" not in {text.text for text in tree(Line([0, 1], [0, 1], name="wells"), legend=False).iter()}


def test_plots_of_a_row_stand_in_one_line_whatever_is_above_them():
    plain, full = Panel(X, Y, []), Panel(X, Y, [Line([0], [0], name="a")], "title", "a note " * 30)
    root = ET.fromstring(Figure([plain, full, plain], "rows", columns=2).svg())
    places = [group.get("transform") for group in root.findall(f"{SVG}g")]
    (x0, y0), (x1, y1), (x2, y2) = (map(float, re.findall(r"[\d.]+", place)) for place in places)
    assert y0 == y1 < y2
    assert x0 == x2 < x1


def test_every_plot_and_its_axis_labels_lie_on_the_paper():
    panels = [Panel(X, Axis("copies", 1, 1e6, logarithmic=True), [], "title", "note " * k) for k in range(5)]
    root = ET.fromstring(Figure(panels, "many", columns=3).svg())
    _, _, width, height = map(float, root.get("viewBox").split())
    for group in root.findall(f"{SVG}g"):
        x, y = map(float, re.findall(r"-?[\d.]+", group.get("transform")))
        inner = group.find(f"{SVG}svg")
        lowest = max(float(text.get("y")) for text in group.findall(f"{SVG}text"))
        highest = min(float(text.get("y")) for text in group.findall(f"{SVG}text"))
        assert 0 < x < x + float(inner.get("width")) < width
        assert 10 < y + highest < y + lowest < height


def test_within_a_page_a_figure_brings_neither_style_nor_ids():
    figure = Figure([Panel(X, Y, [Line([0, 1], [0, 1])])], "in a page")
    inside, alone = figure.svg(alone=False), figure.svg()
    assert "<style>" not in inside
    assert "<style>" in alone
    assert 'id="' not in inside + alone
    assert "http" not in alone.replace("http://www.w3.org/2000/svg", "")


def test_pixels_are_no_longer_than_one_digit_and_never_minus_zero():
    root = tree(Line([0, 1 / 3, 10], [100, 2 / 3, 99.9999999]), Points([1e-9], [100.0001]))
    for path in root.iter(f"{SVG}path"):
        assert re.search(r"\.\d\d|-0(?![.\d])", path.get("d")) is None
