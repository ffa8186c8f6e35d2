"""Where the numbers of a standard come from.

In the files under resources/standards each number stands in a mapping with `source` (one key of the file's `sources`,
or several) and `status`. Here such mappings are found, their keys are replaced by full citations, and a key that cites
nothing is reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bcrabl.errors import Problem
from bcrabl.schemas import suggest

__all__ = ["Citation", "Document", "citation_text", "citations_of", "cited_entries", "limits_text", "unknown_sources"]

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Citation:
    """Where a number of a standard comes from.

    Parameters
    ----------
    place : path inside the file ("acceptance.slope[0]").
    value : the number or window in words.
    unit : its unit.
    source : full citation.
    status : `verified` (read in the source) or `unverified` (attributed from memory).
    """

    place: str
    value: str
    unit: str
    source: str
    status: str


def cited_entries(node: Any, place: str = "") -> Iterator[tuple[str, Document]]:
    """Every mapping that carries a source and a status, with its place in the file."""
    if isinstance(node, Mapping):
        if isinstance(node.get("status"), str) and "unit" in node:
            yield place, node
        for key, child in node.items():
            if place or key != "sources":
                yield from cited_entries(child, f"{place}.{key}" if place else str(key))
    elif isinstance(node, list):
        for position, child in enumerate(node):
            yield from cited_entries(child, f"{place}[{position}]")


def unknown_sources(document: Document, label: str) -> Iterator[Problem]:
    """Every key that stands as a source and cites nothing."""
    known = document["sources"]
    for place, entry in (("", document), *cited_entries(document)):
        for key in _keys(entry.get("source", [])):
            if key not in known:
                where = f"{label}, {place}.source" if place else f"{label}, source"
                yield Problem(where, repr(key), f"a key of sources: {', '.join(known)}", suggest(key, known))


def _keys(source: str | list[str]) -> list[str]:
    return [source] if isinstance(source, str) else source


def citation_text(source: str | list[str], sources: Mapping[str, str]) -> str:
    """The full citations of one key or several."""
    return "; ".join(sources[key] for key in _keys(source))


def citations_of(document: Document, sources: Mapping[str, str]) -> Iterator[Citation]:
    """One line per number of the document, in its order."""
    for place, entry in cited_entries(document):
        yield Citation(
            place, _value_text(entry), entry["unit"], citation_text(entry["source"], sources), entry["status"]
        )


def _value_text(entry: Document) -> str:
    if "lower" in entry or "upper" in entry:
        return limits_text(entry.get("lower"), entry.get("upper"))
    if "start" in entry:
        return f"{entry['start']} to {entry['end']}"
    if "applies_to" in entry:
        return f"{entry['minimum_copies']:g}, {entry['applies_to']}"
    value = entry["value"]
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def limits_text(lower: float | None, upper: float | None) -> str:
    """A window in words; None = no limit on that side."""
    if lower is None:
        return "any" if upper is None else f"at most {upper:g}"
    return f"at least {lower:g}" if upper is None else f"{lower:g} to {upper:g}"
