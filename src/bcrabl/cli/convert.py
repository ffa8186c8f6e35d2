"""`bcrabl convert`: an export written again as RDML or as a table of curves, with a word on what that cost."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from bcrabl.cli.command import Command, add_reading_options, reading_options
from bcrabl.cli.terminal import clipped, tell
from bcrabl.errors import Problem, ResultsError

if TYPE_CHECKING:
    from bcrabl.run import Run

__all__ = ["COMMAND"]

_RDML, _PARQUET = ".rdml", ".parquet"


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="an export file, or the folder of one run")
    parser.add_argument(
        *("-o", "--output"),
        required=True,
        type=_output,
        help=f"the file to write: name{_RDML} (RDML 1.3) or name{_PARQUET} (table of curves)",
    )
    parser.add_argument("--force", action="store_true", help="replace the output where it exists")
    add_reading_options(parser)


def _output(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in (_RDML, _PARQUET):
        raise ArgumentTypeError(
            f"{clipped(path.name, 60)!r} ends neither in {_RDML} (RDML 1.3) nor in {_PARQUET} (table of curves)"
        )
    return path


def _run(options: Namespace) -> int:
    from bcrabl.formats import read_run

    _refuse_output(options)
    run = read_run(options.file, **reading_options(options))
    write = _write_rdml if options.output.suffix.lower() == _RDML else _write_table
    try:
        lines = write(run, options.output)
    except OSError as error:
        found = f"a place that cannot be written ({error.strerror or error})"
        raise ResultsError(Problem(str(options.output), found, "a folder with room and permission")) from error
    tell(lines)
    return 0


def _refuse_output(options: Namespace) -> None:
    """Keep the input and, without `--force`, whatever exists.

    Raises
    ------
    ResultsError : writing would replace them.
    """
    output: Path = options.output
    if _is_input(output, options):
        raise ResultsError(Problem(str(output), "a file of the input", "another file", "Inputs are never changed."))
    if output.is_dir():
        raise ResultsError(Problem(str(output), "a folder", "the name of a file"))
    if output.exists() and not options.force:
        raise ResultsError(
            Problem(str(output), "a file that exists", "a new file", "Choose another name, or --force to replace it.")
        )


def _is_input(output: Path, options: Namespace) -> bool:
    """Whether the output is, or would become, one of the files of the input: by name, link or folder."""
    from bcrabl.raw_files import files_of_run

    source = Path(options.file)
    try:
        if source.is_dir() and output.resolve().parent == source.resolve():
            return True
        inputs = [*files_of_run(source), *([Path(options.column_map)] if options.column_map else [])]
        return output.exists() and any(one.exists() and one.samefile(output) for one in inputs)
    except (OSError, ValueError):  # the reader says what is wrong with the input
        return False


def _write_rdml(run: Run, path: Path) -> list[str]:
    """Write RDML under its name once it has been read back; say what came back otherwise."""
    from bcrabl.cli.losses import losses, refuse_changed
    from bcrabl.formats import read_run, write_rdml
    from bcrabl.whole_files import replacing

    with replacing(path) as temporary:
        write_rdml(run, temporary)
        again = read_run(temporary)
        refuse_changed(run, again, str(path))
    return [*_written(path, "RDML 1.3", run), *losses(run, again)]


def _write_table(run: Run, path: Path) -> list[str]:
    from bcrabl.formats import write_curves_table

    write_curves_table(run, path)
    return _written(path, "curves table", run)


def _written(path: Path, kind: str, run: Run) -> list[str]:
    curves, cycles = run.fluorescence.shape
    return [f"{clipped(path, 500)}: {kind}, {curves} curves × {cycles} cycles"]


COMMAND = Command(
    name="convert",
    summary="Write an export again as RDML 1.3 or as a Parquet table of curves.",
    add_arguments=_add_arguments,
    run=_run,
)
