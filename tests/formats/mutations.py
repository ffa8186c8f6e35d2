"""Damage to export files, for the tests and the fuzz run: what disks, editors and attackers do to them."""

from __future__ import annotations

import importlib
import io
import random
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

Files = Mapping[str, bytes]

_STRANGE = [
    *(b"nan", b"inf", b"-inf", b"-1", b"0", b"1e999", b"1e308", b"-1e308", b"99999999999999999999", b"1_0", b"0x10"),
    *(b"", b" ", b"\t", b",", b";", b'"', b"\r\n", b"\0", b"\xff", b"<", b"&", b"]]>", b"A0", b"ZZ9999", b"A1"),
    *(b"<!DOCTYPE x>", b"../../etc/passwd", b"=1+1", b"1,234", b"1.234,5", "٣".encode(), "½".encode(), b"\xe2\x80\xae"),
]


def samples() -> dict[str, Files]:
    """A small valid file, or the files of a folder, for every layout that is read, by `<builders>: <layout>`."""
    found: dict[str, Files] = {}
    for path in sorted(Path(__file__).parent.glob("*_builders.py")):
        module = importlib.import_module(path.stem)
        if hasattr(module, "samples"):
            room = path.stem.removesuffix("_builders")
            found |= {f"{room}: {name}": files for name, files in module.samples().items()}
    return found


def mutated(files: Files, chance: random.Random) -> dict[str, bytes]:
    """The files with one of them damaged once or a few times."""
    name = chance.choice(sorted(files))
    content = files[name]
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        content = _damaged(content, chance)
    return {**files, name: content or b"\0"}


def _damaged(content: bytes, chance: random.Random) -> bytes:
    if content.startswith(b"PK") and chance.random() < 0.7:
        return _damaged_member(content, chance)
    return chance.choice(_DAMAGES)(content, chance)


def _damaged_member(content: bytes, chance: random.Random) -> bytes:
    """A zip with damage inside one member: what checksums of the container would otherwise catch."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {member.filename: archive.read(member) for member in archive.infolist()}
    except Exception:  # noqa: BLE001 - an earlier damage broke the container
        return _flip(content, chance)
    if not members:
        return content
    name = chance.choice(sorted(members))
    members[name] = chance.choice(_DAMAGES)(members[name], chance)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for member, inside in members.items():
            archive.writestr(member, inside)
    return packed.getvalue()


def _place(content: bytes, chance: random.Random) -> int:
    return chance.randrange(len(content) + 1)


def _flip(content: bytes, chance: random.Random) -> bytes:
    if not content:
        return content
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ (1 << chance.randrange(8))]) + content[place + 1 :]


def _any_byte(content: bytes, chance: random.Random) -> bytes:
    place = _place(content, chance)
    return content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]


def _truncate(content: bytes, chance: random.Random) -> bytes:
    return content[: _place(content, chance)]


def _cut_out(content: bytes, chance: random.Random) -> bytes:
    first, last = sorted((_place(content, chance), _place(content, chance)))
    return content[:first] + content[last:]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    first, last = sorted((_place(content, chance), _place(content, chance)))
    return content[:last] + content[first:last] * chance.choice((1, 1, 20)) + content[last:]


def _insert(content: bytes, chance: random.Random) -> bytes:
    place = _place(content, chance)
    return content[:place] + chance.choice(_STRANGE) + content[place:]


def _replace_token(content: bytes, chance: random.Random) -> bytes:
    """Something strange instead of a cell, an attribute or a number."""
    first = last = _place(content, chance)
    ends = b"\t,;\"'<>{}[]= \r\n"
    while first > 0 and content[first - 1] not in ends:
        first -= 1
    while last < len(content) and content[last] not in ends:
        last += 1
    return content[:first] + chance.choice(_STRANGE) + content[last:]


def _swap_lines(content: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


_DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_flip, _any_byte, _truncate, _cut_out, _repeat, _insert, _insert),
    *(_replace_token, _replace_token, _replace_token, _swap_lines),
)
