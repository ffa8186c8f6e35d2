"""The workflow's last word: which runs, what was accepted, what needs review, how long it took.

Reads the status that scoring left of each batch; standard library only, since it runs in Snakemake's own process.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bcrabl.errors import Problem, ResultsError
from bcrabl.whole_files import write_text

__all__ = ["COLUMNS", "confirm", "leftovers", "read_status", "summary_rows", "summary_text", "summary_tsv"]

_JOBS = ("analyse", "score")
_MENDING = ("a run that can be processed", "Mend the raw file or its row in the run sheet, or take the run out.")

COLUMNS = ("run_id", "site", "batch", "assay", "outcome", "report", "review", "repeat", "why")


def read_status(paths: Iterable[str | Path]) -> list[dict[str, Any]]:
    """The status files that are there, in the order of their paths."""
    return [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths if Path(path).is_file()]


def summary_rows(status: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """One row per run with `COLUMNS`, sorted by run."""
    rows = []
    for batch in status:
        for run in batch["runs"]:
            samples = run["samples"]
            rows.append(
                {
                    "run_id": str(run["run_id"]),
                    "site": str(batch["site"]),
                    "batch": str(batch["batch"]),
                    "assay": str(run["assay"]),
                    "outcome": str(run["outcome"]),
                    **{key: str(samples[key]) for key in ("report", "review", "repeat")},
                    "why": "; ".join(run["why"]),
                }
            )
    return sorted(rows, key=lambda row: row["run_id"])


def confirm(status_files: Iterable[str | Path], output: str | Path) -> None:
    """Write that every run could be processed, or raise with those that could not.

    Raises
    ------
    ResultsError : a run was refused; the summary says why.
    """
    rows = summary_rows(read_status(status_files))
    refused = [row for row in rows if row["outcome"] == "refused"]
    if refused:
        raise ResultsError(Problem(f"run {row['run_id']}", "refused", *_MENDING) for row in refused)
    lines = [f"{row['run_id']}\t{row['outcome']}" for row in rows]
    write_text("\n".join(lines) + "\n", output)


def summary_tsv(rows: Iterable[Mapping[str, str]]) -> str:
    """The rows as tab-separated text with a header."""
    lines = ["\t".join(COLUMNS)]
    lines += ["\t".join(" ".join(row[name].split()) for name in COLUMNS) for row in rows]
    return "\n".join(lines) + "\n"


def leftovers(results: str | Path, batches: Iterable[str]) -> list[str]:
    """Result tables of batches that the run sheet no longer names; whoever reads the dataset still reads them.

    Parameters
    ----------
    results : the results folder.
    batches : batch ids of the run sheet.
    """
    known = set(batches)
    tables = Path(results).glob("*/site=*/*.parquet")
    return sorted(path.as_posix() for path in tables if path.stem not in known)


def summary_text(status_files: Iterable[str | Path], benchmarks: str | Path = "logs/benchmarks") -> str:
    """The summary as a person reads it in a terminal.

    Parameters
    ----------
    status_files : where the status of all batches should be.
    benchmarks : folder of Snakemake's benchmark files, for the seconds each batch took.
    """
    paths = [Path(path) for path in status_files]
    rows = summary_rows(read_status(paths))
    seconds = {row["batch"]: _seconds(Path(benchmarks) / row["site"], row["batch"]) for row in rows}
    table = [["run", "site", "outcome", "report", "review", "repeat", "seconds"]]
    for row in rows:
        shown = row["outcome"] if row["outcome"] == "accepted" else row["outcome"].upper()
        counts = [row[key] for key in ("report", "review", "repeat")]
        table.append([row["run_id"], row["site"], shown, *counts, seconds[row["batch"]]])
    text = [*_aligned(table), *_reasons(rows)]
    unfinished = [path.stem for path in paths if not path.is_file()]
    if unfinished:
        text.append(f"Not finished: {', '.join(unfinished)}. See the messages above and logs/.")
    return "\n".join(["", *text, ""])


def _seconds(folder: Path, batch: str) -> str:
    """Wall time of a batch's jobs together; a dash where Snakemake has not kept it."""
    files = [file for job in _JOBS if (file := folder / f"{batch}.{job}.tsv").is_file()]
    total = 0.0
    for file in files:
        with file.open(newline="", encoding="utf-8") as stream:
            total += sum(float(row["s"]) for row in csv.DictReader(stream, delimiter="\t"))
    return f"{total:.1f}" if files else "–"


def _aligned(table: list[list[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _reasons(rows: list[dict[str, str]]) -> list[str]:
    return [f"{row['run_id']} {row['outcome'].upper()}: {row['why']}" for row in rows if row["outcome"] != "accepted"]
