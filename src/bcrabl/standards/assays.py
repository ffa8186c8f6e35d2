"""Assay protocols: how a laboratory measures, and when it accepts a plate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bcrabl.citations import Citation, Document, citation_text, cited_entries, limits_text
from bcrabl.errors import Problem
from bcrabl.standards.cited import Standard
from bcrabl.standards.detection_study import StudyLimits, signed_limits
from bcrabl.standards.documents import citation_lines, load_document, misnamed, standard_path

__all__ = [
    "AssayProtocol",
    "LowestStandard",
    "ReplicateSpread",
    "TargetProtocol",
    "Window",
    "assay_path",
    "load_assay",
]


@dataclass(frozen=True)
class Window:
    """The values a check accepts, both limits included; None = no limit on that side.

    Examples
    --------
    >>> Window(-3.9, -3.0, "fail", "kit rules").admits(-3.3)
    True
    """

    lower: float | None
    upper: float | None
    severity: str
    source: str
    status: str = "unverified"
    unit: str = ""

    def admits(self, value: float | None) -> bool:
        """Whether the value lies in the window; a value that could not be measured (None, NaN) does not."""
        if value is None or value != value:
            return False
        return (self.lower is None or value >= self.lower) and (self.upper is None or value <= self.upper)

    def __str__(self) -> str:
        return limits_text(self.lower, self.upper)


@dataclass(frozen=True)
class TargetProtocol:
    """A target of an assay: its name, other names in exports, and its standards.

    Parameters
    ----------
    levels : nominal copies/reaction, rising; what a plate really holds is its known_copies.
    minimum_levels : fewest levels that make a curve.
    """

    name: str
    aliases: tuple[str, ...]
    levels: tuple[float, ...]
    minimum_levels: int


@dataclass(frozen=True)
class LowestStandard:
    """The fusion gene standard that must be detected and in the curve; copies None = the lowest on the plate."""

    copies: float | None
    severity: str
    source: str


@dataclass(frozen=True)
class ReplicateSpread:
    """How far the Cq of replicates may lie apart (largest minus smallest), by their mean Cq."""

    mean_cq_border: float
    up_to_border: Window
    above_border: Window

    def window(self, mean_cq: float) -> Window:
        """The window that applies at this mean Cq."""
        return self.up_to_border if mean_cq <= self.mean_cq_border else self.above_border


@dataclass(frozen=True)
class AssayProtocol(Standard):
    """How a laboratory measures, and when it accepts a plate.

    Parameters
    ----------
    fusion, control : the two targets.
    cq_method : one of `bcrabl.curves.METHODS`.
    threshold : signal at which Cq is read; None = found from the curves.
    baseline : first and last cycle; None = found for each curve.
    passive_reference : `required`, `if_present` or `ignored`.
    acceptance : windows by check: slope, r_squared, efficiency, control_copies, blanks.
    cq_limit : cycles above the intercept up to which a Cq is positive; None = no limit.
    lod_copies : limit of detection of one reaction.
    loq_copies : limit of quantification of one reaction; None where no study says.
    detection_study, detection_study_file : what these limits come from; None where the protocol names no study.
    minimum_copies, three_copy_rule : a positive below `minimum_copies` counts as that, `per_replicate`, `per_total` or
        `none`.
    below_replicate_minimum : `not_evaluable` or `drop`.
    call_limits : where the amplification call cuts its scores, by name of `bcrabl.curves.CallLimits`; only those moved.
    controls : % IS that control samples have to give, by sample_id.
    weighting : of the standards, one of `bcrabl.calibration.WEIGHTINGS`.
    pooled_runs : earlier runs a curve is pooled with at most; 0 = none.
    stock_relative_sd : standard uncertainty of what all standards were diluted from, as a fraction of its copies.
    one_stock : the standards of both targets come from one plasmid, whose copies cancel in the ratio.
    saturation_percent : ratio or % IS above which the control gene's primers find BCR::ABL1 too; None = they never do.
    citations : one line per number, for the report.
    """

    id: str
    title: str
    source: str
    fusion: TargetProtocol
    control: TargetProtocol
    cq_method: str
    threshold: float | None
    baseline: tuple[int, int] | None
    passive_reference: str
    acceptance: Mapping[str, tuple[Window, ...]]
    lowest_standard: LowestStandard
    replicate_spread: ReplicateSpread
    cq_limit: float | None
    lod_copies: float
    minimum_copies: float
    three_copy_rule: str
    below_replicate_minimum: str
    call_limits: Mapping[str, Any] = field(default_factory=dict)
    controls: Mapping[str, Window] = field(default_factory=dict)
    weighting: str = "poisson"
    pooled_runs: int = 0
    stock_relative_sd: float = 0.0
    one_stock: bool = False
    saturation_percent: float | None = None
    loq_copies: float | None = None
    detection_study: str | None = None
    detection_study_file: str | None = None
    citations: tuple[Citation, ...] = ()

    @property
    def targets(self) -> tuple[TargetProtocol, TargetProtocol]:
        """Fusion gene and control gene."""
        return self.fusion, self.control

    def canonical_target(self, name: str) -> str | None:
        """The protocol's name of a target known by this name or alias (letter case apart), else None."""
        wanted = name.strip().casefold()
        for target in self.targets:
            if wanted in {known.casefold() for known in (target.name, *target.aliases)}:
                return target.name
        return None


def assay_path(assay_id: str, folder: str | Path | None = None) -> Path:
    """The file of an assay protocol.

    Parameters
    ----------
    assay_id : as in the runs sheet.
    folder : standards folder (its `assays` are searched); None = the project's own.

    Raises
    ------
    StandardsError : no such assay; the message lists those there are.
    """
    return standard_path("assay", "assay protocols", "assays", assay_id, folder)


def load_assay(path: str | Path) -> AssayProtocol:
    """The assay protocol in a YAML file.

    Raises
    ------
    StandardsError : with every place of the file that does not fit.
    """
    document = load_document(path, "assay", _assay_contradictions)
    sources, cq, scoring = document["sources"], document["cq"], document["scoring"]
    acceptance = dict(document["acceptance"])
    lowest, spread = acceptance.pop("lowest_standard"), acceptance.pop("replicate_spread")
    rule = scoring["three_copy_rule"]
    limit = document.get("positive", {}).get("cq_limit")
    calibration = document.get("calibration", {})
    stock = calibration.get("stock", {"value": 0.0, "one_for_both_targets": False})
    saturation = scoring.get("saturation")
    study = _detection_study(document, Path(path))
    return AssayProtocol(
        id=document["id"],
        title=document["title"],
        source=citation_text(document["source"], sources),
        fusion=_target(document["targets"]["fusion"]),
        control=_target(document["targets"]["control"]),
        cq_method=cq["method"],
        threshold=None if cq["threshold"] == "auto" else float(cq["threshold"]["value"]),
        baseline=None if cq["baseline"] == "auto" else (int(cq["baseline"]["start"]), int(cq["baseline"]["end"])),
        passive_reference=cq["passive_reference"],
        acceptance={check: tuple(_window(each, sources) for each in acceptance[check]) for check in acceptance},
        lowest_standard=_lowest_standard(lowest, sources),
        replicate_spread=_replicate_spread(spread, sources),
        cq_limit=None if limit is None else float(limit["value"]),
        lod_copies=float(scoring["lod_copies"]["value"]) if study is None else study.lod_copies,
        minimum_copies=float(rule["minimum_copies"]),
        three_copy_rule=rule["applies_to"],
        below_replicate_minimum=scoring["below_replicate_minimum"]["value"],
        call_limits={name: _limit(each["value"]) for name, each in cq.get("call_limits", {}).items()},
        controls={name: _window(each, sources) for name, each in document.get("controls", {}).items()},
        weighting=calibration.get("weighting", "poisson"),
        pooled_runs=int(calibration.get("pooled_runs", 0)),
        stock_relative_sd=float(stock["value"]),
        one_stock=stock["one_for_both_targets"],
        saturation_percent=None if saturation is None else float(saturation["value"]),
        loq_copies=None if study is None else study.loq_copies,
        detection_study=None if study is None else study.source,
        detection_study_file=None if study is None else str(study.file),
        citations=citation_lines(document),
    )


def _detection_study(document: Document, path: Path) -> StudyLimits | None:
    entry = document["scoring"].get("detection_study")
    if entry is None:
        return None
    place = f"{path}, scoring.detection_study"
    return signed_limits(place, entry, path.parent.parent, document["id"], document["targets"]["fusion"]["name"])


def _limit(value: float | list[float]) -> float | tuple[float, ...]:
    return tuple(float(each) for each in value) if isinstance(value, list) else float(value)


def _target(entry: Document) -> TargetProtocol:
    levels = tuple(sorted(float(level) for level in entry["levels"]["value"]))
    return TargetProtocol(entry["name"], tuple(entry["aliases"]), levels, int(entry["minimum_levels"]["value"]))


def _window(entry: Document, sources: Mapping[str, str]) -> Window:
    source = citation_text(entry["source"], sources)
    lower, upper = (None if entry.get(side) is None else float(entry[side]) for side in ("lower", "upper"))
    return Window(lower, upper, entry["severity"], source, entry["status"], entry["unit"])


def _lowest_standard(entry: Document, sources: Mapping[str, str]) -> LowestStandard:
    copies = None if entry["value"] == "lowest_on_plate" else float(entry["value"])
    return LowestStandard(copies, entry["severity"], citation_text(entry["source"], sources))


def _replicate_spread(entry: Document, sources: Mapping[str, str]) -> ReplicateSpread:
    low, high = (_window(entry[side], sources) for side in ("up_to_border", "above_border"))
    return ReplicateSpread(float(entry["mean_cq_border"]["value"]), low, high)


def _assay_contradictions(document: Document, path: Path) -> Iterator[Problem]:
    yield from misnamed(document, path)
    baseline = document["cq"]["baseline"]
    if baseline != "auto" and baseline["start"] >= baseline["end"]:
        yield Problem(f"{path}, cq.baseline", f"{baseline['start']} to {baseline['end']}", "a start before the end")
    fusion, control = (document["targets"][target] for target in ("fusion", "control"))
    names, others = ({name.casefold() for name in (own["name"], *own["aliases"])} for own in (fusion, control))
    for shared in sorted(names & others):
        yield Problem(f"{path}, targets", f"{shared!r} for fusion and control", "names that tell the targets apart")
    for place, entry in cited_entries(document):
        if "lower" in entry and "upper" in entry and entry["lower"] > entry["upper"]:
            yield Problem(f"{path}, {place}", f"lower {entry['lower']} above upper {entry['upper']}", "lower <= upper")
