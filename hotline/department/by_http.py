"""A unit's door from anywhere: the HTTP door of the city, with the unit's key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote
from uuid import UUID

import msgspec

from hotline.casefile.orders import ListPage
from hotline.client import checked
from hotline.department.door import HeardMessage, OfferToUnit, OrderNamed, WaitingComplaint
from hotline.department.http_calls import DoorAway, HttpCalls, NotYours
from hotline.lookup import UnitNames, unit_of
from hotline.readside.lists import Filter, Listed
from hotline.readside.standing import AsOf
from hotline.web.answers import (
    ComplaintPage,
    ComplaintSeen,
    ComplaintTimeline,
    KeySeen,
    KnownUnits,
    OfferedAnswers,
)
from hotline.web.limits import PAGE_MAX
from hotline.web.paths import COMPLAINT, FOLLOWED, OFFERS, ORDERS, OWN_KEY, TIMELINE, UNITS, act_path
from shared import roles
from shared.events import Fact
from shared.ids import ComplaintId, UnitId
from shared.inputs import Input
from shared.runtime.errors import UserError
from shared.unreadable import UnreadableRows

BYE: Final = "bye"
"""The event with which the door ends a stream."""
AGAIN_SECONDS: Final = 1.0
"""After how long a stream that ended is opened again."""


class _CloudEvent(msgspec.Struct, frozen=True):
    """A message as the stream tells it."""

    type: str
    data: msgspec.Raw


class HttpDoor:
    """See `UnitDoor`. Made by `opened`."""

    def __init__(self, calls: HttpCalls, key: KeySeen) -> None:
        """`key`: the unit's, as the door has it."""
        self._calls = calls
        self._key = key

    @property
    def ruleset(self) -> str:
        """See `UnitDoor.ruleset`."""
        return self._key.ruleset

    async def speaker(self, named: str) -> UnitId:
        """See `UnitDoor.speaker`; nobody need name it, as the key says it."""
        unit = UnitId(self._key.name)
        if named and named != unit and unit_of(named, await self.units()) != unit:
            raise UserError(f"The key is that of {unit}: it does not speak for {named}.")
        return unit

    async def units(self) -> UnitNames:
        """See `UnitDoor.units`."""
        known = await self._calls.read(UNITS, KnownUnits)
        return UnitNames(known.catalogue, {UnitId(one.unit): one.names for one in known.units})

    async def order(self, complaint: str) -> OrderNamed:
        """See `UnitDoor.order`."""
        try:
            found = await self._complaint(complaint)
        except NotYours:
            # A unit that was let go sees it no more, and may still rate: the desk decides, by the complaint's id.
            if (whole := _whole_id(complaint)) is None:
                raise
            return OrderNamed(whole, 1, 0)
        whistles = 0 if found.whistles is msgspec.UNSET else found.whistles
        return OrderNamed(ComplaintId(found.complaint_id), found.assignment or 1, whistles)

    async def say(self, unit: UnitId, complaint: ComplaintId, data: Input) -> list[Fact]:
        """See `UnitDoor.say`."""
        del unit, complaint  # the key says the first, and the data the second
        return await self._calls.act(act_path(type(data)), checked(data))

    async def orders(
        self, unit: UnitId, only: Filter, *, overdue: bool = False, after: str = "", most: int | None = None
    ) -> ListPage:
        """See `UnitDoor.orders`."""
        rows: list[ComplaintSeen] = []
        while True:
            wanted = PAGE_MAX if most is None else min(most - len(rows), PAGE_MAX)
            asked = {"role": only.role, "subject": only.subject, "district": only.district}
            asked |= {"urgency": only.urgency, "overdue": "true" if overdue else "", "after": after}
            query = {name: value for name, value in asked.items() if value} | {"limit": str(wanted)}
            page = await self._calls.read(ORDERS.format(unit=unit), ComplaintPage, query)
            rows += page.complaints
            more = page.next is not msgspec.UNSET
            after = _listed(rows[-1]).cursor if more else after
            if not more or len(rows) == most:
                break
        standing = AsOf(page.as_of.position, timedelta(seconds=page.as_of.behind_seconds))
        return ListPage(
            [_listed(one) for one in rows], page.at, standing, UnreadableRows(), after if more else ""
        )

    async def seen(self, complaint: str) -> tuple[Listed, datetime]:
        """See `UnitDoor.seen`."""
        found = await self._complaint(complaint)
        return _listed(found), found.at

    async def offers(self, unit: UnitId) -> list[OfferToUnit]:
        """See `UnitDoor.offers`."""
        found = await self._calls.read(OFFERS.format(unit=unit), OfferedAnswers)
        return [
            OfferToUnit(
                programme_id=one.programme_id,
                programme=one.programme,
                offer=one.offer,
                answer=one.answer,
                waiting=[
                    WaitingComplaint(
                        complaint_id=ComplaintId(order.complaint_id),
                        complaint_number=order.complaint_number,
                        assignment=order.assignment,
                    )
                    for order in one.waiting
                ],
            )
            for one in found.offers
        ]

    async def life(self, complaint: str) -> ComplaintTimeline:
        """The life of a complaint, as far as the unit is told of it or led to it."""
        return await self._calls.read(
            TIMELINE.format(complaint=quote(complaint.strip(), safe="")), ComplaintTimeline
        )

    @asynccontextmanager
    async def following(
        self, unit: UnitId, say: Callable[[str], None]
    ) -> AsyncIterator[AsyncIterator[HeardMessage]]:
        """See `UnitDoor.following`."""
        stream = _OrderStream(self._calls, FOLLOWED.format(unit=unit), say)
        async with AsyncExitStack() as closing:
            await stream.open(closing)
            yield stream.heard(closing)

    async def _complaint(self, named: str) -> ComplaintSeen:
        return await self._calls.read(
            COMPLAINT.format(complaint=quote(named.strip(), safe="")), ComplaintSeen
        )


class _OrderStream:
    """The stream of a unit's topic, opened again where it was whenever it ends."""

    def __init__(self, calls: HttpCalls, path: str, say: Callable[[str], None]) -> None:
        self._calls = calls
        self._path = path
        self._say = say
        self._lines: AsyncIterator[str] | None = None
        self._last = ""
        self._event = ""
        self._from = "latest"

    async def open(self, closing: AsyncExitStack) -> None:
        """Open it where it ended, the first time at the end of the topic."""
        headers = {"Last-Event-ID": self._last} if self._last else {}
        self._lines = await closing.enter_async_context(
            self._calls.stream(self._path, {"from": self._from}, headers)
        )
        self._from = "earliest"  # a topic that held nothing has no place to name

    async def heard(self, closing: AsyncExitStack) -> AsyncIterator[HeardMessage]:
        """The messages, without an end."""
        away = False
        while True:
            try:
                if self._lines is None:
                    await self.open(closing)
                    if away:
                        self._say("The door answers again.")
                        away = False
                assert self._lines is not None  # noqa: S101 -- it was opened just now
                async for line in self._lines:
                    if (message := self._read(line)) is not None:
                        yield message
            except DoorAway as error:
                if not away:
                    self._say(f"{error} New orders are shown once it answers again.")
                    away = True
            self._lines = None
            await closing.aclose()
            await asyncio.sleep(AGAIN_SECONDS)

    def _read(self, line: str) -> HeardMessage | None:
        name, _, value = line.partition(": ")
        if name == "id":
            self._last = value
        if name == "event" or not line:
            self._event = value
        if name != "data" or self._event == BYE:
            return None
        event = msgspec.json.decode(value, type=_CloudEvent)
        return HeardMessage(int(self._last), event.type.encode(), bytes(event.data))


@asynccontextmanager
async def opened(address: str, key: str, note: Callable[[str], None]) -> AsyncIterator[HttpDoor]:
    """The door at this address, with this key; `UserError` where it is no unit's.

    `note` tells a person that the key is sent in the clear.
    """
    calls = HttpCalls(address, key)
    if calls.in_clear:
        note(f"{calls.address} is not encrypted: everybody on the way can read the key. Use https://.")
    try:
        seen = await calls.read(OWN_KEY, KeySeen)
        if seen.role != roles.UNIT:
            raise UserError(
                f"It is a key of the role {seen.role}; `hotline key add unit UNIT` makes a unit's."
            )
        yield HttpDoor(calls, seen)
    finally:
        await calls.close()


def _whole_id(text: str) -> ComplaintId | None:
    try:
        return ComplaintId(str(UUID(text.strip())))
    except ValueError:
        return None


def _listed(one: ComplaintSeen) -> Listed:
    return Listed(
        complaint_id=one.complaint_id,
        request_id="",
        stage=one.stage,
        ended=one.ended,
        due_at=one.due_at,
        role=one.role,
        number=one.number,
        about=one.unit,
        lead=one.unit,
        assignment=one.assignment,
        round=one.round,
        standing=one.state,
        paused_until=one.paused_until,
        provisional=one.provisional,
        unlisted=tuple(one.unlisted),
        urgency=one.urgency,
        subject=one.subject,
        district=one.district,
        street=one.street,
        ruleset=one.ruleset,
        received_at=one.received_at,
        heat=one.heat,
        sign_due_at=one.sign_by,
        title=one.title,
        content=one.content,
        address=one.address,
        attachments=tuple(one.attachments),
    )
