"""One run of chaos: a city, a monkey, and at the end the question whether anything is lost, doubled or stuck."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import urlsplit

from deploy.city.endpoints import PROCESSES, WEB, CityEndpoints
from deploy.city.registry import folder
from deploy.embedded import child
from deploy.embedded.kafka import Listener
from deploy.embedded.stack import Stack
from deploy.embedded.state import read_state
from deploy.supervision.supervisor import Service
from deploy.supervision.watchman import ENDED
from hotline.lab.chaos.appends import Writers
from hotline.lab.chaos.counts import Counts
from hotline.lab.chaos.disk import Disk
from hotline.lab.chaos.faults import Ground, faults
from hotline.lab.chaos.http_sender import HttpSender
from hotline.lab.chaos.judgement import CITY, ChaosOutcome, judged_outcome
from hotline.lab.chaos.listing import projector_faults
from hotline.lab.chaos.marks import Marks
from hotline.lab.chaos.monkey import Monkey
from hotline.lab.chaos.outside import Outside
from hotline.lab.chaos.over_http import door_faults
from hotline.lab.chaos.wire import Wire, Wires
from hotline.lab.mix import Mix
from hotline.lab.rehearsal.stage import RehearsalCity, staged
from hotline.lab.simulation.conductor import Conductor, RehearsalProgress, Summary
from hotline.lab.simulation.full_mix import people_of
from hotline.lab.simulation.planned_input import OutwardMessage, PlannedInput, Reaction
from hotline.lab.simulation.population import Population
from hotline.lab.simulation.year import BeijingYear, midnight, requests_by_day
from shared.ids import ComplaintId
from shared.policy.catalogue import Catalogue
from shared.runtime import kafka_address, postgres_address
from shared.versions import RULESET

CALENDAR: Final = "cn-1"
FIRST_DAY: Final = date(2025, 3, 3)
STEP: Final = timedelta(minutes=10)
"""Of city time: so short that calls, replies, visits and limits come side by side and every process has work."""
CALL_SECONDS: Final = 0.5
"""How often somebody calls by the clock on the wall: so intake has something to take in at night too."""
ANCHOR_SECONDS: Final = 5.0
"""How often the log is anchored: much in a short run too."""


class Closing:
    """A population that goes home when told to: nobody calls any more, what is under way goes on.

    Letters are told of long after they came. Nobody does anything about one before he can have read of it.
    """

    def __init__(self, lives: Population, began_at: datetime) -> None:
        """Open, at the city's first instant."""
        self._lives = lives
        self._closed = False
        self._present = self._reached = began_at

    def close(self) -> None:
        """From now on nobody calls."""
        self._closed = True

    def next_at(self) -> datetime | None:
        """See `Population.next_at`."""
        return None if self._closed else self._lives.next_at()

    def first_inputs(self, until: datetime) -> Iterable[PlannedInput]:
        """See `Population.first_inputs`."""
        self._present, self._reached = self._reached, until
        return () if self._closed else self._lives.first_inputs(until)

    def react(self, heard: OutwardMessage) -> Reaction:
        """See `Population.react`; what a letter's own days would have led to happens now."""
        reaction = self._lives.react(heard)
        planned_inputs = [
            planned_input._replace(at=max(planned_input.at, self._present))
            for planned_input in reaction.planned_inputs
        ]
        return reaction._replace(planned_inputs=planned_inputs)

    def forget(self, complaint: ComplaintId) -> None:
        """See `Population.forget`."""
        self._lives.forget(complaint)


async def lived(
    catalogue: Catalogue,
    *,
    seed: int,
    minutes: float,
    most: int | None,
    scale: float,
    mix: Mix,
    say: Callable[[str], None],
    show: Callable[[RehearsalProgress], None],
) -> ChaosOutcome:
    """Live under fire for so long (or so many faults), then to the end, and judge it all from outside."""
    died: list[str] = []
    ended: list[str] = []
    hear = _hearing(say, died, ended)
    async with AsyncExitStack() as put_away:
        stack, wires, laid, disk = await put_away.enter_async_context(_ground(folder(), hear))
        began_at = midnight(FIRST_DAY)
        postgres_wires: dict[str, Wire] = {}
        wired = partial(_rewired, wires=wires, kafka=laid, postgres=postgres_wires)
        stage = await put_away.enter_async_context(_staged(catalogue, stack, wired, hear))
        endpoints = stage.endpoints
        outside = Outside(endpoints.kafka, endpoints.prefix, catalogue, began_at)
        put_away.push_async_callback(outside.close)
        outside.http = await _over_http(stage, began_at)
        marks = Marks(endpoints.owner_dsn)
        put_away.push_async_callback(marks.close)
        postgres = urlsplit(endpoints.owner_dsn).port or 0
        postgres_wires["writers"] = wires.lay("writers", postgres, commits=True)
        writer_dsn = postgres_address.moved(endpoints.logins["intake"], postgres_wires["writers"].address)
        rules = {"ruleset": RULESET, "calendar": CALENDAR}
        writers = Writers(writer_dsn, catalogue, **rules, began_at=began_at, seed=seed)
        ground = Ground(
            stage=stage,
            services={service.name: service for service in stage.supervisor.services},
            wires={"kafka": laid, "postgres": postgres_wires},
            outside=outside,
            disk=disk,
            random=Random(seed),
            log=stack.folder / "logs",
        )
        monkey = _monkey(ground, stage, marks, seed=seed, say=say)
        people = _population(catalogue, began_at, mix, seed=seed, scale=scale)
        living, seconds = _conductor(endpoints, catalogue, people, began_at), minutes * 60
        summary = await _under_fire(living, people, monkey, writers, outside, seconds, most, show)
        say("The last complaint has ended. Everything is read, from outside …")
        return await judged_outcome(
            endpoints,
            catalogue,
            summary,
            monkey,
            writers,
            outside,
            seed=seed,
            mix=mix,
            minutes=minutes,
            died=died,
            ended=ended,
            left_out=[] if disk is not None else ["the log's disk full"],
        )


async def _over_http(stage: RehearsalCity, began_at: datetime) -> HttpSender:
    """A sender over HTTP, with its key."""
    log = next(service.log for service in stage.supervisor.services if service.name == WEB)
    sender = HttpSender(stage.endpoints, log)
    await sender.open(began_at)
    return sender


def _monkey(
    ground: Ground, stage: RehearsalCity, marks: Marks, *, seed: int, say: Callable[[str], None]
) -> Monkey:
    every = [*faults(disk=ground.disk is not None), *projector_faults(), *door_faults()]
    return Monkey(ground, marks, Counts(stage.supervisor.pids), every, seed=seed, say=say)


def _hearing(say: Callable[[str], None], died: list[str], ended: list[str]) -> Callable[[str], None]:
    """Pass on what supervision says; what died by itself, and what ended, is noted."""

    def hear(text: str) -> None:
        say(text)
        if ENDED in text:
            ended.append(text)
        if "it is started again in" in text and "SIGKILL" not in text and "with code 0" not in text:
            died.append(text)

    return hear


def _staged(
    catalogue: Catalogue, stack: Stack, wired: Callable[[Service], Service], say: Callable[[str], None]
) -> AbstractAsyncContextManager[RehearsalCity]:
    return staged(
        CITY,
        catalogue,
        ruleset=RULESET,
        traces_ratio=0.0,
        counts={},
        say=say,
        keep=False,
        stack=stack,
        wired=wired,
    )


def _population(catalogue: Catalogue, began_at: datetime, mix: Mix, *, seed: int, scale: float) -> Closing:
    days = [day for day in requests_by_day() if day >= FIRST_DAY]
    people = BeijingYear(catalogue, seed=seed, scale=scale, days=days)
    return Closing(people_of(mix, people, catalogue, seed=seed), began_at)


def _conductor(
    endpoints: CityEndpoints, catalogue: Catalogue, population: Closing, began_at: datetime
) -> Conductor:
    return Conductor(
        population,
        kafka=endpoints.outside,
        postgres=endpoints.owner_dsn,
        prefix=endpoints.prefix,
        units=tuple(catalogue.units),
        start=began_at,
        step=STEP,
    )


async def _under_fire(
    conductor: Conductor,
    population: Closing,
    monkey: Monkey,
    writers: Writers,
    outside: Outside,
    seconds: float,
    most: int | None,
    show: Callable[[RehearsalProgress], None],
) -> Summary:
    """The city, those who write, those who call and the monkey; then the city alone, to its end."""

    async def calls() -> None:
        while True:
            await outside.call()
            await asyncio.sleep(CALL_SECONDS)

    async def over_http() -> None:
        assert outside.http is not None  # noqa: S101 -- the run has made it
        await outside.http.send()

    async def fire() -> None:
        begun = [asyncio.ensure_future(work) for work in (writers.write(), calls(), over_http())]
        playing = asyncio.ensure_future(monkey.play(seconds=seconds, most=most))
        try:
            await asyncio.wait([playing, *begun], return_when=asyncio.FIRST_COMPLETED)
            for task in begun:
                if task.done():
                    task.result()
            await playing
        finally:
            playing.cancel()
            writers.stop()
            for task in begun[1:]:
                task.cancel()
            await asyncio.gather(playing, *begun, return_exceptions=True)
            population.close()

    burning = asyncio.ensure_future(fire())
    living = asyncio.ensure_future(conductor.live(show))
    try:
        await asyncio.wait([burning, living], return_when=asyncio.FIRST_COMPLETED)
        if burning.done():
            burning.result()
        return await living
    finally:
        for task in (burning, living):
            task.cancel()
        await asyncio.gather(burning, living, return_exceptions=True)


# -- what it stands on


@asynccontextmanager
async def _ground(
    where: Path, say: Callable[[str], None]
) -> AsyncIterator[tuple[Stack, Wires, dict[str, Wire], Disk | None]]:
    """A stack of its own, made anew, with a wire to Kafka for each process and its log on a small disk."""
    old = Stack(where)
    await old.down()
    old.wipe()
    with Wires() as wires:
        ports = child.free_ports(2 * len(PROCESSES))
        listeners = [
            Listener(f"WIRE_{name.upper()}", port, by)
            for name, port, by in zip(PROCESSES, ports[::2], ports[1::2], strict=True)
        ]
        laid = {
            name: wires.lay(name, listener.port, port=listener.advertised)
            for name, listener in zip(PROCESSES, listeners, strict=True)
        }
        stack = Stack(where, zipkin=False, listeners=listeners)
        disk = Disk(where.with_name(f"{where.name}-disk"))
        mounted = False
        try:
            await stack.up(say)
            mounted = await disk.mount()
            if mounted:
                await _onto(disk, stack, say)
            yield stack, wires, laid, disk if mounted else None
        finally:
            await stack.down()
            if mounted:
                await disk.unmount()


async def _onto(disk: Disk, stack: Stack, say: Callable[[str], None]) -> None:
    """PostgreSQL's data onto the small disk."""
    running = read_state(stack.folder).running["postgres"]
    await child.stop(running, signal.SIGINT, patience_seconds=20)
    disk.take_in(stack.folder / "postgres")
    await stack.up(lambda _: None)
    say("The log lies on a small disk that can be filled.")


def _rewired(service: Service, wires: Wires, kafka: Mapping[str, Wire], postgres: dict[str, Wire]) -> Service:
    """A process that reaches Kafka and PostgreSQL through wires of its own."""
    upper = service.name.upper()
    env = dict(service.env)
    dsn = env[f"{upper}_POSTGRES"]
    if service.name not in postgres:
        postgres[service.name] = wires.lay(service.name, urlsplit(dsn).port or 0, commits=True)
    env[f"{upper}_POSTGRES"] = postgres_address.moved(dsn, postgres[service.name].address)
    if service.name in kafka:  # the projector speaks to PostgreSQL alone
        env[f"{upper}_KAFKA"] = kafka_address.moved(env[f"{upper}_KAFKA"], kafka[service.name].address)
    if service.name == "relay":
        env["RELAY_ANCHOR_SECONDS"] = str(ANCHOR_SECONDS)
    return replace(service, env=env)


# -- what it came to
