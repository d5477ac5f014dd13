"""One part of a stack is started, waited for, and started again where it hangs or has died."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from deploy.embedded import child
from deploy.embedded.child import LOOPBACK
from deploy.embedded.errors import StackError
from deploy.embedded.server import plain_env
from deploy.embedded.state import State, read_state, write_state
from shared.runtime.patience import HUNG_SERVER_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from deploy.embedded.child import Child
    from deploy.embedded.server import Server

ATTEMPTS_MAX: Final = 3
HANGING_SECONDS_MAX: Final = HUNG_SERVER_SECONDS
"""How long one that is past its start is asked before it is started again."""
OWN_PORT_SECONDS_MAX: Final = 10.0
"""How long a port that was ours stays ours after its process: the kernel closes it a little later."""
POLL_SECONDS: Final = 0.05


class Starter:
    """Starts the parts of the stack in one folder, and writes down their processes and ports there."""

    def __init__(self, folder: Path, servers: Sequence[Server], *, die_with_parent: bool) -> None:
        """`servers`: all parts of the stack. `die_with_parent`: the kernel ends them with the starting thread."""
        self._folder = folder
        self._servers = servers
        self._die_with_parent = die_with_parent

    async def have_running(self, server: Server, say: Callable[[str], None]) -> None:
        """Return once it answers; `StackError` where it does not come. One that hangs or died is started again."""
        state = read_state(self._folder)
        running = state.running.get(server.name)
        if running is not None:
            if child.is_alive(running) and await self._answers_soon(server, running, state.ports, say):
                return
            if child.is_alive(running):
                age_seconds = child.age_seconds(running)
                say(f"{server.label} runs for {age_seconds:.0f} s and does not answer; it is started again")
            else:
                say(f"{server.label} had died; it is started again")
            await self._end(server, running, state.ports)
        await self._start(server, say)

    async def _answers_soon(
        self, server: Server, running: Child, ports: Mapping[str, int], say: Callable[[str], None]
    ) -> bool:
        """Wait for a process that runs already: as long as a start may take, counted from its own."""
        if await server.answers(ports):
            return True
        age_seconds = child.age_seconds(running)
        if self.still_starts(server, running) and server.needed:
            say(f"{server.label} is still starting, since {age_seconds:.0f} s; it is waited for")
        deadline = time.monotonic() + max(server.start_seconds_max - age_seconds, HANGING_SECONDS_MAX)
        while child.is_alive(running):
            if await server.answers(ports):
                return True
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return False

    @staticmethod
    def still_starts(server: Server, running: Child) -> bool:
        """Whether it may still take its time."""
        return child.age_seconds(running) < server.start_seconds_max

    async def _start(self, server: Server, say: Callable[[str], None]) -> None:
        began = time.monotonic()
        for attempt in range(1, ATTEMPTS_MAX + 1):
            ports = self._ports_for(server, say)
            await server.prepare(ports)
            running = child.spawn(
                server.command(ports),
                env=plain_env(),
                log=server.output(),
                folder=self._folder,
                dies_with_parent_by=server.orphan_signal if self._die_with_parent else None,
                become=server.become(),
            )
            self.remember(server.name, running)
            if await self._answers_before_end(server, running, ports):
                seconds = time.monotonic() - began
                port = ports[server.port_names[0]]
                say(f"{server.label} {server.version} answers on {LOOPBACK}:{port} after {seconds:.1f} s")
                return
            # Between our choice of a port and its use another program may have taken it: worth another try.
            taken = any(not child.is_free(ports[name]) for name in server.port_names)
            if not taken or attempt == ATTEMPTS_MAX:
                break
        self.remember(server.name, None)  # what is said here need not be said again by who comes next
        raise StackError(
            f"{server.label} stopped while it started: {server.last_words() or 'its log tells no error'} "
            f"(its log: {server.output().parent})."
        )

    async def _answers_before_end(self, server: Server, running: Child, ports: Mapping[str, int]) -> bool:
        """Wait until a fresh process answers; False when it ended first, `StackError` when it is too slow."""
        deadline = time.monotonic() + server.start_seconds_max
        while child.is_alive(running):
            if await server.answers(ports):
                return True
            if time.monotonic() > deadline:
                await self._end(server, running, ports)
                raise StackError(
                    f"{server.label} did not answer within {server.start_seconds_max:.0f} s and was stopped: "
                    f"{server.last_words() or 'it was still starting'} (its log: {server.output().parent})."
                )
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def _end(self, server: Server, running: Child, ports: Mapping[str, int]) -> None:
        """End a process of ours, and forget it: it has not died by itself."""
        await child.stop(running, server.stop_signal, patience_seconds=server.stop_seconds_max)
        await self._ports_come_free(server, ports)
        self.remember(server.name, None)

    async def _ports_come_free(self, server: Server, ports: Mapping[str, int]) -> None:
        """Wait until the ports of a process of ours that has ended are closed; whoever has them then is another."""
        deadline = time.monotonic() + OWN_PORT_SECONDS_MAX
        held = [ports[name] for name in server.port_names if name in ports]
        while not all(child.is_free(port) for port in held):
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(POLL_SECONDS)

    def _ports_for(self, server: Server, say: Callable[[str], None]) -> Mapping[str, int]:
        """Give the part's ports: the ones it had, as long as nobody else has taken them."""
        state = read_state(self._folder)
        ports = dict(state.ports)
        taken = [name for name in server.port_names if name not in ports or not child.is_free(ports[name])]
        for name, port in zip(taken, child.free_ports(len(taken)), strict=True):
            if name in ports:
                say(f"port {ports[name]} of {server.label} is taken by another program; it moves to {port}")
            ports[name] = port
        write_state(self._folder, replace(state, ports=ports))
        return ports

    def remember(self, name: str, running: Child | None) -> None:
        """Write down which process a part is; None: it has none."""
        state = read_state(self._folder)
        others = {other: process for other, process in state.running.items() if other != name}
        write_state(
            self._folder,
            State(
                ports=state.ports,
                running=others if running is None else others | {name: running},
                versions={server.name: server.version for server in self._servers},
            ),
        )
