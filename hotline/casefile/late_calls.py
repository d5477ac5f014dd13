"""Units that a street whistled for and that have not come in time (吹哨报到), each with its limit and who was told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from hotline.readside.lists import SHOWN, Listed, listed_of
from hotline.readside.rows import CALLED, ORDERS
from shared.events import ArrivalMissed, Fact, UnitCalled, WhistleAcknowledged
from shared.events.base import Level, WhistleKind
from shared.log.codec import decoded
from shared.unreadable import UnreadableRows

AWAITED_MAX: Final = 1_000
"""Called units that are looked at, the earliest due first: a city of 28,000 complaints a day awaits some hundred."""

# The rows of a unit are found by the index of its list, those of all units by the index of what is called.
_AWAITED: Final = """
SELECT w.due_at, w.role, w.number, w.party AS about, {shown}
FROM (
    SELECT due_at, role, number, party, stream_id FROM read.waiting
    WHERE list = '{orders}' AND role = '{called}' AND {whose} ORDER BY due_at, stream_id, party, number LIMIT $2
) w
JOIN read.complaint c ON c.stream_id = w.stream_id JOIN read.wording t ON t.stream_id = w.stream_id
"""
_OF_ALL, _OF_UNIT = (
    _AWAITED.format(orders=ORDERS, called=CALLED, shown=SHOWN, whose=whose)
    for whose in ("$1 = ''", "party = $1")
)
_FACTS: Final = """
SELECT stream_id::text, type, schema_version, body FROM es.fact
WHERE stream_id = ANY ($1::uuid[]) AND type = ANY ($2::text[]) ORDER BY stream_id, version
"""
_KINDS: Final = [kind.__name__ for kind in (UnitCalled, WhistleAcknowledged, ArrivalMissed)]


class LateCall(NamedTuple):
    """A unit that was called to an order, and whose time to be there is over."""

    one: Listed
    unit: str
    """The unit that is awaited."""
    street: str
    """The street that whistled."""
    whistle: int
    kind: WhistleKind
    called_at: datetime
    due_at: datetime
    """Until when it had to be there."""
    acknowledged_at: datetime | None
    """When it said that it comes; None where it has said nothing."""
    told: Level
    """The highest level that was told; `UNIT` where none was."""

    @property
    def ruleset(self) -> str:
        """The rule set in whose zone its limit counts."""
        return self.one.ruleset


class LateCalls(NamedTuple):
    """All that are late, the longest first."""

    calls: list[LateCall]
    more: bool
    """Whether more units are awaited than were looked at."""


async def late_calls(connection: asyncpg.Connection[Any], now: datetime, unit: str = "") -> LateCalls:
    """The calls of this unit, or of all units, whose limit has passed and whose unit has not come."""
    statement = _OF_UNIT if unit else _OF_ALL
    rows = [listed_of(row) for row in await connection.fetch(statement, unit, AWAITED_MAX)]
    streams = sorted({one.complaint_id for one in rows})
    found = await connection.fetch(_FACTS, streams, _KINDS) if streams else []
    facts = UnreadableRows().each(found, lambda row: f"a fact of {row[0]}", lambda row: decoded(*row[1:]))
    return LateCalls(late_among(rows, facts, now), len(rows) == AWAITED_MAX)


def late_among(rows: Sequence[Listed], facts: Iterable[Fact], now: datetime) -> list[LateCall]:
    """Of these awaited units (`about`) those whose own limit has passed, the longest late first."""
    called: dict[tuple[str, int, str], UnitCalled] = {}
    known: dict[tuple[str, int, str], datetime] = {}
    told: dict[tuple[str, int, str], Level] = {}
    for fact in facts:
        match fact:
            case UnitCalled():
                called[fact.complaint_id, fact.whistle, fact.called] = fact
            case WhistleAcknowledged():
                known[fact.complaint_id, fact.whistle, fact.called] = fact.acknowledged_at
            case ArrivalMissed():
                told[fact.complaint_id, fact.whistle, fact.called] = fact.to_level
            case _:
                pass  # of no call
    late: list[LateCall] = []
    for one in rows:
        place = (one.complaint_id, one.number, one.about)
        call = called.get(place)
        if call is None or call.arrive_by is None or call.arrive_by >= now:
            continue
        late.append(
            LateCall(
                one=one,
                unit=one.about,
                street=call.unit,
                whistle=one.number,
                kind=call.kind,
                called_at=call.called_at,
                due_at=call.arrive_by,
                acknowledged_at=known.get(place),
                told=told.get(place, Level.UNIT),
            )
        )
    return sorted(late, key=lambda call: (call.due_at, call.one.complaint_id, call.unit))
