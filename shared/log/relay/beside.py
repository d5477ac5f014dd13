"""The rest of a fact's message outside: when the request came, how it was judged, which input is answered.

The facts hold it elsewhere in the same life, and the log keeps them as they are. It is looked up for a whole page
at once, and only for the facts whose message has more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import msgspec

from shared.events import (
    REFUSALS,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintWithdrawn,
    ReplyRefused,
    VisitMade,
)
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
_LOOKED_AT: Final = _REFUSALS | {_ORDER, _CLOSED, _WITHDRAWN, _MADE}

# One row of es.stream and at most one fact for each, by their keys. The head comes as bytes: to make a text of it
# took 4 µs, to read it 3 µs. The visit is asked for only where the page begins
# between it and the end that it led to: they are written together.
_HEADS: Final = f"""
SELECT w.number::int - 1, convert_to(s.state, 'UTF8'), v.body
FROM unnest($1::uuid[], $2::int[]) WITH ORDINALITY AS w (stream_id, visit, number)
JOIN es.stream s ON s.stream_id = w.stream_id
LEFT JOIN es.event v ON v.stream_id = w.stream_id AND v.version = w.visit AND v.type = '{_MADE}'
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
_TOLD_UNITS: Final = [name for name, sent in OUTWARD.items() if any(topic.per_unit for topic, _ in sent)]
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

    received_at: str
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
    """By its place in the page, what is told beside each fact; none where nobody can read it."""
    lives: list[int] = []
    refusals: list[int] = []
    made: dict[tuple[str, int], bytes] = {}
    for place, row in enumerate(rows):
        kind = row.type
        if kind not in _LOOKED_AT:
            continue
        if kind == _MADE:
            made[row.stream_id, row.version] = row.body
        elif kind in _REFUSALS:
            refusals.append(place)
        else:
            lives.append(place)
    found: dict[int, Beside] = {}
    if lives:
        found |= await _of_lives(connection, rows, lives, made)
    if refusals:
        found |= await _of_refusals(connection, rows, refusals)
    return found


async def _of_lives(
    connection: asyncpg.Connection[Any],
    rows: Sequence[FactRow],
    places: Sequence[int],
    made: dict[tuple[str, int], bytes],
) -> dict[int, Beside]:
    visits = [0] * len(places)
    judged: dict[int, bytes] = {}
    for number, place in enumerate(places):
        row = rows[place]
        if row.type != _CLOSED:
            continue
        body = made.get((row.stream_id, row.version - 1))
        if body is None:
            visits[number] = row.version - 1
        else:
            judged[number] = body
    found: dict[int, Beside] = {}
    for number, state, visit in await connection.fetch(
        _HEADS, [rows[place].stream_id for place in places], visits
    ):
        try:
            head = _heads.decode(state)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # `hotline verify` says more
        place = places[number]
        if rows[place].type == _ORDER:
            found[place] = Beside(_of_order(head))
            continue
        body = judged.get(number) or visit
        more = b"" if body is None else b'"judgement":' + body
        found[place] = Beside(more, "" if head.order is None else head.order.unit)
    return found


def _of_order(head: _Head) -> bytes:
    return b'"received_at":%b,"confidential":%b,"anonymous":%b' % (
        msgspec.json.encode(head.received_at),
        b"true" if head.confidential else b"false",
        b"true" if head.anonymous else b"false",
    )


async def _of_refusals(
    connection: asyncpg.Connection[Any], rows: Sequence[FactRow], places: Sequence[int]
) -> dict[int, Beside]:
    causes = list({rows[place].caused_by for place in places})
    known = {row[0]: row for row in await connection.fetch(_ANSWERED, causes)}
    strangers = await _strangers(connection, [rows[place] for place in places])
    found: dict[int, Beside] = {}
    for number, place in enumerate(places):
        row = known.get(rows[place].caused_by)
        if row is not None:
            answered = msgspec.json.encode(AnsweredInput(source=row[2], id=row[3]))
            reason = NOT_YOURS if number in strangers else ""
            found[place] = Beside(b'"input":' + answered, answers=row[1], reason=reason)
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
    parties = {numbers[row[0]] for row in await connection.fetch(_PARTIES, streams, units, _TOLD_UNITS)}
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
