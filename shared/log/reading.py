"""A connection for whoever reads whole lives, or all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from shared.log.instants import reads_any_instant
from shared.log.locks import VIEWS
from shared.runtime.errors import UserError

CONNECT_SECONDS: Final = 10.0
"""How long a person waits for PostgreSQL."""

WHOLE_CONNECT_SECONDS: Final = 60.0
"""How long a connection is waited for that goes through the whole log."""

READING: Final = {
    "jit": "off",
    "timezone": "UTC",
    # The whole of it is read: without this the planner walks an index for the sake of the first rows.
    "cursor_tuple_fraction": "1",
    "work_mem": "256MB",
}
"""For a connection that goes through the whole log."""


async def reader(
    dsn: str, settings: Mapping[str, str] | None = None, within: float = CONNECT_SECONDS
) -> asyncpg.Connection[Any]:
    """A connection that reads every instant PostgreSQL can hold. `settings`: of the session; `within`: seconds."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(
        dsn, server_settings=dict(settings or {}), timeout=within
    )
    await reads_any_instant(connection)
    return connection


@asynccontextmanager
async def archive_held(
    dsn: str, settings: Mapping[str, str] = READING
) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A reader's connection while which no month of the archive goes or comes back (`es.archive_held`).

    One statement needs no such connection, nor does a second connection beside one that holds the archive.
    """
    connection = await reader(dsn, settings, WHOLE_CONNECT_SECONDS)
    try:
        await connection.execute("SELECT es.archive_held()")
        yield connection
    finally:
        await connection.close()


async def views_alone(connection: asyncpg.Connection[Any], take: str) -> None:
    """For the connection's life: one rebuild, or whoever moves facts out of es.event, not both.

    `take`: the function that tries for the lock, of the two `pg_try_advisory_lock` and its shared form.
    Raises `UserError` at once where the other is at work.
    """
    if not await connection.fetchval(f"SELECT {take}({VIEWS})"):
        raise UserError(
            "A view is being rebuilt or facts are moved into the archive: try again when that is done."
        )
