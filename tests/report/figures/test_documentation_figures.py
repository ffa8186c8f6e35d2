"""docs/curve_analysis.md: its figures are what the code draws today, and it names what the code knows."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bcrabl.curves import METHODS, amplification
from bcrabl.curves.quality import QUALITY_FLAGS

DOCS = Path(__file__).parents[3] / "docs"
COMMAND = "python docs/make_figures.py"


@pytest.fixture(scope="module")
def page():
    return (DOCS / "curve_analysis.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The figures as the command draws them now: name → bytes."""
    folder = tmp_path_factory.mktemp("figures")
    subprocess.run([sys.executable, DOCS / "make_figures.py", folder], check=True)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_figures_are_current(drawn):
    kept = {path.name: path.read_bytes() for path in (DOCS / "figures").iterdir()}
    assert sorted(kept) == sorted(drawn)
    stale = [name for name, content in drawn.items() if kept[name] != content]
    assert not stale, f"run {COMMAND}"


def test_the_page_shows_every_figure_and_says_in_words_what_is_on_it(drawn, page):
    shown = dict(re.findall(r"!\[([^\]]*)\]\(figures/([^)]+)\)", page))
    assert sorted(shown.values()) == sorted(drawn)
    assert min(map(len, shown)) > 20


def test_every_figure_is_well_formed_and_has_a_title_and_a_description(drawn):
    for content in drawn.values():
        root = ET.fromstring(content)
        head = [element.tag.rsplit("}", 1)[1] for element in list(root)[:2]]
        assert head == ["title", "desc"]
        assert all(element.text for element in list(root)[:2])


def test_every_upright_and_level_axis_of_the_figures_is_labelled_with_a_unit_where_it_has_one(drawn):
    labels = {
        text.text
        for content in drawn.values()
        for group in ET.fromstring(content).iter("{http://www.w3.org/2000/svg}g")
        if "rotate" in group.get("transform", "")
        for text in group
    }
    assert labels
    assert [label for label in labels if "(" not in label] == ["share of the largest value"]


def reasons():
    """Every reason a call can have, as the rules write them."""
    functions = ast.walk(ast.parse(inspect.getsource(amplification)))
    rules = [node.elts for node in functions if isinstance(node, ast.Tuple) and len(node.elts) == 3]
    return {rule[2].value for rule in rules if isinstance(rule[2], ast.Constant) and isinstance(rule[2].value, str)}


def test_the_page_names_every_reason_every_flag_and_every_method(page):
    assert len(reasons()) > 20
    for word in (*reasons(), *QUALITY_FLAGS, *METHODS):
        assert f"`{word}`" in page, word


def test_tables_of_figures_stand_between_markers_that_name_their_command(page):
    opened = re.findall(r"<!-- figures: (.+?) -->", page)
    assert opened
    assert page.count("<!-- end of figures -->") == len(opened)
    for command in opened:
        script = re.search(r"benchmarks/\w+\.py", command).group()
        assert (DOCS.parent / script).is_file(), command


def test_the_example_of_the_page_runs(page):
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = subprocess.run([sys.executable, "-W", "error", "-c", example], capture_output=True, text=True, check=True)
    assert done.stdout.count("'amplified'") == 2


def test_links_of_the_page_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)]+)\)", page)
    headings = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    }
    for target in targets:
        file, _, anchor = target.partition("#")
        assert not file or (DOCS / file).is_file(), target
        assert not anchor or anchor in headings, target
