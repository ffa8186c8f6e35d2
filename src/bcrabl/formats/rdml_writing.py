"""A run as an RDML 1.3 file: for simulated plates and for exchange. The same run gives the same bytes.

RDML has no place for some of what a `Run` holds: the vendor's baseline window and quantities of other reactions than
standards are not written. The passive reference goes in as a target of its own, as instruments do it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bcrabl.errors import Problem, RunError
from bcrabl.formats.rdml_annotation import PASSIVE_DYES, ROLE_OF_TYPE
from bcrabl.formats.wells import normal_well, plate_for, position_on_plate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["write_rdml"]

_TYPE_OF_ROLE = {role: rdml_type for rdml_type, role in ROLE_OF_TYPE.items()} | {"calibrator": "unkn"}
_BACKGROUND_OF_STAGE = {
    "raw": "raw signal of the dye",
    "normalised": "normalised to the passive reference (Rn)",
    "baseline_subtracted": "baseline subtracted",
}
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
_NAMES = ("part", "target", "dye", "sample_id")
_ONLY_RUN = "run"


@dataclass(frozen=True)
class _Reaction:
    """One row of the run's reactions with its curve, (m,) arrays."""

    row: dict[str, Any]
    fluorescence: NDArray[np.float64]
    passive_reference: NDArray[np.float64] | None

    @property
    def place(self) -> tuple[str | None, str]:
        """Part and well."""
        return self.row["part"], self.row["well"]


def write_rdml(run: Run, path: str | Path) -> None:
    """Write a run as RDML 1.3, whole or not at all.

    Parameters
    ----------
    run : every reaction needs a target, a dye and a sample; known copies belong to standards.
    path : the file to write.

    Raises
    ------
    RunError : RDML cannot hold the run, for instance two samples in one well or a control character in a name.

    Notes
    -----
    Reading the file gives the same reactions, curves, roles, copies, Cq, thresholds and omissions, and the metadata
    `instrument`, `software`, `run_date` and `passive_reference`; a single part comes back without its name.
    """
    from bcrabl.whole_files import replacing

    rows = run.reactions.to_pylist()
    passive = run.passive_reference
    reactions = [
        _Reaction(row, run.fluorescence[index], None if passive is None else passive[index])
        for index, row in enumerate(rows)
    ]
    passive_dye = _passive_dye(run)
    problems = [*_problems_of_rows(reactions), *_problems_of_run(run, reactions, passive_dye)]
    if problems:
        raise RunError(problems)
    document = _document(run, reactions, passive_dye)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        member = zipfile.ZipInfo("rdml_data.xml", date_time=(1980, 1, 1, 0, 0, 0))
        member.create_system = 3  # else the operating system's number is written
        archive.writestr(member, document.encode("utf-8"), zipfile.ZIP_DEFLATED, 6)


def _passive_dye(run: Run) -> str | None:
    if run.passive_reference is None:
        return None
    named = str(run.metadata.get("passive_reference") or "")
    return named if named.upper() in PASSIVE_DYES else PASSIVE_DYES[0]


def _problems_of_rows(reactions: Iterable[_Reaction]) -> Iterable[Problem]:
    """What RDML cannot hold of single reactions."""
    for reaction in reactions:
        row = reaction.row
        where = f"well {row['well']}, target {row['target']!r}"
        if row["well"] is None or normal_well(row["well"]) != row["well"]:
            yield Problem(where, f"well {row['well']!r}", "a row letter and a column number such as A1")
        for name in _NAMES:
            if not row[name] and name != "part":
                yield Problem(where, f"no {name}", "one: RDML needs it for every reaction")
            elif row[name] and _ILLEGAL.search(row[name]):
                yield Problem(where, f"{name} {row[name]!r}", "a name without control characters")
        if row["role"] not in _TYPE_OF_ROLE:
            yield Problem(where, f"role {row['role']!r}", f"one of {', '.join(_TYPE_OF_ROLE)}")
        copies = row["known_copies"]
        if copies is not None and not (row["role"] == "std" and 0 < copies < np.inf):
            yield Problem(where, f"{copies:g} known copies, role {row['role']}", "copies above 0, of standards only")


def _problems_of_run(run: Run, reactions: Sequence[_Reaction], passive_dye: str | None) -> Iterable[Problem]:
    """What RDML cannot hold of reactions together."""
    yield from _differing("sample in one well", ((r.place, r.row["sample_id"]) for r in reactions))
    yield from _differing("dye of one target", ((r.row["target"], r.row["dye"]) for r in reactions))
    yield from _differing(
        "role and known copies of one sample and target",
        (((r.row["sample_id"], r.row["target"]), (r.row["role"], r.row["known_copies"])) for r in reactions),
    )
    yield from _differing(
        "use of one sample as a calibrator and not",
        ((r.row["sample_id"], r.row["role"] == "calibrator") for r in reactions),
    )
    parts = {r.row["part"] for r in reactions}
    if len(parts) > 1 and None in parts:
        yield Problem("run", "parts with and without a name", "a name for each part")
    if len({(*r.place, r.row["target"]) for r in reactions}) < len(reactions):
        yield Problem("run", "a target twice in one well", "one curve of each target in a well")
    if np.isinf(run.fluorescence).any() or np.isnan(run.fluorescence).all(axis=1).any():
        yield Problem("run", "a curve of infinite or of no values", "finite values")
    yield from _problems_of_passive(run, reactions, passive_dye)
    yield from _problems_of_metadata(run)


def _differing(what: str, pairs: Iterable[tuple[object, object]]) -> Iterable[Problem]:
    """A problem for each key that comes with more than one value."""
    values: dict[object, object] = {}
    for key, value in pairs:
        if values.setdefault(key, value) != value:
            yield Problem(f"run, {key}", f"more than one {what}: {values[key]} and {value}", "one")


def _problems_of_passive(run: Run, reactions: Sequence[_Reaction], passive_dye: str | None) -> Iterable[Problem]:
    if run.passive_reference is None:
        return
    if any(r.row["target"] == passive_dye for r in reactions):
        yield Problem("run", f"a target named {passive_dye} beside the passive reference", "another name")
    if np.isinf(run.passive_reference).any() or np.isnan(run.passive_reference).all(axis=1).any():
        yield Problem("run", "a passive reference of infinite or of no values", "finite values in every well")
    first: dict[object, NDArray[np.float64]] = {}
    for reaction in reactions:
        own = reaction.passive_reference
        if own is not None and not np.array_equal(first.setdefault(reaction.place, own), own, equal_nan=True):
            yield Problem(f"well {reaction.row['well']}", "passive references that differ between targets", "one")


def _problems_of_metadata(run: Run) -> Iterable[Problem]:
    for name in ("instrument", "software"):
        if _ILLEGAL.search(str(run.metadata.get(name) or "")):
            yield Problem(f"metadata {name}", repr(run.metadata[name]), "a text without control characters")
    day = run.metadata.get("run_date")
    try:
        date.fromisoformat(str(day or "2000-01-01"))
    except ValueError:
        yield Problem("metadata run_date", repr(day), "a date as YYYY-MM-DD")


def _document(run: Run, reactions: Sequence[_Reaction], passive_dye: str | None) -> str:
    """The whole XML document, in the order the schema asks for."""
    day = run.metadata.get("run_date")
    dyes = {r.row["dye"] for r in reactions} | ({passive_dye} if passive_dye else set())
    parts = sorted({r.row["part"] or "" for r in reactions})
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<rdml xmlns="http://www.rdml.org" version="1.3">',
        *([f"<dateMade>{day}T00:00:00</dateMade>"] if day else []),
        *(f"<dye id={_quoted(dye)}/>" for dye in sorted(dyes)),
        *_samples(reactions),
        *_targets(reactions, passive_dye),
        '<experiment id="experiment">',
        *(
            line
            for part in parts
            for line in _run(run, [r for r in reactions if (r.row["part"] or "") == part], passive_dye)
        ),
        "</experiment>",
        "</rdml>",
        "",
    ]
    return "\n".join(lines)


def _samples(reactions: Sequence[_Reaction]) -> Iterable[str]:
    """Each sample with type and quantity, once where all its targets agree, else per target."""
    by_sample: dict[str, dict[str, _Reaction]] = {}
    for reaction in reactions:
        by_sample.setdefault(reaction.row["sample_id"], {})[reaction.row["target"]] = reaction
    for sample_id, by_target in sorted(by_sample.items()):
        rows = {target: reaction.row for target, reaction in sorted(by_target.items())}
        types = {target: _TYPE_OF_ROLE[row["role"]] for target, row in rows.items()}
        copies = {target: row["known_copies"] for target, row in rows.items()}
        yield f"<sample id={_quoted(sample_id)}>"
        yield from (f"<type{which}>{value}</type>" for which, value in _by_target(types))
        if any(row["role"] == "calibrator" for row in rows.values()):
            yield "<interRunCalibrator>true</interRunCalibrator>"
        for which, value in _by_target(copies):
            if value is not None:
                yield f"<quantity{which}><value>{value!r}</value><unit>cop</unit></quantity>"
        yield "</sample>"


def _by_target(values: dict[str, Any]) -> list[tuple[str, Any]]:
    """Attribute and value: without attribute where all targets share the value."""
    if len(set(values.values())) == 1:
        return [("", next(iter(values.values())))]
    return [(f" targetId={_quoted(target)}", value) for target, value in values.items()]


def _targets(reactions: Sequence[_Reaction], passive_dye: str | None) -> Iterable[str]:
    dyes = {r.row["target"]: r.row["dye"] for r in reactions}
    for target, dye in sorted(dyes.items()):
        yield f"<target id={_quoted(target)}><type>toi</type><dyeId id={_quoted(dye)}/></target>"
    if passive_dye:
        name = _quoted(passive_dye)
        yield f"<target id={name}><type>ref</type><dyeId id={name}/></target>"


def _run(run: Run, reactions: Sequence[_Reaction], passive_dye: str | None) -> Iterable[str]:
    """One run (part) with its reactions along the rows of the plate."""
    rows, columns = plate_for(r.row["well"] for r in reactions)
    yield f"<run id={_quoted(reactions[0].row['part'] or _ONLY_RUN)}>"
    if run.metadata.get("instrument"):
        yield f"<instrument>{_escaped(str(run.metadata['instrument']))}</instrument>"
    if run.metadata.get("software"):
        name = _escaped(str(run.metadata["software"]))
        yield f"<dataCollectionSoftware><name>{name}</name><version></version></dataCollectionSoftware>"
    yield f"<backgroundDeterminationMethod>{_BACKGROUND_OF_STAGE[run.stage]}</backgroundDeterminationMethod>"
    yield f"<pcrFormat><rows>{rows}</rows><columns>{columns}</columns>"
    yield "<rowLabel>ABC</rowLabel><columnLabel>123</columnLabel></pcrFormat>"
    if run.metadata.get("run_date"):
        yield f"<runDate>{run.metadata['run_date']}T00:00:00</runDate>"
    by_position: dict[int, list[_Reaction]] = {}
    for reaction in sorted(reactions, key=lambda r: str(r.row["target"])):
        by_position.setdefault(position_on_plate(reaction.row["well"], columns), []).append(reaction)
    cycles = [str(int(cycle)) for cycle in run.cycles]
    for position, together in sorted(by_position.items()):
        yield f'<react id="{position}"><sample id={_quoted(together[0].row["sample_id"])}/>'
        yield from (_data(reaction, cycles) for reaction in together)
        if passive_dye and together[0].passive_reference is not None:
            points = _points(cycles, together[0].passive_reference)
            yield f"<data><tar id={_quoted(passive_dye)}/>{points}</data>"
        yield "</react>"
    yield "</run>"


def _data(reaction: _Reaction, cycles: Sequence[str]) -> str:
    row = reaction.row
    cq = row["vendor_cq"]
    if cq is None and row["vendor_cq_text"]:
        cq = -1.0  # RDML's way to say that none was found
    return "".join(
        [
            f"<data><tar id={_quoted(row['target'])}/>",
            "" if cq is None else f"<cq>{cq!r}</cq>",
            "<excl>omitted</excl>" if row["vendor_omitted"] else "",
            _points(cycles, reaction.fluorescence),
            "" if row["vendor_threshold"] is None else f"<quantFluor>{row['vendor_threshold']!r}</quantFluor>",
            "</data>",
        ]
    )


def _points(cycles: Sequence[str], signal: NDArray[np.float64]) -> str:
    return "".join(
        f"<adp><cyc>{cycle}</cyc><fluor>{value!r}</fluor></adp>"
        for cycle, value in zip(cycles, signal.tolist(), strict=True)
        if value == value  # a missing cycle is left out, not written as NaN
    )


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'
