"""A file under resources/standards: found by its id, read, and refused where a number lacks its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bcrabl.citations import Citation, Document, citations_of, unknown_sources
from bcrabl.errors import Problem, StandardsError
from bcrabl.schemas import check_document, load_schema, load_yaml, standards_folder, suggest

__all__ = ["citation_lines", "load_document", "misnamed", "standard_path"]

Contradictions = Callable[[Document, Path], Iterator[Problem]]

NOT_STATED = "not stated"


def standard_path(kind: str, plural: str, room: str, wanted: str, folder: str | Path | None) -> Path:
    """The file of a standard, by its id.

    Parameters
    ----------
    kind, plural : what such a file is called, for the message ("assay", "assay protocols").
    room : subfolder of the standards folder.
    wanted : the id = name of the file without .yaml.
    folder : standards folder; None = the project's own.

    Raises
    ------
    StandardsError : there is none; the message lists those there are.
    """
    searched = Path(standards_folder() if folder is None else folder) / room
    there = {path.stem: path for path in sorted(searched.glob("*.yaml"))}
    if wanted not in there:  # by listing, so that the same spelling is asked for on every file system
        expected = f"one of {', '.join(there)}" if there else f"{plural} in {searched}, which holds none"
        raise StandardsError(Problem(str(searched), f"no {kind} {wanted!r}", expected, suggest(wanted, there)))
    return there[wanted]


def load_document(path: str | Path, schema_name: str, contradictions: Contradictions) -> dict[str, Any]:
    """What the file holds, once it fits its schema, cites its sources and does not contradict itself.

    Parameters
    ----------
    schema_name : "assay" for workflow/schemas/assay.schema.yaml.
    contradictions : what no schema can say; called on documents that fit theirs.

    Raises
    ------
    StandardsError : with every place of the file that does not fit.
    """
    document = load_yaml(path, StandardsError)
    problems = check_document(document, load_schema(schema_name, fault=StandardsError), str(path))
    if not problems:  # what follows takes the schema's shape for granted
        problems = [*unknown_sources(document, str(path)), *contradictions(document, Path(path))]
    if problems:
        raise StandardsError(problems)
    return dict(document)


def misnamed(document: Document, path: Path) -> Iterator[Problem]:
    """The problem of an id that is not the name of its file."""
    if document["id"] != path.stem:
        yield Problem(f"{path}, id", repr(document["id"]), f"the name of the file, {path.stem!r}")


def citation_lines(document: Document) -> tuple[Citation, ...]:
    """One line per number, for the report; a number that nobody could read says so."""
    lines = citations_of(document, document["sources"])
    return tuple(replace(line, value=NOT_STATED) if line.value == str(None) else line for line in lines)
