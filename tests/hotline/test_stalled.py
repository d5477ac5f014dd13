"""Whoever stands still is told from whoever works by progress: the processes here are alive all the time."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from deploy.supervision.stalled import CityProgress, look, stalled
from shared.events import ComplaintDispatched
from shared.policy.catalogue import Catalogue, catalogue
from shared.topics import COMPLAINTS_LOG
from tests.city import City, until

pytestmark = pytest.mark.connected

LONG_AGO = datetime(2021, 9, 27, 4, tzinfo=UTC)


@asynccontextmanager
async def stopped(town: City, service: str) -> AsyncIterator[None]:
    """The process of a service is there and does nothing."""
    town.signal(service, signal.SIGSTOP)
    try:
        yield
    finally:
        town.signal(service, signal.SIGCONT)


async def test_who_has_work_and_makes_no_step_stands_still(city: Callable[..., Awaitable[City]]) -> None:
    town = await city()
    await town.start()
    known: Catalogue = catalogue(str(town.folder / "catalogue.json"))

    async def looked() -> CityProgress:
        return await look(town.endpoints, known)

    async def still(within: float = 5.0) -> dict[str, str]:
        return await stalled(town.endpoints, known, await looked(), within=within)

    async def moves() -> bool:
        return await still(0.5) == {}

    # A desk that nobody waits for is no trouble, whatever its process does.
    async with stopped(town, "dispatch"):
        assert await still() == {}
        first = await town.record("while-dispatch-stands")

        async def sent() -> bool:
            return (await looked()).behind["dispatch"] > 0 and bool(await town.value("SELECT es.drained()"))

        await until(sent, what="work for dispatch", within=60)
        assert set(town.pids()) >= {"dispatch"}
        waiting = (await looked()).behind["dispatch"]
        assert await still() == {"dispatch": f"{waiting} messages wait in 1 partitions, none is taken in"}
        assert all(at[0] == "dispatch" for at in (await looked()).left)
    await town.until_fact(first, ComplaintDispatched, within=60)
    await town.settled(within=60)
    assert await still() == {}

    # The relay: facts wait.
    async with stopped(town, "relay"):
        second = await town.record("while-the-relay-stands")
        await until(lambda: town.story(second), what="a fact to send", within=60)
        assert await still() == {"relay": "facts wait to be sent, its cursor does not move"}
    await town.until_fact(second, ComplaintDispatched, within=60)

    # The clock: a timer is due, and nobody fires it.
    await town.settled(within=60)
    due = "SELECT due_at FROM es.timer WHERE stream_id = $1 AND kind = 1"
    moved = "UPDATE es.timer SET due_at = $2 WHERE stream_id = $1 AND kind = 1"
    due_at = await town.value(due, second)
    async with stopped(town, "escalation"):
        await town.sql(moved, second, LONG_AGO)
        said = f"the timer of {second} was due at 2021-09-27 04:00:00 UTC, nobody fires it"
        assert await still() == {"escalation": said}
        await town.sql(moved, second, due_at)
    await until(moves, what="nobody standing still", within=60)


async def test_a_desk_that_works_through_much_does_not_stand_still(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    known = catalogue(str(town.folder / "catalogue.json"))
    for number in range(200):
        await town.record(f"much-{number}")
    before = await look(town.endpoints, known)
    assert before.behind["intake"] == 200
    await town.start("intake", "relay")
    assert await stalled(town.endpoints, known, before) == {}
    assert (await look(town.endpoints, known)).behind["intake"] < 200
    assert town.topic(COMPLAINTS_LOG) in {at[1] for at in before.taken}
