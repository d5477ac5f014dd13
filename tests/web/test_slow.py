"""A thousand clients that say a byte a second: a fast one is answered, and each slow one is cut off or answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

import httpx2
import pytest

from hotline.web.events import BATCH
from hotline.web.limits import BODY_SECONDS_MAX, HEAD_BYTES_MAX, HEAD_SECONDS_MAX
from hotline.web.roles import HttpListener
from shared import roles
from tests.city import City
from tests.shell import PATIENCE
from tests.web.door import Door, open_door

pytestmark = pytest.mark.connected

SLOW: Final = 1_000
LONGEST: Final = (HEAD_SECONDS_MAX + BODY_SECONDS_MAX) * PATIENCE


@pytest.fixture(scope="module")
async def door(town: City, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    async with open_door(town, tmp_path_factory.mktemp("slow"), projector=False) as made:
        yield made


def place(door: Door) -> tuple[str, int]:
    host, _, port = door.addresses[HttpListener.PUBLIC].rpartition(":")
    return host, int(port)


async def slow(door: Door, head: bytes, each: bytes) -> str:
    """Send this head, and then a byte a second; gives the status of the answer, or that the client was cut off."""
    reader, writer = await asyncio.open_connection(*place(door))
    try:
        writer.write(head)
        while True:
            writer.write(each)
            await writer.drain()
            try:
                async with asyncio.timeout(1):
                    answer = await reader.read(4096)
            except TimeoutError:
                continue
            return answer[9:12].decode() or "cut off"
    except ConnectionError:
        return "cut off"
    finally:
        writer.close()


async def test_beside_a_thousand_slow_clients_every_request_of_a_fast_one_is_answered(door: Door) -> None:
    typed = await door.key(roles.AGENTS, rate=100_000)
    head = f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {typed}\r\n".encode()
    body = b"Content-Type: " + BATCH.encode() + b"\r\nContent-Length: 100000\r\n\r\n"
    fast = door.client(typed, HttpListener.PUBLIC)
    kinds = [(head + body, b" "), (head, b"x"), (b"", b"")]
    waiting = [asyncio.ensure_future(slow(door, *kinds[number % 3])) for number in range(SLOW)]
    statuses: Counter[int] = Counter()
    while not all(one.done() for one in waiting):
        statuses[(await fast.get("/key")).status_code] += 1
        await asyncio.sleep(0.02)
    async with asyncio.timeout(LONGEST):
        became = Counter(await asyncio.gather(*waiting))
    assert set(statuses) == {200}
    assert statuses[200] > 10
    assert became == {"408": -(-SLOW // 3), "cut off": SLOW - -(-SLOW // 3)}


async def test_a_head_without_an_end_is_cut_off(door: Door) -> None:
    reader, writer = await asyncio.open_connection(*place(door))
    writer.write(b"GET /key HTTP/1.1\r\nX-Long: ")

    async def flood() -> None:
        for _ in range(HEAD_BYTES_MAX):
            writer.write(b"x" * 4096)
            await writer.drain()
            await asyncio.sleep(0)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(flood(), LONGEST)
    writer.close()
    del reader


async def test_a_second_request_on_a_connection_has_as_long_as_the_first(door: Door) -> None:
    typed = await door.key(roles.AGENTS)
    whole = f"GET /key HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {typed}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection(*place(door))
    for _ in range(3):
        writer.write(whole[:20])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(whole[20:])
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await reader.readexactly(length)
    writer.write(whole[:20])
    async with asyncio.timeout(LONGEST):
        assert await reader.read() == b""  # cut off in the middle of the fourth
    writer.close()


async def test_a_client_that_is_slow_within_its_limits_is_answered(door: Door) -> None:
    client: httpx2.AsyncClient = await door.of(roles.AGENTS)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b" "
            await asyncio.sleep(0.1)

    answer = await client.post("/events", content=pieces(), headers={"Content-Type": BATCH})
    assert answer.status_code == 400
