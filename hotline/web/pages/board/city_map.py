"""The map of a city's districts as SVG: each a link in the shade of its figure, the inner ones once more and larger."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from hotline.web.pages.board.drawing import AreaMark, link, opened, text
from shared.policy.city_map import CityMap, DistrictOutline, Point

WIDTH: Final = 560.0
"""Of the whole city."""
INSET_WIDTH: Final = 256.0
ASIDE: Final = 190.0
"""How far the city stands right of the inset's edge. A city reaches into that corner rarely; ours does not."""
MARGIN: Final = 6.0
LINE: Final = 13.0
"""From a name to the figure below it."""
SHORT: Final = ("区", "县")
"""In the inset a name stands without its kind: 东城."""


class _Scale(NamedTuple):
    """From degrees to the drawing's units. A degree of longitude is shorter than one of latitude."""

    west: float
    north: float
    across: float
    up: float
    x: float
    y: float

    def at(self, point: Point) -> Point:
        return self.x + (point[0] - self.west) * self.across, self.y + (self.north - point[1]) * self.up


class _Shape(NamedTuple):
    name: str
    code: str
    path: str
    label: Point
    again: bool


class DrawnMap:
    """A map whose outlines are drawn once; only shades, figures and titles change."""

    def __init__(self, city: CityMap) -> None:
        """Outlines do not change while the process lives."""
        scale, self._height = _scale(city.districts, WIDTH, ASIDE, MARGIN)
        inner = [one for one in city.districts if one.inset]
        self._shapes = [_shape(one, scale, again=one.inset) for one in city.districts]
        self._inset: list[_Shape] = []
        self._inset_height = 0.0
        if inner:
            closer, self._inset_height = _scale(inner, INSET_WIDTH - 2 * MARGIN, MARGIN, MARGIN)
            self._inset = [_shape(one, closer, again=False) for one in inner]
        self.names: Final = tuple(one.name for one in city.districts)

    def svg(self, marks: Mapping[str, AreaMark], label: str) -> str:
        """The picture; a district without a mark is drawn as unknown. `label`: what the picture shows, in words."""
        width = ASIDE + WIDTH + MARGIN
        height = self._height + 2 * MARGIN
        parts = [opened("city-map", width, height, label)]
        parts += _drawn(self._shapes, marks, "district")
        if self._inset:
            height = self._inset_height + 2 * MARGIN
            parts.append(
                f'<rect class="inset" x="0.5" y="0.5" width="{INSET_WIDTH:.0f}" height="{height:.0f}"/>'
            )
            parts += _drawn(self._inset, marks, "inset")
        return "".join([*parts, "</svg>"])


def _drawn(shapes: Iterable[_Shape], marks: Mapping[str, AreaMark], kind: str) -> Iterable[str]:
    """All shapes, and then all texts over them: a neighbour drawn later would hide a name."""
    shapes = tuple(shapes)
    for one in shapes:
        path = f'<path d="{one.path}"'
        yield link(marks.get(one.name), one.name, f"{kind}-{one.code}", path, again=one.again)
    for one in shapes:
        if one.again:
            continue
        mark = marks.get(one.name)
        x, y = one.label
        yield text(x, y, _short(one.name) if kind == "inset" else one.name, "place", mark)
        if mark is not None and mark.value:
            yield text(x, y + LINE, mark.value, "figure", mark)


def _short(name: str) -> str:
    return name[:-1] if name.endswith(SHORT) and len(name) > len(SHORT) else name


def _scale(outlines: Iterable[DistrictOutline], width: float, x: float, y: float) -> tuple[_Scale, float]:
    """The scale at which these outlines are so wide, and how high they are then."""
    points = [point for one in outlines for ring in one.rings for point in ring]
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    shorter = math.cos(math.radians((south + north) / 2))
    up = width / ((east - west) * shorter)
    return _Scale(west, north, up * shorter, up, x, y), (north - south) * up


def _shape(one: DistrictOutline, scale: _Scale, *, again: bool) -> _Shape:
    path = "".join(
        "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in map(scale.at, ring)) + "Z" for ring in one.rings
    )
    return _Shape(one.name, one.code, path, scale.at(one.label), again)
