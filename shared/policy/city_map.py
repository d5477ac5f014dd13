"""A city's map as versioned data: the outlines of its districts, and where their names stand.

Outlines are GeoJSON in WGS-84. A district of the map is one of the catalogue by its name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

import msgspec

from shared.text import folded, has_words, shown
from shared.text_file import FileUnreadable, bytes_of, text_of

EXAMPLE: Final = "beijing-16"
"""The map that ships with the project."""
POINTS_MAX: Final = 50_000
"""Points of all outlines together: the whole map is sent to each viewer. The example has 940."""
RING_POINTS_MIN: Final = 4
"""A ring ends where it began: fewer enclose nothing."""

Point = tuple[float, float]
"""Longitude and latitude in degrees."""


class MapInvalid(ValueError):  # noqa: N818 -- a state of a file, said to a person
    """A map that cannot be used; the text names the entry and what was expected."""


class DistrictOutline(msgspec.Struct, frozen=True, kw_only=True):
    """A district as it is drawn."""

    name: str
    """As the catalogue calls it."""
    code: str
    """Its official number; stays the same when it is renamed."""
    rings: tuple[tuple[Point, ...], ...]
    """Lines around its parts, and around holes in them."""
    label: Point
    """The middle of its name."""
    inset: bool
    """Whether it is drawn a second time, larger."""


class CityMap(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a map."""

    version: str
    districts: tuple[DistrictOutline, ...]


class _Told(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: str
    outlines: str
    inset: tuple[str, ...] = ()
    labels: dict[str, Point] = {}


class _Properties(msgspec.Struct, frozen=True):
    name: str
    code: str


class _Polygon(msgspec.Struct, frozen=True, tag="Polygon"):
    coordinates: tuple[tuple[tuple[float, ...], ...], ...]


class _MultiPolygon(msgspec.Struct, frozen=True, tag="MultiPolygon"):
    coordinates: tuple[tuple[tuple[tuple[float, ...], ...], ...], ...]


class _Feature(msgspec.Struct, frozen=True):
    properties: _Properties
    geometry: _Polygon | _MultiPolygon


class _Collection(msgspec.Struct, frozen=True):
    features: tuple[_Feature, ...]


def parsed(told: str, outlines: bytes) -> CityMap:
    """The map of these two texts: what is said of it as TOML, its outlines as GeoJSON.

    Raises `MapInvalid`, which names what is wrong.
    """
    said = _told(told)
    try:
        found = msgspec.json.decode(outlines, type=_Collection)
    except msgspec.DecodeError as error:
        raise MapInvalid(f"map: {said.outlines}: {error}") from error
    labels = {folded(name): at for name, at in said.labels.items()}
    inset = {folded(name) for name in said.inset}
    districts: dict[str, DistrictOutline] = {}
    for feature in found.features:
        name, rings = folded(feature.properties.name), tuple(_rings(feature))
        if not has_words(name) or name in districts:
            message = (
                f"map: {said.outlines}: '{shown(name)}': expected a name that can be read and is no other's"
            )
            raise MapInvalid(message)
        districts[name] = DistrictOutline(
            name=name,
            code=folded(feature.properties.code),
            rings=rings,
            label=labels.get(name) or _middle(rings),
            inset=name in inset,
        )
    if strangers := sorted((labels.keys() | inset) - districts.keys()):
        raise MapInvalid(f"map: '{shown(strangers[0])}' has no outline in {said.outlines}")
    points = sum(len(ring) for one in districts.values() for ring in one.rings)
    if not 0 < points <= POINTS_MAX:
        raise MapInvalid(f"map: {said.outlines}: {points:,} points, expected 1 to {POINTS_MAX:,}")
    return CityMap(version=said.version, districts=tuple(districts.values()))


def _told(text: str) -> _Told:
    try:
        return msgspec.convert(tomllib.loads(text), type=_Told)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MapInvalid(f"map: {error}") from error


def _rings(feature: _Feature) -> Iterator[tuple[Point, ...]]:
    """The rings of a district; `MapInvalid` names one that encloses nothing or lies on no globe."""
    name, geometry = feature.properties.name, feature.geometry
    polygons = (geometry.coordinates,) if isinstance(geometry, _Polygon) else geometry.coordinates
    for ring in (ring for polygon in polygons for ring in polygon):
        if len(ring) < RING_POINTS_MIN:
            raise MapInvalid(
                f"map: '{shown(name)}': a ring of {len(ring)} points, expected {RING_POINTS_MIN}"
            )
        for point in ring:
            if len(point) not in (2, 3) or not (-180 <= point[0] <= 180 and -90 <= point[1] <= 90):  # noqa: PLR2004 -- degrees
                expected = "expected a longitude and a latitude in degrees"
                raise MapInvalid(f"map: '{shown(name)}': point {list(point)}, {expected}")
        yield tuple((point[0], point[1]) for point in ring)


def _middle(rings: tuple[tuple[Point, ...], ...]) -> Point:
    """The middle of the frame around all rings."""
    across, up = zip(*(point for ring in rings for point in ring), strict=True)
    return (min(across) + max(across)) / 2, (min(up) + max(up)) / 2


@cache
def city_map(path: str = "") -> CityMap:
    """The map in this file, with the outlines beside it; without a path the example. Raises `MapInvalid`."""
    if path:
        return _in_file(Path(path))
    with as_file(files("shared").joinpath("data/map")) as folder:
        return _in_file(folder / f"{EXAMPLE}.toml")


def _in_file(path: Path) -> CityMap:
    try:
        told = text_of(path, "a map as TOML")
        beside = path.parent / Path(_told(told).outlines).name  # a name, no path that leads elsewhere
        return parsed(told, bytes_of(beside, "outlines as GeoJSON"))
    except FileUnreadable as error:
        raise MapInvalid(f"map: {error}") from None
