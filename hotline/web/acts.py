"""Acts: an input that goes to its topic as anybody's does, and waits for what comes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote
from uuid import UUID, uuid4

import msgspec

from hotline.casefile import refusals
from hotline.web.answers import ActOutcome, UndecidedAct
from hotline.web.asking import HttpAsk, HttpReply
from hotline.web.citizen_links import link_of_request
from hotline.web.contact_seal import without_contact
from hotline.web.events import HttpEvent, depth_of
from hotline.web.judging import JudgedEvent
from hotline.web.limits import DEPTH_MAX, OUTCOME_SECONDS_MAX
from hotline.web.outcomes import POLL_SECONDS, AwaitedAct, CameOfIt
from hotline.web.paths import OUTCOMES
from hotline.web.problems import HttpRefusal, ProblemKind, sentence
from hotline.web.reading import OfAct, is_dispatched, is_party, lent, of_act
from hotline.web.roles import ACTS_OF
from hotline.web.speaking import SentEvent
from shared.cloudevents import input_headers
from shared.contacts.details import Contact
from shared.events import (
    REFUSALS,
    ComplaintAnsweredDirectly,
    ComplaintReceived,
    ComplaintTurnedAway,
    Fact,
)
from shared.ids import ComplaintId, message_id
from shared.inputs import INPUTS, Input, RecordRequest
from shared.log.away import is_away
from shared.log.codec import ce_type_of
from shared.results import wrong_field

PHONE: Final = "phone"
"""The channel of a call: an agent gives its citizen a link where he is asked for one (`hotline contact link`)."""
IDEMPOTENCY_KEY: Final = b"idempotency-key"
BEHIND: Final = "waits behind"
"""How the reason begins of a message that waits for another one of its complaint."""
NOT_ON_RECORD: Final = "is not on record"
"""How the reason ends of a message about a complaint that nobody has recorded."""
_NOT_YOURS: Final = "No order of this complaint lies with you."


def acting(kind: type[Input]) -> Callable[[HttpAsk], Awaitable[HttpReply]]:
    """The handler of this act's path."""

    async def act(ask: HttpAsk) -> HttpReply:
        if kind not in ACTS_OF[ask.key.role]:
            raise HttpRefusal(ProblemKind.NOT_ALLOWED, f"The role {ask.key.role} does not say {kind.TYPE}.")
        body, contact = await ask.body(), None
        if kind is RecordRequest:
            body, contact = without_contact(body)
        reply = await spoken(ask, _event(ask, kind, body), contact)
        return await _with_link(ask, body, reply) if kind is RecordRequest else reply

    return act


class _Channel(msgspec.Struct, frozen=True):
    """The part of a request that says how it came."""

    channel: str = PHONE


async def _with_link(ask: HttpAsk, body: bytes, reply: HttpReply) -> HttpReply:
    """The answer with the citizen's link, where the request is on record by this act and came by no telephone."""
    told, received = reply.body, ce_type_of(ComplaintReceived.__name__, ComplaintReceived.SCHEMA).decode()
    if not isinstance(told, ActOutcome) or received not in {fact.type for fact in told.facts}:
        return reply
    if msgspec.json.decode(body, type=_Channel).channel == PHONE:
        return reply
    link = await link_of_request(ask, ComplaintId(told.complaint_id), ask.rooms.clock.now())
    return reply._replace(body=msgspec.structs.replace(told, citizen_link=link or msgspec.UNSET))


async def spoken(
    ask: HttpAsk, event: HttpEvent, contact: Contact | None = None, *, speaker: str = ""
) -> HttpReply:
    """Send the event of an act, and wait for what comes of it; `HttpRefusal` where it is refused or cannot be sent.

    `contact`: that of the request, which is sealed before. `speaker`: the login that sends it; empty: its role's.
    """
    (judged,) = _as_act(ask, event)
    if contact is not None and judged.complaint_id is not None:
        await ask.rooms.contacts.seal(ask.key, judged.complaint_id, contact)
    (sent,) = await ask.rooms.speakers.send(speaker or ask.key.role, [judged])
    return await came(ask, sent)


def _event(ask: HttpAsk, kind: type[Input], body: bytes) -> HttpEvent:
    """The CloudEvent of an act, as the commands of the hotline send it."""
    content_type = ask.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise HttpRefusal(
            ProblemKind.WRONG_TYPE,
            "The body of an act is JSON.",
            field="content-type",
            expected="application/json",
        )
    if depth_of(body) > DEPTH_MAX:
        raise HttpRefusal(ProblemKind.BAD_EVENT, f"The body is nested deeper than {DEPTH_MAX}.")
    given = [value for name, value in ask.request.headers.raw if name == IDEMPOTENCY_KEY]
    event_id = given[0] if given else str(uuid4()).encode()
    headers = dict(input_headers(kind, ask.key.sources[0], "", ask.rooms.clock.now()))
    return HttpEvent((*(headers | {"ce_id": event_id}).items(),), body)


def _as_act(ask: HttpAsk, event: HttpEvent) -> list[JudgedEvent]:
    try:
        return ask.rooms.judge.judged(ask.key, [event])
    except HttpRefusal as refused:
        if refused.problem.field != "ce-id":
            raise
        raise HttpRefusal(
            refused.kind,
            refused.problem.detail.replace("Header ce-id", "Idempotency-Key"),
            field="Idempotency-Key",
            expected="1 to 128 characters that show",
        ) from None


def outcome_link(sent: SentEvent) -> str:
    """Where this key may ask what came of what it sent."""
    event = sent.event
    return (
        f"{OUTCOMES}?id={quote(event.event_id, safe='')}&type={event.kind.TYPE}&source={quote(event.source, safe='')}"
        f"&partition={sent.partition}&offset={sent.offset}&complaint={event.complaint_id or ''}"
    )


async def came(ask: HttpAsk, sent: SentEvent) -> HttpReply:
    """The outcome of an act that was just sent, waited for."""
    give_up_at = time.monotonic() + OUTCOME_SECONDS_MAX
    event, complaint = sent.event, sent.event.complaint_id
    assert complaint is not None  # noqa: S101 -- only a call has none, and that is no act
    act = AwaitedAct(
        consumer=ask.key.line.hearers[0],
        identity=event.identity,
        topic=event.message.topic,
        partition=sent.partition,
        offset=sent.offset,
        content=event.content,
    )
    link = outcome_link(sent)
    try:
        come = await ask.rooms.watch.wait(act, give_up_at - time.monotonic())
        if come is not None:
            found = await _facts(ask, complaint, act, come, until=give_up_at)
            return await told(ask, event.source, event.event_id, complaint, come, found, link)
    except Exception as error:
        if not is_away(error):
            raise
    return undecided(event.source, event.event_id, link)


async def _facts(
    ask: HttpAsk, complaint: ComplaintId, act: AwaitedAct, came: CameOfIt, *, until: float
) -> OfAct | None:
    """The facts that the act led to; of a request that goes on, once it is dispatched."""
    if came.parked is not None:
        return None
    async with lent(ask.rooms.pool) as connection:
        found = await of_act(connection, complaint, act.identity)
        while _goes_on(found.facts) and found.order is None and time.monotonic() < until:
            if await is_dispatched(connection, complaint):
                return await of_act(connection, complaint, act.identity)
            await asyncio.sleep(POLL_SECONDS)
        return found


def _goes_on(facts: list[Fact]) -> bool:
    """Whether a unit will get what was just recorded."""
    kinds = {type(fact) for fact in facts}
    return ComplaintReceived in kinds and kinds.isdisjoint({ComplaintAnsweredDirectly, ComplaintTurnedAway})


async def told(
    ask: HttpAsk,
    source: str,
    event_id: str,
    complaint: ComplaintId,
    came: CameOfIt,
    found: OfAct | None,
    link: str,
) -> HttpReply:
    """The answer to the sender: 200, 202 where it waits, or `HttpRefusal`."""
    if came.parked is not None or found is None:
        return _set_aside(ask, source, event_id, came.parked or "", link)
    refused = [fact for fact in found.facts if isinstance(fact, REFUSALS)]
    # Of a request that is on record, one part may be refused: an article, a link. The facts say so.
    if refused and not any(isinstance(fact, ComplaintReceived) for fact in found.facts):
        if ask.key.unit:
            async with lent(ask.rooms.pool) as connection:
                if not await is_party(connection, complaint, ask.key.unit):
                    raise HttpRefusal(ProblemKind.NOT_FOUND, _NOT_YOURS)
        raise HttpRefusal(
            ProblemKind.REFUSED,
            refusals.answer(refused[0]),
            fact=type(refused[0]).__name__,
            facts=found.stated,
            outcome=link,
        )
    received = any(isinstance(fact, ComplaintReceived) for fact in found.facts)
    return HttpReply(
        200,
        ActOutcome(
            source=source,
            id=event_id,
            complaint_id=complaint,
            complaint_number=found.number if found.number and found.facts else msgspec.UNSET,
            facts=found.stated,
            order=found.order if received and found.order is not None else msgspec.UNSET,
        ),
    )


def _set_aside(ask: HttpAsk, source: str, event_id: str, reason: str, link: str) -> HttpReply:
    if reason.startswith(BEHIND):
        return undecided(source, event_id, link)
    if ask.key.unit and reason.endswith(NOT_ON_RECORD):
        raise HttpRefusal(ProblemKind.NOT_FOUND, _NOT_YOURS)
    wrong = wrong_field(reason)
    raise HttpRefusal(
        ProblemKind.SET_ASIDE,
        sentence(reason),
        field=msgspec.UNSET if wrong.field is None else wrong.field,
        expected=msgspec.UNSET if wrong.expected is None else wrong.expected,
        outcome=link,
    )


def undecided(source: str, event_id: str, link: str) -> HttpReply:
    """Kafka has it; more is not known yet."""
    return HttpReply(202, UndecidedAct(source=source, id=event_id, outcome=link), {"Location": link})


async def outcome(ask: HttpAsk) -> HttpReply:
    """The outcome of an event or act of this key until now."""
    event_id, kind = ask.query("id"), INPUTS.get(ask.query("type"))
    source = ask.query("source") or ask.key.sources[0]
    if kind not in ACTS_OF[ask.key.role] or source not in ask.key.sources:
        raise HttpRefusal(ProblemKind.NOT_FOUND, "No such event of yours is known.")
    try:
        complaint = ComplaintId(str(UUID(ask.query("complaint"))))
        partition, offset = _whole(ask.query("partition"), 2**31), _whole(ask.query("offset"), 2**63)
    except ValueError:
        raise HttpRefusal(ProblemKind.BAD_EVENT, "The address is none that an answer gave.") from None
    act = AwaitedAct(
        consumer=ask.key.line.hearers[0],
        identity=message_id(ask.key.topic, source, event_id),
        topic=ask.rooms.prefix + ask.key.topic,
        partition=partition,
        offset=offset,
    )
    link = f"{ask.request.url.path}?{ask.request.url.query}"
    came = await ask.rooms.watch.now(act)
    if came is None:
        return undecided(source, event_id, link)
    found = await _facts(ask, complaint, act, came, until=time.monotonic())
    return await told(ask, source, event_id, complaint, came, found, link)


def _whole(text: str, below: int) -> int:
    """A whole number from 0; `ValueError` where the text is none."""
    if not (text.isascii() and text.isdecimal() and int(text) < below):
        message = "expected a whole number"
        raise ValueError(message)
    return int(text)
