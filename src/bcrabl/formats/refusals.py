"""Files that are known and cannot be read: locked vendor documents and tables of results without curves.

Saying "unknown format" of these would send people searching. Each refusal says what the file is and what to export.
"""

from __future__ import annotations

from bcrabl.errors import FormatRefused, Problem
from bcrabl.formats.applied_biosystems.eds import is_document_without_data
from bcrabl.formats.applied_biosystems.sds_text import is_results_alone
from bcrabl.formats.bio_rad.cfx_refusals import CFX_WITHOUT_CURVES
from bcrabl.formats.results_only import RESULTS_ONLY, TABLE_OF_CQ
from bcrabl.formats.roche.lc480_refusals import LC480_WITHOUT_CURVES
from bcrabl.formats.source import RawFile, Refusal

__all__ = ["REFUSALS", "refuse_known"]


REFUSALS: tuple[Refusal, ...] = (
    Refusal(
        "an .eds document without signals and results: a template, or a run that was never analysed",
        "Open it in the software of the instrument, analyse the run and save the document again.",
        is_document_without_data,
    ),
    Refusal(
        "a table of results of SDS 2 (7900HT) without the curves",
        "Export the data kind Clipped as well, into the same folder, and name the folder as the raw file.",
        is_results_alone,
    ),
    *LC480_WITHOUT_CURVES,
    *CFX_WITHOUT_CURVES,
    *RESULTS_ONLY,
    TABLE_OF_CQ,  # the most general one: stays the last
)


def refuse_known(source: RawFile) -> None:
    """Raise for a file that is known and cannot be read.

    Raises
    ------
    FormatRefused : it is one.
    """
    for refusal in REFUSALS:
        if refusal.claims(source):
            raise FormatRefused(Problem(source.path, refusal.found, "an export with curves", refusal.remedy))
