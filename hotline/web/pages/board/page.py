"""The board's page, and the stream that keeps it up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from hotline.web.pages.asking import PageAsk, PageView
from hotline.web.pages.board.cards import call_card, figures_stamp, order_cards
from hotline.web.pages.board.moment import BoardMoment
from hotline.web.pages.board.places import Shading, district_table, places_view
from hotline.web.pages.region_stream import followed
from hotline.web.pages.regions import RegionDrawing
from hotline.web.pages.rendering import block
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
    return PageView(TEMPLATE, {**values, "tv": bool(ask.query("tv")), "shading": shading.value})


async def board_events(ask: PageAsk) -> Response:
    """The parts of the board that have changed, as long as somebody looks."""
    shading = shading_of(ask)
    board = ask.rooms.board

    async def regions() -> Mapping[str, RegionDrawing]:
        moment = await board.now()
        return {
            f"board-{region}": board.drawings.of(
                (region, ask.look.language, shading if region in {PLACES, TABLE} else ""),
                moment.number,
                lambda region=region: block(
                    ask.look, TEMPLATE, region, **_values(ask, moment, region, shading)
                ),  # type: ignore[misc]
            )
            for region in REGIONS
        }

    return followed(ask.rooms, regions)


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
