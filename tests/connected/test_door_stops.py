"""A topic of which most would be parked stops instead: nothing is lost, and nothing else stops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner

from deploy.city import registry as where
from deploy.city.making import make_topics
from deploy.supervision.stalled import look
from hotline.cli.parked import parked as parked_command
from shared.doors.parking_limit import PARKED_MIN
from shared.events import ComplaintReceived
from shared.inputs import CallOffered
from shared.policy.catalogue import catalogue
from shared.runtime import kafka_address
from shared.topics import INTAKE_REQUESTS, TELEPHONY_CALLS
from tests.city import City, until

pytestmark = pytest.mark.connected

NONSENSE = 3 * PARKED_MIN


async def nonsense(town: City, key: str, number: int = NONSENSE) -> None:
    """As from a sender that has changed its format; all lies before a later message of this key."""
    topic = town.topic(INTAKE_REQUESTS)
    producer = await town._sender()
    for _ in range(number):
        await producer.send(topic, b'{"new": "format"}', key=key.encode(), headers=[("ce_type", b"new")])
    await producer.flush()


async def stopped(town: City) -> bool:
    return bool(await town.value("SELECT count(*) FROM es.door_stopped WHERE resumed_at IS NULL"))


async def test_a_door_stops_its_desk_goes_on_and_a_person_lets_it_go_on(
    city: Callable[..., Awaitable[City]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = await city()
    topic = town.topic(INTAKE_REQUESTS)
    await town.start("intake", extra={"INTAKE_BATCH_MAX": "50"})
    before = await town.record("before the nonsense")
    await town.until_fact(before, ComplaintReceived)
    await nonsense(town, "behind the nonsense")
    behind = await town.record("behind the nonsense")
    await until(lambda: stopped(town), within=30, what="the door to stop")

    # What lay in Kafka lies there; what was parked by then is less than what is tolerated.
    await asyncio.sleep(2)
    assert 0 < len(await town.parked()) < PARKED_MIN
    assert await town.facts(behind) == []
    assert await town.metric("intake", "door.stopped") == 1
    assert await town.value("SELECT topic FROM es.door_stopped") == topic

    # Another door of the same desk takes in as ever.
    await town.tell(TELEPHONY_CALLS, "call-1", CallOffered(call_id="call-1"))
    await until(
        lambda: town.value("SELECT 1 FROM intake.call WHERE call_id = 'call-1'"), within=10, what="the call"
    )
    standing = await look(town.endpoints, catalogue(str(town.folder / "catalogue.json")))
    assert [(one.desk, one.door, one.topic) for one in standing.stopped] == [("intake", "requests", topic)]

    # Who is started again finds it stopped.
    await town.stop()
    await town.start("intake", extra={"INTAKE_BATCH_MAX": "50"})
    await asyncio.sleep(3)
    assert len(await town.parked()) < PARKED_MIN
    assert await town.facts(behind) == []

    monkeypatch.setattr("deploy.city.registry.find_city", lambda: town.endpoints)
    monkeypatch.setattr("deploy.city.registry.city_up", lambda: where.City(endpoints=town.endpoints))
    listed = await asyncio.to_thread(CliRunner().invoke, parked_command, ["list"])
    assert f"intake takes nothing in from {topic} (door requests) since" in listed.output, listed.output
    assert f"`hotline parked resume intake requests {topic}` lets it go on" in listed.output, listed.output
    wrong = await asyncio.to_thread(CliRunner().invoke, parked_command, ["resume", "intake", "calls"])
    assert wrong.exit_code == 1
    resumed = await asyncio.to_thread(CliRunner().invoke, parked_command, ["resume", "intake", "requests"])
    assert resumed.exit_code == 0, resumed.output
    await town.until_fact(behind, ComplaintReceived, within=30)
    await until(
        lambda: town.value("SELECT count(*) = $1 FROM es.parked", NONSENSE), within=10, what="all parked"
    )
    assert not await stopped(town)


async def test_a_message_of_a_topic_made_anew_is_not_taken_for_the_old_one_at_its_offset(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    await town.start("intake", extra={"INTAKE_METADATA_MAX_AGE_MS": "500"})
    topic = town.topic(INTAKE_REQUESTS)

    async def say(text: bytes) -> None:
        producer = await town._sender()
        await producer.send_and_wait(topic, text, partition=0, key=b"k", headers=[("ce_type", b"new")])

    async def kept(*texts: bytes) -> bool:
        return {row["value"] for row in await town.parked(topic)} == set(texts)

    await say(b"old")
    await until(lambda: kept(b"old"), what="the old one")
    admin = AdminClient(kafka_address.librdkafka(town.endpoints.kafka))
    for gone in admin.delete_topics([topic]).values():
        await asyncio.to_thread(gone.result, 20)
    await asyncio.sleep(1)
    await make_topics(town.endpoints.kafka, {topic: INTAKE_REQUESTS})
    stands = "SELECT next_offset = 0 FROM es.consumer_offset WHERE topic = $1 AND part = 0"
    await until(lambda: town.value(stands, topic), within=60, what="intake at the new topic's beginning")
    await say(b"new")
    await until(lambda: kept(b"old", b"new"), within=60, what="both")
    assert len({(row["part"], row["kafka_offset"]) for row in await town.parked(topic)}) == 1
