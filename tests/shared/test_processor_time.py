"""The processor's seconds of work that waits are its own, and its result, its errors and its end come through."""

from __future__ import annotations

import asyncio
import time

import pytest

from shared.runtime.processor_time import Measured, ProcessorWork, measured


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
