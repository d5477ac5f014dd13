"""Making topics in Kafka as the table of topics says; for whoever sets a city up, and for the relay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from shared.runtime import kafka_address
from shared.topics import Topic

LIST_SECONDS_MAX: Final = 30
MAKE_SECONDS_MAX: Final = 60
_BROKERS_DEFAULT: Final = -1


def make_missing(kafka: str, wanted: Mapping[str, Topic], *, retention: bool) -> list[str]:
    """Make those of these topics that are not there, with partitions and settings of their lines; returns them.

    `retention` False keeps messages for ever. Somebody else may make one meanwhile. Raises
    `KafkaException` for any other answer, with the topic in it; the other topics are made all the same. Blocks.
    """
    admin = AdminClient(kafka_address.librdkafka(kafka))
    known = admin.list_topics(timeout=LIST_SECONDS_MAX).topics
    missing = [name for name in wanted if name not in known]
    if not missing:
        return []
    new = [
        NewTopic(
            name,
            num_partitions=wanted[name].partitions,
            replication_factor=_BROKERS_DEFAULT,
            config=settings(wanted[name], retention=retention),
        )
        for name in missing
    ]
    failure: KafkaException | None = None
    for name, answer in admin.create_topics(new, request_timeout=MAKE_SECONDS_MAX).items():
        try:
            answer.result()
        except KafkaException as error:
            why: KafkaError = error.args[0]
            if why.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                said = f"topic {name} could not be made: {why.str()}"
                failure = failure or KafkaException(KafkaError(why.code(), said))
    if failure is not None:
        raise failure
    return missing


def settings(topic: Topic, *, retention: bool) -> dict[str, str]:
    """A topic's settings in Kafka by its line of the table."""
    milliseconds = int(topic.retention.total_seconds() * 1000) if retention else -1
    # The broker stamps arrival. By that a door judges who is in time and whose clock is wrong. A relay whose clock runs
    # ahead is not refused; a stamp of its own more than an hour in the future would be.
    return {"retention.ms": str(milliseconds), "message.timestamp.type": "LogAppendTime"}
