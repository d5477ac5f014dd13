"""How far every process has come, as PostgreSQL knows it: by this it is told when work goes on after a fault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Any, Final

import asyncpg
import msgspec

from deploy.city.endpoints import PROCESSES, PROJECTOR
from deploy.city.processes import OWNERS
from shared.log import TIMER_SHARDS
from shared.log.away import AWAY

LOOK_SECONDS: Final = 0.05

# Escalation hears only the clock: it is at work when all shards are owned and their owner asks.
_LOOK: Final = """
SELECT (SELECT jsonb_object_agg(consumer, n) FROM (
            SELECT consumer, sum(next_offset) AS n FROM es.consumer_offset GROUP BY consumer) o) AS offsets,
       (SELECT string_agg(batch || '/' || pos || '/' || coalesce(snap_b::text, ''), ' ' ORDER BY shard)
        FROM es.relay) AS relay,
       (SELECT max(a.query_start)::text FROM pg_stat_activity a
        WHERE a.datname = current_database() AND a.application_name = 'escalation.tick' AND $1 = (
            SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
            WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $2::int AND d.datname = current_database()))
       AS tick,
       (SELECT max(a.query_start)::text FROM pg_stat_activity a
        WHERE a.datname = current_database() AND a.application_name = $3) AS listing
"""


class Marks:
    """A connection past all wires; PostgreSQL may go and come back."""

    def __init__(self, owner_dsn: str) -> None:
        """Connects with the first look."""
        self._dsn = owner_dsn
        self._connection: asyncpg.Connection[Any] | None = None

    async def look(self) -> dict[str, object]:
        """A mark for each process that is another as soon as it has done something; {} while nobody answers."""
        try:
            async with asyncio.timeout(2):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(self._dsn, timeout=2)
                row = await self._connection.fetchrow(_LOOK, TIMER_SHARDS, OWNERS["escalation"], PROJECTOR)
        except AWAY:
            await self.close()
            return {}
        assert row is not None  # noqa: S101 -- one row always
        offsets: dict[str, object] = msgspec.json.decode(row["offsets"] or "{}")
        marks = {name: offsets.get(name) for name in PROCESSES}
        return {**marks, "relay": row["relay"], "escalation": row["tick"], PROJECTOR: row["listing"]}

    async def moved(self, victims: Collection[str], *, within: float) -> float | None:
        """Seconds from now until each of these has done something; None where one of them has not in time."""
        began = time.monotonic()
        before: dict[str, object] = {}
        left = set(victims)
        while left:
            now = await self.look()
            for name in set(left):
                if now.get(name) is None:
                    continue
                if name not in before:
                    before[name] = now[name]
                elif now[name] != before[name]:
                    left.discard(name)
            if time.monotonic() - began > within:
                return None
            await asyncio.sleep(LOOK_SECONDS)
        return time.monotonic() - began

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                await connection.close(timeout=1)
