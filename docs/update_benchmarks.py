"""Print the figures of docs/*.md anew: run each command and put what it prints between its markers.

    python docs/update_benchmarks.py [name …]

A block begins with `<!-- figures: python benchmarks/NAME.py -->` and ends with `<!-- end of figures -->`; the first
block of code in it that is marked `text` is replaced. Needs the real data (BCRABL_TEST_DATA) for the tables that do.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
BLOCK = re.compile(r"(<!-- figures: python (benchmarks/(\w+)\.py) -->.*?```text\n)(.*?)(```)", re.DOTALL)


def printed(script: str) -> str:
    """What a benchmark prints."""
    done = subprocess.run([sys.executable, DOCS.parent / script], check=True, capture_output=True, text=True)  # noqa: S603
    return re.sub(r"[ \t]+$", "", done.stdout, flags=re.MULTILINE).strip("\n") + "\n"


def main() -> None:
    """Renew the blocks named on the command line, or all."""
    for page in sorted(DOCS.glob("*.md")):

        def renewed(match: re.Match[str]) -> str:
            head, script, name, old, end = match.groups()
            return head + (printed(script) if not sys.argv[1:] or name in sys.argv[1:] else old) + end

        page.write_text(BLOCK.sub(renewed, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
