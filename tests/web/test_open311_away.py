"""Open311 while Kafka or PostgreSQL is away, or the door is killed: each token becomes one complaint."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

import httpx2
import pytest

from hotline.web.limits import KAFKA_SECONDS_MAX
from hotline.web.open311.serving import ROOT
from hotline.web.roles import HttpListener
from shared import roles
from shared.contacts.details import Contact
from shared.events import ComplaintDispatched, ComplaintReceived
from tests.city import City, until
from tests.web.test_away import WiredDoor, wired
from tests.web.test_contacts import contact_of
from tests.web.test_http import new_id
from tests.web.test_open311 import read_xml
from tests.web.test_open311_city import form

pytestmark = pytest.mark.connected

__all__ = ["wired"]
KILLS: Final = 4
LI: Final = {"last_name": "欧阳", "first_name": "修远", "phone": "13711112222"}
KEPT: Final = Contact(name="欧阳修远", phone="13711112222")


def complaint_of(token: str) -> str:
    """The complaint that a token stands for."""
    return str(UUID(token.partition("-")[0]))


async def sent(client: httpx2.AsyncClient, told: dict[str, Any], once: str) -> httpx2.Response:
    return await client.post(f"{ROOT}/requests.xml", data=told, headers={"Idempotency-Key": once})


async def test_while_kafka_is_away_it_is_503_and_the_same_again_has_one_effect(
    town: City, wired: WiredDoor
) -> None:
    client = wired.door.client("", HttpListener.PUBLIC)
    told, once = form(await wired.door.key(roles.AGENTS), **LI), new_id("k")
    async with asyncio.timeout(KAFKA_SECONDS_MAX + 20):
        away = await sent(client, told, once)
    assert away.status_code == 503
    assert read_xml(away.content).findtext("error/code") == "503"
    assert int(away.headers["retry-after"]) >= 1
    wired.kafka.mend()

    async def done() -> str | None:
        answer = await sent(client, told, once)
        return read_xml(answer.content).findtext("request/token") if answer.status_code == 200 else None

    token = await until(done, within=60, what="the request taken", every=0.5)
    complaint = complaint_of(token)
    await town.until_fact(complaint, ComplaintDispatched)
    assert (await town.story(complaint)).count("ComplaintReceived") == 1
    assert await contact_of(town, complaint) == KEPT


async def test_while_postgres_is_away_a_request_is_taken_and_one_with_a_contact_is_not(
    town: City, wired: WiredDoor
) -> None:
    wired.kafka.mend()
    client = wired.door.client("", HttpListener.PUBLIC)
    key = await wired.door.key(roles.AGENTS)

    async def works() -> bool:
        return (await sent(client, form(key), new_id())).status_code == 200

    await until(works, within=60, what="a request", every=0.5)
    wired.postgres.cut()
    answer = await sent(client, form(key), new_id())
    assert answer.status_code == 200, answer.text
    token = str(read_xml(answer.content).findtext("request/token"))
    once = new_id("contact")
    refused = await sent(client, form(key, **LI), once)
    assert (refused.status_code, read_xml(refused.content).findtext("error/code")) == (503, "503")
    assert (await client.get(f"{ROOT}/tokens/{token}.xml")).status_code == 503
    await town.until_fact(complaint_of(token), ComplaintReceived)
    wired.postgres.mend()

    async def resolved() -> bool:
        later = await client.get(f"{ROOT}/tokens/{token}.xml")
        return (
            later.status_code == 200
            and read_xml(later.content).find("request/service_request_id") is not None
        )

    await until(resolved, within=60, what="the token resolved", every=0.5)
    again = await sent(client, form(key, **LI), once)
    complaint = complaint_of(str(read_xml(again.content).findtext("request/token")))
    await town.until_fact(complaint, ComplaintDispatched)
    assert await contact_of(town, complaint) == KEPT


async def test_killed_at_any_instant_it_loses_no_request_and_no_contact(town: City, wired: WiredDoor) -> None:
    wired.kafka.mend()
    client = wired.door.client("", HttpListener.PUBLIC)
    key = await wired.door.key(roles.AGENTS, rate=10_000)
    tokens: list[str] = []
    stop = asyncio.Event()

    async def sender() -> None:
        while not stop.is_set():
            once = new_id("kill")
            while not stop.is_set():
                try:
                    answer = await sent(client, form(key, **LI), once)
                except httpx2.TransportError:
                    await asyncio.sleep(0.1)
                    continue
                if answer.status_code == 200:
                    tokens.append(str(read_xml(answer.content).findtext("request/token")))
                    break
                assert answer.status_code == 503, answer.text

    senders = [asyncio.ensure_future(sender()) for _ in range(4)]
    for _ in range(KILLS):
        least = len(tokens) + 5
        await until(lambda least=least: _more(tokens, least), within=60, what="tokens")
        await wired.door.kill()
    stop.set()
    await asyncio.gather(*senders)
    await town.settled()
    complaints = [complaint_of(token) for token in tokens]
    stories = [await town.story(complaint) for complaint in complaints]
    assert len(stories) >= 5 * KILLS
    assert {story.count("ComplaintReceived") for story in stories} == {1}
    assert [await contact_of(town, complaint) for complaint in complaints[-20:]] == [KEPT] * 20
    kept = await town.value(
        "SELECT count(*) FROM vault.key WHERE stream_id = ANY ($1::uuid[])", list(map(UUID, complaints))
    )
    assert kept == len(complaints) == len(set(complaints))


async def _more(found: list[str], least: int) -> bool:
    return len(found) >= least
