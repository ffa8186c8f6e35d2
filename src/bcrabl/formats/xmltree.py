"""XML from outside: refused where it declares anything, parsed by the standard library, freed of namespaces.

Export files mix prefixed, default and absent namespaces within one file, so elements are known by local name only.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bcrabl.errors import DamagedFile, Problem

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["LARGEST_XML", "collector_paused", "parse", "refuse_declarations", "root_name"]

LARGEST_XML = 64 * 1024 * 1024  # bytes; a tree takes some 30 times that; the largest real export met is 7 MB
_DECLARATIONS = ("<!DOCTYPE", "<!ENTITY")
_PROLOGUE = re.compile(r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\])?\s*>", re.DOTALL)
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)[\s/>]")


def root_name(head: str) -> str | None:
    """The local name of the root element, seen in the beginning of a document, or None where it is no XML."""
    position = 0
    while skipped := _PROLOGUE.match(head, position):
        position = skipped.end()
    root = _ROOT.match(head, position)
    return root.group(1) if root else None


def parse(content: bytes, where: str) -> Element:
    """The root element of a document, with local names for tags.

    Parameters
    ----------
    content : the document, in any encoding that its first line declares.
    where : what error texts call it.

    Raises
    ------
    DamagedFile : it is too large, not well-formed, or holds a document type or entity declaration.
    """
    from xml.etree import ElementTree as ET

    if len(content) > LARGEST_XML:
        raise _damaged(where, f"XML of {len(content)} bytes", f"at most {LARGEST_XML} bytes")
    refuse_declarations(content, where)
    try:
        root = ET.fromstring(content)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise _damaged(where, f"XML that is not well-formed ({error})", "a whole document") from error
    _drop_namespaces(root)
    return root


def refuse_declarations(content: bytes, where: str) -> None:
    """Refuse documents that could expand entities or fetch others.

    Raises
    ------
    DamagedFile : there is a document type or entity declaration, in UTF-8 or UTF-16.
    """
    for declaration in _DECLARATIONS:
        if any(declaration.encode(encoding) in content for encoding in ("utf-8", "utf-16-le", "utf-16-be")):
            raise _damaged(where, f"{declaration}", "XML without declarations of document types or entities")


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking a growing tree again and again: it holds no cycles to be found.

    Reading is two to three times as fast for it. The tree is freed when its last reference goes, with or without.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _drop_namespaces(root: Element) -> None:
    local: dict[str, str] = {}
    for element in root.iter():
        tag = element.tag
        if tag not in local:
            local[tag] = tag.rpartition("}")[2]
        element.tag = local[tag]


def _damaged(where: str, found: str, expected: str) -> DamagedFile:
    return DamagedFile(Problem(where, found, expected, "Export or copy the file again."))
