"""Questions feedback answers: which visits are under way, how lives ended."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

_OUTCOMES: Final = """
SELECT coalesce(state::json #>> '{ended,outcome}', state::json #>> '{ended,how}') AS outcome, count(*)
FROM es.stream WHERE state::json -> 'ended' IS NOT NULL GROUP BY 1 ORDER BY 1
"""
_VISITS: Final = "SELECT count(*) FROM es.stream WHERE state::json -> 'visit' IS NOT NULL"


async def outcomes(connection: asyncpg.Connection[Any]) -> dict[str, int]:
    """How lives ended: the visit's outcome, or the fact that ended them without one."""
    return {row[0]: row[1] for row in await connection.fetch(_OUTCOMES)}


async def visits_under_way(connection: asyncpg.Connection[Any]) -> int:
    """Citizens who are being asked."""
    count: int = await connection.fetchval(_VISITS)
    return count
