"""A city's map as versioned data: the outlines of its districts, and where their names stand.

Outlines are GeoJSON in WGS-84. A district of the map is one of the catalogue by its name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path as FilePath
from typing import Final

import msgspec

from shared.policy.flaws import Flaw, Path, first_of
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


WrittenRing = tuple[tuple[float, ...], ...]
"""A line of points as GeoJSON has them; a third number of a point is a height."""


class WrittenMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The map's own file."""

    version: str
    outlines: str
    """The name of the file beside it that holds them."""
    inset: tuple[str, ...] = ()
    labels: dict[str, Point] = {}


class WrittenProperties(msgspec.Struct, frozen=True):
    """The properties of a district's outline."""

    name: str
    code: str


class WrittenPolygon(msgspec.Struct, frozen=True, tag="Polygon"):
    """A district of one part."""

    coordinates: tuple[WrittenRing, ...]


class WrittenMultiPolygon(msgspec.Struct, frozen=True, tag="MultiPolygon"):
    """A district of several parts."""

    coordinates: tuple[tuple[WrittenRing, ...], ...]


class WrittenFeature(msgspec.Struct, frozen=True):
    """A district."""

    properties: WrittenProperties
    geometry: WrittenPolygon | WrittenMultiPolygon


class WrittenOutlines(msgspec.Struct, frozen=True):
    """A GeoJSON file of districts."""

    features: tuple[WrittenFeature, ...]


def parsed(told: str, outlines: bytes) -> CityMap:
    """The map of these two texts: what is said of it as TOML, its outlines as GeoJSON.

    Raises `MapInvalid`, which names what is wrong.
    """
    said = _told(told)
    try:
        found = msgspec.json.decode(outlines, type=WrittenOutlines)
    except msgspec.DecodeError as error:
        raise MapInvalid(f"map: {said.outlines}: {error}") from error
    if (flaw := first_of(flaws_of_outlines(found))) is not None:
        raise MapInvalid(f"map: {said.outlines}: {flaw.why}")
    if (flaw := first_of(flaws(said, found))) is not None:
        raise MapInvalid(f"map: {flaw.why}")
    labels = {folded(name): at for name, at in said.labels.items()}
    inset = {folded(name) for name in said.inset}
    districts: list[DistrictOutline] = []
    for feature in found.features:
        name = folded(feature.properties.name)
        rings = tuple(tuple((point[0], point[1]) for point in ring) for ring in _rings(feature))
        districts.append(
            DistrictOutline(
                name=name,
                code=folded(feature.properties.code),
                rings=rings,
                label=labels.get(name) or _middle(rings),
                inset=name in inset,
            )
        )
    return CityMap(version=said.version, districts=tuple(districts))


def flaws(said: WrittenMap, found: WrittenOutlines) -> Iterator[Flaw]:
    """Each district that the map's own file names and the outlines do not have."""
    there = {folded(feature.properties.name) for feature in found.features}
    named: list[tuple[Path, str]] = [(("inset", place), name) for place, name in enumerate(said.inset)]
    named += [(("labels", name), name) for name in said.labels]
    for at, name in named:
        if folded(name) not in there:
            yield Flaw(at, f"'{shown(name)}' has no outline in {said.outlines}")


def flaws_of_outlines(found: WrittenOutlines) -> Iterator[Flaw]:
    """All that cannot be in outlines whose shape is right."""
    names: set[str] = set()
    points = 0
    for place, feature in enumerate(found.features):
        at: Path = ("features", place)
        name = folded(feature.properties.name)
        if not has_words(name) or name in names:
            yield Flaw(at, f"'{shown(name)}': expected a name that can be read and is no other's")
        names.add(name)
        for ring in _rings(feature):
            points += len(ring)
            yield from (Flaw(at, f"'{shown(name)}': {why}") for why in _amiss_in(ring))
    if not 0 < points <= POINTS_MAX:
        yield Flaw((), f"{points:,} points, expected 1 to {POINTS_MAX:,}")


def _told(text: str) -> WrittenMap:
    try:
        return msgspec.convert(tomllib.loads(text), type=WrittenMap)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MapInvalid(f"map: {error}") from error


def _rings(feature: WrittenFeature) -> Iterator[WrittenRing]:
    geometry = feature.geometry
    polygons = (geometry.coordinates,) if isinstance(geometry, WrittenPolygon) else geometry.coordinates
    yield from (ring for polygon in polygons for ring in polygon)


def _amiss_in(ring: WrittenRing) -> Iterator[str]:
    """Why a ring encloses nothing or lies on no globe."""
    if len(ring) < RING_POINTS_MIN:
        yield f"a ring of {len(ring)} points, expected {RING_POINTS_MIN}"
    for point in ring:
        if len(point) not in (2, 3) or not (-180 <= point[0] <= 180 and -90 <= point[1] <= 90):  # noqa: PLR2004 -- degrees
            yield f"point {list(point)}, expected a longitude and a latitude in degrees"
            return


def _middle(rings: tuple[tuple[Point, ...], ...]) -> Point:
    """The middle of the frame around all rings."""
    across, up = zip(*(point for ring in rings for point in ring), strict=True)
    return (min(across) + max(across)) / 2, (min(up) + max(up)) / 2


@cache
def city_map(path: str = "") -> CityMap:
    """The map in this file, with the outlines beside it; without a path the example. Raises `MapInvalid`."""
    if path:
        return _in_file(FilePath(path))
    with as_file(files("shared").joinpath("data/map")) as folder:
        return _in_file(folder / f"{EXAMPLE}.toml")


def _in_file(path: FilePath) -> CityMap:
    try:
        told = text_of(path, "a map as TOML")
        beside = path.parent / FilePath(_told(told).outlines).name  # a name, no path that leads elsewhere
        return parsed(told, bytes_of(beside, "outlines as GeoJSON"))
    except FileUnreadable as error:
        raise MapInvalid(f"map: {error}") from None
