"""What the laboratory fills in: the configuration and its four sheets, checked before anything runs.

    load_configuration   config/config.yaml               which sheets, where results go
    load_runs            config/runs.tsv                  one row per thermocycler run
    load_samples         config/samples.tsv               one row per sample (cDNA)
    load_conversion_factors  config/conversion_factors.tsv    factors to the International Scale and their validity
    load_layout          a plate's own sheet              what is in each well, where the export does not say

Each loader gives plain frozen rows (text, numbers, dates as ISO text) or raises one `SheetError` with everything that
is wrong in that file. What a column means and allows stands in workflow/schemas; here stand only the rules that take
more than one cell. Imported when the Snakefile is parsed: no numpy, no pandas.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bcrabl.errors import Problem, SheetError
from bcrabl.schemas import check_document, load_schema, load_yaml
from bcrabl.sheet_reading import Line, Sheet, read_sheet

__all__ = [
    "ConversionFactorRow",
    "LayoutRow",
    "RunRow",
    "SampleRow",
    "conversion_factor_for",
    "load_configuration",
    "load_conversion_factors",
    "load_layout",
    "load_runs",
    "load_samples",
    "with_plain_wells",
]

_FOREVER = "9999-12-31"
_WELL = re.compile(r"([A-Za-z]+)([0-9]+)((?:[A-Za-z][0-9])?)")  # the last: a hole within a subarray


@dataclass(frozen=True)
class RunRow:
    """One thermocycler run, as named in the runs sheet."""

    run_id: str
    site: str
    raw_file: str
    assay: str
    batch: str
    layout: str | None = None
    instrument: str | None = None
    operator: str | None = None
    run_date: str | None = None
    part: str | None = None
    column_map: str | None = None


@dataclass(frozen=True)
class SampleRow:
    """One sample and the patient (a pseudonym) it comes from."""

    sample_id: str
    patient_id: str
    collection_date: str | None = None
    transcript: str = "unknown"
    material: str | None = None


@dataclass(frozen=True)
class ConversionFactorRow:
    """One conversion factor, IS% = local ratio% x factor, and the run dates for which it holds (both included)."""

    site: str
    assay: str
    control_gene: str
    factor: float
    valid_from: str
    source: str
    valid_to: str | None = None
    factor_low: float | None = None
    factor_high: float | None = None

    @property
    def identifier(self) -> str:
        """The name of the factor in results: site/assay/control gene/first day."""
        return f"{self.site}/{self.assay}/{self.control_gene}/{self.valid_from}"


@dataclass(frozen=True)
class LayoutRow:
    """One reaction of a plate; None where the sheet leaves the word to the export."""

    well: str
    target: str | None = None
    dye: str | None = None
    role: str | None = None
    sample_id: str | None = None
    known_copies: float | None = None


# -- configuration ----------------------------------------------------------------------------------------------------


def load_configuration(
    source: str | Path | Mapping[str, Any], schema_folder: str | Path | None = None
) -> dict[str, Any]:
    """The configuration with its defaults filled in.

    Parameters
    ----------
    source : path of config.yaml, or the mapping Snakemake made of it.
    schema_folder : folder of the schemas; None = the project's own.

    Raises
    ------
    SheetError : not YAML, an unknown key, a value that is no path.
    """
    given, label = (source, "configuration") if isinstance(source, Mapping) else (load_yaml(source), str(source))
    document = {} if given is None else given
    if not isinstance(document, Mapping):
        raise SheetError(Problem(label, repr(given), "a mapping of keys to values, such as 'results: results'"))
    schema = load_schema("config", schema_folder)
    problems = check_document(dict(document), schema, label)
    if problems:
        raise SheetError(problems)
    defaults = {key: own["default"] for key, own in schema["properties"].items() if "default" in own}
    return {**defaults, **document}


# -- runs -------------------------------------------------------------------------------------------------------------


def load_runs(path: str | Path, schema_folder: str | Path | None = None) -> list[RunRow]:
    """The runs, in the order of the sheet; a run without a batch is its own.

    Raises
    ------
    SheetError : bad cells; a run twice; a batch of two sites; names that differ only in upper and lower case, which
        would be one file on some file systems.
    """
    sheet = read_sheet(path, "runs", schema_folder)
    sheet.finish([*sheet.repeated(["run_id"]), *_batch_of_two_sites(sheet), *_case_twins(sheet)])
    return [RunRow(**{"batch": line.cells["run_id"], **line.cells}) for line in sheet.lines]


def _batch_of(line: Line) -> str | None:
    return None if "batch" in line.unusable else line.cells.get("batch", line.cells.get("run_id"))


def _batch_of_two_sites(sheet: Sheet) -> Iterator[Problem]:
    first: dict[str, Line] = {}
    for line in sheet.lines:
        batch, site = _batch_of(line), line.cells.get("site")
        if batch is None or site is None:
            continue
        earlier = first.setdefault(batch, line)
        home = earlier.cells["site"]
        if home != site:
            found = f"site {site!r} for batch {batch!r}, which belongs to site {home!r} in row {earlier.row}"
            remedy = "Give the batch of each site a name of its own."
            yield Problem(sheet.place(line, "site"), found, f"one site per batch, here {home!r}", remedy)


def _case_twins(sheet: Sheet) -> Iterator[Problem]:
    for column in ("run_id", "batch", "site"):
        first: dict[str, tuple[str, Line]] = {}
        for line in sheet.lines:
            name = _batch_of(line) if column == "batch" else line.cells.get(column)
            if name is None:
                continue
            known, earlier = first.setdefault(name.casefold(), (name, line))
            by_default = column == "batch" and "batch" not in line.cells and "batch" not in earlier.cells
            if known != name and not by_default:  # two default batches are two run ids, reported as such
                found = f"{name!r}, which differs only in letter case from {known!r} in row {earlier.row}"
                yield Problem(sheet.place(line, column), found, "names that stay apart on every file system")


# -- samples ----------------------------------------------------------------------------------------------------------


def load_samples(path: str | Path, schema_folder: str | Path | None = None) -> dict[str, SampleRow]:
    """The samples by sample_id, in the order of the sheet.

    Raises
    ------
    SheetError : bad cells; a sample twice.
    """
    sheet = read_sheet(path, "samples", schema_folder)
    sheet.finish(sheet.repeated(["sample_id"]))
    return {line.cells["sample_id"]: SampleRow(**line.cells) for line in sheet.lines}


# -- conversion factors -----------------------------------------------------------------------------------------------


def load_conversion_factors(path: str | Path, schema_folder: str | Path | None = None) -> list[ConversionFactorRow]:
    """The conversion factors, in the order of the sheet, which may hold none.

    Raises
    ------
    SheetError : bad cells; limits that do not enclose the factor; a validity that ends before it begins, or that
        overlaps another of the same site, assay and control gene.
    """
    sheet = read_sheet(path, "conversion_factors", schema_folder)
    alone = [problem for line in sheet.lines for problem in _contradictions(sheet, line)]
    sheet.finish([*alone, *_overlaps(sheet)])
    return [ConversionFactorRow(**line.cells) for line in sheet.lines]


def conversion_factor_for(
    rows: Sequence[ConversionFactorRow], site: str, assay: str, control_gene: str, run_date: str | None
) -> ConversionFactorRow | None:
    """The factor that held on the day of the run; None where there is none or the day is not known.

    Parameters
    ----------
    rows : what `load_conversion_factors` gave.
    site, assay, control_gene : as in the sheet.
    run_date : YYYY-MM-DD.

    Examples
    --------
    >>> rows = [ConversionFactorRow("LAB1", "eac", "ABL1", 0.83, "2026-01-01", "exchange 2025")]
    >>> conversion_factor_for(rows, "LAB1", "eac", "ABL1", "2026-03-31").identifier
    'LAB1/eac/ABL1/2026-01-01'
    >>> conversion_factor_for(rows, "LAB1", "eac", "ABL1", "2025-12-31") is None
    True
    """
    if run_date is None:
        return None
    for row in rows:
        same = (row.site, row.assay, row.control_gene) == (site, assay, control_gene)
        if same and row.valid_from <= run_date <= (row.valid_to or _FOREVER):  # ISO dates sort as text
            return row
    return None


def _contradictions(sheet: Sheet, line: Line) -> Iterator[Problem]:
    cells = line.cells
    factor, low, high = (cells.get(name) for name in ("factor", "factor_low", "factor_high"))
    if factor is not None and low is not None and low > factor:
        yield Problem(sheet.place(line, "factor_low"), f"{low:g}", f"at most the factor, {factor:g}")
    if factor is not None and high is not None and high < factor:
        yield Problem(sheet.place(line, "factor_high"), f"{high:g}", f"at least the factor, {factor:g}")
    if (low is None) != (high is None) and not line.unusable & {"factor_low", "factor_high"}:
        column, other = ("factor_low", "factor_high") if low is None else ("factor_high", "factor_low")
        yield Problem(sheet.place(line, column), "no limit", f"both limits or neither ({other} is given)")
    begin, end = cells.get("valid_from"), cells.get("valid_to")
    if begin and end and end < begin:
        yield Problem(sheet.place(line, "valid_to"), end, f"{begin} (valid_from) or later")


def _overlaps(sheet: Sheet) -> Iterator[Problem]:
    groups: dict[tuple[str, ...], list[Line]] = defaultdict(list)
    for line in sheet.lines:
        key = tuple(line.cells.get(name, "") for name in ("site", "assay", "control_gene"))
        if all(key) and "valid_from" in line.cells and "valid_to" not in line.unusable:
            groups[key].append(line)
    for key, lines in groups.items():
        latest: tuple[str, Line] | None = None
        for line in sorted(lines, key=lambda line: (line.cells["valid_from"], line.row)):
            begin, end = line.cells["valid_from"], line.cells.get("valid_to", _FOREVER)
            if latest and begin <= latest[0]:
                yield _overlap(sheet, line, "/".join(key), *latest)
            latest = max(latest or ("", line), (end, line), key=lambda ending: ending[0])


def _overlap(sheet: Sheet, line: Line, factor: str, end: str, other: Line) -> Problem:
    until = "has no end" if end == _FOREVER else f"is valid until {end}"
    found = f"{line.cells['valid_from']}, while the factor of {factor} in row {other.row} {until}"
    remedy = f"Let row {other.row} end the day before, or correct valid_from."
    return Problem(sheet.place(line, "valid_from"), found, "one valid factor at a time", remedy)


# -- layout -----------------------------------------------------------------------------------------------------------


def load_layout(path: str | Path, schema_folder: str | Path | None = None) -> list[LayoutRow]:
    """The reactions of a plate, wells written A1, in the order of the sheet.

    Raises
    ------
    SheetError : bad cells; a row with neither target nor dye; copies on a reaction that is no standard; a target or a
        dye twice in one well.
    """
    sheet = with_plain_wells(read_sheet(path, "layout", schema_folder))
    alone = [problem for line in sheet.lines for problem in _unusable_reaction(sheet, line)]
    twice = [*sheet.repeated(["well", "target"], fold=True), *sheet.repeated(["well", "dye"], fold=True)]
    sheet.finish([*alone, *twice])
    return [LayoutRow(**line.cells) for line in sheet.lines]


def with_plain_wells(sheet: Sheet) -> Sheet:
    """The sheet with its wells written A1, whichever of the two spellings it uses."""
    lines = (replace(line, cells={**line.cells, **_plain_well(line.cells)}) for line in sheet.lines)
    return replace(sheet, lines=tuple(lines))


def _plain_well(cells: Mapping[str, Any]) -> dict[str, str]:
    if "well" not in cells:
        return {}
    letters, number, hole = _WELL.fullmatch(cells["well"]).groups()  # type: ignore[union-attr]  # fits the schema
    return {"well": f"{letters.upper()}{int(number)}{hole.lower()}"}


def _unusable_reaction(sheet: Sheet, line: Line) -> Iterator[Problem]:
    role = line.cells.get("role")
    if not {"target", "dye"} & (line.cells.keys() | line.unusable):
        yield Problem(sheet.place(line, "target"), "neither target nor dye", "at least one of them")
    if "known_copies" in line.cells and role != "std" and "role" not in line.unusable:
        found = f"{line.cells['known_copies']:g} copies for role {role or '(empty)'}"
        yield Problem(sheet.place(line, "known_copies"), found, "copies only where role is std")
