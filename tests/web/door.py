"""An HTTP door for a test: the real process, beside the services of a city."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx2

from deploy.city import served
from deploy.city.kafka_rights import Login
from deploy.supervision.supervisor import Service
from hotline.web import keys
from hotline.web.limits import KEEP_ALIVE_SECONDS, RATE_PER_SECOND
from hotline.web.roles import LISTENER_OF, SCOPES_OF
from shared.contacts.details import MasterKey, public_written
from shared.log.acts import acting
from tests.city import City, until
from tests.forked import ForkingSupervisor
from tests.shell import PATIENCE

MASTER_BYTES: Final = b"m" * 32
CALLERS: Final = b"c" * 32
"""The key of callers of every door of a test."""
KEPT_SECONDS: Final = KEEP_ALIVE_SECONDS / 2
"""How long a client keeps an idle connection: one that is kept as long as by the door may be closed as it is used."""
MASTER: Final = MasterKey(MASTER_BYTES)
"""Opens the contacts of every door of a test: one process is both listeners, as on a laptop."""


class Door:
    """The process, and a client for each key."""

    def __init__(self, town: City, folder: Path, supervisor: ForkingSupervisor) -> None:
        self.town = town
        self.log = folder / "web.log"
        self.supervisor = supervisor
        self.addresses: dict[str, str] = {}
        self._clients: list[httpx2.AsyncClient] = []

    async def opened(self) -> bool:
        """Whether it has said where it answers."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        said = [json.loads(line) for line in lines if '"doors_open"' in line]
        if said:
            self.addresses = {name: said[-1][name] for name in ("public", "staff")}
        return bool(said)

    async def kill(self) -> None:
        """Kill the process; its supervisor starts it again, on the same ports."""
        before = self.supervisor.pids()["web"]
        os.kill(before, signal.SIGKILL)

        async def answers() -> bool:
            if self.supervisor.pids().get("web") in {None, before}:
                return False
            try:
                async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
                    answer = await client.get(f"http://{self.addresses['public']}/openapi.json")
            except httpx2.TransportError:
                return False
            return answer.status_code == 200

        await until(answers, within=30, what="the HTTP door back")

    async def key(
        self,
        role: str,
        name: str = "",
        *,
        scopes: Sequence[str] = (),
        sources: Sequence[str] = (),
        rate: int = RATE_PER_SECOND,
    ) -> str:
        """A new key, as it is typed."""
        login = Login(role, name)
        async with acting(self.town.endpoints.login("operator")) as operator:
            made = await keys.add(
                operator,
                login,
                scopes or SCOPES_OF[role],
                sources or [keys.usual_source(login)],
                rate,
                "a test",
            )
        return made.typed

    def client(self, typed: str, listener: str) -> httpx2.AsyncClient:
        """A client with this key, at this listener."""
        headers = {"Authorization": f"Bearer {typed}"} if typed else {}
        client = httpx2.AsyncClient(
            base_url=f"http://{self.addresses[listener]}",
            headers=headers,
            limits=httpx2.Limits(
                max_connections=100, max_keepalive_connections=20, keepalive_expiry=KEPT_SECONDS
            ),
            timeout=60,
            trust_env=False,
        )
        self._clients.append(client)
        return client

    async def of(self, role: str, name: str = "", **how: Any) -> httpx2.AsyncClient:
        """A client with a new key of this role, at the listener of the role."""
        return self.client(await self.key(role, name, **how), LISTENER_OF[role])

    async def close(self) -> None:
        """Close the clients, stop the process."""
        for client in self._clients:
            await client.aclose()
        await self.supervisor.stop()


@asynccontextmanager
async def open_door(
    town: City,
    folder: Path,
    *,
    wired: Callable[[Service], Service] = lambda service: service,
    projector: bool = True,
    targets: str = "",
    observed: str = "",
) -> AsyncIterator[Door]:
    """The HTTP door of this city, and the projector; `wired`: the door as it is to be started.

    `targets`: the folder in which both write down where they answer Prometheus. `observed`: the list of targets that
    the operations page reads.
    """
    told = {
        "CATALOGUE": str(town.folder / "catalogue.json"),
        "CONTACTS_PUBLIC_KEY": public_written(MASTER),
        "CALLERS_KEY": b64encode(CALLERS).decode(),
        "METRICS_TARGETS": targets,
        "OBSERVED_TARGETS": observed,
        "CONTACTS_KEY": b64encode(MASTER_BYTES).decode(),
    }
    services = [wired(served.web(town.endpoints, folder, **told))]
    services += [served.projector(town.endpoints, folder, METRICS_TARGETS=targets)] if projector else []
    supervisor = ForkingSupervisor(services, stack=None, say=town.said.append)
    await supervisor.start()
    watching = asyncio.create_task(supervisor.watch())
    door = Door(town, folder, supervisor)
    try:
        await until(door.opened, within=30, what="the HTTP door open")
        yield door
    finally:
        await door.close()
        await asyncio.wait_for(watching, PATIENCE * 20)


async def facts_of(door: Door, made: dict[str, Any], kind: type[Any]) -> list[Any]:
    """The facts of this kind in the life of a complaint."""
    return [one.fact for one in await door.town.facts(made["complaint_id"]) if type(one.fact) is kind]
