"""Sends the words of a citizen: the same events on the same topics as every other door's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hotline.web.acts import spoken
from hotline.web.answers import UndecidedAct
from hotline.web.asking import HttpAsk, Rooms
from hotline.web.citizen_links import MINE
from hotline.web.events import HttpEvent
from hotline.web.keys import Key
from hotline.web.limits import RATE_PER_SECOND
from hotline.web.open311.forms import GivenForm, form_of
from hotline.web.pages.acting import ACT, new_act
from hotline.web.pages.asking import PageView
from hotline.web.pages.catalogues import N_, translations_of
from hotline.web.pages.citizen.mine import OpenedPage, is_asked, opened_page, shown_page
from hotline.web.pages.citizen.session import closed_page, moved
from hotline.web.pages.look import PageLook
from hotline.web.pages.problems import PageFault, PageRefusal
from hotline.web.pages.reasons import reason
from hotline.web.problems import HttpRefusal, ProblemKind
from shared import roles
from shared.cloudevents import input_headers
from shared.ids import derived
from shared.inputs import GiveRating, Input, RecordVisit, SupplementRequest, WithdrawRequest
from shared.text import has_words

SOURCE: Final = MINE
"""The CloudEvents source of what citizens say here."""
CHANNEL: Final = "web"
CITIZEN: Final = "citizen"
"""The citizen wrote it down himself."""
YES, NO = "yes", "no"
TEXT_MAX: Final = 4000
"""Characters of what is added, as its input has it."""
NOTE_MAX: Final = 400
"""Characters of a reason and of a comment, likewise."""
NOTHING: Final = N_("Write what you want to add.")
TOO_LONG: Final = N_("That is too long: at most %(most)s characters.")
NOT_NOW: Final = N_("It could not be sent just now. Nothing is lost: send it once more.")
TOO_FAST: Final = N_("You have sent much in a short time. Wait a minute, then send it once more.")
CHOOSE: Final = N_("Choose yes or no for both questions.")
CHOOSE_ONE: Final = N_("Choose one of the two.")
NOT_ASKED: Final = N_("You are not asked just now: perhaps you have answered already.")
_FIELDS: Final = ("text", "reason", "comment", "solved", "satisfied")


_OWN: Final = {ProblemKind.AWAY: NOT_NOW, ProblemKind.TOO_MANY: TOO_FAST}
"""Refusals that have a sentence of their own."""


class _Unsayable(Exception):  # noqa: N818 -- an answer, not our failure
    """The form does not say what it must."""

    def __init__(self, text: str, most: int = 0) -> None:
        """`text`: one of the catalogues; `most`: so many characters may stand there."""
        super().__init__(text)
        self.text: Final = text
        self.most: Final = most


class CitizenVerb(NamedTuple):
    """One thing that a citizen can say."""

    data: Callable[[GivenForm, OpenedPage, Rooms], Mapping[str, Any]]
    """The fields of the input beside the complaint."""
    kind: type[Input]
    role: str
    """The role whose door it goes through."""
    speaker: str = ""
    """The login that sends it, where that is not its role's."""


def _choice(form: GivenForm, name: str, wanting: str) -> bool:
    said = form.one(name)
    if said not in {YES, NO}:
        raise _Unsayable(wanting)
    return said == YES


def _text(form: GivenForm, name: str, most: int) -> str:
    """A text as it was typed; a browser sends the end of a line as two characters."""
    text = form.one(name).replace("\r\n", "\n")
    if len(text) > most:
        raise _Unsayable(TOO_LONG, most)
    return text


def _supplement(form: GivenForm, page: OpenedPage, rooms: Rooms) -> Mapping[str, Any]:
    del page, rooms
    text = _text(form, "text", TEXT_MAX)
    if not has_words(text):
        raise _Unsayable(NOTHING)
    return {"text": text, "recorded_by": CITIZEN}


def _withdraw(form: GivenForm, page: OpenedPage, rooms: Rooms) -> Mapping[str, Any]:
    del page, rooms
    return {"reason": _text(form, "reason", NOTE_MAX)}


def _rate(form: GivenForm, page: OpenedPage, rooms: Rooms) -> Mapping[str, Any]:
    del page, rooms
    satisfied = _choice(form, "satisfied", CHOOSE_ONE)
    return {"satisfied": satisfied, "comment": _text(form, "comment", NOTE_MAX), "channel": CHANNEL}


def _visit(form: GivenForm, page: OpenedPage, rooms: Rooms) -> Mapping[str, Any]:
    """The citizen who answers is reached. An old form of an earlier round answers nothing."""
    case = page.life.case
    if case is None or case.visit is None or not is_asked(rooms, case, rooms.clock.now()):
        raise _Unsayable(NOT_ASKED)
    if form.one("visit") != str(case.visit.visit):
        raise _Unsayable(NOT_ASKED)
    return {
        "visit": case.visit.visit,
        "attempt": case.visit.attempt,
        "solved": _choice(form, "solved", CHOOSE),
        "satisfied": _choice(form, "satisfied", CHOOSE),
        "reason": _text(form, "reason", NOTE_MAX),
        "channel": CHANNEL,
    }


VERBS: Final[Mapping[str, CitizenVerb]] = {
    "supplement": CitizenVerb(_supplement, SupplementRequest, roles.AGENTS),
    "withdraw": CitizenVerb(_withdraw, WithdrawRequest, roles.AGENTS),
    "rate": CitizenVerb(_rate, GiveRating, roles.AGENTS),
    "visit": CitizenVerb(_visit, RecordVisit, roles.DIALLER, roles.CITIZENS),
}


async def say(request: Request, look: PageLook, rooms: Rooms) -> PageView | Response:
    """Say it, and wait for what comes of it. Where it is refused the page says why, and the draft stays."""
    name = str(request.path_params["verb"])
    verb = VERBS.get(name)
    if verb is None:
        raise PageRefusal(PageFault.NOT_FOUND)
    form = await form_of(request)
    page = await opened_page(request, rooms)
    if page is None:
        return closed_page(request)
    text = translations_of(look.language).gettext
    why, act = "", ""
    try:
        undecided = await _said(request, rooms, page, verb, form)
    except _Unsayable as wanting:
        why, status = text(wanting.text) % {"most": wanting.most}, int(HTTPStatus.BAD_REQUEST)
    except HttpRefusal as refused:
        own = _OWN.get(refused.kind)
        why = reason(look.language, refused.problem.detail) if own is None else text(own)
        status = HTTPStatus.CONFLICT if own is None else refused.kind.status
        act = form.one(ACT) if own is NOT_NOW else ""  # it may have been sent, and has one effect
    else:
        told = urlencode({"done": "sent" if undecided else name})
        return moved(request, f"{MINE}/{request.path_params['number']}?{told}")
    again = await opened_page(request, rooms)  # perhaps it is refused because the life has gone on
    draft = {field: form.one(field) for field in _FIELDS}
    return shown_page(
        request, look, rooms, again or page, verb=name, why=why, draft=draft, status=status, act=act
    )


async def _said(request: Request, rooms: Rooms, page: OpenedPage, verb: CitizenVerb, form: GivenForm) -> bool:
    """Say it; whether what came of it is not known yet. `HttpRefusal` where it is refused or cannot be sent."""
    data = msgspec.json.encode({"complaint_id": page.complaint, **verb.data(form, page, rooms)})
    # The same form sent twice has one effect; sent again with other words it is another act.
    act_id = derived("citizen", verb.kind.TYPE, form.one(ACT) or new_act(), data.decode())
    key = Key(
        key_id=f"{CITIZEN} {page.complaint}",
        role=verb.role,
        name="",
        scopes=frozenset(),
        sources=(SOURCE,),
        rate=RATE_PER_SECOND,
    )
    rooms.rates.spend_said(page.complaint)
    event = HttpEvent(tuple(input_headers(verb.kind, SOURCE, act_id, rooms.clock.now())), data)
    reply = await spoken(HttpAsk(request, key, rooms), event, speaker=verb.speaker)
    return isinstance(reply.body, UndecidedAct)
