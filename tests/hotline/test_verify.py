"""A true log is found true; whatever one thing in it is changed, verify names it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace as changed

from hotline.audit.digest import digest
from hotline.audit.report import PROBLEMS_MAX, Report
from hotline.audit.verify import _slices, verify
from hotline.lab.rehearsal.stage import verified
from hotline.readside.process import take_in
from services.intake.decisions.recording import AskedToRecord
from shared.complaint import Complaint, head_of, head_text
from shared.events import DeskName, RequestType
from shared.ids import ComplaintId, complaint_id
from shared.log.codec import decoded, encoded
from tests import examples as eg
from tests.city import City
from tests.examples import DAY, HOUR, MINUTE, told
from tests.hotline.conftest import Desks, typed
from tests.present import present_is
from tests.spec import case_of

pytestmark = pytest.mark.connected

REQUESTS = [f"verify-{number}" for number in range(6)]
SOLVED, UNSOLVED, ON_THE_SPOT, WITHDRAWN, LATE, RETURNED = (complaint_id(name) for name in REQUESTS)
NOW = eg.CALLED_AT + 30 * HOUR
"""Past the limit for signing, before the one for the answer."""


def recorded_twice(name: str) -> AskedToRecord:
    """The record of a second operator, of the call of the example."""
    first = case_of((eg.RECEIVED, eg.CLASSIFIED))
    assert isinstance(first, Complaint)
    request = changed(eg.REQUEST, request_id=name)
    return told(eg.RECORD, complaint_id=complaint_id(name), command=request, seen={first.complaint_id: first})


async def several_lives(desks: Desks, ids: list[ComplaintId] | None = None) -> None:
    """Six complaints: solved, not solved and open again, answered on the spot, withdrawn, late, returned."""
    recorded = {
        identity: told(
            eg.RECORD, complaint_id=identity, command=changed(eg.REQUEST, request_id=request, call_id=None)
        )
        for identity, request in zip(
            (SOLVED, UNSOLVED, ON_THE_SPOT, WITHDRAWN, LATE, RETURNED), REQUESTS, strict=True
        )
    }
    recorded[ON_THE_SPOT] = told(
        recorded[ON_THE_SPOT],
        command=changed(recorded[ON_THE_SPOT].command, request_type=RequestType.CONSULT, article_id="KB-1"),
    )
    await desks.tell(*(recorded[identity] for identity in ids or list(recorded)))
    await desks.tell(told(eg.RETURN, complaint_id=RETURNED))
    await desks.tell(
        *(told(eg.SIGN, complaint_id=identity) for identity in (SOLVED, UNSOLVED, WITHDRAWN)),
        told(eg.REVIEW, complaint_id=RETURNED),
    )
    await desks.tell(
        *(told(eg.ANSWER, complaint_id=identity) for identity in (SOLVED, UNSOLVED)),
        told(eg.ANSWER, complaint_id=RETURNED),  # by the former unit: refused
        told(eg.WITHDRAW, complaint_id=WITHDRAWN),
    )
    await desks.tell(
        told(eg.RECORD_VISIT, complaint_id=SOLVED),
        told(eg.RECORD_VISIT, complaint_id=UNSOLVED, solved=False),
    )
    await desks.owner.execute(present_is(NOW))
    await desks.tick(NOW)


async def drain(desks: Desks) -> None:
    """As after a relay that has sent all there is."""
    await desks.owner.execute("UPDATE es.relay SET snap_a = pg_current_snapshot(), snap_b = NULL")


def said_of(report: Report, identity: str) -> list[str]:
    return [problem.what for problem in report.problems if problem.complaint_id == identity]


async def test_a_true_log_is_found_true_and_counted(desks: Desks) -> None:
    await several_lives(desks)
    report = await verify(desks.dsn)
    assert report.problems == []
    assert report.problem_count == 0
    assert report.compared == ["heads", "timers"]
    assert (report.complaints, report.open) == (6, 3)
    assert report.ended == {"SOLVED": 1, "ComplaintAnsweredDirectly": 1, "ComplaintWithdrawn": 1}
    assert report.facts == await desks.owner.fetchval("SELECT count(*) FROM es.event")
    assert report.facts == sum(report.by_type.values())
    assert report.refusals == report.by_type["ReplyRefused"] == 1
    assert report.by_type["SignLimitMissed"] == 2  # nobody signed, and the unit it was returned to
    assert report.waiting_for == {"unit": 3}
    assert report.waiting_with_deadline == 3
    assert report.timers == await desks.owner.fetchval("SELECT count(*) FROM es.timer")
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


async def test_an_empty_log_is_true(database: str) -> None:
    report = await verify(database)
    assert (report.problems, report.complaints, report.facts) == ([], 0, 0)


async def test_a_log_longer_than_a_page_is_put_together_right(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await several_lives(desks)
    whole = await verify(desks.dsn)
    for page in (1, 2, 3, 7):
        monkeypatch.setattr("hotline.audit.lives.PAGE", page)
        paged = await verify(desks.dsn)
        paged.seconds = whole.seconds
        assert paged == whole


async def test_a_long_log_is_judged_in_slices_by_several_processes_with_the_same_result(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await several_lives(desks)
    broken = [await a_byte_of_a_body(desks), await no_head(desks), await a_timer_of_nobody(desks)]
    whole = await verify(desks.dsn)
    assert {problem.complaint_id for problem in whole.problems} == set(broken)
    monkeypatch.setattr("hotline.audit.verify.ALONE", 5)
    monkeypatch.setattr("hotline.audit.verify.SLICE", 5)
    sliced = await verify(desks.dsn)
    sliced.seconds = whole.seconds
    for report in (whole, sliced):  # a timer of nobody is named with the page it lies beside
        report.problems.sort(key=lambda problem: (problem.complaint_id, problem.what))
    assert sliced == whole


async def test_every_id_there_can_be_lies_in_one_slice() -> None:
    for count in (1, 2, 3, 7, 500):
        slices = _slices(count)
        assert (slices[0][0].int, slices[-1][1].int, len(slices)) == (0, 2**128 - 1, count)
        assert all(last.int + 1 == first.int for (_, last), (first, _) in pairwise(slices))


async def test_a_process_that_judges_and_fails_is_not_passed_over(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await several_lives(desks)
    monkeypatch.setattr("hotline.audit.verify.ALONE", 5)
    monkeypatch.setattr("hotline.audit.verify.SLICE", 5)
    monkeypatch.setattr("hotline.audit.lives._FACTS", "SELECT 1")  # not in the other processes
    assert (await verify(desks.dsn)).facts > 0
    await desks.owner.execute("ALTER TABLE es.timer RENAME COLUMN due_at TO due")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await verify(desks.dsn)


Breaks = Callable[[Desks], Awaitable[str]]
"""Changes one thing and says of which complaint."""


async def a_byte_of_a_body(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "OrderAnswered")
    body = row["body"].replace(b'"claims_solved":true', b'"claims_solved":false')
    await unlocked(desks, "UPDATE es.event SET body = $2 WHERE position = $1", row["position"], body)
    return SOLVED


async def a_body_that_is_no_json(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "OrderAnswered")
    await unlocked(desks, "UPDATE es.event SET body = $2 WHERE position = $1", row["position"], b"{")
    return SOLVED


async def a_fact_in_the_middle_gone(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "OrderSigned")
    await unlocked(desks, "DELETE FROM es.event WHERE position = $1", row["position"])
    return SOLVED


async def the_last_fact_gone(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "ComplaintClosed")
    await unlocked(desks, "DELETE FROM es.event WHERE position = $1", row["position"])
    return SOLVED


async def all_facts_gone(desks: Desks) -> str:
    await unlocked(desks, "DELETE FROM es.event WHERE stream_id = $1", SOLVED)
    return SOLVED


async def a_fact_of_an_unknown_type(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "OrderSigned")
    await unlocked(desks, "UPDATE es.event SET type = 'OrderPainted' WHERE position = $1", row["position"])
    return SOLVED


async def another_desk_spoke(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "ComplaintClosed")
    await unlocked(desks, "UPDATE es.event SET actor = 'dispatch' WHERE position = $1", row["position"])
    return SOLVED


async def another_time_in_the_row(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "OrderSigned")
    await unlocked(
        desks,
        "UPDATE es.event SET occurred_at = occurred_at + interval '1 hour' WHERE position = $1",
        row["position"],
    )
    return SOLVED


async def positions_out_of_order(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "OrderSigned")
    await unlocked(desks, "UPDATE es.event SET position = 1000000 WHERE position = $1", row["position"])
    return SOLVED


async def a_decision_written_twice(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "OrderSigned")
    await unlocked(
        desks,
        "UPDATE es.event SET event_id = $2 WHERE stream_id = $1 AND type = 'OrderAnswered'",
        SOLVED,
        row["event_id"],
    )
    return SOLVED


async def a_head_swapped_with_another(desks: Desks) -> str:
    await desks.owner.execute(
        "UPDATE es.stream s SET state = o.state FROM es.stream o WHERE s.stream_id = $1 AND o.stream_id = $2",
        SOLVED,
        UNSOLVED,
    )
    return SOLVED


async def a_head_with_one_word_changed(desks: Desks) -> str:
    state = await desks.owner.fetchval("SELECT state FROM es.stream WHERE stream_id = $1", LATE)
    await desks.owner.execute(
        "UPDATE es.stream SET state = $2 WHERE stream_id = $1",
        LATE,
        head_text(changed(head_of(state), returns=1)),
    )
    return LATE


async def a_head_of_another_version(desks: Desks) -> str:
    await desks.owner.execute("UPDATE es.stream SET version = version + 1 WHERE stream_id = $1", LATE)
    return LATE


async def a_head_of_another_hash(desks: Desks) -> str:
    await desks.owner.execute("UPDATE es.stream SET head_hash = $2 WHERE stream_id = $1", LATE, bytes(32))
    return LATE


async def no_head(desks: Desks) -> str:
    await desks.owner.execute("DELETE FROM es.stream WHERE stream_id = $1", LATE)
    return LATE


async def a_timer_gone(desks: Desks) -> str:
    await desks.owner.execute("DELETE FROM es.timer WHERE stream_id = $1 AND kind = 2", LATE)
    return LATE


async def a_timer_too_many(desks: Desks) -> str:
    await desks.owner.execute("INSERT INTO es.timer VALUES ($1, 1, 0, $2)", SOLVED, eg.DUE_AT)
    return SOLVED


async def a_timer_of_nobody(desks: Desks) -> str:
    nobody = complaint_id("nobody")
    await desks.owner.execute("INSERT INTO es.timer VALUES ($1, 1, 0, $2)", nobody, eg.DUE_AT)
    return nobody


async def a_timer_moved(desks: Desks) -> str:
    await desks.owner.execute(
        "UPDATE es.timer SET due_at = due_at + interval '1 hour' WHERE stream_id = $1 AND kind = 2", LATE
    )
    return LATE


async def a_timer_in_another_shard(desks: Desks) -> str:
    await desks.owner.execute(
        "UPDATE es.timer SET shard = (shard + 1) % 4 WHERE stream_id = $1 AND kind = 2", LATE
    )
    return LATE


async def a_cause_that_comes_later(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "ComplaintClosed")
    await unlocked(
        desks,
        "UPDATE es.event SET caused_by = $2 WHERE stream_id = $1 AND type = 'OrderSigned'",
        SOLVED,
        str(row["event_id"]),
    )
    return SOLVED


async def no_cause(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "OrderSigned")
    await unlocked(desks, "UPDATE es.event SET caused_by = '' WHERE position = $1", row["position"])
    return SOLVED


async def a_reaction_before_its_cause(desks: Desks) -> str:
    row = await fact(desks, SOLVED, "ComplaintDispatched")
    await unlocked(
        desks,
        "UPDATE es.event SET occurred_at = occurred_at - interval '1 second' WHERE position = $1",
        row["position"],
    )
    return SOLVED


BREAKS: list[tuple[Breaks, tuple[str, ...]]] = [
    (a_byte_of_a_body, ("the hash does not follow",)),
    (a_body_that_is_no_json, ("the hash does not follow", "cannot be read", "the head's state")),
    (a_fact_in_the_middle_gone, ("(OrderAnswered): follows version 3", "the hash does not follow")),
    (the_last_fact_gone, ("the life stops short: VisitMade must", "the head stands at version")),
    (all_facts_gone, ("a head without a fact",)),
    (a_fact_of_an_unknown_type, ("'OrderPainted' version 1 is not known here",)),
    (another_desk_spoke, ("(ComplaintClosed): stated by dispatch, only feedback may",)),
    (another_time_in_the_row, ("the row's time is not the fact's own",)),
    (a_cause_that_comes_later, ("(OrderSigned): is caused by itself or by a fact after it",)),
    (no_cause, ("(OrderSigned): nothing caused it",)),
    (a_reaction_before_its_cause, ("(ComplaintDispatched): is earlier than the fact that caused it",)),
    (positions_out_of_order, ("(OrderAnswered): lies before the version it follows",)),
    (a_decision_written_twice, ("(OrderAnswered): the same decision was written twice",)),
    (a_head_swapped_with_another, ("the head's state is not what the facts add up to",)),
    (a_head_with_one_word_changed, ("the head's state is not what the facts add up to",)),
    (a_head_of_another_version, ("the head stands at version",)),
    (a_head_of_another_hash, ("the head's hash is not that of the last fact",)),
    (no_head, ("facts without a head",)),
    (a_timer_gone, ("timer ANSWER: none is set",)),
    (a_timer_too_many, ("timer SIGN: the facts ask for none",)),
    (a_timer_of_nobody, ("a timer of a complaint that nothing is known of",)),
    (a_timer_moved, ("timer ANSWER: set to",)),
    (a_timer_in_another_shard, ("timer ANSWER: in shard",)),
]


@pytest.mark.parametrize(("breaks", "wanted"), BREAKS, ids=[row[0].__name__ for row in BREAKS])
async def test_verify_names_what_was_changed(desks: Desks, breaks: Breaks, wanted: tuple[str, ...]) -> None:
    await several_lives(desks)
    broken = await breaks(desks)
    report = await verify(desks.dsn)
    said = said_of(report, broken)
    for words in wanted:
        assert any(words in what for what in said), said
    assert {problem.complaint_id for problem in report.problems} == {broken}


async def test_a_forged_fact_with_a_right_chain_is_an_illegal_life(desks: Desks) -> None:
    """Whoever can write the log can also chain it; the life itself gives the forgery away."""
    await several_lives(desks)
    await desks.tell(told(eg.SIGN, complaint_id=LATE, at=NOW))
    await desks.forge(DeskName.DISPATCH, changed(eg.SIGNED, complaint_id=LATE, signed_at=NOW + MINUTE))
    report = await verify(desks.dsn)
    assert [problem.what.partition(": ")[2] for problem in report.problems] == ["the order is signed already"]


async def test_a_timer_that_should_have_fired_is_named_once_it_had_its_time(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hotline.audit.verify.FIRES_WITHIN", timedelta(seconds=0.3))
    await several_lives(desks)
    await desks.owner.execute(present_is(eg.DUE_AT))
    assert said_of(await verify(desks.dsn), LATE) == [
        f"timer ANSWER: due at {eg.DUE_AT - 2 * DAY}, not fired",
        f"timer LADDER: due at {eg.SIGN_DUE_AT + DAY}, not fired",
    ]
    await desks.tick(eg.DUE_AT)
    assert (await verify(desks.dsn)).problems == []


async def test_a_timer_that_fires_meanwhile_is_no_problem(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hotline.audit.verify.FIRES_WITHIN", timedelta(minutes=2))
    await several_lives(desks)
    await desks.owner.execute(present_is(eg.DUE_AT))
    reading = asyncio.ensure_future(verify(desks.dsn))
    await desks.tick(eg.DUE_AT)
    assert (await reading).problems == []


async def test_a_complaint_that_waits_for_a_desk_in_vain_is_named(
    desks: Desks, city: Callable[..., Awaitable[City]]
) -> None:
    """Kafka is asked how far the log reaches: the city has topics, and nobody has sent anything."""
    town = await city()
    await several_lives(desks)
    kafka, prefix = town.endpoints.kafka, town.endpoints.prefix
    nobody_hears = told(
        eg.RECORD,
        ruleset="boston-311-2011",  # no limit for dispatch, which would have passed long ago
        complaint_id=complaint_id("q"),
        command=changed(eg.REQUEST, request_id="q", given_due_at=eg.DUE_AT),
    )
    await desks.tell_unheard(nobody_hears)
    assert (
        await verify(desks.dsn, kafka=kafka, prefix=prefix)
    ).problems == []  # the relay has still to send it
    await drain(desks)
    report = await verify(desks.dsn, kafka=kafka, prefix=prefix)
    assert report.heard == {"dispatch": True, "feedback": True}
    assert report.waiting_for["dispatch"] == 1
    assert said_of(report, complaint_id("q")) == [
        "waits for dispatch to write the order, which has heard all there is"
    ]
    await desks.owner.execute(
        "INSERT INTO es.parked"
        " (consumer, topic, part, kafka_offset, sent_at_ms, headers, complaint_id, reason)"
        " VALUES ('dispatch', 'complaints.log', 0, 0, 0, '[]', $1, 'cannot be decided')",
        complaint_id("q"),
    )
    report = await verify(desks.dsn, kafka=kafka, prefix=prefix)
    assert report.problems == []
    assert (report.parked, report.waiting_for["operator"]) == (1, 1)


async def test_a_desk_that_has_taken_more_than_was_ever_sent_is_named(
    desks: Desks, city: Callable[..., Awaitable[City]]
) -> None:
    town = await city()
    topic = town.endpoints.prefix + "complaints.log"
    await desks.owner.execute(
        "INSERT INTO es.consumer_offset (consumer, topic, part, next_offset) VALUES ('dispatch', $1, 0, 7)",
        topic,
    )
    report = await verify(desks.dsn, kafka=town.endpoints.kafka, prefix=town.endpoints.prefix)
    lost = "has taken 7 messages, Kafka holds 0: the topic was made anew or has lost some"
    assert [problem.what for problem in report.problems] == [f"dispatch in {topic}/0: {lost}"]
    await desks.owner.execute("UPDATE es.consumer_offset SET next_offset = 0, mark_batch = 9")
    report = await verify(desks.dsn)
    assert [problem.what for problem in report.problems] == [
        f"dispatch in {topic}/0: has the relay's mark of a fact that was never sent"
    ]


async def test_a_rehearsal_that_has_ended_owes_nobody_a_message(
    city: Callable[..., Awaitable[City]],
) -> None:
    town = await city(units=tuple(eg.CATALOGUE.units))
    await take_in(town.endpoints.login("projector"))
    assert (await verified(town.endpoints, eg.CATALOGUE)).problems == []
    await town.review(eg.ID)  # and no desk runs that could take it in
    report = await verified(town.endpoints, eg.CATALOGUE)
    assert [problem.what for problem in report.problems] == [
        "the rehearsal has ended, and dispatch has still to take in 1 of its messages"
    ]


async def test_problems_are_listed_up_to_a_bound_and_all_counted(desks: Desks) -> None:
    await several_lives(desks)
    await desks.owner.executemany(
        "INSERT INTO es.timer VALUES ($1, 1, 0, $2)",
        [(complaint_id(f"nobody-{number}"), eg.DUE_AT) for number in range(PROBLEMS_MAX + 20)],
    )
    report = await verify(desks.dsn)
    assert (len(report.problems), report.problem_count) == (PROBLEMS_MAX, PROBLEMS_MAX + 20)


# -- the command


async def test_hotline_verify_says_all_holds_or_ends_with_1_and_the_list(
    desks: Desks, city_here: None
) -> None:
    await several_lives(desks)
    right = await typed("verify")
    assert right.exit_code == 0, right.output
    assert "All holds" in right.output
    assert f"digest of all facts: {await digest(desks.dsn)}" in right.output

    await no_head(desks)
    wrong = await typed("verify")
    assert wrong.exit_code == 1
    assert "1 problem\n" in wrong.output
    assert f"{LATE}  facts without a head" in wrong.output

    told = await typed("verify", "--json")
    assert told.exit_code == 1
    said = msgspec.json.decode(told.stdout)
    assert said["digest"] == await digest(desks.dsn)
    assert said["report"]["problems"] == [{"complaint_id": LATE, "what": "facts without a head"}]
    assert said["report"]["problem_count"] == 1


# -- the digest


async def test_the_same_facts_give_the_same_digest_in_any_order_and_however_late(
    desks: Desks, other_desks: Desks
) -> None:
    await several_lives(desks)
    await other_desks.tell(
        told(
            eg.RECORD,
            complaint_id=RETURNED,
            command=changed(eg.REQUEST, request_id=REQUESTS[5], call_id=None),
        )
    )
    await several_lives(other_desks, [LATE, WITHDRAWN, ON_THE_SPOT, UNSOLVED, SOLVED])
    assert await positions(desks) != await positions(other_desks)
    assert await digest(desks.dsn) == await digest(other_desks.dsn)


async def test_when_a_miss_was_noticed_is_not_in_the_digest_and_everything_else_is(desks: Desks) -> None:
    await several_lives(desks)
    known = await digest(desks.dsn)

    async def with_changed(name: str, **fields: object) -> str:
        row = await fact(desks, LATE, name)
        body = encoded(changed(decoded(name, 1, row["body"]), **fields))
        await unlocked(desks, "UPDATE es.event SET body = $2 WHERE position = $1", row["position"], body)
        told = await digest(desks.dsn)
        await unlocked(
            desks, "UPDATE es.event SET body = $2 WHERE position = $1", row["position"], row["body"]
        )
        return told

    assert await with_changed("SignLimitMissed", noticed_at=eg.DUE_AT) == known
    assert await with_changed("ComplaintEscalated", noticed_at=eg.DUE_AT) == known
    assert await with_changed("SignLimitMissed", due_at=eg.DUE_AT) != known
    assert await with_changed("ComplaintDispatched", unit=eg.WATER) != known
    row = await fact(desks, LATE, "ComplaintDispatched")
    await unlocked(
        desks, "UPDATE es.event SET recorded_at = now(), caused_by = 'x' WHERE position = $1", row["position"]
    )
    assert await digest(desks.dsn) == known
    await unlocked(desks, "DELETE FROM es.event WHERE position = $1", row["position"])
    assert await digest(desks.dsn) != known
    await unlocked(desks, "DELETE FROM es.event WHERE stream_id = $1", SOLVED)
    assert await digest(desks.dsn) != known


# -- helpers


async def fact(desks: Desks, identity: ComplaintId, name: str) -> asyncpg.Record:
    """The first fact of this type in a life."""
    row: asyncpg.Record | None = await desks.owner.fetchrow(
        "SELECT * FROM es.event WHERE stream_id = $1 AND type = $2 ORDER BY version", identity, name
    )
    assert row is not None
    return row


async def positions(desks: Desks) -> list[tuple[int, str]]:
    return [
        tuple(row) for row in await desks.owner.fetch("SELECT position, stream_id FROM es.event ORDER BY 1")
    ]


async def unlocked(desks: Desks, statement: str, *arguments: object) -> None:
    """What only the owner of the schema can do, with the lock on the log taken off."""
    async with desks.owner.transaction():
        await desks.owner.execute("ALTER TABLE es.event DISABLE TRIGGER USER")
        await desks.owner.execute(statement, *arguments)
        await desks.owner.execute("ALTER TABLE es.event ENABLE TRIGGER USER")
