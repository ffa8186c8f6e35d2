"""Colours can be told apart and read, on light and on dark paper."""

from __future__ import annotations

import re

import pytest

from bcrabl.report.figures.theme import COLOURS, ROOT_CLASS, SERIES, stylesheet

OKABE_ITO = {"#000000", "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7"}
PAPERS = (0, 1)


def luminance(colour):
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_the_contrast_of_black_and_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("paper", PAPERS)
def test_series_are_of_the_okabe_ito_palette_or_ink_and_differ(paper):
    colours = [COLOURS[name][paper] for name in SERIES if name != "ink"]
    assert set(colours) <= OKABE_ITO
    assert len(set(colours)) == len(colours) == 4


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", SERIES)
def test_lines_stand_out_from_the_paper_as_wcag_asks_of_graphics(name, paper):
    assert contrast(COLOURS[name][paper], COLOURS["paper"][paper]) >= 3


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", ["ink", "muted"])
def test_text_stands_out_from_the_paper_as_wcag_asks_of_text(name, paper):
    assert contrast(COLOURS[name][paper], COLOURS["paper"][paper]) >= 4.5


def test_every_colour_is_a_custom_property_with_a_plain_colour_before_it():
    css = stylesheet()
    for name, (light, dark) in COLOURS.items():
        assert f"stroke:{light};stroke:var(--{name})" in css
        assert css.count(f"--{name}:") == 2
        assert f"--{name}:{dark};" in css.split("prefers-color-scheme:dark", 1)[1]


def test_rules_touch_figures_only():
    selectors = re.findall(r"(?:^|[{}])([^{}@]+)\{", stylesheet())
    assert selectors
    assert all(selector.startswith(f".{ROOT_CLASS}") for selector in selectors)
