"""One topic of a door stops and the others go on: nothing is lost, nothing has its effect twice, all keep their order.

The doors here are real ones, on a log in memory, hearing a shelf of messages instead of Kafka.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from random import Random
from types import SimpleNamespace
from typing import Any, Final

import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from services.intake.settings import Settings
from shared.doors import parking_limit as parking
from shared.doors.kafka_door import Door
from shared.doors.stops import WHOLE
from shared.log import Incoming, Parked
from shared.log.memory import Memory, MemoryLog
from shared.work import Batch
from tests.desks import NOW, counted, desk_on

GOOD, BAD, BREAKS = "good", "bad", "breaks"
PARKED_MIN: Final = 3
"""In these tests: so that a few messages stop a topic."""


class Shelf:
    """What a consumer has of its topics, and what a door does with it: seek, pause, resume."""

    def __init__(self, kinds: dict[str, list[str]], random: Random) -> None:
        self.kinds = kinds
        self.at = dict.fromkeys(map(self.tp, kinds), 0)
        self.paused: set[TopicPartition] = set()
        self._random = random

    @staticmethod
    def tp(topic: str) -> TopicPartition:
        return TopicPartition(topic, 0)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.at[tp] = offset

    def pause(self, tp: TopicPartition) -> None:
        self.paused.add(tp)

    def resume(self, tp: TopicPartition) -> None:
        self.paused.discard(tp)

    def assignment(self) -> set[TopicPartition]:
        return set(self.at)

    async def commit(self, _: object) -> None: ...

    def fetch(self, most: int) -> list[Any]:
        """Some of what is not paused, topic after topic as Kafka's client gives it."""
        records: list[Any] = []
        topics = list(self.kinds)
        self._random.shuffle(topics)
        for topic in topics:
            tp = self.tp(topic)
            if tp in self.paused:
                continue
            number = self._random.randint(0, most)
            for offset in range(self.at[tp], min(self.at[tp] + number, len(self.kinds[topic]))):
                value = self.kinds[topic][offset].encode()
                records.append(
                    SimpleNamespace(
                        topic=topic,
                        partition=0,
                        offset=offset,
                        timestamp=1,
                        key=None,
                        headers=(),
                        value=value,
                    )
                )
                self.at[tp] = offset + 1
        return records

    @property
    def all_heard(self) -> bool:
        return all(tp in self.paused or offset >= len(self.kinds[tp.topic]) for tp, offset in self.at.items())


class World:
    """A door with its log; `restart` makes a new one on the same log, as after a kill."""

    def __init__(self, kinds: dict[str, list[str]], seed: int = 1) -> None:
        self.kinds = kinds
        self.memory = Memory(lambda: NOW)
        self.log = MemoryLog(self.memory, "intake")
        self.failed: list[Exception] = []
        self._random = Random(seed)
        self.door: Door
        self.shelf: Shelf

    async def restart(self) -> None:
        settings = Settings(kafka="", postgres="", parked_window=20, offsets_idle_ms=60_000)
        self.desk = desk_on("intake", self.log)
        self.door = Door(self.desk, settings, name="requests", fill=self._fill, fail=self.failed.append)
        self.shelf = Shelf(self.kinds, self._random)
        self.door.hears_by(SimpleNamespace(consumer=self.shelf))
        await self.rebalance()

    async def rebalance(self) -> None:
        tps = list(self.shelf.at)
        await self.door.on_partitions_revoked(tps)
        self.shelf.paused.clear()
        await self.door.on_partitions_assigned(tps)

    def _fill(self, messages: Sequence[Incoming], batch: Batch) -> None:
        done = []
        for message in messages:
            kind = (message.value or b"").decode()
            if kind == BREAKS:
                raise LookupError(kind)
            if kind == BAD:
                batch.parked.append(Parked(message, None, "bad"))
            else:
                done.append((message.topic, message.offset))
        if done:
            batch.effect = ("did", tuple(done))

    async def hear(self, most: int = 7) -> None:
        """Until there is nothing more to hear."""
        while not self.shelf.all_heard:
            await self.door.take(self.shelf.fetch(most))
        await self.door._flush_offsets()

    async def resume(self, topic: str) -> None:
        """As `hotline parked resume`, and a desk that looks whether there is something of the kind."""
        for at in [at for at in self.memory.doors_stopped if at[2] == topic]:
            del self.memory.doors_stopped[at]
        await self.door.take_released()

    @property
    def done(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for _, places in self.memory.effects:
            for topic, offset in places:  # type: ignore[misc]
                found[topic].append(offset)
        return found

    @property
    def aside(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for kept in self.memory.parked.values():
            found[kept.parked.message.topic].append(kept.parked.message.offset)
        return found

    async def stopped(self) -> set[str]:
        return set(await self.log.door_stopped("requests"))

    async def place(self, topic: str) -> int:
        return (await self.log.places([(topic, 0)]))[topic, 0].offset

    async def holds(self) -> None:
        """Before its place everything of a topic had its effect or was set aside, once, in order; behind it nothing."""
        assert self.failed == []
        stopped = await self.stopped()
        for topic, kinds in self.kinds.items():
            place = await self.place(topic)
            assert self.done[topic] == [n for n in range(place) if kinds[n] == GOOD], topic
            assert sorted(self.aside[topic]) == [n for n in range(place) if kinds[n] != GOOD], topic
            if topic in stopped:
                assert sum(kind != GOOD for kind in kinds) >= PARKED_MIN
                assert place < len(kinds)
            else:
                assert place == len(kinds), topic


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parking, "PARKED_MIN", PARKED_MIN)


KINDS = st.lists(st.sampled_from([GOOD, GOOD, GOOD, BAD, BREAKS]), max_size=40)
TOPICS = st.dictionaries(st.sampled_from("abcdef"), KINDS, min_size=1)


@given(
    TOPICS, st.integers(0, 1_000_000), st.lists(st.sampled_from(["restart", "rebalance", "look"]), max_size=4)
)
def test_whatever_comes_each_topic_goes_on_or_stops_by_itself_and_nothing_is_lost_or_done_twice(
    kinds: dict[str, list[str]], seed: int, troubles: list[str]
) -> None:
    async def lived() -> None:
        world = World(kinds, seed)
        await world.restart()
        for trouble in troubles:
            for _ in range(3):
                if not world.shelf.all_heard:
                    await world.door.take(world.shelf.fetch(5))
            if trouble == "restart":
                await world.restart()  # the window of what was parked begins anew
            elif trouble == "rebalance":
                await world.rebalance()
            else:
                await world.door.take_released()
        await world.hear()
        await world.holds()
        for topic in await world.stopped():
            await world.resume(topic)
        await world.hear()
        assert await world.stopped() == set()
        await world.holds()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parking, "PARKED_MIN", PARKED_MIN)
        asyncio.run(lived())


@pytest.mark.parametrize("nonsense", [BAD, BREAKS])
@pytest.mark.parametrize("most", [1, 7, 500])
async def test_one_speakers_nonsense_stops_its_topic_and_no_other_in_the_same_batch(
    nonsense: str, most: int
) -> None:
    world = World({"a": [nonsense] * 150, "b": [GOOD] * 400, "c": [GOOD] * 3})
    await world.restart()
    await world.hear(most)
    assert await world.stopped() == {"a"}
    assert await world.place("a") == len(world.aside["a"]) < PARKED_MIN
    assert (await world.place("b"), await world.place("c")) == (400, 3)
    await world.holds()
    assert counted(world.desk, "door.stopped") == 1
    gauge = world.desk.telemetry.registry.get_sample_value
    assert gauge("hotline_door_stopped_topics", {"door": "requests"}) == 1
    assert world.desk.telemetry.health.as_dict()["parts"]["requests"]["stopped"] == ["a"]
    world.kinds["b"] += [GOOD] * 10
    world.door.reads()
    assert world.desk.telemetry.health.ready, "the others are heard"
    await world.hear(most)
    assert await world.place("b") == 410
    await world.resume("a")
    await world.hear(most)
    assert await world.place("a") == 150
    assert gauge("hotline_door_stopped_topics", {"door": "requests"}) == 0
    assert "stopped" not in world.desk.telemetry.health.as_dict()["parts"]["requests"]


async def test_where_every_topic_is_stopped_the_door_waits_for_a_person() -> None:
    world = World({"a": [BAD] * 9, "b": [BAD] * 9})
    await world.restart()
    await world.hear()
    assert await world.stopped() == {"a", "b"}
    world.door.reads()
    assert (
        world.desk.telemetry.health.as_dict()["parts"]["requests"]["waits_for"]
        == "a person: hotline parked resume"
    )
    await world.resume("a")
    world.door.reads()
    assert world.desk.telemetry.health.ready


async def test_what_was_stopped_before_topics_were_is_the_whole_door() -> None:
    world = World({"a": [GOOD] * 5, "b": [GOOD] * 5})
    world.memory.doors_stopped["intake", "requests", WHOLE] = "of before"
    await world.restart()
    assert world.shelf.all_heard, "everything is paused"
    await world.door.take(Shelf(world.kinds, Random(1)).fetch(5))
    assert world.done == {}
    await world.resume(WHOLE)
    await world.hear()
    await world.holds()
    assert world.done == {"a": [0, 1, 2, 3, 4], "b": [0, 1, 2, 3, 4]}


async def test_what_another_process_stopped_is_stopped_here_and_goes_on_here_too() -> None:
    world = World({"a": [GOOD] * 50, "b": [GOOD] * 50})
    await world.restart()
    await world.door.take(world.shelf.fetch(5))
    await world.log.stop_door("requests", "a", "the other one found it")
    await world.door.take_released()
    place = len(world.done["a"])
    await world.hear()
    assert (len(world.done["a"]), len(world.done["b"])) == (place, 50)
    await world.resume("a")
    await world.hear()
    await world.holds()
