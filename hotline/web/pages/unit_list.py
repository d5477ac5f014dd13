"""The unit's page: its list by what is due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from hotline.readside.standing import LATE, as_of, caught_up
from hotline.readside.unit_list import ALL, TABS, counts_of, page_of_tab
from hotline.web.limits import CAUGHT_UP_SECONDS_MAX
from hotline.web.pages.acting import new_act
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.live import RenderedRegion
from hotline.web.pages.rendering import as_of_words, block, is_late
from hotline.web.pages.streaming import streamed_region
from hotline.web.reading import lent
from shared.times import in_zone, zone_of
from shared.versions import RULESET

ROWS: Final = 100
"""Rows of a page: some three screens."""


async def unit_list(ask: PageAsk) -> PageView:
    """A tab of the list, and the counts of all."""
    return PageView("unit-list.html", await list_values(ask, tab=ask.query("tab"), after=ask.query("after")))


async def live_unit_list(ask: PageAsk) -> Response:
    """The list of a tab as it changes; one rendering for all who look at it in this language."""
    tab = ask.query("tab") if ask.query("tab") in TABS else ALL
    after = ask.query("after")

    async def render() -> RenderedRegion:
        values = await list_values(ask, tab=tab, after=after)
        html = block(ask.look, "unit-list.html", "region", **values)
        return RenderedRegion(
            str(html), as_of_words(ask.look, values["as_of"], values["now"]), is_late(values["as_of"])
        )

    return streamed_region(ask, ("unit-list", ask.staff.unit, tab, after, ask.look.language), render)


async def list_values(ask: PageAsk, *, tab: str, after: str) -> dict[str, Any]:
    """All that the list shows; it holds what was in the log when it was asked for, or marks what it may not hold."""
    tab = tab if tab in TABS else ALL
    unit = ask.staff.unit
    async with lent(ask.rooms.pool) as connection:
        await caught_up(connection, CAUGHT_UP_SECONDS_MAX)
        now = ask.now
        tomorrow = end_of_day(now)
        counts = await counts_of(connection, unit, now, tomorrow)
        rows = await page_of_tab(connection, unit, tab, now, tomorrow, after=after, most=ROWS + 1)
        standing = await as_of(connection)
    behind = standing.behind + LATE if standing.behind else timedelta()
    return {
        "tab": tab,
        "counts": counts,
        "rows": rows[:ROWS],
        "more": urlencode({"tab": tab, "after": rows[ROWS - 1].cursor}) if len(rows) > ROWS else "",
        "as_of": standing,
        "now": now,
        "here_query": urlencode({"tab": tab, **({"after": after} if after else {})}),
        "marked": ask.rooms.acted.since(behind.total_seconds()) if behind else frozenset(),
        "act": new_act(),
        "signed": 0,
        "refused": [],
    }


def end_of_day(now: datetime) -> datetime:
    """When the day ends for the people of the city."""
    zone = zone_of(RULESET)
    local = in_zone(now, zone)
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
