"""How a door asks its consumer for messages, and where the consumer reads on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, Final, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError, OffsetOutOfRangeError

from shared.doors.offsets import Offsets
from shared.doors.stops import WHOLE, Stops
from shared.runtime.errors import told

LOOK_MS: Final = 1000
"""How long a door with nothing to do waits before it looks whether it is still open."""

WAIT_MS: Final = 500
"""How long a fetch that is answered at the first byte waits at the broker. No message waits for it, only a partition
that is newly taken or sought. An idle city took 52 % of a core with 100 ms, and 25 % with this and `_pace`."""

Records = Sequence[ConsumerRecord[Any, Any]]

_Fetched = TypeVar("_Fetched")


class Subscription(Protocol):
    """A topic, or all that match a pattern, as one consumer reads them."""

    @property
    def consumer(self) -> Any:
        """Aiokafka's consumer, or what stands in for it; None while there is none."""


class Fetching(Protocol):
    """A door that learns how a fetch ended."""

    async def go_past(self, places: Mapping[TopicPartition, int]) -> None:
        """Kafka no longer has these offsets."""

    def cannot_read(self, error: Exception) -> None:
        """It could not be read."""

    def reads(self) -> None:
        """It could be read."""


async def fetched(fetch: Callable[[], Awaitable[_Fetched]], doors: Sequence[Fetching]) -> _Fetched | None:
    """Fetch for these doors; None where Kafka no longer has an offset and the doors had to go past it.

    Any other error is raised as a `KafkaError`, so that the caller waits and tries again. Each is counted,
    and one is reported until reading works again. The client loses what it held of other partitions, so they
    are read anew.
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


async def next_records(
    consumer: AIOKafkaConsumer,
    most: int,
    hear: Callable[[Callable[[], Awaitable[dict[Any, Any]]]], Awaitable[dict[Any, Any] | None]],
    passes: Callable[[], Awaitable[None]],
) -> Records:
    """The next messages, as soon as there are some. Calls `passes` each time all messages so far were taken.

    FastStream's own loop is not used. After a look that found nothing it sleeps as long again: where messages
    are rare, half of them waited up to 200 ms. It also sleeps over an error of Kafka and reports it nowhere.
    """
    while True:
        await passes()
        got = await hear(lambda: consumer.getmany(timeout_ms=LOOK_MS, max_records=most))
        _pace(consumer, quiet=not got)
        if got:
            return tuple(chain.from_iterable(got.values()))


def _pace(consumer: AIOKafkaConsumer, *, quiet: bool) -> None:
    """Have the broker answer at the first byte in a quiet hour, and gather under load as the consumer was made to.

    aiokafka has no public setting for it; the consumer keeps what it was made with, its fetcher what holds now.
    """
    fetcher, made = consumer._fetcher, consumer  # noqa: SLF001 -- see above
    fetcher._fetch_min_bytes = 1 if quiet else made._fetch_min_bytes  # noqa: SLF001
    fetcher._fetch_max_wait_ms = WAIT_MS if quiet else made._fetch_max_wait_ms  # noqa: SLF001


class FetchPosition:
    """Where the consumer of a door fetches next: sought, paused, resumed; topics that are stopped are left alone."""

    def __init__(self, offsets: Offsets, stops: Stops) -> None:
        """The consumer comes with a `subscription`."""
        self.subscription: Subscription | None = None
        self.seeks = 0
        """How often it was sought: what was fetched before the last time is not taken."""
        self._offsets = offsets
        self._stops = stops

    @property
    def consumer(self) -> Any:
        """The consumer of this door; None while there is none."""
        return None if self.subscription is None else self.subscription.consumer

    def hold(self, partitions: Iterable[TopicPartition]) -> Any:
        """Read nothing of new partitions until their places are known; returns what reads them. Nothing is awaited."""
        # aiokafka would meanwhile ask Kafka for our offset, a new group has none, and FastStream sleeps five seconds
        # over that error. A paused partition is not read at its 0 either.
        consumer = self.consumer
        for tp in partitions:
            consumer.pause(tp)
            consumer.seek(tp, 0)
        return consumer

    def seek(self, tp: TopicPartition, offset: int) -> None:
        """Fetch from here on."""
        with suppress(KafkaError, AssertionError):  # taken away meanwhile
            self.consumer.seek(tp, offset)

    def start(self, partitions: Iterable[TopicPartition]) -> None:
        """Go where the offsets of these partitions are stored; what was fetched before is not taken."""
        for tp in partitions:
            if self._stops.hears(tp.topic):
                self.seek(tp, self._offsets.held[tp.topic, tp.partition].stored.offset)
        self.seeks += 1

    def fetch_again(self) -> None:
        """Have the consumer fetch again what has not been taken; what it has fetched by now is dropped."""
        self.seeks += 1
        if self.consumer is None:
            return
        for (topic, partition), offset in self._offsets.held.items():
            if self._stops.hears(topic):
                self.seek(TopicPartition(topic, partition), offset.ahead.offset)

    def resume(self, partitions: Iterable[TopicPartition], consumer: Any) -> None:
        """Have the one that holds these partitions read them, but for topics that are stopped."""
        for tp in partitions:
            if self._stops.hears(tp.topic):
                with suppress(KafkaError, AssertionError):  # taken away again meanwhile
                    consumer.resume(tp)

    def pause_topics(self, topics: Container[str]) -> None:
        """Read no more of these topics."""
        for tp in self._of(topics):
            with suppress(KafkaError, AssertionError):  # taken away meanwhile
                self.consumer.pause(tp)

    def resume_topics(self, topics: Container[str]) -> None:
        """Read these topics again: the consumer may stand behind what was fetched and not taken."""
        self.fetch_again()
        self.resume(self._of(topics), self.consumer)

    def _of(self, topics: Container[str]) -> list[TopicPartition]:
        return [TopicPartition(*at) for at in self._offsets.held if at[0] in topics or WHOLE in topics]
