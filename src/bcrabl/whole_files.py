"""Files that appear under their name whole or not at all, whatever kills the process that writes them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["replacing", "write_text"]


class replacing:  # noqa: N801 - reads as a verb: with replacing(path) as temporary
    """Context manager: a temporary path beside `path` that replaces it on success and vanishes on failure."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._temporary = self._path.with_name(f".{self._path.name}.part")

    def __enter__(self) -> Path:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            _flush_to_disk(self._temporary)
            self._temporary.replace(self._path)
        else:
            with suppress(FileNotFoundError):
                self._temporary.unlink()


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_text(text: str, path: str | Path) -> None:
    """Write a UTF-8 text file, whole or not at all, with line feeds on every system."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))
