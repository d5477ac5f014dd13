"""A speaker hears what came of its word: refusals, parkings, closings, on a topic of its own and by the relay alone."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from shared.cloudevents import input_headers
from shared.events import (
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintReceived,
    OrderAnswered,
    VisitScheduled,
)
from shared.inputs import CallOffered, CloseByException, RecordVisit, ReviewReturn, SignOrder, WithdrawRequest
from shared.log.codec import ce_type_of
from shared.log.relay.beside import NOT_YOURS
from shared.results import (
    CE_TYPE,
    AnsweredInput,
    InputParked,
    IntakeRefusal,
    OrderClosed,
    ReplyRefusal,
    VisitAnswerRefusal,
    WorkOrder,
)
from shared.topics import (
    DISPATCH_ORDERS,
    DISPATCH_REPLIES,
    DISPATCH_RESULTS,
    DISPATCH_REVIEWS,
    FEEDBACK_EXCEPTION_RESULTS,
    FEEDBACK_EXCEPTIONS,
    FEEDBACK_RESULTS,
    FEEDBACK_VISIT_RESULTS,
    INTAKE_REQUESTS,
    INTAKE_RESULTS,
    TELEPHONY_CALLS,
    TELEPHONY_RESULTS,
    Topic,
)
from tests.city import OTHER_UNIT, UNIT, City, until

pytestmark = pytest.mark.connected

Cities = Callable[..., Awaitable[City]]
EVERYBODY = ("intake", "dispatch", "feedback", "relay")


async def told(town: City, topic: str, kind: type[Any], *, count: int = 1) -> list[Any]:
    """So many messages of this kind on a topic, decoded strictly by the published shape; it waits for them."""
    base = CE_TYPE if kind is InputParked else ce_type_of(_fact_of(kind), 1).decode()

    async def found() -> list[Any]:
        records = [
            record
            for record in await town.messages(topic)
            if dict(record.headers)["ce_type"].decode() == base
        ]
        return records if len(records) >= count else []

    records = await until(found, within=30, what=f"{count} {kind.__name__} on {topic}", every=0.2)
    assert len({dict(record.headers)["ce_id"] for record in records}) == len(records) == count
    return [msgspec.json.decode(record.value, type=kind) for record in records]


def _fact_of(kind: type[Any]) -> str:
    return str(kind.__mro__[1].__name__)


async def dispatched(town: City, name: str, **fields: Any) -> str:
    complaint = await town.record(name, **fields)
    await town.until_fact(complaint, ComplaintDispatched, within=30)
    return complaint


async def test_a_unit_hears_its_refusal_its_parkings_and_how_its_case_was_judged(city: Cities) -> None:
    town = await city()
    await town.start(*EVERYBODY)
    at = datetime.now(UTC)
    complaint = await dispatched(town, "mine", at=at, confidential=True)
    mine, theirs = town.topic(DISPATCH_ORDERS, UNIT), town.topic(DISPATCH_ORDERS, OTHER_UNIT)

    (order,) = await told(town, mine, WorkOrder)
    assert (order.complaint_id, order.unit) == (complaint, UNIT)
    assert abs(order.received_at - at).total_seconds() < 0.001
    assert (order.confidential, order.anonymous) == (True, False)

    # The other unit answers for what is not its own; only it hears that, by the source and id it gave.
    await town.sign(complaint, OTHER_UNIT, source="/units/other", event_id="not-mine")
    (refusal,) = await told(town, theirs, ReplyRefusal)
    assert refusal.input == AnsweredInput(source="/units/other", id="not-mine")
    assert (refusal.complaint_id, refusal.unit) == (complaint, OTHER_UNIT)
    # It never had to do with it, so it does not learn whose it is; its own unit is told the reason as it stands.
    assert refusal.reason == NOT_YOURS
    assert [one.fact.reason for one in await town.facts(complaint) if one.type == "ReplyRefused"] == [
        f"the order lies with {UNIT} now"
    ]
    await town.sign(complaint, assignment=7, source="/units/mine", event_id="too-early")
    (own,) = await told(town, mine, ReplyRefusal)
    assert own.reason == "assignment 7 is over, the present one is 1"

    # Nonsense, each once, with its place and the reason, and nothing of what was sent.
    topic = town.topic(DISPATCH_REPLIES, UNIT)
    headers = input_headers(SignOrder, "/units/mine", "bad", at)
    secret = b'{"complaint_id":"%s","assignment":"13800138000"}' % complaint.encode()
    sent = [
        await town.send(topic, complaint, secret, headers),
        await town.send(topic, None, b"\xff13800138000", []),
        await town.send(topic, "x", b"{}", [("ce_source", b"/units/mine"), ("ce_id", b"\xff")]),
    ]
    parkings = {one.offset: one for one in await told(town, mine, InputParked, count=3)}
    assert sorted(parkings) == [one.offset for one in sent]
    rows = await town.parked(topic)
    assert [(row["kafka_offset"], row["reason"]) for row in rows] == [
        (offset, parkings[offset].reason) for offset in sorted(parkings)
    ]
    first, second, third = (parkings[one.offset] for one in sent)
    assert (first.topic, first.partition, first.source, first.id) == (topic, 0, "/units/mine", "bad")
    assert (first.field, first.expected) == ("assignment", "`int`")
    assert (second.source, second.id, second.field) == (msgspec.UNSET, msgspec.UNSET, "ce_specversion")
    assert (third.source, third.id) == ("/units/mine", msgspec.UNSET)
    raw = b"".join(record.value for record in await town.messages(mine))
    assert b"13800138000" not in raw

    await town.sign(complaint)
    await town.answer(complaint)
    await town.until_fact(complaint, OrderAnswered, within=30)
    await town.until_fact(complaint, VisitScheduled, within=30)
    await town.visit(complaint)
    (closed,) = await told(town, mine, OrderClosed)
    assert (closed.outcome, closed.recalled_unit) == ("SOLVED", None)
    assert (closed.judgement.complaint_id, closed.judgement.solved, closed.judgement.satisfied) == (
        complaint,
        True,
        True,
    )
    assert len(await told(town, theirs, ReplyRefusal)) == 1
    kinds = {dict(record.headers)["ce_type"] for record in await town.messages(theirs)}
    assert kinds == {b"hotline.ReplyRefused.v1"}
    await town.release(*(row["parked_id"] for row in rows))
    await town.verify()


async def test_a_unit_hears_of_an_end_without_a_judgement_once(city: Cities) -> None:
    """A citizen takes it back after the answer; another is closed by an exception while the order is open."""
    town = await city()
    await town.start(*EVERYBODY)
    answered, open_still = await dispatched(town, "answered"), await dispatched(town, "open")
    await town.sign(answered)
    await town.answer(answered)
    await town.until_fact(answered, VisitScheduled, within=30)
    await town.tell(INTAKE_REQUESTS, "answered", WithdrawRequest(request_id="answered", reason="不用了"))
    await town.tell(
        FEEDBACK_EXCEPTIONS,
        open_still,
        CloseByException(complaint_id=open_still, approved_by="督办员", reason="政策所限"),
    )
    mine = town.topic(DISPATCH_ORDERS, UNIT)
    (closed,) = await told(town, mine, OrderClosed)
    assert (closed.complaint_id, closed.recalled_unit, closed.judgement) == (open_still, UNIT, msgspec.UNSET)

    async def withdrawn() -> list[str]:
        return [
            record.key.decode()
            for record in await town.messages(mine)
            if dict(record.headers)["ce_type"] == b"hotline.ComplaintWithdrawn.v1"
        ]

    assert await until(withdrawn, within=20, what="the withdrawal told") == [answered]


async def test_everybody_else_hears_of_its_own_words_and_of_no_other(city: Cities) -> None:
    town = await city(
        extra={f"{desk}_METADATA_MAX_AGE_MS": "500" for desk in ("INTAKE", "DISPATCH", "FEEDBACK")}
    )
    await town.start(*EVERYBODY)
    web = await town.speaker(INTAKE_REQUESTS, "web")
    town.more.append(town.topic(INTAKE_RESULTS, login="web"))
    complaint = await dispatched(town, "theirs")
    at = datetime.now(UTC)
    named = {"source": "/speaker", "event_id": "refused"}

    # What is refused: a decision about nothing that was asked, a visit nobody asked for, an end after the end.
    await town.tell(
        DISPATCH_REVIEWS,
        complaint,
        ReviewReturn(complaint_id=complaint, assignment=1, approved=True, reviewer="审核员"),
        **named,
    )
    visit = RecordVisit(complaint_id=complaint, visit=9, attempt=1, solved=True, satisfied=True)
    await town.tell(FEEDBACK_VISIT_RESULTS, complaint, visit, **named)
    await told(town, town.topic(FEEDBACK_RESULTS), VisitAnswerRefusal)
    exception = CloseByException(complaint_id=complaint, approved_by="督办员", reason="政策所限")
    await town.tell(FEEDBACK_EXCEPTIONS, complaint, exception)
    await town.until_fact(complaint, ComplaintClosed, within=30)
    await town.tell(FEEDBACK_EXCEPTIONS, complaint, exception, **named)
    late = WithdrawRequest(complaint_id=complaint, reason="不用了")
    await town.tell(INTAKE_REQUESTS, complaint, late, login="web", **named)

    # What is parked.
    lines: tuple[tuple[Topic, str], ...] = (
        (TELEPHONY_CALLS, town.topic(TELEPHONY_CALLS)),
        (INTAKE_REQUESTS, town.topic(INTAKE_REQUESTS)),
        (INTAKE_REQUESTS, web),
        (DISPATCH_REVIEWS, town.topic(DISPATCH_REVIEWS)),
        (FEEDBACK_VISIT_RESULTS, town.topic(FEEDBACK_VISIT_RESULTS)),
        (FEEDBACK_EXCEPTIONS, town.topic(FEEDBACK_EXCEPTIONS)),
    )
    for line, topic in lines:
        for kind in line.inputs[:1]:
            headers = dict(input_headers(kind, "/speaker", f"parked on {topic}", at))
            await town.send(topic, "k", b"13800138000", [*headers.items()])

    heard: dict[str, type[Any] | None] = {
        town.topic(TELEPHONY_RESULTS): None,
        town.topic(INTAKE_RESULTS): None,
        town.topic(INTAKE_RESULTS, login="web"): IntakeRefusal,
        town.topic(DISPATCH_RESULTS): ReplyRefusal,
        town.topic(FEEDBACK_RESULTS): VisitAnswerRefusal,
        town.topic(FEEDBACK_EXCEPTION_RESULTS): VisitAnswerRefusal,
    }
    for (_, spoken), (topic, refusal) in zip(lines, heard.items(), strict=True):
        (parked,) = await told(town, topic, InputParked)
        assert (parked.topic, parked.source, parked.id) == (spoken, "/speaker", f"parked on {spoken}")
        if refusal is not None:
            (refused,) = await told(town, topic, refusal)
            assert refused.input == AnsweredInput(source="/speaker", id="refused")
            assert refused.complaint_id == complaint
        assert len(await town.messages(topic)) == (1 if refusal is None else 2)
    # The unit whose order it was is told nothing of what reviewers asked for.
    kinds = {
        dict(record.headers)["ce_type"] for record in await town.messages(town.topic(DISPATCH_ORDERS, UNIT))
    }
    assert kinds == {b"hotline.ComplaintDispatched.v1", b"hotline.ComplaintClosed.v1"}


async def _lives(town: City) -> bool:
    return "relay" in town.pids()


async def test_what_was_parked_and_refused_while_the_relay_was_dead_is_heard_once_it_lives(
    city: Cities,
) -> None:
    """The relay is killed again and again; a repeat has the id of the first, so each is heard as one event."""
    town = await city()
    await town.start(*EVERYBODY)
    complaint = await dispatched(town, "mine")
    mine, topic = town.topic(DISPATCH_ORDERS, UNIT), town.topic(DISPATCH_REPLIES, UNIT)
    number = 40
    for n in range(number):
        await town.send(topic, "k", b"nonsense", [("ce_source", b"/u"), ("ce_id", b"%d" % n)])
        await town.sign(complaint, assignment=7, source="/u", event_id=f"refused-{n}")
        if n % 10 == 5:
            await until(lambda: _lives(town), within=30, what="the relay back at work")
            town.signal("relay", signal.SIGKILL)
        await asyncio.sleep(0.02)

    async def all_heard() -> bool:
        seen: dict[bytes, set[bytes]] = {}
        for record in await town.messages(mine):
            headers = dict(record.headers)
            seen.setdefault(headers["ce_type"], set()).add(headers["ce_id"])
        return (len(seen.get(CE_TYPE.encode(), ())), len(seen.get(b"hotline.ReplyRefused.v1", ()))) == (
            number,
            number,
        )

    await until(all_heard, within=60, what="every parking and every refusal heard", every=0.5)
    offsets: list[int] = []
    for record in await town.messages(mine):
        if dict(record.headers)["ce_type"] == CE_TYPE.encode():
            offset = msgspec.json.decode(record.value, type=InputParked).offset
            if offset not in offsets:
                offsets.append(offset)
    assert offsets == sorted(offsets)


async def test_the_first_word_of_a_call_is_told_to_nobody(city: Cities) -> None:
    """A good event of telephony leaves nothing on its topic of results."""
    town = await city()
    await town.start("intake", "relay")
    await town.tell(TELEPHONY_CALLS, "c1", CallOffered(call_id="c1"))
    complaint = await town.record("r1")
    await town.until_fact(complaint, ComplaintReceived, within=30)
    await asyncio.sleep(1)
    for line in (TELEPHONY_RESULTS, INTAKE_RESULTS):
        assert await town.messages(town.topic(line)) == []
