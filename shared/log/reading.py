"""A connection for whoever reads whole lives, or all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from shared.log.instants import reads_any_instant
from shared.runtime.errors import UserError

READING: Final = {
    "jit": "off",
    "timezone": "UTC",
    # The whole of it is read: without this the planner walks an index for the sake of the first rows.
    "cursor_tuple_fraction": "1",
    "work_mem": "256MB",
}
"""For a connection that goes through the whole log."""


@asynccontextmanager
async def reader(dsn: str, settings: Mapping[str, str] = READING) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection while which no month of the archive goes or comes back (`es.archive_held`).

    Not needed by who reads with one statement, nor beside a connection that has it already.
    """
    connection = await asyncpg.connect(dsn, server_settings=dict(settings))
    try:
        await reads_any_instant(connection)
        await connection.execute("SELECT es.archive_held()")
        yield connection
    finally:
        await connection.close()


async def views_alone(connection: asyncpg.Connection[Any], take: str) -> None:
    """For the connection's life: one rebuild, or whoever moves facts out of es.event, not both.

    `take`: the function that tries for the lock, of the two `pg_try_advisory_lock` and its shared form.
    Raises `UserError` at once where the other is at work.
    """
    if not await connection.fetchval(f"SELECT {take}(hashtext('hotline.upkeep.rebuild'))"):
        raise UserError(
            "A view is being rebuilt or facts are moved into the archive: try again when that is done."
        )
