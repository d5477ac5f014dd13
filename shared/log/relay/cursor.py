"""How far a relay is: its shard, its open batch, the facts to send next; all of it in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec

from shared.log.locks import RELAY, TRY_SHARD
from shared.log.relay.beside import Beside, looked_up
from shared.log.snapshot_difference import not_seen

# "+ 0" keeps the planner from walking the primary key for the ORDER BY. It did so after an automatic ANALYZE, at five
# times the CPU. The plan is asserted in tests/shared/test_plans.py.
_DIFFERENCE: Final = not_seen(
    "e.*",
    "es.event e, s",
    "a",
    below="e.xid < pg_snapshot_xmax(b)",
    also="pg_visible_in_snapshot(e.xid, b) AND e.position + 0 > $3",
)
# The bounds are the first and the last instant that Python has. So the relay goes on where somebody has written an
# infinity into the log. `hotline verify` says that it is there.
_NEW: Final = f"""
WITH s AS MATERIALIZED (SELECT $1::text::pg_snapshot AS a, $2::text::pg_snapshot AS b)
SELECT position, stream_id, version, event_id, type, schema_version,
    greatest('0001-01-01 00:00+00', least('9999-12-31 23:59:59.999999+00', occurred_at)), caused_by, actor, body
FROM ({_DIFFERENCE}) u
ORDER BY u.position + 0 LIMIT $4
"""  # noqa: S608 -- from constants of ours
# Facts of other shards are read and left: an index by shard would cost each append more than this costs a relay.
_OF_SHARD: Final = "> $3 AND es.relay_shard(e.stream_id, $5) = $6"
_NEW_OF_SHARD: Final = _NEW.replace("> $3", _OF_SHARD)
# The first page, and the batch written down with it if there is anything in it. So there is one wait instead of two,
# and nobody has seen a row of it before the commit. A writer's rows come back with the count of written rows, 0 to a
# fenced relay.
_OPEN: Final = """
WITH page AS MATERIALIZED ({page}), moved AS (
    UPDATE es.relay SET snap_a = $1::text::pg_snapshot, snap_b = $2::text::pg_snapshot, pos = 0, batch = {batch}
    WHERE shard = {shard} AND epoch = {epoch} AND EXISTS (SELECT FROM page) RETURNING 1
)
SELECT (SELECT count(*) FROM moved), page.* FROM page ORDER BY position + 0
"""
_OPEN_ALL: Final = _OPEN.format(page=_NEW, shard="$5", epoch="$6", batch="$7")
_OPEN_SHARD: Final = _OPEN.format(page=_NEW_OF_SHARD, shard="$6", epoch="$7", batch="$8")
_SHARDS: Final = "SELECT count(*)::int FROM es.relay"
_OWN: Final = """
UPDATE es.relay SET epoch = epoch + 1 WHERE shard = $1 AND (SELECT count(*) FROM es.relay) = $2
RETURNING epoch, batch, snap_a::text, snap_b::text, pos
"""
# Our position need not be on disk before we go on. If a crash of PostgreSQL takes it back, the facts are sent again
# with the same marks. Only an open batch must be on disk, for it says what the marks mean.
_UNHURRIED: Final = (
    "WITH moved AS ({} RETURNING 1) SELECT count(*), set_config('synchronous_commit', 'off', true) FROM moved"
)
_PAGE: Final = _UNHURRIED.format("UPDATE es.relay SET pos = $3 WHERE shard = $1 AND epoch = $2")
_DONE: Final = _UNHURRIED.format(
    "UPDATE es.relay SET snap_a = snap_b, snap_b = NULL, pos = 0 WHERE shard = $1 AND epoch = $2"
)
_IDLE: Final = _UNHURRIED.format(
    "UPDATE es.relay SET snap_a = $3::text::pg_snapshot WHERE shard = $1 AND epoch = $2 AND snap_b IS NULL"
)


class RelayFenced(Exception):  # noqa: N818 -- another owner took over; not an error
    """A newer owner holds the shard; this one must stop."""


class WrongShards(Exception):  # noqa: N818 -- told to a person, and the end of the process
    """The relays and the log disagree about how many share it: some facts would be sent twice, or never."""


class FactRow(msgspec.Struct, frozen=True, gc=False):
    """A fact on its way out."""

    position: int
    stream_id: str
    version: int
    event_id: str
    type: str
    schema_version: int
    occurred_at: datetime
    caused_by: str
    actor: str
    body: bytes
    beside: Beside | None = None
    """The rest of its message outside, where that says more than the fact."""


def _row(columns: Sequence[Any]) -> FactRow:
    position, stream_id, version, event_id, *rest = columns
    return FactRow(position, str(stream_id), version, str(event_id), *rest)


class RelayCursor:
    """The relay's memory and reading in PostgreSQL; one shard, one owner."""

    def __init__(self, connection: asyncpg.Connection[Any], shard: int = 0, shards: int = 1) -> None:
        """The connection must be direct: a session lock on it says who owns the shard, one of `shards`."""
        self.connection = connection
        self.shard = shard
        self.shards = shards
        self.epoch = 0
        self.batch = 0
        self.snap_a = ""
        self.snap_b: str | None = None
        self.position = 0
        self.owes = False

    async def try_own(self) -> bool:
        """Become the owner if nobody else is alive; older owners are fenced from then on. Raises `WrongShards`."""
        await self._agree()
        got = await self.connection.fetchval(
            TRY_SHARD,
            RELAY,
            self.shard,
        )
        if not got:
            return False
        await self.own()
        return True

    async def own(self) -> None:
        """Take the shard over and read where its last owner stood; raises `WrongShards`."""
        row = await self.connection.fetchrow(_OWN, self.shard, self.shards)
        if row is None:
            await self._agree()
            message = f"relay shard {self.shard} has no row in es.relay"
            raise RuntimeError(message)
        self.epoch, self.batch, self.snap_a, self.snap_b, self.position = row

    async def _agree(self) -> None:
        there = await self.connection.fetchval(_SHARDS)
        if there != self.shards:
            message = (
                f"the log is shared by {there} relays (es.relay), RELAY_SHARDS says {self.shards}: set it to {there}, "
                f"or have the operator's login say SELECT es.set_relay_shards({self.shards}) while no relay runs"
            )
            raise WrongShards(message)

    async def look(self) -> str:
        """The present snapshot; a statement of its own, on the primary."""
        snapshot: str = await self.connection.fetchval("SELECT pg_current_snapshot()::text")
        return snapshot

    async def page(self, snap_b: str, page_max: int) -> list[FactRow]:
        """The next facts of the open batch, those visible in `snap_b` and not in `snap_a`, by position."""
        asked = (self.snap_a, snap_b, self.position, page_max)
        if self.shards == 1:
            rows = await self.connection.fetch(_NEW, *asked)
        else:
            rows = await self.connection.fetch(_NEW_OF_SHARD, *asked, self.shards, self.shard)
        return [_row(r) for r in rows]

    async def open(self, snap_b: str, page_max: int) -> list[FactRow]:
        """The first page up to `snap_b`, its batch written down before anybody has seen it; [] where nothing is new.

        Writes with it that the batch before is done.
        """
        asked = (self.snap_a, snap_b, 0, page_max)
        fence = (self.shard, self.epoch, self.batch + 1)
        if self.shards == 1:
            found = await self.connection.fetch(_OPEN_ALL, *asked, *fence)
        else:
            found = await self.connection.fetch(_OPEN_SHARD, *asked, self.shards, *fence)
        if not found:
            return []
        if not found[0][0]:
            raise self._over()
        self.batch += 1
        self.snap_b = snap_b
        self.position = 0
        self.owes = False
        return [_row(r[1:]) for r in found]

    async def with_beside(self, rows: list[FactRow]) -> list[FactRow]:
        """The page, each fact with what its message says beside it."""
        for place, beside in (await looked_up(self.connection, rows)).items():
            rows[place] = msgspec.structs.replace(rows[place], beside=beside)
        return rows

    async def page_done(self, position: int) -> None:
        """Every message up to here is acknowledged; more of the batch follows."""
        await self._fenced(_PAGE, position)
        self.position = position

    def batch_done(self) -> None:
        """Every message of the open batch is acknowledged; written down with the next one, or by `settle`."""
        self.snap_a = self.snap_b or self.snap_a
        self.snap_b = None
        self.position = 0
        self.owes = True

    async def settle(self) -> None:
        """Write down that the last batch is done; who comes before that sends it again, with the same marks."""
        await self._fenced(_DONE)
        self.owes = False

    async def idle(self, snap: str) -> None:
        """Nothing was new up to this snapshot."""
        await self._fenced(_IDLE, snap)
        self.snap_a = snap

    async def _fenced(self, statement: str, *values: object) -> None:
        if not await self.connection.fetchval(statement, self.shard, self.epoch, *values):
            raise self._over()

    def _over(self) -> RelayFenced:
        return RelayFenced(f"relay shard {self.shard}: epoch {self.epoch} is over")
