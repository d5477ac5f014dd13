"""Part `reads` at a size too small to measure anything; its plans at a million facts: `tests/shared/test_plans.py`."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from hotline.cli.bench import draw, tell
from hotline.lab.bench.asked import ASKED
from hotline.lab.bench.open_lives import TITLES, open_templates
from hotline.lab.bench.reads import ReadsResult, ReadsSize, bars_missed, run
from hotline.lab.bench.stage import BenchCity
from shared.complaint import head_of, stage_of

pytestmark = [pytest.mark.connected, pytest.mark.timeout(900)]

SIZE = ReadsSize(complaints=300, calls=200, rounds=2, caught_up=200, lives=200, warm_up=100, pairs=1)


@pytest.fixture(scope="module")
async def result(bench_stage: BenchCity) -> ReadsResult:
    return await run(bench_stage, SIZE, print)


def test_every_question_is_answered_and_nothing_is_wrong(result: ReadsResult) -> None:
    assert result.wrong == []
    assert [one.question for one in result.answers] == list(ASKED)
    assert (result.complaints, result.open) == (300, 120)
    for one in result.answers:
        assert one.scans == []
        assert 0 < one.wait.p50 <= one.p95 <= one.wait.highest
        assert one.plan
    assert [one.facts > 0 for one in result.taken] == [True, True]
    assert result.lives_share > 0
    assert result.caught_up_seconds.low > 0


def test_it_is_told_to_a_program_and_to_a_person_and_drawn(
    result: ReadsResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tell("reads", result, json=True)
    assert msgspec.convert(json.loads(capsys.readouterr().out), ReadsResult) == result
    tell("reads", result, json=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "The lists are what their rebuild says, and no answer reads a table of the log." in said
    pytest.importorskip("matplotlib")
    draw("reads", result, tmp_path / "reads.svg")
    assert (tmp_path / "reads.svg").exists()


def test_a_missed_bar_is_a_warning(result: ReadsResult) -> None:
    slow = msgspec.structs.replace(result.answers[0], p95=51.0)
    told = bars_missed(msgspec.structs.replace(result, answers=[slow], lives_share=0.5))
    assert any("p95 of 51 ms, the bar is 50" in said for said in told)
    assert any("50% of the lives with the projector" in said for said in told)


def test_open_lives_go_on_and_wait_in_every_way() -> None:
    stages = {stage_of(head_of(one.state)).value for one in open_templates()}
    assert stages == {"AT_UNIT", "SIGNED", "IN_REVIEW", "ASKING"}
    assert len(set(TITLES)) == len(TITLES) == 400
