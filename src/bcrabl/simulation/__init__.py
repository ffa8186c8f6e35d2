"""Plates with known truth: what a thermocycler would export for reactions whose copies are known.

    reactions ──draw──▶ template ──amplify──▶ product ──read──▶ dye and passive reference ──▶ Run with truth

The physics knows nothing of the sigmoid that `bcrabl.curves` fits: molecules are copied one by one, the product gets
in its own way, primers run out, and optics add what optics add. Symbols: n reactions, w wells, m cycles.
"""

from __future__ import annotations

from bcrabl.simulation.amplification import Kinetics, amplify, draw_template, low_efficiency
from bcrabl.simulation.plate import DEFECTS, Reaction, Sample, replicate_plate, sample_plate, well_names
from bcrabl.simulation.reading import Optics, read_plate
from bcrabl.simulation.run import SampleTruth, simulate_run, truth_of_samples

__all__ = [
    "DEFECTS",
    "Kinetics",
    "Optics",
    "Reaction",
    "Sample",
    "SampleTruth",
    "amplify",
    "draw_template",
    "low_efficiency",
    "read_plate",
    "replicate_plate",
    "sample_plate",
    "simulate_run",
    "truth_of_samples",
    "well_names",
]
