"""docs/methods.md and docs/validation.md: examples give what the pages say, and what they name is there."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest
import yaml

from bcrabl.detection import LINKS
from bcrabl.scale import BELOW_REPLICATE_MINIMUM, THREE_COPY_RULES
from bcrabl.standards import load_response_rules, schema_folder, standards_folder
from bcrabl.tables import RESULTS

DOCS = Path(__file__).parents[1] / "docs"
PAGES = ("methods.md", "validation.md")
FUNCTIONS = {
    *("ln", "log10", "exp", "sqrt", "max", "mean", "product", "sum", "trace", "Var", "SD", "Normal", "Poisson", "Φ"),
    *("P", "prior", "detected", "undetected", "reference", "local", "percent"),
}
TRANSPOSED = {"XT", "yT"}
RESULTS_OF_FORMULAS = {"LoB", "CV", "sensitivity", "excluded", "depth"}


@pytest.fixture(scope="module")
def methods():
    return (DOCS / "methods.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module", params=PAGES)
def page(request):
    return (DOCS / request.param).read_text(encoding="utf-8")


def section(text, title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]


def keys_of_schema(document, above=""):
    """Every key of a schema with those it stands under."""
    for name, inside in document.get("properties", {}).items():
        yield above + name
        yield from keys_of_schema(inside, f"{above}{name}.")


def anchors(text):
    """The anchors of headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_examples_give_what_the_page_says():
    outcome = doctest.testfile(str(DOCS / "methods.md"), module_relative=False, encoding="utf-8")
    assert outcome.failed == 0
    assert outcome.attempted >= 5


def test_every_symbol_of_a_formula_is_explained_and_every_one_explained_is_used(methods):
    table = section(methods, "Symbols")
    explained = set(re.findall(r"`(\w+)`", table))
    leading = {
        name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    formulas = "\n".join(re.findall(r"```formula\n(.*?)```", methods, re.DOTALL))
    used = set(re.findall(r"[^\W\d]\w*", re.sub("[⁻²³⁴¹]", "", formulas)))
    assert len(leading) >= 30
    assert used - explained - FUNCTIONS - RESULTS_OF_FORMULAS - TRANSPOSED == set()
    assert leading - used == set()


def test_every_source_named_is_listed_and_every_source_listed_is_named(methods):
    text, listed = methods.split("## Sources\n")
    keys = set(re.findall(r"^- \*\*(\w+)\*\*", listed, re.MULTILINE))
    assert set(re.findall(r"\[([A-Z][a-z]+\d{4})\]", text)) == keys
    assert len(keys) >= 25


def test_every_section_with_a_formula_names_its_source_or_its_code(methods):
    for title, text in re.findall(r"^## (\d .*?)\n(.*?)(?=^## )", methods, re.MULTILINE | re.DOTALL):
        if "```formula" in text:
            assert re.search(r"\[[A-Z][a-z]+\d{4}\]|score_sample", text), title


def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", page):
        path, _, anchor = target.partition("#")
        file = DOCS / path if path else None
        assert file is None or file.is_file(), target
        if anchor:
            assert anchor in anchors(page if file is None else file.read_text(encoding="utf-8")), target


def test_every_key_named_is_one_the_schemas_know(methods):
    known = set()
    for name in ("assay", "config", "molecular_response"):
        schema = yaml.safe_load((schema_folder() / f"{name}.schema.yaml").read_text(encoding="utf-8"))
        known |= set(keys_of_schema(schema))
    roots = "scoring|calibration|acceptance|positive|controls|detection_limits"
    named = {key.rstrip(".:") for key in re.findall(rf"`((?:{roots})\.[\w.]+)", methods)}
    assert len(named) >= 12
    assert named <= known


def test_every_module_named_can_be_imported(methods):
    for name in set(re.findall(r"`(bcrabl(?:\.\w+)+)`", methods)):
        parent, _, last = name.rpartition(".")
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(parent), last), name


def test_every_choice_there_is_stands_on_the_page(methods):
    for choice in (*THREE_COPY_RULES, *BELOW_REPLICATE_MINIMUM, *LINKS):
        assert f"`{choice}`" in methods or f"minimum: {choice}`" in methods, choice


def test_columns_of_undetected_samples_are_in_the_results(methods):
    named = set(re.findall(r"`(\w+)`", re.search(r"\n- `sensitivity_percent`.*?2\.996 copies", methods, re.DOTALL)[0]))
    assert named >= {"sensitivity_mr", "excluded_percent", "is_high"}
    assert named <= set(RESULTS.schema.names)


def test_the_classes_on_the_page_are_those_of_the_standards(methods):
    rows = re.findall(r"^\| (MR[\d.]+) \| ([\d.]+) \| (.*?) \| (.*?) \|$", methods, re.MULTILINE)
    shown = [(name, float(level), gene.replace(",", ""), other.replace(",", "")) for name, level, gene, other in rows]
    minimum = "(replicate minimum only)"
    kept = [
        (
            one.name,
            one.is_percent,
            *(f"{one.minimum_copies[g]:g}" if one.minimum_copies else minimum for g in ("ABL1", "GUSB")),
        )
        for one in load_response_rules().classes
    ]
    assert shown == kept


def test_acceptance_windows_on_the_page_are_those_of_the_assay(methods):
    acceptance = yaml.safe_load((standards_folder() / "assays/eac.yaml").read_text(encoding="utf-8"))["acceptance"]
    text = section(methods, "9 Acceptance")
    assert set(acceptance) == set(re.findall(r"^\| (\w+_?\w*) \| .* \|$", text, re.MULTILINE)) - {"check"}
    for check, windows in (("slope", 2), ("r_squared", 2), ("efficiency", 1)):
        shown = re.search(rf"^\| {check} \| (.*?) \|", text, re.MULTILINE)[1]
        kept = [window[end] for window in acceptance[check] for end in ("lower", "upper") if end in window]
        assert len(acceptance[check]) == windows
        assert sorted(map(float, re.findall(r"-?\d[\d.]*", shown))) == sorted(kept)


def test_the_page_of_validation_says_how_every_table_is_made():
    text = (DOCS / "validation.md").read_text(encoding="utf-8")
    scripts = set(re.findall(r"<!-- figures: python (benchmarks/\w+\.py) -->", text))
    assert scripts == {
        f"benchmarks/{name}.py" for name in ("validation", "coverage", "calibration", "detection_limits")
    }
    assert all((DOCS.parent / script).is_file() for script in scripts)
    assert text.count("<!-- figures: ") == text.count("<!-- end of figures -->")
