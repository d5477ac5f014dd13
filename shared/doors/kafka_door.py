"""Doors: Kafka subscriptions whose offsets live in PostgreSQL, beside the effects.

A door takes what is there as one batch, hands it to its desk, and moves its offsets in the desk's own
transaction. Kafka's offsets are committed as well, but only for lag tools. After a crash in between, the
batch comes again and its compare-and-set refuses it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Container, Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition

from shared.desk import Desk, Obeyed
from shared.doors.fetching import WAIT_MS, FetchPosition, Records, Subscription, fetched, next_records
from shared.doors.lag import LagCommit
from shared.doors.membership import RejoinOnStart
from shared.doors.offsets import Offsets, Partition
from shared.doors.parking import Parking
from shared.doors.releases import Releases
from shared.doors.retry import Retry
from shared.doors.stops import Stops, TooMuchParked
from shared.doors.subscription import KafkaClient
from shared.doors.unread_records import Handle, Passing, ReadErrors, UnreadTold, beyond, only_readable
from shared.log import Fenced, Incoming, Place
from shared.runtime.clock import Clock
from shared.runtime.errors import told
from shared.runtime.processor_time import ProcessorWork, measured
from shared.runtime.settings import CommonSettings
from shared.runtime.telemetry import Telemetry
from shared.work import Batch

_Fetched = TypeVar("_Fetched")


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
        clock: Clock | None = None,
    ) -> None:
        """`wanted`, on a door that hears the relay: the types of facts it reacts to. `fail` ends the process.

        `clock`: what the door brings to the present before each batch.
        """
        self.name = name
        self._desk = desk
        self._settings = settings
        self._fill = only_readable(fill)
        self._clock = clock
        self._telemetry: Telemetry = desk.telemetry
        self._telemetry.health.expects(name)
        self._telemetry.keeps("door", name)
        if wanted is not None:
            self._telemetry.keeps("log")
        self._retry = Retry(self._telemetry, name)
        self._offsets = Offsets(self._telemetry, wanted)
        self._stops = Stops(desk, name, settings)
        self._position = FetchPosition(self._offsets, self._stops)
        self._lag = LagCommit(self._offsets, lambda: self._position.consumer)
        self._telemetry.metrics.ask("door.behind_messages", self._lag.behind, name)
        self._parking = Parking(
            self._offsets,
            self._stops,
            handle=self._handle,
            write=self._write,
            fill=self._fill,
            stop_due=self._stop_due,
            fail=fail,
        )
        self._releases = Releases(
            desk.log, self._offsets, self._retry, fill=self._fill_now, write=self._write, fail=fail
        )
        self._errors = ReadErrors(self._telemetry, name)
        self._unread = UnreadTold(self._telemetry, name)
        self._passing = Passing()
        self._turn = asyncio.Lock()
        self._fetched_at = 0
        """The value of `seeks` when the last records were fetched."""
        self._written_at = 0.0
        self._flush: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def group(self) -> str:
        """The consumer group by which it hears."""
        return f"{self._settings.topic_prefix}{self._desk.name}.{self.name}"

    def open_on(
        self, client: KafkaClient, *, topic: str = "", pattern: str = "", patient: bool = False
    ) -> None:
        """Subscribe to a topic, or to all that match; `patient` lets the broker gather before it answers."""

        async def on_batch(records: Records) -> None:
            await self.take(records, self._fetched_at)

        position = self._position
        position.subscription = client.subscribe(
            group=self.group,
            listener=RejoinOnStart(self, lambda: position.consumer) if self._settings.instance else self,
            fetch=self._next,
            take=on_batch,
            topic=topic,
            pattern=pattern,
            gather_bytes=self._settings.gather_bytes if patient else 1,
            gather_ms=self._settings.gather_ms if patient else WAIT_MS,
            instance=self._settings.instance,
        )

    def hears_by(self, subscription: Subscription) -> None:
        """Hear by somebody else's subscription: its `consumer` is asked for what this door needs of one."""
        self._position.subscription = subscription

    async def _next(self, consumer: AIOKafkaConsumer) -> Records:
        records = await next_records(consumer, self._settings.batch_max, self.hear, self.passes)
        self._fetched_at = self.seeks
        return records

    # -- what cannot be read

    async def hear(self, fetch: Callable[[], Awaitable[_Fetched]]) -> _Fetched | None:
        """See `fetched`."""
        return await fetched(fetch, [self])

    def reads(self) -> None:
        """It could be read, whether there was anything or not."""
        held = self._offsets.held
        if self._stops and held and not any(self._stops.hears(topic) for topic, _ in held):
            self._telemetry.health.waits("a person: hotline parked resume", self.name)
        else:
            self._telemetry.progressed(self.name)
        self._errors.over()

    def cannot_read(self, error: Exception) -> None:
        """It could not be read: tell of it once until it can be, count it, and read on behind what was taken."""
        self._position.fetch_again()
        self._errors.tell(error, {at: held.ahead.offset for at, held in self._offsets.held.items()})

    async def passes(self) -> None:
        """Go past what no reader is given: a transaction's marker, what was aborted, what was compacted away.

        Only where everything that was fetched has been taken: then the consumer stands behind it, and we do not. Of a
        topic that stopped, something was fetched and put back.
        """
        if not self._passing.is_due():
            return
        async with self._turn:
            taken = {
                at: held.ahead.offset for at, held in self._offsets.held.items() if self._stops.hears(at[0])
            }
            for at, offset in (await beyond(self._position.consumer, taken)).items():
                self._offsets.move(at, offset)
            if self._offsets:
                self._later()
            self._tell_kafka()

    async def go_past(self, places: Mapping[TopicPartition, int]) -> None:
        """Kafka no longer has these offsets: go on at the earliest there is, and say what was not read.

        Either retention has passed us, or the topic was made anew and is shorter than we had read. The relay's
        mark stays: its messages of a new topic are newer.
        """
        consumer = self._position.consumer
        async with self._turn:
            for tp, offset in places.items():
                at = (tp.topic, tp.partition)
                held = self._offsets.held.get(at)
                if held is None:
                    continue  # taken away meanwhile
                earliest = (await consumer.beginning_offsets([tp]))[tp]
                # Else it was another door of the same log reader.
                if not offset < earliest <= held.ahead.offset:
                    self._telemetry.count("door.unreadable", label=self.name)
                    skipped = max(earliest - held.ahead.offset, 0)
                    self._telemetry.count("door.offsets_skipped", skipped, label=self.name)
                    self._telemetry.log.error(
                        "offset_out_of_range",
                        door=self.name,
                        topic=tp.topic,
                        partition=tp.partition,
                        offset=offset,
                        goes_on_at=earliest,
                        skipped=skipped,
                    )
                    self._offsets.move(at, earliest)
                self._position.seek(tp, held.ahead.offset)
            await self._write(Batch())

    # -- partitions come and go

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Go on where the log says we are, not where Kafka thinks."""
        partitions = list(assigned)
        holder = self._position.hold(partitions)
        async with self._turn:
            await self._look_whether_stopped()
            await self._start(partitions)
        # Another consumer may have come meanwhile: it does not have these partitions.
        self._position.resume(partitions, holder)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Finish the batch in hand, then forget the partitions."""
        async with self._turn:
            for tp in revoked:
                self._offsets.forget((tp.topic, tp.partition))

    async def _start(self, partitions: Sequence[TopicPartition]) -> None:
        """Go where the log says we are in these partitions."""
        if not partitions:
            return
        asked = [(tp.topic, tp.partition) for tp in partitions]
        places = await self._retry(lambda: self._desk.log.places(asked))
        for at in asked:
            self._offsets.start(at, places[at])
        self._position.start(partitions)

    # -- batches

    @property
    def seeks(self) -> int:
        """How often this door has sought: what was fetched before the last time is not taken."""
        return self._position.seeks

    def reads_from(self, tp: TopicPartition) -> int | None:
        """The next offset this door needs of a partition; None where it needs none, or has not been told yet."""
        held = self._offsets.held.get((tp.topic, tp.partition))
        return None if held is None or not self._stops.hears(tp.topic) else held.ahead.offset

    async def take(self, records: Sequence[ConsumerRecord[Any, Any]], fetched_at: int | None = None) -> None:
        """Handle what has come as one batch; returns when it is written, waits while PostgreSQL is away.

        `fetched_at`: what `seeks` was when the records were fetched, where that is not just now. Nothing is
        raised: FastStream would drop the batch and go on behind it.
        """
        seeks, in_hand = self.seeks if fetched_at is None else fetched_at, False
        try:
            async with self._turn:
                if seeks != self.seeks:
                    return  # fetched before a seek: they come again, and those before them not handled
                # Fetched before a topic stopped, or by a log reader that other doors hear by as well.
                if self._stops:
                    records = [record for record in records if self._stops.hears(record.topic)]
                    if not records:
                        return
                in_hand = True
                await self._take(records)
        except BaseException:
            # Cancelled, most likely: the process stops. No later write may pass what had no effect. Nothing is awaited
            # here. Where the batch was written all the same and only the answer was lost, the next write is fenced.
            if in_hand:
                self._offsets.back_to_stored()
            self._position.fetch_again()
            raise

    async def _take(self, records: Sequence[ConsumerRecord[Any, Any]]) -> None:
        started = time.monotonic()
        before: dict[Partition, Place] = {}
        messages = self._offsets.fresh(records, before)
        self._unread.tell(messages)
        effect: bool | None = None
        while effect is None:
            try:
                effect = await self._handle(messages)
            except TooMuchParked as stop:  # the others of the batch go on, as if these had not come
                # They stop, so nothing of them is fetched again now.
                self._offsets.back_to({at: place for at, place in before.items() if at[0] in stop.topics})
                messages = [message for message in messages if message.topic not in stop.topics]
            except Exception as error:  # noqa: BLE001 -- one message must not stop the door
                self._telemetry.log.error(  # noqa: TRY400 -- the reason stands with each message parked
                    "batch_failed", door=self.name, error=told(error)
                )
                await self._parking.each(messages, before)
                effect = True
            await self._stop_due()
        if effect:
            self._telemetry.observe("door.batch_seconds", time.monotonic() - started, label=self.name)
        self._telemetry.count("door.messages", len(records), label=self.name)
        self._telemetry.observe("door.batch_size", len(records), label=self.name)
        self._telemetry.progressed(self.name)
        self._later()
        self._tell_kafka()

    async def _handle(self, messages: Sequence[Incoming]) -> bool:
        """One transaction for all of them, if there is anything to write; says whether there was."""
        batch = Batch()
        await self._fill_now(messages, batch)
        if batch.parked and (topics := self._stops.must_stop(messages, batch.parked)):
            raise TooMuchParked(topics)
        effect = bool(batch.work or batch.parked or batch.effect)
        parked: Mapping[str, int] = {}
        if effect or time.monotonic() - self._written_at > self._settings.offsets_idle_ms / 1000:
            parked = await self._write(batch)
        self._stops.add(messages, parked)
        return effect

    async def _fill_now(self, messages: Sequence[Incoming], batch: Batch) -> None:
        """Put the effects of these messages into a batch, as of the city's present."""
        if self._clock is not None:
            await self._retry(self._clock.catch_up)
        with measured(ProcessorWork.UNPACKING, self._telemetry.spent):
            self._fill(messages, batch)

    async def _write(self, batch: Batch) -> Mapping[str, int]:
        """Write a batch with the offsets read so far; on a lost partition go back to what is stored.

        Returns how many messages of each topic were parked.
        """
        batch.moved = self._offsets.moved()
        if not (batch.moved or batch.work or batch.parked or batch.effect or batch.unpark):
            return {}
        try:
            with self._telemetry.spans.batch(
                f"{self._desk.name} {self.name}", messages=len(batch.work), group=self.group
            ):
                said: Obeyed = await self._retry(lambda: self._desk.obey(batch))
        except Fenced:
            self._telemetry.count("door.fenced", label=self.name)
            await self._start([TopicPartition(*at) for at in self._offsets.held])
            return {}
        self._offsets.written(batch.moved)
        self._written_at = time.monotonic()
        return said.parked_of

    # -- when nothing comes

    def _later(self) -> None:
        """Write offsets that moved without effect, if no effect takes them along soon."""
        if self._flush is None:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(self._settings.offsets_idle_ms / 1000, self._flush_now)

    def _flush_now(self) -> None:
        self._flush = None
        if self._offsets:
            self._spawn(self._flush_offsets())

    async def _flush_offsets(self) -> None:
        async with self._turn:
            await self._write(Batch())

    def _tell_kafka(self) -> None:
        if offsets := self._lag.due():
            self._spawn(self._lag.commit(offsets))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- what waits for a person

    async def _stop_due(self) -> None:
        """Take in nothing more of the topics that must stop; what was not written stays in Kafka, where it is."""
        self._position.pause_topics(await self._stops.stop_due(self._retry))

    async def _look_whether_stopped(self) -> None:
        """A person may have resumed a topic, or another process of this desk stopped one."""
        stopped, resumed = await self._stops.look(self._retry, (topic for topic, _ in self._offsets.held))
        self._position.pause_topics(stopped)
        if resumed:
            self._position.resume_topics(resumed)

    async def release_for(self, reasons: Sequence[str]) -> None:
        """Release what this desk parked for one of these reasons: it can be handled now."""
        await self._retry(lambda: self._desk.log.release_for(reasons))

    async def take_released(self) -> int:
        """Handle again what a person has released from this desk's parking; returns how many messages."""
        async with self._turn:
            await self._look_whether_stopped()
            return await self._releases.take(self._telemetry, self.name)
