"""Small export files for the tests of the formats, built in memory by functions that say what they build."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from bcrabl.formats import read_run, write_rdml
from bcrabl.run import Run

Cells = Sequence[Sequence[object]]


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    """A zip archive of these members."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))  # else the clock is in the bytes
            archive.writestr(member, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


# --- RDML ---------------------------------------------------------------------------------------------------------


def sample(
    name: str, rdml_type: str = "unkn", quantity: str | None = None, unit: str | None = "cop", more: str = ""
) -> str:
    """A sample element."""
    stated = ""
    if quantity is not None:
        stated = f"<quantity><value>{quantity}</value>{f'<unit>{unit}</unit>' if unit is not None else ''}</quantity>"
    return f"<sample id={quoteattr(name)}>{more}<type>{rdml_type}</type>{stated}</sample>"


def target(name: str, dye: str = "FAM") -> str:
    """A target element."""
    return f"<target id={quoteattr(name)}><type>toi</type><dyeId id={quoteattr(dye)}/></target>"


def points(values: Iterable[object], first: int = 1) -> str:
    """Amplification data points in consecutive cycles."""
    return "".join(f"<adp><cyc>{cycle}</cyc><fluor>{value}</fluor></adp>" for cycle, value in enumerate(values, first))


def data(of_target: str, curve: str, more: str = "") -> str:
    """The data of one target in a react."""
    return f"<data><tar id={quoteattr(of_target)}/>{more}{curve}</data>"


def react(react_id: object, of_sample: str, *curves: str) -> str:
    """A reaction: one well."""
    return f'<react id="{react_id}"><sample id={quoteattr(of_sample)}/>{"".join(curves)}</react>'


PLATE_96 = (
    "<pcrFormat><rows>8</rows><columns>12</columns><rowLabel>ABC</rowLabel><columnLabel>123</columnLabel></pcrFormat>"
)


def rdml_run(*reacts: str, run_id: str = "run1", before: str = PLATE_96) -> str:
    """A run element."""
    return f'<run id="{run_id}">{before}{"".join(reacts)}</run>'


def rdml(*elements: str, version: str = "1.2", experiment: str = "", prefix: str = "") -> str:
    """A document of these elements, with its runs in one experiment."""
    runs = "".join(element for element in elements if element.startswith("<run"))
    others = "".join(element for element in elements if not element.startswith("<run"))
    inside = experiment or f'<experiment id="exp1">{runs}</experiment>'
    return f'{prefix}<rdml xmlns="http://www.rdml.org" version="{version}">{others}{inside}</rdml>'


CURVE = (0.1, 0.2, 0.4, 0.9, 1.6)


def small_rdml(**options: str) -> str:
    """A document of one standard of 1000 copies and one unknown sample."""
    return rdml(
        sample("std", "std", "1000"),
        sample("patient"),
        target("ABL1"),
        rdml_run(
            react(1, "std", data("ABL1", points(CURVE))),
            react(14, "patient", data("ABL1", points(CURVE))),
        ),
        **options,
    )


# --- xlsx ---------------------------------------------------------------------------------------------------------


def xlsx(sheets: Mapping[str, Cells], more: Mapping[str, str | bytes] | None = None) -> bytes:
    """A workbook with these sheets, all text as inline strings."""
    names = list(sheets)
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    listed = "".join(f'<sheet name={quoteattr(n)} sheetId="{i}" r:id="rId{i}"/>' for i, n in enumerate(names, 1))
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{office}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(names) + 1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{relations}</Relationships>',
    }
    for number, name in enumerate(names, 1):
        members[f"xl/worksheets/sheet{number}.xml"] = worksheet(sheets[name])
    return zipped(members | dict(more or {}))


def worksheet(rows: Cells) -> str:
    """The XML of a sheet."""
    body = "".join(
        f'<row r="{r}">{"".join(_cell(value, c, r) for c, value in enumerate(row) if value not in ("", None))}</row>'
        for r, row in enumerate(rows, 1)
    )
    return f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{body}</sheetData></worksheet>'


def _cell(value: object, column: int, row: int) -> str:
    reference = f"{chr(ord('A') + column)}{row}"
    if isinstance(value, bool):
        return f'<c r="{reference}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{reference}"><v>{value!r}</v></c>'
    return f'<c r="{reference}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


STATED: Cells = [
    ["Instrument Type", "QuantStudio™ 5 System"],
    ["Block Type", "96-Well 0.2-mL Block"],
    ["Run Start Date/Time", "2021-03-04 12:04:59 AM EDT"],
    ["Passive Reference", "ROX"],
    ["PCR Stage/Step Number", "Stage 2 Step 2"],
    ["Software Name and Version", "Design & Analysis Software v2.7.0"],
    ["", ""],
]
RESULT_HEADER = [
    *("Well", "Well Position", "Omit", "Sample", "Target", "Task", "Reporter", "Cq"),
    *("Threshold", "Baseline Start", "Baseline End"),
]


def result_row(well: str = "A1", **changes: object) -> list[object]:
    """A row of sheet Results: a standard of ABL1 in FAM, unless changed (names in lower case)."""
    row: dict[str, object] = {
        "number": 1,
        "well": well,
        "omit": "FALSE",
        "sample": "S1",
        "target": "ABL1",
        "task": "STANDARD",
        "reporter": "FAM",
        "cq": 24.5,
        "threshold": 0.2,
        "start": 3,
        "end": 15,
    } | changes
    return list(row.values())


def da2(
    results: Cells | None = None,
    dyes: Sequence[str] = ("FAM", "ROX"),
    stated: Cells = STATED,
    quantity: object = 1000.0,
    cycles: int = 5,
    **changed_sheets: Cells | None,
) -> dict[str, Cells]:
    """The sheets of a Design & Analysis export; wells and targets as in `results`, dye k of cycle c gives 100·k + c."""
    rows = [result_row()] if results is None else results
    wells = list(dict.fromkeys(str(row[1]) for row in rows))
    reactions = {(str(row[1]), row[4]): row[6] for row in rows if row[4]}
    signal = [
        [1, well, 2, 2, cycle, *(100.0 * (k + 1) + cycle for k in range(len(dyes)))]
        for well in wells
        for cycle in range(1, cycles + 1)
    ]
    passive = next((str(value) for key, value in stated if key == "Passive Reference"), "")
    rn = [
        [1, well, cycle, of, _rn(dye, passive, dyes, cycle)]
        for (well, of), dye in reactions.items()
        for cycle in range(1, cycles + 1)
    ]
    amounts = [[1, row[1], quantity, row[4], row[5]] for row in rows]
    sheets: dict[str, Cells | None] = {
        "Results": [*stated, RESULT_HEADER, *rows],
        "Amplification Data": [*stated, ["Well", "Well Position", "Cycle Number", "Target", "Rn"], *rn],
        "Multicomponent": [
            *stated,
            ["Well", "Well Position", "Stage Number", "Step Number", "Cycle Number", *dyes],
            *signal,
        ],
        "Standard Curve Result": [*stated, ["Well", "Well Position", "Quantity", "Target", "Task"], *amounts],
    }
    sheets |= {name.replace("_", " "): content for name, content in changed_sheets.items()}
    return {name: content for name, content in sheets.items() if content is not None}


def _rn(dye: object, passive: str, dyes: Sequence[str], cycle: int) -> float:
    """What the signals of `da2` give; a quarter of the cycle where it has none of the dye."""
    if dye not in dyes:
        return cycle / 4
    signal = 100.0 * (dyes.index(str(dye)) + 1) + cycle
    return signal / (100.0 * (dyes.index(passive) + 1) + cycle) if passive in dyes else signal


def rows(run: Run) -> list[dict[str, object]]:
    return run.reactions.to_pylist()


def same(one: Run, other: Run) -> None:
    """Both runs hold the same reactions and curves."""
    assert rows(one) == rows(other)
    assert one.stage == other.stage
    assert one.cycles.tolist() == other.cycles.tolist()
    assert np.array_equal(one.fluorescence, other.fluorescence, equal_nan=True)
    passive = one.passive_reference
    assert (passive is None) == (other.passive_reference is None)
    assert passive is None or np.array_equal(passive, other.passive_reference, equal_nan=True)


def written(run: Run, tmp_path: Path) -> Run:
    write_rdml(run, tmp_path / "written.rdml")
    return read_run(tmp_path / "written.rdml")


REAL = [
    # file, reactions, wells, cycles, parts, stage, roles; counts from MANIFEST.csv and the files themselves
    ("rdml/stepone_std.rdml", 24, 24, 40, 1, "normalised", {"std": 15, "unkn": 6, "ntc": 3}),
    ("rdml/BioRad_qPCR_melt.rdml", 60, 30, 41, 2, "baseline_subtracted", {"pos": 36, "unkn": 12, "ntc": 12}),
    ("rdml/lc96_bACTXY.rdml", 384, 96, 50, 1, "raw", {"neg": 320, "std": 40, "unkn": 24}),
    ("rdml/RAS002.rdml", 192, 96, 40, 1, "raw", {"unkn": 168, "ntc": 24}),
    ("rdml14_untergasser_vermeulen/volume_machine.rdml", 172, 108, 45, 3, "raw", {"unkn": 115, "opt": 42, "std": 15}),
    ("rdml14_untergasser_vermeulen/data_vermeulen_std_150000_15.rdml", 960, 15, 50, 64, "raw", {"std": 960}),
    ("rdml14_untergasser_vermeulen/shifted_baseline.rdml", 144, 144, 60, 1, "raw", {"std": 144}),
    ("lc96p/run1-plate1.lc96p", 96, 96, 45, 1, "raw", {"unkn": 53, "neg": 24, "std": 14, "ntc": 5}),
]


def samples() -> dict[str, dict[str, bytes]]:
    """A small valid file of each layout, for the fuzz run."""
    wide = [round(100 + 900 / (1 + 2.0 ** (12 - cycle)), 3) for cycle in range(1, 21)]
    document = rdml(
        sample("std", "std", "1000"),
        sample("patient"),
        target("ABL1"),
        rdml_run(react(1, "std", data("ABL1", points(wide))), react(14, "patient", data("ABL1", points(wide)))),
    )
    return {
        "RDML, bare": {"run.xml": document.encode()},
        "RDML, zip": {"run.rdml": zipped({"rdml_data.xml": document})},
    }
