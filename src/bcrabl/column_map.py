"""Column maps: what is in which column of a table of curves that no instrument software wrote.

A laboratory writes one in YAML for its own table; workflow/schemas/column_map.schema.yaml says what it may hold,
`column_map_rules` what goes together. Imported when the Snakefile is parsed: standard library, YAML and JSON
Schema only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from bcrabl.column_map_rules import FREE, NUMBERS, PLACEHOLDER, PLACEHOLDERS, ROLES, contradictions
from bcrabl.errors import Problem, SheetError
from bcrabl.schemas import Fault, check_document, load_schema, parse_yaml, read_text

__all__ = ["ANNOTATIONS", "NUMBERS", "ColumnMap", "NamePattern", "load_column_map", "parse_column_map"]

ANNOTATIONS = ("well", "target", "dye", "sample", "role", "part", "cq", "call")
"""Fields that say who is in a well and what the software said, as text."""

_NOT_KEPT = ("replicate", "any")
_LONGEST_NAME = 120  # characters of a column name that a pattern is tried on
_MOST_DEEP = 8
_LARGEST_MAP = 1024 * 1024  # bytes; one that annotates 1,536 columns has 200,000
_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_MARKS = {"point": ".,", "comma": ",."}  # who states the mark says that the other one parts thousands


@dataclass(frozen=True)
class NamePattern:
    """A pattern of column names such as `{well}_{target}`."""

    text: str

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The placeholders in their order."""
        return tuple(PLACEHOLDER.findall(self.text))

    @cached_property
    def _expressions(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """The pattern as regular expressions that cut a name as early and as late as they can."""
        early = "".join(
            f"({PLACEHOLDERS[part]})" if place % 2 else re.escape(part)
            for place, part in enumerate(PLACEHOLDER.split(self.text))
        )
        return re.compile(early), re.compile(early.replace(f"({FREE})", "(.+)"))

    def cut(self, name: str) -> list[dict[str, str]]:
        """What a name says, by field: nothing where it does not fit, two answers where it can be cut in two ways."""
        if len(name) > _LONGEST_NAME:
            return []
        found = [match for expression in self._expressions if (match := expression.fullmatch(name))]
        answers = [
            {key: value for key, value in zip(self.fields, match.groups(), strict=True) if key not in _NOT_KEPT}
            for match in found
        ]
        return answers[:1] if answers[:1] == answers[1:] else answers

    def spelled(self, cycle: int) -> str:
        """The name of the column of a cycle."""
        return self.text.replace("{cycle}", str(cycle))


@dataclass(frozen=True)
class ColumnMap:
    """A column map that has been checked.

    Parameters
    ----------
    label : what error texts call it.
    layout, stage : as in the schema.
    columns_of : column by field.
    constants : value by field.
    by_column : annotation of single columns, value by field.
    """

    label: str
    layout: str
    stage: str
    columns_of: Mapping[str, str]
    constants: Mapping[str, str | float]
    by_column: Mapping[str, Mapping[str, str | float]] = field(default_factory=dict)
    pattern: NamePattern | None = None
    cycles: NamePattern | None = None
    first_cycle: int | None = None
    last_cycle: int | None = None
    ignore: frozenset[str] = frozenset()
    wells_in_order: bool = False
    plate: int = 96
    role_words: Mapping[str, str] = field(default_factory=dict)
    quantity_unit: str | None = None
    no_cq: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    sheet: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    header_row: int | None = None
    last_row: int | None = None
    instrument: str | None = None
    run_date: str | None = None

    def role(self, word: str) -> str | None:
        """The role that a word stands for, RDML's own words included, or None."""
        own = word.strip().casefold()
        return self.role_words.get(own) or (own if own in ROLES else None)

    def names(self, name: str) -> bool:
        """Whether some field can be stated at all: by a column, a constant, the pattern or single columns."""
        in_pattern = self.pattern is not None and name in self.pattern.fields
        return in_pattern or name in {*self.columns_of, *self.constants} or any(name in own for own in self._single)

    @cached_property
    def _single(self) -> Sequence[Mapping[str, str | float]]:
        return list(self.by_column.values())


def load_column_map(path: str | Path, fault: Fault = SheetError) -> ColumnMap:
    """The column map in a file.

    Raises
    ------
    BcrablError : of kind `fault`, with everything that is wrong in the file.
    """
    return parse_column_map(read_text(path, fault).encode(), str(path), fault)


def parse_column_map(content: bytes, label: str, fault: Fault = SheetError) -> ColumnMap:
    """The column map that bytes spell; `label` is what error texts call it.

    Raises
    ------
    BcrablError : of kind `fault`, with everything that is wrong in it.
    """
    _refuse_entangled(content, label, fault)
    document = _plain(parse_yaml(content, label, fault))
    if not isinstance(document, dict):
        raise fault(Problem(label, repr(document), "a mapping of keys to values, such as 'layout: long'"))
    schema = load_schema("column_map", fault=fault)
    problems = [*_keys_that_are_no_text(document, label)] or check_document(document, schema, label)
    if not problems:
        problems = list(contradictions(document, label))
    if problems:
        raise fault(problems)
    return _column_map(document, schema, label)


# -- YAML that a person would not write -------------------------------------------------------------------------------


def _refuse_entangled(content: bytes, label: str, fault: Fault) -> None:
    """Aliases can multiply a small file to gigabytes, and depth overflows the stack of the library."""
    import yaml

    if len(content) > _LARGEST_MAP:
        raise fault(Problem(label, f"a column map of {len(content)} bytes", f"at most {_LARGEST_MAP} bytes"))
    depth = 0
    try:
        for event in yaml.parse(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            row = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.AliasEvent):
                raise fault(Problem(f"{label}, row {row}", f"the alias *{event.anchor}", "the value written out"))
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MOST_DEEP:
                found = f"more than {_MOST_DEEP} levels"
                raise fault(Problem(f"{label}, row {row}", found, "a column map as docs/column_map.md shows it"))
    except (yaml.YAMLError, UnicodeError):  # reported with its place by whoever reads the document
        return


def _plain(value: Any) -> Any:
    """The document with days as ISO text, as everybody writes them without quotes."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


def _keys_that_are_no_text(value: Any, where: str) -> Iterator[Problem]:
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if not isinstance(key, str):
            yield Problem(where, f"the key {key!r}, which YAML does not read as text", "text", "Put it in quotes.")
        yield from _keys_that_are_no_text(item, f"{where}, {key}")


# -- from document to map ---------------------------------------------------------------------------------------------


def _column_map(document: Mapping[str, Any], schema: Mapping[str, Any], label: str) -> ColumnMap:
    table, cycles, fields = (document.get(key, {}) for key in ("table", "cycles", "fields"))
    properties = schema["properties"]
    missing = table.get("missing", properties["table"]["properties"]["missing"]["default"])
    cycle_pattern = cycles.get("pattern", properties["cycles"]["properties"]["pattern"]["default"])
    by_row = document["layout"] == "row_per_well"
    return ColumnMap(
        label=label,
        layout=document["layout"],
        stage=document["stage"],
        columns_of={name: value for name, value in fields.items() if isinstance(value, str)},
        constants=_typed({name: value["constant"] for name, value in fields.items() if isinstance(value, dict)}),
        by_column={name: _typed(own) for name, own in document.get("columns", {}).items()},
        pattern=NamePattern(document["pattern"]) if "pattern" in document else None,
        cycles=NamePattern(cycle_pattern) if by_row else None,
        first_cycle=cycles.get("first"),
        last_cycle=cycles.get("last"),
        ignore=frozenset(document.get("ignore", ())),
        wells_in_order="wells" in document,
        plate=document.get("plate", 96),
        role_words={word.strip().casefold(): role for word, role in document.get("role_words", {}).items()},
        quantity_unit=document.get("quantity_unit"),
        no_cq=frozenset(_word(value) for value in document.get("no_cq", properties["no_cq"]["default"])),
        missing=frozenset(word.casefold() for word in missing),
        sheet=table.get("sheet"),
        delimiter=_DELIMITERS.get(table.get("delimiter", "")),
        decimal=_MARKS.get(table.get("decimal", "")),
        header_row=table.get("header_row"),
        last_row=table.get("last_row"),
        instrument=document.get("instrument"),
        run_date=document.get("run_date"),
    )


def _typed(stated: Mapping[str, Any]) -> dict[str, str | float]:
    return {name: float(value) if name in NUMBERS else _word(value) for name, value in stated.items()}


def _word(value: str | float) -> str:
    """A value as a cell would spell it: 40 and 40.0 are one number."""
    if isinstance(value, str):
        return value.strip()
    return str(int(value)) if float(value).is_integer() else str(value)
