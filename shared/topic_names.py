"""How a topic is called, and which partition a key has: a line of `shared.topics` to a city's topics and back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from zlib import crc32

from shared.ids import UnitId
from shared.topics import TOPICS, UNIT, Topic

UNIT_NAME: Final = re.compile(r"^[a-z0-9][a-z0-9_-]{0,79}$")
"""The form of a unit's id, so that it can stand in a topic's name."""


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key for everything we send: one function everywhere, so order is kept."""
    return crc32(key) % partitions


def names(prefix: str, units: Iterable[str]) -> dict[str, Topic]:
    """Every topic that must exist for these units, with the line of the table it is made from."""
    known = tuple(units)
    made: dict[str, Topic] = {}
    for topic in TOPICS:
        if topic.per_unit:
            made.update({prefix + topic.of(unit): topic for unit in known})
        else:
            made[prefix + topic.name] = topic
    return made


def speaker_of(topic: str, prefix: str, line: Topic) -> str:
    """The login that speaks on a topic of this line, "" where that is the plain one; of a unit's topic the unit.

    A login has the topic `<plain>.<login>`; nothing else says who speaks, whatever a message claims.
    """
    name = topic.removeprefix(prefix)
    plain = line.name.removesuffix("." + UNIT)
    if name == plain:
        return ""
    if not name.startswith(plain + "."):
        message = f"topic {topic!r} is none of {line.name}"
        raise ValueError(message)
    return name[len(plain) + 1 :]


def unit_of(topic: str, prefix: str, line: Topic) -> UnitId:
    """Which unit a per-unit topic belongs to."""
    return UnitId(topic[len(prefix) + len(line.name) - len(UNIT) :])
