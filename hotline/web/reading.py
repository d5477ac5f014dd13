"""Reads for the door: facts that an act led to, and the tables of the read side. No head is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias, cast
from uuid import UUID

import asyncpg
import msgspec

from hotline.casefile.outcomes import OF_REPLIES
from hotline.casefile.timeline import Entry, entries_of
from hotline.readside.lists import Filter, Listed, page_of, some
from hotline.readside.rows import ORDERS
from hotline.readside.standing import AsOf, as_of, caught_up
from hotline.web.answers import (
    ComplaintSeen,
    ComplaintTimeline,
    PlacedOrder,
    StatedFact,
    TimelineEntry,
)
from hotline.web.keys import Key
from hotline.web.limits import CAUGHT_UP_SECONDS_MAX, ENTRIES_MAX
from hotline.web.roles import KeyScope
from shared.complaint_number import ComplaintNumberError, number_of, numbered
from shared.events import ComplaintDispatched, ComplaintReceived, Fact, ReplyRefused, WhistleBlown
from shared.ids import ComplaintId, MessageId, complaint_id
from shared.log.codec import ce_type_of, decoded
from shared.log.relay.beside import TOLD_UNITS
from shared.topics import DISPATCH_ORDERS
from shared.unreadable import UnreadableRows

Connection: TypeAlias = "asyncpg.Connection[Any]"

_OF_ACT: Final = """
SELECT version, event_id::text, type, schema_version, occurred_at, caused_by = $2 AS own, body FROM es.fact
WHERE stream_id = $1 AND (caused_by = $2 OR version = 1 OR type = $3) ORDER BY version
"""
_DISPATCHED: Final = "SELECT EXISTS (SELECT FROM es.fact WHERE stream_id = $1 AND type = $2)"
_LIFE: Final = """
SELECT version, event_id, type, schema_version, occurred_at, caused_by, actor, body, hash
FROM es.fact WHERE stream_id = $1 ORDER BY version
"""
# Whether anything of this life was ever told to the unit on its topic: a fact of these types names it.
_PARTY: Final = """
SELECT EXISTS (SELECT FROM es.fact WHERE stream_id = $1 AND type = ANY ($3) AND position($2::bytea IN body) > 0)
"""
_NUMBERED: Final = """
SELECT stream_id::text FROM read.complaint WHERE stream_id BETWEEN $1 AND $2 ORDER BY stream_id LIMIT 3
"""
_WAITS_AT: Final = """
SELECT EXISTS (SELECT FROM read.waiting WHERE stream_id = $1 AND list = $2 AND party = $3)
"""
_WHISTLES: Final = "SELECT count(*) FROM es.fact WHERE stream_id = $1 AND type = $2"
_ORDER: Final = ComplaintDispatched.__name__
_RECEIVED: Final = ComplaintReceived.__name__


class OfAct(NamedTuple):
    """The facts that an act led to, and what its sender is told beside them."""

    facts: list[Fact]
    stated: list[StatedFact]
    number: str
    """The complaint's; empty where nobody can say it."""
    order: PlacedOrder | None
    """The last order that was dispatched."""


@asynccontextmanager
async def lent(pool: asyncpg.Pool[Any]) -> AsyncIterator[Connection]:
    """A connection for one reading."""
    async with pool.acquire() as connection:
        yield cast("Connection", connection)


async def of_act(connection: Connection, complaint: ComplaintId, identity: MessageId) -> OfAct:
    """The facts that this message led to in the life of this complaint."""
    rows = await connection.fetch(_OF_ACT, complaint, identity, _ORDER)
    facts: list[Fact] = []
    stated: list[StatedFact] = []
    number, order = "", None
    for row in rows:
        fact = decoded(row["type"], row["schema_version"], row["body"])
        if isinstance(fact, ComplaintReceived):
            number = number_of(complaint, fact.received_at, fact.ruleset)
        if isinstance(fact, ComplaintDispatched):
            order = _placed(fact)
        if row["own"]:
            facts.append(fact)
            stated.append(
                StatedFact(
                    type=ce_type_of(row["type"], row["schema_version"]).decode(),
                    id=row["event_id"],
                    sequence=row["version"],
                    time=row["occurred_at"],
                    data=msgspec.Raw(row["body"]),
                )
            )
    return OfAct(facts, stated, number, order)


def _placed(fact: ComplaintDispatched) -> PlacedOrder:
    return PlacedOrder(
        unit=fact.unit,
        assignment=fact.assignment,
        round=fact.round,
        rule=fact.rule,
        sign_due_at=fact.sign_due_at,
        due_at=fact.unit_due_at if fact.round > 1 else fact.citizen_due_at,
    )


async def is_dispatched(connection: Connection, complaint: ComplaintId) -> bool:
    """Whether a unit has ever got it."""
    found: bool = await connection.fetchval(_DISPATCHED, complaint, _ORDER)
    return found


async def is_party(connection: Connection, complaint: ComplaintId, unit: str) -> bool:
    """Whether a unit was ever told anything of this complaint."""
    named = f'"{unit}"'.encode()
    found: bool = await connection.fetchval(_PARTY, complaint, named, TOLD_UNITS)
    return found


async def complaint_of(connection: Connection, key: Key, named: str) -> Listed | None:
    """The complaint with this number or id, where this key may see it; None where not, or where there is none."""
    await caught_up(connection, CAUGHT_UP_SECONDS_MAX)
    for one in await some(connection, await _ids(connection, named)):
        if _is_named(one, named):
            return one if await _may_see(connection, key, one) else None
    return None


async def whistles_of(connection: Connection, complaint: str) -> int:
    """How many whistles were blown for a complaint."""
    found: int = await connection.fetchval(_WHISTLES, complaint, WhistleBlown.__name__)
    return found


async def waiting_complaint(connection: Connection, named: str, which: str) -> Listed | None:
    """The complaint with this number or id, where it waits in a list of an office now."""
    await caught_up(connection, CAUGHT_UP_SECONDS_MAX)
    for one in await some(connection, await _ids(connection, named)):
        if _is_named(one, named) and await connection.fetchval(_WAITS_AT, one.complaint_id, which, ""):
            return one
    return None


async def _ids(connection: Connection, named: str) -> list[str]:
    try:
        return [str(UUID(named))]
    except ValueError:
        pass
    try:
        number = numbered(named)
    except ComplaintNumberError:
        return []
    if number is None:
        return []
    rows = await connection.fetch(_NUMBERED, UUID(number.id_first), UUID(number.id_last))
    return [row[0] for row in rows]


def _is_named(one: Listed, named: str) -> bool:
    """Whether it is the one: a number says the day as well."""
    try:
        UUID(named)
    except ValueError:
        return numbered(one.complaint_number) == numbered(named)
    return True


async def _may_see(connection: Connection, key: Key, one: Listed) -> bool:
    """A unit sees what lies with it, a front end what it put on record itself, and who may read all, all."""
    if key.may(KeyScope.READ_ALL):
        return True
    if key.unit:
        if one.lead == key.unit:
            return True
        waits: bool = await connection.fetchval(_WAITS_AT, one.complaint_id, ORDERS, key.unit)
        return waits
    return complaint_id(one.request_id, key.name) == one.complaint_id


async def timeline_of(connection: Connection, key: Key, one: Listed) -> ComplaintTimeline:
    """The life of a complaint that this key may see."""
    rows = await connection.fetch(_LIFE, one.complaint_id)
    entries = entries_of(one.complaint_id, rows, UnreadableRows())
    if key.unit:
        told = {
            row["version"]
            for row in rows
            if is_told(row["type"], row["schema_version"], row["body"], key.unit)
        }
        entries = [entry for entry in entries if entry.version in told]
    return ComplaintTimeline(
        complaint_id=one.complaint_id,
        complaint_number=one.complaint_number,
        entries=[_entry(entry, for_unit=bool(key.unit)) for entry in entries[-ENTRIES_MAX:]],
    )


def is_told(name: str, schema: int, body: bytes, unit: str) -> bool:
    """Whether a unit hears of this fact on its topic, or led to it by a reply."""
    try:
        fact = decoded(name, schema, body)
    except Exception:  # noqa: BLE001 -- a fact that nobody can read is told to no unit
        return False
    kind = type(fact)
    of_reply = kind is ReplyRefused or kind in OF_REPLIES
    if of_reply and getattr(fact, "unit", "") == unit and not getattr(fact, "asked_by", ""):
        return True
    named = kind.TELLS if kind in DISPATCH_ORDERS.carries else ()
    return any(getattr(fact, field, None) == unit for field in named)


def _entry(entry: Entry, *, for_unit: bool) -> TimelineEntry:
    return TimelineEntry(
        version=entry.version,
        at=entry.at,
        fact=entry.fact,
        who=entry.who,
        what=entry.what,
        why="" if for_unit else entry.why,  # it may name a fact that the unit is not told of
        weight=entry.weight,
    )


class ListedPage(NamedTuple):
    """A page of a list, and how far the list is."""

    rows: list[Listed]
    now: datetime
    as_of: AsOf
    more: str
    """Behind which the next page begins; empty where there is none."""


async def listed(
    connection: Connection, which: str, party: str, *, only: Filter, after: str, most: int
) -> ListedPage:
    """A page of one of the lists, which holds what was in the log when it was asked for.

    `UserError` where `after` is no place in a list, or there are no lists yet.
    """
    await caught_up(connection, CAUGHT_UP_SECONDS_MAX)
    rows = await page_of(connection, which, party, only=only, after=after, most=most + 1)
    standing = await as_of(connection)
    now: datetime = await connection.fetchval("SELECT es.present()")
    more = rows[most - 1].cursor if len(rows) > most else ""
    return ListedPage(rows[:most], now, standing, more)


def seen(one: Listed, now: datetime, whistles: int | None = None) -> ComplaintSeen:
    """A listed complaint as it is answered, at the city's present."""
    return ComplaintSeen(
        complaint_id=one.complaint_id,
        complaint_number=one.complaint_number,
        stage=one.stage,
        ended=one.ended,
        role=one.role,
        unit=one.lead,
        assignment=one.assignment,
        round=one.round,
        state=one.standing,
        due_at=one.due_at,
        overdue=one.overdue(now) and not one.ended,
        provisional=one.provisional,
        paused_until=one.paused_until,
        sign_by=one.sign_due_at,
        received_at=one.received_at,
        urgency=one.urgency,
        heat=one.heat,
        subject=one.subject,
        district=one.district,
        street=one.street,
        address=one.address,
        title=one.title,
        content=one.content,
        attachments=list(one.attachments),
        unlisted=list(one.unlisted),
        ruleset=one.ruleset,
        number=one.number,
        whistles=msgspec.UNSET if whistles is None else whistles,
        at=now,
    )


def behind_seconds(standing: AsOf) -> float:
    """How old the oldest fact is that is not in the lists."""
    return round(max(standing.behind, timedelta()).total_seconds(), 3)
