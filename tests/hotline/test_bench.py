"""The benchmark at a size too small to measure anything: what it says is right, whatever it says of speed."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from hotline.bench.check import LIFE, wrong_with
from hotline.bench.run import Result, Size, run
from hotline.commands.bench import tell
from hotline.stack.stack import Stack
from shared.topics import COMPLAINTS_LOG, DISPATCH_REPLIES, INTAKE_REQUESTS
from tests import examples as eg
from tests.hotline.conftest import Desks

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]

SIZE = Size(lives=200, warm_up=1000, lives_one_by_one=40)  # the floor warms up on a thousand lives


@pytest.fixture(scope="module")
async def result(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Result]:
    folder = tmp_path_factory.mktemp("bench")
    level = logging.getLogger("aiokafka").level  # it silences its clients, and is a guest here
    yield await run(SIZE, units=4, zipkin=False, folder=folder, say=lambda _: None)
    logging.getLogger("aiokafka").setLevel(level)
    assert not any(health.up for health in (await Stack(folder).check()).values())


def test_every_life_is_lived_to_its_end_and_checked(result: Result) -> None:
    assert result.wrong == []
    for lived, warm_up, measured in ((result.system, SIZE.warm_up, SIZE.lives), (result.one_by_one, 6, 34)):
        lives = warm_up + measured
        assert (lived.lives, lived.closed) == (lives, measured)
        assert lived.facts == measured * len(LIFE)
        assert lived.messages[INTAKE_REQUESTS.name] == lives
        assert lived.messages[DISPATCH_REPLIES.name] == 2 * lives
        assert lived.messages[COMPLAINTS_LOG.name] == lives * len(LIFE)


def test_one_by_one_takes_one_message_at_once_and_the_floor_writes_what_was_lived(result: Result) -> None:
    assert result.one_by_one.batches["dispatch"] == 1
    assert result.system.batches["dispatch"] > 1
    floor, written = result.floor, sum(result.system.messages.values())
    assert (floor.lives, floor.facts) == (SIZE.lives, SIZE.lives * len(LIFE))
    assert floor.messages_written == SIZE.lives * written // result.system.lives


def test_it_is_told_to_a_program_and_to_a_person(result: Result, capsys: pytest.CaptureFixture[str]) -> None:
    tell(result, json=True)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert msgspec.convert(told, Result) == result
    for ratio in ("times_one_by_one", "share_of_floor", "share_of_floor_cpu"):
        assert told[ratio] >= 0
    assert told["settings"]["lives"] == SIZE.lives
    tell(result, json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "All 1,240 lives are whole" in said
    assert "times one by one" in said
    assert "no trace viewer ran" in said


async def test_a_life_that_is_not_whole_is_named(desks: Desks) -> None:
    await desks.tell(eg.RECORD)
    assert await wrong_with(desks.dsn, 2) == [
        "2 lives were asked for, 1 are in the log, 0 of them whole",
        "2 timers are set although every life has ended",
    ]
