"""Two who act on one complaint at the same instant, through the running city: one wins, the other is told why."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer

from shared.events import (
    ComplaintClassified,
    ComplaintClosed,
    ComplaintDispatched,
    ComplaintWithdrawn,
    OrderAnswered,
    ReplyRefused,
    ReturnRequested,
    VisitScheduled,
)
from shared.ids import ComplaintId
from shared.inputs import AssignOrder, WithdrawRequest
from shared.runtime import kafka_address
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES, INTAKE_REQUESTS
from tests.city import DISTRICT_UNIT, OTHER_UNIT, UNIT, City, until

pytestmark = pytest.mark.connected

BEGUN = ["ComplaintReceived", "ComplaintClassified", "ComplaintDispatched"]


async def _dispatched(town: City, mark: str, count: int) -> list[ComplaintId]:
    """Complaints that lie with their unit."""
    streams = list(await asyncio.gather(*(town.record(f"{mark}-{number}") for number in range(count))))
    await _until_all(town, streams, ComplaintDispatched.__name__)
    return streams


async def _until_all(
    town: City, streams: Sequence[str], kind: str, *, each: int = 1, within: float = 15.0
) -> None:
    statement = (
        "SELECT count(*) FROM (SELECT stream_id FROM es.event WHERE type = $1 AND stream_id = ANY ($2::text[]::uuid[])"
        " GROUP BY 1 HAVING count(*) >= $3) AS s"
    )

    async def all_there() -> bool:
        return bool(await town.value(statement, kind, list(streams), each) == len(streams))

    await until(all_there, within=within, what=f"{kind} in {len(streams)} lives")


async def test_of_two_answers_to_one_order_the_first_counts_and_the_second_is_refused(town: City) -> None:
    streams = await _dispatched(town, "two answers", 20)
    await asyncio.gather(
        *(town.answer(stream, result=result) for stream in streams for result in ("修好了", "也修好了"))
    )
    await _until_all(town, streams, ReplyRefused.__name__)
    await _until_all(town, streams, VisitScheduled.__name__)
    for stream in streams:
        story = Counter(await town.story(stream))
        assert (story["OrderAnswered"], story["ReplyRefused"], story["VisitScheduled"]) == (1, 1, 1)
        refused = next(told.fact for told in await town.facts(stream) if told.type == "ReplyRefused")
        assert (refused.unit, refused.asked, refused.reason) == (UNIT, "answer", "the order is answered")


async def test_of_a_signature_and_a_return_of_one_order_one_wins(town: City) -> None:
    """T4: both are on record whatever comes first, and never both in force."""
    streams = await _dispatched(town, "sign or return", 20)
    await asyncio.gather(
        *(
            act(stream)
            for number, stream in enumerate(streams)
            for act in ((town.sign, town.ask_return) if number % 2 else (town.ask_return, town.sign))
        )
    )
    await _until_all(town, streams, ReplyRefused.__name__)
    won = Counter()
    for stream in streams:
        story = await town.story(stream)
        assert story[:3] == BEGUN
        assert sorted(story[3:]) in (["OrderSigned", "ReplyRefused"], ["ReplyRefused", "ReturnRequested"])
        won[story[3]] += 1
    assert set(won) == {"OrderSigned", "ReturnRequested"}


async def test_a_withdrawal_and_an_answer_at_once_are_put_in_one_order_by_two_desks(town: City) -> None:
    """Intake and dispatch write the same complaint at the same time; neither loses the other's fact."""
    streams = await _dispatched(town, "withdrawn or answered", 60)

    async def withdraw(number: int) -> None:
        request_id = f"withdrawn or answered-{number}"
        await town.tell(INTAKE_REQUESTS, request_id, WithdrawRequest(request_id=request_id))

    await asyncio.gather(
        *(act for number, stream in enumerate(streams) for act in (withdraw(number), town.answer(stream)))
    )
    await _until_all(town, streams, ComplaintWithdrawn.__name__)
    await town.settled()
    for stream in streams:
        story = await town.story(stream)
        after = [kind for kind in story[3:] if kind != VisitScheduled.__name__]
        assert after in (["ComplaintWithdrawn", "ReplyRefused"], ["OrderAnswered", "ComplaintWithdrawn"])
        assert story[-1] in {"ComplaintWithdrawn", "ReplyRefused"}
    assert not {str(row["complaint_id"]) for row in await town.parked()} & set(streams)


async def test_a_former_unit_is_refused_after_its_order_went_to_another(town: City) -> None:
    """T2, by every way it could speak: with its old assignment, with the new one, signing, answering, returning."""
    stream = (await _dispatched(town, "former", 1))[0]
    await town.ask_return(stream)
    await town.until_fact(stream, ReturnRequested)
    await town.review(stream)
    again = await town.until_fact(stream, ComplaintDispatched, count=2)
    assert (again.fact.unit, again.fact.assignment) == (OTHER_UNIT, 2)
    first = next(told.fact for told in await town.facts(stream) if told.type == "ComplaintDispatched")
    assert again.fact.citizen_due_at == first.citizen_due_at  # T10: a return moves no limit

    for assignment in (1, 2):
        await town.sign(stream, assignment=assignment)
        await town.answer(stream, assignment=assignment)
        await town.ask_return(stream, assignment=assignment)
    await town.until_fact(stream, ReplyRefused, count=6)
    refusals = [told.fact for told in await town.facts(stream) if told.type == "ReplyRefused"]
    assert {refusal.reason for refusal in refusals} == {f"the order lies with {OTHER_UNIT} now"}
    assert Counter(refusal.asked for refusal in refusals) == {"sign": 2, "answer": 2, "return": 2}

    await town.answer(stream, unit=OTHER_UNIT, assignment=1)  # the new unit, with a number that is over
    await town.answer(stream, unit=OTHER_UNIT, assignment=2)
    answered = await town.until_fact(stream, OrderAnswered)
    assert (answered.fact.unit, answered.fact.assignment) == (OTHER_UNIT, 2)
    assert Counter(await town.story(stream))["ReplyRefused"] == 7
    await town.until_fact(stream, VisitScheduled)
    await town.visit(stream)
    await town.until_fact(stream, ComplaintClosed)


async def test_each_unit_hears_of_its_own_orders_and_of_no_others(town: City) -> None:
    stream = (await _dispatched(town, "own orders", 1))[0]
    await town.ask_return(stream)
    await town.until_fact(stream, ReturnRequested)
    await town.review(stream)
    await town.until_fact(stream, ComplaintDispatched, count=2)
    await town.settled()

    async def heard(unit: str) -> list[str]:
        records = await town.messages(town.topic(DISPATCH_ORDERS, unit))
        return [dict(r.headers)["ce_type"].decode() for r in records if r.key.decode() == stream]

    assert await heard(UNIT) == ["hotline.ComplaintDispatched.v1", "hotline.ReturnApproved.v1"]
    assert await heard(OTHER_UNIT) == ["hotline.ComplaintDispatched.v1"]
    assert await heard(DISTRICT_UNIT) == []


# -- create, then act at once

LIVES = 1000


@pytest.fixture
async def orders(town: City) -> AsyncIterator[AIOKafkaConsumer]:
    """The orders of one unit, from now on."""
    consumer = AIOKafkaConsumer(
        town.topic(DISPATCH_ORDERS, "waterworks"),
        **kafka_address.aiokafka(town.endpoints.kafka),
        group_id=None,
        auto_offset_reset="latest",
        fetch_max_wait_ms=10,
    )
    await consumer.start()
    await consumer.seek_to_end()
    for tp in consumer.assignment():
        await consumer.position(tp)
    try:
        yield consumer
    finally:
        await consumer.stop()


async def test_a_unit_that_acts_the_instant_it_sees_an_order_is_never_too_early(
    town: City, orders: AIOKafkaConsumer, measured: Callable[[str], None]
) -> None:
    """A thousand orders, each signed and answered at once: nothing is refused, parked or tried a second time."""
    parked_before = len(await town.parked())
    began = time.monotonic()
    streams = {
        await stream
        for stream in [
            asyncio.create_task(town.record(f"at-once-{number}", subject="水费")) for number in range(LIVES)
        ]
    }

    assert await _act_on_sight(town, orders, LIVES) == streams
    await _until_all(town, sorted(streams), "VisitScheduled", within=30)
    measured(
        f"races: {LIVES} orders signed and answered at once, visits asked for after {time.monotonic() - began:.1f} s"
    )
    await _nothing_refused(town, streams)
    assert len(await town.parked()) == parked_before


async def test_a_group_that_changes_hands_again_and_again_keeps_every_reply_and_its_order(
    town: City, orders: AIOKafkaConsumer
) -> None:
    """A stranger joins dispatch's group and leaves it without reading, while units sign and answer."""
    count = 400
    over = asyncio.Event()
    joined = 0

    async def disturb() -> None:
        nonlocal joined
        while not over.is_set():
            stranger = AIOKafkaConsumer(
                **kafka_address.aiokafka(town.endpoints.kafka),
                group_id=f"{town.endpoints.prefix}dispatch.replies",
                enable_auto_commit=False,
            )
            stranger.subscribe(pattern=re.escape(town.topic(DISPATCH_REPLIES, "")) + ".*")
            try:
                await stranger.start()
                joined += 1
                await asyncio.sleep(0.1)
            finally:
                await stranger.stop()

    async def record(number: int) -> ComplaintId:
        await asyncio.sleep(number * 0.015)
        return await town.record(f"changing-hands-{number}", subject="水费")

    disturbing = asyncio.create_task(disturb())
    try:
        recording = [asyncio.create_task(record(number)) for number in range(count)]
        seen = await _act_on_sight(town, orders, count)
        streams = set(await asyncio.gather(*recording))
    finally:
        over.set()
        await disturbing
    assert seen == streams
    assert joined > 1
    await _until_all(town, sorted(streams), "VisitScheduled", within=30)
    await _nothing_refused(town, streams)


async def _act_on_sight(town: City, orders: AIOKafkaConsumer, count: int) -> set[str]:
    """Sign and answer each of so many orders as soon as it is seen; the complaints they were about."""

    async def sign_and_answer(stream: str, assignment: int) -> None:
        await town.sign(stream, "waterworks", assignment)
        await town.answer(stream, "waterworks", assignment)

    replies: dict[str, asyncio.Task[None]] = {}
    deadline = time.monotonic() + 60
    while len(replies) < count and time.monotonic() < deadline:
        for records in (await orders.getmany(timeout_ms=100)).values():
            for record in records:
                if dict(record.headers)["ce_type"] != b"hotline.ComplaintDispatched.v1":
                    continue
                order = msgspec.json.decode(record.value)
                stream = order["complaint_id"]
                if stream not in replies:  # the relay may tell an order twice
                    replies[stream] = asyncio.create_task(sign_and_answer(stream, order["assignment"]))
    await asyncio.gather(*replies.values())
    return set(replies)


async def _nothing_refused(town: City, streams: set[ComplaintId]) -> None:
    """Every order was signed and then answered, and the visit asked for, once."""
    await town.settled()
    told = [told for told in await town.facts() if told.complaint_id in streams]
    refused = [fact for fact in told if fact.type == "ReplyRefused"]
    if refused:
        lives = {fact.complaint_id for fact in refused}
        replies = [
            (record.offset, record.timestamp, dict(record.headers)["ce_type"], dict(record.headers)["ce_id"])
            for record in await town.messages(town.topic(DISPATCH_REPLIES, "waterworks"))
            if record.key.decode() in lives
        ]
        pytest.fail(f"{refused[:3]} on these replies: {replies[:12]}\n{town.logs(40)}")
    assert Counter(fact.type for fact in told) == dict.fromkeys(
        [*BEGUN, "OrderSigned", "OrderAnswered", "VisitScheduled"], len(streams)
    )


async def test_who_takes_a_request_back_in_the_same_breath_is_understood(town: City) -> None:
    """Two hundred requests, each withdrawn by the very next message."""
    numbers = range(200)

    async def both(number: int) -> ComplaintId:
        request_id = f"breath-{number}"
        recorded = asyncio.create_task(town.record(request_id))
        await asyncio.sleep(0)
        await town.tell(INTAKE_REQUESTS, request_id, WithdrawRequest(request_id=request_id))
        return await recorded

    streams = await asyncio.gather(*(both(number) for number in numbers))
    await _until_all(town, streams, ComplaintWithdrawn.__name__)
    await town.settled()
    for stream in streams:
        story = await town.story(stream)
        assert story in ([*BEGUN[:2], "ComplaintWithdrawn"], [*BEGUN, "ComplaintWithdrawn"])


async def test_what_is_linked_as_the_first_moves_goes_where_the_first_lies_as_it_is_written(
    town: City,
) -> None:
    """R12: districts give twenty firsts to a street while the next household of each is recorded."""
    firsts = list(
        await asyncio.gather(*(town.record(f"first-{number}", street=None) for number in range(20)))
    )
    await _until_all(town, firsts, ComplaintDispatched.__name__)

    async def given_on(first: ComplaintId) -> None:
        data = AssignOrder(complaint_id=first, assignment=1, to_unit=UNIT, reason="属地街道")
        await town.tell(DISPATCH_REPLIES, first, data, unit=DISTRICT_UNIT)

    linked, _ = await asyncio.gather(
        asyncio.gather(
            *(town.record(f"next-{n}", street=None, matter_of_complaint=one) for n, one in enumerate(firsts))
        ),
        asyncio.gather(*(given_on(first) for first in firsts)),
    )
    await _until_all(town, linked, ComplaintDispatched.__name__)
    await _until_all(town, firsts, ComplaintDispatched.__name__, each=2)
    for first, own in zip(firsts, linked, strict=True):
        orders = [told for told in await town.facts(first) if told.type == "ComplaintDispatched"]
        (order,) = [told for told in await town.facts(own) if told.type == "ComplaintDispatched"]
        held = [told.fact.unit for told in orders if told.position < order.position][-1]
        assert order.fact.unit == held


async def test_a_record_is_left_for_one_of_its_call_only_before_that_one_is_taken_back(town: City) -> None:
    """T7: twenty callers take their request back while a second operator still writes it down."""
    names = [f"operator-{number}" for number in range(20)]
    firsts = list(await asyncio.gather(*(town.record(name, call_id=f"call of {name}") for name in names)))
    await _until_all(town, firsts, ComplaintDispatched.__name__)
    seconds, _ = await asyncio.gather(
        asyncio.gather(*(town.record(f"second {name}", call_id=f"call of {name}") for name in names)),
        asyncio.gather(
            *(town.tell(INTAKE_REQUESTS, name, WithdrawRequest(request_id=name)) for name in names)
        ),
    )
    await _until_all(town, firsts, ComplaintWithdrawn.__name__)
    await _until_all(town, seconds, ComplaintClassified.__name__)
    for first, second in zip(firsts, seconds, strict=True):
        (over,) = [told for told in await town.facts(first) if told.type == "ComplaintWithdrawn"]
        said = {told.type: told for told in await town.facts(second)}
        if "ComplaintTurnedAway" in said:
            assert said["ComplaintTurnedAway"].position < over.position
        else:
            assert said["MatterLinked"].fact.matter_of == first
            assert over.position < said["MatterLinked"].position


async def test_after_all_this_every_life_is_legal_and_every_chain_holds(town: City) -> None:
    await town.settled()
    await town.verify()
