"""The log that is grown for measuring is one the desks could have written: verify finds nothing in it."""

from __future__ import annotations

import asyncpg
import pytest

from hotline.audit.verify import verify
from hotline.lab.bench.generator import CHUNK, grow, lives_of
from hotline.lab.bench.templates import FRACTION_MAX, led, request_of, sources, templates
from shared.complaint import head_text
from tests.hotline.conftest import Desks
from tests.hotline.test_verify import unlocked


@pytest.mark.parametrize("fraction", [1, 100_000, 271_829, FRACTION_MAX - 1])
def test_a_derived_life_is_to_the_byte_what_the_rules_say_of_its_request(fraction: int) -> None:
    for number, (template, (story, start, catalogue, target)) in enumerate(
        zip(templates(), sources(), strict=True)
    ):
        rows, state = template.told_of(number, fraction)
        life = led(story, start, request_of(number), fraction, catalogue, target)
        assert [row.body for row in rows] == [said.body for said in life.facts]
        assert [(row.type, row.actor, row.schema_version) for row in rows] == [
            (said.name, said.desk, said.schema) for said in life.facts
        ]
        assert state == head_text(life.case)


def test_there_are_at_least_as_many_facts_as_are_asked_for() -> None:
    sizes = [len(template.facts) for template in templates()]
    for facts in (1, 8, 5000, sum(sizes), 3 * sum(sizes) + 1):
        lives = lives_of(facts)
        for first in (0, 7, 40):  # wherever in the round of templates it begins
            assert sum(sizes[(first + number) % len(sizes)] for number in range(lives)) >= facts


@pytest.mark.connected
async def test_a_grown_log_verifies_and_a_changed_byte_in_it_is_found(desks: Desks) -> None:
    grown = await grow(desks.dsn, 2 * CHUNK * 9)
    report = await verify(desks.dsn)
    assert report.problems == []
    assert (report.complaints, report.facts, report.open, report.timers) == (grown.lives, grown.facts, 0, 0)
    assert {"SOLVED", "UNREACHED", "ComplaintWithdrawn", "ComplaintAnsweredDirectly"} <= set(report.ended)
    assert {"ReturnApproved", "ComplaintReopened", "SignLimitMissed", "AnswerLimitMissed"} <= set(
        report.by_type
    )
    assert report.drained  # a relay that starts now sends none of it
    assert await desks.owner.fetchval("SELECT max(position) - min(position) + 1 FROM es.event") == grown.facts
    side_by_side = await desks.owner.fetchval(
        "SELECT count(*) FROM es.event a JOIN es.event b USING (stream_id) WHERE b.position = a.position + 1"
    )
    assert side_by_side < grown.facts / 100

    more = await grow(desks.dsn, 100, first=grown.lives, processes=1)
    report = await verify(desks.dsn)
    assert (report.problems, report.facts) == ([], grown.facts + more.facts)
    with pytest.raises(asyncpg.UniqueViolationError):
        await grow(desks.dsn, 100, first=grown.lives, processes=1)

    stream = await desks.owner.fetchval("SELECT stream_id FROM es.stream ORDER BY 1 OFFSET 1000 LIMIT 1")
    await unlocked(
        desks,
        "UPDATE es.event SET body = set_byte(body, length(body) - 3, get_byte(body, length(body) - 3) # 1)"
        " WHERE stream_id = $1 AND version = 2",
        stream,
    )
    problems = (await verify(desks.dsn)).problems
    assert {problem.complaint_id for problem in problems} == {str(stream)}
    assert any("the hash does not follow" in problem.what for problem in problems)
