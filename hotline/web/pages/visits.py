"""The citizen's number on the page of a visit: read for the visit that is due, by an act that is written down."""

from __future__ import annotations

from hotline.web.pages.acting import DoneAct
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.matters import read_matter, shown_matter
from hotline.web.pages.offices import VISIT_OFFICE
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.staff import names_of
from hotline.web.reading import lent
from shared.runtime.errors import UserError


async def read_visit_contact(ask: PageAsk) -> PageView:
    """Take the visit for this person, and show the contact; nobody else asks the citizen meanwhile."""
    place = VISIT_OFFICE.place
    one, life, names = await read_matter(ask, place)
    if life.case is None:
        raise PageRefusal(PageFault.NOT_FOUND)
    try:
        found = await ask.rooms.readings.read_for_visit(life.case, ask.staff.staff_id, ask.now)
    except UserError as error:
        refused = DoneAct(done=False, why=await _by_name(ask, str(error)))
        return shown_matter(ask, place, one, life, names, refused=refused)
    return shown_matter(ask, place, one, life, names, contact=found)


async def _by_name(ask: PageAsk, why: str) -> str:
    """The reason with the name of the person whose id it begins with."""
    who, _, rest = why.partition(" ")
    async with lent(ask.rooms.pool) as connection:
        names = await names_of(connection, [who])
    return f"{names[who]} {rest}" if who in names else why
