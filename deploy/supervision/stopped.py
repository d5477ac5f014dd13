"""Topics that wait for a person: most of what came there could not be taken in, so their doors stopped hearing them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from shared.doors.heard import door_of, line_of
from shared.doors.stops import WHOLE

_STOPPED: Final = """
SELECT consumer, door, topic, stopped_at, reason FROM es.door_stopped WHERE resumed_at IS NULL
ORDER BY stopped_at, topic
"""
_MOVED: Final = """
UPDATE es.door_stopped SET topic = $1::text || substr(topic, length($2::text) + 1) WHERE topic <> ''
"""


class Stopped(NamedTuple):
    """One topic of a door that is not heard; `topic` is empty where it is the whole door."""

    desk: str
    door: str
    topic: str
    since: datetime
    reason: str

    def holds(self, desk: str, topic: str, prefix: str) -> bool:
        """Whether this desk hears this topic no more because of it."""
        if desk != self.desk:
            return False
        if self.topic != WHOLE:
            return topic == self.topic
        line = line_of(topic, prefix)
        return line is not None and door_of(line) == self.door

    @property
    def where(self) -> str:
        """For a sentence: from which topic, or by which door."""
        return f"from {self.topic} (door {self.door})" if self.topic else f"by door {self.door}"

    @property
    def resume(self) -> str:
        """The command that lets it go on."""
        return " ".join(
            ["hotline parked resume", self.desk, self.door, *([self.topic] if self.topic else [])]
        )


async def stopped_now(connection: asyncpg.Connection[Any]) -> tuple[Stopped, ...]:
    """All that wait for a person, the longest first."""
    return tuple(Stopped(*row) for row in await connection.fetch(_STOPPED))


async def renamed(connection: asyncpg.Connection[Any], prefix: str, old: str) -> None:
    """The city has another name, and so have its topics."""
    await connection.execute(_MOVED, prefix, old)
