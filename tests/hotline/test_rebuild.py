"""Heads and timers come back from the facts alone, to the same rows, whatever became of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace as changed

from hotline.audit.verify import verify
from hotline.upkeep.archive import move
from hotline.upkeep.rebuild import ROUNDS_MAX, VIEWS, Rebuilt, rebuild
from shared.ids import complaint_id
from shared.log.projection.lives import FoldedLife, lives
from shared.runtime.errors import UserError
from tests import examples as eg
from tests.city import City
from tests.examples import told
from tests.hotline.conftest import Desks
from tests.hotline.test_verify import (
    LATE,
    SOLVED,
    WITHDRAWN,
    a_head_with_one_word_changed,
    a_timer_gone,
    a_timer_moved,
    a_timer_of_nobody,
    fact,
    no_head,
    several_lives,
    unlocked,
)
from tests.present import present_is
from tests.shell import PATIENCE

pytestmark = pytest.mark.connected

TABLES = {"heads": "es.stream", "timers": "es.timer"}


async def rows(desks: Desks, view: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await desks.owner.fetch(f"SELECT * FROM {TABLES[view]} ORDER BY 1, 2")]


async def test_a_view_that_is_right_is_left_as_it_is(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    await several_lives(desks)
    for page in (1, 3, 5000):
        monkeypatch.setattr("shared.log.projection.lives.PAGE", page)
        for view in VIEWS:
            before = await rows(desks, view)
            done = await rebuild(desks.operator, view)
            assert (done.removed, done.added, done.rows) == (0, 0, len(before))
            assert done.facts == await desks.owner.fetchval("SELECT count(*) FROM es.event")
            assert await rows(desks, view) == before


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_that_was_thrown_away_comes_back_to_the_same_bytes(desks: Desks, view: str) -> None:
    await desks.owner.execute(present_is(eg.CALLED_AT))  # no limit is over when it becomes known
    await several_lives(desks)
    before = await rows(desks, view)
    await desks.owner.execute(f"DELETE FROM {TABLES[view]}")
    done = await rebuild(desks.operator, view)
    assert (done.removed, done.added) == (0, len(before))
    assert await rows(desks, view) == before
    assert (await verify(desks.dsn)).problems == []


@pytest.mark.parametrize(
    ("view", "breaks", "removed", "added"),
    [
        ("heads", a_head_with_one_word_changed, 1, 1),
        ("heads", no_head, 0, 1),
        ("timers", a_timer_gone, 0, 1),
        ("timers", a_timer_moved, 1, 1),
        ("timers", a_timer_of_nobody, 1, 0),
    ],
)
async def test_what_is_wrong_in_a_view_is_put_right(
    desks: Desks, view: str, breaks: Callable[[Desks], Awaitable[str]], removed: int, added: int
) -> None:
    await several_lives(desks)
    await breaks(desks)
    assert (await verify(desks.dsn)).problems
    done = await rebuild(desks.operator, view)
    assert (done.removed, done.added) == (removed, added)
    assert (await verify(desks.dsn)).problems == []


async def test_a_log_that_cannot_be_read_changes_no_view(desks: Desks) -> None:
    await several_lives(desks)
    row = await fact(desks, SOLVED, "OrderSigned")
    await unlocked(desks, "UPDATE es.event SET body = '{' WHERE position = $1", row["position"])
    before = await rows(desks, "heads")
    with pytest.raises(UserError, match=f"complaint {SOLVED}, version 4: cannot be read"):
        await rebuild(desks.operator, "heads")
    assert await rows(desks, "heads") == before


# -- while the desks go on


async def begins(desks: Desks, *names: str) -> None:
    """Complaints are put on record, and dispatched to their unit."""
    await desks.tell(
        *(
            told(
                eg.RECORD,
                complaint_id=complaint_id(name),
                command=changed(eg.REQUEST, request_id=name, call_id=None),
            )
            for name in names
        )
    )


class Stopped:
    """The first reading of the log stops before its end until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.here = asyncio.Event()
        self.go_on = asyncio.Event()

        async def read_slowly(connection: Any, *streams: Any) -> AsyncIterator[list[FoldedLife]]:
            async for some in lives(connection, *streams):
                yield some
            if not self.go_on.is_set():
                self.here.set()
                await self.go_on.wait()

        monkeypatch.setattr("hotline.upkeep.rebuild.lives", read_slowly)


async def all_views(desks: Desks) -> list[Any]:
    return [await rows(desks, view) for view in VIEWS]


@pytest.mark.parametrize("view", VIEWS)
async def test_who_appends_does_not_wait_for_the_reading_and_is_in_the_view(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    await several_lives(desks)
    await a_head_with_one_word_changed(desks) if view == "heads" else await a_timer_of_nobody(desks)
    stopped = Stopped(monkeypatch)
    rebuilding = asyncio.ensure_future(rebuild(desks.operator, view))
    await asyncio.wait_for(stopped.here.wait(), PATIENCE * 10)
    async with asyncio.timeout(PATIENCE * 10):  # nobody else would end a wait
        await begins(desks, "born-meanwhile")
        await desks.tell(
            told(eg.SIGN, complaint_id=complaint_id("born-meanwhile")),
            told(eg.ANSWER, complaint_id=SOLVED),
        )
    assert not rebuilding.done()
    right = {row for row in await rows(desks, view) if str(row[0]) not in {LATE, complaint_id("nobody")}}
    stopped.go_on.set()
    done = await rebuilding
    assert (done.removed, done.added) == ((1, 1) if view == "heads" else (1, 0))
    assert right < set(await rows(desks, view))
    assert (await verify(desks.dsn)).problems == []


@pytest.mark.parametrize("view", VIEWS)
async def test_who_began_before_the_reading_and_commits_after_it_is_in_the_view(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    """Its transaction is older than the snapshot, and its positions are lower than what was read."""
    await several_lives(desks)
    await desks.owner.execute(
        "CREATE FUNCTION es.slow() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END $$;"
        "CREATE TRIGGER slow AFTER INSERT ON es.event EXECUTE FUNCTION es.slow();"
        "SELECT pg_advisory_lock(77)"
    )
    speaking = asyncio.ensure_future(
        desks.tell_unheard(
            told(
                eg.RECORD,
                ruleset="boston-311-2011",  # no limit for dispatch, which would have passed long ago
                complaint_id=complaint_id("slow"),
                command=changed(eg.REQUEST, request_id="slow", call_id=None, given_due_at=eg.DUE_AT),
            )
        )
    )
    while not await desks.owner.fetchval(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 77"
    ):
        await asyncio.sleep(0.01)
    stopped = Stopped(monkeypatch)
    rebuilding = asyncio.ensure_future(rebuild(desks.operator, view))
    await asyncio.wait_for(stopped.here.wait(), PATIENCE * 10)
    await desks.owner.execute("SELECT pg_advisory_unlock(77)")
    await speaking
    stopped.go_on.set()
    done = await rebuilding
    assert (done.removed, done.added) == (0, 0)
    assert (await verify(desks.dsn)).problems == []


@pytest.mark.parametrize("view", VIEWS)
async def test_killed_before_its_end_nothing_has_changed(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    await several_lives(desks)
    await a_head_with_one_word_changed(desks)
    await a_timer_moved(desks)
    before = await all_views(desks)
    stopped = Stopped(monkeypatch)
    rebuilding = asyncio.ensure_future(rebuild(desks.operator, view))
    await asyncio.wait_for(stopped.here.wait(), PATIENCE * 10)
    (killed,) = await desks.owner.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'"
        " AND granted AND objid = (hashtext('hotline.upkeep.rebuild')::bigint & 4294967295)::oid"
    )
    stopped.go_on.set()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await rebuilding
    assert killed[0]
    assert await all_views(desks) == before
    assert (await rebuild(desks.operator, view)).removed == 1


async def test_of_those_who_rebuild_or_move_into_the_archive_one_is_at_work(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await several_lives(desks)
    stopped = Stopped(monkeypatch)
    rebuilding = asyncio.ensure_future(rebuild(desks.operator, "heads"))
    await asyncio.wait_for(stopped.here.wait(), PATIENCE * 10)
    for other in (rebuild(desks.operator, "timers"), move(desks.operator, eg.CALLED_AT)):
        with pytest.raises(UserError, match="A view is being rebuilt or facts are moved into the archive"):
            await other
    stopped.go_on.set()
    await rebuilding
    await move(desks.operator, eg.CALLED_AT)


async def test_views_come_right_round_after_round_while_the_desks_work(
    desks: Desks, monkeypatch: pytest.MonkeyPatch, measured: Callable[[str], None]
) -> None:
    """Lives that rest are broken, others go on without a pause: at the end all is what the facts say."""
    monkeypatch.setattr("shared.log.projection.lives.PAGE", 7)  # many pages, so much happens meanwhile
    monkeypatch.setattr("hotline.upkeep.rebuild.LAST_MAX", 0)  # all rounds are gone through
    await several_lives(desks)
    waits: list[float] = []
    stop = asyncio.Event()
    one_more = asyncio.Event()
    paused: list[int] = []

    async def halting(connection: Any, streams: Any = None) -> AsyncIterator[list[FoldedLife]]:
        """In the middle of the reading a whole life is lived: a rebuild that held the desks up would never end."""
        async for page in lives(connection, streams):
            yield page
            if streams is None and not stop.is_set() and len(paused) == len(held):
                paused.append(len(waits))
                one_more.clear()
                await one_more.wait()

    monkeypatch.setattr("hotline.upkeep.rebuild.lives", halting)

    async def speak() -> None:
        number = 0
        while not stop.is_set():
            began = time.monotonic()
            name = f"busy-{number}"
            await begins(desks, name)
            await desks.tell(told(eg.SIGN, complaint_id=complaint_id(name)))
            await desks.tell(told(eg.ANSWER, complaint_id=complaint_id(name)))
            if number >= 5:  # one that was read long ago goes on
                await desks.tell(told(eg.RECORD_VISIT, complaint_id=complaint_id(f"busy-{number - 5}")))
            waits.append(time.monotonic() - began)
            number += 1
            one_more.set()

    speaking = asyncio.ensure_future(speak())
    other = await asyncpg.connect(desks.dsn)
    held: list[Rebuilt] = []
    try:
        for _ in range(8):
            for view in VIEWS:
                await other.execute("UPDATE es.stream SET state = '{}' WHERE stream_id = $1", WITHDRAWN)
                await other.execute("DELETE FROM es.timer WHERE stream_id = $1 AND kind = 2", LATE)
                held.append(await rebuild(desks.operator, view))
    finally:
        stop.set()
        await speaking
        await other.close()
    assert len(paused) == len(held)
    assert all((done.removed, done.added) == (1, 1) for done in held[::2])
    assert all((done.removed, done.added) == (0, 1) for done in held[1::2])
    await rebuild(desks.operator, "heads")
    assert (await verify(desks.dsn)).problems == []
    measured(
        f"rebuild beside desks at work: {len(waits)} lives in {ROUNDS_MAX} rounds each, the longest step "
        f"{max(waits) * 1000:.0f} ms, appends held at most {max(d.held_seconds for d in held) * 1000:.0f} ms"
    )


async def test_views_are_rebuilt_under_a_city_at_work(city: Callable[..., Awaitable[City]]) -> None:
    """Real processes, requests coming in all the time, timers lost on the way."""
    town = await city()
    await town.start()
    stop = asyncio.Event()
    told: list[str] = []

    async def call() -> None:
        while not stop.is_set():
            told.append((await town.record(f"rebuild-{len(told)}")) or "")
            await asyncio.sleep(0.002)

    calling = asyncio.ensure_future(call())
    owner = await asyncpg.connect(town.endpoints.owner_dsn)
    try:
        while not await owner.fetchval("SELECT EXISTS (SELECT FROM es.timer WHERE kind = 2)"):
            await asyncio.sleep(0.05)
        for _ in range(5):
            lost = await owner.execute(
                # of orders: a limit for dispatch is set anew with the order, lost or not
                "DELETE FROM es.timer WHERE kind = 2 AND stream_id IN"
                " (SELECT stream_id FROM es.timer WHERE kind = 2 LIMIT 3)"
            )
            done = await rebuild(town.endpoints.logins["operator"], "timers")
            assert (done.removed, done.added) == (0, int(lost.partition(" ")[2]))
            done = await rebuild(town.endpoints.logins["operator"], "heads")
            assert (done.removed, done.added) == (0, 0)
    finally:
        stop.set()
        await calling
        await owner.close()
    assert len(told) > 50
    await town.settled()
    await town.verify()
