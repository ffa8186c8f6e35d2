"""Draw the figure of docs/validation.md: composed pairs of real dilution series, measured against true.

    python docs/make_validation_figure.py [FOLDER, docs without]

Needs the real data (BCRABL_TEST_DATA). The same code and data draw the same bytes, and a test notices when the figure
is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from validation import LEVELS, Composed, composed, usable, vermeulen_series

from bcrabl.report.figures import Axis, Figure, Line, Mark, Panel, Points, Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

BREADTH = 0.7  # decades over which the samples of one ratio are spread


def ratio_figure(samples: Composed) -> Figure:
    """Left, measured against true ratio; right, the same over the true ratio, ordered within each."""
    one_fold = samples.rows((samples.fold == 0) & samples.detected)
    x = side_by_side(one_fold)
    truth = Axis("true ratio (samples of one ratio side by side)", 2e-5, 5.0, logarithmic=True)
    measured = Panel(
        truth,
        Axis("measured ratio, 95 % interval", 3e-6, 30.0, logarithmic=True),
        [*marks(one_fold, x, np.ones_like(x)), true_ratios()],
        "Measured against true",
    )
    relative = Panel(
        truth,
        Axis("measured / true, 95 % interval", 0.1, 10.0, logarithmic=True),
        [*marks(one_fold, x, one_fold.truth), Rule(1.0, along="y", colour="muted", dash="dotted")],
        "Over the true ratio",
    )
    return Figure(
        [measured, relative],
        "Composed plates: ratios of two real dilution series",
        "Left, ratio measured against true ratio from 0.0001 to 1 with 95 % intervals. Right, the same over the true "
        "ratio, samples ordered by what was found. Samples whose interval does not hold the truth stand apart.",
        columns=2,
        width=960.0,
        plot_height=320.0,
    )


def side_by_side(samples: Composed) -> Array:
    """Where samples stand: around their true ratio, in the order of what was found."""
    x = np.empty(len(samples.truth))
    for level in np.unique(samples.truth):
        here = samples.truth == level
        rank = samples.found[here].argsort(kind="stable").argsort(kind="stable")
        x[here] = level * 10.0 ** (BREADTH * ((rank + 0.5) / here.sum() - 0.5))
    return x


def true_ratios() -> Mark:
    """A level stroke for each true ratio; NaN lifts the pen."""
    truth, half = np.array(LEVELS) / LEVELS[0], 10.0 ** (0.65 * BREADTH)
    gap = np.full_like(truth, np.nan)
    across, up = np.column_stack([truth / half, truth * half, gap]), np.column_stack([truth, truth, gap])
    return Line(across.ravel(), up.ravel(), name="true ratio", colour="ink", width=1.2)


def marks(samples: Composed, x: Array, unit: Array) -> list[Mark]:
    """Intervals and points, in two colours."""
    drawn: list[Mark] = []
    for held, colour, name in ((True, "blue", "interval holds the truth"), (False, "vermillion", "it does not")):
        some = samples.holds == held
        if not some.any():
            continue
        low, high, gap = samples.low[some] / unit[some], samples.high[some] / unit[some], np.full(some.sum(), np.nan)
        across = np.column_stack([x[some], x[some], gap]).ravel()
        drawn.append(Line(across, np.column_stack([low, high, gap]).ravel(), width=1.0, opacity=0.5, colour=colour))
        drawn.append(Points(x[some], samples.found[some] / unit[some], name=name, colour=colour, size=1.8))
    return drawn


def main(folder: Path) -> None:
    """Write the figure."""
    series, _ = usable(vermeulen_series())
    (folder / "validation_ratio.svg").write_bytes(ratio_figure(composed(series)).svg().encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
