"""How far a view of the log is, and which lives were touched since."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from shared.log.snapshot_difference import not_seen

# Transactions tell apart only facts in the log of this very database. They do not tell apart facts out of a backup, or
# facts that went into the archive before they were looked at.
_STANDING: Final = """
SELECT pg_current_snapshot()::text AS seen,
       (SELECT system_identifier FROM pg_control_system()) || '/'
           || (SELECT oid FROM pg_database WHERE datname = current_database()) AS made_in,
       (SELECT coalesce(sum(facts), 0)::bigint FROM es.archive_month) AS archived
"""
_SINCE: Final = not_seen("e.stream_id", "es.event e", "$1::text::pg_snapshot")
TOUCHED: Final = f"SELECT DISTINCT stream_id FROM ({_SINCE}) e"  # noqa: S608 -- from constants of ours
"""The complaints with facts that the snapshot $1 did not see."""


class Position(NamedTuple):
    """How far a view is, and where that is said."""

    seen: str
    """The snapshot whose facts are taken in."""
    made_in: str
    """The database whose transactions that snapshot counts."""
    archived: int
    """Facts in the archive then."""


async def present_position(connection: asyncpg.Connection[Any]) -> Position:
    """The position of a view that takes in everything this statement sees."""
    row = await connection.fetchrow(_STANDING)
    assert row is not None  # noqa: S101 -- one row, always
    return Position(row["seen"], row["made_in"], row["archived"])


async def touched_since(connection: asyncpg.Connection[Any], seen: str) -> list[UUID]:
    """The complaints with facts that the snapshot `seen` did not see; inside a transaction."""
    # By its index, whatever the planner thinks of the log's figures: others may wait for this.
    await connection.execute("SET LOCAL enable_seqscan = off")
    touched = [row[0] for row in await connection.fetch(TOUCHED, seen)]
    await connection.execute("SET LOCAL enable_seqscan = on")
    return touched
