"""The wire between a process and its servers breaks exactly as it is told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from hotline.lab.chaos.wire import Wire, Wires
from services.intake.rules import decide
from shared.desk import Desk
from shared.log.away import AWAY
from shared.log.postgres import PostgresLog
from shared.runtime.postgres_address import moved
from shared.runtime.telemetry import Telemetry
from shared.work import Batch, Work
from tests import examples as eg

pytestmark = pytest.mark.connected

RECORD = Work(eg.RECORD, eg.ID, "wire/1", None, "00000000-0000-8000-8000-000000000001")


@pytest.fixture
def wire(database: str) -> Iterator[Wire]:
    with Wires() as wires:
        yield wires.lay("test", urlsplit(database).port or 0, commits=True)


@pytest.fixture
async def desk(database: str, wire: Wire) -> AsyncIterator[Desk]:
    log = PostgresLog(moved(database, wire.address), "intake", "wire")
    yield Desk("intake", decide, log, Telemetry("intake"))
    await log.close()


async def facts(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM es.event"))
    finally:
        await connection.close()


async def test_what_passes_is_what_was_said(database: str, desk: Desk) -> None:
    said = await desk.obey(Batch(work=[RECORD]))
    assert said.facts == await facts(database) > 0


@pytest.mark.parametrize(("how", "written"), [("unsaid", False), ("unheard", True)])
async def test_a_commit_breaks_before_it_is_heard_or_before_it_is_answered(
    database: str, desk: Desk, wire: Wire, how: str, written: bool
) -> None:
    broken = wire.break_a_commit(how)  # type: ignore[arg-type]
    with pytest.raises(AWAY):
        await desk.obey(Batch(work=[RECORD]))
    assert broken.is_set()
    assert bool(await facts(database)) is written
    again = await desk.obey(Batch(work=[RECORD]))  # as every door does it
    assert again.repeats == int(written)
    assert await facts(database) == 2


async def test_a_cut_wire_lets_nobody_through_until_it_is_mended(desk: Desk, wire: Wire) -> None:
    await desk.log.heads([], [])
    wire.cut()
    for _ in range(2):
        with pytest.raises(AWAY):
            async with asyncio.timeout(5):
                await desk.log.heads([], [])
    wire.mend()
    await desk.log.heads([], [])


async def test_a_slow_wire_is_late_in_both_directions_and_keeps_the_order(desk: Desk, wire: Wire) -> None:
    await desk.log.heads([], [])
    wire.delay_seconds = 0.2
    began = time.monotonic()
    await desk.log.heads([], [])
    assert time.monotonic() - began >= 0.4
    wire.mend()
    assert (await desk.obey(Batch(work=[RECORD]))).facts == 2
