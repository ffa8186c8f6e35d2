"""`bcrabl inspect`: what a file holds, as bcrabl understands it; and which files are read at all."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import Any

from bcrabl.cli.command import Command, add_reading_options, reading_options
from bcrabl.cli.terminal import complain, tell
from bcrabl.errors import BcrablError

__all__ = ["COMMAND"]


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="an export file, or the folder of one run")
    parser.add_argument("--formats", action="store_true", help="list the formats that are read, and those refused")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of words")
    add_reading_options(parser)
    parser.set_defaults(usage_error=parser.error)


def _run(options: Namespace) -> int:
    if options.formats == bool(options.files):
        options.usage_error("name files to look into, or --formats for the list of formats")
    return _list_formats(options) if options.formats else _inspect(options)


def _inspect(options: Namespace) -> int:
    """Look into each file; one that is refused does not keep the others from being shown."""
    shown, refused = [], 0
    for path in options.files:
        try:
            facts = _facts(path, options)
        except BcrablError as error:
            complain(error)
            refused += 1
            facts = _refusal(path, error)
        if options.json:
            shown.append(facts)
        elif facts["read"]:
            _show(facts)
    if options.json:
        _print_json(shown)
    return 1 if refused else 0


def _facts(path: str, options: Namespace) -> dict[str, Any]:
    from bcrabl.cli.facts import facts_of
    from bcrabl.formats import read_run

    return facts_of(path, read_run(path, **reading_options(options)))


def _refusal(path: str, error: BcrablError) -> dict[str, Any]:
    names = ("where", "found", "expected", "remedy")
    problems = [{name: getattr(problem, name) for name in names} for problem in error.problems]
    return {"file": path, "read": False, "error": type(error).__name__, "problems": problems}


def _show(facts: dict[str, Any]) -> None:
    from bcrabl.cli.layout import text_of_facts

    tell([*text_of_facts(facts), ""])


def _list_formats(options: Namespace) -> int:
    from bcrabl.cli.facts import facts_of_formats

    listed = facts_of_formats()
    if options.json:
        _print_json(listed)
        return 0
    from bcrabl.cli.layout import text_of_formats

    tell(text_of_formats(listed))
    return 0


def _print_json(document: object) -> None:
    """Print a document; signs beyond ASCII are escaped, so that hostile names stay whole and harmless."""
    import json

    print(json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False))


COMMAND = Command(
    name="inspect",
    summary="Say what export files hold: format, wells, targets, roles, standards, Cq, warnings.",
    add_arguments=_add_arguments,
    run=_run,
)
