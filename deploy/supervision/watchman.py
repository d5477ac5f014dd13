"""Ends a process that makes no progress while work waits, so that the supervisor starts it again; see `stalled`.

A process that was stopped, hangs, or has a client that died in it is alive for the kernel. Its answer would say
nothing either: its loop may turn while one of its doors does not. So its place in the log is looked at, from outside.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import asyncpg
from confluent_kafka import KafkaException

from deploy.city.endpoints import DESKS, PROJECTOR, CityEndpoints
from deploy.supervision.stalled import CityProgress, look, standing_still
from deploy.supervision.supervisor import Supervisor
from shared.ids import TOGETHER
from shared.log.away import AWAY
from shared.policy.catalogue import Catalogue
from shared.runtime.errors import UserError
from shared.runtime.patience import STILL_SECONDS

LOOK_SECONDS: Final = 3.0
ANSWER_SECONDS_MAX: Final = 2.0
"""Where Kafka and PostgreSQL take longer to say how far everybody is, it is they who are slow."""
ENDED: Final = "it is ended and started again"
"""The sentence about each process that stood still, after its name and its waiting work."""


class Watchman:
    """Looks at a city again and again, as long as its supervisor watches it."""

    def __init__(
        self,
        endpoints: CityEndpoints,
        catalogue: Catalogue,
        supervisor: Supervisor,
        say: Callable[[str], None],
        *,
        still_seconds_max: float = STILL_SECONDS,
        look_seconds: float = LOOK_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is known yet; `clock` gives seconds."""
        self._clock = clock
        self._endpoints = endpoints
        self._catalogue = catalogue
        self._supervisor = supervisor
        self._say = say
        self._still_seconds_max = still_seconds_max
        self._look_seconds = look_seconds
        self._since: dict[str, tuple[float, CityProgress]] = {}
        """Since when each one has had work and not moved, and how all stood then."""

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._look_seconds)
            now = await self._look()
            if now is None:
                self._since.clear()  # nobody can be blamed for what a server does not do
                continue
            self._judge(now)

    async def _look(self) -> CityProgress | None:
        """How all stand; None where a server does not say so at once."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await look(self._endpoints, self._catalogue)
        except (*AWAY, asyncpg.PostgresError, KafkaException, UserError):
            return None

    def _judge(self, now: CityProgress) -> None:
        excused = now.held_up  # they wait for somebody else
        began = {
            name: since
            for name, since in self._since.items()
            if name not in excused and name in standing_still(since[1], now)
        }
        busy = {name for name, number in now.owed.items() if number}
        if now.overdue:
            busy.add("escalation")
        if now.unlisted:
            busy.add(PROJECTOR)
        for name in busy - excused - began.keys():
            began[name] = (self._clock(), now)
        self._since = began
        for name, (since, first) in list(began.items()):
            seconds = self._clock() - since
            if seconds > self._still_seconds_max:
                del self._since[name]
                self._end(name, f"{standing_still(first, now)[name]}, for {seconds:.0f} s")

    def _end(self, name: str, why: str) -> None:
        """End every process of it: the supervisor brings them back."""
        for process, pid in self._supervisor.pids().items():
            if process.partition("-")[0] in {name, TOGETHER if name in DESKS else name}:
                self._say(f"{process} stands still ({why}); {ENDED}")
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
