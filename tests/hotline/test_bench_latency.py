"""Part `latency` at a size too small to measure anything: what it counts is right, whatever it says of speed."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from hotline.cli.bench import draw, tell
from hotline.lab.bench.latency import BUSY, CALM, LIMITS, LISTED, LatencyResult, LatencySize, bars_missed, run
from hotline.lab.bench.latency_run import OfferedLoad, wrong_with_what_was_seen
from hotline.lab.bench.pace import Paced
from hotline.lab.bench.result import wait_of
from hotline.lab.bench.stage import BenchCity
from tests.hotline.conftest import BENCH_UNITS

connected = pytest.mark.connected

SIZE = LatencySize(
    rounds=1,
    warm_up=OfferedLoad(rate=20, warm_up_seconds=0, seconds=1, units_measured=1),
    calm=OfferedLoad(rate=20, warm_up_seconds=1, seconds=2, units_measured=BENCH_UNITS),
    busy=OfferedLoad(rate=60, warm_up_seconds=1, seconds=2, units_measured=2),
    limits=OfferedLoad(rate=20, warm_up_seconds=1, seconds=2, units_measured=1),
    limit_seconds=1.0,
)
SEEN = Paced(
    asked=10,
    ended=10,
    sent_late=[],
    orders=[],
    replies=[],
    closings=[],
    notices=[],
    notices_early=0,
    notices_again=0,
    gc_threshold=(1, 1, 1),
)


@pytest.fixture(scope="module")
async def result(bench_stage: BenchCity) -> LatencyResult:
    return await run(bench_stage, SIZE, print)


class TestARun:
    pytestmark = connected

    def test_every_request_is_followed_to_its_end(self, result: LatencyResult) -> None:
        assert result.wrong == []
        assert (result.lives, result.limits) == (20 + 60 + 60 + 180, 40 + 60)
        (calm,), (listed,), (busy,), (limits,) = (result.of(load) for load in (CALM, LISTED, BUSY, LIMITS))
        for one, measured in ((calm, 40), (listed, 40), (busy, 120)):
            assert one.waits["reply to fact"].count == one.waits["citizen's word to closed"].count == measured
            assert one.sent_late.count == measured
        assert calm.waits["request to order"].count == 40
        assert 0 < busy.waits["request to order"].count < 120  # two units of all
        assert limits.waits["limit to notice"].count == 40
        assert listed.lag is not None
        assert listed.lag.count > 4  # four times a second for three seconds
        assert [one.lag for one in (calm, busy, limits)] == [None, None, None]
        assert "projector" in listed.cores
        assert "projector" not in calm.cores

    def test_waits_are_in_order_and_cores_are_told_by_process(self, result: LatencyResult) -> None:
        for one in result.runs:
            for wait in one.waits.values():
                assert 0 < wait.p50 <= wait.p99 <= wait.highest
            named = {"intake", "dispatch", "escalation", "feedback", "relay", "outside", "kafka", "postgres"}
            assert named <= set(one.cores)
            assert one.system_cores == pytest.approx(sum(one.cores.values()) - one.cores["outside"])

    def test_it_is_told_to_a_program_and_to_a_person_and_drawn(
        self, result: LatencyResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        tell("latency", result, json=True)
        assert msgspec.convert(json.loads(capsys.readouterr().out), LatencyResult) == result
        tell("latency", result, json=False)
        said = " ".join(capsys.readouterr().out.split())
        assert "All 320 lives are whole; all 100 limits were noticed once, none early." in said
        assert "50 limits/s: limit to notice: p50" in said
        pytest.importorskip("matplotlib")
        draw("latency", result, tmp_path / "latency.svg")
        assert "milliseconds" in (tmp_path / "latency.svg").read_text(encoding="utf-8")

    def test_a_missed_bar_is_named_by_how_much(self, result: LatencyResult) -> None:
        def slow(load: str, p50: float, p99: float) -> LatencyResult:
            runs = [
                msgspec.structs.replace(
                    one,
                    waits={
                        **one.waits,
                        "request to order": msgspec.structs.replace(
                            wait_of([1.0]),
                            p50=p50 if one.load == load else 1,
                            p99=p99 if one.load == load else 1,
                        ),
                    },
                )
                for one in result.runs
            ]
            still = dict.fromkeys(result.system_cores, msgspec.structs.replace(spread, median=0.9))
            return msgspec.structs.replace(result, runs=runs, system_cores=still)

        spread = result.system_cores[CALM]
        assert bars_missed(slow(CALM, 10, 30)) == []
        assert "p50 of 10.1 ms" in bars_missed(slow(CALM, 10.1, 30))[0]
        assert "p99 of 30.1 ms" in bars_missed(slow(CALM, 10, 30.1))[0]
        assert "p99 of 100.1 ms" in bars_missed(slow(BUSY, 50, 100.1))[0]
        assert bars_missed(slow(LISTED, 1.1, 1.1)) == []
        assert "p50 is 1.20 times as long" in bars_missed(slow(LISTED, 1.2, 1))[0]
        assert "p99 is 1.20 times as long" in bars_missed(slow(LISTED, 1, 1.2))[0]


def test_percentiles_are_of_the_nearest_rank() -> None:
    wait = wait_of([float(n) for n in range(1000, 0, -1)])
    assert (wait.count, wait.p50, wait.p99, wait.highest) == (1000, 500, 990, 1000)
    assert wait_of([7.0]).p99 == 7
    assert wait_of([]).count == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, []),
        ({"ended": 9}, ["1 of 10 lives were not seen to their end"]),
        ({"notices_early": 2}, ["2 notices came before their limit"]),
        ({"notices_again": 3}, ["3 notices came twice"]),
    ],
)
def test_what_is_lost_early_or_doubled_is_wrong(change: dict[str, int], said: list[str]) -> None:
    assert wrong_with_what_was_seen(msgspec.structs.replace(SEEN, **change)) == said
