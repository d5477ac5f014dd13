"""The bench's own catalogue: a fixed number of units, and for each a request that reaches it.

The number of units is a setting of its own: many small topics are the dear part of the traffic.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from shared.catalogue import Catalogue, District, Subject, To, Unit, parsed
from shared.events import Level
from shared.ids import UnitId

CENTRE: Final = UnitId("centre")
SUPERVISION: Final = UnitId("supervision")
DISTRICTS: Final = 16


class Target(NamedTuple):
    """Subject and territory of a request that reaches one certain unit."""

    subject: str
    district: str
    street: str | None


def catalogue_of(units: int) -> tuple[Catalogue, list[Target]]:
    """A catalogue of exactly this many units (at least 34), and for each unit the request that reaches it.

    Each target names another unit, so requests spread evenly over all orders' topics: the dearest spread.
    """
    districts_in_turn = [f"{number}区" for number in range(1, DISTRICTS + 1)]
    known = {
        CENTRE: Unit(name="市民热线服务中心", level=Level.MUNICIPAL),
        SUPERVISION: Unit(name="市督办处", level=Level.MUNICIPAL),
    }
    targets = [Target("热线", "1区", None), Target("督办", "1区", None)]
    streets: dict[str, dict[str, UnitId]] = {district: {} for district in districts_in_turn}
    governments = {district: UnitId(f"district-{n}") for n, district in enumerate(districts_in_turn, 1)}
    for district, government in governments.items():
        known[government] = Unit(name=f"{district}政府", level=Level.DISTRICT)
        targets.append(Target("教育", district, None))
    for number in range(units - len(known)):
        district = districts_in_turn[number % DISTRICTS]
        unit, street = UnitId(f"street-{number + 1}"), f"{number + 1}街道"
        known[unit] = Unit(name=f"{district}{street}", level=Level.UNIT)
        streets[district][street] = unit
        targets.append(Target("供水", district, street))
    made = Catalogue(
        version=f"bench-{units}",
        centre=CENTRE,
        supervision=SUPERVISION,
        units=known,
        districts={
            name: District(unit=governments[name], streets=streets[name]) for name in districts_in_turn
        },
        subjects={
            "供水": Subject(to=To.STREET),
            "教育": Subject(to=To.DISTRICT),
            "热线": Subject(to=To.UNIT, unit=CENTRE),
            "督办": Subject(to=To.UNIT, unit=SUPERVISION),
        },
    )
    return parsed(msgspec.json.encode(made)), targets


def written(catalogue: Catalogue, path: Path) -> Path:
    """Put the catalogue where the services can read it."""
    path.write_bytes(msgspec.json.encode(catalogue))
    return path
