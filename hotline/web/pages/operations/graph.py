"""The graph as SVG: services in the middle, what flows in on the left, what flows out on the right. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

from hotline.web.pages.board.drawing import opened

WIDTH: Final = 1160.0
ROW: Final = 46.0
"""The height of an edge with its two lines of text."""
GAP: Final = 12.0
"""Between two services."""
SIDE: Final = 190.0
"""The width of a box at an edge of the picture."""
MIDDLE: Final = (490.0, 670.0)
"""From where to where the boxes of services reach."""
PAD: Final = 4.0
HEAD: Final = 5.0
"""Half the height of an arrow's head."""


class DrawnEdge(NamedTuple):
    """An edge in words."""

    place: str
    above: str
    """Over the line: how much, how fast."""
    below: str
    """Under it: errors, lag."""
    bad: bool
    """There were errors: a shape says so beside the colour."""
    idle: bool
    """Nothing flowed, or nothing is known."""


class DrawnStation(NamedTuple):
    """A service in words."""

    name: str
    note: str
    away: bool
    into: list[DrawnEdge]
    out: list[DrawnEdge]


class _Box(NamedTuple):
    place: str
    top: float
    bottom: float


def graph_svg(stations: Sequence[DrawnStation], label: str) -> str:
    """The picture; `label`: what it shows, in words."""
    parts: list[str] = []
    left: list[_Box] = []
    right: list[_Box] = []
    top = PAD
    for one in stations:
        bottom = top + ROW * max(len(one.into), len(one.out), 1)
        parts += _service(one, top, bottom)
        for edges, boxes, begin, end in (
            (one.into, left, SIDE, MIDDLE[0]),
            (one.out, right, MIDDLE[1], WIDTH - SIDE),
        ):
            high = (bottom - top) / max(len(edges), 1)
            for number, edge in enumerate(edges):
                at = top + high * number
                _join(boxes, _Box(edge.place, at + 3, at + high - 3))
                parts += _edge(edge, begin, end, at + high / 2)
        top = bottom + GAP
    parts += _places(left, 0.0) + _places(right, WIDTH - SIDE)
    return "".join([opened("operations-graph", WIDTH, top - GAP + PAD, label), *parts, "</svg>"])


def _join(boxes: list[_Box], new: _Box) -> None:
    """Make one box of neighbours that are the same place."""
    if boxes and boxes[-1].place == new.place:
        boxes[-1] = boxes[-1]._replace(bottom=new.bottom)
    else:
        boxes.append(new)


def _places(boxes: Sequence[_Box], x: float) -> list[str]:
    found = []
    for one in boxes:
        found.append(_rect("place", x, one.top, SIDE, one.bottom - one.top))
        found.append(_text("place", x + SIDE / 2, (one.top + one.bottom) / 2 + 4, one.place))
    return found


def _service(one: DrawnStation, top: float, bottom: float) -> list[str]:
    begin, end = MIDDLE
    middle = (top + bottom) / 2
    state = " away" if one.away else ""
    return [
        _rect(f"service{state}", begin, top, end - begin, bottom - top),
        _text(f"service{state}", (begin + end) / 2, middle - 1 if one.note else middle + 4, one.name),
        _text(f"note{state}", (begin + end) / 2, middle + 14, one.note) if one.note else "",
    ]


def _edge(edge: DrawnEdge, begin: float, end: float, y: float) -> list[str]:
    state = " bad" if edge.bad else " idle" if edge.idle else ""
    middle = (begin + end) / 2
    return [
        f'<path class="flow{state}" d="M{begin:.0f} {y:.1f}H{end - HEAD:.0f}"/>',
        f'<path class="head{state}" d="M{end:.0f} {y:.1f}l{-2 * HEAD:.0f} {-HEAD:.0f}v{2 * HEAD:.0f}z"/>',
        _text("above", middle, y - 5, edge.above),
        _text(f"below{state}", middle, y + 14, edge.below),
    ]


def _rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{kind}" x="{x:.0f}" y="{y:.1f}" width="{width:.0f}" height="{height:.1f}" rx="5"/>'


def _text(kind: str, x: float, y: float, said: str) -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.1f}" aria-hidden="true">{escape(said)}</text>'
