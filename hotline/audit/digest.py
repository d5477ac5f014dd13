"""One number for all that happened in a city: two logs with the same facts have the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from shared.events import LimitMissCorrected
from shared.log.chain import microseconds
from shared.log.codec import TYPES, decoded, encoded
from shared.log.reading import READING, archive_held

PAGE: Final = 5000
"""Rows read at once."""


async def digest(reader_dsn: str) -> str:
    """One number for all facts of a city: the same facts give the same, whatever the speed.

    It covers the complaints in order of their ids: of each its id and its facts, in order of city time, type
    and body. Of each fact it covers the city time in microseconds, the type and the body in the present
    shape.

    It leaves out positions, versions, the facts' own ids, their causes and the times at which they were
    recorded. Of the bodies it leaves out `noticed_at`, and a correction's `corrected_at`, for which its
    `done_at` stands. Both say when a clock was looked at, not when something happened.
    """
    whole = sha256()
    async with _snapshot(reader_dsn) as connection:
        cursor = await connection.cursor(
            "SELECT stream_id, type, schema_version, occurred_at, body FROM es.fact ORDER BY stream_id"
        )
        present: UUID | None = None
        facts: list[tuple[int, str, bytes]] = []
        while page := await cursor.fetch(PAGE):
            for stream, name, schema, at, body in page:
                if stream != present:
                    _fold(whole, present, facts)
                    present, facts = stream, []
                facts.append(_happened(name, schema, at, body))
        _fold(whole, present, facts)
    return whole.hexdigest()


@asynccontextmanager
async def _snapshot(reader_dsn: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    async with (
        archive_held(reader_dsn, {**READING, "work_mem": "64MB"}) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


def _fold(whole: Any, stream: UUID | None, facts: list[tuple[int, str, bytes]]) -> None:
    if stream is None:
        return
    facts.sort(key=itemgetter(0, 1, 2))
    whole.update(f"{stream} {len(facts)}\n".encode())
    for at, name, body in facts:
        whole.update(f"{at} {name} {len(body)}\n".encode())
        whole.update(body)


def _happened(name: str, schema: int, at: datetime, body: bytes) -> tuple[int, str, bytes]:
    """A fact's time, type and body without what depends on when somebody looked."""
    kind = TYPES.get(name)
    if kind is not None and schema == kind.SCHEMA and name not in _LOOKED:
        return microseconds(at), name, body
    try:
        fact = decoded(name, schema, body)
    except Exception:  # noqa: BLE001 -- `verify` names it; the number is of all facts, so its bytes stand for it
        return microseconds(at), name, body
    if isinstance(fact, LimitMissCorrected):
        at = fact.done_at
    fields = msgspec.json.decode(encoded(fact))
    for field in _LOOKED.get(name, ()):
        del fields[field]
    return microseconds(at), name, msgspec.json.encode(fields)


_LOOKED: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(field for field in ("noticed_at", "corrected_at") if field in kind.__struct_fields__)
    for name, kind in TYPES.items()
    if {"noticed_at", "corrected_at"} & set(kind.__struct_fields__)
}
"""The fields that say when a clock was looked at, by type of fact."""
