"""Finding a complaint: by its number, its request, or words of its title."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from hotline.readside.search import found, place_of
from hotline.readside.standing import as_of, caught_up
from hotline.web.limits import CAUGHT_UP_SECONDS_MAX
from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.naming import unit_name
from hotline.web.reading import lent
from shared.runtime.errors import UserError

FOUND_ROWS: Final = 50
TEXT_MAX: Final = 200
"""Characters that are looked for."""


async def find_page(ask: PageAsk) -> PageView:
    """The page of what is found, the newest first; without words the newest of all."""
    text = ask.query("q").strip()[:TEXT_MAX]
    open_only = ask.query("open") == "yes"
    wrong = False
    async with lent(ask.rooms.pool) as connection:
        await caught_up(connection, CAUGHT_UP_SECONDS_MAX)
        try:
            rows = await found(
                connection, text, open_only=open_only, before=ask.query("after"), most=FOUND_ROWS + 1
            )
        except UserError:
            rows, wrong = [], True
        standing = await as_of(connection)
    more = ""
    if len(rows) > FOUND_ROWS:
        asked = {"q": text, "after": place_of(rows[FOUND_ROWS - 1]), **({"open": "yes"} if open_only else {})}
        more = urlencode(asked)
    values: dict[str, Any] = {
        "text": text,
        "open_only": open_only,
        "wrong": wrong,
        "rows": [(one, unit_name(ask.rooms.catalogue, one.lead)) for one in rows[:FOUND_ROWS]],
        "more": more,
        "as_of": standing,
        "now": ask.now,
    }
    return PageView("find.html", values)
