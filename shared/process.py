"""A desk as a process: its broker, its doors, its clock; started, kept going and stopped the same way."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import msgspec
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from shared.broker import Door, Handle, Translate, one_by_one
from shared.clock import Clock, RehearsalClock, SystemClock
from shared.cloudevents import BadInput
from shared.codec import TYPES, UnknownType, ce_type_of, decoded, fact_named, fact_type_of
from shared.desk import Decide, Desk, Work
from shared.errors import told
from shared.events import Fact
from shared.ids import ComplaintId, complaint_of_key
from shared.log import Incoming
from shared.log.postgres import PostgresLog
from shared.settings import CommonSettings
from shared.telemetry import Telemetry, exporter_of, set_up_logs
from shared.topics import LOG

STOP_SECONDS_MAX: Final = 10.0
"""A client that cannot say goodbye in this time is left behind; what it held comes again."""

RELEASED_SECONDS: Final = 1.0
"""How often a desk looks whether a person has released something from its parking."""

React = Callable[[Any, datetime], Any]
"""A fact and the time its reaction counts as, to a command or None."""


def tune_gc() -> None:
    """Collect rarely: the objects of a batch die young by themselves.

    Worth a quarter of all CPU in the spike (x 1.26 lives a second).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 1000)


class Process:
    """What production needs around a desk's rules; the same for all four."""

    def __init__(self, name: str, settings: CommonSettings, decide: Decide) -> None:
        """`name` is the consumer in the log and the actor of its facts."""
        set_up_logs(settings.log_level)
        self.name = name
        self.settings = settings
        self.telemetry = Telemetry(
            name,
            exporter=exporter_of(settings.traces, settings.traces_endpoint),
            ratio=settings.traces_ratio,
        )
        self.telemetry.hear_kafka()
        self.broker = KafkaBroker(
            settings.kafka,
            client_id=name,
            allow_auto_create_topics=False,
            metadata_max_age_ms=settings.metadata_max_age_ms,
            logger=None,
            graceful_timeout=5.0,
            apply_types=True,
        )
        self.clock: Clock = SystemClock() if settings.time == "system" else RehearsalClock()
        self._decide = decide
        self._doors: list[Door] = []
        self._logs: list[PostgresLog] = []
        self._stop = asyncio.Event()
        self._failure: Exception | None = None

    def desk(self, door: str) -> Desk:
        """A desk with a connection of its own: one door's waiting must not stop another's work."""
        log = PostgresLog(self.settings.postgres, self.name, f"{self.name}.{door}")
        self._logs.append(log)
        return Desk(self.name, self._decide, log, self.telemetry)

    def opens(
        self, door: str, fill: Handle, *, topic: str = "", pattern: str = "", patient: bool = False
    ) -> None:
        """Open a door to the outside."""
        opened = Door(self.desk(door), self.settings, name=door, fill=fill, fail=self._failed)
        opened.open_on(self.broker, topic=topic, pattern=pattern, patient=patient)
        self._doors.append(opened)

    def hears_log(self, reacts: Sequence[type[Fact]], react: React, *, patient: bool = False) -> None:
        """Hear the facts of all desks; what is not in `reacts` is never decoded."""
        opened = Door(
            self.desk("log"),
            self.settings,
            name="log",
            fill=one_by_one(from_log(react, self.clock)),
            wanted=HeardTypes(reacts),
            fail=self._failed,
        )
        opened.open_on(self.broker, topic=self.settings.topic_prefix + LOG, patient=patient)
        self._doors.append(opened)

    async def work(self, *others: Coroutine[Any, Any, None]) -> None:
        """Work until told to stop (SIGTERM, SIGINT)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        if self.settings.metrics_port >= 0:
            port = self.telemetry.serve_metrics(self.settings.metrics_port)
            self.telemetry.log.info("metrics_served", port=port)
        tasks = [asyncio.ensure_future(c) for c in (self._keep_open(), self._watch_parking(), *others)]
        stop = asyncio.ensure_future(self._stop.wait())
        tune_gc()
        try:
            done, _ = await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task is not stop:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._failure is not None:
            raise self._failure

    def _failed(self, error: Exception) -> None:
        """Something that cannot be gone past: end, so that the next start finds it where it is."""
        self._failure = error
        self._stop.set()

    async def _keep_open(self) -> None:
        """Open the doors as soon as Kafka is there; from then on the clients reconnect by themselves."""
        if not self._doors:
            await asyncio.Event().wait()
        warned = False
        while True:
            try:
                await self.broker.start()
            except (KafkaError, OSError) as error:
                if not warned:
                    self.telemetry.log.warning("waiting_for_kafka", error=told(error))
                    warned = True
                with suppress(Exception):
                    async with asyncio.timeout(STOP_SECONDS_MAX):
                        await self.broker.stop()
                await asyncio.sleep(0.3)
            else:
                break
        self.telemetry.log.info("doors_open", doors=len(self._doors))
        await asyncio.Event().wait()

    async def _watch_parking(self) -> None:
        while True:
            await asyncio.sleep(RELEASED_SECONDS)
            for door in self._doors:
                await door.take_released()

    async def __aenter__(self) -> Self:
        """Ready to open doors."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the batch in hand, leave the group, give the connections back."""
        with suppress(Exception):
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self.broker.stop()
        for log in self._logs:
            with suppress(Exception):
                await log.close()
        self.telemetry.close()
        logging.shutdown()


class HeardTypes:
    """What a desk takes from the log by its CloudEvents type.

    The facts it reacts to in every version there was, and those of a newer system: a newer version of such
    a fact, or a fact of a name not known here. It cannot act on those; it must not lose them either.
    """

    def __init__(self, reacts: Iterable[type[Fact]]) -> None:
        """`reacts`: the facts the desk acts on."""
        kinds = tuple(reacts)
        self._wanted = frozenset(ce_type_of(k.__name__, v) for k in kinds for v in range(1, k.SCHEMA + 1))
        self._passed_over = TYPES.keys() - {kind.__name__ for kind in kinds}

    def __contains__(self, ce_type: object) -> bool:
        """Whether a message of this type is taken."""
        if ce_type in self._wanted:
            return True
        if not isinstance(ce_type, bytes) or fact_type_of(ce_type) is not None:
            return False
        named = fact_named(ce_type)
        return named is not None and named[0] not in self._passed_over


def from_log(react: React, clock: Clock) -> Translate:
    """A fact from the log to what it asks of this desk."""

    def translate(message: Incoming) -> Work | None:
        headers = dict(message.headers)
        named = fact_named(headers.get("ce_type") or b"")
        fact_id = headers.get("ce_id")
        source = headers.get("ce_source")
        if named is None or fact_id is None or source is None or message.value is None:
            text = "complaints.log: a message without the headers of a fact"
            raise BadInput(text)
        try:
            fact = decoded(*named, message.value)
        except (UnknownType, msgspec.DecodeError) as error:
            text = f"complaints.log: {error if isinstance(error, UnknownType) else told(error)}"
            raise BadInput(text, complaint_of_key(message.key)) from error
        command = react(fact, clock.of_reaction(getattr(fact, fact.TIME)))
        if command is None:
            return None
        caused_by = fact_id.decode()
        parent = ((headers.get("ce_causationid") or b"").decode(), source.decode().rpartition("/")[2])
        return Work(command, ComplaintId(fact.complaint_id), caused_by, message, None, parent)

    return translate
