"""The projection of calls: each call as its figures count it, and how many there were in each minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from services.intake.register import call_of, read
from shared.log.projection.projector import New, Source
from shared.unreadable import reason

MINUTE: Final = timedelta(minutes=1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)

_TOLD: Final = "SELECT call_id, told FROM intake.call WHERE call_id = ANY ($1::text[])"
_NEXT: Final = "SELECT call_id FROM intake.call WHERE call_id > $1 ORDER BY call_id LIMIT $2"
_PUT: Final = """
WITH put AS (
    INSERT INTO read.call AS t (call_id, at, minute, outcome, reached, waited, gave_up, talked)
    SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::boolean[], $6::interval[],
                         $7::interval[], $8::interval[])
    ON CONFLICT (call_id) DO UPDATE SET at = excluded.at, minute = excluded.minute, outcome = excluded.outcome,
        reached = excluded.reached, waited = excluded.waited, gave_up = excluded.gave_up, talked = excluded.talked
    WHERE (t.at, t.outcome, t.reached, t.waited, t.gave_up, t.talked)
        IS DISTINCT FROM (excluded.at, excluded.outcome, excluded.reached, excluded.waited, excluded.gave_up,
                          excluded.talked)
    RETURNING old.call_id AS was, old.minute AS o_minute, old.outcome AS o_outcome, old.reached AS o_reached,
        new.minute AS n_minute, new.outcome AS n_outcome, new.reached AS n_reached
), moved AS MATERIALIZED (
    SELECT n_minute AS minute, n_outcome AS outcome, n_reached AS reached, 1 AS n FROM put
    UNION ALL
    SELECT o_minute, o_outcome, o_reached, -1 FROM put WHERE was IS NOT NULL
), totalled AS (
    INSERT INTO read.call_total AS t (outcome, calls)
    SELECT outcome, sum(n) FROM moved GROUP BY 1 HAVING sum(n) <> 0
    ON CONFLICT (outcome) DO UPDATE SET calls = t.calls + excluded.calls
)
INSERT INTO read.call_minute AS t (minute, outcome, reached, calls)
SELECT minute, outcome, reached, sum(n) FROM moved GROUP BY 1, 2, 3 HAVING sum(n) <> 0
ON CONFLICT (minute, outcome, reached) DO UPDATE SET calls = t.calls + excluded.calls
"""
_UNREAD: Final = """
INSERT INTO read.call_unread AS t (call_id, why) SELECT * FROM unnest($1::text[], $2::text[])
ON CONFLICT (call_id) DO UPDATE SET why = excluded.why WHERE t.why <> excluded.why
"""
_NOTED: Final = "SELECT call_id FROM read.call_unread ORDER BY call_id"
_READ_AGAIN: Final = "DELETE FROM read.call_unread WHERE call_id = ANY ($1::text[])"
VERSION: Final = 1
"""Of this fold, as that of `hotline.readside.rows`."""


def end_of(at: datetime, span: timedelta) -> datetime:
    """The end of the minute or hour an instant belongs to: they hold their end, as windows, and not their beginning."""
    return at + (_EPOCH - at) % span


class Calls:
    """See `Projection`."""

    name = "calls"
    version = VERSION
    source = Source("intake.call", "call_id", "", "0::bigint", "SELECT 0::bigint")

    async def put(self, connection: asyncpg.Connection[Any], new: New) -> None:
        """See `Projection.put`."""
        rows: list[tuple[Any, ...]] = []
        amiss: dict[str, str] = {}
        for call_id, told in await connection.fetch(_TOLD, new.keys):
            try:
                rows += call_rows(call_id, told)
            except Exception as error:  # noqa: BLE001 -- this call is in no figure and is named, all others are
                amiss[call_id] = reason(error)
        if rows:
            await connection.execute(_PUT, *(list(column) for column in zip(*rows, strict=True)))
        await connection.execute(_READ_AGAIN, [key for key in new.keys if key not in amiss])
        if amiss:
            await connection.execute(_UNREAD, list(amiss), list(amiss.values()))

    async def next_keys(
        self, connection: asyncpg.Connection[Any], after: str, most: int, *, behind: bool
    ) -> list[Any]:
        """See `Projection.next_keys`. No version tells which calls are behind: all are gone through."""
        del behind
        return [row[0] for row in await connection.fetch(_NEXT, after, most)]

    async def archived_behind(self, _: asyncpg.Connection[Any]) -> list[Any]:
        """See `Projection.archived_behind`: no call goes into the archive."""
        return []

    async def unread(self, connection: asyncpg.Connection[Any]) -> list[Any]:
        """See `Projection.unread`."""
        return [row[0] for row in await connection.fetch(_NOTED)]


def call_rows(call_id: str, told: list[str]) -> list[tuple[Any, ...]]:
    """The row of a call, by what was told of it; none where nothing was."""
    call = call_of(read(thing) for thing in told)
    at = call.counted_at
    if at is None:
        return []
    return [
        (
            call_id,
            at,
            end_of(at, MINUTE),
            call.outcome or "",
            call.reached,
            call.wait,
            call.gave_up_after,
            call.talk,
        )
    ]
