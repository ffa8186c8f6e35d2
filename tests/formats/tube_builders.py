"""Small exports of instruments that number their tubes or sites, built in memory: no real curve is in them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

CYCLES = 12


def curve(cq: float, cycles: int = CYCLES, floor: float = 10.0, rise: float = 50.0) -> list[float]:
    """A sigmoid with four decimals."""
    return [round(floor + rise / (1 + math.exp(-(cycle - cq) / 0.8)), 4) for cycle in range(1, cycles + 1)]


def csv_of(rows: Sequence[Sequence[object]], delimiter: str = ",", decimal: str = ".", end: str = "\r\n") -> str:
    """Rows as text; decimal marks of numbers as asked for."""

    def cell(value: object) -> str:
        return str(value).replace(".", decimal) if isinstance(value, float) else str(value)

    return "".join(delimiter.join(map(cell, row)) + end for row in rows)


def by_cycle(curves: Sequence[Sequence[float]]) -> list[list[object]]:
    """One row per cycle: its number, a value of each curve."""
    return [[cycle, *values] for cycle, values in enumerate(zip(*curves, strict=True), 1)]


# --- Mic ---


def mic(curves: Mapping[int, Sequence[float]] | None = None, **form: str) -> str:
    """Curves by number of the tube."""
    held = {tube: curve(4 + tube / 2) for tube in (1, 2, 7, 48)} if curves is None else curves
    return csv_of([["Cycle", *held], *by_cycle(list(held.values()))], **form)


# --- Rotor-Gene ---


def rotorgene(
    names: Sequence[str] = ("S1", "S2", "P1", "water"),
    tubes: Sequence[object] = (1, 2, 10, 72),
    pages: Sequence[Sequence[str]] = (),
    channel: str = "",
    **form: str,
) -> str:
    """An Excel Raw Data Export."""
    curves = [curve(5 + index) for index in range(len(names))]
    above: list[list[object]] = [
        ['"Excel Raw Data Export"'],
        ['"Copyright (c)2013 QIAGEN GmbH"'],
        ['"File"', '"run.rex"'],
    ]
    if channel:
        above.append(['"Channel"', f'"{channel}"'])
    table = [
        ['"ID"', *(f'"{tube}"' for tube in tubes)],
        *([f'"Page {number}"', *(f'"{name}"' for name in page)] for number, page in enumerate((names, *pages), 1)),
        *by_cycle(curves),
    ]
    return csv_of([*above, [""], *table], **({"delimiter": ";", "decimal": ","} | form))


# --- Biomeme ---


def biomeme(titles: Sequence[str] = ("Baseline Subtracted Relative Fluorescence",), **changed: Sequence[str]) -> str:
    """A run of two wells in two channels; rows of the head may be changed by name, blanks as underscores."""
    head: dict[str, Sequence[str]] = {
        "Run Name": ["my run"],
        "Date & Time": ["2021-03-04 10:11"],
        "": [],
        "Well": ["1", "1", "2", "2"],
        "Channel": ["green", "red"] * 2,
        "Target": ["ABL1", "IPC"] * 2,
        "Sample Name": ["P1", "P1", "P2", "P2"],
        "Threshold": ["5.00"] * 4,
        "Cq": ["6.51", "0.00", "7.20", "8.00"],
    }
    head |= {key.replace("_", " "): value for key, value in changed.items()}
    rows: list[Sequence[object]] = [[key, *values] for key, values in head.items()]
    for number, title in enumerate(titles):
        curves = [curve(5 + index, floor=10 * number) for index in range(4)]
        rows += [[], [title], *by_cycle(curves)]
    return "\ufeff" + csv_of(rows)


# --- SmartCycler ---

RESULTS_HEADER = ("Site ID", "Sample ID", "Sample Type", "FAM Ct", "Cy3 Ct")
RESULTS = (
    ("A1", "P1", "UNKN", "6.50", "0.00"),
    ("A2", "water", "NTC", "0.00", "0.00"),
    ("A3", "P2", "UNKN", "7.1", "8.0"),
    ("A3", "S1", "STD", "5.1", "0.00"),
)


def smartcycler(
    sites: Sequence[str] = ("A1", "A2", "A3"), results: Sequence[Sequence[str]] = RESULTS, blocks: int = 1
) -> str:
    """Curves of two channels, each with its second derivative, in one or more instrument blocks."""
    channels = ["FAM", "FAM D2", "Cy3", "Cy3 D2"]
    rows: list[Sequence[object]] = [["Run Summary"], ["Run Name", "my run"], []]
    for block in range(blocks):
        named = [chr(ord(site[0]) + block) + site[1:] for site in sites]
        columns = [(site, channel) for site in named for channel in channels]
        curves = [
            curve(5 + index / 3 + block, floor=-1 if channel.endswith("D2") else 10)
            for index, (_, channel) in enumerate(columns)
        ]
        rows += [
            ["Cycle Data"],
            [f"Instrument {chr(ord('A') + block)}"],
            ["", *(site for site, _ in columns)],
            ["", *(channel for _, channel in columns)],
            ["Cycle #", *[""] * len(columns)],
            *by_cycle(curves),
            [],
        ]
    if results:
        rows += [["Results Table"], RESULTS_HEADER, *results]
    return csv_of(rows)


# --- Chai ---

CHAI_HEADER = (
    "baseline_subtracted_value",
    "background_subtracted_value",
    "fluorescence_value",
    "channel",
    "well_num",
    "cycle_num",
)


def chai_readings(wells: Sequence[int] = (1, 2, 9, 16), cycles: int = CYCLES) -> list[tuple[int, int, int, int]]:
    """Fluorescence, channel, well and cycle of each reading."""
    return [
        (round(value * 10), channel, well, cycle)
        for channel in (1, 2)
        for well in wells
        for cycle, value in enumerate(curve(4 + well / 4 + channel, cycles), 1)
    ]


def chai_csv(readings: Sequence[tuple[int, int, int, int]] | None = None, header: Sequence[str] = CHAI_HEADER) -> str:
    """An amplification.csv."""
    held = chai_readings() if readings is None else readings
    values = [dict(zip(CHAI_HEADER, (value - 100, value - 50, value, *where), strict=True)) for value, *where in held]
    return csv_of([header, *([row[name] for name in header] for row in values)], end="\n")


def chai_json(readings: Sequence[tuple[int, int, int, int]] | None = None, listed: bool = False) -> str:
    """An analysis request; `listed` writes one object per reading."""
    names = ("fluorescence_value", "channel", "well_num", "cycle_num")
    held = chai_readings() if readings is None else readings
    raw: object = {name: [reading[place] for reading in held] for place, name in enumerate(names)}
    if listed:
        raw = [dict(zip(names, reading, strict=True)) for reading in held]
    return json.dumps(
        {"calibration_info": {"water": {"fluorescence_value": [[1, 2], [3, 4]]}}, "experiment_id": 1, "raw_data": raw}
    )


def samples() -> dict[str, dict[str, bytes]]:
    """Every layout that is read, small."""
    return {
        "mic": {"mic.csv": b"\xef\xbb\xbf" + mic().encode()},
        "rotor-gene raw": {"raw.csv": rotorgene().encode()},
        "biomeme": {"two3.csv": biomeme().encode()},
        "smartcycler": {"smart.csv": smartcycler().encode()},
        "chai csv": {"amplification.csv": chai_csv().encode()},
        "chai json": {"request.json": chai_json().encode()},
    }
