"""Part `memory`: a million messages through each desk of the running system, and what each holds meanwhile.

Whole lives bring dispatch and feedback their messages (the log's facts, replies, answers); intake, which hears one
message a life, gets the telephone's as well. Escalation hears no message at all: it is watched as long as the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

import asyncpg
import msgspec
import psutil

from deploy.city import making
from deploy.city.endpoints import DESKS, PROCESSES, CityEndpoints
from hotline.lab.bench import picture
from hotline.lab.bench.clients import Outbox, producer_of
from hotline.lab.bench.lives import UNDER_WAY
from hotline.lab.bench.machine import Machine
from hotline.lab.bench.report import print_line, print_table, print_verdict, print_where
from hotline.lab.bench.result import Fixed, warnings_of
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.stage import BenchCity, stage
from hotline.lab.bench.whole import Load, MeasuredLives, lived
from shared.cloudevents import input_headers
from shared.inputs import CallAnswered, CallEnded, CallOffered, Input
from shared.topic_names import partition_of
from shared.topics import TELEPHONY_CALLS

MESSAGES: Final = 1_000_000
MESSAGES_QUICK: Final = 50_000
MESSAGES_A_LIFE: Final = 9
"""Messages that feedback takes in for one life: eight facts and one answer. Dispatch takes in one more, a
second reply."""
CALLS_A_LIFE: Final = 10
"""Messages of the telephone for each request taken in, until intake has its share: it has it before the end."""
CALLS_AT_ONCE: Final = 6000
SAMPLES: Final = 300
"""Readings over a run, about."""
MEMORY_MAX: Final = 200_000_000
GROWTH_MAX: Final = 1.10
LISTENERS: Final = ("intake", "dispatch", "feedback")
MARKS: Final = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of the run at which the table shows what each held."""

_TAKEN: Final = "SELECT consumer, sum(next_offset)::bigint FROM es.consumer_offset GROUP BY consumer"
_REQUESTS: Final = """
SELECT coalesce(sum(next_offset), 0)::bigint FROM es.consumer_offset
WHERE consumer = 'intake' AND topic LIKE '%intake.requests'
"""
_CALLS: Final = "SELECT count(*) FROM intake.call WHERE offered_at < answered_at AND answered_at < ended_at"


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One reading."""

    seconds: float
    """Since the first."""
    messages: dict[str, int]
    """Taken in so far, by desk."""
    memory_bytes: dict[str, int]
    """Resident, by process."""


class HeldMemory(msgspec.Struct, frozen=True, kw_only=True):
    """The memory one process held over the run."""

    messages: int
    at_marks: list[int]
    """Bytes when these shares of the run were over: `MARKS`."""
    highest: int
    growth: float
    """The middle of the last quarter's readings by the middle of the second quarter's."""


class MemoryResult(Base, frozen=True, kw_only=True):
    """All that was measured, and what is to be thought of it."""

    messages: int
    """As many at least have gone through each desk that hears any."""
    lives: int
    lives_per_second: float
    held: dict[str, HeldMemory]
    samples: list[Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySize:
    """How much goes through each desk."""

    messages: int

    @property
    def lives(self) -> int:
        """So many bring feedback its messages."""
        return -(-self.messages // MESSAGES_A_LIFE)

    @property
    def calls(self) -> int:
        """Calls of three messages each that bring intake the rest."""
        return -(-(self.messages - self.lives) // 3)


async def measured(*, quick: bool, folder: Path, say: Callable[[str], None]) -> MemoryResult:
    """See `Part.measured`; `quick` is 50,000 messages instead of a million."""
    async with stage(folder, say=say, zipkin=False) as here:
        return await run(here, MemorySize(messages=MESSAGES_QUICK if quick else MESSAGES), say)


async def run(here: BenchCity, size: MemorySize, say: Callable[[str], None]) -> MemoryResult:
    """Measure so much."""
    endpoints = await making.create(here.addresses, "memory", here.units, simulated=True)
    say(f"{size.lives} lives and {size.calls} calls")
    samples: list[Sample] = []
    done = await _live(here, endpoints, size, samples, say)
    wrong = [*done.wrong, *await _missing(endpoints, size, samples)]
    return judged(here.machine(), await here.fixed(endpoints, done.gc_threshold), size, done, samples, wrong)


async def _live(
    here: BenchCity,
    endpoints: CityEndpoints,
    size: MemorySize,
    samples: list[Sample],
    say: Callable[[str], None],
) -> MeasuredLives:
    async def beside(pids: Mapping[str, int]) -> None:
        database = await asyncpg.connect(endpoints.owner_dsn)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_call(endpoints, size.calls))
                both.create_task(_watch(pids, database, samples))
        finally:
            await database.close()

    load = Load(
        lives=size.lives,
        warm_up=size.lives // 10,
        under_way=UNDER_WAY,
    )
    return await lived(here, endpoints, load, say=say, beside=beside)


async def _watch(
    pids: Mapping[str, int], database: asyncpg.Connection[asyncpg.Record], samples: list[Sample]
) -> None:
    """Read how far each desk is and what each process holds, until cancelled."""
    processes = {name: psutil.Process(pid) for name, pid in pids.items()}
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        taken = {row[0]: row[1] for row in await database.fetch(_TAKEN)}
        memory: dict[str, int] = {}
        for name, process in processes.items():
            with suppress(psutil.NoSuchProcess):  # a death is told of by who lives the lives
                memory[name] = process.memory_info().rss
        if taken:
            samples.append(Sample(seconds=loop.time() - began, messages=taken, memory_bytes=memory))
        await asyncio.sleep(max(0.1, (loop.time() - began) / SAMPLES))


async def _call(endpoints: CityEndpoints, calls: int) -> None:
    """Be the telephone: so many messages for each request intake has taken, until all calls are told."""
    topic = endpoints.prefix + TELEPHONY_CALLS.name
    told = 0
    database = await asyncpg.connect(endpoints.owner_dsn)
    try:
        async with producer_of(endpoints.kafka, "telephone", [topic]) as producer:
            outbox = Outbox(producer)
            while told < calls:
                requests: int = await database.fetchval(_REQUESTS)
                due = min(calls, requests * CALLS_A_LIFE // 3)
                for number in range(told, min(due, told + CALLS_AT_ONCE // 3)):
                    _put_call(outbox, topic, f"call-{number}")
                await outbox.send()
                told = max(told, min(due, told + CALLS_AT_ONCE // 3))
                await asyncio.sleep(0.02 if told < due else 0.1)
    finally:
        await database.close()


def _put_call(outbox: Outbox, topic: str, call: str) -> None:
    key = call.encode()
    partition = partition_of(key, TELEPHONY_CALLS.partitions)
    steps: tuple[Input, ...] = (
        CallOffered(call_id=call),
        CallAnswered(call_id=call, agent="0407"),
        CallEnded(call_id=call, cause="hangup"),
    )
    for step in steps:
        headers = input_headers(type(step), "/pbx", f"{call}/{step.TYPE}", datetime.now(UTC))
        outbox.put(topic, partition, key, msgspec.json.encode(step), headers)


async def _missing(endpoints: CityEndpoints, size: MemorySize, samples: list[Sample]) -> list[str]:
    """Faults of the run: calls that are not on the register, desks that took in too little; empty if none."""
    if not samples:
        return ["no reading was taken"]
    database = await asyncpg.connect(endpoints.owner_dsn)
    try:
        calls = await database.fetchval(_CALLS)
        taken = {row[0]: row[1] for row in await database.fetch(_TAKEN)}
    finally:
        await database.close()
    wrong = (
        [] if calls == size.calls else [f"{size.calls} calls were told, {calls} are on the register whole"]
    )
    wrong += [
        f"{desk} took in {taken.get(desk, 0)} messages of {size.messages}"
        for desk in LISTENERS
        if taken.get(desk, 0) < size.messages
    ]
    return wrong


def judged(
    machine: Machine,
    fixed: Fixed,
    size: MemorySize,
    done: MeasuredLives,
    samples: list[Sample],
    wrong: list[str],
) -> MemoryResult:
    """The memory of each process, with warnings and faults."""
    held = {name: held_of(name, samples) for name in PROCESSES} if samples else {}
    warnings = warnings_of(machine, {"the lives": done.spent})
    for name in DESKS:
        if name in held and held[name].highest > MEMORY_MAX:
            warnings.append(
                f"{name} held {held[name].highest / 1e6:,.0f} MB, above the bar of {MEMORY_MAX / 1e6:.0f} MB"
            )
        if name in held and held[name].growth > GROWTH_MAX:
            warnings.append(f"{name} grew by {held[name].growth - 1:.0%} from the second quarter to the last")
    return MemoryResult(
        machine=machine,
        fixed=fixed,
        others_share=done.spent.others_share,
        warnings=warnings,
        wrong=wrong,
        messages=size.messages,
        lives=size.lives,
        lives_per_second=done.lives_per_second,
        held=held,
        samples=samples,
    )


def held_of(name: str, samples: list[Sample]) -> HeldMemory:
    """One process over these readings, of which there is at least one."""
    values = [one.memory_bytes[name] for one in samples if name in one.memory_bytes]
    last = len(values) - 1
    quarter = max(1, len(values) // 4)
    return HeldMemory(
        messages=samples[-1].messages.get(name, 0),
        at_marks=[values[round(last * mark)] for mark in MARKS],
        highest=max(values),
        growth=median(values[-quarter:]) / median(values[quarter : 2 * quarter] or values),
    )


def show(result: MemoryResult) -> None:
    """See `Part.show`."""
    print_table(
        f"Resident memory, MB, while {result.messages:,} messages and more go through each desk",
        ("", "messages", *(f"at {mark:.0%}" for mark in MARKS), "highest", "growth"),
        [
            (
                name,
                f"{one.messages:,}" if one.messages else "",
                *(f"{value / 1e6:,.0f}" for value in one.at_marks),
                f"{one.highest / 1e6:,.0f}",
                f"{one.growth - 1:+.0%}",
            )
            for name, one in result.held.items()
        ],
    )
    print_line(
        f"At most {max(result.held[name].highest for name in DESKS) / 1e6:,.0f} MB a desk over "
        f"{result.samples[-1].seconds:,.0f} s; growth is the last quarter of the time by the second."
    )
    print_where(
        result,
        {
            "lives": f"{result.lives:,}, {UNDER_WAY:,} under way at once, {result.lives_per_second:,.0f} a second; "
            "calls beside them",
        },
    )
    print_verdict(result, "Every life is whole, every call on the register, nothing parked.")


def plot(result: MemoryResult, path: Path) -> None:
    """See `Part.plot`: memory of each process over time, and how far each desk was."""
    drawn = picture.figure("Resident memory while the messages go through")
    memory, messages = drawn.subplots(1, 2)
    seconds = [one.seconds for one in result.samples]
    for name in result.held:
        values = [one.memory_bytes.get(name, 0) / 1e6 for one in result.samples]
        memory.plot(seconds, values, label=name)
    memory.axhline(MEMORY_MAX / 1e6, color="grey", linestyle="--", linewidth=0.8)
    memory.set_ylim(bottom=0)
    memory.set_ylabel("MB resident")
    for name in LISTENERS:
        messages.plot(seconds, [one.messages.get(name, 0) for one in result.samples], label=name)
    messages.set_ylabel("messages taken in")
    for axes in (memory, messages):
        axes.set_xlabel("seconds")
        axes.legend(fontsize=7)
    picture.save(drawn, result, path)
