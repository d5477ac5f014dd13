"""Doors: FastStream subscriptions whose offsets live in PostgreSQL, beside the effects.

A door takes what is there as one batch, hands it to its desk, and moves its offsets in the desk's own
transaction. Kafka's offsets are committed as well, but only for lag tools. After a crash in between, the
batch comes again and its compare-and-set refuses it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Container, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, Final, TypeVar

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError, OffsetOutOfRangeError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage as Message
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage

from shared.cloudevents import BadInput, header
from shared.desk import Batch, Desk, Said, Work
from shared.doors.membership import SharesAnew
from shared.doors.records import Unreadable
from shared.doors.stops import WHOLE, Stops, TooMuchParked
from shared.doors.unread_records import Passing, Told, beyond, incoming, only_readable
from shared.log import Fenced, Incoming, Moved, Parked, Place
from shared.runtime.clock import RehearsalClock
from shared.runtime.errors import told
from shared.runtime.patience import SESSION_SECONDS
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry

LAG_COMMIT_SECONDS: Final = 2.0
"""How often Kafka is told how far we are, for lag tools."""

FETCH_BYTES_MAX: Final = 2 * 1024 * 1024
"""What one answer of a broker brings at most: two full batches of usual messages. By default it is
50 MB, all of which the client holds when much waits on 200 units' topics; see docs/performance.md."""

LOOK_MS: Final = 1000
"""How long a door with nothing to do waits before it looks whether it is still open."""

_MARK: Final = re.compile(rb"([0-9]{1,18})\.([0-9]{1,18})")
"""Batch and position of the relay: whole numbers that PostgreSQL's bigint holds."""

RETRY_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Waits while PostgreSQL is away; the last one repeats."""

AWAY: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server's farewell is still being read
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,  # starting, stopping, terminated
)
"""What PostgreSQL raises while it is gone, starting or stopping: wait and try again, where `is_away` agrees."""

Translate = Callable[[Incoming], Work | None]
"""A message to what it asks of the desk; None where the desk has nothing to do with it. Raises `BadInput`."""

Records = Sequence[ConsumerRecord[Any, Any]]

_Heard = TypeVar("_Heard")

Handle = Callable[[Sequence[Incoming], Batch], None]
"""Puts the effects of a whole batch of messages into it."""


def is_away(error: BaseException) -> bool:
    """Whether waiting helps: a `DataError` is an InterfaceError too, but no waiting will make its value fit."""
    return isinstance(error, AWAY) and not isinstance(error, asyncpg.DataError)


async def _unparsed(records: tuple[ConsumerRecord[Any, Any], ...]) -> KafkaMessage:
    """The batch as it came.

    FastStream's own parser decodes every header of every record, and one header that is null or not
    UTF-8 would drop the whole batch.
    """
    return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def _undecoded(message: KafkaMessage) -> bytes:
    """Nothing: bodies are decoded one by one where they are handled."""
    del message
    return b""


def subscribed(
    broker: KafkaBroker,
    *,
    group: str,
    listener: ConsumerRebalanceListener,
    fetch: Callable[[AIOKafkaConsumer], Awaitable[Records]],
    take: Callable[[Records], Awaitable[None]],
    topic: str = "",
    pattern: str = "",
    gather_bytes: int = 1,
    gather_ms: int = 100,
    instance: str = "",
) -> Any:
    """A subscription to a topic, or to all that match: what `fetch` gives is handed to `take`, batch by batch.

    The broker answers once it has `gather_bytes`, or `gather_ms` after it was asked. `instance`: a lasting name in the
    group.
    """
    options: dict[str, Any] = {
        "batch": True,
        "group_id": group,
        "group_instance_id": instance or None,
        "auto_offset_reset": "none",
        "isolation_level": "read_committed",
        "ack_policy": AckPolicy.MANUAL,
        "listener": listener,
        "fetch_min_bytes": gather_bytes,
        "fetch_max_wait_ms": gather_ms,
        "max_partition_fetch_bytes": 2 * 1024 * 1024,
        "fetch_max_bytes": FETCH_BYTES_MAX,
        "session_timeout_ms": round(SESSION_SECONDS * 1000),
        "heartbeat_interval_ms": round(SESSION_SECONDS * 200),
        "max_poll_interval_ms": 300_000,
        "parser": _unparsed,
        "decoder": _undecoded,
    }
    subscribe: Any = (
        broker.subscriber(pattern=pattern, **options) if pattern else broker.subscriber(topic, **options)
    )

    async def on_batch(message: Message) -> None:
        await take(message.raw_message)

    subscribe(on_batch)
    subscribe.get_msg = fetch
    return subscribe


async def next_of(
    consumer: AIOKafkaConsumer,
    most: int,
    hear: Callable[[Callable[[], Awaitable[dict[Any, Any]]]], Awaitable[dict[Any, Any] | None]],
    passes: Callable[[], Awaitable[None]],
) -> Records:
    """What has come, as soon as something has. `passes` is told each time that all that had come was taken.

    FastStream's own look sleeps as long again after one that found nothing (where messages are rare, half
    of them waited up to 200 ms for nothing), and sleeps over an error of Kafka and tells nobody.
    """
    while True:
        await passes()
        got = await hear(lambda: consumer.getmany(timeout_ms=LOOK_MS, max_records=most))
        if got:
            return tuple(chain.from_iterable(got.values()))


async def heard(fetch: Callable[[], Awaitable[_Heard]], doors: Sequence[Door]) -> _Heard | None:
    """What the consumer of these doors has; None where an offset is no longer there and they had to go past it.

    Any other error is told of once until it can be read again, counted, and raised as one of Kafka's: whoever
    fetches waits and tries again. What the client had of other partitions is lost with it, so they are read anew.
    """
    try:
        got = await fetch()
    except OffsetOutOfRangeError as error:
        for door in doors:
            await door.go_past(error.args[0])
        return None
    except ConsumerStoppedError:
        raise
    except Exception as error:
        for door in doors:
            door.cannot_read(error)
        if isinstance(error, KafkaError):
            raise
        raise KafkaError(told(error)) from error
    for door in doors:
        door.reads()
    return got


@dataclass(slots=True)
class _Standing:
    """How far we are in one partition: as stored, and as read."""

    stored: Place
    ahead: Place
    told_kafka: int = -1


class Door(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """One subscription of a desk."""

    def __init__(
        self,
        desk: Desk,
        settings: CommonSettings,
        *,
        name: str,
        fill: Handle,
        wanted: Container[bytes] | None = None,
        fail: Callable[[Exception], None],
        rehearsed: RehearsalClock | None = None,
    ) -> None:
        """`wanted`, on a door that hears the relay: the types of facts it reacts to. `fail` ends the process.

        `rehearsed`: the clock of a rehearsed city, which the door brings to its conductor's present before each batch.
        """
        self.name = name
        self._fail = fail
        self._desk = desk
        self._settings = settings
        self._fill = only_readable(fill)
        self._rehearsed = rehearsed
        self._wanted = wanted
        self._telemetry: Telemetry = desk.telemetry
        self._telemetry.health.expects(name)
        self._standing: dict[tuple[str, int], _Standing] = {}
        self._dirty: set[tuple[str, int]] = set()
        """Partitions read further than is stored."""
        self._turn = asyncio.Lock()
        self._seeks = 0
        self._fetched_at = 0
        """What `_seeks` was when the last records were fetched."""
        self._subscriber: Any = None
        self._written_at = 0.0
        self._flush: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._kafka_told_at = 0.0
        self._stops = Stops(desk, name, settings)
        self._unreadable: str | None = None
        """What was said when it last could not be read; None since it can."""
        self._told = Told(self._telemetry, name)
        self._passing = Passing()

    def open_on(
        self, broker: KafkaBroker, *, topic: str = "", pattern: str = "", patient: bool = False
    ) -> None:
        """Subscribe to a topic, or to all that match; `patient` lets the broker gather before it answers."""

        async def on_batch(records: Records) -> None:
            await self.take(records, self._fetched_at)

        self._subscriber = subscribed(
            broker,
            group=f"{self._settings.topic_prefix}{self._desk.name}.{self.name}",
            listener=SharesAnew(self, lambda: self._subscriber.consumer) if self._settings.instance else self,
            fetch=self._next,
            take=on_batch,
            topic=topic,
            pattern=pattern,
            gather_bytes=self._settings.gather_bytes if patient else 1,
            gather_ms=self._settings.gather_ms if patient else 100,
            instance=self._settings.instance,
        )

    def hears_by(self, subscriber: Any) -> None:
        """Hear by somebody else's subscription: its `consumer` is asked for what this door needs of one."""
        self._subscriber = subscriber

    async def _next(self, consumer: AIOKafkaConsumer) -> Records:
        records = await next_of(consumer, self._settings.batch_max, self.hear, self.passes)
        self._fetched_at = self._seeks
        return records

    # -- what cannot be read

    async def hear(self, fetch: Callable[[], Awaitable[_Heard]]) -> _Heard | None:
        """See `heard`."""
        return await heard(fetch, [self])

    def reads(self) -> None:
        """It could be read, whether there was anything or not."""
        if (
            self._stops
            and self._standing
            and not any(self._stops.hears(topic) for topic, _ in self._standing)
        ):
            self._telemetry.health.waits("a person: hotline parked resume", self.name)
        else:
            self._telemetry.progressed(self.name)
        if self._unreadable is not None:
            self._unreadable = None
            self._telemetry.log.info("door_reads_again", door=self.name)

    def cannot_read(self, error: Exception) -> None:
        """It could not be read: tell of it once until it can be, count it, and read on behind what was taken."""
        self._hear_again()
        self._telemetry.count("door.unreadable")
        self._telemetry.health.waits("Kafka", self.name)
        why = told(error)
        if why != self._unreadable:
            self._unreadable = why
            self._telemetry.log.error(
                "door_cannot_read",
                door=self.name,
                error=why,
                partitions={f"{topic} {part}": s.ahead.offset for (topic, part), s in self._standing.items()},
            )

    async def passes(self) -> None:
        """Go past what no reader is given: a transaction's marker, what was aborted, what was compacted away.

        Only where everything that was fetched has been taken: then the consumer stands behind it, and we do not. Of a
        topic that stopped, something was fetched and put back.
        """
        if not self._passing.is_due():
            return
        async with self._turn:
            taken = {
                at: standing.ahead.offset
                for at, standing in self._standing.items()
                if self._stops.hears(at[0])
            }
            for at, offset in (await beyond(self._subscriber.consumer, taken)).items():
                self._standing[at].ahead = self._standing[at].ahead._replace(offset=offset)
                self._dirty.add(at)
            if self._dirty:
                self._later()
            self._tell_kafka()

    async def go_past(self, places: Mapping[TopicPartition, int]) -> None:
        """Kafka no longer has these offsets: go on at the earliest there is, and say what was not read.

        Either retention has passed us, or the topic was made anew and is shorter than we had read. The relay's
        mark stays: its messages of a new topic are newer.
        """
        consumer = self._subscriber.consumer
        async with self._turn:
            for tp, offset in places.items():
                standing = self._standing.get((tp.topic, tp.partition))
                if standing is None:
                    continue  # taken away meanwhile
                earliest = (await consumer.beginning_offsets([tp]))[tp]
                if not offset < earliest <= standing.ahead.offset:  # else it was another door of the same ear
                    self._telemetry.count("door.unreadable")
                    skipped = max(earliest - standing.ahead.offset, 0)
                    self._telemetry.count("door.offsets_skipped", skipped)
                    self._telemetry.log.error(
                        "offset_out_of_range",
                        door=self.name,
                        topic=tp.topic,
                        partition=tp.partition,
                        offset=offset,
                        goes_on_at=earliest,
                        skipped=skipped,
                    )
                    standing.ahead = standing.ahead._replace(offset=earliest)
                    self._dirty.add((tp.topic, tp.partition))
                with suppress(KafkaError, AssertionError):  # taken away meanwhile
                    consumer.seek(tp, standing.ahead.offset)
            await self._write(Batch())

    # -- partitions come and go

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Go on where the log says we are, not where Kafka thinks."""
        partitions = list(assigned)
        consumer = self._subscriber.consumer
        # Before anything is awaited: aiokafka would meanwhile ask Kafka for our offset, a new group has none,
        # and FastStream sleeps five seconds over that error. A paused partition is not read at its 0 either.
        for tp in partitions:
            consumer.pause(tp)
            consumer.seek(tp, 0)
        async with self._turn:
            await self._look_whether_stopped()
            await self._seek(partitions)
        _resumed(consumer, (tp for tp in partitions if self._stops.hears(tp.topic)))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Finish the batch in hand, then forget the partitions."""
        async with self._turn:
            for tp in revoked:
                self._standing.pop((tp.topic, tp.partition), None)
                self._dirty.discard((tp.topic, tp.partition))

    async def _seek(self, partitions: list[TopicPartition]) -> None:
        if not partitions:
            return
        consumer = self._subscriber.consumer
        places = await self._patiently(
            lambda: self._desk.log.places([(tp.topic, tp.partition) for tp in partitions])
        )
        for tp in partitions:
            place = places[tp.topic, tp.partition]
            self._standing[tp.topic, tp.partition] = _Standing(place, place)
            self._dirty.discard((tp.topic, tp.partition))
            if self._stops.hears(tp.topic):
                with suppress(KafkaError, AssertionError):  # taken away again meanwhile
                    consumer.seek(tp, place.offset)
        self._seeks += 1

    # -- batches

    @property
    def seeks(self) -> int:
        """How often this door has sought: what was fetched before the last time is not taken."""
        return self._seeks

    def reads_from(self, tp: TopicPartition) -> int | None:
        """The next offset this door needs of a partition; None where it needs none, or has not been told yet."""
        standing = self._standing.get((tp.topic, tp.partition))
        return None if standing is None or not self._stops.hears(tp.topic) else standing.ahead.offset

    async def take(self, records: Sequence[ConsumerRecord[Any, Any]], fetched_at: int | None = None) -> None:
        """Handle what has come as one batch; returns when it is written, waits while PostgreSQL is away.

        `fetched_at`: what `seeks` was when the records were fetched, where that is not just now. Nothing is
        raised: FastStream would drop the batch and go on behind it.
        """
        seeks, in_hand = self._seeks if fetched_at is None else fetched_at, False
        try:
            async with self._turn:
                if seeks != self._seeks:
                    return  # fetched before a seek: they come again, and those before them not handled
                if self._stops:  # fetched before it stopped, or by an ear that other doors hear by as well
                    records = [record for record in records if self._stops.hears(record.topic)]
                    if not records:
                        return
                in_hand = True
                await self._take(records)
        except BaseException:
            # Cancelled, most likely: the process stops. No later write may pass what had no effect.
            if in_hand:
                self._go_back()
            else:
                self._hear_again()
            raise

    async def _take(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        started = time.monotonic()
        before: dict[tuple[str, int], Place] = {}
        messages = self._fresh(records, before)
        effect: bool | None = None
        while effect is None:
            try:
                effect = await self._handle(messages)
            except TooMuchParked as stop:  # the others of the batch go on, as if these had not come
                self._put_back(stop.topics, before)
                messages = [message for message in messages if message.topic not in stop.topics]
            except Exception as error:  # noqa: BLE001 -- one message must not stop the door
                self._telemetry.log.error(  # noqa: TRY400 -- the reason stands with each message parked
                    "batch_failed", door=self.name, error=told(error)
                )
                effect = await self._handle_each(messages, before)
            await self._stop_due()
        if effect:
            self._telemetry.observe("door.batch_seconds", time.monotonic() - started)
        self._telemetry.count("door.messages", len(records))
        self._telemetry.observe("door.batch_size", len(records))
        self._telemetry.progressed(self.name)
        self._later()
        self._tell_kafka()

    def _go_back(self) -> None:
        """To where we are stored, in every partition. Nothing is awaited, so nothing comes in between.

        Where the batch was written all the same and only the answer was lost, the next write is fenced.
        """
        for standing in self._standing.values():
            standing.ahead = standing.stored
        self._dirty.clear()
        self._hear_again()

    def _hear_again(self) -> None:
        """Have the consumer fetch again what has not been taken; what it has fetched by now is dropped."""
        self._seeks += 1
        consumer = self._subscriber.consumer
        if consumer is None:
            return
        for (topic, partition), standing in self._standing.items():
            if self._stops.hears(topic):
                with suppress(KafkaError, AssertionError):  # taken away meanwhile
                    consumer.seek(TopicPartition(topic, partition), standing.ahead.offset)

    def _put_back(self, topics: Container[str], before: Mapping[tuple[str, int], Place]) -> None:
        """Stand in these topics where we stood before. They stop, so nothing is fetched again now."""
        for at, place in before.items():
            if at[0] in topics and (standing := self._standing.get(at)) is not None:
                standing.ahead = place

    async def _handle(self, messages: Sequence[Incoming]) -> bool:
        """One transaction for all of them, if there is anything to write; says whether there was."""
        batch = Batch()
        await self._look_at_city_time()
        self._fill(messages, batch)
        if batch.parked and (topics := self._stops.must_stop(messages, batch.parked)):
            raise TooMuchParked(topics)
        effect = bool(batch.work or batch.parked or batch.effect)
        parked: Mapping[str, int] = {}
        if effect or time.monotonic() - self._written_at > self._settings.offsets_idle_ms / 1000:
            parked = await self._write(batch)
        self._stops.add(messages, parked)
        return effect

    async def _handle_each(
        self, messages: Sequence[Incoming], before: Mapping[tuple[str, int], Place]
    ) -> bool:
        """The batch could not be written as a whole: message by message, parking what cannot be."""
        ends = {at: self._standing[at].ahead for at in before if at in self._standing}
        for at, place in before.items():
            if at in self._standing:
                self._standing[at].ahead = place
        for message in messages:
            at = (message.topic, message.partition)
            standing = self._standing.get(at)
            if standing is None or message.offset < standing.ahead.offset:
                continue  # gone to another consumer meanwhile
            if not self._stops.hears(message.topic):
                continue  # since one of those before it
            if not await self._handle_one(message, standing):
                return True
        for at, place in ends.items():
            held = self._standing.get(at)
            if held is not None and self._stops.hears(at[0]) and place.offset >= held.ahead.offset:
                held.ahead = place
                self._dirty.add(at)
        return True

    async def _look_at_city_time(self) -> None:
        if (
            self._rehearsed is not None
            and (now := await self._patiently(self._desk.log.city_now)) is not None
        ):
            self._rehearsed.move_to(now)

    async def _handle_one(self, message: Incoming, standing: _Standing) -> bool:
        """One message by itself; False where none of those behind it may be handled now."""
        before = standing.ahead
        passed = Place(message.next_offset, *before[1:])
        # Each goes with its own offset: the write before this one has stored all that had moved by then.
        self._dirty.add((message.topic, message.partition))
        try:
            standing.ahead = passed
            await self._handle([message])
        except TooMuchParked:
            standing.ahead = before
        except Exception as error:  # noqa: BLE001 -- this is the one
            parked = Parked(message, self._complaint_of(message), f"could not be handled: {told(error)}")
            must_stop = self._stops.must_stop([message], [parked])
            standing.ahead = before if must_stop else passed
            if not must_stop and not await self._parks(parked):
                return False
        await self._stop_due()
        # Fenced: what is not written comes again from where the log says we are.
        return self._standing.get((message.topic, message.partition)) is standing

    async def _parks(self, parked: Parked) -> bool:
        """Set one message aside; False where not even that can be done: the process stops before it is passed."""
        try:
            self._stops.add([parked.message], await self._write(Batch(parked=[parked])))
        except Exception as fatal:  # noqa: BLE001 -- neither handled nor parked
            self._standing.clear()
            self._dirty.clear()
            self._fail(fatal)
            return False
        return True

    def _complaint_of(self, message: Incoming) -> str | None:
        """The complaint a message is about, as far as that can be told."""
        batch = Batch()
        with suppress(Exception):
            self._fill([message], batch)
        about = [*(w.complaint_id for w in batch.work), *(p.complaint_id for p in batch.parked)]
        return next((one for one in about if one is not None), message.parked_for)

    def _fresh(
        self, records: Sequence[ConsumerRecord[Any, Any]], before: dict[tuple[str, int], Place]
    ) -> list[Incoming]:
        """The messages not seen before; moves the standing past all of them, `before` says from where."""
        fresh: list[Incoming] = []
        for at, group in groupby(records, key=_AT):
            standing = self._standing.get(at)
            if standing is None:
                continue  # revoked meanwhile
            before.setdefault(at, standing.ahead)
            if self._wanted is None:
                self._take_all(standing, group, fresh)
            else:
                self._take_wanted(self._wanted, standing, group, fresh)
        self._dirty.update(before)
        self._told.tell(fresh)
        return fresh

    def _take_all(self, standing: _Standing, group: Iterable[Any], fresh: list[Incoming]) -> None:
        """Everything of one partition not read before."""
        offset, *mark = standing.ahead
        for record in group:
            if record.offset >= offset:  # else fetched before a seek
                fresh.append(incoming(record))
                offset = fresh[-1].next_offset
        standing.ahead = Place(offset, *mark)

    def _take_wanted(
        self, wanted: Container[bytes], standing: _Standing, group: Iterable[Any], fresh: list[Incoming]
    ) -> None:
        """The facts of one partition that the desk reacts to, without the relay's repeats."""
        offset, batch, position = standing.ahead
        repeats = 0
        for record in group:
            if record.offset < offset:
                continue
            if type(record) is Unreadable:
                fresh.append(incoming(record))
                offset = fresh[-1].next_offset
                continue
            offset = record.offset + 1
            mark = mark_of(record.headers)
            if mark is not None:
                if mark <= (batch, position):
                    repeats += 1
                    continue
                batch, position = mark
            if header(record.headers, "ce_type") in wanted:
                fresh.append(incoming(record))
        standing.ahead = Place(offset, batch, position)
        if repeats:
            self._telemetry.count("door.relay_repeats", repeats)

    async def _write(self, batch: Batch) -> Mapping[str, int]:
        """Write a batch with the offsets read so far; on a lost partition go back to what is stored.

        Returns how many messages of each topic were parked.
        """
        moving = ((at, self._standing[at]) for at in self._dirty)
        batch.moved = [Moved(*at, s.stored.offset, s.ahead) for at, s in moving if s.ahead != s.stored]
        if not (batch.moved or batch.work or batch.parked or batch.effect or batch.unpark):
            return {}
        try:
            with self._telemetry.batch(f"{self._desk.name} {self.name}"):
                said: Said = await self._patiently(lambda: self._desk.obey(batch))
        except Fenced:
            self._telemetry.count("door.fenced")
            await self._seek([TopicPartition(t, p) for t, p in self._standing])
            return {}
        for topic, partition, _, place in batch.moved:
            standing = self._standing.get((topic, partition))
            if standing is not None:
                standing.stored = place
                if standing.ahead.offset == place.offset:
                    self._dirty.discard((topic, partition))
        self._written_at = time.monotonic()
        return said.parked_of

    async def _patiently(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """Do it, however long PostgreSQL is away. Every act here is harmless to repeat."""
        tried = 0
        while True:
            try:
                return await act()
            except AWAY as error:
                if not is_away(error):
                    raise
                self._telemetry.count("door.retries")
                self._telemetry.health.waits("PostgreSQL", self.name)
                if tried == 0 or tried % 30 == 0:
                    self._telemetry.log.warning("waiting_for_postgres", door=self.name, error=told(error))
                await asyncio.sleep(RETRY_SECONDS[min(tried, len(RETRY_SECONDS) - 1)])
                tried += 1

    # -- when nothing comes

    def _later(self) -> None:
        """Write offsets that moved without effect, if no effect takes them along soon."""
        if self._flush is None:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(self._settings.offsets_idle_ms / 1000, self._flush_now)

    def _flush_now(self) -> None:
        self._flush = None
        if self._dirty:
            self._spawn(self._flush_offsets())

    async def _flush_offsets(self) -> None:
        async with self._turn:
            await self._write(Batch())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell_kafka(self) -> None:
        now = time.monotonic()
        if now - self._kafka_told_at < LAG_COMMIT_SECONDS:
            return
        self._kafka_told_at = now
        offsets = {
            TopicPartition(topic, partition): s.stored.offset
            for (topic, partition), s in self._standing.items()
            if s.stored.offset != s.told_kafka and s.stored.offset > 0
        }
        if offsets:
            self._spawn(self._commit(offsets))

    async def _commit(self, offsets: dict[TopicPartition, int]) -> None:
        consumer = self._subscriber.consumer
        if consumer is None:
            return
        with suppress(KafkaError, TimeoutError, AssertionError):  # only for lag tools
            held = {tp: offset for tp, offset in offsets.items() if tp in consumer.assignment()}
            async with asyncio.timeout(5):
                await consumer.commit(held)
            for tp, offset in held.items():
                standing = self._standing.get((tp.topic, tp.partition))
                if standing is not None:
                    standing.told_kafka = offset

    # -- when most of a topic would be parked

    async def _stop_due(self) -> None:
        """Take in nothing more of the topics that must stop; what was not written stays in Kafka, where it is."""
        self._pause(await self._stops.stop_due(self._patiently))

    def _pause(self, topics: Container[str]) -> None:
        for tp in self._of(topics):
            with suppress(KafkaError, AssertionError):  # taken away meanwhile
                self._subscriber.consumer.pause(tp)

    def _of(self, topics: Container[str]) -> list[TopicPartition]:
        return [TopicPartition(*at) for at in self._standing if at[0] in topics or WHOLE in topics]

    async def _look_whether_stopped(self) -> None:
        """A person may have resumed a topic, or another process of this desk stopped one."""
        stopped, resumed = await self._stops.look(self._patiently, (topic for topic, _ in self._standing))
        self._pause(stopped)
        if resumed:  # the consumer may stand behind what was fetched and not taken
            self._hear_again()
            heard = (tp for tp in self._of(resumed) if self._stops.hears(tp.topic))
            _resumed(self._subscriber.consumer, heard)

    async def take_released(self) -> int:
        """Handle again what a person has released from this desk's parking; returns how many."""
        async with self._turn:
            await self._look_whether_stopped()
            messages = await self._released()
            try:
                await self._handle_released(messages)
            except Exception as error:  # noqa: BLE001 -- one message must not keep the others parked
                self._telemetry.log.error(  # noqa: TRY400 -- the reason stands with each message parked
                    "batch_failed", door=self.name, error=told(error)
                )
                await self._handle_released_each(len(messages))
            return len(messages)

    async def _released(self) -> list[Incoming]:
        """What was released and came through one of our partitions."""
        messages: list[Incoming] = await self._patiently(self._desk.log.released)
        return [m for m in messages if (m.topic, m.partition) in self._standing]

    async def _handle_released(self, messages: Sequence[Incoming]) -> None:
        if messages:
            batch = Batch(unpark=[m.parked_id for m in messages if m.parked_id is not None])
            await self._look_at_city_time()
            self._fill(messages, batch)
            await self._write(batch)

    async def _handle_released_each(self, most: int) -> None:
        """One at a time; the log is asked each time, for what stands behind one that failed is no longer released."""
        for _ in range(most):
            messages = await self._released()
            if not messages:
                return
            message = messages[0]
            try:
                await self._handle_released([message])
            except Exception as error:  # noqa: BLE001 -- this is the one
                reason = f"could not be handled: {told(error)}"
                try:
                    await self._write(Batch(parked=[Parked(message, message.parked_for, reason)]))
                except Exception as fatal:  # noqa: BLE001 -- it stays released: the next start finds it so
                    self._fail(fatal)
                    return


_AT: Final = attrgetter("topic", "partition")


def _resumed(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> None:
    for tp in partitions:
        with suppress(KafkaError, AssertionError):  # taken away again meanwhile
            consumer.resume(tp)


def mark_of(headers: Sequence[tuple[str, bytes | None]]) -> tuple[int, int] | None:
    """The relay's mark; None where there is none, or what stands there is none (then it is nothing of the relay's)."""
    mark = header(headers, "ce_relaymark")
    found = None if mark is None else _MARK.fullmatch(mark)
    return None if found is None else (int(found[1]), int(found[2]))


def one_by_one(translate: Translate) -> Handle:
    """Fill a batch message by message; what cannot be understood is parked with its reason."""

    def fill(messages: Sequence[Incoming], batch: Batch) -> None:
        for message in messages:
            try:
                work = translate(message)
            except BadInput as error:
                batch.parked.append(Parked(message, error.complaint_id, str(error)))
            else:
                if work is not None:
                    batch.work.append(work)

    return fill
