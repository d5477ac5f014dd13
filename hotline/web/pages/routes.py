"""Every page, a line each. They are for browsers and no contract: `docs/openapi.json` names none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.routing import BaseRoute, Route

from hotline.web.asking import Rooms
from hotline.web.pages.asking import PageAsk, PageMoved
from hotline.web.pages.assets import STATIC, serve
from hotline.web.pages.board.complaint import complaint
from hotline.web.pages.board.lists import open_orders, parked, waiting
from hotline.web.pages.board.page import board, board_events
from hotline.web.pages.calls import calls
from hotline.web.pages.catalogues import N_
from hotline.web.pages.gate import SIGN_IN, OpenHandler, PageGate, PageHandler
from hotline.web.pages.knowledge import article, knowledge
from hotline.web.pages.order import act_on_order, order_page, sign_many
from hotline.web.pages.programmes import programme, programmes
from hotline.web.pages.ranking import ranking
from hotline.web.pages.signing_in import ask_to_sign_in, choose_look, sign_in, sign_out
from hotline.web.pages.staff import SIGNING_IN, StaffMember
from hotline.web.pages.unit_list import unit_list
from shared import roles


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRoute:
    """One line of the table."""

    method: str
    path: str
    roles: tuple[str, ...]
    """The roles whose people may see it."""
    handle: PageHandler
    title: str = ""
    """Its word in the head of every page of these roles; empty where it does not stand there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage:
    """A line for a page that anybody may see."""

    method: str
    path: str
    handle: OpenHandler


async def first_page(ask: PageAsk) -> PageMoved:
    """Go on to the first page of the person's role."""
    return PageMoved(next(one.path for one in PAGES if one.title and ask.staff.role in one.roles))


AT_THE_CENTRE: Final = (roles.SUPERVISION, roles.REVIEWERS, roles.AGENTS)
"""Those who may read of every complaint."""
OPEN_PAGES: Final[tuple[OpenPage, ...]] = (
    OpenPage(method="GET", path=SIGN_IN, handle=ask_to_sign_in),
    OpenPage(method="POST", path=SIGN_IN, handle=sign_in),
    OpenPage(method="POST", path="/look", handle=choose_look),
)
PAGES: Final[tuple[PageRoute, ...]] = (
    PageRoute(method="GET", path="/", roles=SIGNING_IN, handle=first_page),
    PageRoute(method="POST", path="/sign-out", roles=SIGNING_IN, handle=sign_out),
    PageRoute(method="GET", path="/board", roles=AT_THE_CENTRE, handle=board, title=N_("Board")),
    PageRoute(method="GET", path="/board/events", roles=AT_THE_CENTRE, handle=board_events),
    PageRoute(method="GET", path="/board/orders", roles=AT_THE_CENTRE, handle=open_orders),
    PageRoute(method="GET", path="/board/waiting/{which}", roles=AT_THE_CENTRE, handle=waiting),
    PageRoute(method="GET", path="/board/parked", roles=AT_THE_CENTRE, handle=parked),
    PageRoute(method="GET", path="/board/complaints/{number}", roles=AT_THE_CENTRE, handle=complaint),
    PageRoute(method="GET", path="/calls", roles=AT_THE_CENTRE, handle=calls, title=N_("Calls")),
    PageRoute(
        method="GET", path="/programmes", roles=AT_THE_CENTRE, handle=programmes, title=N_("Programmes")
    ),
    PageRoute(method="GET", path="/programmes/{programme}", roles=AT_THE_CENTRE, handle=programme),
    PageRoute(method="GET", path="/ranking", roles=AT_THE_CENTRE, handle=ranking, title=N_("Ranking")),
    PageRoute(method="GET", path="/knowledge", roles=AT_THE_CENTRE, handle=knowledge, title=N_("Knowledge")),
    PageRoute(method="GET", path="/knowledge/{article}", roles=AT_THE_CENTRE, handle=article),
    PageRoute(method="GET", path="/work", roles=(roles.UNIT,), handle=unit_list, title=N_("Orders")),
    PageRoute(method="POST", path="/work/sign", roles=(roles.UNIT,), handle=sign_many),
    PageRoute(method="GET", path="/work/{complaint}", roles=(roles.UNIT,), handle=order_page),
    PageRoute(method="POST", path="/work/{complaint}/{verb}", roles=(roles.UNIT,), handle=act_on_order),
)
"""A new page is a line here. The first one with a title is where a role begins."""


def navigation_of(person: StaffMember) -> list[PageRoute]:
    """The pages in the head of this person's pages."""
    return [one for one in PAGES if one.title and person.role in one.roles]


def page_routes(rooms: Rooms) -> list[BaseRoute]:
    """The routes of all pages and of the files they load."""
    gate = PageGate(rooms, navigation_of)
    found: list[BaseRoute] = [
        Route(one.path, gate.open(one.handle), methods=[one.method]) for one in OPEN_PAGES
    ]
    found += [Route(one.path, gate.to(one.handle, one.roles), methods=[one.method]) for one in PAGES]
    return [*found, Route(f"{STATIC}{{name}}", serve, methods=["GET"])]
