"""One complaint for those who may read all: where it lies, until when, and its whole life."""

from __future__ import annotations

from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.lives import life_of, told_facts
from hotline.web.pages.naming import unit_name
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.reading import complaint_of, lent


async def complaint(ask: PageAsk) -> PageView:
    """The complaint with this number or id."""
    async with lent(ask.rooms.pool) as connection:
        one = await complaint_of(connection, ask.staff.key, ask.path("number"))
        if one is None:
            raise PageRefusal(PageFault.NOT_FOUND)
        life = await life_of(connection, one.complaint_id)
    values = {
        "one": one,
        "told": told_facts(ask, life.facts, one.ruleset),
        "right": life.right,
        "unit": unit_name(ask.rooms.catalogue, one.lead),
        "trace": ask.rooms.traces.address_of(one.complaint_id),
    }
    return PageView("board-complaint.html", values)
