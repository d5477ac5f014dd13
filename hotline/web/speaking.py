"""Speaks in Kafka as the roles do: each on its own topics, with a login that may write nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hotline.web.judging import JudgedEvent
from hotline.web.limits import KAFKA_SECONDS_MAX
from hotline.web.problems import HttpRefusal, ProblemKind
from shared.log import Incoming
from shared.log.relay.sink import BATCH_BYTES_MAX, stopped
from shared.runtime import kafka_address
from shared.runtime.errors import told
from shared.runtime.patience import METADATA_SECONDS, REQUEST_SECONDS
from shared.runtime.telemetry import Telemetry

PART: Final = "kafka"
"""The name of Kafka in the process's health."""
LOOK_SECONDS: Final = 3.0
"""How often it is looked whether Kafka answers: with the longest wait for it well within `READY_SECONDS`."""
RETRY_SECONDS: Final = 2
"""After how long a client may send again what Kafka did not acknowledge."""


class SentEvent(NamedTuple):
    """An event that Kafka has on all its replicas, and where."""

    event: JudgedEvent
    partition: int
    offset: int


class _Wanted(NamedTuple):
    """Events of one request that are to be sent."""

    events: Sequence[JudgedEvent]
    sent: asyncio.Future[list[SentEvent]]


class RoleProducer:
    """The producer of one role. One that failed is thrown away: a dead idempotent producer looks alive.

    Requests that come while Kafka has not answered are sent together, in batches of one partition each. An event in a
    batch costs a fifth of one alone, so under load the door costs less for each.
    """

    def __init__(self, address: str, role: str, telemetry: Telemetry) -> None:
        """Connects with the first event. `address`: Kafka's, with the login of this role."""
        self._address = address
        self._role = role
        self._telemetry = telemetry
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._waiting: list[_Wanted] = []
        self._sending: asyncio.Task[None] | None = None

    async def send(self, events: Sequence[JudgedEvent]) -> list[SentEvent]:
        """Send them all and wait until Kafka has them, in their order within a partition.

        `HttpRefusal` where it does not say so in time: some may have been sent, and the same again has one effect.
        """
        wanted = _Wanted(events, asyncio.get_running_loop().create_future())
        self._waiting.append(wanted)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.ensure_future(self._send_waiting())
        return await wanted.sent

    async def _send_waiting(self) -> None:
        """Send all that waits, and what has come meanwhile, until nothing waits any more."""
        while self._waiting:
            taken, self._waiting = self._waiting, []
            producer: AIOKafkaProducer | None = None
            try:
                async with asyncio.timeout(KAFKA_SECONDS_MAX):
                    producer = await self._open()
                    sent = await _sent(producer, [event for wanted in taken for event in wanted.events])
            except (KafkaError, OSError, TimeoutError) as error:
                self._failed(producer, error)
                # Those that have come meanwhile have waited as well.
                taken, self._waiting = [*taken, *self._waiting], []
                _tell(taken, _not_acknowledged)
            except BaseException as error:
                _tell(taken, partial(_same, error))
                raise
            else:
                self._telemetry.health.works(PART)
                self._telemetry.count("web.events", len(sent))
                places = iter(sent)
                for wanted in taken:
                    mine = list(islice(places, len(wanted.events)))
                    if not wanted.sent.done():
                        wanted.sent.set_result(mine)

    async def answers(self) -> bool:
        """Whether Kafka answers this role just now; it connects where no event has done so yet."""
        try:
            async with asyncio.timeout(KAFKA_SECONDS_MAX):
                producer = await self._open()
        except (KafkaError, OSError, TimeoutError) as error:
            self._telemetry.log.warning("waiting_for_kafka", role=self._role, error=told(error))
            return False
        look = asyncio.ensure_future(producer.client.force_metadata_update())
        # A producer that is thrown away meanwhile cancels the look, and must not cancel who looks.
        await asyncio.wait({look}, timeout=KAFKA_SECONDS_MAX)
        return look.done() and not look.cancelled() and look.exception() is None and bool(look.result())

    async def close(self) -> None:
        """Send what is under way, and disconnect."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)
        await asyncio.gather(*self._goodbyes, return_exceptions=True)

    def _failed(self, producer: AIOKafkaProducer | None, error: BaseException) -> None:
        self._telemetry.log.warning("kafka_did_not_take_it", role=self._role, error=told(error))
        self._telemetry.health.waits("Kafka", PART)
        if producer is None or producer is not self._producer:
            return
        self._producer = None
        self._telemetry.count("web.producers_rebuilt")
        goodbye = asyncio.ensure_future(stopped(producer))
        self._goodbyes.add(goodbye)
        goodbye.add_done_callback(self._goodbyes.discard)

    async def _open(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **kafka_address.aiokafka(self._address),
                    client_id=f"web-{self._role}",
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=BATCH_BYTES_MAX,
                    request_timeout_ms=round(REQUEST_SECONDS * 1000),
                    metadata_max_age_ms=round(METADATA_SECONDS * 1000),
                )
                try:
                    await producer.start()
                except BaseException:
                    await stopped(producer)
                    raise
                self._producer = producer
            return self._producer


def _same(error: BaseException) -> BaseException:
    return error


def _tell(taken: Sequence[_Wanted], error: Callable[[], BaseException]) -> None:
    """Tell all who wait that it has not come about; each gets an error of its own."""
    for wanted in taken:
        if not wanted.sent.done():
            wanted.sent.set_exception(error())


def _not_acknowledged() -> HttpRefusal:
    return HttpRefusal(
        ProblemKind.AWAY,
        "Kafka did not acknowledge it in time. Send the same again: it has one effect.",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


class _Builder(NamedTuple):
    """A batch for one partition that is being filled."""

    batch: Any
    places: list[int]
    """The places of its events among all."""


async def _sent(producer: AIOKafkaProducer, events: Sequence[JudgedEvent]) -> list[SentEvent]:
    """Send them by batches of one partition each; where each of them lies, in their order."""
    waiting: dict[tuple[str, int], list[_Builder]] = {}
    for place, event in enumerate(events):
        message = event.message
        _put(producer, waiting.setdefault((message.topic, message.partition), []), message, place)
    offsets = [0] * len(events)
    while waiting:
        # One batch of a partition at a time: a batch that fails is never followed by a later one.
        first = [(at, builders.pop(0)) for at, builders in waiting.items()]
        answers = [
            await producer.send_batch(builder.batch, topic, partition=partition)
            for (topic, partition), builder in first
        ]
        for (_, builder), answer in zip(first, answers, strict=True):
            base = (await answer).offset
            for number, place in enumerate(builder.places):
                offsets[place] = base + number
        waiting = {at: builders for at, builders in waiting.items() if builders}
    return [
        SentEvent(event, event.message.partition, offset)
        for event, offset in zip(events, offsets, strict=True)
    ]


def _put(producer: AIOKafkaProducer, builders: list[_Builder], message: Incoming, place: int) -> None:
    for _ in range(2):
        if builders:
            batch, places = builders[-1]
            told = batch.append(
                key=message.key,
                value=message.value,
                timestamp=message.sent_at_ms,
                headers=list(message.headers),
            )
            if told is not None:
                places.append(place)
                return
        builders.append(_Builder(producer.create_batch(), []))
    text = "an event is larger than a batch of Kafka holds"  # the limits of an event are a tenth of it
    raise ValueError(text)


class Speakers:
    """The producers of the roles that this process may speak for."""

    def __init__(self, addresses: Mapping[str, str], telemetry: Telemetry) -> None:
        """`addresses`: by role."""
        self._addresses = dict(addresses)
        self._of = {role: RoleProducer(address, role, telemetry) for role, address in addresses.items()}
        self._telemetry = telemetry
        self.roles: Final = frozenset(self._of)
        if self._of:
            telemetry.health.expects(PART)
            telemetry.keeps("speaking")

    def address(self, role: str) -> str:
        """Kafka's address with the login of this role."""
        return self._addresses[role]

    async def send(self, role: str, events: Sequence[JudgedEvent]) -> list[SentEvent]:
        """See `RoleProducer.send`."""
        return await self._of[role].send(events)

    async def watch(self) -> None:
        """Look again and again whether Kafka answers: the health of the process is true while nobody sends."""
        while True:
            answers = await asyncio.gather(*(one.answers() for one in self._of.values()))
            if all(answers):
                self._telemetry.health.works(PART)
            else:
                self._telemetry.health.waits("Kafka", PART)
            await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """See `RoleProducer.close`."""
        await asyncio.gather(*(one.close() for one in self._of.values()))
