"""Small RDES tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

CYCLES = tuple(range(1, 13))
HEADER = ("Well", "Sample", "Sample Type", "Target", "Target Type", "Dye")
REACTIONS = (
    ("A1", "STD-1000", "std", "ABL1", "ref", "FAM"),
    ("A1", "STD-1000", "std", "BCR::ABL1", "toi", "HEX"),
    ("A02", "S7", "unkn", "ABL1", "ref", "FAM"),
    ("B1", "water", "ntc", "ABL1", "ref", "FAM"),
)
CQS = ("5.25", "-1.0", "7.5", "")


def signal(reaction: int, cycle: int) -> float:
    return round(0.5 + 2.0 / (1.0 + math.exp(5.0 + 1.5 * reaction - cycle)), 4)


def rows(
    cqs: Sequence[str] | None = CQS, cycles: Sequence[int] = CYCLES, decimal: str = ".", named: str = "Cq"
) -> list[list[str]]:
    """Header and one row per reaction; without `cqs` as older files have it."""
    extra = [] if cqs is None else [named]
    body = [
        [
            *reaction,
            *([] if cqs is None else [cqs[place].replace(".", decimal)]),
            *(str(signal(place, cycle)).replace(".", decimal) for cycle in cycles),
        ]
        for place, reaction in enumerate(REACTIONS)
    ]
    return [[*HEADER, *extra, *map(str, cycles)], *body]


def text(table: Sequence[Sequence[str]], end: str = "\n") -> bytes:
    return "".join("\t".join(row) + end for row in table).encode()


def samples() -> dict[str, dict[str, bytes]]:
    """With and without the column Cq."""
    return {"with Cq": {"run.tsv": text(rows())}, "without Cq": {"run.tsv": text(rows(cqs=None))}}
