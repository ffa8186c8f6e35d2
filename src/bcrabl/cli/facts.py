"""What `bcrabl inspect` tells of a run, as plain values: the keys of its JSON document.

file, read            the path as given; true, or false for a refused file (then `error` and `problems` follow)
format … sha256       as the file states them, null where it does not; run_date as YYYY-MM-DD
stage                 raw, normalised or baseline_subtracted
passive_reference     whether the signal of a passive reference dye is there; passive_reference_dye: its name
parts                 list of {part, wells, reactions, cycles}; part is null where the file holds one run
wells, samples, reactions, first_cycle, last_cycle, cycles
roles                 reactions by role, in RDML's words
vendor_cq             reactions whose Cq is {reported, none, not_stated}: a number, said to be none, not mentioned
omitted               reactions that the export marks as omitted
missing_readings      cycles without a reading or its passive reference, among those its part was measured in
targets               list of {target, dyes, reactions, roles, standards, vendor_cq, thresholds, omitted,
                      missing_readings}; standards: list of {known_copies, quantity, unit, replicates}
warnings              sentences
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bcrabl.run import Run

__all__ = ["facts_of", "facts_of_formats"]

Facts = dict[str, Any]

_STATED = (
    *("format", "vendor", "instrument", "instrument_serial_number", "block", "software", "run_date"),
    *("cq_detection_method", "sha256"),
)


def facts_of(path: str, run: Run) -> Facts:
    """What a run holds; see the head of this module for the keys."""
    rows = run.reactions.to_pylist()
    gaps = _missing_readings(run, [row["part"] for row in rows])
    present = run.cycles[np.isfinite(run.fluorescence).any(axis=0)]
    return {
        "file": path,
        "read": True,
        **{name: _stated(run.metadata.get(name)) for name in _STATED},
        "stage": run.stage,
        "passive_reference": run.passive_reference is not None,
        "passive_reference_dye": _stated(run.metadata.get("passive_reference")),
        "parts": _parts(run, rows),
        "wells": len({(row["part"], row["well"]) for row in rows}),
        "samples": len({row["sample_id"] for row in rows} - {None}),
        "reactions": len(rows),
        "cycles": len(present),
        "first_cycle": int(present[0]) if present.size else None,
        "last_cycle": int(present[-1]) if present.size else None,
        "roles": _roles(rows),
        "vendor_cq": _vendor_cq(rows),
        "omitted": _omitted(rows),
        "missing_readings": int(gaps.sum()),
        "targets": [_target(name, rows, gaps) for name in sorted({row["target"] for row in rows})],
        "warnings": list(run.warnings),
    }


def _stated(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _missing_readings(run: Run, parts: Sequence[str | None]) -> NDArray[np.int64]:
    """(n,) readings, or passive references of them, that each curve lacks among the cycles any of its part has."""
    missing = np.zeros(len(parts), dtype=np.int64)
    for part in dict.fromkeys(parts):
        rows = np.flatnonzero([other == part for other in parts])
        measured = np.isfinite(run.fluorescence[rows]).any(axis=0).sum()
        missing[rows] = measured - np.isfinite(run.signal[rows]).sum(axis=1)
    return missing


def _parts(run: Run, rows: Sequence[Facts]) -> list[Facts]:
    by_part: dict[str | None, list[int]] = {}
    for index, row in enumerate(rows):
        by_part.setdefault(row["part"], []).append(index)
    return [
        {
            "part": part,
            "wells": len({rows[index]["well"] for index in members}),
            "reactions": len(members),
            "cycles": int(np.isfinite(run.fluorescence[members]).any(axis=0).sum()),
        }
        for part, members in by_part.items()
    ]


def _roles(rows: Iterable[Facts]) -> dict[str, int]:
    from bcrabl.run import ROLES

    counts = Counter(row["role"] for row in rows)
    return {role: counts[role] for role in ROLES if counts[role]}


def _vendor_cq(rows: Iterable[Facts]) -> dict[str, int]:
    counts = Counter(
        "reported" if row["vendor_cq"] is not None else "none" if row["vendor_cq_text"] else "not_stated"
        for row in rows
    )
    return {name: counts[name] for name in ("reported", "none", "not_stated")}


def _omitted(rows: Iterable[Facts]) -> int:
    return sum(bool(row["vendor_omitted"]) for row in rows)


def _target(name: str, rows: Sequence[Facts], gaps: NDArray[np.int64]) -> Facts:
    members = [index for index, row in enumerate(rows) if row["target"] == name]
    own = [rows[index] for index in members]
    return {
        "target": name,
        "dyes": sorted({row["dye"] for row in own} - {None}),
        "reactions": len(own),
        "roles": _roles(own),
        "standards": _standards(own),
        "vendor_cq": _vendor_cq(own),
        "thresholds": sorted({row["vendor_threshold"] for row in own if _is_number(row["vendor_threshold"])}),
        "omitted": _omitted(own),
        "missing_readings": int(gaps[members].sum()),
    }


def _is_number(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _standards(rows: Iterable[Facts]) -> list[Facts]:
    """The levels of a standard series from high to low; its quantity stands where copies are not known."""
    levels = Counter(_level(row) for row in rows if row["role"] == "std")
    return [
        {"known_copies": copies, "quantity": quantity, "unit": unit, "replicates": count}
        for (copies, quantity, unit), count in sorted(
            levels.items(), key=lambda item: (-(item[0][0] or 0.0), -(item[0][1] or 0.0), item[0][2] or "")
        )
    ]


def _level(row: Facts) -> tuple[float | None, float | None, str | None]:
    if _is_number(row["known_copies"]):
        return row["known_copies"], None, None
    quantity = row["vendor_quantity"] if _is_number(row["vendor_quantity"]) else None
    return None, quantity, None if quantity is None else row["vendor_quantity_unit"]


def facts_of_formats() -> Facts:
    """`read`: list of {name, export, reservation}; `refused`: list of {found, remedy}."""
    from bcrabl.formats.refusals import REFUSALS
    from bcrabl.formats.registry import FORMATS

    return {
        "read": [{"name": one.name, "export": one.export, "reservation": one.reservation} for one in FORMATS],
        "refused": [{"found": one.found, "remedy": one.remedy} for one in REFUSALS],
    }
