"""From template molecules to product: what happens inside the wells.

Symbols: N molecules of product in a reaction, E probability that a molecule is copied in a cycle, k product at which
re-annealing competes with priming, P product at which the primers are used up; n reactions, m cycles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["KINETICS", "SIGNAL_PER_COPY", "Kinetics", "amplify", "draw_template", "low_efficiency"]

SIGNAL_PER_COPY = 1.61e-13
"""ΔRn per molecule of product: one molecule that doubles 0.99-fold per cycle reaches ΔRn = 0.1 at cycle 39.5, the
order of the intercept that the EAC plasmids gave at that threshold (39 to 40; Gabert 2003, Leukemia 17:2318)."""

_BRANCHING_BELOW = 1e5  # above, chance moves the product by less than 0.1 % of a cycle's growth


@dataclass(frozen=True)
class Kinetics:
    """How one target amplifies and shines.

    Parameters
    ----------
    efficiency : probability that a molecule is copied in a cycle of the early phase; 1 is doubling.
    plateau : ΔRn at which the primers are used up.
    competition : ΔRn at which re-annealing of product competes with priming (the k of MAK2).
    signal_per_copy : ΔRn that one molecule of product gives.
    dye : reporter dye of the hydrolysis probe.
    """

    efficiency: float = 0.99
    plateau: float = 3.0
    competition: float = 1.0
    signal_per_copy: float = SIGNAL_PER_COPY
    dye: str = "FAM"


KINETICS: Mapping[str, Kinetics] = {
    "BCR::ABL1": Kinetics(efficiency=0.99, plateau=3.0),
    "ABL1": Kinetics(efficiency=0.985, plateau=2.6),
    "GUSB": Kinetics(efficiency=0.98, plateau=2.8),
    "BCR": Kinetics(efficiency=0.98, plateau=2.7),
}
"""The kinetics of a target in a good run, unless the caller says otherwise."""


def low_efficiency(efficiency: float = 0.75, kinetics: Mapping[str, Kinetics] = KINETICS) -> dict[str, Kinetics]:
    """The same targets in a run that amplifies badly: 0.75 gives a slope of -4.1 cycles per decade."""
    return {target: replace(one, efficiency=efficiency) for target, one in kinetics.items()}


def draw_template(
    expected: NDArray[np.float64], volume: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Template molecules that really get into each reaction.

    Parameters
    ----------
    expected : (n,) array, copies per reaction at the nominal volume.
    volume : (n,) array, volume really pipetted per nominal volume, 1 on average.

    Returns
    -------
    (n,) array of whole molecules, Poisson with mean expected × volume.
    """
    return rng.poisson(expected * volume).astype(np.float64)


def amplify(
    template: NDArray[np.float64],
    efficiency: NDArray[np.float64],
    competition: NDArray[np.float64],
    ceiling: NDArray[np.float64],
    cycles: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Molecules of product after each cycle.

    Parameters
    ----------
    template : (n,) array, molecules before the first cycle.
    efficiency : (n,) array, probability in [0, 1] that a molecule is copied in an early cycle.
    competition, ceiling : (n,) arrays, molecules: k and P.
    cycles : number m of cycles.

    Returns
    -------
    (n, m) array, molecules.

    Notes
    -----
    A molecule is copied with probability p = E · ln(1 + N/k) / (N/k) · (1 - N/P): MAK2, the mass-action model of
    re-annealing against priming (Boggy & Woolf 2010, PLoS ONE 5:e12355), which alone never levels off, times the
    share of primers left. While molecules are few each is copied or not by chance, a branching process, whose early
    luck stays with the curve (Peccoud & Jacob 1996, Biophys J 71:101); later the mean is taken.
    """
    product = template.astype(np.float64)
    course = np.empty((len(product), cycles))
    for cycle in range(cycles):
        chance = _copying_probability(product, efficiency, competition, ceiling)
        copied = product * chance
        few = (product > 0) & (product < _BRANCHING_BELOW)
        copied[few] = rng.binomial(product[few].astype(np.int64), chance[few])
        product = product + copied
        course[:, cycle] = product
    return course


def _copying_probability(
    product: NDArray[np.float64],
    efficiency: NDArray[np.float64],
    competition: NDArray[np.float64],
    ceiling: NDArray[np.float64],
) -> NDArray[np.float64]:
    crowding = np.maximum(product / competition, 1e-12)  # the limit at 0 is 1; 1e-12 is 1 to the last bits
    primed = np.log1p(crowding) / crowding
    primers_left = np.clip(1.0 - product / ceiling, 0.0, 1.0)
    return np.asarray(np.clip(efficiency * primed * primers_left, 0.0, 1.0))
