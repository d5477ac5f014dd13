"""Back from parking through a door: in order, one at a time where they cannot be written together."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from services.intake.settings import Settings
from shared.broker import Door, _Standing
from shared.desk import Batch, Work
from shared.log import Append, Incoming, Parked, Place
from shared.log.memory import Memory, MemoryLog
from tests.desks import NOW, desk_on, lives, withdraw

TOPIC = "door"
SAID = "暗号路1号"
"""Errors quote what they fell over."""


class Picky(MemoryLog):
    """A log that takes no append in which one of these messages is handled."""

    refuses: frozenset[int] = frozenset()

    async def append(self, append: Append) -> None:
        if self.refuses & set(append.unpark):
            message = f"not this one: {SAID}"
            raise ValueError(message)
        await super().append(append)


class Hall:
    """A door of intake with complaints on record, and their withdrawals parked: three for each."""

    def __init__(self) -> None:
        self.memory = Memory(lambda: NOW)
        self.log = Picky(self.memory, "intake")
        self.failures: list[Exception] = []
        self.works: dict[int, Work] = {}
        self.heard: list[int] = []
        desk = desk_on("intake", self.log)
        settings = Settings(kafka="", postgres="")
        self.door = Door(desk, settings, name="x", fill=self._fill, fail=self.failures.append)
        self.door._subscriber = SimpleNamespace(consumer=None)
        self.door._standing[TOPIC, 0] = _Standing(Place(9), Place(9))

    def _fill(self, messages: Sequence[Incoming], batch: Batch) -> None:
        self.heard += [message.offset for message in messages]
        batch.work += [replace(self.works[message.offset], message=message) for message in messages]

    async def parks(self) -> None:
        streams = await lives(desk_on("intake", self.log), range(2))
        for offset in range(6):
            work = withdraw(streams[offset // 3])
            self.works[offset] = replace(work, caused_by=f"withdraw/{offset}")
            message = Incoming(TOPIC, 0, offset, 0, None, (), b"")
            await self.log.append(Append(parked=[Parked(message, work.complaint_id, "r")]))
        for number in self.memory.parked:
            self.memory.release(number)

    def left(self) -> dict[int, str]:
        return {kept.parked.message.offset: kept.parked.reason for kept in self.memory.parked.values()}


@pytest.fixture
async def hall() -> Hall:
    made = Hall()
    await made.parks()
    return made


async def test_all_that_was_released_is_handled_in_order_in_one_transaction(hall: Hall) -> None:
    assert await hall.door.take_released() == 6
    assert hall.heard == [0, 1, 2, 3, 4, 5]
    assert hall.left() == {}


async def test_one_that_cannot_be_written_is_parked_again_with_what_stands_behind_it(hall: Hall) -> None:
    hall.log.refuses = frozenset({2})  # the second of the first complaint
    with capture_logs() as lines:
        await hall.door.take_released()
    assert "batch_failed" in {line["event"] for line in lines}
    assert SAID not in f"{lines}{hall.left()}"
    assert list(hall.left()) == [1, 2]
    assert hall.left()[1].startswith("could not be handled: ")
    assert hall.heard[6:] == [0, 1, 3, 4, 5], "each once, and nothing behind the one that failed"
    assert await hall.log.released() == []
    assert hall.failures == []
    assert await hall.door.take_released() == 0


async def test_released_once_more_they_are_handled_and_nothing_is_doubled(hall: Hall) -> None:
    hall.log.refuses = frozenset({2})
    await hall.door.take_released()
    hall.log.refuses = frozenset()
    for number in hall.memory.parked:
        hall.memory.release(number)
    assert await hall.door.take_released() == 2
    assert hall.left() == {}
    caused = [stored.caused_by for stored in hall.memory.facts if stored.caused_by.startswith("withdraw/")]
    assert len(caused) == len(set(caused))
