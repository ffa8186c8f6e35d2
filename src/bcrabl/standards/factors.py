"""When a conversion factor is good enough: the acceptance rules in print, by name.

After the factor is applied, a second, independent set of samples is compared with the reference laboratory: the bias
(antilog of the mean log10 difference) and the 95 % limits of agreement, all as fold. Each rule says how far they may
lie from 1; "within ±1.2-fold" means 1/1.2 to 1.2. One rule is the default, and only one whose numbers were all read in
their source can be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bcrabl.citations import Citation, Document, citation_text
from bcrabl.errors import Problem, StandardsError
from bcrabl.schemas import standards_folder, suggest
from bcrabl.standards.cited import CitedNumber, Standard, cited_number
from bcrabl.standards.documents import citation_lines, load_document

__all__ = ["FactorRule", "FactorRules", "SpreadLimit", "Verdict", "load_factor_rules"]

BIAS, AGREEMENT = "bias_fold", "agreement_fold"


@dataclass(frozen=True)
class Verdict:
    """What a rule makes of one figure of a comparison.

    Parameters
    ----------
    limit : name of the limit (`bias_fold`, `agreement_fold`).
    folds : what was measured, fold.
    largest_fold : how far from 1 it may lie, either way.
    """

    limit: str
    folds: tuple[float, ...]
    largest_fold: float

    @property
    def met(self) -> bool:
        """Whether every measured fold lies within the limit."""
        return all(1 / self.largest_fold <= fold <= self.largest_fold for fold in self.folds)


@dataclass(frozen=True)
class SpreadLimit:
    """The largest standard deviation of MR (log10) for responses up to a depth.

    Parameters
    ----------
    below_mr, up_to_mr : MR the limit ends before, or at; both None = no end.
    """

    limit: CitedNumber
    below_mr: float | None
    up_to_mr: float | None

    def holds_for(self, mr: float) -> bool:
        """Whether this depth lies before the end of the limit."""
        return (self.below_mr is None or mr < self.below_mr) and (self.up_to_mr is None or mr <= self.up_to_mr)


@dataclass(frozen=True)
class FactorRule:
    """One acceptance rule.

    Parameters
    ----------
    limits : its numbers by name, see workflow/schemas/conversion_factor_acceptance.schema.yaml.
    spread_limits : largest standard deviation of MR by depth, shallow to deep.
    """

    name: str
    title: str
    source: str
    limits: Mapping[str, CitedNumber]
    spread_limits: tuple[SpreadLimit, ...]
    place: str

    @property
    def numbers(self) -> tuple[CitedNumber, ...]:
        """Every number of the rule."""
        return (*self.limits.values(), *(each.limit for each in self.spread_limits))

    @property
    def verified(self) -> bool:
        """Whether all its numbers were read in their source."""
        return all(number.verified for number in self.numbers)

    def limit(self, name: str, *, accept_unverified: bool = False) -> float:
        """One of its numbers.

        Raises
        ------
        StandardsError : it has no such limit, or one that is unverified or could not be read.
        """
        if name not in self.limits:
            there = ", ".join(self.limits) or "spread limits only"
            raise StandardsError(Problem(self.place, f"no {name}", there, suggest(name, self.limits)))
        return self.limits[name].required(accept_unverified=accept_unverified)

    def judge(
        self, bias_fold: float, agreement_folds: tuple[float, float], *, accept_unverified: bool = False
    ) -> tuple[Verdict, ...]:
        """What the rule makes of a comparison with the reference laboratory.

        Parameters
        ----------
        bias_fold : antilog of the mean log10 difference.
        agreement_folds : antilogs of the lower and upper 95 % limit of agreement.

        Raises
        ------
        StandardsError : a fold that is none; a rule that limits neither; a limit that is unverified or unread.
        """
        folds = {BIAS: (bias_fold,), AGREEMENT: agreement_folds}
        for name, values in folds.items():
            if not all(math.isfinite(fold) and fold > 0 for fold in values):
                raise StandardsError(Problem(name, ", ".join(map(str, values)), "a fold above 0"))
        judged = [name for name in folds if name in self.limits]
        if not judged:
            expected = f"{BIAS} or {AGREEMENT}, which this rule does not limit"
            raise StandardsError(Problem(self.place, f"only {self._words()}", expected))
        return tuple(
            Verdict(name, folds[name], self.limit(name, accept_unverified=accept_unverified)) for name in judged
        )

    def largest_sd(self, mr: float, *, accept_unverified: bool = False) -> float:
        """Largest standard deviation of MR (log10) the rule allows at this depth.

        Raises
        ------
        StandardsError : the rule has none.
        """
        for each in self.spread_limits:
            if each.holds_for(mr):
                return each.limit.required(accept_unverified=accept_unverified)
        raise StandardsError(Problem(self.place, f"no spread_limits at MR {mr:g}", f"{self._words()}"))

    def _words(self) -> str:
        return ", ".join([*self.limits, *(["spread_limits"] if self.spread_limits else [])])


@dataclass(frozen=True)
class FactorRules(Standard):
    """All rules by name, and the one that holds where a laboratory names none."""

    rules: Mapping[str, FactorRule]
    default: FactorRule
    citations: tuple[Citation, ...] = ()

    def rule(self, name: str | None = None) -> FactorRule:
        """The rule of this name; None = the default.

        Raises
        ------
        StandardsError : no such rule; the message lists those there are.
        """
        if name is None:
            return self.default
        if name not in self.rules:
            raise StandardsError(
                Problem("acceptance rule", repr(name), f"one of {', '.join(self.rules)}", suggest(name, self.rules))
            )
        return self.rules[name]


def load_factor_rules(path: str | Path | None = None) -> FactorRules:
    """The acceptance rules of conversion factors; path None = the project's own.

    Raises
    ------
    StandardsError : with every place of the file that does not fit.

    Examples
    --------
    >>> [verdict.met for verdict in load_factor_rules().rule("Branford2008").judge(1.1, (0.3, 4.8))]
    [True, True]
    """
    chosen = standards_folder() / "conversion_factor_acceptance.yaml" if path is None else path
    document = load_document(chosen, "conversion_factor_acceptance", _contradictions)
    rules = {
        entry["name"]: _rule(entry, document["sources"], f"{chosen}, rules[{position}]")
        for position, entry in enumerate(document["rules"])
    }
    return FactorRules(rules, rules[document["default"]], citation_lines(document))


def _rule(entry: Document, sources: Document, place: str) -> FactorRule:
    limits = {
        name: cited_number(each, sources, f"{place}.limits.{name}") for name, each in entry.get("limits", {}).items()
    }
    spreads = tuple(
        SpreadLimit(
            cited_number(each, sources, f"{place}.spread_limits[{position}]"),
            each.get("below_mr"),
            each.get("up_to_mr"),
        )
        for position, each in enumerate(entry.get("spread_limits", []))
    )
    source = citation_text(entry["source"], sources)
    return FactorRule(entry["name"], entry["title"], source, limits, spreads, place)


def _contradictions(document: Document, path: Path) -> Iterator[Problem]:
    rules = document["rules"]
    names = [entry["name"] for entry in rules]
    for position, entry in enumerate(rules):
        where = f"{path}, rules[{position}]"
        if entry["name"] in names[:position]:
            yield Problem(f"{where}.name", repr(entry["name"]), "a name of its own for each rule")
        yield from _unknown_rule_source(entry, document["sources"], where)
        for name, limit in entry.get("limits", {}).items():
            yield from _limit_problems(name, limit, f"{where}.limits.{name}")
        yield from _order_problems(entry.get("spread_limits", []), where)
    yield from _default_problems(document, path)


def _unknown_rule_source(entry: Document, sources: Document, where: str) -> Iterator[Problem]:
    for key in [entry["source"]] if isinstance(entry["source"], str) else entry["source"]:
        if key not in sources:
            yield Problem(
                f"{where}.source", repr(key), f"a key of sources: {', '.join(sources)}", suggest(key, sources)
            )


def _limit_problems(name: str, limit: Document, where: str) -> Iterator[Problem]:
    value = limit["value"]
    if value is None and limit["status"] == "verified":
        yield Problem(where, "status verified without a value", "unverified, or the value")
    if value is not None and name.endswith("_fold") and value <= 1:
        yield Problem(where, f"{value:g}-fold", "more than 1-fold: limits are given as the larger of x and 1/x")


def _order_problems(limits: list[Document], where: str) -> Iterator[Problem]:
    reached = -math.inf
    for position, limit in enumerate(limits):
        end = min(limit.get("below_mr", math.inf), limit.get("up_to_mr", math.inf))
        if end <= reached:
            yield Problem(f"{where}.spread_limits[{position}]", f"an end at MR {end:g}", f"one beyond MR {reached:g}")
        reached = end


def _default_problems(document: Document, path: Path) -> Iterator[Problem]:
    chosen = {entry["name"]: entry for entry in document["rules"]}.get(document["default"])
    if chosen is None:
        names = [entry["name"] for entry in document["rules"]]
        found, expected = repr(document["default"]), f"the name of a rule: {', '.join(names)}"
        yield Problem(f"{path}, default", found, expected, suggest(document["default"], names))
        return
    limits = [*chosen.get("limits", {}).values(), *chosen.get("spread_limits", [])]
    if any(limit["status"] != "verified" for limit in limits):
        found = f"{document['default']!r}, which rests on unverified numbers"
        yield Problem(f"{path}, default", found, "a rule whose numbers were all read in their source")
    if BIAS not in chosen.get("limits", {}) or AGREEMENT not in chosen.get("limits", {}):
        found, expected = repr(document["default"]), f"a rule with {BIAS} and {AGREEMENT}"
        yield Problem(f"{path}, default", found, expected)
