"""The four desks without their processes, and faults to put around what they stand on.

A fault is a `Crash` at a named point, before or after a real call: what a kill at that instant would
leave. It is no `Exception`, so that nothing that handles errors handles it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer

from services.dispatch import rules as dispatch
from services.dispatch.decisions.dispatching import DispatchComplaint
from services.escalation import rules as escalation
from services.feedback import rules as feedback
from services.intake import rules as intake
from services.intake.decisions.recording import AskedToRecord
from services.intake.inbound import requests
from services.intake.settings import Settings
from shared.complaint import Case
from shared.desk import Decide, Desk
from shared.doors.kafka_door import Door
from shared.events import Fact
from shared.ids import ComplaintId, complaint_id
from shared.inputs import WithdrawRequest
from shared.log import Append, EventLog, Known
from shared.log.postgres import PostgresLog
from shared.log.through import Through
from shared.policy.catalogue import Catalogue, catalogue
from shared.runtime import kafka_address
from shared.runtime.clock import SystemClock
from shared.runtime.telemetry import Telemetry
from shared.topics import INTAKE_REQUESTS
from shared.work import Batch, Work
from tests.city import CATALOGUE, City, partitions_of, request
from tests.examples import asks

NOW: Final = datetime(2021, 9, 24, 8, 0, tzinfo=UTC)

_Result = TypeVar("_Result")


@cache
def small_catalogue() -> Catalogue:
    """The catalogue of `tests.city`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.json"
        path.write_text(json.dumps(CATALOGUE, ensure_ascii=False), encoding="utf-8")
        return catalogue(str(path))


def decide_of(name: str) -> Decide:
    """A desk's rule, with what its process would give it."""

    def of_dispatch(command: Any, case: Case) -> Sequence[Fact]:
        return dispatch.decide(command, case, small_catalogue())

    def of_escalation(command: Any, case: Case) -> Sequence[Fact]:
        return escalation.decide(command, case, small_catalogue())

    def of_feedback(command: Any, case: Case) -> Sequence[Fact]:
        return feedback.decide(command, case, small_catalogue())

    rules: dict[str, Decide] = {
        "intake": intake.decide,
        "dispatch": of_dispatch,
        "escalation": of_escalation,
        "feedback": of_feedback,
    }
    return rules[name]


def desk_on(name: str, log: EventLog, decide: Decide | None = None) -> Desk:
    """A desk at work on this log."""
    return Desk(name, decide or decide_of(name), log, Telemetry(name))


def counted(desk: Desk, name: str) -> float:
    """What a desk has counted so far."""
    wanted = f"hotline_{name.replace('.', '_')}_total"
    families = desk.telemetry.registry.collect()
    return sum(sample.value for family in families for sample in family.samples if sample.name == wanted)


def record(
    number: int | str, *, at: datetime = NOW, ruleset: str = "beijing-draft-2021", **fields: Any
) -> Work:
    """Work for intake: a request is put on record."""
    told = request(f"req-{number}", **fields)
    stream = complaint_id(told.request_id)
    command = AskedToRecord(complaint_id=stream, command=told, ruleset=ruleset, calendar="cn-1", at=at)
    return Work(command, stream, f"record/{number}")


def dispatch_of(stream: ComplaintId, *, at: datetime = NOW) -> Work:
    """Work for dispatch: the complaint is sent to its unit."""
    return Work(DispatchComplaint(complaint_id=stream, at=at), stream, f"dispatch/{stream}")


def withdraw(stream: ComplaintId, *, at: datetime = NOW) -> Work:
    """Work for intake: the citizen takes it back."""
    return Work(asks(WithdrawRequest, complaint_id=stream, reason="", at=at), stream, f"withdraw/{stream}")


async def lives(desk: Desk, numbers: Sequence[int | str], **fields: Any) -> list[ComplaintId]:
    """Complaints on record, by intake's desk; their ids."""
    work = [record(number, **fields) for number in numbers]
    await desk.obey(Batch(work=work))
    return [one.complaint_id for one in work]


class Crash(BaseException):
    """The process dies here."""


class Faults:
    """Where to die; a point is `before NAME` or `after NAME`, and it happens once."""

    def __init__(self, at: str | None = None, *, error: BaseException | None = None, times: int = 1) -> None:
        """`error` instead of a `Crash`, where the call shall fail and the process live on."""
        self.at = at
        self.reached: list[str] = []
        self._error = error
        self._times = times

    @property
    def happened(self) -> bool:
        """Whether the fault was met."""
        return self.at in self.reached

    def point(self, name: str) -> None:
        """Pass this point, or die."""
        self.reached.append(name)
        if name == self.at and self._times > 0:
            self._times -= 1
            raise self._error or Crash(name)

    async def around(self, name: str, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """A real call between its two points."""
        self.point(f"before {name}")
        result = await call()
        self.point(f"after {name}")
        return result


class FaultyLog(Through):
    """See `EventLog`: a real one, with faults around what a batch needs of it."""

    def __init__(self, log: EventLog, faults: Faults) -> None:
        """Nothing changes until a point is reached."""
        super().__init__(log)
        self._faults = faults

    async def heads(self, streams: Sequence[str], inbox: Sequence[str]) -> Known:
        """See `EventLog.heads`."""
        return await self._faults.around("heads", lambda: self._log.heads(streams, inbox))

    async def append(self, append: Append) -> None:
        """See `EventLog.append`."""
        await self._faults.around("append", lambda: self._log.append(append))

    @asynccontextmanager
    async def holding(self, streams: Sequence[str]) -> AsyncIterator[EventLog]:
        """See `EventLog.holding`."""
        async with self._log.holding(streams) as held:
            yield FaultyLog(held, self._faults)


class Pause(Faults):
    """No fault, but a stop: whoever reaches the point waits there until `go_on` is set."""

    def __init__(self, at: str) -> None:
        """Nobody has come yet."""
        super().__init__()
        self.arrived = asyncio.Event()
        self.go_on = asyncio.Event()
        self._stop_at = at

    async def around(self, name: str, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """See `Faults.around`."""
        await self._pass(f"before {name}")
        result = await call()
        await self._pass(f"after {name}")
        return result

    async def _pass(self, name: str) -> None:
        self.reached.append(name)
        if name == self._stop_at and not self.arrived.is_set():
            self.arrived.set()
            await self.go_on.wait()


class DoorReader:
    """A door on a real consumer, without the process around it: what it hears is taken when a test says so."""

    def __init__(self, door: Door, kafka: str, topic: str, *, group: str | None = None) -> None:
        """With a group the partitions come from Kafka, else they are all taken."""
        self.door = door
        self.consumer = AIOKafkaConsumer(
            **kafka_address.aiokafka(kafka),
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=6000,
            heartbeat_interval_ms=500,
        )
        door.hears_by(SimpleNamespace(consumer=self.consumer))
        self._topic = topic
        self._group = group
        self._kafka = kafka

    async def start(self) -> None:
        """Go on where the log says this consumer is."""
        if self._group is not None:
            self.consumer.subscribe([self._topic], listener=self.door)
            await self.consumer.start()
            return
        await self.consumer.start()
        tps = await partitions_of(self._kafka, self._topic)
        self.consumer.assign(tps)
        await self.door.on_partitions_assigned(tps)

    async def fetch(self, *, within_ms: int = 2000) -> list[Any]:
        """The next records, not taken yet."""
        got = await self.door.hear(lambda: self.consumer.getmany(timeout_ms=within_ms)) or {}
        return [record for records in got.values() for record in records]

    async def take_all(self) -> int:
        """Take everything there is; returns how many messages came."""
        taken = 0
        while not await self._at_end():
            records = await self.fetch(within_ms=200)
            taken += len(records)
            await self.door.take(records)
        return taken

    async def _at_end(self) -> bool:
        tps = list(self.consumer.assignment())
        if not tps:
            return False
        ends = await self.consumer.end_offsets(tps)
        return all([await self.consumer.position(tp) >= end for tp, end in ends.items()])

    async def stop(self) -> None:
        """Leave, as a process that is killed would: nothing more is written."""
        if self.door._flush is not None:
            self.door._flush.cancel()
        for task in list(self.door._tasks):
            task.cancel()
        await self.consumer.stop()


@asynccontextmanager
async def door_of_intake(
    city: City, faults: Faults, *, group: str | None = None, decide: Decide | None = None, topic: str = ""
) -> AsyncIterator[tuple[DoorReader, Desk]]:
    """Intake's door on its requests, or on a login's `topic`, as its process would open it, at a test's own pace."""
    settings = Settings(
        kafka=city.endpoints.kafka,
        postgres=city.endpoints.logins["intake"],
        topic_prefix=city.endpoints.prefix,
        offsets_idle_ms=50,
    )
    log = PostgresLog(settings.postgres, "intake", "intake.requests")
    desk = desk_on("intake", FaultyLog(log, faults), decide)

    def fail(error: Exception) -> None:
        raise error

    door = Door(desk, settings, name="requests", fill=requests(settings, SystemClock()), fail=fail)
    door_reader = DoorReader(door, city.endpoints.kafka, topic or city.topic(INTAKE_REQUESTS), group=group)
    await door_reader.start()
    try:
        yield door_reader, desk
    finally:
        await door_reader.stop()
        await log.close()
