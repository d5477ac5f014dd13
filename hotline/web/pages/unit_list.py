"""The unit's page: its list by what is due, with the filters of its people."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from hotline.casefile.late_calls import late_calls
from hotline.readside.standing import LATE, as_of, caught_up
from hotline.readside.unit_list import choices_of, counts_of, page_of_tab
from hotline.web.limits import CAUGHT_UP_SECONDS_MAX
from hotline.web.pages.acting import new_act
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.list_filters import (
    DUES,
    NAME_MAX,
    TYPED_MAX,
    ListFilter,
    filter_in,
    filters_of,
    places_of,
    subjects_of,
    tab_in,
)
from hotline.web.pages.live import RenderedRegion
from hotline.web.pages.naming import unit_name
from hotline.web.pages.rendering import as_of_words, block, is_late
from hotline.web.pages.streaming import streamed_region
from hotline.web.reading import lent
from shared.times import in_zone, zone_of
from shared.versions import RULESET

ROWS: Final = 100
"""Rows of a page: some three screens."""
LATE_SHOWN: Final = 5
"""Whistles not answered in time that stand above the list, the longest late first; the tab of whistles has all."""


async def unit_list(ask: PageAsk) -> PageView:
    """A tab of the list, and the counts of all."""
    told = ask.request.query_params
    return await unit_page(ask, tab=tab_in(told), only=filter_in(told), after=ask.query("after"))


async def unit_page(ask: PageAsk, *, tab: str, only: ListFilter, after: str) -> PageView:
    """The list with all that can be chosen for it."""
    async with lent(ask.rooms.pool) as connection:
        saved = await filters_of(connection, ask.staff.staff_id)
        choices = await choices_of(connection, ask.staff.unit)
    values = await list_values(ask, tab=tab, only=only, after=after)
    chosen: dict[str, Any] = {
        "saved": saved,
        "subjects": subjects_of(choices),
        "places": places_of(choices),
        "dues": tuple(DUES),
        "typed_max": TYPED_MAX,
        "name_max": NAME_MAX,
        "kept_query": urlencode({"tab": tab, **only.parts}),
        "filter_name": "",
        "flaw": "",
    }
    return PageView("unit-list.html", {**values, **chosen})


async def live_unit_list(ask: PageAsk) -> Response:
    """The list of a tab as it changes; one rendering for all who look at it in this language."""
    told = ask.request.query_params
    tab, only, after = tab_in(told), filter_in(told), ask.query("after")

    async def render() -> RenderedRegion:
        values = await list_values(ask, tab=tab, only=only, after=after)
        html = block(ask.look, "unit-list.html", "region", **values)
        return RenderedRegion(
            str(html), as_of_words(ask.look, values["as_of"], values["now"]), is_late(values["as_of"])
        )

    return streamed_region(ask, ("unit-list", ask.staff.unit, tab, only, after, ask.look.language), render)


async def list_values(ask: PageAsk, *, tab: str, only: ListFilter, after: str) -> dict[str, Any]:
    """All that the list shows; it holds what was in the log when it was asked for, or marks what it may not hold."""
    unit = ask.staff.unit
    async with lent(ask.rooms.pool) as connection:
        await caught_up(connection, CAUGHT_UP_SECONDS_MAX)
        now = ask.now
        tomorrow = end_of_day(now)
        asked = only.only(now)
        counts = await counts_of(connection, unit, now, tomorrow, asked)
        rows = await page_of_tab(connection, unit, tab, now, tomorrow, only=asked, after=after, most=ROWS + 1)
        late = await late_calls(connection, now, unit)
        standing = await as_of(connection)
    behind = standing.behind + LATE if standing.behind else timedelta()
    here = {"tab": tab, **only.parts}
    return {
        "tab": tab,
        "only": only,
        "filtered": urlencode(only.parts),
        "counts": counts,
        "rows": rows[:ROWS],
        "late_calls": {(call.one.complaint_id, call.whistle): call for call in late.calls},
        "late_shown": LATE_SHOWN,
        "unit_of": partial(unit_name, ask.rooms.catalogue),
        "more": urlencode({**here, "after": rows[ROWS - 1].cursor}) if len(rows) > ROWS else "",
        "as_of": standing,
        "now": now,
        "here_query": urlencode({**here, **({"after": after} if after else {})}),
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
