"""The look of every figure: colours for light and dark, type sizes, and the style sheet that carries them.

Series take their colours from the palette of Okabe & Ito 2008 ("Color Universal Design", jfly.uni-koeln.de/color),
which stays apart in every common kind of colour blindness; on dark paper blue gives way to the palette's sky blue.
Text is ink, never a series colour. Colours are CSS custom properties, so that a page may set its own; each rule names
the light colour first, for programs that do not know custom properties.
"""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["CHARACTER_WIDTH", "COLOURS", "DASHES", "ROOT_CLASS", "SERIES", "SMALL", "TEXT", "TITLE", "stylesheet"]

ROOT_CLASS = "bcrabl-figure"
TEXT, SMALL, TITLE = 13, 12, 14  # px
CHARACTER_WIDTH = 0.56  # of the type size, mean of system sans-serif faces: what a text is taken to need

COLOURS = MappingProxyType(
    {
        "paper": ("#ffffff", "#14171c"),
        "ink": ("#1b1f24", "#e8ebee"),
        "muted": ("#56606b", "#a9b3bd"),
        "grid": ("#e1e5e9", "#2c333b"),
        "blue": ("#0072b2", "#56b4e9"),
        "vermillion": ("#d55e00", "#d55e00"),
        "green": ("#009e73", "#009e73"),
        "purple": ("#cc79a7", "#cc79a7"),
    }
)
"""Name → colour on light and on dark paper."""

SERIES = ("blue", "vermillion", "green", "purple", "ink")
"""Colours of series, in the order of their use."""

DASHES = MappingProxyType({"solid": "", "dashed": "7 4", "dotted": "1.5 4"})

_FAMILY = "system-ui,-apple-system,'Segoe UI','DejaVu Sans',Arial,sans-serif"


def stylesheet() -> str:
    """CSS of all figures; stands once in a page, or in each file that is read alone."""
    light = "".join(f"--{name}:{pair[0]};" for name, pair in COLOURS.items())
    dark = "".join(f"--{name}:{pair[1]};" for name, pair in COLOURS.items())
    root = f".{ROOT_CLASS}"
    rules = [
        f"{root}{{{light}font:{TEXT}px {_FAMILY};font-variant-numeric:tabular-nums}}",
        f"@media screen and (prefers-color-scheme:dark){{{root}{{{dark}}}}}",
        f"{root} text{{fill:{COLOURS['ink'][0]};fill:var(--ink)}}",
        f"{root} .title{{font-size:{TITLE}px;font-weight:600}}",
        f"{root} .small{{font-size:{SMALL}px}}",
        f"{root} .note{{font-size:{SMALL}px;fill:{COLOURS['muted'][0]};fill:var(--muted)}}",
        f"{root} .halo{{paint-order:stroke;stroke:{COLOURS['paper'][0]};stroke:var(--paper)}}",
        f"{root} .halo{{stroke-width:4px;stroke-linejoin:round}}",
        f"{root} .line{{fill:none;stroke-linejoin:round;stroke-linecap:round}}",
        f"{root} .area{{opacity:.2;stroke:none}}",
    ]
    for name, (colour, _) in COLOURS.items():
        rules.append(f"{root} .stroke-{name}{{stroke:{colour};stroke:var(--{name})}}")
        rules.append(f"{root} .fill-{name}{{fill:{colour};fill:var(--{name})}}")
    return "".join(rules)
