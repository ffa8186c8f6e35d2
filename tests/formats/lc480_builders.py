"""Small LightCycler 480 exports, built in memory: raw data, Cp tables, charts and the beginning of an .ixo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import quoteattr

RAW_HEADER = ("SamplePos", "SampleName", "Prog#", "Seg#", "Cycle#", "Time", "Temp")
CP_HEADER = ("Include", "Color", "Pos", "Name", "Cp", "Concentration", "Standard", "Status")
WELLS = {"A1": "Standard high", "A2": "Standard low", "B1": "Patient", "H12": "Water"}
CYCLES = 12
LATE = {"A1": 4.0, "A2": 6.0, "B1": 5.0, "H12": 30.0}  # cycle in which each well takes off

Line = list[str]


def signal(well: str, cycle: int, filter_pair: str = "465-510") -> float:
    """A curve that rises after the well's cycle, with two decimals as the software writes it."""
    scale = 1 + int(filter_pair[:3]) / 1000
    return round(scale * (0.5 + 20 / (1 + 2.0 ** (LATE.get(well, 5.0) + 3 - cycle))), 2)


def raw_lines(
    filters: Sequence[str] = ("465-510",), wells: Mapping[str, str] = WELLS, cycles: int = CYCLES
) -> list[Line]:
    """Header and lines: in each well a hold, the amplification (program 2) and melting (program 3)."""
    lines = [[*RAW_HEADER, *filters, ""]]
    for well, name in wells.items():
        for cycle in range(1, cycles + 1):
            values = [f"{signal(well, cycle, pair):.2f}" for pair in filters]
            temperature = f"{59.8 + cycle % 3 / 100:.2f}"
            lines.append([well, name, "2", "2", str(cycle), str(234700 + 39500 * cycle), temperature, *values, ""])
        for reading in range(20):
            values = [f"{30 - reading:.2f}" for _ in filters]
            time = str(1790634 + 1300 * reading)
            lines.append([well, name, "3", "1", "1", time, f"{60 + 1.7 * reading:.2f}", *values, ""])
    return lines


def text_of(title: Sequence[str], lines: Sequence[Line], decimal: str = ".", separator: str = "\t") -> bytes:
    """Lines as the software writes them: CRLF, numbers with the decimal mark in all columns behind the names."""
    rows = [list(line) for line in lines]
    if decimal != ".":
        rows = [
            rows[0],
            *([cell if _is_name(cell) else cell.replace(".", decimal) for cell in row] for row in rows[1:]),
        ]
    return "".join(separator.join(row) + "\r\n" for row in [list(title), *rows]).encode()


def _is_name(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return True
    return False


EXPERIMENT = "Run 7"
RAW_TITLE = ("Raw Data ", "", f"Experiment - {EXPERIMENT} (Run on LCS480 1.5.0.39)")


def raw(lines: Sequence[Line] | None = None, decimal: str = ".", title: Sequence[str] = RAW_TITLE) -> bytes:
    """A raw data file; the plain one unless lines are given."""
    return text_of(title, raw_lines() if lines is None else lines, decimal)


def cp_lines(**changes: Mapping[str, str]) -> list[Line]:
    """Header and lines of the Cp table of the plain run; changes are columns by well (`A1={"Cp": "20.1"}`)."""
    plain = {
        "A1": ("True", "255", "A1", WELLS["A1"], "6.51", "1.1E4", "10000", ""),
        "A2": ("True", "255", "A2", WELLS["A2"], "8.52", "0.9E3", "1000", ""),
        "B1": ("False", "255", "B1", WELLS["B1"], "7.48", "3.2E3", "0", ""),
        "H12": ("True", "65280", "H12", WELLS["H12"], "", "", "", ""),
    }
    return [list(CP_HEADER)] + [
        list((dict(zip(CP_HEADER, cells, strict=True)) | dict(changes.get(well, {}))).values())
        for well, cells in plain.items()
    ]


def cp_title(filter_pair: str = "465-510", name: str = "FAM", experiment: str = EXPERIMENT) -> tuple[str]:
    """Line 1 of a Cp table."""
    return (f"Experiment: {experiment}  Selected Filter: {name} ({filter_pair})",)


def cp(lines: Sequence[Line] | None = None, decimal: str = ".", title: Sequence[str] | None = None) -> bytes:
    """A Cp table; that of the plain run unless lines are given."""
    return text_of(cp_title() if title is None else title, cp_lines() if lines is None else lines, decimal)


def series(title: str, values: Sequence[object], count: object | None = None, first: float = 1) -> str:
    """A series of a chart, with points in consecutive cycles."""
    points = "".join(f'<point X="{first + n:g}" Y="{y}"/>' for n, y in enumerate(values))
    announced = "" if count is None else f' count="{count}"'
    return f"<series title={quoteattr(title)}><points{announced}>{points}</points></series>"


def chart(*all_series: str, encoding: str = "ISO-8859-1") -> bytes:
    """A chart; that of the plain run without background unless series are given."""
    if not all_series:
        all_series = tuple(
            series(f"{well}: {name}", [round(signal(well, c) - 0.7, 2) for c in range(1, CYCLES + 1)], CYCLES)
            for well, name in WELLS.items()
        )
    return f'<?xml version="1.0" encoding="{encoding}"?><chart>{"".join(all_series)}</chart>'.encode(encoding)


IXO = b'<?xml version="1.0"?>\r\n<objectstream signature="IXOS"><obj name="Experiment"/></objectstream>'


def samples() -> dict[str, dict[str, bytes]]:
    """Every layout that is read, by name: file name and bytes."""
    two = ("465-510", "533-580")
    return {
        "lc480_raw": {"run.txt": raw()},
        "lc480_raw_and_cp": {"run.txt": raw(), "run_Cp.txt": cp()},
        "lc480_two_filters_comma": {
            "run.txt": raw(raw_lines(two), ","),
            "run_Cp_465-510.txt": cp(decimal=","),
            "run_Cp_533-580.txt": cp(decimal=",", title=cp_title("533-580", "VIC / HEX / Yellow555")),
        },
        "lc480_chart": {"chart.xml": chart()},
    }
