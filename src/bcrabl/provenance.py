"""What was read, by which code: digests that make a result traceable and tell Snakemake what changed.

Standard library only: the Snakefile imports this while it is parsed.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
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
    """One digest of the contents of several files in their order; a missing file counts as missing."""
    digests = (file_digest(path) if Path(path).is_file() else "missing" for path in paths)
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


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
    waiting = [script]
    while waiting:
        for path in _direct_imports(waiting.pop()):
            if path not in found:
                found.add(path)
                waiting.append(path)
    return found


def _direct_imports(source: Path) -> set[Path]:
    files: set[Path] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            files |= _module_files(name)
    return files


def _module_files(name: str) -> set[Path]:
    parts = name.split(".")
    if parts[0] != _PACKAGE or len(parts) == 1:
        return set()
    place = Path(__file__).parent.joinpath(*parts[1:])
    if place.is_dir():
        return set(place.rglob("*.py"))
    module = place.with_suffix(".py")
    return {module} if module.is_file() else set()
