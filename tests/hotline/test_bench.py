"""The benchmark at a size too small to measure anything: what it says is right, whatever it says of speed."""

from __future__ import annotations

import inspect
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hotline.cli.bench import draw, tell
from hotline.lab.bench.check import LIFE, wrong_with
from hotline.lab.bench.lives import LivesResult, LivesRound, LivesSize, judged, run
from hotline.lab.bench.parts import PARTS, part
from hotline.lab.bench.stage import BenchCity
from hotline.lab.mix import Mix
from shared.topics import COMPLAINTS_LOG, DISPATCH_REPLIES, INTAKE_REQUESTS
from tests import examples as eg
from tests.hotline.conftest import BENCH_UNITS, Desks

pytestmark = pytest.mark.connected

SIZE = LivesSize(
    lives=200, warm_up=1000, lives_one_by_one=40, mixes_scale=0.002
)  # the floor warms up on a thousand lives


@pytest.fixture(scope="module")
async def result(bench_stage: BenchCity) -> LivesResult:
    return await run(bench_stage, SIZE, lambda _: None)


@pytest.fixture(scope="module")
def once(result: LivesResult) -> LivesRound:
    (once,) = result.rounds
    return once


def test_every_life_is_lived_to_its_end_and_checked(result: LivesResult, once: LivesRound) -> None:
    assert result.wrong == []
    for lived, warm_up, measured in ((once.system, SIZE.warm_up, SIZE.lives), (once.one_by_one, 6, 34)):
        lives = warm_up + measured
        assert (lived.lives, lived.closed) == (lives, measured)
        assert lived.facts == measured * len(LIFE)
        assert lived.messages[INTAKE_REQUESTS.name] == lives
        assert lived.messages[DISPATCH_REPLIES.name] == 2 * lives
        assert lived.messages[COMPLAINTS_LOG.name] == lives * len(LIFE)


def test_both_mixes_are_lived_beside_and_the_full_one_asks_for_more(result: LivesResult) -> None:
    plain, full = result.mixes
    assert (plain.mix, full.mix) == (Mix.PLAIN, Mix.FULL)
    assert plain.lives == full.lives > 100
    assert full.inputs > plain.inputs
    assert full.facts_an_order > plain.facts_an_order > len(LIFE)
    assert sum(one.asked for one in full.asked_for.values()) > sum(
        one.asked for one in plain.asked_for.values()
    )


def test_one_by_one_takes_one_message_at_once_and_the_floor_writes_what_was_lived(once: LivesRound) -> None:
    assert once.one_by_one.batches["dispatch"] == 1
    assert once.system.batches["dispatch"] > 1
    floor, written = once.floor, sum(once.system.messages.values())
    assert (floor.lives, floor.facts) == (SIZE.lives, SIZE.lives * len(LIFE))
    assert floor.messages_written == SIZE.lives * written // once.system.lives


async def test_with_all_desks_in_one_process_the_floor_has_one_for_them_too_and_reads_the_log_once(
    bench_stage: BenchCity,
) -> None:
    size = replace(SIZE, one_process=True)
    together = await run(bench_stage, size, lambda _: None)
    assert together.wrong == []
    assert together.one_process
    (once,) = together.rounds
    for spent in (once.system.spent, once.one_by_one.spent, once.floor.spent):
        assert "desks" in spent.cpu_seconds
        assert not {"intake", "dispatch", "feedback"} & spent.cpu_seconds.keys()
    assert once.floor.facts == SIZE.lives * len(LIFE)
    assert once.floor.messages_read == once.floor.messages_written


def test_it_is_told_to_a_program_and_to_a_person(
    result: LivesResult, capsys: pytest.CaptureFixture[str]
) -> None:
    tell("lives", result, json=True)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert told["part"] == "lives"
    assert msgspec.convert(told, LivesResult) == result
    for ratio in ("times_one_by_one", "share_of_floor", "share_of_floor_cpu"):
        assert told[ratio]["low"] == told[ratio]["median"] == told[ratio]["high"] > 0
    assert (told["lives"], told["fixed"]["units"]) == (SIZE.lives, BENCH_UNITS)
    tell("lives", result, json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "All 1,240 lives are whole" in said
    assert "times one by one" in said
    assert "no trace viewer ran" in said


def test_a_picture_is_drawn_and_without_matplotlib_it_says_so(
    result: LivesResult, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "docs" / "lives.svg"
    draw("lives", result, path)
    assert "lives a second" in path.read_text(encoding="utf-8")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    draw("lives", result, tmp_path / "none.svg")
    assert "matplotlib is not installed" in capsys.readouterr().err
    assert not (tmp_path / "none.svg").exists()


def test_the_figures_are_the_medians_of_the_rounds(result: LivesResult, once: LivesRound) -> None:
    slow, fast = (
        msgspec.structs.replace(once, times_one_by_one=once.times_one_by_one * by) for by in (0.5, 3.0)
    )
    several = judged(result.machine, result.fixed, SIZE, [fast, once, slow])
    spread = several.times_one_by_one
    assert (spread.low, spread.median, spread.high) == tuple(
        one.times_one_by_one for one in (slow, once, fast)
    )


@pytest.mark.parametrize("name", PARTS)
def test_every_part_has_the_one_shape(name: str) -> None:
    module = part(name)
    wanted = {"quick", "folder", "say"}
    assert wanted <= set(inspect.signature(module.measured).parameters)
    assert list(inspect.signature(module.show).parameters) == ["result"]
    assert list(inspect.signature(module.plot).parameters) == ["result", "path"]


async def test_a_life_that_is_not_whole_is_named(desks: Desks) -> None:
    await desks.tell(eg.RECORD)
    assert await wrong_with(desks.dsn, 2) == [
        "2 lives were asked for, 1 are in the log, 0 of them whole",
        "2 timers are set although every life has ended",
    ]
