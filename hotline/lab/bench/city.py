"""The bench's own catalogue: a fixed number of units, and for each a request that reaches it.

The number of units is a setting of its own: many small topics are the dear part of the traffic.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from shared.events import Level, RequestType
from shared.ids import UnitId
from shared.inputs import RecordRequest
from shared.policy.catalogue import Catalogue, District, Subject, To, Unit, parsed

CENTRE: Final = UnitId("centre")
SUPERVISION: Final = UnitId("supervision")
DISTRICTS: Final = 16


CONTENT: Final = (
    "来电人反映,小区自昨日晚间起停水至今,已影响三栋楼约二百户居民的日常生活,其中有行动不便的老人,"
    "物业称已报修但无人到场。来电人要求尽快恢复供水,并告知停水原因和恢复时间。"
)
"""The text of a record, as long as a short one of the hotline."""


ADDRESS: Final = "花园路12号院3号楼"


class Target(NamedTuple):
    """Subject and territory of a request that reaches one certain unit."""

    subject: str
    district: str
    street: str | None


def request_of(request_id: str, target: Target, **more: Any) -> RecordRequest:
    """The one request the bench knows, by telephone as nine in ten, on its way to a unit; `more` as a part needs."""
    return RecordRequest(
        request_id=request_id,
        call_id=request_id,
        request_type=RequestType.HELP,
        subject=target.subject,
        district=target.district,
        street=target.street,
        title="小区停水无人维修",
        content=CONTENT,
        **more,
    )


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
