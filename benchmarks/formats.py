"""How long it takes to read an export: every real file at hand, and what other libraries take for the same file.

    python benchmarks/formats.py [repeats]

Columns: curves × cycles read; milliseconds to recognise the file (least), to read it (least and median of a warm
process), curves per second; peak memory of a fresh process that reads it, less that of one that only imports. openpyxl
(cells of all sheets) and allotropy (its parse of a vendor's file) run in the same session where they are installed:
`pip install openpyxl allotropy`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from way import REPOSITORY

from bcrabl.errors import BcrablError
from bcrabl.formats import RawFile, read_run, recognise

DATA = Path(os.environ.get("BCRABL_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
EXAMPLE = REPOSITORY / "resources/example/demo-1.rdml"
_FOLDERS = ("cfx_csv_SYNTHETIC",)
_NOT_EXPORTS = (".json", ".tsv")
_NO_CURVES = ("decision_res", "_Cq.txt", "Text Report", "MANIFEST")


def exports() -> list[Path]:
    """Real exports with curves at hand, and the shipped example."""
    files = [EXAMPLE]
    for folder in sorted(path for path in DATA.glob("*") if path.is_dir() and path.name not in ("tidy", "lod_cq")):
        if folder.name in _FOLDERS:
            files.append(folder)
            continue
        files += sorted(
            path
            for path in folder.iterdir()
            if (path.suffix not in _NOT_EXPORTS or folder.name == "chai_json")
            and not any(word in path.name for word in _NO_CURVES)
        )
    return files


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each repeat, a first one not counted."""
    work()
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return seconds


def peak(path: Path | None) -> float:
    """Peak memory in MB of a process that imports the package and reads the file."""
    code = "import sys; from pathlib import Path; from bcrabl.formats import read_run; "
    code += "read_run(sys.argv[1]); " if path else ""
    # Not `ru_maxrss`, which a child inherits from its parent
    code += (
        "print([line for line in Path('/proc/self/status').read_text().splitlines() if 'VmHWM' in line][0].split()[1])"
    )
    command = [sys.executable, "-c", code, *([str(path)] if path else [])]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def rows_of_export(path: Path, repeats: int, bare: float) -> str:
    """The line of the table for one export."""
    size = path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in path.iterdir())
    label = f"{path.parent.name}/{path.name}"[-62:]
    try:
        run = read_run(path)
    except BcrablError as error:
        return f"{label:64}{size / 1000:8.0f}  refused: {str(error)[-60:]}"
    curves, cycles = run.fluorescence.shape
    sniff = min(timed(lambda: recognise(RawFile.from_path(path)), repeats))
    seconds = timed(lambda: read_run(path), repeats)
    return (
        f"{label:64}{size / 1000:8.0f}{f'{curves} × {cycles}':>12}{1e3 * sniff:9.1f}{1e3 * min(seconds):9.1f}"
        f"{1e3 * statistics.median(seconds):9.1f}{curves / statistics.median(seconds):10.0f}{peak(path) - bare:9.0f}"
    )


def others(path: Path) -> dict[str, float]:
    """Milliseconds that other libraries take for a file, where they are installed and can read it."""
    found = {}
    if importlib.util.find_spec("openpyxl") and path.suffix == ".xlsx":
        found["openpyxl"] = min(timed(lambda: _openpyxl(path), 1))
    if importlib.util.find_spec("allotropy"):
        with contextlib.suppress(Exception):  # many files it cannot read; that is what the table shows
            found["allotropy"] = min(timed(lambda: _allotropy(path), 1))
    return found


def _openpyxl(path: Path) -> None:
    import openpyxl

    for sheet in openpyxl.load_workbook(path, read_only=True, data_only=True):
        for _ in sheet.iter_rows(values_only=True):
            pass


def _allotropy(path: Path) -> None:
    from allotropy.parser_factory import Vendor
    from allotropy.to_allotrope import allotrope_from_file

    vendor = Vendor.APPBIO_QUANTSTUDIO_DESIGNANDANALYSIS if "da2" in path.parent.name else Vendor.APPBIO_QUANTSTUDIO
    allotrope_from_file(str(path), vendor)


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    bare = peak(None)
    print(
        f"{'export':64}{'kB':>8}{'curves':>12}{'sniff ms':>9}{'least ms':>9}{'median':>9}{'curves/s':>10}{'MB more':>9}"
    )
    for path in exports():
        print(rows_of_export(path, repeats, bare), flush=True)
    print(f"\n{'against other libraries':64}{'ours ms':>9}{'openpyxl':>10}{'allotropy':>11}")
    for path in exports():
        if path.suffix in (".xlsx", ".txt") and (theirs := others(path)):
            ours = statistics.median(timed(lambda path=path: read_run(path), repeats))
            cells = "".join(
                f"{1e3 * theirs[name]:{width}.0f}" if name in theirs else " " * width
                for name, width in (("openpyxl", 10), ("allotropy", 11))
            )
            print(f"{f'{path.parent.name}/{path.name}'[-62:]:64}{1e3 * ours:9.0f}{cells}", flush=True)


if __name__ == "__main__":
    main()
