"""A run as a valid RDML 1.3 file: for simulated plates and for exchange. The same run gives the same bytes everywhere.

What RDML has no field for (call, task, baseline window, wording of a missing Cq, quantities of other reactions than
standards) is written in words: of a reaction as its note, of the run as its description. The passive reference goes in
as a target of its own, as instruments do it.

The document is stored in the zip, not deflated: how well deflate packs depends on the zlib of the machine, and with it
the bytes and the digest of a file of the same content. A 96-well plate with passive reference takes half a megabyte.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcrabl.errors import RunError
from bcrabl.formats.rdml.about import BACKGROUND_OF_STAGE
from bcrabl.formats.rdml.annotation import NOT_STATED, PASSIVE_DESCRIPTION, PASSIVE_DYES
from bcrabl.formats.rdml.limits import problems_of
from bcrabl.formats.rdml.reactions import Reaction, cleaned, escaped, quoted, reactions_of
from bcrabl.formats.rdml.samples import WrittenSamples, quantity_of_standard
from bcrabl.formats.wells import plate_for, position_on_plate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["write_rdml"]

_ONLY_RUN = "run"
_CQ_METHODS = (
    "automated threshold and baseline settings",
    "manual threshold and baseline settings",
    "second derivative maximum",
    "other",
)
_WITH_A_PLACE = ("instrument", "software", "run_date", "parts", "passive_reference", "warnings")


def write_rdml(run: Run, path: str | Path) -> None:
    """Write a run as RDML 1.3, whole or not at all.

    Parameters
    ----------
    run : every reaction needs a target; known copies belong to standards.
    path : the file to write.

    Raises
    ------
    RunError : RDML cannot hold the run, for instance two samples in one well or a control character in a name.

    Notes
    -----
    Reading the file gives the same reactions, curves, roles, samples, dyes, copies, Cq, thresholds and omissions, and
    the metadata `instrument`, `software`, `run_date` and `passive_reference`; a single part comes back without its
    name. A dye or sample that the run does not know is written as "not stated" and comes back unknown.
    """
    from bcrabl.whole_files import replacing

    reactions = reactions_of(run)
    passive_dye = _passive_dye(run)
    problems = list(problems_of(run, reactions, passive_dye))
    if problems:
        raise RunError(problems)
    document = _document(run, reactions, passive_dye)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        member = zipfile.ZipInfo("rdml_data.xml", date_time=(1980, 1, 1, 0, 0, 0))
        member.create_system = 3  # else the operating system's number is written
        archive.writestr(member, document.encode("utf-8"), zipfile.ZIP_STORED)


def _passive_dye(run: Run) -> str | None:
    if run.passive_reference is None:
        return None
    named = str(run.metadata.get("passive_reference") or "")
    return named if named.upper() in PASSIVE_DYES else PASSIVE_DYES[-1]


def _document(run: Run, reactions: Sequence[Reaction], passive_dye: str | None) -> str:
    """The whole XML document, in the order the schema asks for."""
    dyes = {r.row["dye"] or NOT_STATED for r in reactions} | ({passive_dye} if passive_dye else set())
    samples = WrittenSamples(reactions)
    parts = sorted({r.row["part"] or "" for r in reactions})
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<rdml xmlns="http://www.rdml.org" version="1.3">',
        *(f"<dye id={quoted(dye)}/>" for dye in sorted(dyes)),
        *samples.elements(passive=passive_dye is not None),
        *_targets(reactions, passive_dye),
        '<experiment id="experiment">',
        *(
            line
            for part in parts
            for line in _run(run, [r for r in reactions if (r.row["part"] or "") == part], samples, passive_dye)
        ),
        "</experiment>",
        "</rdml>",
        "",
    ]
    return "\n".join(lines)


def _targets(reactions: Sequence[Reaction], passive_dye: str | None) -> Iterable[str]:
    dyes = {r.row["target"]: r.row["dye"] or NOT_STATED for r in reactions}
    for target, dye in sorted(dyes.items()):
        yield f"<target id={quoted(target)}><type>toi</type><dyeId id={quoted(dye)}/></target>"
    if passive_dye:
        name = quoted(passive_dye)
        described = f"<description>{PASSIVE_DESCRIPTION}</description>"
        yield f"<target id={name}>{described}<type>ref</type><dyeId id={name}/></target>"


def _run(run: Run, reactions: Sequence[Reaction], samples: WrittenSamples, passive_dye: str | None) -> Iterable[str]:
    """One run (part) with its reactions along the rows of the plate."""
    rows, columns = plate_for(r.row["well"] for r in reactions)
    yield f"<run id={quoted(_run_id(run, reactions[0].row['part']))}>"
    yield from _about(run.metadata)
    yield f"<backgroundDeterminationMethod>{BACKGROUND_OF_STAGE[run.stage]}</backgroundDeterminationMethod>"
    yield from _cq_method(run.metadata)
    yield f"<pcrFormat><rows>{rows}</rows><columns>{columns}</columns>"
    yield "<rowLabel>ABC</rowLabel><columnLabel>123</columnLabel></pcrFormat>"
    if run.metadata.get("run_date"):
        yield f"<runDate>{date.fromisoformat(str(run.metadata['run_date'])).isoformat()}T00:00:00</runDate>"
    by_position: dict[int, list[Reaction]] = {}
    for reaction in sorted(reactions, key=lambda r: str(r.row["target"])):
        by_position.setdefault(position_on_plate(reaction.row["well"], columns), []).append(reaction)
    cycles = [str(int(cycle)) for cycle in run.cycles]
    for position, together in sorted(by_position.items()):
        yield f'<react id="{position}"><sample id={quoted(samples.id_of(together[0]))}/>'
        yield from (_data(reaction, cycles) for reaction in together)
        if passive_dye and together[0].passive_reference is not None:
            points = _points(cycles, together[0].passive_reference)
            yield f"<data><tar id={quoted(passive_dye)}/>{points}</data>"
        yield "</react>"
    yield "</run>"


def _run_id(run: Run, part: str | None) -> str:
    """The part; of a file that held a single run the name it had there."""
    names = run.metadata.get("parts")
    single = names[0] if isinstance(names, tuple) and len(names) == 1 else None
    return part or cleaned(str(single or "")) or _ONLY_RUN


def _about(metadata: Mapping[str, object]) -> Iterable[str]:
    """Description, instrument and software, where known."""
    description = _description(metadata)
    if description:
        yield f"<description>{escaped(cleaned(description))}</description>"
    if metadata.get("instrument"):
        yield f"<instrument>{escaped(str(metadata['instrument']))}</instrument>"
    if metadata.get("software"):
        name = escaped(str(metadata["software"]))
        yield f"<dataCollectionSoftware><name>{name}</name><version></version></dataCollectionSoftware>"


def _description(metadata: Mapping[str, object]) -> str:
    """What else is known of the run, in words: format and digest of the file it was read from, warnings, …"""
    stated = [
        f"{name}: {value}"
        for name, value in sorted(metadata.items())
        if name not in _WITH_A_PLACE and isinstance(value, str | int | float) and value != ""
    ]
    warnings = metadata.get("warnings", ())
    if isinstance(warnings, list | tuple):
        stated += [f"warning: {warning}" for warning in warnings]
    return "\n".join(stated)


def _cq_method(metadata: Mapping[str, object]) -> Iterable[str]:
    """The vendor's way to a Cq in the schema's words; the description has the vendor's own."""
    named = str(metadata.get("cq_detection_method") or "")
    if named:
        method = named if named in _CQ_METHODS else "other"
        yield f"<cqDetectionMethod>{method}</cqDetectionMethod>"


def _data(reaction: Reaction, cycles: Sequence[str]) -> str:
    row = reaction.row
    cq = row["vendor_cq"]
    if cq is None and row["vendor_cq_text"]:
        cq = -1.0  # RDML's way to say that none was found
    note = _note(row)
    return "".join(
        [
            f"<data><tar id={quoted(row['target'])}/>",
            _number_element("cq", cq),
            "<excl>omitted</excl>" if row["vendor_omitted"] else "",
            f"<note>{escaped(cleaned(note))}</note>" if note else "",
            _points(cycles, reaction.fluorescence),
            _number_element("quantFluor", row["vendor_threshold"]),
            "</data>",
        ]
    )


def _number_element(name: str, value: float | None) -> str:
    return "" if value is None or not np.isfinite(value) else f"<{name}>{value!r}</{name}>"


def _note(row: Mapping[str, Any]) -> str:
    """What the vendor's software said of a reaction and RDML has no field for."""
    stated = [
        f"{words} {row[name]}"
        for name, words in (("vendor_call", "call"), ("vendor_task", "task"), ("vendor_cq_text", "Cq"))
        if row[name]
    ]
    window = [row["vendor_baseline_start"], row["vendor_baseline_end"]]
    if window != [None, None]:
        first, last = ("?" if cycle is None else f"{cycle:g}" for cycle in window)
        stated.append(f"baseline cycles {first} to {last}")
    if row["vendor_quantity"] not in (None, *(quantity_of_standard(row) or ())):
        stated.append(f"quantity {row['vendor_quantity']!r} {row['vendor_quantity_unit'] or ''}".rstrip())
    return "; ".join(text.replace(";", ",") for text in stated)


def _points(cycles: Sequence[str], signal: NDArray[np.float64]) -> str:
    return "".join(
        f"<adp><cyc>{cycle}</cyc><fluor>{value!r}</fluor></adp>"
        for cycle, value in zip(cycles, signal.tolist(), strict=True)
        if value == value  # a missing cycle is left out, not written as NaN
    )
