"""Which formats there are, which of them a file is, and the one door through which every file is read.

A new format is one module with a `FORMAT`, imported here, and one line in `FORMATS`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from bcrabl.errors import FormatNotRecognised, Problem, RunError
from bcrabl.formats.applied_biosystems.eds import FORMATS as EDS
from bcrabl.formats.applied_biosystems.quantstudio import DESIGN_AND_ANALYSIS_2
from bcrabl.formats.applied_biosystems.quantstudio import TEXT as APPLIED_BIOSYSTEMS_TEXT
from bcrabl.formats.applied_biosystems.quantstudio import WORKBOOK as APPLIED_BIOSYSTEMS_WORKBOOK
from bcrabl.formats.applied_biosystems.sds_text import FORMAT as SDS_TEXT
from bcrabl.formats.applied_biosystems.sds_v1_xls import FORMAT as SDS_V1_XLS
from bcrabl.formats.bio_rad.cfx import FORMAT as CFX
from bcrabl.formats.bio_rad.cfx import FORMAT_XML as CFX_XML
from bcrabl.formats.other_instruments.biomeme import FORMAT as BIOMEME
from bcrabl.formats.other_instruments.chai import FORMAT as CHAI
from bcrabl.formats.other_instruments.chai import JSON_FORMAT as CHAI_JSON
from bcrabl.formats.other_instruments.mic import FORMAT as MIC
from bcrabl.formats.other_instruments.rotorgene import FORMAT as ROTOR_GENE
from bcrabl.formats.other_instruments.smartcycler import FORMAT as SMART_CYCLER
from bcrabl.formats.rdml.reading import FORMAT as RDML
from bcrabl.formats.refusals import refuse_known
from bcrabl.formats.roche.lc96 import FORMAT as LC96
from bcrabl.formats.roche.lc480_chart import FORMAT as LC480_CHART
from bcrabl.formats.roche.lc480_text import FORMAT as LC480_TEXT
from bcrabl.formats.source import Format, RawFile, listed
from bcrabl.formats.stratagene.mxp import FORMAT as MXP
from bcrabl.formats.stratagene.mxpro_chart import FORMAT as MXPRO_CHART
from bcrabl.formats.stratagene.mxpro_text import FORMAT as MXPRO_TEXT
from bcrabl.formats.tables.curves_table import FORMAT as CURVES_TABLE
from bcrabl.formats.tables.mapped import FORMAT as MAPPED_TABLE
from bcrabl.formats.tables.rdes import FORMAT as RDES

if TYPE_CHECKING:
    from pathlib import Path

    from bcrabl.run import Run

__all__ = ["FORMATS", "read_run", "recognise"]

FORMATS: tuple[Format, ...] = (
    RDML,
    DESIGN_AND_ANALYSIS_2,
    APPLIED_BIOSYSTEMS_WORKBOOK,
    APPLIED_BIOSYSTEMS_TEXT,
    *EDS,
    SDS_TEXT,
    SDS_V1_XLS,
    CFX,
    CFX_XML,
    LC480_TEXT,
    LC480_CHART,
    LC96,
    MXPRO_TEXT,
    MXPRO_CHART,
    MXP,
    ROTOR_GENE,
    MIC,
    SMART_CYCLER,
    BIOMEME,
    CHAI,
    CHAI_JSON,
    RDES,
    CURVES_TABLE,
    MAPPED_TABLE,
)
"""Every format that is read, in the order in which error texts name them."""


def read_run(path: str | Path, part: str | None = None, column_map: str | Path | None = None) -> Run:
    """Read the curves of an export.

    Parameters
    ----------
    path : the file, or the folder that holds the files of one run; the content decides the format, names do not.
    part : the run to read of a file that holds several; None reads them all, and the `part` column tells them apart.
    column_map : the column map of a table that no instrument software wrote; None takes the one beside the file, if
        there is one. A file with a column map is read by it, whatever its content resembles.

    Returns
    -------
    Run with its reactions in plate order; `sha256` in its metadata is the digest of the bytes it was read from.

    Raises
    ------
    FileError : the file is missing, unreadable or holds no such part.
    FormatNotRecognised : no format, or more than one, fits the content.
    FormatRefused : the format is known, but its files hold no curves that can be read.
    DamagedFile : the content is broken, hostile or contradicts itself.
    RunError : the curves of the file do not make one run.
    """
    source = RawFile.from_path(path, column_map)
    chosen = recognise(source)
    try:
        run = chosen.read(source, part)
    except RunError as error:
        raise type(error)(_located(problem, source.path) for problem in error.problems) from error
    reservations = (chosen.reservation,) if chosen.reservation else ()
    told = {"warnings": (*reservations, *run.warnings, *_passed_over(source)), "sha256": source.digest}
    return replace(run, metadata={**run.metadata, **told})


def _located(problem: Problem, path: str) -> Problem:
    return Problem(f"{path}, {problem.where}", problem.found, problem.expected, problem.remedy)


def _passed_over(source: RawFile) -> tuple[str, ...]:
    """The sentence that names the empty files of a run."""
    if not source.empty:
        return ()
    names = listed([PurePath(name).name for name in source.empty])
    return (f"{len(source.empty)} empty files were passed over: {names}.",)


def recognise(source: RawFile) -> Format:
    """The one format that claims the content.

    Raises
    ------
    FormatNotRecognised : no format, or more than one, claims it.
    FormatRefused : it is known, but cannot be read.
    DamagedFile : the container (zip, workbook) cannot be opened, so that nothing can be said.
    """
    if source.column_map is not None:
        return MAPPED_TABLE
    claiming = [candidate for candidate in FORMATS if candidate.claims(source)]
    if len(claiming) > 1:
        raise FormatNotRecognised(_ambiguous(source, claiming))
    alone = _recognised_alone(source)
    if claiming:
        _refuse_others(source, claiming[0], alone)
        return claiming[0]
    if alone:
        raise FormatNotRecognised(_to_be_named(source, alone))
    refuse_known(source)
    raise FormatNotRecognised(_unknown(source))


def _recognised_alone(source: RawFile) -> dict[str, list[str]]:
    """By name of the format, the files of a folder or a zip that are exports when taken by themselves."""
    if not source.is_folder and (source.archive is None or source.workbook is not None):
        return {}
    found: dict[str, list[str]] = {}
    for file in source.tables:
        for candidate in FORMATS:
            if candidate.claims(file):
                found.setdefault(candidate.name, []).append(PurePath(file.path.rpartition(", member ")[2]).name)
    return found


def _refuse_others(source: RawFile, chosen: Format, alone: dict[str, list[str]]) -> None:
    """Raise where a folder or zip also holds exports of other formats, which nobody would read.

    A container such as .lc96p is more than the tables in it: then none of them is of the container's format.
    """
    others = [name for name in alone if name != chosen.name]
    if others and (source.is_folder or chosen.name in alone):
        raise FormatNotRecognised(_to_be_named(source, {chosen.name: alone.get(chosen.name, [])} | alone))


def _to_be_named(source: RawFile, alone: dict[str, list[str]]) -> list[Problem]:
    return [
        Problem(
            f"{source.path}{f', {listed(files)}' if files else ''}",
            f"an export of the format {name}",
            "nothing but the files of one run, in one format that spreads a run over several files",
            "Name the file itself as the raw file (unpacked), or keep the files of each run in a folder of their own.",
        )
        for name, files in alone.items()
    ]


def _ambiguous(source: RawFile, claiming: list[Format]) -> Problem:
    names = " and ".join(candidate.name for candidate in claiming)
    return Problem(
        source.path,
        f"content that fits {names}",
        "content that fits one format",
        "Export the run again in one format.",
    )


def _unknown(source: RawFile) -> Problem:
    expected = f"an export in one of the {len(FORMATS)} formats that are read"
    remedy = (
        "`bcrabl inspect --formats` lists them and says how to export them. A table of curves from elsewhere is read "
        "with a column map (docs/column_map.md)."
    )
    return Problem(source.path, source.impression, expected, remedy)
