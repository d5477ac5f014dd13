"""A process may start before anything it needs is there: it is live, says what it waits for, and works once it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from deploy.city import making, served
from deploy.city.endpoints import PROCESSES
from deploy.supervision.supervisor import Service, Supervisor
from hotline.lab.chaos.wire import Wire, Wires
from shared.runtime import kafka_address, postgres_address
from tests.city import City, until

pytestmark = pytest.mark.connected


class Process:
    """One process of a city, behind wires of its own."""

    def __init__(self, service: Service, kafka: Wire, postgres: Wire) -> None:
        self.service = service
        self.kafka = kafka
        self.postgres = postgres

    async def asked(self, path: str) -> tuple[int, dict[str, Any]]:
        """The status and what was told."""

        async def port() -> int:
            lines = self.service.log.read_text().splitlines() if self.service.log.exists() else []
            told = [line for line in lines if '"metrics_served"' in line]
            return int(json.loads(told[-1])["port"]) if told else 0

        address = f"http://127.0.0.1:{await until(port, within=60, what='a port')}{path}"

        def get() -> tuple[int, bytes]:
            try:
                with urlopen(address, timeout=30) as answer:
                    return answer.status, answer.read()
            except HTTPError as refused:
                return refused.code, refused.read()

        status, body = await asyncio.to_thread(get)
        return status, json.loads(body)

    async def waits_for(self, *what: str) -> None:
        """It is live, not ready, and some part of it says that it waits for one of these."""

        async def says() -> bool:
            status, told = await self.asked("/ready")
            waited = {part["waits_for"] for part in told["parts"].values()}
            return status == 503 and bool(waited & set(what))

        await until(says, within=60, what=f"{self.service.name} waits for {what}")
        assert (await self.asked("/live"))[0] == 200

    async def is_ready(self) -> None:
        async def says() -> bool:
            return (await self.asked("/ready"))[0] == 200

        try:
            await until(says, within=60, what=f"{self.service.name} is ready")
        except AssertionError as error:
            raise AssertionError(f"{error}: {await self.asked('/ready')}") from None


@asynccontextmanager
async def started(
    town: City, tmp_path: Path, name: str, *, kafka: str = "", **told: str
) -> AsyncIterator[Process]:
    """A process that is started while neither Kafka nor PostgreSQL can be reached; `kafka`: with another login."""
    upper = name.upper()
    (plain,) = [
        service
        for service in served.services(
            town.endpoints, tmp_path, extra={f"{upper}_METADATA_MAX_AGE_MS": "500"}
        )
        if service.name == name
    ]
    with Wires() as wires:
        dsn = plain.env[f"{upper}_POSTGRES"]
        process = Process(
            plain,
            wires.lay("kafka", int(kafka_address.without_login(town.endpoints.kafka).rpartition(":")[2])),
            wires.lay("postgres", urlsplit(dsn).port or 0),
        )
        process.kafka.cut()
        process.postgres.cut()
        env = {
            **plain.env,
            f"{upper}_KAFKA": kafka_address.moved(
                kafka or plain.env[f"{upper}_KAFKA"], process.kafka.address
            ),
            f"{upper}_POSTGRES": postgres_address.moved(dsn, process.postgres.address),
            **{f"{upper}_{key}": value for key, value in told.items()},
        }
        service = Service(name=name, command=plain.command, env=env, log=plain.log)
        said: list[str] = []
        supervisor = Supervisor([service], stack=None, say=said.append)
        await supervisor.start()
        watching = asyncio.create_task(supervisor.watch())
        try:
            yield process
        finally:
            await supervisor.stop()
            await watching
        assert said == []  # it did not die of it


@pytest.mark.parametrize("name", PROCESSES)
async def test_it_waits_for_postgresql_and_kafka_and_works_once_they_are_there(
    city: Callable[..., Awaitable[City]], tmp_path: Path, name: str
) -> None:
    town = await city()
    async with started(town, tmp_path, name) as process:
        await process.waits_for("Kafka", "PostgreSQL")
        process.postgres.mend()
        if name not in {"escalation", "relay"}:  # the one hears only the clock, the other has nothing to send
            await process.waits_for("Kafka")
        process.kafka.mend()
        await process.is_ready()
        process.postgres.cut()
        if name in {"escalation", "relay"}:  # a desk with nothing to do asks PostgreSQL nothing
            await process.waits_for("PostgreSQL")
        process.postgres.mend()
        await process.is_ready()


async def test_topics_that_are_made_later_are_heard_once_they_are_there(
    city: Callable[..., Awaitable[City]], tmp_path: Path
) -> None:
    town = await city()
    # Another prefix than the city's, on which its login may do nothing.
    async with started(
        town, tmp_path, "intake", kafka=town.endpoints.kafka, TOPIC_PREFIX="later."
    ) as process:
        process.postgres.mend()
        process.kafka.mend()
        await asyncio.sleep(2)
        from shared.topics import INTAKE_REQUESTS, TELEPHONY_CALLS

        lines = (INTAKE_REQUESTS, TELEPHONY_CALLS)
        await making.make_topics(town.endpoints.kafka, {f"later.{line.name}": line for line in lines})
        await process.is_ready()

        async def assigned() -> bool:
            rows = await town.sql("SELECT DISTINCT topic FROM es.consumer_offset WHERE consumer = 'intake'")
            return {row[0] for row in rows} >= {f"later.{line.name}" for line in lines}

        await until(assigned, within=60, what="the new topics' partitions")
