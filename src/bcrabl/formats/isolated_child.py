"""The process in which `isolated` runs one library on one file: `python isolated_child.py SCRIPT < FILE`.

Prints as JSON what the function `work` of the script gives for the bytes of the file. Imports nothing of the package,
so that it starts fast and within its limits.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from contextlib import redirect_stdout

_MEMORY = 400 * 1024 * 1024  # bytes of address space, beyond what the imports of the script took
_CPU_SECONDS = 2  # beyond them as well; real files take a tenth of that


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows: the time limit of the parent remains
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + _CPU_SECONDS
    memory = _address_space() + _MEMORY
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _address_space() -> int:
    """Bytes that this process has reserved; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as pages:  # noqa: PTH123 - pathlib would be one more import
            return int(pages.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _main() -> None:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # each thread reserves memory before the limit is set
    work = runpy.run_path(sys.argv[1])["work"]
    content = sys.stdin.buffer.read()
    _limit()
    try:
        with redirect_stdout(sys.stderr):  # libraries print
            result: dict[str, object] = {"answer": work(content)}
    except BaseException as error:  # noqa: BLE001 - a Rust panic is no Exception; the parent says what to do
        result = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    _main()
