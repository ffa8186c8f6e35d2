"""Damaged and hostile exports of every layout: a run, or an error of ours; never anything else.

A longer run of the same damage: `python benchmarks/fuzz_formats.py`.
"""

from __future__ import annotations

import contextlib
import random

import pytest
from mutations import Files, mutated, samples

from bcrabl.errors import BcrablError
from bcrabl.formats import RawFile, recognise

SAMPLES = samples()
SMALL = 3000  # bytes; files this small are tried with every byte flipped


def raw_file(files: Files) -> RawFile:
    members = tuple(RawFile(name, content) for name, content in files.items())
    return members[0] if len(members) == 1 else RawFile("folder", b"", members)


def read_or_refuse(files: Files) -> None:
    source = raw_file(files)
    with contextlib.suppress(BcrablError):
        run = recognise(source).read(source, None)
        assert run.signal.shape == (run.reactions.num_rows, len(run.cycles))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_layout_has_a_small_file_that_is_read(name):
    source = raw_file(SAMPLES[name])
    assert recognise(source).read(source, None).reactions.num_rows > 0


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_files_are_read_or_refused(name):
    chance = random.Random(name)
    # Those read in a process of their own take a tenth of a second each
    tries = 5 if any(content.startswith((b"\xd0\xcf\x11\xe0", b"PAR1")) for content in SAMPLES[name].values()) else 60
    for _ in range(tries):
        read_or_refuse(mutated(SAMPLES[name], chance))


@pytest.mark.parametrize(
    "name", [name for name, files in SAMPLES.items() if len(files) == 1 and len(next(iter(files.values()))) < SMALL]
)
def test_any_flipped_byte_of_a_small_file_is_read_or_refused(name):
    ((member, content),) = SAMPLES[name].items()
    for place in range(len(content)):
        bit = 1 << (place % 8)
        read_or_refuse({member: content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]})
