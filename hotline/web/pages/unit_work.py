"""The unit's place: the orders that lie with it, each by itself, and many signed at once."""

from __future__ import annotations

import asyncio
from typing import Final

from hotline.readside.lists import Listed
from hotline.web.pages.acting import ACT, DoneAct, acted, form_of
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.catalogues import N_
from hotline.web.pages.list_filters import filter_in, tab_in
from hotline.web.pages.lives import LifeFact
from hotline.web.pages.matters import WorkPlace, read_matter, shown_matter
from hotline.web.pages.unit_list import unit_page
from hotline.web.pages.verbs import UNIT_VERBS
from hotline.web.reading import Connection, complaint_of, is_told
from shared.ids import ComplaintId, UnitId
from shared.inputs import SignOrder

BULK_MAX: Final = 200
"""Orders that are signed at once: two pages of the list."""
BULK_AT_ONCE: Final = 20
"""So many of them wait for their outcome side by side."""


async def _find(ask: PageAsk, connection: Connection) -> Listed | None:
    return await complaint_of(connection, ask.staff.key, ask.path("complaint"))


def _hears(ask: PageAsk, fact: LifeFact) -> bool:
    return is_told(fact.name, fact.schema, fact.body, ask.staff.unit)


UNIT_PLACE: Final = WorkPlace(
    "/work", N_("Orders"), UNIT_VERBS, _find, _hears, reads_contacts=True, templated=True
)


async def read_contact(ask: PageAsk) -> PageView:
    """The citizen's contact, as much as the unit may see now; that it was looked at is written down first."""
    one, life, names = await read_matter(ask, UNIT_PLACE)
    found = await ask.rooms.readings.read(
        ComplaintId(one.complaint_id), UnitId(ask.staff.unit), f"page of {ask.staff.staff_id}"
    )
    return shown_matter(ask, UNIT_PLACE, one, life, names, contact=found)


async def sign_many(ask: PageAsk) -> PageView:
    """Sign all orders that were chosen in the list; each that is refused is named with its reason."""
    form = await form_of(ask)
    chosen = [str(one) for one in form.getlist("order")][:BULK_MAX]
    at_once = asyncio.Semaphore(BULK_AT_ONCE)

    async def sign(one: str) -> tuple[str, DoneAct]:
        complaint, _, assignment = one.partition("/")
        data = {"complaint_id": complaint, "assignment": int(assignment) if assignment.isdecimal() else 0}
        async with at_once:
            return complaint, await acted(ask, SignOrder, data, f"{form.get(ACT, '')}-{complaint}")

    outcomes = await asyncio.gather(*(sign(one) for one in chosen))
    shown = await unit_page(ask, tab=tab_in(form), only=filter_in(form), after="")
    values = shown.values
    numbers = {one.complaint_id: one.complaint_number for one in values["rows"]}
    refused = [(numbers.get(one, one), done.why) for one, done in outcomes if not done.done]
    signed = sum(done.done for _, done in outcomes)
    return PageView(shown.template, {**values, "signed": signed, "refused": refused})
