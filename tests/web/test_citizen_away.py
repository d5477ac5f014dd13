"""The citizen's page while Kafka or PostgreSQL is away: nothing that was typed is lost, and nothing is said twice."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import httpx2
import pytest

from hotline.web.citizen_links import MINE
from hotline.web.limits import KAFKA_SECONDS_MAX
from shared.events import RequestSupplemented
from tests.city import until
from tests.web.door import Door, facts_of
from tests.web.test_away import WiredDoor, wired
from tests.web.test_citizen import by_web, client_of, enter, opened, parts, said

pytestmark = pytest.mark.connected

__all__ = ["wired"]
TEXT: Final = "二楼也没有水"


def act_in(page: httpx2.Response) -> str:
    found = re.search(r'name="act" value="([^"]+)"', page.text)
    assert found
    return found[1]


async def test_while_kafka_is_away_the_draft_stays_and_sent_again_it_has_one_effect(
    door: Door, agents: httpx2.AsyncClient, wired: WiredDoor
) -> None:
    made = await by_web(agents)
    number = made["complaint_number"]
    citizen = await opened(wired.door, made["citizen_link"])
    async with asyncio.timeout(KAFKA_SECONDS_MAX + 20):
        away = await said(citizen, number, "supplement", text=TEXT)
    assert away.status_code == 503
    assert f">{TEXT}</textarea>" in away.text
    assert 'http-equiv="refresh"' not in away.text
    wired.kafka.mend()
    form = {"act": act_in(away), "text": TEXT}

    async def done() -> bool:
        answer = await citizen.post(f"{MINE}/{number}/supplement", data=form)
        return answer.status_code == 303

    await until(done, within=60, what="the supplement taken", every=0.5)
    await done()
    await until(lambda: facts_of(door, made, RequestSupplemented), what="the supplement on record")
    assert len(await facts_of(door, made, RequestSupplemented)) == 1


async def test_while_postgres_is_away_the_page_says_so_and_opens_afterwards(
    agents: httpx2.AsyncClient, wired: WiredDoor
) -> None:
    made = await by_web(agents)
    client = client_of(wired.door)
    wired.postgres.cut()
    assert (await client.get(MINE)).status_code == 200
    assert (await enter(client, *parts(made["citizen_link"]))).status_code == 503
    wired.postgres.mend()

    async def opens() -> bool:
        return (await enter(client, *parts(made["citizen_link"]))).status_code == 303

    await until(opens, within=60, what="the page open", every=0.5)
