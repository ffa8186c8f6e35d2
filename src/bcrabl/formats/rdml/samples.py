"""The samples of an RDML document to be written: type and quantity belong to them, not to reactions.

A laboratory may call all its standards "STD", or leave wells unnamed. RDML needs a sample of its own for each level,
and for each unnamed well; so a name that stands for several is written as several samples with made-up ids and the name
as their description (as LightCycler 96 does it), and an unnamed well gets a sample that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bcrabl.formats.rdml.annotation import ROLE_OF_TYPE, UNNAMED_SAMPLE
from bcrabl.formats.rdml.reactions import Reaction, escaped, quoted
from bcrabl.formats.wells import plate_order

__all__ = ["TYPE_OF_ROLE", "WrittenSamples", "quantity_of_standard"]

TYPE_OF_ROLE = {role: rdml_type for rdml_type, role in ROLE_OF_TYPE.items()} | {"calibrator": "unkn"}
"""RDML's type of a sample for each role."""

_UNITS_BESIDE_COPIES = ("fold", "dil", "nMol", "ng")
_MADE_UP = uuid5(NAMESPACE_URL, "http://www.rdml.org")

_Place = tuple[str | None, str]


@dataclass(frozen=True)
class _Use:
    """What a sample is where one target is measured."""

    role: str
    quantity: tuple[float, str] | None


@dataclass
class _Sample:
    """A sample to be written: uses by target."""

    uses: dict[str, _Use]
    places: list[_Place] = field(default_factory=list)

    @property
    def is_calibrator(self) -> bool:
        """RDML says so of the whole sample; only unknowns take it for their role."""
        return any(use.role == "calibrator" for use in self.uses.values())

    def admits(self, other: Mapping[str, _Use]) -> bool:
        """Whether the uses in another well are those of this very sample."""
        both = {**self.uses, **other}
        roles = {use.role for use in both.values()}
        return not {"unkn", "calibrator"} <= roles and all(
            self.uses.get(target, use) == use for target, use in other.items()
        )


class WrittenSamples:
    """The samples of a run: their elements, and which of them each reaction refers to."""

    def __init__(self, reactions: Iterable[Reaction]) -> None:
        self._samples: dict[str, tuple[_Sample, str]] = {}
        by_name: dict[str | None, list[_Sample]] = {}
        for name, place, uses in _wells(reactions):
            alike = by_name.setdefault(name, [])
            same = next((sample for sample in alike if name and sample.admits(uses)), None)
            if same is None:
                alike.append(same := _Sample({}))
            same.uses |= uses
            same.places.append(place)
        for name, samples in by_name.items():
            self._samples |= _with_ids(name, samples)
        self._id_of = {place: name for name, (sample, _) in self._samples.items() for place in sample.places}

    @property
    def described(self) -> set[str]:
        """Names that stand for several samples and are written as their description."""
        return {description for _, description in self._samples.values() if description}

    def id_of(self, reaction: Reaction) -> str:
        """The id of the sample in the well of a reaction."""
        return self._id_of[reaction.place]

    def elements(self, *, passive: bool) -> Iterable[str]:
        """Each sample with type and quantity, once where all its targets agree, else per target.

        Parameters
        ----------
        passive : wells hold a passive reference too, of which a type or quantity of all targets would not be true.
        """
        for sample_id, (sample, description) in sorted(self._samples.items()):
            uses = dict(sorted(sample.uses.items()))
            yield f"<sample id={quoted(sample_id)}>"
            if description:
                yield f"<description>{escaped(description)}</description>"
            types = {target: TYPE_OF_ROLE[use.role] for target, use in uses.items()}
            for which, value in _by_target(types, apart=passive):
                yield f"<type{which}>{value}</type>"
            if sample.is_calibrator:
                yield "<interRunCalibrator>true</interRunCalibrator>"
            for which, quantity in _by_target({target: use.quantity for target, use in uses.items()}, apart=passive):
                if quantity is not None:
                    yield f"<quantity{which}><value>{quantity[0]!r}</value><unit>{quantity[1]}</unit></quantity>"
            yield "</sample>"


def _wells(reactions: Iterable[Reaction]) -> Iterable[tuple[str | None, _Place, dict[str, _Use]]]:
    """Sample name, place and uses of each well, along the plate."""
    by_place: dict[_Place, list[Reaction]] = {}
    for reaction in reactions:
        by_place.setdefault(reaction.place, []).append(reaction)
    for place in sorted(by_place, key=lambda place: (place[0] or "", plate_order(place[1]))):
        together = by_place[place]
        uses = {r.row["target"]: _Use(r.row["role"], quantity_of_standard(r.row)) for r in together}
        yield together[0].row["sample_id"] or None, place, uses


def quantity_of_standard(row: Mapping[str, Any]) -> tuple[float, str] | None:
    """The quantity of a standard; RDML allows it of nothing else, and only its own units."""
    if row["role"] != "std":
        return None
    if row["known_copies"] is not None:
        return row["known_copies"], "cop"
    entered, unit = row["vendor_quantity"], row["vendor_quantity_unit"]
    usable = unit in _UNITS_BESIDE_COPIES and entered is not None and isfinite(entered) and entered > 0
    return (entered, unit) if usable else None


def _with_ids(name: str | None, samples: Sequence[_Sample]) -> dict[str, tuple[_Sample, str]]:
    """Samples of one name, with their descriptions, by id."""
    if name is None:
        return {f"{UNNAMED_SAMPLE}{', '.join(filter(None, one.places[0]))})": (one, "") for one in samples}
    if len(samples) == 1:
        return {name: (samples[0], "")}
    return {str(uuid5(_MADE_UP, f"{number} {name}")): (one, name) for number, one in enumerate(samples)}


def _by_target(values: Mapping[str, Any], *, apart: bool = False) -> list[tuple[str, Any]]:
    """Attribute and value: without attribute where all targets share the value, unless they are to stay apart."""
    if len(set(values.values())) == 1 and not apart:
        return [("", next(iter(values.values())))]
    return [(f" targetId={quoted(target)}", value) for target, value in values.items()]
