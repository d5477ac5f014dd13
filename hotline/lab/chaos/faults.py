"""The faults of a chaos run, one at a time. A fault is over when its cause is: then work must go on by itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import asyncpg

from deploy.city.endpoints import DESKS, PROCESSES, PROJECTOR
from deploy.embedded import child
from deploy.embedded.child import Child
from deploy.embedded.state import read_roster, read_state
from deploy.supervision.supervisor import Service
from hotline.lab.chaos import letters
from hotline.lab.chaos.disk import Disk, filled
from hotline.lab.chaos.outside import Outside
from hotline.lab.chaos.wire import Break, Wire
from hotline.lab.rehearsal.stage import RehearsalCity
from shared.log.away import AWAY
from shared.runtime.patience import FINISH_SECONDS, HAND_SECONDS, REQUEST_SECONDS, SESSION_SECONDS

HEARING: Final = ("intake", "dispatch", "feedback")
"""The desks that hear Kafka in a group."""
EVERYBODY: Final = (*PROCESSES, PROJECTOR)
SERVERS: Final = ("kafka", "postgres")
STOPPED_SECONDS: Final = max(SESSION_SECONDS, REQUEST_SECONDS) + 2.0
"""Past the session of a consumer and the request of a producer, and before a server is taken for hung."""
CUT_SECONDS: Final = 3.0
SLOW_SECONDS: Final = 4.0
SLOW_BY_SECONDS: Final = 0.5
FULL_SECONDS: Final = 4.0
WRONG_CLOCK_SECONDS: Final = 4.0
TOGETHER_SECONDS: Final = 3.0
FLOOD: Final = 3000
"""Messages on one door at once: ten times and more what its city says in the seconds a fault takes."""
LETTERS: Final = 400
"""Typed in at once: a sack of post, each with a limit or two that is over as it is recorded."""
COMMIT_SECONDS_MAX: Final = 10.0
BACK_SECONDS_MAX: Final = 60.0
TERM_SECONDS_MAX: Final = FINISH_SECONDS
"""A desk that is asked to end finishes its batch and leaves its group in this time."""

_BACKENDS: Final = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_PRESENT: Final = "SELECT settled FROM lab.city_clock"
_BACKENDS_OF: Final = _BACKENDS + " AND datname = current_database() AND application_name = $1"


@dataclass(slots=True)
class Ground:
    """All that can be made to fail."""

    stage: RehearsalCity
    services: Mapping[str, Service]
    wires: Mapping[str, Mapping[str, Wire]]
    """By server, then by who is behind it."""
    outside: Outside
    disk: Disk | None
    random: Random
    log: Path
    """Where those that are started twice write."""

    async def living(self, name: str) -> Child:
        """A service's or a server's process, waited for if it is just being brought back."""
        where = self.stage.stack.folder
        async with asyncio.timeout(BACK_SECONDS_MAX):
            while True:
                found = {**read_state(where).running, **read_roster(where).services}.get(name)
                if found is not None and child.is_alive(found):
                    return found
                await asyncio.sleep(0.05)

    def second(self, name: str, module_before: tuple[str, ...] = ()) -> Child:
        """One more process of a service, beside the supervised one."""
        service = self.services[name]
        command = service.command
        if module_before:
            command = (command[0], *module_before, command[-1])
        return child.spawn(
            command,
            env={**service.env, f"{name.upper()}_INSTANCE": ""},
            log=self.log / f"{name}-second.log",
            folder=Path.cwd(),
            dies_with_parent_by=signal.SIGKILL,
        )


class Done(NamedTuple):
    """The conditions to wait for after a fault."""

    victims: Collection[str]
    """Processes that must make progress again."""
    note: str = ""
    needs_hand: bool = False
    """The expected effect did not come about, however long the run waited."""


Cause = Callable[[Ground], Awaitable[Done]]


class Fault(NamedTuple):
    """One kind of fault."""

    name: str
    weight: float
    """How often, against the others."""
    cause: Cause
    in_every_run: bool = False
    """No run goes without it, however short and whatever its seed."""


# -- processes


def killed(name: str) -> Cause:
    """Kill -9."""

    async def cause(ground: Ground) -> Done:
        os.kill((await ground.living(name)).pid, signal.SIGKILL)
        return await _back(ground, name)

    return cause


async def _back(ground: Ground, name: str) -> Done:
    """A process has to go on by itself; of a server the time counts from when it answers again."""
    if name not in SERVERS:
        return Done((name,))
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(BACK_SECONDS_MAX * 2):
        await asyncio.sleep(0.1)
        while name in await ground.stage.stack.silent_parts():  # noqa: ASYNC110 -- another process
            await asyncio.sleep(0.05)
    return Done(EVERYBODY, f"(it answered after {asyncio.get_running_loop().time() - began:.1f} s)")


def stopped(name: str) -> Cause:
    """SIGSTOP, and on again past every lease and session; PostgreSQL with all its backends."""

    async def cause(ground: Ground) -> Done:
        pids = [(await ground.living(name)).pid]
        if name == "postgres":
            pids += _children(pids[0])
        _signal(pids, signal.SIGSTOP)
        try:
            await asyncio.sleep(STOPPED_SECONDS)
        finally:
            _signal(pids, signal.SIGCONT)
        return Done(EVERYBODY if name in SERVERS else (name,))

    return cause


def restarted(name: str) -> Cause:
    """SIGTERM, as an operator ends it."""

    async def cause(ground: Ground) -> Done:
        process = await ground.living(name)
        began = asyncio.get_running_loop().time()
        os.kill(process.pid, signal.SIGINT if name == "postgres" else signal.SIGTERM)
        async with asyncio.timeout(BACK_SECONDS_MAX):
            while child.is_alive(process):  # noqa: ASYNC110 -- another process, no event of ours
                await asyncio.sleep(0.02)
        seconds = asyncio.get_running_loop().time() - began
        done = await _back(ground, name)
        late = name in EVERYBODY and seconds > TERM_SECONDS_MAX
        return done._replace(note=f"took {seconds:.1f} s to end") if late else done

    return cause


def _children(pid: int) -> list[int]:
    import psutil

    with suppress(psutil.Error):
        return [one.pid for one in psutil.Process(pid).children(recursive=True)]
    return []


def _signal(pids: Collection[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


async def _backends_terminated(ground: Ground) -> Done:
    await _ask(ground, _BACKENDS)
    return Done(EVERYBODY)


async def _ask(ground: Ground, statement: str, *values: object) -> Any:
    """A word to PostgreSQL as its superuser; None while it is away."""
    with suppress(*AWAY):
        connection = await asyncpg.connect(ground.stage.endpoints.owner_dsn, timeout=5)
        try:
            return await connection.fetchval(statement, *values)
        finally:
            with suppress(Exception):
                await connection.close(timeout=1)
    return None


# -- wires


def disturbed(server: str, name: str, disturb: Callable[[Wire], None], seconds: float = 0.0) -> Cause:
    """A wire is disturbed, and as it was after so many seconds."""

    async def cause(ground: Ground) -> Done:
        wire = ground.wires[server][name]
        disturb(wire)
        await asyncio.sleep(seconds)
        wire.mend()
        return Done(_behind(name))

    return cause


def _slow(wire: Wire) -> None:
    wire.delay_seconds = SLOW_BY_SECONDS


def commit_broken(name: str, how: Break) -> Cause:
    """The connection breaks around its next commit."""

    async def cause(ground: Ground) -> Done:
        wire = ground.wires["postgres"][name]
        broken = wire.break_a_commit(how)
        happened = await asyncio.to_thread(broken.wait, COMMIT_SECONDS_MAX)
        wire.mend()
        return Done(_behind(name), "" if happened else "no commit came by")

    return cause


def _behind(name: str) -> Collection[str]:
    """The process of the system that must make progress behind a wire; none behind the writers' wire."""
    return (name,) if name in EVERYBODY else ()


# -- two of a kind


def two_owners(name: str, application: str) -> Cause:
    """The owner stands still with its work in hand, loses its lock and does not know, while another takes over."""

    async def cause(ground: Ground) -> Done:
        pid = (await ground.living(name)).pid
        _signal([pid], signal.SIGSTOP)
        second = None
        try:
            await _ask(ground, _BACKENDS_OF, application)
            second = ground.second(name)
            await asyncio.sleep(TOGETHER_SECONDS)
            _signal([pid], signal.SIGCONT)
            await asyncio.sleep(TOGETHER_SECONDS)
        finally:
            _signal([pid], signal.SIGCONT)
            if second is not None:
                await child.stop(second, signal.SIGKILL, patience_seconds=5)
        return Done((name,))

    return cause


def _joined(name: str) -> Cause:
    """Another process of the same desk comes and goes: its group is shared out anew, twice."""

    async def cause(ground: Ground) -> Done:
        second = ground.second(name)
        await asyncio.sleep(TOGETHER_SECONDS)
        await child.stop(second, signal.SIGTERM, patience_seconds=TERM_SECONDS_MAX)
        return Done((name,))

    return cause


def _wrong_clock(name: str) -> Cause:
    """It runs an hour ahead or behind for a while, beside one that is right."""

    async def cause(ground: Ground) -> Done:
        skew = ground.random.choice((-3600, 3600))
        os.kill((await ground.living(name)).pid, signal.SIGKILL)
        second = ground.second(name, ("-m", "hotline.lab.chaos.skewed", str(skew)))
        await asyncio.sleep(WRONG_CLOCK_SECONDS)
        await child.stop(second, signal.SIGTERM, patience_seconds=TERM_SECONDS_MAX)
        return Done((name,))

    return cause


# -- the disk, and those outside


async def _full(ground: Ground) -> Done:
    assert ground.disk is not None  # noqa: S101 -- else it is not among the faults
    await filled(ground.disk, FULL_SECONDS)
    return Done(EVERYBODY)


async def _flooded_by_calls(ground: Ground) -> Done:
    await ground.outside.call(FLOOD // 3)
    return Done(("intake",))


async def _flooded_by_repeats(ground: Ground) -> Done:
    said = await ground.outside.repeat(ground.random, FLOOD)
    return Done((), f"{said:,} inputs")


async def _said_again(ground: Ground) -> Done:
    said = await ground.outside.repeat(ground.random, 200)
    return Done((), f"{said:,} inputs")


async def _poisoned(ground: Ground) -> Done:
    await ground.outside.poison(ground.random, 20)
    return Done(("intake",))


async def _times_that_cannot_be(ground: Ground) -> Done:
    said = await ground.outside.impossible_times(ground.random)
    return Done(("intake",), f"{said:,} inputs")


async def _letters_typed_in(ground: Ground) -> Done:
    """Each must be sent on, and every limit that is over stated: the next tick finds it, whatever else is due."""
    present = await _ask(ground, _PRESENT)
    while present is None:
        await asyncio.sleep(0.1)
        present = await _ask(ground, _PRESENT)
    streams = await ground.outside.backlog(ground.random, LETTERS, present)
    began = asyncio.get_running_loop().time()
    left = LETTERS
    with suppress(TimeoutError):
        async with asyncio.timeout(HAND_SECONDS):
            while left:
                await asyncio.sleep(0.1)
                answer = await _ask(ground, letters.LEFT, streams, present)
                left = left if answer is None else answer
    if left:
        return Done(EVERYBODY, f"{left:,} of {LETTERS} letters wait", needs_hand=True)
    seconds = asyncio.get_running_loop().time() - began
    return Done(EVERYBODY, f"({LETTERS} letters, all that was over stated after {seconds:.1f} s)")


def faults(*, disk: bool) -> list[Fault]:
    """All kinds there are; those of the disk where there is one to fill."""
    found = [Fault(f"kill -9 {name}", 2.0, killed(name)) for name in PROCESSES]
    found += [Fault(f"kill -9 {name}", 0.7, killed(name)) for name in SERVERS]
    found += [Fault(f"SIGSTOP {name}", 0.4, stopped(name)) for name in (*PROCESSES, *SERVERS)]
    found += [Fault(f"restart {name}", 1.0, restarted(name)) for name in PROCESSES]
    found += [Fault(f"restart {name}", 0.4, restarted(name)) for name in SERVERS]
    found += [Fault("all backends of PostgreSQL terminated", 3.0, _backends_terminated)]
    wires = [(name, server) for name in PROCESSES for server in SERVERS]
    wires.remove(("escalation", "kafka"))  # it hears only the clock
    found += [
        Fault(f"{name} cut off {server}", 0.8, disturbed(server, name, Wire.cut, CUT_SECONDS))
        for name, server in wires
    ]
    found += [
        Fault(f"{name} far from {server} (500 ms)", 0.5, disturbed(server, name, _slow, SLOW_SECONDS))
        for name, server in wires
    ]
    found += [
        Fault(f"{name}: connections to {server} reset", 1.5, disturbed(server, name, Wire.reset))
        for name, server in wires
    ]
    found += [
        Fault(f"{name}: a commit {how}", 2.0, commit_broken(name, how))
        for name in (*PROCESSES, "writers")
        for how in ("unsaid", "unheard")
    ]
    found += [
        Fault("two owners of the relay's shard", 1.0, two_owners("relay", "relay")),
        Fault("two owners of the timers", 1.0, two_owners("escalation", "escalation.tick")),
    ]
    found += [Fault(f"{name}'s group shared out anew", 1.0, _joined(name)) for name in HEARING]
    found += [Fault(f"{name}'s clock an hour off", 0.5, _wrong_clock(name)) for name in DESKS]
    if disk:
        found.append(Fault("the log's disk full", 1.0, _full))
    found += [
        Fault("a flood of calls", 1.0, _flooded_by_calls, in_every_run=True),
        Fault("a flood of repeats", 1.0, _flooded_by_repeats, in_every_run=True),
        Fault("said again, late, in another order", 3.0, _said_again, in_every_run=True),
        Fault("nonsense on every door", 3.0, _poisoned, in_every_run=True),
        Fault("times that cannot be, on every door", 3.0, _times_that_cannot_be, in_every_run=True),
        Fault("a backlog of letters", 1.0, _letters_typed_in, in_every_run=True),
    ]
    return found
