"""Every route of the HTTP door, a line each. Starlette's routes and `docs/openapi.json` are made of it."""

from __future__ import annotations

from typing import Final

from hotline.readside.rows import ROLES
from hotline.web.acts import acting, outcome
from hotline.web.answers import (
    AcceptedEvents,
    ActOutcome,
    ComplaintPage,
    ComplaintSeen,
    ComplaintTimeline,
    ContactSeen,
    KeySeen,
    KnownUnits,
    OfferedAnswers,
    SealedContact,
    UndecidedAct,
)
from hotline.web.contacts import put_contact, read_contact
from hotline.web.following import PLACES, follow_orders
from hotline.web.handlers import (
    TRUTHS,
    known_units,
    offers_of_unit,
    one_complaint,
    one_timeline,
    orders_of_unit,
    own_key,
    reviews_waiting,
    take_events,
    take_signed_events,
)
from hotline.web.limits import PAGE_MAX, SIGNED_SECONDS_MAX
from hotline.web.open311.lines import LINES, QUERY, Open311Line, path_of
from hotline.web.open311.wire import FORMATS
from hotline.web.paths import (
    COMPLAINT,
    EVENTS,
    FOLLOWED,
    OFFERS,
    ORDERS,
    OUTCOMES,
    OWN_KEY,
    SIGNED,
    TIMELINE,
    UNITS,
    act_path,
)
from hotline.web.problems import ProblemKind
from hotline.web.roles import ACTS_OF, LISTENER_OF, HttpListener, KeyScope
from hotline.web.route_shapes import (
    HttpParameter,
    HttpRoute,
    TakenBody,
    WireName,
)
from hotline.web.signing import ID, SIGNATURE, TIMESTAMP
from shared import roles
from shared.inputs import Input, RecordRequest

_SPEAKING: Final = tuple(LISTENER_OF)
_ACTING: Final = tuple(role for role in _SPEAKING if ACTS_OF[role])
_READING: Final = (roles.AGENTS, roles.UNIT, roles.REVIEWERS, roles.SUPERVISION)
_COMPLAINT: Final = HttpParameter(
    name="complaint", at="path", text="The complaint's number, or its id.", required=True
)
_UNIT: Final = HttpParameter(
    name="unit", at="path", text="The unit by its id in the dispatch catalogue.", required=True
)
_PAGE: Final = (
    HttpParameter(name="limit", at="query", text=f"Rows of the page, at most {PAGE_MAX}.", whole=True),
    HttpParameter(name="after", at="query", text="The place of the last row of the page before."),
)
_OUTCOME: Final = (ProblemKind.NOT_FOUND, ProblemKind.REFUSED, ProblemKind.SET_ASIDE)


def _act(role: str, kind: type[Input]) -> HttpRoute:
    path = act_path(kind)
    return HttpRoute(
        method="POST",
        path=path,
        name=path[1:].replace("/", "."),
        summary=(kind.__doc__ or "").strip().splitlines()[0],
        roles=(role,),
        scope=KeyScope.ACTS,
        handle=acting(kind),
        takes=TakenBody.INPUT,
        input=kind,
        beside=kind is RecordRequest,
        parameters=(
            HttpParameter(
                name="Idempotency-Key",
                at="header",
                text="The CloudEvents id of the act: sent again it has one effect, and the same answer.",
            ),
        ),
        answers={200: ActOutcome, 202: UndecidedAct},
        problems=_OUTCOME,
    )


def _open311(line: Open311Line) -> HttpRoute:
    ending = HttpParameter(
        name="format", at="path", text="The format of the answer.", required=True, values=tuple(FORMATS)
    )
    parameters = [
        HttpParameter(name=name, at=at, text=text, required=at == "path")
        for at, named in (("path", line.at_path), ("query", line.query | QUERY), ("header", line.headers))
        for name, text in named.items()
    ]
    return HttpRoute(
        method=line.method,
        path=path_of(line),
        name=line.name,
        summary=line.summary,
        roles=(roles.AGENTS,),
        scope=line.scope,
        handle=line.handle,
        takes=TakenBody.FORM if line.form else TakenBody.NONE,
        parameters=(*parameters, ending),
        answers={200: line.answer},
        many=line.many,
        form=line.form,
        form_required=line.required,
        wire=WireName.OPEN311,
        keyless=line.keyless,
        problems=(*line.problems, ProblemKind.NOT_FOUND),
    )


ROUTES: Final[tuple[HttpRoute, ...]] = (
    HttpRoute(
        method="POST",
        path=EVENTS,
        name="events.send",
        summary="Send CloudEvents; the answer is that Kafka has them all, and nothing more.",
        roles=_SPEAKING,
        scope=KeyScope.EVENTS,
        handle=take_events,
        takes=TakenBody.EVENTS,
        answers={202: AcceptedEvents},
    ),
    HttpRoute(
        method="POST",
        path=SIGNED,
        name="events.send-signed",
        summary="Send CloudEvents that a secret of the key has signed, by Standard Webhooks.",
        roles=_SPEAKING,
        scope=KeyScope.EVENTS,
        handle=take_signed_events,
        signed=True,
        takes=TakenBody.EVENTS,
        parameters=(
            HttpParameter(name="key", at="path", text="The id of the key, before the dot.", required=True),
            HttpParameter(name=ID, at="header", text="The id of the message that is signed.", required=True),
            HttpParameter(
                name=TIMESTAMP,
                at="header",
                text=f"When it was signed, in seconds since 1970; at most {SIGNED_SECONDS_MAX} s from now.",
                required=True,
                whole=True,
            ),
            HttpParameter(
                name=SIGNATURE,
                at="header",
                text="v1,BASE64 of HMAC-SHA256 over id, time and body with dots between; several with blanks.",
                required=True,
            ),
        ),
        answers={202: AcceptedEvents},
    ),
    *(_act(role, kind) for role in _ACTING for kind in ACTS_OF[role]),
    HttpRoute(
        method="PUT",
        path="/contacts",
        name="contacts.seal",
        summary="Seal the contact of a request of this key, before it is sent or later; it is never read back here.",
        roles=(roles.AGENTS,),
        scope=KeyScope.ACTS,
        handle=put_contact,
        takes=TakenBody.CONTACT,
        answers={200: SealedContact},
        problems=(ProblemKind.REFUSED,),
    ),
    HttpRoute(
        method="GET",
        path="/contacts/{complaint}",
        name="contacts.read",
        summary="The contact of a complaint that lies with the unit now; each reading is written down.",
        roles=(roles.UNIT,),
        scope=KeyScope.CONTACTS,
        handle=read_contact,
        parameters=(
            HttpParameter(name="complaint", at="path", text="The complaint's id.", required=True),
            HttpParameter(
                name="reason",
                at="query",
                text="Why the assignee of a report or a confidential complaint must know; it is written down.",
            ),
        ),
        answers={200: ContactSeen},
        problems=(ProblemKind.CONTACT_REFUSED, ProblemKind.NOT_FOUND),
    ),
    HttpRoute(
        method="GET",
        path=OUTCOMES,
        name="outcomes.read",
        summary="What came of an event or an act of this key, as an answer's `outcome` names it.",
        roles=_ACTING,
        scope=KeyScope.EVENTS,
        handle=outcome,
        parameters=(
            HttpParameter(name="id", at="query", text="Its CloudEvents id.", required=True),
            HttpParameter(name="source", at="query", text="Its CloudEvents source."),
            HttpParameter(name="type", at="query", text="Its CloudEvents type.", required=True),
            HttpParameter(name="complaint", at="query", text="The complaint's id.", required=True),
            HttpParameter(name="partition", at="query", text="Its partition.", required=True, whole=True),
            HttpParameter(name="offset", at="query", text="Its offset.", required=True, whole=True),
        ),
        answers={200: ActOutcome, 202: UndecidedAct},
        problems=_OUTCOME,
    ),
    HttpRoute(
        method="GET",
        path=COMPLAINT,
        name="complaints.read",
        summary="A complaint: where it lies, until when.",
        roles=_READING,
        scope=KeyScope.READ,
        handle=one_complaint,
        parameters=(_COMPLAINT,),
        answers={200: ComplaintSeen},
        problems=(ProblemKind.NOT_FOUND,),
    ),
    HttpRoute(
        method="GET",
        path=TIMELINE,
        name="complaints.timeline",
        summary="The life of a complaint, a fact a line.",
        roles=_READING,
        scope=KeyScope.READ,
        handle=one_timeline,
        parameters=(_COMPLAINT,),
        answers={200: ComplaintTimeline},
        problems=(ProblemKind.NOT_FOUND,),
    ),
    HttpRoute(
        method="GET",
        path=ORDERS,
        name="orders.list",
        summary="The open orders of a unit, and what it helps with or is called to, the earliest due first.",
        roles=(roles.UNIT, roles.SUPERVISION),
        scope=KeyScope.READ,
        handle=orders_of_unit,
        parameters=(
            _UNIT,
            HttpParameter(name="role", at="query", text="Only this part of the unit.", values=ROLES),
            HttpParameter(name="subject", at="query", text="Only this subject."),
            HttpParameter(name="district", at="query", text="Only this district."),
            HttpParameter(name="urgency", at="query", text="Only this class of limits."),
            HttpParameter(
                name="overdue", at="query", text="Only those whose limit has passed.", values=TRUTHS
            ),
            *_PAGE,
        ),
        answers={200: ComplaintPage},
        problems=(ProblemKind.NOT_FOUND,),
    ),
    HttpRoute(
        method="GET",
        path=FOLLOWED,
        name="orders.follow",
        summary="What the unit's own topic tells, as it comes: server-sent events, each a CloudEvent.",
        roles=(roles.UNIT,),
        scope=KeyScope.READ,
        handle=follow_orders,
        parameters=(
            _UNIT,
            HttpParameter(
                name="Last-Event-ID",
                at="header",
                text="The id of the last event; the next one comes first.",
                whole=True,
            ),
            HttpParameter(
                name="from", at="query", text="Where to begin without it; earliest.", values=PLACES
            ),
        ),
        streams=True,
        problems=(ProblemKind.NOT_FOUND,),
    ),
    HttpRoute(
        method="GET",
        path=OFFERS,
        name="offers.list",
        summary="The answers that are offered to a unit, and which of its orders still wait for one.",
        roles=(roles.UNIT,),
        scope=KeyScope.READ,
        handle=offers_of_unit,
        parameters=(_UNIT,),
        answers={200: OfferedAnswers},
        problems=(ProblemKind.NOT_FOUND,),
    ),
    HttpRoute(
        method="GET",
        path=UNITS,
        name="units.list",
        summary="The units that there are, by the dispatch catalogue.",
        roles=_READING,
        scope=KeyScope.READ,
        handle=known_units,
        answers={200: KnownUnits},
    ),
    HttpRoute(
        method="GET",
        path=OWN_KEY,
        name="key.read",
        summary="The key of this request: whose it is, and what it may.",
        roles=_SPEAKING,
        scope=None,
        handle=own_key,
        answers={200: KeySeen},
    ),
    HttpRoute(
        method="GET",
        path="/reviews",
        name="reviews.list",
        summary="What waits for a reviewer or a council, the earliest due first.",
        roles=(roles.REVIEWERS,),
        scope=KeyScope.READ,
        handle=reviews_waiting,
        parameters=_PAGE,
        answers={200: ComplaintPage},
    ),
    *(_open311(line) for line in LINES),
)
"""A new route is a line here."""


def at(listener: HttpListener) -> tuple[HttpRoute, ...]:
    """The routes that this listener answers."""
    return tuple(route for route in ROUTES if listener in route.listeners)
