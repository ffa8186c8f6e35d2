"""A run in the layout of LightCycler 480 raw data text, with Cp tables beside it. The same run gives the same bytes.

The layout has one column for each filter pair and one sample in each well. It names neither targets nor dyes, and of
roles it knows standards only, by their concentration in the Cp table; the layout sheet of a run says the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcrabl.errors import Problem, RunError
from bcrabl.formats.numerals import finite_or_none, spelled
from bcrabl.formats.roche.lc480_cp import filter_pair_or_none
from bcrabl.formats.roche.lc480_text import LEAST_CYCLES
from bcrabl.formats.wells import normal_well, plate_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["FILTER_OF_DYE", "write_lc480_txt"]

FILTER_OF_DYE = {
    "FAM": "465-510",
    "SYBR": "465-510",
    "SYBR Green I": "465-510",
    "HEX": "533-580",
    "VIC": "533-580",
    "ROX": "533-610",
    "Texas Red": "533-610",
    "Cy5": "618-660",
}
"""The filter pair in which each dye is written, where the caller names none and the target is not called by one."""

_EXPERIMENT = "written by bcrabl"
_MILLISECONDS = 40_000  # from one acquisition to the next
_TEMPERATURE = "60.00"
_END = "\r\n"
_Place = tuple[str, str]  # well and filter pair


@dataclass(frozen=True)
class _Plate:
    """The reactions of a run by well and filter pair, and the sample of each well."""

    run: Run
    rows: Sequence[Mapping[str, Any]]
    places: Mapping[_Place, int]
    samples: Mapping[str, str | None]

    @property
    def filters(self) -> list[str]:
        return sorted({pair for _, pair in self.places})

    @property
    def wells(self) -> list[str]:
        return sorted({well for well, _ in self.places}, key=plate_order)


def write_lc480_txt(
    run: Run,
    path: str | Path,
    *,
    filters: Mapping[str, str] | None = None,
    decimal: str = ".",
    cp_tables: bool = True,
) -> list[Path]:
    """Write a run as LightCycler 480 raw data, each file whole or not at all.

    Parameters
    ----------
    run : of stage raw, ten cycles or more, one part, without passive reference.
    path : the file to write; for its Cp tables to be found beside it, its name ends in .txt.
    filters : filter pair such as `465-510` by target; for targets not in it, the target itself where it is a filter
        pair, else that of its dye in `FILTER_OF_DYE`.
    decimal : the decimal mark, point or comma.
    cp_tables : whether to write a Cp table for each filter pair beside it, named like `path` followed by `_Cp`.

    Returns
    -------
    The files written, that of the curves first.

    Raises
    ------
    RunError : the layout cannot hold the run; every reason is named.

    Notes
    -----
    Reading the files gives identical curves, wells and samples, with filter pairs for targets; with Cp tables also
    standards with their copies, Cq, quantities, exclusions and calls. Other roles are read as unknown samples.
    """
    plate = _placed(run, filters or {}, with_cp=cp_tables)
    path = Path(path)
    _write(path, _raw_lines(plate, decimal))
    written = [path]
    if cp_tables:
        for pair in plate.filters:
            name = "_Cp" if len(plate.filters) == 1 else f"_Cp_{pair}"
            beside = path.with_name(f"{path.stem}{name}{path.suffix}")
            _write(beside, _cp_lines(plate, pair, decimal))
            written.append(beside)
    return written


def _write(path: Path, lines: Iterable[str]) -> None:
    from bcrabl.whole_files import replacing

    with replacing(path) as temporary:
        Path(temporary).write_bytes("".join(f"{line}{_END}" for line in lines).encode("utf-8"))


def _placed(run: Run, filters: Mapping[str, str], *, with_cp: bool) -> _Plate:
    rows = run.reactions.to_pylist()
    problems = [*_problems_of_run(run)]
    places: dict[_Place, int] = {}
    samples: dict[str, str | None] = {}
    for index, row in enumerate(rows):
        where = f"well {row['well']}, target {row['target']!r}"
        problems += _problems_of_row(row, where, with_cp=with_cp)
        pair = _filter_of(row, filters)
        if pair is None:
            expected = f"a filter pair such as 465-510 for the target, or one of the dyes {', '.join(FILTER_OF_DYE)}"
            problems.append(Problem(where, f"dye {row['dye']!r} and no filter pair", expected))
            continue
        if places.setdefault((row["well"], pair), index) != index:
            problems.append(Problem(where, f"a second curve in filter pair {pair}", "one in each well"))
        if samples.setdefault(row["well"], row["sample_id"]) != row["sample_id"]:
            found = f"samples {samples[row['well']]!r} and {row['sample_id']!r}"
            problems.append(Problem(f"well {row['well']}", found, "one sample in a well"))
    if problems:
        raise RunError(problems)
    return _Plate(run, rows, places, samples)


def _filter_of(row: Mapping[str, Any], filters: Mapping[str, str]) -> str | None:
    named = filters.get(row["target"])
    if named is not None:
        return filter_pair_or_none(named)
    return filter_pair_or_none(row["target"] or "") or FILTER_OF_DYE.get(row["dye"] or "")


def _problems_of_run(run: Run) -> Iterable[Problem]:
    if run.stage != "raw":
        yield Problem("run", f"stage {run.stage!r}", "raw: the layout is one of raw data")
    if run.passive_reference is not None:
        yield Problem("run", "a passive reference", "none: the layout has no place for it")
    if len(set(run.reactions["part"].to_pylist())) > 1:
        yield Problem("run", "several parts", "one", "Write each part by itself.")
    if run.reactions.num_rows == 0 or len(run.cycles) < LEAST_CYCLES:
        found = f"{run.reactions.num_rows} reactions of {len(run.cycles)} cycles"
        yield Problem("run", found, f"one reaction or more, of {LEAST_CYCLES} cycles or more")
    if np.isinf(run.fluorescence).any() or np.isnan(run.fluorescence).all(axis=1).any():
        yield Problem("run", "a curve of infinite or of no values", "finite values")


def _problems_of_row(row: Mapping[str, Any], where: str, *, with_cp: bool) -> Iterable[Problem]:
    if row["well"] is None or normal_well(row["well"]) != row["well"]:
        yield Problem(where, f"well {row['well']!r}", "a row letter and a column number such as A1")
    if not _is_plain(row["sample_id"]):
        yield Problem(
            where, f"sample {row['sample_id']!r}", "a name without quotes, control characters or outer blanks"
        )
    if not with_cp:
        return
    copies = row["known_copies"]
    if row["role"] == "std" and not (copies is not None and 0 < copies < np.inf):
        yield Problem(where, f"a standard of {copies} copies", "copies above 0: they are what marks a standard")
    if row["role"] != "std" and copies is not None:
        yield Problem(where, f"{copies:g} known copies, role {row['role']}", "copies of standards only")
    if not (_is_plain(row["vendor_call"]) and _is_plain(row["vendor_cq_text"])):
        yield Problem(where, "a call or Cq with quotes or control characters", "plain texts")


def _is_plain(name: str | None) -> bool:
    """Whether a text can stand in a cell and is read as it was."""
    return not name or (name.isprintable() and name == name.strip() and '"' not in name)


def _raw_lines(plate: _Plate, decimal: str) -> Iterable[str]:
    """The raw data: wells along the rows of the plate, in each well the cycles."""
    yield f"Raw Data \t\tExperiment - {_EXPERIMENT} (bcrabl)"
    yield "\t".join(["SamplePos", "SampleName", "Prog#", "Seg#", "Cycle#", "Time", "Temp", *plate.filters, ""])
    cycles = [str(int(cycle)) for cycle in plate.run.cycles]
    temperature = _TEMPERATURE.replace(".", decimal)
    for well in plate.wells:
        sample = plate.samples[well] or ""
        columns = [_column(plate, (well, pair), decimal) for pair in plate.filters]
        for place, cycle in enumerate(cycles):
            time = str((place + 1) * _MILLISECONDS)
            signal = [column[place] for column in columns]
            yield "\t".join([well, sample, "2", "1", cycle, time, temperature, *signal, ""])


def _column(plate: _Plate, place: _Place, decimal: str) -> list[str]:
    index = plate.places.get(place)
    if index is None:
        return [""] * len(plate.run.cycles)
    return _numbers(plate.run.fluorescence[index], decimal)


def _numbers(values: NDArray[np.float64], decimal: str) -> list[str]:
    return [_number(value, decimal) for value in values.tolist()]


def _number(value: float | None, decimal: str) -> str:
    """The shortest text that is read as the same number; empty for none."""
    return "" if value is None or value != value else spelled(value, decimal)


def _cp_lines(plate: _Plate, pair: str, decimal: str) -> Iterable[str]:
    """The Cp table of one filter pair."""
    indices = [plate.places[well, pair] for well in plate.wells if (well, pair) in plate.places]
    dyes = {plate.rows[index]["dye"] for index in indices}
    dye = (dyes.pop() if len(dyes) == 1 else None) or ""
    yield f"Experiment: {_EXPERIMENT}  Selected Filter: {f'{dye} ' if _is_plain(dye) else ''}({pair})"
    yield "\t".join(["Include", "Color", "Pos", "Name", "Cp", "Concentration", "Standard", "Status"])
    for index in indices:
        row = plate.rows[index]
        is_standard = row["role"] == "std"
        cells = [
            str(not row["vendor_omitted"]),
            "255",
            row["well"],
            row["sample_id"] or "",
            _cp(row, decimal),
            "" if is_standard else _number(row["vendor_quantity"], decimal),
            _number(row["known_copies"], decimal) if is_standard else "0",
            row["vendor_call"] or "",
        ]
        yield "\t".join(cells)


def _cp(row: Mapping[str, Any], decimal: str) -> str:
    """The Cp; else the text in its place, unless it would be read as a Cp."""
    if row["vendor_cq"] is not None:
        return _number(row["vendor_cq"], decimal)
    text = row["vendor_cq_text"] or ""
    return "" if finite_or_none(text, decimal) is not None else text
