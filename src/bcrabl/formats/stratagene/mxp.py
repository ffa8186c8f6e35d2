"""MxPro documents (.mxp) of Mx3000P and Mx3005P, read by the library mxp in a process of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from bcrabl.errors import DamagedFile, FormatRefused, Problem
from bcrabl.formats.assembly import ROLES_NOT_STATED, assemble
from bcrabl.formats.isolated import in_own_process
from bcrabl.formats.source import Format, RawFile, refuse_part
from bcrabl.formats.stratagene.mxpro_report import role_of_type
from bcrabl.formats.wells import well_at
from bcrabl.formats.xls import is_ole, is_xls
from bcrabl.run import Run

__all__ = ["FORMAT"]

_SCRIPT = Path(__file__).with_name("isolated_mxp.py")

_STREAMS = tuple(name.encode("utf-16-le") + b"\0\0" for name in ("Storage0", "Stream0", "Storage2", "Stream2"))
_EXPORT = "From MxPro export the instrument data as text (Text Format 1), or keep the .mxp document."
_TEXT_INSTEAD = "Export the instrument data as text (Text Format 1) from MxPro."
_REMEDY = {
    "missing library": f"Install it (pip install bcrabl[mxp]). Or: {_TEXT_INSTEAD[0].lower()}{_TEXT_INSTEAD[1:]}",
}
_FOUND = {
    "missing library": "an MxPro document, and the library mxp that reads it is not installed",
    "several readings in a cycle": "readings that do not follow each other by cycle, as with several dyes or plateaus",
    "wells in use unclear": "wells of which some have a type and others a name, so that those in use are not clear",
}
_INSTRUMENT = re.compile(r"Mx30\d\dP")
_SOFTWARE = re.compile(r"MxPro - Mx30\d\dP v[\d.]+(?: Build \d+)?")
_DATE = re.compile(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December) \d\d?, \d{4}"
)


def _claims(source: RawFile) -> bool:
    content = source.plain
    return is_ole(content) and not is_xls(content) and all(name in content for name in _STREAMS)


def _read(source: RawFile, part: str | None) -> Run:
    refuse_part(source, part)
    answer = in_own_process(_SCRIPT, source.plain, source.path, "an MxPro document")
    if (problem := answer.get("problem")) is not None:
        kind = FormatRefused if problem in _REMEDY else DamagedFile
        expected = "a document of one dye read once in a cycle"
        raise kind(Problem(source.path, _FOUND[problem], expected, _REMEDY.get(problem, _TEXT_INSTEAD)))
    curves: list[dict[str, Any]] = answer["curves"]
    if len({len(curve["fluorescence"]) for curve in curves}) > 1:
        raise DamagedFile(Problem(source.path, "curves of different length", "as many cycles in all", _TEXT_INSTEAD))
    fluorescence = np.array([curve["fluorescence"] for curve in curves], dtype=np.float64)
    cycles = np.arange(1, fluorescence.shape[-1] + 1, dtype=np.float64)
    typed = all(curve["type"] for curve in curves)
    return assemble(
        source.path,
        [_reaction(curve, source.path) for curve in curves],
        cycles,
        fluorescence,
        None,
        "raw",
        {**_about(answer["about"]), "warnings": _warnings(typed, curves)},
    )


FORMAT = Format(
    name="MxPro document (.mxp)",
    export=_EXPORT,
    claims=_claims,
    read=_read,
    reservation="MxPro documents are read by a library that knows them by trial; check the curves against MxPro once.",
)


def _reaction(curve: Mapping[str, Any], path: str) -> dict[str, object]:
    well = well_at(curve["number"], 12)
    stated = curve["type"]
    return {
        "part": None,
        "well": well,
        "target": curve["assay"].strip() or "not named",
        "role": role_of_type(stated, f"{path}, well {well}") if stated else "unkn",
        "sample_id": curve["name"].strip() or None,
        "vendor_task": stated or None,
    }


def _warnings(typed: bool, curves: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    warnings = ["Ct and quantities are not read from MxPro documents; the text report has them."]
    if not typed:
        warnings.append(ROLES_NOT_STATED)
    standards = sum(curve["type"].casefold() == "standard" for curve in curves)
    if standards:
        warnings.append(f"The copies of {standards} standard reactions are unknown.")
    return tuple(warnings)


def _about(stated: str) -> dict[str, object]:
    """What the document says of the run."""
    instrument, software, day = (pattern.search(stated) for pattern in (_INSTRUMENT, _SOFTWARE, _DATE))
    about = {
        "format": FORMAT.name,
        "vendor": "Agilent (Stratagene)",
        "instrument": instrument.group() if instrument else None,
        "software": software.group() if software else None,
        "run_date": _iso(day.group()) if day else None,
    }
    return {name: value for name, value in about.items() if value}


def _iso(day: str) -> str | None:
    try:
        return datetime.strptime(day, "%B %d, %Y").date().isoformat()
    except ValueError:
        return None
