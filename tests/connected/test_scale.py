"""Several processes of each desk and two relays share the work; one is added, some are killed, amid the load."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import pytest

from hotline.lab.acknowledged import Acknowledged, lost
from shared.events import ComplaintClosed, ComplaintDispatched, OrderAnswered, OrderSigned, VisitScheduled
from shared.ids import ComplaintId, complaint_id
from shared.inputs import AnswerOrder, Input, RecordVisit, SignOrder
from shared.topics import DISPATCH_REPLIES, FEEDBACK_VISIT_RESULTS, INTAKE_REQUESTS, Topic
from tests.city import STREETS, City, request, until

pytestmark = pytest.mark.connected

LIVES: Final = 120
COUNTS: Final = {"intake": 2, "dispatch": 2, "feedback": 2, "relay": 2}
WITHIN: Final = 240.0
"""A machine that others use too; nothing is judged by it."""


class Outside:
    """Everybody outside, who remembers what Kafka acknowledged."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.acknowledged: list[Acknowledged] = []

    async def say(self, line: Topic, key: str, data: Input, hearer: str, unit: str = "") -> None:
        event_id = f"{key}/{data.TYPE}"
        await self.city.tell(line, key, data, unit=unit, event_id=event_id)
        topic = line.of(unit) if line.per_unit else line.name
        self.acknowledged.append(Acknowledged(data.TYPE, topic, "/test", event_id, key, (hearer,)))

    async def ask(self, numbers: Sequence[int]) -> list[ComplaintId]:
        """Requests in all streets."""
        streets = list(STREETS)
        for number in numbers:
            data = request(f"scale-{number}", street=streets[number % len(streets)])
            await self.say(INTAKE_REQUESTS, data.request_id, data, "intake")
        return [complaint_id(f"scale-{number}") for number in numbers]

    async def reply(self, numbers: Sequence[int]) -> None:
        """The units sign and answer."""
        units = list(STREETS.values())
        for number in numbers:
            about: Any = {"complaint_id": complaint_id(f"scale-{number}"), "assignment": 1}
            for data in (SignOrder(**about), AnswerOrder(**about, result="修好了", claims_solved=True)):
                key, unit = about["complaint_id"], units[number % len(units)]
                await self.say(DISPATCH_REPLIES, key, data, "dispatch", unit)

    async def visit(self, numbers: Sequence[int]) -> None:
        """The citizens are asked and satisfied."""
        for number in numbers:
            complaint = complaint_id(f"scale-{number}")
            data = RecordVisit(complaint_id=complaint, visit=1, attempt=1, solved=True, satisfied=True)
            await self.say(FEEDBACK_VISIT_RESULTS, complaint, data, "feedback")

    async def until_all(self, kind: type, count: int = LIVES) -> None:
        async def there() -> bool:
            asked = "SELECT count(*) FROM es.event WHERE type = $1"
            return bool(await self.city.value(asked, kind.__name__) == count)

        await until(there, within=WITHIN, what=f"{count} times {kind.__name__}", every=0.2)


async def test_processes_and_relays_share_the_work_and_lose_or_double_nothing(
    city: Callable[..., Awaitable[City]],
) -> None:
    many = await city(extra={"RELAY_SHARDS": "2"})
    await many.sql("SELECT es.set_relay_shards(2)")
    await many.start(*COUNTS, counts=COUNTS, within=WITHIN)
    outside = Outside(many)
    half = LIVES // 2

    async def one_more() -> None:
        await many.start("dispatch-3", counts={**COUNTS, "dispatch": 3}, within=WITHIN)

    # One is added while requests and replies come in.
    await asyncio.gather(outside.ask(range(half)), one_more())
    await outside.until_all(ComplaintDispatched, half)
    # One of each kind is killed while they come in.
    asking = asyncio.ensure_future(outside.ask(range(half, LIVES)))
    await outside.reply(range(half // 2))
    for name in ("intake-1", "dispatch-1", "relay-1"):
        many.signal(name)
    await outside.reply(range(half // 2, half))
    await asking
    await outside.until_all(ComplaintDispatched)
    many.signal("feedback-2")
    await outside.reply(range(half, LIVES))
    await outside.until_all(VisitScheduled)
    await outside.visit(range(LIVES))
    await outside.until_all(ComplaintClosed)

    await many.settled(within=WITHIN)
    counted = await many.verify()
    kinds = (ComplaintDispatched, OrderSigned, OrderAnswered, VisitScheduled, ComplaintClosed)
    assert {kind.__name__: counted[kind.__name__] for kind in kinds} == {k.__name__: LIVES for k in kinds}
    assert sum(counted.values()) == 8 * LIVES
    assert await lost(many.endpoints.logins["reader"], many.endpoints.prefix, outside.acknowledged) == []
    assert len(outside.acknowledged) == 4 * LIVES
    assert await many.parked() == []
    assert await many.value("SELECT bool_and(batch > 0) FROM es.relay")  # both relays had their part
    for name in ("dispatch-2", "dispatch-3"):  # the one that was there, the one that came later
        assert await many.metric(name, "door.messages") > 0
