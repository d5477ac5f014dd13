"""A unit's door where the city is at hand: its topics in Kafka, and the read side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

from aiokafka import TopicPartition

from deploy.city.registry import City
from hotline import client
from hotline.casefile.orders import ListPage, look
from hotline.department.door import HeardMessage, OfferToUnit, OrderNamed, WaitingComplaint
from hotline.governance.log import programmes
from hotline.governance.state import Offer
from hotline.lookup import UnitNames, complaint_called, complaint_named, known_in, unit_named
from hotline.readside.lists import Filter, Listed, listed
from hotline.readside.rows import ORDERS
from shared.cloudevents import header
from shared.complaint.order import Held
from shared.doors.kafka_reader import reader_of
from shared.events import Fact
from shared.ids import ComplaintId, UnitId
from shared.inputs import Input
from shared.log.reading import reader
from shared.policy.catalogue import catalogue
from shared.topics import DISPATCH_ORDERS, DISPATCH_REPLIES


class KafkaDoor:
    """See `UnitDoor`."""

    def __init__(self, city: City) -> None:
        """`city`: one that is up."""
        self._city = city

    @property
    def ruleset(self) -> str:
        """See `UnitDoor.ruleset`."""
        return self._city.ruleset

    async def speaker(self, named: str) -> UnitId:
        """See `UnitDoor.speaker`."""
        return unit_named(named, self._city.catalogue)

    async def units(self) -> UnitNames:
        """See `UnitDoor.units`."""
        return known_in(catalogue(self._city.catalogue))

    async def order(self, complaint: str) -> OrderNamed:
        """See `UnitDoor.order`."""
        case = await complaint_named(self._city, complaint)
        assignment = case.order.assignment if case.order is not None else 1
        return OrderNamed(case.complaint_id, assignment, len(case.whistles))

    async def say(self, unit: UnitId, complaint: ComplaintId, data: Input) -> list[Fact]:
        """See `UnitDoor.say`."""
        return await client.reply(self._city, unit, complaint, data)

    async def orders(
        self, unit: UnitId, only: Filter, *, overdue: bool = False, after: str = "", most: int | None = None
    ) -> ListPage:
        """See `UnitDoor.orders`."""
        return await look(self._city, ORDERS, unit, only=only, overdue=overdue, after=after, most=most)

    async def seen(self, complaint: str) -> tuple[Listed, datetime]:
        """See `UnitDoor.seen`."""
        case, now = await client.at_present(self._city, partial(complaint_called, text=complaint))
        return listed(case), now

    async def offers(self, unit: UnitId) -> list[OfferToUnit]:
        """See `UnitDoor.offers`."""
        async with programmes(self._city.endpoints.logins["reader"]) as log:
            every = await log.all()
        return [
            OfferToUnit(
                programme_id=one.programme_id,
                programme=one.title,
                offer=offer.number,
                answer=offer.answer,
                waiting=await self._waiting(offer, unit),
            )
            for one in every
            for offer in one.offers
            if any(member.unit == unit for member in offer.members)
        ]

    async def _waiting(self, offer: Offer, unit: UnitId) -> list[WaitingComplaint]:
        """The members of an offer whose order lies with this unit and is not answered."""
        connection = await reader(self._city.endpoints.logins["reader"])
        try:
            cases = [await complaint_called(connection, member.complaint_id) for member in offer.members]
        finally:
            await connection.close()
        return [
            WaitingComplaint(
                complaint_id=case.complaint_id,
                complaint_number=case.complaint_number,
                assignment=case.order.assignment,
            )
            for case in cases
            if isinstance(case.order, Held) and case.order.unit == unit
        ]

    @asynccontextmanager
    async def following(
        self, unit: UnitId, say: Callable[[str], None]
    ) -> AsyncIterator[AsyncIterator[HeardMessage]]:
        """See `UnitDoor.following`."""
        del say  # the client comes back by itself
        topic = TopicPartition(self._city.endpoints.prefix + DISPATCH_ORDERS.of(unit), 0)
        consumer = reader_of(self._city.endpoints.commands_of(DISPATCH_REPLIES.speaker))
        try:
            await consumer.start()
            consumer.assign([topic])
            await consumer.seek_to_end(topic)
            await consumer.position(topic)  # settled before the list is read: what comes later is heard

            async def heard() -> AsyncIterator[HeardMessage]:
                async for record in consumer:
                    if record.value is not None:
                        kind = header(record.headers, "ce_type") or b""
                        yield HeardMessage(record.offset, kind, record.value)

            yield heard()
        finally:
            await consumer.stop()
