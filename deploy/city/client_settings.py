"""The settings of an admission, ready to paste: for clients of librdkafka, of Java, and for kafkajs.

A consumer begins with what waits (`earliest`): a client's own default passes over all orders from before its first
start. A producer places keys by their CRC32, as we do. Where two clients place one key differently on one topic, the
order of its messages is lost.
"""

from __future__ import annotations

import json
from typing import Any, Final

from deploy.city.admission import Admission
from shared.runtime import kafka_address

LIBRDKAFKA: Final = "librdkafka 2.6.1 or later (confluent-kafka, kcat, node-rdkafka)"
"""An older one fails at SCRAM with Kafka 4: it answers with a wrong nonce (librdkafka's change 4895)."""
JAVA: Final = "Java, kafka-clients 2.7 or later"
"""Kafka 4 speaks with clients from 2.1 on (KIP-896); a PEM file of certificates is known from 2.7 on (KIP-651)."""
KAFKAJS: Final = "kafkajs 2.2.4, with Node 20.15 or later"
"""The last release; `crc32` is in Node's zlib since 20.15."""
SUFFIX: Final = "desk"
"""The end of a group's name in the settings; another word is as good."""


def group_of(admitted: Admission) -> str:
    """A consumer group that this login may use; "" where it hears nothing."""
    return admitted.groups + SUFFIX if admitted.groups else ""


def librdkafka(admitted: Admission) -> dict[str, dict[str, str]]:
    """Properties of every client, beside them those of consumers and of producers."""
    address = kafka_address.parsed(admitted.address)
    common = {"bootstrap.servers": address.servers, "security.protocol": address.protocol}
    if address.user:  # else Kafka asks nobody
        common |= {
            "sasl.mechanism": address.mechanism,
            "sasl.username": address.user,
            "sasl.password": address.password,
        }
    if address.ca:
        common["ssl.ca.location"] = address.ca
    return {
        "client": common,
        **_consumer(admitted),
        **({"producer": {**_PRODUCER, "partitioner": "consistent"}} if admitted.writes else {}),
    }


def java(admitted: Admission) -> dict[str, dict[str, str]]:
    """As `librdkafka`. Java has no partitioner by CRC32: a record must name its partition."""
    address = kafka_address.parsed(admitted.address)
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    common = {"bootstrap.servers": address.servers, "security.protocol": address.protocol}
    if address.user:
        login = f'username="{address.user}" password="{address.password}"'
        common |= {"sasl.mechanism": address.mechanism, "sasl.jaas.config": f"{module} required {login};"}
    if address.ca:
        common |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": address.ca}
    return {
        "client": common,
        **_consumer(admitted),
        **({"producer": dict(_PRODUCER)} if admitted.writes else {}),
    }


def kafkajs(admitted: Admission) -> str:
    """A module that exports what a program needs: `kafka`, and `consumer` and `producer` where it may have them."""
    address = kafka_address.parsed(admitted.address)
    ssl = (
        f'{{ ca: [require("node:fs").readFileSync({json.dumps(address.ca)}, "utf8")] }}'
        if address.ca
        else "false"
    )
    sasl = {
        "mechanism": address.mechanism.lower(),
        "username": address.user,
        "password": address.password,
    }
    lines = [
        'const { crc32 } = require("node:zlib");',
        'const { Kafka } = require("kafkajs");',
        "const kafka = new Kafka({",
        f"  brokers: {json.dumps(address.servers.split(','))},",
        f"  ssl: {ssl},",
        *([f"  sasl: {json.dumps(sasl)},"] if address.user else []),
        "});",
    ]
    made = ["kafka"]
    if admitted.reads:
        subscription = json.dumps({"topics": list(admitted.reads), "fromBeginning": True})
        lines += [
            f"const consumer = kafka.consumer({json.dumps({'groupId': group_of(admitted)})});",
            f"const subscription = {subscription}; // await consumer.subscribe(subscription)",
        ]
        made += ["consumer", "subscription"]
    if admitted.writes:
        lines += [
            "const createPartitioner = () => ({ message, partitionMetadata }) =>",
            "  crc32(message.key) % partitionMetadata.length;",
            "const producer = kafka.producer({ createPartitioner });",
        ]
        made.append("producer")
    return "\n".join([*lines, f"module.exports = {{ {', '.join(made)} }};"])


def text(admitted: Admission) -> list[str]:
    """All of it, line by line, for a person."""
    told = [
        f"login        {kafka_address.parsed(admitted.address).user}",
        *(f"may write    {topic} (partitions: {number})" for topic, number in admitted.writes.items()),
        *(f"may read     {topic}" for topic in admitted.reads),
    ]
    if ca := kafka_address.parsed(admitted.address).ca:
        told.append(f"authority    {ca}: copy it to the client's machine and name its place there")
    if admitted.groups:
        told.append(f"groups       any whose name begins with {admitted.groups}")
    if admitted.writes:
        told.append("partition    CRC32 of the key, modulo the number of partitions")
    for title, settings in ((LIBRDKAFKA, librdkafka(admitted)), (JAVA, java(admitted))):
        told += ["", f"# {title}"]
        for part, properties in settings.items():
            if part != "client":
                told.append(f"# a {part} also")
            told += [f"{name}={value}" for name, value in properties.items()]
        if title == JAVA and admitted.writes:
            told += _JAVA_PARTITION
    return [*told, "", f"// {KAFKAJS}", *kafkajs(admitted).splitlines()]


def document(admitted: Admission) -> dict[str, Any]:
    """All of it, for a program."""
    return {
        "login": admitted.login.principal,
        "role": admitted.login.role,
        "writes": dict(admitted.writes),
        "reads": list(admitted.reads),
        "groups": admitted.groups,
        "librdkafka": librdkafka(admitted),
        "java": java(admitted),
        "kafkajs": kafkajs(admitted),
    }


_PRODUCER: Final = {"acks": "all", "enable.idempotence": "true"}
_JAVA_PARTITION: Final = (
    "# Java's own partitioner is murmur2: name the partition, new ProducerRecord<>(topic, partition, key, value), with",
    "#   CRC32 crc = new java.util.zip.CRC32(); crc.update(key); int partition = (int) (crc.getValue() % partitions);",
)


def _consumer(admitted: Admission) -> dict[str, dict[str, str]]:
    if not admitted.reads:
        return {}
    return {
        "consumer": {
            "group.id": group_of(admitted),
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    }
