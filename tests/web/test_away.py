"""Kafka or PostgreSQL is away, or the process is killed: whatever was acknowledged has one effect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import pytest

from deploy.embedded.child import free_ports
from deploy.supervision.supervisor import Service
from hotline.lab.chaos.wire import Wire, Wires
from hotline.web.limits import KAFKA_SECONDS_MAX, OUTCOME_SECONDS_MAX
from shared import roles
from shared.events import ComplaintReceived
from shared.ids import complaint_id
from shared.runtime import kafka_address, postgres_address
from tests.city import City, until
from tests.web.door import Door, open_door
from tests.web.test_http import new_id, request_body

pytestmark = pytest.mark.connected

KILLS: Final = 6


class WiredDoor:
    """An HTTP door behind wires of its own."""

    def __init__(self, door: Door, kafka: Wire, postgres: Wire) -> None:
        self.door = door
        self.kafka = kafka
        self.postgres = postgres


@pytest.fixture
async def wired(town: City, tmp_path: Path) -> AsyncIterator[WiredDoor]:
    with Wires() as wires:
        kafka = wires.lay("kafka", int(kafka_address.without_login(town.endpoints.kafka).rpartition(":")[2]))
        postgres = wires.lay("postgres", urlsplit(town.endpoints.owner_dsn).port or 0)
        # Later a client calls the address that the broker names: so Kafka is cut at the start.
        kafka.cut()
        public, staff = free_ports(2)

        def behind(service: Service) -> Service:
            speakers = json.loads(service.env["WEB_SPEAKERS"])
            moved = {role: kafka_address.moved(at, kafka.address) for role, at in speakers.items()}
            more = {
                "WEB_SPEAKERS": json.dumps(moved),
                "WEB_POSTGRES": postgres_address.moved(service.env["WEB_POSTGRES"], postgres.address),
                "WEB_PUBLIC_PORT": str(public),
                "WEB_STAFF_PORT": str(staff),
            }
            return replace(service, env={**service.env, **more})

        async with open_door(town, tmp_path, wired=behind, projector=False) as door:
            yield WiredDoor(door, kafka, postgres)


async def test_while_kafka_is_away_the_answer_is_503_and_the_same_again_has_one_effect(
    town: City, wired: WiredDoor
) -> None:
    agents = await wired.door.of(roles.AGENTS)
    body, headers = request_body(new_id()), {"Idempotency-Key": new_id("k")}

    async def act() -> httpx2.Response:
        return await agents.post("/acts/request/record", json=body, headers=headers)

    async with asyncio.timeout(KAFKA_SECONDS_MAX + 20):
        away = await act()
    assert away.status_code == 503
    assert away.json()["type"] == "urn:hotline:problem:away"
    assert int(away.headers["retry-after"]) >= 1
    wired.kafka.mend()

    async def done() -> dict[str, Any] | None:
        answer = await act()
        return answer.json() if answer.status_code == 200 else None

    told = await until(done, within=60, what="the act done", every=0.5)
    assert told["complaint_id"] == complaint_id(body["request_id"])
    assert (await town.story(told["complaint_id"])).count("ComplaintReceived") == 1


async def test_the_process_is_ready_again_once_kafka_answers_though_nobody_sends_anything(
    wired: WiredDoor,
) -> None:
    """An orchestrator sends nobody to a process that is not ready: an event may not be what makes it ready."""
    served = json.loads(
        next(one for one in wired.door.log.read_text().splitlines() if '"metrics_served"' in one)
    )
    address = f"http://127.0.0.1:{served['port']}/ready"

    async def kafka(*, away: bool) -> bool:
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            told = (await client.get(address)).json()
        return (told["parts"]["kafka"]["waits_for"] == "Kafka") if away else bool(told["ready"])

    await until(lambda: kafka(away=True), within=30, what="not ready for want of Kafka", every=0.5)
    wired.kafka.mend()
    await until(lambda: kafka(away=False), within=60, what="ready again", every=0.5)


async def test_while_postgres_is_away_an_act_is_taken_and_its_outcome_is_told_later(
    town: City, wired: WiredDoor
) -> None:
    wired.kafka.mend()
    typed = await wired.door.key(roles.AGENTS)
    agents = wired.door.client(typed, "public")

    async def record(request_id: str) -> httpx2.Response:
        return await agents.post("/acts/request/record", json=request_body(request_id))

    async def works() -> bool:
        return (await record(new_id())).status_code == 200

    await until(works, within=60, what="an act", every=0.5)
    stranger = wired.door.client(await wired.door.key(roles.AGENTS), "public")
    wired.postgres.cut()
    request_id = new_id()
    answer = await record(request_id)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["outcome"]
    assert answer.elapsed.total_seconds() < OUTCOME_SECONDS_MAX * 4
    assert (await agents.get(answer.json()["outcome"])).status_code == 503
    unknown = await stranger.get("/complaints/x")
    assert (unknown.status_code, unknown.json()["detail"]) == (503, "Keys cannot be looked up just now.")
    await town.until_fact(complaint_id(request_id), ComplaintReceived)
    wired.postgres.mend()

    async def told() -> dict[str, Any] | None:
        later = await agents.get(answer.json()["outcome"])
        return later.json() if later.status_code == 200 else None

    outcome = await until(told, within=60, what="the outcome", every=0.5)
    assert outcome["facts"][0]["type"] == "hotline.ComplaintReceived.v1"
    assert outcome["complaint_id"] == complaint_id(request_id)


async def test_killed_at_any_instant_it_loses_no_acknowledged_request_and_doubles_none(
    town: City, wired: WiredDoor
) -> None:
    wired.kafka.mend()
    agents = await wired.door.of(roles.AGENTS, rate=10_000)
    acknowledged: list[str] = []
    stop = asyncio.Event()

    async def sender(number: int) -> None:
        count = 0
        while not stop.is_set():
            count += 1
            request_id = new_id(f"kill-{number}")
            headers = {"Idempotency-Key": f"{request_id}-{count}"}
            while not stop.is_set():
                try:
                    answer = await agents.post(
                        "/acts/request/record", json=request_body(request_id), headers=headers
                    )
                except httpx2.TransportError:
                    await asyncio.sleep(0.1)
                    continue
                if answer.status_code in {200, 202}:
                    acknowledged.append(request_id)
                    break
                assert answer.status_code == 503, answer.text

    senders = [asyncio.ensure_future(sender(number)) for number in range(4)]
    for _ in range(KILLS):
        least = len(acknowledged) + 5
        await until(lambda least=least: _more(acknowledged, least), within=60, what="requests acknowledged")
        await wired.door.kill()
    stop.set()
    await asyncio.gather(*senders)
    await town.settled()
    stories = [await town.story(complaint_id(request_id)) for request_id in acknowledged]
    assert len(stories) >= 5 * KILLS
    assert {story.count("ComplaintReceived") for story in stories} == {1}
    assert {story.count("ComplaintDispatched") for story in stories} == {1}


async def _more(found: list[str], least: int) -> bool:
    return len(found) >= least
