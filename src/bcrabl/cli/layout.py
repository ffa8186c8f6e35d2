"""What `bcrabl inspect` tells, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bcrabl.cli.terminal import WIDTH, clipped, counted, paragraph

__all__ = ["text_of_facts", "text_of_formats"]

_LABEL = 14  # columns of "  instrument   "
_LONGEST_NAME = 40
_MOST_LISTED = 100  # parts, targets or levels; JSON has them all
_STAGES = {
    "raw": "signal of the dye",
    "normalised": "signal of the dye divided by the passive reference (Rn)",
    "baseline_subtracted": "rise above the baseline (ΔRn, RFU)",
}


def text_of_facts(facts: Mapping[str, Any]) -> list[str]:
    """The lines of one run."""
    cq = facts["vendor_cq"]
    return [
        *paragraph(clipped(facts["file"], 1000), ""),
        *_labelled("format", facts["format"]),
        *_labelled("instrument", *(facts[name] for name in ("vendor", "instrument", "block"))),
        *_labelled("serial number", facts["instrument_serial_number"]),
        *_labelled("software", facts["software"]),
        *_labelled("run date", facts["run_date"] or "not stated"),
        *_labelled("signal", _signal(facts)),
        *_labelled("plate", _plate(facts)),
        *_parts(facts["parts"]),
        *_labelled("roles", ", ".join(f"{count} {role}" for role, count in facts["roles"].items())),
        *_labelled("vendor Cq", f"{cq['reported']} reported, {cq['none']} none, {cq['not_stated']} not stated"),
        *_labelled("Cq method", facts["cq_detection_method"]),
        *_labelled("left out", f"{facts['omitted']} omitted, {facts['missing_readings']} missing readings"),
        *_labelled("sha256", facts["sha256"]),
        "",
        *_targets(facts),
        *_standards(facts["targets"]),
        *_warnings(facts["warnings"]),
    ]


def _labelled(label: str, *values: str | None) -> list[str]:
    """A labelled line of what is known; none where nothing is."""
    text = "; ".join(dict.fromkeys(clipped(value, 500) for value in values if value))
    return paragraph(text, " " * (_LABEL + 2), f"  {label:<{_LABEL}}") if text else []


def _signal(facts: Mapping[str, Any]) -> str:
    beside = f", passive reference {facts['passive_reference_dye'] or 'dye'} beside it"
    return f"{facts['stage']}: {_STAGES[facts['stage']]}{beside if facts['passive_reference'] else ''}"


def _plate(facts: Mapping[str, Any]) -> str:
    return (
        f"{counted(facts['wells'], 'well')}, {counted(len(facts['targets']), 'target')}, "
        f"{counted(facts['cycles'], 'cycle')} ({facts['first_cycle']}–{facts['last_cycle']}); "
        f"{counted(facts['reactions'], 'curve')} of {counted(facts['samples'], 'sample')}"
    )


def _parts(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    if len(parts) == 1 and parts[0]["part"] is None:
        return []
    words = [
        f"{clipped(part['part'], _LONGEST_NAME)} ({counted(part['wells'], 'well')}, {counted(part['cycles'], 'cycle')})"
        for part in parts[:_MOST_LISTED]
    ]
    return paragraph("; ".join(_with_rest(words, len(parts))), " " * (_LABEL + 2), f"  {'parts':<{_LABEL}}")


def _with_rest(shown: list[str], count: int) -> list[str]:
    return [*shown, f"… and {count - _MOST_LISTED} more (--json lists all)"] if count > _MOST_LISTED else shown


def _targets(facts: Mapping[str, Any]) -> list[str]:
    """A table, one line for each target."""
    roles = list(facts["roles"])
    header = ["target", "dye", "curves", *roles, "Cq", "no Cq", "unsaid", "omitted", "missing"]
    rows = [_target_row(target, roles) for target in facts["targets"][:_MOST_LISTED]]
    lines = _table(header, rows)
    return ["  " + line for line in _with_rest(lines, len(facts["targets"]))]


def _target_row(target: Mapping[str, Any], roles: Iterable[str]) -> list[str]:
    cq = target["vendor_cq"]
    counts = [
        target["reactions"],
        *(target["roles"].get(role, 0) for role in roles),
        *(cq["reported"], cq["none"], cq["not_stated"], target["omitted"], target["missing_readings"]),
    ]
    return [str(target["target"]), ", ".join(target["dyes"]) or "-", *(str(count) for count in counts)]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Names to the left, counts to the right; names are cut to what the line leaves them."""
    counts = [max(len(row[column]) for row in (header, *rows)) for column in range(2, len(header))]
    for_names = WIDTH - 2 - sum(counts) - 2 * len(counts) - 2
    widths = [min(for_names * 2 // 3, _LONGEST_NAME), min(for_names // 3, 20)]
    cut = [[clipped(cell, max(width, 8)) for cell, width in zip(row, widths, strict=False)] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cut) for column in range(2)]
    return [
        "  ".join(
            [f"{name:<{width}}" for name, width in zip(names, widths, strict=True)]
            + [f"{cell:>{width}}" for cell, width in zip(row[2:], counts, strict=True)]
        )
        for names, row in zip(cut, (header, *rows), strict=True)
    ]


def _standards(targets: Sequence[Mapping[str, Any]]) -> list[str]:
    """The dilution series of each target that has one."""
    lines = []
    for target in [target for target in targets if target["standards"]][:_MOST_LISTED]:
        levels = [_level(level) for level in target["standards"]]
        name = clipped(target["target"], _LONGEST_NAME)
        words = ", ".join(_with_rest(levels[:_MOST_LISTED], len(levels)))
        lines += paragraph(f"{name} (copies × replicates): {words}", "    ", "  standards of ")
    return ["", *lines] if lines else []


def _level(level: Mapping[str, Any]) -> str:
    times = f" × {level['replicates']}"
    if level["known_copies"] is not None:
        return f"{_number(level['known_copies'])}{times}"
    if level["quantity"] is not None:
        return f"{_number(level['quantity'])} {clipped(level['unit'] or 'of no unit', 20)}{times}"
    return f"no quantity{times}"


def _number(value: float) -> str:
    """Digits as people write them: 1000000, 0.04, 1.2e+15."""
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e12 else f"{value:.6g}"


def _warnings(warnings: Sequence[str]) -> list[str]:
    if not warnings:
        return []
    lines = [line for text in warnings[:_MOST_LISTED] for line in paragraph(clipped(text, 2000), "    ", "  - ")]
    return ["", "  read with reservations:", *lines]


def text_of_formats(listed: Mapping[str, Sequence[Mapping[str, str]]]) -> list[str]:
    """The lines of what is read and what is refused."""
    lines = [f"{len(listed['read'])} formats are read; the content of a file decides, not its name.", ""]
    for one in listed["read"]:
        lines += paragraph(one["name"], "    ", "  ")
        lines += paragraph(one["export"], "      ")
        lines += paragraph(one["reservation"], "      ") if one["reservation"] else []
    if listed["refused"]:
        lines += ["", "Recognised, but refused because their curves cannot be read:", ""]
    for refused in listed["refused"]:
        lines += paragraph(refused["found"], "    ", "  ")
        lines += paragraph(refused["remedy"], "      ")
    return lines
