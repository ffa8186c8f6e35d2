"""One simulated run, and the truth behind its samples.

Chance comes from three streams of one seed (pipetting, amplification, optics), so that a plate read with other optics
holds the same molecules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from bcrabl.errors import Problem, RunError
from bcrabl.run import Run
from bcrabl.simulation.amplification import KINETICS, Kinetics, amplify, draw_template
from bcrabl.simulation.plate import BCR_ABL1, DEFECTS, Reaction, check_plate
from bcrabl.simulation.reading import Optics, mean_one, read_plate
from bcrabl.tables import REACTIONS, TRUTH

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["SampleTruth", "simulate_run", "truth_of_samples"]

_NOT_SAMPLES = ("std", "ntc", "nac", "nrt", "opt")


class SampleTruth(TypedDict):
    """The truth of one sample; copies are expected molecules summed over its replicates."""

    sample_id: str
    role: str
    bcr_abl_copies: float
    control_copies: float
    ratio_percent: float | None


def simulate_run(
    plate: Sequence[Reaction],
    *,
    seed: int,
    kinetics: Mapping[str, Kinetics] | None = None,
    optics: Optics | None = None,
    cycles: int = 50,
    volume_cv: float = 0.03,
    run_date: str = "2026-01-01",
) -> Run:
    """A run with known truth: raw curves of every reaction of the plate.

    Parameters
    ----------
    plate : reactions, in the order of the rows to come.
    seed : of all randomness; the same seed gives the same bytes.
    kinetics : per target; `KINETICS` where None or not named.
    optics : how the instrument reads; `Optics()` where None.
    cycles : number m of cycles.
    volume_cv : spread of the template volume between wells (pipetting); targets of one well share it.
    run_date : ISO date for the metadata.

    Returns
    -------
    Run of stage `raw`, with `truth` (`bcrabl.tables.TRUTH`) in the order of `reactions`.

    Raises
    ------
    RunError : the plate cannot be simulated.

    Examples
    --------
    >>> from bcrabl.simulation import replicate_plate, simulate_run
    >>> run = simulate_run(replicate_plate("BCR::ABL1", [1000.0], 3, role="std"), seed=1)
    >>> run.fluorescence.shape
    (3, 50)
    """
    every = {**KINETICS, **(kinetics or {})}
    check_plate(plate, every)
    pipetting, copying, seeing = _streams(seed)
    optics = optics or Optics()
    well = _well_numbers(plate)
    expected = np.array([reaction.copies for reaction in plate], dtype=np.float64)
    volume = mean_one(volume_cv, int(well.max(initial=-1)) + 1, pipetting)[well]
    template = draw_template(expected, volume, pipetting)
    rise = _rise(plate, template, every, optics, cycles, copying) + _defects(plate, cycles)
    dye, passive = read_plate(rise, well, optics, seeing)
    return Run(
        reactions=_reactions(plate, every),
        cycles=np.arange(1, cycles + 1, dtype=np.float64),
        fluorescence=dye,
        passive_reference=passive,
        stage="raw",
        metadata=_metadata(run_date, passive is not None),
        truth=_truth(plate, template),
    )


def _streams(seed: int) -> list[np.random.Generator]:
    return [np.random.Generator(np.random.PCG64(child)) for child in np.random.SeedSequence(seed).spawn(3)]


def _well_numbers(plate: Sequence[Reaction]) -> NDArray[np.int64]:
    number: dict[str, int] = {}
    return np.array([number.setdefault(reaction.well, len(number)) for reaction in plate], dtype=np.int64)


def _rise(
    plate: Sequence[Reaction],
    template: NDArray[np.float64],
    kinetics: Mapping[str, Kinetics],
    optics: Optics,
    cycles: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """(n, m) array, ΔRn: every copying cuts one probe, so that signal follows the product made, not the template."""
    own = [kinetics[reaction.target] for reaction in plate]
    efficiency = np.array([_efficiency(reaction, one) for reaction, one in zip(plate, own, strict=True)], dtype=float)
    per_copy = np.array([one.signal_per_copy for one in own], dtype=float)
    competition = np.array([one.competition for one in own], dtype=float) / per_copy
    plateau = np.array([one.plateau for one in own], dtype=float) * mean_one(optics.plateau_cv, len(own), rng)
    product = amplify(template, efficiency, competition, plateau / per_copy, cycles, rng)
    rise: NDArray[np.float64] = (product - template[:, None]) * per_copy[:, None]
    return rise


def _efficiency(reaction: Reaction, kinetics: Kinetics) -> float:
    if reaction.defect == "flat":
        return 0.0
    return kinetics.efficiency if reaction.efficiency is None else reaction.efficiency


def _defects(plate: Sequence[Reaction], cycles: int) -> NDArray[np.float64]:
    added = np.zeros((len(plate), cycles))
    numbers = np.arange(1, cycles + 1, dtype=np.float64)
    for row, reaction in enumerate(plate):
        if reaction.defect:
            added[row] = DEFECTS[reaction.defect](numbers)
    return added


def _metadata(run_date: str, passive_reference: bool) -> dict[str, object]:
    return {
        **({"passive_reference": "ROX"} if passive_reference else {}),
        "format": "simulated",
        "instrument": "bcrabl simulation (not a real instrument)",
        "run_date": run_date,
        "warnings": (),
    }


def _reactions(plate: Sequence[Reaction], kinetics: Mapping[str, Kinetics]) -> pa.Table:
    return REACTIONS.from_rows(
        {
            "well": reaction.well,
            "target": reaction.target,
            "dye": kinetics[reaction.target].dye,
            "role": reaction.role,
            "sample_id": reaction.sample_id,
            "known_copies": reaction.known_copies,
        }
        for reaction in plate
    )


def _truth(plate: Sequence[Reaction], template: NDArray[np.float64]) -> pa.Table:
    return TRUTH.from_rows(
        {
            "well": reaction.well,
            "target": reaction.target,
            "expected_copies": float(reaction.copies),
            "drawn_copies": float(drawn),
        }
        for reaction, drawn in zip(plate, template, strict=True)
    )


def truth_of_samples(run: Run, *, control_gene: str | None = None) -> list[SampleTruth]:
    """The truth of each patient's sample and positive control of a simulated run, in the order of the plate.

    Parameters
    ----------
    run : of `simulate_run`.
    control_gene : needed only where the run holds more than one.

    Returns
    -------
    One row per sample; `ratio_percent` = 100 × BCR::ABL1 / control gene (local scale), None without control gene.

    Raises
    ------
    RunError : the run carries no truth, or the control gene cannot be told.
    """
    if run.truth is None:
        raise RunError(Problem("run", "no truth", "a run of bcrabl.simulate_run"))
    gene = control_gene or _only_control_gene(run)
    sums: dict[str, SampleTruth] = {}
    for who, what in zip(run.reactions.to_pylist(), run.truth.to_pylist(), strict=True):
        if who["role"] in _NOT_SAMPLES or who["target"] not in (BCR_ABL1, gene):
            continue
        row = sums.setdefault(who["sample_id"], _no_copies(who["sample_id"], who["role"]))
        if who["target"] == BCR_ABL1:
            row["bcr_abl_copies"] += what["expected_copies"]
        else:
            row["control_copies"] += what["expected_copies"]
    return [_with_ratio(row) for row in sums.values()]


def _only_control_gene(run: Run) -> str:
    genes: list[str] = sorted(set(run.reactions["target"].to_pylist()) - {BCR_ABL1})
    if len(genes) != 1:
        found = f"{len(genes)} control genes ({', '.join(genes)})" if genes else "no control gene"
        raise RunError(Problem("run", found, "exactly one", "Name it: truth_of_samples(run, control_gene=…)."))
    return genes[0]


def _no_copies(sample_id: str, role: str) -> SampleTruth:
    return {"sample_id": sample_id, "role": role, "bcr_abl_copies": 0.0, "control_copies": 0.0, "ratio_percent": None}


def _with_ratio(row: SampleTruth) -> SampleTruth:
    ratio = 100.0 * row["bcr_abl_copies"] / row["control_copies"] if row["control_copies"] else None
    return {**row, "ratio_percent": ratio}
