"""Which files on disk a `raw_file` means, and the digest that stands for all of them.

A run is one file; or a folder, for instruments that export one run as several files; or one of these several files, and
then those beside it that carry the same name belong to it. Standard library only: the Snakefile imports this while it
is parsed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["COLUMN_MAP_SUFFIX", "digest_of", "files_of_run"]

COLUMN_MAP_SUFFIX = ".columns.yaml"
"""What the column map of a generic table is called: the name of the table followed by this."""

_MOST_FILES = 500  # a run exported to a folder takes some 20
_TABLE = re.compile(r"\.(?:csv|txt|tsv)(?:\.gz)?$", re.IGNORECASE)
# What Bio-Rad CFX and Stratagene MxPro put behind the name of the run, one file for each kind of table
_KIND = re.compile(
    r"\s+-\s+(?:Quantification |Instrument Data|Text Report|Melt |Standard Curve |End Point |Run Information).*|"
    r"[ _]Run Information.*",
    re.IGNORECASE,
)
# What people call a table of Cq beside the curves, where the software leaves the name to them
_CQ_TABLE = re.compile(r"[ _-](?:Cq|Cp|Ct)s?(?:[ _.-].*)?", re.IGNORECASE)


def files_of_run(path: str | Path) -> list[Path]:
    """The files that a `raw_file` means, its own first, the others by name.

    Parameters
    ----------
    path : a file, or a folder, all of whose files belong to the run (hidden ones and those in subfolders do not).

    Raises
    ------
    OSError : the folder cannot be listed.
    """
    start = Path(path)
    if start.is_dir():
        return _listed(start, "")[:_MOST_FILES]
    return [start, *_companions(start)]


def _companions(path: Path) -> list[Path]:
    """The column map of a file, and tables of the same run beside a table."""
    column_map = path.with_name(path.name + COLUMN_MAP_SUFFIX)
    found = [column_map] if column_map.is_file() else []
    if not _TABLE.search(path.name) or not path.is_file():
        return found
    stem = _TABLE.sub("", path.name)
    kind = _KIND.search(stem)
    run_name, wanted = (stem[: kind.start()], _KIND) if kind else (stem, _CQ_TABLE)
    beside = [
        other
        for other in _listed(path.parent, run_name)
        if other.name != path.name and wanted.fullmatch(_TABLE.sub("", other.name)[len(run_name) :])
    ]
    return (found + [other for other in beside if _TABLE.search(other.name)])[:_MOST_FILES]


def _listed(folder: Path, prefix: str) -> list[Path]:
    names = (entry for entry in folder.iterdir() if entry.name.startswith(prefix) and not entry.name.startswith("."))
    return sorted((entry for entry in names if entry.is_file()), key=lambda entry: entry.name)


def digest_of(contents: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 of a run's bytes, in hexadecimal.

    That of the file itself where there is one; for several the SHA-256 of the lines `<sha256>  <name>` sorted by name,
    which is what `sha256sum * | sha256sum` prints.

    Parameters
    ----------
    contents : name and bytes of each file.
    """
    digests = sorted((name, hashlib.sha256(content).hexdigest()) for name, content in contents)
    if len(digests) == 1:
        return digests[0][1]
    return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in digests).encode()).hexdigest()
