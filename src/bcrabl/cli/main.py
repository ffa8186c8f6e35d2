"""The door: finds the command, runs it, and turns its errors into words and an exit code."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import nullcontext

from bcrabl import __version__
from bcrabl.cli.command import Command
from bcrabl.cli.convert import COMMAND as CONVERT
from bcrabl.cli.inspect import COMMAND as INSPECT
from bcrabl.cli.terminal import complain
from bcrabl.errors import BcrablError

__all__ = ["COMMANDS", "main"]

COMMANDS: tuple[Command, ...] = (
    INSPECT,
    CONVERT,
)
"""Every command, in the order in which the help lists them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : what stands behind `bcrabl`; None takes them from the command line.

    Returns
    -------
    0 for done, 1 where an input cannot be used; errors of usage end in argparse's `SystemExit` with 2.
    """
    _write_every_sign()
    options = _parser().parse_args(arguments)
    from bcrabl.job import without_pandas

    try:
        # Callers of a running Python may want pandas afterwards; pyarrow never asks for it a second time
        with without_pandas() if arguments is None else nullcontext():
            code: int = options.run(options)
        sys.stdout.flush()
    except BcrablError as error:
        complain(error)
        return 1
    except BrokenPipeError:  # whoever read the output has seen enough: `bcrabl inspect … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="bcrabl", description="Raw qPCR curves to BCR::ABL1 on the International Scale. Research use only."
    )
    parser.add_argument("--version", action="version", version=f"bcrabl {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)
    for command in COMMANDS:
        subparser = commands.add_parser(command.name, help=command.summary, description=command.summary)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def _write_every_sign() -> None:
    """Keep a terminal that knows few signs from ending the program: what it lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
