"""CloudEvents' own library speaks at every door in structured mode, through a real Kafka; one event has one effect."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import pytest
from cloudevents.core.bindings import kafka as sdk
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.http import CloudEvent as OlderEvent
from cloudevents.v1.kafka import to_structured as older_structured

from shared.events import ComplaintDispatched
from shared.ids import ComplaintId, message_id
from shared.inputs import CallOffered, CloseByException, Input, RecordVisit, SendBackAnswer, SignOrder
from shared.runtime.clock import INPUT_AGE_DAYS_MAX
from shared.topics import (
    DISPATCH_REPLIES,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
    TELEPHONY_CALLS,
    TOPICS,
    Topic,
)
from tests.city import UNIT, City, request, until

pytestmark = pytest.mark.connected

SOURCE: Final = "/sdk"
T0: Final = datetime(2021, 9, 24, 0, 30, tzinfo=UTC)


def said_at(line: Topic, stream: ComplaintId) -> Input:
    """An input of this door that has an effect there, be it a refusal."""
    return {
        TELEPHONY_CALLS.name: CallOffered(call_id="sdk-call"),
        INTAKE_REQUESTS.name: request("sdk-request"),
        DISPATCH_REPLIES.name: SignOrder(complaint_id=stream, assignment=1),
        DISPATCH_REVIEWS.name: SendBackAnswer(
            complaint_id=stream, assignment=1, reviewer="审核员", reason="没有照片"
        ),
        FEEDBACK_VISIT_RESULTS.name: RecordVisit(
            complaint_id=stream, visit=1, attempt=1, solved=True, satisfied=True
        ),
        FEEDBACK_EXCEPTIONS.name: CloseByException(
            complaint_id=stream, approved_by="局长", reason="无法回访"
        ),
    }[line.name]


def attributes(data: Input, event_id: str, at: datetime) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": data.TYPE,
        "source": SOURCE,
        "id": event_id,
        "time": at,
        "datacontenttype": "application/json",
        "partitionkey": "mine",
    }


def by_the_sdk(data: Input, event_id: str, at: datetime, mode: str) -> tuple[dict[str, bytes], bytes]:
    """As the library puts it on Kafka."""
    told = msgspec.to_builtins(data)
    if mode == "older":
        plain = {**attributes(data, event_id, at), "time": at.isoformat()}
        older = older_structured(OlderEvent(plain, told))
        assert not any(name.startswith("ce_") for name in older.headers)
        return dict(older.headers), older.value
    event = CloudEvent(
        attributes(data, event_id, at), json.dumps(told).encode() if mode == "base64" else told
    )
    if mode == "base64":
        event = CloudEvent(
            {k: v for k, v in event.get_attributes().items() if k != "datacontenttype"}, event.get_data()
        )
    message = sdk.to_binary_event(event) if mode == "binary" else sdk.to_structured_event(event)
    assert isinstance(message.value, bytes)
    return message.headers, message.value


async def effects(town: City, line: Topic, event_id: str) -> int:
    if line is TELEPHONY_CALLS:
        return int(await town.value("SELECT count(*) FROM intake.call WHERE call_id = 'sdk-call'"))
    identity = message_id(line.of(UNIT), SOURCE, event_id)
    statement = "SELECT count(DISTINCT xid) FROM es.event WHERE caused_by = $1"
    return int(await town.value(statement, identity))


DOORS: Final = tuple(line for line in TOPICS if line.speaker != "relay")


async def test_the_library_is_taken_in_at_every_door_in_every_mode_and_an_event_told_in_two_has_one_effect(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    await town.start()
    stream = await town.record("sdk-known")
    await town.until_fact(stream, ComplaintDispatched, within=60)
    for line in DOORS:
        data = said_at(line, stream)
        topic = town.topic(line, UNIT)
        modes = ["structured", "binary", "base64", "older"]
        for mode in modes:
            headers, value = by_the_sdk(data, "one", datetime.now(UTC), mode)
            await town.send(topic, "sdk", value, list(headers.items()), partitions=line.partitions)
        headers, value = by_the_sdk(data, "last", datetime.now(UTC), "structured")
        await town.send(topic, "sdk", value, list(headers.items()), partitions=line.partitions)

        async def all_taken(topic: str = topic, line: Topic = line) -> bool:
            ends = await town.ends([(topic, part) for part in range(line.partitions)])
            taken = "SELECT coalesce(sum(next_offset), 0) FROM es.consumer_offset WHERE topic = $1"
            return bool(await town.value(taken, topic) == sum(ends.values()))

        await until(all_taken, within=60, what=f"all that was told on {topic}")
        assert await town.parked(topic) == []
        assert await effects(town, line, "one") == 1, line.name
        inbox = "SELECT count(*) FROM es.inbox WHERE message_id = $1::text::uuid"
        if line is not TELEPHONY_CALLS:
            for event_id in ("one", "last"):
                assert await town.value(inbox, message_id(line.of(UNIT), SOURCE, event_id)) == 1
    await town.settled()
    await town.verify(from_kafka=False)


async def test_in_a_rehearsed_city_the_present_is_its_conductors(
    city: Callable[..., Awaitable[City]],
) -> None:
    """What is plausible there is not in ours, and the other way round; and it moves with the conductor."""
    town = await city(lived=True, at=T0)
    await town.start()
    now = datetime.now(UTC)
    await town.until_fact(await town.record("then", at=T0), ComplaintDispatched, within=60)
    await town.record("old", at=T0 - timedelta(days=INPUT_AGE_DAYS_MAX + 1))
    await town.record("zero", at=datetime(1, 1, 1, tzinfo=UTC))
    await town.record("ours", at=now)
    topic = town.topic(INTAKE_REQUESTS)
    await until(lambda: _parked(town, topic, 3), within=30, what="three that cannot be")
    await town.clock_to(now)
    await town.until_fact(await town.record("later", at=now), ComplaintDispatched, within=60)
    await town.record("too late", at=T0)
    await until(lambda: _parked(town, topic, 4), within=30, what="what is too old by now")
    reasons = {row["key"]: row["reason"] for row in await town.parked(topic)}
    assert set(reasons) == {b"old", b"zero", b"ours", b"too late"}
    assert all(reason.startswith("header ce_time: ") for reason in reasons.values())


async def _parked(town: City, topic: str, number: int) -> bool:
    return len(await town.parked(topic)) == number


async def test_a_city_with_a_setting_of_its_own_takes_older_letters_in(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city()
    await town.start(extra={"INTAKE_INPUT_AGE_DAYS_MAX": "10000"})
    stream = await town.record("a decade", at=datetime.now(UTC) - timedelta(days=9_000))
    await town.until_fact(stream, ComplaintDispatched, within=60)
    assert await town.parked(town.topic(INTAKE_REQUESTS)) == []
