"""A desk of letters is typed in: every limit is over at once, and nobody is ended for working through them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.supervision.stalled import CityProgress, held_up_in, overdue_in
from deploy.supervision.supervisor import Service, Supervisor
from deploy.supervision.watchman import Watchman
from services.escalation.due import DUE_MAX
from services.escalation.settings import Settings
from services.escalation.ticker import Ticker
from shared.complaint import Case
from shared.desk import Desk
from shared.events import Fact
from shared.log.postgres import PostgresLog, connect
from shared.runtime.patience import STILL_SECONDS
from shared.work import Batch
from tests.city import until
from tests.desks import decide_of, desk_on, dispatch_of, lives, small_catalogue

pytestmark = pytest.mark.connected

LETTERS = 10_000
AT_ONCE = 2000


class Guard:
    """The watchman over a process called escalation; he looks each time after his whole patience."""

    def __init__(self, supervisor: Supervisor, said: list[str]) -> None:
        self.said = said
        self._seconds = 0.0
        self._watchman = Watchman(
            None,  # type: ignore[arg-type]  # where to look is told by the test
            small_catalogue(),
            supervisor,
            said.append,
            clock=lambda: self._seconds,
        )

    def looks(self, standing: CityProgress) -> None:
        self._seconds += STILL_SECONDS + 1
        self._watchman._judge(standing)


@pytest.fixture
async def guard(tmp_path: Path) -> AsyncIterator[Guard]:
    idle = (sys.executable, "-c", "import time; time.sleep(600)")
    said: list[str] = []
    supervisor = Supervisor(
        [Service(name="escalation", command=idle, env={}, log=tmp_path / "log")], stack=None, say=said.append
    )
    await supervisor.start()
    try:
        yield Guard(supervisor, said)
    finally:
        await supervisor.stop()


async def standing(owner: asyncpg.Connection[Any]) -> CityProgress:
    """How escalation stands; the others have nothing to do."""
    return CityProgress(
        {},
        {},
        drained=True,
        cursor=(),
        overdue=await overdue_in(owner),
        prefix="",
        stopped=(),
        held=frozenset(),
        held_up=await held_up_in(owner),
    )


async def _typed_in(dsn: str, number: int) -> None:
    received = datetime.now(UTC) - timedelta(days=3)
    desks = {name: desk_on(name, PostgresLog(dsn, name, name)) for name in ("intake", "dispatch")}
    for first in range(0, number, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, number))
        streams = await lives(desks["intake"], list(numbers), at=received)
        await desks["dispatch"].obey(Batch(work=[dispatch_of(stream, at=received) for stream in streams]))
    for desk in desks.values():
        assert isinstance(desk.log, PostgresLog)
        await desk.log.close()


@asynccontextmanager
async def ticking(dsn: str) -> AsyncIterator[tuple[Ticker, Any]]:
    """A clock that has looked through everything there was."""
    log = PostgresLog(dsn, "escalation", "escalation.tick")
    connection = await connect(dsn, "escalation.tick")
    ticker = Ticker(Settings(kafka="", postgres=dsn), desk_on("escalation", log))
    await ticker.own(connection)
    assert await ticker.tick(connection) == 0
    try:
        yield ticker, connection
    finally:
        await connection.close()
        await log.close()


async def test_ten_thousand_letters_are_stated_tick_by_tick_and_nobody_is_ended(
    database: str, guard: Guard
) -> None:
    async with ticking(database) as (ticker, connection):
        await _typed_in(database, LETTERS)
        guard.looks(await standing(connection))
        ticks = 0
        while await ticker.tick(connection):
            ticks += 1
            guard.looks(await standing(connection))
        assert ticks == LETTERS // DUE_MAX, "from the first tick on"
        missed = "SELECT count(DISTINCT stream_id) FROM es.event WHERE type = 'SignLimitMissed'"
        assert await connection.fetchval(missed) == LETTERS
    assert guard.said == []


async def test_a_clock_that_hangs_is_ended_all_the_same(database: str, guard: Guard) -> None:
    async with ticking(database) as (_, connection):
        await _typed_in(database, 3)
        guard.looks(await standing(connection))
        assert guard.said == []
        guard.looks(await standing(connection))
    assert len(guard.said) == 1
    assert guard.said[0].startswith("escalation stands still (the timer of ")


async def test_what_the_clock_passed_over_is_no_sign_that_it_hangs(database: str, guard: Guard) -> None:
    """It stays overdue until somebody mends the rule; ending the clock would mend nothing."""
    async with ticking(database) as (ticker, connection):
        await _typed_in(database, 3)
        stuck = await connection.fetchval("SELECT stream_id::text FROM es.timer LIMIT 1")
        decide = decide_of("escalation")

        def broken(command: Any, case: Case) -> Sequence[Fact]:
            if command.complaint_id == stuck:
                raise ZeroDivisionError
            return decide(command, case)

        ticker._desk = Desk("escalation", broken, ticker._desk.log, ticker._telemetry)
        guard.looks(await standing(connection))
        while await ticker.tick(connection):
            pass
        assert await connection.fetchval("SELECT count(*) FROM es.timer WHERE due_at < clock_timestamp()") > 0
        for _ in range(3):
            guard.looks(await standing(connection))
    assert guard.said == []


async def test_who_waits_for_a_lock_of_another_session_is_not_ended(database: str, guard: Guard) -> None:
    """Somebody repairs a table by hand. Ended or not, the clock waits for him."""
    owner, other = await connect(database, "owner"), await connect(database, "somebody")
    try:
        async with ticking(database) as (ticker, connection):
            await _typed_in(database, 3)
            repair = other.transaction()
            await repair.start()
            await other.execute("LOCK TABLE es.timer IN SHARE ROW EXCLUSIVE MODE")
            firing = asyncio.create_task(ticker.tick(connection))

            async def waits() -> bool:
                return "escalation" in await held_up_in(owner)

            await until(waits, what="a clock that waits for the lock", within=60)
            for _ in range(3):
                guard.looks(await standing(owner))
            assert guard.said == []
            await repair.rollback()
            assert await firing == 3
    finally:
        await owner.close()
        await other.close()
