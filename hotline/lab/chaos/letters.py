"""A backlog of letters: requests typed in days and weeks after they came, with limits that are over by then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, NamedTuple

import asyncpg

from shared.events import AnswerLimitMissed, ComplaintDispatched, Fact, SignLimitMissed
from shared.events.base import RequestType, Urgency
from shared.ids import ComplaintId, RequestId, complaint_id
from shared.inputs import RecordRequest
from shared.log.heads import fetch, over_bodies
from shared.policy.catalogue import Catalogue
from shared.times import shown
from shared.unreadable import UnreadableRows

DAYS_BACK: Final = (1.0, 60.0)
"""How long a letter lay: from one whose signing alone is late to one for which every step of the ladder is over."""

# A letter is done with for now when it has been sent on, and nothing of it that is over is left to be stated.
LEFT: Final = """
SELECT count(*) FROM unnest($1::uuid[]) AS letter (stream_id)
WHERE NOT EXISTS (
    SELECT FROM es.fact f WHERE f.stream_id = letter.stream_id AND f.type = 'ComplaintDispatched'
) OR EXISTS (
    SELECT FROM es.timer t WHERE t.stream_id = letter.stream_id AND t.due_at < $2
)
"""

_MISSES: Final[tuple[type[Fact], ...]] = (SignLimitMissed, AnswerLimitMissed)
# The first order with its limits, and the two facts that say one was missed.
_FIRST_ORDER: Final = over_bodies(
    """
SELECT stream_id::text, type, (b ->> 'sign_due_at')::timestamptz, (b ->> 'citizen_due_at')::timestamptz
FROM es.fact, LATERAL (SELECT {json} AS b) x
WHERE stream_id = ANY ($1::uuid[]) AND (
    type = 'ComplaintDispatched' AND (b ->> 'assignment')::int = 1
    OR type IN ('SignLimitMissed', 'AnswerLimitMissed')
)
"""
)


class Letter(NamedTuple):
    """A request that came long before it is told of."""

    complaint: ComplaintId
    request: RecordRequest
    received_at: datetime


def written(
    catalogue: Catalogue, random: Random, numbers: Iterator[int], present: datetime
) -> Iterator[Letter]:
    """One letter for each number, received so long before the city's present."""
    districts, subjects = sorted(catalogue.districts), sorted(catalogue.subjects)
    for number in numbers:
        district = random.choice(districts)
        request = RecordRequest(
            request_id=RequestId(f"chaos-letter-{number}"),
            channel="letter",
            request_type=RequestType.HELP,
            subject=random.choice(subjects),
            urgency=random.choice(list(Urgency)),
            district=district,
            street=random.choice(sorted(catalogue.districts[district].streets) or [None]),
            title="a letter typed in late",
        )
        received_at = present - timedelta(days=random.uniform(*DAYS_BACK))
        yield Letter(complaint_id(request.request_id), request, received_at)


async def unstated(reader_dsn: str, letters: Sequence[tuple[ComplaintId, datetime]]) -> list[str]:
    """The letters of which a limit of the first order was over by the instant given, and no fact says so."""
    by_then = dict(letters)
    connection = await asyncpg.connect(reader_dsn)
    try:
        rows = await fetch(connection, _FIRST_ORDER, list(by_then), unread=UnreadableRows())
    finally:
        await connection.close()
    sent = {row[0]: row for row in rows if row[1] == ComplaintDispatched.__name__}
    missed = {(row[0], row[1]) for row in rows}
    over = [
        (letter, kind.__name__, due_at)
        for letter, (_, _, *limits) in sent.items()
        for kind, due_at in zip(_MISSES, limits, strict=True)
        if due_at is not None and due_at < by_then[ComplaintId(letter)]
    ]
    found = [f"{letter}: never sent on" for letter in by_then if letter not in sent]
    return found + [
        f"{letter}: over at {shown(due_at, UTC, seconds=True)} UTC, and no {kind}"
        for letter, kind, due_at in over
        if (letter, kind) not in missed
    ]
