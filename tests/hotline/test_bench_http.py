"""Part `http` at a size too small to measure anything: what it counts is right, whatever it says of speed."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from hotline.cli.bench import draw, tell
from hotline.lab.bench.http import HttpResult, HttpSize, bars_missed, run
from hotline.lab.bench.stage import BenchCity

pytestmark = [pytest.mark.connected, pytest.mark.timeout(900)]

SIZE: HttpSize = HttpSize(
    rounds=1, seconds=0.5, connections=4, batch=20, paced_seconds=2, paced_rate=20, slow=100,
    outcome_rate=10, outcome_seconds=2,
)  # fmt: skip


@pytest.fixture(scope="module")
async def result(bench_stage: BenchCity) -> HttpResult:
    return await run(bench_stage, SIZE, print)


def test_every_event_is_accepted_and_kept_and_every_request_is_on_record(result: HttpResult) -> None:
    assert result.wrong == []
    for load in (*result.floor, *result.single, *result.batch, result.alone, result.beside):
        assert set(load.answers) == {"202"}
        assert load.per_second > 0
    assert set(result.outcome.answers) == {"200"}
    assert result.batch[0].events == 20
    assert result.alone.wait.count >= 20
    assert result.floor_share > 0
    assert result.batch_times > 0
    assert result.idle_mb > 0


def test_beside_slow_clients_every_request_of_a_fast_one_succeeds(result: HttpResult) -> None:
    assert set(result.beside.all_answers) - {"lost"} == {"202"}
    assert "lost" not in result.beside.answers
    assert "slow clients" in result.beside.spent.cpu_seconds


def test_it_is_told_to_a_program_and_to_a_person_and_drawn(
    result: HttpResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tell("http", result, json=True)
    assert msgspec.convert(json.loads(capsys.readouterr().out), HttpResult) == result
    tell("http", result, json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "Every event that was accepted lies in Kafka" in said
    assert "beside 100 slow clients the p99 is" in said
    pytest.importorskip("matplotlib")
    draw("http", result, tmp_path / "http.svg")
    assert (tmp_path / "http.svg").exists()


def test_a_missed_bar_is_a_warning(result: HttpResult) -> None:
    wait = msgspec.structs.replace(result.outcome.wait, p50=41.0)
    slow = msgspec.structs.replace(result.outcome, wait=wait)
    (few,) = (msgspec.structs.replace(one, seconds=one.seconds * 1000) for one in result.single)
    told = bars_missed(msgspec.structs.replace(result, outcome=slow, single=[few]))
    assert any("outcome p50 of 41 ms, the bar is 40" in said for said in told)
    assert any("of the empty handler's rate, the bar is 50%" in said for said in told)
