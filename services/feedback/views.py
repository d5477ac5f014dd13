"""Questions feedback answers: which visits are under way, how lives ended."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from shared.log.heads import fetch, over_heads
from shared.unreadable import UnreadableRows

_OUTCOMES: Final = over_heads(
    """
SELECT coalesce(state #>> '{ended,outcome}', state #>> '{ended,how}') AS outcome, count(*)
FROM {heads} WHERE state -> 'ended' IS NOT NULL GROUP BY 1 ORDER BY 1
"""
)
_VISITS: Final = over_heads("SELECT count(*) FROM {heads} WHERE state -> 'visit' IS NOT NULL")


async def outcomes(connection: asyncpg.Connection[Any], unread: UnreadableRows) -> dict[str, int]:
    """How lives ended: the visit's outcome, or the fact that ended them without one."""
    return {row[0]: row[1] for row in await fetch(connection, _OUTCOMES, unread=unread)}


async def visits_under_way(connection: asyncpg.Connection[Any], unread: UnreadableRows) -> int:
    """Citizens who are being asked."""
    count: int = (await fetch(connection, _VISITS, unread=unread))[0][0]
    return count
