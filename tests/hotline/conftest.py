"""Lives in a real log: the four desks at work on a database, without Kafka between them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from deploy.city.endpoints import CityEndpoints
from deploy.city.making import make_logins
from deploy.city.registry import City
from deploy.embedded.stack import Addresses, Stack
from hotline.cli.show import show
from hotline.cli.verify import verify
from hotline.lab.bench.stage import BenchCity, stage
from services.dispatch import rules as dispatch
from services.escalation.rules import FireDeadlines
from services.feedback import rules as feedback
from shared.desk import Desk
from shared.events import DeskName, Fact
from shared.ids import ComplaintId
from shared.log.codec import decoded
from shared.log.postgres import PostgresLog
from shared.runtime.telemetry import Telemetry
from shared.work import Batch, Work
from tests.lives import decided, desk_of
from tests.sources import Databases

BENCH_UNITS: Final = 34


class Desks:
    """The four desks, told commands by hand; two of them hear the log, through its table."""

    def __init__(self, dsn: str, connection: asyncpg.Connection[Any], logins: Mapping[str, str]) -> None:
        """`connection` is the owner's, for whatever a test wants to break."""
        self.dsn = dsn
        self.operator, self.governor = logins["operator"], logins["governor"]
        self.owner = connection
        self._desks = {
            name: Desk(name, decided, PostgresLog(dsn, name, f"test.{name}"), Telemetry(name))
            for name in DeskName
        }
        self._told = 0
        self._heard = 0

    async def tell(self, *commands: Any) -> None:
        """Each desk obeys the commands meant for it, in one batch; then both readers hear what was said."""
        await self.tell_unheard(*commands)
        await self.hear()

    async def tell_unheard(self, *commands: Any) -> None:
        """The same, and nobody hears it yet."""
        for name in DeskName:
            mine = [command for command in commands if desk_of(command) is name]
            await self._obey(name, ((command, self._cause()) for command in mine))

    async def forge(self, name: DeskName, fact: Fact) -> None:
        """This desk states this fact, whatever the rules say; chain, head and timers are in order."""
        log = PostgresLog(self.dsn, name, f"test.{name}")
        try:
            forger = Desk(name, lambda told, _: [told], log, Telemetry(name))
            await forger.obey(Batch(work=[Work(fact, fact.complaint_id, self._cause())]))
        finally:
            await log.close()

    async def hear(self) -> None:
        """Dispatch and feedback react to the log until nothing new is said."""
        while True:
            rows = await self.owner.fetch(
                "SELECT position, event_id, type, schema_version, body FROM es.event"
                " WHERE position > $1 ORDER BY position",
                self._heard,
            )
            if not rows:
                return
            self._heard = rows[-1][0]
            facts = [(str(row[1]), decoded(*row[2:])) for row in rows]
            for name, react in ((DeskName.DISPATCH, dispatch.react), (DeskName.FEEDBACK, feedback.react)):
                reactions = [
                    (command, fact_id)
                    for fact_id, fact in facts
                    if (command := react(fact, getattr(fact, fact.TIME))) is not None
                ]
                await self._obey(name, reactions)

    async def tick(self, until: datetime) -> None:
        """Escalation fires what is due before `until`."""
        rows = await self.owner.fetch(
            "SELECT DISTINCT stream_id::text FROM es.timer WHERE due_at < $1", until
        )
        fired = [(FireDeadlines(complaint_id=row[0], until=until), f"clock/{until}") for row in rows]
        await self._obey(DeskName.ESCALATION, fired)
        await self.hear()

    async def close(self) -> None:
        """Give the connections back."""
        for desk in self._desks.values():
            assert isinstance(desk.log, PostgresLog)
            await desk.log.close()

    def _cause(self) -> str:
        self._told += 1
        return f"message-{self._told}"

    async def _obey(self, name: DeskName, told: Iterable[tuple[Any, str]]) -> None:
        work: Sequence[Work] = [
            Work(command, ComplaintId(command.complaint_id), cause) for command, cause in told
        ]
        if work:
            await self._desks[name].obey(Batch(work=list(work)))


async def logins_on(dsn: str) -> dict[str, str]:
    """Make a login of each kind for this database; `dsn` is the owner's."""
    owner = await asyncpg.connect(dsn)
    try:
        return await make_logins(owner, dsn)
    finally:
        await owner.close()


@asynccontextmanager
async def desks_on(dsn: str, logins: Mapping[str, str]) -> AsyncIterator[Desks]:
    """The four desks on an empty log."""
    connection = await asyncpg.connect(dsn)
    made = Desks(dsn, connection, logins)
    try:
        yield made
    finally:
        await made.close()
        await connection.close()


@pytest.fixture(scope="session")
async def bench_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BenchCity]:
    """What the parts of the benchmark stand on, one for all of them, with few units; down without a rest afterwards."""
    folder = tmp_path_factory.mktemp("bench")
    level = logging.getLogger("aiokafka").level  # it silences its clients, and is a guest here
    async with stage(folder, say=print, units=BENCH_UNITS, zipkin=False) as here:
        yield here
    logging.getLogger("aiokafka").setLevel(level)
    assert not any(health.up for health in (await Stack(folder).check()).values())


@pytest.fixture
async def logins(database: str) -> dict[str, str]:
    """The logins of the test's database; made once, for each making gives new passwords."""
    return await logins_on(database)


@pytest.fixture
async def desks(database: str, logins: Mapping[str, str]) -> AsyncIterator[Desks]:
    async with desks_on(database, logins) as made:
        yield made


@pytest.fixture
async def other_desks(stack: Addresses, databases: Databases) -> AsyncIterator[Desks]:
    """The same on a log of its own, to compare with."""
    name = await databases.make()
    try:
        dsn = stack.database(name)
        async with desks_on(dsn, await logins_on(dsn)) as made:
            yield made
    finally:
        await databases.drop(name)


@pytest.fixture
def city_here(
    stack: Addresses, database: str, logins: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`hotline` finds the test's database where it looks for the city that is up."""
    name = urlsplit(database).path[1:]
    endpoints = CityEndpoints(name=name, kafka=stack.kafka, owner_dsn=database, logins=logins)
    monkeypatch.setattr("deploy.city.registry.city_up", lambda: City(endpoints=endpoints))
    monkeypatch.setattr("deploy.city.registry.find_city", lambda: endpoints)


async def typed(*words: str, columns: int = 200) -> Result:
    """What comes of typing this; in a thread, as a command has a loop of its own."""
    app = Typer()
    app.command()(show)
    app.command()(verify)
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, words, env={"COLUMNS": str(columns)}))
