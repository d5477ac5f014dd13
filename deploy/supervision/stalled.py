"""Detects processes that make no progress. A stopped or hanging process is still alive for the kernel.

It looks twice at the log, some seconds apart. A process that had work at the first look and has not moved by the
last stands still.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from deploy.city.endpoints import DESKS, PROJECTOR, CityEndpoints
from deploy.supervision.stopped import Stopped, stopped_now
from deploy.supervision.topic_ends import ends_of
from shared.doors.heard import line_of
from shared.log import TIMER_SHARDS
from shared.log.instants import reads_any_instant
from shared.policy.catalogue import Catalogue
from shared.runtime.errors import UserError
from shared.runtime.patience import REPORTED_SECONDS
from shared.times import shown
from shared.topic_names import names
from shared.topics import Topic

LOOK_SECONDS: Final = 0.25

_TAKEN: Final = "SELECT consumer, topic, part, next_offset FROM es.consumer_offset"
_CURSOR: Final = """
SELECT es.drained(), array_agg(ROW(shard, batch, snap_a, snap_b, pos)::text ORDER BY shard) FROM es.relay
"""
_LISTED: Final = "SELECT seen::text, position, going FROM read.projection WHERE name = 'lists'"
_OWED: Final = "SELECT coalesce(bool_or(going OR behind IS NOT NULL), false) FROM read.standing()"
_OVERDUE: Final = "SELECT shard, stream_id, kind, due_at FROM es.overdue($1)"

# Desks that wait for a lock another session holds: to end them would help nobody.
_HELD_UP: Final = """
SELECT DISTINCT split_part(a.application_name, '.', 1) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted AND a.datname = current_database()
"""

Partition = tuple[str, str, int]
"""A desk, a topic it hears, and a partition of it."""


class CityProgress(NamedTuple):
    """How far everybody is at one moment."""

    taken: Mapping[Partition, int]
    left: Mapping[Partition, int]
    """Messages that lie in Kafka and are not taken in; only partitions that have some."""
    drained: bool
    cursor: tuple[Any, ...]
    """The relays', shard by shard."""
    overdue: frozenset[tuple[int, UUID, int, datetime]]
    """Of each shard the timer that would fire next and is due: shard, complaint, kind, limit."""
    prefix: str
    """The prefix of every topic's name."""
    stopped: tuple[Stopped, ...]
    """The topics that wait for a person."""
    held: frozenset[Partition]
    """The partitions of those topics: nobody stands still there."""
    held_up: frozenset[str] = frozenset()
    """Desks, or the relay, that wait for a lock in PostgreSQL that another session holds."""
    listed: tuple[Any, ...] = ()
    """The projector's place."""
    unlisted: bool = False
    """Whether facts wait to be in the lists."""

    @property
    def behind(self) -> dict[str, int]:
        """For each desk how many messages it has not taken in, for the relay whether facts wait."""
        return self._behind(self.left)

    @property
    def owed(self) -> dict[str, int]:
        """As `behind`, without what waits for a person: here somebody must make a step."""
        return self._behind({at: number for at, number in self.left.items() if at not in self.held})

    def _behind(self, left: Mapping[Partition, int]) -> dict[str, int]:
        lag = {desk: 0 for desk in DESKS if any(desk == at[0] for at in self.taken)}
        for (desk, _, _), number in left.items():
            lag[desk] += number
        return {**lag, "relay": 0 if self.drained else 1}


async def look(endpoints: CityEndpoints, catalogue: Catalogue) -> CityProgress:
    """How far everybody is now; `UserError` where a topic is missing in Kafka.

    Beside the topics that must be there, those of logins are looked at too: `intake.requests.web`.
    """
    lines = {name: line for name, line in names(endpoints.prefix, catalogue.units).items() if _desks(line)}
    asked = {(name, partition) for name, line in lines.items() for partition in range(line.partitions)}
    ends = await ends_of(
        endpoints.looks, asked, also=lambda topic: bool(_desks(line_of(topic, endpoints.prefix)))
    )
    if missing := sorted(asked - ends.keys()):
        raise UserError(f"Kafka has no topic {missing[0][0]}: `hotline down` and `hotline up` make it anew.")
    heard = [
        (desk, *at)
        for at in sorted(ends)
        for desk in _desks(lines.get(at[0]) or line_of(at[0], endpoints.prefix))
    ]
    connection = await asyncpg.connect(endpoints.logins["reader"])
    try:
        await reads_any_instant(connection)
        rows = await connection.fetch(_TAKEN)
        cursor = await connection.fetchrow(_CURSOR)
        overdue = await overdue_in(connection)
        stopped = await stopped_now(connection)
        held_up = await held_up_in(connection)
        listed = await connection.fetchrow(_LISTED)
        unlisted = await connection.fetchval(_OWED)
    finally:
        await connection.close()
    stored = {(row[0], row[1], row[2]): row[3] for row in rows}
    taken = {at: stored.get(at, 0) for at in heard}
    return CityProgress(
        taken=taken,
        left={at: ends[at[1:]] - place for at, place in taken.items() if place < ends[at[1:]]},
        drained=cursor is not None and bool(cursor[0]),
        cursor=() if cursor is None else tuple(cursor[1] or ()),
        overdue=overdue,
        prefix=endpoints.prefix,
        stopped=stopped,
        held=frozenset(
            at for at in taken if any(one.holds(at[0], at[1], endpoints.prefix) for one in stopped)
        ),
        held_up=held_up,
        listed=() if listed is None else tuple(listed),
        unlisted=unlisted,
    )


def _desks(line: Topic | None) -> tuple[str, ...]:
    return () if line is None else tuple(desk for desk in line.hearers if desk in DESKS)


async def overdue_in(connection: asyncpg.Connection[Any]) -> frozenset[tuple[int, UUID, int, datetime]]:
    """Of each shard the timer that would fire next and is due."""
    return frozenset(tuple(row) for row in await connection.fetch(_OVERDUE, TIMER_SHARDS))


async def held_up_in(connection: asyncpg.Connection[Any]) -> frozenset[str]:
    """The desks, or the relay, that wait for a lock another session holds."""
    return frozenset(row[0] for row in await connection.fetch(_HELD_UP))


async def stalled(
    endpoints: CityEndpoints, catalogue: Catalogue, first: CityProgress, *, within: float = REPORTED_SECONDS
) -> dict[str, str]:
    """The processes that stand still since the first look, and how that shows; at once where no work waits."""
    began_at = time.monotonic()
    still = first
    while (found := standing_still(first, still)) and time.monotonic() - began_at < within:
        await asyncio.sleep(LOOK_SECONDS)
        still = await look(endpoints, catalogue)
    return found


def standing_still(first: CityProgress, now: CityProgress) -> dict[str, str]:
    """The processes that had work at the first look and made no step since, with their waiting work.

    Where a topic waits for a person, nobody stands still. Where it waited at the first look, it may just have begun.
    """
    found: dict[str, str] = {}
    held = first.held | now.held
    stuck = [at for at in first.left if at not in held and now.taken.get(at) == first.taken[at]]
    for desk in dict.fromkeys(at[0] for at in stuck):
        mine = [at for at in stuck if at[0] == desk]
        number = sum(now.left.get(at, 0) for at in mine)
        found[desk] = f"{number:,} messages wait in {len(mine)} partitions, none is taken in"
    if stays := first.overdue & now.overdue:
        _, complaint, _, due_at = min(stays, key=lambda timer: timer[3])
        found["escalation"] = (
            f"the timer of {complaint} was due at {shown(due_at, UTC, seconds=True)} UTC, nobody fires it"
        )
    if first.unlisted and now.unlisted and first.listed == now.listed:
        found[PROJECTOR] = "facts wait to be in the lists, its position does not move"
    if not first.drained and not now.drained and first.cursor == now.cursor:
        found["relay"] = "facts wait to be sent, its cursor does not move"
    return found
