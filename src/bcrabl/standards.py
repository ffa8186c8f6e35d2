"""What the world agreed on, as data: assay protocols and molecular response classes, every number with its citation.

The files under resources/standards are written for a biologist to read and to copy; this room reads them, refuses what
does not fit its schema (a number without source and status among the rest) and hands out frozen objects. Each object
also carries `citations`, one line per number, for the report. `verified` means read in the named source, `unverified`
attributed to it from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcrabl.citations import (
    Citation,
    Document,
    citation_text,
    citations_of,
    cited_entries,
    limits_text,
    unknown_sources,
)
from bcrabl.errors import Problem, StandardsError
from bcrabl.schemas import check_document, load_schema, load_yaml, schema_folder, standards_folder, suggest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bcrabl.scale import SampleScore

__all__ = [
    "AssayProtocol",
    "Citation",
    "LowestStandard",
    "ReplicateSpread",
    "ResponseClass",
    "ResponseRules",
    "TargetProtocol",
    "Window",
    "assay_path",
    "load_assay",
    "load_response_rules",
    "schema_folder",
    "score_sample",
    "standards_folder",
]

Contradictions = Callable[[Document, Path], Iterator[Problem]]


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
class AssayProtocol:
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
    minimum_copies, three_copy_rule : a positive below `minimum_copies` counts as that, `per_replicate`, `per_total` or
        `none`.
    below_replicate_minimum : `not_evaluable` or `drop`.
    call_limits : where the amplification call cuts its scores, by name of `bcrabl.curves.CallLimits`; only those moved.
    controls : % IS that control samples have to give, by sample_id.
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


@dataclass(frozen=True)
class ResponseClass:
    """A molecular response class: % IS at or below which it is reached, and control gene copies it takes, by gene."""

    name: str
    is_percent: float
    minimum_copies: Mapping[str, float]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResponseRules:
    """The response classes, shallow to deep, and what holds for all of them.

    Parameters
    ----------
    replicate_minimum : copies every single control gene replicate needs, by gene.
    transcripts_on_scale : transcript types for which the International Scale is defined.
    """

    classes: tuple[ResponseClass, ...]
    replicate_minimum: Mapping[str, float]
    transcripts_on_scale: tuple[str, ...]
    citations: tuple[Citation, ...] = ()


# -- assay protocols --------------------------------------------------------------------------------------------------


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
    assays = Path(standards_folder() if folder is None else folder) / "assays"
    there = {path.stem: path for path in sorted(assays.glob("*.yaml"))}
    if assay_id not in there:  # by listing, so that the same spelling is asked for on every file system
        expected = f"one of {', '.join(there)}" if there else f"assay protocols in {assays}, which holds none"
        raise StandardsError(Problem(str(assays), f"no assay {assay_id!r}", expected, suggest(assay_id, there)))
    return there[assay_id]


def load_assay(path: str | Path) -> AssayProtocol:
    """The assay protocol in a YAML file.

    Raises
    ------
    StandardsError : with every place of the file that does not fit.
    """
    document = _load(path, "assay", _assay_contradictions)
    sources, cq, scoring = document["sources"], document["cq"], document["scoring"]
    acceptance = dict(document["acceptance"])
    lowest, spread = acceptance.pop("lowest_standard"), acceptance.pop("replicate_spread")
    rule = scoring["three_copy_rule"]
    limit = document.get("positive", {}).get("cq_limit")
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
        lod_copies=float(scoring["lod_copies"]["value"]),
        minimum_copies=float(rule["minimum_copies"]),
        three_copy_rule=rule["applies_to"],
        below_replicate_minimum=scoring["below_replicate_minimum"]["value"],
        call_limits={name: _limit(each["value"]) for name, each in cq.get("call_limits", {}).items()},
        controls={name: _window(each, sources) for name, each in document.get("controls", {}).items()},
        citations=tuple(citations_of(document, sources)),
    )


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
    if document["id"] != path.stem:
        yield Problem(f"{path}, id", repr(document["id"]), f"the name of the file, {path.stem!r}")
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


# -- response rules ---------------------------------------------------------------------------------------------------


def load_response_rules(path: str | Path | None = None) -> ResponseRules:
    """The molecular response classes; path None = the project's own.

    Raises
    ------
    StandardsError : with every place of the file that does not fit.
    """
    chosen = standards_folder() / "molecular_response.yaml" if path is None else path
    document = _load(chosen, "molecular_response", _response_contradictions)
    return ResponseRules(
        classes=tuple(_response_class(entry) for entry in document["classes"]),
        replicate_minimum=_by_gene(document["replicate_minimum"]),
        transcripts_on_scale=tuple(document["transcripts_on_scale"]["value"]),
        citations=tuple(citations_of(document, document["sources"])),
    )


def _response_class(entry: Document) -> ResponseClass:
    level = float(entry["is_percent"]["value"])
    return ResponseClass(entry["name"], level, _by_gene(entry["minimum_copies"]), tuple(entry.get("aliases", ())))


def _by_gene(entries: Mapping[str, Document]) -> dict[str, float]:
    return {gene: float(entry["value"]) for gene, entry in entries.items()}


def _response_contradictions(document: Document, path: Path) -> Iterator[Problem]:
    above: ResponseClass | None = None
    for position, entry in enumerate(document["classes"]):
        deeper, where = _response_class(entry), f"{path}, classes[{position}]"
        if above and deeper.is_percent >= above.is_percent:
            yield Problem(where, f"{deeper.is_percent:g} % IS", f"less than {above.is_percent:g} of {above.name}")
        for gene, copies in deeper.minimum_copies.items():
            if above and copies < above.minimum_copies.get(gene, 0):
                expected = f"at least {above.minimum_copies[gene]:g}, which {above.name} takes"
                yield Problem(f"{where}.minimum_copies.{gene}", f"{copies:g}", expected)
            if gene not in document["replicate_minimum"]:
                expected = f"a gene of replicate_minimum: {', '.join(document['replicate_minimum'])}"
                yield Problem(f"{where}.minimum_copies", repr(gene), expected)
        above = deeper


# -- shared -----------------------------------------------------------------------------------------------------------


def _load(path: str | Path, schema_name: str, contradictions: Contradictions) -> dict[str, Any]:
    document = load_yaml(path, StandardsError)
    problems = check_document(document, load_schema(schema_name, fault=StandardsError), str(path))
    if not problems:  # what follows takes the schema's shape for granted
        problems = [*unknown_sources(document, str(path)), *contradictions(document, Path(path))]
    if problems:
        raise StandardsError(problems)
    return dict(document)


# -- scoring with the shipped rules -----------------------------------------------------------------------------------


def score_sample(
    bcr_abl_copies: ArrayLike,
    control_copies: ArrayLike,
    *,
    conversion_factor: float | None,
    control_gene: str = "ABL1",
    rules: ResponseRules | None = None,
    three_copy_rule: str = "per_replicate",
    below_replicate_minimum: str = "not_evaluable",
    **further: Any,
) -> SampleScore:
    """`bcrabl.scale.score_sample` with the project's own response rules filled in.

    Parameters
    ----------
    bcr_abl_copies : (k,) copies/reaction of the BCR::ABL1 replicates, 0 where undetected.
    control_copies : (j,) copies/reaction of the control gene replicates.
    conversion_factor : local scale to International Scale; None where there is no valid one.
    control_gene : ABL1 or GUSB.
    rules : response classes; None = resources/standards/molecular_response.yaml.
    three_copy_rule, below_replicate_minimum, further : see `bcrabl.scale.score_sample`.

    Examples
    --------
    >>> score = score_sample([12.4, 10.8], [52_000, 48_000], conversion_factor=0.85)
    >>> round(score.is_percent, 5), score.response_class
    (0.01972, 'MR3')
    """
    from bcrabl import scale

    return scale.score_sample(
        bcr_abl_copies,
        control_copies,
        conversion_factor=conversion_factor,
        control_gene=control_gene,
        rules=load_response_rules() if rules is None else rules,
        three_copy_rule=three_copy_rule,
        below_replicate_minimum=below_replicate_minimum,
        **further,
    )
