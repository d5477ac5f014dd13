"""The facts committed since a snapshot, as SQL: the relay and every projection ask by it (decision 0005).

Positions and times are given out before the commit, so neither tells what is new. Transactions do: new is what an
earlier snapshot did not see.
"""

from __future__ import annotations

from typing import Final

BETWEEN: Final = "s AS MATERIALIZED (SELECT $1::text::pg_snapshot AS a, $2::text::pg_snapshot AS b)"
"""The two snapshots of `between`, as a common table that its FROM clause names."""


def between(columns: str, table: str) -> str:
    """The rows of a table, as `e`, that the snapshot `b` sees and `a` did not; both stand in `BETWEEN`."""
    return not_seen(
        columns,
        f"{table} e, s",
        "a",
        below="e.xid < pg_snapshot_xmax(b)",
        also="pg_visible_in_snapshot(e.xid, b)",
    )


def not_seen(columns: str, source: str, seen: str, *, below: str = "", also: str = "") -> str:
    """The rows of `es.event e` that the snapshot `seen` did not see, those that have since ended among them.

    `source` is the FROM clause and holds `es.event e`; `seen` is an expression of type pg_snapshot. `below` and `also`
    are conditions: `below` only on transactions that began after the snapshot, `also` on all.
    """
    began_after = " AND ".join(filter(None, (f"e.xid >= pg_snapshot_xmax({seen})", below, also)))
    ran_then = " AND ".join(filter(None, (f"e.xid = ANY (ARRAY(SELECT pg_snapshot_xip({seen})))", also)))
    return f"""
    SELECT {columns} FROM {source}
    WHERE {began_after}
    UNION ALL
    SELECT {columns} FROM {source}
    WHERE {ran_then}
"""  # noqa: S608 -- from constants of ours
