"""The tick on a real table: what fired and cannot be cleared away costs it next to nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.escalation.inbound import Ticker
from services.escalation.settings import Settings
from shared.log.postgres import PostgresLog, connect
from tests.desks import desk_on

pytestmark = pytest.mark.connected

FIRED = 20_000
FIRED_OVER = timedelta(minutes=4)


async def _pages(connection: asyncpg.Connection[Any], low: datetime) -> int:
    plan = await connection.fetchval(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM es.due('{0,1,2,3}', $1, clock_timestamp(), 2000)",
        low,
    )
    node = json.loads(plan)[0]["Plan"]
    return int(node["Shared Hit Blocks"] + node["Shared Read Blocks"])


async def test_a_tick_does_not_wade_through_what_fired_while_an_old_snapshot_is_held(database: str) -> None:
    """20,000 timers that fired over the last minutes, none of which PostgreSQL may clear away."""
    owner = await connect(database, "owner")
    old = await connect(database, "old")
    log = PostgresLog(database, "escalation", "escalation.tick")
    try:
        begin = datetime.now(UTC) - FIRED_OVER
        await owner.execute(
            "INSERT INTO es.timer SELECT md5('t' || n)::uuid, 1, n % 4, $1::timestamptz + $2::interval * n"
            " FROM generate_series(1, $3) AS n",
            begin,
            FIRED_OVER / FIRED,
            FIRED,
        )
        async with old.transaction(isolation="repeatable_read", readonly=True):
            assert await old.fetchval("SELECT count(*) FROM es.timer") == FIRED
            await owner.execute("DELETE FROM es.timer")
            ticker = Ticker(Settings(kafka="", postgres=database), desk_on("escalation", log))
            await ticker.own(owner)
            assert await ticker.tick(owner) == 0
            everything = await _pages(owner, begin)
            assert everything > FIRED / 100, "the control: these rows are there to be waded through"
            assert await _pages(owner, ticker._low) < everything / 10
    finally:
        for one in (owner, old, log):
            await one.close()
