"""docs/standards.md: its examples give what the page says, and it names every file there is."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import yaml

from bcrabl.standards import schema_folder, standards_folder

PATH = Path(__file__).parents[1] / "docs" / "standards.md"
PAGE = PATH.read_text(encoding="utf-8")


def test_the_examples_give_what_the_page_says():
    outcome = doctest.testfile(str(PATH), module_relative=False, encoding="utf-8")
    assert outcome.failed == 0
    assert outcome.attempted >= 10


def test_the_page_lists_every_file():
    there = {path.relative_to(standards_folder()).as_posix() for path in standards_folder().rglob("*.yaml")}
    assert set(re.findall(r"^\| `([\w/]+\.yaml)`", PAGE, re.MULTILINE)) == there


def test_every_kind_of_file_has_a_schema_named_on_the_page():
    names = re.search(r"workflow/schemas/{([\w,]+)}\.schema\.yaml", PAGE)
    assert names
    assert all((schema_folder() / f"{name}.schema.yaml").is_file() for name in names[1].split(","))


def test_the_number_shown_is_the_one_shipped():
    shown = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert shown
    shipped = yaml.safe_load((standards_folder() / "conversion_factor_acceptance.yaml").read_text(encoding="utf-8"))
    assert yaml.safe_load(shown[1])["bias_fold"] == shipped["rules"][0]["limits"]["bias_fold"]
