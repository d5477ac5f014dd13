"""Compares the inputs that Kafka acknowledged in a rehearsal with the log: each input by name, no number."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

import asyncpg

from shared.cloudevents import header
from shared.ids import complaint_id, message_id
from shared.inputs import CallAnswered, CallEnded, CallOffered, RecordRequest
from shared.log.postgres import headers_of
from shared.topic_names import speaker_of
from shared.topics import INTAKE_REQUESTS

SLICE: Final = 20_000
"""Inputs looked up at once."""

_INBOX: Final = """
SELECT consumer, message_id::text FROM es.inbox WHERE consumer = ANY ($1) AND message_id = ANY ($2::uuid[])
"""
_ASIDE: Final = """
SELECT consumer, topic, headers FROM es.parked UNION ALL SELECT consumer, topic, headers FROM es.parked_dropped
"""
_CALLS: Final = """
SELECT call_id, offered_at IS NOT NULL, answered_at IS NOT NULL, ended_at IS NOT NULL
FROM intake.call WHERE call_id = ANY ($1)
"""
_RECEIVED: Final = """
SELECT stream_id::text FROM es.fact WHERE stream_id = ANY ($1::uuid[]) AND version = 1 AND type = 'ComplaintReceived'
"""
_COLUMN: Final = {CallOffered.TYPE: 1, CallAnswered.TYPE: 2, CallEnded.TYPE: 3}
"""Of a call nothing stands in the inbox: the register of calls is what it leads to."""


class Acknowledged(NamedTuple):
    """An input that somebody outside handed in and Kafka acknowledged."""

    type: str
    """The CloudEvent's."""
    topic: str
    """Without the city's prefix."""
    source: str
    event_id: str
    key: str
    """The message's key: call, request or complaint."""
    hearers: tuple[str, ...]
    """The desks that take it in."""


async def lost(reader_dsn: str, prefix: str, inputs: Iterable[Acknowledged]) -> list[Acknowledged]:
    """The inputs of which the log, the register of calls and the parked messages know nothing; empty is good.

    A request must have become a complaint as well: its mark in the inbox alone is not enough.
    """
    connection = await asyncpg.connect(reader_dsn)
    missing: list[Acknowledged] = []
    coming = iter(inputs)
    try:
        aside = {
            (row[0], _identity(row[1].removeprefix(prefix), row[2])) for row in await connection.fetch(_ASIDE)
        }
        while some := list(islice(coming, SLICE)):
            missing += await _lost_of(connection, some, aside)
    finally:
        await connection.close()
    return missing


async def _lost_of(
    connection: asyncpg.Connection[asyncpg.Record], some: list[Acknowledged], aside: set[tuple[str, str]]
) -> list[Acknowledged]:
    identities = [message_id(told.topic, told.source, told.event_id) for told in some]
    hearers = sorted({hearer for told in some for hearer in told.hearers})
    called = [told.key for told in some if told.type in _COLUMN]
    requested = [_recorded(told) for told in some if told.type == RecordRequest.TYPE]
    taken = {(row[0], row[1]) for row in await connection.fetch(_INBOX, hearers, identities)}
    calls = {row[0]: row for row in await connection.fetch(_CALLS, called)}
    received = {row[0] for row in await connection.fetch(_RECEIVED, requested)}

    def is_there(told: Acknowledged, identity: str, hearer: str) -> bool:
        if (hearer, identity) in aside:
            return True
        if told.type in _COLUMN:
            return told.key in calls and bool(calls[told.key][_COLUMN[told.type]])
        if told.type == RecordRequest.TYPE and _recorded(told) not in received:
            return False
        return (hearer, identity) in taken

    return [
        told
        for told, identity in zip(some, identities, strict=True)
        if not all(is_there(told, identity, hearer) for hearer in told.hearers)
    ]


def _recorded(told: Acknowledged) -> str:
    """The complaint that a recorded request became: its key is the number its speaker gave it."""
    return complaint_id(told.key, speaker_of(told.topic, "", INTAKE_REQUESTS))


def _identity(topic: str, stored: bytes) -> str:
    headers = headers_of(stored)
    source, event_id = (header(headers, name) or b"" for name in ("ce_source", "ce_id"))
    return message_id(topic, source.decode(errors="replace"), event_id.decode(errors="replace"))
