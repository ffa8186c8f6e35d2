"""SmartCycler (Cepheid) csv: the cycles of each instrument block, then a table of results.

Each site is read in four channels; each channel has a column of its curve and one of its second derivative (D2), which
is left out. The table of results names standards by sites that unknowns have too: what it says of such a site cannot be
told apart and is not read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import ROLES_NOT_STATED, assemble
from bcrabl.formats.cycle_rows import curves_below, filled, with_readings
from bcrabl.formats.numerals import finite_or_none
from bcrabl.formats.source import Format, RawFile, refuse_part
from bcrabl.formats.wells import normal_well

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.formats.grid import Sheet, SheetTable
    from bcrabl.run import Run

__all__ = ["FORMAT"]

_CYCLES = "cycle #"
_RESULTS = "results table"
_SITE = "Site ID"
_DERIVATIVE = " d2"
_EXPORT = "From the SmartCycler software export the results as csv, with the cycle data and the results table."
_ROLE_OF_TYPE = {
    "UNKN": "unkn",
    "UNKNOWN": "unkn",
    "STD": "std",
    "STANDARD": "std",
    "NTC": "ntc",
    "NEG": "neg",
    "NEGATIVE CONTROL": "neg",
    "POS": "pos",
    "POSITIVE CONTROL": "pos",
}


def _claims(source: RawFile) -> bool:
    beginning = (source.beginning or "").replace("\r", "\n").casefold()
    if source.top is None or "\ncycle data" not in beginning:
        return False
    return any(_derivatives(row) for row in source.top.rows)


def _derivatives(row: list[object]) -> bool:
    return any(str(cell).strip().casefold().endswith(_DERIVATIVE) for cell in row)


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    sheet = source.rows()
    warnings: list[str] = []
    said = _said(sheet, warnings)
    sheet = sheet.marked_by(_numbers(sheet, said))
    rows, cycles, fluorescence = _curves(sheet)
    kept = with_readings(fluorescence, [f"well {well}, {dye}" for well, dye in rows], warnings)
    reactions = [_reaction(*rows[index], said.get(rows[index][0], {}), sheet) for index in kept]
    standards = sum(row["role"] == "std" for row in reactions)
    if standards:
        warnings.append(f"The copies of {standards} standard reactions are not read; the layout sheet must name them.")
    about = {
        "format": FORMAT.name,
        "vendor": "Cepheid",
        "instrument": "SmartCycler",
        "warnings": tuple(warnings),
    }
    return assemble(source.path, reactions, cycles, fluorescence[kept], None, "raw", about)


FORMAT = Format(
    name="SmartCycler csv",
    export=_EXPORT,
    claims=_claims,
    read=_read,
    reservation="The SmartCycler reader was written from the description of the format and has not met a real file.",
)


def _numbers(sheet: Sheet, said: Mapping[str, Mapping[str, str]]) -> Iterator[object]:
    """The cells of the rows that begin with the number of a cycle, and the Ct of the results table."""
    for row in sheet.rows:
        if row and str(row[0]).strip().isdigit():
            yield from row
    for cells in said.values():
        yield from (cell for name, cell in cells.items() if name.endswith(" ct"))


def _ends(cell: str) -> bool:
    return cell[:1].isalpha()


def _curves(sheet: Sheet) -> tuple[list[tuple[str, str]], NDArray[np.float64], NDArray[np.float64]]:
    """Site and channel of each curve, the cycles, and the curves of all instrument blocks.

    Raises
    ------
    DamagedFile : there is no block, or blocks differ in their cycles.
    """
    headers = [number for number, row in enumerate(sheet.rows) if row and str(row[0]).strip().casefold() == _CYCLES]
    names: list[tuple[str, str]] = []
    blocks = []
    for header in headers:
        above = [filled(sheet.rows[number]) for number in range(header) if filled(sheet.rows[number])][-2:]
        columns = _columns(sheet, header, above)
        cycles, signal = curves_below(sheet, header + 1, len(above[1]) - 1, _ends)
        names += columns.values()
        blocks.append((cycles, signal[[column - 1 for column in columns]]))
    if not blocks or any(not np.array_equal(cycles, blocks[0][0]) for cycles, _ in blocks):
        found = "no table of cycles" if not blocks else "instrument blocks of different cycles"
        raise DamagedFile(Problem(sheet.where, found, "the same cycles in every block", _EXPORT))
    return names, blocks[0][0], np.concatenate([signal for _, signal in blocks])


def _columns(sheet: Sheet, header: int, above: list[list[str]]) -> dict[int, tuple[str, str]]:
    """Site and channel by place of the column; second derivatives are left out but keep their place."""
    place = f"{sheet.where}, lines above line {header + 1}"
    if len(above) < 2 or len(above[0]) != len(above[1]):
        raise DamagedFile(Problem(place, "rows that do not fit", "a row of sites, and one of as many channels"))
    found: dict[int, tuple[str, str]] = {}
    problems = []
    for column, (site, channel) in enumerate(zip(*above, strict=True)):
        if column == 0 or not (site or channel):
            continue
        well = normal_well(site)
        if well is None or not channel:
            problems.append(Problem(f"{place}, column {column + 1}", f"{site!r}, {channel!r}", "a site and a channel"))
        elif not channel.casefold().endswith(_DERIVATIVE):
            found[column] = (well, channel)
    if problems or not found:
        raise DamagedFile(problems or Problem(place, "no site", "sites such as A1"))
    return found


def _said(sheet: Sheet, warnings: list[str]) -> dict[str, dict[str, str]]:
    """The row of the results table of each site that stands there once, by lower-case name of the column."""
    title = next((n for n, row in enumerate(sheet.rows) if row and str(row[0]).strip().casefold() == _RESULTS), None)
    table = None if title is None else sheet.table(_SITE, after=title + 1)
    if table is None:
        warnings.append(f"There is no results table with a column {_SITE}. {ROLES_NOT_STATED}")
        return {}
    sites = [normal_well(cell) for cell in table.texts(_SITE)]
    times = Counter(site for site in sites if site)
    repeated = sorted(site for site, count in times.items() if count > 1)
    if repeated:
        warnings.append(
            f"The results table names {', '.join(repeated)} more than once (standards repeat the sites of unknowns); "
            "nothing was read from there for them, and they count as unknown samples."
        )
    return {site: _cells(table, row) for row, site in enumerate(sites) if site and times[site] == 1}


def _cells(table: SheetTable, row: int) -> dict[str, str]:
    cells = table.rows[row]
    return {name: str(cells[place]).strip() for name, place in table.columns.items() if place < len(cells)}


def _reaction(well: str, channel: str, said: Mapping[str, str], sheet: Sheet) -> dict[str, object]:
    kind = said.get("sample type", "")
    role = _ROLE_OF_TYPE.get(re.sub(r"[\s_-]+", " ", kind).upper(), "") if kind else "unkn"
    if not role:
        place = f"{sheet.where}, results table, site {well}, column Sample Type"
        raise DamagedFile(Problem(place, repr(kind), f"one of {', '.join(_ROLE_OF_TYPE)}"))
    cell = said.get(f"{channel.casefold()} ct", "")
    value = finite_or_none(cell, sheet.decimal)
    has_cq = value is not None and value > 0
    return {
        "part": None,
        "well": well,
        "target": channel,
        "dye": channel,
        "role": role,
        "sample_id": said.get("sample id") or None,
        "vendor_cq": value if has_cq else None,
        "vendor_cq_text": None if has_cq else cell or None,
        "vendor_task": kind or None,
    }
