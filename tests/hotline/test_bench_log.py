"""Part `log` at a size too small to measure anything: what it counts is right, whatever it says of speed."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from hotline.cli.bench import draw, tell
from hotline.lab.bench.log import LogResult, LogSize, bars_missed, run
from hotline.lab.bench.stage import BenchCity

pytestmark = pytest.mark.connected

SIZE = LogSize(grown=(0, 5000, 10**12), verified=5000, lives=300, warm_up=100, batches=(1, 10), seconds=0.2)


@pytest.fixture(scope="module")
async def result(bench_stage: BenchCity) -> LogResult:
    return await run(bench_stage, SIZE, print)


def test_the_lives_on_top_of_a_grown_log_are_counted_and_no_others(result: LogResult) -> None:
    assert result.wrong == []
    assert [one.facts for one in result.growth] == [0, 5000, 0]
    for one in result.growth:
        assert one.lived.closed == 300
        assert one.lived.facts == 300 * 8
    assert result.growth[1].bytes > result.growth[0].bytes
    assert result.share_of_empty > 0


def test_what_is_read_is_the_whole_log(result: LogResult) -> None:
    assert [one.what for one in result.reads] == ["a bare read", "heads", "timers", "verify"]
    (facts,) = {one.facts for one in result.reads}
    assert facts >= 5000 + 400 * 8
    assert [one.requests for one in result.appends] == [1, 10]
    assert all(one.facts_per_second > 0 for one in result.appends)


def test_a_size_that_does_not_fit_on_the_disk_is_said_and_left_out(result: LogResult) -> None:
    assert any("1,000,000,000,000 facts need 900,006 GB" in said for said in result.warnings)


def test_a_missed_bar_is_a_warning_and_not_wrong(result: LogResult) -> None:
    slow = msgspec.structs.replace(result, share_of_empty=0.5)
    assert any("at 5,000 facts 50% of an empty log's lives a second" in said for said in bars_missed(slow))
    assert not any(
        "an empty log" in said for said in bars_missed(msgspec.structs.replace(slow, share_of_empty=1))
    )


def test_it_is_told_to_a_program_and_to_a_person_and_drawn(
    result: LogResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tell("log", result, json=True)
    assert msgspec.convert(json.loads(capsys.readouterr().out), LogResult) == result
    tell("log", result, json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "All 1,200 lives are whole" in said
    pytest.importorskip("matplotlib")
    draw("log", result, tmp_path / "log.svg")
    assert "facts in the log" in (tmp_path / "log.svg").read_text(encoding="utf-8")
