"""The processes of the part `http`: the door, the empty handler, and clients that ask them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
import psutil

from deploy.city import served
from deploy.city.endpoints import CityEndpoints
from deploy.city.kafka_rights import Login
from deploy.supervision.supervisor import Service, Supervisor
from hotline.lab.bench.http_load import ClientDemand, ClientsSeen
from hotline.lab.bench.meter import Meter, Spent, spent
from hotline.lab.bench.result import Wait, wait_of
from hotline.lab.bench.stage import BenchCity
from hotline.web import keys
from hotline.web.roles import SCOPES_OF
from shared import roles
from shared.log.acts import acting
from shared.runtime.errors import UserError

RATE: Final = 1_000_000
"""Events a second that the key may send: the limit is counted, and never reached."""
SILENCE_SECONDS_MAX: Final = 120.0
ACCEPTED, ANSWERED = "202", "200"


class HttpLoad(msgspec.Struct, frozen=True, kw_only=True):
    """One load, once."""

    what: str
    answers: dict[str, int]
    """While it was measured, by status."""
    all_answers: dict[str, int]
    events: int
    """Of a request."""
    seconds: float
    wait: Wait
    spent: Spent
    memory_mb: float
    """Resident memory of the process that answers, at the end."""
    gc_threshold: tuple[int, int, int]

    @property
    def per_second(self) -> float:
        """Events that were accepted, or requests that were answered, a second."""
        good = self.answers.get(ACCEPTED, 0) + self.answers.get(ANSWERED, 0)
        return good * self.events / self.seconds


class HttpProcess:
    """A process that answers, and how it is loaded."""

    def __init__(self, here: BenchCity, endpoints: CityEndpoints, key: str, pid: int, port: int) -> None:
        """It answers at this port of loopback; `key`: the one its clients carry."""
        self._here = here
        self._endpoints = endpoints
        self._key = key
        self._pid = pid
        self._port = port
        self._runs = 0

    @property
    def memory_mb(self) -> float:
        """Its resident memory."""
        return float(psutil.Process(self._pid).memory_info().rss) / 2**20

    async def loaded(self, what: str, demand: dict[str, Any], beside: HttpClients | None = None) -> HttpLoad:
        """Have clients of their own process ask; what they saw, and what that took."""
        self._runs += 1
        clients = await self.clients(demand)
        database = await asyncpg.connect(self._endpoints.owner_dsn)
        try:
            more = {} if beside is None else {"slow clients": beside.process.pid}
            named = {"web": self._pid, "clients": clients.process.pid, **more, **self._here.servers}
            meter = Meter(named, database)
            await clients.says("measuring")
            first = await meter.read()
            await clients.says("offered")
            used = spent(first, await meter.read())
            await clients.go_on()
            seen = msgspec.json.decode(await clients.line(), type=ClientsSeen)
        finally:
            await clients.end()
            await database.close()
        return HttpLoad(
            what=what,
            answers=seen.answers,
            all_answers=seen.all_answers,
            events=demand.get("events", 1),
            seconds=seen.seconds,
            wait=wait_of(seen.waits),
            spent=used,
            memory_mb=self.memory_mb,
            gc_threshold=seen.gc_threshold,
        )

    async def clients(self, demand: dict[str, Any]) -> HttpClients:
        """Clients of this demand, started."""
        letter = chr(ord("a") + self._runs % 26)
        asked = ClientDemand(
            host="127.0.0.1",
            port=self._port,
            key=self._key,
            targets=self._here.targets[2:],
            name=f"{demand['kind'][0]}{letter}{self._runs}",
            **demand,
        )
        return await HttpClients.of(asked)


class HttpClients:
    """A process of clients."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """It has been told what is wanted."""
        self.process = process

    @classmethod
    async def of(cls, demand: ClientDemand) -> HttpClients:
        """Start it, and say what is wanted."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "hotline.lab.bench.http_load",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=64 * 1024 * 1024,
        )
        started = cls(process)
        await started._tell(msgspec.json.encode(demand))
        return started

    async def go_on(self) -> None:
        """Let it say what it has seen."""
        await self._tell(b"go on")

    async def _tell(self, line: bytes) -> None:
        assert self.process.stdin is not None  # noqa: S101 -- it was asked for
        self.process.stdin.write(line + b"\n")
        await self.process.stdin.drain()

    async def line(self) -> bytes:
        """The next line it says; `UserError` where it says none."""
        assert self.process.stdout is not None  # noqa: S101 -- it was asked for
        try:
            async with asyncio.timeout(SILENCE_SECONDS_MAX):
                line = await self.process.stdout.readline()
        except TimeoutError:
            raise UserError("the clients of HTTP have gone silent.") from None
        if not line:
            raise UserError("the clients of HTTP ended; what they said stands above.")
        return line

    async def says(self, word: str) -> None:
        """Wait for this word."""
        if (await self.line()).decode().strip() != word:
            raise UserError(f"the clients of HTTP did not say '{word}'.")

    async def end(self) -> None:
        """End it, if it has not ended."""
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def door_of(
    here: BenchCity, endpoints: CityEndpoints, say: Callable[[str], None], desks: Sequence[Service]
) -> AsyncIterator[HttpProcess]:
    """The door of a city, beside these processes, and a key of the agents."""
    logs = here.stack.folder / "logs" / endpoints.name
    web = served.web(endpoints, logs, STAFF_PORT="-1", CATALOGUE=str(here.catalogue))
    supervisor = Supervisor([*desks, web], stack=None, say=say)
    await supervisor.start()
    watching = asyncio.ensure_future(supervisor.watch())
    try:
        port = await _port(web.log)
        key = await _key(endpoints)
        yield HttpProcess(here, endpoints, key, supervisor.pids()[web.name], port)
        if restarts := {name: times for name, times in supervisor.restarts.items() if times}:
            raise UserError(f"services died and were started again: {restarts}; their logs: {logs}.")
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await supervisor.stop()


async def _port(log: Path) -> int:
    """The port of the public listener, once the door has said it."""
    async with asyncio.timeout(SILENCE_SECONDS_MAX):
        while True:
            lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []  # noqa: ASYNC240 -- a small file
            for line in lines:
                if '"doors_open"' in line:
                    return int(json.loads(line)["public"].rpartition(":")[2])
            await asyncio.sleep(0.05)


async def _key(endpoints: CityEndpoints) -> str:
    login = Login(roles.AGENTS, "")
    async with acting(endpoints.login("operator")) as operator:
        made = await keys.add(
            operator, login, SCOPES_OF[roles.AGENTS], [keys.usual_source(login)], RATE, "the benchmark"
        )
    return made.typed


@asynccontextmanager
async def floor_of(here: BenchCity, endpoints: CityEndpoints) -> AsyncIterator[HttpProcess]:
    """The same server with an empty handler."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hotline.lab.bench.http_floor", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None  # noqa: S101 -- it was asked for
        port = int(await process.stdout.readline())
        yield HttpProcess(here, endpoints, "no key", process.pid, port)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
