"""What every command is."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Command", "add_reading_options", "reading_options"]


@dataclass(frozen=True)
class Command:
    """One command.

    Parameters
    ----------
    name : the word behind `bcrabl`.
    summary : one sentence for `bcrabl --help`.
    add_arguments : tells the parser of the command its arguments.
    run : does it and gives the exit code: 0 for done, 1 where an input was refused; usage errors are argparse's, 2.
    """

    name: str
    summary: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


def add_reading_options(parser: ArgumentParser) -> None:
    """The options of every command that reads an export."""
    parser.add_argument("--part", help="the run to read of a file that holds several; else all are read")
    parser.add_argument(
        "--column-map", metavar="YAML", help="what the columns of a generic table mean, where the table does not say"
    )


def reading_options(options: Namespace) -> dict[str, str]:
    """Those of the reading options that were given, as arguments for `read_run`."""
    return {name: value for name in ("part", "column_map") if (value := getattr(options, name)) is not None}
