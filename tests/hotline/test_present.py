"""What time it is in a city: everybody asks its database, and the laboratory answers for its own cities."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from deploy.city.served import AS_EVERYWHERE
from deploy.embedded import child
from deploy.embedded.state import read_roster
from hotline.lab.desks.city import LIVED, prepare, served_in
from shared.cloudevents import input_headers
from shared.ids import complaint_id
from shared.runtime import kafka_address
from shared.topic_names import partition_of
from shared.topics import INTAKE_REQUESTS
from tests.city import request
from tests.examples import DAY, HOUR
from tests.shell import Shell, until
from tests.small_city import DISTRICT, STREET, UNIT, streets_in

pytestmark = pytest.mark.connected

THEN = datetime(2021, 9, 24, tzinfo=UTC)
PRESENT = "SELECT es.present(), es.timers_until()"
CONDUCTED = (
    "INSERT INTO lab.city_clock (now, settled) VALUES ($1, $2)"
    " ON CONFLICT (one) DO UPDATE SET now = excluded.now, settled = excluded.settled"
)


async def test_a_city_of_the_laboratory_is_known_and_its_present_is_its_conductors(database: str) -> None:
    assert await served_in(database) == AS_EVERYWHERE
    await prepare(database)
    assert await served_in(database) == LIVED, "it may be prepared again"
    owner = await asyncpg.connect(database)
    try:
        before = datetime.now(UTC)
        now, until_ = await owner.fetchrow(PRESENT)
        assert before - HOUR < now < before + HOUR, "real, as long as nobody conducts"
        assert before - HOUR < until_ < before + HOUR
        await owner.execute(CONDUCTED, THEN + HOUR, THEN)
        assert tuple(await owner.fetchrow(PRESENT)) == (THEN + HOUR, THEN)
    finally:
        await owner.close()


async def test_what_is_overdue_goes_by_the_citys_time_and_by_what_its_conductor_lets_fire(
    database: str,
) -> None:
    await prepare(database)
    owner = await asyncpg.connect(database)
    timer = "INSERT INTO es.timer (stream_id, kind, shard, due_at) VALUES ($1, 1, $2, $3)"
    first, other, later = (UUID(int=number) for number in (1, 2, 3))
    try:
        await owner.execute(CONDUCTED, THEN + HOUR, THEN)
        for stream, shard, at in ((first, 0, THEN - HOUR), (other, 1, THEN), (later, 1, THEN + HOUR)):
            await owner.execute(timer, stream, shard, at)
        assert await owner.fetchval("SELECT count(*) FROM es.timer WHERE look_at IS NOT NULL") == 0
        overdue = "SELECT stream_id FROM es.overdue(4) ORDER BY 1"
        assert [row[0] for row in await owner.fetch(overdue)] == [first]
        await owner.execute("INSERT INTO lab.city_fire VALUES ($1, $2)", later, THEN + 2 * HOUR)
        assert [row[0] for row in await owner.fetch(overdue)] == [first, later]
    finally:
        await owner.close()


def _told(shell: Shell, request_id: str, at: datetime) -> str:
    """A request that reaches intake's door with this time on it; gives the complaint."""
    endpoints = shell.city().endpoints
    data = request(request_id, **PLACE)

    async def send() -> None:
        producer = AIOKafkaProducer(
            **kafka_address.aiokafka(endpoints.commands_of(INTAKE_REQUESTS.speaker)), acks="all"
        )
        async with producer:
            await producer.send_and_wait(
                endpoints.prefix + INTAKE_REQUESTS.name,
                msgspec.json.encode(data),
                key=request_id.encode(),
                partition=partition_of(request_id.encode(), INTAKE_REQUESTS.partitions),
                headers=input_headers(type(data), "/test", request_id, at),
            )

    asyncio.run(send())
    return complaint_id(request_id)


PLACE: dict[str, Any] = {"subject": "市场管理/无照经营", "district": DISTRICT, "street": STREET}


def _overdue(shell: Shell, *complaints: str) -> dict[str, bool]:
    """Of these complaints, as they lie with their unit, which are overdue; waits until all are listed."""

    def listed() -> dict[str, bool]:
        rows = json.loads(shell("unit", "list", "--unit", UNIT, "--json"))
        found = {row["complaint_id"]: row["overdue"] for row in rows}
        return {name: found[name] for name in complaints} if found.keys() >= set(complaints) else {}

    return until(listed, within=60)


async def _end(shell: Shell) -> None:
    """End the city and leave the stack, which other tests use."""
    supervisor = read_roster(shell.stack).supervisor
    if supervisor is not None:
        await child.stop(supervisor, signal.SIGTERM, patience_seconds=60)


def _every_page_answers(said: str) -> None:
    """Of each role: the link that a kept demo prints signs in, and every page in the head is there."""
    links = dict(re.findall(r"^  (\w+) +(http://127\.0\.0\.1:\d+/sign-in\?code=\S+)$", said, re.MULTILINE))
    left = re.search(
        r"^  in the city it is .* 15:30; ([\d,]+) complaints of the last days are open", said, re.MULTILINE
    )
    assert left is not None
    assert int(left[1].replace(",", "")) > 0
    assert set(links) == {"agents", "unit", "reviewers", "dialler", "supervision"}
    for role, link in links.items():
        origin, _, code = link.partition("/sign-in?code=")
        with httpx2.Client(
            base_url=origin, headers={"Origin": origin}, trust_env=False, timeout=60
        ) as client:
            assert client.post("/sign-in", data={"code": code}).status_code == 303
            first = client.get("/", follow_redirects=True)
            paths = re.findall(r'<a href="(/[a-z]+)"', first.text)
            assert paths, role
            assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)
            if role == "unit":
                assert re.search(r"\b\d{8}-\w{5}-\w{5}-\w\b", first.text), "the unit has open orders"


def test_in_a_kept_demo_an_order_is_overdue_by_the_citys_time(typed_stack: Path) -> None:
    """Its day lies years back: by the clock on the wall every order of it is overdue."""
    shell = Shell(typed_stack.parent)
    try:
        said = shell("demo", "--scale", "0.0003", "--streets", streets_in(typed_stack.parent), "--keep")
        _every_page_answers(said)
        present = datetime.fromisoformat(json.loads(shell("status", "--json"))["present"])
        assert present < datetime.now(UTC) - 365 * DAY
        late = _told(shell, "of last month", present - 30 * DAY)
        new = _told(shell, "of now", present)
        assert _overdue(shell, late, new) == {late: True, new: False}
        lines = shell("unit", "list", "--unit", UNIT).splitlines()
        overdue = {line.split()[0] for line in lines if " OVERDUE " in line}
        assert overdue & {shell.number_of(late), shell.number_of(new)} == {shell.number_of(late)}
        asyncio.run(_end(shell))
        assert "its time is a rehearsal's and stands still" in shell("up", "--city", "demo")
        assert _overdue(shell, late, new) == {late: True, new: False}
        again = datetime.fromisoformat(json.loads(shell("status", "--json"))["present"])
        assert again == present
        shell("verify")
    finally:
        asyncio.run(_end(shell))
