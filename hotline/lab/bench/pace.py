"""`python -m hotline.lab.bench.pace`: everybody outside, at a steady rate whatever the system does (open loop).

Each request has its intended instant, fixed beforehand, and its wait counts from there. If the system or this
process falls behind, that shows as latency; no wait is left out. Units and dialler answer as soon as they
have seen their message, and waits for those answers count from then.

The order comes as one JSON object on standard input. The process says `ready`, `measuring` and `offered` as
it goes, and in the end the result as one JSON object. It begins when a line says so.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from hotline.lab.bench.city import ADDRESS, Target, request_of
from hotline.lab.bench.clients import partitions_of, producer_of, quiet, topics_of
from hotline.lab.bench.simulator import RESULT
from shared import inputs
from shared.cloudevents import header, input_headers
from shared.doors.kafka_reader import reader_of
from shared.events import (
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintEscalated,
    OrderAnswered,
    VisitScheduled,
)
from shared.ids import complaint_id
from shared.log.codec import ce_type_of
from shared.runtime.garbage import tune_gc
from shared.topic_names import partition_of
from shared.topics import (
    COMPLAINTS_LOG,
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    ESCALATION_NOTICES,
    FEEDBACK_VISIT_RESULTS,
    FEEDBACK_VISITS,
    INTAKE_REQUESTS,
    Topic,
)

WAVE_SECONDS: Final = 0.002
"""Requests whose instants lie closer together than this are handed to the client together."""

PATIENT_MS: Final = 250
"""Milliseconds the broker gathers for the units that only answer and are not measured. An eager look at
hundreds of topics would take the processor from the measured part."""

DRAIN_SECONDS_MAX: Final = 60.0

_DISPATCHED: Final = ce_type_of(ComplaintDispatched.__name__, ComplaintDispatched.SCHEMA)
_SCHEDULED: Final = ce_type_of(VisitScheduled.__name__, VisitScheduled.SCHEMA)
_ANSWERED: Final = ce_type_of(OrderAnswered.__name__, OrderAnswered.SCHEMA)
_CLOSED: Final = ce_type_of(ComplaintClosed.__name__, ComplaintClosed.SCHEMA)
_ESCALATED: Final = ce_type_of(ComplaintEscalated.__name__, ComplaintEscalated.SCHEMA)


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """The load to offer."""

    kafka: str
    prefix: str
    name: str
    """Part of every request's id, so that one city can be asked several times."""
    units: list[str]
    targets: list[Target]
    """One for each unit, in their order."""
    rate: float
    """Requests a second."""
    warm_up_seconds: float
    seconds: float
    """How long it is measured, after warming up."""
    units_measured: int
    """At so many units, spread over all, orders are looked for eagerly."""
    limit_seconds: float | None = None
    """Each request brings a limit this long after its instant, and nobody answers: the notice is awaited.
    None: whole lives."""


class Paced(msgspec.Struct, frozen=True, kw_only=True):
    """The observed waits in milliseconds, of requests whose instant lay after the warm-up."""

    asked: int
    """Requests offered, the warm-up too."""
    ended: int
    """Lives seen closed, or complaints whose notice came."""
    sent_late: list[float]
    """How late this process itself sent."""
    orders: list[float]
    """From the request's instant to the order at the unit."""
    replies: list[float]
    """From a unit's answer to the fact on the log's topic."""
    closings: list[float]
    """From a citizen's word to the complaint's end on the log's topic."""
    notices: list[float]
    """From the limit to the notice."""
    notices_early: int
    notices_again: int
    gc_threshold: tuple[int, int, int]


class _About(msgspec.Struct):
    complaint_id: str
    assignment: int = 0
    visit: int = 0
    attempt: int = 0
    unit: str = ""


class Pace:
    """Everybody outside, for one run."""

    def __init__(self, asked: Demand, producer: AIOKafkaProducer) -> None:
        """Nothing is sent yet."""
        self._asked = asked
        self._producer = producer
        self._total = round(asked.rate * (asked.warm_up_seconds + asked.seconds))
        self._warm_up = round(asked.rate * asked.warm_up_seconds)
        self._decoder = msgspec.json.Decoder(_About)
        self._numbers: dict[bytes, int] = {}
        self._meant_at: list[float] = []
        self._due_at: list[float] = []
        self._order_seen: set[bytes] = set()
        self._visit_seen: set[bytes] = set()
        self._replied_at: dict[bytes, float] = {}
        self._told_at: dict[bytes, float] = {}
        self._noticed: set[bytes] = set()
        self.failure: BaseException | None = None
        self._closed = 0
        self.all_ended = asyncio.Event()
        self.sent_late: list[float] = []
        self.orders: list[float] = []
        self.replies: list[float] = []
        self.closings: list[float] = []
        self.notices: list[float] = []
        self.notices_early = 0
        self.notices_again = 0

    async def offer(self, say: Callable[[str], None]) -> None:
        """Send every request at its instant, or as soon after as this process comes to it."""
        asked = self._asked
        began, began_wall = time.monotonic() + 0.1, time.time() + 0.1
        self._meant_at = [began + number / asked.rate for number in range(self._total)]
        limit = asked.limit_seconds or 0.0
        self._due_at = [began_wall + number / asked.rate + limit for number in range(self._total)]
        self._numbers = {
            complaint_id(self._request_id(number)).encode(): number for number in range(self._total)
        }
        number = 0
        while number < self._total:
            await asyncio.sleep(max(WAVE_SECONDS, self._meant_at[number] - time.monotonic()))
            now = time.monotonic()
            while number < self._total and self._meant_at[number] <= now:
                await self._request(number)
                if number == self._warm_up:
                    say("measuring")
                if number >= self._warm_up:
                    self.sent_late.append((now - self._meant_at[number]) * 1e3)
                number += 1
        say("offered")

    @property
    def ended(self) -> int:
        """Lives that have come to the end that is awaited."""
        return self._closed if self._asked.limit_seconds is None else len(self._noticed)

    async def orders_came(self, records: Sequence[Any], now: float, *, measured: bool) -> None:
        """Units see their orders, and answer them where nobody waits for a limit."""
        for record in records:
            if header(record.headers, "ce_type") != _DISPATCHED or record.key in self._order_seen:
                continue
            number = self._numbers.get(record.key)
            if number is None:
                continue  # of an earlier run
            self._order_seen.add(record.key)
            if measured and number >= self._warm_up:
                self.orders.append((now - self._meant_at[number]) * 1e3)
            if self._asked.limit_seconds is not None:
                continue
            about = self._decoder.decode(record.value)
            topic, source = DISPATCH_REPLIES.of(about.unit), f"/units/{about.unit}"
            signed = inputs.SignOrder(complaint_id=about.complaint_id, assignment=about.assignment)
            answered = inputs.AnswerOrder(
                complaint_id=about.complaint_id,
                assignment=about.assignment,
                result=RESULT,
                claims_solved=True,
            )
            await self._tell(DISPATCH_REPLIES, topic, record.key, signed, source, "-signed")
            await self._tell(DISPATCH_REPLIES, topic, record.key, answered, source, "-answered")
            self._replied_at[record.key] = now

    async def others_came(self, records: Sequence[Any], now: float) -> None:
        """The log is read, visits are made, notices are seen."""
        for record in records:
            number = self._numbers.get(record.key)
            if number is None:
                continue
            kind = header(record.headers, "ce_type")
            if kind == _SCHEDULED and FEEDBACK_VISITS.name in record.topic:
                await self._visit(record, now)
            elif kind == _ESCALATED and ESCALATION_NOTICES.name in record.topic:
                self._notice(record.key, number)
            elif kind == _ANSWERED:
                self._fact(self._replied_at, record.key, self.replies, now)
            elif kind == _CLOSED:
                self._closed += self._fact(self._told_at, record.key, self.closings, now)
        if self.ended == self._total:
            self.all_ended.set()

    def _fact(self, said: dict[bytes, float], key: bytes, waits: list[float], now: float) -> bool:
        """Note the wait of a message that has become a fact; returns whether this process had sent the message."""
        said_at = said.pop(key, None)
        if said_at is not None and self._numbers[key] >= self._warm_up:
            waits.append((now - said_at) * 1e3)
        return said_at is not None

    async def _visit(self, record: Any, now: float) -> None:
        if self._asked.limit_seconds is not None or record.key in self._visit_seen:
            return
        self._visit_seen.add(record.key)
        one = self._decoder.decode(record.value)
        made = inputs.RecordVisit(
            complaint_id=one.complaint_id, visit=one.visit, attempt=one.attempt, solved=True, satisfied=True
        )
        line = FEEDBACK_VISIT_RESULTS
        await self._tell(line, line.name, record.key, made, "/dialler", "")
        self._told_at[record.key] = now

    def _notice(self, key: bytes, number: int) -> None:
        late = time.time() - self._due_at[number]
        if late < 0:
            self.notices_early += 1
        if key in self._noticed:
            self.notices_again += 1
        elif number >= self._warm_up:
            self.notices.append(late * 1e3)
        self._noticed.add(key)

    def _request_id(self, number: int) -> str:
        return f"{self._asked.prefix}{self._asked.name}-{number}"

    async def _request(self, number: int) -> None:
        target = self._asked.targets[number % len(self._asked.targets)]
        request_id = self._request_id(number)
        limited = self._asked.limit_seconds is not None
        due_at = datetime.fromtimestamp(self._due_at[number], UTC) if limited else None
        request = request_of(request_id, target, address=ADDRESS, given_due_at=due_at)
        key = request_id.encode()
        await self._tell(INTAKE_REQUESTS, INTAKE_REQUESTS.name, key, request, "/desk", "")

    async def _tell(
        self, topic: Topic, name: str, key: bytes, data: inputs.Input, source: str, suffix: str
    ) -> None:
        """Hand it to the client, which gathers while a batch is on its way; nobody waits for Kafka's answer."""
        answer = await self._producer.send(
            self._asked.prefix + name,
            key=key,
            value=msgspec.json.encode(data),
            headers=input_headers(type(data), source, key.decode() + suffix, datetime.now(UTC)),
            partition=partition_of(key, topic.partitions),
        )
        answer.add_done_callback(self._answered)

    def _answered(self, answer: asyncio.Future[Any]) -> None:
        if not answer.cancelled() and answer.exception() is not None:
            self.failure = answer.exception()
            self.all_ended.set()

    def result(self) -> Paced:
        """The observations so far."""
        return Paced(
            asked=self._total,
            ended=self.ended,
            sent_late=self.sent_late,
            orders=self.orders,
            replies=self.replies,
            closings=self.closings,
            notices=self.notices,
            notices_early=self.notices_early,
            notices_again=self.notices_again,
            gc_threshold=gc.get_threshold(),
        )


@asynccontextmanager
async def _from_now_on(asked: Demand, partitions: Sequence[TopicPartition], *, patient: bool) -> Any:
    consumer = reader_of(
        asked.kafka,
        client_id="pace",
        auto_offset_reset="latest",
        fetch_min_bytes=65_536 if patient else 1,
        fetch_max_wait_ms=PATIENT_MS if patient else 500,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    consumer.assign(partitions)
    await consumer.start()
    try:
        await consumer.seek_to_end()
        for tp in partitions:
            await consumer.position(tp)
        yield consumer
    finally:
        await consumer.stop()


async def _listen(
    consumer: AIOKafkaConsumer, hear: Callable[[Sequence[Any], float], Awaitable[None]]
) -> None:
    while True:
        got = await consumer.getmany(timeout_ms=1000)
        now = time.monotonic()
        for records in got.values():
            await hear(records, now)


async def run(asked: Demand) -> Paced:
    """Offer everything, hear everything, wait until the last life has come to its end."""
    spoken = topics_of(asked.prefix, (INTAKE_REQUESTS, DISPATCH_REPLIES, FEEDBACK_VISIT_RESULTS), asked.units)
    every = max(1, len(asked.units) // asked.units_measured)
    measured = partitions_of(asked.prefix, DISPATCH_ORDERS, asked.units[::every])
    rest = sorted(set(partitions_of(asked.prefix, DISPATCH_ORDERS, asked.units)) - set(measured))
    log = [
        tp
        for line in (COMPLAINTS_LOG, FEEDBACK_VISITS, ESCALATION_NOTICES)
        for tp in partitions_of(asked.prefix, line, asked.units)
    ]
    async with AsyncExitStack() as clients:
        producer = await clients.enter_async_context(producer_of(asked.kafka, "pace", spoken))
        pace = Pace(asked, producer)

        async def at_measured(records: Sequence[Any], now: float) -> None:
            await pace.orders_came(records, now, measured=True)

        async def at_rest(records: Sequence[Any], now: float) -> None:
            await pace.orders_came(records, now, measured=False)

        listening = []
        for partitions, hear, patient in (
            (measured, at_measured, False),
            (rest, at_rest, True),
            (log, pace.others_came, False),
        ):
            if partitions:
                consumer = await clients.enter_async_context(_from_now_on(asked, partitions, patient=patient))
                listening.append(asyncio.ensure_future(_listen(consumer, hear)))
        tune_gc()
        _say("ready")
        await asyncio.to_thread(sys.stdin.buffer.readline)
        work = asyncio.ensure_future(_worked(pace, asked))
        try:
            done, _ = await asyncio.wait([work, *listening], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (work, *listening):
                task.cancel()
            await asyncio.gather(work, *listening, return_exceptions=True)
        return pace.result()


async def _worked(pace: Pace, asked: Demand) -> None:
    await pace.offer(_say)
    try:
        async with asyncio.timeout(DRAIN_SECONDS_MAX + timedelta(seconds=asked.limit_seconds or 0).seconds):
            await pace.all_ended.wait()
    except TimeoutError:
        return  # the result says how many are missing
    if pace.failure is not None:
        raise pace.failure


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def main() -> None:
    """Read what is asked, do it, say what was seen."""
    quiet()
    asked = msgspec.json.decode(sys.stdin.buffer.readline(), type=Demand)
    _say(msgspec.json.encode(asyncio.run(run(asked))).decode())


if __name__ == "__main__":
    main()
