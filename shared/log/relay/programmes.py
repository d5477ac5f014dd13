"""The notices of programmes: what units are told of their tasks, as it stands in the programmes' own log.

Those of one programme come in order: whoever appends to it holds its lock until the commit. The key of a message is
the programme's id. It goes to the topic of the unit's orders, and its type says that it is none (decision 0055).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from shared.cloudevents import event_headers
from shared.ids import UnitId, derived
from shared.log.relay.notice_cursor import NoticeMessage, NoticeSource
from shared.log.snapshot_difference import not_seen
from shared.programme_notice import CE_SOURCE, CE_TYPE, stored
from shared.topics import DISPATCH_ORDERS

_DIFFERENCE: Final = not_seen(
    "e.*",
    "es.programme_fact e, s",
    "a",
    below="e.xid < pg_snapshot_xmax(b)",
    also="pg_visible_in_snapshot(e.xid, b) AND e.notices IS NOT NULL AND (e.programme_id, e.position) > ($4, $5)",
)
_NEW: Final = f"""
WITH s AS MATERIALIZED (SELECT $1::text::pg_snapshot AS a, $2::text::pg_snapshot AS b)
SELECT programme_id, position, occurred_at, notices FROM ({_DIFFERENCE}) u ORDER BY programme_id, position LIMIT $3
"""  # noqa: S608 -- from constants of ours


class ProgrammeRow(NamedTuple):
    """A fact of a programme, as units are told of it."""

    programme_id: UUID
    position: int
    occurred_at: datetime
    notices: str


def headers_of(row: ProgrammeRow, unit: UnitId) -> list[tuple[str, bytes]]:
    """The headers of its message to this unit; told twice, it has the same id."""
    identity = derived("programme notice", str(row.programme_id), str(row.position), unit)
    return event_headers(CE_TYPE, CE_SOURCE, identity, row.occurred_at)


def _messages(row: ProgrammeRow, prefix: str) -> Sequence[NoticeMessage]:
    try:
        told = stored(row.notices)
    except msgspec.DecodeError:
        return ()  # it stops nobody, and `hotline verify` names it
    key = str(row.programme_id).encode()
    return [
        NoticeMessage(
            DISPATCH_ORDERS,
            prefix + DISPATCH_ORDERS.of(one.unit),
            key,
            headers_of(row, one.unit),
            bytes(one.body),
        )
        for one in told
    ]


PROGRAMMES: Final = NoticeSource[ProgrammeRow](
    new=_NEW,
    begins=(UUID(int=0), 0),
    place=lambda row: (row.programme_id, row.position),
    read=lambda columns: ProgrammeRow(*columns),
    cursor="es.programme_relay",
    messages=_messages,
)
"""The notices of programmes."""
