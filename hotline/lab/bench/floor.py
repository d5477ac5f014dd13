"""The floor: the same facts and the same messages through the same servers, and nothing else.

It writes again the very facts of the real run, by COPY, into a table of the same shape and indexes. It sends
the very messages again, in full batches, onto the same topics, and reads them as often as the desks do. It
uses as many processes as the system does, and collects garbage as rarely. It has no rule, no state and no
order between one step and the next. No system on these two servers with these clients can be faster.

`python -m hotline.lab.bench.floor_worker` is one of its processes. Its part comes as one JSON object on
standard input, then one number of lives a line; it says `ready`, and `done` for each line.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import asyncpg
import msgspec

from deploy.city.endpoints import CityEndpoints
from hotline.lab.bench.floor_worker import LIVES_PAGE, FloorOrders, FloorWork
from hotline.lab.bench.meter import Meter, Spent, spent
from shared.ids import TOGETHER
from shared.runtime.errors import UserError
from shared.topics import (
    COMPLAINTS_LOG,
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    FEEDBACK_VISIT_RESULTS,
    FEEDBACK_VISITS,
    INTAKE_REQUESTS,
)

WARM_UP: Final = 0.15
SECONDS_MAX: Final = 120.0


_TABLE: Final = """
CREATE SCHEMA IF NOT EXISTS floor;
CREATE TABLE floor.event (LIKE es.event INCLUDING ALL);
"""


PARTS: Final = (
    FloorWork(name="intake", writes_as=("intake",), hears=(INTAKE_REQUESTS.name,)),
    FloorWork(name="dispatch", writes_as=("dispatch",), hears=(COMPLAINTS_LOG.name, DISPATCH_REPLIES.name)),
    FloorWork(
        name="feedback", writes_as=("feedback",), hears=(COMPLAINTS_LOG.name, FEEDBACK_VISIT_RESULTS.name)
    ),
    FloorWork(name="relay", speaks=(COMPLAINTS_LOG.name, DISPATCH_ORDERS.name, FEEDBACK_VISITS.name)),
    FloorWork(
        name="simulator",
        hears=(DISPATCH_ORDERS.name, FEEDBACK_VISITS.name),
        speaks=(INTAKE_REQUESTS.name, DISPATCH_REPLIES.name, FEEDBACK_VISIT_RESULTS.name),
    ),
)
"""Escalation is missing: in a life without a missed limit it neither reads a message nor writes a fact."""

PARTS_TOGETHER: Final = (
    FloorWork(
        name=TOGETHER,
        writes_as=("intake", "dispatch", "feedback"),
        hears=(INTAKE_REQUESTS.name, COMPLAINTS_LOG.name, DISPATCH_REPLIES.name, FEEDBACK_VISIT_RESULTS.name),
    ),
    *PARTS[3:],
)
"""The same where all desks sit in one process: it reads the log once, as their log reader does."""


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """One measured floor."""

    lives: int
    facts: int
    messages_written: int
    messages_read: int
    spent: Spent
    seconds_by_part: dict[str, float]
    """When each process was done: the last one ends the floor."""

    @property
    def lives_per_second(self) -> float:
        """The rate."""
        return self.lives / self.spent.seconds


async def floor_of(
    endpoints: CityEndpoints,
    *,
    lives: int,
    facts_a_life: int,
    messages: Mapping[str, int],
    units: Sequence[str],
    batch_max: int,
    servers: Mapping[str, int],
    parts: Sequence[FloorWork] = PARTS,
) -> Floor:
    """Measure the floor under lives that were lived in this endpoints; its services must have stopped.

    There must be as many lives in the log as are asked for here and for the warm-up.
    """
    warm_up = max(LIVES_PAGE, round(lives * WARM_UP))
    database = await asyncpg.connect(endpoints.owner_dsn)
    children: dict[str, asyncio.subprocess.Process] = {}
    try:
        await database.execute(_TABLE)
        for part in parts:
            orders = FloorOrders(
                part=part,
                kafka=endpoints.kafka,
                prefix=endpoints.prefix,
                postgres=endpoints.owner_dsn,
                units=list(units),
                messages=dict(messages),
                batch_max=batch_max,
                lives=warm_up + lives,
            )
            children[part.name] = await _child(orders)
        await _all_say("ready", children)
        await _all_live(warm_up, children)
        meter = Meter({**{name: child.pid for name, child in children.items()}, **servers}, database)
        first = await meter.read()
        seconds = await _all_live(lives, children)
        last = await meter.read()
        copied = await database.fetchval("SELECT count(*) FROM floor.event")
        if copied != (warm_up + lives) * facts_a_life:
            raise UserError(f"the floor copied {copied} facts, not {(warm_up + lives) * facts_a_life}.")
        heard = sum(messages[line] for part in parts for line in part.hears)
        spoken = sum(messages[line] for part in parts for line in part.speaks)
        return Floor(
            lives=lives,
            facts=lives * facts_a_life,
            messages_written=lives * spoken,
            messages_read=lives * heard,
            spent=spent(first, last),
            seconds_by_part=seconds,
        )
    finally:
        for child in children.values():
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        await database.execute("DROP SCHEMA IF EXISTS floor CASCADE")
        await database.close()


async def _child(orders: FloorOrders) -> asyncio.subprocess.Process:
    """A process that has been told its part; it says `ready` when it has all it needs."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hotline.lab.bench.floor_worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    _tell(child, msgspec.json.encode(orders))
    return child


def _tell(child: asyncio.subprocess.Process, line: bytes) -> None:
    assert child.stdin is not None  # noqa: S101 -- it was asked for
    child.stdin.write(line + b"\n")


async def _all_live(lives: int, children: Mapping[str, asyncio.subprocess.Process]) -> dict[str, float]:
    for child in children.values():
        _tell(child, str(lives).encode())
    return await _all_say("done", children)


async def _all_say(word: str, children: Mapping[str, asyncio.subprocess.Process]) -> dict[str, float]:
    """Wait for the word from each; after how many seconds it came."""
    began = time.monotonic()

    async def says(name: str, child: asyncio.subprocess.Process) -> float:
        assert child.stdout is not None  # noqa: S101 -- it was asked for
        line = (await child.stdout.readline()).decode().strip()
        if line != word:
            raise UserError(f"the floor's {name} ended early; what it said stands above.")
        return time.monotonic() - began

    try:
        async with asyncio.timeout(SECONDS_MAX):
            seconds = await asyncio.gather(*(says(name, child) for name, child in children.items()))
    except TimeoutError:
        raise UserError(f"the floor was not {word} within {SECONDS_MAX:.0f} s.") from None
    return dict(zip(children, seconds, strict=True))
