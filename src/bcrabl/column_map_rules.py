"""The rules of a column map that take more than one of its keys: what its schema cannot say.

Standard library only, like `bcrabl.column_map`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bcrabl.errors import Problem
from bcrabl.schemas import suggest

__all__ = ["FREE", "NUMBERS", "PLACEHOLDER", "PLACEHOLDERS", "ROLES", "contradictions"]

NUMBERS = ("quantity", "threshold", "baseline_start", "baseline_end")
"""Fields of a curve that are numbers."""

ROLES = ("unkn", "std", "ntc", "nac", "nrt", "pos", "neg", "calibrator", "opt")
"""RDML's words, as `bcrabl.run.ROLES`, which cannot be imported before anything runs."""

FREE = ".+?"
"""How a name is spelled in a pattern that may be any."""

PLACEHOLDERS = {
    "well": "[A-Za-z]{1,2}0{0,3}[1-9][0-9]{0,3}",
    "cycle": "[0-9]{1,4}",
    "replicate": "[0-9]+",
    "quantity": r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?",
    "target": FREE,
    "dye": FREE,
    "sample": FREE,
    "role": FREE,
    "part": FREE,
    "any": FREE,
}
"""What may stand in the braces of a pattern, and how it is spelled."""

PLACEHOLDER = re.compile(r"\{([a-z]*)\}")
"""Where one stands."""

_MOST_FREE = 4  # the ways to cut a name multiply with each
_SIGNALS = ("cycle", "fluorescence", "passive_reference")
_OF_LAYOUT = {
    "pattern": "column_per_well",
    "columns": "column_per_well",
    "ignore": "column_per_well",
    "cycles": "row_per_well",
}
_NEEDED = {"long": ("well", "cycle", "fluorescence"), "column_per_well": ("cycle",), "row_per_well": ()}
_SIGNALS_OF = {"long": _SIGNALS, "column_per_well": ("cycle",), "row_per_well": ()}
_IN_ORDER = {"column_per_well": "in_order_of_columns", "row_per_well": "in_order_of_rows"}


def contradictions(document: Mapping[str, Any], label: str) -> Iterator[Problem]:
    """Everything in which a column map that fits its schema contradicts itself, or leaves open what it has to say.

    Parameters
    ----------
    document : the map.
    label : what error texts call it.
    """
    yield from _against_layout(document, label)
    yield from _against_stage(document, label)
    yield from _of_patterns(document, label)
    yield from _of_who(document, label)
    yield from _of_wells(document, label)
    yield from _of_roles(document, label)
    yield from _of_numbers(document, label)
    if _stated_anywhere(document, "quantity") and "quantity_unit" not in document:
        expected = "the unit of the quantities: copies (per reaction), or another word"
        yield Problem(label, "no quantity_unit", expected)
    table = document.get("table", {})
    if table.get("delimiter") == "comma" and table.get("decimal") == "comma":
        yield Problem(f"{label}, table", "a comma between cells and in numbers", "one of them")


def _against_layout(document: Mapping[str, Any], label: str) -> Iterator[Problem]:
    layout, fields = document["layout"], document["fields"]
    for key, only in _OF_LAYOUT.items():
        if key in document and layout != only:
            yield Problem(f"{label}, {key}", f"{key} for layout {layout}", f"layout {only}, or no {key}")
    for name in _NEEDED[layout]:
        if name not in fields:
            yield Problem(f"{label}, fields", f"no {name}", f"the column of the {name}, which layout {layout} needs")
    for name in _SIGNALS:
        if name in fields and name not in _SIGNALS_OF[layout]:
            yield Problem(f"{label}, fields.{name}", f"{name} for layout {layout}", f"no {name}")
    if layout == "row_per_well" and "cycles" not in document:
        yield Problem(
            label, "no cycles", "the key cycles, which layout row_per_well needs", "Such as cycles: {first: 1}."
        )
    if layout == "column_per_well":
        yield from _of_columns(document, label)


def _of_columns(document: Mapping[str, Any], label: str) -> Iterator[Problem]:
    if not {"pattern", "columns"} & document.keys():
        yield Problem(label, "neither pattern nor columns", "at least one: what the columns hold")
    for name, value in document["fields"].items():
        if name != "cycle" and isinstance(value, str):
            expected = "{constant: value}; what differs between columns stands in pattern or columns"
            yield Problem(f"{label}, fields.{name}", repr(value), expected)


def _against_stage(document: Mapping[str, Any], label: str) -> Iterator[Problem]:
    if "passive_reference" in document["fields"] and document["stage"] != "raw":
        found = f"a passive reference beside a signal of stage {document['stage']}"
        yield Problem(f"{label}, fields.passive_reference", found, "stage raw, or no passive_reference")


def _of_patterns(document: Mapping[str, Any], label: str) -> Iterator[Problem]:
    if "pattern" in document:
        yield from _of_pattern(document["pattern"], {*PLACEHOLDERS} - {"cycle"}, f"{label}, pattern")
    cycles = document.get("cycles", {})
    if "pattern" in cycles:
        where = f"{label}, cycles.pattern"
        yield from _of_pattern(cycles["pattern"], {"cycle"}, where)
        if cycles["pattern"].count("{cycle}") != 1:
            yield Problem(where, repr(cycles["pattern"]), "{cycle} once")
    if cycles.get("first", 0) > cycles.get("last", math.inf):
        yield Problem(f"{label}, cycles.last", f"{cycles['last']}", f"{cycles['first']} (first) or higher")


def _of_pattern(pattern: str, known: set[str], where: str) -> Iterator[Problem]:
    names = PLACEHOLDER.findall(pattern)
    for name in dict.fromkeys(names):
        if name not in known:
            expected = f"one of {', '.join(f'{{{each}}}' for each in PLACEHOLDERS if each in known)}"
            yield Problem(where, f"{{{name}}}", expected, suggest(name, known))
        elif names.count(name) > 1:
            yield Problem(where, f"{{{name}}} more than once", "each once")
    if not names or "{" in PLACEHOLDER.sub("", pattern) or "}" in PLACEHOLDER.sub("", pattern):
        yield Problem(where, repr(pattern), "text with names in braces, such as {well}_{target}")
    free = [name for name in names if PLACEHOLDERS.get(name) == FREE]
    if len(free) > _MOST_FREE:
        yield Problem(
            where, f"{len(free)} names that may be any text", f"at most {_MOST_FREE}", "Describe columns singly."
        )
    if "}{" in pattern:
        yield Problem(where, repr(pattern), "something between two names, such as {well}_{target}")


def _of_who(document: Mapping[str, Any], label: str) -> Iterator[Problem]:
    """Every curve needs a target and a well."""
    for name in ("target", "well"):
        if name == "well" and ("wells" in document or document["layout"] == "long"):
            continue
        if name in document["fields"] or f"{{{name}}}" in document.get("pattern", ""):
            continue
        columns = document.get("columns", {})
        without = [column for column, own in columns.items() if name not in own]
        remedy = "" if name == "target" else f"Tables that do not say it: wells: {_IN_ORDER[document['layout']]}."
        if without:
            yield Problem(f"{label}, columns.{without[0]}", f"no {name}", f"the {name} of each column", remedy)
        elif not columns or "pattern" in document:
            yield Problem(label, f"no {name}", f"the {name}, in fields, pattern or columns", remedy)


def _of_wells(document: Mapping[str, Any], label: str) -> Iterator[Problem]:
    layout, wells = document["layout"], document.get("wells")
    if wells is None:
        if "plate" in document:
            yield Problem(f"{label}, plate", "plate without wells", "plate only where wells are given in order")
        return
    if wells != _IN_ORDER.get(layout):
        expected = _IN_ORDER.get(layout, "no wells: each reading says its own")
        yield Problem(f"{label}, wells", f"{wells} for layout {layout}", expected)
    if "plate" not in document:
        yield Problem(label, "no plate", "the wells of the plate, 96, 384 or 1536, in which wells are given in order")
    if _stated_anywhere(document, "well"):
        yield Problem(f"{label}, wells", f"{wells}, and wells that are stated", "one of them")


def _of_numbers(document: Mapping[str, Any], label: str) -> Iterator[Problem]:
    fields = {name: value["constant"] for name, value in document["fields"].items() if isinstance(value, Mapping)}
    stated = {f"fields.{name}": value for name, value in fields.items() if name in NUMBERS}
    for column, own in document.get("columns", {}).items():
        stated |= {f"columns.{column}.{name}": value for name, value in own.items() if name in NUMBERS}
    for place, value in stated.items():
        if not math.isfinite(float(value)):
            yield Problem(f"{label}, {place}", repr(value), "a finite number")


def _of_roles(document: Mapping[str, Any], label: str) -> Iterator[Problem]:
    words = {word.strip().casefold() for word in document.get("role_words", {})} | {*ROLES}
    stated = [(f"{label}, columns.{name}.role", own.get("role")) for name, own in document.get("columns", {}).items()]
    role = document["fields"].get("role")
    if isinstance(role, Mapping):
        stated.append((f"{label}, fields.role", role["constant"]))
    for where, word in stated:
        if word is not None and word.strip().casefold() not in words:
            yield Problem(where, repr(word), f"one of {', '.join(sorted(words))}", suggest(word, words))


def _stated_anywhere(document: Mapping[str, Any], name: str) -> bool:
    in_columns = any(name in own for own in document.get("columns", {}).values())
    return name in document["fields"] or f"{{{name}}}" in document.get("pattern", "") or in_columns
