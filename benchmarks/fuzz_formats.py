"""Damaged exports through every reader: each ends in a run or in an error of ours, in time and in memory.

    python benchmarks/fuzz_formats.py [executions [seed]]

Every execution damages one of the small files that the tests build for each layout (bytes flipped, cut, repeated, cells
replaced by strange values, members of zips damaged inside) and reads it. Prints a table by layout; ends with 1 and the
damaged files kept where anything else than a run or a `bcrabl.errors` error came out, or one took more than 2 s.
Readers that run a library in a process of its own take 100 times as long and get fewer executions.
"""

from __future__ import annotations

import multiprocessing
import random
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests/formats"))

from mutations import Files, mutated, samples  # noqa: E402

from bcrabl.errors import BcrablError  # noqa: E402
from bcrabl.formats import RawFile, recognise  # noqa: E402

MOST_SECONDS = 2.0
MOST_MEMORY = 500.0  # MB an execution may take beyond the interpreter with its libraries
WORKERS = 2


@dataclass
class Tally:
    """What came of the executions of one layout."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0  # s
    memory: float = 0.0  # MB beyond what the process had before
    failures: list[str] = field(default_factory=list)


def raw_file(files: Files) -> RawFile:
    """The files as if they lay on disk: one alone, or several in a folder."""
    members = tuple(RawFile(name, content) for name, content in files.items())
    return members[0] if len(members) == 1 else RawFile("folder", b"", members)


def outcome(files: Files) -> str:
    """Read the files: `read`, `refused` or the traceback of what should not have come out."""
    source = raw_file(files)
    try:
        chosen = recognise(source)
        _ = chosen.read(source, None).signal
    except BcrablError:
        return "refused"
    except Exception:  # noqa: BLE001 - this is what is looked for
        return traceback.format_exc()
    return "read"


def fuzz(job: tuple[str, Files, int, int]) -> tuple[str, Tally]:
    """So many executions on one layout."""
    name, files, executions, seed = job
    chance = random.Random(f"{seed} {name}")
    tally = Tally()
    warnings.simplefilter("error")
    outcome(files)
    before = _resident()
    for _ in range(executions):
        damaged = mutated(files, chance)
        begin = time.perf_counter()
        result = outcome(damaged)
        seconds = time.perf_counter() - begin
        tally.slowest = max(tally.slowest, seconds)
        grown = _resident() - before
        if result not in ("read", "refused") or seconds > MOST_SECONDS or (tally.memory <= MOST_MEMORY < grown):
            tally.failures.append(_kept(name, damaged, f"{seconds:.1f} s, {grown:.0f} MB\n{result}"))
            result = "failed"
        tally.memory = max(tally.memory, grown)
        tally.outcomes[result] += 1
    return name, tally


def _kept(name: str, files: Files, why: str) -> str:
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for member, content in files.items():
        (folder / Path(member).name).write_bytes(content)
    (folder / "why.txt").write_text(f"{name}\n{why}")
    return f"{folder}: {why.strip().splitlines()[-1]}"


def _resident() -> float:
    """Peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def shares(layouts: dict[str, Files], executions: int) -> dict[str, int]:
    """Executions of each layout: as many for all, fewer for the slow ones."""
    cost = {}
    for name, files in layouts.items():
        outcome(files)
        begin = time.perf_counter()
        if outcome(files) != "read":
            raise SystemExit(f"{name}: the undamaged sample is not read: {outcome(files)}")
        cost[name] = time.perf_counter() - begin
    weight = {name: min(1.0, 0.005 / seconds) for name, seconds in cost.items()}
    total = sum(weight.values())
    return {name: max(1, round(executions * share / total)) for name, share in weight.items()}


def main() -> None:
    executions = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    layouts = samples()
    counts = shares(layouts, executions)
    step = 500
    jobs = [
        (name, layouts[name], min(step, counts[name] - first), seed * 1000 + first)
        for name in layouts
        for first in range(0, counts[name], step)
    ]
    total: dict[str, Tally] = {name: Tally() for name in layouts}
    begin = time.perf_counter()
    with multiprocessing.Pool(WORKERS, maxtasksperchild=1) as pool:
        for name, tally in pool.imap_unordered(fuzz, jobs):
            total[name].outcomes += tally.outcomes
            total[name].slowest = max(total[name].slowest, tally.slowest)
            total[name].memory = max(total[name].memory, tally.memory)
            total[name].failures += tally.failures
    print(f"{'layout':56}{'executions':>11}{'read':>8}{'refused':>9}{'failed':>8}{'slowest ms':>12}{'MB more':>9}")
    for name, tally in total.items():
        found = tally.outcomes
        print(
            f"{name:56}{found.total():11}{found['read']:8}{found['refused']:9}{found['failed']:8}"
            f"{1e3 * tally.slowest:12.0f}{tally.memory:9.0f}"
        )
    failures = [failure for tally in total.values() for failure in tally.failures]
    done = sum(tally.outcomes.total() for tally in total.values())
    print(f"{done} executions in {time.perf_counter() - begin:.0f} s, seed {seed}; {len(failures)} failures")
    print("\n".join(failures[:40]))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
