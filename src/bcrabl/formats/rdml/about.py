"""What the runs of an RDML document say of themselves: how far the signal was processed, instrument, software, date."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["BACKGROUND_OF_STAGE", "about_runs", "stage_of_run"]

BACKGROUND_OF_STAGE = {
    "raw": "raw signal of the dye",
    "normalised": "normalised to the passive reference (Rn)",
    "baseline_subtracted": "baseline subtracted before the export",
}
"""How our own files say how far the signal had been processed."""

_SUBTRACTED = re.compile(r"baseline[ -]*subtract", re.IGNORECASE)
_NORMALISED = re.compile(r"\bRn\b|normali[sz]ed", re.IGNORECASE)
_APPLIED_BIOSYSTEMS = re.compile(r"applied ?biosystems|stepone|quantstudio|viia|\b7[359]00", re.IGNORECASE)
_LARGEST_RN = 100.0  # dye signals of Applied Biosystems instruments are thousands and more, Rn is some tenths to tens


def stage_of_run(run: Element, curves: Sequence[Sequence[float]], where: str, warnings: list[str]) -> str:
    """How far the signal of a run had been processed; see `bcrabl.run.STAGES`.

    Parameters
    ----------
    run : the run's element.
    curves : its curves, a.u.
    where : what `warnings` calls the run; they gain a sentence where text and signal disagree.

    Notes
    -----
    RDML has no field for it, only `backgroundDeterminationMethod`, free text that often speaks of the Cq rather than of
    the curves ("LinRegPCR, constant" and StepOne's "Background Subtraction" stand beside curves with their baseline).
    So the text is believed only where the signal agrees: a baseline-subtracted curve scatters about zero. StepOne and
    its relatives export Rn without saying so; the size of the signal tells it from dye signal.
    """
    background = run.findtext("backgroundDeterminationMethod") or ""
    of_our_own = {text: stage for stage, text in BACKGROUND_OF_STAGE.items()}
    if background in of_our_own:
        return of_our_own[background]
    if background.startswith("raw"):
        return "raw"
    if _SUBTRACTED.search(background):
        if any(value <= 0 for values in curves for value in values):
            return "baseline_subtracted"
        warnings.append(
            f"{where}: the file calls its background {background!r}, but no value is 0 or less; the curves are read as "
            "raw."
        )
        return "raw"
    if _NORMALISED.search(background):
        return "normalised"
    made_by = f"{run.findtext('instrument') or ''} {_software(run)}"
    is_rn = _APPLIED_BIOSYSTEMS.search(made_by) and _median(curves) < _LARGEST_RN
    return "normalised" if is_rn else "raw"


def _median(curves: Sequence[Sequence[float]]) -> float:
    values = [value for curve in curves for value in curve]
    return float(np.nanmedian(values)) if values and not np.all(np.isnan(values)) else np.inf


def about_runs(root: Element, runs: Sequence[Element], where: str, warnings: list[str]) -> dict[str, object]:
    """Format version, vendor, instrument, software, run date and Cq method, where the document states them.

    Parameters
    ----------
    root : the document.
    runs : those of its runs that are read; what differs between them is listed, of dates the first is taken.
    where : the file, for `warnings`.
    """
    stated = {
        "vendor": root.findtext("id/publisher"),
        "instrument": _joined(run.findtext("instrument") for run in runs),
        "software": _joined(_software(run) for run in runs),
        "run_date": _first_date([run.findtext("runDate") or "" for run in runs], where, warnings),
        "cq_detection_method": _joined(run.findtext("cqDetectionMethod") for run in runs),
    }
    version = root.get("version", "").strip()
    format_name = f"RDML {version}" if version else "RDML"
    return {"format": format_name, **{name: value.strip() for name, value in stated.items() if value}}


def _software(run: Element) -> str:
    name = run.findtext("dataCollectionSoftware/name") or ""
    version = run.findtext("dataCollectionSoftware/version") or ""
    # LightCycler 96 escapes its ® twice
    return html.unescape(f"{name.strip()} {version.strip()}").strip()


def _joined(texts: Iterable[str | None]) -> str:
    return "; ".join(dict.fromkeys(text.strip() for text in texts if text and text.strip()))


def _first_date(texts: Sequence[str], where: str, warnings: list[str]) -> str:
    """The earliest of the run dates as YYYY-MM-DD; empty where none is stated."""
    days = set()
    for text in filter(None, (text.strip() for text in texts)):
        try:
            days.add(date.fromisoformat(text[:10]).isoformat())
        except ValueError:
            warnings.append(f"{where}: the run date {text[:40]!r} is no date and was not read.")
    if len(days) > 1:
        warnings.append(f"{where}: the runs of the file are of {len(days)} days; run_date is the first.")
    return min(days, default="")
