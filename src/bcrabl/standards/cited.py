"""A number with its source, and what may be done with one that nobody has compared with its source.

`verified` means read in the named source, `unverified` attributed to it from memory. An unverified value is
handed out on request only, and one that could not be read in its source not at all: `required()` refuses them, so they
enter no default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from bcrabl.citations import Citation, Document, citation_text
from bcrabl.errors import Problem, StandardsError

__all__ = ["CitedNumber", "CitedText", "CitedValue", "Standard", "cited_number", "cited_text", "unverified_numbers"]

Value = TypeVar("Value")

_ON_REQUEST = (
    "Compare it with the source and set status: verified in a copy of the file, or pass accept_unverified=True."
)
_OWN_COPY = "Look it up in the source and enter it, with its status, in a copy of the file."


@dataclass(frozen=True)
class CitedValue(Generic[Value]):
    """A value of the field, its unit, its source and whether it was read there.

    Parameters
    ----------
    value : None where the source is known to state one, but it could not be read.
    place : file and place, for messages.

    Examples
    --------
    >>> CitedValue(1.2, "fold", "Branford S et al. Blood 2008", "verified", "rules").required()
    1.2
    """

    value: Value | None
    unit: str
    source: str
    status: str
    place: str

    @property
    def verified(self) -> bool:
        """Whether there is a value and it was read in its source."""
        return self.value is not None and self.status == "verified"

    def required(self, *, accept_unverified: bool = False) -> Value:
        """The value, for a calculation.

        Parameters
        ----------
        accept_unverified : take it although nobody has compared it with its source.

        Raises
        ------
        StandardsError : it is unverified and was not asked for as such, or there is none.
        """
        if self.value is None:
            raise StandardsError(Problem(self.place, f"no value ({self.source})", f"a value in {self.unit}", _OWN_COPY))
        if not (self.verified or accept_unverified):
            number = f"{self.value:g}" if isinstance(self.value, float) else str(self.value)
            found = (
                f"the unverified value {number}" if self.unit == "1" else f"the unverified value {number} {self.unit}"
            )
            raise StandardsError(Problem(self.place, found, f"one that was read in {self.source}", _ON_REQUEST))
        return self.value


CitedNumber = CitedValue[float]
CitedText = CitedValue[str]


def cited_number(entry: Document, sources: Document, place: str) -> CitedNumber:
    """The number in an entry {value, unit, source, status}; value null = could not be read."""
    value = None if entry["value"] is None else float(entry["value"])
    return CitedNumber(value, entry["unit"], citation_text(entry["source"], sources), entry["status"], place)


def cited_text(entry: Document, sources: Document, place: str) -> CitedText:
    """The word in an entry {value, unit, source, status}."""
    return CitedText(entry["value"], entry["unit"], citation_text(entry["source"], sources), entry["status"], place)


class Standard:
    """What every object of this room has: `citations`, one line per number, and what follows from them."""

    citations: tuple[Citation, ...]

    @property
    def unverified(self) -> tuple[Citation, ...]:
        """The numbers nobody has compared with their source, or that could not be read there."""
        return tuple(line for line in self.citations if line.status != "verified")

    @property
    def status(self) -> str:
        """`verified` if every number is, else `unverified`."""
        return "unverified" if self.unverified else "verified"


def unverified_numbers(*standards: Standard) -> tuple[Citation, ...]:
    """Every unverified number of an assay together with the rules it is scored by, in their order.

    Examples
    --------
    >>> from bcrabl.standards import assay_path, load_assay
    >>> [line.value for line in unverified_numbers(load_assay(assay_path("eac"))) if line.place == "cq.threshold"]
    ['0.1']
    """
    return tuple(line for standard in standards for line in standard.unverified)
