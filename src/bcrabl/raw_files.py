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

__all__ = ["COLUMN_MAP_SUFFIX", "MOST_FILES", "digest_of", "files_of_run"]

COLUMN_MAP_SUFFIX = ".columns.yaml"
"""What the column map of a generic table is called: the name of the table followed by this."""

MOST_FILES = 500
"""Files that a run may have; exported to a folder it takes some 20."""

_TABLE = re.compile(r"\.(?:csv|txt|tsv)(?:\.gz)?$", re.IGNORECASE)
_ENDINGS = (_TABLE, re.compile(r"\.xlsx?$", re.IGNORECASE), re.compile(r"\.xml$", re.IGNORECASE))
"""Endings that the files of one run share: one export writes all its tables alike."""

# What Bio-Rad CFX and Stratagene MxPro put behind the name of the run, one file for each kind of table; blanks become
# underscores, or one of two is lost, when files are sent
_KIND = re.compile(
    r"[\s_]*-[\s_]*(?:Quantification[\s_-]+(?:Amplification|Cq|Plate|Summary)|Standard[\s_]+Curve[\s_]|End[\s_]+Point[\s_]|"
    r"Melt[\s_]+Curve[\s_]|Allelic[\s_]+Discrimination|Gene[\s_]+Expression|ANOVA[\s_]|Run[\s_]+Information).*|"
    r"\s+-\s+(?:Instrument Data|Text Report).*|"
    r"[\s_]+Run[\s_]+Information.*",
    re.IGNORECASE,
)
# What people call a table of Cq beside the curves, where the software leaves the name to them
_CQ_TABLE = re.compile(r"[ _-](?:Cq|Cp|Ct)s?(?:[ _.-].*)?", re.IGNORECASE)


def files_of_run(path: str | Path, column_map: str | Path | None = None) -> list[Path]:
    """The files that a `raw_file` means, its own first, then its column map, the others by name.

    A file that a column map describes is read alone, so that what lies beside it does not belong to it. Where there
    are more than `MOST_FILES`, some more are listed, so that whoever reads the run can refuse it.

    Parameters
    ----------
    path : a file, or a folder, all of whose files belong to the run (hidden ones and those in subfolders do not).
    column_map : the column map, where it is named; None takes the one beside the file, if there is one.

    Raises
    ------
    OSError : the folder cannot be listed.
    """
    start = Path(path)
    named = [] if column_map is None else [Path(column_map)]
    if start.is_dir():
        return [*named, *_listed(start, "")[: MOST_FILES + 1]]
    return [start, *(named or _companions(start))]


def _companions(path: Path) -> list[Path]:
    """The column map of a file, or else the tables of the same run beside a table."""
    column_map = path.with_name(path.name + COLUMN_MAP_SUFFIX)
    if column_map.is_file():
        return [column_map]
    ending = next((ending for ending in _ENDINGS if ending.search(path.name)), None)
    if ending is None or not path.is_file():
        return []
    stem = ending.sub("", path.name)
    kind = _KIND.search(stem)
    if kind is None and ending is not _TABLE:
        return []
    run_name, wanted = (stem[: kind.start()], _KIND) if kind else (stem, _CQ_TABLE)
    beside = [
        other
        for other in _listed(path.parent, run_name)
        if other.name != path.name and wanted.fullmatch(ending.sub("", other.name)[len(run_name) :])
    ]
    return [other for other in beside if ending.search(other.name)][: MOST_FILES + 1]


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
