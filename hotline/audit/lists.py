"""Compares the read side with what the log says: every row of each complaint, every call, and the sums over them.

The rows are held against the heads, in the snapshot in which `verify` holds the heads against the facts.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import asyncpg

from hotline.audit.report import Report
from hotline.readside.calls import call_rows
from hotline.readside.comparing import differing, sums_differing
from hotline.readside.complaints import detached_in, made_of
from hotline.readside.rows import VERSION, RowsOf, rows_of
from shared.complaint import stored_head
from shared.log.projection.position import TOUCHED
from shared.log.snapshot_difference import not_seen

PAGE: Final = 2000
LISTS: Final = "lists"
CALLS: Final = "calls"

_POSITION: Final = """
SELECT seen::text, version = $2 AND going IS NULL AS whole FROM read.projection WHERE name = $1
"""
_HEADS: Final = """
SELECT stream_id, version, state_schema, state FROM es.stream WHERE stream_id > $1 ORDER BY stream_id LIMIT $2
"""
_UNREAD: Final = "SELECT stream_id::text FROM read.unread"
_CALLS: Final = "SELECT call_id, told FROM intake.call WHERE call_id > $1 ORDER BY call_id LIMIT $2"
_COUNTED: Final = """
SELECT call_id, at, minute, outcome, reached, waited, gave_up, talked FROM read.call
WHERE call_id > $1 AND call_id <= $2
"""
_NEW_CALLS: Final = not_seen("e.call_id", "intake.call e", "$1::text::pg_snapshot")
_LAST_CALL: Final = (
    "SELECT greatest((SELECT max(call_id) FROM read.call), (SELECT max(call_id) FROM intake.call))"
)
_LAST: Final = UUID(int=2**128 - 1)


async def compare_lists(connection: asyncpg.Connection[Any], report: Report) -> None:
    """Note what differs; what the projector has not taken in yet is not compared. Inside a repeatable read."""
    position = await connection.fetchrow(_POSITION, LISTS, VERSION)
    if position is None or not position["whole"]:
        return  # `compared` does not name them
    report.compared.append(LISTS)
    behind = {str(row[0]) for row in await connection.fetch(TOUCHED, position["seen"])}
    behind |= {row[0] for row in await connection.fetch(_UNREAD)}
    after = UUID(int=0)
    while True:
        heads = await connection.fetch(_HEADS, after, PAGE)
        last = heads[-1]["stream_id"] if len(heads) == PAGE else _LAST
        rows: list[RowsOf] = []
        for stream, version, schema, state in heads:
            try:
                rows.append(rows_of(stored_head(str(stream), state, schema), version))
            except Exception:  # noqa: BLE001 -- the head is named already
                behind.add(str(stream))
        streams = [row["stream_id"] for row in heads]
        made = await made_of(connection, rows, streams, streams)
        stretch = (UUID(int=after.int + 1), last)
        away = await detached_in(connection, stretch)
        behind |= {str(stream) for stream in made.amiss}  # named already, and no rebuild reads them
        found = await differing(connection, stretch, made, away=away)
        for stream in sorted((found.streams | found.unknown) - behind):
            report.found(stream, "its rows in the lists are not what its head says: `hotline rebuild lists`")
        if last == _LAST:
            break
        after = last
    for name, number in (await sums_differing(connection)).items():
        report.found(
            "", f"{number:,} sums of read.{name} are not what its rows add up to: `hotline rebuild lists`"
        )
    await _compare_calls(connection, report)


async def _compare_calls(connection: asyncpg.Connection[Any], report: Report) -> None:
    position = await connection.fetchrow(_POSITION, CALLS, 1)
    if position is None or not position["whole"]:
        return
    behind = {row[0] for row in await connection.fetch(_NEW_CALLS, position["seen"])}
    end = await connection.fetchval(_LAST_CALL)
    after = ""
    while end is not None:
        told = await connection.fetch(_CALLS, after, PAGE)
        last = told[-1]["call_id"] if len(told) == PAGE else end
        wanted: set[tuple[Any, ...]] = set()
        for call_id, things in told:
            try:
                wanted |= {tuple(row) for row in call_rows(call_id, things)}
            except Exception:  # noqa: BLE001 -- `hotline calls` names it
                behind.add(call_id)
        there = {tuple(row) for row in await connection.fetch(_COUNTED, after, last)}
        for call_id in sorted({row[0] for row in there ^ wanted} - behind):
            report.found("", f"call {call_id}: its row is not what was told of it: `hotline rebuild lists`")
        if len(told) < PAGE:
            return
        after = last
