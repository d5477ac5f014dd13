"""Part `timers` at a size too small to measure anything: what fires is counted rightly, whatever it says of speed."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from hotline.cli.bench import draw, tell
from hotline.lab.bench.result import Spread, wait_of
from hotline.lab.bench.stage import BenchCity
from hotline.lab.bench.timer_work import HELD, TimerSize, wrong_with_fires
from hotline.lab.bench.timers import PLAIN, TimersResult, judged, run

pytestmark = pytest.mark.connected

SIZE = TimerSize(open_timers=(100, 1000), rate=100, seconds=2, rounds=2)


@pytest.fixture(scope="module")
async def result(bench_stage: BenchCity) -> TimersResult:
    return await run(bench_stage, SIZE, print)


def test_every_limit_that_passes_is_stated_once_and_none_early(result: TimersResult) -> None:
    assert result.wrong == []
    assert [one.how for one in result.fires] == [PLAIN, HELD]
    for one in result.fires:
        assert (one.asked, one.fired, one.lost, one.twice, one.early) == (200, 200, 0, 0, 0)
        assert one.delay.count + one.due_before_start == 200
        assert 0 < one.delay.p50 <= one.delay.p99 <= one.delay.highest
        assert {"escalation", "postgres"} <= set(one.cores)


def test_costs_are_told_at_every_number_of_open_timers(result: TimersResult) -> None:
    assert [one.open_timers for one in result.sizes] == [100, 1000]
    for one in result.sizes:
        assert 0 < one.tick_ms.low <= one.tick_ms.median <= one.tick_ms.high
        assert one.tick_pages > 0
        assert min(one.set_us.low, one.cancel_us.low) > 0
    assert 0 < result.deadlines_per_second.low <= result.deadlines_per_second.high
    assert result.tick_growth == result.sizes[1].tick_ms.median / result.sizes[0].tick_ms.median


def test_it_is_told_to_a_program_and_to_a_person_and_drawn(
    result: TimersResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tell("timers", result, json=True)
    assert msgspec.convert(json.loads(capsys.readouterr().out), TimersResult) == result
    tell("timers", result, json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "All 400 limits that passed were stated once, none early." in said
    pytest.importorskip("matplotlib")
    draw("timers", result, tmp_path / "timers.svg")
    assert "open timers" in (tmp_path / "timers.svg").read_text(encoding="utf-8")


def test_what_is_lost_early_or_doubled_is_wrong(result: TimersResult) -> None:
    one = result.fires[0]
    for change, said in (
        ({"lost": 2}, "2 of 200 limits that passed were never stated"),
        ({"twice": 1}, "1 misses were stated twice"),
        ({"early": 3}, "3 misses were stated before their limit had passed"),
    ):
        broken = msgspec.structs.replace(one, **change)
        assert wrong_with_fires(broken) == [f"{PLAIN}: {said}"]
        again = judged(result.machine, result.fixed, SIZE, result.sizes, [broken], ["more"])
        assert again.wrong == ["more", f"{PLAIN}: {said}"]


def test_a_missed_bar_is_a_warning_and_not_wrong(result: TimersResult) -> None:
    small, large = result.sizes
    slower = msgspec.structs.replace(large, tick_ms=Spread(median=small.tick_ms.median * 1.3, low=0, high=9))
    late = msgspec.structs.replace(result.fires[0], delay=wait_of([1001.0]))
    told = judged(result.machine, result.fixed, SIZE, [small, slower], [late], [])
    assert told.wrong == []
    assert any("takes 1.30 times as long as at 100, the bar is 1.2" in said for said in told.warnings)
    assert any("p99 of 1,001 ms from limit to fact" in said for said in told.warnings)
