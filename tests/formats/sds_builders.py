"""Small exports of SDS 2 (7900HT, text) and of the 7500 software 1 (xls), built in memory."""

from __future__ import annotations

from collections.abc import Sequence

from xls_builder import xls

CYCLES = 12
DETECTORS = (("1", "ABL1"), ("1", "BCR::ABL1"), ("2", "ABL1"), ("13", "ABL1"))
RESULT_HEADER = (
    *("Well", "Sample", "Detector", "Reporter", "Task", "Ct", "Quantity", "Ct Median"),
    *("Threshold", "Baseline Start", "Baseline Stop", "Omit"),
)
RESULTS: tuple[tuple[object, ...], ...] = (
    ("1", "S1", "ABL1", "FAM", "Standard", 7.25, 1000, "", 0.2, 3, 6, 0),
    ("1", "S1", "BCR::ABL1", "VIC", "Standard", 8.5, 100, "", 0.2, 3, 6, 0),
    ("2", "P1", "ABL1", "FAM", "Unknown", "12.0", 55.5, "", 0.2, 3, 6, 0),
    ("13", "", "ABL1", "FAM", "NTC", "Undetermined", "", "", 0.2, 3, 6, 1),
)


def rn(number: int, cycle: int) -> float:
    """Rn of the curve of a number."""
    return 1.0 + 0.125 * number + 2.0 ** (cycle - 8)


def clipped(
    rows: Sequence[tuple[str, str]] = DETECTORS,
    end: str = "\r\n",
    *,
    labelled: bool = True,
    kinds: Sequence[str] = ("Rn", "Delta Rn"),
    comma: bool = False,
) -> bytes:
    """The export of curves; `labelled` says whether rows have a cell under each label."""
    cycles = [str(cycle) for cycle in range(1, CYCLES + 1)]
    header = ["Well Nb", "Reporter"] + [cell for kind in kinds for cell in (kind, *cycles)]
    lines = [["SDS 2.4", "Clipped", "1.0"], header]
    for number, (well, detector) in enumerate(rows):
        line = [well, detector]
        for kind in kinds:
            values = [rn(number, cycle) - (1.0 if kind != "Rn" else 0.0) for cycle in range(1, CYCLES + 1)]
            line += [""] * labelled + [repr(value).replace(".", "," if comma else ".") for value in values]
        lines.append(line)
    return "".join("\t".join(line) + end for line in lines).encode()


def aq_results(rows: Sequence[Sequence[object]] = RESULTS, end: str = "\r\n", first: str = "SDS 2.4") -> bytes:
    """The table of results, with the slopes on top."""
    top = [[first, "AQ Results", "1.0"], ["Filename", "run.sds"], [], ["Slope", "ABL1", "-3.35"], [], [RESULT_HEADER]]
    lines = [*top[:-1], list(RESULT_HEADER), *rows]
    return "".join("\t".join(map(str, line)) + end for line in lines).encode()


# --- 7500 software 1 ----------------------------------------------------------------------------------------------

V1_RESULTS: tuple[tuple[object, ...], ...] = (
    ("Well", "Sample Name", "Detector", "Task", "Ct", "Quantity", "Tm"),
    ("A1", "S1", "ABL1", "Standard", 7.25, 1000.0, 82.1),
    ("A2", "P1", "ABL1", "Unknown", 9.5, 60.5, 82.0),
    ("B1", "", "ABL1", "NTC", "Undet.", "", 70.5),
)


def v1_xls(
    title: str = "Delta Rn vs Cycle",
    results: Sequence[Sequence[object]] | None = V1_RESULTS,
    wells: Sequence[object] = ("A1", "A2", "B1"),
    below: float = 1.0,
) -> bytes:
    """A workbook with one row of cycles per well; `below` is subtracted from every value."""
    header = ["Well", *(f"Cycle {cycle}" for cycle in range(1, CYCLES + 1))]
    curves = [[well, *(rn(n, c) - below for c in range(1, CYCLES + 1))] for n, well in enumerate(wells)]
    sheets: dict[str, Sequence[Sequence[object]]] = {"A plants": [[title[:6], title[6:]], [], header, *curves]}
    return xls(sheets | ({} if results is None else {"Sheet1": results}))


def samples() -> dict[str, dict[str, bytes]]:
    """One small file, or folder, for every layout."""
    return {
        "clipped": {"run.txt": clipped()},
        "clipped and results": {"run.txt": clipped(), "results.txt": aq_results()},
        "7500 software 1": {"run.xls": v1_xls()},
    }
