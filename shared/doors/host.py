"""Holds the things that the desks of one process share: a Kafka client, a log reader, one signal to stop.

Most processes hold one desk. In a small town one process holds all four (`hotline up --one-process`). Each
desk keeps its own doors, connections, offsets and metrics.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import Any

from aiokafka.errors import KafkaError

from shared.doors.kafka_door import Door
from shared.doors.log_reader import LogReader
from shared.doors.subscription import KafkaClient
from shared.runtime.errors import told
from shared.runtime.garbage import tune_gc
from shared.runtime.patience import GOODBYE_SECONDS
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry, set_up_logs
from shared.topics import LOG


class Host:
    """The desks of one process, and what they share."""

    def __init__(self, name: str, settings: CommonSettings, *, desks: int = 1) -> None:
        """`name` is the process's; Kafka's address, prefix and log level are those of `settings` for all `desks`."""
        set_up_logs(settings.log_level)
        self._client = KafkaClient(name, settings)
        self.stop = asyncio.Event()
        """Set once it is time to end, for whatever reason."""
        self.failure: Exception | None = None
        self._log_reader = LogReader(f"{settings.topic_prefix}{name}.log", settings) if desks > 1 else None
        self._all_here = asyncio.Barrier(desks)
        self._doors = 0
        self._closing = asyncio.Lock()
        self._closed = False
        self._telemetries: list[Telemetry] = []

    def joined_by(self, telemetry: Telemetry) -> None:
        """One more desk; the first one also logs and counts for what belongs to all."""
        if not self._telemetries:
            telemetry.hear_kafka()
        self._telemetries.append(telemetry)

    def opens(self, door: Door, **how: Any) -> None:
        """One more door, on a subscription of its own; see `Door.open_on`."""
        door.open_on(self._client, **how)
        self._doors += 1

    def hears_log(self, door: Door, settings: CommonSettings, *, patient: bool) -> None:
        """One more door that hears the log: on its own where a desk is alone, else by the one log reader."""
        if self._log_reader is None:
            self.opens(door, topic=settings.topic_prefix + LOG, patient=patient)
        else:
            self._log_reader.add(door, settings, patient=patient)
            self._doors += 1

    def fails(self, error: Exception) -> None:
        """Something that cannot be gone past: all end, so that the next start finds it where it is."""
        self.failure = error
        self.stop.set()

    async def work(self) -> None:
        """Once all are here, open the doors as soon as Kafka is there; from then on its clients reconnect alone.

        Each desk waits here until it is cancelled; one of them does what is to be done once.
        """
        if await self._all_here.wait() == 0:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.stop.set)
            tune_gc()
            if self._log_reader is not None:
                self._log_reader.open_on(self._client)
            if self._doors:
                await self._open()
        await asyncio.Event().wait()

    async def _open(self) -> None:
        first = self._telemetries[0]  # a door has a desk, and a desk has joined
        warned = False
        while True:
            try:
                await self._client.start()
            except (KafkaError, OSError) as error:
                if not warned:
                    first.log.warning("waiting_for_kafka", error=told(error))
                    warned = True
                for telemetry in self._telemetries:
                    telemetry.health.waits("Kafka")
                with suppress(Exception):
                    async with asyncio.timeout(GOODBYE_SECONDS):
                        await self._client.stop()
                await asyncio.sleep(0.3)
            else:
                break
        first.log.info("doors_open", doors=self._doors)

    async def close(self) -> None:
        """Finish the batches in hand and leave the groups; the first desk to go does it, the others wait for it.

        A client that cannot say goodbye in time is left behind; what it held comes again.
        """
        async with self._closing:
            if self._closed:
                return
            self._closed = True
            with suppress(Exception):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._client.stop()
