"""One message that cannot be read stops no door: it is set aside with its place and its bytes, its neighbours are not.

Batches are made byte by byte where no client of Python's would send such a thing; real clients send each codec.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer
from typer.testing import CliRunner

from deploy.city import registry as where
from deploy.supervision.stalled import look, standing_still
from hotline.audit.verify import verify
from hotline.cli.parked import parked as parked_command
from hotline.lab.chaos.batches import Raw, batch, checked, hand_in, record
from shared.cloudevents import input_headers
from shared.doors.batch_head import HEAD, head_of
from shared.doors.kafka_reader import last_record
from shared.doors.offsets import mark_of
from shared.doors.unpacking import CODECS, UNPACKED_BYTES_MAX
from shared.events import ComplaintDispatched, ComplaintReceived
from shared.ids import ComplaintId, complaint_id
from shared.log.postgres import headers_of, unread_of
from shared.policy.catalogue import catalogue
from shared.runtime import kafka_address
from shared.topic_names import partition_of
from shared.topics import (
    COMPLAINTS_LOG,
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
    TELEPHONY_CALLS,
)
from tests.city import UNIT, City, request, until
from tests.sources import source_name

pytestmark = pytest.mark.connected

BAD_NAME: Final = ((b"ce_id", b"7"), (b"\xff\xfe", b"1"))
BAD: Final = Raw(b"bad", b"its value", BAD_NAME)
TAKEN: Final = """
SELECT coalesce(max(next_offset), 0) FROM es.consumer_offset WHERE consumer = $1 AND topic = $2 AND part = $3
"""


@asynccontextmanager
async def sender(town: City, *topics: str) -> AsyncIterator[Any]:
    producer = AIOKafkaProducer(**kafka_address.aiokafka(town.endpoints.kafka), max_request_size=4 << 20)
    await producer.start()
    try:
        await producer.client.set_topics(topics)
        yield producer.client
    finally:
        await producer.stop()


def asked(request_id: str) -> Raw:
    """A good request."""
    headers = input_headers(type(request(request_id)), "/raw", request_id, datetime.now(UTC))
    return Raw(
        request_id.encode(),
        msgspec.json.encode(request(request_id)),
        tuple((name.encode(), value) for name, value in headers),
    )


async def told_once(town: City, service: str, topic: str, part: int, offset: int) -> dict[str, Any]:
    """The one line that tells of it."""
    lines = [
        json.loads(line)
        for line in (town.folder / "logs" / f"{service}.log").read_text().splitlines()
        if '"record_unreadable"' in line
    ]
    (line,) = [
        line for line in lines if (line["topic"], line["partition"], line["offset"]) == (topic, part, offset)
    ]
    return dict(line)


# -- at the door of requests: where it stands, how it is packed


async def test_of_ten_requests_one_is_unreadable_wherever_it_stands_and_however_it_is_packed(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    topic = town.topic(INTAKE_REQUESTS)
    await town.start("intake", "relay")
    good: list[ComplaintId] = []
    bad: list[int] = []
    async with sender(town, topic) as client:
        for codec in CODECS:
            for place in (0, 4, 9):
                names = [f"{codec}-{place}-{n}" for n in range(10)]
                raws = [BAD if n == place else asked(name) for n, name in enumerate(names)]
                bad.append(await hand_in(client, topic, 0, batch(raws, codec)) + place)
                good += [complaint_id(name) for n, name in enumerate(names) if n != place]
    behind = await town.record("behind them all")
    for one in (*good, behind):
        await town.until_fact(one, ComplaintReceived, within=30)
    rows = await town.parked(topic)
    assert [row["kafka_offset"] for row in rows] == bad
    for row in rows:
        assert (row["consumer"], row["part"], row["complaint_id"]) == ("intake", 0, None)
        assert (row["key"], row["value"]) == (b"bad", b"its value")
        assert headers_of(row["headers"]) == (("ce_id", b"7"), ("\\xff\\xfe", b"1"))
        assert row["reason"] == (
            "cannot be read: header 2: its name of 2 bytes is not UTF-8 (byte 1), expected a name such as ce_id"
        )
        line = await told_once(town, "intake", topic, 0, row["kafka_offset"])
        assert (line["door"], line["last_offset"]) == ("requests", row["kafka_offset"])
    assert await town.metric("intake", "door.set_apart") == len(bad)
    assert await town.metric("intake", "door.unreadable") == 0
    await town.verify()


# -- every kind of door


DOORS: Final = {
    "requests": (INTAKE_REQUESTS, ("intake",)),
    "calls": (TELEPHONY_CALLS, ("intake",)),
    "replies": (DISPATCH_REPLIES, ("dispatch",)),
    "reviews": (DISPATCH_REVIEWS, ("dispatch",)),
    "visit-results": (FEEDBACK_VISIT_RESULTS, ("feedback",)),
    "exceptions": (FEEDBACK_EXCEPTIONS, ("feedback",)),
    "log": (COMPLAINTS_LOG, ("dispatch", "feedback")),
}


@pytest.mark.parametrize("one_process", [False, True], ids=["four processes", "one process"])
async def test_at_every_door_the_log_too_it_is_set_aside_by_each_desk_and_lives_go_on(
    city: Callable[..., Awaitable[City]], *, one_process: bool
) -> None:
    town = await city()
    await town.start(one_process=one_process)
    before = await town.record("before")
    await town.until_fact(before, ComplaintDispatched, within=30)
    at: dict[tuple[str, str], list[int]] = {}
    names = {door: town.topic(line, UNIT) for door, (line, _) in DOORS.items()}
    async with sender(town, *names.values()) as client:
        for door, (_, desks) in DOORS.items():
            for codec in ("none", "zstd"):
                offset = await hand_in(client, names[door], 0, batch([BAD, BAD], codec))
                for desk in desks:
                    at.setdefault((desk, names[door]), []).extend((offset, offset + 1))
    behind = await town.record("behind")
    for life in (before, behind):
        await town.until_fact(life, ComplaintDispatched, within=30)
        await town.sign(life)
        await town.answer(life)
    await town.settled(within=40)
    found: dict[tuple[str, str], list[int]] = {}
    for row in await town.parked():
        found.setdefault((row["consumer"], row["topic"]), []).append(row["kafka_offset"])
    assert found == at
    for (desk, topic), offsets in at.items():
        log = "desks" if one_process else desk
        lines = (town.folder / "logs" / f"{log}.log").read_text().splitlines()
        told = [
            (line["door"], line["offset"])
            for line in map(json.loads, (text for text in lines if '"record_unreadable"' in text))
            if line["topic"] == topic and line.get("desk", line.get("service", desk)) == desk
        ]
        door = next(name for name, whole in names.items() if whole == topic)
        assert told == [(door, offset) for offset in offsets]
    assert town.said == []
    await town.verify()


# -- what cannot be unpacked


def spoil(folder: Path, topic: str, part: int, payload: bytes, change: Callable[[bytes], bytes]) -> None:
    """Change a batch on the broker's disk, as no client can; `payload` finds it, what comes has as many bytes."""
    for segment in folder.rglob(f"{topic}-{part}/*.log"):
        with segment.open("r+b") as file, mmap.mmap(file.fileno(), 0) as data:
            where = data.find(payload) - HEAD.size
            if where < 0:
                continue
            old = data[where : where + HEAD.size + len(payload)]
            new = change(old)
            assert len(new) == len(old) != 0
            assert new != old
            data[where : where + len(new)] = new
            data.flush()
            return
    raise AssertionError(f"no segment of {topic}-{part} holds it")


def torn(frame: bytes) -> bytes:
    """As a disk may do it: the checksum stays as it was."""
    return frame[:-5] + bytes([frame[-5] ^ 0xFF]) + frame[-4:]


def junk(frame: bytes) -> bytes:
    """As a broken client may do it: the checksum is right, and nothing the codec packed."""
    return checked(frame[: HEAD.size] + b"\x01" * (len(frame) - HEAD.size))


@pytest.mark.skipif(source_name() != "embedded", reason="the broker's disk lies elsewhere")
async def test_a_batch_that_cannot_be_unpacked_is_set_aside_whole_and_its_neighbours_are_not(
    city: Callable[..., Awaitable[City]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    town = await city()
    topic = town.topic(INTAKE_REQUESTS)
    good: list[ComplaintId] = []
    bad: dict[int, str] = {}
    spoilt: list[tuple[bytes, Callable[[bytes], bytes]]] = []
    async with sender(town, topic) as client:
        for codec in CODECS:
            for how in (torn, junk) if codec != "none" else (torn,):
                mark = f"{codec}-{how.__name__}"
                for where in ("before", "it", "behind"):
                    names = [f"{mark}-{where}-{n}" for n in range(10)]
                    frame = batch([asked(name) for name in names], codec)
                    offset = await hand_in(client, topic, 0, frame)
                    if where != "it":
                        good += [complaint_id(name) for name in names]
                        continue
                    spoilt.append((frame[HEAD.size :], how))
                    bad[offset] = "checksum is wrong" if how is torn else f"by {codec}, and cannot"
    for payload, how in spoilt:
        spoil(tmp_path_factory.getbasetemp(), topic, 0, payload, how)
    await town.start("intake", "relay")
    for one in good:
        await town.until_fact(one, ComplaintReceived, within=30)
    await until(
        lambda: town.value("SELECT count(*) >= $1 FROM es.parked", len(bad)), within=30, what="all set aside"
    )
    rows = await town.parked(topic)
    assert [row["kafka_offset"] for row in rows] == list(bad)
    for row in rows:
        offset = row["kafka_offset"]
        unread = unread_of(row["headers"])
        assert unread is not None
        assert unread.last_offset == offset + 9
        assert row["reason"].startswith(f"cannot be read: offsets {offset} to {offset + 9}: a batch ")
        assert bad[offset] in row["reason"]
        assert head_of(row["value"]).base == offset  # its bytes, as they lie in Kafka
        assert (row["key"], headers_of(row["headers"])) == (None, ())
        assert (await told_once(town, "intake", topic, 0, offset))["last_offset"] == offset + 9
    await town.verify()


async def test_a_batch_that_would_fill_the_memory_is_set_aside(city: Callable[..., Awaitable[City]]) -> None:
    town = await city()
    topic = town.topic(INTAKE_REQUESTS)
    await town.start("intake", "relay")
    offsets = []
    async with sender(town, topic) as client:
        for codec in ("gzip", "zstd"):
            offsets.append(
                await hand_in(client, topic, 0, batch([Raw(b"k", bytes(UNPACKED_BYTES_MAX))], codec))
            )
            await hand_in(client, topic, 0, batch([asked(f"behind {codec}")], codec))
    for codec in ("gzip", "zstd"):
        await town.until_fact(complaint_id(f"behind {codec}"), ComplaintReceived, within=30)
    rows = await town.parked(topic)
    assert [row["kafka_offset"] for row in rows] == offsets
    assert all(f"holds more than {UNPACKED_BYTES_MAX:,} bytes" in row["reason"] for row in rows)
    assert all(len(row["value"]) < 200_000 for row in rows)


@pytest.mark.parametrize(
    "places", [[0] * 10, [0, 1, 2, 3, 400, 5, 6, 7, 8, 9]], ids=["all first", "far behind"]
)
async def test_records_that_say_they_lie_elsewhere_are_taken_where_they_lie(
    city: Callable[..., Awaitable[City]], places: Sequence[int]
) -> None:
    """Kafka takes them. Whoever believes them loses nine of the ten, or the next 390 messages of everybody."""
    town = await city()
    topic = town.topic(INTAKE_REQUESTS)
    await town.start("intake", "relay")
    names = [f"{n}" for n in range(10)]
    data = b"".join(record(place, asked(name)) for place, name in zip(places, names, strict=True))
    behind = [f"behind-{n}" for n in range(10)]
    async with sender(town, topic) as client:
        await hand_in(client, topic, 0, batch([BAD] * 10, packed=data))
        await hand_in(client, topic, 0, batch([asked(name) for name in behind]))
    for name in (*names, *behind):
        await town.until_fact(complaint_id(name), ComplaintReceived, within=30)
    assert await town.parked() == []
    await town.verify()


# -- real clients


def by_confluent(town: City, codec: str, raws: Sequence[Raw]) -> None:
    producer = Producer(
        {**kafka_address.librdkafka(town.endpoints.kafka), "compression.type": codec, "linger.ms": 200}
    )
    for raw in raws:
        named = [(name.decode(), value) for name, value in raw.headers]
        producer.produce(town.topic(INTAKE_REQUESTS), raw.value, raw.key, headers=named)
    assert producer.flush(30) == 0


def by_kafka_python(town: City, codec: str, raws: Sequence[Raw]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own business
        from kafka import KafkaProducer

        address = kafka_address.parsed(town.endpoints.kafka)
        login = {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": address.mechanism,
            "sasl_plain_username": address.user,
            "sasl_plain_password": address.password,
        }
        producer = KafkaProducer(
            bootstrap_servers=address.servers,
            compression_type=None if codec == "none" else codec,
            linger_ms=200,
            **(login if address.user else {}),
        )
        try:
            for raw in raws:
                named = [(name.decode(), value) for name, value in raw.headers]
                producer.send(town.topic(INTAKE_REQUESTS), raw.value, raw.key, headers=named)
            producer.flush(30)
        finally:
            producer.close(10)


async def by_aiokafka(town: City, codec: str, raws: Sequence[Raw]) -> None:
    producer = AIOKafkaProducer(
        **kafka_address.aiokafka(town.endpoints.kafka),
        compression_type=None if codec == "none" else codec,
        linger_ms=200,
    )
    async with producer:
        for raw in raws:
            named = [(name.decode(), value) for name, value in raw.headers]
            await producer.send(town.topic(INTAKE_REQUESTS), raw.value, raw.key, headers=named)
        await producer.flush()


async def test_every_codec_of_every_client_is_taken_in(city: Callable[..., Awaitable[City]]) -> None:
    town = await city()
    await town.start("intake", "relay")
    told: list[str] = []
    for codec in CODECS:
        for client in ("confluent", "kafka-python", "aiokafka"):
            names = [f"{client}-{codec}-{n}" for n in range(20)]
            told += names
            raws = [asked(name) for name in names]
            if client == "aiokafka":
                await by_aiokafka(town, codec, raws)
            else:
                say = by_confluent if client == "confluent" else by_kafka_python
                await asyncio.to_thread(say, town, codec, raws)
    for name in told:
        await town.until_fact(complaint_id(name), ComplaintReceived, within=30)
    assert await town.parked() == []


# -- transactions


class Speaker:
    """A transactional client of somebody else's."""

    def __init__(self, town: City, name: str) -> None:
        self._topic = town.topic(INTAKE_REQUESTS)
        told = {"transactional.id": f"{town.endpoints.prefix}{name}", "transaction.timeout.ms": 60_000}
        self._producer = Producer({**kafka_address.librdkafka(town.endpoints.kafka), **told})
        self._producer.init_transactions(30)

    def says(self, *names: str, part: int) -> None:
        self._producer.begin_transaction()
        for name in names:
            raw = asked(name)
            named = [(header, value) for header, value in ((n.decode(), v) for n, v in raw.headers)]
            self._producer.produce(self._topic, raw.value, raw.key, headers=named, partition=part)
        assert self._producer.flush(30) == 0

    def commits(self) -> None:
        self._producer.commit_transaction(30)

    def aborts(self) -> None:
        self._producer.abort_transaction(30)


async def nobody_is_behind(town: City, *desks: str) -> bool:
    standing = await look(town.endpoints, catalogue(str(town.folder / "catalogue.json")))
    return not any(number for desk, number in standing.behind.items() if desk in desks or not desks)


@pytest.mark.parametrize("one_process", [False, True], ids=["four processes", "one process"])
async def test_what_was_aborted_has_no_effect_and_a_transactions_end_is_no_work_that_waits(
    city: Callable[..., Awaitable[City]], *, one_process: bool
) -> None:
    town = await city()
    await town.start(one_process=one_process)
    one = await asyncio.to_thread(Speaker, town, "one")
    await asyncio.to_thread(one.says, "kept-1", "kept-2", part=1)
    await asyncio.to_thread(one.commits)
    await asyncio.to_thread(one.says, "gone-1", "gone-2", part=2)
    await asyncio.to_thread(one.aborts)
    await asyncio.to_thread(one.says, "kept-3", part=3)
    await asyncio.to_thread(one.commits)
    for name in ("kept-1", "kept-2", "kept-3"):
        await town.until_fact(complaint_id(name), ComplaintDispatched, within=30)
    # A marker lies at the end of three partitions, and in one of them nothing else that counts.
    await until(lambda: nobody_is_behind(town), within=30, what="nobody behind")
    known = catalogue(str(town.folder / "catalogue.json"))
    standing = await look(town.endpoints, known)
    assert (standing.left, standing_still(standing, standing)) == ({}, {})
    topic = town.topic(INTAKE_REQUESTS)
    assert [await town.value(TAKEN, "intake", topic, part) for part in (1, 2, 3)] == [3, 3, 2]
    for name in ("gone-1", "gone-2"):
        assert await town.facts(complaint_id(name)) == []
    assert await town.parked() == []
    assert await town.metric("desks" if one_process else "intake", "door.offsets_skipped") == 0
    report = await verify(
        town.endpoints.logins["reader"], kafka=town.endpoints.kafka, prefix=town.endpoints.prefix
    )
    assert report.problem_count == 0
    assert set(report.heard.values()) == {True}


async def test_a_transaction_left_open_holds_up_only_what_stands_behind_it_and_nobody_stands_still_for_it(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    await town.start("intake", "relay")
    hanging = await asyncio.to_thread(Speaker, town, "hanging")
    await asyncio.to_thread(hanging.says, "open", part=0)
    async with sender(town, town.topic(INTAKE_REQUESTS)) as client:
        topic = town.topic(INTAKE_REQUESTS)
        for part in range(INTAKE_REQUESTS.partitions):
            await hand_in(client, topic, part, batch([asked(f"in {part}")]))
    for part in (1, 2, 3):
        await town.until_fact(complaint_id(f"in {part}"), ComplaintReceived, within=30)
    await until(lambda: nobody_is_behind(town, "intake"), within=30, what="nobody behind")
    assert await town.facts(complaint_id("in 0")) == []
    await asyncio.to_thread(hanging.aborts)
    await town.until_fact(complaint_id("in 0"), ComplaintReceived, within=30)
    await until(lambda: nobody_is_behind(town, "intake"), within=30, what="nobody behind")
    assert await town.facts(complaint_id("open")) == []


async def test_a_marker_at_the_end_of_the_log_is_passed_by_every_desk_that_hears_it(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    await town.start()
    life = await town.record("a life")
    await town.until_fact(life, ComplaintDispatched, within=30)
    await town.settled()
    log = town.topic(COMPLAINTS_LOG)
    told = {"transactional.id": f"{town.endpoints.prefix}stranger"}
    stranger = Producer({**kafka_address.librdkafka(town.endpoints.kafka), **told})
    await asyncio.to_thread(stranger.init_transactions, 30)
    part = partition_of(life.encode(), COMPLAINTS_LOG.partitions)
    stranger.begin_transaction()
    stranger.produce(log, b"{}", life, headers=[("ce_type", b"hotline.X.v1")], partition=part)
    stranger.flush(30)
    await asyncio.to_thread(stranger.abort_transaction, 30)
    await town.settled(within=30)
    assert await town.parked() == []
    last = await last_record(town.endpoints.kafka, log, part)
    assert last is not None
    assert dict(last.headers)["ce_relaymark"]


async def test_the_last_message_that_counts_is_found_behind_whatever_lies_there(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    log = town.topic(COMPLAINTS_LOG)
    assert await last_record(town.endpoints.kafka, log, 0) is None
    marked = Raw(b"k", b"counts", ((b"ce_relaymark", b"3.4"),))
    async with sender(town, log) as client:
        await hand_in(client, log, 0, batch([marked, *[Raw(b"k", b"later")] * 40]))
        await hand_in(client, log, 0, batch([BAD] * 3))
    last = await last_record(town.endpoints.kafka, log, 0)
    assert last is not None
    assert last.offset == 40
    counted = await last_record(town.endpoints.kafka, log, 0, lambda one: mark_of(one.headers) is not None)
    assert counted is not None
    assert counted.value == b"counts"
    assert await last_record(town.endpoints.kafka, log, 0, lambda one: one.value == b"never") is None


# -- what a person sees and does


async def test_a_person_sees_shows_releases_and_drops_what_could_not_be_read(
    city: Callable[..., Awaitable[City]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = await city()
    topic = town.topic(INTAKE_REQUESTS)
    await town.start("intake")
    async with sender(town, topic) as client:
        one = await hand_in(client, topic, 0, batch([BAD]))
        many = await hand_in(client, topic, 0, batch([Raw(b"k", bytes(UNPACKED_BYTES_MAX))] * 2, "zstd"))
    await until(lambda: town.value("SELECT count(*) = 2 FROM es.parked"), within=30, what="two parked")
    first, second = await town.parked()
    monkeypatch.setattr("deploy.city.registry.find_city", lambda: town.endpoints)
    monkeypatch.setattr("deploy.city.registry.city_up", lambda: where.City(endpoints=town.endpoints))

    async def typed(*words: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, parked_command, list(words))

    listed = await typed("list")
    assert listed.exit_code == 0, listed.output
    text = " ".join(listed.output.split())
    assert f"0@{one}" in text
    assert f"0@{many}" in text
    shown = await typed("show", str(first["parked_id"]))
    assert shown.exit_code == 0, shown.output
    for words in ("header     ce_id: 7", "header     \\xff\\xfe: 1", "value      its value", "not UTF-8"):
        assert words in shown.output
    whole = await typed("show", str(second["parked_id"]))
    assert whole.exit_code == 0, whole.output
    assert f"offsets    {many} to {many + 1}, as they lie in Kafka" in whole.output
    as_json = json.loads((await typed("show", str(second["parked_id"]), "--json")).output)
    assert as_json["unread"]["last_offset"] == many + 1
    for row in (first, second):
        released = await typed("release", str(row["parked_id"]))
        assert released.exit_code == 1
        assert f"{row['parked_id']} is parked again: {row['reason']}" in released.output
        assert "drop it, and let its sender say it again" in released.output
        again = await typed("release", str(row["parked_id"]))
        assert again.output == released.output
        dropped = await typed("drop", str(row["parked_id"]), "--reason", "its sender was told")
        assert dropped.exit_code == 0, dropped.output
    assert await town.parked() == []
    kept = await town.sql("SELECT value, why FROM es.parked_dropped ORDER BY parked_id")
    assert [row["value"] for row in kept] == [first["value"], second["value"]]
    # The next one at these places is told of and parked as ever: nothing is remembered that would hide it.
    life = await town.record("behind")
    await town.until_fact(life, ComplaintReceived, within=30)
