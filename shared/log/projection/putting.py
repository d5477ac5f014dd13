"""Puts the rows of a view right: only what differs is written, and how much differed is counted."""

from __future__ import annotations

from typing import Any, NamedTuple

import asyncpg


class KeptTable(NamedTuple):
    """A table of which each row is of one complaint."""

    table: str
    columns: tuple[str, ...]
    """By which two rows are the same."""


async def put_right(
    connection: asyncpg.Connection[Any], view: KeptTable, *, made: str, which: str
) -> tuple[int, int]:
    """Take out the rows that are not in the table `made`, and put in those that are only there.

    `which`: a table of the complaints (`stream_id`) this is about. How many rows went and came.
    """
    columns = ", ".join(view.columns)
    same = " AND ".join(f"t.{name} IS NOT DISTINCT FROM a.{name}" for name in view.columns[1:])
    same = f"t.{view.columns[0]} = a.{view.columns[0]}" + (f" AND {same}" if same else "")
    gone = await connection.execute(
        f"DELETE FROM {view.table} t USING {which} w WHERE w.stream_id = t.stream_id"  # noqa: S608 -- our own names
        f" AND NOT EXISTS (SELECT FROM {made} a WHERE {same})"
    )
    came = await connection.execute(
        f"INSERT INTO {view.table} ({columns}) SELECT {columns} FROM {made} a"  # noqa: S608 -- our own names
        f" WHERE EXISTS (SELECT FROM {which} w WHERE w.stream_id = a.stream_id)"
        f" AND NOT EXISTS (SELECT FROM {view.table} t WHERE {same})"
    )
    return int(gone.rpartition(" ")[2]), int(came.rpartition(" ")[2])
