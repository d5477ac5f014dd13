"""A city whose processes write down where they answer Prometheus, and in which something of everything happens."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from deploy.city.endpoints import PROCESSES
from deploy.embedded.stack import Addresses
from shared import roles
from shared.events import ComplaintClosed, ComplaintDispatched, OrderAnswered, OrderSigned, VisitScheduled
from shared.inputs import CallAnswered, CallEnded, CallOffered
from shared.topics import INTAKE_REQUESTS, TELEPHONY_CALLS
from tests.city import City, open_city, until
from tests.sources import Databases
from tests.web.door import Door, open_door
from tests.web.test_http import recorded

PROCESSES = (*PROCESSES, "projector", "web")


class WatchedCity(NamedTuple):
    """A running city, its HTTP door, and the folder of its targets."""

    town: City
    door: Door
    targets: Path

    def where(self) -> dict[str, str]:
        """The address of each process's metrics, by its job."""
        told = [json.loads(file.read_text())[0] for file in sorted(self.targets.glob("*.json"))]
        return {one["labels"]["job"]: f"http://{one['targets'][0]}/metrics" for one in told}

    async def page(self, job: str, accept: str = "text/plain") -> str:
        """The metrics of a process as it shows them."""
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            return (await client.get(self.where()[job], headers={"Accept": accept})).text


@pytest.fixture(scope="session")
async def watched(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[WatchedCity]:
    async with AsyncExitStack() as close:
        town = await close.enter_async_context(
            open_city(stack, databases, tmp_path_factory.mktemp("watched"))
        )
        targets = town.folder / "targets"
        names = PROCESSES
        await town.start(extra={f"{name.upper()}_METRICS_TARGETS": str(targets) for name in names})
        folder = tmp_path_factory.mktemp("watched-door")
        door = await close.enter_async_context(open_door(town, folder, targets=str(targets)))
        made = WatchedCity(town, door, targets)
        await lives(made)
        yield made


async def lives(city: WatchedCity, number: int = 1) -> None:
    """A life to its end, one that is open, a call, a message set aside; requests of all kinds over HTTP."""
    town, door = city.town, city.door
    complaint = await town.record(f"watched-{number}")
    await town.until_fact(complaint, ComplaintDispatched)
    await town.sign(complaint)
    await town.until_fact(complaint, OrderSigned)
    await town.answer(complaint)
    await town.until_fact(complaint, OrderAnswered)
    await town.until_fact(complaint, VisitScheduled)
    await town.visit(complaint)
    await town.until_fact(complaint, ComplaintClosed)
    await recorded(await door.of(roles.AGENTS))
    call = f"call-{number}"
    for said in (
        CallOffered(call_id=call),
        CallAnswered(call_id=call, agent="7"),
        CallEnded(call_id=call, cause="hangup"),
    ):
        await town.tell(TELEPHONY_CALLS, call, said)
    before = len(await town.parked())
    await town.send(town.topic(INTAKE_REQUESTS), "k", b"{}", [("ce_id", b"x")])
    await until(lambda: _more(town, before), what="a message set aside")
    stranger = door.client("", "public")
    for path in ("/open311/v2/services.json", "/webhooks/nobody", "/events"):
        await stranger.get(path)
        await stranger.post(path, content=b"{}")
    await door.client("", "staff").get("/sign-in")


async def _more(town: City, before: int) -> bool:
    return len(await town.parked()) > before


def program(name: str) -> str:
    """Where this program is; the test is skipped where it is not."""
    found = shutil.which(name) or shutil.which(f"prometheus-{name}")
    if found is None:
        pytest.skip(f"Prometheus is not on this machine: {name}")
    return found


def sampled(page: str) -> dict[str, Any]:
    """The samples of a page by their name and labels as they stand there."""
    lines = [line for line in page.splitlines() if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}
