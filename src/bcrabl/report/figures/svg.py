"""Panels and figures as SVG text.

    marks ──stand in──▶ Panel (two axes, title, note) ──side by side──▶ Figure ──svg()──▶ text

Panels of a row share the height of their heads and panels of a column the room for their tick labels, so that plots
line up. The same figure gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bcrabl.report.figures.axes import Axis
from bcrabl.report.figures.marks import SWATCH, Mark, Place, escaped, number, text_at
from bcrabl.report.figures.theme import CHARACTER_WIDTH, ROOT_CLASS, SMALL, TITLE, stylesheet

__all__ = ["Figure", "Panel"]

_LINE = 16.0  # px, one line of text
_GAP = 16.0  # px around the figure and between panels
_TICK = 5.0  # px
_LEGEND_GAP = 16.0  # px between entries


@dataclass(frozen=True)
class Panel:
    """One plot: two axes and what stands between them.

    Parameters
    ----------
    x, y : axes.
    marks : drawn in this order.
    title, note : above the plot; the note is broken into lines.
    legend : whether marks with a name are explained above the plot.
    """

    x: Axis
    y: Axis
    marks: Sequence[Mark]
    title: str = ""
    note: str = ""
    legend: bool = True


class _Entry(NamedTuple):
    x: float
    line: int
    mark: Mark


class _Head(NamedTuple):
    """What stands above a plot: lines of the note, entries of the legend, and the heights of all and of these, px."""

    note: tuple[str, ...]
    legend: tuple[_Entry, ...]
    height: float
    legend_height: float


@dataclass(frozen=True)
class Figure:
    """Panels in rows.

    Parameters
    ----------
    panels : row by row.
    title : what the figure shows, for those who cannot see it; not drawn.
    description : what is to be seen in it, likewise.
    columns : panels in a row.
    width : px.
    plot_height : px of each plot.
    """

    panels: Sequence[Panel]
    title: str
    description: str = ""
    columns: int = 1
    width: float = 760.0
    plot_height: float = 240.0

    def svg(self, *, alone: bool = True) -> str:
        """The figure as an SVG element.

        Parameters
        ----------
        alone : a file of its own, with the style sheet inside; without, the page carries `theme.stylesheet()`.
        """
        column = (self.width - _GAP) / self.columns
        left = [max(map(_left, self.panels[k :: self.columns]), default=0.0) for k in range(self.columns)]
        body: list[str] = []
        top = _GAP
        for first in range(0, len(self.panels), self.columns):
            row = self.panels[first : first + self.columns]
            widths = [column - _GAP - left[k] for k in range(len(row))]
            heads = [_head(panel, width) for panel, width in zip(row, widths, strict=True)]
            above = max(head.height for head in heads)
            down = top + above
            for k, (panel, head) in enumerate(zip(row, heads, strict=True)):
                place = Place(widths[k], self.plot_height, panel.x, panel.y)
                body.append(
                    _panel(panel, head._replace(height=above), place, (_GAP + k * column + left[k], down), left[k])
                )
            top = down + self.plot_height + _TICK + 2 * _LINE + _GAP
        return self._root(body, top, alone)

    def _root(self, body: Sequence[str], height: float, alone: bool) -> str:
        size = f"{number(self.width)} {number(height)}"
        named = f"<title>{escaped(self.title)}</title>"
        if self.description:
            named += f"<desc>{escaped(self.description)}</desc>"
        head = f"<style>{stylesheet()}</style>" if alone else ""
        space = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
        paper = f'<rect class="fill-paper" width="{number(self.width)}" height="{number(height)}"/>'
        start = f'<svg{space} class="{ROOT_CLASS}" role="img" viewBox="0 0 {size}" width="{number(self.width)}">'
        return "\n".join([start, named + head, paper, *body, "</svg>\n"])


def _text_width(text: str) -> float:
    return len(text) * CHARACTER_WIDTH * SMALL


def _left(panel: Panel) -> float:
    """Room for the tick labels and the label of the upright axis, px."""
    widest = max((_text_width(panel.y.tick_label(tick)) for tick in panel.y.ticks()), default=0.0)
    return widest + _TICK + 4 + (_LINE + 4 if panel.y.label else 0.0)


def _wrapped(text: str, width: float) -> tuple[str, ...]:
    lines: list[str] = []
    for word in text.split():
        if lines and _text_width(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return tuple(lines)


def _head(panel: Panel, width: float) -> _Head:
    note = _wrapped(panel.note, width)
    entries: list[_Entry] = []
    x, line = 0.0, 0
    shown = {mark.name: mark for mark in panel.marks if mark.name} if panel.legend else {}
    for name, mark in shown.items():
        wide = SWATCH + 6 + _text_width(name)
        if entries and x + wide > width:
            x, line = 0.0, line + 1
        entries.append(_Entry(x, line, mark))
        x += wide + _LEGEND_GAP
    legend_height = (line + 1) * _LINE if entries else 0.0
    height = (TITLE + 6 if panel.title else 0) + len(note) * _LINE + legend_height
    return _Head(note, tuple(entries), height + 6 if height else 0.0, legend_height)


def _panel(panel: Panel, head: _Head, place: Place, corner: tuple[float, float], left: float) -> str:
    parts = [f'<g transform="translate({number(corner[0])} {number(corner[1])})">', _head_text(panel, head)]
    parts += [_level_axis(place), _upright_axis(place, left)]
    # an inner svg element cuts off what leaves the plot, without ids that would have to differ within a page
    parts.append(f'<svg width="{number(place.width)}" height="{number(place.height)}">')
    parts += [mark.clipped(place) for mark in panel.marks]
    parts.append("</svg>")
    parts += [mark.free(place) for mark in panel.marks]
    parts.append("</g>")
    return "\n".join(part for part in parts if part)


def _head_text(panel: Panel, head: _Head) -> str:
    parts = []
    y = -head.height
    if panel.title:
        y += TITLE
        parts.append(text_at(0, y, panel.title, "title"))
        y += 6
    for line in head.note:
        y += _LINE
        parts.append(text_at(0, y - 4, line, "note"))
    y = -head.legend_height - 6  # titles stand in one line with those of the row, legends on their plots
    for entry in head.legend:
        middle = y + (entry.line + 0.5) * _LINE
        picture = f'<g transform="translate({number(entry.x)} {number(middle)})">{entry.mark.swatch()}</g>'
        parts.append(picture + text_at(entry.x + SWATCH + 6, middle + 4, entry.mark.name, "small"))
    return "\n".join(parts)


def _level_axis(place: Place) -> str:
    ticks = place.x.ticks()
    parts = []
    path = f"M0,{number(place.height)}H{number(place.width)}"
    for value, x in zip(ticks, place.across(ticks).tolist(), strict=True):
        path += f"M{number(x)},{number(place.height)}v{number(_TICK)}"
        parts.append(text_at(x, place.height + _TICK + 12, place.x.tick_label(value), "small", "middle"))
    parts.append(f'<path class="line stroke-muted" stroke-width="1" d="{path}"/>')
    label = text_at(place.width / 2, place.height + _TICK + 12 + _LINE, place.x.label, "small", "middle")
    return "\n".join([*parts, label] if place.x.label else parts)


def _upright_axis(place: Place, left: float) -> str:
    ticks = place.y.ticks()
    parts = []
    path = ""
    for value, y in zip(ticks, place.down(ticks).tolist(), strict=True):
        path += f"M0,{number(y)}H{number(place.width)}"
        parts.append(text_at(-_TICK - 2, y + 4, place.y.tick_label(value), "small", "left"))
    if path:
        parts.insert(0, f'<path class="line stroke-grid" stroke-width="1" d="{path}"/>')
    turned = f"translate({number(12 - left)} {number(place.height / 2)}) rotate(-90)"
    label = f'<g transform="{turned}">{text_at(0, 0, place.y.label, "small", "middle")}</g>'
    return "\n".join([*parts, label] if place.y.label else parts)
