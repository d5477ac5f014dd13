"""A sender that misbehaves: it says things twice, late, in another order, far too often, or sends nonsense.

It notes its new inputs (calls, letters) when Kafka acknowledges them; like everybody else's they must be
found at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import cycle
from random import Random
from typing import Any, Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from hotline.lab.acknowledged import Acknowledged
from hotline.lab.chaos import letters, times
from hotline.lab.chaos.batches import Raw, batch, hand_in
from hotline.lab.chaos.http_sender import HttpSender
from hotline.lab.chaos.nonsense import NOT_UTF_8, POISON_KEY, SOURCE, Headers, Piece, spoilt
from shared.cloudevents import input_headers
from shared.doors.kafka_reader import reader_of
from shared.doors.parking_limit import PARKED_MIN
from shared.doors.records import UnreadableRecord
from shared.doors.unpacking import CODECS
from shared.ids import ComplaintId
from shared.inputs import CallAnswered, CallEnded, CallOffered, Input, RecordRequest
from shared.log.relay.sink import stopped
from shared.policy.catalogue import Catalogue
from shared.runtime import kafka_address
from shared.topic_names import names, partition_of
from shared.topics import COMPLAINTS_LOG, FEEDBACK_EXCEPTIONS, INTAKE_REQUESTS, TELEPHONY_CALLS, Topic

ANSWER_SECONDS_MAX: Final = 20.0
SILENT_LINE: Final = FEEDBACK_EXCEPTIONS
"""A door at which nobody else in the city speaks."""
NONSENSE_THERE_MAX: Final = PARKED_MIN // 2
"""Pieces of nonsense for it: a topic that brings nothing else stops, and rightly."""


class OutsideRecord(NamedTuple):
    """A record to send."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Outside:
    """One speaker on every door of a city. Kafka may go and come back."""

    def __init__(self, kafka: str, prefix: str, catalogue: Catalogue, began_at: datetime) -> None:
        """`began_at`: the city's first instant; its calls come from then on, a second apart."""
        self._kafka = kafka
        self._prefix = prefix
        self._producer: AIOKafkaProducer | None = None
        self._sending = asyncio.Lock()
        self._doors = {
            name: line
            for name, line in names(prefix, catalogue.units).items()
            if any(issubclass(kind, Input) for kind in line.carries)
        }
        self._began_at = began_at
        self._catalogue = catalogue
        self._calls = 0
        self._letters = 0
        self._said_there = 0
        """Pieces of nonsense on the silent door."""
        self._codecs = cycle(CODECS)
        """The next producer packs by the next one, and so does the next batch that is made by hand."""
        self.http: HttpSender | None = None
        """The one that speaks over HTTP meanwhile."""
        self.acknowledged: list[Acknowledged] = []
        """Inputs of its own that Kafka acknowledged."""
        self.poisoned: dict[bytes, Piece] = {}
        """Every piece of nonsense by its key."""
        self.letters: list[tuple[ComplaintId, datetime]] = []
        """Every letter, and the city's present when it was handed in."""

    @property
    def over_http(self) -> list[Acknowledged]:
        """Inputs that the HTTP door acknowledged."""
        return [] if self.http is None else self.http.acknowledged

    @property
    def over_http_again(self) -> int:
        """How often its sender sent again what was not acknowledged."""
        return 0 if self.http is None else self.http.again

    async def close(self) -> None:
        """Say no more."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)

    # -- new and valid

    async def call(self, number: int = 1) -> None:
        """So many new calls, each offered, answered and over."""
        told: list[tuple[OutsideRecord, Acknowledged]] = []
        for _ in range(number):
            self._calls += 1
            call_id, at = f"chaos-{self._calls}", self._began_at + timedelta(seconds=self._calls)
            for kind, data in (
                (CallOffered, CallOffered(call_id=call_id)),
                (CallAnswered, CallAnswered(call_id=call_id, agent="chaos")),
                (CallEnded, CallEnded(call_id=call_id, cause="hangup")),
            ):
                event_id = f"{call_id}-{kind.TYPE.split('.')[2]}"
                told.append(
                    (
                        self._message(
                            TELEPHONY_CALLS,
                            call_id.encode(),
                            msgspec.json.encode(data),
                            input_headers(kind, SOURCE, event_id, at),
                        ),
                        Acknowledged(
                            kind.TYPE,
                            TELEPHONY_CALLS.name,
                            SOURCE,
                            event_id,
                            call_id,
                            TELEPHONY_CALLS.hearers,
                        ),
                    )
                )
        await self.send(message for message, _ in told)
        self.acknowledged += [known for _, known in told]

    async def backlog(self, random: Random, number: int, present: datetime) -> list[ComplaintId]:
        """So many letters, each received long before the city's present; which complaints they become."""
        numbers = iter(range(self._letters, self._letters + number))
        self._letters += number
        told = list(letters.written(self._catalogue, random, numbers, present))
        event_id = "{}-recorded".format
        messages = [
            self._message(
                INTAKE_REQUESTS,
                letter.request.request_id.encode(),
                msgspec.json.encode(letter.request),
                input_headers(RecordRequest, SOURCE, event_id(letter.request.request_id), letter.received_at),
            )
            for letter in told
        ]
        await self.send(messages, anew=True)
        self.acknowledged += [
            Acknowledged(
                RecordRequest.TYPE,
                INTAKE_REQUESTS.name,
                SOURCE,
                event_id(letter.request.request_id),
                letter.request.request_id,
                INTAKE_REQUESTS.hearers,
            )
            for letter in told
        ]
        found = [letter.complaint for letter in told]
        self.letters += [(complaint, present) for complaint in found]
        return found

    # -- again

    async def repeat(self, random: Random, number: int) -> int:
        """So many inputs that were heard before, from all doors, in an order of chance; how many there were."""
        found = await self._heard(random, number)
        random.shuffle(found)
        await self.send(found)
        return len(found)

    async def _heard(self, random: Random, number: int) -> list[OutsideRecord]:
        """Records of the doors' topics from places of chance."""
        consumer = reader_of(self._kafka, max_poll_records=number)
        found: list[OutsideRecord] = []
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                await consumer.start()
                partitions = [
                    TopicPartition(name, part)
                    for name, line in self._doors.items()
                    for part in range(line.partitions)
                ]
                consumer.assign(partitions)
                ends = await consumer.end_offsets(partitions)
                for tp in partitions:
                    consumer.seek(tp, random.randrange(ends[tp]) if ends[tp] else 0)
                while len(found) < number:
                    got = await consumer.getmany(timeout_ms=500, max_records=number)
                    if not got:
                        break
                    found += [
                        OutsideRecord(
                            record.topic, record.partition, record.key, record.value, record.headers
                        )
                        for records in got.values()
                        for record in records
                        if not (record.key or b"").startswith(POISON_KEY)
                        and type(record) is not UnreadableRecord
                    ]
        except (KafkaError, OSError, TimeoutError):
            return found
        finally:
            with suppress(Exception):
                async with asyncio.timeout(5):
                    await consumer.stop()
        return found[:number]

    # -- nonsense

    async def poison(self, random: Random, number: int) -> None:
        """So many messages of every kind of nonsense, on doors of chance and on the log itself."""
        messages = []
        for _ in range(number):
            key = POISON_KEY + b"%d" % len(self.poisoned)
            name = random.choice(self._patient())
            line = self._doors[name]
            if random.random() < 0.2:  # noqa: PLR2004 -- one in five
                name, line = self._prefix + COMPLAINTS_LOG.name, COMPLAINTS_LOG
            value, headers, desks = spoilt(random, line, key)
            messages.append(OutsideRecord(name, partition_of(key, line.partitions), key, value, headers))
            self._note(line, key, Piece(desks))
        await self.send(messages, anew=True)

    async def impossible_times(self, random: Random) -> int:
        """Inputs good but for a time that cannot be: each such time at each kind of door; how many there were."""
        by_line: dict[Topic, list[str]] = {}
        for name in self._patient():
            by_line.setdefault(self._doors[name], []).append(name)
        messages = []
        for line, topics in by_line.items():
            kinds = [kind for kind in line.carries if issubclass(kind, Input)]
            for time in times.CANNOT_BE:
                for timed in times.inputs_with(time, kinds, random, near=self._began_at):
                    key = POISON_KEY + b"%d" % len(self.poisoned)
                    message = timed.message(SOURCE, key.decode())
                    name = random.choice(topics)
                    messages.append(
                        OutsideRecord(
                            name, partition_of(key, line.partitions), key, message.value, message.headers
                        )
                    )
                    self._note(line, key, Piece(1, timed.named))
        random.shuffle(messages)
        await self.send(messages, anew=True)
        return len(messages)

    def _patient(self) -> list[str]:
        """The doors that nonsense may still go to."""
        full = self._said_there >= NONSENSE_THERE_MAX
        return sorted(name for name, line in self._doors.items() if not (full and line is SILENT_LINE))

    def _note(self, line: Topic, key: bytes, piece: Piece) -> None:
        self.poisoned[key] = piece
        self._said_there += line is SILENT_LINE

    # -- sending

    def _message(self, line: Topic, key: bytes, value: bytes | None, headers: Headers) -> OutsideRecord:
        return OutsideRecord(
            self._prefix + line.name, partition_of(key, line.partitions), key, value, headers
        )

    async def send(self, messages: Iterable[OutsideRecord], *, anew: bool = False) -> None:
        """Send until Kafka has all of it; acknowledged messages are not sent again, the others may arrive twice.

        With `anew` another producer sends, which packs by the next codec. Calls run one at a time, for `anew`
        ends the producer of all.
        """
        async with self._sending:
            if anew:
                await self.close()
            await self._send(list(messages))

    async def _send(self, left: list[OutsideRecord]) -> None:
        while left:
            done: set[int] = set()
            try:
                async with asyncio.timeout(ANSWER_SECONDS_MAX):
                    await self._hand_over(left, done)
            except (KafkaError, OSError, TimeoutError):
                await self.close()
                await asyncio.sleep(0.3)
            left = [one for number, one in enumerate(left) if number not in done]
            for one in left:
                if (piece := self.poisoned.get(one.key or b"")) is not None:
                    piece.again += 1

    async def _hand_over(self, messages: Sequence[OutsideRecord], done: set[int]) -> None:
        """Each once, in order; `done` are those of which Kafka says that it has them."""
        producer = await self._open()
        by_hand = [number for number, one in enumerate(messages) if _is_unreadable(one)]
        answers: dict[int, asyncio.Future[Any]] = {}
        try:
            for number, one in enumerate(messages):
                if not _is_unreadable(one):
                    answers[number] = await producer.send(
                        one.topic,
                        value=one.value,
                        key=one.key,
                        partition=one.partition,
                        headers=list(one.headers),
                    )
            await producer.flush()
            for answer in answers.values():
                await answer
        finally:
            done |= {
                number
                for number, answer in answers.items()
                if answer.done() and not answer.cancelled() and answer.exception() is None
            }
        for number in by_hand:
            one = messages[number]
            await producer.client.add_topic(one.topic)
            frame = batch([_raw(one)], next(self._codecs))
            await hand_in(producer.client, one.topic, one.partition, frame)
            done.add(number)

    async def _open(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **kafka_address.aiokafka(self._kafka),
                client_id=SOURCE,
                acks="all",
                linger_ms=5,
                compression_type=None if (codec := next(self._codecs)) == "none" else codec,
            )
            self._producer = producer
            await producer.start()
        return self._producer


def _is_unreadable(message: OutsideRecord) -> bool:
    return any(name == NOT_UTF_8 for name, _ in message.headers)


def _raw(message: OutsideRecord) -> Raw:
    """A message as its bytes."""
    headers = [(name.encode("utf-8", "surrogateescape"), value) for name, value in message.headers]
    return Raw(message.key, message.value, headers)
