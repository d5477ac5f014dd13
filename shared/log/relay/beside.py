"""The rest of a fact's message outside: the complaint's number, when it came, how it was judged, what is answered.

The facts hold it elsewhere in the same life, and the log keeps them as they are. It is looked up for a whole page
at once, and only for the facts that leave the log.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import msgspec

from shared.complaint_number import number_of
from shared.events import (
    REFUSALS,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintWithdrawn,
    ReplyRefused,
    VisitMade,
)
from shared.ids import ComplaintId
from shared.outward import OUTWARD
from shared.results import AnsweredInput

if TYPE_CHECKING:
    from shared.log.relay.cursor import FactRow

_ORDER: Final = ComplaintDispatched.__name__
_CLOSED: Final = ComplaintClosed.__name__
_WITHDRAWN: Final = ComplaintWithdrawn.__name__
_MADE: Final = VisitMade.__name__
_REPLY_REFUSED: Final = ReplyRefused.__name__
_REFUSALS: Final = frozenset(kind.__name__ for kind in REFUSALS)
_ENDS: Final = frozenset({_CLOSED, _WITHDRAWN})
_LOOKED_AT: Final = frozenset(OUTWARD) | _REFUSALS | _ENDS

# The head comes as bytes: to make a text of it took 4 µs, to read it 3 µs.
_HEADS: Final = (
    "SELECT stream_id::text, convert_to(state, 'UTF8') FROM es.stream WHERE stream_id = ANY ($1::uuid[])"
)
# Asked for only where the page begins between a visit and the end that it led to: they are written together.
_VISITS: Final = f"""
SELECT v.stream_id::text, v.body
FROM unnest($1::uuid[], $2::int[]) AS w (stream_id, version)
JOIN es.event v ON v.stream_id = w.stream_id AND v.version = w.version AND v.type = '{_MADE}'
"""  # noqa: S608 -- from a constant of ours
_ANSWERED: Final = (
    "SELECT message_id, topic, source, event_id FROM es.refused_input WHERE message_id = ANY ($1)"
)


# Whether anything of this life was ever told to the unit on its topic: a fact of these types names it.
_PARTIES: Final = """
SELECT w.number::int - 1 FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY AS w (stream_id, unit, number)
WHERE EXISTS (SELECT FROM es.event e WHERE e.stream_id = w.stream_id AND e.type = ANY ($3)
              AND position(w.unit IN e.body) > 0)
"""
TOLD_UNITS: Final = [name for name, sent in OUTWARD.items() if any(topic.per_unit for topic, _ in sent)]
NOT_YOURS: Final = "the order does not lie with you"
"""The reason that a unit is told which never had to do with the complaint. So it does not learn with whom the order
lies, nor what it is about (R9)."""


class Beside(msgspec.Struct, frozen=True, gc=False):
    """The rest of a fact's message outside the log."""

    more: bytes
    """Further members of the body, as JSON."""
    unit: str = ""
    """A unit that hears it and that the fact does not name."""
    answers: str = ""
    """Of a refusal: the topic on which the input came that it answers."""
    reason: str = ""
    """Of a refusal: what is told in place of its reason."""


class _Order(msgspec.Struct):
    unit: str = ""


class _Head(msgspec.Struct):
    """The part of a head that is told."""

    received_at: datetime
    ruleset: str
    anonymous: bool = False
    confidential: bool = False
    order: _Order | None = None


class _Asked(msgspec.Struct):
    """The asker of a refused thing: the unit, unless somebody else is named."""

    unit: str = ""
    asked_by: str = ""


_asked: Final = msgspec.json.Decoder(_Asked)
_heads: Final = msgspec.json.Decoder(_Head)


async def looked_up(connection: asyncpg.Connection[Any], rows: Sequence[FactRow]) -> dict[int, Beside]:
    """By its place in the page, what is told beside each fact; none where nobody can read its head."""
    places = [place for place, row in enumerate(rows) if row.type in _LOOKED_AT]
    if not places:
        return {}
    heads = await _heads_of(connection, {rows[place].stream_id for place in places})
    numbers = {stream: _numbered(stream, head) for stream, head in heads.items()}
    judged = await _judged(connection, rows, places)
    found: dict[int, Beside] = {}
    for place in places:
        row = rows[place]
        head = heads.get(row.stream_id)
        if head is None or row.type in _REFUSALS:
            continue
        more, unit = numbers[row.stream_id], ""
        if row.type == _ORDER:
            more += _of_order(head)
        elif row.type in _ENDS:
            unit = "" if head.order is None else head.order.unit
            more += b"" if (body := judged.get(row.stream_id)) is None else b',"judgement":' + body
        found[place] = Beside(more, unit)
    refusals = [place for place in places if rows[place].type in _REFUSALS]
    return found | await _of_refusals(connection, rows, refusals, numbers) if refusals else found


async def _heads_of(connection: asyncpg.Connection[Any], streams: Collection[str]) -> dict[str, _Head]:
    found: dict[str, _Head] = {}
    for stream, state in await connection.fetch(_HEADS, streams):
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # `hotline verify` says more
            found[stream] = _heads.decode(state)
    return found


async def _judged(
    connection: asyncpg.Connection[Any], rows: Sequence[FactRow], places: Sequence[int]
) -> dict[str, bytes]:
    """By their lives, the visits that led to the ends among these facts."""
    closed = {
        rows[place].stream_id: rows[place].version - 1 for place in places if rows[place].type == _CLOSED
    }
    if not closed:
        return {}
    made = {
        row.stream_id: row.body
        for row in rows
        if row.type == _MADE and closed.get(row.stream_id) == row.version
    }
    away = {stream: version for stream, version in closed.items() if stream not in made}
    if away:
        made |= await connection.fetch(_VISITS, list(away), list(away.values()))
    return made


def _numbered(stream: str, head: _Head) -> bytes:
    return (
        b'"complaint_number":"%b"' % number_of(ComplaintId(stream), head.received_at, head.ruleset).encode()
    )


def _of_order(head: _Head) -> bytes:
    return b',"received_at":%b,"confidential":%b,"anonymous":%b' % (
        msgspec.json.encode(head.received_at),
        b"true" if head.confidential else b"false",
        b"true" if head.anonymous else b"false",
    )


async def _of_refusals(
    connection: asyncpg.Connection[Any],
    rows: Sequence[FactRow],
    places: Sequence[int],
    numbers: Mapping[str, bytes],
) -> dict[int, Beside]:
    causes = list({rows[place].caused_by for place in places})
    known = {row[0]: row for row in await connection.fetch(_ANSWERED, causes)}
    strangers = await _strangers(connection, [rows[place] for place in places])
    found: dict[int, Beside] = {}
    for number, place in enumerate(places):
        row = known.get(rows[place].caused_by)
        if row is not None:
            more = b'"input":' + msgspec.json.encode(AnsweredInput(source=row[2], id=row[3]))
            if number not in strangers and (numbered := numbers.get(rows[place].stream_id)) is not None:
                more = numbered + b"," + more
            reason = NOT_YOURS if number in strangers else ""
            found[place] = Beside(more, answers=row[1], reason=reason)
    return found


async def _strangers(connection: asyncpg.Connection[Any], refusals: Sequence[FactRow]) -> set[int]:
    """Which of these refusals answer a unit that never had to do with the complaint."""
    numbers: list[int] = []
    units: list[bytes] = []
    for number, row in enumerate(refusals):
        if row.type != _REPLY_REFUSED:
            continue
        try:
            asked = _asked.decode(row.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # it is not told at all
        if not asked.asked_by:
            numbers.append(number)
            units.append(msgspec.json.encode(asked.unit))
    if not numbers:
        return set()
    streams = [refusals[number].stream_id for number in numbers]
    parties = {numbers[row[0]] for row in await connection.fetch(_PARTIES, streams, units, TOLD_UNITS)}
    return set(numbers) - parties


def with_more(body: bytes, more: bytes, reason: str = "") -> bytes:
    """A fact's body and further members; `msgspec.DecodeError` where it is no object.

    `reason` stands in place of the fact's own.
    """
    if reason:
        told = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        body = msgspec.json.encode(told | {"reason": msgspec.Raw(msgspec.json.encode(reason))})
    if not more:
        return body
    if not (body.startswith(b"{") and body.endswith(b"}")):
        message = "a fact's body is no JSON object"
        raise msgspec.DecodeError(message)
    return body[:-1] + b"," + more + b"}"
