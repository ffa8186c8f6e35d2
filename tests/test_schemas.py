"""The schemas of the sheets describe themselves, fit the rows, and turn every misfit into words."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from sheet_builders import RUN_COLUMNS, SHEETS

from bcrabl.errors import SheetError
from bcrabl.schemas import check_document, compile_schema, load_schema, schema_folder
from bcrabl.sheets import (
    load_runs,
)

# -- schemas ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(schema_folder().glob("*.schema.yaml")), ids=lambda path: path.stem)
def test_every_schema_is_one_and_describes_itself(path):
    schema = load_schema(path.name.removesuffix(".schema.yaml"))
    compile_schema(schema).check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["title"]
    assert all(own.get("description") for own in schema["properties"].values())


@pytest.mark.parametrize("name", SHEETS)
def test_columns_of_schema_and_row_are_the_same_and_examples_fit(name):
    schema, row = load_schema(name), SHEETS[name][1]
    assert {each.name for each in fields(row)} == set(schema["properties"])
    for column, own in schema["properties"].items():
        for example in own["examples"]:
            numeric = {**schema["$defs"].get(own.get("$ref", "").removeprefix("#/$defs/"), {}), **own}
            value = float(example) if numeric.get("type") == "number" else example
            found = check_document({column: value}, {**schema, "required": []}, name)
            assert not found


@pytest.mark.parametrize("name", ["config", *SHEETS])
def test_the_manual_explains_every_column(name):
    manual = (Path(__file__).parents[1] / "config" / "README.md").read_text(encoding="utf-8")
    missing = [column for column in load_schema(name)["properties"] if f"| `{column}` |" not in manual]
    assert not missing


def test_a_folder_without_the_schema_is_named(tmp_path, write):
    with pytest.raises(SheetError, match=r"runs\.schema\.yaml: found no readable file"):
        load_runs(write(RUN_COLUMNS, "R1 L f eac"), tmp_path)


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ({"type": ["string", "null"]}, 1, "text or nothing"),
        ({"const": "auto"}, "x", "auto"),
        ({"pattern": "^a$"}, "b", "text of the form ^a$"),
        ({"format": "date"}, "2026-02-30", "a valid date"),
        ({"minimum": 1}, 0, "a number of at least 1"),
        ({"maximum": 1}, 2, "a number of at most 1"),
        ({"exclusiveMaximum": 1}, 1, "a number below 1"),
        ({"minLength": 3}, "ab", "at least 3 characters"),
        ({"maxLength": 1}, "ab", "at most 1 characters"),
        ({"minProperties": 1}, {}, "at least 1 entries"),
        ({"uniqueItems": True}, [1, 1], "no entry twice"),
        ({"multipleOf": 2}, 3, "3 is not a multiple of 2"),
    ],
)
def test_what_a_schema_allows_is_said_in_words(rule, value, expected):
    (problem,) = check_document({"x": value}, {"properties": {"x": rule}}, "file")
    assert (problem.where, problem.expected) == ("file, x", expected)


def test_a_schema_without_columns_is_refused(tmp_path, write):
    (tmp_path / "runs.schema.yaml").write_text("type: object\n")
    with pytest.raises(SheetError, match=r"found no properties; expected a JSON Schema of an object"):
        load_runs(write(RUN_COLUMNS, "R1 L f eac"), tmp_path)
