"""A hundred lives of people who know Kafka by other clients than ours, while each desk is killed once.

A third of the lives by confluent-kafka, a third by kafka-python, a third by kafkajs in a process of Node's. Each client
finds its partitions, packs and shares out as it does by itself; the telephone, the request, the unit and the dialler of
a life all speak and hear by the same one. Every other life is told in structured mode.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import threading
import warnings
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Final, NamedTuple, Protocol

import msgspec
import pytest
from confluent_kafka import Consumer, Producer

from deploy.city.city import DESKS
from deploy.embedded.stack import Addresses
from shared.cloudevents import input_headers
from shared.events import ComplaintClosed, ComplaintDispatched, VisitScheduled
from shared.ids import complaint_id
from shared.inputs import AnswerOrder, CallAnswered, CallEnded, CallOffered, Input, RecordVisit, SignOrder
from shared.runtime import kafka_address
from shared.topic_names import partition_of
from shared.topics import (
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    FEEDBACK_VISIT_RESULTS,
    FEEDBACK_VISITS,
    INTAKE_REQUESTS,
    TELEPHONY_CALLS,
    Topic,
)
from tests.city import STREETS, City, open_city, request, until
from tests.sources import Databases

pytestmark = pytest.mark.connected

LIVES: Final = 100
UNDER_WAY: Final = 6
"""Lives that each client has open at once, so that every desk has work for as long as it is killed."""
WITHIN: Final = 240.0
"""Patience with a machine that others use too; nothing is judged by it."""
HEAR_SECONDS: Final = 0.1
KAFKAJS: Final = Path(__file__).parent / "kafkajs"
NODE: Final = shutil.which("node")
NPM: Final = shutil.which("npm")
NO_NODE: Final = "Node with npm is not on this machine, so kafkajs speaks for nobody"

LIFE: Final = (
    "ComplaintReceived", "ComplaintClassified", "ComplaintDispatched", "OrderSigned",
    "OrderAnswered", "VisitScheduled", "VisitMade", "ComplaintClosed",
)  # fmt: skip


class Said(NamedTuple):
    """A message as any client takes it."""

    key: str
    value: bytes
    headers: dict[str, str]


class Heard(NamedTuple):
    """A message as any client gives it."""

    topic: str
    type: str
    value: bytes


# -- the clients, each by its own defaults


class Client(Protocol):
    def say(self, topic: str, messages: Sequence[Said]) -> None:
        """Returns when Kafka has them."""
        ...

    def hear(self) -> list[Heard]:
        """What has come meanwhile."""
        ...

    def close(self) -> None: ...


class Confluent:
    def __init__(self, kafka: str, group: str, topics: Sequence[str], folder: Path) -> None:
        told = kafka_address.librdkafka(kafka)
        self._producer = Producer(told)
        self._consumer = Consumer({**told, "group.id": group, "auto.offset.reset": "earliest"})
        self._consumer.subscribe(list(topics))

    def say(self, topic: str, messages: Sequence[Said]) -> None:
        failed: list[Any] = []

        def told(error: Any, _: Any) -> None:
            failed.extend([error] if error else [])

        for one in messages:
            self._producer.produce(topic, one.value, one.key, headers=dict(one.headers), on_delivery=told)
        assert self._producer.flush(60) == 0
        assert failed == []

    def hear(self) -> list[Heard]:
        found = []
        for message in self._consumer.consume(100, HEAR_SECONDS):
            assert message.error() is None, message.error()
            headers = dict(message.headers())
            found.append(Heard(message.topic(), headers["ce_type"].decode(), message.value()))
        return found

    def close(self) -> None:
        self._consumer.close()


class KafkaPython:
    def __init__(self, kafka: str, group: str, topics: Sequence[str], folder: Path) -> None:
        from kafka import KafkaConsumer, KafkaProducer

        address = kafka_address.parsed(kafka)
        told: dict[str, Any] = {"bootstrap_servers": address.servers}
        if address.user:
            told |= {
                "security_protocol": "SASL_PLAINTEXT",
                "sasl_mechanism": address.mechanism,
                "sasl_plain_username": address.user,
                "sasl_plain_password": address.password,
            }
        self._producer = KafkaProducer(**told)
        self._consumer = KafkaConsumer(*topics, group_id=group, auto_offset_reset="earliest", **told)

    def say(self, topic: str, messages: Sequence[Said]) -> None:
        answers = [
            self._producer.send(
                topic,
                one.value,
                one.key.encode(),
                headers=[(name, value.encode()) for name, value in one.headers.items()],
            )
            for one in messages
        ]
        for answer in answers:
            answer.get(60)

    def hear(self) -> list[Heard]:
        got = self._consumer.poll(round(HEAR_SECONDS * 1000))
        return [
            Heard(record.topic, dict(record.headers)["ce_type"].decode(), record.value)
            for records in got.values()
            for record in records
        ]

    def close(self) -> None:
        self._consumer.close()
        self._producer.close(10)


class KafkaJs:
    """A process of Node's, by lines of JSON: see `kafkajs/client.js`."""

    def __init__(self, kafka: str, group: str, topics: Sequence[str], folder: Path) -> None:
        assert NODE is not None
        assert NPM is not None
        for name in ("package.json", "package-lock.json", "client.js"):
            shutil.copy(KAFKAJS / name, folder / name)
        subprocess.run(
            (NPM, "ci", "--no-audit", "--no-fund", "--silent"), cwd=folder, check=True, timeout=120
        )
        told = {**kafka_address.parsed(kafka)._asdict(), "group": group, "topics": list(topics)}
        self._log = (folder / "client.log").open("wb")
        self._process = subprocess.Popen(
            (NODE, "client.js", json.dumps(told)),
            cwd=folder,
            env={"PATH": str(Path(NODE).parent), "KAFKAJS_NO_PARTITIONER_WARNING": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._heard: Queue[Heard] = Queue()
        self._sent: Queue[int] = Queue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if "sent" in told:
                self._sent.put(told["sent"])
            else:
                self._heard.put(Heard(told["topic"], told["type"], told["value"].encode()))

    def say(self, topic: str, messages: Sequence[Said]) -> None:
        told = [{"key": one.key, "value": one.value.decode(), "headers": one.headers} for one in messages]
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"topic": topic, "messages": told}) + "\n")
        self._process.stdin.flush()
        assert self._sent.get(timeout=60) == len(messages)

    def hear(self) -> list[Heard]:
        found: list[Heard] = []
        with suppress(Empty):
            found.append(self._heard.get(timeout=HEAR_SECONDS))
            while True:
                found.append(self._heard.get_nowait())
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()
            self._reading.join(10)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._log.close()


CLIENTS: Final = {"confluent-kafka": Confluent, "kafka-python": KafkaPython, "kafkajs": KafkaJs}


# -- what they are used for


class Outside:
    """Everybody outside of some lives, all in one street; blocking, for a thread of its own."""

    def __init__(self, town: City, name: str, street: str, number: int) -> None:
        self.name = name
        self.street, self.unit = street, STREETS[street]
        self.requests = [f"{name}-{n}" for n in range(number)]
        self._town = town
        self._stop = threading.Event()
        self._mode = {str(complaint_id(one)): n % 2 == 1 for n, one in enumerate(self.requests)}
        """Whether a life is told in structured mode."""
        self.visited: set[str] = set()

    def stop(self) -> None:
        self._stop.set()

    def live(self, folder: Path) -> None:
        topics = [self._town.topic(DISPATCH_ORDERS, self.unit), self._town.topic(FEEDBACK_VISITS)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their own business
            client: Client = CLIENTS[self.name](
                self._town.realm.kafka, f"{self._town.realm.prefix}{self.name}", topics, folder
            )
            try:
                self._live(client)
            finally:
                client.close()

    def _live(self, client: Client) -> None:
        begun = 0
        while len(self.visited) < len(self.requests) and not self._stop.is_set():
            while begun < len(self.requests) and begun - len(self.visited) < UNDER_WAY:
                self._call_and_ask(client, self.requests[begun])
                begun += 1
            for heard in client.hear():
                self._react(client, heard)

    def _call_and_ask(self, client: Client, request_id: str) -> None:
        structured, call_id = self._mode[complaint_id(request_id)], f"call-{request_id}"
        calls = (
            CallOffered(call_id=call_id),
            CallAnswered(call_id=call_id, agent="话务员"),
            CallEnded(call_id=call_id, cause="hangup"),
        )
        self._say(client, TELEPHONY_CALLS, call_id, calls, structured=structured)
        asked = request(request_id, call_id=call_id, street=self.street)
        self._say(client, INTAKE_REQUESTS, request_id, [asked], structured=structured)

    def _react(self, client: Client, heard: Heard) -> None:
        told = json.loads(heard.value)
        complaint = told["complaint_id"]
        if complaint not in self._mode:
            return  # all hear of all visits
        structured = self._mode[complaint]
        if heard.type == _type_of(ComplaintDispatched):
            about: dict[str, Any] = {"complaint_id": complaint, "assignment": told["assignment"]}
            replies = (
                SignOrder(**about),
                AnswerOrder(**about, result="修好了", claims_solved=True),
            )
            self._say(client, DISPATCH_REPLIES, complaint, replies, structured=structured)
        elif heard.type == _type_of(VisitScheduled):
            made = RecordVisit(
                complaint_id=complaint,
                visit=told["visit"],
                attempt=told["attempt"],
                solved=True,
                satisfied=True,
            )
            self._say(client, FEEDBACK_VISIT_RESULTS, complaint, [made], structured=structured)
            self.visited.add(complaint)

    def _say(self, client: Client, line: Topic, key: str, data: Sequence[Input], *, structured: bool) -> None:
        told = [_said(self.name, key, one, structured=structured) for one in data]
        client.say(self._town.topic(line, self.unit), told)


def _type_of(kind: type[Any]) -> str:
    return f"hotline.{kind.__name__}.v{kind.SCHEMA}"


def _said(client: str, key: str, data: Input, *, structured: bool) -> Said:
    source, event_id, now = f"/{client}", f"{key}/{data.TYPE}", datetime.now(UTC)
    if not structured:
        headers = {name: value.decode() for name, value in input_headers(type(data), source, event_id, now)}
        return Said(key, msgspec.json.encode(data), headers)
    event = {
        "specversion": "1.0",
        "type": data.TYPE,
        "source": source,
        "id": event_id,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": msgspec.to_builtins(data),
    }
    return Said(key, json.dumps(event).encode(), {"content-type": "application/cloudevents+json"})


# -- the hundred lives


class Lived(NamedTuple):
    """What it came to."""

    town: City
    outside: dict[str, Outside]
    counted: Counter[str]
    before: dict[str, int]
    after: dict[str, int]
    placed: dict[str, int]
    """Of each request its partition."""


@pytest.fixture(scope="module")
async def lived(
    stack: Addresses, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Lived]:
    here = [name for name in CLIENTS if name != "kafkajs" or (NODE and NPM)]
    async with open_city(stack, databases, tmp_path_factory.mktemp("foreign")) as town:
        await town.start()
        before = town.pids()
        shares = [LIVES // len(here) + (n < LIVES % len(here)) for n in range(len(here))]
        outside = {
            name: Outside(town, name, street, share)
            for name, street, share in zip(here, STREETS, shares, strict=False)
        }
        with ExitStack() as ended:
            for one in outside.values():
                ended.callback(one.stop)
            living = asyncio.gather(
                *(asyncio.to_thread(one.live, tmp_path_factory.mktemp(one.name)) for one in outside.values())
            )
            killing = asyncio.ensure_future(_each_desk_killed(town, living))
            both: list[asyncio.Future[Any]] = [living, killing]
            done, _ = await asyncio.wait(both, timeout=WITHIN, return_when="FIRST_EXCEPTION")
            for task in done:
                task.result()
            assert len(done) == 2, f"{ {n: len(o.visited) for n, o in outside.items()} }\n{town.logs()}"
        await until(lambda: _closed(town), within=WITHIN, what="every complaint closed", every=0.1)
        await until(lambda: _back(town, before), within=WITHIN, what="every desk back", every=0.1)
        after = town.pids()
        await town.settled(within=WITHIN)
        asked = await town.messages(town.topic(INTAKE_REQUESTS), count=LIVES, within=WITHIN)
        placed = {record.key.decode(): record.partition for record in asked}
        yield Lived(town, outside, await town.verify(), before, after, placed)


async def _each_desk_killed(town: City, living: asyncio.Future[Any]) -> None:
    """One after the other, as the lives go on: not by seconds, so that on a slow machine it is the same."""
    facts = len(LIFE) * LIVES
    for number, desk in enumerate(DESKS, start=1):
        at = facts * number // (len(DESKS) + 2)
        await until(lambda at=at: _has(town, at), within=WITHIN, what=f"{at} facts")
        assert not living.done(), f"{desk} was not killed: everybody had gone home"
        town.signal(desk)


async def _has(town: City, facts: int) -> bool:
    return bool(await town.value("SELECT count(*) FROM es.event") >= facts)


async def _closed(town: City) -> bool:
    asked = "SELECT count(*) FROM es.event WHERE type = $1"
    return bool(await town.value(asked, ComplaintClosed.__name__) == LIVES)


async def _back(town: City, before: dict[str, int]) -> bool:
    now = town.pids()
    return all(desk in now and now[desk] != before[desk] for desk in DESKS)


async def test_a_hundred_lives_end_though_each_desk_was_killed_and_no_fact_is_doubled(lived: Lived) -> None:
    assert lived.counted == dict.fromkeys(LIFE, LIVES)
    assert await lived.town.parked() == []
    assert {desk for desk in DESKS if lived.after[desk] != lived.before[desk]} == set(DESKS)
    assert lived.town.kills == len(DESKS)
    assert len(lived.town.said) == len(DESKS), "nobody else had to be started again"
    complete = (
        "SELECT count(*) FROM intake.call WHERE offered_at IS NOT NULL AND answered_at IS NOT NULL"
        " AND ended_at IS NOT NULL"
    )
    assert await lived.town.value(complete) == LIVES


@pytest.mark.parametrize("name", list(CLIENTS))
async def test_every_life_of_a_client_is_whole_in_both_modes(lived: Lived, name: str) -> None:
    if name not in lived.outside:
        pytest.skip(NO_NODE)
    requests = lived.outside[name].requests
    assert len(requests) >= LIVES // len(CLIENTS)
    ours = [partition_of(one.encode(), INTAKE_REQUESTS.partitions) for one in requests]
    theirs = [lived.placed[one] for one in requests]
    assert len(set(theirs)) > 1
    # librdkafka finds a key's partition as we do, the others by murmur2: no door may rely on it.
    assert (ours == theirs) is (name == "confluent-kafka")
    for request_id in requests:
        assert await lived.town.story(complaint_id(request_id)) == list(LIFE)
