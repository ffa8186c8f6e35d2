"""Libraries that cannot be trusted with hostile bytes, run in a process of their own with little memory and time.

A Rust library that reserves the memory a file claims to need takes its process with it, and nothing in Python can catch
that. Here the process that dies is not ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bcrabl.errors import DamagedFile, Problem

__all__ = ["in_own_process"]

_WALL_SECONDS = 30.0  # for a machine under load; the child limits its processor time
_CHILD = Path(__file__).with_name("isolated_child.py")


def in_own_process(script: Path, content: bytes, where: str, what: str) -> Any:
    """What a script makes of a file, as JSON can say it.

    Parameters
    ----------
    script : it has a function `work` and imports nothing of this package.
    content : the bytes of the file.
    where : what error texts call the file.
    what : what the file should be ("an xls workbook").

    Raises
    ------
    DamagedFile : the work fails, or takes more memory or time than any real file does.
    """
    command = [sys.executable, "-I", str(_CHILD), str(script)]
    try:
        # The command is ours; what comes from outside is its standard input
        done = subprocess.run(command, input=content, capture_output=True, timeout=_WALL_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise _damaged(where, what, f"the library that reads it took longer than {_WALL_SECONDS:g} s") from None
    if done.returncode != 0:
        raise _damaged(where, what, f"the library that reads it ended with {done.returncode}")
    result = json.loads(done.stdout)
    if "error" in result:
        raise _damaged(where, what, result["error"])
    return result["answer"]


def _damaged(where: str, what: str, reason: str) -> DamagedFile:
    found = f"{what} that cannot be read ({reason})"
    return DamagedFile(Problem(where, found, f"{what} as the software writes it", "Export or copy the file again."))
