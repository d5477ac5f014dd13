"""Handlers of `servicerequestupdates`: what a sender hears of its requests, and what it has to add."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from hotline.web.acts import came
from hotline.web.asking import HttpAsk, HttpReply
from hotline.web.open311.forms import GivenForm, bad
from hotline.web.open311.history import TYPES, told
from hotline.web.open311.instants import AskedSpan, asked_span, stamp
from hotline.web.open311.reading import updates_of
from hotline.web.open311.requests_in import judged_input
from hotline.web.open311.serving import language
from hotline.web.open311.shapes import AcceptedUpdate, GeoReportList, RequestUpdate
from hotline.web.open311.wire import form
from hotline.web.problems import HttpRefusal, ProblemKind
from hotline.web.reading import complaint_of, lent
from shared.ids import ComplaintId, derived
from shared.inputs import GiveRating, Input, RepeatRequest, SupplementRequest
from shared.times import zone_of

_NOW: Final = "SELECT clock_timestamp()"
"""A row says when it was recorded by the machine's time."""
LATELY: Final = timedelta(days=1)
"""The span of a question that names none."""
NOTE_MAX: Final = 400
"""Characters of a note and of a comment."""
DESCRIPTION_MAX: Final = 4000
UPDATE_ID_MAX: Final = 100
FIELDS: Final[Mapping[str, str]] = {
    "jurisdiction_id": "Not read: there is one city here.",
    "api_key": "ID.SECRET of `hotline key add agents`, where it does not stand in the query or a header.",
    "service_request_id": "The number of the complaint; required.",
    "service_request_id_ext": "Not read.",
    "update_id": f"The sender's own id, at most {UPDATE_ID_MAX} characters; required. Sent again it has one effect.",
    "update_id_ext": "Not read.",
    "updated_datetime": "Not read: what is said of a request counts from its arrival.",
    "status": "The state as the citizen sees it; required.",
    "description": f"What the citizen has to say, at most {DESCRIPTION_MAX} characters.",
    "title": "Not read.",
    "first_name": "Not kept: the contact of a request comes with the request.",
    "last_name": "Not kept, likewise.",
    "email": "Not kept, likewise.",
    "phone": "Not kept, likewise.",
    "account_id": "Not kept, likewise.",
    "device_id": "Not kept, likewise.",
    "media_url": "Refused where it is given: say it in the description.",
    "public_anonymity_required": "Not read: no name is ever shown.",
    "email_alerts_requested": "Not read.",
}
"""The fields of an update, and what each is for."""
ADDS: Final = ("OPEN", "INVESTIGATING", "IN_PROGRESS", "ACTION_SCHEDULED", "PLANNED", "CONFIRMED")
"""The states that say nothing new: what is described with them is what the citizen adds."""
SOLVED: Final = ("FIXED", "FIXED_USER")
"""The states by which a citizen says that it is solved: a rating."""
AGAIN: Final = ("REOPEN", "REOPENED")
"""The states by which a citizen says that it is not: the matter is brought up again."""
DECIDED_HERE: Final = (
    "CLOSED",
    "DUPLICATE",
    "NOT_COUNCILS_RESPONSIBILITY",
    "NO_FURTHER_ACTION",
    "UNABLE_TO_FIX",
    "INTERNAL_REFERRAL",
    "FIXED_COUNCIL",
)
"""The states that the hotline and its units alone decide on."""
STATUSES: Final = (*ADDS, *SOLVED, *AGAIN)


async def read_updates(ask: HttpAsk) -> HttpReply:
    """The changes, in a span, of what the key's login sent over Open311."""
    offers, locale = ask.rooms.offers, language(ask)
    async with lent(ask.rooms.pool) as connection:
        span = _span(ask, await connection.fetchval(_NOW))
        rows = await updates_of(connection, ask.key, span, TYPES)
    items: list[RequestUpdate] = []
    for one in rows:
        line = told(one.row.fact, offers, locale, in_full=True)
        if line is not None:
            items.append(
                RequestUpdate(
                    update_id=one.row.id,
                    service_request_id=one.number,
                    status=line.state,
                    updated_datetime=stamp(one.row.at, zone_of(one.ruleset)),
                    description=line.sentence,
                )
            )
    return HttpReply(200, GeoReportList(kind=RequestUpdate, items=items))


def _span(ask: HttpAsk, now: datetime) -> AskedSpan:
    first, last = ask.query("start_date"), ask.query("end_date")
    if bool(first) != bool(last):
        raise bad("start_date", "start_date and end_date, or neither of them")
    if not first:
        return AskedSpan(now - LATELY, now)
    return asked_span(first, last, now)


async def take_update(ask: HttpAsk) -> HttpReply:
    """Send a citizen's addition to a request as the input that means it, and wait for what comes of it."""
    given = form(ask)
    given.only(FIELDS)
    update = given.one("update_id")
    if not 1 <= len(update) <= UPDATE_ID_MAX:
        raise bad("update_id", f"1 to {UPDATE_ID_MAX} characters")
    status = _status(given)
    async with lent(ask.rooms.pool) as connection:
        named = given.one("service_request_id")
        one = await complaint_of(connection, ask.key, named) if named else None
    if one is None:
        raise HttpRefusal(
            ProblemKind.NOT_FOUND, "service_request_id: there is no such request, or it is none of yours."
        )
    complaint = ComplaintId(one.complaint_id)
    own = f"open311-{derived('open311 update', ask.key.name, ask.key.sources[0], complaint, update)}"
    judged = judged_input(ask, input_of(given, status, complaint, own, ask.key.sources[0]), own)
    (sent,) = await ask.rooms.speakers.send(ask.key.role, [judged])
    await came(ask, sent)
    return HttpReply(200, GeoReportList(kind=AcceptedUpdate, items=[AcceptedUpdate(update_id=own)]))


def _status(given: GivenForm) -> str:
    status = given.one("status").upper().replace(" ", "_")
    if status in STATUSES:
        return status
    if status in DECIDED_HERE:
        raise HttpRefusal(
            ProblemKind.BAD_EVENT,
            f"status: {status} is decided by the hotline and its units; a citizen says {', '.join(STATUSES)}.",
            field="status",
        )
    raise bad("status", " or ".join(STATUSES))


def input_of(given: GivenForm, status: str, complaint: ComplaintId, own: str, recorded_by: str) -> Input:
    """The input that an update means; `HttpRefusal` where it means none."""
    text = given.one("description")
    if given.many("media_url"):
        raise bad("media_url", "its address in the description")
    if len(text) > (DESCRIPTION_MAX if status in ADDS else NOTE_MAX):
        most = DESCRIPTION_MAX if status in ADDS else NOTE_MAX
        raise bad("description", f"at most {most} characters with this status")
    if status in SOLVED:
        return GiveRating(complaint_id=complaint, satisfied=True, comment=text, channel="open311")
    if status in AGAIN:
        return RepeatRequest(complaint_id=complaint, repeat_id=own, note=text, recorded_by=recorded_by)
    if not text:
        raise bad("description", "what the citizen adds, where the status says nothing new")
    return SupplementRequest(complaint_id=complaint, text=text, recorded_by=recorded_by)
