"""The curves of an MxPro document, by the library mxp; run by `isolated_child`.

The library finds its way by sizes and separators, so what it gives is checked against the bytes: every reading must
stand in the document in the order of its cycles, one reading per well and cycle.
"""

from __future__ import annotations

from typing import Any

try:  # before the limits are set: pandas, which the library needs, reserves much
    import mxp
    import numpy as np
    import olefile
except ImportError:
    mxp = None

_CURVES = "Storage2/Stream2"
_ABOUT = "Storage4/Stream4"
_STRIDE = 10  # bytes from one reading to the next, where there is one reading per cycle
_TEMPERATURE = 4  # bytes from a fluorescence to its temperature
_MISSING = "missing library"
_SEVERAL = "several readings in a cycle"
_UNCLEAR = "wells in use unclear"


def work(content: bytes) -> dict[str, Any]:
    """Cycles, wells and their curves; or under `problem` why there are none."""
    if mxp is None:
        return {"problem": _MISSING}
    readings = mxp.read_mxp(content)
    with olefile.OleFileIO(content) as document:
        layout = mxp.discover_fileformat(document)
        names, assays, types, _ = mxp.extract_well_names_and_assay_names(document, layout)
        stream = document.openstream(_CURVES).read()
        about = document.openstream(_ABOUT).read() if document.exists(_ABOUT) else b""
    if not _used_wells_agree(names, assays, types):
        return {"problem": _UNCLEAR}
    wells = readings["Well"].to_numpy()
    curves = []
    for well in dict.fromkeys(wells.tolist()):
        rows = readings[wells == well]
        fluorescence = rows["Fluorescence"].to_numpy().astype(int)
        if not _stands_in(stream, fluorescence, np.round(rows["Temperature"].to_numpy() * 10).astype(int)):
            return {"problem": _SEVERAL}
        curves.append(
            {
                "number": int(well) + 1,
                "name": names[well].decode("cp1252", "replace"),
                "assay": assays[well].decode("cp1252", "replace"),
                "type": types[well].decode("cp1252", "replace"),
                "fluorescence": fluorescence.tolist(),
            }
        )
    return {"curves": curves, "about": about.decode("cp1252", "replace")}


def _used_wells_agree(names: Any, assays: Any, types: Any) -> bool:
    """Whether the wells with a type and those with a name or assay differ by more than some of one kind.

    The library takes the smaller group for the wells in use; where neither lies in the other, that is a guess.
    """
    typed = {place for place, kind in enumerate(types) if kind}
    named = {place for place, (name, assay) in enumerate(zip(names, assays)) if name or assay}  # noqa: B905 - numpy
    return typed <= named or named <= typed


def _stands_in(stream: bytes, fluorescence: Any, temperature: Any) -> bool:
    """Whether these readings follow each other in the stream, each with its temperature."""
    pairs = np.frombuffer(stream, dtype=np.uint8).astype(np.int64)
    values = pairs[:-1] + 256 * pairs[1:]
    last = len(values) - (len(fluorescence) - 1) * _STRIDE - _TEMPERATURE
    if last <= 0:
        return False
    places = np.arange(last)
    for cycle, (signal, degrees) in enumerate(zip(fluorescence, temperature)):  # noqa: B905 - of one table
        at = places + cycle * _STRIDE
        places = places[(values[at] == signal) & (values[at + _TEMPERATURE] == degrees)]
    return bool(places.size)
