"""Kafka lets nobody in without a login, and nobody do more than the table of topics says."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from deploy.city import kafka_logins
from deploy.city.city import make_topics
from deploy.city.kafka_logins import DESKS, OUTSIDE, PRINCIPALS
from deploy.embedded.stack import Stack
from shared.doors.heard import by_login, of_login
from shared.ids import TOGETHER
from shared.runtime import kafka_address
from shared.topic_names import names
from shared.topics import TOPICS, Topic

pytestmark = pytest.mark.connected

CITY: Final = "guarded"
PREFIX: Final = "guarded."
UNITS: Final = ("street-a", "street-b")
TOPICS_THERE: Final[dict[str, Topic]] = names(PREFIX, UNITS) | {
    PREFIX + of_login(line, "web"): line for line in TOPICS if by_login(line)
}
READ, WRITE = "read", "write"
REFUSED_SECONDS: Final = 6.0
"""A client asks again and again for a topic it may not see; whoever may is answered in milliseconds."""


class Guarded:
    """A stack of its own with the topics of a small city, and who may go where."""

    def __init__(self, stack: Stack, kafka: str, logins: dict[str, str]) -> None:
        self.stack = stack
        self.kafka = kafka
        self.logins = logins


@pytest.fixture(scope="module")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    stack = Stack(
        tmp_path_factory.mktemp("guarded") / "stack", zipkin=False, durable=False, kafka_heap_mb=256
    )
    addresses = await stack.up(lambda _: None)
    try:
        await make_topics(addresses.kafka, TOPICS_THERE)
        logins = await asyncio.to_thread(kafka_logins.make, addresses.kafka, CITY, PREFIX)
        wanted = set(TOPICS_THERE)
        assert await may_write(addresses.kafka, *wanted) == wanted  # something to read, in each of them
        for unit in UNITS:
            logins[unit] = await asyncio.to_thread(kafka_logins.add_unit, addresses.kafka, CITY, PREFIX, unit)
        yield Guarded(stack, addresses.kafka, logins)
    finally:
        await stack.down()


async def may_read(address: str, *topics: str) -> set[str]:
    """Those of these topics whose first message comes to who has this login."""

    async def reads(topic: str) -> bool:
        consumer = AIOKafkaConsumer(
            **kafka_address.aiokafka(address),
            group_id=None,
            auto_offset_reset="earliest",
            request_timeout_ms=5000,
        )
        try:
            async with asyncio.timeout(REFUSED_SECONDS):
                await consumer.start()
                consumer.assign([TopicPartition(topic, 0)])
                consumer.seek(TopicPartition(topic, 0), 0)
                await consumer.getone()
        except (KafkaError, TimeoutError):
            return False
        finally:
            await consumer.stop()
        return True

    answers = await asyncio.gather(*(reads(topic) for topic in topics))
    return {topic for topic, yes in zip(topics, answers, strict=True) if yes}


async def may_write(address: str, *topics: str) -> set[str]:
    """Those of these topics that can be written by who has this login."""
    producer = AIOKafkaProducer(**kafka_address.aiokafka(address), acks="all", request_timeout_ms=5000)

    async def writes(topic: str) -> bool:
        try:
            async with asyncio.timeout(REFUSED_SECONDS):
                await producer.send_and_wait(topic, b"x", partition=0)
        except (KafkaError, TimeoutError):
            return False
        return True

    try:
        async with asyncio.timeout(REFUSED_SECONDS):
            await producer.start()
        answers = await asyncio.gather(*(writes(topic) for topic in topics))
    except (KafkaError, TimeoutError):
        return set()
    finally:
        await producer.stop()
    return {topic for topic, yes in zip(topics, answers, strict=True) if yes}


def expected(who: str, line: Topic, unit: str) -> set[str]:
    """What the table of topics says."""
    if who in UNITS:
        own = {"dispatch.orders.{unit}": {READ}, "dispatch.replies.{unit}": {WRITE}}
        return own[line.name] if unit == who else set()
    if who == "relay":
        own_end = {READ} if line.name == "complaints.anchors" else set()  # it goes on from its own last line
        return {WRITE} | own_end if line.speaker == "relay" else set()
    if who == OUTSIDE:
        return {READ} if line.speaker == "relay" else {WRITE}
    hears = set(DESKS) if who == TOGETHER else {who}
    return {READ} if hears & set(line.hearers) else set()


@pytest.mark.parametrize("who", [*PRINCIPALS, *UNITS])
async def test_everybody_does_what_the_table_says_and_nothing_else(guarded: Guarded, who: str) -> None:
    """Every pair of one who may and one who may not, on every topic."""
    address = guarded.logins[who]
    wanted = {
        topic: set() if who in UNITS and not line.per_unit else expected(who, line, topic.rpartition(".")[2])
        for topic, line in TOPICS_THERE.items()
    }
    read, written = await asyncio.gather(may_read(address, *wanted), may_write(address, *wanted))
    assert read == {topic for topic, may in wanted.items() if READ in may}
    assert written == {topic for topic, may in wanted.items() if WRITE in may}


@pytest.mark.parametrize("listener", ["kafka", "kafka_controller"])
async def test_nobody_gets_in_without_a_login_or_with_a_wrong_one(guarded: Guarded, listener: str) -> None:
    from deploy.embedded.state import read_state

    port = read_state(guarded.stack.folder).ports[listener]
    for address in (
        f"127.0.0.1:{port}",
        f"admin:wrong@127.0.0.1:{port}?mechanism=PLAIN",
        f"nobody:nothing@127.0.0.1:{port}",
    ):
        assert not await may_read(address, f"{PREFIX}complaints.log")
        admin = AdminClient({**kafka_address.librdkafka(address), "socket.timeout.ms": 3000})
        with pytest.raises(KafkaException):
            await asyncio.to_thread(admin.list_topics, timeout=3)


@pytest.mark.parametrize("who", [*DESKS, "relay", OUTSIDE, *UNITS])
async def test_nobody_but_the_admin_makes_topics_of_other_names_or_logins(guarded: Guarded, who: str) -> None:
    admin = AdminClient(kafka_address.librdkafka(guarded.logins[who]))
    (made,) = admin.create_topics([NewTopic(f"{PREFIX}gossip", 1, 1)]).values()
    with pytest.raises(KafkaException, match="[Aa]uthori"):
        await asyncio.to_thread(made.result, 10)
    (gone,) = admin.delete_topics([f"{PREFIX}complaints.log"]).values()
    with pytest.raises(KafkaException):
        await asyncio.to_thread(gone.result, 10)


async def test_a_unit_joins_groups_of_its_own_name_only(guarded: Guarded) -> None:
    for group, joins in (
        (kafka_logins.group_of(PREFIX, "street-a") + "desk", True),
        (f"{PREFIX}dispatch.log", False),
    ):
        consumer = AIOKafkaConsumer(
            f"{PREFIX}dispatch.orders.street-a",
            **kafka_address.aiokafka(guarded.logins["street-a"]),
            group_id=group,
            auto_offset_reset="earliest",
        )
        try:
            async with asyncio.timeout(15):
                await consumer.start()
                joined = bool(consumer.assignment())
        except (KafkaError, TimeoutError):
            joined = False
        finally:
            await consumer.stop()
        assert joined is joins, group


async def test_a_city_that_goes_takes_its_logins_with_it(guarded: Guarded) -> None:
    logins = await asyncio.to_thread(kafka_logins.make, guarded.kafka, "passing", PREFIX)
    topic = f"{PREFIX}complaints.log"
    assert await may_read(logins["dispatch"], topic)
    await asyncio.to_thread(kafka_logins.remove, guarded.kafka, "passing")
    assert not await may_read(logins["dispatch"], topic)
    assert await may_read(guarded.logins["dispatch"], topic)


def test_passwords_lie_in_files_of_their_owner_and_on_no_command_line(guarded: Guarded) -> None:
    folder: Path = guarded.stack.folder
    for name in ("kafka.passwords", "server.properties", "postgres.password"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
    said = (folder / "kafka.passwords").read_text() + (folder / "postgres.password").read_text()
    hidden = [word.rpartition(":")[2] for word in said.split()]
    hidden += [kafka_address.parsed(address).password for address in guarded.logins.values()]
    assert all(len(word) > 20 for word in hidden)
    lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    assert not [line[:60] for line in lines for word in hidden if word in line]
    logs: list[Any] = [path.read_text(errors="replace") for path in (folder / "logs").iterdir()]
    assert not [word for word in hidden for text in logs if word in text]
    assert os.geteuid() == (folder / "server.properties").stat().st_uid
