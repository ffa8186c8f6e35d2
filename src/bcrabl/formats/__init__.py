"""From an export file of a thermocycler to a `Run`: the only room that knows vendors.

Each format is one module that gives one `Format` (its name, how to recognise it, how to read it) and stands in one line
of `registry.FORMATS`. A file is recognised by what it holds, never by its name.
"""

from __future__ import annotations

from bcrabl.formats.applied_biosystems.quantstudio_writing import write_quantstudio_txt, write_quantstudio_xlsx
from bcrabl.formats.bio_rad.cfx_writing import write_cfx_csv
from bcrabl.formats.rdml.writing import write_rdml
from bcrabl.formats.registry import FORMATS, read_run, recognise
from bcrabl.formats.roche.lc480_writing import write_lc480_txt
from bcrabl.formats.source import Format, RawFile
from bcrabl.formats.tables.curves_table import curves_of, write_curves_table

__all__ = [
    "FORMATS",
    "Format",
    "RawFile",
    "curves_of",
    "read_run",
    "recognise",
    "write_cfx_csv",
    "write_curves_table",
    "write_lc480_txt",
    "write_quantstudio_txt",
    "write_quantstudio_xlsx",
    "write_rdml",
]
