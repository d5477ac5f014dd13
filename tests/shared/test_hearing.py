"""A door that cannot read says so once, counts it, and says when it can again."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError
from structlog.testing import capture_logs

from services.intake.settings import Settings
from shared.desk import Desk
from shared.doors.kafka_door import Door
from shared.doors.offsets import PartitionOffset
from shared.doors.parking_limit import PARKED_MIN
from shared.log import Place
from shared.log.memory import Memory, MemoryLog
from shared.runtime.telemetry import Telemetry
from tests.desks import NOW, counted, desk_on


@pytest.fixture
def desk() -> Desk:
    return desk_on("intake", MemoryLog(Memory(lambda: NOW), "intake"))


@pytest.fixture
def door(desk: Desk) -> Door:
    made = Door(desk, Settings(kafka="", postgres=""), name="x", fill=lambda *_: None, fail=lambda _: None)
    made.hears_by(SimpleNamespace(consumer=None))
    made._offsets.held["door", 3] = PartitionOffset(Place(7), Place(9))
    return made


async def _refused() -> list[int]:
    raise TopicAuthorizationFailedError("door")


async def _read() -> list[int]:
    return [1]


async def test_what_cannot_be_read_is_told_once_with_its_place_and_counted_each_time(
    desk: Desk, door: Door
) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            with pytest.raises(TopicAuthorizationFailedError):
                await door.hear(_refused)
        assert await door.hear(_read) == [1]
        assert await door.hear(_read) == [1]
        with pytest.raises(TopicAuthorizationFailedError):
            await door.hear(_refused)
    assert [line["event"] for line in lines] == ["door_cannot_read", "door_reads_again", "door_cannot_read"]
    assert lines[0]["partitions"] == {"door 3": 9}
    assert "TopicAuthorizationFailed" in lines[0]["error"]
    assert counted(desk, "door.unreadable") == 4


def test_what_the_kafka_client_complains_of_is_counted_and_told_once_a_minute() -> None:
    telemetry = Telemetry("x")
    client = logging.getLogger("aiokafka")
    before = client.level, client.propagate, client.handlers
    try:
        telemetry.hear_kafka()
        with capture_logs() as lines:
            for node in range(3):
                logging.getLogger("aiokafka.client").error("Unable connect to node with id %s", node)
    finally:
        client.level, client.propagate, client.handlers = before
    assert [(line["event"], line["said"]) for line in lines] == [
        ("kafka_client", "Unable connect to node with id 0")
    ]
    assert telemetry.registry.get_sample_value("hotline_kafka_errors_total") == 3


class _Quiet:
    """A consumer that has nothing to say."""

    def pause(self, *_: object) -> None: ...
    def resume(self, *_: object) -> None: ...
    def seek(self, *_: object) -> None: ...
    def assignment(self) -> set[TopicPartition]:
        return set()

    async def commit(self, _: object) -> None: ...


@pytest.mark.parametrize("size", [1, 50, 1000])
async def test_a_door_whose_every_message_fails_stops_and_loses_none(size: int) -> None:
    """As where the view a door writes refuses it: what raises is parked one by one, and counts like what is bad."""
    memory = Memory(lambda: NOW)
    log = MemoryLog(memory, "intake")

    def broken(*_: object) -> None:
        raise PermissionError("the view")

    ends: list[Exception] = []
    settings = Settings(kafka="", postgres="")
    door = Door(desk_on("intake", log), settings, name="x", fill=broken, fail=ends.append)
    door.hears_by(SimpleNamespace(consumer=_Quiet()))
    await door.on_partitions_assigned([TopicPartition("t", 0)])
    for first in range(0, 1000, size):
        if await log.door_stopped("x"):
            break
        await door.take(
            [
                SimpleNamespace(
                    topic="t", partition=0, offset=n, timestamp=1, key=None, headers=(), value=b"x"
                )
                for n in range(first, first + size)
            ]
        )
    assert (await log.door_stopped("x")).keys() == {"t"}
    assert len(memory.parked) == PARKED_MIN - 1
    assert (await log.places([("t", 0)]))["t", 0].offset == PARKED_MIN - 1  # all others are still in Kafka
    assert ends == []
