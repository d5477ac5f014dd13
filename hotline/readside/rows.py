"""Rows of a complaint on the read side: all that is listed, counted or searched of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import msgspec

from hotline.readside.words import month_of, named, words_in
from shared.complaint import (
    Answered,
    Complaint,
    DisputeAsked,
    Order,
    ReturnAsked,
    Stage,
    goes_on,
    misses,
    open_questions,
    order_open,
    stage_of,
    watched,
    whole_content,
    whose_asked,
)
from shared.events import Fact
from shared.events.base import Level, Limit, RequestType
from shared.log import timers_of
from shared.times import zone_of

VERSION: Final = 6
"""Of this fold. Raise it where other rows follow from the same complaint: the projector then goes through all."""

ORDERS, REVIEWS, CORRECTIONS, SUPERVISION, VISITS, DESKS = LISTS = (
    "orders",
    "reviews",
    "corrections",
    "supervision",
    "visits",
    "desks",
)
ANSWERED: Final = "answered"
"""The standing of an order that no limit can pass any more."""
LEAD, HELP, CALLED, ARRIVED = ROLES = ("lead", "help", "called", "arrived")
"""The part of a unit in a complaint of its list: it has the order, or it helps.

Or a street whistled for it: it must come, or it has come and stays until the street lets it go (T25).
"""

SUPERVISED, DISTRICT, TOP, UNASKED = WATCHED_AS = ("supervised", "district", "top", "unasked")
"""The reason why supervision has it in its list: it took it up, or it has climbed to its district or to the top.

The last: it is answered, and nobody knows whom to ask, so only an exception closes it (E3).
"""

AT_DESKS: Final = (Stage.RECEIVED, Stage.TO_DISPATCH, Stage.TERMINATED, Stage.ANSWERED)
"""The stages in which a complaint waits for a desk of ours, and for no person. Each takes a moment; what stays here is
stuck."""

FOLLOWED: Final = "open311:"
"""How the number of a request begins whose sender follows it: its login comes behind, to the next colon."""
TEXT_CHANGED_BY: Final = (
    "ComplaintReceived",
    "ComplaintClassified",
    "RequestCorrected",
    "RequestSupplemented",
)
"""The facts after which a complaint's `WordingRow` may be another."""


class ComplaintRow(NamedTuple):
    """See `read.complaint`."""

    stream_id: str
    version: int
    stage: str
    ended: str
    district: str
    street: str
    subject: str
    urgency: str
    unit: str
    assignment: int
    round: int
    standing: str
    due_at: datetime | None
    paused_until: datetime | None
    provisional: bool
    unlisted: str
    received_at: datetime
    day: date | None
    ruleset: str
    calendar: str
    heat: int
    timers: int
    sign_due_at: datetime | None
    withheld: bool


class WordingRow(NamedTuple):
    """See `read.wording`; `words` with blanks between."""

    stream_id: str
    received_at: datetime
    request_id: str
    title: str
    content: str
    address: str
    attachments: str
    words: str


class WaitingRow(NamedTuple):
    """See `read.waiting`."""

    list: str
    party: str
    due_at: datetime
    stream_id: str
    role: str
    number: int
    unit: str
    subject: str
    district: str
    urgency: str


class MessageRow(NamedTuple):
    """See `read.message`."""

    stream_id: str
    channel: str
    received_at: datetime
    waited: Any


class FollowedRow(NamedTuple):
    """See `read.followed`."""

    stream_id: str
    login: str
    changed_at: datetime


class RowsOf(NamedTuple):
    """All rows of one complaint."""

    complaint: ComplaintRow
    wording: WordingRow | None
    waiting: list[WaitingRow]
    login: str | None
    """The login that follows it; None where none does."""


def rows_of(case: Complaint, version: int, *, worded: bool = True) -> RowsOf:
    """The rows of a complaint whose facts up to this version it is the sum of; `worded`: its texts too."""
    return RowsOf(
        _complaint(case, version),
        _wording(case) if worded else None,
        list(_waiting(case)),
        login_in(case.request_id),
    )


def login_in(request_id: str) -> str | None:
    """The login that sent a request over Open311, as its number says; None of any other request."""
    return request_id.split(":")[1] if request_id.startswith(FOLLOWED) else None


def message_of(received: Fact) -> MessageRow | None:
    """The row of a message that a citizen sent, by the first fact of its complaint; None where it was a call."""
    sent_at = getattr(received, "sent_at", msgspec.UNSET)
    if sent_at is msgspec.UNSET:
        return None
    at: datetime = received.received_at  # type: ignore[attr-defined]  # only ComplaintReceived has `sent_at`
    return MessageRow(received.complaint_id, received.channel, at, at - sent_at)  # type: ignore[attr-defined]


def _complaint(case: Complaint, version: int) -> ComplaintRow:
    order, ended = case.order, case.ended
    counts = case.subject != "" and not (ended is not None and (ended.twice or ended.turned_away is not None))
    return ComplaintRow(
        stream_id=case.complaint_id,
        version=version,
        stage=stage_of(case).value,
        ended="" if ended is None else ended.how,
        district=case.district,
        street=case.street or "",
        subject=case.subject,
        urgency=case.urgency or "",
        unit="" if order is None else order.unit,
        assignment=0 if order is None else order.assignment,
        round=0 if order is None else order.round,
        standing="" if order is None else _standing(order),
        due_at=None if order is None else order.feedback_due_at,
        paused_until=order.pause.until if order is not None and order.pause is not None else None,
        provisional=order is not None and order.provisional,
        unlisted="" if order is None else ",".join(order.unlisted),
        received_at=case.received_at,
        day=case.received_at.astimezone(zone_of(case.ruleset)).date() if counts else None,
        ruleset=case.ruleset,
        calendar=case.calendar,
        heat=case.heat,
        timers=len(timers_of(case)),
        sign_due_at=None if order is None else _sign_due_at(case, order),
        withheld=case.confidential or case.accused is not None or case.request_type is RequestType.REPORT,
    )


def _wording(case: Complaint) -> WordingRow:
    month = month_of(case.received_at)
    words = [*named(case.subject, case.district, case.street or ""), *words_in(case.title)]
    return WordingRow(
        stream_id=case.complaint_id,
        received_at=case.received_at,
        request_id=case.request_id,
        title=case.title,
        content=whole_content(case),
        address=case.address,
        attachments=msgspec.json.encode(case.attachments).decode() if case.attachments else "[]",
        words="\n".join(month + word for word in words),
    )


def _standing(order: Order) -> str:
    if isinstance(order, Answered):
        return ANSWERED
    match whose_asked(order):
        case DisputeAsked():
            return "disputed"
        case ReturnAsked():
            return "in review"
        case None:
            return "new" if order.signed_at is None else "signed"


def _sign_due_at(case: Complaint, order: Order) -> datetime | None:
    """Until when the unit must react first; None once it has, or where nothing is awaited of it."""
    if not order_open(case) or order.reacted_at is not None:
        return None
    limit = watched(case, Limit.SIGN, order.assignment)
    missed = misses(case, Limit.SIGN, order.assignment)
    return limit.due_at if limit is not None else missed[-1].due_at if missed else None


def _waiting(case: Complaint) -> Iterator[WaitingRow]:
    order = case.order
    due_at = case.received_at if order is None else order.feedback_due_at
    unit = "" if order is None else order.unit
    if order is not None and goes_on(case):
        yield from _orders(case, order)
        if order.unlisted:
            yield _waits(case, CORRECTIONS, due_at, about=unit)
    if case.ended is None:
        yield from _called(case, due_at)
    for what in open_questions(case):
        yield _waits(case, REVIEWS, due_at, role=what, about=unit)
    if order is not None and (watched_as := _watched_as(case)):
        by = case.supervision.due_at if watched_as == SUPERVISED and case.supervision else due_at
        yield _waits(case, SUPERVISION, by, role=watched_as, about=unit)
    stage = stage_of(case)
    if stage in AT_DESKS and not (stage is Stage.ANSWERED and case.anonymous):
        yield _waits(case, DESKS, due_at, role=stage.value, about=unit)
    if case.visit is not None:
        visit = case.visit
        yield _waits(case, VISITS, visit.visit_at, role=visit.reason, number=visit.visit, about=unit)


def _watched_as(case: Complaint) -> str:
    """One of `WATCHED_AS`; "" where nobody above the unit has to do with it."""
    if case.supervision is not None:
        return SUPERVISED
    if order_open(case) and case.level is not Level.UNIT:
        return DISTRICT if case.level is Level.DISTRICT else TOP
    return UNASKED if stage_of(case) is Stage.ANSWERED and case.anonymous else ""


def _orders(case: Complaint, order: Order) -> Iterator[WaitingRow]:
    """The order with the unit that has it, and with those that help."""
    if order_open(case):
        yield _waits(case, ORDERS, order.feedback_due_at, order.unit, LEAD, about=order.unit)
    for co_unit in case.co_units:
        if co_unit.reported_at is None and co_unit.unit != order.unit:
            yield _waits(case, ORDERS, order.feedback_due_at, co_unit.unit, HELP, about=order.unit)


def _called(case: Complaint, due_at: datetime) -> Iterator[WaitingRow]:
    """The units that a street whistled for and has not let go, each until it comes, and once it has come."""
    for whistle in case.whistles:
        for called in whistle.called:
            if called.done_at is None:
                by = called.due_at or due_at
                yield _waits(case, ORDERS, by, called.unit, CALLED, whistle.number, whistle.unit)
            elif called.released_at is None:  # no limit of its own is left, only the order's
                yield _waits(case, ORDERS, due_at, called.unit, ARRIVED, whistle.number, whistle.unit)


def _waits(
    case: Complaint,
    kind: str,
    at: datetime,
    party: str = "",
    role: str = "",
    number: int = 0,
    about: str = "",
) -> WaitingRow:
    return WaitingRow(
        kind,
        party,
        at,
        case.complaint_id,
        role,
        number,
        about,
        case.subject,
        case.district,
        case.urgency or "",
    )
