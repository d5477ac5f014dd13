"""Part `http`: what the HTTP door takes in a second, beside the same server with an empty handler.

Events alone and in batches of a hundred are sent as fast as they are answered. No desk runs meanwhile. Then a client
at a steady rate stands alone and beside a thousand that say a byte a second. Last, with all desks at work,
requests come at a steady rate, and each waits for its outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from deploy.city import making, served
from deploy.city.endpoints import CityEndpoints
from hotline.lab.bench import picture
from hotline.lab.bench.clients import ends_of, partitions_of
from hotline.lab.bench.http_run import ACCEPTED, ANSWERED, HttpLoad, HttpProcess, door_of, floor_of
from hotline.lab.bench.report import median_text, print_line, print_table, print_verdict, print_where
from hotline.lab.bench.result import Result as Base
from hotline.lab.bench.result import Spread, spread_of, warnings_of
from hotline.lab.bench.stage import TRACES_RATIO, BenchCity, stage
from shared.doors.kafka_reader import reader_of
from shared.topics import INTAKE_REQUESTS

FLOOR_SHARE_MIN: Final = 0.5
BATCH_TIMES_MIN: Final = 5.0
OUTCOME_P50_MS_MAX: Final = 40.0
SLOW_TIMES_MAX: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSize:
    """How much is measured."""

    rounds: int
    seconds: float
    connections: int
    batch: int
    """Events in a batch."""
    paced_seconds: float
    paced_rate: float
    """Events a second of the client that stands beside slow ones."""
    slow: int
    outcome_rate: float
    outcome_seconds: float

    @classmethod
    def of(cls, *, quick: bool) -> HttpSize:
        """Three rounds of five seconds each, or one of one."""
        if quick:
            return cls(
                rounds=1, seconds=1, connections=16, batch=100, paced_seconds=3, paced_rate=50, slow=200,
                outcome_rate=20, outcome_seconds=3,
            )  # fmt: skip
        return cls(
            rounds=3, seconds=5, connections=64, batch=100, paced_seconds=20, paced_rate=100, slow=1000,
            outcome_rate=50, outcome_seconds=20,
        )  # fmt: skip


class HttpResult(Base, frozen=True, kw_only=True):
    """All that was measured."""

    floor: list[HttpLoad]
    single: list[HttpLoad]
    batch: list[HttpLoad]
    alone: HttpLoad
    """A client at a steady rate."""
    beside: HttpLoad
    """The same beside the slow ones."""
    slow: int
    outcome: HttpLoad
    idle_mb: float
    """Resident memory of the door before anybody asked."""

    @property
    def floor_share(self) -> float:
        """Events a second by those of the empty handler, of the medians."""
        return rate_of(self.single).median / rate_of(self.floor).median

    @property
    def batch_times(self) -> float:
        """Events a second in batches by those of single events, of the medians."""
        return rate_of(self.batch).median / rate_of(self.single).median

    @property
    def slow_times(self) -> float:
        """The p99 beside slow clients by that without."""
        return self.beside.wait.p99 / max(self.alone.wait.p99, 1e-9)


def rate_of(loads: Sequence[HttpLoad]) -> Spread:
    """Events a second over the rounds."""
    return spread_of(one.per_second for one in loads)


async def measured(*, quick: bool, folder: Path, say: Callable[[str], None]) -> HttpResult:
    """See `Part.measured`; `quick` is a round of a second."""
    async with stage(folder, say=say, zipkin=False) as here:
        return await run(here, HttpSize.of(quick=quick), say)


async def run(here: BenchCity, size: HttpSize, say: Callable[[str], None]) -> HttpResult:
    """Measure so much."""
    wrong: list[str] = []
    endpoints = await making.create(here.addresses, "http", here.units)
    async with door_of(here, endpoints, say, []) as door, floor_of(here, endpoints) as empty:
        idle_mb = door.memory_mb
        floor, single, batch = await _as_fast_as_it_goes(door, empty, size, say)
        alone, beside = await _beside_slow_ones(door, size, say)
        wrong += await _kept(endpoints, [*single, *batch, alone, beside])
        fixed = await here.fixed(endpoints, single[-1].gc_threshold)
    await here.drop(endpoints)
    outcome = await _outcomes(here, size, wrong, say)
    loads = [*floor, *single, *batch, alone, beside, outcome]
    wrong += [f"{one.what}: answered {one.all_answers}" for one in loads if not _as_expected(one)]
    machine = here.machine()
    windows = {one.what: one.spent for one in loads}
    result = HttpResult(
        machine=machine,
        fixed=fixed,
        others_share=max(one.others_share for one in windows.values()),
        warnings=warnings_of(machine, windows),
        wrong=wrong,
        floor=floor,
        single=single,
        batch=batch,
        alone=alone,
        beside=beside,
        slow=size.slow,
        outcome=outcome,
        idle_mb=idle_mb,
    )
    result.warnings.extend(bars_missed(result))
    return result


async def _as_fast_as_it_goes(
    door: HttpProcess, empty: HttpProcess, size: HttpSize, say: Callable[[str], None]
) -> tuple[list[HttpLoad], list[HttpLoad], list[HttpLoad]]:
    """The empty handler, events alone, events in batches: in turn, round by round."""
    floor: list[HttpLoad] = []
    single: list[HttpLoad] = []
    batch: list[HttpLoad] = []
    fast = {"connections": size.connections, "warm_up_seconds": 1.0, "seconds": size.seconds}
    many = {"kind": "batch", "events": size.batch, **fast, "connections": max(2, size.connections // 16)}
    for _ in range(size.rounds):
        floor.append(await empty.loaded("empty handler", {"kind": "single", **fast}))
        single.append(await door.loaded("events", {"kind": "single", **fast}))
        batch.append(await door.loaded(f"batches of {size.batch}", many))
        told = ", ".join(f"{one[-1].what} {one[-1].per_second:,.0f}" for one in (floor, single, batch))
        say(f"  a second: {told}")
    return floor, single, batch


async def _beside_slow_ones(
    door: HttpProcess, size: HttpSize, say: Callable[[str], None]
) -> tuple[HttpLoad, HttpLoad]:
    """A client at a steady rate, alone and beside slow ones."""
    paced = {
        "kind": "single",
        "rate": size.paced_rate,
        "connections": 16,
        "warm_up_seconds": 1.0,
        "seconds": size.paced_seconds,
    }
    alone = await door.loaded("a steady client", paced)
    say(f"{size.slow:,} clients say a byte a second")
    slow = await door.clients(
        {"kind": "slow", "connections": size.slow, "warm_up_seconds": 1.0, "seconds": 600.0}
    )
    try:
        await slow.says("measuring")
        return alone, await door.loaded("the same beside slow ones", paced, slow)
    finally:
        await slow.end()


def _as_expected(load: HttpLoad) -> bool:
    """Whether every answer was the one that was wanted. A request that was under way at the end may be cut off."""
    return set(load.all_answers) - {"lost"} in ({ACCEPTED}, {ANSWERED}) and not load.answers.get("lost")


async def _kept(endpoints: CityEndpoints, loads: Sequence[HttpLoad]) -> list[str]:
    """Every event that was accepted lies in Kafka, and no more than were sent."""
    accepted = sum(one.all_answers.get(ACCEPTED, 0) * one.events for one in loads)
    unanswered = sum(one.all_answers.get("lost", 0) * one.events for one in loads)
    consumer = reader_of(endpoints.looks, client_id="bench-http")
    try:
        await consumer.start()
        consumer.assign(partitions_of(endpoints.prefix, INTAKE_REQUESTS, []))
        there = sum((await ends_of(consumer)).values())
    finally:
        await consumer.stop()
    if accepted <= there <= accepted + unanswered:
        return []
    return [f"{accepted:,} events were accepted, {there:,} lie in Kafka"]


async def _outcomes(
    here: BenchCity, size: HttpSize, wrong: list[str], say: Callable[[str], None]
) -> HttpLoad:
    """Requests at a steady rate, each waited for until a unit has it."""
    say(f"{size.outcome_rate:g} requests a second wait for their outcome")
    endpoints = await making.create(here.addresses, "http0", here.units)
    logs = here.stack.folder / "logs" / endpoints.name
    desks = served.services(endpoints, logs, traces_ratio=TRACES_RATIO, catalogue=str(here.catalogue))
    async with door_of(here, endpoints, say, desks) as door:
        asked = {"kind": "act", "rate": size.outcome_rate, "connections": 16}
        load = await door.loaded(
            "outcome", {**asked, "warm_up_seconds": 3.0, "seconds": size.outcome_seconds}
        )
    database = await asyncpg.connect(endpoints.owner_dsn)
    try:
        received = await database.fetchval("SELECT count(*) FROM es.event WHERE type = 'ComplaintReceived'")
    finally:
        await database.close()
    answered, cut = load.all_answers.get(ANSWERED, 0), load.all_answers.get("lost", 0)
    if not answered <= received <= answered + cut:
        wrong.append(f"{answered:,} requests were answered, {received:,} are on record")
    await here.drop(endpoints)
    return load


def bars_missed(result: HttpResult) -> list[str]:
    """The bars that these figures miss."""
    missed = []
    if result.floor_share < FLOOR_SHARE_MIN:
        missed.append(
            f"{result.floor_share:.0%} of the empty handler's rate, the bar is {FLOOR_SHARE_MIN:.0%}"
        )
    if result.batch_times < BATCH_TIMES_MIN:
        missed.append(
            f"a batch brings {result.batch_times:.1f} times as much, the bar is {BATCH_TIMES_MIN:g}"
        )
    if result.outcome.wait.p50 > OUTCOME_P50_MS_MAX:
        missed.append(f"outcome p50 of {result.outcome.wait.p50:.0f} ms, the bar is {OUTCOME_P50_MS_MAX:.0f}")
    if result.slow_times > SLOW_TIMES_MAX:
        missed.append(f"p99 beside slow clients {result.slow_times:.1f} times that without, the bar is 2")
    return missed


def show(result: HttpResult) -> None:
    """See `Part.show`."""
    print_table(
        "The HTTP door: events a second, and what one costs its process",
        ("", "a second", "CPU us an event", "memory MB"),
        [
            (
                loads[0].what,
                median_text(rate_of(loads), ",.0f"),
                median_text(spread_of(_micros(one) for one in loads), ",.0f"),
                f"{loads[-1].memory_mb:,.0f}",
            )
            for loads in (result.floor, result.single, result.batch)
        ],
    )
    print_table(
        "At a steady rate: milliseconds to the answer",
        ("", "p50", "p99", "highest", "answers"),
        [
            (
                one.what,
                f"{one.wait.p50:.1f}",
                f"{one.wait.p99:.1f}",
                f"{one.wait.highest:.1f}",
                f"{one.wait.count:,}",
            )
            for one in (result.alone, result.beside, result.outcome)
        ],
    )
    print_line(
        f"{result.floor_share:.0%} of the empty handler; a batch brings {result.batch_times:.1f} times as much; beside "
        f"{result.slow:,} slow clients the p99 is {result.slow_times:.1f} times that without. The process holds "
        f"{result.idle_mb:.0f} MB at rest, {result.beside.memory_mb:.0f} MB beside slow clients."
    )
    print_where(result)
    print_verdict(
        result,
        "Every event that was accepted lies in Kafka, and every request that was answered is on record.",
    )


def _micros(load: HttpLoad) -> float:
    return load.spent.cpu_seconds["web"] / max(load.per_second * load.seconds, 1.0) * 1e6


def plot(result: HttpResult, path: Path) -> None:
    """See `Part.plot`: events a second of each load."""
    drawn = picture.figure("The HTTP door: events a second")
    axes = drawn.subplots()
    loads = (result.floor, result.single, result.batch)
    bars = axes.bar([one[0].what for one in loads], [rate_of(one).median for one in loads])
    axes.bar_label(bars, fmt="{:,.0f}")
    picture.save(drawn, result, path)
