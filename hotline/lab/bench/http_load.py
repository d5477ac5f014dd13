"""Clients of HTTP as a process of its own: as fast as they are answered, at a steady rate, or a byte a second.

It reads `ClientDemand` from standard input, says `measuring` once it is warm, and ends with `ClientsSeen`. The clients
are bare connections: what a library would cost here, the server could not have.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

import msgspec
import uvloop

from hotline.lab.bench.city import Target, request_of
from hotline.web.events import BATCH
from shared.inputs import RecordRequest
from shared.runtime.garbage import tune_gc

SLOW_SECONDS: Final = 1.0
"""How long a slow client takes for a byte."""
_ID: Final = "0000000000000000"
"""Stands in a template where each request has its own number."""
_LENGTH: Final = b"content-length: "


class ClientDemand(msgspec.Struct, frozen=True, kw_only=True):
    """The clients that are wanted."""

    host: str
    port: int
    key: str
    kind: str
    """single, batch: events; act: a request that is waited for; read: the key itself; slow."""
    source: str = "/agents"
    targets: list[Target] = []
    events: int = 1
    """Events of a request."""
    connections: int
    rate: float = 0.0
    """Requests a second; 0: as many as are answered."""
    warm_up_seconds: float
    seconds: float
    name: str
    """Begins the number of each request: no two runs send the same."""


class ClientsSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The answers that came while it was measured."""

    seconds: float
    answers: dict[str, int]
    """By status; `lost` where the connection ended before."""
    waits: list[float]
    """Milliseconds from when a request was to be sent to its answer."""
    all_answers: dict[str, int]
    """Those of the warm-up too."""
    cpu_seconds: float
    """Of these clients."""
    gc_threshold: tuple[int, int, int]


class _Tally:
    """Counts answers, and those of the time that is measured apart."""

    def __init__(self) -> None:
        self.all: Counter[str] = Counter()
        self.measured: Counter[str] = Counter()
        self.waits: list[float] = []
        self.measuring = False

    def took(self, status: str, began_at: float) -> None:
        self.all[status] += 1
        if self.measuring:
            self.measured[status] += 1
            self.waits.append((time.perf_counter() - began_at) * 1000)


class _Connection(asyncio.Protocol):
    """One connection; a request at a time."""

    def __init__(self, clients: _Clients) -> None:
        self._clients = clients
        self._buffer = bytearray()
        self._began_at = 0.0
        self._under_way = False
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._clients.idle(self)

    def send(self, request: bytes, began_at: float) -> None:
        self._began_at = began_at
        self._under_way = True
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        at = buffer.find(_LENGTH, 0, end)
        length = int(buffer[at + len(_LENGTH) : buffer.find(b"\r", at)]) if at >= 0 else 0
        if len(buffer) < end + 4 + length:
            return
        status = buffer[9:12].decode()
        del buffer[: end + 4 + length]
        self._under_way = False
        self._clients.tally.took(status, self._began_at)
        self._clients.idle(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._under_way:
            self._clients.tally.took("lost", self._began_at)
        self._clients.lost(self)


class _Clients:
    """All connections, and what they send."""

    def __init__(self, demand: ClientDemand) -> None:
        self.tally = _Tally()
        self._demand = demand
        self._requests = requests_of(demand)
        self._free: list[_Connection] = []
        self._waiting: list[float] = []
        self._over = False
        self._opening: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        for _ in range(self._demand.connections):
            await self._open()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(OSError):
            await loop.create_connection(lambda: _Connection(self), self._demand.host, self._demand.port)

    def idle(self, connection: _Connection) -> None:
        if self._over:
            connection.transport.close()
        elif not self._demand.rate:
            connection.send(next(self._requests), time.perf_counter())
        elif self._waiting:
            connection.send(next(self._requests), self._waiting.pop(0))
        else:
            self._free.append(connection)

    def lost(self, connection: _Connection) -> None:
        if connection in self._free:
            self._free.remove(connection)
        if not self._over:
            task = asyncio.ensure_future(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def pace(self) -> None:
        """At a steady rate: a request that finds no free connection waits, and its wait counts."""
        began_at = time.perf_counter()
        for number in count():
            at = began_at + number / self._demand.rate
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            if self._free:
                self._free.pop().send(next(self._requests), at)
            else:
                self._waiting.append(at)

    def end(self) -> None:
        self._over = True
        for connection in self._free:
            connection.transport.close()


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A text in which one number is another each time; every number has as many digits."""

    parts: tuple[bytes, ...]

    def with_number(self, number: bytes) -> bytes:
        return number.join(self.parts)


def _numbered(text: bytes) -> _Numbered:
    return _Numbered(tuple(text.split(_ID.encode())))


def requests_of(demand: ClientDemand) -> Iterator[bytes]:
    """The requests of these clients, without an end."""
    head = f"Host: {demand.host}\r\nAuthorization: Bearer {demand.key}\r\n"
    numbers = (f"{demand.name}{number:0{len(_ID) - len(demand.name)}d}".encode() for number in count())
    if demand.kind == "read":
        request = f"GET /key HTTP/1.1\r\n{head}\r\n".encode()
        while True:
            yield request
    turns = [_one(demand, head, target) for target in demand.targets]
    for number in count():
        if demand.kind == "batch":
            yield _batched(head, [turns[(number + n) % len(turns)] for n in range(demand.events)], numbers)
        else:
            yield turns[number % len(turns)].with_number(next(numbers))


def _one(demand: ClientDemand, head: str, target: Target) -> _Numbered:
    """A request with one event in binary mode, or an act; of a batch the event alone."""
    data = msgspec.json.encode(request_of(_ID, target))
    at = datetime.now(UTC).isoformat(timespec="seconds")
    if demand.kind == "batch":
        event = {
            "specversion": "1.0",
            "type": RecordRequest.TYPE,
            "source": demand.source,
            "id": _ID,
            "time": at,
        }
        return _numbered(msgspec.json.encode({**event, "data": msgspec.Raw(data)}))
    if demand.kind == "act":
        lines = f"POST /acts/request/record HTTP/1.1\r\n{head}Idempotency-Key: {_ID}\r\n"
    else:
        lines = (
            f"POST /events HTTP/1.1\r\n{head}ce-specversion: 1.0\r\nce-type: {RecordRequest.TYPE}\r\n"
            f"ce-source: {demand.source}\r\nce-id: {_ID}\r\nce-time: {at}\r\n"
        )
    told = f"{lines}Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    return _numbered(told.encode() + data)


def _batched(head: str, turns: list[_Numbered], numbers: Iterator[bytes]) -> bytes:
    body = b"[" + b",".join(one.with_number(next(numbers)) for one in turns) + b"]"
    told = f"POST /events HTTP/1.1\r\n{head}Content-Type: {BATCH}\r\nContent-Length: {len(body)}\r\n\r\n"
    return told.encode() + body


async def _slow(demand: ClientDemand, tally: _Tally) -> None:
    """A client that says a byte a second, half of them of a body, half of a head; and again once it is cut off."""
    head = f"POST /events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {demand.key}\r\n"
    whole = f"{head}Content-Type: {BATCH}\r\nContent-Length: 100000\r\n\r\n".encode()
    for number in count():
        try:
            reader, writer = await asyncio.open_connection(demand.host, demand.port)
        except OSError:
            tally.took("not let in", time.perf_counter())
            await asyncio.sleep(SLOW_SECONDS)
            continue
        try:
            writer.write(whole if number % 2 else head.encode())
            while not reader.at_eof():
                writer.write(b" " if number % 2 else b"x")
                await writer.drain()
                with suppress(TimeoutError):
                    async with asyncio.timeout(SLOW_SECONDS):
                        if answer := await reader.read(4096):
                            tally.took(answer[9:12].decode(errors="replace"), time.perf_counter())
                            break
        except OSError:
            tally.took("cut off", time.perf_counter())
        finally:
            writer.close()


async def run(demand: ClientDemand) -> ClientsSeen:
    """Be these clients for as long as is wanted."""
    clients = _Clients(demand)
    tally = clients.tally
    working: list[asyncio.Task[Any]] = []
    if demand.kind == "slow":
        working = [asyncio.ensure_future(_slow(demand, tally)) for _ in range(demand.connections)]
    else:
        await clients.open()
        if demand.rate:
            working = [asyncio.ensure_future(clients.pace())]
    await asyncio.sleep(demand.warm_up_seconds)
    tally.measuring = True
    began_at = time.perf_counter()
    _say("measuring")
    await asyncio.sleep(demand.seconds)
    seconds = time.perf_counter() - began_at
    tally.measuring = False
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)
    clients.end()
    await asyncio.sleep(0.5)  # what is under way is answered, and counts among all answers
    return ClientsSeen(
        seconds=seconds,
        answers=dict(tally.measured),
        waits=tally.waits,
        all_answers=dict(tally.all),
        cpu_seconds=time.process_time(),
        gc_threshold=gc.get_threshold(),
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Read what is wanted, do it, say what was seen."""
    demand = msgspec.json.decode(sys.stdin.readline().encode(), type=ClientDemand)
    tune_gc()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seen = runner.run(run(demand))
    _say("offered")
    sys.stdin.readline()  # what this process has taken of the processors is read first
    _say(msgspec.json.encode(seen).decode())


if __name__ == "__main__":
    main()
