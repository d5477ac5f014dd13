"""The supervisor's page of the units that were whistled for and have not come in time."""

from __future__ import annotations

from functools import partial

from hotline.casefile.late_calls import AWAITED_MAX, late_calls
from hotline.readside.standing import as_of, caught_up
from hotline.web.limits import CAUGHT_UP_SECONDS_MAX
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.naming import unit_name
from hotline.web.reading import lent


async def late_whistles(ask: PageAsk) -> PageView:
    """All of them, the longest late first; each leads to its order."""
    async with lent(ask.rooms.pool) as connection:
        await caught_up(connection, CAUGHT_UP_SECONDS_MAX)
        now = ask.now
        late = await late_calls(connection, now)
        standing = await as_of(connection)
    values = {
        "calls": late.calls,
        "more": late.more,
        "most": AWAITED_MAX,
        "unit_of": partial(unit_name, ask.rooms.catalogue),
        "as_of": standing,
        "now": now,
    }
    return PageView("late-whistles.html", values)
