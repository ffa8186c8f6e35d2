"""Small exports of Applied Biosystems software: one plate of eight reactions in every layout that it has had."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import exp

from format_builders import Cells, xlsx
from xls_builder import xls

CYCLES = 12
ROX = 20_000.0
STATED: Cells = [
    ["Block Type", "96-Well Block (0.2mL)"],
    ["Calibration Background is expired ", "No"],
    ["Chemistry", "TAQMAN"],
    ["Experiment Run End Time", "2021-03-04 09:09:19 PM EST"],
    ["Instrument Serial Number", "278880031"],
    ["Instrument Type", "QuantStudio(TM) 7 Flex System"],
    ["Passive Reference", "ROX"],
    ["Quantification Cycle Method", "Ct"],
    ["Stage/ Cycle where Analysis is performed", "Stage 2, Step 2"],
]
PLATE: Sequence[tuple[str, str, str, str, str, object, object]] = (
    # well, sample, target, dye, task, quantity, Cq
    ("A1", "S1", "ABL1", "FAM", "STANDARD", 10000.0, 5.25),
    ("A2", "S2", "ABL1", "FAM", "STANDARD", 1000.0, 8.5),
    ("B1", "P1", "ABL1", "FAM", "UNKNOWN", 2345.678, 7.125),
    ("B1", "P1", "BCR::ABL1", "VIC", "UNKNOWN", "", 9.75),
    ("B2", "P2", "ABL1", "FAM", "UNKNOWN", "", 6.5),
    ("B2", "P2", "BCR::ABL1", "VIC", "UNKNOWN", "", "Undetermined"),
    ("H12", "NTC", "ABL1", "FAM", "NTC", "", "Undetermined"),
    ("H12", "NTC", "BCR::ABL1", "VIC", "NTC", "", "Undetermined"),
)
FOOTER: Cells = [
    [],
    ["Analysis Type", "Singleplex"],
    ["Endogenous Control", "ABL1"],
    ["RQ Min/Max Confidence Level", 95.0],
    ["Reference Sample", "P1"],
]


def dye_signal(cq: object, cycle: int, base: float = 12_000.0) -> float:
    """A plausible curve: a sigmoid about three cycles behind its Cq, or a flat line."""
    rise = 0.0 if isinstance(cq, str) else 60_000.0 / (1 + exp(-(cycle - float(cq) - 3) * 0.8))  # type: ignore[arg-type]
    return round(base + 17.0 * cycle + rise, 3)


def number_of(well: str, columns: int = 12) -> int:
    """Number of a well along the rows of a plate."""
    return (ord(well[0]) - ord("A")) * columns + int(well[1:])


def expected_dyes() -> list[list[float]]:
    """The curves of the plate in plate order (well, then target)."""
    return [[dye_signal(cq, cycle) for cycle in range(1, CYCLES + 1)] for *_, cq in PLATE]


def classic(
    cq: str = "CT",
    prefix: str = "Ct",
    delta_rn: str = "Delta Rn",
    *,
    position: bool = True,
    multicomponent: bool = True,
    stated: Cells = STATED,
    empty: bool = True,
    footer: Cells = FOOTER,
    place: Callable[[str], list[object]] = lambda well: [number_of(well), well],
) -> dict[str, Cells]:
    """The sheets of the QuantStudio Flex, ViiA 7, StepOne and 7500 software; `empty` adds a well without anything."""
    where = ["Well", "Well Position"] if position else ["Well"]
    who = ["Sample Name", "Target Name", "Task", "Reporter", "Quencher"]
    blank = [[*place("C3")]] if empty else []
    setup = [[*place(w), s, "RGB(1,2,3)", t, k, d, "NFQ", q] for w, s, t, d, k, q, _ in PLATE]
    results = [
        [*place(w), "false", s, t, k, d, "NFQ", c, q, "true", 0.125, "true", 3, 5 + i, "Amp"]
        for i, (w, s, t, d, k, q, c) in enumerate(PLATE)
    ]
    amplification = [
        [place(w)[0], cycle, t, dye_signal(c, cycle) / ROX, dye_signal(c, cycle) / ROX - 0.6]
        for w, _, t, _, _, _, c in PLATE
        for cycle in range(1, CYCLES + 1)
    ] + [[place("C3")[0], cycle, "", "", ""] for cycle in range(1, CYCLES + 1) if empty]
    wells = list(dict.fromkeys(row[0] for row in PLATE))
    dyes = {
        (well, dye): next((row[6] for row in PLATE if (row[0], row[3]) == (well, dye)), "none")
        for well in wells
        for dye in ("FAM", "VIC")
    }
    component = [
        [*place(well), cycle, dye_signal(dyes[well, "FAM"], cycle), ROX, dye_signal(dyes[well, "VIC"], cycle)]
        for cycle in range(1, CYCLES + 1)
        for well in wells
    ]
    sheets: dict[str, Cells] = {
        "Sample Setup": [[*where, "Sample Name", "Sample Color", *who[1:], "Quantity"], *setup, *blank],
        "Amplification Data": [["Well", "Cycle", "Target Name", "Rn", delta_rn], *amplification],
        "Multicomponent Data": [[*where, "Cycle", "FAM", "ROX", "VIC"], *component],
        "Results": [
            [
                *(*where, "Omit", *who, cq, "Quantity", f"Automatic {prefix} Threshold", f"{prefix} Threshold"),
                *("Automatic Baseline", "Baseline Start", "Baseline End", "Amp Status"),
            ],
            *results,
            *blank,
            *footer,
        ],
    }
    if not multicomponent:
        del sheets["Multicomponent Data"]
    return {name: [*stated, ["", ""], *cells] for name, cells in sheets.items()}


def stepone() -> dict[str, Cells]:
    """The sheets of the StepOne and 7500 software 2: seven rows above, positions as wells, Cт with a Cyrillic т."""
    stated: Cells = [
        ["Block Type", "96fast"],
        ["Chemistry", "TAQMAN"],
        ["Experiment File Name", "C:\\run.eds"],
        ["Experiment Run End Time", "2007-11-10 06:10:59 AM MSK"],
        ["Instrument Type", "sds7500fast"],
        ["Passive Reference", "ROX"],
    ]
    return classic("C\u0442", "Ct", "\u0394Rn", position=False, stated=stated, footer=[], place=lambda well: [well])


def openarray() -> dict[str, Cells]:
    """The sheets of an OpenArray: holes such as D1c1, R instead of Rn, Crt."""
    holes = {"A1": "A1a1", "A2": "A1a2", "B1": "A10b3", "B2": "D1c1", "H12": "D1c2"}
    stated: Cells = [["Block Type", "OpenArray Block"], *STATED[1:6], ["Passive Reference", ""]]
    kept = [row for row in PLATE if row[2] == "ABL1"]
    results = [
        [i, holes[w], "false", s, t, k, d, c, "Amp", 1.4, 0.97, 500.0]
        for i, (w, s, t, d, k, _, c) in enumerate(kept, 1)
    ]
    curves = [
        [i, holes[row[0]], cycle, row[2], dye_signal(row[6], cycle), dye_signal(row[6], cycle) - 12_000]
        for i, row in enumerate(kept, 1)
        for cycle in range(1, CYCLES + 1)
    ]
    who = ["Well", "Well Position", "Omit", "Sample Name", "Target Name", "Task", "Reporter"]
    sheets: dict[str, Cells] = {
        "Amplification Data": [["Well", "Well Position", "Cycle", "Target Name", "R", "Delta R"], *curves],
        "Results": [[*who, "Crt", "Amp Status", "Amp Score", "Cq Conf", "ROX Signal"], *results],
    }
    return {name: [*stated, ["", ""], *cells] for name, cells in sheets.items()}


def da2_plate() -> dict[str, Cells]:
    """The sheets of Design & Analysis 2."""
    stated: Cells = [
        ["Instrument Type", "QuantStudio™ 5 System"],
        ["Block Type", "96-Well 0.2-mL Block"],
        ["Run Start Date/Time", "2021-03-04 12:04:59 AM EDT"],
        ["Passive Reference", "ROX"],
        ["PCR Stage/Step Number", "Stage 2 Step 2"],
        ["Software Name and Version", "Design & Analysis Software v2.7.0"],
        ["", ""],
    ]
    old = classic(empty=False, footer=[], stated=[])
    component = [[*row[:2], 2, 2, *row[2:]] for row in old["Multicomponent Data"][2:]]
    amplification = old["Amplification Data"][2:]
    results = [
        [number_of(w), w, "FALSE", s, t, k, d, "Amp", c, 0.125, 3, 5 + i]
        for i, (w, s, t, d, k, _, c) in enumerate(PLATE)
    ]
    who = ["Omit", "Sample", "Target", "Task", "Reporter", "Amp Status", "Cq"]
    quantities = [[number_of(w), w, s, q or "-", t, k] for w, s, t, _, k, q, _ in PLATE]
    sheets: dict[str, Cells] = {
        "Results": [["Well", "Well Position", *who, "Threshold", "Baseline Start", "Baseline End"], *results],
        "Amplification Data": [["Well", "Cycle Number", "Target", "Rn", "dRn"], *amplification],
        "Multicomponent": [
            ["Well", "Well Position", "Stage Number", "Step Number", "Cycle Number", "FAM", "ROX", "VIC"],
            *component,
        ],
        "Standard Curve Result": [["Well", "Well Position", "Sample", "Quantity", "Target", "Task"], *quantities],
    }
    return {name: [*stated, *cells] for name, cells in sheets.items()}


def sectioned(
    sheets: Mapping[str, Cells], *, decimal: str = ".", delimiter: str = "\t", ends: str = "\n", tail: str = ""
) -> str:
    """Classic sheets as one text of sections; numbers with three decimals and parted thousands."""
    first = next(iter(sheets.values()))
    above = next(number for number, row in enumerate(first) if row and row[0] == "Well")
    lines = [f"* {row[0]} = {row[1]}" for row in first[:above] if row[0]]
    for name, cells in sheets.items():
        start = next(number for number, row in enumerate(cells) if row and row[0] == "Well")
        lines += ["", f"[{name}]"]
        lines += [delimiter.join(_spelled(cell, decimal) for cell in row) + tail for row in cells[start:]]
    return ends.join([*lines, ""])


def _spelled(cell: object, decimal: str) -> str:
    if isinstance(cell, float):
        text = f"{cell:,.3f}"
        return text if decimal == "." else text.translate(str.maketrans(",.", ".,"))
    return f'"{cell}"' if isinstance(cell, str) and cell.startswith("RGB") else str(cell)


def flex_text(**options: str) -> str:
    """The text of the QuantStudio Flex software."""
    return sectioned(classic(), **options)  # type: ignore[arg-type]


def samples() -> dict[str, dict[str, bytes]]:
    """Every layout that is read, by name: the name and bytes of its file."""
    return {
        "Design & Analysis 2 xlsx": {"run.xlsx": xlsx(da2_plate())},
        "Design & Analysis 1 xlsx": {"run.xlsx": xlsx(classic(multicomponent=False))},
        "Flex xlsx, relative threshold": {"run.xlsx": xlsx(classic("CRT", "Crt"))},
        "Flex xls": {"run.xls": xls(classic())},
        "StepOne and 7500 xls": {"run.xls": xls(stepone())},
        "OpenArray xlsx": {"run.xlsx": xlsx(openarray())},
        "Flex txt": {"run.txt": flex_text().encode()},
        "Flex txt, decimal comma": {"run.txt": flex_text(decimal=",", ends="\r\n").encode("utf-16")},
        "StepOne txt": {"run.txt": sectioned(stepone()).encode()},
    }
