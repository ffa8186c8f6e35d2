"""Copies of the shipped standards with one thing changed."""

from __future__ import annotations

from pathlib import Path

import yaml


def changed_copy(folder: Path, original: Path, change) -> Path:
    """The path of a copy of a shipped file in `folder`, after `change` was applied to what it holds."""
    document = yaml.safe_load(original.read_text(encoding="utf-8"))
    change(document)
    path = folder / original.name
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def put(*steps, value):
    """The change that sets one place of a document; value None takes it away."""

    def change(document):
        for step in steps[:-1]:
            document = document[step]
        if value is None:
            del document[steps[-1]]
        else:
            document[steps[-1]] = value

    return change
