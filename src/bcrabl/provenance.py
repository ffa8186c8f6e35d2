"""What was read, by which code: digests that make a result traceable and tell Snakemake what changed.

Standard library only: the Snakefile imports this while it is parsed.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

__all__ = ["code_digest", "file_digest", "files_digest"]

_PACKAGE = "bcrabl"
_BLOCK = 1 << 20


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def files_digest(paths: Iterable[str | Path]) -> str:
    """One digest of the contents of several files in their order; one that cannot be read counts as missing."""
    return hashlib.sha256("\n".join(_digest_or_missing(path) for path in paths).encode()).hexdigest()


def _digest_or_missing(path: str | Path) -> str:
    try:
        return file_digest(path)
    except OSError:  # whoever reads the file for its content says why
        return "missing"


def code_digest(script: str | Path) -> str:
    """Digest of a script and of every module of this package that it imports, directly or not.

    Snakemake does not see a change in an imported package; as a parameter of a rule this digest lets it. Imports are
    read from the source, those inside functions too; a package counts with all its modules.

    Parameters
    ----------
    script : a Python file.
    """
    files = {Path(script), *_imported(Path(script))}
    labelled = sorted((_label(path), path) for path in files)
    lines = [f"{label} {file_digest(path)}" for label, path in labelled]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _label(path: Path) -> str:
    """The module's place inside the package: the same in every checkout."""
    root = Path(__file__).parent
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _imported(script: Path) -> set[Path]:
    found: set[Path] = set()
    followed: set[str] = set()  # a room of a hundred modules is named a thousand times and listed once
    waiting = [script]
    while waiting:
        names = _imported_names(waiting.pop().read_text(encoding="utf-8"))
        places = {_place(name) for name in names} - followed
        followed |= places
        for path in set().union(*(_module_files(place) for place in places)) - found:
            found.add(path)
            if path.suffix == ".py" and path != _face():  # the face names everything and loads nothing by itself
                waiting.append(path)
    return found


@cache
def _imported_names(source: str) -> frozenset[str]:
    """Modules of this package that a source imports anywhere; names taken from modules may be modules too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(name for name in names if name.split(".")[0] == _PACKAGE)


def _place(name: str) -> str:
    """The part of a module's name that decides its files: a room counts whole."""
    return ".".join(name.split(".")[:2])


def _module_files(name: str) -> set[Path]:
    """The module's file; all files of the room it is or lies in, templates too."""
    parts = name.split(".")
    if len(parts) == 1:
        return {_face()}
    room = _face().parent / parts[1]
    if room.is_dir():
        return {path for path in room.rglob("*") if path.is_file() and path.parent.name != "__pycache__"}
    module = room.with_suffix(".py")
    return {module} if module.is_file() else set()


def _face() -> Path:
    return Path(__file__).parent / "__init__.py"
