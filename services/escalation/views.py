"""Questions escalation answers: how much is watched, and when the next of it is due."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import asyncpg

_WATCHED: Final = "SELECT count(*), min(due_at) FROM es.timer"


class Watched(NamedTuple):
    """The timers that are set."""

    timers: int
    next_due_at: Any
    """The earliest of them, None where none is set."""


async def watched(connection: asyncpg.Connection[Any]) -> Watched:
    """How many timers are set, of limits and of steps of the ladder alike; and when the earliest is due."""
    row = await connection.fetchrow(_WATCHED)
    return Watched(*row) if row is not None else Watched(0, None)
