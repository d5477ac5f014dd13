"""The things a unit does at the hotline, by any way that leads there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from hotline.casefile.orders import ListPage
from hotline.lookup import UnitNames
from hotline.readside.lists import Filter, Listed
from shared.events import Fact
from shared.ids import ComplaintId, UnitId
from shared.inputs import Input


class OrderNamed(NamedTuple):
    """The complaint that a reply is about, as far as a reply says it."""

    complaint_id: ComplaintId
    assignment: int
    """The number of the present assignment; 1 where there is none."""
    whistles: int
    """The whistles that were blown for it."""


class WaitingComplaint(msgspec.Struct, frozen=True, kw_only=True):
    """An order of the unit that waits for an answer."""

    complaint_id: ComplaintId
    complaint_number: str
    assignment: int


class OfferToUnit(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that a programme offers to the unit."""

    programme_id: str
    programme: str
    """Its title."""
    offer: int
    """The number of the offer within the programme."""
    answer: str
    waiting: list[WaitingComplaint]
    """The orders it is for that are not answered."""


class HeardMessage(NamedTuple):
    """A message on the unit's own topic."""

    offset: int
    type: bytes
    """The CloudEvents type."""
    value: bytes


class UnitDoor(Protocol):
    """See the module. Errors are `UserError`s: a sentence for the person who typed."""

    @property
    def ruleset(self) -> str:
        """The rule set of the city; it names the time zone."""
        ...

    async def speaker(self, named: str) -> UnitId:
        """The unit that speaks, by its id or its name."""
        ...

    async def units(self) -> UnitNames:
        """The units that there are."""
        ...

    async def order(self, complaint: str) -> OrderNamed:
        """The complaint that a person names."""
        ...

    async def say(self, unit: UnitId, complaint: ComplaintId, data: Input) -> list[Fact]:
        """Say it as the unit, and wait: the facts that came of it, none where it was so already.

        `hotline.client.Mistyped` where it is no input, `Unknown` where it is sent and the outcome is not known.
        """
        ...

    async def orders(
        self, unit: UnitId, only: Filter, *, overdue: bool = False, after: str = "", most: int | None = None
    ) -> ListPage:
        """A page of the unit's open orders; all of them without `most`."""
        ...

    async def seen(self, complaint: str) -> tuple[Listed, datetime]:
        """A complaint as the unit's list shows it, and the city's present."""
        ...

    async def offers(self, unit: UnitId) -> list[OfferToUnit]:
        """The answers that programmes offer it."""
        ...

    def following(
        self, unit: UnitId, say: Callable[[str], None]
    ) -> AbstractAsyncContextManager[AsyncIterator[HeardMessage]]:
        """The messages on the unit's topic from now on, as they come; `say` tells where that stops for a while."""
        ...
