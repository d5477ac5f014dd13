"""The processor's seconds of work that waits are its own, and its result, its errors and its end come through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from shared.complaint import Case
from shared.desk import Desk
from shared.events import Fact
from shared.ids import ComplaintId
from shared.log import Known
from shared.log.memory import Memory, MemoryLog
from shared.runtime.processor_time import Measured, ProcessorWork, measured
from shared.runtime.telemetry import Telemetry
from shared.seeing import CaseOf, Seeing
from shared.work import Batch, Work


def burn(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def test_what_others_do_while_it_waits_does_not_count() -> None:
    spent: dict[str, float] = {}

    async def waits() -> int:
        burn(0.01)
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        burn(0.01)
        return 7

    async def another() -> None:
        burn(0.3)

    other = asyncio.ensure_future(another())
    assert await Measured(ProcessorWork.POSTGRES, spent.__setitem__, waits()) == 7
    await other
    assert 0.02 <= spent["postgres"] < 0.3


async def test_an_error_and_an_end_from_outside_come_through_and_are_told() -> None:
    spent: dict[str, float] = {}

    async def fails() -> None:
        await asyncio.sleep(0)
        message = "away"
        raise OSError(message)

    with pytest.raises(OSError, match="away"):
        await Measured(ProcessorWork.POSTGRES, spent.__setitem__, fails())
    assert spent.pop("postgres") >= 0
    cleaned = []

    async def lasts() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # it may wait while it ends
            cleaned.append(True)
            raise

    async def asks() -> None:
        await Measured(ProcessorWork.POSTGRES, spent.__setitem__, lasts())

    task = asyncio.ensure_future(asks())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == [True]
    assert "postgres" in spent


def test_work_that_waits_for_nothing_is_told_once() -> None:
    told: list[tuple[str, float]] = []
    with measured(ProcessorWork.RULES, lambda work, seconds: told.append((work, seconds))):
        burn(0.01)
    ((work, seconds),) = told
    assert work == "rules"
    assert seconds >= 0.01


NOW = datetime(2021, 9, 24, 8, 0, tzinfo=UTC)
HEADS_SECONDS = 0.02


class DearLog(MemoryLog):
    """A log whose every look at heads takes the processor so long."""

    async def heads(self, streams: Sequence[str], inbox: Sequence[str]) -> Known:
        burn(HEADS_SECONDS)
        return await super().heads(streams, inbox)


class SeesAnother(msgspec.Struct, Seeing, frozen=True):
    """A command that is decided on another complaint as well."""

    other: ComplaintId
    seen: Any = None

    def sees(self, case: Case, case_of: CaseOf) -> Sequence[ComplaintId]:
        return (self.other,)


async def test_what_a_desk_asks_of_other_complaints_counts_as_postgresql() -> None:
    def decides(command: object, case: Case) -> Sequence[Fact]:
        return ()

    telemetry = Telemetry("dispatch")
    telemetry.keeps("desk", *ProcessorWork)
    desk = Desk("dispatch", decides, DearLog(Memory(lambda: NOW), "dispatch"), telemetry)
    await desk.obey(Batch(work=[Work(SeesAnother(ComplaintId("b")), ComplaintId("a"), "c")]))
    found = telemetry.registry.get_sample_value("hotline_desk_processor_seconds_total", {"work": "postgres"})
    assert found is not None
    assert found >= 2 * HEADS_SECONDS
