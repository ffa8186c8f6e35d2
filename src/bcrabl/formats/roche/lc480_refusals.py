"""Files of the LightCycler 480 software without curves that can be read, and what to export instead."""

from __future__ import annotations

from bcrabl.formats.roche.lc480_cp import is_cp_table
from bcrabl.formats.source import RawFile, Refusal
from bcrabl.formats.xmltree import root_name

__all__ = ["LC480_WITHOUT_CURVES"]


def _is_experiment(source: RawFile) -> bool:
    return root_name(source.head) == "objectstream" and "IXOS" in source.head


_BOTH = (
    "Export the raw data of the experiment in text format as well, into the same folder, and name the folder as the "
    "raw file; or name the Cp table like the raw data followed by _Cp, and the raw data as the raw file."
)
LC480_WITHOUT_CURVES = (
    Refusal(
        "an experiment of the LightCycler 480 software (.ixo), whose layout is its own",
        "Open it in the LightCycler 480 software and export the raw data of the experiment in text format.",
        _is_experiment,
    ),
    Refusal(
        "a Cp table of the LightCycler 480 without the raw data",
        _BOTH,
        is_cp_table,
    ),
)
