"""Questions escalation answers: what is watched, what is late."""

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
    """How many limits are watched, and the next one."""
    row = await connection.fetchrow(_WATCHED)
    return Watched(*row) if row is not None else Watched(0, None)
