"""The only file that knows FastStream: the Kafka client of a process, and the subscriptions on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage as Message
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram512

from shared.doors.fetching import WAIT_MS, Records, Subscription
from shared.runtime import kafka_address
from shared.runtime.patience import FINISH_SECONDS, SESSION_SECONDS
from shared.runtime.settings import CommonSettings

FETCH_BYTES_MAX: Final = 2 * 1024 * 1024
"""The most one answer of a broker brings: two full batches of usual messages. The client's default is 50 MB,
and it holds all of that when much waits on 200 units' topics; see docs/performance.md."""


class KafkaClient:
    """The one Kafka client of a process: it carries the subscriptions of all its doors."""

    def __init__(self, name: str, settings: CommonSettings) -> None:
        """`name` is the client's, as Kafka lists it. Nothing is opened before `start`."""
        self._broker = KafkaBroker(
            kafka_address.without_login(settings.kafka),
            security=_security(settings.kafka),
            client_id=name,
            allow_auto_create_topics=False,
            metadata_max_age_ms=settings.metadata_max_age_ms,
            logger=None,
            graceful_timeout=FINISH_SECONDS,
            apply_types=True,
        )

    async def start(self) -> None:
        """Open every subscription; raises `KafkaError` or `OSError` where Kafka is not there."""
        await self._broker.start()

    async def stop(self) -> None:
        """Finish the batches in hand and leave the groups."""
        await self._broker.stop()

    def subscribe(
        self,
        *,
        group: str,
        listener: ConsumerRebalanceListener,
        fetch: Callable[[AIOKafkaConsumer], Awaitable[Records]],
        take: Callable[[Records], Awaitable[None]],
        topic: str = "",
        pattern: str = "",
        gather_bytes: int = 1,
        gather_ms: int = WAIT_MS,
        instance: str = "",
    ) -> Subscription:
        """Subscribe to a topic, or to all that match: what `fetch` gives is handed to `take`, batch by batch.

        The broker answers once it has `gather_bytes`, or `gather_ms` after it was asked. `instance`: a lasting name
        in the group.
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
        broker = self._broker
        subscriber: Any = (
            broker.subscriber(pattern=pattern, **options) if pattern else broker.subscriber(topic, **options)
        )

        async def on_batch(message: Message) -> None:
            await take(message.raw_message)

        subscriber(on_batch)
        subscriber.get_msg = fetch
        subscription: Subscription = subscriber
        return subscription


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


def _security(kafka: str) -> BaseSecurity | None:
    """The login of an address, and how it is encrypted, as FastStream takes it."""
    address = kafka_address.parsed(kafka)
    trusts = kafka_address.trusted(address.ca) if address.ca else None
    if not address.user:
        return BaseSecurity(ssl_context=trusts, use_ssl=True) if trusts else None
    kind = SASLPlaintext if address.mechanism == kafka_address.PLAIN else SASLScram512
    return kind(
        username=address.user, password=address.password, ssl_context=trusts, use_ssl=trusts is not None
    )
