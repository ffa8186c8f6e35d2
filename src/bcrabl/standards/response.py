"""Molecular response classes: the levels on the International Scale and the control gene copies each class takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bcrabl.citations import Citation, Document
from bcrabl.errors import Problem
from bcrabl.schemas import standards_folder
from bcrabl.standards.cited import Standard
from bcrabl.standards.documents import citation_lines, load_document

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from bcrabl.scale import SampleScore

__all__ = ["ResponseClass", "ResponseRules", "load_response_rules", "score_sample"]


@dataclass(frozen=True)
class ResponseClass:
    """A molecular response class: % IS at or below which it is reached, and control gene copies it takes, by gene."""

    name: str
    is_percent: float
    minimum_copies: Mapping[str, float]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResponseRules(Standard):
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


def load_response_rules(path: str | Path | None = None) -> ResponseRules:
    """The molecular response classes; path None = the project's own.

    Raises
    ------
    StandardsError : with every place of the file that does not fit.
    """
    chosen = standards_folder() / "molecular_response.yaml" if path is None else path
    document = load_document(chosen, "molecular_response", _response_contradictions)
    return ResponseRules(
        classes=tuple(_response_class(entry) for entry in document["classes"]),
        replicate_minimum=_by_gene(document["replicate_minimum"]),
        transcripts_on_scale=tuple(document["transcripts_on_scale"]["value"]),
        citations=citation_lines(document),
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
