"""Files to look into and convert: simulated plates, written as RDML, and hostile names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bcrabl.formats import write_rdml
from bcrabl.run import Run
from bcrabl.simulation import Sample, sample_plate, simulate_run
from bcrabl.tables import REACTIONS

SAMPLES = (Sample("patient-1", 120.0, 40_000.0), Sample("patient-2", 0.0, 35_000.0), Sample("HIGH", 5e3, 4e4, "pos"))
CYCLES = 45
ROWS = 2 * (6 + 4 + 2 + 2 * len(SAMPLES))
"""Reactions: replicates of both series, the blank in both targets, and each sample in both."""

EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe\r\n"
"""Clears the screen, renames the window, colours, and turns the reading direction around."""


def simulated(seed: int = 3) -> Run:
    """A plate of standards, blanks, two patients and a positive control in duplicate."""
    return simulate_run(sample_plate(SAMPLES), seed=seed, cycles=CYCLES, run_date="2026-02-03")


def plate(folder: Path, name: str = "plate.rdml") -> Path:
    """The simulated plate as a file."""
    write_rdml(simulated(), folder / name)
    return folder / name


def run_of(*reactions: dict[str, object], **options: object) -> Run:
    """A run of these reactions with curves of twelve cycles; what a reaction leaves out is usual."""
    plain = {"target": "ABL1", "dye": "FAM", "role": "unkn", "sample_id": "s", "vendor_omitted": False}
    signal = np.array([np.linspace(1.0, 2.0 + index, 12) for index in range(len(reactions))])
    table = REACTIONS.from_rows(plain | {"well": f"A{number}"} | one for number, one in enumerate(reactions, 1))
    fields: dict[str, object] = {"passive_reference": None, "stage": "raw", "metadata": {}} | options
    return Run(reactions=table, cycles=np.arange(1.0, 13.0), fluorescence=signal, **fields)


def hostile_rdml() -> str:
    """A document that XML allows, with names that a terminal must not see."""
    name = "&#x9b;31m&#x202e;gnp.exe&#10;next line"
    long = "L" * 50_000
    points = "".join(f"<adp><cyc>{cycle}</cyc><fluor>{cycle / 7}</fluor></adp>" for cycle in range(1, 13))
    return (
        f'<rdml xmlns="http://www.rdml.org" version="1.3"><dye id="{name}"/>'
        f'<sample id="{name}"><type>unkn</type></sample>'
        f'<target id="{name}"><type>toi</type><dyeId id="{name}"/></target>'
        f'<target id="{long}"><type>toi</type><dyeId id="{name}"/></target>'
        f'<experiment id="e"><run id="{name}"><instrument>{name}</instrument>'
        f"<pcrFormat><rows>8</rows><columns>12</columns><rowLabel>ABC</rowLabel><columnLabel>123</columnLabel></pcrFormat>"
        f'<react id="1"><sample id="{name}"/><data><tar id="{name}"/>{points}</data>'
        f'<data><tar id="{long}"/>{points}</data></react></run></experiment></rdml>'
    )


def assert_harmless(text: str) -> None:
    """No sign that a terminal obeys, and no line that floods it."""
    strange = {sign for line in text.splitlines() for sign in line if not sign.isprintable()}
    assert not strange
    assert text.replace("\n", "").isprintable()
