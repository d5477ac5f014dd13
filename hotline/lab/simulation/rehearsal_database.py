"""The conductor's questions and statements to PostgreSQL: city time, timers, whether all has been taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TypeVar

import asyncpg

from hotline.lab.simulation.agenda import Timer
from shared.events import Urgency
from shared.events.base import DeskName, Limit
from shared.ids import ComplaintId
from shared.log import TIMER_KINDS, TIMER_SHARDS
from shared.log.away import AWAY, is_away
from shared.log.postgres import connect
from shared.runtime.errors import UserError
from shared.times import shown
from shared.topics import COMPLAINTS_LOG

T = TypeVar("T")

READERS: Final = tuple(name for name in COMPLAINTS_LOG.hearers if name in set(DeskName))
"""The desks that read the log through Kafka; they must be at its end before anything later happens."""

_RETRY_SECONDS: Final = 0.1
_SHARDS: Final = list(range(TIMER_SHARDS))
_ARRIVAL: Final = TIMER_KINDS[Limit.ARRIVAL]

_BEGIN: Final = """
INSERT INTO lab.city_clock AS c (now, settled) VALUES ($1, $1)
ON CONFLICT (one) DO UPDATE SET now = $1, settled = $1 WHERE c.now <= $1
RETURNING now
"""
_NOW: Final = "UPDATE lab.city_clock SET now = $1"
_SETTLED: Final = "UPDATE lab.city_clock SET settled = $1"
_TIMERS: Final = """
SELECT t.stream_id::text, t.due_at, h.state::json ->> 'ruleset', h.state::json ->> 'urgency', t.kind
FROM es.timer t JOIN es.stream h USING (stream_id)
"""
_TIMERS_OF: Final = _TIMERS + "WHERE t.stream_id = ANY ($1::uuid[])"
_FIRE: Final = """
INSERT INTO lab.city_fire (stream_id, until) SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
"""
# One statement is one snapshot: what it sees of relay, desks and timers is the same instant of the log.
_LOOK: Final = """
SELECT es.drained(),
    EXISTS (
        SELECT FROM lab.city_clock c, es.timer t
        WHERE t.shard = ANY ($1::smallint[]) AND coalesce(t.look_at, t.due_at) < c.settled
    ) OR EXISTS (SELECT FROM lab.due($1, 1)),
    (
        SELECT coalesce(sum(greatest(w.want - coalesce(o.next_offset, 0), 0)), 0)::bigint
        FROM unnest($2::text[], $3::text[], $4::int[], $5::bigint[]) AS w (consumer, topic, part, want)
        LEFT JOIN es.consumer_offset o USING (consumer, topic, part)
    ),
    ARRAY(
        SELECT coalesce(
            (
                SELECT o.next_offset FROM es.consumer_offset o
                WHERE o.consumer = c.consumer AND o.topic = $7 AND o.part = p.part
            ), 0)
        FROM unnest($6::text[]) WITH ORDINALITY AS c (consumer, n),
            generate_series(0, $8::int - 1) AS p (part)
        ORDER BY c.n, p.part
    )
"""


class Look(NamedTuple):
    """The system at one instant."""

    drained: bool
    """The relay has published every fact."""
    overdue: bool
    """A timer that may fire has not."""
    behind: int
    """Messages of ours that no desk has taken in yet."""
    read: tuple[tuple[int, ...], ...]
    """For each reader of the log how far it is in each partition."""


class RehearsalDatabase:
    """A connection that outlives PostgreSQL's restarts: every statement here may be repeated."""

    def __init__(self, dsn: str, prefix: str) -> None:
        """`dsn` may read the log and write `lab.city_clock` and `lab.city_fire`."""
        self._dsn = dsn
        self._log = prefix + COMPLAINTS_LOG.name
        self._connection: asyncpg.Connection[Any] | None = None

    async def begin(self, at: datetime) -> None:
        """Set city time; `UserError` where it has already gone past."""
        if await self._patiently(lambda c: c.fetchval(_BEGIN, at)) is None:
            known = await self._patiently(lambda c: c.fetchval("SELECT now FROM lab.city_clock"))
            message = (
                f"city time is already {shown(known, UTC)} UTC; a day that begins earlier needs a new city"
            )
            raise UserError(message)

    async def reach(self, now: datetime) -> None:
        """Inputs may now come up to here."""
        await self._patiently(lambda c: c.execute(_NOW, now))

    async def settle(self, settled: datetime) -> None:
        """Timers may now fire whose limit lies before this."""
        await self._patiently(lambda c: c.execute(_SETTLED, settled))

    async def fire(self, until: Mapping[ComplaintId, datetime]) -> None:
        """The timers of each of these complaints may fire that lie before its instant, and nobody else's."""
        complaints, instants = list(until), list(until.values())

        async def write(connection: asyncpg.Connection[Any]) -> None:
            async with connection.transaction():
                await connection.execute("DELETE FROM lab.city_fire")
                await connection.execute(_FIRE, complaints, instants)

        await self._patiently(write)

    async def timers(self, complaints: Collection[ComplaintId] | None = None) -> list[Timer]:
        """Every timer of these complaints; of all, where none are given."""
        if complaints is None:
            rows = await self._patiently(lambda c: c.fetch(_TIMERS))
        else:
            asked = list(complaints)
            rows = await self._patiently(lambda c: c.fetch(_TIMERS_OF, asked))
        return [
            Timer(row[0], row[1], row[2], Urgency(row[3] or Urgency.GENERAL_7D), row[4] == _ARRIVAL)
            for row in rows
        ]

    async def look(self, wanted: Mapping[tuple[str, str, int], int]) -> Look:
        """See how far everybody is; `wanted` says where each (consumer, topic, partition) must be."""
        places = list(wanted)
        arguments = (
            _SHARDS,
            [place[0] for place in places],
            [place[1] for place in places],
            [place[2] for place in places],
            list(wanted.values()),
            list(READERS),
            self._log,
            COMPLAINTS_LOG.partitions,
        )
        rows = await self._patiently(lambda c: c.fetch(_LOOK, *arguments))
        drained, overdue, behind, read = rows[0]
        each = COMPLAINTS_LOG.partitions
        split = tuple(tuple(read[n * each : (n + 1) * each]) for n in range(len(READERS)))
        return Look(drained, overdue, behind, split)

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                await connection.close(timeout=5)

    async def _patiently(self, ask: Callable[[asyncpg.Connection[Any]], Awaitable[T]]) -> T:
        """Ask, however long PostgreSQL is away."""
        while True:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await connect(self._dsn, "conductor")
                return await ask(self._connection)
            except AWAY as error:
                if not is_away(error):
                    raise
                await self.close()
                await asyncio.sleep(_RETRY_SECONDS)
