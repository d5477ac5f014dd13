"""The processes of the part `pages`, the people who sign in to them, and how they ask for a page."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import asyncpg
import httpx2
import msgspec
import psutil
from prometheus_client.parser import text_string_to_metric_families

from deploy.city import served
from deploy.city.endpoints import CityEndpoints
from deploy.city.kafka_rights import Login
from deploy.supervision.supervisor import Supervisor
from hotline.lab.bench.page_addresses import ANYBODY, CITIZEN, PageAddresses, PageOfTable
from hotline.lab.bench.result import Wait, wait_of
from hotline.lab.bench.stage import BenchCity
from hotline.readside.standing import caught_up
from hotline.web import citizen_links
from hotline.web.citizen_links import MINE
from hotline.web.limits import STRANGERS_BURST
from hotline.web.pages import staff
from hotline.web.pages.gate import SIGN_IN
from hotline.web.roles import HttpListener
from shared.ids import ComplaintId
from shared.log.acts import acting
from shared.roles import UNIT
from shared.runtime.errors import UserError

SILENCE_SECONDS_MAX: Final = 120.0
ANSWER_SECONDS_MAX: Final = 60.0
CITIZENS: Final = 10
"""Citizens whose pages are asked for in turn: each page is counted by its complaint."""
STRANGER_ROUNDS_MAX: Final = STRANGERS_BURST // 2
"""Requests of somebody without a session: an address may send no more at once, and the citizens sign in from it."""
WARM: Final = 3
"""Requests before those that are measured."""


class PageTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How one page was answered."""

    page: str
    """Its path in the table of routes."""
    roles: list[str]
    wait: Wait
    """In milliseconds, from the request to the whole answer, over a connection that is open."""
    p95: float
    packed: int
    """Bytes of the largest answer, packed by gzip."""
    plain: int
    """Bytes of the same before."""
    slowest: str
    """The address that took longest."""
    painted: list[float] = []
    """Milliseconds to the first paint in a browser that holds nothing yet; empty where it was not measured."""


class PagesProcess:
    """The pages of a city, and the projector that keeps their lists up."""

    def __init__(self, endpoints: CityEndpoints, web: Supervisor, projector: Supervisor, logs: Path) -> None:
        """Both have been started."""
        self.endpoints: Final = endpoints
        self._web = web
        self._projector = projector
        self._logs = logs
        self.addresses: dict[str, str] = {}
        self._metrics_port = 0

    async def opened(self) -> None:
        """Wait until it has said where it answers; `UserError` where it does not."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS_MAX):
                while not (self.addresses and self._metrics_port):
                    await asyncio.sleep(0.05)
                    for line in _lines(self._logs / "web.log"):
                        if '"doors_open"' in line:
                            said = json.loads(line)
                            self.addresses = {name: said[name] for name in HttpListener}
                        elif '"metrics_served"' in line:
                            self._metrics_port = int(json.loads(line)["port"])
        except TimeoutError:
            raise UserError(f"the pages do not open; their log: {self._logs / 'web.log'}.") from None

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids by name."""
        return {**self._web.pids(), **self._projector.pids()}

    @property
    def memory_mb(self) -> float:
        """Resident memory of the pages' process."""
        return float(psutil.Process(self._web.pids()["web"]).memory_info().rss) / 1e6

    async def without_projector(self) -> None:
        """Stop the projector."""
        await self._projector.stop()

    async def with_projector(self) -> None:
        """Start it again, and wait until the lists hold everything; `UserError` where they do not."""
        await self._projector.start()
        reader = await asyncpg.connect(self.endpoints.login("reader"))
        try:
            standing = await caught_up(reader, SILENCE_SECONDS_MAX)
        finally:
            await reader.close()
        if standing.behind:
            raise UserError(f"the lists stay {standing.behind} behind the log.")

    async def figures(self) -> Mapping[str, float]:
        """The metrics of the pages' process now, by name; those with labels are added up."""
        text = await asyncio.to_thread(_read, f"http://127.0.0.1:{self._metrics_port}/metrics")
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for one in family.samples:
                found[one.name] = found.get(one.name, 0.0) + one.value
        return found

    def client(self, listener: HttpListener) -> httpx2.AsyncClient:
        """Somebody with a browser, who has not signed in."""
        origin = f"http://{self.addresses[listener]}"
        return httpx2.AsyncClient(
            base_url=origin, headers={"Origin": origin}, timeout=ANSWER_SECONDS_MAX, trust_env=False
        )

    async def signed_in(self, role: str, unit: str = "") -> httpx2.AsyncClient:
        """A new person of this role, signed in by a link."""
        async with acting(self.endpoints.login("operator")) as operator:
            _, secret = await staff.add(operator, f"bench {role}", Login(role, unit))
        client = self.client(HttpListener.STAFF)
        answer = await client.post(SIGN_IN, data={"code": secret})
        if not client.cookies:
            raise UserError(f"a person of {role} could not sign in: {answer.status_code}.")
        return client

    async def citizen(self, complaint: ComplaintId, number: str) -> httpx2.AsyncClient:
        """A citizen who has opened the page of this complaint by a new link."""
        async with acting(self.endpoints.login("agent")) as agent:
            code = await citizen_links.made(agent, complaint, "bench")
        client = self.client(HttpListener.PUBLIC)
        answer = await client.post(MINE, data={"number": number, "code": code})
        if not client.cookies:
            raise UserError(f"a citizen could not open the page of {number}: {answer.status_code}.")
        return client


@asynccontextmanager
async def pages_of(
    here: BenchCity, endpoints: CityEndpoints, say: Callable[[str], None]
) -> AsyncIterator[PagesProcess]:
    """The pages of this city and its projector, each started by itself; stopped afterwards."""
    logs = here.stack.folder / "logs" / endpoints.name
    targets = str(logs / "targets")
    door = served.web(
        endpoints,
        logs,
        CATALOGUE=str(here.catalogue),
        METRICS_TARGETS=targets,
        OBSERVED_TARGETS=targets,
    )
    projector = Supervisor([served.projector(endpoints, logs, METRICS_TARGETS=targets)], stack=None, say=say)
    web = Supervisor([door], stack=None, say=say)
    made = PagesProcess(endpoints, web, projector, logs)
    await projector.start()
    await web.start()
    watching = asyncio.ensure_future(web.watch())
    try:
        await made.opened()
        yield made
        if restarts := {name: times for name, times in web.restarts.items() if times}:
            raise UserError(f"services died and were started again: {restarts}; their logs: {logs}.")
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await asyncio.gather(web.stop(), projector.stop())


class Askers:
    """The people who ask: one for each role, some citizens, and somebody without a session."""

    def __init__(self, pages: PagesProcess) -> None:
        """Nobody has signed in."""
        self._pages = pages
        self.people: dict[str, list[tuple[httpx2.AsyncClient, str]]] = {}
        """By role each with the number of the complaint that the session opens; empty where it opens all."""

    async def sign_in(
        self, roles: Sequence[str], unit: str, complaints: Sequence[tuple[ComplaintId, str]]
    ) -> None:
        """Sign in somebody of each role, and let the citizens of these complaints open their pages."""
        for role in roles:
            self.people[role] = [(await self._pages.signed_in(role, unit if role == UNIT else ""), "")]
        self.people[ANYBODY] = [(self._pages.client(HttpListener.STAFF), "")]
        self.people[CITIZEN] = [
            (await self._pages.citizen(complaint, number), number) for complaint, number in complaints
        ]

    async def close(self) -> None:
        """Close the connections; the sessions end with the city."""
        for client, _ in (one for lot in self.people.values() for one in lot):
            await client.aclose()

    async def asked(self, page: PageOfTable, rounds: int, make: PageAddresses, wrong: list[str]) -> PageTimes:
        """Ask for a page so often, as people of its roles in turn; what was not answered stands in `wrong`."""
        people = [one for role in page.roles for one in self.people[role]]
        counted = page.path == MINE
        rounds = min(rounds, STRANGER_ROUNDS_MAX) if counted else rounds
        waits: list[float] = []
        largest, slowest = b"", ""
        for turn in range(-WARM if not counted else 0, rounds):
            client, number = people[turn % len(people)]
            address = make.of(page.path, number)
            began_at = time.perf_counter()
            answer = await client.get(address)
            took = (time.perf_counter() - began_at) * 1000
            if answer.status_code != httpx2.codes.OK:
                wrong.append(f"{address}: answered {answer.status_code}")
            if turn < 0:
                continue
            slowest = address if took > max(waits, default=0.0) else slowest
            waits.append(took)
            largest = max(largest, answer.content, key=len)
        return PageTimes(
            page=page.path,
            roles=list(page.roles),
            wait=wait_of(waits),
            p95=sorted(waits)[max(0, -(-len(waits) * 95 // 100) - 1)],
            packed=len(gzip.compress(largest)),
            plain=len(largest),
            slowest=slowest,
        )


def _lines(log: Path) -> Sequence[str]:
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def _read(address: str) -> str:
    with urlopen(address, timeout=ANSWER_SECONDS_MAX) as answer:  # noqa: S310 -- our own process
        text: str = answer.read().decode()
    return text
