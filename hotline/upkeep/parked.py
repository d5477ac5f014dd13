"""Messages that could not be handled: which there are, and the operator's acts on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncpg

LISTED_MAX: Final = 1000
"""Parked messages that a list shows, the oldest first."""

_LIST: Final = """
SELECT parked_id AS id, consumer AS desk, topic, part AS partition, kafka_offset AS offset,
       complaint_id::text, reason, parked_at, released_at IS NOT NULL AS released
FROM es.parked ORDER BY parked_id LIMIT $1
"""
_ONE: Final = "SELECT * FROM es.parked WHERE parked_id = $1"
_BEHIND: Final = """
SELECT parked_id FROM es.parked WHERE consumer = $1 AND complaint_id = $2 ORDER BY parked_id
"""
_LEFT: Final = """
SELECT parked_id, reason FROM es.parked WHERE parked_id = ANY ($1) AND released_at IS {} NULL ORDER BY parked_id
"""
_RESUME: Final = "SELECT es.resume_door($1, $2, $3) AS topic"
_RELEASE: Final = "SELECT es.release_parked($1) AS parked_id"
_DROP: Final = "SELECT consumer, complaint_id FROM es.drop_parked($1, $2)"


async def parked_list(reader: asyncpg.Connection[Any]) -> list[dict[str, Any]]:
    """The parked messages, the oldest first; `LISTED_MAX` at most."""
    return [dict(row) for row in await reader.fetch(_LIST, LISTED_MAX)]


async def parked_message(reader: asyncpg.Connection[Any], number: int) -> dict[str, Any] | None:
    """One parked message, with all columns of es.parked; None where there is none of this number."""
    row = await reader.fetchrow(_ONE, number)
    return dict(row) if row is not None else None


async def parked_of(reader: asyncpg.Connection[Any], desk: str, complaint_id: object) -> list[int]:
    """The messages of a complaint that a desk has parked, in their order."""
    return [row[0] for row in await reader.fetch(_BEHIND, desk, complaint_id)]


async def not_taken_up(reader: asyncpg.Connection[Any], numbers: Sequence[int]) -> bool:
    """Whether a desk has still to take up one of these released messages."""
    return bool(await reader.fetch(_LEFT.format("NOT"), numbers))


async def parked_again(reader: asyncpg.Connection[Any], numbers: Sequence[int]) -> dict[int, str]:
    """Those of these messages that were parked again, each with its new reason."""
    return {row[0]: row[1] for row in await reader.fetch(_LEFT.format(""), numbers)}


async def release(operator: asyncpg.Connection[Any], number: int) -> list[int]:
    """Hand a message to its desk again, with those of the same complaint that wait; all of them, in order."""
    return sorted(row[0] for row in await operator.fetch(_RELEASE, number))


async def drop(operator: asyncpg.Connection[Any], number: int, reason: str) -> tuple[str, Any] | None:
    """Give a message up; its desk, and its complaint where it has one. None where nothing is parked so."""
    row = await operator.fetchrow(_DROP, number, reason)
    return (row["consumer"], row["complaint_id"]) if row is not None else None


async def resume(operator: asyncpg.Connection[Any], desk: str, door: str, topics: Sequence[str]) -> list[str]:
    """Let a door that stopped go on with these topics, or with all where none is given; those that go on."""
    return sorted(row[0] for row in await operator.fetch(_RESUME, desk, door, topics))
