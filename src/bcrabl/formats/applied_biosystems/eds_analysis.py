"""What the software found in an .eds document of the older layouts, and what it was told to look for.

`analysis_result.txt` has a line for each target in each well, and below it lines of Rn and ΔRn of all cycles;
`analysis_protocol.xml` the thresholds, baselines and the stage to analyse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.applied_biosystems.eds_document import REMEDY, SDS, Document, Result, Settings
from bcrabl.formats.applied_biosystems.eds_program import Analysed
from bcrabl.formats.applied_biosystems.words import single_precision
from bcrabl.formats.numerals import finite_or_none

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["MEMBER", "Protocol", "protocol_of", "results_of"]

MEMBER = f"{SDS}analysis_result.txt"
_TARGET = ("detector", "target name", "target")
_CQ = ("ct", "cт", "cq", "crt")  # the second with a Cyrillic т
_QUANTITY = ("qty", "quantity")
_CALLS = {"1": "Amp", "0": "Inconclusive", "-1": "No Amp"}
_CURVES = {"rn values": "rn", "delta rn values": "delta_rn"}
_DEFAULTS = "DEFAULT_SETTINGS"


def results_of(document: Document) -> list[Result]:
    """The results in `analysis_result.txt`; none where there is no such member, or it is not of quantification.

    Raises
    ------
    DamagedFile : it contradicts the layout.
    """
    where = document.where(MEMBER)
    lines = (document.text(MEMBER) or "").split("\n")
    header = next((number for number, line in enumerate(lines) if line.split("\t", 1)[0].strip() == "Well"), None)
    if header is None:
        return []
    columns = {name.strip().casefold(): place for place, name in reversed([*enumerate(lines[header].split("\t"))])}
    if not any(name in columns for name in _TARGET):
        return []
    results: list[Result] = []
    for number, line in enumerate(lines[header + 1 :], header + 2):
        cells = line.split("\t")
        label = cells[0].strip()
        if re.fullmatch("[0-9]{1,5}", label):
            results.append(_result(cells, columns, f"{where}, line {number}"))
        elif label.casefold() in _CURVES:
            _add_curve(results, _CURVES[label.casefold()], cells[1:], f"{where}, line {number}")
    return results


def _result(cells: list[str], columns: Mapping[str, int], where: str) -> Result:
    def cell(*names: str) -> str:
        place = next((columns[name] for name in names if name in columns), len(cells))
        return cells[place].strip() if place < len(cells) else ""

    call = cell("amp status")
    return Result(
        well=int(cells[0]),
        target=cell(*_TARGET),
        sample=cell("sample name", "sample"),
        task=cell("task"),
        cq=cell(*_CQ),
        quantity=finite_or_none(cell(*_QUANTITY)),
        call=_CALLS.get(call, call) or None,
        where=where,
    )


def _add_curve(results: list[Result], name: str, cells: list[str], where: str) -> None:
    if not results or getattr(results[-1], name) is not None:
        raise DamagedFile(Problem(where, "a curve of no target", "the line of its well above it", REMEDY))
    while cells and not cells[-1].strip():
        cells.pop()
    setattr(results[-1], name, single_precision(cells, where))


@dataclass(frozen=True)
class Protocol:
    """What the software was told: by target, by well (from 0) and target, and which stage to analyse."""

    targets: Mapping[str, Settings] = field(default_factory=dict)
    wells: Mapping[tuple[int, str], Settings] = field(default_factory=dict)
    analysed: Analysed = field(default_factory=Analysed)

    def settings(self, well: int, target: str) -> Settings:
        """The settings in force for a target in a well: its own, else those of the target."""
        own, general = self.wells.get((well, target), Settings()), self.targets.get(target, Settings())
        baseline = own if own.baseline_start is not None else general
        threshold = general.threshold if own.threshold is None else own.threshold
        return Settings(threshold, baseline.baseline_start, baseline.baseline_end)


def protocol_of(document: Document) -> Protocol:
    """What `analysis_protocol.xml` says; nothing where there is none.

    Raises
    ------
    DamagedFile : it is no well-formed document, or hostile.
    """
    root = document.xml(f"{SDS}analysis_protocol.xml")
    targets: dict[str, Settings] = {}
    wells: dict[tuple[int, str], Settings] = {}
    analysed = Analysed()
    groups = [] if root is None else list(_all_stated(root))
    default = next((stated.get("Threshold") for kind, stated in groups if _is_default(kind, stated)), None)
    for kind, stated in groups:
        subject, well = stated.get("ObjectName", "").strip(), _count(stated.get("WellIndex"))
        if kind == "IDetectorSettings" and not _is_default(kind, stated):
            targets[subject] = _settings(stated, default)
        elif kind == "IWellSettings" and well is not None and stated.get("UseDetectorDefaults") == "false":
            wells[well, subject] = _settings(stated, default)
        elif kind == "IDataSelectSettings":
            analysed = Analysed(_count(stated.get("StageNum")), _count(stated.get("StepNum")))
    return Protocol(targets, wells, analysed)


def _all_stated(root: Element) -> Iterator[tuple[str, dict[str, str]]]:
    """Kind of each group of settings, without its package, and its values by name."""
    for group in root.iterfind("JaxbAnalysisSettings"):
        values = {
            (value.findtext("Name") or "").strip(): next(((item.text or "").strip() for item in found), "")
            for value in group.iterfind("JaxbSettingValue")
            if (found := value.find("JaxbValueItem")) is not None
        }
        yield (group.findtext("Type") or "").strip().rpartition(".")[2], values


def _is_default(kind: str, stated: Mapping[str, str]) -> bool:
    return kind == "IDetectorSettings" and _DEFAULTS in stated.get("ObjectName", "")


def _settings(stated: Mapping[str, str], default: str | None) -> Settings:
    """Threshold and baseline in use.

    Beside AutoCt stands the threshold that the software found, or still the default; beside AutoBaseline nothing that
    needs to be in use.
    """
    found = stated.get("AutoCt") == "false" or stated.get("Threshold") != default
    threshold = finite_or_none(stated.get("Threshold")) if found else None
    if stated.get("AutoBaseline") != "false":
        return Settings(threshold)
    return Settings(threshold, _count(stated.get("BaselineStart")), _count(stated.get("BaselineStop")))


def _count(stated: str | None) -> int | None:
    return int(stated) if stated and re.fullmatch("[0-9]{1,5}", stated) else None
