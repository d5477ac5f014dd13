"""Which errors say that PostgreSQL is away, so that waiting helps."""

from __future__ import annotations

from typing import Final

import asyncpg

AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server's farewell is still being read
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,  # starting, stopping, terminated
)
"""The errors PostgreSQL raises while it is gone, starting or stopping: wait and try again, where `is_away` agrees."""


def is_away(error: BaseException) -> bool:
    """Whether waiting helps: a `DataError` is an InterfaceError too, but no waiting will make its value fit."""
    return isinstance(error, AWAY) and not isinstance(error, asyncpg.DataError)
