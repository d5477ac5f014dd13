"""PostgreSQL ends a connection at any instant: whoever asked waits and asks again, on a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg
import pytest

from shared.log.away import AWAY
from shared.log.postgres import PostgresLog
from tests.city import City
from tests.shell import PATIENCE

pytestmark = pytest.mark.connected

TIMES: Final = 60
_END: Final = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1"


async def test_a_connection_ended_between_any_two_steps_is_an_absence_and_a_new_one_is_opened(
    city: Callable[..., Awaitable[City]],
) -> None:
    """However the end meets the client: idle, in the middle of an answer, with the farewell half read."""
    endpoints = (await city()).endpoints
    log = PostgresLog(endpoints.logins["intake"], "intake", "test.gone")
    owner: asyncpg.Connection[Any] = await asyncpg.connect(endpoints.owner_dsn)
    ended = 0
    try:
        for steps in range(TIMES):
            await log.heads([], [])
            ending = asyncio.ensure_future(owner.fetchval(_END, "test.gone"))
            for _ in range(steps % 8):
                await asyncio.sleep(0)
            while not ending.done():
                try:
                    await log.heads([], [])
                except AWAY:
                    await asyncio.sleep(0)
            ended += await ending
            async with asyncio.timeout(PATIENCE * 5):
                while True:
                    try:
                        await log.heads([], [])
                        break
                    except AWAY:
                        await asyncio.sleep(0.01)
    finally:
        await owner.close()
        await log.close()
    assert ended == TIMES
