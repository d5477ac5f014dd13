"""Handlers of what comes in: a request, answered with a token, and what a token stands for."""

from __future__ import annotations

import re
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec

from hotline.web.acts import BEHIND
from hotline.web.asking import HttpAsk, HttpReply
from hotline.web.citizen_links import link_of_request
from hotline.web.events import HttpEvent
from hotline.web.judging import JudgedEvent
from hotline.web.keys import Key
from hotline.web.open311.contacts import contact_in_form
from hotline.web.open311.offers import Locale
from hotline.web.open311.recording import numbers_of, request_of
from hotline.web.open311.serving import language
from hotline.web.open311.shapes import AcceptedRequest, GeoReportList, TokenAnswer
from hotline.web.open311.wire import form
from hotline.web.problems import HttpRefusal, ProblemKind, sentence
from hotline.web.reading import lent
from hotline.web.roles import KeyScope
from hotline.web.speaking import SentEvent
from shared.cloudevents import input_headers
from shared.complaint_number import number_of
from shared.doors.heard import of_login
from shared.events import ComplaintReceived
from shared.ids import ComplaintId
from shared.inputs import Input
from shared.log.codec import decoded
from shared.policy.ruleset import ruleset
from shared.topics import INTAKE_REQUESTS

IDEMPOTENCY_KEY: Final = "idempotency-key"
ONCE_MAX: Final = 128
_NOTICE: Final = ("诉求已收到,请用 token 查询编号", "It has come in: ask with the token for its number")
_TOKEN: Final = re.compile(r"([0-9a-f]{32})-(\d{1,9})-(\d{1,18})(?:-([a-z0-9][a-z0-9_-]{0,79}))?", re.ASCII)
_CAME: Final = """
SELECT p.reason, f.type, f.schema_version, f.body FROM (SELECT $1::uuid AS stream_id) one
LEFT JOIN es.fact f ON f.stream_id = one.stream_id AND f.version = 1
LEFT JOIN es.parked p ON p.consumer = $2 AND p.topic = $3 AND p.part = $4 AND p.kafka_offset = $5
"""


async def take_request(ask: HttpAsk) -> HttpReply:
    """Put a request on the topic of the key; the token says what comes of it."""
    given, key = form(ask), ask.key
    numbers = numbers_of(key.name, key.sources[0], _once(ask))
    command = request_of(
        given, ask.rooms.offers, ruleset(ask.rooms.ruleset), numbers.request_id, key.sources[0]
    )
    now = ask.rooms.clock.now()
    judged = judged_input(ask, command, numbers.event_id)
    assert judged.complaint_id is not None  # noqa: S101 -- a request becomes a complaint
    contact = contact_in_form(given)
    if contact is not None:
        await ask.rooms.contacts.seal(key, judged.complaint_id, contact)
    (sent,) = await ask.rooms.speakers.send(key.role, [judged])
    notice = _NOTICE[language(ask) is Locale.EN]
    token = token_of(sent, judged.complaint_id, key.name)
    link = await link_of_request(ask, judged.complaint_id, now)
    accepted = AcceptedRequest(token=token, service_notice=notice, citizen_link=link or msgspec.UNSET)
    return HttpReply(200, GeoReportList(kind=AcceptedRequest, items=[accepted]))


def judged_input(ask: HttpAsk, command: Input, event_id: str) -> JudgedEvent:
    """An input as the CloudEvent that is sent, judged by its door; `HttpRefusal` where that would set it aside."""
    headers = input_headers(type(command), ask.key.sources[0], event_id, ask.rooms.clock.now())
    event = HttpEvent(tuple(headers), msgspec.json.encode(command))
    (judged,) = ask.rooms.judge.judged(ask.key, [event])
    return judged


def _once(ask: HttpAsk) -> str:
    given = ask.request.headers.get(IDEMPOTENCY_KEY)
    if given is None:
        return str(uuid4())
    if not (1 <= len(given) <= ONCE_MAX and given.isprintable() and given.strip()):
        raise HttpRefusal(
            ProblemKind.BAD_EVENT,
            f"Idempotency-Key: expected 1 to {ONCE_MAX} characters that show.",
            field="Idempotency-Key",
        )
    return given


def token_of(sent: SentEvent, complaint: ComplaintId, login: str) -> str:
    """The complaint that a request becomes, and where the request lies: all that says what came of it."""
    own = f"-{login}" if login else ""
    return f"{complaint.replace('-', '')}-{sent.partition}-{sent.offset}{own}"


async def resolve_token(ask: HttpAsk) -> HttpReply:
    """The number of the request that a token stands for, once it is on record."""
    asked = ask.path("token")
    found = _TOKEN.fullmatch(asked)
    if found is None:
        raise HttpRefusal(ProblemKind.NOT_FOUND, "There is no such token.")
    complaint, login = UUID(found[1]), found[4] or ""
    topic = of_login(INTAKE_REQUESTS, login) if login else INTAKE_REQUESTS.name
    where = (ask.rooms.prefix + topic, int(found[2]), int(found[3]))
    async with lent(ask.rooms.pool) as connection:
        row = await connection.fetchrow(_CAME, complaint, INTAKE_REQUESTS.hearers[0], *where)
    assert row is not None  # noqa: S101 -- it begins with a row of its own
    if row["reason"] is not None and not row["reason"].startswith(BEHIND):
        raise HttpRefusal(ProblemKind.SET_ASIDE, _set_aside(ask.key, login, row["reason"]))
    number = _number(ComplaintId(str(complaint)), row)
    answer = TokenAnswer(token=asked, service_request_id=number or msgspec.UNSET)
    return HttpReply(200, GeoReportList(kind=TokenAnswer, items=[answer]))


def _set_aside(key: Key, login: str, reason: str) -> str:
    own = key.may(KeyScope.READ) and key.name == login
    if own or key.may(KeyScope.READ_ALL):
        return sentence(reason)
    return "The hotline set the request aside: the key that sent it is told why, if it may read."


def _number(complaint: ComplaintId, row: Any) -> str:
    """The number of a complaint by its first fact; empty where there is none yet."""
    if row["type"] is None:
        return ""
    fact = decoded(row["type"], row["schema_version"], row["body"])
    if not isinstance(fact, ComplaintReceived):
        return ""
    return number_of(complaint, fact.received_at, fact.ruleset)
