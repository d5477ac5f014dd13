"""A deployment goes on: processes of the release before and of this one share the work, in both orders.

The schema is migrated first. Then one process after another is replaced while citizens call and units answer.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from deploy.before import Before, build, commit_before, in_history
from deploy.city import making, served
from deploy.city.endpoints import PROCESSES, PROJECTOR
from deploy.city.registry import City as Served
from deploy.embedded.stack import Addresses
from deploy.supervision.supervisor import Supervisor
from hotline.readside.standing import caught_up
from hotline.upkeep.upgrade import steps
from shared.events import ComplaintClosed, ComplaintDispatched, VisitScheduled
from shared.ids import ComplaintId
from shared.log.codec import not_known
from shared.log.reading import reader
from shared.runtime import postgres_address
from shared.runtime.errors import UserError
from tests.city import City, until
from tests.shell import PROJECT

pytestmark = pytest.mark.connected
HAS_BEFORE = pytest.mark.skipif(
    not in_history(commit_before()), reason="the history of this clone is cut off"
)

LIVES = 12
"""Begun before each step."""

PROCESSES = (*PROCESSES, PROJECTOR)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Before:
    return build(tmp_path_factory.mktemp("before"))


class Mixed:
    """Every process of a city, each of one release or the other."""

    def __init__(self, town: City, before: Before) -> None:
        self.town = town
        self.before = before
        self.said: list[str] = []
        self._running: dict[str, tuple[Supervisor, asyncio.Task[None]]] = {}

    async def start(self, name: str, *, old: bool) -> None:
        """Replace a process, or start it: the one there was ends first, as its place in Kafka is one."""
        await self.stop(name)
        logs = self.town.folder / "logs"
        every = served.services(self.town.endpoints, logs, catalogue=str(self.town.folder / "catalogue.json"))
        every.append(served.projector(self.town.endpoints, logs))
        (service,) = [one for one in every if one.name == name]
        if old:
            _, *arguments = service.command
            # Its own files come first on the path: `-m` looks where a process starts.
            command = ("/usr/bin/env", "-C", str(self.before.tree), str(self.before.python), *arguments)
            service = replace(service, command=command)
        offset = service.log.stat().st_size if service.log.exists() else 0
        supervisor = Supervisor([service], stack=None, say=self.said.append)
        await supervisor.start()
        self._running[name] = (supervisor, asyncio.create_task(supervisor.watch()))
        await until(
            lambda: self.town._works(service.log, name, offset), within=120, what=f"{name} at work", every=0.1
        )

    async def stop(self, name: str) -> None:
        if name in self._running:
            supervisor, watching = self._running.pop(name)
            await supervisor.stop()
            await watching

    async def stop_all(self) -> None:
        for name in tuple(self._running):
            await self.stop(name)


async def begin(town: City, name: str) -> list[ComplaintId]:
    return [await town.record(f"{name}-{number}") for number in range(LIVES)]


async def went_on(town: City, lives: Sequence[ComplaintId]) -> None:
    """To its end, each life, by whoever is at the desks."""
    for life in lives:
        await town.until_fact(life, ComplaintDispatched, within=120)
        await town.sign(life)
        await town.answer(life)
    for life in lives:
        await town.until_fact(life, VisitScheduled, within=120)
        await town.visit(life)
    for life in lives:
        await town.until_fact(life, ComplaintClosed, within=120)


async def listed(town: City, ended: int) -> None:
    """The lists hold what the log holds, and so many ended complaints, whichever projector made them."""
    connection = await reader(town.endpoints.login("reader"))
    try:
        standing = await caught_up(connection, within=60)
        assert not standing.going
        assert not standing.behind, standing.line()
        assert await town.value("SELECT count(*) FROM read.unread") == 0
        assert await town.value("SELECT count(*) FROM read.complaint WHERE stage = 'ENDED'") == ended
    finally:
        await connection.close()


@HAS_BEFORE
@pytest.mark.timeout(600)
@pytest.mark.parametrize("order", [PROCESSES, PROCESSES[::-1]], ids=["desks first", "projector first"])
async def test_two_releases_share_the_work_and_nothing_is_lost_or_doubled(
    city: Callable[..., Awaitable[City]],
    before: Before,
    order: Sequence[str],
    measured: Callable[[str], None],
) -> None:
    town = await city()  # migrated by this release, as a deployment begins
    mixed = Mixed(town, before)
    try:
        for name in PROCESSES:
            await mixed.start(name, old=True)
        lives = await begin(town, "first")
        for done, name in enumerate(order, 1):
            begun = await begin(town, name)
            await asyncio.gather(mixed.start(name, old=False), went_on(town, lives))
            await listed(town, ended=LIVES * done)
            lives = begun
        await went_on(town, lives)
        await town.settled()
        await listed(town, ended=LIVES * (len(order) + 1))
        assert await town.parked() == []
        stories = {tuple(await town.story(life)) for life in lives}
        assert len(stories) == 1
        told = await town.verify()
        assert told["ComplaintReceived"] == told["ComplaintClosed"] == LIVES * (len(order) + 1)
        assert mixed.said == []
        measured(f"{before.commit[:7]} and this release shared {LIVES * (len(order) + 1)} lives")
    finally:
        await mixed.stop_all()


def next_release(folder: Path) -> Before:
    """This release, but for one fact that has a second version: as the next release may have it."""
    for package in ("services", "shared", "hotline", "deploy"):
        shutil.copytree(PROJECT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    changes = {
        "shared/events/dispatch.py": ('"answered_at"\n', '"answered_at"\n    SCHEMA: ClassVar[int] = 2\n'),
        "shared/log/codec.py": (
            "[str, Any]]]] = {}",
            '[str, Any]]]] = {("OrderAnswered", 1): lambda fields: fields}',
        ),
    }
    for name, (was, becomes) in changes.items():
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(was) == 1, name
        (folder / name).write_text(text.replace(was, becomes), encoding="utf-8")
    return Before(commit="next", tree=folder, python=Path(sys.executable))


@pytest.mark.timeout(600)
async def test_a_fact_of_the_next_release_waits_until_a_process_knows_it_and_then_goes_on_by_itself(
    city: Callable[..., Awaitable[City]], tmp_path: Path
) -> None:
    town = await city()
    mixed = Mixed(town, next_release(tmp_path / "next"))
    of_life = "SELECT type || ' v' || schema_version FROM es.event WHERE stream_id = $1 ORDER BY version"

    async def until_parked(lives: Sequence[ComplaintId]) -> None:
        async def reasons() -> bool:
            waiting = {row["complaint_id"]: row["reason"] for row in await town.parked()}
            return waiting == {
                UUID(life): f"complaints.log: {not_known('OrderAnswered', 2)}" for life in lives
            }

        await until(reasons, within=120, what="each answer in feedback's parking")

    async def until_closed(life: ComplaintId) -> None:
        async def closed() -> bool:
            return "ComplaintClosed v1" in [row[0] for row in await town.sql(of_life, life)]

        await until(closed, within=120, what=f"the end of {life}")

    try:
        for name in PROCESSES:
            await mixed.start(name, old=name == "dispatch")
        lives = [await town.record(f"life-{number}") for number in range(3)]
        for life in lives:
            await town.until_fact(life, ComplaintDispatched, within=120)
            await town.sign(life)
            await town.answer(life)
        await until_parked(lives)
        await mixed.start("feedback", old=True)
        asked = "SELECT count(*) FROM es.event WHERE type = 'VisitScheduled'"
        await until(lambda: _is(town, asked, len(lives)), within=120, what="every visit")
        for life in lives:
            await town.visit(life)
            await until_closed(life)
        await until(lambda: _is(town, "SELECT count(*) FROM es.parked", 0), within=60, what="nothing parked")
        stories = {tuple(row[0] for row in await town.sql(of_life, life)) for life in lives}
        (story,) = stories
        assert "OrderAnswered v2" in story
        assert len(set(story)) == len(story), "nothing happened twice"
        await listed(town, ended=len(lives))  # by a projector of this release, which goes by what a head is
        assert mixed.said == []
    finally:
        await mixed.stop_all()


async def _is(town: City, statement: str, number: int) -> bool:
    return bool(await town.value(statement) == number)


@HAS_BEFORE
def test_the_environment_of_the_release_before_is_its_own(before: Before) -> None:
    assert (before.tree / "uv.lock").exists()
    assert Path(before.python).exists()


async def test_an_owner_who_is_no_superuser_migrates_where_the_roles_are_there(
    stack: Addresses, database: str
) -> None:
    """As on a cluster: the operator makes the roles (`database` made them here), and the job owns one database."""
    name = "owned_by_nobody_else"
    admin = await asyncpg.connect(stack.database("postgres"))
    try:
        await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x' NOSUPERUSER NOCREATEROLE NOCREATEDB")
        await admin.execute(f"CREATE DATABASE {name} OWNER {name}")
        dsn = postgres_address.with_login(stack.database(name), name, "x")
        await making.migrate(dsn)
        await making.migrate(dsn)
        owner = await asyncpg.connect(dsn)
        try:
            assert await owner.fetchval("SELECT count(*) FROM es.relay") == 1
            await owner.execute("SELECT es.set_relay_shards(2)")
        finally:
            await owner.close()
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.execute(f"DROP ROLE IF EXISTS {name}")
        await admin.close()


async def test_the_check_names_what_a_city_lacks_in_the_order_of_the_steps(
    city: Callable[..., Awaitable[City]], stack: Addresses
) -> None:
    town = await city()
    served = Served(endpoints=town.endpoints, catalogue=str(town.folder / "catalogue.json"))
    assert await steps(served) == []

    await town.sql("DELETE FROM public.schema_migrations WHERE version IN ('0042', '0044')")
    await town.sql(f'DROP ROLE "{town.endpoints.name}_operator_login"')
    wider = replace(served, catalogue="")
    found = await steps(wider)
    assert [step.what.partition(":")[0] for step in found] == [
        "migrations",
        "logins in PostgreSQL",
        "topics in Kafka",
    ]
    assert found[0].what == "migrations: 0042, 0044"
    assert found[1].what == f"logins in PostgreSQL: {town.endpoints.name}_operator_login"
    assert found[2].what.endswith(" more")

    await town.sql("REVOKE SELECT ON public.schema_migrations FROM hotline_reader")
    assert [step.what for step in await steps(served)] == [
        "migrations: the database has not had 0055 and perhaps others"
    ]
    await town.sql("GRANT SELECT ON public.schema_migrations TO hotline_reader")
    await town.sql("INSERT INTO public.schema_migrations VALUES ('9999')")
    with pytest.raises(UserError, match="later release: it has had 9999"):
        await steps(served)
