"""One run that an instrument exported in two formats must come out the same of both."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bcrabl.errors import FormatNotRecognised
from bcrabl.formats import RawFile, read_run


@pytest.mark.real_data
def test_an_eds_and_the_7500_workbook_of_the_same_run_agree_in_every_reading(real_data):
    """The RNase P plate of PCRuniversum/RDML: 24 wells × 40 cycles of FAM, ROX and TAMRA are 2,880 readings."""
    workbook = read_run(real_data("eds_7500", "7500_std.xls"))
    try:
        document = read_run(real_data("eds_7500", "sce.eds"))
    except FormatNotRecognised:
        pytest.skip("no reader of eds documents is registered")
    # The samples are called 10 000 here and 10000 there, so the files themselves
    same = ["well", "target", "dye", "role", "known_copies"]
    assert document.reactions.select(same).to_pylist() == workbook.reactions.select(same).to_pylist()
    assert workbook.stage == document.stage == "raw"
    assert workbook.fluorescence.shape == (24, 40)
    assert np.array_equal(document.fluorescence, workbook.fluorescence)
    assert document.passive_reference is not None
    assert np.array_equal(document.passive_reference, workbook.passive_reference)


@pytest.mark.real_data
def test_the_three_dyes_of_the_7500_workbook_are_2880_readings_of_the_eds(real_data):
    """TAMRA is the quencher of the probe, so that no run holds it: compared from the files themselves."""
    table = RawFile.from_path(real_data("eds_7500", "7500_std.xls")).workbook.sheet("Multicomponent Data").table("Well")
    wells = table.texts("Well")
    filled = [row for row, fam in enumerate(table.texts("FAM")) if fam]
    in_workbook = {
        (wells[row], int(float(cycle)), dye): value
        for dye in ("FAM", "ROX", "TAMRA")
        for row, cycle, value in zip(
            filled, table.numbers("Cycle", filled, []), table.numbers(dye, filled, []).tolist(), strict=True
        )
    }
    assert len(in_workbook) == 2880
    archive = RawFile.from_path(real_data("eds_7500", "sce.eds")).archive
    member = next(name for name in archive.names if name.replace("\\", "/").endswith("multicomponent_data.txt"))
    text = archive.read(member).decode("latin-1")
    # Both hold single precision; the document spells it with the fewest digits, the workbook with all
    stated = {np.float32(number) for number in re.findall(r"\t([0-9.]+(?:E[0-9]+)?)(?=\t)", text)}
    assert {np.float32(value) for value in in_workbook.values()} <= stated
