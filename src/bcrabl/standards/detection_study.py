"""What a protocol takes from a laboratory's own detection study: a result that was signed by naming its digest.

`snakemake detection_limits` writes `results/detection_limits/<study>.json`. A laboratory that stands by it copies the
file under its standards folder and names it, with its SHA-256, in `scoring.detection_study` of the assay protocol. So
a study that is analysed anew changes no result until somebody says so.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from bcrabl.errors import Problem, StandardsError

__all__ = ["StudyLimits", "chosen_limits", "signed_limits"]

_WRITTEN_BY = "the JSON file that `snakemake detection_limits` writes for a study"


class StudyLimits(NamedTuple):
    """Limits of one reaction.

    Parameters
    ----------
    study : as named in its sheet.
    lod_copies : limit of detection, copies/reaction.
    loq_copies : limit of quantification, copies/reaction; None where the study sets none.
    source : in words, for the report.
    file : path of the JSON file.
    """

    study: str
    lod_copies: float
    loq_copies: float | None
    source: str
    file: Path


def chosen_limits(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a study says of each target by the link that was chosen.

    Parameters
    ----------
    document : content of the JSON file.

    Raises
    ------
    KeyError, TypeError, AttributeError : it is no such file.
    """
    link = document["settings"]["link"]
    return {target: own | own["links"][link] | {"link": link} for target, own in document["targets"].items()}


def signed_limits(place: str, entry: dict[str, Any], folder: str | Path, assay: str, fusion: str) -> StudyLimits:
    """The limits of the study that a protocol names.

    Parameters
    ----------
    place : where the protocol names it, for messages.
    entry : `id`, `file` (relative to the folder) and `sha256`.
    folder : the standards folder.
    assay, fusion : the protocol's id and fusion gene, which the study has to be of.

    Raises
    ------
    StandardsError : no such file, another digest, another study, assay or target, or a study that sets no limit.
    """
    path = Path(folder) / entry["file"]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StandardsError(Problem(f"{place}.file", f"{path}: {error.strerror}", _WRITTEN_BY)) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != entry["sha256"]:
        remedy = "If the study was analysed anew and you stand by it, name the new digest."
        raise StandardsError(Problem(f"{place}.sha256, {path}", digest, entry["sha256"], remedy))
    try:
        document = json.loads(content)
        found = chosen_limits(document)
        named = {"id": document["study"], "assay": document["assay"]}
        limits = found.get(fusion)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StandardsError(Problem(str(path), f"{type(error).__name__}: {error}", _WRITTEN_BY)) from error
    for name, expected in (("id", entry["id"]), ("assay", assay)):
        if named[name] != expected:
            raise StandardsError(Problem(f"{place}.{name}", f"a study of {name} {named[name]!r}", repr(expected)))
    if limits is None:
        raise StandardsError(Problem(f"{path}, targets", ", ".join(found) or "none", f"{fusion}, the fusion gene"))
    return _limits(path, entry["id"], limits)


def _limits(path: Path, study: str, limits: dict[str, Any]) -> StudyLimits:
    lod, low, high = (limits.get(name) for name in ("lod_copies", "lod_low", "lod_high"))
    if limits.get("status") != "ok" or not isinstance(lod, int | float) or not isinstance(high, int | float):
        found = limits.get("why") or "no limit of detection with a finite interval"
        raise StandardsError(Problem(str(path), found, "a study that sets a limit by its link", "Test more levels."))
    loq = limits.get("loq_reported")
    source = (
        f"detection study {study}, link {limits['link']}: {lod:.3g} copies/reaction "
        f"({limits.get('confidence', 0.95):.0%} interval {low or 0:.3g} to {high:.3g})"
    )
    return StudyLimits(study, float(lod), float(loq) if isinstance(loq, int | float) else None, source, path)
