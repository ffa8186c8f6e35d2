"""What the page of a run is made from: rows of the tables, signals of the curves, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Origin", "RunContent", "Signals"]

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Signals:
    """The curves of one target of a run, as the analysis saw them.

    Parameters
    ----------
    target : its name.
    unit : `Rn` where a passive reference divided the signal, else `a.u.`.
    wells : (n,) names.
    cycles : (m,).
    signal : (n, m), NaN where a reading is missing.
    """

    target: str
    unit: str
    wells: tuple[str, ...]
    cycles: Array
    signal: Array


@dataclass(frozen=True)
class Origin:
    """Where the content of a page comes from, so that the page proves what it shows.

    Parameters
    ----------
    versions : (what, version) of program, tables and libraries.
    files : (what, name, SHA-256) of the raw file, the protocol and every table.
    settings : (column, value) of the run sheet.
    protocol : text of the assay protocol.
    """

    versions: Sequence[tuple[str, str]] = ()
    files: Sequence[tuple[str, str, str]] = ()
    settings: Sequence[tuple[str, str]] = ()
    protocol: str = ""


@dataclass(frozen=True)
class RunContent:
    """All that the page of a run shows.

    Parameters
    ----------
    run : its entry in the status of its batch (`run_id`, `site`, `assay`, `outcome`, `why`, …).
    results, standard_curves, checks : rows of results, standard_curves and qc of the run.
    reactions : rows of cq, each with the columns of copies and what the export said (`vendor_cq`, `vendor_call`).
    signals : curves by target.
    origin : where all this comes from.
    """

    run: Row
    results: Sequence[Row] = ()
    standard_curves: Sequence[Row] = ()
    checks: Sequence[Row] = ()
    reactions: Sequence[Row] = ()
    signals: Sequence[Signals] = ()
    origin: Origin = field(default_factory=Origin)
