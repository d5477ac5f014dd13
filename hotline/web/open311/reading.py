"""Reads for Open311: complaints of the read side by the standard's filters, and facts of lives that may be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from hotline.readside.standing import AsOf, caught_up
from hotline.web.keys import Key
from hotline.web.limits import CAUGHT_UP_SECONDS_MAX
from hotline.web.open311.instants import AskedSpan
from hotline.web.problems import HttpRefusal, ProblemKind
from hotline.web.reading import Connection
from hotline.web.roles import KeyScope
from shared.complaint_number import number_of
from shared.events import Fact
from shared.events.base import Attachment
from shared.ids import ComplaintId, complaint_id
from shared.log.codec import decoded
from shared.runtime.errors import UserError

REQUESTS_MAX: Final = 1000
"""Requests of one answer, as the standard has it."""
UPDATES_MAX: Final = 1000
"""Updates of one answer; the next question begins where they end."""
UPDATES_SECONDS: Final = 5.0
"""How long a question for updates waits until the lists hold what was in the log; a projector is at most 4 s late."""
OWN_MAX: Final = 5_000
"""Requests of one sender that changed since the span began and are looked at: those that changed last."""

_COLUMNS: Final = """
stream_id, version, stage, ended, district, street, subject, unit, due_at, received_at, ruleset, withheld
"""
_SHOWN: Final = """
SELECT c.stream_id::text AS complaint, c.stage, c.ended, c.district, c.street, c.subject, c.unit, c.due_at,
       c.received_at, c.ruleset, c.withheld, t.request_id, t.content, t.address, t.attachments,
       coalesce(f.occurred_at, c.received_at) AS updated_at
FROM ({found}) c JOIN read.wording t ON t.stream_id = c.stream_id
LEFT JOIN LATERAL (
    SELECT e.occurred_at FROM es.fact e WHERE e.stream_id = c.stream_id
       AND CASE WHEN c.ended = '' THEN e.version = c.version ELSE e.type = c.ended END
    ORDER BY e.version LIMIT 1
) f ON true
ORDER BY c.received_at DESC, c.stream_id DESC
"""
_NAMED: Final = _SHOWN.format(
    found=f"SELECT {_COLUMNS} FROM read.complaint WHERE stream_id = ANY ($1::uuid[]) AND subject <> ''"  # noqa: S608 -- our own
)
# The newest first: by the index of when they were received, or for each subject by its own.
_FITS: Final = "received_at BETWEEN $1 AND $2 AND ($3 OR withheld IS FALSE)"
_NEWEST: Final = "ORDER BY received_at DESC, stream_id DESC LIMIT $4"
_OF_ALL: Final = f"SELECT {_COLUMNS} FROM read.complaint WHERE {_FITS} AND subject <> ''{{ended}} {_NEWEST}"  # noqa: S608 -- our own
_OF_SUBJECTS: Final = f"""
SELECT n.* FROM unnest($5::text[]) AS asked (subject) CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM read.complaint n
    WHERE n.subject = asked.subject AND {_FITS}{{ended}} {_NEWEST}
) n {_NEWEST}
"""  # noqa: S608 -- our own
_OPEN: Final = " AND ended = ''"
_CLOSED: Final = " AND ended <> ''"
_FACTS: Final = """
SELECT stream_id::text AS complaint, event_id::text AS id, type, schema_version, occurred_at AS at, body FROM es.fact
WHERE stream_id = ANY ($1::uuid[]) AND type = ANY ($2::text[]) ORDER BY stream_id, version
"""
# Of the requests that a sender follows those that changed since then, and of these the facts that are told.
_UPDATES: Final = """
WITH own AS MATERIALIZED (
    SELECT stream_id FROM read.followed WHERE login = $1 AND changed_at >= $2
    ORDER BY changed_at DESC, stream_id DESC LIMIT $6
)
SELECT own.stream_id::text AS complaint, t.request_id, c.received_at, c.ruleset, e.event_id::text AS id, e.type,
       e.schema_version, e.recorded_at AS at, e.body
FROM own JOIN es.event e ON e.stream_id = own.stream_id
JOIN read.complaint c ON c.stream_id = own.stream_id JOIN read.wording t ON t.stream_id = own.stream_id
WHERE e.recorded_at BETWEEN $2 AND $3 AND e.type = ANY ($4::text[])
ORDER BY e.recorded_at, e.position LIMIT $5
"""
_attachments: Final = msgspec.json.Decoder(list[Attachment])


class FoundRequest(NamedTuple):
    """A complaint of the read side, as GeoReport shows it."""

    complaint: ComplaintId
    number: str
    stage: str
    closed: bool
    district: str
    street: str
    subject: str
    unit: str
    due_at: datetime | None
    received_at: datetime
    updated_at: datetime
    ruleset: str
    content: str
    address: str
    attachments: list[str]
    """Their addresses."""
    in_full: bool
    """Whether the reader may read the citizen's words, and where exactly it is."""
    withheld: bool
    """Whether nobody else learns of it; also where that is not known yet."""


class ReadFact(NamedTuple):
    """A fact of a life, read."""

    complaint: ComplaintId
    id: str
    at: datetime
    fact: Fact


class UpdateRow(NamedTuple):
    """A fact of one of the sender's own requests."""

    number: str
    ruleset: str
    row: ReadFact


class RequestFilter(NamedTuple):
    """The requests that are asked for."""

    span: AskedSpan
    subjects: Sequence[str] | None
    """Only these; None: all."""
    open: bool
    closed: bool


async def lists_caught_up(connection: Connection, within: float = CAUGHT_UP_SECONDS_MAX) -> AsOf:
    """Wait until the lists hold what was in the log, at most so many seconds; `HttpRefusal` where there are none."""
    try:
        return await caught_up(connection, within)
    except UserError as error:
        raise HttpRefusal(ProblemKind.AWAY, str(error), headers={"Retry-After": "2"}) from None


async def found(connection: Connection, key: Key, only: RequestFilter) -> list[FoundRequest]:
    """The newest requests, at most `REQUESTS_MAX`; of what is withheld only a key that may read all sees any."""
    if not (only.open or only.closed) or only.subjects == []:
        return []
    ended = "" if only.open and only.closed else _OPEN if only.open else _CLOSED
    newest = (_OF_ALL if only.subjects is None else _OF_SUBJECTS).format(ended=ended)
    given = [] if only.subjects is None else [list(only.subjects)]
    rows = await connection.fetch(
        _SHOWN.format(found=newest), *only.span, key.may(KeyScope.READ_ALL), REQUESTS_MAX, *given
    )
    return [_found(row, key) for row in rows]


async def named(connection: Connection, key: Key, complaints: Sequence[str]) -> list[FoundRequest]:
    """These complaints, as far as this key, or nobody's, may learn that there are such."""
    rows = await connection.fetch(_NAMED, [UUID(one) for one in complaints])
    return [one for one in (_found(row, key) for row in rows) if one.in_full or not one.withheld]


def _found(row: Any, key: Key) -> FoundRequest:
    complaint = ComplaintId(row["complaint"])
    return FoundRequest(
        complaint=complaint,
        number=number_of(complaint, row["received_at"], row["ruleset"]),
        stage=row["stage"],
        closed=row["ended"] != "",
        district=row["district"],
        street=row["street"],
        subject=row["subject"],
        unit=row["unit"],
        due_at=row["due_at"],
        received_at=row["received_at"],
        updated_at=row["updated_at"],
        ruleset=row["ruleset"],
        content=row["content"],
        address=row["address"],
        attachments=[one.uri for one in _attachments.decode(row["attachments"])],
        in_full=reads_in_full(key, complaint, row["request_id"]),
        withheld=row["withheld"] is not False,
    )


def reads_in_full(key: Key, complaint: ComplaintId, request_id: str) -> bool:
    """Whether a key put this request on record itself, or may read all."""
    if key.may(KeyScope.READ_ALL):
        return True
    return key.may(KeyScope.READ) and complaint_id(request_id, key.name) == complaint


async def facts_of(connection: Connection, complaints: Sequence[str], types: Sequence[str]) -> list[ReadFact]:
    """The facts of these types in these lives, each life in its order; one that cannot be read is left out."""
    rows = await connection.fetch(_FACTS, [UUID(one) for one in complaints], list(types))
    return [found for found in (_fact(row) for row in rows) if found is not None]


async def updates_of(
    connection: Connection, key: Key, span: AskedSpan, types: Sequence[str]
) -> list[UpdateRow]:
    """The facts of these types that were recorded in this span about what the key's login sent over Open311.

    `HttpRefusal` where the lists are too late: a client that asks for the next span then would miss what they lack.
    """
    standing = await lists_caught_up(connection, UPDATES_SECONDS)
    if standing.going or standing.behind >= timedelta(seconds=UPDATES_SECONDS):
        detail = "The lists are behind the log: updates cannot be told just now."
        raise HttpRefusal(ProblemKind.AWAY, detail, headers={"Retry-After": "5"})
    rows = await connection.fetch(_UPDATES, key.name, *span, list(types), UPDATES_MAX, OWN_MAX)
    made: list[UpdateRow] = []
    for row in rows:
        complaint = ComplaintId(row["complaint"])
        fact = _fact(row)
        # Another login may call its own requests alike: then they are other complaints.
        if fact is None or complaint_id(row["request_id"], key.name) != complaint:
            continue
        made.append(UpdateRow(number_of(complaint, row["received_at"], row["ruleset"]), row["ruleset"], fact))
    return made


def _fact(row: Any) -> ReadFact | None:
    try:
        fact = decoded(row["type"], row["schema_version"], row["body"])
    except Exception:  # noqa: BLE001 -- a fact that nobody can read is told to nobody
        return None
    return ReadFact(ComplaintId(row["complaint"]), row["id"], row["at"], fact)
