"""Part `reads` at a size too small to measure anything; and the plans of its answers at a million facts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
import pytest

from deploy.embedded.stack import Addresses
from hotline.cli.bench import draw, tell
from hotline.lab.bench.asked import ASKED, answered
from hotline.lab.bench.generator import grow
from hotline.lab.bench.open_lives import TITLES, open_templates
from hotline.lab.bench.reads import ReadsResult, ReadsSize, bars_missed, run
from hotline.lab.bench.stage import BenchCity
from hotline.readside.process import take_in
from hotline.upkeep.lists import rebuild_lists
from shared.complaint import head_of, stage_of
from tests.hotline.conftest import logins_on
from tests.sources import Databases

pytestmark = [pytest.mark.connected, pytest.mark.timeout(900)]

SIZE = ReadsSize(complaints=300, calls=200, rounds=2, caught_up=200, lives=200, warm_up=100, pairs=1)
MANY: Final = 1_000_000
"""Facts of the log that has grown large, of some hundred thousand complaints."""
TOUCHED_MAX: Final = 3000
"""Rows that one node of an answer may read: two thousand newest complaints are looked through, each in two tables."""
OF_MANY: Final = {"calls and messages of a day", "candidates of a year", "counts by stage and unit"}
"""Answers over a day's calls or a year's sums: they read as many rows as the day has, or the sums, and no more."""


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


async def test_at_a_million_facts_no_question_reads_more_than_it_is_about(
    stack: Addresses, databases: Databases
) -> None:
    name = await databases.make()
    owner = await asyncpg.connect(stack.database(name))
    try:
        grown = await grow(stack.database(name), MANY, open_of_ten=4)
        logins = await logins_on(stack.database(name))
        await take_in(logins["projector"])
        await owner.execute("ANALYZE")
        answers = await answered(logins["reader"], stack.database(name), 3, lives=grown.lives)
        for one in answers:
            assert one.scans == [], one
            if one.question not in OF_MANY:
                assert one.touched <= TOUCHED_MAX, one
        done = await rebuild_lists(logins["operator"])
        assert (done.removed, done.added) == (0, 0)
    finally:
        await owner.close()
        await databases.drop(name)
