"""A rehearsal on a stack: a fresh city, its services, somebody to live in it, and everything put away."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
from confluent_kafka.admin import AdminClient

from hotline.realm import Realm, create, services
from hotline.stack.errors import StackError
from hotline.stack.stack import Addresses, Stack
from hotline.stack.supervisor import Supervisor
from hotline.where import City, folder, remember_city
from shared.catalogue import Catalogue

Say = Callable[[str], None]

DROP_SECONDS_MAX: Final = 60


class Interrupted(Exception):  # noqa: N818 -- somebody pressed Ctrl-C
    """A person has seen enough."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A city in rehearsal time, with its services running."""

    realm: Realm
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
) -> AsyncIterator[Stage]:
    """A fresh city of this name, open in rehearsal time; afterwards all is stopped, or kept on request.

    Raises `Interrupted` in the body on Ctrl-C or SIGTERM. A stack that ran before goes on running.
    """
    where = folder()
    ran_before = Stack.addresses_of(where) is not None
    stack = Stack(where, zipkin=zipkin)
    if ran_before and any(health.up for health in stack.services().values()):
        raise StackError("A city is up on this stack: `hotline down` first, the rehearsal needs the machine.")
    addresses = await stack.up(say)
    # Fresh from the first fact on: what a rehearsal of this name left behind goes.
    await remove(addresses, name)
    path = where / f"catalogue-{name}.json"
    path.write_bytes(msgspec.json.encode(catalogue))
    realm = await create(addresses, name, catalogue.units, retention=False)
    remember_city(
        City(
            realm=realm,
            time="rehearsal",
            ruleset=ruleset,
            catalogue=str(path.absolute()),
            traces_ratio=traces_ratio,
        )
    )
    supervisor = Supervisor(
        services(
            realm,
            where.absolute() / "logs" / name,
            time="rehearsal",
            traces_ratio=traces_ratio,
            ruleset=ruleset,
            catalogue=str(path.absolute()),
            counts=counts,
        ),
        stack=stack,
        say=say,
        die_with_parent=not keep,
    )
    await supervisor.start()
    watching = asyncio.ensure_future(supervisor.watch())
    done = False
    try:
        yield Stage(realm, stack, supervisor)
        done = True
    finally:
        if not (keep and done):
            await supervisor.stop()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        if not (keep and done) and not ran_before:
            await stack.down()


async def until_interrupted(work: asyncio.Task[object]) -> None:
    """Wait for the work; on Ctrl-C or SIGTERM cancel it and raise `Interrupted`."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            raise Interrupted
        work.result()
    finally:
        stopping.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def remove(addresses: Addresses, name: str) -> None:
    """Drop a city's database and topics, if there are any."""
    admin = await asyncpg.connect(addresses.database("postgres"))
    try:
        await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await admin.close()

    def drop() -> None:
        client = AdminClient({"bootstrap.servers": addresses.kafka, "log_level": 0})
        mine = [topic for topic in client.list_topics(timeout=30).topics if topic.startswith(f"{name}.")]
        if mine:
            for gone in client.delete_topics(mine, operation_timeout=DROP_SECONDS_MAX).values():
                gone.result()
            groups = [
                group.group_id
                for group in client.list_consumer_groups().result().valid
                if group.group_id.startswith(f"{name}.")
            ]
            for gone in client.delete_consumer_groups(groups).values() if groups else ():
                with suppress(Exception):  # a group without a member disappears by itself
                    gone.result()

    await asyncio.to_thread(drop)


def stop_hint(where: Path) -> str:
    """How to go on after everything was stopped."""
    shown = os.path.relpath(where)
    return (
        f"The log stays in {shown}: `hotline up --stack-only` to look into it, `hotline wipe` to remove it."
    )
