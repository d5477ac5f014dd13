"""Acts of the centre: functions of the database, each of which one role may call (decision 0046)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import asyncpg

from shared.log.reading import reader
from shared.runtime.errors import UserError

REFUSED: Final = "HL004"
"""An act was refused, and the text is for the person who asked."""


@asynccontextmanager
async def acting(
    dsn: str, settings: Mapping[str, str] | None = None
) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection for one act under the login of its role; what the act refuses is raised as `UserError`."""
    connection = await reader(dsn, settings)
    try:
        with refusals_told():
            yield connection
    finally:
        await connection.close()


@contextmanager
def refusals_told() -> Iterator[None]:
    """Within it, what an act refuses is raised as `UserError`, a sentence."""
    try:
        yield
    except asyncpg.PostgresError as error:
        if error.sqlstate != REFUSED:
            raise
        raise UserError(f"{str(error)[:1].upper()}{str(error)[1:]}.") from None
