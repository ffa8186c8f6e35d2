"""The process in which `isolated` runs one library on one file: `python isolated_child.py SCRIPT < FILE`.

Prints as JSON what the function `work` of the script gives for the bytes of the file. Imports nothing of the package,
so that it starts fast and within its limits.
"""

from __future__ import annotations

import json
import runpy
import sys

_MEMORY = 400 * 1024 * 1024  # bytes of address space
_CPU_SECONDS = 2  # real files take a tenth of that


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows: the time limit of the parent remains
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _main() -> None:
    work = runpy.run_path(sys.argv[1])["work"]
    content = sys.stdin.buffer.read()
    _limit()
    try:
        result: dict[str, object] = {"answer": work(content)}
    except BaseException as error:  # noqa: BLE001 - a Rust panic is no Exception; the parent says what to do
        result = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    _main()
