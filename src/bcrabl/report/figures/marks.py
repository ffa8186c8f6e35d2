"""Marks: lines, points, areas, reference lines and texts of a chart, each as SVG text.

A mark knows data coordinates, a place turns them into pixels: x to the right, y downwards from the top of the plot.
Text is escaped. Pixels have one digit, so that the same numbers give the same bytes. What has no place (NaN, or not
positive on a logarithmic axis) is left out, and a line has a gap there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bcrabl.report.figures.axes import Axis
from bcrabl.report.figures.theme import DASHES, SMALL

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["SWATCH", "Area", "Band", "Label", "Line", "Mark", "Place", "Points", "Rule", "escaped", "number", "text_at"]

SWATCH = 22  # px, width of a mark's picture in the legend
_LANE = 16.0  # px
_RADIUS = 2.6  # px
_ANCHORS = {"left": "end", "middle": "middle", "right": "start"}  # side of the point on which a text stands
_MARKERS = {
    "circle": "m{r},0a{r},{r} 0 1,1 -{d},0a{r},{r} 0 1,1 {d},0z",
    "square": "m-{r},-{r}h{d}v{d}h-{d}z",
    "diamond": "m0,-{s}l{s},{s}l-{s},{s}l-{s},-{s}z",
    "cross": "m-{r},-{r}l{d},{d}m0,-{d}l-{d},{d}",
}
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def escaped(text: str) -> str:
    """A text as XML holds it, also within quotes; a character that XML cannot hold becomes U+FFFD."""
    return escape(_NO_XML.sub("\ufffd", text))


def number(value: float) -> str:
    """A pixel coordinate: one digit, without needless zeros, and no minus zero."""
    text = f"{value:.1f}"
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


class Place(NamedTuple):
    """The plot of a panel, px, and the axes along it."""

    width: float
    height: float
    x: Axis
    y: Axis

    def across(self, values: ArrayLike) -> Array:
        """Pixels from the left."""
        return self.width * self.x.fraction(values)

    def down(self, values: ArrayLike) -> Array:
        """Pixels from the top."""
        return self.height * (1 - self.y.fraction(values))


@dataclass(frozen=True)
class Mark:
    """What stands in a panel.

    Parameters
    ----------
    name : entry of the legend; marks of one name share it. Empty for none.
    colour : a name of `theme.COLOURS`.
    data : attributes by which a page finds the mark again: {"well": "A1"} becomes data-well="A1".
    """

    name: str = field(default="", kw_only=True)
    colour: str = field(default="blue", kw_only=True)
    data: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    def clipped(self, place: Place) -> str:
        """SVG that is cut off at the edge of the plot."""
        return self._clipped(place)

    def free(self, place: Place) -> str:
        """SVG on top of everything, which may leave the plot."""
        return self._free(place)

    def swatch(self) -> str:
        """The mark's picture in the legend, 22 px wide around y = 0."""
        return self._swatch()

    def _clipped(self, _place: Place) -> str:
        return ""

    def _free(self, _place: Place) -> str:
        return ""

    def _swatch(self) -> str:
        return ""

    def _attributes(self) -> str:
        return "".join(f' data-{key}="{escaped(text)}"' for key, text in self.data.items())


@dataclass(frozen=True)
class Line(Mark):
    """A line through points (k,), with a gap where one is missing."""

    x: ArrayLike
    y: ArrayLike
    width: float = 2.0
    dash: str = "solid"
    opacity: float = 1.0

    def _clipped(self, place: Place) -> str:
        return self._path(_polyline(place.across(self.x), place.down(self.y)))

    def _swatch(self) -> str:
        return self._path(f"M0,0H{SWATCH}")

    def _path(self, path: str) -> str:
        dash = f' stroke-dasharray="{DASHES[self.dash]}"' if DASHES[self.dash] else ""
        faint = f' opacity="{number(self.opacity)}"' if self.opacity < 1 else ""
        look = f'class="line stroke-{self.colour}" stroke-width="{number(self.width)}"'
        return f'<path {look}{dash}{faint}{self._attributes()} d="{path}"/>' if path else ""


@dataclass(frozen=True)
class Points(Mark):
    """Points (k,): circle, square, diamond or cross, filled or open."""

    x: ArrayLike
    y: ArrayLike
    marker: str = "circle"
    size: float = _RADIUS
    open: bool = False

    def _clipped(self, place: Place) -> str:
        return self._path(zip(place.across(self.x).ravel(), place.down(self.y).ravel(), strict=True))

    def _swatch(self) -> str:
        return self._path([(SWATCH / 2, 0.0)])

    def _path(self, points: Iterable[tuple[float, float]]) -> str:
        sizes = {"r": number(self.size), "d": number(2 * self.size), "s": number(1.4 * self.size)}
        shape = _MARKERS[self.marker].format(**sizes)
        path = "".join(f"M{number(x)},{number(y)}{shape}" for x, y in points if np.isfinite(x) and np.isfinite(y))
        inside = "fill-paper" if self.open else f"fill-{self.colour}"
        look = (
            f'class="{inside} stroke-{self.colour}" stroke-width="{1.4 if self.open or self.marker == "cross" else 0}"'
        )
        return f'<path {look}{self._attributes()} d="{path}"/>' if path else ""


@dataclass(frozen=True)
class Area(Mark):
    """The area between two lines (k,)."""

    x: ArrayLike
    low: ArrayLike
    high: ArrayLike

    def _clipped(self, place: Place) -> str:
        x, low, high = place.across(self.x), place.down(self.low), place.down(self.high)
        there = np.isfinite(x + low + high)
        around = np.concatenate([x[there], x[there][::-1]]), np.concatenate([low[there], high[there][::-1]])
        path = _polyline(*around)
        return f'<path class="area fill-{self.colour}"{self._attributes()} d="{path}z"/>' if path else ""

    def _swatch(self) -> str:
        return f'<rect class="area fill-{self.colour}" y="-6" width="{SWATCH}" height="12"/>'


@dataclass(frozen=True)
class Band(Mark):
    """A stretch of one axis, shaded over the whole plot."""

    low: float
    high: float
    along: str = "x"

    def _clipped(self, place: Place) -> str:
        (left, right), (top, bottom) = (0.0, place.width), (0.0, place.height)
        if self.along == "x":
            left, right = place.across((self.low, self.high))
        else:
            bottom, top = place.down((self.low, self.high))
        size = f'width="{number(right - left)}" height="{number(bottom - top)}"'
        look = f'class="area fill-{self.colour}"{self._attributes()}'
        return f'<rect {look} x="{number(left)}" y="{number(top)}" {size}/>'

    def _swatch(self) -> str:
        return f'<rect class="area fill-{self.colour}" y="-6" width="{SWATCH}" height="12"/>'


@dataclass(frozen=True)
class Rule(Mark):
    """A line across the plot at one value of an axis, with its text at the end.

    Parameters
    ----------
    value : where.
    text : at the top of an upright line, at one end of a level one; empty for none.
    along : "x", an upright line at a value of x; "y", a level one.
    side : of an upright line, or of the plot on a level one, on which the text stands: "left" or "right".
    lane : how many lines of text lower it stands; lifts a level line's text above (0) or below (1) it.
    """

    value: float
    text: str = ""
    along: str = "x"
    side: str = "right"
    lane: int = 0
    dash: str = "dashed"

    def _clipped(self, place: Place) -> str:
        if not self._inside(place):
            return ""
        if self.along == "x":
            return self._path(f"M{number(float(place.across(self.value)))},0V{number(place.height)}")
        return self._path(f"M0,{number(float(place.down(self.value)))}H{number(place.width)}")

    def _free(self, place: Place) -> str:
        if not self.text or not self._inside(place):
            return ""
        if self.along == "x":
            away = 5 if self.side == "right" else -5
            x, y = float(place.across(self.value)) + away, SMALL + _LANE * self.lane
            return text_at(x, y, self.text, "small halo", self.side)
        x = 5 if self.side == "left" else place.width - 5
        y = float(place.down(self.value)) + (-5 if self.lane == 0 else SMALL + 3)
        return text_at(x, y, self.text, "small halo", "right" if self.side == "left" else "left")

    def _swatch(self) -> str:
        return self._path(f"M0,0H{SWATCH}")

    def _inside(self, place: Place) -> bool:
        axis = place.x if self.along == "x" else place.y
        return bool(0 <= axis.fraction(self.value) <= 1)

    def _path(self, path: str) -> str:
        dash = f' stroke-dasharray="{DASHES[self.dash]}"' if DASHES[self.dash] else ""
        return f'<path class="line stroke-{self.colour}" stroke-width="1.5"{dash}{self._attributes()} d="{path}"/>'


@dataclass(frozen=True)
class Label(Mark):
    """A text beside a point, moved by so many pixels."""

    x: float
    y: float
    text: str
    side: str = "right"
    shift: tuple[float, float] = (6.0, 4.0)

    def _free(self, place: Place) -> str:
        x, y = float(place.across(self.x)) + self.shift[0], float(place.down(self.y)) + self.shift[1]
        return text_at(x, y, self.text, "small halo", self.side) if np.isfinite(x + y) else ""


def _polyline(x: Array, y: Array) -> str:
    there = np.isfinite(x) & np.isfinite(y)
    parts: list[str] = []
    pen_up = True
    for across, down, drawn in zip(x.tolist(), y.tolist(), there.tolist(), strict=True):
        if drawn:
            parts.append(f"{'M' if pen_up else 'L'}{number(across)},{number(down)}")
        pen_up = not drawn
    return "".join(parts)


def text_at(x: float, y: float, text: str, look: str = "", side: str = "right") -> str:
    """A text to the left, to the right or in the middle of a point, px."""
    anchor = "" if _ANCHORS[side] == "start" else f' text-anchor="{_ANCHORS[side]}"'
    named = f' class="{look}"' if look else ""
    return f'<text{named} x="{number(x)}" y="{number(y)}"{anchor}>{escaped(text)}</text>'
