"""Keeps the services alive, and the stack under them: what dies is started again, and that is said."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deploy.embedded import child
from deploy.embedded.errors import StackError
from deploy.embedded.state import Roster, write_roster
from shared.runtime.patience import STOP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deploy.embedded.child import Child
    from deploy.embedded.stack import Stack

POLL_SECONDS: Final = 0.1
STACK_POLL_SECONDS: Final = 0.4
"""How often it is looked whether the parts of the stack live: the services wait for them anyhow."""
BACK_OFF_SECONDS_MIN: Final = 0.2
BACK_OFF_SECONDS_MAX: Final = 5.0
STEADY_SECONDS: Final = 10.0
STOP_SECONDS_MAX: Final = STOP_SECONDS
ASK_SECONDS: Final = 5.0
"""How often the parts of the stack are asked whether they answer: one that hangs is alive all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A process to keep alive; `env` is all it gets, its output is appended to `log`."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    log: Path


@dataclass(slots=True, kw_only=True)
class _Watched:
    """A service's process and when, if it has died, the next one starts."""

    service: Service
    process: Child | None = None
    started_at_seconds: float = 0.0
    back_off_seconds: float = 0.0
    due_at_seconds: float | None = field(default=None)


class Supervisor:
    """Starts services and starts them again when they die, each by itself, with growing pauses.

    With `die_with_parent` (Linux) the services end with the thread that called `start` and `watch`. With a
    stack, its dead parts are brought back as well. The stack's folder knows the services, so `Stack.down`
    from another process ends them too. It sends SIGTERM to the process that supervises, which then has to
    call `stop`.
    """

    def __init__(
        self,
        services: Sequence[Service],
        *,
        stack: Stack | None,
        say: Callable[[str], None],
        die_with_parent: bool = True,
    ) -> None:
        """Take the services in the order in which they are started; nothing starts yet."""
        self._watched = [_Watched(service=service) for service in services]
        self._stack = stack
        self._say = say
        self._die_with_parent = die_with_parent
        self._stopping = asyncio.Event()
        self.restarts: dict[str, int] = {service.name: 0 for service in services}

    @property
    def services(self) -> list[Service]:
        """The services that are kept alive."""
        return [watched.service for watched in self._watched]

    async def start(self) -> None:
        """Start every service; `StackError` where a command does not exist."""
        self._stopping.clear()
        for watched in self._watched:
            try:
                self._spawn(watched)
            except OSError as error:
                program = watched.service.command[0]
                raise StackError(
                    f"{watched.service.name} cannot be started: {program}: {error.strerror}."
                ) from None
        self._write_roster()

    async def watch(self) -> None:
        """Bring back what dies, with one line for each, until `stop` is called."""
        mending = asyncio.create_task(self._mend_stack()) if self._stack is not None else None
        try:
            while not self._stopping.is_set():
                for watched in self._watched:
                    self._look_after(watched)
                await self._pause(POLL_SECONDS)
        finally:
            if mending is not None:
                mending.cancel()
                await asyncio.gather(mending, return_exceptions=True)

    async def stop(self) -> None:
        """Ask every service to end, end those that have not after `STOP_SECONDS_MAX`, and reap them all."""
        self._stopping.set()
        await asyncio.gather(
            *(
                child.stop(watched.process, signal.SIGTERM, patience_seconds=STOP_SECONDS_MAX)
                for watched in self._watched
                if watched.process is not None
            )
        )
        for watched in self._watched:
            watched.process = None
            watched.due_at_seconds = None
        if self._stack is not None:
            write_roster(self._stack.folder, Roster())

    def pids(self) -> dict[str, int]:
        """Give the process ids of the services that live now."""
        return {
            watched.service.name: watched.process.pid
            for watched in self._watched
            if watched.process is not None and child.is_alive(watched.process)
        }

    def _look_after(self, watched: _Watched) -> None:
        now = time.monotonic()
        if watched.due_at_seconds is not None:
            if now >= watched.due_at_seconds:
                self._start_again(watched)
        elif watched.process is not None and not child.is_alive(watched.process):
            lived_seconds = now - watched.started_at_seconds
            self._put_off(
                watched,
                f"ended {child.how_it_ended(watched.process)} after {lived_seconds:.1f} s",
                steady=lived_seconds >= STEADY_SECONDS,
            )

    def _start_again(self, watched: _Watched) -> None:
        try:
            self._spawn(watched)
        except OSError as error:
            self._put_off(watched, f"cannot be started ({error.strerror})", steady=False)
            return
        self.restarts[watched.service.name] += 1
        self._write_roster()

    def _put_off(self, watched: _Watched, why: str, *, steady: bool) -> None:
        longer = watched.back_off_seconds * 2
        watched.back_off_seconds = (
            BACK_OFF_SECONDS_MIN if steady else min(BACK_OFF_SECONDS_MAX, max(BACK_OFF_SECONDS_MIN, longer))
        )
        watched.due_at_seconds = time.monotonic() + watched.back_off_seconds
        self._say(
            f"{watched.service.name} {why}; it is started again in {watched.back_off_seconds:.1f} s "
            f"(its log: {watched.service.log})"
        )

    def _spawn(self, watched: _Watched) -> None:
        watched.process = self.process_of(watched.service)
        watched.started_at_seconds = time.monotonic()
        watched.due_at_seconds = None

    def process_of(self, service: Service) -> Child:
        """Start a service's process."""
        return child.spawn(
            service.command,
            env=service.env,
            log=service.log,
            folder=Path.cwd(),
            dies_with_parent_by=signal.SIGKILL if self._die_with_parent else None,
        )

    async def _mend_stack(self) -> None:
        """Bring back parts of the stack that died or hang, as often as needed, with pauses that grow meanwhile."""
        back_off_seconds, mended_at_seconds, asked_at_seconds = BACK_OFF_SECONDS_MIN, 0.0, time.monotonic()
        while self._stack is not None and not self._stopping.is_set():
            broken = bool(self._stack.dead_parts())
            if not broken and time.monotonic() - asked_at_seconds > ASK_SECONDS:
                broken = bool(await self._stack.silent_parts())
                asked_at_seconds = time.monotonic()
            if broken:
                if time.monotonic() - mended_at_seconds >= STEADY_SECONDS:
                    back_off_seconds = BACK_OFF_SECONDS_MIN
                try:
                    await self._stack.up(self._say)
                except StackError as error:
                    self._say(f"{error} It is tried again in {back_off_seconds:.1f} s.")
                mended_at_seconds = time.monotonic()
                await self._pause(back_off_seconds)
                back_off_seconds = min(BACK_OFF_SECONDS_MAX, back_off_seconds * 2)
            await self._pause(STACK_POLL_SECONDS)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _write_roster(self) -> None:
        if self._stack is not None:
            services = {
                watched.service.name: watched.process
                for watched in self._watched
                if watched.process is not None
            }
            write_roster(self._stack.folder, Roster(supervisor=child.myself(), services=services))
