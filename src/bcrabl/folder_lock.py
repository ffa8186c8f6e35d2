"""One workflow at a time in a folder, by a lock the operating system frees when the process ends, however it ends.

Snakemake's own lock outlives a killed process and has to be removed by hand; the profile turns it off for this one.
"""

from __future__ import annotations

import os
from pathlib import Path

from bcrabl.errors import Problem, ResultsError

__all__ = ["take"]

_held: list[int] = []  # descriptors stay open, and so locked, until the process ends


def take(path: str | Path) -> None:
    """Take the lock file at `path` for the life of this process.

    Raises
    ------
    ResultsError : another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # no fcntl on Windows, where Snakemake's own lock remains in use
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(descriptor, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise ResultsError(
            Problem(str(path), f"held by process {holder}", "no other workflow at work in this folder", "Wait for it.")
        ) from None
    os.truncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
    _held.append(descriptor)
