"""The agent's page: a request is put on record, and shown before is where it goes, until when, and what is like it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response

from hotline.readside.lists import Listed
from hotline.readside.search import found
from hotline.web.contact_seal import GivenContact, contact_of_fields, sender_of
from hotline.web.pages.acting import ACT, DoneAct, acted, data_of, form_of, new_act
from hotline.web.pages.asking import PageAsk, PageMoved, PageView
from hotline.web.pages.call_context import (
    CallerMatters,
    articles_of,
    call_of_page,
    context_of,
    note_record,
    recorded_twice,
    records_of,
)
from hotline.web.pages.catalogues import N_
from hotline.web.pages.gate import HEADERS
from hotline.web.pages.naming import unit_name
from hotline.web.pages.reason_given import GivenReason
from hotline.web.pages.rendering import block
from hotline.web.pages.verbs import CHECK, CHOICE, TEXT, WORDS, FormField, VerbForm
from hotline.web.reading import lent
from services.dispatch.routing import routed
from shared import inputs
from shared.contacts.details import Contact, ContactInvalid
from shared.events.base import RequestType, TurnedAway, Urgency
from shared.ids import complaint_id
from shared.policy.calendar import calendar
from shared.policy.deadlines import due_at
from shared.policy.ruleset import ruleset
from shared.text import folded, has_words

ALIKE_MAX: Final = 5
"""Open complaints of the same subject and place that are shown before one more is made."""

RECORD: Final = VerbForm(
    inputs.RecordRequest,
    "",
    lambda _: True,
    (
        FormField("request_type", CHOICE, tuple(RequestType), "RequestType", usual=RequestType.HELP),
        FormField("urgency", CHOICE, tuple(Urgency), "Urgency", usual=Urgency.GENERAL_7D),
        FormField("subject", WORDS, most=200),
        FormField("district", WORDS, most=200),
        FormField("street", WORDS, most=200, demanded=False),
        FormField("address", WORDS, demanded=False),
        FormField("title", WORDS, most=200),
        FormField("content", TEXT, most=4000, demanded=False),
        FormField("confidential", CHECK, demanded=False),
        FormField("another_matter", CHECK, demanded=False),
    ),
)
KEYS_OF_SERVICES: Final = ("F4", "F8", "F9", "F10")
"""Keys that a browser leaves to a page: they hand an emergency on, wherever one types. F2 goes to the call."""
CONTACT: Final = ("name", "phone", "callback")
MARKED: Final = ("PROPOSED", "OBJECTED")
"""The acts of an agent on the mark of a caller."""


class Foreseen(NamedTuple):
    """Where a request would go, as the catalogue and the rule set say now."""

    unit: str
    co_units: list[str]
    due_at: datetime | None
    alike: list[Listed]
    twice: list[Listed]
    """Records of the same call, subject and place: one more would end where they go on (T7)."""
    unlisted: list[str]
    """Which of subject, district and street the catalogue does not know."""


async def record_page(ask: PageAsk) -> PageView:
    """The empty form; of a call that this person took, with what its caller has open."""
    return PageView("record.html", await _values(ask, {"call_id": ask.query("call")}))


async def record_view(ask: PageAsk, call_id: str, mark_refused: GivenReason) -> PageView:
    """The same where the caller could not be marked, or could not object: it says why, and what was typed stays."""
    values = {**await _values(ask, {"call_id": call_id}), "mark_refused": mark_refused}
    return PageView("record.html", values, HTTPStatus.CONFLICT)


async def foreseen_part(ask: PageAsk) -> Response:
    """The part of the page that says where it would go; asked for while the form is filled in."""
    draft = dict(ask.request.query_params)
    values = {"foreseen": await _foreseen(ask, draft), "now": ask.now, "ruleset": ask.rooms.ruleset}
    return HTMLResponse(block(ask.look, "record.html", "foreseen", **values), headers=HEADERS)


async def put_on_record(ask: PageAsk) -> PageView | PageMoved:
    """Seal the contact, record the request, and go on to its life, with the number to read back."""
    form = await form_of(ask)
    act = str(form.get(ACT, ""))
    draft = {key: str(value) for key, value in form.items()}
    call_id = draft["call_id"] = await call_of_page(ask, draft.get("call_id", ""))
    data = data_of(form, RECORD, {}, ask.rooms.catalogue)
    data |= {"request_id": f"page-{act}", "recorded_by": ask.staff.staff_id}
    data |= {"call_id": call_id} if call_id else {}
    data |= _answered(draft.get("article", "")) | _handed_on(ask, draft)
    try:
        contact = _contact(draft)
    except ContactInvalid as error:
        refused = DoneAct(done=False, why=f"{error}.", field=str(error).partition(":")[0])
        return PageView("record.html", await _values(ask, draft, refused), HTTPStatus.CONFLICT)
    done = await acted(ask, inputs.RecordRequest, data, act, contact)
    if not done.done:
        return PageView("record.html", await _values(ask, draft, done), HTTPStatus.CONFLICT)
    complaint = complaint_id(data["request_id"], ask.staff.key.name)
    if contact is not None:
        await ask.rooms.callers.put(complaint, sender_of(ask.staff.key), contact)
    if call_id:
        await note_record(ask, call_id, complaint)
    told = {"recorded": "yes", **({"call": call_id} if call_id else {})}
    if done.number:
        return PageMoved(f"/life/{done.number}?{urlencode(told)}")
    return PageMoved(f"/record?{urlencode({'sent': 'yes', 'of': call_id})}")


def _answered(article: str) -> dict[str, Any]:
    """The fields of a request that was answered from an article on the spot: a consultation (B2)."""
    article_id, _, version = article.rpartition("@")
    if not (article_id and version.isascii() and version.isdecimal()):
        return {}
    kind = RequestType.CONSULT
    return {"article_id": article_id, "article_version": int(version), "request_type": kind}


def _handed_on(ask: PageAsk, draft: Mapping[str, str]) -> dict[str, Any]:
    """The fields of an emergency that goes to another service (R4); what nobody had time to ask is said so."""
    service = draft.get("emergency", "")
    if not service:
        return {}
    usual = {
        "title": ask.text(N_("Emergency, handed to %(service)s")) % {"service": service},
        "subject": ask.text(N_("emergency")),
        "district": ask.text(N_("not asked")),
    }
    said = {name: draft.get(name, "").strip() or text for name, text in usual.items()}
    return {**said, "turned_away": TurnedAway.EMERGENCY, "turned_away_to": service}


async def bring_up_again(ask: PageAsk) -> PageMoved | PageView:
    """The caller brings a matter up again (催办): it is counted once a call."""
    form = await form_of(ask)
    act = str(form.get(ACT, ""))
    call_id = await call_of_page(ask, str(form.get("call_id", "")))
    data = {
        "complaint_id": str(form.get("complaint_id", "")),
        "repeat_id": call_id or f"page-{act}",
        "recorded_by": ask.staff.staff_id,
    }
    done = await acted(ask, inputs.RepeatRequest, data, act)
    if not done.done:
        return PageView("record.html", await _values(ask, {"call_id": call_id}, done), HTTPStatus.CONFLICT)
    return PageMoved(f"/life/{form.get('number', '')}")


def _contact(draft: Mapping[str, str]) -> Contact | None:
    given = {name: draft.get(name, "").strip() for name in CONTACT}
    return contact_of_fields(GivenContact(**given)) if any(given.values()) else None


async def _values(ask: PageAsk, draft: Mapping[str, str], refused: DoneAct | None = None) -> dict[str, Any]:
    known = ask.rooms.catalogue
    call = await context_of(ask, draft.get("call_id", ""))
    services = ruleset(ask.rooms.ruleset).emergency_services
    return {
        "verb": RECORD,
        "act": new_act(),
        "draft": draft,
        "refused": refused,
        "sent": ask.query("sent") == "yes",
        "sent_of": ask.query("of"),
        "call": call,
        "call_id": "" if call is None else call.call_id,
        "matters": CallerMatters([], []) if call is None else call.matters,
        "asked": call is not None,
        "mark": None if call is None else call.mark,
        "marked": ask.query("marked") if ask.query("marked") in MARKED else "",
        "mark_refused": None,
        "mark_days": ruleset(ask.rooms.ruleset).caller_mark_days,
        "articles": await articles_of(ask, draft),
        "chosen": draft.get("article", ""),
        "services": list(zip(services, KEYS_OF_SERVICES, strict=False)),
        "subjects": list(known.subjects),
        "districts": list(known.districts),
        "streets": [street for one in known.districts.values() for street in one.streets],
        "foreseen": await _foreseen(ask, draft),
        "ruleset": ask.rooms.ruleset,
        "now": ask.now,
    }


async def _foreseen(ask: PageAsk, draft: Mapping[str, str]) -> Foreseen | None:
    """None until subject and district are there."""
    subject, district, street = (folded(draft.get(name, "")) for name in ("subject", "district", "street"))
    if not (has_words(subject) and has_words(district)):
        return None
    known = ask.rooms.catalogue
    to = routed(known, subject, district, street or None)
    rules = ruleset(ask.rooms.ruleset)
    urgency = draft.get("urgency", "")
    limits = rules.classes[Urgency(urgency) if urgency in set(Urgency) else Urgency.GENERAL_7D]
    due = (
        None
        if limits.feedback is None
        else due_at(ask.now, limits.feedback, rules, calendar(ask.rooms.calendar)).at
    )
    async with lent(ask.rooms.pool) as connection:
        alike = await found(
            connection, subject=subject, district=district, street=street, open_only=True, most=ALIKE_MAX
        )
    call_id = await call_of_page(ask, draft.get("call_id", ""))
    twice = recorded_twice(await records_of(ask, call_id), draft) if call_id else []
    territory = known.districts.get(district)
    unlisted = [
        name
        for name, there in (
            ("subject", subject in known.subjects),
            ("district", territory is not None),
            ("street", not street or (territory is not None and street in territory.streets)),
        )
        if not there
    ]
    co_units = [unit_name(known, one) for one in to.co_units]
    return Foreseen(unit_name(known, to.unit), co_units, due, alike, twice, unlisted)
