"""Chai Open qPCR: the csv of the amplification (three processing levels) and the JSON of an analysis request (raw).

Wells are numbered from 1 to 16; well 9 is A9, whatever the lid calls it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.assembly import ROLES_NOT_STATED, arrange, assemble
from bcrabl.formats.source import Format, RawFile, only, refuse_part
from bcrabl.formats.wells import well_of_tube

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["FORMAT", "JSON_FORMAT"]

_WELLS = 16
_CHANNELS = (1.0, 2.0)
_COLUMNS = ("fluorescence_value", "channel", "well_num", "cycle_num")
_LEVELS = ("baseline_subtracted_value", "background_subtracted_value")
_EXPORT = "From Chai Open qPCR export the data of the experiment and take amplification.csv out of it."
_LARGEST_JSON = 16 * 1024 * 1024  # bytes; a run of 16 wells and two channels takes 23 kB
_UNCOMPENSATED = (
    "The signal is that of the optics before calibration: each channel also sees the dyes of the other, and wells "
    "differ in brightness."
)


def _is_csv(file: RawFile) -> bool:
    if "fluorescence_value" not in file.head.replace("\0", "").casefold() or file.top is None:
        return False
    return file.top.table(*_COLUMNS, *_LEVELS) is not None


def _claims_csv(source: RawFile) -> bool:
    if source.workbook is not None:
        return False
    return any(map(_is_csv, source.tables)) if source.is_folder or source.archive is not None else _is_csv(source)


def _read_csv(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    table = only(filter(_is_csv, source.tables), source, "amplification data").rows().table(*_COLUMNS)
    if table is None:
        raise DamagedFile(Problem(source.path, "no table of readings", ", ".join(_COLUMNS), _EXPORT))
    rows = [row for row, cell in enumerate(table.texts("well_num")) if cell]
    problems: list[Problem] = []
    values, channels, wells, cycles = (table.numbers(column, rows, problems) for column in _COLUMNS)
    if problems:
        raise DamagedFile(problems)
    return _run(source.path, values, channels, wells, cycles, FORMAT.name, ())


FORMAT = Format(name="Chai amplification csv", export=_EXPORT, claims=_claims_csv, read=_read_csv)


def _claims_json(source: RawFile) -> bool:
    content = source.plain
    return content.lstrip()[:1] == b"{" and b'"raw_data"' in content and b'"well_num"' in content


def _read_json(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    if len(source.plain) > _LARGEST_JSON:
        found = f"JSON of {len(source.plain)} bytes"
        raise DamagedFile(Problem(source.path, found, f"at most {_LARGEST_JSON} bytes"))
    try:
        document = json.loads(source.plain)
    except (ValueError, RecursionError) as error:
        found = f"JSON that is not well-formed ({error})"
        raise DamagedFile(Problem(source.path, found, "a whole document", "Export the file again.")) from error
    where = f"{source.path}, raw_data"
    columns = _columns(document.get("raw_data") if isinstance(document, dict) else None, where)
    values, channels, wells, cycles = (_numbers(columns[name], f"{where}, {name}") for name in _COLUMNS)
    if len({len(array) for array in (values, channels, wells, cycles)}) != 1:
        raise DamagedFile(Problem(where, "lists of different length", "as many wells, cycles and channels as values"))
    return _run(source.path, values, channels, wells, cycles, JSON_FORMAT.name, (_UNCOMPENSATED,))


JSON_FORMAT = Format(
    name="Chai analysis request JSON",
    export="Or keep the JSON of the analysis request, with raw_data.",
    claims=_claims_json,
    read=_read_json,
)


def _columns(raw: Any, where: str) -> dict[str, list[Any]]:
    """The readings as lists, whether they come as an object of lists or as a list of objects."""
    if isinstance(raw, list) and all(isinstance(entry, dict) for entry in raw):
        columns: dict[str, Any] = {name: [entry.get(name) for entry in raw] for name in _COLUMNS}
    else:
        columns = raw if isinstance(raw, dict) else {}
    missing = [name for name in _COLUMNS if not isinstance(columns.get(name), list)]
    if missing:
        raise DamagedFile(Problem(where, f"no list of {', '.join(missing)}", f"lists of {', '.join(_COLUMNS)}"))
    return {name: columns[name] for name in _COLUMNS}


def _numbers(values: Sequence[Any], where: str) -> NDArray[np.float64]:
    for place, value in enumerate(values, 1):
        if type(value) not in {int, float} or not abs(value) < 1e300 or not math.isfinite(value):
            raise DamagedFile(Problem(f"{where}, entry {place}", str(value)[:100], "a number"))
    return np.array(values, dtype=np.float64)


def _run(
    path: str,
    values: NDArray[np.float64],
    channels: NDArray[np.float64],
    wells: NDArray[np.float64],
    cycles: NDArray[np.float64],
    name: str,
    warnings: tuple[str, ...],
) -> Run:
    """The run of these readings, one of each well, channel and cycle."""
    keys = list(zip(wells.tolist(), channels.tolist(), strict=True))
    readings = arrange(keys, cycles, lambda reading: f"{path}, reading {reading + 1}")
    readings.refuse_cut_off(path)
    return assemble(
        path,
        [_reaction(key, path) for key in readings.curves],
        readings.cycles,
        readings.filled(values),
        None,
        "raw",
        {
            "format": name,
            "vendor": "Chai Biotechnologies",
            "instrument": "Open qPCR",
            "warnings": (*warnings, "The file names neither targets nor samples; the layout must.", ROLES_NOT_STATED),
        },
    )


def _reaction(key: Any, path: str) -> dict[str, object]:
    number, channel = key
    well = well_of_tube(f"{number:g}", _WELLS)
    if well is None or channel not in _CHANNELS:
        found = f"well {number:g}, channel {channel:g}"
        raise DamagedFile(Problem(path, found, f"wells from 1 to {_WELLS}, channels 1 and 2"))
    return {
        "part": None,
        "well": well,
        "target": f"channel {channel:g}",
        "dye": f"channel {channel:g}",
        "role": "unkn",
    }
