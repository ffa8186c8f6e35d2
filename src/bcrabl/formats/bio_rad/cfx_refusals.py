"""Files of Bio-Rad CFX that cannot be read: the locked data file, and tables without curves."""

from __future__ import annotations

from bcrabl.formats.bio_rad.cfx_tables import EXPORT, has_cq
from bcrabl.formats.source import RawFile, Refusal

__all__ = ["CFX_WITHOUT_CURVES"]


def _is_locked(source: RawFile) -> bool:
    """Whether it, or a file of the folder, is a data file: a zip of one encrypted member that is named so."""
    files = source.companions if source.is_folder else (source,)
    members = [file.archive.names for file in files if file.archive is not None]
    return any(len(names) == 1 and names[0].lower().endswith(".pcrd") for names in members)


CFX_WITHOUT_CURVES = (
    Refusal(
        "a data file of Bio-Rad CFX, which is encrypted",
        f"{EXPORT} Export > Export RDML File serves as well.",
        _is_locked,
    ),
    Refusal(
        "a table of Cq results of Bio-Rad CFX without the curves",
        f"{EXPORT} The curves are in the files Quantification Amplification Results.",
        has_cq,
    ),
)
