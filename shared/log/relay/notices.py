"""The notices of parkings, es.parking_notice: what a speaker is told of a message that was set aside.

Of one topic and partition they come in order: whoever parks the next has seen the offset of the one before, so it is
committed. They belong to no complaint.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from shared.cloudevents import event_headers
from shared.ids import derived
from shared.log.relay.notice_cursor import NoticeMessage, NoticeSource
from shared.log.snapshot_difference import not_seen
from shared.outward import results_of
from shared.results import CE_TYPE, InputParked, wrong_field

_DIFFERENCE: Final = not_seen(
    "e.*",
    "es.parking_notice e, s",
    "a",
    below="e.xid < pg_snapshot_xmax(b)",
    also="pg_visible_in_snapshot(e.xid, b) AND e.notice_id + 0 > $4",
)
_NEW: Final = f"""
WITH s AS MATERIALIZED (SELECT $1::text::pg_snapshot AS a, $2::text::pg_snapshot AS b)
SELECT notice_id, consumer, topic, part, kafka_offset, sent_at_ms, source, event_id, complaint_id::text, reason,
    parked_at
FROM ({_DIFFERENCE}) u ORDER BY notice_id LIMIT $3
"""  # noqa: S608 -- from constants of ours


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
    identity = derived("parked", *place, row.reason)
    return event_headers(CE_TYPE, f"/hotline/{row.consumer}", identity, row.parked_at)


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


def _messages(row: NoticeRow, prefix: str) -> Sequence[NoticeMessage]:
    found = results_of(row.topic, prefix)
    if found is None:  # it is a fact that a desk could not take in
        return ()
    return (NoticeMessage(*found, key_of(row), headers_of(row), body_of(row)),)


PARKINGS: Final = NoticeSource[NoticeRow](
    new=_NEW,
    begins=(0,),
    place=lambda row: (row.notice_id,),
    read=lambda columns: NoticeRow(*columns),
    cursor="es.parking_relay",
    messages=_messages,
)
"""The notices of parkings."""
