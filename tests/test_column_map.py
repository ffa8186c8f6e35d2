"""Column maps: what they may say, and how what they may not is put into words."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bcrabl import column_map_rules
from bcrabl.column_map import NamePattern, load_column_map, parse_column_map
from bcrabl.errors import BcrablError, FileError, SheetError
from bcrabl.run import ROLES
from bcrabl.schemas import load_schema

LONG = {
    "layout": "long",
    "stage": "raw",
    "fields": {"well": "Well", "cycle": "Cycle", "fluorescence": "FAM", "target": {"constant": "ABL1"}},
}
COLUMNS = {
    "layout": "column_per_well",
    "stage": "raw",
    "fields": {"cycle": "cycle"},
    "columns": {"x": {"well": "A1", "target": "ABL1"}},
}
ROWS = {
    "layout": "row_per_well",
    "stage": "raw",
    "fields": {"well": "Well", "target": "Gene"},
    "cycles": {"pattern": "C{cycle}"},
}


def parsed(document):
    return parse_column_map(yaml.safe_dump(document, sort_keys=False).encode(), "own.yaml")


def with_(document, **changes):
    """A copy with keys changed; a name such as `fields__role` reaches inside, None takes the key away."""
    document = copy.deepcopy(document)
    for path, value in changes.items():
        *outer, last = path.split("__")
        inside = document
        for key in outer:
            inside = inside.setdefault(key, {})
        if value is None:
            del inside[last]
        else:
            inside[last] = value
    return document


@pytest.mark.parametrize("document", [LONG, COLUMNS, ROWS])
def test_a_map_needs_little(document):
    assert parsed(document).layout == document["layout"]


def test_numbers_may_be_written_as_people_write_them():
    text = b"layout: column_per_well\nstage: raw\nfields: {cycle: c, target: {constant: S1}}\nquantity_unit: copies\n"
    columns = b"columns: {a: {well: D8, role: std, quantity: 5e8}, b: {well: D9, role: std, quantity: 5000}}\n"
    found = parse_column_map(text + columns + b"run_date: 2026-03-31\n", "own.yaml")
    assert [own["quantity"] for own in found.by_column.values()] == [5e8, 5000.0]
    assert found.run_date == "2026-03-31"


def test_words_for_roles_do_not_depend_on_case_or_blanks():
    found = parsed(with_(LONG, role_words={"Standard": "std", "": "unkn"}))
    assert [found.role(word) for word in ("STANDARD ", "standard", "", "ntc", "NTC", "blank")] == [
        *("std", "std", "unkn", "ntc", "ntc"),
        None,
    ]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (with_(LONG, stage=None), r"own.yaml: found no stage; expected the key stage"),
        (with_(LONG, stage="Rn"), r"own.yaml, stage: found 'Rn'; expected one of raw, normalised, baseline_subtracted"),
        (with_(LONG, sheet="x"), r"own.yaml: found unknown key 'sheet'; expected one of layout, stage"),
        (with_(LONG, fields__flourescence="x"), r"fields: found unknown key 'flourescence'.*mean 'fluorescence'"),
        (with_(LONG, fields__cycle=None), r"own.yaml, fields: found no cycle"),
        (with_(LONG, fields__target=None), r"own.yaml: found no target"),
        (with_(LONG, fields__dye={"column": "x"}), r"fields.dye: found no constant"),
        (with_(LONG, fields__sample={"constant": 7}), r"fields.sample.constant: found 7; expected text .* in quotes"),
        (with_(LONG, fields__cycle=1), r"fields.cycle: found 1; expected text .* Put it in quotes"),
        (with_(LONG, fields__passive_reference="R", stage="normalised"), r"passive reference beside a signal of stage"),
        (with_(LONG, fields__quantity="Q"), r"own.yaml: found no quantity_unit"),
        (with_(LONG, fields__quantity={"constant": "1e999"}, quantity_unit="ng"), r"'1e999'; expected a finite number"),
        (with_(LONG, pattern="{well}"), r"own.yaml, pattern: found pattern for layout long; expected layout column"),
        (with_(LONG, wells="in_order_of_rows", plate=96), r"wells: found in_order_of_rows for layout long"),
        (with_(LONG, plate=96), r"plate: found plate without wells"),
        (with_(LONG, table={"delimiter": "comma", "decimal": "comma"}), r"a comma between cells and in numbers"),
        (with_(LONG, table={"header": 1}), r"own.yaml, table: found unknown key 'header'.*mean 'header_row'"),
        (with_(LONG, role_words={"S": "standard"}), r"role_words.S: found 'standard'; expected one of unkn, std"),
        (with_(LONG, run_date="31.3.2026"), r"run_date: found '31.3.2026'; expected a calendar date"),
        (with_(COLUMNS, columns=None), r"found neither pattern nor columns"),
        (with_(COLUMNS, columns={"x": {"well": "A1"}}), r"columns.x: found no target; expected the target of each"),
        (with_(COLUMNS, columns={"x": {"target": "T"}}), r"columns.x: found no well.*wells: in_order_of_columns"),
        (with_(COLUMNS, columns={"x": {"wel": "A1"}}), r"columns.x: found unknown key 'wel'.*Did you mean 'well'"),
        (with_(COLUMNS, columns__x__role="patient"), r"columns.x.role: found 'patient'; expected one of calibrator"),
        (with_(COLUMNS, columns__x__quantity="many"), r"columns.x.quantity: found 'many'; expected a number, such as"),
        (with_(COLUMNS, columns={7: {"well": "A1"}}), r"columns: found the key 7, which YAML does not read as text"),
        (with_(COLUMNS, fields__sample="Sample"), r"fields.sample: found 'Sample'; expected {constant: value}"),
        (with_(COLUMNS, fields__fluorescence="F"), r"fields.fluorescence: found fluorescence for layout column_per"),
        (with_(COLUMNS, pattern="{wel}_{target}"), r"pattern: found {wel}; expected one of {well}.*mean 'well'"),
        (with_(COLUMNS, pattern="{well}{target}"), r"expected something between two names"),
        (with_(COLUMNS, pattern="{well}_{well}"), r"found {well} more than once"),
        (with_(COLUMNS, pattern="well"), r"found 'well'; expected text with names in braces"),
        (with_(COLUMNS, wells="in_order_of_columns"), r"found no plate"),
        (with_(COLUMNS, wells="in_order_of_columns", plate=96), r"in_order_of_columns, and wells that are stated"),
        (with_(ROWS, cycles=None), r"found no cycles"),
        (with_(ROWS, cycles={"pattern": "C"}), r"cycles.pattern: found 'C'; expected {cycle} once"),
        (with_(ROWS, cycles={"first": 9, "last": 3}), r"cycles.last: found 3; expected 9 \(first\) or higher"),
    ],
)
def test_what_a_map_may_not_say_is_named_by_key(document, message):
    with pytest.raises(SheetError, match=message):
        parsed(document)


def test_all_problems_are_told_at_once():
    with pytest.raises(SheetError) as caught:
        parsed(with_(LONG, stage="Rn", foo=1, fields__well=None))
    assert len(caught.value.problems) == 2  # rules across keys are looked at once the keys are right


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found None; expected a mapping"),
        (b"- long", "expected a mapping"),
        (b"layout: long\nlayout: long", r"own.yaml, row 2: found key 'layout' given twice"),
        (b"layout: &a [1]\nstage: *a", r"own.yaml, row 2: found the alias \*a; expected the value written out"),
        (b"a: " + b"[" * 50, "found more than 8 levels"),
        (b"a: " + b"[" * 100_000, "found more than 8 levels"),
        (b"layout: 'long", "expected YAML that can be read in one way only"),
        (b"layout: long\n\xff", "which is not UTF-8"),
        (b"true: 1", "the key True, which YAML does not read as text; expected text. Put it in quotes"),
        (b"stage: .nan", "the number .nan"),
        (b"a: 2026-13-45", "a value that YAML cannot read"),
        (b"#" * 5_000_000, "found a column map of 5000000 bytes"),
    ],
)
def test_yaml_that_nobody_writes_is_refused(content, message):
    with pytest.raises(FileError, match=message):
        parse_column_map(content, "own.yaml", FileError)


def test_a_map_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SheetError, match=r"own.yaml: found no readable file"):
        load_column_map(tmp_path / "own.yaml")


@pytest.mark.parametrize(
    ("pattern", "name", "answers"),
    [
        ("{well}_{target}", "A01_RNase_P", [{"well": "A01", "target": "RNase_P"}]),
        ("{target}_{sample}_r{replicate}", "ABL1_S7_r12", [{"target": "ABL1", "sample": "S7"}]),
        ("{target} ({dye})", "ABL1 (FAM)", [{"target": "ABL1", "dye": "FAM"}]),
        ("C{quantity}_r{replicate}", "C5e3_r1", [{"quantity": "5e3"}]),
        ("{target}_{sample}", "A_B_C", [{"target": "A", "sample": "B_C"}, {"target": "A_B", "sample": "C"}]),
        ("{well}_{target}", "temperature", []),
        ("{any}_{well}", "x" * 200 + "_A1", []),
    ],
)
def test_a_pattern_cuts_a_name_or_says_that_it_can_do_so_in_two_ways(pattern, name, answers):
    assert NamePattern(pattern).cut(name) == answers


def test_every_key_of_the_schema_is_explained_on_the_page():
    page = (Path(__file__).parents[1] / "docs" / "column_map.md").read_text(encoding="utf-8")
    schema = load_schema("column_map")
    keys = [*schema["properties"], *schema["properties"]["fields"]["properties"]]
    keys += [*schema["properties"]["table"]["properties"], *schema["properties"]["cycles"]["properties"]]
    assert [key for key in keys if f"`{key}`" not in page] == []


def test_roles_are_those_of_a_run():
    assert column_map_rules.ROLES == ROLES


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 5))
def test_damaged_maps_end_in_an_error_of_ours_or_a_map(inserted, place, cut):
    whole = yaml.safe_dump(COLUMNS).encode()
    place = min(place, len(whole))
    try:
        parse_column_map(whole[:place] + inserted + whole[place + cut :], "own.yaml")
    except BcrablError:
        return
