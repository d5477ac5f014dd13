"""The citizen's page: where the request lies, since when, until when, what comes next, and what can be said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from hotline.web.asking import Rooms
from hotline.web.open311.history import masked
from hotline.web.pages.acting import new_act
from hotline.web.pages.asking import PageView
from hotline.web.pages.catalogues import N_, translations_of
from hotline.web.pages.citizen.milestones import milestones
from hotline.web.pages.citizen.session import closed_page, opened_complaint
from hotline.web.pages.citizen.standing import standing
from hotline.web.pages.lives import ReadLife, life_of
from hotline.web.pages.look import PageLook
from hotline.web.pages.naming import unit_name
from hotline.web.pages.telling_time import instant
from hotline.web.reading import lent
from shared import roles
from shared.complaint import Complaint, goes_on
from shared.ids import ComplaintId

ADDED: Mapping[str, str] = {
    "supplement": N_("It is added to your request, and the unit reads it."),
    "withdraw": N_("Your request is taken back."),
    "rate": N_("Your rating is on record."),
    "visit": N_("Your answer is on record. Thank you."),
    "sent": N_("It has come in and is on its way. Look again in a minute: it then stands here."),
}
"""The sentence after each act."""


class OpenedPage(NamedTuple):
    """A page that a cookie opens."""

    complaint: ComplaintId
    life: ReadLife


async def opened_page(request: Request, rooms: Rooms) -> OpenedPage | None:
    """The complaint of the address and its life; None where the cookie does not open it."""
    complaint = await opened_complaint(request, rooms)
    if complaint is None:
        return None
    async with lent(rooms.pool) as connection:
        return OpenedPage(complaint, await life_of(connection, complaint))


async def my_page(request: Request, look: PageLook, rooms: Rooms) -> PageView | Response:
    """The page of a complaint."""
    page = await opened_page(request, rooms)
    if page is None:
        return closed_page(request)
    return shown_page(request, look, rooms, page, done=ADDED.get(request.query_params.get("done", ""), ""))


def is_asked(rooms: Rooms, case: Complaint, now: datetime) -> bool:
    """Whether the citizen can answer a visit here now."""
    may = roles.CITIZENS in rooms.speakers.roles
    return may and case.ended is None and case.visit is not None and now >= case.visit.visit_at


def shown_page(
    request: Request,
    look: PageLook,
    rooms: Rooms,
    page: OpenedPage,
    *,
    done: str = "",
    verb: str = "",
    why: str = "",
    draft: Mapping[str, str] | None = None,
    status: int = HTTPStatus.OK,
    act: str = "",
) -> PageView:
    """The page; `verb`: the act that was refused and `why`, `draft` as it was typed, `act` where its id stays."""
    case = page.life.case
    number = str(request.path_params["number"])
    if case is None:
        return PageView("citizen-waits.html", {"number": number})
    now, text = rooms.clock.now(), translations_of(look.language).gettext

    def unit(code: str) -> str:
        return unit_name(rooms.catalogue, code)

    def shown(at: datetime) -> str:
        return instant(at, case.ruleset, now)

    facts = page.life.facts
    told = milestones([one.fact for one in facts], [one.at for one in facts], text, unit)
    last_at = told[0].at if told else case.received_at
    answers_here = roles.CITIZENS in rooms.speakers.roles
    values: dict[str, Any] = {
        "number": case.complaint_number,
        "title": masked(case.title),
        "words": [masked(one) for one in (case.content, *case.added) if one],
        "place": masked(" ".join(filter(None, (case.district, case.street, case.address)))),
        "ruleset": case.ruleset,
        "standing": standing(case, now, last_at, text, unit, shown, answers_here=answers_here),
        "milestones": told,
        "asked": is_asked(rooms, case, now),
        "adds": roles.AGENTS in rooms.speakers.roles and goes_on(case),
        "rates": roles.AGENTS in rooms.speakers.roles,
        "withdraws": roles.AGENTS in rooms.speakers.roles and case.ended is None,
        "done": done,
        "verb": verb,
        "why": why,
        "visit": 0 if case.visit is None else case.visit.visit,
        "draft": draft or {},
        "act": act or new_act(),
    }
    return PageView("citizen-mine.html", values, status)
