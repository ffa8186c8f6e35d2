"""What an RDML document says of its samples, targets and plates, before any curve is looked at.

Samples have a type (role) and a quantity, either once or, since RDML 1.3, per target. Reactions are numbered along the
rows of the plate, or named by well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem
from bcrabl.formats.numerals import finite_or_none
from bcrabl.formats.wells import normal_well, well_at

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = [
    "NOT_STATED",
    "PASSIVE_DESCRIPTION",
    "PASSIVE_DYES",
    "ROLE_OF_TYPE",
    "UNNAMED_SAMPLE",
    "Plate",
    "Quantity",
    "Sample",
    "Target",
    "read_plate",
    "read_samples",
    "read_targets",
]

ROLE_OF_TYPE = {
    "unkn": "unkn",
    "std": "std",
    "ntc": "ntc",
    "nac": "nac",
    "nrt": "nrt",
    "ntp": "neg",  # "no target present": a negative control sample
    "pos": "pos",
    "opt": "opt",
}
PASSIVE_DYES = ("ROX", "MUSTANG PURPLE", "PASSIVE REFERENCE")
"""Dyes that some instruments measure in every well to divide the reporter by; the last is ours for one of no name."""
PASSIVE_DESCRIPTION = "passive reference dye"
"""How our own files describe the target that stands for the passive reference."""
NOT_STATED = "not stated"
"""What our own files call a dye that nobody named: RDML needs a name."""
UNNAMED_SAMPLE = "not stated ("
"""How our own files begin the id of a sample that nobody named; the well follows."""

_UNTYPED = "unkn"  # the schema's default since RDML 1.3
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_COMMON_PLATES = ((96, 8, 12), (384, 16, 24), (1536, 32, 48))


@dataclass(frozen=True)
class Quantity:
    """An amount of template as entered, and its unit (`cop`, `fold`, `dil`, `nMol`, `ng`, `other` or empty)."""

    value: float
    unit: str


@dataclass(frozen=True)
class Sample:
    """A sample: its name, if it has one, and type and quantity by target id (None: for all other targets)."""

    name: str | None
    types: Mapping[str | None, str]
    quantities: Mapping[str | None, Quantity]
    inter_run_calibrator: bool

    def type_for(self, target: str | None) -> str:
        """RDML's type of the sample where this target is measured."""
        return self.types.get(target) or self.types.get(None, _UNTYPED)

    def quantity_for(self, target: str | None) -> Quantity | None:
        """The quantity entered for the sample where this target is measured."""
        return self.quantities.get(target) or self.quantities.get(None)

    def role_for(self, target: str | None) -> str:
        """The role of a reaction of this sample and target."""
        role = ROLE_OF_TYPE[self.type_for(target)]
        return "calibrator" if role == "unkn" and self.inter_run_calibrator else role


@dataclass(frozen=True)
class Target:
    """A target: its name, reporter dye, and whether our own file says that it is but the passive reference."""

    name: str
    dye: str | None
    is_passive: bool = False


@dataclass(frozen=True)
class Plate:
    """Rows and columns of a plate; None where the document does not say."""

    rows: int
    columns: int

    def well(self, react_id: str) -> str | None:
        """The well of a reaction id, counted along the rows or spelled as a well, or None where it is neither."""
        if not (react_id.isascii() and react_id.isdigit()):
            return normal_well(react_id)
        position = int(react_id) if len(react_id) < 8 else 0
        return well_at(position, self.columns) if 1 <= position <= self.rows * self.columns else None


def read_samples(root: Element, path: str) -> dict[str, Sample]:
    """The samples of a document by id.

    Raises
    ------
    DamagedFile : ids repeat, or types or quantities are not what RDML allows; every such sample is named.
    """
    problems = _repeated_ids(root, "sample", path)
    samples = {}
    for element in root.iterfind("sample"):
        sample_id = element.get("id", "")
        where = f"{path}, sample {sample_id!r}"
        types = _types(element, where, problems)
        quantities = _quantities(element, where, problems)
        sample = Sample(_sample_name(element), types, quantities, _says_true(element.findtext("interRunCalibrator")))
        problems += _standards_of_nothing(sample, where)
        samples[sample_id] = sample
    if problems:
        raise DamagedFile(problems)
    return samples


def _sample_name(element: Element) -> str | None:
    """The id, or the description where the id is a GUID that nobody typed (LightCycler 96)."""
    sample_id = element.get("id", "")
    if sample_id.startswith(UNNAMED_SAMPLE):
        return None
    description = (element.findtext("description") or "").strip()
    return description if description and _GUID.fullmatch(sample_id) else sample_id


def _types(element: Element, where: str, problems: list[Problem]) -> dict[str | None, str]:
    types: dict[str | None, str] = {}
    for entry in element.iterfind("type"):
        text = (entry.text or "").strip()
        target = entry.get("targetId")
        if text not in ROLE_OF_TYPE:
            problems.append(Problem(where, f"type {text!r}", f"one of {', '.join(ROLE_OF_TYPE)}"))
        elif types.setdefault(target, text) != text:
            problems.append(Problem(where, f"types {types[target]} and {text} at once", "one type for each target"))
    return types


def _quantities(element: Element, where: str, problems: list[Problem]) -> dict[str | None, Quantity]:
    quantities: dict[str | None, Quantity] = {}
    for entry in element.iterfind("quantity"):
        text = (entry.findtext("value") or "").strip()
        value = finite_or_none(text)
        target = entry.get("targetId")
        if value is None:
            problems.append(Problem(where, f"quantity {text!r}", "a finite number"))
            continue
        quantity = Quantity(value, (entry.findtext("unit") or "").strip())
        if quantities.setdefault(target, quantity) != quantity:
            found = f"quantities {quantities[target].value:g} and {value:g} at once"
            problems.append(Problem(where, found, "one quantity for each target"))
    return quantities


def _standards_of_nothing(sample: Sample, where: str) -> list[Problem]:
    targets = {*sample.types, *sample.quantities}
    of_standards = {
        quantity
        for target in targets
        if sample.type_for(target) == "std" and (quantity := sample.quantity_for(target)) is not None
    }
    return [
        Problem(where, f"a standard of quantity {quantity.value:g}", "a quantity above 0", "Correct the plate setup.")
        for quantity in of_standards
        if quantity.value <= 0
    ]


def read_targets(root: Element, path: str) -> dict[str, Target]:
    """The targets of a document by id.

    Raises
    ------
    DamagedFile : ids repeat.
    """
    problems = _repeated_ids(root, "target", path)
    if problems:
        raise DamagedFile(problems)
    elements = {element.get("id", ""): element for element in root.iterfind("target")}
    short = Counter(_before_guid(target_id) for target_id in elements)
    return {
        target_id: Target(
            name if short[name := _before_guid(target_id)] == 1 else target_id,
            _dye(element),
            element.findtext("description") == PASSIVE_DESCRIPTION,
        )
        for target_id, element in elements.items()
    }


def _before_guid(target_id: str) -> str:
    """`FAM` of `FAM@<guid>`, as LightCycler 96 names targets nobody named; any other id as it is."""
    name, _, suffix = target_id.rpartition("@")
    return name if name and _GUID.fullmatch(suffix) else target_id


def _dye(target: Element) -> str | None:
    reference = target.find("dyeId")
    if reference is None or reference.get("id") == NOT_STATED:
        return None
    return reference.get("id") or (reference.text or "").strip() or None


def read_plate(run: Element, where: str, warnings: list[str]) -> Plate:
    """Rows and columns of the plate of a run; `warnings` gains a sentence where they had to be guessed.

    Raises
    ------
    DamagedFile : rows or columns are no whole numbers.
    """
    rows = _dimension(run, "rows", where)
    columns = _dimension(run, "columns", where)
    if rows and columns:
        return Plate(rows, columns)
    ids = [react.get("id", "") for react in run.iterfind("react")]
    positions = [int(text) for text in ids if text.isascii() and text.isdigit() and len(text) < 8]
    plate = _smallest_plate(max(positions, default=0))
    if positions:
        warnings.append(
            f"{where}: the plate has no rows and columns; {plate.rows} × {plate.columns} wells were assumed."
        )
    return plate


def _smallest_plate(position: int) -> Plate:
    for wells, rows, columns in _COMMON_PLATES:
        if position <= wells:
            return Plate(rows, columns)
    return Plate(1, position)


def _dimension(run: Element, name: str, where: str) -> int | None:
    """Rows or columns; None where the format is free (no such element, or -1 as RDML has it for rotors)."""
    text = (run.findtext(f"pcrFormat/{name}") or "").strip()
    if not text or text == "-1":
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) < 10_000):
        raise DamagedFile(Problem(where, f"a plate of {text!r} {name}", "a whole number from 1 to 9999, or -1"))
    return int(text)


def _says_true(text: str | None) -> bool:
    return (text or "").strip().lower() in {"true", "1"}


def _repeated_ids(root: Element, tag: str, path: str) -> list[Problem]:
    times = Counter(element.get("id", "") for element in root.iterfind(tag))
    return [
        Problem(path, f"{count} {tag}s of id {name!r}", "one of each id") for name, count in times.items() if count > 1
    ]
