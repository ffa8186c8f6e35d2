"""Calibrators: what a certificate says about the copies in a vial, and what that makes in a reaction.

Three traps stand between certificate and standard curve. A certificate states copies in a volume: what a reaction holds
is that times the volume pipetted. It states an expanded uncertainty U, that of a standard curve is U/k. And it states
copies: a calibrator of copies gives no International Scale, so a laboratory needs its conversion factor all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bcrabl.citations import Citation, Document, citation_text, cited_entries
from bcrabl.errors import Problem, StandardsError
from bcrabl.schemas import suggest
from bcrabl.standards.cited import CitedNumber, CitedText, Standard, cited_number, cited_text
from bcrabl.standards.documents import citation_lines, load_document, misnamed, standard_path

__all__ = ["Calibrator", "CalibratorLevel", "calibrator_path", "load_calibrator"]


@dataclass(frozen=True)
class CalibratorLevel:
    """One vial of a calibrator.

    Parameters
    ----------
    name : what stands on the vial.
    copies : copies in the volume the certificate states them for (`Calibrator.stated_volume_ul`).
    expanded_uncertainty : in the same unit; None = the maker certifies none.
    """

    name: CitedText
    copies: CitedNumber
    expanded_uncertainty: CitedNumber | None


@dataclass(frozen=True)
class Calibrator(Standard):
    """A material whose copies are known.

    Parameters
    ----------
    copies_per_molecule : how many of a target one plasmid molecule carries, by target.
    coverage_factor : k of the expanded uncertainties; None = the maker certifies none.
    stated_volume_ul : volume in which the copies are stated, µL.
    levels : vials, rising.
    gives : `copies`; none of these gives the International Scale.
    does_not_give : what the material is mistaken for, in words.
    citations : one line per number, for the report.
    """

    id: str
    title: str
    source: str
    copies_per_molecule: Mapping[str, CitedNumber]
    coverage_factor: CitedNumber | None
    stated_volume_ul: CitedNumber
    levels: tuple[CalibratorLevel, ...]
    gives: tuple[str, ...]
    does_not_give: str
    place: str
    citations: tuple[Citation, ...] = ()

    def level(self, wanted: str | float, *, accept_unverified: bool = False) -> CalibratorLevel:
        """The vial with this name, or with this number of copies as certified.

        Raises
        ------
        StandardsError : no such vial; or found by a name whose assignment to the copies is unverified.
        """
        for level in self.levels:
            if isinstance(wanted, str) and level.name.value == wanted:
                level.name.required(accept_unverified=accept_unverified)
                return level
            if not isinstance(wanted, str) and level.copies.value == float(wanted):
                return level
        there = [f"{level.name.value} ({level.copies.value:g} {level.copies.unit})" for level in self.levels]
        names = [str(level.name.value) for level in self.levels]
        remedy = suggest(wanted, names) if isinstance(wanted, str) else ""
        raise StandardsError(Problem(f"{self.place}, levels", f"no {wanted!r}", f"one of {', '.join(there)}", remedy))

    def copies_per_reaction(
        self, level: CalibratorLevel, volume_ul: float, *, target: str, accept_unverified: bool = False
    ) -> float:
        """Copies of a target in a reaction to which this volume of the vial is added.

        Parameters
        ----------
        volume_ul : µL of the undiluted vial; of a dilution 1:n, the volume divided by n.

        Raises
        ------
        StandardsError : a volume that is none, a target the material does not carry, an unverified number.

        Notes
        -----
        copies = copies stated / volume they are stated for × volume added × copies of the target per molecule.
        """
        if not (math.isfinite(volume_ul) and volume_ul > 0):
            raise StandardsError(Problem("volume_ul", f"{volume_ul}", "a volume above 0 µL"))
        if target not in self.copies_per_molecule:
            carried = ", ".join(self.copies_per_molecule)
            remedy = suggest(target, self.copies_per_molecule)
            raise StandardsError(Problem(f"{self.place}, copies_per_molecule", f"no {target!r}", carried, remedy))
        numbers = level.copies, self.stated_volume_ul, self.copies_per_molecule[target]
        copies, stated_for, per_molecule = (each.required(accept_unverified=accept_unverified) for each in numbers)
        return copies * (volume_ul / stated_for) * per_molecule

    def relative_expanded_uncertainty(self, level: CalibratorLevel, *, accept_unverified: bool = False) -> float:
        """U / copies, as a fraction.

        Raises
        ------
        StandardsError : the maker certifies none, or it is unverified.
        """
        if level.expanded_uncertainty is None:
            where = f"{self.place}, {level.name.value}"
            expected = "an expanded uncertainty, which this maker does not certify"
            raise StandardsError(Problem(where, "no uncertainty", expected))
        uncertainty = level.expanded_uncertainty.required(accept_unverified=accept_unverified)
        return uncertainty / level.copies.required(accept_unverified=accept_unverified)

    def relative_standard_uncertainty(self, level: CalibratorLevel, *, accept_unverified: bool = False) -> float:
        """U / (k copies), as a fraction: `calibrator_relative_sd` of `bcrabl.fit_standard_curve`.

        Raises
        ------
        StandardsError : the maker certifies none, or the coverage factor k is unverified.
        """
        expanded = self.relative_expanded_uncertainty(level, accept_unverified=accept_unverified)
        assert self.coverage_factor is not None  # the loader asks for k wherever there is an expanded uncertainty
        return expanded / self.coverage_factor.required(accept_unverified=accept_unverified)

    def standard_uncertainty_log10(self, level: CalibratorLevel, *, accept_unverified: bool = False) -> float:
        """Standard uncertainty of log10 copies: √ln(1 + r²) / ln 10, r the relative standard uncertainty.

        Notes
        -----
        That of a log-normal quantity with relative standard deviation r; r / ln 10 where r is small. The vials are
        dilutions of one stock, so most of it is common to a whole standard curve and does not average out over levels.
        """
        relative = self.relative_standard_uncertainty(level, accept_unverified=accept_unverified)
        return math.sqrt(math.log1p(relative**2)) / math.log(10)


def calibrator_path(calibrator_id: str, folder: str | Path | None = None) -> Path:
    """The file of a calibrator.

    Parameters
    ----------
    folder : standards folder (its `calibrators` are searched); None = the project's own.

    Raises
    ------
    StandardsError : no such calibrator; the message lists those there are.
    """
    return standard_path("calibrator", "calibrators", "calibrators", calibrator_id, folder)


def load_calibrator(path: str | Path) -> Calibrator:
    """The calibrator in a YAML file.

    Raises
    ------
    StandardsError : with every place of the file that does not fit.

    Examples
    --------
    >>> plasmid = load_calibrator(calibrator_path("erm_ad623"))
    >>> plasmid.copies_per_reaction(plasmid.level(10.0), volume_ul=5, target="BCR::ABL1")
    50.0
    """
    document = load_document(path, "calibrators", _contradictions)
    sources, place = document["sources"], str(path)
    factor = document.get("coverage_factor")
    molecules = document["copies_per_molecule"]
    levels = [_level(entry, sources, f"{place}, levels[{n}]") for n, entry in enumerate(document["levels"])]
    return Calibrator(
        id=document["id"],
        title=document["title"],
        source=citation_text(document["source"], sources),
        copies_per_molecule={
            target: cited_number(entry, sources, f"{place}, copies_per_molecule.{target}")
            for target, entry in molecules.items()
        },
        coverage_factor=None if factor is None else cited_number(factor, sources, f"{place}, coverage_factor"),
        stated_volume_ul=cited_number(document["stated_volume"], sources, f"{place}, stated_volume"),
        levels=tuple(sorted(levels, key=lambda level: level.copies.value or 0.0)),
        gives=tuple(document["gives"]),
        does_not_give=document["does_not_give"],
        place=place,
        citations=citation_lines(document),
    )


def _level(entry: Document, sources: Document, place: str) -> CalibratorLevel:
    expanded = entry.get("expanded_uncertainty")
    return CalibratorLevel(
        cited_text(entry["name"], sources, f"{place}.name"),
        cited_number(entry["copies"], sources, f"{place}.copies"),
        None if expanded is None else cited_number(expanded, sources, f"{place}.expanded_uncertainty"),
    )


def _contradictions(document: Document, path: Path) -> Iterator[Problem]:
    yield from misnamed(document, path)
    seen: dict[object, str] = {}
    for position, entry in enumerate(document["levels"]):
        where, copies = f"{path}, levels[{position}]", entry["copies"]
        for key in ("name", "copies"):
            value = entry[key]["value"]
            if value in seen:
                yield Problem(f"{where}.{key}", f"{value} again", f"another one than {seen[value]}")
            seen[value] = f"levels[{position}]"
        expanded = entry.get("expanded_uncertainty")
        if expanded is not None:
            yield from _uncertainty_problems(where, copies, expanded)
            if "coverage_factor" not in document:
                yield Problem(f"{where}.expanded_uncertainty", "no coverage_factor", "the k it is expanded by")
    for place, entry in cited_entries(document["levels"], "levels"):
        if "copies" in entry["unit"] and entry["unit"] != document["levels"][0]["copies"]["unit"]:
            yield Problem(f"{path}, {place}.unit", repr(entry["unit"]), "one unit for all levels")


def _uncertainty_problems(where: str, copies: Document, expanded: Document) -> Iterator[Problem]:
    if expanded["value"] >= copies["value"]:
        found = f"{expanded['value']:g} of {copies['value']:g} copies"
        yield Problem(f"{where}.expanded_uncertainty", found, "less than the copies themselves")
