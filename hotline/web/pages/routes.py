"""Every page, a line each. They are for browsers and no contract: `docs/openapi.json` names none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.routing import BaseRoute, Route

from hotline.web.asking import Rooms
from hotline.web.pages.agent_calls import taken_calls
from hotline.web.pages.asking import PageAsk, PageMoved
from hotline.web.pages.assets import STATIC, serve
from hotline.web.pages.board.lists import open_orders, parked, waiting
from hotline.web.pages.board.page import board, board_events
from hotline.web.pages.call_context import articles_part, caller_part
from hotline.web.pages.caller_marks import decide_mark, mark, marks, object_to_mark, propose_mark
from hotline.web.pages.calls import calls
from hotline.web.pages.candidates import complaints_behind, programme_candidates
from hotline.web.pages.catalogues import N_
from hotline.web.pages.filter_pages import drop_filter, keep_filter
from hotline.web.pages.finding import find_page
from hotline.web.pages.gate import SIGN_IN, OpenHandler, PageGate, PageHandler
from hotline.web.pages.in_force import in_force
from hotline.web.pages.knowledge import article, knowledge
from hotline.web.pages.life import fact_page, life_page
from hotline.web.pages.matters import WorkPlace, act_on_matter, matter_page
from hotline.web.pages.offices import (
    REVIEW_OFFICE,
    SUPERVISION_OFFICE,
    VISIT_OFFICE,
    Office,
    office_list,
)
from hotline.web.pages.operations.page import operations, operations_events
from hotline.web.pages.parked import drop_parked, open_parked, parked_list, parked_message, release_parked
from hotline.web.pages.programmes import programme, programmes
from hotline.web.pages.provider_sign_in import (
    BACK,
    PROVIDER,
    WAY_OUT,
    begin_at_provider,
    come_back,
    sign_out_at_provider,
)
from hotline.web.pages.ranking import ranking
from hotline.web.pages.recording import bring_up_again, foreseen_part, put_on_record, record_page
from hotline.web.pages.signing_in import ask_to_sign_in, choose_look, sign_in, sign_out
from hotline.web.pages.staff import StaffMember
from hotline.web.pages.template_pages import (
    TEMPLATES,
    drop_template,
    fill_in,
    keep_template,
    templates,
)
from hotline.web.pages.unit_list import live_unit_list, unit_list
from hotline.web.pages.unit_work import UNIT_PLACE, read_contact, sign_many
from hotline.web.pages.visits import read_visit_contact
from hotline.web.pages.whistles import late_whistles
from hotline.web.roles import SIGNING_IN
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


def _matters(place: WorkPlace, role: str) -> tuple[PageRoute, ...]:
    """The pages of each matter of a place."""
    one = f"{place.base}/{{complaint}}"
    return (
        PageRoute(method="GET", path=one, roles=(role,), handle=matter_page(place)),
        PageRoute(method="POST", path=f"{one}/{{verb}}", roles=(role,), handle=act_on_matter(place)),
    )


def _office(office: Office, role: str) -> tuple[PageRoute, ...]:
    """The list of an office, and its matters."""
    place = office.place
    first = PageRoute(
        method="GET", path=place.base, roles=(role,), handle=office_list(office), title=place.title
    )
    return (first, *_matters(place, role))


READING: Final = (roles.UNIT, roles.AGENTS, roles.REVIEWERS, roles.SUPERVISION)
"""The roles that read of complaints; a unit of its own, the others of all."""
READING_ALL: Final = tuple(role for role in READING if role != roles.UNIT)
"""The roles that may find any complaint."""
OPEN_PAGES: Final[tuple[OpenPage, ...]] = (
    OpenPage(method="GET", path=SIGN_IN, handle=ask_to_sign_in),
    OpenPage(method="POST", path=SIGN_IN, handle=sign_in),
    OpenPage(method="GET", path=PROVIDER, handle=begin_at_provider),
    OpenPage(method="GET", path=BACK, handle=come_back),
    OpenPage(method="GET", path=WAY_OUT, handle=sign_out_at_provider),
    OpenPage(method="POST", path="/look", handle=choose_look),
)
PAGES: Final[tuple[PageRoute, ...]] = (
    PageRoute(method="GET", path="/", roles=SIGNING_IN, handle=first_page),
    PageRoute(method="POST", path="/sign-out", roles=SIGNING_IN, handle=sign_out),
    PageRoute(method="GET", path="/work", roles=(roles.UNIT,), handle=unit_list, title=N_("Orders")),
    PageRoute(method="GET", path="/life/{complaint}", roles=READING, handle=life_page),
    PageRoute(method="GET", path="/life/{complaint}/{version}", roles=READING, handle=fact_page),
    PageRoute(method="GET", path="/work/live", roles=(roles.UNIT,), handle=live_unit_list),
    PageRoute(method="POST", path="/work/filters", roles=(roles.UNIT,), handle=keep_filter),
    PageRoute(method="POST", path="/work/filters/delete", roles=(roles.UNIT,), handle=drop_filter),
    PageRoute(method="POST", path="/work/sign", roles=(roles.UNIT,), handle=sign_many),
    PageRoute(
        method="POST", path="/work/{complaint}/contact-details", roles=(roles.UNIT,), handle=read_contact
    ),
    PageRoute(method="GET", path="/record", roles=(roles.AGENTS,), handle=record_page, title=N_("Record")),
    PageRoute(method="POST", path="/record", roles=(roles.AGENTS,), handle=put_on_record),
    PageRoute(method="GET", path="/record/foreseen", roles=(roles.AGENTS,), handle=foreseen_part),
    PageRoute(method="GET", path="/record/calls", roles=(roles.AGENTS,), handle=taken_calls),
    PageRoute(method="POST", path="/record/articles", roles=(roles.AGENTS,), handle=articles_part),
    PageRoute(method="POST", path="/record/caller", roles=(roles.AGENTS,), handle=caller_part),
    PageRoute(method="POST", path="/record/again", roles=(roles.AGENTS,), handle=bring_up_again),
    PageRoute(method="POST", path="/work/{complaint}/{verb}/filled", roles=(roles.UNIT,), handle=fill_in),
    PageRoute(method="POST", path="/record/mark", roles=(roles.AGENTS,), handle=propose_mark),
    PageRoute(method="POST", path="/record/objection", roles=(roles.AGENTS,), handle=object_to_mark),
    *_matters(UNIT_PLACE, roles.UNIT),
    PageRoute(
        method="GET", path=TEMPLATES, roles=(roles.UNIT,), handle=templates, title=N_("Reply templates")
    ),
    PageRoute(method="POST", path=TEMPLATES, roles=(roles.UNIT,), handle=keep_template),
    PageRoute(
        method="POST", path=f"{TEMPLATES}/{{template}}/delete", roles=(roles.UNIT,), handle=drop_template
    ),
    PageRoute(
        method="POST",
        path="/visits/{complaint}/contact-details",
        roles=(roles.DIALLER,),
        handle=read_visit_contact,
    ),
    *_office(VISIT_OFFICE, roles.DIALLER),
    *_office(REVIEW_OFFICE, roles.REVIEWERS),
    PageRoute(method="GET", path="/board", roles=AT_THE_CENTRE, handle=board, title=N_("Board")),
    PageRoute(method="GET", path="/board/events", roles=AT_THE_CENTRE, handle=board_events),
    PageRoute(method="GET", path="/board/orders", roles=AT_THE_CENTRE, handle=open_orders),
    PageRoute(method="GET", path="/board/waiting/{which}", roles=AT_THE_CENTRE, handle=waiting),
    PageRoute(method="GET", path="/board/parked", roles=AT_THE_CENTRE, handle=parked),
    PageRoute(
        method="GET",
        path="/operations",
        roles=(roles.SUPERVISION,),
        handle=operations,
        title=N_("Operations"),
    ),
    PageRoute(
        method="GET",
        path="/parked",
        roles=(roles.SUPERVISION,),
        handle=parked_list,
        title=N_("Parked"),
    ),
    PageRoute(method="POST", path="/parked/release", roles=(roles.SUPERVISION,), handle=release_parked),
    PageRoute(method="GET", path="/parked/{message}", roles=(roles.SUPERVISION,), handle=parked_message),
    PageRoute(method="POST", path="/parked/{message}/open", roles=(roles.SUPERVISION,), handle=open_parked),
    PageRoute(method="POST", path="/parked/{message}/drop", roles=(roles.SUPERVISION,), handle=drop_parked),
    PageRoute(method="GET", path="/operations/events", roles=(roles.SUPERVISION,), handle=operations_events),
    PageRoute(method="GET", path="/calls", roles=AT_THE_CENTRE, handle=calls, title=N_("Calls")),
    PageRoute(
        method="GET", path="/programmes", roles=AT_THE_CENTRE, handle=programmes, title=N_("Programmes")
    ),
    PageRoute(method="GET", path="/programmes/candidates", roles=AT_THE_CENTRE, handle=programme_candidates),
    PageRoute(method="GET", path="/programmes/complaints", roles=AT_THE_CENTRE, handle=complaints_behind),
    PageRoute(method="GET", path="/programmes/{programme}", roles=AT_THE_CENTRE, handle=programme),
    PageRoute(method="GET", path="/ranking", roles=AT_THE_CENTRE, handle=ranking, title=N_("Ranking")),
    PageRoute(method="GET", path="/knowledge", roles=AT_THE_CENTRE, handle=knowledge, title=N_("Knowledge")),
    PageRoute(method="GET", path="/knowledge/{article}", roles=AT_THE_CENTRE, handle=article),
    PageRoute(method="GET", path="/in-force", roles=AT_THE_CENTRE, handle=in_force, title=N_("In force")),
    PageRoute(method="GET", path="/supervision/whistles", roles=(roles.SUPERVISION,), handle=late_whistles),
    *_office(SUPERVISION_OFFICE, roles.SUPERVISION),
    PageRoute(method="GET", path="/callers", roles=(roles.SUPERVISION,), handle=marks, title=N_("Callers")),
    PageRoute(method="GET", path="/callers/{mark}", roles=(roles.SUPERVISION,), handle=mark),
    PageRoute(method="POST", path="/callers/{mark}", roles=(roles.SUPERVISION,), handle=decide_mark),
    PageRoute(method="GET", path="/find", roles=READING_ALL, handle=find_page, title=N_("Find")),
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
