"""What is known of files that hold results without curves, or curves that nobody but the vendor's software can read.

Each entry: what the file is, what to export instead, and how it is known. The most general one is the last.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath

from bcrabl.formats.grid import text
from bcrabl.formats.other_instruments.rotorgene import is_rotorgene
from bcrabl.formats.source import RawFile, Refusal
from bcrabl.formats.stratagene.mxpro_report import is_report
from bcrabl.formats.xmltree import root_name

__all__ = ["RESULTS_ONLY", "TABLE_OF_CQ"]

_RAW_OR_RDML = "Export the raw or amplification data, as RDML where the software offers it."
_ROTORGENE = "Export the raw data of the channel (Excel Raw Data Export), or RDML where the software offers it."
_HEADER_WITHIN = 60  # rows
_CQ = {"cq", "ct", "cp", "cт", "crt"}
_WHO = {"well", "pos", "position", "sample", "sample name", "name", "target", "fluor", "no.", "id", "detector"}
_CURVE = re.compile(r"cycles?(?: (?:#|no\.?|number))?|rn|Δ\s?rn|delta rn|rfu|fluorescence(?: .*)?", re.IGNORECASE)


def _begins_with(*words: str) -> Callable[[RawFile], bool]:
    """Whether the first 4,096 bytes of a text hold all these words."""

    def claims(source: RawFile) -> bool:
        head = source.head.replace("\0", "").casefold()
        return source.beginning is not None and all(word in head for word in words)

    return claims


def _named(*suffixes: str) -> Callable[[RawFile], bool]:
    """Whether the name ends so: vendor documents whose inside is not described anywhere."""
    return lambda source: not source.is_folder and PurePath(source.path).suffix.casefold() in suffixes


def _is_rex(source: RawFile) -> bool:
    head = source.head.casefold()
    return root_name(source.head) is not None and ("rotor-gene" in head or "rotorgene" in head or "corbett" in head)


def _is_table_of_cq(source: RawFile) -> bool:
    """Whether a text table names a Cq and whose it is, and nothing that a curve has."""
    if source.top is None:
        return False
    for row in source.top.rows[:_HEADER_WITHIN]:
        names = {text(cell).casefold() for cell in row}
        if names & _CQ and names & _WHO:
            return not any(_CURVE.fullmatch(name) for name in names)
    return False


RESULTS_ONLY = (
    Refusal(
        "the results of a Rotor-Gene analysis (Excel Analysed Data Export), which hold no curves",
        _ROTORGENE,
        lambda source: source.beginning is not None and is_rotorgene(source, "excel analysed data export"),
    ),
    Refusal("a Rotor-Gene document (.rex)", _ROTORGENE, _is_rex),
    Refusal("a Rotor-Gene document (.rex), by its name", _ROTORGENE, _named(".rex")),
    Refusal("an AriaMx document (.amxd), by its name", _RAW_OR_RDML, _named(".amxd")),
    Refusal(
        "a Biomeme document (.bmrun), by its name", "Export the run as csv, with the fluorescence.", _named(".bmrun")
    ),
    Refusal("results of qPCRsoft (qTOWER), which hold no curves", _RAW_OR_RDML, _begins_with("qtower", "ct goi")),
    Refusal(
        "results of a Fluidigm BioMark chip (Table Results), which hold no curves",
        _RAW_OR_RDML,
        _begins_with("chip run filename", "export type"),
    ),
    Refusal("an export of Eppendorf realplex whose layout is not known", _RAW_OR_RDML, _begins_with("realplex")),
    Refusal(
        "the text report of MxPro without the curves",
        "Export the instrument data as text (Text Format 1) as well, into the same folder under the same name.",
        is_report,
    ),
)

TABLE_OF_CQ = Refusal(
    "a table of Cq without curves",
    f"Cq alone cannot be checked. {_RAW_OR_RDML} If there are curves in it, describe it by a column map "
    "(docs/column_map.md).",
    _is_table_of_cq,
)
"""Any table of Cq; to be asked last."""
