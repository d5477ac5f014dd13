"""A rehearsal on a stack: a fresh city, its services, somebody to live in it, and everything put away."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg
import msgspec
from confluent_kafka.admin import AdminClient

from deploy.city import kafka_logins
from deploy.city.endpoints import CityEndpoints
from deploy.city.making import create
from deploy.city.processes import Opening, behind, leave_running, services_of, with_ports
from deploy.city.registry import ANCHORS_FILE, City, city_folder, folder, remember_city, typed
from deploy.embedded import child
from deploy.embedded.patience import told_meanwhile
from deploy.embedded.stack import Addresses, Stack
from deploy.embedded.state import read_roster, read_state
from deploy.supervision.supervisor import Service, Supervisor
from deploy.supervision.watchman import Watchman
from hotline.audit.report import Report
from hotline.audit.verify import verify
from hotline.contact_details import keep_key
from hotline.lab.acknowledged import Acknowledged, lost
from hotline.lab.desks.city import LIVED, prepare
from hotline.readside.standing import caught_up
from services.intake.knowledge.base import load_where_empty
from shared.complaint import STATE_SCHEMA, Complaint, stored_head, waits_for
from shared.log.heads import fetch, over_heads
from shared.policy.catalogue import Catalogue
from shared.runtime import kafka_address
from shared.runtime.errors import UserError
from shared.unreadable import UnreadableRows

Say = Callable[[str], None]
T = TypeVar("T")

DROP_SECONDS_MAX: Final = 60
LISTED_SECONDS: Final = 0.05
LISTED_SECONDS_MAX: Final = 30.0
"""How long after the last fact the lists may need; on a machine with too much to do it is more than a second."""

_OPEN: Final = over_heads(
    """
SELECT stream_id::text, text, state_schema FROM {heads}
WHERE state_schema = $1 AND state -> 'ended' IS NULL ORDER BY stream_id
"""
)


class RehearsalInterrupted(Exception):  # noqa: N818 -- somebody pressed Ctrl-C
    """A person has seen enough."""


@dataclass(frozen=True, slots=True)
class RehearsalCity:
    """A city in rehearsal time, with its services running."""

    endpoints: CityEndpoints
    stack: Stack
    supervisor: Supervisor


@asynccontextmanager
async def staged(
    name: str,
    catalogue: Catalogue,
    *,
    ruleset: str,
    traces_ratio: float,
    counts: Mapping[str, int],
    say: Say,
    keep: bool,
    zipkin: bool = True,
    stack: Stack | None = None,
    wired: Callable[[Service], Service] = lambda service: service,
) -> AsyncIterator[RehearsalCity]:
    """A fresh city of this name, open in rehearsal time; afterwards all is stopped, or kept on request.

    `stack`: one that was chosen otherwise; `wired`: a process as it is to be started. However and whenever it
    ends, what was started here is stopped. A stack that ran before goes on running.
    """
    where = folder()
    ran_before = Stack.addresses_of(where) is not None
    stack = stack or Stack(where, zipkin=zipkin)
    if ran_before and any(health.up for health in stack.services().values()):
        raise UserError("A city is up on this stack: `hotline down` first, the rehearsal needs the machine.")
    async with AsyncExitStack() as put_away:
        if not ran_before:
            put_away.push_async_callback(stack.down)
        addresses = await stack.up(say)
        say(f"A new city '{name}': its database, and topics for {len(catalogue.units):,} units …")
        async with told_meanwhile(say, lambda: "waiting for its database and topics"):
            city = await _fresh(addresses, name, catalogue, ruleset=ruleset, traces_ratio=traces_ratio)
        say("Its desks and the relay start.")
        services = [wired(service) for service in services_of(city, counts)]
        supervisor = Supervisor(services, stack=stack, say=say)
        put_away.push_async_callback(supervisor.stop)
        await supervisor.start()
        watching = asyncio.ensure_future(supervisor.watch())
        put_away.push_async_callback(_ended, watching)
        watchman = asyncio.ensure_future(Watchman(city.endpoints, catalogue, supervisor, say).watch())
        put_away.push_async_callback(_ended, watchman)
        yield RehearsalCity(city.endpoints, stack, supervisor)
        if keep:
            say("It is kept up, under a supervisor of its own.")
            await _ended(watchman)
            await _ended(watching)
            await supervisor.stop()
            opening = Opening(city)
            leave_running(city, where)
            async with told_meanwhile(say, lambda: "waiting for its desks to open"):
                await opening.wait()
            put_away.pop_all()


async def _fresh(
    addresses: Addresses, name: str, catalogue: Catalogue, *, ruleset: str, traces_ratio: float
) -> City:
    """A city without a past: what a rehearsal of this name left behind goes. It is the current one now."""
    await remove(addresses, name)
    home = city_folder(name)
    home.mkdir(parents=True, exist_ok=True)
    (home / ANCHORS_FILE).unlink(missing_ok=True)  # of a log that is gone
    path = home / "catalogue.json"
    path.write_bytes(msgspec.json.encode(catalogue))
    endpoints = await create(addresses, name, catalogue.units, retention=LIVED.retention, simulated=True)
    await prepare(endpoints.owner_dsn)
    await keep_key(home, endpoints)
    await load_where_empty(endpoints.login("editor"))  # its agents answer from the example's articles
    city = with_ports(
        City(
            endpoints=endpoints,
            served=LIVED,
            ruleset=ruleset,
            catalogue=str(path),
            traces_ratio=traces_ratio,
            logs=str(home / "logs"),
        )
    )
    remember_city(city)
    return city


async def _ended(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until_interrupted(work: Coroutine[Any, Any, T], say: Say) -> T:
    """Do it; the first Ctrl-C or SIGTERM ends it, and raises `Interrupted` when it has put everything away.

    A second Ctrl-C is only told that it is stopping: it must not leave half of it.
    """
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    told = False

    def stop() -> None:
        nonlocal told
        say("It is stopping already, a moment …" if told else "Stopping …")
        if not told:
            task.cancel()
        told = True

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        await asyncio.wait({task})
        if told:
            await asyncio.gather(task, return_exceptions=True)
            raise RehearsalInterrupted
        return task.result()
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


async def verified(
    endpoints: CityEndpoints,
    catalogue: Catalogue,
    told: Iterable[Acknowledged] = (),
    *,
    all_end: bool = False,
    anchors: Path | None = None,
) -> Report:
    """Read the log of a rehearsal that has ended: all holds, all is sent, and nobody has anything left to hear.

    Nothing of `told` may be missing from the log. With `all_end` a life that goes on is a problem too. With
    the file of `anchors` a fact that differs from its anchored form is a problem too. Each finding is a
    problem of the report, with the complaint's or the input's name.
    """
    reader = endpoints.logins["reader"]
    listed = await _listed(reader)
    report = await verify(reader, kafka=endpoints.kafka, prefix=endpoints.prefix, anchors=anchors)
    if not listed:
        report.found("", f"the lists do not hold all facts {LISTED_SECONDS_MAX:.0f} s after the last one")
    for one in sorted(await lost(reader, endpoints.prefix, told)):
        report.found(
            "", f"{one.source} {one.event_id} ({one.type}, key {one.key}): acknowledged by Kafka, and lost"
        )
    for complaint, case in await open_lives(reader) if all_end else ():
        waiting = waits_for(case)
        who = f"waits for {waiting.name} to {waiting.what}" if waiting is not None else "waits for nobody"
        report.found(complaint, f"still open at the end of the rehearsal: {who}")
    for who, left in (await behind(endpoints, catalogue)).items():
        if left:
            owes = "send facts" if who == "relay" else f"take in {left:,} of its messages"
            report.found("", f"the rehearsal has ended, and {who} has still to {owes}")
    return report


async def _listed(reader_dsn: str) -> bool:
    """Whether the lists hold what is in the log, once the projector has had its time."""
    connection = await asyncpg.connect(reader_dsn)
    try:
        standing = await caught_up(connection, LISTED_SECONDS_MAX)
    except UserError:
        return False
    finally:
        await connection.close()
    return not standing.going and not standing.behind


async def open_lives(reader_dsn: str) -> list[tuple[str, Complaint]]:
    """Every complaint whose life goes on, by its head; those without a readable head are verify's to name."""
    unread = UnreadableRows()
    connection = await asyncpg.connect(reader_dsn)
    try:
        rows = await fetch(connection, _OPEN, STATE_SCHEMA, unread=unread)
    finally:
        await connection.close()
    return unread.each(rows, lambda row: str(row[0]), lambda row: (row[0], stored_head(*row)))


async def remove(addresses: Addresses, name: str) -> None:
    """Drop a city's database and topics, if there are any."""
    admin = await asyncpg.connect(addresses.database("postgres"))
    try:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await admin.close()

    await asyncio.to_thread(kafka_logins.remove, addresses.kafka, name)
    client = AdminClient(kafka_address.librdkafka(addresses.kafka))

    def mine() -> list[str]:
        return [topic for topic in client.list_topics(timeout=30).topics if topic.startswith(f"{name}.")]

    def drop(topics: list[str]) -> None:
        for gone in client.delete_topics(topics, operation_timeout=DROP_SECONDS_MAX).values():
            gone.result()
        groups = [
            group.group_id
            for group in client.list_consumer_groups().result().valid
            if group.group_id.startswith(f"{name}.")
        ]
        for gone in client.delete_consumer_groups(groups).values() if groups else ():
            with suppress(Exception):  # a group without a member disappears by itself
                gone.result()

    if topics := await asyncio.to_thread(mine):
        await asyncio.to_thread(drop, topics)
        # A topic still listed would pass for one that need not be made again.
        give_up_at = time.monotonic() + DROP_SECONDS_MAX
        while left := await asyncio.to_thread(mine):
            if time.monotonic() > give_up_at:
                raise UserError(
                    f"Kafka has not removed {len(left)} topics of {name} in {DROP_SECONDS_MAX} s."
                )
            await asyncio.sleep(LISTED_SECONDS)


def how_it_is_left(where: Path, city: str) -> str:
    """A sentence: what still runs after a rehearsal that was stopped, and why; what is kept, and how to go on."""
    kept = f"What was recorded stays in {os.path.relpath(where)}"
    again = f"{typed(f'up --city {city}', where)} opens it again"
    running = left_running(where)
    if running:
        return f"{running} {kept}: {again}."
    return (
        f"Nothing is left running. {kept}: {typed('up --stack-only', where)} to look into it, "
        f"{again}, {typed('wipe', where)} removes it."
    )


def left_running(where: Path) -> str:
    """Which processes of this folder go on, in a sentence that says why; empty where none does."""
    names = sorted(
        name
        for name, process in {**read_state(where).running, **read_roster(where).services}.items()
        if child.is_alive(process)
    )
    if not names:
        return ""
    return f"{', '.join(names)} go on running, the stack was up before: {typed('down', where)} ends them."
