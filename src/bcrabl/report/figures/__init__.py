"""Charts as SVG: one look, one set of marks, drawn from plain numbers. Knows no file and no table."""

from bcrabl.report.figures.axes import Axis, axis_around
from bcrabl.report.figures.marks import Area, Band, Label, Line, Mark, Points, Rule
from bcrabl.report.figures.svg import Figure, Panel
from bcrabl.report.figures.theme import stylesheet

__all__ = [
    "Area",
    "Axis",
    "Band",
    "Figure",
    "Label",
    "Line",
    "Mark",
    "Panel",
    "Points",
    "Rule",
    "axis_around",
    "stylesheet",
]
