"""How far the notices of parkings are: a cursor of its own over es.parking_notice, by the same snapshot difference.

A parking may commit late, and then has a smaller number than what was sent before. So new is what an earlier
snapshot did not see (decision 0005). Of one topic and partition they come in order: whoever parks the next has
seen the offset of the one before, so it is committed. The owner of shard 0 sends them, however many relays share
the log: they are rare, and belong to no complaint.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from shared.ids import derived
from shared.log.relay.cursor import RelayCursor, RelayFenced
from shared.log.snapshot_difference import not_seen
from shared.results import CE_TYPE, InputParked, wrong_field

SHARD: Final = 0
"""The shard whose owner sends them."""
NOTICES_MAX: Final = 500
"""Notices read and sent at once."""

_DIFFERENCE: Final = not_seen(
    "e.*",
    "es.parking_notice e, s",
    "a",
    below="e.xid < pg_snapshot_xmax(b)",
    also="pg_visible_in_snapshot(e.xid, b) AND e.notice_id + 0 > $3",
)
_NEW: Final = f"""
WITH s AS MATERIALIZED (SELECT $1::text::pg_snapshot AS a, $2::text::pg_snapshot AS b)
SELECT notice_id, consumer, topic, part, kafka_offset, sent_at_ms, source, event_id, complaint_id::text, reason,
    parked_at
FROM ({_DIFFERENCE}) u ORDER BY notice_id LIMIT $4
"""  # noqa: S608 -- from constants of ours
_FROM: Final = "SELECT snap_a::text FROM es.parking_relay"
_SENT: Final = """
UPDATE es.parking_relay SET snap_a = $1::text::pg_snapshot
WHERE EXISTS (SELECT FROM es.relay WHERE shard = $2 AND epoch = $3) RETURNING true
"""


class NoticeRow(NamedTuple):
    """A parking, as its speaker is told."""

    notice_id: int
    consumer: str
    topic: str
    partition: int
    offset: int
    sent_at_ms: int
    source: str | None
    event_id: str | None
    complaint_id: str | None
    reason: str
    parked_at: datetime


def key_of(row: NoticeRow) -> bytes:
    """The key of its message: the complaint where that is known, else its place."""
    return (row.complaint_id or f"{row.topic}/{row.partition}/{row.offset}").encode()


def headers_of(row: NoticeRow) -> list[tuple[str, bytes]]:
    """The headers of its message; told twice, it has the same id."""
    place = (row.consumer, row.topic, str(row.partition), str(row.offset), str(row.sent_at_ms))
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", CE_TYPE.encode()),
        ("ce_source", f"/hotline/{row.consumer}".encode()),
        ("ce_id", derived("parked", *place, row.reason).encode()),
        ("ce_time", row.parked_at.isoformat().encode()),
        ("content-type", b"application/json"),
    ]


def body_of(row: NoticeRow) -> bytes:
    """The body of its message: the place and the reason, and nothing of what was sent."""
    fault = wrong_field(row.reason)
    return msgspec.json.encode(
        InputParked(
            topic=row.topic,
            partition=row.partition,
            offset=row.offset,
            source=row.source or UNSET,
            id=row.event_id or UNSET,
            reason=row.reason,
            field=fault.field or UNSET,
            expected=fault.expected or UNSET,
            parked_at=row.parked_at,
        )
    )


class NoticeCursor:
    """The relay's memory of what speakers were told of parkings; owned with shard 0."""

    def __init__(self, relay: RelayCursor) -> None:
        """`relay` owns the shard, and has the connection."""
        self._relay = relay
        self._snap_a = ""
        self._snap_b = ""
        self._last = 0
        self._idle_at: str | None = None
        """Where the relay was when this last looked."""

    async def new(self) -> list[NoticeRow]:
        """The next notices that were not sent, in order; [] where there is none up to this moment."""
        connection = self._relay.connection
        if not self._snap_a:
            self._snap_a = await connection.fetchval(_FROM)
        if not self._snap_b:
            # Where the relay looks and finds the snapshot of before, nobody has written anything.
            if self._relay.snap_a == self._idle_at:
                return []
            self._idle_at = self._relay.snap_a
            self._snap_b = await self._relay.look()
        rows = await connection.fetch(_NEW, self._snap_a, self._snap_b, self._last, NOTICES_MAX)
        if not rows and self._last:  # the last page was just full
            await self._done()
        elif not rows:
            # Not written down: who starts from the older snapshot finds nothing either.
            self._snap_a, self._snap_b = self._snap_b, ""
        return [NoticeRow(*row) for row in rows]

    async def sent(self, rows: list[NoticeRow]) -> None:
        """All of these are acknowledged; who comes before the last page of them is sends the pages again."""
        if len(rows) == NOTICES_MAX:
            self._last = rows[-1].notice_id
        else:
            await self._done()

    async def _done(self) -> None:
        relay = self._relay
        if not await relay.connection.fetchval(_SENT, self._snap_b, SHARD, relay.epoch):
            message = f"relay shard {SHARD}: epoch {relay.epoch} is over"
            raise RelayFenced(message)
        self._snap_a, self._snap_b, self._last = self._snap_b, "", 0
