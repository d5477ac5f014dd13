"""Part `memory` at a size too small to measure anything: what went through each desk is counted rightly."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from deploy.city.endpoints import PROCESSES
from hotline.cli.bench import draw, tell
from hotline.lab.bench.memory import LISTENERS, MemoryResult, MemorySize, Sample, held_of, run
from hotline.lab.bench.stage import BenchCity

SIZE = MemorySize(messages=3000)


@pytest.fixture(scope="module")
async def result(bench_stage: BenchCity) -> MemoryResult:
    return await run(bench_stage, SIZE, print)


@pytest.mark.connected
def test_as_many_messages_go_through_each_desk_as_were_asked_for(
    result: MemoryResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert result.wrong == []
    assert (result.messages, result.lives) == (3000, 334)
    assert set(result.held) == set(PROCESSES)
    assert set(LISTENERS) <= set(result.samples[-1].messages)
    assert all(0 < one.at_marks[0] <= one.highest for one in result.held.values())
    tell("memory", result, json=True)
    assert msgspec.convert(json.loads(capsys.readouterr().out), MemoryResult) == result
    tell("memory", result, json=False)
    assert "Every life is whole" in capsys.readouterr().out
    pytest.importorskip("matplotlib")
    draw("memory", result, tmp_path / "memory.svg")


def _samples(*values: int) -> list[Sample]:
    return [
        Sample(seconds=float(n), messages={"intake": n}, memory_bytes={"intake": value})
        for n, value in enumerate(values)
    ]


def test_growth_is_the_last_quarter_by_the_second() -> None:
    held = held_of("intake", _samples(1, 5, 100, 100, 900, 100, 150, 150))
    assert (held.growth, held.highest, held.messages) == (1.5, 900, 7)
    assert held.at_marks[-1] == 150


def test_a_single_reading_did_not_grow() -> None:
    assert held_of("intake", _samples(7)).growth == 1.0


def test_lives_and_calls_bring_each_desk_its_messages() -> None:
    for messages in (1, 9, 3000, 1_000_000):
        size = MemorySize(messages=messages)
        assert size.lives * 9 >= messages
        assert size.lives + 3 * size.calls >= messages
