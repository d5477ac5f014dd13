"""A desk as a process: its broker, its doors, its clock; started, kept going and stopped the same way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from shared.cloudevents import BadInput
from shared.desk import Decide, Desk, Look
from shared.doors.heard import door_of, pattern
from shared.doors.host import Host
from shared.doors.kafka_door import Door
from shared.doors.offsets import mark_of
from shared.doors.parking import Translate, one_by_one
from shared.doors.unread_records import Handle
from shared.events import Fact
from shared.ids import ComplaintId, complaint_of_key
from shared.log import Incoming
from shared.log.codec import TYPES, UnknownType, ce_type_of, decoded, fact_named, fact_type_of, not_known
from shared.log.postgres import PostgresLog
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.errors import told
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry, exporter_of
from shared.topics import COMPLAINTS_LOG, Topic
from shared.work import Work

RELEASED_SECONDS: Final = 1.0
"""How often a desk looks whether a person has released something from its parking."""

KNOWN_AGAIN_SECONDS: Final = 60
"""How often a desk looks whether a desk of a release before has parked facts that this one knows. While both serve, a
process of that release may take up again what was released, and parks it again."""
_KNOWN: Final = tuple(
    f"complaints.log: {not_known(name, version)}"
    for name, kind in TYPES.items()
    for version in range(1, kind.SCHEMA + 1)
)

React = Callable[[Any, datetime], Any]
"""A fact and the time its reaction counts as, to a command or None."""


class Process:
    """Runs a desk's rules in production: doors, log, clock, telemetry; the same for all four desks."""

    def __init__(
        self,
        name: str,
        settings: CommonSettings,
        decide: Decide,
        host: Host | None = None,
        *,
        look: Look | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`name` is the consumer in the log and the actor of its facts; without a `host` it is alone in its process.

        `look`: what its rule must know beyond the heads is looked up before each batch. Without a `clock` it goes by
        real time.
        """
        self.host = host or Host(name, settings)
        self.name = name
        self.settings = settings
        self.telemetry = Telemetry(
            name,
            exporter=exporter_of(settings.traces, settings.traces_endpoint),
            ratio=settings.traces_ratio,
            prefix=settings.topic_prefix,
        )
        self.telemetry.keeps("facts", *(kind for kind, fact in TYPES.items() if name == fact.SPEAKER))
        self.host.joined_by(self.telemetry)
        self.clock: Clock = clock or SystemClock(timedelta(days=settings.input_age_days_max))
        self._decide = decide
        self._look = look
        self._doors: list[Door] = []
        self._logs: list[PostgresLog] = []

    def desk(self, door: str) -> Desk:
        """A desk with a connection of its own: one door's waiting must not stop another's work."""
        log = PostgresLog(self.settings.postgres, self.name, f"{self.name}.{door}")
        self._logs.append(log)
        return Desk(self.name, self._decide, log, self.telemetry, self._look)

    def opens(self, line: Topic, fill: Handle, *, patient: bool = False) -> None:
        """Open a door to the outside: on every topic of this line, those made later as well."""
        door = door_of(line)
        opened = Door(
            self.desk(door),
            self.settings,
            name=door,
            fill=fill,
            fail=self.host.fails,
            clock=self.clock,
        )
        self.host.opens(opened, pattern=pattern(line, self.settings.topic_prefix), patient=patient)
        self._doors.append(opened)

    def hears_log(self, reacts: Sequence[type[Fact]], react: React, *, patient: bool = False) -> None:
        """Hear the facts of all desks; what is not in `reacts` is never decoded."""
        door = door_of(COMPLAINTS_LOG)
        opened = Door(
            self.desk(door),
            self.settings,
            name=door,
            fill=one_by_one(from_log(react, self.clock)),
            wanted=HeardTypes(reacts),
            fail=self.host.fails,
        )
        self.host.hears_log(opened, self.settings, patient=patient)
        self._doors.append(opened)

    async def work(self, *others: Coroutine[Any, Any, None]) -> None:
        """Work until told to stop (SIGTERM, SIGINT)."""
        self.telemetry.serve(self.settings)
        tasks = [asyncio.ensure_future(c) for c in (self.host.work(), self._watch_parking(), *others)]
        stop = asyncio.ensure_future(self.host.stop.wait())
        try:
            done, _ = await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if task is not stop:
                    task.result()
        finally:
            for task in (*tasks, stop):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self.host.failure is not None:
            raise self.host.failure

    async def _watch_parking(self) -> None:
        for second in count():
            if second % KNOWN_AGAIN_SECONDS == 0:
                for door in self._doors:
                    if door.name == door_of(COMPLAINTS_LOG):
                        await door.release_for(_KNOWN)
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
        await self.host.close()
        for log in self._logs:
            with suppress(Exception):
                await log.close()
        self.telemetry.close()
        logging.shutdown()


class HeardTypes:
    """The CloudEvents types that a desk takes from the log.

    The desk takes the facts it reacts to, in every version there was. It also takes facts of a newer system:
    a newer version of such a fact, or a fact of a name not known here. It cannot act on those, and it must
    not lose them either.
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


def _what_is_missing(message: Incoming, headers: Mapping[str, bytes | None]) -> str:
    """The first thing that every fact on the log has and this message has not."""
    for name in ("ce_type", "ce_id", "ce_source"):
        if not headers.get(name):
            return f"complaints.log: header {name}: missing"
    if message.value is None:
        return "complaints.log: value: null, expected the fact as JSON"
    return "complaints.log: header ce_type: expected a fact's, as hotline.OrderSigned.v1"


def from_log(react: React, clock: Clock) -> Translate:
    """A fact from the log to what it asks of this desk."""

    def translate(message: Incoming) -> Work | None:
        headers = dict(message.headers)
        named = fact_named(headers.get("ce_type") or b"")
        fact_id, source = headers.get("ce_id"), headers.get("ce_source")
        if named is None or not fact_id or not source or message.value is None:
            raise BadInput(_what_is_missing(message, headers))
        if mark_of(message.headers) is None:
            text = (
                "complaints.log: header ce_relaymark: expected the relay's BATCH.POSITION, two whole numbers"
            )
            raise BadInput(text)
        try:
            fact = decoded(*named, message.value)
        except (UnknownType, msgspec.DecodeError) as error:
            text = f"complaints.log: {error if isinstance(error, UnknownType) else told(error)}"
            raise BadInput(text, complaint_of_key(message.key)) from error
        command = react(fact, clock.of_reaction(getattr(fact, fact.TIME)))
        if command is None:
            return None
        caused_by = fact_id.decode(errors="replace")
        parent = (
            (headers.get("ce_causationid") or b"").decode(errors="replace"),
            source.decode(errors="replace").rpartition("/")[2],
        )
        return Work(command, ComplaintId(fact.complaint_id), caused_by, message, None, parent)

    return translate
