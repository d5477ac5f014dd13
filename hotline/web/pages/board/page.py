"""The board's page, and the stream that keeps it up."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

from starlette.responses import Response

from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.board.cards import call_card, figures_stamp, order_cards
from hotline.web.pages.board.moment import BoardMoment
from hotline.web.pages.board.places import Shading, district_table, places_view
from hotline.web.pages.live import Render, RenderedRegion
from hotline.web.pages.rendering import as_of_words, block, is_late
from hotline.web.pages.streaming import streamed_parts
from shared.policy.ruleset import ruleset
from shared.times import zone_of

TEMPLATE: Final = "board.html"
TELEPHONE, ORDERS, PLACES, TABLE, STAMP = REGIONS = (
    "telephone",
    "orders",
    "places",
    "table",
    "stamp",
)
"""The parts that change; each is a block of the template, in an element `board-…`."""


async def board(ask: PageAsk) -> PageView:
    """All figures, as they are now."""
    shading = shading_of(ask)
    moment = await ask.rooms.board.now()
    values = {
        name: value for region in REGIONS for name, value in _values(ask, moment, region, shading).items()
    }
    return PageView(
        TEMPLATE,
        {**values, "tv": bool(ask.query("tv")), "shading": shading.value, "as_of": moment.figures.as_of},
    )


async def board_events(ask: PageAsk) -> Response:
    """The parts of the board that have changed, as long as somebody looks."""
    shading = shading_of(ask)
    return streamed_parts(ask, {f"board-{region}": _part(ask, region, shading) for region in REGIONS})


def _part(ask: PageAsk, region: str, shading: Shading) -> tuple[Hashable, Render]:
    """A part: what it is one of a kind by, and how it is rendered."""
    shaded = shading if region in {PLACES, TABLE} else ""

    async def render() -> RenderedRegion:
        moment = await ask.rooms.board.now()
        html = block(ask.look, TEMPLATE, region, **_values(ask, moment, region, shading))
        standing = moment.figures.as_of
        return RenderedRegion(
            str(html), as_of_words(ask.look, standing, moment.figures.present), is_late(standing)
        )

    return ("board", region, ask.look.language, shaded), render


def shading_of(ask: PageAsk) -> Shading:
    """By what places are shaded; by what is late, where nobody says otherwise."""
    return Shading.LOAD if ask.query("shading") == Shading.LOAD else Shading.OVERDUE


def _values(ask: PageAsk, moment: BoardMoment, region: str, shading: Shading) -> dict[str, Any]:
    """The values that a part shows."""
    board, text = ask.rooms.board, ask.text
    zone = zone_of(board.rules)
    if region == TELEPHONE:
        return {TELEPHONE: [call_card(moment.calls, ruleset(board.rules).telephone, zone, text)]}
    if region == ORDERS:
        return {ORDERS: order_cards(moment.figures, ask.rooms.catalogue, zone, text)}
    if region == STAMP:
        return {STAMP: figures_stamp(moment.figures, zone, text)}
    if region == TABLE:
        return {TABLE: district_table(moment.figures, ask.rooms.catalogue, shading)}
    return {PLACES: places_view(moment.figures, ask.rooms.catalogue, board.drawn, shading, text)}
